//! Changes of oneofs (protobuf): added, removed, and members that come, go and move.
//!
//! Pure: works on the members of two messages by tag; appends to the report. Called by `message.rs`, once per pair.
//! What breaks readers is new exclusivity: members that old data may have set together. Each old oneof is one
//! group, each old field outside is a group of its own, new fields are in none; an updated oneof may draw from one
//! group only. A member that merely left its oneof loses nothing.
//!
//! Source: Confluent `protobuf/diff/MessageSchemaDiff.java`, 8.2.0 and later (before, moves were judged per oneof).

use std::collections::{BTreeSet, HashSet};

use super::message::{Member, Members};
use super::report::Report;
use super::{
    FIELD_MOVED_TO_EXISTING_ONEOF, MULTIPLE_FIELDS_MOVED_TO_ONEOF, ONEOF_ADDED, ONEOF_FIELD_ADDED,
    ONEOF_FIELD_MOVED_TO_TOP_LEVEL, ONEOF_FIELD_REMOVED, ONEOF_REMOVED,
};
use crate::protobuf::model::OneOf;

/// Compares the oneofs of two messages as such; their members are compared with the other fields.
pub(super) fn compare_oneofs(original: &Members<'_>, update: &Members<'_>, out: &mut Report) {
    for oneof in update.oneofs {
        let origins = origins(original, oneof);
        multiple_fields_moved_to_oneof(oneof, &origins, out);
        field_moved_to_existing_oneof(oneof, &origins, out);
    }
    if out.keeps_compatible() {
        let (was, is) = (names(original), names(update));
        for name in was.union(&is) {
            oneof_removed(name, &was, &is, out);
            oneof_added(name, &was, &is, out);
        }
    }
}

fn names<'a>(members: &Members<'a>) -> BTreeSet<&'a str> {
    members.oneofs.iter().map(|oneof| oneof.name.as_str()).collect()
}

/// Where the members of an updated oneof were before.
#[derive(Debug)]
struct Origins {
    /// Old oneofs, and old fields outside oneofs.
    groups: usize,
    /// Members that were outside oneofs.
    from_top_level: usize,
}

fn origins(original: &Members<'_>, oneof: &OneOf) -> Origins {
    let mut groups: HashSet<(Option<&str>, i32)> = HashSet::new();
    let mut from_top_level = 0;
    for was in oneof.fields.iter().filter_map(|field| original.get(field.tag)) {
        match was.oneof {
            Some(name) => groups.insert((Some(name), 0)),
            None => {
                from_top_level += 1;
                groups.insert((None, was.field.tag))
            }
        };
    }
    Origins { groups: groups.len(), from_top_level }
}

/// Fields that were independent, two or more of them outside oneofs, now exclude each other. Reported at the oneof.
fn multiple_fields_moved_to_oneof(oneof: &OneOf, origins: &Origins, out: &mut Report) {
    if origins.groups > 1 && origins.from_top_level > 1 {
        out.add_at(&oneof.name, MULTIPLE_FIELDS_MOVED_TO_ONEOF);
    }
}

/// A field from outside, or members of another oneof, joined members that were there. Reported at the oneof.
fn field_moved_to_existing_oneof(oneof: &OneOf, origins: &Origins, out: &mut Report) {
    if origins.groups > 1 && origins.from_top_level <= 1 {
        out.add_at(&oneof.name, FIELD_MOVED_TO_EXISTING_ONEOF);
    }
}

/// A oneof's name is gone. What became of its members is said of each.
fn oneof_removed(name: &str, original: &BTreeSet<&str>, update: &BTreeSet<&str>, out: &mut Report) {
    if original.contains(name) && !update.contains(name) {
        out.add_at(name, ONEOF_REMOVED);
    }
}

/// A oneof's name is new.
fn oneof_added(name: &str, original: &BTreeSet<&str>, update: &BTreeSet<&str>, out: &mut Report) {
    if !original.contains(name) && update.contains(name) {
        out.add_at(name, ONEOF_ADDED);
    }
}

/// Names of the oneofs that are gone with every member: a deletion as a whole, which is compatible.
pub(super) fn completely_removed<'a>(original: &Members<'a>, update: &Members<'_>) -> HashSet<&'a str> {
    let kept: HashSet<&str> = update.oneofs.iter().map(|oneof| oneof.name.as_str()).collect();
    let survives = |oneof: &OneOf| oneof.fields.iter().any(|field| update.get(field.tag).is_some());
    let gone = original.oneofs.iter().filter(|oneof| !kept.contains(oneof.name.as_str()) && !survives(oneof));
    gone.map(|oneof| oneof.name.as_str()).collect()
}

/// A member is gone from the message while its oneof, or another member of it, is still around.
pub(super) fn oneof_field_removed(original: &Member<'_>, gone_oneofs: &HashSet<&str>, out: &mut Report) {
    if let Some(oneof) = original.oneof
        && !gone_oneofs.contains(oneof)
    {
        add_at_member(oneof, original, ONEOF_FIELD_REMOVED, out);
    }
}

/// A new field is a member of a oneof.
pub(super) fn oneof_field_added(update: &Member<'_>, out: &mut Report) {
    if let Some(oneof) = update.oneof {
        add_at_member(oneof, update, ONEOF_FIELD_ADDED, out);
    }
}

/// A member left its oneof and stands on its own: less exclusive than before. Reported at the field.
pub(super) fn oneof_field_moved_to_top_level(original: &Member<'_>, update: &Member<'_>, out: &mut Report) {
    if original.oneof.is_some() && update.oneof.is_none() {
        out.add_at_tag(update.field.tag, ONEOF_FIELD_MOVED_TO_TOP_LEVEL);
    }
}

fn add_at_member(oneof: &str, member: &Member<'_>, change: super::Change, out: &mut Report) {
    let mark = out.enter(oneof);
    out.add_at_tag(member.field.tag, change);
    out.leave(mark);
}
