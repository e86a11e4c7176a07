//! Tags of schemas and their properties: `confluent:tags`.
//!
//! A path starts with what the root is (`object`, `array`, `allof`, `anyof`, `oneof`, `conditional`, `not`) and goes
//! down by property names, numbers of parts and the classes in between: `object.address.object.street`. A record is
//! an object that no property holds, a field is a property.
//!
//! Source: schema-registry `JsonSchema#{inlineTaggedEntities,modifySchemaTags}`,
//! `JsonSchemaUtils#findMatchingEntity`, 8.2.0.

use std::collections::HashSet;

use super::load::{self, Refs};
use super::model::{Criterion, Kind, Model, NodeId};
use super::value::Value;
use super::{order, text};
use crate::schema::{Absent, TargetEdit};
use crate::{InvalidSchema, TagEdit, TaggedEntity};

const TAGS: &str = "confluent:tags";

/// Levels of schemas that are searched.
const MAX_DEPTH: usize = 256;

/// Every tagged record and field, in document order; none when the schema cannot be loaded.
pub(super) fn tagged_entities(schema: &Value) -> Vec<TaggedEntity> {
    load::with_stack(std::iter::once(schema), || search(schema)).unwrap_or_default()
}

fn search(schema: &Value) -> Vec<TaggedEntity> {
    let Ok(model) = load::load(schema, &[], Refs::Ignore) else {
        return Vec::new();
    };
    let mut search = Search { model: &model, found: Vec::new(), visited: HashSet::new() };
    search.visit(model.root(), "", false, 0);
    search.found
}

struct Search<'a> {
    model: &'a Model,
    found: Vec<TaggedEntity>,
    visited: HashSet<String>,
}

impl Search<'_> {
    fn visit(&mut self, id: NodeId, scope: &str, is_field: bool, depth: usize) {
        if depth == MAX_DEPTH {
            return;
        }
        let node = self.model.node(id);
        match &node.kind {
            Kind::Combined(combined) => {
                let name = match combined.criterion {
                    Criterion::All => "allof",
                    Criterion::Any => "anyof",
                    Criterion::One => "oneof",
                };
                for (n, part) in order::sorted(self.model, combined).into_iter().enumerate() {
                    self.visit(part, &format!("{scope}{name}.{n}."), false, depth + 1);
                }
            }
            Kind::Array(array) => {
                if let Some(items) = array.all_items {
                    self.visit(items, &format!("{scope}array."), false, depth + 1);
                }
            }
            Kind::Object(object) => {
                let scope = format!("{scope}object");
                if !self.visited.insert(scope.clone()) {
                    return;
                }
                if !is_field {
                    self.add(id, &scope, true);
                }
                for (name, property) in object.properties.iter() {
                    let path = format!("{scope}.{name}");
                    self.add(*property, &path, false);
                    self.visit(*property, &format!("{path}."), true, depth + 1);
                }
                for (name, definition) in &node.definitions {
                    self.visit(*definition, &format!("{scope}.{name}."), false, depth + 1);
                }
            }
            Kind::Conditional(parts) => {
                for (name, part) in [("if", parts.if_schema), ("then", parts.then_schema), ("else", parts.else_schema)]
                {
                    if let Some(part) = part {
                        self.visit(part, &format!("{scope}conditional.{name}."), false, depth + 1);
                    }
                }
            }
            Kind::Not(not) => self.visit(*not, &format!("{scope}not."), false, depth + 1),
            _ => {}
        }
    }

    fn add(&mut self, id: NodeId, path: &str, is_record: bool) {
        let present = self.model.node(id).unprocessed.as_ref().and_then(|left| left.get(TAGS)?.as_array());
        let mut seen = HashSet::new();
        let mut tags: Vec<String> = Vec::new();
        for tag in present.unwrap_or_default() {
            let tag = tag.as_str().map_or_else(|| text::print(tag), str::to_owned);
            if seen.insert(tag.clone()) {
                tags.push(tag);
            }
        }
        if !tags.is_empty() {
            self.found.push(TaggedEntity { path: path.to_owned(), is_record, tags });
        }
    }
}

/// Puts tags on and takes tags off. Nothing is changed on error.
pub(super) fn edit(schema: &mut Value, edit: &TagEdit, absent: Absent) -> Result<(), InvalidSchema> {
    for target in edit.by_target(|path| path) {
        let way = find(schema, (target.path, target.is_record));
        let done = way.and_then(|way| change(at_mut(schema, &way), &target));
        if done.is_none() && absent == Absent::Refuse {
            let what = format!("No matching path '{}' found in the schema", target.path);
            return Err(InvalidSchema::NoSuchEntity(what));
        }
    }
    Ok(())
}

