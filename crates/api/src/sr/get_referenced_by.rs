//! `GET /subjects/{subject}/versions/{version}/referencedby`

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /subjects/{subject}/versions/{version}/referencedby?deleted&offset&limit` → ids of the schemas that refer to it.
pub(super) async fn get_referenced_by(call: Call) -> Result<Answer, SrError> {
    let (version, page) = (call.version()?, call.schemas_page()?);
    let subject = call.aliased_subject().await?;
    let ids = call.registry().referenced_by(&call.caller, &subject, version, call.include(), page).await?;
    Ok(Answer::json(&ids))
}
