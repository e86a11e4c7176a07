//! `DELETE /subjects/{subject}`

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `DELETE /subjects/{subject}?permanent` → the versions removed. 40401, 40404, 40405, 42205, 42206.
pub(super) async fn delete_subject(call: Call) -> Result<Answer, SrError> {
    let subject = call.aliased_subject().await?;
    let versions = call.registry().delete_subject(&call.caller, &subject, call.permanence()).await?;
    Ok(Answer::json(&versions))
}
