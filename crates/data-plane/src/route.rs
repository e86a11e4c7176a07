//! The route table: which clusters, groups and topics were declared. An immutable value, swapped whole.
//!
//! `control-plane` builds it from files; with no files it holds one cluster and nothing else. Choosing a route
//! ([`RouteTable::choose`]) is a pure function of this table and of the ids that clusters said they have.
//!
//! A physical id, or a cluster's name, pins; a logical id lets the table choose; with one cluster and no group every id
//! means that cluster. Source: docs/decisions.md, "Where a record goes".

use std::collections::HashMap;
use std::sync::Arc;

use sluice_registry::SubjectName;
use sluice_schema::{Level, SchemaType};

use crate::balance;
use crate::cluster::{IfMissing, Lane};

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

#[cfg(test)]
impl SideRules {
    /// What a file means that states this format alone.
    pub(crate) fn of_format(format: Option<SchemaType>, subject: &str) -> SideRules {
        SideRules {
            format,
            subject: subject.into(),
            enforcement: if format.is_some() { Enforcement::Strict } else { Enforcement::Off },
            auto_register: true,
            message: None,
            compatibility: None,
            deny_null: false,
        }
    }
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

/// How much earlier than a record's total deadline its producer gives up, at least and at most: *surely not written*
/// must come before the deadline says that nobody knows, and librdkafka looks for records whose time is up when it tries
/// to connect again (every half second), and else once a second. Source: `rd_kafka_broker_producer_serve`.
const BEFORE_DEADLINE_MS: (u64, u64) = (200, 1_000);

impl TopicEntry {
    /// How long a producer may keep trying to write a record, milliseconds: a fifth less than the total deadline, within
    /// the bounds of [`BEFORE_DEADLINE_MS`], but no less than half of it. `None` where the file sets no deadline.
    pub fn message_timeout_ms(&self) -> Option<u32> {
        let total = self.total_deadline_ms?;
        let before = (total / 5).clamp(BEFORE_DEADLINE_MS.0, BEFORE_DEADLINE_MS.1);
        let timeout = total.saturating_sub(before).max(total / 2);
        Some(u32::try_from(timeout).unwrap_or(u32::MAX))
    }
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

/// Who answers to a physical id: names of clusters by Kafka's `cluster.id`, as learned or declared.
pub type KafkaIds = HashMap<Arc<str>, Arc<str>>;

/// Where a topic's records go under an id of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Target {
    /// To these clusters, in this order of preference; never empty.
    Clusters(Vec<Arc<str>>),
    /// To the one of these clusters that holds the topic: an undeclared topic of a group.
    WhereverItIs(Vec<Arc<str>>),
    /// Nowhere now; nothing was written.
    Nowhere(NoTarget),
}

/// Why records go nowhere.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoTarget {
    /// No cluster that may take them is ready.
    #[error("no cluster of topic {topic} takes records now: {}", clusters.join(", "))]
    NoneReady {
        /// The topic.
        topic: Arc<str>,
        /// The clusters, in order.
        clusters: Vec<Arc<str>>,
    },
    /// A file says that nothing may be written.
    #[error("topic {topic} is frozen ({declared_at})")]
    Frozen {
        /// The topic.
        topic: Arc<str>,
        /// `path:line`
        declared_at: Arc<str>,
    },
    /// The topic's clusters are no members of the group.
    #[error("topic {topic} ({declared_at}) is on no cluster of {group}")]
    NotInGroup {
        /// The topic.
        topic: Arc<str>,
        /// Where that is declared.
        declared_at: Arc<str>,
        /// The group's id.
        group: Arc<str>,
    },
}

/// Whose id a report carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReportedId {
    /// The path's, whatever it is: one cluster and no group, as the reference.
    OfPath,
    /// Kafka's `cluster.id` of the cluster that took the record.
    OfKafka,
}

/// How records of one topic travel under one id of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// Where to.
    pub target: Target,
    /// Which producer.
    pub lane: Lane,
    /// The declaration, if there is one.
    pub topic: Option<Arc<TopicEntry>>,
    /// What a missing topic means.
    pub if_missing: IfMissing,
    /// Whose id reports carry.
    pub reported: ReportedId,
}

