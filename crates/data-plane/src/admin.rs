//! Clusters, topics and partitions: the questions of `/v3/clusters/…`.
//!
//! A physical id asks that cluster; a logical id asks the group's clusters, each topic where its records go. Answers
//! carry no id: links and bodies use the id of the path. With one cluster and no group only its own id, and its name,
//! are known here, unlike in producing. Source: rest-proxy.md §1.2, §1.5, §1.6; docs/decisions.md.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::future::join_all;
use sluice_registry::{Action, Caller, Resource};

use crate::cluster::{AdminError, NewTopic, PartitionDescription, TopicDescription};
use crate::error::Error;
use crate::intake::is_legal_topic;
use crate::plane::{DataPlane, LiveCluster, Topology};
use crate::route::{Named, RouteError, Target, Undeclared};

/// A cluster or group as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClusterView {
    /// The id in links.
    pub id: String,
    /// Node id of the controller; `None` for groups, and where there is none.
    pub controller: Option<i32>,
}

/// Whether to ask what the server's principal may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthorizedOperations {
    /// Ask.
    Include,
    /// Do not.
    LeaveOut,
}

/// What creating a topic gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedTopic {
    /// Partitions; 0 when the broker did not tell.
    pub partitions: i32,
    /// Replicas of each; 0 when the broker did not tell.
    pub replication_factor: i32,
}

/// Codes of Kafka's protocol that decide something here.
const UNKNOWN_TOPIC_OR_PARTITION: i32 = 3;

impl DataPlane {
    /// What `GET /v3/clusters` lists: the only cluster; or groups, then clusters, each by id.
    pub async fn clusters(&self, caller: &Caller) -> Result<Vec<ClusterView>, Error> {
        let topology = self.inner.topology.load_full();
        if let Some(only) = topology.routes.only_cluster() {
            let live = self.live(&topology, only)?;
            let view = self.describe(&live).await?;
            return Ok(if may_read(caller, &view.id) { vec![view] } else { Vec::new() });
        }
        let groups = topology.routes.listed_groups();
        let mut views: Vec<ClusterView> =
            groups.iter().map(|group| ClusterView { id: group.id.to_string(), controller: None }).collect();
        let described = join_all(topology.clusters.iter().map(|(name, live)| async {
            match self.describe(live).await {
                Ok(view) => view,
                // A cluster that is away is listed as far as it is known.
                Err(_) => ClusterView {
                    id: topology.kafka_id(name).unwrap_or_else(|| name.clone()).to_string(),
                    controller: None,
                },
            }
        }));
        let mut physical = described.await;
        physical.sort_by(|a, b| a.id.cmp(&b.id));
        views.extend(physical);
        views.retain(|view| may_read(caller, &view.id));
        Ok(views)
    }

    /// One of them.
    pub async fn cluster(&self, caller: &Caller, id: &str) -> Result<ClusterView, Error> {
        allow(caller, Action::Read, &Resource::Cluster(id))?;
        let topology = self.inner.topology.load_full();
        match self.named(&topology, id).await? {
            Named::Group(id) => Ok(ClusterView { id: id.to_string(), controller: None }),
            Named::Only(name) | Named::Cluster(name) => {
                let live = self.live(&topology, &name)?;
                let view = self.describe(&live).await?;
                Ok(ClusterView { id: id.to_owned(), ..view })
            }
        }
    }

    /// Topics by name, internal ones left out.
    pub async fn topics(
        &self,
        caller: &Caller,
        cluster_id: &str,
        operations: AuthorizedOperations,
    ) -> Result<Vec<TopicDescription>, Error> {
        let topology = self.inner.topology.load_full();
        let named = self.named(&topology, cluster_id).await?;
        let names = match &named {
            Named::Only(name) | Named::Cluster(name) => vec![name.clone()],
            Named::Group(id) => ready_members(&topology, id),
        };
        let mut clusters = Vec::new();
        for name in &names {
            clusters.push(self.live(&topology, name)?);
        }
        let with_operations = operations == AuthorizedOperations::Include;
        let timeout_ms = self.inner.config.admin_timeout_ms;
        let lists =
            join_all(clusters.iter().map(|live| live.handle.admin.describe_topics(None, with_operations, timeout_ms)))
                .await;
        let mut topics = BTreeMap::new();
        for (name, list) in names.iter().zip(lists) {
            for topic in list?.into_iter().flatten() {
                let is_elsewhere = topology.routes.topics.get(&*topic.name).is_some_and(|declared| {
                    matches!(named, Named::Group(_)) && declared.clusters.first() != Some(name)
                });
                let resource = Resource::Topic { cluster: cluster_id, topic: &topic.name };
                if !topic.is_internal && !is_elsewhere && caller.may(Action::Read, &resource) {
                    topics.entry(topic.name.clone()).or_insert(topic);
                }
            }
        }
        Ok(topics.into_values().collect())
    }

