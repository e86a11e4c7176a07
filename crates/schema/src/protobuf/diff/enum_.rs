//! Changes of enums (protobuf). All of them are compatible: a reader keeps numbers it has no name for.
//!
//! Pure: compares two enums of one name, or notes that one is missing. Called by `message.rs` for the enums of a
//! file or a message, and only when compatible changes are asked for. Constants are paired by number; of several
//! names for one number (`allow_alias`) the last one counts.
//!
//! Source: Confluent `protobuf/diff/EnumSchemaDiff.java`, 8.2.0.

use std::collections::{BTreeMap, BTreeSet};

use super::report::Report;
use super::{ENUM_ADDED, ENUM_CONST_ADDED, ENUM_CONST_CHANGED, ENUM_CONST_REMOVED, ENUM_REMOVED};
use crate::protobuf::model::Enum;

/// The changes between enums of one nesting level, paired by name.
pub(super) fn compare_enums(original: &[Enum], update: &[Enum], out: &mut Report) {
    let (originals, updates) = (by_name(original), by_name(update));
    let names: BTreeSet<&str> = originals.keys().chain(updates.keys()).copied().collect();
    for name in names {
        let (was, is) = (originals.get(name).copied(), updates.get(name).copied());
        let mark = out.enter(name);
        enum_removed(was, is, out);
        enum_added(was, is, out);
        if let (Some(was), Some(is)) = (was, is) {
            compare_constants(was, is, out);
        }
        out.leave(mark);
    }
}

fn compare_constants(original: &Enum, update: &Enum, out: &mut Report) {
    let (originals, updates) = (by_tag(original), by_tag(update));
    let tags: BTreeSet<i32> = originals.keys().chain(updates.keys()).copied().collect();
    for tag in tags {
        let (was, is) = (originals.get(&tag).copied(), updates.get(&tag).copied());
        let mark = out.enter_tag(tag);
        enum_const_removed(was, is, out);
        enum_const_added(was, is, out);
        enum_const_changed(was, is, out);
        out.leave(mark);
    }
}

fn by_name(enums: &[Enum]) -> BTreeMap<&str, &Enum> {
    enums.iter().map(|found| (found.name.as_str(), found)).collect()
}

fn by_tag(found: &Enum) -> BTreeMap<i32, &str> {
    found.constants.iter().map(|constant| (constant.tag, constant.name.as_str())).collect()
}

/// An enum is gone, at `#/<Message>/<Enum>`.
fn enum_removed(original: Option<&Enum>, update: Option<&Enum>, out: &mut Report) {
    if original.is_some() && update.is_none() {
        out.add(ENUM_REMOVED);
    }
}

/// An enum is new.
fn enum_added(original: Option<&Enum>, update: Option<&Enum>, out: &mut Report) {
    if original.is_none() && update.is_some() {
        out.add(ENUM_ADDED);
    }
}

/// A number has no name any more, at `#/<Enum>/<number>`.
fn enum_const_removed(original: Option<&str>, update: Option<&str>, out: &mut Report) {
    if original.is_some() && update.is_none() {
        out.add(ENUM_CONST_REMOVED);
    }
}

/// A number got its first name.
fn enum_const_added(original: Option<&str>, update: Option<&str>, out: &mut Report) {
    if original.is_none() && update.is_some() {
        out.add(ENUM_CONST_ADDED);
    }
}

/// A number got another name.
fn enum_const_changed(original: Option<&str>, update: Option<&str>, out: &mut Report) {
    if let (Some(was), Some(is)) = (original, update)
        && was != is
    {
        out.add(ENUM_CONST_CHANGED);
    }
}
