//! [`ProtoFile`] ↔ binary `FileDescriptorProto`, in both directions.
//!
//! `read`: what clients send as base64 becomes the model, with what the reference keeps of it. `write` has two
//! voices: [`serialized`] gives the bytes of `format=serialized`, with the reference's habits (names as written,
//! groups lost, custom options lost); [`file_descriptor`] gives what protoc would, for linking: groups, resolved type
//! names, no custom options; dependencies follow from the types used. `write_options` writes the options of both,
//! `wire` is the few lines of encoding and decoding underneath.

mod read;
mod wire;
mod write;
mod write_options;

pub(super) use read::parse_base64;
pub(crate) use write::{file_descriptor, serialized};
