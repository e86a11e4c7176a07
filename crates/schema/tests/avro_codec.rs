//! Avro's JSON encoding ↔ binary: bytes by hand from the specification, texts of errors, bounds.
//!
//! What the recorded proxy wrote and refused is compared in `golden_payloads.rs`.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use proptest::prelude::*;
use serde_json::Value;
use sluice_schema::{Schema, SchemaType};

struct Codec(Schema);

impl Codec {
    #[track_caller]
    fn of(text: &str) -> Codec {
        Codec(Schema::parse(SchemaType::Avro, text, [].into(), [].into()).unwrap_or_else(|e| panic!("{text}: {e}")))
    }

    fn codec(&self) -> &sluice_schema::avro::codec::Codec {
        match &self.0 {
            Schema::Avro(schema) => schema.codec(),
            _ => panic!("no Avro schema"),
        }
    }

    fn encode(&self, json: &str) -> Result<Vec<u8>, String> {
        // What stood in the buffer before must stay.
        let mut out = vec![0xaa];
        let result = self.codec().encode_json(json.as_bytes(), &mut out);
        assert_eq!(out.remove(0), 0xaa);
        match result {
            Ok(()) => Ok(out),
            Err(mismatch) => {
                assert!(out.is_empty(), "{json} left {out:?}");
                Err(mismatch.0)
            }
        }
    }

    fn decode(&self, bytes: &[u8]) -> Result<String, String> {
        let mut out = vec![0xaa];
        let result = self.codec().decode_json(bytes, &mut out);
        out.remove(0);
        match result {
            Ok(()) => Ok(String::from_utf8(out).unwrap()),
            Err(mismatch) => {
                assert!(out.is_empty());
                Err(mismatch.0)
            }
        }
    }

    fn check(&self, bytes: &[u8]) -> Result<(), String> {
        self.codec().check(bytes).map_err(|mismatch| mismatch.0)
    }

    /// `json` is written as `bytes` and read back as `back`.
    #[track_caller]
    fn round(&self, json: &str, bytes: &[u8], back: &str) {
        assert_eq!(self.encode(json).as_deref(), Ok(bytes), "{json}");
        assert_eq!(self.decode(bytes).as_deref(), Ok(back), "{json}");
        assert_eq!(self.check(bytes), Ok(()), "{json}");
    }

    #[track_caller]
    fn refuses(&self, json: &str, error: &str) {
        assert_eq!(self.encode(json), Err(error.to_owned()), "{json}");
    }
}

