//! Writing: records in, delivery reports out.
//!
//! One call per record: `rd_kafka_producev` with a cached topic handle, so librdkafka neither looks the topic up by name
//! nor does anything allocate on this side. librdkafka copies key and value; the opaque is the caller's number.

use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::ptr::{self, NonNull};

use rdkafka::bindings as sys;
use sluice_data_plane::Record;

use super::{Handle, NativeEvent, Topic, code_at, owned, raw};
use crate::error::{Code, LOCAL_INVALID_ARG, NO_ERROR};

/// `rd_kafka_vtype_t` as C passes it through `...`: an `int`.
mod vtype {
    use std::ffi::c_int;

    pub(super) const END: c_int = 0;
    pub(super) const RKT: c_int = 2;
    pub(super) const PARTITION: c_int = 3;
    pub(super) const VALUE: c_int = 4;
    pub(super) const KEY: c_int = 5;
    pub(super) const OPAQUE: c_int = 6;
    pub(super) const MSGFLAGS: c_int = 7;
    pub(super) const TIMESTAMP: c_int = 8;
    pub(super) const HEADERS: c_int = 10;
}

/// What [`Handle::purge`] gives up on.
const QUEUED_AND_SENT: c_int = sys::RD_KAFKA_PURGE_F_QUEUE | sys::RD_KAFKA_PURGE_F_INFLIGHT;

impl Topic {
    /// Puts a record on its way; `opaque` comes back with its report. Errors: nothing was taken, no report comes.
    pub(crate) fn produce(&self, record: &Record<'_>, opaque: usize) -> Result<(), Code> {
        let (key, key_len) = parts(record.key);
        let (value, value_len) = parts(record.value);
        let headers = Headers::new(record)?;
        // SAFETY: client and topic are alive; the arguments follow their tags with the types that rdkafka.h names for
        // them (pointer, int32, int, pointer + size, int64, pointer), ended by END; key and value are copied during
        // the call (MSG_F_COPY); the headers become librdkafka's when it succeeds and stay ours when not.
        let code = unsafe {
            raw::rd_kafka_producev(
                self.handle.rk(),
                vtype::RKT,
                self.rkt.as_ptr(),
                vtype::PARTITION,
                record.partition.unwrap_or(-1),
                vtype::MSGFLAGS,
                sys::RD_KAFKA_MSG_F_COPY as c_int,
                vtype::VALUE,
                value,
                value_len,
                vtype::KEY,
                key,
                key_len,
                vtype::OPAQUE,
                opaque as *mut c_void,
                vtype::TIMESTAMP,
                record.timestamp_ms,
                vtype::HEADERS,
                headers.0,
                vtype::END,
            )
        };
        if code != NO_ERROR {
            return Err(code);
        }
        std::mem::forget(headers);
        Ok(())
    }
}

/// Pointer and length; null for null. The pointer of an empty slice is not null, which is Kafka's empty value.
fn parts(bytes: Option<&[u8]>) -> (*const c_void, usize) {
    bytes.map_or((ptr::null(), 0), |bytes| (bytes.as_ptr().cast(), bytes.len()))
}

/// Headers on their way into a record; null when there are none.
struct Headers(*mut sys::rd_kafka_headers_t);

impl Headers {
    fn new(record: &Record<'_>) -> Result<Headers, Code> {
        if record.headers.is_empty() {
            return Ok(Headers(ptr::null_mut()));
        }
        // SAFETY: no preconditions.
        let headers = Headers(unsafe { sys::rd_kafka_headers_new(record.headers.len()) });
        for header in record.headers {
            let name_len = isize::try_from(header.name.len()).map_err(|_| LOCAL_INVALID_ARG)?;
            let (value, value_len) = parts(header.value);
            let value_len = isize::try_from(value_len).map_err(|_| LOCAL_INVALID_ARG)?;
            // SAFETY: the list is alive; name and value are copied during the call, with their lengths given.
            let result =
                unsafe { sys::rd_kafka_header_add(headers.0, header.name.as_ptr().cast(), name_len, value, value_len) };
            if result != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return Err(result as Code);
            }
        }
        Ok(headers)
    }
}

impl Drop for Headers {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: no record took them.
            unsafe { sys::rd_kafka_headers_destroy(self.0) }
        }
    }
}

