//! Cases of [`RegistryStore::commit_version`].

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use futures_util::future::join_all;
use sluice_schema::{Reference, SchemaId, SchemaType, Version};

use super::*;
use crate::{Config, Metadata, Rule, RuleSet, Scope};

/// Revision and id start at 1; the row carries the content's hash and the given time.
pub async fn a_first_version_gets_revision_one_and_an_id(store: &dyn RegistryStore) {
    let orders = subject(&context("first-version"), "orders");
    let text = content("first");
    let committed = store.commit_version(new_version(&orders, 1, &text), at(Revision(0))).await.expect("commit");
    assert_eq!(committed, Committed::Written { id: SchemaId(1), revision: Revision(1) });
    let state = store.subject(&orders).await.expect("subject");
    assert_eq!(state.revision, Revision(1));
    assert_eq!(
        state.versions,
        [VersionRow { version: Version(1), id: SchemaId(1), guid: text.guid, deleted: false, ts: 1_700_000_000_000 }]
    );
    assert_eq!(store.subject_revision(&orders).await.expect("revision"), Revision(1));
}

/// Content is stored once per context and hash.
pub async fn the_same_content_under_another_subject_keeps_its_id(store: &dyn RegistryStore) {
    let context = context("same-content");
    let first = given_text(store, &subject(&context, "a"), 1, "shared").await;
    let second = given_text(store, &subject(&context, "b"), 1, "shared").await;
    assert_eq!(first, second);
    let guid = content("shared").guid;
    assert_eq!(store.id_by_guid(&context, guid).await.expect("id"), Some(first));
}

/// Contexts do not share ids.
pub async fn the_same_content_in_another_context_gets_an_id_of_its_own(store: &dyn RegistryStore) {
    let (left, right) = (context("own-ids-left"), context("own-ids-right"));
    given_text(store, &subject(&left, "x"), 1, "something else").await;
    let in_left = given_text(store, &subject(&left, "a"), 1, "both").await;
    let in_right = given_text(store, &subject(&right, "a"), 1, "both").await;
    assert!(in_left.0 > 1);
    assert_eq!(in_right, SchemaId(1));
}

/// Also when the first is permanently deleted in between.
pub async fn ids_of_a_context_rise_and_never_repeat(store: &dyn RegistryStore) {
    let context = context("rising-ids");
    let first = given_text(store, &subject(&context, "a"), 1, "one").await;
    let second = given_text(store, &subject(&context, "b"), 1, "two").await;
    assert!(second > first);
    soft(store, &subject(&context, "b"), &[1]).await;
    hard(store, &subject(&context, "b"), &[1]).await;
    let third = given_text(store, &subject(&context, "b"), 1, "three").await;
    assert!(third > second);
}

/// Every part: type, text, references, metadata, rules; a present but empty metadata is not an absent one.
pub async fn content_comes_back_as_it_was_written(store: &dyn RegistryStore) {
    let context = context("content-roundtrip");
    let rule = Rule {
        name: Some("check".into()),
        doc: Some("why".into()),
        kind: Some("CONDITION".into()),
        mode: Some("WRITE".into()),
        type_: Some("CEL".into()),
        tags: ["PII".to_owned()].into(),
        params: [("p".to_owned(), "".to_owned())].into(),
        expr: Some("1 == 1".into()),
        on_success: Some("NONE".into()),
        on_failure: Some("DLQ".into()),
        disabled: true,
    };
    let full = Content {
        metadata: Some(Arc::new(Metadata {
            tags: [("M.a".to_owned(), ["PII".to_owned()].into())].into(),
            properties: [("k\u{0}ey".to_owned(), "välue \" \\ \n".to_owned())].into(),
            sensitive: ["k".to_owned()].into(),
        })),
        rule_set: Some(Arc::new(RuleSet {
            domain_rules: vec![rule],
            enable_at: Some("ALL".into()),
            ..RuleSet::default()
        })),
        schema_type: SchemaType::Json,
        ..(*content_with(
            "text with 'quotes', \"double\", \\ back, \t tab, \u{1F600} and ünïcode",
            &[Reference { name: "".into(), subject: "s".into(), version: 7 }],
        ))
        .clone()
    };
    let empty = Content { metadata: Some(Arc::new(Metadata::default())), ..(*content("with empty metadata")).clone() };
    for (at, written) in [full, empty].into_iter().enumerate() {
        let written = Arc::new(written);
        let (id, _) = given(store, new_version(&subject(&context, &format!("s{at}")), 1, &written)).await;
        assert_eq!(store.content_by_id(&context, id).await.expect("content"), Some(written));
    }
    assert_eq!(store.content_by_id(&context, SchemaId(999_999)).await.expect("content"), None);
}

