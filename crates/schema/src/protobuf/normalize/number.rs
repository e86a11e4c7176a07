//! Numbers in normal form: plain decimal notation with at most three digits behind the point.
//!
//! As written words are read: decimal, `0x…` hexadecimal, leading-zero octal, with exponent, with a trailing `f`, `d`
//! (floating) or `l` (integer). Words that are no number stay: `-inf`, `08`. The reference reads a fraction as the
//! smallest type that holds it: single precision when that prints the same digits, double precision when that prints
//! what was written, else an exact decimal; `f` and `d` ask for a precision. Rounding is half-even on what the type
//! holds. A number is at most [`MAX_DIGITS`] long; longer ones stay as written.
//!
//! Source: schema-registry `FormatContext#formatNumber`: Apache Commons `NumberUtils#createNumber`, Java
//! `DecimalFormat` with its default pattern.

/// Digits of a number that is rewritten: `1e999999999` is no text that anybody stores.
const MAX_DIGITS: usize = 1024;

/// Digits behind the point.
const PLACES: i64 = 3;

/// The normal form of a number's word.
pub(super) fn normal(word: &str) -> String {
    read(word).unwrap_or_else(|| word.to_owned())
}

fn read(word: &str) -> Option<String> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", word),
    };
    // A default of bytes, which may hold anything, is read as a number, too.
    if digits.is_empty() || !digits.is_ascii() {
        return None;
    }
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return integer(sign, hex, 16);
    }
    if is_decimal(digits) {
        return whole(sign, digits);
    }
    let (rest, last) = digits.split_at(digits.len() - 1);
    match last {
        "l" | "L" => is_decimal(rest).then(|| whole(sign, rest)).flatten(),
        "f" | "F" => {
            let decimal = Decimal::read(rest)?;
            decimal
                .single(rest)
                .or_else(|| decimal.double(rest))
                .map(|value| rounded(sign, value))
                .or_else(|| decimal.rounded(sign))
        }
        "d" | "D" => {
            let decimal = Decimal::read(rest)?;
            decimal.double(rest).map(|value| rounded(sign, value)).or_else(|| decimal.rounded(sign))
        }
        _ => match Decimal::read(digits) {
            Some(decimal) => smallest(sign, digits, &decimal),
            // A sign may stand behind the first one.
            None if sign == "-" => {
                digits.strip_prefix('-').filter(|rest| is_decimal(rest)).and_then(|rest| integer("", rest, 10))
            }
            None => None,
        },
    }
}

fn is_decimal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn whole(sign: &str, digits: &str) -> Option<String> {
    match digits.strip_prefix('0') {
        Some(octal) if !octal.is_empty() => integer(sign, octal, 8),
        _ => integer(sign, digits, 10),
    }
}

/// Digits of this base, of any length, in decimal.
fn integer(sign: &str, digits: &str, base: u32) -> Option<String> {
    // Little-endian decimal limbs; words are short, and a long one is bounded by the text's own bound.
    const LIMB: u64 = 1_000_000_000;
    if digits.is_empty() || digits.len() > MAX_DIGITS {
        return None;
    }
    let mut limbs: Vec<u64> = vec![0];
    for digit in digits.chars() {
        let mut carry = u64::from(digit.to_digit(base)?);
        for limb in &mut limbs {
            let value = *limb * u64::from(base) + carry;
            *limb = value % LIMB;
            carry = value / LIMB;
        }
        if carry > 0 {
            limbs.push(carry);
        }
    }
    let mut text: String = limbs.iter().rev().map(|limb| format!("{limb:09}")).collect();
    let zeros = text.len() - text.trim_start_matches('0').len();
    text.drain(..zeros.min(text.len() - 1));
    let sign = if text == "0" { "" } else { sign };
    Some(format!("{sign}{text}"))
}

/// A fraction without a suffix, as the smallest type that holds it.
fn smallest(sign: &str, text: &str, decimal: &Decimal) -> Option<String> {
    let Some(double) = decimal.double(text) else { return decimal.rounded(sign) };
    if let Some(single) = decimal.single(text)
        && (single as f32).to_string() == double.to_string()
    {
        return Some(rounded(sign, single));
    }
    if Decimal::of(double) == *decimal { Some(rounded(sign, double)) } else { decimal.rounded(sign) }
}

/// A positive value that a floating type holds.
fn rounded(sign: &str, value: f64) -> String {
    let shortest = value.to_string();
    let decimals = shortest.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let text = if decimals <= PLACES as usize { shortest } else { format!("{value:.3}") };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{sign}{text}")
}

/// A positive decimal fraction: `digits` without zeros at their ends, the last one worth ten to the power of
/// `exponent`. Zero has no digits.
#[derive(Debug, PartialEq, Eq)]
struct Decimal {
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    /// Reads digits with a point or an exponent, or both.
    fn read(text: &str) -> Option<Decimal> {
        let (mantissa, exponent) = match text.split_once(['e', 'E']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (text, None),
        };
        let exponent = match exponent {
            None => 0,
            Some(exponent) => {
                if !is_decimal(exponent.strip_prefix('-').unwrap_or(exponent)) {
                    return None;
                }
                exponent.parse::<i32>().ok()?
            }
        };
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty() && fraction.is_empty() || !all_digits(whole) || !all_digits(fraction) {
            return None;
        }
        let digits = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
        Some(Decimal { digits, exponent: i64::from(exponent) - fraction.len() as i64 }.trimmed())
    }

