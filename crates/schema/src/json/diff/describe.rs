//! Which subschemas of a combined schema say the same.
//!
//! The reference keeps the subschemas in a set and compares them by the JSON text that each is described with: all
//! keywords and annotations, a `$ref` by its value. Here a digest of the same content stands for the text. A node's
//! digest is made from those of the nodes inside it, each once.

use std::collections::{HashMap, HashSet};

use md5::{Digest, Md5};

use crate::json::model::{ArraySchema, Kind, Model, Node, NodeId, NumberSchema, ObjectSchema, StringSchema};
use crate::json::named::Named;
use crate::json::text;
use crate::json::value::Value;

type Key = [u8; 16];

/// The digests of one model's nodes, as far as they were asked for.
#[derive(Debug, Default)]
pub(super) struct Descriptions(HashMap<NodeId, Key>);

impl Descriptions {
    /// The first of each group of `subschemas` that are described alike.
    pub(super) fn distinct(&mut self, model: &Model, subschemas: &[NodeId]) -> Vec<NodeId> {
        let mut seen = HashSet::new();
        subschemas.iter().copied().filter(|id| seen.insert(self.key(model, *id))).collect()
    }

    /// Inner nodes first, without recursion. A `$ref` is described by its value, so there are no circles.
    fn key(&mut self, model: &Model, id: NodeId) -> Key {
        let mut open = vec![id];
        while let Some(top) = open.last().copied() {
            let node = model.node(top);
            let before = open.len();
            open.extend(inside(&node.kind).into_iter().filter(|inner| !self.0.contains_key(inner)));
            if open.len() > before {
                continue;
            }
            open.pop();
            let mut said = Said { hash: Md5::new(), known: self };
            said.node(node);
            let key: Key = said.hash.finalize().into();
            self.0.insert(top, key);
        }
        self.0.get(&id).copied().unwrap_or_default()
    }
}

/// The nodes that a node's description contains.
fn inside(kind: &Kind) -> Vec<NodeId> {
    match kind {
        Kind::Array(array) => {
            let single = [array.all_items, array.schema_of_additional_items, array.contains];
            array.items.iter().flatten().copied().chain(single.into_iter().flatten()).collect()
        }
        Kind::Combined(combined) => combined.subschemas.clone(),
        Kind::Conditional(parts) => {
            [parts.if_schema, parts.then_schema, parts.else_schema].into_iter().flatten().collect()
        }
        Kind::Not(inner) => vec![*inner],
        Kind::Object(object) => {
            let named = [&object.properties, &object.schema_dependencies, &object.pattern_properties];
            let single = [object.schema_of_additional_properties, object.property_names];
            let named = named.into_iter().flat_map(|entries| entries.iter().map(|(_, id)| *id));
            named.chain(single.into_iter().flatten()).collect()
        }
        _ => Vec::new(),
    }
}

/// A description being digested. Every entry is led by a length or a tag, so that different ones never run together.
struct Said<'a> {
    hash: Md5,
    known: &'a Descriptions,
}

