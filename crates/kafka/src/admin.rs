//! Admin calls: begun on the asking client, ended by its events thread, bounded by the caller's time.
//!
//! Texts are the broker's own, because the REST API shows exactly them. What librdkafka refuses before any broker sees
//! it gets the broker's words too ([`checked`]).
//!
//! To add a call: `ffi/admin.rs`, then a method here; nothing else knows about call ids.
//! Source: `ReplicationControlManager.java`, Kafka 4.4.0, for the texts.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use parking_lot::Mutex;
use sluice_data_plane::Administer;
use sluice_data_plane::cluster::{
    AdminError, ClusterDescription, IfMissing, NewTopic, PartitionDescription, TopicDefaults, TopicDescription,
};
use tokio::sync::oneshot;

use crate::client::{Alive, Core, Flavour, as_ms};
use crate::error::{
    self, Code, INVALID_TOPIC, LEADER_NOT_AVAILABLE, LOCAL_STATE, LOCAL_TIMED_OUT, NO_ERROR, UNKNOWN_TOPIC_ID,
    UNKNOWN_TOPIC_OR_PARTITION,
};
use crate::ffi::{About, AdminReply, CallId, Handle, Kind, Metadata};

/// How long a question about one topic may take: the produce path waits for it.
const TOPIC_QUESTION: Duration = Duration::from_secs(1);
/// How often a broker that may be creating a topic is asked again.
const CREATION_POLL: Duration = Duration::from_millis(50);
/// How long a new topic is waited for until brokers show it, and how often they are asked.
const VISIBLE_WITHIN: Duration = Duration::from_secs(2);
const VISIBLE_POLL: Duration = Duration::from_millis(20);
/// What the tokio timer grants librdkafka's own on top, so that its words win.
const GRACE: Duration = Duration::from_millis(250);

/// How a call ended.
type Ended = Result<AdminReply, (Code, String)>;

/// Calls that have not ended.
#[derive(Default)]
pub(crate) struct Calls {
    last: AtomicUsize,
    waiting: Mutex<HashMap<CallId, oneshot::Sender<Ended>>>,
}

impl Calls {
    /// An event says that `call` ended; nobody may be waiting any more.
    pub(crate) fn ended(&self, call: CallId, reply: Ended) {
        let waiting = self.waiting.lock().remove(&call);
        if let Some(waiting) = waiting {
            let _ = waiting.send(reply);
        }
    }

    fn begin(&self) -> (Begun<'_>, oneshot::Receiver<Ended>) {
        let id = CallId(self.last.fetch_add(1, Ordering::Relaxed) + 1);
        let (sender, receiver) = oneshot::channel();
        self.waiting.lock().insert(id, sender);
        (Begun { calls: self, id }, receiver)
    }
}

/// A call that somebody waits for; forgotten when dropped.
struct Begun<'c> {
    calls: &'c Calls,
    id: CallId,
}

impl Drop for Begun<'_> {
    fn drop(&mut self) {
        self.calls.waiting.lock().remove(&self.id);
    }
}

/// [`Administer`] of one cluster.
pub(crate) struct KafkaAdmin {
    alive: Arc<Alive>,
}

impl KafkaAdmin {
    pub(crate) fn new(alive: Arc<Alive>) -> KafkaAdmin {
        KafkaAdmin { alive }
    }

    fn core(&self) -> &Arc<Core> {
        self.alive.core()
    }

    /// Counts a call by its result.
    fn counted<T>(&self, call: &str, result: Result<T, AdminError>) -> Result<T, AdminError> {
        let core = self.core();
        let word = if result.is_ok() { "ok" } else { "error" };
        core.metrics.admin_calls.with_label_values(&[&core.settings.name, call, word]).inc();
        result
    }
}

