//! Arrays: the schema of all items, of items by place, and of those behind them.
//!
//! Items have content models as properties do; see `object.rs`.
//!
//! Source: Confluent `json/diff/ArraySchemaDiff.java`, 8.2.0 and later.

use super::object::covered_or_not;
use super::pair::{Pair, Sides};
use super::rule::{Findings, Step, compare_limit, compare_optional};
use super::*;
use crate::json::model::{ArraySchema, Kind, NodeId};
use crate::json::value::Number;

pub(super) fn compare(
    sides: &Sides<'_>,
    pair: Pair,
    original: &ArraySchema,
    update: &ArraySchema,
    out: &mut impl Findings,
) {
    compare_optional(sides, pair, original.all_items, update.all_items, Step::Keyword("items"), out);
    compare_items(sides, pair, original, update, out);
    compare_additional_items(sides, pair, original, update, out);
    compare_attributes(original, update, out);
}

/// Items by place: those of both, then those that only one side names.
fn compare_items(sides: &Sides<'_>, pair: Pair, original: &ArraySchema, update: &ArraySchema, out: &mut impl Findings) {
    let was = original.items.as_deref().unwrap_or_default();
    let is = update.items.as_deref().unwrap_or_default();
    for (index, (was, is)) in was.iter().zip(is).enumerate() {
        if out.is_settled() {
            return;
        }
        out.compare(Step::Index("items", index), sides.inside(pair, *was, *is));
    }
    let named_in_both = was.len().min(is.len());
    for (index, was) in was.iter().enumerate().skip(named_in_both) {
        item_removed(sides, pair, *was, update, Step::Index("items", index), out);
    }
    for (index, is) in is.iter().enumerate().skip(named_in_both) {
        item_added(sides, pair, *is, original, Step::Index("items", index), out);
    }
}

/// What the new content model says of an item that is no longer named.
fn item_removed(
    sides: &Sides<'_>,
    pair: Pair,
    was: NodeId,
    update: &ArraySchema,
    step: Step<'_>,
    out: &mut impl Findings,
) {
    if is_open(update) {
        return out.change(step, ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL);
    }
    let Some(others) = update.schema_of_additional_items else {
        let was_none = matches!(sides.in_original(pair, was).kind, Kind::False);
        let closed = ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL;
        return out.change(step, if was_none { ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL } else { closed });
    };
    let covered = ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL;
    let not_covered = ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL;
    covered_or_not(step, sides.inside(pair, was, others), covered, not_covered, out);
}

/// What the old content model said of an item that is new.
fn item_added(
    sides: &Sides<'_>,
    pair: Pair,
    is: NodeId,
    original: &ArraySchema,
    step: Step<'_>,
    out: &mut impl Findings,
) {
    if is_open(original) {
        let anything = sides.in_update(pair, is).kind.is_empty();
        let open = ITEM_ADDED_TO_OPEN_CONTENT_MODEL;
        return out.change(step, if anything { ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL } else { open });
    }
    let Some(others) = original.schema_of_additional_items else {
        return out.change(step, ITEM_ADDED_TO_CLOSED_CONTENT_MODEL);
    };
    let covered = ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL;
    let not_covered = ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL;
    covered_or_not(step, sides.inside(pair, others, is), covered, not_covered, out);
}

fn compare_additional_items(
    sides: &Sides<'_>,
    pair: Pair,
    original: &ArraySchema,
    update: &ArraySchema,
    out: &mut impl Findings,
) {
    let step = Step::Keyword("additionalItems");
    let permits = (original.additional_items, update.additional_items);
    match (permits, original.schema_of_additional_items, update.schema_of_additional_items) {
        ((false, true), _, _) => out.change(step, ADDITIONAL_ITEMS_ADDED),
        ((true, false), _, _) => out.change(step, ADDITIONAL_ITEMS_REMOVED),
        (_, None, Some(_)) => out.change(step, ADDITIONAL_ITEMS_NARROWED),
        (_, Some(_), None) => out.change(step, ADDITIONAL_ITEMS_EXTENDED),
        (_, Some(was), Some(is)) => out.compare(step, sides.inside(pair, was, is)),
        (_, None, None) => {}
    }
}

fn compare_attributes(original: &ArraySchema, update: &ArraySchema, out: &mut impl Findings) {
    let changes = [MAX_ITEMS_ADDED, MAX_ITEMS_REMOVED, MAX_ITEMS_INCREASED, MAX_ITEMS_DECREASED];
    compare_limit("maxItems", original.max_items, update.max_items, changes, out);
    let changes = [MIN_ITEMS_ADDED, MIN_ITEMS_REMOVED, MIN_ITEMS_INCREASED, MIN_ITEMS_DECREASED];
    compare_limit("minItems", original.min_items, update.min_items, changes, out);
    match (original.unique_items, update.unique_items) {
        (true, false) => out.change(Step::Keyword("uniqueItems"), UNIQUE_ITEMS_REMOVED),
        (false, true) => out.change(Step::Keyword("uniqueItems"), UNIQUE_ITEMS_ADDED),
        _ => {}
    }
    let whole = |number: &Option<Number>| number.as_ref().map(|number| number.as_f64().trunc());
    let changes = [MAX_CONTAINS_ADDED, MAX_CONTAINS_REMOVED, MAX_CONTAINS_INCREASED, MAX_CONTAINS_DECREASED];
    compare_limit("maxContains", whole(&original.max_contains), whole(&update.max_contains), changes, out);
    let changes = [MIN_CONTAINS_ADDED, MIN_CONTAINS_REMOVED, MIN_CONTAINS_INCREASED, MIN_CONTAINS_DECREASED];
    compare_limit("minContains", whole(&original.min_contains), whole(&update.min_contains), changes, out);
}

/// Whether items that are not named may be anything.
fn is_open(array: &ArraySchema) -> bool {
    array.additional_items && array.schema_of_additional_items.is_none()
}
