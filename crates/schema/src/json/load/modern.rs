//! Drafts 2019-09 and 2020-12: json-sKema's loader and the translation into everit's shapes.
//!
//! Each keyword is a piece of its own; pieces are joined from left to right in the order of the text, then
//! `properties`, then `patternProperties`. Pieces of one class (objects, arrays, numbers, strings) merge; others
//! gather in a made-up `allOf`, which is taken apart again where it stands in another combination. That gives shapes
//! that differ from the older drafts', and from what was written: the comparison needs them as they are.
//!
//! Source: schema-registry `json/schema/{SchemaTranslator,SchemaUtils,CombinedSchemaExt}`, 8.2.0; json-sKema 0.25
//! `SchemaLoader`, `SchemaVisitor`.

use std::collections::HashMap;
use std::rc::Rc;

use super::super::model::{
    ArraySchema, Combined, Conditional, Criterion, Kind, Node, NodeId, NumberSchema, ObjectSchema, ReferenceSchema,
    StringSchema,
};
use super::super::named::Named;
use super::super::value::{Number, Value};
use super::legacy::distinct;
use super::piece::Piece;
use super::{
    Document, Draft, LoadError, Loader, Refs, Scope, array, boolean, bridged, follow, left_over, meta_schema, not_here,
    number, object, regex, string, strings, uri,
};

/// The URI of a document without an id.
const NO_BASE: &str = "mem://input";

/// Keywords that json-sKema knows; with any other, the limits of `contains` are lost.
const KNOWN: &[&str] = &[
    "$id",
    "$schema",
    "$vocabulary",
    "$anchor",
    "$dynamicRef",
    "$dynamicAnchor",
    "$ref",
    "minLength",
    "maxLength",
    "allOf",
    "anyOf",
    "oneOf",
    "additionalProperties",
    "properties",
    "patternProperties",
    "title",
    "description",
    "readOnly",
    "writeOnly",
    "deprecated",
    "default",
    "enum",
    "const",
    "type",
    "not",
    "required",
    "maximum",
    "minimum",
    "exclusiveMaximum",
    "exclusiveMinimum",
    "multipleOf",
    "uniqueItems",
    "items",
    "prefixItems",
    "contains",
    "minContains",
    "maxContains",
    "if",
    "then",
    "else",
    "dependentSchemas",
    "dependentRequired",
    "unevaluatedItems",
    "unevaluatedProperties",
    "minItems",
    "maxItems",
    "minProperties",
    "maxProperties",
    "propertyNames",
    "pattern",
    "format",
];

/// Keywords whose value maps names to schemas, those that ids and anchors are looked for in.
const MAPS: &[&str] = &["$defs", "properties", "patternProperties"];
/// Keywords whose value is a list of schemas, likewise.
const LISTS: &[&str] = &["allOf", "anyOf", "oneOf"];

/// Loads a root and all that it refers to.
pub(super) fn load<'a>(loader: &mut Loader<'a>, root: &'a Value) -> Result<NodeId, LoadError> {
    let document = Document { root, draft: Draft::of_root(root) };
    let mut modern = Modern { anchors: HashMap::new(), root_base: NO_BASE.into() };
    let scope = Scope { document, base: Some(NO_BASE.into()) }.within(root)?;
    modern.root_base = scope.base.clone().unwrap_or_else(|| NO_BASE.into());
    modern.collect_anchors(root, &Scope { document, base: Some(NO_BASE.into()) }, &[])?;
    modern.anchors.insert(without_empty_fragment(&modern.root_base).to_owned(), (root, scope.clone()));
    let node = modern.schema(loader, root, &scope)?;
    let id = loader.add(node)?;
    loader.drain(|loader, value, scope| modern.schema(loader, value, scope))?;
    Ok(id)
}

fn without_empty_fragment(uri: &str) -> &str {
    uri.strip_suffix('#').unwrap_or(uri)
}

