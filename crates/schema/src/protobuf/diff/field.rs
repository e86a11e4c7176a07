//! Changes of fields (protobuf): added, removed, renamed, of another type or label.
//!
//! Pure: compares two fields of one tag, appends what it finds to the walk's report at the field's place. Called by
//! `message.rs`. Map keys and values are compared like fields without labels, at the map field's path.
//!
//! Source: Confluent `protobuf/diff/{MessageSchemaDiff,FieldSchemaDiff}.java`, 8.2.0 and later.

use super::message::Member;
use super::report::Report;
use super::types::{Place, ScalarKind, Seen, Written};
use super::walk::Walk;
use super::{
    FIELD_ADDED, FIELD_KIND_CHANGED, FIELD_NAME_CHANGED, FIELD_NUMERIC_LABEL_CHANGED, FIELD_REMOVED,
    FIELD_SCALAR_KIND_CHANGED, FIELD_STRING_OR_BYTES_LABEL_CHANGED, REQUIRED_FIELD_ADDED, REQUIRED_FIELD_REMOVED,
};
use crate::protobuf::model::{Field, Label};

/// Labels of both sides; `None` where none is written.
type Labels = (Option<Label>, Option<Label>);

/// Maps of maps that are read: what a text may nest. Entries written by hand may even contain themselves.
const MAP_DEPTH: usize = 64;

/// Compares two fields of one tag. The walk stands at the field.
pub(super) fn compare_fields<'a>(walk: &mut Walk<'a>, original: &'a Field, update: &'a Field) {
    field_name_changed(original, update, &mut walk.report);
    let labels = (original.label, update.label);
    compare_types(walk, labels, (&original.type_).into(), (&update.type_).into(), MAP_DEPTH);
}

fn compare_types<'a>(
    walk: &mut Walk<'a>,
    labels: Labels,
    original: Written<'a>,
    update: Written<'a>,
    map_depth: usize,
) {
    let (was, is) = walk.see(original, update);
    if field_kind_changed(was, is, &mut walk.report) {
        return;
    }
    match (was, is) {
        (Seen::Scalar(was), Seen::Scalar(is)) => {
            field_scalar_kind_changed(was, is, &mut walk.report);
            field_numeric_label_changed(was, is, labels, &mut walk.report);
            field_string_or_bytes_label_changed(was, is, labels, &mut walk.report);
        }
        (Seen::Message { written: was, place: was_at }, Seen::Message { written: is, place: is_at }) => {
            field_named_type_changed(walk, (was, was_at), (is, is_at));
        }
        (Seen::Map { key: was_key, value: was_value }, Seen::Map { key: is_key, value: is_value }) if map_depth > 0 => {
            compare_types(walk, (None, None), was_key, is_key, 0);
            compare_types(walk, (None, None), was_value, is_value, map_depth - 1);
        }
        _ => {}
    }
}

/// A field outside oneofs is new, and not `required`.
pub(super) fn field_added(update: &Member<'_>, out: &mut Report) {
    if update.oneof.is_none() && update.field.label != Some(Label::Required) {
        out.add_at_tag(update.field.tag, FIELD_ADDED);
    }
}

/// A field outside oneofs is gone, and was not `required`.
pub(super) fn field_removed(original: &Member<'_>, out: &mut Report) {
    if original.oneof.is_none() && original.field.label != Some(Label::Required) {
        out.add_at_tag(original.field.tag, FIELD_REMOVED);
    }
}

/// A `required` field is new: old data lacks it.
pub(super) fn required_field_added(update: &Member<'_>, out: &mut Report) {
    if update.oneof.is_none() && update.field.label == Some(Label::Required) {
        out.add_at_tag(update.field.tag, REQUIRED_FIELD_ADDED);
    }
}

/// A `required` field is gone.
pub(super) fn required_field_removed(original: &Member<'_>, out: &mut Report) {
    if original.oneof.is_none() && original.field.label == Some(Label::Required) {
        out.add_at_tag(original.field.tag, REQUIRED_FIELD_REMOVED);
    }
}

/// A tag has another name. Compatible: binary records carry tags only.
fn field_name_changed(original: &Field, update: &Field, out: &mut Report) {
    if original.name != update.name {
        out.add(FIELD_NAME_CHANGED);
    }
}

/// A field went from one of scalar (or enum), message and map to another. Nothing else is said of it then.
fn field_kind_changed(original: Seen<'_>, update: Seen<'_>, out: &mut Report) -> bool {
    let changed = std::mem::discriminant(&original) != std::mem::discriminant(&update);
    if changed {
        out.add(FIELD_KIND_CHANGED);
    }
    changed
}

/// A scalar went to one with another encoding or meaning of its bytes.
fn field_scalar_kind_changed(original: ScalarKind, update: ScalarKind, out: &mut Report) {
    if original != update {
        out.add(FIELD_SCALAR_KIND_CHANGED);
    }
}

/// A number or enum field has another written label. A label that is not written (proto3) matches any.
fn field_numeric_label_changed(original: ScalarKind, update: ScalarKind, labels: Labels, out: &mut Report) {
    if original == update && original != ScalarKind::StringOrBytes && label_changed(labels) {
        out.add(FIELD_NUMERIC_LABEL_CHANGED);
    }
}

/// A string or bytes field has another written label. Compatible: the last element is read, or a list of one.
fn field_string_or_bytes_label_changed(original: ScalarKind, update: ScalarKind, labels: Labels, out: &mut Report) {
    if original == update && original == ScalarKind::StringOrBytes && label_changed(labels) {
        out.add(FIELD_STRING_OR_BYTES_LABEL_CHANGED);
    }
}

fn label_changed(labels: Labels) -> bool {
    matches!(labels, (Some(was), Some(is)) if was != is)
}

/// A message field names another message: another name inside its package, or the same name with an incompatible
/// body in another file. Inner differences come first, at the inner type's own path.
fn field_named_type_changed(
    walk: &mut Walk<'_>,
    (was, was_at): (&str, Option<Place>),
    (is, is_at): (&str, Option<Place>),
) {
    let same = match (was_at, is_at) {
        (Some(was_at), Some(is_at)) => walk.same_local_name(was_at, is_at) && walk.compare_bodies(was_at, is_at),
        // A name that nothing declares is compared as written.
        _ => was == is,
    };
    if !same {
        walk.named_type_changed();
    }
}
