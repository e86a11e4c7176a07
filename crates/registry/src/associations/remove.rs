//! `DELETE /associations/resources/{id}`: strong associations only together with their subjects.
//!
//! One transaction takes the associations and, if the life cycle is to be followed, every version of the strong ones'
//! subjects for good. The store refuses it when someone wrote to a subject or to the resource meanwhile; then all is
//! looked at again.

use super::*;
use crate::store::{AssociationWrite, StoreError};

/// Whether subjects of strong associations go too. Without it strong associations stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cascade {
    /// They go.
    Yes,
    /// Only weak associations can be deleted.
    No,
}

impl Registry {
    /// Deletes associations of a resource: those of the named types, or all. Errors: 40410, 40908, 42205, 42206.
    pub async fn delete_associations(
        &self,
        caller: &Caller,
        resource_id: &str,
        filter: &AssociationFilter,
        cascade: Cascade,
        dry_run: bool,
    ) -> Result<(), Error> {
        match self.remove_associations(caller, resource_id, filter, cascade, dry_run).await? {
            0 => Err(Error::AssociationNotFound(resource_id.to_owned())),
            _ => Ok(()),
        }
    }

    /// The same; how many there were.
    pub(super) async fn remove_associations(
        &self,
        caller: &Caller,
        resource_id: &str,
        filter: &AssociationFilter,
        cascade: Cascade,
        dry_run: bool,
    ) -> Result<usize, Error> {
        let resource_type = filter.resource_type.as_deref().filter(|word| !word.is_empty()).unwrap_or(TOPIC);
        for _ in 0..ATTEMPTS {
            let had = self.of_resource(resource_type, resource_id).await?;
            let leaving: Vec<&Association> = had.iter().filter(|known| filter.shows(known)).collect();
            let mut write = AssociationWrite {
                resource_type: resource_type.into(),
                resource_id: resource_id.into(),
                had: had.iter().map(|known| known.guid).collect(),
                remove: leaving.iter().map(|known| known.guid).collect(),
                ..AssociationWrite::default()
            };
            for association in &leaving {
                let subject = &association.subject;
                caller.check(Action::Delete, &Resource::Subject(subject))?;
                if association.is_frozen() && cascade == Cascade::No {
                    let association_type = association.association_type;
                    return Err(Error::AssociationFrozen { association_type, subject: subject.clone() });
                }
            }
            for association in &leaving {
                write.settings.extend(self.writable(&association.subject).await?.consulted);
                if write.subjects.iter().any(|(subject, _)| *subject == association.subject) {
                    continue;
                }
                let subject = self.load_subject(&association.subject, Freshness::Fresh).await?;
                write.subjects.push((subject.name.clone(), subject.state.revision));
                if association.is_frozen() {
                    self.refuse_referenced(&subject).await?;
                    write.cascade.push(subject.name.clone());
                }
            }
            if dry_run || leaving.is_empty() {
                return Ok(leaving.len());
            }
            let subjects: Vec<SubjectName> = write.subjects.iter().map(|(subject, _)| subject.clone()).collect();
            let cascade = write.cascade.clone();
            let written = self.inner.store.write_associations(write).await;
            subjects.iter().for_each(|subject| self.inner.caches.forget_subject(subject));
            match written {
                Ok(()) => {
                    // Config and mode went with the last version.
                    cascade.into_iter().for_each(|name| self.inner.caches.forget_settings(&Scope::Subject(name)));
                    return Ok(leaving.len());
                }
                Err(StoreError::Conflict) => self.inner.counts.conflicts.add(1),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::AssociationContention(resource_id.to_owned()))
    }
}
