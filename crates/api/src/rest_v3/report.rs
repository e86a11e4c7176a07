//! Reports of a produce stream as they stand on the wire: one JSON text each, `\r\n` behind it.
//!
//! Written by hand into a buffer that is used again: a report costs no allocation. What is the same in all reports of
//! a stream (cluster, topic) is rendered once.
//!
//! Source: kafka-rest `ProduceResponse`, `StreamingResponse`, 8.5; recording `stream-responses-shape`.

use bytes::{BufMut, BytesMut};
use sluice_data_plane::error::RecordError;
use sluice_data_plane::produce::{Report, Side, Written};

use super::record_error::{record_hint, record_wire};
use super::timestamp;

/// Writes reports of one stream.
#[derive(Debug)]
pub(super) struct ReportWriter {
    topic: String,
    /// Everything before the partition, for this cluster.
    cluster_id: String,
    prefix: Vec<u8>,
    scratch: Vec<u8>,
}

impl ReportWriter {
    pub(super) fn new(topic: &str) -> ReportWriter {
        ReportWriter { topic: topic.to_owned(), cluster_id: String::new(), prefix: Vec::new(), scratch: Vec::new() }
    }

    pub(super) fn write(&mut self, report: &Report<'_>, out: &mut BytesMut) {
        self.scratch.clear();
        match report {
            Report::Written(written) => self.written(written),
            Report::Failed(error) => failed(error, &mut self.scratch),
        }
        self.scratch.extend_from_slice(b"\r\n");
        out.put_slice(&self.scratch);
    }

    fn written(&mut self, written: &Written<'_>) {
        if self.prefix.is_empty() || self.cluster_id != written.cluster_id {
            self.cluster_id = written.cluster_id.to_owned();
            self.prefix.clear();
            self.prefix.extend_from_slice(br#"{"error_code":200,"cluster_id":"#);
            text(written.cluster_id, &mut self.prefix);
            self.prefix.extend_from_slice(br#","topic_name":"#);
            text(&self.topic, &mut self.prefix);
            self.prefix.extend_from_slice(br#","partition_id":"#);
        }
        let out = &mut self.scratch;
        out.extend_from_slice(&self.prefix);
        number(i64::from(written.partition), out);
        out.extend_from_slice(br#","offset":"#);
        number(written.offset, out);
        if let Some(millis) = written.timestamp_ms {
            out.extend_from_slice(br#","timestamp":""#);
            timestamp::write(millis, out);
            out.push(b'"');
        }
        for (name, side) in [(&br#","key":"#[..], written.key), (br#","value":"#, written.value)] {
            if let Some(side) = side {
                out.extend_from_slice(name);
                write_side(side, out);
            }
        }
        out.push(b'}');
    }
}

fn write_side(side: Side<'_>, out: &mut Vec<u8>) {
    out.extend_from_slice(br#"{"type":""#);
    out.extend_from_slice(side.format().wire().as_bytes());
    out.push(b'"');
    if let Some((subject, id, version)) = side.schema() {
        out.extend_from_slice(br#","subject":"#);
        text(subject, out);
        out.extend_from_slice(br#","schema_id":"#);
        number(i64::from(id.0), out);
        out.extend_from_slice(br#","schema_version":"#);
        number(i64::from(version.0), out);
    }
    out.extend_from_slice(br#","size":"#);
    number(side.size(), out);
    out.push(b'}');
}

fn failed(error: &RecordError, out: &mut Vec<u8>) {
    let (code, message) = record_wire(error);
    // Messages stand on one line, as the reference cuts them there.
    let message = message.lines().next().unwrap_or_default();
    out.extend_from_slice(br#"{"error_code":"#);
    number(i64::from(code), out);
    out.extend_from_slice(br#","message":"#);
    text(message, out);
    if let Some(hint) = record_hint(error) {
        out.extend_from_slice(br#","hint":"#);
        text(hint, out);
    }
    out.push(b'}');
}

fn number(number: i64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn text(text: &str, out: &mut Vec<u8>) {
    // A text always serialises.
    let _ = serde_json::to_writer(out, text);
}
