//! Protobuf schemas.
//!
//! `parse` turns text (or a base64 descriptor) into [`model::ProtoFile`], our own unlinked model; `canonical`
//! prints it; `normalize` rewrites it; `resolve` finds types by name; `diff/` compares two; `link` builds linked
//! descriptors for `codec`, which compiles a plan per message for JSON ↔ binary.
//!
//! Registration, text and compatibility never need linking: the reference accepts what a linker refuses.

mod builtin;
mod canonical;
pub mod codec;
mod descriptor;
pub mod diff;
mod link;
pub mod model;
pub mod parse;

mod normalize;
mod options;
mod resolve;
mod schema;
mod tags;
mod validate;

pub use schema::ProtobufSchema;
