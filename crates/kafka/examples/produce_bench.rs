//! What the adapter costs: librdkafka fed in-process through rdkafka's own producer, and through this crate, in turns,
//! against a broker of this process. Prints records per second, the ratio, and one line of JSON.
//!
//! `cargo run --release -p sluice-kafka --example produce_bench [seconds per run [bytes per record]]`
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use prometheus::Registry;
use rdkafka::ClientConfig;
use rdkafka::error::KafkaError;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::{BaseRecord, DeliveryResult, Producer, ProducerContext, ThreadedProducer};
use rdkafka::types::RDKafkaErrorCode;
use sluice_data_plane::{Deliveries, Lane, Outcome, Record, Token};
use sluice_kafka::{KafkaMetrics, KafkaSettings, Profile, connect};

const TOPIC: &str = "bench";
const PARTITIONS: i32 = 1;
const SIZES: &[usize] = &[100, 1024];
const ROUNDS: usize = 3;

/// Counts what was acknowledged.
#[derive(Default)]
struct Counter {
    written: AtomicUsize,
    failed: AtomicUsize,
}

impl Deliveries for Counter {
    fn delivered(&self, _token: Token, outcome: Outcome) {
        let counter = if matches!(outcome, Outcome::Written { .. }) { &self.written } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

impl rdkafka::ClientContext for Counter {}

impl ProducerContext for Counter {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, _token: usize) {
        let counter = if result.is_ok() { &self.written } else { &self.failed };
        counter.fetch_add(1, Ordering::Relaxed);
    }
}

/// Records per second of librdkafka through rdkafka's threaded producer.
fn librdkafka(bootstrap: &str, size: usize, linger_ms: &str, seconds: f64) -> f64 {
    let producer: ThreadedProducer<Counter> = ClientConfig::new()
        .set("bootstrap.servers", bootstrap)
        .set("acks", "all")
        .set("linger.ms", linger_ms)
        .create_with_context(Counter::default())
        .unwrap();
    let value = vec![b'x'; size];
    let mut token = 0;
    let rate = run(
        seconds,
        || {
            token += 1;
            match producer.send(BaseRecord::<(), [u8], usize>::with_opaque_to(TOPIC, token).payload(&value[..])) {
                Ok(()) => true,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => false,
                Err((error, _)) => panic!("{error}"),
            }
        },
        || producer.context().written.load(Ordering::Relaxed),
    );
    producer.flush(Duration::from_secs(10)).unwrap();
    assert_eq!(producer.context().failed.load(Ordering::Relaxed), 0);
    rate
}

/// The same through the adapter.
fn adapter(bootstrap: &str, size: usize, profile: Profile, seconds: f64) -> f64 {
    let counter = Arc::new(Counter::default());
    let metrics = KafkaMetrics::register(&Registry::new()).unwrap();
    let settings = KafkaSettings { profile, ..KafkaSettings::new("bench", vec![bootstrap.to_owned()]) };
    let cluster = connect(settings, counter.clone(), &metrics).unwrap();
    let value = vec![b'x'; size];
    let mut token = 0;
    let rate = run(
        seconds,
        || {
            token += 1;
            let record = Record {
                topic: TOPIC,
                partition: None,
                key: None,
                value: Some(&value),
                headers: &[],
                timestamp_ms: 1_767_225_600_000,
                message_timeout_ms: None,
            };
            cluster.produce.enqueue(Lane::Pinned, &record, Token(token)).is_ok()
        },
        || counter.written.load(Ordering::Relaxed),
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    assert_eq!(runtime.block_on(cluster.produce.shut_down(10_000)), 0);
    assert_eq!(counter.failed.load(Ordering::Relaxed), 0);
    rate
}

/// Acknowledged records per second while `send` is called as often as it takes records; after a warm-up.
fn run(seconds: f64, mut send: impl FnMut() -> bool, written: impl Fn() -> usize) -> f64 {
    let mut feed = |seconds: f64| {
        let (began, before) = (Instant::now(), written());
        while began.elapsed().as_secs_f64() < seconds {
            for _ in 0..256 {
                if !send() {
                    // full: as a server would, let others work until there is room
                    std::thread::sleep(Duration::from_micros(200));
                    break;
                }
            }
        }
        (written() - before) as f64 / began.elapsed().as_secs_f64()
    };
    feed(seconds / 4.0);
    feed(seconds)
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn main() {
    let seconds: f64 = std::env::args().nth(1).map_or(2.0, |argument| argument.parse().unwrap());
    let only: Option<usize> = std::env::args().nth(2).map(|argument| argument.parse().unwrap());
    let mut json = Vec::new();
    println!("{:<28}{:>14}{:>14}{:>8}", "records/s", "librdkafka", "adapter", "ratio");
    for &size in only.as_slice().iter().chain(SIZES.iter().filter(|_| only.is_none())) {
        for (name, linger_ms, profile) in [("durable", "0.2", Profile::Durable), ("bulk", "50", Profile::Bulk)] {
            let (mut raw, mut ours) = (Vec::new(), Vec::new());
            for _ in 0..ROUNDS {
                // each on a broker of its own: what one leaves behind must not slow the next
                let broker = MockCluster::new(1).unwrap();
                broker.create_topic(TOPIC, PARTITIONS, 1).unwrap();
                raw.push(librdkafka(&broker.bootstrap_servers(), size, linger_ms, seconds));
                let broker = MockCluster::new(1).unwrap();
                broker.create_topic(TOPIC, PARTITIONS, 1).unwrap();
                ours.push(adapter(&broker.bootstrap_servers(), size, profile, seconds));
            }
            let (raw, ours) = (median(raw), median(ours));
            let row = format!("{size} B, {name}");
            println!("{row:<28}{raw:>14.0}{ours:>14.0}{:>8.2}", ours / raw);
            json.push(format!(
                r#"{{"size_bytes":{size},"profile":"{name}","librdkafka_per_s":{raw:.0},"adapter_per_s":{ours:.0},"ratio":{:.3}}}"#,
                ours / raw
            ));
        }
    }
    println!("{{\"kafka_adapter\":[{}]}}", json.join(","));
}
