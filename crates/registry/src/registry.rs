//! The registry: its state. Its use cases are methods, one file per group.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64};

use arc_swap::ArcSwap;
use sluice_schema::{Level, SchemaType};

use crate::cache::Caches;
use crate::heavy::Heavy;
use crate::metrics::Counts;
use crate::store::RegistryStore;
use crate::{RegistryConfig, SubjectName};

/// The registry. Clones share everything.
#[derive(Clone)]
pub struct Registry {
    pub(crate) inner: Arc<Inner>,
}

pub(crate) struct Inner {
    pub(crate) store: Arc<dyn RegistryStore>,
    pub(crate) config: RegistryConfig,
    pub(crate) caches: Caches,
    pub(crate) counts: Counts,
    pub(crate) heavy: Heavy,
    /// Levels that control-plane files own, with the file.
    pub(crate) declared: ArcSwap<HashMap<SubjectName, (Level, String)>>,
    /// Whether notifications of other nodes' writes arrive.
    pub(crate) notified: AtomicBool,
    /// Whether changes may have been missed since the caches were last sure.
    pub(crate) behind: AtomicBool,
    /// When the store last answered, by the configured clock.
    pub(crate) heard_at: AtomicI64,
    pub(crate) turns: Turns,
    /// Key of the hashes of inline texts.
    pub(crate) text_key: (u64, u64),
}

impl Registry {
    /// A registry on `store`. [`Registry::follow_changes`] must run for it to see what other nodes write.
    pub fn new(store: Arc<dyn RegistryStore>, config: RegistryConfig) -> Registry {
        let random = RandomState::new();
        Registry {
            inner: Arc::new(Inner {
                store,
                caches: Caches::new(config.cache_bytes),
                counts: Counts::default(),
                heavy: Heavy::new(&config),
                declared: ArcSwap::default(),
                notified: AtomicBool::new(false),
                behind: AtomicBool::new(false),
                heard_at: AtomicI64::new((config.clock)()),
                turns: Turns::new(),
                text_key: (random.hash_one(0u8), random.hash_one(1u8)),
                config,
            }),
        }
    }

    /// `GET /schemas/types`
    pub fn schema_types(&self) -> &'static [SchemaType] {
        SchemaType::SUPPORTED
    }
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").field("config", &self.inner.config).finish_non_exhaustive()
    }
}

/// Locks by which writers of one subject take turns inside a node: a fixed number, shared by hash.
pub(crate) struct Turns {
    hasher: RandomState,
    locks: Box<[Arc<tokio::sync::Mutex<()>>]>,
}

impl Turns {
    const NUMBER: usize = 1024;

    fn new() -> Turns {
        Turns { hasher: RandomState::new(), locks: (0..Turns::NUMBER).map(|_| Arc::default()).collect() }
    }

    pub(crate) fn of(&self, subject: &SubjectName) -> Arc<tokio::sync::Mutex<()>> {
        let hash = self.hasher.hash_one(subject);
        self.locks[(hash as usize) % Turns::NUMBER].clone()
    }
}
