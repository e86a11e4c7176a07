//! A schema ready for use on one side of a topic: encodes JSON, checks raw payloads, decodes them for people.
//!
//! The languages differ here and nowhere else in this crate. Protobuf frames carry the path of a message; of the other
//! languages the schema is one type, and the payload follows the id at once.
//!
//! To add a language: a variant of [`Coder`], an arm in each method and in [`decode`].

use std::sync::Arc;

use sluice_schema::json::JsonSchema;
use sluice_schema::json::validate::Validator;
use sluice_schema::protobuf::ProtobufSchema;
use sluice_schema::protobuf::codec::{Codec, MessagePlan};
use sluice_schema::wire::{self, MessageIndexes};
use sluice_schema::{InvalidSchema, Mismatch, Schema, SchemaId, SchemaType, Version};

use crate::error::{GateError, RecordError, SchemaError, format_of, one_line};
use crate::gate::RawPayload;
use crate::resolve::Gate;

/// A schema, ready to encode with, and where it stands in the registry.
#[derive(Debug)]
pub(crate) struct Usable {
    /// Subject as it is printed.
    pub(crate) subject: Arc<str>,
    pub(crate) version: Version,
    pub(crate) id: SchemaId,
    pub(crate) schema_type: SchemaType,
    schema: Arc<Schema>,
    coder: Coder,
    frame: Vec<u8>,
}

/// What JSON data is an instance of.
#[derive(Debug, Clone, Copy)]
enum Coder {
    /// This message.
    Protobuf(MessagePlan),
    /// The schema's own type.
    Avro,
    /// Whatever fits the schema; its bytes are written as they were sent, but for surplus members of one name.
    Json,
}

const NULL: &str = "null is not written under an Avro schema; without the key or value, Kafka's null is";

