use sluice_schema::Schema;

use super::*;
use crate::fixture::*;

async fn by_text(node: &Node, subject: &str, text: &str, auto_register: bool) -> Result<UsableSchema, Error> {
    node.registry.usable_by_text(&node.caller, &name(subject), SchemaType::Protobuf, text, auto_register).await
}

#[tokio::test]
async fn a_schema_is_usable_by_id_version_and_text() {
    let node = node();
    let text = fields(&["a"]);
    let entity = node.given("s", &text).await;
    let by_id = node.registry.usable_by_id(&default_context(), entity.id).await.unwrap();
    assert_eq!((by_id.id, &by_id.subject), (entity.id, &None));
    let latest = node.registry.usable_by_version(&node.caller, &name("s"), VersionSpec::Latest).await.unwrap();
    assert_eq!(latest.subject, Some((name("s"), Version(1))));
    assert!(Arc::ptr_eq(&latest.schema, &by_id.schema), "parsed once, shared");
    let found = by_text(&node, "s", &text, false).await.unwrap();
    assert_eq!((found.id, found.subject), (entity.id, latest.subject));
    let calls = node.store.calls();
    by_text(&node, "s", &text, false).await.unwrap();
    assert_eq!(node.store.calls(), calls, "known text asks nobody");
    assert!(matches!(node.registry.usable_by_id(&default_context(), SchemaId(9)).await, Err(Error::SchemaNotFound(_))));
    let missing = node.registry.usable_by_version(&node.caller, &name("s"), VersionSpec::Number(2)).await;
    assert!(matches!(missing, Err(Error::VersionNotFound { version: 2, .. })));
    let missing = node.registry.usable_by_version(&node.caller, &name("t"), VersionSpec::Latest).await;
    assert!(matches!(missing, Err(Error::SubjectNotFound(_))));
}

#[tokio::test]
async fn caches_say_what_they_know_and_no_more() {
    let node = node();
    let entity = node.given("s", &fields(&["a"])).await;
    let cold = node_on(&node.store);
    assert!(cold.registry.cached_by_id(&default_context(), entity.id).is_none());
    assert_eq!(cold.registry.cached_version_of(&name("s"), entity.id), None);
    cold.registry.usable_by_id(&default_context(), entity.id).await.unwrap();
    assert!(cold.registry.cached_by_id(&default_context(), entity.id).is_some());
    assert_eq!(cold.registry.version_of(&name("s"), entity.id).await.unwrap(), Some(Version(1)));
    assert_eq!(cold.registry.cached_version_of(&name("s"), entity.id), Some(Some(Version(1))));
    assert_eq!(cold.registry.cached_version_of(&name("s"), SchemaId(9)), Some(None));
    assert_eq!(cold.registry.version_of(&name("s"), SchemaId(9)).await.unwrap(), None);
}

#[tokio::test]
async fn an_unregistered_text_is_registered_if_the_topic_and_the_level_allow() {
    let node = node();
    let missing = by_text(&node, "s", &fields(&["a"]), false).await;
    assert!(matches!(missing, Err(Error::SchemaNotFound(None))));
    let made = by_text(&node, "s", &fields(&["a"]), true).await.unwrap();
    assert_eq!(made.subject, Some((name("s"), Version(1))));
    assert!(matches!(by_text(&node, "s", &fields(&["a", "b"]), false).await, Err(Error::SchemaNotFound(None))));
    for auto_register in [true, false] {
        let refused = by_text(&node, "s", &breaking(), auto_register).await;
        let Err(Error::Incompatible { details, .. }) = refused else { panic!("{refused:?}") };
        assert_eq!(details.against, Some(Version(1)));
    }
    assert_eq!(node.versions("s").await.unwrap(), [1]);
    assert!(matches!(by_text(&node, "s", "nonsense", true).await, Err(Error::InvalidSchema { .. })));
}

#[tokio::test]
async fn a_deleted_version_is_no_longer_usable_by_text_but_stays_by_id() {
    let node = node();
    let text = fields(&["a"]);
    let id = by_text(&node, "s", &text, true).await.unwrap().id;
    by_text(&node, "s", &text, false).await.unwrap();
    node.soft("s").await.unwrap();
    assert!(matches!(by_text(&node, "s", &text, false).await, Err(Error::SchemaNotFound(None))));
    assert_eq!(node.registry.version_of(&name("s"), id).await.unwrap(), None);
    node.registry.usable_by_id(&default_context(), id).await.unwrap();
    assert!(matches!(
        node.registry.usable_by_version(&node.caller, &name("s"), VersionSpec::Number(1)).await,
        Err(Error::SubjectNotFound(_))
    ));
}

#[tokio::test]
async fn what_is_known_goes_on_being_usable_without_the_store() {
    let node = node();
    let text = fields(&["a"]);
    let id = by_text(&node, "s", &text, true).await.unwrap().id;
    by_text(&node, "s", &text, false).await.unwrap();
    node.registry.declare_levels(Default::default());
    node.store.break_down();
    assert_eq!(by_text(&node, "s", &text, true).await.unwrap().id, id);
    assert_eq!(node.registry.usable_by_id(&default_context(), id).await.unwrap().id, id);
    let latest = node.registry.usable_by_version(&node.caller, &name("s"), VersionSpec::Latest).await.unwrap();
    assert_eq!(latest.id, id);
    assert_eq!(node.look_up("s", proto(&text)).await.unwrap().id, id);
    assert_eq!(node.given("s", &text).await.id, id);
    assert_eq!(node.versions("s").await.unwrap(), [1]);
    let unavailable = |error: &Error| matches!(error, Error::Store(StoreError::Unavailable { .. }));
    assert!(unavailable(&by_text(&node, "s", &fields(&["a", "b"]), true).await.unwrap_err()));
    assert!(unavailable(&node.register("s", proto(&breaking())).await.unwrap_err()), "no refusal without the store");
    assert!(unavailable(&node.register("new", proto(&text)).await.unwrap_err()));
    assert!(unavailable(&node.version("s", VersionSpec::Number(7)).await.unwrap_err()));
    node.store.recover();
    by_text(&node, "s", &fields(&["a", "b"]), true).await.unwrap();
}

#[tokio::test]
async fn the_codec_comes_with_its_references() {
    let node = node();
    node.given("dep", &fields(&["a"])).await;
    let main = node.given_referrer("main", &using_m("Main"), reference("dep.proto", "dep", 1)).await;
    let cold = node_on(&node.store);
    let usable = cold.registry.usable_by_id(&default_context(), main.id).await.unwrap();
    let Schema::Protobuf(schema) = &*usable.schema else { panic!("not protobuf") };
    schema.codec().unwrap();
    assert_eq!(usable.schema.resolved_references().len(), 1);
}

#[tokio::test]
async fn a_caller_needs_the_right_to_read_and_to_write() {
    let node = node();
    let text = fields(&["a"]);
    node.given("bob-s", &text).await;
    let ann = only("ann");
    let refused = node.registry.usable_by_text(&ann, &name("bob-s"), SchemaType::Protobuf, &text, true).await;
    assert!(matches!(refused, Err(Error::Forbidden)));
    let refused = node.registry.usable_by_version(&ann, &name("bob-s"), VersionSpec::Latest).await;
    assert!(matches!(refused, Err(Error::Forbidden)));
}
