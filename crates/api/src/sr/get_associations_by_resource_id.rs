//! `GET /associations/resources/{resource_id}`

use sluice_registry::store::AssociationsOf;

use super::association::AssociationBody;
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /associations/resources/{resource_id}?resourceType&associationType&lifecycle&offset&limit` → associations of a resource.
pub(super) async fn get_associations_by_resource_id(call: Call) -> Result<Answer, SrError> {
    let (filter, page) = (call.association_filter()?, call.schemas_page()?);
    let of = AssociationsOf::ResourceId(call.path("resource_id").into_owned());
    let found = call.registry().associations(&call.caller, &of, &filter, page).await?;
    let bodies: Vec<AssociationBody<'_>> = found.iter().map(AssociationBody::from).collect();
    Ok(Answer::json(&bodies))
}
