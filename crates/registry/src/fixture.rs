//! A registry on an in-memory store, for the tests of this crate.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use sluice_schema::{Format, SchemaId, Version};

use crate::memory::MemoryStore;
use crate::*;

static NOW: AtomicI64 = AtomicI64::new(1_700_000_000_000);

/// A clock that moves a millisecond each time it is looked at.
fn clock() -> i64 {
    NOW.fetch_add(1, Ordering::SeqCst)
}

pub(crate) fn config() -> RegistryConfig {
    RegistryConfig { clock, ..RegistryConfig::default() }
}

/// One node.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) store: MemoryStore,
    pub(crate) registry: Registry,
    pub(crate) caller: Caller,
}

pub(crate) fn node() -> Node {
    node_on(&MemoryStore::new())
}

pub(crate) fn node_on(store: &MemoryStore) -> Node {
    let registry = Registry::new(Arc::new(store.clone()), config());
    Node { store: store.clone(), registry, caller: Caller::everything() }
}

pub(crate) fn name(text: &str) -> SubjectName {
    SubjectName::parse(text)
}

pub(crate) fn default_context() -> ContextName {
    ContextName::default_context()
}

/// `message M` with these int32 fields, numbered from 1.
pub(crate) fn fields(names: &[&str]) -> String {
    let fields: String = names.iter().zip(1..).map(|(name, tag)| format!("  int32 {name} = {tag};\n")).collect();
    format!("syntax = \"proto3\";\npackage p;\n\nmessage M {{\n{fields}}}\n")
}

/// `message M` with one string field at tag 1: follows none of [`fields`] under BACKWARD.
pub(crate) fn breaking() -> String {
    "syntax = \"proto3\";\npackage p;\n\nmessage M {\n  string other = 1;\n}\n".to_owned()
}

/// A file with a message of its own name: none may follow another.
pub(crate) fn lineage(name: &str, fields: usize) -> String {
    let fields: String = (1..=fields).map(|tag| format!("  int32 f{tag} = {tag};\n")).collect();
    format!("syntax = \"proto3\";\npackage p;\n\nmessage {name} {{\n{fields}}}\n")
}

pub(crate) fn proto(text: &str) -> SchemaRequest {
    SchemaRequest {
        schema: Some(text.to_owned()),
        schema_type: Some("PROTOBUF".to_owned()),
        ..SchemaRequest::default()
    }
}

pub(crate) fn avro(text: &str) -> SchemaRequest {
    SchemaRequest { schema: Some(text.to_owned()), ..SchemaRequest::default() }
}

pub(crate) fn json(text: &str) -> SchemaRequest {
    SchemaRequest { schema_type: Some("JSON".to_owned()), ..avro(text) }
}

pub(crate) fn subject(text: &str) -> Scope {
    Scope::Subject(name(text))
}

pub(crate) fn properties(pairs: &[(&str, &str)]) -> Metadata {
    let properties = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Metadata { properties, ..Metadata::default() }
}

pub(crate) fn with_metadata(text: &str, pairs: &[(&str, &str)]) -> SchemaRequest {
    SchemaRequest { metadata: Some(properties(pairs)), ..proto(text) }
}

pub(crate) fn with_version(text: &str, version: i32) -> SchemaRequest {
    SchemaRequest { version: Some(version), ..proto(text) }
}

pub(crate) fn reference(name: &str, subject: &str, version: i32) -> AskedReference {
    AskedReference { name: Some(name.to_owned()), subject: Some(subject.to_owned()), version: Some(version) }
}

/// A file that uses `p.M` from `dep.proto`.
pub(crate) fn using_m(message: &str) -> String {
    format!("syntax = \"proto3\";\npackage q;\n\nimport \"dep.proto\";\n\nmessage {message} {{\n  p.M m = 1;\n}}\n")
}

pub(crate) const PLAIN: RegisterOptions =
    RegisterOptions { normalize: Normalize::No, force: false, format: Format::Canonical };

pub(crate) const ALL: Page = Page { offset: 0, limit: None };

pub(crate) fn reading(include: Include) -> ReadOptions {
    ReadOptions { format: Format::Canonical, qualified_references: false, include, find_tags: Vec::new() }
}

impl Node {
    pub(crate) async fn register(&self, subject: &str, request: SchemaRequest) -> Result<SchemaEntity, Error> {
        self.registry.register(&self.caller, &name(subject), request, PLAIN).await
    }

    /// Registers a text that must be accepted.
    pub(crate) async fn given(&self, subject: &str, text: &str) -> SchemaEntity {
        self.register(subject, proto(text)).await.unwrap()
    }

