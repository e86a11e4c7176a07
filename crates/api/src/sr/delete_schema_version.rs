//! `DELETE /subjects/{subject}/versions/{version}`

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `DELETE /subjects/{subject}/versions/{version}?permanent` → the number of the version removed.
/// 42202, 40406, 40401, 40402, 42205, 42206, 40407.
pub(super) async fn delete_schema_version(call: Call) -> Result<Answer, SrError> {
    let version = call.version()?;
    let subject = call.aliased_subject().await?;
    let deleted = call.registry().delete_version(&call.caller, &subject, version, call.permanence()).await?;
    Ok(Answer::json(&deleted))
}
