//! The plan: what encoder, decoder and check need of a schema, flat and immutable.
//!
//! One [`Message`] per message of the schema and its imports, fields sorted by number (extensions among them), names
//! in a table sorted for lookup, tags already encoded, default values already rendered. References between messages
//! are positions, so cycles cost nothing.
//!
//! To support another well-known type: a variant of [`Shape`], its recognition in [`shape`], its arms in `encode`
//! and `decode`.
//!
//! Source: protobuf-java `FieldDescriptor#hasPresence`, `isPacked`, `getJsonName`; `JsonFormat`, 4.33.

use std::collections::HashMap;

use prost_reflect::{
    Cardinality, EnumDescriptor, ExtensionDescriptor, FieldDescriptor, FileDescriptor, Kind as Linked,
    MessageDescriptor, Syntax, Value,
};

use crate::payload::print;

/// All messages and enums of a codec.
#[derive(Debug)]
pub(super) struct Plans {
    pub(super) messages: Box<[Message]>,
    pub(super) enums: Box<[Enum]>,
    /// Full name → position, for `Any`.
    pub(super) by_name: HashMap<Box<str>, u32>,
}

/// A message.
#[derive(Debug)]
pub(super) struct Message {
    pub(super) full_name: Box<str>,
    pub(super) shape: Shape,
    /// By number.
    pub(super) fields: Box<[Field]>,
    /// Positions in `fields` in declaration order: what JSON usually follows.
    pub(super) declared: Box<[u32]>,
    /// JSON and original names → position, sorted by length, then bytes.
    names: Box<[(Box<str>, u32)]>,
    /// Whether every name means one field only, so that a guess by position is safe.
    pub(super) unambiguous: bool,
    /// Positions of fields that JSON shows even when absent.
    pub(super) defaulted: Box<[u32]>,
    /// Positions of required fields, in declaration order.
    pub(super) required: Box<[u32]>,
    /// How many oneofs, synthetic ones left out.
    pub(super) oneofs: u32,
}

/// How a message looks in JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// An object of its fields.
    Fields,
    /// `google.protobuf.Any`
    Any,
    /// `google.protobuf.Timestamp`
    Timestamp,
    /// `google.protobuf.Duration`
    Duration,
    /// `google.protobuf.FieldMask`
    FieldMask,
    /// `google.protobuf.Struct`: its only field is the map.
    Struct,
    /// `google.protobuf.ListValue`: its only field is the list.
    ListValue,
    /// `google.protobuf.Value`: fields by number null, number, text, bool, struct, list.
    Value,
    /// A wrapper: its only field is the value.
    Wrapper,
}

/// A field or an extension.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) number: u32,
    pub(super) name: Box<str>,
    pub(super) full_name: Box<str>,
    /// The name in JSON, quoted and with its colon, ready to print.
    pub(super) label: Box<[u8]>,
    pub(super) kind: Kind,
    pub(super) rule: Rule,
    /// Oneof that it is a real member of.
    pub(super) oneof: Option<u32>,
    pub(super) is_extension: bool,
    /// Tag in front of each value (of a packed run: of the run).
    pub(super) tag: Tag,
    /// What JSON shows when the field is absent; `None` when nothing.
    pub(super) default: Option<Box<[u8]>>,
}

/// Where values of a field stand and when they are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// One value, written when it is not the default.
    Implicit,
    /// One value, written when given.
    Explicit,
    /// One value, missing is an error.
    Required,
    /// A tag per element.
    Repeated,
    /// One length-delimited run.
    Packed,
    /// Entries; `kind` is the entry message with the fields key and value.
    Map,
}

/// Types of values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Double,
    Float,
    Int32,
    Int64,
    Uint32,
    Uint64,
    Sint32,
    Sint64,
    Fixed32,
    Fixed64,
    Sfixed32,
    Sfixed64,
    Bool,
    /// Checked for UTF-8 in proto3 files.
    String {
        utf8: bool,
    },
    Bytes,
    Enum(u32),
    Message(u32),
    Group(u32),
}

/// Wire types.
pub(super) const VARINT: u32 = 0;
pub(super) const FIXED64: u32 = 1;
pub(super) const DELIMITED: u32 = 2;
pub(super) const START_GROUP: u32 = 3;
pub(super) const END_GROUP: u32 = 4;
pub(super) const FIXED32: u32 = 5;

