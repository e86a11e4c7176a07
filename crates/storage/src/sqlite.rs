//! The registry's store on SQLite: one process, a file, nothing to install.
//!
//! One connection writes, a few read beside it (WAL). With one writer every transaction is serial: locks are not
//! needed, ids come from a counter, `position` grows in commit order. `synchronous=normal`: a crash of the process
//! loses nothing, a crash of the machine may lose the last commits.
//!
//! To add a query: its text in `sql.rs`, a method here and in `postgres.rs`, a case in the registry's conformance suite.

mod write;

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use sluice_registry::store::*;
use sluice_registry::{Association, Config, Content, ContextName, Scope, SubjectName};
use sluice_schema::{Guid, SchemaId, Version};
use sqlx::sqlite::{
    SqliteArguments, SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteRow,
    SqliteSynchronous,
};
use sqlx::{ConnectOptions, FromRow, Sqlite};

use crate::config::StorageConfig;
use crate::error::{self, OpenError};
use crate::sql::{self, Statement};
use crate::{migrate, row};

/// Connections that read.
const READERS: u32 = 4;
/// How long a lock of another process on the file is waited for.
const BUSY: Duration = Duration::from_secs(2);

type QueryAs<'q, R> = sqlx::query::QueryAs<'q, Sqlite, R, SqliteArguments>;

/// A store on a SQLite file.
#[derive(Debug)]
pub(crate) struct SqliteStore {
    readers: SqlitePool,
    writer: SqlitePool,
}

impl SqliteStore {
    /// Opens or makes the file, and migrates it.
    pub(crate) async fn open(config: StorageConfig) -> Result<SqliteStore, OpenError> {
        let options = SqliteConnectOptions::from_str(&config.url)
            .map_err(|e| OpenError::Url(e.to_string()))?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .busy_timeout(BUSY)
            .foreign_keys(true)
            .disable_statement_logging();
        let pool = |connections: u32| {
            SqlitePoolOptions::new()
                .max_connections(connections)
                .acquire_timeout(config.acquire_timeout)
                .idle_timeout(None)
                .max_lifetime(None)
                .test_before_acquire(false)
        };
        let file = options.get_filename().to_path_buf();
        let unopened = |cause: sqlx::Error| error::sqlite_open(&file, &cause);
        let writer = pool(1).connect_with(options.clone()).await.map_err(unopened)?;
        let mut connection = writer.acquire().await.map_err(unopened)?;
        migrate::sqlite(&mut connection).await.map_err(|cause| match cause {
            OpenError::Migration(cause) => OpenError::File { file: file.display().to_string(), cause },
            other => other,
        })?;
        drop(connection);
        // A database in memory belongs to its one connection.
        let in_memory = config.url.contains(":memory:") || config.url.contains("mode=memory");
        let readers = if in_memory { writer.clone() } else { pool(READERS).connect_lazy_with(options) };
        Ok(SqliteStore { readers, writer })
    }

    async fn rows<'q, R>(
        &self,
        statement: &'static Statement,
        bind: impl FnOnce(QueryAs<'q, R>) -> QueryAs<'q, R> + Send,
    ) -> StoreResult<Vec<R>>
    where
        R: for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'q,
    {
        bind(sqlx::query_as(statement.sqlite))
            .fetch_all(&self.readers)
            .await
            .map_err(|e| error::sqlite(statement, false, &e))
    }

    async fn row<'q, R>(
        &self,
        statement: &'static Statement,
        bind: impl FnOnce(QueryAs<'q, R>) -> QueryAs<'q, R> + Send,
    ) -> StoreResult<Option<R>>
    where
        R: for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'q,
    {
        Ok(self.rows(statement, bind).await?.pop())
    }

    /// Runs a write in a task of its own, to its end whoever still waits for it.
    async fn write<T: Send + 'static>(
        &self,
        statement: &'static str,
        work: impl Future<Output = StoreResult<T>> + Send + 'static,
    ) -> StoreResult<T> {
        tokio::spawn(work).await.map_err(|e| StoreError::OutcomeUnknown { statement, cause: e.to_string() })?
    }
}

