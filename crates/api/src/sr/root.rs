//! `GET /`, `POST /`

use crate::answer::Answer;
use crate::call::Call;
use crate::error::HttpError;

/// `GET /` → 200 `{}`. What load balancers ask.
pub(super) async fn root(_: Call) -> Result<Answer, HttpError> {
    Ok(Answer::json_text(&b"{}"[..]))
}
