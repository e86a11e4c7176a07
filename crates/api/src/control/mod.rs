//! The control surface, on the management listener: what operators and the console ask.
//!
//! One file per operation. So far: reading records back.

mod read_records;

use crate::media::{ChecksContentType, Media, Produced};
use crate::route::routes;

static MEDIA: Media = Media {
    produces: &[Produced { name: "application/json", weight: 1000 }],
    consumes: &["application/json"],
    checks: ChecksContentType::WithBody,
    refuses_accept: false,
};

routes! {
    /// `/cp/v1`
    pub(crate) static ROUTES: Management, media: &MEDIA;
    Get "/cp/v1/topics/{topic_name}/records" => read_records, Read(Server);
}
