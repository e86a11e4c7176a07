//! Where values come from: the file, then the environment, then flags; the later wins.
//!
//! Values stay text until [`super::settings`] reads them, so that a mistake names the place it stands in.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use sluice_control_plane::document::{self, Node, Value};
use sluice_control_plane::problem::{Level, Position, Problem, Problems, nearest};

use super::keys::{KEYS, Kind, find};

/// Where a value stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// The table of keys.
    Default,
    /// A file, here.
    File(Arc<str>, Position),
    /// An environment variable.
    Variable(String),
    /// A flag.
    Flag(&'static str),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File(file, at) => write!(f, "{file}:{}", at.line),
            Origin::Variable(name) => f.write_str(name),
            Origin::Flag(name) => write!(f, "--{name}"),
        }
    }
}

/// A value before it is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Raw {
    /// Text; lists and maps of a file are joined as a flag would write them.
    pub(crate) text: String,
    /// Where it stands.
    pub(crate) origin: Origin,
}

/// The values that were set, by key.
pub(crate) type RawValues = BTreeMap<&'static str, Raw>;

/// Adds the values of a configuration file. Unknown keys are errors with their line.
pub(crate) fn read_file(file: &Arc<str>, text: &str, values: &mut RawValues, problems: &mut Problems) {
    let documents = document::parse(file, text, problems);
    let mut add = |at: Position, pointer: String, message: String, hint: Option<String>| {
        problems.0.push(Problem { file: file.clone(), at, pointer, code: "K001", level: Level::Error, message, hint });
    };
    if let Some(second) = documents.get(1) {
        add(second.at, String::new(), "one document is enough for a configuration".to_owned(), None);
    }
    let Some(root) = documents.first() else { return };
    let Value::Mapping(entries) = &root.value else {
        return add(root.at, String::new(), format!("expected a mapping, found {}", root.kind()), None);
    };
    for entry in entries {
        let pointer = format!("/{}", entry.key);
        let Some(key) = find(&entry.key) else {
            let hint =
                nearest(&entry.key, KEYS.iter().map(|key| key.name)).map(|meant| format!("did you mean `{meant}`?"));
            let hint = hint.or_else(|| Some("`sluice config` prints all keys".to_owned()));
            add(entry.key_at, pointer, format!("unknown key `{}`", entry.key), hint);
            continue;
        };
        match flat_text(&entry.value, key.kind) {
            Ok(Some(text)) => {
                values.insert(key.name, Raw { text, origin: Origin::File(file.clone(), entry.value.at) });
            }
            Ok(None) => {}
            Err(message) => add(entry.value.at, pointer, message, None),
        }
    }
}

fn flat_text(node: &Node, kind: Kind) -> Result<Option<String>, String> {
    let scalar = |node: &Node| match &node.value {
        Value::Scalar { text, .. } => Ok(text.clone()),
        _ => Err(format!("expected a single value, found {}", node.kind())),
    };
    match (&node.value, kind) {
        (Value::Null, _) => Ok(None),
        (Value::Sequence(items), Kind::Servers | Kind::Words(_)) => {
            Ok(Some(items.iter().map(scalar).collect::<Result<Vec<_>, _>>()?.join(",")))
        }
        (Value::Mapping(entries), Kind::Map) => {
            let pairs = entries.iter().map(|entry| Ok(format!("{}={}", entry.key, scalar(&entry.value)?)));
            Ok(Some(pairs.collect::<Result<Vec<_>, String>>()?.join(",")))
        }
        _ => scalar(node).map(Some),
    }
}

/// Variables that look like ours but are set by others: Kubernetes injects them for a service named `sluice`.
fn is_foreign(name: &str) -> bool {
    name.starts_with("SLUICE_SERVICE_") || name.starts_with("SLUICE_PORT") || name.starts_with("SLUICE_TEST_")
}

/// Adds the values of `SLUICE_…` variables. Unknown ones are warnings, with the nearest key.
pub(crate) fn read_environment(
    variables: impl IntoIterator<Item = (String, String)>,
    values: &mut RawValues,
    warnings: &mut Vec<String>,
) {
    for (name, text) in variables {
        if !name.starts_with("SLUICE_") || is_foreign(&name) || name == "SLUICE_CONFIG" {
            continue;
        }
        match KEYS.iter().find(|key| key.variable() == name) {
            Some(key) => {
                values.insert(key.name, Raw { text, origin: Origin::Variable(name) });
            }
            None => {
                let known: Vec<String> = KEYS.iter().map(|key| key.variable()).collect();
                let meant = nearest(&name, known.iter().map(String::as_str));
                let hint = meant.map(|meant| format!("; did you mean {meant}?")).unwrap_or_default();
                warnings.push(format!("unknown environment variable {name}{hint}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_key_is_an_error_with_its_line_and_the_nearest_key() {
        let (mut values, mut problems) = (RawValues::new(), Problems::default());
        let text = "registry-listen: 0.0.0.0:8081\nmanagment-listen: 0.0.0.0:9080\n";
        read_file(&"sluice.yaml".into(), text, &mut values, &mut problems);
        assert_eq!(values["registry-listen"].text, "0.0.0.0:8081");
        assert_eq!(
            problems.0[0].to_string(),
            "sluice.yaml:2:1: error[K001] /managment-listen: unknown key `managment-listen` \
             (hint: did you mean `management-listen`?)"
        );
    }

    #[test]
    fn lists_and_mappings_read_as_flags_write_them() {
        let (mut values, mut problems) = (RawValues::new(), Problems::default());
        let text = "bootstrap-servers:\n  - a:1\n  - b:2\nkafka-client: {debug: broker, socket.timeout.ms: 4000}\n";
        read_file(&"f".into(), text, &mut values, &mut problems);
        assert_eq!(problems.0, []);
        assert_eq!(values["bootstrap-servers"].text, "a:1,b:2");
        assert_eq!(values["kafka-client"].text, "debug=broker,socket.timeout.ms=4000");
    }

    #[test]
    fn what_kubernetes_injects_is_not_mistaken_for_a_setting() {
        let (mut values, mut warnings) = (RawValues::new(), Vec::new());
        let variables = [
            ("SLUICE_PORT", "tcp://10.0.0.1:8081"),
            ("SLUICE_SERVICE_HOST", "10.0.0.1"),
            ("SLUICE_REST_LISTEN", "127.0.0.1:1"),
            ("SLUICE_REST_LISTNE", "x"),
            ("PATH", "/bin"),
        ];
        let variables = variables.map(|(name, text)| (name.to_owned(), text.to_owned()));
        read_environment(variables, &mut values, &mut warnings);
        assert_eq!(values.len(), 1);
        assert_eq!(values["rest-listen"].origin, Origin::Variable("SLUICE_REST_LISTEN".into()));
        assert_eq!(warnings, ["unknown environment variable SLUICE_REST_LISTNE; did you mean SLUICE_REST_LISTEN?"]);
    }
}
