//! A reader over the bytes of one JSON text, and the two rewritings that error paths need.
//!
//! Nothing is built: the encoder asks for the next token and gets a slice. The text is UTF-8, checked once in
//! front. `compact` renders a value as the reference's error messages quote it (numbers and strings as Jackson
//! and Gson print them); `deduplicated` drops all but the last of equal names, which is what a JSON tree keeps.
//!
//! Invariant: no method moves `at` past the end, none recurses deeper than [`MAX_DEPTH`].

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;

use super::Mismatch;
use super::numbers;

/// Nesting at which a JSON text is no longer looked into. Protobuf messages nest 100 deep, each with at most an array
/// or a map around it; Avro values nest 500 deep.
const MAX_DEPTH: usize = 512;

/// Arrays of one element around a scalar. Each is looked through once more, so this bounds the work.
const MAX_SCALAR_ARRAYS: usize = 16;

/// Bytes of a value that an error message quotes.
const MAX_QUOTED_BYTES: usize = 2_000;

/// A position in a JSON text.
#[derive(Clone, Copy)]
pub(crate) struct Cursor<'j> {
    text: &'j str,
    bytes: &'j [u8],
    /// Offset of the next byte.
    pub(crate) at: usize,
}

/// A string token: what stands between the quotes.
#[derive(Clone, Copy)]
pub(crate) struct Token<'j> {
    /// As written, escapes included.
    pub(crate) raw: &'j str,
    /// Whether there are escapes.
    pub(crate) escaped: bool,
}

impl<'j> Token<'j> {
    /// The text meant. Half of a surrogate pair becomes `?`, as the reference writes it.
    pub(crate) fn text(&self) -> Result<Cow<'j, str>, Mismatch> {
        if self.escaped { unescape(self.raw).map(Cow::Owned) } else { Ok(Cow::Borrowed(self.raw)) }
    }
}

/// Why a value has no text; the encoder decides what that means for the field at hand.
pub(crate) enum NoText {
    /// `null`
    Null,
    /// An object.
    Object,
    /// An array of another size than one.
    Size(usize),
    /// The JSON itself is broken.
    Malformed(Mismatch),
}

impl From<Mismatch> for NoText {
    fn from(mismatch: Mismatch) -> NoText {
        NoText::Malformed(mismatch)
    }
}

