use super::*;

fn properties(pairs: &[(&str, &str)]) -> Metadata {
    let properties = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
    Metadata { properties, ..Metadata::default() }
}

fn rule(name: &str, mode: &str) -> Rule {
    Rule {
        name: Some(name.into()),
        doc: None,
        kind: Some("CONDITION".into()),
        mode: Some(mode.into()),
        type_: Some("CEL".into()),
        tags: BTreeSet::new(),
        params: Default::default(),
        expr: None,
        on_success: None,
        on_failure: None,
        disabled: false,
    }
}

fn domain(rules: &[Rule]) -> RuleSet {
    RuleSet { domain_rules: rules.to_vec(), ..RuleSet::default() }
}

/// From the recordings of `core-version-field` (step 2) and `canon-protobuf-01`.
#[test]
fn the_guid_covers_metadata_behind_a_marker_byte() {
    let text = r#"{"type":"record","name":"V","namespace":"corpus.core_version_field","fields":[{"name":"f0","type":"int","default":0}]}"#;
    let metadata = properties(&[("confluent:version", "1")]);
    assert_eq!(guid(text, &[], Some(&metadata), None).to_string(), "dbb1882f-02f5-270f-1692-4506819c29fb");
    let plain = "syntax = \"proto3\";\npackage corpus.cp_plain;\n\nmessage M {\n  string a = 1;\n}\n";
    assert_eq!(guid(plain, &[], None, None).to_string(), "2d6064ba-ab9d-a501-1068-9d3407fa8a3a");
}

/// From the recording of `config-default-metadata` (step 6): tags, then properties, then sensitive names.
#[test]
fn the_guid_feeds_tags_properties_and_sensitive_names_in_this_order() {
    let text = r#"{"type":"record","name":"M","namespace":"corpus.config_default_metadata","fields":[{"name":"a","type":"int"},{"name":"b","type":"int","default":0}]}"#;
    let mut metadata = properties(&[("cost", "req"), ("extra", "req"), ("team", "o")]);
    metadata.tags.insert("M.a".into(), ["R".to_owned()].into());
    metadata.tags.insert("M.b".into(), ["R".to_owned()].into());
    metadata.sensitive.insert("extra".into());
    assert_eq!(guid(text, &[], Some(&metadata), None).to_string(), "502c1b19-e7f4-35a9-2950-5609bfa622a8");
}

#[test]
fn present_but_empty_metadata_is_another_content_than_none() {
    assert_ne!(guid("t", &[], Some(&Metadata::default()), None), guid("t", &[], None, None));
}

#[test]
fn contents_without_separators_collide_as_in_the_reference() {
    let tags = Metadata { tags: [("a".to_owned(), ["1".to_owned()].into())].into(), ..Metadata::default() };
    assert_eq!(guid("t", &[], Some(&tags), None), guid("t", &[], Some(&properties(&[("a", "1")])), None));
}

#[test]
fn rules_are_part_of_the_guid_and_so_is_where_they_run() {
    let plain = guid("t", &[], None, None);
    let with_rule = guid("t", &[], None, Some(&domain(&[rule("a", "WRITE")])));
    let disabled = Rule { disabled: true, ..rule("a", "WRITE") };
    let switched_off = guid("t", &[], None, Some(&domain(&[disabled])));
    let at = RuleSet { enable_at: Some("ALL".into()), ..RuleSet::default() };
    let distinct: BTreeSet<Guid> = [plain, with_rule, switched_off, guid("t", &[], None, Some(&at))].into();
    assert_eq!(distinct.len(), 4);
}

#[test]
fn newer_metadata_wins_by_key_and_sensitive_names_are_united() {
    let mut older = properties(&[("a", "1"), ("b", "1")]);
    older.sensitive.insert("a".into());
    older.tags.insert("M.a".into(), ["D".to_owned()].into());
    let mut newer = properties(&[("b", "2")]);
    newer.sensitive.insert("b".into());
    newer.tags.insert("M.a".into(), ["R".to_owned()].into());
    let merged = merge_metadata(Some(&older), Some(&newer)).unwrap();
    assert_eq!(merged.properties, properties(&[("a", "1"), ("b", "2")]).properties);
    assert_eq!(merged.sensitive, ["a".to_owned(), "b".to_owned()].into());
    assert_eq!(merged.tags["M.a"], ["R".to_owned()].into());
}

