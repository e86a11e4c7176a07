//! JSON tokens of a stream that may stop anywhere, with the reference's idea of where an error leaves the reader.
//!
//! A produce stream goes on after a bad record, so it matters which bytes an error has eaten and what the reader
//! expects next. This follows Jackson's `UTF8StreamJsonParser` in that: an offending character is consumed, a cut word
//! is consumed with the character behind it, a name without its colon is forgotten, an opened level stays open. Texts
//! of values are read only when somebody asks, so errors inside come late or, if skipped, with the next token.
//!
//! Pure; no recursion; memory is the nesting, at most [`MAX_DEPTH`] levels (one more is an error that stays open).
//! Every position that is left with [`Stop::More`] can be resumed: skipping is linear however small the chunks are.
//!
//! Source: jackson-core 2.x `UTF8StreamJsonParser`, `StreamReadConstraints`; recordings `stream-*`.

use std::borrow::Cow;

use memchr::memchr2;

pub(super) use crate::json::{MAX_DEPTH, MAX_NAME_BYTES, MAX_NUMBER_BYTES};

/// Why there is no token.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The input ends here so far.
    More,
    /// A syntax error, in words.
    Bad(String),
}

/// A piece of the input: from, to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Span {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) has_escapes: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token {
    ObjectStart,
    ObjectEnd,
    ArrayStart,
    ArrayEnd,
    /// A field's name; its colon is read.
    Name(Span),
    /// A text begins: [`Reader::text`] reads it, [`Reader::next`] skips it.
    Text,
    /// As written.
    Number {
        span: Span,
        is_integer: bool,
    },
    True,
    False,
    Null,
    /// Nothing but blanks, outside of everything.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Level {
    is_object: bool,
    /// Whether the next entry needs a comma before it.
    has_entries: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Expect {
    /// A value, an end, or a comma.
    #[default]
    Token,
    /// The comma is read, or not needed: a name or a value.
    Entry,
    /// The colon of a name.
    Colon,
    /// The value of a name.
    Value,
}

/// What is open and what is expected: all that is kept between chunks.
#[derive(Debug, Default)]
pub(super) struct State {
    levels: Vec<Level>,
    expect: Expect,
    in_text: bool,
    name: Span,
    /// Set while the reader looks for the end of a broken object, where any error ends the stream.
    pub(super) is_lost: bool,
}

impl State {
    pub(super) fn depth(&self) -> usize {
        self.levels.len()
    }

    /// Back to between two records.
    pub(super) fn reset(&mut self) {
        self.levels.clear();
        self.expect = Expect::Token;
        self.in_text = false;
        self.is_lost = false;
    }
}

/// Whether more may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Input {
    Open,
    Ended,
}

/// Reads `bytes` from `at` on.
pub(super) struct Reader<'b, 's> {
    pub(super) bytes: &'b [u8],
    pub(super) at: usize,
    pub(super) input: Input,
    pub(super) state: &'s mut State,
}

