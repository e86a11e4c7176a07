//! What two schemas of a pair say about each other, one level deep.
//!
//! A rule names the changes it finds and the pairs of schemas inside, and leaves to [`Findings`] what becomes of them:
//! a verdict stops at the first that is not compatible, a list goes into each. Rules ask whether a pair inside is
//! compatible where the reference compares on trial.
//!
//! Source: Confluent `json/diff/SchemaDiff.java` (`compare`), 8.2.0 and later.

use std::fmt;

use super::pair::{Pair, Sides};
use super::{
    Change, DEFAULT_CHANGED, DESCRIPTION_CHANGED, ID_CHANGED, NOT_TYPE_EXTENDED, NOT_TYPE_NARROWED,
    PRODUCT_TYPE_NARROWED, SCHEMA_ADDED, SCHEMA_REMOVED, SUM_TYPE_EXTENDED, TITLE_CHANGED, TYPE_CHANGED,
};
use super::{array, combined, object, scalar};
use crate::json::model::{Combined, Criterion, Kind, Node, NodeId};

/// A piece of a path, from a schema to a change or to a schema inside it.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step<'a> {
    /// None: at the schema itself.
    Here,
    /// A keyword.
    Keyword(&'static str),
    /// A name under a keyword.
    Name(&'static str, &'a str),
    /// A place in the list of a keyword.
    Index(&'static str, usize),
}

impl fmt::Display for Step<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Here => Ok(()),
            Step::Keyword(keyword) => f.write_str(keyword),
            Step::Name(keyword, name) => write!(f, "{keyword}/{name}"),
            Step::Index(keyword, index) => write!(f, "{keyword}/{index}"),
        }
    }
}

