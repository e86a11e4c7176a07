//! Associations in the in-memory store.

use std::collections::HashSet;

use sluice_schema::Guid;

use super::state::{State, is_listed};
use crate::store::*;
use crate::{Association, SubjectName};

impl State {
    pub(super) fn associations(&self, of: &AssociationsOf) -> Vec<Association> {
        let is = |wanted: &Option<String>, text: &str| wanted.as_deref().is_none_or(|wanted| wanted == text);
        let mut found: Vec<Association> = self
            .associations
            .iter()
            .filter(|known| match of {
                AssociationsOf::Subject(subject) => known.subject == *subject,
                AssociationsOf::ResourceId(id) => *known.resource.id == **id,
                AssociationsOf::Resource { namespace, name } => {
                    is(namespace, &known.resource.namespace) && is(name, &known.resource.name)
                }
                AssociationsOf::Subjects(contexts, prefix) => is_listed(&known.subject, contexts, prefix),
            })
            .cloned()
            .collect();
        found.sort_by(Association::order);
        found
    }

    pub(super) fn has_strong_association(&self, subject: &SubjectName) -> bool {
        self.associations.iter().any(|known| known.subject == *subject && known.is_frozen())
    }

    pub(super) fn write_associations(&mut self, write: AssociationWrite) -> StoreResult<()> {
        let guids = |known: &Association| {
            let resource = &known.resource;
            (resource.resource_type == write.resource_type && resource.id == write.resource_id).then_some(known.guid)
        };
        let has: HashSet<Guid> = self.associations.iter().filter_map(guids).collect();
        let had: HashSet<Guid> = write.had.iter().copied().collect();
        let revisions_hold =
            write.subjects.iter().all(|(subject, revision)| revision.0 != 0 && self.revision(subject) == *revision);
        let on = Preconditions { settings: write.settings, ..Preconditions::default() };
        self.check_others(&on)?;
        let leaves = |known: &Association| write.remove.contains(&known.guid);
        let is_taken = |new: &Association| {
            let same = |known: &Association| {
                let (a, b) = (&known.resource, &new.resource);
                known.association_type == new.association_type
                    && (&a.name, &a.namespace, &a.resource_type) == (&b.name, &b.namespace, &b.resource_type)
            };
            self.associations.iter().any(|known| same(known) && !leaves(known))
        };
        let is_referenced = |subject: &SubjectName| self.references(subject).any(|(referrer, ..)| referrer != subject);
        let strong = write.add.iter().filter(|new| new.is_frozen()).map(|new| &new.subject);
        if has != had
            || !revisions_hold
            || write.add.iter().any(is_taken)
            || strong.chain(&write.cascade).any(is_referenced)
        {
            return Err(StoreError::Conflict);
        }
        self.associations.retain(|known| !write.remove.contains(&known.guid));
        self.associations.extend(write.add);
        for (subject, _) in &write.subjects {
            if write.cascade.contains(subject) {
                let versions = self.subject(subject).versions.iter().map(|row| row.version).collect();
                self.delete(subject, &Delete::Permanent(versions));
            } else {
                self.touch(subject);
            }
        }
        Ok(())
    }
}
