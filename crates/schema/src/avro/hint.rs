//! Advice for each incompatible change of [`super::diff::CHANGES`].
//!
//! See [`crate::hint`]. What the change is about (a field, symbols, a type) stands in the message's additional text,
//! which only `diff` knows how to find; forward it is the older schema that reads.
//!
//! Source: the rules of `diff/`; Avro specification 1.12, "Schema Resolution".

use crate::Difference;
use crate::compat::Direction;

/// See [`crate::hint::hint`].
pub(crate) fn hint(difference: &Difference, direction: Direction) -> Option<String> {
    let info = additional(&difference.message)?;
    let place = if difference.path.is_empty() { "the top" } else { &difference.path };
    let is_backward = direction == Direction::Backward;
    Some(match difference.kind {
        "READER_FIELD_MISSING_DEFAULT_VALUE" if is_backward => format!(
            "Give field `{info}` a default: what was written before lacks it. With no better value at hand: its type in \
             a union after \"null\", and `\"default\": null`."
        ),
        "READER_FIELD_MISSING_DEFAULT_VALUE" => {
            format!("Put field `{info}` back: the older version has no default for it.")
        }
        "MISSING_ENUM_SYMBOLS" if is_backward => {
            format!("Put {info} back into the enum, or give the enum a default for symbols it does not know.")
        }
        "MISSING_ENUM_SYMBOLS" => {
            format!("Leave {info} out of the enum: the older version does not know what to read.")
        }
        "MISSING_UNION_BRANCH" => {
            let (_, branch) = info.split_once("writer type: ")?;
            match is_backward {
                true => format!("Put {} back into the union: it was written before.", branch.to_ascii_lowercase()),
                false => {
                    format!("Leave {} out of the union: the older version cannot read it.", branch.to_ascii_lowercase())
                }
            }
        }
        "TYPE_MISMATCH" if is_backward => format!(
            "Keep the type at {place} as it was, and give the new one a field of its own with a default. Without that, \
             int may become long, float or double, long float or double, float double, and string and bytes each other."
        ),
        "TYPE_MISMATCH" => {
            "Keep the type as it was, and give the new one a field of its own: the older version cannot read another."
                .to_owned()
        }
        "NAME_MISMATCH" if is_backward => {
            let name = info.strip_prefix("expected: ")?;
            format!("Keep the name {name}, or give the new one `\"aliases\": [\"{name}\"]`.")
        }
        "NAME_MISMATCH" => "Keep the type's name: the older version reads no other.".to_owned(),
        "FIXED_SIZE_MISMATCH" => {
            let sizes = info.strip_prefix("expected: ")?;
            let (written, read) = sizes.split_once(", found: ")?;
            let old = if is_backward { written } else { read };
            format!("Keep the size {old}, and give the other size a type and a field of its own.")
        }
        _ => return None,
    })
}

fn additional(message: &str) -> Option<&str> {
    let (_, info) = message.rsplit_once("additionalInfo:'")?;
    info.strip_suffix("'}")
}
