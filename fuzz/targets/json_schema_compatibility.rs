//! Two JSON Schemas, split by a NUL: comparing them ends, under both policies and both ways; neither differs from itself.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use sluice_schema::compat::{self, Direction, Policy, Prior};
use sluice_schema::{Level, Schema, SchemaType, Version};

fn parse(text: &str) -> Option<Schema> {
    let schema = Schema::parse(SchemaType::Json, text, [].into(), [].into()).ok()?;
    matches!(&schema, Schema::Json(json) if json.model().is_ok()).then_some(schema)
}

fuzz_target!(|texts: &str| {
    let (old, new) = texts.split_once('\0').unwrap_or((texts, texts));
    let (Some(old), Some(new)) = (parse(old), parse(new)) else { return };
    for policy in [Policy::Strict, Policy::Lenient] {
        let forward = compat::differences_under(policy, &new, &old, Direction::Forward);
        let swapped = compat::differences_under(policy, &old, &new, Direction::Backward);
        assert_eq!(forward.len(), swapped.len());
    }
    let strict = compat::differences_under(Policy::Strict, &new, &old, Direction::Backward);
    let lenient = compat::differences_under(Policy::Lenient, &new, &old, Direction::Backward);
    assert!(!strict.is_empty() || lenient.is_empty());
    for schema in [old, new] {
        let text = schema.canonical_text().clone();
        let previous = [Prior { version: Version(1), schema: Arc::new(schema) }];
        let Some(again) = parse(&text) else { panic!("its own text does not parse: {text}") };
        for level in [Level::Backward, Level::Forward, Level::FullTransitive] {
            assert_eq!(compat::check(level, &again, &previous, false), Ok(()));
        }
    }
});
