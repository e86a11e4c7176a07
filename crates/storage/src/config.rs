//! Settings of the storage.

use std::fmt;
use std::time::Duration;

/// Where the database is, and how long it may take. The defaults fit one node on a database nearby.
#[derive(Clone)]
pub struct StorageConfig {
    /// `postgres://user:password@host:port/database` or `sqlite://path`. Never logged: it may hold a password.
    pub url: String,
    /// Most connections to Postgres at once. One more is used to listen for changes, one now and then to probe.
    pub max_connections: usize,
    /// Longest wait for a free connection.
    pub acquire_timeout: Duration,
    /// Longest wait for a new connection to be set up.
    pub connect_timeout: Duration,
    /// Longest time for one statement, enforced by the database; the client gives up a little later.
    pub statement_timeout: Duration,
}

impl StorageConfig {
    /// The defaults for this URL: 16 connections, 2 s to get one, 1 s to make one, 5 s for a statement.
    pub fn new(url: impl Into<String>) -> StorageConfig {
        StorageConfig {
            url: url.into(),
            max_connections: 16,
            acquire_timeout: Duration::from_secs(2),
            connect_timeout: Duration::from_secs(1),
            statement_timeout: Duration::from_secs(5),
        }
    }
}

impl fmt::Debug for StorageConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StorageConfig")
            .field("url", &self.url.split_once("://").map_or("…", |(scheme, _)| scheme))
            .field("max_connections", &self.max_connections)
            .field("acquire_timeout", &self.acquire_timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("statement_timeout", &self.statement_timeout)
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_url_with_its_password_is_not_printed() {
        let shown = format!("{:?}", StorageConfig::new("postgres://sluice:secret@db/sluice"));
        assert!(shown.contains("postgres") && !shown.contains("secret"), "{shown}");
    }
}
