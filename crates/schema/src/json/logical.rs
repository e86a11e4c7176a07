//! JSON Schemas as logical types.
//!
//! Objects are structs, their properties columns in the order of `connect.index`, else of their names; what is not
//! required takes NULL, and so does what may be `null`. What a `$ref` leads to is a named type: under its key in
//! `definitions` or `$defs`, else under a made-up name that is declared for the address. Connect's and Flink's keywords
//! say how wide and how precise. Conditions and tuples have no columns and are refused.
//!
//! Source: schema-registry `type/logical/json/{JsonToLogicalTypeConverter,CombinedSchemaUtils,
//! JsonDefaultValueConverter}`, 8.5, recording `logical-show`.

use std::collections::{HashMap, HashSet};

use super::model::{ArraySchema, Combined, Criterion, Kind as Json, Model, Node, NodeId, ObjectSchema};
use super::text::{self, java_order};
use super::value::{Number, Value};
use crate::InvalidSchema;
use crate::logical::{
    Branch, Budget, Check, Column, Fallback, Field, Kind, Leaf, LogicalType, Named, Symbol, check_name, ddl, default,
    moment, refuse,
};

const TIME: &str = "org.apache.kafka.connect.data.Time";
const DATE: &str = "org.apache.kafka.connect.data.Date";
const TIMESTAMP: &str = "org.apache.kafka.connect.data.Timestamp";
const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";

/// The schema as a logical type. Fails for types that have none.
pub(super) fn logical(model: &Model) -> Result<LogicalType, InvalidSchema> {
    let namespace = prop(model.node(model.root()), "confluent:namespace").and_then(Value::as_str);
    let logical = LogicalType::in_namespace(namespace.map(str::to_owned));
    let mut converter = Converter { model, logical, made_up: HashMap::new(), last: 0, budget: Budget::default() };
    let root = converter.column(model.root(), false)?;
    converter.logical.root = Some(root);
    Ok(converter.logical)
}

struct Converter<'a> {
    model: &'a Model,
    logical: LogicalType,
    /// Addresses that have a made-up name.
    made_up: HashMap<&'a str, String>,
    /// The number of the last made-up name.
    last: usize,
    budget: Budget,
}

impl<'a> Converter<'a> {
    fn column(&mut self, id: NodeId, is_nullable: bool) -> Result<Column, InvalidSchema> {
        self.budget.enter()?;
        let column = self.kind(id).map(|column| column.or_nullable(is_nullable));
        self.budget.leave();
        column
    }

    fn kind(&mut self, id: NodeId) -> Result<Column, InvalidSchema> {
        let node = self.model.node(id);
        Ok(match &node.kind {
            Json::Boolean => Column::leaf(Leaf::Boolean),
            Json::Number(number) => Column::leaf(self::number(node, number.requires_integer)?),
            Json::String(string) => Column::leaf(self::string(node, string.min_length, string.max_length)?),
            Json::Enum(values) => Column::leaf(Leaf::Enum(symbols(node, values)?)),
            Json::Combined(combined) => self.combined(node, combined)?,
            Json::Array(array) => Column::of(self.array(node, array)?),
            Json::Object(object) => Column::of(self.object(node, object)?),
            Json::Empty | Json::True => Column::leaf(Leaf::Variant),
            Json::Reference(reference) => Column::of(Kind::Ref(self.named(&reference.value, reference.target)?)),
            Json::Conditional(_) => return Err(unsupported("ConditionalSchema")),
            Json::Const(_) => return Err(unsupported("ConstSchema")),
            Json::False => return Err(unsupported("FalseSchema")),
            Json::Not(_) => return Err(unsupported("NotSchema")),
            Json::Null => return Err(unsupported("NullSchema")),
        })
    }

    /// The name that a `$ref` is known by, its type declared.
    fn named(&mut self, address: &'a str, target: NodeId) -> Result<String, InvalidSchema> {
        let key = definition_key(address);
        let name = key.map_or_else(|| self.made_up_name(address), str::to_owned);
        if self.logical.declared(&name).is_none() {
            // Known before its body is, which may refer to it.
            self.logical.declare(&name, Named::placeholder());
            let kind = self.column(target, false)?.kind;
            let is_external = key.is_none() || !address.starts_with('#');
            let named = Named { is_external, ..described(kind, self.model.node(target)) };
            self.logical.declare(&name, named);
        }
        Ok(name)
    }

