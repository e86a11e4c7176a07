//! Texts of the well-known types: timestamps, durations, field masks, base64.
//!
//! Source: protobuf-java-util `Timestamps`, `Durations`, `FieldMaskUtil`, 4.33; java.util.Base64.

use super::Mismatch;

/// 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z.
const TIMESTAMP_SECONDS: std::ops::RangeInclusive<i64> = -62_135_596_800..=253_402_300_799;
/// Ten thousand years.
const DURATION_SECONDS: std::ops::RangeInclusive<i64> = -315_576_000_000..=315_576_000_000;
const NANOS: std::ops::RangeInclusive<i32> = 0..=999_999_999;

/// Seconds and nanoseconds of an RFC 3339 text, read as leniently as the reference reads it: fields of any number of
/// digits, rolled over (`2024-02-30` is the first of March), anything behind the seconds.
pub(super) fn parse_timestamp(text: &str) -> Option<(i64, i32)> {
    let time = text.find('T')?;
    let zone = ['Z', '+', '-'].iter().find_map(|sign| text[time..].find(*sign))? + time;
    let (seconds_text, nanos_text) = text[..zone].split_once('.').unwrap_or((&text[..zone], ""));
    let mut rest = seconds_text;
    let mut fields = [0i64; 6];
    for (field, separator) in fields.iter_mut().zip(["-", "-", "T", ":", ":", ""]) {
        *field = leading_integer(&mut rest)?;
        rest = rest.strip_prefix(separator)?;
    }
    let [year, month, day, hour, minute, second] = fields;
    let nanos = parse_nanos(nanos_text)?;
    let offset = if text.as_bytes()[zone] == b'Z' {
        if zone + 1 != text.len() {
            return None;
        }
        0
    } else {
        let (hours, minutes) = text[zone + 1..].split_once(':')?;
        let offset = (hours.parse::<i32>().ok()? as i64 * 60 + minutes.parse::<i32>().ok()? as i64) * 60;
        if text.as_bytes()[zone] == b'+' { offset } else { -offset }
    };
    let months = year * 12 + month - 1;
    let days = days_from_civil(months.div_euclid(12), months.rem_euclid(12) + 1) + day - 1;
    let seconds = ((days * 24 + hour) * 60 + minute) * 60 + second - offset;
    TIMESTAMP_SECONDS.contains(&seconds).then_some((seconds, nanos))
}

/// An integer of at most 9 digits in front of `rest`, blanks before it; what it takes is cut off.
fn leading_integer(rest: &mut &str) -> Option<i64> {
    let trimmed = rest.trim_start_matches([' ', '\t']);
    let (negative, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => (true, digits),
        None => (false, trimmed),
    };
    let end = digits.bytes().position(|byte| !byte.is_ascii_digit()).unwrap_or(digits.len());
    if end == 0 || end > 9 {
        return None;
    }
    let value: i64 = digits[..end].parse().ok()?;
    *rest = &digits[end..];
    Some(if negative { -value } else { value })
}

