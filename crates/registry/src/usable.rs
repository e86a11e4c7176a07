//! What the data plane asks: schemas ready to encode and decode with.
//!
//! By id they are cached for good; by text or version as of a revision. While the store is away, what was asked before
//! goes on being answered.

use std::hash::Hasher;
use std::sync::Arc;

use siphasher::sip128::{Hasher128, SipHasher13};
use sluice_schema::{SchemaId, SchemaType, Version};

use crate::candidate::{Reader, Reading};
use crate::load::{Freshness, Subject};
use crate::lookup::Normalizing;
use crate::store::{RequireLive, StoreError, VersionRow};
use crate::*;

impl Registry {
    /// The schema behind an id; cached for good.
    pub async fn usable_by_id(&self, context: &ContextName, id: SchemaId) -> Result<UsableSchema, Error> {
        if let Some(usable) = self.cached_by_id(context, id) {
            return Ok(usable);
        }
        let content = self.load_content(context, id).await?;
        let content = content.ok_or_else(|| Error::SchemaNotFound(Some(id.to_string())))?;
        let schema = self.load_schema(context, id, &content).await?;
        Ok(UsableSchema { id, subject: None, schema })
    }

    /// [`Registry::usable_by_id`] if it is in the cache.
    pub fn cached_by_id(&self, context: &ContextName, id: SchemaId) -> Option<UsableSchema> {
        let schema = self.inner.caches.schema(context, id)?;
        Some(UsableSchema { id, subject: None, schema })
    }

    /// A live version of a subject, or the latest.
    pub async fn usable_by_version(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        version: VersionSpec,
    ) -> Result<UsableSchema, Error> {
        caller.check(Action::Read, &Resource::Subject(subject))?;
        let pick = |current: &Subject| match version {
            VersionSpec::Latest => current.latest().cloned(),
            VersionSpec::Number(number) => current.version(Version(number)).filter(|row| !row.deleted).cloned(),
        };
        if let Some(row) = self.find_in_subject(subject, pick).await? {
            return self.usable(subject, &row).await;
        }
        let any = self.find_in_subject(subject, |current| current.latest().map(|_| ())).await?;
        let number = if let VersionSpec::Number(number) = version { number } else { -1 };
        Err(match any {
            Some(()) => Error::VersionNotFound { subject: subject.clone(), version: number },
            None => Error::SubjectNotFound(subject.clone()),
        })
    }

    async fn usable(&self, subject: &SubjectName, row: &VersionRow) -> Result<UsableSchema, Error> {
        let schema = match self.inner.caches.schema(subject.context(), row.id) {
            Some(schema) => schema,
            None => {
                let content = self.content_of(subject, row).await?;
                self.load_schema(subject.context(), row.id, &content).await?
            }
        };
        Ok(UsableSchema { id: row.id, subject: Some((subject.clone(), row.version)), schema })
    }

    /// The version under which a live version of `subject` carries this id's content; `None` if none does.
    pub async fn version_of(&self, subject: &SubjectName, id: SchemaId) -> Result<Option<Version>, Error> {
        let by_id = self.find_in_subject(subject, |current| live_version_of(current.live(), id)).await?;
        if by_id.is_some() {
            return Ok(by_id);
        }
        // An import may have put the same content under a second id.
        let Some(content) = self.load_content(subject.context(), id).await? else { return Ok(None) };
        self.find_in_subject(subject, |current| {
            let mut newest_first = current.live().rev();
            newest_first.find(|row| row.guid == content.guid).map(|row| row.version)
        })
        .await
    }

    /// Whether `id` is in use by a live version of `subject`, if the caches know.
    pub fn cached_version_of(&self, subject: &SubjectName, id: SchemaId) -> Option<Option<Version>> {
        let state = self.inner.caches.subject(subject)?;
        Some(live_version_of(state.versions.iter().filter(|row| !row.deleted), id))
    }

