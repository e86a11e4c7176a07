//! `POST /`

use super::error::SrError;
use super::request::any_object;
use crate::answer::Answer;
use crate::call::Call;

/// `POST /` with any JSON object → 200 `{}`.
pub(super) async fn post_root(mut call: Call) -> Result<Answer, SrError> {
    let body = call.read_body().await?;
    any_object(&body)?;
    Ok(Answer::json_text(&b"{}"[..]))
}
