//! An Avro schema: its types, its references, its texts.

use std::sync::{Arc, OnceLock};

use super::codec::Codec;
use super::model::{AvroModel, Kind};
use super::{equal, logical, normalize, parse, print, tags};
use crate::logical::{LogicalType, ddl};
use crate::schema::Absent;
use crate::weight::{self, Heap};
use crate::{Format, InvalidSchema, Reference, ResolvedReference, TagEdit, TaggedEntity};

/// A parsed Avro schema. The canonical text is made on parsing.
#[derive(Debug)]
pub struct AvroSchema {
    model: AvroModel,
    outer_names: Vec<String>,
    fault: Option<InvalidSchema>,
    text: Arc<str>,
    references: Arc<[Reference]>,
    resolved: Arc<[ResolvedReference]>,
    codec: OnceLock<Codec>,
}

impl AvroSchema {
    /// Parses a schema as one that may be stored already: names may have letters of any script, defaults need not fit.
    /// The texts of the references come first, each seeing the names of those before.
    pub fn parse(
        text: &str,
        references: Arc<[Reference]>,
        resolved: Arc<[ResolvedReference]>,
    ) -> Result<AvroSchema, InvalidSchema> {
        AvroSchema::from_parsed(parse::parse(text, &resolved)?, references, resolved)
    }

    fn from_parsed(
        parsed: parse::Parsed,
        references: Arc<[Reference]>,
        resolved: Arc<[ResolvedReference]>,
    ) -> Result<AvroSchema, InvalidSchema> {
        let parse::Parsed { model, outer_names, fault } = parsed;
        let printed = print::text(&model, &outer_names)?;
        // What is stored must be readable again, and mean the same.
        parse::check_size(&printed.text)?;
        if printed.is_ambiguous {
            let again = parse::parse(&printed.text, &resolved);
            if !again.is_ok_and(|again| equal::equal(&again.model, &model)) {
                let text = "A type without namespace is used where its name means another type, or none";
                return Err(InvalidSchema::Semantics(text.to_owned()));
            }
        }
        Ok(AvroSchema {
            model,
            outer_names,
            fault,
            text: printed.text.into(),
            references,
            resolved,
            codec: OnceLock::new(),
        })
    }

    /// The types.
    pub fn model(&self) -> &AvroModel {
        &self.model
    }

    /// The codec of the schema's payloads; compiled once, on first use.
    pub fn codec(&self) -> &Codec {
        self.codec.get_or_init(|| Codec::of(&self.model))
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

    /// The schema in normal form; references sorted and distinct.
    pub fn normalize(&self) -> Result<AvroSchema, InvalidSchema> {
        let text = normalize::normal_text(&self.model, &self.outer_names)?;
        let parsed = parse::parse_normal_form(&text, &self.resolved)?;
        AvroSchema::from_parsed(parsed, Reference::sorted(&self.references).into(), self.resolved.clone())
    }

    /// Checks what a new schema must keep, its references included: names in plain ASCII, defaults that fit.
    pub fn validate(&self) -> Result<(), InvalidSchema> {
        self.fault.clone().map_or(Ok(()), Err)
    }

    /// The text in another format.
    pub fn render(&self, format: Format) -> Result<Arc<str>, InvalidSchema> {
        match format {
            Format::Resolved => print::text(&self.model, &[]).map(|printed| printed.text.into()),
            Format::Logical => ddl::show(self.logical()),
            Format::Canonical | Format::Serialized | Format::IgnoreExtensions => Ok(self.text.clone()),
        }
    }

    /// The schema as a logical type; fails for types that have none.
    pub(crate) fn logical(&self) -> Result<LogicalType, InvalidSchema> {
        logical::logical(&self.model)
    }

    /// Whether a look-up with this schema finds `stored`: the same but for the order of attributes and aliases, its
    /// references equal, or written out here.
    pub fn finds(&self, stored: &AvroSchema) -> bool {
        let fits = self.references == stored.references || self.references.is_empty();
        fits && equal::alike(&self.model, &stored.model)
    }

    /// Whether schemas of other texts may be found with this one: something in it has no order, or types in it may
    /// stand for references.
    pub fn has_lookalikes(&self) -> bool {
        equal::has_variants(&self.model, self.references.is_empty())
    }

    /// The schema with tags added and removed.
    pub(crate) fn with_edit(&self, edit: &TagEdit, absent: Absent) -> Result<AvroSchema, InvalidSchema> {
        let parse::Parsed { mut model, outer_names, .. } = parse::parse(&self.text, &self.resolved)?;
        tags::edit(&mut model, &outer_names, edit, absent)?;
        let printed = print::text(&model, &outer_names)?;
        AvroSchema::parse(&printed.text, self.references.clone(), self.resolved.clone())
    }

    /// Every tagged record and field by its full name, referenced ones included.
    pub fn tagged_entities(&self) -> Vec<TaggedEntity> {
        tags::tagged_entities(&self.model)
    }

    /// Full name of the record, if the schema is one.
    pub fn record_name(&self) -> Option<&str> {
        match &self.model[self.model.root()].kind {
            Kind::Record(record) => Some(record.name.full()),
            _ => None,
        }
    }

    /// Names of the record's fields, if the schema is one.
    pub fn top_level_fields(&self) -> Vec<&str> {
        match &self.model[self.model.root()].kind {
            Kind::Record(record) => record.fields.iter().map(|field| field.name.as_str()).collect(),
            _ => Vec::new(),
        }
    }

    /// Bytes held: text, references and model as they are; the codec, once it is there, by the model it is made from.
    pub fn weight_bytes(&self) -> usize {
        let model = self.model.heap_bytes();
        // Tables of names and of printed names, without docs, defaults and properties.
        let codec = self.codec.get().map_or(0, |_| model * 3 / 4);
        let parts = weight::of_parts(&self.text, &self.references, &self.resolved);
        size_of::<AvroSchema>() + parts + self.outer_names.heap_bytes() + model + codec
    }

    /// How many of the parts that are made on first use are there.
    pub fn parts_made(&self) -> u8 {
        u8::from(self.codec.get().is_some())
    }
}
