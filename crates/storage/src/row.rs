//! Rows into the registry's values, and back. A row that cannot be true is `Inconsistent`, never a panic.

use std::sync::Arc;

use sluice_registry::store::{
    AssociationsOf, Change, ChangeCursor, Referrer, Revision, ScopeSettings, StoreError, StoreResult, SubjectState,
    Usage, VersionRow,
};
use sluice_registry::{
    AssociatedResource, Association, AssociationType, Config, Content, ContextName, Lifecycle, Mode, Scope, SubjectName,
};
use sluice_schema::{Guid, SchemaId, SchemaType, Version};

use crate::sql::Statement;

/// schema_type, text, reference_list, metadata, rule_set, guid.
pub(crate) type ContentRow = (String, String, Option<String>, Option<String>, Option<String>, Vec<u8>);
/// version, schema_id, guid, deleted, ts; all absent for a subject without versions.
pub(crate) type VersionColumns = (Option<i32>, Option<i32>, Option<Vec<u8>>, Option<bool>, Option<i64>);
/// revision, then the version.
pub(crate) type SubjectRow = (i64, Option<i32>, Option<i32>, Option<Vec<u8>>, Option<bool>, Option<i64>);
/// context, subject, revision, version, schema_id, guid, deleted, ts.
pub(crate) type SubjectStateRow = (String, String, i64, i32, i32, Vec<u8>, bool, i64);
/// subject, version, deleted.
pub(crate) type UsageRow = (String, i32, bool);
/// context, subject, version, schema_id, deleted.
pub(crate) type ReferrerRow = (String, String, i32, i32, bool);
/// config, mode, revision.
pub(crate) type SettingsRow = (Option<String>, Option<String>, i64);
/// context, subject, config.
pub(crate) type SubjectConfigRow = (String, String, String);
/// context, subject, guid, resource's name, namespace, type and id, association_type, lifecycle, create_ts, update_ts.
pub(crate) type AssociationRow = (String, String, Vec<u8>, String, String, String, String, String, String, i64, i64);
/// -2 the cursor, -1 contexts, 0..=2 settings of that kind, 3 a subject; context; name.
pub(crate) type ChangeRow = (i32, String, String);

/// A row of this statement cannot be true.
pub(crate) fn inconsistent(statement: &'static Statement, cause: impl std::fmt::Display) -> StoreError {
    StoreError::Inconsistent { statement: statement.name, cause: cause.to_string() }
}

fn json<T: serde::de::DeserializeOwned>(statement: &'static Statement, text: &str) -> StoreResult<T> {
    serde_json::from_str(text).map_err(|e| inconsistent(statement, e))
}

/// JSON of a value that always has one.
pub(crate) fn to_json<T: serde::Serialize>(statement: &'static Statement, value: &T) -> StoreResult<String> {
    serde_json::to_string(value).map_err(|e| inconsistent(statement, e))
}

pub(crate) fn guid(statement: &'static Statement, bytes: &[u8]) -> StoreResult<Guid> {
    bytes.try_into().map(Guid).map_err(|_| inconsistent(statement, format!("a guid of {} bytes", bytes.len())))
}

pub(crate) fn content(statement: &'static Statement, row: ContentRow) -> StoreResult<Arc<Content>> {
    let (schema_type, text, references, metadata, rule_set, hash) = row;
    Ok(Arc::new(Content {
        schema_type: SchemaType::from_wire(&schema_type)
            .ok_or_else(|| inconsistent(statement, format!("schema type {schema_type:?}")))?,
        text: text.into(),
        references: match references {
            Some(text) => json::<Vec<_>>(statement, &text)?.into(),
            None => [].into(),
        },
        metadata: metadata.map(|text| json(statement, &text)).transpose()?.map(Arc::new),
        rule_set: rule_set.map(|text| json(statement, &text)).transpose()?.map(Arc::new),
        guid: guid(statement, &hash)?,
    }))
}

/// The JSON columns of a content: reference_list, metadata, rule_set.
pub(crate) fn content_json(
    statement: &'static Statement,
    content: &Content,
) -> StoreResult<(Option<String>, Option<String>, Option<String>)> {
    let references = (!content.references.is_empty()).then(|| to_json(statement, &content.references)).transpose()?;
    let metadata = content.metadata.as_ref().map(|value| to_json(statement, value)).transpose()?;
    let rule_set = content.rule_set.as_ref().map(|value| to_json(statement, value)).transpose()?;
    Ok((references, metadata, rule_set))
}

