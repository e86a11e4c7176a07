//! JSON Schemas and protobuf schemas as DDL of logical types: the recordings of `logical-show`, and the rules behind
//! them. Avro's are in `avro_logical.rs`.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::sync::Arc;

use sluice_schema::{Format, ResolvedReference, Schema, SchemaType};

fn ddl_with(schema_type: SchemaType, text: &str, resolved: &[ResolvedReference]) -> String {
    let schema = Schema::parse(schema_type, text, [].into(), resolved.to_vec().into());
    let schema = schema.unwrap_or_else(|error| panic!("{text}: {error}"));
    schema.render(Format::Logical).map_or_else(|refusal| refusal.to_string(), |ddl| ddl.to_string())
}

fn json(text: &str) -> String {
    ddl_with(SchemaType::Json, text, &[])
}

fn proto(text: &str) -> String {
    ddl_with(SchemaType::Protobuf, text, &[])
}

/// The column of a required property with this schema.
fn property(schema: &str) -> String {
    let ddl = json(&format!(r#"{{"type":"object","properties":{{"p":{schema}}},"required":["p"]}}"#));
    ddl.strip_prefix("TYPE STRUCT(p ")
        .and_then(|ddl| ddl.strip_suffix(") NOT NULL;\n"))
        .map_or(ddl.clone(), str::to_owned)
}

/// The columns of a message with these fields, under proto3 and proto2.
fn columns(syntax: &str, fields: &str) -> String {
    let ddl = proto(&format!("syntax = \"{syntax}\"; message M {{ {fields} }} enum E {{ A = 0; B = 1; }}"));
    let ddl = ddl.strip_prefix("ENUM E ('A', 'B');\n").map_or(ddl.clone(), str::to_owned);
    ddl.strip_prefix("TYPE STRUCT(")
        .and_then(|ddl| ddl.strip_suffix(") NOT NULL;\n"))
        .map_or(ddl.clone(), str::to_owned)
}

fn refusal(why: &str) -> String {
    format!("Stored schema cannot be represented as a logical type: {why}")
}

fn reference(name: &str, text: &str) -> ResolvedReference {
    ResolvedReference {
        name: name.into(),
        subject: "other".into(),
        version: 1,
        text: text.into(),
        references: Arc::from([]),
    }
}

#[test]
fn an_object_is_a_struct_of_its_properties_by_name() {
    let sale = r##"{"$schema":"http://json-schema.org/draft-07/schema#","title":"corpus.logical_show","type":"object","properties":{"id":{"type":"integer"},"name":{"type":"string"},"ok":{"type":"boolean"},"l":{"type":"array","items":{"type":"number"}},"o":{"type":"object","properties":{"x":{"type":"string"}}}},"required":["id"]}"##;
    let expected = "TYPE STRUCT(id BIGINT NOT NULL, l ARRAY<DOUBLE NOT NULL>, name STRING, o STRUCT(x STRING), ok \
                    BOOLEAN) NOT NULL;\n";
    assert_eq!(json(sale), expected);
}

#[test]
fn properties_with_an_index_come_first_in_its_order() {
    let text = r#"{"type":"object","properties":{"a":{"type":"string"},"z":{"type":"string","connect.index":1},"y":{"type":"string","connect.index":0},"B":{"type":"string"}},"confluent:namespace":"n.s"}"#;
    assert_eq!(json(text), "NAMESPACE n.s;\nTYPE STRUCT(y STRING, z STRING, B STRING, a STRING) NOT NULL;\n");
}

#[test]
fn keywords_of_json_schemas_say_how_wide_and_how_precise_columns_are() {
    let table: &[(&str, &str)] = &[
        (r#"{"type":"integer"}"#, "BIGINT NOT NULL"),
        (r#"{"type":"integer","connect.type":"int8"}"#, "TINYINT NOT NULL"),
        (r#"{"type":"integer","connect.type":"int16"}"#, "SMALLINT NOT NULL"),
        (r#"{"type":"integer","connect.type":"int32"}"#, "INT NOT NULL"),
        (r#"{"type":"integer","connect.type":"int32","title":"org.apache.kafka.connect.data.Date"}"#, "DATE NOT NULL"),
        (
            r#"{"type":"integer","connect.type":"int32","title":"org.apache.kafka.connect.data.Time"}"#,
            "TIME(3) NOT NULL",
        ),
        (
            r#"{"type":"integer","connect.type":"int64","title":"org.apache.kafka.connect.data.Timestamp","flink.precision":6}"#,
            "TIMESTAMP_LTZ(6) NOT NULL",
        ),
        (r#"{"type":"integer","connect.type":"int64","flink.type":"timestamp"}"#, "TIMESTAMP(3) NOT NULL"),
        (r#"{"type":"integer","connect.type":"int64"}"#, "BIGINT NOT NULL"),
        (r#"{"type":"number"}"#, "DOUBLE NOT NULL"),
        (r#"{"type":"number","connect.type":"float32"}"#, "FLOAT NOT NULL"),
        (
            r#"{"type":"number","connect.type":"bytes","title":"org.apache.kafka.connect.data.Decimal","connect.parameters":{"scale":"2","connect.decimal.precision":"9"}}"#,
            "DECIMAL(9, 2) NOT NULL",
        ),
        (
            r#"{"type":"number","connect.type":"bytes","title":"org.apache.kafka.connect.data.Decimal"}"#,
            "DECIMAL(38, 18) NOT NULL",
        ),
        (r#"{"type":"string","maxLength":5}"#, "VARCHAR(5) NOT NULL"),
        (r#"{"type":"string","minLength":5,"maxLength":5}"#, "CHAR(5) NOT NULL"),
        (r#"{"type":"string","minLength":5}"#, "STRING NOT NULL"),
        (r#"{"type":"string","format":"date-time"}"#, "STRING NOT NULL"),
        (r#"{"type":"string","connect.type":"bytes"}"#, "BYTES NOT NULL"),
        (r#"{"type":"string","connect.type":"bytes","flink.maxLength":4}"#, "VARBINARY(4) NOT NULL"),
        (r#"{"type":"string","connect.type":"bytes","flink.minLength":4,"flink.maxLength":4}"#, "BINARY(4) NOT NULL"),
        (r#"{"enum":["A","B","A"]}"#, "ENUM('A', 'B') NOT NULL"),
        (r#"{"type":"string","enum":["A","B"]}"#, "STRING NOT NULL"),
        (r#"{"type":"integer","enum":[1,2]}"#, "BIGINT NOT NULL"),
        (r#"{"type":"string","const":"A"}"#, "STRING NOT NULL"),
        ("{}", "VARIANT NOT NULL"),
        ("true", "VARIANT NOT NULL"),
        (
            r#"{"type":"object","connect.type":"map","additionalProperties":{"type":"integer"}}"#,
            "MAP<STRING NOT NULL, BIGINT NOT NULL> NOT NULL",
        ),
        (
            r#"{"type":"object","connect.type":"map","flink.type":"multiset","additionalProperties":{"type":"integer","connect.type":"int32"},"logical.key.length":3}"#,
            "MULTISET<VARCHAR(3) NOT NULL> NOT NULL",
        ),
        (
            r#"{"type":"array","connect.type":"map","items":{"type":"object","properties":{"key":{"type":"integer"},"value":{"type":"boolean"}}}}"#,
            "MAP<BIGINT NOT NULL, BOOLEAN NOT NULL> NOT NULL",
        ),
    ];
    for (schema, expected) in table {
        assert_eq!(property(schema), *expected, "{schema}");
    }
}

#[test]
fn what_may_be_null_takes_null() {
    let table: &[(&str, &str)] = &[
        (r#"{"type":["null","string"]}"#, "STRING"),
        (r#"{"oneOf":[{"type":"null"},{"type":"integer"}]}"#, "BIGINT"),
        (r#"{"anyOf":[{"type":"integer"}]}"#, "BIGINT NOT NULL"),
        (
            r#"{"oneOf":[{"type":"string"},{"type":"integer","title":"n"}]}"#,
            "UNION(connect_union_field_0 STRING, n BIGINT) NOT NULL",
        ),
        (
            r#"{"oneOf":[{"type":"null"},{"type":"string"},{"type":"integer"}],"confluent:union":[{"name":"s","doc":"d"},{"params":{"a":"1"}}]}"#,
            "UNION(s STRING COMMENT 'd', connect_union_field_1 BIGINT WITH('a' = '1'))",
        ),
        (r#"{"type":"array","items":{"type":["null","string"]}}"#, "ARRAY<STRING> NOT NULL"),
    ];
    for (schema, expected) in table {
        assert_eq!(property(schema), *expected, "{schema}");
    }
}

#[test]
fn parts_of_all_of_are_put_together() {
    let text = r##"{"allOf":[{"type":"object","properties":{"b":{"type":"string"}},"required":["b"]},{"$ref":"#/definitions/More"}],"definitions":{"More":{"type":"object","properties":{"a":{"type":"integer"}}}}}"##;
    assert_eq!(json(text), "TYPE STRUCT(a BIGINT, b STRING NOT NULL) NOT NULL;\n");
    let conditional = r#"{"type":"object","properties":{"a":{"type":"string"}},"if":{"required":["a"]},"then":{"properties":{"b":{"type":"string"}}}}"#;
    let why = "JSON Schema if/then/else and `not` are not supported: a property declared only under a condition has no \
               column to be read into, so its values would be silently dropped";
    assert_eq!(json(conditional), refusal(why));
}

#[test]
fn definitions_are_named_types_and_other_addresses_get_names() {
    let text = r##"{"type":"object","properties":{"next":{"$ref":"#"},"who":{"$ref":"#/definitions/Who"},"whose":{"$ref":"#/definitions/Who"}},"required":["who"],"definitions":{"Who":{"type":"object","description":"d","confluent:tags":["PII"],"properties":{"n":{"type":"string"}}}}}"##;
    let expected = "DECLARE Ref1 FOR '#';\nSTRUCT Who (n STRING) COMMENT 'd' TAGS('PII');\nTYPE STRUCT(next Ref1, who Who \
                    NOT NULL, whose Who) NOT NULL;\n";
    assert_eq!(json(text), expected);
    let elsewhere = [reference("who.json", r#"{"type":"object","properties":{"n":{"type":"string"}}}"#)];
    let text = r#"{"type":"object","properties":{"who":{"$ref":"who.json"}}}"#;
    let expected = "DECLARE Ref1 FOR 'who.json';\nTYPE STRUCT(who Ref1) NOT NULL;\n";
    assert_eq!(ddl_with(SchemaType::Json, text, &elsewhere), expected);
    let word = r##"{"type":"object","properties":{"w":{"$ref":"#/$defs/W"}},"$defs":{"W":{"type":"string"}}}"##;
    assert_eq!(json(word), refusal("Named-type body must be STRUCT or ENUM, got VARCHAR for 'W'"));
}

#[test]
fn defaults_and_documentation_of_properties_stand_behind_their_columns() {
    let table: &[(&str, &str)] = &[
        (r#"{"type":"integer","default":5}"#, "BIGINT NOT NULL DEFAULT 5"),
        (r#"{"type":"integer","connect.type":"int8","default":300}"#, "TINYINT NOT NULL DEFAULT 44"),
        (r#"{"type":"number","default":1}"#, "DOUBLE NOT NULL DEFAULT 1.0"),
        (r#"{"type":"string","default":"it's"}"#, "STRING NOT NULL DEFAULT 'it''s'"),
        (r#"{"type":"string","default":5}"#, "STRING NOT NULL"),
        (r#"{"type":"string","default":null}"#, "STRING NOT NULL"),
        (r#"{"type":"string","connect.type":"bytes","default":"/w=="}"#, "BYTES NOT NULL DEFAULT x'FF'"),
        (r#"{"type":"array","items":{"type":"string"},"default":[]}"#, "ARRAY<STRING NOT NULL> NOT NULL"),
        (
            r#"{"type":"integer","connect.type":"int32","title":"org.apache.kafka.connect.data.Date","default":"2000-02-29"}"#,
            "DATE NOT NULL DEFAULT 2000-02-29",
        ),
        (
            r#"{"type":"boolean","default":true,"description":"d","confluent:tags":["T"],"confluent:params":{"k":1}}"#,
            "BOOLEAN NOT NULL DEFAULT TRUE COMMENT 'd' TAGS('T') WITH('k' = '1')",
        ),
    ];
    for (schema, expected) in table {
        assert_eq!(property(schema), *expected, "{schema}");
    }
}

#[test]
fn json_schemas_without_columns_are_refused_in_words() {
    let table: &[(&str, &str)] = &[
        (r#"{"type":"null"}"#, "Unsupported JSON schema type org.everit.json.schema.NullSchema"),
        (r#"{"const":1}"#, "Unsupported JSON schema type org.everit.json.schema.ConstSchema"),
        (r#"{"not":{"type":"string"}}"#, "Unsupported JSON schema type org.everit.json.schema.NotSchema"),
        ("false", "Unsupported JSON schema type org.everit.json.schema.FalseSchema"),
        (r#"{"type":"array"}"#, "Array schema did not specify the items type"),
        (
            r#"{"type":"array","items":[{"type":"string"}]}"#,
            "JSON tuples (i.e. arrays that contain items of different types) are not supported",
        ),
        (r#"{"type":"number","connect.type":"bytes"}"#, "Expected decimal type"),
        (r#"{"type":"integer","connect.type":"int9"}"#, "Unsupported type int9"),
        (
            r#"{"type":"integer","connect.type":"int32","title":"org.apache.kafka.connect.data.Time","flink.precision":10}"#,
            "TIME precision must be in [0, 9], got 10",
        ),
        (r#"{"oneOf":[{"type":"string","title":"x"},{"type":"integer","title":"x"}]}"#, "Duplicate union branch: x"),
        (
            r#"{"type":"object","properties":{"a b":{"type":"string"}}}"#,
            "Field name must not contain whitespace or control characters; got: 'a b'",
        ),
    ];
    for (schema, why) in table {
        assert_eq!(property(schema), refusal(why), "{schema}");
    }
}

#[test]
fn a_message_is_a_struct_and_its_nested_messages_are_written_out() {
    let sale = "syntax = \"proto3\";\npackage corpus.logical_show;\n\nimport \"google/protobuf/timestamp.proto\";\n\nmessage Sale {\n  int64 id = 1;\n  optional string name = 2;\n  repeated string tags = 3;\n  map<string, double> attr = 4;\n  google.protobuf.Timestamp at = 5;\n  In inner = 6;\n  bool ok = 7;\n\n  message In {\n    int32 x = 1;\n  }\n}\n";
    let expected = "NAMESPACE corpus.logical_show;\nTYPE STRUCT(id BIGINT NOT NULL, name STRING, tags ARRAY<STRING NOT \
                    NULL> NOT NULL, attr MAP<STRING NOT NULL, DOUBLE NOT NULL> NOT NULL, at TIMESTAMP_LTZ(9), inner \
                    STRUCT(x INT NOT NULL), ok BOOLEAN NOT NULL) NOT NULL;\n";
    assert_eq!(proto(sale), expected);
}

#[test]
fn scalars_and_known_messages_have_their_columns() {
    let table: &[(&str, &str)] = &[
        ("sint32 f = 1;", "f INT NOT NULL"),
        ("sfixed32 f = 1;", "f INT NOT NULL"),
        ("uint32 f = 1;", "f BIGINT NOT NULL"),
        ("fixed32 f = 1;", "f BIGINT NOT NULL"),
        ("uint64 f = 1;", "f BIGINT NOT NULL"),
        ("float f = 1;", "f FLOAT NOT NULL"),
        ("double f = 1;", "f DOUBLE NOT NULL"),
        ("bytes f = 1;", "f BYTES NOT NULL"),
        ("optional bytes f = 1;", "f BYTES"),
        ("E f = 1;", "f E NOT NULL"),
        ("google.protobuf.StringValue f = 1;", "f STRING"),
        ("google.protobuf.UInt32Value f = 1;", "f BIGINT"),
        ("google.protobuf.Int32Value f = 1;", "f INT"),
        ("repeated google.protobuf.BoolValue f = 1;", "f ARRAY<BOOLEAN> NOT NULL"),
        ("google.type.Date f = 1;", "f DATE"),
        ("google.type.TimeOfDay f = 1;", "f TIME(9)"),
        ("confluent.type.Decimal f = 1;", "f DECIMAL(10, 0)"),
        ("confluent.type.Variant f = 1;", "f VARIANT"),
        ("google.protobuf.Duration f = 1;", "f STRUCT(seconds BIGINT NOT NULL, nanos INT NOT NULL)"),
        ("repeated google.protobuf.Timestamp f = 1;", "f ARRAY<TIMESTAMP_LTZ(9) NOT NULL> NOT NULL"),
        ("map<int32, google.protobuf.Timestamp> f = 1;", "f MAP<INT NOT NULL, TIMESTAMP_LTZ(9)> NOT NULL"),
        ("map<string, E> f = 1;", "f MAP<STRING NOT NULL, E NOT NULL> NOT NULL"),
        ("message In { enum K { X = 0; } K k = 1; } In f = 1;", "f STRUCT(k ENUM('X') NOT NULL)"),
        (
            "message FEntry { string key = 1; int32 value = 2; } repeated FEntry f = 1;",
            "f MAP<STRING NOT NULL, INT NOT NULL> NOT NULL",
        ),
        ("oneof o { int32 a = 1; string b = 2; } bool c = 3;", "c BOOLEAN NOT NULL, o UNION(a INT, b STRING)"),
    ];
    for (fields, expected) in table {
        assert_eq!(columns("proto3", fields), *expected, "{fields}");
    }
}

#[test]
fn proto2_has_optional_fields_and_defaults() {
    let table: &[(&str, &str)] = &[
        ("optional int32 f = 1;", "f INT"),
        ("required int32 f = 1;", "f INT NOT NULL"),
        ("required E f = 1 [default = B];", "f E NOT NULL DEFAULT 'B'"),
        ("optional int32 f = 1 [default = 0x10];", "f INT DEFAULT 16"),
        ("optional uint32 f = 1 [default = 4294967295];", "f BIGINT DEFAULT -1"),
        ("optional string f = 1 [default = \"it's\"];", "f STRING DEFAULT 'it''s'"),
        ("optional double f = 1 [default = 1];", "f DOUBLE DEFAULT 1.0"),
        ("optional bool f = 1 [default = true];", "f BOOLEAN DEFAULT TRUE"),
        ("map<string, int32> f = 1;", "f MAP<STRING, INT> NOT NULL"),
        ("repeated string f = 1;", "f ARRAY<STRING NOT NULL> NOT NULL"),
        ("optional group G = 1 { optional int32 a = 2; }", ""),
    ];
    for (fields, expected) in table {
        let expected =
            if expected.is_empty() { refusal("Unknown Protobuf schema type GROUP") } else { (*expected).into() };
        assert_eq!(columns("proto2", fields), expected, "{fields}");
    }
}

#[test]
fn parameters_of_fields_say_how_wide_and_how_precise_columns_are() {
    let table: &[(&str, &str, &str)] = &[
        ("int32", r#"{key: "connect.type", value: "int8"}"#, "f TINYINT NOT NULL"),
        ("string", r#"{key: "flink.maxLength", value: "5"}"#, "f VARCHAR(5) NOT NULL"),
        (
            "string",
            r#"{key: "flink.minLength", value: "5"}, {key: "flink.maxLength", value: "5"}"#,
            "f CHAR(5) NOT NULL",
        ),
        (
            "bytes",
            r#"{key: "flink.minLength", value: "5"}, {key: "flink.maxLength", value: "5"}"#,
            "f BINARY(5) NOT NULL",
        ),
        ("confluent.type.Decimal", r#"{key: "precision", value: "9"}, {key: "scale", value: "2"}"#, "f DECIMAL(9, 2)"),
        ("google.protobuf.Timestamp", r#"{key: "flink.precision", value: "3"}"#, "f TIMESTAMP_LTZ(3)"),
        ("google.protobuf.Timestamp", r#"{key: "flink.type", value: "timestamp"}"#, "f TIMESTAMP(9)"),
        ("google.protobuf.Timestamp", r#"{key: "flink.notNull", value: "true"}"#, "f TIMESTAMP_LTZ(9) NOT NULL"),
        ("map<string, int32>", r#"{key: "flink.type", value: "multiset"}"#, "f MULTISET<STRING NOT NULL> NOT NULL"),
        ("int64", r#"{key: "logical.default", value: "7"}"#, "f BIGINT NOT NULL DEFAULT 7"),
        ("string", r#"{key: "k", value: "v"}"#, "f STRING NOT NULL WITH('k' = 'v')"),
    ];
    for (type_, params, expected) in table {
        let field = format!("{type_} f = 1 [(confluent.field_meta) = {{ params: [{params}] }}];");
        assert_eq!(columns("proto3", &field), *expected, "{field}");
    }
    let described = r#"int32 f = 1 [(confluent.field_meta) = { doc: "d", tags: ["T"], rules: [{name: "r", expr: "e", sql: "f > 0", doc: "m"}] }];"#;
    let expected = "f INT NOT NULL CONSTRAINT r CHECK (f > 0) MESSAGE 'm' COMMENT 'd' TAGS('T')";
    assert_eq!(columns("proto3", described), expected);
    let wrapped = r#"message W { repeated string value = 1; } W f = 1 [(confluent.field_meta) = { params: [{key: "flink.wrapped", value: "true"}] }];"#;
    assert_eq!(columns("proto3", wrapped), "f ARRAY<STRING NOT NULL>");
}

#[test]
fn other_messages_of_the_file_are_named_and_so_is_what_leads_back_to_itself() {
    let peers =
        "syntax = \"proto3\"; package p; message A { B b = 1; E e = 2; } message B { string x = 1; } enum E { Z = 0; }";
    let expected = "NAMESPACE p;\nSTRUCT p.B (x STRING NOT NULL);\nENUM p.E ('Z');\nTYPE STRUCT(b p.B, e p.E NOT NULL) NOT \
                    NULL;\n";
    assert_eq!(proto(peers), expected);
    let tree = "syntax = \"proto3\"; package p; message Tree { repeated Tree of = 1; string x = 2; }";
    assert_eq!(proto(tree), "NAMESPACE p;\nSTRUCT p.Tree (of ARRAY<p.Tree NOT NULL> NOT NULL, x STRING NOT NULL);\n");
    let nested = "syntax = \"proto3\"; message M { N n = 1; message N { N n = 1; } }";
    assert_eq!(proto(nested), "STRUCT M (n M.N);\nSTRUCT M.N (n M.N);\n");
    let any = "syntax = \"proto3\"; message M { google.protobuf.Struct s = 1; }";
    let field = "s.fields.value.struct_value";
    let why = format!("Cyclic schemas are not supported.\nFound a cycle in the field: {field}");
    assert_eq!(proto(any), refusal(&why));
}

#[test]
fn types_of_protobuf_references_are_not_written_out() {
    let other = "syntax = \"proto3\"; package o; message Money { int64 units = 1; } enum Kind { Z = 0; }";
    let text = "syntax = \"proto3\"; import \"other.proto\"; message M { o.Money m = 1; o.Kind k = 2; }";
    let ddl = ddl_with(SchemaType::Protobuf, text, &[reference("other.proto", other)]);
    assert_eq!(ddl, "TYPE STRUCT(m o.Money, k o.Kind NOT NULL) NOT NULL;\n");
    let again = "syntax = \"proto3\"; package p; import public \"other.proto\";";
    let ddl = ddl_with(SchemaType::Protobuf, again, &[reference("other.proto", other)]);
    assert_eq!(ddl, "NAMESPACE p;\nTYPE o.Money NOT NULL;\n");
    assert_eq!(proto("syntax = \"proto3\"; enum E { A = 0; }"), refusal("ProtobufSchema has no root descriptor"));
}

#[test]
fn messages_that_multiply_when_written_out_end_in_an_error() {
    let level = |n: usize| format!("message L{n} {{ L{0} a = 1; L{0} b = 2; }}", n + 1);
    let levels: String = (0..24).map(level).collect();
    let text = format!("syntax = \"proto3\"; message M {{ L0 l = 1; {levels} message L24 {{}} }}");
    assert_eq!(proto(&text), refusal("More than 65536 logical types"));
    let chain: String = (0..400)
        .map(|n| format!(r##""D{n}":{{"type":"object","properties":{{"n":{{"$ref":"#/definitions/D{}"}}}}}},"##, n + 1))
        .collect();
    let text = format!(
        r##"{{"type":"object","properties":{{"d":{{"$ref":"#/definitions/D0"}}}},"definitions":{{{chain}"D400":{{"type":"object"}}}}}}"##
    );
    assert_eq!(json(&text), refusal("More than 128 logical types inside each other"));
}
