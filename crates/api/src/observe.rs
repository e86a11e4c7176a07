//! What is known about a request afterwards: its id, and one line in the access log.
//!
//! The log is a bounded buffer in front of one writing thread: a request never waits for a disk, and when the buffer is
//! full lines are dropped and counted. Answers 2xx to reads are sampled; errors and writes are always written. Never
//! bodies, never headers but the request's id.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use http::HeaderMap;
use http::header::{HeaderName, HeaderValue};
use parking_lot::{Condvar, Mutex};

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
    lines: Option<Arc<Lines>>,
    writer: Option<JoinHandle<()>>,
    sample: u32,
    turn: AtomicU32,
    dropped: AtomicU64,
}

/// Lines that wait for the writing thread, in one text: a line of its own would be allocated here and freed there.
#[derive(Debug, Default)]
struct Lines {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    text: String,
    is_closed: bool,
}

/// Bytes that may wait.
const BUFFER_BYTES: usize = 2 * 1024 * 1024;
/// What the buffer keeps of its size after a burst.
const KEPT_BYTES: usize = 64 * 1024;
/// How long lines are collected before they are written.
const BATCH: Duration = Duration::from_millis(10);

impl AccessLog {
    /// No log.
    pub fn off() -> AccessLog {
        AccessLog::default()
    }

    /// A log that writes to `out` on a thread of its own, and one of `sample` successful reads (1 = all, 0 = none).
    pub fn to(out: Box<dyn Write + Send>, sample: u32) -> std::io::Result<AccessLog> {
        let lines = Arc::new(Lines::default());
        let thread = std::thread::Builder::new().name("access-log".to_owned());
        let writing = lines.clone();
        let writer = thread.spawn(move || write_lines(out, &writing))?;
        Ok(AccessLog {
            lines: Some(lines),
            writer: Some(writer),
            sample,
            turn: AtomicU32::new(0),
            dropped: AtomicU64::new(0),
        })
    }

    /// Whether a request with this outcome gets a line.
    pub fn wants(&self, is_read: bool, status: u16) -> bool {
        if self.lines.is_none() {
            return false;
        }
        if !is_read || !(200..300).contains(&status) {
            return true;
        }
        self.sample > 0 && self.turn.fetch_add(1, Ordering::Relaxed).is_multiple_of(self.sample)
    }

    /// Writes a line, or counts it as dropped if the buffer is full.
    pub fn write(&self, entry: &Entry<'_>) {
        thread_local!(static LINE: RefCell<String> = const { RefCell::new(String::new()) });
        let Some(lines) = &self.lines else { return };
        LINE.with_borrow_mut(|line| {
            line.clear();
            write_line(line, entry, SystemTime::now());
            if !lines.add(line) {
                self.dropped.fetch_add(1, Ordering::Relaxed);
            }
            line.shrink_to(KEPT_BYTES);
        });
    }

    /// Lines dropped so far.
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

impl Drop for AccessLog {
    /// Waits until the last line is written.
    fn drop(&mut self) {
        if let Some(lines) = &self.lines {
            lines.waiting.lock().is_closed = true;
            lines.arrived.notify_one();
        }
        if let Some(writer) = self.writer.take() {
            let _ = writer.join();
        }
    }
}

impl Lines {
    /// Whether there was room for `line`.
    fn add(&self, line: &str) -> bool {
        let mut waiting = self.waiting.lock();
        if waiting.text.len() + line.len() > BUFFER_BYTES {
            return false;
        }
        let is_first = waiting.text.is_empty();
        waiting.text.push_str(line);
        drop(waiting);
        if is_first {
            self.arrived.notify_one();
        }
        true
    }

