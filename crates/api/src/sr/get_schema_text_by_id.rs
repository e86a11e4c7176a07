//! `GET /schemas/ids/{id}/schema`

use sluice_schema::SchemaId;

use super::entity::text;
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /schemas/ids/{id}/schema?subject&format` → the text alone. 40403.
pub(super) async fn get_schema_text_by_id(call: Call) -> Result<Answer, SrError> {
    let id = SchemaId(call.int_path("id")?);
    let hint = call.subject_hint().await?;
    let entity = call.registry().schema_by_id(&call.caller, id, hint.as_ref(), call.read_options()).await?;
    Ok(Answer::json_text(text(&entity).to_owned()))
}