/// Why there is no route.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RouteError {
    /// The id is no cluster's and no group's.
    #[error("cluster {0} not found")]
    UnknownCluster(String),
    /// No file declares the topic, and undeclared topics are denied.
    #[error("topic {0} is not declared, and undeclared topics are denied")]
    UndeclaredTopic(String),
}

/// What an id of a path names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// The only cluster there is, whatever it is called.
    Only(Arc<str>),
    /// One cluster, by Kafka's id or by its name.
    Cluster(Arc<str>),
    /// A group.
    Group(Arc<str>),
}

impl RouteTable {
    /// The only cluster, when nothing needs telling apart: no other cluster, no group.
    pub fn only_cluster(&self) -> Option<&Arc<str>> {
        if self.groups.is_empty() && self.clusters.len() == 1 { self.clusters.keys().next() } else { None }
    }

    /// What `id` names; with exactly one cluster and no group, everything names it.
    pub fn named(&self, ids: &KafkaIds, id: &str) -> Option<Named> {
        if let Some(only) = self.only_cluster() {
            return Some(Named::Only(only.clone()));
        }
        if let Some(group) = self.groups.get(id) {
            return Some(Named::Group(group.id.clone()));
        }
        self.cluster_named(ids, id).map(Named::Cluster)
    }

    /// The cluster whose Kafka id or name is `id`.
    pub fn cluster_named(&self, ids: &KafkaIds, id: &str) -> Option<Arc<str>> {
        let by_kafka_id = ids.get(id).filter(|name| self.clusters.contains_key(*name)).cloned();
        by_kafka_id.or_else(|| self.clusters.get(id).map(|cluster| cluster.name.clone()))
    }

    /// The route of `topic`'s records under `cluster_id`.
    pub fn choose(&self, ids: &KafkaIds, cluster_id: &str, topic: &str) -> Result<Route, RouteError> {
        let named = self.named(ids, cluster_id).ok_or_else(|| RouteError::UnknownCluster(cluster_id.to_owned()))?;
        let declared = self.topics.get(topic).cloned();
        if declared.is_none() && self.undeclared_under(&named) == Undeclared::Deny {
            return Err(RouteError::UndeclaredTopic(topic.to_owned()));
        }
        let if_missing = match (&declared, &named) {
            (None, Named::Only(_) | Named::Cluster(_)) => IfMissing::BrokerMayCreate,
            _ => IfMissing::Report,
        };
        let reported = match named {
            Named::Only(_) => ReportedId::OfPath,
            _ => ReportedId::OfKafka,
        };
        // The redirectable lane waits for balances that redirect; `na` never does.
        let lane = Lane::Pinned;
        let target = self.target(&named, declared.as_deref(), topic);
        Ok(Route { target, lane, topic: declared, if_missing, reported })
    }

    /// Whether a file says that producing registers nothing under `subject`; that holds for records of all topics.
    pub(crate) fn closes(&self, subject: &SubjectName) -> bool {
        let name = subject.qualified();
        // A name is made of its text only where it may have another spelling: a table holds thousands of them.
        let is_it = |text: &str| text == name || text.starts_with(":.") && SubjectName::parse(text) == *subject;
        let sides = self.topics.values().flat_map(|topic| [&topic.key, &topic.value]);
        let mut closed = sides.filter(|side| side.format.is_some() && !side.auto_register);
        closed.any(|side| side.enforcement == Enforcement::Strict && is_it(&side.subject))
    }

    pub(crate) fn undeclared_under(&self, named: &Named) -> Undeclared {
        let of_group = match named {
            Named::Group(id) => self.groups.get(id).and_then(|group| group.undeclared),
            _ => None,
        };
        of_group.or(self.undeclared).unwrap_or(Undeclared::Allow)
    }

