//! The produce stream over a cluster in memory: the recorded exchanges, and what no recording shows.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests

mod rest;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt;
use http_body::Body as _;
use rest::Rest;
use serde_json::{Value, json};
use sluice_data_plane::{Cause, Fault, Lane, Outcome, Persistence};

fn recorded(name: &str) -> Value {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../../compat-tests/golden/rest/recorded")
        .join(format!("{name}.json"));
    serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap()
}

/// Replaces the variables of a recording. A text that is nothing but a schema's variable becomes the schema's number.
fn filled(value: &Value, schemas: &BTreeMap<String, i32>) -> Value {
    let mut text = value.to_string().replace("${run}", "0a1b2c3d4e").replace("${cluster_id}", "K1");
    for (name, id) in schemas {
        text = text.replace(&format!("\"${{{name}}}\""), &id.to_string());
        text = text.replace(&format!("${{{name}}}"), &id.to_string());
    }
    while let Some(start) = text.find("${fill:") {
        let end = start + text[start..].find('}').unwrap();
        let mut parts = text[start + 7..end].split(':');
        let count: usize = parts.next().unwrap().parse().unwrap();
        let filling = parts.next().unwrap_or("x").repeat(count);
        text.replace_range(start..=end, &filling);
    }
    serde_json::from_str(&text).unwrap()
}

/// The body of a step, as the recorder sent it.
fn body_of(step: &Value) -> Vec<u8> {
    if let Some(base64) = step["base64"].as_str() {
        return base64_simd::STANDARD.decode_to_vec(base64).unwrap();
    }
    if let Some(text) = step["text"].as_str() {
        return text.as_bytes().to_vec();
    }
    match (&step["records"], &step["json"]) {
        (Value::Array(records), _) => records.iter().map(Value::to_string).collect::<String>().into_bytes(),
        (_, Value::Null) => Vec::new(),
        (_, json) => json.to_string().into_bytes(),
    }
}

/// Whether a report is what was recorded: texts of errors are not compared, a timestamp of the request only for being
/// there.
fn agrees(report: &Value, recorded: &Value, schemas: &mut BTreeMap<String, i32>) -> bool {
    if recorded["error_code"] != 200 {
        if recorded["error_code"] == 500 {
            // Accidents of the reference are the client's mistakes here.
            return matches!(report["error_code"].as_i64(), Some(400 | 422));
        }
        return report["error_code"] == recorded["error_code"];
    }
    let (mut report, mut recorded) = (report.clone(), recorded.clone());
    if recorded["timestamp"] == "${now}" {
        if !report["timestamp"].as_str().is_some_and(|text| text.starts_with("20") && text.ends_with('Z')) {
            return false;
        }
        recorded["timestamp"] = Value::Null;
        report["timestamp"] = Value::Null;
    }
    for side in ["key", "value"] {
        // A schema that the step itself registered gets its number here.
        if let Some(name) = recorded[side]["schema_id"].as_str().map(str::to_owned)
            && let Some(id) = report[side]["schema_id"].as_i64()
        {
            let known = *schemas.entry(name).or_insert(id as i32);
            recorded[side]["schema_id"] = json!(known);
        }
    }
    report == recorded
}

/// Whether bytes are those of a recording; long ones are known by their length only.
fn same_bytes(bytes: Option<&[u8]>, recorded: &Value, schemas: &BTreeMap<String, i32>) -> bool {
    let from_text = |value: &Value| value["text"].as_str().map(|text| text.as_bytes().to_vec());
    let from_base64 = |value: &Value| Some(base64_simd::STANDARD.decode_to_vec(value["base64"].as_str()?).unwrap());
    let Some(bytes) = bytes else { return recorded.is_null() };
    if let Some(length) = recorded["length"].as_u64() {
        return bytes.len() as u64 == length;
    }
    if recorded["framed"].is_null() {
        return from_text(recorded).or_else(|| from_base64(recorded)).is_some_and(|wanted| bytes == wanted);
    }
    let id = recorded["framed"].as_i64().map(|id| id as i32);
    let id = id.or_else(|| schemas.get(recorded["framed"].as_str().unwrap()).copied()).unwrap();
    let payload = &recorded["payload"];
    let payload = from_text(payload).or_else(|| from_base64(payload)).unwrap();
    bytes == [&[0][..], &id.to_be_bytes(), &payload].concat()
}

