//! Whether pairs of schemas are compatible, each decided once.
//!
//! Schemas refer to each other, so a pair may depend on itself. As in the reference a pair is compatible unless
//! something shows that it is not (the greatest fixed point): every pair is taken for compatible when it is met, looked
//! at from a queue, and those that counted on it are looked at again when it turns out not to be. Nothing here
//! recurses, however schemas are nested. A `no` is final at once, a `yes` when the queue is empty.
//!
//! Work is counted in questions; past [`MAX_STEPS`] everything is refused.
//!
//! Source: Confluent `json/diff/Context.java` (`compareMemoized`) and `SchemaDiff.java`, which repeats its walk until no
//! more pairs turn out incompatible.

use std::collections::VecDeque;

use super::Change;
use super::pair::{IdMap, Pair, Sides};
use super::rule::{self, Findings, Step};

/// Questions granted to one comparison, less than a second's worth. Only schemas written for it get there.
const MAX_STEPS: usize = 2_000_000;

/// What is known of the pairs met so far.
#[derive(Debug)]
pub(super) struct Verdicts<'a> {
    pub(super) sides: &'a Sides<'a>,
    places: IdMap<Pair, u32>,
    entries: Vec<Entry>,
    queue: VecDeque<u32>,
    steps_left: usize,
}

#[derive(Debug)]
struct Entry {
    pair: Pair,
    holds: bool,
    queued: bool,
    /// Entries that counted on this one.
    dependents: Vec<u32>,
}

impl<'a> Verdicts<'a> {
    pub(super) fn new(sides: &'a Sides<'a>) -> Verdicts<'a> {
        Verdicts { sides, places: IdMap::default(), entries: Vec::new(), queue: VecDeque::new(), steps_left: MAX_STEPS }
    }

    /// Whether the granted work was used up: answers from then on are no.
    pub(super) fn gave_up(&self) -> bool {
        self.steps_left == 0
    }

    /// Counts work; false when no more is granted.
    pub(super) fn spend(&mut self, steps: usize) -> bool {
        self.steps_left = self.steps_left.saturating_sub(steps);
        !self.gave_up()
    }

    /// Whether what the original of `pair` accepts, its update accepts too, as far as the rules tell.
    pub(super) fn holds(&mut self, pair: Pair) -> bool {
        self.spend(1);
        if rule::is_flat(self.sides, pair) {
            return !self.gave_up() && self.flat_holds(pair);
        }
        let at = self.place(pair);
        while self.entry(at).is_some_and(|entry| entry.holds)
            && !self.gave_up()
            && let Some(next) = self.queue.pop_front()
        {
            self.look_at(next);
        }
        self.entry(at).is_some_and(|entry| entry.holds) && !self.gave_up()
    }

    fn look_at(&mut self, at: u32) {
        let Some(entry) = self.entries.get_mut(at as usize) else { return };
        entry.queued = false;
        if !entry.holds {
            return;
        }
        let (pair, sides) = (entry.pair, self.sides);
        let mut look = Look { verdicts: self, at, failed: false };
        rule::compare(sides, pair, &mut look);
        if !look.failed {
            return;
        }
        let Some(entry) = self.entries.get_mut(at as usize) else { return };
        entry.holds = false;
        for dependent in std::mem::take(&mut entry.dependents) {
            self.enqueue(dependent);
        }
    }

    /// What a pair that has no pairs inside says.
    fn flat_holds(&mut self, pair: Pair) -> bool {
        let sides = self.sides;
        let mut look = Look { verdicts: self, at: u32::MAX, failed: false };
        rule::compare(sides, pair, &mut look);
        !look.failed
    }

    fn place(&mut self, pair: Pair) -> u32 {
        if let Some(at) = self.places.get(&pair) {
            return *at;
        }
        let at = self.entries.len() as u32;
        self.places.insert(pair, at);
        self.entries.push(Entry { pair, holds: true, queued: false, dependents: Vec::new() });
        self.enqueue(at);
        at
    }

    fn enqueue(&mut self, at: u32) {
        if let Some(entry) = self.entries.get_mut(at as usize)
            && entry.holds
            && !entry.queued
        {
            entry.queued = true;
            self.queue.push_back(at);
        }
    }

    fn entry(&self, at: u32) -> Option<&Entry> {
        self.entries.get(at as usize)
    }
}

/// One look at a pair: counts on what is known so far, stops at the first thing that is not compatible.
struct Look<'v, 'a> {
    verdicts: &'v mut Verdicts<'a>,
    at: u32,
    failed: bool,
}

impl Findings for Look<'_, '_> {
    fn change(&mut self, _step: Step<'_>, change: Change) {
        self.failed |= !change.is_compatible(self.verdicts.sides.policy);
    }

    fn compare(&mut self, _step: Step<'_>, pair: Pair) {
        self.failed |= !self.is_compatible(pair);
    }

    fn is_compatible(&mut self, pair: Pair) -> bool {
        self.verdicts.spend(1);
        if self.verdicts.gave_up() {
            self.failed = true;
            return false;
        }
        if rule::is_flat(self.verdicts.sides, pair) {
            return self.verdicts.flat_holds(pair);
        }
        let at = self.verdicts.place(pair);
        let Some(entry) = self.verdicts.entries.get_mut(at as usize) else { return false };
        if entry.holds && entry.dependents.last() != Some(&self.at) {
            entry.dependents.push(self.at);
        }
        entry.holds
    }

    fn spend(&mut self, steps: usize) -> bool {
        self.verdicts.spend(steps)
    }

    fn is_settled(&self) -> bool {
        self.failed
    }

    fn wants_order(&self) -> bool {
        false
    }
}
