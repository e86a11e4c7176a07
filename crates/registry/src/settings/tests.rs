use super::*;
use crate::fixture::*;

fn top() -> Scope {
    Scope::Context(default_context())
}

fn in_context(text: &str) -> Scope {
    Scope::Context(ContextName::new(text))
}

fn level(word: &str) -> ConfigUpdate {
    ConfigUpdate { compatibility: Some(Some(word.to_owned())), ..ConfigUpdate::default() }
}

async fn config(node: &Node, scope: &Scope, default_to_global: bool) -> Result<Config, Error> {
    node.registry.config(&node.caller, scope, default_to_global).await
}

async fn level_at(node: &Node, scope: &Scope) -> String {
    config(node, scope, true).await.unwrap().compatibility_level.unwrap()
}

async fn mode(node: &Node, scope: &Scope, default_to_global: bool) -> Result<Mode, Error> {
    node.registry.mode(&node.caller, scope, default_to_global).await
}

/// The recordings of `config-subject` and `config-global-main`.
#[tokio::test]
async fn a_config_is_written_shown_with_its_level_and_deleted() {
    let node = node();
    let s = subject("s");
    assert!(matches!(config(&node, &s, false).await, Err(Error::ConfigNotFound(_))));
    assert_eq!(level_at(&node, &s).await, "BACKWARD");
    let stored = node.put_config(s.clone(), level("Full_Transitive")).await.unwrap();
    assert_eq!(stored.compatibility_level.as_deref(), Some("FULL_TRANSITIVE"));
    assert_eq!(config(&node, &s, false).await.unwrap(), stored);
    let old = node.registry.delete_config(&node.caller, &s).await.unwrap();
    assert_eq!(old, stored);
    assert!(matches!(node.registry.delete_config(&node.caller, &s).await, Err(Error::SubjectNotFound(_))));

    assert_eq!(config(&node, &top(), false).await.unwrap().compatibility_level.as_deref(), Some("BACKWARD"));
    node.put_config(top(), level("NONE")).await.unwrap();
    assert_eq!(level_at(&node, &s).await, "NONE");
    for expected in ["NONE", "BACKWARD"] {
        let old = node.registry.delete_config(&node.caller, &top()).await.unwrap();
        assert_eq!(old.compatibility_level.as_deref(), Some(expected));
    }
}

/// The recording of `config-bad-main`.
#[tokio::test]
async fn a_config_is_changed_part_by_part() {
    let node = node();
    let s = subject("s");
    for bad in ["SIDEWAYS", "", " FULL"] {
        assert!(matches!(node.put_config(s.clone(), level(bad)).await, Err(Error::InvalidLevel)));
    }
    assert!(matches!(config(&node, &s, false).await, Err(Error::ConfigNotFound(_))));
    node.put_config(s.clone(), level("full")).await.unwrap();
    let clear = ConfigUpdate { compatibility: Some(None), ..ConfigUpdate::default() };
    assert_eq!(node.put_config(s.clone(), clear).await.unwrap(), Config::default());
    assert_eq!(config(&node, &s, false).await.unwrap().compatibility_level.as_deref(), Some("BACKWARD"));
    let normalize = ConfigUpdate { normalize: Some(Some(true)), ..ConfigUpdate::default() };
    node.put_config(s.clone(), normalize).await.unwrap();
    for (word, kept) in [("STRICT", Some("STRICT")), ("lenient", Some("LENIENT")), ("bogus", None)] {
        let update = ConfigUpdate { compatibility_policy: Some(Some(word.into())), ..ConfigUpdate::default() };
        let stored = node.put_config(s.clone(), update).await.unwrap();
        assert_eq!((stored.compatibility_policy.as_deref(), stored.normalize), (kept, Some(true)));
    }
}

/// The recording of `config-bad-main` (steps 39 to 42).
#[tokio::test]
async fn an_empty_text_is_not_kept() {
    let node = node();
    let s = subject("s");
    let alias = |text: &str| ConfigUpdate { alias: Some(Some(text.to_owned())), ..ConfigUpdate::default() };
    let group = ConfigUpdate { compatibility_group: Some(Some(String::new())), ..ConfigUpdate::default() };
    assert_eq!(node.put_config(s.clone(), alias("real")).await.unwrap().alias.as_deref(), Some("real"));
    assert_eq!(node.put_config(s.clone(), alias("")).await.unwrap(), Config::default());
    assert_eq!(node.put_config(s.clone(), group).await.unwrap(), Config::default());
    assert_eq!(config(&node, &s, false).await.unwrap().compatibility_group, None);
}

