//! The in-process broker of `sluice dev`: real Kafka protocol on 127.0.0.1, nothing to install, nothing kept.
//!
//! Topics are made by the broker's own call, because it knows no CreateTopics. What it cannot do is refused at once
//! with [`AdminError::NOT_IN_DEV`] instead of timing out. It answers to the id [`DEV_CLUSTER_ID`], whatever it calls
//! itself, and reports no timestamps: its own are made up.
//!
//! Source: `rdkafka_mock.c`, librdkafka 2.12.1.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sluice_data_plane::cluster::{
    AdminError, Broker, ClusterDescription, ClusterHandle, IfMissing, NewTopic, TopicDescription,
};
use sluice_data_plane::{Administer, Deliveries};

use crate::admin::{self, is_unknown_topic};
use crate::client::{Alive, Core, Flavour};
use crate::config::KafkaSettings;
use crate::error::{self, Code, INVALID_TOPIC, LOCAL_STATE, NO_ERROR, UNKNOWN_TOPIC_OR_PARTITION};
use crate::ffi::{Mock, TopicMetadata};
use crate::metrics::KafkaMetrics;

/// The logical and physical id of the in-process broker.
pub const DEV_CLUSTER_ID: &str = "dev";

/// Its default for new topics, as a Kafka broker's.
const DEFAULT_PARTITIONS: i32 = 1;
/// More would be a mistake in a broker that allocates each at once.
const MOST_PARTITIONS: i32 = 10_000;
/// Consumer groups settle at once instead of after 3 s.
const REBALANCE_DELAY_MS: i32 = 0;

/// What an open cluster lets anybody do with a topic, in the order of the protocol's operation codes.
const ALL_OPERATIONS: &[&str] =
    &["READ", "WRITE", "CREATE", "DELETE", "ALTER", "DESCRIBE", "DESCRIBE_CONFIGS", "ALTER_CONFIGS"];

/// A running in-process broker. Clones share it; it stops with the last clone and the last handle.
#[derive(Clone)]
pub struct DevBroker {
    mock: Arc<Mock>,
}

impl DevBroker {
    /// Starts it, on a port that is free. Errors: a sentence.
    pub fn start() -> Result<DevBroker, String> {
        Ok(DevBroker { mock: Arc::new(Mock::start(1, REBALANCE_DELAY_MS)?) })
    }

    /// `host:port` for any Kafka client.
    pub fn bootstrap_servers(&self) -> String {
        self.mock.bootstrap_servers()
    }

    /// Default settings for it.
    pub fn settings(&self) -> KafkaSettings {
        let bootstrap = self.bootstrap_servers().split(',').map(str::to_owned).collect();
        KafkaSettings { node: "dev".to_owned(), ..KafkaSettings::new(DEV_CLUSTER_ID, bootstrap) }
    }

    /// A client of it, as [`connect`](crate::connect) makes one of a cluster. `settings` come from
    /// [`DevBroker::settings`]. Errors: every mistake in them, as sentences.
    pub fn connect(
        &self,
        settings: KafkaSettings,
        deliveries: Arc<dyn Deliveries>,
        metrics: &KafkaMetrics,
    ) -> Result<ClusterHandle, Vec<String>> {
        let mistakes = settings.validate();
        if !mistakes.is_empty() {
            return Err(mistakes);
        }
        let alive = Core::start(settings, Flavour::Dev, metrics).map_err(|said| vec![said])?;
        let admin = Arc::new(DevAdmin { alive: alive.clone(), mock: self.mock.clone() });
        Ok(crate::client::handle(alive, deliveries, admin))
    }
}

/// [`Administer`] from plain metadata and the broker's own calls.
struct DevAdmin {
    alive: Arc<Alive>,
    mock: Arc<Mock>,
}

impl DevAdmin {
    fn core(&self) -> &Arc<Core> {
        self.alive.core()
    }

