//! A JSON Schema as the reference compares it: typed nodes in an arena, all drafts in one shape.
//!
//! The shapes are those of the everit library: keywords of one JSON type make one node; a schema with keywords of
//! several kinds (`type` and `enum`, `type: string` and `minimum`, …) is a [`Combined`] node over them, with
//! [`Combined::synthetic`] set; a list of types is an `anyOf`. Drafts 2019-09 and 2020-12 are folded into the
//! same shapes, with [`Combined::extended`] set on theirs; `unevaluatedItems` and `unevaluatedProperties` are loaded
//! for their errors only, because the reference's comparison never sees them.
//!
//! A `$ref` is a node that names its target: cycles cost nothing. As in the reference, what a `$ref` points to is
//! loaded once per target, apart from the place where the text has it, so the two are different nodes.
//! Node identity is [`NodeId`] equality. Built by `load`; read by `diff`, tags and validation.
//!
//! Source: everit-json-schema 1.14 `loader/SchemaLoader`, `schema/*Schema`; schema-registry
//! `json/schema/SchemaTranslator`, 8.2.0.

use super::named::Named;
use super::value::{Number, Value};
use crate::weight::Heap;

/// A node of a [`Model`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct NodeId(pub(crate) u32);

/// A schema with everything it refers to.
#[derive(Debug)]
pub struct Model {
    pub(crate) nodes: Vec<Node>,
    pub(crate) root: NodeId,
}

impl Model {
    /// The node of the whole schema.
    pub fn root(&self) -> NodeId {
        self.root
    }

    /// A node. Ids of another model give a wrong node or the root, never a panic.
    pub fn node(&self, id: NodeId) -> &Node {
        self.nodes.get(id.0 as usize).unwrap_or(&self.nodes[0])
    }

    /// The node that `id` stands for: itself, or what a `$ref` points to. One step, as the reference compares: a
    /// `$ref` to a `$ref` gives the second one.
    pub fn referred(&self, id: NodeId) -> NodeId {
        match &self.node(id).kind {
            Kind::Reference(reference) => reference.target,
            _ => id,
        }
    }

    /// Number of nodes.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never: there is a root.
    pub fn is_empty(&self) -> bool {
        false
    }
}

/// One schema.
#[derive(Debug, Clone)]
pub struct Node {
    /// What it demands.
    pub kind: Kind,
    /// `$id` (draft 4: `id`).
    pub id: Option<Box<str>>,
    /// `title`
    pub title: Option<Box<str>>,
    /// `description`
    pub description: Option<Box<str>>,
    /// `default`; an explicit `null` is `Some(Value::Null)`.
    pub default: Option<Value>,
    /// The members that no keyword of the reference takes, as an object: `connect.type`, `confluent:tags` and the like.
    /// `None` when there are none.
    pub unprocessed: Option<Value>,
    /// Schemas under `definitions` and `$defs`, with their path segments (`definitions.Name`). Only in a model that
    /// tags are looked for in, and only where the reference looks.
    pub definitions: Vec<(Box<str>, NodeId)>,
}

impl Node {
    /// A node without annotations.
    pub(crate) fn new(kind: Kind) -> Node {
        Node {
            kind,
            id: None,
            title: None,
            description: None,
            default: None,
            unprocessed: None,
            definitions: Vec::new(),
        }
    }

    /// Whether there is a default. An explicit `null` counts in all drafts.
    pub fn has_default(&self) -> bool {
        self.default.is_some()
    }
}

/// The class of a schema. Two schemas of different classes are different types to the comparison.
#[derive(Debug, Clone)]
pub enum Kind {
    /// Keywords of arrays.
    Array(Box<ArraySchema>),
    /// `type: boolean`
    Boolean,
    /// `allOf`, `anyOf`, `oneOf`, and combinations that the reference makes up.
    Combined(Combined),
    /// `if`, `then`, `else`
    Conditional(Conditional),
    /// `const`
    Const(Value),
    /// No demand: `{}` or annotations only.
    Empty,
    /// `enum`, in the order of the text; the reference compares them as a set.
    Enum(Vec<Value>),
    /// `false`
    False,
    /// `not`
    Not(NodeId),
    /// `type: null`
    Null,
    /// Keywords of numbers.
    Number(Box<NumberSchema>),
    /// Keywords of objects.
    Object(Box<ObjectSchema>),
    /// `$ref`
    Reference(ReferenceSchema),
    /// Keywords of strings.
    String(Box<StringSchema>),
    /// `true`. To the reference a kind of [`Kind::Empty`].
    True,
}

