//! JSON tokens of a stream that may stop anywhere, with the reference's idea of where an error leaves the reader.
//!
//! A produce stream goes on after a bad record, so it matters which bytes an error has eaten and what the reader
//! expects next. This follows Jackson's `UTF8StreamJsonParser` in that: an offending character is consumed, a cut word
//! is consumed with the character behind it, a name without its colon is forgotten, an opened level stays open. Texts
//! of values are read only when somebody asks, so errors inside come late or, if skipped, with the next token.
//!
//! Values that are more than a word are read in `text.rs` and `number.rs`.
//!
//! Pure; no recursion; memory is the nesting, at most [`MAX_DEPTH`] levels (one more is an error that stays open).
//! Every position that is left with [`Stop::More`] can be resumed: skipping is linear however small the chunks are.
//!
//! Source: jackson-core 2.x `UTF8StreamJsonParser`, `StreamReadConstraints`; recordings `stream-*`.

mod number;
mod text;

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