impl<'b> Reader<'b, '_> {
    /// The next token.
    pub(super) fn next(&mut self) -> Result<Token, Stop> {
        if self.state.in_text {
            self.skip_text()?;
        }
        loop {
            match self.state.expect {
                Expect::Token => {
                    let Some(byte) = self.blanks()? else {
                        return match self.state.levels.last() {
                            None => Ok(Token::End),
                            Some(level) => Err(bad_end(&format!("expected close marker for {}", name_of(*level)))),
                        };
                    };
                    match byte {
                        b']' => return self.close(false),
                        b'}' => return self.close(true),
                        _ => {}
                    }
                    let Some(level) = self.state.levels.last_mut() else { return self.value(byte) };
                    if std::mem::replace(&mut level.has_entries, true) {
                        let what = name_of(*level);
                        if byte != b',' {
                            return Err(self.unexpected(&format!("was expecting comma to separate {what} entries")));
                        }
                        self.at += 1;
                    }
                    self.state.expect = Expect::Entry;
                }
                Expect::Entry => {
                    let byte = self.byte_between()?;
                    if !self.state.levels.last().is_some_and(|level| level.is_object) {
                        return self.value(byte);
                    }
                    if byte != b'"' {
                        return Err(self.misplaced("was expecting double-quote to start field name"));
                    }
                    self.state.name = self.name()?;
                    self.state.expect = Expect::Colon;
                }
                Expect::Colon => {
                    let byte = self.byte_between()?;
                    if byte != b':' {
                        return Err(self.misplaced("was expecting a colon to separate field name and value"));
                    }
                    self.at += 1;
                    self.state.expect = Expect::Value;
                    return Ok(Token::Name(self.state.name));
                }
                Expect::Value => {
                    let byte = self.byte_between()?;
                    return self.value(byte);
                }
            }
        }
    }

    /// The text that has just begun.
    pub(super) fn text(&mut self) -> Result<Span, Stop> {
        let start = self.at;
        let end = self.find_end_of_text(start);
        match end {
            Ok((end, has_escapes)) => {
                self.state.in_text = false;
                self.at = end + 1;
                Ok(Span { start, end, has_escapes })
            }
            Err(TextStop::More(_)) => Err(Stop::More),
            Err(TextStop::Bad(at, text)) => {
                self.state.in_text = false;
                self.at = at;
                Err(Stop::Bad(text))
            }
        }
    }

    /// Reads on to the next quote, as if the text that was just read had not ended at its own.
    pub(super) fn text_behind(&mut self) -> Result<Span, Stop> {
        self.state.in_text = true;
        self.text()
    }

    /// Reads on to the end of the value that `token` began.
    pub(super) fn skip(&mut self, token: Token) -> Result<(), Stop> {
        match token {
            Token::Text => self.skip_text(),
            Token::ObjectStart | Token::ArrayStart => {
                let depth = self.state.depth();
                while self.state.depth() >= depth {
                    self.next()?;
                }
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// The bytes of a piece.
    pub(super) fn raw(&self, span: Span) -> &'b [u8] {
        self.bytes.get(span.start..span.end).unwrap_or_default()
    }

    /// The text of a piece, escapes resolved.
    pub(super) fn str(&self, span: Span) -> Cow<'b, str> {
        let raw = self.raw(span);
        match (span.has_escapes, std::str::from_utf8(raw)) {
            (false, Ok(text)) => Cow::Borrowed(text),
            _ => Cow::Owned(unescape(raw)),
        }
    }

    fn skip_text(&mut self) -> Result<(), Stop> {
        match self.find_end_of_text(self.at) {
            Ok((end, _)) => {
                self.state.in_text = false;
                self.at = end + 1;
                Ok(())
            }
            Err(TextStop::More(resume)) => {
                self.at = resume;
                Err(Stop::More)
            }
            Err(TextStop::Bad(at, text)) => {
                self.state.in_text = false;
                self.at = at;
                Err(Stop::Bad(text))
            }
        }
    }

    /// The next byte that is not blank, not consumed; blanks are. `None` at the end of the input.
    fn blanks(&mut self) -> Result<Option<u8>, Stop> {
        while let Some(byte) = self.bytes.get(self.at) {
            match byte {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                0..0x20 => {
                    self.at += 1;
                    return Err(Stop::Bad(format!(
                        "Illegal character ((CTRL-CHAR, code {byte})): only regular white space (\\r, \\n, \\t) is \
                         allowed between tokens"
                    )));
                }
                b'/' => {
                    return Err(self.unexpected(
                        "maybe a (non-standard) comment? (not recognized as one since Feature 'ALLOW_COMMENTS' not \
                         enabled for parser)",
                    ));
                }
                _ => return Ok(Some(*byte)),
            }
        }
        match self.input {
            Input::Open => Err(Stop::More),
            Input::Ended => Ok(None),
        }
    }

    /// As [`Reader::blanks`], where the input must not end.
    fn byte_between(&mut self) -> Result<u8, Stop> {
        match self.blanks()? {
            Some(byte) => Ok(byte),
            None => {
                let what = self.state.levels.last().map_or("root", |level| name_of(*level));
                self.state.expect = Expect::Token;
                Err(bad_end(&format!("within/between {what} entries")))
            }
        }
    }

    fn close(&mut self, is_object: bool) -> Result<Token, Stop> {
        self.at += 1;
        let (marker, what) = if is_object { ('}', "Object") } else { (']', "Array") };
        match self.state.levels.last() {
            Some(level) if level.is_object == is_object => {
                self.state.levels.pop();
                Ok(if is_object { Token::ObjectEnd } else { Token::ArrayEnd })
            }
            Some(level) => {
                let wanted = if level.is_object { '}' } else { ']' };
                Err(Stop::Bad(format!("Unexpected close marker '{marker}': expected '{wanted}'")))
            }
            None => Err(Stop::Bad(format!("Unexpected close marker '{marker}': no open {what} to close"))),
        }
    }

    /// A value that starts with `byte`, which is not consumed yet.
    fn value(&mut self, byte: u8) -> Result<Token, Stop> {
        let token = match byte {
            b'"' => {
                self.at += 1;
                self.state.in_text = true;
                Ok(Token::Text)
            }
            b'{' => self.open(true),
            b'[' => self.open(false),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true", Token::True),
            b'f' => self.word("false", Token::False),
            b'n' => self.word("null", Token::Null),
            _ => Err(self.no_value(byte)),
        };
        // Whatever it is, it has been dealt with; only input that stops within a token is read again.
        if token != Err(Stop::More) {
            self.state.expect = Expect::Token;
        }
        token
    }

    fn open(&mut self, is_object: bool) -> Result<Token, Stop> {
        self.at += 1;
        self.state.levels.push(Level { is_object, has_entries: false });
        let depth = self.state.depth();
        if depth > MAX_DEPTH {
            return Err(Stop::Bad(format!(
                "Document nesting depth ({depth}) exceeds the maximum allowed ({MAX_DEPTH})"
            )));
        }
        Ok(if is_object { Token::ObjectStart } else { Token::ArrayStart })
    }

    fn word(&mut self, word: &str, token: Token) -> Result<Token, Stop> {
        for (index, expected) in word.bytes().enumerate() {
            match self.bytes.get(self.at + index) {
                Some(byte) if *byte == expected => {}
                None if self.input == Input::Open => return Err(Stop::More),
                _ => return Err(self.unknown_word(index)),
            }
        }
        match self.bytes.get(self.at + word.len()) {
            None if self.input == Input::Open => return Err(Stop::More),
            Some(byte) if is_identifier(*byte) => return Err(self.unknown_word(word.len())),
            _ => {}
        }
        self.at += word.len();
        Ok(token)
    }

    /// Consumes a word of which `known` bytes were looked at, and the character behind it.
    fn unknown_word(&mut self, known: usize) -> Stop {
        const LONGEST: usize = 256;
        let start = self.at;
        let mut end = start + known;
        loop {
            match self.bytes.get(end) {
                Some(byte) if is_identifier(*byte) && end - start < LONGEST => end += 1,
                Some(_) => break,
                None if self.input == Input::Open => return Stop::More,
                None => break,
            }
        }
        let Some(behind) = self.character_at(end) else { return Stop::More };
        let word = String::from_utf8_lossy(&self.bytes[start..end]).into_owned();
        self.at = if end - start < LONGEST { end + behind } else { end };
        Stop::Bad(format!(
            "Unrecognized token '{word}': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or \
             'false')"
        ))
    }

    /// A value cannot start like this.
    fn no_value(&mut self, byte: u8) -> Stop {
        match byte {
            b',' | b'}' => self.unexpected("expected a value"),
            b'N' | b'I' => {
                let word = if byte == b'N' { "NaN" } else { "Infinity" };
                match self.word(word, Token::Null) {
                    Ok(_) => Stop::Bad(format!("Non-standard token '{word}': not allowed")),
                    Err(stop) => stop,
                }
            }
            b'+' => match self.bytes.get(self.at + 1) {
                None if self.input == Input::Open => Stop::More,
                None => {
                    self.at += 1;
                    bad_end("in a value")
                }
                Some(_) => {
                    self.at += 1;
                    let stop = self.unexpected("JSON spec does not allow numbers to have plus signs");
                    self.at -= usize::from(stop == Stop::More);
                    stop
                }
            },
            _ if is_identifier(byte) && !byte.is_ascii_digit() => self.unknown_word(0),
            _ => self.unexpected(
                "expected a valid value (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
            ),
        }
    }

    fn number(&mut self) -> Result<Token, Stop> {
        let start = self.at;
        let mut at = start;
        let byte = |at: usize| -> Result<Option<u8>, Stop> {
            match self.bytes.get(at) {
                Some(byte) => Ok(Some(*byte)),
                None if self.input == Input::Open => Err(Stop::More),
                None => Ok(None),
            }
        };
        // Where every error is the last one, a number need not be read to its end to be too long.
        let is_last_error = self.state.is_lost;
        let digits = |mut at: usize| -> Result<usize, Stop> {
            while byte(at)?.is_some_and(|byte| byte.is_ascii_digit()) {
                at += 1;
                if is_last_error && at - start > MAX_NUMBER_BYTES {
                    return Err(too_long_number());
                }
            }
            Ok(at)
        };
        // What is wrong, and up to where it is consumed.
        let mut wrong: Option<(usize, &str)> = None;
        let mut is_integer = true;
        if byte(at)? == Some(b'-') {
            at += 1;
        }
        match byte(at)? {
            Some(b'0') => {
                at += 1;
                if byte(at)?.is_some_and(|byte| byte.is_ascii_digit()) {
                    wrong = Some((at, "Invalid numeric value: Leading zeroes not allowed"));
                }
            }
            Some(b'1'..=b'9') => at = digits(at)?,
            Some(_) => wrong = Some((at + 1, "expected digit (0-9) to follow minus sign, for valid numeric value")),
            None => wrong = Some((at, "Unexpected end-of-input in a Number value")),
        }
        if wrong.is_none() && byte(at)? == Some(b'.') {
            is_integer = false;
            let end = digits(at + 1)?;
            if end == at + 1 {
                wrong = Some((end + usize::from(byte(end)?.is_some()), "Decimal point not followed by a digit"));
            }
            at = end;
        }
        if wrong.is_none() && matches!(byte(at)?, Some(b'e' | b'E')) {
            is_integer = false;
            at += 1;
            if matches!(byte(at)?, Some(b'+' | b'-')) {
                at += 1;
            }
            let end = digits(at)?;
            if end == at {
                wrong = Some((end + usize::from(byte(end)?.is_some()), "Exponent indicator not followed by a digit"));
            }
            at = end;
        }
        if wrong.is_none() && self.state.levels.is_empty() {
            match byte(at)? {
                None | Some(b' ' | b'\t' | b'\n' | b'\r') => {}
                Some(_) => wrong = Some((at + 1, "Expected space separating root-level values")),
            }
        }
        self.at = wrong.map_or(at, |(end, _)| end);
        if at - start > MAX_NUMBER_BYTES {
            return Err(too_long_number());
        }
        if let Some((_, text)) = wrong {
            return Err(Stop::Bad(text.to_owned()));
        }
        Ok(Token::Number { span: Span { start, end: at, has_escapes: false }, is_integer })
    }

    fn name(&mut self) -> Result<Span, Stop> {
        let start = self.at + 1;
        let longest = start + MAX_NAME_BYTES;
        match self.find_end_of_text(start) {
            Ok((end, has_escapes)) if end <= longest => {
                self.at = end + 1;
                Ok(Span { start, end, has_escapes })
            }
            Err(TextStop::Bad(at, text)) if at <= longest => {
                self.at = at;
                self.state.expect = Expect::Token;
                Err(Stop::Bad(text))
            }
            Err(TextStop::More(_)) if self.bytes.len() <= longest => Err(Stop::More),
            _ => {
                // The reference stops in the middle of the name, and stumbles over the rest of it.
                self.at = longest;
                self.state.expect = Expect::Token;
                Err(Stop::Bad(format!("Name length exceeds the maximum allowed ({MAX_NAME_BYTES})")))
            }
        }
    }

    /// The closing quote of the text whose content starts at `from`, and whether it has escapes.
    fn find_end_of_text(&self, from: usize) -> Result<(usize, bool), TextStop> {
        let mut at = from;
        let mut has_escapes = false;
        loop {
            let rest = self.bytes.get(at..).unwrap_or_default();
            let found = memchr2(b'"', b'\\', rest);
            let clean = &rest[..found.unwrap_or(rest.len())];
            if let Some(wrong) = check_characters(clean) {
                match wrong {
                    Wrong::Cut(valid) if found.is_none() => {
                        return match self.input {
                            Input::Open => Err(TextStop::More(at + valid)),
                            Input::Ended => Err(TextStop::Bad(self.bytes.len(), end_in_text())),
                        };
                    }
                    // The byte that should have gone on is the quote or the backslash, and is eaten.
                    Wrong::Cut(valid) => {
                        let byte = rest.get(clean.len()).copied().unwrap_or_default();
                        debug_assert!(valid < clean.len());
                        return Err(TextStop::Bad(at + clean.len() + 1, bad_middle(byte)));
                    }
                    Wrong::At(offset, text) => return Err(TextStop::Bad(at + offset, text)),
                }
            }
            let Some(found) = found else {
                return match self.input {
                    Input::Open => Err(TextStop::More(self.bytes.len())),
                    Input::Ended => Err(TextStop::Bad(self.bytes.len(), end_in_text())),
                };
            };
            at += found;
            if self.bytes[at] == b'"' {
                return Ok((at, has_escapes));
            }
            has_escapes = true;
            at = self.escape(at)?;
        }
    }

    /// Past the escape at `at`.
    fn escape(&self, at: usize) -> Result<usize, TextStop> {
        let cut = || match self.input {
            Input::Open => TextStop::More(at),
            Input::Ended => {
                TextStop::Bad(self.bytes.len(), "Unexpected end-of-input in character escape sequence".to_owned())
            }
        };
        match self.bytes.get(at + 1) {
            None => Err(cut()),
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(at + 2),
            Some(b'u') => {
                for digit in at + 2..at + 6 {
                    match self.bytes.get(digit) {
                        None => return Err(cut()),
                        Some(byte) if byte.is_ascii_hexdigit() => {}
                        Some(byte) => {
                            return Err(TextStop::Bad(
                                digit + 1,
                                format!(
                                    "Unexpected character ('{}' (code {byte})): expected a hex-digit for character \
                                     escape sequence",
                                    char::from(*byte)
                                ),
                            ));
                        }
                    }
                }
                Ok(at + 6)
            }
            Some(byte) => match self.character_at(at + 1) {
                None => Err(TextStop::More(at)),
                Some(length) => Err(TextStop::Bad(
                    at + 1 + length,
                    format!("Unrecognized character escape '{}' (code {byte})", char::from(*byte)),
                )),
            },
        }
    }

    /// Bytes of the character at `at`: 1 for a byte that starts none, 0 at the end; `None` if it may be cut off.
    fn character_at(&self, at: usize) -> Option<usize> {
        let rest = self.bytes.get(at..).unwrap_or_default();
        let Some(first) = rest.first() else { return Some(0) };
        let length = match first {
            0xc2..=0xdf => 2,
            0xe0..=0xef => 3,
            0xf0..=0xf4 => 4,
            _ => return Some(1),
        };
        let there = &rest[..length.min(rest.len())];
        match std::str::from_utf8(there) {
            Ok(_) => Some(length),
            Err(error) if error.error_len().is_none() && self.input == Input::Open => None,
            Err(_) => Some(1),
        }
    }

    /// As [`Reader::unexpected`], where a name or its colon should be: the name is forgotten.
    fn misplaced(&mut self, expected: &str) -> Stop {
        let stop = self.unexpected(expected);
        if stop != Stop::More {
            self.state.expect = Expect::Token;
        }
        stop
    }

    /// Consumes the character that should not be here, and says so.
    fn unexpected(&mut self, expected: &str) -> Stop {
        let Some(length) = self.character_at(self.at) else { return Stop::More };
        let character = self.bytes.get(self.at..self.at + length).unwrap_or_default();
        let (shown, code) = match std::str::from_utf8(character).ok().and_then(|text| text.chars().next()) {
            Some(character) => (character, character as u32),
            None => {
                let byte = character.first().copied().unwrap_or_default();
                (char::from(byte), u32::from(byte))
            }
        };
        self.at += length;
        Stop::Bad(format!("Unexpected character ('{shown}' (code {code})): {expected}"))
    }
}

