//! What the registry needs of a store. Implemented on Postgres and SQLite by `storage`, in memory here.
//!
//! Contract: every write is one transaction. Writers of one *subject* are serialised by the store (an advisory
//! lock); all else runs in parallel. `Preconditions` name the revisions the decision was taken on; if one of them
//! has moved, nothing is written and the answer is [`StoreError::Conflict`]: the caller reads again and decides
//! again. Ids come from a sequence per context: drawn inside the transaction, gaps allowed, reuse never. The
//! content of a (context, hash) is stored once; a hash already known keeps its id.

use std::sync::Arc;

use async_trait::async_trait;
use sluice_schema::{Guid, SchemaId, Version};

use crate::{Association, Config, Content, ContextName, Mode, Scope, SubjectName};

/// Why a store call failed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A precondition no longer holds; nothing was written.
    #[error("the decision was taken on a stale revision")]
    Conflict,
    /// The store cannot be reached, or timed out *before* anything could be written.
    #[error("store unavailable ({statement}): {cause}")]
    Unavailable {
        /// Name of the statement.
        statement: &'static str,
        /// The driver's text.
        cause: String,
    },
    /// The connection broke while a commit was under way: written, or not.
    #[error("outcome of the commit unknown ({statement}): {cause}")]
    OutcomeUnknown {
        /// Name of the statement.
        statement: &'static str,
        /// The driver's text.
        cause: String,
    },
    /// Rows that cannot be true.
    #[error("inconsistent rows ({statement}): {cause}")]
    Inconsistent {
        /// Name of the statement.
        statement: &'static str,
        /// What is wrong.
        cause: String,
    },
}

/// Result of store calls.
pub type StoreResult<T> = Result<T, StoreError>;

/// A counter that every write to a subject (or to the settings of a scope) raises. 0: never written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Revision(pub i64);

/// One version row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionRow {
    /// Number.
    pub version: Version,
    /// Id in the subject's context.
    pub id: SchemaId,
    /// Hash of that id's content.
    pub guid: Guid,
    /// Soft-deleted.
    pub deleted: bool,
    /// Milliseconds since 1970.
    pub ts: i64,
}

/// A subject as it stands: all versions, soft-deleted ones included, oldest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SubjectState {
    /// Raised by every write to the subject.
    pub revision: Revision,
    /// Ascending by version.
    pub versions: Vec<VersionRow>,
}

/// Config and mode of one scope.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ScopeSettings {
    /// Raised by every write to either.
    pub revision: Revision,
    /// Config, if any.
    pub config: Option<Arc<Config>>,
    /// Mode, if any.
    pub mode: Option<Mode>,
}

/// Where an id is used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Subject.
    pub subject: SubjectName,
    /// Version; the last written one when a subject uses the id more than once.
    pub version: Version,
    /// Soft-deleted.
    pub deleted: bool,
}

/// A schema that refers to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// Who refers.
    pub subject: SubjectName,
    /// Which version.
    pub version: Version,
    /// Its id.
    pub id: SchemaId,
    /// Soft-deleted.
    pub deleted: bool,
}

/// Which subjects or versions a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum View {
    /// Live ones.
    Live,
    /// Live and soft-deleted ones.
    WithDeleted,
    /// Soft-deleted ones. A subject counts as deleted when all its versions are.
    DeletedOnly,
}

/// Which contexts a list covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contexts {
    /// Every context.
    All,
    /// One.
    One(ContextName),
}

/// What a decision was taken on. A missing part was not looked at.
#[derive(Debug, Clone, Default)]
pub struct Preconditions {
    /// Revision of the subject written to; 0 when it had none.
    pub subject_revision: Option<Revision>,
    /// Revisions of the settings scopes that were consulted (subject, context, global), 0 when unset.
    pub settings: Vec<(Scope, Revision)>,
    /// Referenced versions: each must exist, be live if the flag says so, and have no strong association. Locked
    /// against deletion and association.
    pub references: Vec<(SubjectName, Version, RequireLive)>,
}

/// Whether a referenced version may be soft-deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequireLive {
    /// It must be live.
    Yes,
    /// Soft-deleted is good enough (import).
    No,
}

