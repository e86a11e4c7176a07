//! Compatibility of two protobuf schemas: every change type of the reference, as a table.
//!
//! [`differences`] walks both files in the reference's order and appends what is incompatible.

use crate::Difference;
use crate::compat::Direction;
use crate::protobuf::ProtobufSchema;

/// A change type: its wire name and whether it is compatible.
#[derive(Debug, Clone, Copy)]
pub struct Change {
    /// e.g. `FIELD_KIND_CHANGED`.
    pub id: &'static str,
    /// Compatible changes are found but not reported.
    pub compatible: bool,
    /// Message template: `%1`/`%2` the sides, `P` the path. Empty for compatible changes.
    pub template: &'static str,
}

/// The incompatible changes from `old` to `new`, worded for `direction`.
#[allow(clippy::todo, unused_variables)]
pub fn differences(new: &ProtobufSchema, old: &ProtobufSchema, direction: Direction) -> Vec<Difference> {
    todo!()
}
