//! Logical types: what stands in `logicalType` and fits the type. What does not fit is an attribute like any other.
//!
//! Source: Avro 1.12 `LogicalTypes#fromSchemaIgnoreInvalid`.

use super::super::json::Json;
use super::super::model::{Kind, Logical};

/// The logical type that these attributes put on a type, if it fits.
pub(super) fn read(kind: &Kind, props: &[(String, Json)]) -> Option<Logical> {
    let prop = |name: &str| props.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let logical = match prop("logicalType")?.as_text()? {
        "decimal" => Logical::Decimal {
            precision: int(prop("precision")?)?,
            scale: match prop("scale") {
                Some(scale) => int(scale)?,
                None => 0,
            },
        },
        "big-decimal" => Logical::BigDecimal,
        "uuid" => Logical::Uuid,
        "date" => Logical::Date,
        "time-millis" => Logical::TimeMillis,
        "time-micros" => Logical::TimeMicros,
        "timestamp-millis" => Logical::TimestampMillis,
        "timestamp-micros" => Logical::TimestampMicros,
        "timestamp-nanos" => Logical::TimestampNanos,
        "local-timestamp-millis" => Logical::LocalTimestampMillis,
        "local-timestamp-micros" => Logical::LocalTimestampMicros,
        "local-timestamp-nanos" => Logical::LocalTimestampNanos,
        "duration" => Logical::Duration,
        _ => return None,
    };
    fits(logical, kind).then_some(logical)
}

fn int(value: &Json) -> Option<i32> {
    match value {
        Json::Integer(value) => i32::try_from(*value).ok(),
        _ => None,
    }
}

fn fits(logical: Logical, kind: &Kind) -> bool {
    match (logical, kind) {
        (Logical::Decimal { precision, scale }, Kind::Bytes) => precision > 0 && (0..=precision).contains(&scale),
        (Logical::Decimal { precision, scale }, Kind::Fixed(fixed)) => {
            precision > 0 && i64::from(precision) <= digits_in(fixed.size) && (0..=precision).contains(&scale)
        }
        (Logical::Uuid, Kind::Fixed(fixed)) => fixed.size == 16,
        (Logical::Duration, Kind::Fixed(fixed)) => fixed.size == 12,
        (Logical::BigDecimal, Kind::Bytes)
        | (Logical::Uuid, Kind::String)
        | (Logical::Date | Logical::TimeMillis, Kind::Int)
        | (
            Logical::TimeMicros
            | Logical::TimestampMillis
            | Logical::TimestampMicros
            | Logical::TimestampNanos
            | Logical::LocalTimestampMillis
            | Logical::LocalTimestampMicros
            | Logical::LocalTimestampNanos,
            Kind::Long,
        ) => true,
        _ => false,
    }
}

/// Decimal digits that always fit into so many bytes of two's complement.
fn digits_in(bytes: u32) -> i64 {
    (std::f64::consts::LOG10_2 * (8.0 * f64::from(bytes) - 1.0)).floor() as i64
}
