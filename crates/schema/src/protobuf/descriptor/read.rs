//! A `FileDescriptorProto` as clients send it (base64) → [`ProtoFile`], with what the reference keeps of it.
//!
//! Kept: names, types by full name, `json_name`, standard options, `confluent.*_meta`. Lost: custom options, groups
//! (a message field remains), comments. Map fields stay `repeated …Entry` with `option map_entry = true`; an
//! `editions` file reads as proto2 without a syntax line. Read straight from the wire, so that budgets hold and
//! extension fields are seen.
//!
//! Source: schema-registry `ProtobufSchema#toProtoFile(FileDescriptorProto)`, 8.2.0, recording
//! `canon-protobuf-base64`.

use std::collections::HashMap;

use super::wire::{Fields, Malformed, Value};
use crate::InvalidSchema;
use crate::protobuf::model::{
    Enum, EnumConstant, Extend, Extensions, Field, FieldType, Label, Message, OneOf, OptionElement, OptionValue,
    ProtoFile, Reserved, ReservedItem, Rpc, Service, Syntax,
};
use crate::protobuf::parse::{MAX_ELEMENTS, MAX_NESTING};

/// The file whose descriptor `text` is, in base64. `None` when it is no such thing.
pub(crate) fn parse_base64(text: &str) -> Result<Option<ProtoFile>, InvalidSchema> {
    let encoding = if text.ends_with('=') { base64_simd::STANDARD } else { base64_simd::STANDARD_NO_PAD };
    let Ok(bytes) = encoding.decode_to_vec(text.as_bytes()) else { return Ok(None) };
    let mut reader = Reader { elements_left: MAX_ELEMENTS, is_proto3: false };
    match reader.file(&bytes) {
        Ok(file) => Ok(Some(file)),
        Err(Refused::Malformed) => Ok(None),
        Err(Refused::TooComplex(what)) => Err(InvalidSchema::TooComplex(what)),
    }
}

enum Refused {
    Malformed,
    TooComplex(String),
}

impl From<Malformed> for Refused {
    fn from(_: Malformed) -> Refused {
        Refused::Malformed
    }
}

struct Reader {
    elements_left: usize,
    is_proto3: bool,
}

impl Reader {
    fn count(&mut self) -> Result<(), Refused> {
        let too_many = || Refused::TooComplex(format!("The schema has more than {MAX_ELEMENTS} elements"));
        self.elements_left = self.elements_left.checked_sub(1).ok_or_else(too_many)?;
        Ok(())
    }

    fn file(&mut self, bytes: &[u8]) -> Result<ProtoFile, Refused> {
        let mut file = ProtoFile::default();
        let mut dependencies = Vec::new();
        let mut public = Vec::new();
        // The syntax comes last on the wire and decides how labels read.
        for field in Fields::of(bytes) {
            if let (12, Value::Bytes(word)) = field? {
                file.syntax = match word {
                    b"proto2" => Some(Syntax::Proto2),
                    b"proto3" => Some(Syntax::Proto3),
                    _ => None,
                };
            }
        }
        self.is_proto3 = file.syntax == Some(Syntax::Proto3);
        let mut extends = Extends::default();
        for field in Fields::of(bytes) {
            self.count()?;
            match field? {
                (2, Value::Bytes(package)) => file.package = Some(text(package)).filter(|name| !name.is_empty()),
                (3, Value::Bytes(path)) => dependencies.push(text(path)),
                (4, Value::Bytes(message)) => file.messages.push(self.message(message, MAX_NESTING)?),
                (5, Value::Bytes(enum_)) => file.enums.push(self.enum_(enum_)?),
                (6, Value::Bytes(service)) => file.services.push(self.service(service)?),
                (7, Value::Bytes(extension)) => extends.add(self.field(extension)?),
                (8, Value::Bytes(options)) => file.options = file_options(options)?,
                (10, Value::Varint(index)) => public.push(index),
                (10, Value::Bytes(packed)) => public.extend(super::wire::packed(packed)?),
                _ => {}
            }
        }
        file.extends = extends.list;
        for (index, path) in dependencies.into_iter().enumerate() {
            if public.contains(&(index as u64)) {
                file.public_imports.push(path);
            } else {
                file.imports.push(path);
            }
        }
        Ok(file)
    }