    /// Looks an inline text up under `subject`, or registers it there if `auto_register` and the level allow. A text
    /// that is not registered and may not be is [`Error::Incompatible`] if the level forbids it, else
    /// [`Error::SchemaNotFound`].
    pub async fn usable_by_text(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        schema_type: SchemaType,
        text: &str,
        auto_register: bool,
    ) -> Result<UsableSchema, Error> {
        caller.check(Action::Read, &Resource::Subject(subject))?;
        let hash = self.hash_of(text);
        let known = self.inner.caches.by_text(subject, schema_type, hash);
        if let Some((known, true)) = &known {
            return Ok(known.clone());
        }
        match self.find_by_text(caller, subject, schema_type, text, auto_register).await {
            Ok((usable, as_of)) => {
                if let Some(as_of) = as_of {
                    self.inner.caches.keep_by_text(subject, schema_type, hash, &usable, as_of);
                }
                Ok(usable)
            }
            Err(Error::Store(error @ StoreError::Unavailable { .. })) => match known {
                Some((known, _)) => Ok(known),
                None => Err(error.into()),
            },
            Err(error) => Err(error),
        }
    }

    async fn find_by_text(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        schema_type: SchemaType,
        text: &str,
        auto_register: bool,
    ) -> Result<(UsableSchema, Option<Stamp>), Error> {
        let request = SchemaRequest {
            schema: Some(text.to_owned()),
            schema_type: Some(schema_type.wire().to_owned()),
            ..SchemaRequest::default()
        };
        let by = Normalizing { asked: Normalize::No, configured: subject };
        let found = self.look_up_in(caller, subject, &request, by, Include::Live).await?;
        let entity = match found {
            Some(entity) => entity,
            None if auto_register => {
                let options = RegisterOptions {
                    normalize: Normalize::No,
                    force: false,
                    format: sluice_schema::Format::Canonical,
                };
                self.register(caller, subject, request, options).await?
            }
            None => return Err(self.why_not_registered(caller, subject, &request).await?),
        };
        let context = subject.context();
        let schema = self.load_schema(context, entity.id, &entity.content).await?;
        let usable = UsableSchema { id: entity.id, subject: Some((entity.subject, entity.version)), schema };
        Ok((usable, entity.as_of))
    }

    /// What to say of a text that is not registered and must not be now.
    pub(crate) async fn why_not_registered(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        request: &SchemaRequest,
    ) -> Result<Error, Error> {
        let scope = self.in_scope(subject, Freshness::Fresh).await?;
        let current = self.load_subject(subject, Freshness::Fresh).await?;
        let validate = Some(crate::register::validate_fields(&scope));
        let reading = Reading { normalize: Normalize::No, validate, live: RequireLive::Yes };
        let candidate = Reader::default().read(self, caller, subject, request, reading).await?;
        let refusal = match candidate {
            Some(candidate) => self.check_follows(&current, &scope, &candidate).await?,
            None => None,
        };
        Ok(refusal.unwrap_or(Error::SchemaNotFound(None)))
    }

    /// Keyed, so that nobody can make two texts collide.
    fn hash_of(&self, text: &str) -> u128 {
        let (one, two) = self.inner.text_key;
        let mut hasher = SipHasher13::new_with_keys(one, two);
        hasher.write(text.as_bytes());
        hasher.finish128().as_u128()
    }
}

fn live_version_of<'a>(live: impl DoubleEndedIterator<Item = &'a VersionRow>, id: SchemaId) -> Option<Version> {
    live.rev().find(|row| row.id == id).map(|row| row.version)
}

/// A schema ready to encode and decode with: what the data plane asks for. Cheap to clone, shared, cached.
#[derive(Debug, Clone)]
pub struct UsableSchema {
    /// Id in the context.
    pub id: SchemaId,
    /// Subject and version it was resolved under; `None` when only an id was given.
    pub subject: Option<(SubjectName, Version)>,
    /// Parsed, with its codec compiled on first use.
    pub schema: Arc<sluice_schema::Schema>,
}

#[cfg(test)]
mod tests;
