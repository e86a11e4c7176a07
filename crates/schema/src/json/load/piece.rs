//! How the newer drafts' keywords come together: pieces joined from left to right.
//!
//! Pieces of one class merge; others gather in a made-up `allOf`, or in the made-up `anyOf` that a list of types is.
//! A merge is not symmetric: the later piece decides what both state.
//!
//! Source: schema-registry `json/schema/{SchemaTranslator#join,SchemaUtils#merge}`, 8.2.0.

use super::super::model::{Combined, Criterion, Kind, Node};
use super::super::named::Named;
use super::{LoadError, Loader};

/// A schema in the making.
pub(super) enum Piece {
    /// Nothing made up.
    One(Node),
    /// A made-up `allOf`.
    All(Vec<Node>),
    /// A made-up `anyOf`: a list of types, with the keywords that fit one of them.
    Any(Vec<Node>),
}

impl Piece {
    pub(super) fn of(kind: Kind) -> Piece {
        Piece::One(Node::new(kind))
    }

    fn into_parts(self, loader: &mut Loader<'_>) -> Result<Vec<Node>, LoadError> {
        match self {
            Piece::All(parts) => Ok(parts),
            other => Ok(vec![other.into_node(loader)?]),
        }
    }

    pub(super) fn into_node(self, loader: &mut Loader<'_>) -> Result<Node, LoadError> {
        let (criterion, parts) = match self {
            Piece::One(node) => return Ok(node),
            Piece::All(parts) => (Criterion::All, parts),
            Piece::Any(parts) => (Criterion::Any, parts),
        };
        let subschemas = parts.into_iter().map(|part| loader.add(part)).collect::<Result<_, _>>()?;
        Ok(Node::new(Kind::Combined(Combined { criterion, subschemas, synthetic: true, extended: true })))
    }

    /// Whether this is a made-up `anyOf` with a part of the class of `other`.
    fn takes(&self, other: &Piece) -> bool {
        match (self, other) {
            (Piece::Any(parts), Piece::One(node)) => parts.iter().any(|part| same_class(&part.kind, &node.kind)),
            _ => false,
        }
    }

    pub(super) fn join(self, next: Piece, loader: &mut Loader<'_>) -> Result<Piece, LoadError> {
        Ok(match (self, next) {
            (Piece::One(mut a), Piece::One(b)) if merges(&a.kind, &b.kind) => {
                merge(&mut a, b)?;
                Piece::One(a)
            }
            (a, b) if a.takes(&b) => Piece::Any(gather(a.into_any(), b.into_parts(loader)?)?),
            (a, b) if b.takes(&a) => Piece::Any(gather(b.into_any(), a.into_parts(loader)?)?),
            (a, b) => {
                let parts = gather(Vec::new(), a.into_parts(loader)?)?;
                Piece::All(gather(parts, b.into_parts(loader)?)?)
            }
        })
    }

    fn into_any(self) -> Vec<Node> {
        match self {
            Piece::Any(parts) | Piece::All(parts) => parts,
            Piece::One(node) => vec![node],
        }
    }
}

fn same_class(a: &Kind, b: &Kind) -> bool {
    match (a, b) {
        (Kind::Combined(a), Kind::Combined(b)) => a.extended == b.extended,
        _ => std::mem::discriminant(a) == std::mem::discriminant(b),
    }
}

fn merges(a: &Kind, b: &Kind) -> bool {
    matches!(
        (a, b),
        (Kind::Array(_), Kind::Array(_))
            | (Kind::Number(_), Kind::Number(_))
            | (Kind::Object(_), Kind::Object(_))
            | (Kind::String(_), Kind::String(_))
    )
}

/// `parts` with each of `more` merged into the first of its class, or behind them.
fn gather(mut parts: Vec<Node>, more: Vec<Node>) -> Result<Vec<Node>, LoadError> {
    for next in more {
        match parts.iter_mut().find(|part| merges(&part.kind, &next.kind)) {
            Some(part) => merge(part, next)?,
            None => parts.push(next),
        }
    }
    Ok(parts)
}

/// Takes what `from` states into `into`, a node of the same class.
fn merge(into: &mut Node, from: Node) -> Result<(), LoadError> {
    fn take<T>(into: &mut Option<T>, from: Option<T>) {
        if from.is_some() {
            *into = from;
        }
    }
    fn append<T>(into: &mut Named<T>, from: Named<T>) {
        if !from.is_empty() {
            let mut entries = std::mem::take(into).into_entries();
            entries.extend(from.into_entries());
            *into = Named::from_entries(entries);
        }
    }
    take(&mut into.title, from.title);
    take(&mut into.description, from.description);
    take(&mut into.id, from.id);
    take(&mut into.default, from.default);
    into.unprocessed = from.unprocessed;
    into.definitions = from.definitions;
    match (&mut into.kind, from.kind) {
        (Kind::Array(into), Kind::Array(from)) => {
            into.requires_array |= from.requires_array;
            into.unique_items |= from.unique_items;
            into.additional_items &= from.additional_items;
            take(&mut into.min_items, from.min_items);
            take(&mut into.max_items, from.max_items);
            take(&mut into.all_items, from.all_items);
            if let Some(items) = from.items {
                into.items.get_or_insert_default().extend(items);
            }
            take(&mut into.schema_of_additional_items, from.schema_of_additional_items);
            take(&mut into.contains, from.contains);
            // The last piece decides, even when it has none.
            into.min_contains = from.min_contains;
            into.max_contains = from.max_contains;
            if into.all_items.is_some() && into.items.is_some() {
                return Err(LoadError::Invalid("items: both a list and a schema".to_owned()));
            }
            if into.all_items.is_some() || into.schema_of_additional_items.is_some() {
                into.additional_items = true;
            }
        }
        (Kind::Number(into), Kind::Number(from)) => {
            take(&mut into.minimum, from.minimum);
            take(&mut into.maximum, from.maximum);
            take(&mut into.exclusive_minimum_limit, from.exclusive_minimum_limit);
            take(&mut into.exclusive_maximum_limit, from.exclusive_maximum_limit);
            take(&mut into.multiple_of, from.multiple_of);
            into.requires_integer |= from.requires_integer;
            into.requires_number |= from.requires_number;
        }
        (Kind::Object(into), Kind::Object(from)) => {
            append(&mut into.properties, from.properties);
            append(&mut into.pattern_properties, from.pattern_properties);
            append(&mut into.property_dependencies, from.property_dependencies);
            append(&mut into.schema_dependencies, from.schema_dependencies);
            into.required.extend(from.required);
            into.requires_object |= from.requires_object;
            into.additional_properties &= from.additional_properties;
            take(&mut into.schema_of_additional_properties, from.schema_of_additional_properties);
            take(&mut into.min_properties, from.min_properties);
            take(&mut into.max_properties, from.max_properties);
            take(&mut into.property_names, from.property_names);
        }
        (Kind::String(into), Kind::String(from)) => {
            take(&mut into.min_length, from.min_length);
            take(&mut into.max_length, from.max_length);
            take(&mut into.pattern, from.pattern);
            take(&mut into.format, from.format);
            into.requires_string |= from.requires_string;
        }
        _ => {}
    }
    Ok(())
}
