//! The order that the reference gives the parts of a combination before it numbers them.
//!
//! By class, title, description and default, then by what the class states. Equal parts keep their order.
//!
//! Source: schema-registry `json/JsonSchemaComparator`, 8.2.0.

use std::cmp::Ordering;

use super::model::{Combined, Kind, Model, NodeId};
use super::text::{self, java_order};
use super::value::Value;

/// Levels that are compared; what is equal so far down is called equal.
const MAX_DEPTH: usize = 16;

/// The parts of a combination in the reference's order.
pub(crate) fn sorted(model: &Model, combined: &Combined) -> Vec<NodeId> {
    let mut parts = combined.subschemas.clone();
    parts.sort_by(|a, b| compare(model, *a, model, *b, 0));
    parts
}

/// The order of the roots of two models.
pub(crate) fn compare_roots(a: &Model, b: &Model) -> Ordering {
    compare(a, a.root(), b, b.root(), 0)
}

fn class(kind: &Kind) -> u8 {
    match kind {
        Kind::Array(_) => 0,
        Kind::Boolean => 1,
        Kind::Combined(_) => 2,
        Kind::Conditional(_) => 3,
        Kind::Const(_) => 4,
        Kind::Empty => 5,
        Kind::Enum(_) => 6,
        Kind::False => 7,
        Kind::Not(_) => 8,
        Kind::Null => 9,
        Kind::Number(_) => 10,
        Kind::Object(_) => 11,
        Kind::Reference(_) => 12,
        Kind::String(_) => 13,
        Kind::True => 14,
    }
}

fn compare(a: &Model, left: NodeId, b: &Model, right: NodeId, depth: usize) -> Ordering {
    if depth == MAX_DEPTH {
        return Ordering::Equal;
    }
    let (x, y) = (a.node(left), b.node(right));
    let texts = |x: Option<&str>, y: Option<&str>| match (x, y) {
        (Some(x), Some(y)) => java_order(x, y),
        (x, y) => x.is_some().cmp(&y.is_some()),
    };
    let printed = |value: &Option<Value>| value.as_ref().map(plain);
    class(&x.kind)
        .cmp(&class(&y.kind))
        .then_with(|| texts(x.title.as_deref(), y.title.as_deref()))
        .then_with(|| texts(x.description.as_deref(), y.description.as_deref()))
        .then_with(|| texts(printed(&x.default).as_deref(), printed(&y.default).as_deref()))
        .then_with(|| {
            let deeper = |x: NodeId, y: NodeId| compare(a, x, b, y, depth + 1);
            let maybe = |x: Option<NodeId>, y: Option<NodeId>| match (x, y) {
                (Some(x), Some(y)) => deeper(x, y),
                (x, y) => x.is_some().cmp(&y.is_some()),
            };
            match (&x.kind, &y.kind) {
                (Kind::Const(x), Kind::Const(y)) => java_order(&plain(x), &plain(y)),
                (Kind::Enum(x), Kind::Enum(y)) => {
                    collections(x.iter().map(plain).collect(), y.iter().map(plain).collect())
                }
                (Kind::Combined(x), Kind::Combined(y)) => {
                    let keywords = java_order(x.criterion.keyword(), y.criterion.keyword());
                    keywords.then_with(|| x.subschemas.len().cmp(&y.subschemas.len())).then_with(|| {
                        let (x, y) = (sorted_at(a, x, depth), sorted_at(b, y, depth));
                        let order = x.into_iter().zip(y).map(|(x, y)| deeper(x, y));
                        order.fold(Ordering::Equal, Ordering::then)
                    })
                }
                (Kind::Not(x), Kind::Not(y)) => deeper(*x, *y),
                (Kind::Conditional(x), Kind::Conditional(y)) => maybe(x.if_schema, y.if_schema)
                    .then_with(|| maybe(x.then_schema, y.then_schema))
                    .then_with(|| maybe(x.else_schema, y.else_schema)),
                (Kind::Object(x), Kind::Object(y)) => {
                    let names = |names: &mut dyn Iterator<Item = &str>| names.map(str::to_owned).collect::<Vec<_>>();
                    let required = |names: &[Box<str>]| names.iter().map(|name| name.to_string()).collect();
                    collections(names(&mut x.properties.names()), names(&mut y.properties.names()))
                        .then_with(|| collections(required(&x.required), required(&y.required)))
                }
                (Kind::Array(x), Kind::Array(y)) => maybe(x.all_items, y.all_items),
                _ => Ordering::Equal,
            }
        })
}

fn sorted_at(model: &Model, combined: &Combined, depth: usize) -> Vec<NodeId> {
    let mut parts = combined.subschemas.clone();
    parts.sort_by(|a, b| compare(model, *a, model, *b, depth + 1));
    parts
}

/// By size, then element by element once sorted.
fn collections(mut a: Vec<String>, mut b: Vec<String>) -> Ordering {
    a.sort_by(|x, y| java_order(x, y));
    b.sort_by(|x, y| java_order(x, y));
    let elements = a.iter().zip(&b).map(|(x, y)| java_order(x, y));
    a.len().cmp(&b.len()).then_with(|| elements.fold(Ordering::Equal, Ordering::then))
}

/// Java's `toString`: strings without quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        other => text::print(other),
    }
}