#[test]
fn the_check_refuses_texts_that_are_not_utf8_and_booleans_that_are_neither() {
    let text = Codec::of(r#""string""#);
    assert_eq!(text.check(b"\x04\xc3\xbc"), Ok(()));
    assert_eq!(text.check(b"\x04\xc3\x28"), Err("A text is not UTF-8".to_owned()));
    let map = Codec::of(r#"{"type":"map","values":"int"}"#);
    assert_eq!(map.check(b"\x02\x02k\x02\0"), Ok(()));
    assert_eq!(map.check(b"\x02\x02\xff\x02\0"), Err("A text is not UTF-8".to_owned()));
    let boolean = Codec::of(r#""boolean""#);
    assert_eq!((boolean.check(b"\0"), boolean.check(b"\x01")), (Ok(()), Ok(())));
    assert_eq!(boolean.check(b"\x02"), Err("A boolean is 0 or 1, not 2".to_owned()));
}

#[test]
fn integers_are_zigzag_varints() {
    let long = Codec::of(r#""long""#);
    for (value, bytes) in [
        (0i64, &[0u8][..]),
        (-1, &[1]),
        (1, &[2]),
        (-64, &[0x7f]),
        (64, &[0x80, 0x01]),
        (i64::MAX, &[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
        (i64::MIN, &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]),
    ] {
        long.round(&value.to_string(), bytes, &value.to_string());
    }
    let int = Codec::of(r#""int""#);
    int.round("2147483647", &[0xfe, 0xff, 0xff, 0xff, 0x0f], "2147483647");
    int.round("-2147483648", &[0xff, 0xff, 0xff, 0xff, 0x0f], "-2147483648");
}

#[test]
fn integers_may_have_a_fraction_of_zero_and_must_fit() {
    let int = Codec::of(r#""int""#);
    int.round("7.0", &[14], "7");
    int.round("1e2", &[0xc8, 0x01], "100");
    int.round("-0", &[0], "0");
    int.round("16777217.0", &[0x82, 0x80, 0x80, 0x10], "16777217");
    int.refuses("7.5", "Expected int. Got VALUE_NUMBER_FLOAT");
    int.refuses("1e10", "Expected int. Got VALUE_NUMBER_FLOAT");
    int.refuses("1e999", "Expected int. Got VALUE_STRING");
    int.refuses("2147483648", "Numeric value (2147483648) out of range of int (-2147483648 - 2147483647)");
    int.refuses("\"7\"", "Expected int. Got VALUE_STRING");
    let long = Codec::of(r#""long""#);
    long.refuses(
        "9223372036854775808",
        "Numeric value (9223372036854775808) out of range of long (-9223372036854775808 - 9223372036854775807)",
    );
    long.refuses("1e300", "Expected long. Got VALUE_NUMBER_FLOAT");
}

#[test]
fn floats_are_widened_when_they_are_printed() {
    let float = Codec::of(r#""float""#);
    float.round("1.1", &1.1f32.to_le_bytes(), "1.100000023841858");
    float.round("3", &3f32.to_le_bytes(), "3.0");
    let double = Codec::of(r#""double""#);
    double.round("1.1", &1.1f64.to_le_bytes(), "1.1");
    double.round("1e300", &1e300f64.to_le_bytes(), "1.0E300");
    double.round("-0.0", &(-0.0f64).to_le_bytes(), "-0.0");
    double.round("-0", &0.0f64.to_le_bytes(), "0.0");
    double.refuses("1e400", "Expected double. Got VALUE_STRING");
    double.refuses("\"NaN\"", "Expected double. Got VALUE_STRING");
    assert_eq!(double.decode(&f64::NAN.to_le_bytes()).as_deref(), Ok("\"NaN\""));
    assert_eq!(float.decode(&f32::NEG_INFINITY.to_le_bytes()).as_deref(), Ok("\"-Infinity\""));
}

#[test]
fn bytes_are_latin_1_texts_and_bare_at_the_top() {
    Codec::of(r#""bytes""#).round(r#""\u00ff\u0001A""#, &[0xff, 1, b'A'], "\"ÿ\\u0001A\"");
    Codec::of(r#""bytes""#).round(r#""""#, &[], r#""""#);
    let list = Codec::of(r#"{"type":"array","items":"bytes"}"#);
    list.round(r#"["é","AB"]"#, &[4, 2, 0xe9, 4, b'A', b'B', 0], r#"["é","AB"]"#);
    // Beyond Latin-1 there is no byte; half of a pair and a pair are one character each.
    assert_eq!(list.encode(r#"["€","\ud83d\ude00","\ud83d"]"#), Ok(vec![6, 2, b'?', 2, b'?', 2, b'?', 0]));
    list.refuses("[1]", "Expected bytes. Got VALUE_NUMBER_INT");
}

#[test]
fn texts_are_utf_8_behind_their_length() {
    let string = Codec::of(r#""string""#);
    string.round(r#""ü""#, &[4, 0xc3, 0xbc], r#""ü""#);
    string.round(r#""a\n\u0022""#, &[6, b'a', b'\n', b'"'], r#""a\n\"""#);
    string.round(r#""\ud83d\ude00""#, &[8, 0xf0, 0x9f, 0x98, 0x80], r#""😀""#);
    assert_eq!(string.encode(r#""\ud83d""#), Ok(vec![2, b'?']));
    assert_eq!(string.decode(&[2, 0xff]).as_deref(), Ok("\"\u{fffd}\""));
    let long = "x".repeat(100);
    assert_eq!(string.encode(&format!("\"{long}\"")).unwrap(), [&[0xc8, 0x01], long.as_bytes()].concat());
}

#[test]
fn enums_go_by_symbol_and_fixed_by_size() {
    let symbols = Codec::of(r#"{"type":"enum","name":"E","symbols":["A","B"]}"#);
    symbols.round(r#""B""#, &[2], r#""B""#);
    symbols.refuses(r#""C""#, "Unknown symbol in enum C");
    symbols.refuses("1", "Expected fixed. Got VALUE_NUMBER_INT");
    assert_eq!(symbols.decode(&[4]), Err("There is no symbol 2 of 2".to_owned()));
    assert_eq!(symbols.check(&[1]), Err("There is no symbol -1 of 2".to_owned()));
    let fixed = Codec::of(r#"{"type":"fixed","name":"F","size":2}"#);
    fixed.round(r#""\u0001ÿ""#, &[1, 0xff], "\"\\u0001ÿ\"");
    fixed.refuses(r#""abc""#, "Expected fixed length 2, but got3");
}

#[test]
fn arrays_are_one_block() {
    let list = Codec::of(r#"{"type":"array","items":"int"}"#);
    list.round("[]", &[0], "[]");
    list.round("[1,2]", &[4, 2, 4, 0], "[1,2]");
    list.refuses("{}", "Expected array-start. Got START_OBJECT");
    list.refuses("[null]", "Expected int. Got VALUE_NULL");
    // Sixty-four items need a count of two bytes.
    let many: Vec<String> = (0..64).map(|_| "0".to_owned()).collect();
    let bytes = [&[0x80, 0x01][..], &[0; 64], &[0]].concat();
    list.round(&format!("[{}]", many.join(",")), &bytes, &format!("[{}]", many.join(",")));
    // Other writers split blocks, and give their sizes.
    assert_eq!(list.decode(&[2, 2, 3, 4, 4, 6, 0]).as_deref(), Ok("[1,2,3]"));
    assert_eq!(list.check(&[2, 2, 3, 4, 4, 6, 0]), Ok(()));
}

#[test]
fn maps_are_written_in_the_order_of_javas_hash_table() {
    let map = Codec::of(r#"{"type":"map","values":"int"}"#);
    map.round("{}", &[0], "{}");
    map.round(r#"{"k":1,"j":2}"#, &[4, 2, b'j', 4, 2, b'k', 2, 0], r#"{"j":2,"k":1}"#);
    // Hashes over UTF-8 start at one: 128 for "a" up to 134 for "g", in a table of sixteen slots.
    let seven = map.encode(r#"{"g":7,"f":6,"e":5,"d":4,"c":3,"b":2,"a":1}"#).unwrap();
    assert_eq!(map.decode(&seven).as_deref(), Ok(r#"{"a":1,"b":2,"c":3,"d":4,"e":5,"f":6,"g":7}"#));
    // "o" is 142 and "p" 143: slots 2 and 3 of four. "q" is 144: slot 0.
    let three = map.encode(r#"{"o":1,"p":2,"q":3}"#).unwrap();
    assert_eq!(map.decode(&three).as_deref(), Ok(r#"{"q":3,"o":1,"p":2}"#));
    // Over UTF-16 they start at nothing: "o" is 111, "p" 112, "q" 113: slots 3, 0, 1.
    let java = Codec::of(r#"{"type":"map","values":"int","avro.java.string":"String"}"#);
    assert_eq!(java.decode(&java.encode(r#"{"o":1,"p":2,"q":3}"#).unwrap()).as_deref(), Ok(r#"{"p":2,"q":3,"o":1}"#));
    map.refuses("[]", "Expected map-start. Got START_ARRAY");
    map.refuses(r#"{"a":"x"}"#, "Expected int. Got VALUE_STRING");
}

#[test]
fn of_equal_keys_the_last_counts() {
    let map = Codec::of(r#"{"type":"map","values":"int"}"#);
    assert_eq!(map.encode(r#"{"a":1,"b":2,"\u0061":3}"#), map.encode(r#"{"a":3,"b":2}"#));
    let many: String = (0..40).map(|n| format!("\"k{n}\":{n},")).collect();
    assert_eq!(
        map.encode(&format!("{{{many}\"k7\":0}}")),
        map.encode(&format!("{{{many}\"k7\":0}}").replace("\"k7\":7", "\"k7\":0"))
    );
    assert_eq!(map.decode(&[6, 2, b'a', 2, 2, b'b', 4, 2, b'a', 6, 0]).as_deref(), Ok(r#"{"a":3,"b":2}"#));
    let record =
        Codec::of(r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"b","type":"int"}]}"#);
    for json in
        [r#"{"a":1,"a":5,"b":2}"#, r#"{"a":1,"b":2,"a":5}"#, r#"{"b":0,"a":1,"a":5,"b":2}"#, r#"{"b":1,"b":2,"a":5}"#]
    {
        assert_eq!(record.encode(json), Ok(vec![10, 4]), "{json}");
    }
    let union = Codec::of(r#"["null","int"]"#);
    assert_eq!(union.encode(r#"{"int":1,"int":2}"#), Ok(vec![2, 4]));
}

#[test]
fn values_of_unions_are_tagged() {
    let union = Codec::of(
        r#"["null","string",{"type":"array","items":"int"},{"type":"record","name":"a.R","fields":[]},{"type":"map","values":"int"}]"#,
    );
    union.round("null", &[0], "null");
    union.round(r#"{"null":null}"#, &[0], "null");
    union.round(r#"{"string":"x"}"#, &[2, 2, b'x'], r#"{"string":"x"}"#);
    union.round(r#"{"array":[1]}"#, &[4, 2, 2, 0], r#"{"array":[1]}"#);
    union.round(r#"{"a.R":{}}"#, &[6], r#"{"a.R":{}}"#);
    union.round(r#"{"map":{}}"#, &[8, 0], r#"{"map":{}}"#);
    // Further tags are dropped.
    assert_eq!(union.encode(r#"{"string":"x","array":[{"q":"}"}]}"#), Ok(vec![2, 2, b'x']));
    union.refuses(r#""x""#, "Expected start-union. Got VALUE_STRING");
    union.refuses("{}", "Expected start-union. Got END_OBJECT");
    union.refuses(r#"{"R":{}}"#, "Unknown union branch R");
    union.refuses(r#"{"string":1}"#, "Expected string. Got VALUE_NUMBER_INT");
    Codec::of(r#"["int","string"]"#).refuses("null", "Unknown union branch null");
    assert_eq!(union.decode(&[10]), Err("There is no union branch 5 of 5".to_owned()));
}

#[test]
fn fields_come_in_any_order_and_leave_in_the_schemas() {
    let text = r#"{"type":"record","name":"R","fields":[
        {"name":"a","type":"int"},{"name":"b","type":"string"},
        {"name":"c","type":{"type":"record","name":"S","fields":[{"name":"x","type":"int"},{"name":"y","type":"int"}]}},
        {"name":"d","type":"boolean","aliases":["old"]}]}"#;
    let record = Codec::of(text);
    let bytes = [2, 2, b'b', 6, 8, 1];
    let back = r#"{"a":1,"b":"b","c":{"x":3,"y":4},"d":true}"#;
    record.round(back, &bytes, back);
    record.round(r#" { "d" : true , "c":{ "y":4,"x":3 } , "b":"b", "a" : 1 } "#, &bytes, back);
    record.round(r#"{"c":{"x":3,"y":4},"a":1,"d":true,"b":"b"}"#, &bytes, back);
    record.round(r#"{"\u0061":1,"b":"b","c":{"x":3,"y":4},"old":true}"#, &bytes, back);
    // What the schema does not have is dropped, wherever it stands.
    record.round(
        r#"{"z":[{"a":9}],"a":1,"b":"b","c":{"q":{"x":9},"x":3,"y":4,"z":"}"},"d":true,"e":null}"#,
        &bytes,
        back,
    );
}

#[test]
fn nothing_is_filled_in_for_a_field_without_a_value() {
    let record = Codec::of(
        r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":5},
            {"name":"b","type":["null","string"],"default":null},{"name":"c","type":{"type":"map","values":"int"}}]}"#,
    );
    record.refuses("{}", "Field \"a\" content mismatch: Expected int. Got END_OBJECT");
    record.refuses(r#"{"b":null}"#, "Field \"a\" content mismatch: Expected field name not found: a");
    record.refuses(r#"{"a":1}"#, "Field \"b\" content mismatch: Expected start-union. Got END_OBJECT");
    record.refuses(r#"{"a":1,"b":null}"#, "Field \"c\" content mismatch: Expected map-start. Got END_OBJECT");
    record.refuses(r#"{"c":{},"b":null,"x":1}"#, "Field \"a\" content mismatch: Expected field name not found: a");
}

#[test]
fn errors_name_the_fields_that_lead_to_them() {
    let record = Codec::of(
        r#"{"type":"record","name":"R","fields":[{"name":"s","type":{"type":"record","name":"S","fields":[
            {"name":"x","type":{"type":"array","items":["null","int"]}}]}},{"name":"z","type":"int"}]}"#,
    );
    record.refuses(
        r#"{"s":{"x":[null,{"int":true}]},"z":1}"#,
        "Field \"s\" content mismatch: Field \"x\" content mismatch: Expected int. Got VALUE_TRUE",
    );
    record.refuses(
        r#"{"z":1,"s":{"x":[{"string":"y"}]}}"#,
        "Field \"s\" content mismatch: Field \"x\" content mismatch: Unknown union branch string",
    );
    // A record that is none is noticed at its first field.
    let none = "Field \"s\" content mismatch: Field \"x\" content mismatch: Expected record-start. Got ";
    record.refuses("[]", &format!("{none}START_ARRAY"));
    record.refuses(r#"{"s":"a"}"#, &format!("{none}VALUE_STRING"));
    assert_eq!(
        record.decode(&[2]),
        Err("Field \"s\" content mismatch: Field \"x\" content mismatch: The payload ends early, at byte 1".to_owned())
    );
}

#[test]
fn logical_types_are_their_base_types() {
    let record = Codec::of(
        r#"{"type":"record","name":"L","fields":[{"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":6}},
            {"name":"t","type":{"type":"long","logicalType":"timestamp-millis"}}]}"#,
    );
    record.round(r#"{"d":"\u0004Ò","t":5}"#, &[4, 4, 0xd2, 10], "{\"d\":\"\\u0004Ò\",\"t\":5}");
}

#[test]
fn recursive_values_end_at_a_depth() {
    let list = Codec::of(r#"{"type":"record","name":"N","fields":[{"name":"next","type":["null","N"]}]}"#);
    let nested =
        |depth: usize| format!("{}null{}", "{\"next\":{\"N\":".repeat(depth) + "{\"next\":", "}".repeat(2 * depth + 1));
    // A node nests two deep, the last one one.
    let bytes = list.encode(&nested(249)).unwrap();
    assert_eq!(bytes, [vec![2; 249], vec![0]].concat());
    assert_eq!(list.decode(&bytes), Ok(nested(249)));
    assert!(list.encode(&nested(250)).unwrap_err().ends_with("values are nested more than 500 deep"));
    assert!(list.encode(&nested(100_000)).unwrap_err().ends_with("values are nested more than 500 deep"));
    let deep = [vec![2; 100_000], vec![0]].concat();
    assert!(list.decode(&deep).unwrap_err().ends_with("values are nested more than 500 deep"));
    assert!(list.check(&deep).unwrap_err().ends_with("values are nested more than 500 deep"));
    // A record inside itself has no value at all.
    let endless = Codec::of(r#"{"type":"record","name":"E","fields":[{"name":"e","type":"E"}]}"#);
    assert!(endless.decode(&[]).unwrap_err().ends_with("values are nested more than 500 deep"));
    assert!(endless.check(&[]).unwrap_err().ends_with("values are nested more than 500 deep"));
    endless.encode("{}").unwrap_err();
}

#[test]
fn counts_without_content_are_no_work() {
    let nulls =
        Codec::of(r#"{"type":"array","items":{"type":"record","name":"R","fields":[{"name":"n","type":"null"}]}}"#);
    let huge = [0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0];
    assert_eq!(nulls.check(&huge), Ok(()));
    assert_eq!(nulls.decode(&huge), Err("The JSON form exceeds 64 MiB".to_owned()));
    let ints = Codec::of(r#"{"type":"array","items":"int"}"#);
    assert_eq!(ints.check(&huge), Err("The payload ends early, at byte 11".to_owned()));
    // An empty record of empty records, doubled sixty times.
    let mut text = r#"{"type":"record","name":"D0","fields":[]}"#.to_owned();
    for level in 1..60 {
        let below = level - 1;
        text = format!(
            r#"{{"type":"record","name":"D{level}","fields":[{{"name":"a","type":{text}}},{{"name":"b","type":"D{below}"}}]}}"#
        );
    }
    let doubled = Codec::of(&text);
    assert_eq!(doubled.check(&[]), Ok(()));
    assert!(doubled.decode(&[]).unwrap_err().ends_with("The JSON form exceeds 64 MiB"));
}

#[test]
fn a_payload_of_another_schema_is_found_out() {
    let record =
        Codec::of(r#"{"type":"record","name":"R","fields":[{"name":"a","type":"string"},{"name":"b","type":"int"}]}"#);
    assert_eq!(record.check(&[2, b'x', 2]), Ok(()));
    assert_eq!(record.check(&[2, b'x', 2, 0]), Err("1 bytes are left over behind the value".to_owned()));
    assert_eq!(
        record.check(&[2, b'x']),
        Err("Field \"b\" content mismatch: The payload ends early, at byte 2".to_owned())
    );
    assert_eq!(
        record.check(&[1]),
        Err("Field \"a\" content mismatch: Malformed data. Length is negative: -1".to_owned())
    );
    let int = Codec::of(r#""int""#);
    assert_eq!(int.check(&[0x80, 0x80, 0x80, 0x80, 0x10]), Err("Invalid int encoding at byte 5".to_owned()));
    let long = Codec::of(r#""long""#);
    assert_eq!(long.check(&[0xff; 11]), Err("Invalid long encoding at byte 10".to_owned()));
    // Readers do not mind what is left over.
    assert_eq!(int.decode(&[2, 9]).as_deref(), Ok("1"));
}

#[test]
fn broken_json_is_refused() {
    let record = Codec::of(r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"}]}"#);
    for json in
        ["", "{", r#"{"a""#, r#"{"a":1"#, r#"{"a":1,}"#, r#"{"a":1} x"#, r#"{"a":01}"#, r#"{"a":1,"b":}"#, r#"{a:1}"#]
    {
        assert!(record.encode(json).is_err(), "{json}");
    }
    assert!(record.codec().encode_json(b"{\"a\":1,\"\xff\":1}", &mut Vec::new()).is_err());
}

/// A schema with everything in it, and a value of it as a writer of JSON would spell it.
const EVERYTHING: &str = r#"{"type":"record","name":"all.E","fields":[
    {"name":"n","type":"null"},{"name":"b","type":"boolean"},{"name":"i","type":"int"},{"name":"l","type":"long"},
    {"name":"f","type":"float"},{"name":"d","type":"double"},{"name":"y","type":"bytes"},{"name":"s","type":"string"},
    {"name":"x","type":{"type":"fixed","name":"X","size":2}},{"name":"e","type":{"type":"enum","name":"S","symbols":["A","B","C"]}},
    {"name":"a","type":{"type":"array","items":["null","long","string","E"]}},{"name":"m","type":{"type":"map","values":"long"}}]}"#;

fn everything() -> impl Strategy<Value = Value> {
    let item = prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(|long| serde_json::json!({ "long": long })),
        ".*".prop_map(|text| serde_json::json!({ "string": text })),
    ];
    let items = proptest::collection::vec(item, 0..100);
    let map = proptest::collection::hash_map(".{0,12}", any::<i64>(), 0..40);
    let double = any::<i32>().prop_map(|eighths| f64::from(eighths) / 8.0);
    let latin1 = proptest::collection::vec(any::<u8>(), 0..9);
    let symbols = ["A", "B", "C"];
    let text = |bytes: Vec<u8>| bytes.into_iter().map(char::from).collect::<String>();
    (any::<(bool, i32, i64, i16)>(), double, latin1, ".*", any::<[u8; 2]>(), 0..3usize, items, map).prop_map(
        move |((b, i, l, f), d, y, s, x, e, a, m)| {
            serde_json::json!({
                "n": null, "b": b, "i": i, "l": l, "f": f64::from(f), "d": d, "y": text(y), "s": s,
                "x": text(x.to_vec()), "e": symbols[e], "a": a, "m": m,
            })
        },
    )
}

proptest! {
    #[test]
    fn what_was_written_is_read_back(value in everything()) {
        let codec = Codec::of(EVERYTHING);
        let bytes = codec.encode(&value.to_string()).unwrap();
        prop_assert_eq!(codec.check(&bytes), Ok(()));
        let back: Value = serde_json::from_str(&codec.decode(&bytes).unwrap()).unwrap();
        prop_assert_eq!(back, value);
    }

    #[test]
    fn payloads_at_random_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let codec = Codec::of(EVERYTHING);
        let (decoded, checked) = (codec.decode(&bytes), codec.check(&bytes));
        // What passes the check can be read.
        prop_assert!(checked.is_err() || decoded.is_ok());
        if let Ok(json) = decoded {
            serde_json::from_str::<Value>(&json).unwrap();
        }
    }
}
