//! Entities in answers: field order and presence as in the reference.
//!
//! Null and empty are left out, `false` and 0 are not; an empty metadata object stays (it is another content than
//! none). Source: schema-registry `client/rest/entities`, 8.2.0; recordings `core-response-fields` and others.

use std::sync::Arc;

use bytes::Bytes;
use serde::{Serialize, Serializer};
use sluice_registry::{ListedSchema, Metadata, Registry, RuleSet, SchemaEntity, SubjectName};
use sluice_schema::{Guid, Reference, TaggedEntity};

use super::association::AssociationBody;
use super::error::SrError;

/// `{subject, version, id, guid, schemaType, references, metadata, ruleSet, schema, schemaTags, maxId, ts, deleted, aliases, associations}`,
/// without what does not apply.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SchemaBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) subject: Option<String>,
    /// Where registrations show the id.
    #[serde(rename = "id", skip_serializing_if = "Option::is_none")]
    leading_id: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) version: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) id: Option<i32>,
    #[serde(serialize_with = "guid")]
    guid: Guid,
    schema_type: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    references: Vec<ReferenceBody<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a Arc<Metadata>>,
    #[serde(skip_serializing_if = "no_rules")]
    rule_set: Option<&'a Arc<RuleSet>>,
    #[serde(skip_serializing_if = "str::is_empty")]
    schema: &'a str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    schema_tags: Vec<SchemaTags<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) max_id: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ts: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted: Option<bool>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    aliases: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    associations: Vec<AssociationBody<'a>>,
}

#[derive(Debug, Serialize)]
struct ReferenceBody<'a> {
    #[serde(skip_serializing_if = "str::is_empty")]
    name: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    subject: &'a str,
    version: i32,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct SchemaTags<'a> {
    schema_entity: EntityBody<'a>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    tags: &'a [String],
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct EntityBody<'a> {
    entity_path: &'a str,
    entity_type: &'static str,
}

fn guid<S: Serializer>(guid: &Guid, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(guid)
}

fn no_rules(rules: &Option<&Arc<RuleSet>>) -> bool {
    rules.is_none_or(|rules| {
        rules.migration_rules.is_empty()
            && rules.domain_rules.is_empty()
            && rules.encoding_rules.is_empty()
            && rules.enable_at.is_none()
    })
}

impl<'a> SchemaBody<'a> {
    /// Every field that the entity has.
    pub(super) fn full(entity: &'a SchemaEntity) -> SchemaBody<'a> {
        SchemaBody {
            subject: Some(entity.subject.qualified()),
            version: Some(entity.version.0),
            id: Some(entity.id.0),
            ..SchemaBody::content(entity)
        }
    }

    /// In lists of schemas: with the aliases and associations that were asked for.
    pub(super) fn listed(listed: &'a ListedSchema) -> SchemaBody<'a> {
        let aliases = listed.aliases.iter().map(SubjectName::qualified).collect();
        let associations = listed.associations.iter().map(AssociationBody::from).collect();
        SchemaBody { aliases, associations, ..SchemaBody::full(&listed.entity) }
    }

    /// Registration and tag edits: the caller knows the subject.
    pub(super) fn registered(entity: &'a SchemaEntity) -> SchemaBody<'a> {
        SchemaBody { subject: None, leading_id: Some(entity.id.0), id: None, ..SchemaBody::full(entity) }
    }

    /// By id: the caller knows the id.
    pub(super) fn by_id(entity: &'a SchemaEntity) -> SchemaBody<'a> {
        SchemaBody { id: None, ..SchemaBody::full(entity) }
    }

    /// By GUID: what is equal in every context.
    pub(super) fn content(entity: &'a SchemaEntity) -> SchemaBody<'a> {
        let content = &entity.content;
        SchemaBody {
            subject: None,
            leading_id: None,
            version: None,
            id: None,
            guid: content.guid,
            schema_type: content.schema_type.wire(),
            references: content.references.iter().map(ReferenceBody::from).collect(),
            metadata: content.metadata.as_ref(),
            rule_set: content.rule_set.as_ref(),
            schema: text(entity),
            schema_tags: entity.schema_tags.iter().map(SchemaTags::from).collect(),
            max_id: None,
            ts: entity.ts,
            deleted: entity.deleted,
            aliases: Vec::new(),
            associations: Vec::new(),
        }
    }
}

/// Prints an answer that shows `entity`: beside the threads that serve, if its text is long.
pub(super) async fn printed(
    registry: &Registry,
    entity: SchemaEntity,
    print: impl FnOnce(&SchemaEntity) -> Vec<u8> + Send + 'static,
) -> Result<(Bytes, SchemaEntity), SrError> {
    let size = text(&entity).len();
    Ok(registry.print_off_thread(size, move || (Bytes::from(print(&entity)), entity)).await?)
}

/// The text to show.
pub(super) fn text(entity: &SchemaEntity) -> &str {
    entity.rendered.as_ref().unwrap_or(&entity.content.text)
}

impl<'a> From<&'a Reference> for ReferenceBody<'a> {
    fn from(reference: &'a Reference) -> ReferenceBody<'a> {
        ReferenceBody { name: &reference.name, subject: &reference.subject, version: reference.version }
    }
}

impl<'a> From<&'a TaggedEntity> for SchemaTags<'a> {
    fn from(tagged: &'a TaggedEntity) -> SchemaTags<'a> {
        let entity_type = if tagged.is_record { "sr_record" } else { "sr_field" };
        SchemaTags { schema_entity: EntityBody { entity_path: &tagged.path, entity_type }, tags: &tagged.tags }
    }
}

#[cfg(test)]
mod tests {
    use sluice_registry::Content;
    use sluice_schema::{SchemaId, SchemaType, Version};

    use super::*;

    fn entity() -> SchemaEntity {
        SchemaEntity {
            subject: SubjectName::parse(":.c:s"),
            version: Version(2),
            id: SchemaId(7),
            content: Arc::new(Content {
                schema_type: SchemaType::Protobuf,
                text: "syntax".into(),
                references: vec![Reference { name: String::new(), subject: "dep".into(), version: 1 }].into(),
                metadata: Some(Arc::new(Metadata::default())),
                rule_set: Some(Arc::new(RuleSet::default())),
                guid: Guid([0x2d; 16]),
            }),
            rendered: None,
            schema_tags: vec![TaggedEntity { path: "M.f".into(), is_record: false, tags: vec!["PII".into()] }],
            ts: Some(5),
            deleted: Some(false),
            as_of: None,
        }
    }

    #[test]
    fn fields_stand_in_the_order_of_the_reference_and_empty_ones_are_left_out() {
        let json = |body: SchemaBody<'_>| serde_json::to_string(&body).unwrap();
        let entity = entity();
        assert_eq!(
            json(SchemaBody::full(&entity)),
            r#"{"subject":":.c:s","version":2,"id":7,"guid":"2d2d2d2d-2d2d-2d2d-2d2d-2d2d2d2d2d2d","schemaType":"PROTOBUF","references":[{"subject":"dep","version":1}],"metadata":{},"schema":"syntax","schemaTags":[{"schemaEntity":{"entityPath":"M.f","entityType":"sr_field"},"tags":["PII"]}],"ts":5,"deleted":false}"#
        );
        assert!(json(SchemaBody::registered(&entity)).starts_with(r#"{"id":7,"version":2,"guid":"#));
        assert!(json(SchemaBody::by_id(&entity)).starts_with(r#"{"subject":":.c:s","version":2,"guid":"#));
        assert!(json(SchemaBody::content(&entity)).starts_with(r#"{"guid":"#));
    }
}