/// Days from 1970-01-01 to the first of `month` (1 to 12) of `year`, in the proleptic Gregorian calendar.
fn days_from_civil(year: i64, month: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Nine digits of a fraction; what follows them is not looked at.
fn parse_nanos(text: &str) -> Option<i32> {
    let mut nanos = 0;
    for at in 0..9 {
        nanos = nanos * 10
            + match text.as_bytes().get(at) {
                Some(digit @ b'0'..=b'9') => i32::from(digit - b'0'),
                Some(_) => return None,
                None => 0,
            };
    }
    Some(nanos)
}

/// Seconds and nanoseconds of a text like `-3.5s`, both of one sign.
pub(super) fn parse_duration(text: &str) -> Option<(i64, i32)> {
    let text = text.strip_suffix('s')?;
    let (negative, text) = match text.strip_prefix('-') {
        Some(text) => (true, text),
        None => (false, text),
    };
    let (seconds, nanos) = text.split_once('.').unwrap_or((text, ""));
    let seconds: i64 = seconds.parse().ok()?;
    let nanos = parse_nanos(nanos)?;
    if !(0..=*DURATION_SECONDS.end()).contains(&seconds) {
        return None;
    }
    Some(if negative { (-seconds, -nanos) } else { (seconds, nanos) })
}

/// Appends the quoted RFC 3339 text, fraction in groups of three digits.
pub(super) fn push_timestamp(seconds: i64, nanos: i32, out: &mut Vec<u8>) -> Result<(), Mismatch> {
    if !TIMESTAMP_SECONDS.contains(&seconds) || !NANOS.contains(&nanos) {
        return Err(Mismatch(format!(
            "Timestamp is not valid. See proto definition for valid values. Seconds ({seconds}) must be in range \
             [-62,135,596,800, +253,402,300,799]. Nanos ({nanos}) must be in range [0, +999,999,999]."
        )));
    }
    let (days, second_of_day) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil_from_days(days);
    let (hour, minute, second) = (second_of_day / 3_600, second_of_day / 60 % 60, second_of_day % 60);
    out.extend_from_slice(format!("\"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}").as_bytes());
    push_nanos(nanos, out);
    out.extend_from_slice(b"Z\"");
    Ok(())
}

/// Appends the quoted text of a duration.
pub(super) fn push_duration(seconds: i64, nanos: i32, out: &mut Vec<u8>) -> Result<(), Mismatch> {
    let opposed = (seconds < 0 && nanos > 0) || (seconds > 0 && nanos < 0);
    if !DURATION_SECONDS.contains(&seconds) || !NANOS.contains(&nanos.saturating_abs()) || opposed {
        return Err(Mismatch(format!(
            "Duration is not valid. See proto definition for valid values. Seconds ({seconds}) must be in range \
             [-315,576,000,000, +315,576,000,000]. Nanos ({nanos}) must be in range [-999,999,999, +999,999,999]. \
             Nanos must have the same sign as seconds"
        )));
    }
    out.push(b'"');
    if seconds < 0 || nanos < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(itoa::Buffer::new().format(seconds.abs()).as_bytes());
    push_nanos(nanos.abs(), out);
    out.extend_from_slice(b"s\"");
    Ok(())
}

fn push_nanos(nanos: i32, out: &mut Vec<u8>) {
    if nanos == 0 {
        return;
    }
    let text = match nanos {
        nanos if nanos % 1_000_000 == 0 => format!(".{:03}", nanos / 1_000_000),
        nanos if nanos % 1_000 == 0 => format!(".{:06}", nanos / 1_000),
        nanos => format!(".{nanos:09}"),
    };
    out.extend_from_slice(text.as_bytes());
}

/// Year, month and day of a number of days since 1970-01-01.
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

/// A field mask's path from JSON: `fooBar` is `foo_bar`.
pub(super) fn lower_underscore(path: &str) -> String {
    let mut out = String::with_capacity(path.len() + 4);
    for char in path.chars() {
        if char.is_ascii_uppercase() {
            out.push('_');
        }
        out.extend(char.to_lowercase());
    }
    out
}

/// A field mask's path for JSON: `foo_bar` is `fooBar`.
pub(super) fn lower_camel(path: &str, out: &mut String) {
    let mut upper = false;
    for char in path.chars() {
        match char {
            '_' => upper = true,
            char if upper => {
                out.extend(char.to_uppercase());
                upper = false;
            }
            char => out.extend(char.to_lowercase()),
        }
    }
}

/// Bytes of a base64 text as the reference reads it: the standard alphabet, else the URL-safe one; padding may be
/// absent, bits left over are dropped.
pub(super) fn java_base64(text: &str) -> Result<Vec<u8>, Mismatch> {
    decode_base64(text, *b"+/").or_else(|_| decode_base64(text, *b"-_"))
}

fn decode_base64(text: &str, last_two: [u8; 2]) -> Result<Vec<u8>, Mismatch> {
    let fail = |what: String| Err(Mismatch(what));
    // Java decodes Latin-1 bytes; what is beyond becomes a question mark. Neither is in an alphabet.
    let units = text.chars().map(|char| u8::try_from(u32::from(char)).unwrap_or(b'?'));
    let count = text.chars().count();
    if count == 0 {
        return Ok(Vec::new());
    }
    if count < 2 {
        return fail("Input byte[] should at least have 2 bytes for base64 bytes".to_owned());
    }
    let mut out = Vec::with_capacity(count / 4 * 3 + 2);
    let (mut bits, mut sextets) = (0u32, 0u32);
    let mut units = units.enumerate();
    let mut end = count;
    while let Some((at, unit)) = units.next() {
        let value = match unit {
            b'A'..=b'Z' => unit - b'A',
            b'a'..=b'z' => unit - b'a' + 26,
            b'0'..=b'9' => unit - b'0' + 52,
            _ if unit == last_two[0] => 62,
            _ if unit == last_two[1] => 63,
            b'=' => {
                // "xx==" or "xxx=" end the data.
                let closed = sextets == 3 || (sextets == 2 && units.next().is_some_and(|(_, next)| next == b'='));
                if !closed {
                    return fail("Input byte array has wrong 4-byte ending unit".to_owned());
                }
                end = at + if sextets == 3 { 1 } else { 2 };
                break;
            }
            _ => return fail(format!("Illegal base64 character {unit:x}")),
        };
        bits = bits << 6 | u32::from(value);
        sextets += 1;
        if sextets == 4 {
            out.extend_from_slice(&bits.to_be_bytes()[1..]);
            (bits, sextets) = (0, 0);
        }
    }
    match sextets {
        1 => return fail("Last unit does not have enough valid bits".to_owned()),
        2 => out.push((bits >> 4) as u8),
        3 => out.extend_from_slice(&(bits >> 2).to_be_bytes()[2..]),
        _ => {}
    }
    if end < count {
        return fail(format!("Input byte array has incorrect ending byte at {end}"));
    }
    Ok(out)
}
