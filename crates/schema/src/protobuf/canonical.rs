//! [`ProtoFile`] → canonical `.proto` text, byte for byte as the reference stores it.
//!
//! Layout: a section (reserved, options, fields, …) starts with a line feed, which ends the opening line for the
//! first one and leaves a blank line before the others; blank lines inside a nested message carry that message's
//! indentation. Messages print before enums. One option stays on its line in brackets, several get a line each.
//!
//! Two voices: [`print`] for the stored text, [`print_without_extensions`] for `format=ignore_extensions`. Normal
//! forms are printed by [`print`] too, from the file that [`super::normalize`] rewrote.
//!
//! Source: schema-registry `ProtobufSchemaUtils#toString`, 8.2.0, and the recordings `canon-protobuf-*`.

use super::model::{
    Enum, EnumConstant, Extend, Field, FieldType, Group, MAX_TAG, Message, OneOf, OptionElement, OptionValue,
    ProtoFile, Reserved, ReservedItem, Rpc, Service,
};

/// The canonical text.
pub(crate) fn print(file: &ProtoFile) -> String {
    let mut printer = Printer::new(Extensions::Kept);
    printer.file(file);
    printer.text
}

/// The text without custom options (Confluent's own stay), `extend` blocks and extension ranges.
pub(crate) fn print_without_extensions(file: &ProtoFile) -> String {
    let mut printer = Printer::new(Extensions::Left);
    printer.file(file);
    printer.text
}

#[derive(Clone, Copy, PartialEq)]
enum Extensions {
    Kept,
    Left,
}

struct Printer {
    text: String,
    depth: usize,
    at_line_start: bool,
    extensions: Extensions,
}

impl Printer {
    fn new(extensions: Extensions) -> Printer {
        Printer { text: String::with_capacity(1024), depth: 0, at_line_start: true, extensions }
    }

    /// Adds text without line feeds: keywords, words, numbers.
    fn put(&mut self, text: &str) {
        self.indent();
        self.text.push_str(text);
    }

    /// Adds text that may hold line feeds, which the reference indents like its own.
    fn put_raw(&mut self, text: &str) {
        let mut lines = text.split('\n');
        if let Some(first) = lines.next() {
            self.put(first);
        }
        for line in lines {
            self.end_line();
            self.put(line);
        }
    }

    fn put_number(&mut self, number: i32) {
        self.indent();
        self.text.push_str(itoa::Buffer::new().format(number));
    }

    fn indent(&mut self) {
        if self.at_line_start {
            self.text.extend(std::iter::repeat_n("  ", self.depth));
            self.at_line_start = false;
        }
    }

    /// Ends the line; a blank one carries the indentation of its block.
    fn end_line(&mut self) {
        self.indent();
        self.text.push('\n');
        self.at_line_start = true;
    }

    fn line(&mut self, text: &str) {
        self.put(text);
        self.text.push('\n');
        self.at_line_start = true;
    }

    /// A section of a block: a line feed, then `content` one level deeper.
    fn section(&mut self, content: impl FnOnce(&mut Printer)) {
        self.end_line();
        self.deeper(content);
    }

    fn deeper(&mut self, content: impl FnOnce(&mut Printer)) {
        self.depth += 1;
        content(self);
        self.depth -= 1;
    }

    fn keeps(&self, option: &OptionElement) -> bool {
        self.extensions == Extensions::Kept || !option.is_parenthesized || option.name.starts_with("confluent.")
    }

