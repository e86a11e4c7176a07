//! protobuf schemas as logical types.
//!
//! The root is the first message. Messages and enums at the top, and those of references, are named types; nested ones
//! are written out where they are used, unless they lead back to themselves or `logical.named` is set. Fields come
//! before oneofs. A field takes NULL if it is `optional` or holds a message; `flink.notNull` says otherwise. Confluent's
//! `field_meta` says how wide and how precise.
//!
//! Source: schema-registry `type/logical/protobuf/ProtoToLogicalTypeConverter`, 8.5, recording `logical-show`.

mod default;
mod message;
mod names;

use std::collections::{HashMap, HashSet};

use super::ProtobufSchema;
use super::model::{Enum, Message, OptionElement, ProtoFile, Syntax};
use super::options::{self, Meta};
use super::resolve::{Home, Names, join, map_entry};
use crate::InvalidSchema;
use crate::logical::{Budget, Check, Column, Kind, Leaf, LogicalType, Named, Symbol, refuse};

const MESSAGE_META: &str = "confluent.message_meta";
const FIELD_META: &str = "confluent.field_meta";
const ENUM_META: &str = "confluent.enum_meta";
const ENUM_VALUE_META: &str = "confluent.enum_value_meta";

/// The schema as a logical type. Fails for types that have none.
pub(super) fn logical(schema: &ProtobufSchema) -> Result<LogicalType, InvalidSchema> {
    let file = schema.file();
    let package = file.package.clone().filter(|package| !package.is_empty());
    let mut logical = LogicalType::in_namespace(package);
    if file.messages.is_empty() && file.enums.is_empty() && !file.public_imports.is_empty() {
        let name = names::first_public(schema)?.ok_or_else(|| refuse("ProtobufSchema has no root descriptor"))?;
        logical.root = Some(Column::of(Kind::Ref(name)));
        return Ok(logical);
    }
    let Some(root) = file.messages.first() else { return Err(refuse("ProtobufSchema has no root descriptor")) };
    let scope = file.package.as_deref().unwrap_or_default();
    let root_name = join(scope, &root.name);
    if let Some(leaf) = message::unwrapped(&root_name) {
        logical.root = Some(Column::leaf(leaf).or_nullable(true));
        return Ok(logical);
    }
    let names = schema.names()?;
    let mut converter = Converter {
        schema,
        cyclic: names::cyclic(file, &names),
        external: names::external(schema)?,
        names,
        logical,
        open: HashSet::new(),
        path: Vec::new(),
        budget: Budget::default(),
    };
    converter.file(file, scope)?;
    let is_named = converter.is_named_root(&root_name);
    let mut logical = converter.logical;
    let kind = match is_named {
        true => Kind::Ref(root_name),
        false => logical.withdraw(&root_name).map_or(Kind::Struct(Vec::new()), |root| root.kind),
    };
    logical.root = Some(Column::of(kind));
    Ok(logical)
}

struct Converter<'a> {
    schema: &'a ProtobufSchema,
    names: Names<'a>,
    /// Full names of messages that lead back to themselves.
    cyclic: HashSet<String>,
    /// Full names of the types of references.
    external: HashSet<String>,
    logical: LogicalType,
    /// Messages without a name that are open: they cannot hold themselves.
    open: HashSet<String>,
    /// Names of the fields that are open.
    path: Vec<String>,
    budget: Budget,
}

impl<'a> Converter<'a> {
    /// All types of the schema's own file: their places first, in the reference's order, then their bodies.
    fn file(&mut self, file: &'a ProtoFile, scope: &str) -> Result<(), InvalidSchema> {
        let top = || file.messages.iter().map(|message| (join(scope, &message.name), message));
        top().for_each(|(name, _)| self.logical.declare(&name, Named::placeholder()));
        for enum_ in &file.enums {
            self.logical.declare(&join(scope, &enum_.name), named_enum(enum_));
        }
        let mut nested = Vec::new();
        top().for_each(|(name, message)| self.nested(message, &name, &mut nested));
        for (name, message) in top().chain(nested) {
            let named = self.named_message(message, &name)?;
            self.logical.declare(&name, named);
        }
        Ok(())
    }

