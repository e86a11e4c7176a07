//! `GET /schemas/guids/{guid}/ids`

use serde::Serialize;
use sluice_schema::Guid;

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /schemas/guids/{guid}/ids` → `[{"context","id"}]`, the default context first; `[]` for an unknown GUID and for
/// what is none.
pub(super) async fn get_ids_by_guid(call: Call) -> Result<Answer, SrError> {
    let ids = match Guid::parse(&call.path("guid")) {
        Some(guid) => call.registry().ids_of_guid(&call.caller, guid).await?,
        None => Vec::new(),
    };
    let bodies: Vec<ContextId<'_>> =
        ids.iter().map(|(context, id)| ContextId { context: context.as_str(), id: id.0 }).collect();
    Ok(Answer::json(&bodies))
}

#[derive(Debug, Serialize)]
struct ContextId<'a> {
    context: &'a str,
    id: i32,
}
