//! Names and values the registry deals in.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sluice_schema::{Guid, Reference, SchemaId, SchemaType, Version};

/// Longest name of a context, bytes.
pub const MAX_CONTEXT_BYTES: usize = 512;
/// Longest name of a subject inside its context, bytes. Together with that of a context it fits into a key of an index
/// on Postgres (2,704 bytes).
pub const MAX_SUBJECT_BYTES: usize = 2_048;

/// A context, with its leading dot; `.` is the default one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContextName(Arc<str>);

impl ContextName {
    /// The default context, `.`.
    pub fn default_context() -> ContextName {
        ContextName(".".into())
    }

    /// The context of this name; a missing leading dot is added. Colons are the caller's to refuse.
    pub fn new(name: &str) -> ContextName {
        if name.starts_with('.') { ContextName(name.into()) } else { ContextName(format!(".{name}").into()) }
    }

    /// With its dot.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a store can hold anything under this name. What cannot exist is not looked for.
    pub fn may_exist(&self) -> bool {
        self.0.len() <= MAX_CONTEXT_BYTES && !self.0.contains('\0')
    }

    /// Whether this is `.`.
    pub fn is_default(&self) -> bool {
        &*self.0 == "."
    }
}

impl fmt::Display for ContextName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A subject: context and name. Parsed from `name`, `:.ctx:name` or `:.:name`.
///
/// Order is that of the qualified text, as lists are sorted.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SubjectName {
    context: ContextName,
    name: Arc<str>,
}

impl SubjectName {
    /// Reads the qualified notation. Never fails: what does not start as `:.ctx` is a name in the default context, and
    /// `:.ctx` without its second colon is that context with an empty name.
    /// Whether the name may be *written* is [`SubjectName::is_valid`].
    pub fn parse(text: &str) -> SubjectName {
        if let Some(rest) = text.strip_prefix(":.") {
            let (context, name) = rest.split_once(':').unwrap_or((rest, ""));
            return SubjectName { context: ContextName(format!(".{context}").into()), name: name.into() };
        }
        SubjectName { context: ContextName::default_context(), name: text.into() }
    }

    /// `name` inside `context`.
    pub fn new(context: ContextName, name: &str) -> SubjectName {
        SubjectName { context, name: name.into() }
    }

    /// `text` as a subject of `context` unless it names a context itself: how references and alias targets read.
    pub fn parse_in(context: &ContextName, text: &str) -> SubjectName {
        if text.starts_with(":.") { SubjectName::parse(text) } else { SubjectName::new(context.clone(), text) }
    }

    /// The context.
    pub fn context(&self) -> &ContextName {
        &self.context
    }

    /// The name inside the context; empty for the context itself.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether a store can hold anything under this name: not too long, and without NUL, which Postgres has no place
    /// for. What cannot exist is not looked for.
    pub fn may_exist(&self) -> bool {
        self.context.may_exist() && self.name.len() <= MAX_SUBJECT_BYTES && !self.name.contains('\0')
    }

    /// Whether the name may be written: not too long, no control characters, not `__GLOBAL` or `__EMPTY`, no wildcard
    /// context.
    pub fn is_valid(&self) -> bool {
        !(!self.may_exist()
            || self.name.chars().any(char::is_control)
            || matches!(&*self.name, "__GLOBAL" | "__EMPTY")
            || self.name.starts_with(":*:")
            || self.context.as_str().chars().any(char::is_control)
            || self.context.as_str() == ".*"
            || self.context.as_str() == ".__GLOBAL")
    }

    /// Whether config and mode may stand on the name. Unlike versions they may on wildcards, where they mean nothing.
    pub fn may_have_settings(&self) -> bool {
        let has_control = |text: &str| text.chars().any(char::is_control);
        !(!self.may_exist()
            || has_control(&self.name)
            || has_control(self.context.as_str())
            || matches!(&*self.name, "__GLOBAL" | "__EMPTY")
            || self.context.as_str() == ".__GLOBAL")
    }

    /// `name` in the default context, `:.ctx:name` elsewhere.
    pub fn qualified(&self) -> String {
        self.to_string()
    }
}

impl fmt::Display for SubjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.context.is_default() { f.write_str(&self.name) } else { write!(f, ":{}:{}", self.context, self.name) }
    }
}