impl Kind {
    /// The wire type of one value.
    pub(super) fn wire_type(self) -> u32 {
        match self {
            Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => FIXED64,
            Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => FIXED32,
            Kind::String { .. } | Kind::Bytes | Kind::Message(_) => DELIMITED,
            Kind::Group(_) => START_GROUP,
            _ => VARINT,
        }
    }

    /// Whether repeated values may stand in one run.
    pub(super) fn is_packable(self) -> bool {
        !matches!(self.wire_type(), DELIMITED | START_GROUP)
    }

    /// The name in error messages (`FieldDescriptor.Type`).
    pub(super) fn java_name(self) -> &'static str {
        match self {
            Kind::Double => "DOUBLE",
            Kind::Float => "FLOAT",
            Kind::Int32 => "INT32",
            Kind::Int64 => "INT64",
            Kind::Uint32 => "UINT32",
            Kind::Uint64 => "UINT64",
            Kind::Sint32 => "SINT32",
            Kind::Sint64 => "SINT64",
            Kind::Fixed32 => "FIXED32",
            Kind::Fixed64 => "FIXED64",
            Kind::Sfixed32 => "SFIXED32",
            Kind::Sfixed64 => "SFIXED64",
            Kind::Bool => "BOOL",
            Kind::String { .. } => "STRING",
            Kind::Bytes => "BYTES",
            Kind::Enum(_) => "ENUM",
            Kind::Message(_) => "MESSAGE",
            Kind::Group(_) => "GROUP",
        }
    }
}

/// An encoded tag, at most 5 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tag {
    bytes: [u8; 5],
    len: u8,
}

impl Tag {
    pub(super) fn new(number: u32, wire_type: u32) -> Tag {
        let mut rest = number << 3 | wire_type;
        let mut tag = Tag { bytes: [0; 5], len: 0 };
        while rest >= 0x80 {
            tag.bytes[usize::from(tag.len)] = rest as u8 | 0x80;
            tag.len += 1;
            rest >>= 7;
        }
        tag.bytes[usize::from(tag.len)] = rest as u8;
        tag.len += 1;
        tag
    }

    #[inline]
    pub(super) fn push(self, out: &mut Vec<u8>) {
        match self.len {
            1 => out.push(self.bytes[0]),
            2 => out.extend_from_slice(&[self.bytes[0], self.bytes[1]]),
            len => out.extend_from_slice(&self.bytes[..usize::from(len)]),
        }
    }
}

/// An enum.
#[derive(Debug)]
pub(super) struct Enum {
    pub(super) full_name: Box<str>,
    /// `google.protobuf.NullValue`: JSON null is its value.
    pub(super) is_null: bool,
    /// Whether numbers without a name are refused (proto2).
    pub(super) closed: bool,
    /// Number of the first value.
    pub(super) default: i32,
    /// Name → number and whether it is the first value itself, sorted by length, then bytes.
    names: Box<[(Box<str>, i32, bool)]>,
    /// Number → first name, sorted.
    numbers: Box<[(i32, Box<str>)]>,
}

impl Enum {
    /// Number of this name, and whether it names the default value itself (not an alias of it).
    pub(super) fn number(&self, name: &str) -> Option<(i32, bool)> {
        let at = self.names.binary_search_by(|(known, ..)| by_length(known, name)).ok()?;
        Some((self.names[at].1, self.names[at].2))
    }

    /// The first name of this number.
    pub(super) fn name(&self, number: i32) -> Option<&str> {
        let at = self.numbers.binary_search_by_key(&number, |(known, _)| *known).ok()?;
        Some(&self.numbers[at].1)
    }

    /// Appends a value as JSON: its name, its number if it has none, `null` for `NullValue`.
    pub(super) fn print(&self, number: i32, out: &mut Vec<u8>) {
        if self.is_null {
            return out.extend_from_slice(b"null");
        }
        match self.name(number) {
            Some(name) => {
                out.push(b'"');
                out.extend_from_slice(name.as_bytes());
                out.push(b'"');
            }
            None => out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes()),
        }
    }
}

impl Message {
    /// Position of the field that JSON calls `name`: by its JSON or its original name, extensions in brackets.
    pub(super) fn field_by_name(&self, name: &str) -> Option<u32> {
        let at = self.names.binary_search_by(|(known, _)| by_length(known, name)).ok()?;
        Some(self.names[at].1)
    }

