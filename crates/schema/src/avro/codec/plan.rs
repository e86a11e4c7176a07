//! The tables that encoding and decoding follow, compiled once per schema: what can be found out beforehand is.
//!
//! Types that the root reaches, by number; each record and enum once, however often it is used. Docs, defaults,
//! orders and properties are gone, names stand ready for printing and for being looked up.

use std::collections::HashMap;

use crate::avro::json::Json;
use crate::avro::model::{AvroModel, Kind, TypeId};
use crate::payload::print;

/// A type of the plan.
pub(super) type NodeId = u32;

/// Names up to this many are found by comparing each.
const FEW_NAMES: usize = 8;

/// A schema's types.
#[derive(Debug)]
pub(super) struct Plan {
    nodes: Vec<Node>,
    /// Whether all values of a type take no bytes.
    empty: Vec<bool>,
    /// The schema's own type.
    pub(super) root: NodeId,
}

/// A type.
#[derive(Debug)]
pub(super) enum Node {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Fixed(usize),
    Enum(Symbols),
    Array(NodeId),
    Map(NodeId, KeyHash),
    Union(Union),
    Record(Record),
}

/// Symbols of an enum.
#[derive(Debug)]
pub(super) struct Symbols {
    pub(super) names: Names,
    /// Each as a JSON text.
    pub(super) printed: Box<[Box<[u8]>]>,
}

/// Branches of a union.
#[derive(Debug)]
pub(super) struct Union {
    /// What each is tagged with: a full name, or the kind of type.
    pub(super) tags: Names,
    pub(super) branches: Box<[Branch]>,
}

#[derive(Debug)]
pub(super) struct Branch {
    pub(super) node: NodeId,
    /// `{"tag":`; `None` for null, which stands without a tag.
    pub(super) printed: Option<Box<[u8]>>,
}

/// Fields of a record.
#[derive(Debug)]
pub(super) struct Record {
    /// Names and aliases of the fields. An alias that is the name of another field is none.
    pub(super) names: Names,
    pub(super) fields: Box<[Field]>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: Box<str>,
    /// `"name":`
    pub(super) printed: Box<[u8]>,
    pub(super) node: NodeId,
}

/// How the keys of a map are hashed where the reference reads them, which decides the order it writes them in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyHash {
    /// Over UTF-8, the default.
    Utf8,
    /// Over UTF-16, where the map asks for Java's own strings.
    Utf16,
}

/// Names, each standing for a number.
#[derive(Debug)]
pub(super) enum Names {
    Few(Box<[(Box<str>, u32)]>),
    Many(HashMap<Box<str>, u32>),
}

impl Names {
    fn new(names: impl IntoIterator<Item = (Box<str>, u32)>) -> Names {
        // Of equal names the first counts.
        let mut seen = HashMap::new();
        let mut list = Vec::new();
        for (name, number) in names {
            if let std::collections::hash_map::Entry::Vacant(free) = seen.entry(name.clone()) {
                free.insert(number);
                list.push((name, number));
            }
        }
        if list.len() <= FEW_NAMES { Names::Few(list.into()) } else { Names::Many(seen) }
    }

    /// The number of a name.
    pub(super) fn find(&self, name: &str) -> Option<u32> {
        match self {
            Names::Few(names) => names.iter().find(|(known, _)| **known == *name).map(|(_, number)| *number),
            Names::Many(names) => names.get(name).copied(),
        }
    }
}

impl Plan {
    /// Compiles a schema.
    pub(super) fn of(model: &AvroModel) -> Plan {
        let mut numbers = HashMap::new();
        let mut reached = vec![model.root()];
        numbers.insert(model.root(), 0);
        let mut at = 0;
        while let Some(of) = reached.get(at).copied() {
            for part in parts(&model[of].kind) {
                numbers.entry(part).or_insert_with(|| {
                    reached.push(part);
                    reached.len() as NodeId - 1
                });
            }
            at += 1;
        }
        let number = |of: &TypeId| numbers.get(of).copied().unwrap_or_default();
        let nodes: Vec<Node> = reached.iter().map(|of| node(model, *of, &number)).collect();
        let empty = empty(&nodes);
        Plan { nodes, empty, root: 0 }
    }

    /// The type of a number.
    pub(super) fn node(&self, at: NodeId) -> &Node {
        &self.nodes[at as usize]
    }

