//! Cases of the reads that answer with lists.

use sluice_schema::{SchemaId, Version};

use super::*;
use crate::{Config, ContextName, Mode, Scope};

async fn names(store: &dyn RegistryStore, contexts: &Contexts, prefix: &str, view: View) -> Vec<String> {
    let subjects = store.subjects(contexts, prefix, view).await.expect("subjects");
    subjects.iter().map(SubjectName::qualified).collect()
}

/// Live, with deleted, deleted only; a subject counts as deleted when all its versions are, and not at all when it has
/// none.
pub async fn subjects_are_listed_by_view_and_sorted(store: &dyn RegistryStore) {
    let context = context("views");
    for name in ["gamma", "alpha", "delta", "Beta", "half", "gone"] {
        given_text(store, &subject(&context, name), 1, &format!("text of {name}")).await;
    }
    given_text(store, &subject(&context, "half"), 2, "second").await;
    for name in ["delta", "half", "gone"] {
        soft(store, &subject(&context, name), &[1]).await;
    }
    hard(store, &subject(&context, "gone"), &[1]).await;
    let one = Contexts::One(context);
    let qualified = |names: &[&str]| names.iter().map(|name| format!(":.views:{name}")).collect::<Vec<_>>();
    assert_eq!(names(store, &one, "", View::Live).await, qualified(&["Beta", "alpha", "gamma", "half"]));
    assert_eq!(
        names(store, &one, "", View::WithDeleted).await,
        qualified(&["Beta", "alpha", "delta", "gamma", "half"])
    );
    assert_eq!(names(store, &one, "", View::DeletedOnly).await, qualified(&["delta"]));
}

/// `Contexts::All` looks for the prefix in every context and sorts by qualified name.
pub async fn subjects_are_listed_by_prefix_inside_their_context(store: &dyn RegistryStore) {
    let (left, right) = (context("prefix-b"), context("prefix-a"));
    for context in [&left, &right, &ContextName::default_context()] {
        for name in ["prefix-case-1", "prefix-case-2", "other-prefix-case"] {
            given_text(store, &subject(context, name), 1, "text").await;
        }
    }
    assert_eq!(names(store, &Contexts::One(left), "prefix-case-1", View::Live).await, [":.prefix-b:prefix-case-1"]);
    assert_eq!(
        names(store, &Contexts::All, "prefix-case-", View::Live).await,
        [
            ":.prefix-a:prefix-case-1",
            ":.prefix-a:prefix-case-2",
            ":.prefix-b:prefix-case-1",
            ":.prefix-b:prefix-case-2",
            "prefix-case-1",
            "prefix-case-2",
        ]
    );
}

/// Of subjects with versions and without; a scope that is no subject, a mode alone, or a config that was removed, does
/// not count.
pub async fn configs_of_subjects_are_listed_by_prefix_inside_their_context(store: &dyn RegistryStore) {
    let (left, right) = (context("configs-b"), context("configs-a"));
    let with_alias = |alias: &str| Config { alias: Some(alias.to_owned()), ..Config::default() };
    let write = async |scope: Scope, write: SettingsWrite| {
        store.write_settings(&scope, write, Preconditions::default()).await.expect("settings");
    };
    for (context, name, alias) in [(&left, "nick-1", "b1"), (&right, "nick-2", "a2"), (&right, "other", "a")] {
        let config = SettingsWrite { config: Some(Some(with_alias(alias))), mode: None };
        write(Scope::Subject(subject(context, name)), config).await;
    }
    given_text(store, &subject(&left, "nick-plain"), 1, "text").await;
    let mode = SettingsWrite { config: None, mode: Some(Some(Mode::Import)) };
    write(Scope::Subject(subject(&left, "nick-mode")), mode).await;
    write(Scope::Context(left.clone()), SettingsWrite { config: Some(Some(with_alias("c"))), mode: None }).await;
    let removed = Scope::Subject(subject(&left, "nick-removed"));
    write(removed.clone(), SettingsWrite { config: Some(Some(with_alias("r"))), mode: None }).await;
    write(removed, SettingsWrite { config: Some(None), mode: None }).await;

    let listed = async |contexts: Contexts, prefix: &str| {
        let configs = store.subject_configs(&contexts, prefix).await.expect("configs");
        let shown = |(name, config): &(SubjectName, std::sync::Arc<Config>)| {
            (name.qualified(), config.alias.clone().unwrap_or_default())
        };
        configs.iter().map(shown).collect::<Vec<_>>()
    };
    let row = |name: &str, alias: &str| (name.to_owned(), alias.to_owned());
    assert_eq!(listed(Contexts::One(left.clone()), "").await, [row(":.configs-b:nick-1", "b1")]);
    assert_eq!(
        listed(Contexts::All, "nick-").await,
        [row(":.configs-a:nick-2", "a2"), row(":.configs-b:nick-1", "b1")]
    );
}

