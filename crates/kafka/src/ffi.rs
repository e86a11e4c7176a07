//! librdkafka's C interface, and all `unsafe` of the workspace.
//!
//! Everything public here is safe: pointers stay in types that own them ([`Handle`], [`Topic`], [`Event`]), texts and
//! numbers are copied out. No callback from C into Rust exists: delivery reports, errors, logs and admin results come
//! as events from one queue per handle, so no panic can unwind into C. Error codes and other enums that brokers fill
//! are read as plain integers: a value newer than the bindings' Rust enum would be undefined behaviour.
//!
//! Sub-modules: `produce`, `consume`, `admin` (what is asked of a handle), `mock` (the in-process broker).
//! To add an admin call: see `admin`. Source: `rdkafka.h`, librdkafka 2.12.1.
#![allow(unsafe_code)]

mod admin;
mod consume;
mod mock;
mod produce;

use std::ffi::{CStr, CString, c_char, c_int};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};
use std::sync::Arc;

use rdkafka::bindings as sys;

use crate::error::{Code, LOCAL_INVALID_ARG, NO_ERROR};

pub(crate) use admin::{AdminReply, CallId};
pub(crate) use consume::{Partition, Polled};
pub(crate) use mock::Mock;
pub(crate) use produce::{Report, Reports};

/// librdkafka functions that return codes a broker may have chosen, declared as what they are in C: integers.
mod raw {
    use std::ffi::{c_char, c_int};

    use rdkafka::bindings as sys;

    #[allow(clashing_extern_declarations)]
    unsafe extern "C" {
        pub(super) fn rd_kafka_err2str(err: c_int) -> *const c_char;
        pub(super) fn rd_kafka_last_error() -> c_int;
        pub(super) fn rd_kafka_error_code(error: *const sys::rd_kafka_error_t) -> c_int;
        pub(super) fn rd_kafka_event_error(event: *mut sys::rd_kafka_event_t) -> c_int;
        pub(super) fn rd_kafka_topic_result_error(result: *const sys::rd_kafka_topic_result_t) -> c_int;
        pub(super) fn rd_kafka_ConfigResource_error(resource: *const sys::rd_kafka_ConfigResource_t) -> c_int;
        pub(super) fn rd_kafka_message_status(message: *const sys::rd_kafka_message_t) -> c_int;
        pub(super) fn rd_kafka_AclOperation_name(operation: c_int) -> *const c_char;
        pub(super) fn rd_kafka_fatal_error(rk: *mut sys::rd_kafka_t, text: *mut c_char, size: usize) -> c_int;
        pub(super) fn rd_kafka_metadata(
            rk: *mut sys::rd_kafka_t,
            all_topics: c_int,
            only: *mut sys::rd_kafka_topic_t,
            metadata: *mut *const sys::rd_kafka_metadata,
            timeout_ms: c_int,
        ) -> c_int;
        pub(super) fn rd_kafka_query_watermark_offsets(
            rk: *mut sys::rd_kafka_t,
            topic: *const c_char,
            partition: i32,
            low: *mut i64,
            high: *mut i64,
            timeout_ms: c_int,
        ) -> c_int;
        pub(super) fn rd_kafka_producev(rk: *mut sys::rd_kafka_t, ...) -> c_int;
    }
}

/// librdkafka's text for `code`.
pub(crate) fn error_text(code: Code) -> String {
    // SAFETY: takes any integer; returns a static or thread-local C string that is copied before anything else runs.
    unsafe { owned(raw::rd_kafka_err2str(code)) }.unwrap_or_default()
}

/// Copies a C string; null is `None`.
///
/// # Safety
/// `text` is null or points to a C string that lives at least until this returns.
unsafe fn owned(text: *const c_char) -> Option<String> {
    if text.is_null() {
        return None;
    }
    // SAFETY: not null, and the caller vouches for the rest.
    Some(unsafe { CStr::from_ptr(text) }.to_string_lossy().into_owned())
}

/// A slice of C memory; null or nothing is the empty slice.
///
/// # Safety
/// `start` is null or points to `count` values that live and stay unchanged as long as the caller uses the slice.
unsafe fn slice<'a, T>(start: *const T, count: usize) -> &'a [T] {
    if start.is_null() || count == 0 {
        return &[];
    }
    // SAFETY: not null, and the caller vouches for the rest.
    unsafe { std::slice::from_raw_parts(start, count) }
}

