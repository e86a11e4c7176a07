//! Config and mode, of all contexts, a context, or a subject; aliases; levels that files own.
//!
//! Read from the store (from the cache while it is away), written on the revision that was read. A level that a
//! control-plane file declares wins over the stored one, and cannot be changed here.
//!
//! Source: schema-registry `ConfigResource`, `ModeResource`, `AbstractSchemaRegistry#updateConfig`, `#setMode`, 8.2.0;
//! schema-registry.md §1.8, §1.9, §2.6–2.8.

use std::collections::HashMap;
use std::sync::Arc;

use sluice_schema::Level;

use crate::contract;
use crate::load::{Freshness, level_of, scopes_of};
use crate::store::{Contexts, Delete, Deleted, Preconditions, ScopeSettings, SettingsWrite, StoreError, View};
use crate::*;

/// Decisions of one settings write, at most.
const ATTEMPTS: usize = 24;

impl Registry {
    /// `GET /config[/{s}]`: what is stored there, with the level that it means; with `default_to_global` what applies.
    pub async fn config(&self, caller: &Caller, scope: &Scope, default_to_global: bool) -> Result<Config, Error> {
        check(caller, Action::Read, scope)?;
        let own = self.current_settings(scope).await?.config.clone();
        let declared = self.declared_level(scope);
        let config = match (own, default_to_global) {
            (Some(own), false) => (*own).clone(),
            (None, false) if declared.is_some() || shows_defaults(scope) => Config::default(),
            (None, false) => return Err(Error::ConfigNotFound(subject_of(scope))),
            (_, true) => {
                // Reads the scopes anew, as the line above did for the first.
                match self.in_scope(&subject_of(scope), Freshness::Fresh).await {
                    Err(Error::Store(StoreError::Unavailable { .. })) => {
                        let cached = self.in_scope(&subject_of(scope), Freshness::Cached).await?;
                        (*cached.config).clone()
                    }
                    applies => (*applies?.config).clone(),
                }
            }
        };
        Ok(self.with_level(config, declared))
    }

    fn with_level(&self, mut config: Config, declared: Option<Level>) -> Config {
        let level = declared.or_else(|| level_of(&config)).unwrap_or(self.inner.config.default_level);
        config.compatibility_level = Some(level.wire().to_owned());
        config
    }

    /// `PUT /config[/{s}]`: the config as it is stored afterwards. An empty text clears what it is sent for.
    pub async fn update_config(&self, caller: &Caller, scope: &Scope, update: ConfigUpdate) -> Result<Config, Error> {
        check(caller, Action::Configure, scope)?;
        let update = checked(update)?;
        scope.check_name()?;
        // A group takes versions out of the comparison, and a policy decides what is compared: both bend the level.
        let bends = update.compatibility_group.is_some() || update.compatibility_policy.is_some();
        if update.compatibility.is_some() || bends {
            self.refuse_declared(scope, "compatibility")?;
        }
        self.write_settings(scope, |current, mode| {
            refuse_read_only(scope, mode)?;
            let config = apply(current.config.as_deref().cloned().unwrap_or_default(), &update);
            let config = without_empty_texts(config);
            Ok((SettingsWrite { config: Some(Some(config.clone())), mode: None }, config))
        })
        .await
    }

    /// `DELETE /config[/{s}]`: the config that was.
    pub async fn delete_config(&self, caller: &Caller, scope: &Scope) -> Result<Config, Error> {
        check(caller, Action::Configure, scope)?;
        let old = self
            .write_settings(scope, |current, mode| {
                if current.config.is_none() && !shows_defaults(scope) {
                    return Err(Error::SubjectNotFound(subject_of(scope)));
                }
                refuse_read_only(scope, mode)?;
                self.refuse_declared(scope, "compatibility")?;
                let old = current.config.as_deref().cloned().unwrap_or_default();
                Ok((SettingsWrite { config: Some(None), mode: None }, old))
            })
            .await?;
        Ok(self.with_level(old, None))
    }

    /// `GET /mode[/{s}]`
    pub async fn mode(&self, caller: &Caller, scope: &Scope, default_to_global: bool) -> Result<Mode, Error> {
        check(caller, Action::Read, scope)?;
        let scopes = if default_to_global { scopes_of(&subject_of(scope)) } else { vec![scope.clone()] };
        if let Some(mode) = self.current_mode(&scopes).await? {
            return Ok(mode);
        }
        if default_to_global || shows_defaults(scope) {
            Ok(Mode::ReadWrite)
        } else {
            Err(Error::ModeNotFound(subject_of(scope)))
        }
    }

