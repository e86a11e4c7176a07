//! Timestamps of records: the forms that are read, and the one that is written.
//!
//! Read: ISO-8601 instants with `Z` or an offset, seconds required, up to nine digits of fraction; or epoch *seconds*
//! with a fraction, as a number or a text of digits, signed or not. Written: `2024-02-29T12:30:45.678Z`, without a
//! fraction when it is zero. Milliseconds since 1970 inside. Pure.
//!
//! Source: jackson-datatype-jsr310 `InstantDeserializer`, `DateTimeFormatter.ISO_INSTANT`; recording
//! `produce-timestamps`.

/// Milliseconds of a text; `None` if it is no timestamp. Blank texts are the caller's: they count as absent.
pub(super) fn from_text(text: &str) -> Option<i64> {
    let text = text.trim();
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && digits.bytes().filter(|byte| *byte == b'.').count() <= 1;
    if is_number { from_seconds(text.strip_prefix('+').unwrap_or(text)) } else { from_iso(text) }
}

/// Milliseconds of a number of seconds as it is written, exponents included; rounded down.
pub(super) fn from_seconds(number: &str) -> Option<i64> {
    let (mantissa, exponent) = match number.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse::<i32>().ok()?),
        None => (number, 0),
    };
    let (is_negative, mantissa) = match mantissa.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, mantissa),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    // The decimal point of the milliseconds, counted in digits from the left.
    let point = i64::try_from(whole.len()).ok()? + i64::from(exponent) + 3;
    let mut millis: i128 = 0;
    let mut is_exact = true;
    for (at, digit) in whole.bytes().chain(fraction.bytes()).enumerate() {
        let digit = i128::from((digit as char).to_digit(10)?);
        if (at as i64) < point {
            millis = millis.checked_mul(10)?.checked_add(digit)?;
        } else if digit != 0 {
            is_exact = false;
        }
    }
    let missing = point - (whole.len() + fraction.len()) as i64;
    for _ in 0..missing.max(0) {
        if millis == 0 {
            break;
        }
        millis = millis.checked_mul(10)?;
    }
    if is_negative {
        millis = -millis - i128::from(!is_exact);
    }
    i64::try_from(millis).ok()
}

/// `2024-02-29T12:30:45.123456789+02:00`
fn from_iso(text: &str) -> Option<i64> {
    let mut rest = text;
    let year = take_year(&mut rest)?;
    let month = take(&mut rest, "-", 2)?;
    let day = take(&mut rest, "-", 2)?;
    rest = rest.strip_prefix(['T', 't'])?;
    let hour = take(&mut rest, "", 2)?;
    let minute = take(&mut rest, ":", 2)?;
    let second = take(&mut rest, ":", 2)?;
    let mut millis = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        if digits > 9 {
            return None;
        }
        // "45." is a fraction of no digits, which the reference reads.
        for place in 0..3 {
            let digit = fraction.as_bytes().get(place).filter(|_| place < digits).map_or(0, |digit| digit - b'0');
            millis = millis * 10 + i64::from(digit);
        }
        rest = &fraction[digits..];
    }
    let offset_seconds = take_offset(rest)?;
    let is_midnight = hour == 24 && minute == 0 && second == 0 && millis == 0;
    let is_leap = (hour, minute, second) == (23, 59, 60);
    let second = if is_leap { 59 } else { second };
    if !(1..=12).contains(&month)
        || day < 1
        || day > days_in(year, month)
        || (hour > 23 && !is_midnight)
        || minute > 59
        || second > 59
    {
        return None;
    }
    let days = days_from_civil(year, month, day);
    let seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset_seconds;
    seconds.checked_mul(1_000)?.checked_add(millis)
}

fn take_year(rest: &mut &str) -> Option<i64> {
    let (sign, digits) = match rest.as_bytes().first()? {
        b'-' => (-1, &rest[1..]),
        b'+' => (1, &rest[1..]),
        _ => (1, *rest),
    };
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    // Four digits without a plus; beyond that the sign must stand.
    let fits = match count {
        4 => !rest.starts_with('+'),
        5..=9 => rest.starts_with(['+', '-']),
        _ => false,
    };
    if !fits {
        return None;
    }
    let year: i64 = digits[..count].parse().ok()?;
    *rest = &digits[count..];
    Some(sign * year)
}

fn take(rest: &mut &str, before: &str, digits: usize) -> Option<i64> {
    let tail = rest.strip_prefix(before)?;
    let number = tail.get(..digits).filter(|number| number.bytes().all(|byte| byte.is_ascii_digit()))?;
    *rest = &tail[digits..];
    number.parse().ok()
}

/// Seconds of `Z`, `+02:00`, `-02:00:30`, and of `+00`, `+00:`, `+0000`.
fn take_offset(text: &str) -> Option<i64> {
    if matches!(text, "Z" | "z" | "+00" | "+00:" | "+0000") {
        return Some(0);
    }
    let sign = match text.as_bytes().first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let mut rest = &text[1..];
    let hours = take(&mut rest, "", 2)?;
    let minutes = take(&mut rest, ":", 2)?;
    let seconds = if rest.is_empty() { 0 } else { take(&mut rest, ":", 2)? };
    let total = hours * 3_600 + minutes * 60 + seconds;
    (rest.is_empty() && minutes < 60 && seconds < 60 && total <= 18 * 3_600).then_some(sign * total)
}

