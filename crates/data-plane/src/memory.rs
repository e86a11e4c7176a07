//! A cluster in memory: the double for tests of everything above the adapters.
//!
//! Keeps what is produced, creates topics, answers metadata, and can be told to fail: to hold outcomes back, to answer
//! the next records with a given outcome, to be full, to be silent. Keyed records go where Java clients put them,
//! keyless ones to partition 0. Passes the suite of every cluster ([`crate::conformance`]).

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, OnceLock};
use std::time::SystemTime;

use async_trait::async_trait;
use parking_lot::Mutex;

use crate::cluster::*;
use crate::outcome::{Cause, Fault, Outcome, Persistence};

#[derive(Debug, Default)]
struct State {
    topics: BTreeMap<String, Vec<Vec<ConsumedRecord>>>,
    auto_create: Option<i32>,
    holds: bool,
    held: Vec<(Token, Outcome)>,
    scripted: VecDeque<Outcome>,
    full: usize,
    silent: bool,
    ended: bool,
    metadata_calls: usize,
    lanes: Vec<Lane>,
}

/// A cluster in memory.
pub struct MemoryCluster {
    id: String,
    hub: Arc<dyn Deliveries>,
    state: Mutex<State>,
}

impl MemoryCluster {
    /// A cluster of this id, with one broker and no topic.
    pub fn new(id: &str, hub: Arc<dyn Deliveries>) -> Arc<MemoryCluster> {
        Arc::new(MemoryCluster { id: id.to_owned(), hub, state: Mutex::default() })
    }

    /// The cluster under a name, with its id learned.
    pub fn handle(self: &Arc<Self>, name: &str) -> ClusterHandle {
        let kafka_id = OnceLock::new();
        let _ = kafka_id.set(Arc::from(self.id.as_str()));
        ClusterHandle {
            name: name.into(),
            kafka_id: Arc::new(kafka_id),
            produce: self.clone(),
            consume: self.clone(),
            admin: self.clone(),
            health: {
                let health = HealthCell::new(SystemTime::UNIX_EPOCH);
                health.connected(SystemTime::UNIX_EPOCH);
                health
            },
        }
    }

    /// Makes a topic.
    pub fn add_topic(&self, name: &str, partitions: usize) {
        self.state.lock().topics.insert(name.to_owned(), vec![Vec::new(); partitions]);
    }

    /// Removes a topic.
    pub fn remove_topic(&self, name: &str) {
        self.state.lock().topics.remove(name);
    }

    /// From now on, topics that are asked for are made with so many partitions (if the asker allows).
    pub fn auto_create(&self, partitions: i32) {
        self.state.lock().auto_create = Some(partitions);
    }

    /// The lanes of the records that were taken, in order.
    pub fn lanes(&self) -> Vec<Lane> {
        self.state.lock().lanes.clone()
    }

    /// From now on, outcomes wait for [`MemoryCluster::release`].
    pub fn hold(&self) {
        self.state.lock().holds = true;
    }

    /// Delivers the first `count` held outcomes.
    pub fn release(&self, count: usize) {
        let released: Vec<_> = {
            let mut state = self.state.lock();
            let count = count.min(state.held.len());
            state.held.drain(..count).collect()
        };
        for (token, outcome) in released {
            self.hub.delivered(token, outcome);
        }
        self.hub.batch_end();
    }

    /// Delivers the held outcome of the record that came last.
    pub fn release_last(&self) {
        let last = self.state.lock().held.pop();
        if let Some((token, outcome)) = last {
            self.hub.delivered(token, outcome);
        }
        self.hub.batch_end();
    }

    /// Delivers every held outcome, last first.
    pub fn release_backwards(&self) {
        let held = std::mem::take(&mut self.state.lock().held);
        for (token, outcome) in held.into_iter().rev() {
            self.hub.delivered(token, outcome);
        }
        self.hub.batch_end();
    }

    /// The next record gets this outcome and is not kept.
    pub fn next_outcome(&self, outcome: Outcome) {
        self.state.lock().scripted.push_back(outcome);
    }

    /// The next `count` enqueues find the queue full.
    pub fn fill(&self, count: usize) {
        self.state.lock().full = count;
    }

    /// Whether metadata and admin calls fail.
    pub fn silence(&self, is_silent: bool) {
        self.state.lock().silent = is_silent;
    }

    /// Names of all topics, sorted.
    pub fn topic_names(&self) -> Vec<String> {
        self.state.lock().topics.keys().cloned().collect()
    }

    /// Every record of a topic, by partition and offset.
    pub fn records(&self, topic: &str) -> Vec<ConsumedRecord> {
        self.state.lock().topics.get(topic).map(|partitions| partitions.concat()).unwrap_or_default()
    }

    /// How often metadata was asked for.
    pub fn metadata_calls(&self) -> usize {
        self.state.lock().metadata_calls
    }

    fn check(&self) -> Result<(), AdminError> {
        let state = self.state.lock();
        if state.silent { Err(AdminError { code: -185, message: "Local: Timed out".to_owned() }) } else { Ok(()) }
    }
}