    fn made_up_name(&mut self, address: &'a str) -> String {
        if let Some(name) = self.made_up.get(address) {
            return name.clone();
        }
        let name = loop {
            self.last += 1;
            let name = format!("Ref{}", self.last);
            if self.logical.declared(&name).is_none() {
                break name;
            }
        };
        self.made_up.insert(address, name.clone());
        self.logical.imports.push((name.clone(), address.to_owned()));
        name
    }

    fn combined(&mut self, node: &'a Node, combined: &'a Combined) -> Result<Column, InvalidSchema> {
        if combined.criterion == Criterion::All {
            return match simplified(self.model, combined)? {
                Simplified::Schema(id) => self.column(id, false),
                Simplified::Properties(properties) => Ok(Column::of(Kind::Struct(self.fields(properties)?))),
            };
        }
        let is_null = |id: &NodeId| matches!(self.model.node(*id).kind, Json::Null);
        let members: Vec<NodeId> = combined.subschemas.iter().copied().filter(|id| !is_null(id)).collect();
        let is_nullable = members.len() < combined.subschemas.len();
        if let [only] = members.as_slice() {
            return self.column(*only, is_nullable);
        }
        let hints = list(prop(node, "confluent:union"));
        let mut branches: Vec<Branch> = Vec::with_capacity(members.len());
        let mut names = HashSet::new();
        for (at, id) in members.into_iter().enumerate() {
            let hint = |key: &str| hints.get(at).and_then(|hint| hint.get(key));
            let told = hint("name").and_then(Value::as_str).or(self.model.node(id).title.as_deref());
            let name = told.map_or_else(|| format!("connect_union_field_{at}"), str::to_owned);
            check_name(&name, "Union branch")?;
            if !names.insert(name.clone()) {
                return Err(refuse(&format!("Duplicate union branch: {name}")));
            }
            let column = self.column(id, true)?;
            let doc = hint("doc").and_then(Value::as_str).map(str::to_owned);
            branches.push(Branch { name, column, doc, params: params(hint("params")) });
        }
        Ok(Column::of(Kind::Union(branches)).or_nullable(is_nullable))
    }

    fn array(&mut self, node: &Node, array: &ArraySchema) -> Result<Kind, InvalidSchema> {
        let Some(items) = array.all_items else {
            return Err(refuse(match array.items {
                Some(_) => "JSON tuples (i.e. arrays that contain items of different types) are not supported",
                None => "Array schema did not specify the items type",
            }));
        };
        match &self.model.node(items).kind {
            Json::Object(entry) if word(node, "connect.type")? == Some("map") => {
                let part = |name| entry.properties.get(name).copied();
                let (Some(key), Some(value)) = (part("key"), part("value")) else {
                    return Err(refuse("Map entries must have a key and a value"));
                };
                let (keys, values) = (self.column(key, false)?, self.column(value, false)?);
                map_or_multiset(node, keys, values)
            }
            _ => Ok(Kind::Array(Box::new(self.column(items, false)?))),
        }
    }

    fn object(&mut self, node: &Node, object: &'a ObjectSchema) -> Result<Kind, InvalidSchema> {
        if word(node, "connect.type")? == Some("map") {
            let values = object.schema_of_additional_properties;
            let values = values.ok_or_else(|| refuse("Map schema did not specify the values type"))?;
            let values = self.column(values, false)?;
            return map_or_multiset(node, map_key(node), values);
        }
        Ok(Kind::Struct(self.fields(properties(object).collect())?))
    }

    /// The columns of properties: name, schema, whether it is required.
    fn fields(&mut self, properties: Vec<(&'a str, NodeId, bool)>) -> Result<Vec<Field>, InvalidSchema> {
        let mut sorted = Vec::with_capacity(properties.len());
        for (name, id, is_required) in properties {
            let place = match prop(self.model.node(id), "connect.index") {
                None | Some(Value::Null) => None,
                Some(place) => Some(whole(place)?),
            };
            sorted.push((place.is_none(), place, name, id, is_required));
        }
        sorted.sort_by(|a, b| (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| java_order(a.2, b.2)));
        sorted.into_iter().map(|(_, _, name, id, is_required)| self.field(name, id, is_required)).collect()
    }

    fn field(&mut self, name: &str, id: NodeId, is_required: bool) -> Result<Field, InvalidSchema> {
        check_name(name, "Field")?;
        let column = self.column(id, !is_required)?;
        let node = self.model.node(id);
        Ok(Field {
            name: name.to_owned(),
            default: self.default(id).and_then(|default| literal(&column.kind, default)).map(Fallback::Written),
            column,
            doc: node.description.as_deref().map(str::to_owned),
            tags: tags(node),
            params: params(prop(node, "confluent:params")),
            checks: checks(node),
        })
    }

    /// The default of a schema, or of what its `$ref`s lead to.
    fn default(&self, id: NodeId) -> Option<&'a Value> {
        let mut seen = HashSet::new();
        let mut at = id;
        while let Json::Reference(reference) = &self.model.node(at).kind
            && seen.insert(at)
        {
            at = reference.target;
        }
        self.model.node(at).default.as_ref()
    }
}

