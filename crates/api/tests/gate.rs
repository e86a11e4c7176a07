//! Declared topics over two clusters in memory: where records go, what the gate lets through, and that nothing it
//! refuses reaches Kafka.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod rest;

use rest::Rest;
use serde_json::{Value, json};
use sluice_data_plane::route::{Balance, Enforcement, SideRules, TopicEntry};
use sluice_schema::SchemaType;

const FITS: &str = r#"syntax = "proto3"; message Paid { string id = 1; int64 cents = 2; }"#;
const GROWN: &str = r#"syntax = "proto3"; message Paid { string id = 1; int64 cents = 2; string note = 3; }"#;
const BREAKS: &str = r#"syntax = "proto3"; message Paid { string id = 1; string cents = 2; }"#;
const OTHER: &str = r#"syntax = "proto3"; message Other { int32 x = 1; }"#;
const RECORDS: &str = "/v3/clusters/lkg/topics/t/records";

fn side(subject: &str, enforcement: Enforcement) -> SideRules {
    SideRules {
        format: (enforcement != Enforcement::Off).then_some(SchemaType::Protobuf),
        subject: subject.into(),
        enforcement,
        auto_register: true,
        message: None,
        compatibility: None,
        deny_null: false,
    }
}

fn topic(name: &str, cluster: &str, value: SideRules) -> TopicEntry {
    TopicEntry {
        name: name.into(),
        clusters: vec![cluster.into()],
        balance: Balance::Na,
        key: side(&format!("{name}-key"), Enforcement::Off),
        value,
        is_frozen: false,
        total_deadline_ms: None,
        declared_at: "topics.yaml:1".into(),
    }
}

fn strict() -> SideRules {
    side("t-value", Enforcement::Strict)
}

/// A proxy with one declared topic `t` on cluster `one`.
fn proxy(value: SideRules) -> Rest {
    let rest = Rest::with_topics(vec![topic("t", "one", value)]);
    rest.one.add_topic("t", 1);
    rest
}

fn inline(schema: &str, data: Value) -> Value {
    json!({"value": {"type": "PROTOBUF", "schema": schema, "data": data}})
}

fn binary(bytes: &[u8]) -> Value {
    json!({"value": {"type": "BINARY", "data": base64_simd::STANDARD.encode_to_string(bytes)}})
}

fn framed(id: i32, rest: &[u8]) -> Vec<u8> {
    [&[0][..], &id.to_be_bytes(), rest].concat()
}

async fn post(rest: &Rest, path: &str, records: &[Value]) -> Vec<Value> {
    rest.post(path, records.iter().map(Value::to_string).collect::<String>()).await
}

fn codes(reports: &[Value]) -> Vec<i64> {
    reports.iter().map(|report| report["error_code"].as_i64().unwrap()).collect()
}

#[tokio::test]
async fn a_breaking_schema_is_refused_before_kafka_with_rule_path_and_version_on_one_line() {
    let rest = proxy(strict());
    let reports = post(
        &rest,
        RECORDS,
        &[
            inline(FITS, json!({"id": "a", "cents": "1"})),
            inline(BREAKS, json!({"id": "a", "cents": "1"})),
            inline(GROWN, json!({"id": "a", "note": "n"})),
            inline(BREAKS, json!({})),
        ],
    )
    .await;
    assert_eq!(codes(&reports), [200, 42281, 200, 42281]);
    let message = reports[1]["message"].as_str().unwrap();
    for part in ["FIELD_SCALAR_KIND_CHANGED", "#/Paid/2", "{oldSchemaVersion: 1}", "compatibility: 'BACKWARD'"] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert!(!message.contains('\n'));
    let hint = reports[1]["hint"].as_str().unwrap();
    assert!(hint.starts_with("Keep `int64 cents = 2;` in Paid as it is"), "{hint}");
    assert_eq!(reports[2]["value"]["schema_version"], 2);
    assert_eq!(rest.one.records("t").len(), 2);
    assert_eq!(rest.counted("sluice_gate_refused_total", &[("topic", "t"), ("rule", "incompatible")]), 2);
}

