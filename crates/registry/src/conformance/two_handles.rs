//! Cases with two handles on one database: two nodes.

use std::time::Duration;

use super::*;
use crate::Scope;

/// What one writes, the other reads, and finds among the changes.
pub async fn what_one_writes_the_other_reads(one: &dyn RegistryStore, other: &dyn RegistryStore) {
    let orders = subject(&context("two-handles"), "orders");
    let cursor = other.change_cursor().await.expect("cursor");
    let id = given_text(one, &orders, 1, "one").await;
    assert_eq!(other.subject(&orders).await.expect("subject").versions[0].id, id);
    let (changes, _) = other.changes_since(&cursor).await.expect("changes");
    assert!(changes.contains(&Change::Subject(orders)), "{changes:?}");
}

/// A handle that waits is woken by the other's write (stores that notify only).
pub async fn a_waiting_handle_is_woken(one: &dyn RegistryStore, other: &dyn RegistryStore) {
    let orders = subject(&context("two-handles-woken"), "orders");
    let write = async {
        // Whether the waiter listens already cannot be seen from here: write until it is woken.
        for version in 1.. {
            given_text(one, &orders, version, &format!("version {version}")).await;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::select! {
        woken = other.changed() => woken.expect("changed"),
        () = write => {}
        () = tokio::time::sleep(Duration::from_secs(10)) => panic!("not woken"),
    }
}

/// Both decide on one state; one of them must look again.
pub async fn of_two_writers_on_one_state_one_wins(one: &dyn RegistryStore, other: &dyn RegistryStore) {
    let orders = subject(&context("two-handles-race"), "orders");
    for round in 1..=8 {
        let revision = one.subject_revision(&orders).await.expect("revision");
        let left = new_version(&orders, round, &content(&format!("left {round}")));
        let right = new_version(&orders, round, &content(&format!("right {round}")));
        let (left, right) =
            tokio::join!(one.commit_version(left, at(revision)), other.commit_version(right, at(revision)));
        let results = [left, right];
        assert_eq!(results.iter().filter(|got| matches!(got, Ok(Committed::Written { .. }))).count(), 1, "{results:?}");
        assert_eq!(results.iter().filter(|got| matches!(got, Err(StoreError::Conflict))).count(), 1, "{results:?}");
    }
}

/// A reference and the delete of its target: never both.
pub async fn a_target_is_not_deleted_under_its_referrer(one: &dyn RegistryStore, other: &dyn RegistryStore) {
    let context = context("two-handles-reference");
    for round in 0..8 {
        let dep = subject(&context, &format!("dep{round}"));
        let main = subject(&context, &format!("main{round}"));
        given_text(one, &dep, 1, &format!("dep {round}")).await;
        let revision = one.subject_revision(&dep).await.expect("revision");
        let mut new = new_version(&main, 1, &content(&format!("main {round}")));
        new.references = vec![(dep.clone(), Version(1))];
        let on = Preconditions { references: vec![(dep.clone(), Version(1), RequireLive::Yes)], ..at(Revision(0)) };
        let (committed, deleted) = tokio::join!(
            one.commit_version(new, on),
            other.delete_versions(&dep, Delete::Soft(vec![Version(1)]), at(revision)),
        );
        let written = matches!(committed, Ok(Committed::Written { .. }));
        let gone = matches!(deleted, Ok(Deleted::Done(_)));
        assert!(written != gone, "{committed:?} {deleted:?}");
    }
}

/// A level changed by one node while another registers on the old one.
pub async fn settings_written_by_one_are_a_conflict_for_the_other(one: &dyn RegistryStore, other: &dyn RegistryStore) {
    let orders = subject(&context("two-handles-settings"), "orders");
    let scope = Scope::Subject(orders.clone());
    let before = other.settings(&scope).await.expect("settings").revision;
    let write = SettingsWrite { config: Some(Some(crate::Config::default())), mode: None };
    one.write_settings(&scope, write, Preconditions::default()).await.expect("settings");
    let on = Preconditions { settings: vec![(scope, before)], ..at(Revision(0)) };
    let got = other.commit_version(new_version(&orders, 1, &content("one")), on).await;
    assert!(matches!(got, Err(StoreError::Conflict)), "{got:?}");
}
