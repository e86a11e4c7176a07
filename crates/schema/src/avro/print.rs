//! Types → text: what is stored, hashed and shown.
//!
//! A type that has a name is written where it is first met and named from there on; names of `outer` types are only
//! named. No blanks; attributes in a fixed order, a namespace only where it differs from the one around. The text
//! of a type reads back as that type and prints to the same text, unless it is ambiguous.
//!
//! Bounded: definitions met through names can nest deeper than in the text they came from.
//!
//! Source: Avro 1.12 `Schema#toJson` of each kind, `Schema.Name#writeName`, `#getQualified`.

use std::collections::HashSet;

use super::json::{self, Json};
use super::model::{AvroModel, Field, Kind, Name, Order, Type, TypeId};
use super::out::Out;
use super::parse::{MAX_ELEMENTS, PENDING, too_many};
use crate::InvalidSchema;

/// A text that was written.
pub(super) struct Printed {
    pub(super) text: String,
    /// Whether a name without namespace stands inside a namespace: read there, it may mean another type.
    pub(super) is_ambiguous: bool,
}

/// The text of a schema. Types named in `outer` are not written out.
pub(super) fn text(model: &AvroModel, outer: &[String]) -> Result<Printed, InvalidSchema> {
    let named = outer.iter().map(String::as_str).collect();
    let mut printer =
        Printer { types: &model.types, pending: &[], named, out: Out::default(), elements: 0, is_ambiguous: false };
    printer.schema(model.root, None, 0)?;
    Ok(Printed { is_ambiguous: printer.is_ambiguous, text: printer.out.finish() })
}

/// The text of a type in an arena that is still being filled; `pending` names what is not defined yet, from
/// [`PENDING`] on.
pub(super) fn in_progress(types: &[Type], root: TypeId, pending: &[String]) -> Result<String, InvalidSchema> {
    let named = HashSet::new();
    let mut printer = Printer { types, pending, named, out: Out::default(), elements: 0, is_ambiguous: false };
    printer.schema(root, None, 0)?;
    Ok(printer.out.finish())
}

/// The name as it is written inside a namespace: short if it stands in it and is no word for a kind of type.
pub(super) fn qualified<'a>(name: &'a Name, namespace: Option<&str>) -> &'a str {
    let is_inside = name.namespace().is_some() && name.namespace() == namespace;
    if is_inside && !Kind::is_word(name.simple()) { name.simple() } else { name.full() }
}

struct Printer<'a> {
    types: &'a [Type],
    pending: &'a [String],
    /// Full names that need no definition any more.
    named: HashSet<&'a str>,
    out: Out,
    elements: usize,
    is_ambiguous: bool,
}

impl<'a> Printer<'a> {
    /// As the parser counts, or more.
    fn count(&mut self, elements: usize) -> Result<(), InvalidSchema> {
        self.elements += elements;
        if self.elements > MAX_ELEMENTS { Err(too_many()) } else { Ok(()) }
    }

    /// `depth` counts the brackets that are open.
    fn schema(&mut self, id: TypeId, namespace: Option<&str>, depth: usize) -> Result<(), InvalidSchema> {
        // Three more brackets stand between a record and a field's type.
        if depth + 3 > json::MAX_DEPTH {
            return Err(json::too_deep());
        }
        self.count(1)?;
        let Some(of) = self.types.get(id.0 as usize) else {
            let name = id.0.checked_sub(PENDING).and_then(|at| self.pending.get(at as usize));
            self.out.text(name.map_or("", |name| name));
            return Ok(());
        };
        match &of.kind {
            Kind::Union(branches) => {
                self.out.raw("[");
                for (at, branch) in branches.iter().enumerate() {
                    self.out.comma(at);
                    self.schema(*branch, namespace, depth + 1)?;
                }
                self.out.raw("]");
                Ok(())
            }
            Kind::Array(inner) | Kind::Map(inner) => {
                let is_array = matches!(of.kind, Kind::Array(_));
                self.out.raw(if is_array { "{\"type\":\"array\",\"items\":" } else { "{\"type\":\"map\",\"values\":" });
                self.schema(*inner, namespace, depth + 1)?;
                self.props(&of.props, depth + 1)?;
                self.out.raw("}");
                Ok(())
            }
            Kind::Record(_) | Kind::Enum(_) | Kind::Fixed(_) => self.named_type(of, namespace, depth + 1),
            primitive if of.props.is_empty() => {
                self.out.text(primitive.word());
                Ok(())
            }
            primitive => {
                self.out.raw("{\"type\":");
                self.out.text(primitive.word());
                self.props(&of.props, depth + 1)?;
                self.out.raw("}");
                Ok(())
            }
        }
    }

