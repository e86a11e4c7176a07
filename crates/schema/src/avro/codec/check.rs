//! Whether a payload is one value of a schema, without printing it.
//!
//! Unlike the reader, it minds what is left behind the value, booleans that are neither 0 nor 1 and texts that are not
//! UTF-8: Avro says nothing of itself, so those mean that another schema wrote the bytes.

use super::decode::{in_field, too_deep};
use super::encode::MAX_DEPTH;
use super::plan::{Node, NodeId, Plan};
use super::read::{Block, Reader};
use crate::Mismatch;

type Done = Result<(), Mismatch>;

/// Whether `payload` is a value of the schema, and no more.
pub(super) fn check(plan: &Plan, payload: &[u8]) -> Done {
    if matches!(plan.node(plan.root), Node::Bytes) {
        return Ok(());
    }
    let mut checker = Checker { plan, payload: Reader::new(payload) };
    checker.value(plan.root, 0)?;
    match checker.payload.left() {
        0 => Ok(()),
        left => Err(Mismatch(format!("{left} bytes are left over behind the value"))),
    }
}

struct Checker<'p, 'w> {
    plan: &'p Plan,
    payload: Reader<'w>,
}

impl Checker<'_, '_> {
    fn value(&mut self, node: NodeId, depth: usize) -> Done {
        // A count says nothing about the work where items take no bytes.
        if self.plan.is_empty(node) {
            return Ok(());
        }
        if depth > MAX_DEPTH {
            return Err(too_deep());
        }
        match self.plan.node(node) {
            Node::Null => {}
            Node::Boolean => {
                let [byte] = self.payload.array::<1>()?;
                if byte > 1 {
                    return Err(Mismatch(format!("A boolean is 0 or 1, not {byte}")));
                }
            }
            Node::Int => {
                self.payload.int()?;
            }
            Node::Long => {
                self.payload.long()?;
            }
            Node::Float => {
                self.payload.take(4)?;
            }
            Node::Double => {
                self.payload.take(8)?;
            }
            Node::Bytes => {
                self.payload.delimited()?;
            }
            Node::String => self.text()?,
            Node::Fixed(size) => {
                self.payload.take(*size)?;
            }
            Node::Enum(symbols) => {
                self.payload.position(symbols.printed.len(), "There is no symbol")?;
            }
            Node::Array(items) => {
                while let Block::Items(count) = self.payload.block()? {
                    if !self.plan.is_empty(*items) {
                        for _ in 0..count {
                            self.value(*items, depth + 1)?;
                        }
                    }
                }
            }
            Node::Map(values, _) => {
                while let Block::Items(count) = self.payload.block()? {
                    for _ in 0..count {
                        self.text()?;
                        self.value(*values, depth + 1)?;
                    }
                }
            }
            Node::Union(union) => {
                let at = self.payload.position(union.branches.len(), "There is no union branch")?;
                self.value(union.branches[at].node, depth + 1)?;
            }
            Node::Record(record) => {
                for field in &record.fields {
                    self.value(field.node, depth + 1).map_err(|mismatch| in_field(mismatch, &field.name))?;
                }
            }
        }
        Ok(())
    }

    fn text(&mut self) -> Done {
        match std::str::from_utf8(self.payload.delimited()?) {
            Ok(_) => Ok(()),
            Err(_) => Err(Mismatch("A text is not UTF-8".to_owned())),
        }
    }
}
