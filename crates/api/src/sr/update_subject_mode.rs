//! `PUT /mode/{subject}`

use serde_json::json;

use super::error::SrError;
use super::mode::parse;
use super::request::mode_update;
use crate::answer::Answer;
use crate::call::Call;

/// `PUT /mode/{subject}?force` → the mode as it was written, whatever its case; `null` clears. 42208, 42204, 42205, 42206.
pub(super) async fn update_subject_mode(mut call: Call) -> Result<Answer, SrError> {
    let body = call.read_body().await?;
    let written = mode_update(&body, "updateMode.arg2 must not be null (was null)")?;
    let scope = call.scope();
    // A name that cannot have a mode is told before a word that is none.
    scope.check_name()?;
    let mode = written.as_deref().map(parse).transpose()?;
    let force = call.query().flag("force");
    call.registry().update_mode(&call.caller, &scope, mode, force).await?;
    Ok(Answer::json(&json!({"mode": written})))
}
