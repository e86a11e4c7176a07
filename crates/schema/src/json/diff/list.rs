//! The changes of a pair, in order, with their paths.
//!
//! A pair's list is made once and hung in wherever the pair is met. A pair that is met inside itself gives nothing the
//! first time; where that hid something, the list is made once more, and the pair gives what it gave the first time.
//! So a change in a schema that contains itself is told at three depths, as in the reference. Lists are flattened at
//! the end, up to a number and a size.
//!
//! Source: Confluent `json/diff/Context.java` (`compareMemoized`, `addDifferencesRebased`), 8.2.0 and later.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use super::pair::Pair;
use super::rule::{self, Findings, Step};
use super::verdict::Verdicts;
use super::{Change, Found, Keep, TYPE_CHANGED};

/// Pairs inside pairs that are gone into. Where a list ends for that reason, it says `TYPE_CHANGED`.
const MAX_DEPTH: usize = 256;
/// Changes in a list.
const MAX_FOUND: usize = 10_000;
/// Bytes of paths in a list.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The changes of one pair. Paths are relative to it.
#[derive(Debug)]
pub(super) struct Listed(Rc<[Item]>);

#[derive(Debug)]
enum Item {
    Change(Box<str>, Change),
    Under(Box<str>, Rc<[Item]>),
}

impl Listed {
    /// The changes of `pair`, as many as `keep` asks for.
    pub(super) fn of(verdicts: &mut Verdicts<'_>, pair: Pair, keep: Keep) -> Listed {
        let mut first = Lister::new(verdicts, keep, HashMap::new());
        let listed = first.list(pair, 0);
        if !first.hid_something {
            return Listed(listed);
        }
        let seeds = first.lists;
        Listed(Lister::new(verdicts, keep, seeds).list(pair, 0))
    }

    /// The list with whole paths.
    pub(super) fn found(&self) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        let mut bytes = 0;
        let mut path = String::from("#/");
        // Lists on the way, how far they are told, and the path to each.
        let mut open: Vec<(&[Item], usize)> = vec![(&self.0, path.len())];
        while let Some((items, length)) = open.pop() {
            path.truncate(length);
            let Some((item, rest)) = items.split_first() else { continue };
            open.push((rest, length));
            match item {
                Item::Change(step, change) => {
                    join(&mut path, step);
                    bytes += path.len();
                    if found.len() == MAX_FOUND || bytes > MAX_BYTES {
                        break;
                    }
                    found.push(Found { change: *change, path: path.clone() });
                }
                Item::Under(step, inner) => {
                    join(&mut path, step);
                    open.push((inner, path.len()));
                }
            }
        }
        found
    }
}

fn join(path: &mut String, step: &str) {
    if path.len() > "#/".len() && !step.is_empty() {
        path.push('/');
    }
    path.push_str(step);
}

struct Lister<'v, 'a> {
    verdicts: &'v mut Verdicts<'a>,
    keep: Keep,
    lists: HashMap<Pair, Rc<[Item]>>,
    in_progress: HashSet<Pair>,
    /// What a pair gives when it is met inside itself.
    seeds: HashMap<Pair, Rc<[Item]>>,
    /// Whether a pair that is not compatible was met inside itself and had nothing to give.
    hid_something: bool,
}

impl<'v, 'a> Lister<'v, 'a> {
    fn new(verdicts: &'v mut Verdicts<'a>, keep: Keep, seeds: HashMap<Pair, Rc<[Item]>>) -> Lister<'v, 'a> {
        let (lists, in_progress) = (HashMap::new(), HashSet::new());
        Lister { verdicts, keep, lists, in_progress, seeds, hid_something: false }
    }

    fn list(&mut self, pair: Pair, depth: usize) -> Rc<[Item]> {
        if let Some(known) = self.lists.get(&pair) {
            return known.clone();
        }
        if self.in_progress.contains(&pair) {
            if self.verdicts.holds(pair) {
                return Rc::default();
            }
            let seed = self.seeds.get(&pair).cloned();
            self.hid_something |= seed.is_none();
            return seed.unwrap_or_default();
        }
        if depth == MAX_DEPTH {
            let holds = self.verdicts.holds(pair);
            return if holds { Rc::default() } else { [Item::Change("".into(), TYPE_CHANGED)].into() };
        }
        self.in_progress.insert(pair);
        let sides = self.verdicts.sides;
        let mut listing = Listing { lister: self, depth, items: Vec::new() };
        rule::compare(sides, pair, &mut listing);
        let items: Rc<[Item]> = listing.items.into();
        self.in_progress.remove(&pair);
        self.lists.insert(pair, items.clone());
        items
    }
}

/// The list of one pair, being made.
struct Listing<'l, 'v, 'a> {
    lister: &'l mut Lister<'v, 'a>,
    depth: usize,
    items: Vec<Item>,
}

impl Findings for Listing<'_, '_, '_> {
    fn change(&mut self, step: Step<'_>, change: Change) {
        let kept = self.lister.keep == Keep::Everything || !change.is_compatible(self.lister.verdicts.sides.policy);
        if kept {
            self.items.push(Item::Change(step.to_string().into(), change));
        }
    }

    fn compare(&mut self, step: Step<'_>, pair: Pair) {
        if self.lister.keep == Keep::Incompatible && self.lister.verdicts.holds(pair) {
            return;
        }
        let inner = self.lister.list(pair, self.depth + 1);
        if !inner.is_empty() {
            self.items.push(Item::Under(step.to_string().into(), inner));
        }
    }

    fn is_compatible(&mut self, pair: Pair) -> bool {
        self.lister.verdicts.holds(pair)
    }

    fn spend(&mut self, steps: usize) {
        self.lister.verdicts.spend(steps);
    }

    fn is_settled(&self) -> bool {
        self.lister.verdicts.gave_up()
    }

    fn wants_order(&self) -> bool {
        true
    }
}