/// The recording of `config-global-fields`; schema-registry.md §2.7.
#[tokio::test]
async fn a_config_of_ones_own_inherits_little_and_none_inherits_all() {
    let node = node();
    let global = ConfigUpdate {
        compatibility: Some(Some("FORWARD".into())),
        normalize: Some(Some(true)),
        compatibility_group: Some(Some("g".into())),
        validate_fields: Some(Some(true)),
        default_metadata: Some(Some(properties(&[("from", "global")]))),
        ..ConfigUpdate::default()
    };
    let whole = node.put_config(top(), global).await.unwrap();
    assert_eq!(config(&node, &subject("bare"), true).await.unwrap(), whole);
    let own = ConfigUpdate { compatibility_group: Some(Some("h".into())), ..ConfigUpdate::default() };
    node.put_config(subject("own"), own).await.unwrap();
    let shown = config(&node, &subject("own"), true).await.unwrap();
    let expected = Config {
        normalize: Some(true),
        validate_fields: Some(true),
        compatibility_level: Some("BACKWARD".into()),
        compatibility_group: Some("h".into()),
        ..Config::default()
    };
    assert_eq!(shown, expected);
    let bare = Config {
        compatibility_level: Some("BACKWARD".into()),
        compatibility_group: Some("h".into()),
        ..Config::default()
    };
    assert_eq!(config(&node, &subject("own"), false).await.unwrap(), bare);
}

/// The recordings of `ctx-path-form` and `mode-context`.
#[tokio::test]
async fn a_named_context_does_not_inherit_from_the_top_level() {
    let node = node();
    node.put_config(top(), level("NONE")).await.unwrap();
    node.put_mode(top(), Mode::ReadOnly).await.unwrap();
    let there = subject(":.c:s");
    assert_eq!(level_at(&node, &there).await, "BACKWARD");
    assert_eq!(mode(&node, &there, true).await.unwrap(), Mode::ReadWrite);
    assert!(matches!(config(&node, &in_context(".c"), false).await, Err(Error::ConfigNotFound(_))));
    node.put_config(in_context(".c"), level("FULL")).await.unwrap();
    assert_eq!(level_at(&node, &there).await, "FULL");
    node.put_config(Scope::AllContexts, level("FORWARD")).await.unwrap();
    assert_eq!(level_at(&node, &subject(":.d:s")).await, "FORWARD");
    assert_eq!(level_at(&node, &subject("s")).await, "NONE");
    node.registry.delete_mode(&node.caller, &top(), false).await.unwrap();
    node.registry.delete_config(&node.caller, &top()).await.unwrap();
    assert_eq!(level_at(&node, &subject("s")).await, "FORWARD");
    assert_eq!(config(&node, &top(), false).await.unwrap().compatibility_level.as_deref(), Some("BACKWARD"));
}

/// The recording of `config-readonly`, and `mode-global-main` (steps 5 and 6).
#[tokio::test]
async fn a_read_only_scope_keeps_its_config() {
    let node = node();
    node.put_level("s", "FULL").await;
    node.put_mode(subject("s"), Mode::ReadOnly).await.unwrap();
    let refusal = "Subject s in context  is in read-only mode";
    assert_eq!(text_of(node.put_config(subject("s"), level("NONE")).await), refusal);
    assert_eq!(text_of(node.registry.delete_config(&node.caller, &subject("s")).await), refusal);
    assert_eq!(level_at(&node, &subject("s")).await, "FULL");
    node.put_mode(top(), Mode::ReadOnlyOverride).await.unwrap();
    let refused = node.put_config(top(), level("FULL")).await;
    assert_eq!(text_of(refused), "Subject null in context  is in read-only mode");
    node.put_mode(in_context(".c"), Mode::ReadOnly).await.unwrap();
    let refused = node.put_config(in_context(".c"), level("FULL")).await;
    assert_eq!(text_of(refused), "Subject :.c: in context :.c: is in read-only mode");
}

/// The recording of `config-odd-subjects`.
#[tokio::test]
async fn settings_stand_on_odd_names_but_not_on_reserved_ones() {
    let node = node();
    for odd in ["with space", "a/b", "100%", ":x", ":*:", ":*:x"] {
        node.put_level(odd, "FULL").await;
        assert_eq!(level_at(&node, &subject(odd)).await, "FULL", "{odd}");
    }
    for bad in ["__GLOBAL", "__EMPTY", "a\nb", ":.__GLOBAL:x"] {
        assert!(matches!(node.put_config(subject(bad), level("FULL")).await, Err(Error::InvalidSubject(_))), "{bad}");
        assert!(matches!(node.put_mode(subject(bad), Mode::ReadOnly).await, Err(Error::InvalidSubject(_))), "{bad}");
    }
}

