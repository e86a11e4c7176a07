//! What the data plane needs of one physical Kafka cluster. Implemented by `kafka` (librdkafka) and, for tests, in
//! memory.
//!
//! Outcomes come back through [`Deliveries`], which the adapter is built with: one stream of `(token, outcome)` per
//! cluster. There is no cancel: a deadline is the caller's timer, and its expiry means *unknown*.

use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::Outcome;

/// Which producer of the cluster takes a record: they differ in how long librdkafka may keep trying.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lane {
    /// Short message timeout: a definite "not sent" comes early enough to try another cluster.
    Redirectable,
    /// Long message timeout: rides out a leader election.
    Pinned,
    /// As `Pinned`, for a stream whose records come faster than their outcomes: waits a moment for large batches.
    Stream,
}

impl Lane {
    /// All of them, in the order of their numbers.
    pub const ALL: [Lane; 3] = [Lane::Redirectable, Lane::Pinned, Lane::Stream];
}

/// Caller's name for a record in flight; comes back with its outcome. High 32 bits: stream; low 32: sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Token(pub u64);

/// A header: name, and bytes or null.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header<'a> {
    /// Name.
    pub name: &'a str,
    /// Value; `None` is Kafka's null.
    pub value: Option<&'a [u8]>,
}

/// A record to write. Borrowed: the adapter copies what it keeps.
#[derive(Debug, Clone, Copy)]
pub struct Record<'a> {
    /// Topic.
    pub topic: &'a str,
    /// Partition; `None` = murmur2 of the key, as Java clients place it; sticky for null keys.
    pub partition: Option<i32>,
    /// Key.
    pub key: Option<&'a [u8]>,
    /// Value.
    pub value: Option<&'a [u8]>,
    /// Headers, in order.
    pub headers: &'a [Header<'a>],
    /// Milliseconds since 1970, > 0 (librdkafka reads 0 as "now").
    pub timestamp_ms: i64,
    /// How long lane `Pinned` may keep trying, milliseconds; `None`: as long as the lane does. One for all records of a
    /// topic, until its file changes.
    pub message_timeout_ms: Option<u32>,
}

/// The producer's queue (records or bytes) is full; nothing was taken. Wait for outcomes, then try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LocalFull;

/// Where outcomes go. Called on the adapter's threads, many times per millisecond: must not block or allocate much.
pub trait Deliveries: Send + Sync + 'static {
    /// The outcome of the record that was enqueued as `token`. Exactly once per accepted record.
    fn delivered(&self, token: Token, outcome: Outcome);

    /// A batch of outcomes was delivered: wake whoever waits. Lets `delivered` only queue.
    fn batch_end(&self) {}
}

/// Writing.
#[async_trait]
pub trait Produce: Send + Sync + 'static {
    /// Hands a record to the producer of `lane`; returns at once. `Ok` means that an outcome will be delivered:
    /// local refusals (too large, unknown partition) too, possibly before this call returns.
    fn enqueue(&self, lane: Lane, record: &Record<'_>, token: Token) -> Result<(), LocalFull>;

    /// Whether the producer of `lane` has had the time to start. One that is started by need is started by this question.
    fn is_ready(&self, lane: Lane) -> bool;

    /// Waits until everything enqueued has an outcome, at most `timeout_ms`; how many records still have none.
    async fn flush(&self, timeout_ms: u64) -> usize;

    /// The end: refuses further records, waits at most `timeout_ms` for outcomes, then gives up on what is still
    /// without one, whose outcomes come at once (queued: surely not written; sent: maybe). How many it gave up on.
    async fn shut_down(&self, timeout_ms: u64) -> usize {
        self.flush(timeout_ms).await
    }
}

/// A record read back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsumedRecord {
    /// Partition.
    pub partition: i32,
    /// Offset.
    pub offset: i64,
    /// Milliseconds since 1970, if the broker gave one.
    pub timestamp_ms: Option<i64>,
    /// Key.
    pub key: Option<Vec<u8>>,
    /// Value.
    pub value: Option<Vec<u8>>,
    /// Headers.
    pub headers: Vec<(String, Option<Vec<u8>>)>,
}

/// Reading a bounded piece of a topic: no group, no commit.
#[async_trait]
pub trait Consume: Send + Sync + 'static {
    /// At most `limit` records and `max_bytes` bytes of one partition from `offset` on (negative: the last `-offset`
    /// records), what is there now; at most `timeout_ms`.
    async fn read(
        &self,
        topic: &str,
        partition: i32,
        offset: i64,
        limit: usize,
        max_bytes: usize,
        timeout_ms: u64,
    ) -> Result<Vec<ConsumedRecord>, AdminError>;

    /// Earliest offset and high watermark of a partition.
    async fn offsets(&self, topic: &str, partition: i32, timeout_ms: u64) -> Result<(i64, i64), AdminError>;
}

/// A broker as metadata shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// Node id.
    pub id: i32,
    /// Host, if any.
    pub host: Option<String>,
    /// Port, if any.
    pub port: Option<i32>,
    /// Rack, if any.
    pub rack: Option<String>,
}

/// A cluster as it describes itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterDescription {
    /// Kafka's `cluster.id`.
    pub cluster_id: String,
    /// Node id of the controller, if there is one.
    pub controller: Option<i32>,
    /// Brokers by id.
    pub brokers: Vec<Broker>,
}

/// A partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionDescription {
    /// Number.
    pub id: i32,
    /// Leader, if any.
    pub leader: Option<i32>,
    /// Replicas in preference order.
    pub replicas: Vec<i32>,
    /// In-sync ones.
    pub in_sync: Vec<i32>,
}