    /// Whether all values of the type take no bytes.
    pub(super) fn is_empty(&self, at: NodeId) -> bool {
        self.empty[at as usize]
    }
}

fn parts(kind: &Kind) -> Vec<TypeId> {
    match kind {
        Kind::Array(inner) | Kind::Map(inner) => vec![*inner],
        Kind::Union(branches) => branches.clone(),
        Kind::Record(record) => record.fields.iter().map(|field| field.schema).collect(),
        _ => Vec::new(),
    }
}

fn node(model: &AvroModel, of: TypeId, number: &impl Fn(&TypeId) -> NodeId) -> Node {
    match &model[of].kind {
        Kind::Null => Node::Null,
        Kind::Boolean => Node::Boolean,
        Kind::Int => Node::Int,
        Kind::Long => Node::Long,
        Kind::Float => Node::Float,
        Kind::Double => Node::Double,
        Kind::Bytes => Node::Bytes,
        Kind::String => Node::String,
        Kind::Fixed(fixed) => Node::Fixed(fixed.size as usize),
        Kind::Enum(symbols) => Node::Enum(Symbols {
            names: Names::new((0..).zip(&symbols.symbols).map(|(at, name)| (name.as_str().into(), at))),
            printed: symbols.symbols.iter().map(|name| printed("", name, "")).collect(),
        }),
        Kind::Array(items) => Node::Array(number(items)),
        Kind::Map(values) => Node::Map(number(values), key_hash(&model[of].props)),
        Kind::Union(branches) => {
            let tag = |branch: &TypeId| {
                let kind = &model[*branch].kind;
                kind.name().map_or(kind.word(), |name| name.full())
            };
            let branch = |branch: &TypeId| {
                let is_null = matches!(model[*branch].kind, Kind::Null);
                Branch { node: number(branch), printed: (!is_null).then(|| printed("{", tag(branch), ":")) }
            };
            Node::Union(Union {
                tags: Names::new((0..).zip(branches).map(|(at, branch)| (tag(branch).into(), at))),
                branches: branches.iter().map(branch).collect(),
            })
        }
        Kind::Record(record) => {
            let names = (0..).zip(&record.fields).map(|(at, field)| (field.name.as_str().into(), at));
            let aliases = (0..)
                .zip(&record.fields)
                .flat_map(|(at, field)| field.aliases.iter().map(move |alias| (alias.as_str().into(), at)));
            Node::Record(Record {
                names: Names::new(names.chain(aliases)),
                fields: record
                    .fields
                    .iter()
                    .map(|field| Field {
                        name: field.name.as_str().into(),
                        printed: printed("", &field.name, ":"),
                        node: number(&field.schema),
                    })
                    .collect(),
            })
        }
    }
}

fn printed(before: &str, name: &str, behind: &str) -> Box<[u8]> {
    let mut out = before.as_bytes().to_vec();
    print::text(name, &mut out);
    out.extend_from_slice(behind.as_bytes());
    out.into()
}

fn key_hash(props: &[(String, Json)]) -> KeyHash {
    let is_java = |(name, value): &(String, Json)| {
        name == "avro.java.string" && matches!(value, Json::Text(text) if text == "String")
    };
    if props.iter().any(is_java) { KeyHash::Utf16 } else { KeyHash::Utf8 }
}

/// Which types take no bytes. A record that contains itself has no value at all and counts as taking some.
fn empty(nodes: &[Node]) -> Vec<bool> {
    let mut empty: Vec<bool> = nodes.iter().map(|node| matches!(node, Node::Null | Node::Fixed(0))).collect();
    // Records that wait for a type, by type, and how many fields each still waits for.
    let mut waiting: Vec<Vec<usize>> = vec![Vec::new(); nodes.len()];
    let mut missing = vec![0usize; nodes.len()];
    for (at, node) in nodes.iter().enumerate() {
        if let Node::Record(record) = node {
            missing[at] = record.fields.len();
            record.fields.iter().for_each(|field| waiting[field.node as usize].push(at));
            empty[at] = record.fields.is_empty();
        }
    }
    let mut found: Vec<usize> = (0..nodes.len()).filter(|at| empty[*at]).collect();
    while let Some(at) = found.pop() {
        for record in &waiting[at] {
            missing[*record] -= 1;
            if missing[*record] == 0 {
                empty[*record] = true;
                found.push(*record);
            }
        }
    }
    empty
}
