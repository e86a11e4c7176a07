//! `GET /subjects`

use sluice_registry::SubjectName;

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /subjects?subjectPrefix&deleted&deletedOnly&offset&limit` → qualified names, sorted. Without a prefix those
/// of every context.
pub(super) async fn list_subjects(call: Call) -> Result<Answer, SrError> {
    let (view, page) = (call.view(), call.page()?);
    let subjects = call.registry().subjects(&call.caller, &call.subject_prefix(":*:"), view, page).await?;
    let names: Vec<String> = subjects.iter().map(SubjectName::qualified).collect();
    Ok(Answer::json(&names))
}
