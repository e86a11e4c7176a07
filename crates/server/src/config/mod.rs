//! The configuration: one table of keys, three sources, one typed result.

pub(crate) mod keys;
pub(crate) mod settings;
pub(crate) mod sources;

use std::sync::Arc;

use sluice_control_plane::problem::Problems;

use settings::{Role, Secrets, Settings};
use sources::{Origin, Raw, RawValues};

/// What loading came to.
#[derive(Debug)]
pub(crate) struct Loaded {
    /// The settings, or every mistake.
    pub(crate) settings: Result<Settings, Vec<String>>,
    /// Worth a line in the log.
    pub(crate) warnings: Vec<String>,
}

/// Reads all sources: `file` (or `SLUICE_CONFIG`), then the environment, then `flags`.
pub(crate) fn load(role: Role, file: Option<&str>, flags: Vec<(&'static str, String)>) -> Loaded {
    let mut values = RawValues::new();
    let mut problems = Problems::default();
    let mut mistakes = Vec::new();
    let mut warnings = Vec::new();
    let from_environment = std::env::var("SLUICE_CONFIG").ok();
    if let Some(path) = file.or(from_environment.as_deref()) {
        match std::fs::read_to_string(path) {
            Ok(text) => sources::read_file(&Arc::from(path), &text, &mut values, &mut problems),
            Err(cause) => mistakes.push(format!("{path}: {cause}")),
        }
    }
    sources::read_environment(std::env::vars_os().filter_map(as_text), &mut values, &mut warnings);
    for (name, text) in flags {
        values.insert(name, Raw { text, origin: Origin::Flag(name) });
    }
    mistakes.extend(problems.0.iter().map(ToString::to_string));
    let settings = match settings::read(&values, role, &Outside, &mut warnings) {
        Ok(settings) if mistakes.is_empty() => Ok(settings),
        Ok(_) => Err(mistakes),
        Err(more) => {
            mistakes.extend(more);
            Err(mistakes)
        }
    };
    Loaded { settings, warnings }
}

fn as_text((name, value): (std::ffi::OsString, std::ffi::OsString)) -> Option<(String, String)> {
    Some((name.into_string().ok()?, value.into_string().ok()?))
}

/// Secrets from the real file system and environment.
pub(crate) struct Outside;

impl Secrets for Outside {
    fn file(&self, path: &str) -> Result<String, String> {
        let text = std::fs::read_to_string(path).map_err(|cause| cause.to_string())?;
        let line = text.lines().next().unwrap_or_default();
        if line.is_empty() { Err("its first line is empty".to_owned()) } else { Ok(line.to_owned()) }
    }

    fn variable(&self, name: &str) -> Result<String, String> {
        std::env::var(name).map_err(|_| format!("environment variable {name} is not set"))
    }
}
