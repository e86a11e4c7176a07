//! The two descriptors of a file: the reference's and protoc's.
//!
//! Field numbers are those of `google/protobuf/descriptor.proto`; `confluent.*_meta` is extension 1088.
//!
//! Source: schema-registry `ProtobufSchema#toDynamicSchema`, `dynamic/*Definition`, 8.2.0, and the recordings
//! `canon-protobuf-*` (`format=serialized`).

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};

use prost::Message as _;
use prost_types::FileDescriptorProto;

use super::wire::Writer;
use super::write_options::{confluent_meta, constant, field_options, file_options, flag, message_options};
use crate::InvalidSchema;
use crate::protobuf::model::{
    Enum, Extend, Field, FieldType, Group, Label, Message, ProtoFile, ReservedItem, Scalar, Service, Syntax,
};
use crate::protobuf::options;
use crate::protobuf::resolve::{Names, Type, join};

/// The `FileDescriptorProto` of `format=serialized`, named `default`. `known` tells which imports can be resolved;
/// others are left out, as the reference does.
pub(crate) fn serialized(file: &ProtoFile, names: &Names<'_>, known: impl Fn(&str) -> bool) -> Vec<u8> {
    let descriptors = Descriptors { names, syntax: file.syntax, voice: Voice::Reference, used: RefCell::default() };
    let mut out = descriptors.file(file, "default", known);
    confluent_meta(&mut out.options, &file.options, "confluent.file_meta");
    out.finish()
}

/// The descriptor of `file` under the path `name`, as protoc would build it, and the full names of the types it uses:
/// names resolved, groups, standard options, `json_name` only where written. Without dependencies: they follow from
/// the types.
pub(crate) fn file_descriptor(
    file: &ProtoFile,
    name: &str,
    names: &Names<'_>,
) -> Result<(FileDescriptorProto, HashSet<String>), InvalidSchema> {
    let descriptors = Descriptors { names, syntax: file.syntax, voice: Voice::Linker, used: RefCell::default() };
    let bytes = descriptors.file(file, name, |_| false).finish();
    let descriptor = FileDescriptorProto::decode(bytes.as_slice());
    let descriptor = descriptor.map_err(|error| InvalidSchema::Semantics(error.to_string()))?;
    Ok((descriptor, descriptors.used.into_inner()))
}

#[derive(Clone, Copy, PartialEq)]
enum Voice {
    Reference,
    Linker,
}

struct Descriptors<'a> {
    names: &'a Names<'a>,
    syntax: Option<Syntax>,
    voice: Voice,
    /// Full names of the types that were resolved.
    used: RefCell<HashSet<String>>,
}

/// The file's message, its options apart because they come late.
struct FileOut {
    head: Writer,
    options: Writer,
    tail: Writer,
}

impl FileOut {
    fn finish(mut self) -> Vec<u8> {
        if !self.options.is_empty() {
            self.head.message(8, &self.options);
        }
        let mut bytes = self.head.into_bytes();
        bytes.extend(self.tail.into_bytes());
        bytes
    }
}

