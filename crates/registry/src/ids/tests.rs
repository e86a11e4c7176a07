use bytes::Bytes;

use super::*;
use crate::fixture::*;

/// The recording of `delete-ids-endpoints`; the subject shown is the one that the reference's hash order puts first.
#[tokio::test]
async fn an_id_shows_a_subject_that_uses_it_and_stays_while_any_does() {
    let node = node();
    let (a, b) = ("delete-ids-endpoints-a", "delete-ids-endpoints-b");
    let id = node.given(a, &fields(&["f"])).await.id;
    assert_eq!(node.given(b, &fields(&["f"])).await.id, id);
    let uses = |include| {
        let node = node.clone();
        async move { node.registry.versions_of_id(&node.caller, id, None, include, ALL).await.unwrap() }
    };
    node.soft(a).await.unwrap();
    let shown = node.by_id(id, None).await.unwrap();
    assert_eq!((shown.subject, shown.version, shown.deleted), (name(b), Version(1), Some(false)));
    assert_eq!(uses(Include::Live).await, [(name(b), Version(1))]);
    assert_eq!(uses(Include::Deleted).await, [(name(a), Version(1)), (name(b), Version(1))]);
    node.soft(b).await.unwrap();
    let shown = node.by_id(id, None).await.unwrap();
    assert_eq!((shown.subject, shown.deleted), (name(b), Some(true)));
    assert_eq!(uses(Include::Live).await, []);
    node.hard(a).await.unwrap();
    assert_eq!(uses(Include::Deleted).await, [(name(b), Version(1))]);
    node.hard(b).await.unwrap();
    assert!(matches!(node.by_id(id, None).await, Err(Error::SchemaNotFound(Some(text))) if text == id.to_string()));
    let gone = node.registry.subjects_of_id(&node.caller, id, None, Include::Deleted, ALL).await;
    assert!(matches!(gone, Err(Error::SchemaNotFound(None))));
}

/// The recordings of `ctx-qualified`; NOTES 13.
#[tokio::test]
async fn a_hint_picks_a_context_and_a_wrong_unqualified_one_is_ignored() {
    let node = node();
    let text = fields(&["a"]);
    let id = node.given("s", &text).await.id;
    node.given(":.c:x", &fields(&["other"])).await;
    let there = node.given(":.c:s", &text).await.id;
    assert_eq!(node.by_id(id, Some("wrong")).await.unwrap().subject, name("s"));
    assert_eq!(node.by_id(there, Some(":.c:")).await.unwrap().subject, name(":.c:s"));
    assert_eq!(node.by_id(there, Some(":.c:s")).await.unwrap().subject, name(":.c:s"));
    assert!(matches!(node.by_id(id, Some(":.nowhere:")).await, Err(Error::SchemaNotFound(_))));
    // A qualified name must use the id itself.
    assert!(matches!(node.by_id(there, Some(":.c:x")).await, Err(Error::SchemaNotFound(_))));
    assert!(matches!(node.by_id(there, Some(":.c:wrong")).await, Err(Error::SchemaNotFound(_))));
    let uses = node.registry.versions_of_id(&node.caller, there, Some(&name(":.c:x")), Include::Deleted, ALL).await;
    assert!(matches!(uses, Err(Error::SchemaNotFound(None))), "{uses:?}");
    // An unqualified name is looked for in every context.
    assert_eq!(node.by_id(there, Some("s")).await.unwrap().subject, name(":.c:s"));
    assert!(matches!(node.by_id(SchemaId(99), None).await, Err(Error::SchemaNotFound(_))));
}

/// The recording of `core-guid-main`.
#[tokio::test]
async fn a_guid_is_found_in_every_context_the_default_one_first() {
    let node = node();
    let entity = node.given("s", &fields(&["a"])).await;
    let there = node.given(":.c:s", &fields(&["a"])).await;
    let guid = entity.content.guid;
    let ids = node.registry.ids_of_guid(&node.caller, guid).await.unwrap();
    assert_eq!(ids, [(default_context(), entity.id), (ContextName::new(".c"), there.id)]);
    let found = node.registry.schema_by_guid(&node.caller, guid, Format::Canonical).await.unwrap();
    assert_eq!((found.subject, found.deleted), (name("s"), Some(false)));
    let unknown = Guid([0; 16]);
    let missing = node.registry.schema_by_guid(&node.caller, unknown, Format::Canonical).await;
    assert!(matches!(missing, Err(Error::SchemaNotFound(Some(text))) if text == unknown.to_string()));
    assert_eq!(node.registry.ids_of_guid(&node.caller, unknown).await.unwrap(), []);
}

