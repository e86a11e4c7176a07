//! `GET /associations/subjects/{subject}`

use sluice_registry::store::AssociationsOf;

use super::association::AssociationBody;
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /associations/subjects/{subject}?resourceType&associationType&lifecycle&offset&limit` → associations of a subject.
pub(super) async fn get_associations_by_subject(call: Call) -> Result<Answer, SrError> {
    let (filter, page) = (call.association_filter()?, call.schemas_page()?);
    let of = AssociationsOf::Subject(call.aliased_subject().await?);
    let found = call.registry().associations(&call.caller, &of, &filter, page).await?;
    let bodies: Vec<AssociationBody<'_>> = found.iter().map(AssociationBody::from).collect();
    Ok(Answer::json(&bodies))
}
