//! The registry's errors on the wire: the only place that knows its numeric codes.
//!
//! To add an error: the variant in `sluice_registry::Error`, an arm here, a row in `api-spec/error-codes.tsv`.
//! Source: schema-registry `rest/exceptions/Errors.java` and the exception classes beside it, 8.2.0.

use sluice_registry::Error;
use sluice_registry::store::StoreError;
use sluice_schema::InvalidSchema;

use crate::error::{HttpError, Wire};

/// Why an operation of this surface failed.
#[derive(Debug)]
pub enum SrError {
    /// Before the use case was asked: path, query, body.
    Http(HttpError),
    /// The use case refused or failed.
    Registry(Error),
    /// The same, of a use case about associations.
    Association(Error),
    /// The same, for a client that asked for a hint (`?hints=true`).
    Hinted(Error),
}

impl SrError {
    /// The error of a use case whose caller asked for hints, or did not.
    pub(super) fn hinting(hints: bool) -> impl Fn(Error) -> SrError {
        if hints { SrError::Hinted } else { SrError::Registry }
    }
}

impl From<HttpError> for SrError {
    fn from(error: HttpError) -> SrError {
        SrError::Http(error)
    }
}

impl From<Error> for SrError {
    fn from(error: Error) -> SrError {
        SrError::Registry(error)
    }
}

impl From<SrError> for Wire {
    fn from(error: SrError) -> Wire {
        match error {
            SrError::Http(error) => error.wire(),
            SrError::Registry(error) => wire(&error),
            SrError::Association(error) => association_wire(&error),
            SrError::Hinted(error) => {
                let hint = match &error {
                    Error::Incompatible { details, .. } => details.hint.clone(),
                    _ => None,
                };
                Wire { hint, ..wire(&error) }
            }
        }
    }
}

/// [`wire`], where an incompatible schema is told by the bare list of differences.
pub(super) fn association_wire(error: &Error) -> Wire {
    match error {
        Error::Incompatible { details, .. } => Wire::new(409, 40901, format!("[{}]", details.messages().join(", "))),
        Error::IncompatibleMessages { messages, .. } => Wire::new(409, 40901, format!("[{}]", messages.join(", "))),
        other => wire(other),
    }
}

