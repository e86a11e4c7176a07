//! Avro's compatibility rules as a table: each that fires, and what comes close and must not.
//!
//! A row gives a reader's and a writer's schema and, per finding, `KIND path info`. The rules are those of Avro Java's
//! `SchemaCompatibility`; what the tables cannot show (repeats, order, bounds) follows below them.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use proptest::prelude::*;
use sluice_schema::compat::{self, Direction};
use sluice_schema::{Schema, SchemaType};

fn parse(text: &str) -> Schema {
    Schema::parse(SchemaType::Avro, text, [].into(), [].into()).unwrap_or_else(|error| panic!("{text}: {error}"))
}

/// `KIND path info` of each finding, when `reader` reads what `writer` wrote.
fn findings(reader: &Schema, writer: &Schema) -> Vec<String> {
    let found = compat::differences(reader, writer, Direction::Backward);
    let info = |message: &str| {
        let (_, info) = message.rsplit_once("additionalInfo:'").unwrap();
        info.strip_suffix("'}").unwrap().to_owned()
    };
    found.iter().map(|found| format!("{} {} {}", found.kind, found.path, info(&found.message))).collect()
}

#[track_caller]
fn check(reader: &str, writer: &str, expected: &[&str]) {
    assert_eq!(findings(&parse(reader), &parse(writer)), expected, "\nreader {reader}\nwriter {writer}");
}

