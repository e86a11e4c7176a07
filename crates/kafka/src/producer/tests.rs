use sluice_data_plane::cluster::{Header, NewTopic};
use sluice_data_plane::conformance::{Inbox, failed, next_token, to, written};

use super::*;
use crate::{DevBroker, KafkaMetrics};

/// A lane of the in-process broker, with topic `t`.
async fn lane() -> (DevBroker, Arc<Alive>, Arc<LaneProducer>, Arc<Inbox>) {
    let broker = DevBroker::start().unwrap();
    let metrics = KafkaMetrics::register(&prometheus::Registry::new()).unwrap();
    let inbox = Arc::new(Inbox::default());
    let handle = broker.connect(broker.settings(), inbox.clone(), &metrics).unwrap();
    let topic = NewTopic { name: "t".into(), ..NewTopic::default() };
    handle.admin.create_topic(&topic, 10_000).await.unwrap();
    let alive = Core::start(broker.settings(), Flavour::Dev, &metrics).unwrap();
    let lane = Arc::new(LaneProducer::new(Lane::Pinned, alive.core().clone(), inbox.clone()));
    (broker, alive, lane, inbox)
}

/// Gives the lane a record for topic `t`.
fn send(lane: &Arc<LaneProducer>) -> Token {
    let token = next_token();
    lane.enqueue(&to("t", Some(0), None, Some(b"x")), token).unwrap();
    token
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_that_died_is_replaced_and_what_it_held_may_be_written() {
    let (_broker, _alive, lane, inbox) = lane().await;
    written(inbox.outcome(send(&lane)).await);
    let first = lane.producers().remove(0);
    lane.state.write().started = None; // long ago
    // enqueued while it lives, reported when it is dead: nobody knows
    first.life.store(DEAD, Ordering::Release);
    let held = send(&lane);
    first.handle.raise_fatal_error();
    let outcome = inbox.outcome(held).await;
    assert!(
        matches!(&outcome, Outcome::Written { .. } | Outcome::Failed { persistence: Persistence::Maybe, .. }),
        "{outcome:?}"
    );
    let token = send(&lane);
    written(inbox.outcome(token).await);
    assert_eq!(lane.counters.rebuilds.get(), 1);
    let current = lane.state.read().current.clone().unwrap();
    assert!(!Arc::ptr_eq(&first, &current));
    lane.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_producer_is_not_replaced_again_and_again() {
    let (_broker, _alive, lane, inbox) = lane().await;
    written(inbox.outcome(send(&lane)).await);
    lane.state.write().started = Some(Instant::now());
    lane.producers()[0].handle.raise_fatal_error();
    let (persistence, cause, _, text) = failed(inbox.outcome(send(&lane)).await);
    assert_eq!((persistence, cause), (Persistence::SurelyNot, Cause::Cluster));
    assert_eq!(text, "the producer is being replaced: test_fatal_error: raised by a test");
    tokio::time::sleep(BETWEEN_STARTS).await;
    written(inbox.outcome(send(&lane)).await);
    lane.close();
}

#[tokio::test(flavor = "multi_thread")]
async fn topic_handles_are_bounded_and_forgotten_ones_are_opened_again() {
    let (_broker, _alive, lane, inbox) = lane().await;
    written(inbox.outcome(send(&lane)).await);
    for number in 0..MOST_TOPICS + 10 {
        assert!(lane.prepare(&format!("other-{number}"), None).is_ok());
    }
    assert!(lane.state.read().topics.len() <= MOST_TOPICS);
    written(inbox.outcome(send(&lane)).await);
    lane.close();
}

fn record<'a>(key: Option<&'a [u8]>, value: Option<&'a [u8]>, headers: &'a [Header<'a>]) -> Record<'a> {
    Record { topic: "t", partition: None, key, value, headers, timestamp_ms: 1, message_timeout_ms: None }
}

/// The first is a recorded refusal: "The message is 1100088 bytes when serialized …" of 1,100,000 bytes.
#[test]
fn a_record_is_as_large_as_a_java_producer_says() {
    let large = vec![b'x'; 1_100_000];
    assert_eq!(serialized_size(&record(None, Some(&large), &[])), 1_100_088);
    // 61 + 21, null key 1, null value 1, no headers 1
    assert_eq!(serialized_size(&record(None, None, &[])), 85);
    // key: length 1 + 1, value: 1 + 0, one header: count 1, name 1 + 1, null value 1
    let headers = [Header { name: "h", value: None }];
    assert_eq!(serialized_size(&record(Some(b"k"), Some(b""), &headers)), 61 + 21 + 2 + 1 + 1 + 2 + 1);
}

#[test]
fn a_length_takes_a_byte_per_seven_bits_behind_its_sign() {
    for (len, bytes) in [(0, 1), (63, 1), (64, 2), (8_191, 2), (8_192, 3), (1_048_575, 3), (1_048_576, 4)] {
        assert_eq!(varint_size(len), bytes, "{len}");
    }
}
