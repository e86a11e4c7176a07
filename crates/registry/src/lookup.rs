//! `POST /subjects/{s}`, and the reads of subjects and versions.
//!
//! Unqualified names that find nothing in the default context are looked for in the others, by name of context; not so
//! for lists of versions. What is found is answered from the caches; nothing is called missing before the store said so.
//!
//! Source: schema-registry `AbstractSchemaRegistry#lookUpSchemaUnderSubject`, `#getUsingContexts`, 8.2.0;
//! schema-registry.md §1.4, §1.5, §2.3, §2.9.

use sluice_schema::{Format, SchemaId, Version};

use crate::candidate::{Among, Reader, Reading};
use crate::contract;
use crate::load::{Freshness, Subject};
use crate::register::{entity_of, look_up_validation};
use crate::store::{Contexts, RequireLive, VersionRow, View};
use crate::*;

/// Whether a text is normalised before it is looked for: if the request asks for it, or the config of the subject that
/// was named, wherever the text is then looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Normalizing<'a> {
    pub(crate) asked: Normalize,
    pub(crate) configured: &'a SubjectName,
}

impl Registry {
    /// `POST /subjects/{s}`
    pub async fn look_up(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        request: SchemaRequest,
        normalize: Normalize,
        include: Include,
        format: Format,
    ) -> Result<SchemaEntity, Error> {
        caller.check(Action::Read, &Resource::Subject(subject))?;
        let by = Normalizing { asked: normalize, configured: subject };
        if let Some(entity) = self.look_up_in(caller, subject, &request, by, include).await? {
            return self.rendered(entity, format).await;
        }
        for other in self.elsewhere(caller, subject).await? {
            // What cannot be read there, for want of a reference say, is not there.
            match self.look_up_in(caller, &other, &request, by, include).await {
                Ok(Some(entity)) => return self.rendered(entity, format).await,
                Ok(None) | Err(Error::InvalidSchema { .. } | Error::Forbidden) => {}
                Err(error) => return Err(error),
            }
        }
        let is_known = self.is_known(subject, include).await?;
        Err(if is_known { Error::SchemaNotFound(None) } else { Error::SubjectNotFound(subject.clone()) })
    }

    /// Whether a subject has any version in the view; of a name that is a context's alone, whether any subject there has.
    ///
    /// Source: schema-registry `InMemoryCache#matchingSubjectPredicate`, 8.2.0.
    pub(crate) async fn is_known(&self, subject: &SubjectName, include: Include) -> Result<bool, Error> {
        if subject.name().is_empty() && subject.may_exist() {
            let view = if include == Include::Deleted { View::WithDeleted } else { View::Live };
            let there = Contexts::One(subject.context().clone());
            return Ok(!self.inner.store.subjects(&there, "", view).await?.is_empty());
        }
        let found = self.find_in_subject(subject, |subject| has_versions(subject, include).then_some(())).await?;
        Ok(found.is_some())
    }

    /// The version of this very subject that holds the request's schema: as it stands, or with the contract that a
    /// registration would give it.
    pub(crate) async fn look_up_in(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        request: &SchemaRequest,
        by: Normalizing<'_>,
        include: Include,
    ) -> Result<Option<SchemaEntity>, Error> {
        let mut reader = Reader::default();
        let asked = contract::asked(request);
        for how in [Freshness::Cached, Freshness::Fresh] {
            let as_of = self.inner.caches.stamp(subject);
            let scope = self.in_scope(subject, how).await?;
            let configured = match by.configured == subject {
                true => scope.config.normalize,
                false => self.in_scope(by.configured, how).await?.config.normalize,
            };
            let normalizes = by.asked == Normalize::Yes || configured == Some(true);
            let normalize = if normalizes { Normalize::Yes } else { Normalize::No };
            let reading = Reading { normalize, validate: look_up_validation(&scope, request), live: RequireLive::No };
            let Some(candidate) = reader.read(self, caller, subject, request, reading).await? else { return Ok(None) };
            let current = self.load_subject(subject, how).await?;
            let mut found = candidate.find(self, &current, &asked, Among::Versions(include)).await?;
            if found.is_none()
                && let Some(latest) = current.latest()
            {
                let previous = self.content_of(subject, latest).await?;
                let previous = Some((previous.metadata.as_deref(), previous.rule_set.as_deref()));
                let merged = (asked.metadata.as_ref(), asked.rule_set.as_ref());
                let merged = contract::populate(&scope.config, merged, previous);
                if merged != asked {
                    found = candidate.find(self, &current, &merged, Among::Versions(include)).await?;
                }
            }
            if let Some(found) = found {
                let content = self.content_of(subject, &found.row).await?;
                let mut entity = entity_of(subject, &found.row, content, Some(as_of));
                if found.by_hash {
                    (entity.ts, entity.deleted) = (None, None);
                }
                return Ok(Some(entity));
            }
            if current.fresh && scope.fresh {
                break;
            }
        }
        Ok(None)
    }

    /// The same name in every other context, for a name in the default one; only what the caller may read.
    pub(crate) async fn elsewhere(&self, caller: &Caller, subject: &SubjectName) -> Result<Vec<SubjectName>, Error> {
        if !subject.context().is_default() {
            return Ok(Vec::new());
        }
        let contexts = self.inner.store.contexts().await?;
        let others = contexts.into_iter().filter(|context| !context.is_default());
        let names = others.map(|context| SubjectName::new(context, subject.name()));
        Ok(names.filter(|name| caller.may(Action::Read, &Resource::Subject(name))).collect())
    }

