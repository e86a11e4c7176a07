//! A list of named things that keeps its order and finds a name fast.

use crate::weight::Heap;

/// Entries with distinct names, in the order of first mention. Finding is linear in short lists, a binary search
/// in longer ones.
#[derive(Debug, Clone)]
pub struct Named<T> {
    entries: Vec<(Box<str>, T)>,
    /// Positions by name; empty while the list is short.
    sorted: Box<[u32]>,
}

/// Up to here a list is searched from its start.
const SHORT: usize = 8;

impl<T> Named<T> {
    /// The entries. Of equal names the last value stays, at the place of the first, as in Java's `LinkedHashMap`.
    pub fn from_entries(entries: Vec<(Box<str>, T)>) -> Named<T> {
        let mut order: Vec<u32> = (0..entries.len() as u32).collect();
        order.sort_by(|a, b| entries[*a as usize].0.cmp(&entries[*b as usize].0));
        let equal = |pair: &[u32]| entries[pair[0] as usize].0 == entries[pair[1] as usize].0;
        if order.windows(2).any(equal) {
            return Named::from_entries(without_doubles(entries, &order));
        }
        let sorted = if entries.len() > SHORT { order.into_boxed_slice() } else { Box::default() };
        Named { entries, sorted }
    }

    /// What stands under this name.
    pub fn get(&self, name: &str) -> Option<&T> {
        if self.sorted.is_empty() {
            return self.entries.iter().find(|(key, _)| **key == *name).map(|(_, value)| value);
        }
        let found = self.sorted.binary_search_by(|at| (*self.entries[*at as usize].0).cmp(name)).ok()?;
        Some(&self.entries[self.sorted[found] as usize].1)
    }

    /// What stands under this name, which is looked for at this place first.
    pub fn get_near(&self, at: usize, name: &str) -> Option<&T> {
        match self.entries.get(at) {
            Some((key, value)) if **key == *name => Some(value),
            _ => self.get(name),
        }
    }

    /// What stands under this name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut T> {
        self.entries.iter_mut().find(|(key, _)| **key == *name).map(|(_, value)| value)
    }

    /// Puts a value in the place of its name, or behind all others.
    pub fn put(&mut self, name: &str, value: T) {
        let mut entries = std::mem::take(self).into_entries();
        entries.push((name.into(), value));
        *self = Named::from_entries(entries);
    }

    /// Takes a name out.
    pub fn remove(&mut self, name: &str) {
        let mut entries = std::mem::take(self).into_entries();
        entries.retain(|(key, _)| **key != *name);
        *self = Named::from_entries(entries);
    }

    /// Whether there is such a name.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The entries in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &T)> {
        self.entries.iter().map(|(name, value)| (&**name, value))
    }

    /// The names in order.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.entries.iter().map(|(name, _)| &**name)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries, to be changed and put together again.
    pub fn into_entries(self) -> Vec<(Box<str>, T)> {
        self.entries
    }
}

impl<T: Heap> Heap for Named<T> {
    fn heap_bytes(&self) -> usize {
        self.entries.heap_bytes() + self.sorted.heap_bytes()
    }
}

impl<T> Default for Named<T> {
    fn default() -> Named<T> {
        Named { entries: Vec::new(), sorted: Box::default() }
    }
}

/// The entries without earlier doubles; `order` is the stable order by name.
fn without_doubles<T>(entries: Vec<(Box<str>, T)>, order: &[u32]) -> Vec<(Box<str>, T)> {
    // The place where each entry's value ends up, if it is the last of its name.
    let mut place = vec![None; entries.len()];
    for group in order.chunk_by(|a, b| entries[*a as usize].0 == entries[*b as usize].0) {
        if let (Some(first), Some(last)) = (group.first(), group.last()) {
            place[*last as usize] = Some(*first);
        }
    }
    let mut kept: Vec<(u32, (Box<str>, T))> =
        entries.into_iter().zip(place).filter_map(|(entry, place)| place.map(|place| (place, entry))).collect();
    kept.sort_by_key(|(place, _)| *place);
    kept.into_iter().map(|(_, entry)| entry).collect()
}

#[cfg(test)]
mod tests {
    use super::Named;

    #[test]
    fn the_last_of_equal_names_stays_at_the_place_of_the_first() {
        let entry = |name: &str, value: u8| (Box::from(name), value);
        let named =
            Named::from_entries(vec![entry("b", 1), entry("a", 2), entry("b", 3), entry("c", 4), entry("b", 5)]);
        assert_eq!(named.iter().collect::<Vec<_>>(), [("b", &5), ("a", &2), ("c", &4)]);
    }

    #[test]
    fn names_are_found_in_short_and_long_lists() {
        for len in [0, 1, 8, 9, 100] {
            let entries = (0..len).map(|n| (format!("n{}", (n * 37) % len.max(1)).into(), n)).collect();
            let named = Named::from_entries(entries);
            for (name, value) in named.iter() {
                assert_eq!(named.get(name), Some(value));
                for near in [0, *value as usize, len] {
                    assert_eq!(named.get_near(near as usize, name), Some(value));
                }
            }
            assert_eq!(named.get("n"), None);
            assert_eq!(named.len(), len);
        }
    }
}