#[async_trait]
impl RegistryStore for SqliteStore {
    async fn content_by_id(&self, context: &ContextName, id: SchemaId) -> StoreResult<Option<Arc<Content>>> {
        let found = self.row(&sql::CONTENT_BY_ID, |q| q.bind(context.as_str()).bind(id.0)).await?;
        found.map(|found| row::content(&sql::CONTENT_BY_ID, found)).transpose()
    }

    async fn id_by_guid(&self, context: &ContextName, guid: Guid) -> StoreResult<Option<SchemaId>> {
        let found: Option<(i32,)> = self.row(&sql::ID_BY_GUID, |q| q.bind(context.as_str()).bind(&guid.0[..])).await?;
        Ok(found.map(|(id,)| SchemaId(id)))
    }

    async fn ids_by_guid(&self, guid: Guid) -> StoreResult<Vec<(ContextName, SchemaId)>> {
        let found: Vec<(String, i32)> = self.rows(&sql::IDS_BY_GUID, |q| q.bind(&guid.0[..])).await?;
        Ok(found.iter().map(|(context, id)| (ContextName::new(context), SchemaId(*id))).collect())
    }

    async fn subject(&self, subject: &SubjectName) -> StoreResult<SubjectState> {
        let (context, name) = (subject.context().as_str(), subject.name());
        row::subject_state(&sql::SUBJECT_STATE, self.rows(&sql::SUBJECT_STATE, |q| q.bind(context).bind(name)).await?)
    }

    async fn subject_revision(&self, subject: &SubjectName) -> StoreResult<Revision> {
        let (context, name) = (subject.context().as_str(), subject.name());
        let found: Option<(i64,)> = self.row(&sql::SUBJECT_REVISION, |q| q.bind(context).bind(name)).await?;
        Ok(found.map_or(Revision(0), |(revision,)| Revision(revision)))
    }

    async fn subjects(&self, contexts: &Contexts, prefix: &str, view: View) -> StoreResult<Vec<SubjectName>> {
        let (low, high) = row::prefix_range(prefix);
        let found = self.rows(sql::subjects(contexts, view), |q| in_contexts(q.bind(low).bind(high), contexts)).await?;
        Ok(row::subjects(found))
    }

    async fn subject_states(
        &self,
        contexts: &Contexts,
        prefix: &str,
        view: View,
    ) -> StoreResult<Vec<(SubjectName, SubjectState)>> {
        let statement = sql::subject_states(contexts, view);
        let (low, high) = row::prefix_range(prefix);
        row::subject_states(statement, self.rows(statement, |q| in_contexts(q.bind(low).bind(high), contexts)).await?)
    }

    async fn usages(&self, context: &ContextName, id: SchemaId) -> StoreResult<Vec<Usage>> {
        Ok(row::usages(context, self.rows(&sql::USAGES, |q| q.bind(context.as_str()).bind(id.0)).await?))
    }

    async fn referrers(&self, subject: &SubjectName, version: Version) -> StoreResult<Vec<Referrer>> {
        let (context, name) = (subject.context().as_str(), subject.name());
        Ok(row::referrers(self.rows(&sql::REFERRERS, |q| q.bind(context).bind(name).bind(version.0)).await?))
    }

    async fn max_id(&self, context: &ContextName) -> StoreResult<SchemaId> {
        let found: Option<(i32,)> = self.row(&sql::MAX_ID, |q| q.bind(context.as_str())).await?;
        Ok(found.map_or(SchemaId(0), |(id,)| SchemaId(id)))
    }

    async fn settings(&self, scope: &Scope) -> StoreResult<ScopeSettings> {
        let (kind, context, name) = row::scope_columns(scope);
        row::settings(&sql::SETTINGS, self.row(&sql::SETTINGS, |q| q.bind(kind).bind(context).bind(name)).await?)
    }

    async fn subject_configs(&self, contexts: &Contexts, prefix: &str) -> StoreResult<Vec<(SubjectName, Arc<Config>)>> {
        let statement = sql::subject_configs(contexts);
        let (low, high) = row::prefix_range(prefix);
        row::subject_configs(statement, self.rows(statement, |q| in_contexts(q.bind(low).bind(high), contexts)).await?)
    }

