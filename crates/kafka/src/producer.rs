//! Writing: one librdkafka producer per lane, and a thread that turns its delivery reports into outcomes.
//!
//! Producers start with the client, in the background: a new one needs half a second or more for its producer id, which
//! is too much of lane `Redirectable`'s second.
//!
//! Invariant: every accepted record gets exactly one outcome; what librdkafka refuses on the spot gets it within
//! [`Produce::enqueue`]. `SurelyNot` only where librdkafka's persistence status says so, and never from a producer that
//! died of a fatal error: such a producer is replaced, and what it still held may be written.
//!
//! A topic with a message timeout of its own has it from its handle. librdkafka keeps what a topic was first opened with
//! as long as the producer lives; so a topic whose timeout changed gets its lane a new producer, which takes records as
//! soon as the old one has told what became of its own: the order of a topic's records outlives the change.
//!
//! Hot path: one read lock (lane, topic handle), one call into librdkafka, no allocation. Source: `rdkafka.h`,
//! `rd_kafka_message_status`; outcome table of the tests.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use parking_lot::RwLock;
use prometheus::{IntCounter, IntGauge};
use sluice_data_plane::{Cause, Deliveries, Fault, Lane, LocalFull, Outcome, Persistence, Produce, Record, Token};

use crate::client::{Alive, Core, Flavour, IDLE_POLL_MS, as_ms, spawn};
use crate::error::{
    self, Code, LOCAL_FATAL, LOCAL_QUEUE_FULL, LOCAL_STATE, LOCAL_UNKNOWN_PARTITION, MESSAGE_TOO_LARGE, NO_ERROR,
};
use crate::ffi::{self, Event, Handle, Kind, Report, Reports, Topic};

/// Topic handles kept per lane.
const MOST_TOPICS: usize = 4_096;
/// A producer is not replaced more often than this: trouble that returns at once must not spin.
const BETWEEN_STARTS: Duration = Duration::from_millis(500);
/// How long a producer needs at most, on a cluster that answers, until it has its producer id.
const START_TIME: Duration = Duration::from_secs(1);
/// How long the end waits for the outcomes of what was given up.
const PURGE_MS: u64 = 2_000;

/// [`Produce`] of one cluster.
pub(crate) struct KafkaProducer {
    alive: Arc<Alive>,
    /// By the number of their [`Lane`].
    lanes: [Arc<LaneProducer>; Lane::ALL.len()],
    is_closed: AtomicBool,
}

impl KafkaProducer {
    pub(crate) fn new(alive: Arc<Alive>, deliveries: Arc<dyn Deliveries>) -> KafkaProducer {
        let lane = |lane| Arc::new(LaneProducer::new(lane, alive.core().clone(), deliveries.clone()));
        let lanes = Lane::ALL.map(lane);
        let warming = [lanes[0].clone(), lanes[1].clone()];
        // if this thread cannot be started, the first record starts its lane; many servers never see a fast stream
        let _ = spawn("kafka-warm", move || warming.iter().for_each(LaneProducer::warm));
        KafkaProducer { alive, lanes, is_closed: AtomicBool::new(false) }
    }

    fn lane(&self, lane: Lane) -> &Arc<LaneProducer> {
        &self.lanes[lane as usize]
    }

    /// Why `record` is refused without asking librdkafka.
    fn refusal(&self, record: &Record<'_>) -> Option<(Code, String)> {
        let core = self.alive.core();
        if self.is_closed.load(Ordering::Relaxed) {
            return Some((LOCAL_STATE, "the server is shutting down".to_owned()));
        }
        if !core.is_right() {
            return Some((LOCAL_STATE, core.why_not_right()));
        }
        if record.partition.is_some_and(|partition| partition < 0) {
            return Some((LOCAL_UNKNOWN_PARTITION, error::text(LOCAL_UNKNOWN_PARTITION)));
        }
        let (size, most) = (serialized_size(record), u64::from(core.settings.max_request_bytes));
        (size > most).then(|| {
            let text = format!(
                "The message is {size} bytes when serialized which is larger than {most}, which is the value of the \
                 max.request.size configuration."
            );
            (MESSAGE_TOO_LARGE, text)
        })
    }
}

