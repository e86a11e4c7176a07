//! A running server: adapters built and handed to the domain, listeners mounted, signals followed, all of it ended
//! in order.
//!
//! Start: sockets first (a taken port is the commonest mistake), then the store and its migrations, the first
//! snapshot of control files, clients of the clusters (which may be down), listeners. End: readiness false, a moment
//! for balancers to notice, listeners drain, producers flush. Whoever signals twice does not wait for that.

use std::net::{SocketAddr, TcpListener, ToSocketAddrs};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sluice_api::management::ReadinessProbe;
use sluice_api::observe::AccessLog;
use sluice_api::route::Surface;
use sluice_api::serve::{Listener, bind, connection_limit, serve};
use sluice_api::{Api, Services, Settings as ApiSettings, cors::Cors};
use sluice_data_plane::{DataPlane, DataPlaneConfig, DeliveryHub};
use sluice_kafka::{DevBroker, KafkaMetrics};
use sluice_registry::store::RegistryStore;
use sluice_registry::{Registry, RegistryConfig};
use sluice_storage::{OpenError, StorageConfig};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Semaphore, watch};
use tokio::task::{JoinHandle, JoinSet};

use crate::config::keys;
use crate::config::settings::{AccessLog as AccessLogSetting, Api as ApiName, Listen, Settings};
use crate::descriptors;
use crate::readiness;
use crate::topology::Topology;

/// How often, and how long in all, a store that does not answer is tried at start.
const STORE_RETRY: Duration = Duration::from_secs(1);
const STORE_PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take to let go of the store.
const STORE_CLOSE: Duration = Duration::from_secs(2);
/// One of so many successful reads gets a line in a sampled access log.
const SAMPLE: u32 = 100;

/// What may stop a start: sentences for the operator.
pub(crate) type Mistakes = Vec<String>;

/// Where a node listens, once it does.
#[derive(Debug, Clone)]
pub(crate) struct Addresses {
    /// Schema Registry.
    pub(crate) registry: SocketAddr,
    /// REST Proxy.
    pub(crate) rest: SocketAddr,
    /// Management.
    pub(crate) management: SocketAddr,
}

/// What `serve` and `dev` differ in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kafka {
    /// Clusters that the configuration and the control files name.
    Real,
    /// librdkafka's in-process broker.
    InProcess,
}

/// Starts a node, calls `started` once it is ready, and runs it until SIGTERM or SIGINT. A signal before it is ready ends
/// the start; a second one ends the stop.
pub(crate) async fn run(
    settings: Settings,
    database_url: String,
    kafka: Kafka,
    started: impl FnOnce(&Addresses),
) -> Result<(), Mistakes> {
    let mut signals = Signals::take()?;
    let node = tokio::select! {
        node = Node::start(&settings, database_url, kafka) => node?,
        () = signals.ended() => {
            tracing::info!("stopped before it was ready");
            return Ok(());
        }
    };
    started(&node.addresses);
    signals.follow(&node.topology).await;
    tokio::select! {
        () = node.stop(&settings) => Ok(()),
        () = signals.ended() => {
            Err(vec!["stopped at once by a second signal: requests were cut, records may be without an outcome".into()])
        }
    }
}

/// What runs between start and stop.
struct Node {
    addresses: Addresses,
    topology: Arc<Topology>,
    data: DataPlane,
    store: Arc<dyn RegistryStore>,
    is_stopping: Arc<AtomicBool>,
    following: JoinHandle<()>,
    listening: JoinSet<std::io::Result<()>>,
    stop_apis: watch::Sender<bool>,
    management: JoinHandle<std::io::Result<()>>,
    stop_management: watch::Sender<bool>,
}

impl Node {
    async fn start(settings: &Settings, database_url: String, kafka: Kafka) -> Result<Node, Mistakes> {
        let sockets = Sockets::bind(settings)?;
        let metric_registry = prometheus::Registry::new();
        let store = connect_store(settings, database_url).await?;
        let registry = Registry::new(store.clone(), registry_config(settings));
        registry.register_metrics(&metric_registry).map_err(metrics_mistake)?;
        let following = tokio::spawn({
            let registry = registry.clone();
            async move { registry.follow_changes().await }
        });

        let hub = DeliveryHub::new();
        let data = DataPlane::new(
            registry.clone(),
            hub.clone(),
            sluice_data_plane::metrics::Metrics::register(&metric_registry).map_err(metrics_mistake)?,
            DataPlaneConfig::default(),
        );
        let broker = match kafka {
            Kafka::InProcess => {
                Some(DevBroker::start().map_err(|said| vec![format!("the in-process broker: {said}")])?)
            }
            Kafka::Real => None,
        };
        let kafka_metrics = KafkaMetrics::register(&metric_registry).map_err(metrics_mistake)?;
        let topology = Arc::new(
            Topology::start(settings, broker, kafka_metrics, hub, registry.clone(), data.clone(), &metric_registry)
                .await?,
        );

        let is_stopping = Arc::new(AtomicBool::new(false));
        let (stop_apis, apis_stopping) = watch::channel(false);
        let (stop_management, management_stopping) = watch::channel(false);
        let probe = readiness::probe(registry.clone(), data.clone(), topology.clone(), is_stopping.clone());
        let api = Arc::new(build_api(settings, registry, data.clone(), metric_registry, apis_stopping, probe)?);
        let limit = connection_limit(&api);
        let addresses = sockets.addresses()?;
        let mut listening = JoinSet::new();
        for (socket, listener) in [
            (sockets.registry, listener("registry", &settings.registry)),
            (sockets.rest, listener("rest", &settings.rest)),
        ] {
            listening.spawn(serve(socket, api.clone(), listener, limit.clone(), api.stopping.clone()));
        }
        let management = tokio::spawn(serve(
            sockets.management,
            api.clone(),
            Listener::new("management", vec![Surface::Management], None),
            // Its own cap: health and metrics answer also when the APIs are full.
            Arc::new(Semaphore::new(descriptors::MANAGEMENT_CONNECTIONS)),
            management_stopping,
        ));
        tracing::info!(
            registry = %addresses.registry, rest = %addresses.rest, management = %addresses.management, "ready"
        );
        Ok(Node {
            addresses,
            topology,
            data,
            store,
            is_stopping,
            following,
            listening,
            stop_apis,
            management,
            stop_management,
        })
    }

