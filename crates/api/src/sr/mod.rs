//! The Schema Registry surface: one file per operation, each decode → one use case → encode.
//!
//! `params.rs` reads paths and queries, `request.rs` bodies, `entity.rs` writes answers, `error.rs` knows the codes.
//! The DEK registry and exporters are not here (`api-spec/not-implemented.txt`): plain 404s.
//!
//! Source: schema-registry.md §1 and the recordings of release 8.5.

mod association;
mod batch_get_associations;
mod config;
mod create_association;
mod create_or_update_association;
mod delete_associations;
mod delete_context;
mod delete_mode;
mod delete_schema_version;
mod delete_subject;
mod delete_subject_config;
mod delete_subject_mode;
mod delete_top_level_config;
mod entity;
mod error;
mod get_associations_by_resource_id;
mod get_associations_by_resource_name;
mod get_associations_by_subject;
mod get_cluster_id;
mod get_deployment;
mod get_ids_by_guid;
mod get_latest_with_metadata;
mod get_mode;
mod get_referenced_by;
mod get_schema_by_guid;
mod get_schema_by_id;
mod get_schema_by_version;
mod get_schema_registry_version;
mod get_schema_text;
mod get_schema_text_by_id;
mod get_schema_types;
mod get_schemas;
mod get_subject_level_config;
mod get_subject_mode;
mod get_subjects_by_id;
mod get_top_level_config;
mod get_versions_by_id;
mod list_contexts;
mod list_subjects;
mod list_versions;
mod look_up_schema;
mod mode;
mod modify_tags;
mod mutate_associations;
mod params;
mod post_root;
mod register_schema;
mod request;
mod root;
mod test_compatibility;
mod test_compatibility_with_version;
mod update_mode;
mod update_subject_level_config;
mod update_subject_mode;
mod update_top_level_config;

pub use error::{SrError, wire};
pub use request::read_bodies;

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
    Get    "/" => root, Read(Open);
    Post   "/" => post_root, Read(Open);
    Get    "/v1/metadata/id" => get_cluster_id, Read(Open);
    Get    "/v1/metadata/version" => get_schema_registry_version, Read(Open);
    Get    "/v1/metadata/deployment" => get_deployment, Read(Open);
    Get    "/subjects" => list_subjects, Read(Schema);
    Post   "/subjects/{subject}" => look_up_schema, Read(Subject);
    Delete "/subjects/{subject}" => delete_subject, Delete(Subject);
    Get    "/subjects/{subject}/metadata" => get_latest_with_metadata, Read(Subject);
    Get    "/subjects/{subject}/versions" => list_versions, Read(Subject);
    Post   "/subjects/{subject}/versions" => register_schema, Write(Subject);
    Get    "/subjects/{subject}/versions/{version}" => get_schema_by_version, Read(Subject);
    Delete "/subjects/{subject}/versions/{version}" => delete_schema_version, Delete(Subject);
    Get    "/subjects/{subject}/versions/{version}/schema" => get_schema_text, Read(Subject);
    Get    "/subjects/{subject}/versions/{version}/referencedby" => get_referenced_by, Read(Subject);
    Post   "/subjects/{subject}/versions/{version}/tags" => modify_tags, Write(Subject);
    Get    "/schemas" => get_schemas, Read(Schema);
    Get    "/schemas/types" => get_schema_types, Read(Open);
    Get    "/schemas/ids/{id}" => get_schema_by_id, Read(Schema), recall: get_schema_by_id::recall;
    Get    "/schemas/ids/{id}/schema" => get_schema_text_by_id, Read(Schema);
    Get    "/schemas/ids/{id}/subjects" => get_subjects_by_id, Read(Schema);
    Get    "/schemas/ids/{id}/versions" => get_versions_by_id, Read(Schema);
    Get    "/schemas/guids/{guid}" => get_schema_by_guid, Read(Schema);
    Get    "/schemas/guids/{guid}/ids" => get_ids_by_guid, Read(Schema);
    Post   "/compatibility/subjects/{subject}/versions" => test_compatibility, Read(Subject);
    Post   "/compatibility/subjects/{subject}/versions/{version}" => test_compatibility_with_version, Read(Subject);
    Get    "/config" => get_top_level_config, Read(Subject);
    Put    "/config" => update_top_level_config, Configure(Subject);
    Delete "/config" => delete_top_level_config, Configure(Subject);
    Get    "/config/{subject}" => get_subject_level_config, Read(Subject);
    Put    "/config/{subject}" => update_subject_level_config, Configure(Subject);
    Delete "/config/{subject}" => delete_subject_config, Configure(Subject);
    Get    "/mode" => get_mode, Read(Subject);
    Put    "/mode" => update_mode, Configure(Subject);
    Delete "/mode" => delete_mode, Configure(Subject);
    Get    "/mode/{subject}" => get_subject_mode, Read(Subject);
    Put    "/mode/{subject}" => update_subject_mode, Configure(Subject);
    Delete "/mode/{subject}" => delete_subject_mode, Configure(Subject);
    Get    "/contexts" => list_contexts, Read(Schema);
    Delete "/contexts/{context}" => delete_context, Delete(Context);
    Get    "/associations/subjects/{subject}" => get_associations_by_subject, Read(Subject);
    Get    "/associations/resources/{resource_id}" => get_associations_by_resource_id, Read(Schema);
    Put    "/associations/resources/{resource_id}" => create_or_update_association, Write(Schema);
    Delete "/associations/resources/{resource_id}" => delete_associations, Delete(Schema);
    Get    "/associations/resources/{namespace}/{name}" => get_associations_by_resource_name, Read(Schema);
    Post   "/associations" => create_association, Write(Schema);
    Post   "/associations:batchGet" => batch_get_associations, Read(Schema);
    Post   "/associations:batchMutate" => mutate_associations, Write(Schema);
}
