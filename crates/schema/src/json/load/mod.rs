//! From JSON text to the [`Model`]: what the reference builds before it compares, and what it refuses on the way.
//!
//! `legacy` is everit's loader (drafts 4, 6 and 7), `modern` is json-sKema's with the translation into everit's
//! shapes (2019-09 and 2020-12). The draft of the root decides for everything it refers to; without a known
//! `$schema` it is draft 7. Nothing is ever fetched: a `$ref` leads into the text, its references or a meta-schema.
//!
//! What a `$ref` points to is queued and loaded once per target, so chains and cycles of them cost neither stack nor
//! time; nodes are capped. To add a keyword: its node in `model`, its arm in both loaders.
//!
//! Source: everit-json-schema 1.14 `loader`; json-sKema 0.25 `SchemaLoader`; schema-registry `json/JsonSchema`, 8.2.0.

mod legacy;
mod modern;
mod pattern;
mod piece;
mod uri;

use std::collections::{HashMap, VecDeque};
use std::rc::Rc;
use std::sync::LazyLock;

use super::model::{Kind, Model, Node, NodeId};
use super::named::Named;
use super::text;
use super::value::{Number, Value};

/// Nodes of a model, with everything it refers to.
const MAX_NODES: usize = 262_144;

/// Why there is no model.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LoadError {
    /// A keyword that cannot be, or a `$ref` that leads nowhere; in words.
    Invalid(String),
    /// A `$ref` to an address on the network.
    Remote(String),
    /// More than [`MAX_NODES`] nodes.
    TooLarge,
}

impl LoadError {
    fn keyword(name: &str, wanted: &str, found: &Value) -> LoadError {
        LoadError::Invalid(format!("{name}: expected {wanted}, found {}", kind_of(found)))
    }
}

impl std::fmt::Display for LoadError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            LoadError::Invalid(why) => f.write_str(why),
            LoadError::Remote(uri) => write!(f, "{uri} is on the network"),
            LoadError::TooLarge => write!(f, "more than {MAX_NODES} schemas"),
        }
    }
}

/// The name of a value's kind.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

/// A draft of JSON Schema, as far as they differ here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Draft {
    /// `http://json-schema.org/draft-04/schema`, and `http://json-schema.org/schema`
    Four,
    /// `http://json-schema.org/draft-06/schema`
    Six,
    /// `http://json-schema.org/draft-07/schema`
    Seven,
    /// `https://json-schema.org/draft/2019-09/schema`
    Y2019,
    /// `https://json-schema.org/draft/2020-12/schema`
    Y2020,
}

impl Draft {
    /// The draft that a document's `$schema` names, if it is one of the five. For the newer ones every letter counts
    /// (with a `#` at the end it is none of them), for the older ones the start does.
    pub fn named_by(document: &Value) -> Option<Draft> {
        let name = schema_name(document)?;
        match name {
            "json-schema.org/draft/2019-09/schema" => return Some(Draft::Y2019),
            "json-schema.org/draft/2020-12/schema" => return Some(Draft::Y2020),
            _ => {}
        }
        let drafts = [
            ("json-schema.org/draft-04/schema", Draft::Four),
            ("json-schema.org/schema", Draft::Four),
            ("json-schema.org/draft-06/schema", Draft::Six),
            ("json-schema.org/draft-07/schema", Draft::Seven),
        ];
        drafts.into_iter().find(|(start, _)| name.starts_with(start)).map(|(_, draft)| draft)
    }

    /// The draft that the reference reads a root document by.
    pub fn of_root(root: &Value) -> Draft {
        Draft::named_by(root).unwrap_or(Draft::Seven)
    }

    fn id_keyword(self) -> &'static str {
        if self == Draft::Four { "id" } else { "$id" }
    }
}

/// The address in `$schema` behind its `http://` or `https://`.
fn schema_name(document: &Value) -> Option<&str> {
    let name = document.get("$schema")?.as_str()?;
    name.strip_prefix("https://").or_else(|| name.strip_prefix("http://"))
}