impl Core {
    /// One call from begin to end.
    async fn call(
        &self,
        timeout: Duration,
        submit: impl FnOnce(&Handle, i32, CallId) -> Result<(), (Code, String)>,
    ) -> Result<AdminReply, AdminError> {
        let began = Instant::now();
        self.verified(timeout).await?;
        let left = timeout.saturating_sub(began.elapsed());
        let (begun, ended) = self.calls.begin();
        submit(&self.asking, as_ms(left).max(1), begun.id)
            .map_err(|(code, said)| self.admin_error(code, Some(said)))?;
        match tokio::time::timeout(left + GRACE, ended).await {
            Ok(Ok(Ok(reply))) => Ok(reply),
            Ok(Ok(Err((code, said)))) => Err(self.admin_error(code, Some(said))),
            Ok(Err(_)) => Err(self.admin_error(LOCAL_STATE, Some("the client was closed".to_owned()))),
            Err(_) => Err(self.admin_error(LOCAL_TIMED_OUT, None)),
        }
    }

    /// DescribeTopics of names that differ.
    async fn describe(
        &self,
        names: &[String],
        authorized_operations: bool,
        timeout: Duration,
    ) -> Result<HashMap<String, Result<TopicDescription, AdminError>>, AdminError> {
        if names.is_empty() {
            return Ok(HashMap::new());
        }
        let reply = self
            .call(timeout, |handle, timeout_ms, id| {
                handle.describe_topics(names, authorized_operations, timeout_ms, id)
            })
            .await?;
        let AdminReply::Topics(topics) = reply else { return Err(unexpected(&reply)) };
        Ok(topics
            .into_iter()
            .map(|(name, found)| (name, found.map_err(|(code, said)| error::admin_error(code, Some(said)))))
            .collect())
    }
}

fn unexpected(reply: &AdminReply) -> AdminError {
    AdminError { code: LOCAL_STATE, message: format!("the reply of another call: {reply:?}") }
}

#[async_trait]
impl Administer for KafkaAdmin {
    async fn describe_cluster(&self, timeout_ms: u64) -> Result<ClusterDescription, AdminError> {
        let timeout = Duration::from_millis(timeout_ms);
        let call = self.core().call(timeout, |handle, timeout_ms, id| handle.describe_cluster(timeout_ms, id));
        let reply = call.await;
        let described = reply.and_then(|reply| match reply {
            AdminReply::Cluster(cluster) => Ok(cluster),
            other => Err(unexpected(&other)),
        });
        self.counted("DescribeCluster", described)
    }

    async fn describe_topics(
        &self,
        names: Option<&[String]>,
        authorized_operations: bool,
        timeout_ms: u64,
    ) -> Result<Vec<Result<TopicDescription, AdminError>>, AdminError> {
        let deadline = Instant::now() + Duration::from_millis(timeout_ms);
        let left = || deadline.saturating_duration_since(Instant::now());
        let described = match names {
            Some(names) => {
                let mut askable: Vec<String> = names.iter().filter(|name| is_name(name)).cloned().collect();
                askable.sort_unstable();
                askable.dedup();
                self.core().describe(&askable, authorized_operations, left()).await.map(|found| {
                    let unnamed = || Err(error::admin_error(INVALID_TOPIC, None));
                    names.iter().map(|name| found.get(name).cloned().unwrap_or_else(unnamed)).collect()
                })
            }
            None => match all_names(self.core(), left()).await {
                Ok(names) => self.core().describe(&names, authorized_operations, left()).await.map(|mut found| {
                    // a topic deleted in between is not there, which is no error of a listing
                    let gone = |error: &AdminError| is_unknown_topic(error.code);
                    let listed = names.iter().filter_map(|name| found.remove(name));
                    listed.filter(|topic| !topic.as_ref().is_err_and(gone)).collect()
                }),
                Err(error) => Err(error),
            },
        };
        self.counted("DescribeTopics", described)
    }

