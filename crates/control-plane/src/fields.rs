//! Reads the fields of a mapping, and reports everything that does not fit, each with its place.
//!
//! [`Fields`] hands out each field once; [`Fields::finish`] reports the keys nobody asked for, with the nearest
//! known key as a hint. Used for the control-plane files and for the server's configuration.

use std::sync::Arc;

use crate::document::{Entry, Node, Value};
use crate::problem::{Level, Position, Problem, Problems, nearest};

/// Where problems go, and how files are named in them.
#[derive(Debug)]
pub struct Report<'a> {
    /// File named in problems.
    pub file: Arc<str>,
    /// Collected problems.
    pub problems: &'a mut Problems,
}

impl Report<'_> {
    /// Adds a problem.
    pub fn add(
        &mut self,
        level: Level,
        code: &'static str,
        at: Position,
        pointer: &str,
        message: String,
        hint: Option<String>,
    ) {
        let problem = Problem { file: self.file.clone(), at, pointer: pointer.to_owned(), code, level, message, hint };
        self.problems.0.push(problem);
    }
}

/// A value, where it stands, and its pointer.
#[derive(Debug, Clone)]
pub struct Located<'n> {
    /// The node.
    pub node: &'n Node,
    /// JSON pointer inside the document.
    pub pointer: String,
}

/// The fields of one mapping.
#[derive(Debug)]
pub struct Fields<'n> {
    entries: &'n [Entry],
    known: Vec<&'static str>,
    at: Position,
    pointer: String,
}

impl<'n> Fields<'n> {
    /// The fields of `value`; anything but a mapping is an error and gives `None`.
    pub fn of(value: &Located<'n>, report: &mut Report<'_>) -> Option<Fields<'n>> {
        match &value.node.value {
            Value::Mapping(entries) => {
                Some(Fields { entries, known: Vec::new(), at: value.node.at, pointer: value.pointer.clone() })
            }
            _ => {
                let message = format!("expected a mapping, found {}", value.node.kind());
                report.add(Level::Error, "F002", value.node.at, &value.pointer, message, None);
                None
            }
        }
    }

    /// The fields of a document's root.
    pub fn of_document(node: &'n Node, report: &mut Report<'_>) -> Option<Fields<'n>> {
        Fields::of(&Located { node, pointer: String::new() }, report)
    }

    /// Where the mapping starts.
    pub fn at(&self) -> Position {
        self.at
    }

    /// JSON pointer of a field of this mapping.
    pub fn pointer_of(&self, name: &str) -> String {
        format!("{}/{}", self.pointer, name.replace('~', "~0").replace('/', "~1"))
    }

    /// The value of `name`; absent and null are the same.
    pub fn optional(&mut self, name: &'static str) -> Option<Located<'n>> {
        self.known.push(name);
        let entry = self.entries.iter().find(|entry| entry.key == name)?;
        (entry.value.value != Value::Null).then(|| Located { node: &entry.value, pointer: self.pointer_of(name) })
    }

    /// The value of `name`; its absence is an error.
    pub fn required(&mut self, name: &'static str, report: &mut Report<'_>) -> Option<Located<'n>> {
        let found = self.optional(name);
        if found.is_none() {
            let pointer = self.pointer_of(name);
            report.add(Level::Error, "F001", self.at, &pointer, format!("`{name}` is required"), None);
        }
        found
    }

    /// Every key with its value, for mappings of free keys; nothing is unknown then.
    pub fn all(self) -> impl Iterator<Item = (&'n str, Located<'n>)> {
        let pointer = self.pointer.clone();
        self.entries.iter().map(move |entry| {
            let pointer = format!("{pointer}/{}", entry.key.replace('~', "~0").replace('/', "~1"));
            (entry.key.as_str(), Located { node: &entry.value, pointer })
        })
    }

    /// Reports the keys that were never asked for.
    pub fn finish(self, report: &mut Report<'_>) {
        for entry in self.entries.iter().filter(|entry| !self.known.contains(&entry.key.as_str())) {
            let hint = match nearest(&entry.key, self.known.iter().copied()) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known keys here: {}", self.known.join(", ")),
            };
            let pointer = self.pointer_of(&entry.key);
            let message = format!("unknown key `{}`", entry.key);
            report.add(Level::Error, "F003", entry.key_at, &pointer, message, Some(hint));
        }
    }
}

