//! What becomes of each file: registered, checked, compared.
//!
//! One outcome per file, in the plan's order. A file whose reference failed is left out, for its own answer would only
//! repeat that one. Once the registry cannot be reached nothing more is asked.

use std::collections::HashSet;
use std::path::PathBuf;
use std::sync::Arc;

use sluice_schema::compat::{self, Prior};
use sluice_schema::{InvalidSchema, Level, Reference, ResolvedReference, Schema, SchemaType, Version};

use super::locate;
use super::plan::Plan;
use super::remote::{Remote, RemoteError, Sent, Stored, Verdict};

/// References of one stored schema, transitively, at most.
const MOST_REFERENCES: usize = 1_000;

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum State {
    /// Stored, now or before.
    Registered,
    /// It may be registered.
    Compatible,
    /// Not looked at, because of what is said of another file.
    Skipped,
    /// It may not follow what is there.
    Incompatible,
    /// It is no schema, or none that the registry takes.
    Invalid,
    /// The registry did not say.
    Unreachable,
}

impl State {
    /// As the JSON report spells it.
    pub(crate) fn word(self) -> &'static str {
        match self {
            State::Registered => "registered",
            State::Compatible => "compatible",
            State::Skipped => "skipped",
            State::Incompatible => "incompatible",
            State::Invalid => "invalid",
            State::Unreachable => "unreachable",
        }
    }

    /// Exit status of a run whose worst outcome is this.
    pub(crate) fn exit_status(self) -> u8 {
        match self {
            State::Registered | State::Compatible | State::Skipped => 0,
            State::Incompatible => 1,
            State::Invalid => 2,
            State::Unreachable => 3,
        }
    }
}

/// What became of a file, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) file: PathBuf,
    /// From 1: where the first message points.
    pub(crate) line: usize,
    pub(crate) subject: Option<String>,
    pub(crate) state: State,
    pub(crate) id: Option<i64>,
    pub(crate) version: Option<i32>,
    pub(crate) messages: Vec<String>,
    pub(crate) hint: Option<String>,
}

/// A plan, a subject for each of its files, and the registry to ask.
pub(crate) struct Run<'a> {
    pub(crate) plan: &'a Plan,
    /// Unqualified, by index of the file.
    pub(crate) subjects: &'a [String],
    pub(crate) remote: &'a Remote,
}

/// What referring files must know of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Version(i32),
    /// The registry does not have it yet.
    New,
    Failed,
}