/// A length from C, where it is an `int` that is never negative.
fn count(number: c_int) -> usize {
    usize::try_from(number).unwrap_or(0)
}

/// Room for an error text that librdkafka writes.
struct ErrorText([c_char; 512]);

impl ErrorText {
    fn new() -> ErrorText {
        ErrorText([0; 512])
    }

    fn room(&mut self) -> (*mut c_char, usize) {
        (self.0.as_mut_ptr(), self.0.len())
    }

    fn take(self) -> String {
        // SAFETY: librdkafka ends what it writes with a null byte within the size it was given; else all is null.
        unsafe { owned(self.0.as_ptr()) }.unwrap_or_default()
    }
}

/// Runs `start` with this thread under Linux's `SCHED_BATCH`; threads that it starts inherit that.
///
/// A batch thread that wakes up does not push another off its core. librdkafka's threads are woken with the first of
/// many records that a worker is about to offer: on a busy core they would take it at once, for a batch of a few. On an
/// idle core nothing changes. Where the policy cannot be had, `start` runs as it is.
pub(crate) fn in_batch_policy<T>(start: impl FnOnce() -> T) -> T {
    let before = batch_policy(true);
    let result = start();
    if before {
        batch_policy(false);
    }
    result
}

/// Puts this thread under `SCHED_BATCH`, or back under the usual policy; whether it was changed.
pub(crate) fn batch_policy(is_batch: bool) -> bool {
    #[cfg(target_os = "linux")]
    {
        let (from, to) = match is_batch {
            true => (libc::SCHED_OTHER, libc::SCHED_BATCH),
            false => (libc::SCHED_BATCH, libc::SCHED_OTHER),
        };
        // SAFETY: 0 is the calling thread; the parameters, for which zero is the right value whatever fields there are,
        // outlive the call, which changes nothing but this thread's policy, between two that need no privilege.
        unsafe {
            let parameters: libc::sched_param = std::mem::zeroed();
            libc::sched_getscheduler(0) == from && libc::sched_setscheduler(0, to, &parameters) == 0
        }
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = is_batch;
        false
    }
}

/// What kind of client a handle is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Writes; also all that asks metadata and admin questions.
    Producer,
    /// Reads.
    Consumer,
}

/// librdkafka's complaint about one property, if it has any.
pub(crate) fn property_mistake(name: &str, value: &str) -> Option<String> {
    Conf::new().set(name, value).err()
}

/// librdkafka's complaint about properties that belong together, if it has any. Connects to nothing.
pub(crate) fn properties_mistake(properties: &[(String, String)]) -> Option<String> {
    let offline: Vec<_> = properties.iter().filter(|(name, _)| name != "bootstrap.servers").cloned().collect();
    Handle::new(Kind::Producer, &offline).err()
}

/// A configuration that no client owns yet.
struct Conf(NonNull<sys::rd_kafka_conf_t>);

impl Conf {
    fn new() -> Conf {
        // SAFETY: no preconditions. It allocates and, like Rust's allocator, aborts rather than return null.
        let conf = unsafe { sys::rd_kafka_conf_new() };
        Conf(NonNull::new(conf).unwrap_or_else(|| std::process::abort()))
    }

    fn set(&self, name: &str, value: &str) -> Result<(), String> {
        let (Ok(name_c), Ok(value_c)) = (CString::new(name), CString::new(value)) else {
            return Err("contains a null byte".to_owned());
        };
        let mut said = ErrorText::new();
        let (text, size) = said.room();
        // SAFETY: the configuration is alive, the strings outlive the call, `text` has room for `size` bytes.
        let result = unsafe { sys::rd_kafka_conf_set(self.0.as_ptr(), name_c.as_ptr(), value_c.as_ptr(), text, size) };
        match result {
            sys::rd_kafka_conf_res_t::RD_KAFKA_CONF_OK => Ok(()),
            _ => Err(said.take()),
        }
    }
}

impl Drop for Conf {
    fn drop(&mut self) {
        // SAFETY: no client took it: `Handle::new` forgets it when one does.
        unsafe { sys::rd_kafka_conf_destroy(self.0.as_ptr()) }
    }
}

