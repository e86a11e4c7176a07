//! Avro's JSON encoding ↔ its binary one over a plan compiled once per schema.
//!
//! `plan` holds the tables; `encode` reads JSON and writes the wire form; `decode` and `check` read the wire form
//! (`read`), `decode` printing JSON. No value is built in either direction.
//!
//! What is accepted, written and said of bad data follows Avro Java's `JsonDecoder` behind Jackson, as the reference
//! proxy uses it. Logical types are their base types. A schema that is `bytes` at the top has payloads without a
//! length, which is how the reference's serializers frame them.

mod check;
mod decode;
mod encode;
mod plan;
mod read;

use super::model::AvroModel;
use crate::Mismatch;

use plan::Plan;

/// The compiled plan of a schema. Immutable, shared.
#[derive(Debug)]
pub struct Codec(Plan);

impl Codec {
    /// Compiles the codec of a schema: one pass over its types.
    pub fn of(model: &AvroModel) -> Codec {
        Codec(Plan::of(model))
    }

    /// Appends the binary form of `json` (one JSON value, UTF-8) to `out`. Entries of a map are written in the
    /// order of Java's `HashMap`, as the reference writes them. On error `out` is as long as before.
    pub fn encode_json(&self, json: &[u8], out: &mut Vec<u8>) -> Result<(), Mismatch> {
        encode::encode(&self.0, json, out)
    }

    /// Appends the JSON form of `payload`. On error `out` is as long as before.
    pub fn decode_json(&self, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Mismatch> {
        decode::decode(&self.0, payload, out)
    }

    /// Whether `payload` is one value of the schema, with nothing left over; allocates nothing.
    pub fn check(&self, payload: &[u8]) -> Result<(), Mismatch> {
        check::check(&self.0, payload)
    }
}
