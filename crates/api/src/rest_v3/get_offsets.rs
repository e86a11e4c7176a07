//! `GET /v3/clusters/{cluster_id}/topics/{topic_name}/partitions/{partition_id}/offset`

use sluice_data_plane::error::Error;

use super::RestError;
use super::links::Links;
use super::resource::offsets;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::Wire;

/// Why offsets were not given.
pub(super) enum OffsetsError {
    /// As everywhere.
    Rest(RestError),
    /// Here an unknown partition has a code of its own.
    UnknownPartition,
}

impl From<RestError> for OffsetsError {
    fn from(error: RestError) -> OffsetsError {
        OffsetsError::Rest(error)
    }
}

impl From<OffsetsError> for Wire {
    fn from(error: OffsetsError) -> Wire {
        match error {
            OffsetsError::Rest(error) => error.into(),
            OffsetsError::UnknownPartition => Wire::new(404, 40402, "Partition not found."),
        }
    }
}

/// `GET …/offset?offset_type=earliest_and_latest` → `KafkaPartitionWithOffsets`; the latest is the high watermark.
pub(super) async fn get_offsets(call: Call) -> Result<Answer, OffsetsError> {
    let number = call.int_path("partition_id").map_err(RestError::Http)?;
    if let Some(kind) = call.query().get("offset_type")
        && kind != "earliest_and_latest"
    {
        return Err(RestError::BadParameter(format!("offset_type:{kind} is invalid")).into());
    }
    let (cluster, topic) = (call.path("cluster_id"), call.path("topic_name"));
    let range = match call.data().offsets(&call.caller, &cluster, &topic, number).await {
        Ok(range) => range,
        Err(Error::UnknownPartition(_)) => return Err(OffsetsError::UnknownPartition),
        Err(error) => return Err(RestError::of_partition(error, &topic, number).into()),
    };
    Ok(Answer::json(&offsets(&Links::of(&call), &cluster, &topic, number, range)))
}