/// What an `allOf` comes down to.
enum Simplified<'a> {
    /// One of its parts.
    Schema(NodeId),
    /// The properties of all its parts, in any order, and whether they are required.
    Properties(Vec<(&'a str, NodeId, bool)>),
}

fn simplified<'a>(model: &'a Model, combined: &'a Combined) -> Result<Simplified<'a>, InvalidSchema> {
    let mut properties: HashMap<&str, (NodeId, bool)> = HashMap::new();
    let (mut values, mut number, mut string, mut inner) = (false, None, None, None);
    for id in &combined.subschemas {
        match &model.node(*id).kind {
            Json::Const(_) | Json::Enum(_) => values = true,
            Json::Number(_) => number = Some(*id),
            Json::String(_) => string = Some(*id),
            Json::Combined(_) => inner = Some(*id),
            Json::Conditional(_) | Json::Not(_) => {
                return Err(refuse(
                    "JSON Schema if/then/else and `not` are not supported: a property declared only under a condition \
                     has no column to be read into, so its values would be silently dropped",
                ));
            }
            _ => {}
        }
        gather(model, *id, &mut properties);
    }
    if !properties.is_empty() {
        let columns = properties.into_iter().map(|(name, (id, is_required))| (name, id, is_required));
        return Ok(Simplified::Properties(columns.collect()));
    }
    let chosen = match (inner, string, number) {
        (Some(inner), ..) => Some(inner),
        (None, Some(string), _) if values => Some(string),
        (None, _, Some(number)) if values || string.is_some() => Some(number),
        _ => match combined.subschemas.as_slice() {
            [first, second] => beside_an_object(model, *first, *second),
            _ => None,
        },
    };
    let keyword = combined.criterion.keyword();
    chosen.map(Simplified::Schema).ok_or_else(|| refuse(&format!("Unsupported criterion {keyword}")))
}

/// The properties of an object: name, schema, whether it is required.
fn properties(object: &ObjectSchema) -> impl Iterator<Item = (&str, NodeId, bool)> {
    let required: HashSet<&str> = object.required.iter().map(|name| &**name).collect();
    object.properties.iter().map(move |(name, id)| (name, *id, required.contains(name)))
}

/// The properties that a value of this schema has, through `$ref`s and `allOf`s. Later ones replace earlier ones.
fn gather<'a>(model: &'a Model, id: NodeId, found: &mut HashMap<&'a str, (NodeId, bool)>) {
    let mut seen = HashSet::new();
    let mut open = vec![id];
    while let Some(id) = open.pop() {
        if !seen.insert(id) {
            continue;
        }
        match &model.node(id).kind {
            Json::Combined(combined) if combined.criterion == Criterion::All => {
                open.extend(combined.subschemas.iter().rev());
            }
            Json::Reference(reference) => open.push(reference.target),
            Json::Object(object) => found.extend(properties(object).map(|(name, id, required)| (name, (id, required)))),
            _ => {}
        }
    }
}

/// Of two parts, the one beside keywords of objects that say nothing about the type.
fn beside_an_object(model: &Model, first: NodeId, second: NodeId) -> Option<NodeId> {
    let (object, other) = match (&model.node(first).kind, &model.node(second).kind) {
        (Json::Object(_), Json::Object(_)) => return None,
        (Json::Object(object), _) => (object, second),
        (_, Json::Object(object)) => (object, first),
        _ => return None,
    };
    let is_array = matches!(model.node(other).kind, Json::Array(_));
    (!object.requires_object || (object.required.is_empty() && is_array)).then_some(other)
}

fn unsupported(class: &str) -> InvalidSchema {
    refuse(&format!("Unsupported JSON schema type org.everit.json.schema.{class}"))
}

