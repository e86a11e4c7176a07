//! Types and fields from JSON: which attributes they need, which they may have, in the order the reference looks.
//!
//! Source: Avro 1.12 `Schema#parse{Record,Field,Enum,Array,Map,Fixed,Union,Aliases}`.

use std::collections::{HashMap, HashSet};

use super::super::json::Json;
use super::super::model::{Enum, Field, Fixed, Kind, Name, Order, Record, TypeId};
use super::{PENDING, Parser, wrong};
use crate::InvalidSchema;

/// Attributes that no type takes for its own.
const RESERVED: &[&str] =
    &["doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "type", "aliases"];
const ENUM_RESERVED: &[&str] =
    &["default", "doc", "fields", "items", "name", "namespace", "size", "symbols", "values", "type", "aliases"];
const FIELD_RESERVED: &[&str] = &["default", "doc", "name", "order", "type", "aliases"];

pub(super) fn reserved(kind: &Kind) -> &'static [&'static str] {
    match kind {
        Kind::Enum(_) => ENUM_RESERVED,
        _ => RESERVED,
    }
}

/// The attributes that are not reserved, in order.
pub(super) fn props(json: &Json, reserved: &[&str]) -> Vec<(String, Json)> {
    match json {
        Json::Object(entries) => {
            entries.iter().filter(|(name, _)| !reserved.contains(&name.as_str())).cloned().collect()
        }
        _ => Vec::new(),
    }
}

impl Parser {
    /// Reads one type; names in it stand in `namespace` unless they say otherwise.
    pub(super) fn schema(&mut self, json: &Json, namespace: Option<&str>) -> Result<TypeId, InvalidSchema> {
        match json {
            Json::Text(name) => self.find(name, namespace),
            Json::List(branches) => self.union(json, branches, namespace),
            Json::Object(_) => {
                let word = required_text(json, "type", "No type")?;
                match word {
                    "record" | "error" => self.record(json, word == "error", namespace),
                    "enum" => self.symbols(json, namespace),
                    "fixed" => self.fixed(json, namespace),
                    "array" => {
                        let items = json.get("items").ok_or_else(|| missing("Array has no items type", json))?;
                        let items = self.schema(items, namespace)?;
                        self.add(Kind::Array(items), json)
                    }
                    "map" => {
                        let values = json.get("values").ok_or_else(|| missing("Map has no values type", json))?;
                        let values = self.schema(values, namespace)?;
                        self.add(Kind::Map(values), json)
                    }
                    _ => match Kind::primitive(word) {
                        Some(kind) => self.add(kind, json),
                        None => self.find(word, namespace),
                    },
                }
            }
            _ => Err(missing("Schema not yet supported", json)),
        }
    }

    /// The type of a name, or a stand-in for it until the text ends.
    fn find(&mut self, name: &str, namespace: Option<&str>) -> Result<TypeId, InvalidSchema> {
        if let Some(kind) = Kind::primitive(name) {
            return self.add(kind, &Json::Null);
        }
        let full = match namespace {
            Some(namespace) if !name.contains('.') => format!("{namespace}.{name}"),
            _ => name.to_owned(),
        };
        if let Some(known) = self.known.get(&full).or_else(|| self.known.get(name)) {
            return Ok(*known);
        }
        self.count(1)?;
        self.pending.push(full);
        Ok(TypeId(PENDING + self.pending.len() as u32 - 1))
    }

    fn union(&mut self, json: &Json, branches: &[Json], namespace: Option<&str>) -> Result<TypeId, InvalidSchema> {
        let branches: Vec<TypeId> =
            branches.iter().map(|branch| self.schema(branch, namespace)).collect::<Result<_, _>>()?;
        self.check_branches(&branches)?;
        self.add(Kind::Union(branches), json)
    }

    /// Refuses unions in unions and branches of one name. Names without definition are looked at again later.
    pub(super) fn check_branches(&self, branches: &[TypeId]) -> Result<(), InvalidSchema> {
        let mut names = HashSet::with_capacity(branches.len());
        for branch in branches.iter().filter_map(|branch| self.get(*branch)) {
            let name = match &branch.kind {
                Kind::Union(_) => {
                    let shown: Vec<String> = branches.iter().map(|branch| self.show(*branch)).collect();
                    return Err(wrong(format!("Nested union: [{}]", shown.join(","))));
                }
                kind => kind.name().map_or(kind.word(), Name::full),
            };
            if !names.insert(name) {
                return Err(wrong(format!("Duplicate in union:{name}")));
            }
        }
        Ok(())
    }

