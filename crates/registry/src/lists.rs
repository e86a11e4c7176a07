//! Lists across subjects: `GET /subjects`, `GET /schemas`.
//!
//! Names come from the list that the caches keep, schemas from the store. Sorted by qualified name, then version. Pages
//! are cut last, after filters and order; contents are read only for the page that is shown.
//!
//! Source: schema-registry.md §1.4, §1.6.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream::{self, StreamExt, TryStreamExt};

use crate::cache::{Known, NameList, Standing};
use crate::load::Freshness;
use crate::register::entity_of;
use crate::settings::alias_target;
use crate::store::{AssociationsOf, Contexts, SubjectState, VersionRow, View};
use crate::*;

/// Subjects or contents read at once for a page of schemas.
const READS: usize = 16;

impl Registry {
    /// `GET /subjects`: qualified names, sorted. `prefix` as given: `:*:` for every context, `:.ctx:x`, `:.c` for the
    /// contexts whose names start so, or plain.
    pub async fn subjects(&self, caller: &Caller, prefix: &str, view: View, page: Page) -> Result<Vec<String>, Error> {
        let Some(Prefix { contexts, within, name }) = parse_prefix(prefix) else { return Ok(Vec::new()) };
        if within.is_none()
            && let Some(names) = self.names().await?
        {
            let caller = caller.clone();
            let bytes = names.weight_bytes();
            return self.print_off_thread(bytes, move || names.shown(&caller, &contexts, &name, view, page)).await;
        }
        let mut subjects = self.inner.store.subjects(&contexts, &name, view).await?;
        subjects.retain(|subject| is_within(&within, subject) && caller.may(Action::Read, &Resource::Subject(subject)));
        Ok(page.of(subjects).iter().map(SubjectName::qualified).collect())
    }

    /// The list of all names, read or mended if need be; `None` if it cannot be kept: it is too heavy, or nobody tells
    /// this node what others write.
    async fn names(&self) -> Result<Option<Arc<NameList>>, Error> {
        let names = &self.inner.caches.names;
        if !self.is_notified() {
            // While the store is away the last one goes on being shown.
            return if self.coherence().behind { Ok(names.last()) } else { Ok(None) };
        }
        if let Known::Current(list) = names.known() {
            return Ok(Some(list));
        }
        let _turn = names.turn.lock().await;
        let (list, as_of) = match names.known() {
            Known::Current(list) => return Ok(Some(list)),
            Known::TooHeavy => return Ok(None),
            Known::Touched(list, touched, as_of) => {
                let look = touched.into_iter().map(|subject| async move {
                    let found = self.load_subject(&subject, Freshness::Cached).await?;
                    Ok::<_, Error>((subject, Standing::of(&found.state)))
                });
                let changed: Vec<_> = stream::iter(look).buffered(READS).try_collect().await?;
                (self.print_off_thread(list.weight_bytes(), move || list.mended(changed)).await?, as_of)
            }
            Known::Unread => {
                let as_of = names.begin();
                let store = &self.inner.store;
                let all = store.subjects(&Contexts::All, "", View::WithDeleted).await?;
                let deleted = store.subjects(&Contexts::All, "", View::DeletedOnly).await?;
                let bytes = all.len() * size_of::<SubjectName>();
                (self.print_off_thread(bytes, move || NameList::new(&all, &deleted)).await?, as_of)
            }
        };
        let list = Arc::new(list);
        names.keep(&list, as_of);
        Ok(Some(list))
    }

