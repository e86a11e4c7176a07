//! `POST /subjects/{s}/versions`: from a request to a version, or to the version that was there already.
//!
//! [`Registry::register`] decides on what the caches hold and writes with the revisions it decided on; the store refuses
//! a write whose grounds have moved ([`StoreError::Conflict`]), and the decision is taken again, a bounded number of
//! times. A refusal that rests on cached state is decided again on the store's before it is given. Writers of one
//! subject take turns inside a node, so that only nodes race.
//!
//! Source: schema-registry `AbstractSchemaRegistry#registerOrForward` and `#register`, 8.2.0; schema-registry.md §2.2.

use std::sync::Arc;
use std::time::Duration;

use sluice_schema::{Format, InvalidSchema, SchemaId, SchemaType, TagEdit, ValidateFields, Version};

use crate::candidate::{Among, Candidate, Found, Reader, Reading, has_text, type_of, unread};
use crate::contract::{self, Contract};
use crate::load::{Freshness, InScope, Subject};
use crate::store::{Committed, IdChoice, NewVersion, Preconditions, RequireLive, Revision, StoreError};
use crate::*;

/// Decisions of one registration, at most. Losing a race costs one.
const ATTEMPTS: usize = 24;
/// How long a writer waits for its turn; then it goes ahead and lets the store decide.
const TURN: Duration = Duration::from_millis(500);

/// What a registration comes to.
enum Decision {
    /// The content is there.
    Known { found: Found, as_of: Stamp },
    /// A version is to be written.
    Write(Box<Write>),
}

struct Write {
    subject: Subject,
    candidate: Option<Candidate>,
    new: NewVersion,
    on: Preconditions,
}

/// Where a request's schema comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Made {
    /// From the client, and may be there already.
    AsGiven,
    /// By editing tags, metadata or rules: always a version of its own.
    ByEditing,
}

/// A registration under way.
struct Registration<'a> {
    caller: &'a Caller,
    request: SchemaRequest,
    options: RegisterOptions,
    made: Made,
    reader: Reader,
}

impl Registry {
    /// `POST /subjects/{s}/versions`. Idempotent: known content gives its version again, also in READONLY mode.
    pub async fn register(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        request: SchemaRequest,
        options: RegisterOptions,
    ) -> Result<SchemaEntity, Error> {
        let edits_tags = !(request.tags.add.is_empty() && request.tags.remove.is_empty());
        let made = if edits_tags { Made::ByEditing } else { Made::AsGiven };
        self.register_made(caller, subject, request, options, made).await
    }

    /// [`Registry::register`], of a request that may come from an edit.
    pub(crate) async fn register_made(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        request: SchemaRequest,
        options: RegisterOptions,
        made: Made,
    ) -> Result<SchemaEntity, Error> {
        let result = self.register_version(caller, subject, request, options, made).await;
        let counts = &self.inner.counts;
        match &result {
            Ok((_, true)) => counts.written.add(1),
            Ok((_, false)) => counts.known.add(1),
            Err(Error::Incompatible { .. } | Error::IncompatibleMessages { .. }) => counts.incompatible.add(1),
            Err(Error::Store(_) | Error::Contention(_)) => counts.failed.add(1),
            Err(_) => counts.refused.add(1),
        }
        result.map(|(entity, _)| entity)
    }

