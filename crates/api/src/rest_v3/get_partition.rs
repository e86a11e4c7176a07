//! `GET /v3/clusters/{cluster_id}/topics/{topic_name}/partitions/{partition_id}`

use super::RestError;
use super::links::Links;
use super::resource::partition;
use crate::answer::Answer;
use crate::call::Call;

/// `GET …/partitions/{partition_id}` → `KafkaPartition`; an unknown partition, or cluster, is the generic 404.
pub(super) async fn get_partition(call: Call) -> Result<Answer, RestError> {
    let number = call.int_path("partition_id")?;
    let (cluster, topic) = (call.path("cluster_id"), call.path("topic_name"));
    let described = call.data().partition(&call.caller, &cluster, &topic, number).await;
    let described = described.map_err(|error| RestError::of_partition(error, &topic, number))?;
    Ok(Answer::json(&partition(&Links::of(&call), &cluster, &topic, &described)))
}
