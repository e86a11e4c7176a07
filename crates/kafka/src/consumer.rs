//! Reading a bounded piece of one partition.
//!
//! A client per read, gone afterwards: reads are rare (a person looks), and an idle reader would hold connections,
//! threads and buffers. At most two run at a time per cluster; the rest wait within their time.

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use sluice_data_plane::cluster::{AdminError, Consume, ConsumedRecord, IfMissing};
use tokio::sync::Semaphore;

use crate::client::{Alive, Core, as_ms};
use crate::error::{self, Code, LOCAL_STATE, LOCAL_TIMED_OUT, LOCAL_UNKNOWN_PARTITION, UNKNOWN_TOPIC_OR_PARTITION};
use crate::ffi::{Event, Handle, Kind, Partition, Polled, Topic};

/// Reads at a time.
const AT_ONCE: usize = 2;

/// [`Consume`] of one cluster.
pub(crate) struct KafkaConsumer {
    alive: Arc<Alive>,
    at_once: Arc<Semaphore>,
}

impl KafkaConsumer {
    pub(crate) fn new(alive: Arc<Alive>) -> KafkaConsumer {
        KafkaConsumer { alive, at_once: Arc::new(Semaphore::new(AT_ONCE)) }
    }

    /// Runs `work` on a thread that may block, when there is room; at most until `deadline`, which it gets.
    async fn blocking<T: Send + 'static>(
        &self,
        topic: &str,
        partition: i32,
        timeout_ms: u64,
        work: impl FnOnce(&Core, Instant) -> Result<T, AdminError> + Send + 'static,
    ) -> Result<T, AdminError> {
        let core = self.alive.core().clone();
        let deadline = Instant::now() + Duration::from_millis(timeout_ms);
        let timed_out = || core.admin_error(LOCAL_TIMED_OUT, None);
        let all = async {
            known(&core, topic, partition, timeout_ms).await?;
            let permit = self.at_once.clone().acquire_owned().await.map_err(|_| timed_out())?;
            let working = core.clone();
            let done = tokio::task::spawn_blocking(move || {
                let _permit = permit;
                work(&working, deadline)
            });
            done.await.map_err(|error| AdminError { code: LOCAL_STATE, message: error.to_string() })?
        };
        tokio::time::timeout_at(deadline.into(), all).await.unwrap_or_else(|_| Err(timed_out()))
    }
}

/// Errors: no such topic or partition.
async fn known(core: &Arc<Core>, topic: &str, partition: i32, timeout_ms: u64) -> Result<(), AdminError> {
    match crate::admin::partitions_of(core, topic, IfMissing::Report, timeout_ms).await? {
        None => Err(error::admin_error(UNKNOWN_TOPIC_OR_PARTITION, None)),
        Some(partitions) if (0..partitions).contains(&partition) => Ok(()),
        Some(_) => Err(error::admin_error(LOCAL_UNKNOWN_PARTITION, None)),
    }
}

fn left_ms(deadline: Instant) -> i32 {
    as_ms(deadline.saturating_duration_since(Instant::now()))
}

#[async_trait]
impl Consume for KafkaConsumer {
    async fn read(
        &self,
        topic: &str,
        partition: i32,
        offset: i64,
        limit: usize,
        max_bytes: usize,
        timeout_ms: u64,
    ) -> Result<Vec<ConsumedRecord>, AdminError> {
        let name = topic.to_owned();
        self.blocking(topic, partition, timeout_ms, move |core, deadline| {
            read(core, &name, partition, offset, limit, max_bytes, deadline)
        })
        .await
    }

    async fn offsets(&self, topic: &str, partition: i32, timeout_ms: u64) -> Result<(i64, i64), AdminError> {
        let name = topic.to_owned();
        self.blocking(topic, partition, timeout_ms, move |core, deadline| watermarks(core, &name, partition, deadline))
            .await
    }
}

/// Codes by which a broker says that leadership is moving, or, for a new topic, not known everywhere yet:
/// UNKNOWN_TOPIC_OR_PARTITION, LEADER_NOT_AVAILABLE, NOT_LEADER_OR_FOLLOWER, REPLICA_NOT_AVAILABLE,
/// FENCED_LEADER_EPOCH, UNKNOWN_LEADER_EPOCH, OFFSET_NOT_AVAILABLE.
const SETTLING: &[Code] = &[UNKNOWN_TOPIC_OR_PARTITION, 5, 6, 9, 74, 75, 78];
const SETTLING_POLL: Duration = Duration::from_millis(50);

/// Earliest offset and high watermark of a partition that metadata knows.
fn watermarks(core: &Core, topic: &str, partition: i32, deadline: Instant) -> Result<(i64, i64), AdminError> {
    loop {
        match core.asking.watermarks(topic, partition, left_ms(deadline)) {
            Ok(found) => return Ok(found),
            Err(code) if SETTLING.contains(&code) && Instant::now() + SETTLING_POLL < deadline => {
                std::thread::sleep(SETTLING_POLL);
            }
            Err(code) => return Err(core.admin_error(code, None)),
        }
    }
}

/// What is in the partition now, from `offset` on. An offset before the log's start begins at its start; one behind its
/// end finds nothing. The first record comes whatever its size.
fn read(
    core: &Core,
    topic: &str,
    partition: i32,
    offset: i64,
    limit: usize,
    max_bytes: usize,
    deadline: Instant,
) -> Result<Vec<ConsumedRecord>, AdminError> {
    let failed = |code| core.admin_error(code, None);
    let (low, high) = watermarks(core, topic, partition, deadline)?;
    let start = if offset < 0 { high.saturating_add(offset) } else { offset }.max(low);
    let mut records: Vec<ConsumedRecord> = Vec::new();
    if start >= high || limit == 0 {
        return Ok(records);
    }
    let started = Handle::new(Kind::Consumer, &core.settings.consumer());
    let handle = Arc::new(started.map_err(|message| AdminError { code: LOCAL_STATE, message })?);
    let opened = Topic::new(&handle, topic).map_err(failed)?;
    let fetching = Partition::start(opened, partition, start).map_err(failed)?;
    let mut bytes = 0;
    while records.len() < limit {
        // short, because what went wrong is told by the client's own queue
        match fetching.next(left_ms(deadline).min(100)) {
            Polled::Record(record) => {
                bytes += size(&record);
                if !records.is_empty() && bytes > max_bytes {
                    break;
                }
                let is_last = record.offset + 1 >= high;
                records.push(record);
                if is_last {
                    break;
                }
            }
            Polled::End => break,
            Polled::Nothing => {
                while let Some(event) = handle.poll(0) {
                    if let Event::Error { code, text, .. } = event {
                        core.noted(code, &text);
                    }
                }
                if left_ms(deadline) == 0 {
                    if records.is_empty() {
                        return Err(failed(LOCAL_TIMED_OUT));
                    }
                    break;
                }
            }
            Polled::Failed(code) => return Err(failed(code)),
        }
    }
    Ok(records)
}

fn size(record: &ConsumedRecord) -> usize {
    let length = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(0, Vec::len);
    let headers: usize = record.headers.iter().map(|(name, value)| name.len() + length(value)).sum();
    length(&record.key) + length(&record.value) + headers
}
