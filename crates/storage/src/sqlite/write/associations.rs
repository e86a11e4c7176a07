//! Associations on SQLite: the steps of `sluice_write_associations`.

use std::collections::HashSet;

use sluice_registry::store::*;
use sqlx::sqlite::SqlitePool;

use super::Write;
use crate::row;
use crate::sql;

/// [`RegistryStore::write_associations`].
pub(in crate::sqlite) async fn write_associations(writer: SqlitePool, change: AssociationWrite) -> StoreResult<()> {
    let mut write = Write::begin(&writer).await?;
    let AssociationWrite { resource_type, resource_id, had, add, remove, subjects, cascade, settings } = change;
    write.check(&Preconditions { settings, ..Preconditions::default() }).await?;
    let has: Vec<(Vec<u8>,)> =
        write.rows(&sql::RESOURCE_GUIDS, |q| q.bind(&*resource_id).bind(&*resource_type)).await?;
    let has: HashSet<&[u8]> = has.iter().map(|(guid,)| &guid[..]).collect();
    if has != had.iter().map(|guid| &guid.0[..]).collect() {
        return Err(StoreError::Conflict);
    }
    for guid in &remove {
        write.execute(&sql::REMOVE_ASSOCIATION, |q| q.bind(&guid.0[..])).await?;
    }
    for (subject, expected) in &subjects {
        let context = write.context(subject.context()).await?.ok_or(StoreError::Conflict)?;
        let found = write.subject(context, subject, Some(*expected)).await?;
        let (id, revision) = found.filter(|(_, revision)| *revision != 0).ok_or(StoreError::Conflict)?;
        let (revision, goes) = (revision + 1, cascade.contains(subject));
        let gains_strong = add.iter().any(|new| new.subject == *subject && new.is_frozen());
        let referenced: Option<(i32,)> = write.row(&sql::REFERENCED_BY_OTHERS, |q| q.bind(id)).await?;
        if referenced.is_some() && (goes || gains_strong) {
            return Err(StoreError::Conflict);
        }
        for new in add.iter().filter(|new| new.subject == *subject) {
            let (resource, association_type) = (&new.resource, new.association_type.wire());
            let taken: Option<(i32,)> = write
                .row(&sql::SAME_NAME, |q| {
                    q.bind(&*resource.name)
                        .bind(&*resource.namespace)
                        .bind(&*resource.resource_type)
                        .bind(association_type)
                })
                .await?;
            if taken.is_some() {
                return Err(StoreError::Conflict);
            }
            write
                .execute(&sql::ADD_ASSOCIATION, |q| {
                    q.bind(&new.guid.0[..])
                        .bind(id)
                        .bind(&*resource.resource_type)
                        .bind(&*resource.id)
                        .bind(&*resource.namespace)
                        .bind(&*resource.name)
                        .bind(association_type)
                        .bind(new.lifecycle.wire())
                        .bind(new.create_ts)
                        .bind(new.update_ts)
                })
                .await?;
        }
        if goes {
            let versions: Vec<row::SubjectRow> =
                write.rows(&sql::SUBJECT_STATE, |q| q.bind(subject.context().as_str()).bind(subject.name())).await?;
            let versions: Vec<i32> = versions.into_iter().filter_map(|(_, version, ..)| version).collect();
            let versions = row::to_json(&sql::REMOVE_VERSIONS, &versions)?;
            write.remove_versions(subject, (context, id, revision), versions).await?;
        } else {
            let position = write.position;
            write.execute(&sql::RAISE_REVISION, |q| q.bind(id).bind(revision).bind(position)).await?;
        }
    }
    write.commit().await
}
