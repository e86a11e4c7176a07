//! One `.proto` file as written: names unresolved, options kept as syntax.
//!
//! The model holds what the reference's canonical text holds, in source order within each kind, and nothing
//! else (no comments, no positions). Invariant: printing a `ProtoFile` that was parsed from text and parsing the
//! print gives it back, but for what the reference prints without quotes or escapes: reserved names, defaults of
//! types other than strings, import paths. Built by `parse` (text) and `descriptor` (binary), printed by `canonical`, rewritten by
//! `normalize`, compared by `diff`.
//!
//! Source: Square Wire 6.4.5 `ProtoFileElement` and friends, which the reference prints.

use crate::weight::Heap;

/// A file.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProtoFile {
    /// The `syntax` line, if the text had one.
    pub syntax: Option<Syntax>,
    /// The package, without quotes or dots at the ends.
    pub package: Option<String>,
    /// Plain imports, in order (weak ones are dropped on parsing).
    pub imports: Vec<String>,
    /// `import public`, in order.
    pub public_imports: Vec<String>,
    /// File options.
    pub options: Vec<OptionElement>,
    /// Top-level messages, source order.
    pub messages: Vec<Message>,
    /// Top-level enums, source order.
    pub enums: Vec<Enum>,
    /// Top-level `extend` blocks.
    pub extends: Vec<Extend>,
    /// Services.
    pub services: Vec<Service>,
}

/// Syntax levels that text may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Syntax {
    /// `proto2`; also what a missing line means.
    Proto2,
    /// `proto3`
    Proto3,
}

/// A message. Nested types keep their own order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Message {
    /// Simple name.
    pub name: String,
    /// Options.
    pub options: Vec<OptionElement>,
    /// Fields outside oneofs, source order; map fields included.
    pub fields: Vec<Field>,
    /// Oneofs, source order.
    pub oneofs: Vec<OneOf>,
    /// proto2 groups outside oneofs.
    pub groups: Vec<Group>,
    /// `reserved` statements, in order.
    pub reserved: Vec<Reserved>,
    /// `extensions` statements, in order.
    pub extensions: Vec<Extensions>,
    /// Nested messages (`option map_entry = true` marks the entries of a descriptor's map fields).
    pub messages: Vec<Message>,
    /// Nested enums.
    pub enums: Vec<Enum>,
    /// Nested `extend` blocks.
    pub extends: Vec<Extend>,
}

/// Field labels as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Label {
    /// `optional`
    Optional,
    /// `required`
    Required,
    /// `repeated`
    Repeated,
}

/// A field, an extension field, or a member of a oneof.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// `None` when not written (proto3 implicit, oneof members, maps).
    pub label: Option<Label>,
    /// Type as written: a scalar keyword, a name with or without leading dot, or `map<k, v>`.
    pub type_: FieldType,
    /// Name.
    pub name: String,
    /// Number; anything an `int32` literal can say, 0 included.
    pub tag: i32,
    /// The `default` option's value as text, unescaped and unquoted; how it prints depends on the type.
    pub default: Option<String>,
    /// The `json_name` option, if written.
    pub json_name: Option<String>,
    /// All other options.
    pub options: Vec<OptionElement>,
}

/// A type as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FieldType {
    /// `int32` … `bytes`.
    Scalar(Scalar),
    /// A message or an enum, by its written name.
    Named(String),
    /// `map<key, value>`
    Map(Scalar, Box<FieldType>),
}

/// Scalar keywords.
#[allow(missing_docs)] // the protobuf keywords
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scalar {
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
    String,
    Bytes,
}

impl FieldType {
    /// The type of this text: a scalar keyword or a name. Maps have their own syntax.
    pub fn from_word(word: &str) -> FieldType {
        match Scalar::from_keyword(word) {
            Some(scalar) => FieldType::Scalar(scalar),
            None => FieldType::Named(word.to_owned()),
        }
    }
}

