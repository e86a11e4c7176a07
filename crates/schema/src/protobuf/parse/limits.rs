//! Limits on what a text says, counted on the model.
//!
//! The reader has budgets of its own that keep parsing bounded; these are the ones that hold. They are counted on
//! the model because the model survives printing: a text that passes prints to one that passes, so what was stored
//! can always be read again. Names are limited because normal forms write every type's name in full.

use super::{MAX_ELEMENTS, MAX_NAME_BYTES, MAX_NESTING};
use crate::InvalidSchema;
use crate::protobuf::model::{Enum, Extend, Field, Group, Message, OptionElement, OptionValue, ProtoFile, Reserved};

/// Refuses a file over a limit.
pub(crate) fn check(file: &ProtoFile) -> Result<(), InvalidSchema> {
    let mut measure = Measure { elements: 0 };
    measure.add(file.imports.len() + file.public_imports.len())?;
    measure.options(&file.options, 0)?;
    let package = file.package.as_deref().unwrap_or_default();
    name_fits(package.len(), package.matches('.').count() + 1)?;
    let scope = Scope { bytes: package.len(), parts: package.matches('.').count() + 1 };
    file.messages.iter().try_for_each(|message| measure.message(message, scope, 1))?;
    file.enums.iter().try_for_each(|enum_| measure.enum_(enum_, scope, 0))?;
    file.extends.iter().try_for_each(|extend| measure.extend(extend, 0))?;
    for service in &file.services {
        measure.add(1)?;
        measure.options(&service.options, 0)?;
        for rpc in &service.rpcs {
            measure.add(1)?;
            measure.options(&rpc.options, 0)?;
        }
    }
    Ok(())
}

/// How many elements a value counts for, its own included.
pub(crate) fn elements(value: &OptionValue) -> usize {
    1 + match value {
        OptionValue::Map(entries) => entries.iter().map(|(_, value)| elements(value)).sum(),
        OptionValue::List(items) => items.iter().map(elements).sum(),
        OptionValue::Nested(part) => elements(&part.value),
        _ => 0,
    }
}

fn name_fits(bytes: usize, parts: usize) -> Result<(), InvalidSchema> {
    if bytes > MAX_NAME_BYTES {
        return Err(InvalidSchema::TooComplex(format!("A full name is longer than {MAX_NAME_BYTES} bytes")));
    }
    if parts > 2 * MAX_NESTING {
        return Err(InvalidSchema::TooComplex(format!("A full name has more than {} parts", 2 * MAX_NESTING)));
    }
    Ok(())
}

/// The length of the full name around a declaration.
#[derive(Clone, Copy)]
struct Scope {
    bytes: usize,
    parts: usize,
}

impl Scope {
    fn inside(self, name: &str) -> Result<Scope, InvalidSchema> {
        let inner = Scope { bytes: self.bytes + 1 + name.len(), parts: self.parts + 1 + name.matches('.').count() };
        name_fits(inner.bytes, inner.parts)?;
        Ok(inner)
    }
}

struct Measure {
    elements: usize,
}

impl Measure {
    fn add(&mut self, elements: usize) -> Result<(), InvalidSchema> {
        self.elements += elements;
        if self.elements > MAX_ELEMENTS {
            return Err(InvalidSchema::TooComplex(format!("The schema has more than {MAX_ELEMENTS} elements")));
        }
        Ok(())
    }

    fn options(&mut self, options: &[OptionElement], depth: usize) -> Result<(), InvalidSchema> {
        options.iter().try_for_each(|option| self.value(&option.value, depth))
    }

    /// As deep as the reader let values nest.
    fn value(&mut self, value: &OptionValue, depth: usize) -> Result<(), InvalidSchema> {
        self.add(1)?;
        match value {
            OptionValue::Map(entries) => {
                deep_enough(depth + 1)?;
                entries.iter().try_for_each(|(_, value)| self.value(value, depth + 1))
            }
            OptionValue::List(items) => {
                deep_enough(depth + 1)?;
                items.iter().try_for_each(|value| self.value(value, depth + 1))
            }
            OptionValue::Nested(part) => self.value(&part.value, depth),
            _ => Ok(()),
        }
    }

    fn message(&mut self, message: &Message, scope: Scope, depth: usize) -> Result<(), InvalidSchema> {
        deep_enough(depth)?;
        let scope = scope.inside(&message.name)?;
        self.add(1)?;
        self.options(&message.options, depth)?;
        self.fields(&message.fields, depth)?;
        for oneof in &message.oneofs {
            self.add(1)?;
            self.options(&oneof.options, depth)?;
            self.fields(&oneof.fields, depth)?;
            self.groups(&oneof.groups, depth)?;
        }
        self.groups(&message.groups, depth)?;
        self.reserved(&message.reserved)?;
        for extensions in &message.extensions {
            self.add(1 + extensions.ranges.len())?;
            self.options(&extensions.options, depth)?;
        }
        message.extends.iter().try_for_each(|extend| self.extend(extend, depth))?;
        message.enums.iter().try_for_each(|enum_| self.enum_(enum_, scope, depth))?;
        message.messages.iter().try_for_each(|nested| self.message(nested, scope, depth + 1))
    }

    fn fields(&mut self, fields: &[Field], depth: usize) -> Result<(), InvalidSchema> {
        for field in fields {
            self.add(1 + usize::from(field.default.is_some()) + usize::from(field.json_name.is_some()))?;
            self.options(&field.options, depth)?;
        }
        Ok(())
    }

    fn groups(&mut self, groups: &[Group], depth: usize) -> Result<(), InvalidSchema> {
        for group in groups {
            self.add(1)?;
            deep_enough(depth + 1)?;
            self.fields(&group.fields, depth + 1)?;
        }
        Ok(())
    }

    fn extend(&mut self, extend: &Extend, depth: usize) -> Result<(), InvalidSchema> {
        self.add(1)?;
        self.fields(&extend.fields, depth)
    }

    fn enum_(&mut self, enum_: &Enum, scope: Scope, depth: usize) -> Result<(), InvalidSchema> {
        scope.inside(&enum_.name)?;
        self.add(1)?;
        self.options(&enum_.options, depth)?;
        self.reserved(&enum_.reserved)?;
        for constant in &enum_.constants {
            self.add(1)?;
            self.options(&constant.options, depth)?;
        }
        Ok(())
    }

    fn reserved(&mut self, statements: &[Reserved]) -> Result<(), InvalidSchema> {
        statements.iter().try_for_each(|statement| self.add(1 + statement.items.len()))
    }
}

fn deep_enough(depth: usize) -> Result<(), InvalidSchema> {
    if depth > MAX_NESTING {
        return Err(InvalidSchema::TooComplex(format!("The schema nests deeper than {MAX_NESTING} levels")));
    }
    Ok(())
}