    fn target(&self, named: &Named, declared: Option<&TopicEntry>, topic: &str) -> Target {
        if let Some(frozen) = declared.filter(|topic| topic.is_frozen) {
            let (topic, declared_at) = (frozen.name.clone(), frozen.declared_at.clone());
            return Target::Nowhere(NoTarget::Frozen { topic, declared_at });
        }
        match (named, declared) {
            (Named::Only(name) | Named::Cluster(name), _) => self.ready(vec![name.clone()], topic),
            (Named::Group(id), None) => {
                let members = self.members(id);
                match self.ready(members, topic) {
                    Target::Clusters(members) => Target::WhereverItIs(members),
                    nowhere => nowhere,
                }
            }
            (Named::Group(id), Some(declared)) => {
                let members = self.members(id);
                let placed: Vec<_> = declared.clusters.iter().filter(|name| members.contains(name)).cloned().collect();
                if placed.is_empty() {
                    let (topic, declared_at) = (declared.name.clone(), declared.declared_at.clone());
                    return Target::Nowhere(NoTarget::NotInGroup { topic, declared_at, group: id.clone() });
                }
                self.ready(balance::candidates(declared.balance, &placed), topic)
            }
        }
    }

    /// The members of a group, in its order.
    pub fn members(&self, group: &str) -> Vec<Arc<str>> {
        self.groups.get(group).map(|group| group.members.clone()).unwrap_or_default()
    }

    pub(crate) fn ready(&self, clusters: Vec<Arc<str>>, topic: &str) -> Target {
        let is_ready = |name: &Arc<str>| self.clusters.get(name).is_some_and(|cluster| cluster.is_ready);
        let ready: Vec<_> = clusters.iter().filter(|name| is_ready(name)).cloned().collect();
        if ready.is_empty() {
            Target::Nowhere(NoTarget::NoneReady { topic: topic.into(), clusters })
        } else {
            Target::Clusters(ready)
        }
    }

