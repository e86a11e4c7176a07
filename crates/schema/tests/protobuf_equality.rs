//! Random schemas and messages: what the codec writes and reads is what prost-reflect writes and reads.
//!
//! A case is one seed: a file with a few messages of all kinds of fields, then a message of it. Its canonical JSON
//! (prost-reflect's serializer), with members shuffled, must encode to an equal message, to equal bytes where maps
//! leave no choice of order, must pass the check, and read back equal.

#![allow(clippy::unwrap_used)] // a test may

use proptest::prelude::*;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, SerializeOptions,
    Value,
};
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{
    DescriptorProto, EnumDescriptorProto, EnumValueDescriptorProto, FieldDescriptorProto, FieldOptions,
    FileDescriptorProto, MessageOptions, OneofDescriptorProto,
};
use sluice_schema::protobuf::codec::Codec;

/// SplitMix64: enough for choices, and the same on every machine.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }
}

const SCALARS: &[Type] = &[
    Type::Double,
    Type::Float,
    Type::Int64,
    Type::Uint64,
    Type::Int32,
    Type::Fixed64,
    Type::Fixed32,
    Type::Bool,
    Type::String,
    Type::Bytes,
    Type::Uint32,
    Type::Sfixed32,
    Type::Sfixed64,
    Type::Sint32,
    Type::Sint64,
];

const WELL_KNOWN: &[&str] = &[
    "Timestamp",
    "Duration",
    "Struct",
    "Value",
    "ListValue",
    "FieldMask",
    "Empty",
    "Any",
    "StringValue",
    "BytesValue",
    "BoolValue",
    "DoubleValue",
    "FloatValue",
    "Int32Value",
    "Int64Value",
    "UInt32Value",
    "UInt64Value",
];

fn random_file(dice: &mut Dice) -> FileDescriptorProto {
    let proto3 = dice.chance(60);
    let messages = 1 + dice.below(4);
    let mut file = FileDescriptorProto {
        name: Some("rnd.proto".to_owned()),
        package: Some("rnd".to_owned()),
        syntax: Some(if proto3 { "proto3" } else { "proto2" }.to_owned()),
        enum_type: vec![EnumDescriptorProto {
            name: Some("Kind".to_owned()),
            value: [("ZERO", 0), ("ONE", 1), ("MINUS", -5), ("BIG", i32::MAX)]
                .map(|(name, number)| EnumValueDescriptorProto {
                    name: Some(name.to_owned()),
                    number: Some(number),
                    ..Default::default()
                })
                .into(),
            ..Default::default()
        }],
        ..Default::default()
    };
    for file_of in ["any", "duration", "empty", "field_mask", "struct", "timestamp", "wrappers"] {
        file.dependency.push(format!("google/protobuf/{file_of}.proto"));
    }
    file.message_type = (0..messages).map(|at| random_message(dice, at, messages, proto3)).collect();
    if !proto3 {
        file.extension.push(FieldDescriptorProto {
            extendee: Some(".rnd.M0".to_owned()),
            ..field("beyond_all", 1_000, Label::Optional, Type::String, None)
        });
    }
    file
}

fn field(name: &str, number: i32, label: Label, type_: Type, type_name: Option<String>) -> FieldDescriptorProto {
    FieldDescriptorProto {
        name: Some(name.to_owned()),
        number: Some(number),
        label: Some(label as i32),
        r#type: Some(type_ as i32),
        type_name,
        ..Default::default()
    }
}

fn random_type(dice: &mut Dice, messages: usize) -> (Type, Option<String>) {
    match dice.below(10) {
        0 => (Type::Enum, Some(".rnd.Kind".to_owned())),
        1 | 2 => (Type::Message, Some(format!(".rnd.M{}", dice.below(messages)))),
        3 | 4 => (Type::Message, Some(format!(".google.protobuf.{}", dice.pick(WELL_KNOWN)))),
        _ => (*dice.pick(SCALARS), None),
    }
}

