//! `GET /schemas/types`

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /schemas/types` → the languages this build parses.
pub(super) async fn get_schema_types(call: Call) -> Result<Answer, SrError> {
    let types: Vec<&str> = call.registry().schema_types().iter().map(|known| known.wire()).collect();
    Ok(Answer::json(&types))
}