impl Usable {
    /// `wanted`: the message that a declared topic asks for, and who refuses without it.
    pub(crate) fn new(
        (subject, version): (String, Version),
        id: SchemaId,
        schema: Arc<Schema>,
        wanted: Option<(&str, Gate<'_>)>,
    ) -> Result<Usable, RecordError> {
        let mut frame = Vec::new();
        let coder = match &*schema {
            Schema::Protobuf(protobuf) => {
                let codec = codec_of(protobuf)?;
                let message = match wanted {
                    Some((name, gate)) => codec.message_by_name(name).ok_or_else(|| no_message(gate, id, name))?,
                    None => codec
                        .first_message()
                        .ok_or_else(|| SchemaError::NotUsable { reason: format!("schema {id} has no message") })?,
                };
                wire::frame_into(id, Some(codec.indexes(message)), &mut frame);
                Coder::Protobuf(message)
            }
            Schema::Avro(avro) => {
                if let Some((name, gate)) = wanted.filter(|(name, _)| avro.record_name() != Some(*name)) {
                    return Err(no_message(gate, id, name).into());
                }
                wire::frame_into(id, None, &mut frame);
                Coder::Avro
            }
            Schema::Json(json) => {
                validator_of(json)?;
                wire::frame_into(id, None, &mut frame);
                Coder::Json
            }
        };
        let schema_type = schema.schema_type();
        Ok(Usable { subject: subject.into(), version, id, schema_type, schema, coder, frame })
    }

    /// Frame and payload of `json` into `out`, which is cleared.
    pub(crate) fn encode(&self, json: &[u8], out: &mut Vec<u8>) -> Result<(), RecordError> {
        out.clear();
        out.extend_from_slice(&self.frame);
        let encoded = match (&*self.schema, self.coder) {
            (Schema::Protobuf(protobuf), Coder::Protobuf(message)) => {
                codec_of(protobuf)?.encode_json(message, json, out)
            }
            // What fits a nullable schema could as well be meant as Kafka's null; the reference fails on it.
            (Schema::Avro(avro), Coder::Avro) => match avro.codec().encode_json(json, out) {
                Ok(()) if json.trim_ascii() == b"null" => Err(Mismatch(NULL.to_owned())),
                encoded => encoded,
            },
            (Schema::Json(schema), Coder::Json) => validator_of(schema)?.encode(json, out),
            (schema, _) => return Err(not_available(schema.schema_type()).into()),
        };
        encoded.map_err(|mismatch| RecordError::Mismatch(one_line(&mismatch.0)))
    }

    /// Whether raw bytes are a payload of the schema; of protobuf, of the message `wanted`.
    pub(crate) fn check(&self, gate: Gate<'_>, raw: &RawPayload<'_>, wanted: Option<&str>) -> Result<(), GateError> {
        let id = self.id;
        let checked = match (&*self.schema, self.coder) {
            (Schema::Protobuf(protobuf), Coder::Protobuf(own)) => {
                let (indexes, payload) = raw.with_indexes().map_err(|cause| gate.framing(cause.to_string()))?;
                let codec = codec_of(protobuf).map_err(|error| gate.undecodable(error.to_string()))?;
                let message = codec.message_by_indexes(&indexes).ok_or_else(|| no_message_at(gate, id, &indexes))?;
                if let Some(wanted) = wanted.filter(|_| message != own) {
                    return Err(gate.undecodable(format!("its message is {wanted}")));
                }
                codec.check(message, payload)
            }
            (Schema::Avro(avro), _) => avro.codec().check(raw.behind_id()),
            (Schema::Json(json), _) => {
                let validator = validator_of(json).map_err(|error| gate.undecodable(error.to_string()))?;
                validator.check(raw.behind_id())
            }
            (schema, _) => Err(Mismatch(not_available(schema.schema_type()).to_string())),
        };
        checked.map_err(|mismatch| gate.undecodable(one_line(&format!("schema {id}: {}", mismatch.0))))
    }
}

/// What stands behind the id of a frame, as JSON; else why not.
pub(crate) fn decode(schema: &Schema, behind_id: &[u8]) -> Result<String, String> {
    let mut json = Vec::new();
    let decoded = match schema {
        Schema::Protobuf(protobuf) => {
            let codec = protobuf.codec().map_err(|error| error.to_string())?;
            let (indexes, payload) = wire::split_indexes(behind_id).map_err(|error| error.to_string())?;
            let message = codec.message_by_indexes(&indexes).ok_or("no such message")?;
            codec.decode_json(message, payload, &mut json)
        }
        Schema::Avro(avro) => avro.codec().decode_json(behind_id, &mut json),
        Schema::Json(_) => {
            let data: &serde_json::value::RawValue =
                serde_json::from_slice(behind_id).map_err(|error| error.to_string())?;
            return Ok(data.get().to_owned());
        }
    };
    decoded.map_err(|mismatch| mismatch.0)?;
    String::from_utf8(json).map_err(|error| error.to_string())
}

fn codec_of(protobuf: &ProtobufSchema) -> Result<&Codec, SchemaError> {
    protobuf.codec().map_err(|cause: InvalidSchema| SchemaError::NotUsable { reason: one_line(&cause.to_string()) })
}

fn validator_of(json: &JsonSchema) -> Result<&Validator, SchemaError> {
    json.validator().map_err(|cause: InvalidSchema| SchemaError::NotUsable { reason: one_line(&cause.to_string()) })
}

fn not_available(language: SchemaType) -> SchemaError {
    SchemaError::NotAvailable { format: format_of(language) }
}

fn no_message(gate: Gate<'_>, id: SchemaId, name: &str) -> GateError {
    gate.undecodable(format!("the schema with id {id} has no message {name}"))
}

fn no_message_at(gate: Gate<'_>, id: SchemaId, indexes: &MessageIndexes) -> GateError {
    gate.undecodable(format!("the schema with id {id} has no message at {:?}", indexes.0))
}

#[cfg(test)]
mod tests {
    use sluice_schema::wire::FramedId;

