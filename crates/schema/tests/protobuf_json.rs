//! JSON to protobuf and back against what protobuf-java does with the same text and bytes.

#![allow(clippy::expect_used, clippy::panic)] // a test may

use std::collections::BTreeMap;

use std::sync::Arc;

use serde_json::{Map, Value};
use sluice_schema::protobuf::ProtobufSchema;
use sluice_schema::protobuf::codec::{Codec, MessagePlan};

fn schema(text: &str) -> ProtobufSchema {
    ProtobufSchema::parse(text, Arc::new([]), Arc::new([])).expect("parses")
}

fn schemas() -> BTreeMap<&'static str, ProtobufSchema> {
    BTreeMap::from([
        ("gold.all", schema(include_str!("corpus/protobuf/all.proto"))),
        ("gold.two", schema(include_str!("corpus/protobuf/two.proto"))),
    ])
}

fn find<'c>(schemas: &'c BTreeMap<&'static str, ProtobufSchema>, message: &str) -> (&'c Codec, MessagePlan) {
    let codec = schemas[message.rsplit_once('.').expect("in a package").0].codec().expect("links");
    (codec, codec.message_by_name(message).expect("in its file"))
}

fn hex(bytes: &[u8]) -> String {
    if bytes.is_empty() { "-".to_owned() } else { bytes.iter().map(|byte| format!("{byte:02x}")).collect() }
}

fn unhex(text: &str) -> Vec<u8> {
    let digits = text.trim_matches('-');
    (0..digits.len() / 2).map(|at| u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).expect("hex")).collect()
}

fn rows(corpus: &str) -> impl Iterator<Item = [&str; 3]> {
    corpus.lines().filter(|line| !line.starts_with('#')).map(|line| {
        let mut columns = line.splitn(3, '\t');
        [(); 3].map(|()| columns.next().expect("three columns"))
    })
}

#[test]
fn json_becomes_the_bytes_or_the_error_of_the_reference() {
    let schemas = schemas();
    let mut wrong = Vec::new();
    let mut count = 0;
    for [message, json, expected] in rows(include_str!("corpus/protobuf/json_to_binary.tsv")) {
        let (codec, plan) = find(&schemas, message);
        let mut out = b"before".to_vec();
        let got = match codec.encode_json(plan, json.as_bytes(), &mut out) {
            Ok(()) => hex(&out[6..]),
            Err(mismatch) => {
                assert_eq!(out, b"before", "{json}");
                format!("! {mismatch}")
            }
        };
        count += 1;
        if got != expected {
            wrong.push(format!("{message} {json}\n  expected {expected}\n  got      {got}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 300);
}

#[test]
fn bytes_become_the_json_of_the_reference() {
    let schemas = schemas();
    let (all, plan) = find(&schemas, "gold.all.All");
    let mut empty = Vec::new();
    all.decode_json(plan, b"", &mut empty).expect("an empty message");
    let mut wrong = Vec::new();
    let mut count = 0;
    for [message, bytes, expected] in rows(include_str!("corpus/protobuf/binary_to_json.tsv")) {
        let (codec, plan) = find(&schemas, message);
        let mut out = b"before".to_vec();
        let got = match codec.decode_json(plan, &unhex(bytes), &mut out) {
            Ok(()) => String::from_utf8(out.split_off(6)).expect("JSON is text"),
            Err(mismatch) => format!("! {mismatch}"),
        };
        assert_eq!(out, b"before", "{bytes}");
        count += 1;
        let fits = match expected.split_once(' ') {
            Some(("+", differing)) => {
                let mut members: Map<String, Value> = serde_json::from_slice(&empty).expect("an object");
                members.extend(serde_json::from_str::<Map<String, Value>>(differing).expect("an object"));
                serde_json::from_str::<Map<String, Value>>(&got).is_ok_and(|got| got == members)
            }
            None if expected == "!" => got.starts_with("! "),
            _ => got == expected,
        };
        if !fits {
            wrong.push(format!("{message} {bytes}\n  expected {expected}\n  got      {got}"));
        }
    }
    assert!(wrong.is_empty(), "{} of {count}:\n{}", wrong.len(), wrong.join("\n"));
    assert!(count > 250);
}