#[tokio::test]
async fn raw_bytes_pass_only_if_they_are_framed_with_an_id_of_the_subject_and_decode() {
    let rest = proxy(strict());
    let own = rest.register("t-value", FITS, vec![]).await;
    let other = rest.register("other-value", OTHER, vec![]).await;
    let good = framed(own, b"\0\x0a\x01b\x10\x02");
    let cases = [
        (binary(&good), 200),
        (binary(&framed(own, b"\x02\0\x0a\x01b")), 200), // the indexes written out: one level, the first message
        (binary(&framed(other, b"\0\x08\x01")), 42283),
        (binary(b"not framed at all"), 42284),
        (binary(b"\0\0"), 42284),
        (binary(b""), 42284),
        (binary(&framed(99_999_999, b"\0")), 42282),
        (binary(&framed(own, b"\0\x0a\x7fshort")), 42285),
        (binary(&framed(own, b"\x02\x08")), 42285), // there is no fifth message
        (json!({"value": {"type": "STRING", "data": "plain"}}), 42286),
        (json!({"value": {"type": "JSON", "data": {}}}), 42286),
        (json!({"value": {"schema_id": other, "data": {"x": 1}}}), 42283),
        (json!({"value": {"schema_id": own, "data": {"id": "x"}}}), 200),
        (json!({"value": {"schema_id": 99_999_999, "data": {}}}), 42282),
        (json!({"value": {"schema_version": 1, "data": {"id": "x"}}}), 200),
        (json!({"value": {"schema_version": 7, "data": {}}}), 42282),
        (json!({"value": {"data": {"id": "x"}}}), 200),
        (json!({"value": {"subject": "other-value", "data": {"x": 1}}}), 42283),
        (json!({"value": {"type": "PROTOBUF", "schema": OTHER, "subject": "other-value", "data": {}}}), 42283),
        (json!({"value": {"data": {"nope": 1}}}), 400),
        (json!({}), 200),
        (json!({"value": {"type": "BINARY", "data": null}}), 200),
    ];
    let records: Vec<Value> = cases.iter().map(|(record, _)| record.clone()).collect();
    let wanted: Vec<i64> = cases.iter().map(|(_, code)| *code).collect();
    let reports = post(&rest, RECORDS, &records).await;
    assert_eq!(codes(&reports), wanted, "{reports:#?}");
    let written = rest.one.records("t");
    assert_eq!(written.len(), wanted.iter().filter(|code| **code == 200).count());
    assert_eq!(written[0].value.as_deref(), Some(&good[..]));
}

