//! Logical types as DDL.
//!
//! One statement a line; a struct of more than two fields takes a line each. Names that the grammar would take for
//! words are quoted with backticks. The closing `TYPE` statement is left out where a reader finds the root himself:
//! the only type that no other uses, or a union of all of those.
//!
//! Source: schema-registry `LogicalTypeToDdlConverter`, `Schema#quoteIdentifierIfNeeded`, 8.5.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::{Branch, Check, Column, Fallback, Field, Kind, Leaf, LogicalType, Named, refuse, unrepresentable};
use crate::InvalidSchema;
use crate::payload::numbers;

/// Words that the grammar does not take for names; those of CEL, which checks are translated to, among them.
const RESERVED: &[&str] = &[
    "AND",
    "ARRAY",
    "AS",
    "BETWEEN",
    "BIGINT",
    "BINARY",
    "BOOLEAN",
    "BOTH",
    "BYTES",
    "CASE",
    "CAST",
    "CHAR",
    "CHARACTER",
    "CHECK",
    "COMMENT",
    "CONSTRAINT",
    "CREATE",
    "CURRENT_TIMESTAMP",
    "DATE",
    "DEC",
    "DECIMAL",
    "DECLARE",
    "DEFAULT",
    "DOUBLE",
    "ELSE",
    "END",
    "ESCAPE",
    "EXTRACT",
    "FALSE",
    "FLOAT",
    "FOR",
    "FROM",
    "IN",
    "INT",
    "INTEGER",
    "IS",
    "LEADING",
    "LIKE",
    "LOCAL",
    "MESSAGE",
    "MULTISET",
    "NOT",
    "NULL",
    "NUMERIC",
    "OR",
    "POSITION",
    "PRECISION",
    "REAL",
    "ROW",
    "SMALLINT",
    "STRING",
    "SUBSTRING",
    "SYMMETRIC",
    "SYNONYM",
    "THEN",
    "TIME",
    "TIMESTAMP",
    "TIMESTAMP_LTZ",
    "TINYINT",
    "TRAILING",
    "TRIM",
    "TRUE",
    "UNION",
    "VARBINARY",
    "VARCHAR",
    "VARYING",
    "WHEN",
    "WITH",
    "WITHOUT",
];

/// The script of a stored schema, or why there is none.
pub(crate) fn show(logical: Result<LogicalType, InvalidSchema>) -> Result<Arc<str>, InvalidSchema> {
    logical.and_then(|logical| script(&logical)).map(Arc::from).map_err(unrepresentable)
}

/// The script that declares the types and, if needed, the root. Fails for a named type that is no struct and no enum:
/// there is no statement for it.
pub(crate) fn script(logical: &LogicalType) -> Result<String, InvalidSchema> {
    let mut out = String::new();
    if let Some(namespace) = &logical.namespace {
        out.push_str(&format!("NAMESPACE {};\n", dotted(namespace)));
    }
    if !logical.imports.is_empty() {
        let used = used_names(logical);
        for (name, address) in logical.imports.iter().filter(|(name, _)| used.contains(name.as_str())) {
            out.push_str(&format!("DECLARE {} FOR {};\n", dotted(name), text(address)));
        }
    }
    for (name, named) in in_nesting_order(&logical.named) {
        declare(name, named, &mut out)?;
    }
    if let Some(root) = &logical.root
        && !is_inferred(logical, root)
    {
        out.push_str(&format!("TYPE {};\n", column(root)));
    }
    Ok(out)
}

/// The names that the script uses.
fn used_names(logical: &LogicalType) -> HashSet<&str> {
    let mut used = HashSet::new();
    logical.root.iter().for_each(|root| root.kind.collect(&mut used));
    let local = logical.named.iter().filter(|(_, named)| !named.is_external);
    local.for_each(|(_, named)| named.kind.collect(&mut used));
    used
}

/// The local types; of names that nest (`Outer.Inner`) the outer ones first.
fn in_nesting_order(named: &[(String, Named)]) -> Vec<(&str, &Named)> {
    let names: HashSet<&str> = named.iter().map(|(name, _)| name.as_str()).collect();
    let depth = |name: &str| name.match_indices('.').filter(|(at, _)| names.contains(&name[..*at])).count();
    let mut local: Vec<_> = named.iter().filter(|(_, named)| !named.is_external).collect();
    local.sort_by_key(|(name, _)| depth(name));
    local.iter().map(|(name, named)| (name.as_str(), named)).collect()
}

fn declare(name: &str, named: &Named, out: &mut String) -> Result<(), InvalidSchema> {
    match &named.kind {
        Kind::Struct(fields) => {
            let mut items: Vec<String> = fields.iter().map(field).collect();
            items.extend(named.checks.iter().map(check));
            let is_long = fields.len() > 2 || !named.checks.is_empty();
            match is_long {
                true => out.push_str(&format!("STRUCT {} (\n  {}\n)", dotted(name), items.join(",\n  "))),
                false => out.push_str(&format!("STRUCT {} ({})", dotted(name), items.join(", "))),
            }
        }
        Kind::Leaf(Leaf::Enum(symbols)) => {
            let symbols: Vec<String> = symbols
                .iter()
                .map(|symbol| format!("{}{}{}", text(&symbol.name), comment(&symbol.doc), with(&symbol.params)))
                .collect();
            out.push_str(&format!("ENUM {} ({})", dotted(name), symbols.join(", ")));
        }
        other => {
            let word = match other {
                Kind::Leaf(leaf) => leaf.word().to_owned(),
                Kind::Ref(_) => "NAMED_TYPE_REF".to_owned(),
                other => other.named_shortly(),
            };
            return Err(refuse(&format!("Named-type body must be STRUCT or ENUM, got {word} for '{name}'")));
        }
    }
    out.push_str(&format!("{}{}{};\n", comment(&named.doc), tags(&named.tags), with(&named.params)));
    Ok(())
}

