//! `GET /config`

use super::config::shown;
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /config?defaultToGlobal` → the config of the default context; its level always shown.
pub(super) async fn get_top_level_config(call: Call) -> Result<Answer, SrError> {
    let default_to_global = call.query().flag("defaultToGlobal");
    let config = call.registry().config(&call.caller, &call.scope(), default_to_global).await?;
    Ok(Answer::json(&shown(config)))
}