/// The recordings of `mode-global-main`, `mode-recursive` and `mode-bad`.
#[tokio::test]
async fn modes_are_set_cleared_and_deleted() {
    let node = node();
    let s = subject("s");
    assert!(matches!(mode(&node, &s, false).await, Err(Error::ModeNotFound(_))));
    assert_eq!(mode(&node, &top(), false).await.unwrap(), Mode::ReadWrite);
    node.put_mode(s.clone(), Mode::ReadOnly).await.unwrap();
    assert_eq!(mode(&node, &s, false).await.unwrap(), Mode::ReadOnly);
    node.registry.update_mode(&node.caller, &s, None, false).await.unwrap();
    assert!(matches!(mode(&node, &s, false).await, Err(Error::ModeNotFound(_))));
    let delete = |scope: Scope, recursive| {
        let node = node.clone();
        async move { node.registry.delete_mode(&node.caller, &scope, recursive).await }
    };
    assert!(matches!(delete(s.clone(), false).await, Err(Error::SubjectNotFound(_))));
    assert_eq!(delete(s, true).await.unwrap(), None);
    assert_eq!(delete(top(), false).await.unwrap(), Some(Mode::ReadWrite));
    node.put_mode(subject(":.c:a"), Mode::ReadOnly).await.unwrap();
    node.put_mode(subject(":.c:b"), Mode::ReadOnly).await.unwrap();
    assert!(matches!(delete(in_context(".c"), false).await, Err(Error::SubjectNotFound(_))));
    assert_eq!(mode(&node, &subject(":.c:a"), false).await.unwrap(), Mode::ReadOnly);
    node.put_mode(in_context(".c"), Mode::ReadOnlyOverride).await.unwrap();
    assert_eq!(delete(in_context(".c"), true).await.unwrap(), Some(Mode::ReadOnlyOverride));
    assert!(matches!(mode(&node, &subject(":.c:b"), false).await, Err(Error::ModeNotFound(_))));
    assert_eq!(delete(in_context(".c"), true).await.unwrap(), None);
    let refused = node.put_mode(top(), Mode::Forward).await;
    assert!(matches!(refused, Err(Error::InvalidMode(text)) if text == "Forward mode only supported on global level"));
}

#[tokio::test]
async fn a_subject_in_read_write_mode_is_written_inside_a_read_only_context() {
    let node = node();
    node.put_mode(in_context(".c"), Mode::ReadOnlyOverride).await.unwrap();
    let refused = node.register(":.c:s", proto(&fields(&["a"]))).await;
    assert_eq!(text_of(refused), "Subject :.c:s in context :.c: is in read-only mode");
    node.put_mode(subject(":.c:s"), Mode::ReadWrite).await.unwrap();
    node.given(":.c:s", &fields(&["a"])).await;
}

#[tokio::test]
async fn forward_mode_needs_ids_like_import() {
    let node = node();
    node.put_mode(Scope::AllContexts, Mode::Forward).await.unwrap();
    let refused = node.register("s", proto(&fields(&["a"]))).await;
    assert_eq!(text_of(refused), "Subject s in context  is not in read-write mode");
    let with_id = SchemaRequest { id: Some(77), ..proto(&fields(&["a"])) };
    assert_eq!(node.register(":.c:s", with_id).await.unwrap().id.0, 77);
}

/// The recordings of `mode-global-main` (step 14) and `empty-import-clears`.
#[tokio::test]
async fn import_needs_an_empty_scope_and_clears_what_is_soft_deleted() {
    let node = node();
    let id = node.given("s", &fields(&["a"])).await.id;
    let found = "Cannot import since found existing subjects";
    for scope in [subject("s"), top(), Scope::AllContexts] {
        assert_eq!(text_of(node.put_mode(scope, Mode::Import).await), found);
    }
    node.put_mode(in_context(".c"), Mode::Import).await.unwrap();
    node.soft("s").await.unwrap();
    node.put_mode(top(), Mode::Import).await.unwrap();
    assert!(matches!(node.all_versions("s").await, Err(Error::SubjectNotFound(_))));
    assert!(matches!(node.by_id(id, None).await, Err(Error::SchemaNotFound(_))));
    node.put_mode(top(), Mode::ReadWrite).await.unwrap();
    let again = node.given("s", &fields(&["a"])).await;
    assert!(again.id > id && again.version.0 == 1);
    node.registry.update_mode(&node.caller, &top(), Some(Mode::Import), true).await.unwrap();
    assert_eq!(node.versions("s").await.unwrap(), [1], "forced: nothing is cleared");
}