    async fn associations(&self, of: &AssociationsOf) -> StoreResult<Vec<Association>> {
        let (statement, rows) = match of {
            AssociationsOf::Subject(subject) => {
                let (context, name) = (subject.context().as_str(), subject.name());
                let statement = &sql::ASSOCIATIONS_OF_SUBJECT;
                (statement, self.rows(statement, |q| q.bind(context).bind(name)).await?)
            }
            AssociationsOf::ResourceId(text) | AssociationsOf::Resource { name: Some(text), .. } => {
                let statement = sql::associations_of_resource(of);
                (statement, self.rows(statement, |q| q.bind(&**text)).await?)
            }
            AssociationsOf::Resource { name: None, .. } => {
                let (low, high) = row::prefix_range("");
                (&sql::ASSOCIATIONS, self.rows(&sql::ASSOCIATIONS, |q| q.bind(low).bind(high)).await?)
            }
            AssociationsOf::Subjects(contexts, prefix) => {
                let (statement, (low, high)) = (sql::associations(contexts), row::prefix_range(prefix));
                (statement, self.rows(statement, |q| in_contexts(q.bind(low).bind(high), contexts)).await?)
            }
        };
        row::associations(statement, of, rows)
    }

    async fn contexts(&self) -> StoreResult<Vec<ContextName>> {
        let found: Vec<(String,)> = self.rows(&sql::CONTEXTS, |q| q).await?;
        Ok(found.iter().map(|(name,)| ContextName::new(name)).collect())
    }

    async fn commit_version(&self, new: NewVersion, on: Preconditions) -> StoreResult<Committed> {
        self.write("COMMIT_VERSION", write::commit_version(self.writer.clone(), new, on)).await
    }

    async fn delete_versions(&self, subject: &SubjectName, delete: Delete, on: Preconditions) -> StoreResult<Deleted> {
        let work = write::delete_versions(self.writer.clone(), subject.clone(), delete, on);
        self.write("DELETE_VERSIONS", work).await
    }

    async fn write_settings(&self, scope: &Scope, write: SettingsWrite, on: Preconditions) -> StoreResult<Revision> {
        self.write("WRITE_SETTINGS", write::write_settings(self.writer.clone(), scope.clone(), write, on)).await
    }

    async fn write_associations(&self, write: AssociationWrite) -> StoreResult<()> {
        self.write("WRITE_ASSOCIATIONS", write::write_associations(self.writer.clone(), write)).await
    }

    async fn delete_modes(&self, context: &ContextName) -> StoreResult<()> {
        self.write("DELETE_MODES", write::delete_modes(self.writer.clone(), context.clone())).await
    }

    async fn delete_context(&self, context: &ContextName) -> StoreResult<bool> {
        self.write("DELETE_CONTEXT", write::delete_context(self.writer.clone(), context.clone())).await
    }

    async fn change_cursor(&self) -> StoreResult<ChangeCursor> {
        let found: Option<(String,)> = self.row(&sql::CHANGE_CURSOR, |q| q).await?;
        let (cursor,) = found.ok_or_else(|| row::inconsistent(&sql::CHANGE_CURSOR, "no cursor"))?;
        Ok(ChangeCursor(cursor))
    }

    async fn changes_since(&self, cursor: &ChangeCursor) -> StoreResult<(Vec<Change>, ChangeCursor)> {
        // An empty cursor is 0: the beginning of all.
        row::changes(&sql::CHANGES_SINCE, self.rows(&sql::CHANGES_SINCE, |q| q.bind(&*cursor.0)).await?)
    }

    async fn changed(&self) -> StoreResult<()> {
        // One process, which knows what it writes.
        std::future::pending().await
    }

    async fn ping(&self) -> StoreResult<()> {
        let _: Option<(i32,)> = self.row(&sql::PING, |q| q).await?;
        Ok(())
    }

    /// The last connection that closes moves the journal into the file.
    async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn in_contexts<'q, R>(query: QueryAs<'q, R>, contexts: &'q Contexts) -> QueryAs<'q, R>
where
    R: for<'r> FromRow<'r, SqliteRow>,
{
    match contexts {
        Contexts::All => query,
        Contexts::One(context) => query.bind(context.as_str()),
    }
}