/// Recordings whose every step is a stream of plain, protobuf or JSON Schema records.
const SCENARIOS: &[&str] = &[
    "jsonschema-compatibility",
    "jsonschema-invalid-data",
    "jsonschema-kinds",
    "jsonschema-raw",
    "jsonschema-rewriting",
    "produce-absent-data",
    "produce-binary",
    "produce-headers",
    "produce-headers-bad",
    "produce-illegal-topic",
    "produce-json",
    "produce-key-partitioning-types",
    "produce-nothing",
    "produce-partition-coercions",
    "produce-partition-none",
    "produce-partition-unknown",
    "produce-string",
    "produce-timestamps",
    "produce-too-large-for-the-client",
    "produce-unknown-cluster",
    "produce-unknown-fields",
    "protobuf-all-types",
    "protobuf-by-id-version-latest",
    "protobuf-invalid-schemas",
    "protobuf-proto2",
    "protobuf-record-name",
    "protobuf-references",
    "protobuf-well-known-types",
    "stream-accept",
    "stream-chunked",
    "stream-comma",
    "stream-connection-reuse",
    "stream-content-types",
    "stream-empty",
    "stream-encodings",
    "stream-list",
    "stream-many-partitions",
    "stream-responses-shape",
    "stream-separators",
    "stream-syntax-errors",
];

/// Steps that are answered differently on purpose.
const ON_PURPOSE: &[(&str, &str)] = &[
    // Epoch 0 cannot be written: librdkafka reads it as "now".
    ("produce-timestamps", "0"),
    // Refused by the container, before any route is asked.
    ("produce-illegal-topic", "dot"),
    // Data is written as it was sent, not printed again.
    ("jsonschema-raw", "same schema, other spelling"),
    ("jsonschema-rewriting", "{ \"b\" : 1, \"a\" : 2 }"),
    ("jsonschema-rewriting", "1.10"),
    ("jsonschema-rewriting", "1e2"),
    ("jsonschema-rewriting", "\"\\u00e9\""),
    ("jsonschema-rewriting", "[ ]"),
];

