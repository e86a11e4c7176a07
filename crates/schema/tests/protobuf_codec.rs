//! What the codec promises beyond the reference's answers: the check, links that imports do not show, bounds.

#![allow(clippy::unwrap_used)] // a test may

use std::sync::Arc;

use proptest::prelude::*;
use sluice_schema::protobuf::ProtobufSchema;
use sluice_schema::protobuf::codec::Codec;
use sluice_schema::wire::MessageIndexes;
use sluice_schema::{InvalidSchema, ResolvedReference};

fn schema(text: &str) -> ProtobufSchema {
    schema_with(text, &[])
}

fn schema_with(text: &str, references: &[(&str, &str)]) -> ProtobufSchema {
    let resolved = references.iter().map(|(name, text)| ResolvedReference {
        name: (*name).into(),
        subject: "subject".into(),
        version: 1,
        text: (*text).into(),
        references: Arc::new([]),
    });
    ProtobufSchema::parse(text, Arc::new([]), resolved.collect()).unwrap()
}

fn encode(codec: &Codec, json: &str) -> Result<Vec<u8>, String> {
    let mut out = Vec::new();
    let result = codec.encode_json(codec.first_message().unwrap(), json.as_bytes(), &mut out);
    result.map(|()| out).map_err(|mismatch| mismatch.0)
}

fn decode(codec: &Codec, bytes: &[u8]) -> Result<String, String> {
    let mut out = Vec::new();
    let result = codec.decode_json(codec.first_message().unwrap(), bytes, &mut out);
    result.map(|()| String::from_utf8(out).unwrap()).map_err(|mismatch| mismatch.0)
}

fn check(codec: &Codec, bytes: &[u8]) -> Result<(), String> {
    codec.check(codec.first_message().unwrap(), bytes).map_err(|mismatch| mismatch.0)
}

const NESTED: &str = r#"syntax = "proto3"; package p;
    message First { map<string, int32> m = 1; message Inner { message Deep { int32 x = 1; } string s = 1; } Inner inner = 2; }
    message Second { int64 n = 1; }"#;

#[test]
fn messages_are_found_by_name_and_by_indexes_and_map_entries_do_not_count() {
    let schema = schema(NESTED);
    let codec = schema.codec().unwrap();
    for (name, indexes) in [
        ("p.First", &[0][..]),
        ("First", &[0]),
        ("First.Inner", &[0, 0]),
        ("p.First.Inner.Deep", &[0, 0, 0]),
        ("Second", &[1]),
    ] {
        let message = codec.message_by_name(name).unwrap();
        assert_eq!(&*codec.indexes(message).0, indexes, "{name}");
        assert_eq!(codec.message_by_indexes(&MessageIndexes(indexes.into())), Some(message), "{name}");
    }
    assert_eq!(codec.message_by_name("Third"), None);
    assert_eq!(codec.message_by_name("First.MEntry"), None, "an entry is no message of the text");
    assert_eq!(codec.message_by_indexes(&MessageIndexes([0, 1].into())), None);
    assert_eq!(codec.full_name(codec.first_message().unwrap()), "p.First");
}

#[test]
fn a_framed_payload_is_checked_under_the_message_its_indexes_name() {
    let schema = schema(NESTED);
    let codec = schema.codec().unwrap();
    assert_eq!(codec.check_framed(&[0, 0x12, 0x00]), Ok(codec.message_by_name("First").unwrap()));
    assert_eq!(codec.check_framed(&[2, 2, 0x08, 0x05]), Ok(codec.message_by_name("Second").unwrap()));
    assert_eq!(codec.check_framed(&[4, 0, 0]), Ok(codec.message_by_name("First.Inner").unwrap()));
    for (bytes, says) in [
        (&[][..], "too short for the wire format"),
        (&[2, 4], "the schema has no message at indexes [2]"),
        (&[1], "malformed message indexes"),
        (&[0, 0x12], "Protocol message ended in the middle of a field."),
    ] {
        assert_eq!(codec.check_framed(bytes).unwrap_err().0, says);
    }
}

