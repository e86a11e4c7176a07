//! Data contracts: metadata and rule sets, merged, hashed and validated.
//!
//! Pure. Configs add defaults and overrides; the version before lends what a request leaves out; `confluent:version`
//! follows the number of the version. Rule sets are kept (the community server throws them away).
//!
//! Source: schema-registry `client/rest/entities/{Metadata,RuleSet,Rule}`, 8.2.0; schema-registry.md §2.1, §2.11.

use std::collections::BTreeSet;

use sluice_schema::{Fingerprint, Guid, Reference, Version};

use crate::{Config, Metadata, Rule, RuleSet, SchemaRequest};

/// Property that holds the number of the version, once a version was asked for by number.
pub(crate) const VERSION_PROPERTY: &str = "confluent:version";
/// Property that lists reserved field names, separated by commas.
const RESERVED_PROPERTY: &str = "confluent:reserved";

/// The hash of a content: GUID, and key of deduplication inside a context.
pub(crate) fn guid(
    text: &str,
    references: &[Reference],
    metadata: Option<&Metadata>,
    rule_set: Option<&RuleSet>,
) -> Guid {
    Prefix::new(text, references).guid(metadata, rule_set)
}

/// The hash of a request as it was sent; what is missing is left out of it.
pub(crate) fn guid_of_request(request: &SchemaRequest) -> Guid {
    let mut hash = Fingerprint::new();
    hash.text(request.schema.as_deref().unwrap_or_default());
    for reference in &request.references {
        hash.str(reference.name.as_deref().unwrap_or_default()).str(reference.subject.as_deref().unwrap_or_default());
        let version = reference.version.map(i32::to_be_bytes);
        version.iter().flatten().for_each(|byte| _ = hash.byte(*byte));
    }
    Prefix(hash).guid(request.metadata.as_ref(), request.rule_set.as_ref())
}

/// The hash of text and references, to be finished with different contracts.
#[derive(Debug, Clone)]
pub(crate) struct Prefix(Fingerprint);

impl Prefix {
    pub(crate) fn new(text: &str, references: &[Reference]) -> Prefix {
        let mut hash = Fingerprint::new();
        hash.text(text);
        for reference in references {
            hash.reference(reference);
        }
        Prefix(hash)
    }

    pub(crate) fn guid(&self, metadata: Option<&Metadata>, rule_set: Option<&RuleSet>) -> Guid {
        let mut hash = self.0.clone();
        if let Some(metadata) = metadata {
            hash.byte(1);
            for (path, tags) in &metadata.tags {
                hash.str(path);
                tags.iter().for_each(|tag| _ = hash.str(tag));
            }
            for (key, value) in &metadata.properties {
                hash.str(key).str(value);
            }
            metadata.sensitive.iter().for_each(|name| _ = hash.str(name));
        }
        if let Some(rule_set) = rule_set {
            hash.byte(1);
            let lists = [&rule_set.migration_rules, &rule_set.domain_rules, &rule_set.encoding_rules];
            lists.into_iter().flatten().for_each(|rule| feed_rule(&mut hash, rule));
            if let Some(enable_at) = &rule_set.enable_at {
                hash.str(enable_at);
            }
        }
        hash.finish()
    }
}

fn feed_rule(hash: &mut Fingerprint, rule: &Rule) {
    let mut feed = |part: &Option<String>| {
        if let Some(part) = part {
            hash.str(part);
        }
    };
    [&rule.name, &rule.doc, &rule.kind, &rule.mode, &rule.type_].into_iter().for_each(&mut feed);
    rule.tags.iter().for_each(|tag| _ = hash.str(tag));
    rule.params.iter().for_each(|(key, value)| _ = hash.str(key).str(value));
    for part in [&rule.expr, &rule.on_success, &rule.on_failure].into_iter().flatten() {
        hash.str(part);
    }
    if rule.disabled {
        hash.byte(1);
    }
}

/// `newer` over `older`: maps by key, sensitive names united.
pub(crate) fn merge_metadata(older: Option<&Metadata>, newer: Option<&Metadata>) -> Option<Metadata> {
    match (older, newer) {
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (Some(older), Some(newer)) => {
            let mut merged = older.clone();
            merged.tags.extend(newer.tags.clone());
            merged.properties.extend(newer.properties.clone());
            merged.sensitive.extend(newer.sensitive.iter().cloned());
            Some(merged)
        }
    }
}

