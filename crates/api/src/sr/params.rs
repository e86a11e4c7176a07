//! What paths and queries of this surface mean: subjects, versions, contexts, pages, formats.
//!
//! Context prefixes are data here, not rewritten paths: `/contexts/.c/…` qualifies the subject of the path, the
//! `subjectPrefix` of lists and the `subject` of lookups by id (schema-registry.md §2.9). Aliases are resolved for
//! the subject behind `subjects` and for `subject` of `/schemas/ids`, never for config and mode (§2.8).

use std::sync::LazyLock;

use sluice_registry::store::View;
use sluice_registry::{
    Associated, AssociationFilter, Cascade, ContextName, Error, Include, Lifecycle, Normalize, Page, Permanence,
    ReadOptions, Registry, Scope, SubjectName, VersionSpec,
};
use sluice_schema::Format;

use super::error::SrError;
use crate::call::Call;
use crate::error::HttpError;
use crate::query::Query;
use crate::route::names_context;

/// Most entries of a page of schemas, and as many without a `limit`.
/// Source: `schema.search.default.limit`, `schema.search.max.limit`.
const SCHEMAS_LIMIT: usize = 1000;

static DEFAULT_CONTEXT: LazyLock<ContextName> = LazyLock::new(ContextName::default_context);

impl Call {
    pub(super) fn registry(&self) -> &Registry {
        &self.api.services.registry
    }

    /// The subject of the path, as it stands there.
    pub(super) fn subject(&self) -> SubjectName {
        SubjectName::parse(&self.subject_text().unwrap_or_default())
    }

    /// The subject of the path, or the one that it is an alias of.
    pub(super) async fn aliased_subject(&self) -> Result<SubjectName, SrError> {
        Ok(self.registry().resolve_alias(&self.subject()).await?)
    }

    /// The `{version}` of the path.
    pub(super) fn version(&self) -> Result<VersionSpec, SrError> {
        VersionSpec::parse(&self.path("version")).map_err(|text| Error::InvalidVersion(text).into())
    }

    /// What the config or mode of the path stands on; without a subject the default context.
    pub(super) fn scope(&self) -> Scope {
        scope(&self.subject_text().unwrap_or_default())
    }

    /// The context that the path's prefix names.
    pub(super) fn context(&self) -> ContextName {
        match self.context_prefix() {
            None => DEFAULT_CONTEXT.clone(),
            Some(prefix) => SubjectName::parse(&prefix).context().clone(),
        }
    }

    /// `subjectPrefix`, or `default`; inside a context both are the context's.
    pub(super) fn subject_prefix(&self, default: &str) -> String {
        let given = self.query().get("subjectPrefix");
        match self.context_prefix() {
            None => given.map_or_else(|| default.to_owned(), |given| given.into_owned()),
            Some(prefix) => qualified(prefix, &given.unwrap_or_default()),
        }
    }

    /// The `subject` of lookups by id, alias resolved; `None` if it is absent or empty.
    pub(super) async fn subject_hint(&self) -> Result<Option<SubjectName>, SrError> {
        let given = self.query().get("subject").unwrap_or_default();
        let text = match self.context_prefix() {
            None => given.into_owned(),
            Some(prefix) => qualified(prefix, &given),
        };
        if text.is_empty() {
            return Ok(None);
        }
        Ok(Some(self.registry().resolve_alias(&SubjectName::parse(&text)).await?))
    }

    /// `offset` and `limit` of a list without a cap.
    pub(super) fn page(&self) -> Result<Page, SrError> {
        page(self.query(), None)
    }

    /// `offset` and `limit` of a list of schemas.
    pub(super) fn schemas_page(&self) -> Result<Page, SrError> {
        page(self.query(), Some(SCHEMAS_LIMIT))
    }

    /// `deletedOnly`, else `deleted`.
    pub(super) fn view(&self) -> View {
        let query = self.query();
        match (query.flag("deletedOnly"), query.flag("deleted")) {
            (true, _) => View::DeletedOnly,
            (false, true) => View::WithDeleted,
            (false, false) => View::Live,
        }
    }

