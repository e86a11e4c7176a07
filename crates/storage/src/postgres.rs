//! The registry's store on Postgres.
//!
//! Reads are one statement each, and so are writes: a function of the migrations locks, checks, writes and answers in
//! one round trip, committed by itself. A write runs in its own task: a caller that goes away (a client hanging up)
//! neither breaks a connection nor leaves other nodes untold.
//!
//! To add a query: its text in `sql.rs`, a method here and in `sqlite.rs`, a case in the registry's conformance suite.

mod associations;
mod changes;
mod pool;

use std::sync::Arc;

use async_trait::async_trait;
use sluice_registry::store::*;
use sluice_registry::{Association, Config, Content, ContextName, Scope, SubjectName};
use sluice_schema::{Guid, SchemaId, Version};
use sqlx::postgres::{PgArguments, PgConnectOptions, PgConnection, PgRow, Postgres};
use sqlx::{ConnectOptions, Connection, FromRow};
use tokio::sync::Notify;
use tokio::task::JoinHandle;

use self::changes::Inbox;
use self::pool::Pool;
use crate::config::StorageConfig;
use crate::error::{Effect, OpenError};
use crate::lock::Locks;
use crate::sql::{self, Statement};
use crate::{migrate, row};

/// Oldest server this works on (`xid8`), as in `server_version_num`.
const OLDEST_SERVER: i32 = 130_000;

type QueryAs<'q, R> = sqlx::query::QueryAs<'q, Postgres, R, PgArguments>;

/// A store on Postgres. Dropping it ends its background tasks.
#[derive(Debug)]
pub(crate) struct PostgresStore {
    pool: Pool,
    inbox: Arc<Inbox>,
    committed: Arc<Notify>,
    tasks: Vec<JoinHandle<()>>,
}

impl Drop for PostgresStore {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

impl PostgresStore {
    /// Connects, migrates, and starts to listen for changes.
    pub(crate) async fn open(config: StorageConfig) -> Result<PostgresStore, OpenError> {
        let options = options(&config)?;
        prepare_database(&options, &config).await?;
        let pool = Pool::new(options.clone(), config);
        let node = node_name();
        let (inbox, committed) = (Arc::new(Inbox::default()), Arc::new(Notify::new()));
        let tasks = vec![
            tokio::spawn(changes::listen(options, node.clone(), inbox.clone())),
            tokio::spawn(changes::announce(pool.clone(), node, committed.clone())),
        ];
        Ok(PostgresStore { pool, inbox, committed, tasks })
    }

    /// All rows of a reading statement; `bind` is called again for a second attempt on another connection.
    async fn rows<'q, R>(
        &self,
        statement: &'static Statement,
        bind: impl Fn(QueryAs<'q, R>) -> QueryAs<'q, R> + Send + Sync,
    ) -> StoreResult<Vec<R>>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin + 'q,
    {
        let attempt = || {
            let query = bind(sqlx::query_as(statement.postgres));
            self.pool.run(statement, Effect::Reads, |mut lease| async move {
                let result = query.fetch_all(lease.connection()).await;
                (lease, result)
            })
        };
        match attempt().await {
            Err(failed) if failed.retry => attempt().await,
            other => other,
        }
        .map_err(|failed| failed.error)
    }

    /// The row of a reading statement that gives one or none.
    async fn row<'q, R>(
        &self,
        statement: &'static Statement,
        bind: impl Fn(QueryAs<'q, R>) -> QueryAs<'q, R> + Send + Sync,
    ) -> StoreResult<Option<R>>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin + 'q,
    {
        Ok(self.rows(statement, bind).await?.pop())
    }