/// A document that the schema refers to under `name`.
#[derive(Debug)]
pub struct Referenced {
    /// As the reference carries it.
    pub name: Box<str>,
    /// Its text, parsed; `None` when it is not JSON.
    pub document: Option<Value>,
}

/// What becomes of a `$ref`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refs {
    /// It must lead somewhere.
    Follow,
    /// It stands for nothing, and definitions are loaded in place instead: what tags are looked for in.
    Ignore,
}

/// Levels of JSON that a caller's stack is good for. Loading takes up to 20 KiB of stack a level in a debug build.
const SHALLOW: usize = 32;
/// Stack for [`text::MAX_DEPTH`] levels.
const DEEP_STACK: usize = 16 * 1024 * 1024;

/// Does `work`, which recurses as `documents` are nested, where there is stack enough for it: texts nested deeply, which
/// nobody writes by hand, get a thread of their own for the time. An error is that there is no memory for one.
pub(super) fn with_stack<'v, T: Send>(
    mut documents: impl Iterator<Item = &'v Value>,
    work: impl FnOnce() -> T + Send,
) -> Result<T, LoadError> {
    if !documents.any(|document| is_deeper_than(document, SHALLOW)) {
        return Ok(work());
    }
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(DEEP_STACK).spawn_scoped(scope, work);
        let done = thread.ok().and_then(|thread| thread.join().ok());
        done.ok_or_else(|| LoadError::Invalid("nested too deeply for the memory there is".to_owned()))
    })
}

fn is_deeper_than(value: &Value, levels: usize) -> bool {
    let inner = |value: &Value| levels == 0 || is_deeper_than(value, levels - 1);
    match value {
        Value::Array(elements) => elements.iter().any(inner),
        Value::Object(members) => members.iter().any(|(_, value)| inner(value)),
        _ => false,
    }
}

/// The model of `root`, an object or boolean.
pub fn load(root: &Value, referenced: &[Referenced], refs: Refs) -> Result<Model, LoadError> {
    let documents = std::iter::once(root).chain(referenced.iter().filter_map(|one| one.document.as_ref()));
    with_stack(documents, || load_here(root, referenced, refs))?
}

fn load_here(root: &Value, referenced: &[Referenced], refs: Refs) -> Result<Model, LoadError> {
    let mut loader = Loader { nodes: Vec::new(), referenced, refs, pending: VecDeque::new(), targets: HashMap::new() };
    let root = match root {
        Value::Bool(allows) => loader.add(Node::new(if *allows { Kind::True } else { Kind::False }))?,
        root if Draft::of_root(root) >= Draft::Y2019 => modern::load(&mut loader, root)?,
        root => legacy::load(&mut loader, root)?,
    };
    Ok(Model { nodes: loader.nodes, root })
}

/// The node of a part of a schema by itself, as draft 4, its `$ref`s leading nowhere. The reference orders the parts
/// of a combination by these when it looks for tags.
pub fn load_part(part: &Value) -> Result<Model, LoadError> {
    with_stack(std::iter::once(part), || load_part_here(part))?
}

fn load_part_here(part: &Value) -> Result<Model, LoadError> {
    let (targets, pending) = (HashMap::new(), VecDeque::new());
    let mut loader = Loader { nodes: Vec::new(), referenced: &[], refs: Refs::Ignore, pending, targets };
    let root = legacy::load_as(&mut loader, part, Draft::named_by(part).unwrap_or(Draft::Four))?;
    Ok(Model { nodes: loader.nodes, root })
}

/// Where a schema stands: its document, and the URI that references in it are seen from.
#[derive(Debug, Clone)]
struct Scope<'a> {
    document: Document<'a>,
    base: Option<Rc<str>>,
}

#[derive(Debug, Clone, Copy)]
struct Document<'a> {
    root: &'a Value,
    draft: Draft,
}

/// A target of a `$ref` that is not loaded yet.
struct Pending<'a> {
    slot: NodeId,
    value: &'a Value,
    scope: Scope<'a>,
}

