//! What a request says by itself: names, defaults, and what can never be, whatever the store holds.
//!
//! Pure. A creation fills in what it leaves open (a schema means strong, strong means frozen, the subject of a strong one
//! is given by the resource); an upsert leaves that to the association that may be there ([`super::put`]).
//!
//! Source: schema-registry `AssociationCreateOrUpdateRequest#validate`, `AssociationCreateOrUpdateInfo#validate`,
//! `RestValidation`, 8.5; recording `assoc-validation`.

use std::collections::BTreeSet;

use crate::associations::{AssociatedResource, AssociationType, Lifecycle, TOPIC};
use crate::{Error, SchemaRequest};

/// Longest name, namespace and id of a resource, bytes: three of them fit into a key of an index.
const MAX_NAME_BYTES: usize = 256;

/// Whether what is there may be changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It must not be there, or be the same.
    Create,
    /// It may be there.
    Upsert,
}

/// Associations of one resource to put, as sent.
#[derive(Debug, Clone, Default)]
#[allow(missing_docs)] // the fields of [`AssociatedResource`]
pub struct AssociationRequest {
    pub resource_name: Option<String>,
    pub resource_namespace: Option<String>,
    pub resource_id: Option<String>,
    pub resource_type: Option<String>,
    /// What to put.
    pub associations: Vec<AssociationInfo>,
}

/// One association to put, as sent.
#[derive(Debug, Clone, Default)]
pub struct AssociationInfo {
    /// The subject; of a strong association it is `:.{namespace}:{name}-{type}`.
    pub subject: Option<String>,
    /// `key` or `value`, the default.
    pub association_type: Option<String>,
    /// Weak unless a schema is given.
    pub lifecycle: Option<Lifecycle>,
    /// The same as strong.
    pub frozen: Option<bool>,
    /// To register under the subject.
    pub schema: Option<SchemaRequest>,
    /// Normalise the schema.
    pub normalize: Option<bool>,
}

/// A request that may be carried out if the store allows.
#[derive(Debug)]
pub(super) struct Shape {
    pub(super) resource: AssociatedResource,
    /// Whether an id was given; a dry run needs none.
    pub(super) has_id: bool,
    /// By type, each once.
    pub(super) wanted: Vec<Wanted>,
}

/// One association of it.
#[derive(Debug)]
pub(super) struct Wanted {
    pub(super) association_type: AssociationType,
    pub(super) subject: Option<String>,
    /// Always there for a creation.
    pub(super) lifecycle: Option<Lifecycle>,
    pub(super) frozen: Option<bool>,
    pub(super) schema: Option<SchemaRequest>,
    pub(super) normalize: bool,
    /// The subject that a strong association of this type has.
    pub(super) own_subject: String,
}

/// 42212
pub(super) fn invalid(property: &'static str, detail: impl Into<String>) -> Error {
    Error::InvalidAssociation { property, detail: detail.into() }
}

impl AssociationRequest {
    /// Names, id and type of the resource; `needs_id` unless it is a dry run.
    pub(super) fn resource(&self, needs_id: bool) -> Result<AssociatedResource, Error> {
        let name = checked_name(self.resource_name.as_deref(), "resourceName")?;
        let namespace = checked_name(self.resource_namespace.as_deref(), "resourceNamespace")?;
        let id = self.resource_id.as_deref().unwrap_or_default();
        if needs_id || !id.is_empty() {
            checked_name(Some(id), "resourceId")?;
        }
        let resource_type = self.resource_type.as_deref().filter(|word| !word.is_empty()).unwrap_or(TOPIC);
        if resource_type != TOPIC {
            return Err(invalid("resourceType", format!("must be '{TOPIC}'")));
        }
        let resource_type = resource_type.into();
        Ok(AssociatedResource { name: name.into(), namespace: namespace.into(), resource_type, id: id.into() })
    }