/// A record with these fields, as JSON.
fn record(fields: &str) -> String {
    format!(r#"{{"type":"record","name":"R","fields":[{fields}]}}"#)
}

const TYPES: [&str; 14] = [
    r#""null""#,
    r#""boolean""#,
    r#""int""#,
    r#""long""#,
    r#""float""#,
    r#""double""#,
    r#""bytes""#,
    r#""string""#,
    r#"{"type":"array","items":"int"}"#,
    r#"{"type":"map","values":"int"}"#,
    r#"{"type":"fixed","name":"N","size":4}"#,
    r#"{"type":"enum","name":"N","symbols":["A"]}"#,
    r#"{"type":"record","name":"N","fields":[]}"#,
    r#"{"type":"error","name":"N","fields":[]}"#,
];

const WORDS: [&str; 14] = [
    "NULL", "BOOLEAN", "INT", "LONG", "FLOAT", "DOUBLE", "BYTES", "STRING", "ARRAY", "MAP", "FIXED", "ENUM", "RECORD",
    "RECORD",
];

#[test]
fn a_type_takes_itself_and_what_is_promoted_to_it() {
    let promoted = [("INT", "LONG"), ("INT", "FLOAT"), ("INT", "DOUBLE"), ("LONG", "FLOAT"), ("LONG", "DOUBLE")];
    let promoted = promoted.into_iter().chain([("FLOAT", "DOUBLE"), ("STRING", "BYTES"), ("BYTES", "STRING")]);
    let promoted: Vec<_> = promoted.collect();
    for (reader, reader_word) in TYPES.iter().zip(WORDS) {
        for (writer, writer_word) in TYPES.iter().zip(WORDS) {
            let fits = reader_word == writer_word || promoted.contains(&(writer_word, reader_word));
            let misfit =
                format!("TYPE_MISMATCH / reader type: {reader_word} not compatible with writer type: {writer_word}");
            let expected: &[&str] = if fits { &[] } else { &[&misfit] };
            check(reader, writer, expected);
        }
    }
}

#[test]
fn names_are_compared_without_namespaces_unless_an_alias_says_otherwise() {
    for (kind, rest) in [("record", r#""fields":[]"#), ("enum", r#""symbols":["A"]"#), ("fixed", r#""size":2"#)] {
        let named = |name: &str, more: &str| format!(r#"{{"type":"{kind}","name":"{name}",{rest}{more}}}"#);
        check(&named("a.N", ""), &named("b.N", ""), &[]);
        check(&named("a.N", ""), &named("a.M", ""), &["NAME_MISMATCH /name expected: a.M"]);
        // Short aliases stand in the namespace of the type; aliases are compared in full.
        check(&named("a.N", r#","aliases":["M"]"#), &named("a.M", ""), &[]);
        check(&named("a.N", r#","aliases":["b.M"]"#), &named("b.M", ""), &[]);
        check(&named("a.N", r#","aliases":["M"]"#), &named("b.M", ""), &["NAME_MISMATCH /name expected: b.M"]);
        // The writer's aliases mean nothing.
        check(&named("a.N", ""), &named("a.M", r#","aliases":["N"]"#), &["NAME_MISMATCH /name expected: a.M"]);
    }
}

#[test]
fn a_field_must_be_in_the_writer_or_have_a_default() {
    let writer = record(r#"{"name":"a","type":"int"}"#);
    let also = |field: &str| record(&format!(r#"{{"name":"a","type":"int"}},{field}"#));
    let missing = "READER_FIELD_MISSING_DEFAULT_VALUE /fields/1 b";
    check(&also(r#"{"name":"b","type":"int"}"#), &writer, &[missing]);
    check(&also(r#"{"name":"b","type":"int","default":1}"#), &writer, &[]);
    check(&also(r#"{"name":"b","type":["null","int"]}"#), &writer, &[missing]);
    check(&also(r#"{"name":"b","type":["null","int"],"default":null}"#), &writer, &[]);
    check(&record(""), &writer, &[]);
    // Fields go by name, whatever their place.
    let swapped = record(r#"{"name":"b","type":"string"},{"name":"a","type":"long"}"#);
    check(&swapped, &also(r#"{"name":"b","type":"string"}"#), &[]);
}

#[test]
fn an_enum_with_a_default_of_its_own_does_not_make_up_for_a_missing_field() {
    let with = |default: &str| {
        record(&format!(r#"{{"name":"e","type":{{"type":"enum","name":"E","symbols":["A"]{default}}}}}"#))
    };
    check(
        &with(r#","default":"A""#),
        &record(""),
        &["TYPE_MISMATCH /fields/0/type reader type: ENUM not compatible with writer type: RECORD"],
    );
    check(&with(""), &record(""), &["READER_FIELD_MISSING_DEFAULT_VALUE /fields/0 e"]);
}

#[test]
fn fields_go_by_the_readers_aliases() {
    let reader = record(r#"{"name":"b","type":"long","aliases":["x","a"]}"#);
    check(&reader, &record(r#"{"name":"a","type":"int"}"#), &[]);
    check(
        &reader,
        &record(r#"{"name":"a","type":"string"}"#),
        &["TYPE_MISMATCH /fields/0/type reader type: LONG not compatible with writer type: STRING"],
    );
    let writer = record(r#"{"name":"a","type":"long","aliases":["b"]}"#);
    check(&record(r#"{"name":"b","type":"long"}"#), &writer, &["READER_FIELD_MISSING_DEFAULT_VALUE /fields/0 b"]);
}

#[test]
fn a_field_that_could_be_read_from_two_is_not_compared() {
    let reader = parse(&record(r#"{"name":"b","type":"long","aliases":["a"]},{"name":"c","type":"int"}"#));
    let writer = parse(&record(r#"{"name":"a","type":"int"},{"name":"b","type":"long"}"#));
    let found = compat::differences(&reader, &writer, Direction::Backward);
    let messages: Vec<&str> = found.iter().map(|found| found.message.as_str()).collect();
    let text = "Unexpected exception during compatibility check: Reader record field b type:LONG pos:0 matches \
                multiple fields in writer record schema R";
    assert_eq!(messages, [text]);
}

#[test]
fn symbols_must_be_known_or_have_a_default_to_become() {
    let symbols = |list: &str, more: &str| format!(r#"{{"type":"enum","name":"E","symbols":[{list}]{more}}}"#);
    let writer = symbols(r#""C","B","A""#, "");
    check(&symbols(r#""A""#, ""), &writer, &["MISSING_ENUM_SYMBOLS /symbols [B, C]"]);
    check(&symbols(r#""A""#, r#","default":"A""#), &writer, &[]);
    check(&symbols(r#""D","A","B","C""#, ""), &writer, &[]);
    // A default of the writer's does not count.
    let defaulted = symbols(r#""A","B""#, r#","default":"A""#);
    check(&symbols(r#""A""#, ""), &defaulted, &["MISSING_ENUM_SYMBOLS /symbols [B]"]);
}

#[test]
fn a_fixed_keeps_its_size() {
    let fixed = |name: &str, size: u32| format!(r#"{{"type":"fixed","name":"{name}","size":{size}}}"#);
    check(&fixed("F", 8), &fixed("F", 4), &["FIXED_SIZE_MISMATCH /size expected: 4, found: 8"]);
    check(
        &fixed("G", 8),
        &fixed("F", 4),
        &["NAME_MISMATCH /name expected: F", "FIXED_SIZE_MISMATCH /size expected: 4, found: 8"],
    );
    check(&fixed("F", 0), &fixed("F", 0), &[]);
}

#[test]
fn of_a_writers_union_each_branch_must_be_readable() {
    check(r#"["null","int"]"#, r#"["int","null"]"#, &[]);
    check(r#"["null","long"]"#, r#"["null","int"]"#, &[]);
    check(
        r#"["null","int"]"#,
        r#"["null","int","string"]"#,
        &["MISSING_UNION_BRANCH /2 reader union lacking writer type: STRING"],
    );
    check(
        r#"["null","int"]"#,
        r#"["boolean","int","string"]"#,
        &[
            "MISSING_UNION_BRANCH /0 reader union lacking writer type: BOOLEAN",
            "MISSING_UNION_BRANCH /2 reader union lacking writer type: STRING",
        ],
    );
    // A reader without a union is told what does not fit, a reader with one only that a branch is missing.
    check(r#""long""#, r#"["int","long"]"#, &[]);
    check(
        r#""long""#,
        r#"["null","int","string"]"#,
        &[
            "TYPE_MISMATCH /0 reader type: LONG not compatible with writer type: NULL",
            "TYPE_MISMATCH /2 reader type: LONG not compatible with writer type: STRING",
        ],
    );
    check("[]", "[]", &[]);
    check("[]", r#"["int"]"#, &["MISSING_UNION_BRANCH /0 reader union lacking writer type: INT"]);
    check(r#""int""#, "[]", &[]);
}

#[test]
fn of_a_readers_union_one_branch_must_fit() {
    check(r#"["null","double"]"#, r#""int""#, &[]);
    check(r#"["null","boolean"]"#, r#""int""#, &["MISSING_UNION_BRANCH / reader union lacking writer type: INT"]);
    let inner = |field: &str| format!(r#"{{"type":"record","name":"I","fields":[{{"name":"{field}","type":"int"}}]}}"#);
    // Why the record of the same name does not fit is not told.
    check(
        &format!(r#"["null",{}]"#, inner("b")),
        &inner("a"),
        &["MISSING_UNION_BRANCH / reader union lacking writer type: RECORD"],
    );
    let field = |of: &str| record(&format!(r#"{{"name":"f","type":{of}}}"#));
    check(
        &field(&format!(r#"["null",{}]"#, inner("b"))),
        &field(&format!(r#"["null",{}]"#, inner("a"))),
        &["MISSING_UNION_BRANCH /fields/0/type/1 reader union lacking writer type: RECORD"],
    );
}

#[test]
fn places_are_pointers_from_the_root() {
    let field = |of: &str| record(&format!(r#"{{"name":"z","type":"int"}},{{"name":"f","type":{of}}}"#));
    let array = |of: &str| format!(r#"{{"type":"array","items":{of}}}"#);
    let map = |of: &str| format!(r#"{{"type":"map","values":{of}}}"#);
    let misfit = "reader type: INT not compatible with writer type: STRING";
    check(
        &field(&array(&map(r#""int""#))),
        &field(&array(&map(r#""string""#))),
        &[&format!("TYPE_MISMATCH /fields/1/type/items/values {misfit}")],
    );
    check(&array(r#""int""#), &array(r#"["string"]"#), &[&format!("TYPE_MISMATCH /items/0 {misfit}")]);
    check(
        &field(r#"{"type":"enum","name":"E","symbols":["A"]}"#),
        &field(r#"{"type":"enum","name":"F","symbols":["B"]}"#),
        &["NAME_MISMATCH /fields/1/type/name expected: F", "MISSING_ENUM_SYMBOLS /fields/1/type/symbols [B]"],
    );
}

#[test]
fn what_was_found_in_a_type_is_told_again_with_its_first_place_wherever_the_type_is_used() {
    let uses = |of: &str| {
        let inner = format!(r#"{{"type":"record","name":"I","fields":[{{"name":"x","type":"{of}"}}]}}"#);
        record(&format!(r#"{{"name":"a","type":{inner}}},{{"name":"b","type":"I"}}"#))
    };
    let misfit = "TYPE_MISMATCH /fields/0/type/fields/0/type reader type: INT not compatible with writer type: STRING";
    check(&uses("int"), &uses("string"), &[misfit, misfit]);
}

#[test]
fn a_type_first_met_in_a_branch_keeps_the_place_it_has_there() {
    let uses = |of: &str| {
        let inner = format!(r#"{{"type":"record","name":"I","fields":[{{"name":"x","type":"{of}"}}]}}"#);
        record(&format!(r#"{{"name":"a","type":["null",{inner}]}},{{"name":"b","type":"I"}}"#))
    };
    check(
        &uses("int"),
        &uses("string"),
        &[
            "MISSING_UNION_BRANCH /fields/0/type/1 reader union lacking writer type: RECORD",
            "TYPE_MISMATCH /fields/0/type reader type: INT not compatible with writer type: STRING",
        ],
    );
}

#[test]
fn a_pair_met_inside_itself_counts_as_compatible() {
    let list = |of: &str| record(&format!(r#"{{"name":"next","type":["null","R"]}},{{"name":"v","type":"{of}"}}"#));
    check(&list("long"), &list("int"), &[]);
    check(
        &list("int"),
        &list("long"),
        &["TYPE_MISMATCH /fields/1/type reader type: INT not compatible with writer type: LONG"],
    );
    // The reader's and the writer's recursion may differ in form.
    let other = record(
        r#"{"name":"next","type":["null",{"type":"record","name":"R2","aliases":["R"],"fields":[
        {"name":"next","type":["null","R"]},{"name":"v","type":"int"}]}]},{"name":"v","type":"int"}"#,
    );
    check(&other, &list("int"), &[]);
}

#[test]
fn logical_types_docs_orders_and_properties_take_no_part() {
    let decimal = |precision: u32| {
        record(&format!(
            r#"{{"name":"a","doc":"{precision}","order":"ignore","p":{precision},"type":
                {{"type":"bytes","logicalType":"decimal","precision":{precision}}}}}"#
        ))
    };
    check(&decimal(4), &decimal(8), &[]);
    check(
        &record(r#"{"name":"a","type":{"type":"long","logicalType":"timestamp-millis"}}"#),
        &record(r#"{"name":"a","type":"int"}"#),
        &[],
    );
    check(r#"{"type":"string","logicalType":"uuid"}"#, r#""bytes""#, &[]);
}

#[test]
fn messages_are_the_references_with_the_sides_of_the_direction() {
    let new = parse(r#"{"type":"enum","name":"a.E","symbols":["A"]}"#);
    let old = parse(r#"{"type":"enum","name":"a.F","symbols":["A","B"]}"#);
    let messages = |direction| -> Vec<String> {
        compat::differences(&new, &old, direction).into_iter().map(|found| found.message).collect()
    };
    let name = |expected: &str| {
        format!(
            "{{errorType:'NAME_MISMATCH', description:'The name of the schema has changed (path '/name')', \
                 additionalInfo:'expected: a.{expected}'}}"
        )
    };
    let symbols = "{errorType:'MISSING_ENUM_SYMBOLS', description:'The new schema is missing enum symbols '[B]' at \
                   path '/symbols' in the old schema', additionalInfo:'[B]'}";
    assert_eq!(messages(Direction::Backward), [name("F"), symbols.to_owned()]);
    assert_eq!(messages(Direction::Forward), [name("E")]);
}

#[test]
fn texts_of_a_schema_are_not_taken_for_places_in_a_message() {
    let new = parse(&record(r#"{"name":"P","type":"int"},{"name":"I","type":"int"}"#));
    let found = compat::differences(&new, &parse(&record("")), Direction::Forward);
    assert_eq!(found, []);
    let found = compat::differences(&new, &parse(&record("")), Direction::Backward);
    let text = "{errorType:'READER_FIELD_MISSING_DEFAULT_VALUE', description:'The field 'P' at path '/fields/0' in \
                the new schema has no default value and is missing in the old schema', additionalInfo:'P'}";
    assert_eq!(found[0].message, text);
}

/// Records that use the next one twice: what is found in the last doubles at each level.
fn doubling(levels: usize, last: &str) -> String {
    let mut text = format!(r#"{{"type":"record","name":"L0","fields":[{{"name":"x","type":"{last}"}}]}}"#);
    for level in 1..=levels {
        let below = level - 1;
        text = format!(
            r#"{{"type":"record","name":"L{level}","fields":[{{"name":"a","type":{text}}},{{"name":"b","type":"L{below}"}}]}}"#
        );
    }
    text
}

#[test]
fn findings_that_double_at_every_level_are_cut_not_copied() {
    let (reader, writer) = (parse(&doubling(60, "int")), parse(&doubling(60, "string")));
    let found = compat::differences(&reader, &writer, Direction::Backward);
    let bytes: usize = found.iter().map(|found| found.message.len()).sum();
    assert!(found.len() > 1_000 && bytes < 8 << 20, "{} findings, {bytes} bytes", found.len());
    let few = compat::differences(&parse(&doubling(3, "int")), &parse(&doubling(3, "string")), Direction::Backward);
    assert_eq!(few.len(), 8);
}

#[test]
fn unions_of_very_many_records_end_with_a_clear_answer() {
    let union = |field: &str, count: usize| {
        let branch =
            |n: usize| format!(r#"{{"type":"record","name":"B{n}","fields":[{{"name":"{field}{n}","type":"int"}}]}}"#);
        format!("[{}]", (0..count).map(branch).collect::<Vec<_>>().join(","))
    };
    let found = compat::differences(&parse(&union("a", 300)), &parse(&union("b", 300)), Direction::Backward);
    assert_eq!(found.len(), 300);
    let found = compat::differences(&parse(&union("a", 9_000)), &parse(&union("b", 9_000)), Direction::Backward);
    assert_eq!(found.len(), 1);
    assert!(found[0].message.starts_with("Unexpected exception during compatibility check: comparing the types takes"));
    // However many, what is the same fits.
    let found = compat::differences(&parse(&union("a", 9_000)), &parse(&union("a", 9_000)), Direction::Backward);
    assert_eq!(found, []);
}

#[test]
fn a_field_that_reads_two_fields_is_ambiguous_even_to_its_own_schema() {
    let text = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int","aliases":["b"]},{"name":"b","type":"int"}]}"#;
    let found = compat::differences(&parse(text), &parse(text), Direction::Backward);
    assert!(found[0].message.contains("matches multiple fields"), "{found:?}");
}

#[test]
fn places_deep_inside_are_told_in_full() {
    let nested = |last: &str| {
        let inner = format!(r#"{{"type":"record","name":"C0","fields":[{{"name":"n","type":"{last}"}}]}}"#);
        (1..60).fold(inner, |inner, at| {
            format!(r#"{{"type":"record","name":"C{at}","fields":[{{"name":"n","type":{inner}}}]}}"#)
        })
    };
    let place = "/fields/0/type".repeat(60);
    let misfit = format!("TYPE_MISMATCH {place} reader type: INT not compatible with writer type: STRING");
    check(&nested("int"), &nested("string"), &[&misfit]);
}

/// Schemas of a few types that use each other at will. Fields without aliases: with them a schema may be ambiguous to
/// itself.
fn schema() -> impl Strategy<Value = String> {
    let leaf = proptest::sample::select(vec![
        r#""null""#,
        r#""int""#,
        r#""long""#,
        r#""double""#,
        r#""string""#,
        r#""bytes""#,
        r#""R0""#,
        r#""R1""#,
        r#"["null","R1"]"#,
        r#"["null","long"]"#,
        r#"["int","string"]"#,
        r#"{"type":"array","items":"R0"}"#,
        r#"{"type":"map","values":["null","R1","string"]}"#,
    ]);
    let fields = proptest::collection::vec((leaf, any::<bool>()), 0..4);
    proptest::collection::vec(fields, 2).prop_map(|records| {
        let body = |fields: &[(&str, bool)]| {
            let field = |(n, (of, second)): (usize, &(&str, bool))| {
                let name = if *second { "g" } else { "f" };
                format!(r#"{{"name":"{name}{n}","type":{of}}}"#)
            };
            fields.iter().enumerate().map(field).collect::<Vec<_>>().join(",")
        };
        format!(
            r#"{{"type":"record","name":"R0","fields":[{{"name":"one","type":{{"type":"record","name":"R1","fields":[{}]}}}}{}{}]}}"#,
            body(&records[1]),
            if records[0].is_empty() { "" } else { "," },
            body(&records[0])
        )
    })
}

proptest! {
    #[test]
    fn a_schema_is_compatible_with_itself(text in schema()) {
        let schema = parse(&text);
        prop_assert_eq!(compat::differences(&schema, &schema, Direction::Backward), []);
        prop_assert_eq!(compat::differences(&schema, &parse(&text), Direction::Forward), []);
        // Said in other words, so that it is compared type by type.
        let documented = parse(&text.replacen('{', r#"{"doc":"again","#, 1));
        prop_assert_eq!(compat::differences(&schema, &documented, Direction::Forward), []);
    }

    #[test]
    fn the_directions_are_one_another_with_the_sides_exchanged(a in schema(), b in schema()) {
        let (a, b) = (parse(&a), parse(&b));
        let forward = compat::differences(&a, &b, Direction::Forward);
        let backward = compat::differences(&b, &a, Direction::Backward);
        let places = |found: &[sluice_schema::Difference]| -> Vec<(&'static str, String)> {
            found.iter().map(|found| (found.kind, found.path.clone())).collect()
        };
        prop_assert_eq!(places(&forward), places(&backward));
    }
}