impl Descriptors<'_> {
    /// What `name` means in `scope`, for linking: with a leading dot. The use is noted.
    fn resolve(&self, scope: &str, name: &str) -> Option<(String, Type<'_>)> {
        let (full_name, type_) = self.names.resolve(scope, name)?;
        let dotted = format!(".{full_name}");
        self.used.borrow_mut().insert(full_name);
        Some((dotted, type_))
    }

    fn file(&self, file: &ProtoFile, name: &str, known: impl Fn(&str) -> bool) -> FileOut {
        let scope = file.package.as_deref().unwrap_or_default();
        let mut head = Writer::default();
        head.text(1, name);
        if let Some(package) = &file.package {
            head.text(2, package);
        }
        let (dependencies, public) = dependencies(file, known);
        dependencies.iter().for_each(|path| head.text(3, path));
        file.messages.iter().for_each(|message| head.message(4, &self.message(scope, message)));
        let mut extensions = Writer::default();
        for extend in &file.extends {
            self.extend(scope, extend, 7, &mut extensions);
        }
        file.enums.iter().for_each(|enum_| head.message(5, &self.enum_(enum_)));
        file.services.iter().for_each(|service| head.message(6, &self.service(scope, service)));
        let mut bytes = head.into_bytes();
        bytes.extend(extensions.into_bytes());
        let mut tail = Writer::default();
        public.into_iter().for_each(|index| tail.number(10, index));
        if let Some(syntax) = file.syntax {
            tail.text(12, syntax.word());
        }
        FileOut { head: Writer::from_bytes(bytes), options: file_options(&file.options), tail }
    }

    fn message(&self, scope: &str, message: &Message) -> Writer {
        let scope = &join(scope, &message.name);
        let mut fields = Writer::default();
        let mut entries = Writer::default();
        let mut groups = Writer::default();
        let mut oneofs: Vec<String> = message.oneofs.iter().map(|oneof| oneof.name.clone()).collect();

        let mut members = Writer::default();
        for (index, oneof) in message.oneofs.iter().enumerate() {
            for field in &oneof.fields {
                let place = Place { oneof: Some(index), ..Place::default() };
                members.message(2, &self.field(scope, field, place));
            }
            if self.voice == Voice::Linker {
                for group in &oneof.groups {
                    self.group(scope, group, Some(index), &mut members, &mut groups);
                }
            }
        }
        let mut taken: HashSet<String> =
            message.oneofs.iter().flat_map(|oneof| &oneof.fields).map(|field| field.name.clone()).collect();
        if self.voice == Voice::Linker {
            taken.extend(message.oneofs.iter().map(|oneof| oneof.name.clone()));
            taken.extend(message.fields.iter().map(|field| field.name.clone()));
        }
        for field in &message.fields {
            // The reference drops a plain field that has a oneof member's name.
            if self.voice == Voice::Reference && taken.contains(&field.name) {
                continue;
            }
            let mut place = Place::default();
            let entry_name;
            if let FieldType::Map(key, value) = &field.type_ {
                entry_name = self.entry_name(&field.name);
                entries.message(3, &self.map_entry(scope, &entry_name, *key, value));
                place.entry = Some(&entry_name);
            } else if field.label == Some(Label::Optional) && self.syntax == Some(Syntax::Proto3) {
                place.oneof = Some(oneofs.len());
                place.proto3_optional = true;
                oneofs.push(self.synthetic_oneof(&field.name, &mut taken));
            }
            fields.message(2, &self.field(scope, field, place));
        }
        if self.voice == Voice::Linker {
            for group in &message.groups {
                self.group(scope, group, None, &mut members, &mut groups);
            }
        }

        let mut out = Writer::default();
        out.text(1, &message.name);
        // Declaration order of the canonical text puts plain fields first; the reference's builder does not.
        match self.voice {
            Voice::Reference => [&members, &fields],
            Voice::Linker => [&fields, &members],
        }
        .into_iter()
        .for_each(|part| out.append(part));
        let mut nested = Writer::default();
        message.messages.iter().for_each(|message| nested.message(3, &self.message(scope, message)));
        match self.voice {
            Voice::Reference => [&nested, &entries],
            Voice::Linker => {
                entries.append(&groups);
                [&entries, &nested]
            }
        }
        .into_iter()
        .for_each(|part| out.append(part));
        message.enums.iter().for_each(|enum_| out.message(4, &self.enum_(enum_)));
        self.extension_ranges(message, &mut out);
        message.extends.iter().for_each(|extend| self.extend(scope, extend, 6, &mut out));
        let mut message_options = message_options(&message.options, self.voice == Voice::Linker);
        if self.voice == Voice::Reference {
            confluent_meta(&mut message_options, &message.options, "confluent.message_meta");
        }
        if !message_options.is_empty() {
            out.message(7, &message_options);
        }
        oneofs.iter().for_each(|name| out.message(8, &self.oneof(name)));
        let items = || message.reserved.iter().flat_map(|reserved| &reserved.items);
        for (start, end) in items().filter_map(range) {
            out.message(9, &bounds(start, end.saturating_add(1)));
        }
        items().filter_map(reserved_name).for_each(|name| out.text(10, name));
        out
    }

    /// The reference always writes options here, even empty ones.
    fn oneof(&self, name: &str) -> Writer {
        let mut out = Writer::default();
        out.text(1, name);
        if self.voice == Voice::Reference {
            out.message(2, &Writer::default());
        }
        out
    }

    fn extension_ranges(&self, message: &Message, out: &mut Writer) {
        for extensions in &message.extensions {
            for (start, end) in extensions.ranges.iter().filter_map(range) {
                let mut range = bounds(start, end.saturating_add(1));
                let mut range_options = Writer::default();
                if let Some(state) = options::find_text(&extensions.options, "verification") {
                    match state {
                        "DECLARATION" => range_options.number(3, 0),
                        "UNVERIFIED" => range_options.number(3, 1),
                        _ => {}
                    }
                }
                if self.voice == Voice::Reference || !range_options.is_empty() {
                    range.message(3, &range_options);
                }
                out.message(5, &range);
            }
        }
    }

    /// protoc avoids names that are taken, by more and more `X`; the reference does not look.
    fn synthetic_oneof(&self, field: &str, taken: &mut HashSet<String>) -> String {
        let mut name = format!("_{field}");
        if self.voice == Voice::Linker {
            if field.starts_with('_') {
                name.remove(0);
            }
            while !taken.insert(name.clone()) {
                name.insert(0, 'X');
            }
        }
        name
    }

    /// The message of a map's entries. The reference leaves names without `_` as they are.
    fn entry_name(&self, field: &str) -> String {
        let mut name = String::with_capacity(field.len() + 5);
        match self.voice {
            Voice::Reference if !field.contains('_') => name.push_str(field),
            Voice::Reference => {
                for word in field.split('_') {
                    let mut letters = word.chars();
                    name.extend(letters.next().map(|first| first.to_ascii_uppercase()));
                    name.extend(letters.map(|letter| letter.to_ascii_lowercase()));
                }
            }
            Voice::Linker => {
                let mut capital = true;
                for letter in field.chars() {
                    if letter == '_' {
                        capital = true;
                    } else {
                        name.push(if capital { letter.to_ascii_uppercase() } else { letter });
                        capital = false;
                    }
                }
            }
        }
        name + "Entry"
    }

    fn map_entry(&self, scope: &str, name: &str, key: Scalar, value: &FieldType) -> Writer {
        let mut out = Writer::default();
        out.text(1, name);
        for (name, number, type_) in [("key", 1, &FieldType::Scalar(key)), ("value", 2, value)] {
            let mut field = Writer::default();
            field.text(1, name);
            field.number(3, number);
            if self.voice == Voice::Linker {
                field.number(4, 1);
            }
            self.type_(scope, type_, &mut field);
            out.message(2, &field);
        }
        let mut map_entry = Writer::default();
        map_entry.flag(7, true);
        out.message(7, &map_entry);
        out
    }

    /// Type and type name (fields 5 and 6).
    fn type_(&self, scope: &str, type_: &FieldType, out: &mut Writer) {
        let name = match type_ {
            FieldType::Scalar(scalar) => {
                out.number(5, scalar_number(*scalar));
                return;
            }
            FieldType::Named(name) => name.clone(),
            map @ FieldType::Map(..) => map.to_string(),
        };
        let resolved = self.resolve(scope, &name);
        match resolved {
            Some((_, Type::Message(_))) => out.number(5, 11),
            Some((_, Type::Enum(_))) => out.number(5, 14),
            None => {}
        }
        match (resolved, self.voice) {
            (Some((full_name, _)), Voice::Linker) => out.text(6, &full_name),
            _ => out.text(6, &name),
        }
    }

    fn field(&self, scope: &str, field: &Field, place: Place<'_>) -> Writer {
        let mut out = Writer::default();
        out.text(1, &field.name);
        if let Some(extendee) = place.extendee {
            out.text(2, extendee);
        }
        out.number(3, field.tag);
        let label = match (place.entry, place.oneof, field.label) {
            (Some(_), ..) => Some(Label::Repeated),
            (None, Some(_), _) => Some(Label::Optional),
            (None, None, label) => label.or((self.voice == Voice::Linker).then_some(Label::Optional)),
        };
        if let Some(label) = label {
            out.number(4, label_number(label));
        }
        match place.entry {
            Some(entry) if self.voice == Voice::Linker => {
                out.number(5, 11);
                out.text(6, &format!(".{scope}.{entry}"));
            }
            Some(entry) => out.text(6, entry),
            None => self.type_(scope, &field.type_, &mut out),
        }
        if let Some(default) = &field.default {
            out.text(7, &self.default_value(&field.type_, default));
        }
        // Members of oneofs lose `packed` in the reference.
        let with_packed = self.voice == Voice::Linker || place.oneof.is_none();
        let mut field_options = field_options(&field.options, with_packed);
        if self.voice == Voice::Reference {
            confluent_meta(&mut field_options, &field.options, "confluent.field_meta");
        }
        if !field_options.is_empty() {
            out.message(8, &field_options);
        }
        if let Some(index) = place.oneof {
            out.number(9, index as i32);
        }
        if let Some(json_name) = &field.json_name {
            out.text(10, json_name);
        }
        if place.proto3_optional {
            out.flag(17, true);
        }
        out
    }

    /// A group's field and its message, for linking only.
    fn group(&self, scope: &str, group: &Group, oneof: Option<usize>, fields: &mut Writer, messages: &mut Writer) {
        let mut field = Writer::default();
        field.text(1, &group.name.to_lowercase());
        field.number(3, group.tag);
        field.number(4, label_number(group.label.unwrap_or(Label::Optional)));
        field.number(5, 10);
        field.text(6, &format!(".{scope}.{}", group.name));
        if let Some(index) = oneof {
            field.number(9, index as i32);
        }
        fields.message(2, &field);
        let body = Message { name: group.name.clone(), fields: group.fields.clone(), ..Message::default() };
        messages.message(3, &self.message(scope, &body));
    }

    fn extend(&self, scope: &str, extend: &Extend, number: u32, out: &mut Writer) {
        let resolved = match self.voice {
            Voice::Reference => None,
            Voice::Linker => self.resolve(scope, &extend.extendee),
        };
        let extendee = resolved.map_or_else(|| extend.extendee.clone(), |(full_name, _)| full_name);
        for field in &extend.fields {
            let place = Place { extendee: Some(&extendee), ..Place::default() };
            out.message(number, &self.field(scope, field, place));
        }
    }

    fn default_value(&self, type_: &FieldType, text: &str) -> String {
        match (self.voice, type_) {
            (Voice::Linker, FieldType::Scalar(scalar)) => linkable_default(*scalar, text),
            _ => text.to_owned(),
        }
    }

    fn enum_(&self, enum_: &Enum) -> Writer {
        let mut out = Writer::default();
        out.text(1, &enum_.name);
        for constant in &enum_.constants {
            let mut value = Writer::default();
            value.text(1, &constant.name);
            value.number(2, constant.tag);
            let mut value_options = Writer::default();
            flag(&mut value_options, &constant.options, 1, "deprecated");
            flag(&mut value_options, &constant.options, 3, "debug_redact");
            if self.voice == Voice::Reference {
                confluent_meta(&mut value_options, &constant.options, "confluent.enum_value_meta");
            }
            if !value_options.is_empty() {
                value.message(3, &value_options);
            }
            out.message(2, &value);
        }
        let mut enum_options = Writer::default();
        flag(&mut enum_options, &enum_.options, 2, "allow_alias");
        flag(&mut enum_options, &enum_.options, 3, "deprecated");
        flag(&mut enum_options, &enum_.options, 6, "deprecated_legacy_json_field_conflicts");
        if self.voice == Voice::Reference {
            confluent_meta(&mut enum_options, &enum_.options, "confluent.enum_meta");
        }
        if !enum_options.is_empty() {
            out.message(3, &enum_options);
        }
        let items = || enum_.reserved.iter().flat_map(|reserved| &reserved.items);
        for (start, end) in items().filter_map(range) {
            // `max` is 2³¹−1 in enums; the reference knows only the limit of field numbers.
            let is_max = self.voice == Voice::Linker && end == crate::protobuf::model::MAX_TAG;
            out.message(4, &bounds(start, if is_max { i32::MAX } else { end }));
        }
        items().filter_map(reserved_name).for_each(|name| out.text(5, name));
        out
    }

    /// The reference writes both stream flags, also when false.
    fn service(&self, scope: &str, service: &Service) -> Writer {
        let mut out = Writer::default();
        out.text(1, &service.name);
        for rpc in &service.rpcs {
            let mut method = Writer::default();
            method.text(1, &rpc.name);
            for (number, written) in [(2, &rpc.request), (3, &rpc.response)] {
                match (self.voice, self.resolve(scope, written)) {
                    (Voice::Linker, Some((full_name, _))) => method.text(number, &full_name),
                    _ => method.text(number, written),
                }
            }
            let mut method_options = Writer::default();
            flag(&mut method_options, &rpc.options, 33, "deprecated");
            let levels = ["IDEMPOTENCY_UNKNOWN", "NO_SIDE_EFFECTS", "IDEMPOTENT"];
            constant(&mut method_options, &rpc.options, 34, "idempotency_level", &levels, 0);
            if !method_options.is_empty() {
                method.message(4, &method_options);
            }
            for (number, streams) in [(5, rpc.request_streaming), (6, rpc.response_streaming)] {
                if streams || self.voice == Voice::Reference {
                    method.flag(number, streams);
                }
            }
            out.message(2, &method);
        }
        let mut service_options = Writer::default();
        flag(&mut service_options, &service.options, 33, "deprecated");
        if !service_options.is_empty() {
            out.message(3, &service_options);
        }
        out
    }
}