    fn message(&mut self, bytes: &[u8], nesting_left: usize) -> Result<Message, Refused> {
        let too_deep = || Refused::TooComplex(format!("The schema nests deeper than {MAX_NESTING} levels"));
        let nesting_left = nesting_left.checked_sub(1).ok_or_else(too_deep)?;
        let mut message = Message::default();
        let mut oneofs: Vec<OneOf> = Vec::new();
        let mut members = Vec::new();
        let mut names = Vec::new();
        let mut extends = Extends::default();
        for field in Fields::of(bytes) {
            self.count()?;
            match field? {
                (1, Value::Bytes(name)) => message.name = text(name),
                (2, Value::Bytes(field)) => {
                    let read = self.field(field)?;
                    match read.oneof {
                        Some(index) => members.push((index, Field { label: None, ..read.field })),
                        None => message.fields.push(read.field),
                    }
                }
                (3, Value::Bytes(nested)) => message.messages.push(self.message(nested, nesting_left)?),
                (4, Value::Bytes(nested)) => message.enums.push(self.enum_(nested)?),
                (5, Value::Bytes(range)) => {
                    let (start, end) = bounds(range)?;
                    let ranges = vec![item(start, end.wrapping_sub(1))];
                    message.extensions.push(Extensions { ranges, options: Vec::new() });
                }
                (6, Value::Bytes(extension)) => extends.add(self.field(extension)?),
                (7, Value::Bytes(options)) => message.options = message_options(options)?,
                (8, Value::Bytes(oneof)) => oneofs.push(OneOf { name: name_of(oneof)?, ..OneOf::default() }),
                (9, Value::Bytes(range)) => {
                    let (start, end) = bounds(range)?;
                    message.reserved.push(Reserved { items: vec![item(start, end.wrapping_sub(1))] });
                }
                (10, Value::Bytes(name)) => names.push(Reserved { items: vec![ReservedItem::Name(text(name))] }),
                _ => {}
            }
        }
        message.reserved.append(&mut names);
        message.extends = extends.list;
        for (index, field) in members {
            oneofs.get_mut(index).ok_or(Refused::Malformed)?.fields.push(field);
        }
        oneofs.retain(|oneof| !oneof.fields.is_empty());
        message.oneofs = oneofs;
        Ok(message)
    }

    fn field(&mut self, bytes: &[u8]) -> Result<ReadField, Refused> {
        let (mut name, mut extendee, mut type_name) = (String::new(), String::new(), None);
        let (mut tag, mut label, mut type_number) = (0, 1, 1);
        let (mut default, mut json_name, mut oneof) = (None, None, None);
        let mut proto3_optional = false;
        let mut options = Vec::new();
        for field in Fields::of(bytes) {
            match field? {
                (1, Value::Bytes(value)) => name = text(value),
                (2, Value::Bytes(value)) => extendee = text(value),
                (3, Value::Varint(value)) => tag = value as i32,
                (4, Value::Varint(value)) => label = value,
                (5, Value::Varint(value)) => type_number = value,
                (6, Value::Bytes(value)) => type_name = Some(text(value)),
                (7, Value::Bytes(value)) => default = Some(text(value)),
                (8, Value::Bytes(value)) => options = field_options(value)?,
                (9, Value::Varint(value)) => oneof = usize::try_from(value).ok(),
                (10, Value::Bytes(value)) => json_name = Some(text(value)),
                (17, Value::Varint(value)) => proto3_optional = value != 0,
                _ => {}
            }
        }
        let label = match label {
            3 => Some(Label::Repeated),
            _ if proto3_optional => Some(Label::Optional),
            _ if self.is_proto3 => None,
            2 => Some(Label::Required),
            _ => Some(Label::Optional),
        };
        let type_ = match type_name {
            Some(name) => FieldType::Named(name),
            None => FieldType::from_word(TYPES.get(type_number as usize).copied().unwrap_or("double")),
        };
        let default = default.filter(|_| !self.is_proto3);
        let field = Field { label, type_, name, tag, default, json_name, options };
        Ok(ReadField { field, extendee, oneof: oneof.filter(|_| !proto3_optional) })
    }

