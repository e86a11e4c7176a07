use sluice_schema::Format;

use super::*;
use crate::fixture::*;

/// The recording of `core-lookup-main`.
#[tokio::test]
async fn a_text_is_found_under_its_subject_whatever_version_and_id_are_asked() {
    let node = node();
    let text = fields(&["a"]);
    assert!(matches!(node.look_up("s", proto(&text)).await, Err(Error::SubjectNotFound(_))));
    let first = node.given("s", &text).await;
    let asked = SchemaRequest { version: Some(7), id: Some(1234), ..proto(&text) };
    let found = node.look_up("s", asked).await.unwrap();
    assert_eq!((found.version, found.id, found.ts, found.deleted), (first.version, first.id, None, None));
    assert!(matches!(node.look_up("s", proto(&fields(&["b"]))).await, Err(Error::SchemaNotFound(None))));
    assert!(matches!(node.look_up("s", proto("")).await, Err(Error::SchemaNotFound(None))));
    assert!(matches!(node.look_up("none", proto("")).await, Err(Error::SubjectNotFound(_))));
    assert!(matches!(node.look_up("s", proto("nonsense")).await, Err(Error::InvalidSchema { .. })));
}

#[tokio::test]
async fn a_text_alone_finds_a_version_with_the_latest_metadata_or_a_number() {
    let node = node();
    node.register("s", with_metadata(&fields(&["a"]), &[("owner", "x")])).await.unwrap();
    let found = node.look_up("s", proto(&fields(&["a"]))).await.unwrap();
    assert_eq!((found.version, found.deleted), (Version(1), None));
    let other = with_metadata(&fields(&["a"]), &[("owner", "y")]);
    assert!(matches!(node.look_up("s", other).await, Err(Error::SchemaNotFound(None))));

    node.register("t", with_version(&fields(&["a"]), 1)).await.unwrap();
    node.register("t", SchemaRequest { version: Some(2), ..with_metadata(&fields(&["a", "b"]), &[("o", "x")]) })
        .await
        .unwrap();
    let found = node.look_up("t", proto(&fields(&["a"]))).await.unwrap();
    assert_eq!((found.version, found.deleted), (Version(1), Some(false)));
    assert!(found.ts.is_some());
}

#[tokio::test]
async fn soft_deleted_versions_are_found_when_asked_for() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    node.soft("s").await.unwrap();
    assert!(matches!(node.look_up("s", proto(&fields(&["a"]))).await, Err(Error::SubjectNotFound(_))));
    let found = node.look_up_among("s", proto(&fields(&["a"])), Include::Deleted).await.unwrap();
    assert_eq!(found.version, Version(1));
}

/// Nobody follows changes here: the other node cannot have heard.
#[tokio::test]
async fn the_latest_is_what_another_node_has_acknowledged() {
    let store = crate::memory::MemoryStore::new();
    let (here, there) = (node_on(&store), node_on(&store));
    here.given("s", &fields(&["a"])).await;
    assert_eq!(there.version("s", VersionSpec::Latest).await.unwrap().version, Version(1));
    here.given("s", &fields(&["a", "b"])).await;
    assert_eq!(there.version("s", VersionSpec::Latest).await.unwrap().version, Version(2));
    let calls = there.store.calls();
    assert_eq!(there.version("s", VersionSpec::Latest).await.unwrap().version, Version(2));
    assert_eq!(there.store.calls() - calls, 1, "one look at the revision");
    store.break_down();
    assert_eq!(there.version("s", VersionSpec::Latest).await.unwrap().version, Version(2), "as far as it knows");
}

/// The recording of `ctx-fallback-two`.
#[tokio::test]
async fn unqualified_names_fall_back_to_the_first_context_that_has_it() {
    let node = node();
    node.given(":.b:s", &fields(&["two"])).await;
    node.given(":.a:s", &fields(&["one"])).await;
    assert_eq!(node.version("s", VersionSpec::Number(1)).await.unwrap().subject, name(":.a:s"));
    assert_eq!(node.look_up("s", proto(&fields(&["one"]))).await.unwrap().subject, name(":.a:s"));
    assert_eq!(node.look_up("s", proto(&fields(&["two"]))).await.unwrap().subject, name(":.b:s"));
    assert!(matches!(node.versions("s").await, Err(Error::SubjectNotFound(_))), "lists do not fall back");
    node.given("s", &fields(&["three"])).await;
    assert_eq!(node.version("s", VersionSpec::Number(1)).await.unwrap().subject, name("s"));
    assert_eq!(node.look_up("s", proto(&fields(&["one"]))).await.unwrap().subject, name(":.a:s"));
    let missing = node.version(":.a:other", VersionSpec::Latest).await;
    assert!(matches!(missing, Err(Error::SubjectNotFound(subject)) if subject == name(":.a:other")));
}

