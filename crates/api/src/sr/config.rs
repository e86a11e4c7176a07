//! Config entities: the same fields, the level under another name when it was just written.

use serde::Serialize;
use sluice_registry::{Config, Metadata, RuleSet};

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

/// What PUT answers: `compatibility` instead of `compatibilityLevel`, empty texts as they were sent, but for
/// an alias.
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

impl From<Config> for UpdatedConfig {
    fn from(config: Config) -> UpdatedConfig {
        UpdatedConfig {
            alias: config.alias.filter(|alias| !alias.is_empty()),
            alias_for_deks: config.alias_for_deks,
            normalize: config.normalize,
            validate_fields: config.validate_fields,
            validate_new_schemas: config.validate_new_schemas,
            validate_rules: config.validate_rules,
            compatibility: config.compatibility_level,
            compatibility_policy: config.compatibility_policy,
            compatibility_group: config.compatibility_group,
            default_metadata: config.default_metadata,
            override_metadata: config.override_metadata,
            default_rule_set: config.default_rule_set,
            override_rule_set: config.override_rule_set,
        }
    }
}
