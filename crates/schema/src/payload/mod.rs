//! What the codecs of all formats share: a reader over JSON text, numbers as Java reads and prints them, printed JSON,
//! and the integer encodings that protobuf and Avro have in common.
//!
//! Nothing here knows a schema. `json` reads, `print` writes JSON; `numbers` is off the fast path; `write` appends
//! binary. A codec of a further format starts from these four and its own plan.

pub(crate) mod json;
pub(crate) mod numbers;
pub(crate) mod print;
pub(crate) mod write;

pub use json::quoted_json;

/// A value that does not fit its schema; one line, in the reference's words where it has them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Mismatch(pub String);
