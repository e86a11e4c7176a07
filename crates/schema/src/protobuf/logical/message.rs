//! Fields and oneofs as columns.

use super::super::model::{Field as ProtoField, FieldType, Label, Message, OneOf, Scalar};
use super::super::options::{self, Meta};
use super::super::resolve::{Type, is_repeated, join};
use super::{Converter, FIELD_META, checks, default, doc, is_true, param, symbols, user_params};
use crate::InvalidSchema;
use crate::logical::{Branch, Column, Fallback, Field, Kind, Leaf, UNBOUNDED, refuse};

/// The field or oneof that holds what a wrapping message wraps.
const WRAPPED: &str = "value";

/// What a message of a value and nothing else stands for.
pub(super) fn unwrapped(full_name: &str) -> Option<Leaf> {
    Some(match full_name {
        "google.protobuf.DoubleValue" => Leaf::Double,
        "google.protobuf.FloatValue" => Leaf::Float,
        "google.protobuf.Int64Value" | "google.protobuf.UInt64Value" | "google.protobuf.UInt32Value" => Leaf::BigInt,
        "google.protobuf.Int32Value" => Leaf::Int,
        "google.protobuf.BoolValue" => Leaf::Boolean,
        "google.protobuf.StringValue" => Leaf::STRING,
        "google.protobuf.BytesValue" => Leaf::BYTES,
        "confluent.type.Variant" => Leaf::Variant,
        _ => return None,
    })
}

/// What of a message decides how its fields read.
struct Home<'m> {
    /// Its full name.
    scope: &'m str,
    is_proto2: bool,
}

/// A type by its full name, or a keyword.
enum Meant<'a> {
    Scalar(Scalar),
    Named(String, Type<'a>),
}

impl<'a> Converter<'a> {
    /// The fields of a message: those outside oneofs, then a union for each oneof.
    pub(super) fn fields(&mut self, message: &'a Message, scope: &str) -> Result<Vec<Field>, InvalidSchema> {
        if !message.groups.is_empty() {
            return Err(no_groups());
        }
        let home = Home { scope, is_proto2: self.is_proto2(scope) };
        let mut fields = Vec::with_capacity(message.fields.len() + message.oneofs.len());
        for field in &message.fields {
            fields.push(self.field(field, &home)?);
        }
        for oneof in &message.oneofs {
            let column = self.oneof(oneof, &home)?;
            let (tags, params, checks) = (Vec::new(), Vec::new(), Vec::new());
            fields.push(Field { name: oneof.name.clone(), column, default: None, doc: None, tags, params, checks });
        }
        Ok(fields)
    }

    fn field(&mut self, field: &'a ProtoField, home: &Home<'_>) -> Result<Field, InvalidSchema> {
        let meta = options::meta(&field.options, FIELD_META).unwrap_or_default();
        let column = self.named_column(field, &meta, home)?;
        let default = match param(&meta, "logical.default") {
            Some(text) => Some(Fallback::Written(default::declared(&column.kind, text)?)),
            None => match &field.default {
                Some(text) => Some(Fallback::Written(default::native(field, text))),
                None => is_never_absent(&column).then_some(Fallback::Implied),
            },
        };
        Ok(Field {
            name: field.name.clone(),
            column,
            default,
            doc: doc(&meta),
            tags: meta.tags.clone(),
            params: user_params(&meta),
            checks: checks(&meta),
        })
    }

    fn is_message(&self, field: &ProtoField, scope: &str) -> bool {
        match &field.type_ {
            FieldType::Named(name) => matches!(self.names.resolve(scope, name), Some((_, Type::Message(_)))),
            FieldType::Map(..) => true,
            FieldType::Scalar(_) => false,
        }
    }

    fn oneof(&mut self, oneof: &'a OneOf, home: &Home<'_>) -> Result<Column, InvalidSchema> {
        if !oneof.groups.is_empty() {
            return Err(no_groups());
        }
        let mut branches = Vec::with_capacity(oneof.fields.len());
        for field in &oneof.fields {
            let meta = options::meta(&field.options, FIELD_META).unwrap_or_default();
            // One of them is there, the others are not.
            let column = self.named_column(field, &meta, home)?.or_nullable(true);
            branches.push(Branch { name: field.name.clone(), column, doc: doc(&meta), params: user_params(&meta) });
        }
        Ok(Column::of(Kind::Union(branches)).or_nullable(true))
    }

    /// The column of a field, the field's name being on the path while it is converted.
    fn named_column(&mut self, field: &'a ProtoField, meta: &Meta, home: &Home<'_>) -> Result<Column, InvalidSchema> {
        self.budget.enter()?;
        self.path.push(field.name.clone());
        let column = self.column(field, meta, home);
        self.path.pop();
        self.budget.leave();
        column
    }