/// Status, code and message of a registry error.
pub fn wire(error: &Error) -> Wire {
    use Error as E;
    match error {
        E::SubjectNotFound(s) => Wire::new(404, 40401, format!("Subject '{s}' not found.")),
        E::VersionNotFound { version, .. } => Wire::new(404, 40402, format!("Version {version} not found.")),
        E::SchemaNotFound(None) => Wire::new(404, 40403, "Schema not found"),
        E::SchemaNotFound(Some(what)) => Wire::new(404, 40403, format!("Schema {what} not found")),
        E::SubjectSoftDeleted(s) => {
            Wire::new(404, 40404, format!("Subject '{s}' was soft deleted.Set permanent=true to delete permanently"))
        }
        E::SubjectNotSoftDeleted(s) => {
            Wire::new(404, 40405, format!("Subject '{s}' was not deleted first before being permanently deleted"))
        }
        E::VersionSoftDeleted { subject, version } => Wire::new(
            404,
            40406,
            format!("Subject '{subject}' Version {version} was soft deleted.Set permanent=true to delete permanently"),
        ),
        E::VersionNotSoftDeleted { subject, version } => Wire::new(
            404,
            40407,
            format!("Subject '{subject}' Version {version} was not deleted first before being permanently deleted"),
        ),
        E::ConfigNotFound(s) => {
            Wire::new(404, 40408, format!("Subject '{s}' does not have subject-level compatibility configured"))
        }
        E::ModeNotFound(s) => {
            Wire::new(404, 40409, format!("Subject '{s}' does not have subject-level mode configured"))
        }
        E::AssociationNotFound(id) => Wire::new(404, 40410, format!("Association for '{id}' not found.")),
        E::AssociationForResource { association_type, resource } => Wire::new(
            409,
            40903,
            format!("An association of type '{}' already exists for resource '{resource}'", association_type.wire()),
        ),
        E::AssociationForSubject(s) => {
            Wire::new(409, 40904, format!("An association already exists for subject '{s}'"))
        }
        E::StrongAssociationForSubject(s) => {
            Wire::new(409, 40905, format!("A strong association already exists for subject '{s}'"))
        }
        E::NoActiveVersion(s) => {
            Wire::new(409, 40907, format!("No active (non-deleted) version exists for subject '{s}'"))
        }
        E::AssociationFrozen { association_type, subject } => Wire::new(
            409,
            40908,
            // Two spaces.
            format!("The association of type  '{}' is frozen for subject '{subject}'", association_type.wire()),
        ),
        E::InvalidAssociation { property, detail } => Wire::new(
            422,
            42212,
            format!("The association specified an invalid value for property: '{property}', detail: {detail}"),
        ),
        E::AssociationContention(resource) => Wire::failure(
            500,
            50001,
            format!("Too many concurrent writers of the associations of '{resource}'; nothing was written"),
            error.to_string(),
        ),
        E::Incompatible { subject, details } => Wire::new(409, 40901, incompatible(subject, &details.messages())),
        E::IncompatibleMessages { subject, messages } => Wire::new(409, 40901, incompatible(subject, messages)),
        E::InvalidSchema { outline, cause } => Wire::new(422, 42201, invalid_schema(outline.as_deref(), cause)),
        E::InvalidRequestSchema(text) => Wire::new(422, 42201, text.clone()),
        E::InvalidVersion(version) => Wire::new(
            422,
            42202,
            format!(
                "The specified version '{version}' is not a valid version id. \
                 Allowed values are between [1, 2^31-1] and the string \"latest\""
            ),
        ),
        E::InvalidLevel => Wire::new(
            422,
            42203,
            "Invalid compatibility level. Valid values are none, backward, forward, full, \
             backward_transitive, forward_transitive, and full_transitive",
        ),
        E::InvalidMode(text) => Wire::new(422, 42204, text.clone()),
        E::OperationNotPermitted(text) => Wire::new(422, 42205, text.clone()),
        E::DeclaredElsewhere { subject, setting, file } => Wire::new(
            422,
            42205,
            format!("The {setting} of subject '{subject}' is declared in {file}; change it there"),
        ),
        E::ReferenceExists { subject, version } => Wire::new(
            422,
            42206,
            format!(
                "One or more references exist to the schema \
                 {{magic=1,keytype=SCHEMA,subject={subject},version={version}}}."
            ),
        ),
        E::IdDoesNotMatch(id) => Wire::new(422, 42207, format!("Schema id {id} does not match")),
        E::InvalidSubject(subject) => {
            Wire::new(422, 42208, format!("The specified subject '{subject}' is not a valid."))
        }
        E::InvalidRuleSet(text) => Wire::new(422, 42210, text.clone()),
        E::ContextNotEmpty(context) => {
            Wire::new(422, 42211, format!("The specified context ':{context}:' is not empty."))
        }
        E::InvalidParameter(text) => Wire::new(422, 422, text.clone()),
        E::Forbidden => Wire::new(403, 403, "Forbidden"),
        E::Contention(subject) => Wire::failure(
            500,
            50001,
            format!("Too many concurrent writers of subject '{subject}'; nothing was written"),
            error.to_string(),
        ),
        E::Store(error) => store(error),
    }
}

fn store(error: &StoreError) -> Wire {
    match error {
        StoreError::Conflict | StoreError::Unavailable { .. } => {
            Wire::failure(500, 50001, "Error in the backend data store; nothing was written", error.to_string())
        }
        StoreError::Inconsistent { .. } => {
            Wire::failure(500, 50001, "Error in the backend data store", error.to_string())
        }
        StoreError::OutcomeUnknown { .. } => Wire::failure(
            500,
            50002,
            "Operation timed out in the backend data store; it may have been written",
            error.to_string(),
        ),
    }
}

