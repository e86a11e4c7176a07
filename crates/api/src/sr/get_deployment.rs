//! `GET /v1/metadata/deployment`

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /v1/metadata/deployment` → no attributes.
pub(super) async fn get_deployment(_: Call) -> Result<Answer, SrError> {
    Ok(Answer::json_text(&br#"{"attributes":[]}"#[..]))
}