    /// The rows of a list: $1 lowest name, $2 highest name, $3 the context if it is of one.
    async fn listed<R>(&self, statement: &'static Statement, contexts: &Contexts, prefix: &str) -> StoreResult<Vec<R>>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin,
    {
        let (low, high) = row::prefix_range(prefix);
        match contexts {
            _ if !storable(&[prefix]) => Ok(Vec::new()),
            Contexts::All => self.rows(statement, |q| q.bind(&low).bind(&high)).await,
            Contexts::One(context) if !storable(&[context.as_str()]) => Ok(Vec::new()),
            Contexts::One(context) => self.rows(statement, |q| q.bind(&low).bind(&high).bind(context.as_str())).await,
        }
    }

    /// The one row of a writing statement, run to its end whoever still waits for it.
    async fn write<R>(
        &self,
        statement: &'static Statement,
        bind: impl FnOnce(QueryAs<'static, R>) -> QueryAs<'static, R>,
    ) -> StoreResult<R>
    where
        R: for<'r> FromRow<'r, PgRow> + Send + Unpin + 'static,
    {
        let query = bind(sqlx::query_as(statement.postgres));
        let (pool, committed) = (self.pool.clone(), self.committed.clone());
        let task = tokio::spawn(async move {
            let written = pool
                .run(statement, Effect::Writes, |mut lease| async move {
                    // Reads on to ReadyForQuery, which comes after the commit; the row alone comes before it.
                    let result = query.fetch_one(lease.connection()).await;
                    (lease, result)
                })
                .await;
            committed.notify_one();
            written.map_err(|failed| failed.error)
        });
        task.await.map_err(|e| StoreError::OutcomeUnknown { statement: statement.name, cause: e.to_string() })?
    }
}

/// Connection options: short-lived statements, each with an index to use.
fn options(config: &StorageConfig) -> Result<PgConnectOptions, OpenError> {
    let options: PgConnectOptions = config.url.parse().map_err(|e: sqlx::Error| OpenError::Url(e.to_string()))?;
    let named = options.get_application_name().is_some();
    let options = options
        .options([
            ("default_transaction_isolation", "read committed"),
            ("statement_timeout", &config.statement_timeout.as_millis().to_string()),
            // Every statement has an index. A plan cached while the tables were small must not scan a big one later.
            ("enable_seqscan", "off"),
            ("jit", "off"),
            ("tcp_keepalives_idle", "15"),
            ("tcp_keepalives_interval", "5"),
            ("tcp_keepalives_count", "3"),
        ])
        .disable_statement_logging();
    Ok(if named { options } else { options.application_name("sluice") })
}

/// Looks whether the database will do, and migrates it.
async fn prepare_database(options: &PgConnectOptions, config: &StorageConfig) -> Result<(), OpenError> {
    let wait = config.connect_timeout.max(config.acquire_timeout);
    // Migrations may take long.
    let options = options.clone().options([("statement_timeout", "0"), ("enable_seqscan", "on")]);
    let mut connection: PgConnection = tokio::time::timeout(wait, options.connect())
        .await
        .map_err(|_| OpenError::Unreachable(format!("no connection within {wait:?}")))?
        .map_err(|e| OpenError::Unreachable(e.to_string()))?;
    let (version, encoding): (String, String) =
        sqlx::query_as("SELECT current_setting('server_version_num'), current_setting('server_encoding')")
            .fetch_one(&mut connection)
            .await
            .map_err(|e| OpenError::Unreachable(e.to_string()))?;
    if version.parse::<i32>().is_ok_and(|version| version < OLDEST_SERVER) {
        return Err(OpenError::Unsuitable(format!("Postgres 13 or later is needed, this is {version}")));
    }
    if encoding != "UTF8" {
        return Err(OpenError::Unsuitable(format!("its encoding must be UTF8, not {encoding}")));
    }
    migrate::postgres(&mut connection).await?;
    let _ = connection.close().await;
    Ok(())
}

/// A name for this node in notifications, unlike any other's.
fn node_name() -> String {
    use std::hash::{BuildHasher, Hasher};
    // The hasher's keys are random per process and grow per call.
    let random = std::collections::hash_map::RandomState::new().build_hasher().finish();
    format!("{}-{random:016x}", std::process::id())
}

/// Preconditions as the functions take them: one array per column.
#[derive(Debug, Default)]
struct Columns {
    revision: Option<i64>,
    set_kinds: Vec<i16>,
    set_contexts: Vec<String>,
    set_names: Vec<String>,
    set_revisions: Vec<i64>,
    need_contexts: Vec<String>,
    need_names: Vec<String>,
    need_versions: Vec<i32>,
    need_live: Vec<bool>,
}

impl Columns {
    fn of(on: &Preconditions) -> Columns {
        let mut columns = Columns { revision: on.subject_revision.map(|revision| revision.0), ..Columns::default() };
        for (scope, revision) in &on.settings {
            let (kind, context, name) = row::scope_columns(scope);
            columns.set_kinds.push(kind);
            columns.set_contexts.push(context.to_owned());
            columns.set_names.push(name.to_owned());
            columns.set_revisions.push(revision.0);
        }
        for (subject, version, live) in &on.references {
            columns.need_contexts.push(subject.context().as_str().to_owned());
            columns.need_names.push(subject.name().to_owned());
            columns.need_versions.push(version.0);
            columns.need_live.push(*live == RequireLive::Yes);
        }
        columns
    }

    /// $1 to $11 of every writing function.
    fn bind<R>(self, locks: Locks, query: QueryAs<'static, R>) -> QueryAs<'static, R>
    where
        R: for<'r> FromRow<'r, PgRow>,
    {
        query
            .bind(locks.keys)
            .bind(locks.exclusive)
            .bind(self.revision)
            .bind(self.set_kinds)
            .bind(self.set_contexts)
            .bind(self.set_names)
            .bind(self.set_revisions)
            .bind(self.need_contexts)
            .bind(self.need_names)
            .bind(self.need_versions)
            .bind(self.need_live)
    }
}

/// Postgres' text cannot hold NUL: what was asked for is not there.
fn storable(names: &[&str]) -> bool {
    !names.iter().any(|name| name.contains('\0'))
}

#[async_trait]
impl RegistryStore for PostgresStore {
    async fn content_by_id(&self, context: &ContextName, id: SchemaId) -> StoreResult<Option<Arc<Content>>> {
        if !storable(&[context.as_str()]) {
            return Ok(None);
        }
        let found = self.row(&sql::CONTENT_BY_ID, |q| q.bind(context.as_str()).bind(id.0)).await?;
        found.map(|found| row::content(&sql::CONTENT_BY_ID, found)).transpose()
    }

    async fn id_by_guid(&self, context: &ContextName, guid: Guid) -> StoreResult<Option<SchemaId>> {
        if !storable(&[context.as_str()]) {
            return Ok(None);
        }
        let found: Option<(i32,)> = self.row(&sql::ID_BY_GUID, |q| q.bind(context.as_str()).bind(&guid.0[..])).await?;
        Ok(found.map(|(id,)| SchemaId(id)))
    }

    async fn ids_by_guid(&self, guid: Guid) -> StoreResult<Vec<(ContextName, SchemaId)>> {
        let found: Vec<(String, i32)> = self.rows(&sql::IDS_BY_GUID, |q| q.bind(&guid.0[..])).await?;
        Ok(found.iter().map(|(context, id)| (ContextName::new(context), SchemaId(*id))).collect())
    }

    async fn subject(&self, subject: &SubjectName) -> StoreResult<SubjectState> {
        let (context, name) = (subject.context().as_str(), subject.name());
        if !storable(&[context, name]) {
            return Ok(SubjectState::default());
        }
        row::subject_state(&sql::SUBJECT_STATE, self.rows(&sql::SUBJECT_STATE, |q| q.bind(context).bind(name)).await?)
    }

    async fn subject_revision(&self, subject: &SubjectName) -> StoreResult<Revision> {
        let (context, name) = (subject.context().as_str(), subject.name());
        if !storable(&[context, name]) {
            return Ok(Revision(0));
        }
        let found: Option<(i64,)> = self.row(&sql::SUBJECT_REVISION, |q| q.bind(context).bind(name)).await?;
        Ok(found.map_or(Revision(0), |(revision,)| Revision(revision)))
    }

    async fn subjects(&self, contexts: &Contexts, prefix: &str, view: View) -> StoreResult<Vec<SubjectName>> {
        let found = self.listed(sql::subjects(contexts, view), contexts, prefix).await?;
        Ok(row::subjects(found))
    }

    async fn subject_states(
        &self,
        contexts: &Contexts,
        prefix: &str,
        view: View,
    ) -> StoreResult<Vec<(SubjectName, SubjectState)>> {
        let statement = sql::subject_states(contexts, view);
        row::subject_states(statement, self.listed(statement, contexts, prefix).await?)
    }

    async fn subject_configs(&self, contexts: &Contexts, prefix: &str) -> StoreResult<Vec<(SubjectName, Arc<Config>)>> {
        let statement = sql::subject_configs(contexts);
        row::subject_configs(statement, self.listed(statement, contexts, prefix).await?)
    }

    async fn usages(&self, context: &ContextName, id: SchemaId) -> StoreResult<Vec<Usage>> {
        if !storable(&[context.as_str()]) {
            return Ok(Vec::new());
        }
        Ok(row::usages(context, self.rows(&sql::USAGES, |q| q.bind(context.as_str()).bind(id.0)).await?))
    }

    async fn referrers(&self, subject: &SubjectName, version: Version) -> StoreResult<Vec<Referrer>> {
        let (context, name) = (subject.context().as_str(), subject.name());
        if !storable(&[context, name]) {
            return Ok(Vec::new());
        }
        Ok(row::referrers(self.rows(&sql::REFERRERS, |q| q.bind(context).bind(name).bind(version.0)).await?))
    }

    async fn max_id(&self, context: &ContextName) -> StoreResult<SchemaId> {
        if !storable(&[context.as_str()]) {
            return Ok(SchemaId(0));
        }
        let found: Option<(i32,)> = self.row(&sql::MAX_ID, |q| q.bind(context.as_str())).await?;
        Ok(found.map_or(SchemaId(0), |(id,)| SchemaId(id)))
    }

    async fn settings(&self, scope: &Scope) -> StoreResult<ScopeSettings> {
        let (kind, context, name) = row::scope_columns(scope);
        if !storable(&[context, name]) {
            return Ok(ScopeSettings::default());
        }
        row::settings(&sql::SETTINGS, self.row(&sql::SETTINGS, |q| q.bind(kind).bind(context).bind(name)).await?)
    }

    async fn associations(&self, of: &AssociationsOf) -> StoreResult<Vec<Association>> {
        self.associations_of(of).await
    }

    async fn contexts(&self) -> StoreResult<Vec<ContextName>> {
        let found: Vec<(String,)> = self.rows(&sql::CONTEXTS, |q| q).await?;
        Ok(found.iter().map(|(name,)| ContextName::new(name)).collect())
    }

    async fn commit_version(&self, new: NewVersion, on: Preconditions) -> StoreResult<Committed> {
        let statement = &sql::COMMIT_VERSION;
        let (locks, columns) = (Locks::of_version(&new, &on), Columns::of(&on));
        let (references, metadata, rule_set) = row::content_json(statement, &new.content)?;
        let use_contexts: Vec<String> = new.references.iter().map(|(s, _)| s.context().as_str().to_owned()).collect();
        let use_names: Vec<String> = new.references.iter().map(|(s, _)| s.name().to_owned()).collect();
        let use_versions: Vec<i32> = new.references.iter().map(|(_, version)| version.0).collect();
        let explicit_id = match new.id {
            IdChoice::ByContent => None,
            IdChoice::Explicit(id) => Some(id.0),
        };
        let (outcome, id, revision): (String, Option<i32>, Option<i64>) = self
            .write(statement, |q| {
                columns
                    .bind(locks, q)
                    .bind(new.subject.context().as_str().to_owned())
                    .bind(new.subject.name().to_owned())
                    .bind(new.version.0)
                    .bind(new.ts)
                    .bind(new.content.guid.0.to_vec())
                    .bind(new.content.schema_type.wire())
                    .bind(new.content.text.to_string())
                    .bind(references)
                    .bind(metadata)
                    .bind(rule_set)
                    .bind(use_contexts)
                    .bind(use_names)
                    .bind(use_versions)
                    .bind(explicit_id)
                    .bind(new.tombstone_same_id)
            })
            .await?;
        match (&*outcome, id, revision) {
            ("written", Some(id), Some(revision)) => {
                Ok(Committed::Written { id: SchemaId(id), revision: Revision(revision) })
            }
            ("id_taken", Some(id), _) => Ok(Committed::IdTaken(SchemaId(id))),
            ("conflict", ..) => Err(StoreError::Conflict),
            other => Err(row::inconsistent(statement, format!("answered {other:?}"))),
        }
    }

    async fn delete_versions(&self, subject: &SubjectName, delete: Delete, on: Preconditions) -> StoreResult<Deleted> {
        let statement = &sql::DELETE_VERSIONS;
        let (locks, columns) = (Locks::of_delete(subject, &on), Columns::of(&on));
        let (versions, permanent) = match delete {
            Delete::Soft(versions) => (versions, false),
            Delete::Permanent(versions) => (versions, true),
        };
        let versions: Vec<i32> = versions.iter().map(|version| version.0).collect();
        let (outcome, version, revision): (String, Option<i32>, Option<i64>) = self
            .write(statement, |q| {
                columns
                    .bind(locks, q)
                    .bind(subject.context().as_str().to_owned())
                    .bind(subject.name().to_owned())
                    .bind(versions)
                    .bind(permanent)
            })
            .await?;
        match (&*outcome, version, revision) {
            ("done", _, Some(revision)) => Ok(Deleted::Done(Revision(revision))),
            ("referenced", Some(version), _) => Ok(Deleted::Referenced(Version(version))),
            ("conflict", ..) => Err(StoreError::Conflict),
            other => Err(row::inconsistent(statement, format!("answered {other:?}"))),
        }
    }

    async fn write_settings(&self, scope: &Scope, write: SettingsWrite, on: Preconditions) -> StoreResult<Revision> {
        let statement = &sql::WRITE_SETTINGS;
        let (locks, columns) = (Locks::of_settings(scope, &on), Columns::of(&on));
        let config = match &write.config {
            Some(Some(config)) => Some(row::to_json(statement, config)?),
            _ => None,
        };
        let mode = write.mode.flatten().map(|mode| mode.wire());
        let (set_config, set_mode) = (write.config.is_some(), write.mode.is_some());
        let (outcome, revision): (String, Option<i64>) = self
            .write(statement, |q| {
                let (kind, context, name) = row::scope_columns(scope);
                columns
                    .bind(locks, q)
                    .bind(kind)
                    .bind(context.to_owned())
                    .bind(name.to_owned())
                    .bind(set_config)
                    .bind(config)
                    .bind(set_mode)
                    .bind(mode)
            })
            .await?;
        match (&*outcome, revision) {
            ("done", Some(revision)) => Ok(Revision(revision)),
            ("conflict", _) => Err(StoreError::Conflict),
            other => Err(row::inconsistent(statement, format!("answered {other:?}"))),
        }
    }

    async fn write_associations(&self, write: AssociationWrite) -> StoreResult<()> {
        self.put_associations(write).await
    }

    async fn delete_modes(&self, context: &ContextName) -> StoreResult<()> {
        let (locks, context) = (Locks::of_context(context), context.as_str().to_owned());
        let _: (String,) =
            self.write(&sql::DELETE_MODES, |q| q.bind(locks.keys).bind(locks.exclusive).bind(context)).await?;
        Ok(())
    }

    async fn delete_context(&self, context: &ContextName) -> StoreResult<bool> {
        let (locks, context) = (Locks::of_context(context), context.as_str().to_owned());
        let (empty,): (bool,) =
            self.write(&sql::DELETE_CONTEXT, |q| q.bind(locks.keys).bind(locks.exclusive).bind(context)).await?;
        Ok(empty)
    }

    async fn change_cursor(&self) -> StoreResult<ChangeCursor> {
        let found: Option<(String,)> = self.row(&sql::CHANGE_CURSOR, |q| q).await?;
        let (cursor,) = found.ok_or_else(|| row::inconsistent(&sql::CHANGE_CURSOR, "no cursor"))?;
        Ok(ChangeCursor(cursor))
    }

    async fn changes_since(&self, cursor: &ChangeCursor) -> StoreResult<(Vec<Change>, ChangeCursor)> {
        // The beginning of all: no timeline has this name.
        let since = if cursor.0.is_empty() { "/1:1:" } else { &cursor.0 };
        row::changes(&sql::CHANGES_SINCE, self.rows(&sql::CHANGES_SINCE, |q| q.bind(since)).await?)
    }

    async fn changed(&self) -> StoreResult<()> {
        self.inbox.changed().await
    }

    async fn ping(&self) -> StoreResult<()> {
        let _: Option<(i32,)> = self.row(&sql::PING, |q| q).await?;
        Ok(())
    }
}
