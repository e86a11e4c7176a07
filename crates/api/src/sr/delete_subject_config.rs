//! `DELETE /config/{subject}`

use super::config::shown;
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `DELETE /config/{subject}` → the config that was. 40401 if there was none.
pub(super) async fn delete_subject_config(call: Call) -> Result<Answer, SrError> {
    let config = call.registry().delete_config(&call.caller, &call.scope()).await?;
    Ok(Answer::json(&shown(config)))
}