    pub(super) fn shape(self, put: Put, needs_id: bool) -> Result<Shape, Error> {
        let resource = self.resource(needs_id)?;
        if self.associations.is_empty() {
            return Err(invalid("associations", "cannot be null or empty"));
        }
        let mut wanted = Vec::with_capacity(self.associations.len());
        for info in self.associations {
            wanted.push(info.wanted(&resource, put)?);
        }
        let mut seen = BTreeSet::new();
        for Wanted { association_type, .. } in &wanted {
            if !seen.insert(*association_type) {
                let word = association_type.wire();
                let detail = format!("may only appear once per request, but '{word}' appears more than once");
                return Err(invalid("associationType", detail));
            }
        }
        wanted.sort_by_key(|wanted| wanted.association_type);
        Ok(Shape { has_id: !resource.id.is_empty(), resource, wanted })
    }
}

impl AssociationInfo {
    fn wanted(self, resource: &AssociatedResource, put: Put) -> Result<Wanted, Error> {
        if let Some(subject) = &self.subject
            && (subject.is_empty() || subject.chars().any(char::is_control))
        {
            return Err(invalid("subject", "must not be empty"));
        }
        let association_type = association_type(self.association_type.as_deref())?;
        let (mut lifecycle, mut frozen) = (self.lifecycle, self.frozen);
        if self.schema.is_some() {
            if lifecycle == Some(Lifecycle::Weak) {
                return Err(invalid("lifecycle", "cannot be WEAK when schema is provided"));
            }
            if frozen == Some(false) {
                return Err(invalid("frozen", "cannot be false when a schema is provided"));
            }
        }
        if put == Put::Create {
            let strong = self.schema.is_some() || frozen == Some(true);
            let assumed = if strong { Lifecycle::Strong } else { Lifecycle::Weak };
            let lifecycle = *lifecycle.get_or_insert(assumed);
            frozen.get_or_insert(lifecycle == Lifecycle::Strong);
        }
        check_frozen(lifecycle, frozen)?;
        let AssociatedResource { namespace, name, .. } = resource;
        let own_subject = format!(":.{namespace}:{name}-{}", association_type.wire());
        let mut subject = self.subject;
        match (lifecycle, &subject) {
            (Some(Lifecycle::Weak), None) if put == Put::Create => {
                return Err(invalid("subject", "must be provided for WEAK associations"));
            }
            (Some(Lifecycle::Weak), Some(subject)) if *subject == own_subject => {
                return Err(invalid("subject", format!("WEAK associations cannot use subject '{own_subject}'")));
            }
            (_, Some(subject)) if frozen == Some(true) && *subject != own_subject => return Err(not_own(&own_subject)),
            (Some(Lifecycle::Strong), None) => subject = Some(own_subject.clone()),
            _ => {}
        }
        let normalize = self.normalize.unwrap_or(false);
        Ok(Wanted { association_type, subject, lifecycle, frozen, schema: self.schema, normalize, own_subject })
    }
}

/// A strong association's subject is not the resource's own.
pub(super) fn not_own(own_subject: &str) -> Error {
    invalid("subject", format!("frozen associations must use subject '{own_subject}'"))
}

/// Strong and frozen are one.
pub(super) fn check_frozen(lifecycle: Option<Lifecycle>, frozen: Option<bool>) -> Result<(), Error> {
    match (lifecycle, frozen) {
        (Some(Lifecycle::Weak), Some(true)) => {
            Err(invalid("frozen", "association with lifecycle of WEAK cannot be frozen=true"))
        }
        (Some(Lifecycle::Strong), Some(false)) => {
            Err(invalid("frozen", "association with lifecycle of STRONG cannot be frozen=false"))
        }
        _ => Ok(()),
    }
}

/// The type of this name; `value` unless one is given.
pub(super) fn association_type(word: Option<&str>) -> Result<AssociationType, Error> {
    match word.filter(|word| !word.is_empty()) {
        None => Ok(AssociationType::Value),
        Some(word) => AssociationType::from_wire(word)
            .ok_or_else(|| invalid("associationType", "must be either 'key' or 'value'")),
    }
}

fn checked_name<'a>(name: Option<&'a str>, property: &'static str) -> Result<&'a str, Error> {
    let name = name.filter(|name| !name.is_empty()).ok_or_else(|| invalid(property, "cannot be null or empty"))?;
    if let Some(character) = name.chars().find(|c| c.is_control()) {
        return Err(invalid(property, format!("illegal character '{character}'")));
    }
    if name.len() > MAX_NAME_BYTES {
        return Err(invalid(property, format!("exceeds max length of {MAX_NAME_BYTES}")));
    }
    Ok(name)
}
