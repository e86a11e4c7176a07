//! `sluice check`: is the configuration usable, control files included?

use std::process::ExitCode;

use clap::ArgMatches;
use sluice_control_plane::snapshot::{Snapshot, Surroundings};

use super::{USAGE, complain, given, say};
use crate::config::settings::{Role, Settings};
use crate::config::{self};
use crate::control_files;

/// Prints every mistake and warning; status 0 when there is no mistake.
pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let (file, flags) = given(matches);
    let loaded = config::load(Role::Serve, file.as_deref(), flags.clone());
    for warning in &loaded.warnings {
        complain(format_args!("warning: {warning}"));
    }
    let mut mistakes = 0;
    let settings = match loaded.settings {
        Ok(settings) => Some(settings),
        Err(errors) => {
            for error in &errors {
                complain(format_args!("error: {error}"));
            }
            mistakes += errors.len();
            None
        }
    };
    // Control files are worth checking although the rest is not usable yet.
    let directory = match &settings {
        Some(settings) => settings.control_files.clone(),
        None => flags.iter().find(|(name, _)| *name == "control-files").map(|(_, path)| path.into()),
    };
    if let Some(directory) = directory {
        mistakes += check_control_files(&directory, settings.as_ref());
    }
    if mistakes == 0 {
        say("ok");
        ExitCode::SUCCESS
    } else {
        complain(format_args!("{mistakes} mistake{}", if mistakes == 1 { "" } else { "s" }));
        ExitCode::from(USAGE)
    }
}

fn check_control_files(directory: &std::path::Path, settings: Option<&Settings>) -> usize {
    let files = match control_files::read(directory) {
        Ok(files) => files,
        Err(cause) => {
            complain(format_args!("error: {cause}"));
            return 1;
        }
    };
    let implicit = control_files::implicit_clusters(settings);
    let surroundings = Surroundings {
        implicit_clusters: &implicit,
        undeclared_topics: settings
            .map_or(sluice_data_plane::route::Undeclared::Allow, |settings| settings.undeclared_topics),
    };
    let (_, problems) = Snapshot::read(&files, &surroundings, 1);
    for problem in &problems.0 {
        complain(problem);
    }
    problems.errors().count()
}
