//! Options: `name = value`, where a value is a word, a string, a `{ … }` or a `[ … ]`.
//!
//! Repeated names inside `{ … }` are gathered into a list here, as the reference's model is a map.

use std::collections::HashMap;

use super::reader::Reader;
use crate::InvalidSchema;
use crate::protobuf::model::{OptionElement, OptionValue};

/// The options in square brackets behind a field or constant, or none.
pub(super) fn bracketed(reader: &mut Reader<'_>) -> Result<Vec<OptionElement>, InvalidSchema> {
    let mut options = Vec::new();
    if !reader.take(b'[')? {
        return Ok(options);
    }
    loop {
        options.push(option(reader, '=')?);
        if reader.take(b']')? {
            return Ok(options);
        }
        if !reader.take(b',')? {
            return reader.unexpected("Expected ',' or ']");
        }
    }
}

/// One option; `separator` stands between its name and its value.
pub(super) fn option(reader: &mut Reader<'_>, separator: char) -> Result<OptionElement, InvalidSchema> {
    reader.count_element()?;
    let (name, bracket) = reader.name()?;
    let name = if bracket == Some('[') { format!("[{name}]") } else { name.to_owned() };
    let mut parts: Vec<(String, bool)> = Vec::new();
    let mut next = reader.next()?;
    while next == '.' {
        match reader.name()? {
            (part, Some('(')) => parts.push((part.to_owned(), true)),
            (part, Some(_)) => parts.extend(format!("[{part}]").split('.').map(|part| (part.to_owned(), false))),
            (part, None) => parts.extend(part.split('.').map(|part| (part.to_owned(), false))),
        }
        if parts.len() > super::MAX_NESTING {
            return Err(InvalidSchema::TooComplex(format!(
                "An option's name has more than {} parts",
                super::MAX_NESTING
            )));
        }
        next = reader.next()?;
    }
    if separator == ':' && next == '{' {
        // Text format: a message may follow its name without a colon.
        reader.push_back();
    } else if next != separator {
        return reader.unexpected(format_args!("expected '{separator}' in option"));
    }
    let mut value = value(reader)?;
    for (name, is_parenthesized) in parts.into_iter().rev() {
        value = OptionValue::Nested(Box::new(OptionElement { name, is_parenthesized, value }));
    }
    Ok(OptionElement { name, is_parenthesized: bracket == Some('('), value })
}

fn value(reader: &mut Reader<'_>) -> Result<OptionValue, InvalidSchema> {
    match reader.peek()? {
        b'{' => {
            reader.enter()?;
            let map = map(reader)?;
            reader.leave();
            Ok(map)
        }
        b'[' => {
            reader.enter()?;
            let list = list(reader)?;
            reader.leave();
            Ok(list)
        }
        b'"' | b'\'' => Ok(OptionValue::String(reader.quoted()?)),
        b'0'..=b'9' | b'-' => Ok(OptionValue::Number(reader.word()?.to_owned())),
        _ => Ok(match reader.word()? {
            "true" => OptionValue::Boolean(true),
            "false" => OptionValue::Boolean(false),
            word => OptionValue::Enum(word.to_owned()),
        }),
    }
}

fn list(reader: &mut Reader<'_>) -> Result<OptionValue, InvalidSchema> {
    reader.require('[')?;
    let mut items = Vec::new();
    loop {
        if reader.take(b']')? {
            return Ok(OptionValue::List(items));
        }
        reader.count_element()?;
        items.push(value(reader)?);
        if !reader.take(b',')? && reader.peek()? != b']' {
            return reader.unexpected("expected ',' or ']'");
        }
    }
}

fn map(reader: &mut Reader<'_>) -> Result<OptionValue, InvalidSchema> {
    reader.require('{')?;
    let mut entries = Entries::default();
    loop {
        if reader.take(b'}')? {
            return Ok(OptionValue::Map(entries.list));
        }
        let OptionElement { name, value, .. } = option(reader, ':')?;
        match value {
            OptionValue::Nested(part) => entries.put_part(name, *part),
            value => entries.add(name, value),
        }
        if !reader.take(b',')? {
            reader.take(b';')?;
        }
    }
}

/// Entries of a literal in first-seen order, found by name in constant time once there are many.
#[derive(Default)]
struct Entries {
    list: Vec<(String, OptionValue)>,
    places: HashMap<String, usize>,
    /// For names with parts, by their place: the places of the parts.
    parts: HashMap<usize, HashMap<String, usize>>,
}

impl Entries {
    const FEW: usize = 8;

    fn place(&mut self, name: &str) -> Option<usize> {
        if self.list.len() <= Entries::FEW {
            return self.list.iter().position(|(known, _)| known == name);
        }
        for place in self.places.len()..self.list.len() {
            self.places.insert(self.list[place].0.clone(), place);
        }
        self.places.get(name).copied()
    }

    /// A name seen before makes its value a list, or adds to the list that it is.
    fn add(&mut self, name: String, value: OptionValue) {
        let Some(place) = self.place(&name) else {
            self.list.push((name, value));
            return;
        };
        let known = &mut self.list[place].1;
        if !matches!(known, OptionValue::List(_)) {
            let first = std::mem::replace(known, OptionValue::List(Vec::new()));
            if let OptionValue::List(items) = known {
                items.push(first);
            }
        }
        if let OptionValue::List(items) = known {
            match value {
                OptionValue::List(more) => items.extend(more),
                one => items.push(one),
            }
        }
    }

    /// `name.part: value`: an entry of the map under `name`. The reference keeps only the text of a plain value
    /// there, so a number prints in quotes.
    fn put_part(&mut self, name: String, part: OptionElement) {
        let value = match part.value {
            OptionValue::Boolean(flag) => OptionValue::String(flag.to_string()),
            OptionValue::Number(word) | OptionValue::Enum(word) => OptionValue::String(word),
            other => other,
        };
        let place = match self.place(&name) {
            Some(place) => place,
            None => {
                self.list.push((name, OptionValue::Map(Vec::new())));
                self.list.len() - 1
            }
        };
        let under = &mut self.list[place].1;
        if !matches!(under, OptionValue::Map(_)) {
            *under = OptionValue::Map(Vec::new());
            self.parts.remove(&place);
        }
        let OptionValue::Map(entries) = under else { return };
        let places = self.parts.entry(place).or_default();
        // Entries of a map that was written as a whole are not known yet.
        for (at, (name, _)) in entries.iter().enumerate().skip(places.len()) {
            places.insert(name.clone(), at);
        }
        match places.get(&part.name) {
            Some(at) => entries[*at].1 = value,
            None => {
                places.insert(part.name.clone(), entries.len());
                entries.push((part.name, value));
            }
        }
    }
}
