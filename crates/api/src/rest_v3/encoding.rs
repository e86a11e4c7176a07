//! Character encodings of a produce stream: told by its first bytes, turned into UTF-8 as it comes.
//!
//! UTF-8, with or without a byte order mark, goes through untouched. UTF-16 and UTF-32 are converted chunk by chunk; a
//! character may be cut by the end of a chunk. What is no character becomes U+FFFD, as in Java. Pure.
//!
//! Source: jackson-core `ByteSourceJsonBootstrapper#detectEncoding`; recording `stream-encodings`.

use bytes::{Bytes, BytesMut};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Encoding {
    Unknown,
    Utf8,
    Utf16 { big_endian: bool },
    Utf32 { big_endian: bool },
}

/// Turns chunks of a stream into UTF-8.
#[derive(Debug)]
pub(super) struct Transcoder {
    encoding: Encoding,
    /// Bytes that are not a whole character yet, or not enough to tell the encoding.
    kept: BytesMut,
    /// First half of a surrogate pair.
    high: Option<u16>,
}

impl Transcoder {
    pub(super) fn new() -> Transcoder {
        Transcoder { encoding: Encoding::Unknown, kept: BytesMut::new(), high: None }
    }

    /// The UTF-8 of the next chunk; `is_last` says that no other will come. `Err` for encodings nobody reads.
    pub(super) fn push(&mut self, chunk: Bytes, is_last: bool) -> Result<Bytes, &'static str> {
        if self.encoding == Encoding::Utf8 {
            return Ok(chunk);
        }
        let mut bytes = chunk;
        if !self.kept.is_empty() {
            let mut joined = std::mem::take(&mut self.kept);
            joined.extend_from_slice(&bytes);
            bytes = joined.freeze();
        }
        if self.encoding == Encoding::Unknown {
            match detect(&bytes, is_last)? {
                None => {
                    self.kept = BytesMut::from(&bytes[..]);
                    return Ok(Bytes::new());
                }
                Some((encoding, mark)) => {
                    self.encoding = encoding;
                    bytes = bytes.slice(mark..);
                }
            }
        }
        match self.encoding {
            Encoding::Unknown | Encoding::Utf8 => Ok(bytes),
            Encoding::Utf16 { big_endian } => Ok(self.utf16(&bytes, big_endian, is_last)),
            Encoding::Utf32 { big_endian } => Ok(self.utf32(&bytes, big_endian, is_last)),
        }
    }

    fn utf16(&mut self, bytes: &[u8], big_endian: bool, is_last: bool) -> Bytes {
        let mut out = String::with_capacity(bytes.len());
        let (units, rest) = bytes.as_chunks::<2>();
        for unit in units {
            let unit = if big_endian { u16::from_be_bytes(*unit) } else { u16::from_le_bytes(*unit) };
            let high = self.high.take();
            match (high, unit) {
                (Some(high), 0xdc00..=0xdfff) => {
                    let pair = char::decode_utf16([high, unit]).next();
                    out.push(pair.and_then(Result::ok).unwrap_or(char::REPLACEMENT_CHARACTER));
                    continue;
                }
                (Some(_), _) => out.push(char::REPLACEMENT_CHARACTER),
                (None, _) => {}
            }
            match unit {
                0xd800..=0xdbff => self.high = Some(unit),
                _ => out.push(char::from_u32(u32::from(unit)).unwrap_or(char::REPLACEMENT_CHARACTER)),
            }
        }
        self.keep(rest, is_last, &mut out);
        if is_last && self.high.take().is_some() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
        out.into()
    }

    fn utf32(&mut self, bytes: &[u8], big_endian: bool, is_last: bool) -> Bytes {
        let mut out = String::with_capacity(bytes.len());
        let (quads, rest) = bytes.as_chunks::<4>();
        for quad in quads {
            let value = if big_endian { u32::from_be_bytes(*quad) } else { u32::from_le_bytes(*quad) };
            out.push(char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        self.keep(rest, is_last, &mut out);
        out.into()
    }

    fn keep(&mut self, rest: &[u8], is_last: bool, out: &mut String) {
        if is_last && !rest.is_empty() {
            out.push(char::REPLACEMENT_CHARACTER);
        } else {
            self.kept.extend_from_slice(rest);
        }
    }
}

/// The encoding that the first bytes tell, and how many of them are a mark. `None`: more bytes are needed.
fn detect(bytes: &[u8], is_last: bool) -> Result<Option<(Encoding, usize)>, &'static str> {
    let found = match bytes {
        [0x00, 0x00, 0xfe, 0xff, ..] => (Encoding::Utf32 { big_endian: true }, 4),
        [0xff, 0xfe, 0x00, 0x00, ..] => (Encoding::Utf32 { big_endian: false }, 4),
        [0xfe, 0xff, _, _, ..] => (Encoding::Utf16 { big_endian: true }, 2),
        [0xff, 0xfe, _, _, ..] => (Encoding::Utf16 { big_endian: false }, 2),
        [0xef, 0xbb, 0xbf, ..] => (Encoding::Utf8, 3),
        [0x00, 0x00, 0x00, _, ..] => (Encoding::Utf32 { big_endian: true }, 0),
        [_, 0x00, 0x00, 0x00, ..] => (Encoding::Utf32 { big_endian: false }, 0),
        [0x00, _, 0x00, 0x00, ..] | [0x00, 0x00, _, 0x00, ..] => return Err("Unsupported UCS-4 endianness detected"),
        [0x00, _, _, _, ..] => (Encoding::Utf16 { big_endian: true }, 0),
        [_, 0x00, _, _, ..] => (Encoding::Utf16 { big_endian: false }, 0),
        // Neither a zero nor the start of a mark among the first two: nothing but UTF-8.
        [first, second, ..] if *first != 0 && *second != 0 && !matches!(first, 0xef | 0xfe | 0xff) => {
            (Encoding::Utf8, 0)
        }
        [_, _, _, _, ..] => (Encoding::Utf8, 0),
        [0x00, _] if is_last => (Encoding::Utf16 { big_endian: true }, 0),
        [_, 0x00] if is_last => (Encoding::Utf16 { big_endian: false }, 0),
        _ if is_last => (Encoding::Utf8, 0),
        _ => return Ok(None),
    };
    Ok(Some(found))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn in_chunks(bytes: &[u8], size: usize) -> String {
        let mut transcoder = Transcoder::new();
        let mut out = Vec::new();
        for chunk in bytes.chunks(size) {
            out.extend_from_slice(&transcoder.push(Bytes::copy_from_slice(chunk), false).unwrap());
        }
        out.extend_from_slice(&transcoder.push(Bytes::new(), true).unwrap());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_encoding_comes_out_as_utf8_however_it_is_cut() {
        let json = "{\"a\":\"ü😀\"}";
        let utf16 = |big: bool| -> Vec<u8> {
            json.encode_utf16().flat_map(|u| if big { u.to_be_bytes() } else { u.to_le_bytes() }).collect()
        };
        let utf32: Vec<u8> = json.chars().flat_map(|c| (c as u32).to_be_bytes()).collect();
        let marked = |mark: &[u8], rest: &[u8]| [mark, rest].concat();
        let all = [
            json.as_bytes().to_vec(),
            marked(b"\xef\xbb\xbf", json.as_bytes()),
            utf16(true),
            utf16(false),
            marked(b"\xff\xfe", &utf16(false)),
            marked(b"\xfe\xff", &utf16(true)),
            utf32.clone(),
            marked(b"\0\0\xfe\xff", &utf32),
        ];
        for bytes in &all {
            for size in [1, 2, 3, 5, 1000] {
                assert_eq!(in_chunks(bytes, size), json, "{bytes:?} in chunks of {size}");
            }
        }
    }

    #[test]
    fn a_short_stream_is_not_held_back() {
        let mut transcoder = Transcoder::new();
        assert_eq!(transcoder.push(Bytes::from_static(b"{}"), false).unwrap(), "{}");
    }

    #[test]
    fn half_a_pair_at_the_end_is_replaced() {
        assert_eq!(in_chunks(b"\0{\xd8\x3c", 3), "{\u{fffd}");
    }
}
