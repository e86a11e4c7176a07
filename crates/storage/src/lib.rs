//! The registry's store on Postgres and SQLite. The only crate that speaks SQL.
//!
//! [`connect`] opens what a URL names, migrates it and hands it out as the trait the registry owns; nothing here knows
//! a use case. What must hold is written at `sluice_registry::store` and tested by its conformance suite on both.

mod config;
mod error;
mod lock;
mod migrate;
mod postgres;
mod row;
pub mod sql;
mod sqlite;

use std::sync::Arc;

use sluice_registry::store::RegistryStore;

pub use config::StorageConfig;
pub use error::OpenError;

/// The store behind a URL, migrated and ready: `postgres://…`, `postgresql://…`, `sqlite://path` or `sqlite::memory:`.
/// Nothing is preloaded: ready in the time of a few round trips, whatever the database holds.
pub async fn connect(config: StorageConfig) -> Result<Arc<dyn RegistryStore>, OpenError> {
    let scheme = config.url.split(':').next().unwrap_or_default();
    match scheme {
        "postgres" | "postgresql" => Ok(Arc::new(postgres::PostgresStore::open(config).await?)),
        "sqlite" => Ok(Arc::new(sqlite::SqliteStore::open(config).await?)),
        _ => Err(OpenError::Url("it must start with postgres:// or sqlite://".to_owned())),
    }
}
