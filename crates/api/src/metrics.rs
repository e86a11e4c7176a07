//! The metrics of the HTTP layer: the one table of their names, and where they are counted.
//!
//! One counter per operation and status class, one histogram per operation, resolved once at start so that a request
//! only adds to atomics. Labels come from the route table and are bounded by it.

use prometheus::{HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGaugeVec, Opts, Registry};

use crate::route::all_routes;

/// Name, help. Everything this crate exposes.
pub const METRICS: &[(&str, &str)] = &[
    ("sluice_http_requests_total", "HTTP requests answered, by operation and class of status."),
    ("sluice_http_request_duration_seconds", "Time until the headers of an answer were ready, by operation."),
    ("sluice_http_connections", "Connections open now, by listener."),
    ("sluice_http_connections_refused_total", "Connections refused because there were too many, by listener."),
];

/// Upper bounds in seconds.
const BUCKETS: &[f64] = &[0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

#[derive(Debug)]
struct Operation {
    classes: [IntCounter; 5],
    seconds: prometheus::Histogram,
}

/// Counters of the HTTP layer.
#[derive(Debug)]
pub struct HttpMetrics {
    operations: Vec<Operation>,
    pub(crate) connections: IntGaugeVec,
    pub(crate) refused: IntCounterVec,
}

impl HttpMetrics {
    /// Registers all of [`METRICS`] with `registry`. Fails if one is registered already.
    pub fn register(registry: &Registry) -> Result<HttpMetrics, prometheus::Error> {
        let options = |at: usize| Opts::new(METRICS[at].0, METRICS[at].1);
        let requests = IntCounterVec::new(options(0), &["operation", "status"])?;
        let seconds = HistogramVec::new(HistogramOpts::from(options(1)).buckets(BUCKETS.to_vec()), &["operation"])?;
        let connections = IntGaugeVec::new(options(2), &["listener"])?;
        let refused = IntCounterVec::new(options(3), &["listener"])?;
        registry.register(Box::new(requests.clone()))?;
        registry.register(Box::new(seconds.clone()))?;
        registry.register(Box::new(connections.clone()))?;
        registry.register(Box::new(refused.clone()))?;
        let names = all_routes().map(|route| route.operation).chain(["none"]);
        let operations = names
            .map(|name| Operation {
                classes: CLASSES.map(|class| requests.with_label_values(&[name, class])),
                seconds: seconds.with_label_values(&[name]),
            })
            .collect();
        Ok(HttpMetrics { operations, connections, refused })
    }

    /// Counts an answer to route `number`, or to a request that found none.
    pub(crate) fn answered(&self, number: Option<usize>, status: u16, seconds: f64) {
        let none = self.operations.len().saturating_sub(1);
        let Some(operation) = self.operations.get(number.unwrap_or(none)) else { return };
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        operation.classes[class].inc();
        operation.seconds.observe(seconds);
    }
}
