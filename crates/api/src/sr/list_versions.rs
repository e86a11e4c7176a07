//! `GET /subjects/{subject}/versions`

use sluice_registry::VersionListing;

use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /subjects/{subject}/versions?deleted&deletedOnly&deletedAsNegative&offset&limit` → version numbers, ascending.
/// 40401.
pub(super) async fn list_versions(call: Call) -> Result<Answer, SrError> {
    let page = call.page()?;
    let listing = match call.query().flag("deletedAsNegative") {
        true => VersionListing::DeletedAsNegative(call.view()),
        false => VersionListing::View(call.view()),
    };
    let subject = call.aliased_subject().await?;
    let versions = call.registry().versions(&call.caller, &subject, listing, page).await?;
    Ok(Answer::json(&versions))
}