impl Kind {
    /// Whether everything is allowed: `{}` or `true`.
    pub fn is_empty(&self) -> bool {
        matches!(self, Kind::Empty | Kind::True)
    }
}

/// How the parts of a [`Combined`] count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Criterion {
    /// `allOf`
    All,
    /// `anyOf`
    Any,
    /// `oneOf`
    One,
}

impl Criterion {
    /// The keyword: `allOf`, `anyOf`, `oneOf`.
    pub fn keyword(self) -> &'static str {
        match self {
            Criterion::All => "allOf",
            Criterion::Any => "anyOf",
            Criterion::One => "oneOf",
        }
    }
}

/// Several schemas for one value.
#[derive(Debug, Clone)]
pub struct Combined {
    /// How they count.
    pub criterion: Criterion,
    /// The schemas, in the reference's order.
    pub subschemas: Vec<NodeId>,
    /// Made up by the reference (everit `isSynthetic`, or `isGenerated` of later drafts), not written so.
    pub synthetic: bool,
    /// Of the reference's second class, `CombinedSchemaExt`, that only drafts 2019-09 and 2020-12 give.
    pub extended: bool,
}

/// `if`, `then`, `else`; each may be missing.
#[derive(Debug, Clone)]
pub struct Conditional {
    /// `if`
    pub if_schema: Option<NodeId>,
    /// `then`
    pub then_schema: Option<NodeId>,
    /// `else`
    pub else_schema: Option<NodeId>,
}

/// A `$ref`.
#[derive(Debug, Clone)]
pub struct ReferenceSchema {
    /// As written, or absolute where the reference keeps that.
    pub value: Box<str>,
    /// What it points to.
    pub target: NodeId,
}

/// Keywords of objects.
#[derive(Debug, Clone)]
pub struct ObjectSchema {
    /// `properties`, in the order of the text.
    pub properties: Named<NodeId>,
    /// `additionalProperties` as a boolean; true when missing or a schema.
    pub additional_properties: bool,
    /// `additionalProperties` as a schema.
    pub schema_of_additional_properties: Option<NodeId>,
    /// `required`, in the order of the text.
    pub required: Vec<Box<str>>,
    /// `minProperties`
    pub min_properties: Option<i32>,
    /// `maxProperties`
    pub max_properties: Option<i32>,
    /// `dependencies` with lists, `dependentRequired`: name and the names it asks for, without doubles.
    pub property_dependencies: Named<Vec<Box<str>>>,
    /// `dependencies` with schemas, `dependentSchemas`.
    pub schema_dependencies: Named<NodeId>,
    /// `patternProperties`, in the order of the text.
    pub pattern_properties: Named<NodeId>,
    /// `propertyNames`
    pub property_names: Option<NodeId>,
    /// Whether the value must be an object (`type` says so).
    pub requires_object: bool,
}

impl Default for ObjectSchema {
    fn default() -> ObjectSchema {
        ObjectSchema {
            properties: Named::default(),
            additional_properties: true,
            schema_of_additional_properties: None,
            required: Vec::new(),
            min_properties: None,
            max_properties: None,
            property_dependencies: Named::default(),
            schema_dependencies: Named::default(),
            pattern_properties: Named::default(),
            property_names: None,
            requires_object: true,
        }
    }
}

