//! The state of a comparison: both sides' types, the scopes it stands in, and how far it may go.
//!
//! A field whose message type comes from another file is compared by descending into that type. *Exact* walks do
//! it where the reference does it, each time, skipping an original message that is already being compared. Types
//! that refer to each other make that exponential, so an exact walk has a budget of steps and of depth, and gives
//! up past it; a *wide* walk then compares every pair of types once, from a queue, and fails closed at its own
//! budget. Verdicts of both agree; the lists differ in repetitions, which nobody needs of a list that long.
//!
//! Source: Confluent `protobuf/diff/Context.java` (`enterSchema`, `getSubcontext`), `FieldSchemaDiff.java`, 8.2.0.

use std::collections::{HashSet, VecDeque};

use super::report::{Mark, Report};
use super::types::{OUTERMOST, Origin, Place, Seen, Side, Types, Written};
use super::{FIELD_NAMED_TYPE_CHANGED, Found, message};
use crate::protobuf::model::Message;

/// Fields that an exact walk compares before it gives up: about a millisecond's worth of what referenced files add.
const EXACT_STEPS: usize = 20_000;
/// Messages inside messages, by nesting and by reference, that an exact walk keeps on the stack.
const EXACT_DEPTH: usize = 96;
/// Fields that a wide walk compares before it calls the rest incompatible. Only texts written for it get there.
const WIDE_STEPS: usize = 4_000_000;

#[derive(Debug)]
enum Mode {
    /// Pairs known to have no incompatible change, wherever they are met.
    Exact { clean: HashSet<(Place, Place)> },
    /// Pairs met, and those of them still to compare.
    Wide { met: HashSet<(Place, Place)>, queue: VecDeque<(Place, Place)> },
}

/// A comparison in progress.
#[derive(Debug)]
pub(super) struct Walk<'a> {
    original: Types<'a>,
    update: Types<'a>,
    /// Where names are looked up from, on both sides.
    scope: (Place, Place),
    /// Original messages being compared, outermost first.
    in_progress: Vec<&'a Message>,
    /// The outermost message of `in_progress` at which something was skipped since the last descent.
    outermost_skip: usize,
    /// Messages on the stack.
    depth: usize,
    mode: Mode,
    steps_left: usize,
    gave_up: bool,
    pub(super) report: Report,
}

/// Since when the fields of an original message are being compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub(super) enum Started {
    Now,
    /// Further out: they are not compared again.
    Earlier,
}

/// What [`Walk::enter_name`] changed.
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(super) struct Entered {
    scope: (Place, Place),
    mark: Mark,
}

