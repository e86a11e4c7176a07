//! Writes on SQLite: the steps of the functions in `migrations/postgres`, one transaction each.
//!
//! `BEGIN IMMEDIATE` takes the one place of the writer, so what a transaction reads stays true until it commits.
//! A transaction that is dropped is rolled back.

use sluice_registry::store::*;
use sluice_registry::{Content, ContextName, Scope, SubjectName};
use sluice_schema::{Guid, SchemaId, Version};
use sqlx::sqlite::{SqliteArguments, SqlitePool, SqliteRow};
use sqlx::{FromRow, Sqlite, Transaction};

use crate::sql::{self, Statement};
use crate::{error, row};

mod associations;
pub(super) use associations::write_associations;

type Query<'q> = sqlx::query::Query<'q, Sqlite, SqliteArguments>;
type QueryAs<'q, R> = sqlx::query::QueryAs<'q, Sqlite, R, SqliteArguments>;

/// BEGIN and COMMIT, for errors.
static TRANSACTION: Statement = Statement { name: "TRANSACTION", postgres: "", sqlite: "BEGIN IMMEDIATE" };

/// Where a content went.
enum PutContent {
    /// It has this id.
    Stored(i32),
    /// The id that it would have holds other content.
    Taken(i32),
}

/// A transaction under way.
struct Write {
    transaction: Transaction<'static, Sqlite>,
    /// What `position` becomes in the rows written.
    position: i64,
}

impl Write {
    async fn begin(writer: &SqlitePool) -> StoreResult<Write> {
        let transaction =
            writer.begin_with(TRANSACTION.sqlite).await.map_err(|e| error::sqlite(&TRANSACTION, false, &e))?;
        let mut write = Write { transaction, position: 0 };
        (write.position,) = write.one(&sql::NEXT_POSITION, |q| q).await?;
        Ok(write)
    }

    async fn commit(self) -> StoreResult<()> {
        self.transaction.commit().await.map_err(|e| error::sqlite(&TRANSACTION, true, &e))
    }

    async fn rows<'q, R>(
        &mut self,
        statement: &'static Statement,
        bind: impl FnOnce(QueryAs<'q, R>) -> QueryAs<'q, R>,
    ) -> StoreResult<Vec<R>>
    where
        R: for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'q,
    {
        let query = bind(sqlx::query_as(statement.sqlite));
        query.fetch_all(&mut *self.transaction).await.map_err(|e| error::sqlite(statement, false, &e))
    }

    async fn row<'q, R>(
        &mut self,
        statement: &'static Statement,
        bind: impl FnOnce(QueryAs<'q, R>) -> QueryAs<'q, R>,
    ) -> StoreResult<Option<R>>
    where
        R: for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'q,
    {
        Ok(self.rows(statement, bind).await?.pop())
    }

    async fn one<'q, R>(
        &mut self,
        statement: &'static Statement,
        bind: impl FnOnce(QueryAs<'q, R>) -> QueryAs<'q, R>,
    ) -> StoreResult<R>
    where
        R: for<'r> FromRow<'r, SqliteRow> + Send + Unpin + 'q,
    {
        self.row(statement, bind).await?.ok_or_else(|| row::inconsistent(statement, "no row"))
    }

    async fn execute<'q>(
        &mut self,
        statement: &'static Statement,
        bind: impl FnOnce(Query<'q>) -> Query<'q>,
    ) -> StoreResult<()> {
        let query = bind(sqlx::query(statement.sqlite));
        query.execute(&mut *self.transaction).await.map_err(|e| error::sqlite(statement, false, &e))?;
        Ok(())
    }

    /// `Conflict` unless the settings and references still stand.
    async fn check(&mut self, on: &Preconditions) -> StoreResult<()> {
        for (scope, revision) in &on.settings {
            let (kind, context, name) = row::scope_columns(scope);
            let found: Option<row::SettingsRow> =
                self.row(&sql::SETTINGS, |q| q.bind(kind).bind(context).bind(name)).await?;
            if found.map_or(0, |(_, _, revision)| revision) != revision.0 {
                return Err(StoreError::Conflict);
            }
        }
        for (subject, version, live) in &on.references {
            let (context, name) = (subject.context().as_str(), subject.name());
            let found: Option<(bool,)> =
                self.row(&sql::FIND_VERSION, |q| q.bind(context).bind(name).bind(version.0)).await?;
            match (found, live) {
                (None, _) | (Some((true,)), RequireLive::Yes) => return Err(StoreError::Conflict),
                _ => {}
            }
            let strong: Option<(i32,)> = self.row(&sql::STRONG_ASSOCIATION, |q| q.bind(context).bind(name)).await?;
            if strong.is_some() {
                return Err(StoreError::Conflict);
            }
        }
        Ok(())
    }

