//! What every cluster behind [`Produce`](crate::Produce), [`Consume`](crate::Consume) and
//! [`Administer`](crate::Administer) must do, as a suite that the memory double, the
//! in-process broker and real Kafka all run.
//!
//! A case is a public async function named as a sentence; it works on topics of its own, so cases may share a cluster
//! and run at once. [`cluster_conformance!`](crate::cluster_conformance) makes a test of each.
//!
//! To add a case: write it here and add its name to the list below.

// Test code: a case that fails panics.
#![allow(clippy::unwrap_used, clippy::panic)]

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::cluster::{ClusterHandle, ConsumedRecord, Header, IfMissing, NewTopic, PartitionDescription};
use crate::{Cause, Deliveries, Lane, LocalFull, Outcome, Persistence, Record, Token};

/// Calls the macro in brackets with `{ args }` and the names of all cases.
#[doc(hidden)]
#[macro_export]
macro_rules! __cluster_cases {
    ([$($callback:tt)*] { $($args:tt)* }) => {
        $($callback)*! { { $($args)* }
            a_record_is_written_where_its_outcome_says
            a_record_comes_back_as_it_was_written
            null_and_empty_are_different
            every_record_has_exactly_one_outcome
            records_of_one_partition_keep_their_order
            a_key_lands_where_java_clients_put_it
            every_lane_writes
            a_record_that_is_too_large_is_the_record_s_fault
            a_partition_that_is_not_there_is_surely_not_written
            a_topic_that_is_not_there_is_known_within_a_second
            a_new_topic_is_known_at_once
            a_flush_leaves_nothing_without_outcome
            after_the_end_nothing_is_accepted
            the_last_records_are_read_with_a_negative_offset
            a_read_stops_at_its_limits
            a_read_behind_the_end_finds_nothing
            offsets_are_those_of_the_log
            a_read_of_what_is_not_there_is_an_error
            a_created_topic_is_described_and_listed
            described_topics_keep_the_order_of_their_names
            a_topic_that_exists_is_not_created_again
            validating_a_topic_creates_nothing
            bad_counts_are_refused_in_the_brokers_words
            a_topic_without_counts_gets_the_clusters_defaults
            the_cluster_describes_itself
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __cluster_tests {
    ({ $subject:expr } $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let subject = $subject.await;
                $crate::conformance::$case(&subject).await;
            }
        )*
    };
}

/// One test per case of the suite, on the [`Subject`](crate::conformance::Subject) that the given future makes; it is
/// awaited once per test.
#[macro_export]
macro_rules! cluster_conformance {
    ($subject:expr) => {
        $crate::__cluster_cases! { [$crate::__cluster_tests] { $subject } }
    };
}

/// Patience: a loaded machine with a cold cluster.
const PATIENCE_MS: u64 = 20_000;
/// 2026-01-01.
const TIMESTAMP_MS: i64 = 1_767_225_600_000;

/// Collects outcomes.
#[derive(Debug, Default)]
pub struct Inbox {
    outcomes: Mutex<HashMap<Token, Vec<Outcome>>>,
    arrived: Notify,
}

impl Deliveries for Inbox {
    fn delivered(&self, token: Token, outcome: Outcome) {
        self.outcomes.lock().entry(token).or_default().push(outcome);
    }

    fn batch_end(&self) {
        self.arrived.notify_waiters();
    }
}

impl Inbox {
    /// The outcome of `token`, waiting for it. Panics after 20 s.
    pub async fn outcome(&self, token: Token) -> Outcome {
        self.outcomes(&[token]).await.remove(0)
    }

    /// The first outcome of each token, waiting for all. Panics after 20 s.
    pub async fn outcomes(&self, tokens: &[Token]) -> Vec<Outcome> {
        let all = async {
            loop {
                let arrived = self.arrived.notified();
                tokio::pin!(arrived);
                arrived.as_mut().enable();
                {
                    let outcomes = self.outcomes.lock();
                    let found: Vec<_> =
                        tokens.iter().filter_map(|token| outcomes.get(token)?.first().cloned()).collect();
                    if found.len() == tokens.len() {
                        return found;
                    }
                }
                arrived.await;
            }
        };
        match tokio::time::timeout(Duration::from_millis(PATIENCE_MS), all).await {
            Ok(found) => found,
            Err(_) => {
                let outcomes = self.outcomes.lock();
                let missing = tokens.iter().filter(|token| !outcomes.contains_key(token)).count();
                panic!("{missing} of {} records have no outcome", tokens.len())
            }
        }
    }

    /// How many outcomes came for `token`.
    pub fn count(&self, token: Token) -> usize {
        self.outcomes.lock().get(&token).map_or(0, Vec::len)
    }
}

/// A cluster under test: its handle was built with its inbox.
#[derive(Clone)]
pub struct Subject {
    /// The cluster.
    pub cluster: ClusterHandle,
    /// Where its outcomes go.
    pub inbox: Arc<Inbox>,
    /// Topic names used by this one start with this: clusters may outlive a test run.
    pub prefix: String,
}

impl Subject {
    /// A subject whose topic names differ from those of any other process.
    pub fn new(cluster: ClusterHandle, inbox: Arc<Inbox>) -> Subject {
        static SUBJECTS: AtomicU64 = AtomicU64::new(0);
        let number = SUBJECTS.fetch_add(1, Ordering::Relaxed);
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        Subject { cluster, inbox, prefix: format!("c-{since:x}-{}-{number}", std::process::id()) }
    }

    /// A name of this subject.
    pub fn name(&self, suffix: &str) -> String {
        format!("{}-{suffix}", self.prefix)
    }

    /// A new topic.
    pub async fn topic(&self, partitions: i32) -> String {
        let name = self.name("t");
        let topic = NewTopic { name: name.clone(), partitions: Some(partitions), ..NewTopic::default() };
        self.cluster.admin.create_topic(&topic, PATIENCE_MS).await.unwrap();
        name
    }

    /// Hands a record over, waiting while the queue is full.
    pub async fn send(&self, lane: Lane, record: &Record<'_>) -> Token {
        let token = next_token();
        while self.cluster.produce.enqueue(lane, record, token) == Err(LocalFull) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        token
    }

    /// Writes `value` to partition 0; its offset.
    pub async fn write(&self, topic: &str, value: &[u8]) -> i64 {
        let token = self.send(Lane::Pinned, &to(topic, Some(0), None, Some(value))).await;
        written(self.inbox.outcome(token).await).1
    }

    async fn read(&self, topic: &str, partition: i32, offset: i64, limit: usize) -> Vec<ConsumedRecord> {
        self.cluster.consume.read(topic, partition, offset, limit, 1_000_000, PATIENCE_MS).await.unwrap()
    }
}

/// A token that no other record of this process has. Large, so that nothing survives that keeps only half of it.
pub fn next_token() -> Token {
    static TOKENS: AtomicU64 = AtomicU64::new(0xdead_beef_0000_0000);
    Token(TOKENS.fetch_add(1, Ordering::Relaxed))
}

/// A record without headers.
pub fn to<'a>(topic: &'a str, partition: Option<i32>, key: Option<&'a [u8]>, value: Option<&'a [u8]>) -> Record<'a> {
    Record { topic, partition, key, value, headers: &[], timestamp_ms: TIMESTAMP_MS, message_timeout_ms: None }
}

