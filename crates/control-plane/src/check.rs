//! Checks across objects: names that must exist, must be unique, must fit each other. Codes as in
//! `docs/control-plane-files.md`.

use std::collections::HashMap;

use sluice_data_plane::route::Balance;

use crate::model::*;
use crate::problem::{Level, Position, Problem, Problems, nearest};

/// The objects of all files, by kind.
#[derive(Debug, Default)]
pub(crate) struct Objects {
    pub(crate) clusters: Vec<ClusterSpec>,
    pub(crate) groups: Vec<ClusterGroupSpec>,
    pub(crate) topics: Vec<TopicSpec>,
}

/// Reports everything that does not fit. `implicit` are clusters named by the configuration.
pub(crate) fn check(objects: &Objects, implicit: &[&str], problems: &mut Problems) {
    let mut found = Found { problems };
    let clusters = clusters(objects, implicit, &mut found);
    groups(objects, &clusters, &mut found);
    topics(objects, &clusters, &mut found);
}

struct Found<'a> {
    problems: &'a mut Problems,
}

impl Found<'_> {
    fn add(
        &mut self,
        level: Level,
        code: &'static str,
        origin: &Origin,
        pointer: &str,
        message: String,
    ) -> &mut Problem {
        let index = self.problems.0.len();
        self.problems.0.push(Problem {
            file: origin.file.clone(),
            at: origin.at,
            pointer: pointer.to_owned(),
            code,
            level,
            message,
            hint: None,
        });
        &mut self.problems.0[index]
    }

    fn error(&mut self, code: &'static str, origin: &Origin, pointer: &str, message: String) -> &mut Problem {
        self.add(Level::Error, code, origin, pointer, message)
    }
}

fn clusters<'o>(
    objects: &'o Objects,
    implicit: &[&'o str],
    found: &mut Found<'_>,
) -> HashMap<&'o str, Option<&'o ClusterSpec>> {
    let mut known: HashMap<&str, Option<&ClusterSpec>> = implicit.iter().map(|name| (*name, None)).collect();
    let mut ids: HashMap<&str, &ClusterSpec> = HashMap::new();
    for cluster in &objects.clusters {
        match known.insert(&cluster.name, Some(cluster)) {
            None => {}
            Some(Some(first)) => {
                let message =
                    format!("cluster {:?} is declared twice, first in {}", cluster.name, place(&first.origin));
                found.error("C006", &cluster.origin, "/metadata/name", message);
            }
            Some(None) => {
                let message = format!("cluster {:?} is the one that the configuration names already", cluster.name);
                found.error("C006", &cluster.origin, "/metadata/name", message);
            }
        }
        if let Some(id) = &cluster.kafka_cluster_id
            && let Some(first) = ids.insert(id, cluster)
        {
            let message = format!("cluster {:?} has this id already", first.name);
            found.error("C007", &cluster.origin, "/spec/kafka-cluster-id", message);
        }
    }
    known
}

fn groups(objects: &Objects, clusters: &HashMap<&str, Option<&ClusterSpec>>, found: &mut Found<'_>) {
    let mut ids: HashMap<&str, &ClusterGroupSpec> = HashMap::new();
    let mut default: Option<&ClusterGroupSpec> = None;
    for group in &objects.groups {
        if let Some(first) = ids.insert(&group.id, group) {
            let message = format!("id {:?} belongs to group {:?} already", group.id, first.name);
            found.error("C011", &group.origin, "/spec/id", message);
        }
        let physical = objects.clusters.iter().any(|cluster| cluster.kafka_cluster_id.as_deref() == Some(&group.id));
        if clusters.contains_key(&*group.id) || physical {
            let message = format!("id {:?} is also a cluster's: a path could mean either", group.id);
            found.error("C011", &group.origin, "/spec/id", message);
        }
        for (index, member) in group.members.iter().enumerate() {
            if !clusters.contains_key(&**member) {
                unknown_cluster(member, clusters, "C012", &group.origin, &format!("/spec/members/{index}"), found);
            } else if group.members[..index].contains(member) {
                let message = format!("cluster {member:?} stands twice");
                found.error("C012", &group.origin, &format!("/spec/members/{index}"), message);
            }
        }
        if group.is_default
            && let Some(first) = default.replace(group)
        {
            let message = format!("group {:?} is the default already", first.name);
            found.error("C013", &group.origin, "/spec/default", message);
        }
    }
}

fn topics(objects: &Objects, clusters: &HashMap<&str, Option<&ClusterSpec>>, found: &mut Found<'_>) {
    let mut names: HashMap<String, (&TopicSpec, bool)> = HashMap::new();
    let mut metric_names: HashMap<String, &TopicSpec> = HashMap::new();
    for topic in &objects.topics {
        for (name, is_variant) in std::iter::once((topic.name.clone(), false))
            .chain(topic.dev_variant_suffix.iter().map(|suffix| (format!("{}{suffix}", topic.name), true)))
        {
            if name.len() > 249 {
                let message = format!("with its suffix the name has {} characters, more than 249", name.len());
                found.error("T001", &topic.origin, "/spec/dev-variant-suffix", message);
            }
            if let Some((first, _)) = names.insert(name.clone(), (topic, is_variant)) {
                let message = format!("topic {name:?} is declared already in {}", place(&first.origin));
                found.error("T002", &topic.origin, "/metadata/name", message);
            }
        }
        if let Some(first) = metric_names.insert(topic.name.replace('.', "_"), topic)
            && first.name != topic.name
        {
            let message = format!("collides with {:?} in Kafka's metrics: `.` and `_` are the same there", first.name);
            found.error("T001", &topic.origin, "/metadata/name", message);
        }
        topic_clusters(topic, clusters, found);
        topic_balance(topic, found);
    }
}

