//! What a recorded registry said about evolution of protobuf and Avro schemas, said again by this crate.
//!
//! Replays the `compat-*` and `levels-*` scenarios of these formats: subjects and levels are kept here, verdicts and
//! message lists come from [`compat::check`] and must be the recorded ones, in order, word for word.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use sluice_schema::compat::{self, Prior};
use sluice_schema::{Level, Reference, ResolvedReference, Schema, SchemaType, Version};

/// A registry as far as these scenarios need one.
#[derive(Default)]
struct Subjects {
    versions: HashMap<String, Vec<Prior>>,
    levels: HashMap<String, Level>,
}

impl Subjects {
    fn parse(&self, body: &Value) -> Schema {
        let references: Vec<Reference> =
            body.get("references").map_or_else(Vec::new, |list| serde_json::from_value(list.clone()).unwrap());
        let resolved: Vec<ResolvedReference> = references.iter().map(|reference| self.resolve(reference)).collect();
        let text = body["schema"].as_str().unwrap();
        let schema_type = body.get("schemaType").map_or("AVRO", |word| word.as_str().unwrap());
        let schema_type = SchemaType::from_wire(schema_type).unwrap();
        Schema::parse(schema_type, text, references.into(), resolved.into()).unwrap()
    }

    fn resolve(&self, reference: &Reference) -> ResolvedReference {
        let prior = self.versions[&reference.subject].iter().find(|prior| prior.version.0 == reference.version);
        let schema = &prior.expect("the referenced version").schema;
        assert!(schema.references().is_empty(), "references of references are not replayed here");
        ResolvedReference {
            name: reference.name.as_str().into(),
            subject: reference.subject.as_str().into(),
            version: reference.version,
            text: schema.canonical_text().clone(),
            references: [].into(),
        }
    }

    /// The message list of a check against one version, `latest`, or (`None`) what registration would check.
    fn check(&self, subject: &str, version: Option<&str>, new: &Schema) -> Vec<String> {
        let level = self.levels.get(subject).copied().unwrap_or(Level::Backward);
        let all = self.versions.get(subject).map_or(&[][..], Vec::as_slice);
        let against: Vec<Prior> = match version {
            None => all.to_vec(),
            Some("latest") => all.last().cloned().into_iter().collect(),
            Some(number) => all.iter().filter(|prior| prior.version.to_string() == number).cloned().collect(),
        };
        compat::check(level, new, &against, false).map_or_else(|refused| refused.messages(), |()| Vec::new())
    }

    /// Replays one step; gives the number of verdicts compared.
    fn step(&mut self, at: &str, step: &Value) -> usize {
        let (method, path) = (step["method"].as_str().unwrap(), step["path"].as_str().unwrap());
        let answer = &step["response"]["body"];
        let path = path.split('?').next().unwrap();
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match (method, parts.as_slice()) {
            ("PUT", ["config", subject]) => {
                let level = Level::from_wire(step["body"]["compatibility"].as_str().unwrap()).unwrap();
                self.levels.insert((*subject).to_owned(), level);
                0
            }
            ("POST", ["compatibility", "subjects", subject, "versions", version @ ..]) => {
                let list = self.check(subject, version.first().copied(), &self.parse(&step["body"]));
                assert_eq!(list.is_empty(), answer["is_compatible"].as_bool().unwrap(), "{at}");
                if let Some(recorded) = answer.get("messages") {
                    assert_eq!(Value::from(list), *recorded, "{at}");
                }
                1
            }
            ("POST", ["subjects", subject, "versions"]) => {
                let schema = self.parse(&step["body"]);
                let same = |prior: &Prior| {
                    prior.schema.canonical_text() == schema.canonical_text()
                        && prior.schema.references() == schema.references()
                };
                let is_known = self.versions.get(*subject).into_iter().flatten().any(same);
                let list = if is_known { Vec::new() } else { self.check(subject, None, &schema) };
                if let Some(code) = answer.get("error_code") {
                    assert_eq!(code, 40901, "{at}");
                    let recorded = answer["message"].as_str().unwrap();
                    let details = format!("details: [{}]", list.join(", "));
                    assert!(recorded.ends_with(&details), "{at}: {recorded}\nends otherwise: {details}");
                } else {
                    assert_eq!(list, [""; 0], "{at}");
                    let version = Version(i32::try_from(answer["version"].as_i64().unwrap()).unwrap());
                    let versions = self.versions.entry((*subject).to_owned()).or_default();
                    if versions.iter().all(|prior| prior.version != version) {
                        versions.push(Prior { version, schema: Arc::new(schema) });
                    }
                }
                1
            }
            ("GET", _) => 0,
            _ => panic!("{at}: no such step is replayed: {method} {path}"),
        }
    }
}

fn scenarios(format: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../compat-tests/golden/registry/recorded");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        name.starts_with(&format!("compat-{format}-")) || name.starts_with(&format!("levels-{format}-"))
    });
    files.sort();
    files
}

/// Replays all scenarios of a format; gives the number of verdicts.
fn replay(format: &str) -> usize {
    let files = scenarios(format);
    assert!(files.len() > 15, "the recordings are missing: {files:?}");
    let mut verdicts = 0;
    for file in files {
        let scenario: Value = serde_json::from_str(&std::fs::read_to_string(&file).unwrap()).unwrap();
        let mut subjects = Subjects::default();
        for (number, step) in scenario["steps"].as_array().unwrap().iter().enumerate() {
            let at = format!("{} step {number} ({})", scenario["name"].as_str().unwrap(), step["note"]);
            verdicts += subjects.step(&at, step);
        }
    }
    verdicts
}

#[test]
fn verdicts_and_message_lists_of_protobuf_are_the_recorded_ones() {
    let verdicts = replay("protobuf");
    assert!(verdicts > 200, "only {verdicts} verdicts");
}

#[test]
fn verdicts_and_message_lists_of_avro_are_the_recorded_ones() {
    let verdicts = replay("avro");
    assert!(verdicts > 200, "only {verdicts} verdicts");
}
