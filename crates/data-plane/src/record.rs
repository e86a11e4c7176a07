//! A record as a client asks for it: decoded JSON, not yet bytes.
//!
//! Borrowed from the request body. Surfaces build it (`api/rest_v3/record.rs`); `intake.rs` turns it into bytes. The
//! combinations of members that are legal are checked by the surface, whose texts they are; here every field that is
//! there counts. Source: rest-proxy.md §2.3.

use std::borrow::Cow;
use std::fmt;

use sluice_schema::SchemaType;

use crate::cluster::Header;

/// Formats that need no schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlainFormat {
    /// Base64 text → bytes.
    Binary,
    /// Any JSON → its text.
    Json,
    /// Text → UTF-8.
    String,
}

/// What `type` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum EmbeddedFormat {
    /// Without a schema.
    Plain(PlainFormat),
    /// With a schema of this language.
    Schema(SchemaType),
}

impl EmbeddedFormat {
    /// In the reference's order: a number in place of the word counts from 0.
    pub const ALL: [EmbeddedFormat; 6] = [
        EmbeddedFormat::Plain(PlainFormat::Binary),
        EmbeddedFormat::Plain(PlainFormat::Json),
        EmbeddedFormat::Plain(PlainFormat::String),
        EmbeddedFormat::Schema(SchemaType::Avro),
        EmbeddedFormat::Schema(SchemaType::Json),
        EmbeddedFormat::Schema(SchemaType::Protobuf),
    ];

    /// The word on the wire.
    pub fn wire(self) -> &'static str {
        match self {
            EmbeddedFormat::Plain(PlainFormat::Binary) => "BINARY",
            EmbeddedFormat::Plain(PlainFormat::Json) => "JSON",
            EmbeddedFormat::Plain(PlainFormat::String) => "STRING",
            EmbeddedFormat::Schema(SchemaType::Avro) => "AVRO",
            EmbeddedFormat::Schema(SchemaType::Json) => "JSONSCHEMA",
            EmbeddedFormat::Schema(SchemaType::Protobuf) => "PROTOBUF",
        }
    }

    /// The format of this word; case matters.
    pub fn from_wire(word: &str) -> Option<EmbeddedFormat> {
        EmbeddedFormat::ALL.into_iter().find(|format| format.wire() == word)
    }
}

impl fmt::Display for EmbeddedFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wire())
    }
}

/// How a subject is named when none is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// `<topic>-key`, `<topic>-value`.
    TopicName,
    /// Full name of the record.
    RecordName,
    /// `<topic>-<full name of the record>`.
    TopicRecordName,
}

impl Strategy {
    /// In the reference's order.
    pub const ALL: [Strategy; 3] = [Strategy::TopicName, Strategy::RecordName, Strategy::TopicRecordName];

    /// The word on the wire.
    pub fn wire(self) -> &'static str {
        match self {
            Strategy::TopicName => "TOPIC_NAME",
            Strategy::RecordName => "RECORD_NAME",
            Strategy::TopicRecordName => "TOPIC_RECORD_NAME",
        }
    }

    /// The Java class that errors name.
    pub fn class(self) -> &'static str {
        match self {
            Strategy::TopicName => "io.confluent.kafka.serializers.subject.TopicNameStrategy",
            Strategy::RecordName => "io.confluent.kafka.serializers.subject.RecordNameStrategy",
            Strategy::TopicRecordName => "io.confluent.kafka.serializers.subject.TopicRecordNameStrategy",
        }
    }
}

/// Key or value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Side {
    /// The key.
    Key,
    /// The value.
    Value,
}

impl Side {
    /// `key`, `value`: as subjects end.
    pub fn word(self) -> &'static str {
        match self {
            Side::Key => "key",
            Side::Value => "value",
        }
    }

    /// The header that carries a schema's id or GUID in place of a frame.
    pub fn id_header(self) -> &'static str {
        match self {
            Side::Key => "__key_schema_id",
            Side::Value => "__value_schema_id",
        }
    }
}

/// The JSON at `data`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data<'a> {
    /// `null`
    Null,
    /// A text: decoded, and as it stands in the body, quotes included.
    Text {
        /// Decoded; half a surrogate pair is `?`.
        text: Cow<'a, str>,
        /// As it stands.
        json: &'a [u8],
    },
    /// A number, boolean, object or list, as it stands in the body.
    Other(&'a [u8]),
}

impl<'a> Data<'a> {
    /// As it stands in the body.
    pub fn json(&self) -> &'a [u8] {
        match self {
            Data::Null => b"null",
            Data::Text { json, .. } => json,
            Data::Other(json) => json,
        }
    }
}

/// How the schema is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SchemaChoice<'a> {
    /// None of the fields: the latest version of the subject.
    Latest,
    /// `schema_id`
    Id(i32),
    /// `schema_version`
    Version(i32),
    /// `schema`, of the language that `type` says.
    Text(SchemaType, Cow<'a, str>),
}

/// How the subject is named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SubjectChoice<'a> {
    /// Not at all.
    Default,
    /// `subject`
    Named(Cow<'a, str>),
    /// `subject_name_strategy`
    Strategy(Strategy),
}

/// How `data` becomes bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Encoding<'a> {
    /// Without a schema.
    Plain(PlainFormat),
    /// Under a schema.
    Schema(SchemaChoice<'a>, SubjectChoice<'a>),
}

/// Key or value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideRequest<'a> {
    /// How.
    pub encoding: Encoding<'a>,
    /// What.
    pub data: Data<'a>,
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RecordRequest<'a> {
    /// `partition_id`
    pub partition: Option<i32>,
    /// `key`; `None` is Kafka's null without a block in the report.
    pub key: Option<SideRequest<'a>>,
    /// `value`; likewise.
    pub value: Option<SideRequest<'a>>,
    /// Headers, in the order they are written.
    pub headers: Vec<RecordHeader<'a>>,
    /// Milliseconds since 1970; `None`: now.
    pub timestamp_ms: Option<i64>,
}

/// A header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordHeader<'a> {
    /// Name.
    pub name: Cow<'a, str>,
    /// Bytes; `None` is Kafka's null.
    pub value: Option<Vec<u8>>,
}

impl RecordHeader<'_> {
    /// As the adapter takes it.
    pub(crate) fn as_header(&self) -> Header<'_> {
        Header { name: &self.name, value: self.value.as_deref() }
    }
}