/// `newer` over `older`: a rule replaces the one of its name and moves to the end.
pub(crate) fn merge_rule_sets(older: Option<&RuleSet>, newer: Option<&RuleSet>) -> Option<RuleSet> {
    fn merge(older: &[Rule], newer: &[Rule]) -> Vec<Rule> {
        let names: BTreeSet<&Option<String>> = newer.iter().map(|rule| &rule.name).collect();
        older.iter().filter(|rule| !names.contains(&rule.name)).chain(newer).cloned().collect()
    }
    match (older, newer) {
        (None, None) => None,
        (Some(one), None) | (None, Some(one)) => Some(one.clone()),
        (Some(older), Some(newer)) => Some(RuleSet {
            migration_rules: merge(&older.migration_rules, &newer.migration_rules),
            domain_rules: merge(&older.domain_rules, &newer.domain_rules),
            encoding_rules: merge(&older.encoding_rules, &newer.encoding_rules),
            enable_at: newer.enable_at.clone().or_else(|| older.enable_at.clone()),
        }),
    }
}

/// The set without the rules of these names.
pub(crate) fn remove_rules(rule_set: RuleSet, names: &[String]) -> RuleSet {
    let keep = |rules: Vec<Rule>| -> Vec<Rule> {
        let named = |rule: &Rule| rule.name.as_ref().is_some_and(|name| names.contains(name));
        rules.into_iter().filter(|rule| !named(rule)).collect()
    };
    RuleSet {
        migration_rules: keep(rule_set.migration_rules),
        domain_rules: keep(rule_set.domain_rules),
        encoding_rules: keep(rule_set.encoding_rules),
        enable_at: rule_set.enable_at,
    }
}

/// Metadata and rules of a schema.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Contract {
    pub(crate) metadata: Option<Metadata>,
    pub(crate) rule_set: Option<RuleSet>,
}

/// What a request asks for by itself.
pub(crate) fn asked(request: &SchemaRequest) -> Contract {
    Contract { metadata: request.metadata.clone(), rule_set: request.rule_set.clone().and_then(kept_rules) }
}

/// Whether a config changes contracts at all; if so, a text alone does not say what is registered.
pub(crate) fn has_defaults_or_overrides(config: &Config) -> bool {
    config.default_metadata.is_some()
        || config.override_metadata.is_some()
        || config.default_rule_set.is_some()
        || config.override_rule_set.is_some()
}

/// What the schema will carry: the config's defaults, under the request's (else the previous version's), under the
/// config's overrides.
pub(crate) fn populate(
    config: &Config,
    requested: (Option<&Metadata>, Option<&RuleSet>),
    previous: Option<(Option<&Metadata>, Option<&RuleSet>)>,
) -> Contract {
    let (old_metadata, old_rules) = previous.unwrap_or_default();
    let metadata = merge_metadata(config.default_metadata.as_ref(), requested.0.or(old_metadata));
    let rules = merge_rule_sets(config.default_rule_set.as_ref(), requested.1.or(old_rules));
    Contract {
        metadata: merge_metadata(metadata.as_ref(), config.override_metadata.as_ref()),
        rule_set: merge_rule_sets(rules.as_ref(), config.override_rule_set.as_ref()),
    }
}

/// `confluent:version` of a metadata.
pub(crate) fn version_property(metadata: Option<&Metadata>) -> Option<&str> {
    metadata?.properties.get(VERSION_PROPERTY).map(String::as_str)
}

/// The metadata with `confluent:version` set to a number.
pub(crate) fn with_version_property(metadata: Option<&Metadata>, version: Version) -> Metadata {
    let mut metadata = metadata.cloned().unwrap_or_default();
    metadata.properties.insert(VERSION_PROPERTY.to_owned(), version.to_string());
    metadata
}

/// The metadata without `confluent:version`.
pub(crate) fn without_version_property(metadata: Option<&Metadata>) -> Option<Metadata> {
    let mut metadata = metadata?.clone();
    metadata.properties.remove(VERSION_PROPERTY);
    Some(metadata)
}

/// The set as it is kept: kinds and modes that were left out are filled in; a set of nothing is none.
pub(crate) fn kept_rules(mut rule_set: RuleSet) -> Option<RuleSet> {
    let lists = [&mut rule_set.migration_rules, &mut rule_set.domain_rules, &mut rule_set.encoding_rules];
    for rule in lists.into_iter().flatten() {
        rule.kind.get_or_insert_with(|| "TRANSFORM".to_owned());
        rule.mode.get_or_insert_with(|| "WRITEREAD".to_owned());
    }
    (rule_set != RuleSet::default()).then_some(rule_set)
}

