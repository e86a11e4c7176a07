//! Avro schemas as logical types.
//!
//! Records and enums become named types, unless they are marked anonymous; unions with `null` become nullable columns;
//! logical types, Connect's and Flink's attributes say how wide and how precise. What DDL has no type for is refused.
//!
//! Source: schema-registry `type/logical/avro/AvroToLogicalTypeConverter`, `AvroDefaultValueConverter`, 8.5.

use std::collections::{HashMap, HashSet};

use super::json::Json;
use super::model::{AvroModel, Field as AvroField, Kind as Avro, Record, Type, TypeId};
use super::normalize;
use crate::InvalidSchema;
use crate::logical::{
    Branch, Budget, Check, Column, Fallback, Field, Kind, Leaf, LogicalType, Named, Symbol, UNBOUNDED, ddl, moment,
    refuse,
};

/// Bytes of a decimal default that are looked at.
const MAX_DECIMAL_BYTES: usize = 256;

/// The schema as a logical type. Fails for types that have none.
pub(crate) fn logical(model: &AvroModel) -> Result<LogicalType, InvalidSchema> {
    let referenced = model.types[..model.referenced].iter();
    let external = referenced.filter_map(|of| of.kind.name()).map(|name| name.full()).collect();
    let (logical, budget) = (LogicalType::default(), Budget::default());
    let mut converter = Converter { model, external, logical, anonymous: Vec::new(), budget };
    let root = converter.column(model.root, false, &[])?;
    converter.logical.root = Some(root);
    Ok(converter.logical)
}

struct Converter<'a> {
    model: &'a AvroModel,
    /// Full names of types that references define.
    external: HashSet<&'a str>,
    logical: LogicalType,
    /// Anonymous records that are open: they cannot hold themselves.
    anonymous: Vec<TypeId>,
    budget: Budget,
}

impl<'a> Converter<'a> {
    /// The column of a type; `hints` names the branches of unions in it.
    fn column(&mut self, id: TypeId, is_nullable: bool, hints: &'a [Json]) -> Result<Column, InvalidSchema> {
        self.budget.enter()?;
        let column = self.kind(id, hints).map(|column| column.or_nullable(is_nullable));
        self.budget.leave();
        column
    }

    fn kind(&mut self, id: TypeId, hints: &'a [Json]) -> Result<Column, InvalidSchema> {
        let model = self.model;
        let of = &model[id];
        Ok(Column::of(match &of.kind {
            Avro::Null => return Err(refuse("Standalone NULL type is not supported")),
            Avro::Boolean => Kind::Leaf(Leaf::Boolean),
            Avro::Float => Kind::Leaf(Leaf::Float),
            Avro::Double => Kind::Leaf(Leaf::Double),
            Avro::Bytes | Avro::Fixed(_) => Kind::Leaf(binary(of)?),
            Avro::Int => Kind::Leaf(int(of)?),
            Avro::Long => Kind::Leaf(long(of)?),
            Avro::String => Kind::Leaf(string(of)),
            Avro::Array(items) => self.array(of, *items, hints)?,
            Avro::Map(values) => {
                let values = self.column(*values, false, hints)?;
                map_or_multiset(of, map_key(of), values)?
            }
            Avro::Union(branches) => return self.union(branches, hints),
            Avro::Enum(symbols) => {
                let leaf = Leaf::Enum(symbols_of(of, &symbols.symbols));
                if is_anonymous(of) {
                    return Ok(Column::leaf(leaf));
                }
                self.declare(of, symbols.name.full(), Kind::Leaf(leaf))
            }
            Avro::Record(record) => self.record(id, of, record)?,
        }))
    }

    fn record(&mut self, id: TypeId, of: &'a Type, record: &'a Record) -> Result<Kind, InvalidSchema> {
        if text(of, "logicalType") == Some("variant") {
            return Ok(Kind::Leaf(Leaf::Variant));
        }
        if is_anonymous(of) {
            if self.anonymous.contains(&id) {
                return Err(refuse("Cyclic schemas are not supported."));
            }
            self.anonymous.push(id);
            let fields = self.fields(record)?;
            self.anonymous.pop();
            return Ok(Kind::Struct(fields));
        }
        let name = record.name.full();
        if let Some(at) = self.logical.declared(name) {
            return Ok(Kind::Ref(self.logical.named[at].0.clone()));
        }
        // Known before its fields are: they may hold it.
        let declared = self.declare(of, name, Kind::Struct(Vec::new()));
        let fields = self.fields(record)?;
        if let Some(at) = self.logical.declared(name) {
            self.logical.named[at].1.kind = Kind::Struct(fields);
            self.logical.named[at].1.checks = checks(&of.props);
        }
        Ok(declared)
    }