    async fn register_version(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        request: SchemaRequest,
        options: RegisterOptions,
        made: Made,
    ) -> Result<(SchemaEntity, bool), Error> {
        caller.check(Action::Write, &Resource::Subject(subject))?;
        if let Some(rules) = &request.rule_set {
            contract::validate_rules(rules).map_err(Error::InvalidRuleSet)?;
        }
        if !subject.is_valid() {
            return Err(Error::InvalidSubject(subject.qualified()));
        }
        let mut registration = Registration { caller, request, options, made, reader: Reader::default() };
        if made == Made::ByEditing {
            self.edit_tags(subject, &mut registration).await?;
        }
        let mut how = Freshness::Supposed;
        let mut turn = None;
        for _ in 0..ATTEMPTS {
            let write = match self.decide(subject, &mut registration, how).await {
                Ok(Decision::Known { found, as_of }) => {
                    let entity = self.known(subject, &found, as_of, options.format).await?;
                    return Ok((entity, false));
                }
                Ok(Decision::Write(write)) => write,
                // These do not depend on what the caches hold.
                Err(error @ (Error::Store(_) | Error::Forbidden)) => return Err(error),
                Err(error @ Error::InvalidSchema { .. }) if registration.request.references.is_empty() => {
                    return Err(error);
                }
                Err(_) if how != Freshness::Fresh => {
                    how = Freshness::Fresh;
                    continue;
                }
                Err(refusal) => return Err(refusal),
            };
            if turn.is_none() {
                let (guard, waited) = self.take_turn(subject).await;
                turn = Some(guard);
                if waited {
                    continue;
                }
            }
            let was_supposed = how == Freshness::Supposed && write.subject.state.revision == Revision(0);
            match self.commit(*write, options.format).await {
                Ok(entity) => return Ok((entity, true)),
                // Not new, then: nothing has changed under the decision, it was taken on a supposition.
                Err(Error::Store(StoreError::Conflict)) if was_supposed => how = Freshness::Checked,
                Err(Error::Store(StoreError::Conflict)) => {
                    self.inner.counts.conflicts.add(1);
                    how = Freshness::Fresh;
                }
                Err(error @ Error::Store(StoreError::Inconsistent { .. })) => {
                    return Err(self.out_of_ids(subject).await.unwrap_or(error));
                }
                Err(error) => return Err(error),
            }
        }
        Err(Error::Contention(subject.clone()))
    }

    /// The refusal of new content in a context that has given its last id (an import may have brought it).
    async fn out_of_ids(&self, subject: &SubjectName) -> Option<Error> {
        let last = self.inner.store.max_id(subject.context()).await.ok()?;
        let text = format!("Context {} has no ids left: {last} was the last", printed_context(subject));
        (last.0 == i32::MAX).then_some(Error::OperationNotPermitted(text))
    }

    /// The turn to write to a subject, and whether others were before; without it after [`TURN`].
    async fn take_turn(&self, subject: &SubjectName) -> (Option<tokio::sync::OwnedMutexGuard<()>>, bool) {
        let turn = self.inner.turns.of(subject);
        if let Ok(guard) = turn.clone().try_lock_owned() {
            return (Some(guard), false);
        }
        (tokio::time::timeout(TURN, turn.lock_owned()).await.ok(), true)
    }

    /// Applies the request's tag edits to its text. Without a version the next one is asked for by number: the property
    /// `confluent:version` then makes each edit a version of its own.
    async fn edit_tags(&self, subject: &SubjectName, registration: &mut Registration<'_>) -> Result<(), Error> {
        let Registration { caller, request, reader, .. } = registration;
        request.version.get_or_insert(-1);
        let reading = Reading { normalize: Normalize::No, validate: None, live: RequireLive::No };
        if request.tags != TagEdit::default()
            && let Some(candidate) = reader.read(self, caller, subject, request, reading).await?
        {
            let tagged = candidate.tagged(self, &request.tags).await?;
            request.schema = Some(tagged.schema().canonical_text().to_string());
            request.tags = Default::default();
        }
        Ok(())
    }

