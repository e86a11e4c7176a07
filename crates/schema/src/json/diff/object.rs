//! Objects: which properties there are, which must be, and what others may be.
//!
//! The *content model* decides what an added or removed property means. Open: other properties may be anything. Closed:
//! there are no others. Partially open: others must fit a pattern's schema, or the schema of additional properties.
//!
//! Source: Confluent `json/diff/ObjectSchemaDiff.java`, 8.2.0 and later.

use std::cell::OnceCell;
use std::collections::HashSet;

use super::java_hash;
use super::pair::{Pair, Sides};
use super::rule::{Findings, Step, compare_limit};
use super::*;
use crate::json::model::{Kind, NodeId, ObjectSchema};

pub(super) fn compare(
    sides: &Sides<'_>,
    pair: Pair,
    original: &ObjectSchema,
    update: &ObjectSchema,
    out: &mut impl Findings,
) {
    let objects = Objects { sides, pair, original, update, must_be: OnceCell::new() };
    objects.required(out);
    objects.properties(out);
    objects.dependencies(out);
    objects.additional_properties(out);
    let limits = (original.max_properties, update.max_properties);
    let changes = [MAX_PROPERTIES_ADDED, MAX_PROPERTIES_REMOVED, MAX_PROPERTIES_INCREASED, MAX_PROPERTIES_DECREASED];
    compare_limit("maxProperties", limits.0, limits.1, changes, out);
    let limits = (original.min_properties, update.min_properties);
    let changes = [MIN_PROPERTIES_ADDED, MIN_PROPERTIES_REMOVED, MIN_PROPERTIES_INCREASED, MIN_PROPERTIES_DECREASED];
    compare_limit("minProperties", limits.0, limits.1, changes, out);
}

struct Objects<'a, 's> {
    sides: &'s Sides<'a>,
    pair: Pair,
    original: &'s ObjectSchema,
    update: &'s ObjectSchema,
    /// The names that the update requires, gathered when they are first asked for.
    must_be: OnceCell<HashSet<&'s str>>,
}