    /// Finds the nested messages that are named types, and declares the nested enums that are.
    fn nested(&mut self, message: &'a Message, name: &str, found: &mut Vec<(String, &'a Message)>) {
        for nested in message.messages.iter().filter(|nested| map_entry(nested).is_none()) {
            let name = join(name, &nested.name);
            if self.cyclic.contains(&name) || is_marked(&nested.options, MESSAGE_META) {
                found.push((name.clone(), nested));
                // Its place among the enums around it.
                self.logical.declare(&name, Named::placeholder());
            }
            self.nested(nested, &name, found);
        }
        for enum_ in message.enums.iter().filter(|enum_| is_marked(&enum_.options, ENUM_META)) {
            self.logical.declare(&join(name, &enum_.name), named_enum(enum_));
        }
    }

    fn named_message(&mut self, message: &'a Message, name: &str) -> Result<Named, InvalidSchema> {
        let kind = Kind::Struct(self.fields(message, name)?);
        Ok(described(kind, &options::meta(&message.options, MESSAGE_META).unwrap_or_default()))
    }

    /// The place of a type of a reference among the named ones, its body with it.
    fn promote(&mut self, name: &str, message: &'a Message) -> Result<(), InvalidSchema> {
        if self.logical.declared(name).is_none() {
            let external = |named| Named { is_external: true, ..named };
            self.logical.declare(name, external(Named::placeholder()));
            let named = self.named_message(message, name)?;
            self.logical.declare(name, external(named));
        }
        Ok(())
    }

    /// A root that others need by its name: because it leads back to itself, or because named types lie in it.
    fn is_named_root(&self, name: &str) -> bool {
        let is_inside = |inner: &str| inner.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'));
        self.logical.named.iter().any(|(inner, _)| is_inside(inner))
            || self.logical.declared(name).is_some_and(|at| self.logical.cyclic()[at])
    }

    /// Whether this type is of a file that means proto2.
    fn is_proto2(&self, full_name: &str) -> bool {
        let file = match self.names.home(full_name) {
            None | Some(Home::Added(0)) => Some(self.schema.file()),
            Some(Home::Added(at)) => self
                .schema
                .referenced_files()
                .ok()
                .and_then(|files| files.get(at - 1))
                .map(|referenced| &referenced.file),
            Some(Home::BuiltIn(at)) => super::builtin::files().get(at).map(|(_, file)| file),
        };
        file.is_none_or(|file| file.syntax != Some(Syntax::Proto3))
    }
}

fn named_enum(enum_: &Enum) -> Named {
    let meta = options::meta(&enum_.options, ENUM_META).unwrap_or_default();
    described(Kind::Leaf(Leaf::Enum(symbols(enum_))), &meta)
}

fn symbols(enum_: &Enum) -> Vec<Symbol> {
    let symbol = |constant: &super::model::EnumConstant| {
        let meta = options::meta(&constant.options, ENUM_VALUE_META).unwrap_or_default();
        Symbol { name: constant.name.clone(), doc: doc(&meta), params: by_key(&meta.params) }
    };
    enum_.constants.iter().map(symbol).collect()
}

fn described(kind: Kind, meta: &Meta) -> Named {
    Named {
        kind,
        doc: doc(meta),
        tags: meta.tags.clone(),
        params: user_params(meta),
        checks: checks(meta),
        is_external: false,
    }
}

fn doc(meta: &Meta) -> Option<String> {
    meta.doc.clone().filter(|doc| !doc.trim().is_empty())
}

/// Parameters by key, the last of each, where the first stood: they are a map.
fn by_key(params: &[(String, String)]) -> Vec<(String, String)> {
    let last: HashMap<&str, &str> = params.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
    let mut seen = HashSet::new();
    let first = params.iter().filter(|(key, _)| seen.insert(key.as_str()));
    first.map(|(key, _)| (key.clone(), last.get(key.as_str()).copied().unwrap_or_default().to_owned())).collect()
}

/// The parameters that are the author's own: others say what the type is.
fn user_params(meta: &Meta) -> Vec<(String, String)> {
    let is_ours = |key: &str| {
        ["flink.", "connect.", "logical."].iter().any(|prefix| key.starts_with(prefix))
            || ["precision", "scale"].contains(&key)
    };
    let mut params = by_key(&meta.params);
    params.retain(|(key, _)| !is_ours(key));
    params
}

/// The value of a parameter.
fn param<'a>(meta: &'a Meta, key: &str) -> Option<&'a str> {
    meta.params.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value.as_str())
}

fn is_true(meta: &Meta, key: &str) -> bool {
    param(meta, key).is_some_and(|value| value.eq_ignore_ascii_case("true"))
}

fn is_marked(options: &[OptionElement], meta: &str) -> bool {
    options::meta(options, meta).is_some_and(|meta| param(&meta, "logical.named") == Some("true"))
}

/// Rules that have both an expression and its SQL.
fn checks(meta: &Meta) -> Vec<Check> {
    let full = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
    let check = |rule: &options::Rule| {
        full(&rule.expr)?;
        Some(Check { name: full(&rule.name), sql: full(&rule.sql)?, message: full(&rule.doc) })
    };
    meta.rules.iter().filter_map(check).collect()
}