fn version_row(statement: &'static Statement, columns: VersionColumns) -> StoreResult<Option<VersionRow>> {
    match columns {
        (Some(version), Some(id), Some(hash), Some(deleted), Some(ts)) => Ok(Some(VersionRow {
            version: Version(version),
            id: SchemaId(id),
            guid: guid(statement, &hash)?,
            deleted,
            ts,
        })),
        (None, ..) => Ok(None),
        (Some(version), ..) => Err(inconsistent(statement, format!("version {version} without its content"))),
    }
}

/// Rows of one subject, ascending by version.
pub(crate) fn subject_state(statement: &'static Statement, rows: Vec<SubjectRow>) -> StoreResult<SubjectState> {
    let mut state = SubjectState::default();
    for (revision, version, id, hash, deleted, ts) in rows {
        state.revision = Revision(revision);
        state.versions.extend(version_row(statement, (version, id, hash, deleted, ts))?);
    }
    Ok(state)
}

/// Rows of many subjects, grouped by subject, ascending by version inside; the result is sorted by qualified name.
pub(crate) fn subject_states(
    statement: &'static Statement,
    rows: Vec<SubjectStateRow>,
) -> StoreResult<Vec<(SubjectName, SubjectState)>> {
    let mut states: Vec<(SubjectName, SubjectState)> = Vec::new();
    for (context, name, revision, version, id, hash, deleted, ts) in rows {
        let row =
            VersionRow { version: Version(version), id: SchemaId(id), guid: guid(statement, &hash)?, deleted, ts };
        match states.last_mut() {
            Some((subject, state)) if subject.name() == name && subject.context().as_str() == context => {
                state.versions.push(row)
            }
            _ => states.push((
                SubjectName::new(ContextName::new(&context), &name),
                SubjectState { revision: Revision(revision), versions: vec![row] },
            )),
        }
    }
    states.sort_by_cached_key(|(subject, _)| subject.qualified());
    Ok(states)
}

/// Context and name, sorted by qualified name.
pub(crate) fn subjects(rows: Vec<(String, String)>) -> Vec<SubjectName> {
    let mut subjects: Vec<SubjectName> =
        rows.iter().map(|(context, name)| SubjectName::new(ContextName::new(context), name)).collect();
    subjects.sort_by_cached_key(SubjectName::qualified);
    subjects
}

/// Rows by subject name, the last written use of each first.
pub(crate) fn usages(context: &ContextName, rows: Vec<UsageRow>) -> Vec<Usage> {
    let mut usages: Vec<Usage> = rows
        .into_iter()
        .map(|(name, version, deleted)| Usage {
            subject: SubjectName::new(context.clone(), &name),
            version: Version(version),
            deleted,
        })
        .collect();
    usages.dedup_by(|later, first| later.subject == first.subject);
    usages
}

pub(crate) fn referrers(rows: Vec<ReferrerRow>) -> Vec<Referrer> {
    rows.into_iter()
        .map(|(context, name, version, id, deleted)| Referrer {
            subject: SubjectName::new(ContextName::new(&context), &name),
            version: Version(version),
            id: SchemaId(id),
            deleted,
        })
        .collect()
}

pub(crate) fn settings(statement: &'static Statement, row: Option<SettingsRow>) -> StoreResult<ScopeSettings> {
    let Some((config, mode, revision)) = row else { return Ok(ScopeSettings::default()) };
    Ok(ScopeSettings {
        revision: Revision(revision),
        config: config.map(|text| json::<Config>(statement, &text)).transpose()?.map(Arc::new),
        mode: mode
            .map(|word| Mode::from_wire(&word).ok_or_else(|| inconsistent(statement, format!("mode {word:?}"))))
            .transpose()?,
    })
}

/// Configs of subjects, sorted by qualified name.
pub(crate) fn subject_configs(
    statement: &'static Statement,
    rows: Vec<SubjectConfigRow>,
) -> StoreResult<Vec<(SubjectName, Arc<Config>)>> {
    let read = |(context, name, config): SubjectConfigRow| {
        let subject = SubjectName::new(ContextName::new(&context), &name);
        Ok((subject, Arc::new(json::<Config>(statement, &config)?)))
    };
    let mut configs: Vec<(SubjectName, Arc<Config>)> = rows.into_iter().map(read).collect::<StoreResult<_>>()?;
    configs.sort_by_cached_key(|(subject, _)| subject.qualified());
    Ok(configs)
}

