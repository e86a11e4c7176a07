use std::sync::Arc;

use super::*;
use crate::fixture::*;
use crate::memory::MemoryStore;
use crate::store::View;

/// Two nodes on one store, both following.
async fn two_nodes() -> (Node, Node) {
    let store = MemoryStore::new();
    let nodes = (node_on(&store), node_on(&store));
    for node in [&nodes.0, &nodes.1] {
        let follower = node.registry.clone();
        tokio::spawn(async move { follower.follow_changes().await });
        until(|| node.registry.coherence().notified).await;
    }
    nodes
}

/// Waits, in paused time, until it holds.
async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

fn cached(node: &Node, subject: &str) -> Option<usize> {
    node.registry.inner.caches.subject(&name(subject)).map(|state| state.versions.len())
}

#[tokio::test(start_paused = true)]
async fn what_one_node_writes_the_other_forgets() {
    let (here, there) = two_nodes().await;
    here.given("s", &fields(&["a"])).await;
    assert_eq!(there.versions("s").await.unwrap(), [1]);
    until(|| cached(&there, "s").is_none()).await;
    assert_eq!(there.versions("s").await.unwrap(), [1]);
    assert_eq!(cached(&there, "s"), Some(1));
    here.given("s", &fields(&["a", "b"])).await;
    until(|| cached(&there, "s").is_none()).await;
    assert_eq!(there.versions("s").await.unwrap(), [1, 2]);
}

/// A notification may come while the node reads what the one before it told of.
#[tokio::test(start_paused = true)]
async fn changes_in_quick_succession_are_all_heard() {
    let (here, there) = two_nodes().await;
    for count in 1..=20 {
        let names: Vec<String> = (0..count).map(|n| format!("f{n}")).collect();
        here.given("s", &fields(&names.iter().map(String::as_str).collect::<Vec<_>>())).await;
        tokio::time::sleep(GATHER / 3).await;
    }
    until(|| cached(&there, "s").is_none()).await;
    tokio::time::sleep(POLL).await;
    assert!(there.registry.coherence().notified, "nobody follows any more");
    assert_eq!(there.versions("s").await.unwrap().len(), 20);
}

#[tokio::test(start_paused = true)]
async fn a_level_changed_on_one_node_holds_on_the_other() {
    let (here, there) = two_nodes().await;
    there.given("s", &fields(&["a"])).await;
    here.put_level("s", "NONE").await;
    let scope = Scope::Subject(name("s"));
    until(|| there.registry.inner.caches.settings(&scope).is_none()).await;
    there.given("s", &breaking()).await;
    here.put_level("s", "FULL").await;
    until(|| there.registry.inner.caches.settings(&scope).is_none()).await;
    assert!(matches!(there.register("s", proto(&fields(&["a"]))).await, Ok(entity) if entity.version.0 == 1));
    assert!(matches!(there.register("s", proto(&fields(&["a", "c"]))).await, Err(Error::Incompatible { .. })));
}

/// Without notifications a hit costs one look at the revision, and tells the truth.
#[tokio::test(start_paused = true)]
async fn a_node_without_notifications_checks_the_revision_before_a_hit() {
    let (here, there) = two_nodes().await;
    there.given("s", &fields(&["a"])).await;
    here.store.lose_notifications();
    until(|| !there.registry.coherence().notified).await;
    // Loaded and current.
    assert_eq!(there.given("s", &fields(&["a"])).await.version.0, 1);
    let calls = there.store.calls();
    assert_eq!(there.given("s", &fields(&["a"])).await.version.0, 1);
    assert_eq!(there.store.calls() - calls, 1);
    let hit = there.given("s", &fields(&["a"])).await;
    there.registry.remember(&name("s"), 1, &hit, "answer".into());
    assert_eq!(there.registry.recall(&there.caller, &name("s"), 1), None);
    // The other node puts another version in its place; the stale state would still say 1.
    here.soft("s").await.unwrap();
    here.given("s", &fields(&["a"])).await;
    assert_eq!(there.given("s", &fields(&["a"])).await.version.0, 2);
}

/// A poll finds what no notification told.
#[tokio::test(start_paused = true)]
async fn changes_are_found_by_polling_while_notifications_are_lost() {
    let (here, there) = two_nodes().await;
    there.given("s", &fields(&["a"])).await;
    here.store.lose_notifications();
    until(|| !there.registry.coherence().notified).await;
    assert_eq!(there.versions("s").await.unwrap(), [1]);
    here.given("s", &fields(&["a", "b"])).await;
    tokio::time::sleep(POLL * 2).await;
    assert_eq!(there.versions("s").await.unwrap(), [1, 2]);
    here.store.recover();
    tokio::time::sleep(POLL * 2).await;
    until(|| there.registry.coherence().notified).await;
}