struct Loader<'a> {
    nodes: Vec<Node>,
    referenced: &'a [Referenced],
    refs: Refs,
    pending: VecDeque<Pending<'a>>,
    /// The nodes of all targets, by absolute URI.
    targets: HashMap<String, NodeId>,
}

impl<'a> Loader<'a> {
    fn add(&mut self, node: Node) -> Result<NodeId, LoadError> {
        if self.nodes.len() >= MAX_NODES {
            return Err(LoadError::TooLarge);
        }
        let id = NodeId(self.nodes.len() as u32);
        self.nodes.push(node);
        Ok(id)
    }

    fn node(&self, id: NodeId) -> &Node {
        &self.nodes[id.0 as usize]
    }

    /// A node for `value` that is loaded later.
    fn queue(&mut self, uri: String, value: &'a Value, scope: Scope<'a>) -> Result<NodeId, LoadError> {
        let slot = self.add(Node::new(Kind::Empty))?;
        self.targets.insert(uri, slot);
        self.pending.push_back(Pending { slot, value, scope });
        Ok(slot)
    }

    /// Loads what is queued, and what that queues.
    fn drain(
        &mut self,
        mut load: impl FnMut(&mut Loader<'a>, &'a Value, &Scope<'a>) -> Result<Node, LoadError>,
    ) -> Result<(), LoadError> {
        while let Some(Pending { slot, value, scope }) = self.pending.pop_front() {
            let node = load(self, value, &scope)?;
            self.nodes[slot.0 as usize] = node;
        }
        Ok(())
    }
}

/// The `definitions` of a document that also stand in its `$defs`: those that `$defs` does not have itself. The
/// reference puts them there before it loads a document, so that `#/$defs/x` finds a schema in either.
fn bridged(document: &Value) -> Option<impl Iterator<Item = (&str, &Value)>> {
    let definitions = document.get("definitions").and_then(Value::as_object)?;
    let own = match document.get("$defs") {
        None => None,
        Some(defs) => Some(defs.as_object()?),
    };
    Some(definitions.iter().filter(move |(name, _)| own.is_none_or(|own| !own.contains(name))))
}

/// What `pointer` (`/a/b`, encoded) leads to from `root`, and every value on the way, root first. In a whole document
/// `/$defs/x` finds what stands in `definitions`, too.
fn follow<'a>(root: &'a Value, pointer: &str, is_document: bool) -> Option<Vec<&'a Value>> {
    let mut way = vec![root];
    let mut here = root;
    let mut in_defs = false;
    for (depth, step) in pointer.split('/').skip(1).enumerate() {
        let step = uri::pointer_step(step);
        here = match here {
            Value::Object(members) => match members.get(&step) {
                Some(value) => value,
                // Nothing but what is bridged has its way through a missing `$defs`.
                None if is_document && depth == 0 && step == "$defs" => root.get("definitions")?,
                None if in_defs => root.get("definitions")?.as_object()?.get(&step)?,
                None => return None,
            },
            Value::Array(elements) => elements.get(step.parse::<usize>().ok()?)?,
            _ => return None,
        };
        in_defs = is_document && depth == 0 && step == "$defs";
        way.push(here);
    }
    Some(way)
}

/// The meta-schemas that the reference carries, by URI.
fn meta_schema(uri: &str) -> Option<&'static Value> {
    static ALL: LazyLock<Vec<(&str, Value)>> = LazyLock::new(|| {
        let read = |(uri, text): &(&'static str, &str)| Some((*uri, text::parse(text).ok()?));
        META_SCHEMAS.iter().filter_map(read).collect()
    });
    ALL.iter().find(|(name, _)| *name == uri).map(|(_, value)| value)
}

macro_rules! meta_schemas {
    ($($uri:literal $file:literal)*) => {
        const META_SCHEMAS: &[(&str, &str)] =
            &[$(($uri, include_str!(concat!("../../../json-schema/", $file)))),*];
    };
}

