//! What a run prints: sentences for people, annotations for GitHub, one document for programs.

use std::path::Path;

use serde_json::json;

use super::plan::Problem;
use super::verdict::{Outcome, State};

/// How outcomes are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// Lines for people.
    Plain,
    /// The same, with `::error file=…` for what is wrong.
    Github,
    /// One JSON document.
    Json,
}

impl Style {
    /// As the flag spells them.
    pub(crate) const NAMES: [&str; 3] = ["plain", "github", "json"];

    /// What was asked for; on GitHub's runners (`GITHUB_ACTIONS`) annotations, unless asked otherwise.
    pub(crate) fn of(asked: Option<&str>, is_github: bool) -> Style {
        match asked {
            Some("json") => Style::Json,
            Some("github") => Style::Github,
            Some(_) => Style::Plain,
            None if is_github => Style::Github,
            None => Style::Plain,
        }
    }

    /// The whole report.
    pub(crate) fn print(self, outcomes: &[Outcome]) -> String {
        match self {
            Style::Plain => outcomes.iter().map(plain).collect(),
            Style::Github => {
                outcomes.iter().map(|outcome| annotation(outcome).unwrap_or_else(|| plain(outcome))).collect()
            }
            Style::Json => {
                let files: Vec<_> = outcomes.iter().map(document).collect();
                format!("{:#}\n", json!({ "files": files }))
            }
        }
    }
}

/// What is wrong with files before anything was asked.
pub(crate) fn of_problems(problems: Vec<Problem>) -> Vec<Outcome> {
    let outcome = |Problem { file, line, message }| Outcome {
        file,
        line,
        subject: None,
        state: State::Invalid,
        id: None,
        version: None,
        messages: vec![message],
        hint: None,
    };
    problems.into_iter().map(outcome).collect()
}

fn plain(outcome: &Outcome) -> String {
    let place = match outcome.state {
        State::Registered | State::Compatible | State::Skipped => outcome.file.display().to_string(),
        _ => format!("{}:{}", outcome.file.display(), outcome.line),
    };
    let mut text = format!("{:12} {place}", outcome.state.word());
    if let Some(subject) = &outcome.subject {
        text += &format!(" → {subject}");
    }
    if let Some(version) = outcome.version {
        text += &format!(", version {version}");
    }
    if let Some(id) = outcome.id {
        text += &format!(", id {id}");
    }
    text.push('\n');
    for reason in reasons(outcome) {
        text += &format!("    {reason}\n");
    }
    if let Some(hint) = &outcome.hint {
        text += &format!("    hint: {hint}\n");
    }
    text
}

/// GitHub's workflow command; `None` where nothing is wrong.
fn annotation(outcome: &Outcome) -> Option<String> {
    let title = match outcome.state {
        State::Registered | State::Compatible | State::Skipped => return None,
        State::Incompatible => "Incompatible schema",
        State::Invalid => "Invalid schema",
        State::Unreachable => "Registry unreachable",
    };
    let mut lines = reasons(outcome);
    if let Some(subject) = &outcome.subject {
        lines.insert(0, format!("Subject {subject}:"));
    }
    lines.extend(outcome.hint.iter().map(|hint| format!("hint: {hint}")));
    let file = escaped_property(&slashed(&outcome.file));
    Some(format!("::error file={file},line={},title={title}::{}\n", outcome.line, escaped(&lines.join("\n"))))
}

fn document(outcome: &Outcome) -> serde_json::Value {
    json!({
        "file": slashed(&outcome.file),
        "line": outcome.line,
        "subject": outcome.subject,
        "outcome": outcome.state.word(),
        "version": outcome.version,
        "id": outcome.id,
        "messages": outcome.messages,
        "hint": outcome.hint,
    })
}

/// The messages without the registry's appendix (the whole old schema, the level), kinds and descriptions unwrapped.
fn reasons(outcome: &Outcome) -> Vec<String> {
    let appendix = ["{oldSchemaVersion:", "{oldSchema:", "{validateFields:"];
    let told = outcome.messages.iter().filter(|message| !appendix.iter().any(|start| message.starts_with(start)));
    told.map(|message| unwrapped(message).unwrap_or_else(|| message.clone())).collect()
}

/// `{errorType:"KIND", description:"TEXT"…}` as `KIND: TEXT`.
fn unwrapped(message: &str) -> Option<String> {
    let rest = message.strip_prefix("{errorType:")?;
    let (kind, rest) = rest.split_once(',')?;
    let rest = rest.trim_start().strip_prefix("description:")?;
    let kind = kind.trim_matches(['"', '\'']);
    let text = rest.trim_end_matches('}').trim_matches(['"', '\'']);
    Some(format!("{kind}: {text}"))
}

fn slashed(path: &Path) -> String {
    path.display().to_string().replace('\\', "/")
}

/// Source: GitHub's toolkit, `core/src/command.ts`, `escapeData`.
fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// Source: the same, `escapeProperty`.
fn escaped_property(text: &str) -> String {
    escaped(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incompatible() -> Outcome {
        Outcome {
            file: "schemas/a,b.proto".into(),
            line: 3,
            subject: Some("a,b-value".into()),
            state: State::Incompatible,
            id: None,
            version: None,
            messages: vec![
                r#"{errorType:"FIELD_SCALAR_KIND_CHANGED", description:"The kind at path '#/M/1' is 100% new"}"#.into(),
                "{oldSchemaVersion: 1}".into(),
                "{oldSchema: 'syntax'}".into(),
                "{validateFields: 'false', compatibility: 'BACKWARD'}".into(),
            ],
            hint: Some("Keep it.".into()),
        }
    }

    #[test]
    fn people_read_place_reason_and_hint() {
        assert_eq!(
            Style::Plain.print(&[incompatible()]),
            "incompatible schemas/a,b.proto:3 → a,b-value\n    FIELD_SCALAR_KIND_CHANGED: The kind at path '#/M/1' is \
             100% new\n    hint: Keep it.\n"
        );
        let registered = Outcome {
            state: State::Registered,
            id: Some(7),
            version: Some(2),
            messages: vec![],
            hint: None,
            ..incompatible()
        };
        assert_eq!(
            Style::Plain.print(std::slice::from_ref(&registered)),
            "registered   schemas/a,b.proto → a,b-value, version 2, id 7\n"
        );
        assert_eq!(Style::Github.print(std::slice::from_ref(&registered)), Style::Plain.print(&[registered]));
    }

    #[test]
    fn github_gets_one_escaped_command() {
        assert_eq!(
            Style::Github.print(&[incompatible()]),
            "::error file=schemas/a%2Cb.proto,line=3,title=Incompatible schema::Subject a,b-value:%0A\
             FIELD_SCALAR_KIND_CHANGED: The kind at path '#/M/1' is 100%25 new%0Ahint: Keep it.\n"
        );
    }

    #[test]
    fn programs_get_everything() {
        let document: serde_json::Value = serde_json::from_str(&Style::Json.print(&[incompatible()])).unwrap();
        let file = &document["files"][0];
        assert_eq!((&file["outcome"], &file["line"]), (&"incompatible".into(), &3.into()));
        assert_eq!(file["messages"].as_array().unwrap().len(), 4);
    }

    #[test]
    fn on_github_annotations_are_the_default() {
        assert_eq!(Style::of(None, true), Style::Github);
        assert_eq!(Style::of(None, false), Style::Plain);
        assert_eq!(Style::of(Some("plain"), true), Style::Plain);
        assert_eq!(Style::of(Some("json"), true), Style::Json);
    }
}
