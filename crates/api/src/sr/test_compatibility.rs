//! `POST /compatibility/subjects/{subject}/versions`

use super::error::SrError;
use super::request::schema_request;
use super::test_compatibility_with_version::check;
use crate::answer::Answer;
use crate::call::Call;

/// `POST /compatibility/subjects/{subject}/versions?normalize&verbose&hints` → the check that a registration would make.
pub(super) async fn test_compatibility(mut call: Call) -> Result<Answer, SrError> {
    let body = call.read_body().await?;
    let request = schema_request(&body, "testCompatibilityForSubject.arg3 must not be null (was null)")?;
    check(&call, None, request).await
}
