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
use crate::logical::{Body, Branch, Check, Column, Field, Kind, LogicalType, Named, Symbol, ddl, moment};

/// The longest string or byte string: no length at all.
const UNBOUNDED: i64 = i32::MAX as i64;

/// Bytes of a decimal default that are looked at.
const MAX_DECIMAL_BYTES: usize = 256;

/// The schema as DDL.
pub(super) fn ddl(model: &AvroModel) -> Result<String, InvalidSchema> {
    let referenced = model.types[..model.referenced].iter();
    let external = referenced.filter_map(|of| of.kind.name()).map(|name| name.full()).collect();
    let mut converter = Converter { model, external, logical: LogicalType::default(), anonymous: Vec::new(), depth: 0 };
    let root = converter.column(model.root, false, &[])?;
    converter.logical.root = Some(root);
    Ok(ddl::script(&converter.logical))
}

struct Converter<'a> {
    model: &'a AvroModel,
    /// Full names of types that references define.
    external: HashSet<&'a str>,
    logical: LogicalType,
    /// Anonymous records that are open: they cannot hold themselves.
    anonymous: Vec<TypeId>,
    depth: usize,
}

impl<'a> Converter<'a> {
    /// The column of a type; `hints` names the branches of unions in it.
    fn column(&mut self, id: TypeId, is_nullable: bool, hints: &'a [Json]) -> Result<Column, InvalidSchema> {
        self.depth += 1;
        if self.depth > super::json::MAX_DEPTH {
            return Err(super::json::too_deep());
        }
        let column =
            self.kind(id, hints).map(|column| Column { is_nullable: is_nullable || column.is_nullable, ..column });
        self.depth -= 1;
        column
    }

    fn kind(&mut self, id: TypeId, hints: &'a [Json]) -> Result<Column, InvalidSchema> {
        let model = self.model;
        let of = &model[id];
        Ok(Column::of(match &of.kind {
            Avro::Null => return Err(refuse("Standalone NULL type is not supported")),
            Avro::Boolean => simple("BOOLEAN"),
            Avro::Float => simple("FLOAT"),
            Avro::Double => simple("DOUBLE"),
            Avro::Bytes | Avro::Fixed(_) => binary(of)?,
            Avro::Int => int(of)?,
            Avro::Long => long(of)?,
            Avro::String => string(of),
            Avro::Array(items) => self.array(of, *items, hints)?,
            Avro::Map(values) => {
                let values = self.column(*values, false, hints)?;
                map_or_multiset(of, map_key(of), values)?
            }
            Avro::Union(branches) => return self.union(branches, hints),
            Avro::Enum(symbols) => {
                let body = Body::Enum(symbols_of(of, &symbols.symbols));
                if is_anonymous(of) {
                    let symbols: Vec<String> = symbols.symbols.iter().map(|symbol| ddl::text(symbol)).collect();
                    return Ok(Column::simple(format!("ENUM({})", symbols.join(", "))));
                }
                self.declare(of, symbols.name.full(), body)
            }
            Avro::Record(record) => self.record(id, of, record)?,
        }))
    }

