//! The management listener: liveness, readiness, metrics.
//!
//! Liveness answers as long as the process does; readiness is false before the first snapshot and on shutdown only.
//! The state of Kafka and of the store is a detail, and decides `/readyz/registry` and `/readyz/rest`.

mod healthz;
mod metrics;
mod readyz;
mod readyz_registry;
mod readyz_rest;

use std::sync::Arc;

use http::StatusCode;
use serde::Serialize;
use serde_json::Value;

use crate::answer::Answer;
use crate::media::{ChecksContentType, Media, Produced};
use crate::route::routes;

static MEDIA: Media = Media {
    produces: &[Produced { name: "application/json", weight: 1000 }],
    consumes: &[],
    checks: ChecksContentType::Never,
    refuses_accept: false,
};

static METRICS_MEDIA: Media = Media {
    produces: &[Produced { name: "text/plain; version=0.0.4", weight: 1000 }],
    consumes: &[],
    checks: ChecksContentType::Never,
    refuses_accept: false,
};

routes! {
    /// Health, readiness, metrics.
    pub(crate) static ROUTES: Management, media: &MEDIA;
    Get "/healthz" => healthz, Read(Open);
    Get "/readyz" => readyz, Read(Open);
    Get "/readyz/registry" => readyz_registry, Read(Open);
    Get "/readyz/rest" => readyz_rest, Read(Open);
    Get "/metrics" => metrics, Read(Server), media: &METRICS_MEDIA;
}

/// Whether one API can do its work right now.
#[derive(Debug, Clone, Serialize)]
pub struct Component {
    /// Can it?
    pub ready: bool,
    /// What it depends on, and how that fares.
    pub details: Value,
}

/// What `/readyz` says.
#[derive(Debug, Clone, Serialize)]
pub struct Readiness {
    /// Whether to send traffic here: started, and not stopping.
    pub ready: bool,
    /// The registry and its store.
    pub registry: Component,
    /// The REST proxy and its clusters.
    pub rest: Component,
    /// All else: control-plane files, versions.
    pub details: Value,
}

impl Readiness {
    /// Everything ready, nothing to add.
    pub fn ready() -> Readiness {
        let component = Component { ready: true, details: Value::Null };
        Readiness { ready: true, registry: component.clone(), rest: component, details: Value::Null }
    }
}

/// Asks how things stand. Called per request: must not block.
pub type ReadinessProbe = Arc<dyn Fn() -> Readiness + Send + Sync>;

/// 200 when ready, else 503.
fn ready_answer<T: Serialize>(ready: bool, report: &T) -> Answer {
    Answer::json(report).status(if ready { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE })
}
