//! The registry: its state and the list of its use cases.
//!
//! One file per group of use cases adds methods to [`Registry`].

use std::sync::Arc;

use sluice_schema::{Format, Guid, Level, Schema, SchemaId, SchemaType, Version};

use crate::store::{RegistryStore, View};
use crate::*;

/// Settings of the registry.
#[derive(Debug, Clone)]
pub struct RegistryConfig {
    /// Level of subjects without one: `BACKWARD`.
    pub default_level: Level,
    /// Whether modes may be changed.
    pub mode_mutability: bool,
    /// Cap of all caches together, bytes.
    pub cache_bytes: u64,
    /// Longest schema text accepted, bytes.
    pub max_schema_bytes: usize,
    /// Compatibility and parsing of texts longer than this run on the blocking pool, bytes.
    pub blocking_threshold_bytes: usize,
}

/// A schema ready to encode and decode with: what the data plane asks for. Cheap to clone, shared, cached.
#[derive(Debug, Clone)]
pub struct UsableSchema {
    /// Id in the context.
    pub id: SchemaId,
    /// Subject and version it was resolved under; `None` when only an id was given.
    pub subject: Option<(SubjectName, Version)>,
    /// Parsed, with its codec compiled on first use.
    pub schema: Arc<Schema>,
}

/// The registry. Clones share everything.
#[derive(Clone)]
pub struct Registry {
    inner: Arc<Inner>,
}

struct Inner {
    #[allow(dead_code)]
    store: Arc<dyn RegistryStore>,
}

#[allow(clippy::todo, unused_variables)]
impl Registry {
    /// A registry on `store`.
    pub fn new(store: Arc<dyn RegistryStore>, config: RegistryConfig) -> Registry {
        Registry { inner: Arc::new(Inner { store }) }
    }

    /// Follows other nodes' writes until dropped: notifications, and a poll each second. Run once, as a task.
    pub async fn follow_changes(&self) {
        todo!()
    }

    /// Whether the notification stream is up and when the store last answered, for readiness details.
    pub fn coherence(&self) -> Coherence {
        todo!()
    }

    // --- register.rs

    /// `POST /subjects/{s}/versions`. Idempotent: known content gives its version again, also in READONLY mode.
    pub async fn register(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        request: SchemaRequest,
        options: RegisterOptions,
    ) -> Result<SchemaEntity, Error> {
        todo!()
    }

    /// The answer to an identical earlier request, if it was a hit and nothing has changed since. `digest` is a
    /// keyed 128-bit hash of everything the answer depends on but the store: body, query.
    pub fn recall(&self, caller: &Caller, subject: &SubjectName, digest: u128) -> Option<bytes::Bytes> {
        todo!()
    }

    /// Remembers a rendered answer for [`Registry::recall`]; forgotten as soon as subject or settings change.
    pub fn remember(&self, subject: &SubjectName, digest: u128, answer: bytes::Bytes) {
        todo!()
    }

    /// `POST /subjects/{s}/versions/{v}/tags`
    pub async fn modify_tags(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        version: VersionSpec,
        request: TagRequest,
        format: Format,
    ) -> Result<SchemaEntity, Error> {
        todo!()
    }

