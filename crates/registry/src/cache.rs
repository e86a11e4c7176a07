//! What a node remembers of the store, weighed in bytes, under one cap.
//!
//! Two kinds. *Content by id* never changes and is kept until it is pushed out. *Everything else* holds as of a revision:
//! a write of this node or a change of another one forgets it. Refusals are never kept, nor are empty subjects.
//!
//! The invariant that makes forgetting safe: a value read from the store is put in under the [`Stamp`] taken *before*
//! the read, and taken out again if the stamp has moved meanwhile. So a change that overtakes a slow read wins. Answers
//! carry the stamp of what they were made from, and count only while it still stands.
//!
//! To add a cache: a field, its share in [`SHARES`], a line in `sizes`; if it is bound to a revision, forget it in
//! [`Caches::forget_subject`] or check a stamp.

mod epochs;
mod names;
mod weighed;

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use sluice_schema::{Guid, Schema, SchemaId, SchemaType, Version};

use crate::candidate::{ParsedSchema, Weight};
use crate::load::Subject;
use crate::store::{Revision, ScopeSettings, SubjectState, VersionRow};
use crate::{Content, ContextName, Metadata, Rule, RuleSet, SchemaEntity, Scope, SubjectName, UsableSchema};
pub use epochs::Stamp;
use epochs::{Epochs, Mark};
pub(crate) use names::{Known, NameList, Names, Standing};
use weighed::Weighed;

/// Per mille of the cap that each cache may fill.
const SHARES: &[(&str, u64)] = &[
    ("contents", 180),
    ("schemas", 310),
    ("subjects", 140),
    ("settings", 40),
    ("answers_by_id", 120),
    ("answers_by_request", 50),
    ("schemas_by_text", 40),
    ("names", 120),
];

/// Versions of other subjects that cached schemas were parsed with, at most.
const MOST_RESOLVED: usize = 65_536;

/// The answer of a lookup by id, and what it was made from.
#[derive(Clone)]
pub(crate) struct AnswerById {
    pub(crate) entity: Arc<SchemaEntity>,
    pub(crate) answer: Bytes,
    stamp: Stamp,
}

#[derive(Clone)]
struct AnswerToRequest {
    answer: Bytes,
    stamp: Stamp,
}

/// What an inline text stands for under a subject. The schema itself is in its own cache, which weighs it.
#[derive(Clone)]
struct ByText {
    id: SchemaId,
    version: Option<(SubjectName, Version)>,
    stamp: Stamp,
}

/// Bytes and entries of one cache.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) cache: &'static str,
    pub(crate) bytes: u64,
    pub(crate) entries: u64,
}

type IdKey = (ContextName, SchemaId);
type TextKey = (SubjectName, SchemaType, u128);

/// All caches of one registry.
pub(crate) struct Caches {
    epochs: Epochs,
    contents: Weighed<IdKey, Arc<Content>>,
    schemas: Weighed<IdKey, (Arc<Schema>, Weight)>,
    subjects: Weighed<SubjectName, Arc<SubjectState>>,
    settings: Weighed<Scope, Arc<ScopeSettings>>,
    answers_by_id: Weighed<IdKey, AnswerById>,
    answers_by_request: Weighed<(SubjectName, u128), AnswerToRequest>,
    by_text: Weighed<TextKey, ByText>,
    pub(crate) names: Names,
    /// Which versions of other subjects the cached schemas were parsed with. An import may put other content under a
    /// version's number; then they are all parsed again.
    resolved: Mutex<HashMap<SubjectName, HashMap<Version, Guid>>>,
}

