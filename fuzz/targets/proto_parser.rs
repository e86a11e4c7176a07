//! Any text, or base64 of any descriptor: parsing, validating and rendering end without a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_schema::{Format, Schema, SchemaType, ValidateFields};

fuzz_target!(|text: &str| {
    let Ok(schema) = Schema::parse(SchemaType::Protobuf, text, [].into(), [].into()) else { return };
    let _ = schema.validate(ValidateFields::No);
    let _ = schema.validate(ValidateFields::Yes);
    let _ = schema.render(Format::Serialized);
    let _ = schema.render(Format::IgnoreExtensions);
    let _ = (schema.record_name(), schema.top_level_fields(), schema.tagged_entities(), schema.weight_bytes());
});
