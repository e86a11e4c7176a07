//! [`ProtoFile`] ↔ binary `FileDescriptorProto`, in both directions.
//!
//! `read`: what clients send as base64 becomes the model, with what the reference keeps of it. `write` has two
//! voices: [`serialized`] gives the bytes of `format=serialized`, with the reference's habits (names as written,
//! groups lost, custom options lost); [`file_descriptor`] gives what protoc would, for linking: every import, groups,
//! resolved type names, no custom options. `wire` is the few lines of encoding that both need.

mod read;
mod wire;
mod write;

pub(super) use read::parse_base64;
pub(crate) use write::{file_descriptor, serialized};