    async fn decide(
        &self,
        subject: &SubjectName,
        registration: &mut Registration<'_>,
        how: Freshness,
    ) -> Result<Decision, Error> {
        let as_of = self.inner.caches.stamp(subject);
        let (scope, current) = tokio::try_join!(self.in_scope(subject, how), self.load_subject(subject, how))?;
        let importing = matches!(scope.mode, Mode::Import | Mode::Forward);
        let normalizes = registration.options.normalize == Normalize::Yes || scope.config.normalize == Some(true);
        let normalize = if normalizes && !importing { Normalize::Yes } else { Normalize::No };
        let asked_id = registration.request.id.filter(|id| *id >= 0);
        let asked_version = registration.request.version.unwrap_or(0);
        let id_fits = |found: &Found| asked_id.is_none_or(|id| found.row.id == SchemaId(id));

        let is_plain = registration.made == Made::AsGiven
            && !registration.request.propagate_schema_tags
            && !contract::has_defaults_or_overrides(&scope.config);
        if is_plain && (asked_version <= 0 || asked_id.is_some()) {
            let Registration { caller, request, reader, .. } = registration;
            let reading = Reading { normalize, validate: look_up_validation(&scope, request), live: RequireLive::No };
            if let Some(candidate) = reader.read(self, caller, subject, request, reading).await? {
                let asked = contract::asked(request);
                let among = if asked_version < 0 { Among::Latest } else { Among::Versions(Include::Live) };
                let found = candidate.find(self, &current, &asked, among).await?.filter(id_fits);
                let found = found.and_then(|found| {
                    if asked_version > 0 { found.numbered(&current, asked_version) } else { Some(found) }
                });
                if let Some(found) = found {
                    return Ok(Decision::Known { found, as_of });
                }
            }
        }

        check_mode(subject, scope.mode, asked_id)?;
        let highest = current.state.versions.last().map_or(0, |row| row.version.0);
        let next = highest.checked_add(1).map(Version).ok_or_else(not_one_more)?;

        let (candidate, contract, live) = if importing {
            let Registration { caller, request, reader, .. } = registration;
            let reading = Reading { normalize, validate: None, live: RequireLive::No };
            let candidate = reader.read(self, caller, subject, request, reading).await?;
            (candidate, contract::asked(request), RequireLive::No)
        } else {
            let populated = self.populate(&current, &scope, registration, normalize, next).await?;
            let (candidate, contract, live) = populated;
            (Some(candidate), contract, live)
        };

        for (target, _) in candidate.iter().flat_map(|candidate| &candidate.resolution.direct) {
            self.refuse_strong(target).await?;
        }
        if asked_version == 0
            && let Some(candidate) = &candidate
            && let found = candidate.find(self, &current, &contract, Among::Versions(Include::Live)).await?
            && let Some(found) = found.filter(id_fits)
        {
            return Ok(Decision::Known { found, as_of });
        }
        if let Some(candidate) = &candidate
            && !importing
            && !registration.options.force
        {
            let priors: Vec<_> = current.live().cloned().collect();
            let refusal =
                self.check_level(&current.name, &scope, candidate, contract.metadata.as_ref(), &priors).await?;
            if let Some(refusal) = refusal {
                return Err(refusal);
            }
        }
        let version = if asked_version > 0 { Version(asked_version) } else { next };
        if version != next && !importing {
            return Err(not_one_more());
        }

        let content = match &candidate {
            Some(candidate) => candidate.content(contract),
            None => blank_content(&registration.request, contract)?,
        };
        if content.text.contains('\0') {
            // Raw, or as an escape that the stored text spells out.
            return Err(Error::InvalidRequestSchema(
                "The text holds a NUL character, which cannot be stored".to_owned(),
            ));
        }
        let references = candidate.as_ref().map(|c| c.resolution.direct.clone()).unwrap_or_default();
        let on = Preconditions {
            subject_revision: Some(current.state.revision),
            settings: scope.consulted,
            references: references.iter().map(|(target, version)| (target.clone(), *version, live)).collect(),
        };
        let new = NewVersion {
            subject: subject.clone(),
            version,
            content: Arc::new(content),
            references,
            id: asked_id.map_or(IdChoice::ByContent, |id| IdChoice::Explicit(SchemaId(id))),
            tombstone_same_id: true,
            ts: (self.inner.config.clock)(),
        };
        Ok(Decision::Write(Box::new(Write { subject: current, candidate, new, on })))
    }

    /// The request's schema as a new version: text and contract filled in from the latest version and the config, read,
    /// and checked; and whether its references must stay live until it is written.
    async fn populate(
        &self,
        current: &Subject,
        scope: &InScope,
        registration: &mut Registration<'_>,
        normalize: Normalize,
        next: Version,
    ) -> Result<(Candidate, Contract, RequireLive), Error> {
        let subject = &current.name;
        let request = &registration.request;
        let is_blank = !has_text(request);
        let latest = match current.latest() {
            Some(row) => Some((row.id, self.content_of(subject, row).await?)),
            None if is_blank => return Err(Error::InvalidRequestSchema("Empty schema".to_owned())),
            None => None,
        };
        let previous = latest.as_ref().map(|(_, content)| (content.metadata.as_deref(), content.rule_set.as_deref()));
        let asked = (request.metadata.as_ref(), request.rule_set.as_ref());
        let mut contract = contract::populate(&scope.config, asked, previous);
        let is_numbered = request.version.unwrap_or(0) != 0;
        if is_numbered || contract::version_property(contract.metadata.as_ref()).is_some() {
            contract.metadata = Some(contract::with_version_property(contract.metadata.as_ref(), next));
        }
        // Only now: an empty set in the request hides the previous version's.
        contract.rule_set = contract.rule_set.and_then(contract::kept_rules);

        let copy = match &latest {
            Some((_, content)) if is_blank => Some(SchemaRequest {
                schema: Some(content.text.to_string()),
                schema_type: Some(content.schema_type.wire().to_owned()),
                references: content.references.iter().cloned().map(Into::into).collect(),
                ..request.clone()
            }),
            _ => None,
        };
        let Registration { caller, request, reader, .. } = registration;
        let text = copy.as_ref().unwrap_or(request);
        let reading = Reading { normalize, validate: validation(scope, text), live: RequireLive::No };
        let candidate = reader.read(self, caller, subject, text, reading).await?;
        let mut candidate = candidate.ok_or_else(|| Error::InvalidRequestSchema("Empty schema".to_owned()))?;
        if is_blank && request.tags != TagEdit::default() {
            candidate = candidate.tagged(self, &request.tags).await?;
        }
        if request.propagate_schema_tags
            && let Some((id, content)) = &latest
        {
            let tagged = self.load_schema(subject.context(), *id, content).await?;
            candidate = candidate.with_tags_of(self, tagged).await?;
        }
        let live = self.live_references(current, &candidate, &contract).await;
        let live = live.map_err(|error| unread(subject, text, candidate.schema_type, error))?;
        Ok((candidate, contract, live))
    }

