//! Avro schemas.
//!
//! `parse` turns text into [`model::AvroModel`]; `print` writes it, `normalize` writes its normal form, `equal` compares
//! two as the reference's look-up does, `tags` edits `confluent:tags`. References are texts whose names the schema's
//! own text may use; [`AvroSchema`] holds it all together.
//!
//! Source: Avro 1.12 (Java) and schema-registry `avro/AvroSchema`, 8.5.

pub mod codec;
pub mod diff;
mod equal;
pub(crate) mod hint;
pub mod json;
mod logical;
pub mod model;
mod normalize;
mod out;
mod parse;
mod print;
mod schema;
mod tags;

pub use parse::{MAX_ELEMENTS, MAX_TEXT_BYTES};
pub use schema::AvroSchema;
