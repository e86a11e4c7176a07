//! Kafka clusters behind the data plane's traits, with librdkafka.
//!
//! [`connect`] turns [`KafkaSettings`] into a [`ClusterHandle`](sluice_data_plane::cluster::ClusterHandle) at once, also
//! while Kafka is down; [`DevBroker`] is the in-process broker of `sluice dev`. Outcomes are decided by librdkafka's
//! persistence status, never by an error code.
//!
//! The only crate that knows rdkafka, and [`ffi`] the only module with `unsafe`. Knows no HTTP and no SQL.
//!
//! To add an admin call: a method of the trait, `ffi/admin.rs`, `admin.rs`, a case in the conformance suite.

mod admin;
mod client;
mod config;
mod consumer;
mod dev_broker;
mod error;
mod ffi;
mod metrics;
mod producer;
mod protocol_errors;
mod topics;

pub use client::connect;
pub use config::{KafkaSettings, Mechanism, Profile, Protocol, Sasl, Secret, Security};
pub use dev_broker::{DEV_CLUSTER_ID, DevBroker};
pub use metrics::{KafkaMetrics, TABLE as METRICS};