/// The top level looks at all contexts: its subject is none, which every subject matches. What is in IMPORT already may
/// stay there.
#[tokio::test]
async fn import_at_the_top_level_looks_at_every_context_and_is_entered_once() {
    let node = node();
    node.given(":.c:s", &fields(&["a"])).await;
    let found = "Cannot import since found existing subjects";
    assert_eq!(text_of(node.put_mode(top(), Mode::Import).await), found);
    node.put_mode(in_context(".other"), Mode::Import).await.unwrap();
    let imported = SchemaRequest { id: Some(7), ..proto(&fields(&["a"])) };
    node.register(":.other:s", imported).await.unwrap();
    node.put_mode(in_context(".other"), Mode::Import).await.unwrap();
    node.put_mode(subject(":.other:s"), Mode::Import).await.unwrap();
    node.put_mode(in_context(".other"), Mode::ReadWrite).await.unwrap();
    assert_eq!(text_of(node.put_mode(in_context(".other"), Mode::Import).await), found);
}

#[tokio::test]
async fn import_does_not_clear_what_is_referenced() {
    let node = node();
    node.given("dep", &fields(&["a"])).await;
    node.given_referrer("main", &using_m("Main"), reference("dep.proto", "dep", 1)).await;
    node.soft("main").await.unwrap();
    node.soft("dep").await.unwrap();
    let refused = node.put_mode(subject("dep"), Mode::Import).await;
    assert!(matches!(refused, Err(Error::ReferenceExists { .. })), "{refused:?}");
    assert!(matches!(mode(&node, &subject("dep"), false).await, Err(Error::ModeNotFound(_))));
    // Not even together with what refers to it, and then nothing of it.
    assert!(matches!(node.put_mode(top(), Mode::Import).await, Err(Error::ReferenceExists { .. })));
    for kept in ["dep", "main"] {
        assert_eq!(node.all_versions(kept).await.unwrap(), [1]);
    }
}

#[tokio::test]
async fn modes_do_not_change_where_that_is_switched_off() {
    let store = crate::memory::MemoryStore::new();
    let fixed = RegistryConfig { mode_mutability: false, ..crate::fixture::config() };
    let node = Node { registry: Registry::new(Arc::new(store.clone()), fixed), ..node_on(&store) };
    assert_eq!(text_of(node.put_mode(top(), Mode::ReadOnly).await), "Mode changes are not allowed");
    let deleted = node.registry.delete_mode(&node.caller, &top(), false).await;
    assert_eq!(text_of(deleted), "Mode changes are not allowed");
}

/// The recordings of `config-alias-main` and `config-alias-context`.
#[tokio::test]
async fn an_alias_stands_for_another_subject_one_hop_far() {
    let node = node();
    let alias = |at: &'static str, to: Option<&str>| {
        let update = ConfigUpdate { alias: Some(to.map(str::to_owned)), ..ConfigUpdate::default() };
        node.put_config(subject(at), update)
    };
    let resolve = |at: &'static str| {
        let node = node.clone();
        async move { node.registry.resolve_alias(&name(at)).await.unwrap().qualified() }
    };
    assert_eq!(resolve("nick").await, "nick");
    alias("nick", Some("real")).await.unwrap();
    alias("nick2", Some("nick")).await.unwrap();
    assert_eq!(resolve("nick").await, "real");
    assert_eq!(resolve("nick2").await, "nick");
    alias(":.c:nick", Some("real")).await.unwrap();
    assert_eq!(resolve(":.c:nick").await, ":.c:real");
    alias("away", Some(":.c:real")).await.unwrap();
    assert_eq!(resolve("away").await, ":.c:real");
    alias(":.c:nick2", Some(":.:top")).await.unwrap();
    assert_eq!(resolve(":.c:nick2").await, ":.c::.:top");
    let on_context = ConfigUpdate { alias: Some(Some("real".into())), ..ConfigUpdate::default() };
    node.put_config(in_context(".c"), on_context).await.unwrap();
    assert_eq!(resolve(":.c:anything").await, ":.c:anything");
    alias("nick", Some("")).await.unwrap();
    assert_eq!(resolve("nick").await, "nick");
    alias("nick2", None).await.unwrap();
    assert_eq!(resolve("nick2").await, "nick2");
}

