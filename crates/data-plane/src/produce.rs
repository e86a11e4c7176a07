//! A stream of records: order, window, outcomes, reports.
//!
//! Records are enqueued in the order they are offered; reports come out in that order whatever the order of outcomes.
//! At most `max_unanswered_records` (a fast stream: four times as many) or `max_unanswered_bytes` are without a report:
//! a full window is the surface's sign to read no further, and a client that does not read its reports stops its own
//! stream. There is no cancel: a record whose outcome does not come in time is reported as *unknown*, and its outcome,
//! should it come, is ignored.
//!
//! The surface drives: [`ProduceStream::offer`] per record, [`ProduceStream::poll_outcomes`], then
//! [`ProduceStream::next_report`] until there is none. Nothing here is async but what `offer` asks to be settled.

use std::collections::VecDeque;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use futures_util::future::BoxFuture;
use sluice_registry::Caller;
use sluice_schema::{SchemaId, Version};
use tokio::time::Instant;

use crate::cluster::{Header, Lane, LocalFull, Record};
use crate::deliveries::Inbox;
use crate::error::RecordError;
use crate::intake::{Intake, Prepared, Settled, SideReport};
use crate::metrics::ClusterCounters;
use crate::outcome::{Cause, Outcome, Persistence};
use crate::pace::Pace;
use crate::plane::DataPlane;
use crate::record::{EmbeddedFormat, RecordRequest};
use crate::route::{ReportedId, RouteError};

/// What became of an offer.
pub enum Offer {
    /// The record has its place: its report will come, good or bad.
    Taken,
    /// Something must be learned first: await it, pass it to [`ProduceStream::learn`], offer the record again.
    Wait(BoxFuture<'static, Settled>),
    /// The producer's queue is full: wait for outcomes, at most until this time, and offer the record again.
    Full(Instant),
}

/// A report that can be written now.
#[derive(Debug)]
pub enum Report<'a> {
    /// Written.
    Written(Written<'a>),
    /// Not written, or nobody knows.
    Failed(RecordError),
}

/// A record in the log.
#[derive(Debug)]
pub struct Written<'a> {
    /// As the path had it, or Kafka's.
    pub cluster_id: &'a str,
    /// Partition.
    pub partition: i32,
    /// Offset; -1 when the broker did not say.
    pub offset: i64,
    /// Milliseconds since 1970, if given.
    pub timestamp_ms: Option<i64>,
    /// The key, if the request had one.
    pub key: Option<Side<'a>>,
    /// The value, if the request had one.
    pub value: Option<Side<'a>>,
}

/// Key or value of a written record.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a>(&'a SideReport);

impl<'a> Side<'a> {
    /// Its format; the schema's where the request named none.
    pub fn format(self) -> EmbeddedFormat {
        self.0.format
    }

    /// Bytes written, frame included; -1 for null.
    pub fn size(self) -> i64 {
        self.0.size
    }

    /// Subject, id and version of its schema.
    pub fn schema(self) -> Option<(&'a str, SchemaId, Version)> {
        self.0.schema.as_ref().map(|schema| (&*schema.subject, schema.id, schema.version))
    }
}

#[derive(Debug)]
enum State {
    InFlight,
    Arrived(Outcome),
    Refused(Box<RecordError>),
}

struct Slot {
    state: State,
    key: Option<SideReport>,
    value: Option<SideReport>,
    cluster: Option<Arc<Destination>>,
    sent_at: Instant,
    bytes: usize,
    /// Asked for, and how many the topic was known to have.
    partition: Option<(i32, i32)>,
}

/// A cluster as one stream's reports name it.
struct Destination {
    name: Arc<str>,
    reported_id: Arc<str>,
    counters: ClusterCounters,
}

/// The records of one request.
pub struct ProduceStream {
    plane: DataPlane,
    intake: Intake,
    inbox: Inbox,
    slots: VecDeque<Slot>,
    /// Number of the first slot; wraps.
    first: u32,
    unanswered_bytes: usize,
    destination: Option<Arc<Destination>>,
    full_since: Option<Instant>,
    reported: Option<Slot>,
    pace: Pace,
}

impl DataPlane {
    /// A stream of records to `topic` under `cluster_id`. Refuses an unknown id, and undeclared topics where those are
    /// denied; everything else is told per record.
    pub fn open_stream(&self, caller: &Caller, cluster_id: &str, topic: &str) -> Result<ProduceStream, RouteError> {
        let intake = Intake::open(self, caller, cluster_id, topic)?;
        self.inner.metrics.streams.inc();
        Ok(ProduceStream {
            plane: self.clone(),
            intake,
            inbox: Inbox::open(&self.inner.hub),
            slots: VecDeque::new(),
            first: 0,
            unanswered_bytes: 0,
            destination: None,
            full_since: None,
            reported: None,
            pace: Pace::default(),
        })
    }
}

