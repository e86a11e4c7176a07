//! Any text as an Avro schema: what parses prints as a text that parses to the same schema and prints the same, and so
//! does its normal form, which is its own normal form; a look-up with it finds itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_schema::avro::AvroSchema;
use sluice_schema::Format;

fn parse(text: &str) -> Option<AvroSchema> {
    AvroSchema::parse(text, [].into(), [].into()).ok()
}

fuzz_target!(|text: &str| {
    let Some(schema) = parse(text) else { return };
    let _ = (schema.validate(), schema.record_name(), schema.top_level_fields(), schema.tagged_entities());
    let _ = (schema.weight_bytes(), schema.has_lookalikes());
    let printed = schema.canonical_text();
    let again = parse(printed).unwrap_or_else(|| panic!("the print does not parse: {printed}"));
    assert_eq!(again.canonical_text(), printed);
    assert_eq!(schema.render(Format::Resolved).as_ref(), Ok(printed));
    assert!(schema.finds(&schema), "{printed} does not find itself");

    let Ok(normal) = schema.normalize() else { return };
    let normal_again = parse(normal.canonical_text()).and_then(|parsed| parsed.normalize().ok());
    let normal_again = normal_again.unwrap_or_else(|| panic!("no normal form: {}", normal.canonical_text()));
    assert_eq!(normal_again.canonical_text(), normal.canonical_text());
});