/// Partition and offset of a record that must be written.
pub fn written(outcome: Outcome) -> (i32, i64) {
    match outcome {
        Outcome::Written { partition, offset, .. } => (partition, offset),
        failed => panic!("{failed:?}"),
    }
}

/// Persistence, cause, code and text of a record that must have failed.
pub fn failed(outcome: Outcome) -> (Persistence, Cause, i32, String) {
    match outcome {
        Outcome::Failed { persistence, cause, fault } => (persistence, cause, fault.code, fault.message),
        written => panic!("{written:?}"),
    }
}

// ------------------------------------------------------------------------------------------------------- writing

/// Partition and offset in the outcome are where the record is read.
pub async fn a_record_is_written_where_its_outcome_says(s: &Subject) {
    let topic = s.topic(3).await;
    let token = s.send(Lane::Pinned, &to(&topic, Some(2), None, Some(b"here"))).await;
    let outcome = s.inbox.outcome(token).await;
    let Outcome::Written { partition: 2, offset: 0, timestamp_ms } = outcome else { panic!("{outcome:?}") };
    assert!(timestamp_ms.is_none_or(|at| at == TIMESTAMP_MS), "{timestamp_ms:?}");
    let records = s.read(&topic, 2, 0, 10).await;
    assert_eq!(records.len(), 1);
    assert_eq!((records[0].partition, records[0].offset), (2, 0));
    assert_eq!(records[0].value.as_deref(), Some(&b"here"[..]));
}

