//! Texts of a stream of tokens: where they end, what they may hold, what they say.
//!
//! A text is looked at in pieces without quotes and backslashes; bytes are checked for UTF-8 as they are passed. An
//! error says up to where the input is consumed, because the reader goes on behind it.
//!
//! Source: jackson-core 2.x `UTF8StreamJsonParser` (`_finishString2`, `_skipString`, `_decodeEscaped`).

use std::borrow::Cow;

use memchr::memchr2;

use super::{Expect, Input, MAX_NAME_BYTES, Reader, Span, Stop};

impl<'b> Reader<'b, '_> {
    /// The text that has just begun.
    pub(in crate::rest_v3) fn text(&mut self) -> Result<Span, Stop> {
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
    pub(in crate::rest_v3) fn text_behind(&mut self) -> Result<Span, Stop> {
        self.state.in_text = true;
        self.text()
    }

    /// The text of a piece, escapes resolved.
    pub(in crate::rest_v3) fn str(&self, span: Span) -> Cow<'b, str> {
        let raw = self.raw(span);
        match (span.has_escapes, std::str::from_utf8(raw)) {
            (false, Ok(text)) => Cow::Borrowed(text),
            _ => Cow::Owned(unescape(raw)),
        }
    }

    pub(super) fn skip_text(&mut self) -> Result<(), Stop> {
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

    pub(super) fn name(&mut self) -> Result<Span, Stop> {
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

fn bad_middle(byte: u8) -> String {
    format!("Invalid UTF-8 middle byte 0x{byte:02x}")
}

fn end_in_text() -> String {
    "Unexpected end-of-input in VALUE_STRING: was expecting closing quote for a string value".to_owned()
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
