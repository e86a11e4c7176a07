//! An Avro schema as a value: types in one arena, referring to each other by [`TypeId`].
//!
//! A name and its definition are one type here: recursion is an id that was seen before, so whoever walks types must
//! stop at records it has visited; nothing leaks, and dropping is flat. Types of referenced texts live in the same
//! arena. What a text cannot mean (undefined names, names twice) never becomes a model; what it does not mean
//! (order of keys, comments) is not in it. Unknown attributes are kept in their order.
//!
//! `parse` makes models, `print` writes them, `equal` and `diff` compare them.

use std::ops::Index;

use super::json::Json;
use crate::weight::Heap;

/// One type of a schema.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TypeId(pub(super) u32);

/// The types of one schema and of the texts it refers to.
#[derive(Debug, PartialEq)]
pub struct AvroModel {
    pub(super) types: Vec<Type>,
    pub(super) root: TypeId,
    /// How many of the types, from the first on, stand in referenced texts.
    pub(super) referenced: usize,
}

/// A type with its attributes.
#[derive(Debug, Clone, PartialEq)]
pub struct Type {
    /// What it is.
    pub kind: Kind,
    /// The valid logical type on it; invalid and unknown ones are only among `props`.
    pub logical: Option<Logical>,
    /// Attributes that Avro does not define, `logicalType` and its parameters among them, in order.
    pub props: Vec<(String, Json)>,
}

/// What a type is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// `null`
    Null,
    /// `boolean`
    Boolean,
    /// `int`
    Int,
    /// `long`
    Long,
    /// `float`
    Float,
    /// `double`
    Double,
    /// `bytes`
    Bytes,
    /// `string`
    String,
    /// `array` of items
    Array(TypeId),
    /// `map` from strings to values
    Map(TypeId),
    /// Branches: none is a union, no two have one name.
    Union(Vec<TypeId>),
    /// `record`, `error`
    Record(Record),
    /// `enum`
    Enum(Enum),
    /// `fixed`
    Fixed(Fixed),
}

/// A record.
#[derive(Debug, Clone, PartialEq)]
pub struct Record {
    /// Its name.
    pub name: Name,
    /// Other names it goes by as a reader.
    pub aliases: Vec<Name>,
    /// Documentation; empty is not absent.
    pub doc: Option<String>,
    /// Declared as `error`.
    pub is_error: bool,
    /// Fields, in order; names are distinct.
    pub fields: Vec<Field>,
}

/// A field of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct Field {
    /// Its name.
    pub name: String,
    /// Its type.
    pub schema: TypeId,
    /// Documentation.
    pub doc: Option<String>,
    /// The default as written; of a float or double never a text.
    pub default: Option<Json>,
    /// How it sorts.
    pub order: Order,
    /// Other names it goes by as a reader.
    pub aliases: Vec<String>,
    /// Attributes that Avro does not define.
    pub props: Vec<(String, Json)>,
}

/// How a field counts when records are sorted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The default.
    Ascending,
    /// `descending`
    Descending,
    /// `ignore`
    Ignore,
}

/// An enum.
#[derive(Debug, Clone, PartialEq)]
pub struct Enum {
    /// Its name.
    pub name: Name,
    /// Other names it goes by as a reader.
    pub aliases: Vec<Name>,
    /// Documentation.
    pub doc: Option<String>,
    /// Symbols, distinct.
    pub symbols: Vec<String>,
    /// The symbol that a reader takes for unknown ones; one of `symbols`.
    pub default: Option<String>,
}

/// A fixed.
#[derive(Debug, Clone, PartialEq)]
pub struct Fixed {
    /// Its name.
    pub name: Name,
    /// Other names it goes by as a reader.
    pub aliases: Vec<Name>,
    /// Documentation.
    pub doc: Option<String>,
    /// Bytes.
    pub size: u32,
}

/// A full name: `namespace.Name`, or `Name` in no namespace.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Name {
    full: String,
    simple_from: usize,
}

/// A logical type that fits the type it stands on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Logical {
    /// `decimal` on bytes or fixed
    Decimal {
        /// Digits, at least 1.
        precision: i32,
        /// Digits behind the point, at most `precision`.
        scale: i32,
    },
    /// `big-decimal` on bytes
    BigDecimal,
    /// `uuid` on string or fixed(16)
    Uuid,
    /// `date` on int
    Date,
    /// `time-millis` on int
    TimeMillis,
    /// `time-micros` on long
    TimeMicros,
    /// `timestamp-millis` on long
    TimestampMillis,
    /// `timestamp-micros` on long
    TimestampMicros,
    /// `timestamp-nanos` on long
    TimestampNanos,
    /// `local-timestamp-millis` on long
    LocalTimestampMillis,
    /// `local-timestamp-micros` on long
    LocalTimestampMicros,
    /// `local-timestamp-nanos` on long
    LocalTimestampNanos,
    /// `duration` on fixed(12)
    Duration,
}

impl AvroModel {
    /// The schema's own type.
    pub fn root(&self) -> TypeId {
        self.root
    }

    /// How many types there are, those of references included.
    pub fn type_count(&self) -> usize {
        self.types.len()
    }
}

impl Index<TypeId> for AvroModel {
    type Output = Type;

