//! JSON Schema texts: reading, loading and tags end; what is printed prints the same; a normal form is its own.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_schema::{Schema, SchemaType, ValidateFields};

fn parse(text: &str) -> Option<Schema> {
    Schema::parse(SchemaType::Json, text, [].into(), [].into()).ok()
}

fuzz_target!(|text: &str| {
    let Some(schema) = parse(text) else { return };
    let printed = schema.canonical_text();
    let again = parse(printed).unwrap_or_else(|| panic!("the print does not parse: {printed}"));
    assert_eq!(again.canonical_text(), printed);

    let normal = schema.normalize().unwrap_or_else(|error| panic!("no normal form: {error}"));
    let normal_again = parse(normal.canonical_text()).and_then(|parsed| parsed.normalize().ok());
    let normal_again = normal_again.unwrap_or_else(|| panic!("no normal form: {}", normal.canonical_text()));
    assert_eq!(normal_again.canonical_text(), normal.canonical_text());

    // What a text demands does not depend on the order of its keys.
    let valid = schema.validate(ValidateFields::No).is_ok();
    assert_eq!(again.validate(ValidateFields::No).is_ok(), valid);
    schema.tagged_entities();
    if valid
        && let Schema::Json(schema) = &schema
        && let Ok(validator) = schema.validator()
    {
        let _ = validator.check(b"{}");
    }
});
