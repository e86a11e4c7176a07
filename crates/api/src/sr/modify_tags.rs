//! `POST /subjects/{subject}/versions/{version}/tags`

use super::entity::SchemaBody;
use super::error::SrError;
use super::request::tag_request;
use crate::answer::Answer;
use crate::call::Call;

/// `POST /subjects/{subject}/versions/{version}/tags` → a new version with tags, metadata or rules changed.
pub(super) async fn modify_tags(mut call: Call) -> Result<Answer, SrError> {
    let body = call.read_body().await?;
    let request = tag_request(&body)?;
    let version = call.version()?;
    let subject = call.aliased_subject().await?;
    let entity = call.registry().modify_tags(&call.caller, &subject, version, request, call.format()).await?;
    Ok(Answer::json(&SchemaBody::registered(&entity)))
}
