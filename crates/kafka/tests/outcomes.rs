//! Outcome honesty: each way in which a cluster fails gives "surely not" or "maybe" as measured, in the time measured,
//! and never the other.
//!
//! A broker in this process is told to fail; what librdkafka makes of it is what the outcome table of the design says.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

use prometheus::Registry;
use rdkafka::bindings::rd_kafka_resp_err_t as Errors;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::RDKafkaApiKey;
use sluice_data_plane::cluster::ClusterHandle;
use sluice_data_plane::conformance::{Inbox, failed, next_token, to, written};
use sluice_data_plane::{Cause, Lane, LocalFull, Outcome, Persistence, Record, Token};
use sluice_kafka::{KafkaMetrics, KafkaSettings, Profile, connect};

const TOPIC: &str = "t";

type Mock = MockCluster<'static, DefaultProducerContext>;

/// A broker that can be told to fail, and a client of it.
struct Failing {
    mock: Mock,
    client: Client,
}

struct Client {
    cluster: ClusterHandle,
    inbox: Arc<Inbox>,
}

impl Client {
    fn of(settings: KafkaSettings) -> Client {
        let inbox = Arc::new(Inbox::default());
        let metrics = KafkaMetrics::register(&Registry::new()).unwrap();
        let cluster = connect(settings, inbox.clone(), &metrics).unwrap();
        Client { cluster, inbox }
    }

    fn send(&self, lane: Lane) -> Token {
        let token = next_token();
        self.cluster.produce.enqueue(lane, &to(TOPIC, Some(0), None, Some(b"value")), token).unwrap();
        token
    }

    /// Sends to a topic whose file may say how long the pinned lane tries.
    fn send_within(&self, message_timeout_ms: Option<u32>) -> Result<Token, LocalFull> {
        let token = next_token();
        let record = Record { message_timeout_ms, ..to(TOPIC, Some(0), None, Some(b"value")) };
        self.cluster.produce.enqueue(Lane::Pinned, &record, token).map(|()| token)
    }

    /// The same once the lane takes it: after a change it first waits for the outcomes of what it has.
    async fn taken_within(&self, message_timeout_ms: Option<u32>) -> (Token, Instant) {
        loop {
            let sent = Instant::now();
            match self.send_within(message_timeout_ms) {
                Ok(token) => return (token, sent),
                Err(LocalFull) => tokio::time::sleep(Duration::from_millis(5)).await,
            }
        }
    }

    /// The outcome of such a record, and how long it took once it was taken.
    async fn outcome_within(&self, message_timeout_ms: u32) -> (Outcome, Duration) {
        let (token, sent) = self.taken_within(Some(message_timeout_ms)).await;
        (self.inbox.outcome(token).await, sent.elapsed())
    }

    /// The outcome of a new record, and how long it took.
    async fn outcome(&self, lane: Lane) -> (Outcome, Duration) {
        let sent = Instant::now();
        let token = self.send(lane);
        (self.inbox.outcome(token).await, sent.elapsed())
    }

    /// Writes until a record is written: a cold lane of a loaded machine may take longer than its timeout.
    async fn warm(&self, lane: Lane) {
        let began = Instant::now();
        while let failed @ Outcome::Failed { .. } = self.outcome(lane).await.0 {
            assert!(began.elapsed() < Duration::from_secs(20), "{failed:?}");
        }
    }

