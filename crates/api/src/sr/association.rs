//! Bodies of requests and answers about associations.
//!
//! Whether one is frozen is never shown: it is the same as strong. Source: schema-registry
//! `client/rest/entities/Association`, `…/requests/Association*`, 8.5; recordings `assoc-*`.

use serde::Serialize;
use sluice_registry::{
    AnsweredAssociation, Association, AssociationAnswer, AssociationFilter, AssociationInfo, AssociationLookup,
    AssociationOp, AssociationOpRequest, AssociationRequest, Cascade, Error, Lifecycle, Put,
};

use super::entity::SchemaBody;
use super::error::SrError;
use super::request::schema_request_fields;
use crate::decode::{Fields, body_text, list, mismatch, object, text, word};
use crate::error::{HttpError, Wire};
use crate::json::Json;

const LIFECYCLES: &[&str] = &["WEAK", "STRONG"];

/// `{subject, guid, resourceName, resourceNamespace, resourceId, resourceType, associationType, lifecycle, createTs,
/// updateTs}`
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AssociationBody<'a> {
    subject: String,
    guid: String,
    resource_name: &'a str,
    resource_namespace: &'a str,
    resource_id: &'a str,
    resource_type: &'a str,
    association_type: &'static str,
    lifecycle: &'static str,
    create_ts: i64,
    update_ts: i64,
}

impl<'a> From<&'a Association> for AssociationBody<'a> {
    fn from(association: &'a Association) -> AssociationBody<'a> {
        AssociationBody {
            subject: association.subject.qualified(),
            guid: association.guid.to_string(),
            resource_name: &association.resource.name,
            resource_namespace: &association.resource.namespace,
            resource_id: &association.resource.id,
            resource_type: &association.resource.resource_type,
            association_type: association.association_type.wire(),
            lifecycle: association.lifecycle.wire(),
            create_ts: association.create_ts,
            update_ts: association.update_ts,
        }
    }
}

/// `{resourceName, resourceNamespace, resourceId, resourceType, associations}`, without what is not there.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct AnswerBody<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_namespace: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_id: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    resource_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    associations: Vec<InfoBody<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct InfoBody<'a> {
    subject: String,
    association_type: &'static str,
    lifecycle: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    schema: Option<SchemaBody<'a>>,
}

impl<'a> From<&'a AnsweredAssociation> for InfoBody<'a> {
    fn from(association: &'a AnsweredAssociation) -> InfoBody<'a> {
        InfoBody {
            subject: association.subject.qualified(),
            association_type: association.association_type.wire(),
            lifecycle: association.lifecycle.wire(),
            schema: association.schema.as_ref().map(SchemaBody::full),
        }
    }
}

impl<'a> From<&'a AssociationAnswer> for AnswerBody<'a> {
    fn from(answer: &'a AssociationAnswer) -> AnswerBody<'a> {
        AnswerBody {
            resource_name: answer.resource_name.as_deref(),
            resource_namespace: answer.resource_namespace.as_deref(),
            resource_id: answer.resource_id.as_deref(),
            resource_type: answer.resource_type.as_deref(),
            associations: answer.associations.iter().map(InfoBody::from).collect(),
        }
    }
}

/// `{results: [{error: {error_code, message}} | {result}]}`: the outcomes of a batch, in its order.
#[derive(Debug, Serialize)]
pub(super) struct BatchBody<'a> {
    results: Vec<OutcomeBody<'a>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
enum OutcomeBody<'a> {
    Error(ErrorBody),
    Result(AnswerBody<'a>),
}

#[derive(Debug, Serialize)]
struct ErrorBody {
    error_code: u32,
    message: String,
}

impl<'a> BatchBody<'a> {
    /// The body that shows these outcomes. A failure of ours is logged here: the answer as a whole is none.
    pub(super) fn of(outcomes: &'a [Result<AssociationAnswer, Error>]) -> BatchBody<'a> {
        let body = |outcome: &'a Result<AssociationAnswer, Error>| match outcome {
            Ok(answer) => OutcomeBody::Result(AnswerBody::from(answer)),
            Err(error) => {
                let wire = super::error::association_wire(error);
                if let Some(cause) = &wire.cause {
                    tracing::error!(%cause, "a request of a batch of associations failed");
                }
                OutcomeBody::Error(ErrorBody { error_code: wire.code, message: wire.message.into_owned() })
            }
        };
        BatchBody { results: outcomes.iter().map(body).collect() }
    }
}

/// An `AssociationCreateOrUpdateRequest`.
pub(super) fn association_request(body: &[u8], missing: &'static str) -> Result<AssociationRequest, SrError> {
    let body = body_text(body)?;
    let mut fields = object(&body, "AssociationCreateOrUpdateRequest", missing)?;
    let mut request = resource(&mut fields)?;
    let infos = fields.take("associations");
    fields.done();
    for info in infos.map(items).transpose()?.unwrap_or_default() {
        let mut fields = Fields::of(info, "AssociationCreateOrUpdateInfo")?;
        request.associations.push(association_info(&mut fields)?);
        fields.done();
    }
    Ok(request)
}