/// A topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicDescription {
    /// Name.
    pub name: String,
    /// `__consumer_offsets` and the like.
    pub is_internal: bool,
    /// By number.
    pub partitions: Vec<PartitionDescription>,
    /// Operations the server's principal may do, upper-case names; empty when not asked.
    pub authorized_operations: Vec<String>,
}

/// A topic to make.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct NewTopic {
    /// Name.
    pub name: String,
    /// `None`: the broker's default.
    pub partitions: Option<i32>,
    /// `None`: the broker's default.
    pub replication_factor: Option<i16>,
    /// Brokers per partition; wins over both counts.
    pub assignments: Option<Vec<(i32, Vec<i32>)>>,
    /// Configs; one without a value is the broker's to refuse.
    pub configs: Vec<(String, Option<String>)>,
    /// Only check.
    pub validate_only: bool,
}

/// An admin call that failed: Kafka's code and the broker's own text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct AdminError {
    /// `rd_kafka_resp_err_t`: Kafka's protocol code if ≥ 0 … librdkafka's own if negative.
    pub code: i32,
    /// The broker's text, or librdkafka's.
    pub message: String,
}

impl AdminError {
    /// Code of what the in-process broker of `sluice dev` cannot do; Kafka has no such code.
    pub const NOT_IN_DEV: i32 = -50_171;

    /// Refusal of `what` ("DescribeConfigs") because there is only the in-process broker.
    pub fn not_in_dev(what: &str) -> AdminError {
        AdminError { code: AdminError::NOT_IN_DEV, message: format!("{what} is not available in dev") }
    }
}

/// What a question about a topic may do to the cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum IfMissing {
    /// Only look.
    Report,
    /// Ask so that a broker which creates topics automatically does: for undeclared topics of a single or pinned
    /// cluster. Producing itself never creates topics.
    BrokerMayCreate,
}

/// What a cluster gives a topic that asks for nothing. 0: the cluster did not say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TopicDefaults {
    /// `num.partitions`
    pub partitions: i32,
    /// `default.replication.factor`
    pub replication_factor: i16,
}

/// Admin calls. Every one is bounded by `timeout_ms`.
#[async_trait]
pub trait Administer: Send + Sync + 'static {
    /// DescribeCluster.
    async fn describe_cluster(&self, timeout_ms: u64) -> Result<ClusterDescription, AdminError>;

    /// All topics by name, or those named (unknown ones are an error in their place).
    async fn describe_topics(
        &self,
        names: Option<&[String]>,
        authorized_operations: bool,
        timeout_ms: u64,
    ) -> Result<Vec<Result<TopicDescription, AdminError>>, AdminError>;

    /// CreateTopics, one topic.
    async fn create_topic(&self, topic: &NewTopic, timeout_ms: u64) -> Result<(), AdminError>;

    /// What a topic without counts would get; for answers about topics that were only checked.
    async fn topic_defaults(&self, timeout_ms: u64) -> Result<TopicDefaults, AdminError> {
        let _ = timeout_ms;
        Ok(TopicDefaults::default())
    }

    /// Whether a topic exists by the client's own metadata, refreshed at most once a second: partitions count, or
    /// `None`. For the produce path, before the first record: answers within a second when the cluster does.
    async fn partitions_of(
        &self,
        topic: &str,
        if_missing: IfMissing,
        timeout_ms: u64,
    ) -> Result<Option<i32>, AdminError>;
}

/// How a cluster is, as far as its adapter knows; for readiness details and log, never for routing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// Whether a broker answered last.
    pub is_connected: bool,
    /// Why not, or what went wrong last.
    pub last_error: Option<Arc<str>>,
    /// Since when `is_connected` is as it is.
    pub since: SystemTime,
}

/// Where an adapter keeps its cluster's [`Health`]. Clones share it.
#[derive(Debug, Clone)]
pub struct HealthCell(Arc<Mutex<Health>>);

impl HealthCell {
    /// Not connected yet, as of `now`.
    pub fn new(now: SystemTime) -> HealthCell {
        HealthCell(Arc::new(Mutex::new(Health { is_connected: false, last_error: None, since: now })))
    }

    /// The health now.
    pub fn get(&self) -> Health {
        self.0.lock().clone()
    }

    /// A broker answered. Whether that is news.
    pub fn connected(&self, now: SystemTime) -> bool {
        let mut health = self.0.lock();
        let is_news = !health.is_connected;
        if is_news {
            *health = Health { is_connected: true, last_error: None, since: now };
        }
        is_news
    }

    /// No broker answers, because of `error`. Whether that is news.
    pub fn disconnected(&self, error: &str, now: SystemTime) -> bool {
        let mut health = self.0.lock();
        let is_news = health.is_connected || health.last_error.is_none();
        if health.is_connected {
            health.since = now;
        }
        health.is_connected = false;
        health.last_error = Some(Arc::from(error));
        is_news
    }

    /// Something went wrong that need not mean the connection is lost.
    pub fn noted(&self, error: &str) {
        self.0.lock().last_error = Some(Arc::from(error));
    }
}

/// One physical cluster: its three faces. Cheap to clone.
#[derive(Clone)]
pub struct ClusterHandle {
    /// `metadata.name` of its file, or `default`.
    pub name: Arc<str>,
    /// Kafka's `cluster.id`, once learned.
    pub kafka_id: Arc<OnceLock<Arc<str>>>,
    /// Writing.
    pub produce: Arc<dyn Produce>,
    /// Reading.
    pub consume: Arc<dyn Consume>,
    /// Admin.
    pub admin: Arc<dyn Administer>,
    /// Whether it answers.
    pub health: HealthCell,
}
