//! Quantities with units, as files write them: `500ms`, `7d`, `50GiB`, `10MiB/s`.

/// Milliseconds of `<int><unit>`, unit one of `ms s m h d`.
pub fn duration_ms(text: &str) -> Result<u64, String> {
    quantity(text, &[("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000), ("d", 86_400_000)])
        .ok_or_else(|| format!("{text:?} is no duration: a whole number and one of ms, s, m, h, d, like 500ms"))
}

/// Bytes of `<int><unit>`, unit one of `B KiB MiB GiB`.
pub fn size_bytes(text: &str) -> Result<u64, String> {
    quantity(text, &[("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("B", 1)])
        .ok_or_else(|| format!("{text:?} is no size: a whole number and one of B, KiB, MiB, GiB, like 10MiB"))
}

/// Bytes per second: a size and `/s`.
pub fn bytes_per_second(text: &str) -> Result<u64, String> {
    text.strip_suffix("/s")
        .and_then(|size| size_bytes(size).ok())
        .ok_or_else(|| format!("{text:?} is no rate: a size and /s, like 10MiB/s"))
}

/// A count per second: `<int>/s`.
pub fn count_per_second(text: &str) -> Result<u64, String> {
    text.strip_suffix("/s")
        .and_then(|count| count.parse().ok())
        .ok_or_else(|| format!("{text:?} is no rate: a whole number and /s, like 5000/s"))
}

fn quantity(text: &str, units: &[(&str, u64)]) -> Option<u64> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let factor = units.iter().find(|(name, _)| *name == unit)?.1;
    number.parse::<u64>().ok()?.checked_mul(factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_need_a_whole_number_and_a_known_unit() {
        assert_eq!(duration_ms("500ms"), Ok(500));
        assert_eq!(duration_ms("7d"), Ok(604_800_000));
        assert_eq!(size_bytes("50GiB"), Ok(53_687_091_200));
        assert_eq!(size_bytes("1B"), Ok(1));
        assert_eq!(bytes_per_second("10MiB/s"), Ok(10_485_760));
        assert_eq!(count_per_second("5000/s"), Ok(5_000));
        for bad in ["5", "s", "1.5s", "-1s", "5 s", "99999999999999999999d", "18446744073709551615d"] {
            assert!(duration_ms(bad).is_err(), "{bad}");
        }
        assert!(size_bytes("10MB").is_err());
        assert!(bytes_per_second("10MiB").is_err());
    }
}
