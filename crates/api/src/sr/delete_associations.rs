//! `DELETE /associations/resources/{resource_id}`

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `DELETE /associations/resources/{resource_id}?resourceType&associationType&cascadeLifecycle&dryRun` → 204. With
/// `cascadeLifecycle` the subjects of strong associations go for good.
/// 40410, 40908, 42205, 42206.
pub(super) async fn delete_associations(call: Call) -> Result<Answer, SrError> {
    let (filter, dry_run) = (call.associations_named(), call.query().flag("dryRun"));
    let id = call.path("resource_id");
    call.registry().delete_associations(&call.caller, &id, &filter, call.cascade(), dry_run).await?;
    Ok(Answer::no_content())
}
