//! Any JSON against an Avro schema with every kind of type: what encodes also checks and decodes, and any bytes at all
//! are read or refused.
#![no_main]

use std::cell::OnceCell;

use libfuzzer_sys::fuzz_target;
use sluice_schema::{Schema, SchemaType};

const EVERYTHING: &str = include_str!("everything.avsc");

fuzz_target!(|json: &[u8]| {
    thread_local!(static SCHEMA: OnceCell<Schema> = const { OnceCell::new() });
    SCHEMA.with(|schema| {
        let schema = schema.get_or_init(|| {
            Schema::parse(SchemaType::Avro, EVERYTHING, [].into(), [].into()).expect("everything.avsc parses")
        });
        let Schema::Avro(schema) = schema else { panic!("everything.avsc is Avro") };
        let codec = schema.codec();
        let is_json = |bytes: &[u8]| serde_json::from_slice::<&serde_json::value::RawValue>(bytes).is_ok();
        let mut payload = b"kept".to_vec();
        match codec.encode_json(json, &mut payload) {
            Err(_) => assert_eq!(payload, b"kept"),
            Ok(()) => {
                codec.check(&payload[4..]).expect("what was encoded decodes");
                let mut back = Vec::new();
                codec.decode_json(&payload[4..], &mut back).expect("what was encoded decodes");
                assert!(is_json(&back));
            }
        }
        let mut read = Vec::new();
        match codec.decode_json(json, &mut read) {
            Ok(()) => assert!(is_json(&read)),
            Err(_) => assert!(codec.check(json).is_err(), "what passes the check can be read"),
        }
    });
});
