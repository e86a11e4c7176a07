//! `DELETE /config`

use super::config::shown;
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `DELETE /config` → the config that was.
pub(super) async fn delete_top_level_config(call: Call) -> Result<Answer, SrError> {
    let config = call.registry().delete_config(&call.caller, &call.scope()).await?;
    Ok(Answer::json(&shown(config)))
}