#[async_trait]
impl Produce for KafkaProducer {
    fn enqueue(&self, lane: Lane, record: &Record<'_>, token: Token) -> Result<(), LocalFull> {
        let lane = self.lane(lane);
        match self.refusal(record) {
            Some((code, text)) => lane.refuse(token, code, text),
            None => return lane.enqueue(record, token),
        }
        Ok(())
    }

    fn is_ready(&self, lane: Lane) -> bool {
        self.lane(lane).is_ready()
    }

    async fn flush(&self, timeout_ms: u64) -> usize {
        let producers: Vec<_> = self.lanes.iter().flat_map(|lane| lane.producers()).collect();
        let timeout_ms = as_ms(Duration::from_millis(timeout_ms));
        let flushes: Vec<_> = producers
            .iter()
            .cloned()
            .map(|producer| tokio::task::spawn_blocking(move || producer.handle.flush(timeout_ms)))
            .collect();
        for flush in flushes {
            let _ = flush.await; // only a panic would fail it; what counts is what is left
        }
        producers.iter().map(|producer| producer.unanswered()).sum()
    }

    async fn shut_down(&self, timeout_ms: u64) -> usize {
        self.is_closed.store(true, Ordering::Relaxed);
        let given_up = self.flush(timeout_ms).await;
        for lane in &self.lanes {
            lane.close();
        }
        self.flush(PURGE_MS).await;
        given_up
    }
}

impl Drop for KafkaProducer {
    fn drop(&mut self) {
        for lane in &self.lanes {
            lane.close();
        }
    }
}

/// Bytes of a record as a Java producer counts them before it compares with `max.request.size`: an upper bound of a
/// batch with this record alone.
///
/// Source: `DefaultRecordBatch.estimateBatchSizeUpperBound`, `DefaultRecord.recordSizeUpperBound`, Kafka 4.4.0.
fn serialized_size(record: &Record<'_>) -> u64 {
    const BATCH_OVERHEAD: usize = 61;
    const RECORD_OVERHEAD: usize = 21;
    let field = |bytes: Option<usize>| bytes.map_or(1, |len| varint_size(len) + len);
    let headers: usize =
        record.headers.iter().map(|header| field(Some(header.name.len())) + field(header.value.map(<[u8]>::len))).sum();
    let size = BATCH_OVERHEAD
        + RECORD_OVERHEAD
        + field(record.key.map(<[u8]>::len))
        + field(record.value.map(<[u8]>::len))
        + varint_size(record.headers.len())
        + headers;
    size as u64
}

/// Bytes of a length as a zigzag varint: seven bits each, after one bit for the sign.
fn varint_size(len: usize) -> usize {
    let bits = usize::BITS - (len << 1).leading_zeros();
    (bits.max(1) as usize).div_ceil(7)
}

/// One lane.
struct LaneProducer {
    lane: Lane,
    core: Arc<Core>,
    deliveries: Arc<dyn Deliveries>,
    state: RwLock<LaneState>,
    counters: Counters,
    began: Instant,
    /// A thread is about to start the producer.
    is_warming: AtomicBool,
}

#[derive(Default)]
struct LaneState {
    current: Option<Arc<Producer>>,
    /// Topic handles of `current`, by name.
    topics: HashMap<Box<str>, CachedTopic>,
    /// Message timeouts that `current` has opened topics with; librdkafka forgets none of them either.
    timeouts: HashMap<Box<str>, Option<u32>>,
    /// Counts topics opened: the clock of the least-recently-used order.
    clock: u64,
    /// Given up, but with outcomes to come.
    retired: Vec<Weak<Producer>>,
    started: Option<Instant>,
    /// Why the last one was given up, or did not start.
    last_death: Option<String>,
    is_closed: bool,
}