/// Keywords of arrays.
#[derive(Debug, Clone)]
pub struct ArraySchema {
    /// `minItems`
    pub min_items: Option<i32>,
    /// `maxItems`
    pub max_items: Option<i32>,
    /// `uniqueItems`
    pub unique_items: bool,
    /// `items` as one schema.
    pub all_items: Option<NodeId>,
    /// `items` as a list, `prefixItems`; `None` when missing.
    pub items: Option<Vec<NodeId>>,
    /// `additionalItems` as a boolean; true when missing or a schema.
    pub additional_items: bool,
    /// `additionalItems` as a schema; `items` behind `prefixItems`.
    pub schema_of_additional_items: Option<NodeId>,
    /// `contains`
    pub contains: Option<NodeId>,
    /// `minContains`, where the reference keeps it.
    pub min_contains: Option<Number>,
    /// `maxContains`, where the reference keeps it.
    pub max_contains: Option<Number>,
    /// Whether the value must be an array (`type` says so).
    pub requires_array: bool,
}

impl Default for ArraySchema {
    fn default() -> ArraySchema {
        ArraySchema {
            min_items: None,
            max_items: None,
            unique_items: false,
            all_items: None,
            items: None,
            additional_items: true,
            schema_of_additional_items: None,
            contains: None,
            min_contains: None,
            max_contains: None,
            requires_array: true,
        }
    }
}

/// Keywords of numbers.
#[derive(Debug, Clone)]
pub struct NumberSchema {
    /// `minimum`
    pub minimum: Option<Number>,
    /// `maximum`
    pub maximum: Option<Number>,
    /// `exclusiveMinimum` as a number (draft 6 and later).
    pub exclusive_minimum_limit: Option<Number>,
    /// `exclusiveMaximum` as a number (draft 6 and later).
    pub exclusive_maximum_limit: Option<Number>,
    /// `exclusiveMinimum` as a boolean (draft 4).
    pub exclusive_minimum: bool,
    /// `exclusiveMaximum` as a boolean (draft 4).
    pub exclusive_maximum: bool,
    /// `multipleOf`
    pub multiple_of: Option<Number>,
    /// `type: integer`
    pub requires_integer: bool,
    /// Whether the value must be a number (`type` says so).
    pub requires_number: bool,
}

impl Default for NumberSchema {
    fn default() -> NumberSchema {
        NumberSchema {
            minimum: None,
            maximum: None,
            exclusive_minimum_limit: None,
            exclusive_maximum_limit: None,
            exclusive_minimum: false,
            exclusive_maximum: false,
            multiple_of: None,
            requires_integer: false,
            requires_number: true,
        }
    }
}

/// Keywords of strings.
#[derive(Debug, Clone)]
pub struct StringSchema {
    /// `minLength`
    pub min_length: Option<i32>,
    /// `maxLength`
    pub max_length: Option<i32>,
    /// `pattern`
    pub pattern: Option<Box<str>>,
    /// `format`, when the draft knows it. Takes no part in the comparison.
    pub format: Option<Box<str>>,
    /// Whether the value must be a string (`type` says so).
    pub requires_string: bool,
}

impl Default for StringSchema {
    fn default() -> StringSchema {
        StringSchema { min_length: None, max_length: None, pattern: None, format: None, requires_string: true }
    }
}

crate::weight::heap! {
    Model { nodes }
    NodeId {}
    Node { kind, id, title, description, default, unprocessed, definitions }
    Combined { subschemas }
    ReferenceSchema { value }
    ObjectSchema {
        properties,
        required,
        property_dependencies,
        schema_dependencies,
        pattern_properties
    }
    ArraySchema { items, min_contains, max_contains }
    NumberSchema { minimum, maximum, exclusive_minimum_limit, exclusive_maximum_limit, multiple_of }
    StringSchema { pattern, format }
}

impl Heap for Kind {
    fn heap_bytes(&self) -> usize {
        match self {
            Kind::Array(array) => array.heap_bytes(),
            Kind::Combined(combined) => combined.heap_bytes(),
            Kind::Const(value) => value.heap_bytes(),
            Kind::Enum(values) => values.heap_bytes(),
            Kind::Number(number) => number.heap_bytes(),
            Kind::Object(object) => object.heap_bytes(),
            Kind::Reference(reference) => reference.heap_bytes(),
            Kind::String(string) => string.heap_bytes(),
            Kind::Boolean
            | Kind::Conditional(_)
            | Kind::Empty
            | Kind::False
            | Kind::Not(_)
            | Kind::Null
            | Kind::True => 0,
        }
    }
}
