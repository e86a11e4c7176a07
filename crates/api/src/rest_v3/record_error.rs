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

/// `hint` of a record's report: the smallest safe change instead of an incompatible one.
pub(super) fn record_hint(error: &RecordError) -> Option<&str> {
    match error {
        RecordError::Gate(GateError::Incompatible { hint, .. }) => hint.as_deref(),
        _ => None,
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
        // A refused login is the server's own: whoever sent the record can neither see nor mend it.
        (Persistence::SurelyNot, Cause::Cluster | Cause::Authentication) => 50371,
        (Persistence::SurelyNot, Cause::UnknownTopic | Cause::UnknownPartition) => 40401,
        (Persistence::SurelyNot, Cause::Authorization) => 40301,
        (Persistence::SurelyNot, Cause::Throttled) => 42901,
        (Persistence::SurelyNot, Cause::Record) => match code {
            MSG_SIZE_TOO_LARGE => 413,
            TOPIC_EXCEPTION | POLICY_VIOLATION => 40002,
            _ => 50002,
        },
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::Arc;

    use sluice_data_plane::Fault;
    use sluice_data_plane::record::{EmbeddedFormat, Side, Strategy};

    use super::*;

    fn text() -> String {
        "x".to_owned()
    }

    fn one_of_each() -> Vec<(String, RecordError)> {
        let (topic, side, reason, subject, schema) = (text, Side::Value, text, text, text);
        let format = EmbeddedFormat::ALL[5];
        let schema_errors = [
            ("Parse", SchemaError::Parse { format, schema: schema(), reason: reason() }),
            ("Register", SchemaError::Register { format, subject: subject(), schema: schema(), reason: reason() }),
            ("ById", SchemaError::ById { id: 1 }),
            ("VersionOf", SchemaError::VersionOf { subject: subject(), schema: schema() }),
            ("ByVersion", SchemaError::ByVersion { subject: subject(), version: 1 }),
            ("Latest", SchemaError::Latest { subject: subject() }),
            ("NeedsSchema", SchemaError::NeedsSchema { strategy: Strategy::RecordName }),
            ("NotARecord", SchemaError::NotARecord { side, strategy: Strategy::RecordName }),
            ("NotAvailable", SchemaError::NotAvailable { format }),
            ("NotUsable", SchemaError::NotUsable { reason: reason() }),
            ("Forbidden", SchemaError::Forbidden { what: text() }),
            ("Unverifiable", SchemaError::Unverifiable { reason: reason() }),
        ];
        let gate_errors = [
            ("Incompatible", GateError::Incompatible { topic: topic(), side, reason: reason(), hint: None }),
            ("Unregistered", GateError::Unregistered { topic: topic(), side, reason: reason() }),
            ("ForeignSubject", GateError::ForeignSubject { topic: topic(), side, reason: reason() }),
            ("Framing", GateError::Framing { topic: topic(), side, reason: reason() }),
            ("Undecodable", GateError::Undecodable { topic: topic(), side, reason: reason() }),
            ("TypeNotAllowed", GateError::TypeNotAllowed { topic: topic(), side, reason: reason() }),
        ];
        let name: Arc<str> = "x".into();
        let targets = [
            ("NoneReady", NoTarget::NoneReady { topic: name.clone(), clusters: vec![] }),
            ("Frozen", NoTarget::Frozen { topic: name.clone(), declared_at: name.clone() }),
            (
                "NotInGroup",
                NoTarget::NotInGroup { topic: name.clone(), declared_at: name.clone(), group: name.clone() },
            ),
        ];
        let kafka = |persistence, cause, code| RecordError::Kafka {
            persistence,
            cause,
            fault: Box::new(Fault { code, message: text() }),
        };
        let not = Persistence::SurelyNot;
        let plain = [
            ("Malformed", RecordError::Malformed(text())),
            ("NotBase64Text", RecordError::NotBase64Text(text())),
            ("BadBase64", RecordError::BadBase64(text())),
            ("NotText", RecordError::NotText(text())),
            ("Mismatch", RecordError::Mismatch(text())),
            ("Timestamp", RecordError::Timestamp(0)),
            ("NegativePartition", RecordError::NegativePartition),
            ("InvalidTopic", RecordError::InvalidTopic(text())),
            ("UnknownTopic", RecordError::UnknownTopic { topic: topic(), waited_ms: 1 }),
            ("NotOnOneCluster", RecordError::NotOnOneCluster { topic: topic(), holders: text() }),
            ("UnknownPartition", RecordError::UnknownPartition { partition: 1, topic: topic(), count: 1 }),
            ("Forbidden", RecordError::Forbidden(text())),
            ("ClusterSilent", RecordError::ClusterSilent { cluster: text(), reason: reason() }),
            ("Saturated", RecordError::Saturated(text())),
            ("OutcomeUnknown", RecordError::OutcomeUnknown { after_ms: 1 }),
            ("Kafka::Maybe", kafka(Persistence::Maybe, Cause::Cluster, 7)),
            ("Kafka::Cluster", kafka(not, Cause::Cluster, 7)),
            ("Kafka::UnknownTopic", kafka(not, Cause::UnknownTopic, 3)),
            ("Kafka::UnknownPartition", kafka(not, Cause::UnknownPartition, 3)),
            ("Kafka::Authorization", kafka(not, Cause::Authorization, 29)),
            ("Kafka::Authentication", kafka(not, Cause::Authentication, 58)),
            ("Kafka::Throttled", kafka(not, Cause::Throttled, 89)),
            ("Kafka::Record MSG_SIZE_TOO_LARGE", kafka(not, Cause::Record, 10)),
            ("Kafka::Record POLICY_VIOLATION", kafka(not, Cause::Record, 44)),
            ("Kafka::Record", kafka(not, Cause::Record, 87)),
        ];
        let schema = schema_errors.into_iter().map(|(name, error)| (format!("Schema::{name}"), error.into()));
        let gate = gate_errors.into_iter().map(|(name, error)| (format!("Gate::{name}"), error.into()));
        let nowhere = targets.into_iter().map(|(name, error)| (format!("NoTarget::{name}"), error.into()));
        let plain = plain.into_iter().map(|(name, error)| (name.to_owned(), error));
        plain.chain(schema).chain(gate).chain(nowhere).collect()
    }

    #[test]
    fn the_table_of_codes_lists_every_refusal_of_a_record() {
        let listed: BTreeSet<String> = include_str!("../../../../api-spec/error-codes.tsv")
            .lines()
            .filter(|line| line.starts_with("record\t"))
            .map(|line| line.split('\t').take(4).collect::<Vec<_>>().join("\t"))
            .collect();
        let answered: BTreeSet<String> = one_of_each()
            .iter()
            .map(|(name, error)| format!("record\t200\t{}\t{name}", record_wire(error).0))
            .collect();
        assert_eq!(listed, answered);
    }

    #[test]
    fn messages_of_refusals_stand_on_one_line() {
        for (name, error) in one_of_each() {
            assert_eq!(record_wire(&error).1.lines().count(), 1, "{name}");
        }
    }
}
