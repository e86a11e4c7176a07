//! Which types without parts Flink can read as which others, and lose nothing.
//!
//! Source: schema-registry `type/logical/policy/{FlinkLogicalTypeCasts,FlinkComparison}`, 8.5.

use super::{Leaf, UNBOUNDED};

/// Why values of `old` cannot be read as `new`, as the end of a sentence about the two; `None` when they can.
pub(super) fn change(old: &Leaf, new: &Leaf) -> Option<&'static str> {
    const LENGTH: &str = " (length may not shrink)";
    let (was, is) = (length(old), length(new));
    match (old, new) {
        // The length is the width that is stored.
        (Leaf::Char(old), Leaf::Char(new)) | (Leaf::Binary(old), Leaf::Binary(new)) => {
            (old != new).then_some(" (a fixed-length type cannot change length)")
        }
        (Leaf::Char(_) | Leaf::Varchar(_) | Leaf::Enum(_), Leaf::Varchar(_) | Leaf::Enum(_))
        | (Leaf::Binary(_) | Leaf::Varbinary(_), Leaf::Varbinary(_)) => (is < was).then_some(LENGTH),
        (Leaf::Time(old), Leaf::Time(new))
        | (Leaf::Timestamp(old), Leaf::Timestamp(new))
        | (Leaf::TimestampLtz(old), Leaf::TimestampLtz(new)) => {
            (old != new).then_some(" (precision selects the unit of the stored value and cannot change)")
        }
        (Leaf::Decimal { .. }, Leaf::Decimal { .. }) => decimal(old, new),
        (_, Leaf::Decimal { precision, scale }) => match digits(old) {
            None => Some(""),
            Some(digits) if precision - scale < digits => {
                Some(" (target cannot represent the full range of the source)")
            }
            Some(_) => None,
        },
        _ if widens(old, new) => None,
        _ => Some(""),
    }
}

/// The rule of decimals, for all: the scale says what the stored number means.
pub(super) fn decimal(old: &Leaf, new: &Leaf) -> Option<&'static str> {
    match (old, new) {
        (Leaf::Decimal { precision: was, scale: old }, Leaf::Decimal { precision: is, scale: new })
            if old != new || is < was =>
        {
            Some(" (decimal scale must be unchanged and precision may not shrink)")
        }
        _ => None,
    }
}

/// How long a value may be. Enums are strings without a bound; so are those of no length.
fn length(leaf: &Leaf) -> i64 {
    match leaf {
        Leaf::Char(length) | Leaf::Binary(length) => *length,
        Leaf::Varchar(length) | Leaf::Varbinary(length) if *length > 0 => *length,
        _ => UNBOUNDED,
    }
}

/// The digits that an integer type needs.
fn digits(leaf: &Leaf) -> Option<i64> {
    match leaf {
        Leaf::TinyInt => Some(3),
        Leaf::SmallInt => Some(5),
        Leaf::Int => Some(10),
        Leaf::BigInt => Some(19),
        _ => None,
    }
}

/// Whether every value of one type is a value of the other; for types without parameters.
fn widens(old: &Leaf, new: &Leaf) -> bool {
    let wider: &[&str] = match old {
        Leaf::TinyInt => &["SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE"],
        Leaf::SmallInt => &["INT", "BIGINT", "FLOAT", "DOUBLE"],
        Leaf::Int => &["BIGINT", "DOUBLE"],
        Leaf::Float => &["DOUBLE"],
        _ => &[],
    };
    old.word() == new.word() || wider.contains(&new.word())
}
