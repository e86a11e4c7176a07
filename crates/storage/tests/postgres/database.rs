//! A database of its own for each test, on the server that `make test` brings up.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use sluice_registry::store::RegistryStore;
use sluice_storage::{StorageConfig, connect};
use sqlx::{Connection, PgConnection};

/// The server, or how to get one.
pub(crate) fn server() -> String {
    std::env::var("SLUICE_TEST_DATABASE_URL").unwrap_or_else(|_| {
        panic!("SLUICE_TEST_DATABASE_URL is not set: these tests need a Postgres; run `make test`, which brings one up")
    })
}

/// A database that lives as long as this value.
pub(crate) struct Database {
    pub(crate) name: String,
}

impl Database {
    pub(crate) async fn new() -> Database {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("sluice_{}_{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        admin(&format!("CREATE DATABASE {name} ENCODING 'UTF8' TEMPLATE template0")).await;
        Database { name }
    }

    pub(crate) fn url(&self) -> String {
        with_database(&server(), &self.name)
    }

    pub(crate) async fn store(&self) -> Arc<dyn RegistryStore> {
        connect(StorageConfig::new(self.url())).await.unwrap()
    }

    pub(crate) async fn connection(&self) -> PgConnection {
        PgConnection::connect(&self.url()).await.unwrap()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // Also when the test failed, and from inside its runtime.
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", self.name);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(admin(&drop));
        });
        let _ = thread.join();
    }
}

/// `url` with another database.
pub(crate) fn with_database(url: &str, name: &str) -> String {
    let (base, query) = url.split_once('?').map_or((url, String::new()), |(base, query)| (base, format!("?{query}")));
    let authority = base.find("://").map_or(0, |at| at + 3);
    let base = base[authority..].find('/').map_or(base, |slash| &base[..authority + slash]);
    format!("{base}/{name}{query}")
}

/// `url` with another user.
pub(crate) fn with_user(url: &str, user: &str, password: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let host = rest.split_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{user}:{password}@{host}")
}

async fn admin(statement: &str) {
    let mut connection = PgConnection::connect(&server()).await.unwrap();
    sqlx::query(sqlx::AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}