struct CachedTopic {
    topic: Topic,
    timeout_ms: Option<u32>,
    used: AtomicU64,
    /// When librdkafka was last told to ask about it again, in ms since the lane began.
    asked_again_ms: AtomicU64,
}

/// Outcome counters of a lane.
struct Counters {
    written: IntCounter,
    surely_not: IntCounter,
    maybe: IntCounter,
    unanswered: IntGauge,
    rebuilds: IntCounter,
}

/// A librdkafka producer and the records that it has not answered.
struct Producer {
    handle: Arc<Handle>,
    unanswered: AtomicUsize,
    life: AtomicU8,
    started: Instant,
}

/// [`Producer::life`]: in use; no more records, finishes what it has; gives up what it has; died of a fatal error.
const LIVING: u8 = 0;
const FINISHING: u8 = 1;
const ENDING: u8 = 2;
const DEAD: u8 = 3;

/// Why a lane cannot take a record now.
enum Unprepared {
    /// Another producer has to finish first.
    Finishing,
    /// The record is refused.
    Refused(Code, String),
}

impl Producer {
    fn unanswered(&self) -> usize {
        self.unanswered.load(Ordering::Acquire)
    }

    /// Takes no more records; the lane's thread finishes, or gives up on, what is left.
    fn end(&self, as_: u8) {
        self.life.fetch_max(as_, Ordering::AcqRel);
        self.handle.wake();
    }
}

impl LaneProducer {
    fn new(lane: Lane, core: Arc<Core>, deliveries: Arc<dyn Deliveries>) -> LaneProducer {
        let (cluster, metrics) = (core.settings.name.as_str(), &core.metrics);
        let outcome = |name| metrics.outcomes.with_label_values(&[cluster, name]);
        let counters = Counters {
            written: outcome("written"),
            surely_not: outcome("surely_not"),
            maybe: outcome("maybe"),
            unanswered: metrics.unanswered.with_label_values(&[cluster, lane_name(lane)]),
            rebuilds: metrics.rebuilds.with_label_values(&[cluster, lane_name(lane)]),
        };
        let (state, began, is_warming) = (RwLock::default(), Instant::now(), AtomicBool::new(false));
        LaneProducer { lane, core, deliveries, state, counters, began, is_warming }
    }

    fn enqueue(self: &Arc<Self>, record: &Record<'_>, token: Token) -> Result<(), LocalFull> {
        // once as it is, once after starting what is missing, once more after a producer found dead
        for _ in 0..3 {
            match self.hand_over(record, token) {
                Some(Ok(())) => return Ok(()),
                Some(Err(LOCAL_QUEUE_FULL)) => return Err(LocalFull),
                Some(Err(LOCAL_FATAL)) => self.replace_dead(),
                Some(Err(code)) => {
                    self.doubt_topic(record.topic, code);
                    self.ask_again(record.topic);
                    self.refuse(token, code, error::text(code));
                    return Ok(());
                }
                None => {}
            }
            match self.prepare(record.topic, self.timeout_of(record)) {
                Ok(()) => {}
                Err(Unprepared::Finishing) => return Err(LocalFull),
                Err(Unprepared::Refused(code, text)) => {
                    self.refuse(token, code, text);
                    return Ok(());
                }
            }
        }
        self.refuse(token, LOCAL_FATAL, error::text(LOCAL_FATAL));
        Ok(())
    }

    /// The message timeout of the record's topic; `None` is the lane's.
    fn timeout_of(&self, record: &Record<'_>) -> Option<u32> {
        match self.lane {
            Lane::Redirectable => None,
            Lane::Pinned | Lane::Stream => record.message_timeout_ms,
        }
    }

