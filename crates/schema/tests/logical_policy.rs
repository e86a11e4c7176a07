//! The policy LOGICAL: the recording of `logical-policy`, and the rules behind it.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::sync::Arc;

use sluice_schema::compat::{self, Policy, Prior};
use sluice_schema::{Level, Schema, SchemaType, Version};

fn parse(schema_type: SchemaType, text: &str) -> Schema {
    Schema::parse(schema_type, text, [].into(), [].into()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// The messages of a check under LOGICAL, without the line that closes them.
fn messages(level: Level, new: Schema, previous: Vec<Schema>) -> Vec<String> {
    let prior = |(at, schema): (usize, Schema)| Prior { version: Version(at as i32 + 1), schema: Arc::new(schema) };
    let previous: Vec<Prior> = previous.into_iter().enumerate().map(prior).collect();
    let verdict = compat::check_under(Policy::Logical, level, &new, &previous, false);
    let mut messages = verdict.map_or_else(|refused| refused.messages(), |()| Vec::new());
    let last = messages.pop();
    assert!(last.is_none_or(|last| last.starts_with("{validateFields: 'false', compatibility: ")));
    messages
}

fn avro(fields: &[&str]) -> Schema {
    parse(SchemaType::Avro, &format!(r#"{{"type":"record","name":"R","fields":[{}]}}"#, fields.join(",")))
}

fn avro_messages(old: &[&str], new: &[&str]) -> Vec<String> {
    messages(Level::Backward, avro(new), vec![avro(old)])
}

/// What each mode says of a field that changes its Avro type: `flink`, `iceberg`, each without its head.
fn change(old: &str, new: &str) -> [Option<String>; 2] {
    let field = |type_: &str| format!(r#"{{"name":"f","type":{type_}}}"#);
    let found = messages(Level::Backward, avro(&[&field(new)]), vec![avro(&[&field(old)])]);
    ["FLINK", "ICEBERG_V2"].map(|mode| {
        let head = format!("Logical compatibility ({mode}, backward): ");
        found.iter().find_map(|message| message.strip_prefix(&head)).map(str::to_owned)
    })
}

const A: &str = r#"{"name":"a","type":{"type":"bytes","logicalType":"decimal","precision":8,"scale":2}}"#;
const T: &str = r#"{"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}}"#;

#[test]
fn what_the_format_allows_is_held_against_flink_and_iceberg() {
    let scaled = A.replace("\"scale\":2", "\"scale\":3");
    let why = "UNSUPPORTED_TYPE_CHANGE at 'a': type changed from DECIMAL(8, 2) to DECIMAL(8, 3) (decimal scale must be \
               unchanged and precision may not shrink)";
    let both = |flink: &str, iceberg: &str| {
        [
            format!("Logical compatibility (FLINK, backward): {flink}"),
            format!("Logical compatibility (ICEBERG_V2, backward): {iceberg}"),
        ]
    };
    assert_eq!(avro_messages(&[A, T], &[&scaled, T]), both(why, why));
    assert_eq!(avro_messages(&[A, T], &[&A.replace("\"precision\":8", "\"precision\":10"), T]), [""; 0]);
    let finer = T.replace("millis", "micros");
    let why = "UNSUPPORTED_TYPE_CHANGE at 't': type changed from TIMESTAMP_LTZ(3) to TIMESTAMP_LTZ(6) (precision selects \
               the unit of the stored value and cannot change)";
    assert_eq!(avro_messages(&[A, T], &[A, &finer]), both(why, "")[..1]);
    let plain = [r#"{"name":"a","type":"bytes"}"#, r#"{"name":"t","type":"long"}"#];
    let why = "UNSUPPORTED_TYPE_CHANGE at 'a': type changed from DECIMAL(8, 2) to \
               VARBINARY(2147483647)\nUNSUPPORTED_TYPE_CHANGE at 't': type changed from TIMESTAMP_LTZ(3) to BIGINT";
    assert_eq!(avro_messages(&[A, T], &plain), both(why, why));
    let gone = "FIELD_DELETED at 't': field present in the original schema is missing from the update";
    assert_eq!(avro_messages(&[A, T], &[A]), both("", gone)[1..]);
    let added = "REQUIRED_FIELD_ADDED at 'n': added field is neither nullable nor defaulted, so pre-existing rows have no \
                 value for it; format-version 2 cannot store a column default";
    assert_eq!(avro_messages(&[A, T], &[A, T, r#"{"name":"n","type":"int","default":0}"#]), both("", added)[1..]);
}

#[test]
fn the_format_has_its_say_first() {
    let required = r#"{"name":"n","type":"int"}"#;
    let found = avro_messages(&[A], &[A, required]);
    let kinds: Vec<&str> = found.iter().map(|message| &message[..13]).collect();
    assert_eq!(kinds, ["{errorType:'R", "{oldSchemaVer", "{oldSchema: '", "Logical compa", "Logical compa"]);
    assert!(found[3].ends_with(
        "REQUIRED_FIELD_ADDED at 'n': added column is neither nullable nor defaulted, so rows written before it existed \
         have no value for it"
    ));
}

#[test]
fn types_widen_as_flink_and_iceberg_allow() {
    let decimal = |precision: u32| format!(r#"{{"type":"bytes","logicalType":"decimal","precision":{precision}}}"#);
    let varchar = |length: u32| format!(r#"{{"type":"string","flink.maxLength":{length}}}"#);
    let fixed = |size: u32| format!(r#"{{"type":"fixed","name":"F","size":{size}}}"#);
    // Old, new, whether Flink allows it, whether Iceberg does. Some break Avro's own rules; that is told besides.
    let table: &[(&str, &str, bool, bool)] = &[
        (r#""int""#, r#""long""#, true, true),
        (r#""long""#, r#""int""#, false, false),
        (r#""int""#, r#""float""#, false, false),
        (r#""int""#, r#""double""#, true, false),
        (r#""float""#, r#""double""#, true, true),
        (r#""long""#, r#""double""#, false, false),
        (r#"{"type":"int","connect.type":"int8"}"#, r#"{"type":"int","connect.type":"int16"}"#, true, true),
        (r#"{"type":"int","connect.type":"int16"}"#, r#"{"type":"int","connect.type":"int8"}"#, false, true),
        (&varchar(5), r#""string""#, true, true),
        (r#""string""#, &varchar(5), false, true),
        (r#"{"type":"enum","name":"E","symbols":["A"]}"#, r#""string""#, true, true),
        (
            r#"{"type":"enum","name":"E","symbols":["A","B"]}"#,
            r#"{"type":"enum","name":"E","symbols":["A"]}"#,
            true,
            true,
        ),
        (&fixed(4), &fixed(5), false, false),
        (&fixed(4), r#""bytes""#, true, false),
        (&decimal(5), &decimal(4), false, false),
        (r#""int""#, &decimal(10), true, false),
        (r#""int""#, &decimal(9), false, false),
        (
            r#"{"type":"int","logicalType":"time-millis"}"#,
            r#"{"type":"long","logicalType":"time-micros"}"#,
            false,
            true,
        ),
        (
            r#"{"type":"long","logicalType":"timestamp-millis"}"#,
            r#"{"type":"long","logicalType":"local-timestamp-millis"}"#,
            false,
            false,
        ),
        (r#"{"type":"array","items":"int"}"#, r#"{"type":"array","items":"long"}"#, true, true),
        (r#"{"type":"array","items":["null","int"]}"#, r#"{"type":"array","items":"int"}"#, false, true),
        (r#"{"type":"map","values":"int"}"#, r#"{"type":"array","items":"int"}"#, false, false),
        (r#"{"type":"map","values":"int"}"#, r#"{"type":"map","values":"int","flink.type":"multiset"}"#, false, true),
        (r#"["null","int"]"#, r#""int""#, false, false),
        (r#""int""#, r#"["null","int"]"#, true, true),
    ];
    for (old, new, flink, iceberg) in table {
        let found = change(old, new);
        assert_eq!(found.each_ref().map(Option::is_none), [*flink, *iceberg], "{old} to {new}: {found:?}");
    }
}

#[test]
fn iceberg_knows_fields_by_their_places_and_flink_by_their_names() {
    let found = avro_messages(&[A, T], &[T, A]);
    let why = "FIELD_REORDERED at 'a': field moved ahead of a field that preceded it in the original schema";
    assert_eq!(found, [format!("Logical compatibility (ICEBERG_V2, backward): {why}")]);
    let nested = |inner: &str| {
        format!(r#"{{"name":"o","type":{{"type":"array","items":{{"type":"record","name":"I","fields":[{inner}]}}}}}}"#)
    };
    let (one, other) = (r#"{"name":"x","type":"int"}"#, r#"{"name":"y","type":"int","default":1}"#);
    let found = avro_messages(&[&nested(one)], &[&nested(&format!("{one},{other}"))]);
    assert!(found[0].contains("REQUIRED_FIELD_ADDED at 'o[].y'"), "{found:?}");
}

#[test]
fn a_container_that_starts_empty_may_be_added_and_a_lost_default_is_told() {
    let list = r#"{"name":"l","type":{"type":"array","items":"int"},"default":[]}"#;
    assert_eq!(avro_messages(&[A], &[A, list]), [""; 0]);
    let proto = |fields: &str| parse(SchemaType::Protobuf, &format!("syntax = \"proto3\"; message M {{ {fields} }}"));
    let added = |field: &str| {
        let old = proto("int32 a = 1;");
        messages(Level::Backward, proto(&format!("int32 a = 1; {field}")), vec![old]).len()
    };
    assert_eq!(
        [added("repeated int32 b = 2;"), added("map<int32, int32> b = 2;"), added("optional int32 b = 2;")],
        [0, 0, 0]
    );
    assert_eq!(added("int32 b = 2;"), 2);
    let (with, without) = (r#"{"name":"n","type":"int","default":0}"#, r#"{"name":"n","type":"int"}"#);
    let why = "NON_NULLABLE_DEFAULT_REMOVED at 'n': NOT NULL column lost its default; rows that omitted the column have no \
               value to read";
    assert_eq!(avro_messages(&[with], &[without]), [format!("Logical compatibility (FLINK, backward): {why}")]);
}

#[test]
fn directions_and_versions_are_those_of_the_level() {
    let (one, two, three) = (avro(&[A, T]), avro(&[A]), avro(&[A]));
    assert_eq!(messages(Level::Backward, avro(&[A]), vec![one, two]), [""; 0]);
    let found = messages(Level::BackwardTransitive, avro(&[A]), vec![avro(&[A, T]), three]);
    assert_eq!(found.len(), 1, "{found:?}");
    let optional = r#"{"name":"o","type":["null","int"],"default":null}"#;
    let found = messages(Level::Full, avro(&[A, optional]), vec![avro(&[A])]);
    let gone = "FIELD_DELETED at 'o': field present in the original schema is missing from the update";
    assert_eq!(found, [format!("Logical compatibility (ICEBERG_V2, forward): {gone}")]);
    assert_eq!(messages(Level::None, avro(&[A]), vec![avro(&[A, T])]), [""; 0]);
}

#[test]
fn a_schema_must_be_one_that_both_can_hold_at_every_level() {
    let decimal = r#"{"name":"a","type":{"type":"bytes","logicalType":"decimal","precision":40,"scale":2}}"#;
    let table: &[(Schema, &[&str])] = &[
        (
            avro(&[decimal]),
            &[
                "Logical validity (FLINK): PRECISION_OUT_OF_RANGE at 'a': DECIMAL precision 40 is outside the supported \
                 range 1 to 38",
                "Logical validity (ICEBERG_V2): PRECISION_OUT_OF_RANGE at 'a': DECIMAL precision 40 is outside the \
                 supported range 1 to 38",
            ],
        ),
        (avro(&[]), &["Logical validity (ICEBERG_V2): EMPTY_STRUCT: a struct must have at least one field"]),
        (
            avro(&[r#"{"name":"x","type":"int"}"#, r#"{"name":"X","type":"int"}"#]),
            &[
                "Logical validity (ICEBERG_V2): FIELD_NAME_CASE_COLLISION: field names 'x' and 'X' differ only in case, which \
               Iceberg's case-insensitive name index cannot distinguish",
            ],
        ),
        (
            avro(&[r#"{"name":"x","type":{"type":"long","logicalType":"timestamp-nanos"}}"#]),
            &[
                "Logical validity (ICEBERG_V2): UNREPRESENTABLE_TYPE at 'x': TIMESTAMP_LTZ(9) needs Iceberg's nanosecond \
               timestamp types, which arrived in format-version 3",
            ],
        ),
        (
            avro(&[r#"{"name":"next","type":["null","R"]}"#]),
            &[
                "Logical validity (FLINK): CYCLIC_TYPE: named type 'R' refers to itself, and cannot be represented by a \
                 non-recursive type system",
                "Logical validity (ICEBERG_V2): CYCLIC_TYPE: named type 'R' refers to itself, and cannot be represented by \
                 a non-recursive type system",
            ],
        ),
        (
            parse(SchemaType::Json, r#"{"type":"object","properties":{"p":true}}"#),
            &[
                "Logical validity (ICEBERG_V2): UNREPRESENTABLE_TYPE at 'p': VARIANT needs Iceberg's variant type, which \
               arrived in format-version 3",
            ],
        ),
        (
            parse(SchemaType::Avro, "\"null\""),
            &["Schema cannot be represented as a logical type: Standalone NULL type is not supported"],
        ),
    ];
    for (schema, expected) in table {
        let again = parse(schema.schema_type(), schema.canonical_text());
        assert_eq!(messages(Level::None, again, Vec::new()), *expected);
    }
}

#[test]
fn a_version_without_a_logical_type_stands_in_nobodys_way() {
    assert_eq!(
        messages(Level::Forward, parse(SchemaType::Avro, "\"int\""), vec![parse(SchemaType::Avro, "\"null\"")]).len(),
        3
    );
    let found = messages(Level::Backward, avro(&[A]), vec![parse(SchemaType::Avro, "\"null\"")]);
    assert!(found.iter().all(|message| !message.starts_with("Logical")), "{found:?}");
}

#[test]
fn a_chain_of_messages_as_long_as_a_schema_may_be_is_compared_without_a_deep_stack() {
    let chain = |type_: &str| {
        let message = |n: usize| format!("message M{n} {{ M{} m = 1; }}", n + 1);
        let all: String = (0..8_000).map(message).collect();
        parse(SchemaType::Protobuf, &format!("syntax = \"proto3\"; {all} message M8000 {{ {type_} x = 1; }}"))
    };
    let found = messages(Level::Backward, chain("int64"), vec![chain("int32")]);
    assert_eq!(found, [""; 0]);
    let found = messages(Level::Backward, chain("int32"), vec![chain("int64")]);
    assert!(found[found.len() - 1].ends_with(".m.x': type changed from BIGINT to INT"));
}
