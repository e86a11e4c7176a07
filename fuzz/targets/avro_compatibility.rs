//! Two Avro texts, split by a NUL: comparing them ends, and neither differs from itself unless its aliases are ambiguous.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_schema::compat::{self, Prior};
use sluice_schema::{Level, Schema, SchemaType, Version};

fn parse(text: &str) -> Option<Schema> {
    Schema::parse(SchemaType::Avro, text, [].into(), [].into()).ok()
}

fuzz_target!(|texts: &str| {
    let (old, new) = texts.split_once('\0').unwrap_or((texts, texts));
    // The same in other words: what is the same to the letter is not compared at all.
    let again = new.replacen('{', r#"{"said":"again","#, 1);
    let (Some(old), Some(new), Some(again)) = (parse(old), parse(new), parse(&again)) else { return };
    let prior = |schema| [Prior { version: Version(1), schema: std::sync::Arc::new(schema) }];
    let (old, again) = (prior(old), prior(again));
    for level in Level::ALL {
        if let Err(refused) = compat::check(level, &new, &old, false) {
            assert!(!refused.differences.is_empty());
        }
        if let Err(refused) = compat::check(level, &new, &again, false) {
            let ambiguous = |message: &str| message.contains("matches multiple fields") || message.contains("steps");
            assert!(refused.differences.iter().all(|found| ambiguous(&found.message)), "{:?}", refused.differences);
        }
    }
});
