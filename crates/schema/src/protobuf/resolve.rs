//! Types and extension fields by name: of a file, of the texts it refers to, and of the built-in files.
//!
//! A written name is tried whole under each enclosing scope, innermost first (protoc would commit to the first
//! part). Import statements play no role: a type resolves if any reference, however deep, declares it. On a clash
//! the file itself wins, then the first reference, then the built-in files.
//!
//! Source: schema-registry `protobuf/diff/Context#resolve`, `#collectTypeInfo`, 8.2.0.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use super::builtin;
use super::model::{Enum, Extend, Field, FieldType, Label, Message, ProtoFile, Scalar};
use super::options;

/// What a type's name stands for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Type<'a> {
    /// A message, map entries of descriptors included.
    Message(&'a Message),
    /// An enum.
    Enum(&'a Enum),
}

/// The file that declares a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Home {
    /// The file that was added as the how-manieth, from 0.
    Added(usize),
    /// The built-in file at this place of [`builtin::files`].
    BuiltIn(usize),
}

/// An extension field: where it was declared decides how its own type's name reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extension<'a> {
    /// The field.
    pub(crate) field: &'a Field,
}

/// Full names without leading dots → declarations.
#[derive(Debug, Default)]
pub(crate) struct Names<'a> {
    types: HashMap<String, (Type<'a>, usize)>,
    extensions: HashMap<String, Extension<'a>>,
    files: usize,
}

impl<'a> Names<'a> {
    /// Adds what `file` declares; names already there stay.
    pub(crate) fn add_file(&mut self, file: &'a ProtoFile) {
        let package = file.package.as_deref().unwrap_or_default();
        self.add_extends(package, &file.extends);
        self.add_types(package, &file.messages, &file.enums);
        self.files += 1;
    }

    /// Adds what `file` declares, over names already there.
    pub(crate) fn prefer_file(&mut self, file: &'a ProtoFile) {
        let mut first = Names { files: self.files, ..Names::default() };
        first.add_file(file);
        self.types.extend(first.types);
        self.extensions.extend(first.extensions);
        self.files = first.files;
    }

    fn add_types(&mut self, scope: &str, messages: &'a [Message], enums: &'a [Enum]) {
        for enum_ in enums {
            self.types.entry(join(scope, &enum_.name)).or_insert((Type::Enum(enum_), self.files));
        }
        for message in messages {
            let name = join(scope, &message.name);
            self.add_extends(&name, &message.extends);
            self.add_types(&name, &message.messages, &message.enums);
            if let Entry::Vacant(place) = self.types.entry(name) {
                place.insert((Type::Message(message), self.files));
            }
        }
    }

    fn add_extends(&mut self, scope: &str, extends: &'a [Extend]) {
        for field in extends.iter().flat_map(|extend| &extend.fields) {
            self.extensions.entry(join(scope, &field.name)).or_insert(Extension { field });
        }
    }

    /// The type of this full name (a leading dot is ignored), in these files or built in.
    pub(crate) fn type_(&self, full_name: &str) -> Option<Type<'a>> {
        let name = full_name.strip_prefix('.').unwrap_or(full_name);
        let found = self.types.get(name).or_else(|| builtin::names_for(name)?.types.get(name));
        found.map(|(type_, _)| *type_)
    }

    /// The file that declares the type of this full name, without a leading dot.
    pub(crate) fn home(&self, full_name: &str) -> Option<Home> {
        match self.types.get(full_name) {
            Some((_, file)) => Some(Home::Added(*file)),
            None => builtin::names_for(full_name)?.types.get(full_name).map(|(_, file)| Home::BuiltIn(*file)),
        }
    }

    /// The extension field of this full name, in these files or built in.
    pub(crate) fn extension(&self, full_name: &str) -> Option<Extension<'a>> {
        let name = full_name.strip_prefix('.').unwrap_or(full_name);
        self.extensions.get(name).or_else(|| builtin::names_for(name)?.extensions.get(name)).copied()
    }

    /// Full name and declaration of the type that `name` means inside `scope` (a full name, or empty).
    pub(crate) fn resolve(&self, scope: &str, name: &str) -> Option<(String, Type<'a>)> {
        resolve(scope, name, |full_name| self.type_(full_name))
    }

    /// As [`Names::resolve`], but among these files only: nothing built in.
    pub(crate) fn declares(&self, scope: &str, name: &str) -> bool {
        resolve(scope, name, |full_name| self.types.get(full_name)).is_some()
    }

    /// As [`Names::resolve`], for extension fields.
    pub(crate) fn resolve_extension(&self, scope: &str, name: &str) -> Option<(String, Extension<'a>)> {
        resolve(scope, name, |full_name| self.extension(full_name))
    }
}