    fn declare(&mut self, of: &Type, name: &str, kind: Kind) -> Kind {
        if self.logical.declared(name).is_none() {
            let named = Named {
                kind,
                doc: of.kind.doc().map(str::to_owned),
                tags: tags(&of.props),
                params: params(prop(&of.props, "confluent:params")),
                checks: Vec::new(),
                is_external: self.external.contains(name),
            };
            self.logical.declare(name, named);
        }
        Kind::Ref(name.to_owned())
    }

    fn fields(&mut self, record: &'a Record) -> Result<Vec<Field>, InvalidSchema> {
        record.fields.iter().map(|field| self.field(field)).collect()
    }

    fn field(&mut self, field: &'a AvroField) -> Result<Field, InvalidSchema> {
        let column = self.column(field.schema, false, list(prop(&field.props, "confluent:union")))?;
        let default = field
            .default
            .as_ref()
            .and_then(|default| normalize::typed(self.model, default, Some(field.schema)).ok().flatten());
        Ok(Field {
            name: field.name.clone(),
            default: default.map(|default| fallback(&column, &default)),
            column,
            doc: field.doc.clone(),
            tags: tags(&field.props),
            params: params(prop(&field.props, "confluent:params")),
            checks: checks(&field.props),
        })
    }

    fn array(&mut self, of: &Type, items: TypeId, hints: &'a [Json]) -> Result<Kind, InvalidSchema> {
        if !is_map(self.model, of, items) {
            return Ok(Kind::Array(Box::new(self.column(items, false, hints)?)));
        }
        let pair = match &self.model[items].kind {
            Avro::Record(record) if record.fields.len() == 2 => {
                let part = |name: &str| record.fields.iter().find(|field| field.name == name).map(|field| field.schema);
                part("key").zip(part("value"))
            }
            _ => None,
        };
        let what =
            "Found map encoded as array of key-value pairs, but array elements do not match the expected format.";
        let (key, value) = pair.ok_or_else(|| refuse(what))?;
        let key = self.column(key, false, hints)?;
        let value = self.column(value, false, hints)?;
        map_or_multiset(of, key, value)
    }

    fn union(&mut self, branches: &'a [TypeId], hints: &'a [Json]) -> Result<Column, InvalidSchema> {
        let members: Vec<TypeId> =
            branches.iter().copied().filter(|branch| !matches!(self.model[*branch].kind, Avro::Null)).collect();
        let is_nullable = members.len() < branches.len();
        if let [only] = members.as_slice() {
            return self.column(*only, is_nullable, hints);
        }
        let model = self.model;
        let simple = |id: TypeId| model[id].kind.name().map_or(model[id].kind.word(), |name| name.simple());
        let mut counts: HashMap<&str, usize> = HashMap::new();
        members.iter().for_each(|member| *counts.entry(simple(*member)).or_default() += 1);
        let (mut parts, mut names) = (Vec::with_capacity(members.len()), HashSet::new());
        for (at, member) in members.iter().enumerate() {
            let hint = hints.get(at);
            let told = |key: &str| hint.and_then(|hint| hint.get(key)).and_then(Json::as_text).map(str::to_owned);
            let own = match counts.get(simple(*member)) {
                Some(1) => simple(*member).to_owned(),
                _ => {
                    model[*member].kind.name().map_or(model[*member].kind.word(), |name| name.full()).replace('.', "_")
                }
            };
            let column = self.column(*member, false, hints)?;
            let name = told("name").unwrap_or(own);
            if !names.insert(name.clone()) {
                return Err(refuse(&format!("Duplicate union branch: {name}")));
            }
            parts.push(Branch {
                name,
                column,
                doc: told("doc"),
                params: params(hint.and_then(|hint| hint.get("params"))),
            });
        }
        Ok(Column { kind: Kind::Union(parts), is_nullable })
    }
}

fn prop<'a>(props: &'a [(String, Json)], key: &str) -> Option<&'a Json> {
    props.iter().find(|(name, _)| name == key).map(|(_, value)| value)
}

fn text<'a>(of: &'a Type, key: &str) -> Option<&'a str> {
    prop(&of.props, key)?.as_text()
}

fn number(of: &Type, key: &str) -> Option<i64> {
    match prop(&of.props, key)? {
        Json::Integer(value) => Some(*value),
        _ => None,
    }
}

fn is_anonymous(of: &Type) -> bool {
    text(of, "logical.anonymous") == Some("true")
}

fn is_logical(of: &Type, word: &str) -> bool {
    text(of, "logicalType").is_some_and(|logical| logical.eq_ignore_ascii_case(word))
}