    /// `GET /schemas`
    pub async fn schemas(&self, caller: &Caller, list: ListSchemas) -> Result<Vec<ListedSchema>, Error> {
        let Some(prefix) = parse_prefix(&list.subject_prefix) else { return Ok(Vec::new()) };
        let view = if list.include == Include::Deleted { View::WithDeleted } else { View::Live };
        let mut states = self.inner.store.subject_states(&prefix.contexts, &prefix.name, view).await?;
        states.retain(|(subject, _)| is_within(&prefix.within, subject));
        let aliases = if list.aliases { self.aliases(&prefix).await? } else { BTreeMap::new() };
        self.add_targets(&mut states, &aliases).await?;
        let associations = match &list.associated {
            None => BTreeMap::new(),
            Some(asked) => {
                let everywhere = AssociationsOf::Subjects(Contexts::All, String::new());
                let listed =
                    if list.aliases { everywhere } else { AssociationsOf::Subjects(prefix.contexts, prefix.name) };
                self.keep_associated(&mut states, &listed, asked).await?
            }
        };
        let mut rows: Vec<(SubjectName, VersionRow)> = Vec::new();
        for (subject, state) in states {
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
        let entities = match &list.rule_type {
            None => self.entities(list.page.of(rows)).await?,
            Some(rule_type) => {
                let mut entities = self.entities(rows).await?;
                entities.retain(|entity| has_rule_of(&entity.content, rule_type));
                list.page.of(entities)
            }
        };
        let with_aliases = |entity: SchemaEntity| {
            let mut aliases = aliases.get(&entity.subject).cloned().unwrap_or_default();
            aliases.retain(|alias| caller.may(Action::Read, &Resource::Subject(alias)));
            let associations = associations.get(&entity.subject).cloned().unwrap_or_default();
            ListedSchema { entity, aliases, associations }
        };
        Ok(entities.into_iter().map(with_aliases).collect())
    }

    /// Keeps the subjects that are associated as asked for; the associations to show of each.
    async fn keep_associated(
        &self,
        states: &mut Vec<(SubjectName, SubjectState)>,
        listed: &AssociationsOf,
        asked: &Associated,
    ) -> Result<BTreeMap<SubjectName, Vec<Association>>, Error> {
        let mut associations: BTreeMap<SubjectName, Vec<Association>> = BTreeMap::new();
        for association in self.inner.store.associations(listed).await? {
            if asked.filter.shows(&association) {
                associations.entry(association.subject.clone()).or_default().push(association);
            }
        }
        let is_asked = |lifecycle| asked.lifecycles.is_empty() || asked.lifecycles.contains(&Some(lifecycle));
        states.retain(|(subject, _)| match associations.get_mut(subject) {
            None => asked.lifecycles.contains(&None),
            Some(of_subject) => {
                of_subject.retain(|association| is_asked(association.lifecycle));
                !of_subject.is_empty()
            }
        });
        Ok(associations)
    }

    /// What the aliases with this prefix stand for, each with its aliases.
    async fn aliases(&self, prefix: &Prefix) -> Result<BTreeMap<SubjectName, Vec<SubjectName>>, Error> {
        let mut aliases: BTreeMap<SubjectName, Vec<SubjectName>> = BTreeMap::new();
        let mut configs = self.inner.store.subject_configs(&prefix.contexts, &prefix.name).await?;
        configs.retain(|(subject, _)| is_within(&prefix.within, subject));
        for (subject, config) in configs {
            if let Some(alias) = config.alias.as_deref().filter(|alias| !alias.is_empty()) {
                aliases.entry(alias_target(&subject, alias)).or_default().push(subject);
            }
        }
        Ok(aliases)
    }

    /// Adds the targets of aliases that a list lacks, where they belong in its order.
    async fn add_targets(
        &self,
        states: &mut Vec<(SubjectName, SubjectState)>,
        aliases: &BTreeMap<SubjectName, Vec<SubjectName>>,
    ) -> Result<(), Error> {
        let lacks = |target: &&SubjectName| states.binary_search_by(|(subject, _)| subject.cmp(target)).is_err();
        let missing: Vec<SubjectName> = aliases.keys().filter(lacks).cloned().collect();
        let read = missing.into_iter().map(|target| async move {
            let found = self.load_subject(&target, Freshness::Fresh).await?;
            Ok::<_, Error>((target, (*found.state).clone()))
        });
        let found: Vec<(SubjectName, SubjectState)> = stream::iter(read).buffered(READS).try_collect().await?;
        states.extend(found);
        states.sort_by(|(one, _), (other, _)| one.cmp(other));
        Ok(())
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

/// What a `subjectPrefix` asks for.
struct Prefix {
    contexts: Contexts,
    /// How the names of the contexts start, if not one or all of them are asked for.
    within: Option<String>,
    /// How the names of the subjects start.
    name: String,
}

fn is_within(within: &Option<String>, subject: &SubjectName) -> bool {
    within.as_ref().is_none_or(|start| subject.context().as_str().starts_with(start))
}

/// Reads a `subjectPrefix`; `None` if no name can start so.
fn parse_prefix(prefix: &str) -> Option<Prefix> {
    if let Some(start) = prefix.strip_prefix(':').filter(|rest| rest.starts_with('.') && !rest.contains(':')) {
        let prefix = Prefix { contexts: Contexts::All, within: Some(start.to_owned()), name: String::new() };
        return ContextName::new(start).may_exist().then_some(prefix);
    }
    let (contexts, subject) = match prefix.strip_prefix(":*:") {
        Some(rest) => (Contexts::All, SubjectName::new(ContextName::default_context(), rest)),
        None => {
            let subject = SubjectName::parse(prefix);
            (Contexts::One(subject.context().clone()), subject)
        }
    };
    subject.may_exist().then(|| Prefix { contexts, within: None, name: subject.name().to_owned() })
}

#[cfg(test)]
mod tests;
