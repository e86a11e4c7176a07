//! All files together, as one immutable value; and the holder that swaps it.
//!
//! A set of files with any error changes nothing: the last good snapshot stays, and the errors are kept for log,
//! metric and readiness detail.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arc_swap::ArcSwap;
use sluice_data_plane::route::{ClusterEntry, GroupEntry, RouteTable, SideRules, TopicEntry, Undeclared};
use sluice_registry::SubjectName;

use crate::check::{Objects, check};
use crate::manifest;
use crate::model::*;
use crate::problem::Problems;

/// Everything declared.
#[derive(Debug, Clone, Default)]
pub struct Snapshot {
    /// Raised with every load that worked.
    pub version: u64,
    /// Clusters by name.
    pub clusters: BTreeMap<String, ClusterSpec>,
    /// Groups by id.
    pub groups: BTreeMap<String, ClusterGroupSpec>,
    /// Topics by name.
    pub topics: BTreeMap<String, TopicSpec>,
    /// What the data plane needs of all this.
    pub routes: Arc<RouteTable>,
}

/// What the configuration adds to the files.
#[derive(Debug, Clone)]
pub struct Surroundings<'a> {
    /// Clusters named by the configuration, that topics and groups may use.
    pub implicit_clusters: &'a [&'a str],
    /// The server's `undeclared-topics`.
    pub undeclared_topics: Undeclared,
}

impl Snapshot {
    /// Reads `files` (name, text); the snapshot unless there is an error, and every problem either way.
    pub fn read(
        files: &[(Arc<str>, String)],
        surroundings: &Surroundings<'_>,
        version: u64,
    ) -> (Option<Snapshot>, Problems) {
        let mut problems = Problems::default();
        let mut objects = Objects::default();
        for (file, text) in files {
            for object in manifest::read(file, text, &mut problems) {
                match object {
                    Object::Cluster(cluster) => objects.clusters.push(*cluster),
                    Object::ClusterGroup(group) => objects.groups.push(group),
                    Object::Topic(topic) => objects.topics.push(*topic),
                }
            }
        }
        // Names that only a broken object declares would show up as follow-on mistakes.
        if !problems.has_errors() {
            check(&objects, surroundings.implicit_clusters, &mut problems);
        }
        problems.sort();
        if problems.has_errors() {
            return (None, problems);
        }
        let routes = Arc::new(routes(&objects, surroundings, version));
        let snapshot = Snapshot {
            version,
            clusters: objects.clusters.into_iter().map(|cluster| (cluster.name.clone(), cluster)).collect(),
            groups: objects.groups.into_iter().map(|group| (group.id.clone(), group)).collect(),
            topics: objects.topics.into_iter().map(|topic| (topic.name.clone(), topic)).collect(),
            routes,
        };
        (Some(snapshot), problems)
    }

    /// Levels that topic files state, by subject, with the place that states it.
    pub fn declared_levels(&self) -> HashMap<SubjectName, (sluice_schema::Level, String)> {
        let mut levels = HashMap::new();
        for topic in self.routes.topics.values() {
            for side in [&topic.key, &topic.value] {
                if let Some(level) = side.compatibility {
                    levels.insert(SubjectName::parse(&side.subject), (level, topic.declared_at.to_string()));
                }
            }
        }
        levels
    }
}

fn routes(objects: &Objects, surroundings: &Surroundings<'_>, version: u64) -> RouteTable {
    let mut table = RouteTable { version, undeclared: Some(surroundings.undeclared_topics), ..RouteTable::default() };
    for name in surroundings.implicit_clusters {
        let name: Arc<str> = (*name).into();
        table.clusters.insert(name.clone(), ClusterEntry { name, kafka_id: None, is_ready: true });
    }
    for cluster in &objects.clusters {
        let entry = ClusterEntry {
            name: cluster.name.as_str().into(),
            kafka_id: cluster.kafka_cluster_id.as_deref().map(Arc::from),
            is_ready: cluster.state == ClusterState::Ready,
        };
        table.clusters.insert(entry.name.clone(), entry);
    }
    for group in &objects.groups {
        let entry = GroupEntry {
            id: group.id.as_str().into(),
            members: group.members.iter().map(|member| member.as_str().into()).collect(),
            is_default: group.is_default,
            undeclared: group.undeclared_topics,
        };
        table.groups.insert(entry.id.clone(), entry);
    }
    for topic in &objects.topics {
        let entry = TopicEntry {
            name: topic.name.as_str().into(),
            clusters: topic.clusters.iter().map(|cluster| cluster.name.as_str().into()).collect(),
            balance: topic.balance,
            key: side(&topic.key, &topic.name, "key"),
            value: side(&topic.value, &topic.name, "value"),
            is_frozen: topic.lifecycle != Lifecycle::Active,
            total_deadline_ms: topic.failover.as_ref().map(|failover| failover.total_deadline_ms),
            declared_at: format!("{}:{}", topic.origin.file, topic.origin.at.line).into(),
        };
        table.topics.insert(entry.name.clone(), Arc::new(entry));
    }
    table
}

fn side(spec: &SchemaSpec, topic: &str, which: &str) -> SideRules {
    SideRules {
        format: spec.format,
        subject: spec.subject.clone().unwrap_or_else(|| format!("{topic}-{which}")).into(),
        enforcement: spec.enforcement,
        auto_register: spec.auto_register,
        message: spec.message.as_deref().map(Arc::from),
        compatibility: spec.compatibility,
        deny_null: spec.deny_tombstones,
    }
}

/// What the last load came to.
#[derive(Debug, Clone, Default)]
pub struct SnapshotState {
    /// Version in force.
    pub version: u64,
    /// Errors of the last load, one line each, if it was refused.
    pub refused: Vec<String>,
}

/// The snapshot in force. Readers take an `Arc`; a load swaps it or leaves it.
#[derive(Debug, Default)]
pub struct Snapshots {
    current: ArcSwap<Snapshot>,
    refused: ArcSwap<Vec<String>>,
}

impl Snapshots {
    /// Starts with this one.
    pub fn new(first: Snapshot) -> Snapshots {
        Snapshots { current: ArcSwap::from_pointee(first), refused: ArcSwap::default() }
    }

    /// The snapshot in force.
    pub fn current(&self) -> Arc<Snapshot> {
        self.current.load_full()
    }

    /// Takes a snapshot that was read from a new set of files; what was refused before is forgotten.
    pub fn take(&self, snapshot: Snapshot) {
        self.current.store(Arc::new(snapshot));
        self.refused.store(Arc::default());
    }

    /// Notes why a set of files was not taken; the snapshot in force stays.
    pub fn refuse(&self, errors: Vec<String>) {
        self.refused.store(Arc::new(errors));
    }

    /// For readiness details and metrics.
    pub fn state(&self) -> SnapshotState {
        SnapshotState { version: self.current.load().version, refused: self.refused.load().as_ref().clone() }
    }
}

#[cfg(test)]
mod tests;
