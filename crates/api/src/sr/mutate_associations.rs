//! `POST /associations:batchMutate`

use http::StatusCode;

use super::association::{BatchBody, batch_request};
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `POST /associations:batchMutate?context&dryRun` → 207, an outcome per request, carried out in order. 42212 without
/// requests.
pub(super) async fn mutate_associations(mut call: Call) -> Result<Answer, SrError> {
    let body = call.read_body().await?;
    let requests = batch_request(&body, "mutateAssociations.arg4 must not be null (was null)")?;
    let (context, dry_run) = (call.association_context(), call.query().flag("dryRun"));
    let mut outcomes = Vec::with_capacity(requests.len());
    for request in requests {
        outcomes.push(call.registry().change_associations(&call.caller, &context, request, dry_run).await);
    }
    Ok(Answer::json(&BatchBody::of(&outcomes)).status(StatusCode::MULTI_STATUS))
}
