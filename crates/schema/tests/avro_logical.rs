//! Avro schemas as DDL of logical types: the recordings of `logical-*` and `core-format-avro`, and the rules behind them.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use sluice_schema::avro::AvroSchema;
use sluice_schema::{Format, ResolvedReference};

fn ddl(text: &str) -> String {
    let schema = AvroSchema::parse(text, [].into(), [].into()).unwrap_or_else(|error| panic!("{text}: {error}"));
    schema.render(Format::Logical).map_or_else(|refusal| refusal.to_string(), |ddl| ddl.to_string())
}

/// The one column of a record with this type, without the words around it.
fn column(field: &str) -> String {
    let ddl = ddl(&format!(r#"{{"type":"record","name":"R","fields":[{field}]}}"#));
    let inner =
        ddl.strip_prefix("STRUCT R (").and_then(|ddl| ddl.split_once(");\n")).unwrap_or_else(|| panic!("{ddl}"));
    inner.0.to_owned()
}

#[test]
fn a_type_without_a_name_is_registered_as_the_root() {
    let table: &[(&str, &str)] = &[
        (r#""int""#, "TYPE INT NOT NULL;\n"),
        (r#""string""#, "TYPE STRING NOT NULL;\n"),
        (r#"["null","long"]"#, "TYPE BIGINT;\n"),
        (r#"{"type":"array","items":"int"}"#, "TYPE ARRAY<INT NOT NULL> NOT NULL;\n"),
        (r#"{"type":"map","values":"string"}"#, "TYPE MAP<STRING NOT NULL, STRING NOT NULL> NOT NULL;\n"),
        (r#"{"type":"enum","name":"LogE","symbols":["A"]}"#, "ENUM LogE ('A');\n"),
        (r#"{"type":"long","logicalType":"timestamp-micros"}"#, "TYPE TIMESTAMP_LTZ(6) NOT NULL;\n"),
        (r#""null""#, "Stored schema cannot be represented as a logical type: Standalone NULL type is not supported"),
        (r#"["null",{"type":"enum","name":"E","symbols":["A"]}]"#, "ENUM E ('A');\nTYPE E;\n"),
        (
            r#"[{"type":"record","name":"n.A","fields":[]},{"type":"record","name":"n.B","fields":[]}]"#,
            "STRUCT n.A ();\nSTRUCT n.B ();\n",
        ),
    ];
    for (text, expected) in table {
        assert_eq!(ddl(text), *expected, "{text}");
    }
}

#[test]
fn named_types_stand_in_the_order_in_which_they_were_met() {
    let sale = r#"{"type":"record","name":"Sale","namespace":"corpus.logical_show","fields":[{"name":"id","type":"long"},{"name":"name","type":["null","string"],"default":null},{"name":"price","type":{"type":"bytes","logicalType":"decimal","precision":9,"scale":2}},{"name":"at","type":{"type":"long","logicalType":"timestamp-millis"}},{"name":"day","type":{"type":"int","logicalType":"date"}},{"name":"tags","type":{"type":"array","items":"string"}},{"name":"attr","type":{"type":"map","values":"double"}},{"name":"inner","type":{"type":"record","name":"In","fields":[{"name":"x","type":"int"}]}},{"name":"kind","type":{"type":"enum","name":"Kind","symbols":["A","B"]}},{"name":"raw","type":"bytes"},{"name":"fix","type":{"type":"fixed","name":"Fx","size":4}},{"name":"u","type":["int","string"]}],"doc":"a sale"}"#;
    let expected = "STRUCT corpus.logical_show.Sale (
  id BIGINT NOT NULL,
  name STRING DEFAULT NULL,
  price DECIMAL(9, 2) NOT NULL,
  at TIMESTAMP_LTZ(3) NOT NULL,
  day DATE NOT NULL,
  tags ARRAY<STRING NOT NULL> NOT NULL,
  attr MAP<STRING NOT NULL, DOUBLE NOT NULL> NOT NULL,
  inner corpus.logical_show.`In` NOT NULL,
  kind corpus.logical_show.Kind NOT NULL,
  raw BYTES NOT NULL,
  fix BINARY(4) NOT NULL,
  u UNION(`int` INT NOT NULL, `string` STRING NOT NULL) NOT NULL
) COMMENT 'a sale';
STRUCT corpus.logical_show.`In` (x INT NOT NULL);
ENUM corpus.logical_show.Kind ('A', 'B');
";
    assert_eq!(ddl(sale), expected);
}

#[test]
fn a_record_that_holds_itself_is_named_once() {
    let text =
        r#"{"type":"record","name":"L","fields":[{"name":"v","type":"int"},{"name":"next","type":["null","L"]}]}"#;
    assert_eq!(ddl(text), "STRUCT L (v INT NOT NULL, next L);\n");
}

#[test]
fn columns_are_as_wide_and_as_precise_as_their_attributes_say() {
    let table: &[(&str, &str)] = &[
        (r#"{"name":"a","type":"boolean","default":true}"#, "a BOOLEAN NOT NULL DEFAULT TRUE"),
        (r#"{"name":"a","type":{"type":"int","connect.type":"int8"},"default":1}"#, "a TINYINT NOT NULL DEFAULT 1"),
        (r#"{"name":"a","type":{"type":"int","connect.type":"int16"}}"#, "a SMALLINT NOT NULL"),
        (
            r#"{"name":"a","type":{"type":"int","logicalType":"time-millis"},"default":1500}"#,
            "a TIME(3) NOT NULL DEFAULT 00:00:01.500",
        ),
        (
            r#"{"name":"a","type":{"type":"int","logicalType":"date"},"default":11016}"#,
            "a DATE NOT NULL DEFAULT 2000-02-29",
        ),
        (
            r#"{"name":"a","type":{"type":"long","logicalType":"local-timestamp-micros","flink.precision":4}}"#,
            "a TIMESTAMP(4) NOT NULL",
        ),
        (r#"{"name":"a","type":{"type":"string","flink.maxLength":5}}"#, "a VARCHAR(5) NOT NULL"),
        (r#"{"name":"a","type":{"type":"string","flink.maxLength":5,"flink.minLength":5}}"#, "a CHAR(5) NOT NULL"),
        (
            r#"{"name":"a","type":{"type":"bytes","flink.maxLength":5},"default":"ÿ"}"#,
            "a VARBINARY(5) NOT NULL DEFAULT x'FF'",
        ),
        (
            r#"{"name":"a","type":{"type":"bytes","logicalType":"decimal","precision":4,"scale":2},"default":"ÿ"}"#,
            "a DECIMAL(4, 2) NOT NULL DEFAULT -0.01",
        ),
        (
            r#"{"name":"a","type":{"type":"map","values":"int","flink.type":"multiset"}}"#,
            "a MULTISET<STRING NOT NULL> NOT NULL",
        ),
        (r#"{"name":"a","type":"double","default":1}"#, "a DOUBLE NOT NULL DEFAULT 1.0"),
        (r#"{"name":"a","type":"string","default":"it's"}"#, "a STRING NOT NULL DEFAULT 'it''s'"),
    ];
    for (field, expected) in table {
        assert_eq!(column(field), *expected, "{field}");
    }
}

#[test]
fn tags_documentation_parameters_and_checks_stand_behind_the_column() {
    let field = r#"{"name":"from","type":"int","doc":"d","confluent:tags":["PII"],"confluent:params":{"a":1},"confluent:rules":[{"name":"pos","expr":"this > 0","sql":"`from` > 0","doc":"m"},{"expr":"","sql":"x"}]}"#;
    let expected =
        "`from` INT NOT NULL CONSTRAINT pos CHECK (`from` > 0) MESSAGE 'm' COMMENT 'd' TAGS('PII') WITH('a' = '1')";
    assert_eq!(column(field), expected);
}

#[test]
fn types_of_references_are_not_written_out() {
    let money = ResolvedReference {
        name: "n.Money".into(),
        subject: "money".into(),
        version: 1,
        text: r#"{"type":"record","name":"Money","namespace":"n","fields":[{"name":"amount","type":"long"}]}"#.into(),
        references: [].into(),
    };
    let text = r#"{"type":"record","name":"n.Bill","fields":[{"name":"total","type":"n.Money"},{"name":"tax","type":"n.Money"}]}"#;
    let schema = AvroSchema::parse(text, [].into(), [money].into()).unwrap();
    let expected = "STRUCT n.Bill (total n.Money NOT NULL, tax n.Money NOT NULL);\n";
    assert_eq!(&*schema.render(Format::Logical).unwrap(), expected);
}
