//! `GET /cp/v1/topics/{topic_name}/records`

use serde::Serialize;
use serde_json::value::RawValue;
use sluice_data_plane::read_back::{Decoded, ReadBack, ReadRecord};

use crate::answer::Answer;
use crate::call::Call;
use crate::error::{HttpError, Wire};
use crate::rest_v3::{RestError, timestamp_text};

const DEFAULT_LIMIT: i32 = 10;

#[derive(Serialize)]
struct Records<'a> {
    topic_name: &'a str,
    records: Vec<Record<'a>>,
}

#[derive(Serialize)]
struct Record<'a> {
    partition: i32,
    offset: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    headers: Vec<Header<'a>>,
    key: Option<Side<'a>>,
    value: Option<Side<'a>>,
}

#[derive(Serialize)]
struct Header<'a> {
    name: &'a str,
    /// Base64.
    value: Option<String>,
}

#[derive(Serialize)]
struct Side<'a> {
    base64: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema_id: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    subject: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    json: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<&'a str>,
}

/// Why records are not shown.
pub(super) enum ReadRecordsError {
    /// The server was not told to show them.
    Off,
    /// As everywhere.
    Rest(RestError),
}

impl<E: Into<RestError>> From<E> for ReadRecordsError {
    fn from(error: E) -> ReadRecordsError {
        ReadRecordsError::Rest(error.into())
    }
}

impl From<ReadRecordsError> for Wire {
    fn from(error: ReadRecordsError) -> Wire {
        match error {
            ReadRecordsError::Off => Wire::new(403, 403, "Records are not shown: start the server with read-back on."),
            ReadRecordsError::Rest(error) => error.into(),
        }
    }
}

/// `GET …/records?cluster=&partition=&offset=&limit=` → the last records of a topic, or those from an offset on, keys
/// and values as base64 and, where the registry knows the schema or the bytes are JSON or text, decoded.
pub(super) async fn read_records(call: Call) -> Result<Answer, ReadRecordsError> {
    if !call.api.services.read_back {
        return Err(ReadRecordsError::Off);
    }
    let topic = call.path("topic_name");
    let query = call.query();
    let offset = match query.get("offset").filter(|text| !text.is_empty()) {
        Some(text) => Some(text.parse::<i64>().map_err(|_| HttpError::NotFound)?),
        None => None,
    };
    let limit = query.int("limit")?.unwrap_or(DEFAULT_LIMIT);
    let what = ReadBack {
        cluster_id: query.get("cluster").filter(|id| !id.is_empty()).map(|id| id.into_owned()),
        partition: query.int("partition")?,
        offset,
        limit: usize::try_from(limit).map_err(|_| HttpError::NotFound)?,
    };
    let read = call.data().read_back(&call.caller, &topic, &what).await.map_err(RestError::from)?;
    Ok(Answer::json(&Records { topic_name: &topic, records: read.iter().map(shown).collect() }))
}

fn shown(read: &ReadRecord) -> Record<'_> {
    Record {
        partition: read.record.partition,
        offset: read.record.offset,
        timestamp: read.record.timestamp_ms.map(timestamp_text),
        headers: read
            .record
            .headers
            .iter()
            .map(|(name, value)| Header { name, value: value.as_deref().map(base64) })
            .collect(),
        key: side(&read.key),
        value: side(&read.value),
    }
}

fn side(decoded: &Decoded) -> Option<Side<'_>> {
    Some(Side {
        base64: base64(decoded.bytes.as_deref()?),
        schema_id: decoded.schema_id.map(|id| id.0),
        subject: decoded.subject.as_deref(),
        json: decoded.json.as_deref().and_then(|json| serde_json::from_str(json).ok()),
        text: decoded.text.as_deref(),
        problem: decoded.problem.as_deref(),
    })
}

fn base64(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}