#[tokio::test]
async fn the_highest_id_belongs_to_the_context() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    node.given("s", &fields(&["a", "b"])).await;
    node.given(":.c:s", &fields(&["a"])).await;
    let max = |context: &str| {
        let (node, context) = (node.clone(), ContextName::new(context));
        async move { node.registry.max_id(&node.caller, &context).await.unwrap().0 }
    };
    assert_eq!((max(".").await, max(".c").await, max(".none").await), (2, 1, 0));
}

#[tokio::test]
async fn a_rendered_answer_is_recalled_until_the_subject_it_shows_changes() {
    let node = node();
    let id = node.given("s", &fields(&["a"])).await.id;
    let context = default_context();
    let remember = || async {
        let entity = node.by_id(id, None).await.unwrap();
        node.registry.remember_by_id(&context, id, &entity, Bytes::from_static(b"answer"));
        node.registry.recall_by_id(&node.caller, &context, id)
    };
    assert!(remember().await.is_some());
    node.given("other", &fields(&["b"])).await;
    assert!(node.registry.recall_by_id(&node.caller, &context, id).is_some());
    assert_eq!(node.registry.recall_by_id(&only("ann"), &context, id), None);
    node.soft("s").await.unwrap();
    assert_eq!(node.registry.recall_by_id(&node.caller, &context, id), None);
    assert!(remember().await.is_none(), "a deleted use may give way to one that its subject does not know of");
}

#[tokio::test]
async fn what_was_answered_by_id_goes_on_being_answered_without_the_store() {
    let node = node();
    let id = node.given("s", &fields(&["a"])).await.id;
    let entity = node.by_id(id, None).await.unwrap();
    node.registry.remember_by_id(&default_context(), id, &entity, Bytes::from_static(b"answer"));
    node.put_level("other", "FULL").await;
    node.store.break_down();
    assert_eq!(node.registry.recall_by_id(&node.caller, &default_context(), id), None, "settings moved everything");
    assert_eq!(node.by_id(id, None).await.unwrap().subject, name("s"));
    assert!(matches!(node.by_id(SchemaId(77), None).await, Err(Error::Store(StoreError::Unavailable { .. }))));
}

#[tokio::test]
async fn an_id_is_shown_to_who_may_read_one_of_its_subjects() {
    let node = node();
    let id = node.given("bob-s", &fields(&["a"])).await.id;
    let ann = only("ann");
    let refused = node.registry.schema_by_id(&ann, id, None, reading(Include::Live)).await;
    assert!(matches!(refused, Err(Error::Forbidden)));
    let guid = node.version("bob-s", VersionSpec::Latest).await.unwrap().content.guid;
    assert!(matches!(node.registry.schema_by_guid(&ann, guid, Format::Canonical).await, Err(Error::Forbidden)));
    assert_eq!(node.registry.ids_of_guid(&ann, guid).await.unwrap(), []);
    node.given("ann-s", &fields(&["a"])).await;
    let shown = node.registry.schema_by_id(&ann, id, None, reading(Include::Live)).await.unwrap();
    assert_eq!(shown.subject, name("ann-s"));
    let uses = node.registry.subjects_of_id(&ann, id, None, Include::Live, ALL).await.unwrap();
    assert_eq!(uses, [name("ann-s")]);
}

/// From the recordings of `delete-ids-endpoints`, `delete-hard-still-used` and `mode-import-context`.
#[test]
fn names_are_ordered_as_javas_hash_table_orders_them() {
    let pairs = [
        ("delete-ids-endpoints-b", "delete-ids-endpoints-a"),
        ("delete-hard-still-used-b", "delete-hard-still-used-a"),
        (":.mode-import-context:mode-import-context-b", ":.mode-import-context:mode-import-context-a"),
    ];
    for (first, second) in pairs {
        assert!(reference_order(first, 2) < reference_order(second, 2), "{first} before {second}");
    }
}
