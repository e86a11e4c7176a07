//! `PUT /associations/resources/{resource_id}`

use sluice_registry::{Error, Put};

use super::association::{AnswerBody, association_request};
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `PUT /associations/resources/{resource_id}?context&dryRun` → the resource, and what was associated with it. What is
/// there stays as it is; a schema is registered.
/// 40901, 40903 to 40905, 40907, 40908, 42201, 42205, 42206, 42212.
pub(super) async fn create_or_update_association(mut call: Call) -> Result<Answer, SrError> {
    let body = call.read_body().await?;
    let mut request = association_request(&body, "createOrUpdateAssociation.arg5 must not be null (was null)")?;
    let id = call.path("resource_id").into_owned();
    if request.resource_id.get_or_insert_with(|| id.clone()) != &id {
        let detail = "Resource ID in the path parameter does not match the resource ID in the request body";
        return Err(Error::InvalidAssociation { property: "resourceId", detail: detail.to_owned() }.into());
    }
    let (context, dry_run) = (call.association_context(), call.query().flag("dryRun"));
    let put = call.registry().put_associations(&call.caller, &context, request, Put::Upsert, dry_run);
    Ok(Answer::json(&AnswerBody::from(&put.await.map_err(SrError::Association)?)))
}