#[test]
fn the_check_refuses_what_another_schema_wrote() {
    let schema = schema(
        r#"syntax = "proto3";
        message M { int32 i = 1; string s = 2; repeated int32 list = 3; M sub = 4; fixed64 x = 5; map<string, M> m = 6; }"#,
    );
    let codec = schema.codec().unwrap();
    for good in [
        &[][..],
        &[0x08, 0x05],
        &[0x18, 1, 0x18, 2],                   // unpacked
        &[0x1a, 2, 1, 2, 0x18, 3],             // packed, and mixed
        &[0x22, 2, 0x08, 1],                   // nested
        &[0x32, 5, 0x0a, 1, b'k', 0x12, 0],    // a map entry
        &[0xa0, 0x06, 0x01],                   // an unknown number
        &[0xa3, 0x06, 0x08, 0x01, 0xa4, 0x06], // an unknown group
    ] {
        assert_eq!(check(codec, good), Ok(()), "{good:x?}");
    }
    for (bad, says) in [
        (&[0x0a, 1, b'x'][..], "Field M.i is a varint in the schema and length-delimited in the payload"),
        (&[0x10, 1], "Field M.s is length-delimited in the schema and a varint in the payload"),
        (&[0x29, 1, 0, 0, 0], "Protocol message ended in the middle of a field."),
        (&[0x2d, 1, 0, 0, 0], "Field M.x is 64 bits wide in the schema and 32 bits wide in the payload"),
        (&[0x12, 1, 0xff], "Field M.s had invalid UTF-8."),
        (&[0x22, 3, 0x12, 1, 0xff], "Field M.s had invalid UTF-8."),
        (&[0x32, 3, 0x0a, 1, 0xff], "Field M.MEntry.key had invalid UTF-8."),
        (&[0x1a, 2, 1, 0x80], "Protocol message ended in the middle of a field."),
        (&[0x12, 5, b'x'], "Protocol message ended in the middle of a field."),
        (&[0x00, 0x00], "Protocol message contained an invalid tag (zero)."),
        (&[0x0f], "Protocol message tag had invalid wire type."),
        (&[0x0c], "Protocol message end-group tag did not match expected tag."),
        (&[0xa3, 0x06, 0xac, 0x06], "Protocol message end-group tag did not match expected tag."),
        (b"{\"i\":5}", "Protocol message ended in the middle of a field."),
    ] {
        assert_eq!(check(codec, bad), Err(says.to_owned()), "{bad:x?}");
    }
}

#[test]
fn the_check_asks_for_required_fields_however_many_there_are() {
    let fields: String = (1..=70).map(|number| format!("required int32 f{number} = {number};")).collect();
    let schema = schema(&format!("syntax = \"proto2\"; message M {{ {fields} optional M sub = 71; }}"));
    let codec = schema.codec().unwrap();
    let members: Vec<String> = (1..=70).map(|number| format!("\"f{number}\":{number}")).collect();
    let full = encode(codec, &format!("{{{}}}", members.join(","))).unwrap();
    assert_eq!(check(codec, &full), Ok(()));
    let last_missing = &full[..full.len() - 3]; // f70: a tag of two bytes and one of value
    assert_eq!(check(codec, last_missing), Err("Message missing required fields: f70".to_owned()));
    let nested = [&full[..], &[0xba, 0x04, 2, 0x08, 1]].concat();
    assert_eq!(check(codec, &nested), Err("Message missing required fields: f2".to_owned()));
    assert_eq!(
        encode(codec, &format!("{{{}}}", members[2..].join(","))),
        Err("Message missing required fields: f1, f2".to_owned())
    );
}