/// A text is checked as a new one is, but for the defaults and names of Avro (recording `bad-same-on-lookup`).
/// Source: `AbstractSchemaRegistry#maybeValidateAndNormalizeSchema`, 8.2.0.
#[tokio::test]
async fn a_text_that_means_nothing_is_told_and_not_looked_for() {
    let node = node();
    for request in [json(r#"{"type":"nothing"}"#), json(r##"{"$ref":"#/none"}"##), proto(&using_m("Main"))] {
        let found = node.look_up("s", request.clone()).await;
        assert!(matches!(found, Err(Error::InvalidSchema { .. })), "{found:?}");
        node.put_mode(subject("importing"), Mode::Import).await.unwrap();
        let found = node.look_up("importing", request).await;
        assert!(matches!(found, Err(Error::SubjectNotFound(_))), "{found:?}");
    }
    let found = node
        .look_up("s", avro(r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int","default":"x"}]}"#))
        .await;
    assert!(matches!(found, Err(Error::SubjectNotFound(_))), "{found:?}");
}

#[tokio::test]
async fn whether_a_text_is_normalised_says_the_subject_that_was_named() {
    let node = node();
    let normalizes = ConfigUpdate { normalize: Some(Some(true)), ..ConfigUpdate::default() };
    let (sorted, unsorted) = (r#"{"a":1,"type":"object"}"#, r#"{"type":"object","a":1}"#);
    node.register(":.c:s", json(sorted)).await.unwrap();
    node.put_config(subject(":.c:s"), normalizes.clone()).await.unwrap();
    assert!(matches!(node.look_up("s", json(unsorted)).await, Err(Error::SubjectNotFound(_))));
    node.put_config(subject(":.c:s"), ConfigUpdate { normalize: Some(None), ..ConfigUpdate::default() }).await.unwrap();
    node.put_config(subject("s"), normalizes).await.unwrap();
    assert_eq!(node.look_up("s", json(unsorted)).await.unwrap().subject, name(":.c:s"));
}

/// The recordings of `core-list-versions`.
#[tokio::test]
async fn versions_are_listed_by_view_and_cut_into_pages() {
    let node = node();
    for n in 1..=5 {
        node.given("s", &fields(&["a", "b", "c", "d", "e"][..n])).await;
    }
    node.soft_version("s", 2).await.unwrap();
    node.soft_version("s", 4).await.unwrap();
    let list = |listing, page| {
        let node = node.clone();
        async move { node.registry.versions(&node.caller, &name("s"), listing, page).await }
    };
    use VersionListing::{DeletedAsNegative as Negative, View as Only};
    assert_eq!(list(Only(View::Live), ALL).await.unwrap(), [1, 3, 5]);
    assert_eq!(list(Only(View::WithDeleted), ALL).await.unwrap(), [1, 2, 3, 4, 5]);
    assert_eq!(list(Only(View::DeletedOnly), ALL).await.unwrap(), [2, 4]);
    assert_eq!(list(Negative(View::Live), ALL).await.unwrap(), [1, -2, 3, -4, 5]);
    assert_eq!(list(Negative(View::Live), Page { offset: 1, limit: Some(3) }).await.unwrap(), [-2, 3, -4]);
    assert_eq!(list(Only(View::Live), Page { offset: 10, limit: None }).await.unwrap(), [0; 0]);
    node.soft("s").await.unwrap();
    assert!(matches!(list(Only(View::Live), ALL).await, Err(Error::SubjectNotFound(_))));
    assert!(matches!(list(Negative(View::Live), ALL).await, Err(Error::SubjectNotFound(_))));
    assert_eq!(list(Negative(View::WithDeleted), ALL).await.unwrap(), [-1, -2, -3, -4, -5]);
}

/// The recordings of `delete-latest` and `delete-version-soft-hard`.
#[tokio::test]
async fn latest_is_the_highest_live_version() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    node.given("s", &fields(&["a", "b"])).await;
    node.soft_version("s", 2).await.unwrap();
    let latest = node.version("s", VersionSpec::Latest).await.unwrap();
    assert_eq!((latest.version, latest.deleted), (Version(1), Some(false)));
    let missing = node.version("s", VersionSpec::Number(2)).await;
    assert!(matches!(missing, Err(Error::VersionNotFound { version: 2, .. })));
    let deleted = reading(Include::Deleted);
    let found = node.registry.version(&node.caller, &name("s"), VersionSpec::Number(2), deleted.clone()).await.unwrap();
    assert_eq!(found.deleted, Some(true));
    node.soft("s").await.unwrap();
    assert!(matches!(node.version("s", VersionSpec::Latest).await, Err(Error::SubjectNotFound(_))));
    let missing = node.registry.version(&node.caller, &name("s"), VersionSpec::Latest, deleted).await;
    assert!(matches!(missing, Err(Error::VersionNotFound { version: -1, .. })));
}

/// Source: schema-registry `InMemoryCache#hasSubjects`, 8.2.0.
#[tokio::test]
async fn the_name_of_a_context_alone_is_known_when_any_subject_there_is() {
    let node = node();
    let listed = |view| {
        let node = node.clone();
        async move { node.registry.versions(&node.caller, &name(":.c:"), VersionListing::View(view), ALL).await }
    };
    assert!(matches!(listed(View::Live).await, Err(Error::SubjectNotFound(_))));
    assert!(matches!(node.soft(":.c:").await, Err(Error::SubjectNotFound(_))));
    node.given(":.c:s", &fields(&["a"])).await;
    assert_eq!(listed(View::Live).await.unwrap(), [0; 0]);
    let latest = node.version(":.c:", VersionSpec::Latest).await;
    assert!(matches!(latest, Err(Error::VersionNotFound { version: -1, .. })), "{latest:?}");
    assert!(matches!(node.look_up(":.c:", proto(&fields(&["a"]))).await, Err(Error::SchemaNotFound(None))));
    assert_eq!(node.soft(":.c:").await.unwrap(), []);
    assert_eq!(node.hard(":.c:").await.unwrap(), []);
    assert!(matches!(node.soft_version(":.c:", 1).await, Err(Error::VersionNotFound { version: 1, .. })));
    assert_eq!(node.versions(":.c:s").await.unwrap(), [1], "and stays");
    node.soft(":.c:s").await.unwrap();
    assert!(matches!(listed(View::Live).await, Err(Error::SubjectNotFound(_))));
    assert_eq!(listed(View::WithDeleted).await.unwrap(), [0; 0]);
    assert!(matches!(node.soft(":.c:").await, Err(Error::SubjectSoftDeleted(_))));
}

/// The recording of `ref-many-referrers`.
#[tokio::test]
async fn referrers_are_ids_in_order_and_soft_deleted_ones_on_request() {
    let node = node();
    node.given("dep", &fields(&["a"])).await;
    let mut ids = Vec::new();
    for n in 0..4 {
        let message = format!("Main{n}");
        let main = node.given_referrer(&message, &using_m(&message), reference("dep.proto", "dep", 1)).await;
        ids.push(main.id);
    }
    let list = |include, page| {
        let node = node.clone();
        async move {
            let version = VersionSpec::Number(1);
            node.registry.referenced_by(&node.caller, &name("dep"), version, include, page).await
        }
    };
    assert_eq!(list(Include::Live, ALL).await.unwrap(), ids);
    assert_eq!(list(Include::Live, Page { offset: 2, limit: Some(1) }).await.unwrap(), [ids[2]]);
    node.soft("Main0").await.unwrap();
    assert_eq!(list(Include::Live, ALL).await.unwrap(), ids[1..]);
    assert_eq!(list(Include::Deleted, ALL).await.unwrap(), ids);
    let version = VersionSpec::Number(2);
    let missing = node.registry.referenced_by(&node.caller, &name("dep"), version, Include::Live, ALL).await;
    assert!(matches!(missing, Err(Error::VersionNotFound { version: 2, .. })));
}

#[tokio::test]
async fn referrers_are_those_of_the_subject_that_was_named_although_it_is_deleted_and_another_context_has_its_name() {
    let node = node();
    node.given("dep", &fields(&["a"])).await;
    let main = node.given_referrer("main", &using_m("Main"), reference("dep.proto", "dep", 1)).await;
    node.soft("main").await.unwrap();
    node.soft("dep").await.unwrap();
    node.given(":.c:dep", &fields(&["a"])).await;
    let version = VersionSpec::Number(1);
    let found = node.registry.referenced_by(&node.caller, &name("dep"), version, Include::Deleted, ALL).await;
    assert_eq!(found.unwrap(), [main.id]);
}

/// The recording of `core-subject-metadata`.
#[tokio::test]
async fn the_latest_version_with_the_asked_properties_is_found() {
    let node = node();
    node.register("s", with_metadata(&fields(&["a"]), &[("major", "1"), ("owner", "a")])).await.unwrap();
    node.register("s", with_metadata(&fields(&["a", "b"]), &[("major", "1"), ("owner", "b")])).await.unwrap();
    node.register("s", with_metadata(&fields(&["a", "b", "c"]), &[("major", "2"), ("owner", "a")])).await.unwrap();
    let find = |subject: &'static str, pairs: &[(&str, &str)], include| {
        let pairs: Vec<_> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let node = node.clone();
        async move {
            let format = Format::Canonical;
            let found = node.registry.latest_with_metadata(&node.caller, &name(subject), &pairs, include, format).await;
            found.map(|entity| entity.version.0)
        }
    };
    let live = Include::Live;
    assert_eq!(find("s", &[("major", "1")], live).await.unwrap(), 2);
    assert_eq!(find("s", &[("major", "1"), ("owner", "a")], live).await.unwrap(), 1);
    assert_eq!(find("s", &[], live).await.unwrap(), 3);
    assert!(matches!(find("s", &[("major", "3")], live).await, Err(Error::SchemaNotFound(None))));
    assert!(matches!(find("never", &[], live).await, Err(Error::SubjectNotFound(_))));
    node.soft_version("s", 2).await.unwrap();
    assert_eq!(find("s", &[("major", "1")], live).await.unwrap(), 1);
    assert_eq!(find("s", &[("major", "1")], Include::Deleted).await.unwrap(), 2);
}

/// The recording of `ctx-references`.
#[tokio::test]
async fn references_are_shown_qualified_on_request() {
    let node = node();
    node.given(":.c:dep", &fields(&["a"])).await;
    node.given_referrer(":.c:main", &using_m("Main"), reference("dep.proto", "dep", 1)).await;
    let options = ReadOptions { qualified_references: true, ..reading(Include::Live) };
    let shown = node.registry.version(&node.caller, &name(":.c:main"), VersionSpec::Latest, options).await.unwrap();
    assert_eq!(shown.content.references[0].subject, ":.c:dep");
    let plain = node.version(":.c:main", VersionSpec::Latest).await.unwrap();
    assert_eq!(plain.content.references[0].subject, "dep");
    // The GUID is that of what is shown: one that carries the qualified name itself has it, too.
    assert_ne!(shown.content.guid, plain.content.guid);
    let twin = node.given_referrer(":.c:twin", &using_m("Main"), reference("dep.proto", ":.c:dep", 1)).await;
    assert_eq!(shown.content.guid, twin.content.guid);
}

#[tokio::test]
async fn a_caller_reads_only_what_it_may() {
    let node = node();
    node.given("bob-s", &fields(&["a"])).await;
    node.given(":.c:ann-s", &fields(&["b"])).await;
    node.given(":.c:bob-t", &fields(&["c"])).await;
    let ann = only("ann");
    let refused = node.registry.version(&ann, &name("bob-s"), VersionSpec::Latest, reading(Include::Live)).await;
    assert!(matches!(refused, Err(Error::Forbidden)));
    let found = node.registry.version(&ann, &name("ann-s"), VersionSpec::Latest, reading(Include::Live)).await.unwrap();
    assert_eq!(found.subject, name(":.c:ann-s"));
    let request = proto(&fields(&["a"]));
    let refused =
        node.registry.look_up(&ann, &name("bob-s"), request, Normalize::No, Include::Live, Format::Canonical).await;
    assert!(matches!(refused, Err(Error::Forbidden)));
}
