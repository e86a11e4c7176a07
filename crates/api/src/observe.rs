//! What is known about a request afterwards: its id, and one line in the access log.
//!
//! The log is a bounded queue in front of one writing thread: a request never waits for a disk, and when the queue is
//! full lines are dropped and counted. Answers 2xx to reads are sampled; errors and writes are always written. Never
//! bodies, never headers but the request's id.

use std::cell::Cell;
use std::fmt::{self, Write as _};
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};

/// `X-Request-ID`
pub const X_REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Id of a request: the client's own if it sent exactly one that is not blank, else a UUIDv4.
#[derive(Debug, Clone)]
pub struct RequestId(HeaderValue);

impl RequestId {
    /// The id of a request with these headers.
    pub fn of(headers: &HeaderMap) -> RequestId {
        let mut values = headers.get_all(X_REQUEST_ID).iter();
        match (values.next(), values.next()) {
            (Some(value), None) if !value.as_bytes().trim_ascii().is_empty() => RequestId(value.clone()),
            _ => RequestId::random(),
        }
    }

    /// A new UUIDv4.
    pub fn random() -> RequestId {
        let mut bits = [0u8; 16];
        bits[..8].copy_from_slice(&random_u64().to_ne_bytes());
        bits[8..].copy_from_slice(&random_u64().to_ne_bytes());
        bits[6] = (bits[6] & 0x0f) | 0x40;
        bits[8] = (bits[8] & 0x3f) | 0x80;
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut text = [b'-'; 36];
        let mut at = 0;
        for (index, byte) in bits.iter().enumerate() {
            if matches!(index, 4 | 6 | 8 | 10) {
                at += 1;
            }
            text[at] = DIGITS[usize::from(byte >> 4)];
            text[at + 1] = DIGITS[usize::from(byte & 0x0f)];
            at += 2;
        }
        RequestId(HeaderValue::from_bytes(&text).unwrap_or_else(|_| HeaderValue::from_static("-")))
    }

    /// For the answer.
    pub fn header(&self) -> HeaderValue {
        self.0.clone()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_bytes().escape_ascii().fmt(f)
    }
}

/// Not for secrets: a generator per thread (splitmix64), seeded from the operating system.
fn random_u64() -> u64 {
    thread_local!(static STATE: Cell<u64> = Cell::new(RandomState::new().hash_one(0u8)));
    STATE.with(|state| {
        let next = state.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        state.set(next);
        let mut z = next;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    })
}

/// What a line says.
#[derive(Debug)]
pub struct Entry<'a> {
    /// Request id.
    pub id: &'a RequestId,
    /// Method as sent.
    pub method: &'a str,
    /// Raw path and query.
    pub target: &'a str,
    /// Operation of the route; `-` without one.
    pub operation: &'a str,
    /// Status answered.
    pub status: u16,
    /// Bytes of the answer's body, if known when its headers went out.
    pub bytes: Option<u64>,
    /// Until the answer's headers were ready.
    pub took: Duration,
}

/// The access log. Clone-free: share it behind an `Arc`.
#[derive(Debug, Default)]
pub struct AccessLog {
    sender: Option<SyncSender<String>>,
    writer: Option<JoinHandle<()>>,
    sample: u32,
    turn: AtomicU32,
    dropped: AtomicU64,
}

const QUEUE_LINES: usize = 8192;
const BUFFER_BYTES: usize = 64 * 1024;
/// How long lines are collected before they are written.
const BATCH: Duration = Duration::from_millis(10);

impl AccessLog {
    /// No log.
    pub fn off() -> AccessLog {
        AccessLog::default()
    }

    /// A log that writes to `out` on a thread of its own, and one of `sample` successful reads (1 = all, 0 = none).
    pub fn to(out: Box<dyn Write + Send>, sample: u32) -> std::io::Result<AccessLog> {
        let (sender, receiver) = sync_channel(QUEUE_LINES);
        let thread = std::thread::Builder::new().name("access-log".to_owned());
        let writer = thread.spawn(move || write_lines(out, &receiver))?;
        Ok(AccessLog {
            sender: Some(sender),
            writer: Some(writer),
            sample,
            turn: AtomicU32::new(0),
            dropped: AtomicU64::new(0),
        })
    }

