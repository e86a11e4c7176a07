//! A record of a stream on its way to bytes: key, value, where to, and whether it may go at all.
//!
//! [`Intake::prepare`] is synchronous: it answers at once, or names what must be learned first ([`Need`]); the caller
//! settles that ([`Intake::settle`] owns everything it needs, so the stream's reports go on meanwhile), tells the
//! intake, and offers the same record again. What was learned is remembered for a second; refusals serve one record.
//!
//! Order, as in the reference: key, value, partition, timestamp, then the topic. Nothing is enqueued here.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use futures_util::future::{BoxFuture, join_all};
use sluice_registry::{Action, Caller, Resource};
use tokio::time::Instant;

use crate::cluster::{AdminError, ClusterHandle, IfMissing};
use crate::encode;
use crate::error::{GateError, RecordError};
use crate::gate::{self, RawCheck};
use crate::outcome::{Cause, Fault, Persistence};
use crate::plane::{DataPlane, Placement};
use crate::record::{EmbeddedFormat, Encoding, RecordHeader, RecordRequest, Side, SideRequest};
use crate::resolve::{Gate, Query, Resolver};
use crate::route::{Enforcement, Route, RouteError, SideRules, Target};
use crate::usable::Usable;

/// What must be learned before a record can be prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Need {
    /// A schema.
    Schema(Side, Query),
    /// Where the topic is.
    Place,
}

/// What was learned.
pub struct Settled(Learned);

enum Learned {
    Schema(Side, Query, Answer),
    Place(Result<Placement, RecordError>),
}

/// The schema of a query, and the rule it breaks where rules only warn.
#[derive(Clone)]
struct Answer {
    usable: Result<Arc<Usable>, RecordError>,
    violation: Option<GateError>,
}

struct Known {
    side: Side,
    query: Query,
    answer: Answer,
    at: Instant,
}

/// Key or value as a report shows it.
#[derive(Debug, Clone)]
pub(crate) struct SideReport {
    pub(crate) format: EmbeddedFormat,
    /// Bytes written, frame included; -1 for null.
    pub(crate) size: i64,
    pub(crate) schema: Option<Arc<Usable>>,
}

/// The buffers of one side.
#[derive(Default)]
pub(crate) struct Encoded {
    bytes: Vec<u8>,
    is_null: bool,
    pub(crate) report: Option<SideReport>,
}

impl Encoded {
    pub(crate) fn bytes(&self) -> Option<&[u8]> {
        (!self.is_null).then_some(&self.bytes)
    }

    fn set(&mut self, format: EmbeddedFormat, is_null: bool, schema: Option<Arc<Usable>>) {
        self.is_null = is_null;
        let size = if is_null { -1 } else { self.bytes.len() as i64 };
        self.report = Some(SideReport { format, size, schema });
    }
}

/// One stream's way in.
pub(crate) struct Intake {
    plane: DataPlane,
    caller: Caller,
    cluster_id: Arc<str>,
    topic: Arc<str>,
    is_legal_topic: bool,
    version: u64,
    route: Result<Route, RouteError>,
    placement: Option<(Result<Placement, RecordError>, Instant)>,
    known: Vec<Known>,
    /// Rules that the record at hand breaks where rules only warn; counted when it goes.
    violations: Vec<(Side, GateError)>,
    pub(crate) key: Encoded,
    pub(crate) value: Encoded,
}

/// Schemas that one stream remembers.
const MOST_KNOWN: usize = 32;

/// What became of an attempt.
pub(crate) enum Prepared {
    /// Ready: bytes in `key` and `value`, bound for this cluster.
    Ready(Placement),
    /// Something must be learned first.
    Needs(Need),
}

impl Intake {
    /// The way in for records to `topic` under `cluster_id`. Refuses what can be refused before the first record.
    pub(crate) fn open(
        plane: &DataPlane,
        caller: &Caller,
        cluster_id: &str,
        topic: &str,
    ) -> Result<Intake, RouteError> {
        let version = plane.inner.version.load(Ordering::Acquire);
        let topology = plane.inner.topology.load();
        let route = topology.routes.choose(&topology.kafka_ids(), cluster_id, topic)?;
        Ok(Intake {
            plane: plane.clone(),
            caller: caller.clone(),
            cluster_id: cluster_id.into(),
            topic: topic.into(),
            is_legal_topic: is_legal_topic(topic),
            version,
            route: Ok(route),
            placement: None,
            known: Vec::new(),
            violations: Vec::new(),
            key: Encoded::default(),
            value: Encoded::default(),
        })
    }

