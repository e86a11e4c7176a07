//! Protobuf and Avro data of the recorded REST Proxy: bytes that went to Kafka, errors, and what consumers read back.

#![allow(clippy::expect_used, clippy::panic)] // a test may

use std::sync::Arc;

use serde_json::Value;
use sluice_schema::{Mismatch, ResolvedReference, Schema, SchemaType, wire};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../compat-tests/golden/rest/recorded");

fn recordings() -> impl Iterator<Item = (String, Value)> {
    let files = std::fs::read_dir(RECORDED).expect("the corpus is part of the repository");
    files.map(|file| file.expect("readable").path()).map(|path| {
        let text = std::fs::read_to_string(&path).expect("readable");
        (path.display().to_string(), serde_json::from_str(&text).expect("JSON"))
    })
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

fn parse(language: SchemaType, text: &str, references: Vec<ResolvedReference>) -> Option<Schema> {
    Schema::parse(language, text, Arc::new([]), references.into()).ok()
}

/// One side of a request's record, with its schema: given in the record, or registered before.
struct Sent<'v> {
    schema: Schema,
    data: &'v Value,
}

fn sent<'v>(language: SchemaType, scenario: &'v Value, side: &'v Value) -> Option<Sent<'v>> {
    let data = side.get("data")?;
    if let (Some(word), Some(text)) = (side["type"].as_str(), side["schema"].as_str())
        && word == language.wire()
    {
        return Some(Sent { schema: parse(language, text, Vec::new())?, data });
    }
    let id = side["schema_id"].as_str()?.trim_matches(['$', '{', '}']);
    let schemas = list(&scenario["given"], "schemas");
    let is_wanted = |given: &&Value| given["as"] == id && given["type"].as_str().unwrap_or("AVRO") == language.wire();
    let given = schemas.iter().find(is_wanted)?;
    let references = list(given, "references").iter().map(|reference| {
        let target = schemas.iter().find(|given| given["subject"] == reference["subject"]).expect("registered");
        ResolvedReference {
            name: reference["name"].as_str().expect("a name").into(),
            subject: reference["subject"].as_str().expect("a subject").into(),
            version: 1,
            text: target["schema"].as_str().expect("a text").into(),
            references: Arc::new([]),
        }
    });
    Some(Sent { schema: parse(language, given["schema"].as_str()?, references.collect())?, data })
}

/// What follows the schema's id in a frame, checked as the gate would. `None` when the schema has no codec.
fn encode(schema: &Schema, data: &Value) -> Option<Result<Vec<u8>, Mismatch>> {
    let json = data.to_string();
    let mut out = Vec::new();
    Some(match schema {
        Schema::Protobuf(schema) => {
            let codec = schema.codec().ok()?;
            let message = codec.first_message()?;
            wire::frame_indexes_into(codec.indexes(message), &mut out);
            codec.encode_json(message, json.as_bytes(), &mut out).map(|()| {
                assert_eq!(codec.check_framed(&out), Ok(message), "{json}");
                out
            })
        }
        Schema::Avro(schema) => schema.codec().encode_json(json.as_bytes(), &mut out).map(|()| {
            assert_eq!(schema.codec().check(&out), Ok(()), "{json}");
            out
        }),
        Schema::Json(_) => return None,
    })
}

/// The JSON form of what [`encode`] gave.
fn decode(schema: &Schema, framed: &[u8]) -> Value {
    let mut json = Vec::new();
    match schema {
        Schema::Protobuf(schema) => {
            let codec = schema.codec().expect("links");
            let (indexes, payload) = wire::split_indexes(framed).expect("framed");
            let message = codec.message_by_indexes(&indexes).expect("a message");
            codec.decode_json(message, payload, &mut json).expect("decodes");
        }
        Schema::Avro(schema) => schema.codec().decode_json(framed, &mut json).expect("decodes"),
        Schema::Json(_) => panic!("JSON Schema has no codec"),
    }
    serde_json::from_slice(&json).expect("JSON")
}