#[tokio::test(start_paused = true)]
async fn a_store_that_was_away_is_followed_again_and_nothing_old_is_believed() {
    let (here, there) = two_nodes().await;
    there.given("s", &fields(&["a"])).await;
    there.versions("s").await.unwrap();
    here.store.break_down();
    until(|| !there.registry.coherence().notified).await;
    assert_eq!(there.versions("s").await.unwrap(), [1], "what is known goes on being answered");
    until(|| there.registry.coherence().behind).await;
    here.store.recover();
    // As if the change had slipped through.
    tokio::time::sleep(BACKOFF.1 * 2).await;
    until(|| there.registry.coherence().notified).await;
    assert!(!there.registry.coherence().behind);
    assert_eq!(cached(&there, "s"), None);
    assert_eq!(there.versions("s").await.unwrap(), [1]);
}

#[tokio::test]
async fn silence_is_counted_from_the_last_answer() {
    fn later() -> i64 {
        1_700_000_009_000
    }
    let store = MemoryStore::new();
    let registry = Registry::new(Arc::new(store), RegistryConfig { clock: later, ..config() });
    registry.inner.heard_at.store(later() - 4_500, Ordering::SeqCst);
    assert_eq!(registry.coherence(), Coherence { notified: false, store_silent_ms: 4_500, behind: false });
}

#[tokio::test(start_paused = true)]
async fn nobody_is_notified_once_the_follower_is_dropped() {
    let node = node();
    let follower = node.registry.clone();
    let task = tokio::spawn(async move { follower.follow_changes().await });
    until(|| node.registry.coherence().notified).await;
    task.abort();
    let _ = task.await;
    assert!(!node.registry.coherence().notified);
}

/// An import may put another content under a number that others refer to.
#[tokio::test(start_paused = true)]
async fn schemas_are_parsed_again_when_a_version_they_refer_to_is_replaced() {
    let (here, there) = two_nodes().await;
    here.given("dep", &fields(&["a"])).await;
    let main = here.given_referrer("main", &using_m("Main"), reference("dep.proto", "dep", 1)).await;
    let text_of_dep = |node: Node| async move {
        let usable = node.registry.usable_by_id(&default_context(), main.id).await.unwrap();
        usable.schema.resolved_references()[0].text.to_string()
    };
    assert_eq!(text_of_dep(there.clone()).await, fields(&["a"]));
    assert_eq!(text_of_dep(here.clone()).await, fields(&["a"]));
    let scope = Scope::Subject(name("dep"));
    here.registry.update_mode(&here.caller, &scope, Some(Mode::Import), true).await.unwrap();
    let replaced = SchemaRequest { id: Some(500), version: Some(1), ..proto(&fields(&["a", "b"])) };
    here.register("dep", replaced).await.unwrap();
    assert_eq!(text_of_dep(here).await, fields(&["a", "b"]));
    until(|| there.registry.cached_by_id(&default_context(), main.id).is_none()).await;
    assert_eq!(text_of_dep(there).await, fields(&["a", "b"]));
}

async fn listed(node: &Node, view: View) -> Vec<String> {
    node.registry.subjects(&node.caller, ":*:", view, ALL).await.unwrap()
}

/// The list is kept in memory; every kind of write must reach it, on this node at once, on others when they are told.
#[tokio::test(start_paused = true)]
async fn lists_of_subjects_show_what_any_node_wrote() {
    let (here, there) = two_nodes().await;
    here.given("a", &fields(&["x"])).await;
    assert_eq!(listed(&here, View::Live).await, ["a"]);
    let is_kept = |node: &Node| matches!(node.registry.inner.caches.names.known(), crate::cache::Known::Current(_));
    let is_told = |node: &Node| matches!(node.registry.inner.caches.names.known(), crate::cache::Known::Touched(..));
    tokio::time::sleep(POLL).await;
    assert_eq!(listed(&there, View::Live).await, ["a"]);
    assert!(is_kept(&there), "the list is read each time");

    here.given("b", &fields(&["x"])).await;
    assert_eq!(listed(&here, View::Live).await, ["a", "b"]);
    until(|| is_told(&there)).await;
    assert_eq!(listed(&there, View::Live).await, ["a", "b"]);
    assert!(is_kept(&there), "the list is read again, not mended");
    tokio::time::sleep(POLL).await;
    assert_eq!(listed(&here, View::Live).await, ["a", "b"]);
    assert!(is_kept(&here));

    there.soft("a").await.unwrap();
    assert_eq!(listed(&there, View::Live).await, ["b"]);
    assert_eq!(listed(&there, View::DeletedOnly).await, ["a"]);
    until(|| is_told(&here)).await;
    assert_eq!(listed(&here, View::Live).await, ["b"]);
    there.given("a", &fields(&["x"])).await;
    assert_eq!(listed(&there, View::Live).await, ["a", "b"]);
    there.soft("a").await.unwrap();
    there.hard("a").await.unwrap();
    assert_eq!(listed(&there, View::WithDeleted).await, ["b"]);
}

/// A node that is not told asks the store; while that is away, it shows what it knows.
#[tokio::test(start_paused = true)]
async fn lists_of_subjects_are_asked_for_without_notifications() {
    let (here, there) = two_nodes().await;
    here.given("a", &fields(&["x"])).await;
    assert_eq!(listed(&there, View::Live).await, ["a"]);
    here.store.lose_notifications();
    until(|| !there.registry.coherence().notified).await;
    here.given("b", &fields(&["x"])).await;
    assert_eq!(listed(&there, View::Live).await, ["a", "b"]);
}
