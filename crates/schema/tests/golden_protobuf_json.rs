//! Protobuf data of the recorded REST Proxy: bytes that went to Kafka, errors, and what consumers read back.

#![allow(clippy::expect_used, clippy::panic)] // a test may

use std::sync::Arc;

use serde_json::Value;
use sluice_schema::ResolvedReference;
use sluice_schema::protobuf::ProtobufSchema;
use sluice_schema::wire;

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

fn parse(text: &str, references: Vec<ResolvedReference>) -> Option<ProtobufSchema> {
    ProtobufSchema::parse(text, Arc::new([]), references.into()).ok()
}

/// The message of one side of a request's record, with its schema: given in the record, or registered before.
struct Sent<'v> {
    schema: ProtobufSchema,
    data: &'v Value,
}

fn sent<'v>(scenario: &'v Value, side: &'v Value) -> Option<Sent<'v>> {
    let data = side.get("data")?;
    if let (Some("PROTOBUF"), Some(text)) = (side["type"].as_str(), side["schema"].as_str()) {
        return Some(Sent { schema: parse(text, Vec::new())?, data });
    }
    let id = side["schema_id"].as_str()?.trim_matches(['$', '{', '}']);
    let schemas = list(&scenario["given"], "schemas");
    let given = schemas.iter().find(|given| given["as"] == id && given["type"] == "PROTOBUF")?;
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
    Some(Sent { schema: parse(given["schema"].as_str()?, references.collect())?, data })
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

#[test]
fn recorded_protobuf_data_becomes_the_recorded_bytes_or_error() {
    let mut compared = 0;
    for (file, scenario) in recordings() {
        for step in list(&scenario, "steps") {
            let mut written = list(&step["expect"], "kafka").iter();
            for (record, report) in list(step, "records").iter().zip(list(&step["expect"], "records")) {
                let in_kafka = if report["error_code"] == 200 { written.next() } else { None };
                for name in ["key", "value"] {
                    let Some(sent) = sent(&scenario, &record[name]) else { continue };
                    let Ok(codec) = sent.schema.codec() else {
                        assert_ne!(report["error_code"], 200, "{file} {step}");
                        continue;
                    };
                    let Some(message) = codec.first_message() else { continue };
                    let mut out = Vec::new();
                    wire::frame_indexes_into(codec.indexes(message), &mut out);
                    let result = codec.encode_json(message, sent.data.to_string().as_bytes(), &mut out);
                    let place = format!("{file}, step {}: {}", step["id"], sent.data);
                    match (report["error_code"].as_u64(), result) {
                        (Some(200), result) => {
                            assert_eq!(result, Ok(()), "{place}");
                            if step.get("read_back").is_some() {
                                let expected = in_kafka.and_then(|record| payload(&record[name]));
                                assert_eq!(Some(&out), expected.as_ref(), "{place}");
                            }
                            assert_eq!(codec.check_framed(&out), Ok(message), "{place}");
                        }
                        (Some(400), Err(mismatch)) => {
                            assert_eq!(report["message"], format!("Bad Request: {mismatch}"), "{place}");
                        }
                        // The reference's 500 for a required field is a mismatch here.
                        (Some(500), Err(_)) => {}
                        (Some(422), _) => continue,
                        (code, result) => panic!("{place}: recorded {code:?}, got {result:?}"),
                    }
                    compared += 1;
                }
            }
        }
    }
    assert!(compared >= 39, "only {compared} values compared");
}

#[test]
fn recorded_protobuf_data_reads_back_as_consumers_saw_it() {
    for name in ["v2c-read-protobuf-all-types", "v2c-write-and-read-protobuf"] {
        let (_, scenario) = recordings().find(|(file, _)| file.ends_with(&format!("{name}.json"))).expect(name);
        let step = |id: &str| list(&scenario, "steps").iter().find(|step| step["id"] == id).expect("a step");
        let write = step("write");
        let records = if write["records"].is_array() { write } else { &write["json"] };
        let read = list(&step("read")["expect"], "body");
        assert_eq!(list(records, "records").len(), read.len());
        for (record, seen) in list(records, "records").iter().zip(read) {
            let (text, data) = match record["value"]["data"] {
                Value::Null => (&write["json"]["value_schema"], &record["value"]),
                ref data => (&record["value"]["schema"], data),
            };
            let schema = parse(text.as_str().expect("a text"), Vec::new()).expect("parses");
            let codec = schema.codec().expect("links");
            let message = codec.first_message().expect("a message");
            let mut bytes = Vec::new();
            codec.encode_json(message, data.to_string().as_bytes(), &mut bytes).expect("encodes");
            let mut json = Vec::new();
            codec.decode_json(message, &bytes, &mut json).expect("decodes");
            assert_eq!(serde_json::from_slice::<Value>(&json).expect("JSON"), seen["value"]);
        }
    }
}