impl<'a> Scope<'a> {
    /// The scope inside `value`: its `$id`, if it has one, is the new base.
    fn within(&self, value: &'a Value) -> Result<Scope<'a>, LoadError> {
        let mut scope = self.clone();
        if let Some(id) = value.get("$id").and_then(Value::as_str)
            && !self.base().ends_with(id)
        {
            scope.base = Some(self.join(id)?.into());
        }
        Ok(scope)
    }

    fn base(&self) -> &str {
        self.base.as_deref().unwrap_or(NO_BASE)
    }

    /// The URI `reference` seen from here.
    fn join(&self, reference: &str) -> Result<String, LoadError> {
        let absolute = match self.base().starts_with("urn:") && !reference.contains(':') {
            true => Some(format!("{}{reference}", self.base())).filter(|uri| uri::check(uri)),
            false => uri::resolve(Some(self.base()), reference),
        };
        absolute.ok_or_else(|| LoadError::Invalid(format!("not a URI: {reference}")))
    }
}

struct Modern<'a> {
    /// What is known under a URI: documents, ids and anchors.
    anchors: HashMap<String, (&'a Value, Scope<'a>)>,
    root_base: Rc<str>,
}

fn objects(kind: ObjectSchema) -> Piece {
    Piece::of(Kind::Object(Box::new(ObjectSchema { requires_object: false, ..kind })))
}

fn arrays(kind: ArraySchema) -> Piece {
    Piece::of(Kind::Array(Box::new(ArraySchema { requires_array: false, ..kind })))
}

fn numbers(kind: NumberSchema) -> Piece {
    Piece::of(Kind::Number(Box::new(NumberSchema { requires_number: false, ..kind })))
}

fn strings_of(kind: StringSchema) -> Piece {
    Piece::of(Kind::String(Box::new(StringSchema { requires_string: false, ..kind })))
}

/// A number as json-sKema reads an integer: cut to 32 bits, as Java's `Number.intValue`.
fn integer(name: &str, value: &Value) -> Result<i32, LoadError> {
    let number = number(name, value)?;
    Ok(number.as_i32().unwrap_or_else(|| low_bits(&number)))
}

fn low_bits(number: &Number) -> i32 {
    // Fractions are cut; of a big integer Java keeps the low bits.
    match number.text().parse::<i128>() {
        Ok(whole) => whole as i32,
        Err(_) => number.as_f64().trunc() as i128 as i32,
    }
}

fn typed(name: &str) -> Result<Kind, LoadError> {
    Ok(match name {
        "string" => Kind::String(Box::default()),
        "integer" => Kind::Number(Box::new(NumberSchema { requires_integer: true, ..NumberSchema::default() })),
        "number" => Kind::Number(Box::default()),
        "boolean" => Kind::Boolean,
        "null" => Kind::Null,
        "array" => Kind::Array(Box::default()),
        "object" => Kind::Object(Box::default()),
        unknown => return Err(LoadError::Invalid(format!("type: unknown type {unknown}"))),
    })
}

impl<'a> Modern<'a> {
    fn child(&mut self, loader: &mut Loader<'a>, value: &'a Value, scope: &Scope<'a>) -> Result<NodeId, LoadError> {
        let scope = scope.within(value)?;
        let node = self.schema(loader, value, &scope)?;
        loader.add(node)
    }

