//! What is stored of an Avro text, its normal form, and what is refused, rule by rule.
//!
//! Expected texts are from the recorded reference (`canon-avro-*`, `bad-avro-*`) or follow from Avro 1.12's
//! `Schema#toString` and the registry's `toNormalizedString`.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use sluice_schema::avro::AvroSchema;
use sluice_schema::{InvalidSchema, ResolvedReference};

fn parse(text: &str) -> Result<AvroSchema, InvalidSchema> {
    AvroSchema::parse(text, [].into(), [].into())
}

fn stored(text: &str) -> String {
    parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).canonical_text().to_string()
}

fn normal(text: &str) -> String {
    parse(text).unwrap().normalize().unwrap_or_else(|error| panic!("{text}: {error}")).canonical_text().to_string()
}

/// What a new schema is refused for.
fn fault(text: &str) -> String {
    match parse(text).and_then(|schema| schema.validate()) {
        Ok(()) => panic!("{text} is not refused"),
        Err(refusal) => refusal.to_string(),
    }
}

fn record(fields: &str) -> String {
    format!(r#"{{"type":"record","name":"R","namespace":"n","fields":[{fields}]}}"#)
}

fn references(texts: &[&str]) -> std::sync::Arc<[ResolvedReference]> {
    let reference = |text: &&str| ResolvedReference {
        name: "name".into(),
        subject: "subject".into(),
        version: 1,
        text: (*text).into(),
        references: [].into(),
    };
    texts.iter().map(reference).collect()
}

#[test]
fn texts_that_say_the_same_are_stored_alike() {
    let table: &[(&str, &str)] = &[
        // blanks, order of keys, comments, escaped keys, equal keys
        ("{ \"type\" : \"array\" ,\n \"items\" : \"int\" }", r#"{"type":"array","items":"int"}"#),
        (r#"{"items":"int","type":"array"}"#, r#"{"type":"array","items":"int"}"#),
        ("/* a */ {\"type\":\"array\", // b\n\"items\":\"int\"}", r#"{"type":"array","items":"int"}"#),
        (r#"{"ty\u0070e":"map","values":"int"}"#, r#"{"type":"map","values":"int"}"#),
        (r#"{"type":"array","items":"int","items":"long"}"#, r#"{"type":"array","items":"long"}"#),
        // primitives in objects, with and without attributes
        (r#"{"type":"string"}"#, r#""string""#),
        (r#"{"type":"string","avro.java.string":"String"}"#, r#"{"type":"string","avro.java.string":"String"}"#),
        (r#"[]"#, r#"[]"#),
        // names
        (
            r#"{"type":"fixed","size":1,"name":"a.b.X","namespace":"ignored"}"#,
            r#"{"type":"fixed","name":"X","namespace":"a.b","size":1}"#,
        ),
        (r#"{"type":"fixed","size":1,"name":"X","namespace":""}"#, r#"{"type":"fixed","name":"X","size":1}"#),
        // attributes in their fixed order, unknown ones behind them, aliases last
        (
            r#"{"symbols":["B","A"],"zz":1,"aliases":["F"],"doc":"d","default":"A","name":"E","type":"enum"}"#,
            r#"{"type":"enum","name":"E","doc":"d","symbols":["B","A"],"default":"A","zz":1,"aliases":["F"]}"#,
        ),
        (
            r#"{"type":"record","name":"R","size":3,"symbols":["x"],"items":1,"values":1,"fields":[],"doc":5}"#,
            r#"{"type":"record","name":"R","fields":[]}"#,
        ),
        (r#"{"type":"error","name":"R","fields":[]}"#, r#"{"type":"error","name":"R","fields":[]}"#),
        (
            r#"{"type":"fixed","name":"X","size":2,"default":"a"}"#,
            r#"{"type":"fixed","name":"X","size":2,"default":"a"}"#,
        ),
        (
            r#"{"type":"record","name":"R","fields":[],"aliases":[],"z":{"b":[1,2.0],"a":null}}"#,
            r#"{"type":"record","name":"R","fields":[],"z":{"b":[1,2.0],"a":null}}"#,
        ),
    ];
    for (text, expected) in table {
        assert_eq!(stored(text), *expected, "{text}");
    }
}

#[test]
fn fields_keep_what_they_say_in_a_fixed_order() {
    let table: &[(&str, &str)] = &[
        (
            r#"{"zz":true,"aliases":["z","b"],"order":"IGNORE","default":1,"doc":"","type":"int","name":"a"}"#,
            r#"{"name":"a","type":"int","doc":"","default":1,"order":"ignore","aliases":["z","b"],"zz":true}"#,
        ),
        (r#"{"name":"a","type":"int","order":"ascending"}"#, r#"{"name":"a","type":"int"}"#),
        (
            r#"{"name":"a","type":"long","logicalType":"timestamp-millis"}"#,
            r#"{"name":"a","type":"long","logicalType":"timestamp-millis"}"#,
        ),
        // numbers: integers as they are, the rest as doubles in Java's notation
        (r#"{"name":"a","type":"double","default":1e3}"#, r#"{"name":"a","type":"double","default":1000.0}"#),
        (r#"{"name":"a","type":"double","default":1E-7}"#, r#"{"name":"a","type":"double","default":1.0E-7}"#),
        (
            r#"{"name":"a","type":"double","default":123456789.123456789}"#,
            r#"{"name":"a","type":"double","default":1.2345678912345679E8}"#,
        ),
        (r#"{"name":"a","type":"double","default":-0.0}"#, r#"{"name":"a","type":"double","default":-0.0}"#),
        (
            r#"{"name":"a","type":"double","default":100000000000000000000}"#,
            r#"{"name":"a","type":"double","default":100000000000000000000}"#,
        ),
        (r#"{"name":"a","type":"double","default":1e999}"#, r#"{"name":"a","type":"double","default":"Infinity"}"#),
        (r#"{"name":"a","type":"double","default":"NaN"}"#, r#"{"name":"a","type":"double","default":"NaN"}"#),
        (r#"{"name":"a","type":"float","default":"1.50"}"#, r#"{"name":"a","type":"float","default":1.5}"#),
        (
            r#"{"name":"a","type":"long","default":9007199254740993}"#,
            r#"{"name":"a","type":"long","default":9007199254740993}"#,
        ),
        // strings: only what must be escaped is
        (
            r#"{"name":"a","type":"string","default":"é \u00e9 \n \" \\ \/ ☕ \u0001 \u001f \ud83d\ude00 \ud800"}"#,
            r#"{"name":"a","type":"string","default":"é é \n \" \\ / ☕ \u0001 \u001F 😀 ?"}"#,
        ),
    ];
    for (field, expected) in table {
        assert_eq!(stored(&record(field)), record(expected), "{field}");
    }
}

#[test]
fn a_type_is_written_where_it_is_first_met_and_named_after_that() {
    let table: &[(&str, &str)] = &[
        // used in full, written short inside its namespace
        (
            r#"{"name":"a","type":{"type":"record","name":"In","fields":[]}},{"name":"b","type":"n.In"}"#,
            r#"{"name":"a","type":{"type":"record","name":"In","fields":[]}},{"name":"b","type":"In"}"#,
        ),
        // used before it is defined
        (
            r#"{"name":"a","type":"In"},{"name":"b","type":{"type":"record","name":"In","fields":[]}}"#,
            r#"{"name":"a","type":{"type":"record","name":"In","fields":[]}},{"name":"b","type":"In"}"#,
        ),
        // inside itself
        (
            r#"{"name":"next","type":["null","R"],"default":null}"#,
            r#"{"name":"next","type":["null","R"],"default":null}"#,
        ),
        // an equal second definition
        (
            r#"{"name":"a","type":{"type":"fixed","name":"X","size":1}},{"name":"b","type":{"type":"fixed","name":"X","size":1,"doc":"d"}}"#,
            r#"{"name":"a","type":{"type":"fixed","name":"X","size":1}},{"name":"b","type":"X"}"#,
        ),
        // another namespace is written out; names in it are full outside it
        (
            r#"{"name":"a","type":{"type":"fixed","name":"o.X","size":1}},{"name":"b","type":"o.X"}"#,
            r#"{"name":"a","type":{"type":"fixed","name":"X","namespace":"o","size":1}},{"name":"b","type":"o.X"}"#,
        ),
        (
            r#"{"name":"a","type":{"type":"fixed","name":"X","namespace":"","size":1}},{"name":"b","type":"X"}"#,
            r#"{"name":"a","type":{"type":"fixed","name":"X","namespace":"","size":1}},{"name":"b","type":"X"}"#,
        ),
        // a name that is also a word for a type stays full
        (
            r#"{"name":"a","type":{"type":"fixed","name":"map","size":1}},{"name":"b","type":"n.map"}"#,
            r#"{"name":"a","type":{"type":"fixed","name":"map","size":1}},{"name":"b","type":"n.map"}"#,
        ),
    ];
    for (fields, expected) in table {
        assert_eq!(stored(&record(fields)), record(expected), "{fields}");
    }
}

#[test]
fn the_normal_form_sorts_what_has_no_order_and_types_defaults() {
    let table: &[(&str, &str)] = &[
        (r#"{"name":"a","type":"double","default":1}"#, r#"{"name":"a","type":"double","default":1.0}"#),
        (r#"{"name":"a","type":"float","default":0.123456789}"#, r#"{"name":"a","type":"float","default":0.12345679}"#),
        (r#"{"name":"a","type":"double","default":100000000000000000000}"#, r#"{"name":"a","type":"double"}"#),
        (r#"{"name":"a","type":["null","int"],"default":1}"#, r#"{"name":"a","type":["null","int"]}"#),
        (r#"{"name":"a","type":"int","doc":""}"#, r#"{"name":"a","type":"int","doc":""}"#),
        (
            r#"{"name":"a","type":{"type":"map","values":"string"},"default":{"b":"2","a":"1"}}"#,
            r#"{"name":"a","type":{"type":"map","values":"string"},"default":{"a":"1","b":"2"}}"#,
        ),
        (r#"{"name":"a","type":"bytes","default":"ÿ☕"}"#, r#"{"name":"a","type":"bytes","default":"ÿ?"}"#),
        (
            r#"{"name":"a","type":"int","aliases":["z","b"],"zz":true,"aa":{"y":1,"x":2}}"#,
            r#"{"name":"a","type":"int","aliases":["b","z"],"aa":{"x":2,"y":1},"zz":true}"#,
        ),
        (
            r#"{"name":"a","type":{"type":"bytes","aa":1,"scale":2,"precision":4,"logicalType":"decimal"}}"#,
            r#"{"name":"a","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2,"aa":1}}"#,
        ),
        (
            r#"{"name":"a","type":{"type":"string","logicalType":"date","aa":1}}"#,
            r#"{"name":"a","type":{"type":"string","aa":1,"logicalType":"date"}}"#,
        ),
        (
            r#"{"name":"a","type":{"type":"record","name":"E","doc":"","fields":[],"aliases":["Old","zz.O","Anc"]}}"#,
            r#"{"name":"a","type":{"type":"record","name":"E","fields":[],"aliases":["Anc","Old","zz.O"]}}"#,
        ),
        (
            r#"{"name":"a","type":{"type":"error","name":"E","fields":[]}}"#,
            r#"{"name":"a","type":{"type":"record","name":"E","fields":[]}}"#,
        ),
    ];
    for (field, expected) in table {
        let once = normal(&record(field));
        assert_eq!(once, record(expected), "{field}");
        assert_eq!(normal(&once), once, "{field}");
    }
}

#[test]
fn what_the_reference_refuses_is_refused_in_its_words() {
    let table: &[(&str, &str)] = &[
        (r#""nonsense""#, "Unknown schema: nonsense"),
        (r#"{}"#, "No type: {}"),
        (r#"{"type":1}"#, r#"No type: {"type":1}"#),
        (r#"{"type":{"type":"string"}}"#, r#"No type: {"type":{"type":"string"}}"#),
        (r#"1"#, "Schema not yet supported: 1"),
        (r#"null"#, "Schema not yet supported: null"),
        (r#"{"type":"record"}"#, r#"No name in schema: {"type":"record"}"#),
        (r#"{"type":"record","name":"R"}"#, r#"Record has no fields: {"type":"record","name":"R"}"#),
        (r#"{"type":"record","name":"R","fields":[{"name":"a"}]}"#, r#"No field type: {"name":"a"}"#),
        (r#"{"type":"record","name":"R","fields":["a"]}"#, r#"No field name: "a""#),
        (r#"{"type":"record","name":"R","fields":[{"name":"a","type":"nope"}]}"#, "Undefined schema: nope"),
        (r#"{"type":"record","name":"n.R","fields":[{"name":"a","type":"nope"}]}"#, "Undefined schema: n.nope"),
        (r#"{"type":"record","name":"n.R","fields":[{"name":"a","type":".R"}]}"#, "Undefined schema: .R"),
        (r#"{"type":"record","name":"1R","fields":[]}"#, "Illegal initial character: 1R"),
        (r#"{"type":"record","name":"Ü","fields":[]}"#, "Illegal initial character: Ü"),
        (r#"{"type":"record","name":"R-x","fields":[]}"#, "Illegal character in: R-x"),
        (r#"{"type":"record","name":"","fields":[]}"#, "Empty name"),
        (r#"{"type":"record","name":"a..b","fields":[]}"#, "Namespace part \"\" is invalid: Empty name"),
        (
            r#"{"type":"record","name":"R","namespace":"1.x","fields":[]}"#,
            "Namespace part \"1\" is invalid: Illegal initial character: 1",
        ),
        (r#"{"type":"record","name":"int","fields":[]}"#, "Schemas may not be named after primitives: int"),
        (
            r#"{"type":"record","name":"R","aliases":"x","fields":[]}"#,
            r#"aliases not an array: {"type":"record","name":"R","aliases":"x","fields":[]}"#,
        ),
        (
            r#"{"type":"record","name":"n.R","fields":[{"name":"a","type":"int"},{"name":"a","type":["int"]}]}"#,
            "Duplicate field a in record n.R: a type:UNION pos:1 and a type:INT pos:0.",
        ),
        (
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":{"type":"record","name":"R","fields":[]}}]}"#,
            "Can't redefine: R",
        ),
        (r#"{"type":"enum","name":"E"}"#, r#"Enum has no symbols: {"type":"enum","name":"E"}"#),
        (r#"{"type":"enum","name":"E","symbols":["A","A"]}"#, "Duplicate enum symbol: A"),
        (r#"{"type":"enum","name":"E","symbols":["A-b"]}"#, "Illegal character in: A-b"),
        (
            r#"{"type":"enum","name":"E","symbols":["A","B"],"default":"C"}"#,
            "The Enum Default: C is not in the enum symbol set: [A, B]",
        ),
        (r#"{"type":"fixed","name":"X"}"#, r#"Invalid or no size: {"type":"fixed","name":"X"}"#),
        (r#"{"type":"fixed","name":"X","size":-1}"#, "Malformed data. Length is negative: -1"),
        (r#"{"type":"array"}"#, r#"Array has no items type: {"type":"array"}"#),
        (r#"{"type":"map"}"#, r#"Map has no values type: {"type":"map"}"#),
        (r#"[["int"],"string"]"#, r#"Nested union: [["int"],"string"]"#),
        (r#"["int",{"type":"int","p":1}]"#, "Duplicate in union:int"),
        (r#"{"type":"record","name":"R","fields":[{"name":"a","type":["R","R"]}]}"#, "Duplicate in union:R"),
        (r#"{"type":"record","name":"R","fields":[],"p3":12345678901234567890}"#, "Can't set a property to null: p3"),
        (r#"{"type":"array","items":"int"} trailing"#, "dangling content after end of schema: trailing"),
        (
            r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int","order":"sideways"}]}"#,
            "No enum constant org.apache.avro.Schema.Field.Order.SIDEWAYS",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(fault(text), *expected, "{text}");
    }
}

#[test]
fn of_several_things_that_are_wrong_the_first_is_named() {
    // Avro reads on from top to bottom, so what only a new schema must keep comes before what follows it.
    let e = r#"{"type":"record","name":"é","fields":["#;
    assert_eq!(fault(&format!(r#"{e}{{"name":"f","type":"nope"}}]}}"#)), "Illegal initial character: é");
    assert_eq!(fault(&format!("{e}5]}}")), "Illegal initial character: é");
    let bad_default = record(r#"{"name":"f","type":"int","default":"x"}"#);
    assert_eq!(fault(&format!("{bad_default} more")), r#"Invalid default for field f: "x" not a "int""#);
    // A name of a primitive is found out once the enum's symbols and the fixed's size are there.
    for (text, refusal) in [
        (r#"{"type":"record","name":"int"}"#, "Schemas may not be named after primitives: int"),
        (r#"{"type":"enum","name":"int"}"#, r#"Enum has no symbols: {"type":"enum","name":"int"}"#),
        (r#"{"type":"enum","name":"int","symbols":["1"]}"#, "Schemas may not be named after primitives: int"),
        (r#"{"type":"fixed","name":"int"}"#, r#"Invalid or no size: {"type":"fixed","name":"int"}"#),
        (r#"{"type":"fixed","name":"int","size":-1}"#, "Schemas may not be named after primitives: int"),
    ] {
        assert_eq!(fault(text), refusal, "{text}");
    }
    // Names are resolved type by type: inner types are known before the record around them. Of a union the last
    // branch is visited first (`Schemas#visit` pushes branches on a stack, but fields in descending order).
    for (fields, name) in [
        (r#"{"name":"a","type":"x"},{"name":"b","type":"y"}"#, "n.x"),
        (
            r#"{"name":"a","type":"x"},{"name":"b","type":{"type":"record","name":"I","fields":[{"name":"c","type":"y"}]}}"#,
            "n.y",
        ),
        (r#"{"name":"a","type":["null","x",{"type":"map","values":"y"}]}"#, "n.y"),
        (r#"{"name":"a","type":{"type":"array","items":"x"}},{"name":"b","type":"y"}"#, "n.x"),
    ] {
        assert_eq!(fault(&record(fields)), format!("Undefined schema: {name}"), "{fields}");
    }
}

#[test]
fn a_text_without_any_value_is_no_schema() {
    for text in ["", " \n", "/* nothing */", "// nothing"] {
        assert_eq!(fault(text), "Cannot parse <null> schema", "{text:?}");
    }
}

#[test]
fn what_has_no_normal_form_is_refused_in_the_references_words() {
    let refusal = |fields: &str| parse(&record(fields)).unwrap().normalize().unwrap_err().to_string();
    // `JacksonUtils#toObject` takes the first branch of a field's union before it looks whether there is a default.
    assert_eq!(refusal(r#"{"name":"a","type":[]}"#), "Index 0 out of bounds for length 0");
    assert_eq!(refusal(r#"{"name":"a","type":[],"default":1}"#), "Index 0 out of bounds for length 0");
    assert_eq!(normal(&record(r#"{"name":"a","type":{"type":"map","values":[]}}"#)), {
        record(r#"{"name":"a","type":{"type":"map","values":[]}}"#)
    });
    assert_eq!(refusal(r#"{"name":"a","type":"boolean","default":[1]}"#), r#"Not an array: "boolean""#);
    assert_eq!(
        refusal(r#"{"name":"a","type":{"type":"map","values":"int"},"default":[1]}"#),
        r#"Not an array: {"type":"map","values":"int"}"#
    );
}

#[test]
fn a_default_must_fit_one_branch_or_the_type_of_its_field() {
    let fits: &[(&str, &str)] = &[
        (r#""int""#, "1"),
        (r#""long""#, "9007199254740993"),
        (r#""double""#, "1"),
        (r#""float""#, "100000000000000000000"),
        (r#""bytes""#, r#""☕""#),
        (r#"{"type":"fixed","name":"X","size":2}"#, r#""abc""#),
        (r#"{"type":"enum","name":"E","symbols":["A"]}"#, r#""not a symbol""#),
        (r#"["null","int"]"#, "1"),
        (r#"["int","null"]"#, "null"),
        (r#"["null","R"]"#, "null"),
        (r#"{"type":"map","values":"int"}"#, r#"{"a":1}"#),
        (r#"{"type":"record","name":"In","fields":[{"name":"x","type":"int","default":1}]}"#, "{}"),
    ];
    for (schema, default) in fits {
        let text = record(&format!(r#"{{"name":"a","type":{schema},"default":{default}}}"#));
        parse(&text).unwrap().validate().unwrap_or_else(|error| panic!("{text}: {error}"));
    }
    let does_not: &[(&str, &str, &str)] = &[
        (r#""int""#, r#""x""#, r#"Invalid default for field a: "x" not a "int""#),
        (r#""int""#, "null", r#"Invalid default for field a: null not a "int""#),
        (r#""int""#, "1.0", r#"Invalid default for field a: 1.0 not a "int""#),
        (r#""int""#, "2147483648", r#"Invalid default for field a: 2147483648 not a "int""#),
        (
            r#"{"type":"array","items":"int"}"#,
            r#"["x"]"#,
            r#"Invalid default for field a: ["x"] not a {"type":"array","items":"int"}"#,
        ),
        (r#"["null","int"]"#, "true", r#"Invalid default for field a: true not a ["null","int"]"#),
        (r#""R""#, "{}", "Schema fields not set yet"),
    ];
    for (schema, default, expected) in does_not {
        let text = record(&format!(r#"{{"name":"a","type":{schema},"default":{default}}}"#));
        assert_eq!(fault(&text), *expected, "{text}");
        assert!(parse(&text).is_ok(), "stored schemas are not asked: {text}");
    }
    let not_a_number = record(r#"{"name":"a","type":"double","default":"x"}"#);
    assert_eq!(parse(&not_a_number).unwrap_err().to_string(), "For input string: \"x\"");
}

#[test]
fn a_stored_schema_may_have_letters_of_any_script_in_its_names() {
    let text = r#"{"type":"record","name":"Größe","fields":[{"name":"läuft","type":"int"}]}"#;
    assert_eq!(stored(text), text);
    assert_eq!(fault(text), "Illegal character in: Größe");
}

#[test]
fn a_text_that_is_not_json_is_refused_with_the_place() {
    for text in
        ["", "{", "nonsense", "{'type':'int'}", "\u{feff}\"int\"", "[\"int\",]", "01", "\"a\tb\"", "/x", "nulls"]
    {
        assert!(matches!(parse(text), Err(InvalidSchema::Syntax(_))), "{text:?}");
    }
}

#[test]
fn a_text_that_is_not_json_is_refused_in_the_words_of_the_reference() {
    const SOURCE: &str = "Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)";
    let values = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
    let opened = |what, column| {
        let start = format!("(start marker at [{SOURCE}; line: 1, column: {column}])");
        format!("Unexpected end-of-input: expected close marker for {what} {start}")
    };
    let eof = "io.JsonEOFException";
    let cases = [
        // From the recordings of `bad-avro-1`, `bad-unicode-in-fields`, `canon-avro-15` and `core-primitive-avro`.
        ("{", eof, opened("Object", 1), 1, 2),
        ("nonsense", "JsonParseException", format!("Unrecognized token 'nonsense': was expecting {values}"), 1, 9),
        ("int", "JsonParseException", format!("Unrecognized token 'int': was expecting {values}"), 1, 4),
        (
            "\u{feff}{}",
            "JsonParseException",
            format!("Unexpected character ('\u{feff}' (code 65279 / 0xfeff)): expected a valid value {values}"),
            1,
            1,
        ),
        (
            "{\n  bad",
            "JsonParseException",
            "Unexpected character ('b' (code 98)): was expecting double-quote to start field name".to_owned(),
            2,
            3,
        ),
        (
            "{\"a\":\"\t\"}",
            "JsonParseException",
            "Illegal unquoted character ((CTRL-CHAR, code 9)): has to be escaped using backslash to be included in string value"
                .to_owned(),
            1,
            7,
        ),
        // From the sources of the library.
        ("{\"a\":[1", eof, opened("Array", 6), 1, 8),
        ("{\"a\"", eof, "Unexpected end-of-input within/between Object entries".to_owned(), 1, 5),
        ("[1 2]", "JsonParseException", "Unexpected character ('2' (code 50)): was expecting comma to separate Array entries".to_owned(), 1, 4),
        (
            "[1}",
            "JsonParseException",
            format!("Unexpected close marker '}}': expected ']' (for Array starting at [{SOURCE}; line: 1, column: 1])"),
            1,
            3,
        ),
    ];
    for (text, exception, said, line, column) in cases {
        let expected =
            format!("com.fasterxml.jackson.core.{exception}: {said}\n at [{SOURCE}; line: {line}, column: {column}]");
        assert_eq!(parse(text).unwrap_err().to_string(), expected, "{text:?}");
    }
}

#[test]
fn referenced_types_are_named_in_the_stored_text_and_written_out_when_resolved() {
    let money = r#"{"type":"record","name":"Money","namespace":"n","fields":[{"name":"cur","type":{"type":"enum","name":"Cur","symbols":["E"]}}]}"#;
    let text = record(r#"{"name":"a","type":"n.Money"},{"name":"b","type":"Cur"}"#);
    let schema = AvroSchema::parse(&text, [].into(), references(&[money])).unwrap();
    // Only the referenced schema itself is left out; a type inside it is written where it is used.
    let expected =
        record(r#"{"name":"a","type":"Money"},{"name":"b","type":{"type":"enum","name":"Cur","symbols":["E"]}}"#);
    assert_eq!(&**schema.canonical_text(), expected);
    let resolved = schema.render(sluice_schema::Format::Resolved).unwrap();
    let expected = record(
        r#"{"name":"a","type":{"type":"record","name":"Money","fields":[{"name":"cur","type":{"type":"enum","name":"Cur","symbols":["E"]}}]}},{"name":"b","type":"Cur"}"#,
    );
    assert_eq!(&*resolved, expected);
    let again = AvroSchema::parse(schema.canonical_text(), [].into(), references(&[money])).unwrap();
    assert_eq!(again.canonical_text(), schema.canonical_text());

    assert!(AvroSchema::parse(&resolved, [].into(), [].into()).unwrap().finds(&schema));
}

#[test]
fn a_look_up_does_not_mind_the_order_of_attributes_and_aliases_but_documentation() {
    let base = r#"{"type":"record","name":"R","p":1,"q":{"a":1,"b":2},"aliases":["A","B"],"fields":[{"name":"a","type":"int","default":1}]}"#;
    let same = [
        r#"{"type":"record","name":"R","q":{"b":2,"a":1},"p":1,"aliases":["B","A"],"fields":[{"name":"a","type":"int","default":1}]}"#,
    ];
    let other = [
        base.replace("\"p\":1", "\"p\":2"),
        base.replace("\"p\":1", "\"p\":1,\"doc\":\"\""),
        base.replace("[\"A\",\"B\"]", "[\"A\"]"),
        base.replace("\"default\":1", "\"default\":2"),
        base.replace("\"default\":1", "\"default\":1,\"doc\":\"d\""),
        base.replace("\"default\":1", "\"default\":1,\"order\":\"ignore\""),
        base.replace("\"default\":1", "\"default\":1,\"aliases\":[\"x\"]"),
        base.replace("\"int\"", "\"long\""),
        base.replace("\"R\"", "\"n.R\""),
    ];
    let base = parse(base).unwrap();
    same.iter().for_each(|text| assert!(parse(text).unwrap().finds(&base), "{text}"));
    other.iter().for_each(|text| assert!(!parse(text).unwrap().finds(&base), "{text}"));
}

#[test]
fn recursive_schemas_compare_and_print() {
    let list = record(r#"{"name":"v","type":"int"},{"name":"next","type":["null","R"]}"#);
    let tree = record(
        r#"{"name":"kids","type":{"type":"array","items":"R"}},{"name":"x","type":{"type":"record","name":"X","fields":[{"name":"up","type":"R"}]}}"#,
    );
    for text in [list, tree] {
        assert_eq!(stored(&text), text);
        assert_eq!(normal(&text), text);
        assert!(parse(&text).unwrap().finds(&parse(&text).unwrap()));
    }
}

#[test]
fn big_deep_and_exponential_texts_end_quickly() {
    let deep =
        |open: &str, close: &str, levels: usize| format!("{}\"int\"{}", open.repeat(levels), close.repeat(levels));
    // As deep as the recorded one.
    stored(&deep(r#"{"type":"array","items":"#, "}", 120));
    let mut texts = vec![
        deep(r#"{"type":"array","items":"#, "}", 20_000),
        deep("[", "]", 100_000),
        format!("\"{}\"", "x".repeat(1 << 20)),
        format!("[{}]", vec!["\"int\""; 70_000].join(",")),
    ];
    // Definitions that nest deeper than their text, through names.
    let chain = (0..20_000).map(|at| {
        let next = at + 1;
        format!(r#"{{"type":"record","name":"A{at}","fields":[{{"name":"f","type":"A{next}"}}]}}"#)
    });
    let end = r#"{"type":"fixed","name":"A2000","size":1}"#;
    texts.push(format!("[{},{end}]", chain.take(2_000).collect::<Vec<_>>().join(",")));
    // A default that fits none of exponentially many ways.
    let bomb = r#"{"type":"record","name":"B","fields":[{"name":"f","type":["B","A"]}]}"#;
    let value = format!("{}1{}", r#"{"f":"#.repeat(60), "}".repeat(60));
    texts.push(format!(
        r#"{{"type":"record","name":"R","fields":[{{"name":"b","type":[{bomb},{{"type":"record","name":"A","fields":[{{"name":"f","type":["A","B"]}}]}}]}},{{"name":"a","type":["A","B"],"default":{value}}}]}}"#
    ));
    for text in texts {
        let outcome = parse(&text).and_then(|schema| schema.validate());
        let shown = &text[..text.len().min(60)];
        assert!(matches!(outcome, Err(InvalidSchema::TooComplex(_))), "{shown}: {outcome:?}");
    }
    let symbols: Vec<String> = (0..60_000).map(|at| format!("\"S{at}\"")).collect();
    let huge = format!(r#"{{"type":"enum","name":"E","symbols":[{}]}}"#, symbols.join(","));
    assert_eq!(stored(&huge), huge);
}