impl<'a> Walk<'a> {
    pub(super) fn exact(original: &Side<'a>, update: &Side<'a>, report: Report) -> Walk<'a> {
        Walk::new(original, update, report, Mode::Exact { clean: HashSet::new() }, EXACT_STEPS)
    }

    pub(super) fn wide(original: &Side<'a>, update: &Side<'a>, report: Report) -> Walk<'a> {
        Walk::new(original, update, report, Mode::Wide { met: HashSet::new(), queue: VecDeque::new() }, WIDE_STEPS)
    }

    fn new(original: &Side<'a>, update: &Side<'a>, report: Report, mode: Mode, steps: usize) -> Walk<'a> {
        let (original, update) = (Types::of(original), Types::of(update));
        Walk {
            scope: (original.root(), update.root()),
            original,
            update,
            in_progress: Vec::new(),
            outermost_skip: usize::MAX,
            depth: 0,
            mode,
            steps_left: steps,
            gave_up: false,
            report,
        }
    }

    /// Whether the walk met a budget, so that its findings are of no use.
    pub(super) fn gave_up(&self) -> bool {
        self.gave_up
    }

    pub(super) fn into_found(self) -> Vec<Found> {
        self.report.into_found()
    }

    /// Goes into the types of this name on both sides: path and scopes.
    pub(super) fn enter_name(&mut self, name: &str) -> Entered {
        let before = Entered { scope: self.scope, mark: self.report.enter(name) };
        // A name that one side lacks is entered on the other side only to report it; no names are looked up there.
        self.scope = (
            self.original.inside(self.scope.0, name).unwrap_or(OUTERMOST),
            self.update.inside(self.scope.1, name).unwrap_or(OUTERMOST),
        );
        before
    }

    /// Goes back to where [`Walk::enter_name`] was called.
    pub(super) fn leave_name(&mut self, entered: Entered) {
        self.scope = entered.scope;
        self.report.leave(entered.mark);
    }

    /// Starts to compare `original` with another message; says whether its fields are being compared already.
    pub(super) fn start_message(&mut self, original: &'a Message) -> Started {
        self.depth += 1;
        match self.in_progress.iter().position(|earlier| std::ptr::eq(*earlier, original)) {
            Some(earlier) => {
                self.outermost_skip = self.outermost_skip.min(earlier);
                Started::Earlier
            }
            None => {
                self.in_progress.push(original);
                Started::Now
            }
        }
    }

    /// Ends what [`Walk::start_message`] started.
    pub(super) fn end_message(&mut self, started: Started) {
        self.depth -= 1;
        if started == Started::Now {
            self.in_progress.pop();
        }
    }

    /// Both sides' view of two types written in the current scopes.
    pub(super) fn see(&self, original: Written<'a>, update: Written<'a>) -> (Seen<'a>, Seen<'a>) {
        (self.original.see(self.scope.0, original), self.update.see(self.scope.1, update))
    }

    /// Whether two messages have the same name inside their packages.
    pub(super) fn same_local_name(&self, original: Place, update: Place) -> bool {
        self.original.local_name(original).eq(self.update.local_name(update))
    }

    /// Counts the comparison of one field or message.
    pub(super) fn step(&mut self) {
        self.steps_left = self.steps_left.saturating_sub(1);
    }

    /// Compares two message types of one local name that may differ in text, as a field's type. Returns whether
    /// they are compatible as far as the current walk reports it at the field.
    pub(super) fn compare_bodies(&mut self, original: Place, update: Place) -> bool {
        let (Some((was, was_from)), Some((is, is_from))) =
            (self.original.message_at(original), self.update.message_at(update))
        else {
            return true;
        };
        if std::ptr::eq(was, is) || same_text(was_from, is_from) {
            return true;
        }
        let pair = (original, update);
        match &mut self.mode {
            Mode::Wide { met, queue } => {
                if self.steps_left == 0 {
                    return met.contains(&pair);
                }
                if met.insert(pair) {
                    queue.push_back(pair);
                }
                true
            }
            Mode::Exact { clean } if clean.contains(&pair) => true,
            Mode::Exact { .. } => {
                self.gave_up |= self.steps_left == 0 || self.depth >= EXACT_DEPTH;
                self.gave_up || self.descend(pair, was, is)
            }
        }
    }

    /// Compares the pairs that a wide walk has queued, and those they lead to.
    pub(super) fn compare_queued(&mut self) {
        while let Mode::Wide { queue, .. } = &mut self.mode
            && let Some(pair) = queue.pop_front()
        {
            if self.steps_left == 0 {
                return self.named_type_changed();
            }
            if let (Some((was, _)), Some((is, _))) = (self.original.message_at(pair.0), self.update.message_at(pair.1))
            {
                self.descend(pair, was, is);
            }
        }
    }

    /// Compares two messages away from the current place. Returns whether nothing incompatible was found.
    fn descend(&mut self, pair: (Place, Place), was: &'a Message, is: &'a Message) -> bool {
        let mut parts: Vec<&str> = self.original.local_name(pair.0).collect();
        parts.reverse();
        let path = self.report.replace_path(parts.join("/"));
        let scope = std::mem::replace(&mut self.scope, pair);
        let skip_before = std::mem::replace(&mut self.outermost_skip, usize::MAX);
        let found_before = self.report.incompatible();

        message::compare_messages(self, was, is);

        let compatible = self.report.incompatible() == found_before;
        // Skipping a message further out makes a clean result depend on where it was asked.
        let depends_on_place = self.outermost_skip < self.in_progress.len();
        if let Mode::Exact { clean } = &mut self.mode
            && compatible
            && !depends_on_place
        {
            clean.insert(pair);
        }
        self.outermost_skip = self.outermost_skip.min(skip_before);
        self.scope = scope;
        self.report.replace_path(path);
        compatible
    }

    /// Reports an incompatible body at the field that uses it.
    pub(super) fn named_type_changed(&mut self) {
        self.report.add(FIELD_NAMED_TYPE_CHANGED);
    }
}

/// Whether two types come from one text: both from the compared files, whose messages are compared by name anyway,
/// or from one version of one subject.
fn same_text(original: Origin<'_>, update: Origin<'_>) -> bool {
    match (original, update) {
        (Origin::Local, Origin::Local) => true,
        (Origin::Reference(was), Origin::Reference(is)) => was.subject == is.subject && was.version == is.version,
        _ => false,
    }
}
