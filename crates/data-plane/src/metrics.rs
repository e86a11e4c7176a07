//! The metrics of the data plane: the one table of their names, and where they are counted.
//!
//! Labels are bounded: clusters come from configuration, topics only from files (an undeclared topic never becomes a
//! label), rules and outcomes from enums.

use std::sync::Arc;

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

use crate::error::GateError;
use crate::record::Side;

/// Name, help. Everything this crate exposes.
pub const METRICS: &[(&str, &str)] = &[
    ("sluice_produce_records_total", "Records that were reported, by cluster and outcome."),
    ("sluice_produce_bytes_total", "Bytes of keys and values that were written, by cluster."),
    ("sluice_produce_refused_total", "Records that were refused before they were sent anywhere."),
    ("sluice_produce_streams", "Produce requests open now, and closed ones with outcomes to come."),
    ("sluice_gate_refused_total", "Records that a declared topic refused, by topic, side and rule."),
    ("sluice_gate_warned_total", "Records that were written against a rule (enforcement: warn), likewise."),
];

/// Counters of one cluster.
#[derive(Debug, Clone)]
pub(crate) struct ClusterCounters {
    pub(crate) written: IntCounter,
    pub(crate) surely_not: IntCounter,
    pub(crate) unknown: IntCounter,
    pub(crate) bytes: IntCounter,
}

/// Counters of the data plane.
#[derive(Debug)]
pub struct Metrics {
    records: IntCounterVec,
    bytes: IntCounterVec,
    pub(crate) refused: IntCounter,
    pub(crate) streams: IntGauge,
    gate_refused: IntCounterVec,
    gate_warned: IntCounterVec,
}

impl Metrics {
    /// Registers all of [`METRICS`] with `registry`. Fails if one is registered already.
    pub fn register(registry: &Registry) -> Result<Arc<Metrics>, prometheus::Error> {
        let options = |at: usize| Opts::new(METRICS[at].0, METRICS[at].1);
        let metrics = Metrics {
            records: IntCounterVec::new(options(0), &["cluster", "outcome"])?,
            bytes: IntCounterVec::new(options(1), &["cluster"])?,
            refused: IntCounter::with_opts(options(2))?,
            streams: IntGauge::with_opts(options(3))?,
            gate_refused: IntCounterVec::new(options(4), &["topic", "side", "rule"])?,
            gate_warned: IntCounterVec::new(options(5), &["topic", "side", "rule"])?,
        };
        registry.register(Box::new(metrics.records.clone()))?;
        registry.register(Box::new(metrics.bytes.clone()))?;
        registry.register(Box::new(metrics.refused.clone()))?;
        registry.register(Box::new(metrics.streams.clone()))?;
        registry.register(Box::new(metrics.gate_refused.clone()))?;
        registry.register(Box::new(metrics.gate_warned.clone()))?;
        Ok(Arc::new(metrics))
    }

    pub(crate) fn of_cluster(&self, name: &str) -> ClusterCounters {
        ClusterCounters {
            written: self.records.with_label_values(&[name, "written"]),
            surely_not: self.records.with_label_values(&[name, "not_written"]),
            unknown: self.records.with_label_values(&[name, "unknown"]),
            bytes: self.bytes.with_label_values(&[name]),
        }
    }

    pub(crate) fn gate_refused(&self, topic: &str, side: Side, error: &GateError) {
        self.gate_refused.with_label_values(&[topic, side.word(), error.rule()]).inc();
    }

    pub(crate) fn gate_warned(&self, topic: &str, side: Side, error: &GateError) {
        let counter = self.gate_warned.with_label_values(&[topic, side.word(), error.rule()]);
        // The first, and every 1,000th after it, is told to a person.
        if counter.get().is_multiple_of(1_000) {
            tracing::warn!(topic, rule = error.rule(), "written against the rule: {error}");
        }
        counter.inc();
    }
}