/// The key in `definitions` or `$defs` that an address ends in.
fn definition_key(address: &str) -> Option<&str> {
    let tail = ["/$defs/", "/definitions/"].into_iter().find_map(|marker| address.split_once(marker))?.1;
    (!tail.contains('/')).then_some(tail)
}

/// A named type with what its schema says about it.
fn described(kind: Kind, node: &Node) -> Named {
    Named {
        kind,
        doc: node.description.as_deref().map(str::to_owned),
        tags: tags(node),
        params: params(prop(node, "confluent:params")),
        checks: if matches!(node.kind, Json::Object(_)) { checks(node) } else { Vec::new() },
        is_external: false,
    }
}

fn prop<'a>(node: &'a Node, key: &str) -> Option<&'a Value> {
    node.unprocessed.as_ref()?.get(key)
}

/// A keyword that must be a text.
fn word<'a>(node: &'a Node, key: &str) -> Result<Option<&'a str>, InvalidSchema> {
    match prop(node, key) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => value.as_str().map(Some).ok_or_else(|| refuse(&format!("{key} must be a string"))),
    }
}

/// A keyword that must be an integer of 32 bits.
fn integer(node: &Node, key: &str) -> Result<Option<i64>, InvalidSchema> {
    prop(node, key).map(|value| whole(value).map_err(|_| refuse(&format!("{key} must be an integer")))).transpose()
}

fn whole(value: &Value) -> Result<i64, InvalidSchema> {
    let number = value.as_number().and_then(Number::as_i32);
    number.map(i64::from).ok_or_else(|| refuse("connect.index must be an integer"))
}

fn number(node: &Node, is_integer: bool) -> Result<Leaf, InvalidSchema> {
    let title = node.title.as_deref();
    let digits = || integer(node, "flink.precision").map(|digits| digits.unwrap_or(3));
    Ok(match word(node, "connect.type")? {
        None if is_integer => Leaf::BigInt,
        None => Leaf::Double,
        Some("int8") => Leaf::TinyInt,
        Some("int16") => Leaf::SmallInt,
        Some("int32") => match title {
            Some(TIME) => Leaf::precise(Leaf::Time, digits()?)?,
            Some(DATE) => Leaf::Date,
            _ => Leaf::Int,
        },
        Some("int64") if title == Some(TIMESTAMP) => Leaf::precise(Leaf::TimestampLtz, digits()?)?,
        Some("int64") if prop(node, "flink.type").and_then(Value::as_str) == Some("timestamp") => {
            Leaf::precise(Leaf::Timestamp, digits()?)?
        }
        Some("int64") => Leaf::BigInt,
        Some("float32") => Leaf::Float,
        Some("float64") => Leaf::Double,
        Some("bytes") if title == Some(DECIMAL) => {
            let parameters = prop(node, "connect.parameters");
            let number = |key: &str, default| match parameters.and_then(|parameters| parameters.get(key)) {
                None => Ok(default),
                Some(value) => value
                    .as_str()
                    .and_then(|text| text.parse().ok())
                    .ok_or_else(|| refuse(&format!("{key} must be a string of digits"))),
            };
            Leaf::Decimal { precision: number("connect.decimal.precision", 38)?, scale: number("scale", 18)? }
        }
        Some("bytes") => return Err(refuse("Expected decimal type")),
        Some(other) => return Err(refuse(&format!("Unsupported type {other}"))),
    })
}

fn string(node: &Node, shortest: Option<i32>, longest: Option<i32>) -> Result<Leaf, InvalidSchema> {
    if word(node, "connect.type")? == Some("bytes") {
        return Ok(match (integer(node, "flink.minLength")?, integer(node, "flink.maxLength")?) {
            (Some(shortest), Some(longest)) if shortest == longest => Leaf::Binary(longest),
            (_, Some(longest)) => Leaf::Varbinary(longest),
            (_, None) => Leaf::BYTES,
        });
    }
    Ok(match (shortest, longest) {
        (Some(shortest), Some(longest)) if shortest == longest => Leaf::Char(longest.into()),
        (_, Some(longest)) => Leaf::Varchar(longest.into()),
        (_, None) => Leaf::STRING,
    })
}