#[tokio::test]
async fn records_are_taken_refused_and_reported_as_recorded() {
    let mut mistakes = Vec::new();
    let mut steps = 0;
    for name in SCENARIOS {
        let recording = recorded(name);
        let rest = Rest::new();
        let mut schemas = BTreeMap::new();
        for schema in recording["given"]["schemas"].as_array().into_iter().flatten() {
            let schema = filled(schema, &schemas);
            let references = serde_json::from_value(schema["references"].clone()).unwrap_or_default();
            let text = schema["schema"].as_str().unwrap();
            let id = rest.register(schema["subject"].as_str().unwrap(), text, references).await;
            schemas.insert(schema["as"].as_str().unwrap().to_owned(), id);
        }
        let scenario = filled(&recording, &schemas);
        for topic in scenario["given"]["topics"].as_array().into_iter().flatten() {
            rest.one.add_topic(topic["name"].as_str().unwrap(), topic["partitions"].as_u64().unwrap_or(1) as usize);
        }
        // What is left out shifts the offsets behind it.
        let mut shift = 0;
        for step in scenario["steps"].as_array().unwrap() {
            let path = step["path"].as_str().unwrap();
            let id = step["id"].as_str().unwrap();
            if !path.ends_with("/records") || step["method"] != "POST" {
                continue;
            }
            if ON_PURPOSE.contains(&(name, id)) {
                shift += i64::from(step["expect"]["records"][0]["error_code"] == 200);
                continue;
            }
            let headers: Vec<(&str, &str)> = step["headers"]
                .as_object()
                .into_iter()
                .flatten()
                .map(|(header, value)| (header.as_str(), value.as_str().unwrap()))
                .collect();
            let before = rest.one_records();
            let (status, reports) = rest.post_with(path, &headers, body_of(step)).await;
            steps += 1;
            let expect = &step["expect"];
            let empty = Vec::new();
            let mut wanted = expect["records"].as_array().unwrap_or(&empty).clone();
            for report in &mut wanted {
                if let Some(offset) = report["offset"].as_i64() {
                    report["offset"] = json!(offset - shift);
                }
            }
            let fits = status == expect["status"].as_u64().unwrap() as u16
                && (status != 200
                    || (reports.len() == wanted.len()
                        && reports.iter().zip(&wanted).all(|(r, w)| agrees(r, w, &mut schemas))));
            if !fits {
                mistakes.push(format!("{name} / {id}: {status} {reports:#?}\nrecorded: {wanted:#?}"));
            }
            for entry in expect["kafka"].as_array().into_iter().flatten().filter(|entry| entry["missing"].is_null()) {
                let (partition, offset) = (entry["partition"].as_i64().unwrap(), entry["offset"].as_i64().unwrap());
                let records = rest.one.records(entry["topic"].as_str().unwrap());
                let found = records
                    .iter()
                    .find(|record| i64::from(record.partition) == partition && record.offset == offset - shift);
                let same = found.is_some_and(|record| {
                    same_bytes(record.key.as_deref(), &entry["key"], &schemas)
                        && same_bytes(record.value.as_deref(), &entry["value"], &schemas)
                });
                if !same {
                    mistakes.push(format!("{name} / {id}: in Kafka {found:?}, recorded: {entry}"));
                }
            }
            let written = rest.one_records().len() - before.len();
            let succeeded = reports.iter().filter(|report| report["error_code"] == 200).count();
            assert_eq!(written, succeeded, "{name} / {id}: what is reported is in the log");
        }
    }
    assert!(mistakes.is_empty(), "{} of {steps} steps:\n{}", mistakes.len(), mistakes.join("\n"));
    assert!(steps > 150, "{steps}");
}

#[tokio::test]
async fn headers_keys_and_values_reach_the_log_as_they_were_sent() {
    let rest = Rest::new();
    rest.one.add_topic("t", 1);
    let record = json!({
        "key": {"type": "STRING", "data": "k\u{fc}"}, "value": {"type": "BINARY", "data": "AP8"}, "timestamp": 1.5,
        "headers": [{"name": "a", "value": "MQ=="}, {"name": "b"}, {"name": "a", "value": ""}],
    });
    let reports = rest.post("/v3/clusters/x/topics/t/records", record.to_string()).await;
    assert_eq!(reports[0]["error_code"], 200);
    let [written] = &rest.one.records("t")[..] else { panic!() };
    assert_eq!((written.key.as_deref(), written.value.as_deref()), (Some("k\u{fc}".as_bytes()), Some(&[0, 0xff][..])));
    assert_eq!(written.timestamp_ms, Some(1500));
    let headers: Vec<(&str, Option<&[u8]>)> =
        written.headers.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
    assert_eq!(headers, [("a", Some(&b"1"[..])), ("a", Some(b"")), ("b", None)]);
}

#[tokio::test]
async fn an_empty_schema_or_subject_is_registered_nowhere_and_a_schema_is_parsed_first() {
    let rest = Rest::new();
    rest.one.add_topic("t", 1);
    for (format, schema, subject, told) in [
        ("AVRO", "", "s", "42205"),
        ("AVRO", "int", "", "42205"),
        ("AVRO", "\"int\"", "", "42207"),
        ("JSONSCHEMA", "", "s", "42207"),
        ("JSONSCHEMA", "{", "", "42205"),
        ("JSONSCHEMA", "{}", "", "42207"),
        ("PROTOBUF", " ", "s", "42207"),
        ("PROTOBUF", "message", "", "42205"),
    ] {
        let value = json!({"type": format, "schema": schema, "subject": subject, "data": 1});
        let reports = rest.post("/v3/clusters/x/topics/t/records", json!({"value": value}).to_string()).await;
        let message = reports[0]["message"].as_str().unwrap();
        assert!(message.starts_with(&format!("Error: {told} : ")), "{format} {schema:?} {subject:?}: {message}");
    }
    assert!(rest.one.records("t").is_empty());
}

