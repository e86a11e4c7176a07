//! `POST /associations`, `PUT /associations/resources/{id}`: what is asked for, against what is there.
//!
//! Decided on the store's state, the schemas registered, and decided again before the associations are written: in one
//! transaction, on the revisions of their subjects. A schema that was registered stays when its association then loses a
//! race, as in the reference, which writes both under a lock but not as one. With several schemas, all are checked before
//! the first one is registered.

use std::collections::BTreeMap;

use sluice_schema::Format;

use super::shape::{Shape, Wanted, check_frozen, invalid, not_own};
use super::*;
use crate::lookup::Normalizing;
use crate::store::{AssociationWrite, Revision, StoreError};

/// What was put: only what changed is listed.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)] // the fields of [`AssociatedResource`]
pub struct AssociationAnswer {
    pub resource_name: Option<Arc<str>>,
    pub resource_namespace: Option<Arc<str>>,
    pub resource_id: Option<Arc<str>>,
    pub resource_type: Option<Arc<str>>,
    /// By type.
    pub associations: Vec<AnsweredAssociation>,
}

/// An association in an answer.
#[derive(Debug, Clone)]
pub struct AnsweredAssociation {
    /// The subject.
    pub subject: SubjectName,
    /// Key or value.
    pub association_type: AssociationType,
    /// Strong or weak.
    pub lifecycle: Lifecycle,
    /// The schema registered with it, or asked for along with it.
    pub schema: Option<SchemaEntity>,
}

impl AssociationAnswer {
    /// The answer that shows these associations of a resource.
    pub(super) fn of(resource: &AssociatedResource, associations: Vec<AnsweredAssociation>) -> AssociationAnswer {
        AssociationAnswer {
            resource_name: Some(resource.name.clone()),
            resource_namespace: Some(resource.namespace.clone()),
            resource_id: Some(resource.id.clone()).filter(|id| !id.is_empty()),
            resource_type: Some(resource.resource_type.clone()),
            associations,
        }
    }
}

/// What an association that is wanted comes to.
struct Planned<'a> {
    wanted: &'a Wanted,
    subject: SubjectName,
    lifecycle: Lifecycle,
    /// There already: at most its schema is registered.
    is_known: bool,
}

