//! Cases of [`RegistryStore::delete_versions`].

use sluice_schema::{SchemaId, Version};

use super::*;
use crate::{Config, Mode, Scope};

/// Content, id and number stay.
pub async fn soft_deleted_versions_stay_and_are_marked(store: &dyn RegistryStore) {
    let context = context("soft");
    let orders = subject(&context, "orders");
    let id = given_text(store, &orders, 1, "one").await;
    given_text(store, &orders, 2, "two").await;
    assert_eq!(soft(store, &orders, &[1]).await, Deleted::Done(Revision(3)));
    assert_eq!(versions(store, &orders).await, [(1, true), (2, false)]);
    assert!(store.content_by_id(&context, id).await.expect("content").is_some());
    assert_eq!(store.id_by_guid(&context, content("one").guid).await.expect("id"), Some(id));
}

/// The others keep their numbers.
pub async fn permanently_deleted_versions_are_gone(store: &dyn RegistryStore) {
    let orders = subject(&context("hard"), "orders");
    for version in 1..=3 {
        given_text(store, &orders, version, &format!("text {version}")).await;
    }
    soft(store, &orders, &[1, 3]).await;
    assert_eq!(hard(store, &orders, &[1, 3]).await, Deleted::Done(Revision(5)));
    assert_eq!(versions(store, &orders).await, [(2, false)]);
}

/// A cached state from before must never look current again.
pub async fn the_revision_outlives_a_permanent_delete(store: &dyn RegistryStore) {
    let orders = subject(&context("revision-outlives"), "orders");
    given_text(store, &orders, 1, "one").await;
    soft(store, &orders, &[1]).await;
    hard(store, &orders, &[1]).await;
    assert_eq!(store.subject_revision(&orders).await.expect("revision"), Revision(3));
    let state = store.subject(&orders).await.expect("subject");
    assert_eq!(state, SubjectState { revision: Revision(3), versions: Vec::new() });
    let (_, revision) = given(store, new_version(&orders, 1, &content("one"))).await;
    assert_eq!(revision, Revision(4));
}

/// Another subject, or another version, holds it.
pub async fn content_stays_while_any_version_uses_it(store: &dyn RegistryStore) {
    let context = context("still-used");
    let (a, b) = (subject(&context, "a"), subject(&context, "b"));
    let id = given_text(store, &a, 1, "shared").await;
    given_text(store, &b, 1, "shared").await;
    soft(store, &a, &[1]).await;
    hard(store, &a, &[1]).await;
    assert!(store.content_by_id(&context, id).await.expect("content").is_some());
    assert_eq!(given_text(store, &a, 1, "shared").await, id);
}

/// The hash is forgotten with the last permanent delete, so the same text gets a new id.
pub async fn content_without_versions_is_gone_and_comes_back_under_a_new_id(store: &dyn RegistryStore) {
    let context = context("content-gone");
    let orders = subject(&context, "orders");
    let id = given_text(store, &orders, 1, "text").await;
    soft(store, &orders, &[1]).await;
    hard(store, &orders, &[1]).await;
    assert_eq!(store.content_by_id(&context, id).await.expect("content"), None);
    assert_eq!(store.id_by_guid(&context, content("text").guid).await.expect("id"), None);
    let again = given_text(store, &orders, 1, "text").await;
    assert!(again > id);
    assert_eq!(store.content_by_id(&context, id).await.expect("content"), None);
    assert!(store.content_by_id(&context, again).await.expect("content").is_some());
}

/// The lowest referenced version is named.
pub async fn a_live_referrer_blocks_a_soft_delete(store: &dyn RegistryStore) {
    let context = context("live-referrer");
    let (dep, main) = (subject(&context, "dep"), subject(&context, "main"));
    for version in 1..=3 {
        given_text(store, &dep, version, &format!("dep {version}")).await;
    }
    given_referrer(store, &main, 1, (&dep, 3)).await;
    given_referrer(store, &main, 2, (&dep, 2)).await;
    assert_eq!(soft(store, &dep, &[1, 2, 3]).await, Deleted::Referenced(Version(2)));
    assert_eq!(soft(store, &dep, &[3]).await, Deleted::Referenced(Version(3)));
    assert!(matches!(soft(store, &dep, &[1]).await, Deleted::Done(_)));
}

