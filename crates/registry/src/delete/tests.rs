use super::*;
use crate::fixture::*;

fn numbers(versions: Vec<Version>) -> Vec<i32> {
    versions.into_iter().map(|version| version.0).collect()
}

/// The recording of `delete-subject-soft-hard`.
#[tokio::test]
async fn a_subject_is_deleted_soft_first_and_then_permanently() {
    let node = node();
    assert!(matches!(node.soft("s").await, Err(Error::SubjectNotFound(_))));
    for n in 1..=3 {
        node.given("s", &fields(&["a", "b", "c"][..n])).await;
    }
    assert!(matches!(node.hard("s").await, Err(Error::SubjectNotSoftDeleted(_))));
    assert_eq!(numbers(node.soft("s").await.unwrap()), [1, 2, 3]);
    assert!(matches!(node.soft("s").await, Err(Error::SubjectSoftDeleted(_))));
    assert_eq!(node.all_versions("s").await.unwrap(), [1, 2, 3]);
    assert_eq!(numbers(node.hard("s").await.unwrap()), [1, 2, 3]);
    assert!(matches!(node.hard("s").await, Err(Error::SubjectNotFound(_))));
    assert!(matches!(node.all_versions("s").await, Err(Error::SubjectNotFound(_))));
    assert_eq!(node.given("s", &fields(&["a"])).await.version, Version(1), "numbers start again");
}

/// The recording of `delete-mixed-versions`.
#[tokio::test]
async fn a_soft_delete_of_a_subject_names_the_versions_that_were_live() {
    let node = node();
    for n in 1..=5 {
        node.given("s", &fields(&["a", "b", "c", "d", "e"][..n])).await;
    }
    node.soft_version("s", 2).await.unwrap();
    node.soft_version("s", 4).await.unwrap();
    node.hard_version("s", 4).await.unwrap();
    assert!(matches!(node.hard("s").await, Err(Error::SubjectNotSoftDeleted(_))));
    assert_eq!(numbers(node.soft("s").await.unwrap()), [1, 3, 5]);
    assert_eq!(node.all_versions("s").await.unwrap(), [1, 2, 3, 5]);
    assert_eq!(numbers(node.hard("s").await.unwrap()), [1, 2, 3, 5]);
}

/// The recordings of `delete-version-soft-hard` and `delete-latest`.
#[tokio::test]
async fn a_version_is_deleted_soft_first_and_then_permanently() {
    let node = node();
    assert!(matches!(node.soft_version("s", 1).await, Err(Error::SubjectNotFound(_))));
    node.given("s", &fields(&["a"])).await;
    node.given("s", &fields(&["a", "b"])).await;
    assert!(matches!(node.hard_version("s", 1).await, Err(Error::VersionNotSoftDeleted { .. })));
    assert_eq!(node.soft_version("s", 1).await.unwrap(), Version(1));
    assert!(matches!(node.soft_version("s", 1).await, Err(Error::VersionSoftDeleted { .. })));
    assert_eq!(node.hard_version("s", 1).await.unwrap(), Version(1));
    assert!(matches!(node.hard_version("s", 1).await, Err(Error::VersionNotFound { version: 1, .. })));
    let s = name("s");
    let latest = |permanence| node.registry.delete_version(&node.caller, &s, VersionSpec::Latest, permanence);
    assert!(matches!(latest(Permanence::Permanent).await, Err(Error::VersionNotSoftDeleted { .. })));
    assert_eq!(latest(Permanence::Soft).await.unwrap(), Version(2));
    assert!(matches!(latest(Permanence::Soft).await, Err(Error::VersionNotFound { version: -1, .. })));
    assert!(matches!(latest(Permanence::Permanent).await, Err(Error::VersionNotFound { version: -1, .. })));
}

#[tokio::test]
async fn a_soft_deleted_version_keeps_its_number() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    node.given("s", &fields(&["a", "b"])).await;
    node.soft_version("s", 2).await.unwrap();
    assert_eq!(node.given("s", &fields(&["a", "c"])).await.version, Version(3));
    node.soft_version("s", 3).await.unwrap();
    node.hard_version("s", 3).await.unwrap();
    assert_eq!(node.given("s", &fields(&["a", "d"])).await.version, Version(3), "the highest that is left, and one");
}

/// The recordings of `delete-reregister-soft` and `delete-reregister-hard`.
#[tokio::test]
async fn a_text_registered_again_keeps_its_id_after_a_soft_delete_only() {
    let node = node();
    let id = node.given("s", &fields(&["a"])).await.id;
    node.soft("s").await.unwrap();
    let again = node.given("s", &fields(&["a"])).await;
    assert_eq!((again.id, again.version), (id, Version(2)));
    assert_eq!(node.all_versions("s").await.unwrap(), [2], "the old number is gone");
    node.soft("s").await.unwrap();
    node.hard("s").await.unwrap();
    let anew = node.given("s", &fields(&["a"])).await;
    assert_eq!(anew.version, Version(1));
    assert!(anew.id > id);
}

