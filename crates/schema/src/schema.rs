//! A parsed schema of any format: the one type that the rooms above hold.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use crate::logical::LogicalType;
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
    /// DDL of logical types.
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

/// What to do with an entity that is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Absent {
    /// Fail with [`InvalidSchema::NoSuchEntity`].
    Refuse,
    /// Leave it out.
    Skip,
}

/// What a [`TagEdit`] does to one entity.
#[derive(Debug)]
pub(crate) struct TargetEdit<'a> {
    pub(crate) path: &'a str,
    pub(crate) is_record: bool,
    /// Tags to add; may hold doubles.
    pub(crate) add: Vec<&'a str>,
    /// Tags to remove after that.
    pub(crate) remove: HashSet<&'a str>,
}

impl TagEdit {
    /// The edit by entity, in the order in which they are first named. Paths that `bare` makes equal name one entity.
    pub(crate) fn by_target<'a>(&'a self, bare: impl Fn(&'a str) -> &'a str) -> Vec<TargetEdit<'a>> {
        let mut places = HashMap::new();
        let mut targets: Vec<TargetEdit<'a>> = Vec::new();
        let adds = self.add.iter().map(|entity| (entity, true));
        for (entity, is_added) in adds.chain(self.remove.iter().map(|entity| (entity, false))) {
            let (path, is_record) = (bare(&entity.path), entity.is_record);
            let at = *places.entry((path, is_record)).or_insert_with(|| {
                targets.push(TargetEdit { path, is_record, add: Vec::new(), remove: HashSet::new() });
                targets.len() - 1
            });
            let (target, tags) = (&mut targets[at], entity.tags.iter().map(String::as_str));
            if is_added {
                target.add.extend(tags);
            } else {
                target.remove.extend(tags);
            }
        }
        targets
    }
}

