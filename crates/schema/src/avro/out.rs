//! JSON being written: what the stored text and the normal form have in common.

use super::json::Json;
use crate::payload::print;

/// Text so far.
#[derive(Debug, Default)]
pub(super) struct Out(Vec<u8>);

impl Out {
    /// Appends brackets, commas and the like as they are.
    pub(super) fn raw(&mut self, text: &str) {
        self.0.extend_from_slice(text.as_bytes());
    }

    /// Appends a string.
    pub(super) fn text(&mut self, text: &str) {
        print::text(text, &mut self.0);
    }

    /// Appends a value.
    pub(super) fn value(&mut self, value: &Json) {
        value.print(&mut self.0);
    }

    /// Appends the key of an entry that is not the first.
    pub(super) fn key(&mut self, key: &str) {
        self.raw(",");
        self.text(key);
        self.raw(":");
    }

    /// Appends a comma before every item but the first.
    pub(super) fn comma(&mut self, at: usize) {
        if at > 0 {
            self.raw(",");
        }
    }

    /// The text.
    pub(super) fn finish(self) -> String {
        String::from_utf8(self.0).unwrap_or_default()
    }
}
