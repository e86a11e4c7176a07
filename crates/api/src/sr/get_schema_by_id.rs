//! `GET /schemas/ids/{id}`

use http::Response;
use sluice_registry::SchemaEntity;
use sluice_schema::SchemaId;

use super::entity::{SchemaBody, printed};
use super::error::SrError;
use crate::answer::{Answer, Body, respond};
use crate::call::Call;

/// `GET /schemas/ids/{id}?subject&format&referenceFormat&findTags&fetchMaxId` → the content with a subject and version
/// that use it; soft-deleted ones too. 40403.
pub(super) async fn get_schema_by_id(call: Call) -> Result<Answer, SrError> {
    let id = SchemaId(call.int_path("id")?);
    let hint = call.subject_hint().await?;
    let entity = call.registry().schema_by_id(&call.caller, id, hint.as_ref(), call.read_options()).await?;
    let max_id = match call.query().flag("fetchMaxId") {
        true => Some(call.registry().max_id(&call.caller, entity.subject.context()).await?.0),
        false => None,
    };
    let print = move |entity: &SchemaEntity| {
        let mut body = SchemaBody::by_id(entity);
        body.max_id = max_id;
        serde_json::to_vec(&body).unwrap_or_default()
    };
    let (answer, entity) = printed(call.registry(), entity, print).await?;
    if is_plain(&call) {
        call.registry().remember_by_id(&call.context(), id, &entity, answer.clone());
    }
    Ok(Answer::json_text(answer))
}

/// The answer at hand, if the request asks for nothing special: what every deserializer does once per id.
pub(super) fn recall(call: &Call) -> Option<Response<Body>> {
    if !is_plain(call) {
        return None;
    }
    let id = SchemaId(call.int_path("id").ok()?);
    let answer = call.registry().recall_by_id(&call.caller, &call.context(), id)?;
    Some(respond::<SrError>(call.media, Ok(Answer::json_text(answer))))
}

/// No parameter that changes the answer. `fetchMaxId=false` is what the Java and Python clients send.
fn is_plain(call: &Call) -> bool {
    let query = call.query();
    query.raw().is_empty() || query.raw().eq_ignore_ascii_case("fetchMaxId=false")
}
