//! The gate: what a declared topic lets through on each side.
//!
//! Pure checks on one record's side, given the topic's rules and the schema that was resolved for it. *Strict* refuses;
//! *warn* lets pass what could be written at all, and reports the violation to be counted; *off* is an undeclared
//! topic. What only the registry can say (unknown ids, other subjects, incompatible texts) is asked in `resolve.rs`.
//!
//! Source: docs/decisions.md, "Strict, precisely".

use sluice_schema::wire::{self, FramedId, MessageIndexes};

use crate::error::GateError;
use crate::record::{EmbeddedFormat, PlainFormat, RecordHeader, Side};
use crate::resolve::Gate;
use crate::route::{Enforcement, SideRules, TopicEntry};
use crate::usable::Usable;

/// The rules of one side, if they are enforced at all.
pub(crate) fn enforced(topic: Option<&TopicEntry>, side: Side) -> Option<&SideRules> {
    let topic = topic?;
    let rules = match side {
        Side::Key => &topic.key,
        Side::Value => &topic.value,
    };
    let enforces = rules.enforcement != Enforcement::Off && (rules.format.is_some() || rules.deny_null);
    enforces.then_some(rules)
}

/// A side without bytes: Kafka's null.
pub(crate) fn null(gate: Gate<'_>, rules: &SideRules) -> Result<(), GateError> {
    if rules.deny_null {
        return Err(gate.type_not_allowed("null is not allowed here (tombstones: deny)".to_owned()));
    }
    Ok(())
}

/// What must be known before raw bytes pass.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum RawCheck<'a> {
    /// Nothing: the topic has no schema.
    Passes,
    /// The schema of this id, to check the rest under.
    Under(FramedId, RawPayload<'a>),
}

/// Bytes behind the id: message indexes and payload, together or apart.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct RawPayload<'a> {
    indexes_and_payload: &'a [u8],
    payload: Option<&'a [u8]>,
}

/// A side without a schema in the request: only framed bytes can pass where the topic has one.
pub(crate) fn plain<'a>(
    gate: Gate<'_>,
    rules: &SideRules,
    format: PlainFormat,
    bytes: &'a [u8],
    headers: &'a [RecordHeader<'_>],
) -> Result<RawCheck<'a>, GateError> {
    let Some(language) = rules.format else { return Ok(RawCheck::Passes) };
    if format != PlainFormat::Binary {
        let (wanted, sent) = (EmbeddedFormat::Schema(language), EmbeddedFormat::Plain(format));
        return Err(gate.type_not_allowed(format!("it takes {wanted} data or framed bytes, not {sent}")));
    }
    let framed = match id_header(gate, headers) {
        // Readers take whatever the header holds for an id, also nothing.
        Some(header) => wire::split(header.value.as_deref().unwrap_or_default())
            .map(|(id, rest)| (id, RawPayload { indexes_and_payload: rest, payload: Some(bytes) })),
        None => wire::split(bytes).map(|(id, rest)| (id, RawPayload { indexes_and_payload: rest, payload: None })),
    };
    match framed {
        Ok((id, payload)) => Ok(RawCheck::Under(id, payload)),
        Err(cause) => Err(gate.framing(format!("{cause}: it takes bytes framed with a schema id"))),
    }
}

/// A side that is framed here: a reader that finds an id in a header would take the frame for payload.
pub(crate) fn framed_here(gate: Gate<'_>, rules: &SideRules, headers: &[RecordHeader<'_>]) -> Result<(), GateError> {
    match id_header(gate, headers) {
        Some(header) if rules.format.is_some() => {
            Err(gate.framing(format!("the header {} names a schema, but the data is framed with one", header.name)))
        }
        _ => Ok(()),
    }
}

