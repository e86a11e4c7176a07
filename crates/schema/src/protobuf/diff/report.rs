//! What a walk has found, and where it stands.
//!
//! The path grows and shrinks with the walk; a change is noted at the place the walk is in. Invariant: whether
//! anything incompatible was found is counted even when its text is no longer kept, so a cap on text never turns
//! "incompatible" into "compatible".

use super::{Change, Found, Keep};

/// Bytes of paths kept per comparison. Names may be long and nested deep; a list past this helps nobody.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// The changes found so far, and the current path.
#[derive(Debug)]
pub(super) struct Report {
    keep: Keep,
    /// Segments joined by `/`, without the leading `#/`.
    path: String,
    found: Vec<Found>,
    incompatible: usize,
    bytes: usize,
}

/// The path as it was before a segment; give it back to [`Report::leave`].
#[derive(Debug, Clone, Copy)]
#[must_use]
pub(super) struct Mark(usize);

impl Report {
    pub(super) fn new(keep: Keep) -> Report {
        Report { keep, path: String::new(), found: Vec::new(), incompatible: 0, bytes: 0 }
    }

    /// Whether compatible changes are of interest at all.
    pub(super) fn keeps_compatible(&self) -> bool {
        self.keep == Keep::Everything
    }

    /// How many incompatible changes were found, kept or not.
    pub(super) fn incompatible(&self) -> usize {
        self.incompatible
    }

    /// Notes `change` at the current path.
    pub(super) fn add(&mut self, change: Change) {
        if change.compatible && !self.keeps_compatible() {
            return;
        }
        self.incompatible += usize::from(!change.compatible);
        if self.bytes > KEPT_BYTES {
            return;
        }
        let path = format!("#/{}", self.path);
        self.bytes += path.len();
        self.found.push(Found { change, path });
    }

    /// Notes `change` at `segment` below the current path.
    pub(super) fn add_at(&mut self, segment: &str, change: Change) {
        let mark = self.enter(segment);
        self.add(change);
        self.leave(mark);
    }

    /// Notes `change` at the field of this tag.
    pub(super) fn add_at_tag(&mut self, tag: i32, change: Change) {
        let mark = self.enter_tag(tag);
        self.add(change);
        self.leave(mark);
    }

    /// Goes into `segment`.
    pub(super) fn enter(&mut self, segment: &str) -> Mark {
        let mark = Mark(self.path.len());
        if !self.path.is_empty() {
            self.path.push('/');
        }
        self.path.push_str(segment);
        mark
    }

    /// Goes into the field of this tag.
    pub(super) fn enter_tag(&mut self, tag: i32) -> Mark {
        self.enter(itoa::Buffer::new().format(tag))
    }

    /// Goes back to where `mark` was made.
    pub(super) fn leave(&mut self, mark: Mark) {
        self.path.truncate(mark.0);
    }

    /// Puts the walk at another place; gives the old one back.
    pub(super) fn replace_path(&mut self, path: String) -> String {
        std::mem::replace(&mut self.path, path)
    }

    pub(super) fn into_found(self) -> Vec<Found> {
        self.found
    }
}
