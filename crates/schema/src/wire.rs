//! The registry's framing of Kafka record keys and values.
//!
//! Layout, big endian: magic `0x00` (1 byte) · schema id (4 bytes) · for protobuf the message indexes (zigzag
//! varints: count, then one per nesting level; `[0]` shortens to a single `0x00`) · payload.
//!
//! Source: Confluent wire format, 8.2.0 `MessageIndexes`, `SchemaId`.

use crate::{Guid, SchemaId};

/// Path of a message inside its file: index among its siblings, outermost first. Never empty; `[0]` is the first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageIndexes(pub Box<[i32]>);

/// Why bytes are not in the registry's framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// Shorter than magic and id, or cut inside the indexes.
    #[error("too short for the wire format")]
    TooShort,
    /// The first byte is not a known magic.
    #[error("unknown magic byte {0:#04x}")]
    Magic(u8),
    /// Message indexes that cannot be: negative, too many, overlong varints.
    #[error("malformed message indexes")]
    Indexes,
}

/// The id part of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FramedId {
    /// `0x00` and an id.
    Id(SchemaId),
    /// `0x01` and a GUID.
    Guid(Guid),
}

/// Splits `bytes` into the schema's id and what follows (for protobuf: message indexes, then payload).
#[allow(clippy::todo, unused_variables)]
pub fn split(bytes: &[u8]) -> Result<(FramedId, &[u8]), BadFrame> {
    todo!()
}

/// Splits message indexes from a protobuf payload. At most 64 levels.
#[allow(clippy::todo, unused_variables)]
pub fn split_indexes(bytes: &[u8]) -> Result<(MessageIndexes, &[u8]), BadFrame> {
    todo!()
}

/// Appends magic, `id` and, for protobuf, `indexes`. Appends 5 bytes plus the indexes; never fails.
#[allow(clippy::todo, unused_variables)]
pub fn frame_into(id: SchemaId, indexes: Option<&MessageIndexes>, out: &mut Vec<u8>) {
    todo!()
}