    /// Whether the candidate's references must be live, and are: all but those of content that the subject holds
    /// already, soft-deleted maybe. That is brought back as it was.
    pub(crate) async fn live_references(
        &self,
        current: &Subject,
        candidate: &Candidate,
        contract: &Contract,
    ) -> Result<RequireLive, Error> {
        let references = &candidate.resolution.references;
        if references.is_empty() {
            return Ok(RequireLive::Yes);
        }
        let guid = candidate.guid(contract);
        if current.state.versions.iter().any(|row| row.guid == guid) {
            return Ok(RequireLive::No);
        }
        self.resolve(current.name.context(), candidate.schema_type, references, RequireLive::Yes).await?;
        Ok(RequireLive::Yes)
    }

    async fn commit(&self, write: Write, format: Format) -> Result<SchemaEntity, Error> {
        let Write { subject, candidate, new, on } = write;
        let (name, version, content) = (new.subject.clone(), new.version, new.content.clone());
        let row = store::VersionRow { version, id: SchemaId(0), guid: content.guid, deleted: false, ts: new.ts };
        let committed = match self.inner.store.commit_version(new, on).await {
            Ok(committed) => committed,
            Err(error) => {
                // Written or not, nothing cached about the subject may be trusted.
                self.inner.caches.forget_subject(&name);
                return Err(error.into());
            }
        };
        let (id, revision) = match committed {
            Committed::Written { id, revision } => (id, revision),
            Committed::IdTaken(id) => return Err(overwrite(&name, id)),
        };
        let caches = &self.inner.caches;
        caches.keep_content(name.context(), id, &content);
        if let Some(candidate) = &candidate {
            caches.keep_schema(name.context(), id, &candidate.parsed, &candidate.resolution.through);
        }
        caches.wrote_version(&subject, store::VersionRow { id, ..row }, revision);
        let mut entity = SchemaEntity {
            subject: name,
            version,
            id,
            content,
            rendered: None,
            schema_tags: Vec::new(),
            ts: None,
            deleted: None,
            as_of: None,
        };
        self.render(&mut entity, format).await?;
        Ok(entity)
    }

    /// The answer for content that was there.
    async fn known(
        &self,
        subject: &SubjectName,
        found: &Found,
        as_of: Stamp,
        format: Format,
    ) -> Result<SchemaEntity, Error> {
        let content = self.content_of(subject, &found.row).await?;
        // Who may read the references is asked anew for each caller.
        let as_of = content.references.is_empty().then_some(as_of);
        let mut entity = entity_of(subject, &found.row, content, as_of);
        if found.by_hash {
            (entity.ts, entity.deleted) = (None, None);
        }
        self.render(&mut entity, format).await?;
        Ok(entity)
    }

    /// The answer to an identical earlier request, if it was a hit and nothing has changed since. `digest` is a
    /// keyed 128-bit hash of everything the answer depends on but the store: body, query.
    pub fn recall(&self, caller: &Caller, subject: &SubjectName, digest: u128) -> Option<bytes::Bytes> {
        if !self.is_notified() || !caller.may(Action::Write, &Resource::Subject(subject)) {
            return None;
        }
        let answer = self.inner.caches.answer_to_request(subject, digest)?;
        self.inner.counts.known.add(1);
        Some(answer)
    }

