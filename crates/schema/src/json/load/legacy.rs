//! Drafts 4, 6 and 7: everit's loader.
//!
//! A schema object is read by extractors in a fixed order; each takes the keywords of its kind and gives a node, and
//! what is left over is sniffed by its keywords. Several nodes become one synthetic `allOf`. `$ref` hides everything
//! beside it but annotations.
//!
//! Source: everit-json-schema 1.14 `loader/{SchemaLoader,SchemaExtractor,ObjectSchemaLoader,ArraySchemaLoader,
//! StringSchemaLoader,ReferenceLookup}`.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::rc::Rc;

use super::super::model::{
    ArraySchema, Combined, Conditional, Criterion, Kind, Node, NodeId, NumberSchema, ObjectSchema, ReferenceSchema,
    StringSchema,
};
use super::super::named::Named;
use super::super::value::Value;
use super::{
    Document, Draft, LoadError, Loader, Refs, Scope, array, boolean, follow, left_over, meta_schema, not_here, number,
    object, regex, schema_name, string, strings, uri,
};

const ARRAYS: &[&str] = &["items", "additionalItems", "minItems", "maxItems", "uniqueItems"];
const OBJECTS: &[&str] = &[
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "dependencies",
    "patternProperties",
    "additionalProperties",
];
const NUMBERS: &[&str] = &["minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"];
const STRINGS: &[&str] = &["minLength", "maxLength", "pattern", "format"];

/// The draft of a document: as its `$schema` says, else that of the document that refers to it.
fn draft_of(root: &Value, from: Draft) -> Draft {
    Draft::named_by(root).filter(|draft| *draft <= Draft::Seven).unwrap_or(from)
}

/// Loads a root and all that it refers to.
pub(super) fn load<'a>(loader: &mut Loader<'a>, root: &'a Value) -> Result<NodeId, LoadError> {
    load_as(loader, root, Draft::of_root(root))
}

/// Loads a root of this draft and all that it refers to.
pub(super) fn load_as<'a>(loader: &mut Loader<'a>, root: &'a Value, draft: Draft) -> Result<NodeId, LoadError> {
    if let Some(named) = root.get("$schema") {
        string("$schema", named)?;
    }
    let base = match root.get(id_keyword_of_base(root)).map(as_text) {
        Some(id) => Some(uri::resolve(None, &id).ok_or_else(|| no_uri(&id))?),
        None => None,
    };
    let mut documents = HashMap::new();
    for referenced in loader.referenced {
        let uri = uri::resolve(base.as_deref(), &referenced.name).ok_or_else(|| no_uri(&referenced.name))?;
        let document = referenced.document.as_ref().filter(|document| document.as_object().is_some());
        let document = document.ok_or_else(|| LoadError::Invalid(format!("{uri} is not a JSON object")))?;
        documents.insert(uri, document);
    }
    let mut legacy = Legacy { documents, ids: HashMap::new() };
    let scope = Scope { document: Document { root, draft }, base: None };
    let node = legacy.schema(loader, root, &scope)?;
    let id = loader.add(node)?;
    loader.drain(|loader, value, scope| legacy.schema(loader, value, scope))?;
    Ok(id)
}

/// Which id references are seen from. Only a draft 4 that is named to the letter, without the usual `#`, has its own.
fn id_keyword_of_base(root: &Value) -> &'static str {
    match schema_name(root) {
        Some("json-schema.org/draft-04/schema" | "json-schema.org/schema") => "id",
        _ => "$id",
    }
}

/// Jackson's `asText`.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.to_string(),
        Value::Array(_) | Value::Object(_) => String::new(),
        other => super::text::print(other),
    }
}

fn no_uri(text: &str) -> LoadError {
    LoadError::Invalid(format!("not a URI: {text}"))
}

/// Objects by their id as written, with the base that the id is seen from.
type Ids<'a> = HashMap<&'a str, (&'a Value, Option<Rc<str>>)>;

struct Legacy<'a> {
    /// Referenced documents by absolute URI.
    documents: HashMap<String, &'a Value>,
    /// Objects with an id, of documents that were searched, by document and id as written.
    ids: HashMap<*const Value, Ids<'a>>,
}

