//! The changes of a pair, in order, with their paths.
//!
//! A pair's list is made once and hung in wherever the pair is met. A pair that is met inside itself gives nothing the
//! first time; where that hid something, the list is made once more, and the pair gives what it gave the first time.
//! So a change in a schema that contains itself is told at three depths, as in the reference. Lists are flattened at
//! the end, up to a number and a size. Nothing here recurses, however schemas are nested.
//!
//! Source: Confluent `json/diff/Context.java` (`compareMemoized`, `addDifferencesRebased`), 8.2.0 and later.

use std::collections::{HashMap, HashSet};

use super::pair::Pair;
use super::rule::{self, Findings, Step};
use super::verdict::Verdicts;
use super::{Change, Found, Keep, TYPE_CHANGED};

/// Pairs inside pairs that are gone into. Where a list ends for that reason, it says `TYPE_CHANGED`.
const MAX_DEPTH: usize = 2_048;
/// Changes in a list.
const MAX_FOUND: usize = 10_000;
/// Bytes of paths in a list.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The lists of all pairs that were gone into. Paths are relative to the pair.
#[derive(Debug, Default)]
pub(super) struct Lists(Vec<Box<[Item]>>);

/// A place in [`Lists`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct ListId(u32);

/// What a rule said of a pair.
#[derive(Debug)]
enum Said {
    Change(Box<str>, Change),
    Pair(Box<str>, Pair),
}

#[derive(Debug)]
enum Item {
    Change(Box<str>, Change),
    Under(Box<str>, ListId),
}

/// The changes of `pair`, as many as `keep` asks for.
pub(super) fn found(verdicts: &mut Verdicts<'_>, pair: Pair, keep: Keep) -> Vec<Found> {
    let mut lister = Lister {
        verdicts,
        keep,
        lists: Lists(vec![Box::default()]),
        known: HashMap::new(),
        in_progress: HashSet::new(),
        seeds: HashMap::new(),
        hid_something: false,
    };
    let mut list = lister.list(pair);
    if lister.hid_something {
        lister.seeds = std::mem::take(&mut lister.known);
        list = lister.list(pair);
    }
    lister.lists.flatten(list)
}

/// The list of pairs that give nothing.
const NOTHING: ListId = ListId(0);

impl Lists {
    fn add(&mut self, items: Vec<Item>) -> ListId {
        if items.is_empty() {
            return NOTHING;
        }
        self.0.push(items.into());
        ListId((self.0.len() - 1) as u32)
    }

    fn get(&self, id: ListId) -> &[Item] {
        self.0.get(id.0 as usize).map_or(&[], |items| items)
    }

    /// The list with whole paths.
    fn flatten(&self, list: ListId) -> Vec<Found> {
        let mut found: Vec<Found> = Vec::new();
        let mut bytes = 0;
        let mut path = String::from("#/");
        // Lists on the way, how far they are told, and the path to each.
        let mut open: Vec<(&[Item], usize)> = vec![(self.get(list), path.len())];
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
                    open.push((self.get(*inner), path.len()));
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

#[derive(Debug)]
struct Lister<'v, 'a> {
    verdicts: &'v mut Verdicts<'a>,
    keep: Keep,
    lists: Lists,
    known: HashMap<Pair, ListId>,
    in_progress: HashSet<Pair>,
    /// What a pair gives when it is met inside itself.
    seeds: HashMap<Pair, ListId>,
    /// Whether a pair that is not compatible was met inside itself and had nothing to give.
    hid_something: bool,
}

/// A pair whose list is being made.
struct Open {
    pair: Pair,
    /// Where it hangs in the list of the one before.
    step: Box<str>,
    rest: std::vec::IntoIter<Said>,
    items: Vec<Item>,
}

impl Lister<'_, '_> {
    fn list(&mut self, pair: Pair) -> ListId {
        let mut open = vec![self.open(pair, Box::default())];
        while let Some(top) = open.last_mut() {
            match top.rest.next() {
                Some(Said::Change(step, change)) => top.items.push(Item::Change(step, change)),
                Some(Said::Pair(step, inner)) => match self.at_hand(inner, open.len()) {
                    Some(list) => hang(&mut open, step, list),
                    None => open.push(self.open(inner, step)),
                },
                None => {
                    let Some(done) = open.pop() else { break };
                    let list = self.lists.add(done.items);
                    self.in_progress.remove(&done.pair);
                    self.known.insert(done.pair, list);
                    if open.is_empty() {
                        return list;
                    }
                    hang(&mut open, done.step, list);
                }
            }
        }
        NOTHING
    }

    /// The list of a pair, if it is not to be made now.
    fn at_hand(&mut self, pair: Pair, depth: usize) -> Option<ListId> {
        if let Some(known) = self.known.get(&pair) {
            return Some(*known);
        }
        let cut = depth >= MAX_DEPTH;
        if !cut && !self.in_progress.contains(&pair) {
            return None;
        }
        if self.verdicts.holds(pair) {
            return Some(NOTHING);
        }
        if cut {
            return Some(self.lists.add(vec![Item::Change(Box::default(), TYPE_CHANGED)]));
        }
        let seed = self.seeds.get(&pair).copied();
        self.hid_something |= seed.is_none();
        Some(seed.unwrap_or(NOTHING))
    }

    fn open(&mut self, pair: Pair, step: Box<str>) -> Open {
        self.in_progress.insert(pair);
        let sides = self.verdicts.sides;
        let mut listing = Listing { verdicts: self.verdicts, keep: self.keep, said: Vec::new() };
        rule::compare(sides, pair, &mut listing);
        Open { pair, step, rest: listing.said.into_iter(), items: Vec::new() }
    }
}

fn hang(open: &mut [Open], step: Box<str>, list: ListId) {
    if let Some(top) = open.last_mut()
        && list != NOTHING
    {
        top.items.push(Item::Under(step, list));
    }
}

/// What the rules say of one pair.
struct Listing<'l, 'a> {
    verdicts: &'l mut Verdicts<'a>,
    keep: Keep,
    said: Vec<Said>,
}

impl Findings for Listing<'_, '_> {
    fn change(&mut self, step: Step<'_>, change: Change) {
        if self.keep == Keep::Everything || !change.is_compatible(self.verdicts.sides.policy) {
            self.said.push(Said::Change(step.to_string().into(), change));
        }
    }

    fn compare(&mut self, step: Step<'_>, pair: Pair) {
        if self.keep == Keep::Everything || !self.verdicts.holds(pair) {
            self.said.push(Said::Pair(step.to_string().into(), pair));
        }
    }

    fn is_compatible(&mut self, pair: Pair) -> bool {
        self.verdicts.holds(pair)
    }

    fn spend(&mut self, steps: usize) -> bool {
        self.verdicts.spend(steps)
    }

    fn is_settled(&self) -> bool {
        self.verdicts.gave_up()
    }

    fn wants_order(&self) -> bool {
        true
    }
}
