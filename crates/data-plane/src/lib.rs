//! What to ask of which Kafka cluster: routes, balancing, the schema gate, produce and admin use cases.
//!
//! Owns the traits that `kafka` implements ([`cluster`]). Chooses, never talks: no rdkafka, no HTTP.

pub mod admin;
pub mod balance;
pub mod cluster;
pub mod config;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod deliveries;
pub mod error;
pub mod memory;
pub mod metrics;
pub mod outcome;
pub mod produce;
pub mod read_back;
pub mod record;
pub mod route;

mod encode;
mod gate;
mod intake;
mod pace;
mod plane;
mod resolve;
mod usable;

pub use cluster::{Administer, Consume, Deliveries, Lane, LocalFull, Produce, Record, Token};
pub use config::DataPlaneConfig;
pub use deliveries::DeliveryHub;
pub use intake::{Settled, is_legal_topic};
pub use metrics::Metrics;
pub use outcome::{Cause, Fault, Outcome, Persistence};
pub use plane::DataPlane;
pub use route::RouteTable;