impl Registry {
    /// Puts associations of one resource. `context` is that of subjects that name none. A dry run checks and writes
    /// nothing. Errors: 40901, 40903 to 40905, 40907, 40908, 42205, 42206, 42212, and those of a registration.
    pub async fn put_associations(
        &self,
        caller: &Caller,
        context: &ContextName,
        request: AssociationRequest,
        put: Put,
        dry_run: bool,
    ) -> Result<AssociationAnswer, Error> {
        let shape = request.shape(put, !dry_run)?;
        let mut registered: BTreeMap<AssociationType, SchemaEntity> = BTreeMap::new();
        for _ in 0..ATTEMPTS {
            let (plans, write) = self.plan(caller, context, &shape, put).await?;
            let schemas: Vec<(&Planned<'_>, &SchemaRequest)> = plans
                .iter()
                .filter(|plan| !registered.contains_key(&plan.wanted.association_type))
                .filter_map(|plan| Some((plan, plan.wanted.schema.as_ref()?)))
                .collect();
            if dry_run || schemas.len() > 1 {
                for (plan, schema) in &schemas {
                    self.would_register(caller, &plan.subject, schema).await?;
                }
            }
            if dry_run {
                return Ok(AssociationAnswer::of(&shape.resource, Vec::new()));
            }
            if !schemas.is_empty() {
                for (plan, schema) in schemas {
                    let normalize = if plan.wanted.normalize { Normalize::Yes } else { Normalize::No };
                    let options = RegisterOptions { normalize, force: false, format: Format::Canonical };
                    let entity = self.register(caller, &plan.subject, schema.clone(), options).await?;
                    registered.insert(plan.wanted.association_type, entity);
                }
                // What the plan rested on has moved, by this very registration at least.
                continue;
            }
            let subjects: Vec<SubjectName> = write.subjects.iter().map(|(subject, _)| subject.clone()).collect();
            let written = if write.add.is_empty() { Ok(()) } else { self.inner.store.write_associations(write).await };
            subjects.iter().for_each(|subject| self.inner.caches.forget_subject(subject));
            match written {
                Ok(()) => {
                    let added = plans.iter().filter(|plan| !plan.is_known).map(|plan| AnsweredAssociation {
                        subject: plan.subject.clone(),
                        association_type: plan.wanted.association_type,
                        lifecycle: plan.lifecycle,
                        schema: registered.get(&plan.wanted.association_type).cloned(),
                    });
                    return Ok(AssociationAnswer::of(&shape.resource, added.collect()));
                }
                Err(StoreError::Conflict) => self.inner.counts.conflicts.add(1),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::AssociationContention(shape.resource.name.to_string()))
    }

    /// What to write, on the store's state as it is now; or why not.
    async fn plan<'a>(
        &self,
        caller: &Caller,
        context: &ContextName,
        shape: &'a Shape,
        put: Put,
    ) -> Result<(Vec<Planned<'a>>, AssociationWrite), Error> {
        let AssociatedResource { name, namespace, resource_type, id } = &shape.resource;
        let of_name = AssociationsOf::Resource { namespace: Some(namespace.to_string()), name: Some(name.to_string()) };
        let mut of_name = self.inner.store.associations(&of_name).await?;
        of_name.retain(|known| known.resource.resource_type == *resource_type);
        let had = if shape.has_id { self.of_resource(resource_type, id).await? } else { of_name.clone() };
        let mut write = AssociationWrite {
            resource_type: resource_type.clone(),
            resource_id: id.clone(),
            had: had.iter().map(|known| known.guid).collect(),
            ..AssociationWrite::default()
        };
        let mut plans = Vec::with_capacity(shape.wanted.len());
        for wanted in &shape.wanted {
            let known = had.iter().find(|known| known.association_type == wanted.association_type);
            let plan = merged(wanted, known, put, context)?;
            caller.check(Action::Write, &Resource::Subject(&plan.subject))?;
            if !plan.subject.is_valid() {
                return Err(Error::InvalidSubject(plan.subject.qualified()));
            }
            plans.push(plan);
        }
        let mut is_importing = Vec::with_capacity(plans.len());
        for plan in &plans {
            let scope = self.writable(&plan.subject).await?;
            is_importing.push(matches!(scope.mode, Mode::Import | Mode::Forward));
            write.settings.extend(scope.consulted);
        }
        for (plan, is_importing) in plans.iter().zip(is_importing) {
            let known = had.iter().find(|known| known.association_type == plan.wanted.association_type);
            match known {
                Some(known) => self.check_known(caller, plan, known, put, name).await?,
                None => {
                    let is_taken = |other: &Association| other.association_type == plan.wanted.association_type;
                    if of_name.iter().any(is_taken) {
                        return Err(exists(plan, name));
                    }
                    check_new(plan, put, is_importing)?;
                }
            }
        }
        let lifecycles = had.iter().map(|known| known.lifecycle).chain(plans.iter().map(|plan| plan.lifecycle));
        let strong = lifecycles.clone().filter(|lifecycle| *lifecycle == Lifecycle::Strong).count();
        if strong != 0 && strong != lifecycles.count() {
            let detail = "all associations for a resource must be consistently frozen or non-frozen";
            return Err(invalid("frozen", detail));
        }
        for plan in plans.iter().filter(|plan| !plan.is_known) {
            let revision = self.check_subject(plan).await?;
            let now = (self.inner.config.clock)();
            if !write.subjects.iter().any(|(subject, _)| *subject == plan.subject) {
                write.subjects.push((plan.subject.clone(), revision));
            }
            write.add.push(Association {
                subject: plan.subject.clone(),
                guid: random_guid(),
                resource: shape.resource.clone(),
                association_type: plan.wanted.association_type,
                lifecycle: plan.lifecycle,
                create_ts: now,
                update_ts: now,
            });
        }
        Ok((plans, write))
    }

    /// Whether what is there allows what is wanted: the same again, or a schema for a strong one.
    async fn check_known(
        &self,
        caller: &Caller,
        plan: &Planned<'_>,
        known: &Association,
        put: Put,
        resource: &str,
    ) -> Result<(), Error> {
        let is_same = known.subject == plan.subject && known.lifecycle == plan.lifecycle;
        match put {
            Put::Create if !is_same => Err(exists(plan, resource)),
            Put::Create => match &plan.wanted.schema {
                Some(schema) if !self.holds(caller, &plan.subject, schema, plan.wanted.normalize).await? => {
                    Err(exists(plan, resource))
                }
                _ => Ok(()),
            },
            Put::Upsert if known.subject != plan.subject => {
                let (from, to) = (&known.subject, &plan.subject);
                Err(invalid("subject", format!("subject of association cannot be changed from '{from}' to '{to}'")))
            }
            Put::Upsert if known.lifecycle != plan.lifecycle => Err(Error::AssociationFrozen {
                association_type: known.association_type,
                subject: plan.subject.clone(),
            }),
            Put::Upsert if plan.wanted.schema.is_some() && plan.lifecycle == Lifecycle::Weak => {
                Err(invalid("lifecycle", "cannot be WEAK when schema is provided"))
            }
            Put::Upsert => Ok(()),
        }
    }

    /// Whether a subject may be associated anew, and its revision.
    async fn check_subject(&self, plan: &Planned<'_>) -> Result<Revision, Error> {
        let subject = self.load_subject(&plan.subject, Freshness::Fresh).await?;
        // After the revision: whoever associates the subject raises it.
        let others = self.inner.store.associations(&AssociationsOf::Subject(plan.subject.clone())).await?;
        match plan.lifecycle {
            Lifecycle::Strong if !others.is_empty() => return Err(Error::AssociationForSubject(plan.subject.clone())),
            Lifecycle::Weak if others.iter().any(Association::is_frozen) => {
                return Err(Error::StrongAssociationForSubject(plan.subject.clone()));
            }
            Lifecycle::Strong => self.refuse_referenced(&subject).await?,
            Lifecycle::Weak => {}
        }
        if plan.wanted.schema.is_none() && subject.latest().is_none() {
            return Err(Error::NoActiveVersion(plan.subject.clone()));
        }
        Ok(subject.state.revision)
    }

    /// Whether a live version of the subject holds this schema.
    async fn holds(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        schema: &SchemaRequest,
        normalize: bool,
    ) -> Result<bool, Error> {
        let asked = if normalize { Normalize::Yes } else { Normalize::No };
        let by = Normalizing { asked, configured: subject };
        match self.look_up_in(caller, subject, schema, by, Include::Live).await {
            Ok(found) => Ok(found.is_some()),
            Err(error @ (Error::Store(_) | Error::Forbidden)) => Err(error),
            // What cannot be read is not there.
            Err(_) => Ok(false),
        }
    }

    /// `Err` if a registration of the schema would be refused.
    async fn would_register(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        schema: &SchemaRequest,
    ) -> Result<(), Error> {
        let by = Normalizing { asked: Normalize::No, configured: subject };
        if self.look_up_in(caller, subject, schema, by, Include::Live).await?.is_some() {
            return Ok(());
        }
        match self.why_not_registered(caller, subject, schema).await? {
            Error::SchemaNotFound(_) => Ok(()),
            refusal => Err(refusal),
        }
    }
}

/// What is wanted, with what it leaves open taken from what is there.
fn merged<'a>(
    wanted: &'a Wanted,
    known: Option<&Association>,
    put: Put,
    context: &ContextName,
) -> Result<Planned<'a>, Error> {
    let is_known = known.is_some();
    let known = known.filter(|_| put == Put::Upsert);
    let named = wanted.subject.as_deref().map(|subject| SubjectName::parse_in(context, subject));
    let (lifecycle, frozen) = match known {
        Some(known) => (wanted.lifecycle.unwrap_or(known.lifecycle), wanted.frozen.unwrap_or(known.is_frozen())),
        None => {
            let strong = wanted.schema.is_some() || wanted.frozen == Some(true);
            let lifecycle = wanted.lifecycle.unwrap_or(if strong { Lifecycle::Strong } else { Lifecycle::Weak });
            (lifecycle, wanted.frozen.unwrap_or(lifecycle == Lifecycle::Strong))
        }
    };
    check_frozen(Some(lifecycle), Some(frozen))?;
    let subject = match (named, known, lifecycle) {
        (Some(named), ..) => named,
        (None, Some(known), _) => known.subject.clone(),
        (None, None, Lifecycle::Strong) => SubjectName::parse(&wanted.own_subject),
        (None, None, Lifecycle::Weak) => return Err(invalid("subject", "must be provided for WEAK associations")),
    };
    Ok(Planned { wanted, subject, lifecycle, is_known })
}

/// Whether an association that is not there may be made.
fn check_new(plan: &Planned<'_>, put: Put, is_importing: bool) -> Result<(), Error> {
    let own = SubjectName::parse(&plan.wanted.own_subject);
    match plan.lifecycle {
        Lifecycle::Weak if plan.subject == own => {
            let detail = format!("WEAK associations cannot use subject '{}'", plan.wanted.own_subject);
            Err(invalid("subject", detail))
        }
        Lifecycle::Weak => Ok(()),
        Lifecycle::Strong if plan.subject != own => Err(not_own(&plan.wanted.own_subject)),
        Lifecycle::Strong if is_importing => Ok(()),
        Lifecycle::Strong if put == Put::Upsert => {
            Err(invalid("lifecycle", "STRONG associations can only be made by a create request"))
        }
        Lifecycle::Strong if plan.wanted.schema.is_none() => {
            Err(invalid("schema", "schema must be provided when creating a frozen association"))
        }
        Lifecycle::Strong => Ok(()),
    }
}

fn exists(plan: &Planned<'_>, resource: &str) -> Error {
    Error::AssociationForResource { association_type: plan.wanted.association_type, resource: resource.to_owned() }
}
