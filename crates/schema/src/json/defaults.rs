//! Properties that data leaves out and its schema has a `default` for: they are added to data that fits. A required one
//! is missed before that, and a default is not held against its own schema.
//!
//! Drafts up to 7 only, as in the reference, whose validator writes into the data on its way out. Looked into:
//! `properties`, `items`, `additionalProperties` without patterns beside them, `allOf`, and `$ref` inside the document. Not looked into: what
//! holds for some data only (`anyOf`, `oneOf`, `if`, `not`, `dependencies`), and other documents.
//!
//! Pure. The text is copied as it stands; what is added stands behind the last member of its object. A default is not
//! looked into itself. Recursion follows the data, which is JSON that was read before.
//!
//! Source: everit-json-schema `Visitor#visitObjectSchema`, `ObjectSchemaValidatingVisitor#visitPropertySchema`;
//! `useDefaults(true)` of schema-registry `JsonSchema#loadPreviousDraft`.

use std::collections::HashSet;

use serde_json::{Map, Value};

use crate::Mismatch;
use crate::payload::json::Cursor;

/// Schemas that say something about one value, at most; more add nothing.
const MAX_SCHEMAS: usize = 64;

/// Bytes that a text may grow to. A small one may leave out a large default many times.
const MAX_BYTES: usize = 16 * 1024 * 1024;
/// Properties looked at for one text: a tenth of a second.
const MAX_LOOKS: usize = 10_000_000;

/// A document with defaults.
#[derive(Debug)]
pub(super) struct Defaults(Value);

impl Defaults {
    /// Those of a document, if it has any.
    pub(super) fn of(root: &Value) -> Option<Defaults> {
        has_defaults(root).then(|| Defaults(root.clone()))
    }

    /// `json` with what it leaves out; `None` if that is nothing. `json` is well-formed and has no name twice. Refuses
    /// what would take too much time or memory.
    pub(super) fn added(&self, json: &[u8]) -> Result<Option<Vec<u8>>, Mismatch> {
        let (cursor, out) = (Cursor::new(json)?, Vec::with_capacity(json.len() + 64));
        let mut filling = Filling { root: &self.0, json, cursor, out, copied: 0, looks: 0 };
        filling.value(&self.all_of(&self.0))?;
        Ok(filling.finished())
    }

    fn all_of<'s>(&'s self, schema: &'s Value) -> Vec<&'s Map<String, Value>> {
        let mut all = Vec::new();
        gather(&self.0, schema, &mut all);
        all
    }
}

/// Whether a property anywhere has a default.
fn has_defaults(schema: &Value) -> bool {
    let mut open = vec![schema];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                let named = members.get("properties").and_then(Value::as_object);
                if named.is_some_and(|named| named.values().any(|property| property.get("default").is_some())) {
                    return true;
                }
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    false
}

/// Adds `schema`, and what it says must hold as well.
fn gather<'s>(root: &'s Value, schema: &'s Value, all: &mut Vec<&'s Map<String, Value>>) {
    let mut open = vec![schema];
    while let Some(schema) = open.pop() {
        let Some(members) = schema.as_object() else { continue };
        if all.len() == MAX_SCHEMAS || all.iter().any(|known| std::ptr::eq(*known, members)) {
            continue;
        }
        all.push(members);
        let local = members.get("$ref").and_then(Value::as_str).and_then(|name| name.strip_prefix('#'));
        open.extend(local.and_then(|pointer| root.pointer(pointer)));
        open.extend(members.get("allOf").and_then(Value::as_array).into_iter().flatten());
    }
}

/// One walk over a text.
struct Filling<'s, 'j> {
    root: &'s Value,
    json: &'j [u8],
    cursor: Cursor<'j>,
    out: Vec<u8>,
    /// How much of the text is in `out`.
    copied: usize,
    /// Properties looked at.
    looks: usize,
}

