//! `POST /`

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;
use crate::decode::{Fields, body_text, document};

/// `POST /` with any JSON object → 200 `{}`.
pub(super) async fn post_root(mut call: Call) -> Result<Answer, SrError> {
    let body = call.read_body().await?;
    let body = body_text(&body)?;
    if let Some(value) = document(&body)? {
        Fields::of(value, "Map")?.done();
    }
    Ok(Answer::json_text(&b"{}"[..]))
}
