//! The commands, and how their flags read.

mod check;
mod config;
mod dev;
mod schema;
mod serve;

use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{Arg, ArgMatches, Command};

use crate::config::keys::{KEYS, Kind};

/// Exit status of a configuration that cannot be used, as of a wrong flag.
const USAGE: u8 = 2;

/// Runs the command that `arguments` name.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let matches = match command().try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => {
            // Help and version come here too; clap knows which stream and status they have.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
        }
    };
    match matches.subcommand() {
        Some(("serve", matches)) => serve::run(matches),
        Some(("dev", matches)) => dev::run(matches),
        Some(("check", matches)) => check::run(matches),
        Some(("config", _)) => config::run(),
        Some(("schema", matches)) => schema::run(matches),
        _ => ExitCode::from(USAGE),
    }
}

fn command() -> Command {
    Command::new("sluice")
        .about("Schema Registry, REST Proxy and gate in front of many Kafka clusters")
        .version(env!("CARGO_PKG_VERSION"))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(configured("serve", "Runs the server on a database and Kafka clusters"))
        .subcommand(configured("dev", "Runs the whole server on embedded defaults, to try it out"))
        .subcommand(configured("check", "Validates configuration and control files; prints every mistake"))
        .subcommand(schema::command())
        .subcommand(Command::new("config").about("Prints every setting with its default and what it is for"))
}

/// A command that reads the configuration: `--config` and a flag for every key.
fn configured(name: &'static str, about: &'static str) -> Command {
    let file = Arg::new("config").long("config").value_name("FILE").help("Configuration file (YAML); or SLUICE_CONFIG");
    let flags = KEYS.iter().map(|key| {
        let flag = Arg::new(key.name).long(key.name).help(key.doc).value_name(placeholder(key.kind));
        match key.kind {
            Kind::Flag => flag.num_args(0..=1).require_equals(true).default_missing_value("true"),
            _ => flag,
        }
    });
    Command::new(name).about(about).arg(file).args(flags)
}

fn placeholder(kind: Kind) -> &'static str {
    match kind {
        Kind::Text | Kind::Word(_) | Kind::Words(_) => "WORD",
        Kind::Flag => "true|false",
        Kind::Number(..) => "N",
        Kind::Size => "SIZE",
        Kind::Duration => "TIME",
        Kind::Listen | Kind::Servers => "HOST:PORT",
        Kind::Path => "PATH",
        Kind::Map => "NAME=VALUE",
    }
}

/// Configuration file and flags as given.
fn given(matches: &ArgMatches) -> (Option<String>, Vec<(&'static str, String)>) {
    let file = matches.get_one::<String>("config").cloned();
    let flags = KEYS
        .iter()
        .filter_map(|key| matches.get_one::<String>(key.name).map(|text| (key.name, text.clone())))
        .collect();
    (file, flags)
}

/// A line on standard output; a closed pipe is nobody's mistake.
fn say(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stdout(), "{line}");
}

/// A line on standard error.
fn complain(line: impl std::fmt::Display) {
    let _ = writeln!(std::io::stderr(), "{line}");
}
