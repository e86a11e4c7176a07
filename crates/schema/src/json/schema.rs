//! A JSON Schema: its text, its references, its model.

use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use super::load::{self, LoadError, Referenced, Refs};
use super::model::{Kind, Model};
use super::validate::Validator;
use super::value::Value;
use super::{diff, logical, tags, text, validate};
use crate::compat::{Direction, Policy};
use crate::logical::{LogicalType, ddl, refuse};
use crate::schema::Absent;
use crate::weight::{self, Heap};
use crate::{Difference, Format, InvalidSchema, Reference, ResolvedReference, TagEdit, TaggedEntity, ValidateFields};

/// A parsed JSON Schema. The model is built on first use, and kept.
#[derive(Debug)]
pub struct JsonSchema {
    value: Value,
    text: Arc<str>,
    record_name: Option<String>,
    references: Arc<[Reference]>,
    resolved: Arc<[ResolvedReference]>,
    model: OnceLock<Result<Model, LoadError>>,
    validator: OnceLock<Result<Validator, InvalidSchema>>,
}

impl JsonSchema {
    /// Parses JSON. Checks no more than that: any value will do, see [`JsonSchema::validate`].
    ///
    /// [`InvalidSchema::Syntax`] has the reference's text, which says nothing of what is wrong; caps give
    /// [`InvalidSchema::TooComplex`].
    pub fn parse(
        text: &str,
        references: Arc<[Reference]>,
        resolved: Arc<[ResolvedReference]>,
    ) -> Result<JsonSchema, InvalidSchema> {
        let value = text::parse(text).map_err(|error| match error {
            InvalidSchema::Syntax(_) => InvalidSchema::Syntax("Invalid JSON schema".to_owned()),
            other => other,
        })?;
        let text = text::print(&value);
        JsonSchema::from_parts(value, text, references, resolved)
    }

    fn from_parts(
        value: Value,
        text: String,
        references: Arc<[Reference]>,
        resolved: Arc<[ResolvedReference]>,
    ) -> Result<JsonSchema, InvalidSchema> {
        // What is stored must be readable again.
        text::check_size(&text)?;
        let record_name = value.get("title").and_then(as_text);
        let (model, validator) = (OnceLock::new(), OnceLock::new());
        Ok(JsonSchema { value, text: text.into(), record_name, references, resolved, model, validator })
    }

    /// The JSON.
    pub fn value(&self) -> &Value {
        &self.value
    }

    /// The text as it is stored and hashed.
    pub fn canonical_text(&self) -> &Arc<str> {
        &self.text
    }

    /// The references as carried.
    pub fn references(&self) -> &Arc<[Reference]> {
        &self.references
    }

    /// The texts of the references, transitively.
    pub fn resolved_references(&self) -> &Arc<[ResolvedReference]> {
        &self.resolved
    }

    /// What versions are compared on; built on first use and kept.
    pub fn model(&self) -> Result<&Model, &LoadError> {
        self.model.get_or_init(|| load::load(&self.value, &self.referenced(), Refs::Follow)).as_ref()
    }

    /// What holds data against the schema; compiled on first use and kept. Fails for what cannot be compiled, which a
    /// few schemas that validate are: the validator insists on the meta-schema.
    pub fn validator(&self) -> Result<&Validator, InvalidSchema> {
        self.validator.get_or_init(|| validate::compile(self)).as_ref().map_err(Clone::clone)
    }

    fn referenced(&self) -> Vec<Referenced> {
        let read = |resolved: &ResolvedReference| Referenced {
            name: (*resolved.name).into(),
            document: text::parse(&resolved.text).ok(),
        };
        self.resolved.iter().map(read).collect()
    }

    /// The schema with the keys of every object sorted, its references sorted and distinct.
    pub fn normalize(&self) -> Result<JsonSchema, InvalidSchema> {
        let text = text::print_sorted(&self.value);
        let mut references = self.references.to_vec();
        references.sort_by(|a, b| (&a.subject, a.version).cmp(&(&b.subject, b.version)));
        let mut seen = HashSet::new();
        references.retain(|reference| seen.insert(reference.clone()));
        JsonSchema::from_parts(text::parse(&text)?, text, references.into(), self.resolved.clone())
    }

