//! One cluster: what its producers, readers and admin calls share, and the two threads that watch over it.
//!
//! [`connect`] returns at once. The *watch* thread asks for metadata (every 30 s, each second while nothing answers, at
//! once when librdkafka says that all brokers are down): it is what health and `cluster.id` come from. The *events*
//! thread serves the asking client's queue. Both end when the last trait object is dropped.
//!
//! Invariant: with an expected `cluster.id`, no record and no admin call goes to a cluster before it said that id.

use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant, SystemTime};

use parking_lot::{Condvar, Mutex};
use sluice_data_plane::Deliveries;
use sluice_data_plane::cluster::{AdminError, ClusterHandle, HealthCell};
use tokio::sync::watch;

use crate::admin::{Calls, KafkaAdmin};
use crate::config::KafkaSettings;
use crate::consumer::KafkaConsumer;
use crate::dev_broker::DEV_CLUSTER_ID;
use crate::error::{self, Code, LOCAL_ALL_BROKERS_DOWN, LOCAL_AUTHENTICATION, LOCAL_FATAL, LOCAL_SSL, LOCAL_STATE};
use crate::ffi::{About, Event, Handle, Kind};
use crate::metrics::KafkaMetrics;
use crate::producer::KafkaProducer;
use crate::topics::TopicCache;

/// How long the watch waits between questions while the cluster answers, and while it does not.
const WATCH_CONNECTED: Duration = Duration::from_secs(30);
const WATCH_DISCONNECTED: Duration = Duration::from_secs(1);
/// Questions are never closer than this, however many errors librdkafka reports.
const WATCH_AT_MOST: Duration = Duration::from_millis(200);
/// How long one of its questions may take.
const WATCH_TIMEOUT_MS: i32 = 2_000;
/// How long a poll of an idle queue sleeps.
pub(crate) const IDLE_POLL_MS: i32 = 1_000;

/// A client of the cluster that `settings` describe. Returns at once: producers, connection and `cluster.id` come in the
/// background. Outcomes go to `deliveries`.
/// Errors: every mistake in the settings, as sentences ([`KafkaSettings::validate`]).
pub fn connect(
    settings: KafkaSettings,
    deliveries: Arc<dyn Deliveries>,
    metrics: &KafkaMetrics,
) -> Result<ClusterHandle, Vec<String>> {
    let mistakes = settings.validate();
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let alive = Core::start(settings, Flavour::Kafka, metrics).map_err(|said| vec![said])?;
    let admin = Arc::new(KafkaAdmin::new(alive.clone()));
    Ok(handle(alive, deliveries, admin))
}

/// The three faces of one core.
pub(crate) fn handle(
    alive: Arc<Alive>,
    deliveries: Arc<dyn Deliveries>,
    admin: Arc<dyn sluice_data_plane::Administer>,
) -> ClusterHandle {
    ClusterHandle {
        name: Arc::from(alive.core().settings.name.as_str()),
        kafka_id: alive.core().kafka_id.clone(),
        health: alive.core().health.clone(),
        produce: Arc::new(KafkaProducer::new(alive.clone(), deliveries)),
        consume: Arc::new(KafkaConsumer::new(alive)),
        admin,
    }
}

/// What is at the other end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// A Kafka cluster.
    Kafka,
    /// librdkafka's in-process broker: its id is [`DEV_CLUSTER_ID`], its timestamps are not real.
    Dev,
}

/// Whether the cluster is the one that was meant.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Identity {
    /// It has not said its id, and one is expected.
    Unverified,
    /// It is, or any is.
    Right,
    /// It is another: the sentence.
    Wrong(Arc<str>),
}

/// [`Identity`] as the produce path reads it.
const RIGHT: u8 = 1;

/// What librdkafka complained about since the cluster last answered.
#[derive(Debug, Default)]
struct Trouble {
    last: Option<String>,
    authentication: Option<(Code, String)>,
}

/// Keeps the threads of a [`Core`] running; dropping the last one stops them.
pub(crate) struct Alive(Arc<Core>);

impl Alive {
    pub(crate) fn core(&self) -> &Arc<Core> {
        &self.0
    }
}

impl Drop for Alive {
    fn drop(&mut self) {
        self.0.is_stopping.store(true, Ordering::Release);
        self.0.nudge();
        self.0.asking.wake();
    }
}

/// What everything about one cluster shares.
pub(crate) struct Core {
    pub(crate) settings: KafkaSettings,
    pub(crate) flavour: Flavour,
    pub(crate) metrics: KafkaMetrics,
    pub(crate) health: HealthCell,
    pub(crate) kafka_id: Arc<OnceLock<Arc<str>>>,
    /// The client that asks: metadata and admin calls. Never creates topics.
    pub(crate) asking: Arc<Handle>,
    pub(crate) calls: Calls,
    pub(crate) topics: TopicCache,
    identity: watch::Sender<Identity>,
    is_right: AtomicU8,
    trouble: Mutex<Trouble>,
    is_stopping: AtomicBool,
    nudged: Mutex<bool>,
    nudge: Condvar,
}