/// The keywords of one schema object, and which of them are taken.
struct Keywords<'a> {
    all: &'a Named<Value>,
    taken: Vec<&'static str>,
}

impl<'a> Keywords<'a> {
    fn get(&self, name: &str) -> Option<&'a Value> {
        self.all.get(name)
    }

    /// A keyword that is a node of its own.
    fn take(&mut self, name: &'static str) -> Option<&'a Value> {
        let value = self.all.get(name);
        if value.is_some() {
            self.taken.push(name);
        }
        value
    }

    fn is_taken(&self, name: &str) -> bool {
        self.taken.contains(&name)
    }

    /// Whether one of `names` is there and not taken.
    fn has_left(&self, names: &[&str]) -> bool {
        names.iter().any(|name| !self.is_taken(name) && self.all.contains(name))
    }
}

impl<'a> Scope<'a> {
    /// The scope inside `value`: its id, if it has one, is the new base.
    fn enter(&self, value: &'a Value) -> Result<Scope<'a>, LoadError> {
        let mut scope = self.clone();
        if let Some(id) = value.get(self.document.draft.id_keyword()).and_then(Value::as_str) {
            let base = uri::resolve(self.base.as_deref(), id).ok_or_else(|| no_uri(id))?;
            scope.base = Some(base.into());
        }
        Ok(scope)
    }

    fn draft(&self) -> Draft {
        self.document.draft
    }
}

impl<'a> Legacy<'a> {
    fn child(&mut self, loader: &mut Loader<'a>, value: &'a Value, scope: &Scope<'a>) -> Result<NodeId, LoadError> {
        let node = self.schema(loader, value, scope)?;
        loader.add(node)
    }

    fn children(
        &mut self,
        loader: &mut Loader<'a>,
        values: &'a [Value],
        scope: &Scope<'a>,
    ) -> Result<Vec<NodeId>, LoadError> {
        values.iter().map(|value| self.child(loader, value, scope)).collect()
    }

    fn named(
        &mut self,
        loader: &mut Loader<'a>,
        values: impl Iterator<Item = (&'a str, &'a Value)>,
        scope: &Scope<'a>,
    ) -> Result<Vec<(Box<str>, NodeId)>, LoadError> {
        values.map(|(name, value)| Ok((name.into(), self.child(loader, value, scope)?))).collect()
    }

    fn schema(&mut self, loader: &mut Loader<'a>, value: &'a Value, scope: &Scope<'a>) -> Result<Node, LoadError> {
        match value {
            Value::Object(all) => self.object_schema(loader, all, &scope.enter(value)?),
            Value::Bool(allows) => Ok(Node::new(if *allows { Kind::True } else { Kind::False })),
            other => Err(LoadError::keyword("schema", "an object or boolean", other)),
        }
    }

