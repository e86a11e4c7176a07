use std::collections::HashSet;

use futures_util::future::join_all;
use sluice_schema::{Format, SchemaType, TaggedEntity, Version};

use super::*;
use crate::fixture::*;

#[tokio::test]
async fn a_first_registration_gets_version_one_and_no_timestamp() {
    let node = node();
    let entity = node.given("s", &fields(&["a"])).await;
    assert_eq!((entity.version, entity.id), (Version(1), SchemaId(1)));
    assert_eq!((entity.ts, entity.deleted, entity.as_of), (None, None, None));
    assert_eq!(&*entity.content.text, fields(&["a"]));
}

#[tokio::test]
async fn the_same_text_gives_the_same_version_without_a_timestamp() {
    let node = node();
    let first = node.given("s", &fields(&["a"])).await;
    let commented = fields(&["a"]).replace("message", "// a comment\nmessage");
    let again = node.given("s", &commented).await;
    assert_eq!((again.version, again.id, again.ts, again.deleted), (first.version, first.id, None, None));
    assert!(again.as_of.is_some(), "a hit may be remembered");
    assert_eq!(node.versions("s").await.unwrap(), [1]);
}

#[tokio::test]
async fn one_content_has_one_id_per_context() {
    let node = node();
    let text = fields(&["a"]);
    let first = node.given("s", &text).await;
    node.given("other", &fields(&["b"])).await;
    assert_eq!(node.given("t", &text).await.id, first.id);
    assert_eq!(node.given(":.ctx:s", &text).await.id, SchemaId(1));
    assert_eq!(node.given(":.ctx:s", &text).await.content.guid, first.content.guid);
}

#[tokio::test]
async fn a_breaking_schema_is_refused_with_everything_about_it() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    let refused = node.register("s", proto(&breaking())).await.unwrap_err();
    let Error::Incompatible { subject, details } = refused else { panic!("{refused:?}") };
    assert_eq!((subject, details.against), (name("s"), Some(Version(1))));
    assert_eq!(details.differences[0].kind, "FIELD_SCALAR_KIND_CHANGED");
    assert_eq!(details.old_text.as_deref(), Some(&*fields(&["a"])));
    assert_eq!(node.versions("s").await.unwrap(), [1]);
}

#[tokio::test]
async fn force_skips_the_compatibility_check() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    let options = RegisterOptions { force: true, ..PLAIN };
    let entity = node.registry.register(&node.caller, &name("s"), proto(&breaking()), options).await.unwrap();
    assert_eq!(entity.version, Version(2));
}

#[tokio::test]
async fn a_word_that_is_no_language_is_refused() {
    let node = node();
    for (word, text) in [(Some("avro"), "\"int\""), (Some("protobuf"), "x"), (Some(""), "x")] {
        let request = SchemaRequest {
            schema: Some(text.to_owned()),
            schema_type: word.map(str::to_owned),
            ..SchemaRequest::default()
        };
        let refused = node.register("s", request).await.unwrap_err();
        let Error::InvalidSchema { outline: None, cause } = refused else { panic!("{refused:?}") };
        assert_eq!(cause.to_string(), format!("Invalid schema type {}", word.unwrap_or("AVRO")));
    }
}

#[tokio::test]
async fn a_text_without_a_language_is_avro() {
    let node = node();
    for word in [None, Some("AVRO")] {
        let request = SchemaRequest {
            schema: Some("\"int\"".to_owned()),
            schema_type: word.map(str::to_owned),
            ..SchemaRequest::default()
        };
        let entity = node.register("s", request).await.unwrap();
        assert_eq!((entity.content.schema_type, entity.version), (SchemaType::Avro, Version(1)));
    }
}

/// From the recordings of `bad-same-on-lookup` and `ref-protobuf-main` (step 5).
#[tokio::test]
async fn a_text_that_does_not_parse_and_one_that_does_not_resolve_are_told_apart() {
    let node = node();
    let Err(Error::InvalidSchema { outline: None, cause }) = node.register("s", proto("nonsense")).await else {
        panic!()
    };
    let wrap = "Invalid schema of type PROTOBUF, details: ";
    assert!(cause.to_string().starts_with(&format!("{wrap}{wrap}")), "{cause}");

    let text = "syntax = \"proto3\";\npackage corpus.ref_protobuf_main;\n\nmessage Main {\n  Nope d = 1;\n}\n";
    let Err(Error::InvalidSchema { outline: Some(outline), cause }) = node.register("s", proto(text)).await else {
        panic!()
    };
    assert_eq!(cause.to_string(), "Could not resolve type: Nope");
    assert_eq!(
        outline,
        format!(
            "{{subject=s,version=0,id=-1,guid=d74b5760-5343-a649-d59e-c55a2ff2f3ad,schemaType=PROTOBUF,references=[],\
             metadata=null,ruleSet=null,schema={text},schemaTags=null,ts=null,deleted=null}}"
        )
    );
}

