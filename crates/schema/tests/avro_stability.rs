//! What is stored of an Avro text reads back as itself, whatever the text: recorded ones, and mutated ones.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod mutation;

use std::path::PathBuf;

use mutation::{changed, changes};
use proptest::prelude::*;
use serde_json::Value;
use sluice_schema::Format;
use sluice_schema::avro::AvroSchema;

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../compat-tests/golden/registry/recorded");

const SEEDS: [&str; 5] = [
    r#"{"type":"record","name":"R","namespace":"n","doc":"d","aliases":["A","o.B"],"p":1,"q":{"b":[1.5,null],"a":"x"},"fields":[{"name":"a","type":"int","default":1,"order":"ignore"},{"name":"b","type":["null","R"],"default":null},{"name":"c","type":{"type":"map","values":"double"},"default":{"b":1,"a":2.5}}]}"#,
    r#"[{"type":"record","name":"n.R","fields":[{"name":"x","type":"n.B"},{"name":"y","type":"n.E"}]},{"type":"record","name":"n.B","fields":[{"name":"r","type":"R"},{"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"],"default":"A"}}]},{"type":"enum","name":"E","symbols":["A","B"]},"null"]"#,
    r#"{"type":"record","name":"n.R","fields":[{"name":"a","type":{"type":"fixed","name":"X","namespace":"","size":4}},{"name":"b","type":"X"},{"name":"c","type":{"type":"fixed","name":"X","size":4,"aliases":["Y"]}},{"name":"d","type":"n.X"}]}"#,
    r#"{"type":"array","items":{"type":"record","name":"R","namespace":"n.m","fields":[{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2,"z":1}},{"name":"f","type":{"type":"fixed","name":"D","size":12,"logicalType":"duration"}},{"name":"s","type":"string","default":"é\u0001\ud83d\ude00","aliases":["t","s2"]}]}}"#,
    r#"{"type":"error","name":"Err","fields":[{"name":"n","type":{"type":"record","name":"In","fields":[{"name":"x","type":"float","default":"NaN"},{"name":"y","type":"double","default":1e400}]},"default":{"y":3,"x":100000000000000000000}},{"name":"m","type":{"type":"array","items":"In"},"default":[{"x":1,"y":2}]}]}"#,
];

const TOKENS: [&str; 36] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "1",
    "-0.0",
    "1e400",
    "12345678901234567890",
    "2147483648",
    "null",
    "true",
    "\"int\"",
    "\"float\"",
    "\"double\"",
    "\"bytes\"",
    "\"R\"",
    "\"n.R\"",
    "\"B\"",
    "\"n.B\"",
    "\"E\"",
    "\"X\"",
    "\"n.X\"",
    "\"In\"",
    "\"type\"",
    "\"name\"",
    "\"namespace\"",
    "\"default\"",
    "\"aliases\"",
    "\"n\"",
    "\"record\"",
    "\"NaN\"",
    "/* c */",
    "\"logicalType\"",
];

fn parse(text: &str) -> Option<AvroSchema> {
    AvroSchema::parse(text, [].into(), [].into()).ok()
}

fn check(text: &str) {
    let Some(schema) = parse(text) else { return };
    let printed = schema.canonical_text();
    let again = parse(printed).unwrap_or_else(|| panic!("does not read back: {printed}\nfrom {text}"));
    assert_eq!(again.canonical_text(), printed, "from {text}");
    assert_eq!(&schema.render(Format::Resolved).unwrap(), printed);
    assert!(schema.finds(&schema), "{printed}");
    let _ = (schema.validate(), schema.tagged_entities(), schema.render(Format::Logical));
    let Ok(normal) = schema.normalize() else { return };
    let text = normal.canonical_text();
    let again = parse(text).unwrap_or_else(|| panic!("does not read back: {text}"));
    let again = again.normalize().unwrap_or_else(|refused| panic!("{refused}\n{text}"));
    assert_eq!(again.canonical_text(), text, "from {printed}");
}

#[test]
fn the_texts_that_are_changed_are_schemas() {
    SEEDS.iter().for_each(|seed| drop(parse(seed).unwrap_or_else(|| panic!("{seed}"))));
}

#[test]
fn every_recorded_text_and_normal_form_reads_back_as_itself() {
    let mut texts = 0;
    for entry in std::fs::read_dir(RECORDED).unwrap() {
        let path: PathBuf = entry.unwrap().path();
        let Ok(scenario) = serde_json::from_str::<Value>(&std::fs::read_to_string(&path).unwrap()) else { continue };
        for step in scenario["steps"].as_array().into_iter().flatten() {
            if let Some(text) = step["body"]["schema"].as_str() {
                check(text);
                texts += 1;
            }
        }
    }
    // The corpus shipped with the project; a smaller count means that it was not found.
    assert!(texts > 1_000, "only {texts} texts");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_parses_reads_back_as_itself(seed in prop::sample::select(&SEEDS[..]), changes in changes(&TOKENS)) {
        check(&changed(seed, &changes));
    }
}