    /// Changes `text`, which was dealt with, for what has come in; waits for the first line. `false` at the end.
    fn take(&self, text: &mut String) -> bool {
        text.clear();
        text.shrink_to(KEPT_BYTES);
        let mut waiting = self.waiting.lock();
        while waiting.text.is_empty() && !waiting.is_closed {
            self.arrived.wait(&mut waiting);
        }
        std::mem::swap(&mut waiting.text, text);
        !text.is_empty()
    }
}

/// Writes what has come in, then lets more come: a request that logs while this thread sleeps needs not wake it.
fn write_lines(mut out: Box<dyn Write + Send>, lines: &Lines) {
    let mut text = String::new();
    while lines.take(&mut text) {
        // A log that cannot be written is no reason to stop serving.
        let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
        std::thread::sleep(BATCH);
    }
}

fn write_line(line: &mut String, entry: &Entry<'_>, now: SystemTime) {
    line.push_str("{\"time\":\"");
    timestamp(line, now);
    line.push_str("\",\"request_id\":");
    quote(line, std::str::from_utf8(entry.id.0.as_bytes()).unwrap_or("not UTF-8"));
    line.push_str(",\"method\":");
    quote(line, entry.method);
    line.push_str(",\"target\":");
    quote(line, entry.target);
    line.push_str(",\"operation\":");
    quote(line, entry.operation);
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
    let places = [(year, 4, '-'), (month, 2, '-'), (day, 2, 'T'), (hour, 2, ':'), (minute, 2, ':'), (second, 2, '.')];
    for (number, width, behind) in places.into_iter().chain([(u64::from(millis), 3, 'Z')]) {
        let mut digits = itoa::Buffer::new();
        let digits = digits.format(number);
        (digits.len()..width).for_each(|_| line.push('0'));
        line.push_str(digits);
        line.push(behind);
    }
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
        let mut line = String::new();
        write_line(&mut line, &entry, UNIX_EPOCH + Duration::from_millis(1_709_210_096_789));
        assert_eq!(line.matches('\n').count(), 1);
        let value: serde_json::Value = serde_json::from_str(&line).unwrap();
        assert_eq!(value["time"], "2024-02-29T12:34:56.789Z");
        assert_eq!(value["target"], "/subjects/a\"b\u{1}");
        assert_eq!(value["took_us"], 12);
        let mut early = String::new();
        timestamp(&mut early, UNIX_EPOCH + Duration::from_millis(1));
        assert_eq!(early, "1970-01-01T00:00:00.001Z");
    }

    /// Somewhere to write to that keeps everything, and says nothing before it may.
    #[derive(Clone, Default)]
    struct Kept(Arc<(Mutex<Vec<u8>>, Mutex<()>)>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let _may = self.0.1.lock();
            self.0.0.lock().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_line_is_written_before_the_log_ends_and_what_finds_no_room_is_counted() {
        let kept = Kept::default();
        let stuck = kept.0.1.lock();
        let log = AccessLog::to(Box::new(kept.clone()), 1).unwrap();
        let id = RequestId::random();
        let target = "x".repeat(1000);
        let entry = Entry {
            id: &id,
            method: "GET",
            target: &target,
            operation: "-",
            status: 404,
            bytes: None,
            took: Duration::ZERO,
        };
        let offered = 3 * BUFFER_BYTES / 1000;
        (0..offered).for_each(|_| log.write(&entry));
        let dropped = log.dropped() as usize;
        assert!(dropped > 0 && dropped < offered, "{dropped} of {offered}");
        drop(stuck);
        drop(log);
        let text = String::from_utf8(kept.0.0.lock().clone()).unwrap();
        assert_eq!(text.lines().count() + dropped, offered);
        assert!(text.lines().all(|line| line.ends_with('}') && line.contains(&target)));
    }

    #[test]
    fn reads_that_succeed_are_sampled_and_all_else_is_written() {
        let log = AccessLog::to(Box::new(std::io::sink()), 4).unwrap();
        assert_eq!((0..8).filter(|_| log.wants(true, 200)).count(), 2);
        assert!(log.wants(true, 404) && log.wants(false, 200));
        assert!(!AccessLog::off().wants(false, 500));
    }
}