impl<'s> Filling<'s, '_> {
    fn finished(mut self) -> Option<Vec<u8>> {
        if self.copied == 0 {
            return None;
        }
        self.out.extend_from_slice(&self.json[self.copied..]);
        Some(self.out)
    }

    /// One value, of which these schemas say something.
    fn value(&mut self, schemas: &[&'s Map<String, Value>]) -> Result<(), Mismatch> {
        match self.cursor.peek() {
            b'{' if !schemas.is_empty() => self.object(schemas),
            b'[' if !schemas.is_empty() => self.array(schemas),
            _ => self.cursor.skip().map(drop),
        }
    }

    fn object(&mut self, schemas: &[&'s Map<String, Value>]) -> Result<(), Mismatch> {
        self.cursor.bump();
        let mut seen = HashSet::new();
        if !self.cursor.take(b'}') {
            loop {
                let name = self.cursor.name()?.text()?.into_owned();
                let inner = self.gathered(schemas.iter().filter_map(|schema| member_schema(schema, &name)));
                self.value(&inner)?;
                seen.insert(name);
                if !self.cursor.more(b'}')? {
                    break;
                }
            }
        }
        let end = self.cursor.at - 1;
        let properties = schemas.iter().filter_map(|schema| schema.get("properties")?.as_object()).flatten();
        for (name, property) in properties {
            self.looks += 1;
            if self.looks > MAX_LOOKS || self.out.len() > MAX_BYTES {
                return Err(Mismatch("#: adding the defaults that it leaves out takes too much".to_owned()));
            }
            let Some(default) = property.get("default") else { continue };
            if seen.contains(name) {
                continue;
            }
            self.out.extend_from_slice(&self.json[self.copied..end]);
            self.copied = end;
            if !seen.is_empty() {
                self.out.push(b',');
            }
            self.out.extend_from_slice(Value::from(name.as_str()).to_string().as_bytes());
            self.out.push(b':');
            self.out.extend_from_slice(default.to_string().as_bytes());
            seen.insert(name.clone());
        }
        Ok(())
    }

    fn array(&mut self, schemas: &[&'s Map<String, Value>]) -> Result<(), Mismatch> {
        self.cursor.bump();
        if self.cursor.take(b']') {
            return Ok(());
        }
        for at in 0.. {
            let inner = self.gathered(schemas.iter().filter_map(|schema| match schema.get("items")? {
                Value::Array(items) => items.get(at).or_else(|| schema.get("additionalItems")),
                items => Some(items),
            }));
            self.value(&inner)?;
            if !self.cursor.more(b']')? {
                break;
            }
        }
        Ok(())
    }

    fn gathered(&self, schemas: impl Iterator<Item = &'s Value>) -> Vec<&'s Map<String, Value>> {
        let mut all = Vec::new();
        schemas.for_each(|schema| gather(self.root, schema, &mut all));
        all
    }
}

/// What an object's schema says of a member.
fn member_schema<'s>(schema: &'s Map<String, Value>, name: &str) -> Option<&'s Value> {
    let named = schema.get("properties").and_then(|named| named.get(name));
    named.or_else(|| {
        let others = schema.get("additionalProperties")?;
        (!schema.contains_key("patternProperties")).then_some(others)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn added(schema: &str, json: &str) -> Option<String> {
        let root: Value = serde_json::from_str(schema).unwrap();
        Defaults::of(&root)?.added(json.as_bytes()).unwrap().map(|json| String::from_utf8(json).unwrap())
    }

    #[test]
    fn what_is_left_out_and_has_a_default_stands_behind_the_last_member() {
        let schema = r#"{"properties":{"a":{"type":"integer","default":7},"b":{"default":null},"c":{}}}"#;
        for (json, expected) in [
            ("{}", Some(r#"{"a":7,"b":null}"#)),
            (r#"{ "c" : 1.10 }"#, Some(r#"{ "c" : 1.10 ,"a":7,"b":null}"#)),
            (r#"{"\u0061":null}"#, Some(r#"{"\u0061":null,"b":null}"#)),
            (r#"{"b":1,"a":2}"#, None),
            ("[{}]", None),
            ("5", None),
        ] {
            assert_eq!(added(schema, json).as_deref(), expected, "{json}");
        }
        assert_eq!(added(r#"{"default":{},"properties":{"a":{}}}"#, "{}"), None, "of properties only");
    }

    #[test]
    fn objects_inside_are_filled_wherever_their_schema_holds_for_certain() {
        let n = r##"{"properties":{"n":{"default":1}}}"##;
        for (schema, json, expected) in [
            (format!(r#"{{"properties":{{"o":{n}}}}}"#), r#"{"o":{},"p":{}}"#, Some(r#"{"o":{"n":1},"p":{}}"#)),
            (format!(r#"{{"items":{n}}}"#), r#"[{}, 5 ,{"n":2}]"#, Some(r#"[{"n":1}, 5 ,{"n":2}]"#)),
            (format!(r#"{{"items":[{{}},{n}]}}"#), "[{},{},{}]", Some(r#"[{},{"n":1},{}]"#)),
            (format!(r#"{{"additionalProperties":{n}}}"#), r#"{"x":{}}"#, Some(r#"{"x":{"n":1}}"#)),
            (format!(r#"{{"allOf":[{n}]}}"#), "{}", Some(r#"{"n":1}"#)),
            (
                format!(r##"{{"properties":{{"x":{{"$ref":"#/definitions/n"}}}},"definitions":{{"n":{n}}}}}"##),
                r#"{"x":{}}"#,
                Some(r#"{"x":{"n":1}}"#),
            ),
            (format!(r#"{{"anyOf":[{n}]}}"#), "{}", None),
            (format!(r#"{{"not":{n}}}"#), "{}", None),
        ] {
            assert_eq!(added(&schema, json).as_deref(), expected, "{schema} {json}");
        }
    }

    #[test]
    fn a_small_text_neither_grows_nor_takes_without_end() {
        let refused = |schema: String, json: String| {
            let root: Value = serde_json::from_str(&schema).unwrap();
            Defaults::of(&root).unwrap().added(json.as_bytes()).unwrap_err().0
        };
        let objects = |count: usize| format!("[{}{{}}]", "{},".repeat(count));
        let large = format!(r#"{{"items":{{"properties":{{"a":{{"default":"{}"}}}}}}}}"#, "x".repeat(100_000));
        assert_eq!(refused(large, objects(1_000)), "#: adding the defaults that it leaves out takes too much");
        let names: Vec<String> = (0..10_000).map(|n| format!(r#""p{n}":{{}}"#)).collect();
        let many = format!(r#"{{"items":{{"properties":{{"a":{{"default":1}},{}}}}}}}"#, names.join(","));
        assert_eq!(refused(many, objects(10_000)), "#: adding the defaults that it leaves out takes too much");
    }

    #[test]
    fn a_schema_that_refers_to_itself_ends_with_the_data() {
        let schema = r##"{"properties":{"n":{"default":0},"next":{"$ref":"#"}},"allOf":[{"$ref":"#"}]}"##;
        assert_eq!(
            added(schema, r#"{"next":{"next":{}}}"#).as_deref(),
            Some(r#"{"next":{"next":{"n":0},"n":0},"n":0}"#)
        );
    }
}
