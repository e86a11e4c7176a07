use super::super::model::{Criterion, Kind, Model, NodeId};
use super::super::text;
use super::{LoadError, MAX_NODES, Referenced, Refs, load};

fn referenced(documents: &[(&str, &str)]) -> Vec<Referenced> {
    let document = |(name, text): &(&str, &str)| Referenced { name: (*name).into(), document: text::parse(text).ok() };
    documents.iter().map(document).collect()
}

fn loaded(text: &str, documents: &[(&str, &str)]) -> Result<Model, LoadError> {
    load(&text::parse(text).unwrap(), &referenced(documents), Refs::Follow)
}

/// A model in short: classes with what they state, `!` where the type is required, `~` where the reference made the
/// combination up, `+` for its second class. A `$ref` shows its target once.
fn shape(text: &str, documents: &[(&str, &str)]) -> String {
    let model = loaded(text, documents).unwrap();
    show(&model, model.root(), &mut Vec::new())
}

fn show(model: &Model, id: NodeId, seen: &mut Vec<NodeId>) -> String {
    let required = |name: &str, requires: bool| format!("{name}{}", if requires { "!" } else { "" });
    let mut list = |ids: &[NodeId]| ids.iter().map(|id| show(model, *id, seen)).collect::<Vec<_>>().join(" ");
    let mut out = Vec::new();
    let node = model.node(id);
    match &node.kind {
        Kind::Boolean => out.push("boolean".to_owned()),
        Kind::Null => out.push("null".to_owned()),
        Kind::Empty => out.push("empty".to_owned()),
        Kind::True => out.push("true".to_owned()),
        Kind::False => out.push("false".to_owned()),
        Kind::Const(value) => out.push(format!("const={}", text::print(value))),
        Kind::Enum(values) => {
            out.push(format!("enum={}", values.iter().map(text::print).collect::<Vec<_>>().join("|")))
        }
        Kind::Not(not) => out.push(format!("not({})", list(&[*not]))),
        Kind::Combined(combined) => {
            let criterion = match combined.criterion {
                Criterion::All => "all",
                Criterion::Any => "any",
                Criterion::One => "one",
            };
            let made_up = if combined.synthetic { "~" } else { "" };
            let second = if combined.extended { "+" } else { "" };
            out.push(format!("{criterion}{made_up}{second}({})", list(&combined.subschemas)));
        }
        Kind::Conditional(parts) => {
            for (name, part) in [("if", parts.if_schema), ("then", parts.then_schema), ("else", parts.else_schema)] {
                out.extend(part.map(|part| format!("{name}({})", list(&[part]))));
            }
        }
        Kind::Reference(reference) => {
            let target = reference.target;
            if seen.contains(&target) {
                out.push(format!("ref {}", reference.value));
            } else {
                seen.push(target);
                out.push(format!("ref {}({})", reference.value, show(model, target, seen)));
            }
        }
        Kind::String(string) => {
            out.push(required("string", string.requires_string));
            out.extend(string.min_length.map(|length| format!("min={length}")));
            out.extend(string.max_length.map(|length| format!("max={length}")));
            out.extend(string.pattern.as_ref().map(|pattern| format!("pattern={pattern}")));
        }
        Kind::Number(number) => {
            out.push(required(if number.requires_integer { "integer" } else { "number" }, number.requires_number));
            for (name, limit) in [
                ("min", &number.minimum),
                ("max", &number.maximum),
                ("xmin", &number.exclusive_minimum_limit),
                ("xmax", &number.exclusive_maximum_limit),
                ("of", &number.multiple_of),
            ] {
                out.extend(limit.as_ref().map(|limit| format!("{name}={}", limit.text())));
            }
            out.extend(number.exclusive_minimum.then(|| "xmin".to_owned()));
        }
        Kind::Array(array) => {
            out.push(required("array", array.requires_array));
            out.extend(array.all_items.map(|items| format!("items({})", list(&[items]))));
            out.extend(array.items.as_ref().map(|items| format!("items[{}]", list(items))));
            out.extend((!array.additional_items).then(|| "closed".to_owned()));
            out.extend(array.schema_of_additional_items.map(|items| format!("more({})", list(&[items]))));
            out.extend(array.contains.map(|contains| format!("contains({})", list(&[contains]))));
            out.extend(array.min_contains.as_ref().map(|number| format!("minc={}", number.text())));
            out.extend(array.max_contains.as_ref().map(|number| format!("maxc={}", number.text())));
            out.extend(array.min_items.map(|number| format!("min={number}")));
        }
        Kind::Object(object) => {
            out.push(required("object", object.requires_object));
            for (name, id) in object.properties.iter() {
                out.push(format!("{name}({})", list(&[*id])));
            }
            for (name, id) in object.pattern_properties.iter() {
                out.push(format!("/{name}/({})", list(&[*id])));
            }
            out.extend((!object.additional_properties).then(|| "closed".to_owned()));
            out.extend(object.schema_of_additional_properties.map(|id| format!("more({})", list(&[id]))));
            out.extend((!object.required.is_empty()).then(|| format!("required={}", object.required.join("|"))));
            for (name, names) in object.property_dependencies.iter() {
                out.push(format!("{name}=>{}", names.join("|")));
            }
            for (name, id) in object.schema_dependencies.iter() {
                out.push(format!("{name}=>({})", list(&[*id])));
            }
            out.extend(object.property_names.map(|id| format!("names({})", list(&[id]))));
        }
    }
    out.extend(node.title.as_ref().map(|title| format!("'{title}'")));
    out.extend(node.default.as_ref().map(|default| format!("default={}", text::print(default))));
    out.join(" ")
}

