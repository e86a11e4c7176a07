//! What a schema text calls itself and which others it refers to, before any of those is at hand.
//!
//! Pure. For tools that work on files: which file belongs to which import, and in which order to register. Reads
//! names only; whether the text is a schema is said by [`crate::Schema::parse`], once its references are known.
//!
//! To add a format: a function here, an arm in [`Outline::of`].

use std::collections::HashSet;

use serde_json::Value;

use crate::protobuf::ProtobufSchema;
use crate::{InvalidSchema, SchemaType};

/// What a text says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outline {
    /// Full name of its record: the first message, the Avro name, the JSON Schema title.
    pub record: Option<String>,
    /// The URI it gives itself (`$id`, `id`): JSON Schema only.
    pub uri: Option<String>,
    /// What it refers to and does not hold itself, as [`crate::Reference::name`] spells it, each once, in order:
    /// import paths, full names, URIs. Imports that need no registration are left out.
    pub refers_to: Vec<String>,
}

impl Outline {
    /// The outline of `text`; [`InvalidSchema::Syntax`] and [`InvalidSchema::TooComplex`] if it cannot be read at all.
    pub fn of(schema_type: SchemaType, text: &str) -> Result<Outline, InvalidSchema> {
        match schema_type {
            SchemaType::Protobuf => protobuf(text),
            SchemaType::Avro => avro(&json(text)?),
            SchemaType::Json => Ok(json_schema(&json(text)?)),
        }
    }
}

/// serde_json refuses more than 128 levels, so that the walks below end.
fn json(text: &str) -> Result<Value, InvalidSchema> {
    serde_json::from_str(text).map_err(|error| InvalidSchema::Syntax(error.to_string()))
}

fn protobuf(text: &str) -> Result<Outline, InvalidSchema> {
    let schema = ProtobufSchema::parse(text, [].into(), [].into())?;
    let file = schema.file();
    let imports = file.imports.iter().chain(&file.public_imports);
    let foreign = imports.filter(|path| !crate::protobuf::is_builtin(path));
    Ok(Outline {
        record: schema.record_name().map(str::to_owned),
        uri: None,
        refers_to: distinct(foreign.cloned().collect()),
    })
}

const AVRO_PRIMITIVES: &[&str] = &["null", "boolean", "int", "long", "float", "double", "bytes", "string"];

fn avro(schema: &Value) -> Result<Outline, InvalidSchema> {
    let mut names = AvroNames::default();
    names.read(schema, "");
    let record = match schema {
        Value::Object(_) => full_name(schema, "").map(|(name, _)| name),
        _ => None,
    };
    let AvroNames { defined, used } = names;
    Ok(Outline {
        record,
        uri: None,
        refers_to: distinct(used.into_iter().filter(|name| !defined.contains(name)).collect()),
    })
}

#[derive(Default)]
struct AvroNames {
    defined: HashSet<String>,
    used: Vec<String>,
}

impl AvroNames {
    fn read(&mut self, schema: &Value, namespace: &str) {
        match schema {
            Value::String(name) if !AVRO_PRIMITIVES.contains(&name.as_str()) => {
                self.used.push(qualified(name, namespace));
            }
            Value::Array(branches) => branches.iter().for_each(|branch| self.read(branch, namespace)),
            Value::Object(object) => match object.get("type") {
                Some(Value::String(kind)) => match kind.as_str() {
                    "record" | "error" => {
                        let named = full_name(schema, namespace);
                        let inner = named.map_or_else(String::new, |(name, inner)| {
                            self.defined.insert(name);
                            inner
                        });
                        let fields = object.get("fields").and_then(Value::as_array);
                        for field_type in fields.into_iter().flatten().filter_map(|field| field.get("type")) {
                            self.read(field_type, &inner);
                        }
                    }
                    "enum" | "fixed" => self.defined.extend(full_name(schema, namespace).map(|(name, _)| name)),
                    "array" => object.get("items").into_iter().for_each(|items| self.read(items, namespace)),
                    "map" => object.get("values").into_iter().for_each(|values| self.read(values, namespace)),
                    name if AVRO_PRIMITIVES.contains(&name) => {}
                    name => self.used.push(qualified(name, namespace)),
                },
                Some(inner) => self.read(inner, namespace),
                None => {}
            },
            _ => {}
        }
    }
}

/// Full name of a named type, and the namespace that holds inside it.
fn full_name(schema: &Value, namespace: &str) -> Option<(String, String)> {
    let name = schema.get("name")?.as_str()?;
    let own = schema.get("namespace").and_then(Value::as_str).unwrap_or(namespace);
    let full = qualified(name, own);
    let inner = full.rsplit_once('.').map_or("", |(namespace, _)| namespace).to_owned();
    Some((full, inner))
}

fn qualified(name: &str, namespace: &str) -> String {
    if name.contains('.') || namespace.is_empty() { name.to_owned() } else { format!("{namespace}.{name}") }
}

/// Where a JSON Schema holds data, not schemas.
const JSON_DATA: &[&str] = &["const", "enum", "default", "examples"];

