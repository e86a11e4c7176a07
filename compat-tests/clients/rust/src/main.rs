//! The crate schema_registry_converter, unmodified: its calls and its Avro, JSON Schema and protobuf encoders.
//!
//! Reads a journey from standard input and prints what the client saw; the test that started it judges the report.
//! The crate has no deletes and no levels.
use std::collections::BTreeMap;
use std::error::Error;
use std::io::stdin;

use schema_registry_converter::async_impl::avro::{AvroDecoder, AvroEncoder};
use schema_registry_converter::async_impl::json::{JsonDecoder, JsonEncoder};
use schema_registry_converter::async_impl::proto_decoder::ProtoDecoder;
use schema_registry_converter::async_impl::proto_encoder::ProtoEncoder;
use schema_registry_converter::async_impl::schema_registry::{
    SrSettings, get_all_subjects, get_all_versions, get_schema_by_guid, get_schema_by_id,
    get_schema_by_subject_and_version, is_compatible_schema, post_schema,
};
use schema_registry_converter::error::SRCError;
use schema_registry_converter::schema_registry_common::{RawError, SchemaType, SubjectNameStrategy, SuppliedSchema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Deserialize)]
struct Journey {
    registry: String,
    prefix: String,
    formats: BTreeMap<String, Format>,
}

#[derive(Deserialize)]
struct Format {
    first: String,
    second: String,
    breaking: String,
    record: Payment,
    /// The record, written by the Python serializer, in hex.
    payload: String,
}

#[derive(Serialize, Deserialize)]
struct Payment {
    id: String,
    cents: i32,
    note: String,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let journey: Journey = serde_json::from_reader(stdin())?;
    let mut formats = BTreeMap::new();
    for (name, format) in &journey.formats {
        formats.insert(name, walk(&journey, name, format).await.map_err(|error| format!("{name}: {error}"))?);
    }
    println!("{}", json!({ "formats": formats }));
    Ok(())
}

async fn walk(journey: &Journey, name: &str, format: &Format) -> Result<Value, Box<dyn Error>> {
    let settings = SrSettings::new_builder(journey.registry.clone()).no_proxy().build()?;
    let topic = format!("{}-{name}", journey.prefix);
    let subject = format!("{topic}-value");
    let schema_type = || match name {
        "AVRO" => SchemaType::Avro,
        "JSON" => SchemaType::Json,
        _ => SchemaType::Protobuf,
    };
    let supplied = |text: &str| SuppliedSchema::new(Some("shop.Payment".to_owned()), schema_type(), text.to_owned());

    let first = post_schema(&settings, subject.clone(), supplied(&format.first)).await?;
    let again = post_schema(&settings, subject.clone(), supplied(&format.first)).await?;
    let fits = is_compatible_schema(&settings, subject.clone(), supplied(&format.second)).await?;
    let second = post_schema(&settings, subject.clone(), supplied(&format.second)).await?;
    let breaks = is_compatible_schema(&settings, subject.clone(), supplied(&format.breaking)).await?;
    let refused = refusal(post_schema(&settings, subject.clone(), supplied(&format.breaking)).await)?;
    let missing = refusal(get_schema_by_subject_and_version(&settings, &format!("{subject}-missing"), None).await)?;
    let latest = get_schema_by_subject_and_version(&settings, &subject, None).await?;
    let by_guid = get_schema_by_guid(latest.guid.as_deref().unwrap_or_default(), &settings).await?;
    let (written, read) = write_and_read(&settings, name, topic, format).await?;
    Ok(json!({
        "first": first.id,
        "again": again.id,
        "second": second.id,
        "compatible": [fits, breaks],
        "refused": refused,
        "missing": missing,
        "versions": get_all_versions(&settings, subject.clone()).await?,
        "listed": get_all_subjects(&settings).await?.contains(&subject),
        "latest": { "id": latest.id, "version": latest.version, "schema": latest.schema },
        "by_id": get_schema_by_id(first.id, &settings).await?.schema,
        "by_guid": by_guid.schema,
        "written": hex(&written),
        "read": read,
    }))
}

/// The bytes of the record with the latest schema, and what the Python serializer's bytes hold.
async fn write_and_read(
    settings: &SrSettings,
    name: &str,
    topic: String,
    format: &Format,
) -> Result<(Vec<u8>, Value), Box<dyn Error>> {
    let settings = || settings.clone();
    let strategy = SubjectNameStrategy::TopicNameStrategy(topic, false);
    let payload = unhex(&format.payload)?;
    let payload = Some(payload.as_slice());
    Ok(match name {
        "AVRO" => {
            let written = AvroEncoder::new(settings()).encode_struct(&format.record, &strategy).await?;
            let read = AvroDecoder::new(settings()).decode(payload).await?;
            (written, serde_json::to_value(apache_avro::from_value::<Payment>(&read.value)?)?)
        }
        "JSON" => {
            let record = serde_json::to_value(&format.record)?;
            let written = JsonEncoder::new(settings()).encode(&record, strategy).await?;
            let read = JsonDecoder::new(settings()).decode(payload).await?.ok_or("a payload without a schema")?;
            (written, read.value)
        }
        _ => {
            let record = serde_json::to_value(&format.record)?;
            let written = ProtoEncoder::new(settings()).encode_json(&record, "shop.Payment", &strategy).await?;
            let read = ProtoDecoder::new(settings()).decode_with_context(payload).await?;
            (written, serde_json::to_value(read.ok_or("a payload without a schema")?.value)?)
        }
    })
}

/// How the client tells that the registry refused: the status is only in its text, the code in its source.
fn refusal<T>(result: Result<T, SRCError>) -> Result<Value, Box<dyn Error>> {
    let Err(error) = result else { return Err("was not refused".into()) };
    let raw = error.source().and_then(|source| source.downcast_ref::<RawError>());
    let Some(raw) = raw else { return Err(error.into()) };
    let status = error.error.split_whitespace().find_map(|word| word.parse::<u16>().ok());
    Ok(json!({ "status": status, "code": raw.error_code, "message": raw.message, "retriable": error.retriable }))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Result<Vec<u8>, std::num::ParseIntError> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16)).collect()
}