    /// The type of an id of this model.
    fn index(&self, id: TypeId) -> &Type {
        &self.types[id.0 as usize]
    }
}

impl Name {
    /// `simple` in `namespace`; an empty namespace is none.
    pub fn new(namespace: Option<&str>, simple: &str) -> Name {
        match namespace.filter(|namespace| !namespace.is_empty()) {
            Some(namespace) => Name { full: format!("{namespace}.{simple}"), simple_from: namespace.len() + 1 },
            None => Name { full: simple.to_owned(), simple_from: 0 },
        }
    }

    /// Namespace and name.
    pub fn full(&self) -> &str {
        &self.full
    }

    /// Without the namespace.
    pub fn simple(&self) -> &str {
        &self.full[self.simple_from..]
    }

    /// The namespace.
    pub fn namespace(&self) -> Option<&str> {
        (self.simple_from > 0).then(|| &self.full[..self.simple_from - 1])
    }
}

impl Kind {
    /// The word for it: `record` for errors, too.
    pub fn word(&self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::Boolean => "boolean",
            Kind::Int => "int",
            Kind::Long => "long",
            Kind::Float => "float",
            Kind::Double => "double",
            Kind::Bytes => "bytes",
            Kind::String => "string",
            Kind::Array(_) => "array",
            Kind::Map(_) => "map",
            Kind::Union(_) => "union",
            Kind::Record(_) => "record",
            Kind::Enum(_) => "enum",
            Kind::Fixed(_) => "fixed",
        }
    }

    /// The name, of a record, enum or fixed.
    pub fn name(&self) -> Option<&Name> {
        match self {
            Kind::Record(record) => Some(&record.name),
            Kind::Enum(symbols) => Some(&symbols.name),
            Kind::Fixed(fixed) => Some(&fixed.name),
            _ => None,
        }
    }

    /// The aliases, of a record, enum or fixed.
    pub fn aliases(&self) -> &[Name] {
        match self {
            Kind::Record(record) => &record.aliases,
            Kind::Enum(symbols) => &symbols.aliases,
            Kind::Fixed(fixed) => &fixed.aliases,
            _ => &[],
        }
    }

    /// The documentation, of a record, enum or fixed.
    pub fn doc(&self) -> Option<&str> {
        match self {
            Kind::Record(record) => record.doc.as_deref(),
            Kind::Enum(symbols) => symbols.doc.as_deref(),
            Kind::Fixed(fixed) => fixed.doc.as_deref(),
            _ => None,
        }
    }

    /// The type it is made of at this place: items, values, a branch, the type of a field.
    pub fn child(&self, at: usize) -> Option<TypeId> {
        match self {
            Kind::Array(inner) | Kind::Map(inner) => (at == 0).then_some(*inner),
            Kind::Union(branches) => branches.get(at).copied(),
            Kind::Record(record) => record.fields.get(at).map(|field| field.schema),
            _ => None,
        }
    }

    /// The type without parts that this word means.
    pub fn primitive(word: &str) -> Option<Kind> {
        Some(match word {
            "null" => Kind::Null,
            "boolean" => Kind::Boolean,
            "int" => Kind::Int,
            "long" => Kind::Long,
            "float" => Kind::Float,
            "double" => Kind::Double,
            "bytes" => Kind::Bytes,
            "string" => Kind::String,
            _ => return None,
        })
    }

    /// Whether the word names a kind of type, primitive or not.
    pub fn is_word(word: &str) -> bool {
        Kind::primitive(word).is_some() || matches!(word, "record" | "enum" | "array" | "map" | "union" | "fixed")
    }
}

impl Order {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Order::Ascending => "ascending",
            Order::Descending => "descending",
            Order::Ignore => "ignore",
        }
    }
}

impl Logical {
    /// The `logicalType` it is written as.
    pub fn word(self) -> &'static str {
        match self {
            Logical::Decimal { .. } => "decimal",
            Logical::BigDecimal => "big-decimal",
            Logical::Uuid => "uuid",
            Logical::Date => "date",
            Logical::TimeMillis => "time-millis",
            Logical::TimeMicros => "time-micros",
            Logical::TimestampMillis => "timestamp-millis",
            Logical::TimestampMicros => "timestamp-micros",
            Logical::TimestampNanos => "timestamp-nanos",
            Logical::LocalTimestampMillis => "local-timestamp-millis",
            Logical::LocalTimestampMicros => "local-timestamp-micros",
            Logical::LocalTimestampNanos => "local-timestamp-nanos",
            Logical::Duration => "duration",
        }
    }
}

crate::weight::heap! {
    AvroModel { types }
    TypeId {}
    Type { kind, props }
    Record { name, aliases, doc, fields }
    Field { name, doc, default, aliases, props }
    Enum { name, aliases, doc, symbols, default }
    Fixed { name, aliases, doc }
    Name { full }
}

impl Heap for Kind {
    fn heap_bytes(&self) -> usize {
        match self {
            Kind::Union(branches) => branches.heap_bytes(),
            Kind::Record(record) => record.heap_bytes(),
            Kind::Enum(symbols) => symbols.heap_bytes(),
            Kind::Fixed(fixed) => fixed.heap_bytes(),
            _ => 0,
        }
    }
}
