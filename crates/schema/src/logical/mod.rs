//! Schemas as logical types: one model of tables and columns for all formats.
//!
//! A format's own room turns a schema into a [`LogicalType`] (`avro/logical.rs`, `protobuf/logical.rs`,
//! `json/logical.rs`). `ddl` writes it (`format=logical`); `policy` holds one against another and against what Flink
//! and Iceberg can hold (`compatibilityPolicy: LOGICAL`). Named types keep the order in which they were met.
//! Conversions are capped in depth and in columns; what walks a [`LogicalType`] does not recurse through names.
//!
//! Source: schema-registry `type/logical/{Schema,LogicalType,LogicalTypeToDdlConverter}`, 8.5.

mod compare;
mod cycle;
pub(crate) mod ddl;
pub(crate) mod default;
mod flink;
mod iceberg;
mod leaf;
pub(crate) mod moment;
mod place;
pub(crate) mod policy;
mod validity;

pub(crate) use cycle::cyclic;
pub(crate) use leaf::{Leaf, Symbol, UNBOUNDED};

use std::collections::{HashMap, HashSet};

use crate::InvalidSchema;

/// Columns and named types inside each other.
pub(crate) const MAX_DEPTH: usize = 128;

/// Columns of one logical type. Types without a name are written out wherever they are used, so that a small text may
/// have very many.
pub(crate) const MAX_COLUMNS: usize = 65_536;

/// A schema as a logical type.
#[derive(Debug, Default)]
pub(crate) struct LogicalType {
    /// The namespace of the script.
    pub(crate) namespace: Option<String>,
    /// Names made up for types of references, and the address that each stands for.
    pub(crate) imports: Vec<(String, String)>,
    /// Named types by full name, in the order in which they were met.
    pub(crate) named: Vec<(String, Named)>,
    index: HashMap<String, usize>,
    /// What the schema itself is.
    pub(crate) root: Option<Column>,
}

/// A named type.
#[derive(Debug)]
pub(crate) struct Named {
    /// What it is; DDL can declare structs and enums.
    pub(crate) kind: Kind,
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

/// A field of a struct.
#[derive(Debug)]
pub(crate) struct Field {
    pub(crate) name: String,
    pub(crate) column: Column,
    /// What is read where a row has nothing.
    pub(crate) default: Option<Fallback>,
    pub(crate) doc: Option<String>,
    pub(crate) tags: Vec<String>,
    pub(crate) params: Vec<(String, String)>,
    pub(crate) checks: Vec<Check>,
}

/// A default.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Fallback {
    /// `DEFAULT NULL`
    Null,
    /// As DDL writes it.
    Written(String),
    /// No elements, which the format reads where nothing is, though nobody wrote it. Not part of the DDL.
    Implied,
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
    /// A type without parts.
    Leaf(Leaf),
    /// A named type.
    Ref(String),
    /// A struct.
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
    /// Nothing yet, in a script of this namespace.
    pub(crate) fn in_namespace(namespace: Option<String>) -> LogicalType {
        LogicalType { namespace, ..LogicalType::default() }
    }

    /// The place of a named type among `named`.
    pub(crate) fn declared(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    /// The named type of this name.
    pub(crate) fn named(&self, name: &str) -> Option<&Named> {
        self.declared(name).map(|at| &self.named[at].1)
    }

    /// Adds a named type, or replaces the one of this name where it stands.
    pub(crate) fn declare(&mut self, name: &str, named: Named) {
        match self.declared(name) {
            Some(at) => self.named[at].1 = named,
            None => {
                self.index.insert(name.to_owned(), self.named.len());
                self.named.push((name.to_owned(), named));
            }
        }
    }

    /// Takes a named type away; whoever refers to it refers to nothing.
    pub(crate) fn withdraw(&mut self, name: &str) -> Option<Named> {
        let at = self.index.remove(name)?;
        self.index.values_mut().filter(|place| **place > at).for_each(|place| *place -= 1);
        Some(self.named.remove(at).1)
    }

    /// The kind behind names: what is no name, or a name that stands for nothing.
    pub(crate) fn resolve<'a>(&'a self, kind: &'a Kind) -> &'a Kind {
        let mut seen = HashSet::new();
        let mut at = kind;
        while let Kind::Ref(name) = at
            && seen.insert(name.as_str())
            && let Some(named) = self.named(name)
        {
            at = &named.kind;
        }
        at
    }

    /// Whether each of `named` leads back to itself.
    pub(crate) fn cyclic(&self) -> Vec<bool> {
        let uses = |(_, named): &(String, Named)| {
            let mut names = HashSet::new();
            named.kind.collect(&mut names);
            names.into_iter().filter_map(|name| self.declared(name)).collect()
        };
        let uses: Vec<Vec<usize>> = self.named.iter().map(uses).collect();
        cyclic(&uses)
    }
}

impl Named {
    /// A type of which no more is known than what it is.
    pub(crate) fn bare(kind: Kind) -> Named {
        Named { kind, doc: None, tags: Vec::new(), params: Vec::new(), checks: Vec::new(), is_external: false }
    }