    fn enum_(&mut self, bytes: &[u8]) -> Result<Enum, Refused> {
        let mut enum_ = Enum::default();
        let mut names = Vec::new();
        for field in Fields::of(bytes) {
            self.count()?;
            match field? {
                (1, Value::Bytes(name)) => enum_.name = text(name),
                (2, Value::Bytes(constant)) => enum_.constants.push(read_constant(constant)?),
                (3, Value::Bytes(options)) => {
                    let known = [flag(2, "allow_alias"), flag(3, "deprecated")];
                    enum_.options = read_options(options, &known, "confluent.enum_meta")?;
                }
                (4, Value::Bytes(range)) => {
                    let (start, end) = bounds(range)?;
                    enum_.reserved.push(Reserved { items: vec![item(start, end)] });
                }
                (5, Value::Bytes(name)) => names.push(Reserved { items: vec![ReservedItem::Name(text(name))] }),
                _ => {}
            }
        }
        enum_.reserved.append(&mut names);
        Ok(enum_)
    }

    fn service(&mut self, bytes: &[u8]) -> Result<Service, Refused> {
        let mut service = Service::default();
        for field in Fields::of(bytes) {
            self.count()?;
            match field? {
                (1, Value::Bytes(name)) => service.name = text(name),
                (2, Value::Bytes(method)) => service.rpcs.push(read_method(method)?),
                (3, Value::Bytes(options)) => service.options = read_options(options, &[flag(33, "deprecated")], "")?,
                _ => {}
            }
        }
        Ok(service)
    }
}

/// Names of field types by their numbers.
const TYPES: [&str; 19] = [
    "double", "double", "float", "int64", "uint64", "int32", "fixed64", "fixed32", "bool", "string", "group",
    "message", "bytes", "uint32", "enum", "sfixed32", "sfixed64", "sint32", "sint64",
];

struct ReadField {
    field: Field,
    extendee: String,
    oneof: Option<usize>,
}

/// Extension fields gathered by what they extend, in first-seen order.
#[derive(Default)]
struct Extends {
    list: Vec<Extend>,
    places: HashMap<String, usize>,
}