    async fn stop(mut self, settings: &Settings) {
        self.is_stopping.store(true, Ordering::Release);
        tracing::info!("stopping: not ready any more, requests in flight finish");
        tokio::time::sleep(Duration::from_millis(settings.shutdown_delay_ms)).await;
        let _ = self.stop_apis.send(true);
        while let Some(ended) = self.listening.join_next().await {
            if let Ok(Err(cause)) = ended {
                tracing::error!(%cause, "a listener failed");
            }
        }
        let left = self.data.shut_down(settings.shutdown_timeout_ms).await;
        if left > 0 {
            tracing::warn!(records = left, "stopped without an outcome for some records");
        }
        let _ = self.stop_management.send(true);
        let _ = self.management.await;
        self.following.abort();
        if tokio::time::timeout(STORE_CLOSE, self.store.close()).await.is_err() {
            tracing::warn!("the store did not close in time");
        }
        tracing::info!("stopped");
    }
}

/// The signals a node follows. Taken before anything else: whoever sees the process may send one.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    hangup: Signal,
}

impl Signals {
    fn take() -> Result<Signals, Mistakes> {
        let taken = |kind| signal(kind).map_err(|cause| vec![format!("signals: {cause}")]);
        Ok(Signals {
            terminate: taken(SignalKind::terminate())?,
            interrupt: taken(SignalKind::interrupt())?,
            hangup: taken(SignalKind::hangup())?,
        })
    }

    /// Until SIGTERM or SIGINT.
    async fn ended(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }

    /// Until SIGTERM or SIGINT; SIGHUP reads the control files again.
    async fn follow(&mut self, topology: &Topology) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => topology.reload().await,
            }
        }
    }
}

struct Sockets {
    registry: TcpListener,
    rest: TcpListener,
    management: TcpListener,
}

impl Sockets {
    /// All three, or a sentence for each that cannot be had.
    fn bind(settings: &Settings) -> Result<Sockets, Mistakes> {
        let all = [
            (settings.registry.key, settings.registry.address.as_str()),
            (settings.rest.key, settings.rest.address.as_str()),
            ("management-listen", settings.management.as_str()),
        ];
        let mut bound = Vec::new();
        let mut mistakes = Mistakes::new();
        for (key, address) in all {
            match bind_first(address) {
                Ok(socket) => bound.push(socket),
                Err(cause) => {
                    let variable = keys::find(key).map(|key| key.variable()).unwrap_or_default();
                    let reason = match cause.kind() {
                        std::io::ErrorKind::AddrInUse => "another process listens there already".to_owned(),
                        _ => cause.to_string(),
                    };
                    mistakes.push(format!("{address}: {reason}; choose another with --{key} or {variable}"));
                }
            }
        }
        let mut bound = bound.into_iter();
        match (bound.next(), bound.next(), bound.next()) {
            (Some(registry), Some(rest), Some(management)) => Ok(Sockets { registry, rest, management }),
            _ => Err(mistakes),
        }
    }

    fn addresses(&self) -> Result<Addresses, Mistakes> {
        let address = |socket: &TcpListener| socket.local_addr().map_err(|cause| vec![cause.to_string()]);
        Ok(Addresses {
            registry: address(&self.registry)?,
            rest: address(&self.rest)?,
            management: address(&self.management)?,
        })
    }
}

fn bind_first(address: &str) -> std::io::Result<TcpListener> {
    let mut last = std::io::Error::other("the name has no address");
    for candidate in address.to_socket_addrs()? {
        match bind(candidate) {
            Ok(socket) => return Ok(socket),
            Err(cause) => last = cause,
        }
    }
    Err(last)
}

