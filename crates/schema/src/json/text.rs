//! Reading JSON text as the reference reads it, and printing what it stores.
//!
//! [`parse`] takes the first value of a text and drops what follows, keeps the last of equal keys, takes `NaN` and
//! `Infinity` (as strings, which is how they are printed) and nothing else that JSON does not have. [`print`] writes
//! without white space: keys in their order, numbers as `BigDecimal` prints them, only what must be escaped escaped.
//! What is printed reads as itself. Nesting is capped, so that nothing that walks a value can exhaust the stack.
//!
//! Source: schema-registry `json/jackson/Jackson`, 8.2.0; Jackson 2.18 `ReaderBasedJsonParser`, `CharTypes`;
//! Java `BigDecimal.toString`.

use std::cmp::Ordering;
use std::fmt::Write;

use super::named::Named;
use super::value::{Number, Value};
use crate::InvalidSchema;

/// Bytes of a text, parsed or printed.
pub const MAX_BYTES: usize = 1024 * 1024;
/// Levels of arrays and objects in a text.
pub const MAX_DEPTH: usize = 256;
/// Characters of a number, as Jackson's own limit.
const MAX_NUMBER: usize = 1000;

/// The first value of `text`. [`InvalidSchema::Syntax`] says what was met and where; caps give
/// [`InvalidSchema::TooComplex`].
pub fn parse(text: &str) -> Result<Value, InvalidSchema> {
    check_size(text)?;
    let mut reader = Reader { text, at: 0 };
    let value = reader.value(0)?;
    // A number or word must end where it ends.
    match (&value, reader.peek()) {
        (Value::Object(_) | Value::Array(_) | Value::String(_), _) | (_, None | Some(b' ' | b'\t' | b'\n' | b'\r')) => {
            Ok(value)
        }
        _ => Err(reader.unexpected("white space")),
    }
}

/// Fails when `text` is longer than [`MAX_BYTES`].
pub fn check_size(text: &str) -> Result<(), InvalidSchema> {
    if text.len() > MAX_BYTES {
        return Err(InvalidSchema::TooComplex(format!("Schema of {} bytes, at most {MAX_BYTES} are read", text.len())));
    }
    Ok(())
}

/// The text of a value, keys in their order.
pub fn print(value: &Value) -> String {
    let mut out = String::new();
    print_to(&mut out, value, false);
    out
}

/// The text of a value, keys of every object in the order of their UTF-16 units, as Java's `TreeMap` has them.
pub fn print_sorted(value: &Value) -> String {
    let mut out = String::new();
    print_to(&mut out, value, true);
    out
}

fn print_to(out: &mut String, value: &Value, sorted: bool) {
    match value {
        Value::Null => out.push_str("null"),
        Value::Bool(true) => out.push_str("true"),
        Value::Bool(false) => out.push_str("false"),
        Value::Number(number) => out.push_str(number.text()),
        Value::String(text) => print_string(out, text),
        Value::Array(elements) => {
            out.push('[');
            for (n, element) in elements.iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                print_to(out, element, sorted);
            }
            out.push(']');
        }
        Value::Object(members) => {
            out.push('{');
            let mut members: Vec<(&str, &Value)> = members.iter().collect();
            if sorted {
                members.sort_by(|a, b| java_order(a.0, b.0));
            }
            for (n, (name, value)) in members.into_iter().enumerate() {
                if n > 0 {
                    out.push(',');
                }
                print_string(out, name);
                out.push(':');
                print_to(out, value, sorted);
            }
            out.push('}');
        }
    }
}

/// The order of Java's `String.compareTo`: by UTF-16 units.
pub(crate) fn java_order(a: &str, b: &str) -> Ordering {
    a.encode_utf16().cmp(b.encode_utf16())
}