impl PartialOrd for SubjectName {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for SubjectName {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        fn bytes(of: &SubjectName) -> impl Iterator<Item = u8> {
            let context = if of.context.is_default() { ["", "", ""] } else { [":", of.context.as_str(), ":"] };
            context.into_iter().chain([of.name()]).flat_map(str::bytes)
        }
        bytes(self).cmp(bytes(other))
    }
}

/// What config and mode stand on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// `:.__GLOBAL:`: every context.
    AllContexts,
    /// A context as a whole; the default one is plain `/config` and `/mode`.
    Context(ContextName),
    /// One subject.
    Subject(SubjectName),
}

impl Scope {
    /// Whether a store can hold settings of this scope.
    pub fn may_exist(&self) -> bool {
        match self {
            Scope::AllContexts => true,
            Scope::Context(context) => context.may_exist(),
            Scope::Subject(subject) => subject.may_exist(),
        }
    }
}

/// Data-contract metadata. `None` inside a schema is another content than an empty one.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// Tags by path or pattern.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, std::collections::BTreeSet<String>>,
    /// Properties.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub properties: BTreeMap<String, String>,
    /// Names of properties that are secret.
    #[serde(default, skip_serializing_if = "std::collections::BTreeSet::is_empty")]
    pub sensitive: std::collections::BTreeSet<String>,
}

/// Rules of a data contract.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RuleSet {
    /// Rules between versions.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub migration_rules: Vec<Rule>,
    /// Rules on values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub domain_rules: Vec<Rule>,
    /// Rules on bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub encoding_rules: Vec<Rule>,
    /// Where rules run: `ALL`, `CLIENT`, `GATEWAY`, `SERVER`, `NONE`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub enable_at: Option<String>,
}

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rule {
    /// Name, unique within its list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Free text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub doc: Option<String>,
    /// `TRANSFORM` or `CONDITION`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `UPGRADE`, `DOWNGRADE`, `UPDOWN`, `WRITE`, `READ`, `WRITEREAD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<String>,
    /// Executor: `CEL`, `ENCRYPT`, …
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub type_: Option<String>,
    /// Tags it applies to.
    #[serde(default, skip_serializing_if = "std::collections::BTreeSet::is_empty")]
    pub tags: std::collections::BTreeSet<String>,
    /// Parameters.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub params: BTreeMap<String, String>,
    /// Expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expr: Option<String>,
    /// Action on success.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_success: Option<String>,
    /// Action on failure.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_failure: Option<String>,
    /// Switched off.
    #[serde(default)]
    pub disabled: bool,
}

/// Content of a schema, stored once per (context, hash).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// Language.
    pub schema_type: SchemaType,
    /// Canonical (or normalised) text.
    pub text: Arc<str>,
    /// As carried.
    pub references: Arc<[Reference]>,
    /// Data contract.
    pub metadata: Option<Arc<Metadata>>,
    /// Data contract.
    pub rule_set: Option<Arc<RuleSet>>,
    /// Hash of all of the above but the type.
    pub guid: Guid,
}

/// A version of a subject, as it is answered.
#[derive(Debug, Clone)]
pub struct SchemaEntity {
    /// Subject; printed qualified.
    pub subject: SubjectName,
    /// Version.
    pub version: Version,
    /// Id in the subject's context.
    pub id: SchemaId,
    /// What is stored.
    pub content: Arc<Content>,
    /// The text to show when a `format` asked for another than the stored one.
    pub rendered: Option<Arc<str>>,
    /// Tags found (`findTags`).
    pub schema_tags: Vec<sluice_schema::TaggedEntity>,
    /// When it was registered, ms since 1970; `None` is left out of the answer (fresh registrations, hash hits).
    pub ts: Option<i64>,
    /// Soft-deleted; `None` is left out of the answer.
    pub deleted: Option<bool>,
    /// As of when this holds; `None` for answers that must not be remembered.
    pub as_of: Option<crate::Stamp>,
}

