//! `GET /v3/clusters/{cluster_id}/topics`

use super::RestError;
use super::links::Links;
use super::resource::{List, topic};
use crate::answer::Answer;
use crate::call::Call;

/// `GET …/topics?includeAuthorizedOperations` → `KafkaTopicList` by name, internal topics left out.
pub(super) async fn list_topics(call: Call) -> Result<Answer, RestError> {
    let (links, cluster) = (Links::of(&call), call.path("cluster_id"));
    let operations = call.authorized_operations("includeAuthorizedOperations");
    let topics = call.data().topics(&call.caller, &cluster, operations).await?;
    let data = topics.iter().map(|described| topic(&links, &cluster, described)).collect();
    Ok(Answer::json(&List::of("KafkaTopicList", links.cluster(&cluster, "/topics"), data)))
}