    fn object_schema(
        &mut self,
        loader: &mut Loader<'a>,
        all: &'a Named<Value>,
        scope: &Scope<'a>,
    ) -> Result<Node, LoadError> {
        let mut keywords = Keywords { all, taken: Vec::new() };
        let mut kinds = Vec::new();
        match keywords.take("$ref") {
            Some(reference) => kinds.push(self.reference(loader, string("$ref", reference)?, scope)?),
            None => self.extract(loader, &mut keywords, scope, &mut kinds)?,
        }
        let mut kind = match kinds.len() {
            0 => Kind::Empty,
            1 => kinds.swap_remove(0),
            _ => {
                let subschemas = kinds.into_iter().map(|kind| loader.add(Node::new(kind))).collect::<Result<_, _>>()?;
                Kind::Combined(Combined { criterion: Criterion::All, subschemas, synthetic: true, extended: false })
            }
        };
        if let Kind::Array(arrays) = &mut kind {
            // The comparison looks for them among the keywords that are left over.
            let limit = |name: &str| all.get(name).and_then(Value::as_number).cloned();
            (arrays.min_contains, arrays.max_contains) = (limit("minContains"), limit("maxContains"));
        }
        let text = |name: &str| keywords.get(name).map(|value| Ok(string(name, value)?.into())).transpose();
        let definitions = match (loader.refs, &kind, keywords.get("definitions")) {
            (Refs::Ignore, Kind::Object(_), Some(Value::Object(definitions))) => {
                // The reference reads each as a schema of its own, draft 7 unless it says otherwise.
                let mut nodes = Vec::new();
                for (name, definition) in definitions.iter().filter(|(_, value)| value.as_object().is_some()) {
                    let document = Document { root: definition, draft: draft_of(definition, Draft::Seven) };
                    let scope = Scope { document, base: None };
                    nodes.push((format!("definitions.{name}").into(), self.child(loader, definition, &scope)?));
                }
                nodes
            }
            _ => Vec::new(),
        };
        if scope.draft() == Draft::Seven {
            for name in ["readOnly", "writeOnly"] {
                keywords.get(name).map_or(Ok(false), |value| boolean(name, value))?;
            }
        }
        let id = scope.draft().id_keyword();
        let annotations: &[&str] = match scope.draft() {
            Draft::Seven => &[id, "title", "description", "default", "readOnly", "writeOnly"],
            _ => &[id, "title", "description", "default"],
        };
        // A `$ref` is made before the rest is read: of what stands beside it, it keeps the texts.
        let is_reference = matches!(kind, Kind::Reference(_));
        Ok(Node {
            kind,
            id: text(id)?.filter(|_| !is_reference),
            title: text("title")?,
            description: text("description")?,
            default: keywords.get("default").filter(|_| !is_reference).cloned(),
            unprocessed: left_over(all, |name| keywords.is_taken(name) || annotations.contains(&name)),
            definitions,
        })
    }

    fn extract(
        &mut self,
        loader: &mut Loader<'a>,
        keywords: &mut Keywords<'a>,
        scope: &Scope<'a>,
        kinds: &mut Vec<Kind>,
    ) -> Result<(), LoadError> {
        if let Some(values) = keywords.take("enum") {
            kinds.push(Kind::Enum(array("enum", values)?.to_vec()));
        }
        // In the order of Java's hash set.
        for (name, criterion) in [("allOf", Criterion::All), ("oneOf", Criterion::One), ("anyOf", Criterion::Any)] {
            if let Some(parts) = keywords.take(name) {
                let subschemas = self.children(loader, array(name, parts)?, scope)?;
                kinds.push(Kind::Combined(Combined { criterion, subschemas, synthetic: false, extended: false }));
            }
        }
        if let Some(not) = keywords.take("not") {
            kinds.push(Kind::Not(self.child(loader, not, scope)?));
        }
        if scope.draft() != Draft::Four
            && let Some(value) = keywords.take("const")
        {
            kinds.push(Kind::Const(value.clone()));
        }
        match keywords.take("type") {
            None => {}
            Some(Value::Array(types)) => {
                let mut subschemas = Vec::with_capacity(types.len());
                for name in types {
                    let kind = self.typed(loader, keywords, string("type", name)?, scope)?;
                    subschemas.push(loader.add(Node::new(kind))?);
                }
                let combined = Combined { criterion: Criterion::Any, subschemas, synthetic: false, extended: false };
                kinds.push(Kind::Combined(combined));
            }
            Some(name) => {
                let kind = self.typed(loader, keywords, string("type", name)?, scope)?;
                kinds.push(kind);
            }
        }
        self.sniff(loader, keywords, scope, kinds)
    }

    /// The node of one word of `type`, with the keywords of that type.
    fn typed(
        &mut self,
        loader: &mut Loader<'a>,
        keywords: &mut Keywords<'a>,
        name: &str,
        scope: &Scope<'a>,
    ) -> Result<Kind, LoadError> {
        Ok(match name {
            "string" => Kind::String(Box::new(self.strings(keywords)?)),
            "integer" => {
                let numbers = self.numbers(keywords, scope)?;
                Kind::Number(Box::new(NumberSchema { requires_integer: true, ..numbers }))
            }
            "number" => Kind::Number(Box::new(self.numbers(keywords, scope)?)),
            "boolean" => Kind::Boolean,
            "null" => Kind::Null,
            "array" => Kind::Array(Box::new(self.arrays(loader, keywords, scope)?)),
            "object" => Kind::Object(Box::new(self.objects(loader, keywords, scope)?)),
            unknown => return Err(LoadError::Invalid(format!("type: unknown type {unknown}"))),
        })
    }