/// Soft: only live referrers count. Permanent: any.
pub async fn a_soft_deleted_referrer_blocks_a_permanent_delete_only(store: &dyn RegistryStore) {
    let context = context("deleted-referrer");
    let (dep, main) = (subject(&context, "dep"), subject(&context, "main"));
    given_text(store, &dep, 1, "dep").await;
    given_referrer(store, &main, 1, (&dep, 1)).await;
    soft(store, &main, &[1]).await;
    assert!(matches!(soft(store, &dep, &[1]).await, Deleted::Done(_)));
    assert_eq!(hard(store, &dep, &[1]).await, Deleted::Referenced(Version(1)));
    hard(store, &main, &[1]).await;
    assert!(matches!(hard(store, &dep, &[1]).await, Deleted::Done(_)));
}

/// A subject that refers to itself can be deleted as a whole, but not version by version.
pub async fn referrers_among_the_deleted_do_not_count(store: &dyn RegistryStore) {
    let orders = subject(&context("self-referenced"), "orders");
    given_text(store, &orders, 1, "part").await;
    given_referrer(store, &orders, 2, (&orders, 1)).await;
    assert_eq!(soft(store, &orders, &[1]).await, Deleted::Referenced(Version(1)));
    assert!(matches!(soft(store, &orders, &[1, 2]).await, Deleted::Done(_)));
    assert_eq!(hard(store, &orders, &[1]).await, Deleted::Referenced(Version(1)));
    assert!(matches!(hard(store, &orders, &[1, 2]).await, Deleted::Done(_)));
    assert_eq!(versions(store, &orders).await, []);
}

/// Someone registered meanwhile.
pub async fn a_delete_on_a_stale_revision_is_a_conflict(store: &dyn RegistryStore) {
    let orders = subject(&context("stale-delete"), "orders");
    given_text(store, &orders, 1, "one").await;
    given_text(store, &orders, 2, "two").await;
    let got = store.delete_versions(&orders, Delete::Soft(vec![Version(1)]), at(Revision(1))).await;
    assert!(matches!(got, Err(StoreError::Conflict)), "{got:?}");
    assert_eq!(versions(store, &orders).await, [(1, false), (2, false)]);
}

/// A soft delete and a partial permanent one keep them; the revision of the settings rises.
pub async fn the_last_permanent_delete_takes_config_and_mode(store: &dyn RegistryStore) {
    let orders = subject(&context("settings-go"), "orders");
    let scope = Scope::Subject(orders.clone());
    given_text(store, &orders, 1, "one").await;
    given_text(store, &orders, 2, "two").await;
    let config = Config { compatibility_level: Some("FULL".into()), ..Config::default() };
    let write = SettingsWrite { config: Some(Some(config)), mode: Some(Some(Mode::ReadWrite)) };
    let revision = store.write_settings(&scope, write, Preconditions::default()).await.expect("settings");
    soft(store, &orders, &[1, 2]).await;
    hard(store, &orders, &[1]).await;
    let kept = store.settings(&scope).await.expect("settings");
    assert!(kept.config.is_some() && kept.mode.is_some());
    hard(store, &orders, &[2]).await;
    let gone = store.settings(&scope).await.expect("settings");
    assert_eq!((gone.config, gone.mode), (None, None));
    assert!(gone.revision > revision);
}

/// Not even the versions that nobody refers to.
pub async fn a_blocked_delete_changes_nothing(store: &dyn RegistryStore) {
    let context = context("blocked");
    let (dep, main) = (subject(&context, "dep"), subject(&context, "main"));
    let id: SchemaId = given_text(store, &dep, 1, "one").await;
    given_text(store, &dep, 2, "two").await;
    given_referrer(store, &main, 1, (&dep, 2)).await;
    let before = store.subject(&dep).await.expect("subject");
    assert_eq!(soft(store, &dep, &[1, 2]).await, Deleted::Referenced(Version(2)));
    assert_eq!(store.subject(&dep).await.expect("subject"), before);
    assert!(store.content_by_id(&context, id).await.expect("content").is_some());
}