    /// The mode of the first of these scopes that has one.
    async fn current_mode(&self, scopes: &[Scope]) -> Result<Option<Mode>, Error> {
        for scope in scopes {
            if let Some(mode) = self.current_settings(scope).await?.mode {
                return Ok(Some(mode));
            }
        }
        Ok(None)
    }

    /// `PUT /mode[/{s}]`; `None` clears. To enter IMPORT a scope must be without live versions unless forced, and loses
    /// the soft-deleted ones that are left there.
    pub async fn update_mode(
        &self,
        caller: &Caller,
        scope: &Scope,
        mode: Option<Mode>,
        force: bool,
    ) -> Result<(), Error> {
        check(caller, Action::Configure, scope)?;
        scope.check_name()?;
        if mode == Some(Mode::Forward) && *scope != Scope::AllContexts {
            return Err(Error::InvalidMode("Forward mode only supported on global level".to_owned()));
        }
        self.refuse_declared(scope, "mode")?;
        if !self.inner.config.mode_mutability {
            return Err(Error::OperationNotPermitted("Mode changes are not allowed".to_owned()));
        }
        if mode == Some(Mode::Import) && !force && self.current_mode(&chain_of(scope)).await? != Some(Mode::Import) {
            self.clear_for_import(scope).await?;
        }
        self.write_settings(scope, |_, _| Ok((SettingsWrite { config: None, mode: Some(mode) }, ()))).await
    }

