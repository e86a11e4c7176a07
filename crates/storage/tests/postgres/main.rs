//! The store on Postgres: the registry's suite, and what only a real server can show.
//!
//! Needs `SLUICE_TEST_DATABASE_URL`; `make test` provides it. Each test has a database of its own. Tests that stop the
//! server start one of their own.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are not seen as tests

mod database;
mod faults;
mod given;
mod races;
mod server;

use database::Database;
use sluice_registry::conformance;
use sluice_storage::{OpenError, StorageConfig, connect, sql};
use sqlx::{Connection, Executor};

macro_rules! cases {
    ({} $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let database = Database::new().await;
                let store = database.store().await;
                conformance::$case(&*store).await;
            }
        )*
    };
}
sluice_registry::__store_cases! { [cases] {} }

mod two_handles {
    use super::*;

    macro_rules! cases {
        ($($case:ident)*) => {
            $(
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $case() {
                    let database = Database::new().await;
                    let (one, other) = (database.store().await, database.store().await);
                    conformance::two_handles::$case(&*one, &*other).await;
                }
            )*
        };
    }
    cases! {
        what_one_writes_the_other_reads
        a_waiting_handle_is_woken
        of_two_writers_on_one_state_one_wins
        a_target_is_not_deleted_under_its_referrer
        settings_written_by_one_are_a_conflict_for_the_other
    }
}

#[tokio::test]
async fn every_statement_is_understood() {
    let database = Database::new().await;
    drop(database.store().await);
    let mut connection = database.connection().await;
    for statement in sql::ALL.iter().filter(|statement| !statement.postgres.is_empty()) {
        let result = connection.prepare(sqlx::SqlStr::from_static(statement.postgres)).await;
        assert!(result.is_ok(), "{}: {:?}", statement.name, result.err());
    }
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let database = Database::new().await;
    drop(database.store().await);
    let mut connection = database.connection().await;
    connection
        .execute("INSERT INTO sluice_migration (version, description, success, checksum, execution_time) VALUES (9999, 'later', true, '', 0)")
        .await
        .unwrap();
    let refused = connect(StorageConfig::new(database.url())).await.err();
    assert!(matches!(refused, Some(OpenError::Newer { found: 9999, .. })), "{refused:?}");
}

#[tokio::test]
async fn both_databases_have_the_same_tables() {
    let database = Database::new().await;
    drop(database.store().await);
    let postgres: Vec<(String, String)> = sqlx::query_as(
        "SELECT table_name::text, column_name::text FROM information_schema.columns \
         WHERE table_schema = 'public' ORDER BY 1, 2",
    )
    .fetch_all(&mut database.connection().await)
    .await
    .unwrap();

    let file = std::env::temp_dir().join(format!("{}.db", database.name));
    let url = format!("sqlite://{}", file.display());
    drop(connect(StorageConfig::new(url.clone())).await.unwrap());
    let sqlite: Vec<(String, String)> = sqlx::query_as(
        "SELECT t.name, c.name FROM sqlite_schema t, pragma_table_info(t.name) c \
         WHERE t.type = 'table' AND t.name NOT LIKE 'sqlite_%' ORDER BY 1, 2",
    )
    .fetch_all(&mut sqlx::SqliteConnection::connect(&url).await.unwrap())
    .await
    .unwrap();
    for ending in ["", "-wal", "-shm"] {
        let _ = std::fs::remove_file(format!("{}{ending}", file.display()));
    }

    // Postgres keeps it in a sequence.
    let counter = ("context".to_owned(), "last_id".to_owned());
    assert!(sqlite.contains(&counter));
    let sqlite: Vec<_> = sqlite.into_iter().filter(|column| *column != counter).collect();
    assert_eq!(postgres, sqlite);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_role_that_may_create_nothing_can_serve() {
    let database = Database::new().await;
    drop(database.store().await);
    let role = format!("{}_server", database.name);
    let mut owner = database.connection().await;
    owner
        .execute(sqlx::AssertSqlSafe(format!(
            "CREATE ROLE {role} LOGIN PASSWORD 'secret'; REVOKE CREATE ON SCHEMA public FROM PUBLIC; \
             GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {role}; \
             GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA public TO {role}"
        )))
        .await
        .unwrap();
    let store = connect(StorageConfig::new(database::with_user(&database.url(), &role, "secret"))).await.unwrap();
    conformance::the_same_content_in_another_context_gets_an_id_of_its_own(&*store).await;
    conformance::an_explicit_id_is_taken_and_later_ids_are_higher(&*store).await;
    drop(store);
    owner.execute(sqlx::AssertSqlSafe(format!("DROP OWNED BY {role}; DROP ROLE {role}"))).await.unwrap();
}

#[tokio::test]
async fn tables_may_live_in_a_schema_of_their_own() {
    let database = Database::new().await;
    database.connection().await.execute("CREATE SCHEMA registry").await.unwrap();
    let url = format!("{}?options=-csearch_path%3Dregistry", database.url());
    let store = connect(StorageConfig::new(url.clone())).await.unwrap();
    conformance::an_explicit_id_is_taken_and_later_ids_are_higher(&*store).await;
    drop(store);
    connect(StorageConfig::new(url)).await.unwrap();
}