    fn named(
        &mut self,
        loader: &mut Loader<'a>,
        name: &str,
        value: &'a Value,
        scope: &Scope<'a>,
    ) -> Result<Named<NodeId>, LoadError> {
        let entries = object(name, value)?.iter();
        let load = |(name, value): (&str, &'a Value)| Ok((name.into(), self.child(loader, value, scope)?));
        Ok(Named::from_entries(entries.map(load).collect::<Result<_, LoadError>>()?))
    }

    /// The node of a schema; `scope` is the one inside it.
    fn schema(&mut self, loader: &mut Loader<'a>, value: &'a Value, scope: &Scope<'a>) -> Result<Node, LoadError> {
        let members = match value {
            Value::Bool(allows) => return Ok(Node::new(if *allows { Kind::True } else { Kind::False })),
            Value::Object(members) => members,
            other => return Err(LoadError::keyword("schema", "an object or boolean", other)),
        };
        let mut whole: Option<Piece> = None;
        let add = |whole: &mut Option<Piece>, piece: Piece, loader: &mut Loader<'a>| {
            *whole = Some(match whole.take() {
                None => piece,
                Some(before) => before.join(piece, loader)?,
            });
            Ok::<(), LoadError>(())
        };
        for (name, keyword) in members.iter() {
            if let Some(piece) = self.piece(loader, members, name, keyword, scope)? {
                add(&mut whole, piece, loader)?;
            }
        }
        if whole.is_none() {
            whole = Some(Piece::All(Vec::new()));
        }
        if let Some(value) = members.get("properties") {
            let properties = self.named(loader, "properties", value, scope)?;
            if !properties.is_empty() {
                add(&mut whole, objects(ObjectSchema { properties, ..ObjectSchema::default() }), loader)?;
            }
        }
        if let Some(value) = members.get("patternProperties") {
            object("patternProperties", value)?.names().try_for_each(|p| regex("patternProperties", p).map(|_| ()))?;
            let pattern_properties = self.named(loader, "patternProperties", value, scope)?;
            if !pattern_properties.is_empty() {
                add(&mut whole, objects(ObjectSchema { pattern_properties, ..ObjectSchema::default() }), loader)?;
            }
        }
        for name in ["unevaluatedItems", "unevaluatedProperties"] {
            if let Some(value) = members.get(name) {
                self.child(loader, value, scope)?;
            }
        }
        let mut node = match whole {
            None => Node::new(Kind::Empty),
            Some(Piece::All(mut parts)) if parts.len() < 2 => match parts.pop() {
                None => Node::new(Kind::Empty),
                Some(mut part) => {
                    if let Kind::Combined(combined) = &mut part.kind {
                        // The reference builds it anew, as its first class and as if it were written so.
                        (combined.synthetic, combined.extended) = (false, false);
                    }
                    part
                }
            },
            Some(piece) => piece.into_node(loader)?,
        };
        if let Some(reference) = members.get("$dynamicRef") {
            // What it refers to is joined in front.
            let reference = self.reference(loader, string("$dynamicRef", reference)?, scope)?;
            node = Piece::of(reference).join(Piece::One(node), loader)?.into_node(loader)?;
        }
        self.annotate(loader, &mut node, members, scope)?;
        Ok(node)
    }

    fn annotate(
        &mut self,
        loader: &mut Loader<'a>,
        node: &mut Node,
        members: &'a Named<Value>,
        scope: &Scope<'a>,
    ) -> Result<(), LoadError> {
        for (name, place) in [("title", &mut node.title), ("description", &mut node.description)] {
            if let Some(text) = members.get(name) {
                *place = Some(string(name, text)?.into());
            }
        }
        if let Some(deprecated) = members.get("deprecated") {
            boolean("deprecated", deprecated)?;
        }
        // Here an explicit `null` is no default, and a `$ref` keeps none.
        if !matches!(node.kind, Kind::Reference(_)) {
            node.default = members.get("default").filter(|default| !matches!(default, Value::Null)).cloned();
        }
        if let Some(anchor) = members.get("$dynamicAnchor") {
            string("$dynamicAnchor", anchor)?;
        }
        let is_known = |name: &str| name == "$defs" || KNOWN.contains(&name);
        let mut definitions = match members.get("$defs") {
            Some(value) => self.named(loader, "$defs", value, scope)?,
            None => Named::default(),
        };
        let root = scope.document.root;
        let is_root = root.as_object().is_some_and(|root| std::ptr::eq(root, members));
        if let Some(more) = is_root.then(|| bridged(root)).flatten() {
            let mut entries = definitions.into_entries();
            for (name, value) in more {
                entries.push((name.into(), self.child(loader, value, scope)?));
            }
            definitions = Named::from_entries(entries);
        }
        if !definitions.is_empty() || !members.names().all(is_known) {
            node.unprocessed = left_over(members, is_known);
            let named = |(name, id): (&str, &NodeId)| (format!("$defs.{name}").into(), *id);
            if loader.refs == Refs::Ignore {
                node.definitions = definitions.iter().map(named).collect();
            }
            if let Kind::Array(arrays) = &mut node.kind {
                (arrays.min_contains, arrays.max_contains) = (None, None);
            }
        }
        Ok(())
    }

