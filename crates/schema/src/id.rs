//! Names and numbers of schemas: id, version, GUID, type.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Number of a schema inside one context; what the wire format carries. 1 and up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SchemaId(pub i32);

/// Number of a version of a subject. 1 and up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Version(pub i32);

impl fmt::Display for SchemaId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// MD5 of a schema's content, printed as a UUID; equal in every context and every registry.
///
/// Source: schema-registry `Schema#guid` / `MD5`, 8.2.0: the raw 16 bytes, no version or variant bits set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Guid(pub [u8; 16]);

impl Guid {
    /// The GUID that `text` names: `8-4-4-4-12` hex digits, or 32 without dashes, any case. `None` otherwise.
    pub fn parse(text: &str) -> Option<Guid> {
        let bytes = text.as_bytes();
        let dashed = bytes.len() == 36;
        if !dashed && bytes.len() != 32 {
            return None;
        }
        let mut out = [0u8; 16];
        let mut nibbles = 0usize;
        for (at, byte) in bytes.iter().enumerate() {
            if dashed && matches!(at, 8 | 13 | 18 | 23) {
                if *byte != b'-' {
                    return None;
                }
                continue;
            }
            let digit = (*byte as char).to_digit(16)? as u8;
            out[nibbles / 2] = (out[nibbles / 2] << 4) | digit;
            nibbles += 1;
        }
        (nibbles == 32).then_some(Guid(out))
    }
}

impl fmt::Display for Guid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, byte) in self.0.iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                f.write_str("-")?;
            }
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

/// The schema languages of the API, by their wire names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SchemaType {
    /// `AVRO`: what an absent `schemaType` means.
    Avro,
    /// `JSON`.
    Json,
    /// `PROTOBUF`.
    Protobuf,
}

impl SchemaType {
    /// The languages this build can parse; what `GET /schemas/types` lists.
    pub const SUPPORTED: &'static [SchemaType] = &[SchemaType::Json, SchemaType::Protobuf, SchemaType::Avro];

    /// The type of this wire name; case matters, as in the reference.
    pub fn from_wire(name: &str) -> Option<SchemaType> {
        match name {
            "AVRO" => Some(SchemaType::Avro),
            "JSON" => Some(SchemaType::Json),
            "PROTOBUF" => Some(SchemaType::Protobuf),
            _ => None,
        }
    }

    /// The name in requests, answers and messages.
    pub fn wire(self) -> &'static str {
        match self {
            SchemaType::Avro => "AVRO",
            SchemaType::Json => "JSON",
            SchemaType::Protobuf => "PROTOBUF",
        }
    }
}

impl fmt::Display for SchemaType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.wire())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_guid_reads_with_and_without_dashes_and_prints_dashed() {
        let dashed = "2d6064ba-ab9d-a501-1068-9d3407fa8a3a";
        let guid = Guid::parse(dashed).unwrap();
        assert_eq!(guid.to_string(), dashed);
        assert_eq!(Guid::parse(&dashed.replace('-', "").to_uppercase()), Some(guid));
        assert_eq!(Guid::parse("2d6064ba-ab9d-a501-1068-9d3407fa8a3"), None);
        assert_eq!(Guid::parse("2d6064ba+ab9d-a501-1068-9d3407fa8a3a"), None);
    }
}