#[tokio::test]
async fn a_subject_stands_for_what_the_registry_has_it_as_an_alias_of() {
    let rest = Rest::new();
    rest.one.add_topic("t", 1);
    let text = |kind: &str| format!("syntax = \"proto3\"; message M {{ {kind} a = 1; }}");
    let id = rest.register("target", &text("int32"), vec![]).await;
    rest.alias("nick", "target").await;
    rest.alias("t-value", "target").await;
    let inline =
        |kind: &str| json!({"value": {"type": "PROTOBUF", "subject": "nick", "schema": text(kind), "data": {}}});
    let records = [
        json!({"value": {"subject": "nick", "data": {"a": 1}}}),
        json!({"value": {"subject": "nick", "schema_id": id, "data": {"a": 1}}}),
        json!({"value": {"subject": "nick", "schema_version": 1, "data": {"a": 1}}}),
        json!({"value": {"data": {"a": 1}}}),
        inline("int32"),
        // Compared with the versions of the subject that it would become one of.
        inline("string"),
    ];
    let body: String = records.iter().map(Value::to_string).collect();
    let reports = rest.post("/v3/clusters/x/topics/t/records", body).await;
    let named = |report: &Value| (report["error_code"].as_i64().unwrap(), report["value"]["subject"].clone());
    let expected = [
        (200, json!("nick")),
        (200, json!("nick")),
        // By version, the reference reports what the registry says.
        (200, json!("target")),
        (200, json!("t-value")),
        (200, json!("nick")),
        (422, Value::Null),
    ];
    assert_eq!(reports.iter().map(named).collect::<Vec<_>>(), expected, "{reports:#?}");
    assert!(reports[..5].iter().all(|report| report["value"]["schema_id"] == id), "{reports:#?}");
    assert_eq!(rest.one.records("t").len(), 5);
}

#[tokio::test]
async fn reports_keep_the_order_of_records_whatever_the_order_of_outcomes() {
    let rest = Rest::new();
    rest.one.add_topic("t", 1);
    rest.one.hold();
    let text = |n: i32| json!({"value": {"type": "STRING", "data": n.to_string()}}).to_string();
    let body = format!("{}{}{{\"value\":1}}{}", text(0), text(1), text(2));
    let one = rest.one.clone();
    let answering = rest.post("/v3/clusters/x/topics/t/records", body);
    let (reports, ()) = tokio::join!(answering, async move {
        while one.records("t").len() < 3 {
            tokio::task::yield_now().await;
        }
        one.release_backwards();
    });
    let offsets: Vec<_> = reports.iter().map(|report| report["offset"].clone()).collect();
    assert_eq!(offsets, [json!(0), json!(1), Value::Null, json!(2)]);
    assert_eq!(reports[2]["error_code"], 400);
}

/// Time stands still, so the stream counts as a fast one after 1,024 records.
#[tokio::test(start_paused = true)]
async fn a_fast_stream_changes_to_the_producer_of_large_batches_and_keeps_its_order() {
    let rest = Rest::new();
    rest.one.add_topic("t", 1);
    let body: String =
        (0..3_000).map(|n| json!({"value": {"type": "STRING", "data": n.to_string()}}).to_string()).collect();
    let reports = rest.post("/v3/clusters/x/topics/t/records", body).await;
    assert_eq!(reports.len(), 3_000);
    for (number, report) in reports.iter().enumerate() {
        assert_eq!(report["offset"], number);
    }
    let values: Vec<_> = rest.one.records("t").iter().map(|record| record.value.clone().unwrap()).collect();
    assert!(values.iter().enumerate().all(|(number, value)| *value == number.to_string().into_bytes()));
    let lanes = rest.one.lanes();
    assert!(lanes[..1_024].iter().all(|lane| *lane == Lane::Pinned));
    assert!(lanes[1_024..].iter().all(|lane| *lane == Lane::Stream));
}