    async fn create_topic(&self, topic: &NewTopic, timeout_ms: u64) -> Result<(), AdminError> {
        let created = match checked(topic) {
            Err(error) => Err(error),
            Ok(topic) => {
                let timeout = Duration::from_millis(timeout_ms);
                let core = self.core();
                let call = core.call(timeout, |handle, timeout_ms, id| handle.create_topic(&topic, timeout_ms, id));
                let began = Instant::now();
                match call.await {
                    Ok(AdminReply::TopicCreated(Ok(()))) => {
                        if !topic.validate_only {
                            visible(core, &topic.name, timeout.saturating_sub(began.elapsed())).await;
                        }
                        Ok(())
                    }
                    Ok(AdminReply::TopicCreated(Err((code, said)))) => Err(error::admin_error(code, Some(said))),
                    Ok(other) => Err(unexpected(&other)),
                    Err(error) => Err(error),
                }
            }
        };
        self.core().topics.forget(&topic.name);
        self.counted("CreateTopics", created)
    }

    async fn topic_defaults(&self, timeout_ms: u64) -> Result<TopicDefaults, AdminError> {
        let deadline = Instant::now() + Duration::from_millis(timeout_ms);
        let Some(broker) = self.describe_cluster(timeout_ms).await?.brokers.first().map(|broker| broker.id) else {
            return Ok(TopicDefaults::default());
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let call =
            self.core().call(left, |handle, timeout_ms, id| handle.describe_broker_configs(broker, timeout_ms, id));
        let configs = match call.await {
            Ok(AdminReply::Configs(Ok(configs))) => Ok(configs),
            Ok(AdminReply::Configs(Err((code, said)))) => Err(error::admin_error(code, Some(said))),
            Ok(other) => Err(unexpected(&other)),
            Err(error) => Err(error),
        };
        let configs = self.counted("DescribeConfigs", configs)?;
        let number = |wanted: &str| -> Option<i32> {
            configs.iter().find(|(name, _)| name == wanted)?.1.as_deref()?.parse().ok()
        };
        Ok(TopicDefaults {
            partitions: number("num.partitions").unwrap_or_default(),
            replication_factor: number("default.replication.factor")
                .and_then(|n| n.try_into().ok())
                .unwrap_or_default(),
        })
    }

    async fn partitions_of(
        &self,
        topic: &str,
        if_missing: IfMissing,
        timeout_ms: u64,
    ) -> Result<Option<i32>, AdminError> {
        partitions_of(self.core(), topic, if_missing, timeout_ms).await
    }
}

/// A name that DescribeTopics can carry.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains('\0')
}

pub(crate) fn is_unknown_topic(code: Code) -> bool {
    matches!(code, UNKNOWN_TOPIC_OR_PARTITION | UNKNOWN_TOPIC_ID)
}

/// `topic` as librdkafka takes it. Errors: what it would refuse in words of its own, in the broker's.
fn checked(topic: &NewTopic) -> Result<NewTopic, AdminError> {
    let refuse = |code, text: &str| Err(AdminError { code, message: text.to_owned() });
    let mut topic = topic.clone();
    match &mut topic.assignments {
        Some(assignments) => {
            assignments.sort_by_key(|(partition, _)| *partition);
            if assignments.iter().zip(0..).any(|((partition, _), expected)| *partition != expected) {
                return refuse(39, "partitions should be a consecutive 0-based integer sequence");
            }
        }
        None => {
            if topic.partitions.is_some_and(|partitions| partitions < -1) {
                return refuse(37, "Number of partitions was set to an invalid non-positive value.");
            }
            if topic.partitions.is_some_and(|partitions| partitions > 100_000) {
                return refuse(44, "Excessively large number of partitions per request.");
            }
            if topic.replication_factor.is_some_and(|factor| factor < -1) {
                return refuse(38, "Replication factor must be larger than 0, or -1 to use the default value.");
            }
        }
    }
    Ok(topic)
}

