//! What the in-memory store holds, and every change of it. Pure: no lock, no clock.
//!
//! Invariant: `contents` of a context holds exactly the ids that some version of it uses; `by_guid` points into it.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use sluice_schema::{Guid, SchemaId, Version};

use crate::store::*;
use crate::{Association, Config, Content, ContextName, Mode, Scope, SubjectName};

/// Whether a list of these contexts and this prefix holds the name.
pub(super) fn is_listed(name: &SubjectName, contexts: &Contexts, prefix: &str) -> bool {
    let inside = match contexts {
        Contexts::All => true,
        Contexts::One(context) => name.context() == context,
    };
    inside && name.name().starts_with(prefix)
}

#[derive(Default)]
pub(super) struct State {
    pub(super) associations: Vec<Association>,
    contexts: BTreeMap<ContextName, Context>,
    subjects: BTreeMap<SubjectName, Subject>,
    settings: HashMap<Scope, ScopeSettings>,
    position: u64,
    changes: HashMap<Change, u64>,
}

#[derive(Default)]
struct Context {
    listed: bool,
    max_id: i32,
    contents: HashMap<SchemaId, Arc<Content>>,
    by_guid: HashMap<Guid, SchemaId>,
}

/// Outlives its versions, so that its revision never repeats.
#[derive(Default)]
pub(super) struct Subject {
    revision: i64,
    versions: BTreeMap<Version, Row>,
}

pub(super) struct Row {
    id: SchemaId,
    deleted: bool,
    ts: i64,
    written: i64,
    references: Vec<(SubjectName, Version)>,
}

impl Subject {
    fn shows_in(&self, view: View) -> bool {
        let live = self.versions.values().any(|row| !row.deleted);
        match view {
            View::Live => live,
            View::WithDeleted => !self.versions.is_empty(),
            View::DeletedOnly => !live && !self.versions.is_empty(),
        }
    }
}

impl State {
    pub(super) fn content(&self, context: &ContextName, id: SchemaId) -> Option<Arc<Content>> {
        self.contexts.get(context)?.contents.get(&id).cloned()
    }

    pub(super) fn id_by_guid(&self, context: &ContextName, guid: Guid) -> Option<SchemaId> {
        self.contexts.get(context)?.by_guid.get(&guid).copied()
    }

    /// The default context sorts first by itself: `.` is a prefix of every other name.
    pub(super) fn ids_by_guid(&self, guid: Guid) -> Vec<(ContextName, SchemaId)> {
        self.contexts
            .iter()
            .filter_map(|(name, context)| context.by_guid.get(&guid).map(|id| (name.clone(), *id)))
            .collect()
    }

    pub(super) fn subject(&self, name: &SubjectName) -> SubjectState {
        let Some(subject) = self.subjects.get(name) else { return SubjectState::default() };
        let versions = subject
            .versions
            .iter()
            .filter_map(|(version, row)| {
                let guid = self.content(name.context(), row.id)?.guid;
                Some(VersionRow { version: *version, id: row.id, guid, deleted: row.deleted, ts: row.ts })
            })
            .collect();
        SubjectState { revision: Revision(subject.revision), versions }
    }

    pub(super) fn revision(&self, name: &SubjectName) -> Revision {
        Revision(self.subjects.get(name).map_or(0, |subject| subject.revision))
    }