/// A task of its own, so that nothing but the outcomes wakes the stream. Time stands still: were one of them missed,
/// only the deadline, 35 s later, would bring the reports.
#[tokio::test(start_paused = true)]
async fn an_outcome_out_of_order_does_not_hide_the_next_one() {
    let rest = Arc::new(Rest::new());
    rest.one.add_topic("t", 1);
    rest.one.hold();
    let began = tokio::time::Instant::now();
    let one = rest.one.clone();
    let body = r#"{"value":{"type":"STRING","data":"x"}}"#.repeat(2);
    let answering = tokio::spawn(async move { rest.post("/v3/clusters/x/topics/t/records", body).await });
    while one.records("t").len() < 2 {
        tokio::task::yield_now().await;
    }
    for _ in 0..2 {
        one.release_last();
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
    }
    let offsets: Vec<_> = answering.await.unwrap().iter().map(|report| report["offset"].clone()).collect();
    assert_eq!(offsets, [0, 1]);
    assert_eq!(began.elapsed().as_secs(), 0);
}

#[tokio::test]
async fn what_is_over_when_the_answer_begins_is_sent_whole_and_a_waiting_client_gets_its_head_first() {
    let rest = Rest::new();
    rest.one.add_topic("t", 1);
    let path = "/v3/clusters/x/topics/t/records";
    let record = r#"{"value":{"type":"STRING","data":"x"}}"#;
    let whole = rest.send(path, &[("content-type", "application/json")], record.repeat(2)).await.into_body();
    assert!(whole.size_hint().exact().is_some());
    let (sender, body) = rest::channel_body();
    let response = rest.answer(path, &[], body).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.body().size_hint().exact(), None);
    sender.send(Bytes::from(record)).unwrap();
    drop(sender);
    assert_eq!(rest::reports(response).await[0]["error_code"], 200);
}