    /// Registers a text with one reference.
    pub(crate) async fn given_referrer(&self, subject: &str, text: &str, to: AskedReference) -> SchemaEntity {
        let request = SchemaRequest { references: vec![to], ..proto(text) };
        self.register(subject, request).await.unwrap()
    }

    pub(crate) async fn look_up(&self, subject: &str, request: SchemaRequest) -> Result<SchemaEntity, Error> {
        self.look_up_among(subject, request, Include::Live).await
    }

    pub(crate) async fn look_up_among(
        &self,
        subject: &str,
        request: SchemaRequest,
        include: Include,
    ) -> Result<SchemaEntity, Error> {
        let registry = &self.registry;
        registry.look_up(&self.caller, &name(subject), request, Normalize::No, include, Format::Canonical).await
    }

    pub(crate) async fn version(&self, subject: &str, version: VersionSpec) -> Result<SchemaEntity, Error> {
        self.registry.version(&self.caller, &name(subject), version, reading(Include::Live)).await
    }

    pub(crate) async fn versions(&self, subject: &str) -> Result<Vec<i32>, Error> {
        let listing = VersionListing::View(store::View::Live);
        self.registry.versions(&self.caller, &name(subject), listing, ALL).await
    }

    pub(crate) async fn all_versions(&self, subject: &str) -> Result<Vec<i32>, Error> {
        let listing = VersionListing::View(store::View::WithDeleted);
        self.registry.versions(&self.caller, &name(subject), listing, ALL).await
    }

    pub(crate) async fn by_id(&self, id: SchemaId, hint: Option<&str>) -> Result<SchemaEntity, Error> {
        let hint = hint.map(name);
        self.registry.schema_by_id(&self.caller, id, hint.as_ref(), reading(Include::Live)).await
    }

    pub(crate) async fn soft(&self, subject: &str) -> Result<Vec<Version>, Error> {
        self.registry.delete_subject(&self.caller, &name(subject), Permanence::Soft).await
    }

    pub(crate) async fn hard(&self, subject: &str) -> Result<Vec<Version>, Error> {
        self.registry.delete_subject(&self.caller, &name(subject), Permanence::Permanent).await
    }

    pub(crate) async fn soft_version(&self, subject: &str, version: i32) -> Result<Version, Error> {
        let version = VersionSpec::Number(version);
        self.registry.delete_version(&self.caller, &name(subject), version, Permanence::Soft).await
    }

    pub(crate) async fn hard_version(&self, subject: &str, version: i32) -> Result<Version, Error> {
        let version = VersionSpec::Number(version);
        self.registry.delete_version(&self.caller, &name(subject), version, Permanence::Permanent).await
    }

    pub(crate) async fn put_config(&self, scope: Scope, update: ConfigUpdate) -> Result<Config, Error> {
        self.registry.update_config(&self.caller, &scope, update).await
    }

    pub(crate) async fn put_level(&self, subject: &str, level: &str) {
        let update = ConfigUpdate { compatibility: Some(Some(level.to_owned())), ..ConfigUpdate::default() };
        self.put_config(Scope::Subject(name(subject)), update).await.unwrap();
    }

    pub(crate) async fn put_mode(&self, scope: Scope, mode: Mode) -> Result<(), Error> {
        self.registry.update_mode(&self.caller, &scope, Some(mode), false).await
    }

    pub(crate) async fn check(&self, subject: &str, version: Option<VersionSpec>, text: &str) -> CompatibilityReport {
        let request = proto(text);
        self.registry.check_compatibility(&self.caller, &name(subject), version, request, Normalize::No).await.unwrap()
    }
}

/// The text of 42205 and 42201.
pub(crate) fn text_of<T: std::fmt::Debug>(result: Result<T, Error>) -> String {
    match result {
        Err(Error::OperationNotPermitted(text) | Error::InvalidRequestSchema(text)) => text,
        other => panic!("{other:?}"),
    }
}

/// Who may only read and write what starts with a prefix.
#[derive(Debug)]
pub(crate) struct OnlyPrefix(pub(crate) &'static str);

impl Access for OnlyPrefix {
    fn decide(&self, _: &Principal, _: Action, resource: &Resource<'_>) -> Decision {
        match resource {
            Resource::Subject(subject) if subject.name().starts_with(self.0) => Decision::Allow,
            _ => Decision::Deny,
        }
    }
}

pub(crate) fn only(prefix: &'static str) -> Caller {
    Caller::new(Principal("user:ann".into()), Arc::new(OnlyPrefix(prefix)))
}