/// Which id a new version gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IdChoice {
    /// The id of this content's hash in the context, else the next of the context's sequence. Different contents may
    /// have one hash (its input has no separators): then [`Committed::IdTaken`].
    ByContent,
    /// This one (import): stored under it even if the hash has another id. Different content under this id:
    /// [`Committed::IdTaken`]. The sequence is raised above it.
    Explicit(SchemaId),
}

/// A version to write.
#[derive(Debug, Clone)]
pub struct NewVersion {
    /// Subject.
    pub subject: SubjectName,
    /// Number; replaces an existing row of that number (import).
    pub version: Version,
    /// Content.
    pub content: Arc<Content>,
    /// Resolved references: exact subjects and versions, for `referencedby`.
    pub references: Vec<(SubjectName, Version)>,
    /// Which id.
    pub id: IdChoice,
    /// Older soft-deleted versions of this subject with the same id vanish unless referenced.
    pub tombstone_same_id: bool,
    /// Milliseconds since 1970.
    pub ts: i64,
}

/// Result of [`RegistryStore::commit_version`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Committed {
    /// Written under this id; the subject has this revision now.
    Written {
        /// The id.
        id: SchemaId,
        /// The subject's new revision.
        revision: Revision,
    },
    /// This id, the explicit one or that of the content's hash, holds other content; nothing was written.
    IdTaken(SchemaId),
}

/// A delete.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Delete {
    /// Mark these versions deleted. Refused while a live version elsewhere refers to one.
    Soft(Vec<Version>),
    /// Remove these rows. Refused while any version refers to one. Contents no longer used by any version of the
    /// context lose their hash (the same text gets a new id later). When the last row goes, config and mode of the
    /// subject go too.
    Permanent(Vec<Version>),
}

/// Result of [`RegistryStore::delete_versions`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Deleted {
    /// Done; the new revision.
    Done(Revision),
    /// Someone refers to this version; nothing was changed.
    Referenced(Version),
}

/// Settings to write; `None` leaves a part alone, `Some(None)` removes it.
#[derive(Debug, Clone, Default)]
pub struct SettingsWrite {
    /// The whole new config of the scope.
    pub config: Option<Option<Config>>,
    /// The mode.
    pub mode: Option<Option<Mode>>,
}

/// Whose associations a list holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AssociationsOf {
    /// A subject's.
    Subject(SubjectName),
    /// The resource's of this id.
    ResourceId(String),
    /// Those of resources of this name and namespace; `None` is any.
    Resource {
        /// Namespace.
        namespace: Option<String>,
        /// Name.
        name: Option<String>,
    },
    /// Those of subjects of these contexts whose name starts with the prefix.
    Subjects(Contexts, String),
}

/// A change of one resource's associations.
#[derive(Debug, Clone, Default)]
pub struct AssociationWrite {
    /// The resource's type.
    pub resource_type: Arc<str>,
    /// Its id.
    pub resource_id: Arc<str>,
    /// All associations of the resource that the decision was taken on. Others there now: conflict.
    pub had: Vec<Guid>,
    /// To add. Another association of the same type of a resource of this name, or a reference to a strong one's
    /// subject: conflict.
    pub add: Vec<Association>,
    /// To remove, out of `had`.
    pub remove: Vec<Guid>,
    /// Every subject that gains or loses an association, with the revision that the decision was taken on: raised.
    pub subjects: Vec<(SubjectName, Revision)>,
    /// Those of `subjects` that go with all versions for good, as by [`Delete::Permanent`]. One that others refer to:
    /// conflict.
    pub cascade: Vec<SubjectName>,
    /// Revisions of the settings scopes that were consulted.
    pub settings: Vec<(Scope, Revision)>,
}

/// Something another node wrote.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Change {
    /// A subject's versions.
    Subject(SubjectName),
    /// A scope's settings.
    Settings(Scope),
    /// The list of contexts.
    Contexts,
}

/// A position in the stream of changes; opaque to the registry.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangeCursor(pub String);