#[test]
fn older_drafts_load_as_everit_loads_them() {
    for (schema, expected) in [
        ("{}", "empty"),
        ("true", "true"),
        ("false", "false"),
        (r#"{"title":"t","default":null}"#, "empty 't' default=null"),
        (
            r#"{"type":"object","properties":{"a":{"type":"string","maxLength":3}},"required":["a"]}"#,
            "object! a(string! max=3) required=a",
        ),
        // Keywords tell the type, which then is not required.
        (r#"{"maxLength":3}"#, "string max=3"),
        (r#"{"properties":{"a":true}}"#, "object a(true)"),
        // Keywords of several kinds make an allOf up, in the order of the extractors.
        (r#"{"type":"string","enum":["a"]}"#, r#"all~(enum="a" string!)"#),
        (r#"{"minimum":1,"maxLength":2}"#, "all~(number min=1 string max=2)"),
        (r#"{"type":"string","minimum":1,"title":"t"}"#, "all~(string! number min=1) 't'"),
        (
            r#"{"oneOf":[{"type":"string"},{"type":"integer"}],"anyOf":[{"minimum":1},{"maxLength":2}],"allOf":[{}],"not":{"type":"null"}}"#,
            "all~(all(empty) one(string! integer!) any(number min=1 string max=2) not(null))",
        ),
        (r#"{"const":1,"type":"integer"}"#, "all~(const=1 integer!)"),
        // A list of types is an anyOf; keywords go to the types that they fit.
        (r#"{"type":["string","null"],"minLength":1}"#, "any(string! min=1 null)"),
        (r#"{"type":["string","null"],"minimum":1}"#, "all~(any(string! null) number min=1)"),
        (r#"{"type":["null"]}"#, "any(null)"),
        (r#"{"if":{"required":["a"]},"then":{"required":["b"]}}"#, "if(object required=a) then(object required=b)"),
        // Arrays and tuples.
        (r#"{"type":"array","items":{"type":"string"},"additionalItems":false}"#, "array! items(string!)"),
        (r#"{"items":[{"type":"string"}],"additionalItems":false}"#, "array items[string!] closed"),
        (
            r#"{"items":[true],"additionalItems":{"type":"null"},"contains":{}}"#,
            "array items[true] more(null) contains(empty)",
        ),
        (
            r#"{"dependencies":{"a":["b","b","c"],"d":{"required":["e"]},"f":[]},"patternProperties":{"^x":{}},"propertyNames":{"maxLength":2},"additionalProperties":false}"#,
            "object /^x/(empty) closed a=>b|c d=>(object required=e) names(string max=2)",
        ),
        // What other drafts brought is not seen.
        (
            r#"{"$schema":"http://json-schema.org/draft-04/schema#","const":1,"contains":{},"if":{},"propertyNames":{}}"#,
            "empty",
        ),
        (
            r#"{"$schema":"http://json-schema.org/draft-04/schema#","minimum":1,"exclusiveMinimum":true}"#,
            "number min=1 xmin",
        ),
        (r#"{"$schema":"http://json-schema.org/draft-06/schema#","if":{},"exclusiveMinimum":1.0}"#, "number xmin=1.0"),
        (r#"{"prefixItems":[{}],"dependentRequired":{"a":["b"]},"unevaluatedItems":false}"#, "empty"),
        // Limits of `contains` are read where an array's keywords stand alone.
        (r#"{"type":"array","minContains":2,"maxContains":3.0}"#, "array! minc=2 maxc=3.0"),
        (r#"{"items":{},"minimum":1,"minContains":2}"#, "all~(array items(empty) number min=1)"),
        // An unknown $schema is draft 7.
        (r#"{"$schema":"http://corpus.invalid/my-draft","const":1}"#, "const=1"),
        (r#"{"maxLength":-1}"#, "string max=-1"),
        // Beside $ref only annotations count.
        (
            r##"{"properties":{"a":{"$ref":"#/definitions/d","type":"null","title":"t"}},"definitions":{"d":{"type":"string"}}}"##,
            "object a(ref #/definitions/d(string!) 't')",
        ),
        (r##"{"type":"object","properties":{"next":{"$ref":"#"}}}"##, "object! next(ref #(object! next(ref #)))"),
        (
            r##"{"$ref":"#/definitions/a","definitions":{"a":{"$ref":"#/definitions/b"},"b":{"$ref":"#/definitions/a"}}}"##,
            "ref #/definitions/a(ref #/definitions/b(ref #/definitions/a))",
        ),
        (
            r##"{"properties":{"a/b":{"type":"null"},"c":{"$ref":"#/properties/a~1b"}}}"##,
            "object a/b(null) c(ref #/properties/a~1b(null))",
        ),
        (r##"{"allOf":[{"type":"null"},{"$ref":"#/allOf/0"}]}"##, "all(null ref #/allOf/0(null))"),
        // Ids are found as they are written.
        (r##"{"$ref":"#foo","definitions":{"a":{"$id":"#foo","type":"null"}}}"##, "ref #foo(null)"),
        (
            r##"{"$id":"http://h/root.json","$ref":"http://h/part.json","definitions":{"a":{"$id":"http://h/part.json","type":"null"}}}"##,
            "ref http://h/part.json(null)",
        ),
        (r#"{"enum":[1,1.0,"a",null,{"a":[]}]}"#, r#"enum=1|1.0|"a"|null|{"a":[]}"#),
    ] {
        assert_eq!(shape(schema, &[]), expected, "{schema}");
    }
}

#[test]
fn newer_drafts_are_folded_into_the_same_shapes() {
    for (schema, expected) in [
        ("{}", "empty"),
        (
            r#"{"type":"object","properties":{"a":{"type":"string"},"b":{}},"required":["a"]}"#,
            "object! a(string!) b(empty) required=a",
        ),
        (r#"{"properties":{"a":true}}"#, "object a(true)"),
        (r#"{"type":"string","format":"date","minLength":1,"title":"t"}"#, "string! min=1 't'"),
        (r#"{"type":"string","enum":["a"]}"#, r#"all~+(string! enum="a")"#),
        (r#"{"minimum":1,"maxLength":2,"maximum":3}"#, "all~+(number min=1 max=3 string max=2)"),
        (r#"{"type":["string","null"],"minLength":1}"#, "any~+(string! min=1 null)"),
        (r#"{"type":["string","null"],"minimum":1}"#, "all~+(any~+(string! null) number min=1)"),
        (r#"{"oneOf":[{"type":"string"},{"type":"integer"}]}"#, "one+(string! integer!)"),
        // What one part made up is taken apart in any combination.
        (r#"{"anyOf":[{"type":"string","enum":["a"]},{"type":"null"}]}"#, r#"any+(string! enum="a" null)"#),
        // A lone combination beside a keyword of no effect is built anew.
        (r#"{"format":"x","oneOf":[{"type":"null"}]}"#, "one(null)"),
        (r#"{"type":"array","prefixItems":[{"type":"string"}],"items":false}"#, "array! items[string!] closed"),
        (r#"{"prefixItems":[true],"items":{"type":"null"}}"#, "array items[true] more(null)"),
        (r#"{"type":"array","items":{"type":"null"}}"#, "array! items(null)"),
        (r#"{"items":true}"#, "array"),
        (r#"{"type":"array","contains":{"type":"string"}}"#, "array! contains(string!) minc=1"),
        (r#"{"type":"array","contains":{},"minContains":2,"maxContains":3}"#, "array! contains(empty) minc=2 maxc=3"),
        // The limits are lost by what is read after them.
        (r#"{"contains":{},"maxContains":3,"minItems":1}"#, "array contains(empty) min=1"),
        (r#"{"minItems":1,"contains":{},"x-mine":1}"#, "array contains(empty) min=1"),
        (
            r#"{"dependentRequired":{"a":["b"]},"dependentSchemas":{"c":{"required":["d"]}}}"#,
            "object a=>b c=>(object required=d)",
        ),
        (r#"{"additionalProperties":false,"patternProperties":{"^x":{}}}"#, "object /^x/(empty) closed"),
        (r#"{"additionalProperties":true}"#, "object"),
        (r#"{"additionalProperties":{}}"#, "object more(empty)"),
        (r#"{"type":"object","unevaluatedProperties":false}"#, "object!"),
        (r#"{"if":{"type":"null"},"then":{},"else":false}"#, "if(null) then(empty) else(false)"),
        (r#"{"then":{},"else":false}"#, "empty"),
        (r##"{"type":"object","properties":{"next":{"$ref":"#"}}}"##, "object! next(ref (object! next(ref )))"),
        (
            r##"{"properties":{"a":{"$ref":"#/$defs/d"}},"$defs":{"d":{"type":"string"}}}"##,
            "object a(ref #/$defs/d(string!))",
        ),
        (
            r##"{"$ref":"#/$defs/d","type":"object","$defs":{"d":{"type":"object"}}}"##,
            "all~+(ref #/$defs/d(object!) object!)",
        ),
        (r##"{"$ref":"#here","$defs":{"d":{"$anchor":"here","type":"null"}}}"##, "ref #here(null)"),
        (
            r##"{"$id":"http://h/root.json","$ref":"part.json#/properties/a","$defs":{"d":{"$id":"part.json","properties":{"a":{"type":"null"}}}}}"##,
            "ref http://h/part.json#/properties/a(null)",
        ),
        (r#"{"maxLength":2.7}"#, "string max=2"),
    ] {
        for draft in ["2019-09", "2020-12"] {
            let rest = schema.strip_prefix('{').unwrap();
            let comma = if rest == "}" { "" } else { "," };
            let schema = format!("{{\"$schema\":\"https://json-schema.org/draft/{draft}/schema\"{comma}{rest}");
            assert_eq!(shape(&schema, &[]), expected, "{schema}");
        }
    }
}

#[test]
fn references_lead_into_other_documents() {
    let dep = r#"{"$id":"http://h/dep.json","type":"object","definitions":{"X":{"type":"null"}}}"#;
    let new = r#""$schema":"https://json-schema.org/draft/2020-12/schema","#;
    for (schema, documents, expected) in [
        // By absolute address, relative to the id of the root, and by bare name.
        (
            r#"{"$ref":"http://h/dep.json"}"#.to_owned(),
            vec![("http://h/dep.json", dep)],
            "ref http://h/dep.json(object!)",
        ),
        (
            r#"{"$id":"http://h/main.json","properties":{"d":{"$ref":"dep.json"}}}"#.to_owned(),
            vec![("dep.json", dep)],
            "object d(ref dep.json(object!))",
        ),
        (
            r#"{"$id":"http://h/main.json","properties":{"d":{"$ref":"dep.json"}}}"#.to_owned(),
            vec![("http://h/dep.json", dep)],
            "object d(ref dep.json(object!))",
        ),
        (
            r#"{"properties":{"d":{"$ref":"dep.json"}}}"#.to_owned(),
            vec![("dep.json", dep)],
            "object d(ref dep.json(object!))",
        ),
        (
            r#"{"properties":{"d":{"$ref":"dep.json#/definitions/X"}}}"#.to_owned(),
            vec![("dep.json", dep)],
            "object d(ref dep.json#/definitions/X(null))",
        ),
        (
            format!("{{{new}\"properties\":{{\"d\":{{\"$ref\":\"dep.json\"}}}}}}"),
            vec![("dep.json", dep)],
            "object d(ref dep.json(object!))",
        ),
        (
            format!("{{{new}\"$ref\":\"./dep.json#/definitions/X\"}}"),
            vec![("dep.json", dep)],
            "ref dep.json#/definitions/X(null)",
        ),
        // References of references.
        (
            r#"{"$ref":"b.json"}"#.to_owned(),
            vec![
                ("a.json", r#"{"type":"null"}"#),
                ("b.json", r##"{"items":{"$ref":"a.json"},"not":{"$ref":"#/items"}}"##),
            ],
            "ref b.json(all~(not(ref #/items(ref a.json(null))) array items(ref a.json)))",
        ),
        // A cycle over two documents.
        (
            r#"{"$ref":"a.json"}"#.to_owned(),
            vec![("a.json", r#"{"items":{"$ref":"b.json"}}"#), ("b.json", r#"{"items":{"$ref":"a.json"}}"#)],
            "ref a.json(array items(ref b.json(array items(ref a.json))))",
        ),
    ] {
        let shown = shape(&schema, &documents);
        assert_eq!(shown.replace("ref mem://input", "ref "), expected.replace("ref mem://input", "ref "), "{schema}");
    }
    // Meta-schemas need no reference; each family knows its own.
    assert!(loaded(r#"{"$ref":"http://json-schema.org/draft-07/schema#"}"#, &[]).is_ok());
    assert!(loaded(r##"{"$ref":"http://json-schema.org/draft-04/schema#/definitions/positiveInteger"}"##, &[]).is_ok());
    assert!(loaded(&format!("{{{new}\"$ref\":\"https://json-schema.org/draft/2020-12/schema\"}}"), &[]).is_ok());
    let other = loaded(r#"{"$ref":"https://json-schema.org/draft/2020-12/schema"}"#, &[]);
    assert!(matches!(other, Err(LoadError::Remote(_))), "{other:?}");
}

#[test]
fn what_cannot_be_is_refused() {
    let new = |rest: &str| format!("{{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",{rest}}}");
    let both = [
        r#""type":"banana""#,
        r#""type":1"#,
        r#""type":["string",1]"#,
        r#""properties":[]"#,
        r#""properties":{"a":1}"#,
        r#""required":"a""#,
        r#""required":[1]"#,
        r#""minimum":"x""#,
        r#""maxLength":"1""#,
        r#""pattern":"(""#,
        r#""patternProperties":{"[":{}}"#,
        r#""enum":1"#,
        r#""allOf":{}"#,
        r#""allOf":[1]"#,
        r#""not":1"#,
        r#""items":1"#,
        r#""title":1"#,
        r#""uniqueItems":"yes""#,
        r#""$ref":1"#,
        r##""$ref":"#/definitions/nope""##,
        r#""$ref":"nowhere.json""#,
        r#""$ref":"a b""#,
        r#""additionalProperties":1"#,
    ];
    for keyword in both {
        for schema in [format!("{{{keyword}}}"), new(keyword)] {
            let refused = loaded(&schema, &[]);
            assert!(matches!(refused, Err(LoadError::Invalid(_))), "{schema}: {refused:?}");
        }
    }
    // Only the older drafts insist on integers, only the newer ones read $defs.
    assert!(loaded(r#"{"maxLength":1.5}"#, &[]).is_err());
    assert!(loaded(r#"{"$defs":{"a":{"type":"banana"}}}"#, &[]).is_ok());
    assert!(loaded(&new(r#""$defs":{"a":{"type":"banana"}}"#), &[]).is_err());
    // Booleans are schemas in all of them, but for the dependencies of draft 4.
    let four =
        |keyword: &str| loaded(&format!(r#"{{"$schema":"http://json-schema.org/draft-04/schema#",{keyword}}}"#), &[]);
    assert!(four(r#""properties":{"a":true}"#).is_ok());
    assert!(four(r#""dependencies":{"a":true}"#).is_err());
    // Only draft 7 knows these two.
    assert!(four(r#""readOnly":1"#).is_ok());
    assert!(loaded(r#"{"readOnly":1}"#, &[]).is_err());
    assert!(loaded(r#"{"writeOnly":"no"}"#, &[]).is_err());
    assert!(loaded(r#"{"$schema":7}"#, &[]).is_err());
    assert!(loaded(r#"{"$id":"::"}"#, &[]).is_err());
    assert!(loaded(&new(r#""$dynamicAnchor":true"#), &[]).is_err());
    // Two schemas of one name; the last dynamic one counts.
    let two = r#""properties":{"a":{"$anchor":"x"},"b":{"$anchor":"x"}}"#;
    assert!(loaded(&new(two), &[]).is_err());
    assert!(loaded(&new(&two.replace("$anchor", "$id")), &[]).is_err());
    assert!(loaded(&new(&two.replace("$anchor", "$dynamicAnchor")), &[]).is_ok());
    // What stands in a tuple or under dependentSchemas has no name.
    assert!(loaded(&new(r##""$ref":"#x","allOf":[{"$anchor":"x"}]"##), &[]).is_ok());
    assert!(loaded(&new(r##""$ref":"#x","prefixItems":[{"$anchor":"x"}]"##), &[]).is_err());
    assert!(loaded(&new(r##""$ref":"#x","dependentSchemas":{"a":{"$anchor":"x"}}"##), &[]).is_err());
    // Nothing is fetched.
    for schema in [r#"{"$ref":"http://h/a.json"}"#.to_owned(), new(r#""$ref":"https://h/a.json#/x""#)] {
        assert!(matches!(loaded(&schema, &[]), Err(LoadError::Remote(_))), "{schema}");
    }
    // A referenced text must be a JSON object.
    assert!(loaded(r#"{"$ref":"a.json"}"#, &[("a.json", "syntax = \"proto3\";")]).is_err());
    assert!(loaded(r#"{}"#, &[("a.json", "true")]).is_err());
}

#[test]
fn what_stands_in_definitions_is_found_in_defs_too() {
    let refers = r##""properties":{"a":{"$ref":"#/$defs/d"}},"definitions":{"d":{"type":"null"}}"##;
    let new = |rest: &str| format!(r#"{{"$schema":"https://json-schema.org/draft/2020-12/schema",{rest}}}"#);
    let old = |rest: &str| format!("{{{rest}}}");
    for schema in [old(refers), new(refers)] {
        assert_eq!(shape(&schema, &[]), "object a(ref #/$defs/d(null))", "{schema}");
        // What $defs has itself comes first, and is not found in definitions.
        let both = schema.replace(r#""definitions""#, r#""$defs":{"d":{"type":"boolean"}},"definitions""#);
        assert_eq!(shape(&both, &[]), "object a(ref #/$defs/d(boolean))", "{both}");
        let inverse = schema.replace("#/$defs/d", "#/definitions/e").replace("definitions\":{\"d\"", "$defs\":{\"e\"");
        assert!(loaded(&inverse, &[]).is_err(), "{inverse}");
        let closed = schema.replace(r#""definitions""#, r#""$defs":[],"definitions""#);
        assert!(loaded(&closed, &[]).is_err(), "{closed}");
    }
    // In references, too; further in there is no bridge.
    for root in [old(r#""$ref":"r.json""#), new(r#""$ref":"r.json""#)] {
        assert!(loaded(&root, &[("r.json", &old(refers))]).is_ok(), "{root}");
    }
    let inner = r##""properties":{"a":{"definitions":{"d":{}}}},"$ref":"#/properties/a/$defs/d""##;
    assert!(loaded(&old(inner), &[]).is_err());
    // The newer drafts read them all, and names in them.
    assert!(loaded(&new(r#""definitions":{"d":{"type":"banana"}}"#), &[]).is_err());
    assert!(loaded(&new(r##""$ref":"#x","definitions":{"d":{"$anchor":"x"}}"##), &[]).is_ok());
}

#[test]
fn drafts_are_known_by_their_names() {
    let says =
        |name: &str| shape(&format!(r#"{{"$schema":"{name}","const":1,"dependentRequired":{{"a":["b"]}}}}"#), &[]);
    for (names, shape) in [
        (
            &[
                "http://json-schema.org/draft-04/schema#",
                "https://json-schema.org/draft-04/schema",
                "http://json-schema.org/schema#",
            ][..],
            "empty",
        ),
        (
            &[
                "http://json-schema.org/draft-06/schema#",
                "http://json-schema.org/draft-07/schema",
                "https://json-schema.org/draft/2020-12/schema#",
                "json-schema.org/draft-04/schema#",
                "",
            ],
            "const=1",
        ),
        (
            &["https://json-schema.org/draft/2019-09/schema", "http://json-schema.org/draft/2020-12/schema"],
            "all~+(const=1 object a=>b)",
        ),
    ] {
        names.iter().for_each(|name| assert_eq!(says(name), shape, "{name}"));
    }
    // The id that references are seen from is draft 4's only when that is named without a `#`.
    let four = |end: &str| {
        format!(r#"{{"$schema":"http://json-schema.org/draft-04/schema{end}","id":"http://h/a.json","$ref":"b.json"}}"#)
    };
    assert!(loaded(&four(""), &[("b.json", "{}")]).is_ok());
    assert!(loaded(&four("#"), &[("b.json", "{}")]).is_err());
}

#[test]
fn a_reference_keeps_no_default() {
    let refers = r##""properties":{"a":{"$ref":"#/$defs/d","default":1,"title":"t"}},"$defs":{"d":{"type":"null","default":null}}"##;
    let old = shape(&format!("{{{refers}}}"), &[]);
    assert_eq!(old, "object a(ref #/$defs/d(null default=null) 't')");
    // In the newer drafts `null` is no default either.
    let new = shape(&format!(r#"{{"$schema":"https://json-schema.org/draft/2020-12/schema",{refers}}}"#), &[]);
    assert_eq!(new, "object a(ref #/$defs/d(null) 't')");
}

#[test]
fn chains_and_nests_of_references_end_within_the_caps() {
    // Each definition refers to the next: as deep as there are definitions, were it recursion.
    let definitions: Vec<String> =
        (0..10_000).map(|n| format!(r##""d{n}":{{"$ref":"#/definitions/d{}"}}"##, n + 1)).collect();
    let chain = format!(r##"{{"$ref":"#/definitions/d0","definitions":{{{},"d10000":{{}}}}}}"##, definitions.join(","));
    assert!(loaded(&chain, &[]).is_ok());
    // Every level of a nest is referred to: each target holds all below it.
    let levels = 120;
    let mut nest = (0..2_000).map(|n| format!(r#""p{n}":{{}}"#)).collect::<Vec<_>>().join(",");
    for _ in 0..levels {
        nest = format!(r#""properties":{{"a":{{{nest}}}}}"#);
    }
    let nest = nest.replacen("\"p0\"", "\"properties\":{\"p0\"", 1).replacen("\"p1999\":{}", "\"p1999\":{}}", 1);
    let refs = (1..levels).map(|n| format!(r##"{{"$ref":"#{}"}}"##, "/properties/a".repeat(n))).collect::<Vec<_>>();
    let text = format!(r#"{{{nest},"allOf":[{}]}}"#, refs.join(","));
    match loaded(&text, &[]) {
        Err(LoadError::TooLarge) => {}
        Ok(model) => assert!(model.len() <= MAX_NODES),
        Err(other) => panic!("{other}"),
    }
}