    async fn topics(&self, timeout_ms: u64) -> Result<(Vec<Broker>, Vec<TopicMetadata>), AdminError> {
        let all = admin::all_topics(self.core(), Duration::from_millis(timeout_ms)).await?;
        let brokers = all
            .brokers
            .into_iter()
            .map(|(id, host, port)| Broker { id, host: Some(host), port: Some(port), rack: None })
            .collect();
        let mut topics = all.topics;
        topics.sort_by(|a, b| a.name.cmp(&b.name));
        Ok((brokers, topics))
    }
}

#[async_trait]
impl Administer for DevAdmin {
    async fn describe_cluster(&self, timeout_ms: u64) -> Result<ClusterDescription, AdminError> {
        let (brokers, _) = self.topics(timeout_ms).await?;
        Ok(ClusterDescription { cluster_id: DEV_CLUSTER_ID.to_owned(), controller: None, brokers })
    }

    async fn describe_topics(
        &self,
        names: Option<&[String]>,
        authorized_operations: bool,
        timeout_ms: u64,
    ) -> Result<Vec<Result<TopicDescription, AdminError>>, AdminError> {
        let (_, topics) = self.topics(timeout_ms).await?;
        let describe = |topic: &TopicMetadata| {
            if topic.code != NO_ERROR {
                return Err(error::admin_error(topic.code, None));
            }
            let operations = if authorized_operations { ALL_OPERATIONS } else { &[] };
            Ok(TopicDescription {
                name: topic.name.clone(),
                is_internal: false,
                partitions: topic.partitions.clone(),
                authorized_operations: operations.iter().map(|name| (*name).to_owned()).collect(),
            })
        };
        let Some(names) = names else {
            return Ok(topics
                .iter()
                .map(describe)
                .filter(|topic| !topic.as_ref().is_err_and(|error| is_unknown_topic(error.code)))
                .collect());
        };
        let find = |name: &String| match topics.iter().find(|topic| topic.name == *name) {
            Some(topic) => describe(topic),
            None => Err(error::admin_error(UNKNOWN_TOPIC_OR_PARTITION, None)),
        };
        Ok(names.iter().map(find).collect())
    }

    async fn create_topic(&self, topic: &NewTopic, timeout_ms: u64) -> Result<(), AdminError> {
        let (brokers, topics) = self.topics(timeout_ms).await?;
        let (partitions, replicas) = plan(topic, brokers.len(), topics.iter().map(|topic| topic.name.as_str()))?;
        if topic.validate_only {
            return Ok(());
        }
        let (mock, name) = (self.mock.clone(), topic.name.clone());
        let created = tokio::task::spawn_blocking(move || mock.create_topic(&name, partitions, replicas)).await;
        self.core().topics.forget(&topic.name);
        match created {
            Ok(result) => result.map_err(|code| error::admin_error(code, None)),
            Err(error) => Err(AdminError { code: LOCAL_STATE, message: error.to_string() }),
        }
    }

    async fn partitions_of(
        &self,
        topic: &str,
        if_missing: IfMissing,
        timeout_ms: u64,
    ) -> Result<Option<i32>, AdminError> {
        admin::partitions_of(self.core(), topic, if_missing, timeout_ms).await
    }
}