    // --- lookup.rs

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
        todo!()
    }

    /// `GET /subjects`: qualified names, sorted. `prefix` as given: `:*:` for every context, `:.ctx:x`, or plain.
    pub async fn subjects(
        &self,
        caller: &Caller,
        prefix: &str,
        view: View,
        page: Page,
    ) -> Result<Vec<SubjectName>, Error> {
        todo!()
    }

    /// `GET /subjects/{s}/versions`
    pub async fn versions(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        listing: VersionListing,
        page: Page,
    ) -> Result<Vec<i32>, Error> {
        todo!()
    }

    /// `GET /subjects/{s}/versions/{v}`; falls back to other contexts for unqualified names.
    pub async fn version(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        version: VersionSpec,
        options: ReadOptions,
    ) -> Result<SchemaEntity, Error> {
        todo!()
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
        todo!()
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
        todo!()
    }

    /// `GET /schemas`
    pub async fn schemas(&self, caller: &Caller, list: ListSchemas) -> Result<Vec<SchemaEntity>, Error> {
        todo!()
    }

    /// `GET /schemas/ids/{id}`: `hint` is the `subject` parameter, which picks a context.
    pub async fn schema_by_id(
        &self,
        caller: &Caller,
        id: SchemaId,
        hint: Option<&SubjectName>,
        options: ReadOptions,
    ) -> Result<SchemaEntity, Error> {
        todo!()
    }

    /// The rendered answer of `GET /schemas/ids/{id}` without options, if cached and current: the hot path.
    pub fn recall_by_id(&self, caller: &Caller, context: &ContextName, id: SchemaId) -> Option<bytes::Bytes> {
        todo!()
    }

    /// Remembers it.
    pub fn remember_by_id(&self, context: &ContextName, id: SchemaId, entity: &SchemaEntity, answer: bytes::Bytes) {
        todo!()
    }

    /// The highest id of the context (`fetchMaxId`).
    pub async fn max_id(&self, caller: &Caller, context: &ContextName) -> Result<SchemaId, Error> {
        todo!()
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
        todo!()
    }

    /// `GET /schemas/ids/{id}/versions`
    pub async fn versions_of_id(
        &self,
        caller: &Caller,
        id: SchemaId,
        hint: Option<&SubjectName>,
        include: Include,
        page: Page,
    ) -> Result<Vec<(SubjectName, Version)>, Error> {
        todo!()
    }

    /// `GET /schemas/guids/{guid}`
    pub async fn schema_by_guid(&self, caller: &Caller, guid: Guid, format: Format) -> Result<SchemaEntity, Error> {
        todo!()
    }

    /// `GET /schemas/guids/{guid}/ids`
    pub async fn ids_of_guid(&self, caller: &Caller, guid: Guid) -> Result<Vec<(ContextName, SchemaId)>, Error> {
        todo!()
    }

    /// `GET /schemas/types`
    pub fn schema_types(&self) -> &'static [SchemaType] {
        SchemaType::SUPPORTED
    }

    // --- delete.rs

    /// `DELETE /subjects/{s}`: the versions removed.
    pub async fn delete_subject(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        permanence: Permanence,
    ) -> Result<Vec<Version>, Error> {
        todo!()
    }

    /// `DELETE /subjects/{s}/versions/{v}`
    pub async fn delete_version(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        version: VersionSpec,
        permanence: Permanence,
    ) -> Result<Version, Error> {
        todo!()
    }

    // --- compatibility.rs

    /// `POST /compatibility/…`: against one version, or as a registration would check.
    pub async fn check_compatibility(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        version: Option<VersionSpec>,
        request: SchemaRequest,
        normalize: Normalize,
    ) -> Result<CompatibilityReport, Error> {
        todo!()
    }

    // --- settings.rs

    /// `GET /config[/{s}]`
    pub async fn config(&self, caller: &Caller, scope: &Scope, default_to_global: bool) -> Result<Config, Error> {
        todo!()
    }

    /// `PUT /config[/{s}]`: the config as it is stored afterwards.
    pub async fn update_config(&self, caller: &Caller, scope: &Scope, update: ConfigUpdate) -> Result<Config, Error> {
        todo!()
    }

    /// `DELETE /config[/{s}]`: the config that was.
    pub async fn delete_config(&self, caller: &Caller, scope: &Scope) -> Result<Config, Error> {
        todo!()
    }

    /// `GET /mode[/{s}]`
    pub async fn mode(&self, caller: &Caller, scope: &Scope, default_to_global: bool) -> Result<Mode, Error> {
        todo!()
    }

    /// `PUT /mode[/{s}]`; `None` clears.
    pub async fn update_mode(
        &self,
        caller: &Caller,
        scope: &Scope,
        mode: Option<Mode>,
        force: bool,
    ) -> Result<(), Error> {
        todo!()
    }

    /// `DELETE /mode[/{s}]`: the mode that was.
    pub async fn delete_mode(&self, caller: &Caller, scope: &Scope, recursive: bool) -> Result<Option<Mode>, Error> {
        todo!()
    }

    /// The subject that `subject` stands for: its alias's target, or itself. One hop.
    pub async fn resolve_alias(&self, subject: &SubjectName) -> Result<SubjectName, Error> {
        todo!()
    }

    /// Levels that control-plane files own: subject → (level, file). Replaces the former set.
    pub fn declare_levels(&self, levels: std::collections::HashMap<SubjectName, (Level, String)>) {
        todo!()
    }

    // --- contexts.rs

    /// `GET /contexts`
    pub async fn contexts(&self, caller: &Caller, prefix: &str, page: Page) -> Result<Vec<ContextName>, Error> {
        todo!()
    }

    /// `DELETE /contexts/{ctx}`
    pub async fn delete_context(&self, caller: &Caller, context: &ContextName) -> Result<(), Error> {
        todo!()
    }

    // --- usable.rs: what the data plane asks

    /// The schema behind an id; cached for good.
    pub async fn usable_by_id(&self, context: &ContextName, id: SchemaId) -> Result<UsableSchema, Error> {
        todo!()
    }

    /// [`Registry::usable_by_id`] if it is in the cache.
    pub fn cached_by_id(&self, context: &ContextName, id: SchemaId) -> Option<UsableSchema> {
        todo!()
    }

    /// A live version of a subject, or the latest.
    pub async fn usable_by_version(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        version: VersionSpec,
    ) -> Result<UsableSchema, Error> {
        todo!()
    }

    /// The version under which a live version of `subject` carries this id's content; `None` if none does.
    pub async fn version_of(&self, subject: &SubjectName, id: SchemaId) -> Result<Option<Version>, Error> {
        todo!()
    }

    /// Whether `id` is in use by a live version of `subject`, if the caches know.
    pub fn cached_version_of(&self, subject: &SubjectName, id: SchemaId) -> Option<Option<Version>> {
        todo!()
    }

    /// Looks an inline text up under `subject`, or registers it there if `auto_register` and the level allow.
    pub async fn usable_by_text(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        schema_type: SchemaType,
        text: &str,
        auto_register: bool,
    ) -> Result<UsableSchema, Error> {
        todo!()
    }
}

/// How current this node's view is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coherence {
    /// Notifications arrive (or are not needed: single process).
    pub notified: bool,
    /// Milliseconds since the store last answered; 0 when it just did.
    pub store_silent_ms: u64,
}