/// The store.
#[async_trait]
pub trait RegistryStore: Send + Sync + 'static {
    /// The content behind an id, also when only soft-deleted versions use it.
    async fn content_by_id(&self, context: &ContextName, id: SchemaId) -> StoreResult<Option<Arc<Content>>>;

    /// The id of this hash in the context, if some version (live or soft-deleted) uses it.
    async fn id_by_guid(&self, context: &ContextName, guid: Guid) -> StoreResult<Option<SchemaId>>;

    /// Every context that holds this content, with its id there; default context first, then by name.
    async fn ids_by_guid(&self, guid: Guid) -> StoreResult<Vec<(ContextName, SchemaId)>>;

    /// The subject, or an empty state with revision 0 if it never had a version.
    async fn subject(&self, subject: &SubjectName) -> StoreResult<SubjectState>;

    /// Only its revision: one cheap statement.
    async fn subject_revision(&self, subject: &SubjectName) -> StoreResult<Revision>;

    /// Subjects by view, sorted by qualified name, whose name inside the context starts with `prefix`.
    async fn subjects(&self, contexts: &Contexts, prefix: &str, view: View) -> StoreResult<Vec<SubjectName>>;

    /// Subjects with all their versions, as [`RegistryStore::subjects`]; for bulk lists.
    async fn subject_states(
        &self,
        contexts: &Contexts,
        prefix: &str,
        view: View,
    ) -> StoreResult<Vec<(SubjectName, SubjectState)>>;

    /// Where an id is used, one row per subject, by subject name; soft-deleted uses included and marked.
    async fn usages(&self, context: &ContextName, id: SchemaId) -> StoreResult<Vec<Usage>>;

    /// Who refers to this version; by (context, id).
    async fn referrers(&self, subject: &SubjectName, version: Version) -> StoreResult<Vec<Referrer>>;

    /// The highest id ever given in the context; 0 if none.
    async fn max_id(&self, context: &ContextName) -> StoreResult<SchemaId>;

    /// Settings of one scope; empty with revision 0 if never set.
    async fn settings(&self, scope: &Scope) -> StoreResult<ScopeSettings>;

    /// Subjects that have a config of their own, with it: of these contexts, by name, whose name inside the context
    /// starts with `prefix`. They need not have versions.
    async fn subject_configs(&self, contexts: &Contexts, prefix: &str) -> StoreResult<Vec<(SubjectName, Arc<Config>)>>;

    /// Associations, in their order ([`Association::order`]).
    async fn associations(&self, of: &AssociationsOf) -> StoreResult<Vec<Association>>;

    /// Contexts that ever held a schema and were not deleted, sorted, always with `.`.
    async fn contexts(&self) -> StoreResult<Vec<ContextName>>;

    /// Writes a version. See [`NewVersion`] and the module's contract.
    async fn commit_version(&self, new: NewVersion, on: Preconditions) -> StoreResult<Committed>;

    /// Deletes versions of one subject.
    async fn delete_versions(&self, subject: &SubjectName, delete: Delete, on: Preconditions) -> StoreResult<Deleted>;

    /// Writes settings of one scope; the new revision.
    async fn write_settings(&self, scope: &Scope, write: SettingsWrite, on: Preconditions) -> StoreResult<Revision>;

    /// Adds and removes associations of one resource, all or nothing. See [`AssociationWrite`].
    async fn write_associations(&self, write: AssociationWrite) -> StoreResult<()>;

    /// Removes the modes of all subjects of a context (and of the context).
    async fn delete_modes(&self, context: &ContextName) -> StoreResult<()>;

    /// Removes a context from the list; `false` while it holds any version.
    async fn delete_context(&self, context: &ContextName) -> StoreResult<bool>;

    /// Where the stream of changes stands now.
    async fn change_cursor(&self) -> StoreResult<ChangeCursor>;

    /// All changes committed since `cursor` (some may repeat), and where it stands now.
    async fn changes_since(&self, cursor: &ChangeCursor) -> StoreResult<(Vec<Change>, ChangeCursor)>;

    /// Resolves when another node may have written: a notification, or never for single-process stores. An error
    /// means that the notification stream was lost.
    async fn changed(&self) -> StoreResult<()>;

    /// One cheap round trip: is the store there?
    async fn ping(&self) -> StoreResult<()>;

    /// The end: lets go of what it holds. A store in a file is complete in that file afterwards.
    async fn close(&self) {}
}
