//! The REST Proxy's v3 surface: one file per operation, each decode → one use case → encode.
//!
//! `resource.rs` writes resources with their links, `links.rs` knows the paths, `error.rs` the codes.
//!
//! Source: rest-proxy v3 of release 8.5 and its recordings (`compat-tests/golden/rest`).

mod create_topic;
mod encoding;
mod error;
mod get_cluster;
mod get_offsets;
mod get_partition;
mod get_topic;
mod links;
mod list_clusters;
mod list_partitions;
mod list_topics;
mod produce_records;
mod record;
mod record_error;
mod record_stream;
mod report;
mod resource;
mod timestamp;
mod tokens;

pub use error::{RestError, wire};
pub use record_error::record_wire;
pub use record_stream::split_all;

use sluice_data_plane::DataPlane;
use sluice_data_plane::admin::AuthorizedOperations;

use crate::call::Call;
use crate::media::{ChecksContentType, Media, Produced};
use crate::route::routes;

pub(crate) static MEDIA: Media = Media {
    produces: &[Produced { name: "application/json", weight: 1000 }],
    consumes: &["application/json"],
    checks: ChecksContentType::WithBody,
    refuses_accept: true,
};

routes! {
    /// The v3 API.
    pub(crate) static ROUTES: Rest, media: &MEDIA;
    Get  "/v3/clusters" => list_clusters, Read(Cluster);
    Get  "/v3/clusters/{cluster_id}" => get_cluster, Read(Cluster);
    Get  "/v3/clusters/{cluster_id}/topics" => list_topics, Read(Cluster);
    Post "/v3/clusters/{cluster_id}/topics" => create_topic, Create(Cluster);
    Get  "/v3/clusters/{cluster_id}/topics/{topic_name}" => get_topic, Read(Topic);
    Get  "/v3/clusters/{cluster_id}/topics/{topic_name}/partitions" => list_partitions, Read(Topic);
    Get  "/v3/clusters/{cluster_id}/topics/{topic_name}/partitions/{partition_id}" => get_partition, Read(Topic);
    Get  "/v3/clusters/{cluster_id}/topics/{topic_name}/partitions/{partition_id}/offset" => get_offsets, Read(Topic);
    Post "/v3/clusters/{cluster_id}/topics/{topic_name}/records" => produce_records, Write(Topic);
}

/// `2024-02-29T12:30:45.678Z` of milliseconds since 1970: timestamps of every surface.
pub(crate) fn timestamp_text(millis: i64) -> String {
    let mut out = Vec::with_capacity(24);
    timestamp::write(millis, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

impl Call {
    /// The data plane.
    pub(crate) fn data(&self) -> &DataPlane {
        &self.api.services.data
    }

    /// A query flag that asks for authorised operations; the list and the single topic spell it differently.
    fn authorized_operations(&self, name: &str) -> AuthorizedOperations {
        if self.query().flag(name) { AuthorizedOperations::Include } else { AuthorizedOperations::LeaveOut }
    }
}
