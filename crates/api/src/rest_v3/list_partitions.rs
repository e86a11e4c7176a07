//! `GET /v3/clusters/{cluster_id}/topics/{topic_name}/partitions`

use super::RestError;
use super::links::Links;
use super::resource::{List, partition};
use crate::answer::Answer;
use crate::call::Call;

/// `GET …/partitions` → `KafkaPartitionList` by number.
pub(super) async fn list_partitions(call: Call) -> Result<Answer, RestError> {
    let (links, cluster, topic) = (Links::of(&call), call.path("cluster_id"), call.path("topic_name"));
    let partitions = call.data().partitions(&call.caller, &cluster, &topic).await?;
    let data = partitions.iter().map(|described| partition(&links, &cluster, &topic, described)).collect();
    Ok(Answer::json(&List::of("KafkaPartitionList", links.topic(&cluster, &topic, "/partitions"), data)))
}