impl Said<'_> {
    fn node(&mut self, node: &Node) {
        for text in [&node.id, &node.title, &node.description] {
            self.optional(text.as_deref());
        }
        self.optional(node.default.as_ref().map(text::print_sorted).as_deref());
        self.optional(node.unprocessed.as_ref().map(text::print_sorted).as_deref());
        match &node.kind {
            Kind::Array(array) => self.array(array),
            Kind::Boolean => self.tag(b'b'),
            Kind::Combined(combined) => {
                self.tag(b'c');
                self.text(if combined.synthetic { "" } else { combined.criterion.keyword() });
                self.schemas(combined.subschemas.iter().copied());
            }
            Kind::Conditional(conditional) => {
                self.tag(b'i');
                let parts = [conditional.if_schema, conditional.then_schema, conditional.else_schema];
                parts.into_iter().for_each(|part| self.schema(part));
            }
            Kind::Const(value) => {
                self.tag(b'k');
                self.value(value);
            }
            Kind::Empty => self.tag(b'e'),
            Kind::Enum(values) => {
                self.tag(b'v');
                self.size(values.len());
                values.iter().for_each(|value| self.value(value));
            }
            Kind::False => self.tag(b'f'),
            Kind::Not(inner) => {
                self.tag(b'n');
                self.schema(Some(*inner));
            }
            Kind::Null => self.tag(b'0'),
            Kind::Number(number) => self.number(number),
            Kind::Object(object) => self.object(object),
            Kind::Reference(reference) => {
                self.tag(b'r');
                self.text(&reference.value);
            }
            Kind::String(string) => self.string(string),
            Kind::True => self.tag(b't'),
        }
    }

    fn array(&mut self, array: &ArraySchema) {
        self.tag(b'a');
        self.limit(array.min_items);
        self.limit(array.max_items);
        self.flags(&[array.unique_items, array.additional_items, array.requires_array, array.items.is_some()]);
        self.schemas(array.items.iter().flatten().copied());
        let inner = [array.all_items, array.schema_of_additional_items, array.contains];
        inner.into_iter().for_each(|id| self.schema(id));
        for number in [&array.min_contains, &array.max_contains] {
            self.optional(number.as_ref().map(|number| number.text()));
        }
    }

    fn number(&mut self, number: &NumberSchema) {
        self.tag(b'd');
        let limits = [
            &number.minimum,
            &number.maximum,
            &number.exclusive_minimum_limit,
            &number.exclusive_maximum_limit,
            &number.multiple_of,
        ];
        for limit in limits {
            self.optional(limit.as_ref().map(|limit| limit.text()));
        }
        let flags =
            [number.exclusive_minimum, number.exclusive_maximum, number.requires_integer, number.requires_number];
        self.flags(&flags);
    }

    fn object(&mut self, object: &ObjectSchema) {
        self.tag(b'o');
        self.flags(&[object.additional_properties, object.requires_object]);
        self.limit(object.min_properties);
        self.limit(object.max_properties);
        self.size(object.required.len());
        object.required.iter().for_each(|name| self.text(name));
        for named in [&object.properties, &object.schema_dependencies, &object.pattern_properties] {
            self.named(named, |said, id| said.schema(Some(*id)));
        }
        self.named(&object.property_dependencies, |said, names| {
            let mut sorted: Vec<&str> = names.iter().map(|name| &**name).collect();
            sorted.sort_unstable();
            said.size(sorted.len());
            sorted.into_iter().for_each(|name| said.text(name));
        });
        let inner = [object.schema_of_additional_properties, object.property_names];
        inner.into_iter().for_each(|id| self.schema(id));
    }

    fn string(&mut self, string: &StringSchema) {
        self.tag(b's');
        self.limit(string.min_length);
        self.limit(string.max_length);
        self.optional(string.pattern.as_deref());
        self.optional(string.format.as_deref());
        self.flags(&[string.requires_string]);
    }

    /// Entries by name: JSON objects are equal whatever their order.
    fn named<T>(&mut self, entries: &Named<T>, each: impl Fn(&mut Self, &T)) {
        let mut sorted: Vec<_> = entries.iter().collect();
        sorted.sort_unstable_by_key(|(name, _)| *name);
        self.size(sorted.len());
        for (name, entry) in sorted {
            self.text(name);
            each(self, entry);
        }
    }

    fn schemas(&mut self, ids: impl Iterator<Item = NodeId>) {
        let ids: Vec<NodeId> = ids.collect();
        self.size(ids.len());
        ids.into_iter().for_each(|id| self.schema(Some(id)));
    }

    fn schema(&mut self, id: Option<NodeId>) {
        let key = id.and_then(|id| self.known.0.get(&id).copied()).unwrap_or_default();
        self.flags(&[id.is_some()]);
        self.hash.update(key);
    }

    fn value(&mut self, value: &Value) {
        self.text(&text::print_sorted(value));
    }

    fn optional(&mut self, text: Option<&str>) {
        self.flags(&[text.is_some()]);
        self.text(text.unwrap_or_default());
    }

    fn limit(&mut self, limit: Option<i32>) {
        self.flags(&[limit.is_some()]);
        self.hash.update(limit.unwrap_or_default().to_be_bytes());
    }

    fn text(&mut self, text: &str) {
        self.size(text.len());
        self.hash.update(text);
    }

    fn size(&mut self, size: usize) {
        self.hash.update((size as u64).to_be_bytes());
    }

    fn flags(&mut self, flags: &[bool]) {
        flags.iter().for_each(|flag| self.tag(u8::from(*flag)));
    }

    fn tag(&mut self, tag: u8) {
        self.hash.update([tag]);
    }
}