impl Core {
    /// Errors: librdkafka's sentence, or that threads cannot be started.
    pub(crate) fn start(
        settings: KafkaSettings,
        flavour: Flavour,
        metrics: &KafkaMetrics,
    ) -> Result<Arc<Alive>, String> {
        let asking = Arc::new(Handle::new(Kind::Producer, &settings.admin(false))?);
        let kafka_id = Arc::new(OnceLock::new());
        if flavour == Flavour::Dev {
            let _ = kafka_id.set(Arc::from(DEV_CLUSTER_ID));
        }
        let identity = if settings.expected_id.is_some() && flavour == Flavour::Kafka {
            Identity::Unverified
        } else {
            Identity::Right
        };
        metrics.connected.with_label_values(&[&settings.name]).set(0);
        let core = Arc::new(Core {
            flavour,
            metrics: metrics.clone(),
            health: HealthCell::new(SystemTime::now()),
            kafka_id,
            asking,
            calls: Calls::default(),
            topics: TopicCache::default(),
            is_right: AtomicU8::new(if identity == Identity::Right { RIGHT } else { 0 }),
            identity: watch::Sender::new(identity),
            trouble: Mutex::new(Trouble::default()),
            is_stopping: AtomicBool::new(false),
            nudged: Mutex::new(false),
            nudge: Condvar::new(),
            settings,
        });
        let alive = Arc::new(Alive(core.clone()));
        let watching = core.clone();
        spawn("kafka-watch", move || watching.watch())?;
        spawn("kafka-events", move || core.serve_events())?;
        Ok(alive)
    }

    /// Whether records may go there now, cheaply.
    pub(crate) fn is_right(&self) -> bool {
        self.is_right.load(Ordering::Acquire) == RIGHT
    }

    /// Why records may not go there.
    pub(crate) fn why_not_right(&self) -> String {
        match &*self.identity.borrow() {
            Identity::Wrong(text) => text.to_string(),
            Identity::Unverified | Identity::Right => {
                format!("Kafka cluster {} has not said its cluster.id yet", self.settings.name)
            }
        }
    }

    /// Waits at most `timeout` until it is known that this is the cluster that was meant. Errors: it is not, or nobody
    /// knows.
    pub(crate) async fn verified(&self, timeout: Duration) -> Result<(), AdminError> {
        if self.is_right() {
            return Ok(());
        }
        let mut identity = self.identity.subscribe();
        let known = identity.wait_for(|identity| *identity != Identity::Unverified);
        match tokio::time::timeout(timeout, known).await {
            Ok(Ok(identity)) if *identity == Identity::Right => Ok(()),
            Ok(_) => Err(AdminError { code: LOCAL_STATE, message: self.why_not_right() }),
            Err(_) => Err(self.silence(error::LOCAL_TIMED_OUT, self.why_not_right())),
        }
    }

    /// An error of an admin call: the broker's words, or, where nothing was heard, why.
    pub(crate) fn admin_error(&self, code: Code, said: Option<String>) -> AdminError {
        let error = error::admin_error(code, said);
        if error::is_silence(code) { self.silence(code, error.message) } else { error }
    }

    fn silence(&self, code: Code, message: String) -> AdminError {
        if self.health.get().is_connected {
            return AdminError { code, message };
        }
        let trouble = self.trouble.lock();
        match (&trouble.authentication, &trouble.last) {
            (Some((code, text)), _) => AdminError { code: *code, message: text.clone() },
            (None, Some(last)) => AdminError { code, message: format!("{message} ({last})") },
            (None, None) => AdminError { code, message },
        }
    }

    /// librdkafka reports a failure of a client, broker or connection.
    pub(crate) fn noted(&self, code: Code, text: &str) {
        tracing::debug!(cluster = %self.settings.name, code, text, "librdkafka reports an error");
        let text = error::plain(text);
        match code {
            LOCAL_ALL_BROKERS_DOWN => {} // its text only counts brokers; what it means is asked for below
            LOCAL_AUTHENTICATION | LOCAL_SSL => {
                let mut trouble = self.trouble.lock();
                trouble.authentication = Some((code, text.to_owned()));
                trouble.last = Some(text.to_owned());
                self.health.noted(text);
            }
            LOCAL_FATAL => self.health.noted(text),
            _ => {
                self.trouble.lock().last = Some(text.to_owned());
                self.health.noted(text);
            }
        }
        if matches!(code, LOCAL_ALL_BROKERS_DOWN | LOCAL_AUTHENTICATION | LOCAL_SSL) {
            self.nudge();
        }
    }