/// Key, value, headers in order with nulls and repeated names, timestamp.
pub async fn a_record_comes_back_as_it_was_written(s: &Subject) {
    let topic = s.topic(1).await;
    let headers = [
        Header { name: "b", value: Some(b"\x00\xff") },
        Header { name: "a", value: None },
        Header { name: "b", value: Some(b"") },
    ];
    let record = Record { headers: &headers, ..to(&topic, Some(0), Some(b"key\x00"), Some(b"\xf0\x28\x8c\x28")) };
    let token = s.send(Lane::Pinned, &record).await;
    written(s.inbox.outcome(token).await);
    let expected = ConsumedRecord {
        partition: 0,
        offset: 0,
        timestamp_ms: Some(TIMESTAMP_MS),
        key: Some(b"key\x00".to_vec()),
        value: Some(b"\xf0\x28\x8c\x28".to_vec()),
        headers: vec![
            ("b".to_owned(), Some(b"\x00\xff".to_vec())),
            ("a".to_owned(), None),
            ("b".to_owned(), Some(Vec::new())),
        ],
    };
    assert_eq!(s.read(&topic, 0, 0, 10).await, vec![expected]);
}

/// Null key and value stay null, empty ones stay empty.
pub async fn null_and_empty_are_different(s: &Subject) {
    let topic = s.topic(1).await;
    let empty = Some(&b""[..]);
    let cases = [(None, None), (empty, None), (None, empty), (empty, empty)];
    let mut tokens = Vec::new();
    for (key, value) in cases {
        tokens.push(s.send(Lane::Pinned, &to(&topic, Some(0), key, value)).await);
    }
    let places: Vec<_> = s.inbox.outcomes(&tokens).await.into_iter().map(written).collect();
    assert_eq!(places, [(0, 0), (0, 1), (0, 2), (0, 3)]);
    let records = s.read(&topic, 0, 0, 10).await;
    let found: Vec<_> = records.iter().map(|record| (record.key.as_deref(), record.value.as_deref())).collect();
    assert_eq!(found, cases);
}

/// Thousands over several partitions: each token once, each offset once.
pub async fn every_record_has_exactly_one_outcome(s: &Subject) {
    let topic = s.topic(4).await;
    let mut tokens = Vec::new();
    for number in 0..5_000 {
        let value = format!("{number}");
        tokens.push(s.send(Lane::Pinned, &to(&topic, None, None, Some(value.as_bytes()))).await);
    }
    let mut places: Vec<_> = s.inbox.outcomes(&tokens).await.into_iter().map(written).collect();
    places.sort_unstable();
    places.dedup();
    assert_eq!(places.len(), 5_000);
    assert_eq!(s.cluster.produce.flush(PATIENCE_MS).await, 0);
    assert!(tokens.iter().all(|token| s.inbox.count(*token) == 1));
}

/// Offsets rise in the order of enqueueing.
pub async fn records_of_one_partition_keep_their_order(s: &Subject) {
    let topic = s.topic(2).await;
    let mut tokens = Vec::new();
    for _ in 0..1_000 {
        tokens.push(s.send(Lane::Pinned, &to(&topic, Some(1), None, Some(b"x"))).await);
    }
    let places: Vec<_> = s.inbox.outcomes(&tokens).await.into_iter().map(written).collect();
    let expected: Vec<_> = (0..1_000).map(|offset| (1, offset)).collect();
    assert_eq!(places, expected);
}

