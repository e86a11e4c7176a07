//! `GET /schemas`

use sluice_registry::ListSchemas;

use super::entity::SchemaBody;
use super::error::SrError;
use crate::answer::Answer;
use crate::call::Call;
use crate::error::HttpError;
use crate::query::Query;

/// `GET /schemas?subjectPrefix&aliases&deleted&latestOnly&ruleType&resourceType&associationType&lifecycle&offset&limit` →
/// entities by subject and version. Without a prefix those of the default context.
pub(super) async fn get_schemas(call: Call) -> Result<Answer, SrError> {
    let page = call.schemas_page()?;
    let query = call.query();
    if !asks_for_subjects_without_association(query)? {
        return Ok(Answer::json_text(&b"[]"[..]));
    }
    let list = ListSchemas {
        subject_prefix: call.subject_prefix(""),
        include: call.include(),
        latest_only: query.flag("latestOnly"),
        aliases: query.flag("aliases"),
        rule_type: query.get("ruleType").filter(|word| !word.is_empty()).map(|word| word.into_owned()),
        page,
    };
    let listed = call.registry().schemas(&call.caller, list).await?;
    let bodies: Vec<SchemaBody<'_>> = listed.iter().map(SchemaBody::listed).collect();
    Ok(Answer::json(&bodies))
}

/// Whether the filters by association let subjects without any through. There are no others: this server has no
/// associations. 404 for a `lifecycle` that is none.
fn asks_for_subjects_without_association(query: Query<'_>) -> Result<bool, SrError> {
    const LIFECYCLES: &[&str] = &["STRONG", "WEAK", "NONE"];
    let given = |name: &str| -> Vec<String> {
        let mut values = query.all(name);
        values.retain(|value| !value.is_empty());
        values
    };
    let lifecycles = given("lifecycle");
    if lifecycles.iter().any(|word| !LIFECYCLES.contains(&word.as_str())) {
        return Err(HttpError::NotFound.into());
    }
    let is_filtered = ["resourceType", "associationType", "lifecycle"].iter().any(|name| !given(name).is_empty());
    Ok(!is_filtered || lifecycles.iter().any(|word| word == "NONE"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The recordings of `core-list-schemas-main`.
    #[test]
    fn a_filter_by_association_finds_nothing_but_subjects_without_one() {
        let asks = |raw| asks_for_subjects_without_association(Query::new(raw));
        for raw in ["", "subjectPrefix=s", "lifecycle=NONE", "lifecycle=STRONG&lifecycle=NONE", "lifecycle="] {
            assert!(asks(raw).unwrap(), "{raw}");
        }
        for raw in ["resourceType=topic", "associationType=value", "lifecycle=STRONG", "lifecycle=WEAK"] {
            assert!(!asks(raw).unwrap(), "{raw}");
        }
        assert!(asks("lifecycle=BOGUS").is_err());
    }
}
