//! The schema that the codec's targets share: every scalar, label, map key, well-known type, and recursion.

use std::cell::OnceCell;

use sluice_schema::protobuf::codec::{Codec, MessagePlan};
use sluice_schema::{Schema, SchemaType};

/// Runs `check` with the codec of `everything.proto`, compiled once per process.
pub fn with_codec(check: impl FnOnce(&Codec, MessagePlan)) {
    thread_local!(static SCHEMA: OnceCell<Schema> = const { OnceCell::new() });
    SCHEMA.with(|schema| {
        let schema = schema.get_or_init(|| {
            let text = include_str!("everything.proto");
            Schema::parse(SchemaType::Protobuf, text, [].into(), [].into()).expect("everything.proto parses")
        });
        let Schema::Protobuf(schema) = schema else { panic!("everything.proto is protobuf") };
        let codec = schema.codec().expect("everything.proto links");
        check(codec, codec.first_message().expect("everything.proto has messages"));
    });
}