/// A librdkafka client with its event queue. Dropping it waits for librdkafka's threads (some milliseconds).
pub(crate) struct Handle {
    rk: NonNull<sys::rd_kafka_t>,
    /// The main queue: delivery reports, errors, logs, admin results.
    events: NonNull<sys::rd_kafka_queue_t>,
}

// SAFETY: librdkafka's clients and queues are "completely thread safe" (INTRODUCTION.md, "Threads and callbacks"); the
// pointers are freed only in `drop`, which has the only reference.
unsafe impl Send for Handle {}
// SAFETY: as above.
unsafe impl Sync for Handle {}

impl Handle {
    /// A running client with `properties`, later ones winning. Errors: librdkafka's sentence. Returns without waiting
    /// for any connection; starts threads and reads certificate files.
    pub(crate) fn new(kind: Kind, properties: &[(String, String)]) -> Result<Handle, String> {
        let conf = Conf::new();
        for (name, value) in properties {
            conf.set(name, value).map_err(|said| format!("{name}: {said}"))?;
        }
        conf.set("log.queue", "true")?;
        // SAFETY: the configuration is alive and no client owns it yet.
        unsafe { sys::rd_kafka_conf_set_events(conf.0.as_ptr(), sys::RD_KAFKA_EVENT_DR | sys::RD_KAFKA_EVENT_ERROR) };
        let kind = match kind {
            Kind::Producer => sys::rd_kafka_type_t::RD_KAFKA_PRODUCER,
            Kind::Consumer => sys::rd_kafka_type_t::RD_KAFKA_CONSUMER,
        };
        let mut said = ErrorText::new();
        let (text, size) = said.room();
        // SAFETY: the configuration is alive, `text` has room for `size` bytes.
        let rk = unsafe { sys::rd_kafka_new(kind, conf.0.as_ptr(), text, size) };
        let Some(rk) = NonNull::new(rk) else {
            return Err(said.take()); // and the configuration is still ours: dropped
        };
        std::mem::forget(conf); // the client owns it now
        // SAFETY: the client is alive. The reference to its main queue is returned in `drop`.
        let events = unsafe { sys::rd_kafka_queue_get_main(rk.as_ptr()) };
        let Some(events) = NonNull::new(events) else {
            // SAFETY: nobody else knows this client.
            unsafe { sys::rd_kafka_destroy(rk.as_ptr()) };
            return Err("no event queue".to_owned());
        };
        let handle = Handle { rk, events };
        // SAFETY: both are alive, and librdkafka keeps its own reference to the queue.
        unsafe { sys::rd_kafka_set_log_queue(rk.as_ptr(), events.as_ptr()) };
        Ok(handle)
    }

    fn rk(&self) -> *mut sys::rd_kafka_t {
        self.rk.as_ptr()
    }

