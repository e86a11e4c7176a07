//! The registry's framing of Kafka record keys and values.
//!
//! Layout, big endian: magic `0x00` (1 byte) · schema id (4 bytes) · for protobuf the message indexes (zigzag
//! varints: count, then one per nesting level; `[0]` shortens to a single `0x00`) · payload. The other magic,
//! `0x01`, is followed by 16 bytes of GUID; it stands in record headers, and readers take it in front of a
//! payload too.
//!
//! Source: Confluent wire format, 8.2.0 `MessageIndexes`, `SchemaId`.

use crate::{Guid, SchemaId};

/// In front of a schema id.
const MAGIC_ID: u8 = 0x00;
/// In front of a GUID.
const MAGIC_GUID: u8 = 0x01;
/// Deepest index path that is read; messages do not nest deeper than parsers allow (64 levels).
const MAX_LEVELS: i32 = 64;

/// Path of a message inside its file: index among its siblings, outermost first. Never empty; `[0]` is the first.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MessageIndexes(pub Box<[i32]>);

impl MessageIndexes {
    /// The path of the first top-level message, `[0]`.
    pub fn first() -> MessageIndexes {
        MessageIndexes(Box::new([0]))
    }
}

/// Why bytes are not in the registry's framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// Shorter than magic and id, or cut inside the indexes.
    #[error("too short for the wire format")]
    TooShort,
    /// The first byte is not a known magic.
    #[error("unknown magic byte {0:#04x}")]
    Magic(u8),
    /// Message indexes that cannot be: negative, too many, overlong varints.
    #[error("malformed message indexes")]
    Indexes,
}

/// The id part of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FramedId {
    /// `0x00` and an id.
    Id(SchemaId),
    /// `0x01` and a GUID.
    Guid(Guid),
}

/// Splits `bytes` into the schema's id and what follows (for protobuf: message indexes, then payload).
pub fn split(bytes: &[u8]) -> Result<(FramedId, &[u8]), BadFrame> {
    let (magic, rest) = bytes.split_first().ok_or(BadFrame::TooShort)?;
    match *magic {
        MAGIC_ID => {
            let (id, rest) = rest.split_first_chunk::<4>().ok_or(BadFrame::TooShort)?;
            Ok((FramedId::Id(SchemaId(i32::from_be_bytes(*id))), rest))
        }
        MAGIC_GUID => {
            let (guid, rest) = rest.split_first_chunk::<16>().ok_or(BadFrame::TooShort)?;
            Ok((FramedId::Guid(Guid(*guid)), rest))
        }
        other => Err(BadFrame::Magic(other)),
    }
}

/// Splits message indexes from a protobuf payload. At most 64 levels. A count of 0 means `[0]`.
pub fn split_indexes(bytes: &[u8]) -> Result<(MessageIndexes, &[u8]), BadFrame> {
    let (count, mut rest) = split_zigzag(bytes)?;
    match count {
        0 => Ok((MessageIndexes::first(), rest)),
        1..=MAX_LEVELS => {
            let mut path = Vec::with_capacity(count as usize);
            for _ in 0..count {
                let (index, after) = split_zigzag(rest)?;
                if index < 0 {
                    return Err(BadFrame::Indexes);
                }
                path.push(index);
                rest = after;
            }
            Ok((MessageIndexes(path.into_boxed_slice()), rest))
        }
        _ => Err(BadFrame::Indexes),
    }
}

/// Appends magic, `id` and, for protobuf, `indexes`. Appends 5 bytes plus the indexes; never fails.
pub fn frame_into(id: SchemaId, indexes: Option<&MessageIndexes>, out: &mut Vec<u8>) {
    out.push(MAGIC_ID);
    out.extend_from_slice(&id.0.to_be_bytes());
    if let Some(indexes) = indexes {
        frame_indexes_into(indexes, out);
    }
}

/// Appends `indexes` alone, `[0]` as a single `0x00`: what stands between id and payload.
pub fn frame_indexes_into(indexes: &MessageIndexes, out: &mut Vec<u8>) {
    match &*indexes.0 {
        [] | [0] => out.push(0),
        path => {
            push_zigzag(path.len() as i32, out);
            for index in path {
                push_zigzag(*index, out);
            }
        }
    }
}

/// Splits one zigzag varint of at most 32 bits (5 bytes).
fn split_zigzag(bytes: &[u8]) -> Result<(i32, &[u8]), BadFrame> {
    let mut raw = 0u32;
    for (at, byte) in bytes.iter().take(5).enumerate() {
        let part = u32::from(byte & 0x7f);
        if at == 4 && (byte & 0x80 != 0 || part > 0x0f) {
            return Err(BadFrame::Indexes);
        }
        raw |= part << (7 * at);
        if byte & 0x80 == 0 {
            return Ok((((raw >> 1) as i32) ^ -((raw & 1) as i32), &bytes[at + 1..]));
        }
    }
    Err(BadFrame::TooShort)
}

