//! What can go wrong with a record or an admin call. No numbers: each surface gives its own codes and prefixes.
//!
//! `Display` is the detail in the reference's words where it has some ("Error when fetching schema by id. …"), always
//! on one line: schema texts are cut at their first line feed, as the reference does. What decides the family (surely
//! not written, maybe written, the record's own fault) is the variant, never the text.

use sluice_registry::Error as RegistryError;
use sluice_schema::SchemaType;
use sluice_schema::compat::Incompatible;

use crate::cluster::AdminError;
use crate::outcome::{Cause, Fault, Persistence};
use crate::record::{EmbeddedFormat, Side, Strategy};
use crate::route::{NoTarget, RouteError};

/// Why a record was not written, or may not have been.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The surface could not make a record of the JSON; its words.
    #[error("{0}")]
    Malformed(String),
    /// `data` of a BINARY side is no text.
    #[error("data={0} is not a base64 string.")]
    NotBase64Text(String),
    /// `data` of a BINARY side is no base64.
    #[error("data={0} is not a valid base64 string.")]
    BadBase64(String),
    /// `data` of a STRING side is no text.
    #[error("data={0} is not a string.")]
    NotText(String),
    /// `data` does not fit the schema.
    #[error("{0}")]
    Mismatch(String),
    /// No usable schema.
    #[error(transparent)]
    Schema(#[from] SchemaError),
    /// A declared topic refuses it.
    #[error(transparent)]
    Gate(#[from] GateError),
    /// A negative partition.
    #[error("Partition not found.")]
    NegativePartition,
    /// A timestamp that Kafka cannot carry.
    #[error("timestamp {0} ms cannot be written: it must be after 1970-01-01T00:00:00Z")]
    Timestamp(i64),
    /// Not a name that a topic can have.
    #[error("Invalid topics: [{0}]")]
    InvalidTopic(String),
    /// The topic is not there.
    #[error("Topic {topic} not present in metadata after {waited_ms} ms.")]
    UnknownTopic {
        /// Its name.
        topic: String,
        /// How long was waited.
        waited_ms: u64,
    },
    /// Under a logical id: on no cluster, or on several.
    #[error("Topic {topic} {holders}")]
    NotOnOneCluster {
        /// Its name.
        topic: String,
        /// What was found: "is on none of the clusters a, b".
        holders: String,
    },
    /// The topic has fewer partitions.
    #[error("Partition {partition} of topic {topic} with partition count {count} is not present in metadata.")]
    UnknownPartition {
        /// The partition asked for.
        partition: i32,
        /// The topic.
        topic: String,
        /// How many it has.
        count: i32,
    },
    /// The caller may not write to the topic.
    #[error("Not authorized to access topics: [{0}]")]
    Forbidden(String),
    /// The route leads nowhere now.
    #[error(transparent)]
    NoTarget(#[from] NoTarget),
    /// The cluster could not say whether it has the topic.
    #[error("cluster {cluster} does not answer: {reason}")]
    ClusterSilent {
        /// Its name.
        cluster: String,
        /// Why.
        reason: String,
    },
    /// The producer's queue stayed full.
    #[error("the queue of cluster {0} is full")]
    Saturated(String),
    /// No outcome in time, or the server stops: written, or not.
    #[error("no outcome of the record after {after_ms} ms: it may have been written")]
    OutcomeUnknown {
        /// Since it was sent.
        after_ms: u64,
    },
    /// What the adapter reported.
    #[error("{}", fault.message)]
    Kafka {
        /// May it be there?
        persistence: Persistence,
        /// Whose fault.
        cause: Cause,
        /// Kafka's code and text.
        fault: Box<Fault>,
    },
}

/// Why there is no schema to encode with. `Display` is the reference's template.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SchemaError {
    /// The inline text does not parse.
    #[error("Error when parsing raw schema. format = {format}, schema = {}", first_line(schema))]
    Parse {
        /// Language.
        format: EmbeddedFormat,
        /// As sent.
        schema: String,
        /// The parser's words.
        reason: String,
    },
    /// The registry refused to register the inline text.
    #[error("Error when registering schema. format = {format}, subject = {subject}, schema = {}", first_line(schema))]
    Register {
        /// Language.
        format: EmbeddedFormat,
        /// Subject.
        subject: String,
        /// Canonical text if it parses, else as sent.
        schema: String,
        /// The registry's reason, on one line.
        reason: String,
    },
    /// No schema has the id.
    #[error("Error when fetching schema by id. schemaId = {id}")]
    ById {
        /// The id.
        id: i32,
    },
    /// The schema is not registered under the subject.
    #[error("Error when fetching schema version. subject = {subject}, schema = {}", first_line(schema))]
    VersionOf {
        /// Subject.
        subject: String,
        /// Canonical text.
        schema: String,
    },
    /// The subject has no such version.
    #[error("Schema does not exist for subject: {subject}, version: {version}")]
    ByVersion {
        /// Subject.
        subject: String,
        /// Version.
        version: i32,
    },
    /// The subject has no version at all.
    #[error("Error when fetching latest schema version. subject = {subject}")]
    Latest {
        /// Subject.
        subject: String,
    },
    /// The strategy needs a schema to name the subject.
    #[error("Cannot use schema_subject_strategy={} without schema_id or schema.", strategy.wire())]
    NeedsSchema {
        /// The strategy.
        strategy: Strategy,
    },
    /// The strategy needs a record, and the schema has none.
    #[error(
        "In configuration {}.subject.name.strategy = {}, the message {} must only be a record schema",
        side.word(), strategy.class(), side.word()
    )]
    NotARecord {
        /// Key or value.
        side: Side,
        /// The strategy.
        strategy: Strategy,
    },
    /// A language that this build cannot encode.
    #[error("{format} is not available in this version")]
    NotAvailable {
        /// Language.
        format: EmbeddedFormat,
    },
    /// Registered, but nothing can be encoded under it.
    #[error("{reason}")]
    NotUsable {
        /// Why.
        reason: String,
    },
    /// The caller may not use the subject.
    #[error("{what}")]
    Forbidden {
        /// The reference's template.
        what: String,
    },
    /// The registry cannot say now.
    #[error("the schema cannot be verified now: {reason}")]
    Unverifiable {
        /// Why.
        reason: String,
    },
}