    fn column(&mut self, field: &'a ProtoField, meta: &Meta, home: &Home<'_>) -> Result<Column, InvalidSchema> {
        let is_many = is_repeated(field) || matches!(field.type_, FieldType::Map(..));
        let is_nullable = match param(meta, "flink.notNull") {
            Some(word) => !word.eq_ignore_ascii_case("true"),
            None => !is_many && self.is_message(field, home.scope),
        };
        if let FieldType::Map(keys, values) = &field.type_ {
            let column = self.map(*keys, values, meta, home)?;
            return Ok(column.or_nullable(is_nullable));
        }
        let meant = self.meant(&field.type_, home.scope)?;
        if !is_many {
            // Without a label, proto2 means an optional one.
            let is_optional = field.label == Some(Label::Optional) || (home.is_proto2 && field.label.is_none());
            return self.single(meant, meta, is_nullable || is_optional);
        }
        let column = match meant {
            Meant::Named(name, Type::Message(entry)) if is_entry(entry) => self.written_map(entry, &name, meta)?,
            Meant::Named(name, Type::Message(wrapper)) if is_true(meta, "flink.wrapped") => {
                Column::of(Kind::Array(Box::new(self.wrapped(wrapper, &name)?)))
            }
            meant => Column::of(Kind::Array(Box::new(self.single(meant, meta, false)?))),
        };
        Ok(column.or_nullable(is_nullable))
    }

    fn meant(&self, type_: &FieldType, scope: &str) -> Result<Meant<'a>, InvalidSchema> {
        match type_ {
            FieldType::Scalar(scalar) => Ok(Meant::Scalar(*scalar)),
            FieldType::Named(name) => {
                let found = self.names.resolve(scope, name);
                found.map(|(name, type_)| Meant::Named(name, type_)).ok_or_else(|| refuse(&format!("No type {name}")))
            }
            FieldType::Map(..) => Err(refuse("A map of maps")),
        }
    }

    /// The column of one value.
    fn single(&mut self, meant: Meant<'a>, meta: &Meta, is_nullable: bool) -> Result<Column, InvalidSchema> {
        let (name, type_) = match meant {
            Meant::Scalar(scalar) => return Ok(Column::leaf(leaf(scalar, meta)?).or_nullable(is_nullable)),
            Meant::Named(name, type_) => (name, type_),
        };
        let is_external = self.external.contains(&name);
        let message = match type_ {
            Type::Message(message) => message,
            Type::Enum(enum_) => {
                if is_external && self.logical.declared(&name).is_none() {
                    let named = super::Named { is_external, ..super::named_enum(enum_) };
                    self.logical.declare(&name, named);
                }
                return Ok(match self.logical.declared(&name) {
                    Some(_) => Column::of(Kind::Ref(name)),
                    None => Column::leaf(Leaf::Enum(symbols(enum_))),
                }
                .or_nullable(is_nullable));
            }
        };
        if let Some(leaf) = known(&name, meta)? {
            return Ok(Column::leaf(leaf).or_nullable(is_nullable));
        }
        if let Some(leaf) = unwrapped(&name) {
            return Ok(Column::leaf(leaf).or_nullable(true));
        }
        if is_external {
            self.promote(&name, message)?;
        }
        if self.logical.declared(&name).is_some() {
            return Ok(Column::of(Kind::Ref(name)).or_nullable(is_nullable));
        }
        if !self.open.insert(name.clone()) {
            let field = self.path.join(".");
            return Err(refuse(&format!("Cyclic schemas are not supported.\nFound a cycle in the field: {field}")));
        }
        let column = match is_true(meta, "flink.wrapped") {
            true => self.wrapped(message, &name)?.or_nullable(true),
            false => Column::of(Kind::Struct(self.fields(message, &name)?)).or_nullable(is_nullable),
        };
        self.open.remove(&name);
        Ok(column)
    }

    /// What a message wraps that is there because the place takes no such thing by itself.
    fn wrapped(&mut self, wrapper: &'a Message, scope: &str) -> Result<Column, InvalidSchema> {
        let home = Home { scope, is_proto2: self.is_proto2(scope) };
        if let Some(field) = wrapper.fields.iter().find(|field| field.name == WRAPPED) {
            let meta = options::meta(&field.options, FIELD_META).unwrap_or_default();
            self.budget.enter()?;
            let column = self.column(field, &meta, &home);
            self.budget.leave();
            return column;
        }
        match wrapper.oneofs.iter().find(|oneof| oneof.name == WRAPPED) {
            Some(oneof) => self.oneof(oneof, &home),
            None => Err(refuse(&format!("flink.wrapped wrapper missing 'value' payload: {scope}"))),
        }
    }

    /// A map field. Its entry's fields are those of a message: in proto2 they are optional.
    fn map(&mut self, keys: Scalar, values: &FieldType, meta: &Meta, home: &Home<'_>) -> Result<Column, InvalidSchema> {
        let none = Meta::default();
        let keys = Column::leaf(leaf(keys, &none)?).or_nullable(home.is_proto2);
        let meant = self.meant(values, home.scope)?;
        let is_message = matches!(meant, Meant::Named(_, Type::Message(_)));
        self.path.push("value".to_owned());
        let values = self.single(meant, &none, home.is_proto2 || is_message)?;
        self.path.pop();
        map_or_multiset(keys, values, meta)
    }

    /// A repeated field of messages that are named and shaped as entries are.
    fn written_map(&mut self, entry: &'a Message, name: &str, meta: &Meta) -> Result<Column, InvalidSchema> {
        let mut fields = self.fields(entry, name)?;
        let mut take = |name: &str| {
            let at = fields.iter().position(|field| field.name == name)?;
            Some(fields.swap_remove(at).column)
        };
        match (take("key"), take("value")) {
            (Some(keys), Some(values)) => map_or_multiset(keys, values, meta),
            _ => Err(refuse(&join(name, "an entry without key or value"))),
        }
    }
}

