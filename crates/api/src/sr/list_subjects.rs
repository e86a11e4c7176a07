//! `GET /subjects`

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /subjects?subjectPrefix&deleted&deletedOnly&offset&limit` → qualified names, sorted. Without a prefix those
/// of every context.
pub(super) async fn list_subjects(call: Call) -> Result<Answer, SrError> {
    let (view, page) = (call.view(), call.page()?);
    let names = call.registry().subjects(&call.caller, &call.subject_prefix(":*:"), view, page).await?;
    let bytes = names.iter().map(String::len).sum();
    let text = call.registry().print_off_thread(bytes, move || serde_json::to_vec(&names).unwrap_or_default()).await?;
    Ok(Answer::json_text(text))
}