    /// Position of the field with this number.
    #[inline]
    pub(super) fn field_by_number(&self, number: u32) -> Option<usize> {
        // Numbers usually run 1, 2, 3 …: look where the number would stand then.
        let guess = (number as usize).wrapping_sub(1);
        if self.fields.get(guess).is_some_and(|field| field.number == number) {
            return Some(guess);
        }
        self.fields.binary_search_by_key(&number, |field| field.number).ok()
    }
}

fn by_length(known: &str, name: &str) -> std::cmp::Ordering {
    known.len().cmp(&name.len()).then_with(|| known.as_bytes().cmp(name.as_bytes()))
}

/// Compiles every message of the pool that `root` is linked in.
pub(super) fn compile(root: &FileDescriptor) -> Plans {
    let mut build = Build::default();
    for message in root.parent_pool().all_messages() {
        build.position(&message);
    }
    let mut at = 0;
    while at < build.queue.len() {
        let message = build.queue[at].clone();
        let plan = build.message(&message);
        build.messages.push(plan);
        at += 1;
    }
    let by_name = build.positions.into_iter().map(|(name, at)| (name.into_boxed_str(), at)).collect();
    Plans { messages: build.messages.into(), enums: build.enums.into(), by_name }
}

#[derive(Default)]
struct Build {
    /// Messages in plan order; those behind `messages` are still to compile.
    queue: Vec<MessageDescriptor>,
    positions: HashMap<String, u32>,
    messages: Vec<Message>,
    enums: Vec<Enum>,
    enum_positions: HashMap<String, u32>,
}

impl Build {
    fn position(&mut self, message: &MessageDescriptor) -> u32 {
        if let Some(at) = self.positions.get(message.full_name()) {
            return *at;
        }
        let at = self.queue.len() as u32;
        self.positions.insert(message.full_name().to_owned(), at);
        self.queue.push(message.clone());
        at
    }

    fn enum_position(&mut self, linked: &EnumDescriptor) -> u32 {
        if let Some(at) = self.enum_positions.get(linked.full_name()) {
            return *at;
        }
        let at = self.enums.len() as u32;
        self.enum_positions.insert(linked.full_name().to_owned(), at);
        let values = &linked.enum_descriptor_proto().value;
        let mut names: Vec<(Box<str>, i32, bool)> =
            values.iter().enumerate().map(|(at, value)| (value.name().into(), value.number(), at == 0)).collect();
        names.sort_by(|a, b| by_length(&a.0, &b.0));
        let mut numbers: Vec<(i32, Box<str>)> = values.iter().map(|v| (v.number(), v.name().into())).collect();
        numbers.sort_by_key(|(number, _)| *number);
        numbers.dedup_by_key(|(number, _)| *number);
        self.enums.push(Enum {
            full_name: linked.full_name().into(),
            is_null: linked.full_name() == "google.protobuf.NullValue",
            closed: !is_proto3(&linked.parent_file()),
            default: values.first().map_or(0, |value| value.number()),
            names: names.into(),
            numbers: numbers.into(),
        });
        at
    }

    fn kind(&mut self, linked: Linked, is_group: bool, utf8: bool) -> Kind {
        match linked {
            Linked::Double => Kind::Double,
            Linked::Float => Kind::Float,
            Linked::Int32 => Kind::Int32,
            Linked::Int64 => Kind::Int64,
            Linked::Uint32 => Kind::Uint32,
            Linked::Uint64 => Kind::Uint64,
            Linked::Sint32 => Kind::Sint32,
            Linked::Sint64 => Kind::Sint64,
            Linked::Fixed32 => Kind::Fixed32,
            Linked::Fixed64 => Kind::Fixed64,
            Linked::Sfixed32 => Kind::Sfixed32,
            Linked::Sfixed64 => Kind::Sfixed64,
            Linked::Bool => Kind::Bool,
            Linked::String => Kind::String { utf8 },
            Linked::Bytes => Kind::Bytes,
            Linked::Enum(linked) => Kind::Enum(self.enum_position(&linked)),
            Linked::Message(message) if is_group => Kind::Group(self.position(&message)),
            Linked::Message(message) => Kind::Message(self.position(&message)),
        }
    }

