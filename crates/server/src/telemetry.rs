//! Logs: to standard error, as text or JSON lines, filtered by `log-level`.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt;

use crate::config::settings::Settings;

/// Sets the process's log up; the second call in one process does nothing. A filter that does not parse is an error.
pub(crate) fn start(settings: &Settings) -> Result<(), String> {
    let filter = EnvFilter::try_new(&settings.log_level).map_err(|cause| format!("log-level: {cause}"))?;
    let log = fmt::Subscriber::builder().with_env_filter(filter).with_writer(std::io::stderr).with_target(true);
    let color = std::io::IsTerminal::is_terminal(&std::io::stderr());
    let _ = if settings.log_json { log.json().flatten_event(true).try_init() } else { log.with_ansi(color).try_init() };
    Ok(())
}
