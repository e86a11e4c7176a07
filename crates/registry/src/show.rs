//! How an entity is shown: its text in another format, qualified references, tags.

use std::sync::Arc;

use sluice_schema::{Format, Reference, TaggedEntity};

use crate::{contract, *};

impl Registry {
    /// The entity with its text in this format.
    pub(crate) async fn rendered(&self, mut entity: SchemaEntity, format: Format) -> Result<SchemaEntity, Error> {
        self.render(&mut entity, format).await?;
        Ok(entity)
    }

    pub(crate) async fn render(&self, entity: &mut SchemaEntity, format: Format) -> Result<(), Error> {
        if format == Format::Canonical || entity.content.text.trim().is_empty() {
            return Ok(());
        }
        let schema = self.load_schema(entity.subject.context(), entity.id, &entity.content).await?;
        let rendered = self.off_thread(entity.content.text.len(), move || schema.render(format)).await?;
        entity.rendered = Some(rendered.map_err(|cause| Error::InvalidSchema { outline: None, cause })?);
        Ok(())
    }

    /// The entity as these options show it.
    pub(crate) async fn shown(&self, mut entity: SchemaEntity, options: &ReadOptions) -> Result<SchemaEntity, Error> {
        self.render(&mut entity, options.format).await?;
        if !options.find_tags.is_empty() && !entity.content.text.trim().is_empty() {
            let schema = self.load_schema(entity.subject.context(), entity.id, &entity.content).await?;
            entity.schema_tags = asked_tags(schema.tagged_entities(), &options.find_tags);
        }
        if options.qualified_references && !entity.content.references.is_empty() {
            let context = entity.subject.context();
            let qualify = |r: &Reference| {
                let subject = SubjectName::parse_in(context, &r.subject).qualified();
                Reference { subject, ..r.clone() }
            };
            let references: Arc<[Reference]> = entity.content.references.iter().map(qualify).collect();
            // The hash is that of what is shown.
            let (metadata, rule_set) = (entity.content.metadata.as_deref(), entity.content.rule_set.as_deref());
            let guid = contract::guid(&entity.content.text, &references, metadata, rule_set);
            entity.content = Arc::new(Content { references, guid, ..(*entity.content).clone() });
            entity.as_of = None;
        }
        Ok(entity)
    }
}

/// What carries one of the asked tags, with all its tags; `*` asks for everything.
fn asked_tags(mut entities: Vec<TaggedEntity>, asked: &[String]) -> Vec<TaggedEntity> {
    if !asked.iter().any(|word| word == "*") {
        entities.retain(|entity| entity.tags.iter().any(|tag| asked.contains(tag)));
    }
    entities
}
