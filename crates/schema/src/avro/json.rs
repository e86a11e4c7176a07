//! JSON as Avro schemas are written in it, read and printed as the reference's JSON library does.
//!
//! Comments are blanks; of equal keys the last value counts and the first place is kept; numbers are integers of any
//! size or doubles. Reading is bounded by [`MAX_DEPTH`]; so is everything that walks a value. Below `parse`, above
//! nothing; defaults and properties of the model are values of this kind.
//!
//! Source: Jackson 2.x `ReaderBasedJsonParser` with `ALLOW_COMMENTS`, `JsonNodeDeserializer`, `JsonNode#toString`.

use std::collections::HashMap;

use crate::InvalidSchema;
use crate::payload::print;
use crate::weight::Heap;

/// Deepest nesting of objects and lists.
pub const MAX_DEPTH: usize = 256;

/// Longest number, bytes, as in the reference's JSON library.
const MAX_NUMBER_BYTES: usize = 1000;

/// A JSON value.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number without fraction and exponent that fits.
    Integer(i64),
    /// One that does not fit, as written.
    Big(String),
    /// A number with fraction or exponent.
    Double(f64),
    /// Unescaped. Half a surrogate pair is `?`, as Java writes it.
    Text(String),
    /// `[…]`
    List(Vec<Json>),
    /// `{…}`, each key once.
    Object(Vec<(String, Json)>),
}

impl Heap for Json {
    fn heap_bytes(&self) -> usize {
        match self {
            Json::Big(text) | Json::Text(text) => text.heap_bytes(),
            Json::List(items) => items.heap_bytes(),
            Json::Object(entries) => entries.heap_bytes(),
            Json::Null | Json::Bool(_) | Json::Integer(_) | Json::Double(_) => 0,
        }
    }
}

impl Json {
    /// The value of `key`, if this is an object that has it.
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(entries) => entries.iter().find(|(name, _)| name == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The text, if this is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Json::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether both say the same: the order of keys does not count, NaN equals NaN.
    pub fn same(&self, other: &Json) -> bool {
        match (self, other) {
            (Json::Double(a), Json::Double(b)) => a.to_bits() == b.to_bits() || (a.is_nan() && b.is_nan()),
            (Json::List(a), Json::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Json::Object(a), Json::Object(b)) => same_entries(a, b),
            _ => self == other,
        }
    }

    /// Appends the value without blanks, keys in their order.
    pub fn print(&self, out: &mut Vec<u8>) {
        match self {
            Json::Null => out.extend_from_slice(b"null"),
            Json::Bool(true) => out.extend_from_slice(b"true"),
            Json::Bool(false) => out.extend_from_slice(b"false"),
            Json::Integer(value) => out.extend_from_slice(itoa::Buffer::new().format(*value).as_bytes()),
            Json::Big(digits) => out.extend_from_slice(digits.as_bytes()),
            Json::Double(value) => print::double(*value, out),
            Json::Text(text) => print::text(text, out),
            Json::List(items) => {
                out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    item.print(out);
                }
                out.push(b']');
            }
            Json::Object(entries) => {
                out.push(b'{');
                for (at, (name, value)) in entries.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    print::text(name, out);
                    out.push(b':');
                    value.print(out);
                }
                out.push(b'}');
            }
        }
    }

    /// How deep lists and objects nest: 0 for what holds nothing.
    pub fn depth(&self) -> usize {
        match self {
            Json::List(items) => 1 + items.iter().map(Json::depth).max().unwrap_or(0),
            Json::Object(entries) => 1 + entries.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            _ => 0,
        }
    }
}

impl std::fmt::Display for Json {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut out = Vec::new();
        self.print(&mut out);
        f.write_str(&String::from_utf8_lossy(&out))
    }
}

/// Whether both hold the same keys with the same values, in any order. Keys are distinct on each side.
pub fn same_entries(a: &[(String, Json)], b: &[(String, Json)]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    if a.iter().zip(b).all(|((a, _), (b, _))| a == b) {
        return a.iter().zip(b).all(|((_, a), (_, b))| a.same(b));
    }
    let by_key: HashMap<&str, &Json> = b.iter().map(|(name, value)| (name.as_str(), value)).collect();
    a.iter().all(|(name, value)| by_key.get(name.as_str()).is_some_and(|other| value.same(other)))
}

