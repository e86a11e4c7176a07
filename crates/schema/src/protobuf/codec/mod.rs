//! JSON ↔ protobuf over a plan compiled once per schema.
//!
//! `plan` holds the tables; `encode` reads JSON (`payload::json`, `wellknown`) and writes the wire form;
//! `decode` and `check` read the wire form (`read`), `decode` printing JSON. No message tree is built in either
//! direction.
//!
//! What is accepted, written and said of bad data follows protobuf-java's `JsonFormat` behind Jackson, the pair the
//! reference proxy uses. Two additions: an `Any` may hold any message of the schema and its imports, and `[full.name]`
//! names an extension; the reference knows neither.

mod check;
mod decode;
mod encode;
mod plan;
mod read;
mod wellknown;

use std::collections::HashMap;

use prost_reflect::{FileDescriptor, MessageDescriptor};
use prost_types::FileDescriptorProto;

use super::model::Message;
use super::{link, resolve};
use crate::InvalidSchema;
pub use crate::payload::Mismatch;
use crate::wire::{self, MessageIndexes};

/// Compiled plans of all messages of a schema and its imports. Immutable, shared.
#[derive(Debug)]
pub struct Codec {
    plans: plan::Plans,
    /// Messages of the root file: index path → position.
    by_indexes: HashMap<MessageIndexes, u32>,
    /// Position → index path, for messages of the root file.
    indexes: HashMap<u32, MessageIndexes>,
    package: Box<str>,
}

/// A message of a codec's schema. Only meaningful to the codec that gave it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MessagePlan(pub(crate) u32);

impl Codec {
    /// Links `files` (dependencies first) and compiles the codec of the one named `root`; for descriptors that come
    /// from elsewhere than a schema's text. Fails when they do not link.
    pub fn from_descriptors(files: Vec<FileDescriptorProto>, root: &str) -> Result<Codec, InvalidSchema> {
        Ok(Codec::from_file(&link::link_files(files, root)?))
    }

    /// Compiles the codec of a linked file. Index paths count the messages as the file's text has them: entries that
    /// stand for `map<…>` fields are left out.
    pub fn from_file(root: &FileDescriptor) -> Codec {
        let mut paths = Vec::new();
        let mut open: Vec<(Vec<i32>, MessageDescriptor)> =
            root.messages().enumerate().map(|(at, message)| (vec![at as i32], message)).collect();
        while let Some((path, message)) = open.pop() {
            let children = message.child_messages().filter(|child| !child.is_map_entry());
            open.extend(children.enumerate().map(|(at, child)| ([&*path, &[at as i32]].concat(), child)));
            paths.push((MessageIndexes(path.into()), message.full_name().to_owned()));
        }
        Codec::from_paths(root, paths)
    }

    /// As [`Codec::from_file`], with the index path of each message of the file given beside its full name.
    pub(crate) fn from_paths(root: &FileDescriptor, paths: Vec<(MessageIndexes, String)>) -> Codec {
        let plans = plan::compile(root);
        let mut by_indexes = HashMap::with_capacity(paths.len());
        let mut indexes = HashMap::with_capacity(paths.len());
        for (path, name) in paths {
            if let Some(at) = plans.by_name.get(name.as_str()) {
                by_indexes.insert(path.clone(), *at);
                indexes.insert(*at, path);
            }
        }
        Codec { plans, by_indexes, indexes, package: root.package_name().into() }
    }

    /// The first top-level message. `None` for a file without messages.
    pub fn first_message(&self) -> Option<MessagePlan> {
        self.message_by_indexes(&MessageIndexes::first())
    }

    /// The message of this name in the schema's own file: full, or relative to the file's package.
    pub fn message_by_name(&self, name: &str) -> Option<MessagePlan> {
        let own = |full: &str| self.plans.by_name.get(full).filter(|at| self.indexes.contains_key(at));
        let relative = || own(&format!("{}.{name}", self.package));
        own(name).or_else(relative).map(|at| MessagePlan(*at))
    }

    /// The message at this index path.
    pub fn message_by_indexes(&self, indexes: &MessageIndexes) -> Option<MessagePlan> {
        self.by_indexes.get(indexes).map(|at| MessagePlan(*at))
    }

    /// Index path of a message of the root file.
    pub fn indexes(&self, message: MessagePlan) -> &MessageIndexes {
        // Every MessagePlan comes from one of the look-ups above, so the path is there; another codec's plan
        // gets the path of the first message.
        self.indexes.get(&message.0).unwrap_or_else(|| first_path())
    }

    /// Full name of a message.
    pub fn full_name(&self, message: MessagePlan) -> &str {
        &self.plan(message).full_name
    }

    /// Appends the binary form of `json` (one JSON value, UTF-8) to `out`. Fields are written in number order,
    /// map entries in JSON order. On error `out` is as long as before.
    pub fn encode_json(&self, message: MessagePlan, json: &[u8], out: &mut Vec<u8>) -> Result<(), Mismatch> {
        encode::encode(&self.plans, self.plan(message), json, out)
    }

    /// Appends the JSON form of `payload`: camelCase names, 64-bit integers as text, enums by name, fields without
    /// presence with their defaults.
    pub fn decode_json(&self, message: MessagePlan, payload: &[u8], out: &mut Vec<u8>) -> Result<(), Mismatch> {
        decode::decode(&self.plans, self.plan(message), payload, out)
    }

    /// Whether `payload` decodes under `message`; allocates nothing.
    pub fn check(&self, message: MessagePlan, payload: &[u8]) -> Result<(), Mismatch> {
        check::check(&self.plans, self.plan(message), payload, 0)
    }

    /// Checks what stands behind the id of a frame (message indexes, then payload); gives the message named there.
    pub fn check_framed(&self, after_id: &[u8]) -> Result<MessagePlan, Mismatch> {
        let (indexes, payload) = wire::split_indexes(after_id).map_err(|bad| Mismatch(bad.to_string()))?;
        let message = self
            .message_by_indexes(&indexes)
            .ok_or_else(|| Mismatch(format!("the schema has no message at indexes {:?}", indexes.0)))?;
        self.check(message, payload).map(|()| message)
    }

    fn plan(&self, message: MessagePlan) -> &plan::Message {
        &self.plans.messages[message.0 as usize]
    }
}

fn first_path() -> &'static MessageIndexes {
    static FIRST: std::sync::OnceLock<MessageIndexes> = std::sync::OnceLock::new();
    FIRST.get_or_init(MessageIndexes::first)
}

/// Compiles the codec of a schema. What cannot be linked has no codec.
///
/// Index paths count the messages that the schema's text has: those of `map<…>` fields and groups do not count,
/// entries that a descriptor spelled out do.
pub(crate) fn compile(schema: &super::ProtobufSchema) -> Result<Codec, InvalidSchema> {
    let linked = link::link(schema)?;
    let mut paths = Vec::new();
    collect_paths(linked.package_name(), &[], &schema.file().messages, &mut paths);
    Ok(Codec::from_paths(&linked, paths))
}

/// As deep as messages nest, which parsing caps.
fn collect_paths(scope: &str, path: &[i32], messages: &[Message], out: &mut Vec<(MessageIndexes, String)>) {
    for (at, message) in messages.iter().enumerate() {
        let path = [path, &[at as i32]].concat();
        let full_name = resolve::join(scope, &message.name);
        collect_paths(&full_name, &path, &message.messages, out);
        out.push((MessageIndexes(path.into()), full_name));
    }
}
