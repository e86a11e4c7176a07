//! Every recorded registration of a protobuf schema, through parse, validate, normalize and render.
//!
//! The recordings are the black-box corpus of the registry (`compat-tests/golden/registry`); here only what this
//! crate decides is compared: accepted or refused, canonical and normal text, GUID, `format=serialized` and
//! `format=ignore_extensions`, tag edits, error texts behind the registry's own prefix.

#![allow(clippy::unwrap_used, clippy::panic)] // a test may

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde_json::Value;
use sluice_schema::{
    Fingerprint, Format, InvalidSchema, Reference, ResolvedReference, Schema, SchemaType, TagEdit, TaggedEntity,
    ValidateFields,
};

const RECORDED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../compat-tests/golden/registry/recorded");

/// What a scenario has registered: subject → version → text and references.
type Registered = HashMap<(String, i64), (Arc<str>, Arc<[Reference]>)>;

#[derive(Default)]
struct Tally {
    registrations: usize,
    refusals: usize,
    renderings: usize,
    wrong: Vec<String>,
}

#[test]
fn every_recorded_protobuf_registration_comes_out_the_same() {
    let mut tally = Tally::default();
    for scenario in scenarios() {
        replay(&scenario, &mut tally);
    }
    assert!(tally.wrong.is_empty(), "{} differences:\n{}", tally.wrong.len(), tally.wrong.join("\n"));
    // The corpus shipped with the project; a smaller count means that it was not found.
    assert!(tally.registrations >= 220, "only {} registrations", tally.registrations);
    assert!(tally.refusals >= 15, "only {} refusals", tally.refusals);
    assert!(tally.renderings >= 40, "only {} renderings", tally.renderings);
}

fn scenarios() -> Vec<Value> {
    let mut paths: Vec<PathBuf> = std::fs::read_dir(RECORDED)
        .unwrap_or_else(|error| panic!("the recorded corpus is missing at {RECORDED}: {error}"))
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "json"))
        .collect();
    paths.sort();
    paths.iter().filter_map(|path| read(path)).collect()
}

