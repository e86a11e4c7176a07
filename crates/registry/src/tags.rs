//! `POST /subjects/{s}/versions/{v}/tags`: a version with tags, metadata or rules changed becomes the next version.
//!
//! Always a new one: it is registered by number, and `confluent:version` makes it another content. The version is read
//! with the fall-back to other contexts, the result is registered under the name as it was given.
//!
//! Source: schema-registry `AbstractSchemaRegistry#modifySchemaTags`, 8.2.0; schema-registry.md §1.5 and the recordings
//! of `tags-endpoint`.

use std::sync::Arc;

use sluice_schema::{Format, Version};

use crate::contract;
use crate::load::Freshness;
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
        if !subject.is_valid() {
            return Err(Error::InvalidSubject(subject.qualified()));
        }
        let edited = self.find_version(caller, subject, version, Include::Live).await?;
        let edits_rules = request.rules_to_merge.is_some() || !request.rules_to_remove.is_empty();
        if request.rule_set.is_some() && edits_rules {
            let text = "ruleSet should be omitted if specifying rulesToMerge or rulesToRemove";
            return Err(Error::InvalidRuleSet(text.to_owned()));
        }
        for rules in [&request.rules_to_merge, &request.rule_set].into_iter().flatten() {
            contract::validate_rules(rules).map_err(Error::InvalidRuleSet)?;
        }
        let content = &edited.content;
        // Rules follow the version before the new one, whichever version is edited; so they do when none are named.
        let rule_set = if edits_rules {
            let before = self.rules_before(subject, request.new_version).await?;
            let merged = contract::merge_rule_sets(before.as_deref(), request.rules_to_merge.as_ref());
            // A set that was emptied is kept empty: without one, the latest version's would be taken.
            Some(contract::remove_rules(merged.unwrap_or_default(), &request.rules_to_remove))
        } else {
            request.rule_set
        };
        let next = request.new_version.filter(|version| *version != 0).unwrap_or(-1);
        let register = SchemaRequest {
            schema: Some(content.text.to_string()),
            schema_type: Some(content.schema_type.wire().to_owned()),
            references: content.references.iter().cloned().map(Into::into).collect(),
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

    /// The rules of the version before this one; of the latest if there is no number.
    async fn rules_before(
        &self,
        subject: &SubjectName,
        new_version: Option<i32>,
    ) -> Result<Option<Arc<RuleSet>>, Error> {
        let before = new_version.and_then(|version| version.checked_sub(1)).filter(|version| *version > 0);
        let current = self.load_subject(subject, Freshness::Fresh).await?;
        let row = match before {
            Some(number) => current.version(Version(number)).filter(|row| !row.deleted),
            None => current.latest(),
        };
        match row {
            Some(row) => Ok(self.content_of(subject, row).await?.rule_set.clone()),
            None => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests;
