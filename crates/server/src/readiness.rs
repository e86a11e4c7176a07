//! What `/readyz` says: ready until it stops; the state of stores and clusters as details.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Map, Value, json};
use sluice_api::management::{Component, Readiness, ReadinessProbe};
use sluice_data_plane::DataPlane;
use sluice_registry::Registry;

use crate::topology::Topology;

/// A store that has not answered for longer than this is called away.
const STORE_AWAY_MS: u64 = 3_000;

/// The probe of a node.
pub(crate) fn probe(
    registry: Registry,
    data: DataPlane,
    topology: Arc<Topology>,
    is_stopping: Arc<AtomicBool>,
) -> ReadinessProbe {
    Arc::new(move || {
        let ready = !is_stopping.load(Ordering::Acquire);
        let coherence = registry.coherence();
        let has_store = coherence.store_silent_ms < STORE_AWAY_MS;
        let clusters: Map<String, Value> = data
            .clusters_in_use()
            .into_iter()
            .map(|cluster| {
                let health = cluster.health.get();
                let details = json!({
                    "cluster_id": cluster.kafka_id.get().map(|id| id.to_string()),
                    "connected": health.is_connected,
                    "last_error": health.last_error.as_deref(),
                });
                (cluster.name.to_string(), details)
            })
            .collect();
        let is_any_connected = clusters.values().any(|cluster| cluster["connected"] == true);
        let snapshot = topology.state();
        Readiness {
            ready,
            registry: Component {
                ready: ready && has_store,
                details: json!({
                    "store": if has_store { "answers" } else { "away" },
                    "store_silent_ms": coherence.store_silent_ms,
                    "notified": coherence.notified,
                    "stale": coherence.behind || !has_store,
                }),
            },
            rest: Component { ready: ready && is_any_connected, details: json!({ "clusters": clusters }) },
            details: json!({
                "version": env!("CARGO_PKG_VERSION"),
                "stopping": !ready,
                "control_plane": { "version": snapshot.version, "refused": snapshot.refused },
            }),
        }
    })
}
