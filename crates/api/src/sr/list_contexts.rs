//! `GET /contexts`

use sluice_registry::ContextName;

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /contexts?offset&limit&contextPrefix` → names with their dots, `.` first.
pub(super) async fn list_contexts(call: Call) -> Result<Answer, SrError> {
    let page = call.page()?;
    let prefix = call.query().get("contextPrefix").unwrap_or_default();
    let contexts = call.registry().contexts(&call.caller, &prefix, page).await?;
    let names: Vec<&str> = contexts.iter().map(ContextName::as_str).collect();
    Ok(Answer::json(&names))
}