    /// The next event, waiting at most `timeout_ms` for one; `None` also when [`Handle::wake`] was called.
    pub(crate) fn poll(&self, timeout_ms: i32) -> Option<Event<'_>> {
        // SAFETY: the queue is alive; the event returned is ours to destroy, which `NativeEvent` does.
        let event = unsafe { sys::rd_kafka_queue_poll(self.events.as_ptr(), timeout_ms) };
        Some(Event::decode(NativeEvent(NonNull::new(event)?, PhantomData)))
    }

    /// Makes a [`Handle::poll`] that waits return.
    pub(crate) fn wake(&self) {
        // SAFETY: the queue is alive.
        unsafe { sys::rd_kafka_queue_yield(self.events.as_ptr()) }
    }

    /// Kafka's `cluster.id`, if any metadata said it; does not wait.
    pub(crate) fn cluster_id(&self) -> Option<String> {
        // SAFETY: the client is alive; the string returned is ours and freed with librdkafka's allocator.
        unsafe {
            let id = sys::rd_kafka_clusterid(self.rk(), 0);
            let copy = owned(id);
            if !id.is_null() {
                sys::rd_kafka_mem_free(self.rk(), id.cast());
            }
            copy
        }
    }

    /// The fatal error of this client, if it had one: then it can do nothing more.
    pub(crate) fn fatal_error(&self) -> Option<(Code, String)> {
        let mut said = ErrorText::new();
        let (text, size) = said.room();
        // SAFETY: the client is alive, `text` has room for `size` bytes.
        let code = unsafe { raw::rd_kafka_fatal_error(self.rk(), text, size) };
        (code != NO_ERROR).then(|| (code, said.take()))
    }

    /// Raises a fatal error as idempotence trouble would.
    #[cfg(test)]
    pub(crate) fn raise_fatal_error(&self) {
        let code = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER;
        // SAFETY: the client is alive, the text is a static C string.
        unsafe { sys::rd_kafka_test_fatal_error(self.rk(), code, c"raised by a test".as_ptr()) };
    }

    /// Metadata from a broker; blocks at most `timeout_ms`.
    pub(crate) fn metadata(self: &Arc<Self>, about: About<'_>, timeout_ms: i32) -> Result<Metadata, Code> {
        let topic = match about {
            About::Topic(name) => Some(Topic::new(self, name)?),
            About::AllTopics | About::Brokers => None,
        };
        let only = topic.as_ref().map_or(ptr::null_mut(), |topic| topic.rkt.as_ptr());
        let mut native: *const sys::rd_kafka_metadata = ptr::null();
        let all = c_int::from(matches!(about, About::AllTopics));
        // SAFETY: client and topic are alive during the call; `native` receives an allocation of ours on success.
        let code = unsafe { raw::rd_kafka_metadata(self.rk(), all, only, &mut native, timeout_ms) };
        if code != NO_ERROR || native.is_null() {
            return Err(code);
        }
        // SAFETY: on success `native` is a complete metadata tree, which is copied and then freed, once.
        unsafe {
            let metadata = Metadata::copy(&*native);
            sys::rd_kafka_metadata_destroy(native);
            Ok(metadata)
        }
    }

    /// Earliest offset and high watermark, asked of the partition's leader; blocks at most `timeout_ms`.
    pub(crate) fn watermarks(&self, topic: &str, partition: i32, timeout_ms: i32) -> Result<(i64, i64), Code> {
        let topic = CString::new(topic).map_err(|_| LOCAL_INVALID_ARG)?;
        let (mut low, mut high) = (0, 0);
        // SAFETY: the client is alive, the string and both numbers outlive the call.
        let code = unsafe {
            raw::rd_kafka_query_watermark_offsets(self.rk(), topic.as_ptr(), partition, &mut low, &mut high, timeout_ms)
        };
        if code == NO_ERROR { Ok((low, high)) } else { Err(code) }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: `&mut self`: nobody uses the pointers any more; topics hold an `Arc` of this handle and events borrow
        // it. The queue reference goes before the client.
        unsafe {
            sys::rd_kafka_queue_destroy(self.events.as_ptr());
            sys::rd_kafka_destroy(self.rk());
        }
    }
}

/// A topic of a client: saves librdkafka a look-up by name per record.
pub(crate) struct Topic {
    rkt: NonNull<sys::rd_kafka_topic_t>,
    handle: Arc<Handle>,
}

// SAFETY: topic handles are reference-counted and locked inside librdkafka; ours is released only in `drop`.
unsafe impl Send for Topic {}
// SAFETY: as above.
unsafe impl Sync for Topic {}

impl Topic {
    /// The topic `name` of `handle`, existing or not. Errors: a name that is no C string, or out of limits.
    pub(crate) fn new(handle: &Arc<Handle>, name: &str) -> Result<Topic, Code> {
        Topic::open(handle, name, ptr::null_mut())
    }

    /// The same, with a message timeout of its own (at least 1 ms). Of no effect for a topic that this client has had
    /// before: librdkafka keeps what it was opened with. Errors: also a timeout that is not longer than `linger.ms`.
    pub(crate) fn with_message_timeout(handle: &Arc<Handle>, name: &str, timeout_ms: u32) -> Result<Topic, Code> {
        let value = CString::new(timeout_ms.to_string()).map_err(|_| LOCAL_INVALID_ARG)?;
        let mut said = ErrorText::new();
        let (text, size) = said.room();
        // SAFETY: the client is alive; the copy of its topic configuration is ours until `open` takes it or it is
        // destroyed here; the strings outlive the call, `text` has room for `size` bytes.
        let conf = unsafe {
            let conf = sys::rd_kafka_default_topic_conf_dup(handle.rk());
            let name = c"message.timeout.ms".as_ptr();
            match sys::rd_kafka_topic_conf_set(conf, name, value.as_ptr(), text, size) {
                sys::rd_kafka_conf_res_t::RD_KAFKA_CONF_OK => conf,
                _ => {
                    sys::rd_kafka_topic_conf_destroy(conf);
                    return Err(LOCAL_INVALID_ARG);
                }
            }
        };
        Topic::open(handle, name, conf)
    }

