//! A parsed schema of any format: the one type that the rooms above hold.

use std::sync::Arc;

use crate::{Reference, ResolvedReference, SchemaType, avro, json, protobuf};

/// A text that is not a schema. `Display` is one line, or the parser's own text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSchema {
    /// The type is none, or none that this build can parse.
    #[error("Invalid schema type {0}")]
    UnknownType(String),
    /// The text does not parse; what and where.
    #[error("{0}")]
    Syntax(String),
    /// The text parses but cannot be: unresolvable types, duplicate names and the like.
    #[error("{0}")]
    Semantics(String),
    /// A cap was met: nesting, number of elements, size.
    #[error("{0}")]
    TooComplex(String),
    /// A tag edit names a type or field that is not there.
    #[error("java.lang.IllegalArgumentException: {0}")]
    NoSuchEntity(String),
}

/// Whether to do what the reference does under `validateFields=true`: build full descriptors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ValidateFields {
    /// Yes.
    Yes,
    /// Only what every new schema must pass: all types resolve.
    No,
}

/// A re-rendering asked by the `format` query parameter. Unknown words mean [`Format::Canonical`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// The stored text.
    Canonical,
    /// protobuf: base64 of the `FileDescriptorProto`.
    Serialized,
    /// protobuf: without custom options and extension fields.
    IgnoreExtensions,
    /// Avro: referenced types inlined. No meaning for protobuf.
    Resolved,
    /// DDL of logical types; so far of Avro schemas.
    Logical,
}

impl Format {
    /// The format of this query value, in any case.
    pub fn from_wire(word: &str) -> Format {
        match word {
            w if w.eq_ignore_ascii_case("serialized") => Format::Serialized,
            w if w.eq_ignore_ascii_case("ignore_extensions") => Format::IgnoreExtensions,
            w if w.eq_ignore_ascii_case("resolved") => Format::Resolved,
            w if w.eq_ignore_ascii_case("logical") => Format::Logical,
            _ => Format::Canonical,
        }
    }
}

/// A type or field that tags stand on: `path` like `Person.name`, with or without a leading dot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaggedEntity {
    /// Name of a record, or of a field behind its record's name.
    pub path: String,
    /// Whether `path` names a record (`sr_record`) or a field (`sr_field`).
    pub is_record: bool,
    /// The tags.
    pub tags: Vec<String>,
}

/// Tags to put on and to take off, in this order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TagEdit {
    /// To add.
    pub add: Vec<TaggedEntity>,
    /// To remove.
    pub remove: Vec<TaggedEntity>,
}

/// A parsed schema with its references.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "lives behind an Arc, one per cached schema")]
pub enum Schema {
    /// protobuf
    Protobuf(protobuf::ProtobufSchema),
    /// JSON Schema
    Json(json::JsonSchema),
    /// Avro
    Avro(avro::AvroSchema),
}

impl Schema {
    /// Parses `text` (for protobuf: `.proto` source or base64 of a `FileDescriptorProto`).
    ///
    /// `references` is what the schema carries (kept, and part of the hash); `resolved` holds their texts,
    /// transitively, dependencies first. Work is bounded: nesting and element caps give
    /// [`InvalidSchema::TooComplex`]. Nothing is checked beyond syntax; see [`Schema::validate`].
    pub fn parse(
        schema_type: SchemaType,
        text: &str,
        references: Arc<[Reference]>,
        resolved: Arc<[ResolvedReference]>,
    ) -> Result<Schema, InvalidSchema> {
        match schema_type {
            SchemaType::Protobuf => protobuf::ProtobufSchema::parse(text, references, resolved).map(Schema::Protobuf),
            SchemaType::Json => json::JsonSchema::parse(text, references, resolved).map(Schema::Json),
            SchemaType::Avro => avro::AvroSchema::parse(text, references, resolved).map(Schema::Avro),
        }
    }

    /// The language.
    pub fn schema_type(&self) -> SchemaType {
        match self {
            Schema::Protobuf(_) => SchemaType::Protobuf,
            Schema::Json(_) => SchemaType::Json,
            Schema::Avro(_) => SchemaType::Avro,
        }
    }

    /// The text as it is stored and hashed.
    pub fn canonical_text(&self) -> &Arc<str> {
        match self {
            Schema::Protobuf(schema) => schema.canonical_text(),
            Schema::Json(schema) => schema.canonical_text(),
            Schema::Avro(schema) => schema.canonical_text(),
        }
    }

    /// The references as carried.
    pub fn references(&self) -> &Arc<[Reference]> {
        match self {
            Schema::Protobuf(schema) => schema.references(),
            Schema::Json(schema) => schema.references(),
            Schema::Avro(schema) => schema.references(),
        }
    }

