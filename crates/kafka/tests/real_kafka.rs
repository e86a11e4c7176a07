//! Real Kafka passes the suite of every cluster; and what only real Kafka has: texts, controllers, several clusters.
//!
//! Needs two clusters: `make test` brings them up and sets `SLUICE_TEST_BOOTSTRAP_SERVERS` to `host:port,host:port`, one
//! bootstrap server of each.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus::Registry;
use sluice_data_plane::cluster::{IfMissing, NewTopic};
use sluice_data_plane::conformance::{Inbox, Subject, failed};
use sluice_data_plane::{Cause, Lane, Persistence};
use sluice_kafka::{KafkaMetrics, KafkaSettings, connect};

/// Bootstrap servers of cluster `number`.
fn bootstrap(number: usize) -> String {
    let servers = std::env::var("SLUICE_TEST_BOOTSTRAP_SERVERS").unwrap_or_default();
    match servers.split(',').filter(|server| !server.is_empty()).nth(number) {
        Some(server) => server.to_owned(),
        None => panic!(
            "SLUICE_TEST_BOOTSTRAP_SERVERS={servers:?} must name a server of each of two Kafka clusters: run make test"
        ),
    }
}

fn subject(number: usize, change: impl FnOnce(KafkaSettings) -> KafkaSettings) -> Subject {
    let inbox = Arc::new(Inbox::default());
    let metrics = KafkaMetrics::register(&Registry::new()).unwrap();
    let settings = KafkaSettings::new(format!("cluster-{number}"), vec![bootstrap(number)]);
    let cluster = connect(change(settings), inbox.clone(), &metrics).unwrap();
    Subject::new(cluster, inbox)
}

async fn kafka() -> Subject {
    subject(0, |settings| settings)
}

sluice_data_plane::cluster_conformance!(kafka());

/// Waits for the id that a cluster says it has.
async fn id(subject: &Subject) -> String {
    subject.cluster.admin.describe_cluster(20_000).await.unwrap().cluster_id
}

