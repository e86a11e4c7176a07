//! `GET /schemas/guids/{guid}`

use sluice_registry::Error;
use sluice_schema::Guid;

use super::entity::SchemaBody;
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /schemas/guids/{guid}?format` → what is equal in every context. 40403 with the GUID as it was written.
pub(super) async fn get_schema_by_guid(call: Call) -> Result<Answer, SrError> {
    let text = call.path("guid");
    let not_found = || Error::SchemaNotFound(Some(text.clone().into_owned()));
    let guid = Guid::parse(&text).ok_or_else(not_found)?;
    let found = call.registry().schema_by_guid(&call.caller, guid, call.format()).await;
    let entity = found.map_err(|error| match error {
        Error::SchemaNotFound(_) => not_found(),
        other => other,
    })?;
    Ok(Answer::json(&SchemaBody::content(&entity)))
}