fn random_message(dice: &mut Dice, at: usize, messages: usize, proto3: bool) -> DescriptorProto {
    let mut message = DescriptorProto { name: Some(format!("M{at}")), ..Default::default() };
    let mut numbers: Vec<i32> = (1..=dice.below(9) as i32).chain([15, 16, 2_047, 2_048, 500_000_000]).collect();
    for swap in (1..numbers.len()).rev() {
        numbers.swap(swap, dice.below(swap + 1));
    }
    numbers.truncate(dice.below(numbers.len() + 1));
    let mut in_oneof = 0;
    for number in numbers {
        let name = format!("{}f_{number}_x", if dice.chance(20) { "a_long_name_of_a_" } else { "" });
        let (type_, type_name) = random_type(dice, messages);
        match dice.below(8) {
            0 => {
                let entry = format!("{}Entry", camel(&name));
                let key = *dice.pick(&[Type::String, Type::Bool, Type::Int32, Type::Uint64, Type::Sfixed32]);
                message.nested_type.push(DescriptorProto {
                    name: Some(entry.clone()),
                    field: vec![
                        field("key", 1, Label::Optional, key, None),
                        field("value", 2, Label::Optional, type_, type_name),
                    ],
                    options: Some(MessageOptions { map_entry: Some(true), ..Default::default() }),
                    ..Default::default()
                });
                let type_name = Some(format!(".rnd.M{at}.{entry}"));
                message.field.push(field(&name, number, Label::Repeated, Type::Message, type_name));
            }
            1 | 2 => {
                let mut list = field(&name, number, Label::Repeated, type_, type_name);
                let packable = !matches!(type_, Type::String | Type::Bytes | Type::Message);
                list.options = (packable && dice.chance(50))
                    .then(|| FieldOptions { packed: Some(dice.chance(50)), ..Default::default() });
                message.field.push(list);
            }
            3 => {
                let mut member = field(&name, number, Label::Optional, type_, type_name);
                member.oneof_index = Some(0);
                message.field.push(member);
                in_oneof += 1;
            }
            4 if !proto3 && type_name.is_none() => {
                message.field.push(field(&name, number, Label::Required, type_, type_name));
            }
            5 if !proto3 => {
                let group = format!("Group{number}");
                message.nested_type.push(DescriptorProto {
                    name: Some(group.clone()),
                    field: vec![
                        field("b", 2, Label::Optional, Type::String, None),
                        field("a", 1, Label::Repeated, Type::Sint64, None),
                    ],
                    ..Default::default()
                });
                let label = if dice.chance(50) { Label::Optional } else { Label::Repeated };
                let type_name = Some(format!(".rnd.M{at}.{group}"));
                message.field.push(field(&group.to_lowercase(), number, label, Type::Group, type_name));
            }
            _ => message.field.push(field(&name, number, Label::Optional, type_, type_name)),
        }
    }
    if in_oneof > 0 {
        message.oneof_decl.push(OneofDescriptorProto { name: Some("choice".to_owned()), ..Default::default() });
    }
    if proto3 {
        // Some fields are `optional`: each has a oneof of its own, behind the real one.
        for field in &mut message.field {
            let plain = field.label() == Label::Optional && field.oneof_index.is_none();
            if plain && field.r#type() != Type::Message && dice.chance(25) {
                field.proto3_optional = Some(true);
                field.oneof_index = Some(message.oneof_decl.len() as i32);
                let name = Some(format!("_{}", field.name()));
                message.oneof_decl.push(OneofDescriptorProto { name, ..Default::default() });
            }
        }
    } else if at == 0 {
        message.extension_range.push(prost_types::descriptor_proto::ExtensionRange {
            start: Some(1_000),
            end: Some(1_001),
            options: None,
        });
    }
    message
}

fn camel(name: &str) -> String {
    let mut upper = true;
    name.chars()
        .filter_map(|c| {
            if c == '_' {
                upper = true;
                None
            } else if upper {
                upper = false;
                Some(c.to_ascii_uppercase())
            } else {
                Some(c)
            }
        })
        .collect()
}

fn random_value(dice: &mut Dice, kind: &Kind, depth: usize) -> Value {
    let bits = match dice.below(4) {
        0 => 0,
        1 => dice.next() >> 57,
        2 => (dice.next() >> 57).wrapping_neg(),
        _ => dice.next(),
    };
    match kind {
        Kind::Double => Value::F64(random_double(dice)),
        Kind::Float => Value::F32(match f32::from_bits(bits as u32) {
            value if value.is_finite() && value != 0.0 => value,
            _ => *dice.pick(&[0.0, 1.5, f32::INFINITY, f32::NEG_INFINITY, 3e38]),
        }),
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(bits as i32),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(bits as i64),
        Kind::Uint32 | Kind::Fixed32 => Value::U32(bits as u32),
        Kind::Uint64 | Kind::Fixed64 => Value::U64(bits),
        Kind::Bool => Value::Bool(bits & 1 == 1),
        Kind::String => Value::String(random_text(dice)),
        Kind::Bytes => Value::Bytes((0..dice.below(20)).map(|_| dice.next() as u8).collect::<Vec<u8>>().into()),
        Kind::Enum(_) => Value::EnumNumber(*dice.pick(&[0, 1, -5, i32::MAX])),
        Kind::Message(message) => Value::Message(random_content(dice, message, depth + 1)),
    }
}

/// Decimals that serde_json reads exactly; it is off by one bit for longer ones.
fn random_double(dice: &mut Dice) -> f64 {
    if dice.chance(20) {
        return *dice.pick(&[0.0, 1.0, 1e21, f64::INFINITY, f64::NEG_INFINITY]);
    }
    f64::from(dice.next() as i32) / 10f64.powi(dice.below(12) as i32)
}

