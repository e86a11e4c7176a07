//! Dates and times as Java prints them: `LocalDate`, `LocalTime`, `LocalDateTime`, `Instant`.
//!
//! Proleptic Gregorian, no leap seconds; days and units since 1970.

const NANOS_A_DAY: i128 = 86_400_000_000_000;

/// `LocalDate.ofEpochDay(days).toString()`
pub(crate) fn date(days: i64) -> String {
    // Howard Hinnant's `civil_from_days`: eras of 400 years that start on the first of March.
    let days = i128::from(days) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = year_of_era + era * 400 + i128::from(month <= 2);
    let year = match year {
        0..=9_999 => format!("{year:04}"),
        10_000.. => format!("+{year}"),
        _ => format!("-{:04}", -year),
    };
    format!("{year}-{month:02}-{day:02}")
}

/// The time of day of so many units since midnight; `digits` behind the second make a unit.
pub(crate) fn time(value: i64, digits: u32) -> String {
    time_of_day(nanos(value, digits).rem_euclid(NANOS_A_DAY), false)
}

/// `LocalDateTime.toString()` of so many units since 1970.
pub(crate) fn local(value: i64, precision: u32) -> String {
    moment(value, precision, false)
}

/// `Instant.toString()` of so many units since 1970.
pub(crate) fn instant(value: i64, precision: u32) -> String {
    format!("{}Z", moment(value, precision, true))
}

fn moment(value: i64, precision: u32, with_seconds: bool) -> String {
    let unit = match precision {
        0..=3 => 3,
        4..=6 => 6,
        _ => 9,
    };
    let nanos = nanos(value, unit);
    let days = i64::try_from(nanos.div_euclid(NANOS_A_DAY)).unwrap_or_default();
    format!("{}T{}", date(days), time_of_day(nanos.rem_euclid(NANOS_A_DAY), with_seconds))
}

fn nanos(value: i64, digits: u32) -> i128 {
    i128::from(value) * 10_i128.pow(9 - digits.min(9))
}

/// Seconds are left out where they are nothing, unless wanted; fractions have three, six or nine digits.
fn time_of_day(nanos: i128, with_seconds: bool) -> String {
    let (seconds, fraction) = (nanos / 1_000_000_000, nanos % 1_000_000_000);
    let mut text = format!("{:02}:{:02}", seconds / 3_600, seconds / 60 % 60);
    if with_seconds || seconds % 60 > 0 || fraction > 0 {
        text.push_str(&format!(":{:02}", seconds % 60));
    }
    match fraction {
        0 => {}
        _ if fraction % 1_000_000 == 0 => text.push_str(&format!(".{:03}", fraction / 1_000_000)),
        _ if fraction % 1_000 == 0 => text.push_str(&format!(".{:06}", fraction / 1_000)),
        _ => text.push_str(&format!(".{fraction:09}")),
    }
    text
}

/// The date that a text names (`2000-02-29`), as [`date`] prints it.
pub(crate) fn date_of(text: &str) -> Option<String> {
    let mut parts = text.splitn(3, '-');
    let mut part = |digits: usize| {
        let part = parts.next()?;
        let is_number = part.len() == digits && part.bytes().all(|byte| byte.is_ascii_digit());
        if is_number { part.parse::<u32>().ok() } else { None }
    };
    let (year, month, day) = (part(4)?, part(2)?, part(2)?);
    let is_leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let last = match month {
        4 | 6 | 9 | 11 => 30,
        2 if is_leap => 29,
        2 => 28,
        1..=12 => 31,
        _ => return None,
    };
    (1..=last).contains(&day).then(|| text.to_owned())
}

/// The time of day that a text names (`12:00`, `12:00:01.5`), as [`time`] prints it.
pub(crate) fn time_of(text: &str) -> Option<String> {
    nanos_of(text).map(|nanos| time_of_day(nanos, false))
}

/// The moment that a text names (`2000-02-29T12:00`), as [`local`] prints it.
pub(crate) fn local_of(text: &str) -> Option<String> {
    let (date, time) = text.split_once('T')?;
    Some(format!("{}T{}", date_of(date)?, time_of(time)?))
}

/// The moment that a text names (`2000-02-29T12:00:00Z`), as [`instant`] prints it.
pub(crate) fn instant_of(text: &str) -> Option<String> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    Some(format!("{}T{}Z", date_of(date)?, time_of_day(nanos_of(time)?, true)))
}

fn nanos_of(time: &str) -> Option<i128> {
    let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
    let mut nanos = 0;
    let mut units = [(24, 3_600), (60, 60), (60, 1)].into_iter();
    for part in clock.split(':') {
        let (limit, seconds) = units.next()?;
        let value = part.parse::<i128>().ok().filter(|value| part.len() == 2 && (0..limit).contains(value))?;
        nanos += value * seconds * 1_000_000_000;
    }
    // Hours and minutes at least; a fraction is one of seconds.
    let is_whole = units.len() == 0 || (units.len() == 1 && !time.contains('.'));
    let is_fraction = fraction.len() <= 9 && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !is_whole || !is_fraction {
        return None;
    }
    Some(nanos + format!("{fraction:0<9}").parse::<i128>().ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_and_printed_again() {
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(
            [date_of("2000-02-29"), date_of("2001-02-29"), date_of("2000-2-9")],
            [some("2000-02-29"), None, None]
        );
        assert_eq!(
            [time_of("12:00:00"), time_of("12:00:01.5"), time_of("12")],
            [some("12:00"), some("12:00:01.500"), None]
        );
        assert_eq!([time_of("24:00"), time_of("12:00.5"), time_of("1:00")], [None, None, None]);
        assert_eq!(local_of("2000-02-29T12:00:00"), some("2000-02-29T12:00"));
        assert_eq!(instant_of("2000-02-29T12:00:00.000Z"), some("2000-02-29T12:00:00Z"));
        assert_eq!(instant_of("2000-02-29T12:00:00"), None);
    }

    #[test]
    fn moments_are_printed_as_java_prints_them() {
        assert_eq!(
            [date(0), date(-1), date(11_016), date(2_932_897)],
            ["1970-01-01", "1969-12-31", "2000-02-29", "+10000-01-01"]
        );
        assert_eq!([time(0, 3), time(1_500, 3), time(61_000_001, 6)], ["00:00", "00:00:01.500", "00:01:01.000001"]);
        assert_eq!(instant(0, 3), "1970-01-01T00:00:00Z");
        assert_eq!(instant(-1, 6), "1969-12-31T23:59:59.999999Z");
        assert_eq!(local(60_000, 3), "1970-01-01T00:01");
        assert_eq!(local(1_000_000_001, 9), "1970-01-01T00:00:01.000000001");
    }
}
