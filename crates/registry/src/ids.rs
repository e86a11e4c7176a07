//! Reads by id and by GUID.
//!
//! An id belongs to a context; a `hint` subject picks one: a qualified name its own, where it must use the id; an
//! unqualified one the first context in which that name uses the id, the default context otherwise. Whoever may read one subject that uses a
//! content may read the content.
//!
//! Source: schema-registry `AbstractSchemaRegistry#getSchemaKeyUsingContexts`, 8.2.0; schema-registry.md §1.6 and the
//! recordings of `core-id-*`, `delete-ids-endpoints`.

use sluice_schema::{Format, Guid, SchemaId, Version};

use crate::register::entity_of;
use crate::store::{StoreError, Usage};
use crate::*;

impl Registry {
    /// `GET /schemas/ids/{id}`: `hint` is the `subject` parameter, which picks a context.
    pub async fn schema_by_id(
        &self,
        caller: &Caller,
        id: SchemaId,
        hint: Option<&SubjectName>,
        options: ReadOptions,
    ) -> Result<SchemaEntity, Error> {
        let not_found = || Error::SchemaNotFound(Some(id.to_string()));
        let entity = match self.usages(caller, id, hint).await {
            Ok(Some((context, usages))) => {
                let shown = self.shown_use(caller, &context, id, usages, hint).await?;
                shown.ok_or_else(not_found)?
            }
            Ok(None) => return Err(not_found()),
            Err(Error::Store(error @ StoreError::Unavailable { .. })) => {
                // What was answered last goes on being answered.
                let context = hint.map_or_else(ContextName::default_context, |hint| hint.context().clone());
                let last = self.inner.caches.last_answer_by_id(&context, id);
                let entity = last.map(|entry| SchemaEntity { as_of: None, ..(*entry.entity).clone() });
                let entity = entity.ok_or(error)?;
                caller.check(Action::Read, &Resource::Subject(&entity.subject))?;
                entity
            }
            Err(error) => return Err(error),
        };
        self.shown(entity, &options).await
    }

    /// The context that a hint picks and who uses the id there; `None` if nobody does.
    async fn usages(
        &self,
        caller: &Caller,
        id: SchemaId,
        hint: Option<&SubjectName>,
    ) -> Result<Option<(ContextName, Vec<Usage>)>, Error> {
        let context = hint.map_or_else(ContextName::default_context, |hint| hint.context().clone());
        if !context.may_exist() {
            return Ok(None);
        }
        let usages = self.inner.store.usages(&context, id).await?;
        if let Some(hint) = hint
            && !hint.name().is_empty()
            && !usages.iter().any(|usage| usage.subject == *hint)
        {
            if !hint.context().is_default() {
                return Ok(None);
            }
            for other in self.elsewhere(caller, hint).await? {
                let there = self.inner.store.usages(other.context(), id).await?;
                if there.iter().any(|usage| usage.subject == other) {
                    return Ok(Some((other.context().clone(), there)));
                }
            }
        }
        Ok((!usages.is_empty()).then_some((context, usages)))
    }

    /// One of the uses as an entity: the hint's own, else a live one, in the reference's order.
    async fn shown_use(
        &self,
        caller: &Caller,
        context: &ContextName,
        id: SchemaId,
        usages: Vec<Usage>,
        hint: Option<&SubjectName>,
    ) -> Result<Option<SchemaEntity>, Error> {
        let total = usages.len();
        let mut readable = readable(caller, usages)?;
        readable.sort_by_cached_key(|usage| {
            let is_asked = hint.is_some_and(|hint| hint.name() == usage.subject.name());
            (!is_asked, usage.deleted, reference_order(&usage.subject.qualified(), total), usage.subject.clone())
        });
        for usage in readable {
            let found = self
                .find_in_subject(&usage.subject, |subject| {
                    let row = subject.version(usage.version).filter(|row| row.id == id)?;
                    Some((row.clone(), subject.stamp))
                })
                .await?;
            let Some((row, stamp)) = found else { continue };
            let Some(content) = self.load_content(context, id).await? else { continue };
            // A deleted use gives way as soon as another subject uses the id, which its own stamp does not tell.
            let as_of = (!row.deleted).then_some(stamp);
            return Ok(Some(entity_of(&usage.subject, &row, content, as_of)));
        }
        Ok(None)
    }

