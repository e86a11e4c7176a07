//! The in-process broker passes the suite of every cluster, and says what it cannot do.
#![allow(clippy::unwrap_used)]

use std::sync::Arc;

use prometheus::Registry;
use sluice_data_plane::cluster::{AdminError, IfMissing, NewTopic};
use sluice_data_plane::conformance::{Inbox, Subject};
use sluice_kafka::{DEV_CLUSTER_ID, DevBroker, KafkaMetrics};

async fn dev() -> Subject {
    let broker = DevBroker::start().unwrap();
    let inbox = Arc::new(Inbox::default());
    let metrics = KafkaMetrics::register(&Registry::new()).unwrap();
    let cluster = broker.connect(broker.settings(), inbox.clone(), &metrics).unwrap();
    Subject::new(cluster, inbox)
}

sluice_data_plane::cluster_conformance!(dev());

#[tokio::test]
async fn it_answers_to_the_id_dev() {
    let dev = dev().await;
    assert_eq!(dev.cluster.kafka_id.get().map(|id| &**id), Some(DEV_CLUSTER_ID));
    let described = dev.cluster.admin.describe_cluster(5_000).await.unwrap();
    assert_eq!((described.cluster_id.as_str(), described.controller), ("dev", None));
}

#[tokio::test]
async fn an_undeclared_topic_is_made_only_for_one_who_may() {
    let dev = dev().await;
    let ask = |if_missing| dev.cluster.admin.partitions_of("new", if_missing, 5_000);
    assert_eq!(ask(IfMissing::Report).await.unwrap(), None);
    assert_eq!(ask(IfMissing::BrokerMayCreate).await.unwrap(), Some(4));
    assert_eq!(ask(IfMissing::Report).await.unwrap(), Some(4));
    assert_eq!(dev.write("new", b"x").await, 0);
}

#[tokio::test]
async fn topic_configs_are_refused_at_once() {
    let dev = dev().await;
    let topic = NewTopic {
        name: "t".into(),
        configs: vec![("retention.ms".into(), Some("1000".into()))],
        ..NewTopic::default()
    };
    let error = dev.cluster.admin.create_topic(&topic, 5_000).await.unwrap_err();
    assert_eq!(error, AdminError::not_in_dev("A topic with configs"));
    assert_eq!(error.message, "A topic with configs is not available in dev");
}
