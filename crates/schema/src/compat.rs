//! Compares a new schema with older versions under a level, and writes the reference's result list.
//!
//! Pure. An incompatibility is a value ([`Incompatible`]); the registry turns it into a refusal.
//! Which versions take part (live ones, one group) is the caller's choice; the order of checks, which
//! version is named, and the trailing lines are decided here, once for all formats.
//!
//! Source: schema-registry `CompatibilityChecker#checkVersions` and `CompatibilityLevel`, 8.2.0.

use std::sync::Arc;

use crate::{Difference, Level, Schema, Version};

/// A version to compare with. `text` is the stored text, named in the result.
#[derive(Debug, Clone)]
pub struct Prior {
    /// Its number.
    pub version: Version,
    /// Parsed.
    pub schema: Arc<Schema>,
}

/// Which side is the reader: decides "new"/"old" in the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The new schema reads data of the old one.
    Backward,
    /// The old schema reads data of the new one.
    Forward,
}

/// Why a schema may not follow a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incompatible {
    /// The version it breaks; `None` when the types differ.
    pub against: Option<Version>,
    /// Stored text of that version.
    pub old_text: Option<Arc<str>>,
    /// The changes, in the order the reference lists them (forward ones first under FULL).
    pub differences: Vec<Difference>,
    /// The level that was asked.
    pub level: Level,
    /// Whether fields were validated (printed in the trailer).
    pub validate_fields: bool,
}

/// Checks `new` under `level` against `previous` (oldest first; the caller has already left out deleted versions
/// and those of other groups). `Ok` when compatible.
///
/// Not transitive: only the last of `previous`. Transitive: newest to oldest, stops at the first that fails.
/// FULL lists forward differences before backward ones.
#[allow(clippy::todo, unused_variables)]
pub fn check(level: Level, new: &Schema, previous: &[Prior], validate_fields: bool) -> Result<(), Incompatible> {
    todo!()
}

/// All incompatible changes when `reader` reads data of `writer`. Compatible changes are not reported.
#[allow(clippy::todo, unused_variables)]
pub fn differences(new: &Schema, old: &Schema, direction: Direction) -> Vec<Difference> {
    todo!()
}

impl Incompatible {
    /// The `messages` list of the compatibility endpoint, also printed inside 40901: one string per difference,
    /// `{oldSchemaVersion: N}`, `{oldSchema: '…'}` (cut past 10 KiB), `{validateFields: 'b', compatibility: 'LEVEL'}`.
    #[allow(clippy::todo)]
    pub fn messages(&self) -> Vec<String> {
        todo!()
    }
}
