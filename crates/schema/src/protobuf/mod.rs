//! Protobuf schemas.
//!
//! `parse` turns text into [`model::ProtoFile`], our own unlinked model, and `descriptor` a binary descriptor;
//! `canonical` prints it; `normalize` rewrites it, `tags` edits it, `validate` checks it; `resolve` finds types by
//! name among the file, its references and the `builtin` files; `diff/` compares two; `descriptor` writes it, and
//! `link` links that for `codec`, which compiles a plan per message for JSON ↔ binary.
//!
//! Registration, text and compatibility never need linking: the reference accepts what a linker refuses.

mod builtin;
mod canonical;
pub mod codec;
mod descriptor;
pub mod diff;
pub(crate) mod hint;
mod link;
mod logical;
pub mod model;
pub mod parse;

mod normalize;
mod options;
mod resolve;
mod schema;
mod tags;
mod validate;

pub(crate) use builtin::is_builtin;
pub use schema::ProtobufSchema;
