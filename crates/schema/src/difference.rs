//! One incompatible change between two versions, as a value.

/// What changed, where, and which sides of the comparison are "new" and "old".
///
/// `Display` is the reference's message for the format the difference came from, e.g. for protobuf
/// `{errorType:"FIELD_KIND_CHANGED", description:"The type of a field at path '#/M/1' in the new schema does not match the old schema"}`.
/// Source: schema-registry `protobuf/diff/Difference` and its message tables, 8.2.0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The change type, e.g. `FIELD_KIND_CHANGED`.
    pub kind: &'static str,
    /// Where, in the notation of the format: `#/Message/1` for protobuf.
    pub path: String,
    /// The whole message as the compatibility endpoint lists it.
    pub message: String,
}

impl std::fmt::Display for Difference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}