    /// `conf` is ours and goes to librdkafka; null is the client's default.
    fn open(handle: &Arc<Handle>, name: &str, conf: *mut sys::rd_kafka_topic_conf_t) -> Result<Topic, Code> {
        let Ok(name) = CString::new(name) else {
            if !conf.is_null() {
                // SAFETY: nobody else knows it.
                unsafe { sys::rd_kafka_topic_conf_destroy(conf) };
            }
            return Err(LOCAL_INVALID_ARG);
        };
        // SAFETY: the client is alive, the name outlives the call; the configuration is null or ours, and librdkafka's
        // from here on, whether the call succeeds or not.
        let rkt = unsafe { sys::rd_kafka_topic_new(handle.rk(), name.as_ptr(), conf) };
        match NonNull::new(rkt) {
            Some(rkt) => Ok(Topic { rkt, handle: handle.clone() }),
            // SAFETY: reads this thread's last error.
            None => Err(unsafe { raw::rd_kafka_last_error() }),
        }
    }
}

impl Topic {
    /// Has metadata of the topic asked for; does not wait for it.
    pub(crate) fn refresh(&self) {
        let mut native: *const sys::rd_kafka_metadata = ptr::null();
        // SAFETY: client and topic are alive; `native` receives an allocation of ours on success, freed at once. With
        // no time to wait the answer usually comes later, and updates the client all the same.
        unsafe {
            let code = raw::rd_kafka_metadata(self.handle.rk(), 0, self.rkt.as_ptr(), &mut native, 0);
            if code == NO_ERROR && !native.is_null() {
                sys::rd_kafka_metadata_destroy(native);
            }
        }
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        // SAFETY: our one reference, and the client is still alive: `handle` is dropped after this body.
        unsafe { sys::rd_kafka_topic_destroy(self.rkt.as_ptr()) }
    }
}

/// An event that is ours to destroy, while its client lives.
struct NativeEvent<'h>(NonNull<sys::rd_kafka_event_t>, PhantomData<&'h Handle>);

impl<'h> NativeEvent<'h> {
    fn ptr(&self) -> *mut sys::rd_kafka_event_t {
        self.0.as_ptr()
    }

    /// Code and text of the event as a whole; `None` is success.
    fn error(&self) -> Option<(Code, String)> {
        // SAFETY: the event is alive; its text is copied while it is.
        unsafe {
            let code = raw::rd_kafka_event_error(self.ptr());
            (code != NO_ERROR).then(|| (code, owned(sys::rd_kafka_event_error_string(self.ptr())).unwrap_or_default()))
        }
    }

    fn log(&self) -> Event<'h> {
        let (mut facility, mut text, mut level) = (ptr::null(), ptr::null(), 0);
        // SAFETY: the event is alive and of type LOG; the strings live as long as it does and are copied.
        unsafe {
            if sys::rd_kafka_event_log(self.ptr(), &mut facility, &mut text, &mut level) != 0 {
                return Event::Other;
            }
            let (facility, text) = (owned(facility).unwrap_or_default(), owned(text).unwrap_or_default());
            Event::Log { level, text: format!("{facility}: {text}") }
        }
    }
}

impl Drop for NativeEvent<'_> {
    fn drop(&mut self) {
        // SAFETY: came from `rd_kafka_queue_poll`, destroyed once.
        unsafe { sys::rd_kafka_event_destroy(self.ptr()) }
    }
}

/// Something that happened to a client.
pub(crate) enum Event<'h> {
    /// Records have outcomes.
    Delivered(Reports<'h>),
    /// A connection, a broker or the client failed.
    Error {
        /// Code.
        code: Code,
        /// librdkafka's sentence.
        text: String,
        /// The client can do nothing more.
        is_fatal: bool,
    },
    /// An admin call ended.
    Admin {
        /// As given when it began.
        call: CallId,
        /// Its result.
        reply: Result<AdminReply, (Code, String)>,
    },
    /// A log line.
    Log {
        /// Syslog level: 3 and below are errors, 7 is debug.
        level: i32,
        /// What the line is about.
        text: String,
    },
    /// Nothing that matters here.
    Other,
}