/// The recordings of `delete-referenced-avro` and `delete-self-referenced`.
#[tokio::test]
async fn what_is_referenced_stays() {
    let node = node();
    node.given("dep", &fields(&["a"])).await;
    node.given("dep", &fields(&["a", "b"])).await;
    node.given_referrer("main", &using_m("Main"), reference("dep.proto", "dep", 1)).await;
    let is_v1 = |result: Result<_, Error>| {
        matches!(result.map(|_: i32| ()), Err(Error::ReferenceExists { version: Version(1), .. }))
    };
    assert!(is_v1(node.soft_version("dep", 1).await.map(|_| 0)));
    assert!(is_v1(node.hard_version("dep", 1).await.map(|_| 0)), "before it is said to be live");
    assert!(is_v1(node.soft("dep").await.map(|_| 0)));
    assert_eq!(node.soft_version("dep", 2).await.unwrap(), Version(2));
    node.soft("main").await.unwrap();
    assert_eq!(node.soft_version("dep", 1).await.unwrap(), Version(1));
    assert!(is_v1(node.hard_version("dep", 1).await.map(|_| 0)));
    assert!(is_v1(node.hard("dep").await.map(|_| 0)));
    node.hard("main").await.unwrap();
    assert_eq!(numbers(node.hard("dep").await.unwrap()), [1, 2]);

    node.given("younger", &fields(&["a"])).await;
    node.given("younger", &fields(&["a", "b"])).await;
    node.given_referrer("main", &using_m("Main"), reference("dep.proto", "younger", 2)).await;
    let first_is_live = node.hard("younger").await;
    assert!(matches!(first_is_live, Err(Error::SubjectNotSoftDeleted(_))), "the oldest version is looked at first");
    node.soft_version("younger", 1).await.unwrap();
    let referenced = node.hard("younger").await;
    assert!(matches!(referenced, Err(Error::ReferenceExists { version: Version(2), .. })), "{referenced:?}");

    node.put_level("self", "NONE").await;
    node.given("self", &fields(&["a"])).await;
    node.given_referrer("self", &using_m("Main"), reference("dep.proto", "self", 1)).await;
    assert!(is_v1(node.soft_version("self", 1).await.map(|_| 0)));
    assert_eq!(numbers(node.soft("self").await.unwrap()), [1, 2]);
    assert!(is_v1(node.hard_version("self", 1).await.map(|_| 0)));
    assert_eq!(numbers(node.hard("self").await.unwrap()), [1, 2]);
}

#[tokio::test]
async fn deletes_respect_the_mode_and_the_callers_rights() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    let refused = node.registry.delete_subject(&only("ann"), &name("s"), Permanence::Soft).await;
    assert!(matches!(refused, Err(Error::Forbidden)));
    node.put_mode(Scope::Subject(name("s")), Mode::ReadOnly).await.unwrap();
    let refusal = "Subject s in context  is in read-only mode";
    assert_eq!(text_of(node.soft("s").await), refusal);
    assert_eq!(text_of(node.soft_version("s", 1).await), refusal);
    assert!(matches!(node.soft_version("s", 9).await, Err(Error::VersionNotFound { .. })));
}

/// The recording of `delete-config-mode`.
#[tokio::test]
async fn config_and_mode_go_with_the_last_permanent_delete() {
    let node = node();
    let scope = Scope::Subject(name("s"));
    node.given("s", &fields(&["a"])).await;
    node.put_level("s", "FULL").await;
    node.put_mode(scope.clone(), Mode::ReadWrite).await.unwrap();
    node.soft("s").await.unwrap();
    assert!(node.registry.config(&node.caller, &scope, false).await.is_ok());
    assert!(node.registry.mode(&node.caller, &scope, false).await.is_ok());
    node.hard("s").await.unwrap();
    assert!(matches!(node.registry.config(&node.caller, &scope, false).await, Err(Error::ConfigNotFound(_))));
    assert!(matches!(node.registry.mode(&node.caller, &scope, false).await, Err(Error::ModeNotFound(_))));
    let level = node.registry.config(&node.caller, &scope, true).await.unwrap().compatibility_level;
    assert_eq!(level.as_deref(), Some("BACKWARD"));
    node.given("s", &fields(&["a"])).await;
    let refused = node.register("s", proto(&breaking())).await;
    assert!(
        matches!(refused, Err(Error::Incompatible { details, .. }) if details.level == sluice_schema::Level::Backward)
    );
}

/// The recording of `delete-context`.
#[tokio::test]
async fn a_context_is_deleted_when_it_is_empty_and_its_ids_go_on() {
    let node = node();
    let context = ContextName::new("c");
    let listed = || async { node.registry.contexts(&node.caller, ".c", ALL).await.unwrap() };
    let delete = || node.registry.delete_context(&node.caller, &context);
    assert_eq!(listed().await, []);
    delete().await.unwrap();
    let id = node.given(":.c:s", &fields(&["a"])).await.id;
    assert_eq!(listed().await, std::slice::from_ref(&context));
    assert!(matches!(delete().await, Err(Error::ContextNotEmpty(_))));
    node.soft(":.c:s").await.unwrap();
    assert!(matches!(delete().await, Err(Error::ContextNotEmpty(_))));
    node.hard(":.c:s").await.unwrap();
    assert_eq!(listed().await, std::slice::from_ref(&context));
    delete().await.unwrap();
    assert_eq!(listed().await, []);
    assert!(node.given(":.c:s", &fields(&["a"])).await.id > id);
    assert_eq!(node.registry.contexts(&node.caller, "", ALL).await.unwrap(), [default_context(), context]);
}
