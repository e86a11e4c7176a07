//! Commits per second of new versions in new subjects, with 1, 16 and 64 writers at once.
//!
//! `SLUICE_TEST_DATABASE_URL=postgres://… cargo bench -p sluice-storage`. Each commit stands on the revision of its
//! subject and of three settings scopes, as a registration does. Compare with pgbench on the same server in the same
//! minute: the disk decides, and it is the disk of whatever else runs there.

#![allow(clippy::unwrap_used, clippy::print_stdout, missing_docs)]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sluice_registry::store::*;
use sluice_registry::{Content, ContextName, Scope, SubjectName};
use sluice_schema::{Guid, SchemaType, Version};
use sluice_storage::{StorageConfig, connect};

fn main() {
    let Ok(url) = std::env::var("SLUICE_TEST_DATABASE_URL") else {
        println!("SLUICE_TEST_DATABASE_URL is not set: nothing measured");
        return;
    };
    let seconds = std::env::var("SECONDS_EACH").ok().and_then(|text| text.parse().ok()).unwrap_or(5);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let began = Instant::now();
        let store = connect(StorageConfig::new(url)).await.unwrap();
        println!("opened in {:.1?}", began.elapsed());
        for writers in [1, 16, 64] {
            let (rate, slowest) = measure(&store, writers, Duration::from_secs(seconds)).await;
            println!("{writers:>3} writers: {rate:>6.0} commits/s, slowest {slowest:.1?}");
        }
        let began = Instant::now();
        let subjects = store.subjects(&Contexts::All, "", View::Live).await.unwrap().len();
        println!("{subjects} subjects listed in {:.1?}", began.elapsed());
        let began = Instant::now();
        store.subject_states(&Contexts::One(ContextName::default_context()), "", View::Live).await.unwrap();
        println!("… with their versions in {:.1?}", began.elapsed());
        let began = Instant::now();
        let some = store.subjects(&Contexts::All, "orders-1", View::Live).await.unwrap().len();
        println!("… {some} of them by prefix in {:.1?}", began.elapsed());
        let cursor = store.change_cursor().await.unwrap();
        let began = Instant::now();
        store.changes_since(&cursor).await.unwrap();
        println!("polled for changes in {:.1?}", began.elapsed());
    });
}

async fn measure(store: &Arc<dyn RegistryStore>, writers: u64, time: Duration) -> (f64, Duration) {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let start = Instant::now();
    let tasks: Vec<_> = (0..writers)
        .map(|_| {
            let store = store.clone();
            tokio::spawn(async move {
                let (mut done, mut slowest) = (0_u64, Duration::ZERO);
                while start.elapsed() < time {
                    let unique = unique(NEXT.fetch_add(1, Ordering::Relaxed));
                    let began = Instant::now();
                    commit(&*store, unique).await;
                    slowest = slowest.max(began.elapsed());
                    done += 1;
                }
                (done, slowest)
            })
        })
        .collect();
    let (mut done, mut slowest) = (0, Duration::ZERO);
    for task in tasks {
        let (count, slow) = task.await.unwrap();
        done += count;
        slowest = slowest.max(slow);
    }
    (done as f64 / start.elapsed().as_secs_f64(), slowest)
}

/// Unlike any other of this and of earlier runs.
fn unique(number: u64) -> u128 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    (now.as_nanos() << 32) | u128::from(number)
}

async fn commit(store: &dyn RegistryStore, unique: u128) {
    let context = ContextName::default_context();
    let subject = SubjectName::new(context.clone(), &format!("orders-{unique:x}-value"));
    let text = format!(
        "syntax = \"proto3\";\n\nmessage Order{unique:x} {{\n  string id = 1;\n  string customer = 2;\n  int64 amount_cents = 3;\n  \
         string currency = 4;\n  repeated string lines = 5;\n}}\n"
    );
    let new = NewVersion {
        subject: subject.clone(),
        version: Version(1),
        content: Arc::new(Content {
            schema_type: SchemaType::Protobuf,
            text: text.into(),
            references: [].into(),
            metadata: None,
            rule_set: None,
            guid: Guid(unique.to_le_bytes()),
        }),
        references: Vec::new(),
        id: IdChoice::ByContent,
        tombstone_same_id: true,
        ts: 1_700_000_000_000,
    };
    let scopes = [Scope::AllContexts, Scope::Context(context), Scope::Subject(subject)];
    let on = Preconditions {
        subject_revision: Some(Revision(0)),
        settings: scopes.into_iter().map(|scope| (scope, Revision(0))).collect(),
        references: Vec::new(),
    };
    store.commit_version(new, on).await.unwrap();
}