/// The header that names a schema to readers: the last of its name.
fn id_header<'h, 'r>(gate: Gate<'_>, headers: &'h [RecordHeader<'r>]) -> Option<&'h RecordHeader<'r>> {
    headers.iter().rev().find(|header| header.name == gate.side.id_header())
}

/// Raw bytes under the schema they name.
pub(crate) fn decodes(
    gate: Gate<'_>,
    rules: &SideRules,
    schema: &Usable,
    raw: &RawPayload<'_>,
) -> Result<(), GateError> {
    schema.check(gate, raw, rules.message.as_deref())
}

impl<'a> RawPayload<'a> {
    /// The payload, where a frame holds nothing else.
    pub(crate) fn behind_id(&self) -> &'a [u8] {
        self.payload.unwrap_or(self.indexes_and_payload)
    }

    /// Message indexes and payload.
    pub(crate) fn with_indexes(&self) -> Result<(MessageIndexes, &'a [u8]), wire::BadFrame> {
        match self.payload {
            // A header may leave the indexes out: the first message.
            Some(payload) if self.indexes_and_payload.is_empty() => Ok((MessageIndexes::first(), payload)),
            Some(payload) => Ok((wire::split_indexes(self.indexes_and_payload)?.0, payload)),
            None => wire::split_indexes(self.indexes_and_payload),
        }
    }
}

#[cfg(test)]
mod tests {
    use sluice_schema::SchemaType;

    use super::*;

    const GATE: Gate<'_> = Gate { topic: "t", side: Side::Value };

    fn rules() -> SideRules {
        SideRules::of_format(Some(SchemaType::Protobuf), "t-value")
    }

    #[test]
    fn only_framed_bytes_pass_a_schema_topic() {
        let rule = |format, bytes: &'static [u8]| plain(GATE, &rules(), format, bytes, &[]).map_err(|e| e.rule());
        assert_eq!(rule(PlainFormat::Json, b"{}"), Err("type"));
        assert_eq!(rule(PlainFormat::String, b"\0\0\0\0\x01\0"), Err("type"));
        assert_eq!(rule(PlainFormat::Binary, b"not framed"), Err("framing"));
        assert_eq!(rule(PlainFormat::Binary, b"\0\0"), Err("framing"));
        assert_eq!(rule(PlainFormat::Binary, b""), Err("framing"));
        assert!(
            matches!(rule(PlainFormat::Binary, b"\0\0\0\0\x07\0"), Ok(RawCheck::Under(FramedId::Id(id), _)) if id.0 == 7)
        );
    }

    #[test]
    fn an_id_in_the_header_counts_like_one_in_the_frame() {
        let mut guid = vec![1];
        guid.extend([9; 16]);
        let headers = [RecordHeader { name: "__value_schema_id".into(), value: Some(guid) }];
        let check = plain(GATE, &rules(), PlainFormat::Binary, b"payload", &headers).unwrap();
        let RawCheck::Under(FramedId::Guid(found), raw) = check else { panic!("{check:?}") };
        assert_eq!(found.0, [9; 16]);
        assert_eq!(raw.with_indexes(), Ok((MessageIndexes::first(), &b"payload"[..])));
    }

    #[test]
    fn a_header_for_the_id_must_hold_one_and_stands_in_place_of_a_frame() {
        let header =
            |value: Option<&[u8]>| RecordHeader { name: "__value_schema_id".into(), value: value.map(<[u8]>::to_vec) };
        for headers in [vec![header(None)], vec![header(Some(b"\0\0\0\0\x07")), header(Some(b""))]] {
            let refused = plain(GATE, &rules(), PlainFormat::Binary, b"\0\0\0\0\x07\0", &headers);
            assert_eq!(refused.map_err(|e| e.rule()), Err("framing"), "{headers:?}");
            assert_eq!(framed_here(GATE, &rules(), &headers).map_err(|e| e.rule()), Err("framing"));
            assert_eq!(framed_here(GATE, &SideRules::of_format(None, "t-value"), &headers), Ok(()));
        }
        let other = RecordHeader { name: "__key_schema_id".into(), value: None };
        assert_eq!(framed_here(GATE, &rules(), &[other]), Ok(()), "the key's says nothing about the value");
    }

    #[test]
    fn null_passes_unless_the_file_denies_it() {
        assert_eq!(null(GATE, &rules()), Ok(()));
        let denies = SideRules { deny_null: true, ..rules() };
        assert_eq!(null(GATE, &denies).map_err(|e| e.rule()), Err("type"));
    }
}