/// The first value in `text`, and what stands behind it.
pub fn read(text: &str) -> Result<(Json, &str), InvalidSchema> {
    let mut reader = Reader { text, at: 0, starts: Vec::new() };
    reader.blanks()?;
    if reader.peek().is_none() {
        return Err(InvalidSchema::Syntax("Cannot parse <null> schema".to_owned()));
    }
    let value = reader.value(0)?;
    Ok((value, &text[reader.at..]))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    /// Where the objects and lists start that are not closed yet.
    starts: Vec<usize>,
}

/// What may stand where a value is due.
const VALUES: &str = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')";
/// Most characters of a word that is quoted.
const MAX_WORD: usize = 256;

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Skips blanks and comments.
    fn blanks(&mut self) -> Result<(), InvalidSchema> {
        loop {
            match self.peek() {
                Some(b' ' | b'\t' | b'\r' | b'\n') => self.at += 1,
                Some(b'/') => match self.text.as_bytes().get(self.at + 1) {
                    Some(b'/') => {
                        let rest = &self.text[self.at..];
                        self.at += rest.find(['\n', '\r']).unwrap_or(rest.len());
                    }
                    Some(b'*') => match self.text[self.at + 2..].find("*/") {
                        Some(length) => self.at += length + 4,
                        None => return Err(self.ended(" in a comment")),
                    },
                    _ => {
                        self.at += 1;
                        return Err(self.unexpected("was expecting either '*' or '/' for a comment"));
                    }
                },
                _ => return Ok(()),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, InvalidSchema> {
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.list(depth + 1),
            Some(b'"') => {
                self.string(": was expecting closing quote for a string value", "string value").map(Json::Text)
            }
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(b'}') => Err(self.unexpected("expected a value")),
            Some(_) if self.rest().starts_with(starts_word) => Err(self.unknown_word()),
            Some(_) => Err(self.unexpected(&format!("expected a valid value {VALUES}"))),
            None if depth == 0 => Err(self.ended("")),
            None => Err(self.ended_within()),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, InvalidSchema> {
        self.enter(depth)?;
        let mut items = Vec::new();
        if self.is_empty(b']')? {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth)?);
            self.blanks()?;
            if self.ends(b']')? {
                return Ok(Json::List(items));
            }
        }
    }

    fn object(&mut self, depth: usize) -> Result<Json, InvalidSchema> {
        self.enter(depth)?;
        let mut entries = Entries::default();
        if self.is_empty(b'}')? {
            return Ok(Json::Object(entries.list));
        }
        loop {
            match self.peek() {
                Some(b'"') => {}
                Some(_) => return Err(self.unexpected("was expecting double-quote to start field name")),
                None => return Err(self.ended_within()),
            }
            let name = self.string(" in field name", "name")?;
            self.blanks()?;
            match self.peek() {
                Some(b':') => {}
                Some(_) => return Err(self.unexpected("was expecting a colon to separate field name and value")),
                None => return Err(self.ended_within()),
            }
            self.at += 1;
            self.blanks()?;
            let value = self.value(depth)?;
            entries.put(name, value);
            self.blanks()?;
            if self.ends(b'}')? {
                return Ok(Json::Object(entries.list));
            }
        }
    }

    fn enter(&mut self, depth: usize) -> Result<(), InvalidSchema> {
        if depth > MAX_DEPTH {
            return Err(too_deep());
        }
        self.starts.push(self.at);
        self.at += 1;
        self.blanks()
    }

    /// Whether the closing bracket comes; past a comma otherwise.
    fn ends(&mut self, close: u8) -> Result<bool, InvalidSchema> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                self.blanks()?;
                Ok(false)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                self.starts.pop();
                Ok(true)
            }
            Some(b'}' | b']') => Err(self.mismatched(close)),
            Some(_) => {
                let expected = format!("was expecting comma to separate {} entries", self.innermost());
                Err(self.unexpected(&expected))
            }
            None => Err(self.not_closed()),
        }
    }

    /// Whether an object or list that was just opened closes at once.
    fn is_empty(&mut self, close: u8) -> Result<bool, InvalidSchema> {
        match self.peek() {
            Some(byte) if byte == close => self.ends(close),
            Some(b'}' | b']') => Err(self.mismatched(close)),
            None => Err(self.not_closed()),
            Some(_) => Ok(false),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, InvalidSchema> {
        if !self.rest().starts_with(word) || self.rest()[word.len()..].starts_with(continues_word) {
            return Err(self.unknown_word());
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Json, InvalidSchema> {
        let start = self.at;
        let mut expected = "expected digit (0-9) to start numeric value";
        if self.peek() == Some(b'-') {
            self.at += 1;
            expected = "expected digit (0-9) to follow minus sign, for valid numeric value";
        }
        let integer = self.digits(expected)?;
        if integer > 1 && self.text.as_bytes()[self.at - integer] == b'0' {
            return Err(self.refuse("Invalid numeric value: Leading zeroes not allowed"));
        }
        let mut is_fractional = false;
        if self.peek() == Some(b'.') {
            self.at += 1;
            is_fractional = true;
            self.digits("Decimal point not followed by a digit")?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            is_fractional = true;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits("Exponent indicator not followed by a digit")?;
        }
        let number = &self.text[start..self.at];
        if number.len() > MAX_NUMBER_BYTES {
            return Err(InvalidSchema::TooComplex(format!("A number is longer than {MAX_NUMBER_BYTES} characters")));
        }
        if is_fractional {
            return number.parse().map(Json::Double).map_err(|_| self.refuse("Invalid numeric value"));
        }
        Ok(number.parse().map_or_else(|_| Json::Big(number.to_owned()), Json::Integer))
    }

    /// How many digits stand here; `expected` is said where there is none.
    fn digits(&mut self, expected: &str) -> Result<usize, InvalidSchema> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Err(match self.rest().chars().next() {
                Some(c) => {
                    self.refuse(&format!("Unexpected character ({}) in numeric value: {expected}", described(c)))
                }
                None => self.ended(" within number"),
            });
        }
        Ok(self.at - start)
    }

    /// A text in quotes: `unended` is said where the document ends within it, `what` is its kind.
    fn string(&mut self, unended: &str, what: &str) -> Result<String, InvalidSchema> {
        self.at += 1;
        let mut text = String::new();
        let mut from = self.at;
        loop {
            let Some(byte) = self.peek() else { return Err(self.ended(unended)) };
            match byte {
                b'"' => {
                    text.push_str(&self.text[from..self.at]);
                    self.at += 1;
                    return Ok(text);
                }
                b'\\' => {
                    text.push_str(&self.text[from..self.at]);
                    self.at += 1;
                    text.push(self.escape()?);
                    from = self.at;
                }
                0..0x20 => {
                    let (found, rule) = (described(char::from(byte)), "has to be escaped using backslash");
                    return Err(
                        self.refuse(&format!("Illegal unquoted character ({found}): {rule} to be included in {what}"))
                    );
                }
                _ => self.at += 1,
            }
        }
    }

    fn escape(&mut self) -> Result<char, InvalidSchema> {
        let escaped = match self.peek() {
            Some(b'u') => {
                self.at += 1;
                return self.unicode();
            }
            Some(byte @ (b'"' | b'\\' | b'/')) => char::from(byte),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(_) => {
                let found = self.rest().chars().next().map(described).unwrap_or_default();
                return Err(self.refuse(&format!("Unrecognized character escape {found}")));
            }
            None => return Err(self.ended(" in character escape sequence")),
        };
        self.at += 1;
        Ok(escaped)
    }

    fn unicode(&mut self) -> Result<char, InvalidSchema> {
        let first = self.hex()?;
        if !(0xD800..0xDC00).contains(&first) || !self.text[self.at..].starts_with("\\u") {
            return Ok(char::from_u32(first).unwrap_or('?'));
        }
        let back = self.at;
        self.at += 2;
        let second = self.hex()?;
        if !(0xDC00..0xE000).contains(&second) {
            self.at = back;
            return Ok('?');
        }
        Ok(char::from_u32(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)).unwrap_or('?'))
    }

    fn hex(&mut self) -> Result<u32, InvalidSchema> {
        let digits = self.text.get(self.at..self.at + 4).filter(|digits| digits.bytes().all(|b| b.is_ascii_hexdigit()));
        let value = digits.and_then(|digits| u32::from_str_radix(digits, 16).ok());
        let value = value.ok_or_else(|| {
            self.at += self.rest().bytes().take_while(u8::is_ascii_hexdigit).count();
            match self.peek() {
                Some(_) => self.unexpected("expected a hex-digit for character escape sequence"),
                None => self.ended(" in character escape sequence"),
            }
        })?;
        self.at += 4;
        Ok(value)
    }

    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    /// What is open: `Object`, `Array`, or `root`.
    fn innermost(&self) -> &'static str {
        match self.starts.last().map(|start| self.text.as_bytes()[*start]) {
            Some(b'{') => "Object",
            Some(_) => "Array",
            None => "root",
        }
    }

    /// A character that cannot stand here.
    fn unexpected(&self, expected: &str) -> InvalidSchema {
        let Some(found) = self.rest().chars().next() else { return self.ended("") };
        if found < ' ' {
            return self.refuse(&format!(
                "Illegal character ({}): only regular white space (\\r, \\n, \\t) is allowed between tokens",
                described(found)
            ));
        }
        self.refuse(&format!("Unexpected character ({}): {expected}", described(found)))
    }

    /// A word that is neither `null` nor a boolean; past it.
    fn unknown_word(&mut self) -> InvalidSchema {
        let word: String = self.rest().chars().take_while(|c| continues_word(*c)).take(MAX_WORD).collect();
        self.at += word.len();
        let more = if self.rest().starts_with(continues_word) { "..." } else { "" };
        self.refuse(&format!("Unrecognized token '{word}{more}': was expecting {VALUES}"))
    }

    /// A bracket that closes something else than what is open.
    fn mismatched(&self, close: u8) -> InvalidSchema {
        let found = self.rest().chars().next().unwrap_or_default();
        let (close, what, start) = (char::from(close), self.innermost(), self.start());
        self.refuse(&format!("Unexpected close marker '{found}': expected '{close}' (for {what} starting at {start})"))
    }

    /// The text ends where what is open could.
    fn not_closed(&self) -> InvalidSchema {
        let (what, start) = (self.innermost(), self.start());
        self.ended(&format!(": expected close marker for {what} (start marker at {start})"))
    }

    /// The text ends behind a comma, a name or a colon.
    fn ended_within(&self) -> InvalidSchema {
        self.ended(&format!(" within/between {} entries", self.innermost()))
    }

    fn ended(&self, what: &str) -> InvalidSchema {
        self.located("io.JsonEOFException", &format!("Unexpected end-of-input{what}"))
    }

    fn refuse(&self, what: &str) -> InvalidSchema {
        self.located("JsonParseException", what)
    }

    /// In the words of the reference's JSON library, which clients see there.
    fn located(&self, exception: &str, what: &str) -> InvalidSchema {
        let place = self.place(self.at);
        InvalidSchema::Syntax(format!("com.fasterxml.jackson.core.{exception}: {what}\n at {place}"))
    }

    /// Where the innermost object or list starts.
    fn start(&self) -> String {
        self.place(self.starts.last().copied().unwrap_or_default())
    }

    fn place(&self, at: usize) -> String {
        let before = &self.text[..at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().encode_utf16().count() + 1;
        let source = "Source: REDACTED (`StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION` disabled)";
        format!("[{source}; line: {line}, column: {column}]")
    }
}

