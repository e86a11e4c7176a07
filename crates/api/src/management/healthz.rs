//! `GET /healthz`

use std::convert::Infallible;

use crate::answer::Answer;
use crate::call::Call;

/// `GET /healthz` → 200 `{"status":"up"}` as long as the process answers at all.
pub(super) async fn healthz(_: Call) -> Result<Answer, Infallible> {
    Ok(Answer::json_text(&br#"{"status":"up"}"#[..]))
}