    fn named_type(&mut self, of: &'a Type, namespace: Option<&str>, depth: usize) -> Result<(), InvalidSchema> {
        let Some(name) = of.kind.name() else { return Ok(()) };
        if !self.named.insert(name.full()) {
            self.is_ambiguous |= name.namespace().is_none() && namespace.is_some();
            self.out.text(qualified(name, namespace));
            return Ok(());
        }
        let word = match &of.kind {
            Kind::Record(record) if record.is_error => "error",
            kind => kind.word(),
        };
        self.out.raw("{\"type\":");
        self.out.text(word);
        self.text_entry("name", name.simple());
        match (name.namespace(), namespace) {
            (Some(own), around) if around != Some(own) => self.text_entry("namespace", own),
            (None, Some(_)) => self.text_entry("namespace", ""),
            _ => {}
        }
        if let Some(doc) = of.kind.doc() {
            self.text_entry("doc", doc);
        }
        match &of.kind {
            Kind::Record(record) => {
                self.count(record.fields.len())?;
                self.out.raw(",\"fields\":[");
                for (at, field) in record.fields.iter().enumerate() {
                    self.out.comma(at);
                    self.field(field, name.namespace(), depth + 1)?;
                }
                self.out.raw("]");
            }
            Kind::Enum(symbols) => {
                self.count(symbols.symbols.len())?;
                self.texts("symbols", symbols.symbols.iter().map(String::as_str));
                if let Some(default) = &symbols.default {
                    self.text_entry("default", default);
                }
            }
            Kind::Fixed(fixed) => {
                self.out.raw(",\"size\":");
                self.out.raw(itoa::Buffer::new().format(fixed.size));
            }
            _ => {}
        }
        self.props(&of.props, depth)?;
        self.aliases(of.kind.aliases().iter().map(|alias| qualified(alias, name.namespace())));
        self.out.raw("}");
        Ok(())
    }

    fn field(&mut self, field: &'a Field, namespace: Option<&str>, depth: usize) -> Result<(), InvalidSchema> {
        self.out.raw("{\"name\":");
        self.out.text(&field.name);
        self.out.raw(",\"type\":");
        self.schema(field.schema, namespace, depth + 1)?;
        if let Some(doc) = &field.doc {
            self.text_entry("doc", doc);
        }
        if let Some(default) = &field.default {
            fits_at(default, depth + 1)?;
            self.out.raw(",\"default\":");
            self.out.value(default);
        }
        if field.order != Order::Ascending {
            self.text_entry("order", field.order.word());
        }
        self.aliases(field.aliases.iter().map(String::as_str));
        self.props(&field.props, depth + 1)?;
        self.out.raw("}");
        Ok(())
    }

    fn aliases<'b>(&mut self, aliases: impl ExactSizeIterator<Item = &'b str>) {
        if aliases.len() > 0 {
            self.texts("aliases", aliases);
        }
    }

    fn texts<'b>(&mut self, key: &str, texts: impl Iterator<Item = &'b str>) {
        self.out.key(key);
        self.out.raw("[");
        for (at, text) in texts.enumerate() {
            self.out.comma(at);
            self.out.text(text);
        }
        self.out.raw("]");
    }

    fn text_entry(&mut self, key: &str, value: &str) {
        self.out.key(key);
        self.out.text(value);
    }

    fn props(&mut self, props: &[(String, Json)], depth: usize) -> Result<(), InvalidSchema> {
        for (name, value) in props {
            fits_at(value, depth)?;
            self.out.key(name);
            self.out.value(value);
        }
        Ok(())
    }
}

/// Whether a value may stand inside so many open brackets.
fn fits_at(value: &Json, depth: usize) -> Result<(), InvalidSchema> {
    if depth + value.depth() > json::MAX_DEPTH {
        return Err(json::too_deep());
    }
    Ok(())
}
