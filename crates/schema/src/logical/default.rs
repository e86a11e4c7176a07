//! Defaults that formats keep as text, as DDL writes them.
//!
//! Source: schema-registry `type/logical/{json/JsonDefaultValueConverter,protobuf/ProtoDefaultValueConverter}`, 8.5.

use super::{Leaf, ddl, moment};
use crate::json::text;

/// The literal of a default that both JSON Schema and protobuf keep as this text. `None` when the text is no value of
/// the type, or the type's defaults are kept in other forms (truth values, numbers).
pub(crate) fn of_text(leaf: &Leaf, text: &str) -> Option<String> {
    match leaf {
        Leaf::Char(_) | Leaf::Varchar(_) | Leaf::Enum(_) => Some(ddl::text(text)),
        Leaf::Binary(_) | Leaf::Varbinary(_) => {
            base64_simd::STANDARD.decode_to_vec(text).ok().map(|bytes| ddl::bytes(&bytes))
        }
        Leaf::Decimal { .. } => decimal(text),
        Leaf::Date => moment::date_of(text),
        Leaf::Time(_) => moment::time_of(text),
        Leaf::Timestamp(_) => moment::local_of(text),
        Leaf::TimestampLtz(_) => moment::instant_of(text),
        _ => None,
    }
}

/// A decimal as Java prints it.
fn decimal(text: &str) -> Option<String> {
    text::parse(text).ok()?.as_number().map(|number| number.text().to_owned())
}