    fn record(&mut self, json: &Json, is_error: bool, namespace: Option<&str>) -> Result<TypeId, InvalidSchema> {
        let name = self.own_name(json, namespace)?;
        self.check_not_primitive(&name)?;
        let doc = optional_text(json, "doc");
        let Some(Json::List(list)) = json.get("fields") else { return Err(missing("Record has no fields", json)) };
        let mut fields: Vec<Field> = Vec::with_capacity(list.len().min(1024));
        for field in list {
            let field = self.field(field, name.namespace())?;
            fields.push(field);
        }
        self.check_distinct(&name, &fields)?;
        let aliases = self.type_aliases(json, &name)?;
        let record = Record { name, aliases, doc, is_error, fields };
        let id = self.add(Kind::Record(record), json)?;
        self.put(id)
    }

    fn field(&mut self, json: &Json, namespace: Option<&str>) -> Result<Field, InvalidSchema> {
        self.count(1)?;
        let name = required_text(json, "name", "No field name")?;
        let doc = optional_text(json, "doc");
        let written = json.get("type").ok_or_else(|| missing("No field type", json))?;
        let schema = self.schema(written, namespace)?;
        let order = match json.get("order") {
            None => Order::Ascending,
            Some(order) => order_of(order)?,
        };
        let default = match json.get("default") {
            Some(Json::Text(text))
                if self.get(schema).is_some_and(|t| matches!(t.kind, Kind::Float | Kind::Double)) =>
            {
                Some(Json::Double(double(text)?))
            }
            other => other.cloned(),
        };
        self.check_name(name, |fault| fault)?;
        self.check_default(name, schema, default.as_ref());
        let aliases = text_aliases(json)?;
        let props = props(json, FIELD_RESERVED);
        Ok(Field { name: name.to_owned(), schema, doc, default, order, aliases, props })
    }

    fn check_distinct(&self, record: &Name, fields: &[Field]) -> Result<(), InvalidSchema> {
        let mut seen: HashMap<&str, usize> = HashMap::with_capacity(fields.len());
        for (at, field) in fields.iter().enumerate() {
            if let Some(before) = seen.insert(&field.name, at) {
                let show = |at: usize| {
                    let word = self.get(fields[at].schema).map_or("record", |of| of.kind.word()).to_uppercase();
                    format!("{} type:{word} pos:{at}", fields[at].name)
                };
                return Err(wrong(format!(
                    "Duplicate field {} in record {}: {} and {}.",
                    field.name,
                    record.full(),
                    show(at),
                    show(before)
                )));
            }
        }
        Ok(())
    }

    fn symbols(&mut self, json: &Json, namespace: Option<&str>) -> Result<TypeId, InvalidSchema> {
        let name = self.own_name(json, namespace)?;
        let doc = optional_text(json, "doc");
        let Some(Json::List(list)) = json.get("symbols") else { return Err(missing("Enum has no symbols", json)) };
        self.check_not_primitive(&name)?;
        self.count(list.len())?;
        let mut symbols: Vec<String> = Vec::with_capacity(list.len());
        let mut seen = HashSet::with_capacity(list.len());
        for symbol in list {
            let symbol = symbol.as_text().ok_or_else(|| wrong("Null name".to_owned()))?;
            self.check_name(symbol, |fault| fault)?;
            if !seen.insert(symbol) {
                return Err(wrong(format!("Duplicate enum symbol: {symbol}")));
            }
            symbols.push(symbol.to_owned());
        }
        let default = optional_text(json, "default");
        if let Some(default) = &default
            && !seen.contains(default.as_str())
        {
            let set = symbols.join(", ");
            return Err(wrong(format!("The Enum Default: {default} is not in the enum symbol set: [{set}]")));
        }
        let aliases = self.type_aliases(json, &name)?;
        let id = self.add(Kind::Enum(Enum { name, aliases, doc, symbols, default }), json)?;
        self.put(id)
    }

