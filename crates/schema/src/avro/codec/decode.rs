//! Avro's binary encoding to its JSON one.
//!
//! Unions are tagged but for null, bytes are texts in Latin-1, enums go by name; floats are widened to doubles before
//! they are printed. Of equal keys of a map the last counts. No value is built. What is left behind the value is no
//! concern of the reader's, as in the reference.
//!
//! Bounds: [`MAX_DEPTH`] values inside each other, [`MAX_JSON_BYTES`].
//!
//! Source: Avro Java `GenericDatumReader` and `JsonEncoder`, 1.12.

use std::collections::HashMap;

use super::encode::MAX_DEPTH;
use super::plan::{Node, NodeId, Plan};
use super::read::{Block, Reader};
use crate::Mismatch;
use crate::payload::print;

/// Longest JSON form.
const MAX_JSON_BYTES: usize = 64 * 1024 * 1024;

type Done = Result<(), Mismatch>;

/// Appends the JSON form of `payload`. On error `out` is as before.
pub(super) fn decode(plan: &Plan, payload: &[u8], out: &mut Vec<u8>) -> Done {
    let start = out.len();
    let limit = start + MAX_JSON_BYTES;
    let mut decoder = Decoder { plan, payload: Reader::new(payload), out, limit };
    let done = match plan.node(plan.root) {
        Node::Bytes => {
            decoder.latin1(payload);
            Ok(())
        }
        _ => decoder.value(plan.root, 0),
    };
    if done.is_err() {
        out.truncate(start);
    }
    done
}

struct Decoder<'p, 'w, 'o> {
    plan: &'p Plan,
    payload: Reader<'w>,
    out: &'o mut Vec<u8>,
    limit: usize,
}

impl Decoder<'_, '_, '_> {
    fn value(&mut self, node: NodeId, depth: usize) -> Done {
        if depth > MAX_DEPTH {
            return Err(too_deep());
        }
        if self.out.len() > self.limit {
            return Err(Mismatch(format!("The JSON form exceeds {} MiB", MAX_JSON_BYTES >> 20)));
        }
        let mut digits = itoa::Buffer::new();
        match self.plan.node(node) {
            Node::Null => self.out.extend_from_slice(b"null"),
            Node::Boolean => {
                let word: &[u8] = if self.payload.boolean()? { b"true" } else { b"false" };
                self.out.extend_from_slice(word);
            }
            Node::Int => {
                let value = self.payload.int()?;
                self.out.extend_from_slice(digits.format(value).as_bytes());
            }
            Node::Long => {
                let value = self.payload.long()?;
                self.out.extend_from_slice(digits.format(value).as_bytes());
            }
            Node::Float => print::double(f64::from(f32::from_le_bytes(self.payload.array()?)), self.out),
            Node::Double => print::double(f64::from_le_bytes(self.payload.array()?), self.out),
            Node::Bytes => {
                let bytes = self.payload.delimited()?;
                self.latin1(bytes);
            }
            Node::String => {
                let bytes = self.payload.delimited()?;
                print::text(&String::from_utf8_lossy(bytes), self.out);
            }
            Node::Fixed(size) => {
                let bytes = self.payload.take(*size)?;
                self.latin1(bytes);
            }
            Node::Enum(symbols) => {
                let at = self.payload.position(symbols.printed.len(), "There is no symbol")?;
                self.out.extend_from_slice(&symbols.printed[at]);
            }
            Node::Array(items) => self.array(*items, depth)?,
            Node::Map(values, _) => self.map(*values, depth)?,
            Node::Union(union) => {
                let at = self.payload.position(union.branches.len(), "There is no union branch")?;
                let branch = &union.branches[at];
                match &branch.printed {
                    None => self.out.extend_from_slice(b"null"),
                    Some(tag) => {
                        self.out.extend_from_slice(tag);
                        self.value(branch.node, depth + 1)?;
                        self.out.push(b'}');
                    }
                }
            }
            Node::Record(record) => {
                self.out.push(b'{');
                for (at, field) in record.fields.iter().enumerate() {
                    if at > 0 {
                        self.out.push(b',');
                    }
                    self.out.extend_from_slice(&field.printed);
                    self.value(field.node, depth + 1).map_err(|mismatch| in_field(mismatch, &field.name))?;
                }
                self.out.push(b'}');
            }
        }
        Ok(())
    }

    fn array(&mut self, items: NodeId, depth: usize) -> Done {
        self.out.push(b'[');
        let mut first = true;
        while let Block::Items(count) = self.payload.block()? {
            for _ in 0..count {
                if !std::mem::take(&mut first) {
                    self.out.push(b',');
                }
                self.value(items, depth + 1)?;
            }
        }
        self.out.push(b']');
        Ok(())
    }

    fn map(&mut self, values: NodeId, depth: usize) -> Done {
        self.out.push(b'{');
        let start = self.out.len();
        // Keys, and where each entry starts in `out`; only kept once there are two.
        let mut entries: Vec<(&[u8], usize)> = Vec::new();
        while let Block::Items(count) = self.payload.block()? {
            for _ in 0..count {
                if !entries.is_empty() {
                    self.out.push(b',');
                }
                let key = self.payload.delimited()?;
                entries.push((key, self.out.len()));
                print::text(&String::from_utf8_lossy(key), self.out);
                self.out.push(b':');
                self.value(values, depth + 1)?;
            }
        }
        if entries.len() > 1 {
            self.keep_last(&entries, start);
        }
        self.out.push(b'}');
        Ok(())
    }

    /// Of entries with equal keys keeps the last, where the first stood.
    fn keep_last(&mut self, entries: &[(&[u8], usize)], start: usize) {
        let mut last: HashMap<&[u8], usize> = HashMap::with_capacity(entries.len());
        for (at, (key, _)) in entries.iter().enumerate() {
            last.insert(key, at);
        }
        if last.len() == entries.len() {
            return;
        }
        let mut kept = Vec::with_capacity(self.out.len() - start);
        for (key, _) in entries {
            let Some(at) = last.remove(key) else { continue };
            let end = entries.get(at + 1).map_or(self.out.len(), |(_, next)| next - 1);
            if !kept.is_empty() {
                kept.push(b',');
            }
            kept.extend_from_slice(&self.out[entries[at].1..end]);
        }
        self.out.truncate(start);
        self.out.extend_from_slice(&kept);
    }

    fn latin1(&mut self, bytes: &[u8]) {
        let text: String = bytes.iter().map(|byte| char::from(*byte)).collect();
        print::text(&text, self.out);
    }
}

/// Says in which field a value does not fit.
#[cold]
pub(super) fn in_field(mismatch: Mismatch, name: &str) -> Mismatch {
    Mismatch(format!("Field \"{name}\" content mismatch: {}", mismatch.0))
}

/// The error of a value beyond [`MAX_DEPTH`].
pub(super) fn too_deep() -> Mismatch {
    Mismatch(format!("values are nested more than {MAX_DEPTH} deep"))
}