    /// Nodes for keywords whose type is not stated.
    fn sniff(
        &mut self,
        loader: &mut Loader<'a>,
        keywords: &mut Keywords<'a>,
        scope: &Scope<'a>,
        kinds: &mut Vec<Kind>,
    ) -> Result<(), LoadError> {
        let since_six = scope.draft() >= Draft::Six;
        if keywords.has_left(ARRAYS) || since_six && keywords.has_left(&["contains"]) {
            let arrays = self.arrays(loader, keywords, scope)?;
            kinds.push(Kind::Array(Box::new(ArraySchema { requires_array: false, ..arrays })));
        }
        if keywords.has_left(OBJECTS) || since_six && keywords.has_left(&["propertyNames"]) {
            let objects = self.objects(loader, keywords, scope)?;
            kinds.push(Kind::Object(Box::new(ObjectSchema { requires_object: false, ..objects })));
        }
        if keywords.has_left(NUMBERS) {
            let numbers = self.numbers(keywords, scope)?;
            kinds.push(Kind::Number(Box::new(NumberSchema { requires_number: false, ..numbers })));
        }
        if keywords.has_left(STRINGS) {
            let strings = self.strings(keywords)?;
            kinds.push(Kind::String(Box::new(StringSchema { requires_string: false, ..strings })));
        }
        if scope.draft() >= Draft::Seven && keywords.has_left(&["if", "then", "else"]) {
            let mut part =
                |name: &'static str| keywords.take(name).map(|value| self.child(loader, value, scope)).transpose();
            kinds.push(Kind::Conditional(Conditional {
                if_schema: part("if")?,
                then_schema: part("then")?,
                else_schema: part("else")?,
            }));
        }
        Ok(())
    }

    fn strings(&mut self, keywords: &mut Keywords<'a>) -> Result<StringSchema, LoadError> {
        keywords.taken.extend(STRINGS);
        let pattern = keywords.get("pattern").map(|value| regex("pattern", string("pattern", value)?)).transpose()?;
        Ok(StringSchema {
            min_length: integer(keywords, "minLength")?,
            max_length: integer(keywords, "maxLength")?,
            pattern,
            format: keywords.get("format").map(|value| Ok(string("format", value)?.into())).transpose()?,
            requires_string: true,
        })
    }

    fn numbers(&mut self, keywords: &mut Keywords<'a>, scope: &Scope<'a>) -> Result<NumberSchema, LoadError> {
        keywords.taken.extend(NUMBERS);
        let limit = |name: &str| keywords.get(name).map(|value| number(name, value)).transpose();
        let flag = |name: &str| keywords.get(name).map_or(Ok(false), |value| boolean(name, value));
        let mut numbers = NumberSchema {
            minimum: limit("minimum")?,
            maximum: limit("maximum")?,
            multiple_of: limit("multipleOf")?,
            ..NumberSchema::default()
        };
        if numbers.multiple_of.as_ref().is_some_and(|value| value.as_f64() == 0.0) {
            return Err(LoadError::Invalid("multipleOf: is 0".to_owned()));
        }
        if scope.draft() == Draft::Four {
            numbers.exclusive_minimum = flag("exclusiveMinimum")?;
            numbers.exclusive_maximum = flag("exclusiveMaximum")?;
        } else {
            numbers.exclusive_minimum_limit = limit("exclusiveMinimum")?;
            numbers.exclusive_maximum_limit = limit("exclusiveMaximum")?;
        }
        Ok(numbers)
    }

