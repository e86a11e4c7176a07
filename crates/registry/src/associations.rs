//! Associations: which subject holds the schemas of a resource's keys and values, and whose life it shares.
//!
//! A *weak* association names a subject that lives on its own. A *strong* one owns its subject: nothing else may be
//! associated with it or refer to it, and the subject goes when the association is deleted with its life cycle. Strong
//! and frozen are one thing. Nothing here is cached: reads are one query each.
//!
//! `shape.rs` judges a request by itself, `put.rs` and `remove.rs` decide on the store's state, `batch.rs` runs many.
//!
//! Source: schema-registry `AssociationsResource`, `AssociationCreateOrUpdateRequest`, 8.5; schema-registry.md §1.11.

mod batch;
mod put;
mod remove;
mod shape;

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use sluice_schema::Guid;

use crate::load::{Freshness, InScope};
use crate::store::AssociationsOf;
use crate::*;

pub use batch::{AssociationLookup, AssociationOp, AssociationOpRequest};
pub use put::{AnsweredAssociation, AssociationAnswer};
pub use remove::Cascade;
pub use shape::{AssociationInfo, AssociationRequest, Put};

/// The only type of resource there is.
pub const TOPIC: &str = "topic";

/// Decisions of one write, at most. Losing a race costs one.
const ATTEMPTS: usize = 24;

/// Whose life an association's subject shares.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lifecycle {
    /// The resource's.
    Strong,
    /// Its own.
    Weak,
}

impl Lifecycle {
    /// `STRONG` or `WEAK`.
    pub fn wire(self) -> &'static str {
        match self {
            Lifecycle::Strong => "STRONG",
            Lifecycle::Weak => "WEAK",
        }
    }

    /// The life cycle of this very name.
    pub fn from_wire(name: &str) -> Option<Lifecycle> {
        [Lifecycle::Strong, Lifecycle::Weak].into_iter().find(|lifecycle| lifecycle.wire() == name)
    }
}

/// Which part of a resource's records an association is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AssociationType {
    /// Their keys.
    Key,
    /// Their values.
    Value,
}

impl AssociationType {
    /// `key` or `value`.
    pub fn wire(self) -> &'static str {
        match self {
            AssociationType::Key => "key",
            AssociationType::Value => "value",
        }
    }

    /// The type of this very name.
    pub fn from_wire(name: &str) -> Option<AssociationType> {
        [AssociationType::Key, AssociationType::Value].into_iter().find(|known| known.wire() == name)
    }
}

/// What is associated.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AssociatedResource {
    /// A topic's name.
    pub name: Arc<str>,
    /// Where the name is unique: a Kafka cluster's id.
    pub namespace: Arc<str>,
    /// [`TOPIC`].
    pub resource_type: Arc<str>,
    /// Never the same twice, unlike the name.
    pub id: Arc<str>,
}

/// A subject of a resource.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Association {
    /// The subject.
    pub subject: SubjectName,
    /// Random; names this association for good.
    pub guid: Guid,
    /// Of this resource.
    pub resource: AssociatedResource,
    /// Of this part of its records.
    pub association_type: AssociationType,
    /// Strong or weak.
    pub lifecycle: Lifecycle,
    /// Milliseconds since 1970.
    pub create_ts: i64,
    /// Milliseconds since 1970.
    pub update_ts: i64,
}

impl Association {
    /// Whether it can no longer be changed, and goes only together with its subject.
    pub fn is_frozen(&self) -> bool {
        self.lifecycle == Lifecycle::Strong
    }

    /// Order of lists: by resource, then type, then subject.
    pub fn order(&self, other: &Association) -> std::cmp::Ordering {
        let key = |a: &Association| (a.resource.clone(), a.association_type);
        key(self).cmp(&key(other)).then_with(|| self.subject.cmp(&other.subject))
    }
}

/// Which associations a list shows; empty parts show all.
#[derive(Debug, Clone, Default)]
pub struct AssociationFilter {
    /// `resourceType`; `None` or empty is [`TOPIC`].
    pub resource_type: Option<String>,
    /// `associationType`, as given: unknown ones match nothing.
    pub types: Vec<String>,
    /// `lifecycle`
    pub lifecycle: Option<Lifecycle>,
}

impl AssociationFilter {
    pub(crate) fn shows(&self, association: &Association) -> bool {
        let resource_type = self.resource_type.as_deref().filter(|word| !word.is_empty()).unwrap_or(TOPIC);
        *association.resource.resource_type == *resource_type
            && (self.types.is_empty() || self.types.iter().any(|word| word == association.association_type.wire()))
            && self.lifecycle.is_none_or(|lifecycle| lifecycle == association.lifecycle)
    }
}

impl Registry {
    /// Associations of a subject, a resource's id, or its name: those that the filter shows, by resource and type.
    /// Nothing known is an empty list.
    pub async fn associations(
        &self,
        caller: &Caller,
        of: &AssociationsOf,
        filter: &AssociationFilter,
        page: Page,
    ) -> Result<Vec<Association>, Error> {
        let mut found = self.inner.store.associations(of).await?;
        found.retain(|association| {
            filter.shows(association) && caller.may(Action::Read, &Resource::Subject(&association.subject))
        });
        Ok(page.of(found))
    }

    /// The associations of a resource, all types.
    async fn of_resource(&self, resource_type: &str, id: &str) -> Result<Vec<Association>, Error> {
        let mut found = self.inner.store.associations(&AssociationsOf::ResourceId(id.to_owned())).await?;
        found.retain(|association| *association.resource.resource_type == *resource_type);
        Ok(found)
    }

    /// 42205 if a subject has a strong association: it belongs to its resource alone.
    pub(crate) async fn refuse_strong(&self, subject: &SubjectName) -> Result<(), Error> {
        let associations = self.inner.store.associations(&AssociationsOf::Subject(subject.clone())).await?;
        match associations.iter().any(Association::is_frozen) {
            true => Err(Error::OperationNotPermitted(format!(
                "Subject '{subject}' has a strong association and cannot be referenced"
            ))),
            false => Ok(()),
        }
    }

    /// The settings of a subject whose associations are about to be written; 42205 in a read-only mode.
    async fn writable(&self, subject: &SubjectName) -> Result<InScope, Error> {
        let scope = self.in_scope(subject, Freshness::Fresh).await?;
        match scope.mode {
            Mode::ReadOnly | Mode::ReadOnlyOverride => Err(register::in_mode(subject, "is in read-only mode")),
            Mode::ReadWrite | Mode::Import | Mode::Forward => Ok(scope),
        }
    }

    /// 42206 if another subject refers to a version of this one, soft-deleted ones too.
    async fn refuse_referenced(&self, subject: &load::Subject) -> Result<(), Error> {
        for row in &subject.state.versions {
            let referrers = self.inner.store.referrers(&subject.name, row.version).await?;
            if referrers.iter().any(|referrer| referrer.subject != subject.name) {
                return Err(Error::ReferenceExists { subject: subject.name.clone(), version: row.version });
            }
        }
        Ok(())
    }
}

/// A random UUID (version 4). The hasher's keys are random per process and differ per call.
fn random_guid() -> Guid {
    let half = || RandomState::new().hash_one(std::process::id()).to_be_bytes();
    let mut bytes = [0; 16];
    bytes[..8].copy_from_slice(&half());
    bytes[8..].copy_from_slice(&half());
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    Guid(bytes)
}

#[cfg(test)]
mod tests;
