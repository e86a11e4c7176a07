//! Reading the store through the caches: subjects, settings in scope, contents, parsed schemas.
//!
//! A use case says how fresh a subject must be ([`Freshness`]). Decisions start from what is cached; before anything is
//! *refused*, the same decision is taken again on what the store says now. While the store cannot be reached, what is
//! cached goes on being served, and everything else fails with the store's error.

use std::sync::Arc;

use futures_util::future::try_join_all;
use sluice_schema::{Level, Schema, SchemaId, Version};

use crate::candidate::ParsedSchema;
use crate::store::{Revision, ScopeSettings, StoreError, SubjectState, VersionRow};
use crate::{Config, Content, ContextName, Error, Mode, Registry, Scope, Stamp, SubjectName};

/// How current a subject's state must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Freshness {
    /// As checked, but a subject that is not cached is supposed to be new. Only for a decision to write, which the store
    /// checks: a first version then costs no look at the subject before.
    Supposed,
    /// What the cache has; notifications keep it current.
    Cached,
    /// As cached, but its revision is checked while notifications do not arrive.
    Checked,
    /// As cached, but its revision is always checked: what another node has acknowledged is there.
    Confirmed,
    /// Read from the store now.
    Fresh,
}

/// A subject as it stood at some moment.
#[derive(Debug, Clone)]
pub(crate) struct Subject {
    pub(crate) name: SubjectName,
    pub(crate) state: Arc<SubjectState>,
    /// Taken before the state was read.
    pub(crate) stamp: Stamp,
    /// Whether the store was asked for it just now.
    pub(crate) fresh: bool,
}

impl Subject {
    /// Live versions, oldest first.
    pub(crate) fn live(&self) -> impl DoubleEndedIterator<Item = &VersionRow> {
        self.state.versions.iter().filter(|row| !row.deleted)
    }

    /// The highest live version.
    pub(crate) fn latest(&self) -> Option<&VersionRow> {
        self.live().next_back()
    }

    /// This version, deleted or not.
    pub(crate) fn version(&self, version: Version) -> Option<&VersionRow> {
        let rows = &self.state.versions;
        rows.binary_search_by_key(&version, |row| row.version).ok().map(|at| &rows[at])
    }
}

/// Config and mode that apply to a subject, and the revisions they were read at.
#[derive(Debug, Clone)]
pub(crate) struct InScope {
    /// The subject's own config with what it inherits, or the whole config of the next scope that has one.
    pub(crate) config: Arc<Config>,
    /// The level to enforce.
    pub(crate) level: Level,
    /// The mode to enforce.
    pub(crate) mode: Mode,
    /// Every scope that was consulted.
    pub(crate) consulted: Vec<(Scope, Revision)>,
    /// Whether the store was asked for all of it just now.
    pub(crate) fresh: bool,
}

/// The scopes that apply to a subject, nearest first. A named context does not inherit from the default one.
pub(crate) fn scopes_of(subject: &SubjectName) -> Vec<Scope> {
    let context = Scope::Context(subject.context().clone());
    if subject.name().is_empty() {
        vec![context, Scope::AllContexts]
    } else {
        vec![Scope::Subject(subject.clone()), context, Scope::AllContexts]
    }
}

impl Registry {
    /// The subject, with an empty state if it never had a version.
    pub(crate) async fn load_subject(&self, name: &SubjectName, how: Freshness) -> Result<Subject, Error> {
        let inner = &self.inner;
        let stamp = inner.caches.stamp(name);
        let subject = |state, fresh| Subject { name: name.clone(), state, stamp, fresh };
        if !name.may_exist() {
            return Ok(subject(Arc::default(), true));
        }
        let cached = if how == Freshness::Fresh { None } else { inner.caches.subject(name) };
        if let Some(state) = cached {
            let is_current = match how {
                Freshness::Cached => true,
                Freshness::Supposed | Freshness::Checked => self.is_notified(),
                Freshness::Confirmed | Freshness::Fresh => false,
            };
            if is_current {
                return Ok(subject(state, false));
            }
            match inner.store.subject_revision(name).await {
                Ok(revision) if revision == state.revision => return Ok(subject(state, true)),
                Err(StoreError::Unavailable { .. }) => return Ok(subject(state, false)),
                Ok(_) => {}
                Err(error) => return Err(error.into()),
            }
        } else if how == Freshness::Supposed {
            return Ok(subject(Arc::default(), false));
        }
        let state = Arc::new(inner.store.subject(name).await?);
        inner.caches.keep_subject(name, &state, stamp);
        Ok(subject(state, true))
    }

    /// What `pick` finds in the subject; asks the store again before it says that there is nothing.
    pub(crate) async fn find_in_subject<T>(
        &self,
        name: &SubjectName,
        pick: impl Fn(&Subject) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        self.find_in_subject_as(name, Freshness::Cached, pick).await
    }

    /// The same, starting from a state as fresh as that.
    pub(crate) async fn find_in_subject_as<T>(
        &self,
        name: &SubjectName,
        how: Freshness,
        pick: impl Fn(&Subject) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let subject = self.load_subject(name, how).await?;
        match pick(&subject) {
            None if !subject.fresh => Ok(pick(&self.load_subject(name, Freshness::Fresh).await?)),
            found => Ok(found),
        }
    }