    /// The subject's row, if there is one, when its revision is the expected one.
    async fn subject(
        &mut self,
        context: i64,
        subject: &SubjectName,
        expected: Option<Revision>,
    ) -> StoreResult<Option<(i64, i64)>> {
        let found: Option<(i64, i64)> = self.row(&sql::FIND_SUBJECT, |q| q.bind(context).bind(subject.name())).await?;
        let revision = found.map_or(0, |(_, revision)| revision);
        if expected.is_some_and(|expected| expected.0 != revision) {
            return Err(StoreError::Conflict);
        }
        Ok(found)
    }

    async fn context(&mut self, context: &ContextName) -> StoreResult<Option<i64>> {
        let found: Option<(i64, bool)> = self.row(&sql::FIND_CONTEXT, |q| q.bind(context.as_str())).await?;
        Ok(found.map(|(id, _)| id))
    }

    async fn context_or_new(&mut self, context: &ContextName) -> StoreResult<i64> {
        if let Some(id) = self.context(context).await? {
            return Ok(id);
        }
        let position = self.position;
        let (id,) = self.one(&sql::INSERT_CONTEXT, |q| q.bind(context.as_str()).bind(position)).await?;
        Ok(id)
    }

    /// The id that the content has from now on.
    async fn put_content(&mut self, context: i64, new: &NewVersion) -> StoreResult<PutContent> {
        let guid = new.content.guid;
        let known = match new.id {
            IdChoice::ByContent => self.find_content(&sql::FIND_BY_GUID, context, &guid.0[..], &new.content).await?,
            IdChoice::Explicit(SchemaId(id)) => self.find_content(&sql::FIND_BY_ID, context, id, &new.content).await?,
        };
        let id = match (known, new.id) {
            (Some((id, false)), _) => return Ok(PutContent::Taken(id)),
            (Some((id, true)), IdChoice::ByContent) => return Ok(PutContent::Stored(id)),
            (Some((id, true)), IdChoice::Explicit(_)) => id,
            (None, IdChoice::ByContent) => {
                let (next,): (i64,) = self.one(&sql::NEXT_ID, |q| q.bind(context)).await?;
                let id = i32::try_from(next).map_err(|_| row::inconsistent(&sql::NEXT_ID, "all ids are given"))?;
                self.insert_content(context, id, new).await?;
                id
            }
            (None, IdChoice::Explicit(SchemaId(id))) => {
                self.execute(&sql::RAISE_ID, |q| q.bind(context).bind(id)).await?;
                self.insert_content(context, id, new).await?;
                id
            }
        };
        // The hash stands for the id written last.
        self.execute(&sql::CLEAR_CURRENT, |q| q.bind(context).bind(&guid.0[..]).bind(id)).await?;
        self.execute(&sql::MAKE_CURRENT, |q| q.bind(context).bind(id)).await?;
        Ok(PutContent::Stored(id))
    }

    /// Id found by `key`, and whether it holds just this content.
    async fn find_content<'q>(
        &mut self,
        statement: &'static Statement,
        context: i64,
        key: impl sqlx::Encode<'q, Sqlite> + sqlx::Type<Sqlite> + Send + 'q,
        content: &'q Content,
    ) -> StoreResult<Option<(i32, bool)>> {
        let (references, metadata, rule_set) = row::content_json(statement, content)?;
        self.row(statement, |q| {
            q.bind(context)
                .bind(key)
                .bind(content.schema_type.wire())
                .bind(&*content.text)
                .bind(references)
                .bind(metadata)
                .bind(rule_set)
        })
        .await
    }

    async fn insert_content(&mut self, context: i64, id: i32, new: &NewVersion) -> StoreResult<()> {
        let content = &new.content;
        let (references, metadata, rule_set) = row::content_json(&sql::INSERT_CONTENT, content)?;
        self.execute(&sql::INSERT_CONTENT, |q| {
            q.bind(context)
                .bind(id)
                .bind(&content.guid.0[..])
                .bind(content.schema_type.wire())
                .bind(&*content.text)
                .bind(references)
                .bind(metadata)
                .bind(rule_set)
        })
        .await
    }

    async fn drop_unused(&mut self, context: i64, ids: &[i32]) -> StoreResult<()> {
        let ids = row::to_json(&sql::DROP_UNUSED, &ids)?;
        let dropped: Vec<(Vec<u8>, bool)> = self.rows(&sql::DROP_UNUSED, |q| q.bind(context).bind(ids)).await?;
        for (guid, was_current) in dropped {
            if was_current {
                let Guid(guid) = row::guid(&sql::DROP_UNUSED, &guid)?;
                self.execute(&sql::PROMOTE, |q| q.bind(context).bind(&guid[..])).await?;
            }
        }
        Ok(())
    }
}

