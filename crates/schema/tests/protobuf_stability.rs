//! Printing is stable on mutated texts, and nothing panics: parse, print, normalise, every format, binary input.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

mod mutation;

use mutation::{changed, changes};
use proptest::prelude::*;
use sluice_schema::protobuf::ProtobufSchema;
use sluice_schema::protobuf::model::{Field, FieldType, Message, ProtoFile, ReservedItem, Scalar};
use sluice_schema::{Format, InvalidSchema, ValidateFields};

const SEEDS: [&str; 5] = [
    include_str!("oracle/custom_options.proto"),
    include_str!("oracle/proto2_everything.proto"),
    include_str!("oracle/proto3_everything.proto"),
    include_str!("oracle/scopes.proto"),
    include_str!("oracle/descriptor_extensions.proto"),
];

const TOKENS: [&str; 48] = [
    "{",
    "}",
    "[",
    "]",
    "(",
    ")",
    "<",
    ">",
    "=",
    ";",
    ",",
    ":",
    ".",
    "\"",
    "'",
    "/",
    "//",
    "/* c */",
    "\n",
    " ",
    "\\",
    "\\n",
    "é",
    "0",
    "-1",
    "0x1F",
    "1e5",
    "true",
    "inf",
    "map",
    "map<string, int32>",
    "group",
    "oneof",
    "option",
    "extend",
    "extensions",
    "reserved",
    "to",
    "max",
    "message",
    "enum",
    "service",
    "optional",
    "default",
    "json_name",
    "a.b",
    "[a.b]",
    "(confluent.field_meta).tags = \"T\"",
];

fn parse(text: &str) -> Result<ProtobufSchema, InvalidSchema> {
    ProtobufSchema::parse(text, [].into(), [].into())
}

/// Whether the file has text that the contract prints bare although it may need quotes: reserved names, defaults of
/// types other than strings, and import paths.
fn prints_bare_text(file: &ProtoFile) -> bool {
    let needs_escape = |text: &str| text.contains(['"', '\'', '\\', '\n']);
    let is_word = |text: &str| {
        !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-'))
    };
    let bare_default = |field: &Field| {
        let is_text = matches!(field.type_, FieldType::Scalar(Scalar::String));
        field.default.as_deref().is_some_and(|default| !is_text && !is_word(default))
    };
    let reserved = |items: &[ReservedItem]| {
        items.iter().any(|item| matches!(item, ReservedItem::Name(name) if needs_escape(name)))
    };
    fn messages(all: &[Message], found: &mut dyn FnMut(&Message)) {
        for message in all {
            found(message);
            messages(&message.messages, found);
        }
    }
    let mut bare = file.imports.iter().chain(&file.public_imports).any(|path| needs_escape(path));
    bare |= file.extends.iter().flat_map(|extend| &extend.fields).any(bare_default);
    bare |= file.enums.iter().flat_map(|enum_| &enum_.reserved).any(|statement| reserved(&statement.items));
    messages(&file.messages, &mut |message| {
        let oneof_fields = message.oneofs.iter().flat_map(|oneof| &oneof.fields);
        let groups = message.groups.iter().chain(message.oneofs.iter().flat_map(|oneof| &oneof.groups));
        let extended = message.extends.iter().flat_map(|extend| &extend.fields);
        let mut fields =
            message.fields.iter().chain(oneof_fields).chain(groups.flat_map(|group| &group.fields)).chain(extended);
        let statements = message.reserved.iter().chain(message.enums.iter().flat_map(|enum_| &enum_.reserved));
        bare |= fields.any(bare_default) || statements.into_iter().any(|statement| reserved(&statement.items));
    });
    bare
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_parses_prints_the_same_text_again(seed in prop::sample::select(&SEEDS[..]), changes in changes(&TOKENS)) {
        let text = changed(seed, &changes);
        let Ok(schema) = parse(&text) else { return Ok(()) };
        if !prints_bare_text(schema.file()) {
            let again = parse(schema.canonical_text());
            let again = again.unwrap_or_else(|refused| panic!("{refused}\n{}", schema.canonical_text()));
            prop_assert_eq!(schema.canonical_text(), again.canonical_text());
            prop_assert_eq!(schema.file(), again.file());
        }
        for format in [Format::Serialized, Format::IgnoreExtensions] {
            schema.render(format).unwrap();
        }
        let _ = (schema.validate(ValidateFields::Yes), schema.render(Format::Logical));
        if let Ok(normal) = schema.normalize() && !prints_bare_text(normal.file()) {
            let text = normal.canonical_text();
            let again = normal.normalize().unwrap_or_else(|refused| panic!("{refused}\n{text}"));
            prop_assert_eq!(text, again.canonical_text());
        }
    }

    #[test]
    fn any_text_and_any_descriptor_is_taken_or_refused(text in ".{0,200}", bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = parse(&text);
        if let Ok(schema) = parse(&base64_simd::STANDARD.encode_to_string(&bytes)) {
            let _ = schema.normalize();
            let _ = schema.render(Format::Serialized);
        }
    }

    #[test]
    fn damaged_descriptors_are_taken_or_refused(
        seed in prop::sample::select(&SEEDS[..]),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
    ) {
        let base64 = parse(seed).unwrap().render(Format::Serialized).unwrap();
        let mut bytes = base64_simd::STANDARD.decode_to_vec(base64.as_bytes()).unwrap();
        for (index, byte) in damage {
            let at = index.index(bytes.len());
            bytes[at] = byte;
        }
        if let Ok(schema) = parse(&base64_simd::STANDARD.encode_to_string(&bytes)) {
            let _ = schema.normalize();
            let _ = schema.render(Format::Serialized);
        }
    }
}
