//! Codes of records in a stream or a batch: the only place that knows them.
//!
//! 503xx: surely not written. 504xx: maybe written. Everything else is the record's or the caller's own and was not
//! written. Texts are on one line; the registry's reason follows the reference's template on the same line.
//!
//! To add an error: the variant in `sluice_data_plane::error`, an arm here, a row in `api-spec/error-codes.tsv`.
//! Source: kafka-rest `CompositeErrorMapper`, `KafkaExceptionMapper`, 8.5; docs/decisions.md, "Outcomes and refusals".

use std::borrow::Cow;

use sluice_data_plane::error::{GateError, RecordError, SchemaError};
use sluice_data_plane::route::NoTarget;
use sluice_data_plane::{Cause, Persistence};

/// `error_code` and `message` of a record's report.
pub fn record_wire(error: &RecordError) -> (u32, Cow<'_, str>) {
    let text = || Cow::Owned(error.to_string());
    match error {
        RecordError::Malformed(text) => (400, Cow::Borrowed(text)),
        RecordError::NotBase64Text(_)
        | RecordError::BadBase64(_)
        | RecordError::NotText(_)
        | RecordError::Mismatch(_)
        | RecordError::Timestamp(_) => (400, Cow::Owned(format!("Bad Request: {error}"))),
        RecordError::Schema(error) => schema_wire(error),
        RecordError::Gate(error) => (gate_code(error), text()),
        RecordError::NegativePartition => (40402, text()),
        RecordError::InvalidTopic(_) => (40002, text()),
        RecordError::UnknownTopic { .. }
        | RecordError::NotOnOneCluster { .. }
        | RecordError::UnknownPartition { .. }
        | RecordError::NoTarget(NoTarget::NotInGroup { .. }) => (40401, text()),
        RecordError::Forbidden(_) => (40301, text()),
        RecordError::NoTarget(NoTarget::NoneReady { .. }) => (50372, text()),
        RecordError::NoTarget(NoTarget::Frozen { .. }) => (50373, text()),
        RecordError::ClusterSilent { .. } => (50371, text()),
        RecordError::Saturated(_) => (50374, text()),
        RecordError::OutcomeUnknown { .. } => (50471, text()),
        RecordError::Kafka { persistence, cause, fault } => (kafka_code(*persistence, *cause, fault.code), text()),
    }
}

fn schema_wire(error: &SchemaError) -> (u32, Cow<'_, str>) {
    let invalid = |detail: String| (422, Cow::Owned(format!("Error: 42205 : Invalid schema: {detail}")));
    let failed = |detail: String| (422, Cow::Owned(format!("Error: 42207 : Error serializing message. {detail}")));
    match error {
        SchemaError::Parse { reason, .. } => invalid(format!("{error}; {reason}")),
        SchemaError::NotAvailable { .. } => invalid(error.to_string()),
        SchemaError::Register { reason, .. } => failed(format!("{error}; {reason}")),
        SchemaError::ById { .. }
        | SchemaError::VersionOf { .. }
        | SchemaError::Latest { .. }
        | SchemaError::NotARecord { .. }
        | SchemaError::NotUsable { .. } => failed(error.to_string()),
        SchemaError::ByVersion { .. } | SchemaError::NeedsSchema { .. } => {
            (400, Cow::Owned(format!("Bad Request: {error}")))
        }
        SchemaError::Forbidden { what } => (40301, Cow::Borrowed(what)),
        SchemaError::Unverifiable { .. } => (50375, Cow::Owned(error.to_string())),
    }
}

fn gate_code(error: &GateError) -> u32 {
    match error {
        GateError::Incompatible { .. } => 42281,
        GateError::Unregistered { .. } => 42282,
        GateError::ForeignSubject { .. } => 42283,
        GateError::Framing { .. } => 42284,
        GateError::Undecodable { .. } => 42285,
        GateError::TypeNotAllowed { .. } => 42286,
    }
}

fn kafka_code(persistence: Persistence, cause: Cause, code: i32) -> u32 {
    const MSG_SIZE_TOO_LARGE: i32 = 10;
    const TOPIC_EXCEPTION: i32 = 17;
    const POLICY_VIOLATION: i32 = 44;
    match (persistence, cause) {
        (Persistence::Maybe, _) => 50471,
        (Persistence::SurelyNot, Cause::Cluster) => 50371,
        (Persistence::SurelyNot, Cause::UnknownTopic | Cause::UnknownPartition) => 40401,
        (Persistence::SurelyNot, Cause::Authorization) => 40301,
        (Persistence::SurelyNot, Cause::Authentication) => 40101,
        (Persistence::SurelyNot, Cause::Throttled) => 42901,
        (Persistence::SurelyNot, Cause::Record) => match code {
            MSG_SIZE_TOO_LARGE => 413,
            TOPIC_EXCEPTION | POLICY_VIOLATION => 40002,
            _ => 50002,
        },
    }
}