impl ProduceStream {
    /// The topic.
    pub fn topic(&self) -> &str {
        self.intake.topic()
    }

    /// Whether another record may be offered. A record larger than the window fits an empty one.
    pub fn has_room(&self) -> bool {
        let config = &self.plane.inner.config;
        self.slots.len() < self.pace.window(config.max_unanswered_records)
            && self.unanswered_bytes < config.max_unanswered_bytes
            && !self.pace.must_wait(self.inbox.in_flight())
    }

    /// Whether every record has had its report.
    pub fn is_answered(&self) -> bool {
        self.slots.is_empty()
    }

    /// Offers the next record. `wall_ms` is the time it gets if it has none, milliseconds since 1970.
    pub fn offer(&mut self, record: &RecordRequest<'_>, now: Instant, wall_ms: i64) -> Offer {
        let placement = match self.intake.prepare(record, now) {
            Ok(Prepared::Ready(placement)) => placement,
            Ok(Prepared::Needs(need)) => return Offer::Wait(self.intake.settle(need)),
            Err(error) => {
                self.refuse(error, now);
                return Offer::Taken;
            }
        };
        let destination = self.destination(&placement.cluster.handle.name, &placement);
        let (key, value) = (self.intake.key.bytes(), self.intake.value.bytes());
        let bytes = key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len);
        let number = self.first.wrapping_add(self.slots.len() as u32);
        let headers: Vec<Header<'_>> = record.headers.iter().map(|header| header.as_header()).collect();
        let route = self.intake.route();
        let lane = route.map_or(Lane::Pinned, |route| route.lane);
        let lane = self.pace.lane(lane, self.inbox.in_flight(), now);
        let declared = route.and_then(|route| route.topic.as_ref());
        let to_send = Record {
            topic: self.intake.topic(),
            partition: record.partition,
            key,
            value,
            headers: &headers,
            timestamp_ms: record.timestamp_ms.unwrap_or(wall_ms),
            message_timeout_ms: declared.and_then(|topic| topic.message_timeout_ms()),
        };
        match placement.cluster.handle.produce.enqueue(lane, &to_send, self.inbox.token(number)) {
            Ok(()) => {}
            Err(LocalFull) => return self.full(&destination, now),
        }
        self.full_since = None;
        self.pace.sent(lane, now, || placement.cluster.handle.produce.is_ready(Lane::Stream));
        self.intake.sent();
        self.inbox.sent();
        self.unanswered_bytes += bytes;
        self.slots.push_back(Slot {
            state: State::InFlight,
            key: self.intake.key.report.take(),
            value: self.intake.value.report.take(),
            cluster: Some(destination),
            sent_at: now,
            bytes,
            partition: record.partition.map(|partition| (partition, placement.partitions)),
        });
        Offer::Taken
    }

    fn destination(&mut self, name: &Arc<str>, placement: &crate::plane::Placement) -> Arc<Destination> {
        if let Some(known) = self.destination.as_ref().filter(|known| known.name == *name) {
            return known.clone();
        }
        let live = &placement.cluster;
        let of_path = self.intake.route().is_none_or(|route| route.reported == ReportedId::OfPath);
        let reported_id = match live.handle.kafka_id.get() {
            Some(id) if !of_path => id.clone(),
            _ if !of_path => self.plane.inner.topology.load().kafka_id(name).unwrap_or_else(|| name.clone()),
            _ => self.intake.cluster_id().clone(),
        };
        let counters = live.counters.clone();
        let destination = Arc::new(Destination { name: name.clone(), reported_id, counters });
        self.destination = Some(destination.clone());
        destination
    }

    fn full(&mut self, destination: &Destination, now: Instant) -> Offer {
        let since = *self.full_since.get_or_insert(now);
        let until = since + Duration::from_millis(self.plane.inner.config.saturation_wait_ms);
        if now < until {
            return Offer::Full(until);
        }
        self.full_since = None;
        self.refuse(RecordError::Saturated(destination.name.to_string()), now);
        Offer::Taken
    }

    /// Gives a record that cannot even be offered its place.
    pub fn refuse(&mut self, error: RecordError, now: Instant) {
        self.plane.inner.metrics.refused.inc();
        let state = State::Refused(Box::new(error));
        let (key, value, cluster, partition) = (None, None, None, None);
        self.slots.push_back(Slot { state, key, value, cluster, sent_at: now, bytes: 0, partition });
    }

    /// Takes what was learned while an offer waited.
    pub fn learn(&mut self, settled: Settled, now: Instant) {
        self.intake.learn(settled, now);
    }

    /// Takes the outcomes that have arrived; `waker` is woken when more do. What was taken need not be what the next
    /// report waits for: partitions answer in any order. So it ends only with the waker in place.
    pub fn poll_outcomes(&mut self, waker: &Waker) {
        while self.inbox.in_flight() > 0 && self.inbox.poll_arrived(waker) {
            self.take_outcomes();
        }
    }

    /// Takes the outcomes that have arrived.
    pub fn take_outcomes(&mut self) {
        let (first, slots) = (self.first, &mut self.slots);
        self.inbox.take(|number, outcome| {
            // Behind the first: reported as unknown already.
            if let Some(slot) = slots.get_mut(number.wrapping_sub(first) as usize)
                && matches!(slot.state, State::InFlight)
            {
                slot.state = State::Arrived(outcome);
            }
        });
    }

    /// When the oldest record that waits must be given up; `None` if its report is ready, or there is none.
    pub fn deadline(&self) -> Option<Instant> {
        let head = self.slots.front().filter(|head| matches!(head.state, State::InFlight))?;
        let declared = self.intake.route().and_then(|route| route.topic.as_ref()).and_then(|t| t.total_deadline_ms);
        let wait_ms = declared.unwrap_or(self.plane.inner.config.outcome_deadline_ms);
        Some(head.sent_at + Duration::from_millis(wait_ms))
    }

    /// Gives up on records that have waited too long: nobody knows.
    pub fn expire(&mut self, now: Instant) {
        let Some(deadline) = self.deadline().filter(|deadline| *deadline <= now) else { return };
        // The head's deadline holds for all that were sent when it was.
        let Some(sent_by) = self.slots.front().map(|head| head.sent_at + now.duration_since(deadline)) else { return };
        self.give_up_if(now, |slot| slot.sent_at <= sent_by);
    }

    /// Gives up on everything that is in flight: the server stops.
    pub fn give_up(&mut self, now: Instant) {
        self.give_up_if(now, |_| true);
    }

    fn give_up_if(&mut self, now: Instant, which: impl Fn(&Slot) -> bool) {
        self.take_outcomes();
        for slot in self.slots.iter_mut().filter(|slot| matches!(slot.state, State::InFlight) && which(slot)) {
            let after_ms = now.duration_since(slot.sent_at).as_millis() as u64;
            slot.state = State::Refused(Box::new(RecordError::OutcomeUnknown { after_ms }));
            if let Some(cluster) = &slot.cluster {
                cluster.counters.unknown.inc();
            }
        }
    }

    /// The next report in order, if it is ready.
    pub fn next_report(&mut self, now: Instant) -> Option<Report<'_>> {
        if matches!(self.slots.front()?.state, State::InFlight) {
            return None;
        }
        let mut slot = self.slots.pop_front()?;
        self.first = self.first.wrapping_add(1);
        self.unanswered_bytes -= slot.bytes;
        match std::mem::replace(&mut slot.state, State::InFlight) {
            State::InFlight => None,
            State::Refused(error) => Some(Report::Failed(*error)),
            State::Arrived(Outcome::Failed { persistence, cause, fault }) => {
                if let Some(cluster) = &slot.cluster {
                    match persistence {
                        Persistence::SurelyNot => cluster.counters.surely_not.inc(),
                        Persistence::Maybe => cluster.counters.unknown.inc(),
                    }
                }
                if matches!(cause, Cause::UnknownTopic | Cause::UnknownPartition) {
                    self.intake.misplaced();
                }
                if let (Persistence::SurelyNot, Cause::UnknownPartition, Some((partition, count))) =
                    (persistence, cause, slot.partition)
                {
                    let topic = self.intake.topic().to_string();
                    return Some(Report::Failed(RecordError::UnknownPartition { partition, topic, count }));
                }
                if cause == Cause::Authorization && persistence == Persistence::SurelyNot {
                    return Some(Report::Failed(RecordError::Forbidden(self.intake.topic().to_string())));
                }
                if cause == Cause::UnknownTopic && persistence == Persistence::SurelyNot {
                    let waited_ms = now.duration_since(slot.sent_at).as_millis() as u64;
                    let topic = self.intake.topic().to_string();
                    return Some(Report::Failed(RecordError::UnknownTopic { topic, waited_ms }));
                }
                Some(Report::Failed(RecordError::Kafka { persistence, cause, fault }))
            }
            State::Arrived(Outcome::Written { partition, offset, timestamp_ms }) => {
                if let Some(cluster) = &slot.cluster {
                    cluster.counters.written.inc();
                    cluster.counters.bytes.inc_by(slot.bytes as u64);
                }
                let slot = self.reported.insert(slot);
                Some(Report::Written(Written {
                    cluster_id: slot.cluster.as_ref().map(|cluster| &*cluster.reported_id).unwrap_or_default(),
                    partition,
                    offset,
                    timestamp_ms,
                    key: slot.key.as_ref().map(Side),
                    value: slot.value.as_ref().map(Side),
                }))
            }
        }
    }
}

impl Drop for ProduceStream {
    fn drop(&mut self) {
        self.plane.inner.metrics.streams.dec();
    }
}
