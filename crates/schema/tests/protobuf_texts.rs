//! Normal forms, formats, tag edits, binary input and validation of protobuf schemas, one rule a test.
//!
//! Expectations follow the rules of the contract; where a recording shows one, its name stands beside it.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use sluice_schema::protobuf::ProtobufSchema;
use sluice_schema::{Format, InvalidSchema, Reference, ResolvedReference, TagEdit, TaggedEntity, ValidateFields};

fn parse(text: &str) -> ProtobufSchema {
    ProtobufSchema::parse(text, [].into(), [].into()).unwrap_or_else(|refused| panic!("{refused}\n{text}"))
}

fn normal(text: &str) -> String {
    let normal = parse(text).normalize().unwrap();
    let again = normal.normalize().unwrap();
    assert_eq!(normal.canonical_text(), again.canonical_text(), "normalising is idempotent");
    normal.canonical_text().to_string()
}

fn resolved(name: &str, text: &str) -> ResolvedReference {
    ResolvedReference { name: name.into(), subject: name.into(), version: 1, text: text.into(), references: [].into() }
}

/// The standard options that the tests extend.
const OPTIONS: &str = r#"
    import "google/protobuf/descriptor.proto";
    message Rules { Text text = 1; repeated string cel = 2; oneof kind { Text other = 3; } int32 n = 4; }
    message Text { int32 min = 1; int32 max = 2; Text inner = 3; repeated Text more = 4; extensions 100 to max; }
    extend google.protobuf.FieldOptions { Rules rules = 50000; repeated Text many = 50001; }
    extend Text { optional bool strict = 100; }
"#;

fn normal_option(option: &str) -> String {
    let text = normal(&format!("syntax = \"proto3\"; package p; message M {{ string a = 1 [{option}]; }} {OPTIONS}"));
    let start = text.find("string a = 1").unwrap() + "string a = 1 ".len();
    let end = text[start..].find(";\n").unwrap() + start;
    text[start..end].to_owned()
}

#[test]
fn assignments_to_one_custom_option_become_one_literal() {
    assert_eq!(normal_option("(rules).n = 1"), "[(p.rules) = {\n    n: 1\n  }]");
    // Singular messages merge entry by entry, in oneofs too; repeated fields gather.
    assert_eq!(
        normal_option("(rules).text.min = 1, (rules).text.max = 0x3, (rules).other.min = 2, (.p.rules).other.max = 4"),
        "[(p.rules) = {\n    other: {\n      max: 4,\n      min: 2\n    },\n    text: {\n      max: 3,\n      min: 1\n    }\n  }]"
    );
    assert_eq!(
        normal_option("(rules).cel = \"b\", (rules).cel = \"a\""),
        "[(p.rules) = {\n    cel: [\n      \"b\",\n      \"a\"\n    ]\n  }]"
    );
    assert_eq!(
        normal_option("(rules).text.more = { min: 1 }, (rules).text.more = { max: 2 }"),
        "[(p.rules) = {\n    text: {\n      more: [\n        {\n          min: 1\n        },\n        {\n          max: 2\n        }\n      ]\n    }\n  }]"
    );
    // A scalar keeps its last value; a name nobody declares gathers.
    assert_eq!(normal_option("(rules).n = 1, (rules).n = 2"), "[(p.rules) = {\n    n: 2\n  }]");
    assert_eq!(
        normal_option("(rules).nope = 1, (rules).nope = 2"),
        "[(p.rules) = {\n    nope: [\n      1,\n      2\n    ]\n  }]"
    );
}

#[test]
fn repeated_and_unknown_custom_options_stay_several() {
    assert_eq!(
        normal_option("(many).min = 2, (many).min = 1"),
        "[\n    (p.many) = {\n      min: 2\n    },\n    (p.many) = {\n      min: 1\n    }\n  ]"
    );
    assert_eq!(normal_option("(x.y).b = 1, (x.y).a = 2"), "[\n    (x.y).b = 1,\n    (x.y).a = 2\n  ]");
}

