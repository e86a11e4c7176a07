//! `kind: ClusterGroup`

use sluice_data_plane::route::Undeclared;

use super::{kebab, not_acted_on};
use crate::fields::{Fields, Report};
use crate::manifest::topic::BALANCES;
use crate::model::{ClusterGroupSpec, Object, Origin};

pub(super) fn read(
    origin: Origin,
    mut metadata: Fields<'_>,
    mut spec: Fields<'_>,
    report: &mut Report<'_>,
) -> Option<Object> {
    let name = metadata.required("name", report).and_then(|name| name.parsed(kebab, report));
    metadata.finish(report);

    let members = spec.required("members", report).and_then(|members| {
        let names = members.texts(report)?;
        if names.is_empty() {
            members.error(report, "C010", "a group needs at least one member".to_owned(), None);
        }
        Some(names)
    });
    let id = spec.optional("id").and_then(|id| id.parsed(group_id, report));
    let is_default = spec.optional("default").and_then(|flag| flag.boolean(report)).unwrap_or(false);
    let undeclared_topics = spec
        .optional("undeclared-topics")
        .and_then(|word| word.one_of(&[("allow", Undeclared::Allow), ("deny", Undeclared::Deny)], report));
    let default_load_balancing = spec.optional("default-load-balancing").and_then(|word| {
        not_acted_on(&word, report);
        word.one_of(BALANCES, report)
    });
    spec.finish(report);

    let name = name?;
    Some(Object::ClusterGroup(ClusterGroupSpec {
        id: id.unwrap_or_else(|| name.clone()),
        origin,
        name,
        members: members?,
        is_default,
        undeclared_topics,
        default_load_balancing,
    }))
}

/// What may stand in a path segment without escaping.
fn group_id(text: &str) -> Result<String, String> {
    let fits = (1..=128).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
        && text != "."
        && text != "..";
    if fits { Ok(text.to_owned()) } else { Err(format!("{text:?} is no id: letters, digits, `-`, `_` and `.`")) }
}