fn random_text(dice: &mut Dice) -> String {
    const PARTS: &[&str] =
        &["", "a", "ordinary words", "\"", "\\", "\n", "\u{1}", "é", "😀", "\u{2028}", "<&>", "0123456789"];
    let long = if dice.chance(5) { 200 } else { 5 };
    (0..dice.below(long)).map(|_| *dice.pick(PARTS)).collect()
}

fn random_content(dice: &mut Dice, descriptor: &MessageDescriptor, depth: usize) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    let mut set = |name: &str, value: Value| message.set_field_by_name(name, value);
    match descriptor.full_name() {
        "google.protobuf.Timestamp" => {
            set("seconds", Value::I64(dice.below(315_537_897_600) as i64 - 62_135_596_800));
            set("nanos", Value::I32(*dice.pick(&[0, 1, 5_000_000, 123_456_000, 999_999_999])));
        }
        "google.protobuf.Duration" => {
            let seconds = dice.below(315_576_000_000) as i64;
            let nanos = *dice.pick(&[0, 1, 5_000_000, 123_456_000, 999_999_999]);
            let sign = if dice.chance(50) { 1 } else { -1 };
            set("seconds", Value::I64(if dice.chance(20) { 0 } else { sign * seconds }));
            set("nanos", Value::I32(sign as i32 * nanos));
        }
        "google.protobuf.FieldMask" => {
            let paths = (0..dice.below(3)).map(|_| Value::String((*dice.pick(&["a", "a_b.c_d", "long_name"])).into()));
            set("paths", Value::List(paths.collect()));
        }
        // prost-reflect prints infinities in wrappers as null.
        "google.protobuf.FloatValue" => set("value", Value::F32(*dice.pick(&[0.0, 1.5, -0.1, 3e38]))),
        "google.protobuf.DoubleValue" => set("value", Value::F64(*dice.pick(&[0.0, 1.5, -0.1, f64::MAX]))),
        "google.protobuf.Value" => {
            let choice = if depth > 4 { dice.below(4) } else { dice.below(6) };
            let field = descriptor.get_field(choice as u32 + 1).unwrap();
            let value = match choice {
                0 => Value::EnumNumber(0),
                1 => Value::F64(*dice.pick(&[0.0, 1.0, -7.25, 1e300])),
                _ => random_value(dice, &field.kind(), depth),
            };
            message.set_field(&field, value);
        }
        "google.protobuf.Any" => {
            let pool = descriptor.parent_pool();
            // Never empty, which prost-reflect does not print.
            let names = ["google.protobuf.Timestamp", "google.protobuf.StringValue", "rnd.M0"];
            let name = *dice.pick(if depth <= 3 { &names } else { &names[..2] });
            let content = random_content(dice, &pool.get_message_by_name(name).unwrap(), depth + 1);
            set("type_url", Value::String(format!("type.googleapis.com/{name}")));
            set("value", Value::Bytes(prost::Message::encode_to_vec(&content).into()));
        }
        _ => {
            for field in descriptor.fields() {
                let recursive = matches!(field.kind(), Kind::Message(_)) && depth > 2;
                if field.is_required() || (!recursive && dice.chance(70)) {
                    message.set_field(&field, random_field(dice, &field, depth));
                }
            }
            for extension in descriptor.extensions() {
                if dice.chance(50) {
                    message.set_extension(&extension, random_value(dice, &extension.kind(), depth));
                }
            }
        }
    }
    message
}

fn random_field(dice: &mut Dice, field: &FieldDescriptor, depth: usize) -> Value {
    if field.is_map() {
        let Kind::Message(entry) = field.kind() else { unreachable!("map entries are messages") };
        let (key, value) = (entry.map_entry_key_field().kind(), entry.map_entry_value_field().kind());
        let entries = (0..dice.below(4)).map(|_| {
            let key = match random_value(dice, &key, depth) {
                Value::Bool(key) => MapKey::Bool(key),
                Value::I32(key) => MapKey::I32(key),
                Value::U64(key) => MapKey::U64(key),
                Value::String(key) => MapKey::String(key),
                other => unreachable!("no map key: {other:?}"),
            };
            (key, random_value(dice, &value, depth))
        });
        return Value::Map(entries.collect());
    }
    if field.is_list() {
        return Value::List((0..dice.below(4)).map(|_| random_value(dice, &field.kind(), depth)).collect());
    }
    random_value(dice, &field.kind(), depth)
}

