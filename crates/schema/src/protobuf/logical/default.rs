//! Defaults of fields as DDL writes them: proto2's own, and those that `logical.default` keeps.

use super::super::model::{Field, FieldType, Scalar};
use crate::InvalidSchema;
use crate::logical::{Kind, Leaf, ddl, default, refuse};

/// The default that the parameter `logical.default` keeps as text.
pub(super) fn declared(kind: &Kind, text: &str) -> Result<String, InvalidSchema> {
    let leaf = match kind {
        Kind::Leaf(Leaf::Variant) => return Err(unsupported("VARIANT")),
        Kind::Leaf(leaf) => leaf,
        Kind::Union(branches) if !branches.is_empty() => return declared(&branches[0].column.kind, text),
        Kind::Ref(_) => return Err(unsupported("NAMED_TYPE_REF")),
        other => return Err(unsupported(&other.named_shortly())),
    };
    let integer = |bits: u32| {
        let value = text.strip_prefix('+').unwrap_or(text).parse::<i64>().ok()?;
        (value >> (bits - 1) == 0 || value >> (bits - 1) == -1).then(|| value.to_string())
    };
    let literal = match leaf {
        Leaf::Boolean => Some(ddl::boolean(text.eq_ignore_ascii_case("true"))),
        Leaf::TinyInt => integer(8),
        Leaf::SmallInt => integer(16),
        Leaf::Int => integer(32),
        Leaf::BigInt => integer(64),
        Leaf::Float => text.trim().parse().ok().map(ddl::float),
        Leaf::Double => text.trim().parse().ok().map(ddl::double),
        other => default::of_text(other, text),
    };
    literal.ok_or_else(|| refuse(&format!("For input string: \"{text}\"")))
}

fn unsupported(what: &str) -> InvalidSchema {
    refuse(&format!("Default values are not supported for type: {what}"))
}

/// proto2's default, which the model keeps as the text that was written.
pub(super) fn native(field: &Field, text: &str) -> String {
    let FieldType::Scalar(scalar) = &field.type_ else { return ddl::text(text) };
    match scalar {
        Scalar::Bool => ddl::boolean(text == "true"),
        Scalar::String => ddl::text(text),
        Scalar::Bytes => {
            let bytes: Vec<u8> = text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect();
            ddl::bytes(&bytes)
        }
        Scalar::Float => text.parse().map_or_else(|_| text.to_owned(), ddl::float),
        Scalar::Double => text.parse().map_or_else(|_| text.to_owned(), ddl::double),
        // The reference has these as Java's signed numbers.
        Scalar::Uint32 | Scalar::Fixed32 => (integer(text) as i32).to_string(),
        Scalar::Uint64 | Scalar::Fixed64 => (integer(text) as i64).to_string(),
        _ => integer(text).to_string(),
    }
}

/// An integer of protobuf's grammar: decimal, octal behind `0`, hexadecimal behind `0x`.
fn integer(text: &str) -> i128 {
    let (sign, digits) = text.strip_prefix('-').map_or((1, text), |digits| (-1, digits));
    let hexadecimal = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"));
    let magnitude = match hexadecimal {
        Some(digits) => i128::from_str_radix(digits, 16),
        None if digits.len() > 1 && digits.starts_with('0') => i128::from_str_radix(digits, 8),
        None => digits.parse(),
    };
    sign * magnitude.unwrap_or(0)
}