    /// `deleted`
    pub(super) fn include(&self) -> Include {
        if self.query().flag("deleted") { Include::Deleted } else { Include::Live }
    }

    /// `permanent`
    pub(super) fn permanence(&self) -> Permanence {
        if self.query().flag("permanent") { Permanence::Permanent } else { Permanence::Soft }
    }

    /// `resourceType`, `associationType` and `lifecycle` of lists of associations.
    pub(super) fn association_filter(&self) -> Result<AssociationFilter, SrError> {
        let query = self.query();
        let lifecycle = query.get("lifecycle").filter(|word| !word.is_empty());
        let lifecycle = lifecycle.map(|word| Lifecycle::from_wire(&word).ok_or(HttpError::NotFound)).transpose()?;
        Ok(AssociationFilter { lifecycle, ..self.associations_named() })
    }

    /// `resourceType` and `associationType`.
    pub(super) fn associations_named(&self) -> AssociationFilter {
        associations_named(self.query())
    }

    /// How subjects of a list of schemas must be associated; `None` unless it was asked.
    pub(super) fn associated(&self) -> Result<Option<Associated>, SrError> {
        associated(self.query())
    }

    /// The context of subjects in a request about associations: the path's, which hides `context`, or that.
    pub(super) fn association_context(&self) -> ContextName {
        match self.query().get("context").filter(|_| self.context_prefix().is_none()) {
            None => self.context(),
            Some(text) => SubjectName::parse(&text).context().clone(),
        }
    }

    /// `cascadeLifecycle`
    pub(super) fn cascade(&self) -> Cascade {
        if self.query().flag("cascadeLifecycle") { Cascade::Yes } else { Cascade::No }
    }

    /// `normalize`
    pub(super) fn normalize(&self) -> Normalize {
        if self.query().flag("normalize") { Normalize::Yes } else { Normalize::No }
    }

    /// `format`. Only the endpoints that show one version of a subject know `logical`.
    pub(super) fn format(&self) -> Format {
        match self.version_format() {
            Format::Logical => Format::Canonical,
            format => format,
        }
    }

    /// Whether `format` says that a schema that is sent is DDL.
    pub(super) fn speaks_ddl(&self) -> bool {
        self.version_format() == Format::Logical
    }

    fn version_format(&self) -> Format {
        self.query().get("format").map_or(Format::Canonical, |word| Format::from_wire(&word))
    }

    /// As [`Call::read_options`], for one version of a subject.
    pub(super) fn version_options(&self) -> ReadOptions {
        ReadOptions { format: self.version_format(), ..self.read_options() }
    }

    /// `format`, `referenceFormat`, `deleted`, `findTags`, which is repeated for several tags.
    pub(super) fn read_options(&self) -> ReadOptions {
        let query = self.query();
        ReadOptions {
            format: self.format(),
            qualified_references: query
                .get("referenceFormat")
                .is_some_and(|word| word.eq_ignore_ascii_case("qualified")),
            include: self.include(),
            find_tags: query.all("findTags").into_iter().filter(|tag| !tag.is_empty()).collect(),
        }
    }
}

fn associations_named(query: Query<'_>) -> AssociationFilter {
    let mut types = query.all("associationType");
    types.retain(|word| !word.is_empty());
    let resource_type = query.get("resourceType").filter(|word| !word.is_empty()).map(|word| word.into_owned());
    AssociationFilter { resource_type, types, lifecycle: None }
}

fn associated(query: Query<'_>) -> Result<Option<Associated>, SrError> {
    let filter = associations_named(query);
    let read = |word: &String| match (&**word, Lifecycle::from_wire(word)) {
        ("NONE", _) => Ok(None),
        (_, Some(lifecycle)) => Ok(Some(lifecycle)),
        (_, None) => Err(HttpError::NotFound),
    };
    let words = query.all("lifecycle");
    let lifecycles = words.iter().filter(|word| !word.is_empty()).map(read).collect::<Result<Vec<_>, _>>()?;
    let is_asked = !lifecycles.is_empty() || !filter.types.is_empty() || filter.resource_type.is_some();
    Ok(is_asked.then_some(Associated { filter, lifecycles }))
}