/// What a rule reports to.
pub(super) trait Findings {
    /// A change at `step`.
    fn change(&mut self, step: Step<'_>, change: Change);

    /// Everything that is found between the two schemas of `pair`, at `step`.
    fn compare(&mut self, step: Step<'_>, pair: Pair);

    /// Whether the two schemas of `pair` are compatible.
    fn is_compatible(&mut self, pair: Pair) -> bool;

    /// Counts work that no question shows; false when no more is granted.
    fn spend(&mut self, steps: usize) -> bool;

    /// Whether nothing that could still be found matters.
    fn is_settled(&self) -> bool;

    /// Whether findings are to come in the reference's order.
    fn wants_order(&self) -> bool;
}

/// Whether the comparison of `pair` leads to no other pair.
pub(super) fn is_flat(sides: &Sides<'_>, pair: Pair) -> bool {
    let (original, update) = (&sides.original(pair).kind, &sides.update(pair).kind);
    let inside = matches!(
        (original, update),
        (Kind::Combined(_), _)
            | (_, Kind::Combined(_))
            | (Kind::Array(_), Kind::Array(_))
            | (Kind::Object(_), Kind::Object(_))
            | (Kind::Not(_), Kind::Not(_))
    );
    !inside
}

/// Reports what is found between the two schemas of `pair`.
pub(super) fn compare(sides: &Sides<'_>, pair: Pair, out: &mut impl Findings) {
    let (original, update) = (sides.original(pair), sides.update(pair));
    match (&original.kind, &update.kind) {
        (Kind::Combined(was), Kind::Combined(is)) => {
            annotations(original, update, out);
            combined::compare(sides, pair, was, is, out);
        }
        (_, Kind::Combined(is)) if becomes_combined(sides, pair, is, out) => {}
        (Kind::Combined(was), _) if was_combined(sides, pair, was, out) => {}
        _ => compare_same_class(sides, pair, original, update, out),
    }
}

fn compare_same_class(sides: &Sides<'_>, pair: Pair, original: &Node, update: &Node, out: &mut impl Findings) {
    let same_class = std::mem::discriminant(&original.kind) == std::mem::discriminant(&update.kind);
    if !same_class {
        return class_changed(original, update, out);
    }
    annotations(original, update, out);
    match (&original.kind, &update.kind) {
        (Kind::String(was), Kind::String(is)) => scalar::compare_strings(was, is, out),
        (Kind::Number(was), Kind::Number(is)) => scalar::compare_numbers(was, is, out),
        (Kind::Const(was), Kind::Const(is)) => scalar::compare_constants(was, is, out),
        (Kind::Enum(was), Kind::Enum(is)) => scalar::compare_enums(was, is, out),
        (Kind::Not(was), Kind::Not(is)) => compare_negations(sides, pair, *was, *is, out),
        (Kind::Object(was), Kind::Object(is)) => object::compare(sides, pair, was, is, out),
        (Kind::Array(was), Kind::Array(is)) => array::compare(sides, pair, was, is, out),
        _ => {}
    }
}

/// Schemas of two classes. All goes where the old one accepts nothing or the new one everything, and Kafka Connect's
/// bytes may be written as they like.
fn class_changed(original: &Node, update: &Node, out: &mut impl Findings) {
    let both_bytes = is_connect_bytes(original) && is_connect_bytes(update);
    if !matches!(original.kind, Kind::False) && !update.kind.is_empty() && !both_bytes {
        out.change(Step::Here, TYPE_CHANGED);
    }
}

fn is_connect_bytes(node: &Node) -> bool {
    node.unprocessed.as_ref().and_then(|keywords| keywords.get("connect.type")?.as_str()) == Some("bytes")
}

fn annotations(original: &Node, update: &Node, out: &mut impl Findings) {
    if original.id != update.id {
        out.change(Step::Here, ID_CHANGED);
    }
    if original.title != update.title {
        out.change(Step::Here, TITLE_CHANGED);
    }
    if original.description != update.description {
        out.change(Step::Here, DESCRIPTION_CHANGED);
    }
    if original.default != update.default {
        out.change(Step::Here, DEFAULT_CHANGED);
    }
}

/// A plain schema becomes a combined one: it may be the only one of it, or one of several. Says whether that was it.
fn becomes_combined(sides: &Sides<'_>, pair: Pair, update: &Combined, out: &mut impl Findings) -> bool {
    let inside = |subschema: NodeId| sides.with_update(pair, subschema);
    match (&*update.subschemas, update.criterion) {
        ([only], _) => taken_for(inside(*only), None, out),
        (several, Criterion::Any | Criterion::One) => {
            several.iter().any(|subschema| taken_for(inside(*subschema), Some(SUM_TYPE_EXTENDED), out))
        }
        _ => false,
    }
}

/// A combined schema becomes a plain one: the only one of it, or one of those that all had to hold.
fn was_combined(sides: &Sides<'_>, pair: Pair, original: &Combined, out: &mut impl Findings) -> bool {
    let inside = |subschema: NodeId| sides.with_original(pair, subschema);
    match (&*original.subschemas, original.criterion) {
        ([only], _) => taken_for(inside(*only), None, out),
        (several, Criterion::All) => {
            several.iter().any(|subschema| taken_for(inside(*subschema), Some(PRODUCT_TYPE_NARROWED), out))
        }
        _ => false,
    }
}

fn taken_for(pair: Pair, as_change: Option<Change>, out: &mut impl Findings) -> bool {
    if !out.is_compatible(pair) {
        return false;
    }
    out.compare(Step::Here, pair);
    if let Some(change) = as_change {
        out.change(Step::Here, change);
    }
    true
}

/// What must not be, turned round: the new exclusion may not exclude more than the old one.
fn compare_negations(sides: &Sides<'_>, pair: Pair, original: NodeId, update: NodeId, out: &mut impl Findings) {
    let turned = sides.turned(sides.inside(pair, original, update));
    let change = if out.is_compatible(turned) { NOT_TYPE_NARROWED } else { NOT_TYPE_EXTENDED };
    out.change(Step::Keyword("not"), change);
}

/// Two schemas that may both be missing.
pub(super) fn compare_optional(
    sides: &Sides<'_>,
    pair: Pair,
    original: Option<NodeId>,
    update: Option<NodeId>,
    step: Step<'_>,
    out: &mut impl Findings,
) {
    match (original, update) {
        (None, None) => {}
        (None, Some(_)) => out.change(step, SCHEMA_ADDED),
        (Some(_), None) => out.change(step, SCHEMA_REMOVED),
        (Some(original), Some(update)) => out.compare(step, sides.inside(pair, original, update)),
    }
}

/// The four changes of a limit: added, removed, raised, lowered.
pub(super) type LimitChanges = [Change; 4];

/// A limit that may be missing on either side.
pub(super) fn compare_limit<T: PartialOrd>(
    keyword: &'static str,
    original: Option<T>,
    update: Option<T>,
    [added, removed, raised, lowered]: LimitChanges,
    out: &mut impl Findings,
) {
    let change = match (original, update) {
        (None, None) => return,
        (None, Some(_)) => added,
        (Some(_), None) => removed,
        (Some(was), Some(is)) if was < is => raised,
        (Some(was), Some(is)) if was > is => lowered,
        (Some(_), Some(_)) => return,
    };
    out.change(Step::Keyword(keyword), change);
}
