//! Each piece of advice for JSON Schemas, followed: the schema that does what the hint says is compatible.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::sync::Arc;

use sluice_schema::compat::{self, Prior};
use sluice_schema::{Level, Schema, SchemaType, Version};

/// Kind, level, old, new, the hint, and `new` changed as the hint says.
type Case = (&'static str, Level, &'static str, &'static str, &'static str, &'static str);

const CASES: &[Case] = &[
    (
        "MAX_LENGTH_ADDED",
        Level::Backward,
        r#"{"type": "object", "properties": {"x": {"type": "string"}}}"#,
        r#"{"type": "object", "properties": {"x": {"type": "string", "maxLength": 5}}}"#,
        "Leave `maxLength` out at #/properties/x, as before.",
        r#"{"type": "object", "properties": {"x": {"type": "string"}}}"#,
    ),
    (
        "MAX_LENGTH_ADDED",
        Level::Forward,
        r#"{"type": "object", "properties": {"x": {"type": "string", "maxLength": 5}}}"#,
        r#"{"type": "object", "properties": {"x": {"type": "string"}}}"#,
        "Keep `\"maxLength\": 5` at #/properties/x.",
        r#"{"type": "object", "properties": {"x": {"type": "string", "maxLength": 5}}}"#,
    ),
    (
        "MINIMUM_INCREASED",
        Level::Backward,
        r#"{"type": "integer", "minimum": 1}"#,
        r#"{"type": "integer", "minimum": 2}"#,
        "Keep `\"minimum\": 1` at the top.",
        r#"{"type": "integer", "minimum": 1}"#,
    ),
    (
        "TYPE_CHANGED",
        Level::Backward,
        r#"{"type": "object", "properties": {"x": {"type": "integer"}}}"#,
        r#"{"type": "object", "properties": {"x": {"type": "string"}}}"#,
        "Accept both at #/properties/x: `\"type\": [\"integer\",\"string\"]`.",
        r#"{"type": "object", "properties": {"x": {"type": ["integer", "string"]}}}"#,
    ),
    (
        "TYPE_CHANGED",
        Level::Forward,
        r#"{"type": "object", "properties": {"x": {"type": "integer"}}}"#,
        r#"{"type": "object", "properties": {"x": {"type": "string"}}}"#,
        "Keep `\"x\": {\"type\":\"integer\"}` at #/properties.",
        r#"{"type": "object", "properties": {"x": {"type": "integer"}}}"#,
    ),
    (
        "TYPE_CHANGED",
        Level::Backward,
        r#"{"type": "array", "items": {"type": "integer", "minimum": 3}}"#,
        r#"{"type": "array", "items": {"type": "string"}}"#,
        "Keep `\"items\": {\"type\":\"integer\",\"minimum\":3}` at the top.",
        r#"{"type": "array", "items": {"type": "integer", "minimum": 3}}"#,
    ),
    (
        "OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
        Level::Backward,
        r#"{"type": "object", "properties": {"x": {"type": "integer"}}}"#,
        r#"{"type": "object", "properties": {"x": {"type": "integer"}, "y": {"type": "string"}}}"#,
        "Give property `y` the empty schema `{}`: the object is open, so what was written before may hold anything \
         there. Or set the subject's compatibilityPolicy to LENIENT.",
        r#"{"type": "object", "properties": {"x": {"type": "integer"}, "y": {}}}"#,
    ),
    (
        "REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL",
        Level::Backward,
        r#"{"type": "object", "properties": {}}"#,
        r#"{"type": "object", "properties": {"y": {"type": "string"}}, "required": ["y"]}"#,
        "Take `y` out of `required` and give it the empty schema `{}`: what was written before may lack it, or hold \
         anything there.",
        r#"{"type": "object", "properties": {"y": {}}}"#,
    ),
    (
        "REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL",
        Level::Backward,
        r#"{"type": "object", "properties": {}, "additionalProperties": false}"#,
        r#"{"type": "object", "properties": {"y": {"type": "string"}}, "required": ["y"], "additionalProperties": false}"#,
        "Take `y` out of `required`: what was written before lacks it.",
        r#"{"type": "object", "properties": {"y": {"type": "string"}}, "additionalProperties": false}"#,
    ),
    (
        "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL",
        Level::Backward,
        r#"{"type": "object", "properties": {"c": {"type": "string"}}, "additionalProperties": false}"#,
        r#"{"type": "object", "additionalProperties": false}"#,
        "Keep `\"c\": {\"type\":\"string\"}` at #/properties.",
        r#"{"type": "object", "properties": {"c": {"type": "string"}}, "additionalProperties": false}"#,
    ),
    (
        "PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL",
        Level::Forward,
        r#"{"type": "object", "properties": {"c": {}}, "additionalProperties": false}"#,
        r#"{"type": "object", "properties": {"c": {}, "d": {}}, "additionalProperties": false}"#,
        "Leave `d` out at #/properties, as before.",
        r#"{"type": "object", "properties": {"c": {}}, "additionalProperties": false}"#,
    ),
    (
        "ENUM_ARRAY_NARROWED",
        Level::Backward,
        r#"{"type": "object", "properties": {"x": {"enum": ["a", "b"]}}}"#,
        r#"{"type": "object", "properties": {"x": {"enum": ["a"]}}}"#,
        "Keep `\"enum\": [\"a\",\"b\"]` at #/properties/x.",
        r#"{"type": "object", "properties": {"x": {"enum": ["a", "b"]}}}"#,
    ),
    (
        "ADDITIONAL_PROPERTIES_REMOVED",
        Level::Backward,
        r#"{"type": "object", "properties": {"x": {}}}"#,
        r#"{"type": "object", "properties": {"x": {}}, "additionalProperties": false}"#,
        "Leave `additionalProperties` out at the top, as before.",
        r#"{"type": "object", "properties": {"x": {}}}"#,
    ),
    (
        "TYPE_CHANGED",
        Level::Backward,
        r##"{"$defs": {"m": {"type": "object", "properties": {"n": {"type": "integer"}}}}, "properties": {"a": {"$ref": "#/$defs/m"}}}"##,
        r##"{"$defs": {"m": {"type": "object", "properties": {"n": {"type": "string"}}}}, "properties": {"a": {"$ref": "#/$defs/m"}}}"##,
        "Keep #/properties/a/properties/n as it was.",
        r##"{"$defs": {"m": {"type": "object", "properties": {"n": {"type": "integer"}}}}, "properties": {"a": {"$ref": "#/$defs/m"}}}"##,
    ),
];

fn parse(text: &str) -> Schema {
    Schema::parse(SchemaType::Json, text, Arc::from([]), Arc::from([])).unwrap()
}

#[test]
fn what_a_hint_advises_is_compatible() {
    for (kind, level, old, new, hint, advised) in CASES {
        let prior = Prior { version: Version(1), schema: Arc::new(parse(old)) };
        let refused = compat::check(*level, &parse(new), std::slice::from_ref(&prior), false).unwrap_err();
        assert_eq!(refused.differences[0].kind, *kind, "{new}");
        assert_eq!(refused.hint.as_deref(), Some(*hint), "{kind}: {new}");
        let advised_is = compat::check(*level, &parse(advised), &[prior], false);
        assert!(advised_is.is_ok(), "{advised}: {advised_is:?}");
    }
}

#[test]
fn another_type_at_the_top_belongs_elsewhere() {
    let prior = Prior { version: Version(1), schema: Arc::new(parse(r#"{"type": "object"}"#)) };
    let refused = compat::check(Level::Full, &parse(r#"{"type": "string"}"#), &[prior], false).unwrap_err();
    assert!(refused.hint.unwrap().starts_with("Register it under another subject"));
}
