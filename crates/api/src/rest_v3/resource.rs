//! Resources as v3 shows them: field order is the reference's.

use serde::Serialize;
use sluice_data_plane::admin::ClusterView;
use sluice_data_plane::cluster::{PartitionDescription, TopicDescription};

use super::links::{Links, crn};

/// `{"related": URL}`
#[derive(Debug, Serialize)]
pub(super) struct Related {
    related: String,
}

fn related(url: String) -> Related {
    Related { related: url }
}

/// `metadata` of a resource.
#[derive(Debug, Serialize)]
struct Metadata {
    #[serde(rename = "self")]
    itself: String,
    resource_name: String,
}

/// `metadata` of a list.
#[derive(Debug, Serialize)]
struct ListMetadata {
    #[serde(rename = "self")]
    itself: String,
    next: Option<String>,
}

/// A list of resources.
#[derive(Debug, Serialize)]
pub(super) struct List<T> {
    kind: &'static str,
    metadata: ListMetadata,
    data: Vec<T>,
}

impl<T> List<T> {
    /// `kind` of these, found at `itself`. Nothing is ever on a next page.
    pub(super) fn of(kind: &'static str, itself: String, data: Vec<T>) -> List<T> {
        List { kind, metadata: ListMetadata { itself, next: None }, data }
    }
}

/// `KafkaCluster`
#[derive(Debug, Serialize)]
pub(super) struct Cluster {
    kind: &'static str,
    metadata: Metadata,
    cluster_id: String,
    controller: Option<Related>,
    acls: Related,
    brokers: Related,
    broker_configs: Related,
    consumer_groups: Related,
    topics: Related,
    partition_reassignments: Related,
}

/// A cluster or group.
pub(super) fn cluster(links: &Links, view: &ClusterView) -> Cluster {
    let id = &view.id;
    let under = |rest: &str| related(links.cluster(id, rest));
    Cluster {
        kind: "KafkaCluster",
        metadata: Metadata { itself: links.cluster(id, ""), resource_name: crn(id, "") },
        cluster_id: id.clone(),
        controller: view.controller.map(|broker| under(&format!("/brokers/{broker}"))),
        acls: under("/acls"),
        brokers: under("/brokers"),
        broker_configs: under("/broker-configs"),
        consumer_groups: under("/consumer-groups"),
        topics: under("/topics"),
        partition_reassignments: under("/topics/-/partitions/-/reassignment"),
    }
}

/// `KafkaTopic`
#[derive(Debug, Serialize)]
pub(super) struct Topic {
    kind: &'static str,
    metadata: Metadata,
    cluster_id: String,
    topic_name: String,
    is_internal: bool,
    replication_factor: i32,
    partitions_count: i32,
    partitions: Related,
    configs: Related,
    partition_reassignments: Related,
    authorized_operations: Vec<String>,
}

/// A topic as it was described. Operations are sorted by name.
pub(super) fn topic(links: &Links, cluster: &str, topic: &TopicDescription) -> Topic {
    let replicas = topic.partitions.iter().find(|partition| partition.id == 0).or(topic.partitions.first());
    let mut operations = topic.authorized_operations.clone();
    operations.sort();
    Topic {
        is_internal: topic.is_internal,
        authorized_operations: operations,
        ..topic_of(
            links,
            cluster,
            &topic.name,
            topic.partitions.len() as i32,
            replicas.map_or(0, |partition| partition.replicas.len() as i32),
        )
    }
}

/// A topic of this name and these counts.
pub(super) fn topic_of(links: &Links, cluster: &str, name: &str, partitions: i32, replication_factor: i32) -> Topic {
    let under = |rest: &str| related(links.topic(cluster, name, rest));
    Topic {
        kind: "KafkaTopic",
        metadata: Metadata {
            itself: links.topic(cluster, name, ""),
            resource_name: crn(cluster, &format!("/topic={name}")),
        },
        cluster_id: cluster.to_owned(),
        topic_name: name.to_owned(),
        is_internal: false,
        replication_factor,
        partitions_count: partitions,
        partitions: under("/partitions"),
        configs: under("/configs"),
        partition_reassignments: under("/partitions/-/reassignment"),
        authorized_operations: Vec::new(),
    }
}

/// `KafkaPartition`
#[derive(Debug, Serialize)]
pub(super) struct Partition {
    kind: &'static str,
    metadata: Metadata,
    cluster_id: String,
    topic_name: String,
    partition_id: i32,
    leader: Option<Related>,
    replicas: Related,
    reassignment: Related,
}

/// A partition.
pub(super) fn partition(links: &Links, cluster: &str, topic: &str, partition: &PartitionDescription) -> Partition {
    let path = format!("/partitions/{}", partition.id);
    let under = |rest: &str| related(links.topic(cluster, topic, &format!("{path}{rest}")));
    Partition {
        kind: "KafkaPartition",
        metadata: Metadata {
            itself: links.topic(cluster, topic, &path),
            resource_name: crn(cluster, &format!("/topic={topic}/partition={}", partition.id)),
        },
        cluster_id: cluster.to_owned(),
        topic_name: topic.to_owned(),
        partition_id: partition.id,
        leader: partition.leader.map(|broker| under(&format!("/replicas/{broker}"))),
        replicas: under("/replicas"),
        reassignment: under("/reassignment"),
    }
}

/// `KafkaPartitionWithOffsets`
#[derive(Debug, Serialize)]
pub(super) struct Offsets {
    kind: &'static str,
    metadata: Metadata,
    cluster_id: String,
    topic_name: String,
    partition_id: i32,
    earliest_offset: i64,
    latest_offset: i64,
}

/// Offsets of a partition.
pub(super) fn offsets(links: &Links, cluster: &str, topic: &str, partition: i32, range: (i64, i64)) -> Offsets {
    let name = format!("/topic={topic}/partition={partition}/offset_type=earliest_and_latest");
    Offsets {
        kind: "KafkaPartitionWithOffsets",
        metadata: Metadata {
            itself: links.topic(cluster, topic, &format!("/partitions/{partition}/offset")),
            resource_name: crn(cluster, &name),
        },
        cluster_id: cluster.to_owned(),
        topic_name: topic.to_owned(),
        partition_id: partition,
        earliest_offset: range.0,
        latest_offset: range.1,
    }
}
