//! Declarations: what stands in a file, a message, an enum, a service, an `extend`, a oneof and a group.
//!
//! Keywords are told from names as loosely as the reference does: by the word and where it stands.

use std::collections::HashMap;

use super::reader::{Location, Reader};
use super::{import_path, option};
use crate::InvalidSchema;
use crate::protobuf::model::{
    Enum, EnumConstant, Extend, Extensions, Field, FieldType, Group, Label, MAX_TAG, Message, OneOf, OptionElement,
    OptionValue, ProtoFile, Reserved, ReservedItem, Rpc, Scalar, Service, Syntax,
};

/// How the text of a map type starts; no name holds these characters.
const MAP: &str = "map<";

/// Where a declaration stands.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    File,
    Message,
    Enum,
    Extend,
    Service,
    Rpc,
}

/// What was declared. `Nothing`: a lone semicolon, or something that left its mark on the file.
enum Declaration {
    Nothing,
    Message(Message),
    Enum(Enum),
    Service(Service),
    Extend(Extend),
    Option(OptionElement),
    Reserved(Reserved),
    Extensions(Extensions),
    OneOf(OneOf),
    Field(Field),
    Group(Group),
    Constant(EnumConstant),
    Rpc(Rpc),
}

/// Reads the whole text.
pub(super) fn file(reader: Reader<'_>) -> Result<ProtoFile, InvalidSchema> {
    let mut parser = Parser { reader, file: ProtoFile::default(), declarations: 0, bad_map: None };
    let mut types: HashMap<String, Location> = HashMap::new();
    let mut services: HashMap<String, Location> = HashMap::new();
    loop {
        parser.reader.skip_documentation()?;
        if parser.reader.exhausted() {
            return parser.bad_map.map_or(Ok(parser.file), Err);
        }
        let at = parser.reader.location();
        match parser.declaration(Place::File)? {
            Declaration::Message(message) => {
                parser.refuse_duplicate(&mut types, &message.name, at)?;
                parser.file.messages.push(message);
            }
            Declaration::Enum(enum_) => {
                parser.refuse_duplicate(&mut types, &enum_.name, at)?;
                parser.file.enums.push(enum_);
            }
            Declaration::Service(service) => {
                parser.refuse_duplicate(&mut services, &service.name, at)?;
                parser.file.services.push(service);
            }
            Declaration::Option(option) => parser.file.options.push(option),
            Declaration::Extend(extend) => parser.file.extends.push(extend),
            _ => {}
        }
    }
}

struct Parser<'a> {
    reader: Reader<'a>,
    file: ProtoFile,
    declarations: usize,
    /// The first field that is a map with keys no map can have: refused once the text has been read.
    bad_map: Option<InvalidSchema>,
}