#[tokio::test]
async fn names_that_cannot_be_written_are_refused() {
    let node = node();
    for bad in ["__GLOBAL", "__EMPTY", ":.c:__GLOBAL", ":.__GLOBAL:x", "a\u{80}b", ":*:x"] {
        let refused = node.register(bad, proto(&fields(&["a"]))).await.unwrap_err();
        assert!(matches!(refused, Error::InvalidSubject(text) if text == bad), "{bad}");
    }
    node.given(":.ctx:", &fields(&["a"])).await;
}

#[tokio::test]
async fn a_blank_text_is_the_latest_one_with_what_the_request_adds() {
    let node = node();
    for blank in [Some(""), None, Some("   "), Some("\u{0}")] {
        let request = SchemaRequest { schema: blank.map(str::to_owned), ..SchemaRequest::default() };
        assert_eq!(text_of(node.register("s", request).await), "Empty schema");
    }
    let first = node.given("s", &fields(&["a"])).await;
    let again = node.register("s", SchemaRequest::default()).await.unwrap();
    assert_eq!((again.id, again.version, again.deleted), (first.id, first.version, None));
    let with = SchemaRequest { metadata: Some(properties(&[("k", "v")])), ..SchemaRequest::default() };
    let second = node.register("s", with).await.unwrap();
    assert_eq!(second.version, Version(2));
    assert_eq!(second.content.metadata.as_deref(), Some(&properties(&[("k", "v")])));
    assert_eq!(node.register("s", SchemaRequest::default()).await.unwrap().version, Version(2));
}

/// The recording of `core-version-field`.
#[tokio::test]
async fn explicit_versions_must_be_the_next_and_leave_their_number_in_the_metadata() {
    let node = node();
    let text = |n: usize| fields(&["f0", "f1", "f2", "f3", "f4"][..n]);
    let not_next = "Version is not one more than previous version";
    assert_eq!(text_of(node.register("s", with_version(&text(1), 2)).await), not_next);
    let first = node.register("s", with_version(&text(1), 1)).await.unwrap();
    assert_eq!(first.content.metadata.as_deref(), Some(&properties(&[("confluent:version", "1")])));
    assert_eq!(text_of(node.register("s", with_version(&text(2), 1)).await), not_next);
    assert_eq!(text_of(node.register("s", with_version(&text(2), 3)).await), not_next);
    assert_eq!(node.register("s", with_version(&text(2), 2)).await.unwrap().version, Version(2));
    // The number goes on by itself.
    let third = node.register("s", with_version(&text(3), 0)).await.unwrap();
    assert_eq!(third.content.metadata.as_deref(), Some(&properties(&[("confluent:version", "3")])));
    assert_eq!(node.register("s", with_version(&text(4), -1)).await.unwrap().version, Version(4));
    let again = node.register("s", with_version(&text(4), -1)).await.unwrap();
    assert_eq!((again.version, again.deleted), (Version(4), Some(false)));
    assert!(again.ts.is_some());
    assert_eq!(node.register("s", with_version(&text(5), -2)).await.unwrap().version, Version(5));
    // An older text with -1 is a new version; with its own old number it is refused.
    assert_eq!(node.register("s", with_version(&text(1), -1)).await.unwrap().version, Version(6));
    assert_eq!(text_of(node.register("s", with_version(&text(1), 1)).await), not_next);
    // Without a number, the text alone finds a version that carries one.
    let found = node.register("s", proto(&text(3))).await.unwrap();
    assert_eq!((found.version, found.deleted), (Version(3), Some(false)));
}

/// The recording of `core-id-field`.
#[tokio::test]
async fn an_explicit_id_needs_import_mode_unless_it_is_the_one() {
    let node = node();
    let with_id = |id| SchemaRequest { id: Some(id), ..proto(&fields(&["a"])) };
    let refusal = "Subject s in context  is not in import mode";
    assert_eq!(text_of(node.register("s", with_id(7)).await), refusal);
    assert_eq!(text_of(node.register("s", with_id(0)).await), refusal);
    let first = node.register("s", with_id(-1)).await.unwrap();
    assert_eq!(node.register("s", with_id(first.id.0)).await.unwrap().version, Version(1));
    assert_eq!(text_of(node.register("s", with_id(7654)).await), refusal);
}

/// The recording of `mode-readonly`.
#[tokio::test]
async fn read_only_mode_answers_known_content_and_refuses_the_rest() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    node.put_mode(Scope::Subject(name("s")), Mode::ReadOnly).await.unwrap();
    assert_eq!(node.given("s", &fields(&["a"])).await.version, Version(1));
    let refusal = "Subject s in context  is in read-only mode";
    assert_eq!(text_of(node.register("s", proto(&fields(&["a", "b"]))).await), refusal);
    assert_eq!(text_of(node.register("s", proto(&breaking())).await), refusal);
    let with_id = SchemaRequest { id: Some(12), ..proto(&fields(&["a"])) };
    assert_eq!(text_of(node.register("s", with_id).await), refusal);
    let bad = node.register("s", proto("{bad")).await.unwrap_err();
    assert!(matches!(bad, Error::InvalidSchema { .. }), "the text is read first");
    node.put_mode(Scope::Context(ContextName::new(".c")), Mode::ReadOnly).await.unwrap();
    let in_context = node.register(":.c:s", proto(&fields(&["a"]))).await;
    assert_eq!(text_of(in_context), "Subject :.c:s in context :.c: is in read-only mode");
}

