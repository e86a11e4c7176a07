//! `sluice schema check|register|diff`: schemas of a repository, in its CI.
//!
//! Flags, environment, exit status; the work is in [`crate::schemas`]. Status: 0 fine, 1 incompatible, 2 wrong usage or
//! no schema, 3 the registry cannot be asked. The worst outcome counts.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use sluice_schema::Level;

use super::{USAGE, complain};
use crate::schemas::plan::{Plan, Problem};
use crate::schemas::remote::{Access, Remote};
use crate::schemas::report::{self, Style};
use crate::schemas::subject::Strategy;
use crate::schemas::verdict::{Outcome, Run, compare};

/// Where a registry is when nobody says.
const REGISTRY: &str = "http://127.0.0.1:8081";
const LEVELS: [&str; 7] =
    ["BACKWARD", "BACKWARD_TRANSITIVE", "FORWARD", "FORWARD_TRANSITIVE", "FULL", "FULL_TRANSITIVE", "NONE"];

/// The command and its own commands.
pub(super) fn command() -> Command {
    Command::new("schema")
        .about("Checks, registers and compares .proto, .avsc and .json files")
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            with_registry(
                Command::new("check").about("Asks a registry whether the files could be registered; writes nothing"),
            )
            .arg(level().help("With --against: the level to compare at"))
            .arg(
                Arg::new("against")
                    .long("against")
                    .value_name("FILE")
                    .value_parser(value_parser!(PathBuf))
                    .conflicts_with_all(["registry", "subject"])
                    .help("Compare the one FILE with this older one, without a registry"),
            ),
        )
        .subcommand(with_registry(Command::new("register").about("Registers the files, each after what it refers to")))
        .subcommand(
            with_files(Command::new("diff").about("Compares two files: what breaks when NEW follows OLD"))
                .mut_arg("files", |files| files.value_names(["OLD", "NEW"]).num_args(2))
                .arg(level().help("The level to compare at")),
        )
}

fn level() -> Arg {
    Arg::new("level").long("level").value_name("LEVEL").value_parser(LEVELS).ignore_case(true).default_value("BACKWARD")
}

fn with_files(command: Command) -> Command {
    command
        .arg(
            Arg::new("files")
                .value_name("FILE")
                .required(true)
                .num_args(1..)
                .value_parser(value_parser!(PathBuf))
                .help("Schema files, or directories of such"),
        )
        .arg(
            Arg::new("root")
                .long("root")
                .value_name("DIR")
                .action(ArgAction::Append)
                .value_parser(value_parser!(PathBuf))
                .help("Where imports and references are looked for; may be repeated [default: .]"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_parser(Style::NAMES)
                .help("How to print; `github` annotates files, and is the default where GITHUB_ACTIONS is set"),
        )
}

fn with_registry(command: Command) -> Command {
    with_files(command)
        .arg(Arg::new("registry").long("registry").value_name("URL").env("SLUICE_REGISTRY_URL").help(
            "The registry [default: http://127.0.0.1:8081]. Credentials only in the environment: \
             SLUICE_REGISTRY_TOKEN, or SLUICE_REGISTRY_USER and SLUICE_REGISTRY_PASSWORD",
        ))
        .arg(Arg::new("context").long("context").value_name("NAME").help("The registry's context"))
        .arg(Arg::new("subject").long("subject").value_name("NAME").help("Subject of the one FILE"))
        .arg(
            Arg::new("subject-strategy")
                .long("subject-strategy")
                .value_parser(Strategy::NAMES)
                .default_value("topic")
                .conflicts_with("subject")
                .help(
                    "Subjects of files: `topic` (orders.proto → orders-value), `record` (full name), `file` (path from \
                     its root). What others refer to is named as they refer to it, unless `record`",
                ),
        )
        .arg(
            Arg::new("normalize")
                .long("normalize")
                .action(ArgAction::SetTrue)
                .help("Let the registry normalize the schemas"),
        )
}

/// Runs one of the commands; prints on standard output.
pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let Some((name, matches)) = matches.subcommand() else { return ExitCode::from(USAGE) };
    let is_github = std::env::var_os("GITHUB_ACTIONS").is_some_and(|value| !value.is_empty());
    let style = Style::of(matches.get_one::<String>("format").map(String::as_str), is_github);
    let outcomes = match name {
        "diff" => diff(matches),
        _ => ask(matches, name),
    };
    let outcomes = match outcomes {
        Ok(outcomes) => outcomes,
        Err(Refusal::Usage(sentence)) => {
            complain(format_args!("error: {sentence}"));
            return ExitCode::from(USAGE);
        }
        Err(Refusal::Files(problems)) => report::of_problems(problems),
    };
    // A closed pipe is nobody's mistake.
    let _ = std::io::Write::write_all(&mut std::io::stdout(), style.print(&outcomes).as_bytes());
    let status = outcomes.iter().map(|outcome| outcome.state.exit_status()).max().unwrap_or(0);
    ExitCode::from(status)
}