    /// The rendered answer of `GET /schemas/ids/{id}` without options, if cached and current: the hot path.
    pub fn recall_by_id(&self, caller: &Caller, context: &ContextName, id: SchemaId) -> Option<bytes::Bytes> {
        let entry = self.inner.caches.answer_by_id(context, id)?;
        caller.may(Action::Read, &Resource::Subject(&entry.entity.subject)).then_some(entry.answer)
    }

    /// Remembers it, as long as the subject that `entity` shows is not written.
    pub fn remember_by_id(&self, context: &ContextName, id: SchemaId, entity: &SchemaEntity, answer: bytes::Bytes) {
        self.inner.caches.keep_answer_by_id(context, id, entity, answer);
    }

    /// The highest id of the context (`fetchMaxId`).
    pub async fn max_id(&self, caller: &Caller, context: &ContextName) -> Result<SchemaId, Error> {
        caller.check(Action::Read, &Resource::Context(context))?;
        if !context.may_exist() {
            return Ok(SchemaId(0));
        }
        Ok(self.inner.store.max_id(context).await?)
    }

    /// `GET /schemas/ids/{id}/subjects`
    pub async fn subjects_of_id(
        &self,
        caller: &Caller,
        id: SchemaId,
        hint: Option<&SubjectName>,
        include: Include,
        page: Page,
    ) -> Result<Vec<SubjectName>, Error> {
        let versions = self.versions_of_id(caller, id, hint, include, page).await?;
        Ok(versions.into_iter().map(|(subject, _)| subject).collect())
    }

    /// `GET /schemas/ids/{id}/versions`: one version per subject, by name of subject.
    pub async fn versions_of_id(
        &self,
        caller: &Caller,
        id: SchemaId,
        hint: Option<&SubjectName>,
        include: Include,
        page: Page,
    ) -> Result<Vec<(SubjectName, Version)>, Error> {
        let (_, usages) = self.usages(caller, id, hint).await?.ok_or(Error::SchemaNotFound(None))?;
        let shown = readable(caller, usages)?.into_iter().filter(|usage| include == Include::Deleted || !usage.deleted);
        Ok(page.of(shown.map(|usage| (usage.subject, usage.version)).collect()))
    }

    /// `GET /schemas/guids/{guid}`
    pub async fn schema_by_guid(&self, caller: &Caller, guid: Guid, format: Format) -> Result<SchemaEntity, Error> {
        let mut refused = None;
        for (context, id) in self.inner.store.ids_by_guid(guid).await? {
            let usages = self.inner.store.usages(&context, id).await?;
            match self.shown_use(caller, &context, id, usages, None).await {
                Ok(Some(entity)) => return self.rendered(entity, format).await,
                Ok(None) => {}
                Err(Error::Forbidden) => refused = Some(Error::Forbidden),
                Err(error) => return Err(error),
            }
        }
        Err(refused.unwrap_or_else(|| Error::SchemaNotFound(Some(guid.to_string()))))
    }

    /// `GET /schemas/guids/{guid}/ids`
    pub async fn ids_of_guid(&self, caller: &Caller, guid: Guid) -> Result<Vec<(ContextName, SchemaId)>, Error> {
        let mut ids = Vec::new();
        for (context, id) in self.inner.store.ids_by_guid(guid).await? {
            if readable(caller, self.inner.store.usages(&context, id).await?).is_ok() {
                ids.push((context, id));
            }
        }
        Ok(ids)
    }
}

/// The uses in subjects that the caller may read; refused if there are uses, but none of those.
fn readable(caller: &Caller, usages: Vec<Usage>) -> Result<Vec<Usage>, Error> {
    let is_used = !usages.is_empty();
    let may_read = |usage: &Usage| caller.may(Action::Read, &Resource::Subject(&usage.subject));
    let readable: Vec<Usage> = usages.into_iter().filter(may_read).collect();
    if is_used && readable.is_empty() { Err(Error::Forbidden) } else { Ok(readable) }
}

/// Where the reference's hash table of `total` names has this one: Java's string hash, spread, in the smallest table.
/// Of several subjects that use an id it shows the first; so do we, and every node shows the same.
fn reference_order(name: &str, total: usize) -> u32 {
    const SMALLEST_TABLE: usize = 16;
    let hash = name.encode_utf16().fold(0u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
    let mut table = SMALLEST_TABLE;
    while total > table / 4 * 3 {
        table *= 2;
    }
    (hash ^ (hash >> 16)) & (u32::try_from(table).unwrap_or(u32::MAX) - 1)
}

#[cfg(test)]
mod tests;