    fn message(&mut self, linked: &MessageDescriptor) -> Message {
        let oneof_positions: HashMap<String, u32> = linked
            .oneofs()
            .filter(|oneof| !oneof.is_synthetic())
            .enumerate()
            .map(|(at, oneof)| (oneof.name().to_owned(), at as u32))
            .collect();
        // Declaration order: fields() goes by number, the file's own text by position.
        let written: HashMap<&str, usize> =
            linked.descriptor_proto().field.iter().enumerate().map(|(at, field)| (field.name(), at)).collect();
        let mut fields: Vec<(usize, Field, String)> = Vec::new();
        for field in linked.fields() {
            let order = written.get(field.name()).copied().unwrap_or(usize::MAX);
            let json_name = field.json_name().to_owned();
            let is_entry_field = linked.is_map_entry();
            fields.push((order, self.field(&field, &oneof_positions, is_entry_field), json_name));
        }
        for extension in linked.extensions() {
            let json_name = format!("[{}]", extension.full_name());
            fields.push((usize::MAX, self.extension(&extension), json_name));
        }
        fields.sort_by_key(|(_, field, _)| field.number);

        let mut declared: Vec<u32> = (0..fields.len() as u32).collect();
        declared.sort_by_key(|at| fields[*at as usize].0);
        let mut names: HashMap<Box<str>, u32> = HashMap::new();
        let mut unambiguous = true;
        for at in &declared {
            let (_, field, json_name) = &fields[*at as usize];
            let original = (!field.is_extension).then_some(&*field.name);
            for name in original.into_iter().chain([json_name.as_str()]) {
                // The field that comes later takes the name, as in the reference's map of names.
                unambiguous &= names.insert(name.into(), *at).is_none_or(|before| before == *at);
            }
        }
        let mut names: Vec<(Box<str>, u32)> = names.into_iter().collect();
        names.sort_by(|a, b| by_length(&a.0, &b.0));
        let required = declared.iter().filter(|at| fields[**at as usize].1.rule == Rule::Required).copied().collect();
        let fields: Box<[Field]> = fields.into_iter().map(|(_, field, _)| field).collect();
        Message {
            full_name: linked.full_name().into(),
            shape: shape(linked.full_name(), &fields),
            declared: declared.into(),
            names: names.into(),
            unambiguous,
            defaulted: (0..fields.len() as u32).filter(|at| fields[*at as usize].default.is_some()).collect(),
            required,
            oneofs: oneof_positions.len() as u32,
            fields,
        }
    }

    fn field(&mut self, linked: &FieldDescriptor, oneofs: &HashMap<String, u32>, is_entry_field: bool) -> Field {
        // Text in map entries is checked whatever the syntax, as the reference does.
        let utf8 = is_entry_field || is_proto3(&linked.parent_message().parent_file());
        let kind = self.kind(linked.kind(), linked.is_group(), utf8);
        let rule = match linked.cardinality() {
            _ if linked.is_map() => Rule::Map,
            Cardinality::Repeated if linked.is_packed() => Rule::Packed,
            Cardinality::Repeated => Rule::Repeated,
            Cardinality::Required => Rule::Required,
            // Key and value of an entry are always written, whatever the file's syntax.
            Cardinality::Optional if linked.supports_presence() || is_entry_field => Rule::Explicit,
            Cardinality::Optional => Rule::Implicit,
        };
        let oneof = linked.containing_oneof().and_then(|oneof| oneofs.get(oneof.name()).copied());
        // A synthetic oneof hides its field from the defaults as a real one does.
        let shows_default = linked.containing_oneof().is_none() && !matches!(kind, Kind::Message(_) | Kind::Group(_));
        let default = match rule {
            Rule::Map => Some(b"{}".as_slice().into()),
            Rule::Repeated | Rule::Packed => Some(b"[]".as_slice().into()),
            _ if shows_default => Some(self.default_json(kind, &linked.default_value())),
            _ => None,
        };
        Field {
            number: linked.number(),
            name: linked.name().into(),
            full_name: linked.full_name().into(),
            label: label(linked.json_name()),
            kind,
            rule,
            oneof,
            is_extension: false,
            tag: tag(linked.number(), kind, rule),
            default,
        }
    }

    fn extension(&mut self, linked: &ExtensionDescriptor) -> Field {
        let kind = self.kind(linked.kind(), linked.is_group(), is_proto3(&linked.parent_file()));
        let rule = match linked.cardinality() {
            Cardinality::Repeated if linked.is_packed() => Rule::Packed,
            Cardinality::Repeated => Rule::Repeated,
            Cardinality::Required | Cardinality::Optional => Rule::Explicit,
        };
        Field {
            number: linked.number(),
            name: linked.name().into(),
            full_name: linked.full_name().into(),
            label: label(&format!("[{}]", linked.full_name())),
            kind,
            rule,
            oneof: None,
            is_extension: true,
            tag: tag(linked.number(), kind, rule),
            default: None,
        }
    }