/// Why a declared topic refuses a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum GateError {
    /// The inline schema breaks the subject's level.
    #[error("topic {topic} refuses the {}: {reason}", side.word())]
    Incompatible {
        /// Topic.
        topic: String,
        /// Key or value.
        side: Side,
        /// Rule, path and older version, on one line.
        reason: String,
        /// What the author may do instead, where something small helps.
        hint: Option<String>,
    },
    /// Unknown id, or a schema that is not registered and may not be.
    #[error("topic {topic} refuses the {}: {reason}", side.word())]
    Unregistered {
        /// Topic.
        topic: String,
        /// Key or value.
        side: Side,
        /// Which.
        reason: String,
    },
    /// The schema is another subject's.
    #[error("topic {topic} refuses the {}: {reason}", side.word())]
    ForeignSubject {
        /// Topic.
        topic: String,
        /// Key or value.
        side: Side,
        /// Which.
        reason: String,
    },
    /// Raw bytes without the registry's framing.
    #[error("topic {topic} refuses the {}: {reason}", side.word())]
    Framing {
        /// Topic.
        topic: String,
        /// Key or value.
        side: Side,
        /// What is wrong.
        reason: String,
    },
    /// Raw bytes that are no message of the schema.
    #[error("topic {topic} refuses the {}: {reason}", side.word())]
    Undecodable {
        /// Topic.
        topic: String,
        /// Key or value.
        side: Side,
        /// What is wrong.
        reason: String,
    },
    /// A type, a language or a null that the topic does not take.
    #[error("topic {topic} refuses the {}: {reason}", side.word())]
    TypeNotAllowed {
        /// Topic.
        topic: String,
        /// Key or value.
        side: Side,
        /// What it takes.
        reason: String,
    },
}

impl GateError {
    /// For metric labels.
    pub fn rule(&self) -> &'static str {
        match self {
            GateError::Incompatible { .. } => "incompatible",
            GateError::Unregistered { .. } => "unregistered",
            GateError::ForeignSubject { .. } => "foreign_subject",
            GateError::Framing { .. } => "framing",
            GateError::Undecodable { .. } => "undecodable",
            GateError::TypeNotAllowed { .. } => "type",
        }
    }
}

/// Why an admin call, or reading back, failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// No such id, no such topic declared.
    #[error(transparent)]
    Route(#[from] RouteError),
    /// Not a name that a new topic can have.
    #[error("invalid topic name {0:?}")]
    InvalidTopicName(String),
    /// An undeclared topic can be created on one physical cluster only.
    #[error("topic {topic} is not declared: create it on one of the clusters {}", clusters.join(", "))]
    AmbiguousCluster {
        /// Topic.
        topic: String,
        /// The group's clusters.
        clusters: Vec<String>,
    },
    /// The topic is not there.
    #[error("This server does not host this topic-partition.")]
    UnknownTopic,
    /// The topic has no such partition.
    #[error("partition {0} not found")]
    UnknownPartition(i32),
    /// The topic is on no cluster of the group, or on several.
    #[error("{0}")]
    NotOnOneCluster(String),
    /// The caller may not.
    #[error("forbidden")]
    Forbidden,
    /// Kafka refused, or did not answer.
    #[error(transparent)]
    Kafka(#[from] AdminError),
}

/// A text up to its first line feed, without blanks at the end.
pub(crate) fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default().trim_end()
}

/// A text on one line.
pub(crate) fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The registry's reason on one line: for an incompatibility each rule with its path, the older version, the level.
pub(crate) fn reason(error: &RegistryError) -> String {
    match error {
        RegistryError::Incompatible { subject, details } => {
            format!(
                "Schema being registered is incompatible with an earlier schema for subject \"{subject}\", details: {}",
                incompatibilities(details)
            )
        }
        RegistryError::IncompatibleMessages { subject, messages } => one_line(&format!(
            "Schema being registered is incompatible with an earlier schema for subject \"{subject}\", details: [{}]",
            messages.join(", ")
        )),
        other => one_line(&other.to_string()),
    }
}

/// `[{errorType:…}, {oldSchemaVersion: 1}, {validateFields: 'false', compatibility: 'BACKWARD'}]`: the reference's
/// list without the old text, which would fill the line.
fn incompatibilities(details: &Incompatible) -> String {
    let mut parts: Vec<String> = details.differences.iter().map(|difference| one_line(&difference.message)).collect();
    if let Some(version) = details.against {
        parts.push(format!("{{oldSchemaVersion: {version}}}"));
    }
    parts.extend(details.logical.iter().map(|found| one_line(found)));
    parts.push(format!("{{validateFields: '{}', compatibility: '{}'}}", details.validate_fields, details.level));
    format!("[{}]", parts.join(", "))
}

/// The language as `type` names it.
pub(crate) fn format_of(schema_type: SchemaType) -> EmbeddedFormat {
    EmbeddedFormat::Schema(schema_type)
}
