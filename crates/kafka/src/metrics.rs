//! Metrics of the Kafka clients: one table, one struct.
//!
//! Labels are bounded: clusters are declared, the rest are fixed words. To add one: a row in [`TABLE`], a field, a line
//! where it is counted.

use prometheus::{IntCounterVec, IntGaugeVec, Opts, Registry};

/// Name, help and labels of every metric of this crate.
pub const TABLE: &[(&str, &str, &[&str])] = &[
    ("sluice_kafka_outcomes_total", "Records by outcome: written, surely_not, maybe.", &["cluster", "outcome"]),
    ("sluice_kafka_unanswered_records", "Records without an outcome yet.", &["cluster", "lane"]),
    ("sluice_kafka_connected", "1 while a broker of the cluster answers.", &["cluster"]),
    (
        "sluice_kafka_producer_rebuilds_total",
        "Producers given up after a fatal error, and built again.",
        &["cluster", "lane"],
    ),
    ("sluice_kafka_admin_calls_total", "Admin calls by name and result: ok, error.", &["cluster", "call", "result"]),
];

/// The metrics themselves. Clones share them.
#[derive(Debug, Clone)]
pub struct KafkaMetrics {
    pub(crate) outcomes: IntCounterVec,
    pub(crate) unanswered: IntGaugeVec,
    pub(crate) connected: IntGaugeVec,
    pub(crate) rebuilds: IntCounterVec,
    pub(crate) admin_calls: IntCounterVec,
}

impl KafkaMetrics {
    /// New metrics, registered with `registry`. Errors: registered already.
    pub fn register(registry: &Registry) -> Result<KafkaMetrics, prometheus::Error> {
        let metrics = KafkaMetrics {
            outcomes: IntCounterVec::new(opts(0), TABLE[0].2)?,
            unanswered: IntGaugeVec::new(opts(1), TABLE[1].2)?,
            connected: IntGaugeVec::new(opts(2), TABLE[2].2)?,
            rebuilds: IntCounterVec::new(opts(3), TABLE[3].2)?,
            admin_calls: IntCounterVec::new(opts(4), TABLE[4].2)?,
        };
        registry.register(Box::new(metrics.outcomes.clone()))?;
        registry.register(Box::new(metrics.unanswered.clone()))?;
        registry.register(Box::new(metrics.connected.clone()))?;
        registry.register(Box::new(metrics.rebuilds.clone()))?;
        registry.register(Box::new(metrics.admin_calls.clone()))?;
        Ok(metrics)
    }
}

fn opts(row: usize) -> Opts {
    let (name, help, _) = TABLE[row];
    Opts::new(name, help)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_of_the_table_is_registered_under_its_name() {
        let registry = Registry::new();
        let metrics = KafkaMetrics::register(&registry).unwrap();
        metrics.outcomes.with_label_values(&["one", "written"]).inc();
        metrics.unanswered.with_label_values(&["one", "pinned"]).inc();
        metrics.connected.with_label_values(&["one"]).set(1);
        metrics.rebuilds.with_label_values(&["one", "pinned"]).inc();
        metrics.admin_calls.with_label_values(&["one", "CreateTopics", "ok"]).inc();
        let registered: Vec<_> = registry.gather().iter().map(|family| family.name().to_owned()).collect();
        for (name, _, _) in TABLE {
            assert!(name.starts_with("sluice_"), "{name}");
            assert!(registered.iter().any(|listed| listed == name), "{name}");
        }
    }
}
