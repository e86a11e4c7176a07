//! What every [`RegistryStore`] must do, as a suite that memory, SQLite and Postgres all run.
//!
//! A case is a public async function of this module named as a sentence; it works in a context of its own, so cases may
//! share one database and run in any order, also at once. [`store_conformance!`](crate::store_conformance) makes a test
//! of each. Cases that need two handles on one database (two nodes) are in [`two_handles`].
//!
//! To add a case: write it in the file of its group, add its name to the list below; a test checks that none is
//! forgotten.

mod associations;
mod commit;
mod delete;
mod lists;
mod settings;
pub mod two_handles;

pub use associations::*;
pub use commit::*;
pub use delete::*;
pub use lists::*;
pub use settings::*;

use std::sync::Arc;

use sluice_schema::{Fingerprint, Reference, SchemaId, SchemaType, Version};

use crate::store::*;
use crate::{Content, ContextName, SubjectName};

/// Calls the macro in brackets with `{ args }` and the names of all cases that take one store.
#[doc(hidden)]
#[macro_export]
macro_rules! __store_cases {
    ([$($callback:tt)*] { $($args:tt)* }) => {
        $($callback)*! { { $($args)* }
            // commit
            a_first_version_gets_revision_one_and_an_id
            the_same_content_under_another_subject_keeps_its_id
            the_same_content_in_another_context_gets_an_id_of_its_own
            ids_of_a_context_rise_and_never_repeat
            content_comes_back_as_it_was_written
            a_stale_subject_revision_is_a_conflict_and_writes_nothing
            a_new_subject_is_expected_at_revision_zero
            stale_settings_are_a_conflict
            a_missing_reference_is_a_conflict
            a_soft_deleted_reference_is_a_conflict_only_where_it_must_be_live
            an_explicit_id_is_taken_and_later_ids_are_higher
            an_explicit_id_of_other_content_is_refused
            different_contents_of_one_hash_are_refused_and_the_id_is_named
            an_explicit_id_with_its_own_content_is_fine
            known_content_under_a_second_explicit_id_is_found_under_that_one
            a_version_number_written_again_replaces_the_row
            soft_deleted_versions_of_the_same_id_vanish_on_request
            referenced_soft_deleted_versions_of_the_same_id_stay
            sixteen_writers_of_one_subject_leave_one_lineage
            writers_of_one_content_agree_on_its_id
            writers_of_many_contents_never_share_an_id
            // delete
            soft_deleted_versions_stay_and_are_marked
            permanently_deleted_versions_are_gone
            the_revision_outlives_a_permanent_delete
            content_stays_while_any_version_uses_it
            content_without_versions_is_gone_and_comes_back_under_a_new_id
            a_live_referrer_blocks_a_soft_delete
            a_soft_deleted_referrer_blocks_a_permanent_delete_only
            referrers_among_the_deleted_do_not_count
            a_delete_on_a_stale_revision_is_a_conflict
            the_last_permanent_delete_takes_config_and_mode
            a_blocked_delete_changes_nothing
            // lists
            subjects_are_listed_by_view_and_sorted
            subjects_are_listed_by_prefix_inside_their_context
            wildcards_in_prefixes_are_plain_text
            configs_of_subjects_are_listed_by_prefix_inside_their_context
            subject_states_carry_all_versions
            an_unknown_subject_is_an_empty_state
            usages_are_one_row_per_subject
            referrers_are_listed_by_context_and_id
            guids_are_found_in_every_context
            contexts_are_listed_until_deleted
            the_default_context_is_always_listed
            max_id_is_the_highest_ever_given
            odd_names_come_back_as_they_were
            names_that_differ_in_case_are_different_subjects
            // settings
            settings_start_empty_at_revision_zero
            config_and_mode_are_written_apart
            config_comes_back_as_it_was_written
            settings_of_scopes_do_not_mix
            a_settings_write_on_a_stale_revision_is_a_conflict
            clearing_a_setting_raises_the_revision
            modes_of_a_context_are_removed_together
            changes_name_what_was_written
            a_ping_answers
            // associations
            associations_come_back_as_they_were_written_whoever_is_asked_about
            associations_are_listed_by_resource_and_type
            an_association_raises_the_revision_of_its_subject_when_it_comes_and_goes
            associations_written_on_stale_grounds_are_a_conflict
            one_name_has_one_association_of_a_type
            a_subject_is_either_referred_to_or_strongly_associated
            a_strong_association_takes_its_subject_along
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __store_tests {
    ({ $store:expr } $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let store = $store.await;
                $crate::conformance::$case(&store).await;
            }
        )*
    };
}

/// One test per case of the suite, on the store that the given future makes; it is awaited once per test.
#[macro_export]
macro_rules! store_conformance {
    ($store:expr) => {
        $crate::__store_cases! { [$crate::__store_tests] { $store } }
    };
}

/// The same for [`two_handles`]: the future makes two handles on one database.
#[macro_export]
macro_rules! store_conformance_of_two {
    ($stores:expr) => {
        $crate::__two_handle_tests! { { $stores }
            what_one_writes_the_other_reads
            a_waiting_handle_is_woken
            of_two_writers_on_one_state_one_wins
            a_target_is_not_deleted_under_its_referrer
            settings_written_by_one_are_a_conflict_for_the_other
        }
    };
}

#[doc(hidden)]
#[macro_export]
macro_rules! __two_handle_tests {
    ({ $stores:expr } $($case:ident)*) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                let (one, other) = $stores.await;
                $crate::conformance::two_handles::$case(&one, &other).await;
            }
        )*
    };
}

