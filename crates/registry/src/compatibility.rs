//! May this schema follow those? The check of a registration, and the endpoint that only asks.
//!
//! Here is decided *which* versions take part: live ones, of one compatibility group, one or all by level. The comparing
//! itself is [`sluice_schema::compat`], pure. An incompatibility is a value until a use case must refuse.
//!
//! Source: schema-registry `AbstractSchemaRegistry#isCompatibleWithPrevious`, 8.2.0; schema-registry.md §1.7, §2.7.

use std::sync::Arc;

use sluice_schema::compat::{self, Incompatible, Policy, Prior};
use sluice_schema::{Level, Schema, ValidateFields};

use crate::candidate::{Candidate, Reader, Reading, unread};
use crate::contract;
use crate::load::{Freshness, InScope, Subject};
use crate::register::{validate_fields, validation};
use crate::store::{RequireLive, VersionRow};
use crate::*;

/// How much heavier a comparison is than reading texts of that size: alternatives are compared each with each, so a few
/// KiB can take what other work takes for a hundred.
const COMPARISON_WEIGHT: usize = 8;

impl Registry {
    /// `POST /compatibility/…`: against one version, or as a registration would check.
    pub async fn check_compatibility(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        version: Option<VersionSpec>,
        request: SchemaRequest,
        normalize: Normalize,
    ) -> Result<CompatibilityReport, Error> {
        caller.check(Action::Read, &Resource::Subject(subject))?;
        let mut reader = Reader::default();
        let mut how = Freshness::Checked;
        loop {
            let checked = self.check_request(caller, subject, version, &request, normalize, &mut reader, how).await;
            match checked {
                // A no that rests on cached state is asked again.
                Ok(Some(_)) | Err(Error::VersionNotFound { .. }) if how != Freshness::Fresh => how = Freshness::Fresh,
                Ok(None) => return Ok(CompatibilityReport { is_compatible: true, ..CompatibilityReport::default() }),
                Ok(Some(Error::Incompatible { details, .. })) => {
                    let messages = details.messages();
                    return Ok(CompatibilityReport { is_compatible: false, messages, hint: details.hint });
                }
                Ok(Some(Error::IncompatibleMessages { messages, .. })) => {
                    return Ok(CompatibilityReport { messages, ..CompatibilityReport::default() });
                }
                Ok(Some(error)) | Err(error) => return Err(error),
            }
        }
    }

    #[allow(clippy::too_many_arguments)] // one call, split off to be repeated
    async fn check_request(
        &self,
        caller: &Caller,
        subject: &SubjectName,
        version: Option<VersionSpec>,
        request: &SchemaRequest,
        normalize: Normalize,
        reader: &mut Reader,
        how: Freshness,
    ) -> Result<Option<Error>, Error> {
        let scope = self.in_scope(subject, how).await?;
        let current = self.load_subject(subject, how).await?;
        let priors: Vec<VersionRow> = match version {
            None => current.live().cloned().collect(),
            Some(VersionSpec::Latest) => current.latest().cloned().into_iter().collect(),
            Some(VersionSpec::Number(number)) => {
                let row = current.live().find(|row| row.version.0 == number);
                let missing = || Error::VersionNotFound { subject: subject.clone(), version: number };
                vec![row.cloned().ok_or_else(missing)?]
            }
        };
        let normalizes = normalize == Normalize::Yes || scope.config.normalize == Some(true);
        let importing = matches!(scope.mode, Mode::Import | Mode::Forward);
        let reading = Reading {
            normalize: if normalizes && !importing { Normalize::Yes } else { Normalize::No },
            validate: if importing { None } else { validation(&scope, request) },
            live: RequireLive::No,
        };
        let candidate = reader.read(self, caller, subject, request, reading).await?;
        let candidate = candidate.ok_or_else(|| Error::InvalidRequestSchema("Empty schema".to_owned()))?;
        let live = self.live_references(&current, &candidate, &contract::asked(request)).await;
        live.map_err(|error| unread(subject, request, candidate.schema_type, error))?;
        self.check_level(&current.name, &scope, &candidate, request.metadata.as_ref(), &priors).await
    }

