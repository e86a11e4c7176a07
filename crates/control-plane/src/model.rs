//! What files declare, decoded and typed; everything the files may say is kept, acted on or not.

use std::collections::BTreeMap;
use std::sync::Arc;

use sluice_data_plane::route::{Balance, Enforcement, Undeclared};
use sluice_schema::{Level, SchemaType};

use crate::problem::Position;

/// Where an object was declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// File as named.
    pub file: Arc<str>,
    /// Where the object starts.
    pub at: Position,
}

/// An object of any kind.
#[derive(Debug, Clone, PartialEq)]
pub enum Object {
    /// `kind: Cluster`
    Cluster(Box<ClusterSpec>),
    /// `kind: ClusterGroup`
    ClusterGroup(ClusterGroupSpec),
    /// `kind: Topic`
    Topic(Box<TopicSpec>),
}

/// A physical cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterSpec {
    /// Where declared.
    pub origin: Origin,
    /// `metadata.name`
    pub name: String,
    /// `metadata.labels`
    pub labels: BTreeMap<String, String>,
    /// Expected `cluster.id`, checked at connect.
    pub kafka_cluster_id: Option<String>,
    /// Lifecycle.
    pub state: ClusterState,
    /// Ways in.
    pub listeners: Vec<Listener>,
    /// The way Sluice takes.
    pub gateway: Access,
    /// The way Sluice takes for admin calls; `None`: as `gateway`. Not acted on yet.
    pub admin: Option<Access>,
    /// librdkafka settings passed through; the adapter refuses those it owns.
    pub client: BTreeMap<String, String>,
    /// Not acted on yet.
    pub limits: ClusterLimits,
    /// Who may place topics. Not acted on yet.
    pub admission: Vec<String>,
    /// Defaults of topics. Not acted on yet.
    pub defaults: TopicDefaults,
}

/// Lifecycle of a cluster.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusterState {
    /// Not yet in use.
    Provisioning,
    /// In use.
    Ready,
    /// No new records.
    Draining,
    /// Gone.
    Retired,
}

/// One way into a cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listener {
    /// Name.
    pub name: String,
    /// Which network reaches it.
    pub network: Option<String>,
    /// How clients prove who they are.
    pub auth: Auth,
    /// SASL mechanism, for `sasl-scram` and `sasl-plain`.
    pub mechanism: Option<String>,
    /// Region, for `aws-iam`.
    pub region: Option<String>,
    /// `host:port` each.
    pub bootstrap: Vec<String>,
}

/// How clients of a listener prove who they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Auth {
    /// Not at all, in clear.
    None,
    /// Not at all, encrypted.
    Tls,
    /// By certificate.
    Mtls,
    /// SCRAM over TLS.
    SaslScram,
    /// SCRAM in clear.
    SaslScramPlaintext,
    /// PLAIN over TLS.
    SaslPlain,
    /// PLAIN in clear.
    SaslPlainPlaintext,
    /// AWS IAM. Not acted on yet.
    AwsIam,
}

/// Which listener Sluice uses, with what.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// Name of a listener; the first one when not stated.
    pub listener: Option<String>,
    /// Secrets, by file or environment only.
    pub credentials: Credentials,
}

/// Credentials: never inline.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Credentials {
    /// Client certificate (PEM).
    pub cert_file: Option<String>,
    /// Its key (PEM).
    pub key_file: Option<String>,
    /// Trusted authorities (PEM).
    pub ca_file: Option<String>,
    /// SASL user name; not secret.
    pub username: Option<String>,
    /// Where the SASL password is.
    pub password: Option<SecretRef>,
}

/// Where a secret is to be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretRef {
    /// First line of this file.
    File(String),
    /// This environment variable.
    Env(String),
}

/// Limits of a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ClusterLimits {
    /// Most partitions.
    pub max_partitions: Option<u64>,
    /// Most topics.
    pub max_topics: Option<u64>,
    /// Most bytes in flight.
    pub max_inflight_bytes: Option<u64>,
    /// Most connections per broker.
    pub max_connections_per_broker: Option<u64>,
}

/// Defaults of topics on a cluster.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopicDefaults {
    /// Partitions.
    pub partitions: Option<u32>,
    /// Replicas.
    pub replication_factor: Option<u16>,
    /// Settings.
    pub config: TopicConfig,
}

