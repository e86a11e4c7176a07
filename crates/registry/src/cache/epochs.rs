//! Counters that say whether something may have changed.
//!
//! Subjects share a fixed number of counters by hash: memory does not grow with them, and two subjects of one counter
//! merely forget a little too much. One more counter covers all of them, for changes whose reach is unknown.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::SubjectName;

const COUNTERS: usize = 8192;

/// As of when something was read about a subject. Equal stamps of one subject: nothing was written in between.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    subject: u64,
    all: Mark,
}

impl Stamp {
    /// Whether exactly one move lies between `earlier` and this.
    pub(super) fn is_next_after(self, earlier: Stamp) -> bool {
        self.subject == earlier.subject + 1 && self.all == earlier.all
    }
}

/// As of when something was read about settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark(u64);

pub(super) struct Epochs {
    hasher: RandomState,
    subjects: Box<[AtomicU64]>,
    all: AtomicU64,
}

impl Epochs {
    pub(super) fn new() -> Epochs {
        Epochs {
            hasher: RandomState::new(),
            subjects: (0..COUNTERS).map(|_| AtomicU64::new(0)).collect(),
            all: AtomicU64::new(0),
        }
    }

    fn of(&self, subject: &SubjectName) -> &AtomicU64 {
        let hash = self.hasher.hash_one(subject);
        &self.subjects[(hash as usize) % COUNTERS]
    }

    pub(super) fn stamp(&self, subject: &SubjectName) -> Stamp {
        Stamp { subject: self.of(subject).load(Ordering::SeqCst), all: self.mark() }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark(self.all.load(Ordering::SeqCst))
    }

    /// Moves the subject's counter; the stamp right after.
    pub(super) fn move_subject(&self, subject: &SubjectName) -> Stamp {
        let before = self.of(subject).fetch_add(1, Ordering::SeqCst);
        Stamp { subject: before + 1, all: self.mark() }
    }

    pub(super) fn move_all(&self) {
        self.all.fetch_add(1, Ordering::SeqCst);
    }
}