impl Caches {
    /// Empty ones that hold at most `cap_bytes` together.
    pub(crate) fn new(cap_bytes: u64) -> Caches {
        let share = |name: &str| {
            let per_mille = SHARES.iter().find(|(known, _)| *known == name).map_or(0, |(_, share)| *share);
            cap_bytes / 1000 * per_mille
        };
        Caches {
            epochs: Epochs::new(),
            contents: Weighed::new(share("contents"), |_, content: &Arc<Content>| weight_of_content(content)),
            schemas: Weighed::new(share("schemas"), |_, (_, weight): &(Arc<Schema>, Weight)| weight.bytes),
            subjects: Weighed::new(share("subjects"), |name: &SubjectName, state: &Arc<SubjectState>| {
                weight_of_name(name) + size_of::<SubjectState>() + state.versions.len() * size_of::<VersionRow>()
            }),
            settings: Weighed::new(share("settings"), |scope, settings: &Arc<ScopeSettings>| {
                weight_of_scope(scope) + weight_of_settings(settings)
            }),
            // The content may live on here alone.
            answers_by_id: Weighed::new(share("answers_by_id"), |_, entry: &AnswerById| {
                let AnswerById { entity, answer, stamp: _ } = entry;
                let shown = size_of::<SchemaEntity>() + weight_of_name(&entity.subject);
                answer.len() + shown + weight_of_content(&entity.content)
            }),
            answers_by_request: Weighed::new(share("answers_by_request"), |key: &(SubjectName, u128), entry| {
                let AnswerToRequest { answer, .. } = entry;
                weight_of_name(&key.0) + answer.len()
            }),
            by_text: Weighed::new(share("schemas_by_text"), |key: &TextKey, _: &ByText| {
                2 * weight_of_name(&key.0) + size_of::<TextKey>() + size_of::<ByText>()
            }),
            names: Names::new(share("names")),
            resolved: Mutex::default(),
        }
    }

    /// Where the caches stand for this subject: take it before reading from the store.
    pub(crate) fn stamp(&self, subject: &SubjectName) -> Stamp {
        self.epochs.stamp(subject)
    }

    /// The same for a scope's settings.
    fn mark(&self) -> Mark {
        self.epochs.mark()
    }

    // --- content by id: for good

    pub(crate) fn content(&self, context: &ContextName, id: SchemaId) -> Option<Arc<Content>> {
        self.contents.get(&(context.clone(), id))
    }

    pub(crate) fn keep_content(&self, context: &ContextName, id: SchemaId, content: &Arc<Content>) {
        self.contents.insert((context.clone(), id), content.clone());
    }

    pub(crate) fn schema(&self, context: &ContextName, id: SchemaId) -> Option<Arc<Schema>> {
        let key = (context.clone(), id);
        let (schema, weight) = self.schemas.get(&key)?;
        if !weight.holds_for(&schema) {
            // It was used since, and has grown.
            self.schemas.insert(key, (schema.clone(), Weight::of(&schema)));
        }
        Some(schema)
    }

    /// Keeps a parsed schema; `through` are the versions that its references were resolved to.
    pub(crate) fn keep_schema(
        &self,
        context: &ContextName,
        id: SchemaId,
        schema: &ParsedSchema,
        through: &[(SubjectName, Version, Guid)],
    ) {
        if !through.is_empty() {
            let mut resolved = self.resolved.lock();
            if resolved.len() >= MOST_RESOLVED {
                resolved.clear();
                self.schemas.invalidate_all();
            }
            for (subject, version, guid) in through {
                resolved.entry(subject.clone()).or_default().insert(*version, *guid);
            }
        }
        self.schemas.insert((context.clone(), id), (schema.schema.clone(), schema.weight));
    }

    /// Whether cached schemas were parsed with versions of this subject.
    pub(crate) fn is_resolved_through(&self, subject: &SubjectName) -> bool {
        self.resolved.lock().contains_key(subject)
    }

    /// Drops all parsed schemas if one of them was parsed with another content than `state` has under that number.
    pub(crate) fn check_resolved(&self, subject: &SubjectName, state: &SubjectState) {
        let mut resolved = self.resolved.lock();
        let Some(used) = resolved.get(subject) else { return };
        let replaced = state.versions.iter().any(|row| used.get(&row.version).is_some_and(|guid| *guid != row.guid));
        if replaced {
            resolved.clear();
            self.schemas.invalidate_all();
            self.by_text.invalidate_all();
        }
    }

    // --- subjects and settings: as of a revision

    pub(crate) fn subject(&self, subject: &SubjectName) -> Option<Arc<SubjectState>> {
        self.subjects.get(subject)
    }

    /// Keeps a state read after `stamp` was taken. An empty one is a refusal in waiting and is not kept.
    pub(crate) fn keep_subject(&self, subject: &SubjectName, state: &Arc<SubjectState>, stamp: Stamp) {
        if state.versions.is_empty() {
            return;
        }
        self.subjects.insert(subject.clone(), state.clone());
        if self.stamp(subject) != stamp {
            self.subjects.invalidate(subject);
        }
    }