impl Write {
    /// Removes these versions (a JSON array) of a subject for good: its context, its id, its revision from now on.
    pub(super) async fn remove_versions(
        &mut self,
        subject: &SubjectName,
        (context, id, revision): (i64, i64, i64),
        versions: String,
    ) -> StoreResult<()> {
        let position = self.position;
        self.execute(&sql::RAISE_REVISION, |q| q.bind(id).bind(revision).bind(position)).await?;
        let gone: Vec<(i32,)> = self.rows(&sql::REMOVE_VERSIONS, |q| q.bind(id).bind(versions)).await?;
        let ids: Vec<i32> = gone.into_iter().map(|(id,)| id).collect();
        self.drop_unused(context, &ids).await?;
        let left: Option<(i32,)> = self.row(&sql::ANY_VERSION, |q| q.bind(id)).await?;
        if left.is_none() {
            let (context, name) = (subject.context().as_str(), subject.name());
            self.execute(&sql::CLEAR_SETTINGS, |q| q.bind(context).bind(name).bind(position)).await?;
        }
        Ok(())
    }
}

/// [`RegistryStore::commit_version`].
pub(super) async fn commit_version(writer: SqlitePool, new: NewVersion, on: Preconditions) -> StoreResult<Committed> {
    let mut write = Write::begin(&writer).await?;
    let position = write.position;
    let context = write.context_or_new(new.subject.context()).await?;
    let subject = write.subject(context, &new.subject, on.subject_revision).await?;
    write.check(&on).await?;
    let id = match write.put_content(context, &new).await? {
        PutContent::Stored(id) => id,
        PutContent::Taken(id) => return Ok(Committed::IdTaken(SchemaId(id))),
    };

    let revision = subject.map_or(0, |(_, revision)| revision) + 1;
    let subject = match subject {
        Some((subject, _)) => {
            write.execute(&sql::RAISE_REVISION, |q| q.bind(subject).bind(revision).bind(position)).await?;
            subject
        }
        None => {
            let name = new.subject.name();
            let (subject,) =
                write.one(&sql::INSERT_SUBJECT, |q| q.bind(context).bind(name).bind(revision).bind(position)).await?;
            subject
        }
    };

    let version = new.version.0;
    let replaced: Option<(i32,)> = write.row(&sql::VERSION_SCHEMA, |q| q.bind(subject).bind(version)).await?;
    write
        .execute(&sql::PUT_VERSION, |q| {
            q.bind(subject).bind(version).bind(context).bind(id).bind(revision).bind(new.ts)
        })
        .await?;
    if let Some((replaced,)) = replaced {
        write.execute(&sql::CLEAR_USES, |q| q.bind(subject).bind(version)).await?;
        if replaced != id {
            write.drop_unused(context, &[replaced]).await?;
        }
    }
    for (target, target_version) in &new.references {
        let context = write.context_or_new(target.context()).await?;
        let target = match write.subject(context, target, None).await? {
            Some((target, _)) => target,
            // Not there yet: it gets its row, so that it can be pointed at.
            None => {
                let (target,) = write
                    .one(&sql::INSERT_SUBJECT, |q| q.bind(context).bind(target.name()).bind(0).bind(position))
                    .await?;
                target
            }
        };
        write.execute(&sql::INSERT_USE, |q| q.bind(subject).bind(version).bind(target).bind(target_version.0)).await?;
    }
    if new.tombstone_same_id {
        write.execute(&sql::TOMBSTONE, |q| q.bind(subject).bind(version).bind(id)).await?;
    }
    write.execute(&sql::LIST_CONTEXT, |q| q.bind(context).bind(position)).await?;
    write.commit().await?;
    Ok(Committed::Written { id: SchemaId(id), revision: Revision(revision) })
}