/// An `AssociationBatchRequest`; 42212 without requests.
pub(super) fn batch_request(body: &[u8], missing: &'static str) -> Result<Vec<AssociationOpRequest>, SrError> {
    batch(body, "AssociationBatchRequest", missing, |value| {
        let mut fields = Fields::of(value, "AssociationOpRequest")?;
        let resource = resource(&mut fields)?;
        let ops = fields.take("associations").map(items).transpose()?.unwrap_or_default();
        fields.done();
        let ops = ops.into_iter().map(op).collect::<Result<_, _>>()?;
        Ok(AssociationOpRequest { resource, ops })
    })
}

/// An `AssociationBatchGetRequest`; 42212 without requests.
pub(super) fn batch_get_request(body: &[u8], missing: &'static str) -> Result<Vec<AssociationLookup>, SrError> {
    batch(body, "AssociationBatchGetRequest", missing, |value| {
        let mut fields = Fields::of(value, "AssociationGetRequest")?;
        let AssociationRequest { resource_name, resource_namespace, resource_id, resource_type, .. } =
            resource(&mut fields)?;
        let types = fields.list("associationTypes", "String", text)?;
        let filter = AssociationFilter { resource_type, types, lifecycle: lifecycle(&mut fields)? };
        fields.done();
        Ok(AssociationLookup { resource_name, resource_namespace, resource_id, filter })
    })
}

fn batch<T>(
    body: &[u8],
    entity: &'static str,
    missing: &'static str,
    read: impl Fn(Json<'_>) -> Result<T, SrError>,
) -> Result<Vec<T>, SrError> {
    let body = body_text(body)?;
    let mut fields = object(&body, entity, missing)?;
    let requests = fields.take("requests").map(items).transpose()?.unwrap_or_default();
    fields.done();
    if requests.is_empty() {
        let detail = "cannot be null or empty".to_owned();
        return Err(Error::InvalidAssociation { property: "requests", detail }.into());
    }
    requests.into_iter().map(read).collect()
}

/// The elements of a list of objects.
fn items(value: Json<'_>) -> Result<Vec<Json<'_>>, HttpError> {
    list(value, "Object", |item| match item {
        Json::Object(_) => Ok(item),
        other => mismatch("Object", &other),
    })
}

fn resource(fields: &mut Fields<'_>) -> Result<AssociationRequest, HttpError> {
    Ok(AssociationRequest {
        resource_name: fields.text("resourceName")?,
        resource_namespace: fields.text("resourceNamespace")?,
        resource_id: fields.text("resourceId")?,
        resource_type: fields.text("resourceType")?,
        associations: Vec::new(),
    })
}

fn association_info(fields: &mut Fields<'_>) -> Result<AssociationInfo, SrError> {
    let schema = fields.take("schema").map(|value| {
        let mut fields = Fields::of(value, "RegisterSchemaRequest")?;
        let request = schema_request_fields(&mut fields)?;
        fields.done();
        Ok::<_, SrError>(request)
    });
    Ok(AssociationInfo {
        subject: fields.text("subject")?,
        association_type: fields.text("associationType")?,
        lifecycle: lifecycle(fields)?,
        frozen: fields.flag("frozen")?,
        schema: schema.transpose()?,
        normalize: fields.flag("normalize")?,
    })
}

fn lifecycle(fields: &mut Fields<'_>) -> Result<Option<Lifecycle>, HttpError> {
    let word = fields.take("lifecycle").map(|value| word(value, "LifecyclePolicy", LIFECYCLES)).transpose()?;
    Ok(word.and_then(Lifecycle::from_wire))
}

fn op(value: Json<'_>) -> Result<AssociationOp, SrError> {
    let mut fields = Fields::of(value, "AssociationOp")?;
    let op_type = fields.text("opType")?;
    let op = match op_type.as_deref() {
        Some("CREATE") => AssociationOp::Put(Put::Create, Box::new(association_info(&mut fields)?)),
        Some("UPSERT") => AssociationOp::Put(Put::Upsert, Box::new(association_info(&mut fields)?)),
        Some("DELETE") => AssociationOp::Delete {
            association_type: fields.text("associationType")?,
            cascade: if fields.flag("cascadeLifecycle")? == Some(true) { Cascade::Yes } else { Cascade::No },
        },
        Some(other) => {
            let other: String = other.chars().take(200).collect();
            return Err(HttpError::BadBody(format!(
                "Could not resolve type id '{other}' as a subtype of `AssociationOp`: known type ids = [CREATE, DELETE, \
                 UPSERT] (for POJO property 'associations')"
            ))
            .into());
        }
        None => {
            let text = "Could not resolve subtype of `AssociationOp`: missing type id property 'opType' (for POJO \
                        property 'associations')";
            return Err(HttpError::BadBody(text.to_owned()).into());
        }
    };
    fields.done();
    Ok(op)
}

/// Refusals of a body read as each request about associations: see `request::read_bodies`.
pub(super) fn read_bodies(body: &[u8], missing: &'static str) -> Vec<(&'static str, Option<Wire>)> {
    fn refusal<T>(read: Result<T, SrError>) -> Option<Wire> {
        read.err().map(Wire::from)
    }
    vec![
        ("AssociationCreateOrUpdateRequest", refusal(association_request(body, missing))),
        ("AssociationBatchRequest", refusal(batch_request(body, missing))),
        ("AssociationBatchGetRequest", refusal(batch_get_request(body, missing))),
    ]
}