enum TextStop {
    /// Resume here.
    More(usize),
    /// Consumed up to here.
    Bad(usize, String),
}

enum Wrong {
    /// A character is cut off at the end; it starts here.
    Cut(usize),
    /// Consumed up to here.
    At(usize, String),
}

/// The first character that a text may not hold.
fn check_characters(bytes: &[u8]) -> Option<Wrong> {
    // One pass without branches: most texts are printable ASCII.
    let is_plain = bytes.iter().fold(true, |plain, byte| plain & (0x20..0x80).contains(byte));
    if is_plain {
        return None;
    }
    let control = bytes.iter().position(|byte| *byte < 0x20);
    let before = &bytes[..control.unwrap_or(bytes.len())];
    if let Err(error) = std::str::from_utf8(before) {
        let at = error.valid_up_to();
        let Some(length) = error.error_len() else {
            return Some(match control {
                Some(control) => Wrong::At(control + 1, bad_middle(bytes[control])),
                None => Wrong::Cut(at),
            });
        };
        let first = before[at];
        let is_start = matches!(first, 0xc2..=0xf4) && length < before.len() - at;
        return Some(if is_start {
            Wrong::At(at + length + 1, bad_middle(before[at + length]))
        } else {
            Wrong::At(at + 1, format!("Invalid UTF-8 start byte 0x{first:02x}"))
        });
    }
    let control = control?;
    Some(Wrong::At(
        control + 1,
        format!(
            "Illegal unquoted character ((CTRL-CHAR, code {})): has to be escaped using backslash to be included in \
             string value",
            bytes[control]
        ),
    ))
}

