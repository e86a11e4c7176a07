//! `POST /subjects/{s}/versions/{v}/tags`: a version with tags, metadata or rules changed becomes the next version.
//!
//! Always a new one: it is registered by number, and `confluent:version` makes it another content. The version is read
//! with the fall-back to other contexts, the result is registered under the name as it was given.
//!
//! Source: schema-registry `AbstractSchemaRegistry#modifySchemaTags`, 8.2.0; schema-registry.md §1.5 and the recordings
//! of `tags-endpoint`.

use sluice_schema::Format;

use crate::contract;
use crate::register::Made;
use crate::*;

impl Registry {
    /// `POST /subjects/{s}/versions/{v}/tags`
    pub async fn modify_tags(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        version: VersionSpec,
        request: TagRequest,
        format: Format,
    ) -> Result<SchemaEntity, Error> {
        caller.check(Action::Write, &Resource::Subject(subject))?;
        let edits_rules = request.rules_to_merge.is_some() || !request.rules_to_remove.is_empty();
        if request.rule_set.is_some() && edits_rules {
            let text = "ruleSet should be omitted if specifying rulesToMerge or rulesToRemove";
            return Err(Error::InvalidRuleSet(text.to_owned()));
        }
        for rules in [&request.rule_set, &request.rules_to_merge].into_iter().flatten() {
            contract::validate_rules(rules).map_err(Error::InvalidRuleSet)?;
        }
        let edited = self.find_version(caller, subject, version, Include::Live).await?;
        let content = &edited.content;
        let rule_set = if edits_rules {
            let merged = contract::merge_rule_sets(content.rule_set.as_deref(), request.rules_to_merge.as_ref());
            // A set that was emptied is kept empty: without one, the latest version's would be taken.
            Some(contract::remove_rules(merged.unwrap_or_default(), &request.rules_to_remove))
        } else {
            request.rule_set.or_else(|| content.rule_set.as_deref().cloned())
        };
        let next = request.new_version.filter(|version| *version != 0).unwrap_or(-1);
        let register = SchemaRequest {
            schema: Some(content.text.to_string()),
            schema_type: Some(content.schema_type.wire().to_owned()),
            references: content.references.to_vec(),
            metadata: request.metadata.or_else(|| content.metadata.as_deref().cloned()),
            rule_set,
            version: Some(next),
            id: None,
            tags: request.tags,
            propagate_schema_tags: false,
        };
        let options = RegisterOptions { normalize: Normalize::No, force: false, format };
        self.register_made(caller, subject, register, options, Made::ByEditing).await
    }
}

#[cfg(test)]
mod tests;
