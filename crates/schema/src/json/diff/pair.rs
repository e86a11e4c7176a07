//! The two schemas under comparison, and a pair of places in them.
//!
//! `not` turns the question round: what was original becomes update. A pair says which side is which, so that a
//! pair means the same wherever it is met. Places are what a `$ref` stands for, never the `$ref` itself.

use std::cell::RefCell;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::ops::Deref;
use std::rc::Rc;

use super::describe::Descriptions;
use super::pattern::Patterns;
use crate::compat::Policy;
use crate::json::model::{Kind, Model, Node, NodeId};

/// Hops from `$ref` to `$ref` that are followed. A longer chain, or a circle, counts as the `$ref` it ends at.
const MAX_HOPS: usize = 256;

/// Two schemas to compare. Equal pairs have equal results.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct Pair {
    original: NodeId,
    update: NodeId,
    /// Whether the original is of the update's model and the update of the original's.
    swapped: bool,
}

/// Pairs are numbers that nobody outside chooses; they need no defence against chosen ones.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u8(&mut self, number: u8) {
        self.write_u64(u64::from(number));
    }

    fn write_u32(&mut self, number: u32) {
        self.write_u64(u64::from(number));
    }

    fn write_usize(&mut self, number: usize) {
        self.write_u64(number as u64);
    }

    fn write_u64(&mut self, number: u64) {
        // An odd number near 2^64 by the golden ratio spreads neighbours; both halves are used by the table.
        let mixed = (self.0.rotate_left(26) ^ number).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.0 = mixed ^ (mixed >> 32);
    }
}

/// A map by pairs or nodes.
pub(super) type IdMap<K, V> = HashMap<K, V, BuildHasherDefault<IdHasher>>;

/// What is left of the subschemas of combined schemas.
type Distinct = IdMap<(Side, NodeId), Rc<[NodeId]>>;

/// Subschemas of a combined schema, without doubles.
#[derive(Debug)]
pub(super) enum Subschemas<'a> {
    /// There are none.
    AsWritten(&'a [NodeId]),
    /// What is left.
    Fewer(Rc<[NodeId]>),
}

impl Deref for Subschemas<'_> {
    type Target = [NodeId];

    fn deref(&self) -> &[NodeId] {
        match self {
            Subschemas::AsWritten(all) => all,
            Subschemas::Fewer(kept) => kept,
        }
    }
}

/// One side of a pair.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Side {
    /// The model of the original.
    Original,
    /// The model of the update.
    Update,
}

/// Both models with what is remembered about them.
#[derive(Debug)]
pub(super) struct Sides<'a> {
    original: &'a Model,
    update: &'a Model,
    pub(super) policy: Policy,
    pub(super) patterns: RefCell<Patterns>,
    descriptions: [RefCell<Descriptions>; 2],
    distinct: RefCell<Distinct>,
}

impl<'a> Sides<'a> {
    pub(super) fn new(original: &'a Model, update: &'a Model, policy: Policy) -> Sides<'a> {
        Sides {
            original,
            update,
            policy,
            patterns: RefCell::default(),
            descriptions: [RefCell::default(), RefCell::default()],
            distinct: RefCell::default(),
        }
    }

    /// The whole schemas.
    pub(super) fn root(&self) -> Pair {
        let whole = Pair { original: self.original.root(), update: self.update.root(), swapped: false };
        self.inside(whole, self.original.root(), self.update.root())
    }

    /// Two places inside the schemas of `pair`, each in its own.
    pub(super) fn inside(&self, pair: Pair, original: NodeId, update: NodeId) -> Pair {
        Pair {
            original: followed(self.model(pair.original_side()), original),
            update: followed(self.model(pair.update_side()), update),
            swapped: pair.swapped,
        }
    }

    /// The original of `pair` and a place inside its update.
    pub(super) fn with_update(&self, pair: Pair, update: NodeId) -> Pair {
        self.inside(pair, pair.original, update)
    }

    /// A place inside the original of `pair` and its update.
    pub(super) fn with_original(&self, pair: Pair, original: NodeId) -> Pair {
        self.inside(pair, original, pair.update)
    }

    /// The same places with the question turned round.
    pub(super) fn turned(&self, pair: Pair) -> Pair {
        Pair { original: pair.update, update: pair.original, swapped: !pair.swapped }
    }

    pub(super) fn original(&self, pair: Pair) -> &'a Node {
        self.model(pair.original_side()).node(pair.original)
    }

    pub(super) fn update(&self, pair: Pair) -> &'a Node {
        self.model(pair.update_side()).node(pair.update)
    }

    /// A schema inside the original of `pair`, what a `$ref` stands for.
    pub(super) fn in_original(&self, pair: Pair, id: NodeId) -> &'a Node {
        self.model(pair.original_side()).node(id)
    }

    /// A schema inside the update of `pair`.
    pub(super) fn in_update(&self, pair: Pair, id: NodeId) -> &'a Node {
        self.model(pair.update_side()).node(id)
    }

    /// The subschemas of the combined original of `pair` without those that are described alike.
    pub(super) fn distinct_in_original<'s>(&self, pair: Pair, subschemas: &'s [NodeId]) -> Subschemas<'s> {
        self.distinct(pair.original_side(), pair.original, subschemas)
    }

    /// … of its update.
    pub(super) fn distinct_in_update<'s>(&self, pair: Pair, subschemas: &'s [NodeId]) -> Subschemas<'s> {
        self.distinct(pair.update_side(), pair.update, subschemas)
    }

    fn distinct<'s>(&self, side: Side, combined: NodeId, subschemas: &'s [NodeId]) -> Subschemas<'s> {
        if self.surely_differ(side, subschemas) {
            return Subschemas::AsWritten(subschemas);
        }
        let mut known = self.distinct.borrow_mut();
        let kept = known.entry((side, combined)).or_insert_with(|| {
            let mut descriptions = self.descriptions[side as usize].borrow_mut();
            descriptions.distinct(self.model(side), subschemas).into()
        });
        Subschemas::Fewer(kept.clone())
    }

    /// Whether all are of different classes, so that no two can be described alike: most often they are.
    fn surely_differ(&self, side: Side, subschemas: &[NodeId]) -> bool {
        let class = |id: &NodeId| std::mem::discriminant(&self.model(side).node(*id).kind);
        const FEW: usize = 8;
        subschemas.len() <= FEW
            && subschemas.iter().enumerate().all(|(at, id)| {
                let class_here = class(id);
                subschemas[..at].iter().all(|before| class(before) != class_here)
            })
    }

    fn model(&self, side: Side) -> &'a Model {
        match side {
            Side::Original => self.original,
            Side::Update => self.update,
        }
    }
}

impl Pair {
    fn original_side(self) -> Side {
        if self.swapped { Side::Update } else { Side::Original }
    }

    fn update_side(self) -> Side {
        if self.swapped { Side::Original } else { Side::Update }
    }
}

/// What `id` stands for: the end of a chain of `$ref`s. The reference looks at the first `$ref` only and so takes two
/// chains for equal, whatever is at their ends.
fn followed(model: &Model, id: NodeId) -> NodeId {
    let mut at = id;
    for _ in 0..MAX_HOPS {
        match &model.node(at).kind {
            Kind::Reference(reference) => at = reference.target,
            _ => return at,
        }
    }
    at
}