    /// Why `candidate` may not follow `priors` (live, oldest first), or `None` if it may.
    pub(crate) async fn check_level(
        &self,
        subject: &SubjectName,
        scope: &InScope,
        candidate: &Candidate,
        metadata: Option<&Metadata>,
        priors: &[VersionRow],
    ) -> Result<Option<Error>, Error> {
        let level = scope.level;
        let checks_fields = validate_fields(scope) == ValidateFields::Yes;
        let policy = scope.config.compatibility_policy.as_deref().map_or(Policy::Strict, Policy::from_wire);
        if level == Level::None && !checks_fields && policy != Policy::Logical {
            return Ok(None);
        }
        let group = scope.config.compatibility_group.as_deref().filter(|group| !group.is_empty());
        let group_of = |metadata: Option<&Metadata>| -> Option<String> {
            group.and_then(|property| metadata?.properties.get(property).cloned())
        };
        let wanted = group_of(metadata);
        let most = if level.is_transitive() { priors.len() } else { 1 };
        let mut compared: Vec<(Prior, Arc<Content>)> = Vec::new();
        for row in priors.iter().rev() {
            if compared.len() == most {
                break;
            }
            let content = self.content_of(subject, row).await?;
            if group.is_some() && group_of(content.metadata.as_deref()) != wanted {
                continue;
            }
            let schema = self.load_schema(subject.context(), row.id, &content).await?;
            compared.push((Prior { version: row.version, schema }, content));
        }
        compared.reverse();

        let reserved = match priors.last() {
            _ if !checks_fields => Vec::new(),
            None => reserved_fields(candidate.schema(), metadata, None),
            // Of whichever group.
            Some(latest) => {
                let latest = self.content_of(subject, latest).await?;
                reserved_fields(candidate.schema(), metadata, latest.metadata.as_deref())
            }
        };
        let priors: Vec<Prior> = compared.into_iter().map(|(prior, _)| prior).collect();
        let weigh = |schema: &Schema| schema.canonical_text().len();
        let size = weigh(candidate.schema()) + priors.iter().map(|prior| weigh(&prior.schema)).sum::<usize>();
        let new = candidate.schema().clone();
        let check = move || compat::check_under(policy, level, &new, &priors, checks_fields);
        let verdict = self.off_thread(size.saturating_mul(COMPARISON_WEIGHT), check).await?;
        Ok(refusal(subject, verdict, reserved, level, checks_fields))
    }

    /// A candidate against a subject as a registration would check it, without registering: why not, if so.
    pub(crate) async fn check_follows(
        &self,
        current: &Subject,
        scope: &InScope,
        candidate: &Candidate,
    ) -> Result<Option<Error>, Error> {
        let latest = match current.latest() {
            Some(row) => Some(self.content_of(&current.name, row).await?),
            None => None,
        };
        let previous = latest.as_ref().map(|content| (content.metadata.as_deref(), content.rule_set.as_deref()));
        let contract = contract::populate(&scope.config, (None, None), previous);
        let priors: Vec<VersionRow> = current.live().cloned().collect();
        self.check_level(&current.name, scope, candidate, contract.metadata.as_ref(), &priors).await
    }
}

fn refusal(
    subject: &SubjectName,
    verdict: Result<(), Incompatible>,
    reserved: Vec<String>,
    level: Level,
    validate_fields: bool,
) -> Option<Error> {
    let subject = subject.clone();
    match verdict {
        Ok(()) if reserved.is_empty() => None,
        Err(details) if reserved.is_empty() => Some(Error::Incompatible { subject, details: Box::new(details) }),
        verdict => {
            let trailer = format!("{{validateFields: '{validate_fields}', compatibility: '{level}'}}");
            let mut messages = reserved;
            messages.extend(verdict.err().map(|details| details.messages()).unwrap_or_default());
            messages.retain(|message| *message != trailer);
            messages.push(trailer);
            Some(Error::IncompatibleMessages { subject, messages })
        }
    }
}

/// What reserved names forbid: dropping one from the list, and using one as a field.
fn reserved_fields(new: &Schema, metadata: Option<&Metadata>, previous: Option<&Metadata>) -> Vec<String> {
    let now = contract::reserved_fields(metadata);
    let before = contract::reserved_fields(previous);
    let fields = new.top_level_fields();
    let dropped = before.difference(&now).map(|name| {
        format!(
            "The new schema has reserved field {name} removed from its metadata which is present in the old schema's \
             metadata."
        )
    });
    let used = now.iter().filter(|name| fields.contains(name));
    let used = used.map(|name| format!("The new schema has field that conflicts with the reserved field {name}."));
    dropped.chain(used).collect()
}

#[cfg(test)]
mod tests;