    /// JSON of a field's default value.
    fn default_json(&self, kind: Kind, value: &Value) -> Box<[u8]> {
        let mut out = Vec::new();
        match value {
            Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Value::I32(value) => out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes()),
            Value::U32(value) => out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes()),
            Value::I64(value) => out.extend_from_slice(format!("\"{value}\"").as_bytes()),
            Value::U64(value) => out.extend_from_slice(format!("\"{value}\"").as_bytes()),
            Value::F32(value) => print::float(*value, &mut out),
            Value::F64(value) => print::double(*value, &mut out),
            Value::String(value) => print::text(value, &mut out),
            Value::Bytes(value) => print::base64(value, &mut out),
            Value::EnumNumber(number) => {
                if let Kind::Enum(at) = kind {
                    self.enums[at as usize].print(*number, &mut out);
                }
            }
            Value::Message(_) | Value::List(_) | Value::Map(_) => {}
        }
        out.into()
    }
}

fn is_proto3(file: &FileDescriptor) -> bool {
    file.syntax() == Syntax::Proto3
}

fn tag(number: u32, kind: Kind, rule: Rule) -> Tag {
    Tag::new(number, if rule == Rule::Packed { DELIMITED } else { kind.wire_type() })
}

fn label(json_name: &str) -> Box<[u8]> {
    let mut out = Vec::with_capacity(json_name.len() + 3);
    print::text(json_name, &mut out);
    out.push(b':');
    out.into()
}

/// The JSON form of this message: special only if it has the name *and* the fields of a well-known type.
fn shape(full_name: &str, fields: &[Field]) -> Shape {
    let Some(name) = full_name.strip_prefix("google.protobuf.") else { return Shape::Fields };
    let is = |at: usize, name: &str, number: u32, kind: fn(Kind) -> bool| {
        fields.get(at).is_some_and(|field| &*field.name == name && field.number == number && kind(field.kind))
    };
    let shape = match name {
        "Any" => Shape::Any,
        "Timestamp" => Shape::Timestamp,
        "Duration" => Shape::Duration,
        "FieldMask" => Shape::FieldMask,
        "Struct" => Shape::Struct,
        "ListValue" => Shape::ListValue,
        "Value" => Shape::Value,
        "DoubleValue" | "FloatValue" | "Int64Value" | "UInt64Value" | "Int32Value" | "UInt32Value" | "BoolValue"
        | "StringValue" | "BytesValue" => Shape::Wrapper,
        _ => return Shape::Fields,
    };
    let text = |kind| matches!(kind, Kind::String { .. });
    let fits = match shape {
        Shape::Any => fields.len() == 2 && is(0, "type_url", 1, text) && is(1, "value", 2, |kind| kind == Kind::Bytes),
        Shape::Timestamp | Shape::Duration => {
            fields.len() == 2
                && is(0, "seconds", 1, |kind| kind == Kind::Int64)
                && is(1, "nanos", 2, |kind| kind == Kind::Int32)
        }
        Shape::FieldMask => fields.len() == 1 && is(0, "paths", 1, text) && fields[0].rule == Rule::Repeated,
        Shape::Struct => fields.len() == 1 && is(0, "fields", 1, |_| true) && fields[0].rule == Rule::Map,
        Shape::ListValue => fields.len() == 1 && is(0, "values", 1, |_| true) && fields[0].rule == Rule::Repeated,
        Shape::Value => {
            fields.len() == 6
                && is(0, "null_value", 1, |kind| matches!(kind, Kind::Enum(_)))
                && is(1, "number_value", 2, |kind| kind == Kind::Double)
                && is(2, "string_value", 3, text)
                && is(3, "bool_value", 4, |kind| kind == Kind::Bool)
                && is(4, "struct_value", 5, |kind| matches!(kind, Kind::Message(_)))
                && is(5, "list_value", 6, |kind| matches!(kind, Kind::Message(_)))
        }
        Shape::Wrapper => {
            let scalar = |kind| !matches!(kind, Kind::Message(_) | Kind::Group(_));
            fields.len() == 1 && is(0, "value", 1, scalar) && matches!(fields[0].rule, Rule::Implicit | Rule::Explicit)
        }
        Shape::Fields => false,
    };
    if fits { shape } else { Shape::Fields }
}