impl<'j> Cursor<'j> {
    pub(crate) fn new(json: &'j [u8]) -> Result<Cursor<'j>, Mismatch> {
        match std::str::from_utf8(json) {
            Ok(text) => Ok(Cursor { text, bytes: json, at: 0 }),
            Err(error) => Err(Mismatch(format!("Malformed JSON: not UTF-8 at offset {}", error.valid_up_to()))),
        }
    }

    pub(crate) fn malformed<T>(&self) -> Result<T, Mismatch> {
        Err(Mismatch(format!("Malformed JSON at offset {}", self.at)))
    }

    /// The next byte that is no blank, not consumed; 0 at the end.
    #[inline]
    pub(crate) fn peek(&mut self) -> u8 {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return *byte,
            }
        }
        0
    }

    /// Consumes the byte that [`Cursor::peek`] showed.
    #[inline]
    pub(crate) fn bump(&mut self) {
        self.at += 1;
    }

    /// Consumes `byte` if it comes next.
    #[inline]
    pub(crate) fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == byte;
        self.at += usize::from(found);
        found
    }

    #[inline]
    pub(crate) fn expect(&mut self, byte: u8) -> Result<(), Mismatch> {
        if self.take(byte) { Ok(()) } else { self.malformed() }
    }

    /// Whether only blanks are left.
    pub(crate) fn at_end(&mut self) -> bool {
        self.peek() == 0 && self.at == self.bytes.len()
    }

    /// After an element: whether another follows. Consumes the comma or `close`.
    #[inline]
    pub(crate) fn more(&mut self, close: u8) -> Result<bool, Mismatch> {
        match self.peek() {
            b',' => {
                self.at += 1;
                Ok(true)
            }
            byte if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => self.malformed(),
        }
    }

    /// Consumes a literal, of which the first byte was peeked.
    pub(crate) fn literal(&mut self, word: &str) -> Result<(), Mismatch> {
        if self.bytes[self.at..].starts_with(word.as_bytes()) {
            self.at += word.len();
            Ok(())
        } else {
            self.malformed()
        }
    }

    /// Consumes a string token.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<Token<'j>, Mismatch> {
        self.expect(b'"')?;
        let start = self.at;
        let mut escaped = false;
        loop {
            self.at = special(self.bytes, self.at);
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    let raw = &self.text[start..self.at];
                    self.at += 1;
                    return Ok(Token { raw, escaped });
                }
                Some(b'\\') => {
                    escaped = true;
                    if self.at + 1 >= self.bytes.len() {
                        return self.malformed();
                    }
                    self.at += 2;
                    // The byte behind a backslash is ASCII in any valid escape; unescape() refuses others.
                    if !self.text.is_char_boundary(self.at) {
                        return self.malformed();
                    }
                }
                _ => return self.malformed(),
            }
        }
    }

    /// Consumes a member's name and the colon.
    #[inline]
    pub(crate) fn name(&mut self) -> Result<Token<'j>, Mismatch> {
        let token = self.string()?;
        self.expect(b':')?;
        Ok(token)
    }

    /// Consumes a number token, of which the first byte (`-` or a digit) was peeked. The second part says whether
    /// it has a fraction or an exponent.
    #[inline]
    pub(crate) fn number(&mut self) -> Result<(&'j str, bool), Mismatch> {
        let bytes = self.bytes;
        let start = self.at;
        let mut at = start + usize::from(bytes[start] == b'-');
        let whole = at;
        at = digits(bytes, at);
        let well_formed = at == whole + 1 || (at > whole && bytes[whole] != b'0');
        let mut fractional = false;
        let mut complete = well_formed;
        if bytes.get(at) == Some(&b'.') {
            fractional = true;
            let from = at + 1;
            at = digits(bytes, from);
            complete &= at > from;
        }
        if let Some(b'e' | b'E') = bytes.get(at) {
            fractional = true;
            let from = at + 1 + usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
            at = digits(bytes, from);
            complete &= at > from;
        }
        if !complete {
            return self.malformed();
        }
        self.at = at;
        Ok((&self.text[start..at], fractional))
    }

    /// Consumes one value without looking at it; gives its span.
    pub(crate) fn skip(&mut self) -> Result<Range<usize>, Mismatch> {
        self.peek();
        let start = self.at;
        let mut depth = 0usize;
        loop {
            match self.peek() {
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' if depth > 0 => {
                    depth -= 1;
                    self.at += 1;
                }
                b',' | b':' if depth > 0 => self.at += 1,
                b'"' => {
                    self.string()?;
                }
                b'-' | b'0'..=b'9' => {
                    self.number()?;
                }
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                _ => return self.malformed(),
            }
            if depth == 0 {
                return Ok(start..self.at);
            }
        }
    }

    /// Consumes one value and gives its text as a JSON tree would (`getAsString`): numbers as printed, an array
    /// of one element as that element.
    pub(crate) fn scalar_text(&mut self) -> Result<Cow<'j, str>, NoText> {
        let mut arrays = 0usize;
        while self.peek() == b'[' {
            self.bump();
            let inside = *self;
            let mut size = 0usize;
            if !self.take(b']') {
                loop {
                    self.skip()?;
                    size += 1;
                    if !self.more(b']')? {
                        break;
                    }
                }
            }
            arrays += 1;
            if size != 1 || arrays > MAX_SCALAR_ARRAYS {
                return Err(NoText::Size(size));
            }
            *self = inside;
        }
        let text = match self.peek() {
            b'"' => self.string()?.text()?,
            b'-' | b'0'..=b'9' => {
                let (number, fractional) = self.number()?;
                numbers::jackson(number, fractional)
            }
            b't' => self.literal("true").map(|()| Cow::Borrowed("true"))?,
            b'f' => self.literal("false").map(|()| Cow::Borrowed("false"))?,
            b'n' => {
                self.literal("null")?;
                return Err(NoText::Null);
            }
            b'{' => return Err(NoText::Object),
            _ => return Err(NoText::Malformed(Mismatch(format!("Malformed JSON at offset {}", self.at)))),
        };
        for _ in 0..arrays {
            self.expect(b']')?;
        }
        Ok(text)
    }

    /// The value that starts at `start`, as error messages quote it: compact, cut behind 2,000 bytes.
    pub(crate) fn compact(&self, start: usize) -> String {
        let mut cursor = Cursor { at: start, ..*self };
        let mut out = String::new();
        let mut depth = 0usize;
        loop {
            let token_done = match cursor.peek() {
                open @ (b'{' | b'[') => {
                    depth += 1;
                    cursor.bump();
                    out.push(open as char);
                    Ok(())
                }
                close @ (b'}' | b']') if depth > 0 => {
                    depth -= 1;
                    cursor.bump();
                    out.push(close as char);
                    Ok(())
                }
                between @ (b',' | b':') if depth > 0 => {
                    cursor.bump();
                    out.push(between as char);
                    Ok(())
                }
                b'"' => cursor.string().and_then(|token| token.text()).map(|text| quote(&text, &mut out)),
                b'-' | b'0'..=b'9' => cursor.number().map(|(number, fractional)| {
                    let text = numbers::jackson(number, fractional);
                    if text.ends_with('y') { quote(&text, &mut out) } else { out.push_str(&text) }
                }),
                b't' => cursor.literal("true").map(|()| out.push_str("true")),
                b'f' => cursor.literal("false").map(|()| out.push_str("false")),
                b'n' => cursor.literal("null").map(|()| out.push_str("null")),
                _ => cursor.malformed(),
            };
            if out.len() > MAX_QUOTED_BYTES {
                let mut end = MAX_QUOTED_BYTES;
                while !out.is_char_boundary(end) {
                    end -= 1;
                }
                out.truncate(end);
                out.push('…');
                return out;
            }
            if token_done.is_err() || depth == 0 {
                return out;
            }
        }
    }
}