/// Source: `KafkaSchemaRegistry#registerOrForward`, 8.2.0: what is there under this id and version is looked up before
/// the mode is.
#[tokio::test]
async fn what_was_imported_may_be_sent_again_with_its_id_and_version_in_any_mode() {
    let node = node();
    let import = |text: &str, id, version| SchemaRequest { id: Some(id), version: Some(version), ..proto(text) };
    let (one, two) = (fields(&["a"]), fields(&["a", "b"]));
    node.put_mode(subject("s"), Mode::Import).await.unwrap();
    for version in [2, 4] {
        node.register("s", import(&one, 70, version)).await.unwrap();
    }
    node.register("s", import(&two, 71, 5)).await.unwrap();
    for (mode, refusal) in [(Mode::ReadOnly, "read-only mode"), (Mode::ReadWrite, "import mode")] {
        node.put_mode(subject("s"), mode).await.unwrap();
        for version in [2, 4] {
            let again = node.register("s", import(&one, 70, version)).await.unwrap();
            assert_eq!((again.id, again.version), (SchemaId(70), Version(version)), "{mode:?}");
        }
        for (id, version) in [(70, 3), (71, 4), (70, 5)] {
            let refused = text_of(node.register("s", import(&one, id, version)).await);
            assert!(refused.ends_with(refusal), "{id} {version}: {refused}");
        }
    }
    node.soft_version("s", 4).await.unwrap();
    assert!(text_of(node.register("s", import(&one, 70, 4)).await).ends_with("import mode"));
}

#[tokio::test]
async fn what_asks_for_the_tags_of_the_latest_version_is_never_known_before_the_mode_is() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    let propagating = || SchemaRequest { propagate_schema_tags: true, ..proto(&fields(&["a"])) };
    assert_eq!(node.register("s", propagating()).await.unwrap().version, Version(1));
    node.put_mode(subject("s"), Mode::ReadOnly).await.unwrap();
    assert!(text_of(node.register("s", propagating()).await).ends_with("is in read-only mode"));
}

