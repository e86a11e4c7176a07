//! What `validateFields=true` asks of a new schema: that its descriptors can be built.
//!
//! Two checks. Types must be reachable by import, directly or through public imports, which normal forms do not
//! need. Then the whole set must link, as it does for the codec: names distinct and well formed, numbers positive and
//! distinct, enums not empty; use of reserved numbers is nobody's concern.
//!
//! Source: schema-registry `ProtobufSchema#validate(strict)` (builds `Descriptors.FileDescriptor`), 8.2.0.

use std::collections::{HashMap, HashSet};

use super::model::{Extend, Field, FieldType, Message, ProtoFile};
use super::resolve::{Names, join};
use super::{ProtobufSchema, builtin, link};
use crate::InvalidSchema;

/// Fails with the first thing that keeps the descriptors from being built.
pub(super) fn descriptors(schema: &ProtobufSchema) -> Result<(), InvalidSchema> {
    let mut files: HashMap<&str, &ProtoFile> = builtin::files().iter().map(|(path, file)| (*path, file)).collect();
    for referenced in schema.referenced_files()? {
        files.insert(&referenced.source.name, &referenced.file);
    }
    for file in std::iter::once(schema.file()).chain(schema.referenced_files()?.iter().map(|file| &file.file)) {
        let mut names = Names::default();
        names.add_file(file);
        visible(file, &files).into_iter().for_each(|file| names.add_file(file));
        reachable(file, &names)?;
    }
    link::link(schema).map(drop)
}

/// The files that `file` may name types of: its imports, and what those import publicly.
fn visible<'a>(file: &'a ProtoFile, files: &HashMap<&str, &'a ProtoFile>) -> Vec<&'a ProtoFile> {
    let mut seen: HashSet<&str> = HashSet::new();
    let mut open: Vec<&str> = file.imports.iter().chain(&file.public_imports).map(String::as_str).collect();
    let mut found = Vec::new();
    while let Some(path) = open.pop() {
        if let Some(file) = files.get(path).filter(|_| seen.insert(path)) {
            found.push(*file);
            open.extend(file.public_imports.iter().map(String::as_str));
        }
    }
    found
}

fn reachable(file: &ProtoFile, names: &Names<'_>) -> Result<(), InvalidSchema> {
    let scope = file.package.as_deref().unwrap_or_default();
    file.messages.iter().try_for_each(|message| message_types(scope, message, names))?;
    file.extends.iter().try_for_each(|extend| extend_types(scope, extend, names))?;
    let rpcs = file.services.iter().flat_map(|service| &service.rpcs);
    rpcs.flat_map(|rpc| [&rpc.request, &rpc.response]).try_for_each(|name| defined(scope, name, names))
}

/// As deep as messages nest, which parsing caps.
fn message_types(scope: &str, message: &Message, names: &Names<'_>) -> Result<(), InvalidSchema> {
    let scope = &join(scope, &message.name);
    let members = message.oneofs.iter().flat_map(|oneof| oneof.fields.iter().chain(group_fields(&oneof.groups)));
    let fields = message.fields.iter().chain(members).chain(group_fields(&message.groups));
    fields.into_iter().try_for_each(|field| field_type(scope, field, names))?;
    message.extends.iter().try_for_each(|extend| extend_types(scope, extend, names))?;
    message.messages.iter().try_for_each(|nested| message_types(scope, nested, names))
}

fn group_fields(groups: &[super::model::Group]) -> impl Iterator<Item = &Field> {
    groups.iter().flat_map(|group| &group.fields)
}

fn extend_types(scope: &str, extend: &Extend, names: &Names<'_>) -> Result<(), InvalidSchema> {
    defined(scope, &extend.extendee, names)?;
    extend.fields.iter().try_for_each(|field| field_type(scope, field, names))
}

fn field_type(scope: &str, field: &Field, names: &Names<'_>) -> Result<(), InvalidSchema> {
    let mut type_ = &field.type_;
    while let FieldType::Map(_, value) = type_ {
        type_ = value;
    }
    match type_ {
        FieldType::Named(name) => defined(scope, name, names),
        _ => Ok(()),
    }
}

fn defined(scope: &str, name: &str, names: &Names<'_>) -> Result<(), InvalidSchema> {
    if names.declares(scope, name) {
        return Ok(());
    }
    Err(InvalidSchema::Semantics(format!("{scope}: \"{name}\" is not defined.")))
}
