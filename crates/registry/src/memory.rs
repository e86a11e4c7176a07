//! The store in memory: for tests, and to show what the contract of [`crate::store`] means in the fewest words.
//!
//! One lock around everything, never held across an await, so each write is atomic and serial. Clones share the data:
//! two registries on one `MemoryStore` are two nodes on one database. [`MemoryStore::break_down`] and
//! [`MemoryStore::lose_notifications`] play the faults of a real one.
//!
//! Checked by [`crate::conformance`], as every other store is.

mod associations;
mod state;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use async_trait::async_trait;
use parking_lot::Mutex;
use sluice_schema::{Guid, SchemaId, Version};
use tokio::sync::Notify;

use crate::store::*;
use crate::{Association, Config, Content, ContextName, Scope, SubjectName};
use state::State;

/// A registry's data in memory. Clones share it.
#[derive(Clone, Default)]
pub struct MemoryStore {
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    wrote: Notify,
    down: AtomicBool,
    deaf: AtomicBool,
    calls: AtomicU64,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> MemoryStore {
        MemoryStore::default()
    }

    /// From now on every call is [`StoreError::Unavailable`], until [`MemoryStore::recover`].
    pub fn break_down(&self) {
        self.shared.down.store(true, Ordering::SeqCst);
        self.shared.wrote.notify_waiters();
    }

    /// Ends [`MemoryStore::break_down`] and [`MemoryStore::lose_notifications`].
    pub fn recover(&self) {
        self.shared.down.store(false, Ordering::SeqCst);
        self.shared.deaf.store(false, Ordering::SeqCst);
    }

    /// From now on [`RegistryStore::changed`] fails at once, until [`MemoryStore::recover`].
    pub fn lose_notifications(&self) {
        self.shared.deaf.store(true, Ordering::SeqCst);
        self.shared.wrote.notify_waiters();
    }

    /// Calls so far, failed ones too: what a cache saves.
    pub fn calls(&self) -> u64 {
        self.shared.calls.load(Ordering::SeqCst)
    }

    fn read<T>(&self, statement: &'static str, f: impl FnOnce(&State) -> T) -> StoreResult<T> {
        self.reachable(statement)?;
        Ok(f(&self.shared.state.lock()))
    }

    fn write<T>(&self, statement: &'static str, f: impl FnOnce(&mut State) -> StoreResult<T>) -> StoreResult<T> {
        self.reachable(statement)?;
        let result = f(&mut self.shared.state.lock());
        if result.is_ok() {
            self.shared.wrote.notify_waiters();
        }
        result
    }

    fn reachable(&self, statement: &'static str) -> StoreResult<()> {
        self.shared.calls.fetch_add(1, Ordering::SeqCst);
        if self.shared.down.load(Ordering::SeqCst) {
            return Err(StoreError::Unavailable { statement, cause: "switched off".into() });
        }
        Ok(())
    }
}

#[async_trait]
impl RegistryStore for MemoryStore {
    async fn content_by_id(&self, context: &ContextName, id: SchemaId) -> StoreResult<Option<Arc<Content>>> {
        self.read("content_by_id", |s| s.content(context, id))
    }

    async fn id_by_guid(&self, context: &ContextName, guid: Guid) -> StoreResult<Option<SchemaId>> {
        self.read("id_by_guid", |s| s.id_by_guid(context, guid))
    }

    async fn ids_by_guid(&self, guid: Guid) -> StoreResult<Vec<(ContextName, SchemaId)>> {
        self.read("ids_by_guid", |s| s.ids_by_guid(guid))
    }

    async fn subject(&self, subject: &SubjectName) -> StoreResult<SubjectState> {
        self.read("subject", |s| s.subject(subject))
    }

    async fn subject_revision(&self, subject: &SubjectName) -> StoreResult<Revision> {
        self.read("subject_revision", |s| s.revision(subject))
    }

    async fn subjects(&self, contexts: &Contexts, prefix: &str, view: View) -> StoreResult<Vec<SubjectName>> {
        self.read("subjects", |s| s.select(contexts, prefix, view).map(|(name, _)| name.clone()).collect())
    }

