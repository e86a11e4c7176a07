//! Numbers of a stream of tokens, as they are written.
//!
//! Source: jackson-core 2.x `UTF8StreamJsonParser` (`_parseSignedNumber`, `_parseFloat`, `_verifyRootSpace`).

use super::{Input, MAX_NUMBER_BYTES, Reader, Span, Stop, Token};

impl Reader<'_, '_> {
    pub(super) fn number(&mut self) -> Result<Token, Stop> {
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
}

fn too_long_number() -> Stop {
    Stop::Bad(format!("Number value length exceeds the maximum allowed ({MAX_NUMBER_BYTES})"))
}