/// Partitions and replicas of a new topic, checked as a Kafka broker checks, in its words. Errors: those, or that dev
/// cannot do it.
fn plan<'t>(
    topic: &NewTopic,
    brokers: usize,
    mut existing: impl Iterator<Item = &'t str>,
) -> Result<(i32, i32), AdminError> {
    let refuse = |code: Code, message: String| Err(AdminError { code, message });
    let name = topic.name.as_str();
    let is_legal = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-');
    if name.is_empty() || matches!(name, "." | "..") || name.len() > 249 || !name.chars().all(is_legal) {
        return refuse(INVALID_TOPIC, error::text(INVALID_TOPIC));
    }
    let normal = |name: &str| name.replace('.', "_");
    match existing.find(|existing| normal(existing) == normal(name)) {
        Some(existing) if existing == name => return refuse(36, format!("Topic '{name}' already exists.")),
        Some(existing) => return refuse(17, format!("Topic '{name}' collides with existing topic: {existing}")),
        None => {}
    }
    if topic.assignments.is_some() {
        return Err(AdminError::not_in_dev("A topic with replica assignments"));
    }
    if !topic.configs.is_empty() {
        return Err(AdminError::not_in_dev("A topic with configs"));
    }
    let partitions = match topic.partitions {
        None | Some(-1) => DEFAULT_PARTITIONS,
        Some(partitions) if partitions < 1 => {
            return refuse(37, "Number of partitions was set to an invalid non-positive value.".to_owned());
        }
        Some(partitions) if partitions > MOST_PARTITIONS => {
            return refuse(44, "Excessively large number of partitions per request.".to_owned());
        }
        Some(partitions) => partitions,
    };
    let replicas = match topic.replication_factor {
        None | Some(-1) => 1,
        Some(factor) if factor < 1 => {
            let text = "Replication factor must be larger than 0, or -1 to use the default value.";
            return refuse(38, text.to_owned());
        }
        Some(factor) => i32::from(factor),
    };
    if usize::try_from(replicas).is_ok_and(|replicas| replicas > brokers) {
        let text = format!(
            "Unable to replicate the partition {replicas} time(s): The target replication factor of {replicas} cannot \
             be reached because only {brokers} broker(s) are registered or some brokers have all their log \
             directories cordoned."
        );
        return refuse(38, text);
    }
    Ok((partitions, replicas))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn topic(name: &str) -> NewTopic {
        NewTopic { name: name.into(), ..NewTopic::default() }
    }

    fn planned(topic: &NewTopic) -> Result<(i32, i32), (Code, String)> {
        plan(topic, 1, ["x.y", "old"].into_iter()).map_err(|error| (error.code, error.message))
    }

    #[test]
    fn a_topic_without_counts_gets_the_broker_s_defaults() {
        assert_eq!(planned(&topic("new")), Ok((1, 1)));
        let with_minus_one = NewTopic { partitions: Some(-1), replication_factor: Some(-1), ..topic("new") };
        assert_eq!(planned(&with_minus_one), Ok((1, 1)));
        assert_eq!(planned(&NewTopic { partitions: Some(6), ..topic("new") }), Ok((6, 1)));
    }

    /// Texts as recorded from a Kafka broker.
    #[test]
    fn mistakes_are_told_as_a_kafka_broker_tells_them() {
        let table = [
            (topic("old"), 36, "Topic 'old' already exists."),
            (topic("x_y"), 17, "Topic 'x_y' collides with existing topic: x.y"),
            (topic("a b"), 17, "The request attempted to perform an operation on an invalid topic."),
            (
                NewTopic { partitions: Some(0), ..topic("new") },
                37,
                "Number of partitions was set to an invalid non-positive value.",
            ),
            (
                NewTopic { replication_factor: Some(0), ..topic("new") },
                38,
                "Replication factor must be larger than 0, or -1 to use the default value.",
            ),
            (
                NewTopic { replication_factor: Some(99), ..topic("new") },
                38,
                "Unable to replicate the partition 99 time(s): The target replication factor of 99 cannot be reached \
                 because only 1 broker(s) are registered or some brokers have all their log directories cordoned.",
            ),
        ];
        for (topic, code, text) in table {
            assert_eq!(planned(&topic), Err((code, text.to_owned())), "{topic:?}");
        }
    }

    #[test]
    fn what_dev_cannot_do_is_said_at_once() {
        let configs = NewTopic { configs: vec![("retention.ms".into(), Some("1".into()))], ..topic("new") };
        let assigned = NewTopic { assignments: Some(vec![(0, vec![1])]), ..topic("new") };
        for topic in [configs, assigned] {
            let (code, text) = planned(&topic).unwrap_err();
            assert_eq!(code, AdminError::NOT_IN_DEV);
            assert!(text.ends_with("is not available in dev"), "{text}");
        }
    }
}