#[test]
fn literals_are_sorted_without_empty_lists_and_lists_of_one_and_with_full_extension_names() {
    assert_eq!(
        normal_option("(rules) = { text: { min: 1.0 [strict]: true inner: {} more: [] } cel: [\"x\"] }"),
        "[(p.rules) = {\n    cel: \"x\",\n    text: {\n      [p.strict]: true,\n      inner: {\n      },\n      min: 1\n    }\n  }]"
    );
}

#[test]
fn default_and_json_name_sort_among_the_options() {
    let text = normal(
        "syntax = \"proto2\"; message M { optional double d = 1 [deprecated = true, json_name = \"x\", default = 1.50, (z.z) = 1]; }",
    );
    assert_eq!(
        text,
        "\nmessage M {\n  optional double d = 1 [\n    default = 1.5,\n    deprecated = true,\n    json_name = \"x\",\n    (z.z) = 1\n  ];\n}\n"
    );
}

#[test]
fn members_are_sorted_by_number_and_empty_oneofs_vanish() {
    let text = normal(
        "syntax = \"proto3\"; message M { oneof b { string y = 9; string x = 4; } oneof gone { } oneof a { string z = 2; }
           group Late = 20 { int32 q = 2; int32 p = 1; } group Early = 10 { } string s = 3; }
         enum E { B = 1; Z = 0; A = 1; }",
    );
    let order =
        ["string s = 3", "oneof a", "oneof b", "string x = 4", "string y = 9", "group Early", "group Late", "int32 p"];
    let places: Vec<usize> =
        order.iter().map(|part| text.find(part).unwrap_or_else(|| panic!("{part}\n{text}"))).collect();
    assert!(places.is_sorted(), "{text}");
    assert!(!text.contains("gone"), "{text}");
    assert!(text.contains("  Z = 0;\n  A = 1;\n  B = 1;\n"), "{text}");
}

#[test]
fn ranges_are_single_statements_in_order_and_ranges_of_one_are_numbers() {
    let text = normal(
        "syntax = \"proto2\"; message M { reserved \"b\", 9, 7 to 7; reserved \"a\", 1 to 2; extensions 30 to 40, 20 to 20; }",
    );
    assert_eq!(
        text,
        "\nmessage M {\n  reserved 1 to 2;\n  reserved 7;\n  reserved 9;\n  reserved \"a\";\n  reserved \"b\";\n\n  extensions 20;\n  extensions 30 to 40;\n}\n"
    );
}

#[test]
fn options_of_extension_ranges_are_normal_like_all_others() {
    let text = normal(
        "syntax = \"proto2\"; message M { extensions 9, 4 to 5 [verification = DECLARATION, declaration = { type: \".T\" number: 0x4 }]; }",
    );
    let options =
        "[\n    declaration = {\n      number: 4,\n      type: \".T\"\n    },\n    verification = DECLARATION\n  ]";
    assert_eq!(text, format!("\nmessage M {{\n  extensions 4 to 5 {options};\n  extensions 9 {options};\n}}\n"));
}

#[test]
fn whatever_calls_itself_the_entry_of_a_map_is_not_shown() {
    let entry = "option map_entry = true;";
    let text = format!("syntax = \"proto3\"; message M {{ string a = 1; }} message E {{ {entry} }}");
    assert_eq!(normal(&text), "syntax = \"proto3\";\n\nmessage M {\n  string a = 1;\n}\n");
    // A field of an entry that makes no map has no type: the reference trips over it, or over its key.
    let refusal = |fields: &str| {
        let text = format!("syntax = \"proto3\"; message M {{ E e = 1; }} message E {{ {entry} {fields} }}");
        parse(&text).normalize().unwrap_err().to_string()
    };
    assert_eq!(refusal("string key = 1;"), "E is the entry of a map without key or value");
    let bad_key = "map key must be non-byte, non-floating point scalar: ";
    assert_eq!(refusal("float key = 1; string value = 2;"), format!("{bad_key}float"));
    assert_eq!(refusal("M key = 1; string value = 2;"), format!("{bad_key}M"));
}

