//! YAML text → documents whose every key and value knows its place.
//!
//! Bounded: nesting, number of nodes (aliases count what they stand for) and size. Scalars stay text; what a
//! field means decides how it is read, so `no`, `off` and `1e3` are never turned into something else behind the
//! writer's back. Duplicate keys, merge keys and several anchors of one name are errors.

use std::collections::HashMap;
use std::sync::Arc;

use saphyr_parser::{Event, Parser, ScalarStyle, Span};

use crate::problem::{Level, Position, Problem, Problems};

/// Deepest nesting accepted.
const MAX_DEPTH: usize = 64;
/// Most nodes in one file, aliases expanded.
const MAX_NODES: usize = 200_000;

/// A value with its place.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Where it starts.
    pub at: Position,
    /// What it is.
    pub value: Value,
}

/// YAML's three kinds, and null.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Nothing, `~` or `null`.
    Null,
    /// Text; `plain` when it was not quoted (only then may it be a number or a boolean).
    Scalar {
        /// The text.
        text: String,
        /// Unquoted.
        plain: bool,
    },
    /// A list.
    Sequence(Vec<Node>),
    /// A mapping, in written order.
    Mapping(Vec<Entry>),
}

/// A key and its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The key's text.
    pub key: String,
    /// Where the key starts.
    pub key_at: Position,
    /// The value.
    pub value: Node,
}

impl Node {
    /// What a message calls it.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Scalar { .. } => "a single value",
            Value::Sequence(_) => "a list",
            Value::Mapping(_) => "a mapping",
        }
    }

    fn nodes(&self) -> usize {
        1 + match &self.value {
            Value::Sequence(items) => items.iter().map(Node::nodes).sum(),
            Value::Mapping(entries) => entries.iter().map(|entry| 1 + entry.value.nodes()).sum::<usize>(),
            Value::Null | Value::Scalar { .. } => 0,
        }
    }
}

/// All documents of `text` (separated by `---`), without empty ones. Syntax errors end the file: what stood before
/// is not given, because half a file must not be taken for a whole one.
pub fn parse(file: &Arc<str>, text: &str, problems: &mut Problems) -> Vec<Node> {
    let mut builder = Builder::default();
    for event in Parser::new_from_str(text) {
        let step = match event {
            Ok((event, span)) => builder.take(event, span),
            Err(error) => Err((
                Position { line: error.marker().line(), column: error.marker().col() + 1 },
                error.info().to_owned(),
            )),
        };
        if let Err((at, message)) = step {
            problems.0.push(Problem {
                file: file.clone(),
                at,
                pointer: String::new(),
                code: "Y001",
                level: Level::Error,
                message,
                hint: None,
            });
            return Vec::new();
        }
    }
    builder.documents
}

#[derive(Default)]
struct Builder {
    documents: Vec<Node>,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    nodes: usize,
}

struct Open {
    at: Position,
    anchor: usize,
    kind: OpenKind,
}

enum OpenKind {
    Sequence(Vec<Node>),
    Mapping(Vec<Entry>, Option<(String, Position)>),
}

