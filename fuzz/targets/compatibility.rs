//! Two texts, split by a NUL: comparing them ends, and neither differs from itself.
#![no_main]

use libfuzzer_sys::fuzz_target;
use sluice_schema::compat::{self, Direction};
use sluice_schema::{Schema, SchemaType};

fn parse(text: &str) -> Option<Schema> {
    Schema::parse(SchemaType::Protobuf, text, [].into(), [].into()).ok()
}

fuzz_target!(|texts: &str| {
    let (old, new) = texts.split_once('\0').unwrap_or((texts, texts));
    let (Some(old), Some(new)) = (parse(old), parse(new)) else { return };
    let forward = compat::differences(&new, &old, Direction::Forward);
    let swapped = compat::differences(&old, &new, Direction::Backward);
    assert_eq!(forward.len(), swapped.len());
    for schema in [&old, &new] {
        assert_eq!(compat::differences(schema, schema, Direction::Backward), []);
    }
});
