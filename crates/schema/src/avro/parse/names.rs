//! What a name may look like: letters, digits and underscores, not a digit first.
//!
//! A new schema's names are plain ASCII; stored ones may have letters of any script.
//!
//! Source: Avro 1.12 `NameValidator.{STRICT,UTF}_VALIDATOR`, `Schema.Name`, `ParseContext#requireValidFullName`.

use super::super::model::{Kind, Name};
use super::{Parser, wrong};
use crate::InvalidSchema;

/// Longest full name. Normal forms write every name in full.
const MAX_NAME_BYTES: usize = 4096;

impl Parser {
    /// Checks one name: of a field, a symbol, or the last part of a full name. `around` words the fault.
    pub(super) fn check_name(&mut self, name: &str, around: impl Fn(String) -> String) -> Result<(), InvalidSchema> {
        if let Some(fault) = fault(name, is_letter, is_letter_or_digit) {
            return Err(wrong(around(fault)));
        }
        if let Some(fault) = fault(name, |c| c.is_ascii_alphabetic(), |c| c.is_ascii_alphanumeric()) {
            self.note(|| wrong(around(fault)));
        }
        Ok(())
    }

    /// The name that `name` means inside `namespace`: what stands before its last dot is its namespace.
    pub(super) fn full_name(&mut self, name: &str, namespace: Option<&str>) -> Result<Name, InvalidSchema> {
        let (namespace, simple) = match name.rsplit_once('.') {
            Some((namespace, simple)) => (Some(namespace), simple),
            None => (namespace, name),
        };
        self.check_name(simple, |fault| fault)?;
        let name = Name::new(namespace, simple);
        if name.full().len() > MAX_NAME_BYTES {
            return Err(InvalidSchema::TooComplex(format!("A full name is longer than {MAX_NAME_BYTES} bytes")));
        }
        Ok(name)
    }

    /// Refuses the names of primitive types for a type's own name.
    pub(super) fn check_not_primitive(&self, name: &Name) -> Result<(), InvalidSchema> {
        if Kind::primitive(name.full()).is_some() {
            return Err(wrong(format!("Schemas may not be named after primitives: {}", name.full())));
        }
        Ok(())
    }

    /// Checks the parts of a type's namespace; its own part was checked when it was read.
    pub(super) fn check_namespace(&mut self, name: &Name) -> Result<(), InvalidSchema> {
        let Some(namespace) = name.namespace() else { return Ok(()) };
        namespace.split('.').try_for_each(|part| {
            self.check_name(part, |fault| format!("Namespace part \"{part}\" is invalid: {fault}"))
        })
    }
}

fn fault(name: &str, starts: impl Fn(char) -> bool, goes_on: impl Fn(char) -> bool) -> Option<String> {
    let mut chars = name.chars();
    match chars.next() {
        None => Some("Empty name".to_owned()),
        Some(first) if first != '_' && !starts(first) => Some(format!("Illegal initial character: {name}")),
        Some(_) if !chars.all(|c| c == '_' || goes_on(c)) => Some(format!("Illegal character in: {name}")),
        Some(_) => None,
    }
}

/// Java asks of each UTF-16 unit: characters of two units are no letters.
fn is_letter(c: char) -> bool {
    c.len_utf16() == 1 && c.is_alphabetic()
}

fn is_letter_or_digit(c: char) -> bool {
    c.len_utf16() == 1 && c.is_alphanumeric()
}