impl std::fmt::Display for FieldType {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            FieldType::Scalar(scalar) => f.write_str(scalar.keyword()),
            FieldType::Named(name) => f.write_str(name),
            FieldType::Map(key, value) => write!(f, "map<{}, {value}>", key.keyword()),
        }
    }
}

impl Syntax {
    /// The word in quotes.
    pub fn word(self) -> &'static str {
        match self {
            Syntax::Proto2 => "proto2",
            Syntax::Proto3 => "proto3",
        }
    }
}

impl Label {
    /// The keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Label::Optional => "optional",
            Label::Required => "required",
            Label::Repeated => "repeated",
        }
    }
}

impl Scalar {
    /// The scalar of this keyword, if it is one.
    pub fn from_keyword(word: &str) -> Option<Scalar> {
        Some(match word {
            "double" => Scalar::Double,
            "float" => Scalar::Float,
            "int32" => Scalar::Int32,
            "int64" => Scalar::Int64,
            "uint32" => Scalar::Uint32,
            "uint64" => Scalar::Uint64,
            "sint32" => Scalar::Sint32,
            "sint64" => Scalar::Sint64,
            "fixed32" => Scalar::Fixed32,
            "fixed64" => Scalar::Fixed64,
            "sfixed32" => Scalar::Sfixed32,
            "sfixed64" => Scalar::Sfixed64,
            "bool" => Scalar::Bool,
            "string" => Scalar::String,
            "bytes" => Scalar::Bytes,
            _ => return None,
        })
    }

    /// Whether map keys may have this type: integers, bools and strings.
    pub fn is_map_key(self) -> bool {
        !matches!(self, Scalar::Double | Scalar::Float | Scalar::Bytes)
    }

    /// The keyword.
    pub fn keyword(self) -> &'static str {
        match self {
            Scalar::Double => "double",
            Scalar::Float => "float",
            Scalar::Int32 => "int32",
            Scalar::Int64 => "int64",
            Scalar::Uint32 => "uint32",
            Scalar::Uint64 => "uint64",
            Scalar::Sint32 => "sint32",
            Scalar::Sint64 => "sint64",
            Scalar::Fixed32 => "fixed32",
            Scalar::Fixed64 => "fixed64",
            Scalar::Sfixed32 => "sfixed32",
            Scalar::Sfixed64 => "sfixed64",
            Scalar::Bool => "bool",
            Scalar::String => "string",
            Scalar::Bytes => "bytes",
        }
    }
}

/// A oneof.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct OneOf {
    /// Name.
    pub name: String,
    /// Options.
    pub options: Vec<OptionElement>,
    /// Members.
    pub fields: Vec<Field>,
    /// proto2 groups inside.
    pub groups: Vec<Group>,
}

/// A proto2 group: a field and its message in one. The reference knows fields inside, nothing else.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// Label; `None` inside a oneof.
    pub label: Option<Label>,
    /// Name of the message, as written; the field's name is its lower case.
    pub name: String,
    /// Number.
    pub tag: i32,
    /// Fields of the message.
    pub fields: Vec<Field>,
}

/// One `reserved` statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reserved {
    /// Names and ranges in written order.
    pub items: Vec<ReservedItem>,
}

/// An item of a `reserved` statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReservedItem {
    /// A field or constant name.
    Name(String),
    /// One number.
    Number(i32),
    /// Inclusive range as written; an end of [`MAX_TAG`] or more prints as `max`.
    Range(i32, i32),
}

/// The highest field number, 2²⁹−1; what `max` means, in enums too.
pub const MAX_TAG: i32 = 536_870_911;

/// One `extensions` statement.
#[derive(Debug, Clone, PartialEq)]
pub struct Extensions {
    /// [`ReservedItem::Number`]s and [`ReservedItem::Range`]s, in written order; never names.
    pub ranges: Vec<ReservedItem>,
    /// Options behind the ranges.
    pub options: Vec<OptionElement>,
}