fn topic_clusters(topic: &TopicSpec, clusters: &HashMap<&str, Option<&ClusterSpec>>, found: &mut Found<'_>) {
    for (index, cluster) in topic.clusters.iter().enumerate() {
        let pointer = format!("/spec/clusters/{index}/name");
        let origin = Origin { file: topic.origin.file.clone(), at: cluster.at };
        match clusters.get(&*cluster.name) {
            None => unknown_cluster(&cluster.name, clusters, "T003", &origin, &pointer, found),
            Some(Some(spec)) if spec.state != ClusterState::Ready => {
                let message = format!("cluster {:?} is not ready: {:?}", cluster.name, spec.state).to_lowercase();
                found.error("T003", &origin, &pointer, message);
            }
            Some(_) => {}
        }
    }
    if topic.balance != Balance::Na
        && let Some(regions) = topic
            .clusters
            .iter()
            .map(|cluster| clusters.get(&*cluster.name).copied().flatten()?.labels.get("region"))
            .collect::<Option<Vec<_>>>()
        && topic.clusters.len() > 1
        && regions.windows(2).all(|pair| pair[0] == pair[1])
    {
        let message = "all clusters are in one region: no protection from its outage".to_owned();
        found.add(Level::Warning, "T013", &topic.origin, "/spec/clusters", message);
    }
}

fn topic_balance(topic: &TopicSpec, found: &mut Found<'_>) {
    let several = topic.clusters.len() > 1;
    if topic.balance != Balance::Na && !several {
        let message = "needs more than one cluster".to_owned();
        found.error("T004", &topic.origin, "/spec/load-balancing", message).hint = Some("use `na`".to_owned());
    }
    if topic.balance == Balance::Na && several {
        let message = "`na` uses the first cluster only".to_owned();
        found.add(Level::Warning, "T006", &topic.origin, "/spec/load-balancing", message);
    }
    if several && topic.ordering.is_none() {
        let message = "must be written for a topic on several clusters".to_owned();
        found.error("T005", &topic.origin, "/spec/ordering", message).hint = Some("none, key or strict".to_owned());
    }
    let coordinated = topic.failover.as_ref().is_some_and(|failover| failover.mode == "coordinated");
    let all_acks = topic.replicate.as_ref().is_some_and(|replicate| replicate.min_acks.is_none());
    let clash = match (topic.ordering, topic.balance) {
        (Some(Ordering::Strict), Balance::Failover | Balance::RoundRobin) => Some("`strict` never moves"),
        (Some(Ordering::Strict), Balance::Replicate) if !all_acks => Some("`strict` needs `min-acks: all`"),
        (Some(Ordering::Key), Balance::Failover) if !coordinated => Some("`key` moves in a coordinated switch only"),
        (Some(Ordering::Key), Balance::RoundRobin) => Some("`key` cannot be spread by round robin"),
        _ => None,
    };
    if let Some(clash) = clash {
        found.error("T005", &topic.origin, "/spec/ordering", clash.to_owned()).hint =
            Some("`failover: {mode: coordinated}` keeps the order of keys".to_owned());
    }
    for (block, present, wanted) in [
        ("failover", topic.failover.is_some(), Balance::Failover),
        ("replicate", topic.replicate.is_some(), Balance::Replicate),
    ] {
        if present && topic.balance != wanted {
            let message = format!("only with `load-balancing: {block}`");
            found.error("T005", &topic.origin, &format!("/spec/{block}"), message);
        }
    }
    if let Some(acks) = topic.replicate.as_ref().and_then(|replicate| replicate.min_acks)
        && acks as usize > topic.clusters.len()
    {
        let message = format!("{acks} acknowledgements of {} clusters", topic.clusters.len());
        found.error("T005", &topic.origin, "/spec/replicate/min-acks", message);
    }
    if let (Some(min_isr), Some(replicas)) = (topic.config.min_insync_replicas, topic.replication_factor) {
        if min_isr > replicas {
            let message = format!("min-insync-replicas {min_isr} can never be met by {replicas} replicas");
            found.error("T007", &topic.origin, "/spec/config/min-insync-replicas", message);
        } else if min_isr == replicas && replicas > 1 {
            let message = "one broker down stops all writes".to_owned();
            found.add(Level::Warning, "T007", &topic.origin, "/spec/config/min-insync-replicas", message);
        }
    }
    if topic.balance == Balance::Failover && topic.config.retention_ms.is_some_and(|ms| (0..600_000).contains(&ms)) {
        let message = "records on the standby may vanish before they are read: at least 10m".to_owned();
        found.error("T016", &topic.origin, "/spec/config/retention", message);
    }
}

fn unknown_cluster(
    name: &str,
    clusters: &HashMap<&str, Option<&ClusterSpec>>,
    code: &'static str,
    origin: &Origin,
    pointer: &str,
    found: &mut Found<'_>,
) {
    let mut known: Vec<&str> = clusters.keys().copied().collect();
    known.sort_unstable();
    let hint = match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean {meant:?}?"),
        None => format!("declared clusters: {}", known.join(", ")),
    };
    found.error(code, origin, pointer, format!("cluster {name:?} is not declared")).hint = Some(hint);
}

fn place(origin: &Origin) -> String {
    let Position { line, .. } = origin.at;
    format!("{}:{line}", origin.file)
}
