//! `GET /mode/{subject}`

use super::error::SrError;
use super::mode::ModeBody;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /mode/{subject}?defaultToGlobal` → `{"mode": …}`. 40409.
pub(super) async fn get_subject_mode(call: Call) -> Result<Answer, SrError> {
    let default_to_global = call.query().flag("defaultToGlobal");
    let mode = call.registry().mode(&call.caller, &call.scope(), default_to_global).await?;
    Ok(Answer::json(&ModeBody::of(mode)))
}