#[test]
fn a_newer_rule_replaces_the_one_of_its_name_and_moves_to_the_end() {
    let older = domain(&[rule("a", "WRITE"), rule("b", "WRITE")]);
    let newer = domain(&[rule("a", "READ")]);
    let merged = merge_rule_sets(Some(&older), Some(&newer)).unwrap();
    assert_eq!(merged.domain_rules, [rule("b", "WRITE"), rule("a", "READ")]);
    assert_eq!(remove_rules(merged, &["b".to_owned()]).domain_rules, [rule("a", "READ")]);
}

#[test]
fn the_request_hides_the_previous_version_and_stands_between_defaults_and_overrides() {
    let config = Config {
        default_metadata: Some(properties(&[("team", "d"), ("cost", "d")])),
        override_metadata: Some(properties(&[("team", "o")])),
        ..Config::default()
    };
    let previous = properties(&[("cost", "previous"), ("old", "1")]);
    let requested = properties(&[("cost", "req")]);
    let with_request = populate(&config, (Some(&requested), None), Some((Some(&previous), None)));
    assert_eq!(with_request.metadata, Some(properties(&[("cost", "req"), ("team", "o")])));
    let without = populate(&config, (None, None), Some((Some(&previous), None)));
    assert_eq!(without.metadata, Some(properties(&[("cost", "previous"), ("old", "1"), ("team", "o")])));
    assert_eq!(populate(&Config::default(), (None, None), None), Contract::default());
}

#[test]
fn the_version_property_is_set_and_taken_out() {
    let owned = properties(&[("owner", "x")]);
    let numbered = with_version_property(Some(&owned), Version(3));
    assert_eq!(numbered, properties(&[("confluent:version", "3"), ("owner", "x")]));
    assert_eq!(version_property(Some(&numbered)), Some("3"));
    assert_eq!(without_version_property(Some(&numbered)), Some(owned));
    assert_eq!(with_version_property(None, Version(1)), properties(&[("confluent:version", "1")]));
    assert_eq!(without_version_property(None), None);
}

#[test]
fn kept_rules_have_kind_and_mode_and_nothing_is_no_rule_set() {
    let bare = Rule { kind: None, mode: None, ..rule("a", "WRITE") };
    let kept = kept_rules(domain(&[bare])).unwrap();
    assert_eq!(kept.domain_rules[0].kind.as_deref(), Some("TRANSFORM"));
    assert_eq!(kept.domain_rules[0].mode.as_deref(), Some("WRITEREAD"));
    assert_eq!(kept_rules(RuleSet::default()), None);
}

#[test]
fn reserved_names_are_a_comma_list_with_blanks() {
    let metadata = properties(&[("confluent:reserved", " b, a,,c ")]);
    assert_eq!(reserved_fields(Some(&metadata)), ["a", "b", "c"].into());
    assert!(reserved_fields(None).is_empty());
}

/// The scenarios of `rules-invalid`, which the community server drops before it looks.
#[test]
fn rules_are_validated_as_the_reference_would() {
    let refused = |rule_set: RuleSet| validate_rules(&rule_set).unwrap_err();
    assert_eq!(refused(domain(&[rule("bad name", "WRITE")])), "Illegal character in rule name: bad name");
    assert_eq!(refused(domain(&[rule("9x", "WRITE")])), "Illegal initial character in rule name: 9x");
    assert_eq!(refused(domain(&[rule("", "WRITE")])), "Empty rule name");
    assert_eq!(refused(domain(&[rule(&"x".repeat(257), "WRITE")])), "Rule name too long");
    assert_eq!(refused(domain(&[rule("a", "WRITE"), rule("a", "READ")])), "Found rule with duplicate name 'a'");
    assert_eq!(refused(domain(&[Rule { type_: None, ..rule("a", "WRITE") }])), "Missing rule type");
    assert_eq!(refused(domain(&[rule("a", "UPGRADE")])), "Domain rules can only be WRITE, READ, WRITEREAD");
    let migration = RuleSet { migration_rules: vec![rule("a", "WRITE")], ..RuleSet::default() };
    assert_eq!(refused(migration), "Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN");
    let pair = |mode: &str| Rule { on_failure: Some("A,B".into()), ..rule("a", mode) };
    assert!(validate_rules(&domain(&[pair("WRITE")])).is_err());
    assert!(validate_rules(&domain(&[pair("WRITEREAD")])).is_ok());
    assert!(validate_rules(&domain(&[Rule { on_failure: Some("A,B,C".into()), ..rule("a", "WRITEREAD") }])).is_err());
    assert!(validate_rules(&domain(&[rule("_ok-1", "WRITE"), Rule { mode: None, ..rule("é", "READ") }])).is_ok());
}
