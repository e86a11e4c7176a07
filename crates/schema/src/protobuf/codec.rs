//! JSON ↔ protobuf over a plan compiled once per schema.
//!
//! The plan is a flat table per message: JSON names to field steps by perfect or sorted lookup, wire tags to
//! steps by number. No dynamic message tree is built in either direction.

use crate::InvalidSchema;
use crate::wire::MessageIndexes;

/// A value that does not fit the message; one line, in the reference's words where it has them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Mismatch(pub String);

/// Compiled plans of all messages of a schema and its imports. Immutable, shared.
#[derive(Debug)]
pub struct Codec {}

/// A message of a codec's schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessagePlan(pub(crate) u32);

#[allow(clippy::todo, unused_variables)]
impl Codec {
    /// The first top-level message. `None` for a file without messages.
    pub fn first_message(&self) -> Option<MessagePlan> {
        todo!()
    }

    /// The message of this name: full, or relative to the file's package.
    pub fn message_by_name(&self, name: &str) -> Option<MessagePlan> {
        todo!()
    }

    /// The message at this index path.
    pub fn message_by_indexes(&self, indexes: &MessageIndexes) -> Option<MessagePlan> {
        todo!()
    }

    /// Index path of a message of the root file.
    pub fn indexes(&self, message: MessagePlan) -> &MessageIndexes {
        todo!()
    }

    /// Appends the binary form of `json` (one JSON value, UTF-8) to `out`. Fields are written in number order,
    /// map entries in JSON order. On error `out` is as long as before.
    pub fn encode_json(&self, message: MessagePlan, json: &[u8], out: &mut Vec<u8>) -> Result<(), Mismatch> {
        todo!()
    }

    /// Appends the JSON form of `payload`: camelCase names, 64-bit integers as text, enums by name, fields without
    /// presence with their defaults.
    pub fn decode_json(&self, message: MessagePlan, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Mismatch> {
        todo!()
    }

    /// Whether `payload` decodes under `message`; allocates nothing.
    pub fn check(&self, message: MessagePlan, payload: &[u8]) -> Result<(), Mismatch> {
        todo!()
    }
}

/// Compiles the codec of a linked file. What cannot be linked has no codec.
#[allow(clippy::todo, unused_variables)]
pub(crate) fn compile(schema: &super::ProtobufSchema) -> Result<Codec, InvalidSchema> {
    todo!()
}
