//! `GET /v3/clusters/{cluster_id}`

use super::RestError;
use super::links::Links;
use super::resource::cluster;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /v3/clusters/{cluster_id}` → `KafkaCluster`; an unknown id is the generic 404.
pub(super) async fn get_cluster(call: Call) -> Result<Answer, RestError> {
    let view = call.data().cluster(&call.caller, &call.path("cluster_id")).await.map_err(RestError::DataOfOne)?;
    Ok(Answer::json(&cluster(&Links::of(&call), &view)))
}
