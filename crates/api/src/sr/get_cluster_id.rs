//! `GET /v1/metadata/id`

use serde_json::json;

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /v1/metadata/id` → which Kafka cluster and which registry this is.
pub(super) async fn get_cluster_id(call: Call) -> Result<Answer, SrError> {
    let kafka = call.api.settings.kafka_cluster_id.as_deref().unwrap_or("sluice");
    Ok(Answer::json(&json!({
        "scope": {"path": [], "clusters": {"kafka-cluster": kafka, "schema-registry-cluster": "schema-registry"}}
    })))
}