/// murmur2 of the key; hashes from Kafka's `UtilsTest.testMurmur2`.
pub async fn a_key_lands_where_java_clients_put_it(s: &Subject) {
    let topic = s.topic(7).await;
    let hashes: [(&str, i32); 5] = [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
        ("a-little-bit-longer-string", -1_486_304_829),
        ("abc", 479_470_107),
    ];
    for (key, hash) in hashes {
        let token = s.send(Lane::Pinned, &to(&topic, None, Some(key.as_bytes()), Some(b"v"))).await;
        let (partition, _) = written(s.inbox.outcome(token).await);
        assert_eq!(partition, (hash & 0x7fff_ffff) % 7, "{key}");
    }
}

/// The lanes differ only in patience: a second may be too short for one that just starts, but then it leaves nothing.
pub async fn every_lane_writes(s: &Subject) {
    let topic = s.topic(1).await;
    let began = Instant::now();
    for lane in Lane::ALL {
        loop {
            let token = s.send(lane, &to(&topic, Some(0), None, Some(b"x"))).await;
            let outcome = s.inbox.outcome(token).await;
            if let Outcome::Written { .. } = outcome {
                break;
            }
            assert_eq!(failed(outcome).0, Persistence::SurelyNot);
            assert!(began.elapsed() < Duration::from_millis(PATIENCE_MS));
        }
    }
    assert_eq!(s.read(&topic, 0, 0, 10).await.len(), Lane::ALL.len());
}

/// 1,048,576 bytes by a Java producer's count is the most; the text is that producer's.
pub async fn a_record_that_is_too_large_is_the_record_s_fault(s: &Subject) {
    let topic = s.topic(1).await;
    let value = vec![0; 1_048_576];
    // on top of the value: batch 61, record 21, null key 1, the value's length 3, no headers 1
    let token = s.send(Lane::Pinned, &to(&topic, Some(0), None, Some(&value[..1_048_576 - 87]))).await;
    written(s.inbox.outcome(token).await);
    let token = s.send(Lane::Pinned, &to(&topic, Some(0), None, Some(&value[..1_048_576 - 86]))).await;
    let (persistence, cause, code, text) = failed(s.inbox.outcome(token).await);
    assert_eq!((persistence, cause, code), (Persistence::SurelyNot, Cause::Record, 10));
    assert_eq!(
        text,
        "The message is 1048577 bytes when serialized which is larger than 1048576, which is the value of the \
         max.request.size configuration."
    );
}

/// Known or guessed, above or below.
pub async fn a_partition_that_is_not_there_is_surely_not_written(s: &Subject) {
    let topic = s.topic(2).await;
    s.write(&topic, b"so that the producer knows the topic").await;
    for partition in [2, i32::MAX, -1, -2] {
        let token = s.send(Lane::Pinned, &to(&topic, Some(partition), None, Some(b"x"))).await;
        let (persistence, cause, _, _) = failed(s.inbox.outcome(token).await);
        assert_eq!((persistence, cause), (Persistence::SurelyNot, Cause::UnknownPartition), "{partition}");
    }
}

/// And nothing makes it.
pub async fn a_topic_that_is_not_there_is_known_within_a_second(s: &Subject) {
    let there = s.topic(2).await;
    assert_eq!(s.cluster.admin.partitions_of(&there, IfMissing::Report, PATIENCE_MS).await.unwrap(), Some(2));
    let missing = s.name("missing");
    for _ in 0..2 {
        let asked = Instant::now();
        assert_eq!(s.cluster.admin.partitions_of(&missing, IfMissing::Report, PATIENCE_MS).await.unwrap(), None);
        assert!(asked.elapsed() < Duration::from_secs(1), "{:?}", asked.elapsed());
    }
}

