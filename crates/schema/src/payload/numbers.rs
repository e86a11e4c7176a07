//! Numbers as the reference reads and prints them: Jackson's reprint of JSON numbers, `BigDecimal` for integers and
//! doubles, `Double.parseDouble` for floats, `Double.toString` for output.
//!
//! All of it is off the fast path: the encoder reads plain integers and finite doubles itself and comes here for
//! the rest (`"7"`, `7.0`, `1e2`, `"Infinity"`, what does not fit).
//!
//! Source: protobuf-java-util `JsonFormat.ParserImpl#parse{Int32,Int64,Uint32,Uint64,Float,Double}`, 4.33;
//! java.math.BigDecimal(String), java.lang.Double.

use std::borrow::Cow;

/// Numbers longer than this are refused, as the reference refuses them.
const MAX_NUMBER_BYTES: usize = 1_000;

/// Why a text is not the number asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NotNumber {
    /// No number, or a fraction where an integer is due.
    Syntax,
    /// A number beyond the type.
    Range,
}

/// The text of a JSON number after a round through a JSON tree: integers as written, others as doubles. Beyond the
/// doubles it becomes the *text* `Infinity`.
pub(crate) fn jackson(number: &str, fractional: bool) -> Cow<'_, str> {
    if !fractional {
        return Cow::Borrowed(if number == "-0" { "0" } else { number });
    }
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() => {
            let mut text = Vec::with_capacity(24);
            push_double(value, &mut text);
            Cow::Owned(String::from_utf8(text).unwrap_or_default())
        }
        _ => Cow::Borrowed(if number.starts_with('-') { "-Infinity" } else { "Infinity" }),
    }
}

/// A decimal number: sign, significant digits without zeros at either end, and a power of ten.
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// The number `text` means in `BigDecimal`'s grammar: no blanks, no hexadecimal, no infinities.
    fn parse(text: &str) -> Option<Decimal> {
        if text.len() > MAX_NUMBER_BYTES {
            return None;
        }
        let (negative, rest) = match text.as_bytes() {
            [b'-', rest @ ..] => (true, rest),
            [b'+', rest @ ..] => (false, rest),
            rest => (false, rest),
        };
        let (mantissa, exponent) = match rest.iter().position(|byte| matches!(byte, b'e' | b'E')) {
            Some(at) => (&rest[..at], std::str::from_utf8(&rest[at + 1..]).ok()?.parse::<i32>().ok()?),
            None => (rest, 0),
        };
        let mut digits = Vec::with_capacity(mantissa.len());
        let mut exponent = i64::from(exponent);
        let mut point = false;
        let mut any = false;
        for byte in mantissa {
            match byte {
                b'.' if !point => point = true,
                b'0'..=b'9' => {
                    any = true;
                    exponent -= i64::from(point);
                    if *byte != b'0' || !digits.is_empty() {
                        digits.push(*byte);
                    }
                }
                _ => return None,
            }
        }
        if !any || i32::try_from(exponent).is_err() {
            return None;
        }
        while digits.last() == Some(&b'0') {
            digits.pop();
            exponent += 1;
        }
        Some(Decimal { negative, digits, exponent })
    }

    /// The part before the point, at most `u128::MAX`, and whether anything stands behind it.
    fn parts(&self) -> (u128, bool) {
        let whole_digits = self.digits.len() as i64 + self.exponent;
        if self.digits.is_empty() || whole_digits <= 0 {
            return (0, !self.digits.is_empty());
        }
        if whole_digits > 38 {
            return (u128::MAX, self.exponent < 0);
        }
        let mut whole = 0u128;
        for at in 0..whole_digits as usize {
            whole = whole * 10 + u128::from(self.digits.get(at).map_or(0, |digit| digit - b'0'));
        }
        (whole, self.exponent < 0)
    }
}

/// A signed integer of `bits` bits. Fractions of zero are fine (`7.0`, `70e-1`).
pub(crate) fn signed(text: &str, bits: u32) -> Option<i64> {
    let decimal = Decimal::parse(text)?;
    let (whole, fraction) = decimal.parts();
    let limit = 1u128 << (bits - 1);
    if fraction || whole > limit || (whole == limit && !decimal.negative) {
        return None;
    }
    let magnitude = whole as i128;
    i64::try_from(if decimal.negative { -magnitude } else { magnitude }).ok()
}

