//! Nanoseconds per record for JSON → protobuf: this crate's codec and prost-reflect, on the same order message.
//!
//! `cargo run --release -p sluice-schema --example json_protobuf_bench [-- --json]`. One core, best of seven rounds
//! each, rounds of the two taken in turn so that a change of clock speed hits both. With `--json` one line:
//! `{"name":"json_to_protobuf","json_bytes":…,"protobuf_bytes":…,"codec_ns":…,"prost_reflect_ns":…,"ratio":…}`.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a measuring tool: ends at the first surprise, prints its result

use std::hint::black_box;
use std::sync::Arc;
use std::time::Instant;

use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use sluice_schema::protobuf::ProtobufSchema;

const PROTO: &str = r#"syntax = "proto3";
package bench;
import "google/protobuf/timestamp.proto";

message Order {
  string order_id = 1;
  int64 customer_id = 2;
  google.protobuf.Timestamp created_at = 3;
  Status status = 4;
  Address ship_to = 5;
  repeated Line lines = 6;
  map<string, string> labels = 7;
  double total = 8;
  bool gift = 9;
  optional string coupon = 10;
  repeated int32 warehouse_hints = 11;
  string ordered = 12;
}
enum Status { STATUS_UNKNOWN = 0; STATUS_PAID = 1; STATUS_SHIPPED = 2; }
message Address { string street = 1; string city = 2; string zip = 3; string country = 4; }
message Line { string sku = 1; int32 quantity = 2; double unit_price = 3; bytes digest = 4; }
"#;

const JSON: &str = r#"{"orderId":"ord-2024-000123456","customerId":"9007199254741","createdAt":"2024-03-01T12:34:56.789Z","status":"STATUS_PAID","shipTo":{"street":"12 Canal Street","city":"Rotterdam","zip":"3011","country":"NL"},"lines":[{"sku":"A-1001","quantity":2,"unitPrice":19.95,"digest":"3q2+7w=="},{"sku":"B-2002","quantity":1,"unitPrice":249,"digest":"yv66vg=="},{"sku":"C-3003","quantity":12,"unitPrice":0.75,"digest":"AAECAw=="}],"labels":{"channel":"web","campaign":"spring-2024","tier":"gold"},"total":297.9,"gift":true,"coupon":"SPRING10","warehouseHints":[3,17,42,1001,70000],"ordered":"by phone"}"#;

const ROUNDS: usize = 7;
const RECORDS: u32 = 100_000;

fn main() {
    let json = JSON;
    let schema = ProtobufSchema::parse(PROTO, Arc::new([]), Arc::new([])).unwrap();
    let codec = schema.codec().unwrap();
    let message = codec.first_message().unwrap();
    let mut pool = DescriptorPool::global();
    pool.add_file_descriptor_proto(protox_parse::parse("order.proto", PROTO).unwrap()).unwrap();
    let descriptor = pool.get_message_by_name("bench.Order").unwrap();

    let mut ours = Vec::new();
    codec.encode_json(message, json.as_bytes(), &mut ours).unwrap();
    let theirs = through_prost_reflect(&descriptor, json.as_bytes());
    let same = DynamicMessage::decode(descriptor.clone(), &*ours).unwrap()
        == DynamicMessage::decode(descriptor.clone(), &*theirs).unwrap();
    assert!(same, "both must write the same message");

    let mut out = Vec::with_capacity(1_024);
    let (mut codec_ns, mut prost_reflect_ns) = (f64::MAX, f64::MAX);
    for _ in 0..ROUNDS {
        codec_ns = codec_ns.min(measure(RECORDS, || {
            out.clear();
            codec.encode_json(message, black_box(json.as_bytes()), &mut out).unwrap();
            black_box(&out);
        }));
        prost_reflect_ns = prost_reflect_ns.min(measure(RECORDS / 4, || {
            black_box(through_prost_reflect(&descriptor, black_box(json.as_bytes())));
        }));
    }
    let ratio = codec_ns / prost_reflect_ns;
    if std::env::args().any(|argument| argument == "--json") {
        println!(
            r#"{{"name":"json_to_protobuf","json_bytes":{},"protobuf_bytes":{},"codec_ns":{codec_ns:.0},"prost_reflect_ns":{prost_reflect_ns:.0},"ratio":{ratio:.3}}}"#,
            json.len(),
            ours.len(),
        );
    } else {
        println!("order of {} B JSON, {} B protobuf", json.len(), ours.len());
        println!("codec         {codec_ns:>8.0} ns/record");
        println!("prost-reflect {prost_reflect_ns:>8.0} ns/record");
        println!("ratio         {ratio:>8.3}");
    }
}

fn through_prost_reflect(descriptor: &MessageDescriptor, json: &[u8]) -> Vec<u8> {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let message = DynamicMessage::deserialize(descriptor.clone(), &mut deserializer).unwrap();
    prost::Message::encode_to_vec(&message)
}

fn measure(records: u32, mut once: impl FnMut()) -> f64 {
    let start = Instant::now();
    for _ in 0..records {
        once();
    }
    start.elapsed().as_nanos() as f64 / f64::from(records)
}