    /// Gives the record to librdkafka; `None` where producer or topic handle are missing, or were made for another
    /// timeout.
    fn hand_over(&self, record: &Record<'_>, token: Token) -> Option<Result<(), Code>> {
        let state = self.state.read();
        let producer = state.current.as_ref()?;
        let cached = state.topics.get(record.topic).filter(|cached| cached.timeout_ms == self.timeout_of(record))?;
        if cached.used.load(Ordering::Relaxed) != state.clock {
            cached.used.store(state.clock, Ordering::Relaxed);
        }
        // counted before: the report may come before the call returns
        producer.unanswered.fetch_add(1, Ordering::Relaxed);
        let result = cached.topic.produce(record, token.0 as usize);
        if result.is_err() {
            producer.unanswered.fetch_sub(1, Ordering::Relaxed);
        }
        Some(result)
    }

    /// Starts the producer and opens the topic, where missing.
    fn prepare(self: &Arc<Self>, topic: &str, timeout_ms: Option<u32>) -> Result<(), Unprepared> {
        let refused = |code, text| Unprepared::Refused(code, text);
        let mut state = self.state.write();
        if state.is_closed {
            return Err(refused(LOCAL_STATE, "the server is shutting down".to_owned()));
        }
        if state.timeouts.get(topic).is_some_and(|opened| *opened != timeout_ms) {
            tracing::info!(cluster = %self.core.settings.name, topic, ?timeout_ms, "a topic's message timeout changed");
            state.retire(FINISHING);
            state.started = None; // as planned: no reason to wait
        }
        let producer = match &state.current {
            Some(producer) => producer.clone(),
            None if state.is_finishing() => return Err(Unprepared::Finishing),
            None => self.start(&mut state).map_err(|text| refused(LOCAL_FATAL, text))?,
        };
        if state.topics.contains_key(topic) {
            return Ok(());
        }
        if state.topics.len() >= MOST_TOPICS {
            state.forget_least_recently_used();
        }
        let opened = match timeout_ms {
            None => Topic::new(&producer.handle, topic),
            Some(timeout_ms) => {
                let timeout_ms = timeout_ms.max(self.core.settings.shortest_timeout_ms(self.lane));
                Topic::with_message_timeout(&producer.handle, topic, timeout_ms)
            }
        };
        let opened = opened.map_err(|code| refused(code, error::text(code)))?;
        state.clock += 1;
        let (used, asked_again_ms) = (AtomicU64::new(state.clock), AtomicU64::new(0));
        state.topics.insert(Box::from(topic), CachedTopic { topic: opened, timeout_ms, used, asked_again_ms });
        state.timeouts.insert(Box::from(topic), timeout_ms);
        Ok(())
    }

    /// Starts the producer if nothing has; what fails is said to the first record.
    fn warm(self: &Arc<Self>) {
        let mut state = self.state.write();
        if state.current.is_none() && !state.is_closed {
            let _ = self.start(&mut state);
        }
    }

    /// Whether the producer has lived long enough to have its producer id; starts it, in the background, if nothing has.
    fn is_ready(self: &Arc<Self>) -> bool {
        if let Some(started) = self.state.read().current.as_ref().map(|producer| producer.started) {
            return started.elapsed() >= START_TIME;
        }
        if !self.is_warming.swap(true, Ordering::AcqRel) {
            let lane = self.clone();
            let warming = spawn("kafka-warm", move || {
                lane.warm();
                lane.is_warming.store(false, Ordering::Release);
            });
            if warming.is_err() {
                self.is_warming.store(false, Ordering::Release);
            }
        }
        false
    }

