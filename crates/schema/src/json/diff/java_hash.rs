//! The order in which Java's `HashSet` gives back strings: the reference walks the names of two objects so.
//!
//! Source: `java.util.HashMap` (OpenJDK 17): table of a power of two, grown at three quarters, buckets in order of
//! the spread hash, equal buckets in order of insertion.

/// The distinct names of `first` and `second` in the order of `new HashSet<>(first)` with `addAll(second)`.
pub(super) fn union<'a>(
    first: impl ExactSizeIterator<Item = &'a str>,
    second: impl Iterator<Item = &'a str>,
) -> Vec<&'a str> {
    let mut table = table_for((first.len() * 4 / 3 + 1).max(16));
    let mut names: Vec<&str> = map_order(first);
    let mut seen: std::collections::HashSet<&str> = names.iter().copied().collect();
    names.extend(map_order(second).into_iter().filter(|name| seen.insert(name)));
    while names.len() > table / 4 * 3 {
        table *= 2;
    }
    in_table(names, table)
}

/// The names in the order of a copy of the `HashMap` that they were put into one by one: the copy's table is made for
/// its size.
pub(super) fn map_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let names = in_table(names.collect(), table_for(16));
    let table = table_for(names.len() * 4 / 3 + 1);
    in_table(names, table)
}

fn in_table(mut names: Vec<&str>, mut table: usize) -> Vec<&str> {
    while names.len() > table / 4 * 3 {
        table *= 2;
    }
    names.sort_by_cached_key(|name| spread(name) as usize & (table - 1));
    names
}

fn table_for(capacity: usize) -> usize {
    capacity.next_power_of_two()
}

/// `String.hashCode`, high bits folded in as `HashMap.hash` does.
fn spread(name: &str) -> u32 {
    let hash = name.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_javas() {
        // "hello".hashCode() == 99162322, "".hashCode() == 0, "Aa" and "BB" collide at 2112.
        assert_eq!(spread("hello"), 99_162_322 ^ (99_162_322 >> 16));
        assert_eq!(spread(""), 0);
        assert_eq!((spread("Aa"), spread("BB")), (2112, 2112));
    }

    #[test]
    fn names_come_in_order_of_their_buckets_and_of_insertion_within_one() {
        // One letter hashes to its code: v = 118 = 6 mod 16, next = 3377907 ^ 51 = 3377856 = 0 mod 16.
        assert_eq!(union(["v", "next"].into_iter(), ["v"].into_iter()), ["next", "v"]);
        assert_eq!(union(["BB", "Aa"].into_iter(), [].into_iter()), ["BB", "Aa"]);
        assert_eq!(union(["Aa"].into_iter(), ["BB", "Aa"].into_iter()), ["Aa", "BB"]);
    }

    #[test]
    fn a_table_grows_at_three_quarters() {
        // Letters hash to their codes; in a table of 16 'p' (112) comes first, in one of 32 'a' (97 = 1) does.
        let twelve: Vec<String> = ('e'..='p').map(String::from).collect();
        let names = |all: &[String]| all.concat();
        let put = |all: &[String]| in_table(all.iter().map(String::as_str).collect(), 16).concat();
        assert_eq!(put(&twelve), "pefghijklmno");
        let thirteen: Vec<String> = ('d'..='p').map(String::from).collect();
        assert_eq!(put(&thirteen), names(&thirteen));
    }

    #[test]
    fn a_copy_has_a_table_of_its_own_size() {
        // Three make a table of 8: 'i' (105) is 1 there and 9 in one of 16; twelve make one of 32.
        assert_eq!(map_order(["b", "i", "c"].into_iter()), ["i", "b", "c"]);
        let twelve: Vec<String> = ('e'..='p').map(String::from).collect();
        assert_eq!(map_order(twelve.iter().map(String::as_str)).concat(), twelve.concat());
    }
}