    fn fixed(&mut self, json: &Json, namespace: Option<&str>) -> Result<TypeId, InvalidSchema> {
        let name = self.own_name(json, namespace)?;
        let doc = optional_text(json, "doc");
        let size = match json.get("size") {
            Some(Json::Integer(size)) => i32::try_from(*size).ok(),
            _ => None,
        };
        let size = size.ok_or_else(|| missing("Invalid or no size", json))?;
        self.check_not_primitive(&name)?;
        let size = u32::try_from(size).map_err(|_| wrong(format!("Malformed data. Length is negative: {size}")))?;
        let aliases = self.type_aliases(json, &name)?;
        let id = self.add(Kind::Fixed(Fixed { name, aliases, doc, size }), json)?;
        self.put(id)
    }

    fn own_name(&mut self, json: &Json, namespace: Option<&str>) -> Result<Name, InvalidSchema> {
        let namespace = json.get("namespace").and_then(Json::as_text).or(namespace);
        let name = required_text(json, "name", "No name in schema")?;
        self.full_name(name, namespace)
    }

    fn type_aliases(&mut self, json: &Json, name: &Name) -> Result<Vec<Name>, InvalidSchema> {
        let mut aliases = Vec::new();
        let mut seen = HashSet::new();
        for alias in text_aliases(json)? {
            let alias = self.full_name(&alias, name.namespace())?;
            if seen.insert(alias.clone()) {
                aliases.push(alias);
            }
        }
        Ok(aliases)
    }

    /// Makes a named type known. A second definition must equal the first, which stays the one that names mean.
    fn put(&mut self, id: TypeId) -> Result<TypeId, InvalidSchema> {
        let Some(name) = self.get(id).and_then(|named| named.kind.name()).cloned() else { return Ok(id) };
        self.check_namespace(&name)?;
        match self.known.get(name.full()) {
            Some(known) if !self.same(*known, id) => Err(wrong(format!("Can't redefine: {}", name.full()))),
            Some(_) => Ok(id),
            None => {
                self.known.insert(name.full().to_owned(), id);
                self.named.push(id);
                Ok(id)
            }
        }
    }
}

fn missing(what: &str, json: &Json) -> InvalidSchema {
    wrong(format!("{what}: {json}"))
}

fn optional_text(json: &Json, key: &str) -> Option<String> {
    json.get(key).and_then(Json::as_text).map(str::to_owned)
}

fn required_text<'a>(json: &'a Json, key: &str, what: &str) -> Result<&'a str, InvalidSchema> {
    json.get(key).and_then(Json::as_text).ok_or_else(|| missing(what, json))
}

fn text_aliases(json: &Json) -> Result<Vec<String>, InvalidSchema> {
    let list = match json.get("aliases") {
        None => return Ok(Vec::new()),
        Some(Json::List(list)) => list,
        Some(_) => return Err(missing("aliases not an array", json)),
    };
    let mut aliases = Vec::new();
    let mut seen = HashSet::new();
    for alias in list {
        let alias = alias.as_text().ok_or_else(|| missing("alias not a string", alias))?;
        if seen.insert(alias) {
            aliases.push(alias.to_owned());
        }
    }
    Ok(aliases)
}

fn order_of(json: &Json) -> Result<Order, InvalidSchema> {
    let word = json.as_text().ok_or_else(|| wrong(format!("The order of a field is not a string: {json}")))?;
    match word.to_uppercase().as_str() {
        "ASCENDING" => Ok(Order::Ascending),
        "DESCENDING" => Ok(Order::Descending),
        "IGNORE" => Ok(Order::Ignore),
        word => Err(wrong(format!("No enum constant org.apache.avro.Schema.Field.Order.{word}"))),
    }
}

/// The number that the text of a default means: decimal, `NaN`, `Infinity`.
fn double(text: &str) -> Result<f64, InvalidSchema> {
    let word = text.trim_matches(|c: char| c <= ' ');
    let (sign, unsigned) = match word.as_bytes().first() {
        Some(b'-') => (-1.0, &word[1..]),
        Some(b'+') => (1.0, &word[1..]),
        _ => (1.0, word),
    };
    let parsed = match unsigned {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        _ => {
            let digits = unsigned.strip_suffix(['d', 'D', 'f', 'F']).unwrap_or(unsigned);
            let is_plain = digits.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
            let starts = digits.starts_with(|c: char| c.is_ascii_digit() || c == '.');
            if is_plain && starts { digits.parse().ok() } else { None }
        }
    };
    match parsed {
        Some(value) => Ok(sign * value),
        None if word.is_empty() => Err(wrong("empty String".to_owned())),
        None => Err(wrong(format!("For input string: \"{text}\""))),
    }
}
