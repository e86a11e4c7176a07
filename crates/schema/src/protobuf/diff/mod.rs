//! Compatibility of two protobuf schemas: every change type of the reference, as a table.
//!
//! [`differences`] walks both files in the reference's order and gives what is incompatible; [`changes`] gives
//! everything. A rule finds a change and names its row of [`CHANGES`]; the row alone says whether it is compatible.
//! Messages are paired by name per nesting level, fields by tag; options, extensions, services, reserved ranges,
//! defaults, groups and the syntax line take no part.
//!
//! To add a change type: a row in [`CHANGES`], its function in `message.rs`, `field.rs`, `oneof.rs` or `enum_.rs`,
//! and rows in `tests/corpus/protobuf/` (one that fires it, one near miss that must not).
//!
//! Source: Confluent `protobuf/diff/{SchemaDiff,Difference}.java`, 8.2.0 and later.

mod enum_;
mod field;
mod message;
mod oneof;
mod report;
mod sibling_order;
mod types;
mod walk;

use crate::Difference;
use crate::compat::Direction;
use crate::protobuf::ProtobufSchema;

use report::Report;
pub(crate) use types::Side;
use walk::Walk;

/// A change type: its wire name and whether it is compatible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// e.g. `FIELD_KIND_CHANGED`.
    pub id: &'static str,
    /// Compatible changes are found but not reported.
    pub compatible: bool,
    /// Message template: `%1`/`%2` the sides, `'P'` the path in its quotes. Empty for compatible changes.
    pub template: &'static str,
}

/// Declares each change type as a constant and as a row of [`CHANGES`], so that neither can miss the other.
macro_rules! changes {
    ($($name:ident, $compatible:literal, $template:literal;)*) => {
        $(pub(crate) const $name: Change =
            Change { id: stringify!($name), compatible: $compatible, template: $template };)*

        /// Every change type, in the reference's order.
        pub const CHANGES: &[Change] = &[$($name),*];
    };
}

changes! {
    PACKAGE_CHANGED, false, "The package at 'P' in the %1 schema does not match the package in the %2 schema";
    MESSAGE_ADDED, true, "";
    MESSAGE_REMOVED, false, "The %1 schema is missing a MESSAGE type at path 'P' in the %2 schema";
    MESSAGE_MOVED, true, "";
    ENUM_ADDED, true, "";
    ENUM_REMOVED, true, "";
    ENUM_CONST_ADDED, true, "";
    ENUM_CONST_CHANGED, true, "";
    ENUM_CONST_REMOVED, true, "";
    FIELD_ADDED, true, "";
    FIELD_REMOVED, true, "";
    FIELD_NAME_CHANGED, true, "";
    FIELD_KIND_CHANGED, false, "The type of a field at path 'P' in the %1 schema does not match the %2 schema";
    FIELD_SCALAR_KIND_CHANGED, false,
        "The kind of a SCALAR field at path 'P' in the %1 schema does not match its kind in the %2 schema";
    FIELD_NAMED_TYPE_CHANGED, false,
        "The type of a MESSAGE field at path 'P' in the %1 schema does not match its type in the %2 schema";
    FIELD_NUMERIC_LABEL_CHANGED, false,
        "The label for a NUMERIC field at path 'P' in the %1 schema does not match its label in the %2 schema";
    FIELD_STRING_OR_BYTES_LABEL_CHANGED, true, "";
    REQUIRED_FIELD_ADDED, false, "A required field  at path 'P' in the %1 schema is missing in the %2 schema";
    REQUIRED_FIELD_REMOVED, false, "The %1 schema is missing a required field at path: 'P' in the %2 schema";
    ONEOF_ADDED, true, "";
    ONEOF_REMOVED, true, "";
    ONEOF_FIELD_ADDED, true, "";
    ONEOF_FIELD_REMOVED, false, "The %1 schema is missing a oneof field at path 'P' in the %2 schema";
    ONEOF_FIELD_MOVED_TO_TOP_LEVEL, true, "";
    MULTIPLE_FIELDS_MOVED_TO_ONEOF, false,
        "Multiple fields in the oneof at path 'P' in the %1 schema are outside a oneof in the %2 schema";
    FIELD_MOVED_TO_EXISTING_ONEOF, false,
        "A field in the oneof at path 'P' in the %1 schema is outside an existing oneof in the %2 schema";
}

/// A change that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its row of [`CHANGES`].
    pub change: Change,
    /// Where: `#/Message/Nested/<tag>`, `#/Message/<oneof>/<tag>`; `#/` is the file.
    pub path: String,
}