/// Whether some map leaves a choice of bytes: the order of its entries, and zeros of keys and values, which
/// protobuf-java writes and prost-reflect leaves out.
fn has_choice_of_order(value: &Value) -> bool {
    match value {
        Value::Map(entries) => {
            entries.len() > 1
                || entries.iter().any(|(key, value)| {
                    has_choice_of_order(value) || is_zero(value) || is_zero(&Value::from(key.clone()))
                })
        }
        Value::List(values) => values.iter().any(has_choice_of_order),
        // The content of an Any is bytes here.
        Value::Message(message) if message.descriptor().full_name() == "google.protobuf.Any" => true,
        Value::Message(message) => {
            message.fields().any(|(_, value)| has_choice_of_order(value))
                || message.extensions().any(|(_, value)| has_choice_of_order(value))
        }
        _ => false,
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Bool(value) => !value,
        Value::I32(value) | Value::EnumNumber(value) => *value == 0,
        Value::I64(value) => *value == 0,
        Value::U32(value) => *value == 0,
        Value::U64(value) => *value == 0,
        Value::F32(value) => *value == 0.0,
        Value::F64(value) => *value == 0.0,
        Value::String(value) => value.is_empty(),
        Value::Bytes(value) => value.is_empty(),
        Value::Message(message) => prost::Message::encoded_len(message) == 0,
        Value::List(_) | Value::Map(_) => false,
    }
}

fn shuffle(dice: &mut Dice, json: &mut serde_json::Value) {
    match json {
        serde_json::Value::Object(members) => {
            let mut entries: Vec<_> = std::mem::take(members).into_iter().collect();
            for at in (1..entries.len()).rev() {
                entries.swap(at, dice.below(at + 1));
            }
            entries.iter_mut().for_each(|(_, value)| shuffle(dice, value));
            members.extend(entries);
        }
        serde_json::Value::Array(values) => values.iter_mut().for_each(|value| shuffle(dice, value)),
        _ => {}
    }
}

fn parse(descriptor: &MessageDescriptor, json: &[u8]) -> DynamicMessage {
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    DynamicMessage::deserialize(descriptor.clone(), &mut deserializer).unwrap()
}

/// Equal, but for the order of map entries inside the bytes of an `Any`.
fn equal(a: &DynamicMessage, b: &DynamicMessage) -> bool {
    a == b || serde_json::to_value(a).unwrap() == serde_json::to_value(b).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn the_codec_and_prost_reflect_agree(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let file = random_file(&mut dice);
        let proto3 = file.syntax() == "proto3";
        let mut pool = DescriptorPool::global();
        pool.add_file_descriptor_proto(file).unwrap();
        let linked = pool.get_file_by_name("rnd.proto").unwrap();
        let codec = Codec::from_file(&linked);
        let descriptor = linked.messages().next().unwrap();
        let plan = codec.first_message().unwrap();
        let message = random_content(&mut dice, &descriptor, 0);

        let mut json = Vec::new();
        let mut serializer = serde_json::Serializer::new(&mut json);
        message.serialize_with_options(&mut serializer, &SerializeOptions::new()).unwrap();
        let mut shuffled: serde_json::Value = serde_json::from_slice(&json).unwrap();
        shuffle(&mut dice, &mut shuffled);
        for json in [json, shuffled.to_string().into_bytes()] {
            let text = String::from_utf8_lossy(&json).into_owned();
            let mut bytes = Vec::new();
            prop_assert_eq!(codec.encode_json(plan, &json, &mut bytes), Ok(()), "{}", text);
            let decoded = DynamicMessage::decode(descriptor.clone(), &*bytes).unwrap();
            // Not prop_assert_eq: descriptors that contain themselves print without end.
            prop_assert!(equal(&decoded, &parse(&descriptor, &json)), "{}\n{}\n{}", seed, text, decoded);
            if !has_choice_of_order(&Value::Message(message.clone())) {
                prop_assert_eq!(&bytes, &prost::Message::encode_to_vec(&message), "{}", text);
            }
            prop_assert_eq!(codec.check(plan, &bytes), Ok(()), "{}", text);

            let mut read_back = Vec::new();
            prop_assert_eq!(codec.decode_json(plan, &bytes, &mut read_back), Ok(()), "{}", text);
            // In proto2 the defaults that are shown become values when they are read.
            if proto3 {
                // Through bytes, which drops the defaults that JSON sets where there is no presence.
                let parsed = prost::Message::encode_to_vec(&parse(&descriptor, &read_back));
                let parsed = DynamicMessage::decode(descriptor.clone(), &*parsed).unwrap();
                prop_assert!(equal(&parsed, &decoded), "{}\n{}", decoded, String::from_utf8_lossy(&read_back));
            }
            let mut again = Vec::new();
            prop_assert_eq!(codec.encode_json(plan, &read_back, &mut again), Ok(()), "{}", text);
            if proto3 {
                prop_assert_eq!(bytes.len(), again.len());
            }
        }
    }
}