/// `%`, `_`, `*` and `\` of a prefix stand for themselves.
pub async fn wildcards_in_prefixes_are_plain_text(store: &dyn RegistryStore) {
    let context = context("wildcards");
    for name in ["a%b", "a_b", "a*b", "a\\b", "axb", "a"] {
        given_text(store, &subject(&context, name), 1, "text").await;
    }
    let one = Contexts::One(context);
    for prefix in ["a%", "a_", "a*", "a\\"] {
        assert_eq!(names(store, &one, prefix, View::Live).await, [format!(":.wildcards:{prefix}b")]);
    }
}

/// What the single read gives, for each subject.
pub async fn subject_states_carry_all_versions(store: &dyn RegistryStore) {
    let context = context("states");
    let (a, b, c) = (subject(&context, "a"), subject(&context, "b"), subject(&context, "c"));
    for orders in [&a, &b, &c] {
        given_text(store, orders, 1, &format!("{orders} 1")).await;
        given_text(store, orders, 2, &format!("{orders} 2")).await;
    }
    soft(store, &a, &[1]).await;
    soft(store, &b, &[1, 2]).await;
    let one = Contexts::One(context);
    for (view, expected) in
        [(View::Live, vec![&a, &c]), (View::WithDeleted, vec![&a, &b, &c]), (View::DeletedOnly, vec![&b])]
    {
        let states = store.subject_states(&one, "", view).await.expect("states");
        assert_eq!(states.iter().map(|(name, _)| name).collect::<Vec<_>>(), expected);
        for (name, state) in &states {
            assert_eq!(state, &store.subject(name).await.expect("subject"));
        }
    }
}

/// Also in a context that nobody ever wrote to.
pub async fn an_unknown_subject_is_an_empty_state(store: &dyn RegistryStore) {
    let nowhere = context("never-written");
    let unknown = subject(&nowhere, "unknown");
    assert_eq!(store.subject(&unknown).await.expect("subject"), SubjectState::default());
    assert_eq!(store.subject_revision(&unknown).await.expect("revision"), Revision(0));
    assert_eq!(store.content_by_id(&nowhere, SchemaId(1)).await.expect("content"), None);
    assert_eq!(store.id_by_guid(&nowhere, content("unknown").guid).await.expect("id"), None);
    assert_eq!(store.usages(&nowhere, SchemaId(1)).await.expect("usages"), []);
    assert_eq!(store.referrers(&unknown, Version(1)).await.expect("referrers"), []);
    assert_eq!(store.max_id(&nowhere).await.expect("max"), SchemaId(0));
}

/// Sorted by subject; of several uses in one subject, the last written.
pub async fn usages_are_one_row_per_subject(store: &dyn RegistryStore) {
    let context = context("usages");
    let (a, b) = (subject(&context, "a"), subject(&context, "b"));
    let id = given_text(store, &b, 4, "shared").await;
    given_text(store, &a, 1, "shared").await;
    given_text(store, &a, 2, "other").await;
    given_text(store, &a, 3, "shared").await;
    soft(store, &b, &[4]).await;
    assert_eq!(
        store.usages(&context, id).await.expect("usages"),
        [
            Usage { subject: a.clone(), version: Version(3), deleted: false },
            Usage { subject: b.clone(), version: Version(4), deleted: true },
        ]
    );
    hard(store, &b, &[4]).await;
    let left = store.usages(&context, id).await.expect("usages");
    assert_eq!(left, [Usage { subject: a, version: Version(3), deleted: false }]);
}

/// Across contexts; soft-deleted referrers are listed and marked.
pub async fn referrers_are_listed_by_context_and_id(store: &dyn RegistryStore) {
    let (home, away) = (context("referrers-b"), context("referrers-a"));
    let dep = subject(&home, "dep");
    given_text(store, &dep, 1, "dep").await;
    given_text(store, &dep, 2, "dep 2").await;
    let near = subject(&home, "near");
    let far = subject(&away, "far");
    let near_id = given_referrer(store, &near, 1, (&dep, 1)).await;
    let far_id = given_referrer(store, &far, 1, (&dep, 1)).await;
    let second_id = given_referrer(store, &near, 2, (&dep, 1)).await;
    soft(store, &near, &[1]).await;
    assert_eq!(
        store.referrers(&dep, Version(1)).await.expect("referrers"),
        [
            Referrer { subject: far, version: Version(1), id: far_id, deleted: false },
            Referrer { subject: near.clone(), version: Version(1), id: near_id, deleted: true },
            Referrer { subject: near, version: Version(2), id: second_id, deleted: false },
        ]
    );
    assert_eq!(store.referrers(&dep, Version(2)).await.expect("referrers"), []);
}

