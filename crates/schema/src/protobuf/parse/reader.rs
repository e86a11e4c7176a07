//! Characters, words, integers and strings of `.proto` text; comments are skipped here.
//!
//! Positions are byte offsets; columns are counted in UTF-16 units and only when an error is worded.

use super::{MAX_ELEMENTS, MAX_NESTING};
use crate::InvalidSchema;

/// A cursor over the text, with the budgets of nesting and elements.
pub(super) struct Reader<'a> {
    text: &'a str,
    data: &'a [u8],
    pos: usize,
    line: usize,
    line_start: usize,
    elements_left: usize,
    nesting_left: usize,
}

/// A place in the text; prints as the reference prints locations of a nameless file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Location {
    pos: usize,
    line: usize,
    line_start: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn new(text: &'a str) -> Reader<'a> {
        let data = text.as_bytes();
        Reader {
            text,
            data,
            pos: 0,
            line: 0,
            line_start: 0, // A declaration counts apart from its option or item here, but not in the limits.
            elements_left: 2 * MAX_ELEMENTS + 16,
            nesting_left: MAX_NESTING,
        }
    }

    pub(super) fn exhausted(&self) -> bool {
        self.pos == self.data.len()
    }

    /// Takes one element off the budget.
    pub(super) fn count_element(&mut self) -> Result<(), InvalidSchema> {
        match self.elements_left.checked_sub(1) {
            Some(left) => {
                self.elements_left = left;
                Ok(())
            }
            None => Err(InvalidSchema::TooComplex(format!("The schema has more than {MAX_ELEMENTS} elements"))),
        }
    }

    /// Goes one level deeper; every `enter` has its [`Reader::leave`] unless an error ends the parse.
    pub(super) fn enter(&mut self) -> Result<(), InvalidSchema> {
        match self.nesting_left.checked_sub(1) {
            Some(left) => {
                self.nesting_left = left;
                Ok(())
            }
            None => Err(InvalidSchema::TooComplex(format!("The schema nests deeper than {MAX_NESTING} levels"))),
        }
    }

    /// Comes back one level.
    pub(super) fn leave(&mut self) {
        self.nesting_left += 1;
    }

    pub(super) fn location(&self) -> Location {
        Location { pos: self.pos, line: self.line, line_start: self.line_start }
    }

    /// The text of a location: `:line:column`, both from 1.
    pub(super) fn describe(&self, at: Location) -> String {
        format!(":{}:{}", at.line + 1, self.units(at.line_start, at.pos) + 1)
    }

    fn units(&self, from: usize, to: usize) -> usize {
        let bytes = self.data.get(from..to).unwrap_or_default();
        String::from_utf8_lossy(bytes).encode_utf16().count()
    }

    /// A syntax error at the cursor.
    pub(super) fn unexpected<T>(&self, message: impl std::fmt::Display) -> Result<T, InvalidSchema> {
        self.unexpected_at(self.location(), message)
    }

    /// A syntax error at `at`.
    pub(super) fn unexpected_at<T>(&self, at: Location, message: impl std::fmt::Display) -> Result<T, InvalidSchema> {
        Err(InvalidSchema::Syntax(format!("Syntax error in {}: {message}", self.describe(at))))
    }

    /// The next character that is neither blank nor comment, as a byte (a part of it when not ASCII).
    pub(super) fn peek(&mut self) -> Result<u8, InvalidSchema> {
        self.skip_blanks_and_comments()?;
        match self.data.get(self.pos) {
            Some(byte) => Ok(*byte),
            None => self.unexpected("unexpected end of file"),
        }
    }

    /// Takes that character if it is `wanted`.
    pub(super) fn take(&mut self, wanted: u8) -> Result<bool, InvalidSchema> {
        let found = self.peek()? == wanted;
        self.pos += usize::from(found);
        Ok(found)
    }

    /// Takes the next character, whatever it is.
    pub(super) fn next(&mut self) -> Result<char, InvalidSchema> {
        self.peek()?;
        let Some(next) = self.text[self.pos..].chars().next() else {
            return self.unexpected("unexpected end of file");
        };
        self.pos += next.len_utf8();
        Ok(next)
    }

    /// Takes the next character, which must be `wanted`.
    pub(super) fn require(&mut self, wanted: char) -> Result<(), InvalidSchema> {
        let found = self.next()?;
        if found == wanted {
            return Ok(());
        }
        self.unexpected(format_args!("expected '{wanted}' but was '{found}'"))
    }

    /// Gives back one ASCII character that was just taken.
    pub(super) fn push_back(&mut self) {
        self.pos -= 1;
    }

    /// A non-empty run of letters, digits, `_`, `-` and `.`.
    pub(super) fn word(&mut self) -> Result<&'a str, InvalidSchema> {
        self.skip_blanks_and_comments()?;
        let start = self.pos;
        while let Some(b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'_' | b'-' | b'.') = self.data.get(self.pos) {
            self.pos += 1;
        }
        if start == self.pos {
            return self.unexpected("expected a word");
        }
        Ok(&self.text[start..self.pos])
    }

    /// A word that does not start with a digit: names of fields and constants.
    pub(super) fn word_without_leading_digit(&mut self) -> Result<&'a str, InvalidSchema> {
        let word = self.word()?;
        if word.as_bytes()[0].is_ascii_digit() {
            // The reference counts this column from 0.
            let column = self.units(self.line_start, self.pos - word.len());
            let line = self.line + 1;
            return Err(InvalidSchema::Syntax(format!(
                "Syntax error in :{line}:{column}: field and constant names cannot start with a digit"
            )));
        }
        Ok(word)
    }

    /// A word, `(word)` or `[word]`, without the brackets; and which bracket it was.
    pub(super) fn name(&mut self) -> Result<(&'a str, Option<char>), InvalidSchema> {
        self.name_of(Reader::word)
    }

    /// The name of a field: as [`Reader::name`], and does not start with a digit.
    pub(super) fn field_name(&mut self) -> Result<&'a str, InvalidSchema> {
        Ok(self.name_of(Reader::word_without_leading_digit)?.0)
    }

    fn name_of(
        &mut self,
        word: fn(&mut Reader<'a>) -> Result<&'a str, InvalidSchema>,
    ) -> Result<(&'a str, Option<char>), InvalidSchema> {
        let (bracket, closing) = match self.peek()? {
            b'(' => ('(', ')'),
            b'[' => ('[', ']'),
            _ => return Ok((word(self)?, None)),
        };
        self.pos += 1;
        let word = word(self)?;
        if self.next()? != closing {
            return self.unexpected(format_args!("expected '{closing}'"));
        }
        Ok((word, Some(bracket)))
    }

    /// A decimal or `0x…` number that fits 32 bits signed. A leading 0 means nothing: `020` is 20.
    pub(super) fn integer(&mut self) -> Result<i32, InvalidSchema> {
        let word = self.word()?;
        let (digits, radix) = match word.strip_prefix("0x").or_else(|| word.strip_prefix("0X")) {
            Some(digits) => (digits, 16),
            None => (word, 10),
        };
        match i32::from_str_radix(digits, radix) {
            Ok(number) => Ok(number),
            Err(_) => self.unexpected(format_args!("expected an integer but was {digits}")),
        }
    }

    /// A string literal, unescaped; literals that follow each other are one.
    pub(super) fn quoted(&mut self) -> Result<String, InvalidSchema> {
        let mut quote = self.next()?;
        if quote != '"' && quote != '\'' {
            return self.unexpected("expected quoted string");
        }
        let mut out = String::new();
        loop {
            let start = self.pos;
            let special = |byte: &u8| *byte == quote as u8 || *byte == b'\\' || *byte == b'\n';
            let Some(plain) = self.data[start..].iter().position(special) else {
                self.pos = self.data.len();
                return self.unexpected("unterminated string");
            };
            self.pos = start + plain + 1;
            out.push_str(&self.text[start..start + plain]);
            match self.data[start + plain] {
                b'\\' => self.escape(&mut out)?,
                b'\n' => {
                    out.push('\n');
                    self.newline();
                }
                _ => match self.peek()? {
                    b'"' | b'\'' => quote = self.next()?,
                    _ => return Ok(out),
                },
            }
        }
    }

    /// What stands behind a backslash. An unknown escape is the character itself.
    fn escape(&mut self, out: &mut String) -> Result<(), InvalidSchema> {
        let Some(escaped) = self.text[self.pos..].chars().next() else {
            return self.unexpected("unexpected end of file");
        };
        self.pos += escaped.len_utf8();
        let meant = match escaped {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            'x' | 'X' => self.numeric_escape(16, 2)?,
            '0'..='7' => {
                self.pos -= 1;
                self.numeric_escape(8, 3)?
            }
            other => other,
        };
        out.push(meant);
        if meant == '\n' {
            self.newline();
        }
        Ok(())
    }

    fn numeric_escape(&mut self, radix: u32, longest: usize) -> Result<char, InvalidSchema> {
        let mut value = None;
        for _ in 0..longest {
            let digit = self.data.get(self.pos).and_then(|byte| (*byte as char).to_digit(radix));
            let Some(digit) = digit else { break };
            value = Some(value.unwrap_or(0) * radix + digit);
            self.pos += 1;
        }
        match value.and_then(char::from_u32) {
            Some(character) => Ok(character),
            None => self.unexpected("expected a digit after \\x or \\X"),
        }
    }

    /// Skips blanks and comments before a declaration, also up to the end of the file.
    pub(super) fn skip_documentation(&mut self) -> Result<(), InvalidSchema> {
        self.skip_blanks_and_comments()
    }

    fn skip_blanks_and_comments(&mut self) -> Result<(), InvalidSchema> {
        while let Some(byte) = self.data.get(self.pos) {
            match byte {
                b' ' | b'\t' | b'\r' => self.pos += 1,
                b'\n' => {
                    self.pos += 1;
                    self.newline();
                }
                b'/' => self.comment()?,
                _ => break,
            }
        }
        Ok(())
    }

    fn comment(&mut self) -> Result<(), InvalidSchema> {
        self.pos += 1;
        let kind = self.data.get(self.pos).copied();
        self.pos += usize::from(kind.is_some());
        match kind {
            Some(b'*') => {
                while self.pos + 1 < self.data.len() {
                    let byte = self.data[self.pos];
                    if byte == b'*' && self.data[self.pos + 1] == b'/' {
                        self.pos += 2;
                        return Ok(());
                    }
                    if byte == b'\n' {
                        self.newline();
                    }
                    self.pos += 1;
                }
                self.unexpected("unterminated comment")
            }
            Some(b'/') => {
                self.skip_line();
                Ok(())
            }
            _ => self.unexpected("unexpected '/'"),
        }
    }

    /// Skips a comment behind a field, a constant or a `reserved` on the same line. Nothing may follow a starred
    /// one on that line.
    pub(super) fn skip_trailing_comment(&mut self) -> Result<(), InvalidSchema> {
        while let Some(b' ' | b'\t') = self.data.get(self.pos) {
            self.pos += 1;
        }
        match self.data.get(self.pos) {
            Some(b'/') => self.pos += 1,
            Some(_) => return Ok(()),
            None => return self.unexpected("expected '//' or '/*'"),
        }
        match self.data.get(self.pos) {
            Some(b'/') => self.skip_line(),
            Some(b'*') => {
                self.pos += 1;
                // The reference skips one blank before it looks for the end.
                let Some(end) = self.data[self.pos..].windows(2).position(|pair| pair == b"*/") else {
                    self.pos = self.data.len();
                    return self.unexpected("trailing comment must be closed");
                };
                self.pos += end + 2;
                while let Some(byte) = self.data.get(self.pos) {
                    self.pos += 1;
                    match byte {
                        b' ' | b'\t' => {}
                        b'\n' => {
                            self.newline();
                            break;
                        }
                        _ => return self.unexpected("no syntax may follow trailing comment"),
                    }
                }
            }
            _ => return self.unexpected("expected '//' or '/*'"),
        }
        Ok(())
    }

    fn skip_line(&mut self) {
        match memchr::memchr(b'\n', &self.data[self.pos..]) {
            Some(length) => {
                self.pos += length + 1;
                self.newline();
            }
            None => self.pos = self.data.len(),
        }
    }

    fn newline(&mut self) {
        self.line += 1;
        self.line_start = self.pos;
    }
}
