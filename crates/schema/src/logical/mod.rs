//! Schemas as logical types: one model of tables and columns for all formats, written as DDL (`format=logical`).
//!
//! A format's own room turns a schema into a [`LogicalType`] (`avro/logical.rs`), `ddl` writes it. Named types are
//! written in the order in which they were met, the root only where the names do not say which it is.
//!
//! Source: schema-registry `type/logical/{Schema,LogicalType,LogicalTypeToDdlConverter}`, 8.5.

pub(crate) mod ddl;
pub(crate) mod moment;

use std::collections::HashMap;

/// A schema as a logical type.
#[derive(Debug, Default)]
pub(crate) struct LogicalType {
    /// Named types by full name, in the order in which they were met.
    pub(crate) named: Vec<(String, Named)>,
    index: HashMap<String, usize>,
    /// What the schema itself is.
    pub(crate) root: Option<Column>,
}

/// A named type.
#[derive(Debug, Default)]
pub(crate) struct Named {
    /// Its body.
    pub(crate) body: Body,
    /// Documentation.
    pub(crate) doc: Option<String>,
    /// Tags.
    pub(crate) tags: Vec<String>,
    /// Parameters.
    pub(crate) params: Vec<(String, String)>,
    /// Constraints over several fields.
    pub(crate) checks: Vec<Check>,
    /// Known from a reference: not written out.
    pub(crate) is_external: bool,
}

/// What a named type is.
#[derive(Debug)]
pub(crate) enum Body {
    /// Fields.
    Struct(Vec<Field>),
    /// Symbols with documentation and parameters.
    Enum(Vec<Symbol>),
}

/// A symbol of an enum.
#[derive(Debug)]
pub(crate) struct Symbol {
    pub(crate) name: String,
    pub(crate) doc: Option<String>,
    pub(crate) params: Vec<(String, String)>,
}

/// A field of a struct.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) column: Column,
    /// The default as DDL writes it.
    pub(crate) default: Option<String>,
    pub(crate) doc: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) checks: Vec<Check>,
}

/// A constraint.
#[derive(Debug)]
pub(crate) struct Check {
    pub(crate) name: Option<String>,
    pub(crate) sql: String,
    pub(crate) message: Option<String>,
}

/// A type and whether it takes NULL.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) kind: Kind,
    pub(crate) is_nullable: bool,
}

/// A type in a column.
#[derive(Debug)]
pub(crate) enum Kind {
    /// A type that its words say all about: `INT`, `DECIMAL(9, 2)`.
    Simple(String),
    /// A named type.
    Ref(String),
    /// A struct without a name.
    Struct(Vec<Field>),
    /// `ARRAY<…>`
    Array(Box<Column>),
    /// `MULTISET<…>`
    Multiset(Box<Column>),
    /// `MAP<…, …>`
    Map(Box<Column>, Box<Column>),
    /// `UNION(…)`
    Union(Vec<Branch>),
}

/// A branch of a union.
#[derive(Debug)]
pub(crate) struct Branch {
    pub(crate) name: String,
    pub(crate) column: Column,
    pub(crate) doc: Option<String>,
    pub(crate) params: Vec<(String, String)>,
}

impl LogicalType {
    /// The place of a named type among `named`.
    pub(crate) fn declared(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// Adds a named type.
    pub(crate) fn declare(&mut self, name: &str, named: Named) {
        self.index.insert(name.to_owned(), self.named.len());
        self.named.push((name.to_owned(), named));
    }
}

impl Default for Body {
    fn default() -> Body {
        Body::Struct(Vec::new())
    }
}

impl Column {
    /// A column that takes no NULL.
    pub(crate) fn of(kind: Kind) -> Column {
        Column { kind, is_nullable: false }
    }

    /// A column of a simple type that takes no NULL.
    pub(crate) fn simple(words: impl Into<String>) -> Column {
        Column::of(Kind::Simple(words.into()))
    }
}
