//! `GET /schemas/ids/{id}/subjects`

use sluice_registry::SubjectName;
use sluice_schema::SchemaId;

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /schemas/ids/{id}/subjects?subject&deleted&offset&limit` → the subjects that use the id; `[]` if all uses are
/// soft-deleted. 40403.
pub(super) async fn get_subjects_by_id(call: Call) -> Result<Answer, SrError> {
    let id = SchemaId(call.int_path("id")?);
    let (include, page) = (call.include(), call.page()?);
    let hint = call.subject_hint().await?;
    let subjects = call.registry().subjects_of_id(&call.caller, id, hint.as_ref(), include, page).await?;
    let names: Vec<String> = subjects.iter().map(SubjectName::qualified).collect();
    Ok(Answer::json(&names))
}
