//! What was parsed from text prints as a text that parses and prints the same; likewise in normal form.
//!
//! Binary descriptors may hold names that no text can. What validates, as it must before it is stored, prints as a
//! text that parses; line breaks inside such names may grow with each print, as the reference's do.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_schema::{Schema, SchemaType, ValidateFields};

fn parse(text: &str) -> Option<Schema> {
    Schema::parse(SchemaType::Protobuf, text, [].into(), [].into()).ok()
}

fuzz_target!(|text: &str| {
    let Some(schema) = parse(text) else { return };
    let is_text = !text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
    if !is_text && schema.validate(ValidateFields::No).is_err() {
        return;
    }
    let printed = schema.canonical_text();
    let again = parse(printed).unwrap_or_else(|| panic!("the print does not parse: {printed}"));
    if !is_text {
        return;
    }
    assert_eq!(again.canonical_text(), printed);

    let Ok(normal) = schema.normalize() else { return };
    let normal_again = parse(normal.canonical_text()).and_then(|parsed| parsed.normalize().ok());
    let normal_again = normal_again.unwrap_or_else(|| panic!("no normal form: {}", normal.canonical_text()));
    assert_eq!(normal_again.canonical_text(), normal.canonical_text());
});
