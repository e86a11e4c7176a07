//! The normal form of a file (`normalize=true`): a file to print, equal for texts that mean the same.
//!
//! Sorted: imports, options, fields and groups by number, oneofs by their smallest number, ranges. Resolved: type
//! names (with a leading dot), extended messages, custom options. Rewritten: map entries of descriptors as maps,
//! `extend` blocks one per message, numbers. Kept in order: messages, enums, services, methods. Dropped: the syntax
//! line of proto2, oneofs without fields. The result is for printing and parsing again, not for reading: specials
//! (`default`, `json_name`) stand among the options, where they sort.
//!
//! A type that does not resolve is the one error. `option` rewrites options, `number` their numbers.
//!
//! Source: schema-registry `ProtobufSchemaUtils#toNormalizedString`, 8.2.0, and the recordings `canon-protobuf-*`.

mod number;
mod option;

use std::collections::HashMap;

use super::canonical::special_options;
use super::model::{
    Enum, Extend, Extensions, Field, FieldType, Group, Message, OneOf, ProtoFile, Reserved, ReservedItem, Rpc, Service,
    Syntax,
};
use super::parse;
use super::resolve::{Names, Type, is_map_entry, join, map_entry};
use crate::InvalidSchema;

/// The normal form of `file`, whose names are looked up in `names`.
pub(super) fn normalize(file: &ProtoFile, names: &Names<'_>) -> Result<ProtoFile, InvalidSchema> {
    let scope = file.package.as_deref().unwrap_or_default();
    let normal = Normal { names };
    Ok(ProtoFile {
        syntax: file.syntax.filter(|syntax| *syntax == Syntax::Proto3),
        package: file.package.clone(),
        imports: sorted_distinct(&file.imports),
        public_imports: sorted_distinct(&file.public_imports),
        options: normal.options(scope, file.options.clone()),
        messages: normal.messages(scope, &file.messages)?,
        enums: normal.enums(scope, &file.enums),
        extends: normal.extends(scope, &file.extends)?,
        services: file.services.iter().map(|service| normal.service(scope, service)).collect::<Result<_, _>>()?,
    })
}

fn sorted_distinct(paths: &[String]) -> Vec<String> {
    let mut paths = paths.to_vec();
    paths.sort();
    paths.dedup();
    paths
}

#[derive(Clone, Copy)]
struct Normal<'a> {
    names: &'a Names<'a>,
}