    fn record(&mut self, id: TypeId, of: &'a Type, record: &'a Record) -> Result<Kind, InvalidSchema> {
        if text(of, "logicalType") == Some("variant") {
            return Ok(simple("VARIANT"));
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
        let declared = self.declare(of, name, Body::default());
        let fields = self.fields(record)?;
        if let Some(at) = self.logical.declared(name) {
            self.logical.named[at].1.body = Body::Struct(fields);
            self.logical.named[at].1.checks = checks(&of.props);
        }
        Ok(declared)
    }

    fn declare(&mut self, of: &Type, name: &str, body: Body) -> Kind {
        if self.logical.declared(name).is_none() {
            let named = Named {
                body,
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
            default: default.map(|default| literal(&column, &default)),
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
        let mut parts = Vec::with_capacity(members.len());
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
            if parts.iter().any(|known: &Branch| known.name == name) {
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

fn simple(words: &str) -> Kind {
    Kind::Simple(words.to_owned())
}

fn refuse(what: &str) -> InvalidSchema {
    InvalidSchema::Semantics(format!("Stored schema cannot be represented as a logical type: {what}"))
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

fn binary(of: &Type) -> Result<Kind, InvalidSchema> {
    if is_logical(of, "decimal") {
        if prop(&of.props, "precision").is_some_and(|value| !matches!(value, Json::Integer(_) | Json::Double(_))) {
            return Err(refuse("precision property must be a JSON Integer."));
        }
        let precision = number(of, "precision").unwrap_or(10);
        let scale = number(of, "scale").unwrap_or(0);
        return Ok(Kind::Simple(format!("DECIMAL({precision}, {scale})")));
    }
    Ok(match (&of.kind, number(of, "flink.maxLength").unwrap_or(UNBOUNDED)) {
        (Avro::Fixed(fixed), _) => Kind::Simple(format!("BINARY({})", fixed.size)),
        (_, UNBOUNDED) => simple("BYTES"),
        (_, length) => Kind::Simple(format!("VARBINARY({length})")),
    })
}

fn int(of: &Type) -> Result<Kind, InvalidSchema> {
    match (text(of, "logicalType"), text(of, "connect.type")) {
        (Some(_), _) if is_logical(of, "date") => Ok(simple("DATE")),
        (Some(_), _) if is_logical(of, "time-millis") => precise("TIME", of, 3),
        (Some(_), _) | (None, None) => Ok(simple("INT")),
        (None, Some(width)) if width.eq_ignore_ascii_case("int8") => Ok(simple("TINYINT")),
        (None, Some(width)) if width.eq_ignore_ascii_case("int16") => Ok(simple("SMALLINT")),
        (None, Some(_)) => Err(refuse("Connect type annotation for Avro int field is null")),
    }
}

fn long(of: &Type) -> Result<Kind, InvalidSchema> {
    const TIMES: &[(&str, &str, i64)] = &[
        ("time-micros", "TIME", 6),
        ("timestamp-millis", "TIMESTAMP_LTZ", 3),
        ("timestamp-micros", "TIMESTAMP_LTZ", 6),
        ("timestamp-nanos", "TIMESTAMP_LTZ", 9),
        ("local-timestamp-millis", "TIMESTAMP", 3),
        ("local-timestamp-micros", "TIMESTAMP", 6),
        ("local-timestamp-nanos", "TIMESTAMP", 9),
    ];
    match TIMES.iter().find(|(word, ..)| is_logical(of, word)) {
        Some((_, name, digits)) => precise(name, of, *digits),
        None => Ok(simple("BIGINT")),
    }
}

fn precise(name: &str, of: &Type, digits: i64) -> Result<Kind, InvalidSchema> {
    match number(of, "flink.precision").unwrap_or(digits) {
        digits @ 0..=9 => Ok(Kind::Simple(format!("{name}({digits})"))),
        digits => Err(refuse(&format!("{name} precision must be in [0, 9], got {digits}"))),
    }
}

fn string(of: &Type) -> Kind {
    let longest = number(of, "flink.maxLength").unwrap_or(UNBOUNDED);
    match number(of, "flink.minLength") {
        Some(shortest) if shortest == longest => Kind::Simple(format!("CHAR({shortest})")),
        _ if longest == UNBOUNDED => simple("STRING"),
        _ => Kind::Simple(format!("VARCHAR({longest})")),
    }
}

fn map_key(of: &Type) -> Column {
    match (number(of, "logical.key.length"), text(of, "logical.key.type")) {
        (Some(length), Some("CHAR")) => Column::simple(format!("CHAR({length})")),
        (Some(length), _) => Column::simple(format!("VARCHAR({length})")),
        (None, _) => Column::simple("STRING"),
    }
}

fn map_or_multiset(of: &Type, key: Column, value: Column) -> Result<Kind, InvalidSchema> {
    if text(of, "flink.type") != Some("multiset") {
        return Ok(Kind::Map(Box::new(key), Box::new(value)));
    }
    match &value.kind {
        Kind::Simple(words) if words == "INT" => Ok(Kind::Multiset(Box::new(key))),
        _ => Err(refuse("Unexpected value type for a MULTISET type")),
    }
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

/// A default as DDL writes it in a column of this type.
fn literal(column: &Column, default: &Json) -> String {
    let latin1 = |text: &str| -> Vec<u8> { text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect() };
    let Kind::Simple(words) = &column.kind else {
        return if *default == Json::Null { "NULL".to_owned() } else { ddl::text(&shown(default)) };
    };
    let word = words.split('(').next().unwrap_or_default();
    let digits = words.split(['(', ')']).nth(1).and_then(|digits| digits.parse::<u32>().ok()).unwrap_or(0);
    match (word, default) {
        (_, Json::Null) => "NULL".to_owned(),
        ("BOOLEAN", _) => if *default == Json::Bool(true) { "TRUE" } else { "FALSE" }.to_owned(),
        ("DATE", Json::Integer(days)) => moment::date(*days),
        ("TIME", Json::Integer(value)) => moment::time(*value, if digits <= 3 { 3 } else { 6 }),
        ("TIMESTAMP_LTZ", Json::Integer(value)) => moment::instant(*value, digits),
        ("TIMESTAMP", Json::Integer(value)) => moment::local(*value, digits),
        ("DECIMAL", Json::Text(unscaled)) => decimal(&latin1(unscaled), words),
        ("BINARY" | "VARBINARY" | "BYTES", Json::Text(text)) => ddl::bytes(&latin1(text)),
        ("STRING" | "CHAR" | "VARCHAR", _) => ddl::text(&shown(default)),
        ("TINYINT" | "SMALLINT" | "INT" | "BIGINT" | "FLOAT" | "DOUBLE", _) => match default {
            Json::Double(value) if value.is_nan() => "NaN".to_owned(),
            Json::Double(value) if value.is_infinite() => {
                if *value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()
            }
            other => shown(other),
        },
        _ => ddl::text(&shown(default)),
    }
}

/// A decimal of these two's complement bytes, as `BigDecimal.toString` has it.
fn decimal(unscaled: &[u8], words: &str) -> String {
    let scale = words.split([' ', ')']).nth(1).and_then(|scale| scale.parse::<i64>().ok()).unwrap_or(0);
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