fn is_leap_year(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap_year(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01. Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms".
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// Year, month, day of days since 1970-01-01. Same source.
fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day_of_year - (153 * shifted + 2) / 5 + 1)
}

/// Appends `2024-02-29T12:30:45.678Z`.
pub(super) fn write(millis: i64, out: &mut Vec<u8>) {
    let (seconds, fraction) = (millis.div_euclid(1_000), millis.rem_euclid(1_000));
    let (days, of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    match year {
        0..=9999 => push(out, year, 4),
        10_000.. => {
            out.push(b'+');
            push(out, year, 1);
        }
        _ => {
            out.push(b'-');
            push(out, -year, 4);
        }
    }
    for (separator, number) in
        [(b'-', month), (b'-', day), (b'T', of_day / 3_600), (b':', of_day / 60 % 60), (b':', of_day % 60)]
    {
        out.push(separator);
        push(out, number, 2);
    }
    if fraction != 0 {
        out.push(b'.');
        push(out, fraction, 3);
    }
    out.push(b'Z');
}

/// A number of at least so many digits.
fn push(out: &mut Vec<u8>, number: i64, digits: usize) {
    let mut buffer = itoa::Buffer::new();
    let text = buffer.format(number);
    for _ in text.len()..digits {
        out.push(b'0');
    }
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(millis: i64) -> String {
        let mut out = Vec::new();
        write(millis, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_recorded_form_is_read_and_written_as_recorded() {
        // Recording `produce-timestamps`.
        for (text, millis, shown) in [
            ("2024-02-29T12:30:45.678Z", 1_709_209_845_678, "2024-02-29T12:30:45.678Z"),
            ("2024-02-29T12:30:45Z", 1_709_209_845_000, "2024-02-29T12:30:45Z"),
            ("2024-02-29T12:30:45.123456789Z", 1_709_209_845_123, "2024-02-29T12:30:45.123Z"),
            ("2024-02-29T14:30:45+02:00", 1_709_209_845_000, "2024-02-29T12:30:45Z"),
            ("1999-12-31T23:59:59.999Z", 946_684_799_999, "1999-12-31T23:59:59.999Z"),
            ("1600000000", 1_600_000_000_000, "2020-09-13T12:26:40Z"),
            ("1600000000.5", 1_600_000_000_500, "2020-09-13T12:26:40.500Z"),
            ("1600000000.123456789", 1_600_000_000_123, "2020-09-13T12:26:40.123Z"),
            ("1", 1_000, "1970-01-01T00:00:01Z"),
            ("0", 0, "1970-01-01T00:00:00Z"),
        ] {
            assert_eq!(from_text(text), Some(millis), "{text}");
            assert_eq!(written(millis), shown, "{text}");
        }
    }

    #[test]
    fn odd_forms_are_read_as_java_reads_them() {
        let millis = Some(1_600_000_000_000);
        for text in [
            "+1600000000",
            "+1600000000.0",
            " 1600000000 ",
            "2020-09-13t12:26:40z",
            "2020-09-13T12:26:40.Z",
            "2020-09-13T12:26:40+00",
            "2020-09-13T12:26:40+00:",
            "2020-09-13T12:26:40+0000",
            "2020-09-13T12:26:40-00:00",
            "2020-09-13T11:56:10-00:30:30",
            "+002020-09-13T12:26:40Z",
        ] {
            assert_eq!(from_text(text), millis, "{text}");
        }
        assert_eq!(from_text("-1"), Some(-1_000));
        assert_eq!(from_text("2020-09-12T24:00:00Z"), from_text("2020-09-13T00:00:00Z"));
    }

    #[test]
    fn what_is_no_instant_is_refused() {
        for text in [
            "2024-02-29T12:30Z",
            "2023-02-29T12:30:45Z",
            "2024-02-29 12:30:45Z",
            "2024-02-29T12:30:45",
            "2024-13-01T00:00:00Z",
            "2024-01-01T24:00:01Z",
            "2024-01-01T00:60:00Z",
            "2024-01-01T00:00:00+19:00",
            "2024-01-01T00:00:00.1234567890Z",
            "24-01-01T00:00:00Z",
            "12024-01-01T00:00:00Z",
            "1.2.3",
            "yesterday",
            ".",
            "+",
            "-.",
            "+-1",
            "2024-02-29T14:30:45+02",
            "2024-02-29T14:30:45+0200",
        ] {
            assert_eq!(from_text(text), None, "{text}");
        }
    }

    #[test]
    fn seconds_may_have_an_exponent_and_must_fit() {
        assert_eq!(from_seconds("1.6e9"), Some(1_600_000_000_000));
        assert_eq!(from_seconds("16E-1"), Some(1_600));
        assert_eq!(from_seconds("-0.0001"), Some(-1));
        assert_eq!(from_seconds("1600000000000"), Some(1_600_000_000_000_000));
        assert_eq!(from_seconds("1e300"), None);
        assert_eq!(from_seconds("1e-300"), Some(0));
        assert_eq!(from_seconds("0e2147483647"), Some(0));
    }

    #[test]
    fn a_year_beyond_9999_is_written_with_its_sign() {
        assert_eq!(written(1_600_000_000_000_000), "+52671-12-25T12:26:40Z");
    }

    #[test]
    fn reading_undoes_writing() {
        for millis in (-70_000_000_000_000..3_000_000_000_000_000).step_by(9_876_543_210_987) {
            assert_eq!(from_text(&written(millis)), Some(millis), "{}", written(millis));
        }
    }
}