    async fn subject_states(
        &self,
        contexts: &Contexts,
        prefix: &str,
        view: View,
    ) -> StoreResult<Vec<(SubjectName, SubjectState)>> {
        self.read("subject_states", |s| {
            s.select(contexts, prefix, view).map(|(name, _)| (name.clone(), s.subject(name))).collect()
        })
    }

    async fn usages(&self, context: &ContextName, id: SchemaId) -> StoreResult<Vec<Usage>> {
        self.read("usages", |s| s.usages(context, id))
    }

    async fn referrers(&self, subject: &SubjectName, version: Version) -> StoreResult<Vec<Referrer>> {
        self.read("referrers", |s| s.referrers(subject, version))
    }

    async fn max_id(&self, context: &ContextName) -> StoreResult<SchemaId> {
        self.read("max_id", |s| s.max_id(context))
    }

    async fn settings(&self, scope: &Scope) -> StoreResult<ScopeSettings> {
        self.read("settings", |s| s.settings(scope))
    }

    async fn subject_configs(&self, contexts: &Contexts, prefix: &str) -> StoreResult<Vec<(SubjectName, Arc<Config>)>> {
        self.read("subject_configs", |s| s.subject_configs(contexts, prefix))
    }

    async fn associations(&self, of: &AssociationsOf) -> StoreResult<Vec<Association>> {
        self.read("associations", |s| s.associations(of))
    }

    async fn contexts(&self) -> StoreResult<Vec<ContextName>> {
        self.read("contexts", State::contexts)
    }

    async fn commit_version(&self, new: NewVersion, on: Preconditions) -> StoreResult<Committed> {
        self.write("commit_version", |s| {
            s.check(&new.subject, &on)?;
            s.commit(new)
        })
    }

    async fn delete_versions(&self, subject: &SubjectName, delete: Delete, on: Preconditions) -> StoreResult<Deleted> {
        self.write("delete_versions", |s| {
            s.check(subject, &on)?;
            Ok(s.delete(subject, &delete))
        })
    }

    async fn write_settings(&self, scope: &Scope, write: SettingsWrite, on: Preconditions) -> StoreResult<Revision> {
        self.write("write_settings", |s| {
            match scope {
                Scope::Subject(subject) => s.check(subject, &on)?,
                Scope::AllContexts | Scope::Context(_) => s.check_others(&on)?,
            }
            Ok(s.write_settings(scope, write))
        })
    }

    async fn write_associations(&self, write: AssociationWrite) -> StoreResult<()> {
        self.write("write_associations", |s| s.write_associations(write))
    }

    async fn delete_modes(&self, context: &ContextName) -> StoreResult<()> {
        self.write("delete_modes", |s| {
            s.delete_modes(context);
            Ok(())
        })
    }

    async fn delete_context(&self, context: &ContextName) -> StoreResult<bool> {
        self.write("delete_context", |s| Ok(s.delete_context(context)))
    }

    async fn change_cursor(&self) -> StoreResult<ChangeCursor> {
        self.read("change_cursor", |s| ChangeCursor(s.position().to_string()))
    }

    async fn changes_since(&self, cursor: &ChangeCursor) -> StoreResult<(Vec<Change>, ChangeCursor)> {
        let since: u64 = cursor.0.parse().unwrap_or(0);
        self.read("changes_since", |s| (s.changes_since(since), ChangeCursor(s.position().to_string())))
    }

    async fn changed(&self) -> StoreResult<()> {
        let lost = || StoreError::Unavailable { statement: "changed", cause: "notifications lost".into() };
        if self.shared.deaf.load(Ordering::SeqCst) || self.shared.down.load(Ordering::SeqCst) {
            return Err(lost());
        }
        self.shared.wrote.notified().await;
        if self.shared.deaf.load(Ordering::SeqCst) || self.shared.down.load(Ordering::SeqCst) {
            return Err(lost());
        }
        Ok(())
    }

    async fn ping(&self) -> StoreResult<()> {
        self.reachable("ping")
    }
}

#[cfg(test)]
mod tests {
    use super::MemoryStore;

    crate::store_conformance!(async { MemoryStore::new() });

    crate::store_conformance_of_two!(async {
        let one = MemoryStore::new();
        (one.clone(), one)
    });
}
