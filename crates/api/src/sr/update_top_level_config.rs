//! `PUT /config`

use super::config::{Emptied, UpdatedConfig};
use super::error::SrError;
use super::request::config_update;
use crate::answer::Answer;
use crate::call::Call;

/// `PUT /config` → what is stored afterwards; absent fields are kept, `null` clears.
/// 42203, 42205, 42208, 42210.
pub(super) async fn update_top_level_config(mut call: Call) -> Result<Answer, SrError> {
    let body = call.read_body().await?;
    let update = config_update(&body, "updateTopLevelConfig.arg1 must not be null (was null)")?;
    let emptied = Emptied::from(&update);
    let config = call.registry().update_config(&call.caller, &call.scope(), update).await?;
    Ok(Answer::json(&UpdatedConfig::new(config, &emptied)))
}
