//! `POST /associations`

use sluice_registry::Put;

use super::association::{AnswerBody, association_request};
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `POST /associations?context&dryRun` → the resource, and what was associated with it.
/// 40901, 40903 to 40905, 40907, 42201, 42205, 42206, 42212.
pub(super) async fn create_association(mut call: Call) -> Result<Answer, SrError> {
    let body = call.read_body().await?;
    let request = association_request(&body, "createAssociation.arg4 must not be null (was null)")?;
    let (context, dry_run) = (call.association_context(), call.query().flag("dryRun"));
    let put = call.registry().put_associations(&call.caller, &context, request, Put::Create, dry_run);
    Ok(Answer::json(&AnswerBody::from(&put.await.map_err(SrError::Association)?)))
}
