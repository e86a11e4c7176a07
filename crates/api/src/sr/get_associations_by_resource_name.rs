//! `GET /associations/resources/{namespace}/{name}`

use sluice_registry::store::AssociationsOf;

use super::association::AssociationBody;
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /associations/resources/{namespace}/{name}?resourceType&associationType&lifecycle&offset&limit` → associations of resources by name.
/// `-` is any namespace, or any name. What serializers ask before they name a subject: none known is an empty list.
pub(super) async fn get_associations_by_resource_name(call: Call) -> Result<Answer, SrError> {
    let (filter, page) = (call.association_filter()?, call.schemas_page()?);
    let part = |name| Some(call.path(name).into_owned()).filter(|text| text != "-");
    let of = AssociationsOf::Resource { namespace: part("namespace"), name: part("name") };
    let found = call.registry().associations(&call.caller, &of, &filter, page).await?;
    let bodies: Vec<AssociationBody<'_>> = found.iter().map(AssociationBody::from).collect();
    Ok(Answer::json(&bodies))
}