/// A config as stored at one scope; absent members are not set there.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Config {
    /// Another subject that this name stands for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The same for the DEK registry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias_for_deks: Option<String>,
    /// Normalise what is registered and looked up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub normalize: Option<bool>,
    /// Build full descriptors, check reserved fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate_fields: Option<bool>,
    /// Strict checks of new schemas (Avro).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate_new_schemas: Option<bool>,
    /// Stored and shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub validate_rules: Option<bool>,
    /// Wire name of a [`sluice_schema::Level`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility_level: Option<String>,
    /// `STRICT`, `LENIENT`, `LOGICAL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility_policy: Option<String>,
    /// Metadata property that splits versions into groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compatibility_group: Option<String>,
    /// Defaults for metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_metadata: Option<Metadata>,
    /// Overrides of metadata.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_metadata: Option<Metadata>,
    /// Defaults for rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_rule_set: Option<RuleSet>,
    /// Overrides of rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_rule_set: Option<RuleSet>,
}

/// What a scope allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// Everything. The default.
    ReadWrite,
    /// Reads and mode changes.
    ReadOnly,
    /// As read-only; meant for failover tooling.
    ReadOnlyOverride,
    /// Explicit ids and versions, no checks.
    Import,
    /// As import, for the global scope.
    Forward,
}

impl Mode {
    const NAMES: &'static [(&'static str, Mode)] = &[
        ("READWRITE", Mode::ReadWrite),
        ("READONLY", Mode::ReadOnly),
        ("READONLY_OVERRIDE", Mode::ReadOnlyOverride),
        ("IMPORT", Mode::Import),
        ("FORWARD", Mode::Forward),
    ];

    /// The mode of this name in any case.
    pub fn from_wire(name: &str) -> Option<Mode> {
        Mode::NAMES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, mode)| *mode)
    }

    /// Its upper-case name.
    pub fn wire(self) -> &'static str {
        match self {
            Mode::ReadWrite => "READWRITE",
            Mode::ReadOnly => "READONLY",
            Mode::ReadOnlyOverride => "READONLY_OVERRIDE",
            Mode::Import => "IMPORT",
            Mode::Forward => "FORWARD",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The recordings of `ctx-names` and `ctx-default-qualified`.
    #[test]
    fn a_qualified_name_has_a_context_and_a_name() {
        let parts = |text: &str| {
            let subject = SubjectName::parse(text);
            (subject.context().as_str().to_owned(), subject.name().to_owned(), subject.qualified())
        };
        let split =
            |context: &str, name: &str, qualified: &str| (context.to_owned(), name.to_owned(), qualified.to_owned());
        assert_eq!(parts("s"), split(".", "s", "s"));
        assert_eq!(parts(":.c:s"), split(".c", "s", ":.c:s"));
        assert_eq!(parts(":.:s"), split(".", "s", "s"));
        assert_eq!(parts(":.c:"), split(".c", "", ":.c:"));
        assert_eq!(parts(":.c"), split(".c", "", ":.c:"));
        assert_eq!(parts(":.c::x"), split(".c", ":x", ":.c::x"));
        assert_eq!(parts(":nodot:s"), split(".", ":nodot:s", ":nodot:s"));
        assert_eq!(parts("::c"), split(".", "::c", "::c"));
        assert_eq!(parts(""), split(".", "", ""));
    }

    #[test]
    fn a_name_that_a_store_cannot_hold_is_not_valid() {
        let longest = "n".repeat(MAX_SUBJECT_BYTES);
        let may_exist = |text: &str| {
            let subject = SubjectName::parse(text);
            assert!(subject.may_exist() || !(subject.is_valid() || subject.may_have_settings()), "{text:?}");
            subject.may_exist()
        };
        assert!(may_exist(&longest));
        assert!(may_exist(&format!(":.{}:{longest}", "c".repeat(MAX_CONTEXT_BYTES - 1))));
        assert!(!may_exist(&format!("{longest}n")));
        assert!(!may_exist(&format!(":.{}:s", "c".repeat(MAX_CONTEXT_BYTES))));
        assert!(!may_exist("a\0b"));
        assert!(!may_exist(":.c\0:s"));
    }

    #[test]
    fn subjects_are_sorted_by_their_qualified_text() {
        let mut names: Vec<SubjectName> = ["b", ":.c:a", "a", "1", ":.c:", ":.b:z"].map(SubjectName::parse).into();
        names.sort();
        let sorted: Vec<String> = names.iter().map(SubjectName::qualified).collect();
        assert_eq!(sorted, ["1", ":.b:z", ":.c:", ":.c:a", "a", "b"]);
        assert!(sorted.is_sorted());
    }
}