/// A logical cluster.
#[derive(Debug, Clone, PartialEq)]
pub struct ClusterGroupSpec {
    /// Where declared.
    pub origin: Origin,
    /// `metadata.name`
    pub name: String,
    /// Logical id; the name when not stated.
    pub id: String,
    /// Names of clusters, in order.
    pub members: Vec<String>,
    /// Listed first.
    pub is_default: bool,
    /// What becomes of undeclared topics.
    pub undeclared_topics: Option<Undeclared>,
    /// Balance of topics that state none. Not acted on yet.
    pub default_load_balancing: Option<Balance>,
}

/// Settings of a topic that the control plane owns.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopicConfig {
    /// `retention.ms`; -1 unlimited.
    pub retention_ms: Option<i64>,
    /// `retention.bytes`; -1 unlimited.
    pub retention_bytes: Option<i64>,
    /// `cleanup.policy`
    pub cleanup_policy: Option<String>,
    /// `min.insync.replicas`
    pub min_insync_replicas: Option<u16>,
    /// `max.message.bytes`
    pub max_message_bytes: Option<u64>,
    /// Any other key.
    pub raw: BTreeMap<String, String>,
}

/// A cluster of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicCluster {
    /// Name.
    pub name: String,
    /// Weight for round robin.
    pub weight: Option<u32>,
    /// Where it is named.
    pub at: Position,
}

/// How a topic's records may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ordering {
    /// Anywhere.
    None,
    /// Only in a coordinated switch.
    Key,
    /// Never.
    Strict,
}

/// Switching of a failover topic. Not acted on yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailoverSpec {
    /// `automatic`, `manual`, `coordinated`.
    pub mode: &'static str,
    /// Whether duplicates are allowed.
    pub allow_duplicates: bool,
    /// When another cluster is tried, milliseconds.
    pub soft_deadline_ms: u64,
    /// When the record is given up, milliseconds.
    pub total_deadline_ms: u64,
    /// Whether the primary takes over again by itself.
    pub failback_auto: bool,
    /// How long it must be healthy first, milliseconds.
    pub failback_after_ms: u64,
}

/// Copies of a replicated topic. Not acted on yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReplicateSpec {
    /// Acknowledgements needed; `None` = all.
    pub min_acks: Option<u32>,
    /// How long outcomes of the rest are awaited, milliseconds.
    pub wait_ms: u64,
}

/// What key or value of a topic must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaSpec {
    /// `None`: no schema.
    pub format: Option<SchemaType>,
    /// Subject, if stated.
    pub subject: Option<String>,
    /// Level, if stated: the file owns it then.
    pub compatibility: Option<Level>,
    /// How strictly.
    pub enforcement: Enforcement,
    /// May producing register compatible versions?
    pub auto_register: bool,
    /// Pinned message.
    pub message: Option<String>,
    /// Null values refused.
    pub deny_tombstones: bool,
}

/// A topic.
#[derive(Debug, Clone, PartialEq)]
pub struct TopicSpec {
    /// Where declared.
    pub origin: Origin,
    /// Name.
    pub name: String,
    /// `team:…` or `user:…`.
    pub owner: String,
    /// Free text.
    pub description: Option<String>,
    /// Labels.
    pub labels: BTreeMap<String, String>,
    /// Clusters, first = primary.
    pub clusters: Vec<TopicCluster>,
    /// Balance.
    pub balance: Balance,
    /// Ordering, if stated.
    pub ordering: Option<Ordering>,
    /// Only with balance failover.
    pub failover: Option<FailoverSpec>,
    /// Only with balance replicate.
    pub replicate: Option<ReplicateSpec>,
    /// Partitions.
    pub partitions: Option<u32>,
    /// Replicas.
    pub replication_factor: Option<u16>,
    /// Settings.
    pub config: TopicConfig,
    /// Suffix of the development twin.
    pub dev_variant_suffix: Option<String>,
    /// Rules of the value.
    pub value: SchemaSpec,
    /// Rules of the key.
    pub key: SchemaSpec,
    /// `durable`, `low-latency`, `bulk`.
    pub producer_profile: &'static str,
    /// Bytes per second through the gateway.
    pub quota_bytes: Option<u64>,
    /// Records per second through the gateway.
    pub quota_records: Option<u64>,
    /// Hint for clients.
    pub recommended_key: Option<String>,
    /// Lifecycle.
    pub lifecycle: Lifecycle,
    /// Whether drift is only reported.
    pub enforce_drift: bool,
}

/// Lifecycle of a topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lifecycle {
    /// In use.
    Active,
    /// No writes.
    Frozen,
    /// To be deleted once proved empty; no writes.
    Retire,
}
