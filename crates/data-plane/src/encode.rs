//! `data` → bytes without a schema: BINARY, STRING, JSON.
//!
//! JSON keeps its bytes. Base64 is read as the reference's Guava reader does: standard alphabet, padding optional and
//! of any length, no white space, bits left over ignored. Source: rest-proxy.md §2.6 and the recordings
//! `produce-binary`, `produce-string`, `produce-json`.

use sluice_schema::quoted_json;

use crate::error::RecordError;
use crate::record::{Data, PlainFormat};

/// Writes the bytes of `data` into `out`, which is cleared. `false`: Kafka's null.
pub(crate) fn plain(format: PlainFormat, data: &Data<'_>, out: &mut Vec<u8>) -> Result<bool, RecordError> {
    out.clear();
    match (format, data) {
        (_, Data::Null) => return Ok(false),
        (PlainFormat::Binary, Data::Text { text, json }) => {
            if !base64(text.as_bytes(), out) {
                return Err(RecordError::BadBase64(quoted_json(json)));
            }
        }
        (PlainFormat::String, Data::Text { text, .. }) => out.extend_from_slice(text.as_bytes()),
        (PlainFormat::Json, data) => out.extend_from_slice(data.json()),
        (PlainFormat::Binary, Data::Other(json)) => return Err(RecordError::NotBase64Text(quoted_json(json))),
        (PlainFormat::String, Data::Other(json)) => return Err(RecordError::NotText(quoted_json(json))),
    }
    Ok(true)
}

/// Appends the decoded bytes; `false` (and nothing appended) if `text` is no base64.
fn base64(text: &[u8], out: &mut Vec<u8>) -> bool {
    let length = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let text = &text[..length];
    if base64_simd::STANDARD_NO_PAD.decode_append(text, out).is_ok() {
        return true;
    }
    lenient_base64(text, out)
}

/// As [`base64`], for what the fast reader refuses: bits left over after the last byte.
fn lenient_base64(text: &[u8], out: &mut Vec<u8>) -> bool {
    let before = out.len();
    if text.len() % 4 == 1 {
        return false;
    }
    let (mut bits, mut count) = (0u32, 0u32);
    for byte in text {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => {
                out.truncate(before);
                return false;
            }
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            out.push((bits >> count) as u8);
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Data<'_> {
        Data::Text { text: text.into(), json: text.as_bytes() }
    }

    #[test]
    fn base64_is_standard_with_optional_padding_and_without_white_space() {
        let mut out = Vec::new();
        for (data, expected) in [
            ("aGVsbG8=", Some(&b"hello"[..])),
            ("aGVsbG8", Some(b"hello")),
            ("", Some(b"")),
            ("=", Some(b"")),
            ("YQ", Some(b"a")),
            ("YQ=", Some(b"a")),
            ("YQ===", Some(b"a")),
            ("YR==", Some(b"a")),
            ("/+8A/w==", Some(b"\xff\xef\x00\xff")),
            ("YQ==\n", None),
            ("Y Q=", None),
            ("_-8=", None),
            ("x*", None),
            ("Y", None),
            ("YQ=a", None),
        ] {
            let decoded = plain(PlainFormat::Binary, &text(data), &mut out).ok().map(|_| out.as_slice());
            assert_eq!(decoded, expected, "{data:?}");
        }
    }

    #[test]
    fn data_of_another_kind_is_refused_in_the_references_words() {
        let mut out = Vec::new();
        for (format, data, expected) in [
            (PlainFormat::Binary, Data::Other(b"1"), "data=1 is not a base64 string."),
            (PlainFormat::String, Data::Other(b"{\"a\":1}"), "data={\"a\":1} is not a string."),
            (PlainFormat::String, Data::Other(b"[ 1.10,\n1e2 ]"), "data=[1.1,100.0] is not a string."),
            (
                PlainFormat::Binary,
                Data::Text { text: "x*".into(), json: b"\"x*\"" },
                "data=\"x*\" is not a valid base64 string.",
            ),
        ] {
            assert_eq!(plain(format, &data, &mut out).unwrap_err().to_string(), expected);
        }
    }

    #[test]
    fn null_is_kafkas_null_and_json_keeps_its_bytes() {
        let mut out = vec![1];
        for format in [PlainFormat::Binary, PlainFormat::String, PlainFormat::Json] {
            assert_eq!(plain(format, &Data::Null, &mut out), Ok(false));
        }
        assert_eq!(plain(PlainFormat::Json, &Data::Other(b"{ \"a\" : 1.10 }"), &mut out), Ok(true));
        assert_eq!(out, b"{ \"a\" : 1.10 }");
    }
}
