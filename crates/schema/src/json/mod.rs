//! JSON Schema: drafts 4, 6, 7, 2019-09 and 2020-12.
//!
//! [`text`] reads and prints what is stored, [`value`] holds it, [`load`] turns it into the [`model`] that versions
//! are compared on by [`diff`]; [`validate`] holds data against a schema. [`JsonSchema`] is all of it together.

mod budget;
mod defaults;
pub mod diff;
pub(crate) mod hint;
pub mod load;
mod logical;
pub mod model;
pub mod named;
mod order;
mod schema;
mod tags;
pub mod text;
pub mod validate;
pub mod value;

pub use schema::JsonSchema;