fn resolve<T>(scope: &str, name: &str, find: impl Fn(&str) -> Option<T>) -> Option<(String, T)> {
    if let Some(absolute) = name.strip_prefix('.') {
        return Some((absolute.to_owned(), find(absolute)?));
    }
    let mut candidate = String::with_capacity(scope.len() + 1 + name.len());
    let mut scope = scope;
    loop {
        candidate.clear();
        candidate.push_str(scope);
        if !scope.is_empty() {
            candidate.push('.');
        }
        candidate.push_str(name);
        if let Some(found) = find(&candidate) {
            return Some((candidate, found));
        }
        if scope.is_empty() {
            return None;
        }
        scope = scope.rsplit_once('.').map_or("", |(outer, _)| outer);
    }
}

/// `scope.name`, or `name` outside every scope.
pub(crate) fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() { name.to_owned() } else { format!("{scope}.{name}") }
}

/// Whether the message is the entry of a map, as descriptors have it: it says `option map_entry = true`.
pub(crate) fn is_map_entry(message: &Message) -> bool {
    options::is_true(&message.options, "map_entry")
}

/// Key and value types of the entry of a map that has fields `key` and `value`, of types that a map can have.
pub(crate) fn map_entry(message: &Message) -> Option<(Scalar, &FieldType)> {
    if !is_map_entry(message) {
        return None;
    }
    let type_of = |name: &str| message.fields.iter().find(|field| field.name == name).map(|field| &field.type_);
    match (type_of("key")?, type_of("value")?) {
        (FieldType::Scalar(key), value) if key.is_map_key() => Some((*key, value)),
        _ => None,
    }
}

/// Whether the field may be set several times.
pub(crate) fn is_repeated(field: &Field) -> bool {
    field.label == Some(Label::Repeated)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protobuf::parse::parse_text;

    fn resolved(texts: &[&str], scope: &str, name: &str) -> Option<String> {
        let files: Vec<_> = texts.iter().map(|text| parse_text(text).unwrap()).collect();
        let mut names = Names::default();
        files.iter().for_each(|file| names.add_file(file));
        names.resolve(scope, name).map(|(full_name, _)| full_name)
    }

    #[test]
    fn the_innermost_scope_that_has_the_whole_name_wins() {
        let shadow = "package p.q; message In {} message M { message In {} message Sub { enum E {} } } enum E {}";
        for (scope, name, expected) in [
            ("p.q.M", "In", Some("p.q.M.In")),
            ("p.q.M.Sub", "In", Some("p.q.M.In")),
            ("p.q", "In", Some("p.q.In")),
            ("p.q.M", ".p.q.In", Some("p.q.In")),
            ("p.q.M", "q.In", Some("p.q.In")),
            ("p.q.M", "M.In", Some("p.q.M.In")),
            ("p.q.M", "Sub.E", Some("p.q.M.Sub.E")),
            ("p.q.M", "E", Some("p.q.E")),
            ("p.q.M", ".In", None),
            ("p.q.M", "Nope", None),
        ] {
            assert_eq!(resolved(&[shadow], scope, name).as_deref(), expected, "{name} in {scope}");
        }
    }

    #[test]
    fn the_first_part_of_a_name_does_not_bind() {
        // protoc would find M.a first and stop there.
        let text = "package p; message a { message X {} } message M { message a {} }";
        assert_eq!(resolved(&[text], "p.M", "a.X").as_deref(), Some("p.a.X"));
    }

    #[test]
    fn references_and_built_in_files_need_no_import() {
        let texts = ["package p; message M {}", "package other; message Dep {}"];
        assert_eq!(resolved(&texts, "p.M", "other.Dep").as_deref(), Some("other.Dep"));
        assert_eq!(resolved(&texts, "p.M", "google.protobuf.Timestamp").as_deref(), Some("google.protobuf.Timestamp"));
        assert_eq!(resolved(&["package google.x;"], "google.x", "type.Money").as_deref(), Some("google.type.Money"));
    }
}