#[tokio::test]
async fn a_declared_level_is_enforced_shown_and_not_changed_here() {
    let node = node();
    node.given("s", &fields(&["a"])).await;
    let declared = HashMap::from([(name("s"), (Level::None, "topics/s.yaml".to_owned()))]);
    node.registry.declare_levels(declared);
    assert_eq!(level_at(&node, &subject("s")).await, "NONE");
    assert_eq!(config(&node, &subject("s"), false).await.unwrap().compatibility_level.as_deref(), Some("NONE"));
    node.given("s", &breaking()).await;
    let refused = node.put_config(subject("s"), level("FULL")).await;
    let Err(Error::DeclaredElsewhere { setting: "compatibility", file, .. }) = refused else { panic!("{refused:?}") };
    assert_eq!(file, "topics/s.yaml");
    // What bends the level is not changed here either: with a group, versions are no longer compared with each other.
    for bends in [
        ConfigUpdate { compatibility_group: Some(Some("major".into())), ..ConfigUpdate::default() },
        ConfigUpdate { compatibility_policy: Some(Some("LOGICAL".into())), ..ConfigUpdate::default() },
    ] {
        let refused = node.put_config(subject("s"), bends).await;
        assert!(matches!(refused, Err(Error::DeclaredElsewhere { setting: "compatibility", .. })), "{refused:?}");
    }
    let refused = node.put_mode(subject("s"), Mode::ReadOnly).await;
    assert!(matches!(refused, Err(Error::DeclaredElsewhere { setting: "mode", .. })));
    let other = ConfigUpdate { normalize: Some(Some(true)), ..ConfigUpdate::default() };
    node.put_config(subject("s"), other).await.unwrap();
    node.registry.declare_levels(HashMap::new());
    assert_eq!(level_at(&node, &subject("s")).await, "BACKWARD");
}

#[tokio::test]
async fn invalid_rules_are_refused_and_valid_ones_kept() {
    let node = node();
    let rules = |json: serde_json::Value| -> RuleSet { serde_json::from_value(json).unwrap() };
    let bad = rules(serde_json::json!({"domainRules": [{"name": "bad name", "type": "CEL"}]}));
    let update = ConfigUpdate { default_rule_set: Some(Some(bad)), ..ConfigUpdate::default() };
    assert!(matches!(node.put_config(subject("s"), update).await, Err(Error::InvalidRuleSet(_))));
    let good = rules(serde_json::json!({"domainRules": [{"name": "a", "type": "CEL"}]}));
    let update = ConfigUpdate { default_rule_set: Some(Some(good)), ..ConfigUpdate::default() };
    node.put_config(subject("s"), update).await.unwrap();
    let entity = node.given("s", &fields(&["a"])).await;
    assert_eq!(entity.content.rule_set.as_ref().unwrap().domain_rules[0].name.as_deref(), Some("a"));
}

#[tokio::test]
async fn settings_need_their_own_right() {
    let node = node();
    let ann = only("ann");
    node.registry.update_config(&ann, &subject("ann-s"), level("FULL")).await.unwrap();
    for scope in [subject("bob"), top(), Scope::AllContexts] {
        assert!(matches!(node.registry.update_config(&ann, &scope, level("FULL")).await, Err(Error::Forbidden)));
        assert!(matches!(node.registry.update_mode(&ann, &scope, None, false).await, Err(Error::Forbidden)));
        assert!(matches!(node.registry.config(&ann, &scope, true).await, Err(Error::Forbidden)));
    }
}

#[tokio::test]
async fn writers_of_one_config_do_not_lose_each_others_parts() {
    let node = node();
    let writes = (0..16).map(|n: usize| {
        let node = node.clone();
        tokio::spawn(async move {
            let update = match n % 2 {
                0 => level("FULL"),
                _ => ConfigUpdate { normalize: Some(Some(true)), ..ConfigUpdate::default() },
            };
            node.put_config(subject("s"), update).await.unwrap();
        })
    });
    for write in writes.collect::<Vec<_>>() {
        write.await.unwrap();
    }
    let stored = config(&node, &subject("s"), false).await.unwrap();
    assert_eq!((stored.compatibility_level.as_deref(), stored.normalize), (Some("FULL"), Some(true)));
}