impl Extends {
    fn add(&mut self, read: ReadField) {
        let place = *self.places.entry(read.extendee).or_insert_with_key(|extendee| {
            self.list.push(Extend { extendee: extendee.clone(), fields: Vec::new() });
            self.list.len() - 1
        });
        self.list[place].fields.push(read.field);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn name_of(bytes: &[u8]) -> Result<String, Refused> {
    let mut name = String::new();
    for field in Fields::of(bytes) {
        if let (1, Value::Bytes(value)) = field? {
            name = text(value);
        }
    }
    Ok(name)
}

fn bounds(bytes: &[u8]) -> Result<(i32, i32), Refused> {
    let (mut start, mut end) = (0, 0);
    for field in Fields::of(bytes) {
        match field? {
            (1, Value::Varint(value)) => start = value as i32,
            (2, Value::Varint(value)) => end = value as i32,
            _ => {}
        }
    }
    Ok((start, end))
}

fn item(first: i32, last: i32) -> ReservedItem {
    if first == last { ReservedItem::Number(first) } else { ReservedItem::Range(first, last) }
}

fn read_constant(bytes: &[u8]) -> Result<EnumConstant, Refused> {
    let mut constant = EnumConstant { name: String::new(), tag: 0, options: Vec::new() };
    for field in Fields::of(bytes) {
        match field? {
            (1, Value::Bytes(name)) => constant.name = text(name),
            (2, Value::Varint(number)) => constant.tag = number as i32,
            (3, Value::Bytes(options)) => {
                let known = [flag(1, "deprecated"), flag(3, "debug_redact")];
                constant.options = read_options(options, &known, "confluent.enum_value_meta")?;
            }
            _ => {}
        }
    }
    Ok(constant)
}

fn read_method(bytes: &[u8]) -> Result<Rpc, Refused> {
    let mut rpc = Rpc {
        name: String::new(),
        request: String::new(),
        response: String::new(),
        request_streaming: false,
        response_streaming: false,
        options: Vec::new(),
    };
    for field in Fields::of(bytes) {
        match field? {
            (1, Value::Bytes(name)) => rpc.name = text(name),
            (2, Value::Bytes(type_)) => rpc.request = text(type_),
            (3, Value::Bytes(type_)) => rpc.response = text(type_),
            (4, Value::Bytes(options)) => {
                let levels = &["IDEMPOTENCY_UNKNOWN", "NO_SIDE_EFFECTS", "IDEMPOTENT"];
                let known = [flag(33, "deprecated"), constant(34, "idempotency_level", levels)];
                rpc.options = read_options(options, &known, "")?;
            }
            (5, Value::Varint(streams)) => rpc.request_streaming = streams != 0,
            (6, Value::Varint(streams)) => rpc.response_streaming = streams != 0,
            _ => {}
        }
    }
    Ok(rpc)
}

/// A standard option: number, name, form.
type Known = (u32, &'static str, Form);

#[derive(Clone, Copy)]
enum Form {
    Flag,
    Text,
    Constant(&'static [&'static str]),
}

const fn flag(number: u32, name: &'static str) -> Known {
    (number, name, Form::Flag)
}

const fn string(number: u32, name: &'static str) -> Known {
    (number, name, Form::Text)
}

const fn constant(number: u32, name: &'static str, names: &'static [&'static str]) -> Known {
    (number, name, Form::Constant(names))
}

fn file_options(bytes: &[u8]) -> Result<Vec<OptionElement>, Refused> {
    const KNOWN: [Known; 19] = [
        string(1, "java_package"),
        string(8, "java_outer_classname"),
        flag(10, "java_multiple_files"),
        flag(20, "java_generate_equals_and_hash"),
        flag(27, "java_string_check_utf8"),
        constant(9, "optimize_for", &["", "SPEED", "CODE_SIZE", "LITE_RUNTIME"]),
        string(11, "go_package"),
        flag(16, "cc_generic_services"),
        flag(17, "java_generic_services"),
        flag(18, "py_generic_services"),
        flag(23, "deprecated"),
        flag(31, "cc_enable_arenas"),
        string(36, "objc_class_prefix"),
        string(37, "csharp_namespace"),
        string(39, "swift_prefix"),
        string(40, "php_class_prefix"),
        string(41, "php_namespace"),
        string(44, "php_metadata_namespace"),
        string(45, "ruby_package"),
    ];
    read_options(bytes, &KNOWN, "confluent.file_meta")
}

fn message_options(bytes: &[u8]) -> Result<Vec<OptionElement>, Refused> {
    const KNOWN: [Known; 4] = [
        flag(2, "no_standard_descriptor_accessor"),
        flag(3, "deprecated"),
        flag(7, "map_entry"),
        flag(11, "deprecated_legacy_json_field_conflicts"),
    ];
    read_options(bytes, &KNOWN, "confluent.message_meta")
}

fn field_options(bytes: &[u8]) -> Result<Vec<OptionElement>, Refused> {
    const KNOWN: [Known; 6] = [
        constant(1, "ctype", &["STRING", "CORD", "STRING_PIECE"]),
        flag(2, "packed"),
        constant(6, "jstype", &["JS_NORMAL", "JS_STRING", "JS_NUMBER"]),
        flag(3, "deprecated"),
        flag(16, "debug_redact"),
        constant(17, "retention", &["RETENTION_UNKNOWN", "RETENTION_RUNTIME", "RETENTION_SOURCE"]),
    ];
    read_options(bytes, &KNOWN, "confluent.field_meta")
}

/// The standard options in the order of `known`, then the meta option of this name (empty: there is none).
fn read_options(bytes: &[u8], known: &[Known], meta_name: &str) -> Result<Vec<OptionElement>, Refused> {
    let mut found: Vec<Option<OptionValue>> = vec![None; known.len()];
    let mut meta = None;
    for field in Fields::of(bytes) {
        let (number, value) = field?;
        if let (1088, Value::Bytes(bytes), false) = (number, &value, meta_name.is_empty()) {
            meta = read_meta(bytes)?;
        }
        let Some(at) = known.iter().position(|(known, ..)| *known == number) else { continue };
        found[at] = match (known[at].2, value) {
            (Form::Flag, Value::Varint(value)) => Some(OptionValue::Boolean(value != 0)),
            (Form::Text, Value::Bytes(value)) => Some(OptionValue::String(text(value))),
            (Form::Constant(names), Value::Varint(value)) => usize::try_from(value)
                .ok()
                .and_then(|value| names.get(value))
                .filter(|name| !name.is_empty())
                .map(|name| OptionValue::Enum((*name).to_owned())),
            _ => None,
        };
    }
    let plain = |((_, name, _), value): (&Known, Option<OptionValue>)| {
        Some(OptionElement { name: (*name).to_owned(), is_parenthesized: false, value: value? })
    };
    let mut options: Vec<OptionElement> = known.iter().zip(found).filter_map(plain).collect();
    options.extend(meta.map(|value| OptionElement { name: meta_name.to_owned(), is_parenthesized: true, value }));
    Ok(options)
}

/// A `confluent.Meta` message as an option literal; `None` when it says nothing.
fn read_meta(bytes: &[u8]) -> Result<Option<OptionValue>, Refused> {
    let string = |bytes: &[u8]| OptionValue::String(text(bytes));
    let (mut doc, mut params, mut tags, mut rules) = (None, Vec::new(), Vec::new(), Vec::new());
    for field in Fields::of(bytes) {
        match field? {
            (1, Value::Bytes(value)) => doc = Some(string(value)).filter(|_| !value.is_empty()),
            (2, Value::Bytes(entry)) => params.push(read_parts(entry, &["key", "value"])?),
            (3, Value::Bytes(tag)) => tags.push(string(tag)),
            (4, Value::Bytes(rule)) => rules.push(read_parts(rule, &["name", "doc", "expr", "sql"])?),
            _ => {}
        }
    }
    let param = |mut entry: Vec<(String, OptionValue)>| {
        // Precision and scale print their value first, as ever.
        let first = entry.first().map(|(_, value)| value);
        if [Some("precision"), Some("scale")].contains(&first.and_then(crate::protobuf::options::plain)) {
            entry.reverse();
        }
        OptionValue::Map(entry)
    };
    let params: Vec<OptionValue> = params.into_iter().map(param).collect();
    let rules = rules.into_iter().map(OptionValue::Map).collect();
    let lists = [("params", params), ("tags", tags), ("rules", rules)];
    let mut entries: Vec<(String, OptionValue)> = doc.map(|doc| ("doc".to_owned(), doc)).into_iter().collect();
    entries.extend(
        lists
            .into_iter()
            .filter(|(_, items)| !items.is_empty())
            .map(|(name, items)| (name.to_owned(), OptionValue::List(items))),
    );
    Ok((!entries.is_empty()).then_some(OptionValue::Map(entries)))
}

/// String fields numbered 1, 2, … under these names; absent ones are left out, but keys and values never are.
fn read_parts(bytes: &[u8], names: &[&str]) -> Result<Vec<(String, OptionValue)>, Refused> {
    let mut parts: Vec<Option<String>> =
        names.iter().map(|name| matches!(*name, "key" | "value").then(String::new)).collect();
    for field in Fields::of(bytes) {
        if let (number, Value::Bytes(value)) = field?
            && let Some(part) = parts.get_mut((number as usize).wrapping_sub(1))
        {
            *part = Some(text(value));
        }
    }
    let named = names.iter().zip(parts);
    Ok(named.filter_map(|(name, part)| Some(((*name).to_owned(), OptionValue::String(part?)))).collect())
}