fn print_string(out: &mut String, text: &str) {
    out.push('"');
    let mut plain = 0;
    for (at, byte) in text.bytes().enumerate() {
        let escape = match byte {
            b'"' => "\\\"",
            b'\\' => "\\\\",
            b'\n' => "\\n",
            b'\r' => "\\r",
            b'\t' => "\\t",
            0x08 => "\\b",
            0x0c => "\\f",
            0..=0x1f => "",
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        plain = at + 1;
        match escape {
            "" => {
                // Writing to a string does not fail.
                let _ = write!(out, "\\u{byte:04X}");
            }
            escape => out.push_str(escape),
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// The next byte behind white space, not taken.
    fn peek_token(&mut self) -> Option<u8> {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
        self.peek()
    }

    fn value(&mut self, depth: usize) -> Result<Value, InvalidSchema> {
        match self.peek_token() {
            Some(b'{' | b'[') if depth == MAX_DEPTH => {
                Err(InvalidSchema::TooComplex(format!("Schema nested deeper than {MAX_DEPTH} levels")))
            }
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.array(depth + 1),
            Some(b'"') => Ok(Value::String(self.string()?.into())),
            Some(b'0'..=b'9') => self.number(),
            Some(b'-') if matches!(self.text.as_bytes().get(self.at + 1), Some(b'0'..=b'9')) => self.number(),
            Some(b't') => self.word("true", Value::Bool(true)),
            Some(b'f') => self.word("false", Value::Bool(false)),
            Some(b'n') => self.word("null", Value::Null),
            _ => self.not_finite(),
        }
    }

    fn word(&mut self, word: &str, value: Value) -> Result<Value, InvalidSchema> {
        let rest = &self.text[self.at..];
        let ends = |at: usize| !rest[at..].starts_with(|next: char| next.is_alphanumeric() || "_$".contains(next));
        if !rest.starts_with(word) || !ends(word.len()) {
            return Err(self.unexpected("a JSON value"));
        }
        self.at += word.len();
        Ok(value)
    }

    /// `NaN` and the infinities: Java keeps them as doubles and prints them as strings.
    fn not_finite(&mut self) -> Result<Value, InvalidSchema> {
        for (word, printed) in [
            ("NaN", "NaN"),
            ("Infinity", "Infinity"),
            ("+Infinity", "Infinity"),
            ("-Infinity", "-Infinity"),
            ("+INF", "Infinity"),
            ("-INF", "-Infinity"),
        ] {
            if self.text[self.at..].starts_with(word) {
                return self.word(word, Value::String(printed.into()));
            }
        }
        Err(self.unexpected("a JSON value"))
    }

    fn object(&mut self, depth: usize) -> Result<Value, InvalidSchema> {
        self.at += 1;
        let mut members = Vec::new();
        if self.peek_token() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(Named::default()));
        }
        loop {
            if self.peek_token() != Some(b'"') {
                return Err(self.unexpected("a name in double quotes"));
            }
            let name = self.string()?;
            if self.peek_token() != Some(b':') {
                return Err(self.unexpected("':'"));
            }
            self.at += 1;
            members.push((name.into(), self.value(depth)?));
            match self.peek_token() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(Value::Object(Named::from_entries(members)));
                }
                _ => return Err(self.unexpected("',' or '}'")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<Value, InvalidSchema> {
        self.at += 1;
        let mut elements = Vec::new();
        if self.peek_token() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(elements));
        }
        loop {
            elements.push(self.value(depth)?);
            match self.peek_token() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(Value::Array(elements));
                }
                _ => return Err(self.unexpected("',' or ']'")),
            }
        }
    }

    fn string(&mut self) -> Result<String, InvalidSchema> {
        self.at += 1;
        let mut out = String::new();
        loop {
            let plain = self.text.as_bytes()[self.at..].iter().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f));
            let Some(plain) = plain else {
                self.at = self.text.len();
                return Err(self.unexpected("'\"'"));
            };
            out.push_str(&self.text[self.at..self.at + plain]);
            self.at += plain;
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(out);
                }
                Some(b'\\') => self.escape(&mut out)?,
                _ => return Err(self.unexpected("an escape in the place of a control character")),
            }
        }
    }

    fn escape(&mut self, out: &mut String) -> Result<(), InvalidSchema> {
        self.at += 1;
        let character = match self.peek() {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                self.at += 1;
                let unit = self.hex()?;
                out.push(self.character(unit)?);
                return Ok(());
            }
            _ => return Err(self.unexpected("an escape")),
        };
        self.at += 1;
        out.push(character);
        Ok(())
    }

    /// The character that starts with this unit. Half of a pair stays one in Java and leaves the server as `?`.
    fn character(&mut self, unit: u16) -> Result<char, InvalidSchema> {
        let is_high = (0xd800..0xdc00).contains(&unit);
        if is_high && self.text[self.at..].starts_with("\\u") {
            let here = self.at;
            self.at += 2;
            let low = self.hex()?;
            if let Some(Ok(character)) = char::decode_utf16([unit, low]).next() {
                return Ok(character);
            }
            self.at = here;
        }
        Ok(char::from_u32(u32::from(unit)).unwrap_or('?'))
    }

    fn hex(&mut self) -> Result<u16, InvalidSchema> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4).unwrap_or_default();
        let unit = digits
            .iter()
            .try_fold(0u16, |unit, digit| char::from(*digit).to_digit(16).map(|digit| unit << 4 | digit as u16));
        match unit {
            Some(unit) if !digits.is_empty() => {
                self.at += 4;
                Ok(unit)
            }
            _ => Err(self.unexpected("four hexadecimal digits")),
        }
    }

    fn number(&mut self) -> Result<Value, InvalidSchema> {
        let rest = &self.text.as_bytes()[self.at..];
        let digits = |from: usize| rest[from..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        let sign = usize::from(rest[0] == b'-');
        let whole = digits(sign);
        let mut end = sign + whole;
        if whole > 1 && rest[sign] == b'0' {
            return Err(self.unexpected("a number without leading zeros"));
        }
        let mut fraction = 0;
        if rest.get(end) == Some(&b'.') {
            fraction = digits(end + 1);
            end += 1 + fraction;
            if fraction == 0 {
                return Err(self.unexpected("digits behind the point"));
            }
        }
        let mut exponent = None;
        if let Some(b'e' | b'E') = rest.get(end) {
            let sign = usize::from(matches!(rest.get(end + 1), Some(b'+' | b'-')));
            let count = digits(end + 1 + sign);
            if count == 0 {
                return Err(self.unexpected("digits of the exponent"));
            }
            exponent = Some(end + 1);
            end += 1 + sign + count;
        }
        if let Some(b'a'..=b'z' | b'A'..=b'Z' | b'.' | b'_' | b'-' | b'+') = rest.get(end) {
            return Err(self.unexpected("the end of the number"));
        }
        let text = &self.text[self.at..self.at + end];
        if text.len() > MAX_NUMBER {
            return Err(InvalidSchema::TooComplex(format!("Number of more than {MAX_NUMBER} characters")));
        }
        let exponent = match exponent.map(|at| text[at..].parse::<i32>()) {
            None if fraction == 0 => {
                self.at += end;
                let text = if text == "-0" { "0" } else { text };
                return Ok(Value::Number(Number::from_printed(text)));
            }
            None => 0,
            Some(Ok(exponent)) => i64::from(exponent),
            Some(Err(_)) => return Err(self.unexpected("an exponent of 32 bits")),
        };
        let mantissa = &text[..sign + whole + if fraction > 0 { 1 + fraction } else { 0 }];
        let digits: String = mantissa.chars().filter(char::is_ascii_digit).collect();
        let Some(printed) = decimal(sign == 1, &digits, fraction as i64 - exponent) else {
            return Err(self.unexpected("an exponent of 32 bits"));
        };
        self.at += end;
        Ok(Value::Number(Number::from_printed(printed)))
    }

    fn unexpected(&self, wanted: &str) -> InvalidSchema {
        let before = &self.text.as_bytes()[..self.at.min(self.text.len())];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count();
        let found = match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) => format!("{found:?}"),
            None => "the end of the text".to_owned(),
        };
        InvalidSchema::Syntax(format!("Invalid JSON schema: expected {wanted}, found {found} at {line}:{column}"))
    }
}