/// A context of this name.
pub(crate) fn context(name: &str) -> ContextName {
    ContextName::new(name)
}

/// `name` inside the context.
pub(crate) fn subject(context: &ContextName, name: &str) -> SubjectName {
    SubjectName::new(context.clone(), name)
}

/// Content that is only this text.
pub(crate) fn content(text: &str) -> Arc<Content> {
    content_with(text, &[])
}

/// Content with references.
pub(crate) fn content_with(text: &str, references: &[Reference]) -> Arc<Content> {
    let mut fingerprint = Fingerprint::new();
    fingerprint.text(text);
    for reference in references {
        fingerprint.reference(reference);
    }
    Arc::new(Content {
        schema_type: SchemaType::Protobuf,
        text: text.into(),
        references: references.into(),
        metadata: None,
        rule_set: None,
        guid: fingerprint.finish(),
    })
}

/// A version to write: id by content, no references.
pub(crate) fn new_version(subject: &SubjectName, version: i32, content: &Arc<Content>) -> NewVersion {
    NewVersion {
        subject: subject.clone(),
        version: Version(version),
        content: content.clone(),
        references: Vec::new(),
        id: IdChoice::ByContent,
        tombstone_same_id: true,
        ts: 1_700_000_000_000,
    }
}

/// Preconditions on a subject's revision alone.
pub(crate) fn at(revision: Revision) -> Preconditions {
    Preconditions { subject_revision: Some(revision), ..Preconditions::default() }
}

/// Writes it on whatever the subject stands at; id and new revision.
pub(crate) async fn given(store: &dyn RegistryStore, new: NewVersion) -> (SchemaId, Revision) {
    let revision = store.subject_revision(&new.subject).await.expect("revision");
    match store.commit_version(new, at(revision)).await.expect("commit") {
        Committed::Written { id, revision } => (id, revision),
        Committed::IdTaken(id) => panic!("{id} is taken"),
    }
}

/// Writes `text` as this version.
pub(crate) async fn given_text(store: &dyn RegistryStore, subject: &SubjectName, version: i32, text: &str) -> SchemaId {
    given(store, new_version(subject, version, &content(text))).await.0
}

/// Writes a version that refers to another.
pub(crate) async fn given_referrer(
    store: &dyn RegistryStore,
    subject: &SubjectName,
    version: i32,
    to: (&SubjectName, i32),
) -> SchemaId {
    let reference = Reference { name: "dep.proto".into(), subject: to.0.qualified(), version: to.1 };
    let text = format!("refers from {subject} {version}");
    let mut new = new_version(subject, version, &content_with(&text, &[reference]));
    new.references = vec![(to.0.clone(), Version(to.1))];
    given(store, new).await.0
}

/// Deletes on whatever the subject stands at.
pub(crate) async fn delete(store: &dyn RegistryStore, subject: &SubjectName, delete: Delete) -> Deleted {
    let revision = store.subject_revision(subject).await.expect("revision");
    store.delete_versions(subject, delete, at(revision)).await.expect("delete")
}

/// Soft-deletes these versions.
pub(crate) async fn soft(store: &dyn RegistryStore, subject: &SubjectName, versions: &[i32]) -> Deleted {
    delete(store, subject, Delete::Soft(versions.iter().copied().map(Version).collect())).await
}

/// Removes these versions.
pub(crate) async fn hard(store: &dyn RegistryStore, subject: &SubjectName, versions: &[i32]) -> Deleted {
    delete(store, subject, Delete::Permanent(versions.iter().copied().map(Version).collect())).await
}

/// (version, deleted) of a subject.
pub(crate) async fn versions(store: &dyn RegistryStore, subject: &SubjectName) -> Vec<(i32, bool)> {
    let state = store.subject(subject).await.expect("subject");
    state.versions.iter().map(|row| (row.version.0, row.deleted)).collect()
}

#[cfg(test)]
mod tests {
    macro_rules! names {
        ({} $($case:ident)*) => { &[$(stringify!($case)),*] };
    }

    #[test]
    fn every_case_is_in_the_list() {
        let listed: &[&str] = crate::__store_cases!([names] {});
        let sources = [
            include_str!("conformance/associations.rs"),
            include_str!("conformance/commit.rs"),
            include_str!("conformance/delete.rs"),
            include_str!("conformance/lists.rs"),
            include_str!("conformance/settings.rs"),
        ];
        let written: Vec<&str> = sources
            .iter()
            .flat_map(|source| source.split("\npub async fn ").skip(1))
            .filter_map(|rest| rest.split('(').next())
            .collect();
        for case in &written {
            assert!(listed.contains(case), "{case} is not in the list");
        }
        assert_eq!(written.len(), listed.len());
    }
}
