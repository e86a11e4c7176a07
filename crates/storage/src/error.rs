//! What a driver's error means: nothing written, perhaps written, stale, or rows that cannot be.

use std::fs::OpenOptions;
use std::path::Path;

use sluice_registry::store::StoreError;
use sqlx::postgres::{PgDatabaseError, PgSeverity};

use crate::sql::Statement;

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The URL is not one.
    #[error("database URL: {0}")]
    Url(String),
    /// Nobody there, or no access.
    #[error("cannot reach the database: {0}")]
    Unreachable(String),
    /// A SQLite file that does not open, or is none: trying again does not help.
    #[error("the SQLite file {file}: {cause}")]
    File {
        /// Its path.
        file: String,
        /// Why, and what to do.
        cause: String,
    },
    /// A database this build cannot work on: server too old, wrong encoding.
    #[error("unsuitable database: {0}")]
    Unsuitable(String),
    /// A newer release has been at this database.
    #[error(
        "the database was migrated by a newer release (migration {found}; this one knows up to {known}): start that release, or restore a backup"
    )]
    Newer {
        /// Newest migration in the database.
        found: i64,
        /// Newest migration of this build.
        known: i64,
    },
    /// A migration failed, or differs from the one applied.
    #[error("migration: {0}")]
    Migration(String),
}

/// Why the SQLite file `file` does not open. Only one that another process has locked is worth trying again.
pub(crate) fn sqlite_open(file: &Path, error: &sqlx::Error) -> OpenError {
    let cause = match sqlite_code(error) {
        Some(5 | 6) => return OpenError::Unreachable(format!("{} is locked: {error}", file.display())),
        Some(8) => "cannot be written".to_owned(),
        Some(14) => match OpenOptions::new().read(true).write(true).create(true).truncate(false).open(file) {
            Err(cause) => format!("cannot be opened: {cause}"),
            Ok(_) => "cannot be opened: its directory must be writable as well".to_owned(),
        },
        Some(11 | 26) => {
            "is damaged, or no SQLite database: restore a copy, or move it away to start without schemas".to_owned()
        }
        _ => error.to_string(),
    };
    OpenError::File { file: file.display().to_string(), cause }
}

/// SQLite's primary result code: the low byte of an extended one.
fn sqlite_code(error: &sqlx::Error) -> Option<i32> {
    let code = error.as_database_error()?.code()?;
    code.parse::<i32>().ok().map(|code| code & 0xff)
}

/// Whether the statement could have written anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It only reads.
    Reads,
    /// It writes and commits.
    Writes,
}

/// The store cannot be reached, or gave up before it wrote.
pub(crate) fn unavailable(statement: &'static Statement, cause: impl std::fmt::Display) -> StoreError {
    StoreError::Unavailable { statement: statement.name, cause: cause.to_string() }
}

/// The connection is gone: whether a write took place is not known.
pub(crate) fn lost(statement: &'static Statement, effect: Effect, cause: impl std::fmt::Display) -> StoreError {
    match effect {
        Effect::Reads => unavailable(statement, cause),
        Effect::Writes => StoreError::OutcomeUnknown { statement: statement.name, cause: cause.to_string() },
    }
}

/// Whether the connection that gave this error can be used no more.
pub(crate) fn breaks_connection(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(answer) => match answer.try_downcast_ref::<PgDatabaseError>() {
            // FATAL and PANIC end the session. A read-only server is a former primary: look for another.
            Some(answer) => {
                matches!(answer.severity(), PgSeverity::Fatal | PgSeverity::Panic) || answer.code() == "25006"
            }
            None => false,
        },
        sqlx::Error::RowNotFound
        | sqlx::Error::TypeNotFound { .. }
        | sqlx::Error::ColumnIndexOutOfBounds { .. }
        | sqlx::Error::ColumnNotFound(_)
        | sqlx::Error::ColumnDecode { .. }
        | sqlx::Error::Encode(_)
        | sqlx::Error::Decode(_) => false,
        _ => true,
    }
}

/// A Postgres error on an established connection.
///
/// An ERROR is the server's word that the transaction was rolled back. A FATAL may come after the commit (a shutdown
/// between commit and answer), as may silence.
pub(crate) fn postgres(statement: &'static Statement, effect: Effect, error: &sqlx::Error) -> StoreError {
    let sqlx::Error::Database(answer) = error else {
        return match breaks_connection(error) {
            true => lost(statement, effect, error),
            false => StoreError::Inconsistent { statement: statement.name, cause: error.to_string() },
        };
    };
    let code = answer.code().unwrap_or_default();
    match &*code {
        "25006" => unavailable(statement, error),
        _ if breaks_connection(error) => lost(statement, effect, error),
        // Serialisation, deadlock, and keys taken by a writer a moment ahead: nothing written, decide again.
        "40001" | "40P01" | "23505" | "23503" if effect == Effect::Writes => StoreError::Conflict,
        // Cancelled, lock timeout, out of resources, system errors.
        "57014" | "55P03" => unavailable(statement, error),
        code if code.starts_with("53") || code.starts_with("58") || code.starts_with("40") => {
            unavailable(statement, error)
        }
        _ => StoreError::Inconsistent { statement: statement.name, cause: error.to_string() },
    }
}

/// A SQLite error. `committing`: it came from COMMIT itself.
pub(crate) fn sqlite(statement: &'static Statement, committing: bool, error: &sqlx::Error) -> StoreError {
    let Some(code) = sqlite_code(error) else {
        return match error {
            sqlx::Error::PoolTimedOut | sqlx::Error::PoolClosed => unavailable(statement, error),
            error if breaks_connection(error) => lost(statement, effect_of(committing), error),
            error => StoreError::Inconsistent { statement: statement.name, cause: error.to_string() },
        };
    };
    match code {
        // BUSY, LOCKED, NOMEM, READONLY, INTERRUPT, FULL, CANTOPEN: refused before anything was written.
        5..=9 | 13 | 14 => unavailable(statement, error),
        // IOERR.
        10 => lost(statement, effect_of(committing), error),
        _ => StoreError::Inconsistent { statement: statement.name, cause: error.to_string() },
    }
}

fn effect_of(committing: bool) -> Effect {
    if committing { Effect::Writes } else { Effect::Reads }
}
