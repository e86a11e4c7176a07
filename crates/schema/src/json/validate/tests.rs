use super::*;
use crate::{Reference, ResolvedReference};

fn schema(text: &str, documents: &[(&str, &str)]) -> JsonSchema {
    let resolved = documents.iter().map(|(name, text)| ResolvedReference {
        name: (*name).into(),
        subject: "s".into(),
        version: 1,
        text: (*text).into(),
        references: Arc::from(Vec::<Reference>::new()),
    });
    JsonSchema::parse(text, [].into(), resolved.collect()).unwrap()
}

fn check(text: &str, data: &str) -> Result<(), String> {
    schema(text, &[]).validator().unwrap().check(data.as_bytes()).map_err(|mismatch| mismatch.to_string())
}

#[test]
fn data_fits_or_is_told_where_it_does_not() {
    let person = r#"{"type":"object","properties":{"name":{"type":"string"},"age":{"type":"integer","minimum":0}},"required":["name"],"additionalProperties":false}"#;
    let fails = |what: &str| Err(what.to_owned());
    for (schema, data, expected) in [
        (person, r#"{"name":"x","age":3}"#, Ok(())),
        (person, r#"{"age":1}"#, fails("#: required key [name] not found")),
        (person, r#"{"name":1}"#, fails("#/name: expected type: String, found: Integer")),
        (person, r#"{"name":"x","age":-1}"#, fails("#/age: -1 is not greater or equal to 0")),
        (person, r#"{"name":"x","age":1.5}"#, fails("#/age: expected type: Integer, found: Double")),
        (person, r#"{"name":"x","age":1.0}"#, fails("#/age: expected type: Integer, found: Double")),
        (person, r#"{"name":"x","other":1}"#, fails("#: extraneous key [other] is not permitted")),
        (person, "[]", fails("#: expected type: JSONObject, found: JSONArray")),
        (person, "null", fails("#: expected type: JSONObject, found: null")),
        (r#"{"type":"integer"}"#, "123456789012345678901234567890", Ok(())),
        (r#"{"type":"string","maxLength":2}"#, r#""abc""#, fails("#: expected maxLength: 2, actual: 3")),
        (
            r#"{"type":"array","items":{"type":"integer"}}"#,
            r#"[1,"x"]"#,
            fails("#/1: expected type: Integer, found: String"),
        ),
        (r#"{"type":["string","null"]}"#, "null", Ok(())),
        (r#"{"enum":["a","b"]}"#, r#""c""#, fails("#: c is not a valid enum value")),
        (
            r#"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#,
            "true",
            fails("#: #: 0 subschemas matched instead of one"),
        ),
        (person, r#"{"name":null}"#, fails("#/name: expected type: String, found: Null")),
        (person, r#"{"age":-1,"x":1,"y":2}"#, fails("#: 4 schema violations found")),
        (
            r#"{"properties":{"a":{"required":["x","y"],"properties":{"z":{"type":"string"}}}}}"#,
            r#"{"a":{"z":1}}"#,
            fails("#/a: 3 schema violations found"),
        ),
        (r#"{"minItems":2,"uniqueItems":true}"#, "[1]", fails("#: expected minimum item count: 2, found: 1")),
        (r#"{"maxItems":1}"#, "[1,1]", fails("#: expected maximum item count: 1, found: 2")),
        (r#"{"uniqueItems":true}"#, "[1,1]", fails("#: array items are not unique")),
        (r#"{"items":[{}],"additionalItems":false}"#, "[1,2]", fails("#: expected: [1] array items, found: [2]")),
        (r#"{"minProperties":1}"#, "{}", fails("#: minimum size: [1], found: [0]")),
        (r#"{"dependencies":{"a":["b"]}}"#, r#"{"a":1}"#, fails("#: property [b] is required")),
        (r#"{"propertyNames":{"pattern":"^a"}}"#, r#"{"b":1}"#, fails("#/b: string [b] does not match pattern ^a")),
        (r#"{"const":1}"#, "2", fails("#: ")),
        (
            r#"{"not":{"type":"string"}}"#,
            r#""a""#,
            fails(r#"#: subject must not be valid against schema {"type":"string"}"#),
        ),
        (
            r#"{"oneOf":[{"type":"integer"},{"minimum":2},{"maximum":1}]}"#,
            "3",
            fails("#: #: 2 subschemas matched instead of one"),
        ),
        (r#"{"type":["string","null"]}"#, "1", fails("#: #: no subschema matched out of the total 2 subschemas")),
        (
            r#"{"type":"string","format":"date"}"#,
            r#""not a date""#,
            fails("#: [not a date] is not a valid date. Expected [yyyy-MM-dd]"),
        ),
        ("true", "1", Ok(())),
        ("false", "1", fails("#: false schema always fails")),
        (r#"{"pattern":"^a","type":"string"}"#, r#""b""#, fails("#: string [b] does not match pattern ^a")),
        (
            r##"{"properties":{"a":{"$ref":"#/definitions/n"}},"definitions":{"n":{"type":"integer"}}}"##,
            r#"{"a":"x"}"#,
            fails("#/a: expected type: Integer, found: String"),
        ),
        (r#"{"$schema":"http://corpus.invalid/mine","type":"integer"}"#, "1", Ok(())),
        // Newer drafts count 1.0 as an integer.
        (r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","type":"integer"}"#, "1.0", Ok(())),
    ] {
        assert_eq!(check(schema, data), expected, "{schema} {data}");
    }
    assert!(check(r#"{"type":"string","format":"date"}"#, r#""not a date""#).is_err());
    assert!(check("{}", "{").unwrap_err().starts_with("#: not JSON: "));
    assert!(check("{}", &"[".repeat(1000)).is_err());
}

#[test]
fn of_members_of_one_name_the_last_is_written_and_a_payload_has_none() {
    let schema = schema(r#"{"properties":{"a":{"type":"integer"}}}"#, &[]);
    let validator = schema.validator().unwrap();
    let written = |json: &str| {
        let mut out = Vec::new();
        validator.encode(json.as_bytes(), &mut out).map(|()| String::from_utf8(out).unwrap()).ok()
    };
    let plain = r#" {"a" : 1.0e0, "b": "\":{\"b\":1,\\", "c":[{"b":null},{"b":":"}]} "#;
    assert_eq!(written(plain), None, "1.0 is no integer");
    let plain = plain.replace("1.0e0", "1");
    assert_eq!(written(&plain).as_deref(), Some(&*plain), "as it stands");
    assert_eq!(validator.check(plain.as_bytes()), Ok(()));
    let twice = r#"{"a":"x","b":[{"c":1,"\u0063":2}],"a":1}"#;
    assert_eq!(written(twice).as_deref(), Some(r#"{"a":1,"b":[{"\u0063":2}]}"#));
    assert_eq!(written(r#"{"a":1,"a":"x"}"#), None);
    let refused = validator.check(twice.as_bytes()).unwrap_err();
    assert_eq!(refused.to_string(), "#: an object has one name twice");
}

#[test]
fn what_fits_gets_its_defaults_which_a_required_property_has_no_use_for() {
    let written = |schema: &str, json: &str| {
        let mut out = Vec::new();
        let schema = self::schema(schema, &[]);
        let done = schema.validator().unwrap().encode(json.as_bytes(), &mut out);
        done.map(|()| String::from_utf8(out).unwrap()).map_err(|mismatch| mismatch.to_string())
    };
    let older = r#"{"type":"object","properties":{"a":{"type":"integer","default":3},"b":{"default":1,"type":"string"}},"required":["a"]}"#;
    assert_eq!(written(older, "{}").unwrap_err(), "#: required key [a] not found");
    assert_eq!(
        written(older, r#"{"a":1}"#).as_deref(),
        Ok(r#"{"a":1,"b":1}"#),
        "a default is not held against anything"
    );
    assert!(written(older, r#"{"a":1,"b":null}"#).is_err(), "null is a value");
    let newer = older.replacen('{', r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","#, 1);
    assert_eq!(written(&newer, r#"{"a":1}"#).as_deref(), Ok(r#"{"a":1}"#));
}

#[test]
fn references_lead_into_the_texts_at_hand_and_nowhere_else() {
    let dep = r#"{"type":"object","properties":{"n":{"$ref":"other.json#/definitions/n"}}}"#;
    let other = r#"{"definitions":{"n":{"type":"integer"}}}"#;
    for (text, name) in [
        (r#"{"properties":{"d":{"$ref":"dep.json"}}}"#, "dep.json"),
        (r#"{"$id":"http://h/main.json","properties":{"d":{"$ref":"dep.json"}}}"#, "dep.json"),
        (r#"{"$id":"http://h/main.json","properties":{"d":{"$ref":"dep.json"}}}"#, "http://h/dep.json"),
        (r#"{"properties":{"d":{"$ref":"http://h/dep.json"}}}"#, "http://h/dep.json"),
        (
            r#"{"$schema":"https://json-schema.org/draft/2020-12/schema","properties":{"d":{"$ref":"dep.json"}}}"#,
            "dep.json",
        ),
    ] {
        let schema = schema(text, &[("other.json", other), (name, dep)]);
        let validator = schema.validator().unwrap();
        assert_eq!(validator.check(br#"{"d":{"n":1}}"#), Ok(()), "{text}");
        assert!(validator.check(br#"{"d":{"n":"x"}}"#).unwrap_err().to_string().starts_with("#/d/n: "), "{text}");
    }
    assert!(schema(r#"{"$ref":"http://127.0.0.1:1/x.json"}"#, &[]).validator().is_err());
    let recursive =
        schema(r##"{"type":"object","properties":{"next":{"$ref":"#"}},"additionalProperties":false}"##, &[]);
    assert_eq!(recursive.validator().unwrap().check(br#"{"next":{"next":{}}}"#), Ok(()));
    assert!(recursive.validator().unwrap().check(br#"{"next":{"next":1}}"#).is_err());
}

/// `d0` leads to `d1` twice by `way`, that to `d2` twice, and so on: 2^60 ways through to `end`.
fn doubling(root: &str, way: impl Fn(&str) -> String, end: &str) -> String {
    let link = |n: usize| {
        let next = format!("{{\"$ref\":\"#/definitions/d{}\"}}", n + 1);
        format!("\"d{n}\":{}", way(&next))
    };
    let links: Vec<String> = (0..60).map(link).collect();
    format!("{{{root}\"$ref\":\"#/definitions/d0\",\"definitions\":{{{},\"d60\":{end}}}}}", links.join(","))
}

#[test]
fn schemas_with_more_ways_through_than_can_be_gone_are_given_up() {
    let newer = "\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",";
    let twice = |keyword: &'static str| move |next: &str| format!("{{\"{keyword}\":[{next},{next}]}}");
    let under = |next: &str| format!("{{\"patternProperties\":{{\"a\":{next},\"a|b\":{next}}}}}");
    let either = |next: &str| {
        let part = format!("{{\"properties\":{{\"a\":{next}}}}}");
        format!("{{\"anyOf\":[{part},{part}]}}")
    };
    let nested = "{\"a\":".repeat(60) + "1" + &"}".repeat(60);
    let nested = nested.as_str();
    let (not_string, no, fits) = ("{\"type\":\"string\"}", "false", "true");
    for root in ["", newer] {
        for (schema, data) in [
            (doubling(root, twice("anyOf"), not_string), "1"),
            (doubling(root, twice("anyOf"), no), "1"),
            (doubling(root, twice("oneOf"), no), "1"),
            (doubling(root, twice("allOf"), fits), "1"),
            (doubling(root, |next| format!("{{\"if\":{next},\"then\":{next}}}"), fits), "1"),
            (doubling(root, |next| format!("{{\"not\":{{\"anyOf\":[{next},{next}]}}}}"), no), "1"),
            (
                doubling(root, |next| format!("{{\"allOf\":[{next}],\"dependencies\":{{\"a\":{next}}}}}"), fits),
                "{\"a\":1}",
            ),
            (doubling(root, under, fits), nested),
            (doubling(root, either, not_string), nested),
        ] {
            // Without a budget this would not end. Where the first way through settles it, it is settled.
            if let Err(said) = check(&schema, data) {
                assert!(said.starts_with("#: whether it fits takes more than "), "{said}");
            }
        }
    }
}

#[test]
fn what_is_settled_by_the_first_alternative_is_settled_and_reasons_may_be_too_many_to_say() {
    let fits = doubling("", |next| format!("{{\"anyOf\":[{next},{next}]}}"), "true");
    assert_eq!(check(&fits, "1"), Ok(()));
    // The first of each pair says no at once; only who asks for all reasons goes on.
    let parts = |next: &str| format!("{{\"anyOf\":[{{\"allOf\":[false,{next},{next}]}},false]}}");
    let reasons = doubling("", parts, "false");
    assert_eq!(check(&reasons, "1"), Err("#: does not fit; where takes too long to say".to_owned()));
}

#[test]
fn long_lists_of_small_alternatives_are_checked_to_their_end() {
    let schema = r#"{"items":{"anyOf":[{"type":"string"},{"type":"null"},{"type":"integer"}]}}"#;
    let list = |last: &str| format!("[{}{last}]", "1,".repeat(100_000));
    assert_eq!(check(schema, &list("2")), Ok(()));
    let refused = check(schema, &list("true")).unwrap_err();
    assert_eq!(refused, "#/100000: #: no subschema matched out of the total 3 subschemas");
}

#[test]
fn counting_changes_neither_pointers_nor_what_data_is_compared_with() {
    let schema = r##"{"properties":{"a":{"const":{"anyOf":[1]}},"allOf":{"enum":[{"not":{}}]},"c":{"$ref":"#/properties/d/allOf/0"},"d":{"allOf":[{"type":"integer"}]}}}"##;
    assert_eq!(check(schema, r#"{"a":{"anyOf":[1]},"allOf":{"not":{}},"c":1,"d":2}"#), Ok(()));
    assert!(check(schema, r#"{"a":{"anyOf":[1],"allOf":[]}}"#).is_err());
    assert!(check(schema, r#"{"c":"x"}"#).is_err());
    // An empty list stays refused where the draft refuses it.
    assert!(self::schema(r#"{"allOf":[]}"#, &[]).validator().is_err());
}

#[test]
fn many_patterns_share_what_one_may_take() {
    let with = |count: usize, pattern: fn(usize) -> String| {
        let named: Vec<String> = (0..count).map(|n| format!("\"{}\":{{}}", pattern(n))).collect();
        schema(&format!("{{\"patternProperties\":{{{}}}}}", named.join(",")), &[])
    };
    let big = |n: usize| format!("^[^x]{{{}}}$", 500 + n);
    assert_eq!(with(3, big).validator().unwrap().check(b"{\"a\":1}"), Ok(()));
    assert!(with(5_000, big).validator().is_err());
    assert_eq!(with(5_000, |n| format!("^a{n}_")).validator().unwrap().check(b"{\"a1_\":1}"), Ok(()));
}

#[test]
fn patterns_that_run_away_are_stopped() {
    let text = r#"{"type":"string","pattern":"^(?=(a+)+$)b"}"#;
    assert!(check(text, &format!("\"{}c\"", "a".repeat(40))).is_err());
}
