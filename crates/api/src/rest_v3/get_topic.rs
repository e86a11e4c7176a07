//! `GET /v3/clusters/{cluster_id}/topics/{topic_name}`

use super::RestError;
use super::links::Links;
use super::resource::topic;
use crate::answer::Answer;
use crate::call::Call;

/// `GET …/topics/{topic_name}?include_authorized_operations` → `KafkaTopic`, internal ones too.
pub(super) async fn get_topic(call: Call) -> Result<Answer, RestError> {
    let cluster = call.path("cluster_id");
    let operations = call.authorized_operations("include_authorized_operations");
    let described = call.data().topic(&call.caller, &cluster, &call.path("topic_name"), operations).await?;
    Ok(Answer::json(&topic(&Links::of(&call), &cluster, &described)))
}