/// Although it was just known to be missing.
pub async fn a_new_topic_is_known_at_once(s: &Subject) {
    let name = s.name("t");
    assert_eq!(s.cluster.admin.partitions_of(&name, IfMissing::Report, PATIENCE_MS).await.unwrap(), None);
    assert_eq!(s.topic(3).await, name);
    assert_eq!(s.cluster.admin.partitions_of(&name, IfMissing::Report, PATIENCE_MS).await.unwrap(), Some(3));
    assert_eq!(s.write(&name, b"first").await, 0);
}

/// All outcomes are there when it says so.
pub async fn a_flush_leaves_nothing_without_outcome(s: &Subject) {
    let topic = s.topic(1).await;
    let mut tokens = Vec::new();
    for _ in 0..500 {
        tokens.push(s.send(Lane::Pinned, &to(&topic, None, None, Some(b"x"))).await);
        tokens.push(s.send(Lane::Redirectable, &to(&topic, None, None, Some(b"x"))).await);
    }
    assert_eq!(s.cluster.produce.flush(PATIENCE_MS).await, 0);
    assert!(tokens.iter().all(|token| s.inbox.count(*token) == 1));
}

/// What came before has its outcome.
pub async fn after_the_end_nothing_is_accepted(s: &Subject) {
    let topic = s.topic(1).await;
    let before = s.send(Lane::Pinned, &to(&topic, Some(0), None, Some(b"before"))).await;
    assert_eq!(s.cluster.produce.shut_down(PATIENCE_MS).await, 0);
    assert_eq!(s.inbox.count(before), 1);
    written(s.inbox.outcome(before).await);
    let after = s.send(Lane::Pinned, &to(&topic, Some(0), None, Some(b"after"))).await;
    assert_eq!(failed(s.inbox.outcome(after).await).0, Persistence::SurelyNot);
    assert_eq!(s.read(&topic, 0, 0, 10).await.len(), 1);
}

// ------------------------------------------------------------------------------------------------------- reading

async fn ten_records(s: &Subject) -> String {
    let topic = s.topic(1).await;
    for number in 0..10 {
        assert_eq!(s.write(&topic, format!("{number}").as_bytes()).await, number);
    }
    topic
}

fn offsets(records: &[ConsumedRecord]) -> Vec<i64> {
    records.iter().map(|record| record.offset).collect()
}

/// `-3` is the last three; more than there are is all.
pub async fn the_last_records_are_read_with_a_negative_offset(s: &Subject) {
    let topic = ten_records(s).await;
    assert_eq!(offsets(&s.read(&topic, 0, -3, 100).await), [7, 8, 9]);
    assert_eq!(offsets(&s.read(&topic, 0, -100, 100).await).len(), 10);
}

/// Records and bytes, but never nothing because the first is large.
pub async fn a_read_stops_at_its_limits(s: &Subject) {
    let topic = ten_records(s).await;
    assert_eq!(offsets(&s.read(&topic, 0, 4, 3).await), [4, 5, 6]);
    assert_eq!(s.read(&topic, 0, 4, 0).await, []);
    let bytes = |most| s.cluster.consume.read(&topic, 0, 0, 100, most, PATIENCE_MS);
    assert_eq!(offsets(&bytes(4).await.unwrap()), [0, 1, 2, 3]);
    assert_eq!(offsets(&bytes(0).await.unwrap()), [0]);
}

/// At once, not at the end of its time.
pub async fn a_read_behind_the_end_finds_nothing(s: &Subject) {
    let topic = ten_records(s).await;
    let asked = Instant::now();
    assert_eq!(s.read(&topic, 0, 10, 5).await, []);
    assert_eq!(s.read(&topic, 0, 99, 5).await, []);
    assert!(asked.elapsed() < Duration::from_millis(PATIENCE_MS / 2), "{:?}", asked.elapsed());
}