fn binary(of: &Type) -> Result<Leaf, InvalidSchema> {
    if is_logical(of, "decimal") {
        if prop(&of.props, "precision").is_some_and(|value| !matches!(value, Json::Integer(_) | Json::Double(_))) {
            return Err(refuse("precision property must be a JSON Integer."));
        }
        let precision = number(of, "precision").unwrap_or(10);
        let scale = number(of, "scale").unwrap_or(0);
        return Ok(Leaf::Decimal { precision, scale });
    }
    Ok(match &of.kind {
        Avro::Fixed(fixed) => Leaf::Binary(fixed.size.into()),
        _ => Leaf::Varbinary(number(of, "flink.maxLength").unwrap_or(UNBOUNDED)),
    })
}

fn int(of: &Type) -> Result<Leaf, InvalidSchema> {
    match (text(of, "logicalType"), text(of, "connect.type")) {
        (Some(_), _) if is_logical(of, "date") => Ok(Leaf::Date),
        (Some(_), _) if is_logical(of, "time-millis") => precise(Leaf::Time, of, 3),
        (Some(_), _) | (None, None) => Ok(Leaf::Int),
        (None, Some(width)) if width.eq_ignore_ascii_case("int8") => Ok(Leaf::TinyInt),
        (None, Some(width)) if width.eq_ignore_ascii_case("int16") => Ok(Leaf::SmallInt),
        (None, Some(_)) => Err(refuse("Connect type annotation for Avro int field is null")),
    }
}