/// The default context first, then by name.
pub async fn guids_are_found_in_every_context(store: &dyn RegistryStore) {
    let (left, right) = (context("guids-b"), context("guids-a"));
    let default = ContextName::default_context();
    let mut ids = Vec::new();
    for context in [&default, &right, &left] {
        ids.push((
            context.clone(),
            given_text(store, &subject(context, "guids-case"), 1, "text of the guid case").await,
        ));
    }
    let guid = content("text of the guid case").guid;
    assert_eq!(store.ids_by_guid(guid).await.expect("ids"), ids);
    assert_eq!(store.ids_by_guid(content("nobody's").guid).await.expect("ids"), []);
}

/// A context without versions stays until it is deleted, and comes back with its ids going on.
pub async fn contexts_are_listed_until_deleted(store: &dyn RegistryStore) {
    let context = context("listed");
    let listed = || async { store.contexts().await.expect("contexts").contains(&context) };
    assert!(!listed().await);
    assert!(store.delete_context(&context).await.expect("delete"), "an unknown context is empty");
    let orders = subject(&context, "orders");
    let id = given_text(store, &orders, 1, "one").await;
    assert!(listed().await);
    assert!(!store.delete_context(&context).await.expect("delete"));
    soft(store, &orders, &[1]).await;
    assert!(!store.delete_context(&context).await.expect("delete"), "soft-deleted versions count");
    hard(store, &orders, &[1]).await;
    assert!(listed().await);
    assert!(store.delete_context(&context).await.expect("delete"));
    assert!(!listed().await);
    assert!(given_text(store, &orders, 1, "one").await > id);
    assert!(listed().await);
}

/// And first in the list, which is sorted.
pub async fn the_default_context_is_always_listed(store: &dyn RegistryStore) {
    let _ = store.delete_context(&ContextName::default_context()).await.expect("delete");
    given_text(store, &subject(&context("sorted-b"), "s"), 1, "text").await;
    given_text(store, &subject(&context("sorted-a"), "s"), 1, "text").await;
    let contexts = store.contexts().await.expect("contexts");
    assert_eq!(contexts.first(), Some(&ContextName::default_context()));
    assert!(contexts.is_sorted());
}

/// Also when the version that had it is gone.
pub async fn max_id_is_the_highest_ever_given(store: &dyn RegistryStore) {
    let context = context("max-id");
    let orders = subject(&context, "orders");
    given_text(store, &orders, 1, "one").await;
    let highest = given_text(store, &orders, 2, "two").await;
    soft(store, &orders, &[1, 2]).await;
    hard(store, &orders, &[1, 2]).await;
    assert_eq!(store.max_id(&context).await.expect("max"), highest);
}

/// Slashes, colons, blanks, quotes, the empty name.
pub async fn odd_names_come_back_as_they_were(store: &dyn RegistryStore) {
    let context = context("odd ünï/cøde");
    let odd = ["", " ", "a/b", "100%", "a:b", "it's \"quoted\"", "ümläut", "x\\y", "\u{1F600}", "trailing "];
    for name in odd {
        given_text(store, &subject(&context, name), 1, name).await;
    }
    let listed = store.subjects(&Contexts::One(context.clone()), "", View::Live).await.expect("subjects");
    let mut names: Vec<&str> = listed.iter().map(SubjectName::name).collect();
    let mut expected = odd.to_vec();
    names.sort_unstable();
    expected.sort_unstable();
    assert_eq!(names, expected);
    assert!(store.contexts().await.expect("contexts").contains(&context));
}

/// Names are compared byte by byte.
pub async fn names_that_differ_in_case_are_different_subjects(store: &dyn RegistryStore) {
    let context = context("case");
    given_text(store, &subject(&context, "Orders"), 1, "upper").await;
    given_text(store, &subject(&context, "orders"), 1, "lower").await;
    assert_eq!(versions(store, &subject(&context, "ORDERS")).await, []);
    assert_eq!(names(store, &Contexts::One(context), "O", View::Live).await, [":.case:Orders"]);
}
