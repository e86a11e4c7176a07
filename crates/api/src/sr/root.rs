//! `GET /`

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /` → 200 `{}`. What load balancers ask.
pub(super) async fn root(_: Call) -> Result<Answer, SrError> {
    Ok(Answer::json_text(&b"{}"[..]))
}