/// A logical type's name, and the leaf that it is with so many digits.
type Precise = (&'static str, fn(i64) -> Leaf, i64);

fn long(of: &Type) -> Result<Leaf, InvalidSchema> {
    const TIMES: &[Precise] = &[
        ("time-micros", Leaf::Time, 6),
        ("timestamp-millis", Leaf::TimestampLtz, 3),
        ("timestamp-micros", Leaf::TimestampLtz, 6),
        ("timestamp-nanos", Leaf::TimestampLtz, 9),
        ("local-timestamp-millis", Leaf::Timestamp, 3),
        ("local-timestamp-micros", Leaf::Timestamp, 6),
        ("local-timestamp-nanos", Leaf::Timestamp, 9),
    ];
    match TIMES.iter().find(|(word, ..)| is_logical(of, word)) {
        Some((_, leaf, digits)) => precise(*leaf, of, *digits),
        None => Ok(Leaf::BigInt),
    }
}

fn precise(leaf: fn(i64) -> Leaf, of: &Type, digits: i64) -> Result<Leaf, InvalidSchema> {
    Leaf::precise(leaf, number(of, "flink.precision").unwrap_or(digits))
}

fn string(of: &Type) -> Leaf {
    let longest = number(of, "flink.maxLength").unwrap_or(UNBOUNDED);
    match number(of, "flink.minLength") {
        Some(shortest) if shortest == longest => Leaf::Char(shortest),
        _ => Leaf::Varchar(longest),
    }
}

fn map_key(of: &Type) -> Column {
    Column::leaf(match (number(of, "logical.key.length"), text(of, "logical.key.type")) {
        (Some(length), Some("CHAR")) => Leaf::Char(length),
        (Some(length), _) => Leaf::Varchar(length),
        (None, _) => Leaf::STRING,
    })
}

fn map_or_multiset(of: &Type, key: Column, value: Column) -> Result<Kind, InvalidSchema> {
    Kind::map_or_multiset(key, value, text(of, "flink.type") == Some("multiset"))
}

/// Whether an array stands for a map whose keys are no strings.
fn is_map(model: &AvroModel, of: &Type, items: TypeId) -> bool {
    let entry = &model[items];
    let Avro::Record(record) = &entry.kind else { return text(of, "logicalType") == Some("map") };
    text(of, "logicalType") == Some("map")
        || record.name.full() == "io.confluent.connect.avro.MapEntry"
        || text(entry, "connect.internal.type") == Some("MapEntry")
}

fn list(value: Option<&Json>) -> &[Json] {
    match value {
        Some(Json::List(items)) => items,
        _ => &[],
    }
}

/// A value as Java's `toString` has it.
fn shown(value: &Json) -> String {
    match value {
        Json::Text(text) => text.clone(),
        Json::List(items) => format!("[{}]", items.iter().map(shown).collect::<Vec<_>>().join(", ")),
        Json::Object(entries) => {
            let entries: Vec<String> = entries.iter().map(|(name, value)| format!("{name}={}", shown(value))).collect();
            format!("{{{}}}", entries.join(", "))
        }
        other => other.to_string(),
    }
}

fn tags(props: &[(String, Json)]) -> Vec<String> {
    list(prop(props, "confluent:tags")).iter().map(shown).collect()
}

fn params(value: Option<&Json>) -> Vec<(String, String)> {
    match value {
        Some(Json::Object(entries)) => entries.iter().map(|(name, value)| (name.clone(), shown(value))).collect(),
        _ => Vec::new(),
    }
}

/// Rules that have both an expression and its SQL.
fn checks(props: &[(String, Json)]) -> Vec<Check> {
    let full = |rule: &Json, key: &str| rule.get(key).map(shown).filter(|text| !text.is_empty());
    let check = |rule: &Json| {
        full(rule, "expr")?;
        let sql = full(rule, "sql")?;
        let word = |key: &str| rule.get(key).and_then(Json::as_text).filter(|text| !text.is_empty()).map(str::to_owned);
        Some(Check { name: word("name"), sql, message: word("doc") })
    };
    list(prop(props, "confluent:rules")).iter().filter_map(check).collect()
}

fn symbols_of(of: &Type, symbols: &[String]) -> Vec<Symbol> {
    let told = list(prop(&of.props, "confluent:enum"));
    let symbol = |(at, name): (usize, &String)| Symbol {
        name: name.clone(),
        doc: told.get(at).and_then(|entry| entry.get("doc")).and_then(Json::as_text).map(str::to_owned),
        params: params(told.get(at).and_then(|entry| entry.get("params"))),
    };
    symbols.iter().enumerate().map(symbol).collect()
}

/// A default of a column of this type.
fn fallback(column: &Column, default: &Json) -> Fallback {
    if *default == Json::Null { Fallback::Null } else { Fallback::Written(literal(column, default)) }
}

/// A default as DDL writes it in a column of this type.
fn literal(column: &Column, default: &Json) -> String {
    let latin1 = |text: &str| -> Vec<u8> { text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect() };
    let Kind::Leaf(leaf) = &column.kind else { return ddl::text(&shown(default)) };
    let digits = |digits: &i64| u32::try_from(*digits).unwrap_or(0);
    match (leaf, default) {
        (Leaf::Boolean, _) => ddl::boolean(*default == Json::Bool(true)),
        (Leaf::Date, Json::Integer(days)) => moment::date(*days),
        (Leaf::Time(precision), Json::Integer(value)) => moment::time(*value, if *precision <= 3 { 3 } else { 6 }),
        (Leaf::TimestampLtz(precision), Json::Integer(value)) => moment::instant(*value, digits(precision)),
        (Leaf::Timestamp(precision), Json::Integer(value)) => moment::local(*value, digits(precision)),
        (Leaf::Decimal { scale, .. }, Json::Text(unscaled)) => decimal(&latin1(unscaled), *scale),
        (Leaf::Binary(_) | Leaf::Varbinary(_), Json::Text(text)) => ddl::bytes(&latin1(text)),
        (Leaf::TinyInt | Leaf::SmallInt | Leaf::Int | Leaf::BigInt | Leaf::Float | Leaf::Double, _) => match default {
            Json::Double(value) => ddl::double(*value),
            other => shown(other),
        },
        _ => ddl::text(&shown(default)),
    }
}

/// A decimal of these two's complement bytes, as `BigDecimal.toString` has it.
fn decimal(unscaled: &[u8], scale: i64) -> String {
    let is_negative = unscaled.first().is_some_and(|first| *first >= 0x80);
    // Decimal digits, last first.
    let mut digits: Vec<u8> = vec![0];
    let mut carry_in = |times: u32, plus: u32| {
        let mut carry = plus;
        for digit in digits.iter_mut() {
            carry += u32::from(*digit) * times;
            *digit = (carry % 10) as u8;
            carry /= 10;
        }
        while carry > 0 {
            digits.push((carry % 10) as u8);
            carry /= 10;
        }
    };
    for byte in unscaled.iter().take(MAX_DECIMAL_BYTES) {
        carry_in(256, u32::from(if is_negative { !*byte } else { *byte }));
    }
    if is_negative {
        carry_in(1, 1);
    }
    let mut digits: String = digits.iter().rev().map(|digit| char::from(b'0' + digit)).collect();
    if scale > 0 {
        let places = usize::try_from(scale).unwrap_or(0).min(MAX_DECIMAL_BYTES);
        if digits.len() <= places {
            digits.insert_str(0, &"0".repeat(places + 1 - digits.len()));
        }
        digits.insert(digits.len() - places, '.');
    }
    if is_negative { format!("-{digits}") } else { digits }
}
