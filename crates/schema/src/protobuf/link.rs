//! Linked descriptors of a schema, for the codec.
//!
//! Registration accepts more than a linker does, and so does encoding: before linking, everything is dropped that
//! values do not depend on (options, reserved ranges, services). What is left and does not link has no codec:
//! [`InvalidSchema`], never a panic.
//!
//! Types need not be imported by the names they are found under; [`ProtobufSchema::linkable_files`] gives each file
//! the dependencies that its types really have. References that nothing uses stay, as an `Any` may hold their
//! messages, unless they are what keeps the schema from linking.
//!
//! Source: golden registry corpus, `ref-malformed`; protobuf-java `FileDescriptor#buildFrom`, 4.33, which checks
//! names and numbers, but not reserved ranges or JSON names.

use std::collections::{HashMap, HashSet};

use prost_reflect::{DescriptorPool, FileDescriptor};
use prost_types::uninterpreted_option::NamePart;
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumOptions, FieldDescriptorProto, FieldOptions, FileDescriptorProto,
    MessageOptions,
};

use super::ProtobufSchema;
use crate::InvalidSchema;

/// The name under which the schema's own file is linked; no import path is like it.
const ROOT: &str = "\u{1}";

/// The schema's own file, linked.
pub(super) fn link(schema: &ProtobufSchema) -> Result<FileDescriptor, InvalidSchema> {
    link_files(schema.linkable_files(ROOT)?, ROOT)
}

/// Links `files` (dependencies first) and gives the one named `root`.
pub(super) fn link_files(mut files: Vec<FileDescriptorProto>, root: &str) -> Result<FileDescriptor, InvalidSchema> {
    files.iter_mut().for_each(strip_file);
    let all = add(files.clone());
    let pool = match all {
        Ok(pool) => pool,
        Err(_) => {
            keep_needed(&mut files, root);
            add(files)?
        }
    };
    pool.get_file_by_name(root).ok_or_else(|| InvalidSchema::Semantics("the schema's own file is missing".to_owned()))
}

fn add(files: Vec<FileDescriptorProto>) -> Result<DescriptorPool, InvalidSchema> {
    let mut pool = DescriptorPool::new();
    pool.add_file_descriptor_protos(files).map_err(|error| InvalidSchema::Semantics(error.to_string()))?;
    Ok(pool)
}

/// Drops the files that `root` does not need, directly or through others.
fn keep_needed(files: &mut Vec<FileDescriptorProto>, root: &str) {
    let dependencies: HashMap<&str, &[String]> =
        files.iter().map(|file| (file.name(), file.dependency.as_slice())).collect();
    let mut needed: HashSet<String> = HashSet::new();
    let mut open = vec![root];
    while let Some(path) = open.pop() {
        if needed.insert(path.to_owned()) {
            open.extend(dependencies.get(path).copied().unwrap_or_default().iter().map(String::as_str));
        }
    }
    files.retain(|file| needed.contains(file.name()));
}

fn strip_file(file: &mut FileDescriptorProto) {
    file.options = None;
    file.service.clear();
    file.source_code_info = None;
    file.message_type.iter_mut().for_each(strip_message);
    file.enum_type.iter_mut().for_each(strip_enum);
    file.extension.iter_mut().for_each(strip_field);
}

/// As deep as messages nest, which parsing caps.
fn strip_message(message: &mut DescriptorProto) {
    let is_entry = message.options.take().is_some_and(|options| options.map_entry());
    message.options = is_entry.then(|| MessageOptions { map_entry: Some(true), ..Default::default() });
    message.reserved_range.clear();
    message.reserved_name.clear();
    message.extension_range.iter_mut().for_each(|range| range.options = None);
    message.oneof_decl.iter_mut().for_each(|oneof| oneof.options = None);
    message.field.iter_mut().for_each(strip_field);
    separate_json_names(&mut message.field);
    message.extension.iter_mut().for_each(strip_field);
    message.enum_type.iter_mut().for_each(strip_enum);
    message.nested_type.iter_mut().for_each(strip_message);
}

fn strip_field(field: &mut FieldDescriptorProto) {
    let packed = field.options.take().and_then(|options| is_packed(&options));
    field.options = packed.map(|packed| FieldOptions { packed: Some(packed), ..Default::default() });
}

/// The `packed` option, also where a parser left options as they are written.
fn is_packed(options: &FieldOptions) -> Option<bool> {
    options.packed.or_else(|| {
        let written = options.uninterpreted_option.iter().find(|option| {
            matches!(option.name.as_slice(), [NamePart { name_part, is_extension: false }] if name_part == "packed")
        });
        Some(written?.identifier_value() == "true")
    })
}

fn strip_enum(enum_: &mut EnumDescriptorProto) {
    // Aliases are a matter of validation; here every name stands for its number.
    enum_.options = Some(EnumOptions { allow_alias: Some(true), ..Default::default() });
    enum_.reserved_range.clear();
    enum_.reserved_name.clear();
    enum_.value.iter_mut().for_each(|value| value.options = None);
}

/// Gives fields whose JSON name another field of the message has their own name instead: a linker refuses equal
/// JSON names, the reference does not.
fn separate_json_names(fields: &mut [FieldDescriptorProto]) {
    let json_name = |field: &FieldDescriptorProto| match &field.json_name {
        Some(name) => name.clone(),
        None => default_json_name(field.name()),
    };
    let mut taken: HashMap<String, u32> = HashMap::new();
    fields.iter().for_each(|field| *taken.entry(json_name(field)).or_default() += 1);
    for field in fields {
        if taken[&json_name(field)] > 1 {
            field.json_name = field.name.clone();
        }
    }
}

fn default_json_name(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut upper = false;
    for char in name.chars() {
        match char {
            '_' => upper = true,
            char => {
                out.push(if upper { char.to_ascii_uppercase() } else { char });
                upper = false;
            }
        }
    }
    out
}