    /// One topic, internal or not.
    pub async fn topic(
        &self,
        caller: &Caller,
        cluster_id: &str,
        topic: &str,
        operations: AuthorizedOperations,
    ) -> Result<TopicDescription, Error> {
        allow(caller, Action::Read, &Resource::Topic { cluster: cluster_id, topic })?;
        let live = self.home(cluster_id, topic).await?;
        self.describe_topic(&live, topic, operations).await
    }

    /// Creates a topic, or checks that it could be. The counts are the broker's, once it shows them.
    pub async fn create_topic(
        &self,
        caller: &Caller,
        cluster_id: &str,
        topic: &NewTopic,
    ) -> Result<CreatedTopic, Error> {
        if !is_legal_topic(&topic.name) {
            return Err(Error::InvalidTopicName(topic.name.clone()));
        }
        allow(caller, Action::Create, &Resource::Topic { cluster: cluster_id, topic: &topic.name })?;
        let live = self.home_of_new(cluster_id, &topic.name).await?;
        let timeout_ms = self.inner.config.admin_timeout_ms;
        live.handle.admin.create_topic(topic, timeout_ms).await?;
        let assigned = topic.assignments.as_deref().filter(|assignments| !assignments.is_empty());
        let asked = match assigned {
            Some(assignments) => CreatedTopic {
                partitions: assignments.len() as i32,
                replication_factor: assignments.first().map_or(0, |(_, brokers)| brokers.len() as i32),
            },
            None => CreatedTopic {
                partitions: topic.partitions.filter(|count| *count > 0).unwrap_or_default(),
                replication_factor: topic.replication_factor.filter(|count| *count > 0).map_or(0, i32::from),
            },
        };
        if asked.partitions > 0 && asked.replication_factor > 0 {
            return Ok(asked);
        }
        if topic.validate_only {
            let defaults = live.handle.admin.topic_defaults(timeout_ms).await.unwrap_or_default();
            let or = |asked: i32, default: i32| if asked > 0 { asked } else { default };
            return Ok(CreatedTopic {
                partitions: or(asked.partitions, defaults.partitions),
                replication_factor: or(asked.replication_factor, i32::from(defaults.replication_factor)),
            });
        }
        Ok(self.created(&live, &topic.name).await.unwrap_or(asked))
    }

    /// What the broker made of a new topic. Metadata may lag a moment behind the creation.
    async fn created(&self, live: &LiveCluster, topic: &str) -> Option<CreatedTopic> {
        const TRIES: usize = 20;
        const PAUSE: std::time::Duration = std::time::Duration::from_millis(50);
        for _ in 0..TRIES {
            match self.describe_topic(live, topic, AuthorizedOperations::LeaveOut).await {
                Ok(topic) if !topic.partitions.is_empty() => {
                    let replicas = topic.partitions.first().map_or(0, |partition| partition.replicas.len());
                    return Some(CreatedTopic {
                        partitions: topic.partitions.len() as i32,
                        replication_factor: replicas as i32,
                    });
                }
                Ok(_) | Err(Error::UnknownTopic) => tokio::time::sleep(PAUSE).await,
                Err(_) => return None,
            }
        }
        None
    }

    /// Partitions by number.
    pub async fn partitions(
        &self,
        caller: &Caller,
        cluster_id: &str,
        topic: &str,
    ) -> Result<Vec<PartitionDescription>, Error> {
        let topic = self.topic(caller, cluster_id, topic, AuthorizedOperations::LeaveOut).await?;
        let mut partitions = topic.partitions;
        partitions.sort_by_key(|partition| partition.id);
        Ok(partitions)
    }

    /// One partition.
    pub async fn partition(
        &self,
        caller: &Caller,
        cluster_id: &str,
        topic: &str,
        partition: i32,
    ) -> Result<PartitionDescription, Error> {
        let partitions = self.partitions(caller, cluster_id, topic).await?;
        partitions.into_iter().find(|known| known.id == partition).ok_or(Error::UnknownPartition(partition))
    }

    /// Earliest and latest offset of a partition.
    pub async fn offsets(
        &self,
        caller: &Caller,
        cluster_id: &str,
        topic: &str,
        partition: i32,
    ) -> Result<(i64, i64), Error> {
        allow(caller, Action::Read, &Resource::Topic { cluster: cluster_id, topic })?;
        let live = self.home(cluster_id, topic).await?;
        let known = self.describe_topic(&live, topic, AuthorizedOperations::LeaveOut).await?;
        if !known.partitions.iter().any(|known| known.id == partition) {
            return Err(Error::UnknownPartition(partition));
        }
        Ok(live.handle.consume.offsets(topic, partition, self.inner.config.admin_timeout_ms).await?)
    }

    async fn describe(&self, live: &LiveCluster) -> Result<ClusterView, Error> {
        let described = live.handle.admin.describe_cluster(self.inner.config.admin_timeout_ms).await?;
        // `sluice dev` answers to an id of its own, whatever the in-process broker calls itself.
        let id = live.handle.kafka_id.get().map_or(described.cluster_id, |id| id.to_string());
        Ok(ClusterView { id, controller: described.controller })
    }

