//! Options in normal form: custom ones under their full names, as literals, sorted; several assignments to one
//! singular option merged as its message type says.
//!
//! Merging looks at the fields of the option's message: singular messages merge entry by entry, repeated fields and
//! fields nobody declares gather into a list of distinct values, a scalar keeps its last value.

use super::Normal;
use super::number;
use crate::protobuf::model::{Field, FieldType, Message, OptionElement, OptionValue};
use crate::protobuf::options::{Entries, Gathered, union, unnested};
use crate::protobuf::resolve::{Type, is_repeated};

impl<'a> Normal<'a> {
    /// The options in normal form; `scope` is where they were written.
    pub(super) fn options(&self, scope: &str, options: Vec<OptionElement>) -> Vec<OptionElement> {
        let mut options: Vec<OptionElement> = options.into_iter().map(|option| self.qualified(scope, option)).collect();
        options.sort_by(|a, b| a.name.cmp(&b.name));
        let mut normal: Vec<OptionElement> = Vec::with_capacity(options.len());
        let mut rest = options.into_iter().peekable();
        while let Some(first) = rest.next() {
            let mut same = vec![first];
            while let Some(next) = rest.next_if(|next| next.name == same[0].name) {
                same.push(next);
            }
            normal.extend(self.merged(same));
        }
        for option in &mut normal {
            let value = std::mem::replace(&mut option.value, OptionValue::Boolean(false));
            option.value = self.value(scope, value, Level::Top);
        }
        normal
    }

    /// A custom option under its full name and as a literal, if its extension is known.
    fn qualified(&self, scope: &str, option: OptionElement) -> OptionElement {
        if !option.is_parenthesized {
            return option;
        }
        match self.names.resolve_extension(scope, &option.name) {
            Some((name, _)) => OptionElement { name, is_parenthesized: true, value: unnested(option.value) },
            None => option,
        }
    }

    /// Options of one name: one if the extension is known and not repeated, else all of them.
    fn merged(&self, same: Vec<OptionElement>) -> Vec<OptionElement> {
        let Some(extension) = self.names.extension(&same[0].name).filter(|found| !is_repeated(found.field)) else {
            return same;
        };
        let scope = same[0].name.rsplit_once('.').map_or("", |(scope, _)| scope).to_owned();
        let type_ = self.message_type(&scope, extension.field);
        let mut literals: Option<Vec<Entries>> = None;
        let mut last: Option<OptionElement> = None;
        for option in same {
            let OptionElement { name, is_parenthesized, value } = option;
            let value = match unnested(value) {
                OptionValue::Map(entries) => {
                    literals.get_or_insert_default().push(entries);
                    OptionValue::Map(Vec::new())
                }
                other => {
                    literals = None;
                    other
                }
            };
            last = Some(OptionElement { name, is_parenthesized, value });
        }
        if let (Some(last), Some(literals)) = (&mut last, literals) {
            last.value = OptionValue::Map(self.merged_literals(literals, type_.as_ref()));
        }
        last.into_iter().collect()
    }

    fn merged_literals(&self, literals: Vec<Entries>, type_: Option<&MessageType<'a>>) -> Entries {
        let mut gathered = Gathered::default();
        literals.into_iter().flatten().for_each(|(name, value)| gathered.add(name, value));
        gathered.merge(|name, values| self.merged_values(name, values, type_))
    }

    fn merged_values(&self, name: &str, mut values: Vec<OptionValue>, type_: Option<&MessageType<'a>>) -> OptionValue {
        let Some((scope, field)) = type_.and_then(|type_| self.entry_field(type_, name)) else {
            return union(values);
        };
        if is_repeated(field) || matches!(field.type_, FieldType::Map(..)) {
            return union(values);
        }
        let Some(type_) = self.message_type(&scope, field) else {
            return values.pop().unwrap_or(OptionValue::List(values));
        };
        let all_literals = values.iter().all(|value| matches!(value, OptionValue::Map(_)));
        if !all_literals {
            return union(values);
        }
        let literals = values.into_iter().filter_map(|value| match value {
            OptionValue::Map(entries) => Some(entries),
            _ => None,
        });
        OptionValue::Map(self.merged_literals(literals.collect(), Some(&type_)))
    }

    /// The field that an entry of a literal of this type assigns, and the scope its type's name is read in.
    fn entry_field(&self, type_: &MessageType<'a>, name: &str) -> Option<(String, &'a Field)> {
        if let Some(extension) = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')) {
            let (full_name, extension) = self.names.resolve_extension(&type_.full_name, extension)?;
            let scope = full_name.rsplit_once('.').map_or("", |(scope, _)| scope).to_owned();
            return Some((scope, extension.field));
        }
        let members = type_.message.oneofs.iter().flat_map(|oneof| &oneof.fields);
        let field = type_.message.fields.iter().chain(members).find(|field| field.name == name)?;
        Some((type_.full_name.clone(), field))
    }

    fn message_type(&self, scope: &str, field: &Field) -> Option<MessageType<'a>> {
        let FieldType::Named(name) = &field.type_ else { return None };
        match self.names.resolve(scope, name)? {
            (full_name, Type::Message(message)) => Some(MessageType { full_name, message }),
            (_, Type::Enum(_)) => None,
        }
    }

    /// A value in normal form: numbers rewritten; inside literals, empty lists dropped, entries sorted, extension
    /// names in full, lists of one unwrapped.
    fn value(&self, scope: &str, value: OptionValue, level: Level) -> OptionValue {
        match value {
            OptionValue::Number(word) => OptionValue::Number(number::normal(&word)),
            OptionValue::List(mut items) => match (level, items.len()) {
                (Level::Inner, 1) => match items.pop() {
                    Some(item) => self.value(scope, item, Level::Inner),
                    None => OptionValue::List(items),
                },
                _ => OptionValue::List(items.into_iter().map(|item| self.value(scope, item, Level::Inner)).collect()),
            },
            OptionValue::Map(entries) => {
                let mut entries: Entries = entries
                    .into_iter()
                    .filter(|(_, value)| !matches!(value, OptionValue::List(items) if items.is_empty()))
                    .map(|(name, value)| (self.entry_name(scope, name), self.value(scope, value, Level::Inner)))
                    .collect();
                entries.sort_by(|a, b| a.0.cmp(&b.0));
                entries.dedup_by(|later, first| later.0 == first.0);
                OptionValue::Map(entries)
            }
            OptionValue::Nested(part) => {
                let OptionElement { name, is_parenthesized, value } = *part;
                let value = self.value(scope, value, Level::Top);
                OptionValue::Nested(Box::new(OptionElement { name, is_parenthesized, value }))
            }
            plain @ (OptionValue::String(_) | OptionValue::Boolean(_) | OptionValue::Enum(_)) => plain,
        }
    }

    fn entry_name(&self, scope: &str, name: String) -> String {
        let extension = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
        match extension.and_then(|extension| self.names.resolve_extension(scope, extension)) {
            Some((full_name, _)) => format!("[{full_name}]"),
            None => name,
        }
    }
}

/// A message by full name.
struct MessageType<'a> {
    full_name: String,
    message: &'a Message,
}

/// Whether a value is an option's own or stands inside a literal or list.
#[derive(Clone, Copy, PartialEq)]
enum Level {
    Top,
    Inner,
}