meta_schemas! {
    "http://json-schema.org/draft-04/schema" "draft4.json"
    "http://json-schema.org/draft-06/schema" "draft6.json"
    "http://json-schema.org/draft-07/schema" "draft7.json"
    "https://json-schema.org/draft/2019-09/schema" "draft2019-09/schema.json"
    "https://json-schema.org/draft/2019-09/meta/core" "draft2019-09/core.json"
    "https://json-schema.org/draft/2019-09/meta/applicator" "draft2019-09/applicator.json"
    "https://json-schema.org/draft/2019-09/meta/validation" "draft2019-09/validation.json"
    "https://json-schema.org/draft/2019-09/meta/meta-data" "draft2019-09/meta-data.json"
    "https://json-schema.org/draft/2019-09/meta/format" "draft2019-09/format.json"
    "https://json-schema.org/draft/2019-09/meta/content" "draft2019-09/content.json"
    "https://json-schema.org/draft/2020-12/schema" "draft2020-12/schema.json"
    "https://json-schema.org/draft/2020-12/meta/core" "draft2020-12/core.json"
    "https://json-schema.org/draft/2020-12/meta/applicator" "draft2020-12/applicator.json"
    "https://json-schema.org/draft/2020-12/meta/unevaluated" "draft2020-12/unevaluated.json"
    "https://json-schema.org/draft/2020-12/meta/validation" "draft2020-12/validation.json"
    "https://json-schema.org/draft/2020-12/meta/meta-data" "draft2020-12/meta-data.json"
    "https://json-schema.org/draft/2020-12/meta/format-annotation" "draft2020-12/format-annotation.json"
    "https://json-schema.org/draft/2020-12/meta/content" "draft2020-12/content.json"
}

/// The error of a document that is not at hand.
fn not_here(uri: &str) -> LoadError {
    if uri.starts_with("http://") || uri.starts_with("https://") {
        return LoadError::Remote(uri.to_owned());
    }
    LoadError::Invalid(format!("$ref: nothing is known under {uri}"))
}

/// A keyword's value as a string, or the error that it is none.
fn string<'a>(name: &str, value: &'a Value) -> Result<&'a str, LoadError> {
    value.as_str().ok_or_else(|| LoadError::keyword(name, "a string", value))
}

fn boolean(name: &str, value: &Value) -> Result<bool, LoadError> {
    match value {
        Value::Bool(value) => Ok(*value),
        _ => Err(LoadError::keyword(name, "a boolean", value)),
    }
}

fn number(name: &str, value: &Value) -> Result<Number, LoadError> {
    value.as_number().cloned().ok_or_else(|| LoadError::keyword(name, "a number", value))
}

fn array<'a>(name: &str, value: &'a Value) -> Result<&'a [Value], LoadError> {
    value.as_array().ok_or_else(|| LoadError::keyword(name, "an array", value))
}

fn object<'a>(name: &str, value: &'a Value) -> Result<&'a Named<Value>, LoadError> {
    value.as_object().ok_or_else(|| LoadError::keyword(name, "an object", value))
}

fn strings(name: &str, value: &Value) -> Result<Vec<Box<str>>, LoadError> {
    array(name, value)?.iter().map(|element| Ok(string(name, element)?.into())).collect()
}

fn regex(name: &str, pattern: &str) -> Result<Box<str>, LoadError> {
    if pattern::is_broken(pattern) {
        return Err(LoadError::Invalid(format!("{name}: not a regular expression: {pattern}")));
    }
    Ok(pattern.into())
}

/// The members that `is_taken` leaves over, as an object; `None` when there are none.
fn left_over(members: &Named<Value>, is_taken: impl Fn(&str) -> bool) -> Option<Value> {
    let left = members.iter().filter(|(name, _)| !is_taken(name));
    let left: Vec<(Box<str>, Value)> = left.map(|(name, value)| (name.into(), value.clone())).collect();
    (!left.is_empty()).then(|| Value::Object(Named::from_entries(left)))
}

#[cfg(test)]
mod tests;