fn push_zigzag(value: i32, out: &mut Vec<u8>) {
    let mut raw = ((value << 1) ^ (value >> 31)) as u32;
    while raw >= 0x80 {
        out.push(raw as u8 | 0x80);
        raw >>= 7;
    }
    out.push(raw as u8);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn framed(id: i32, path: Option<&[i32]>) -> Vec<u8> {
        let mut out = Vec::new();
        frame_into(SchemaId(id), path.map(|p| MessageIndexes(p.into())).as_ref(), &mut out);
        out
    }

    #[test]
    fn a_frame_is_magic_then_the_id_big_endian_then_the_indexes() {
        assert_eq!(framed(0x0102_0304, None), [0, 1, 2, 3, 4]);
        assert_eq!(framed(1, Some(&[0])), [0, 0, 0, 0, 1, 0], "the first message is one zero byte");
        assert_eq!(framed(1, Some(&[1])), [0, 0, 0, 0, 1, 2, 2], "count 1 and index 1, zigzag");
        assert_eq!(framed(1, Some(&[1, 0])), [0, 0, 0, 0, 1, 4, 2, 0]);
        assert_eq!(framed(1, Some(&[64])), [0, 0, 0, 0, 1, 2, 0x80, 0x01]);
    }

    #[test]
    fn a_guid_stands_behind_the_other_magic() {
        let guid = Guid(*b"0123456789abcdef");
        let mut bytes = vec![1];
        bytes.extend_from_slice(&guid.0);
        bytes.push(0);
        assert_eq!(split(&bytes), Ok((FramedId::Guid(guid), &[0u8][..])));
        assert_eq!(split(&bytes[..16]), Err(BadFrame::TooShort));
    }

    #[test]
    fn a_count_of_zero_reads_as_the_first_message() {
        assert_eq!(split_indexes(&[0, 9]), Ok((MessageIndexes::first(), &[9u8][..])));
        assert_eq!(split_indexes(&[2, 0, 9]), Ok((MessageIndexes::first(), &[9u8][..])), "the long form too");
    }

    #[test]
    fn what_is_no_frame_says_why() {
        assert_eq!(split(&[]), Err(BadFrame::TooShort));
        assert_eq!(split(&[0, 0, 0, 1]), Err(BadFrame::TooShort));
        assert_eq!(split(b"{\"a\":1}"), Err(BadFrame::Magic(b'{')));
        assert_eq!(split_indexes(&[]), Err(BadFrame::TooShort));
        assert_eq!(split_indexes(&[4, 2]), Err(BadFrame::TooShort), "two levels announced, one there");
        assert_eq!(split_indexes(&[1]), Err(BadFrame::Indexes), "a negative count");
        assert_eq!(split_indexes(&[2, 1]), Err(BadFrame::Indexes), "a negative index");
        assert_eq!(split_indexes(&[0x82, 0x01]), Err(BadFrame::Indexes), "65 levels");
        assert_eq!(split_indexes(&[0x80, 0x80, 0x80, 0x80, 0x10]), Err(BadFrame::Indexes), "more than 32 bits");
        assert_eq!(split_indexes(&[0x80; 9]), Err(BadFrame::Indexes), "a varint without an end");
        assert_eq!(split_indexes(&[0x80; 3]), Err(BadFrame::TooShort));
    }

    proptest! {
        #[test]
        fn what_is_framed_splits_into_the_same_parts(
            id in any::<i32>(),
            path in prop::collection::vec(0..i32::MAX, 1..=64),
            body in prop::collection::vec(any::<u8>(), 0..32),
        ) {
            let mut bytes = framed(id, Some(&path));
            bytes.extend_from_slice(&body);
            let (framed_id, rest) = split(&bytes).unwrap();
            prop_assert_eq!(framed_id, FramedId::Id(SchemaId(id)));
            let (indexes, rest) = split_indexes(rest).unwrap();
            prop_assert_eq!(&*indexes.0, &path[..]);
            prop_assert_eq!(rest, &body[..]);
        }

        #[test]
        fn any_bytes_split_or_say_why_without_a_panic(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok((_, rest)) = split(&bytes) {
                let _ = split_indexes(rest);
            }
            if let Ok((indexes, rest)) = split_indexes(&bytes) {
                prop_assert!(!indexes.0.is_empty() && indexes.0.len() <= 64);
                prop_assert!(rest.len() < bytes.len());
            }
        }
    }
}
