//! What a change from one logical type to another breaks for rows that are there already.
//!
//! Flink refuses what would make a stored value mean another one, or need a value that nobody wrote. Iceberg (format
//! version 2) knows columns by their numbers, which a schema does not have: fields may not go, move or be renamed
//! either, and an added column has no default there. Fields are compared by name; what a name stands for is compared
//! once, where it is met first. Steps lie on a list of our own: names lead as deep as they like.
//!
//! Source: schema-registry `type/logical/policy/{FlinkComparison,IcebergComparison,CompatibilityChecker}`, 8.5.

use std::collections::{HashMap, HashSet};

use super::place::{Findings, Place, Places, Step};
use super::policy::Mode;
use super::{Branch, Column, Fallback, Field, Kind, Leaf, LogicalType, flink, iceberg};

/// What breaks when rows of `original` are read by `update`: a line each, or `None`.
pub(super) fn findings(mode: Mode, original: &LogicalType, update: &LogicalType) -> Option<String> {
    let (Some(old), Some(new)) = (&original.root, &update.root) else { return None };
    let mut comparison = Comparison {
        mode,
        original,
        update,
        places: Places::default(),
        open: vec![Open::Types(&old.kind, &new.kind, Places::ROOT)],
        named: HashSet::new(),
        structs: HashSet::new(),
        found: Findings::default(),
    };
    while let Some(next) = comparison.open.pop() {
        match next {
            Open::Types(old, new, at) => comparison.types(old, new, at),
            Open::Found(rule, message, at) => comparison.add(rule, at, message),
        }
    }
    comparison.found.lines()
}

/// What is still to do, in the order of the reference's findings.
enum Open<'a> {
    /// Compare these.
    Types(&'a Kind, &'a Kind, Place),
    /// Say this, when its turn comes.
    Found(&'static str, &'static str, Place),
}

struct Comparison<'a> {
    mode: Mode,
    original: &'a LogicalType,
    update: &'a LogicalType,
    places: Places<'a>,
    /// The next one last.
    open: Vec<Open<'a>>,
    /// Names that were compared.
    named: HashSet<(&'a str, &'a str)>,
    /// Structs that were compared, by where they lie: one that is reached through a name and without is one.
    structs: HashSet<(*const Kind, *const Kind)>,
    found: Findings,
}

/// A field of a struct or a branch of a union.
struct Member<'a> {
    name: &'a str,
    column: &'a Column,
    default: Option<&'a Fallback>,
    /// Branches take NULL: a row has one of them.
    is_nullable: bool,
}

impl<'a> Member<'a> {
    fn of_field(field: &'a Field) -> Member<'a> {
        let Field { name, column, default, .. } = field;
        Member { name, column, default: default.as_ref(), is_nullable: column.is_nullable }
    }

    fn of_branch(branch: &'a Branch) -> Member<'a> {
        Member { name: &branch.name, column: &branch.column, default: None, is_nullable: true }
    }

    fn has_value_without_a_row(&self) -> bool {
        self.default.is_some_and(|default| *default != Fallback::Null)
    }
}

fn members(kind: &Kind) -> Vec<Member<'_>> {
    match kind {
        Kind::Struct(fields) => fields.iter().map(Member::of_field).collect(),
        Kind::Union(branches) => branches.iter().map(Member::of_branch).collect(),
        _ => Vec::new(),
    }
}

/// How often a value of a multiset occurs, where it is a map to numbers.
static COUNT: Kind = Kind::Leaf(Leaf::Int);

/// Keys and values of what Iceberg has as a map.
pub(super) fn entries(kind: &Kind) -> Option<(&Kind, &Kind)> {
    match kind {
        Kind::Map(keys, values) => Some((&keys.kind, &values.kind)),
        Kind::Multiset(items) => Some((&items.kind, &COUNT)),
        _ => None,
    }
}

impl<'a> Comparison<'a> {
    fn add(&mut self, rule: &str, at: Place, message: &str) {
        self.found.add(&self.places, at, rule, message);
    }

    fn types(&mut self, old: &'a Kind, new: &'a Kind, at: Place) {
        if let (Kind::Ref(old), Kind::Ref(new)) = (old, new)
            && !self.named.insert((old, new))
        {
            return;
        }
        let (old, new) = (self.original.resolve(old), self.update.resolve(new));
        match (self.mode, old, new) {
            // Names that stand for nothing here can only be the same or not.
            (_, Kind::Ref(old), Kind::Ref(new)) if old == new => {}
            (_, Kind::Struct(_) | Kind::Union(_), Kind::Struct(_) | Kind::Union(_)) => {
                if self.structs.insert((std::ptr::from_ref(old), std::ptr::from_ref(new))) {
                    self.structs(old, new, at);
                }
            }
            (Mode::Flink, Kind::Array(old), Kind::Array(new))
            | (Mode::Flink, Kind::Multiset(old), Kind::Multiset(new)) => self.children(&[(old, new, Step::Items)], at),
            (Mode::Flink, Kind::Map(old_keys, old_values), Kind::Map(new_keys, new_values)) => {
                self.children(&[(old_keys, new_keys, Step::Keys), (old_values, new_values, Step::Values)], at);
            }
            (Mode::IcebergV2, Kind::Array(old), Kind::Array(new)) => {
                let below = self.places.below(at, Step::Items);
                self.open.push(Open::Types(&old.kind, &new.kind, below));
            }
            (Mode::IcebergV2, Kind::Map(..) | Kind::Multiset(_), Kind::Map(..) | Kind::Multiset(_)) => {
                self.maps(old, new, at);
            }
            (mode, Kind::Leaf(old_leaf), Kind::Leaf(new_leaf)) => {
                let why = match mode {
                    Mode::Flink => flink::change(old_leaf, new_leaf),
                    Mode::IcebergV2 => iceberg::change(old_leaf, new_leaf),
                };
                if let Some(why) = why {
                    self.add("UNSUPPORTED_TYPE_CHANGE", at, &format!("{}{why}", changed(old, new)));
                }
            }
            _ => self.add("TYPE_MISMATCH", at, &changed(old, new)),
        }
    }