    fn arrays(
        &mut self,
        loader: &mut Loader<'a>,
        keywords: &mut Keywords<'a>,
        scope: &Scope<'a>,
    ) -> Result<ArraySchema, LoadError> {
        let since_six = scope.draft() >= Draft::Six;
        keywords.taken.extend(ARRAYS);
        let mut arrays = ArraySchema {
            min_items: integer(keywords, "minItems")?,
            max_items: integer(keywords, "maxItems")?,
            unique_items: keywords.get("uniqueItems").map_or(Ok(false), |value| boolean("uniqueItems", value))?,
            ..ArraySchema::default()
        };
        match keywords.get("additionalItems") {
            None => {}
            Some(Value::Bool(allowed)) => arrays.additional_items = *allowed,
            Some(value @ Value::Object(_)) => {
                arrays.schema_of_additional_items = Some(self.child(loader, value, scope)?);
            }
            Some(other) => return Err(LoadError::keyword("additionalItems", "an object or boolean", other)),
        }
        match keywords.get("items") {
            None => {}
            Some(Value::Array(items)) if items.is_empty() => {}
            Some(Value::Array(items)) => arrays.items = Some(self.children(loader, items, scope)?),
            Some(value @ Value::Object(_)) => arrays.all_items = Some(self.child(loader, value, scope)?),
            Some(value @ Value::Bool(_)) if since_six => arrays.all_items = Some(self.child(loader, value, scope)?),
            Some(other) => return Err(LoadError::keyword("items", "a schema or an array", other)),
        }
        if since_six {
            keywords.taken.push("contains");
            let contains = keywords.get("contains");
            arrays.contains = contains.map(|value| self.child(loader, value, scope)).transpose()?;
        }
        if arrays.all_items.is_some() || arrays.schema_of_additional_items.is_some() {
            arrays.additional_items = true;
        }
        Ok(arrays)
    }

    fn objects(
        &mut self,
        loader: &mut Loader<'a>,
        keywords: &mut Keywords<'a>,
        scope: &Scope<'a>,
    ) -> Result<ObjectSchema, LoadError> {
        let since_six = scope.draft() >= Draft::Six;
        keywords.taken.extend(OBJECTS);
        let mut objects = ObjectSchema {
            min_properties: integer(keywords, "minProperties")?,
            max_properties: integer(keywords, "maxProperties")?,
            ..ObjectSchema::default()
        };
        if let Some(value) = keywords.get("properties") {
            let id = scope.draft().id_keyword();
            let properties = object("properties", value)?;
            let kept = properties.iter().filter(|(name, value)| *name != id || value.as_object().is_some());
            objects.properties = Named::from_entries(self.named(loader, kept, scope)?);
        }
        match keywords.get("additionalProperties") {
            None => {}
            Some(Value::Bool(allowed)) => objects.additional_properties = *allowed,
            Some(value @ Value::Object(_)) => {
                objects.schema_of_additional_properties = Some(self.child(loader, value, scope)?);
            }
            Some(other) => return Err(LoadError::keyword("additionalProperties", "an object or boolean", other)),
        }
        if let Some(value) = keywords.get("required") {
            objects.required = strings("required", value)?;
        }
        if let Some(value) = keywords.get("patternProperties") {
            let patterns = object("patternProperties", value)?;
            patterns.names().try_for_each(|pattern| regex("patternProperties", pattern).map(|_| ()))?;
            objects.pattern_properties = Named::from_entries(self.named(loader, patterns.iter(), scope)?);
        }
        if let Some(value) = keywords.get("dependencies") {
            let (mut lists, mut schemas) = (Vec::new(), Vec::new());
            for (name, dependency) in object("dependencies", value)?.iter() {
                match dependency {
                    Value::Array(names) if names.is_empty() => {}
                    Value::Array(_) => lists.push((name.into(), distinct(strings("dependencies", dependency)?))),
                    Value::Object(_) | Value::Bool(_) if since_six || dependency.as_object().is_some() => {
                        schemas.push((name.into(), self.child(loader, dependency, scope)?));
                    }
                    other => return Err(LoadError::keyword("dependencies", "a schema or an array", other)),
                }
            }
            objects.property_dependencies = Named::from_entries(lists);
            objects.schema_dependencies = Named::from_entries(schemas);
        }
        if since_six {
            keywords.taken.push("propertyNames");
            let names = keywords.get("propertyNames");
            objects.property_names = names.map(|value| self.child(loader, value, scope)).transpose()?;
        }
        Ok(objects)
    }