    pub(crate) fn topic(&self) -> &Arc<str> {
        &self.topic
    }

    pub(crate) fn cluster_id(&self) -> &Arc<str> {
        &self.cluster_id
    }

    pub(crate) fn route(&self) -> Option<&Route> {
        self.route.as_ref().ok()
    }

    /// Forgets where the topic is: the broker just said otherwise.
    pub(crate) fn misplaced(&mut self) {
        self.placement = None;
        self.plane.inner.placements.invalidate(&self.placement_key());
    }

    fn placement_key(&self) -> (Arc<str>, Arc<str>) {
        let is_only = self.plane.inner.topology.load().routes.only_cluster().is_some();
        let id = if is_only { Arc::from("") } else { self.cluster_id.clone() };
        (id, self.topic.clone())
    }

    /// Looks at the routes again if files have changed since.
    fn follow_routes(&mut self) {
        let version = self.plane.inner.version.load(Ordering::Acquire);
        if version == self.version {
            return;
        }
        self.version = version;
        let topology = self.plane.inner.topology.load();
        self.route = topology.routes.choose(&topology.kafka_ids(), &self.cluster_id, &self.topic);
        self.placement = None;
        self.known.clear();
    }

    /// Makes bytes of `record`, checks all that can be checked, and says where it goes.
    pub(crate) fn prepare(&mut self, record: &RecordRequest<'_>, now: Instant) -> Result<Prepared, RecordError> {
        self.follow_routes();
        self.forget_old(now);
        self.violations.clear();
        for (side, request) in [(Side::Key, &record.key), (Side::Value, &record.value)] {
            if let Some(need) = self.encode(side, request.as_ref(), &record.headers)? {
                return Ok(Prepared::Needs(need));
            }
        }
        if record.partition.is_some_and(|partition| partition < 0) {
            return Err(RecordError::NegativePartition);
        }
        if let Some(timestamp) = record.timestamp_ms.filter(|timestamp| *timestamp <= 0) {
            return Err(RecordError::Timestamp(timestamp));
        }
        if !self.is_legal_topic {
            return Err(RecordError::InvalidTopic(self.topic.to_string()));
        }
        let placement = match &self.placement {
            Some((Ok(placement), _)) => placement.clone(),
            Some((Err(error), _)) => {
                let error = error.clone();
                self.placement = None;
                return Err(error);
            }
            None => match self.plane.inner.placements.get(&self.placement_key()) {
                Some(placement) => {
                    // Another caller found it: this one must be allowed as well.
                    may_write(&self.plane, &self.caller, &placement.cluster.handle.name, &self.topic)?;
                    self.placement = Some((Ok(placement.clone()), now));
                    placement
                }
                None => return Ok(Prepared::Needs(Need::Place)),
            },
        };
        Ok(Prepared::Ready(placement))
    }

    /// The record that was prepared last is on its way.
    pub(crate) fn sent(&mut self) {
        for (side, violation) in self.violations.drain(..) {
            self.plane.inner.metrics.gate_warned(&self.topic, side, &violation);
        }
    }