impl<'s> Objects<'_, 's> {
    /// Properties of both that begin or cease to be required. Names that have no property take no part.
    fn required(&self, out: &mut impl Findings) {
        if self.original.required == self.update.required {
            return;
        }
        let had_to_be = set_of(&self.original.required);
        let names = self.original.properties.names();
        for name in if out.wants_order() { java_hash::map_order(names) } else { names.collect() } {
            let Some(property) = self.update.properties.get(name) else { continue };
            let change = match (had_to_be.contains(name), self.must_be(name)) {
                (true, false) => REQUIRED_ATTRIBUTE_REMOVED,
                (false, true) if self.has_default(*property) => REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED,
                (false, true) => REQUIRED_ATTRIBUTE_ADDED,
                _ => continue,
            };
            out.change(Step::Name("required", name), change);
        }
    }

    fn must_be(&self, name: &str) -> bool {
        self.must_be.get_or_init(|| set_of(&self.update.required)).contains(name)
    }

    fn properties(&self, out: &mut impl Findings) {
        let (original, update) = (&self.original.properties, &self.update.properties);
        if out.wants_order() {
            for name in java_hash::union(original.names(), update.names()) {
                self.property(name, original.get(name), update.get(name), out);
            }
            return;
        }
        // Most versions name the same properties in the same order: then each is at hand.
        for (at, (name, was)) in original.iter().enumerate() {
            self.property(name, Some(was), update.get_near(at, name), out);
            if out.is_settled() {
                return;
            }
        }
        for (at, (name, is)) in update.iter().enumerate() {
            if original.get_near(at, name).is_none() {
                self.property(name, None, Some(is), out);
            }
        }
    }

    fn property(&self, name: &'s str, was: Option<&NodeId>, is: Option<&NodeId>, out: &mut impl Findings) {
        if out.is_settled() {
            return;
        }
        let step = Step::Name("properties", name);
        match (was, is) {
            (Some(was), Some(is)) => out.compare(step, self.sides.inside(self.pair, *was, *is)),
            (Some(was), None) => self.property_removed(name, *was, step, out),
            (None, Some(is)) => self.property_added(name, *is, step, out),
            (None, None) => {}
        }
    }

    /// What the new content model says of a property that is no longer named.
    fn property_removed(&self, name: &str, was: NodeId, step: Step<'_>, out: &mut impl Findings) {
        if self.is_open(Which::Update) {
            return out.change(step, PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL);
        }
        let Some(others) = self.schema_of_others(Which::Update, name, out) else {
            let was_none = matches!(self.sides.in_original(self.pair, was).kind, Kind::False);
            let closed = PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL;
            return out
                .change(step, if was_none { PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL } else { closed });
        };
        let covered = PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL;
        let not_covered = PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL;
        covered_or_not(step, self.sides.inside(self.pair, was, others), covered, not_covered, out);
    }

    /// What the old content model said of a property that is new.
    fn property_added(&self, name: &str, is: NodeId, step: Step<'_>, out: &mut impl Findings) {
        let (required, has_default) = (self.must_be(name), self.has_default(is));
        if self.is_open(Which::Original) {
            let change = match (required, has_default) {
                _ if self.sides.in_update(self.pair, is).kind.is_empty() => {
                    PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL
                }
                (true, true) => REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL,
                (true, false) => REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL,
                (false, _) => OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL,
            };
            return out.change(step, change);
        }
        if let Some(others) = self.schema_of_others(Which::Original, name, out) {
            let covered = PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL;
            let not_covered = PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL;
            covered_or_not(step, self.sides.inside(self.pair, others, is), covered, not_covered, out);
        }
        let change = match (required, has_default) {
            (true, true) => REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL,
            (true, false) => REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL,
            (false, _) => OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL,
        };
        out.change(step, change);
    }

    fn dependencies(&self, out: &mut impl Findings) {
        let of_both = |object: &ObjectSchema| object.property_dependencies.len() + object.schema_dependencies.len();
        if of_both(self.original) + of_both(self.update) == 0 {
            return;
        }
        let (original, update) = (&self.original.property_dependencies, &self.update.property_dependencies);
        for name in java_hash::union(original.names(), update.names()) {
            if let Some(change) = dependency_changed(original.get(name), update.get(name)) {
                out.change(Step::Name("dependencies", name), change);
            }
        }
        let (original, update) = (&self.original.schema_dependencies, &self.update.schema_dependencies);
        for name in java_hash::union(original.names(), update.names()) {
            let step = Step::Name("dependencies", name);
            match (original.get(name), update.get(name)) {
                (Some(was), Some(is)) => out.compare(step, self.sides.inside(self.pair, *was, *is)),
                (_, None) => out.change(step, DEPENDENCY_SCHEMA_REMOVED),
                (None, Some(_)) => out.change(step, DEPENDENCY_SCHEMA_ADDED),
            }
        }
    }

    fn additional_properties(&self, out: &mut impl Findings) {
        let step = Step::Keyword("additionalProperties");
        let permits = (self.original.additional_properties, self.update.additional_properties);
        let (was, is) = (self.original.schema_of_additional_properties, self.update.schema_of_additional_properties);
        match (permits, was, is) {
            ((false, true), _, _) => out.change(step, ADDITIONAL_PROPERTIES_ADDED),
            ((true, false), _, _) => out.change(step, ADDITIONAL_PROPERTIES_REMOVED),
            (_, None, Some(_)) => out.change(step, ADDITIONAL_PROPERTIES_NARROWED),
            (_, Some(_), None) => out.change(step, ADDITIONAL_PROPERTIES_EXTENDED),
            (_, Some(was), Some(is)) => out.compare(step, self.sides.inside(self.pair, was, is)),
            (_, None, None) => {}
        }
    }

    /// Whether other properties may be anything.
    fn is_open(&self, which: Which) -> bool {
        let object = self.object(which);
        object.pattern_properties.is_empty()
            && object.schema_of_additional_properties.is_none()
            && object.additional_properties
    }

    /// The schema that a property of this name must fit though it is not named.
    fn schema_of_others(&self, which: Which, name: &str, out: &mut impl Findings) -> Option<NodeId> {
        let object = self.object(which);
        for (pattern, id) in object.pattern_properties.iter() {
            if self.sides.patterns.borrow_mut().finds(pattern, name, |steps| out.spend(steps)) {
                return Some(*id);
            }
        }
        object.schema_of_additional_properties
    }

    fn object(&self, which: Which) -> &ObjectSchema {
        match which {
            Which::Original => self.original,
            Which::Update => self.update,
        }
    }

    fn has_default(&self, property: NodeId) -> bool {
        self.sides.in_update(self.pair, property).has_default()
    }
}

#[derive(Debug, Clone, Copy)]
enum Which {
    Original,
    Update,
}

/// Everything between what is named on one side and what covers it on the other, and whether it does.
pub(super) fn covered_or_not(
    step: Step<'_>,
    pair: Pair,
    covered: Change,
    not_covered: Change,
    out: &mut impl Findings,
) {
    out.compare(step, pair);
    let change = if out.is_compatible(pair) { covered } else { not_covered };
    out.change(step, change);
}

fn set_of(names: &[Box<str>]) -> HashSet<&str> {
    names.iter().map(|name| &**name).collect()
}

fn dependency_changed(original: Option<&Vec<Box<str>>>, update: Option<&Vec<Box<str>>>) -> Option<Change> {
    let (was, is) = match (original, update) {
        (_, None) => return Some(DEPENDENCY_ARRAY_REMOVED),
        (None, Some(_)) => return Some(DEPENDENCY_ARRAY_ADDED),
        (Some(was), Some(is)) => (was, is),
    };
    let set = |names: &'_ [Box<str>]| -> HashSet<Box<str>> { names.iter().cloned().collect() };
    if was == is {
        return None;
    }
    let (was, is) = (set(was), set(is));
    match (was.is_subset(&is), is.is_subset(&was)) {
        (true, true) => None,
        (true, false) => Some(DEPENDENCY_ARRAY_EXTENDED),
        (false, true) => Some(DEPENDENCY_ARRAY_NARROWED),
        (false, false) => Some(DEPENDENCY_ARRAY_CHANGED),
    }
}
