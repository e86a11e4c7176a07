//! `DELETE /contexts/{context}`

use sluice_registry::ContextName;

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `DELETE /contexts/{context}` → 204, also for one that is not there. 42211 while it holds anything.
pub(super) async fn delete_context(call: Call) -> Result<Answer, SrError> {
    let name = call.path("context");
    let context = ContextName::new(name.trim_matches(':'));
    call.registry().delete_context(&call.caller, &context).await?;
    Ok(Answer::no_content())
}