impl TargetEdit<'_> {
    /// The tags `present`, those to add behind them, each once, without those to remove.
    pub(crate) fn applied<'t>(&'t self, present: impl Iterator<Item = &'t str>) -> Vec<&'t str> {
        let mut seen = HashSet::new();
        let all = present.chain(self.add.iter().copied()).filter(|tag| seen.insert(*tag));
        all.filter(|tag| !self.remove.contains(*tag)).collect()
    }
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
            Schema::Json(schema) => schema.render(format),
            Schema::Avro(schema) => schema.render(format),
        }
    }

    /// The schema as a logical type; fails for one that has none, in words that say why.
    pub(crate) fn logical(&self) -> Result<LogicalType, InvalidSchema> {
        match self {
            Schema::Protobuf(schema) => schema.logical(),
            Schema::Json(schema) => schema.logical(),
            Schema::Avro(schema) => schema.logical(),
        }
    }

    /// The schema with tags added and removed; its canonical text carries them.
    pub fn edit_tags(&self, edit: &TagEdit) -> Result<Schema, InvalidSchema> {
        self.with_edit(edit, Absent::Refuse)
    }

    /// The schema with the tags of another on those types and fields that it has too; `None` if nothing changes.
    pub fn with_tags_of(&self, other: &Schema) -> Option<Schema> {
        let edit = TagEdit { add: other.tagged_entities(), remove: Vec::new() };
        let tagged = self.with_edit(&edit, Absent::Skip).ok()?;
        (tagged.canonical_text() != self.canonical_text()).then_some(tagged)
    }

    fn with_edit(&self, edit: &TagEdit, absent: Absent) -> Result<Schema, InvalidSchema> {
        match self {
            Schema::Protobuf(schema) => schema.with_edit(edit, absent).map(Schema::Protobuf),
            Schema::Json(schema) => schema.with_edit(edit, absent).map(Schema::Json),
            Schema::Avro(schema) => schema.with_edit(edit, absent).map(Schema::Avro),
        }
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

    /// Bytes held now, for caches: text, model, references, and what was compiled on first use. Takes as long as the
    /// text is; to be asked again when [`Schema::parts_made`] has changed.
    pub fn weight_bytes(&self) -> usize {
        match self {
            Schema::Protobuf(schema) => schema.weight_bytes(),
            Schema::Json(schema) => schema.weight_bytes(),
            Schema::Avro(schema) => schema.weight_bytes(),
        }
    }

    /// How many of the parts that are made on first use are there. Costs nothing.
    pub fn parts_made(&self) -> u8 {
        match self {
            Schema::Protobuf(schema) => schema.parts_made(),
            Schema::Json(schema) => schema.parts_made(),
            Schema::Avro(schema) => schema.parts_made(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(path: &str, tags: &[&str]) -> TaggedEntity {
        TaggedEntity {
            path: path.to_owned(),
            is_record: false,
            tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        }
    }

    #[test]
    fn an_edit_is_gathered_by_entity_and_takes_away_after_it_adds() {
        let edit = TagEdit {
            add: vec![entity(".a", &["x", "y"]), entity("b", &["x"]), entity("a", &["z", "x"])],
            remove: vec![entity("a", &["y", "old"]), entity("c", &[])],
        };
        let targets = edit.by_target(|path| path.strip_prefix('.').unwrap_or(path));
        assert_eq!(targets.iter().map(|target| target.path).collect::<Vec<_>>(), ["a", "b", "c"]);
        assert_eq!(targets[0].applied(["old", "kept"].into_iter()), ["kept", "x", "z"]);
        assert_eq!(targets[1].applied(["x"].into_iter()), ["x"]);
        assert_eq!(targets[2].applied(["x"].into_iter()), ["x"]);
    }

    #[test]
    fn a_body_full_of_tags_is_put_on_in_one_go_in_every_language() {
        let all: Vec<String> = (0..200_000).map(|n| format!("t{n}")).collect();
        let full = |path: &str| TagEdit {
            add: vec![TaggedEntity { path: path.to_owned(), is_record: false, tags: all.clone() }],
            remove: vec![TaggedEntity { path: path.to_owned(), is_record: false, tags: all[1..].to_vec() }],
        };
        for (language, text, path) in [
            (SchemaType::Avro, r#"{"type":"record","name":"r","fields":[{"name":"f","type":"int"}]}"#, "r.f"),
            (SchemaType::Json, r#"{"type":"object","properties":{"f":{"type":"string"}}}"#, "object.f"),
            (SchemaType::Protobuf, r#"syntax = "proto3"; message r { string f = 1; }"#, "r.f"),
        ] {
            let schema = Schema::parse(language, text, [].into(), [].into()).unwrap();
            // Each tag compared with each would be twenty thousand million comparisons: this would not end.
            let tagged = schema.edit_tags(&full(path)).unwrap();
            assert_eq!(tagged.tagged_entities()[0].tags, ["t0"], "{language:?}");
        }
    }

    #[test]
    fn tags_of_another_schema_are_taken_over_in_one_go_where_there_is_a_place_for_them() {
        let json = |count: usize, tags: &str| {
            let field = |n: usize| format!("\"f{n}\":{{\"type\":\"string\"{tags}}}");
            let fields = (0..count).map(field).collect::<Vec<_>>().join(",");
            format!("{{\"type\":\"object\",\"properties\":{{{fields}}}}}")
        };
        let proto = |count: usize, tags: &str| {
            let field = |n: usize| format!("string f{n} = {}{tags}; ", n + 1);
            format!("syntax = \"proto3\"; message M {{ {}}}", (0..count).map(field).collect::<String>())
        };
        for (language, old, new) in [
            (SchemaType::Json, json(3_000, ",\"confluent:tags\":[\"T\"]"), json(2_000, "")),
            (SchemaType::Protobuf, proto(3_000, " [(confluent.field_meta).tags = \"T\"]"), proto(2_000, "")),
        ] {
            let parse = |text: &str| Schema::parse(language, text, [].into(), [].into()).unwrap();
            let (old, new) = (parse(&old), parse(&new));
            // Printing and reading the text again for each of them would take minutes.
            let tagged = new.with_tags_of(&old).unwrap();
            assert_eq!(tagged.tagged_entities().len(), 2_000, "{language:?}");
            assert!(new.with_tags_of(&new).is_none());
        }
    }
}
