//! What can go wrong in a use case. No numbers, no HTTP: `api/sr/error.rs` gives codes and texts.

use sluice_schema::compat::Incompatible;
use sluice_schema::{InvalidSchema, SchemaId, Version};

use crate::store::StoreError;
use crate::{AssociationType, ContextName, SubjectName};

/// Why a use case refused or failed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No version of the subject in the chosen view.
    #[error("subject {0} not found")]
    SubjectNotFound(SubjectName),
    /// No such version; -1 stands for latest.
    #[error("version {version} of {subject} not found")]
    VersionNotFound {
        /// Of this subject.
        subject: SubjectName,
        /// This one.
        version: i32,
    },
    /// No such schema; the text says what was looked for, if anything: an id or a GUID.
    #[error("schema {0:?} not found")]
    SchemaNotFound(Option<String>),
    /// Deleting a subject that is soft-deleted already.
    #[error("subject {0} is soft-deleted")]
    SubjectSoftDeleted(SubjectName),
    /// Permanent delete of a subject with live versions.
    #[error("subject {0} is not soft-deleted")]
    SubjectNotSoftDeleted(SubjectName),
    /// Deleting a version that is soft-deleted already.
    #[error("version {version} of {subject} is soft-deleted")]
    VersionSoftDeleted {
        /// Of this subject.
        subject: SubjectName,
        /// This one.
        version: Version,
    },
    /// Permanent delete of a live version.
    #[error("version {version} of {subject} is not soft-deleted")]
    VersionNotSoftDeleted {
        /// Of this subject.
        subject: SubjectName,
        /// This one.
        version: Version,
    },
    /// The subject has no config of its own.
    #[error("no config at {0}")]
    ConfigNotFound(SubjectName),
    /// The subject has no mode of its own.
    #[error("no mode at {0}")]
    ModeNotFound(SubjectName),
    /// The resource has no such association.
    #[error("no association of {0}")]
    AssociationNotFound(String),
    /// The resource has an association of this type, and another one than asked for.
    #[error("{resource} has an association of its {association_type:?}")]
    AssociationForResource {
        /// Of this type.
        association_type: AssociationType,
        /// The resource's name.
        resource: String,
    },
    /// The subject has an association: it cannot go, nor belong to a resource alone.
    #[error("{0} has an association")]
    AssociationForSubject(SubjectName),
    /// The subject belongs to another resource alone.
    #[error("{0} has a strong association")]
    StrongAssociationForSubject(SubjectName),
    /// The subject has, or would be left with, no live version to be associated with.
    #[error("{0} has no live version")]
    NoActiveVersion(SubjectName),
    /// A strong association neither changes nor goes without its subject.
    #[error("the association of {subject} is frozen")]
    AssociationFrozen {
        /// Of this type.
        association_type: AssociationType,
        /// Its subject.
        subject: SubjectName,
    },
    /// A property of an association that cannot be so.
    #[error("{property}: {detail}")]
    InvalidAssociation {
        /// Which.
        property: &'static str,
        /// Why.
        detail: String,
    },
    /// Too many writers raced on one resource; nothing was written.
    #[error("too much contention on {0}")]
    AssociationContention(String),
    /// The schema breaks the subject's level.
    #[error("incompatible with {subject}")]
    Incompatible {
        /// The subject.
        subject: SubjectName,
        /// Everything about it.
        details: Box<Incompatible>,
    },
    /// General compatibility messages that name no version (reserved fields).
    #[error("incompatible with {subject}: {messages:?}")]
    IncompatibleMessages {
        /// The subject.
        subject: SubjectName,
        /// As the compatibility endpoint lists them.
        messages: Vec<String>,
    },
    /// The text is no schema. `outline` is the reference's print of the request, for its message.
    #[error("invalid schema: {cause}")]
    InvalidSchema {
        /// Request in the reference's notation: `{subject=…,version=…,…} with refs […] of type T`.
        outline: Option<String>,
        /// Why.
        cause: InvalidSchema,
    },
    /// 42201 with exactly this text: `Empty schema`, `Version is not one more than previous version`, ….
    #[error("{0}")]
    InvalidRequestSchema(String),
    /// Not a version: neither positive nor `latest`.
    #[error("invalid version {0}")]
    InvalidVersion(String),
    /// Not a level.
    #[error("invalid compatibility level")]
    InvalidLevel,
    /// Not a mode; the text to show.
    #[error("{0}")]
    InvalidMode(String),
    /// 42205 with exactly this text.
    #[error("{0}")]
    OperationNotPermitted(String),
    /// The schema is referenced by others and stays.
    #[error("{subject} version {version} is referenced")]
    ReferenceExists {
        /// Referenced subject.
        subject: SubjectName,
        /// Referenced version.
        version: Version,
    },
    /// The id belongs to other content.
    #[error("id {0} does not match")]
    IdDoesNotMatch(SchemaId),
    /// The subject's name cannot be written.
    #[error("invalid subject {0}")]
    InvalidSubject(String),
    /// The rule set breaks a rule; the text says which.
    #[error("{0}")]
    InvalidRuleSet(String),
    /// The context holds subjects.
    #[error("context {0} is not empty")]
    ContextNotEmpty(ContextName),
    /// A negative `offset` and the like.
    #[error("{0}")]
    InvalidParameter(String),
    /// A control-plane file owns this setting.
    #[error("{subject}: {setting} is declared by {file}")]
    DeclaredElsewhere {
        /// The subject.
        subject: SubjectName,
        /// `compatibility` or `mode`.
        setting: &'static str,
        /// The file.
        file: String,
    },
    /// The caller may not.
    #[error("forbidden")]
    Forbidden,
    /// Too many writers raced on one subject; nothing was written.
    #[error("too much contention on {0}")]
    Contention(SubjectName),
    /// The store failed, or cannot be reached.
    #[error(transparent)]
    Store(#[from] StoreError),
}
