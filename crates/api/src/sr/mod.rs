//! The Schema Registry surface: one file per operation.
//!
//! Source: schema-registry.md §1 and the recordings of release 8.5.

mod root;

use crate::media::{ChecksContentType, Media, Produced};
use crate::route::routes;

pub(crate) static MEDIA: Media = Media {
    produces: &[
        Produced { name: "application/vnd.schemaregistry.v1+json", weight: 1000 },
        Produced { name: "application/vnd.schemaregistry+json", weight: 900 },
        Produced { name: "application/json", weight: 500 },
    ],
    consumes: &[
        "application/vnd.schemaregistry.v1+json",
        "application/vnd.schemaregistry+json",
        "application/json",
        "application/octet-stream",
    ],
    checks: ChecksContentType::Always,
    refuses_accept: true,
};

routes! {
    /// The Schema Registry API.
    pub(crate) static ROUTES: Registry, media: &MEDIA;
    Get "/" => root, Read(Open);
}