    use super::*;
    use crate::gate::{RawCheck, plain};
    use crate::record::{PlainFormat, RecordHeader, Side};
    use crate::route::SideRules;

    const GATE: Gate<'_> = Gate { topic: "t", side: Side::Value };
    const USER: &str = r#"{"type":"record","name":"gold.User","fields":[{"name":"name","type":"string"},{"name":"age","type":"int"}]}"#;

    fn avro(text: &str, wanted: Option<&str>) -> Result<Usable, RecordError> {
        let schema = Arc::new(Schema::parse(SchemaType::Avro, text, [].into(), [].into()).unwrap());
        Usable::new(("t-value".to_owned(), Version(1)), SchemaId(7), schema, wanted.map(|name| (name, GATE)))
    }

    /// What the gate makes of raw bytes that name the schema.
    fn raw(usable: &Usable, bytes: &[u8], headers: &[RecordHeader<'_>]) -> Result<(), String> {
        let rules = SideRules::of_format(Some(SchemaType::Avro), "t-value");
        let check = plain(GATE, &rules, PlainFormat::Binary, bytes, headers).unwrap();
        let RawCheck::Under(FramedId::Id(id), payload) = check else { panic!("{check:?}") };
        assert_eq!(id, SchemaId(7));
        usable.check(GATE, &payload, None).map_err(|error| error.to_string())
    }

    #[test]
    fn avro_data_is_framed_without_a_path() {
        let usable = avro(USER, None).unwrap();
        let mut out = b"of the record before".to_vec();
        usable.encode(br#"{"age": 30, "name": "Ann"}"#, &mut out).unwrap();
        assert_eq!(out, b"\0\0\0\0\x07\x06Ann\x3c");
        assert_eq!(raw(&usable, &out, &[]), Ok(()));
        let json = decode(&Schema::parse(SchemaType::Avro, USER, [].into(), [].into()).unwrap(), &out[5..]);
        assert_eq!(json.as_deref(), Ok(r#"{"name":"Ann","age":30}"#));
        let error = usable.encode(br#"{"name": "Ann"}"#, &mut out).unwrap_err();
        assert_eq!(error.to_string(), "Field \"age\" content mismatch: Expected int. Got END_OBJECT");
    }

    #[test]
    fn raw_bytes_must_be_a_payload_of_the_avro_schema_they_name() {
        let usable = avro(USER, None).unwrap();
        let refused = raw(&usable, b"\0\0\0\0\x07\x06Ann", &[]).unwrap_err();
        assert_eq!(
            refused,
            "topic t refuses the value: schema 7: Field \"age\" content mismatch: The payload ends early, at byte 4"
        );
        raw(&usable, b"\0\0\0\0\x07\x06Ann\x3c\0", &[]).unwrap_err();
        let header = RecordHeader { name: "__value_schema_id".into(), value: Some(b"\0\0\0\0\x07".to_vec()) };
        assert_eq!(raw(&usable, b"\x06Ann\x3c", &[header]), Ok(()));
    }

    #[test]
    fn a_topic_may_ask_for_the_name_of_the_avro_record() {
        avro(USER, Some("gold.User")).unwrap();
        let refused = avro(USER, Some("gold.Other")).unwrap_err();
        assert_eq!(refused.to_string(), "topic t refuses the value: the schema with id 7 has no message gold.Other");
    }

    #[test]
    fn null_under_an_avro_schema_is_refused_even_where_it_fits() {
        let mut out = Vec::new();
        for text in [r#""null""#, r#"["null","string"]"#] {
            let error = avro(text, None).unwrap().encode(b" null", &mut out).unwrap_err();
            assert_eq!(error.to_string(), NULL);
        }
        let error = avro(USER, None).unwrap().encode(b"null", &mut out).unwrap_err();
        assert_eq!(error.to_string(), "Field \"name\" content mismatch: Expected record-start. Got VALUE_NULL");
    }
}
