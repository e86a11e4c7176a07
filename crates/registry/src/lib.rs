//! Subjects, versions, ids, config, mode, contexts: what the registry *does*.
//!
//! Owns [`store::RegistryStore`] (implemented by `storage`), the caches (weighed in bytes) and an in-memory store
//! for tests. Use cases are methods of [`Registry`], one file per group; each takes [`Caller`] first. Errors carry
//! meaning, never numbers; the surfaces give them codes.

pub mod access;
pub mod associations;
#[cfg(any(test, feature = "testing"))]
#[allow(clippy::expect_used, clippy::panic)] // tests of other crates
pub mod conformance;
pub mod error;
pub mod memory;
pub mod metrics;
pub mod model;
pub mod request;
pub mod store;

mod cache;
mod candidate;
mod coherence;
mod compatibility;
mod config;
mod contexts;
mod contract;
mod delete;
#[cfg(test)]
mod fixture;
mod heavy;
mod ids;
mod lists;
mod load;
mod lookup;
mod register;
mod registry;
mod resolve;
mod settings;
mod show;
mod tags;
mod usable;

pub use access::{Access, Action, Caller, Decision, Principal, Resource};
pub use associations::{
    AnsweredAssociation, AssociatedResource, Association, AssociationAnswer, AssociationFilter, AssociationInfo,
    AssociationLookup, AssociationOp, AssociationOpRequest, AssociationRequest, AssociationType, Cascade, Lifecycle,
    Put,
};
pub use cache::Stamp;
pub use coherence::Coherence;
pub use config::{Clock, RegistryConfig, system_clock};
pub use error::Error;
pub use model::*;
pub use registry::Registry;
pub use request::*;
pub use usable::UsableSchema;