    /// The texts of the references, transitively.
    pub fn resolved_references(&self) -> &Arc<[ResolvedReference]> {
        match self {
            Schema::Protobuf(schema) => schema.resolved_references(),
            Schema::Json(schema) => schema.resolved_references(),
            Schema::Avro(schema) => schema.resolved_references(),
        }
    }

    /// The schema in normal form (`normalize=true`): its canonical text is the normalised one, its references
    /// sorted and distinct.
    pub fn normalize(&self) -> Result<Schema, InvalidSchema> {
        match self {
            Schema::Protobuf(schema) => schema.normalize().map(Schema::Protobuf),
            Schema::Json(schema) => schema.normalize().map(Schema::Json),
            Schema::Avro(schema) => schema.normalize().map(Schema::Avro),
        }
    }

    /// Checks what a *new* schema must pass: every type resolves; with [`ValidateFields::Yes`] also that full
    /// descriptors can be built.
    pub fn validate(&self, fields: ValidateFields) -> Result<(), InvalidSchema> {
        match self {
            Schema::Protobuf(schema) => schema.validate(fields),
            Schema::Json(schema) => schema.validate(fields),
            Schema::Avro(schema) => schema.validate(),
        }
    }

    /// The text in another format.
    pub fn render(&self, format: Format) -> Result<Arc<str>, InvalidSchema> {
        match self {
            Schema::Protobuf(schema) => schema.render(format),
            // No other format means anything.
            Schema::Json(schema) => Ok(schema.canonical_text().clone()),
            Schema::Avro(schema) => schema.render(format),
        }
    }

    /// The schema with tags added and removed; its canonical text carries them.
    pub fn edit_tags(&self, edit: &TagEdit) -> Result<Schema, InvalidSchema> {
        match self {
            Schema::Protobuf(schema) => schema.edit_tags(edit).map(Schema::Protobuf),
            Schema::Json(schema) => schema.edit_tags(edit).map(Schema::Json),
            Schema::Avro(schema) => schema.edit_tags(edit).map(Schema::Avro),
        }
    }

    /// The schema with the tags of another on those types and fields that it has too; `None` if nothing changes.
    pub fn with_tags_of(&self, other: &Schema) -> Option<Schema> {
        if let (Schema::Avro(schema), Schema::Avro(other)) = (self, other) {
            return schema.with_tags_of(other).ok().map(Schema::Avro);
        }
        let mut tagged = None;
        for entity in other.tagged_entities() {
            let edit = TagEdit { add: vec![entity], remove: Vec::new() };
            if let Ok(schema) = tagged.as_ref().unwrap_or(self).edit_tags(&edit) {
                tagged = Some(schema);
            }
        }
        tagged
    }

    /// Whether schemas of other texts may be found with this one, see [`Schema::finds`].
    pub fn has_lookalikes(&self) -> bool {
        match self {
            Schema::Protobuf(_) | Schema::Json(_) => false,
            Schema::Avro(schema) => schema.has_lookalikes(),
        }
    }

    /// Whether a look-up with this schema finds `stored`, whatever its text.
    pub fn finds(&self, stored: &Schema) -> bool {
        match (self, stored) {
            (Schema::Avro(schema), Schema::Avro(stored)) => schema.finds(stored),
            _ => false,
        }
    }

    /// Every tagged record and field, in document order.
    pub fn tagged_entities(&self) -> Vec<TaggedEntity> {
        match self {
            Schema::Protobuf(schema) => schema.tagged_entities(),
            Schema::Json(schema) => schema.tagged_entities(),
            Schema::Avro(schema) => schema.tagged_entities(),
        }
    }

    /// Full name of the record that stands for the schema, for the RECORD_NAME strategies: the first message.
    pub fn record_name(&self) -> Option<&str> {
        match self {
            Schema::Protobuf(schema) => schema.record_name(),
            Schema::Json(schema) => schema.record_name(),
            Schema::Avro(schema) => schema.record_name(),
        }
    }

    /// Names of the top-level record's fields, for the reserved-field check.
    pub fn top_level_fields(&self) -> Vec<&str> {
        match self {
            Schema::Protobuf(schema) => schema.top_level_fields(),
            Schema::Json(schema) => schema.top_level_fields(),
            Schema::Avro(schema) => schema.top_level_fields(),
        }
    }

    /// Approximate bytes held, for caches: text, model and references. Grows when the codec is compiled by at
    /// most a constant factor, which is already counted.
    pub fn weight_bytes(&self) -> usize {
        match self {
            Schema::Protobuf(schema) => schema.weight_bytes(),
            Schema::Json(schema) => schema.weight_bytes(),
            Schema::Avro(schema) => schema.weight_bytes(),
        }
    }
}