/// An `extend` block.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Extend {
    /// The extended message, as written.
    pub extendee: String,
    /// Its fields. Groups in `extend` blocks are dropped on parsing, as the reference does.
    pub fields: Vec<Field>,
}

/// An enum.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Enum {
    /// Simple name.
    pub name: String,
    /// Options.
    pub options: Vec<OptionElement>,
    /// Constants, source order.
    pub constants: Vec<EnumConstant>,
    /// `reserved` statements.
    pub reserved: Vec<Reserved>,
}

/// A constant of an enum.
#[derive(Debug, Clone, PartialEq)]
pub struct EnumConstant {
    /// Name.
    pub name: String,
    /// Number.
    pub tag: i32,
    /// Options.
    pub options: Vec<OptionElement>,
}

/// A service.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Service {
    /// Name.
    pub name: String,
    /// Options.
    pub options: Vec<OptionElement>,
    /// Methods.
    pub rpcs: Vec<Rpc>,
}

/// A method.
#[derive(Debug, Clone, PartialEq)]
pub struct Rpc {
    /// Name.
    pub name: String,
    /// Request type as written.
    pub request: String,
    /// Answer type as written.
    pub response: String,
    /// `stream` before the request type.
    pub request_streaming: bool,
    /// `stream` before the answer type.
    pub response_streaming: bool,
    /// Options.
    pub options: Vec<OptionElement>,
}

/// An option: `name = value`, `(name) = value`, or `(name).part = value`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OptionElement {
    /// Name without its parentheses. Parts behind a parenthesised name are in `value`; a plain name keeps its dots.
    pub name: String,
    /// Whether the name stood in parentheses.
    pub is_parenthesized: bool,
    /// Its value.
    pub value: OptionValue,
}

/// Values of options.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum OptionValue {
    /// A string literal, unescaped: escapes above 127 are characters of that code.
    String(String),
    /// `true` or `false`.
    Boolean(bool),
    /// A number as written.
    Number(String),
    /// An identifier: an enum constant, `inf`, `nan`.
    Enum(String),
    /// `{ … }`: name and value in written order. Names are distinct: repeated ones were merged into a list.
    Map(Vec<(String, OptionValue)>),
    /// `[ … ]`
    List(Vec<OptionValue>),
    /// `.part = value` behind a parenthesised name, one level per part.
    Nested(Box<OptionElement>),
}

crate::weight::heap! {
    ProtoFile { package, imports, public_imports, options, messages, enums, extends, services }
    Message { name, options, fields, oneofs, groups, reserved, extensions, messages, enums, extends }
    Field { type_, name, default, json_name, options }
    OneOf { name, options, fields, groups }
    Group { name, fields }
    Reserved { items }
    Extensions { ranges, options }
    Extend { extendee, fields }
    Enum { name, options, constants, reserved }
    EnumConstant { name, options }
    Service { name, options, rpcs }
    Rpc { name, request, response, options }
    OptionElement { name, value }
}

impl Heap for FieldType {
    fn heap_bytes(&self) -> usize {
        match self {
            FieldType::Scalar(_) => 0,
            FieldType::Named(name) => name.heap_bytes(),
            FieldType::Map(_, value) => value.heap_bytes(),
        }
    }
}

impl Heap for ReservedItem {
    fn heap_bytes(&self) -> usize {
        match self {
            ReservedItem::Name(name) => name.heap_bytes(),
            ReservedItem::Number(_) | ReservedItem::Range(..) => 0,
        }
    }
}

impl Heap for OptionValue {
    fn heap_bytes(&self) -> usize {
        match self {
            OptionValue::String(text) | OptionValue::Number(text) | OptionValue::Enum(text) => text.heap_bytes(),
            OptionValue::Boolean(_) => 0,
            OptionValue::Map(entries) => entries.heap_bytes(),
            OptionValue::List(values) => values.heap_bytes(),
            OptionValue::Nested(option) => option.heap_bytes(),
        }
    }
}
