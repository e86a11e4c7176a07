//! Types without parts, and how they are written.
//!
//! Strings and byte strings without a length have the longest one there is. Precisions are checked where a type is
//! made; lengths, and the precision of decimals, are for `validity` to judge.
//!
//! Source: schema-registry `type/logical/Schema`, 8.5.

use super::{ddl, refuse};
use crate::InvalidSchema;

/// The longest string or byte string: no length at all.
pub(crate) const UNBOUNDED: i64 = i32::MAX as i64;

/// A type without parts.
#[derive(Debug)]
pub(crate) enum Leaf {
    Boolean,
    TinyInt,
    SmallInt,
    Int,
    BigInt,
    Float,
    Double,
    Date,
    Variant,
    Decimal {
        precision: i64,
        scale: i64,
    },
    /// Digits behind the second.
    Time(i64),
    /// Digits behind the second.
    Timestamp(i64),
    /// Digits behind the second.
    TimestampLtz(i64),
    /// Length.
    Char(i64),
    /// Longest length; [`UNBOUNDED`] is `STRING`.
    Varchar(i64),
    /// Length.
    Binary(i64),
    /// Longest length; [`UNBOUNDED`] is `BYTES`.
    Varbinary(i64),
    Enum(Vec<Symbol>),
}

/// A symbol of an enum.
#[derive(Debug)]
pub(crate) struct Symbol {
    pub(crate) name: String,
    pub(crate) doc: Option<String>,
    pub(crate) params: Vec<(String, String)>,
}

impl Leaf {
    /// `STRING`
    pub(crate) const STRING: Leaf = Leaf::Varchar(UNBOUNDED);
    /// `BYTES`
    pub(crate) const BYTES: Leaf = Leaf::Varbinary(UNBOUNDED);

    /// One of the types that count digits behind the second: `digits` are 0 to 9.
    pub(crate) fn precise(of: fn(i64) -> Leaf, digits: i64) -> Result<Leaf, InvalidSchema> {
        match digits {
            0..=9 => Ok(of(digits)),
            _ => Err(refuse(&format!("{} precision must be in [0, 9], got {digits}", of(0).word()))),
        }
    }

    /// The name of the type alone.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Leaf::Boolean => "BOOLEAN",
            Leaf::TinyInt => "TINYINT",
            Leaf::SmallInt => "SMALLINT",
            Leaf::Int => "INT",
            Leaf::BigInt => "BIGINT",
            Leaf::Float => "FLOAT",
            Leaf::Double => "DOUBLE",
            Leaf::Date => "DATE",
            Leaf::Variant => "VARIANT",
            Leaf::Decimal { .. } => "DECIMAL",
            Leaf::Time(_) => "TIME",
            Leaf::Timestamp(_) => "TIMESTAMP",
            Leaf::TimestampLtz(_) => "TIMESTAMP_LTZ",
            Leaf::Char(_) => "CHAR",
            Leaf::Varchar(_) => "VARCHAR",
            Leaf::Binary(_) => "BINARY",
            Leaf::Varbinary(_) => "VARBINARY",
            Leaf::Enum(_) => "ENUM",
        }
    }

    /// The name with the parameters, also where DDL has a shorter word. Of an enum the name only.
    pub(crate) fn with_parameters(&self) -> String {
        let word = self.word();
        match self {
            Leaf::Decimal { precision, scale } => format!("{word}({precision}, {scale})"),
            Leaf::Time(number) | Leaf::Timestamp(number) | Leaf::TimestampLtz(number) => format!("{word}({number})"),
            Leaf::Char(number) | Leaf::Varchar(number) | Leaf::Binary(number) | Leaf::Varbinary(number) => {
                format!("{word}({number})")
            }
            _ => word.to_owned(),
        }
    }
}

/// As DDL writes it.
impl std::fmt::Display for Leaf {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Leaf::Varchar(UNBOUNDED) => f.write_str("STRING"),
            Leaf::Varbinary(UNBOUNDED) => f.write_str("BYTES"),
            Leaf::Enum(symbols) => {
                let symbols: Vec<String> = symbols.iter().map(|symbol| ddl::text(&symbol.name)).collect();
                write!(f, "ENUM({})", symbols.join(", "))
            }
            leaf => f.write_str(&leaf.with_parameters()),
        }
    }
}