impl<'n> Located<'n> {
    /// Reports an error at this value.
    pub fn error(&self, report: &mut Report<'_>, code: &'static str, message: String, hint: Option<String>) {
        report.add(Level::Error, code, self.node.at, &self.pointer, message, hint);
    }

    /// Reports a warning at this value.
    pub fn warn(&self, report: &mut Report<'_>, code: &'static str, message: String, hint: Option<String>) {
        report.add(Level::Warning, code, self.node.at, &self.pointer, message, hint);
    }

    /// Its text; lists and mappings are errors.
    pub fn text(&self, report: &mut Report<'_>) -> Option<&'n str> {
        match &self.node.value {
            Value::Scalar { text, .. } => Some(text),
            _ => {
                self.error(report, "F002", format!("expected a single value, found {}", self.node.kind()), None);
                None
            }
        }
    }

    /// `true` or `false`, unquoted.
    pub fn boolean(&self, report: &mut Report<'_>) -> Option<bool> {
        match &self.node.value {
            Value::Scalar { text, plain: true } if text == "true" => Some(true),
            Value::Scalar { text, plain: true } if text == "false" => Some(false),
            _ => {
                self.error(report, "F002", "expected true or false".to_owned(), None);
                None
            }
        }
    }

    /// A whole number within `range`.
    pub fn integer(&self, range: std::ops::RangeInclusive<i64>, report: &mut Report<'_>) -> Option<i64> {
        let number = match &self.node.value {
            Value::Scalar { text, plain: true } => text.parse::<i64>().ok(),
            _ => None,
        };
        match number {
            Some(number) if range.contains(&number) => Some(number),
            _ => {
                let message = format!("expected a whole number from {} to {}", range.start(), range.end());
                self.error(report, "F002", message, None);
                None
            }
        }
    }

    /// What `read` makes of the text; its refusal becomes the problem.
    pub fn parsed<T>(&self, read: impl Fn(&str) -> Result<T, String>, report: &mut Report<'_>) -> Option<T> {
        match read(self.text(report)?) {
            Ok(value) => Some(value),
            Err(message) => {
                self.error(report, "F002", message, None);
                None
            }
        }
    }

    /// One of `words`.
    pub fn one_of<T: Copy>(&self, words: &[(&'static str, T)], report: &mut Report<'_>) -> Option<T> {
        let text = self.text(report)?;
        if let Some((_, value)) = words.iter().find(|(word, _)| *word == text) {
            return Some(*value);
        }
        let list: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        let hint = nearest(text, list.iter().copied()).map(|meant| format!("did you mean `{meant}`?"));
        self.error(report, "F002", format!("{text:?} is none of {}", list.join(", ")), hint);
        None
    }

    /// The items of a list.
    pub fn items(&self, report: &mut Report<'_>) -> Option<Vec<Located<'n>>> {
        match &self.node.value {
            Value::Sequence(items) => Some(
                items
                    .iter()
                    .enumerate()
                    .map(|(index, node)| Located { node, pointer: format!("{}/{index}", self.pointer) })
                    .collect(),
            ),
            _ => {
                self.error(report, "F002", format!("expected a list, found {}", self.node.kind()), None);
                None
            }
        }
    }

    /// A list of texts.
    pub fn texts(&self, report: &mut Report<'_>) -> Option<Vec<String>> {
        let items = self.items(report)?;
        Some(items.iter().filter_map(|item| item.text(report).map(str::to_owned)).collect())
    }

    /// A mapping of free keys to texts, in written order.
    pub fn text_map(&self, report: &mut Report<'_>) -> Option<Vec<(String, String)>> {
        let fields = Fields::of(self, report)?;
        Some(
            fields
                .all()
                .filter_map(|(key, value)| value.text(report).map(|text| (key.to_owned(), text.to_owned())))
                .collect(),
        )
    }
}