    /// What one keyword says; `None` for those that are no schema of their own.
    fn piece(
        &mut self,
        loader: &mut Loader<'a>,
        members: &'a Named<Value>,
        name: &str,
        value: &'a Value,
        scope: &Scope<'a>,
    ) -> Result<Option<Piece>, LoadError> {
        let array_default = ArraySchema::default;
        let object_default = ObjectSchema::default;
        let number_default = NumberSchema::default;
        Ok(Some(match name {
            "$ref" => Piece::of(self.reference(loader, string(name, value)?, scope)?),
            "type" => match value {
                Value::Array(types) => {
                    let kinds = types.iter().map(|word| Ok(Node::new(typed(string(name, word)?)?)));
                    Piece::Any(kinds.collect::<Result<_, LoadError>>()?)
                }
                word => Piece::of(typed(string(name, word)?)?),
            },
            "enum" => Piece::of(Kind::Enum(array(name, value)?.to_vec())),
            "const" => Piece::of(Kind::Const(value.clone())),
            "allOf" => self.combined(loader, Criterion::All, array(name, value)?, scope)?,
            "anyOf" => self.combined(loader, Criterion::Any, array(name, value)?, scope)?,
            "oneOf" => self.combined(loader, Criterion::One, array(name, value)?, scope)?,
            "not" => Piece::of(Kind::Not(self.child(loader, value, scope)?)),
            "if" => {
                let mut part = |name: &str| members.get(name).map(|value| self.child(loader, value, scope)).transpose();
                let (then_schema, else_schema) = (part("then")?, part("else")?);
                let if_schema = Some(self.child(loader, value, scope)?);
                Piece::of(Kind::Conditional(Conditional { if_schema, then_schema, else_schema }))
            }
            "required" => objects(ObjectSchema { required: strings(name, value)?, ..object_default() }),
            "minProperties" => {
                objects(ObjectSchema { min_properties: Some(integer(name, value)?), ..object_default() })
            }
            "maxProperties" => {
                objects(ObjectSchema { max_properties: Some(integer(name, value)?), ..object_default() })
            }
            "additionalProperties" => {
                let id = self.child(loader, value, scope)?;
                objects(match loader.node(id).kind {
                    Kind::False => ObjectSchema { additional_properties: false, ..object_default() },
                    Kind::True => object_default(),
                    _ => ObjectSchema { schema_of_additional_properties: Some(id), ..object_default() },
                })
            }
            "propertyNames" => {
                let property_names = Some(self.child(loader, value, scope)?);
                objects(ObjectSchema { property_names, ..object_default() })
            }
            "dependentRequired" => {
                let mut lists = Vec::new();
                for (property, names) in object(name, value)?.iter() {
                    let names = distinct(strings(name, names)?);
                    if !names.is_empty() {
                        lists.push((property.into(), names));
                    }
                }
                objects(ObjectSchema { property_dependencies: Named::from_entries(lists), ..object_default() })
            }
            "dependentSchemas" => {
                let schema_dependencies = self.named(loader, name, value, scope)?;
                objects(ObjectSchema { schema_dependencies, ..object_default() })
            }
            "items" => {
                let prefix = members.get("prefixItems").and_then(Value::as_array).unwrap_or_default();
                let id = self.child(loader, value, scope)?;
                arrays(match loader.node(id).kind {
                    Kind::False => ArraySchema { additional_items: false, ..array_default() },
                    Kind::True => array_default(),
                    _ if prefix.is_empty() => ArraySchema { all_items: Some(id), ..array_default() },
                    _ => ArraySchema { schema_of_additional_items: Some(id), ..array_default() },
                })
            }
            "prefixItems" => {
                let items = array(name, value)?.iter().map(|item| self.child(loader, item, scope));
                let items: Vec<NodeId> = items.collect::<Result<_, _>>()?;
                arrays(ArraySchema { items: Some(items).filter(|items| !items.is_empty()), ..array_default() })
            }
            "contains" => {
                let limit = |name: &str| members.get(name).map(|value| number(name, value)).transpose();
                let min_contains = Some(limit("minContains")?.unwrap_or_else(|| Number::from_printed("1")));
                let max_contains = limit("maxContains")?;
                let contains = Some(self.child(loader, value, scope)?);
                arrays(ArraySchema { contains, min_contains, max_contains, ..array_default() })
            }
            "minItems" => arrays(ArraySchema { min_items: Some(integer(name, value)?), ..array_default() }),
            "maxItems" => arrays(ArraySchema { max_items: Some(integer(name, value)?), ..array_default() }),
            "uniqueItems" => arrays(ArraySchema { unique_items: boolean(name, value)?, ..array_default() }),
            "minimum" => numbers(NumberSchema { minimum: Some(number(name, value)?), ..number_default() }),
            "maximum" => numbers(NumberSchema { maximum: Some(number(name, value)?), ..number_default() }),
            "exclusiveMinimum" => {
                numbers(NumberSchema { exclusive_minimum_limit: Some(number(name, value)?), ..number_default() })
            }
            "exclusiveMaximum" => {
                numbers(NumberSchema { exclusive_maximum_limit: Some(number(name, value)?), ..number_default() })
            }
            "multipleOf" => numbers(NumberSchema { multiple_of: Some(number(name, value)?), ..number_default() }),
            "minLength" => {
                strings_of(StringSchema { min_length: Some(integer(name, value)?), ..StringSchema::default() })
            }
            "maxLength" => {
                strings_of(StringSchema { max_length: Some(integer(name, value)?), ..StringSchema::default() })
            }
            "pattern" => {
                let pattern = Some(regex(name, string(name, value)?)?);
                strings_of(StringSchema { pattern, ..StringSchema::default() })
            }
            // Read, and of no effect.
            "format" => {
                string(name, value)?;
                Piece::All(Vec::new())
            }
            "readOnly" | "writeOnly" => {
                boolean(name, value)?;
                Piece::All(Vec::new())
            }
            _ => return Ok(None),
        }))
    }

