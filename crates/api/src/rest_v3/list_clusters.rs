//! `GET /v3/clusters`

use super::RestError;
use super::links::Links;
use super::resource::{List, cluster};
use crate::answer::Answer;
use crate::call::Call;

/// `GET /v3/clusters` → `KafkaClusterList`: the only cluster; or groups (the default one first), then clusters.
pub(super) async fn list_clusters(call: Call) -> Result<Answer, RestError> {
    let links = Links::of(&call);
    let views = call.data().clusters(&call.caller).await?;
    let data = views.iter().map(|view| cluster(&links, view)).collect();
    Ok(Answer::json(&List::of("KafkaClusterList", links.clusters(), data)))
}