/// [`RegistryStore::delete_versions`].
pub(super) async fn delete_versions(
    writer: SqlitePool,
    subject: SubjectName,
    delete: Delete,
    on: Preconditions,
) -> StoreResult<Deleted> {
    let mut write = Write::begin(&writer).await?;
    let position = write.position;
    let context = write.context(subject.context()).await?;
    let found = match context {
        Some(context) => write.subject(context, &subject, on.subject_revision).await?,
        None if on.subject_revision.is_some_and(|expected| expected.0 != 0) => return Err(StoreError::Conflict),
        None => None,
    };
    write.check(&on).await?;
    let (Some(context), Some((id, revision))) = (context, found) else { return Ok(Deleted::Done(Revision(0))) };

    let (versions, permanent) = match &delete {
        Delete::Soft(versions) => (versions, false),
        Delete::Permanent(versions) => (versions, true),
    };
    let versions = row::to_json(&sql::REFERENCED, versions)?;
    let (referenced,): (Option<i32>,) =
        write.one(&sql::REFERENCED, |q| q.bind(id).bind(versions.clone()).bind(permanent)).await?;
    if let Some(version) = referenced {
        return Ok(Deleted::Referenced(Version(version)));
    }

    let revision = revision + 1;
    if permanent {
        write.remove_versions(&subject, (context, id, revision), versions).await?;
    } else {
        write.execute(&sql::RAISE_REVISION, |q| q.bind(id).bind(revision).bind(position)).await?;
        write.execute(&sql::SOFT_DELETE, |q| q.bind(id).bind(versions).bind(revision)).await?;
    }
    write.commit().await?;
    Ok(Deleted::Done(Revision(revision)))
}

/// [`RegistryStore::write_settings`].
pub(super) async fn write_settings(
    writer: SqlitePool,
    scope: Scope,
    settings: SettingsWrite,
    on: Preconditions,
) -> StoreResult<Revision> {
    let mut write = Write::begin(&writer).await?;
    let position = write.position;
    if let (Scope::Subject(subject), Some(expected)) = (&scope, on.subject_revision) {
        let (context, name) = (subject.context().as_str(), subject.name());
        let found: Option<(i64,)> = write.row(&sql::SUBJECT_REVISION, |q| q.bind(context).bind(name)).await?;
        if found.map_or(0, |(revision,)| revision) != expected.0 {
            return Err(StoreError::Conflict);
        }
    }
    write.check(&on).await?;
    let config = match &settings.config {
        Some(Some(config)) => Some(row::to_json(&sql::PUT_SETTINGS, config)?),
        _ => None,
    };
    let mode = settings.mode.flatten().map(|mode| mode.wire());
    let (kind, context, name) = row::scope_columns(&scope);
    let (revision,) = write
        .one(&sql::PUT_SETTINGS, |q| {
            q.bind(kind)
                .bind(context)
                .bind(name)
                .bind(settings.config.is_some())
                .bind(config)
                .bind(settings.mode.is_some())
                .bind(mode)
                .bind(position)
        })
        .await?;
    write.commit().await?;
    Ok(Revision(revision))
}

/// [`RegistryStore::delete_modes`].
pub(super) async fn delete_modes(writer: SqlitePool, context: ContextName) -> StoreResult<()> {
    let mut write = Write::begin(&writer).await?;
    let position = write.position;
    write.execute(&sql::DELETE_MODES, |q| q.bind(position).bind(context.as_str())).await?;
    write.commit().await
}

/// [`RegistryStore::delete_context`].
pub(super) async fn delete_context(writer: SqlitePool, context: ContextName) -> StoreResult<bool> {
    let mut write = Write::begin(&writer).await?;
    let position = write.position;
    let used: Option<(i32,)> = write.row(&sql::CONTEXT_IN_USE, |q| q.bind(context.as_str())).await?;
    if used.is_some() {
        return Ok(false);
    }
    write.execute(&sql::UNLIST_CONTEXT, |q| q.bind(context.as_str()).bind(position)).await?;
    write.commit().await?;
    Ok(true)
}