/// Start and end.
pub async fn offsets_are_those_of_the_log(s: &Subject) {
    let topic = s.topic(2).await;
    assert_eq!(s.cluster.consume.offsets(&topic, 0, PATIENCE_MS).await.unwrap(), (0, 0));
    for end in 1..=3 {
        s.write(&topic, b"x").await;
        assert_eq!(s.cluster.consume.offsets(&topic, 0, PATIENCE_MS).await.unwrap(), (0, end));
    }
    assert_eq!(s.cluster.consume.offsets(&topic, 1, PATIENCE_MS).await.unwrap(), (0, 0));
}

/// Topic and partition, at once.
pub async fn a_read_of_what_is_not_there_is_an_error(s: &Subject) {
    let topic = s.topic(1).await;
    let missing = s.name("missing");
    let asked = Instant::now();
    let error = s.cluster.consume.read(&missing, 0, 0, 1, 1, PATIENCE_MS).await.unwrap_err();
    assert_eq!((error.code, error.message.as_str()), (3, "This server does not host this topic-partition."));
    assert_eq!(s.cluster.consume.offsets(&missing, 0, PATIENCE_MS).await.unwrap_err().code, 3);
    for partition in [1, -1] {
        assert!(s.cluster.consume.read(&topic, partition, 0, 1, 1, PATIENCE_MS).await.is_err(), "{partition}");
        assert!(s.cluster.consume.offsets(&topic, partition, PATIENCE_MS).await.is_err(), "{partition}");
    }
    assert!(asked.elapsed() < Duration::from_millis(PATIENCE_MS / 2), "{:?}", asked.elapsed());
}

// --------------------------------------------------------------------------------------------------------- admin

/// With every partition, its leader and replicas.
pub async fn a_created_topic_is_described_and_listed(s: &Subject) {
    let name = s.topic(3).await;
    let names = [name.clone()];
    let described = s.cluster.admin.describe_topics(Some(&names), false, PATIENCE_MS).await.unwrap();
    let topic = described[0].clone().unwrap();
    assert_eq!((topic.name.as_str(), topic.is_internal), (name.as_str(), false));
    assert_eq!(topic.authorized_operations, Vec::<String>::new());
    let numbers: Vec<_> = topic.partitions.iter().map(|partition| partition.id).collect();
    assert_eq!(numbers, [0, 1, 2]);
    for PartitionDescription { leader, replicas, in_sync, .. } in &topic.partitions {
        assert_eq!(replicas.len(), 1);
        assert_eq!((leader, in_sync), (&replicas.first().copied(), replicas));
    }
    let all = s.cluster.admin.describe_topics(None, false, PATIENCE_MS).await.unwrap();
    let listed: Vec<_> = all.into_iter().map(|topic| topic.unwrap()).collect();
    assert!(listed.is_sorted_by(|a, b| a.name < b.name), "{listed:?}");
    assert_eq!(listed.into_iter().find(|listed| listed.name == name), Some(topic));
    let allowed = s.cluster.admin.describe_topics(Some(&names), true, PATIENCE_MS).await.unwrap();
    let mut operations = allowed[0].clone().unwrap().authorized_operations;
    operations.sort_unstable();
    let all = ["ALTER", "ALTER_CONFIGS", "CREATE", "DELETE", "DESCRIBE", "DESCRIBE_CONFIGS", "READ", "WRITE"];
    assert_eq!(operations, all);
}

/// Unknown, repeated and impossible names have their place.
pub async fn described_topics_keep_the_order_of_their_names(s: &Subject) {
    let name = s.topic(1).await;
    let names = [s.name("missing"), name.clone(), String::new(), name.clone()];
    let described = s.cluster.admin.describe_topics(Some(&names), false, PATIENCE_MS).await.unwrap();
    let found: Vec<_> =
        described.iter().map(|topic| topic.as_ref().map(|topic| topic.name.clone()).map_err(|e| e.code)).collect();
    assert_eq!((found[0].clone(), found[1].clone(), found[3].clone()), (Err(3), Ok(name.clone()), Ok(name)));
    assert!(found[2].is_err());
    assert_eq!(described[0].as_ref().unwrap_err().message, "This server does not host this topic-partition.");
    assert_eq!(s.cluster.admin.describe_topics(Some(&[]), false, PATIENCE_MS).await.unwrap(), []);
}