#[test]
fn nesting_ends_at_a_hundred_messages_in_every_direction() {
    let schema = schema(r#"syntax = "proto3"; message M { M m = 1; repeated M l = 2; }"#);
    let codec = schema.codec().unwrap();
    let json = |depth: usize| format!("{}{}", "{\"m\":".repeat(depth) + "{}", "}".repeat(depth));
    let deepest = encode(codec, &json(100)).unwrap();
    assert_eq!(check(codec, &deepest), Ok(()));
    assert!(decode(codec, &deepest).is_ok());
    assert_eq!(encode(codec, &json(101)), Err("Hit recursion limit.".to_owned()));
    let mut deeper = vec![0x0a];
    let mut length = Vec::new();
    let mut rest = deepest.len();
    while rest >= 0x80 {
        length.push(rest as u8 | 0x80);
        rest >>= 7;
    }
    length.push(rest as u8);
    deeper.extend(length);
    deeper.extend(&deepest);
    let says = Err("Protocol message had too many levels of nesting.".to_owned());
    assert_eq!(check(codec, &deeper), says);
    assert_eq!(decode(codec, &deeper).map(drop), says);
    let groups = [0xa3, 0x06].repeat(200);
    assert_eq!(check(codec, &groups), says);
    assert!(encode(codec, &"{\"l\":[".repeat(100_000)).is_err(), "far beyond, without a deep stack");
    assert!(encode(codec, &"[".repeat(1_000_000)).is_err());
}

#[test]
fn a_payload_cannot_ask_for_more_than_64_mib_of_defaults() {
    let fields: String =
        (1..=2_000).map(|number| format!("string field_{number}_{} = {number};", "x".repeat(40))).collect();
    let schema =
        schema(&format!("syntax = \"proto3\"; message M {{ repeated Wide w = 1; }} message Wide {{ {fields} }}"));
    let codec = schema.codec().unwrap();
    let payload = [0x0a, 0].repeat(2_000);
    assert_eq!(decode(codec, &payload), Err("The JSON form exceeds 64 MiB".to_owned()));
    assert_eq!(check(codec, &payload), Ok(()));
}

#[test]
fn an_any_holds_any_message_of_the_schema_and_its_references() {
    let schema = schema_with(
        r#"syntax = "proto3"; package p; import "google/protobuf/any.proto"; import "google/protobuf/duration.proto"; import "other.proto";
        message M { google.protobuf.Any a = 1; google.protobuf.Duration d = 2; }"#,
        &[("other.proto", r#"syntax = "proto3"; package o; message Other { int32 x = 1; string y = 2; }"#)],
    );
    let codec = schema.codec().unwrap();
    for (json, content) in [
        (r#"{"a":{"y":"q","@type":"type.googleapis.com/o.Other","x":5}}"#, b"\x08\x05\x12\x01q".as_slice()),
        (r#"{"a":{"@type":"type.googleapis.com/google.protobuf.Duration","value":"3s"}}"#, b"\x08\x03"),
        (r#"{"a":{"@type":"x/p.M","d":"0s"}}"#, b"\x12\x00"),
        (r#"{"a":{"@type":"x/p.M"}}"#, b""),
    ] {
        let bytes = encode(codec, json).unwrap();
        assert!(bytes.ends_with(content), "{json}: {bytes:x?}");
        let read_back = decode(codec, &bytes).unwrap();
        assert_eq!(encode(codec, &read_back), Ok(bytes), "{read_back}");
    }
    for (json, says) in [
        (r#"{"a":{"@type":"type.googleapis.com/no.Such"}}"#, "Cannot resolve type: type.googleapis.com/no.Such"),
        (r#"{"a":{"@type":"o.Other"}}"#, "Invalid type url found: o.Other"),
        (r#"{"a":{"x":5}}"#, "Missing type url when parsing: {\"x\":5}"),
        (r#"{"a":{"@type":"x/o.Other","z":5}}"#, "Cannot find field: z in message o.Other"),
    ] {
        assert_eq!(encode(codec, json), Err(says.to_owned()));
    }
}

#[test]
fn extensions_go_by_their_bracketed_names_in_number_order() {
    let schema = schema(
        r#"syntax = "proto2"; package p;
        message M { optional string last = 900; extensions 100 to 199; }
        extend M { optional int32 size = 100; repeated M more = 101; }"#,
    );
    let codec = schema.codec().unwrap();
    let bytes = encode(codec, r#"{"last":"z","[p.more]":[{"[p.size]":1},{}],"[p.size]":0}"#).unwrap();
    assert_eq!(bytes, b"\xa0\x06\x00\xaa\x06\x03\xa0\x06\x01\xaa\x06\x00\xa2\x38\x01z");
    let read_back = r#"{"[p.size]":0,"[p.more]":[{"[p.size]":1,"last":""},{"last":""}],"last":"z"}"#;
    assert_eq!(decode(codec, &bytes).as_deref(), Ok(read_back));
    assert_eq!(encode(codec, r#"{"size":1}"#), Err("Cannot find field: size in message p.M".to_owned()));
}

#[test]
fn types_link_wherever_among_the_references_they_are() {
    let other = r#"syntax = "proto3"; package o; message Other { int32 x = 1; }"#;
    for (imports, name) in [
        ("import \"o.proto\";", "o.proto"),
        ("import \"o.proto\";", "another/name.proto"),
        ("", "o.proto"),
        ("import \"none.proto\";", ""),
    ] {
        let text = format!("syntax = \"proto3\"; {imports} message M {{ o.Other o = 1; }}");
        let schema = schema_with(&text, &[(name, other)]);
        let bytes = schema.codec().map(|codec| encode(codec, r#"{"o":{"x":1}}"#)).unwrap();
        assert_eq!(bytes, Ok(vec![0x0a, 2, 0x08, 1]), "imports {imports:?}, reference {name:?}");
    }
}

#[test]
fn references_that_are_not_needed_do_not_keep_a_schema_from_linking() {
    let twice = r#"syntax = "proto3"; package o; message Other { int32 x = 1; }"#;
    let schema = schema_with(
        r#"syntax = "proto3"; import "a.proto"; message M { int32 x = 1; }"#,
        &[("a.proto", twice), ("b.proto", twice)],
    );
    assert!(schema.codec().is_ok());
    // A copy of a built-in file stands for it.
    let timestamp =
        r#"syntax = "proto3"; package google.protobuf; message Timestamp { int64 seconds = 1; int32 nanos = 2; }"#;
    let schema = schema_with(
        r#"syntax = "proto3"; import "google/protobuf/timestamp.proto"; message M { google.protobuf.Timestamp t = 1; }"#,
        &[("google/protobuf/timestamp.proto", timestamp)],
    );
    assert_eq!(encode(schema.codec().unwrap(), r#"{"t":"1970-01-01T00:00:01Z"}"#), Ok(vec![0x0a, 2, 0x08, 1]));
}

#[test]
fn what_a_linker_refuses_but_values_do_not_need_links() {
    for text in [
        "syntax = \"proto2\"; message M { reserved 1; reserved \"x\"; optional int32 x = 1; }",
        "syntax = \"proto2\"; message M { optional int32 x = 1 [(no.such) = 5, deprecated = true]; option (other) = {a: 1}; }",
        "syntax = \"proto2\"; enum E { A = 0; B = 0; } message M { optional int32 x = 1; optional E e = 2; }",
        "syntax = \"proto2\"; message M { optional int32 x = 1; optional int32 foo_bar = 2; optional int32 fooBar = 3; }",
        "syntax = \"proto2\"; message M { optional int32 x = 1; } service S { rpc Call (M) returns (M); }",
    ] {
        let schema = schema(text);
        assert_eq!(schema.codec().map(|codec| encode(codec, r#"{"x":1}"#)), Ok(Ok(vec![0x08, 1])), "{text}");
    }
}

#[test]
fn what_cannot_be_has_no_codec() {
    for text in [
        "syntax = \"proto3\"; message M { int32 a = 1; int32 b = 1; }",
        "syntax = \"proto3\"; message M { int32 a = 1; int32 a = 2; }",
        "syntax = \"proto3\"; message M { int32 a = 0; }",
        "syntax = \"proto3\"; message M { No.Such a = 1; }",
        "syntax = \"proto3\"; message M { int32 a = 536870912; }",
    ] {
        let schema = schema(text);
        assert!(matches!(schema.codec(), Err(InvalidSchema::Semantics(_))), "{text}");
    }
    assert_eq!(schema("syntax = \"proto3\";").codec().unwrap().first_message(), None);
}

#[test]
fn errors_are_one_line_and_bounded() {
    let schema = schema(r#"syntax = "proto3"; message M { int32 i = 1; E e = 2; } enum E { Z = 0; }"#);
    let codec = schema.codec().unwrap();
    assert_eq!(encode(codec, r#"{"e":"a\nb"}"#), Err("Invalid enum value: a".to_owned()));
    let long = encode(codec, &format!("{{\"i\":\"{}\"}}", "x".repeat(1_000_000))).unwrap_err();
    assert!(long.len() < 2_100, "{} bytes", long.len());
}

#[test]
fn json_that_is_none_is_refused() {
    let schema =
        schema(r#"syntax = "proto3"; message M { int32 i = 1; string s = 2; double d = 3; repeated int32 l = 4; }"#);
    let codec = schema.codec().unwrap();
    for json in [
        "",
        " ",
        "{",
        "{\"i\"",
        "{\"i\":",
        "{\"i\":1",
        "{\"i\":1,",
        "{\"i\":1,}",
        "{\"i\" 1}",
        "{i:1}",
        "{'i':1}",
        "{\"i\":01}",
        "{\"i\":1.}",
        "{\"i\":-}",
        "{\"i\":+1}",
        "{\"i\":.5}",
        "{\"i\":1e}",
        "{\"d\":NaN}",
        "{\"s\":\"\\x\"}",
        "{\"s\":\"\\u12\"}",
        "{\"s\":\"a\nb\"}",
        "{\"s\":\"",
        "{\"s\":\"\\",
        "{\"l\":[1,]}",
        "{\"l\":[1 2]}",
        "{\"l\":[",
        "{\"i\":nul}",
        "{\"i\":truex}",
        "{}{}",
        "{} x",
        "{\"s\":\"\\é\"}",
        "\u{feff}{}",
    ] {
        assert!(encode(codec, json).is_err(), "{json:?}");
    }
    let mut out = vec![7];
    assert!(codec.encode_json(codec.first_message().unwrap(), b"{\"s\":\"\xff\"}", &mut out).is_err());
    assert_eq!(out, [7]);
}

proptest! {
    #[test]
    fn no_bytes_make_the_codec_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let schema = schema(include_str!("corpus/protobuf/all.proto"));
        let codec = schema.codec().unwrap();
        for name in ["All", "W"] {
            let message = codec.message_by_name(name).unwrap();
            let mut out = Vec::new();
            let decodes = codec.decode_json(message, &bytes, &mut out).is_ok();
            prop_assert!(decodes || out.is_empty());
            let _ = codec.check(message, &bytes);
            let _ = codec.check_framed(&bytes);
            let _ = codec.encode_json(message, &bytes, &mut out);
        }
    }

    #[test]
    fn no_text_makes_the_codec_panic(
        parts in prop::collection::vec(prop::sample::select(vec![
            "{", "}", "[", "]", ",", ":", "\"", "\\", "\"d\"", "\"i32\"", "\"s\":", "\"self\":{", "\"list\":[", "\"m\":{", "\"kind\":",
            "1", "-", "1e400", "0.5", "null", "true", "\"@type\":", "\"t\":", "\"v\":", "\"a\":{", "é", "\\u00e9", "\\ud800", " ", "\u{0}",
        ]), 0..40),
    ) {
        let schema = schema(include_str!("corpus/protobuf/all.proto"));
        let codec = schema.codec().unwrap();
        let json = parts.concat();
        for name in ["All", "W"] {
            let message = codec.message_by_name(name).unwrap();
            let mut out = Vec::new();
            if codec.encode_json(message, json.as_bytes(), &mut out).is_ok() {
                prop_assert_eq!(codec.check(message, &out), Ok(()));
            }
        }
    }
}
