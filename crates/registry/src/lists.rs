//! Lists across subjects: `GET /subjects`, `GET /schemas`.
//!
//! Sorted by qualified name, then version. Pages are cut last, after filters and order; contents are read only for the
//! page that is shown.
//!
//! Source: schema-registry.md §1.4, §1.6.

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::register::entity_of;
use crate::store::{Contexts, VersionRow, View};
use crate::*;

/// Contents read at once for a page of schemas.
const READS: usize = 16;

impl Registry {
    /// `GET /subjects`: qualified names, sorted. `prefix` as given: `:*:` for every context, `:.ctx:x`, or plain.
    pub async fn subjects(
        &self,
        caller: &Caller,
        prefix: &str,
        view: View,
        page: Page,
    ) -> Result<Vec<SubjectName>, Error> {
        let (contexts, prefix) = parse_prefix(prefix);
        let mut subjects = self.inner.store.subjects(&contexts, &prefix, view).await?;
        subjects.retain(|subject| caller.may(Action::Read, &Resource::Subject(subject)));
        Ok(page.of(subjects))
    }

    /// `GET /schemas`
    pub async fn schemas(&self, caller: &Caller, list: ListSchemas) -> Result<Vec<SchemaEntity>, Error> {
        let (contexts, prefix) = parse_prefix(&list.subject_prefix);
        let view = if list.include == Include::Deleted { View::WithDeleted } else { View::Live };
        let mut rows: Vec<(SubjectName, VersionRow)> = Vec::new();
        for (subject, state) in self.inner.store.subject_states(&contexts, &prefix, view).await? {
            if !caller.may(Action::Read, &Resource::Subject(&subject)) {
                continue;
            }
            let mut shown = state.versions.into_iter().filter(|row| list.include == Include::Deleted || !row.deleted);
            if list.latest_only {
                rows.extend(shown.next_back().map(|row| (subject, row)));
            } else {
                rows.extend(shown.map(|row| (subject.clone(), row)));
            }
        }
        let Some(rule_type) = &list.rule_type else {
            return self.entities(list.page.of(rows)).await;
        };
        let mut entities = self.entities(rows).await?;
        entities.retain(|entity| has_rule_of(&entity.content, rule_type));
        Ok(list.page.of(entities))
    }

    /// The rows with their contents, in this order. A version that vanishes meanwhile is left out.
    async fn entities(&self, rows: Vec<(SubjectName, VersionRow)>) -> Result<Vec<SchemaEntity>, Error> {
        let read = rows.into_iter().map(|(subject, row)| async move {
            match self.content_of(&subject, &row).await {
                Ok(content) => Ok(Some(entity_of(&subject, &row, content, None))),
                Err(Error::VersionNotFound { .. }) => Ok(None),
                Err(error) => Err(error),
            }
        });
        let found: Vec<Option<SchemaEntity>> = stream::iter(read).buffered(READS).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }
}

fn has_rule_of(content: &Content, rule_type: &str) -> bool {
    let Some(rules) = &content.rule_set else { return false };
    let lists = [&rules.migration_rules, &rules.domain_rules, &rules.encoding_rules];
    lists.into_iter().flatten().any(|rule| rule.type_.as_deref() == Some(rule_type))
}

/// Contexts and name prefix of a `subjectPrefix`.
fn parse_prefix(prefix: &str) -> (Contexts, String) {
    if let Some(rest) = prefix.strip_prefix(":*:") {
        return (Contexts::All, rest.to_owned());
    }
    let subject = SubjectName::parse(prefix);
    (Contexts::One(subject.context().clone()), subject.name().to_owned())
}

#[cfg(test)]
mod tests;