/// The list as Java prints one.
fn incompatible(subject: &sluice_registry::SubjectName, messages: &[String]) -> String {
    format!(
        "Schema being registered is incompatible with an earlier schema for subject \"{subject}\", details: [{}]",
        messages.join(", ")
    )
}

/// `outline` is all that stands between `Invalid schema` and the last `details:`.
pub(super) fn invalid_schema(outline: Option<&str>, cause: &InvalidSchema) -> String {
    match (outline, cause) {
        (_, InvalidSchema::UnknownType(_) | InvalidSchema::NoSuchEntity(_)) | (None, _) => cause.to_string(),
        (Some(outline), InvalidSchema::Syntax(_) | InvalidSchema::Semantics(_) | InvalidSchema::TooComplex(_)) => {
            format!("Invalid schema {outline}, details: {cause}")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use sluice_registry::{AssociationType, ContextName, SubjectName};
    use sluice_schema::compat::Incompatible;
    use sluice_schema::{Level, SchemaId, Version};

    use super::*;

    /// The name of a variant as the table spells it. No `_` arm: a new variant must be listed.
    fn variant(error: &Error) -> &'static str {
        match error {
            Error::SubjectNotFound(_) => "SubjectNotFound",
            Error::VersionNotFound { .. } => "VersionNotFound",
            Error::SchemaNotFound(_) => "SchemaNotFound",
            Error::SubjectSoftDeleted(_) => "SubjectSoftDeleted",
            Error::SubjectNotSoftDeleted(_) => "SubjectNotSoftDeleted",
            Error::VersionSoftDeleted { .. } => "VersionSoftDeleted",
            Error::VersionNotSoftDeleted { .. } => "VersionNotSoftDeleted",
            Error::ConfigNotFound(_) => "ConfigNotFound",
            Error::ModeNotFound(_) => "ModeNotFound",
            Error::AssociationNotFound(_) => "AssociationNotFound",
            Error::AssociationForResource { .. } => "AssociationForResource",
            Error::AssociationForSubject(_) => "AssociationForSubject",
            Error::StrongAssociationForSubject(_) => "StrongAssociationForSubject",
            Error::NoActiveVersion(_) => "NoActiveVersion",
            Error::AssociationFrozen { .. } => "AssociationFrozen",
            Error::InvalidAssociation { .. } => "InvalidAssociation",
            Error::AssociationContention(_) => "AssociationContention",
            Error::Incompatible { .. } => "Incompatible",
            Error::IncompatibleMessages { .. } => "IncompatibleMessages",
            Error::InvalidSchema { .. } => "InvalidSchema",
            Error::InvalidRequestSchema(_) => "InvalidRequestSchema",
            Error::InvalidVersion(_) => "InvalidVersion",
            Error::InvalidLevel => "InvalidLevel",
            Error::InvalidMode(_) => "InvalidMode",
            Error::OperationNotPermitted(_) => "OperationNotPermitted",
            Error::ReferenceExists { .. } => "ReferenceExists",
            Error::IdDoesNotMatch(_) => "IdDoesNotMatch",
            Error::InvalidSubject(_) => "InvalidSubject",
            Error::InvalidRuleSet(_) => "InvalidRuleSet",
            Error::ContextNotEmpty(_) => "ContextNotEmpty",
            Error::InvalidParameter(_) => "InvalidParameter",
            Error::DeclaredElsewhere { .. } => "DeclaredElsewhere",
            Error::Forbidden => "Forbidden",
            Error::Contention(_) => "Contention",
            Error::Store(StoreError::Conflict) => "Store::Conflict",
            Error::Store(StoreError::Unavailable { .. }) => "Store::Unavailable",
            Error::Store(StoreError::OutcomeUnknown { .. }) => "Store::OutcomeUnknown",
            Error::Store(StoreError::Inconsistent { .. }) => "Store::Inconsistent",
        }
    }

    fn one_of_each() -> Vec<Error> {
        let subject = || SubjectName::parse("s");
        let text = || "t".to_owned();
        let version = Version(1);
        let details = Incompatible {
            against: None,
            old_text: None,
            differences: vec![],
            logical: vec![],
            level: Level::Backward,
            validate_fields: false,
            quotes_old: false,
            hint: None,
        };
        vec![
            Error::SubjectNotFound(subject()),
            Error::VersionNotFound { subject: subject(), version: 1 },
            Error::SchemaNotFound(None),
            Error::SubjectSoftDeleted(subject()),
            Error::SubjectNotSoftDeleted(subject()),
            Error::VersionSoftDeleted { subject: subject(), version },
            Error::VersionNotSoftDeleted { subject: subject(), version },
            Error::ConfigNotFound(subject()),
            Error::ModeNotFound(subject()),
            Error::AssociationNotFound(text()),
            Error::AssociationForResource { association_type: AssociationType::Key, resource: text() },
            Error::AssociationForSubject(subject()),
            Error::StrongAssociationForSubject(subject()),
            Error::NoActiveVersion(subject()),
            Error::AssociationFrozen { association_type: AssociationType::Key, subject: subject() },
            Error::InvalidAssociation { property: "p", detail: text() },
            Error::AssociationContention(text()),
            Error::Incompatible { subject: subject(), details: Box::new(details) },
            Error::IncompatibleMessages { subject: subject(), messages: vec![] },
            Error::InvalidSchema { outline: None, cause: InvalidSchema::Syntax(text()) },
            Error::InvalidRequestSchema(text()),
            Error::InvalidVersion(text()),
            Error::InvalidLevel,
            Error::InvalidMode(text()),
            Error::OperationNotPermitted(text()),
            Error::ReferenceExists { subject: subject(), version },
            Error::IdDoesNotMatch(SchemaId(1)),
            Error::InvalidSubject(text()),
            Error::InvalidRuleSet(text()),
            Error::ContextNotEmpty(ContextName::default_context()),
            Error::InvalidParameter(text()),
            Error::DeclaredElsewhere { subject: subject(), setting: "mode", file: text() },
            Error::Forbidden,
            Error::Contention(subject()),
            Error::Store(StoreError::Conflict),
            Error::Store(StoreError::Unavailable { statement: "S", cause: text() }),
            Error::Store(StoreError::OutcomeUnknown { statement: "S", cause: text() }),
            Error::Store(StoreError::Inconsistent { statement: "S", cause: text() }),
        ]
    }

    #[test]
    fn the_table_of_codes_lists_exactly_what_is_answered() {
        let table = include_str!("../../../../api-spec/error-codes.tsv");
        let listed: BTreeSet<String> = table
            .lines()
            .filter(|line| line.starts_with("sr\t"))
            .map(|line| line.split('\t').take(4).collect::<Vec<_>>().join("\t"))
            .collect();
        let answered: BTreeSet<String> = one_of_each()
            .iter()
            .map(|error| {
                let wire = wire(error);
                format!("sr\t{}\t{}\t{}", wire.status.as_u16(), wire.code, variant(error))
            })
            .collect();
        assert_eq!(listed, answered);
    }

    #[test]
    fn five_digit_codes_begin_with_their_status() {
        for error in one_of_each() {
            let wire = wire(&error);
            let status = u32::from(wire.status.as_u16());
            assert!(wire.code == status || wire.code / 100 == status, "{error:?}");
        }
    }

    #[test]
    fn what_is_ours_carries_its_cause_for_the_log_and_not_for_the_client() {
        let error = Error::Store(StoreError::Unavailable { statement: "SUBJECT", cause: "refused by 10.0.0.1".into() });
        let wire = wire(&error);
        assert!(wire.cause.is_some_and(|cause| cause.contains("10.0.0.1")));
        assert!(!wire.message.contains("10.0.0.1"));
    }

    #[test]
    fn an_incompatible_schema_is_listed_as_java_prints_a_list() {
        let error = Error::IncompatibleMessages {
            subject: SubjectName::parse(":.c:s"),
            messages: vec!["a".into(), "b".into()],
        };
        assert_eq!(
            wire(&error).message,
            "Schema being registered is incompatible with an earlier schema for subject \":.c:s\", details: [a, b]"
        );
    }
}