    pub(super) fn select<'a>(
        &'a self,
        contexts: &'a Contexts,
        prefix: &'a str,
        view: View,
    ) -> impl Iterator<Item = (&'a SubjectName, &'a Subject)> {
        self.subjects.iter().filter(move |(name, subject)| is_listed(name, contexts, prefix) && subject.shows_in(view))
    }

    pub(super) fn usages(&self, context: &ContextName, id: SchemaId) -> Vec<Usage> {
        let inside = self.subjects.iter().filter(|(name, _)| name.context() == context);
        let mut usages: Vec<Usage> = inside
            .filter_map(|(name, subject)| {
                let uses = subject.versions.iter().filter(|(_, row)| row.id == id);
                let (version, row) = uses.max_by_key(|(version, row)| (row.written, **version))?;
                Some(Usage { subject: name.clone(), version: *version, deleted: row.deleted })
            })
            .collect();
        usages.sort_by(|a, b| a.subject.name().cmp(b.subject.name()));
        usages
    }

    pub(super) fn references<'a>(
        &'a self,
        target: &'a SubjectName,
    ) -> impl Iterator<Item = (&'a SubjectName, Version, &'a Row, Version)> {
        self.subjects.iter().flat_map(move |(name, subject)| {
            subject.versions.iter().flat_map(move |(version, row)| {
                let to_target = row.references.iter().filter(move |(to, _)| to == target);
                to_target.map(move |(_, at)| (name, *version, row, *at))
            })
        })
    }

    pub(super) fn referrers(&self, target: &SubjectName, version: Version) -> Vec<Referrer> {
        let mut referrers: Vec<Referrer> = self
            .references(target)
            .filter(|(.., at)| *at == version)
            .map(|(subject, version, row, _)| Referrer {
                subject: subject.clone(),
                version,
                id: row.id,
                deleted: row.deleted,
            })
            .collect();
        referrers.sort_by(|a, b| {
            let key = |r: &Referrer| (r.subject.context().clone(), r.id, r.subject.clone(), r.version);
            key(a).cmp(&key(b))
        });
        referrers.dedup();
        referrers
    }

    pub(super) fn max_id(&self, context: &ContextName) -> SchemaId {
        SchemaId(self.contexts.get(context).map_or(0, |context| context.max_id))
    }

    pub(super) fn settings(&self, scope: &Scope) -> ScopeSettings {
        self.settings.get(scope).cloned().unwrap_or_default()
    }

    pub(super) fn subject_configs(&self, contexts: &Contexts, prefix: &str) -> Vec<(SubjectName, Arc<Config>)> {
        let mut configs: Vec<(SubjectName, Arc<Config>)> = self
            .settings
            .iter()
            .filter_map(|(scope, settings)| match scope {
                Scope::Subject(name) if is_listed(name, contexts, prefix) => {
                    Some((name.clone(), settings.config.clone()?))
                }
                _ => None,
            })
            .collect();
        configs.sort_by(|(one, _), (other, _)| one.cmp(other));
        configs
    }

    pub(super) fn contexts(&self) -> Vec<ContextName> {
        let listed = self.contexts.iter().filter(|(_, context)| context.listed).map(|(name, _)| name.clone());
        let names: BTreeSet<ContextName> = listed.chain([ContextName::default_context()]).collect();
        names.into_iter().collect()
    }

    /// `Err(Conflict)` unless everything the decision was taken on still stands.
    pub(super) fn check(&self, subject: &SubjectName, on: &Preconditions) -> StoreResult<()> {
        match on.subject_revision {
            Some(expected) if expected != self.revision(subject) => Err(StoreError::Conflict),
            _ => self.check_others(on),
        }
    }

    pub(super) fn check_others(&self, on: &Preconditions) -> StoreResult<()> {
        let settings_hold = on.settings.iter().all(|(scope, revision)| self.settings(scope).revision == *revision);
        let references_hold = on.references.iter().all(|(target, version, live)| {
            let row = self.subjects.get(target).and_then(|subject| subject.versions.get(version));
            row.is_some_and(|row| !row.deleted || *live == RequireLive::No) && !self.has_strong_association(target)
        });
        if settings_hold && references_hold { Ok(()) } else { Err(StoreError::Conflict) }
    }

    pub(super) fn commit(&mut self, new: NewVersion) -> StoreResult<Committed> {
        let context = self.contexts.entry(new.subject.context().clone()).or_default();
        let guid = new.content.guid;
        let next = context.max_id.checked_add(1).map(SchemaId);
        let id = match new.id {
            IdChoice::ByContent => context.by_guid.get(&guid).copied().or(next),
            IdChoice::Explicit(id) => Some(id),
        };
        let Some(id) = id else {
            return Err(StoreError::Inconsistent { statement: "commit", cause: "all ids are given".to_owned() });
        };
        if context.contents.get(&id).is_some_and(|there| *there != new.content) {
            return Ok(Committed::IdTaken(id));
        }
        context.max_id = context.max_id.max(id.0);
        context.contents.entry(id).or_insert_with(|| new.content.clone());
        context.by_guid.insert(guid, id);
        let newly_listed = !std::mem::replace(&mut context.listed, true);

        let subject = self.subjects.entry(new.subject.clone()).or_default();
        subject.revision += 1;
        let revision = subject.revision;
        let row = Row { id, deleted: false, ts: new.ts, written: revision, references: new.references };
        let replaced = subject.versions.insert(new.version, row);

        if new.tombstone_same_id {
            let referenced: HashSet<Version> = self.references(&new.subject).map(|(.., at)| at).collect();
            if let Some(subject) = self.subjects.get_mut(&new.subject) {
                subject.versions.retain(|version, row| {
                    !(row.deleted && row.id == id && *version < new.version) || referenced.contains(version)
                });
            }
        }
        if let Some(replaced) = replaced {
            self.drop_unused(new.subject.context(), &[replaced.id]);
        }
        self.note(Change::Subject(new.subject));
        if newly_listed {
            self.note(Change::Contexts);
        }
        Ok(Committed::Written { id, revision: Revision(revision) })
    }

    pub(super) fn delete(&mut self, name: &SubjectName, delete: &Delete) -> Deleted {
        let (versions, permanent) = match delete {
            Delete::Soft(versions) => (versions, false),
            Delete::Permanent(versions) => (versions, true),
        };
        let leaving: HashSet<Version> = versions.iter().copied().collect();
        let blocked = self
            .references(name)
            .filter(|(.., at)| leaving.contains(at))
            .filter(|(from, version, ..)| !(*from == name && leaving.contains(version)))
            .filter(|(_, _, row, _)| permanent || !row.deleted)
            .map(|(.., at)| at)
            .min();
        if let Some(version) = blocked {
            return Deleted::Referenced(version);
        }
        let Some(subject) = self.subjects.get_mut(name) else { return Deleted::Done(Revision(0)) };
        subject.revision += 1;
        let revision = Revision(subject.revision);
        let mut ids = Vec::new();
        for version in versions {
            if permanent {
                ids.extend(subject.versions.remove(version).map(|row| row.id));
            } else if let Some(row) = subject.versions.get_mut(version) {
                row.deleted = true;
            }
        }
        let emptied = subject.versions.is_empty();
        if permanent {
            self.drop_unused(name.context(), &ids);
            let scope = Scope::Subject(name.clone());
            let had = self.settings(&scope);
            if emptied && (had.config.is_some() || had.mode.is_some()) {
                self.write_settings(&scope, SettingsWrite { config: Some(None), mode: Some(None) });
            }
        }
        self.note(Change::Subject(name.clone()));
        Deleted::Done(revision)
    }

    /// Contents without a version go; a second id of the same content, if there is one, takes over the hash.
    fn drop_unused(&mut self, context: &ContextName, ids: &[SchemaId]) {
        let used: HashSet<SchemaId> = self
            .subjects
            .iter()
            .filter(|(name, _)| name.context() == context)
            .flat_map(|(_, subject)| subject.versions.values().map(|row| row.id))
            .collect();
        let Some(context) = self.contexts.get_mut(context) else { return };
        for id in ids.iter().filter(|id| !used.contains(id)) {
            let Some(content) = context.contents.remove(id) else { continue };
            if context.by_guid.get(&content.guid) == Some(id) {
                let heirs = context.contents.iter().filter(|(_, other)| other.guid == content.guid);
                match heirs.map(|(id, _)| *id).max() {
                    Some(heir) => context.by_guid.insert(content.guid, heir),
                    None => context.by_guid.remove(&content.guid),
                };
            }
        }
    }

    pub(super) fn write_settings(&mut self, scope: &Scope, write: SettingsWrite) -> Revision {
        let settings = self.settings.entry(scope.clone()).or_default();
        settings.revision.0 += 1;
        if let Some(config) = write.config {
            settings.config = config.map(Arc::new);
        }
        if let Some(mode) = write.mode {
            settings.mode = mode;
        }
        let revision = settings.revision;
        self.note(Change::Settings(scope.clone()));
        revision
    }

    pub(super) fn delete_modes(&mut self, context: &ContextName) {
        let has_mode = |mode: &Option<Mode>| mode.is_some();
        let scopes: Vec<Scope> = self
            .settings
            .iter()
            .filter(|(_, settings)| has_mode(&settings.mode))
            .map(|(scope, _)| scope.clone())
            .filter(|scope| match scope {
                Scope::AllContexts => false,
                Scope::Context(name) => name == context,
                Scope::Subject(subject) => subject.context() == context,
            })
            .collect();
        for scope in scopes {
            self.write_settings(&scope, SettingsWrite { config: None, mode: Some(None) });
        }
    }

    pub(super) fn delete_context(&mut self, name: &ContextName) -> bool {
        let holds = |(subject, held): (&SubjectName, &Subject)| subject.context() == name && !held.versions.is_empty();
        if self.subjects.iter().any(holds) {
            return false;
        }
        if let Some(context) = self.contexts.get_mut(name)
            && std::mem::replace(&mut context.listed, false)
        {
            self.note(Change::Contexts);
        }
        true
    }

    pub(super) fn position(&self) -> u64 {
        self.position
    }

    pub(super) fn changes_since(&self, since: u64) -> Vec<Change> {
        let mut changes: Vec<(&Change, &u64)> = self.changes.iter().filter(|(_, at)| **at > since).collect();
        changes.sort_by_key(|(_, at)| **at);
        changes.into_iter().map(|(change, _)| change.clone()).collect()
    }

    /// Raises the revision of a subject that is there.
    pub(super) fn touch(&mut self, name: &SubjectName) {
        if let Some(subject) = self.subjects.get_mut(name) {
            subject.revision += 1;
            self.note(Change::Subject(name.clone()));
        }
    }

    fn note(&mut self, change: Change) {
        self.position += 1;
        self.changes.insert(change, self.position);
    }
}
