//! The order in which sibling messages are reported.
//!
//! The reference walks a `HashSet` of names, so its lists follow the buckets of that set. The order is a function
//! of the names alone, and clients have recorded it; it is computed here from the published definitions of
//! `String.hashCode` and `HashMap`. Nothing depends on it but the order of messages.
//!
//! Source: OpenJDK `java.util.HashMap` (`hash`, `tableSizeFor`, `resize`), `SchemaDiff.compareTypeElements`.

use std::collections::HashSet;

/// The distinct names of both sides in the reference's order: a set filled from the map of `original` names, then
/// from the map of `update` names.
pub(super) fn sibling_order<'a>(
    original: impl Iterator<Item = &'a str>,
    update: impl Iterator<Item = &'a str>,
) -> Vec<&'a str> {
    let original = map_order(original);
    let update = map_order(update);
    // `new HashSet<>(collection)` sizes its table for the collection.
    let capacity = (original.len() * 4 / 3 + 1).max(MIN_BUCKETS).next_power_of_two();
    bucket_order(original.into_iter().chain(update), capacity)
}

const MIN_BUCKETS: usize = 16;

/// How many names are looked through faster than hashed.
const FEW: usize = 16;

/// The order of a `HashMap` filled with `names`, one by one.
fn map_order<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    bucket_order(names, MIN_BUCKETS)
}

/// Distinct `names` by bucket, in a table that starts with `buckets` and doubles past three quarters; within a
/// bucket in order of arrival, which doubling keeps.
fn bucket_order<'a>(names: impl Iterator<Item = &'a str>, buckets: usize) -> Vec<&'a str> {
    let mut names = distinct(names);
    let mut buckets = buckets;
    while names.len() > buckets / 4 * 3 {
        buckets *= 2;
    }
    names.sort_by_cached_key(|name| spread_hash(name) as usize & (buckets - 1));
    names
}

/// `names` without repetitions, in order of arrival.
fn distinct<'a>(names: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut all: Vec<&str> = names.collect();
    if all.len() <= FEW {
        let mut kept = 0;
        for at in 0..all.len() {
            if !all[..kept].contains(&all[at]) {
                all[kept] = all[at];
                kept += 1;
            }
        }
        all.truncate(kept);
    } else {
        let mut seen = HashSet::with_capacity(all.len());
        all.retain(|name| seen.insert(*name));
    }
    all
}

/// `String.hashCode`, with its high half folded in as `HashMap` does.
fn spread_hash(name: &str) -> u32 {
    let hash = name.encode_utf16().fold(0u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    hash ^ (hash >> 16)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_java_strings() {
        // Values of String.hashCode: "Aa" and "BB" are the textbook collision.
        assert_eq!(spread_hash("Aa"), 2112);
        assert_eq!(spread_hash("BB"), 2112);
        assert_eq!(spread_hash("Main"), 2390489 ^ (2390489 >> 16));
    }

    #[test]
    fn siblings_follow_buckets_not_the_alphabet() {
        // Buckets of 16: In 5, Main 13, Gone 14.
        let order = sibling_order(["Main", "Gone"].into_iter(), ["In", "Main"].into_iter());
        assert_eq!(order, ["In", "Main", "Gone"]);
    }

    #[test]
    fn names_of_one_bucket_keep_their_order_of_arrival() {
        assert_eq!(sibling_order(["BB", "Aa"].into_iter(), [].into_iter()), ["BB", "Aa"]);
        assert_eq!(sibling_order(["Aa"].into_iter(), ["BB", "Aa"].into_iter()), ["Aa", "BB"]);
    }

    #[test]
    fn every_name_comes_once_however_many_there_are() {
        let names: Vec<String> = (0..1000).map(|n| format!("Message{n}")).collect();
        let order = sibling_order(names.iter().map(String::as_str), names.iter().rev().map(String::as_str));
        assert_eq!(order.len(), 1000);
    }
}
