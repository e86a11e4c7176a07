//! `GET /subjects/{subject}/metadata`

use std::collections::BTreeMap;

use super::entity::SchemaBody;
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /subjects/{subject}/metadata?key&value&format&deleted` → the highest version whose properties hold every pair.
/// Surplus keys or values are dropped; of a repeated key the last value counts. 40401, 40403.
pub(super) async fn get_latest_with_metadata(call: Call) -> Result<Answer, SrError> {
    let subject = call.aliased_subject().await?;
    let query = call.query();
    let pairs: BTreeMap<String, String> = query.all("key").into_iter().zip(query.all("value")).collect();
    let pairs: Vec<(String, String)> = pairs.into_iter().collect();
    let (include, format) = (call.include(), call.format());
    let entity = call.registry().latest_with_metadata(&call.caller, &subject, &pairs, include, format).await?;
    Ok(Answer::json(&SchemaBody::full(&entity)))
}