    /// Removes what is soft-deleted in the scope; refused while something is live there, or while anything refers to what
    /// would go, be it something else that would. The top level stands for every context here.
    async fn clear_for_import(&self, scope: &Scope) -> Result<(), Error> {
        let subjects = match scope {
            Scope::Subject(subject) => vec![subject.clone()],
            Scope::Context(context) if !context.is_default() => {
                self.inner.store.subjects(&Contexts::One(context.clone()), "", View::WithDeleted).await?
            }
            Scope::AllContexts | Scope::Context(_) => {
                self.inner.store.subjects(&Contexts::All, "", View::WithDeleted).await?
            }
        };
        let mut left = Vec::new();
        for subject in subjects {
            let current = self.load_subject(&subject, Freshness::Fresh).await?;
            if current.live().next().is_some() {
                let text = "Cannot import since found existing subjects";
                return Err(Error::OperationNotPermitted(text.to_owned()));
            }
            if !current.state.versions.is_empty() {
                left.push(current);
            }
        }
        for current in &left {
            for row in &current.state.versions {
                if !self.inner.store.referrers(&current.name, row.version).await?.is_empty() {
                    return Err(Error::ReferenceExists { subject: current.name.clone(), version: row.version });
                }
            }
        }
        for current in left {
            let versions = current.state.versions.iter().map(|row| row.version).collect();
            let on = Preconditions { subject_revision: Some(current.state.revision), ..Preconditions::default() };
            let deleted = self.inner.store.delete_versions(&current.name, Delete::Permanent(versions), on).await;
            self.inner.caches.forget_subject(&current.name);
            self.inner.caches.forget_settings(&Scope::Subject(current.name.clone()));
            match deleted {
                Ok(Deleted::Done(_)) => {}
                Ok(Deleted::Referenced(version)) => {
                    return Err(Error::ReferenceExists { subject: current.name, version });
                }
                Err(StoreError::Conflict) => return Err(Error::Contention(current.name)),
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// `DELETE /mode[/{s}]`: the mode that was. `recursive` removes those of the context's subjects too, and is content
    /// with finding none.
    pub async fn delete_mode(&self, caller: &Caller, scope: &Scope, recursive: bool) -> Result<Option<Mode>, Error> {
        check(caller, Action::Configure, scope)?;
        self.refuse_declared(scope, "mode")?;
        if !self.inner.config.mode_mutability {
            return Err(Error::OperationNotPermitted("Mode changes are not allowed".to_owned()));
        }
        let old = self.current_settings(scope).await?.mode;
        let shown = if shows_defaults(scope) { old.or(Some(Mode::ReadWrite)) } else { old };
        if shown.is_none() && !recursive {
            return Err(Error::SubjectNotFound(subject_of(scope)));
        }
        if old.is_some() {
            self.write_settings(scope, |_, _| Ok((SettingsWrite { config: None, mode: Some(None) }, ()))).await?;
        }
        if let (true, Scope::Context(context)) = (recursive, scope)
            && context.may_exist()
        {
            self.inner.store.delete_modes(context).await?;
            self.inner.caches.forget_all_settings();
        }
        Ok(shown)
    }

    /// Writes what `decide` makes of the scope's settings and of the mode that applies to it; again if someone else
    /// wrote meanwhile.
    async fn write_settings<T>(
        &self,
        scope: &Scope,
        decide: impl Fn(&ScopeSettings, Mode) -> Result<(SettingsWrite, T), Error>,
    ) -> Result<T, Error> {
        let subject = subject_of(scope);
        for _ in 0..ATTEMPTS {
            let mut on = Preconditions::default();
            let mut mode = None;
            for applies in chain_of(scope) {
                let settings = self.load_settings(&applies, Freshness::Fresh).await?;
                mode = mode.or(settings.mode);
                on.settings.push((applies, settings.revision));
            }
            let current = self.load_settings(scope, Freshness::Fresh).await?;
            if on.settings.first().is_some_and(|(_, revision)| *revision != current.revision) {
                continue;
            }
            let (write, outcome) = decide(&current, mode.unwrap_or(Mode::ReadWrite))?;
            let result = self.inner.store.write_settings(scope, write, on).await;
            self.inner.caches.forget_settings(scope);
            match result {
                Ok(_) => return Ok(outcome),
                Err(StoreError::Conflict) => self.inner.counts.conflicts.add(1),
                Err(error) => return Err(error.into()),
            }
        }
        Err(Error::Contention(subject))
    }

    /// The subject that `subject` stands for: its alias's target, or itself. One hop.
    pub async fn resolve_alias(&self, subject: &SubjectName) -> Result<SubjectName, Error> {
        if subject.name().is_empty() {
            return Ok(subject.clone());
        }
        let settings = self.load_settings(&Scope::Subject(subject.clone()), Freshness::Cached).await;
        let settings = match settings {
            // Nothing is known of an alias: the name stands for itself, and the use case finds the store away.
            Err(Error::Store(StoreError::Unavailable { .. })) => return Ok(subject.clone()),
            settings => settings?,
        };
        let alias = settings.config.as_deref().and_then(|config| config.alias.as_deref());
        Ok(match alias.filter(|alias| !alias.is_empty()) {
            None => subject.clone(),
            Some(alias) => alias_target(subject, alias),
        })
    }

    /// Levels that control-plane files own: subject → (level, file). Replaces the former set.
    pub fn declare_levels(&self, levels: HashMap<SubjectName, (Level, String)>) {
        self.inner.declared.store(Arc::new(levels));
        self.inner.caches.forget_answers();
    }

    fn declared_level(&self, scope: &Scope) -> Option<Level> {
        let Scope::Subject(subject) = scope else { return None };
        self.inner.declared.load().get(subject).map(|(level, _)| *level)
    }

    fn refuse_declared(&self, scope: &Scope, setting: &'static str) -> Result<(), Error> {
        let Scope::Subject(subject) = scope else { return Ok(()) };
        match self.inner.declared.load().get(subject) {
            Some((_, file)) => Err(Error::DeclaredElsewhere { subject: subject.clone(), setting, file: file.clone() }),
            None => Ok(()),
        }
    }
}

/// What an alias in the config of `subject` points at.
pub(crate) fn alias_target(subject: &SubjectName, alias: &str) -> SubjectName {
    let target = SubjectName::parse(alias);
    if target.context().is_default() && !subject.context().is_default() {
        // Also when it says `:.:x`: the reference puts its own context before it.
        SubjectName::new(subject.context().clone(), alias)
    } else {
        target
    }
}

/// Scopes that always answer with a value: the top level and the one above it.
fn shows_defaults(scope: &Scope) -> bool {
    match scope {
        Scope::AllContexts => true,
        Scope::Context(context) => context.is_default(),
        Scope::Subject(_) => false,
    }
}

/// The scope in the notation of subjects, as messages name it.
fn subject_of(scope: &Scope) -> SubjectName {
    match scope {
        Scope::AllContexts => SubjectName::new(ContextName::new(".__GLOBAL"), ""),
        Scope::Context(context) => SubjectName::new(context.clone(), ""),
        Scope::Subject(subject) => subject.clone(),
    }
}

/// The scopes whose mode applies to writes at this one, itself first.
fn chain_of(scope: &Scope) -> Vec<Scope> {
    match scope {
        Scope::AllContexts => vec![Scope::AllContexts],
        Scope::Context(_) => vec![scope.clone(), Scope::AllContexts],
        Scope::Subject(subject) => scopes_of(subject),
    }
}

fn check(caller: &Caller, action: Action, scope: &Scope) -> Result<(), Error> {
    match scope {
        Scope::AllContexts => caller.check(action, &Resource::Server),
        Scope::Context(context) => caller.check(action, &Resource::Context(context)),
        Scope::Subject(subject) => caller.check(action, &Resource::Subject(subject)),
    }
}

impl Scope {
    /// [`Error::InvalidSubject`] unless config and mode may stand on the name.
    pub fn check_name(&self) -> Result<(), Error> {
        match self {
            Scope::Subject(subject) if !subject.may_have_settings() => Err(Error::InvalidSubject(subject.qualified())),
            Scope::Context(_) if !self.may_exist() => Err(Error::InvalidSubject(subject_of(self).qualified())),
            _ => Ok(()),
        }
    }
}

fn refuse_read_only(scope: &Scope, mode: Mode) -> Result<(), Error> {
    if !matches!(mode, Mode::ReadOnly | Mode::ReadOnlyOverride) {
        return Ok(());
    }
    let (subject, context) = match scope {
        Scope::AllContexts => (":.__GLOBAL:".to_owned(), ":.__GLOBAL:".to_owned()),
        Scope::Context(context) if context.is_default() => ("null".to_owned(), String::new()),
        Scope::Context(context) => (format!(":{context}:"), format!(":{context}:")),
        Scope::Subject(subject) if subject.context().is_default() => (subject.qualified(), String::new()),
        Scope::Subject(subject) => (subject.qualified(), format!(":{}:", subject.context())),
    };
    Err(Error::OperationNotPermitted(format!("Subject {subject} in context {context} is in read-only mode")))
}

/// The update with its words checked and in the form they are kept in.
fn checked(mut update: ConfigUpdate) -> Result<ConfigUpdate, Error> {
    if let Some(Some(level)) = &mut update.compatibility {
        *level = Level::from_wire(level).ok_or(Error::InvalidLevel)?.wire().to_owned();
    }
    for rules in [&mut update.default_rule_set, &mut update.override_rule_set] {
        let Some(Some(set)) = rules else { continue };
        contract::validate_rules(set).map_err(Error::InvalidRuleSet)?;
        *rules = Some(contract::kept_rules(std::mem::take(set)));
    }
    // Unknown words clear the policy, as in the reference.
    if let Some(policy) = &mut update.compatibility_policy {
        const POLICIES: &[&str] = &["STRICT", "LENIENT", "LOGICAL"];
        let known = policy.take().map(|word| word.to_uppercase());
        *policy = known.filter(|word| POLICIES.contains(&word.as_str()));
    }
    Ok(update)
}

fn without_empty_texts(config: Config) -> Config {
    let filled = |text: Option<String>| text.filter(|text| !text.is_empty());
    Config {
        alias: filled(config.alias),
        alias_for_deks: filled(config.alias_for_deks),
        compatibility_group: filled(config.compatibility_group),
        ..config
    }
}

fn apply(config: Config, update: &ConfigUpdate) -> Config {
    fn pick<T: Clone>(new: &Option<Option<T>>, old: Option<T>) -> Option<T> {
        new.clone().unwrap_or(old)
    }
    Config {
        alias: pick(&update.alias, config.alias),
        alias_for_deks: pick(&update.alias_for_deks, config.alias_for_deks),
        normalize: pick(&update.normalize, config.normalize),
        validate_fields: pick(&update.validate_fields, config.validate_fields),
        validate_new_schemas: pick(&update.validate_new_schemas, config.validate_new_schemas),
        validate_rules: pick(&update.validate_rules, config.validate_rules),
        compatibility_level: pick(&update.compatibility, config.compatibility_level),
        compatibility_policy: pick(&update.compatibility_policy, config.compatibility_policy),
        compatibility_group: pick(&update.compatibility_group, config.compatibility_group),
        default_metadata: pick(&update.default_metadata, config.default_metadata),
        override_metadata: pick(&update.override_metadata, config.override_metadata),
        default_rule_set: pick(&update.default_rule_set, config.default_rule_set),
        override_rule_set: pick(&update.override_rule_set, config.override_rule_set),
    }
}

#[cfg(test)]
mod tests;