/// An unsigned integer of `bits` bits.
pub(crate) fn unsigned(text: &str, bits: u32) -> Result<u64, NotNumber> {
    let decimal = Decimal::parse(text).ok_or(NotNumber::Syntax)?;
    let (whole, fraction) = decimal.parts();
    if fraction {
        return Err(NotNumber::Syntax);
    }
    if whole > u128::from(u64::MAX >> (64 - bits)) || (decimal.negative && whole > 0) {
        return Err(NotNumber::Range);
    }
    Ok(whole as u64)
}

/// A double: `NaN` and the infinities by name, else `BigDecimal`'s grammar. There is no negative zero. What exceeds
/// the largest double by at most a millionth is infinite, more is out of range.
pub(crate) fn double(text: &str) -> Result<f64, NotNumber> {
    match text {
        "NaN" => return Ok(f64::NAN),
        "Infinity" => return Ok(f64::INFINITY),
        "-Infinity" => return Ok(f64::NEG_INFINITY),
        _ => {}
    }
    let decimal = Decimal::parse(text).ok_or(NotNumber::Syntax)?;
    let value = text.parse::<f64>().map_err(|_| NotNumber::Syntax)?;
    if value.is_infinite() {
        let leading = decimal.digits.iter().take(17).fold(0.0, |sum, digit| sum * 10.0 + f64::from(digit - b'0'));
        let leading = leading / 10f64.powi(decimal.digits.len().min(17) as i32 - 1);
        let power = decimal.digits.len() as i64 + decimal.exponent - 1;
        if power > 308 || leading > 1.797_693_134_862_315_7 * (1.0 + 1e-6) {
            return Err(NotNumber::Range);
        }
    }
    Ok(if value == 0.0 { 0.0 } else { value })
}

/// A float, read as a double of Java's grammar (blanks around and a type letter behind are fine) and narrowed. What
/// exceeds the largest float by at most a millionth is infinite, more is out of range.
pub(crate) fn float(text: &str) -> Result<f32, NotNumber> {
    match text {
        "NaN" => return Ok(f32::NAN),
        "Infinity" => return Ok(f32::INFINITY),
        "-Infinity" => return Ok(f32::NEG_INFINITY),
        _ => {}
    }
    let trimmed = text.trim_matches(|char| char <= ' ');
    let bare = trimmed.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(trimmed);
    if bare.len() > MAX_NUMBER_BYTES
        || !bare.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'))
    {
        return Err(NotNumber::Syntax);
    }
    let value = bare.parse::<f64>().map_err(|_| NotNumber::Syntax)?;
    if value.abs() > f64::from(f32::MAX) * (1.0 + 1e-6) {
        return Err(NotNumber::Range);
    }
    Ok(value as f32)
}

/// Appends a finite double as `Double.toString` prints it.
pub(crate) fn push_double(value: f64, out: &mut Vec<u8>) {
    // Java considers two digits at least; where doubles are that sparse, the second one is not always zero.
    if value.abs() < 1e-300 && value != 0.0 {
        let two_digits = format!("{value:.1e}");
        if two_digits.parse() == Ok(value) {
            return push_java(&two_digits, out);
        }
    }
    push_java(ryu::Buffer::new().format_finite(value), out);
}

/// Appends a finite float as `Float.toString` prints it.
pub(crate) fn push_float(value: f32, out: &mut Vec<u8>) {
    if value.abs() < 1e-40 && value != 0.0 {
        let two_digits = format!("{value:.1e}");
        if two_digits.parse() == Ok(value) {
            return push_java(&two_digits, out);
        }
    }
    push_java(ryu::Buffer::new().format_finite(value), out);
}

