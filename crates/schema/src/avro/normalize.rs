//! The normal form: what does not matter in a schema brought into one order.
//!
//! A text of its own notation, full names and all, that is read again: the stored normal form is the print of that.
//! Attributes, aliases and the keys of defaults are sorted, those of a valid logical type come first; empty
//! documentation of types goes, errors become records; defaults take the type of their field, and what has no value
//! there is dropped (an integer beyond a long, a default of another branch than the first).
//!
//! Source: schema-registry `AvroSchemaUtils#toNormalizedString`, 8.5; Avro 1.12 `JacksonUtils#toObject`.

use std::collections::HashSet;

use super::json::{self, Json};
use super::model::{AvroModel, Field, Kind, Logical, Name, Type, TypeId};
use super::out::Out;
use super::print;
use crate::InvalidSchema;

/// The normal form before it is read again. Types named in `outer` are not written out.
pub(super) fn normal_text(model: &AvroModel, outer: &[String]) -> Result<String, InvalidSchema> {
    let mut writer = Writer { model, named: outer.iter().map(String::as_str).collect(), out: Out::default() };
    writer.schema(model.root(), 0)?;
    Ok(writer.out.finish())
}

struct Writer<'a> {
    model: &'a AvroModel,
    named: HashSet<&'a str>,
    out: Out,
}

impl<'a> Writer<'a> {
    fn schema(&mut self, id: TypeId, depth: usize) -> Result<(), InvalidSchema> {
        if depth > json::MAX_DEPTH {
            return Err(json::too_deep());
        }
        let of = &self.model[id];
        match &of.kind {
            Kind::Union(branches) => {
                self.out.raw("[");
                for (at, branch) in branches.iter().enumerate() {
                    self.out.comma(at);
                    self.schema(*branch, depth + 1)?;
                }
                self.out.raw("]");
                return Ok(());
            }
            Kind::Record(_) | Kind::Enum(_) | Kind::Fixed(_) => return self.named_type(of, depth),
            primitive if of.props.is_empty() && Kind::primitive(primitive.word()).is_some() => {
                self.out.text(primitive.word());
                return Ok(());
            }
            _ => {}
        }
        self.out.raw("{\"type\":");
        self.out.text(of.kind.word());
        if let Kind::Array(inner) | Kind::Map(inner) = &of.kind {
            self.out.key(if matches!(of.kind, Kind::Array(_)) { "items" } else { "values" });
            self.schema(*inner, depth + 1)?;
        }
        self.props(&of.props, of.logical)?;
        self.out.raw("}");
        Ok(())
    }

    fn named_type(&mut self, of: &'a Type, depth: usize) -> Result<(), InvalidSchema> {
        let Some(name) = of.kind.name() else { return Ok(()) };
        if !self.named.insert(name.full()) {
            self.out.text(name.full());
            return Ok(());
        }
        self.out.raw("{\"name\":");
        self.out.text(name.full());
        self.entry("type", &Json::Text(of.kind.word().to_owned()));
        match &of.kind {
            Kind::Record(record) => {
                self.out.raw(",\"fields\":[");
                for (at, field) in record.fields.iter().enumerate() {
                    self.out.comma(at);
                    self.field(field, depth)?;
                }
                self.out.raw("]");
            }
            Kind::Enum(symbols) => self.entry("symbols", &texts(symbols.symbols.iter())),
            Kind::Fixed(fixed) => self.entry("size", &Json::Integer(i64::from(fixed.size))),
            _ => {}
        }
        if let Some(doc) = of.kind.doc().filter(|doc| !doc.is_empty()) {
            self.entry("doc", &Json::Text(doc.to_owned()));
        }
        let aliases = of.kind.aliases().iter().map(|alias| alias_from(alias, name)).collect();
        self.aliases(aliases);
        if let Kind::Enum(symbols) = &of.kind
            && let Some(default) = &symbols.default
        {
            self.entry("default", &Json::Text(default.clone()));
        }
        self.props(&of.props, of.logical)?;
        self.out.raw("}");
        Ok(())
    }

    fn field(&mut self, field: &Field, depth: usize) -> Result<(), InvalidSchema> {
        self.out.raw("{\"name\":");
        self.out.text(&field.name);
        self.out.key("type");
        self.schema(field.schema, depth + 3)?;
        self.entry("order", &Json::Text(field.order.word().to_owned()));
        if let Some(doc) = &field.doc {
            self.entry("doc", &Json::Text(doc.clone()));
        }
        self.aliases(field.aliases.clone());
        if matches!(&self.model[field.schema].kind, Kind::Union(branches) if branches.is_empty()) {
            return Err(no_branch());
        }
        // Infinities and NaN are written as texts, which only a field of a float or double reads back as numbers.
        let is_number = matches!(self.model[field.schema].kind, Kind::Float | Kind::Double);
        if let Some(default) = &field.default
            && let Some(value) = typed(self.model, default, Some(field.schema))?
            && (is_number || is_finite(&value))
        {
            self.entry("default", &sorted(value));
        }
        self.props(&field.props, None)?;
        self.out.raw("}");
        Ok(())
    }

    fn aliases(&mut self, mut aliases: Vec<String>) {
        if !aliases.is_empty() {
            aliases.sort_by(|a, b| java_order(a, b));
            self.entry("aliases", &texts(aliases.iter()));
        }
    }

