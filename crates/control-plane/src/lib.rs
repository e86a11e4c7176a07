//! Declared state: YAML files → located documents → validated objects → an immutable [`snapshot::Snapshot`].
//!
//! Parsing and checking are pure: texts in, a snapshot or every problem out. Reading files and signals is the
//! binary's business. Fields that nothing acts on yet are validated, kept and reported as such.
//!
//! To add a kind: a file in `manifest/`, a variant of [`model::Object`], its checks in `check.rs`.

pub mod document;
pub mod fields;
pub mod manifest;
pub mod model;
pub mod problem;
pub mod snapshot;
pub mod units;

mod check;

pub use problem::{Level, Problem, Problems};
pub use snapshot::{Snapshot, SnapshotState, Snapshots};