    /// Bytes of one side into its buffer, or what must be learned first.
    fn encode(
        &mut self,
        side: Side,
        request: Option<&SideRequest<'_>>,
        headers: &[RecordHeader<'_>],
    ) -> Result<Option<Need>, RecordError> {
        // Moved out while the rest of `self` is asked; put back on every path.
        let mut encoded = std::mem::take(self.buffer(side));
        let result = self.encode_into(side, request, headers, &mut encoded);
        *self.buffer(side) = encoded;
        if let Err(RecordError::Gate(error)) = &result {
            self.plane.inner.metrics.gate_refused(&self.topic, side, error);
        }
        result
    }

    fn buffer(&mut self, side: Side) -> &mut Encoded {
        match side {
            Side::Key => &mut self.key,
            Side::Value => &mut self.value,
        }
    }

    fn encode_into(
        &mut self,
        side: Side,
        request: Option<&SideRequest<'_>>,
        headers: &[RecordHeader<'_>],
        encoded: &mut Encoded,
    ) -> Result<Option<Need>, RecordError> {
        let Some(request) = request else {
            (encoded.is_null, encoded.report) = (true, None);
            self.check(side, gate::null)?;
            return Ok(None);
        };
        match &request.encoding {
            Encoding::Plain(format) => {
                let has_bytes = encode::plain(*format, &request.data, &mut encoded.bytes)?;
                encoded.set(EmbeddedFormat::Plain(*format), !has_bytes, None);
                if !has_bytes {
                    self.check(side, gate::null)?;
                    return Ok(None);
                }
                self.check_raw(side, *format, &encoded.bytes, headers)
            }
            Encoding::Schema(schema, subject) => {
                let found = self.known.iter().position(|known| {
                    known.side == side && matches!(&known.query, Query::Encode(s, n) if s == schema && n == subject)
                });
                let Some(found) = found else {
                    let query = Query::Encode(owned_schema(schema), owned_subject(subject));
                    return Ok(Some(Need::Schema(side, query)));
                };
                let usable = self.recall(found, side)?;
                self.check(side, |gate, rules| gate::framed_here(gate, rules, headers))?;
                usable.encode(request.data.json(), &mut encoded.bytes)?;
                encoded.set(EmbeddedFormat::Schema(usable.schema_type), false, Some(usable));
                Ok(None)
            }
        }
    }

    /// The remembered answer; a refusal is forgotten with its use, a violation counted.
    fn recall(&mut self, at: usize, side: Side) -> Result<Arc<Usable>, RecordError> {
        let answer = &self.known[at].answer;
        match &answer.usable {
            Ok(usable) => {
                let usable = usable.clone();
                self.violations.extend(answer.violation.clone().map(|violation| (side, violation)));
                Ok(usable)
            }
            Err(_) => match self.known.swap_remove(at).answer.usable {
                Ok(usable) => Ok(usable),
                Err(error) => Err(error),
            },
        }
    }

    fn rules(&self, side: Side) -> Option<&SideRules> {
        gate::enforced(self.route.as_ref().ok()?.topic.as_deref(), side)
    }

    /// Runs a rule of the gate: an error under strict, noted under warn.
    fn check(
        &mut self,
        side: Side,
        rule: impl FnOnce(Gate<'_>, &SideRules) -> Result<(), GateError>,
    ) -> Result<(), RecordError> {
        let Some(rules) = self.rules(side) else { return Ok(()) };
        let enforcement = rules.enforcement;
        match rule(Gate { topic: &self.topic, side }, rules) {
            Err(violation) if enforcement == Enforcement::Warn => {
                self.violations.push((side, violation));
                Ok(())
            }
            result => Ok(result?),
        }
    }

    fn check_raw(
        &mut self,
        side: Side,
        format: crate::record::PlainFormat,
        bytes: &[u8],
        headers: &[RecordHeader<'_>],
    ) -> Result<Option<Need>, RecordError> {
        let Some(rules) = self.rules(side) else { return Ok(None) };
        let gate = Gate { topic: &self.topic, side };
        let (id, payload) = match gate::plain(gate, rules, format, bytes, headers) {
            Ok(RawCheck::Passes) => return Ok(None),
            Ok(RawCheck::Under(id, payload)) => (id, payload),
            Err(violation) => return self.check(side, |_, _| Err(violation)).map(|()| None),
        };
        let query = Query::Framed(id);
        let Some(found) = self.known.iter().position(|known| known.side == side && known.query == query) else {
            return Ok(Some(Need::Schema(side, query)));
        };
        let is_warning = rules.enforcement == Enforcement::Warn;
        match self.recall(found, side) {
            Ok(usable) => self.check(side, |gate, rules| gate::decodes(gate, rules, &usable, &payload)).map(|()| None),
            Err(RecordError::Gate(violation)) => self.check(side, |_, _| Err(violation)).map(|()| None),
            // Nobody can say now: strict waits for nobody, warn lets pass.
            Err(_) if is_warning => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn forget_old(&mut self, now: Instant) {
        let memory = u128::from(self.plane.inner.config.schema_memory_ms);
        self.known.retain(|known| now.duration_since(known.at).as_millis() < memory);
        let topic_memory = u128::from(self.plane.inner.config.topic_memory_ms);
        if self.placement.as_ref().is_some_and(|(_, at)| now.duration_since(*at).as_millis() >= topic_memory) {
            self.placement = None;
        }
    }

    /// Learns what `need` names. Holds nothing of the stream.
    pub(crate) fn settle(&self, need: Need) -> BoxFuture<'static, Settled> {
        match need {
            Need::Schema(side, query) => self.settle_schema(side, query),
            Need::Place => {
                let place = Place {
                    plane: self.plane.clone(),
                    caller: self.caller.clone(),
                    topic: self.topic.clone(),
                    route: self.route.clone(),
                };
                Box::pin(async move { Settled(Learned::Place(place.find().await)) })
            }
        }
    }

    fn settle_schema(&self, side: Side, query: Query) -> BoxFuture<'static, Settled> {
        let (plane, caller, topic) = (self.plane.clone(), self.caller.clone(), self.topic.clone());
        let entry = self.route.as_ref().ok().and_then(|route| route.topic.clone());
        Box::pin(async move {
            let rules = gate::enforced(entry.as_deref(), side).filter(|rules| rules.format.is_some());
            let (registry, routes) = (&plane.inner.registry, plane.routes());
            let resolver = Resolver { registry, caller: &caller, topic: &topic, side, rules, routes: &routes };
            let mut answer = Answer { usable: resolver.answer(&query).await, violation: None };
            let warns = rules.is_some_and(|rules| rules.enforcement == Enforcement::Warn);
            if let (true, Err(RecordError::Gate(violation)), Query::Encode(..)) = (warns, &answer.usable, &query) {
                let violation = violation.clone();
                let usable = Resolver { rules: None, ..resolver }.answer(&query).await;
                answer = Answer { usable, violation: Some(violation) };
            }
            Settled(Learned::Schema(side, query, answer))
        })
    }

    /// Remembers what was learned.
    pub(crate) fn learn(&mut self, settled: Settled, now: Instant) {
        match settled.0 {
            Learned::Schema(side, query, answer) => {
                self.known.retain(|known| (known.side, &known.query) != (side, &query));
                if self.known.len() == MOST_KNOWN {
                    self.known.remove(0);
                }
                self.known.push(Known { side, query, answer, at: now });
            }
            Learned::Place(found) => {
                if let Ok(placement) = &found {
                    self.plane.inner.placements.insert(self.placement_key(), placement.clone());
                }
                self.placement = Some((found, now));
            }
        }
    }
}

/// Whether the caller may write to the topic on this physical cluster.
fn may_write(plane: &DataPlane, caller: &Caller, cluster: &str, topic: &str) -> Result<(), RecordError> {
    let id = plane.inner.topology.load().kafka_id(cluster);
    let resource = Resource::Topic { cluster: id.as_deref().unwrap_or(cluster), topic };
    if caller.may(Action::Write, &resource) { Ok(()) } else { Err(RecordError::Forbidden(topic.to_owned())) }
}

/// Everything it takes to find a topic.
struct Place {
    plane: DataPlane,
    caller: Caller,
    topic: Arc<str>,
    route: Result<Route, RouteError>,
}

impl Place {
    async fn find(&self) -> Result<Placement, RecordError> {
        let route = match &self.route {
            Ok(route) => route,
            Err(_) => {
                // The files changed under an open stream, and its topic has no route any more.
                let (topic, clusters) = (self.topic.clone(), Vec::new());
                return Err(crate::route::NoTarget::NoneReady { topic, clusters }.into());
            }
        };
        match &route.target {
            Target::Nowhere(why) => Err(why.clone().into()),
            Target::Clusters(names) => {
                let first = names.first().map(|name| &**name).unwrap_or_default();
                let cluster = self.cluster(first)?;
                match self.partitions(&cluster.handle, route.if_missing).await? {
                    Some(partitions) => Ok(Placement { cluster, partitions }),
                    None => Err(RecordError::UnknownTopic {
                        topic: self.topic.to_string(),
                        waited_ms: self.plane.inner.config.topic_wait_ms,
                    }),
                }
            }
            Target::WhereverItIs(names) => self.wherever_it_is(names).await,
        }
    }

    async fn wherever_it_is(&self, names: &[Arc<str>]) -> Result<Placement, RecordError> {
        let clusters: Result<Vec<_>, RecordError> = names.iter().map(|name| self.cluster(name)).collect();
        let clusters = clusters?;
        let answers =
            join_all(clusters.iter().map(|cluster| self.partitions(&cluster.handle, IfMissing::Report))).await;
        let mut holder: Option<Placement> = None;
        for (cluster, partitions) in clusters.into_iter().zip(answers) {
            // One that does not answer may hold it: nobody can tell where the topic is.
            let Some(partitions) = partitions? else { continue };
            if let Some(other) = holder {
                let (a, b) = (&other.cluster.handle.name, &cluster.handle.name);
                return Err(self.not_on_one(format!("is on several clusters: {a}, {b}")));
            }
            holder = Some(Placement { cluster, partitions });
        }
        holder.ok_or_else(|| self.not_on_one(format!("is on none of the clusters {}", names.join(", "))))
    }

    fn not_on_one(&self, holders: String) -> RecordError {
        RecordError::NotOnOneCluster { topic: self.topic.to_string(), holders }
    }

    /// The cluster, if it is there and the caller may write to the topic on it.
    fn cluster(&self, name: &str) -> Result<Arc<crate::plane::LiveCluster>, RecordError> {
        let topology = self.plane.inner.topology.load();
        let Some(live) = topology.clusters.get(name) else {
            let (topic, clusters) = (self.topic.clone(), vec![Arc::from(name)]);
            return Err(crate::route::NoTarget::NoneReady { topic, clusters }.into());
        };
        may_write(&self.plane, &self.caller, name, &self.topic)?;
        Ok(live.clone())
    }

    async fn partitions(&self, cluster: &ClusterHandle, if_missing: IfMissing) -> Result<Option<i32>, RecordError> {
        let wait_ms = self.plane.inner.config.topic_wait_ms;
        let asked = cluster.admin.partitions_of(&self.topic, if_missing, wait_ms).await;
        asked.map_err(|error| self.unanswered(cluster, error))
    }

    /// Why a cluster did not say whether it has the topic; by the codes of Kafka's protocol and librdkafka's own.
    fn unanswered(&self, cluster: &ClusterHandle, error: AdminError) -> RecordError {
        const INVALID_TOPIC: i32 = 17;
        const TOPIC_AUTHORIZATION_FAILED: i32 = 29;
        const AUTHENTICATION: [i32; 3] = [58, -169, -181];
        match error.code {
            INVALID_TOPIC => RecordError::InvalidTopic(self.topic.to_string()),
            TOPIC_AUTHORIZATION_FAILED => RecordError::Forbidden(self.topic.to_string()),
            code if AUTHENTICATION.contains(&code) => RecordError::Kafka {
                persistence: Persistence::SurelyNot,
                cause: Cause::Authentication,
                fault: Box::new(Fault { code, message: error.message }),
            },
            _ => RecordError::ClusterSilent { cluster: cluster.name.to_string(), reason: error.message },
        }
    }
}

fn owned_schema(schema: &crate::record::SchemaChoice<'_>) -> crate::record::SchemaChoice<'static> {
    use crate::record::SchemaChoice;
    match schema {
        SchemaChoice::Latest => SchemaChoice::Latest,
        SchemaChoice::Id(id) => SchemaChoice::Id(*id),
        SchemaChoice::Version(version) => SchemaChoice::Version(*version),
        SchemaChoice::Text(language, text) => SchemaChoice::Text(*language, text.clone().into_owned().into()),
    }
}

fn owned_subject(subject: &crate::record::SubjectChoice<'_>) -> crate::record::SubjectChoice<'static> {
    use crate::record::SubjectChoice;
    match subject {
        SubjectChoice::Default => SubjectChoice::Default,
        SubjectChoice::Named(name) => SubjectChoice::Named(name.clone().into_owned().into()),
        SubjectChoice::Strategy(strategy) => SubjectChoice::Strategy(*strategy),
    }
}

/// Whether Kafka takes a topic of this name: 1 to 249 of `[a-zA-Z0-9._-]`, not `.` or `..`.
pub fn is_legal_topic(name: &str) -> bool {
    (1..=249).contains(&name.len())
        && name != "."
        && name != ".."
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topic_names_are_kafkas() {
        for legal in ["a", "A.b_C-9", "-x", ".x", "__own"] {
            assert!(is_legal_topic(legal), "{legal}");
        }
        for illegal in ["", ".", "..", "a b", "a:b", "ä", "a\n", &"n".repeat(250)] {
            assert!(!is_legal_topic(illegal), "{illegal}");
        }
        assert!(is_legal_topic(&"n".repeat(249)));
    }
}
