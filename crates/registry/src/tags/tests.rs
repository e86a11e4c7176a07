use sluice_schema::{TagEdit, TaggedEntity};

use super::*;
use crate::fixture::*;

fn add(path: &str, tag: &str) -> TagEdit {
    let entity = TaggedEntity { path: path.into(), is_record: false, tags: vec![tag.into()] };
    TagEdit { add: vec![entity], remove: Vec::new() }
}

async fn edit(node: &Node, subject: &str, version: VersionSpec, request: TagRequest) -> Result<SchemaEntity, Error> {
    node.registry.modify_tags(&node.caller, &name(subject), version, request, Format::Canonical).await
}

/// The recordings of `tags-endpoint` and NOTES 47.
#[tokio::test]
async fn every_edit_makes_a_version_with_its_number_in_the_metadata() {
    let node = node();
    let tags = || TagRequest { tags: add("M.a", "PII"), ..TagRequest::default() };
    assert!(matches!(edit(&node, "s", VersionSpec::Number(1), tags()).await, Err(Error::SubjectNotFound(_))));
    node.given("s", &fields(&["a"])).await;
    let second = edit(&node, "s", VersionSpec::Latest, tags()).await.unwrap();
    assert_eq!(second.version.0, 2);
    assert!(second.content.text.contains("PII"));
    assert_eq!(second.content.metadata.as_deref(), Some(&properties(&[("confluent:version", "2")])));
    // The same again, and nothing at all.
    assert_eq!(edit(&node, "s", VersionSpec::Latest, tags()).await.unwrap().version.0, 3);
    assert_eq!(edit(&node, "s", VersionSpec::Latest, TagRequest::default()).await.unwrap().version.0, 4);
    // Of an old version.
    let older = TagRequest { tags: add("M.a", "AGE"), ..TagRequest::default() };
    let fifth = edit(&node, "s", VersionSpec::Number(1), older).await.unwrap();
    assert!(fifth.content.text.contains("AGE") && !fifth.content.text.contains("PII"));
    let owned = TagRequest { metadata: Some(properties(&[("owner", "x")])), ..TagRequest::default() };
    let sixth = edit(&node, "s", VersionSpec::Latest, owned).await.unwrap();
    assert_eq!(sixth.content.metadata.as_deref(), Some(&properties(&[("confluent:version", "6"), ("owner", "x")])));
    let numbered = |version| TagRequest { new_version: Some(version), ..TagRequest::default() };
    let refused = edit(&node, "s", VersionSpec::Latest, numbered(2)).await;
    assert_eq!(text_of(refused), "Version is not one more than previous version");
    let seventh = edit(&node, "s", VersionSpec::Latest, numbered(-1)).await.unwrap();
    assert_eq!(seventh.content.metadata.as_deref(), Some(&properties(&[("confluent:version", "7"), ("owner", "x")])));
    let missing = TagRequest { tags: add("Nope.a", "Q"), ..TagRequest::default() };
    assert!(matches!(edit(&node, "s", VersionSpec::Latest, missing).await, Err(Error::InvalidSchema { .. })));
    let missing = edit(&node, "s", VersionSpec::Number(99), TagRequest::default()).await;
    assert!(matches!(missing, Err(Error::VersionNotFound { version: 99, .. })));
    assert_eq!(node.versions("s").await.unwrap(), [1, 2, 3, 4, 5, 6, 7]);
}

