//! The plan of the house holds: which crate may use which, and who alone may touch what.

#![allow(clippy::unwrap_used, clippy::expect_used)] // helpers of tests

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Allowed edges between the workspace's crates. Arrows point one way: adapters and edge know the domain, the domain
/// knows nobody above it, only the binary knows all.
const EDGES: &[(&str, &[&str])] = &[
    ("schema", &[]),
    ("registry", &["schema"]),
    ("data-plane", &["schema", "registry"]),
    ("control-plane", &["schema", "registry", "data-plane"]),
    ("storage", &["schema", "registry", "control-plane"]),
    ("kafka", &["schema", "data-plane"]),
    ("api", &["schema", "registry", "data-plane", "control-plane"]),
    ("server", &["schema", "registry", "data-plane", "control-plane", "storage", "kafka", "api"]),
];

/// Dependencies that one crate alone may use.
const ALONE: &[(&str, &[&str])] = &[
    ("rdkafka", &["kafka"]),
    ("rdkafka-sys", &["kafka"]),
    ("sqlx", &["storage"]),
    ("axum", &["api"]),
    ("hyper", &["api"]),
    ("hyper-util", &["api"]),
    ("tonic", &["api"]),
    ("protox-parse", &["schema"]),
    ("prost-reflect", &["schema"]),
    ("clap", &["server"]),
    ("ureq", &["server"]),
];

/// What the pure crate must do without.
const NOT_IN_SCHEMA: &[&str] = &["tokio", "async-trait", "axum", "sqlx", "rdkafka", "tracing", "moka"];

fn dependencies() -> BTreeMap<String, BTreeSet<String>> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.toml");
    let metadata = MetadataCommand::new()
        .manifest_path(manifest)
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap();
    metadata
        .packages
        .iter()
        .map(|package| {
            let name = package.name.strip_prefix("sluice-").expect("every crate is called sluice-…").to_owned();
            let used = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind == DependencyKind::Normal)
                .map(|dependency| dependency.name.clone())
                .collect();
            (name, used)
        })
        .collect()
}

#[test]
fn arrows_between_crates_point_one_way() {
    let found = dependencies();
    let planned: BTreeSet<&str> = EDGES.iter().map(|(name, _)| *name).collect();
    assert_eq!(found.keys().map(String::as_str).collect::<BTreeSet<_>>(), planned, "a crate the plan does not know");
    for (name, allowed) in EDGES {
        for used in &found[*name] {
            if let Some(used) = used.strip_prefix("sluice-") {
                assert!(allowed.contains(&used), "{name} must not use {used}");
            }
        }
    }
}

#[test]
fn a_dependency_with_one_home_is_used_there_alone() {
    for (name, used) in dependencies() {
        for (dependency, homes) in ALONE {
            assert!(!used.contains(*dependency) || homes.contains(&name.as_str()), "{name} must not use {dependency}");
        }
    }
}

#[test]
fn the_schema_crate_is_pure() {
    let used = &dependencies()["schema"];
    for unwanted in NOT_IN_SCHEMA {
        assert!(!used.contains(*unwanted), "schema must do without {unwanted}");
    }
    for (path, text) in sources("schema") {
        for unwanted in ["std::fs", "std::net", "std::time::SystemTime", "Instant::now", "async fn"] {
            assert!(!text.contains(unwanted), "{path} uses {unwanted}");
        }
    }
}

#[test]
fn unsafe_lives_in_one_module() {
    for (name, _) in EDGES {
        for (path, text) in sources(name) {
            let allowed = path.ends_with("kafka/src/ffi.rs") || path.contains("kafka/src/ffi/");
            let uses = text.lines().map(str::trim_start).any(|line| {
                !line.starts_with("//")
                    && (line.contains("unsafe {")
                        || line.contains("unsafe fn")
                        || line.contains("unsafe impl")
                        || line.contains("unsafe extern"))
            });
            assert!(allowed || !uses, "{path} has unsafe code");
        }
    }
}

#[test]
fn placeholders_do_not_stay() {
    for (name, _) in EDGES {
        for (path, text) in sources(name) {
            for word in ["todo!(", "unimplemented!(", "dbg!("] {
                assert!(!text.contains(word), "{path} has {word}");
            }
        }
    }
}

/// Path and text of every source file of a crate, tests left out.
fn sources(name: &str) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut open = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name).join("src")];
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(&directory).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push((path.display().to_string(), std::fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "no sources of {name}");
    found
}
