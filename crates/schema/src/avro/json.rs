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
    let mut reader = Reader { text, at: 0 };
    reader.blanks()?;
    let value = reader.value(0)?;
    Ok((value, &text[reader.at..]))
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

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
                        None => return Err(self.refuse("a comment does not end")),
                    },
                    _ => return Err(self.refuse("a comment starts with // or /*")),
                },
                _ => return Ok(()),
            }
        }
    }

    fn value(&mut self, depth: usize) -> Result<Json, InvalidSchema> {
        match self.peek() {
            Some(b'{') => self.object(depth + 1),
            Some(b'[') => self.list(depth + 1),
            Some(b'"') => self.string().map(Json::Text),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.word("true", Json::Bool(true)),
            Some(b'f') => self.word("false", Json::Bool(false)),
            Some(b'n') => self.word("null", Json::Null),
            Some(_) => Err(self.refuse("a JSON value is expected here")),
            None => Err(self.refuse("the text ends where a value is expected")),
        }
    }

    fn list(&mut self, depth: usize) -> Result<Json, InvalidSchema> {
        self.enter(depth)?;
        let mut items = Vec::new();
        if self.peek() == Some(b']') {
            self.at += 1;
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
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(Json::Object(entries.list));
        }
        loop {
            if self.peek() != Some(b'"') {
                return Err(self.refuse("a name in double quotes is expected here"));
            }
            let name = self.string()?;
            self.blanks()?;
            if self.peek() != Some(b':') {
                return Err(self.refuse("a colon is expected here"));
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
                Ok(true)
            }
            Some(_) => Err(self.refuse(&format!("a comma or {} is expected here", char::from(close)))),
            None => Err(self.refuse(&format!("the text ends where a comma or {} is expected", char::from(close)))),
        }
    }

    fn word(&mut self, word: &str, value: Json) -> Result<Json, InvalidSchema> {
        let rest = &self.text[self.at..];
        let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '$';
        if !rest.starts_with(word) || rest[word.len()..].starts_with(is_part) {
            return Err(self.refuse("a JSON value is expected here"));
        }
        self.at += word.len();
        Ok(value)
    }

    fn number(&mut self) -> Result<Json, InvalidSchema> {
        let start = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        let integer = self.digits()?;
        if integer > 1 && self.text.as_bytes()[self.at - integer] == b'0' {
            return Err(self.refuse("a number does not start with 0"));
        }
        let mut is_fractional = false;
        if self.peek() == Some(b'.') {
            self.at += 1;
            is_fractional = true;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            is_fractional = true;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        let number = &self.text[start..self.at];
        if number.len() > MAX_NUMBER_BYTES {
            return Err(InvalidSchema::TooComplex(format!("A number is longer than {MAX_NUMBER_BYTES} characters")));
        }
        if is_fractional {
            return number.parse().map(Json::Double).map_err(|_| self.refuse("a number is expected here"));
        }
        Ok(number.parse().map_or_else(|_| Json::Big(number.to_owned()), Json::Integer))
    }

    fn digits(&mut self) -> Result<usize, InvalidSchema> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.refuse("a digit is expected here"));
        }
        Ok(self.at - start)
    }

    fn string(&mut self) -> Result<String, InvalidSchema> {
        self.at += 1;
        let mut text = String::new();
        let mut from = self.at;
        loop {
            let Some(byte) = self.peek() else { return Err(self.refuse("the text ends inside a string")) };
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
                0..0x20 => return Err(self.refuse("a control character in a string has to be escaped")),
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
            _ => return Err(self.refuse("this escape is not known")),
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
        let value = value.ok_or_else(|| self.refuse("four hexadecimal digits are expected here"))?;
        self.at += 4;
        Ok(value)
    }

    fn refuse(&self, what: &str) -> InvalidSchema {
        let before = &self.text[..self.at];
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        InvalidSchema::Syntax(format!("The text is not JSON: {what} (line {line}, column {column})"))
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
