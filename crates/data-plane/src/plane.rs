//! The data plane: the clusters there are, the routes over them, and the list of its use cases.
//!
//! Holds the topology (an immutable value, swapped whole when files change), the hub of outcomes and what is known of
//! topics. One file per group of use cases adds methods: `produce.rs`, `admin.rs`, `read_back.rs`.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use sluice_registry::Registry;

use crate::cluster::ClusterHandle;
use crate::config::DataPlaneConfig;
use crate::deliveries::DeliveryHub;
use crate::metrics::{ClusterCounters, Metrics};
use crate::route::{KafkaIds, RouteTable};

/// A cluster with its counters.
pub(crate) struct LiveCluster {
    pub(crate) handle: ClusterHandle,
    pub(crate) counters: ClusterCounters,
}

/// Clusters and routes together.
pub(crate) struct Topology {
    pub(crate) routes: Arc<RouteTable>,
    pub(crate) clusters: BTreeMap<Arc<str>, Arc<LiveCluster>>,
}

impl Topology {
    /// Names by Kafka id: as learned from the clusters, or as declared where nothing was learned yet.
    pub(crate) fn kafka_ids(&self) -> KafkaIds {
        let declared = self.routes.clusters.values().filter_map(|entry| Some((entry.kafka_id.clone()?, &entry.name)));
        let learned = self.clusters.iter().filter_map(|(name, live)| Some((live.handle.kafka_id.get()?.clone(), name)));
        declared.chain(learned).map(|(id, name)| (id, name.clone())).collect()
    }

    /// Kafka's id of a cluster, learned or declared.
    pub(crate) fn kafka_id(&self, name: &str) -> Option<Arc<str>> {
        let learned = self.clusters.get(name).and_then(|live| live.handle.kafka_id.get().cloned());
        learned.or_else(|| self.routes.clusters.get(name)?.kafka_id.clone())
    }
}

/// A topic as it was last seen: on which cluster, with how many partitions.
#[derive(Clone)]
pub(crate) struct Placement {
    pub(crate) cluster: Arc<LiveCluster>,
    pub(crate) partitions: i32,
}

pub(crate) struct Inner {
    pub(crate) registry: Registry,
    pub(crate) hub: Arc<DeliveryHub>,
    pub(crate) config: DataPlaneConfig,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) topology: ArcSwap<Topology>,
    /// Raised with every swap: streams look again when it moves.
    pub(crate) version: AtomicU64,
    /// By id of the path (empty where every id means the same) and topic. Only topics that were there.
    pub(crate) placements: moka::sync::Cache<(Arc<str>, Arc<str>), Placement>,
}

/// The data plane. Clones share everything.
#[derive(Clone)]
pub struct DataPlane {
    pub(crate) inner: Arc<Inner>,
}

impl DataPlane {
    /// A data plane without clusters; `hub` is what their adapters are built with. See [`DataPlane::swap`].
    pub fn new(registry: Registry, hub: Arc<DeliveryHub>, metrics: Arc<Metrics>, config: DataPlaneConfig) -> DataPlane {
        let placements = moka::sync::Cache::builder()
            .max_capacity(50_000)
            .time_to_live(Duration::from_millis(config.topic_memory_ms))
            .build();
        let topology = Topology { routes: Arc::default(), clusters: BTreeMap::new() };
        DataPlane {
            inner: Arc::new(Inner {
                registry,
                hub,
                config,
                metrics,
                topology: ArcSwap::from_pointee(topology),
                version: AtomicU64::new(0),
                placements,
            }),
        }
    }

    /// Takes new routes over these clusters. Streams that are open use them from their next record on; records in
    /// flight stay where they are. Handles of clusters that are gone are dropped, not closed: that is the caller's.
    pub fn swap(&self, routes: Arc<RouteTable>, clusters: Vec<ClusterHandle>) {
        let clusters = clusters
            .into_iter()
            .map(|handle| {
                let counters = self.inner.metrics.of_cluster(&handle.name);
                (handle.name.clone(), Arc::new(LiveCluster { handle, counters }))
            })
            .collect();
        self.inner.topology.store(Arc::new(Topology { routes, clusters }));
        self.inner.placements.invalidate_all();
        self.inner.version.fetch_add(1, Ordering::Release);
    }

    /// The clusters there are, by name: for readiness and shutdown.
    pub fn clusters_in_use(&self) -> Vec<ClusterHandle> {
        self.inner.topology.load().clusters.values().map(|live| live.handle.clone()).collect()
    }

    /// The routes in use.
    pub fn routes(&self) -> Arc<RouteTable> {
        self.inner.topology.load().routes.clone()
    }

    /// The settings.
    pub fn config(&self) -> &DataPlaneConfig {
        &self.inner.config
    }

    /// The end: waits for outcomes, at most `timeout_ms`, then gives up what is left so that every record has one;
    /// how many had to be given up.
    pub async fn shut_down(&self, timeout_ms: u64) -> usize {
        let clusters = self.clusters_in_use();
        let endings = clusters.iter().map(|cluster| cluster.produce.shut_down(timeout_ms));
        futures_util::future::join_all(endings).await.into_iter().sum()
    }
}