#[tokio::test]
async fn a_text_that_means_nothing_is_told_before_the_mode() {
    let node = node();
    node.put_mode(subject("s"), Mode::ReadOnly).await.unwrap();
    for request in [json(r#"{"type":"nothing"}"#), proto(&using_m("Main"))] {
        let refused = node.register("s", request).await;
        assert!(matches!(refused, Err(Error::InvalidSchema { .. })), "{refused:?}");
    }
}

#[tokio::test]
async fn a_context_that_gave_its_last_id_refuses_new_content_and_knows_the_old() {
    let node = node();
    let last = SchemaRequest { id: Some(i32::MAX), ..proto(&fields(&["a"])) };
    node.put_mode(Scope::Subject(name("s")), Mode::Import).await.unwrap();
    node.register("s", last).await.unwrap();
    node.put_mode(Scope::Subject(name("s")), Mode::ReadWrite).await.unwrap();
    let refused = node.register("s", proto(&fields(&["a", "b"]))).await;
    let expected = "Context  has no ids left: 2147483647 was the last";
    assert!(matches!(&refused, Err(Error::OperationNotPermitted(text)) if text == expected), "{refused:?}");
    assert_eq!(node.given("t", &fields(&["a"])).await.id, SchemaId(i32::MAX));
    assert_eq!(node.given(":.c:s", &fields(&["a", "b"])).await.id, SchemaId(1));
}

/// The recording of `mode-import-subject`, but for the id of a replaced version, which is free again.
#[tokio::test]
async fn import_takes_explicit_ids_and_versions_without_checks() {
    let node = node();
    node.put_mode(Scope::Subject(name("s")), Mode::Import).await.unwrap();
    let import = |text: &str, id: i32, version: Option<i32>| SchemaRequest { id: Some(id), version, ..proto(text) };
    let refused = node.register("s", proto(&fields(&["a"]))).await;
    assert_eq!(text_of(refused), "Subject s in context  is not in read-write mode");
    let third = node.register("s", import(&fields(&["a"]), 5001, Some(3))).await.unwrap();
    assert_eq!((third.id, third.version, &third.content.metadata), (SchemaId(5001), Version(3), &None));
    node.register("s", import(&breaking(), 5002, Some(1))).await.unwrap();
    assert_eq!(node.versions("s").await.unwrap(), [1, 3]);
    assert_eq!(node.version("s", VersionSpec::Latest).await.unwrap().id, SchemaId(5001));
    let taken = node.register("s", import(&fields(&["a", "b"]), 5001, Some(5))).await;
    assert_eq!(text_of(taken), "Overwrite new schema with id 5001 in context  is not permitted.");
    node.register("s", import(&fields(&["a", "b"]), 5003, Some(3))).await.unwrap();
    assert_eq!(node.register("s", import(&fields(&["a", "c"]), 5004, None)).await.unwrap().version, Version(4));
    assert_eq!(node.register("s", import(&fields(&["a"]), 5009, Some(9))).await.unwrap().version, Version(9));
    assert_eq!(node.versions("s").await.unwrap(), [1, 3, 4, 9]);
    node.registry.delete_mode(&node.caller, &Scope::Subject(name("s")), false).await.unwrap();
    assert!(node.given("t", &fields(&["x", "y"])).await.id > SchemaId(5009));
}

/// The recording of `mode-import-unvalidated`.
#[tokio::test]
async fn import_keeps_an_empty_text_but_not_an_unreadable_one() {
    let node = node();
    node.put_mode(Scope::Subject(name("s")), Mode::Import).await.unwrap();
    let blank = SchemaRequest { schema: Some(String::new()), id: Some(3), version: Some(3), ..proto("") };
    let entity = node.register("s", blank).await.unwrap();
    assert_eq!(&*entity.content.text, "");
    assert_eq!(entity.content.guid.to_string(), "d41d8cd9-8f00-b204-e980-0998ecf8427e");
    assert_eq!(&*node.version("s", VersionSpec::Number(3)).await.unwrap().content.text, "");
    let bad = SchemaRequest { id: Some(4), version: Some(4), ..proto("{bad") };
    assert!(matches!(node.register("s", bad).await, Err(Error::InvalidSchema { .. })));
    let unresolved = SchemaRequest { id: Some(5), version: Some(5), ..proto(&using_m("Main")) };
    node.register("s", unresolved).await.unwrap();
    let missing = SchemaRequest {
        id: Some(6),
        version: Some(6),
        references: vec![reference("dep.proto", "absent", 1)],
        ..proto(&using_m("Main"))
    };
    assert!(matches!(node.register("s", missing).await, Err(Error::InvalidSchema { .. })));
}

/// The recordings of `config-default-metadata` and `core-lookup-metadata`.
#[tokio::test]
async fn metadata_comes_from_defaults_request_or_latest_and_overrides() {
    let node = node();
    let update = ConfigUpdate {
        default_metadata: Some(Some(properties(&[("team", "d"), ("cost", "d")]))),
        override_metadata: Some(Some(properties(&[("team", "o")]))),
        ..ConfigUpdate::default()
    };
    node.put_config(Scope::Subject(name("s")), update).await.unwrap();
    let first = node.given("s", &fields(&["a"])).await;
    assert_eq!(first.content.metadata.as_deref(), Some(&properties(&[("team", "o"), ("cost", "d")])));
    let again = node.given("s", &fields(&["a"])).await;
    assert_eq!((again.version, again.deleted), (Version(1), None));
    let second = node.register("s", with_metadata(&fields(&["a", "b"]), &[("cost", "req")])).await.unwrap();
    assert_eq!(second.content.metadata.as_deref(), Some(&properties(&[("team", "o"), ("cost", "req")])));
    let third = node.given("s", &fields(&["a", "b", "c"])).await;
    assert_eq!(third.content.metadata.as_deref(), second.content.metadata.as_deref(), "the latest version's");
    let missing = node.look_up("s", proto(&fields(&["a"]))).await.unwrap_err();
    assert!(matches!(missing, Error::SchemaNotFound(None)), "{missing:?}");
    assert_eq!(node.look_up("s", proto(&fields(&["a", "b"]))).await.unwrap().version, Version(2));
}

/// The recording of `meta-only-change`.
#[tokio::test]
async fn metadata_alone_makes_another_version_and_finds_its_own() {
    let node = node();
    let text = fields(&["a"]);
    node.given("s", &text).await;
    node.register("s", with_metadata(&text, &[("owner", "a")])).await.unwrap();
    node.register("s", with_metadata(&text, &[("owner", "b")])).await.unwrap();
    assert_eq!(node.register("s", with_metadata(&text, &[("owner", "a")])).await.unwrap().version, Version(2));
    assert_eq!(node.given("s", &text).await.version, Version(1));
    assert_eq!(node.versions("s").await.unwrap(), [1, 2, 3]);
}

/// The recording of `meta-bad` (steps 5 and 10).
#[tokio::test]
async fn contents_that_collide_in_their_hash_are_not_taken_for_one() {
    let node = node();
    let text = fields(&["a"]);
    let first = node.register("m4", with_metadata(&text, &[("a", "1")])).await.unwrap();
    let tags = Metadata { tags: [("a".to_owned(), ["1".to_owned()].into())].into(), ..Metadata::default() };
    let refused = node.register("m9", SchemaRequest { metadata: Some(tags), ..proto(&text) }).await;
    assert_eq!(text_of(refused), format!("Overwrite new schema with id {} in context  is not permitted.", first.id));
    let empty = SchemaRequest { metadata: Some(Metadata::default()), ..proto(&text) };
    assert_eq!(node.register("m13", empty).await.unwrap().content.metadata.as_deref(), Some(&Metadata::default()));
}

#[tokio::test]
async fn rules_are_kept_filled_in_inherited_and_validated() {
    let node = node();
    let rule = |name: &str, mode: Option<&str>| -> Rule {
        serde_json::from_value(serde_json::json!({"name": name, "mode": mode, "type": "CEL"})).unwrap()
    };
    let set = |rules: Vec<Rule>| RuleSet { domain_rules: rules, ..RuleSet::default() };
    let with = |text: &str, rules: RuleSet| SchemaRequest { rule_set: Some(rules), ..proto(text) };
    let first = node.register("s", with(&fields(&["a"]), set(vec![rule("r", None)]))).await.unwrap();
    let kept = first.content.rule_set.clone().unwrap();
    assert_eq!(kept.domain_rules[0].mode.as_deref(), Some("WRITEREAD"));
    assert_eq!(kept.domain_rules[0].kind.as_deref(), Some("TRANSFORM"));
    let same = node.register("s", with(&fields(&["a"]), set(vec![rule("r", None)]))).await.unwrap();
    assert_eq!(same.version, Version(1));
    let second = node.given("s", &fields(&["a", "b"])).await;
    assert_eq!(second.content.rule_set, first.content.rule_set);
    let bare = node.register("s", with(&fields(&["a", "b"]), RuleSet::default())).await.unwrap();
    assert_eq!((bare.version, &bare.content.rule_set), (Version(3), &None), "an empty set hides the latest one");
    let refused = node.register("s", with(&fields(&["a"]), set(vec![rule("9x", None)]))).await.unwrap_err();
    assert!(matches!(refused, Error::InvalidRuleSet(_)), "{refused:?}");
}

#[tokio::test]
async fn a_group_is_compared_only_with_itself() {
    let node = node();
    let update = ConfigUpdate { compatibility_group: Some(Some("major".into())), ..ConfigUpdate::default() };
    node.put_config(Scope::Subject(name("s")), update).await.unwrap();
    node.register("s", with_metadata(&fields(&["a"]), &[("major", "1")])).await.unwrap();
    let refused = node.register("s", with_metadata(&breaking(), &[("major", "1")])).await.unwrap_err();
    assert!(matches!(refused, Error::Incompatible { .. }));
    node.register("s", with_metadata(&breaking(), &[("major", "2")])).await.unwrap();
    node.register("s", with_metadata(&fields(&["a", "b"]), &[("major", "1")])).await.unwrap();
    let refused = node.register("s", with_metadata(&fields(&["a"]), &[("major", "2")])).await.unwrap_err();
    assert!(matches!(refused, Error::Incompatible { .. }));
    let latest = Some(VersionSpec::Latest);
    assert!(node.check("s", latest, &breaking()).await.is_compatible, "no group is another group");
    assert!(node.check("s", None, &breaking()).await.is_compatible);
}

#[tokio::test]
async fn reserved_fields_stay_reserved_where_fields_are_validated() {
    let node = node();
    let update = ConfigUpdate { validate_fields: Some(Some(true)), ..ConfigUpdate::default() };
    node.put_config(Scope::Subject(name("s")), update).await.unwrap();
    node.register("s", with_metadata(&fields(&["a"]), &[("confluent:reserved", "old, b")])).await.unwrap();
    let dropped = node.register("s", with_metadata(&fields(&["a", "c"]), &[("confluent:reserved", "b")])).await;
    let Err(Error::IncompatibleMessages { messages, .. }) = dropped else { panic!("{dropped:?}") };
    let removed = "The new schema has reserved field old removed from its metadata which is present in the old schema's metadata.";
    let trailer = "{validateFields: 'true', compatibility: 'BACKWARD'}";
    assert_eq!(messages, [removed, trailer]);
    let used = node.register("s", proto(&fields(&["a", "b"]))).await;
    let Err(Error::IncompatibleMessages { messages, .. }) = used else { panic!("{used:?}") };
    assert_eq!(messages, ["The new schema has field that conflicts with the reserved field b.", trailer]);
    let both = node.register("s", with_metadata(&breaking(), &[("confluent:reserved", "b")])).await;
    let Err(Error::IncompatibleMessages { messages, .. }) = both else { panic!("{both:?}") };
    assert_eq!((&*messages[0], &*messages[messages.len() - 1]), (removed, trailer), "what is reserved is told first");
    assert!(messages.len() > 2, "{messages:?}");
}

#[tokio::test]
async fn what_the_latest_version_reserves_counts_whichever_group_it_is_of() {
    let node = node();
    let update = ConfigUpdate {
        validate_fields: Some(Some(true)),
        compatibility_group: Some(Some("major".into())),
        ..ConfigUpdate::default()
    };
    node.put_config(subject("s"), update).await.unwrap();
    let reserving = [("major", "1"), ("confluent:reserved", "old")];
    node.register("s", with_metadata(&fields(&["a"]), &reserving)).await.unwrap();
    let other = node.register("s", with_metadata(&breaking(), &[("major", "2")])).await;
    let Err(Error::IncompatibleMessages { messages, .. }) = other else { panic!("{other:?}") };
    assert!(messages[0].starts_with("The new schema has reserved field old removed"), "{messages:?}");
}

#[tokio::test]
async fn normalize_comes_from_the_request_or_the_config() {
    let node = node();
    let shuffled = "syntax = \"proto3\";\npackage p;\n\nmessage M {\n  int32 b = 2;\n  int32 a = 1;\n}\n";
    let options = RegisterOptions { normalize: Normalize::Yes, ..PLAIN };
    let entity = node.registry.register(&node.caller, &name("s"), proto(shuffled), options).await.unwrap();
    assert!(entity.content.text.find("a = 1").unwrap() < entity.content.text.find("b = 2").unwrap());
    let update = ConfigUpdate { normalize: Some(Some(true)), ..ConfigUpdate::default() };
    node.put_config(Scope::Subject(name("t")), update).await.unwrap();
    assert_eq!(node.given("t", shuffled).await.id, entity.id);
    assert_ne!(node.given("u", shuffled).await.id, entity.id);
}

#[tokio::test]
async fn a_tag_edit_makes_a_numbered_version_of_its_own() {
    let node = node();
    let tag = |path: &str| TagEdit {
        add: vec![TaggedEntity { path: path.into(), is_record: false, tags: vec!["PII".into()] }],
        remove: Vec::new(),
    };
    let edit = |path: &str| SchemaRequest { tags: tag(path), ..proto(&fields(&["a"])) };
    let first = node.register("s", edit("M.a")).await.unwrap();
    assert!(first.content.text.contains("PII"), "{}", first.content.text);
    assert_eq!(first.content.metadata.as_deref(), Some(&properties(&[("confluent:version", "1")])));
    assert_eq!(node.register("s", edit(".M.a")).await.unwrap().version, Version(2));
    let missing = node.register("s", edit("Nope.a")).await.unwrap_err();
    assert!(matches!(missing, Error::InvalidSchema { outline: None, .. }), "{missing:?}");
    let propagated = SchemaRequest { propagate_schema_tags: true, ..proto(&fields(&["a", "b"])) };
    let third = node.register("s", propagated).await.unwrap();
    assert!(third.content.text.contains("PII"), "{}", third.content.text);
    let plain = node.register("s", proto(&fields(&["a", "b", "c"]))).await.unwrap();
    assert!(!plain.content.text.contains("PII"));
}

/// Source: schema-registry `AbstractSchemaRegistry#register`: only an absent version is filled in.
#[tokio::test]
async fn a_tag_edit_that_asks_for_version_0_may_find_what_is_there() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    let tagged = TaggedEntity { path: "M.a".into(), is_record: false, tags: vec!["PII".into()] };
    let request = SchemaRequest {
        tags: TagEdit { add: vec![tagged], remove: Vec::new() },
        version: Some(0),
        ..proto(&fields(&["a"]))
    };
    let second = node.register("s", request.clone()).await.unwrap();
    assert_eq!((second.version, &second.content.metadata), (Version(2), &None));
    assert_eq!(node.register("s", request.clone()).await.unwrap().version, Version(2));
    let unnumbered = SchemaRequest { version: None, ..request };
    assert_eq!(node.register("s", unnumbered).await.unwrap().version, Version(3));
}