    /// Those of a logical type first, the rest sorted.
    fn props(&mut self, props: &[(String, Json)], logical: Option<Logical>) -> Result<(), InvalidSchema> {
        let first: &[&str] = match logical {
            None => &[],
            Some(Logical::Decimal { scale: 0, .. }) => &["logicalType", "precision"],
            Some(Logical::Decimal { .. }) => &["logicalType", "precision", "scale"],
            Some(_) => &["logicalType"],
        };
        let place = |name: &str| first.iter().position(|known| *known == name).unwrap_or(first.len());
        let mut props: Vec<&(String, Json)> = props.iter().collect();
        props.sort_by(|(a, _), (b, _)| place(a).cmp(&place(b)).then_with(|| java_order(a, b)));
        for (name, value) in props {
            let value = typed(self.model, value, None)?.ok_or_else(no_value)?;
            self.entry(name, &sorted(value));
        }
        Ok(())
    }

    fn entry(&mut self, key: &str, value: &Json) {
        self.out.key(key);
        self.out.value(value);
    }
}

/// The value as a value of the type; `None` if it has none there. Without a type integers stay integers.
pub(super) fn typed(model: &AvroModel, value: &Json, of: Option<TypeId>) -> Result<Option<Json>, InvalidSchema> {
    let kind = match of.map(|of| &model[of].kind) {
        Some(Kind::Union(branches)) => {
            let first = branches.first().ok_or_else(no_branch)?;
            return typed(model, value, Some(*first));
        }
        kind => kind,
    };
    Ok(match (value, kind) {
        (Json::Null | Json::Bool(_), _) => Some(value.clone()),
        // Of an int field, too, when it is beyond an int.
        (Json::Integer(_), None | Some(Kind::Int | Kind::Long)) => Some(value.clone()),
        (Json::Integer(value), Some(Kind::Double)) => Some(Json::Double(*value as f64)),
        (Json::Integer(value), Some(Kind::Float)) => Some(as_float(*value as f64)),
        (Json::Double(_), None | Some(Kind::Double)) => Some(value.clone()),
        (Json::Double(value), Some(Kind::Float)) => Some(as_float(*value)),
        (Json::Text(_), None | Some(Kind::String | Kind::Enum(_))) => Some(value.clone()),
        (Json::Text(text), Some(Kind::Bytes | Kind::Fixed(_))) => Some(Json::Text(latin1(text))),
        (Json::List(items), kind) => {
            let inner = match kind {
                None => None,
                Some(Kind::Array(inner)) => Some(*inner),
                Some(_) if items.is_empty() => None,
                Some(_) => return Err(no_array(model, of)),
            };
            let typed = items.iter().map(|item| typed(model, item, inner)?.ok_or_else(no_value));
            Some(Json::List(typed.collect::<Result<_, _>>()?))
        }
        (Json::Object(entries), kind) => {
            let mut kept = Vec::with_capacity(entries.len());
            for (name, value) in entries {
                let inner = match kind {
                    Some(Kind::Map(inner)) => Some(*inner),
                    Some(Kind::Record(record)) => {
                        let field = record.fields.iter().find(|field| field.name == *name);
                        Some(field.ok_or_else(|| wrong(&format!("a default has no field {name}")))?.schema)
                    }
                    _ => None,
                };
                kept.push((name.clone(), typed(model, value, inner)?.ok_or_else(no_value)?));
            }
            Some(Json::Object(kept))
        }
        _ => None,
    })
}

/// The double that the shortest decimal of the float is read as.
fn as_float(value: f64) -> Json {
    let float = value as f32;
    Json::Double(if float.is_finite() { float.to_string().parse().unwrap_or(value) } else { f64::from(float) })
}

/// What is left after a round through ISO 8859-1.
fn latin1(text: &str) -> String {
    text.chars().map(|c| if u32::from(c) < 0x100 { c } else { '?' }).collect()
}

fn is_finite(value: &Json) -> bool {
    match value {
        Json::Double(value) => value.is_finite(),
        Json::List(items) => items.iter().all(is_finite),
        Json::Object(entries) => entries.iter().all(|(_, value)| is_finite(value)),
        _ => true,
    }
}

fn sorted(value: Json) -> Json {
    match value {
        Json::List(items) => Json::List(items.into_iter().map(sorted).collect()),
        Json::Object(mut entries) => {
            entries.sort_by(|(a, _), (b, _)| java_order(a, b));
            Json::Object(entries.into_iter().map(|(name, value)| (name, sorted(value))).collect())
        }
        other => other,
    }
}

/// By UTF-16 units.
fn java_order(a: &str, b: &str) -> std::cmp::Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

/// An alias as it is read back: a leading dot where it has no namespace but its type has.
fn alias_from(alias: &Name, of: &Name) -> String {
    match (alias.namespace(), of.namespace()) {
        (None, Some(_)) => format!(".{}", alias.full()),
        _ => alias.full().to_owned(),
    }
}

fn texts<'a>(texts: impl Iterator<Item = &'a String>) -> Json {
    Json::List(texts.cloned().map(Json::Text).collect())
}

/// The reference asks a field's union for its first branch even when the field has no default.
fn no_branch() -> InvalidSchema {
    InvalidSchema::Semantics("Index 0 out of bounds for length 0".to_owned())
}

/// A list stands where the type, by its text, takes none.
fn no_array(model: &AvroModel, of: Option<TypeId>) -> InvalidSchema {
    let shown = of.and_then(|of| print::in_progress(&model.types, of, &[]).ok());
    InvalidSchema::Semantics(format!("Not an array: {}", shown.unwrap_or_default()))
}

fn no_value() -> InvalidSchema {
    wrong("a value in a default or attribute is beyond its type")
}

fn wrong(what: &str) -> InvalidSchema {
    InvalidSchema::Semantics(format!("The schema has no normal form: {what}"))
}
