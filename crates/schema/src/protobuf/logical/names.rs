//! Which types of a schema and its references are what to a logical type.

use std::collections::{HashMap, HashSet};

use super::super::model::{FieldType, Message, ProtoFile};
use super::super::resolve::{Names, Type, join};
use super::super::{ProtobufSchema, builtin};
use crate::{InvalidSchema, logical};

/// Full names of the messages that lead back to themselves, among those that `file` leads to.
pub(super) fn cyclic(file: &ProtoFile, names: &Names<'_>) -> HashSet<String> {
    let mut messages: Vec<(String, &Message)> = Vec::new();
    add_messages(file.package.as_deref().unwrap_or_default(), &file.messages, &mut messages);
    let mut places: HashMap<String, usize> =
        messages.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)).collect();
    let mut uses: Vec<Vec<usize>> = Vec::new();
    while let Some((scope, message)) = messages.get(uses.len()) {
        let members = message.oneofs.iter().flat_map(|oneof| &oneof.fields);
        let types = message.fields.iter().chain(members).filter_map(|field| named(&field.type_));
        let found: Vec<_> = types.filter_map(|name| names.resolve(scope, name)).collect();
        let mut used = Vec::with_capacity(found.len());
        for (name, type_) in found {
            let Type::Message(message) = type_ else { continue };
            used.push(*places.entry(name).or_insert_with_key(|name| {
                messages.push((name.clone(), message));
                messages.len() - 1
            }));
        }
        uses.push(used);
    }
    let cyclic = logical::cyclic(&uses);
    messages.into_iter().zip(cyclic).filter(|(_, is_cyclic)| *is_cyclic).map(|((name, _), _)| name).collect()
}

/// The name in a type, perhaps of a map's values.
fn named(type_: &FieldType) -> Option<&str> {
    match type_ {
        FieldType::Named(name) => Some(name),
        FieldType::Map(_, values) => named(values),
        FieldType::Scalar(_) => None,
    }
}

/// Messages with those in them, under their full names.
fn add_messages<'a>(scope: &str, messages: &'a [Message], found: &mut Vec<(String, &'a Message)>) {
    for message in messages {
        let name = join(scope, &message.name);
        add_messages(&name, &message.messages, found);
        found.push((name, message));
    }
}

/// Full names of the types of references. Those of a file without messages are not among them: the reference finds
/// types by the files of messages.
pub(super) fn external(schema: &ProtobufSchema) -> Result<HashSet<String>, InvalidSchema> {
    let mut names = HashSet::new();
    for file in schema.referenced_files()?.iter().map(|referenced| &referenced.file) {
        if file.messages.is_empty() {
            continue;
        }
        let scope = file.package.as_deref().unwrap_or_default();
        names.extend(file.enums.iter().map(|enum_| join(scope, &enum_.name)));
        let mut messages = Vec::new();
        add_messages(scope, &file.messages, &mut messages);
        for (name, message) in messages {
            names.extend(message.enums.iter().map(|enum_| join(&name, &enum_.name)));
            names.insert(name);
        }
    }
    Ok(names)
}

/// Full name of the first type of the first file that is imported publicly, however indirectly.
pub(super) fn first_public(schema: &ProtobufSchema) -> Result<Option<String>, InvalidSchema> {
    let referenced = schema.referenced_files()?;
    let find = |path: &str| {
        let given = referenced.iter().find(|referenced| *referenced.source.name == *path);
        let built_in = || builtin::files().iter().find(|(known, _)| *known == path).map(|(_, file)| file);
        given.map(|referenced| &referenced.file).or_else(built_in)
    };
    let mut seen = HashSet::new();
    let mut open: Vec<&str> = schema.file().public_imports.iter().rev().map(String::as_str).collect();
    while let Some(path) = open.pop() {
        let Some(file) = find(path).filter(|_| seen.insert(path)) else { continue };
        let first = file.messages.first().map(|message| &message.name);
        if let Some(name) = first.or_else(|| file.enums.first().map(|enum_| &enum_.name)) {
            return Ok(Some(join(file.package.as_deref().unwrap_or_default(), name)));
        }
        open.extend(file.public_imports.iter().rev().map(String::as_str));
    }
    Ok(None)
}
