//! `POST /subjects/{subject}/versions`

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::LazyLock;

use siphasher::sip128::{Hasher128, SipHasher13};
use sluice_registry::{Error, RegisterOptions, SchemaEntity, SchemaRequest};

use super::entity::{SchemaBody, printed};
use super::error::SrError;
use super::request::big_schema_request;
use crate::answer::Answer;
use crate::call::Call;

/// `POST /subjects/{subject}/versions?normalize&format&force&hints` → `{id, version, guid, schemaType, …, schema}`.
/// Registering known content gives its version again; an identical request is answered without reading its JSON.
/// `hints` adds the field `hint` to 40901: the smallest safe change.
/// 40901, 42201, 42205, 42207, 42208, 42210, 50001, 50002.
pub(super) async fn register_schema(mut call: Call) -> Result<Answer, SrError> {
    let body = call.read_body().await?;
    let named = call.subject();
    let digest = {
        let (body, query) = (body.clone(), call.query().raw().to_owned());
        call.registry().off_thread(body.len(), move || digest(&body, &query)).await?
    };
    if let Some(answer) = call.registry().recall(&call.caller, &named, digest) {
        return Ok(Answer::json_text(answer));
    }
    let request = big_schema_request(call.registry(), body, "register.arg4 must not be null (was null)").await?;
    if call.speaks_ddl() {
        return Err(no_ddl(&request).into());
    }
    let options =
        RegisterOptions { normalize: call.normalize(), force: call.query().flag("force"), format: call.format() };
    let repeats = gives_the_same_again(&request);
    let subject = call.registry().resolve_alias(&named).await?;
    let hinting = SrError::hinting(call.query().flag("hints"));
    let entity = call.registry().register(&call.caller, &subject, request, options).await.map_err(hinting)?;
    let print = |entity: &SchemaEntity| serde_json::to_vec(&SchemaBody::registered(entity)).unwrap_or_default();
    let (answer, entity) = printed(call.registry(), entity, print).await?;
    // An alias may be turned elsewhere without a change of the subject it names.
    if repeats && subject == named {
        call.registry().remember(&subject, digest, &entity, answer.clone());
    }
    Ok(Answer::json_text(answer))
}

/// `format=logical` says that the body is DDL of logical types, which the reference turned into a schema of the type
/// that was asked for, until it stopped to. It is only shown here, never read.
fn no_ddl(request: &SchemaRequest) -> Error {
    let text = match request.schema_type.as_deref().map(str::trim) {
        None | Some("") => "schemaType is required when format=logical, and must be one of AVRO, JSON, PROTOBUF",
        Some(_) => "Invalid logical type schema: DDL is not taken; send the schema itself, without format=logical",
    };
    Error::InvalidRequestSchema(text.to_owned())
}

/// Whether the same request, sent again, must give the same answer: explicit versions must not exist yet, explicit
/// ids depend on the mode, and tag edits make a new version each time.
fn gives_the_same_again(request: &SchemaRequest) -> bool {
    request.version.is_none_or(|version| version == 0)
        && request.id.is_none_or(|id| id < 0)
        && request.tags.add.is_empty()
        && request.tags.remove.is_empty()
        && request.schema.as_deref().is_some_and(|text| !text.trim().is_empty())
}

/// A keyed hash of all that the answer depends on besides the subject and the store.
fn digest(body: &[u8], query: &str) -> u128 {
    static KEY: LazyLock<(u64, u64)> = LazyLock::new(|| {
        let random = RandomState::new();
        (random.hash_one(0u8), random.hash_one(1u8))
    });
    let mut hasher = SipHasher13::new_with_keys(KEY.0, KEY.1);
    hasher.write_usize(query.len());
    hasher.write(query.as_bytes());
    hasher.write(body);
    hasher.finish128().as_u128()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ddl_is_refused_by_what_the_request_lacks() {
        let told = |schema_type: Option<&str>| {
            let request = SchemaRequest { schema_type: schema_type.map(str::to_owned), ..SchemaRequest::default() };
            match no_ddl(&request) {
                Error::InvalidRequestSchema(text) => text,
                other => other.to_string(),
            }
        };
        let required = "schemaType is required when format=logical, and must be one of AVRO, JSON, PROTOBUF";
        assert_eq!([told(None), told(Some(" "))], [required, required]);
        assert!(told(Some("AVRO")).starts_with("Invalid logical type schema: "));
    }
}