    /// Whether a request with this outcome gets a line.
    pub fn wants(&self, is_read: bool, status: u16) -> bool {
        if self.sender.is_none() {
            return false;
        }
        if !is_read || !(200..300).contains(&status) {
            return true;
        }
        self.sample > 0 && self.turn.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.sample)
    }

    /// Writes a line, or counts it as dropped if the queue is full.
    pub fn write(&self, entry: &Entry<'_>) {
        let Some(sender) = &self.sender else { return };
        if sender.try_send(line(entry, SystemTime::now())).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Lines dropped so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for AccessLog {
    /// Waits until the last line is written.
    fn drop(&mut self) {
        self.sender = None;
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

/// Writes what has come in, then waits a moment for more: a request that logs while this thread sleeps needs not wake it.
fn write_lines(mut out: Box<dyn Write + Send>, lines: &Receiver<String>) {
    let mut buffer = String::new();
    while let Ok(line) = lines.recv() {
        buffer.push_str(&line);
        std::thread::sleep(BATCH);
        for line in lines.try_iter() {
            buffer.push_str(&line);
            if buffer.len() >= BUFFER_BYTES {
                write_out(&mut out, &mut buffer);
            }
        }
        write_out(&mut out, &mut buffer);
    }
}

fn write_out(out: &mut Box<dyn Write + Send>, buffer: &mut String) {
    // A log that cannot be written is no reason to stop serving.
    let _ = out.write_all(buffer.as_bytes()).and_then(|()| out.flush());
    buffer.clear();
}

fn line(entry: &Entry<'_>, now: SystemTime) -> String {
    let mut line = String::with_capacity(224 + entry.target.len());
    line.push_str("{\"time\":\"");
    timestamp(&mut line, now);
    line.push_str("\",\"request_id\":");
    quote(&mut line, std::str::from_utf8(entry.id.0.as_bytes()).unwrap_or("not UTF-8"));
    line.push_str(",\"method\":");
    quote(&mut line, entry.method);
    line.push_str(",\"target\":");
    quote(&mut line, entry.target);
    line.push_str(",\"operation\":");
    quote(&mut line, entry.operation);
    let mut digits = itoa::Buffer::new();
    line.push_str(",\"status\":");
    line.push_str(digits.format(entry.status));
    if let Some(bytes) = entry.bytes {
        line.push_str(",\"bytes\":");
        line.push_str(digits.format(bytes));
    }
    line.push_str(",\"took_us\":");
    line.push_str(digits.format(entry.took.as_micros()));
    line.push_str("}\n");
    line
}

/// `text` as a JSON string; what needs no escapes is copied.
fn quote(line: &mut String, text: &str) {
    if text.bytes().all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\') {
        line.push('"');
        line.push_str(text);
        line.push('"');
    } else if let Ok(quoted) = serde_json::to_string(text) {
        line.push_str(&quoted);
    }
}

/// RFC 3339 in UTC with milliseconds. Days to date: Howard Hinnant's `civil_from_days`.
fn timestamp(line: &mut String, now: SystemTime) {
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let z = days + 719_468;
    let (era, day_of_era) = (z / 146_097, z % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let millis = since.subsec_millis();
    // Writing to a String cannot fail.
    let _ = write!(line, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.{millis:03}Z");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_single_id_that_is_not_blank_is_kept_and_any_other_replaced() {
        let mut headers = HeaderMap::new();
        headers.insert(X_REQUEST_ID, HeaderValue::from_static("corpus-1"));
        assert_eq!(RequestId::of(&headers).to_string(), "corpus-1");
        headers.append(X_REQUEST_ID, HeaderValue::from_static("corpus-2"));
        assert_eq!(RequestId::of(&headers).to_string().len(), 36);
        headers.insert(X_REQUEST_ID, HeaderValue::from_static(" "));
        let made = RequestId::of(&headers).to_string();
        assert_eq!((made.len(), &made[14..15]), (36, "4"));
        assert_ne!(made, RequestId::of(&headers).to_string());
    }

    #[test]
    fn a_line_is_one_json_object_even_for_hostile_targets() {
        let id = RequestId::random();
        let entry = Entry {
            id: &id,
            method: "GET",
            target: "/subjects/a\"b\u{1}",
            operation: "list_versions",
            status: 404,
            bytes: Some(5),
            took: Duration::from_micros(12),
        };
        let line = line(&entry, UNIX_EPOCH + Duration::from_millis(1_709_210_096_789));
        assert_eq!(line.matches('\n').count(), 1);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["time"], "2024-02-29T12:34:56.789Z");
        assert_eq!(value["target"], "/subjects/a\"b\u{1}");
        assert_eq!(value["took_us"], 12);
    }

    #[test]
    fn reads_that_succeed_are_sampled_and_all_else_is_written() {
        let log = AccessLog::to(Box::new(std::io::sink()), 4).unwrap();
        assert_eq!((0..8).filter(|_| log.wants(true, 200)).count(), 2);
        assert!(log.wants(true, 404) && log.wants(false, 200));
        assert!(!AccessLog::off().wants(false, 500));
    }
}