type Step = Result<(), (Position, String)>;

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) -> Step {
        let at = Position { line: span.start.line(), column: span.start.col() + 1 };
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                if tag.is_some() {
                    return Err((at, "tags are not used here".to_owned()));
                }
                let plain = style == ScalarStyle::Plain;
                let value = match &*text {
                    "" | "~" | "null" | "Null" | "NULL" if plain => Value::Null,
                    _ => Value::Scalar { text: text.into_owned(), plain },
                };
                self.close(Node { at, value }, anchor)
            }
            Event::SequenceStart(anchor, _) => self.push(Open { at, anchor, kind: OpenKind::Sequence(Vec::new()) }),
            Event::MappingStart(anchor, _) => self.push(Open { at, anchor, kind: OpenKind::Mapping(Vec::new(), None) }),
            Event::SequenceEnd | Event::MappingEnd => {
                let Some(open) = self.open.pop() else { return Ok(()) };
                let value = match open.kind {
                    OpenKind::Sequence(items) => Value::Sequence(items),
                    OpenKind::Mapping(entries, _) => Value::Mapping(entries),
                };
                self.close(Node { at: open.at, value }, open.anchor)
            }
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    return Err((at, "an alias to something that is not finished yet".to_owned()));
                };
                self.nodes += node.nodes();
                self.close(node, 0)
            }
            _ => Ok(()),
        }
    }

    fn push(&mut self, open: Open) -> Step {
        if self.open.len() >= MAX_DEPTH {
            return Err((open.at, format!("nested deeper than {MAX_DEPTH} levels")));
        }
        self.open.push(open);
        Ok(())
    }

    fn close(&mut self, node: Node, anchor: usize) -> Step {
        self.nodes += 1;
        if self.nodes > MAX_NODES {
            return Err((node.at, format!("more than {MAX_NODES} values")));
        }
        if anchor != 0 {
            self.anchors.insert(anchor, node.clone());
        }
        match self.open.last_mut().map(|open| &mut open.kind) {
            None => {
                if node.value != Value::Null {
                    self.documents.push(node);
                }
            }
            Some(OpenKind::Sequence(items)) => items.push(node),
            Some(OpenKind::Mapping(entries, pending)) => match pending.take() {
                Some((key, key_at)) => entries.push(Entry { key, key_at, value: node }),
                None => {
                    let Value::Scalar { text, .. } = node.value else {
                        return Err((node.at, "a key must be a single value".to_owned()));
                    };
                    if text == "<<" {
                        return Err((node.at, "merge keys (<<) are not used here".to_owned()));
                    }
                    if let Some(first) = entries.iter().find(|entry| entry.key == text) {
                        return Err((
                            node.at,
                            format!("key {text:?} stands twice, first in line {}", first.key_at.line),
                        ));
                    }
                    *pending = Some((text, node.at));
                }
            },
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> (Vec<Node>, Problems) {
        let mut problems = Problems::default();
        let documents = parse(&"f.yaml".into(), text, &mut problems);
        (documents, problems)
    }

    #[test]
    fn every_value_knows_its_line() {
        let (documents, problems) = parsed("a: 1\nb:\n  - x\n  - y: off\n---\nc: ~\n");
        assert!(problems.0.is_empty(), "{problems:?}");
        assert_eq!(documents.len(), 2);
        let Value::Mapping(entries) = &documents[0].value else { panic!("{documents:?}") };
        assert_eq!((entries[1].key.as_str(), entries[1].key_at.line), ("b", 2));
        let Value::Sequence(items) = &entries[1].value.value else { panic!() };
        assert_eq!(items[1].at, Position { line: 4, column: 5 });
        let Value::Mapping(inner) = &items[1].value else { panic!() };
        assert_eq!(inner[0].value.value, Value::Scalar { text: "off".into(), plain: true });
    }

    #[test]
    fn a_key_that_stands_twice_is_an_error_with_both_lines() {
        let (documents, problems) = parsed("a: 1\na: 2\n");
        assert!(documents.is_empty());
        assert_eq!(problems.0[0].to_string(), "f.yaml:2:1: error[Y001] /: key \"a\" stands twice, first in line 1");
    }

    #[test]
    fn deep_nesting_and_alias_bombs_end_in_an_error() {
        let (_, problems) = parsed(&"[".repeat(10_000));
        assert!(problems.has_errors());
        let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        for level in 1..9 {
            let inner = vec![format!("*a{}", level - 1); 10].join(", ");
            bomb.push_str(&format!("a{level}: &a{level} [{inner}]\n"));
        }
        let (documents, problems) = parsed(&bomb);
        assert!(documents.is_empty() && problems.has_errors());
    }
}