/// In the broker's words.
pub async fn a_topic_that_exists_is_not_created_again(s: &Subject) {
    let name = s.topic(1).await;
    let again = NewTopic { name: name.clone(), ..NewTopic::default() };
    let error = s.cluster.admin.create_topic(&again, PATIENCE_MS).await.unwrap_err();
    assert_eq!((error.code, error.message), (36, format!("Topic '{name}' already exists.")));
}

/// Although it is found good.
pub async fn validating_a_topic_creates_nothing(s: &Subject) {
    let name = s.name("t");
    let topic = NewTopic { name: name.clone(), validate_only: true, ..NewTopic::default() };
    s.cluster.admin.create_topic(&topic, PATIENCE_MS).await.unwrap();
    let described = s.cluster.admin.describe_topics(Some(&[name]), false, PATIENCE_MS).await.unwrap();
    assert_eq!(described[0].as_ref().unwrap_err().code, 3);
}

/// As recorded from Kafka 4.
pub async fn bad_counts_are_refused_in_the_brokers_words(s: &Subject) {
    let with = |partitions, replication_factor| NewTopic {
        name: s.name("t"),
        partitions,
        replication_factor,
        ..NewTopic::default()
    };
    let no_partitions = "Number of partitions was set to an invalid non-positive value.";
    let no_replicas = "Replication factor must be larger than 0, or -1 to use the default value.";
    let table = [
        (with(Some(0), None), 37, no_partitions),
        (with(Some(-2), None), 37, no_partitions),
        (with(None, Some(0)), 38, no_replicas),
        (with(None, Some(-2)), 38, no_replicas),
    ];
    for (topic, code, text) in table {
        let error = s.cluster.admin.create_topic(&topic, PATIENCE_MS).await.unwrap_err();
        assert_eq!((error.code, error.message.as_str()), (code, text), "{topic:?}");
    }
    let error = s.cluster.admin.create_topic(&with(None, Some(99)), PATIENCE_MS).await.unwrap_err();
    assert_eq!(error.code, 38);
    assert!(error.message.starts_with("Unable to replicate the partition 99 time(s): "), "{}", error.message);
}

/// What it says beforehand is what a topic gets; a cluster that does not say, says 0.
pub async fn a_topic_without_counts_gets_the_clusters_defaults(s: &Subject) {
    let defaults = s.cluster.admin.topic_defaults(PATIENCE_MS).await.unwrap();
    let name = s.name("t");
    let topic = NewTopic { name: name.clone(), ..NewTopic::default() };
    s.cluster.admin.create_topic(&topic, PATIENCE_MS).await.unwrap();
    let described = s.cluster.admin.describe_topics(Some(&[name]), false, PATIENCE_MS).await.unwrap();
    let partitions = described[0].clone().unwrap().partitions;
    if (defaults.partitions, defaults.replication_factor) != (0, 0) {
        assert_eq!(defaults.partitions as usize, partitions.len());
        assert_eq!(defaults.replication_factor as usize, partitions[0].replicas.len());
    }
}

/// Its id is the one that outcomes are reported under, and its health says that it answers.
pub async fn the_cluster_describes_itself(s: &Subject) {
    let described = s.cluster.admin.describe_cluster(PATIENCE_MS).await.unwrap();
    assert!(!described.brokers.is_empty());
    assert!(described.brokers.is_sorted_by_key(|broker| broker.id));
    assert!(described.brokers.iter().all(|broker| broker.host.is_some() && broker.port.is_some()));
    let deadline = Instant::now() + Duration::from_millis(PATIENCE_MS);
    while s.cluster.kafka_id.get().is_none() || !s.cluster.health.get().is_connected {
        assert!(Instant::now() < deadline, "{:?}", s.cluster.health.get());
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    assert_eq!(s.cluster.kafka_id.get().map(|id| id.to_string()), Some(described.cluster_id));
}
