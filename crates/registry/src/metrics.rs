//! The metrics of the registry: the one table of their names, and what is counted.
//!
//! Counting is an atomic addition, whether or not anyone reads; sizes of caches are read when they are collected.
//! [`crate::Registry::register_metrics`] hands all of them to the process's collection. Labels are bounded by this file.
//!
//! To add a metric: a field, a row of [`METRICS`], an arm in `values`.

use std::sync::atomic::{AtomicU64, Ordering};

use prometheus::core::{Collector, Desc};
use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

use crate::Registry;

/// Name, label, help. Everything this crate exposes.
pub const METRICS: &[(&str, Option<&str>, &str)] = &[
    ("sluice_registry_registrations_total", Some("outcome"), "Registrations decided, by outcome."),
    ("sluice_registry_commit_conflicts_total", None, "Commits that lost a race and were decided again."),
    ("sluice_registry_deleted_versions_total", Some("permanence"), "Versions deleted, by permanence."),
    ("sluice_registry_parsed_total", None, "Schemas parsed: new texts, and stored ones that the cache did not have."),
    ("sluice_registry_changes_applied_total", None, "Changes read from the store and applied to the caches."),
    ("sluice_registry_notified", None, "1 while notifications of other nodes' writes arrive."),
    ("sluice_registry_store_silent_seconds", None, "Seconds since the store last answered."),
    ("sluice_registry_cache_bytes", Some("cache"), "Bytes held, by cache."),
    ("sluice_registry_cache_entries", Some("cache"), "Entries held, by cache."),
];

/// A counter.
#[derive(Debug, Default)]
pub(crate) struct Count(AtomicU64);

impl Count {
    pub(crate) fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> f64 {
        self.0.load(Ordering::Relaxed) as f64
    }
}

/// What is counted.
#[derive(Debug, Default)]
pub(crate) struct Counts {
    pub(crate) written: Count,
    pub(crate) known: Count,
    pub(crate) incompatible: Count,
    pub(crate) refused: Count,
    pub(crate) failed: Count,
    pub(crate) conflicts: Count,
    pub(crate) soft_deleted: Count,
    pub(crate) permanently_deleted: Count,
    pub(crate) changes: Count,
    pub(crate) parsed: Count,
}

struct Exposed {
    registry: Registry,
    descriptions: Vec<Desc>,
}

impl Registry {
    /// Hands all of [`METRICS`] to `collection`. Fails if one of the names is registered there already.
    pub fn register_metrics(&self, collection: &prometheus::Registry) -> Result<(), prometheus::Error> {
        let descriptions = METRICS
            .iter()
            .map(|(name, label, help)| {
                let labels = label.iter().map(|label| (*label).to_owned()).collect();
                Desc::new((*name).to_owned(), (*help).to_owned(), labels, Default::default())
            })
            .collect::<Result<_, _>>()?;
        collection.register(Box::new(Exposed { registry: self.clone(), descriptions }))
    }
}

impl Exposed {
    /// Label value and number, for each line of this metric.
    fn values(&self, name: &str) -> Vec<(&'static str, f64)> {
        let counts = &self.registry.inner.counts;
        let coherence = self.registry.coherence();
        match name {
            "sluice_registry_registrations_total" => vec![
                ("written", counts.written.get()),
                ("known", counts.known.get()),
                ("incompatible", counts.incompatible.get()),
                ("refused", counts.refused.get()),
                ("failed", counts.failed.get()),
            ],
            "sluice_registry_commit_conflicts_total" => vec![("", counts.conflicts.get())],
            "sluice_registry_deleted_versions_total" => {
                vec![("soft", counts.soft_deleted.get()), ("permanent", counts.permanently_deleted.get())]
            }
            "sluice_registry_parsed_total" => vec![("", counts.parsed.get())],
            "sluice_registry_changes_applied_total" => vec![("", counts.changes.get())],
            "sluice_registry_notified" => vec![("", f64::from(u8::from(coherence.notified)))],
            "sluice_registry_store_silent_seconds" => vec![("", coherence.store_silent_ms as f64 / 1000.0)],
            "sluice_registry_cache_bytes" => {
                self.registry.inner.caches.sizes().into_iter().map(|size| (size.cache, size.bytes as f64)).collect()
            }
            "sluice_registry_cache_entries" => {
                self.registry.inner.caches.sizes().into_iter().map(|size| (size.cache, size.entries as f64)).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Collector for Exposed {
    fn desc(&self) -> Vec<&Desc> {
        self.descriptions.iter().collect()
    }

    fn collect(&self) -> Vec<MetricFamily> {
        let family = |(name, label, help): &(&str, Option<&str>, &str)| {
            let is_counter = name.ends_with("_total");
            let lines = self.values(name).into_iter().map(|(value, number)| {
                let labels = label.map(|label| {
                    let mut pair = LabelPair::default();
                    pair.set_name(label.to_owned());
                    pair.set_value(value.to_owned());
                    pair
                });
                let mut metric = Metric::from_label(labels.into_iter().collect());
                if is_counter {
                    let mut counter = Counter::default();
                    counter.set_value(number);
                    metric.set_counter(counter);
                } else {
                    let mut gauge = Gauge::default();
                    gauge.set_value(number);
                    metric.set_gauge(gauge);
                }
                metric
            });
            let mut family = MetricFamily::default();
            family.set_name((*name).to_owned());
            family.set_help((*help).to_owned());
            family.set_field_type(if is_counter { MetricType::COUNTER } else { MetricType::GAUGE });
            family.set_metric(lines.collect());
            family
        };
        METRICS.iter().map(family).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::RegistryConfig;
    use crate::memory::MemoryStore;

    #[test]
    fn every_metric_of_the_table_is_exposed_with_a_value() {
        let registry = Registry::new(Arc::new(MemoryStore::new()), RegistryConfig::default());
        let collection = prometheus::Registry::new();
        registry.register_metrics(&collection).unwrap();
        let text = prometheus::TextEncoder::new().encode_to_string(&collection.gather()).unwrap();
        for (name, ..) in METRICS {
            assert!(text.lines().any(|line| line.starts_with(name)), "{name} is missing in\n{text}");
        }
        assert!(registry.register_metrics(&collection).is_err());
    }
}
