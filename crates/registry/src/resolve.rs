//! References: from (name, subject, version) to texts, transitively, dependencies first.
//!
//! Keyed by *name*, the first one wins. An unqualified subject belongs to the context of the schema that refers. Targets
//! may be soft-deleted unless the referring schema is new. The walk is iterative and bounded in number and bytes; a
//! cycle ends at the name that was seen already.
//!
//! Source: schema-registry `AbstractSchemaProvider#resolveReferences`, 8.2.0; schema-registry.md §2.10.

use std::collections::HashSet;
use std::sync::Arc;

use sluice_schema::{Guid, InvalidSchema, Reference, ResolvedReference, SchemaType, Version};

use crate::store::{RequireLive, VersionRow};
use crate::{Content, ContextName, Error, Registry, SubjectName};

/// Most references of one schema, transitively.
const MOST: usize = 1_000;
/// Most bytes of their texts together.
const MOST_BYTES: usize = 16 * 1024 * 1024;

/// References, found.
#[derive(Debug, Clone)]
pub(crate) struct Resolution {
    /// As carried, with the version that -1 stood for.
    pub(crate) references: Arc<[Reference]>,
    /// Texts, transitively.
    pub(crate) resolved: Arc<[ResolvedReference]>,
    /// What the schema itself refers to, each once.
    pub(crate) direct: Vec<(SubjectName, Version)>,
    /// Every version that was read, with its hash.
    pub(crate) through: Vec<(SubjectName, Version, Guid)>,
}

enum Step {
    Visit { context: ContextName, reference: Reference },
    Emit(ResolvedReference),
}

impl Registry {
    /// Finds what `references` of a schema in `context` point at.
    pub(crate) async fn resolve(
        &self,
        context: &ContextName,
        schema_type: SchemaType,
        references: &[Reference],
        live: RequireLive,
    ) -> Result<Resolution, Error> {
        let refuse = |text: String| invalid(schema_type, InvalidSchema::Semantics(text));
        let mut carried = Vec::with_capacity(references.len());
        let mut direct = Vec::with_capacity(references.len());
        for reference in references {
            let target = SubjectName::parse_in(context, &reference.subject);
            let row = self.referenced(&target, reference.version, live).await?;
            let row = row.ok_or_else(|| refuse(not_found(&target, reference.version)))?;
            carried.push(Reference { version: row.version.0, ..reference.clone() });
            if !direct.contains(&(target.clone(), row.version)) {
                direct.push((target, row.version));
            }
        }

        let mut steps: Vec<Step> = Vec::with_capacity(carried.len());
        let visit = |context: &ContextName, references: &[Reference], steps: &mut Vec<Step>| {
            let visits = references.iter().rev();
            steps.extend(visits.map(|r| Step::Visit { context: context.clone(), reference: r.clone() }));
        };
        visit(context, &carried, &mut steps);
        let (mut seen, mut resolved, mut through) = (HashSet::new(), Vec::new(), Vec::new());
        let mut bytes = 0;
        while let Some(step) = steps.pop() {
            let (context, reference) = match step {
                Step::Emit(found) => {
                    resolved.push(found);
                    continue;
                }
                Step::Visit { context, reference } => (context, reference),
            };
            if !seen.insert(reference.name.clone()) {
                continue;
            }
            let target = SubjectName::parse_in(&context, &reference.subject);
            let row = self.referenced(&target, reference.version, live).await?;
            let row = row.ok_or_else(|| refuse(not_found(&target, reference.version)))?;
            let content = self.content_of(&target, &row).await?;
            bytes += content.text.len();
            if seen.len() > MOST || bytes > MOST_BYTES {
                let text = format!("more than {MOST} references, or {MOST_BYTES} bytes of them");
                return Err(invalid(schema_type, InvalidSchema::TooComplex(text)));
            }
            through.push((target.clone(), row.version, row.guid));
            steps.push(Step::Emit(ResolvedReference {
                name: reference.name.as_str().into(),
                subject: target.qualified().into(),
                version: row.version.0,
                text: content.text.clone(),
                references: content.references.clone(),
            }));
            visit(target.context(), &content.references, &mut steps);
        }
        Ok(Resolution { references: carried.into(), resolved: resolved.into(), direct, through })
    }

    /// What the references of a stored content point at.
    pub(crate) async fn resolve_stored(&self, context: &ContextName, content: &Content) -> Result<Resolution, Error> {
        self.resolve(context, content.schema_type, &content.references, RequireLive::No).await
    }

    async fn referenced(
        &self,
        target: &SubjectName,
        version: i32,
        live: RequireLive,
    ) -> Result<Option<VersionRow>, Error> {
        self.find_in_subject(target, |subject| {
            let row = if version == -1 { subject.latest() } else { subject.version(Version(version)) };
            row.filter(|row| live == RequireLive::No || !row.deleted).cloned()
        })
        .await
    }
}

fn not_found(target: &SubjectName, version: i32) -> String {
    if version == 0 || version < -1 {
        return format!("io.confluent.kafka.schemaregistry.exceptions.InvalidVersionException: {version}");
    }
    format!("No schema reference found for subject \"{target}\" and version {version}")
}

/// The refusal of a text that does not parse, in the reference's doubled wrapping.
pub(crate) fn invalid(schema_type: SchemaType, cause: InvalidSchema) -> Error {
    let wrap = |text: String| {
        // Avro's errors quote the request, which whoever has it adds.
        if schema_type == SchemaType::Avro {
            return text;
        }
        format!("Invalid schema of type {schema_type}, details: Invalid schema of type {schema_type}, details: {text}")
    };
    let cause = match cause {
        InvalidSchema::UnknownType(_) | InvalidSchema::NoSuchEntity(_) => cause,
        InvalidSchema::Syntax(text) => InvalidSchema::Syntax(wrap(text)),
        InvalidSchema::Semantics(text) => InvalidSchema::Semantics(wrap(text)),
        InvalidSchema::TooComplex(text) => InvalidSchema::TooComplex(wrap(text)),
    };
    Error::InvalidSchema { outline: None, cause }
}