/// The incompatible changes from `old` to `new`, worded for `direction`: [`Direction::Backward`] asks whether `new`
/// reads what `old` wrote, [`Direction::Forward`] the opposite.
///
/// In the reference's order; at most about 4 MiB of paths, so a list may be cut but is never empty by that.
pub fn differences(new: &ProtobufSchema, old: &ProtobufSchema, direction: Direction) -> Vec<Difference> {
    let (original, update, reader, writer) = match direction {
        Direction::Backward => (old, new, "new", "old"),
        Direction::Forward => (new, old, "old", "new"),
    };
    let found = compare(&Side::of(original), &Side::of(update), Keep::Incompatible);
    found.into_iter().map(|found| worded(found, reader, writer)).collect()
}

/// Every change from `original` to `update`, compatible ones too, in the reference's order.
pub fn changes(original: &ProtobufSchema, update: &ProtobufSchema) -> Vec<Found> {
    compare(&Side::of(original), &Side::of(update), Keep::Everything)
}

/// Which changes a walk collects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Keep {
    /// What [`differences`] reports.
    Incompatible,
    /// Compatible changes too.
    Everything,
}

/// The changes between two files with their dependencies: first exactly as the reference walks them; when that
/// takes too many steps (types that refer to each other across references), once more with every pair of types
/// compared once.
pub(crate) fn compare<'a>(original: &Side<'a>, update: &Side<'a>, keep: Keep) -> Vec<Found> {
    let mut exact = Walk::exact(original, update, Report::new(keep));
    compare_files(&mut exact, original, update);
    if !exact.gave_up() {
        return exact.into_found();
    }
    let mut wide = Walk::wide(original, update, Report::new(keep));
    compare_files(&mut wide, original, update);
    wide.compare_queued();
    wide.into_found()
}

fn compare_files<'a>(walk: &mut Walk<'a>, original: &Side<'a>, update: &Side<'a>) {
    package_changed(original, update, &mut walk.report);
    message::compare_siblings(walk, message::Siblings::of_file(original.root), message::Siblings::of_file(update.root));
}

/// The package differs, or only one file has one. Reported at the file, `#/`.
fn package_changed(original: &Side<'_>, update: &Side<'_>, out: &mut Report) {
    if original.root.package != update.root.package {
        out.add(PACKAGE_CHANGED);
    }
}

fn worded(found: Found, reader: &str, writer: &str) -> Difference {
    let sides = found.change.template.replace("%1", reader).replace("%2", writer);
    let description = sides.replacen("'P'", &format!("'{}'", found.path), 1);
    let message = format!("{{errorType:\"{}\", description:\"{description}\"}}", found.change.id);
    Difference { kind: found.change.id, path: found.path, message }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Reference;
    use crate::protobuf::model::ProtoFile;
    use crate::protobuf::parse::parse_text;

    /// Types that refer to each other at will, as one file.
    fn tangle() -> impl Strategy<Value = ProtoFile> {
        let kinds =
            proptest::sample::select(vec!["int32", "int32", "string", "T0", "T1", "T2", "T3", "map<int32, T1>"]);
        proptest::collection::vec(proptest::collection::vec(kinds, 0..3), 4).prop_map(|messages| {
            let message = |(n, kinds): (usize, &Vec<&str>)| {
                let field = |(n, kind): (usize, &&str)| format!("{kind} f{n} = {}; ", n + 1);
                format!("message T{n} {{ {} }}\n", kinds.iter().enumerate().map(field).collect::<String>())
            };
            let messages: String = messages.iter().enumerate().map(message).collect();
            parse_text(&format!("syntax = \"proto3\"; package dep; {messages}")).unwrap()
        })
    }

    fn reference(version: i32) -> Reference {
        Reference { name: "dep.proto".to_owned(), subject: "dep".to_owned(), version }
    }

    proptest! {
        #[test]
        fn exact_and_wide_walks_agree_on_the_verdict_and_on_the_distinct_changes(old in tangle(), new in tangle()) {
            let main = parse_text("syntax = \"proto3\"; message Main { dep.T0 a = 1; dep.T1 b = 2; }").unwrap();
            let (first, second) = (reference(1), reference(2));
            let original = Side { root: &main, dependencies: vec![(Some(&first), &old)] };
            let update = Side { root: &main, dependencies: vec![(Some(&second), &new)] };
            let keep = Keep::Incompatible;
            let mut exact = Walk::exact(&original, &update, Report::new(keep));
            compare_files(&mut exact, &original, &update);
            let mut wide = Walk::wide(&original, &update, Report::new(keep));
            compare_files(&mut wide, &original, &update);
            wide.compare_queued();
            prop_assert!(!exact.gave_up());
            // A wide walk does not repeat at a field what it says of the field's type.
            let distinct = |found: Vec<Found>| -> std::collections::BTreeSet<(&str, String)> {
                let said = found.into_iter().filter(|found| found.change != FIELD_NAMED_TYPE_CHANGED);
                said.map(|found| (found.change.id, found.path)).collect()
            };
            let (exact, wide) = (exact.into_found(), wide.into_found());
            prop_assert_eq!(exact.is_empty(), wide.is_empty());
            prop_assert_eq!(distinct(exact), distinct(wide));
        }
    }
}