#[tokio::test]
async fn references_are_resolved_numbered_and_locked() {
    let node = node();
    node.given("dep", &fields(&["a"])).await;
    let main = node.given_referrer("main", &using_m("Main"), reference("dep.proto", "dep", -1)).await;
    assert_eq!(main.content.references[0].version, 1);
    assert!(matches!(node.soft("dep").await, Err(Error::ReferenceExists { version: Version(1), .. })));
    let missing = SchemaRequest { references: vec![reference("dep.proto", "dep", 5)], ..proto(&using_m("Other")) };
    let Err(Error::InvalidSchema { cause, .. }) = node.register("other", missing).await else { panic!() };
    let expected = "No schema reference found for subject \"dep\" and version 5";
    assert!(cause.to_string().ends_with(expected), "{cause}");
}

/// The recordings of `ref-malformed` and `ref-cross-type`.
#[tokio::test]
async fn a_reference_that_is_not_whole_or_of_another_type_makes_the_text_invalid() {
    let node = node();
    node.given("dep", &fields(&["a"])).await;
    let nameless = AskedReference { name: None, ..reference("", "dep", 1) };
    let referring = |to, request| SchemaRequest { references: vec![to], ..request };
    let said = |refusal: Result<SchemaEntity, Error>| {
        let Err(Error::InvalidSchema { outline, cause }) = refusal else { panic!("{refusal:?}") };
        outline.unwrap_or_default() + " " + &cause.to_string()
    };
    let avro_text = r#"{"type":"record","name":"A","fields":[]}"#;
    let refusal = said(node.register("a", referring(nameless.clone(), avro(avro_text))).await);
    let expected = "with refs [{name='null', subject='dep', version=1}] of type AVRO \
                    Invalid reference: {name='null', subject='dep', version=1}";
    assert!(refusal.ends_with(expected), "{refusal}");
    // The hash leaves out what is missing: MD5 of the text, `dep` and the number.
    assert!(refusal.contains("guid=1117a0ef-d0dd-eb1c-ede9-1a7a4a6e5232"), "{refusal}");
    let wrapped = "Invalid schema of type PROTOBUF, details: Invalid schema of type PROTOBUF, details: ";
    let refusal = said(node.register("p", referring(nameless, proto(&using_m("Main")))).await);
    assert_eq!(refusal, format!(" {wrapped}Invalid reference: {{name='null', subject='dep', version=1}}"));
    node.register("avro", avro(avro_text)).await.unwrap();
    let refusal = said(node.register("p", referring(reference("dep.proto", "avro", 1), proto(&using_m("Main")))).await);
    assert!(refusal.starts_with(&format!(" {wrapped}Could not parse Protobuf - ")), "{refusal}");
}