#[tokio::test(flavor = "multi_thread")]
async fn two_clusters_have_two_ids_and_keep_their_topics_apart() {
    let (one, two) = (subject(0, |settings| settings), subject(1, |settings| settings));
    assert_ne!(id(&one).await, id(&two).await);
    let topic = one.topic(1).await;
    assert_eq!(one.write(&topic, b"x").await, 0);
    assert_eq!(two.cluster.admin.partitions_of(&topic, IfMissing::Report, 10_000).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_names_its_controller() {
    let described = kafka().await.cluster.admin.describe_cluster(20_000).await.unwrap();
    let controller = described.controller.unwrap();
    assert!(described.brokers.iter().any(|broker| broker.id == controller), "{described:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_expected_id_lets_records_through_and_another_does_not() {
    let found = id(&kafka().await).await;
    let right = subject(0, |settings| KafkaSettings { expected_id: Some(found), ..settings });
    let topic = right.topic(1).await;
    assert_eq!(right.cluster.admin.partitions_of(&topic, IfMissing::Report, 10_000).await.unwrap(), Some(1));
    assert_eq!(right.write(&topic, b"x").await, 0);
    let wrong = subject(1, |settings| KafkaSettings { expected_id: Some("another".into()), ..settings });
    assert!(wrong.cluster.admin.partitions_of("t", IfMissing::Report, 10_000).await.is_err());
    let record = sluice_data_plane::conformance::to(&topic, None, None, Some(b"x"));
    let token = wrong.send(Lane::Pinned, &record).await;
    let (persistence, cause, _, text) = failed(wrong.inbox.outcome(token).await);
    assert_eq!((persistence, cause), (Persistence::SurelyNot, Cause::Cluster));
    assert!(text.starts_with("cluster id mismatch"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_a_new_topic_come_with_the_brokers_words() {
    let kafka = kafka().await;
    let topic = |change: fn(NewTopic) -> NewTopic| change(NewTopic { name: kafka.name("t"), ..NewTopic::default() });
    let unknown_config = topic(|new| NewTopic { configs: vec![("no.such.config".into(), Some("1".into()))], ..new });
    let wrong_config = topic(|new| NewTopic { configs: vec![("retention.ms".into(), Some("soon".into()))], ..new });
    let no_value = topic(|new| NewTopic { configs: vec![("retention.ms".into(), None)], ..new });
    let unknown_broker = topic(|new| NewTopic { assignments: Some(vec![(0, vec![987_654])]), ..new });
    let no_broker = topic(|new| NewTopic { assignments: Some(vec![(0, vec![])]), ..new });
    let huge = topic(|new| NewTopic { partitions: Some(20_000), ..new });
    let table = [
        (unknown_config, 40, "Unknown topic config name: no.such.config"),
        (wrong_config, 40, "Invalid value soon for configuration retention.ms: Not a number of type LONG"),
        (no_value, 40, "Null value not supported for topic configs: retention.ms"),
        (
            unknown_broker,
            39,
            "The manual partition assignment includes broker 987654, but no such broker is registered.",
        ),
        (no_broker, 39, "The manual partition assignment includes an empty replica list."),
        (huge, 44, "Excessively large number of partitions per request."),
    ];
    for (new, code, text) in table {
        let error = kafka.cluster.admin.create_topic(&new, 20_000).await.unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (code, text), "{new:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn configs_and_assignments_are_followed() {
    let kafka = kafka().await;
    let broker = kafka.cluster.admin.describe_cluster(20_000).await.unwrap().brokers[0].id;
    let new = NewTopic {
        name: kafka.name("t"),
        assignments: Some(vec![(1, vec![broker]), (0, vec![broker])]),
        configs: vec![("max.message.bytes".into(), Some("1000".into()))],
        ..NewTopic::default()
    };
    kafka.cluster.admin.create_topic(&new, 20_000).await.unwrap();
    let described =
        kafka.cluster.admin.describe_topics(Some(std::slice::from_ref(&new.name)), false, 20_000).await.unwrap();
    let topic = described[0].clone().unwrap();
    assert_eq!(topic.partitions.iter().map(|partition| partition.replicas.clone()).collect::<Vec<_>>(), [[broker]; 2]);
    // and the broker's limit is the record's fault
    let value = vec![b'x'; 2_000];
    let record = sluice_data_plane::conformance::to(&new.name, Some(0), None, Some(&value));
    let token = kafka.send(Lane::Pinned, &record).await;
    let (persistence, cause, code, text) = failed(kafka.inbox.outcome(token).await);
    assert_eq!((persistence, cause, code), (Persistence::SurelyNot, Cause::Record, 10));
    assert_eq!(text, "The request included a message larger than the max message size the server will accept.");
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_for_names_without_end_costs_the_client_nothing_lasting() {
    let kafka = kafka().await;
    let asked = Instant::now();
    for number in 0..300 {
        let name = kafka.name(&format!("missing-{number}"));
        assert_eq!(kafka.cluster.admin.partitions_of(&name, IfMissing::Report, 20_000).await.unwrap(), None);
    }
    assert!(asked.elapsed() < Duration::from_secs(20), "{:?}", asked.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_creates_topics_does_so_only_when_asked_to() {
    let kafka = kafka().await;
    let name = kafka.name("t");
    let ask = |if_missing| kafka.cluster.admin.partitions_of(&name, if_missing, 5_000);
    assert_eq!(ask(IfMissing::Report).await.unwrap(), None);
    // what the broker's own auto.create.topics.enable says
    let made = ask(IfMissing::BrokerMayCreate).await.unwrap();
    assert_eq!(ask(IfMissing::Report).await.unwrap(), made);
    if made.is_some() {
        assert_eq!(kafka.write(&name, b"x").await, 0);
    }
}
