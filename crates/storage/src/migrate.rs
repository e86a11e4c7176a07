//! The migrations, in the binary. Applied at start, under a lock, each in a transaction.
//!
//! To add one: the next number in both folders of `migrations/`, and its line in the table here (a test compares
//! it with the folders). A released migration is never edited: its checksum is in the databases.

use sqlx::migrate::{Migrate, MigrateError, Migration, MigrationType, Migrator};
use sqlx::postgres::PgConnection;
use sqlx::sqlite::SqliteConnection;
use sqlx::{Connection, SqlSafeStr};

use crate::error::OpenError;

/// Where applied migrations are written down. Not sqlx's default: the database may have other users of sqlx.
const TABLE: &str = "sluice_migration";

type Embedded = &'static [(i64, &'static str, &'static str)];

/// Number, name and text of a file in both folders.
macro_rules! migrations {
    ($folder:literal) => {
        &[
            (1, "create_registry", migrations!(@text $folder, "0001_create_registry")),
            (2, "create_association", migrations!(@text $folder, "0002_create_association")),
            (3, "drop_context_keys", migrations!(@text $folder, "0003_drop_context_keys")),
        ]
    };
    (@text $folder:literal, $file:literal) => {
        include_str!(concat!("../../../migrations/", $folder, "/", $file, ".sql"))
    };
}

const POSTGRES: Embedded = migrations!("postgres");
const SQLITE: Embedded = migrations!("sqlite");

/// Brings a Postgres database up to date.
pub(crate) async fn postgres(connection: &mut PgConnection) -> Result<(), OpenError> {
    let there: (bool,) = sqlx::query_as("SELECT to_regclass($1) IS NOT NULL")
        .bind(TABLE)
        .fetch_one(&mut *connection)
        .await
        .map_err(failed)?;
    run(connection, POSTGRES, there.0).await
}

/// Brings a SQLite database up to date.
pub(crate) async fn sqlite(connection: &mut SqliteConnection) -> Result<(), OpenError> {
    let there: Option<(i32,)> = sqlx::query_as("SELECT 1 FROM sqlite_schema WHERE name = $1")
        .bind(TABLE)
        .fetch_optional(&mut *connection)
        .await
        .map_err(failed)?;
    run(connection, SQLITE, there.is_some()).await
}

async fn run<C>(connection: &mut C, embedded: Embedded, there: bool) -> Result<(), OpenError>
where
    C: Connection + Migrate,
{
    let migrator = migrator(embedded);
    if there {
        let applied = connection.list_applied_migrations(TABLE).await.map_err(failed)?;
        let known = embedded.last().map_or(0, |(version, ..)| *version);
        let found = applied.iter().map(|migration| migration.version).max().unwrap_or_default();
        if found > known {
            return Err(OpenError::Newer { found, known });
        }
        // Nothing to do needs no right to create tables.
        let up_to_date =
            migrator.iter().all(|m| applied.iter().any(|a| a.version == m.version && a.checksum == m.checksum));
        if up_to_date {
            return Ok(());
        }
    }
    migrator.run_direct(None, connection, false).await.map_err(failed)
}

fn migrator(embedded: Embedded) -> Migrator {
    let migrations = embedded
        .iter()
        .map(|(version, name, text)| {
            Migration::new(*version, (*name).into(), MigrationType::Simple, text.into_sql_str(), false)
        })
        .collect();
    let mut migrator = Migrator::with_migrations(migrations);
    migrator.dangerous_set_table_name(TABLE);
    migrator
}

fn failed(error: impl Into<MigrateError>) -> OpenError {
    OpenError::Migration(error.into().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folders_is_in_its_table() {
        for (folder, embedded) in [("postgres", POSTGRES), ("sqlite", SQLITE)] {
            let path = format!("{}/../../migrations/{folder}", env!("CARGO_MANIFEST_DIR"));
            let mut files: Vec<String> =
                std::fs::read_dir(path).unwrap().map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
            files.sort();
            let table: Vec<String> =
                embedded.iter().map(|(version, name, _)| format!("{version:04}_{name}.sql")).collect();
            assert_eq!(files, table);
        }
    }
}