/// The second of two writers that decided on one state.
pub async fn a_stale_subject_revision_is_a_conflict_and_writes_nothing(store: &dyn RegistryStore) {
    let context = context("stale-revision");
    let orders = subject(&context, "orders");
    given_text(store, &orders, 1, "one").await;
    let got = store.commit_version(new_version(&orders, 2, &content("two")), at(Revision(0))).await;
    assert!(matches!(got, Err(StoreError::Conflict)), "{got:?}");
    assert_eq!(versions(store, &orders).await, [(1, false)]);
    assert_eq!(store.id_by_guid(&context, content("two").guid).await.expect("id"), None);
    assert_eq!(store.subject_revision(&orders).await.expect("revision"), Revision(1));
}

/// Two writers that both found no subject: one of them must look again.
pub async fn a_new_subject_is_expected_at_revision_zero(store: &dyn RegistryStore) {
    let orders = subject(&context("new-at-zero"), "orders");
    let got = store.commit_version(new_version(&orders, 1, &content("one")), at(Revision(1))).await;
    assert!(matches!(got, Err(StoreError::Conflict)), "{got:?}");
    assert_eq!(store.subject(&orders).await.expect("subject"), SubjectState::default());
}

/// A level or mode changed between decision and commit.
pub async fn stale_settings_are_a_conflict(store: &dyn RegistryStore) {
    let context = context("stale-settings");
    let orders = subject(&context, "orders");
    let scope = Scope::Context(context.clone());
    let on = Preconditions {
        subject_revision: Some(Revision(0)),
        settings: vec![(Scope::Subject(orders.clone()), Revision(0)), (scope.clone(), Revision(0))],
        references: Vec::new(),
    };
    let write = SettingsWrite { config: Some(Some(Config::default())), mode: None };
    let revision = store.write_settings(&scope, write, Preconditions::default()).await.expect("settings");
    let got = store.commit_version(new_version(&orders, 1, &content("one")), on.clone()).await;
    assert!(matches!(got, Err(StoreError::Conflict)), "{got:?}");
    let mut current = on;
    current.settings[1].1 = revision;
    let got = store.commit_version(new_version(&orders, 1, &content("one")), current).await.expect("commit");
    assert!(matches!(got, Committed::Written { .. }));
}

fn needing(target: &SubjectName, version: i32, live: RequireLive) -> Preconditions {
    Preconditions { references: vec![(target.clone(), Version(version), live)], ..at(Revision(0)) }
}

/// The referenced version was removed between decision and commit.
pub async fn a_missing_reference_is_a_conflict(store: &dyn RegistryStore) {
    let context = context("missing-reference");
    let dep = subject(&context, "dep");
    let main = subject(&context, "main");
    for live in [RequireLive::Yes, RequireLive::No] {
        let got = store.commit_version(new_version(&main, 1, &content("main")), needing(&dep, 1, live)).await;
        assert!(matches!(got, Err(StoreError::Conflict)), "{got:?}");
    }
    assert_eq!(store.subject(&main).await.expect("subject"), SubjectState::default());
}

/// New schemas need live targets; an import does not.
pub async fn a_soft_deleted_reference_is_a_conflict_only_where_it_must_be_live(store: &dyn RegistryStore) {
    let context = context("deleted-reference");
    let dep = subject(&context, "dep");
    let main = subject(&context, "main");
    given_text(store, &dep, 1, "dep").await;
    soft(store, &dep, &[1]).await;
    let new = new_version(&main, 1, &content("main"));
    let got = store.commit_version(new.clone(), needing(&dep, 1, RequireLive::Yes)).await;
    assert!(matches!(got, Err(StoreError::Conflict)), "{got:?}");
    let got = store.commit_version(new, needing(&dep, 1, RequireLive::No)).await.expect("commit");
    assert!(matches!(got, Committed::Written { .. }));
}

fn explicit(subject: &SubjectName, version: i32, text: &str, id: i32) -> NewVersion {
    NewVersion { id: IdChoice::Explicit(SchemaId(id)), ..new_version(subject, version, &content(text)) }
}

