//! Schema texts → [`AvroModel`], exactly as lenient and as strict as the reference's parser.
//!
//! Referenced texts come first and make their names known; the schema's own text is read over them. A name may be
//! used before it is defined; what is not defined at the end of its text is refused. Two definitions of one name are
//! one if they are equal. What only a *new* schema must keep (plain ASCII names, defaults that fit) does not stop
//! reading: the first such fault is kept in [`Parsed::fault`], and whoever takes a new schema refuses it.
//! Bounded by [`MAX_TEXT_BYTES`], [`MAX_ELEMENTS`] and the JSON's nesting.
//!
//! `definition` reads types, `names` knows what a name may look like, `logical` reads logical types, `resolve` ties
//! names to definitions, `default` says whether a default fits.
//!
//! Source: Avro 1.12 `Schema.Parser`, `ParseContext`, `SchemaResolver`; schema-registry `AvroSchema#getParser`, 8.5.

mod default;
mod definition;
mod logical;
mod names;
mod resolve;

use std::collections::HashMap;

use super::equal;
use super::json::{self, Json};
use super::model::{AvroModel, Kind, Type, TypeId};
use super::print;
use crate::{InvalidSchema, ResolvedReference};

/// Longest text that is parsed, and longest canonical text.
pub const MAX_TEXT_BYTES: usize = 1 << 20;

/// Most types, fields and symbols of one text.
pub const MAX_ELEMENTS: usize = 1 << 16;

/// A schema that was read.
#[derive(Debug)]
pub(crate) struct Parsed {
    /// Its types, and those of its references.
    pub(crate) model: AvroModel,
    /// Full names of the referenced schemas themselves: they are not written out again.
    pub(crate) outer_names: Vec<String>,
    /// Why the schema may not be taken as a new one.
    pub(crate) fault: Option<InvalidSchema>,
}

/// Reads a text and the texts it refers to, in their order.
pub(crate) fn parse(text: &str, references: &[ResolvedReference]) -> Result<Parsed, InvalidSchema> {
    check_size(text)?;
    parse_normal_form(text, references)
}

/// Reads a normal form that was just written: longer than its source by its full names, and not to be stored.
///
/// A text that cannot be read at all is refused with the first thing that is wrong in it, even if that alone would
/// only keep it from being new: what cannot be read is not stored, so it is new.
pub(crate) fn parse_normal_form(text: &str, references: &[ResolvedReference]) -> Result<Parsed, InvalidSchema> {
    let mut parser = Parser::default();
    parser.all(text, references).map_err(|refusal| parser.fault.take().unwrap_or(refusal))
}

/// Refuses texts over [`MAX_TEXT_BYTES`].
pub(crate) fn check_size(text: &str) -> Result<(), InvalidSchema> {
    if text.len() > MAX_TEXT_BYTES {
        return Err(InvalidSchema::TooComplex(format!("The schema is longer than {MAX_TEXT_BYTES} bytes")));
    }
    Ok(())
}

/// Ids from here on stand for names that were not defined when they were used, until their text ends.
pub(super) const PENDING: u32 = 1 << 31;

#[derive(Default)]
struct Parser {
    types: Vec<Type>,
    known: HashMap<String, TypeId>,
    /// Named types of the text being read, in the order in which they became known.
    named: Vec<TypeId>,
    /// Names used before their definition, by id.
    pending: Vec<String>,
    fault: Option<InvalidSchema>,
    elements: usize,
    steps: usize,
}

impl Parser {
    /// Reads the texts of the references, then the schema's own.
    fn all(&mut self, text: &str, references: &[ResolvedReference]) -> Result<Parsed, InvalidSchema> {
        let mut outer_names = Vec::with_capacity(references.len());
        for reference in references {
            let root = self.text(&reference.text)?;
            outer_names
                .extend(self.get(root).and_then(|referenced| referenced.kind.name()).map(|n| n.full().to_owned()));
        }
        let referenced = self.types.len();
        let root = self.text(text)?;
        let model = AvroModel { types: std::mem::take(&mut self.types), root, referenced };
        Ok(Parsed { model, outer_names, fault: self.fault.take() })
    }

    /// Reads one text to its end.
    fn text(&mut self, text: &str) -> Result<TypeId, InvalidSchema> {
        let first = self.types.len();
        self.elements = 0;
        self.named.clear();
        self.pending.clear();
        let (json, rest) = json::read(text)?;
        let root = self.schema(&json, None)?;
        let root = self.resolve(first, root)?;
        match rest.trim_matches(|c: char| c <= ' ') {
            "" => Ok(root),
            rest => Err(InvalidSchema::Syntax(format!("dangling content after end of schema: {rest}"))),
        }
    }

    fn add(&mut self, kind: Kind, json: &Json) -> Result<TypeId, InvalidSchema> {
        self.count(1)?;
        let props = definition::props(json, definition::reserved(&kind));
        let logical = logical::read(&kind, &props);
        let id = u32::try_from(self.types.len()).ok().filter(|id| *id < PENDING).ok_or_else(too_many)?;
        self.types.push(Type { kind, logical, props });
        Ok(TypeId(id))
    }

    fn count(&mut self, elements: usize) -> Result<(), InvalidSchema> {
        self.elements += elements;
        if self.elements > MAX_ELEMENTS {
            return Err(too_many());
        }
        Ok(())
    }

    /// The type of an id, unless it is a name without definition yet.
    fn get(&self, id: TypeId) -> Option<&Type> {
        self.types.get(id.0 as usize)
    }

    /// The name that a pending id stands for.
    fn pending_name(&self, id: TypeId) -> Option<&str> {
        id.0.checked_sub(PENDING).and_then(|at| self.pending.get(at as usize)).map(String::as_str)
    }

    /// Keeps the first reason why the schema cannot be new.
    fn note(&mut self, fault: impl FnOnce() -> InvalidSchema) {
        if self.fault.is_none() {
            self.fault = Some(fault());
        }
    }

    /// The type as text, for messages.
    fn show(&self, id: TypeId) -> String {
        print::in_progress(&self.types, id, &self.pending).unwrap_or_else(|_| "…".to_owned())
    }

    fn same(&self, a: TypeId, b: TypeId) -> bool {
        equal::equal_in(&self.types, a, b)
    }
}

pub(super) fn too_many() -> InvalidSchema {
    InvalidSchema::TooComplex(format!("The schema has more than {MAX_ELEMENTS} types, fields and symbols"))
}

fn wrong(text: String) -> InvalidSchema {
    InvalidSchema::Semantics(text)
}
