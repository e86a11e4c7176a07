//! `GET /v1/metadata/version`

use serde_json::json;

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /v1/metadata/version` → our version, and the commit if the build named it (`SLUICE_COMMIT`).
pub(super) async fn get_schema_registry_version(_: Call) -> Result<Answer, SrError> {
    let commit = option_env!("SLUICE_COMMIT").unwrap_or("unknown");
    Ok(Answer::json(&json!({"version": env!("CARGO_PKG_VERSION"), "commitId": commit})))
}
