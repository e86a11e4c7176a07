//! The store on Postgres: the registry's suite, and what only a real server can show.
//!
//! Needs `SLUICE_TEST_DATABASE_URL`; `make test` provides it. Each test has a database of its own. Tests that stop the
//! server start one of their own.

mod database;

use database::Database;
use sluice_registry::conformance;
use sluice_storage::{OpenError, StorageConfig, connect, sql};
use sqlx::Executor;

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
