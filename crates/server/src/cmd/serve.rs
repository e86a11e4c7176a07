//! `sluice serve`: on the database and the clusters that the configuration names.

use std::process::ExitCode;

use clap::ArgMatches;

use super::{USAGE, complain, given};
use crate::config::settings::{Role, Settings};
use crate::node::{self, Kafka};
use crate::{config, telemetry};

/// Runs until SIGTERM or SIGINT.
pub(super) fn run(matches: &ArgMatches) -> ExitCode {
    let settings = match configured(matches, Role::Serve) {
        Ok(settings) => settings,
        Err(status) => return status,
    };
    // The reader refuses a `serve` without a database.
    let Some(url) = node::database_url(&settings) else { return ExitCode::from(USAGE) };
    ended(run_node(settings, url, Kafka::Real, |_| {}))
}

/// The settings, with the log started; every mistake is printed otherwise.
pub(super) fn configured(matches: &ArgMatches, role: Role) -> Result<Settings, ExitCode> {
    let (file, flags) = given(matches);
    let loaded = config::load(role, file.as_deref(), flags);
    let settings = loaded.settings.map_err(|mistakes| {
        for mistake in mistakes {
            complain(format_args!("error: {mistake}"));
        }
        ExitCode::from(USAGE)
    })?;
    telemetry::start(&settings).map_err(|mistake| {
        complain(format_args!("error: {mistake}"));
        ExitCode::from(USAGE)
    })?;
    for warning in loaded.warnings {
        tracing::warn!("{warning}");
    }
    Ok(settings)
}

/// Runs a node on a runtime of its own.
pub(super) fn run_node(
    settings: Settings,
    url: String,
    kafka: Kafka,
    started: impl FnOnce(&node::Addresses),
) -> Result<(), node::Mistakes> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_name("sluice")
        .build()
        .map_err(|cause| vec![format!("no runtime: {cause}")])?;
    let result = runtime.block_on(node::run(settings, url, kafka, started));
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result
}

/// Prints what stopped a start.
pub(super) fn ended(result: Result<(), node::Mistakes>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(mistakes) => {
            for mistake in mistakes {
                complain(format_args!("error: {mistake}"));
            }
            ExitCode::FAILURE
        }
    }
}
