//! What to ask of which Kafka cluster: routes, balancing, the schema gate, produce and admin use cases.
//!
//! Owns the traits that `kafka` implements ([`cluster`]). Chooses, never talks: no rdkafka, no HTTP.

pub mod cluster;
#[cfg(any(test, feature = "testing"))]
pub mod conformance;
pub mod outcome;
pub mod route;

pub use cluster::{Administer, Consume, Deliveries, Lane, LocalFull, Produce, Record, Token};
pub use outcome::{Cause, Fault, Outcome, Persistence};
pub use route::RouteTable;