fn map_or_multiset(keys: Column, values: Column, meta: &Meta) -> Result<Column, InvalidSchema> {
    let is_multiset = param(meta, "flink.type") == Some("multiset");
    Kind::map_or_multiset(keys, values, is_multiset).map(Column::of)
}

/// Whether nothing on the wire means no elements. Zero is not like that: NULL and zero are two values.
fn is_never_absent(column: &Column) -> bool {
    !column.is_nullable && matches!(column.kind, Kind::Array(_) | Kind::Map(..) | Kind::Multiset(_))
}

/// Whether a message is named and shaped as the entries of a map: `…Entry` of a key and a value, and nothing else.
fn is_entry(message: &Message) -> bool {
    let has_field = |name: &str| message.fields.iter().any(|field| field.name == name);
    let has_oneof = |name: &str| message.oneofs.iter().any(|oneof| oneof.name == name);
    message.name.ends_with("Entry")
        && message.fields.len() + message.oneofs.len() == 2
        && (has_field("key") || has_oneof("key"))
        && has_field("value")
}

/// The types that messages of Google and Confluent stand for.
fn known(full_name: &str, meta: &Meta) -> Result<Option<Leaf>, InvalidSchema> {
    let number = |key: &str| param(meta, key).and_then(|text| text.parse::<i64>().ok());
    let digits = || match param(meta, "flink.precision") {
        None => Ok(9),
        Some(text) => text.parse::<i64>().map_err(|_| refuse(&format!("For input string: \"{text}\""))),
    };
    Ok(Some(match full_name {
        "confluent.type.Decimal" => {
            Leaf::Decimal { precision: number("precision").unwrap_or(10), scale: number("scale").unwrap_or(0) }
        }
        "google.type.Date" => Leaf::Date,
        "google.type.TimeOfDay" => Leaf::precise(Leaf::Time, digits()?)?,
        "google.protobuf.Timestamp" if param(meta, "flink.type") == Some("timestamp") => {
            Leaf::precise(Leaf::Timestamp, digits()?)?
        }
        "google.protobuf.Timestamp" => Leaf::precise(Leaf::TimestampLtz, digits()?)?,
        "confluent.type.Variant" => Leaf::Variant,
        _ => return Ok(None),
    }))
}

fn leaf(scalar: Scalar, meta: &Meta) -> Result<Leaf, InvalidSchema> {
    let length = |key: &str, default: i64| match param(meta, key) {
        None => Ok(default),
        Some(text) => text.parse::<i64>().map_err(|_| refuse(&format!("For input string: \"{text}\""))),
    };
    let lengths = || Ok::<_, InvalidSchema>((length("flink.minLength", -1)?, length("flink.maxLength", UNBOUNDED)?));
    Ok(match scalar {
        Scalar::Int32 | Scalar::Sint32 | Scalar::Sfixed32 => match param(meta, "connect.type") {
            Some("int8") => Leaf::TinyInt,
            Some("int16") => Leaf::SmallInt,
            _ => Leaf::Int,
        },
        Scalar::Uint32 | Scalar::Fixed32 => Leaf::BigInt,
        Scalar::Int64 | Scalar::Uint64 | Scalar::Sint64 | Scalar::Fixed64 | Scalar::Sfixed64 => Leaf::BigInt,
        Scalar::Float => Leaf::Float,
        Scalar::Double => Leaf::Double,
        Scalar::Bool => Leaf::Boolean,
        Scalar::String => match lengths()? {
            (shortest, longest) if shortest > 0 && shortest == longest => Leaf::Char(longest),
            (_, longest) => Leaf::Varchar(longest),
        },
        Scalar::Bytes => match lengths()? {
            (shortest, longest) if shortest > 0 && shortest == longest => Leaf::Binary(longest),
            (_, longest) => Leaf::Varbinary(longest),
        },
    })
}

fn no_groups() -> InvalidSchema {
    refuse("Unknown Protobuf schema type GROUP")
}