#[tokio::test]
async fn rules_are_replaced_merged_and_removed() {
    let node = node();
    let rules = |names: &[&str]| -> RuleSet {
        let rules: Vec<_> = names.iter().map(|name| serde_json::json!({"name": name, "type": "CEL"})).collect();
        serde_json::from_value(serde_json::json!({"domainRules": rules})).unwrap()
    };
    let names = |entity: &SchemaEntity| -> Vec<String> {
        let rules = entity.content.rule_set.iter().flat_map(|set| set.domain_rules.clone());
        rules.filter_map(|rule| rule.name).collect()
    };
    node.given("s", &fields(&["a"])).await;
    let latest = VersionSpec::Latest;
    let set = TagRequest { rule_set: Some(rules(&["a", "b"])), ..TagRequest::default() };
    assert_eq!(names(&edit(&node, "s", latest, set).await.unwrap()), ["a", "b"]);
    let merge = TagRequest { rules_to_merge: Some(rules(&["a", "c"])), ..TagRequest::default() };
    assert_eq!(names(&edit(&node, "s", latest, merge).await.unwrap()), ["b", "a", "c"]);
    let remove = |names: &[&str]| TagRequest {
        rules_to_remove: names.iter().map(|name| (*name).to_owned()).collect(),
        ..TagRequest::default()
    };
    // Whichever version is edited, its rules are those of the version before the new one.
    let first = VersionSpec::Number(1);
    assert_eq!(names(&edit(&node, "s", first, TagRequest::default()).await.unwrap()), ["b", "a", "c"]);
    let merge = TagRequest { rules_to_merge: Some(rules(&["c"])), new_version: Some(5), ..TagRequest::default() };
    assert_eq!(names(&edit(&node, "s", first, merge).await.unwrap()), ["b", "a", "c"]);
    assert_eq!(names(&edit(&node, "s", first, remove(&["b", "c"])).await.unwrap()), ["a"]);
    assert_eq!(edit(&node, "s", latest, remove(&["a"])).await.unwrap().content.rule_set, None);
    let both = TagRequest { rule_set: Some(rules(&["a"])), ..remove(&["b"]) };
    let refused = edit(&node, "s", latest, both).await;
    assert!(matches!(refused, Err(Error::InvalidRuleSet(text)) if text.starts_with("ruleSet should be omitted")));
}

#[tokio::test]
async fn of_two_faults_the_name_is_told_first_then_what_is_missing_then_the_rules() {
    let node = node();
    let bad_rules = || {
        let rules = serde_json::json!({"domainRules": [{"name": "untyped"}]});
        TagRequest { rule_set: Some(serde_json::from_value(rules).unwrap()), ..TagRequest::default() }
    };
    let latest = VersionSpec::Latest;
    assert!(matches!(edit(&node, "__EMPTY", latest, bad_rules()).await, Err(Error::InvalidSubject(_))));
    assert!(matches!(edit(&node, "s", latest, bad_rules()).await, Err(Error::SubjectNotFound(_))));
    node.given("s", &fields(&["a"])).await;
    assert!(matches!(edit(&node, "s", latest, bad_rules()).await, Err(Error::InvalidRuleSet(_))));
}

/// NOTES 29.
#[tokio::test]
async fn a_version_found_in_another_context_is_edited_into_the_default_one() {
    let node = node();
    node.given(":.c:s", &fields(&["a"])).await;
    let edited = edit(&node, "s", VersionSpec::Latest, TagRequest::default()).await.unwrap();
    assert_eq!((edited.subject, edited.version.0), (name("s"), 1));
    assert_eq!(node.versions(":.c:s").await.unwrap(), [1]);
}

/// The recording of `tags-protobuf` (step 7).
#[tokio::test]
async fn tags_are_found_by_name() {
    let node = node();
    node.given("s", &fields(&["a", "b"])).await;
    let tags =
        TagEdit { add: vec![add("M.a", "PII").add.remove(0), add("M.b", "ZIP").add.remove(0)], remove: Vec::new() };
    let tags = TagEdit { add: [tags.add, add("M.b", "US").add].concat(), ..tags };
    edit(&node, "s", VersionSpec::Latest, TagRequest { tags, ..TagRequest::default() }).await.unwrap();
    let find = |words: &[&str]| {
        let find_tags = words.iter().map(|word| (*word).to_owned()).collect();
        let options = ReadOptions { find_tags, ..reading(Include::Live) };
        let node = node.clone();
        async move {
            let shown = node.registry.version(&node.caller, &name("s"), VersionSpec::Latest, options).await.unwrap();
            shown.schema_tags.into_iter().map(|entity| (entity.path, entity.tags)).collect::<Vec<_>>()
        }
    };
    // Whatever carries an asked tag is shown with all of its tags.
    assert_eq!(find(&["ZIP", "OTHER"]).await, [("M.b".to_owned(), vec!["ZIP".to_owned(), "US".to_owned()])]);
    assert_eq!(find(&["*"]).await.len(), 2);
    assert_eq!(find(&[]).await, []);
}
