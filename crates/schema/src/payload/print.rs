//! Values as JSON text, into a byte buffer.
//!
//! Source: protobuf-java-util `JsonFormat.PrinterImpl#printSingleFieldValue`, 4.33, after a round through Jackson
//! (which undoes Gson's escapes of `<`, `>`, `&`, `=` and `'`).

use super::numbers;

/// Appends `text` as a JSON string; only what must be escaped is.
pub(crate) fn text(text: &str, out: &mut Vec<u8>) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut from = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte >= 0x20 && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        out.extend_from_slice(&bytes[from..at]);
        from = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            control => {
                const HEX: &[u8; 16] = b"0123456789ABCDEF";
                let low = HEX[usize::from(control & 15)];
                out.extend_from_slice(&[b'\\', b'u', b'0', b'0', HEX[usize::from(control >> 4)], low]);
            }
        }
    }
    out.extend_from_slice(&bytes[from..]);
    out.push(b'"');
}

/// Appends `bytes` as padded standard base64 in quotes.
pub(crate) fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    base64_simd::STANDARD.encode_append(bytes, out);
    out.push(b'"');
}

/// Appends a double; what JSON has no number for, as text.
pub(crate) fn double(value: f64, out: &mut Vec<u8>) {
    match special(value) {
        Some(name) => out.extend_from_slice(name),
        None => numbers::push_double(value, out),
    }
}

/// Appends a float.
pub(crate) fn float(value: f32, out: &mut Vec<u8>) {
    match special(f64::from(value)) {
        Some(name) => out.extend_from_slice(name),
        None => numbers::push_float(value, out),
    }
}

fn special(value: f64) -> Option<&'static [u8]> {
    if value.is_nan() {
        Some(b"\"NaN\"")
    } else if value == f64::INFINITY {
        Some(b"\"Infinity\"")
    } else if value == f64::NEG_INFINITY {
        Some(b"\"-Infinity\"")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn only_what_json_requires_is_escaped() {
        let mut out = Vec::new();
        super::text("a\"b\\c\n\u{1}\u{1f}<>&'é\u{2028}", &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), "\"a\\\"b\\\\c\\n\\u0001\\u001F<>&'é\u{2028}\"");
    }
}
