//! Clusters and routes as they stand: from configuration and control files, at start and on every reload.
//!
//! A reload is all or nothing: files that do not read, objects that do not fit, a cluster whose client cannot be built,
//! and the last good state stays, with the reason in log, metric and readiness.

use std::collections::HashMap;
use std::sync::Arc;

use parking_lot::Mutex;
use prometheus::{IntGauge, Opts};
use sluice_control_plane::snapshot::{Snapshot, SnapshotState, Snapshots, Surroundings};
use sluice_data_plane::cluster::{ClusterHandle, Deliveries};
use sluice_data_plane::{DataPlane, DeliveryHub};
use sluice_kafka::{DEV_CLUSTER_ID, DevBroker, KafkaMetrics, KafkaSettings};
use sluice_registry::Registry;

use crate::clusters;
use crate::config::Outside;
use crate::config::settings::Settings;
use crate::control_files::{self, DEFAULT_CLUSTER};
use crate::node::Mistakes;

/// Who builds clients, and what was built.
pub(crate) struct Topology {
    settings: Settings,
    node: String,
    broker: Option<DevBroker>,
    kafka_metrics: KafkaMetrics,
    deliveries: Arc<dyn Deliveries>,
    registry: Registry,
    data: DataPlane,
    snapshots: Snapshots,
    clients: Mutex<HashMap<String, (KafkaSettings, ClusterHandle)>>,
    loaded: IntGauge,
    refused: IntGauge,
}

impl Topology {
    /// Reads the control files and connects to every cluster. Here a mistake is fatal: there is no last good state.
    pub(crate) async fn start(
        settings: &Settings,
        broker: Option<DevBroker>,
        kafka_metrics: KafkaMetrics,
        hub: Arc<DeliveryHub>,
        registry: Registry,
        data: DataPlane,
        metric_registry: &prometheus::Registry,
    ) -> Result<Topology, Mistakes> {
        let gauge = |name: &str, help: &str| {
            let gauge = IntGauge::with_opts(Opts::new(name, help)).map_err(|cause| vec![cause.to_string()])?;
            metric_registry.register(Box::new(gauge.clone())).map_err(|cause| vec![cause.to_string()])?;
            Ok::<_, Mistakes>(gauge)
        };
        let topology = Topology {
            settings: settings.clone(),
            node: node_name(),
            broker,
            kafka_metrics,
            deliveries: hub,
            registry,
            data,
            snapshots: Snapshots::default(),
            clients: Mutex::default(),
            loaded: gauge("sluice_control_files_version", "How many times control files were taken since the start.")?,
            refused: gauge("sluice_control_files_refused", "1 while the last control files read were refused.")?,
        };
        let mistakes = topology.load().await;
        if mistakes.is_empty() { Ok(topology) } else { Err(mistakes) }
    }

    /// Reads the control files again. Mistakes are logged and kept for readiness; nothing changes then.
    pub(crate) async fn reload(&self) {
        let mistakes = self.load().await;
        if mistakes.is_empty() {
            tracing::info!(version = self.snapshots.state().version, "control files taken");
        }
        for mistake in &mistakes {
            tracing::error!("control files refused: {mistake}");
        }
    }

    /// For readiness.
    pub(crate) fn state(&self) -> SnapshotState {
        self.snapshots.state()
    }

    async fn load(&self) -> Mistakes {
        let mistakes = self.try_load().await.err().unwrap_or_default();
        self.refused.set(i64::from(!mistakes.is_empty()));
        if !mistakes.is_empty() {
            self.snapshots.refuse(mistakes.clone());
        }
        mistakes
    }

    async fn try_load(&self) -> Result<(), Mistakes> {
        let files = match self.settings.control_files.clone() {
            Some(directory) => tokio::task::spawn_blocking(move || control_files::read(&directory))
                .await
                .map_err(|cause| vec![cause.to_string()])?
                .map_err(|mistake| vec![mistake])?,
            None => Vec::new(),
        };
        let implicit = self.implicit_clusters();
        let surroundings =
            Surroundings { implicit_clusters: &implicit, undeclared_topics: self.settings.undeclared_topics };
        let (snapshot, problems) = Snapshot::read(&files, &surroundings, self.snapshots.state().version + 1);
        for warning in problems.warnings() {
            tracing::warn!("{warning}");
        }
        let snapshot = snapshot.ok_or_else(|| problems.errors().map(ToString::to_string).collect::<Mistakes>())?;
        let clients = self.clients_of(&snapshot)?;
        let handles = clients.values().map(|(_, handle)| handle.clone()).collect();
        *self.clients.lock() = clients;
        self.registry.declare_levels(snapshot.declared_levels());
        self.data.swap(snapshot.routes.clone(), handles);
        self.loaded.set(i64::try_from(snapshot.version).unwrap_or(i64::MAX));
        self.snapshots.take(snapshot);
        Ok(())
    }

    fn implicit_clusters(&self) -> Vec<&'static str> {
        match (&self.broker, &self.settings.default_cluster) {
            (Some(_), _) => vec![DEV_CLUSTER_ID],
            (None, Some(_)) => vec![DEFAULT_CLUSTER],
            (None, None) => Vec::new(),
        }
    }

    /// A client for every cluster; those whose settings did not change are kept.
    fn clients_of(&self, snapshot: &Snapshot) -> Result<HashMap<String, (KafkaSettings, ClusterHandle)>, Mistakes> {
        let mut wanted = Vec::new();
        let mut mistakes = Mistakes::new();
        if let Some(broker) = &self.broker {
            wanted.push(broker.settings());
        } else if let Some(cluster) = &self.settings.default_cluster {
            match clusters::of_default(cluster, &self.node) {
                Ok(settings) => wanted.push(settings),
                Err(more) => mistakes.extend(more),
            }
        }
        for cluster in snapshot.clusters.values() {
            match clusters::of_file(cluster, &self.node, &Outside) {
                Ok(settings) => wanted.push(settings),
                Err(more) => mistakes.extend(more),
            }
        }
        let present = self.clients.lock().clone();
        let mut clients = HashMap::new();
        for settings in wanted {
            let name = settings.name.clone();
            let kept = present.get(&name).filter(|(before, _)| *before == settings).map(|(_, handle)| handle.clone());
            let handle = match (kept, &self.broker) {
                (Some(handle), _) => Ok(handle),
                (None, Some(broker)) if name == DEV_CLUSTER_ID => {
                    broker.connect(settings.clone(), self.deliveries.clone(), &self.kafka_metrics)
                }
                (None, _) => sluice_kafka::connect(settings.clone(), self.deliveries.clone(), &self.kafka_metrics),
            };
            match handle {
                Ok(handle) => {
                    clients.insert(name, (settings, handle));
                }
                Err(more) => mistakes.extend(more),
            }
        }
        if mistakes.is_empty() { Ok(clients) } else { Err(mistakes) }
    }
}

/// What brokers see this server as.
fn node_name() -> String {
    let from_file = || std::fs::read_to_string("/etc/hostname").ok();
    let name = std::env::var("HOSTNAME").ok().or_else(from_file).unwrap_or_default();
    let name: String = name.trim().chars().filter(|c| c.is_ascii_alphanumeric() || "-._".contains(*c)).collect();
    if name.is_empty() { "node".to_owned() } else { name }
}