    /// A combination; parts that are a made-up `allOf` are taken apart, whatever the combination.
    fn combined(
        &mut self,
        loader: &mut Loader<'a>,
        criterion: Criterion,
        parts: &'a [Value],
        scope: &Scope<'a>,
    ) -> Result<Piece, LoadError> {
        let mut subschemas = Vec::with_capacity(parts.len());
        for part in parts {
            let id = self.child(loader, part, scope)?;
            match &loader.node(id).kind {
                Kind::Combined(made_up)
                    if made_up.synthetic && made_up.extended && made_up.criterion == Criterion::All =>
                {
                    subschemas.extend(made_up.subschemas.iter().copied());
                }
                _ => subschemas.push(id),
            }
        }
        Ok(Piece::of(Kind::Combined(Combined { criterion, subschemas, synthetic: false, extended: true })))
    }

    fn reference(&mut self, loader: &mut Loader<'a>, reference: &str, scope: &Scope<'a>) -> Result<Kind, LoadError> {
        let absolute = scope.join(reference)?;
        let absolute = without_empty_fragment(&absolute).to_owned();
        let value = absolute.strip_prefix(NO_BASE).unwrap_or(&absolute).into();
        if loader.refs == Refs::Ignore {
            return Ok(Kind::Reference(ReferenceSchema { value, target: NodeId(0) }));
        }
        if let Some(target) = loader.targets.get(&absolute) {
            return Ok(Kind::Reference(ReferenceSchema { value, target: *target }));
        }
        let (target, scope) = self.find(loader, &absolute, reference, scope)?;
        let target = loader.queue(absolute, target, scope)?;
        Ok(Kind::Reference(ReferenceSchema { value, target }))
    }