/// A scenario that says protobuf anywhere; others may hold JSON that only lenient readers take.
fn read(path: &Path) -> Option<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    text.contains("PROTOBUF").then(|| serde_json::from_str(&text).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

fn replay(scenario: &Value, tally: &mut Tally) {
    let mut registered = Registered::new();
    for step in scenario["steps"].as_array().unwrap() {
        let path = step["path"].as_str().unwrap();
        let at = format!("{} step {} {path}", scenario["name"].as_str().unwrap(), step["n"]);
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match (step["method"].as_str().unwrap(), parts.as_slice()) {
            ("POST", ["subjects", subject, "versions"]) if step["body"]["schemaType"] == "PROTOBUF" => {
                register(&at, step, subject, query, &mut registered, tally);
            }
            // Logical DDL is a later format.
            ("GET", ["subjects", subject, "versions", version, rest @ ..])
                if query.contains("format=") && !query.to_lowercase().contains("logical") =>
            {
                render(&at, step, subject, version, rest, query, &registered, tally);
            }
            _ => {}
        }
    }
}

fn register(at: &str, step: &Value, subject: &str, query: &str, registered: &mut Registered, tally: &mut Tally) {
    let body = &step["body"];
    let Some(text) = body["schema"].as_str().filter(|text| !text.trim().is_empty()) else { return };
    let references: Vec<Reference> = match &body["references"] {
        Value::Array(list) => list.iter().filter_map(|r| serde_json::from_value(r.clone()).ok()).collect(),
        _ => Vec::new(),
    };
    let Some(resolved) = resolve(&references, registered) else { return };
    let got = schema(text, references, resolved, body, query.contains("normalize=true"));
    let status = step["response"]["status"].as_i64().unwrap();
    let answer = &step["response"]["body"];
    match (status, got) {
        (200, Ok(schema)) => {
            tally.registrations += 1;
            let expected = answer["schema"].as_str().unwrap();
            if schema.canonical_text().as_ref() != expected {
                tally.wrong.push(format!("{at}\n--- expected\n{expected}\n--- got\n{}", schema.canonical_text()));
            }
            if answer["metadata"].is_null() && answer["ruleSet"].is_null() {
                let guid = guid(&schema);
                if answer["guid"] != guid {
                    tally.wrong.push(format!("{at}: guid {guid}, expected {}", answer["guid"]));
                }
            }
            let version = answer["version"].as_i64().unwrap();
            let content = (schema.canonical_text().clone(), schema.references().clone());
            registered.insert((subject.to_owned(), version), content);
        }
        (409, Ok(_)) => {}
        (422, Err(refused)) => {
            tally.refusals += 1;
            let expected = answer["message"].as_str().unwrap();
            if !expected.ends_with(&refused.to_string()) {
                tally.wrong.push(format!("{at}: {refused:?}\n    expected {expected}"));
            }
        }
        // Refusals that this crate does not decide.
        (422, Ok(_)) if !answer["message"].as_str().unwrap().contains("parse Protobuf") => {}
        (status, got) => tally.wrong.push(format!("{at}: recorded {status}, got {:?}", got.map(|_| "a schema"))),
    }
}

fn schema(
    text: &str,
    references: Vec<Reference>,
    resolved: Vec<ResolvedReference>,
    body: &Value,
    normalize: bool,
) -> Result<Schema, InvalidSchema> {
    let mut schema = Schema::parse(SchemaType::Protobuf, text, references.into(), resolved.into())?;
    let edit = TagEdit { add: entities(&body["schemaTagsToAdd"]), remove: entities(&body["schemaTagsToRemove"]) };
    if edit != TagEdit::default() {
        schema = schema.edit_tags(&edit)?;
    }
    schema.validate(ValidateFields::No)?;
    if normalize { schema.normalize() } else { Ok(schema) }
}

fn entities(list: &Value) -> Vec<TaggedEntity> {
    let entity = |item: &Value| TaggedEntity {
        path: item["schemaEntity"]["entityPath"].as_str().unwrap().to_owned(),
        is_record: item["schemaEntity"]["entityType"] == "sr_record",
        tags: item["tags"].as_array().unwrap().iter().map(|tag| tag.as_str().unwrap().to_owned()).collect(),
    };
    list.as_array().map(|list| list.iter().map(entity).collect()).unwrap_or_default()
}

/// The texts of the references, dependencies first; `None` when one is not registered.
fn resolve(references: &[Reference], registered: &Registered) -> Option<Vec<ResolvedReference>> {
    let mut resolved: Vec<ResolvedReference> = Vec::new();
    for reference in references {
        let key = (reference.subject.clone(), i64::from(reference.version));
        let (text, own) = registered.get(&key)?;
        for deeper in resolve(own, registered)? {
            if !resolved.iter().any(|known| known.name == deeper.name) {
                resolved.push(deeper);
            }
        }
        if !resolved.iter().any(|known| *known.name == *reference.name) {
            resolved.push(ResolvedReference {
                name: reference.name.as_str().into(),
                subject: reference.subject.as_str().into(),
                version: reference.version,
                text: text.clone(),
                references: own.clone(),
            });
        }
    }
    Some(resolved)
}

fn guid(schema: &Schema) -> String {
    let mut fingerprint = Fingerprint::new();
    fingerprint.text(schema.canonical_text());
    schema.references().iter().for_each(|reference| {
        fingerprint.reference(reference);
    });
    fingerprint.finish().to_string()
}

#[allow(clippy::too_many_arguments)]
fn render(
    at: &str,
    step: &Value,
    subject: &str,
    version: &str,
    rest: &[&str],
    query: &str,
    registered: &Registered,
    tally: &mut Tally,
) {
    let latest = || registered.keys().filter(|(known, _)| known == subject).map(|(_, version)| *version).max();
    let Some(version) = version.parse().ok().or_else(latest) else { return };
    let Some((text, references)) = registered.get(&(subject.to_owned(), version)) else { return };
    let format = query.split('&').find_map(|pair| pair.strip_prefix("format=")).unwrap();
    let resolved = resolve(references, registered).unwrap();
    let schema = Schema::parse(SchemaType::Protobuf, text, references.clone(), resolved.into()).unwrap();
    let got = schema.render(Format::from_wire(format)).unwrap();
    let response = &step["response"];
    let expected = if rest == ["schema"] { &response["text"] } else { &response["body"]["schema"] };
    if response["status"] == 200 {
        tally.renderings += 1;
        if expected.as_str() != Some(&got) {
            tally.wrong.push(format!("{at}\n    expected {expected}\n    got      {got}"));
        }
    }
}