    /// Remembers the rendered answer for [`Registry::recall`], if `entity` was a hit; forgotten as soon as subject or
    /// settings change.
    pub fn remember(&self, subject: &SubjectName, digest: u128, entity: &SchemaEntity, answer: bytes::Bytes) {
        if let Some(stamp) = entity.as_of {
            self.inner.caches.keep_answer_to_request(subject, digest, stamp, answer);
        }
    }
}

/// A version with everything that is shown of it.
pub(crate) fn entity_of(
    subject: &SubjectName,
    row: &store::VersionRow,
    content: Arc<Content>,
    as_of: Option<Stamp>,
) -> SchemaEntity {
    SchemaEntity {
        subject: subject.clone(),
        version: row.version,
        id: row.id,
        content,
        rendered: None,
        schema_tags: Vec::new(),
        ts: Some(row.ts),
        deleted: Some(row.deleted),
        as_of,
    }
}

/// How a text is checked as a new schema. `validateNewSchemas=false` spares Avro that.
pub(crate) fn validation(scope: &InScope, request: &SchemaRequest) -> Option<ValidateFields> {
    let is_avro = request.schema_type.as_deref().is_none_or(|word| word == SchemaType::Avro.wire());
    let spared = is_avro && scope.config.validate_new_schemas == Some(false);
    (!spared).then(|| validate_fields(scope))
}

/// What a text that is looked for is checked for: as a new schema is, but for what only new Avro schemas must keep.
pub(crate) fn look_up_validation(scope: &InScope, request: &SchemaRequest) -> Option<ValidateFields> {
    let is_avro = request.schema_type.as_deref().is_none_or(|word| word == SchemaType::Avro.wire());
    let is_spared = is_avro || matches!(scope.mode, Mode::Import | Mode::Forward);
    (!is_spared).then(|| validate_fields(scope))
}

/// What new schemas of a subject are checked for.
pub(crate) fn validate_fields(scope: &InScope) -> ValidateFields {
    if scope.config.validate_fields == Some(true) { ValidateFields::Yes } else { ValidateFields::No }
}

/// The context as the reference prints it: empty for the default one.
fn printed_context(subject: &SubjectName) -> String {
    let context = subject.context();
    if context.is_default() { String::new() } else { format!(":{context}:") }
}

/// The refusal of a write while the mode does not allow it.
pub(crate) fn in_mode(subject: &SubjectName, what: &str) -> Error {
    Error::OperationNotPermitted(format!("Subject {subject} in context {} {what}", printed_context(subject)))
}

fn check_mode(subject: &SubjectName, mode: Mode, id: Option<i32>) -> Result<(), Error> {
    match mode {
        Mode::ReadOnly | Mode::ReadOnlyOverride => Err(in_mode(subject, "is in read-only mode")),
        Mode::ReadWrite if id.is_some() => Err(in_mode(subject, "is not in import mode")),
        Mode::Import | Mode::Forward if id.is_none() => Err(in_mode(subject, "is not in read-write mode")),
        Mode::Import | Mode::Forward if id == Some(0) => Err(overwrite(subject, SchemaId(0))),
        Mode::ReadWrite | Mode::Import | Mode::Forward => Ok(()),
    }
}

fn overwrite(subject: &SubjectName, id: SchemaId) -> Error {
    let context = printed_context(subject);
    Error::OperationNotPermitted(format!("Overwrite new schema with id {id} in context {context} is not permitted."))
}

fn not_one_more() -> Error {
    Error::InvalidRequestSchema("Version is not one more than previous version".to_owned())
}

/// An import may bring an empty text; it is kept as it came.
fn blank_content(request: &SchemaRequest, contract: Contract) -> Result<Content, Error> {
    let schema_type = type_of(request)?;
    if !sluice_schema::SchemaType::SUPPORTED.contains(&schema_type) {
        let cause = InvalidSchema::UnknownType(schema_type.wire().to_owned());
        return Err(Error::InvalidSchema { outline: None, cause });
    }
    let text = request.schema.as_deref().unwrap_or_default();
    let references = request.references.iter().map(AskedReference::whole).collect::<Result<Vec<_>, _>>();
    let references = references.map_err(Error::InvalidRequestSchema)?;
    let guid = contract::guid(text, &references, contract.metadata.as_ref(), contract.rule_set.as_ref());
    Ok(Content {
        schema_type,
        text: text.into(),
        references: references.into(),
        metadata: contract.metadata.map(Arc::new),
        rule_set: contract.rule_set.map(Arc::new),
        guid,
    })
}

#[cfg(test)]
mod tests;
