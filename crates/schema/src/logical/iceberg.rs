//! Which types without parts Iceberg can read as which others: few, but it has few types.
//!
//! Source: schema-registry `type/logical/policy/IcebergComparison`, 8.5.

use super::compare::entries;
use super::{Kind, Leaf, LogicalType, flink};

/// Types inside each other that two keys are compared over; deeper ones count as changed.
const MAX_DEPTH: usize = 64;
/// Types that two keys are compared over; more count as changed.
const MAX_TYPES: usize = 10_000;

/// Digits behind the second that a column of microseconds holds.
pub(super) const MICROSECONDS: i64 = 6;

/// Why values of `old` cannot be read as `new`, as the end of a sentence about the two; `None` when they can.
pub(super) fn change(old: &Leaf, new: &Leaf) -> Option<&'static str> {
    match (class(old), class(new)) {
        ("decimal", "decimal") => flink::decimal(old, new),
        ("fixed", "fixed") if !is_same(old, new) => Some(" (fixed-length binary cannot change length)"),
        (old, new) if old == new => None,
        ("int", "long") | ("float", "double") => None,
        _ => Some(""),
    }
}

/// What Iceberg has a type as.
fn class(leaf: &Leaf) -> &'static str {
    match leaf {
        Leaf::Boolean => "boolean",
        Leaf::TinyInt | Leaf::SmallInt | Leaf::Int => "int",
        Leaf::BigInt => "long",
        Leaf::Float => "float",
        Leaf::Double => "double",
        Leaf::Decimal { .. } => "decimal",
        Leaf::Date => "date",
        Leaf::Time(_) => "time",
        Leaf::Timestamp(digits) if *digits > MICROSECONDS => "timestamp_ns",
        Leaf::Timestamp(_) => "timestamp",
        Leaf::TimestampLtz(digits) if *digits > MICROSECONDS => "timestamptz_ns",
        Leaf::TimestampLtz(_) => "timestamptz",
        Leaf::Char(_) | Leaf::Varchar(_) | Leaf::Enum(_) => "string",
        Leaf::Varbinary(_) => "binary",
        Leaf::Binary(_) => "fixed",
        Leaf::Variant => "variant",
    }
}

fn is_same(old: &Leaf, new: &Leaf) -> bool {
    match (old, new) {
        (Leaf::Decimal { precision: was, scale: old }, Leaf::Decimal { precision: is, scale: new }) => {
            (was, old) == (is, new)
        }
        (Leaf::Binary(old), Leaf::Binary(new)) => old == new,
        _ => class(old) == class(new),
    }
}

/// Whether two keys of maps are one type to Iceberg. Names that lead back to themselves are the same if all else is.
pub(super) fn are_same(original: &LogicalType, old: &Kind, update: &LogicalType, new: &Kind) -> bool {
    Keys { original, update, open: Vec::new(), compared: 0 }.are_same(old, new, 0)
}

struct Keys<'a> {
    original: &'a LogicalType,
    update: &'a LogicalType,
    /// Names that are being compared.
    open: Vec<(&'a str, &'a str)>,
    compared: usize,
}

impl<'a> Keys<'a> {
    fn are_same(&mut self, old: &'a Kind, new: &'a Kind, depth: usize) -> bool {
        self.compared += 1;
        if depth > MAX_DEPTH || self.compared > MAX_TYPES {
            return false;
        }
        let (Kind::Ref(from), Kind::Ref(to)) = (old, new) else { return self.resolved(old, new, depth) };
        if self.open.contains(&(from, to)) {
            return true;
        }
        self.open.push((from, to));
        let are_same = self.resolved(old, new, depth);
        self.open.pop();
        are_same
    }

    fn resolved(&mut self, old: &'a Kind, new: &'a Kind, depth: usize) -> bool {
        let (old, new) = (self.original.resolve(old), self.update.resolve(new));
        match (old, new) {
            (Kind::Ref(old), Kind::Ref(new)) => old == new,
            (Kind::Struct(_) | Kind::Union(_), Kind::Struct(_) | Kind::Union(_)) => {
                let (old, new) = (parts(old), parts(new));
                let mut pairs = old.iter().zip(&new);
                old.len() == new.len()
                    && pairs.all(|((was, old), (is, new))| was == is && self.are_same(old, new, depth + 1))
            }
            (Kind::Array(old), Kind::Array(new)) => self.are_same(&old.kind, &new.kind, depth + 1),
            (Kind::Leaf(old), Kind::Leaf(new)) => is_same(old, new),
            _ => match (entries(old), entries(new)) {
                (Some((old_keys, old_values)), Some((new_keys, new_values))) => {
                    self.are_same(old_keys, new_keys, depth + 1) && self.are_same(old_values, new_values, depth + 1)
                }
                _ => false,
            },
        }
    }
}

fn parts(kind: &Kind) -> Vec<(&str, &Kind)> {
    match kind {
        Kind::Struct(fields) => fields.iter().map(|field| (field.name.as_str(), &field.column.kind)).collect(),
        Kind::Union(branches) => branches.iter().map(|branch| (branch.name.as_str(), &branch.column.kind)).collect(),
        _ => Vec::new(),
    }
}