    /// What Java prints of a double, as a value.
    fn of(value: f64) -> Decimal {
        Decimal::read(&value.to_string()).unwrap_or(Decimal { digits: Vec::new(), exponent: 0 })
    }

    fn trimmed(mut self) -> Decimal {
        while self.digits.last() == Some(&0) {
            self.digits.pop();
            self.exponent += 1;
        }
        let zeros = self.digits.iter().take_while(|digit| **digit == 0).count();
        self.digits.drain(..zeros);
        if self.digits.is_empty() {
            self.exponent = 0;
        }
        self
    }

    /// The value in single precision, unless it is beyond it.
    fn single(&self, text: &str) -> Option<f64> {
        let value: f32 = text.parse().ok()?;
        (value.is_finite() && (value != 0.0 || self.digits.is_empty())).then(|| f64::from(value))
    }

    /// The value in double precision, unless it is beyond it.
    fn double(&self, text: &str) -> Option<f64> {
        let value: f64 = text.parse().ok()?;
        (value.is_finite() && (value != 0.0 || self.digits.is_empty())).then_some(value)
    }

    /// The exact value, rounded half-even.
    fn rounded(&self, sign: &str) -> Option<String> {
        let mut digits = self.digits.clone();
        let mut exponent = self.exponent;
        let dropped = usize::try_from(-PLACES - exponent).unwrap_or(0);
        if dropped > 0 {
            let kept = digits.len().saturating_sub(dropped);
            let half = if dropped > digits.len() { std::cmp::Ordering::Less } else { digits[kept..].cmp(&[5]) };
            let is_odd = kept > 0 && digits[kept - 1] % 2 == 1;
            digits.truncate(kept);
            exponent = -PLACES;
            if half.is_gt() || (half.is_eq() && is_odd) {
                match digits.iter().rposition(|digit| *digit < 9) {
                    Some(at) => {
                        digits[at] += 1;
                        digits[at + 1..].fill(0);
                    }
                    None => {
                        digits.fill(0);
                        digits.insert(0, 1);
                    }
                }
            }
        }
        let zeros = usize::try_from(exponent.max(0)).ok().filter(|zeros| digits.len() + zeros <= MAX_DIGITS)?;
        let places = usize::try_from((-exponent).max(0)).ok()?;
        let mut text: String = digits.iter().map(|digit| char::from(b'0' + digit)).collect();
        text.push_str(&"0".repeat(if text.is_empty() { 0 } else { zeros }));
        if text.len() <= places {
            text.insert_str(0, &"0".repeat(places + 1 - text.len()));
        }
        if places > 0 {
            text.insert(text.len() - places, '.');
        }
        let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
        Some(format!("{sign}{}", if text.is_empty() { "0" } else { text }))
    }
}

#[cfg(test)]
mod tests {
    use super::normal;

    #[test]
    fn numbers_of_every_notation_print_plainly() {
        for (word, printed) in [
            ("0", "0"),
            ("-0", "0"),
            ("42", "42"),
            ("-7", "-7"),
            ("0x1F", "31"),
            ("-0x10", "-16"),
            ("020", "16"),
            ("1.0", "1"),
            ("1.50", "1.5"),
            ("0.0625", "0.062"),
            ("0.1875", "0.188"),
            ("3.14159", "3.142"),
            ("1e5", "100000"),
            ("1E-7", "0"),
            ("-1.5e3", "-1500"),
            ("2.0005", "2"),
            ("0.1", "0.1"),
            // Single precision prints 973398.9 as well, so single precision it is.
            ("973398.9", "973398.875"),
            ("1.5f", "1.5"),
            ("7L", "7"),
            ("18446744073709551615", "18446744073709551615"),
            ("0xFFFFFFFFFFFFFFFF", "18446744073709551615"),
            ("100000000000000000000000", "100000000000000000000000"),
            ("1e300", &format!("1{}", "0".repeat(300))),
            // Beyond double precision, an exact decimal; so are digits that no double prints.
            ("1e400", &format!("1{}", "0".repeat(400))),
            ("1e-400", "0"),
            ("12345678901234567890.5", "12345678901234567890.5"),
            ("123456.0004999999999999999999", "123456"),
            ("123456.0005000000000000000001", "123456.001"),
            ("12345678899999999999.9996", "12345678900000000000"),
            // A suffix asks for a precision: single precision holds 16777217 as 16777216.
            ("16777217f", "16777216"),
            ("16777217d", "16777217"),
            ("44852.9119896f", "44852.91"),
            ("1e39f", &format!("1{}", "0".repeat(39))),
            // `BigInteger` takes a sign behind the one that was taken off.
            ("--1", "1"),
        ] {
            assert_eq!(normal(word), printed, "{word}");
        }
    }

    #[test]
    fn words_that_are_no_number_stay() {
        for word in ["-inf", "-nan", "08", "1e", "1.2.3", "5abc", "-", "--1.5", "1-2", "0x", "0xG", "1e9999", "é", "1é"]
        {
            assert_eq!(normal(word), word);
        }
    }
}
