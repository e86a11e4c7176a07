//! Every wire surface: Schema Registry (`sr`), REST Proxy, management, control.
//!
//! A request goes `serve` (connection) → `service` (limits, route, media type, door) → a handler of a surface →
//! one use case → an answer. Handlers decode, call, encode: no rule, no SQL. Paths, methods and permissions stand in
//! the `routes!` table of each surface and nowhere else; numeric error codes in each surface's `error.rs`.
//!
//! To add an endpoint: a file with the handler, a line in the table, an entry in `api-spec/`.

pub mod answer;
pub mod auth;
pub mod body;
pub mod call;
pub mod compress;
pub mod control;
pub mod cors;
pub mod decode;
pub mod error;
pub mod json;
pub mod management;
pub mod media;
pub mod metrics;
pub mod observe;
pub mod query;
pub mod rest_v3;
pub mod route;
pub mod serve;
pub mod service;
pub mod sr;

use std::sync::Arc;
use std::time::Duration;

use sluice_data_plane::DataPlane;
use sluice_registry::Registry;
use tokio::sync::watch;

/// What the handlers work with. Each surface looks at its own part.
#[derive(Clone)]
pub struct Services {
    /// The registry.
    pub registry: Registry,
    /// Clusters, topics, records.
    pub data: DataPlane,
    /// Whether records are shown to whoever reaches the management listener.
    pub read_back: bool,
}

/// Limits and switches of the HTTP layer.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Longest request body that is read whole, bytes. 10 MiB.
    pub max_body_bytes: usize,
    /// Longest JSON of one record in a stream, bytes. 8 MiB.
    pub max_record_bytes: usize,
    /// Longest request line (414) and longest request head (431), bytes. 8 KiB.
    pub max_head_bytes: usize,
    /// Connections over all listeners; more are answered 503. 10,240.
    pub max_connections: usize,
    /// How long a connection may take to send a request head, or idle between two. 30 s.
    pub head_timeout: Duration,
    /// How long a client may leave answers unread before its connection is closed. 60 s.
    pub write_timeout: Duration,
    /// How long requests in flight may take to finish on shutdown. 20 s.
    pub drain_timeout: Duration,
    /// Shortest body that is compressed for clients that accept gzip, bytes; `None` compresses nothing. 32.
    pub gzip_min_bytes: Option<usize>,
    /// Cross-origin requests; `None` leaves them unanswered.
    pub cors: Option<cors::Cors>,
    /// What `/v1/metadata/id` names as the Kafka cluster; `None` while none is known.
    pub kafka_cluster_id: Option<String>,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            max_body_bytes: 10 * 1024 * 1024,
            max_record_bytes: 8 * 1024 * 1024,
            max_head_bytes: 8 * 1024,
            max_connections: 10_240,
            head_timeout: Duration::from_secs(30),
            write_timeout: Duration::from_secs(60),
            drain_timeout: Duration::from_secs(20),
            gzip_min_bytes: Some(32),
            cors: None,
            kafka_cluster_id: None,
        }
    }
}

/// Everything a request needs, shared by all listeners.
pub struct Api {
    /// Use cases.
    pub services: Services,
    /// Limits.
    pub settings: Settings,
    /// The door.
    pub door: Box<dyn auth::Authenticate>,
    /// Counters.
    pub metrics: metrics::HttpMetrics,
    /// One line per request.
    pub access_log: observe::AccessLog,
    /// What `/metrics` prints.
    pub metric_registry: prometheus::Registry,
    /// What `/readyz` asks.
    pub readiness: management::ReadinessProbe,
    /// Turns true on shutdown: listeners stop accepting, streams read no further.
    pub stopping: watch::Receiver<bool>,
}

impl Api {
    /// An API on `services` with an open door, its metrics in `metric_registry`, no access log, always ready.
    pub fn new(
        services: Services,
        settings: Settings,
        metric_registry: prometheus::Registry,
        stopping: watch::Receiver<bool>,
    ) -> Result<Api, prometheus::Error> {
        Ok(Api {
            services,
            settings,
            door: Box::new(auth::Anonymous::new()),
            metrics: metrics::HttpMetrics::register(&metric_registry)?,
            access_log: observe::AccessLog::off(),
            metric_registry,
            readiness: Arc::new(management::Readiness::ready),
            stopping,
        })
    }
}