#[test]
fn a_type_that_does_not_resolve_is_the_one_refusal_and_map_values_are_not_looked_at() {
    let refused = |text: &str| parse(text).validate(ValidateFields::No).unwrap_err();
    let unresolved = |name: &str| InvalidSchema::Semantics(format!("Could not resolve type: {name}"));
    assert_eq!(refused("syntax = \"proto3\"; message M { Nope a = 1; }"), unresolved("Nope"));
    assert_eq!(refused("extend Nope { optional int32 a = 1; }"), unresolved("Nope"));
    assert_eq!(refused("service S { rpc R(int32) returns (.p.X); }"), unresolved("int32"));
    parse("message M { map<string, Nope> m = 1; }").validate(ValidateFields::No).unwrap();
}

#[test]
fn a_bytes_default_that_is_no_word_cannot_be_printed_and_read_again() {
    let schema = |default: &str| parse(&format!("message M {{ optional bytes b = 1 [default = {default}]; }}"));
    schema("\"word\"").validate(ValidateFields::No).unwrap();
    let refused = schema(r#""\001\377""#).validate(ValidateFields::No);
    assert!(matches!(refused, Err(InvalidSchema::Syntax(_))), "{refused:?}");
}

#[test]
fn references_are_sorted_by_subject_and_version_and_distinct() {
    let reference =
        |name: &str, subject: &str, version| Reference { name: name.into(), subject: subject.into(), version };
    let references = vec![
        reference("z", "b", 1),
        reference("a", "b", 1),
        reference("y", "a", 2),
        reference("x", "a", 1),
        reference("z", "b", 1),
    ];
    let schema = ProtobufSchema::parse("message M {}", references.into(), [].into()).unwrap();
    let normal = schema.normalize().unwrap();
    let names: Vec<&str> = normal.references().iter().map(|reference| reference.name.as_str()).collect();
    assert_eq!(names, ["x", "y", "z", "a"]);
}

#[test]
fn without_extensions_custom_options_and_extend_blocks_go_and_confluents_options_stay() {
    let text = "syntax = \"proto2\"; import \"confluent/meta.proto\"; option (x) = 1; option java_package = \"j\";
        message M { extensions 100; optional int32 a = 1 [(y).z = 2, deprecated = true, (confluent.field_meta).doc = \"d\"];
          extend M { optional int32 b = 100; } }
        enum E { option (e) = 1; }
        extend M { optional int32 c = 100; }";
    assert_eq!(
        parse(text).render(Format::IgnoreExtensions).unwrap().as_ref(),
        "syntax = \"proto2\";\n\nimport \"confluent/meta.proto\";\n\noption java_package = \"j\";\n\nmessage M {\n  optional int32 a = 1 [\n    deprecated = true,\n    (confluent.field_meta).doc = \"d\"\n  ];\n}\nenum E {\n}\n"
    );
}

#[test]
fn a_descriptor_and_its_text_are_the_same_schema() {
    // What is lost or changed on the way is listed in the contract; this file has none of it.
    let text = "syntax = \"proto3\";\npackage p;\n\nimport \"google/protobuf/any.proto\";\nimport public \"google/protobuf/empty.proto\";\n\noption java_package = \"j\";\noption optimize_for = SPEED;\n\nmessage M {\n  reserved 5;\n  reserved 7 to 9;\n  reserved \"x\";\n\n  option deprecated = true;\n\n  repeated string a = 1 [json_name = \"A\"];\n  optional .p.E e = 2 [(confluent.field_meta) = {\n    doc: \"d\",\n    params: [\n      {\n        key: \"k\",\n        value: \"v\"\n      }\n    ],\n    tags: [\n      \"PII\"\n    ]\n  }];\n\n  oneof pick {\n    int32 b = 3;\n    .p.M.In c = 4;\n  }\n\n  message In {\n    bytes d = 1;\n  }\n}\nenum E {\n  reserved 3;\n  option allow_alias = true;\n  Z = 0;\n  A = 0 [deprecated = true];\n}\n\nservice S {\n  rpc R (stream .p.M) returns (.p.M.In) {\n    option idempotency_level = IDEMPOTENT;\n  };\n}\n";
    let schema = parse(text);
    assert_eq!(schema.canonical_text().as_ref(), text);
    let base64 = schema.render(Format::Serialized).unwrap();
    assert_eq!(parse(&base64).canonical_text().as_ref(), text);
}

#[test]
fn bytes_that_are_no_descriptor_leave_the_text_error() {
    for text in ["AAAA", "aGVsbG8gd29ybGQ=", "CgU", "not base64!"] {
        let refused = ProtobufSchema::parse(text, [].into(), [].into()).unwrap_err();
        assert!(refused.to_string().starts_with("Could not parse Protobuf - Syntax error in :1:"), "{refused}");
    }
}

#[test]
fn deep_and_wide_descriptors_are_too_complex() {
    let length_delimited = |field: u8, body: &[u8]| {
        let mut out = vec![field << 3 | 2];
        let mut length = body.len();
        while length >= 0x80 {
            out.push(length as u8 | 0x80);
            length >>= 7;
        }
        out.push(length as u8);
        out.extend_from_slice(body);
        out
    };
    let nested = (0..200).fold(Vec::new(), |inner, _| length_delimited(3, &inner));
    let wide = length_delimited(2, &[]).repeat(100_000);
    for message in [nested, wide] {
        let base64 = base64_simd::STANDARD.encode_to_string(length_delimited(4, &message));
        let refused = ProtobufSchema::parse(&base64, [].into(), [].into()).unwrap_err();
        assert!(matches!(refused, InvalidSchema::TooComplex(_)), "{refused}");
    }
}

fn entity(path: &str, is_record: bool, tags: &[&str]) -> TaggedEntity {
    TaggedEntity { path: path.to_owned(), is_record, tags: tags.iter().map(|tag| (*tag).to_owned()).collect() }
}

#[test]
fn tags_go_on_and_off_fields_oneof_members_and_nested_messages() {
    let schema = parse(
        "syntax = \"proto3\"; message P { string a = 1 [(confluent.field_meta).doc = \"d\"]; oneof o { string b = 2; }
         message In { string c = 1; } }",
    );
    let add = vec![
        entity(".P.a", false, &["X", "Y", "X"]),
        entity("P.b", false, &["B"]),
        entity("P.o.b", false, &["O"]),
        entity("P.In", true, &["R"]),
        entity("P.In.c", false, &["C"]),
    ];
    let tagged = schema.edit_tags(&TagEdit { add, remove: vec![entity("P.a", false, &["Y"])] }).unwrap();
    assert_eq!(
        tagged.tagged_entities(),
        [
            entity("P.a", false, &["X"]),
            entity("P.In", true, &["R"]),
            entity("P.In.c", false, &["C"]),
            entity("P.b", false, &["B", "O"]),
        ]
    );
    assert!(tagged.canonical_text().contains("doc: \"d\","), "{}", tagged.canonical_text());
    let untagged = tagged.edit_tags(&TagEdit { add: vec![], remove: vec![entity("P.In", true, &["R", "Q"])] }).unwrap();
    assert!(!untagged.canonical_text().contains("message_meta"), "{}", untagged.canonical_text());
}

#[test]
fn a_tag_for_nothing_is_refused_in_the_references_words() {
    let schema = parse("package p; message P { message In {} }");
    let refused = |path: &str, is_record| {
        let edit = TagEdit { add: vec![entity(path, is_record, &["T"])], remove: vec![] };
        schema.edit_tags(&edit).unwrap_err().to_string()
    };
    let no = |what: &str, name: &str| {
        format!("java.lang.IllegalArgumentException: No matching {what} with name '{name}' found in the schema")
    };
    // Recording `tags-protobuf`, step 1.
    assert_eq!(refused(".p.P.a", false), no("Message", "p"));
    assert_eq!(refused("P.a", false), no("Field", "a"));
    assert_eq!(refused("P.In.x.a", false), no("Field", "a"));
    assert_eq!(refused("P.Nope", true), no("Message", "Nope"));
    assert_eq!(refused("a", false), no("Field", "a"));
}

#[test]
fn validated_fields_need_imports_and_numbers() {
    let strict = |text: &str, references: Vec<ResolvedReference>| {
        ProtobufSchema::parse(text, [].into(), references.into()).unwrap().validate(ValidateFields::Yes)
    };
    let proto3 = |body: &str| format!("syntax = \"proto3\"; {body}");
    strict(&proto3("import \"google/protobuf/any.proto\"; message M { google.protobuf.Any a = 1; }"), vec![]).unwrap();
    for broken in [
        "message M { google.protobuf.Any a = 1; }",
        "message M { string a = 0; }",
        "message M { string a = 1; string b = 1; }",
        "message M { string a = 1; string a = 2; }",
        "message M { map<string, Nope> m = 1; }",
        "enum E { }",
    ] {
        let refused = strict(&proto3(broken), vec![]);
        assert!(matches!(refused, Err(InvalidSchema::Semantics(_))), "{broken}: {refused:?}");
    }
    // Through a public import, but not through a plain one.
    let dep = || resolved("dep.proto", "syntax = \"proto3\"; message Dep {}");
    let through =
        |keyword: &str| resolved("mid.proto", &format!("syntax = \"proto3\"; import {keyword} \"dep.proto\";"));
    let user = proto3("import \"mid.proto\"; message M { Dep d = 1; }");
    strict(&user, vec![dep(), through("public")]).unwrap();
    assert!(strict(&user, vec![dep(), through("")]).is_err());
    // Without validated fields a type may come from anywhere.
    ProtobufSchema::parse(&user, [].into(), [dep()].into()).unwrap().validate(ValidateFields::No).unwrap();
}

#[test]
fn what_resolves_links_whatever_the_imports_say() {
    let dep = resolved("dep.proto", "syntax = \"proto3\"; package d; message Dep { google.protobuf.Any a = 1; }");
    let text =
        "syntax = \"proto3\"; package p; import \"wrong.proto\"; message M { d.Dep d = 1; google.type.Money m = 2; }";
    let schema = ProtobufSchema::parse(text, [].into(), [dep].into()).unwrap();
    let files = schema.linkable_files("p.proto").unwrap();
    let names: Vec<&str> = files.iter().map(|file| file.name()).collect();
    assert_eq!(names.last(), Some(&"p.proto"));
    let mut pool = prost_reflect::DescriptorPool::new();
    files.into_iter().for_each(|file| pool.add_file_descriptor_proto(file).unwrap());
    assert!(pool.get_message_by_name("p.M").is_some());
}

#[test]
fn the_record_is_the_first_message_or_else_the_first_enum() {
    assert_eq!(parse("package p; enum E { Z = 0; } message A {} message B {}").record_name(), Some("p.A"));
    assert_eq!(parse("enum E { Z = 0; }").record_name(), Some("E"));
    assert_eq!(parse("package p;").record_name(), None);
    let text = "syntax = \"proto3\"; message A { string a = 1; oneof o { string b = 2; } } message B { string c = 1; }";
    // `ProtobufSchema#hasTopLevelField` asks a message for its fields, which those of oneofs are none of.
    assert_eq!(parse(text).top_level_fields(), ["a", "c"]);
}