    /// What lies in containers, for Flink: it may not lose its NULLs, as a column may not.
    fn children(&mut self, pairs: &[(&'a Column, &'a Column, Step<'a>)], at: Place) {
        for (old, new, step) in pairs.iter().rev() {
            let below = self.places.below(at, *step);
            self.open.push(Open::Types(&old.kind, &new.kind, below));
            if old.is_nullable && !new.is_nullable {
                let what = "container child was nullable and is now NOT NULL; existing collections may hold nulls";
                self.open.push(Open::Found("NULLABLE_TO_NON_NULLABLE", what, below));
            }
        }
    }

    /// Iceberg's maps: their keys stay what they are.
    fn maps(&mut self, old: &'a Kind, new: &'a Kind, at: Place) {
        let (Some((old_keys, old_values)), Some((new_keys, new_values))) = (entries(old), entries(new)) else { return };
        if !iceberg::are_same(self.original, old_keys, self.update, new_keys) {
            let (from, to) = (old_keys.named_shortly(), new_keys.named_shortly());
            self.add("MAP_KEY_TYPE_MISMATCH", at, &format!("map key type changed from {from} to {to}"));
        }
        let below = self.places.below(at, Step::Values);
        self.open.push(Open::Types(old_values, new_values, below));
    }

    fn structs(&mut self, old: &'a Kind, new: &'a Kind, at: Place) {
        let (old, new) = (members(old), members(new));
        let before: HashMap<&str, (usize, &Member)> =
            old.iter().enumerate().map(|(place, member)| (member.name, (place, member))).collect();
        let mut steps = Vec::new();
        let mut last = 0;
        for member in &new {
            let below = self.places.below(at, Step::Field(member.name));
            let Some((place, was)) = before.get(member.name).copied() else {
                if let Some(why) = self.added(member) {
                    steps.push(Open::Found("REQUIRED_FIELD_ADDED", why, below));
                }
                continue;
            };
            if self.mode == Mode::IcebergV2 {
                if place < last {
                    let why = "field moved ahead of a field that preceded it in the original schema";
                    steps.push(Open::Found("FIELD_REORDERED", why, below));
                }
                last = place;
            }
            steps.extend(self.tightened(was, member).map(|(rule, why)| Open::Found(rule, why, below)));
            steps.push(Open::Types(&was.column.kind, &member.column.kind, below));
        }
        if self.mode == Mode::IcebergV2 {
            let now: HashSet<&str> = new.iter().map(|member| member.name).collect();
            for gone in old.iter().filter(|member| !now.contains(member.name)) {
                let below = self.places.below(at, Step::Field(gone.name));
                let why = "field present in the original schema is missing from the update";
                steps.push(Open::Found("FIELD_DELETED", why, below));
            }
        }
        self.open.extend(steps.into_iter().rev());
    }

    /// Why rows from before this member existed cannot be read.
    fn added(&self, member: &Member) -> Option<&'static str> {
        match self.mode {
            Mode::Flink if member.is_nullable || member.has_value_without_a_row() => None,
            Mode::Flink => Some(
                "added column is neither nullable nor defaulted, so rows written before it existed have no value for \
                 it",
            ),
            Mode::IcebergV2 if self.is_optional(member, None) => None,
            Mode::IcebergV2 => Some(
                "added field is neither nullable nor defaulted, so pre-existing rows have no value for it; \
                 format-version 2 cannot store a column default",
            ),
        }
    }

    /// Why rows with NULL, or without the member, cannot be read any more.
    fn tightened(&self, was: &Member, member: &Member) -> Option<(&'static str, &'static str)> {
        match self.mode {
            Mode::Flink if was.is_nullable && !member.is_nullable => Some((
                "NULLABLE_TO_NON_NULLABLE",
                "column was nullable and is now NOT NULL; pre-existing rows may hold nulls",
            )),
            Mode::Flink
                if !member.is_nullable && was.has_value_without_a_row() && !member.has_value_without_a_row() =>
            {
                Some((
                    "NON_NULLABLE_DEFAULT_REMOVED",
                    "NOT NULL column lost its default; rows that omitted the column have no value to read",
                ))
            }
            Mode::IcebergV2 if was.is_nullable && !self.is_optional(member, Some(was)) => Some((
                "NULLABLE_TO_NON_NULLABLE",
                "field was nullable and is now non-nullable; pre-existing rows may hold nulls",
            )),
            _ => None,
        }
    }

    /// Whether Iceberg may have the member as one that takes NULL: containers with a default are written empty and
    /// read as NULL, which asks the same of nobody.
    fn is_optional(&self, member: &Member, was: Option<&Member>) -> bool {
        let is_container = || {
            let kind = self.update.resolve(&member.column.kind);
            matches!(kind, Kind::Array(_) | Kind::Map(..) | Kind::Multiset(_))
        };
        let is_free = was.is_none_or(|was| was.is_nullable);
        member.is_nullable || (member.default.is_some() && is_free && is_container())
    }
}

fn changed(old: &Kind, new: &Kind) -> String {
    format!("type changed from {} to {}", old.named_shortly(), new.named_shortly())
}
