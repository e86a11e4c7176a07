//! Microseconds per compatibility check of big schemas: an Avro record of 200 fields, a `.proto` of 100 messages, a JSON
//! Schema of 500 properties; one pair alone, and transitively against 10 and 100 versions.
//!
//! `cargo run --release -p sluice-schema --example compatibility_bench [-- --json]`. One core, best of five rounds. With
//! `--json` one line: `{"avro":{"bytes":…,"parse_us":…,"pair_us":…,"ten_us":…,"hundred_us":…,"linearity":…},…}`, where
//! `linearity` is the time against 100 versions by that against 10. `-- --text avro 7` prints a version, for whoever
//! registers them.

#![allow(clippy::unwrap_used, clippy::print_stdout)] // a measuring tool: ends at the first surprise, prints its result

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sluice_schema::compat::{self, Prior};
use sluice_schema::{Level, Schema, SchemaType, Version};

const FORMATS: [SchemaType; 3] = [SchemaType::Avro, SchemaType::Protobuf, SchemaType::Json];
const ROUNDS: usize = 5;
/// Each round goes on for so long.
const ROUND: Duration = Duration::from_millis(150);

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, format, version] = &*arguments
        && flag == "--text"
    {
        let format = SchemaType::from_wire(&format.to_uppercase()).unwrap();
        println!("{}", text(format, version.parse().unwrap()));
        return;
    }
    let as_json = arguments.iter().any(|argument| argument == "--json");
    let rows: Vec<String> = FORMATS.into_iter().map(|format| row(format, as_json)).collect();
    if as_json { println!("{{{}}}", rows.join(",")) } else { println!("{}", rows.join("\n")) }
}

fn row(format: SchemaType, as_json: bool) -> String {
    let new = parse(format, 101);
    let priors: Vec<Prior> =
        (1..=100).map(|n| Prior { version: Version(n), schema: Arc::new(parse(format, n)) }).collect();
    let newest_text = text(format, 101);
    let against = |priors: &[Prior]| {
        measure(|| compat::check(Level::BackwardTransitive, black_box(&new), black_box(priors), false).unwrap())
    };
    let parse_us =
        measure(|| drop(black_box(Schema::parse(format, black_box(&newest_text), empty(), empty()).unwrap())));
    let (pair, ten, hundred) = (against(&priors[99..]), against(&priors[90..]), against(&priors));
    let (name, bytes, linearity) = (format.wire().to_lowercase(), newest_text.len(), hundred / ten);
    if as_json {
        return format!(
            r#""{name}":{{"bytes":{bytes},"parse_us":{parse_us:.1},"pair_us":{pair:.1},"ten_us":{ten:.1},"hundred_us":{hundred:.1},"linearity":{linearity:.2}}}"#
        );
    }
    format!(
        "{name:9} {bytes:>7} B: parse {parse_us:.0} µs, one pair {pair:.1} µs, 10 versions {ten:.1} µs, 100 versions \
         {hundred:.1} µs ({linearity:.2} times 10)"
    )
}

fn empty<T>() -> Arc<[T]> {
    Arc::new([])
}

fn parse(format: SchemaType, version: i32) -> Schema {
    Schema::parse(format, &text(format, version), empty(), empty()).unwrap()
}

/// The text of a version: all are of one size, each may follow every other.
fn text(format: SchemaType, version: i32) -> String {
    match format {
        SchemaType::Avro => avro(version),
        SchemaType::Protobuf => protobuf(version),
        SchemaType::Json => json(version),
    }
}

/// 200 fields, the last one this version's own.
fn avro(version: i32) -> String {
    let field = |n: i32| match n % 8 {
        0 => format!(r#"{{"name":"text_{n}","type":"string","doc":"Field {n} of the order"}}"#),
        1 => format!(r#"{{"name":"optional_{n}","type":["null","long"],"default":null}}"#),
        2 => format!(r#"{{"name":"at_{n}","type":{{"type":"long","logicalType":"timestamp-millis"}}}}"#),
        3 => format!(
            r#"{{"name":"kind_{n}","type":{{"type":"enum","name":"Kind{n}","symbols":["NEW","PAID","SENT"]}}}}"#
        ),
        4 => format!(r#"{{"name":"labels_{n}","type":{{"type":"map","values":"string"}}}}"#),
        5 => format!(
            r#"{{"name":"part_{n}","type":{{"type":"record","name":"Part{n}","fields":[{{"name":"sku","type":"string"}},{{"name":"count","type":"int"}}]}}}}"#
        ),
        6 => format!(r#"{{"name":"list_{n}","type":{{"type":"array","items":"Part{}"}}}}"#, n - 1),
        _ => format!(r#"{{"name":"amount_{n}","type":"double"}}"#),
    };
    let mut fields: Vec<String> = (0..199).map(field).collect();
    fields.push(format!(r#"{{"name":"added_{version:03}","type":["null","string"],"default":null}}"#));
    format!(r#"{{"type":"record","name":"Order","namespace":"bench","fields":[{}]}}"#, fields.join(","))
}

/// 100 messages, the last one with a field of this version's own.
fn protobuf(version: i32) -> String {
    let message = |n: i32| {
        let before = if n == 0 { "Message0".to_owned() } else { format!("Message{}", n - 1) };
        let own = if n == 99 { format!("string added_{version:03} = {};", 1000 + version) } else { String::new() };
        format!(
            "message Message{n} {{ string id = 1; int64 total = 2; repeated {before} parts = 3; map<string, string> labels \
             = 4; Kind kind = 5; oneof choice {{ string left = 6; bytes right = 7; }} double amount = 8; {own} \
             enum Kind {{ UNKNOWN = 0; NEW = 1; PAID = 2; }} }}\n"
        )
    };
    format!("syntax = \"proto3\";\npackage bench;\n{}", (0..100).map(message).collect::<String>())
}

/// 500 properties, one with a bound that grows with the version.
fn json(version: i32) -> String {
    let property = |n: i32| match n % 5 {
        0 => format!(r#""text_{n}":{{"type":"string","minLength":1,"maxLength":200}}"#),
        1 => format!(
            r#""count_{n}":{{"type":"integer","minimum":0,"maximum":{}}}"#,
            if n == 1 { 1000 + version } else { 9 }
        ),
        2 => format!(r#""kind_{n}":{{"type":"string","enum":["new","paid","sent"]}}"#),
        3 => format!(
            r#""part_{n}":{{"type":"object","properties":{{"sku":{{"type":"string"}},"count":{{"type":"integer"}}}},"required":["sku"]}}"#
        ),
        _ => format!(r#""either_{n}":{{"oneOf":[{{"type":"null"}},{{"type":"number"}}]}}"#),
    };
    let properties: Vec<String> = (0..500).map(property).collect();
    format!(
        r#"{{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{{{}}},"required":["text_0"]}}"#,
        properties.join(",")
    )
}

/// Microseconds of `once`: the mean of a round, the best of the rounds.
fn measure(mut once: impl FnMut()) -> f64 {
    once();
    let round = |once: &mut dyn FnMut()| {
        let (began, mut times) = (Instant::now(), 0u32);
        while began.elapsed() < ROUND {
            once();
            times += 1;
        }
        began.elapsed().as_secs_f64() * 1e6 / f64::from(times)
    };
    (0..ROUNDS).map(|_| round(&mut once)).fold(f64::MAX, f64::min)
}