fn too_long_number() -> Stop {
    Stop::Bad(format!("Number value length exceeds the maximum allowed ({MAX_NUMBER_BYTES})"))
}

fn bad_middle(byte: u8) -> String {
    format!("Invalid UTF-8 middle byte 0x{byte:02x}")
}

fn end_in_text() -> String {
    "Unexpected end-of-input in VALUE_STRING: was expecting closing quote for a string value".to_owned()
}

fn bad_end(what: &str) -> Stop {
    let separator = if what.starts_with("expected") { ":" } else { "" };
    Stop::Bad(format!("Unexpected end-of-input{separator} {what}"))
}

fn name_of(level: Level) -> &'static str {
    if level.is_object { "Object" } else { "Array" }
}

/// What Java calls a part of an identifier; beyond ASCII everything counts.
fn is_identifier(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'$') || byte >= 0x80
}

/// Resolves escapes that were checked before. Half a surrogate pair becomes `?`, as Java writes it.
fn unescape(raw: &[u8]) -> String {
    let mut text = String::with_capacity(raw.len());
    let mut rest = raw;
    while let Some(backslash) = memchr::memchr(b'\\', rest) {
        text.push_str(&String::from_utf8_lossy(&rest[..backslash]));
        let (unescaped, length) = match rest.get(backslash + 1) {
            Some(b'u') => unescape_unicode(&rest[backslash..]),
            Some(b'b') => ('\u{8}', 2),
            Some(b'f') => ('\u{c}', 2),
            Some(b'n') => ('\n', 2),
            Some(b'r') => ('\r', 2),
            Some(b't') => ('\t', 2),
            Some(byte) => (char::from(*byte), 2),
            None => ('\\', 1),
        };
        text.push(unescaped);
        rest = rest.get(backslash + length..).unwrap_or_default();
    }
    text.push_str(&String::from_utf8_lossy(rest));
    text
}

/// The character of `\uXXXX`, or of two of them that make a pair; and how many bytes it takes.
fn unescape_unicode(bytes: &[u8]) -> (char, usize) {
    let unit = |at: usize| -> Option<u32> {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    match unit(0) {
        Some(high @ 0xd800..0xdc00) => match unit(6) {
            Some(low @ 0xdc00..0xe000) => {
                let joined = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                (char::from_u32(joined).unwrap_or('?'), 12)
            }
            _ => ('?', 6),
        },
        Some(unit) => (char::from_u32(unit).unwrap_or('?'), 6),
        None => ('?', 2),
    }
}
