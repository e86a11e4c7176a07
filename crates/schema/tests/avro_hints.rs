//! Each piece of advice for Avro, followed: the schema that does what the hint says is compatible.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::sync::Arc;

use sluice_schema::avro::diff::CHANGES;
use sluice_schema::compat::{self, Prior};
use sluice_schema::{Level, Schema, SchemaType, Version};

/// Kind, level, type of the field `f` before, in the refused schema, how the hint begins, and a type that follows it.
type Case = (&'static str, Level, &'static str, &'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    (
        "TYPE_MISMATCH",
        Level::Backward,
        r#""int""#,
        r#""string""#,
        "Keep the type at /fields/0/type as it was, and give the new one a field of its own with a default.",
        r#""int"}, {"name": "g", "default": "", "type": "string""#,
    ),
    (
        "TYPE_MISMATCH",
        Level::Forward,
        r#""int""#,
        r#""string""#,
        "Keep the type as it was, and give the new one a field of its own",
        r#""int"}, {"name": "g", "type": "string""#,
    ),
    (
        "READER_FIELD_MISSING_DEFAULT_VALUE",
        Level::Backward,
        r#""int""#,
        r#""int"}, {"name": "g", "type": "string""#,
        "Give field `g` a default: what was written before lacks it.",
        r#""int"}, {"name": "g", "default": null, "type": ["null", "string"]"#,
    ),
    (
        "READER_FIELD_MISSING_DEFAULT_VALUE",
        Level::Forward,
        r#""int"}, {"name": "g", "type": "string""#,
        r#""int""#,
        "Put field `g` back: the older version has no default for it.",
        r#""int"}, {"name": "g", "type": "string""#,
    ),
    (
        "MISSING_ENUM_SYMBOLS",
        Level::Backward,
        r#"{"type": "enum", "name": "E", "symbols": ["A", "B"]}"#,
        r#"{"type": "enum", "name": "E", "symbols": ["A"]}"#,
        "Put [B] back into the enum, or give the enum a default",
        r#"{"type": "enum", "name": "E", "symbols": ["A"], "default": "A"}"#,
    ),
    (
        "MISSING_ENUM_SYMBOLS",
        Level::Forward,
        r#"{"type": "enum", "name": "E", "symbols": ["A"]}"#,
        r#"{"type": "enum", "name": "E", "symbols": ["A", "B"]}"#,
        "Leave [B] out of the enum",
        r#"{"type": "enum", "name": "E", "symbols": ["A"]}"#,
    ),
    (
        "MISSING_UNION_BRANCH",
        Level::Backward,
        r#"["null", "int"]"#,
        r#"["null", "string"]"#,
        "Put int back into the union: it was written before.",
        r#"["null", "string", "int"]"#,
    ),
    (
        "MISSING_UNION_BRANCH",
        Level::Forward,
        r#"["null", "int"]"#,
        r#"["null", "int", "string"]"#,
        "Leave string out of the union",
        r#"["null", "int"]"#,
    ),
    (
        "NAME_MISMATCH",
        Level::Backward,
        r#"{"type": "fixed", "name": "X", "size": 4}"#,
        r#"{"type": "fixed", "name": "Y", "size": 4}"#,
        r#"Keep the name X, or give the new one `"aliases": ["X"]`."#,
        r#"{"type": "fixed", "name": "Y", "aliases": ["X"], "size": 4}"#,
    ),
    (
        "NAME_MISMATCH",
        Level::Forward,
        r#"{"type": "fixed", "name": "X", "size": 4}"#,
        r#"{"type": "fixed", "name": "Y", "size": 4}"#,
        "Keep the type's name",
        r#"{"type": "fixed", "name": "X", "size": 4}"#,
    ),
    (
        "FIXED_SIZE_MISMATCH",
        Level::Backward,
        r#"{"type": "fixed", "name": "X", "size": 4}"#,
        r#"{"type": "fixed", "name": "X", "size": 8}"#,
        "Keep the size 4, and give the other size a type and a field of its own.",
        r#"{"type": "fixed", "name": "X", "size": 4}"#,
    ),
    (
        "FIXED_SIZE_MISMATCH",
        Level::Forward,
        r#"{"type": "fixed", "name": "X", "size": 4}"#,
        r#"{"type": "fixed", "name": "X", "size": 8}"#,
        "Keep the size 4, and give the other size a type and a field of its own.",
        r#"{"type": "fixed", "name": "X", "size": 4}, "doc": "as before""#,
    ),
];

fn parse(field_type: &str) -> Schema {
    let text = format!(r#"{{"type": "record", "name": "R", "fields": [{{"name": "f", "type": {field_type}}}]}}"#);
    Schema::parse(SchemaType::Avro, &text, Arc::from([]), Arc::from([])).unwrap()
}

#[test]
fn what_a_hint_advises_is_compatible() {
    for (kind, level, old, new, hint, advised) in CASES {
        let prior = Prior { version: Version(1), schema: Arc::new(parse(old)) };
        let refused = compat::check(*level, &parse(new), std::slice::from_ref(&prior), false).unwrap_err();
        assert_eq!(refused.differences[0].kind, *kind, "{new}: {:?}", refused.differences);
        let told = refused.hint.unwrap();
        assert!(told.starts_with(hint), "{kind} {level}: {told}");
        let advised_is = compat::check(*level, &parse(advised), &[prior], false);
        assert!(advised_is.is_ok(), "{advised}: {advised_is:?}");
    }
}

#[test]
fn every_change_has_a_hint_in_both_directions() {
    for change in CHANGES {
        for level in [Level::Backward, Level::Forward] {
            assert!(CASES.iter().any(|case| case.0 == change.id && case.1 == level), "{} {level}", change.id);
        }
    }
}