/// The changes, and the new cursor from the row of kind -2.
pub(crate) fn changes(statement: &'static Statement, rows: Vec<ChangeRow>) -> StoreResult<(Vec<Change>, ChangeCursor)> {
    let mut cursor = None;
    let mut changes = Vec::with_capacity(rows.len());
    for (kind, context, name) in rows {
        let at = |context: &str| ContextName::new(context);
        changes.push(match kind {
            -2 => {
                cursor = Some(ChangeCursor(context));
                continue;
            }
            -1 => Change::Contexts,
            0 => Change::Settings(Scope::AllContexts),
            1 => Change::Settings(Scope::Context(at(&context))),
            2 => Change::Settings(Scope::Subject(SubjectName::new(at(&context), &name))),
            3 => Change::Subject(SubjectName::new(at(&context), &name)),
            other => return Err(inconsistent(statement, format!("change of kind {other}"))),
        });
    }
    Ok((changes, cursor.ok_or_else(|| inconsistent(statement, "no cursor"))?))
}

/// Associations in their order; those of other namespaces than asked for are left out.
pub(crate) fn associations(
    statement: &'static Statement,
    of: &AssociationsOf,
    rows: Vec<AssociationRow>,
) -> StoreResult<Vec<Association>> {
    let is_shown = |namespace: &str| match of {
        AssociationsOf::Resource { namespace: Some(wanted), .. } => wanted == namespace,
        _ => true,
    };
    let mut associations = Vec::with_capacity(rows.len());
    for (context, subject, hash, name, namespace, resource_type, id, association_type, lifecycle, created, updated) in
        rows
    {
        if !is_shown(&namespace) {
            continue;
        }
        associations.push(Association {
            subject: SubjectName::new(ContextName::new(&context), &subject),
            guid: guid(statement, &hash)?,
            resource: AssociatedResource {
                name: name.into(),
                namespace: namespace.into(),
                resource_type: resource_type.into(),
                id: id.into(),
            },
            association_type: AssociationType::from_wire(&association_type)
                .ok_or_else(|| inconsistent(statement, format!("association type {association_type:?}")))?,
            lifecycle: Lifecycle::from_wire(&lifecycle)
                .ok_or_else(|| inconsistent(statement, format!("life cycle {lifecycle:?}")))?,
            create_ts: created,
            update_ts: updated,
        });
    }
    associations.sort_by(Association::order);
    Ok(associations)
}

/// kind, context, name: the key of a scope in `settings`.
pub(crate) fn scope_columns(scope: &Scope) -> (i16, &str, &str) {
    match scope {
        Scope::AllContexts => (0, "", ""),
        Scope::Context(context) => (1, context.as_str(), ""),
        Scope::Subject(subject) => (2, subject.context().as_str(), subject.name()),
    }
}

/// The lowest and the highest name that start with `prefix`, in byte order.
pub(crate) fn prefix_range(prefix: &str) -> (String, String) {
    // U+10FFFF is not a character; no name in use goes beyond a run of them.
    (prefix.to_owned(), format!("{prefix}{}", "\u{10FFFF}".repeat(8)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_range_holds_every_name_with_the_prefix_and_no_other() {
        let (low, high) = prefix_range("or");
        let inside = |name: &str| *name >= *low && *name <= *high;
        assert!(["or", "orders", "or\u{7f}", "or\u{ffff}z", "or\u{10ffff}"].into_iter().all(inside));
        assert!(!["o", "oq", "os", "Or", ""].into_iter().any(inside));
    }

    #[test]
    fn subjects_of_several_contexts_are_sorted_by_their_qualified_names() {
        let rows = [(".", "z"), (".b", "a"), (".", "0"), (".a", "b")].map(|(c, n)| (c.to_owned(), n.to_owned()));
        let names: Vec<String> = subjects(rows.into()).iter().map(SubjectName::qualified).collect();
        assert_eq!(names, ["0", ":.a:b", ":.b:a", "z"]);
    }
}