fn json_schema(schema: &Value) -> Outline {
    let text_of = |key: &str| schema.get(key).and_then(Value::as_str).map(str::to_owned);
    let mut names = JsonNames::default();
    names.read(schema);
    let own = |name: &String| name.is_empty() || names.ids.contains(name) || name.contains("://json-schema.org/");
    Outline {
        record: text_of("title"),
        uri: text_of("$id").or_else(|| text_of("id")),
        refers_to: distinct(names.used.iter().filter(|name| !own(name)).cloned().collect()),
    }
}

#[derive(Default)]
struct JsonNames {
    ids: HashSet<String>,
    used: Vec<String>,
}

impl JsonNames {
    fn read(&mut self, schema: &Value) {
        match schema {
            Value::Object(object) => {
                for (key, value) in object {
                    match (key.as_str(), value) {
                        ("$ref", Value::String(target)) => self.used.push(without_fragment(target).to_owned()),
                        ("$id" | "id", Value::String(id)) => {
                            self.ids.insert(without_fragment(id).to_owned());
                        }
                        (key, _) if JSON_DATA.contains(&key) => {}
                        _ => self.read(value),
                    }
                }
            }
            Value::Array(items) => items.iter().for_each(|item| self.read(item)),
            _ => {}
        }
    }
}

fn without_fragment(uri: &str) -> &str {
    uri.split_once('#').map_or(uri, |(base, _)| base)
}

fn distinct(names: Vec<String>) -> Vec<String> {
    let mut seen = HashSet::new();
    names.into_iter().filter(|name| seen.insert(name.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refers_to(schema_type: SchemaType, text: &str) -> Vec<String> {
        Outline::of(schema_type, text).unwrap().refers_to
    }

    #[test]
    fn a_proto_file_refers_to_its_imports_but_those_that_need_no_registration() {
        let text = r#"syntax = "proto3"; package shop; import "google/protobuf/any.proto"; import "shop/b.proto";
            import public "a.proto"; message Order { } message Other { }"#;
        let outline = Outline::of(SchemaType::Protobuf, text).unwrap();
        assert_eq!(outline.record.as_deref(), Some("shop.Order"));
        assert_eq!(outline.refers_to, ["shop/b.proto", "a.proto"]);
        assert!(matches!(Outline::of(SchemaType::Protobuf, "nonsense"), Err(InvalidSchema::Syntax(_))));
    }

    #[test]
    fn an_avro_schema_refers_to_the_names_it_does_not_define() {
        let text = r#"{"type": "record", "name": "Order", "namespace": "shop", "fields": [
            {"name": "a", "type": "Money"}, {"name": "b", "type": ["null", "other.Money"]},
            {"name": "c", "type": {"type": "array", "items": {"type": "map", "values": "shop.Money"}}},
            {"name": "d", "type": {"type": "enum", "name": "State", "symbols": []}}, {"name": "e", "type": "State"},
            {"name": "f", "type": {"type": "fixed", "name": "other.Id", "size": 4}}, {"name": "g", "type": "other.Id"},
            {"name": "h", "type": {"type": "record", "name": "deep.In", "fields": [{"name": "i", "type": "Near"}]}},
            {"name": "j", "type": "Order"}, {"name": "k", "type": {"type": "long", "logicalType": "timestamp-millis"}}
        ]}"#;
        let outline = Outline::of(SchemaType::Avro, text).unwrap();
        assert_eq!(outline.record.as_deref(), Some("shop.Order"));
        assert_eq!(outline.refers_to, ["shop.Money", "other.Money", "deep.Near"]);
        assert_eq!(refers_to(SchemaType::Avro, r#""string""#), [""; 0]);
        assert_eq!(refers_to(SchemaType::Avro, r#"["a.B", "a.C"]"#), ["a.B", "a.C"]);
    }

    #[test]
    fn a_json_schema_refers_to_the_documents_of_its_refs() {
        let text = r##"{"$id": "https://shop/order.json", "$schema": "http://json-schema.org/draft-07/schema#",
            "title": "Order", "properties": {"a": {"$ref": "money.json#/definitions/M"}, "b": {"$ref": "#/definitions/x"},
            "c": {"items": [{"$ref": "https://shop/order.json#/y"}, {"$ref": "../c.json"}, {"$ref": "money.json"}]},
            "d": {"$ref": "http://json-schema.org/draft-07/schema#"}, "e": {"const": {"$ref": "no.json"}}}}"##;
        let outline = Outline::of(SchemaType::Json, text).unwrap();
        assert_eq!(
            (outline.record.as_deref(), outline.uri.as_deref()),
            (Some("Order"), Some("https://shop/order.json"))
        );
        assert_eq!(outline.refers_to, ["money.json", "../c.json"]);
    }

    #[test]
    fn texts_nested_without_end_are_refused() {
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert!(matches!(Outline::of(SchemaType::Avro, &deep), Err(InvalidSchema::Syntax(_))));
    }
}
