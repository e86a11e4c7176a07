use super::*;
use crate::fixture::*;

async fn subjects(node: &Node, prefix: &str, view: View) -> Vec<String> {
    node.registry.subjects(&node.caller, prefix, view, ALL).await.unwrap()
}

fn list(prefix: &str) -> ListSchemas {
    ListSchemas {
        subject_prefix: prefix.to_owned(),
        include: Include::Live,
        latest_only: false,
        aliases: false,
        rule_type: None,
        associated: None,
        page: ALL,
    }
}

async fn schemas(node: &Node, list: ListSchemas) -> Vec<(String, i32, bool)> {
    let listed = node.registry.schemas(&node.caller, list).await.unwrap();
    listed.iter().map(|e| &e.entity).map(|e| (e.subject.qualified(), e.version.0, e.deleted.unwrap())).collect()
}

/// The recordings of `core-list-subjects-main` and `core-list-schemas-context`.
#[tokio::test]
async fn subjects_are_listed_by_prefix_context_and_view() {
    let node = node();
    for subject in ["s-alpha", "s-beta", "s-delta", ":.c:s-x"] {
        node.given(subject, &fields(&["a"])).await;
    }
    node.soft("s-beta").await.unwrap();
    assert_eq!(subjects(&node, ":*:", View::Live).await, [":.c:s-x", "s-alpha", "s-delta"]);
    assert_eq!(subjects(&node, "", View::Live).await, ["s-alpha", "s-delta"]);
    assert_eq!(subjects(&node, ":.c:", View::Live).await, [":.c:s-x"]);
    assert_eq!(subjects(&node, ":.:s-a", View::Live).await, ["s-alpha"]);
    assert_eq!(subjects(&node, ":*:s-", View::WithDeleted).await, [":.c:s-x", "s-alpha", "s-beta", "s-delta"]);
    assert_eq!(subjects(&node, "s-", View::DeletedOnly).await, ["s-beta"]);
    node.given(":.cd:s-y", &fields(&["a"])).await;
    assert_eq!(subjects(&node, ":.c", View::Live).await, [":.c:s-x", ":.cd:s-y"], "contexts whose names start so");
    assert_eq!(subjects(&node, ":.d", View::Live).await, [""; 0]);
    assert_eq!(subjects(&node, ":.", View::Live).await, [":.c:s-x", ":.cd:s-y", "s-alpha", "s-delta"]);
    assert_eq!(schemas(&node, list(":.cd")).await, [(":.cd:s-y".to_owned(), 1, false)]);
    let page = Page { offset: 1, limit: Some(1) };
    let paged = node.registry.subjects(&node.caller, "s-", View::Live, page).await.unwrap();
    assert_eq!(paged, ["s-delta"]);
    let listed = node.registry.subjects(&only("s-a"), ":*:", View::Live, ALL).await.unwrap();
    assert_eq!(listed, ["s-alpha"]);
}

/// The recording of `core-list-schemas-main`.
#[tokio::test]
async fn schemas_are_listed_by_subject_and_version() {
    let node = node();
    for subject in ["a", "b"] {
        for n in 1..=3 {
            node.given(subject, &fields(&["x", "y", "z"][..n])).await;
        }
    }
    node.soft_version("a", 3).await.unwrap();
    let row = |subject: &str, version, deleted| (subject.to_owned(), version, deleted);
    let live = [row("a", 1, false), row("a", 2, false), row("b", 1, false), row("b", 2, false), row("b", 3, false)];
    assert_eq!(schemas(&node, list("")).await, live);
    let deleted = ListSchemas { include: Include::Deleted, ..list("a") };
    assert_eq!(schemas(&node, deleted).await, [row("a", 1, false), row("a", 2, false), row("a", 3, true)]);
    let latest = ListSchemas { latest_only: true, ..list("") };
    assert_eq!(schemas(&node, latest.clone()).await, [row("a", 2, false), row("b", 3, false)]);
    let with_deleted = ListSchemas { include: Include::Deleted, ..latest };
    assert_eq!(schemas(&node, with_deleted).await, [row("a", 3, true), row("b", 3, false)]);
    let paged = ListSchemas { page: Page { offset: 1, limit: Some(2) }, ..list("") };
    assert_eq!(schemas(&node, paged).await, live[1..3]);
    assert_eq!(node.registry.schemas(&only("b"), list("")).await.unwrap().len(), 3);
}

#[tokio::test]
async fn schemas_are_filtered_by_the_type_of_their_rules_before_the_page_is_cut() {
    let node = node();
    let rules: RuleSet =
        serde_json::from_value(serde_json::json!({"domainRules": [{"name": "r", "type": "CEL"}]})).unwrap();
    node.given("a", &fields(&["a"])).await;
    node.register("b", SchemaRequest { rule_set: Some(rules), ..proto(&fields(&["a"])) }).await.unwrap();
    let filtered = |rule_type: &str| ListSchemas {
        rule_type: Some(rule_type.to_owned()),
        page: Page { offset: 0, limit: Some(1) },
        ..list("")
    };
    assert_eq!(schemas(&node, filtered("CEL")).await, [("b".to_owned(), 1, false)]);
    assert_eq!(schemas(&node, filtered("JSONATA")).await, []);
}

/// The recordings of `config-alias-main`: also of what the prefix does not cover, but one of its aliases does.
#[tokio::test]
async fn aliases_are_shown_and_followed_when_they_are_asked_for() {
    let node = node();
    node.given("real", &fields(&["a"])).await;
    node.given("real", &fields(&["a", "b"])).await;
    node.given(":.c:there", &fields(&["a"])).await;
    for (subject, alias) in [("nick", "real"), ("nick-too", "real"), ("nick-away", ":.c:there"), ("nick-lost", "none")]
    {
        let update = ConfigUpdate { alias: Some(Some(alias.to_owned())), ..ConfigUpdate::default() };
        node.registry.update_config(&node.caller, &Scope::Subject(name(subject)), update).await.unwrap();
    }
    let shown = async |list: ListSchemas| {
        let listed = node.registry.schemas(&node.caller, list).await.unwrap();
        let row = |listed: &ListedSchema| {
            let aliases: Vec<String> = listed.aliases.iter().map(SubjectName::qualified).collect();
            format!("{}/{} {}", listed.entity.subject, listed.entity.version, aliases.join(","))
        };
        listed.iter().map(row).collect::<Vec<_>>()
    };
    let asked = |prefix: &str| ListSchemas { aliases: true, ..list(prefix) };
    assert_eq!(shown(list("nick")).await, [""; 0]);
    assert_eq!(shown(list("re")).await, ["real/1 ", "real/2 "]);
    assert_eq!(shown(asked("nick")).await, [":.c:there/1 nick-away", "real/1 nick,nick-too", "real/2 nick,nick-too"]);
    assert_eq!(shown(asked("")).await, shown(asked("nick")).await, "each version once");
    assert_eq!(shown(asked("re")).await, ["real/1 ", "real/2 "], "aliases count by their own name");
    let latest = ListSchemas { latest_only: true, page: Page { offset: 1, limit: Some(1) }, ..asked("nick") };
    assert_eq!(shown(latest).await, ["real/2 nick,nick-too"]);
}

#[tokio::test]
async fn a_prefix_that_no_name_can_have_lists_nothing() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    let long = "s".repeat(MAX_SUBJECT_BYTES + 1);
    for prefix in ["s\0", ":.c\0:", &format!(":*:{long}"), &long] {
        assert_eq!(subjects(&node, prefix, View::WithDeleted).await, [""; 0], "{prefix:?}");
        assert_eq!(schemas(&node, list(prefix)).await, []);
    }
}