/// Message indexes and payload of a framed value of the corpus.
fn payload(value: &Value) -> Option<Vec<u8>> {
    value.get("framed")?;
    let payload = &value["payload"];
    match (payload["base64"].as_str(), payload["text"].as_str()) {
        (Some(base64), _) => base64_simd::STANDARD.decode_to_vec(base64).ok(),
        (_, text) => text.map(|text| text.as_bytes().to_vec()),
    }
}

/// Compares every value of a language; gives how many there were.
fn compare(language: SchemaType) -> usize {
    let mut compared = 0;
    for (file, scenario) in recordings() {
        for step in list(&scenario, "steps") {
            let mut written = list(&step["expect"], "kafka").iter();
            for (record, report) in list(step, "records").iter().zip(list(&step["expect"], "records")) {
                let in_kafka = if report["error_code"] == 200 { written.next() } else { None };
                for name in ["key", "value"] {
                    let Some(sent) = sent(language, &scenario, &record[name]) else { continue };
                    let Some(result) = encode(&sent.schema, sent.data) else {
                        assert_ne!(report["error_code"], 200, "{file} {step}");
                        continue;
                    };
                    let place = format!("{file}, step {}: {}", step["id"], sent.data);
                    match (report["error_code"].as_u64(), result) {
                        // A proxy set to do so writes null in place of null data.
                        (Some(200), _) if sent.data.is_null() => continue,
                        (Some(200), Ok(out)) => {
                            if step.get("read_back").is_some() {
                                let expected = in_kafka.and_then(|record| payload(&record[name]));
                                assert_eq!(Some(&out), expected.as_ref(), "{place}");
                            }
                        }
                        (Some(400), Err(mismatch)) => {
                            assert_eq!(report["message"], format!("Bad Request: {mismatch}"), "{place}");
                        }
                        // The reference's 500 for a required field is a mismatch here, for Avro's null a value.
                        (Some(500), Err(_)) => {}
                        (Some(500), Ok(_)) if sent.data.is_null() => {}
                        // A schema that was refused, or another record's fault.
                        (Some(400 | 422), _) => continue,
                        (code, result) => panic!("{place}: recorded {code:?}, got {result:?}"),
                    }
                    compared += 1;
                }
            }
        }
    }
    compared
}

#[test]
fn recorded_protobuf_data_becomes_the_recorded_bytes_or_error() {
    let compared = compare(SchemaType::Protobuf);
    assert!(compared >= 39, "only {compared} values compared");
}

#[test]
fn recorded_avro_data_becomes_the_recorded_bytes_or_error() {
    let compared = compare(SchemaType::Avro);
    assert!(compared >= 60, "only {compared} values compared");
}

#[test]
fn recorded_data_reads_back_as_consumers_saw_it() {
    for (language, name) in [
        (SchemaType::Protobuf, "v2c-read-protobuf-all-types"),
        (SchemaType::Protobuf, "v2c-write-and-read-protobuf"),
        (SchemaType::Avro, "v2c-read-avro-primitives"),
        (SchemaType::Avro, "v2c-read-avro-complex"),
        (SchemaType::Avro, "v2c-read-avro-unions"),
    ] {
        let (_, scenario) = recordings().find(|(file, _)| file.ends_with(&format!("{name}.json"))).expect(name);
        let is = |step: &Value, id: &str| step["id"].as_str().is_some_and(|known| known.starts_with(id));
        let step = |id: &str| list(&scenario, "steps").iter().find(|step| is(step, id)).expect("a step");
        let write = step("write");
        let records = if write["records"].is_array() { write } else { &write["json"] };
        let read = list(&step("read")["expect"], "body");
        assert_eq!(list(records, "records").len(), read.len(), "{name}");
        for (record, seen) in list(records, "records").iter().zip(read) {
            let (text, data) = match record["value"]["data"] {
                Value::Null => (&write["json"]["value_schema"], &record["value"]),
                ref data => (&record["value"]["schema"], data),
            };
            let schema = parse(language, text.as_str().expect("a text"), Vec::new()).expect("parses");
            let framed = encode(&schema, data).expect("a codec").expect("encodes");
            assert_eq!(decode(&schema, &framed), seen["value"], "{name}");
        }
    }
}