/// Whether Java lets an identifier start so.
fn starts_word(c: char) -> bool {
    c.is_alphabetic() || c == '_' || c == '$'
}

fn continues_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// A character as the reference's JSON library quotes it.
fn described(c: char) -> String {
    let code = c as u32;
    match code {
        _ if c.is_control() => format!("(CTRL-CHAR, code {code})"),
        256.. => format!("'{c}' (code {code} / 0x{code:x})"),
        _ => format!("'{c}' (code {code})"),
    }
}

/// A value nests too deeply to be walked.
pub(super) fn too_deep() -> InvalidSchema {
    InvalidSchema::TooComplex(format!("The schema nests deeper than {MAX_DEPTH} levels of JSON"))
}

/// Entries of an object; an index from where looking through them gets slow.
#[derive(Default)]
struct Entries {
    list: Vec<(String, Json)>,
    index: HashMap<String, usize>,
}

impl Entries {
    const INDEXED: usize = 16;

    fn put(&mut self, name: String, value: Json) {
        if self.list.len() == Self::INDEXED {
            self.index = self.list.iter().enumerate().map(|(at, (name, _))| (name.clone(), at)).collect();
        }
        let known = match self.list.len() {
            0..Self::INDEXED => self.list.iter().position(|(known, _)| *known == name),
            _ => self.index.get(&name).copied(),
        };
        match known {
            Some(at) => self.list[at].1 = value,
            None => {
                if self.list.len() >= Self::INDEXED {
                    self.index.insert(name.clone(), self.list.len());
                }
                self.list.push((name, value));
            }
        }
    }
}