    fn start(self: &Arc<Self>, state: &mut LaneState) -> Result<Arc<Producer>, String> {
        if state.started.is_some_and(|started| started.elapsed() < BETWEEN_STARTS) {
            let death = state.last_death.as_deref().unwrap_or("it did not start");
            return Err(format!("the producer is being replaced: {death}"));
        }
        state.started = Some(Instant::now());
        let properties = self.core.settings.producer(self.lane);
        let started = ffi::in_batch_policy(|| Handle::new(Kind::Producer, &properties));
        let handle = started.inspect_err(|text| state.last_death = Some(text.clone()))?;
        let producer = Arc::new(Producer {
            handle: Arc::new(handle),
            unanswered: AtomicUsize::new(0),
            life: AtomicU8::new(LIVING),
            started: Instant::now(),
        });
        let (lane, serving) = (self.clone(), producer.clone());
        spawn(&format!("kafka-{}", lane_name(self.lane)), move || {
            ffi::batch_policy(true);
            lane.serve(&serving);
        })?;
        state.current = Some(producer.clone());
        Ok(producer)
    }

    /// The producers that may still have outcomes to give.
    fn producers(&self) -> Vec<Arc<Producer>> {
        let state = self.state.read();
        state.current.iter().cloned().chain(state.retired.iter().filter_map(Weak::upgrade)).collect()
    }

    /// No more records; what has no outcome is given up.
    fn close(&self) {
        let mut state = self.state.write();
        state.is_closed = true;
        state.retire(ENDING);
        for producer in state.retired.iter().filter_map(Weak::upgrade) {
            producer.end(ENDING); // also what was to finish
        }
    }

    /// After librdkafka said that the current producer died; does nothing if it was replaced already.
    fn replace_dead(&self) {
        let mut state = self.state.write();
        let Some(death) = state.current.as_ref().and_then(|producer| producer.handle.fatal_error()) else { return };
        tracing::warn!(
            cluster = %self.core.settings.name, lane = lane_name(self.lane), code = death.0, error = %death.1,
            "producer died of a fatal error and is replaced"
        );
        self.counters.rebuilds.inc();
        state.last_death = Some(death.1);
        state.retire(DEAD);
    }

    /// The lane's thread: reports to outcomes until the producer has ended and every record has one.
    fn serve(&self, producer: &Producer) {
        loop {
            let life = producer.life.load(Ordering::Acquire);
            let wait_ms = if life == LIVING { IDLE_POLL_MS } else { 50 };
            match producer.handle.poll(wait_ms) {
                Some(Event::Delivered(reports)) => self.deliver(producer, reports),
                Some(Event::Error { code, text, is_fatal }) => {
                    self.core.noted(code, &text);
                    if is_fatal || code == LOCAL_FATAL {
                        if producer.handle.fatal_error().is_some() {
                            // also one that only finishes: its reports prove nothing any more
                            producer.life.fetch_max(DEAD, Ordering::AcqRel);
                        }
                        self.replace_dead();
                    }
                }
                Some(Event::Log { level, text }) => self.core.logged(level, &text),
                Some(Event::Admin { .. } | Event::Other) => {}
                None => {
                    let unanswered = producer.unanswered();
                    self.counters.unanswered.set(i64::try_from(unanswered).unwrap_or(i64::MAX));
                    if producer.life.load(Ordering::Acquire) != LIVING {
                        if unanswered == 0 {
                            break;
                        }
                        if producer.life.load(Ordering::Acquire) != FINISHING {
                            producer.handle.purge();
                        }
                    }
                }
            }
        }
        self.state.write().retired.retain(|retired| !std::ptr::eq(retired.as_ptr(), producer));
    }

    fn deliver(&self, producer: &Producer, mut reports: Reports<'_>) {
        let is_dead = producer.life.load(Ordering::Acquire) == DEAD;
        let (mut written, mut surely_not, mut maybe) = (0, 0, 0);
        let total = reports.for_each(|report| {
            let outcome = self.outcome(&report, is_dead);
            match &outcome {
                Outcome::Written { .. } => written += 1,
                Outcome::Failed { persistence: Persistence::SurelyNot, .. } => surely_not += 1,
                Outcome::Failed { persistence: Persistence::Maybe, .. } => maybe += 1,
            }
            self.deliveries.delivered(Token(report.opaque() as u64), outcome);
        });
        self.deliveries.batch_end();
        let left = producer.unanswered.fetch_sub(total, Ordering::AcqRel).saturating_sub(total);
        self.counters.written.inc_by(written);
        self.counters.surely_not.inc_by(surely_not);
        self.counters.maybe.inc_by(maybe);
        self.counters.unanswered.set(i64::try_from(left).unwrap_or(i64::MAX));
        // only now: librdkafka counts these records as gone, and a flush ends, when the reports are dropped
        drop(reports);
    }

