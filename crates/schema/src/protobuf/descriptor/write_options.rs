//! Standard options and Confluent's meta options, in the binary form of descriptors.
//!
//! Numbers are those of `google/protobuf/descriptor.proto`, ascending. Custom options are not written: the reference
//! loses them, and linking does not need them.

use super::wire::Writer;
use crate::protobuf::model::OptionElement;
use crate::protobuf::options::{self, Meta};

/// Number of the `confluent.*_meta` extensions.
const META: u32 = 1088;

/// A flag, if the option is there.
pub(super) fn flag(out: &mut Writer, options: &[OptionElement], number: u32, name: &str) {
    if let Some(value) = options::find_flag(options, name) {
        out.flag(number, value);
    }
}

fn string(out: &mut Writer, options: &[OptionElement], number: u32, name: &str) {
    if let Some(value) = options::find_text(options, name) {
        out.text(number, value);
    }
}

/// An enum option: the constants' numbers count up from `first`. Unknown constants are left out.
pub(super) fn constant(
    out: &mut Writer,
    options: &[OptionElement],
    number: u32,
    name: &str,
    names: &[&str],
    first: i32,
) {
    let value = options::find_text(options, name);
    if let Some(at) = value.and_then(|value| names.iter().position(|known| *known == value)) {
        out.number(number, first + at as i32);
    }
}

pub(super) fn file_options(options: &[OptionElement]) -> Writer {
    let mut out = Writer::default();
    string(&mut out, options, 1, "java_package");
    string(&mut out, options, 8, "java_outer_classname");
    constant(&mut out, options, 9, "optimize_for", &["SPEED", "CODE_SIZE", "LITE_RUNTIME"], 1);
    flag(&mut out, options, 10, "java_multiple_files");
    string(&mut out, options, 11, "go_package");
    flag(&mut out, options, 16, "cc_generic_services");
    flag(&mut out, options, 17, "java_generic_services");
    flag(&mut out, options, 18, "py_generic_services");
    flag(&mut out, options, 20, "java_generate_equals_and_hash");
    flag(&mut out, options, 23, "deprecated");
    flag(&mut out, options, 27, "java_string_check_utf8");
    flag(&mut out, options, 31, "cc_enable_arenas");
    string(&mut out, options, 36, "objc_class_prefix");
    string(&mut out, options, 37, "csharp_namespace");
    string(&mut out, options, 39, "swift_prefix");
    string(&mut out, options, 40, "php_class_prefix");
    string(&mut out, options, 41, "php_namespace");
    string(&mut out, options, 44, "php_metadata_namespace");
    string(&mut out, options, 45, "ruby_package");
    out
}

/// `for_linking`: with what only linkers ask for.
pub(super) fn message_options(options: &[OptionElement], for_linking: bool) -> Writer {
    let mut out = Writer::default();
    if for_linking {
        flag(&mut out, options, 1, "message_set_wire_format");
    }
    flag(&mut out, options, 2, "no_standard_descriptor_accessor");
    flag(&mut out, options, 3, "deprecated");
    flag(&mut out, options, 7, "map_entry");
    flag(&mut out, options, 11, "deprecated_legacy_json_field_conflicts");
    out
}

pub(super) fn field_options(options: &[OptionElement], with_packed: bool) -> Writer {
    let mut out = Writer::default();
    constant(&mut out, options, 1, "ctype", &["STRING", "CORD", "STRING_PIECE"], 0);
    if with_packed {
        flag(&mut out, options, 2, "packed");
    }
    flag(&mut out, options, 3, "deprecated");
    constant(&mut out, options, 6, "jstype", &["JS_NORMAL", "JS_STRING", "JS_NUMBER"], 0);
    flag(&mut out, options, 16, "debug_redact");
    let retentions = ["RETENTION_UNKNOWN", "RETENTION_RUNTIME", "RETENTION_SOURCE"];
    constant(&mut out, options, 17, "retention", &retentions, 0);
    out
}

/// The meta option, if there is one that says anything or is written at all.
pub(super) fn confluent_meta(out: &mut Writer, options: &[OptionElement], name: &str) {
    if let Some(meta) = options::meta(options, name) {
        out.message(META, &meta_message(&meta));
    }
}

fn meta_message(meta: &Meta) -> Writer {
    let mut out = Writer::default();
    if let Some(doc) = meta.doc.as_deref().filter(|doc| !doc.is_empty()) {
        out.text(1, doc);
    }
    for (key, value) in &meta.params {
        let mut entry = Writer::default();
        entry.text(1, key);
        entry.text(2, value);
        out.message(2, &entry);
    }
    meta.tags.iter().for_each(|tag| out.text(3, tag));
    for rule in &meta.rules {
        let mut part = Writer::default();
        for (number, text) in [(1, &rule.name), (2, &rule.doc), (3, &rule.expr), (4, &rule.sql)] {
            if !text.is_empty() {
                part.text(number, text);
            }
        }
        out.message(4, &part);
    }
    out
}
