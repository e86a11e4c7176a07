//! What schemas weigh, held against an allocator that counts.
//!
//! One test, because the allocator counts for the whole process. Texts of 1 KB, of 60 KB, and of shapes that take much
//! more, or much less, than their length tells.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::alloc::System;
use std::sync::Arc;

use sluice_schema::compat::{Direction, differences};
use sluice_schema::{Schema, SchemaType};
use stats_alloc::{INSTRUMENTED_SYSTEM, Region, StatsAlloc};

#[global_allocator]
static COUNTING: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Bytes that `make` leaves allocated, and what it made.
fn kept<T>(make: impl FnOnce() -> T) -> (usize, T) {
    let region = Region::new(COUNTING);
    let made = make();
    let change = region.change();
    (change.bytes_allocated - change.bytes_deallocated, made)
}

fn parse(schema_type: SchemaType, text: &str) -> Schema {
    Schema::parse(schema_type, text, Arc::new([]), Arc::new([])).unwrap()
}

/// Does all that leaves something behind in a schema: compares, encodes, validates.
fn use_fully(schema: &Schema) {
    assert!(differences(schema, schema, Direction::Backward).is_empty());
    match schema {
        Schema::Avro(schema) => {
            schema.codec();
        }
        Schema::Protobuf(schema) => {
            schema.codec().unwrap();
        }
        Schema::Json(schema) => {
            schema.validator().unwrap();
        }
    }
}

fn avro(fields: usize) -> String {
    let field = |n: usize| match n % 5 {
        0 => format!(r#"{{"name":"name_{n}","type":"string","doc":"What field {n} is for"}}"#),
        1 => format!(r#"{{"name":"count_{n}","type":["null","long"],"default":null}}"#),
        2 => format!(r#"{{"name":"at_{n}","type":{{"type":"long","logicalType":"timestamp-millis"}}}}"#),
        3 => format!(r#"{{"name":"kind_{n}","type":{{"type":"enum","name":"Kind{n}","symbols":["A","B","C"]}}}}"#),
        _ => format!(r#"{{"name":"labels_{n}","type":{{"type":"map","values":"string"}}}}"#),
    };
    let fields: Vec<String> = (0..fields).map(field).collect();
    format!(r#"{{"type":"record","name":"Order","namespace":"com.example","fields":[{}]}}"#, fields.join(","))
}

fn protobuf(messages: usize) -> String {
    let message = |n: usize| {
        format!(
            "message Part{n} {{ string name = 1; int64 count = 2; repeated string tags = 3; optional Kind kind = 4; \
             map<string, int32> sizes = 5; oneof choice {{ string left = 6; bytes right = 7; }} \
             enum Kind {{ UNKNOWN = 0; SMALL = 1; LARGE = 2; }} }}\n"
        )
    };
    format!("syntax = \"proto3\";\npackage com.example;\n{}", (0..messages).map(message).collect::<String>())
}

fn json(properties: usize) -> String {
    let property = |n: usize| match n % 4 {
        0 => format!(r#""name{n}":{{"type":"string","minLength":1,"description":"What property {n} is for"}}"#),
        1 => format!(r#""count{n}":{{"type":"integer","minimum":0,"maximum":{n}00}}"#),
        2 => format!(r#""kind{n}":{{"enum":["a","b","c"]}}"#),
        _ => format!(
            r#""list{n}":{{"type":"array","items":{{"type":"object","properties":{{"x":{{"type":"number"}}}}}}}}"#
        ),
    };
    let properties: Vec<String> = (0..properties).map(property).collect();
    let draft = "http://json-schema.org/draft-07/schema#";
    format!(r#"{{"$schema":"{draft}","type":"object","properties":{{{}}}}}"#, properties.join(","))
}

fn texts() -> Vec<(&'static str, SchemaType, String)> {
    use SchemaType::{Avro, Json, Protobuf};
    let doc = "x".repeat(50_000);
    let many = (0..2_000).map(|n| format!(r#"{{"name":"f{n}","type":"int"}}"#)).collect::<Vec<_>>().join(",");
    let symbols = (0..5_000).map(|n| format!(r#""S{n}""#)).collect::<Vec<_>>().join(",");
    let constants = (0..5_000).map(|n| format!("S{n} = {n};")).collect::<String>();
    let numbers = (0..10_000).map(|n| (n % 10).to_string()).collect::<Vec<_>>().join(",");
    vec![
        ("a primitive", Avro, r#""string""#.to_owned()),
        ("1 KB", Avro, avro(14)),
        ("60 KB", Avro, avro(800)),
        ("a long doc", Avro, format!(r#"{{"type":"record","name":"R","doc":"{doc}","fields":[]}}"#)),
        ("short fields", Avro, format!(r#"{{"type":"record","name":"R","fields":[{many}]}}"#)),
        ("symbols", Avro, format!(r#"{{"type":"enum","name":"E","symbols":[{symbols}]}}"#)),
        ("one message", Protobuf, "syntax = \"proto3\"; message M { int32 a = 1; }".to_owned()),
        ("1 KB", Protobuf, protobuf(4)),
        ("60 KB", Protobuf, protobuf(240)),
        ("constants", Protobuf, format!("syntax = \"proto3\"; enum E {{ {constants} }}")),
        (
            "a long option",
            Protobuf,
            format!("syntax = \"proto3\"; option java_package = \"{doc}\"; message M {{ int32 a = 1; }}"),
        ),
        ("true", Json, "true".to_owned()),
        ("1 KB", Json, json(14)),
        ("60 KB", Json, json(900)),
        ("a long description", Json, format!(r#"{{"type":"string","description":"{doc}"}}"#)),
        ("many numbers", Json, format!(r#"{{"examples":[{numbers}]}}"#)),
        ("much nesting", Json, format!("{}{}", r#"{"items":"#.repeat(100), "{}".to_owned() + &"}".repeat(100))),
    ]
}

#[test]
fn a_schema_weighs_what_it_takes() {
    // What is built once per process must not count as a schema's.
    for (_, schema_type, text) in texts() {
        use_fully(&parse(schema_type, &text));
    }
    let mut wrong = Vec::new();
    for (what, schema_type, text) in texts() {
        let (parsed, schema) = kept(|| Box::new(parse(schema_type, &text)));
        let when_parsed = schema.weight_bytes();
        let made = schema.parts_made();
        let (compiled, ()) = kept(|| use_fully(&schema));
        let (used, when_used) = (parsed + compiled, schema.weight_bytes());
        assert!(schema.parts_made() > made, "{schema_type}, {what}: nothing was made on first use");
        let line = format!(
            "{schema_type}, {what}: {} B; parsed {parsed} B weigh {when_parsed}: {:.2}; used {used} B weigh {when_used}: {:.2}",
            text.len(),
            when_parsed as f64 / parsed as f64,
            when_used as f64 / used as f64,
        );
        println!("{line}");
        if !fits(when_parsed, parsed) || !fits(when_used, used) {
            wrong.push(line);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Within a factor of two; small things may be off by 2 KiB.
fn fits(weight: usize, measured: usize) -> bool {
    const SMALL: usize = 2048;
    weight <= measured * 2 + SMALL && measured <= weight * 2 + SMALL
}