/// The recordings of `delete-referenced-then-register` and `ctx-references`.
#[tokio::test]
async fn references_must_be_live_and_belong_to_the_context() {
    let node = node();
    node.given("dep", &fields(&["a"])).await;
    node.soft("dep").await.unwrap();
    let to = |subject: &str, version| SchemaRequest {
        references: vec![reference("dep.proto", subject, version)],
        ..proto(&using_m("Main"))
    };
    assert!(matches!(node.register("main", to("dep", 1)).await, Err(Error::InvalidSchema { .. })));
    assert!(matches!(node.look_up("main", to("dep", 1)).await, Err(Error::SubjectNotFound(_))));
    node.given("dep", &fields(&["a"])).await;
    assert!(
        matches!(node.register("main", to("dep", 1)).await, Err(Error::InvalidSchema { .. })),
        "v1 is gone for good"
    );
    node.register("main", to("dep", 2)).await.unwrap();
    assert!(matches!(node.register(":.c:main", to("dep", 2)).await, Err(Error::InvalidSchema { .. })));
    node.register(":.c:main", to(":.:dep", 2)).await.unwrap();
    node.given(":.c:dep", &fields(&["a"])).await;
    node.register(":.c:main2", to("dep", 1)).await.unwrap();
}

/// The recording of `ref-lookup-missing-target`.
#[tokio::test]
async fn what_the_subject_holds_already_comes_back_although_its_reference_is_deleted() {
    let node = node();
    node.given("dep", &fields(&["a"])).await;
    let main = node.given_referrer("main", &using_m("Main"), reference("dep.proto", "dep", 1)).await;
    node.soft("main").await.unwrap();
    node.soft("dep").await.unwrap();
    let again = node.given_referrer("main", &using_m("Main"), reference("dep.proto", "dep", 1)).await;
    assert_eq!((again.id, again.version), (main.id, Version(2)));
    let using = |message: &str| SchemaRequest {
        references: vec![reference("dep.proto", "dep", 1)],
        ..proto(&using_m(message))
    };
    let check = |request| node.registry.check_compatibility(&node.caller, &again.subject, None, request, Normalize::No);
    assert!(check(using("Main")).await.unwrap().is_compatible);
    assert!(matches!(check(using("Other")).await, Err(Error::InvalidSchema { .. })));
    assert!(matches!(node.register("other", using("Main")).await, Err(Error::InvalidSchema { .. })));
}