impl<'h> Event<'h> {
    fn decode(native: NativeEvent<'h>) -> Event<'h> {
        // SAFETY: the event is alive.
        let kind = unsafe { sys::rd_kafka_event_type(native.ptr()) };
        match kind {
            sys::RD_KAFKA_EVENT_DR => Event::Delivered(Reports::new(native)),
            sys::RD_KAFKA_EVENT_ERROR => {
                // SAFETY: the event is alive.
                let is_fatal = unsafe { sys::rd_kafka_event_error_is_fatal(native.ptr()) } != 0;
                match native.error() {
                    Some((code, text)) => Event::Error { code, text, is_fatal },
                    None => Event::Other,
                }
            }
            sys::RD_KAFKA_EVENT_LOG => native.log(),
            _ => admin::decode(kind, &native),
        }
    }
}

/// What to ask metadata about.
#[derive(Debug, Clone, Copy)]
pub(crate) enum About<'a> {
    /// Brokers only.
    Brokers,
    /// Every topic.
    AllTopics,
    /// One topic. A client that may create topics has it created by a broker that does so.
    Topic(&'a str),
}

/// Metadata, copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Metadata {
    /// Node id, host, port.
    pub(crate) brokers: Vec<(i32, String, i32)>,
    /// Topics.
    pub(crate) topics: Vec<TopicMetadata>,
}

/// A topic's metadata.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TopicMetadata {
    pub(crate) name: String,
    pub(crate) code: Code,
    pub(crate) partitions: Vec<sluice_data_plane::cluster::PartitionDescription>,
}

impl Metadata {
    /// # Safety
    /// `native` came complete from `rd_kafka_metadata`.
    unsafe fn copy(native: &sys::rd_kafka_metadata) -> Metadata {
        // SAFETY: counts and pointers of a complete tree belong together; strings are C strings of the same allocation.
        unsafe {
            let brokers = slice(native.brokers, count(native.broker_cnt))
                .iter()
                .map(|broker| (broker.id, owned(broker.host).unwrap_or_default(), broker.port))
                .collect();
            let topics = slice(native.topics, count(native.topic_cnt))
                .iter()
                .map(|topic| TopicMetadata {
                    name: owned(topic.topic).unwrap_or_default(),
                    code: code_at(&raw const topic.err),
                    partitions: slice(topic.partitions, count(topic.partition_cnt))
                        .iter()
                        .map(|partition| sluice_data_plane::cluster::PartitionDescription {
                            id: partition.id,
                            leader: (partition.leader >= 0).then_some(partition.leader),
                            replicas: slice(partition.replicas, count(partition.replica_cnt)).to_vec(),
                            in_sync: slice(partition.isrs, count(partition.isr_cnt)).to_vec(),
                        })
                        .collect(),
                })
                .collect();
            Metadata { brokers, topics }
        }
    }
}

/// Reads a code that C stored in a field which the bindings type as an enum.
///
/// # Safety
/// `field` points to an initialised C enum.
unsafe fn code_at(field: *const sys::rd_kafka_resp_err_t) -> Code {
    // SAFETY: a C enum is an `int` on the platforms librdkafka runs on; read as such, any value is valid.
    unsafe { field.cast::<c_int>().read() }
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    fn policy() -> c_int {
        // SAFETY: 0 is the calling thread.
        unsafe { libc::sched_getscheduler(0) }
    }

    #[test]
    fn threads_started_in_batch_policy_keep_it_and_the_one_that_started_them_does_not() {
        let theirs = in_batch_policy(|| std::thread::spawn(policy)).join().unwrap();
        assert_eq!((theirs, policy()), (libc::SCHED_BATCH, libc::SCHED_OTHER));
        // one that is under it already stays so
        batch_policy(true);
        let inside = in_batch_policy(policy);
        assert_eq!((inside, policy()), (libc::SCHED_BATCH, libc::SCHED_BATCH));
        batch_policy(false);
    }
}