    /// Checks what a new schema must pass: an object or boolean at the root, keywords of the right types, `$ref`s
    /// that lead somewhere; with [`ValidateFields::Yes`] also that no property at the top starts with `$$`.
    pub fn validate(&self, fields: ValidateFields) -> Result<(), InvalidSchema> {
        let found = match &self.value {
            Value::Object(_) | Value::Bool(_) => None,
            Value::Null => Some("NULL"),
            Value::Number(_) => Some("NUMBER"),
            Value::String(_) => Some("STRING"),
            Value::Array(_) => Some("ARRAY"),
        };
        if let Some(found) = found {
            let text = format!("Invalid JSON schema: expected an object or boolean at the root, found {found}");
            return Err(InvalidSchema::Semantics(text));
        }
        let model = self.model().map_err(|error| match error {
            // The reference's text, which says nothing of what is wrong.
            LoadError::Invalid(_) => InvalidSchema::Semantics("Invalid JSON".to_owned()),
            LoadError::Remote(_) => {
                let text = "Remote schema reference fetching over HTTP(S) is disabled";
                InvalidSchema::Semantics(text.to_owned())
            }
            LoadError::TooLarge => InvalidSchema::TooComplex(format!("The schema has {error}")),
        })?;
        if fields == ValidateFields::Yes
            && let Kind::Object(object) = &model.node(model.root()).kind
            && object.properties.names().any(|name| name.starts_with("$$"))
        {
            return Err(InvalidSchema::Semantics("#: Field names cannot start with $$ prefix".to_owned()));
        }
        Ok(())
    }

    /// The incompatible changes from `old` to this schema. A schema that cannot be loaded (an old one that came in
    /// unchecked) is one change of its own.
    pub fn differences(&self, old: &JsonSchema, direction: Direction, policy: Policy) -> Vec<Difference> {
        match (self.model(), old.model()) {
            (Ok(new), Ok(old)) => diff::differences(new, old, direction, policy),
            (Err(error), _) => vec![unloadable("The new schema", error)],
            (_, Err(error)) => vec![unloadable("A previous schema version", error)],
        }
    }

    /// The schema as a logical type; fails for types that have none.
    pub(crate) fn logical(&self) -> Result<LogicalType, InvalidSchema> {
        let model = self.model().map_err(|error| refuse(&unloadable("The schema", error).message))?;
        logical::logical(model)
    }

    /// The text in another format; only [`Format::Logical`] means anything.
    pub fn render(&self, format: Format) -> Result<Arc<str>, InvalidSchema> {
        match format {
            Format::Logical => ddl::show(self.logical()),
            Format::Canonical | Format::Serialized | Format::IgnoreExtensions | Format::Resolved => {
                Ok(self.text.clone())
            }
        }
    }

    /// The schema with tags added and removed in its `confluent:tags`.
    pub(crate) fn with_edit(&self, edit: &TagEdit, absent: Absent) -> Result<JsonSchema, InvalidSchema> {
        let mut value = self.value.clone();
        tags::edit(&mut value, edit, absent)?;
        let text = text::print(&value);
        JsonSchema::from_parts(value, text, self.references.clone(), self.resolved.clone())
    }

    /// Every tagged object and property, in document order.
    pub fn tagged_entities(&self) -> Vec<TaggedEntity> {
        tags::tagged_entities(&self.value)
    }

    /// The title.
    pub fn record_name(&self) -> Option<&str> {
        self.record_name.as_deref()
    }

    /// Names of the properties at the top.
    pub fn top_level_fields(&self) -> Vec<&str> {
        let properties = self.value.get("properties").and_then(Value::as_object);
        properties.map(|properties| properties.names().collect()).unwrap_or_default()
    }

    /// Bytes held: text, references, JSON and model as they are; the validator, once it is there, by the JSON that it is
    /// made from.
    pub fn weight_bytes(&self) -> usize {
        const VALIDATOR_AT_LEAST: usize = 1024;
        let value = self.value.heap_bytes();
        let model = self.model.get().and_then(|model| model.as_ref().ok()).map_or(0, Heap::heap_bytes);
        // A boxed check per keyword, each with the path of where it stands.
        let validator = self.validator.get().map_or(0, |_| VALIDATOR_AT_LEAST + value * 3 / 2);
        let parts = weight::of_parts(&self.text, &self.references, &self.resolved);
        size_of::<JsonSchema>() + parts + self.record_name.heap_bytes() + value + model + validator
    }

    /// How many of the parts that are made on first use are there.
    pub fn parts_made(&self) -> u8 {
        u8::from(self.model.get().is_some()) + u8::from(self.validator.get().is_some())
    }
}

fn unloadable(which: &str, error: &LoadError) -> Difference {
    let message = match error {
        LoadError::Remote(_) => format!("{which} contains an unsupported external reference"),
        other => format!("{which} is invalid: {other}"),
    };
    Difference { kind: "SCHEMA_INVALID", path: "#/".to_owned(), message }
}

/// Jackson's `asText` of a scalar.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.to_string()),
        Value::Array(_) | Value::Object(_) => Some(String::new()),
        other => Some(text::print(other)),
    }
}