/// What a field is besides its declaration.
#[derive(Clone, Copy, Default)]
struct Place<'a> {
    oneof: Option<usize>,
    proto3_optional: bool,
    entry: Option<&'a str>,
    extendee: Option<&'a str>,
}

/// Distinct imports in order, and the indexes of the public ones.
fn dependencies(file: &ProtoFile, known: impl Fn(&str) -> bool) -> (Vec<&str>, Vec<i32>) {
    let mut all: Vec<&str> = Vec::new();
    let mut places: HashMap<&str, i32> = HashMap::new();
    let mut public = Vec::new();
    for (path, is_public) in
        file.imports.iter().map(|path| (path, false)).chain(file.public_imports.iter().map(|path| (path, true)))
    {
        if !known(path) {
            continue;
        }
        let place = *places.entry(path).or_insert_with(|| {
            all.push(path);
            all.len() as i32 - 1
        });
        if is_public {
            public.push(place);
        }
    }
    (all, public)
}

fn range(item: &ReservedItem) -> Option<(i32, i32)> {
    match item {
        ReservedItem::Number(number) => Some((*number, *number)),
        ReservedItem::Range(start, end) => Some((*start, *end)),
        ReservedItem::Name(_) => None,
    }
}

fn reserved_name(item: &ReservedItem) -> Option<&str> {
    match item {
        ReservedItem::Name(name) => Some(name),
        ReservedItem::Number(_) | ReservedItem::Range(..) => None,
    }
}

