//! `DELETE /mode`

use sluice_registry::Mode;

use super::error::SrError;
use super::mode::ModeBody;
use crate::answer::Answer;
use crate::call::Call;

/// `DELETE /mode?recursive` → the mode that was; `{}` if there was none and `recursive` is set.
pub(super) async fn delete_mode(call: Call) -> Result<Answer, SrError> {
    let recursive = call.query().flag("recursive");
    let mode = call.registry().delete_mode(&call.caller, &call.scope(), recursive).await?;
    Ok(Answer::json(&ModeBody { mode: mode.map(Mode::wire) }))
}