fn map_key(node: &Node) -> Column {
    let length = prop(node, "logical.key.length").and_then(Value::as_number).and_then(Number::as_i32);
    let is_char = prop(node, "logical.key.type").and_then(Value::as_str) == Some("CHAR");
    Column::leaf(match length.map(i64::from) {
        Some(length) if is_char => Leaf::Char(length),
        Some(length) => Leaf::Varchar(length),
        None => Leaf::STRING,
    })
}

fn map_or_multiset(node: &Node, keys: Column, values: Column) -> Result<Kind, InvalidSchema> {
    let is_multiset = prop(node, "flink.type").and_then(Value::as_str) == Some("multiset");
    Kind::map_or_multiset(keys, values, is_multiset)
}

fn symbols(node: &Node, values: &[Value]) -> Result<Vec<Symbol>, InvalidSchema> {
    let told = list(prop(node, "confluent:enum"));
    let mut seen = HashSet::new();
    let mut symbols = Vec::with_capacity(values.len());
    for (at, value) in values.iter().enumerate() {
        let name = shown(value);
        if !seen.insert(name.clone()) {
            continue;
        }
        check_name(&name, "Enum symbol")?;
        let doc = told.get(at).and_then(|entry| entry.get("doc")).and_then(Value::as_str).map(str::to_owned);
        let params = params(told.get(at).and_then(|entry| entry.get("params")));
        symbols.push(Symbol { name, doc, params });
    }
    Ok(symbols)
}

fn list(value: Option<&Value>) -> &[Value] {
    value.and_then(Value::as_array).unwrap_or_default()
}

/// A value as Java's `toString` has it, nearly.
fn shown(value: &Value) -> String {
    value.as_str().map_or_else(|| text::print(value), str::to_owned)
}

fn tags(node: &Node) -> Vec<String> {
    list(prop(node, "confluent:tags")).iter().map(shown).collect()
}

fn params(value: Option<&Value>) -> Vec<(String, String)> {
    let entries = value.and_then(Value::as_object);
    entries
        .map(|entries| entries.iter().map(|(name, value)| (name.to_owned(), shown(value))).collect())
        .unwrap_or_default()
}

/// Rules that have both an expression and its SQL.
fn checks(node: &Node) -> Vec<Check> {
    let full = |rule: &Value, key: &str| {
        rule.get(key).filter(|value| **value != Value::Null).map(shown).filter(|text| !text.is_empty())
    };
    let word = |rule: &Value, key: &str| rule.get(key)?.as_str().filter(|text| !text.is_empty()).map(str::to_owned);
    let check = |rule: &Value| {
        full(rule, "expr")?;
        Some(Check { name: word(rule, "name"), sql: full(rule, "sql")?, message: word(rule, "doc") })
    };
    list(prop(node, "confluent:rules")).iter().filter_map(check).collect()
}

/// A default as DDL writes it in a column of this type; `None` for what is no value of the type.
fn literal(kind: &Kind, default: &Value) -> Option<String> {
    let leaf = match kind {
        Kind::Leaf(leaf) => leaf,
        // As a value of the first branch, in quotes whatever it is.
        Kind::Union(branches) => {
            let literal = literal(&branches.first()?.column.kind, default)?;
            return Some(if literal.starts_with('\'') { literal } else { ddl::text(&literal) });
        }
        _ => return None,
    };
    match (leaf, default) {
        (Leaf::Boolean, Value::Bool(value)) => Some(ddl::boolean(*value)),
        (Leaf::TinyInt, Value::Number(number)) => Some((truncated(number) as i8).to_string()),
        (Leaf::SmallInt, Value::Number(number)) => Some((truncated(number) as i16).to_string()),
        (Leaf::Int, Value::Number(number)) => Some((truncated(number) as i32).to_string()),
        (Leaf::BigInt, Value::Number(number)) => Some((truncated(number) as i64).to_string()),
        (Leaf::Float, Value::Number(number)) => number.text().parse().ok().map(ddl::float),
        (Leaf::Double, Value::Number(number)) => Some(ddl::double(number.as_f64())),
        (Leaf::Decimal { .. }, Value::Number(number)) => Some(number.text().to_owned()),
        (Leaf::TimestampLtz(_), Value::Number(number)) => Some(moment::instant(truncated(number) as i64, 3)),
        (leaf, Value::String(text)) => default::of_text(leaf, text),
        _ => None,
    }
}

/// A number without its fraction.
fn truncated(number: &Number) -> i128 {
    number.text().parse().unwrap_or_else(|_| number.as_f64() as i128)
}
