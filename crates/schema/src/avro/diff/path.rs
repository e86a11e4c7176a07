//! Places in a schema as JSON pointers, kept so that many findings in one place cost little.
//!
//! The walk's place is a list of steps; [`Path::intern`] gives it a number once something is found there. Numbered
//! places share what they have in common, and are written out when they are listed.

use std::ops::Range;

/// One step of a pointer.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    Word(&'static str),
    At(u32),
}

/// A place that was found worth keeping.
#[derive(Debug, Clone, Copy)]
pub(super) struct PathId(u32);

/// The root.
const ROOT: PathId = PathId(u32::MAX);

/// The place of a walk.
#[derive(Debug, Default)]
pub(super) struct Path {
    /// Steps, each with the number of the place it leads to, if it has one.
    steps: Vec<(Step, Option<PathId>)>,
    /// How many steps lead to the root that counts.
    root: usize,
    kept: Vec<(PathId, Step)>,
}

impl Path {
    pub(super) fn push(&mut self, step: Step) {
        self.steps.push((step, None));
    }

    pub(super) fn pop(&mut self) {
        self.steps.pop();
    }

    /// Makes the place a root: what is found from here on leaves out the steps before.
    pub(super) fn start_anew(&mut self) {
        self.root = self.steps.len();
    }

    /// The place, for [`Path::restore`].
    pub(super) fn place(&self) -> Range<usize> {
        self.root..self.steps.len()
    }

    /// Goes back to a place on the way here.
    pub(super) fn restore(&mut self, place: &Range<usize>) {
        self.root = place.start;
        self.steps.truncate(place.end);
    }

    /// The number of this place.
    pub(super) fn intern(&mut self) -> PathId {
        let from_root = &mut self.steps[self.root..];
        let known = from_root.iter().rposition(|(_, kept)| kept.is_some());
        let mut last = known.and_then(|at| from_root[at].1).unwrap_or(ROOT);
        for (step, kept) in &mut from_root[known.map_or(0, |at| at + 1)..] {
            self.kept.push((last, *step));
            last = PathId(self.kept.len() as u32 - 1);
            *kept = Some(last);
        }
        last
    }

    /// A place as a JSON pointer; the root is `/`.
    pub(super) fn pointer(&self, place: PathId) -> String {
        let mut steps = Vec::new();
        let mut at = place;
        while let Some((before, step)) = self.kept.get(at.0 as usize) {
            steps.push(step);
            at = *before;
        }
        let mut pointer = String::with_capacity(8 * steps.len() + 1);
        for step in steps.iter().rev() {
            pointer.push('/');
            match step {
                Step::Word(word) => pointer.push_str(word),
                Step::At(at) => pointer.push_str(itoa::Buffer::new().format(*at)),
            }
        }
        if pointer.is_empty() {
            pointer.push('/');
        }
        pointer
    }
}
