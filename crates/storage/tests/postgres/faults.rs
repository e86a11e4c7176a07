//! Postgres stopped, frozen, crashed: what callers see, how fast, and that it passes.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sluice_registry::store::*;
use sluice_storage::{StorageConfig, connect};

use crate::given::*;
use crate::server::Server;

async fn store(server: &Server) -> Arc<dyn RegistryStore> {
    connect(StorageConfig::new(server.url())).await.unwrap()
}

/// Until the store answers again.
async fn back(store: &dyn RegistryStore) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while let Err(error) = store.ping().await {
        assert!(Instant::now() < deadline, "not back: {error}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_fails_fast_and_is_found_again() {
    let server = Server::new();
    let store = store(&server).await;
    given(&*store, "before", "before").await;

    server.stop("fast");
    let lost =
        tokio::time::timeout(Duration::from_secs(5), store.changed()).await.expect("told that the stream is lost");
    assert!(matches!(lost, Err(StoreError::Unavailable { .. })), "{lost:?}");
    let began = Instant::now();
    let read = store.subject(&subject("before")).await;
    assert!(matches!(read, Err(StoreError::Unavailable { .. })), "{read:?}");
    let written = store.commit_version(new_version("during", 1, "during"), at(0)).await;
    assert!(matches!(written, Err(StoreError::Unavailable { .. })), "{written:?}");
    assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    let began = Instant::now();
    for _ in 0..100 {
        assert!(matches!(store.ping().await, Err(StoreError::Unavailable { .. })));
    }
    assert!(began.elapsed() < Duration::from_millis(500), "100 calls took {:?}", began.elapsed());

    server.start();
    back(&*store).await;
    assert_eq!(store.subject(&subject("before")).await.unwrap().versions.len(), 1);
    assert_eq!(store.subject(&subject("during")).await.unwrap(), SubjectState::default());
    given(&*store, "after", "after").await;
    tokio::time::timeout(Duration::from_secs(10), store.changed()).await.expect("listening again").unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_between_calls_goes_unnoticed_by_reads() {
    let server = Server::new();
    let store = store(&server).await;
    given(&*store, "before", "before").await;
    server.stop("fast");
    server.start();
    // The listener may have found the server down for a moment.
    back(&*store).await;
    for _ in 0..20 {
        assert_eq!(store.subject(&subject("before")).await.unwrap().versions.len(), 1);
    }
    given(&*store, "after", "after").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_silent_server_is_given_up() {
    let server = Server::new();
    let store = store(&server).await;
    given(&*store, "before", "before").await;

    server.signal("STOP");
    let began = Instant::now();
    let (read, written) = tokio::join!(store.ping(), store.commit_version(new_version("during", 1, "during"), at(0)),);
    assert!(began.elapsed() < Duration::from_secs(4), "{:?}", began.elapsed());
    assert!(matches!(read, Err(StoreError::Unavailable { .. })), "{read:?}");
    assert!(written.is_err(), "{written:?}");
    // Silence must be confirmed before all calls fail at once.
    let known = async {
        loop {
            let began = Instant::now();
            assert!(store.ping().await.is_err());
            if began.elapsed() < Duration::from_millis(5) {
                break;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(5), known).await.expect("known to be down");

    server.signal("CONT");
    back(&*store).await;
    given(&*store, "after", "after").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_crash_what_was_acknowledged_is_there_and_what_was_refused_is_not() {
    let server = Server::new();
    let store = store(&server).await;
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let store = store.clone();
            tokio::spawn(async move {
                let mut outcomes = Vec::new();
                for step in 0.. {
                    let name = format!("s-{writer}-{step}");
                    let outcome = store.commit_version(new_version(&name, 1, &name), at(0)).await;
                    let failed = outcome.is_err();
                    outcomes.push((name, outcome));
                    if failed {
                        break;
                    }
                }
                outcomes
            })
        })
        .collect();
    // Some work first.
    while store.max_id(&default_context()).await.unwrap().0 < 50 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    server.stop("immediate");
    let mut outcomes = HashMap::new();
    for writer in writers {
        outcomes.extend(writer.await.unwrap());
    }
    server.start();
    back(&*store).await;
    let mut unknown = 0;
    for (name, outcome) in outcomes {
        let there = !store.subject(&subject(&name)).await.unwrap().versions.is_empty();
        match outcome {
            Ok(_) => assert!(there, "{name} was acknowledged and is lost"),
            Err(StoreError::OutcomeUnknown { .. }) => unknown += 1,
            Err(_) => assert!(!there, "{name} was refused and is there"),
        }
    }
    assert!(unknown <= 8);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_not_there_is_said_so() {
    let refused = connect(StorageConfig::new("postgres://postgres@127.0.0.1:1/postgres")).await.err();
    assert!(refused.is_some_and(|error| error.to_string().starts_with("cannot reach the database")));
}