    fn find(
        &mut self,
        loader: &Loader<'a>,
        absolute: &str,
        reference: &str,
        scope: &Scope<'a>,
    ) -> Result<(&'a Value, Scope<'a>), LoadError> {
        if let Some(found) = self.anchors.get(absolute) {
            return Ok(found.clone());
        }
        let (uri, fragment) = uri::split(absolute);
        let (root, outer) = match self.anchors.get(uri) {
            Some(found) => found.clone(),
            None => {
                let root = self
                    .document(loader, uri, uri::split(reference).0)
                    .or_else(|| meta_schema(uri))
                    .ok_or_else(|| not_here(uri))?;
                let document = Document { root, draft: scope.document.draft };
                let outer = Scope { document, base: Some(uri.into()) };
                self.anchors.insert(uri.to_owned(), (root, outer.within(root)?));
                self.collect_anchors(root, &outer, &[])?;
                (root, outer.within(root)?)
            }
        };
        if fragment.is_empty() {
            return Ok((root, outer));
        }
        if let Some(found) = self.anchors.get(absolute) {
            return Ok(found.clone());
        }
        let nothing = || LoadError::Invalid(format!("$ref: nothing at {absolute}"));
        if !fragment.starts_with('/') {
            return Err(nothing());
        }
        let is_document = std::ptr::eq(root, outer.document.root);
        let way = follow(root, fragment, is_document).ok_or_else(nothing)?;
        let mut inner = outer;
        for value in way.iter().skip(1) {
            inner = inner.within(value)?;
        }
        let target = way.last().copied().unwrap_or(root);
        Ok((target, inner))
    }

    /// A referenced document: under its name as written, or as the root sees it.
    fn document(&self, loader: &Loader<'a>, absolute: &str, written: &str) -> Option<&'a Value> {
        let plain = |name: &str| name.strip_prefix("./").unwrap_or(name).to_owned();
        let is_it = |name: &str| {
            name == absolute
                || plain(name) == plain(written)
                || uri::resolve(Some(&self.root_base), name).as_deref() == Some(absolute)
        };
        loader.referenced.iter().find(|referenced| is_it(&referenced.name))?.document.as_ref()
    }

    /// Makes an id or anchor known; two schemas of one are an error.
    fn register(&mut self, uri: String, value: &'a Value, scope: &Scope<'a>) -> Result<(), LoadError> {
        let (known, _) = self.anchors.entry(uri).or_insert_with(|| (value, scope.clone()));
        if std::ptr::eq(*known, value) {
            return Ok(());
        }
        Err(LoadError::Invalid("$id, $anchor: two schemas of one name".to_owned()))
    }

    /// Makes ids and anchors known, where keywords stand: not below unknown ones, `enum` and `const`.
    fn collect_anchors(&mut self, value: &'a Value, outer: &Scope<'a>, way: &[&str]) -> Result<(), LoadError> {
        // Below an unknown keyword nothing is a schema; below a map of schemas every name is one.
        let known = |name: &str| KNOWN.contains(&name) || name == "$defs";
        let in_map = way.len() > 1 && (MAPS.contains(&way[way.len() - 2]) || LISTS.contains(&way[way.len() - 2]));
        if way.last().is_some_and(|last| !known(last)) && !in_map {
            return Ok(());
        }
        match value {
            Value::Object(members) => {
                let scope = outer.within(value)?;
                if members.get("$id").and_then(Value::as_str).is_some() {
                    let uri = without_empty_fragment(scope.base()).to_owned();
                    self.register(uri, value, &scope)?;
                }
                if let Some(anchor) = members.get("$anchor").and_then(Value::as_str) {
                    self.register(scope.join(&format!("#{anchor}"))?, value, &scope)?;
                }
                if let Some(anchor) = members.get("$dynamicAnchor").and_then(Value::as_str) {
                    let uri = scope.join(&format!("#{anchor}"))?;
                    self.anchors.insert(uri, (value, scope.clone()));
                }
                for (name, value) in members.iter().filter(|(name, _)| !matches!(*name, "enum" | "const")) {
                    let way = [way.last().copied().unwrap_or_default(), name];
                    self.collect_anchors(value, &scope, &way[usize::from(way[0].is_empty())..])?;
                }
                if std::ptr::eq(value, outer.document.root) {
                    for (name, value) in bridged(value).into_iter().flatten() {
                        self.collect_anchors(value, &scope, &["$defs", name])?;
                    }
                }
                Ok(())
            }
            Value::Array(elements) => elements.iter().try_for_each(|element| {
                let way = [way.last().copied().unwrap_or_default(), "0"];
                self.collect_anchors(element, outer, &way)
            }),
            _ => Ok(()),
        }
    }
}
