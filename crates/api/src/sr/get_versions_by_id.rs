//! `GET /schemas/ids/{id}/versions`

use serde::Serialize;
use sluice_schema::SchemaId;

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /schemas/ids/{id}/versions?subject&deleted&offset&limit` → `[{"subject","version"}]`, at most one per subject.
/// 40403.
pub(super) async fn get_versions_by_id(call: Call) -> Result<Answer, SrError> {
    let id = SchemaId(call.int_path("id")?);
    let (include, page) = (call.include(), call.page()?);
    let hint = call.subject_hint().await?;
    let versions = call.registry().versions_of_id(&call.caller, id, hint.as_ref(), include, page).await?;
    let bodies: Vec<SubjectVersion> = versions
        .iter()
        .map(|(subject, version)| SubjectVersion { subject: subject.qualified(), version: version.0 })
        .collect();
    Ok(Answer::json(&bodies))
}

#[derive(Debug, Serialize)]
struct SubjectVersion {
    subject: String,
    version: i32,
}
