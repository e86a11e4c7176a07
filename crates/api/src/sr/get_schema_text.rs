//! `GET /subjects/{subject}/versions/{version}/schema`

use super::entity::text;
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /subjects/{subject}/versions/{version}/schema?format&deleted` → the text alone, under the JSON type whatever it is.
pub(super) async fn get_schema_text(call: Call) -> Result<Answer, SrError> {
    let version = call.version()?;
    let subject = call.aliased_subject().await?;
    let options = call.version_options();
    let entity = call.registry().version(&call.caller, &subject, version, options).await?;
    Ok(Answer::json_text(text(&entity).to_owned()))
}
