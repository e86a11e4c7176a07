//! `POST /compatibility/subjects/{subject}/versions`

use super::error::SrError;
use super::request::big_schema_request;
use super::test_compatibility_with_version::check;
use crate::answer::Answer;
use crate::call::Call;

/// `POST /compatibility/subjects/{subject}/versions?normalize&verbose&hints` → the check that a registration would make.
pub(super) async fn test_compatibility(mut call: Call) -> Result<Answer, SrError> {
    let body = call.read_body().await?;
    let missing = "testCompatibilityForSubject.arg3 must not be null (was null)";
    let request = big_schema_request(call.registry(), body, missing).await?;
    check(&call, None, request).await
}
