//! `POST /compatibility/subjects/{subject}/versions/{version}`

use serde::Serialize;
use sluice_registry::{CompatibilityReport, Error, SchemaRequest, VersionSpec};

use super::error::SrError;
use super::error::invalid_schema;
use super::request::big_schema_request;
use crate::answer::Answer;
use crate::call::Call;

/// `POST /compatibility/subjects/{subject}/versions/{version}?normalize&verbose&hints` → the check against that one version.
/// 40402 for a number that is not there; `latest` of an absent subject is compatible.
pub(super) async fn test_compatibility_with_version(mut call: Call) -> Result<Answer, SrError> {
    let body = call.read_body().await?;
    let missing = "testCompatibilityBySubjectName.arg4 must not be null (was null)";
    let request = big_schema_request(call.registry(), body, missing).await?;
    let version = call.version()?;
    check(&call, Some(version), request).await
}

#[derive(Debug, Serialize)]
struct CompatibilityBody {
    is_compatible: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    messages: Option<Vec<String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<String>,
}

/// Asks, and shows the reasons if `verbose`, and the smallest safe change if `hints`. A text that does not parse is 422, or when verbose an incompatibility.
pub(super) async fn check(
    call: &Call,
    version: Option<VersionSpec>,
    request: SchemaRequest,
) -> Result<Answer, SrError> {
    let verbose = call.query().flag("verbose");
    let subject = call.aliased_subject().await?;
    let checked = call.registry().check_compatibility(&call.caller, &subject, version, request, call.normalize()).await;
    let says = |text| CompatibilityReport { messages: vec![text], ..CompatibilityReport::default() };
    let report = match checked {
        Err(Error::InvalidSchema { outline, cause }) if verbose => says(invalid_schema(outline.as_deref(), &cause)),
        Err(Error::InvalidRequestSchema(text)) if verbose => says(text),
        checked => checked?,
    };
    let messages = verbose.then_some(report.messages);
    let hint = report.hint.filter(|_| call.query().flag("hints"));
    Ok(Answer::json(&CompatibilityBody { is_compatible: report.is_compatible, messages, hint }))
}