    /// `GET /subjects/{s}/versions`
    pub async fn versions(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        listing: VersionListing,
        page: Page,
    ) -> Result<Vec<i32>, Error> {
        caller.check(Action::Read, &Resource::Subject(subject))?;
        let (VersionListing::View(view) | VersionListing::DeletedAsNegative(view)) = listing;
        let include = if view == View::Live { Include::Live } else { Include::Deleted };
        let listed = self
            .find_in_subject(subject, |subject| {
                let shown = |row: &VersionRow| match (listing, row.deleted) {
                    (VersionListing::DeletedAsNegative(_), true) => Some(-row.version.0),
                    (VersionListing::View(View::Live), true) => None,
                    (VersionListing::View(View::DeletedOnly), false) => None,
                    _ => Some(row.version.0),
                };
                has_versions(subject, include).then(|| subject.state.versions.iter().filter_map(shown).collect())
            })
            .await?;
        match listed {
            Some(versions) => Ok(page.of(versions)),
            None if self.is_known(subject, include).await? => Ok(Vec::new()),
            None => Err(Error::SubjectNotFound(subject.clone())),
        }
    }

    /// `GET /subjects/{s}/versions/{v}`; falls back to other contexts for unqualified names.
    pub async fn version(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        version: VersionSpec,
        options: ReadOptions,
    ) -> Result<SchemaEntity, Error> {
        let entity = self.find_version(caller, subject, version, options.include).await?;
        self.shown(entity, &options).await
    }

    /// A version of the subject, or of the same name in another context.
    pub(crate) async fn find_version(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        version: VersionSpec,
        include: Include,
    ) -> Result<SchemaEntity, Error> {
        caller.check(Action::Read, &Resource::Subject(subject))?;
        let pick = |subject: &Subject| {
            let row = match version {
                VersionSpec::Latest => subject.latest(),
                VersionSpec::Number(number) => subject.version(Version(number)),
            };
            let row = row.filter(|row| include == Include::Deleted || !row.deleted)?;
            Some((row.clone(), subject.stamp))
        };
        // A number stands for good once it was seen; which one is the latest, another node may have changed just now.
        let how = match version {
            VersionSpec::Latest => Freshness::Confirmed,
            VersionSpec::Number(_) => Freshness::Cached,
        };
        let mut found = self.find_in_subject_as(subject, how, pick).await?.map(|found| (subject.clone(), found));
        if found.is_none() {
            for other in self.elsewhere(caller, subject).await? {
                if let Some(there) = self.find_in_subject_as(&other, how, pick).await? {
                    found = Some((other, there));
                    break;
                }
            }
        }
        let Some((name, (row, stamp))) = found else {
            let number = if let VersionSpec::Number(number) = version { number } else { -1 };
            return Err(match self.is_known(subject, include).await? {
                true => Error::VersionNotFound { subject: subject.clone(), version: number },
                false => Error::SubjectNotFound(subject.clone()),
            });
        };
        let content = self.content_of(&name, &row).await?;
        Ok(entity_of(&name, &row, content, Some(stamp)))
    }

    /// `GET /subjects/{s}/versions/{v}/referencedby`
    pub async fn referenced_by(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        version: VersionSpec,
        include: Include,
        page: Page,
    ) -> Result<Vec<SchemaId>, Error> {
        // The target may itself be soft-deleted.
        let target = self.find_version(caller, subject, version, Include::Deleted).await?;
        let mut ids: Vec<(ContextName, SchemaId)> = Vec::new();
        for referrer in self.inner.store.referrers(&target.subject, target.version).await? {
            let shown = include == Include::Deleted || !referrer.deleted;
            let key = (referrer.subject.context().clone(), referrer.id);
            if shown && !ids.contains(&key) && caller.may(Action::Read, &Resource::Subject(&referrer.subject)) {
                ids.push(key);
            }
        }
        Ok(page.of(ids.into_iter().map(|(_, id)| id).collect()))
    }

    /// `GET /subjects/{s}/metadata`: the highest version whose properties hold all `pairs`.
    pub async fn latest_with_metadata(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        pairs: &[(String, String)],
        include: Include,
        format: Format,
    ) -> Result<SchemaEntity, Error> {
        caller.check(Action::Read, &Resource::Subject(subject))?;
        for how in [Freshness::Cached, Freshness::Fresh] {
            let current = self.load_subject(subject, how).await?;
            let newest_first = current.state.versions.iter().rev();
            for row in newest_first.filter(|row| include == Include::Deleted || !row.deleted) {
                let content = self.content_of(subject, row).await?;
                let holds =
                    |metadata: &Metadata| pairs.iter().all(|(key, value)| metadata.properties.get(key) == Some(value));
                if content.metadata.as_deref().is_some_and(holds) {
                    let entity = entity_of(subject, row, content, Some(current.stamp));
                    return self.rendered(entity, format).await;
                }
            }
            if current.fresh {
                let is_known = self.is_known(subject, include).await?;
                return Err(if is_known {
                    Error::SchemaNotFound(None)
                } else {
                    Error::SubjectNotFound(subject.clone())
                });
            }
        }
        Err(Error::SchemaNotFound(None))
    }
}

/// Whether the subject has any version in the view.
pub(crate) fn has_versions(subject: &Subject, include: Include) -> bool {
    subject.state.versions.iter().any(|row| include == Include::Deleted || !row.deleted)
}

impl Page {
    /// The entries of this page.
    pub(crate) fn of<T>(&self, all: Vec<T>) -> Vec<T> {
        if self.offset == 0 && self.limit.is_none_or(|limit| limit >= all.len()) {
            return all;
        }
        all.into_iter().skip(self.offset).take(self.limit.unwrap_or(usize::MAX)).collect()
    }
}

#[cfg(test)]
mod avro_tests;
#[cfg(test)]
mod tests;