fn field(field: &Field) -> String {
    let default = match &field.default {
        None | Some(Fallback::Implied) => String::new(),
        Some(Fallback::Null) => " DEFAULT NULL".to_owned(),
        Some(Fallback::Written(literal)) => format!(" DEFAULT {literal}"),
    };
    let checks: String = field.checks.iter().map(|one| format!(" {}", check(one))).collect();
    format!(
        "{} {}{default}{checks}{}{}{}",
        identifier(&field.name),
        column(&field.column),
        comment(&field.doc),
        tags(&field.tags),
        with(&field.params)
    )
}

fn check(check: &Check) -> String {
    let name = check.name.as_ref().map_or_else(String::new, |name| format!("CONSTRAINT {} ", identifier(name)));
    let message = check.message.as_ref().map_or_else(String::new, |message| format!(" MESSAGE {}", text(message)));
    format!("{name}CHECK ({}){message}", check.sql)
}

/// The type as a column's, ` NOT NULL` behind it unless it takes NULL.
fn column(of: &Column) -> String {
    let kind = match &of.kind {
        Kind::Leaf(leaf) => leaf.to_string(),
        Kind::Ref(name) => dotted(name),
        Kind::Struct(fields) => format!("STRUCT({})", fields.iter().map(field).collect::<Vec<_>>().join(", ")),
        Kind::Array(items) => format!("ARRAY<{}>", column(items)),
        Kind::Multiset(items) => format!("MULTISET<{}>", column(items)),
        Kind::Map(keys, values) => format!("MAP<{}, {}>", column(keys), column(values)),
        Kind::Union(branches) => format!("UNION({})", branches.iter().map(branch).collect::<Vec<_>>().join(", ")),
    };
    if of.is_nullable { kind } else { format!("{kind} NOT NULL") }
}

fn branch(branch: &Branch) -> String {
    let name = identifier(&branch.name);
    format!("{name} {}{}{}", column(&branch.column), comment(&branch.doc), with(&branch.params))
}

fn comment(doc: &Option<String>) -> String {
    doc.as_ref().map_or_else(String::new, |doc| format!(" COMMENT {}", text(doc)))
}

fn tags(tags: &[String]) -> String {
    match tags {
        [] => String::new(),
        tags => format!(" TAGS({})", tags.iter().map(|tag| text(tag)).collect::<Vec<_>>().join(", ")),
    }
}

fn with(params: &[(String, String)]) -> String {
    let params: Vec<String> = params.iter().map(|(name, value)| format!("{} = {}", text(name), text(value))).collect();
    if params.is_empty() { String::new() } else { format!(" WITH({})", params.join(", ")) }
}

/// A string literal.
pub(crate) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A truth value.
pub(crate) fn boolean(value: bool) -> String {
    if value { "TRUE" } else { "FALSE" }.to_owned()
}

/// A double as Java prints it.
pub(crate) fn double(value: f64) -> String {
    special(value).unwrap_or_else(|| printed(|out| numbers::push_double(value, out)))
}

/// A float as Java prints it.
pub(crate) fn float(value: f32) -> String {
    special(value.into()).unwrap_or_else(|| printed(|out| numbers::push_float(value, out)))
}

fn special(value: f64) -> Option<String> {
    match value {
        value if value.is_nan() => Some("NaN".to_owned()),
        value if value.is_infinite() => Some(if value > 0.0 { "Infinity" } else { "-Infinity" }.to_owned()),
        _ => None,
    }
}

fn printed(print: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = Vec::new();
    print(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// A literal of bytes.
pub(crate) fn bytes(bytes: &[u8]) -> String {
    format!("x'{}'", bytes.iter().map(|byte| format!("{byte:02X}")).collect::<String>())
}

fn dotted(name: &str) -> String {
    name.split('.').map(identifier).collect::<Vec<_>>().join(".")
}

fn identifier(name: &str) -> String {
    let is_word = RESERVED.contains(&name.to_uppercase().as_str());
    let starts = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    let is_plain = starts && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if is_plain && !is_word { name.to_owned() } else { format!("`{}`", name.replace('`', "``")) }
}

/// Whether a reader of the declarations alone would take this root.
fn is_inferred(logical: &LogicalType, root: &Column) -> bool {
    let local: HashMap<&str, &Named> = logical
        .named
        .iter()
        .filter(|(_, named)| !named.is_external)
        .map(|(name, named)| (name.as_str(), named))
        .collect();
    let mut used: HashSet<&str> = HashSet::new();
    for (name, named) in &local {
        let mut refs = HashSet::new();
        named.kind.collect(&mut refs);
        // A type that holds itself is a root all the same.
        refs.remove(name);
        used.extend(refs);
    }
    let is_nested = |name: &str| name.match_indices('.').any(|(at, _)| local.contains_key(&name[..at]));
    let names = logical.named.iter().map(|(name, _)| name.as_str());
    let roots: Vec<&str> =
        names.filter(|name| local.contains_key(name) && !used.contains(name) && !is_nested(name)).collect();
    let refers =
        |column: &Column, name: &str| !column.is_nullable && matches!(&column.kind, Kind::Ref(to) if to == name);
    match (roots.as_slice(), &root.kind) {
        ([], _) => false,
        ([only], _) => refers(root, only),
        (roots, Kind::Union(branches)) if !root.is_nullable && branches.len() == roots.len() => {
            branches.iter().zip(roots).all(|(branch, name)| {
                name.rsplit('.').next() == Some(branch.name.as_str()) && refers(&branch.column, name)
            })
        }
        _ => false,
    }
}
