//! The store on SQLite: the registry's suite, and what only a file can show.

#![allow(clippy::unwrap_used, clippy::panic)] // helpers of tests are not seen as tests

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sluice_registry::conformance;
use sluice_registry::store::{Contexts, RegistryStore, View};
use sluice_storage::{OpenError, StorageConfig, connect, sql};
use sqlx::{Connection, SqliteConnection};

/// A directory of its own for one test, removed at its end.
struct Directory(PathBuf);

impl Directory {
    fn new() -> Directory {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("sluice-sqlite-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Directory(path)
    }

    fn url(&self) -> String {
        format!("sqlite://{}/sluice.db", self.0.display())
    }

    async fn store(&self) -> Arc<dyn RegistryStore> {
        connect(StorageConfig::new(self.url())).await.unwrap()
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

macro_rules! cases {
    ({} $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let directory = Directory::new();
                let store = directory.store().await;
                conformance::$case(&*store).await;
            }
        )*
    };
}
sluice_registry::__store_cases! { [cases] {} }

#[tokio::test]
async fn every_statement_is_understood() {
    let directory = Directory::new();
    drop(directory.store().await);
    let mut connection = SqliteConnection::connect(&directory.url()).await.unwrap();
    for statement in sql::ALL.iter().filter(|statement| !statement.sqlite.is_empty()) {
        // EXPLAIN compiles and binds nothing: unbound parameters are NULL.
        let explained = format!("EXPLAIN {}", statement.sqlite);
        let result = sqlx::query(sqlx::AssertSqlSafe(explained)).execute(&mut connection).await;
        assert!(result.is_ok(), "{}: {result:?}", statement.name);
    }
}

#[tokio::test]
async fn what_was_written_is_there_after_reopening() {
    let directory = Directory::new();
    let store = directory.store().await;
    conformance::a_first_version_gets_revision_one_and_an_id(&*store).await;
    drop(store);
    let store = directory.store().await;
    assert_eq!(store.subjects(&Contexts::All, "", View::Live).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_database_in_memory_needs_no_file() {
    let store = connect(StorageConfig::new("sqlite::memory:")).await.unwrap();
    conformance::content_comes_back_as_it_was_written(&*store).await;
    conformance::sixteen_writers_of_one_subject_leave_one_lineage(&*store).await;
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let directory = Directory::new();
    drop(directory.store().await);
    let mut connection = SqliteConnection::connect(&directory.url()).await.unwrap();
    sqlx::query(
        "INSERT INTO sluice_migration (version, description, success, checksum, execution_time) VALUES (9999, 'later', true, x'00', 0)",
    )
    .execute(&mut connection)
    .await
    .unwrap();
    let refused = connect(StorageConfig::new(directory.url())).await.err();
    assert!(matches!(refused, Some(OpenError::Newer { found: 9999, .. })), "{refused:?}");
}

/// Why the store of a fresh directory does not open once `prepare` was there.
async fn refusal(prepare: impl AsyncFnOnce(&Directory)) -> String {
    let directory = Directory::new();
    prepare(&directory).await;
    match connect(StorageConfig::new(directory.url())).await.err() {
        Some(OpenError::File { file, cause }) => {
            assert_eq!(file, format!("{}/sluice.db", directory.0.display()));
            cause
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_named_with_what_to_do() {
    let text = "a text that is longer than a header";
    let cause = refusal(async |at| std::fs::write(at.0.join("sluice.db"), text).unwrap()).await;
    assert!(cause.contains("no SQLite database") && cause.contains("move it away"), "{cause}");
}

#[tokio::test]
async fn a_damaged_database_is_named_with_what_to_do() {
    // The header is right: magic, pages of 4,096 bytes, rollback journal, payload fractions; schema format 4, UTF-8.
    let mut bytes = vec![0xA5; 8_192];
    bytes[..100].fill(0);
    bytes[..24].copy_from_slice(b"SQLite format 3\0\x10\0\x01\x01\0\x40\x20\x20");
    (bytes[31], bytes[47], bytes[59]) = (2, 4, 1);
    let cause = refusal(async |at| std::fs::write(at.0.join("sluice.db"), &bytes).unwrap()).await;
    assert!(cause.contains("damaged") && cause.contains("move it away"), "{cause}");
}

#[tokio::test]
async fn a_file_that_cannot_be_opened_is_told_with_the_systems_reason() {
    let cause = refusal(async |at| std::fs::create_dir(at.0.join("sluice.db")).unwrap()).await;
    assert!(cause.starts_with("cannot be opened: ") && cause.contains("directory"), "{cause}");
}

#[tokio::test]
async fn a_closed_store_is_complete_in_its_file() {
    let directory = Directory::new();
    let store = directory.store().await;
    conformance::content_comes_back_as_it_was_written(&*store).await;
    store.close().await;
    let left: Vec<_> = std::fs::read_dir(&directory.0).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["sluice.db"]);
    assert!(store.ping().await.is_err());
}