/// Why nothing could be asked.
enum Refusal {
    Usage(&'static str),
    Files(Vec<Problem>),
}

impl From<Vec<Problem>> for Refusal {
    fn from(problems: Vec<Problem>) -> Refusal {
        Refusal::Files(problems)
    }
}

fn paths(matches: &ArgMatches, name: &str) -> Vec<PathBuf> {
    matches.get_many::<PathBuf>(name).into_iter().flatten().cloned().collect()
}

fn level_of(matches: &ArgMatches) -> Level {
    let word = matches.get_one::<String>("level").map_or("BACKWARD", String::as_str);
    Level::from_wire(word).unwrap_or(Level::Backward)
}

/// Two files, each read with what it refers to: an import may have changed as well.
fn compared(old: PathBuf, new: PathBuf, matches: &ArgMatches) -> Result<Vec<Outcome>, Refusal> {
    if old.is_dir() || new.is_dir() {
        return Err(Refusal::Usage("two files can be compared, not directories"));
    }
    let roots = paths(matches, "root");
    let (old, new) = (Plan::read(&[old], &roots)?, Plan::read(&[new], &roots)?);
    Ok(vec![compare(&old, &new, level_of(matches))])
}

fn diff(matches: &ArgMatches) -> Result<Vec<Outcome>, Refusal> {
    let mut files = paths(matches, "files").into_iter();
    match (files.next(), files.next()) {
        (Some(old), Some(new)) => compared(old, new, matches),
        _ => Err(Refusal::Usage("diff takes two files")),
    }
}

fn ask(matches: &ArgMatches, name: &str) -> Result<Vec<Outcome>, Refusal> {
    let given = paths(matches, "files");
    let subject = matches.get_one::<String>("subject");
    // `--against` is a flag of `check` alone.
    let against = if name == "check" { matches.get_one::<PathBuf>("against") } else { None };
    if (subject.is_some() || against.is_some()) && (given.len() != 1 || given[0].is_dir()) {
        return Err(Refusal::Usage("--subject and --against go with exactly one file"));
    }
    if let (Some(old), Some(new)) = (against, given.first()) {
        return compared(old.clone(), new.clone(), matches);
    }
    let plan = Plan::read(&given, &paths(matches, "root"))?;
    let strategy = matches.get_one::<String>("subject-strategy").map_or("topic", String::as_str);
    let subjects = subjects(&plan, subject, Strategy::from_word(strategy))?;
    let url = matches.get_one::<String>("registry").map_or(REGISTRY, String::as_str);
    let access = Access::of(|variable| std::env::var(variable).ok().filter(|value| !value.is_empty()));
    let context = matches.get_one::<String>("context").map(String::as_str);
    let remote = Remote::new(url, access, context, matches.get_flag("normalize"));
    let run = Run { plan: &plan, subjects: &subjects, remote: &remote };
    Ok(if name == "register" { run.register() } else { run.check() })
}

/// A subject for every file; each only once.
fn subjects(plan: &Plan, own: Option<&String>, strategy: Strategy) -> Result<Vec<String>, Vec<Problem>> {
    let (mut subjects, mut problems) = (Vec::<String>::new(), Vec::new());
    for file in &plan.files {
        let named = match own {
            Some(own) if file.is_given => Ok(own.clone()),
            _ => strategy.subject_of(file),
        };
        let named = named.and_then(|subject| match subjects.iter().position(|taken| *taken == subject) {
            Some(other) => {
                let other = plan.files[other].path.display();
                Err(format!("would be subject {subject}, and so would {other}; choose another --subject-strategy"))
            }
            None => Ok(subject),
        });
        subjects.push(named.unwrap_or_else(|message| {
            problems.push(Problem { file: file.path.clone(), line: 1, message });
            String::new()
        }));
    }
    if problems.is_empty() { Ok(subjects) } else { Err(problems) }
}
