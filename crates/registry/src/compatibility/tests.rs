use super::*;
use crate::fixture::*;

/// The recording of `compat-endpoint-main`.
#[tokio::test]
async fn one_version_or_none_is_asked_about() {
    let node = node();
    assert!(node.check("none", None, &fields(&["a"])).await.is_compatible);
    assert!(node.check("none", Some(VersionSpec::Latest), &fields(&["a"])).await.is_compatible);
    node.given("s", &fields(&["a"])).await;
    let missing = |subject: &'static str, number| {
        let node = node.clone();
        async move {
            let version = Some(VersionSpec::Number(number));
            let request = proto(&fields(&["a"]));
            node.registry.check_compatibility(&node.caller, &name(subject), version, request, Normalize::No).await
        }
    };
    assert!(matches!(missing("none", 1).await, Err(Error::VersionNotFound { version: 1, .. })));
    assert!(matches!(missing("s", 2).await, Err(Error::VersionNotFound { version: 2, .. })));
    for version in [None, Some(VersionSpec::Latest), Some(VersionSpec::Number(1))] {
        let report = node.check("s", version, &breaking()).await;
        assert!(!report.is_compatible);
        assert_eq!(report.messages[1], "{oldSchemaVersion: 1}");
        assert_eq!(report.messages[3], "{validateFields: 'false', compatibility: 'BACKWARD'}");
        assert_eq!(node.check("s", version, &fields(&["a", "b"])).await.messages, [""; 0]);
    }
}

/// The recordings of `compat-endpoint-unparsable`.
#[tokio::test]
async fn what_cannot_be_read_is_an_error_and_not_a_no() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    let check = |request| {
        let node = node.clone();
        async move { node.registry.check_compatibility(&node.caller, &name("s"), None, request, Normalize::No).await }
    };
    assert!(matches!(check(proto("nonsense")).await, Err(Error::InvalidSchema { .. })));
    assert_eq!(text_of(check(proto("")).await), "Empty schema");
    let unknown = SchemaRequest { schema_type: Some("WHAT".into()), ..proto("x") };
    assert!(matches!(check(unknown).await, Err(Error::InvalidSchema { outline: None, .. })));
}

#[tokio::test]
async fn the_level_decides_direction_and_reach() {
    let node = node();
    let message = |name: &str| format!("syntax = \"proto3\";\npackage p;\n\nmessage {name} {{\n  int32 a = 1;\n}}\n");
    let both = format!("{}\nmessage B {{\n  int32 a = 1;\n}}\n", message("A"));
    node.put_level("s", "NONE").await;
    node.given("s", &both).await;
    node.given("s", &message("A")).await;
    assert!(node.check("s", None, &message("C")).await.is_compatible);
    // Dropping B breaks version 1 only; adding one breaks FORWARD.
    for (level, dropping, adding) in [
        ("BACKWARD", true, true),
        ("BACKWARD_TRANSITIVE", false, true),
        ("FORWARD", true, false),
        ("FORWARD_TRANSITIVE", true, false),
        ("FULL", true, false),
        ("FULL_TRANSITIVE", false, false),
    ] {
        node.put_level("s", level).await;
        assert_eq!(node.check("s", None, &message("A")).await.is_compatible, dropping, "{level}");
        assert_eq!(node.check("s", None, &both).await.is_compatible, adding, "{level}");
    }
}

/// The recording of `delete-compat-after`.
#[tokio::test]
async fn deleted_versions_do_not_count() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    assert!(!node.check("s", None, &breaking()).await.is_compatible);
    node.soft("s").await.unwrap();
    assert!(node.check("s", None, &breaking()).await.is_compatible);
    assert_eq!(node.given("s", &breaking()).await.version.0, 2);
}

/// A no that rests on what this node remembers is asked again.
#[tokio::test]
async fn a_refusal_is_never_older_than_the_store() {
    let here = node();
    let there = node_on(&here.store);
    here.given("s", &fields(&["a"])).await;
    assert!(!here.check("s", None, &breaking()).await.is_compatible);
    there.soft("s").await.unwrap();
    assert!(here.check("s", None, &breaking()).await.is_compatible);
    here.given("s", &breaking()).await;
    there.put_mode(Scope::Subject(name("s")), Mode::ReadOnly).await.unwrap();
    assert!(matches!(
        here.register("s", proto(&fields(&["x"]))).await,
        Err(Error::Incompatible { .. } | Error::OperationNotPermitted(_))
    ));
    there.put_mode(Scope::Subject(name("s")), Mode::ReadWrite).await.unwrap();
    there.put_level("s", "NONE").await;
    here.given("s", &fields(&["x"])).await;
}

/// The recording of `logical-policy`; that the policy holds at every level and for the first version too is the rule
/// behind it.
#[tokio::test]
async fn under_the_policy_logical_no_schema_is_let_in_that_tables_cannot_hold() {
    let node = node();
    let update = ConfigUpdate {
        compatibility: Some(Some("NONE".to_owned())),
        compatibility_policy: Some(Some("LOGICAL".to_owned())),
        ..ConfigUpdate::default()
    };
    node.put_config(Scope::Subject(name("s")), update).await.unwrap();
    let refused = node.register("s", proto("syntax = \"proto3\"; message M {}")).await;
    let Err(Error::Incompatible { details, .. }) = refused else { panic!("{refused:?}") };
    let why = "Logical validity (ICEBERG_V2): EMPTY_STRUCT: a struct must have at least one field";
    assert_eq!(details.messages(), [why, "{validateFields: 'false', compatibility: 'NONE'}"]);
    node.given("s", &fields(&["a", "b"])).await;
    assert!(node.check("s", None, &fields(&["a"])).await.is_compatible);
    node.put_level("s", "BACKWARD").await;
    let report = node.check("s", None, &fields(&["a"])).await;
    assert!(report.messages[0].starts_with("Logical compatibility (ICEBERG_V2, backward): FIELD_DELETED at 'b'"));
}

/// Versions are parsed once and kept: a check reads the new text and nothing else.
#[tokio::test]
async fn a_check_against_many_versions_parses_only_the_new_text() {
    let node = node();
    let texts: Vec<String> = (1..=30)
        .map(|n| {
            fields(&(1..=n).map(|f| format!("f{f}")).collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>())
        })
        .collect();
    node.put_level("s", "BACKWARD_TRANSITIVE").await;
    for text in &texts[..29] {
        node.given("s", text).await;
    }
    let parsed = || node.registry.inner.counts.parsed.get();
    let before = parsed();
    assert!(node.check("s", None, &texts[29]).await.is_compatible);
    assert_eq!(parsed() - before, 1.0);

    // Another node has to read them all, once.
    let other = node_on(&node.store);
    assert!(other.check("s", None, &texts[29]).await.is_compatible);
    assert_eq!(other.registry.inner.counts.parsed.get(), 30.0);
    assert!(other.check("s", None, &texts[29]).await.is_compatible);
    assert_eq!(other.registry.inner.counts.parsed.get(), 31.0);
}
