//! Tags: the attribute `confluent:tags` of records and fields.
//!
//! Paths are `Record`, `namespace.Record`, and a field's name behind either, with or without a leading dot. What a
//! path means is decided on the schema as it is written: breadth first, each type where it is written out; errors and
//! types of references that are only named are not looked into, nor is a record that has the name but not the field.
//!
//! Source: schema-registry `AvroSchema#modifySchemaTags`, `#inlineTaggedEntities`,
//! `AvroSchemaUtils#findMatchingEntity`, 8.5.

use std::collections::{HashMap, HashSet, VecDeque};

use super::json::Json;
use super::model::{AvroModel, Kind, Record, TypeId};
use crate::schema::Absent;
use crate::{InvalidSchema, TagEdit, TaggedEntity};

const TAGS: &str = "confluent:tags";

/// Adds tags, then removes some.
pub(super) fn edit(
    model: &mut AvroModel,
    outer: &[String],
    edit: &TagEdit,
    absent: Absent,
) -> Result<(), InvalidSchema> {
    let written = Written::of(model, outer);
    for target in edit.by_target(|path| path) {
        let (record, field) = match written.find(model, target.path, target.is_record) {
            Ok(found) => found,
            Err(_) if absent == Absent::Skip => continue,
            Err(refusal) => return Err(refusal),
        };
        let Kind::Record(of) = &mut model.types[record.0 as usize].kind else { continue };
        let props = match field {
            Some(at) => &mut of.fields[at].props,
            None => &mut model.types[record.0 as usize].props,
        };
        let present = tags_of(props);
        let tags = target.applied(present.iter().map(String::as_str));
        set(props, tags.into_iter().map(str::to_owned).collect());
    }
    Ok(())
}

fn set(props: &mut Vec<(String, Json)>, tags: Vec<String>) {
    if tags.is_empty() {
        props.retain(|(name, _)| name != TAGS);
        return;
    }
    let value = Json::List(tags.into_iter().map(Json::Text).collect());
    match props.iter_mut().find(|(name, _)| name == TAGS) {
        Some((_, old)) => *old = value,
        None => props.push((TAGS.to_owned(), value)),
    }
}

fn tags_of(props: &[(String, Json)]) -> Vec<String> {
    let Some((_, Json::List(items))) = props.iter().find(|(name, _)| name == TAGS) else { return Vec::new() };
    let mut tags: Vec<String> = Vec::with_capacity(items.len());
    let mut seen = HashSet::new();
    for item in items {
        let tag = item.as_text().map_or_else(|| item.to_string(), str::to_owned);
        if seen.insert(tag.clone()) {
            tags.push(tag);
        }
    }
    tags
}

/// Every tagged record and field with its full name, depth first; each record once.
pub(super) fn tagged_entities(model: &AvroModel) -> Vec<TaggedEntity> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut ahead = vec![Step::Type(model.root)];
    let mut keep = |path: String, is_record, tags: Vec<String>| {
        if !tags.is_empty() {
            found.push(TaggedEntity { path, is_record, tags });
        }
    };
    while let Some(step) = ahead.pop() {
        match step {
            Step::Type(id) => match &model[id].kind {
                Kind::Array(inner) | Kind::Map(inner) => ahead.push(Step::Type(*inner)),
                Kind::Union(branches) => ahead.extend(branches.iter().rev().map(|branch| Step::Type(*branch))),
                Kind::Record(record) if seen.insert(id) => {
                    keep(record.name.full().to_owned(), true, tags_of(&model[id].props));
                    ahead.extend((0..record.fields.len()).rev().map(|at| Step::Field(id, at)));
                }
                _ => {}
            },
            Step::Field(id, at) => {
                let Kind::Record(record) = &model[id].kind else { continue };
                let field = &record.fields[at];
                keep(format!("{}.{}", record.name.full(), field.name), false, tags_of(&field.props));
                ahead.push(Step::Type(field.schema));
            }
        }
    }
    found
}

enum Step {
    Type(TypeId),
    Field(TypeId, usize),
}

/// The records of a schema as it is written, breadth first.
struct Written {
    /// By unqualified name.
    by_name: HashMap<String, Vec<TypeId>>,
    /// The record around each.
    around: HashMap<TypeId, TypeId>,
}

impl Written {
    fn of(model: &AvroModel, outer: &[String]) -> Written {
        let homes = homes(model, outer);
        let mut written = Written { by_name: HashMap::new(), around: HashMap::new() };
        let mut queue = VecDeque::from([(model.root, None)]);
        while let Some((id, around)) = queue.pop_front() {
            let mut around = around;
            if let Kind::Record(record) = &model[id].kind {
                if record.is_error {
                    continue;
                }
                written.by_name.entry(record.name.simple().to_owned()).or_default().push(id);
                written.around.extend(around.map(|around| (id, around)));
                around = Some(id);
            }
            for at in 0.. {
                let Some(child) = model[id].kind.child(at) else { break };
                if model[child].kind.name().is_none() || homes.contains(&(id, at)) {
                    queue.push_back((child, around));
                }
            }
        }
        written
    }

    /// The record that an entity names, and the place of the field.
    fn find(&self, model: &AvroModel, said: &str, is_record: bool) -> Result<(TypeId, Option<usize>), InvalidSchema> {
        let path = said.strip_prefix('.').unwrap_or(said);
        let mut parts: Vec<&str> = path.split('.').collect();
        while parts.len() > 1 && parts.last() == Some(&"") {
            parts.pop();
        }
        let field = if is_record { None } else { parts.pop() };
        let Some(name) = parts.pop() else { return Err(InvalidSchema::NoSuchEntity("0 > -1".to_owned())) };
        let namespace = parts.join(".");
        let matches = |record: &Record| {
            record.name.simple() == name && (namespace.is_empty() || record.name.namespace() == Some(&*namespace))
        };
        for id in self.by_name.get(name).into_iter().flatten() {
            let Kind::Record(record) = &model[*id].kind else { continue };
            if !matches(record) || self.is_inside(model, *id, &matches) {
                continue;
            }
            match field {
                None => return Ok((*id, None)),
                Some(field) => {
                    if let Some(at) = record.fields.iter().position(|known| known.name == field) {
                        return Ok((*id, Some(at)));
                    }
                }
            }
        }
        Err(InvalidSchema::NoSuchEntity(format!("No matching path '{said}' found in the schema")))
    }

    /// Whether a record around this one matches: then nothing inside is looked at.
    fn is_inside(&self, model: &AvroModel, id: TypeId, matches: &dyn Fn(&Record) -> bool) -> bool {
        let mut at = id;
        while let Some(around) = self.around.get(&at) {
            if matches!(&model[*around].kind, Kind::Record(record) if matches(record)) {
                return true;
            }
            at = *around;
        }
        false
    }
}

/// Where named types are written out: the type around and the place in it, depth first.
fn homes(model: &AvroModel, outer: &[String]) -> HashSet<(TypeId, usize)> {
    let mut homes = HashSet::new();
    let mut named: HashSet<&str> = outer.iter().map(String::as_str).collect();
    named.extend(model[model.root].kind.name().map(|name| name.full()));
    let mut stack = vec![(model.root, 0)];
    while let Some((id, next)) = stack.last_mut() {
        let (id, at) = (*id, *next);
        *next += 1;
        let Some(child) = model[id].kind.child(at) else {
            stack.pop();
            continue;
        };
        match model[child].kind.name() {
            None => stack.push((child, 0)),
            Some(name) if named.insert(name.full()) => {
                homes.insert((id, at));
                stack.push((child, 0));
            }
            Some(_) => {}
        }
    }
    homes
}
