//! `POST /subjects/{subject}`

use super::entity::SchemaBody;
use super::error::SrError;
use super::request::schema_request;
use crate::answer::Answer;
use crate::call::Call;

/// `POST /subjects/{subject}?normalize&format&deleted` → the version that holds this schema. 40401, 40403, 42201.
pub(super) async fn look_up_schema(mut call: Call) -> Result<Answer, SrError> {
    let body = call.read_body().await?;
    let request = schema_request(&body, "lookUpSchemaUnderSubject.arg5 must not be null (was null)")?;
    let subject = call.aliased_subject().await?;
    let (normalize, include, format) = (call.normalize(), call.include(), call.format());
    let entity = call.registry().look_up(&call.caller, &subject, request, normalize, include, format).await?;
    Ok(Answer::json(&SchemaBody::full(&entity)))
}
