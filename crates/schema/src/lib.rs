//! What a schema *is*: parse, canonicalise, fingerprint, compare versions, encode and decode payloads.
//!
//! Pure: values in, values out. No clock, no I/O, no async; whoever calls hands in the referenced texts.
//! The registry decides *which* versions are compared and what is stored; this crate says what a text
//! means. Each format lives in a folder of its own behind [`Schema`]; protobuf is the first.
//!
//! To add a format: a folder beside `protobuf/`, a variant of [`Schema`], an arm in each method here.

pub mod avro;
pub mod compat;
pub mod difference;
pub mod fingerprint;
pub mod hint;
pub mod id;
pub mod json;
pub mod level;
mod logical;
pub mod outline;
mod payload;
pub mod protobuf;
pub mod reference;
mod weight;
pub mod wire;

mod schema;

pub use difference::Difference;
pub use fingerprint::Fingerprint;
pub use id::{Guid, SchemaId, SchemaType, Version};
pub use level::Level;
pub use payload::{Mismatch, quoted_json};
pub use reference::{Reference, ResolvedReference};
pub use schema::{Format, InvalidSchema, Schema, TagEdit, TaggedEntity, ValidateFields};
