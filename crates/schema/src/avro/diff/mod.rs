//! Compatibility of two Avro schemas: every incompatibility of the reference, as a table.
//!
//! `walk` compares pairs of types from the roots on, `path` keeps where; [`differences`] words what was found. What
//! Avro lets evolve is not reported. Logical types, docs, orders, defaults' values and properties take no part.
//!
//! To add a rule: a row in [`CHANGES`], its place in `walk.rs`, rows in `tests/avro_compatibility.rs` (one that fires
//! it, one near miss that must not).
//!
//! Source: Avro Java `SchemaCompatibility`, 1.12; Confluent `avro/Difference.java`, 8.2.0 and later.

mod path;
mod walk;

use std::collections::HashSet;

use super::model::{AvroModel, Enum, Kind, TypeId};
use crate::Difference;
use crate::compat::Direction;

use walk::{Found, Outcome, Part, Stopped, Walk};

/// An incompatibility: its wire name and how it is worded.
#[derive(Debug)]
pub struct Change {
    /// e.g. `TYPE_MISMATCH`.
    pub id: &'static str,
    /// Message template: `%1`/`%2` the sides, `'P'` the path and `'I'` the additional text in their quotes.
    pub template: &'static str,
    /// The additional text.
    info: fn(&Walk<'_>, &Found) -> String,
}

/// Declares each change type as a constant and as a row of [`CHANGES`], so that neither can miss the other.
macro_rules! changes {
    ($($name:ident, $info:ident, $template:literal;)*) => {
        $(const $name: &Change = &Change { id: stringify!($name), template: $template, info: $info };)*

        /// Every change type, in the reference's order.
        pub const CHANGES: &[&Change] = &[$($name),*];
    };
}

changes! {
    NAME_MISMATCH, expected_name, "The name of the schema has changed (path 'P')";
    FIXED_SIZE_MISMATCH, sizes,
        "The size of FIXED type field at path 'P' in the %1 schema does not match with the %2 schema";
    MISSING_ENUM_SYMBOLS, symbols, "The %1 schema is missing enum symbols 'I' at path 'P' in the %2 schema";
    READER_FIELD_MISSING_DEFAULT_VALUE, field_name,
        "The field 'I' at path 'P' in the %1 schema has no default value and is missing in the %2 schema";
    TYPE_MISMATCH, types, "The type (path 'P') of a field in the %1 schema does not match with the %2 schema";
    MISSING_UNION_BRANCH, branch,
        "The %1 schema is missing a type inside a union field at path 'P' in the %2 schema";
}

/// Bytes of messages that are listed. What was found in a type is listed once for each of its uses, and uses of types
/// that use types twice double at every level.
const MAX_LISTED_BYTES: usize = 4 * 1024 * 1024;

/// The kind of the one difference that says why there is no verdict.
const UNDECIDED: &str = "UNEXPECTED_EXCEPTION";

/// The incompatibilities of `new` and `old`, worded for `direction`: [`Direction::Backward`] asks whether `new` reads
/// what `old` wrote, [`Direction::Forward`] the opposite.
///
/// In the reference's order; at most about 4 MiB, so a list may be cut but is never empty by that. Schemas that cannot
/// be compared (two fields that one field could be read from, types that take too many steps) give one difference that
/// says so.
pub fn differences(new: &AvroModel, old: &AvroModel, direction: Direction) -> Vec<Difference> {
    let (reader, writer, sides) = match direction {
        Direction::Backward => (new, old, ("new", "old")),
        Direction::Forward => (old, new, ("old", "new")),
    };
    if reader == writer && !reads_by_aliases(reader) {
        return Vec::new();
    }
    let mut walk = Walk::new(reader, writer);
    match walk.run() {
        Ok(outcome) => list(&walk, outcome, sides),
        Err(stopped) => vec![undecided(&stopped)],
    }
}

/// Whether a field may read another than the one of its name: then a schema may not even read its own data.
fn reads_by_aliases(model: &AvroModel) -> bool {
    model.types.iter().any(|found| match &found.kind {
        Kind::Record(record) => record.fields.iter().any(|field| !field.aliases.is_empty()),
        _ => false,
    })
}

/// Writes out what was found, that of repeated types as often as they are used.
fn list(walk: &Walk<'_>, outcome: Outcome, sides: (&str, &str)) -> Vec<Difference> {
    let mut listed = Vec::new();
    let mut bytes = 0;
    let mut open = vec![walk.parts(outcome).iter()];
    while let Some(parts) = open.last_mut() {
        match parts.next() {
            None => {
                open.pop();
            }
            Some(Part::Pair(outcome)) => open.push(walk.parts(*outcome).iter()),
            Some(Part::Found(found)) => {
                let difference = worded(walk, found, sides);
                bytes += difference.message.len() + difference.path.len();
                listed.push(difference);
                if bytes > MAX_LISTED_BYTES {
                    break;
                }
            }
        }
    }
    listed
}

fn worded(walk: &Walk<'_>, found: &Found, (reader, writer): (&str, &str)) -> Difference {
    let Change { id, template, info } = found.change;
    let path = walk.path.pointer(found.path);
    let info = info(walk, found);
    // The path has no quotes, so the text that comes from a schema is put in last.
    let template = template.replace("%1", reader).replace("%2", writer);
    let template = template.replacen("'P'", &format!("'{path}'"), 1);
    let description = template.replacen("'I'", &format!("'{info}'"), 1);
    let message = format!("{{errorType:'{id}', description:'{description}', additionalInfo:'{info}'}}");
    Difference { kind: id, path, message }
}

fn undecided(stopped: &Stopped) -> Difference {
    let message = format!("Unexpected exception during compatibility check: {stopped}");
    Difference { kind: UNDECIDED, path: String::new(), message }
}

fn expected_name(walk: &Walk<'_>, found: &Found) -> String {
    let name = walk.writer[found.writer].kind.name();
    format!("expected: {}", name.map_or("", |name| name.full()))
}

fn sizes(walk: &Walk<'_>, found: &Found) -> String {
    match (&walk.reader[found.reader].kind, &walk.writer[found.writer].kind) {
        (Kind::Fixed(own), Kind::Fixed(written)) => format!("expected: {}, found: {}", written.size, own.size),
        _ => String::new(),
    }
}

fn symbols(walk: &Walk<'_>, found: &Found) -> String {
    match (&walk.reader[found.reader].kind, &walk.writer[found.writer].kind) {
        (Kind::Enum(own), Kind::Enum(written)) => format!("[{}]", missing_symbols(own, written).join(", ")),
        _ => String::new(),
    }
}

fn field_name(walk: &Walk<'_>, found: &Found) -> String {
    match &walk.reader[found.reader].kind {
        Kind::Record(own) => own.fields.get(found.field as usize).map(|field| field.name.clone()).unwrap_or_default(),
        _ => String::new(),
    }
}

fn types(walk: &Walk<'_>, found: &Found) -> String {
    let (reader, writer) = (type_word(walk.reader, found.reader), type_word(walk.writer, found.writer));
    format!("reader type: {reader} not compatible with writer type: {writer}")
}

fn branch(walk: &Walk<'_>, found: &Found) -> String {
    format!("reader union lacking writer type: {}", type_word(walk.writer, found.writer))
}

/// The kind of a type, in capitals.
fn type_word(model: &AvroModel, at: TypeId) -> String {
    model[at].kind.word().to_ascii_uppercase()
}

/// Symbols of the writer's enum that the reader's has not, sorted as Java sorts texts.
fn missing_symbols<'w>(reader: &Enum, writer: &'w Enum) -> Vec<&'w str> {
    let own: HashSet<&str> = reader.symbols.iter().map(String::as_str).collect();
    let mut missing: Vec<&str> = writer.symbols.iter().map(String::as_str).filter(|s| !own.contains(s)).collect();
    missing.sort_by(|a, b| a.encode_utf16().cmp(b.encode_utf16()));
    missing
}