    /// A log line of librdkafka; what matters of them comes as errors too.
    pub(crate) fn logged(&self, level: i32, text: &str) {
        let cluster = self.settings.name.as_str();
        if level <= 3 {
            tracing::debug!(cluster, text, "librdkafka");
        } else {
            tracing::trace!(cluster, text, "librdkafka");
        }
    }

    fn nudge(&self) {
        *self.nudged.lock() = true;
        self.nudge.notify_one();
    }

    fn is_stopping(&self) -> bool {
        self.is_stopping.load(Ordering::Acquire)
    }

    fn serve_events(&self) {
        while !self.is_stopping() {
            match self.asking.poll(IDLE_POLL_MS) {
                Some(Event::Admin { call, reply }) => self.calls.ended(call, reply),
                Some(Event::Error { code, text, .. }) => self.noted(code, &text),
                Some(Event::Log { level, text }) => self.logged(level, &text),
                Some(Event::Delivered(_) | Event::Other) | None => {}
            }
        }
    }

    fn watch(&self) {
        while !self.is_stopping() {
            let asked = Instant::now();
            let wait = match self.asking.metadata(About::Brokers, WATCH_TIMEOUT_MS) {
                Ok(_) => {
                    self.answered();
                    WATCH_CONNECTED
                }
                Err(code) => {
                    self.silent(code);
                    WATCH_DISCONNECTED
                }
            };
            let mut nudged = self.nudged.lock();
            if !*nudged && !self.is_stopping() {
                self.nudge.wait_for(&mut nudged, wait);
            }
            *nudged = false;
            drop(nudged);
            if let Some(rest) = WATCH_AT_MOST.checked_sub(asked.elapsed())
                && !self.is_stopping()
            {
                std::thread::sleep(rest);
            }
        }
    }

    fn answered(&self) {
        *self.trouble.lock() = Trouble::default();
        self.metrics.connected.with_label_values(&[&self.settings.name]).set(1);
        if self.health.connected(SystemTime::now()) {
            tracing::info!(cluster = %self.settings.name, "Kafka cluster answers");
        }
        if let Some(id) = self.asking.cluster_id()
            && self.flavour == Flavour::Kafka
        {
            self.identified(&id);
        }
    }

    fn silent(&self, code: Code) {
        if self.is_stopping() {
            return;
        }
        let why = self.silence(code, error::text(code)).message;
        let why = self.trouble.lock().last.clone().unwrap_or(why);
        self.metrics.connected.with_label_values(&[&self.settings.name]).set(0);
        if self.health.disconnected(&why, SystemTime::now()) {
            tracing::warn!(cluster = %self.settings.name, error = %why, "Kafka cluster does not answer");
        }
    }

    fn identified(&self, id: &str) {
        let name = &self.settings.name;
        if let Some(expected) = &self.settings.expected_id
            && expected != id
        {
            let text = format!(
                "cluster id mismatch: cluster {name} is expected to be {expected}, but {} is {id}; it gets no records",
                self.settings.bootstrap.join(",")
            );
            let wrong = Identity::Wrong(Arc::from(text.as_str()));
            self.health.noted(&text);
            self.is_right.store(0, Ordering::Release);
            if self.identity.send_if_modified(|identity| replace(identity, wrong)) {
                tracing::error!(cluster = %name, %expected, found = %id, "cluster id mismatch: refused");
            }
            return;
        }
        let known = self.kafka_id.get_or_init(|| Arc::from(id));
        if **known != *id {
            self.health.noted(&format!("cluster.id was {known} and is {id} now: restart to use the new one"));
            tracing::warn!(cluster = %name, was = %known, now = %id, "the cluster's id changed");
        }
        self.identity.send_if_modified(|identity| replace(identity, Identity::Right));
        self.is_right.store(RIGHT, Ordering::Release);
    }
}

/// Whether `new` differs from `old`, which it replaces.
fn replace(old: &mut Identity, new: Identity) -> bool {
    let differs = *old != new;
    *old = new;
    differs
}

/// A named thread. Errors: the system's, as a sentence.
pub(crate) fn spawn(name: &str, run: impl FnOnce() + Send + 'static) -> Result<(), String> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(run)
        .map(drop)
        .map_err(|error| format!("thread {name} cannot be started: {error}"))
}

/// Milliseconds as librdkafka takes them.
pub(crate) fn as_ms(duration: Duration) -> i32 {
    i32::try_from(duration.as_millis()).unwrap_or(i32::MAX)
}