impl Normal<'_> {
    fn resolve(&self, scope: &str, name: &str) -> Result<String, InvalidSchema> {
        match self.names.resolve(scope, name) {
            Some((full_name, _)) => Ok(format!(".{full_name}")),
            None => Err(InvalidSchema::Semantics(format!("Could not resolve type: {name}"))),
        }
    }

    /// Entries of maps are not shown: their fields become maps.
    fn messages(&self, scope: &str, messages: &[Message]) -> Result<Vec<Message>, InvalidSchema> {
        let shown = messages.iter().filter(|message| !is_map_entry(message));
        shown.map(|message| self.message(scope, message)).collect()
    }

    fn message(&self, scope: &str, message: &Message) -> Result<Message, InvalidSchema> {
        let scope = &join(scope, &message.name);
        Ok(Message {
            name: message.name.clone(),
            options: self.options(scope, message.options.clone()),
            fields: self.fields(scope, &message.fields)?,
            oneofs: self.oneofs(scope, &message.oneofs)?,
            groups: self.groups(scope, &message.groups)?,
            reserved: reserved(&message.reserved),
            extensions: self.extensions(scope, &message.extensions)?,
            messages: self.messages(scope, &message.messages)?,
            enums: self.enums(scope, &message.enums),
            extends: self.extends(scope, &message.extends)?,
        })
    }

    fn fields(&self, scope: &str, fields: &[Field]) -> Result<Vec<Field>, InvalidSchema> {
        let mut fields = fields.iter().map(|field| self.field(scope, field)).collect::<Result<Vec<_>, _>>()?;
        fields.sort_by_key(|field| field.tag);
        Ok(fields)
    }

    fn field(&self, scope: &str, field: &Field) -> Result<Field, InvalidSchema> {
        let type_ = self.field_type(scope, &field.type_)?;
        let mut options = field.options.clone();
        options.extend(special_options(&Field { type_: type_.clone(), options: Vec::new(), ..field.clone() }));
        let label = if matches!(type_, FieldType::Map(..)) { None } else { field.label };
        let options = self.options(scope, options);
        Ok(Field { label, type_, name: field.name.clone(), tag: field.tag, default: None, json_name: None, options })
    }

    /// Values of maps stay as written when they do not resolve; the reference looks no further.
    fn field_type(&self, scope: &str, type_: &FieldType) -> Result<FieldType, InvalidSchema> {
        let resolved = match type_ {
            FieldType::Scalar(_) => return Ok(type_.clone()),
            FieldType::Map(key, value) => FieldType::Map(*key, value.clone()),
            FieldType::Named(name) => {
                let full_name = self.resolve(scope, name)?;
                match self.names.type_(&full_name) {
                    Some(Type::Message(message)) if is_map_entry(message) => {
                        let (key, value) = map_entry(message).ok_or_else(|| no_map(message))?;
                        FieldType::Map(key, Box::new(value.clone()))
                    }
                    _ => FieldType::Named(full_name),
                }
            }
        };
        Ok(match resolved {
            FieldType::Map(key, value) => match &*value {
                FieldType::Named(name) => {
                    let resolved = self.resolve(scope, name).map(FieldType::Named);
                    FieldType::Map(key, resolved.map_or(value, Box::new))
                }
                _ => FieldType::Map(key, value),
            },
            other => other,
        })
    }

    /// One statement per range, each with the options that stood behind all.
    fn extensions(&self, scope: &str, statements: &[Extensions]) -> Result<Vec<Extensions>, InvalidSchema> {
        let size = |statement: &Extensions| {
            let options = statement.options.iter().map(|option| parse::elements(&option.value)).sum::<usize>();
            statement.ranges.len() * (options + 1)
        };
        if statements.iter().map(size).sum::<usize>() > parse::MAX_ELEMENTS {
            return Err(InvalidSchema::TooComplex("Too many extension ranges share their options".to_owned()));
        }
        let each = |statement: &Extensions| {
            let options = self.options(scope, statement.options.clone());
            let one = move |item: &ReservedItem| Extensions { ranges: vec![single(item)], options: options.clone() };
            statement.ranges.iter().map(one).collect::<Vec<_>>()
        };
        let mut ranges: Vec<Extensions> = statements.iter().flat_map(each).collect();
        ranges.sort_by_key(|extensions| extensions.ranges.first().map(first_number));
        Ok(ranges)
    }

    fn oneofs(&self, scope: &str, oneofs: &[OneOf]) -> Result<Vec<OneOf>, InvalidSchema> {
        let normal = |oneof: &OneOf| {
            Ok(OneOf {
                name: oneof.name.clone(),
                options: self.options(scope, oneof.options.clone()),
                fields: self.fields(scope, &oneof.fields)?,
                groups: self.groups(scope, &oneof.groups)?,
            })
        };
        let shown = oneofs.iter().filter(|oneof| !oneof.fields.is_empty());
        let mut oneofs = shown.map(normal).collect::<Result<Vec<OneOf>, InvalidSchema>>()?;
        oneofs.sort_by_key(|oneof| oneof.fields.first().map(|field| field.tag));
        Ok(oneofs)
    }

    fn groups(&self, scope: &str, groups: &[Group]) -> Result<Vec<Group>, InvalidSchema> {
        let normal = |group: &Group| {
            let fields = self.fields(scope, &group.fields)?;
            Ok(Group { label: group.label, name: group.name.clone(), tag: group.tag, fields })
        };
        let mut groups = groups.iter().map(normal).collect::<Result<Vec<Group>, InvalidSchema>>()?;
        groups.sort_by_key(|group| group.tag);
        Ok(groups)
    }

    /// One block per extended message, in the order they first appear; blocks without fields vanish.
    fn extends(&self, scope: &str, extends: &[Extend]) -> Result<Vec<Extend>, InvalidSchema> {
        let mut blocks: Vec<Extend> = Vec::new();
        let mut places: HashMap<String, usize> = HashMap::new();
        for extend in extends.iter().filter(|extend| !extend.fields.is_empty()) {
            let extendee = self.resolve(scope, &extend.extendee)?;
            let place = *places.entry(extendee).or_insert_with_key(|extendee| {
                blocks.push(Extend { extendee: extendee.clone(), fields: Vec::new() });
                blocks.len() - 1
            });
            for field in &extend.fields {
                blocks[place].fields.push(self.field(scope, field)?);
            }
        }
        blocks.iter_mut().for_each(|block| block.fields.sort_by_key(|field| field.tag));
        Ok(blocks)
    }

    fn enums(&self, scope: &str, enums: &[Enum]) -> Vec<Enum> {
        enums.iter().map(|enum_| self.enum_(scope, enum_)).collect()
    }

    fn enum_(&self, scope: &str, enum_: &Enum) -> Enum {
        let scope = &join(scope, &enum_.name);
        let mut constants = enum_.constants.clone();
        for constant in &mut constants {
            constant.options = self.options(scope, std::mem::take(&mut constant.options));
        }
        constants.sort_by(|a, b| (a.tag, &a.name).cmp(&(b.tag, &b.name)));
        Enum {
            name: enum_.name.clone(),
            options: self.options(scope, enum_.options.clone()),
            constants,
            reserved: reserved(&enum_.reserved),
        }
    }

    fn service(&self, scope: &str, service: &Service) -> Result<Service, InvalidSchema> {
        let rpc = |rpc: &Rpc| {
            Ok(Rpc {
                request: self.resolve(scope, &rpc.request)?,
                response: self.resolve(scope, &rpc.response)?,
                options: self.options(scope, rpc.options.clone()),
                ..rpc.clone()
            })
        };
        Ok(Service {
            name: service.name.clone(),
            options: self.options(scope, service.options.clone()),
            rpcs: service.rpcs.iter().map(rpc).collect::<Result<_, InvalidSchema>>()?,
        })
    }
}

