//! Numbers in normal form: plain decimal notation with at most three digits behind the point.
//!
//! As written words are read: decimal, `0x…` hexadecimal, leading-zero octal, with exponent, with a trailing `f`, `d`
//! (floating) or `l` (integer). Words that are no number stay: `-inf`, `08`. Rounding is half-even on the value that
//! the reference's choice of type holds: single precision when that prints the same digits.
//!
//! Source: schema-registry `FormatContext#formatNumber`: Apache Commons `NumberUtils#createNumber`, Java
//! `DecimalFormat` with its default pattern.

/// The normal form of a number's word.
pub(super) fn normal(word: &str) -> String {
    read(word).unwrap_or_else(|| word.to_owned())
}

fn read(word: &str) -> Option<String> {
    let (sign, digits) = match word.strip_prefix('-') {
        Some(digits) => ("-", digits),
        None => ("", word),
    };
    if digits.is_empty() || digits.starts_with('-') {
        return None;
    }
    if let Some(hex) = digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X")) {
        return integer(sign, hex, 16);
    }
    let is_decimal = digits.bytes().all(|byte| byte.is_ascii_digit());
    if is_decimal {
        return whole(sign, digits);
    }
    match digits.as_bytes().last()? {
        b'l' | b'L' => {
            let digits = &digits[..digits.len() - 1];
            let is_decimal = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            if is_decimal { whole(sign, digits) } else { None }
        }
        b'f' | b'F' | b'd' | b'D' => floating(sign, &digits[..digits.len() - 1]),
        _ => floating(sign, digits),
    }
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
    if digits.is_empty() || digits.len() > 400 {
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

/// A decimal fraction with an optional exponent.
fn floating(sign: &str, digits: &str) -> Option<String> {
    let (mantissa, exponent) = match digits.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (digits, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let is_decimal = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let exponent_is_fine = exponent.is_none_or(|exponent| {
        let digits = exponent.strip_prefix('-').unwrap_or(exponent);
        !digits.is_empty() && is_decimal(digits)
    });
    if whole.is_empty() && fraction.is_empty() || !is_decimal(whole) || !is_decimal(fraction) || !exponent_is_fine {
        return None;
    }
    let double: f64 = digits.parse().ok()?;
    let single: f32 = digits.parse().ok()?;
    if double.is_infinite() {
        return None;
    }
    let value = if single.is_finite() && single.to_string() == double.to_string() { f64::from(single) } else { double };
    let shortest = value.to_string();
    let decimals = shortest.split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let text = if decimals <= 3 { shortest } else { format!("{value:.3}") };
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    Some(format!("{sign}{text}"))
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
        ] {
            assert_eq!(normal(word), printed, "{word}");
        }
    }

    #[test]
    fn words_that_are_no_number_stay() {
        for word in ["-inf", "-nan", "08", "1e", "1.2.3", "5abc", "-", "--1", "1-2", "0x", "0xG", "1e999"] {
            assert_eq!(normal(word), word);
        }
    }
}