async fn connect_store(settings: &Settings, url: String) -> Result<Arc<dyn RegistryStore>, Mistakes> {
    let mut config = StorageConfig::new(url);
    if let Some(database) = &settings.database {
        config.max_connections = database.max_connections as usize;
    }
    let began = std::time::Instant::now();
    loop {
        match sluice_storage::connect(config.clone()).await {
            Ok(store) => return Ok(store),
            Err(cause) if matches!(cause, OpenError::Unreachable(_)) && began.elapsed() < STORE_PATIENCE => {
                tracing::warn!(%cause, "the database does not answer; trying again");
                tokio::time::sleep(STORE_RETRY).await;
            }
            Err(cause @ OpenError::File { .. }) => return Err(vec![cause.to_string()]),
            Err(cause) => return Err(vec![format!("database-url: {cause}")]),
        }
    }
}

fn registry_config(settings: &Settings) -> RegistryConfig {
    RegistryConfig {
        default_level: settings.compatibility_level,
        mode_mutability: settings.mode_mutability,
        cache_bytes: settings.cache_bytes,
        max_schema_bytes: settings.max_schema_bytes,
        heavy_started: give_way,
        ..RegistryConfig::default()
    }
}

/// Lowers the priority of the calling thread: where cores are short, whoever serves a connection goes first.
fn give_way() {
    if let Err(cause) = rustix::process::nice(10) {
        tracing::warn!(%cause, "big schemas are read at full priority");
    }
}

fn listener(name: &'static str, listen: &Listen) -> Arc<Listener> {
    let own = if name == "registry" { ApiName::Registry } else { ApiName::Rest };
    let mut apis = listen.apis.clone();
    // The listener's own API comes first: it answers `/`.
    apis.sort_by_key(|api| *api != own);
    let surfaces = apis
        .iter()
        .map(|api| match api {
            ApiName::Registry => Surface::Registry,
            ApiName::Rest => Surface::Rest,
        })
        .collect();
    Listener::new(name, surfaces, listen.advertised_url.clone())
}

fn build_api(
    settings: &Settings,
    registry: Registry,
    data: DataPlane,
    metric_registry: prometheus::Registry,
    stopping: watch::Receiver<bool>,
    readiness: ReadinessProbe,
) -> Result<Api, Mistakes> {
    let services = Services { registry, data, read_back: settings.read_back };
    let api_settings = ApiSettings {
        max_body_bytes: settings.max_body_bytes,
        max_record_bytes: settings.max_record_bytes,
        max_connections: descriptors::make_room(settings.max_connections),
        drain_timeout: Duration::from_millis(settings.shutdown_timeout_ms),
        cors: cors(settings)?,
        ..ApiSettings::default()
    };
    let mut api = Api::new(services, api_settings, metric_registry, stopping).map_err(metrics_mistake)?;
    api.readiness = readiness;
    let sample = match settings.access_log {
        AccessLogSetting::Off => None,
        AccessLogSetting::Sampled => Some(SAMPLE),
        AccessLogSetting::All => Some(1),
    };
    if let Some(sample) = sample {
        api.access_log =
            AccessLog::to(Box::new(std::io::stdout()), sample).map_err(|cause| vec![format!("access log: {cause}")])?;
    }
    Ok(api)
}

fn cors(settings: &Settings) -> Result<Option<Cors>, Mistakes> {
    let Some(origin) = &settings.cors_allow_origin else { return Ok(None) };
    let cors = Cors::of_origin(origin).ok_or_else(|| vec![format!("cors-allow-origin: {origin:?} is no origin")])?;
    Ok(Some(cors))
}

fn metrics_mistake(cause: prometheus::Error) -> Mistakes {
    vec![format!("metrics: {cause}")]
}

/// The database of the settings with its password put in; `None` when none is named.
pub(crate) fn database_url(settings: &Settings) -> Option<String> {
    let database = settings.database.as_ref()?;
    let url = database.url.reveal();
    let Some(password) = &database.password else { return Some(url.to_owned()) };
    let (scheme, rest) = url.split_once("://")?;
    let (user, host) = rest.split_once('@').unwrap_or(("postgres", rest));
    let user = user.split(':').next().unwrap_or(user);
    let escaped: String = password
        .reveal()
        .bytes()
        .map(|byte| if byte.is_ascii_alphanumeric() { char::from(byte).to_string() } else { format!("%{byte:02X}") })
        .collect();
    Some(format!("{scheme}://{user}:{escaped}@{host}"))
}

/// The SQLite file of a node that keeps its schemas below `data_dir`.
pub(crate) fn sqlite_below(data_dir: &PathBuf) -> Result<String, Mistakes> {
    std::fs::create_dir_all(data_dir).map_err(|cause| {
        let why = match cause.kind() {
            std::io::ErrorKind::AlreadyExists | std::io::ErrorKind::NotADirectory => "is no directory".to_owned(),
            _ => format!("cannot be made: {cause}"),
        };
        vec![format!("data-dir: {} {why}; choose another with --data-dir or SLUICE_DATA_DIR", data_dir.display())]
    })?;
    Ok(format!("sqlite://{}", data_dir.join("schemas.sqlite").display()))
}