impl Run<'_> {
    /// Registers every file, references first.
    pub(crate) fn register(&self) -> Vec<Outcome> {
        self.each(|at, references| {
            let sent = self.sent(at, references);
            match self.remote.register(&self.subjects[at], sent) {
                Ok(stored) => {
                    let mut outcome = self.outcome(at, State::Registered);
                    (outcome.id, outcome.version) = (stored.id, Some(stored.version));
                    (outcome, Known::Version(stored.version))
                }
                Err(RemoteError::Refused { code: 40901 | 409, message, hint }) => {
                    // The endpoint that only asks lists the reasons one by one.
                    let verdict = self.remote.check(&self.subjects[at], sent);
                    let verdict = verdict.ok().filter(|verdict| !verdict.is_compatible);
                    let verdict = verdict.unwrap_or(Verdict { is_compatible: false, messages: vec![message], hint });
                    (self.judged(at, verdict), Known::Failed)
                }
                Err(error) => (self.failed(at, error), Known::Failed),
            }
        })
    }

    /// Asks of every file whether it could be registered.
    pub(crate) fn check(&self) -> Vec<Outcome> {
        let is_referred: HashSet<usize> =
            self.plan.files.iter().flat_map(|file| &file.links).map(|link| link.target).collect();
        self.each(|at, references| {
            let is_all_known = references.len() == self.plan.files[at].links.len();
            let sent = self.sent(at, references);
            let asked = match is_all_known {
                true => self.remote.check(&self.subjects[at], sent),
                false => self.compare_with_stored(at),
            };
            let outcome = match asked {
                Ok(verdict) => self.judged(at, verdict),
                Err(error) => self.failed(at, error),
            };
            if outcome.state > State::Incompatible {
                return (outcome, Known::Failed);
            }
            if !is_referred.contains(&at) || !is_all_known {
                return (outcome, Known::New);
            }
            match self.remote.look_up(&self.subjects[at], sent) {
                Ok(found) => (outcome, found.map_or(Known::New, |stored| Known::Version(stored.version))),
                Err(error) => (self.failed(at, error), Known::Failed),
            }
        })
    }

    /// Walks over the files in order; `decide` gets the references that the registry knows.
    fn each(&self, decide: impl Fn(usize, &[Reference]) -> (Outcome, Known)) -> Vec<Outcome> {
        let mut known: Vec<Known> = Vec::with_capacity(self.plan.files.len());
        let mut outcomes: Vec<Outcome> = Vec::with_capacity(self.plan.files.len());
        for (at, file) in self.plan.files.iter().enumerate() {
            let is_lost = outcomes.last().is_some_and(|outcome| outcome.state == State::Unreachable);
            let failed = file.links.iter().find(|link| known[link.target] == Known::Failed);
            if is_lost {
                break;
            }
            let (outcome, is_known) = if let Some(link) = failed {
                let mut outcome = self.outcome(at, State::Skipped);
                outcome.messages = vec![format!("it refers to {}", self.plan.files[link.target].path.display())];
                (outcome, Known::Failed)
            } else if let Err(cause) = self.plan.parse(at).map_err(|cause| unless_foreign(file.schema_type, cause)) {
                match cause {
                    Some(cause) => (self.invalid(at, cause), Known::Failed),
                    None => decide(at, &self.references(at, &known)),
                }
            } else {
                decide(at, &self.references(at, &known))
            };
            outcomes.push(outcome);
            known.push(is_known);
        }
        outcomes
    }

    fn references(&self, at: usize, known: &[Known]) -> Vec<Reference> {
        let links = self.plan.files[at].links.iter();
        let stored = links.filter_map(|link| match known[link.target] {
            Known::Version(version) => {
                Some(Reference { name: link.name.clone(), subject: self.subjects[link.target].clone(), version })
            }
            Known::New | Known::Failed => None,
        });
        stored.collect()
    }

    fn sent<'b>(&'b self, at: usize, references: &'b [Reference]) -> Sent<'b> {
        let file = &self.plan.files[at];
        Sent { schema_type: file.schema_type, text: &file.text, references }
    }

    /// The check of a file whose references are as new as itself, by the level and the versions of the registry.
    fn compare_with_stored(&self, at: usize) -> Result<Verdict, RemoteError> {
        let subject = &self.subjects[at];
        let rules = self.remote.rules(subject)?;
        let versions = self.remote.versions(subject)?;
        let compared =
            if rules.level.is_transitive() { &versions[..] } else { &versions[versions.len().saturating_sub(1)..] };
        let refused = |message: String| RemoteError::Refused { code: 42201, message, hint: None };
        let new = self.plan.parse(at).map_err(|cause| refused(cause.to_string()))?;
        let mut priors = Vec::with_capacity(compared.len());
        for version in compared {
            let Some(stored) = self.remote.version(subject, *version)? else { continue };
            let schema = self.parse_stored(&stored)?;
            priors.push(Prior { version: Version(*version), schema: Arc::new(schema) });
        }
        Ok(match compat::check_under(rules.policy, rules.level, &new, &priors, rules.validate_fields) {
            Ok(()) => Verdict { is_compatible: true, messages: Vec::new(), hint: None },
            Err(found) => Verdict { is_compatible: false, messages: found.messages(), hint: found.hint },
        })
    }

    fn parse_stored(&self, stored: &Stored) -> Result<Schema, RemoteError> {
        let mut resolved = Vec::new();
        let mut seen = HashSet::new();
        // Each is met twice: to open its references, and after them.
        let mut open: Vec<(Reference, Option<Stored>)> = wanted(&stored.references);
        while let Some((reference, found)) = open.pop() {
            if let Some(found) = found {
                resolved.push(ResolvedReference {
                    name: reference.name.into(),
                    subject: reference.subject.into(),
                    version: found.version,
                    text: found.text.into(),
                    references: found.references.into(),
                });
                continue;
            }
            if seen.len() >= MOST_REFERENCES || !seen.insert(reference.name.clone()) {
                continue;
            }
            if let Some(found) = self.remote.version(&reference.subject, reference.version)? {
                let inner = wanted(&found.references);
                open.push((reference, Some(found)));
                open.extend(inner);
            }
        }
        let references = stored.references.clone().into();
        Schema::parse(stored.schema_type, &stored.text, references, resolved.into())
            .map_err(|cause| RemoteError::Unreachable(format!("a stored version cannot be read: {cause}")))
    }

    fn outcome(&self, at: usize, state: State) -> Outcome {
        Outcome {
            file: self.plan.files[at].path.clone(),
            line: 1,
            subject: Some(self.remote.qualified(&self.subjects[at])),
            state,
            id: None,
            version: None,
            messages: Vec::new(),
            hint: None,
        }
    }

    fn judged(&self, at: usize, verdict: Verdict) -> Outcome {
        let state = if verdict.is_compatible { State::Compatible } else { State::Incompatible };
        let mut outcome = self.outcome(at, state);
        outcome.line = line_of(self.plan, at, &verdict.messages);
        (outcome.messages, outcome.hint) = (verdict.messages, verdict.hint);
        outcome
    }

    fn failed(&self, at: usize, error: RemoteError) -> Outcome {
        match error {
            RemoteError::Refused { message, hint, .. } => {
                Outcome { hint, messages: vec![message], ..self.outcome(at, State::Invalid) }
            }
            RemoteError::Unreachable(cause) => {
                Outcome { messages: vec![cause], ..self.outcome(at, State::Unreachable) }
            }
        }
    }

    fn invalid(&self, at: usize, cause: InvalidSchema) -> Outcome {
        let message = cause.to_string();
        let line = locate::in_message(&message).unwrap_or(1);
        Outcome { line, messages: vec![message], ..self.outcome(at, State::Invalid) }
    }
}