fn bounds(start: i32, end: i32) -> Writer {
    let mut out = Writer::default();
    out.number(1, start);
    out.number(2, end);
    out
}

fn scalar_number(scalar: Scalar) -> i32 {
    match scalar {
        Scalar::Double => 1,
        Scalar::Float => 2,
        Scalar::Int64 => 3,
        Scalar::Uint64 => 4,
        Scalar::Int32 => 5,
        Scalar::Fixed64 => 6,
        Scalar::Fixed32 => 7,
        Scalar::Bool => 8,
        Scalar::String => 9,
        Scalar::Bytes => 12,
        Scalar::Uint32 => 13,
        Scalar::Sfixed32 => 15,
        Scalar::Sfixed64 => 16,
        Scalar::Sint32 => 17,
        Scalar::Sint64 => 18,
    }
}

fn label_number(label: Label) -> i32 {
    match label {
        Label::Optional => 1,
        Label::Required => 2,
        Label::Repeated => 3,
    }
}

/// The default as linkers read it: integers in decimal, bytes escaped, the rest as written.
fn linkable_default(scalar: Scalar, text: &str) -> String {
    match scalar {
        Scalar::String | Scalar::Bool => text.to_owned(),
        Scalar::Bytes => text.bytes().flat_map(std::ascii::escape_default).map(char::from).collect(),
        Scalar::Double | Scalar::Float => match decimal(text) {
            Some(integer) => integer.to_string(),
            None => text.to_owned(),
        },
        _ => decimal(text).map_or_else(|| text.to_owned(), |integer| integer.to_string()),
    }
}

/// An integer literal: decimal, `0x…` or octal.
fn decimal(text: &str) -> Option<i128> {
    let (negative, digits) = match text.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let magnitude = match digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        Some(hex) => i128::from_str_radix(hex, 16).ok()?,
        None if digits.len() > 1 && digits.starts_with('0') => i128::from_str_radix(digits, 8).ok()?,
        None => digits.parse().ok()?,
    };
    Some(if negative { -magnitude } else { magnitude })
}
