//! Short ways to write into a store.

use std::sync::Arc;

use sluice_registry::store::*;
use sluice_registry::{Content, ContextName, SubjectName};
use sluice_schema::{Fingerprint, SchemaId, SchemaType, Version};

pub(crate) fn subject(name: &str) -> SubjectName {
    SubjectName::parse(name)
}

pub(crate) fn default_context() -> ContextName {
    ContextName::default_context()
}

pub(crate) fn content(text: &str) -> Arc<Content> {
    let mut fingerprint = Fingerprint::new();
    fingerprint.text(text);
    Arc::new(Content {
        schema_type: SchemaType::Protobuf,
        text: text.into(),
        references: [].into(),
        metadata: None,
        rule_set: None,
        guid: fingerprint.finish(),
    })
}

pub(crate) fn new_version(name: &str, version: i32, text: &str) -> NewVersion {
    NewVersion {
        subject: subject(name),
        version: Version(version),
        content: content(text),
        references: Vec::new(),
        id: IdChoice::ByContent,
        tombstone_same_id: true,
        ts: 1_700_000_000_000,
    }
}

pub(crate) fn at(revision: i64) -> Preconditions {
    Preconditions { subject_revision: Some(Revision(revision)), ..Preconditions::default() }
}

/// The id of `text` written as version 1 of a new subject.
pub(crate) async fn given(store: &dyn RegistryStore, name: &str, text: &str) -> SchemaId {
    match store.commit_version(new_version(name, 1, text), at(0)).await.unwrap() {
        Committed::Written { id, .. } => id,
        Committed::IdTaken(id) => panic!("{id} is taken"),
    }
}
