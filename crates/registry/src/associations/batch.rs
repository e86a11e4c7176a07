//! `POST /associations:batchGet`, `POST /associations:batchMutate`: many requests, each with its own outcome.
//!
//! Requests are carried out in order, one after the other. Inside one, neighbouring creations are one request, as are
//! neighbouring upserts; a failure ends the request, and what it did before stays.

use super::put::{AnsweredAssociation, AssociationAnswer};
use super::remove::Cascade;
use super::shape::association_type;
use super::*;

/// One change of a batch.
#[derive(Debug, Clone)]
pub enum AssociationOp {
    /// Put one.
    Put(Put, Box<AssociationInfo>),
    /// Delete one.
    Delete {
        /// `key` or `value`, the default.
        association_type: Option<String>,
        /// Whether its subject goes too.
        cascade: Cascade,
    },
}

/// Changes of one resource.
#[derive(Debug, Clone, Default)]
pub struct AssociationOpRequest {
    /// The resource; its associations are in `ops`.
    pub resource: AssociationRequest,
    /// What to do, in order.
    pub ops: Vec<AssociationOp>,
}

/// What to look up in a batch: by id if there is one, else by name and namespace.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)] // the fields of [`AssociatedResource`]
pub struct AssociationLookup {
    pub resource_name: Option<String>,
    pub resource_namespace: Option<String>,
    pub resource_id: Option<String>,
    /// Which to show.
    pub filter: AssociationFilter,
}

/// Neighbouring changes that are one.
enum Step {
    Put(Put, Vec<AssociationInfo>),
    Delete(AssociationType, Cascade),
}

impl Registry {
    /// The associations that a request of a batch asks for, with the latest schemas of their subjects if wanted.
    pub async fn look_up_associations(
        &self,
        caller: &Caller,
        lookup: AssociationLookup,
        include_schemas: bool,
    ) -> Result<AssociationAnswer, Error> {
        let given = |text: &Option<String>| text.clone().filter(|text| !text.is_empty());
        let of = match given(&lookup.resource_id) {
            Some(id) => AssociationsOf::ResourceId(id),
            None => {
                let name = given(&lookup.resource_name);
                let name = name.ok_or_else(|| shape::invalid("resourceName", "cannot be null or empty"))?;
                let any = |text: &String| text != "-";
                let namespace = given(&lookup.resource_namespace).filter(any);
                AssociationsOf::Resource { namespace, name: Some(name).filter(any) }
            }
        };
        let everything = Page { offset: 0, limit: None };
        let found = self.associations(caller, &of, &lookup.filter, everything).await?;
        let mut answered = Vec::with_capacity(found.len());
        for association in &found {
            let schema = if include_schemas { self.latest_of(&association.subject).await? } else { None };
            answered.push(AnsweredAssociation {
                subject: association.subject.clone(),
                association_type: association.association_type,
                lifecycle: association.lifecycle,
                schema,
            });
        }
        if let Some(association) = found.first() {
            return Ok(AssociationAnswer::of(&association.resource, answered));
        }
        let resource_type = given(&lookup.filter.resource_type).unwrap_or_else(|| TOPIC.to_owned());
        Ok(AssociationAnswer {
            resource_name: lookup.resource_name.map(Arc::from),
            resource_namespace: lookup.resource_namespace.map(Arc::from),
            resource_id: lookup.resource_id.map(Arc::from),
            resource_type: Some(resource_type.into()),
            associations: answered,
        })
    }

    /// Carries out one request of a batch. `context` as in [`Registry::put_associations`].
    pub async fn change_associations(
        &self,
        caller: &Caller,
        context: &ContextName,
        request: AssociationOpRequest,
        dry_run: bool,
    ) -> Result<AssociationAnswer, Error> {
        let resource = request.resource.resource(!dry_run)?;
        let steps = steps(&request.resource, request.ops, !dry_run)?;
        let mut associations = Vec::new();
        for step in steps {
            match step {
                Step::Put(put, infos) => {
                    let one = AssociationRequest { associations: infos, ..request.resource.clone() };
                    associations.extend(self.put_associations(caller, context, one, put, dry_run).await?.associations);
                }
                Step::Delete(association_type, cascade) => {
                    let types = vec![association_type.wire().to_owned()];
                    let filter = AssociationFilter { types, ..AssociationFilter::default() };
                    self.remove_associations(caller, &resource.id, &filter, cascade, dry_run).await?;
                }
            }
        }
        Ok(AssociationAnswer::of(&resource, associations))
    }

    /// The latest version of a subject, if it has one.
    async fn latest_of(&self, subject: &SubjectName) -> Result<Option<SchemaEntity>, Error> {
        let found = self.find_in_subject(subject, |current| current.latest().cloned()).await?;
        let Some(row) = found else { return Ok(None) };
        let content = self.content_of(subject, &row).await?;
        Ok(Some(register::entity_of(subject, &row, content, None)))
    }
}

/// The changes as steps, every one of them judged by itself before the first is taken.
fn steps(resource: &AssociationRequest, ops: Vec<AssociationOp>, needs_id: bool) -> Result<Vec<Step>, Error> {
    if ops.is_empty() {
        return Err(shape::invalid("associations", "cannot be null or empty"));
    }
    let mut steps: Vec<Step> = Vec::new();
    for op in ops {
        match (op, steps.last_mut()) {
            (AssociationOp::Put(put, info), Some(Step::Put(last, infos))) if *last == put => infos.push(*info),
            (AssociationOp::Put(put, info), _) => steps.push(Step::Put(put, vec![*info])),
            (AssociationOp::Delete { association_type: word, cascade }, _) => {
                steps.push(Step::Delete(association_type(word.as_deref())?, cascade));
            }
        }
    }
    for step in &steps {
        if let Step::Put(put, infos) = step {
            AssociationRequest { associations: infos.clone(), ..resource.clone() }.shape(*put, needs_id)?;
        }
    }
    Ok(steps)
}