    async fn becomes(&self, is_connected: bool) {
        let deadline = Instant::now() + Duration::from_secs(20);
        while self.cluster.health.get().is_connected != is_connected {
            assert!(Instant::now() < deadline, "{:?}", self.cluster.health.get());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

impl Failing {
    fn start() -> Failing {
        Failing::with(|settings| settings)
    }

    fn with(change: impl FnOnce(KafkaSettings) -> KafkaSettings) -> Failing {
        let mock = MockCluster::new(1).unwrap();
        mock.create_topic(TOPIC, 1, 1).unwrap();
        let settings = KafkaSettings::new("failing", vec![mock.bootstrap_servers()]);
        Failing { client: Client::of(change(settings)), mock }
    }

    /// A lane that has written already: connected, with metadata and producer id.
    async fn warm(lane: Lane) -> Failing {
        let failing = Failing::start();
        failing.client.warm(lane).await;
        failing
    }

    fn refuse_produce(&self, error: Errors) {
        self.mock.request_errors(RDKafkaApiKey::Produce, &[error; 200]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn all_brokers_down_is_surely_not_written_after_the_lanes_timeout() {
    let failing = Failing::warm(Lane::Redirectable).await;
    failing.mock.broker_down(-1).unwrap();
    let (outcome, took) = failing.client.outcome(Lane::Redirectable).await;
    let (persistence, cause, code, _) = failed(outcome);
    assert_eq!((persistence, cause, code), (Persistence::SurelyNot, Cause::Cluster, -192));
    assert!((900..2_500).contains(&took.as_millis()), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_never_answers_leaves_it_open_whether_the_record_is_written() {
    let failing = Failing::warm(Lane::Redirectable).await;
    failing.mock.broker_round_trip_time(-1, Duration::from_secs(20)).unwrap();
    let (outcome, took) = failing.client.outcome(Lane::Redirectable).await;
    let (persistence, cause, _, _) = failed(outcome);
    assert_eq!((persistence, cause), (Persistence::Maybe, Cause::Cluster));
    assert!(took < Duration::from_secs(4), "{took:?}");
}

/// The pinned lane's own patience is half a minute.
#[tokio::test(flavor = "multi_thread")]
async fn a_topics_own_timeout_ends_its_records_and_no_others() {
    let failing = Failing::start();
    failing.mock.create_topic("patient", 1, 1).unwrap();
    let patient = |token| {
        let record = to("patient", Some(0), None, Some(b"value"));
        failing.client.cluster.produce.enqueue(Lane::Pinned, &record, token).unwrap();
        token
    };
    written(failing.client.inbox.outcome(patient(next_token())).await);
    // the first record finds a warm producer, but a topic that is new to it
    written(failing.client.outcome_within(5_000).await.0);
    failing.mock.broker_down(-1).unwrap();
    failing.client.becomes(false).await;
    let waits = patient(next_token());
    let (outcome, took) = failing.client.outcome_within(5_000).await;
    let (persistence, cause, code, _) = failed(outcome);
    assert_eq!((persistence, cause, code), (Persistence::SurelyNot, Cause::Cluster, -192));
    assert!((4_900..6_500).contains(&took.as_millis()), "{took:?}");
    assert_eq!(failing.client.inbox.count(waits), 0, "the other topic's record is tried on");
    failing.mock.broker_up(-1).unwrap();
    written(failing.client.inbox.outcome(waits).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topics_own_timeout_leaves_it_open_whether_a_sent_record_is_written() {
    let failing = Failing::start();
    written(failing.client.outcome_within(3_000).await.0);
    failing.mock.broker_round_trip_time(-1, Duration::from_secs(20)).unwrap();
    let (outcome, took) = failing.client.outcome_within(3_000).await;
    let (persistence, cause, _, _) = failed(outcome);
    assert_eq!((persistence, cause), (Persistence::Maybe, Cause::Cluster));
    assert!(took < Duration::from_secs(6), "{took:?}");
}

/// librdkafka keeps what a topic was opened with as long as its producer lives: a reload must not be lost on it.
#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_that_changes_holds_for_the_next_record() {
    let failing = Failing::warm(Lane::Pinned).await;
    written(failing.client.outcome_within(3_000).await.0);
    failing.mock.broker_down(-1).unwrap();
    failing.client.becomes(false).await;
    let (outcome, took) = failing.client.outcome_within(3_000).await;
    assert_eq!(failed(outcome).0, Persistence::SurelyNot);
    assert!(took < Duration::from_secs(5), "{took:?}");
    // back to the lane's own: tried until the broker is there again
    let (token, _) = failing.client.taken_within(None).await;
    failing.mock.broker_up(-1).unwrap();
    written(failing.client.inbox.outcome(token).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_that_changes_keeps_the_order_of_records() {
    let failing = Failing::warm(Lane::Pinned).await;
    failing.mock.broker_round_trip_time(-1, Duration::from_millis(500)).unwrap();
    let first = failing.client.send(Lane::Pinned);
    assert_eq!(failing.client.send_within(Some(20_000)), Err(LocalFull), "the first has no outcome yet");
    let (second, _) = failing.client.outcome_within(20_000).await;
    assert_eq!(failing.client.inbox.count(first), 1, "the second was taken after the first's outcome");
    let (_, first) = written(failing.client.inbox.outcome(first).await);
    assert_eq!(written(second), (0, first + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_timeout_shorter_than_records_linger_is_lengthened() {
    let failing = Failing::with(|settings| KafkaSettings { profile: Profile::Bulk, ..settings });
    failing.client.warm(Lane::Pinned).await;
    // Too short for anything, but no mistake: what comes of it is said honestly.
    match failing.client.outcome_within(1).await.0 {
        Outcome::Written { .. } => {}
        Outcome::Failed { cause, .. } => assert_eq!(cause, Cause::Cluster),
    }
}

/// Rows of errors that the broker answers every try with: what they say, and within what time.
#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_refuses_every_try_is_reported_by_its_own_code() {
    use Persistence::{Maybe, SurelyNot};
    let table = [
        // retried three times: the code within a second
        (Errors::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, SurelyNot, Cause::Cluster, 2_000),
        (Errors::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, Maybe, Cause::Cluster, 2_000),
        (Errors::RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, Maybe, Cause::Cluster, 2_000),
        // not retried at all
        (Errors::RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, SurelyNot, Cause::Authorization, 500),
        (Errors::RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE, SurelyNot, Cause::Record, 500),
        (Errors::RD_KAFKA_RESP_ERR_INVALID_RECORD, SurelyNot, Cause::Record, 500),
        (Errors::RD_KAFKA_RESP_ERR_POLICY_VIOLATION, SurelyNot, Cause::Record, 500),
    ];
    for (error, persistence, cause, within_ms) in table {
        let failing = Failing::warm(Lane::Pinned).await;
        failing.refuse_produce(error);
        let (outcome, took) = failing.client.outcome(Lane::Pinned).await;
        let (found, whose, code, _) = failed(outcome);
        assert_eq!((found, whose, code), (persistence, cause, error as i32), "{error:?}");
        assert!(took < Duration::from_millis(within_ms), "{error:?}: {took:?}");
        // and the producer goes on; what librdkafka remembers of a denied topic is asked for again
        failing.mock.clear_request_errors(RDKafkaApiKey::Produce);
        let cleared = Instant::now();
        while let Outcome::Failed { .. } = failing.client.outcome(Lane::Pinned).await.0 {
            assert!(cleared.elapsed() < Duration::from_secs(3), "{error:?}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_partition_without_a_leader_is_surely_not_written() {
    let failing = Failing::warm(Lane::Redirectable).await;
    failing.refuse_produce(Errors::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION);
    let (outcome, took) = failing.client.outcome(Lane::Redirectable).await;
    assert_eq!(failed(outcome).0, Persistence::SurelyNot);
    assert!(took < Duration::from_secs(3), "{took:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_short_failure_is_ridden_out() {
    for error in [
        Errors::RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
        Errors::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS,
        Errors::RD_KAFKA_RESP_ERR__TRANSPORT, // the broker closes the connection
    ] {
        let failing = Failing::warm(Lane::Pinned).await;
        failing.mock.request_errors(RDKafkaApiKey::Produce, &[error; 2]);
        assert_eq!(written(failing.client.outcome(Lane::Pinned).await.0).0, 0, "{error:?}");
    }
}

/// The backstop behind the question that is asked before the first record.
#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_not_there_is_surely_not_written() {
    let failing = Failing::start();
    let token = next_token();
    let record = to("missing", None, None, Some(b"x"));
    failing.client.cluster.produce.enqueue(Lane::Pinned, &record, token).unwrap();
    let (persistence, cause, _, _) = failed(failing.client.inbox.outcome(token).await);
    assert_eq!((persistence, cause), (Persistence::SurelyNot, Cause::UnknownTopic));
}

#[tokio::test(flavor = "multi_thread")]
async fn health_follows_the_cluster_at_once() {
    let failing = Failing::warm(Lane::Pinned).await;
    failing.client.becomes(true).await;
    let down = Instant::now();
    failing.mock.broker_down(-1).unwrap();
    failing.client.becomes(false).await;
    let took = down.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert!(failing.client.cluster.health.get().last_error.is_some());
    failing.mock.broker_up(-1).unwrap();
    failing.client.becomes(true).await;
    written(failing.client.outcome(Lane::Pinned).await.0);
}

/// A port where nobody listens.
fn nowhere() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_starts_while_the_cluster_is_down_and_says_why_records_fail() {
    let started = Instant::now();
    let client = Client::of(KafkaSettings::new("away", vec![nowhere()]));
    assert!(started.elapsed() < Duration::from_secs(1), "{:?}", started.elapsed());
    let (persistence, cause, _, text) = failed(client.outcome(Lane::Redirectable).await.0);
    assert_eq!((persistence, cause), (Persistence::SurelyNot, Cause::Cluster));
    assert!(text.contains("Connection refused"), "{text}");
    client.becomes(false).await;
    assert!(client.cluster.kafka_id.get().is_none());
    let error = client.cluster.admin.describe_cluster(300).await.unwrap_err();
    assert!(error.message.contains("Connection refused"), "{error:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_gives_up_on_queued_records_as_surely_not_written() {
    let failing = Failing::warm(Lane::Pinned).await;
    failing.mock.broker_down(-1).unwrap();
    failing.client.becomes(false).await;
    let tokens: Vec<_> = (0..20).map(|_| failing.client.send(Lane::Pinned)).collect();
    let began = Instant::now();
    assert_eq!(failing.client.cluster.produce.shut_down(100).await, 20);
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    for token in tokens {
        assert_eq!(failing.client.inbox.count(token), 1);
        assert_eq!(failed(failing.client.inbox.outcome(token).await).0, Persistence::SurelyNot);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_end_gives_up_on_sent_records_as_maybe_written() {
    let failing = Failing::warm(Lane::Pinned).await;
    failing.mock.broker_round_trip_time(-1, Duration::from_secs(20)).unwrap();
    let token = failing.client.send(Lane::Pinned);
    assert_eq!(failing.client.cluster.produce.shut_down(500).await, 1);
    assert_eq!(failing.client.inbox.count(token), 1);
    assert_eq!(failed(failing.client.inbox.outcome(token).await).0, Persistence::Maybe);
}

#[tokio::test(flavor = "multi_thread")]
async fn dropping_the_handle_leaves_no_record_without_outcome() {
    let failing = Failing::warm(Lane::Pinned).await;
    failing.mock.broker_down(-1).unwrap();
    let tokens: Vec<_> = (0..20).map(|_| failing.client.send(Lane::Pinned)).collect();
    let Client { cluster, inbox } = failing.client;
    drop(cluster);
    for token in tokens {
        failed(inbox.outcome(token).await);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_queue_takes_nothing_and_forgets_nothing() {
    let failing = Failing::with(|settings| KafkaSettings { queue_records: 10, ..settings });
    failing.client.warm(Lane::Redirectable).await;
    failing.mock.broker_down(-1).unwrap();
    let mut accepted = Vec::new();
    let refused = loop {
        let token = next_token();
        let record = to(TOPIC, Some(0), None, Some(b"x"));
        match failing.client.cluster.produce.enqueue(Lane::Redirectable, &record, token) {
            Ok(()) => accepted.push(token),
            Err(LocalFull) => break token,
        }
        assert!(accepted.len() <= 10);
    };
    assert_eq!(accepted.len(), 10);
    failing.client.inbox.outcomes(&accepted).await;
    assert_eq!(failing.client.inbox.count(refused), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lanes_do_not_share_a_queue() {
    let failing = Failing::with(|settings| KafkaSettings { queue_records: 1, pinned_timeout_ms: 2_000, ..settings });
    failing.mock.broker_down(-1).unwrap();
    let pinned = failing.client.send(Lane::Pinned);
    let redirectable = failing.client.send(Lane::Redirectable);
    failing.client.inbox.outcomes(&[pinned, redirectable]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cluster_with_another_id_gets_no_record() {
    let failing = Failing::with(|settings| KafkaSettings { expected_id: Some("another".into()), ..settings });
    let client = &failing.client;
    let error = client.cluster.admin.describe_topics(None, false, 5_000).await.unwrap_err();
    assert!(error.message.starts_with("cluster id mismatch: cluster failing is expected to be another"), "{error:?}");
    let (persistence, cause, _, text) = failed(client.outcome(Lane::Pinned).await.0);
    assert_eq!((persistence, cause), (Persistence::SurelyNot, Cause::Cluster));
    assert!(text.starts_with("cluster id mismatch"), "{text}");
    let told = client.cluster.health.get().last_error.unwrap();
    assert!(told.starts_with("cluster id mismatch"), "{told}");
    assert!(client.cluster.kafka_id.get().is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn no_record_goes_to_a_cluster_before_it_said_the_id_that_is_expected() {
    let settings = KafkaSettings { expected_id: Some("one".into()), ..KafkaSettings::new("away", vec![nowhere()]) };
    let client = Client::of(settings);
    let (persistence, _, _, text) = failed(client.outcome(Lane::Pinned).await.0);
    assert_eq!(persistence, Persistence::SurelyNot);
    assert_eq!(text, "Kafka cluster away has not said its cluster.id yet");
}