fn failed(code: i32, cause: Cause, message: &str) -> Outcome {
    let fault = Box::new(Fault { code, message: message.to_owned() });
    Outcome::Failed { persistence: Persistence::SurelyNot, cause, fault }
}

/// As Java producers have it by default.
const MAX_REQUEST_BYTES: usize = 1_048_576;

/// Size of a record as the Java producer estimates it before it sends: a batch of its own, upper bounds throughout.
///
/// Source: `AbstractRecords#estimateSizeInBytesUpperBound`, `DefaultRecord#recordSizeUpperBound`, Kafka 4.
fn estimated_size(record: &Record<'_>) -> usize {
    const BATCH_OVERHEAD: usize = 61;
    const MOST_RECORD_OVERHEAD: usize = 21;
    let field = |bytes: Option<usize>| bytes.map_or(1, |length| varint_size(length) + length);
    let headers_size: usize =
        record.headers.iter().map(|header| field(Some(header.name.len())) + field(header.value.map(<[u8]>::len))).sum();
    BATCH_OVERHEAD
        + MOST_RECORD_OVERHEAD
        + field(record.key.map(<[u8]>::len))
        + field(record.value.map(<[u8]>::len))
        + varint_size(record.headers.len())
        + headers_size
}

/// Bytes of a zigzag varint.
fn varint_size(value: usize) -> usize {
    let bits = usize::BITS - (value << 1 | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

/// The hash by which Java clients place keys. Source: Kafka `Utils#murmur2`, 4.x.
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut hash = 0x9747_b28c ^ data.len() as u32;
    let mut words = data.chunks_exact(4);
    for word in &mut words {
        let mut k = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        k ^= k >> 24;
        hash = hash.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = words.remainder();
    if !rest.is_empty() {
        for (at, byte) in rest.iter().enumerate() {
            hash ^= u32::from(*byte) << (8 * at);
        }
        hash = hash.wrapping_mul(M);
    }
    hash = (hash ^ hash >> 13).wrapping_mul(M);
    hash ^ hash >> 15
}

fn unknown_topic() -> AdminError {
    AdminError { code: 3, message: "This server does not host this topic-partition.".to_owned() }
}

impl State {
    fn write(&mut self, record: &Record<'_>) -> Outcome {
        if let Some(outcome) = self.scripted.pop_front() {
            return outcome;
        }
        let Some(partitions) = self.topics.get_mut(record.topic) else {
            return failed(-188, Cause::UnknownTopic, "Local: Unknown topic");
        };
        let size = estimated_size(record);
        if size > MAX_REQUEST_BYTES {
            let text = format!(
                "The message is {size} bytes when serialized which is larger than {MAX_REQUEST_BYTES}, which is the \
                 value of the max.request.size configuration."
            );
            return failed(10, Cause::Record, &text);
        }
        let chosen = record.partition.unwrap_or_else(|| match record.key {
            Some(key) => (murmur2(key) & 0x7fff_ffff) as i32 % partitions.len().max(1) as i32,
            None => 0,
        });
        let Some(log) = usize::try_from(chosen).ok().and_then(|chosen| partitions.get_mut(chosen)) else {
            return failed(-190, Cause::UnknownPartition, "Local: Unknown partition");
        };
        let offset = log.len() as i64;
        log.push(ConsumedRecord {
            partition: chosen,
            offset,
            timestamp_ms: Some(record.timestamp_ms),
            key: record.key.map(<[u8]>::to_vec),
            value: record.value.map(<[u8]>::to_vec),
            headers: record.headers.iter().map(|h| (h.name.to_owned(), h.value.map(<[u8]>::to_vec))).collect(),
        });
        Outcome::Written { partition: chosen, offset, timestamp_ms: Some(record.timestamp_ms) }
    }
}

#[async_trait]
impl Produce for MemoryCluster {
    fn enqueue(&self, lane: Lane, record: &Record<'_>, token: Token) -> Result<(), LocalFull> {
        let mut state = self.state.lock();
        if state.full > 0 {
            state.full -= 1;
            return Err(LocalFull);
        }
        let outcome = if state.ended {
            failed(-154, Cause::Cluster, "Local: the producer is shut down")
        } else {
            state.write(record)
        };
        state.lanes.push(lane);
        if state.holds {
            state.held.push((token, outcome));
            return Ok(());
        }
        drop(state);
        self.hub.delivered(token, outcome);
        self.hub.batch_end();
        Ok(())
    }

    fn is_ready(&self, _: Lane) -> bool {
        true
    }

    async fn flush(&self, _: u64) -> usize {
        self.release(usize::MAX);
        0
    }

    async fn shut_down(&self, timeout_ms: u64) -> usize {
        self.state.lock().ended = true;
        self.flush(timeout_ms).await
    }
}

#[async_trait]
impl Consume for MemoryCluster {
    async fn read(
        &self,
        topic: &str,
        partition: i32,
        offset: i64,
        limit: usize,
        max_bytes: usize,
        _: u64,
    ) -> Result<Vec<ConsumedRecord>, AdminError> {
        self.check()?;
        let state = self.state.lock();
        let log = state.topics.get(topic).and_then(|p| p.get(partition as usize)).ok_or_else(unknown_topic)?;
        let from = if offset < 0 { (log.len() as i64 + offset).max(0) } else { offset };
        let mut bytes = 0;
        let size = |record: &ConsumedRecord| {
            record.key.as_ref().map_or(0, Vec::len) + record.value.as_ref().map_or(0, Vec::len)
        };
        // The first one comes whatever its size.
        let fits = |record: &&ConsumedRecord| {
            let is_first = bytes == 0;
            bytes += size(record);
            is_first || bytes <= max_bytes
        };
        Ok(log.iter().skip(from as usize).take(limit).take_while(fits).cloned().collect())
    }

    async fn offsets(&self, topic: &str, partition: i32, _: u64) -> Result<(i64, i64), AdminError> {
        self.check()?;
        let state = self.state.lock();
        let log = state.topics.get(topic).and_then(|p| p.get(partition as usize)).ok_or_else(unknown_topic)?;
        Ok((0, log.len() as i64))
    }
}

/// What a principal without limits may do with a topic.
const OPERATIONS: &[&str] =
    &["ALTER", "ALTER_CONFIGS", "CREATE", "DELETE", "DESCRIBE", "DESCRIBE_CONFIGS", "READ", "WRITE"];

fn describe(name: &str, partitions: usize) -> TopicDescription {
    let partition = |id| PartitionDescription { id, leader: Some(1), replicas: vec![1], in_sync: vec![1] };
    TopicDescription {
        name: name.to_owned(),
        is_internal: name == "__consumer_offsets",
        partitions: (0..partitions as i32).map(partition).collect(),
        authorized_operations: Vec::new(),
    }
}

#[async_trait]
impl Administer for MemoryCluster {
    async fn describe_cluster(&self, _: u64) -> Result<ClusterDescription, AdminError> {
        self.check()?;
        let broker = Broker { id: 1, host: Some("127.0.0.1".to_owned()), port: Some(9092), rack: None };
        Ok(ClusterDescription { cluster_id: self.id.clone(), controller: Some(1), brokers: vec![broker] })
    }

    async fn describe_topics(
        &self,
        names: Option<&[String]>,
        authorized_operations: bool,
        _: u64,
    ) -> Result<Vec<Result<TopicDescription, AdminError>>, AdminError> {
        self.check()?;
        let state = self.state.lock();
        let one = |name: &String| {
            let partitions = state.topics.get(name).ok_or_else(unknown_topic)?;
            let mut topic = describe(name, partitions.len());
            if authorized_operations {
                topic.authorized_operations = OPERATIONS.iter().map(|name| (*name).to_owned()).collect();
            }
            Ok(topic)
        };
        Ok(match names {
            Some(names) => names.iter().map(one).collect(),
            None => state.topics.keys().map(one).collect(),
        })
    }

    async fn create_topic(&self, topic: &NewTopic, _: u64) -> Result<(), AdminError> {
        self.check()?;
        let mut state = self.state.lock();
        if state.topics.contains_key(&topic.name) {
            return Err(AdminError { code: 36, message: format!("Topic '{}' already exists.", topic.name) });
        }
        let refused = |code, text: &str| Err(AdminError { code, message: text.to_owned() });
        if topic.partitions.is_some_and(|count| count < -1 || count == 0) {
            return refused(37, "Number of partitions was set to an invalid non-positive value.");
        }
        match topic.replication_factor {
            Some(-1 | 1) | None => {}
            Some(..=0) => {
                return refused(38, "Replication factor must be larger than 0, or -1 to use the default value.");
            }
            Some(count) => {
                return refused(38, &format!("Unable to replicate the partition {count} time(s): there is 1 broker"));
            }
        }
        let partitions = match &topic.assignments {
            Some(assignments) => assignments.len(),
            None => topic.partitions.filter(|count| *count > 0).unwrap_or(1) as usize,
        };
        if !topic.validate_only {
            state.topics.insert(topic.name.clone(), vec![Vec::new(); partitions]);
        }
        Ok(())
    }

    async fn topic_defaults(&self, _: u64) -> Result<TopicDefaults, AdminError> {
        self.check()?;
        Ok(TopicDefaults { partitions: 1, replication_factor: 1 })
    }

    async fn partitions_of(&self, topic: &str, if_missing: IfMissing, _: u64) -> Result<Option<i32>, AdminError> {
        self.check()?;
        let mut state = self.state.lock();
        state.metadata_calls += 1;
        if let (IfMissing::BrokerMayCreate, Some(partitions)) = (if_missing, state.auto_create) {
            state.topics.entry(topic.to_owned()).or_insert_with(|| vec![Vec::new(); partitions as usize]);
        }
        Ok(state.topics.get(topic).map(|partitions| partitions.len() as i32))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{Inbox, Subject};

    async fn memory() -> Subject {
        let inbox = Arc::new(Inbox::default());
        Subject::new(MemoryCluster::new("memory", inbox.clone()).handle("memory"), inbox)
    }

    crate::cluster_conformance!(memory());
}