    /// Holds the place of a type whose body is not converted yet and may refer to it.
    pub(crate) fn placeholder() -> Named {
        Named::bare(Kind::Struct(Vec::new()))
    }
}

impl Column {
    /// A column that takes no NULL.
    pub(crate) fn of(kind: Kind) -> Column {
        Column { kind, is_nullable: false }
    }

    /// A column of a type without parts that takes no NULL.
    pub(crate) fn leaf(leaf: Leaf) -> Column {
        Column::of(Kind::Leaf(leaf))
    }

    /// The column, taking NULL if it did or `is_nullable`.
    pub(crate) fn or_nullable(self, is_nullable: bool) -> Column {
        Column { is_nullable: self.is_nullable || is_nullable, ..self }
    }
}

impl Kind {
    /// `MAP<…, …>`, or `MULTISET<…>` of keys that are counted in an `INT`.
    pub(crate) fn map_or_multiset(keys: Column, values: Column, is_multiset: bool) -> Result<Kind, InvalidSchema> {
        match &values.kind {
            _ if !is_multiset => Ok(Kind::Map(Box::new(keys), Box::new(values))),
            Kind::Leaf(Leaf::Int) => Ok(Kind::Multiset(Box::new(keys))),
            _ => Err(refuse("Unexpected value type for a MULTISET type")),
        }
    }

    /// The names that it refers to, not through those.
    pub(crate) fn collect<'a>(&'a self, names: &mut HashSet<&'a str>) {
        match self {
            Kind::Leaf(_) => {}
            Kind::Ref(name) => drop(names.insert(name)),
            Kind::Struct(fields) => fields.iter().for_each(|field| field.column.kind.collect(names)),
            Kind::Array(items) | Kind::Multiset(items) => items.kind.collect(names),
            Kind::Map(keys, values) => {
                keys.kind.collect(names);
                values.kind.collect(names);
            }
            Kind::Union(branches) => branches.iter().for_each(|branch| branch.column.kind.collect(names)),
        }
    }

    /// As the comparisons name it: with its parameters, without its parts.
    pub(crate) fn named_shortly(&self) -> String {
        match self {
            Kind::Leaf(leaf) => leaf.with_parameters(),
            Kind::Ref(name) => format!("ref({name})"),
            Kind::Struct(_) => "STRUCT".to_owned(),
            Kind::Array(_) => "ARRAY".to_owned(),
            Kind::Multiset(_) => "MULTISET".to_owned(),
            Kind::Map(..) => "MAP".to_owned(),
            Kind::Union(_) => "UNION".to_owned(),
        }
    }
}

/// How deep a conversion is, and how much it made.
#[derive(Debug, Default)]
pub(crate) struct Budget {
    depth: usize,
    columns: usize,
}

impl Budget {
    /// Takes one column and one level; [`Budget::leave`] gives the level back.
    pub(crate) fn enter(&mut self) -> Result<(), InvalidSchema> {
        self.depth += 1;
        self.columns += 1;
        if self.depth > MAX_DEPTH {
            return Err(InvalidSchema::TooComplex(format!("More than {MAX_DEPTH} logical types inside each other")));
        }
        if self.columns > MAX_COLUMNS {
            return Err(InvalidSchema::TooComplex(format!("More than {MAX_COLUMNS} logical types")));
        }
        Ok(())
    }

    /// Gives a level back.
    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }
}

/// Refuses names that a script has no form for. `role` says whose name it is.
pub(crate) fn check_name(name: &str, role: &str) -> Result<(), InvalidSchema> {
    // Java's blanks: those that a line may be broken at.
    let is_blank = |char: char| char.is_whitespace() && !matches!(char, '\u{a0}' | '\u{2007}' | '\u{202f}');
    if name.is_empty() {
        return Err(refuse(&format!("{role} name must not be empty")));
    }
    if name.chars().any(|char| is_blank(char) || char.is_control()) {
        return Err(refuse(&format!("{role} name must not contain whitespace or control characters; got: '{name}'")));
    }
    Ok(())
}

/// A schema that has no logical type, and why.
pub(crate) fn refuse(what: &str) -> InvalidSchema {
    InvalidSchema::Semantics(what.to_owned())
}

/// The error of showing a schema that has no logical type.
pub(crate) fn unrepresentable(error: InvalidSchema) -> InvalidSchema {
    let prefixed = |what| format!("Stored schema cannot be represented as a logical type: {what}");
    match error {
        InvalidSchema::Semantics(what) => InvalidSchema::Semantics(prefixed(what)),
        InvalidSchema::TooComplex(what) => InvalidSchema::TooComplex(prefixed(what)),
        other => other,
    }
}