fn change(value: Option<&mut Value>, edit: &TargetEdit<'_>) -> Option<()> {
    let Some(Value::Object(members)) = value else {
        return None;
    };
    let present = members.get(TAGS).and_then(Value::as_array).unwrap_or_default();
    let tags: Vec<Value> = edit
        .applied(present.iter().filter_map(Value::as_str))
        .into_iter()
        .map(|tag| Value::String(tag.into()))
        .collect();
    if tags.is_empty() {
        members.remove(TAGS);
    } else {
        members.put(TAGS, Value::Array(tags));
    }
    Some(())
}

/// A step from a value to one below it.
enum Step {
    Name(Box<str>),
    At(usize),
}

fn at_mut<'a>(root: &'a mut Value, way: &[Step]) -> Option<&'a mut Value> {
    way.iter().try_fold(root, |value, step| match (step, value) {
        (Step::Name(name), Value::Object(members)) => members.get_mut(name),
        (Step::At(at), Value::Array(elements)) => elements.get_mut(*at),
        _ => None,
    })
}

/// The way to the schema that a path names.
fn find(root: &Value, (path, is_record): (&str, bool)) -> Option<Vec<Step>> {
    let mut words: Vec<&str> = path.split('.').collect();
    while words.last() == Some(&"") {
        words.pop();
    }
    let mut words = words.into_iter().peekable();
    let mut way = Vec::new();
    let mut here = root;
    while let Some(class) = words.next() {
        match class {
            "object" => {
                if is_record && words.peek().is_none() {
                    return Some(way);
                }
                let map = match *words.peek()? {
                    map @ ("definitions" | "$defs") => {
                        words.next();
                        map
                    }
                    _ => "properties",
                };
                let members = here.get(map)?;
                way.push(Step::Name(map.into()));
                // Names may hold dots: as many words as it takes.
                let mut name = words.next()?.to_owned();
                while members.get(&name).is_none() {
                    name.push('.');
                    name.push_str(words.next()?);
                }
                here = members.get(&name)?;
                way.push(Step::Name(name.into()));
                if words.peek().is_none() {
                    return Some(way);
                }
            }
            "array" => {
                here = here.get("items")?;
                way.push(Step::Name("items".into()));
            }
            "not" => {
                here = here.get("not")?;
                way.push(Step::Name("not".into()));
            }
            "anyof" | "allof" | "oneof" => {
                let keyword = match class {
                    "anyof" => "anyOf",
                    "allof" => "allOf",
                    _ => "oneOf",
                };
                let number = words.next()?;
                if let Some(parts) = here.get(keyword) {
                    let parts = parts.as_array()?;
                    let at = sorted(parts)?.get(number.parse::<usize>().ok()?).copied()?;
                    here = parts.get(at)?;
                    way.extend([Step::Name(keyword.into()), Step::At(at)]);
                } else if class == "oneof" {
                    return None;
                } else if class == "allof" && words.peek() == Some(&"conditional") {
                    words.next();
                    let part = words.next()?;
                    here = here.get(part)?;
                    way.push(Step::Name(part.into()));
                }
                // Otherwise the combination is made up: a list of types, or keywords of several kinds.
            }
            _ => return None,
        }
    }
    None
}

