//! Maps, in the order in which the reference writes them.
//!
//! The reference reads a map into `java.util.HashMap` and writes it in that table's order. So entries are written as
//! they come, then put in order: by slot of the table, equal slots by age.

use super::{Done, Encoder, Fault};
use crate::avro::codec::plan::{KeyHash, NodeId};
use crate::payload::write::{number_from, zigzag};

/// Maps of up to this many entries find equal keys by comparing all with all.
const FEW_ENTRIES: usize = 12;

/// One entry of an open map: what it wrote.
#[derive(Clone, Copy)]
pub(super) struct Entry {
    /// Of the key, mixed as the table mixes it.
    hash: u32,
    start: usize,
    /// Behind the key.
    key_end: usize,
    end: usize,
}

impl Encoder<'_, '_, '_> {
    pub(super) fn map(&mut self, values: NodeId, hash: KeyHash) -> Done {
        if self.json.peek() != b'{' {
            return self.expected("map-start");
        }
        self.json.bump();
        if self.json.take(b'}') {
            self.out.push(0);
            return Ok(());
        }
        let count_at = self.out.len();
        self.out.push(0);
        let first = self.entries.len();
        loop {
            let start = self.out.len();
            let token = self.json.name()?;
            let hash = mixed(hash_of(&token.text()?, hash));
            self.text(token)?;
            let key_end = self.out.len();
            self.value(values)?;
            self.entries.push(Entry { hash, start, key_end, end: self.out.len() });
            if !self.json.more(b'}')? {
                break;
            }
        }
        let count = self.entries.len() - first;
        if count > 1 {
            self.check_distinct(first)?;
            self.sort(first, count_at + 1);
        }
        self.entries.truncate(first);
        number_from(count_at, zigzag(count as i64), self.out);
        self.out.push(0);
        Ok(())
    }

    fn check_distinct(&self, first: usize) -> Done {
        let entries = &self.entries[first..];
        let key = |entry: &Entry| &self.out[entry.start..entry.key_end];
        let distinct = if entries.len() <= FEW_ENTRIES {
            entries.iter().enumerate().all(|(at, entry)| entries[..at].iter().all(|other| key(other) != key(entry)))
        } else {
            let mut keys = std::collections::HashSet::with_capacity(entries.len());
            entries.iter().all(|entry| keys.insert(key(entry)))
        };
        if distinct { Ok(()) } else { Err(Fault::Repeated) }
    }

    fn sort(&mut self, first: usize, start: usize) {
        let entries = &mut self.entries[first..];
        let last_slot = table_size(entries.len()) - 1;
        if entries.is_sorted_by_key(|entry| entry.hash & last_slot) {
            return;
        }
        entries.sort_by_key(|entry| entry.hash & last_slot);
        self.sorted.clear();
        for entry in entries.iter() {
            self.sorted.extend_from_slice(&self.out[entry.start..entry.end]);
        }
        self.out[start..].copy_from_slice(&self.sorted);
    }
}

/// Slots of a table that started with one and doubled whenever more than three quarters were taken.
fn table_size(entries: usize) -> u32 {
    let mut slots = 2usize;
    while slots * 3 / 4 < entries {
        slots *= 2;
    }
    u32::try_from(slots).unwrap_or(1 << 31)
}

fn hash_of(key: &str, hash: KeyHash) -> u32 {
    let next = |hash: u32, unit: u32| hash.wrapping_mul(31).wrapping_add(unit);
    match hash {
        // Bytes are signed in Java.
        KeyHash::Utf8 => key.bytes().fold(1, |hash, byte| next(hash, byte as i8 as u32)),
        KeyHash::Utf16 => key.encode_utf16().fold(0, |hash, unit| next(hash, u32::from(unit))),
    }
}

fn mixed(hash: u32) -> u32 {
    hash ^ hash >> 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_java() {
        // "hello".hashCode() and Arrays.hashCode("hello".getBytes(UTF_8)).
        assert_eq!(hash_of("hello", KeyHash::Utf16), 99_162_322);
        assert_eq!(hash_of("hello", KeyHash::Utf8), 99_162_322 + 31u32.pow(5));
        // "é" is C3 A9: (31 - 61) * 31 - 87.
        assert_eq!(hash_of("é", KeyHash::Utf8) as i32, (31 - 61) * 31 - 87);
        assert_eq!(hash_of("", KeyHash::Utf8), 1);
    }

    #[test]
    fn a_table_grows_before_it_is_full() {
        for (entries, slots) in
            [(1, 2), (2, 4), (3, 4), (4, 8), (6, 8), (7, 16), (12, 16), (13, 32), (24, 32), (25, 64)]
        {
            assert_eq!(table_size(entries), slots, "{entries}");
        }
    }
}