/// Compares the last files of two plans at `level`: may `new` follow `old`?
pub(crate) fn compare(old: &Plan, new: &Plan, level: Level) -> Outcome {
    let outcome = |plan: &Plan, state, messages: Vec<String>| {
        let at = given_at(plan);
        Outcome {
            file: plan.files[at].path.clone(),
            line: line_of(plan, at, &messages),
            subject: None,
            state,
            id: None,
            version: None,
            messages,
            hint: None,
        }
    };
    let invalid = |plan: &Plan, cause: InvalidSchema| {
        let message = cause.to_string();
        let line = locate::in_message(&message).unwrap_or(1);
        Outcome { line, ..outcome(plan, State::Invalid, vec![message]) }
    };
    let prior = match old.parse(given_at(old)) {
        Ok(schema) => Prior { version: Version(1), schema: Arc::new(schema) },
        Err(cause) => return invalid(old, cause),
    };
    let schema = match new.parse(given_at(new)) {
        Ok(schema) => schema,
        Err(cause) => return invalid(new, cause),
    };
    match compat::check(level, &schema, &[prior], false) {
        Ok(()) => outcome(new, State::Compatible, Vec::new()),
        Err(found) => {
            let messages = found.differences.into_iter().map(|difference| difference.message).collect();
            Outcome { hint: found.hint, ..outcome(new, State::Incompatible, messages) }
        }
    }
}

/// The file that was named: the last one of those in a plan of one.
fn given_at(plan: &Plan) -> usize {
    plan.files.iter().rposition(|file| file.is_given).unwrap_or(0)
}

fn line_of(plan: &Plan, at: usize, messages: &[String]) -> usize {
    let file = &plan.files[at];
    let path = messages.iter().find_map(|message| locate::path_in(message));
    path.map_or(1, |path| locate::path(file.schema_type, &file.text, path))
}

fn wanted(references: &[Reference]) -> Vec<(Reference, Option<Stored>)> {
    references.iter().rev().map(|reference| (reference.clone(), None)).collect()
}

/// `None` for a language that only the registry reads.
fn unless_foreign(schema_type: SchemaType, cause: InvalidSchema) -> Option<InvalidSchema> {
    let is_foreign = !SchemaType::SUPPORTED.contains(&schema_type);
    (!is_foreign).then_some(cause)
}