/// Names that the metadata reserves, sorted.
pub(crate) fn reserved_fields(metadata: Option<&Metadata>) -> BTreeSet<&str> {
    let list = metadata.and_then(|metadata| metadata.properties.get(RESERVED_PROPERTY));
    list.iter().flat_map(|list| list.split(',')).map(str::trim).filter(|name| !name.is_empty()).collect()
}

/// Checks a rule set; the text says what is wrong.
pub(crate) fn validate_rules(rule_set: &RuleSet) -> Result<(), String> {
    const MIGRATION: &[&str] = &["UPGRADE", "DOWNGRADE", "UPDOWN"];
    const DOMAIN: &[&str] = &["WRITE", "READ", "WRITEREAD"];
    let lists = [
        (&rule_set.migration_rules, MIGRATION, "Migration rules can only be UPGRADE, DOWNGRADE, UPDOWN"),
        (&rule_set.domain_rules, DOMAIN, "Domain rules can only be WRITE, READ, WRITEREAD"),
        (&rule_set.encoding_rules, DOMAIN, "Encoding rules can only be WRITE, READ, WRITEREAD"),
    ];
    for (rules, modes, refusal) in lists {
        let mut names = BTreeSet::new();
        for rule in rules {
            let name = rule.name.as_deref();
            if !names.insert(name) {
                return Err(format!("Found rule with duplicate name '{}'", name.unwrap_or("null")));
            }
            validate_rule(rule)?;
            if !modes.contains(&mode_of(rule)) {
                return Err(refusal.to_owned());
            }
        }
    }
    Ok(())
}

const LONGEST_NAME: usize = 256;

fn mode_of(rule: &Rule) -> &str {
    rule.mode.as_deref().unwrap_or("WRITEREAD")
}

fn validate_rule(rule: &Rule) -> Result<(), String> {
    let name = rule.name.as_deref().ok_or("Missing rule name")?;
    if name.is_empty() {
        return Err("Empty rule name".to_owned());
    }
    if name.chars().count() > LONGEST_NAME {
        return Err("Rule name too long".to_owned());
    }
    let mut characters = name.chars();
    if !characters.next().is_some_and(|first| first.is_alphabetic() || first == '_') {
        return Err(format!("Illegal initial character in rule name: {name}"));
    }
    if !characters.all(|c| c.is_alphanumeric() || c == '_' || c == '-') {
        return Err(format!("Illegal character in rule name: {name}"));
    }
    if rule.type_.as_deref().is_none_or(str::is_empty) {
        return Err("Missing rule type".to_owned());
    }
    for (which, actions) in [("onSuccess", &rule.on_success), ("onFailure", &rule.on_failure)] {
        let Some(actions) = actions else { continue };
        let count = actions.split(',').count();
        if count > 2 {
            return Err(format!("More than two actions in {which}: {actions}"));
        }
        if count == 2 && !matches!(mode_of(rule), "WRITEREAD" | "UPDOWN") {
            return Err(format!("Multiple {which} actions can only be specified with WRITEREAD and UPDOWN"));
        }
    }
    Ok(())
}

/// Metadata in the notation of the reference's messages.
pub(crate) fn print_metadata(metadata: &Metadata) -> String {
    let tags = metadata.tags.iter().map(|(path, tags)| format!("{path}=[{}]", joined(tags)));
    let properties = metadata.properties.iter().map(|(key, value)| format!("{key}={value}"));
    format!(
        "Metadata{{tags={{{}}}, properties={{{}}}, sensitive=[{}]}}",
        tags.collect::<Vec<_>>().join(", "),
        properties.collect::<Vec<_>>().join(", "),
        joined(&metadata.sensitive),
    )
}

/// Names of the rules, list by list.
pub(crate) fn print_rules(rules: &RuleSet) -> String {
    let names = |rules: &[Rule]| {
        let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_deref().unwrap_or("null")).collect();
        names.join(", ")
    };
    format!(
        "Rules{{migrationRules=[{}], domainRules=[{}], encodingRules=[{}]}}",
        names(&rules.migration_rules),
        names(&rules.domain_rules),
        names(&rules.encoding_rules),
    )
}

fn joined(words: &BTreeSet<String>) -> String {
    words.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests;
