//! Reading one partition through librdkafka's simple consumer: no group, no coordinator, no commit.

use std::ffi::c_int;
use std::ptr::{self, NonNull};

use rdkafka::bindings as sys;
use sluice_data_plane::cluster::ConsumedRecord;

use super::{Topic, code_at, owned, raw, slice};
use crate::error::{Code, LOCAL_PARTITION_EOF, NO_ERROR};

/// A partition being fetched into a queue of its own; dropping it stops that.
pub(crate) struct Partition {
    topic: Topic,
    id: i32,
    queue: NonNull<sys::rd_kafka_queue_t>,
}

/// What a [`Partition`] had next.
pub(crate) enum Polled {
    /// A record.
    Record(ConsumedRecord),
    /// The end, for now.
    End,
    /// Nothing within the time.
    Nothing,
    /// Fetching failed.
    Failed(Code),
}

impl Partition {
    /// Starts fetching partition `id` of `topic` at `offset`, which is ≥ 0. One at a time per partition and client.
    pub(crate) fn start(topic: Topic, id: i32, offset: i64) -> Result<Partition, Code> {
        // SAFETY: the client is alive; the queue is destroyed in `drop`.
        let queue = unsafe { sys::rd_kafka_queue_new(topic.handle.rk()) };
        let queue = NonNull::new(queue).ok_or(crate::error::LOCAL_STATE)?;
        // SAFETY: topic and queue are alive.
        let result: c_int =
            unsafe { sys::rd_kafka_consume_start_queue(topic.rkt.as_ptr(), id, offset, queue.as_ptr()) };
        if result == 0 {
            return Ok(Partition { topic, id, queue });
        }
        // SAFETY: reads this thread's last error; the queue has no other user.
        unsafe {
            let code = raw::rd_kafka_last_error();
            sys::rd_kafka_queue_destroy(queue.as_ptr());
            Err(code)
        }
    }

    /// What comes next, waiting at most `timeout_ms`.
    pub(crate) fn next(&self, timeout_ms: i32) -> Polled {
        // SAFETY: the queue is alive; a message returned is ours to destroy, below, once.
        let message = unsafe { sys::rd_kafka_consume_queue(self.queue.as_ptr(), timeout_ms) };
        let Some(message) = NonNull::new(message) else { return Polled::Nothing };
        // SAFETY: the message is alive until destroyed, and all is copied before that.
        unsafe {
            let polled = match code_at(&raw const (*message.as_ptr()).err) {
                NO_ERROR => Polled::Record(copy(message.as_ptr())),
                LOCAL_PARTITION_EOF => Polled::End,
                code => Polled::Failed(code),
            };
            sys::rd_kafka_message_destroy(message.as_ptr());
            polled
        }
    }
}

impl Drop for Partition {
    fn drop(&mut self) {
        // SAFETY: was started, is stopped once; the queue has no other user, and topic and client are still alive.
        unsafe {
            sys::rd_kafka_consume_stop(self.topic.rkt.as_ptr(), self.id);
            sys::rd_kafka_queue_destroy(self.queue.as_ptr());
        }
    }
}

/// # Safety
/// `message` is a consumed record that lives until this returns.
unsafe fn copy(message: *mut sys::rd_kafka_message_t) -> ConsumedRecord {
    // SAFETY: pointers and lengths of a consumed record belong together; a null pointer is Kafka's null.
    unsafe {
        let bytes = |start: *const u8, len: usize| (!start.is_null()).then(|| slice(start, len).to_vec());
        let mut kind = sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        let timestamp_ms = sys::rd_kafka_message_timestamp(message, &mut kind);
        let has_timestamp = kind != sys::rd_kafka_timestamp_type_t::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        ConsumedRecord {
            partition: (*message).partition,
            offset: (*message).offset,
            timestamp_ms: has_timestamp.then_some(timestamp_ms),
            key: bytes((*message).key.cast(), (*message).key_len),
            value: bytes((*message).payload.cast(), (*message).len),
            headers: headers(message),
        }
    }
}

/// # Safety
/// As [`copy`].
unsafe fn headers(message: *mut sys::rd_kafka_message_t) -> Vec<(String, Option<Vec<u8>>)> {
    const OK: sys::rd_kafka_resp_err_t = sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR;
    let mut found = Vec::new();
    let mut list = ptr::null_mut();
    // SAFETY: the list belongs to the message; names are C strings, values pointer and length, all copied here. Both
    // functions return only codes of their own.
    unsafe {
        if sys::rd_kafka_message_headers(message, &mut list) != OK {
            return found;
        }
        let (mut name, mut value, mut size) = (ptr::null(), ptr::null(), 0);
        while sys::rd_kafka_header_get_all(list, found.len(), &mut name, &mut value, &mut size) == OK {
            let value = (!value.is_null()).then(|| slice(value.cast::<u8>(), size).to_vec());
            found.push((owned(name).unwrap_or_default(), value));
        }
    }
    found
}