/// One JSON value as the reference's messages quote it: on one line without blanks, numbers as Java prints them, cut
/// after 2,000 bytes.
pub fn quoted_json(json: &[u8]) -> String {
    match Cursor::new(json) {
        Ok(cursor) => cursor.compact(0),
        Err(_) => String::from_utf8_lossy(json).chars().take(MAX_QUOTED_BYTES).collect(),
    }
}

/// Offset of the next `"`, `\` or control character from `at`, or the end.
#[inline]
fn special(bytes: &[u8], mut at: usize) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    // A byte below 0x20, a quote or a backslash sets its high bit; the lowest set bit is exact.
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*chunk);
        let quote = word ^ (ONES * u64::from(b'"'));
        let slash = word ^ (ONES * u64::from(b'\\'));
        let hits = (word.wrapping_sub(ONES * 0x20) & !word)
            | (quote.wrapping_sub(ONES) & !quote)
            | (slash.wrapping_sub(ONES) & !slash);
        let hits = hits & HIGH;
        if hits != 0 {
            return at + (hits.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    while let Some(byte) = bytes.get(at) {
        if *byte < 0x20 || *byte == b'"' || *byte == b'\\' {
            return at;
        }
        at += 1;
    }
    at
}

#[inline]
fn digits(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    at
}

/// Resolves escapes.
fn unescape(raw: &str) -> Result<String, Mismatch> {
    let bad = || Mismatch("Malformed JSON: bad escape in a text".to_owned());
    let mut out = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(at) = memchr::memchr(b'\\', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        let escape = *rest.as_bytes().get(at + 1).ok_or_else(bad)?;
        rest = rest.get(at + 2..).ok_or_else(bad)?;
        match escape {
            b'"' | b'\\' | b'/' => out.push(escape as char),
            b'b' => out.push('\u{8}'),
            b'f' => out.push('\u{c}'),
            b'n' => out.push('\n'),
            b'r' => out.push('\r'),
            b't' => out.push('\t'),
            b'u' => {
                let unit = hex4(rest).ok_or_else(bad)?;
                rest = &rest[4..];
                let mut scalar = u32::from(unit);
                if (0xd800..0xdc00).contains(&unit)
                    && let Some(low) = rest.strip_prefix("\\u").and_then(hex4)
                    && (0xdc00..0xe000).contains(&low)
                {
                    rest = &rest[6..];
                    scalar = 0x10000 + ((scalar - 0xd800) << 10) + (u32::from(low) - 0xdc00);
                }
                out.push(char::from_u32(scalar).unwrap_or('?'));
            }
            _ => return Err(bad()),
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn hex4(text: &str) -> Option<u16> {
    let digits = text.as_bytes().first_chunk::<4>()?;
    digits.iter().try_fold(0u16, |sum, digit| Some(sum << 4 | (*digit as char).to_digit(16)? as u16))
}

/// Appends `text` as a JSON string the way Gson prints one.
fn quote(text: &str, out: &mut String) {
    out.push('"');
    for char in text.chars() {
        match char {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\t' => out.push_str("\\t"),
            '\u{8}' => out.push_str("\\b"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\u{c}' => out.push_str("\\f"),
            '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => out.push_str(&format!("\\u{:04x}", char as u32)),
            char => out.push(char),
        }
    }
    out.push('"');
}

/// `json` with only the last of equal names in each object, standing where the first stood. `None` when no object
/// has a name twice, or the text is not JSON or nested deeper than any message.
pub(crate) fn deduplicated(json: &[u8]) -> Option<Vec<u8>> {
    let mut rewriting =
        Rewriting { cursor: Cursor::new(json).ok()?, out: Vec::with_capacity(json.len()), dropped: false };
    rewriting.value(0).ok()?;
    (rewriting.dropped && rewriting.cursor.at_end()).then_some(rewriting.out)
}

struct Rewriting<'j> {
    cursor: Cursor<'j>,
    out: Vec<u8>,
    dropped: bool,
}

impl Rewriting<'_> {
    fn value(&mut self, depth: usize) -> Result<(), Mismatch> {
        if depth > MAX_DEPTH {
            return self.cursor.malformed();
        }
        match self.cursor.peek() {
            b'{' => self.object(depth),
            b'[' => {
                self.cursor.bump();
                self.out.push(b'[');
                if !self.cursor.take(b']') {
                    loop {
                        self.value(depth + 1)?;
                        if !self.cursor.more(b']')? {
                            break;
                        }
                        self.out.push(b',');
                    }
                }
                self.out.push(b']');
                Ok(())
            }
            _ => {
                let span = self.cursor.skip()?;
                self.out.extend_from_slice(&self.cursor.bytes[span]);
                Ok(())
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), Mismatch> {
        self.cursor.bump();
        self.out.push(b'{');
        let start = self.out.len();
        // Spans in `out` of the members that stay, each with its comma.
        let mut members: Vec<Range<usize>> = Vec::new();
        let mut seen: HashMap<Cow<'_, str>, usize> = HashMap::new();
        let mut dropped = false;
        if !self.cursor.take(b'}') {
            loop {
                let from = self.out.len();
                let name = self.cursor.name()?;
                self.out.push(b'"');
                self.out.extend_from_slice(name.raw.as_bytes());
                self.out.extend_from_slice(b"\":");
                self.value(depth + 1)?;
                self.out.push(b',');
                let member = from..self.out.len();
                match seen.entry(name.text()?) {
                    std::collections::hash_map::Entry::Occupied(at) => {
                        members[*at.get()] = member;
                        dropped = true;
                    }
                    std::collections::hash_map::Entry::Vacant(free) => {
                        free.insert(members.len());
                        members.push(member);
                    }
                }
                if !self.cursor.more(b'}')? {
                    break;
                }
            }
            if dropped {
                self.dropped = true;
                let kept: Vec<u8> = members.iter().flat_map(|member| &self.out[member.clone()]).copied().collect();
                self.out.truncate(start);
                self.out.extend_from_slice(&kept);
            }
            self.out.pop();
        }
        self.out.push(b'}');
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_of_equal_names_counts_and_stands_where_the_first_stood() {
        let json = br#"{ "a" : 1, "b": {"x":[{"k":1,"\u006b":2}]}, "a":3, "c":[] }"#;
        assert_eq!(
            deduplicated(json).map(|json| String::from_utf8(json).unwrap()).as_deref(),
            Some(r#"{"a":3,"b":{"x":[{"\u006b":2}]},"c":[]}"#)
        );
        assert_eq!(deduplicated(br#"{"a":1,"b":{"a":1}}"#), None);
        assert_eq!(deduplicated(br#"{"a":1,"a":2"#), None);
    }

    #[test]
    fn a_quoted_value_is_compact_with_numbers_and_texts_as_the_reference_prints_them() {
        let json =
            r#" { "a" : [ 1.10 , 1e2, "x\/\u00e9" , null, true, { "k" : -0 } ], "b": 1e400, "c":"\u0001\u2028<" }"#;
        let cursor = Cursor::new(json.as_bytes()).unwrap();
        assert_eq!(
            cursor.compact(0),
            r#"{"a":[1.1,100.0,"x/é",null,true,{"k":0}],"b":"Infinity","c":"\u0001\u2028<"}"#
        );
    }

    #[test]
    fn a_long_value_is_quoted_only_in_part() {
        let json = format!("\"{}\"", "é".repeat(5_000));
        let quoted = Cursor::new(json.as_bytes()).unwrap().compact(0);
        assert!(quoted.len() < 2_010 && quoted.ends_with('…'), "{} bytes", quoted.len());
    }

    #[test]
    fn half_a_surrogate_pair_is_a_question_mark() {
        for (raw, text) in [("\\ud83d\\ude00", "😀"), ("\\ud800", "?"), ("\\ud800x", "?x"), ("\\ude00\\ud83d", "??")]
        {
            assert_eq!(Token { raw, escaped: true }.text().unwrap(), text, "{raw}");
        }
    }

    #[test]
    fn deep_nesting_ends_without_deep_recursion() {
        let json = "[".repeat(1_000_000);
        let mut cursor = Cursor::new(json.as_bytes()).unwrap();
        assert!(cursor.skip().is_err());
        assert!(deduplicated(json.as_bytes()).is_none());
    }
}
