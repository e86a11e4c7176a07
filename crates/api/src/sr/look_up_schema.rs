//! `POST /subjects/{subject}`

use sluice_registry::SchemaEntity;

use super::entity::{SchemaBody, printed};
use super::error::SrError;
use super::request::big_schema_request;
use crate::answer::Answer;
use crate::call::Call;

/// `POST /subjects/{subject}?normalize&format&deleted` → the version that holds this schema. 40401, 40403, 42201.
pub(super) async fn look_up_schema(mut call: Call) -> Result<Answer, SrError> {
    let body = call.read_body().await?;
    let missing = "lookUpSchemaUnderSubject.arg5 must not be null (was null)";
    let request = big_schema_request(call.registry(), body, missing).await?;
    let subject = call.aliased_subject().await?;
    let (normalize, include, format) = (call.normalize(), call.include(), call.format());
    let entity = call.registry().look_up(&call.caller, &subject, request, normalize, include, format).await?;
    let print = |entity: &SchemaEntity| serde_json::to_vec(&SchemaBody::full(entity)).unwrap_or_default();
    let (answer, _) = printed(call.registry(), entity, print).await?;
    Ok(Answer::json_text(answer))
}