/// `BigDecimal.toString` of ±`digits` · 10^-`scale`. `None` when the scale does not fit Java's 32 bits.
fn decimal(negative: bool, digits: &str, scale: i64) -> Option<String> {
    i32::try_from(scale).ok()?;
    let digits = match digits.trim_start_matches('0') {
        "" => "0",
        significant => significant,
    };
    let mut out = String::new();
    if negative && digits != "0" {
        out.push('-');
    }
    let count = digits.len() as i64;
    let adjusted = count - 1 - scale;
    if scale == 0 {
        out.push_str(digits);
    } else if scale > 0 && adjusted >= -6 {
        if scale >= count {
            out.push_str("0.");
            out.extend(std::iter::repeat_n('0', (scale - count) as usize));
            out.push_str(digits);
        } else {
            let point = (count - scale) as usize;
            out.push_str(&digits[..point]);
            out.push('.');
            out.push_str(&digits[point..]);
        }
    } else {
        out.push_str(&digits[..1]);
        if count > 1 {
            out.push('.');
            out.push_str(&digits[1..]);
        }
        if adjusted != 0 {
            // Writing to a string does not fail.
            let _ = write!(out, "E{adjusted:+}");
        }
    }
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_printed_as_the_reference_stores_them() {
        for (text, stored) in [
            (" \n\t {\"a\" : [ 1 , true,null ] } \n ", r#"{"a":[1,true,null]}"#),
            (r#"{"b":1,"a":{"z":2,"y":3}}"#, r#"{"b":1,"a":{"z":2,"y":3}}"#),
            (r#"{"type":"string","x":0,"type":"integer"}"#, r#"{"type":"integer","x":0}"#),
            (r#"{"type":"object"}{"type":"string"}"#, r#"{"type":"object"}"#),
            (r#"{} trailing"#, "{}"),
            (r#"{"d":"<b>&'=\u2028\u2029\/\u0074</b>"}"#, "{\"d\":\"<b>&'=\u{2028}\u{2029}/t</b>\"}"),
            (r#"["\u0001\u001f\b\f\n\r\t\"\\\u007f"]"#, "[\"\\u0001\\u001F\\b\\f\\n\\r\\t\\\"\\\\\u{7f}\"]"),
            (r#"["\ud83d\ude00","\ud83d","\ud83dx\ude00"]"#, "[\"\u{1f600}\",\"?\",\"?x?\"]"),
            ("[NaN,Infinity,-Infinity]", r#"["NaN","Infinity","-Infinity"]"#),
            ("true", "true"),
        ] {
            assert_eq!(print(&parse(text).unwrap()), stored, "{text}");
        }
    }

    #[test]
    fn numbers_are_printed_as_big_decimals() {
        for (text, printed) in [
            ("1", "1"),
            ("1.0", "1.0"),
            ("1e2", "1E+2"),
            ("1E5", "1E+5"),
            ("1e-7", "1E-7"),
            ("1e-6", "0.000001"),
            ("0.10", "0.10"),
            ("1.50", "1.50"),
            ("1e0", "1"),
            ("-0.0", "0.0"),
            ("-0", "0"),
            ("0e3", "0E+3"),
            ("0.00000001", "1E-8"),
            ("123.456e-1", "12.3456"),
            ("1.5e1", "15"),
            ("1.5e3", "1.5E+3"),
            ("-12.5e-20", "-1.25E-19"),
            ("100000000000000000000", "100000000000000000000"),
            ("12345678901234567890.123456789", "12345678901234567890.123456789"),
            ("1e2147483647", "1E+2147483647"),
        ] {
            assert_eq!(print(&parse(text).unwrap()), printed, "{text}");
            assert_eq!(print(&parse(printed).unwrap()), printed, "stable: {text}");
        }
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for text in [
            "",
            " ",
            "{",
            "[1",
            "[1,]",
            "{\"a\":1,}",
            "{'a':1}",
            "{a:1}",
            "\u{feff}{}",
            "{\"a\":01}",
            "[1.]",
            "[.5]",
            "[+1]",
            "[-]",
            "[1e]",
            "[0x1]",
            "[1 2]",
            "// c\n{}",
            "/* c */{}",
            "[tru]",
            "[truex]",
            "5x",
            "\"a",
            "[\"\u{1}\"]",
            "[\"\\x\"]",
            "[\"\\u12\"]",
            "[\"\\uéé\"]",
            "1e2147483648",
            "1e-2147483648.",
            "[1e99999999999]",
            "INF",
        ] {
            assert!(matches!(parse(text), Err(InvalidSchema::Syntax(_))), "{text:?} {:?}", parse(text));
        }
        let refused = parse("{\n  \"a\": x}").unwrap_err().to_string();
        assert_eq!(refused, "Invalid JSON schema: expected a JSON value, found 'x' at 2:8");
    }

    #[test]
    fn size_and_nesting_are_capped() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert!(matches!(parse(&nested(MAX_DEPTH + 1)), Err(InvalidSchema::TooComplex(_))));
        assert!(matches!(parse(&"[".repeat(MAX_BYTES)), Err(InvalidSchema::TooComplex(_))));
        assert!(matches!(parse(&" ".repeat(MAX_BYTES + 1)), Err(InvalidSchema::TooComplex(_))));
        assert!(matches!(parse(&"1".repeat(1001)), Err(InvalidSchema::TooComplex(_))));
    }

    #[test]
    fn sorting_is_by_utf_16_units_at_every_level() {
        let value = parse("{\"b\":[{\"d\":1,\"c\":2}],\"\u{ff61}\":1,\"\u{1f600}\":2,\"B\":{}}").unwrap();
        assert_eq!(print_sorted(&value), "{\"B\":{},\"b\":[{\"c\":2,\"d\":1}],\"\u{1f600}\":2,\"\u{ff61}\":1}");
    }
}