    /// The subject was written: nothing that was known about it counts any more.
    pub(crate) fn forget_subject(&self, subject: &SubjectName) {
        self.epochs.move_subject(subject);
        self.subjects.invalidate(subject);
        self.names.touch(subject);
    }

    /// This node wrote a version on top of `before`; the new state is kept if nobody else wrote since that was read.
    pub(crate) fn wrote_version(&self, before: &Subject, row: VersionRow, revision: Revision) {
        let name = &before.name;
        let moved = self.epochs.move_subject(name);
        self.subjects.invalidate(name);
        if before.latest().is_none() {
            self.names.touch(name);
        }
        let mut versions = before.state.versions.clone();
        let replaced = versions.iter().position(|old| old.version == row.version);
        // The store may have removed soft-deleted versions of the same id, or not: only it knows.
        let is_known = !versions.iter().any(|old| old.deleted && old.id == row.id && old.version < row.version);
        match replaced {
            Some(at) => versions[at] = row,
            None => {
                let at = versions.partition_point(|old| old.version < row.version);
                versions.insert(at, row);
            }
        }
        let state = Arc::new(SubjectState { revision, versions });
        if replaced.is_some() {
            self.check_resolved(name, &state);
        }
        if is_known && moved.is_next_after(before.stamp) {
            self.keep_subject(name, &state, moved);
        }
    }

    pub(crate) fn settings(&self, scope: &Scope) -> Option<Arc<ScopeSettings>> {
        self.settings.get(scope)
    }

    /// Reads settings through the cache.
    pub(crate) async fn load_settings<E>(
        &self,
        scope: &Scope,
        load: impl Future<Output = Result<ScopeSettings, E>>,
    ) -> Result<Arc<ScopeSettings>, E> {
        let mark = self.mark();
        let settings = Arc::new(load.await?);
        self.settings.insert(scope.clone(), settings.clone());
        if self.mark() != mark {
            self.settings.invalidate(scope);
        }
        Ok(settings)
    }

    /// Settings were written somewhere: every remembered answer depends on some, so none counts any more.
    pub(crate) fn forget_settings(&self, scope: &Scope) {
        self.epochs.move_all();
        self.settings.invalidate(scope);
    }

    /// Settings of unknown scopes were written.
    pub(crate) fn forget_all_settings(&self) {
        self.epochs.move_all();
        self.settings.invalidate_all();
    }

    /// Remembered answers no longer count.
    pub(crate) fn forget_answers(&self) {
        self.epochs.move_all();
    }

    /// Everything bound to a revision, after changes may have been missed.
    pub(crate) fn forget_all_revisions(&self) {
        self.epochs.move_all();
        self.subjects.invalidate_all();
        self.settings.invalidate_all();
        self.names.forget();
    }

    // --- answers

    /// The answer by id, if what it shows has not been written since.
    pub(crate) fn answer_by_id(&self, context: &ContextName, id: SchemaId) -> Option<AnswerById> {
        self.last_answer_by_id(context, id).filter(|entry| self.stamp(&entry.entity.subject) == entry.stamp)
    }

    /// The last answer by id, current or not: for when the store cannot be asked.
    pub(crate) fn last_answer_by_id(&self, context: &ContextName, id: SchemaId) -> Option<AnswerById> {
        self.answers_by_id.get(&(context.clone(), id))
    }

    /// Keeps an answer, if the entity says as of when it holds.
    pub(crate) fn keep_answer_by_id(&self, context: &ContextName, id: SchemaId, entity: &SchemaEntity, answer: Bytes) {
        let Some(stamp) = entity.as_of else { return };
        let entry = AnswerById { entity: Arc::new(entity.clone()), answer, stamp };
        self.answers_by_id.insert((context.clone(), id), entry);
    }

    pub(crate) fn answer_to_request(&self, subject: &SubjectName, digest: u128) -> Option<Bytes> {
        let entry = self.answers_by_request.get(&(subject.clone(), digest))?;
        (self.stamp(subject) == entry.stamp).then_some(entry.answer)
    }

    pub(crate) fn keep_answer_to_request(&self, subject: &SubjectName, digest: u128, stamp: Stamp, answer: Bytes) {
        self.answers_by_request.insert((subject.clone(), digest), AnswerToRequest { answer, stamp });
    }

