//! Deletes: soft first, permanent second.
//!
//! Decided on the store's state, never on a cached one, and decided again when someone wrote meanwhile. The store itself
//! refuses what others refer to.
//!
//! Source: schema-registry `SubjectsResource#deleteSubject`, `SubjectVersionsResource#deleteSchemaVersion`, 8.2.0;
//! schema-registry.md §2.5.

use sluice_schema::Version;

use crate::load::{Freshness, Subject};
use crate::register::in_mode;
use crate::store::{AssociationsOf, Delete, Deleted, Preconditions, StoreError};
use crate::*;

/// Decisions of one delete, at most.
const ATTEMPTS: usize = 24;

/// What a delete is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Subject,
    Version,
}

impl Registry {
    /// `DELETE /subjects/{s}`: the versions removed.
    pub async fn delete_subject(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        permanence: Permanence,
    ) -> Result<Vec<Version>, Error> {
        let is_known = subject.name().is_empty() && self.is_known(subject, Include::Deleted).await?;
        let is_live = is_known && self.is_known(subject, Include::Live).await?;
        self.delete(caller, subject, permanence, Extent::Subject, |current| {
            let all: Vec<Version> = current.state.versions.iter().map(|row| row.version).collect();
            let live: Vec<Version> = current.live().map(|row| row.version).collect();
            match permanence {
                // A context's name alone stands for the subjects there, which stay.
                Permanence::Permanent if all.is_empty() && is_known => Ok((all, None)),
                Permanence::Soft if live.is_empty() && is_live => Ok((live, None)),
                _ if all.is_empty() && !is_known => Err(Error::SubjectNotFound(subject.clone())),
                Permanence::Soft if live.is_empty() => Err(Error::SubjectSoftDeleted(subject.clone())),
                Permanence::Soft => Ok((live, None)),
                Permanence::Permanent => match live.first() {
                    None => Ok((all, None)),
                    // The oldest of them is reason enough; references to younger versions are not looked at.
                    Some(first) => {
                        let up_to_it = all.into_iter().take_while(|version| version <= first).collect();
                        Ok((up_to_it, Some(Error::SubjectNotSoftDeleted(subject.clone()))))
                    }
                },
            }
        })
        .await
    }

    /// `DELETE /subjects/{s}/versions/{v}`
    pub async fn delete_version(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        version: VersionSpec,
        permanence: Permanence,
    ) -> Result<Version, Error> {
        let number = if let VersionSpec::Number(number) = version { number } else { -1 };
        let missing = || Error::VersionNotFound { subject: subject.clone(), version: number };
        let is_known = subject.name().is_empty() && self.is_known(subject, Include::Deleted).await?;
        let deleted = self
            .delete(caller, subject, permanence, Extent::Version, |current| {
                let row = match version {
                    _ if current.state.versions.is_empty() && !is_known => {
                        return Err(Error::SubjectNotFound(subject.clone()));
                    }
                    VersionSpec::Latest => current.latest(),
                    VersionSpec::Number(number) => current.version(Version(number)),
                };
                let row = row.ok_or_else(missing)?;
                let (subject, version) = (subject.clone(), row.version);
                match (permanence, row.deleted) {
                    (Permanence::Soft, true) => Err(Error::VersionSoftDeleted { subject, version }),
                    (Permanence::Permanent, false) => {
                        Ok((vec![version], Some(Error::VersionNotSoftDeleted { subject, version })))
                    }
                    (Permanence::Soft, false) | (Permanence::Permanent, true) => Ok((vec![version], None)),
                }
            })
            .await?;
        deleted.first().copied().ok_or_else(missing)
    }

    /// Deletes what `decide` chooses. Along with the versions it may give a refusal that counts only after the mode and
    /// the references were looked at.
    async fn delete(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        permanence: Permanence,
        extent: Extent,
        decide: impl Fn(&Subject) -> Result<(Vec<Version>, Option<Error>), Error>,
    ) -> Result<Vec<Version>, Error> {
        caller.check(Action::Delete, &Resource::Subject(subject))?;
        for _ in 0..ATTEMPTS {
            let scope = self.in_scope(subject, Freshness::Fresh).await?;
            let current = self.load_subject(subject, Freshness::Fresh).await?;
            let (versions, refusal) = decide(&current)?;
            if matches!(scope.mode, Mode::ReadOnly | Mode::ReadOnlyOverride) {
                return Err(in_mode(subject, "is in read-only mode"));
            }
            self.refuse_associated(&current, permanence, extent, &versions).await?;
            if let Some(refusal) = refusal {
                return Err(self.referenced_first(subject, &versions, extent, refusal).await?);
            }
            if versions.is_empty() {
                return Ok(versions);
            }
            let delete = match permanence {
                Permanence::Soft => Delete::Soft(versions.clone()),
                Permanence::Permanent => Delete::Permanent(versions.clone()),
            };
            let on = Preconditions {
                subject_revision: Some(current.state.revision),
                settings: scope.consulted,
                references: Vec::new(),
            };
            let result = self.inner.store.delete_versions(subject, delete, on).await;
            self.inner.caches.forget_subject(subject);
            match result {
                Ok(Deleted::Done(_)) => {
                    let (counts, number) = (&self.inner.counts, versions.len() as u64);
                    match permanence {
                        Permanence::Soft => counts.soft_deleted.add(number),
                        Permanence::Permanent => {
                            counts.permanently_deleted.add(number);
                            if versions.len() == current.state.versions.len() {
                                // Config and mode went with the last version.
                                self.inner.caches.forget_settings(&Scope::Subject(subject.clone()));
                            }
                        }
                    }
                    return Ok(versions);
                }
                Ok(Deleted::Referenced(version)) => {
                    return Err(Error::ReferenceExists { subject: subject.clone(), version });
                }
                Err(StoreError::Conflict) => self.inner.counts.conflicts.add(1),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contention(subject.clone()))
    }

    /// An associated subject stays, and keeps a live version. What is read here holds as long as the subject's revision:
    /// whoever associates it raises that.
    async fn refuse_associated(
        &self,
        current: &Subject,
        permanence: Permanence,
        extent: Extent,
        versions: &[Version],
    ) -> Result<(), Error> {
        let subject = &current.name;
        let leaves_none = || current.live().all(|row| versions.contains(&row.version));
        let refusal = match (extent, permanence) {
            (Extent::Subject, _) => Error::AssociationForSubject(subject.clone()),
            (Extent::Version, Permanence::Soft) if leaves_none() => Error::NoActiveVersion(subject.clone()),
            (Extent::Version, _) => return Ok(()),
        };
        match self.inner.store.associations(&AssociationsOf::Subject(subject.clone())).await?.is_empty() {
            true => Ok(()),
            false => Err(refusal),
        }
    }

    /// `refusal`, unless one of the versions is referenced: of a subject that goes as a whole, from another one.
    async fn referenced_first(
        &self,
        subject: &SubjectName,
        versions: &[Version],
        extent: Extent,
        refusal: Error,
    ) -> Result<Error, Error> {
        for version in versions {
            let referrers = self.inner.store.referrers(subject, *version).await?;
            if referrers.iter().any(|r| r.subject != *subject || extent == Extent::Version) {
                return Ok(Error::ReferenceExists { subject: subject.clone(), version: *version });
            }
        }
        Ok(refusal)
    }
}

#[cfg(test)]
mod tests;
