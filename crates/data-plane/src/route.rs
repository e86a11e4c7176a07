//! The route table: which clusters, groups and topics were declared. An immutable value, swapped whole.
//!
//! `control-plane` builds it from files; with no files it holds one cluster and nothing else. Choosing a route
//! is a pure function of this table.

use std::collections::HashMap;
use std::sync::Arc;

use sluice_schema::{Level, SchemaType};

/// How a topic's records are spread over its clusters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Balance {
    /// `na`: the first cluster, always.
    Na,
    /// `failover`
    Failover,
    /// `roundrobin`
    RoundRobin,
    /// `replicate`
    Replicate,
}

/// What becomes of topics that no file declares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Undeclared {
    /// As the reference: any topic.
    Allow,
    /// 403/40372.
    Deny,
}

/// How strictly a topic's schema is enforced.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Enforcement {
    /// Refuse.
    Strict,
    /// Write, count, log sampled.
    Warn,
    /// As an undeclared topic.
    Off,
}

/// A declared cluster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterEntry {
    /// `metadata.name`; also an alias of the physical id in paths.
    pub name: Arc<str>,
    /// Expected `cluster.id`; a cluster that says another is refused.
    pub kafka_id: Option<Arc<str>>,
    /// Whether new records may go there (`ready`).
    pub is_ready: bool,
}

/// A declared group: a logical cluster id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupEntry {
    /// The id in paths.
    pub id: Arc<str>,
    /// Names of its clusters, in order.
    pub members: Vec<Arc<str>>,
    /// Listed first by `GET /v3/clusters`.
    pub is_default: bool,
    /// Overrides the server's setting.
    pub undeclared: Option<Undeclared>,
}

/// What one side (key or value) of a declared topic must hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideRules {
    /// `None`: no schema (`format: none`).
    pub format: Option<SchemaType>,
    /// Subject; `<topic>-value` or `<topic>-key` unless stated.
    pub subject: Arc<str>,
    /// How strictly.
    pub enforcement: Enforcement,
    /// Whether new compatible versions may be registered by producing.
    pub auto_register: bool,
    /// The message that JSON data is an instance of; others are refused.
    pub message: Option<Arc<str>>,
    /// Level that the file states; owns the subject's level then.
    pub compatibility: Option<Level>,
    /// Whether null is refused.
    pub deny_null: bool,
}

/// A declared topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicEntry {
    /// Name.
    pub name: Arc<str>,
    /// Names of its clusters; the first is the primary.
    pub clusters: Vec<Arc<str>>,
    /// How records are spread.
    pub balance: Balance,
    /// Rules of the key.
    pub key: SideRules,
    /// Rules of the value.
    pub value: SideRules,
    /// `lifecycle: frozen`: no writes.
    pub is_frozen: bool,
    /// Total time a record may take, milliseconds, where the file sets one.
    pub total_deadline_ms: Option<u64>,
    /// `path:line` of the declaration, for messages.
    pub declared_at: Arc<str>,
}

/// Everything declared. Default: nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RouteTable {
    /// Raised with every swap.
    pub version: u64,
    /// By name.
    pub clusters: HashMap<Arc<str>, ClusterEntry>,
    /// By id.
    pub groups: HashMap<Arc<str>, GroupEntry>,
    /// By name.
    pub topics: HashMap<Arc<str>, Arc<TopicEntry>>,
    /// The server's setting.
    pub undeclared: Option<Undeclared>,
}