#[tokio::test]
async fn the_answer_shows_the_text_in_the_asked_format() {
    let node = node();
    let options = RegisterOptions { format: Format::Serialized, ..PLAIN };
    let entity = node.registry.register(&node.caller, &name("s"), proto(&fields(&["a"])), options).await.unwrap();
    assert_eq!(&*entity.content.text, fields(&["a"]));
    assert!(entity.rendered.is_some_and(|text| !text.contains("syntax")));
}

#[tokio::test]
async fn a_caller_needs_rights_on_the_subject_and_on_what_it_refers_to() {
    let node = node();
    node.given("secret-dep", &fields(&["a"])).await;
    let ann = only("ann");
    let register = |subject: &'static str, request| {
        let (registry, ann) = (node.registry.clone(), ann.clone());
        async move { registry.register(&ann, &name(subject), request, PLAIN).await }
    };
    assert!(matches!(register("bob-s", proto(&fields(&["a"]))).await, Err(Error::Forbidden)));
    register("ann-s", proto(&fields(&["a"]))).await.unwrap();
    let using = SchemaRequest { references: vec![reference("dep.proto", "secret-dep", 1)], ..proto(&using_m("Main")) };
    assert!(matches!(register("ann-t", using).await, Err(Error::Forbidden)));
}

#[tokio::test]
async fn a_text_over_the_cap_is_refused_and_a_long_one_is_read_on_the_blocking_pool() {
    let store = memory::MemoryStore::new();
    let limits = RegistryConfig { max_schema_bytes: 300, heavy_bytes: 10, ..config() };
    let registry = Registry::new(Arc::new(store.clone()), limits);
    let node = Node { registry, ..node_on(&store) };
    node.given("s", &fields(&["a"])).await;
    node.given("s", &fields(&["a", "b"])).await;
    let long = fields(&["a_field_with_a_name_that_is_long_enough_to_go_over"; 6]);
    assert!(matches!(node.register("s", proto(&long)).await, Err(Error::InvalidSchema { .. })));
}