    /// Groups as `GET /v3/clusters` lists them: default ones first, then the others, each by id.
    pub fn listed_groups(&self) -> Vec<&GroupEntry> {
        let mut groups: Vec<&GroupEntry> = self.groups.values().collect();
        groups.sort_by(|a, b| (!a.is_default, &a.id).cmp(&(!b.is_default, &b.id)));
        groups
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(name: &str, is_ready: bool) -> ClusterEntry {
        ClusterEntry { name: name.into(), kafka_id: None, is_ready }
    }

    fn topic(name: &str, clusters: &[&str]) -> Arc<TopicEntry> {
        Arc::new(TopicEntry {
            name: name.into(),
            clusters: clusters.iter().map(|name| (*name).into()).collect(),
            balance: Balance::Na,
            key: SideRules::of_format(None, "k"),
            value: SideRules::of_format(None, "v"),
            is_frozen: name == "frozen",
            total_deadline_ms: None,
            declared_at: "topics.yaml:3".into(),
        })
    }

    fn two_clusters() -> (RouteTable, KafkaIds) {
        let mut table = RouteTable::default();
        for (name, is_ready) in [("one", true), ("two", true), ("drained", false)] {
            table.clusters.insert(name.into(), cluster(name, is_ready));
        }
        for (id, members, is_default) in [("lkg", &["one", "two", "drained"][..], true), ("all-one", &["one"], false)] {
            let members = members.iter().map(|name| (*name).into()).collect();
            table.groups.insert(id.into(), GroupEntry { id: id.into(), members, is_default, undeclared: None });
        }
        for (name, clusters) in
            [("a", &["one", "two"][..]), ("b", &["two"]), ("frozen", &["one"]), ("gone", &["drained"])]
        {
            table.topics.insert(name.into(), topic(name, clusters));
        }
        (
            table,
            KafkaIds::from([("K1".into(), "one".into()), ("K2".into(), "two".into()), ("K3".into(), "drained".into())]),
        )
    }

    fn clusters(names: &[&str]) -> Target {
        Target::Clusters(names.iter().map(|name| (*name).into()).collect())
    }

    #[test]
    fn a_producer_gives_up_before_the_total_deadline_of_the_file() {
        let timeout = |total_deadline_ms| {
            let entry = TopicEntry { total_deadline_ms, ..(*topic("a", &["one"])).clone() };
            entry.message_timeout_ms()
        };
        assert_eq!(timeout(None), None);
        assert_eq!(timeout(Some(30_000)), Some(29_000));
        assert_eq!(timeout(Some(5_000)), Some(4_000));
        assert_eq!(timeout(Some(3_000)), Some(2_400));
        assert_eq!(timeout(Some(500)), Some(300));
        assert_eq!(timeout(Some(100)), Some(50), "half, where 200 ms are too many");
    }

    #[test]
    fn one_cluster_and_no_group_answers_to_every_id_and_echoes_it() {
        let mut table = RouteTable::default();
        table.clusters.insert("default".into(), cluster("default", true));
        for id in ["K1", "any-other", " "] {
            let route = table.choose(&KafkaIds::new(), id, "t").unwrap();
            assert_eq!(route.target, clusters(&["default"]), "{id:?}");
            assert_eq!((route.reported, route.if_missing), (ReportedId::OfPath, IfMissing::BrokerMayCreate));
        }
    }

    #[test]
    fn a_logical_id_sends_each_topic_to_the_first_of_its_clusters_and_a_physical_id_or_name_pins() {
        let (table, ids) = two_clusters();
        for (id, topic, expected) in [
            ("lkg", "a", "one"),
            ("lkg", "b", "two"),
            ("K2", "a", "two"),
            ("two", "a", "two"),
            ("K1", "b", "one"),
            ("all-one", "a", "one"),
        ] {
            let route = table.choose(&ids, id, topic).unwrap();
            assert_eq!(route.target, clusters(&[expected]), "{id} {topic}");
            assert_eq!((route.reported, route.if_missing), (ReportedId::OfKafka, IfMissing::Report));
        }
    }

    #[test]
    fn an_undeclared_topic_is_created_only_where_the_path_pins_and_looked_for_under_a_logical_id() {
        let (table, ids) = two_clusters();
        let route = table.choose(&ids, "lkg", "new").unwrap();
        assert_eq!(route.target, Target::WhereverItIs(vec!["one".into(), "two".into()]));
        assert_eq!(route.if_missing, IfMissing::Report);
        let route = table.choose(&ids, "K2", "new").unwrap();
        assert_eq!((route.target, route.if_missing), (clusters(&["two"]), IfMissing::BrokerMayCreate));
    }

    #[test]
    fn nothing_goes_to_a_cluster_that_is_not_ready_to_a_frozen_topic_or_out_of_the_group() {
        let (table, ids) = two_clusters();
        for (id, topic) in [("lkg", "gone"), ("drained", "new"), ("K3", "a"), ("lkg", "frozen"), ("all-one", "b")] {
            let route = table.choose(&ids, id, topic).unwrap();
            assert!(matches!(route.target, Target::Nowhere(_)), "{id} {topic}: {route:?}");
        }
    }

    #[test]
    fn unknown_ids_are_refused_and_a_group_overrides_the_servers_word_on_undeclared_topics() {
        let (mut table, ids) = two_clusters();
        assert_eq!(table.choose(&ids, "nope", "a"), Err(RouteError::UnknownCluster("nope".into())));
        table.undeclared = Some(Undeclared::Deny);
        assert_eq!(table.choose(&ids, "lkg", "new"), Err(RouteError::UndeclaredTopic("new".into())));
        assert!(table.choose(&ids, "lkg", "a").is_ok());
        assert_eq!(table.choose(&ids, "K1", "new"), Err(RouteError::UndeclaredTopic("new".into())));
        table.groups.get_mut("lkg").unwrap().undeclared = Some(Undeclared::Allow);
        assert!(table.choose(&ids, "lkg", "new").is_ok());
    }

    #[test]
    fn the_default_group_is_listed_first_and_the_others_by_id() {
        let (mut table, _) = two_clusters();
        for id in ["zz", "aa"] {
            let entry = GroupEntry { id: id.into(), members: vec![], is_default: false, undeclared: None };
            table.groups.insert(id.into(), entry);
        }
        let listed: Vec<&str> = table.listed_groups().iter().map(|group| &*group.id).collect();
        assert_eq!(listed, ["lkg", "aa", "all-one", "zz"]);
    }
}
