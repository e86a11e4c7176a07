//! JSON of request bodies, read as leniently and as strictly as the reference reads it.
//!
//! One document, nothing behind it; duplicate names are kept (the last wins when decoded); numbers keep their text;
//! NaN and infinities are read. Bounded: nesting, length of names and numbers, and the number of values, so that a
//! body cannot take more than a small multiple of its own size. No recursion.
//!
//! Source: Jackson 2.x `StreamReadConstraints` and `JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS`, recordings `bad-*`.

use std::borrow::Cow;

use crate::error::HttpError;

/// Deepest nesting.
pub const MAX_DEPTH: usize = 1000;
/// Longest name of a field, bytes.
pub const MAX_NAME_BYTES: usize = 50_000;
/// Longest number, bytes.
pub const MAX_NUMBER_BYTES: usize = 1000;
/// Most values in one document.
pub const MAX_VALUES: usize = 500_000;

/// A JSON value. Texts borrow from the body where they hold no escapes.
#[derive(Debug, Clone, PartialEq)]
pub enum Json<'a> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// As written.
    Number(&'a str),
    /// Unescaped. Half a surrogate pair is `?`, as Java writes it.
    Text(Cow<'a, str>),
    /// `[…]`
    List(Vec<Json<'a>>),
    /// `{…}` in order, duplicates kept.
    Object(Vec<(Cow<'a, str>, Json<'a>)>),
}

/// A list or object that is not closed yet: where it starts, what it holds, and the name of the value that is due.
enum Open<'a> {
    List(usize, Vec<Json<'a>>),
    Object(usize, Vec<(Cow<'a, str>, Json<'a>)>, Cow<'a, str>),
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    values: usize,
}

/// The document in `text`; `None` if there is nothing but blanks.
pub fn parse(text: &str) -> Result<Option<Json<'_>>, HttpError> {
    let mut reader = Reader { text, at: 0, values: 0 };
    reader.blanks();
    if reader.peek().is_none() {
        return Ok(None);
    }
    let value = reader.document()?;
    reader.blanks();
    match reader.peek() {
        None => Ok(Some(value)),
        Some(_) => Err(reader.refuse("text after the end of the document")),
    }
}

impl<'a> Reader<'a> {
    fn document(&mut self) -> Result<Json<'a>, HttpError> {
        let mut open: Vec<Open<'a>> = Vec::new();
        loop {
            // A value is due.
            self.blanks();
            self.values += 1;
            if self.values > MAX_VALUES {
                return Err(self.refuse("too many values"));
            }
            let start = self.at;
            let mut value = match self.peek() {
                Some(b'{') => {
                    self.at += 1;
                    self.blanks();
                    if self.peek() == Some(b'}') {
                        self.at += 1;
                        Json::Object(Vec::new())
                    } else {
                        let name = self.name(|reader| reader.not_closed("Object", start))?;
                        self.enter(&mut open, Open::Object(start, Vec::new(), name))?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.at += 1;
                    self.blanks();
                    if self.peek() == Some(b']') {
                        self.at += 1;
                        Json::List(Vec::new())
                    } else {
                        self.enter(&mut open, Open::List(start, Vec::new()))?;
                        continue;
                    }
                }
                _ => self.scalar(&open)?,
            };
            // A value is there: it closes what it can.
            loop {
                let Some(parent) = open.last_mut() else { return Ok(value) };
                self.blanks();
                let next = self.peek();
                match parent {
                    Open::List(start, items) => {
                        items.push(value);
                        match next {
                            Some(b',') => {
                                self.at += 1;
                                break;
                            }
                            Some(b']') => {
                                self.at += 1;
                                value = Json::List(std::mem::take(items));
                                open.pop();
                            }
                            None => return Err(self.not_closed("Array", *start)),
                            Some(_) => return Err(self.unexpected("was expecting comma to separate Array entries")),
                        }
                    }
                    Open::Object(start, fields, name) => {
                        fields.push((std::mem::take(name), value));
                        match next {
                            Some(b',') => {
                                self.at += 1;
                                self.blanks();
                                *name = self.name(|reader| reader.ended_within("Object"))?;
                                break;
                            }
                            Some(b'}') => {
                                self.at += 1;
                                value = Json::Object(std::mem::take(fields));
                                open.pop();
                            }
                            None => return Err(self.not_closed("Object", *start)),
                            Some(_) => return Err(self.unexpected("was expecting comma to separate Object entries")),
                        }
                    }
                }
            }
        }
    }

    fn enter(&self, open: &mut Vec<Open<'a>>, level: Open<'a>) -> Result<(), HttpError> {
        if open.len() >= MAX_DEPTH {
            return Err(HttpError::BadBody(format!(
                "Document nesting depth ({}) exceeds the maximum allowed ({MAX_DEPTH})",
                open.len() + 1
            )));
        }
        open.push(level);
        Ok(())
    }

    /// A field's name and its colon. `ended` refuses a text that ends before the name.
    fn name(&mut self, ended: impl Fn(&Self) -> HttpError) -> Result<Cow<'a, str>, HttpError> {
        match self.peek() {
            Some(b'"') => {}
            None => return Err(ended(self)),
            Some(_) => return Err(self.unexpected("was expecting double-quote to start field name")),
        }
        let name = self.string("'\"' for name")?;
        if name.len() > MAX_NAME_BYTES {
            return Err(HttpError::BadBody(format!(
                "Name length ({}) exceeds the maximum allowed ({MAX_NAME_BYTES})",
                name.len()
            )));
        }
        self.blanks();
        match self.peek() {
            Some(b':') => {
                self.at += 1;
                Ok(name)
            }
            None => Err(self.ended_within("Object")),
            Some(_) => Err(self.unexpected("was expecting a colon to separate field name and value")),
        }
    }

    fn scalar(&mut self, open: &[Open<'a>]) -> Result<Json<'a>, HttpError> {
        match self.peek() {
            Some(b'"') => self.string("quote for a string value").map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b'a'..=b'z' | b'A'..=b'Z') => self.word(),
            None => Err(self.ended(open)),
            Some(_) => Err(self.unexpected("expected a value")),
        }
    }

    fn word(&mut self) -> Result<Json<'a>, HttpError> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_') {
            self.at += 1;
        }
        match &self.text[start..self.at] {
            "null" => Ok(Json::Null),
            "true" => Ok(Json::Bool(true)),
            "false" => Ok(Json::Bool(false)),
            word @ ("NaN" | "Infinity" | "INF") => Ok(Json::Number(word)),
            word => {
                let word: String = word.chars().take(64).collect();
                Err(HttpError::BadBody(format!(
                    "Unrecognized token '{word}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')"
                )))
            }
        }
    }

    fn number(&mut self) -> Result<Json<'a>, HttpError> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
            if let Some(word) = ["Infinity", "INF"].into_iter().find(|word| self.text[self.at..].starts_with(word)) {
                self.at += word.len();
                return Ok(Json::Number(&self.text[start..self.at]));
            }
        }
        let whole = self.digits();
        if whole == 0 {
            return Err(self.number_unexpected());
        }
        if whole > 1 && self.text.as_bytes()[self.at - whole] == b'0' {
            return Err(HttpError::BadBody("Invalid numeric value: Leading zeroes not allowed".to_owned()));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(self.number_unexpected());
            }
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(self.number_unexpected());
            }
        }
        if self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.') {
            return Err(self.unexpected("Expected space separating root-level values"));
        }
        if self.at - start > MAX_NUMBER_BYTES {
            return Err(HttpError::BadBody(format!(
                "Number value length ({}) exceeds the maximum allowed ({MAX_NUMBER_BYTES})",
                self.at - start
            )));
        }
        Ok(Json::Number(&self.text[start..self.at]))
    }

    fn digits(&mut self) -> usize {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - start
    }

    /// A text in quotes; `closing` says what is missing where the document ends within it.
    fn string(&mut self, closing: &str) -> Result<Cow<'a, str>, HttpError> {
        self.at += 1;
        let start = self.at;
        let bytes = self.text.as_bytes();
        let mut owned: Option<String> = None;
        let mut plain = start;
        loop {
            match bytes.get(self.at) {
                None => {
                    return Err(HttpError::BadBody(format!(
                        "Unexpected end-of-input: was expecting closing {closing}"
                    )));
                }
                Some(b'"') => {
                    let tail = &self.text[plain..self.at];
                    self.at += 1;
                    return Ok(match owned {
                        None => Cow::Borrowed(tail),
                        Some(mut text) => {
                            text.push_str(tail);
                            Cow::Owned(text)
                        }
                    });
                }
                Some(b'\\') => {
                    let text = owned.get_or_insert_with(String::new);
                    text.push_str(&self.text[plain..self.at]);
                    self.at += 1;
                    let unescaped = self.escape()?;
                    text.push(unescaped);
                    plain = self.at;
                }
                Some(byte) if *byte < 0x20 => {
                    return Err(HttpError::BadBody(format!(
                        "Illegal unquoted character ((CTRL-CHAR, code {byte})): has to be escaped using backslash to be included in string value"
                    )));
                }
                Some(_) => self.at += 1,
            }
        }
    }

    /// The character behind a backslash.
    fn escape(&mut self) -> Result<char, HttpError> {
        let byte = self.peek();
        self.at += 1;
        Ok(match byte {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => {
                let first = self.hex4()?;
                if (0xd800..0xdc00).contains(&first) && self.text[self.at..].starts_with("\\u") {
                    let back = self.at;
                    self.at += 2;
                    let second = self.hex4()?;
                    if (0xdc00..0xe000).contains(&second) {
                        let joined = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                        return Ok(char::from_u32(joined).unwrap_or('?'));
                    }
                    self.at = back;
                }
                char::from_u32(first).unwrap_or('?')
            }
            None => return Err(HttpError::BadBody("Unexpected end-of-input in character escape sequence".to_owned())),
            Some(_) => {
                self.at -= 1;
                return Err(self.refuse("Unrecognized character escape"));
            }
        })
    }

    fn hex4(&mut self) -> Result<u32, HttpError> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4);
        let value = digits.and_then(|digits| {
            digits.iter().try_fold(0u32, |value, byte| Some(value << 4 | (*byte as char).to_digit(16)?))
        });
        self.at += 4;
        value
            .ok_or_else(|| HttpError::BadBody("Unexpected character: expected a hex-digit for character escape".into()))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// `what`, and where.
    fn refuse(&self, what: &str) -> HttpError {
        let (line, column) = self.place(self.at);
        HttpError::BadBody(format!("{what} at line {line}, column {column}"))
    }

    fn unexpected(&self, expected: &str) -> HttpError {
        let Some(found) = self.text.get(self.at..).and_then(|rest| rest.chars().next()) else {
            return self.refuse("Unexpected end-of-input");
        };
        let code = found as u32;
        HttpError::BadBody(if code < 0x20 {
            format!(
                "Illegal character ((CTRL-CHAR, code {code})): only regular white space (\\r, \\n, \\t) is allowed between tokens"
            )
        } else {
            format!("Unexpected character ('{found}' (code {code})): {expected}")
        })
    }

    fn number_unexpected(&self) -> HttpError {
        self.unexpected("Expected digit in numeric value")
    }

    /// The document ends where a value is due.
    fn ended(&self, open: &[Open<'a>]) -> HttpError {
        match open.last() {
            Some(Open::List(..)) => self.ended_within("Array"),
            Some(Open::Object(..)) => self.ended_within("Object"),
            None => self.refuse("Unexpected end-of-input"),
        }
    }

    /// The document ends behind a comma or colon.
    fn ended_within(&self, what: &str) -> HttpError {
        HttpError::BadBody(format!("Unexpected end-of-input within/between {what} entries"))
    }

    /// The document ends where `what`, which starts there, could.
    fn not_closed(&self, what: &str, start: usize) -> HttpError {
        let (line, column) = self.place(start);
        HttpError::BadBody(format!(
            "Unexpected end-of-input: expected close marker for {what} (start marker at [Source: REDACTED \
             (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, column: {column}])"
        ))
    }

    /// Line and column, in bytes, both from 1.
    fn place(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        (line, before.len() - before.rfind('\n').map_or(0, |at| at + 1) + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(s: &str) -> Json<'_> {
        Json::Text(Cow::Borrowed(s))
    }

    #[test]
    fn a_document_keeps_order_duplicates_and_the_text_of_numbers() {
        let json = parse(" {\"a\": [1, -2.50e+3, true, null], \"b\": {}, \"a\": []} ").unwrap().unwrap();
        let list = Json::List(vec![Json::Number("1"), Json::Number("-2.50e+3"), Json::Bool(true), Json::Null]);
        let expected = Json::Object(vec![
            ("a".into(), list),
            ("b".into(), Json::Object(vec![])),
            ("a".into(), Json::List(vec![])),
        ]);
        assert_eq!(json, expected);
    }

    #[test]
    fn escapes_are_resolved_and_half_pairs_become_question_marks() {
        let json = parse(r#"["\u00fc\n\"", "\ud83d\ude00", "\ud800", "\ud800\u0041", "plain"]"#).unwrap().unwrap();
        assert_eq!(json, Json::List(vec![text("ü\n\""), text("😀"), text("?"), text("?A"), text("plain")]));
    }

    #[test]
    fn blanks_are_no_document_and_non_numeric_numbers_are_numbers() {
        assert_eq!(parse(" \n\t").unwrap(), None);
        let expected = Json::List(vec![Json::Number("NaN"), Json::Number("-Infinity")]);
        assert_eq!(parse("[NaN, -Infinity]").unwrap().unwrap(), expected);
    }

    #[test]
    fn what_is_not_json_is_refused() {
        for bad in [
            "{",
            "[",
            "[1,",
            "[1,]",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{'a':1}",
            "1 2",
            "{} x",
            "01",
            "1.",
            "1e",
            "-",
            "+1",
            ".5",
            "nul",
            "\"\n\"",
            "\"\\x\"",
            "\"\\u12g4\"",
            "\"abc",
            "// c\n1",
            "[1 2]",
            "{\"a\" 1}",
            "\u{0}",
            "1x",
        ] {
            assert!(matches!(parse(bad), Err(HttpError::BadBody(_))), "{bad:?}");
        }
    }

    #[test]
    fn a_document_that_ends_early_is_told_as_jackson_tells_it() {
        let said = |text: &str| parse(text).unwrap_err().wire().message.into_owned();
        let not_closed = |what, line, column| {
            format!(
                "Unexpected end-of-input: expected close marker for {what} (start marker at [Source: REDACTED \
                 (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled); line: {line}, column: {column}])"
            )
        };
        // From the recording of `bad-bodies-lookup`, step 6.
        assert_eq!(said("{"), not_closed("Object", 1, 1));
        assert_eq!(said("{\"a\": [{}, []],\n \"b\": {\"c\": 1"), not_closed("Object", 2, 7));
        assert_eq!(said("[1"), not_closed("Array", 1, 1));
        let said_plainly = [
            ("{\"a\":1,", "Unexpected end-of-input within/between Object entries"),
            ("{\"a\"", "Unexpected end-of-input within/between Object entries"),
            ("[1,", "Unexpected end-of-input within/between Array entries"),
            ("{\"a\":\"b", "Unexpected end-of-input: was expecting closing quote for a string value"),
            ("{\"a", "Unexpected end-of-input: was expecting closing '\"' for name"),
        ];
        for (text, expected) in said_plainly {
            assert_eq!(said(text), expected, "{text}");
        }
    }

    #[test]
    fn bounds_hold_and_deep_nesting_takes_no_stack() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert!(parse(&nested(MAX_DEPTH + 2)).is_err());
        assert!(parse(&"[".repeat(5_000_000)).is_err());
        assert!(parse(&"1".repeat(MAX_NUMBER_BYTES + 1)).is_err());
        assert!(parse(&format!("{{\"{}\":1}}", "n".repeat(MAX_NAME_BYTES + 1))).is_err());
        assert!(parse(&format!("[{}1]", "1,".repeat(MAX_VALUES))).is_err());
    }
}