    /// What a text stands for, and whether that still holds; nothing once its schema was pushed out.
    pub(crate) fn by_text(
        &self,
        subject: &SubjectName,
        schema_type: SchemaType,
        hash: u128,
    ) -> Option<(UsableSchema, bool)> {
        let entry = self.by_text.get(&(subject.clone(), schema_type, hash))?;
        let holds = self.stamp(subject) == entry.stamp;
        let schema = self.schema(subject.context(), entry.id)?;
        Some((UsableSchema { id: entry.id, subject: entry.version, schema }, holds))
    }

    pub(crate) fn keep_by_text(
        &self,
        subject: &SubjectName,
        schema_type: SchemaType,
        hash: u128,
        usable: &UsableSchema,
        stamp: Stamp,
    ) {
        let entry = ByText { id: usable.id, version: usable.subject.clone(), stamp };
        self.by_text.insert((subject.clone(), schema_type, hash), entry);
    }

    /// Bytes and entries now. Runs what maintenance is pending, so that the numbers are true.
    pub(crate) fn sizes(&self) -> [Size; 8] {
        [
            self.contents.size("contents"),
            self.schemas.size("schemas"),
            self.subjects.size("subjects"),
            self.settings.size("settings"),
            self.answers_by_id.size("answers_by_id"),
            self.answers_by_request.size("answers_by_request"),
            self.by_text.size("schemas_by_text"),
            self.names.size("names"),
        ]
    }
}

fn weight_of_name(name: &SubjectName) -> usize {
    size_of::<SubjectName>() + name.name().len() + 16
}

fn weight_of_scope(scope: &Scope) -> usize {
    match scope {
        Scope::AllContexts => 0,
        Scope::Context(context) => context.as_str().len(),
        Scope::Subject(subject) => weight_of_name(subject),
    }
}

fn weight_of_settings(settings: &ScopeSettings) -> usize {
    let config = settings.config.as_deref().map_or(0, |config| {
        let metadata = [&config.default_metadata, &config.override_metadata];
        let rules = [&config.default_rule_set, &config.override_rule_set];
        size_of_val(config)
            + metadata.into_iter().flatten().map(weight_of_metadata).sum::<usize>()
            + rules.into_iter().flatten().map(weight_of_rules).sum::<usize>()
    });
    size_of::<ScopeSettings>() + config
}

fn weight_of_content(content: &Content) -> usize {
    let references: usize = content.references.iter().map(|r| size_of_val(r) + r.name.len() + r.subject.len()).sum();
    size_of::<Content>()
        + content.text.len()
        + references
        + content.metadata.as_deref().map_or(0, weight_of_metadata)
        + content.rule_set.as_deref().map_or(0, weight_of_rules)
}

fn weight_of_metadata(metadata: &Metadata) -> usize {
    const STRING: usize = size_of::<String>() + 16;
    let tags: usize =
        metadata.tags.iter().map(|(k, v)| k.len() + v.iter().map(|tag| tag.len() + STRING).sum::<usize>()).sum();
    let properties: usize = metadata.properties.iter().map(|(k, v)| k.len() + v.len() + 2 * STRING).sum();
    let sensitive: usize = metadata.sensitive.iter().map(|name| name.len() + STRING).sum();
    size_of::<Metadata>() + tags + properties + sensitive
}

fn weight_of_rules(rules: &RuleSet) -> usize {
    let one = |rule: &Rule| {
        let texts = [
            &rule.name,
            &rule.doc,
            &rule.kind,
            &rule.mode,
            &rule.type_,
            &rule.expr,
            &rule.on_success,
            &rule.on_failure,
        ];
        size_of::<Rule>()
            + texts.into_iter().flatten().map(String::len).sum::<usize>()
            + rule.tags.iter().map(|tag| tag.len() + 40).sum::<usize>()
            + rule.params.iter().map(|(k, v)| k.len() + v.len() + 80).sum::<usize>()
    };
    let lists = [&rules.migration_rules, &rules.domain_rules, &rules.encoding_rules];
    size_of::<RuleSet>() + lists.into_iter().flatten().map(one).sum::<usize>()
}

#[cfg(test)]
mod tests;