/// An import raises the sequence.
pub async fn an_explicit_id_is_taken_and_later_ids_are_higher(store: &dyn RegistryStore) {
    let context = context("explicit-id");
    let (id, _) = given(store, explicit(&subject(&context, "a"), 7, "imported", 5001)).await;
    assert_eq!(id, SchemaId(5001));
    assert_eq!(store.max_id(&context).await.expect("max"), SchemaId(5001));
    let next = given_text(store, &subject(&context, "b"), 1, "next").await;
    assert!(next.0 > 5001);
    let (low, _) = given(store, explicit(&subject(&context, "c"), 1, "below", 17)).await;
    assert_eq!(low, SchemaId(17));
    assert!(given_text(store, &subject(&context, "d"), 1, "after").await > next);
}

/// One id never stands for two contents.
pub async fn an_explicit_id_of_other_content_is_refused(store: &dyn RegistryStore) {
    let context = context("id-taken");
    let (a, b) = (subject(&context, "a"), subject(&context, "b"));
    given(store, explicit(&a, 1, "first", 40)).await;
    let got = store.commit_version(explicit(&b, 1, "second", 40), at(Revision(0))).await.expect("commit");
    assert_eq!(got, Committed::IdTaken(SchemaId(40)));
    assert_eq!(store.subject(&b).await.expect("subject"), SubjectState::default());
    assert_eq!(store.id_by_guid(&context, content("second").guid).await.expect("id"), None);
}

/// The hash has no separators: two contracts of one text, or one text of two types, can have the same.
pub async fn different_contents_of_one_hash_are_refused_and_the_id_is_named(store: &dyn RegistryStore) {
    let context = context("one-hash");
    let plain = content("text");
    let id = given(store, new_version(&subject(&context, "a"), 1, &plain)).await.0;
    let same_hash = [
        Content { schema_type: SchemaType::Json, ..(*plain).clone() },
        Content { text: "tex".into(), ..(*plain).clone() },
        Content { metadata: Some(Arc::new(Metadata::default())), ..(*plain).clone() },
        Content { rule_set: Some(Arc::new(RuleSet::default())), ..(*plain).clone() },
        Content {
            references: [Reference { name: "n".into(), subject: "s".into(), version: 1 }].into(),
            ..(*plain).clone()
        },
    ];
    for other in same_hash {
        for choice in [IdChoice::ByContent, IdChoice::Explicit(id)] {
            let b = subject(&context, "b");
            let new = NewVersion { id: choice, ..new_version(&b, 1, &Arc::new(other.clone())) };
            let got = store.commit_version(new, at(Revision(0))).await.expect("commit");
            assert_eq!(got, Committed::IdTaken(id));
            assert_eq!(store.subject(&b).await.expect("subject"), SubjectState::default());
        }
    }
}

/// An import run twice, or of one content under two subjects.
pub async fn an_explicit_id_with_its_own_content_is_fine(store: &dyn RegistryStore) {
    let context = context("id-again");
    let (a, b) = (subject(&context, "a"), subject(&context, "b"));
    given(store, explicit(&a, 1, "same", 40)).await;
    assert_eq!(given(store, explicit(&b, 8, "same", 40)).await.0, SchemaId(40));
    assert_eq!(given(store, explicit(&a, 1, "same", 40)).await.0, SchemaId(40));
    assert_eq!(versions(store, &a).await, [(1, false)]);
}

/// Both ids give the content; new registrations get the one written last.
pub async fn known_content_under_a_second_explicit_id_is_found_under_that_one(store: &dyn RegistryStore) {
    let context = context("second-id");
    let (a, b) = (subject(&context, "a"), subject(&context, "b"));
    given(store, explicit(&a, 1, "same", 60)).await;
    given(store, explicit(&b, 1, "same", 50)).await;
    let guid = content("same").guid;
    for id in [50, 60] {
        let found = store.content_by_id(&context, SchemaId(id)).await.expect("content").expect("there");
        assert_eq!(found.guid, guid);
    }
    assert_eq!(store.id_by_guid(&context, guid).await.expect("id"), Some(SchemaId(50)));
    hard(store, &b, &[1]).await;
    assert_eq!(store.id_by_guid(&context, guid).await.expect("id"), Some(SchemaId(60)));
}

/// Import: the number stays, the row is the new one, also when the old one was soft-deleted or referred elsewhere.
pub async fn a_version_number_written_again_replaces_the_row(store: &dyn RegistryStore) {
    let context = context("replaced");
    let (dep, a) = (subject(&context, "dep"), subject(&context, "a"));
    given_text(store, &dep, 1, "dep").await;
    given_referrer(store, &a, 3, (&dep, 1)).await;
    soft(store, &a, &[3]).await;
    let (id, revision) = given(store, explicit(&a, 3, "plain", 90)).await;
    assert_eq!(revision, Revision(3));
    let state = store.subject(&a).await.expect("subject");
    assert_eq!(state.versions.len(), 1);
    assert_eq!((state.versions[0].id, state.versions[0].deleted), (id, false));
    assert_eq!(store.referrers(&dep, Version(1)).await.expect("referrers"), []);
}

