//! Config entities: the same fields, the level under another name when it was just written.

use serde::Serialize;
use sluice_registry::{Config, ConfigUpdate, Metadata, RuleSet};

/// What GET and DELETE show: empty texts are left out.
pub(super) fn shown(config: Config) -> Config {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    Config {
        alias: filled(config.alias),
        alias_for_deks: filled(config.alias_for_deks),
        compatibility_group: filled(config.compatibility_group),
        ..config
    }
}

/// What PUT answers: `compatibility` instead of `compatibilityLevel`; of empty texts those that this request wrote.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct UpdatedConfig {
    #[serde(skip_serializing_if = "Option::is_none")]
    alias: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alias_for_deks: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    normalize: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validate_fields: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validate_new_schemas: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    validate_rules: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compatibility: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compatibility_policy: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    compatibility_group: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_metadata: Option<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    override_metadata: Option<Metadata>,
    #[serde(skip_serializing_if = "Option::is_none")]
    default_rule_set: Option<RuleSet>,
    #[serde(skip_serializing_if = "Option::is_none")]
    override_rule_set: Option<RuleSet>,
}

/// The empty texts of an update, which are answered once and then count as absent.
pub(super) struct Emptied {
    alias: bool,
    alias_for_deks: bool,
    compatibility_group: bool,
}

impl From<&ConfigUpdate> for Emptied {
    fn from(update: &ConfigUpdate) -> Emptied {
        let empty = |text: &Option<Option<String>>| matches!(text, Some(Some(text)) if text.is_empty());
        Emptied {
            alias: empty(&update.alias),
            alias_for_deks: empty(&update.alias_for_deks),
            compatibility_group: empty(&update.compatibility_group),
        }
    }
}

impl UpdatedConfig {
    /// The answer to an update that emptied these texts and left this config behind.
    pub(super) fn new(config: Config, emptied: &Emptied) -> UpdatedConfig {
        let config = shown(config);
        let echo = |text: Option<String>, emptied: bool| text.or(emptied.then(String::new));
        UpdatedConfig {
            alias: echo(config.alias, emptied.alias),
            alias_for_deks: echo(config.alias_for_deks, emptied.alias_for_deks),
            normalize: config.normalize,
            validate_fields: config.validate_fields,
            validate_new_schemas: config.validate_new_schemas,
            validate_rules: config.validate_rules,
            compatibility: config.compatibility_level,
            compatibility_policy: config.compatibility_policy,
            compatibility_group: echo(config.compatibility_group, emptied.compatibility_group),
            default_metadata: config.default_metadata,
            override_metadata: config.override_metadata,
            default_rule_set: config.default_rule_set,
            override_rule_set: config.override_rule_set,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_text_is_answered_by_the_request_that_wrote_it_and_by_no_other() {
        let stored = Config { alias: Some(String::new()), normalize: Some(true), ..Config::default() };
        let json = |update: &ConfigUpdate| {
            serde_json::to_string(&UpdatedConfig::new(stored.clone(), &Emptied::from(update))).unwrap()
        };
        let alias = ConfigUpdate { alias: Some(Some(String::new())), ..ConfigUpdate::default() };
        assert_eq!(json(&alias), r#"{"alias":"","normalize":true}"#);
        assert_eq!(json(&ConfigUpdate::default()), r#"{"normalize":true}"#);
    }
}