/// `text` inside the context of `prefix`, unless it names contexts itself.
fn qualified(prefix: String, text: &str) -> String {
    if names_context(text) { text.to_owned() } else { prefix + text }
}

/// `:.__GLOBAL:` is every context; an empty name its context; anything else a subject.
fn scope(text: &str) -> Scope {
    let subject = SubjectName::parse(text);
    match (subject.context().as_str(), subject.name()) {
        (".__GLOBAL", "") => Scope::AllContexts,
        (_, "") => Scope::Context(subject.context().clone()),
        _ => Scope::Subject(subject),
    }
}

/// A `limit` counts if it is positive and within the cap; otherwise the cap does.
fn page(query: Query<'_>, cap: Option<usize>) -> Result<Page, SrError> {
    let offset = query.int("offset")?.unwrap_or(0);
    let limit = query.int("limit")?.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    let offset = usize::try_from(offset)
        .map_err(|_| Error::InvalidParameter(format!("The specified offset {offset} must not be negative")))?;
    let limit = match cap {
        None => limit,
        Some(cap) => Some(limit.filter(|limit| *limit <= cap).unwrap_or(cap)),
    };
    Ok(Page { offset, limit })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(raw: &str, cap: Option<usize>) -> Result<Page, SrError> {
        page(Query::new(raw), cap)
    }

    #[test]
    fn a_limit_counts_only_when_positive_and_within_the_cap() {
        let all = Page { offset: 0, limit: None };
        assert_eq!(read("", None).unwrap(), all);
        assert_eq!(read("offset=&limit=", None).unwrap(), all);
        assert_eq!(read("limit=-1&offset=3", None).unwrap(), Page { offset: 3, limit: None });
        assert_eq!(read("limit=0", Some(1000)).unwrap().limit, Some(1000));
        assert_eq!(read("limit=1001", Some(1000)).unwrap().limit, Some(1000));
        assert_eq!(read("limit=7", Some(1000)).unwrap().limit, Some(7));
    }

    #[test]
    fn a_negative_offset_is_422_and_one_that_is_no_number_404() {
        let status = |raw| crate::error::Wire::from(read(raw, None).unwrap_err()).status.as_u16();
        assert_eq!((status("offset=-1"), status("offset=x"), status("limit=x")), (422, 404, 404));
    }

    #[test]
    fn schemas_are_filtered_by_association_only_when_asked_and_an_unknown_life_cycle_is_404() {
        let read = |raw| associated(Query::new(raw));
        for raw in ["", "subjectPrefix=s", "lifecycle=", "resourceType=&associationType="] {
            assert!(read(raw).unwrap().is_none(), "{raw}");
        }
        let asked = read("lifecycle=WEAK&lifecycle=NONE&associationType=key").unwrap().unwrap();
        assert_eq!(asked.lifecycles, [Some(Lifecycle::Weak), None]);
        assert_eq!(asked.filter.types, ["key"]);
        assert!(read("resourceType=topic").unwrap().is_some());
        assert_eq!(crate::error::Wire::from(read("lifecycle=BOGUS").unwrap_err()).status.as_u16(), 404);
    }

    #[test]
    fn contexts_the_global_scope_and_subjects_are_told_apart() {
        assert_eq!(scope(""), Scope::Context(ContextName::default_context()));
        assert_eq!(scope(":.:"), Scope::Context(ContextName::default_context()));
        assert_eq!(scope(":.c:"), Scope::Context(ContextName::new("c")));
        assert_eq!(scope(":.__GLOBAL:"), Scope::AllContexts);
        assert_eq!(scope(":.:s"), Scope::Subject(SubjectName::parse("s")));
        assert_eq!(scope(":.open"), Scope::Context(ContextName::new("open")));
    }
}