    /// Settings of one scope.
    pub(crate) async fn load_settings(&self, scope: &Scope, how: Freshness) -> Result<Arc<ScopeSettings>, Error> {
        let inner = &self.inner;
        if !scope.may_exist() {
            return Ok(Arc::default());
        }
        if how != Freshness::Fresh
            && let Some(settings) = inner.caches.settings(scope)
        {
            return Ok(settings);
        }
        Ok(inner.caches.load_settings(scope, inner.store.settings(scope)).await?)
    }

    /// Settings of one scope from the store; what is cached while the store cannot be reached.
    pub(crate) async fn current_settings(&self, scope: &Scope) -> Result<Arc<ScopeSettings>, Error> {
        match self.load_settings(scope, Freshness::Fresh).await {
            Err(Error::Store(StoreError::Unavailable { .. })) => self.load_settings(scope, Freshness::Cached).await,
            loaded => loaded,
        }
    }

    /// Config and mode that apply to a subject.
    pub(crate) async fn in_scope(&self, subject: &SubjectName, how: Freshness) -> Result<InScope, Error> {
        let scopes = scopes_of(subject);
        let loaded = try_join_all(scopes.iter().map(|scope| self.load_settings(scope, how))).await?;
        let mut settings: Vec<(Scope, Arc<ScopeSettings>)> = scopes.iter().cloned().zip(loaded).collect();
        let mode = settings.iter().find_map(|(_, settings)| settings.mode).unwrap_or(Mode::ReadWrite);
        let config = match settings.iter().position(|(_, settings)| settings.config.is_some()) {
            Some(0) => {
                let own = settings[0].1.config.clone().unwrap_or_default();
                let top = Scope::Context(ContextName::default_context());
                if scopes[0] == top {
                    own
                } else {
                    let top_settings = self.load_settings(&top, how).await?;
                    let filled = inherit(&own, top_settings.config.as_deref());
                    if scopes.iter().all(|scope| *scope != top) {
                        settings.push((top, top_settings));
                    }
                    Arc::new(filled)
                }
            }
            Some(at) => settings[at].1.config.clone().unwrap_or_default(),
            None => Arc::default(),
        };
        let level = match self.inner.declared.load().get(subject) {
            Some((level, _)) => *level,
            None => level_of(&config).unwrap_or(self.inner.config.default_level),
        };
        let consulted = settings.into_iter().map(|(scope, settings)| (scope, settings.revision)).collect();
        Ok(InScope { config, level, mode, consulted, fresh: how == Freshness::Fresh })
    }

    /// The content behind an id, or `None` if the context has no such id.
    pub(crate) async fn load_content(
        &self,
        context: &ContextName,
        id: SchemaId,
    ) -> Result<Option<Arc<Content>>, Error> {
        if let Some(content) = self.inner.caches.content(context, id) {
            return Ok(Some(content));
        }
        let content = self.inner.store.content_by_id(context, id).await?;
        if let Some(content) = &content {
            self.inner.caches.keep_content(context, id, content);
        }
        Ok(content)
    }

    /// The content of a version that a state names.
    pub(crate) async fn content_of(&self, subject: &SubjectName, row: &VersionRow) -> Result<Arc<Content>, Error> {
        // Gone between the two reads: the version went too.
        self.load_content(subject.context(), row.id)
            .await?
            .ok_or_else(|| Error::VersionNotFound { subject: subject.clone(), version: row.version.0 })
    }

    /// The parsed schema behind an id, with its references.
    pub(crate) async fn load_schema(
        &self,
        context: &ContextName,
        id: SchemaId,
        content: &Content,
    ) -> Result<Arc<Schema>, Error> {
        if let Some(schema) = self.inner.caches.schema(context, id) {
            return Ok(schema);
        }
        let resolution = self.resolve_stored(context, content).await?;
        let (schema_type, text) = (content.schema_type, content.text.clone());
        let (references, resolved) = (content.references.clone(), resolution.resolved);
        let size = text.len() + resolved.iter().map(|r| r.text.len()).sum::<usize>();
        let schema = self
            .off_thread(size, move || ParsedSchema::parse(schema_type, &text, references, resolved))
            .await?
            .map_err(|cause| Error::InvalidSchema { outline: None, cause })?;
        self.inner.counts.parsed.add(1);
        self.inner.caches.keep_schema(context, id, &schema, &resolution.through);
        Ok(schema.schema)
    }
}

/// The level that a config names.
pub(crate) fn level_of(config: &Config) -> Option<Level> {
    config.compatibility_level.as_deref().and_then(Level::from_wire)
}

/// What a config of its own still takes from the top level. Level, alias, metadata and rule sets are not inherited.
fn inherit(own: &Config, top: Option<&Config>) -> Config {
    let mut config = own.clone();
    let Some(top) = top else { return config };
    config.normalize = config.normalize.or(top.normalize);
    config.validate_fields = config.validate_fields.or(top.validate_fields);
    config.validate_new_schemas = config.validate_new_schemas.or(top.validate_new_schemas);
    config.validate_rules = config.validate_rules.or(top.validate_rules);
    config.compatibility_policy = config.compatibility_policy.or_else(|| top.compatibility_policy.clone());
    config.compatibility_group = config.compatibility_group.or_else(|| top.compatibility_group.clone());
    config
}