/// Rewrites shortest decimal text into Java's form: plain from 10^-3 up to 10^7, else `d.dE±n`.
fn push_java(shortest: &str, out: &mut Vec<u8>) {
    let unsigned = shortest.strip_prefix('-').unwrap_or(shortest);
    if unsigned.len() < shortest.len() {
        out.push(b'-');
    }
    let Some(decimal) = Decimal::parse(unsigned) else { return };
    let digits = decimal.digits;
    if digits.is_empty() {
        out.extend_from_slice(b"0.0");
        return;
    }
    // The value is 0.digits · 10^point.
    let point = digits.len() as i64 + decimal.exponent;
    if (-2..=7).contains(&point) {
        if point <= 0 {
            out.extend_from_slice(b"0.");
            out.extend((point..0).map(|_| b'0'));
            out.extend_from_slice(&digits);
        } else {
            let whole = point as usize;
            out.extend((0..whole).map(|at| digits.get(at).copied().unwrap_or(b'0')));
            out.push(b'.');
            out.extend_from_slice(digits.get(whole..).filter(|rest| !rest.is_empty()).unwrap_or(b"0"));
        }
    } else {
        out.push(digits[0]);
        out.push(b'.');
        out.extend_from_slice(if digits.len() > 1 { &digits[1..] } else { b"0" });
        out.push(b'E');
        out.extend_from_slice(itoa::Buffer::new().format(point - 1).as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn java(value: f64) -> String {
        let mut out = Vec::new();
        push_double(value, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn doubles_print_as_java_prints_them() {
        for (value, text) in [
            (0.0, "0.0"),
            (-0.0, "-0.0"),
            (1.0, "1.0"),
            (100.0, "100.0"),
            (1234567.0, "1234567.0"),
            (9999999.5, "9999999.5"),
            (1e7, "1.0E7"),
            (12345678.9, "1.23456789E7"),
            (1e21, "1.0E21"),
            (0.001, "0.001"),
            (0.0123, "0.0123"),
            (0.0001, "1.0E-4"),
            (-1.5e-7, "-1.5E-7"),
            (f64::MAX, "1.7976931348623157E308"),
            (5e-324, "4.9E-324"),
        ] {
            assert_eq!(java(value), text);
        }
    }

    #[test]
    fn integers_may_be_written_as_decimals_of_the_same_value() {
        assert_eq!(signed("7.0", 32), Some(7));
        assert_eq!(signed("+7", 32), Some(7));
        assert_eq!(signed("70e-1", 32), Some(7));
        assert_eq!(signed(".5e1", 32), Some(5));
        assert_eq!(signed("-2147483648", 32), Some(-2147483648));
        assert_eq!(signed("2147483648", 32), None);
        assert_eq!(signed("-9223372036854775808", 64), Some(i64::MIN));
        assert_eq!(signed("7.5", 32), None);
        assert_eq!(signed("0e999999999", 32), Some(0));
        assert_eq!(signed("0e99999999999", 32), None);
        assert_eq!(signed("1e999999999", 64), None);
        assert_eq!(signed("1e-999999999", 64), None);
        for text in ["", "-", ".", "e5", "1e", "0x10", " 7", "7 ", "1.2.3", "true"] {
            assert_eq!(signed(text, 32), None, "{text}");
        }
    }

    #[test]
    fn unsigned_integers_say_range_and_syntax_apart() {
        assert_eq!(unsigned("18446744073709551615", 64), Ok(u64::MAX));
        assert_eq!(unsigned("4294967295.0", 32), Ok(u64::from(u32::MAX)));
        assert_eq!(unsigned("-0", 32), Ok(0));
        assert_eq!(unsigned("-1", 32), Err(NotNumber::Range));
        assert_eq!(unsigned("4294967296", 32), Err(NotNumber::Range));
        assert_eq!(unsigned("99999999999999999999", 32), Err(NotNumber::Range));
        assert_eq!(unsigned("18446744073709551616", 64), Err(NotNumber::Range));
        assert_eq!(unsigned("1.5", 64), Err(NotNumber::Syntax));
        assert_eq!(unsigned("x", 64), Err(NotNumber::Syntax));
    }

    #[test]
    fn doubles_and_floats_end_a_millionth_beyond_their_largest() {
        assert_eq!(double("1.797694E308"), Ok(f64::INFINITY));
        assert_eq!(double("1.797695E308"), Err(NotNumber::Range));
        assert_eq!(double("1E400"), Err(NotNumber::Range));
        assert!(double("-0.0").unwrap().is_sign_positive());
        assert_eq!(float("3.402826e38"), Ok(f32::INFINITY));
        assert_eq!(float("1e39"), Err(NotNumber::Range));
        assert_eq!(float(" 1.5f "), Ok(1.5));
        assert!(float("-0").unwrap().is_sign_negative());
        for text in ["inf", "nan", "+Infinity", "infinity", "1.5f", " 1"] {
            assert_eq!(double(text), Err(NotNumber::Syntax), "{text}");
        }
    }
}