    fn outcome(&self, report: &Report<'_>, is_dead: bool) -> Outcome {
        let code = report.code();
        if code == NO_ERROR {
            let (partition, offset) = report.place();
            // the in-process broker reports a made-up time
            let timestamp_ms = if self.core.flavour == Flavour::Dev { None } else { report.timestamp_ms() };
            return Outcome::Written { partition, offset: offset.max(-1), timestamp_ms };
        }
        let persistence =
            if report.is_surely_not_written() && !is_dead { Persistence::SurelyNot } else { Persistence::Maybe };
        if let Some(topic) = report.topic() {
            self.doubt_topic(&topic, code);
        }
        let error = self.core.admin_error(code, None);
        failed(persistence, error.code, error.message)
    }

    /// Lets the next question about a topic reach the cluster, when `code` contradicts what was believed of it.
    fn doubt_topic(&self, topic: &str, code: Code) {
        if matches!(error::cause(code), Cause::UnknownTopic | Cause::UnknownPartition) {
            self.core.topics.forget(topic);
        }
    }

    /// librdkafka remembers that a topic was denied, or does not exist, and refuses its records without asking, until
    /// it refreshes metadata (5 minutes). Makes it ask now, at most once a second per topic.
    fn ask_again(&self, topic: &str) {
        let state = self.state.read();
        let Some(cached) = state.topics.get(topic) else { return };
        let now_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let last_ms = cached.asked_again_ms.load(Ordering::Relaxed);
        if now_ms.saturating_sub(last_ms) >= 1_000
            && cached.asked_again_ms.compare_exchange(last_ms, now_ms, Ordering::Relaxed, Ordering::Relaxed).is_ok()
        {
            cached.topic.refresh();
        }
    }

    /// The outcome of a record that librdkafka never took.
    fn refuse(&self, token: Token, code: Code, text: String) {
        self.counters.surely_not.inc();
        self.deliveries.delivered(token, failed(Persistence::SurelyNot, code, text));
        self.deliveries.batch_end();
    }
}

impl LaneState {
    /// Whether a producer that was retired in good order has records without an outcome.
    fn is_finishing(&self) -> bool {
        let mut retired = self.retired.iter().filter_map(Weak::upgrade);
        retired.any(|producer| producer.life.load(Ordering::Acquire) == FINISHING && producer.unanswered() > 0)
    }

    fn retire(&mut self, as_: u8) {
        self.topics.clear();
        self.timeouts.clear();
        if let Some(producer) = self.current.take() {
            self.retired.push(Arc::downgrade(&producer));
            producer.end(as_);
        }
    }

    /// Closes the half of the topic handles that was used least recently. Records in flight keep theirs.
    fn forget_least_recently_used(&mut self) {
        let mut used: Vec<u64> = self.topics.values().map(|cached| cached.used.load(Ordering::Relaxed)).collect();
        let middle = used.len() / 2;
        let (_, &mut median, _) = used.select_nth_unstable(middle);
        self.topics.retain(|_, cached| cached.used.load(Ordering::Relaxed) > median);
    }
}

fn failed(persistence: Persistence, code: Code, message: String) -> Outcome {
    Outcome::Failed { persistence, cause: error::cause(code), fault: Box::new(Fault { code, message }) }
}

fn lane_name(lane: Lane) -> &'static str {
    match lane {
        Lane::Redirectable => "redirectable",
        Lane::Pinned => "pinned",
        Lane::Stream => "stream",
    }
}

#[cfg(test)]
mod tests;
