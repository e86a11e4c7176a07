//! References from one schema to others.

use std::collections::HashSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A reference as a schema carries it: `name` is the import path (protobuf), the full name (Avro) or the
/// `$ref` URI (JSON Schema); `subject` and `version` say where the text lives. The subject is as written:
/// unqualified names belong to the context of the schema that refers.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Reference {
    /// How the referring text names it.
    pub name: String,
    /// Subject of the referenced schema.
    pub subject: String,
    /// Version of that subject; -1 stands for the latest until it is resolved.
    pub version: i32,
}

impl Reference {
    /// The references of a normal form: by subject and version, the first of equals kept.
    ///
    /// Source: schema-registry `SchemaReference#compareTo`, 8.2.0.
    pub fn sorted(references: &[Reference]) -> Vec<Reference> {
        let mut references = references.to_vec();
        references.sort_by(|a, b| (&a.subject, a.version).cmp(&(&b.subject, b.version)));
        let mut seen = HashSet::new();
        references.retain(|reference| seen.insert(reference.clone()));
        references
    }
}

/// A referenced schema with its text. The registry hands these in transitively, dependencies first, each
/// *name* once (the first wins).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedReference {
    /// How the referring text names it.
    pub name: Arc<str>,
    /// Qualified subject it was found under.
    pub subject: Arc<str>,
    /// The version it was found at.
    pub version: i32,
    /// Its stored text.
    pub text: Arc<str>,
    /// Its own references, as it carries them.
    pub references: Arc<[Reference]>,
}