    fn kept<'a>(&self, options: &'a [OptionElement]) -> Vec<&'a OptionElement> {
        options.iter().filter(|option| self.keeps(option)).collect()
    }

    fn file(&mut self, file: &ProtoFile) {
        if let Some(syntax) = file.syntax {
            self.put("syntax = \"");
            self.put(syntax.word());
            self.line("\";");
        }
        if let Some(package) = &file.package {
            self.put("package ");
            self.put(package);
            self.line(";");
        }
        if !file.imports.is_empty() || !file.public_imports.is_empty() {
            self.end_line();
        }
        for (keyword, paths) in [("import \"", &file.imports), ("import public \"", &file.public_imports)] {
            for path in paths {
                self.put(keyword);
                self.put_raw(path);
                self.line("\";");
            }
        }
        let options = self.kept(&file.options);
        if !options.is_empty() {
            self.end_line();
            self.option_statements(&options);
        }
        if !file.messages.is_empty() || !file.enums.is_empty() {
            self.end_line();
            file.messages.iter().for_each(|message| self.message(message));
            file.enums.iter().for_each(|enum_| self.enum_(enum_));
        }
        if self.extensions == Extensions::Kept && !file.extends.is_empty() {
            self.end_line();
            file.extends.iter().for_each(|extend| self.extend(extend));
        }
        if !file.services.is_empty() {
            self.end_line();
            file.services.iter().for_each(|service| self.service(service));
        }
    }

    fn message(&mut self, message: &Message) {
        self.put("message ");
        self.put(&message.name);
        self.put(" {");
        if !message.reserved.is_empty() {
            self.section(|p| message.reserved.iter().for_each(|reserved| p.reserved(reserved)));
        }
        let options = self.kept(&message.options);
        if !options.is_empty() {
            self.section(|p| p.option_statements(&options));
        }
        if !message.fields.is_empty() {
            self.section(|p| message.fields.iter().for_each(|field| p.field(field)));
        }
        if !message.oneofs.is_empty() {
            self.section(|p| message.oneofs.iter().for_each(|oneof| p.oneof(oneof)));
        }
        if !message.groups.is_empty() {
            self.section(|p| message.groups.iter().for_each(|group| p.group(group)));
        }
        if self.extensions == Extensions::Kept && !message.extensions.is_empty() {
            self.section(|p| {
                for extensions in &message.extensions {
                    p.put("extensions ");
                    p.items(&extensions.ranges);
                    p.bracketed(&extensions.options.iter().map(Item::Option).collect::<Vec<_>>());
                    p.line(";");
                }
            });
        }
        if self.extensions == Extensions::Kept && !message.extends.is_empty() {
            self.section(|p| message.extends.iter().for_each(|extend| p.extend(extend)));
        }
        if !message.messages.is_empty() || !message.enums.is_empty() {
            self.section(|p| {
                message.messages.iter().for_each(|nested| p.message(nested));
                message.enums.iter().for_each(|nested| p.enum_(nested));
            });
        }
        self.line("}");
    }

    /// Enums have no blank lines between their sections.
    fn enum_(&mut self, enum_: &Enum) {
        self.put("enum ");
        self.put(&enum_.name);
        self.put(" {");
        if !enum_.reserved.is_empty() || !enum_.options.is_empty() || !enum_.constants.is_empty() {
            self.section(|p| {
                enum_.reserved.iter().for_each(|reserved| p.reserved(reserved));
                p.option_statements(&p.kept(&enum_.options));
                enum_.constants.iter().for_each(|constant| p.constant(constant));
            });
        }
        self.line("}");
    }

    fn constant(&mut self, constant: &EnumConstant) {
        self.put(&constant.name);
        self.put(" = ");
        self.put_number(constant.tag);
        self.bracketed(&self.kept(&constant.options).into_iter().map(Item::Option).collect::<Vec<_>>());
        self.line(";");
    }

    fn oneof(&mut self, oneof: &OneOf) {
        self.put("oneof ");
        self.put(&oneof.name);
        self.put(" {");
        let options = self.kept(&oneof.options);
        if !options.is_empty() {
            self.section(|p| p.option_statements(&options));
        }
        if !oneof.fields.is_empty() {
            self.section(|p| oneof.fields.iter().for_each(|field| p.field(field)));
        }
        if !oneof.groups.is_empty() {
            self.section(|p| oneof.groups.iter().for_each(|group| p.group(group)));
        }
        self.line("}");
    }

    fn group(&mut self, group: &Group) {
        if let Some(label) = group.label {
            self.put(label.keyword());
            self.put(" ");
        }
        self.put("group ");
        self.put(&group.name);
        self.put(" = ");
        self.put_number(group.tag);
        self.put(" {");
        if !group.fields.is_empty() {
            self.section(|p| group.fields.iter().for_each(|field| p.field(field)));
        }
        self.line("}");
    }

    fn extend(&mut self, extend: &Extend) {
        self.put("extend ");
        self.put(&extend.extendee);
        self.put(" {");
        if !extend.fields.is_empty() {
            self.section(|p| extend.fields.iter().for_each(|field| p.field(field)));
        }
        self.line("}");
    }

    fn service(&mut self, service: &Service) {
        self.put("service ");
        self.put(&service.name);
        self.put(" {");
        let options = self.kept(&service.options);
        if !options.is_empty() {
            self.section(|p| p.option_statements(&options));
        }
        if !service.rpcs.is_empty() {
            self.section(|p| service.rpcs.iter().for_each(|rpc| p.rpc(rpc)));
        }
        self.line("}");
    }

    fn rpc(&mut self, rpc: &Rpc) {
        self.put("rpc ");
        self.put(&rpc.name);
        self.put(if rpc.request_streaming { " (stream " } else { " (" });
        self.put(&rpc.request);
        self.put(if rpc.response_streaming { ") returns (stream " } else { ") returns (" });
        self.put(&rpc.response);
        self.put(")");
        let options = self.kept(&rpc.options);
        if !options.is_empty() {
            self.line(" {");
            self.deeper(|p| p.option_statements(&options));
            self.put("}");
        }
        self.line(";");
    }

    fn reserved(&mut self, reserved: &Reserved) {
        self.put("reserved ");
        self.items(&reserved.items);
        self.line(";");
    }

    fn items(&mut self, items: &[ReservedItem]) {
        for (at, item) in items.iter().enumerate() {
            if at > 0 {
                self.put(", ");
            }
            match item {
                ReservedItem::Name(name) => {
                    // Names print as they are; the reference escapes nothing here.
                    self.put("\"");
                    self.put_raw(name);
                    self.put("\"");
                }
                ReservedItem::Number(number) => self.put_number(*number),
                ReservedItem::Range(start, end) => {
                    self.put_number(*start);
                    self.put(" to ");
                    if *end < MAX_TAG {
                        self.put_number(*end);
                    } else {
                        self.put("max");
                    }
                }
            }
        }
    }

    fn field(&mut self, field: &Field) {
        if let Some(label) = field.label {
            self.put(label.keyword());
            self.put(" ");
        }
        match &field.type_ {
            FieldType::Scalar(scalar) => self.put(scalar.keyword()),
            FieldType::Named(name) => self.put(name),
            map @ FieldType::Map(..) => self.put(&map.to_string()),
        }
        self.put(" ");
        self.put(&field.name);
        self.put(" = ");
        self.put_number(field.tag);
        let special = special_options(field);
        let mut items: Vec<Item<'_>> = self.kept(&field.options).into_iter().map(Item::Option).collect();
        items.extend(special.iter().map(Item::Option));
        self.bracketed(&items);
        self.line(";");
    }

    fn option_statements(&mut self, options: &[&OptionElement]) {
        for option in options {
            self.put("option ");
            self.option(option);
            self.line(";");
        }
    }

    /// Options behind a declaration, with the blank before them; nothing when there are none.
    fn bracketed(&mut self, items: &[Item<'_>]) {
        if !items.is_empty() {
            self.put(" ");
            self.list(items, Single::OnTheLine);
        }
    }

    fn list(&mut self, items: &[Item<'_>], single: Single) {
        if let ([item], Single::OnTheLine) = (items, single) {
            self.put("[");
            self.item(*item);
            self.put("]");
            return;
        }
        self.line("[");
        self.deeper(|p| {
            for (at, item) in items.iter().enumerate() {
                p.item(*item);
                p.line(if at + 1 < items.len() { "," } else { "" });
            }
        });
        self.put("]");
    }

    fn item(&mut self, item: Item<'_>) {
        match item {
            Item::Option(option) => self.option(option),
            Item::Value(value) => self.value(value, Single::OnItsOwnLine),
        }
    }

    fn option(&mut self, option: &OptionElement) {
        if option.is_parenthesized {
            self.put("(");
            self.put(&option.name);
            self.put(")");
        } else {
            self.put(&option.name);
        }
        if let OptionValue::Nested(part) = &option.value {
            self.put(".");
            self.option(part);
        } else {
            self.put(" = ");
            self.value(&option.value, Single::OnTheLine);
        }
    }

    fn value(&mut self, value: &OptionValue, single: Single) {
        match value {
            OptionValue::String(text) => {
                self.indent();
                self.text.push('"');
                escape_into(text, &mut self.text);
                self.text.push('"');
            }
            OptionValue::Boolean(flag) => self.put(if *flag { "true" } else { "false" }),
            OptionValue::Number(word) | OptionValue::Enum(word) => self.put_raw(word),
            OptionValue::Map(entries) => {
                self.line("{");
                self.deeper(|p| {
                    for (at, (name, value)) in entries.iter().enumerate() {
                        p.put(name);
                        p.put(": ");
                        p.value(value, Single::OnItsOwnLine);
                        p.line(if at + 1 < entries.len() { "," } else { "" });
                    }
                });
                self.put("}");
            }
            OptionValue::List(items) => self.list(&items.iter().map(Item::Value).collect::<Vec<_>>(), single),
            OptionValue::Nested(part) => self.option(part),
        }
    }
}

/// What stands in square brackets.
#[derive(Clone, Copy)]
enum Item<'a> {
    Option(&'a OptionElement),
    Value(&'a OptionValue),
}

/// Where the only item of a list prints: lists inside literals always take several lines.
#[derive(Clone, Copy)]
enum Single {
    OnTheLine,
    OnItsOwnLine,
}

/// `default` and `json_name` as the options that they print as, in this order.
pub(super) fn special_options(field: &Field) -> Vec<OptionElement> {
    let plain = |name: &str, value| OptionElement { name: name.to_owned(), is_parenthesized: false, value };
    let mut options = Vec::new();
    if let Some(default) = &field.default {
        options.push(plain("default", default_value(&field.type_, default)));
    }
    if let Some(json_name) = &field.json_name {
        options.push(plain("json_name", OptionValue::String(json_name.clone())));
    }
    options
}

/// Only strings print in quotes; bytes do not, so a bytes default that is no word cannot be parsed again. The
/// reference looks at the last part of the type's name.
fn default_value(type_: &FieldType, text: &str) -> OptionValue {
    let name = type_.to_string();
    match name.rsplit('.').next() {
        Some("string") => OptionValue::String(text.to_owned()),
        Some(
            "bytes" | "double" | "float" | "fixed32" | "fixed64" | "int32" | "int64" | "sfixed32" | "sfixed64"
            | "sint32" | "sint64" | "uint32" | "uint64",
        ) => OptionValue::Number(text.to_owned()),
        _ => OptionValue::Enum(text.to_owned()),
    }
}

/// Control characters with a letter escape, backslash and both quotes are escaped; nothing else is.
fn escape_into(text: &str, out: &mut String) {
    for character in text.chars() {
        let letter = match character {
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\u{c}' => 'f',
            '\n' => 'n',
            '\r' => 'r',
            '\t' => 't',
            '\u{b}' => 'v',
            '\\' | '\'' | '"' => character,
            plain => {
                out.push(plain);
                continue;
            }
        };
        out.push('\\');
        out.push(letter);
    }
}
