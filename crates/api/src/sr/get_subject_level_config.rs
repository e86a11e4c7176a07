//! `GET /config/{subject}`

use super::config::shown;
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /config/{subject}?defaultToGlobal` → the config of a subject or context. 40408 if it has none of its own and
/// `defaultToGlobal` is not set.
pub(super) async fn get_subject_level_config(call: Call) -> Result<Answer, SrError> {
    let default_to_global = call.query().flag("defaultToGlobal");
    let config = call.registry().config(&call.caller, &call.scope(), default_to_global).await?;
    Ok(Answer::json(&shown(config)))
}
