//! Tags of messages and fields, as `confluent.message_meta` and `confluent.field_meta` carry them.
//!
//! Paths name messages from the file down, then a field, perhaps behind its oneof; a leading dot is ignored, the
//! package is not part of them. An edit merges all options of its target by name, in the order of the reference's
//! hash table, so that the resulting text is the reference's.
//!
//! Source: schema-registry `ProtobufSchema#modifySchemaTags`, `ProtobufSchemaUtils#findMatchingElement`, 8.2.0,
//! recording `tags-protobuf`.

use std::collections::{HashMap, HashSet};

use super::model::{Field, Message, OptionElement, OptionValue, ProtoFile};
use super::options;
use crate::schema::{Absent, TargetEdit};
use crate::{InvalidSchema, TagEdit, TaggedEntity};

const MESSAGE_META: &str = "confluent.message_meta";
const FIELD_META: &str = "confluent.field_meta";

/// Puts tags on and takes tags off. Nothing is changed on error.
pub(super) fn edit(file: &mut ProtoFile, edit: &TagEdit, absent: Absent) -> Result<(), InvalidSchema> {
    for target in edit.by_target(|path| path.strip_prefix('.').unwrap_or(path)) {
        let (found, meta) = match target.is_record {
            true => (find_message(file, target.path), MESSAGE_META),
            false => (find_field(file, target.path), FIELD_META),
        };
        match found {
            Ok(options) => *options = edited(std::mem::take(options), meta, &target),
            Err(_) if absent == Absent::Skip => {}
            Err(refusal) => return Err(refusal),
        }
    }
    Ok(())
}

fn no_message(name: &str) -> InvalidSchema {
    InvalidSchema::NoSuchEntity(format!("No matching Message with name '{name}' found in the schema"))
}

fn no_field(name: &str) -> InvalidSchema {
    InvalidSchema::NoSuchEntity(format!("No matching Field with name '{name}' found in the schema"))
}

/// The options of the message at `path`.
fn find_message<'a>(file: &'a mut ProtoFile, path: &str) -> Result<&'a mut Vec<OptionElement>, InvalidSchema> {
    let mut messages = &mut file.messages;
    let mut parts = path.split('.').peekable();
    loop {
        let part = parts.next().unwrap_or_default();
        let message = messages.iter_mut().find(|message| message.name == part).ok_or_else(|| no_message(part))?;
        if parts.peek().is_none() {
            return Ok(&mut message.options);
        }
        messages = &mut message.messages;
    }
}

/// The options of the field at `path`: in a message, or in one of its oneofs, which the path may name.
fn find_field<'a>(file: &'a mut ProtoFile, path: &str) -> Result<&'a mut Vec<OptionElement>, InvalidSchema> {
    let (messages, field) = path.rsplit_once('.').ok_or_else(|| no_field(path))?;
    let mut parts = messages.split('.').peekable();
    let first = parts.next().unwrap_or_default();
    let mut message = match file.messages.iter_mut().find(|message| message.name == first) {
        Some(message) => message,
        None if parts.peek().is_none() => return Err(no_field(field)),
        None => return Err(no_message(first)),
    };
    let mut oneof = None;
    while let Some(part) = parts.next() {
        match message.messages.iter().position(|nested| nested.name == part) {
            Some(at) => message = &mut message.messages[at],
            None if parts.peek().is_none() => oneof = Some(part),
            None => return Err(no_message(part)),
        }
    }
    let fields: Vec<&mut Field> = match oneof {
        Some(name) => {
            message.oneofs.iter_mut().filter(|oneof| oneof.name == name).flat_map(|oneof| &mut oneof.fields).collect()
        }
        None => {
            let members = message.oneofs.iter_mut().flat_map(|oneof| &mut oneof.fields);
            message.fields.iter_mut().chain(members).collect()
        }
    };
    let found = fields.into_iter().find(|found| found.name == field);
    found.map(|field| &mut field.options).ok_or_else(|| no_field(field))
}