impl Parser<'_> {
    fn refuse_duplicate(
        &self,
        known: &mut HashMap<String, Location>,
        name: &str,
        at: Location,
    ) -> Result<(), InvalidSchema> {
        match known.insert(name.to_owned(), at) {
            None => Ok(()),
            Some(first) => Err(InvalidSchema::Syntax(format!(
                "{name} ({}) is already defined at {}",
                self.reader.describe(at),
                self.reader.describe(first)
            ))),
        }
    }

    fn declaration(&mut self, place: Place) -> Result<Declaration, InvalidSchema> {
        self.reader.count_element()?;
        let index = self.declarations;
        self.declarations += 1;
        if self.reader.take(b';')? {
            return Ok(Declaration::Nothing);
        }
        let at = self.reader.location();
        let label =
            if place == Place::Enum { self.reader.word_without_leading_digit()? } else { self.reader.word()? };
        Ok(match (label, place) {
            ("package", Place::File) => {
                self.file.package = Some(self.reader.name()?.0.to_owned());
                self.reader.require(';')?;
                Declaration::Nothing
            }
            ("import", Place::File) => self.import(at)?,
            ("syntax", Place::File) => self.syntax(at, index)?,
            ("option", _) => {
                let option = option::option(&mut self.reader, '=')?;
                self.reader.require(';')?;
                Declaration::Option(option)
            }
            ("reserved", _) => Declaration::Reserved(self.reserved(at)?),
            ("message", Place::File | Place::Message) => Declaration::Message(self.message()?),
            ("enum", Place::File | Place::Message) => Declaration::Enum(self.enum_()?),
            ("service", Place::File) => Declaration::Service(self.service()?),
            ("extend", Place::File | Place::Message) => Declaration::Extend(self.extend()?),
            ("rpc", Place::Service) => Declaration::Rpc(self.rpc(at)?),
            ("oneof", Place::Message) => Declaration::OneOf(self.oneof()?),
            ("extensions", Place::Message) => Declaration::Extensions(self.extensions(at)?),
            (word, Place::Message | Place::Extend) => self.field_or_group(at, word)?,
            (name, Place::Enum) => Declaration::Constant(self.constant(name.to_owned())?),
            ("edition", Place::File) => return self.reader.unexpected("edition is not currently supported"),
            (word, _) => return self.reader.unexpected_at(at, format_args!("unexpected label: {word}")),
        })
    }

    /// Weak imports are read and forgotten.
    fn import(&mut self, at: Location) -> Result<Declaration, InvalidSchema> {
        if matches!(self.reader.peek()?, b'"' | b'\'') {
            let path = self.reader.quoted()?;
            self.file.imports.push(import_path::tidy(&path));
        } else {
            match self.reader.word()? {
                "weak" => drop(self.reader.quoted()?),
                "public" => {
                    let path = self.reader.quoted()?;
                    self.file.public_imports.push(import_path::tidy(&path));
                }
                _ => return self.reader.unexpected_at(at, "expected quoted string"),
            }
        }
        self.reader.require(';')?;
        Ok(Declaration::Nothing)
    }

    fn syntax(&mut self, at: Location, index: usize) -> Result<Declaration, InvalidSchema> {
        if self.file.syntax.is_some() {
            return self.reader.unexpected_at(at, "too many syntax definitions");
        }
        self.reader.require('=')?;
        if index != 0 {
            return self.reader.unexpected_at(at, "'syntax' element must be the first declaration in a file");
        }
        self.file.syntax = Some(match self.reader.quoted()?.as_str() {
            "proto2" => Syntax::Proto2,
            "proto3" => Syntax::Proto3,
            other => return self.reader.unexpected_at(at, format_args!("unexpected syntax: {other}")),
        });
        self.reader.require(';')?;
        Ok(Declaration::Nothing)
    }

    /// The name behind a keyword; brackets around it are accepted and dropped.
    fn type_name(&mut self) -> Result<String, InvalidSchema> {
        Ok(self.reader.name()?.0.to_owned())
    }

    /// At the closing brace of a body: takes it.
    fn body_ends(&mut self) -> Result<bool, InvalidSchema> {
        self.reader.skip_documentation()?;
        self.reader.take(b'}')
    }

    fn message(&mut self) -> Result<Message, InvalidSchema> {
        self.reader.enter()?;
        let mut message = Message { name: self.type_name()?, ..Message::default() };
        self.reader.require('{')?;
        while !self.body_ends()? {
            match self.declaration(Place::Message)? {
                Declaration::Field(field) => message.fields.push(field),
                Declaration::OneOf(oneof) => message.oneofs.push(oneof),
                Declaration::Group(group) => message.groups.push(group),
                Declaration::Message(nested) => message.messages.push(nested),
                Declaration::Enum(nested) => message.enums.push(nested),
                Declaration::Extensions(extensions) => message.extensions.push(extensions),
                Declaration::Option(option) => message.options.push(option),
                Declaration::Extend(extend) => message.extends.push(extend),
                Declaration::Reserved(reserved) => message.reserved.push(reserved),
                _ => {}
            }
        }
        self.reader.leave();
        Ok(message)
    }

    fn extend(&mut self) -> Result<Extend, InvalidSchema> {
        let mut extend = Extend { extendee: self.type_name()?, ..Extend::default() };
        self.reader.require('{')?;
        while !self.body_ends()? {
            if let Declaration::Field(field) = self.declaration(Place::Extend)? {
                extend.fields.push(field);
            }
        }
        Ok(extend)
    }

    fn service(&mut self) -> Result<Service, InvalidSchema> {
        let mut service = Service { name: self.type_name()?, ..Service::default() };
        self.reader.require('{')?;
        while !self.body_ends()? {
            match self.declaration(Place::Service)? {
                Declaration::Rpc(rpc) => service.rpcs.push(rpc),
                Declaration::Option(option) => service.options.push(option),
                _ => {}
            }
        }
        Ok(service)
    }

    fn enum_(&mut self) -> Result<Enum, InvalidSchema> {
        let mut enum_ = Enum { name: self.type_name()?, ..Enum::default() };
        self.reader.require('{')?;
        while !self.body_ends()? {
            match self.declaration(Place::Enum)? {
                Declaration::Constant(constant) => enum_.constants.push(constant),
                Declaration::Option(option) => enum_.options.push(option),
                Declaration::Reserved(reserved) => enum_.reserved.push(reserved),
                _ => {}
            }
        }
        Ok(enum_)
    }

    /// A type; `first` is its first word, already read. Maps nest in their values only; one with other keys than
    /// maps can have is a name by its text, which is refused where a field has it.
    fn data_type(&mut self, first: &str) -> Result<FieldType, InvalidSchema> {
        if first != "map" {
            if self.reader.peek()? != b'.' {
                return Ok(FieldType::from_word(first));
            }
            let mut name = first.to_owned();
            while self.reader.take(b'.')? {
                name.push('.');
                name.push_str(self.reader.word()?);
            }
            return Ok(FieldType::from_word(&name));
        }
        self.reader.enter()?;
        if self.reader.next()? != '<' {
            return self.reader.unexpected("expected '<'");
        }
        let word = self.reader.word()?;
        let key = self.data_type(word)?;
        if self.reader.next()? != ',' {
            return self.reader.unexpected("expected ','");
        }
        let word = self.reader.word()?;
        let value = self.data_type(word)?;
        if self.reader.next()? != '>' {
            return self.reader.unexpected("expected '>'");
        }
        self.reader.leave();
        Ok(match key {
            FieldType::Scalar(key) if Scalar::is_map_key(key) => FieldType::Map(key, Box::new(value)),
            other => FieldType::Named(format!("{MAP}{other}, {value}>")),
        })
    }

    /// Keeps the first map that cannot be: the reference builds maps only when all of the text has been read.
    fn check_map(&mut self, type_: &FieldType) {
        let mut at = type_;
        while let FieldType::Map(_, value) = at {
            at = value;
        }
        if let FieldType::Named(name) = at
            && let Some((key, _)) = name.strip_prefix(MAP).and_then(|inside| inside.split_once(", "))
        {
            let refusal = format!("map key must be non-byte, non-floating point scalar: {key}");
            self.bad_map.get_or_insert(InvalidSchema::Semantics(refusal));
        }
    }

    /// A field of a message, an `extend` or a group; `word` is its label or the start of its type.
    fn field_or_group(&mut self, at: Location, word: &str) -> Result<Declaration, InvalidSchema> {
        let label = match word {
            "required" if self.file.syntax == Some(Syntax::Proto3) => {
                return self.reader.unexpected_at(at, "'required' label forbidden in proto3 field declarations");
            }
            "required" => Some(Label::Required),
            "optional" => Some(Label::Optional),
            "repeated" => Some(Label::Repeated),
            _ => None,
        };
        let type_ = if label.is_some() {
            let word = self.reader.word()?;
            self.data_type(word)?
        } else {
            let is_map = word == "map" && self.reader.peek()? == b'<';
            if self.file.syntax != Some(Syntax::Proto3) && !is_map {
                return self.reader.unexpected_at(at, format_args!("unexpected label: {word}"));
            }
            self.data_type(word)?
        };
        let is_map = match &type_ {
            FieldType::Map(..) => true,
            FieldType::Named(name) => name.starts_with(MAP),
            FieldType::Scalar(_) => false,
        };
        match type_ {
            _ if is_map && label.is_some() => self.reader.unexpected_at(at, "'map' type cannot have label"),
            FieldType::Named(name) if name == "group" => Ok(Declaration::Group(self.group(label)?)),
            type_ => Ok(Declaration::Field(self.field(label, type_)?)),
        }
    }

    fn field(&mut self, label: Option<Label>, type_: FieldType) -> Result<Field, InvalidSchema> {
        self.check_map(&type_);
        let name = self.reader.field_name()?.to_owned();
        self.reader.require('=')?;
        let tag = self.reader.integer()?;
        let mut options = option::bracketed(&mut self.reader)?;
        let default = take_value(&mut options, "default");
        let json_name = take_value(&mut options, "json_name");
        self.reader.require(';')?;
        self.reader.skip_trailing_comment()?;
        Ok(Field { label, type_, name, tag, default, json_name, options })
    }

    fn oneof(&mut self) -> Result<OneOf, InvalidSchema> {
        let mut oneof = OneOf { name: self.type_name()?, ..OneOf::default() };
        self.reader.require('{')?;
        while !self.body_ends()? {
            self.reader.count_element()?;
            let word = self.reader.word()?;
            match self.data_type(word)? {
                FieldType::Named(name) if name == "group" => oneof.groups.push(self.group(None)?),
                FieldType::Named(name) if name == "option" => {
                    oneof.options.push(option::option(&mut self.reader, '=')?);
                    self.reader.require(';')?;
                }
                type_ => oneof.fields.push(self.field(None, type_)?),
            }
        }
        Ok(oneof)
    }

    fn group(&mut self, label: Option<Label>) -> Result<Group, InvalidSchema> {
        let name = self.reader.word()?.to_owned();
        self.reader.require('=')?;
        let tag = self.reader.integer()?;
        self.reader.require('{')?;
        self.reader.enter()?;
        let mut fields = Vec::new();
        while !self.body_ends()? {
            self.reader.count_element()?;
            let at = self.reader.location();
            let word = self.reader.word()?;
            match self.field_or_group(at, word)? {
                Declaration::Field(field) => fields.push(field),
                _ => return self.reader.unexpected("expected field declaration, was a group"),
            }
        }
        self.reader.leave();
        Ok(Group { label, name, tag, fields })
    }

    fn reserved(&mut self, at: Location) -> Result<Reserved, InvalidSchema> {
        let mut items = Vec::new();
        loop {
            self.reader.count_element()?;
            items.push(match self.reader.peek()? {
                b'"' | b'\'' => ReservedItem::Name(self.reader.quoted()?),
                _ => self.number_or_range(at, "expected ',', ';', or 'to'")?,
            });
            match self.reader.next()? {
                ';' => break,
                ',' => {}
                _ => return self.reader.unexpected("expected ',' or ';'"),
            }
        }
        self.reader.skip_trailing_comment()?;
        Ok(Reserved { items })
    }

    fn extensions(&mut self, at: Location) -> Result<Extensions, InvalidSchema> {
        let mut ranges = Vec::new();
        loop {
            self.reader.count_element()?;
            ranges.push(self.number_or_range(at, "expected ',', ';', '[' or 'to'")?);
            if self.reader.peek()? == b'[' {
                let options = option::bracketed(&mut self.reader)?;
                self.reader.require(';')?;
                return Ok(Extensions { ranges, options });
            }
            match self.reader.next()? {
                ';' => return Ok(Extensions { ranges, options: Vec::new() }),
                ',' => {}
                _ => return self.reader.unexpected("expected ',' or ';'"),
            }
        }
    }

    fn number_or_range(&mut self, at: Location, otherwise: &str) -> Result<ReservedItem, InvalidSchema> {
        let start = self.reader.integer()?;
        if matches!(self.reader.peek()?, b',' | b';') || (otherwise.contains('[') && self.reader.peek()? == b'[') {
            return Ok(ReservedItem::Number(start));
        }
        if self.reader.word()? != "to" {
            return self.reader.unexpected_at(at, otherwise);
        }
        let end = match self.reader.word()? {
            "max" => MAX_TAG,
            // Hexadecimal is not understood here.
            word => word.parse().map_err(|_| InvalidSchema::Syntax(format!("For input string: \"{word}\"")))?,
        };
        Ok(ReservedItem::Range(start, end))
    }

    fn constant(&mut self, name: String) -> Result<EnumConstant, InvalidSchema> {
        self.reader.require('=')?;
        let tag = self.reader.integer()?;
        let options = option::bracketed(&mut self.reader)?;
        self.reader.require(';')?;
        self.reader.skip_trailing_comment()?;
        Ok(EnumConstant { name, tag, options })
    }

    fn rpc(&mut self, at: Location) -> Result<Rpc, InvalidSchema> {
        let name = self.type_name()?;
        let (request, request_streaming) = self.rpc_type()?;
        if self.reader.word()? != "returns" {
            return self.reader.unexpected_at(at, "expected 'returns'");
        }
        let (response, response_streaming) = self.rpc_type()?;
        let mut options = Vec::new();
        if self.reader.take(b'{')? {
            while !self.body_ends()? {
                if let Declaration::Option(option) = self.declaration(Place::Rpc)? {
                    options.push(option);
                }
            }
        } else {
            self.reader.require(';')?;
        }
        Ok(Rpc { name, request, response, request_streaming, response_streaming, options })
    }

    fn rpc_type(&mut self) -> Result<(String, bool), InvalidSchema> {
        self.reader.require('(')?;
        let mut word = self.reader.word()?;
        let streaming = word == "stream";
        if streaming {
            word = self.reader.word()?;
        }
        let type_ = self.data_type(word)?;
        self.reader.require(')')?;
        Ok((type_.to_string(), streaming))
    }
}

/// Takes every option of this name out of the list; the last one's value as text.
fn take_value(options: &mut Vec<OptionElement>, name: &str) -> Option<String> {
    let mut taken = None;
    options.retain(|option| {
        let is_it = option.name == name;
        if is_it {
            taken = Some(plain_text(&option.value));
        }
        !is_it
    });
    taken
}

/// The value as the reference's `toString` shows it; structured ones only need to be told apart.
fn plain_text(value: &OptionValue) -> String {
    match value {
        OptionValue::String(text) | OptionValue::Number(text) | OptionValue::Enum(text) => text.clone(),
        OptionValue::Boolean(flag) => flag.to_string(),
        OptionValue::List(items) => {
            let items: Vec<String> = items.iter().map(plain_text).collect();
            format!("[{}]", items.join(", "))
        }
        OptionValue::Map(entries) => {
            let entries: Vec<String> =
                entries.iter().map(|(name, value)| format!("{name}={}", plain_text(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        OptionValue::Nested(part) => format!("{}={}", part.name, plain_text(&part.value)),
    }
}