    fn reference(&mut self, loader: &mut Loader<'a>, reference: &str, scope: &Scope<'a>) -> Result<Kind, LoadError> {
        let absolute = uri::resolve(scope.base.as_deref(), reference).ok_or_else(|| no_uri(reference))?;
        let to = |target| Kind::Reference(ReferenceSchema { value: reference.into(), target });
        if loader.refs == Refs::Ignore {
            return Ok(to(NodeId(0)));
        }
        if let Some(target) = loader.targets.get(&absolute) {
            return Ok(to(*target));
        }
        let (value, scope) = match self.by_id(scope.document, &absolute)? {
            Some(found) => found,
            None if reference.starts_with('#') => self.within(scope.document, None, reference)?,
            None => self.in_documents(scope, &absolute)?,
        };
        Ok(to(loader.queue(absolute, value, scope)?))
    }

    /// The object of this document whose id is written like `uri`.
    fn by_id(&mut self, document: Document<'a>, uri: &str) -> Result<Option<(&'a Value, Scope<'a>)>, LoadError> {
        let key = std::ptr::from_ref(document.root);
        let ids = match self.ids.entry(key) {
            Entry::Occupied(known) => known.into_mut(),
            Entry::Vacant(place) => {
                let mut ids = HashMap::new();
                collect_ids(document.root, &Scope { document, base: None }, &mut ids)?;
                place.insert(ids)
            }
        };
        let found = ids.get(uri);
        Ok(found.map(|(value, base)| (*value, Scope { document, base: base.clone() })))
    }

    /// What a fragment (`#/a/b`) points to. As in the reference, any other fragment is the whole document.
    fn within(
        &mut self,
        document: Document<'a>,
        base: Option<Rc<str>>,
        fragment: &str,
    ) -> Result<(&'a Value, Scope<'a>), LoadError> {
        let pointer = fragment.find('/').map_or("", |at| fragment[at..].trim_end_matches('/'));
        let way = follow(document.root, pointer, true)
            .ok_or_else(|| LoadError::Invalid(format!("$ref: nothing at {fragment}")))?;
        let mut scope = Scope { document, base };
        let (target, before) = way.split_last().unwrap_or((&document.root, &[]));
        for value in before {
            scope = scope.enter(value)?;
        }
        Ok((*target, scope))
    }

    fn in_documents(&mut self, scope: &Scope<'a>, absolute: &str) -> Result<(&'a Value, Scope<'a>), LoadError> {
        let (uri, fragment) = uri::split(absolute);
        let whole = self.documents.get(absolute).map(|root| (*root, ""));
        let part = || self.documents.get(uri).map(|root| (*root, fragment));
        let meta = || meta_schema(uri).filter(|meta| Draft::of_root(meta) <= Draft::Seven).map(|root| (root, fragment));
        let Some((root, fragment)) = whole.or_else(part).or_else(meta) else {
            return Err(not_here(uri));
        };
        let document = Document { root, draft: draft_of(root, scope.draft()) };
        self.within(document, Some(uri.into()), fragment)
    }
}

/// Every object with an id below `value`, by its id as written.
fn collect_ids<'a>(value: &'a Value, scope: &Scope<'a>, ids: &mut Ids<'a>) -> Result<(), LoadError> {
    match value {
        Value::Object(members) => {
            if let Some(id) = members.get(scope.draft().id_keyword()).and_then(Value::as_str) {
                ids.insert(id, (value, scope.base.clone()));
            }
            let inner = scope.enter(value)?;
            members.iter().try_for_each(|(_, value)| collect_ids(value, &inner, ids))
        }
        Value::Array(elements) => elements.iter().try_for_each(|value| collect_ids(value, scope, ids)),
        _ => Ok(()),
    }
}

/// A keyword that Java holds in an `Integer`.
fn integer(keywords: &Keywords<'_>, name: &str) -> Result<Option<i32>, LoadError> {
    let Some(value) = keywords.get(name) else {
        return Ok(None);
    };
    let integer = value.as_number().and_then(|number| number.as_i32());
    integer.map(Some).ok_or_else(|| LoadError::keyword(name, "an integer of 32 bits", value))
}

/// Without doubles, the first of equals kept.
pub(super) fn distinct(names: Vec<Box<str>>) -> Vec<Box<str>> {
    let mut seen = std::collections::HashSet::new();
    names.into_iter().filter(|name| seen.insert(name.clone())).collect()
}