/// The options merged by name, with the tags of the meta option changed.
fn edited(mut options: Vec<OptionElement>, meta: &str, edit: &TargetEdit<'_>) -> Vec<OptionElement> {
    if !edit.add.is_empty() {
        let mut seen = HashSet::new();
        let distinct = edit.add.iter().filter(|tag| seen.insert(**tag));
        let distinct = distinct.map(|tag| OptionValue::String((*tag).to_owned())).collect();
        let tags =
            OptionElement { name: "tags".to_owned(), is_parenthesized: false, value: OptionValue::List(distinct) };
        let value = OptionValue::Nested(Box::new(tags));
        options.push(OptionElement { name: meta.to_owned(), is_parenthesized: true, value });
    }
    let mut merged = merged(&options);
    if !edit.remove.is_empty()
        && let Some(at) = merged.iter().position(|option| option.name == meta)
        && let OptionValue::Map(entries) = &mut merged[at].value
    {
        if let Some(place) = entries.iter().position(|(name, _)| name == "tags") {
            let tags = match std::mem::replace(&mut entries[place].1, OptionValue::List(Vec::new())) {
                OptionValue::List(tags) => tags,
                one => vec![one],
            };
            let is_kept = |tag: &OptionValue| !options::plain(tag).is_some_and(|text| edit.remove.contains(text));
            let kept: Vec<OptionValue> = tags.into_iter().filter(is_kept).collect();
            if kept.is_empty() {
                entries.remove(place);
            } else {
                entries[place].1 = OptionValue::List(kept);
            }
        }
        if entries.is_empty() {
            merged.remove(at);
        }
    }
    merged
}

/// One option per name: literals merged, else the last one.
fn merged(all: &[OptionElement]) -> Vec<OptionElement> {
    let bare = |option: &OptionElement| option.name.strip_prefix('.').unwrap_or(&option.name).to_owned();
    let mut last: HashMap<String, &OptionElement> = HashMap::new();
    let mut names: Vec<String> = Vec::new();
    for option in all {
        if last.insert(bare(option), option).is_none() {
            names.push(bare(option));
        }
    }
    let one = |name: String| {
        let option = last.get(&name)?;
        let value = match options::merged_literal(all, &name) {
            Some(entries) => OptionValue::Map(entries),
            None => option.value.clone(),
        };
        Some(OptionElement { name: option.name.clone(), is_parenthesized: option.is_parenthesized, value })
    };
    java_hash_order(names).into_iter().filter_map(one).collect()
}

/// The order in which a Java `HashMap` that took these keys in this order shows them.
fn java_hash_order(mut keys: Vec<String>) -> Vec<String> {
    let mut buckets: u32 = 16;
    while keys.len() as u64 * 4 > u64::from(buckets) * 3 {
        buckets *= 2;
    }
    let bucket = |key: &String| {
        let hash = key.encode_utf16().fold(0u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
        (hash ^ (hash >> 16)) & (buckets - 1)
    };
    keys.sort_by_key(bucket);
    keys
}

/// Every tagged message and field in document order; members of oneofs behind nested messages, as the reference
/// walks them.
pub(super) fn tagged_entities(file: &ProtoFile) -> Vec<TaggedEntity> {
    let mut found = Vec::new();
    file.messages.iter().for_each(|message| add_tagged(message, &message.name, &mut found));
    found
}

/// As deep as messages nest, which parsing caps.
fn add_tagged(message: &Message, path: &str, found: &mut Vec<TaggedEntity>) {
    let mut add = |path: String, is_record, all: &[OptionElement], meta| {
        let tags = options::meta(all, meta).map(|meta| meta.tags).unwrap_or_default();
        if !tags.is_empty() {
            found.push(TaggedEntity { path, is_record, tags });
        }
    };
    add(path.to_owned(), true, &message.options, MESSAGE_META);
    for field in &message.fields {
        add(format!("{path}.{}", field.name), false, &field.options, FIELD_META);
    }
    for nested in &message.messages {
        add_tagged(nested, &format!("{path}.{}", nested.name), found);
    }
    for field in message.oneofs.iter().flat_map(|oneof| &oneof.fields) {
        let tags = options::meta(&field.options, FIELD_META).map(|meta| meta.tags).unwrap_or_default();
        if !tags.is_empty() {
            found.push(TaggedEntity { path: format!("{path}.{}", field.name), is_record: false, tags });
        }
    }
}
