//! `POST /associations:batchGet`

use http::StatusCode;

use super::association::{BatchBody, batch_get_request};
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `POST /associations:batchGet?includeSchemas` → 207, an outcome per request. 42212 without requests.
pub(super) async fn batch_get_associations(mut call: Call) -> Result<Answer, SrError> {
    let body = call.read_body().await?;
    let requests = batch_get_request(&body, "batchGetAssociations.arg0 must not be null (was null)")?;
    let include_schemas = call.query().flag("includeSchemas");
    let mut outcomes = Vec::with_capacity(requests.len());
    for request in requests {
        outcomes.push(call.registry().look_up_associations(&call.caller, request, include_schemas).await);
    }
    Ok(Answer::json(&BatchBody::of(&outcomes)).status(StatusCode::MULTI_STATUS))
}
