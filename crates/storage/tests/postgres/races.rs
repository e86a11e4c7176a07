//! Writers at once, on two nodes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::future::join_all;
use sluice_registry::store::*;
use sluice_registry::{AssociatedResource, Association, AssociationType, Lifecycle};
use sluice_schema::{SchemaId, Version};
use sqlx::{Connection, Executor};

use crate::database::Database;
use crate::given::*;

async fn two_nodes(database: &Database) -> [Arc<dyn RegistryStore>; 2] {
    [database.store().await, database.store().await]
}

/// What a registration does on its store: read, decide (only the own lineage is compatible), commit, again on conflict.
async fn grow(store: &dyn RegistryStore, lineage: usize, step: usize) -> Option<(SchemaId, Version)> {
    let orders = subject("orders-value");
    let text = format!("lineage {lineage} step {step}");
    loop {
        let state = store.subject(&orders).await.unwrap();
        if let Some(latest) = state.versions.last() {
            let latest = store.content_by_id(&default_context(), latest.id).await.unwrap().unwrap();
            if !latest.text.starts_with(&format!("lineage {lineage} ")) {
                return None;
            }
        }
        let version = state.versions.last().map_or(1, |latest| latest.version.0 + 1);
        match store.commit_version(new_version("orders-value", version, &text), at(state.revision.0)).await {
            Ok(Committed::Written { id, .. }) => return Some((id, Version(version))),
            Ok(Committed::IdTaken(id)) => panic!("{id} is taken"),
            Err(StoreError::Conflict) => {}
            Err(other) => panic!("{other}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn thirty_two_incompatible_writers_on_two_nodes_leave_one_lineage() {
    let database = Database::new().await;
    let nodes = two_nodes(&database).await;
    let writers = (0..32).map(|lineage| {
        let store = nodes[lineage % 2].clone();
        tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for step in 0..4 {
                acknowledged.extend(grow(&*store, lineage, step).await);
            }
            (lineage, acknowledged)
        })
    });
    let results: Vec<_> = join_all(writers).await.into_iter().map(Result::unwrap).collect();
    let winners: Vec<_> = results.iter().filter(|(_, acknowledged)| !acknowledged.is_empty()).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    let (winner, acknowledged) = winners[0];
    assert_eq!(acknowledged.len(), 4);

    let state = nodes[0].subject(&subject("orders-value")).await.unwrap();
    let stored: Vec<_> = state.versions.iter().map(|row| (row.id, row.version)).collect();
    assert_eq!(stored, *acknowledged, "what was acknowledged is there, and nothing else");
    let ids: HashSet<_> = stored.iter().map(|(id, _)| id).collect();
    assert_eq!(ids.len(), 4);
    for (id, _) in stored {
        let content = nodes[1].content_by_id(&default_context(), id).await.unwrap().unwrap();
        assert!(content.text.starts_with(&format!("lineage {winner} ")));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_referenced_version_is_never_permanently_deleted_under_its_referrer() {
    let database = Database::new().await;
    let [one, other] = two_nodes(&database).await;
    for round in 0..40 {
        let (dep, main) = (format!("dep{round}"), format!("main{round}"));
        given(&*one, &dep, &dep).await;
        let soft = one.delete_versions(&subject(&dep), Delete::Soft(vec![Version(1)]), at(1)).await.unwrap();
        assert_eq!(soft, Deleted::Done(Revision(2)));
        let mut new = new_version(&main, 1, &main);
        new.references = vec![(subject(&dep), Version(1))];
        // An import: a soft-deleted target will do.
        let on = Preconditions { references: vec![(subject(&dep), Version(1), RequireLive::No)], ..at(0) };
        let dep = subject(&dep);
        let (committed, deleted) = tokio::join!(
            one.commit_version(new, on),
            other.delete_versions(&dep, Delete::Permanent(vec![Version(1)]), at(2)),
        );
        match (committed, deleted) {
            (Ok(Committed::Written { .. }), Ok(Deleted::Referenced(Version(1)))) => {}
            (Err(StoreError::Conflict), Ok(Deleted::Done(_))) => {}
            both => panic!("round {round}: {both:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn content_is_not_removed_from_under_a_new_user() {
    let database = Database::new().await;
    let [one, other] = two_nodes(&database).await;
    for round in 0..60 {
        let (old, new) = (format!("old{round}"), format!("new{round}"));
        let text = format!("text {round}");
        let first = given(&*one, &old, &text).await;
        one.delete_versions(&subject(&old), Delete::Soft(vec![Version(1)]), at(1)).await.unwrap();
        let old = subject(&old);
        let (deleted, committed) = tokio::join!(
            one.delete_versions(&old, Delete::Permanent(vec![Version(1)]), at(2)),
            other.commit_version(new_version(&new, 1, &text), at(0)),
        );
        assert!(matches!(deleted, Ok(Deleted::Done(_))), "{deleted:?}");
        let Ok(Committed::Written { id, .. }) = committed else { panic!("{committed:?}") };
        let held = one.content_by_id(&default_context(), id).await.unwrap();
        assert_eq!(held.as_deref(), Some(&*content(&text)), "round {round}: id {id}, was {first}");
        assert_eq!(one.id_by_guid(&default_context(), content(&text).guid).await.unwrap(), Some(id));
        assert!(id >= first);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn imports_and_registrations_never_share_an_id() {
    let database = Database::new().await;
    let nodes = two_nodes(&database).await;
    let writers = (0..16).map(|writer| {
        let store = nodes[writer % 2].clone();
        tokio::spawn(async move {
            let mut given = Vec::new();
            for step in 0..12 {
                let name = format!("s-{writer}-{step}");
                let mut new = new_version(&name, 1, &name);
                if writer < 8 {
                    // Importers fight over the same few ids, just ahead of the sequence.
                    let next = store.max_id(&default_context()).await.unwrap().0 + 1 + (writer as i32 % 3);
                    new.id = IdChoice::Explicit(SchemaId(next));
                }
                match store.commit_version(new, at(0)).await {
                    Ok(Committed::Written { id, .. }) => given.push((id, name)),
                    Ok(Committed::IdTaken(_)) | Err(StoreError::Conflict) if writer < 8 => {}
                    other => panic!("{other:?}"),
                }
            }
            given
        })
    });
    let given: Vec<_> = join_all(writers).await.into_iter().flat_map(Result::unwrap).collect();
    let ids: HashMap<_, _> = given.iter().cloned().collect();
    assert_eq!(ids.len(), given.len(), "an id was given twice");
    assert!(given.len() >= 8 * 12);
    for (id, name) in given {
        assert_eq!(nodes[0].content_by_id(&default_context(), id).await.unwrap().unwrap().text, name.into());
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn subjects_that_refer_to_each_other_do_not_deadlock() {
    let database = Database::new().await;
    let nodes = two_nodes(&database).await;
    for name in ["left", "right"] {
        given(&*nodes[0], name, name).await;
    }
    let writers = [("left", "right"), ("right", "left")].into_iter().cycle().take(8).enumerate().map(
        |(writer, (own, target))| {
            let store = nodes[writer / 2 % 2].clone();
            tokio::spawn(async move {
                let mut written = 0;
                while written < 10 {
                    let state = store.subject(&subject(own)).await.unwrap();
                    let version = state.versions.len() as i32 + 1;
                    let mut new = new_version(own, version, &format!("{own} {writer} {version}"));
                    new.references = vec![(subject(target), Version(1))];
                    let references = vec![(subject(target), Version(1), RequireLive::Yes)];
                    match store.commit_version(new, Preconditions { references, ..at(state.revision.0) }).await {
                        Ok(_) => written += 1,
                        Err(StoreError::Conflict) => {}
                        Err(other) => panic!("{other}"),
                    }
                }
            })
        },
    );
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    let state = nodes[0].subject(&subject("left")).await.unwrap();
    assert_eq!(state.versions.len(), 41);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stream_of_changes_misses_nothing_and_repeats_nothing() {
    let database = Database::new().await;
    let nodes = two_nodes(&database).await;
    // A transaction that has an id and stays open: all later ones commit out of order.
    let mut open = database.connection().await;
    let mut transaction = open.begin().await.unwrap();
    transaction.execute("SELECT pg_current_xact_id()").await.unwrap();

    let done = Arc::new(AtomicBool::new(false));
    let reader = {
        let (store, done) = (nodes[0].clone(), done.clone());
        let mut cursor = store.change_cursor().await.unwrap();
        tokio::spawn(async move {
            let mut seen = Vec::new();
            loop {
                let last = done.load(Ordering::SeqCst);
                let (changes, next) = store.changes_since(&cursor).await.unwrap();
                seen.extend(changes);
                cursor = next;
                if last {
                    return seen;
                }
            }
        })
    };
    let writers = (0..16).map(|writer| {
        let store = nodes[writer % 2].clone();
        tokio::spawn(async move {
            for step in 0..10 {
                let name = format!("s-{writer}-{step}");
                given(&*store, &name, &name).await;
            }
        })
    });
    for writer in join_all(writers).await {
        writer.unwrap();
    }
    done.store(true, Ordering::SeqCst);
    let seen = reader.await.unwrap();
    transaction.rollback().await.unwrap();
    let distinct: HashSet<_> = seen.iter().cloned().collect();
    assert_eq!(distinct.len(), 160, "every subject, and nothing else");
    assert_eq!(seen.len(), 160, "each once, as it was written once");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cursor_from_elsewhere_means_that_anything_may_have_changed() {
    let database = Database::new().await;
    let store = database.store().await;
    given(&*store, "orders-value", "text").await;
    let cursor = store.change_cursor().await.unwrap();
    assert_eq!(store.changes_since(&cursor).await.unwrap().0, []);
    let (timeline, _) = cursor.0.split_once('/').unwrap();
    let strange = ["".to_owned(), "000000FF/5:5:".to_owned(), format!("{timeline}/99999999:99999999:")];
    for cursor in strange {
        let (changes, _) = store.changes_since(&ChangeCursor(cursor.clone())).await.unwrap();
        assert!(changes.contains(&Change::Subject(subject("orders-value"))), "{cursor:?}: {changes:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subject_is_never_deleted_under_its_association() {
    let database = Database::new().await;
    let [one, other] = two_nodes(&database).await;
    for round in 0..40 {
        let name = format!("subject{round}");
        given(&*one, &name, &name).await;
        let new = Association {
            subject: subject(&name),
            guid: sluice_schema::Guid([round; 16]),
            resource: AssociatedResource {
                name: name.as_str().into(),
                namespace: "cluster".into(),
                resource_type: "topic".into(),
                id: format!("id of {name}").into(),
            },
            association_type: AssociationType::Value,
            lifecycle: if round % 2 == 0 { Lifecycle::Weak } else { Lifecycle::Strong },
            create_ts: 0,
            update_ts: 0,
        };
        let write = AssociationWrite {
            resource_type: new.resource.resource_type.clone(),
            resource_id: new.resource.id.clone(),
            add: vec![new],
            subjects: vec![(subject(&name), Revision(1))],
            ..AssociationWrite::default()
        };
        let name = subject(&name);
        let (associated, deleted) = tokio::join!(
            one.write_associations(write),
            other.delete_versions(&name, Delete::Soft(vec![Version(1)]), at(1))
        );
        let live = one.subject(&name).await.unwrap().versions.iter().any(|row| !row.deleted);
        let there = !other.associations(&AssociationsOf::Subject(name)).await.unwrap().is_empty();
        assert_eq!((live, there), (associated.is_ok(), associated.is_ok()), "{associated:?} {deleted:?}");
        assert_ne!(associated.is_ok(), deleted.is_ok(), "{associated:?} {deleted:?}");
    }
}
