//! Whether Flink and Iceberg can have a table of a logical type at all, whatever came before it.
//!
//! Only what the root leads to counts, and each named type once. Steps lie on a list of our own: names lead as deep as
//! they like.
//!
//! Source: schema-registry `type/logical/policy/ValidityChecker`, 8.5.

use std::collections::{HashMap, HashSet};

use super::iceberg::MICROSECONDS;
use super::place::{Findings, Place, Places, Step};
use super::policy::Mode;
use super::{Kind, Leaf, LogicalType};

/// Digits that both count decimals in.
const DECIMAL_DIGITS: std::ops::RangeInclusive<i64> = 1..=38;

/// What they cannot have: a line each, or `None`.
pub(super) fn findings(mode: Mode, logical: &LogicalType) -> Option<String> {
    let root = logical.root.as_ref()?;
    let mut walk = Walk {
        mode,
        logical,
        cyclic: logical.cyclic(),
        places: Places::default(),
        open: vec![(&root.kind, Places::ROOT)],
        walked: HashSet::new(),
        found: Findings::default(),
    };
    while let Some((kind, at)) = walk.open.pop() {
        walk.kind(kind, at);
    }
    walk.found.lines()
}

struct Walk<'a> {
    mode: Mode,
    logical: &'a LogicalType,
    /// Of each named type whether it holds itself.
    cyclic: Vec<bool>,
    places: Places<'a>,
    /// The next one last.
    open: Vec<(&'a Kind, Place)>,
    walked: HashSet<usize>,
    found: Findings,
}

impl<'a> Walk<'a> {
    fn add(&mut self, rule: &str, at: Place, message: &str) {
        self.found.add(&self.places, at, rule, message);
    }

    fn kind(&mut self, kind: &'a Kind, at: Place) {
        match kind {
            Kind::Leaf(leaf) => self.leaf(leaf, at),
            Kind::Ref(name) => self.named(name, at),
            Kind::Struct(fields) => {
                let parts = fields.iter().map(|field| (field.name.as_str(), &field.column.kind)).collect();
                self.parts("struct", parts, at);
            }
            Kind::Union(branches) => {
                let parts = branches.iter().map(|branch| (branch.name.as_str(), &branch.column.kind)).collect();
                self.parts("union", parts, at);
            }
            Kind::Array(items) | Kind::Multiset(items) => self.below(&[(&items.kind, Step::Items)], at),
            Kind::Map(keys, values) => self.below(&[(&keys.kind, Step::Keys), (&values.kind, Step::Values)], at),
        }
    }

    fn below(&mut self, kinds: &[(&'a Kind, Step<'a>)], at: Place) {
        for (kind, step) in kinds.iter().rev() {
            let below = self.places.below(at, *step);
            self.open.push((kind, below));
        }
    }

    fn parts(&mut self, what: &str, parts: Vec<(&'a str, &'a Kind)>, at: Place) {
        if self.mode == Mode::IcebergV2 {
            if parts.is_empty() {
                self.add("EMPTY_STRUCT", at, &format!("a {what} must have at least one field"));
            }
            self.cases(parts.iter().map(|(name, _)| *name), at);
        }
        let kinds: Vec<_> = parts.into_iter().map(|(name, kind)| (kind, Step::Field(name))).collect();
        self.below(&kinds, at);
    }

    /// Iceberg looks names up in any case.
    fn cases(&mut self, names: impl Iterator<Item = &'a str>, at: Place) {
        let mut first: HashMap<String, &str> = HashMap::new();
        let mut told = HashSet::new();
        for name in names {
            let key = name.to_lowercase();
            match first.get(&key).copied() {
                None => drop(first.insert(key, name)),
                Some(other) if told.insert(key) => {
                    let why = format!(
                        "field names '{other}' and '{name}' differ only in case, which Iceberg's case-insensitive \
                         name index cannot distinguish"
                    );
                    self.add("FIELD_NAME_CASE_COLLISION", at, &why);
                }
                Some(_) => {}
            }
        }
    }

    fn named(&mut self, name: &str, at: Place) {
        match self.logical.declared(name) {
            None => {
                self.add("UNRESOLVED_TYPE_REF", at, &format!("named type '{name}' is referenced but not defined"));
            }
            Some(place) if self.cyclic[place] => {
                let why = format!(
                    "named type '{name}' refers to itself, and cannot be represented by a non-recursive type system"
                );
                self.add("CYCLIC_TYPE", at, &why);
            }
            Some(place) if self.walked.insert(place) => self.open.push((&self.logical.named[place].1.kind, at)),
            Some(_) => {}
        }
    }

    fn leaf(&mut self, leaf: &Leaf, at: Place) {
        match leaf {
            Leaf::Decimal { precision, scale } => {
                if !DECIMAL_DIGITS.contains(precision) {
                    let (least, most) = DECIMAL_DIGITS.into_inner();
                    let why = format!("DECIMAL precision {precision} is outside the supported range {least} to {most}");
                    self.add("PRECISION_OUT_OF_RANGE", at, &why);
                }
                if *scale < 0 || scale > precision {
                    let why =
                        format!("DECIMAL scale {scale} is outside the supported range 0 to the precision {precision}");
                    self.add("SCALE_OUT_OF_RANGE", at, &why);
                }
            }
            Leaf::Timestamp(digits) | Leaf::TimestampLtz(digits)
                if self.mode == Mode::IcebergV2 && *digits > MICROSECONDS =>
            {
                let why = format!(
                    "{} needs Iceberg's nanosecond timestamp types, which arrived in format-version 3",
                    leaf.with_parameters()
                );
                self.add("UNREPRESENTABLE_TYPE", at, &why);
            }
            Leaf::Char(length) | Leaf::Binary(length) => self.length(leaf, *length, 1, at),
            Leaf::Varchar(length) | Leaf::Varbinary(length) => self.length(leaf, *length, 0, at),
            Leaf::Variant if self.mode == Mode::IcebergV2 => {
                let why = "VARIANT needs Iceberg's variant type, which arrived in format-version 3";
                self.add("UNREPRESENTABLE_TYPE", at, why);
            }
            _ => {}
        }
    }

    fn length(&mut self, leaf: &Leaf, length: i64, least: i64, at: Place) {
        if length < least {
            let why = format!("{} length {length} is below the minimum of {least}", leaf.word());
            self.add("LENGTH_OUT_OF_RANGE", at, &why);
        }
    }
}