/// Metadata of all topics, asked on a thread that may block, at most `timeout`.
pub(crate) async fn all_topics(core: &Arc<Core>, timeout: Duration) -> Result<Metadata, AdminError> {
    let timeout_ms = as_ms(timeout).max(1);
    let handle = core.asking.clone();
    let asked = tokio::task::spawn_blocking(move || handle.metadata(About::AllTopics, timeout_ms));
    match tokio::time::timeout(timeout + GRACE, asked).await {
        Ok(Ok(Ok(metadata))) => Ok(metadata),
        Ok(Ok(Err(code))) => Err(core.admin_error(code, None)),
        Ok(Err(error)) => Err(AdminError { code: LOCAL_STATE, message: error.to_string() }),
        Err(_) => Err(core.admin_error(LOCAL_TIMED_OUT, None)),
    }
}

/// Names of all topics that may be seen, sorted.
async fn all_names(core: &Arc<Core>, timeout: Duration) -> Result<Vec<String>, AdminError> {
    let began = Instant::now();
    core.verified(timeout).await?;
    let all = all_topics(core, timeout.saturating_sub(began.elapsed())).await?;
    let mut names: Vec<_> = all.topics.into_iter().map(|topic| topic.name).filter(|name| is_name(name)).collect();
    names.sort_unstable();
    Ok(names)
}

/// [`Administer::partitions_of`].
pub(crate) async fn partitions_of(
    core: &Arc<Core>,
    topic: &str,
    if_missing: IfMissing,
    timeout_ms: u64,
) -> Result<Option<i32>, AdminError> {
    if !is_name(topic) {
        return Err(error::admin_error(INVALID_TOPIC, None));
    }
    let timeout = Duration::from_millis(timeout_ms);
    let answer = async {
        core.verified(timeout).await?;
        core.topics.get(topic, if_missing, || ask(core, topic, if_missing)).await
    };
    match tokio::time::timeout(timeout, answer).await {
        Ok(answer) => answer,
        Err(_) => Err(core.admin_error(LOCAL_TIMED_OUT, None)),
    }
}

async fn ask(core: &Arc<Core>, topic: &str, if_missing: IfMissing) -> Result<Option<i32>, AdminError> {
    let deadline = Instant::now() + TOPIC_QUESTION;
    let found = look(core, topic, TOPIC_QUESTION).await?;
    if found.is_some() || if_missing == IfMissing::Report {
        return Ok(found);
    }
    let (working, topic) = (core.clone(), topic.to_owned());
    let (sender, answer) = oneshot::channel();
    tokio::task::spawn_blocking(move || {
        let creating = Handle::new(Kind::Producer, &working.settings.admin(true)).map(Arc::new);
        let answer = match &creating {
            Ok(handle) => ask_to_create(&working, handle, &topic, deadline),
            Err(message) => Err(AdminError { code: LOCAL_STATE, message: message.clone() }),
        };
        let _ = sender.send(answer);
        drop(creating); // takes a while, which the caller need not wait for
    });
    answer.await.unwrap_or_else(|_| Err(core.admin_error(LOCAL_STATE, None)))
}

/// Asks so that nothing can come of it: DescribeTopics never creates, and unlike plain metadata of one topic it leaves
/// nothing behind in the client, which would ask for each unknown name again every second.
async fn look(core: &Arc<Core>, topic: &str, timeout: Duration) -> Result<Option<i32>, AdminError> {
    let found = match core.flavour {
        Flavour::Kafka => {
            let mut found = core.describe(&[topic.to_owned()], false, timeout).await?;
            found.remove(topic).map(|topic| topic.map(|topic| partitions(&topic.partitions)))
        }
        Flavour::Dev => {
            let topics = all_topics(core, timeout).await?.topics;
            topics.into_iter().find(|found| found.name == topic).map(|found| Ok(partitions(&found.partitions)))
        }
    };
    match found {
        None | Some(Ok(0)) => Ok(None),
        Some(Ok(partitions)) => Ok(Some(partitions)),
        Some(Err(error)) if is_unknown_topic(error.code) => Ok(None),
        Some(Err(error)) => Err(error),
    }
}