/// Registering a soft-deleted text again: the old number is gone for good.
pub async fn soft_deleted_versions_of_the_same_id_vanish_on_request(store: &dyn RegistryStore) {
    let context = context("tombstone");
    let (a, b) = (subject(&context, "a"), subject(&context, "b"));
    for orders in [&a, &b] {
        given_text(store, orders, 1, "again").await;
        given_text(store, orders, 2, "other").await;
        soft(store, orders, &[1, 2]).await;
    }
    let first = store.id_by_guid(&context, content("again").guid).await.expect("id");
    let (id, _) = given(store, new_version(&a, 3, &content("again"))).await;
    assert_eq!(Some(id), first);
    assert_eq!(versions(store, &a).await, [(2, true), (3, false)]);
    let keep = NewVersion { tombstone_same_id: false, ..new_version(&b, 3, &content("again")) };
    given(store, keep).await;
    assert_eq!(versions(store, &b).await, [(1, true), (2, true), (3, false)]);
}

/// Whoever refers to the old number still finds it.
pub async fn referenced_soft_deleted_versions_of_the_same_id_stay(store: &dyn RegistryStore) {
    let context = context("tombstone-referenced");
    let (dep, main) = (subject(&context, "dep"), subject(&context, "main"));
    given_text(store, &dep, 1, "dep").await;
    given_referrer(store, &main, 1, (&dep, 1)).await;
    soft(store, &main, &[1]).await;
    soft(store, &dep, &[1]).await;
    given_text(store, &dep, 2, "dep").await;
    assert_eq!(versions(store, &dep).await, [(1, true), (2, false)]);
}

/// All decided on the same state; each then reads again and writes on top.
pub async fn sixteen_writers_of_one_subject_leave_one_lineage(store: &dyn RegistryStore) {
    let orders = subject(&context("sixteen-writers"), "orders");
    let first = join_all((0..16).map(|n| {
        let new = new_version(&orders, 1, &content(&format!("writer {n}")));
        async move { store.commit_version(new, at(Revision(0))).await }
    }))
    .await;
    let written = first.iter().filter(|got| matches!(got, Ok(Committed::Written { .. }))).count();
    let conflicts = first.iter().filter(|got| matches!(got, Err(StoreError::Conflict))).count();
    assert_eq!((written, conflicts), (1, 15), "{first:?}");

    let ids: Vec<SchemaId> = join_all((0..16).map(|n| {
        let orders = &orders;
        async move {
            loop {
                let state = store.subject(orders).await.expect("subject");
                let next = state.versions.last().map_or(1, |row| row.version.0 + 1);
                let new = new_version(orders, next, &content(&format!("retried {n}")));
                match store.commit_version(new, at(state.revision)).await {
                    Ok(Committed::Written { id, .. }) => return id,
                    Err(StoreError::Conflict) => tokio::task::yield_now().await,
                    other => panic!("{other:?}"),
                }
            }
        }
    }))
    .await;
    let state = store.subject(&orders).await.expect("subject");
    assert_eq!(state.revision, Revision(17));
    assert_eq!(state.versions.iter().map(|row| row.version.0).collect::<Vec<_>>(), (1..=17).collect::<Vec<_>>());
    let stored: HashSet<SchemaId> = state.versions.iter().map(|row| row.id).collect();
    assert_eq!(stored.len(), 17);
    assert!(ids.iter().all(|id| stored.contains(id)));
}

/// Whoever comes first brings the id.
pub async fn writers_of_one_content_agree_on_its_id(store: &dyn RegistryStore) {
    let context = context("one-content");
    let ids = join_all((0..16).map(|n| {
        let orders = subject(&context, &format!("s{n}"));
        async move { given_text(store, &orders, 1, "everyone's").await }
    }))
    .await;
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 1, "{ids:?}");
}

/// Subjects of one context draw from one sequence.
pub async fn writers_of_many_contents_never_share_an_id(store: &dyn RegistryStore) {
    let context = context("many-contents");
    let ids = join_all((0..32).map(|n| {
        let orders = subject(&context, &format!("s{n}"));
        async move { given_text(store, &orders, 1, &format!("text {n}")).await }
    }))
    .await;
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), 32, "{ids:?}");
    assert_eq!(ids.iter().max().copied(), Some(store.max_id(&context).await.expect("max")));
}