impl Handle {
    /// Waits until every record has its report and the reports were handled, at most `timeout_ms`; meanwhile nothing
    /// lingers. Another thread must poll. Whether none is left.
    pub(crate) fn flush(&self, timeout_ms: i32) -> bool {
        // SAFETY: the client is alive.
        let result = unsafe { sys::rd_kafka_flush(self.rk(), timeout_ms) };
        result == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR
    }

    /// Gives up on every record that has no report yet: reports come at once.
    pub(crate) fn purge(&self) {
        // SAFETY: the client is alive and a producer; it only fails for other clients.
        unsafe { sys::rd_kafka_purge(self.rk(), QUEUED_AND_SENT) };
    }
}

/// Delivery reports of some records.
pub(crate) struct Reports<'h>(NativeEvent<'h>);

impl<'h> Reports<'h> {
    pub(super) fn new(event: NativeEvent<'h>) -> Reports<'h> {
        Reports(event)
    }

    /// Calls `each` for every report, in librdkafka's order; how many there were. A second call finds none.
    pub(crate) fn for_each(&mut self, mut each: impl FnMut(Report<'_>)) -> usize {
        let mut messages = [ptr::null::<sys::rd_kafka_message_t>(); 128];
        let mut total = 0;
        loop {
            // SAFETY: the event is alive and a delivery report; the array has room for as many as it says.
            let count =
                unsafe { sys::rd_kafka_event_message_array(self.0.ptr(), messages.as_mut_ptr(), messages.len()) };
            for message in &messages[..count.min(messages.len())] {
                if let Some(message) = NonNull::new(message.cast_mut()) {
                    each(Report { message, event: PhantomData });
                }
            }
            total += count;
            if count < messages.len() {
                return total;
            }
        }
    }
}

/// One record's report. Lives within the event.
///
/// What the broker said about it cannot be had: `rd_kafka_message_produce_errstr` points into a result that librdkafka
/// has freed by then (2.12.1: `rd_kafka_handle_Produce` destroys it, the report's operation keeps a copy of its own).
pub(crate) struct Report<'e> {
    message: NonNull<sys::rd_kafka_message_t>,
    event: PhantomData<&'e ()>,
}

/// `rd_kafka_msg_status_t`: 0 is NOT_PERSISTED.
const NOT_PERSISTED: c_int = 0;

impl Report<'_> {
    /// As given to [`Topic::produce`].
    pub(crate) fn opaque(&self) -> usize {
        // SAFETY: the message lives as long as its event, which outlives `self`.
        unsafe { (*self.message.as_ptr())._private as usize }
    }

    /// [`NO_ERROR`] when the record was acknowledged.
    pub(crate) fn code(&self) -> Code {
        // SAFETY: as above.
        unsafe { code_at(&raw const (*self.message.as_ptr()).err) }
    }

    /// Whether librdkafka can tell that the record is in no log. Sticky the other way: once it may be, it may be.
    pub(crate) fn is_surely_not_written(&self) -> bool {
        // SAFETY: as above.
        unsafe { raw::rd_kafka_message_status(self.message.as_ptr()) == NOT_PERSISTED }
    }

    /// Partition and offset; the offset is negative when the broker did not say.
    pub(crate) fn place(&self) -> (i32, i64) {
        // SAFETY: as above.
        unsafe { ((*self.message.as_ptr()).partition, (*self.message.as_ptr()).offset) }
    }

    /// The record's timestamp, or the broker's where it sets its own.
    pub(crate) fn timestamp_ms(&self) -> Option<i64> {
        // SAFETY: as above; a null type is allowed.
        let timestamp_ms = unsafe { sys::rd_kafka_message_timestamp(self.message.as_ptr(), ptr::null_mut()) };
        (timestamp_ms >= 0).then_some(timestamp_ms)
    }

    /// Name of the record's topic.
    pub(crate) fn topic(&self) -> Option<String> {
        // SAFETY: as above; a report's message has its topic, whose name lives as long as it does and is copied.
        unsafe {
            let topic = (*self.message.as_ptr()).rkt;
            if topic.is_null() { None } else { owned(sys::rd_kafka_topic_name(topic)) }
        }
    }
}
