//! `GET /subjects/{subject}/versions/{version}`

use super::entity::SchemaBody;
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /subjects/{subject}/versions/{version}?format&referenceFormat&deleted&findTags` → the whole entity.
/// 40401, 40402, 42202.
pub(super) async fn get_schema_by_version(call: Call) -> Result<Answer, SrError> {
    let version = call.version()?;
    let subject = call.aliased_subject().await?;
    let options = call.version_options();
    let entity = call.registry().version(&call.caller, &subject, version, options).await?;
    Ok(Answer::json(&SchemaBody::full(&entity)))
}