#[tokio::test]
async fn a_known_answer_is_recalled_until_subject_or_settings_change() {
    let node = node();
    let follower = node.registry.clone();
    tokio::spawn(async move { follower.follow_changes().await });
    while !node.registry.coherence().notified {
        tokio::task::yield_now().await;
    }
    let subject = name("s");
    let fresh = node.given("s", &fields(&["a"])).await;
    node.registry.remember(&subject, 1, &fresh, "fresh".into());
    assert_eq!(node.registry.recall(&node.caller, &subject, 1), None, "a first registration is no hit");
    let remember = || async {
        let hit = node.given("s", &fields(&["a"])).await;
        node.registry.remember(&subject, 1, &hit, "answer".into());
        node.registry.recall(&node.caller, &subject, 1)
    };
    // The follower may still apply this node's own write; then the answer is not kept.
    while remember().await.is_none() {
        tokio::task::yield_now().await;
    }
    assert_eq!(node.registry.recall(&node.caller, &subject, 2), None);
    assert_eq!(node.registry.recall(&only("ann"), &subject, 1), None);
    node.given("s", &fields(&["a", "b"])).await;
    assert_eq!(node.registry.recall(&node.caller, &subject, 1), None);
    while remember().await.is_none() {
        tokio::task::yield_now().await;
    }
    node.put_level("other", "FULL").await;
    assert_eq!(node.registry.recall(&node.caller, &subject, 1), None);
}

/// Two nodes on one store, 16 writers each, and no schema may follow another's: one lineage survives, ids never repeat,
/// nothing acknowledged is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_pairwise_incompatible_schemas_on_two_nodes_one_lineage_survives() {
    let store = memory::MemoryStore::new();
    let nodes = [node_on(&store), node_on(&store)];
    for node in &nodes {
        let follower = node.registry.clone();
        tokio::spawn(async move { follower.follow_changes().await });
    }
    let writers = (0..32).map(|writer: usize| {
        let node = nodes[writer % 2].clone();
        tokio::spawn(async move {
            let mut acknowledged = Vec::new();
            for step in 1..=6 {
                let text = lineage(&format!("Writer{writer}"), step);
                match node.register("orders-value", proto(&text)).await {
                    Ok(entity) => acknowledged.push((entity.version, entity.id, text)),
                    Err(Error::Incompatible { .. } | Error::Contention(_)) => {}
                    Err(error) => panic!("{error}"),
                }
                tokio::task::yield_now().await;
            }
            acknowledged
        })
    });
    let acknowledged: Vec<Vec<_>> = join_all(writers).await.into_iter().map(Result::unwrap).collect();
    let winners: Vec<_> = acknowledged.into_iter().filter(|of_writer| !of_writer.is_empty()).collect();
    assert_eq!(winners.len(), 1, "{winners:?}");
    for node in &nodes {
        let versions = node.versions("orders-value").await.unwrap();
        assert_eq!(versions, (1..=6).collect::<Vec<_>>());
        let mut ids = HashSet::new();
        for (version, id, text) in &winners[0] {
            let stored = node.version("orders-value", VersionSpec::Number(version.0)).await.unwrap();
            assert_eq!((stored.id, &*stored.content.text), (*id, text.as_str()));
            assert!(ids.insert(*id));
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_many_writers_of_one_text_all_get_one_version() {
    let store = memory::MemoryStore::new();
    let nodes = [node_on(&store), node_on(&store)];
    let writers = (0..64).map(|writer: usize| {
        let node = nodes[writer % 2].clone();
        tokio::spawn(async move { node.given("s", &fields(&["a"])).await })
    });
    for entity in join_all(writers).await {
        let entity = entity.unwrap();
        assert_eq!((entity.version, entity.id), (Version(1), SchemaId(1)));
    }
}

/// Postgres could not hold the text: refused on every store, whether new or imported.
#[tokio::test]
async fn a_text_with_a_nul_is_refused() {
    let node = node();
    let text = |default: &str| {
        format!("syntax = \"proto2\";\nmessage M {{ optional string a = 1 [default = \"{default}\"]; }}")
    };
    for default in ["x\0y", "x\\0y"] {
        let refused = node.register("s", proto(&text(default))).await;
        assert_eq!(text_of(refused), "The text holds a NUL character, which cannot be stored");
    }
    node.given("s", &text("x y")).await;
    node.put_mode(Scope::Subject(name("t")), Mode::Import).await.unwrap();
    let blank = SchemaRequest { id: Some(7), ..proto("\0") };
    assert_eq!(text_of(node.register("t", blank).await), "The text holds a NUL character, which cannot be stored");
}

#[tokio::test]
async fn a_first_version_costs_no_look_at_the_subject_before() {
    let node = node();
    node.given("other", &fields(&["b"])).await;
    let calls = node.store.calls();
    node.given("s", &fields(&["a"])).await;
    assert_eq!(node.store.calls() - calls, 2, "its settings, and the commit");
}

/// The other node wrote the subject, and this one has not heard of it.
#[tokio::test]
async fn a_subject_that_was_supposed_to_be_new_is_decided_on_as_it_is() {
    for (text, expected) in [
        (fields(&["a"]), Some((Version(1), SchemaId(1)))),
        (fields(&["a", "b"]), Some((Version(2), SchemaId(2)))),
        (breaking(), None),
    ] {
        let store = crate::memory::MemoryStore::new();
        let (here, there) = (node_on(&store), node_on(&store));
        here.given("s", &fields(&["a"])).await;
        match (there.register("s", proto(&text)).await, expected) {
            (Ok(entity), Some(expected)) => assert_eq!((entity.version, entity.id), expected),
            (Err(Error::Incompatible { .. }), None) => {}
            (got, _) => panic!("{got:?}"),
        }
        assert_eq!(there.registry.inner.counts.conflicts.get(), 0.0, "no race was lost");
    }
}