/// The places of parts in the order that numbers them.
fn sorted(parts: &[Value]) -> Option<Vec<usize>> {
    let models: Vec<Model> = parts.iter().map(|part| load::load_part(part).ok()).collect::<Option<_>>()?;
    let mut places: Vec<usize> = (0..parts.len()).collect();
    places.sort_by(|a, b| order::compare_roots(&models[*a], &models[*b]));
    Some(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entity(path: &str, is_record: bool, tags: &[&str]) -> TaggedEntity {
        TaggedEntity { path: path.to_owned(), is_record, tags: tags.iter().map(|tag| (*tag).to_owned()).collect() }
    }

    #[test]
    fn tags_are_found_with_their_paths() {
        for (schema, expected) in [
            (
                r#"{"type":"object","confluent:tags":["R"],"properties":{"a":{"type":"string","confluent:tags":["PII","A"]}}}"#,
                vec![entity("object", true, &["R"]), entity("object.a", false, &["PII", "A"])],
            ),
            (
                r#"{"properties":{"a":{"type":"object","confluent:tags":["F"],"properties":{"b":{"confluent:tags":["G"]}}}}}"#,
                vec![entity("object.a", false, &["F"]), entity("object.a.object.b", false, &["G"])],
            ),
            (
                r#"{"type":"array","items":{"type":"object","confluent:tags":["R"]}}"#,
                vec![entity("array.object", true, &["R"])],
            ),
            // Numbered by class, not by place.
            (
                r#"{"oneOf":[{"type":"string"},{"type":"object","properties":{"a":{"confluent:tags":["T"]}}}]}"#,
                vec![entity("oneof.0.object.a", false, &["T"])],
            ),
            (
                r#"{"type":["object","null"],"properties":{"a":{"confluent:tags":["T"]}}}"#,
                vec![entity("anyof.1.object.a", false, &["T"])],
            ),
            (
                r##"{"properties":{"a":{"$ref":"nowhere.json","confluent:tags":["T"]}},"definitions":{"d":{"properties":{"b":{"confluent:tags":["U"]}}}}}"##,
                vec![entity("object.a", false, &["T"]), entity("object.definitions.d.object.b", false, &["U"])],
            ),
            (
                r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","$defs":{"d":{"type":"object","confluent:tags":["U"]}}}"#,
                vec![entity("object.$defs.d.object", true, &["U"])],
            ),
            (
                r#"{"if":{"required":["a"],"confluent:tags":["T"]}}"#,
                vec![entity("conditional.if.object", true, &["T"])],
            ),
            ("true", vec![]),
        ] {
            assert_eq!(tagged_entities(&text::parse(schema).unwrap()), expected, "{schema}");
        }
    }

    #[test]
    fn tags_are_put_where_a_path_leads() {
        let plain = r#"{"type":"object","properties":{"a":{"type":"string"},"b.c":{"type":"object","properties":{"d":{}}}},"definitions":{"x":{"type":"object"}}}"#;
        for (schema, path, is_record, edited) in [
            (
                plain,
                "object.a",
                false,
                plain.replace(r#""a":{"type":"string"}"#, r#""a":{"type":"string","confluent:tags":["T"]}"#),
            ),
            (plain, "object.b.c.object.d", false, plain.replace(r#""d":{}"#, r#""d":{"confluent:tags":["T"]}"#)),
            (plain, "object", true, format!(r#"{},"confluent:tags":["T"]}}"#, plain.strip_suffix('}').unwrap())),
            (
                plain,
                "object.definitions.x.object",
                true,
                plain.replace(r#""x":{"type":"object"}"#, r#""x":{"type":"object","confluent:tags":["T"]}"#),
            ),
            (
                r#"{"anyOf":[{"type":"string"},{"type":"object"}]}"#,
                "anyof.0.object",
                true,
                r#"{"anyOf":[{"type":"string"},{"type":"object","confluent:tags":["T"]}]}"#.to_owned(),
            ),
            (
                r#"{"type":["object","null"],"properties":{"a":{}}}"#,
                "anyof.1.object.a",
                false,
                r#"{"type":["object","null"],"properties":{"a":{"confluent:tags":["T"]}}}"#.to_owned(),
            ),
            (
                r#"{"items":{"properties":{"a":{}}}}"#,
                "array.object.a",
                false,
                r#"{"items":{"properties":{"a":{"confluent:tags":["T"]}}}}"#.to_owned(),
            ),
        ] {
            let mut value = text::parse(schema).unwrap();
            let put = TagEdit { add: vec![entity(path, is_record, &["T"])], remove: vec![] };
            edit(&mut value, &put, Absent::Refuse).unwrap();
            assert_eq!(text::print(&value), edited, "{path}");
            let take = TagEdit { add: vec![], remove: vec![entity(path, is_record, &["T", "U"])] };
            edit(&mut value, &take, Absent::Refuse).unwrap();
            assert_eq!(text::print(&value), schema, "{path}");
        }
        let mut value = text::parse(plain).unwrap();
        for (path, is_record) in [("nope", false), ("object.nope", false), ("a", false), ("object", false)] {
            let put = TagEdit { add: vec![entity(path, is_record, &["T"])], remove: vec![] };
            let refused = edit(&mut value, &put, Absent::Refuse);
            assert_eq!(
                refused.unwrap_err().to_string(),
                format!("java.lang.IllegalArgumentException: No matching path '{path}' found in the schema")
            );
        }
    }
}