#[tokio::test]
async fn a_topic_of_json_schemas_takes_data_and_framed_bytes_that_fit() {
    let rest = proxy(SideRules { format: Some(SchemaType::Json), ..strict() });
    let schema = r#"{"type":"object","properties":{"id":{"type":"string"}},"additionalProperties":false}"#;
    let inline = |schema: &str, data: Value| json!({"value": {"type": "JSONSCHEMA", "schema": schema, "data": data}});
    let first = post(&rest, RECORDS, &[inline(schema, json!({"id": "a"}))]).await;
    assert_eq!(codes(&first), [200], "{first:#?}");
    let own = first[0]["value"]["schema_id"].as_i64().unwrap() as i32;
    let cases = [
        (inline(schema, json!({"id": 1})), 400),
        (
            inline(
                r#"{"type":"object","properties":{"id":{"type":"integer"}},"additionalProperties":false}"#,
                json!({}),
            ),
            42281,
        ),
        (json!({"value": {"schema_id": own, "data": {"id": "b"}}}), 200),
        (json!({"value": {"type": "PROTOBUF", "schema": FITS, "data": {}}}), 42286),
        (binary(&framed(own, br#"{ "id" : "c" }"#)), 200),
        (binary(&framed(own, br#"{"id":1}"#)), 42285),
        (binary(&framed(own, b"no JSON")), 42285),
        // Which of the two counts is up to the reader.
        (binary(&framed(own, br#"{"id":1,"id":"d"}"#)), 42285),
    ];
    let records: Vec<Value> = cases.iter().map(|(record, _)| record.clone()).collect();
    let wanted: Vec<i64> = cases.iter().map(|(_, code)| *code).collect();
    let reports = post(&rest, RECORDS, &records).await;
    assert_eq!(codes(&reports), wanted, "{reports:#?}");
    let written = rest.one.records("t");
    assert_eq!(written[0].value.as_deref(), Some(&framed(own, br#"{"id":"a"}"#)[..]));
    assert_eq!(written[2].value.as_deref(), Some(&framed(own, br#"{ "id" : "c" }"#)[..]));
    let (_, answer) = rest.get("/cp/v1/topics/t/records").await;
    assert_eq!(answer["records"][0]["value"]["json"], json!({"id": "a"}), "{answer}");
}

#[tokio::test]
async fn an_id_in_the_header_is_checked_like_one_in_the_frame() {
    let rest = proxy(strict());
    let own = rest.register("t-value", FITS, vec![]).await;
    let other = rest.register("other-value", OTHER, vec![]).await;
    let with_header = |id: i32, payload: &[u8]| {
        let mut record = binary(payload);
        let header = base64_simd::STANDARD.encode_to_string(framed(id, b""));
        record["headers"] = json!([{"name": "__value_schema_id", "value": header}]);
        record
    };
    let reports = post(
        &rest,
        RECORDS,
        &[with_header(own, b"\x0a\x01b"), with_header(other, b"\x08\x01"), with_header(own, b"\x0a\x7f")],
    )
    .await;
    assert_eq!(codes(&reports), [200, 42283, 42285]);
    // What Sluice frames has its id in front: a reader that finds one in a header would take that for payload.
    let mut framed_twice = inline(FITS, json!({"id": "a"}));
    framed_twice["headers"] = with_header(own, b"")["headers"].clone();
    let mut without_id = binary(&framed(own, b"\0\x0a\x01b"));
    without_id["headers"] = json!([{"name": "__value_schema_id"}]);
    assert_eq!(codes(&post(&rest, RECORDS, &[framed_twice, without_id]).await), [42284, 42284]);
    assert_eq!(rest.one.records("t").len(), 1);
}

#[tokio::test]
async fn a_topic_may_name_its_subject_its_message_and_refuse_new_versions_and_nulls() {
    let two = r#"syntax = "proto3"; package p; message First { int32 x = 1; } message Second { string s = 1; }"#;
    let rules = SideRules {
        subject: "shared".into(),
        message: Some("p.Second".into()),
        auto_register: false,
        deny_null: true,
        ..strict()
    };
    let rest = proxy(rules);
    let id = rest.register("shared", two, vec![]).await;
    let reports = post(
        &rest,
        RECORDS,
        &[
            json!({"value": {"data": {"s": "x"}}}),
            inline(two, json!({"s": "y"})),
            inline(&two.replace("string s = 1;", "string s = 1; string t = 2;"), json!({})),
            binary(&framed(id, b"\x02\x02\x0a\x01z")),
            binary(&framed(id, b"\0\x08\x01")),
            json!({"key": {"type": "STRING", "data": "k"}}),
            json!({"value": {"type": "JSON", "data": null}}),
        ],
    )
    .await;
    assert_eq!(codes(&reports), [200, 200, 42282, 200, 42285, 42286, 42286], "{reports:#?}");
    assert_eq!(reports[0]["value"]["subject"], "shared");
    let written = rest.one.records("t");
    assert_eq!(written[0].value.as_deref(), Some(&framed(id, b"\x02\x02\x0a\x01x")[..]), "the second message");
}

#[tokio::test]
async fn no_alias_leads_around_the_subject_of_a_file() {
    let rest = proxy(strict());
    let own = rest.register("t-value", FITS, vec![]).await;
    let other = rest.register("elsewhere", OTHER, vec![]).await;
    rest.alias("t-value", "elsewhere").await;
    rest.alias("nick", "t-value").await;
    let records = [
        json!({"value": {"data": {"id": "a"}}}),
        json!({"value": {"subject": "nick", "schema_id": own, "data": {"id": "b"}}}),
        inline(OTHER, json!({"x": 1})),
        json!({"value": {"schema_id": other, "data": {"x": 1}}}),
        json!({"value": {"subject": "elsewhere", "data": {"x": 1}}}),
        binary(&framed(other, b"\0\x08\x01")),
    ];
    let reports = post(&rest, RECORDS, &records).await;
    assert_eq!(codes(&reports), [200, 200, 42281, 42283, 42283, 42283], "{reports:#?}");
}

#[tokio::test]
async fn what_a_file_closes_is_not_registered_by_way_of_another_topic_or_side() {
    let rest = proxy(SideRules { auto_register: false, ..strict() });
    rest.one.add_topic("free", 1);
    rest.register("t-value", FITS, vec![]).await;
    rest.alias("nick", "t-value").await;
    let grown = |subject: &str| json!({"type": "PROTOBUF", "subject": subject, "schema": GROWN, "data": {"note": "x"}});
    let through = [json!({"value": grown("t-value")}), json!({"key": grown("t-value")}), json!({"key": grown("nick")})];
    let reports = post(&rest, "/v3/clusters/K1/topics/free/records", &through).await;
    assert_eq!(codes(&reports), [422, 422, 422], "{reports:#?}");
    let by_key = post(&rest, RECORDS, &[json!({"key": grown("t-value"), "value": {"data": {}}})]).await;
    assert_eq!(codes(&by_key), [422], "{by_key:#?}");
    let known = json!({"type": "PROTOBUF", "subject": "t-value", "schema": FITS, "data": {"id": "a"}});
    let reports = post(&rest, "/v3/clusters/K1/topics/free/records", &[json!({"value": known})]).await;
    assert_eq!(codes(&reports), [200], "what is registered may be used");
    assert!(rest.one.records("t").is_empty());
}

#[tokio::test]
async fn keys_have_rules_of_their_own() {
    let mut declared = topic("t", "one", side("t-value", Enforcement::Off));
    declared.key = side("t-key", Enforcement::Strict);
    let rest = Rest::with_topics(vec![declared]);
    rest.one.add_topic("t", 1);
    let reports = post(
        &rest,
        RECORDS,
        &[
            json!({"key": {"type": "STRING", "data": "k"}, "value": {"type": "STRING", "data": "v"}}),
            json!({"key": {"type": "PROTOBUF", "schema": OTHER, "data": {"x": 1}}, "value": {"type": "STRING", "data": "v"}}),
        ],
    )
    .await;
    assert_eq!(codes(&reports), [42286, 200]);
    assert_eq!(reports[1]["key"]["subject"], "t-key");
}

#[tokio::test]
async fn warn_writes_and_counts_and_off_does_not_look() {
    let rest = Rest::with_topics(vec![
        topic("warned", "one", side("warned-value", Enforcement::Warn)),
        topic("off", "one", side("off-value", Enforcement::Off)),
    ]);
    rest.one.add_topic("warned", 1);
    rest.one.add_topic("off", 1);
    let raw = [binary(b"raw"), json!({"value": {"type": "STRING", "data": "x"}}), binary(&framed(99, b"\0"))];
    for name in ["warned", "off"] {
        let reports = post(&rest, &format!("/v3/clusters/lkg/topics/{name}/records"), &raw).await;
        assert_eq!(codes(&reports), [200, 200, 200], "{name}");
    }
    let warned = |rule| rest.counted("sluice_gate_warned_total", &[("topic", "warned"), ("rule", rule)]);
    assert_eq!([warned("framing"), warned("type"), warned("unregistered")], [1, 1, 1]);
    assert_eq!(rest.counted("sluice_gate_warned_total", &[("topic", "off")]), 0);
}

#[tokio::test]
async fn an_undeclared_topic_takes_raw_bytes_but_an_inline_schema_must_be_compatible() {
    let rest = Rest::new();
    rest.one.add_topic("t", 1);
    let reports = post(
        &rest,
        "/v3/clusters/x/topics/t/records",
        &[inline(FITS, json!({"id": "a"})), binary(b"raw"), inline(BREAKS, json!({})), inline(GROWN, json!({}))],
    )
    .await;
    assert_eq!(codes(&reports), [200, 200, 422, 200]);
    let message = reports[2]["message"].as_str().unwrap();
    let template = "Error: 42207 : Error serializing message. Error when registering schema. format = PROTOBUF, \
                    subject = t-value, schema = syntax = \"proto3\";";
    assert!(message.starts_with(template), "{message}");
    assert!(message.contains("FIELD_SCALAR_KIND_CHANGED") && message.contains("#/Paid/2"), "{message}");
    assert_eq!(rest.one.records("t").len(), 3);
}

#[tokio::test]
async fn with_the_store_away_known_schemas_go_on_and_new_ones_cannot_be_verified() {
    let rest = proxy(strict());
    let known = inline(FITS, json!({"id": "a"}));
    assert_eq!(codes(&post(&rest, RECORDS, std::slice::from_ref(&known)).await), [200]);
    rest.store.break_down();
    let reports = post(&rest, RECORDS, &[known.clone(), inline(GROWN, json!({})), known]).await;
    assert_eq!(codes(&reports), [200, 50375, 200], "{reports:#?}");
    rest.store.recover();
    assert_eq!(codes(&post(&rest, RECORDS, &[inline(GROWN, json!({}))]).await), [200]);
}

#[tokio::test]
async fn each_topic_goes_to_its_cluster_under_a_logical_id_and_a_physical_id_pins() {
    let off = |name: &str| side(&format!("{name}-value"), Enforcement::Off);
    let mut frozen = topic("frozen", "one", off("frozen"));
    frozen.is_frozen = true;
    let rest = Rest::with_topics(vec![topic("a", "one", off("a")), topic("b", "two", off("b")), frozen]);
    for name in ["a", "b", "frozen", "both"] {
        rest.one.add_topic(name, 1);
        rest.two.add_topic(name, 1);
    }
    rest.two.add_topic("only-two", 1);
    let text = json!({"value": {"type": "STRING", "data": "x"}}).to_string();
    for (id, topic, code, cluster) in [
        ("lkg", "a", 200, "K1"),
        ("lkg", "b", 200, "K2"),
        ("K2", "a", 200, "K2"),
        ("one", "b", 200, "K1"),
        ("lkg", "only-two", 200, "K2"),
        ("lkg", "both", 40401, ""),
        ("lkg", "nobody", 40401, ""),
        ("lkg", "frozen", 50373, ""),
    ] {
        let reports = rest.post(&format!("/v3/clusters/{id}/topics/{topic}/records"), text.clone()).await;
        assert_eq!(reports[0]["error_code"], code, "{id} {topic}: {reports:?}");
        assert_eq!(reports[0]["cluster_id"].as_str().unwrap_or_default(), cluster, "{id} {topic}");
    }
    let response = rest.send("/v3/clusters/nowhere/topics/a/records", &[], text).await;
    assert_eq!(response.status(), 404);
    assert_eq!((rest.one.records("a").len(), rest.one.records("b").len()), (1, 1));
    assert_eq!((rest.two.records("a").len(), rest.two.records("b").len()), (1, 1));
}

#[tokio::test]
async fn a_declared_topic_that_is_missing_is_never_created() {
    let rest = Rest::with_topics(vec![topic("t", "one", side("t-value", Enforcement::Off))]);
    rest.one.auto_create(1);
    let text = json!({"value": {"type": "STRING", "data": "x"}}).to_string();
    for id in ["lkg", "K1"] {
        let reports = rest.post(&format!("/v3/clusters/{id}/topics/t/records"), text.clone()).await;
        assert_eq!(reports[0]["error_code"], 40401, "{id}");
    }
    let reports = rest.post("/v3/clusters/K1/topics/undeclared/records", text).await;
    assert_eq!(reports[0]["error_code"], 200);
}

#[tokio::test]
async fn the_default_group_is_listed_first_without_a_controller_then_the_clusters() {
    let rest = Rest::with_topics(vec![]);
    let (status, answer) = rest.get("/v3/clusters").await;
    assert_eq!(status, 200);
    let listed: Vec<(&str, bool)> = answer["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|cluster| (cluster["cluster_id"].as_str().unwrap(), cluster["controller"].is_null()))
        .collect();
    assert_eq!(listed, [("lkg", true), ("K1", false), ("K2", false)]);
}

#[tokio::test]
async fn framed_records_are_read_back_as_json_with_their_subject() {
    let rest = Rest::new();
    rest.one.add_topic("t", 1);
    post(&rest, "/v3/clusters/x/topics/t/records", &[inline(FITS, json!({"id": "a", "cents": "7"}))]).await;
    let (_, answer) = rest.get("/cp/v1/topics/t/records").await;
    let value = &answer["records"][0]["value"];
    assert_eq!((&value["subject"], &value["schema_id"]), (&json!("t-value"), &json!(1)), "{answer}");
    assert_eq!(value["json"], json!({"id": "a", "cents": "7"}));
    let broken = binary(&framed(1, b"\0\x0a\x7f"));
    post(&rest, "/v3/clusters/x/topics/t/records", &[broken]).await;
    let (_, answer) = rest.get("/cp/v1/topics/t/records?offset=1").await;
    assert!(answer["records"][0]["value"]["problem"].is_string(), "{answer}");
}
