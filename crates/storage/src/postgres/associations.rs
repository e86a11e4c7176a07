//! Associations on Postgres: the list, and the one function that writes them.

use sluice_registry::Association;
use sluice_registry::store::*;

use super::{Columns, PostgresStore, storable};
use crate::lock::Locks;
use crate::row;
use crate::sql;

impl PostgresStore {
    /// [`RegistryStore::associations`]
    pub(super) async fn associations_of(&self, of: &AssociationsOf) -> StoreResult<Vec<Association>> {
        let (statement, rows) = match of {
            AssociationsOf::Subject(subject) => {
                let (context, name) = (subject.context().as_str(), subject.name());
                if !storable(&[context, name]) {
                    return Ok(Vec::new());
                }
                let statement = &sql::ASSOCIATIONS_OF_SUBJECT;
                (statement, self.rows(statement, |q| q.bind(context).bind(name)).await?)
            }
            AssociationsOf::ResourceId(text) | AssociationsOf::Resource { name: Some(text), .. } => {
                if !storable(&[text]) {
                    return Ok(Vec::new());
                }
                let statement = sql::associations_of_resource(of);
                (statement, self.rows(statement, |q| q.bind(text)).await?)
            }
            AssociationsOf::Resource { name: None, .. } => {
                (&sql::ASSOCIATIONS, self.listed(&sql::ASSOCIATIONS, &Contexts::All, "").await?)
            }
            AssociationsOf::Subjects(contexts, prefix) => {
                let statement = sql::associations(contexts);
                (statement, self.listed(statement, contexts, prefix).await?)
            }
        };
        row::associations(statement, of, rows)
    }

    /// [`RegistryStore::write_associations`]
    pub(super) async fn put_associations(&self, write: AssociationWrite) -> StoreResult<()> {
        let statement = &sql::WRITE_ASSOCIATIONS;
        let locks = Locks::of_associations(&write);
        let AssociationWrite { resource_type, resource_id, had, add, remove, subjects, cascade, settings } = write;
        let on = Columns::of(&Preconditions { settings, ..Preconditions::default() });
        let bytes = |guids: Vec<sluice_schema::Guid>| guids.into_iter().map(|guid| guid.0.to_vec()).collect::<Vec<_>>();
        let of = |pick: fn(&Association) -> &str| add.iter().map(|new| pick(new).to_owned()).collect::<Vec<_>>();
        let (outcome,): (String,) = self
            .write(statement, |q| {
                q.bind(locks.keys)
                    .bind(locks.exclusive)
                    .bind(on.set_kinds)
                    .bind(on.set_contexts)
                    .bind(on.set_names)
                    .bind(on.set_revisions)
                    .bind(resource_type.to_string())
                    .bind(resource_id.to_string())
                    .bind(bytes(had))
                    .bind(bytes(remove))
                    .bind(subjects.iter().map(|(s, _)| s.context().as_str().to_owned()).collect::<Vec<_>>())
                    .bind(subjects.iter().map(|(s, _)| s.name().to_owned()).collect::<Vec<_>>())
                    .bind(subjects.iter().map(|(_, revision)| revision.0).collect::<Vec<_>>())
                    .bind(subjects.iter().map(|(s, _)| cascade.contains(s)).collect::<Vec<_>>())
                    .bind(bytes(add.iter().map(|new| new.guid).collect()))
                    .bind(of(|new| new.subject.context().as_str()))
                    .bind(of(|new| new.subject.name()))
                    .bind(of(|new| &new.resource.name))
                    .bind(of(|new| &new.resource.namespace))
                    .bind(of(|new| new.association_type.wire()))
                    .bind(of(|new| new.lifecycle.wire()))
                    .bind(add.iter().map(|new| new.create_ts).collect::<Vec<_>>())
            })
            .await?;
        match &*outcome {
            "done" => Ok(()),
            "conflict" => Err(StoreError::Conflict),
            other => Err(row::inconsistent(statement, format!("answered {other:?}"))),
        }
    }
}
