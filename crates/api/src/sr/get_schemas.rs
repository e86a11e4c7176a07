//! `GET /schemas`

use sluice_registry::ListSchemas;

use super::entity::SchemaBody;
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;

/// `GET /schemas?subjectPrefix&aliases&deleted&latestOnly&ruleType&resourceType&associationType&lifecycle&offset&limit` →
/// entities by subject and version. Without a prefix those of the default context.
pub(super) async fn get_schemas(call: Call) -> Result<Answer, SrError> {
    let page = call.schemas_page()?;
    let query = call.query();
    let list = ListSchemas {
        subject_prefix: call.subject_prefix(""),
        include: call.include(),
        latest_only: query.flag("latestOnly"),
        aliases: query.flag("aliases"),
        rule_type: query.get("ruleType").filter(|word| !word.is_empty()).map(|word| word.into_owned()),
        associated: call.associated()?,
        page,
    };
    let listed = call.registry().schemas(&call.caller, list).await?;
    let bodies: Vec<SchemaBody<'_>> = listed.iter().map(SchemaBody::listed).collect();
    Ok(Answer::json(&bodies))
}