/// A field is of a map's entry that makes no map.
fn no_map(entry: &Message) -> InvalidSchema {
    let key = entry.fields.iter().find(|field| field.name == "key").map(|field| &field.type_);
    let has_value = entry.fields.iter().any(|field| field.name == "value");
    InvalidSchema::Semantics(match key {
        Some(key) if has_value => format!("map key must be non-byte, non-floating point scalar: {key}"),
        _ => format!("{} is the entry of a map without key or value", entry.name),
    })
}

/// One statement per item, by first number; names last, by name.
fn reserved(statements: &[Reserved]) -> Vec<Reserved> {
    let items = statements.iter().flat_map(|statement| &statement.items);
    let mut items: Vec<(i32, String, ReservedItem)> =
        items.map(|item| (first_number(item), plain(item), single(item))).collect();
    items.sort_by(|a, b| (a.0, &a.1).cmp(&(b.0, &b.1)));
    items.into_iter().map(|(_, _, item)| Reserved { items: vec![item] }).collect()
}

fn first_number(item: &ReservedItem) -> i32 {
    match item {
        ReservedItem::Number(number) => *number,
        ReservedItem::Range(start, _) => *start,
        ReservedItem::Name(_) => i32::MAX,
    }
}

/// The text that decides between items of one first number.
fn plain(item: &ReservedItem) -> String {
    match item {
        ReservedItem::Number(number) => number.to_string(),
        ReservedItem::Range(start, end) => format!("{start}..{end}"),
        ReservedItem::Name(name) => name.clone(),
    }
}

/// A range of one number is that number.
fn single(item: &ReservedItem) -> ReservedItem {
    match item {
        ReservedItem::Range(start, end) if start == end => ReservedItem::Number(*start),
        other => other.clone(),
    }
}
