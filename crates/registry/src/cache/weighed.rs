//! One cache, weighed in bytes, that stays under its cap also while heavy entries come in.

use std::hash::Hash;
use std::sync::Arc;

use moka::sync::Cache;

use super::Size;

/// Approximate bytes that the cache itself needs per entry: table slot, two deque nodes, frequency counters.
const ENTRY: usize = 160;

/// The cache makes room for itself once it has some 64 new entries. An entry heavier than this part of the cap does not
/// wait for that: 64 schemas of 1 MB would take a gigabyte first.
const HEAVY_PART: u64 = 256;

type Weigh<K, V> = Arc<dyn Fn(&K, &V) -> usize + Send + Sync>;

pub(super) struct Weighed<K, V> {
    cache: Cache<K, V>,
    cap: u64,
    weigh: Weigh<K, V>,
}

impl<K, V> Weighed<K, V>
where
    K: Hash + Eq + Send + Sync + 'static,
    V: Clone + Send + Sync + 'static,
{
    /// An empty one of at most `cap` bytes; `weigh` gives the bytes of an entry, what the cache adds left out.
    pub(super) fn new(cap: u64, weigh: impl Fn(&K, &V) -> usize + Send + Sync + 'static) -> Weighed<K, V> {
        let weigh: Weigh<K, V> = Arc::new(weigh);
        let weigher = {
            let weigh = weigh.clone();
            move |key: &K, value: &V| u32::try_from(ENTRY + weigh(key, value)).unwrap_or(u32::MAX)
        };
        Weighed { cache: Cache::builder().max_capacity(cap).weigher(weigher).build(), cap, weigh }
    }

    pub(super) fn get(&self, key: &K) -> Option<V> {
        self.cache.get(key)
    }

    /// Puts an entry in the place of its key; one that is heavier than the cap only takes the old one out.
    pub(super) fn insert(&self, key: K, value: V) {
        let weight = (ENTRY + (self.weigh)(&key, &value)) as u64;
        if weight > self.cap {
            self.cache.invalidate(&key);
            return;
        }
        self.cache.insert(key, value);
        if weight > self.cap / HEAVY_PART {
            self.cache.run_pending_tasks();
        }
    }

    pub(super) fn invalidate(&self, key: &K) {
        self.cache.invalidate(key);
    }

    pub(super) fn invalidate_all(&self) {
        self.cache.invalidate_all();
    }

    /// Bytes and entries now. Runs what maintenance is pending, so that the numbers are true.
    pub(super) fn size(&self, cache: &'static str) -> Size {
        self.cache.run_pending_tasks();
        Size { cache, bytes: self.cache.weighted_size(), entries: self.cache.entry_count() }
    }
}