#[tokio::test]
async fn no_head_comes_before_a_client_that_waits_for_continue_has_begun_to_send() {
    let rest = Rest::new();
    rest.one.add_topic("t", 1);
    let headers = [("content-type", "application/json"), ("expect", "100-continue")];
    let (sender, body) = rest::channel_body();
    let mut answer = Box::pin(rest.answer("/v3/clusters/x/topics/t/records", &headers, body));
    // It looks at the body, which makes the connection say `100 Continue`; a head would take the place of that.
    assert!((&mut answer).now_or_never().is_none());
    sender.send(Bytes::from_static(br#"{"value":{"type":"STRING","data":"x"}}"#)).unwrap();
    let response = answer.await;
    drop(sender);
    assert_eq!(rest::reports(response).await[0]["error_code"], 200);
}

#[tokio::test]
async fn outcomes_say_whether_the_record_may_be_there() {
    let rest = Rest::new();
    rest.one.add_topic("t", 1);
    let failed = |persistence, cause, code| Outcome::Failed {
        persistence,
        cause,
        fault: Box::new(Fault { code, message: "the broker's words".to_owned() }),
    };
    let (not, maybe) = (Persistence::SurelyNot, Persistence::Maybe);
    let cases = [
        (failed(not, Cause::Cluster, -192), 50371),
        (failed(maybe, Cause::Cluster, -192), 50471),
        (failed(not, Cause::Record, 10), 413),
        (failed(not, Cause::Record, 87), 50002),
        (failed(not, Cause::Record, 44), 40002),
        (failed(maybe, Cause::Record, 10), 50471),
        (failed(not, Cause::UnknownTopic, 3), 40401),
        (failed(not, Cause::UnknownPartition, -190), 40401),
        (failed(maybe, Cause::UnknownPartition, -190), 50471),
        (failed(not, Cause::Authorization, 29), 40301),
        (failed(not, Cause::Authentication, 58), 50371),
        (failed(not, Cause::Throttled, 89), 42901),
    ];
    let codes: Vec<i32> = cases.iter().map(|(_, code)| *code).collect();
    let body = r#"{"partition_id":0,"value":{"type":"STRING","data":"x"}}"#.repeat(cases.len());
    for (outcome, _) in cases {
        rest.one.next_outcome(outcome);
    }
    let reports = rest.post("/v3/clusters/x/topics/t/records", body).await;
    let reported: Vec<i32> = reports.iter().map(|report| report["error_code"].as_i64().unwrap() as i32).collect();
    assert_eq!(reported, codes);
    assert_eq!(reports[0]["message"], "the broker's words");
    assert!(rest.one.records("t").is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_record_without_an_outcome_is_given_up_after_its_deadline_and_its_place_is_kept() {
    let rest = Rest::new();
    rest.one.add_topic("t", 1);
    rest.one.hold();
    let began = tokio::time::Instant::now();
    let reports = rest.post("/v3/clusters/x/topics/t/records", r#"{"value":{"type":"STRING","data":"x"}}"#).await;
    assert_eq!(reports[0]["error_code"], 50471);
    assert_eq!(began.elapsed().as_secs(), 35);
    assert_eq!(rest.hub.open_streams(), 1, "its outcome may still come, and must reach nobody else");
    rest.one.release(1);
    assert_eq!(rest.hub.open_streams(), 0);
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_holds_the_stream_and_a_queue_that_stays_full_costs_only_the_record() {
    let rest = Rest::new();
    rest.one.add_topic("t", 1);
    rest.one.fill(5);
    let one = r#"{"value":{"type":"STRING","data":"x"}}"#;
    let reports = rest.post("/v3/clusters/x/topics/t/records", one).await;
    assert_eq!(reports[0]["error_code"], 200);
    rest.one.fill(usize::MAX);
    let reports = rest.post("/v3/clusters/x/topics/t/records", one).await;
    assert_eq!(reports[0]["error_code"], 50374);
    assert_eq!(rest.one.records("t").len(), 1);
}

/// Time stands still, so the stream becomes a fast one.
#[tokio::test(start_paused = true)]
async fn a_window_of_a_thousand_records_is_all_that_is_taken_without_a_report_and_of_four_thousand_when_fast() {
    const COUNT: usize = 12_000;
    let rest = Rest::new();
    rest.one.add_topic("t", 1);
    rest.one.hold();
    let body = r#"{"value":{"type":"STRING","data":"x"}}"#.repeat(COUNT);
    let one = rest.one.clone();
    let (reports, windows) = tokio::join!(rest.post("/v3/clusters/x/topics/t/records", body), async move {
        let (mut windows, mut released) = (Vec::new(), 0);
        while released < COUNT {
            for _ in 0..100 {
                tokio::task::yield_now().await;
            }
            let taken = one.records("t").len();
            windows.push(taken - released);
            one.release(usize::MAX);
            released = taken;
        }
        windows
    });
    assert_eq!(reports.len(), COUNT);
    assert!(reports.iter().enumerate().all(|(at, report)| report["offset"] == at), "in order");
    // 24 more make it a fast one, which first waits for them
    assert_eq!(windows, [1_000, 24, 4_000, 4_000, 2_976]);
}

#[tokio::test]
async fn a_client_that_does_not_read_its_reports_stops_its_own_stream() {
    let rest = Rest::new();
    rest.one.add_topic("t", 1);
    let body = r#"{"value":{"type":"STRING","data":"x"}}"#.repeat(10_000);
    let response = rest.send("/v3/clusters/x/topics/t/records", &[], Bytes::from(body)).await;
    let before_the_head = rest.one.records("t").len();
    assert!(before_the_head <= 4_000, "at most one window: {before_the_head}");
    for _ in 0..100 {
        tokio::task::yield_now().await;
    }
    assert_eq!(rest.one.records("t").len(), before_the_head, "nobody has asked for another report");
    drop(response);
    assert_eq!(rest.hub.open_streams(), 0);
}

#[tokio::test]
async fn an_unknown_topic_is_told_per_record_and_may_come_to_be() {
    let rest = Rest::new();
    let one = r#"{"value":{"type":"STRING","data":"x"}}"#;
    let reports = rest.post("/v3/clusters/x/topics/none/records", one.repeat(2)).await;
    assert_eq!((&reports[0]["error_code"], &reports[1]["error_code"]), (&json!(40401), &json!(40401)));
    assert_eq!(rest.post("/v3/clusters/x/topics/none/records", "").await.len(), 0, "no record, no question");
    rest.one.auto_create(1);
    let reports = rest.post("/v3/clusters/x/topics/none/records", one).await;
    assert_eq!(reports[0]["error_code"], 200, "the broker decides");
    rest.one.silence(true);
    let reports = rest.post("/v3/clusters/x/topics/other/records", one).await;
    assert_eq!(reports[0]["error_code"], 50371);
    let reports = rest.post("/v3/clusters/x/topics/none/records", one).await;
    assert_eq!(reports[0]["error_code"], 200, "what is known needs no question");
}

#[tokio::test(start_paused = true)]
async fn a_stop_reads_no_further_and_reports_what_was_sent() {
    let rest = Rest::new();
    rest.one.add_topic("t", 1);
    rest.one.hold();
    let (sender, body) = rest::channel_body();
    sender.send(Bytes::from_static(br#"{"value":{"type":"STRING","data":"x"}}"#)).unwrap();
    let one = rest.one.clone();
    let began = tokio::time::Instant::now();
    let (reports, ()) = tokio::join!(rest.post_body("/v3/clusters/x/topics/t/records", body), async {
        while one.records("t").is_empty() {
            tokio::task::yield_now().await;
        }
        rest.stop.send(true).unwrap();
        sender.send(Bytes::from_static(br#"{"value":{"type":"STRING","data":"y"}}"#)).unwrap();
    });
    assert_eq!(reports.len(), 1, "{reports:?}");
    assert_eq!(reports[0]["error_code"], 50471);
    assert!(began.elapsed().as_secs() < 20);
    assert_eq!(one.records("t").len(), 1);
}

#[tokio::test(start_paused = true)]
async fn thirty_seconds_without_a_byte_end_the_stream() {
    let rest = Rest::new();
    rest.one.add_topic("t", 1);
    let (sender, body) = rest::channel_body();
    let began = tokio::time::Instant::now();
    let (reports, ()) = tokio::join!(rest.post_body("/v3/clusters/x/topics/t/records", body), async {
        tokio::time::sleep(std::time::Duration::from_secs(20)).await;
        sender.send(Bytes::from_static(b"{}\n")).unwrap();
        tokio::time::sleep(std::time::Duration::from_secs(20)).await;
        sender.send(Bytes::from_static(b" ")).unwrap();
    });
    assert_eq!(reports.len(), 1);
    assert_eq!(began.elapsed().as_secs(), 70);
}

#[tokio::test]
async fn what_was_written_can_be_read_back() {
    let rest = Rest::new();
    rest.one.add_topic("t", 2);
    let body = concat!(
        r#"{"partition_id":1,"key":{"type":"STRING","data":"k"},"value":{"type":"JSON","data":{"a":1}},"timestamp":1.5}"#,
        r#"{"value":{"type":"BINARY","data":"/w=="},"headers":[{"name":"h","value":"MQ=="}]}"#,
    );
    rest.post("/v3/clusters/x/topics/t/records", body).await;
    let (status, answer) = rest.get("/cp/v1/topics/t/records").await;
    assert_eq!(status, 200);
    let records = answer["records"].as_array().unwrap();
    assert_eq!(records.len(), 2);
    assert_eq!(records[0]["headers"], json!([{"name": "h", "value": "MQ=="}]));
    assert_eq!((&records[0]["key"], &records[0]["value"]), (&Value::Null, &json!({"base64": "/w=="})));
    let second = json!({
        "partition": 1, "offset": 0, "timestamp": "1970-01-01T00:00:01.500Z", "headers": [],
        "key": {"base64": "aw==", "text": "k"}, "value": {"base64": "eyJhIjoxfQ==", "json": {"a": 1}},
    });
    assert_eq!(records[1], second);
    assert_eq!(rest.get("/cp/v1/topics/t/records?partition=1&offset=0&limit=1").await.1["records"], json!([second]));
    for (query, status) in [("partition=7", 404), ("limit=x", 404), ("cluster=nope", 404), ("offset=-1", 200)] {
        assert_eq!(rest.get(&format!("/cp/v1/topics/t/records?{query}")).await.0, status, "{query}");
    }
    assert_eq!(rest.get("/cp/v1/topics/none/records").await.0, 404);
}