    pub(crate) async fn describe_topic(
        &self,
        live: &LiveCluster,
        topic: &str,
        operations: AuthorizedOperations,
    ) -> Result<TopicDescription, Error> {
        let names = [topic.to_owned()];
        let with_operations = operations == AuthorizedOperations::Include;
        let timeout_ms = self.inner.config.admin_timeout_ms;
        let found = live.handle.admin.describe_topics(Some(&names), with_operations, timeout_ms).await?;
        match found.into_iter().next() {
            Some(Ok(topic)) => Ok(topic),
            Some(Err(AdminError { code: UNKNOWN_TOPIC_OR_PARTITION, .. })) | None => Err(Error::UnknownTopic),
            Some(Err(error)) => Err(error.into()),
        }
    }

    /// What an id names. The only cluster answers to its own id and name here, and must be asked if it has not said.
    async fn named(&self, topology: &Topology, id: &str) -> Result<Named, Error> {
        let ids = topology.kafka_ids();
        let unknown = || Error::Route(RouteError::UnknownCluster(id.to_owned()));
        let Some(only) = topology.routes.only_cluster() else {
            return topology.routes.named(&ids, id).ok_or_else(unknown);
        };
        if topology.routes.cluster_named(&ids, id).is_some() {
            return Ok(Named::Only(only.clone()));
        }
        let live = self.live(topology, only)?;
        if live.handle.kafka_id.get().is_none() && self.describe(&live).await?.id == id {
            return Ok(Named::Only(only.clone()));
        }
        Err(unknown())
    }

    fn live(&self, topology: &Topology, name: &str) -> Result<Arc<LiveCluster>, Error> {
        let unknown = || Error::Route(RouteError::UnknownCluster(name.to_owned()));
        topology.clusters.get(name).cloned().ok_or_else(unknown)
    }

    /// The cluster where a topic's records go under this id; it may not be there.
    pub(crate) async fn home(&self, cluster_id: &str, topic: &str) -> Result<Arc<LiveCluster>, Error> {
        let topology = self.inner.topology.load_full();
        let names = match self.named(&topology, cluster_id).await? {
            Named::Only(name) | Named::Cluster(name) => return self.live(&topology, &name),
            Named::Group(id) => match topology.routes.topics.get(topic) {
                Some(declared) => return self.live(&topology, first_of(&declared.clusters)),
                None => ready_members(&topology, &id),
            },
        };
        let wait_ms = self.inner.config.topic_wait_ms;
        let mut holder = None;
        for name in &names {
            let live = self.live(&topology, name)?;
            let found = live.handle.admin.partitions_of(topic, crate::cluster::IfMissing::Report, wait_ms).await?;
            if found.is_some() && holder.replace(live).is_some() {
                return Err(Error::NotOnOneCluster(format!("Topic {topic} is on several clusters of {cluster_id}")));
            }
        }
        holder.ok_or(Error::UnknownTopic)
    }

    /// The cluster where a topic may be created under this id.
    async fn home_of_new(&self, cluster_id: &str, topic: &str) -> Result<Arc<LiveCluster>, Error> {
        let topology = self.inner.topology.load_full();
        let named = self.named(&topology, cluster_id).await?;
        let declared = topology.routes.topics.get(topic);
        if declared.is_none() && topology.routes.undeclared_under(&named) == Undeclared::Deny {
            return Err(RouteError::UndeclaredTopic(topic.to_owned()).into());
        }
        match (named, declared) {
            (Named::Only(name) | Named::Cluster(name), _) => self.live(&topology, &name),
            (Named::Group(_), Some(declared)) => self.live(&topology, first_of(&declared.clusters)),
            (Named::Group(id), None) => match &*ready_members(&topology, &id) {
                [name] => self.live(&topology, name),
                members => Err(Error::AmbiguousCluster {
                    topic: topic.to_owned(),
                    clusters: members.iter().map(|name| name.to_string()).collect(),
                }),
            },
        }
    }
}

fn first_of(names: &[Arc<str>]) -> &str {
    names.first().map(|name| &**name).unwrap_or_default()
}

fn ready_members(topology: &Topology, group: &str) -> Vec<Arc<str>> {
    match topology.routes.ready(topology.routes.members(group), "") {
        Target::Clusters(names) => names,
        Target::WhereverItIs(_) | Target::Nowhere(_) => Vec::new(),
    }
}

fn may_read(caller: &Caller, cluster: &str) -> bool {
    caller.may(Action::Read, &Resource::Cluster(cluster))
}

fn allow(caller: &Caller, action: Action, resource: &Resource<'_>) -> Result<(), Error> {
    if caller.may(action, resource) { Ok(()) } else { Err(Error::Forbidden) }
}
