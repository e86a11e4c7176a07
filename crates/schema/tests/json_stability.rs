//! Printing and loading are stable on mutated JSON Schema texts, and nothing panics: parse, print, normalise, load,
//! tags, comparison with itself, validation of data.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod mutation;

use std::time::{Duration, Instant};

use mutation::{changed, changes};
use proptest::prelude::*;
use sluice_schema::compat::{self, Direction};
use sluice_schema::{Format, InvalidSchema, Schema, SchemaType, ValidateFields};

const SEEDS: [&str; 5] = [
    r##"{"$schema":"http://json-schema.org/draft-07/schema#","$id":"http://h/a.json","title":"T","type":"object","properties":{"a":{"type":["string","null"],"maxLength":3,"confluent:tags":["PII"]},"b":{"$ref":"#/definitions/d"},"c":{"type":"array","items":[{"type":"integer","minimum":1.50},{}],"additionalItems":{"type":"null"}}},"required":["a"],"dependencies":{"a":["b"],"b":{"required":["c"]}},"definitions":{"d":{"enum":[1,1.0,"x",null,{"a":[]}]}}}"##,
    r##"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"object","properties":{"a":{"$ref":"#/$defs/d"},"b":{"prefixItems":[{"type":"string"}],"items":false,"contains":{},"minContains":2}},"patternProperties":{"^x":{"not":{"const":1}}},"unevaluatedProperties":false,"$defs":{"d":{"$anchor":"here","type":"string","format":"date"}},"dependentSchemas":{"a":{"$ref":"#here"}}}"##,
    r##"{"oneOf":[{"type":"string","minLength":1},{"$ref":"#"},{"allOf":[{"minimum":1e2},{"maximum":1e-7,"multipleOf":0.10}]}],"anyOf":[{"if":{"type":"null"},"then":{},"else":{"not":{}}},{"const":{"a":1}}]}"##,
    r##"{"$schema":"http://json-schema.org/draft-04/schema#","id":"http://h/b.json","minimum":1,"exclusiveMinimum":true,"properties":{"next":{"$ref":"#"}}}"##,
    r##"{"$schema":"https://json-schema.org/draft/2019-09/schema","anyOf":[{"type":"object","properties":{"p":{"type":"number"}},"additionalProperties":{"type":"boolean"}},{"type":["array","null"],"uniqueItems":true}],"description":"d\u00e9\n"}"##,
];

const TOKENS: [&str; 36] = [
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"",
    "\\",
    "\\u0041",
    "\\ud800",
    "é",
    "0",
    "-1",
    "1.0",
    "1e5",
    "1E-400",
    "true",
    "false",
    "null",
    "NaN",
    " ",
    "\"type\":",
    "\"$ref\":\"#\"",
    "\"$ref\":\"#/definitions/d\"",
    "\"properties\":{",
    "\"items\":",
    "\"allOf\":[",
    "\"oneOf\":[",
    "\"not\":",
    "\"enum\":[",
    "\"const\":",
    "\"required\":[\"a\"]",
    "\"$id\":\"x/y\"",
    "\"definitions\":{",
    "\"string\"",
    "\"object\"",
];

fn parse(text: &str) -> Result<Schema, InvalidSchema> {
    Schema::parse(SchemaType::Json, text, [].into(), [].into())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn mutated_texts_print_stably_and_never_panic(seed in prop::sample::select(&SEEDS[..]), changes in changes(&TOKENS)) {
        let text = changed(seed, &changes);
        let Ok(schema) = parse(&text) else { return Ok(()) };
        let again = parse(schema.canonical_text()).unwrap();
        prop_assert_eq!(again.canonical_text(), schema.canonical_text());
        let normal = schema.normalize().unwrap();
        let normal_again = parse(normal.canonical_text()).unwrap().normalize().unwrap();
        prop_assert_eq!(normal_again.canonical_text(), normal.canonical_text());
        schema.tagged_entities();
        let _ = schema.render(Format::Logical);
        let valid = schema.validate(ValidateFields::Yes).is_ok();
        prop_assert_eq!(again.validate(ValidateFields::Yes).is_ok(), valid);
        if valid {
            prop_assert_eq!(compat::differences(&schema, &again, Direction::Backward), []);
            let Schema::Json(json) = &schema else { panic!("not JSON") };
            if let Ok(validator) = json.validator() {
                let _ = validator.check(br#"{"a":"x","b":[1,2.5,{"next":null}]}"#);
            }
        }
    }
}

#[test]
fn texts_made_to_explode_end_within_the_caps() {
    let nested = |open: &str, close: &str, depth: usize| open.repeat(depth) + "{}" + &close.repeat(depth);
    // Every level refers twice to the next: 2^60 ways through.
    let doubled: Vec<String> = (0..60)
        .map(|n| {
            format!(r##""d{n}":{{"allOf":[{{"$ref":"#/definitions/d{0}"}},{{"$ref":"#/definitions/d{0}"}}]}}"##, n + 1)
        })
        .collect();
    let doubled = format!(r##"{{"$ref":"#/definitions/d0","definitions":{{{},"d60":{{}}}}}}"##, doubled.join(","));
    let huge_enum = format!(r#"{{"enum":[{}]}}"#, (0..100_000).map(|n| n.to_string()).collect::<Vec<_>>().join(","));
    let many = format!(
        r#"{{"properties":{{{}}}}}"#,
        (0..40_000).map(|n| format!(r#""p{n}":{{"type":"string"}}"#)).collect::<Vec<_>>().join(",")
    );
    let union = format!(r#"{{"anyOf":[{}{{}}]}}"#, r#"{"type":"string"},"#.repeat(40_000));
    for text in [
        nested(r#"{"allOf":["#, "]}", 120),
        nested(r#"{"not":"#, "}", 250),
        nested(r#"{"properties":{"a":"#, "}}", 120),
        doubled,
        huge_enum,
        many,
        union,
        format!("{}{}", "[".repeat(500_000), "]".repeat(500_000)),
        format!(r#"{{"minimum":1e{}}}"#, "9".repeat(900)),
    ] {
        let start = Instant::now();
        let outcome = parse(&text).and_then(|schema| {
            schema.validate(ValidateFields::Yes)?;
            schema.tagged_entities();
            schema.normalize()?;
            let _ = schema.render(Format::Logical);
            Ok(compat::differences(&schema, &schema, Direction::Backward))
        });
        let took = start.elapsed();
        // Generous for an unoptimised build on a busy machine: without the caps it would be hours.
        assert!(took < Duration::from_secs(30), "{took:?} for {}", &text[..60]);
        match outcome {
            Ok(differences) => assert_eq!(differences, [], "{}", &text[..60]),
            Err(InvalidSchema::TooComplex(_) | InvalidSchema::Syntax(_)) => {}
            Err(other) => panic!("{other}"),
        }
    }
}