/// Waits until brokers show a topic that the controller has made: they learn of it a little later, and until then a
/// client that uses it at once would be told that it does not exist. Gives up when time is up: it is made all the same.
async fn visible(core: &Arc<Core>, topic: &str, timeout: Duration) {
    let timeout = timeout.min(VISIBLE_WITHIN);
    let shown = async {
        while !matches!(look(core, topic, timeout).await, Ok(Some(_))) {
            tokio::time::sleep(VISIBLE_POLL).await;
        }
    };
    let _ = tokio::time::timeout(timeout, shown).await;
}

/// Asks, until `deadline`, with a client whose questions let brokers create topics. Such a client lives for one
/// question: it is rare, and would keep the topic in mind.
fn ask_to_create(
    core: &Core,
    creating: &Arc<Handle>,
    topic: &str,
    deadline: Instant,
) -> Result<Option<i32>, AdminError> {
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let found = creating.metadata(About::Topic(topic), as_ms(left).max(1));
        let found = found.map_err(|code| core.admin_error(code, None))?;
        let Some(found) = found.topics.into_iter().find(|found| found.name == topic) else { return Ok(None) };
        match found.code {
            NO_ERROR if !found.partitions.is_empty() => return Ok(Some(partitions(&found.partitions))),
            // being created, or never: a broker says so in any of these ways
            NO_ERROR | UNKNOWN_TOPIC_OR_PARTITION | UNKNOWN_TOPIC_ID | LEADER_NOT_AVAILABLE => {
                if left <= CREATION_POLL {
                    return Ok(None);
                }
                std::thread::sleep(CREATION_POLL);
            }
            code => return Err(core.admin_error(code, None)),
        }
    }
}

fn partitions(described: &[PartitionDescription]) -> i32 {
    i32::try_from(described.len()).unwrap_or(i32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(topic: NewTopic) -> Option<(Code, String)> {
        checked(&topic).err().map(|error| (error.code, error.message))
    }

    /// As recorded from a broker.
    #[test]
    fn what_librdkafka_refuses_is_refused_in_the_brokers_words() {
        let counts = |partitions, replication_factor| NewTopic {
            name: "t".into(),
            partitions: Some(partitions),
            replication_factor: Some(replication_factor),
            ..NewTopic::default()
        };
        let bad_partitions = "Number of partitions was set to an invalid non-positive value.";
        let bad_replicas = "Replication factor must be larger than 0, or -1 to use the default value.";
        assert_eq!(refused(counts(-2, 1)), Some((37, bad_partitions.into())));
        assert_eq!(refused(counts(1, -2)), Some((38, bad_replicas.into())));
        assert_eq!(refused(counts(-1, -1)), None);
    }

    #[test]
    fn assignments_may_come_in_any_order_but_without_gaps() {
        let assigned = |partitions: &[i32]| NewTopic {
            name: "t".into(),
            assignments: Some(partitions.iter().map(|partition| (*partition, vec![1])).collect()),
            ..NewTopic::default()
        };
        let gap = "partitions should be a consecutive 0-based integer sequence";
        assert_eq!(refused(assigned(&[2, 0, 1])), None);
        for partitions in [&[0, 2][..], &[1], &[0, 0], &[-1, 0]] {
            assert_eq!(refused(assigned(partitions)), Some((39, gap.into())), "{partitions:?}");
        }
    }

    #[tokio::test]
    async fn a_call_that_nobody_waits_for_any_more_leaves_nothing_behind() {
        let calls = Calls::default();
        let (begun, ended) = calls.begin();
        let id = begun.id;
        drop((begun, ended));
        assert!(calls.waiting.lock().is_empty());
        calls.ended(id, Err((LOCAL_STATE, "late".into())));
    }
}
