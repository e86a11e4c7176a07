//! Cases of settings, and of the stream of changes.

use std::collections::HashSet;

use super::*;
use crate::{Config, Metadata, Mode, RuleSet, Scope};

fn level(word: &str) -> Config {
    Config { compatibility_level: Some(word.into()), ..Config::default() }
}

async fn write(store: &dyn RegistryStore, scope: &Scope, write: SettingsWrite) -> Revision {
    store.write_settings(scope, write, Preconditions::default()).await.expect("settings")
}

fn config(config: Option<Config>) -> SettingsWrite {
    SettingsWrite { config: Some(config), mode: None }
}

fn mode(mode: Option<Mode>) -> SettingsWrite {
    SettingsWrite { config: None, mode: Some(mode) }
}

/// In contexts and subjects that nobody wrote to.
pub async fn settings_start_empty_at_revision_zero(store: &dyn RegistryStore) {
    let context = context("settings-empty");
    for scope in [Scope::Subject(subject(&context, "s")), Scope::Context(context)] {
        assert_eq!(store.settings(&scope).await.expect("settings"), ScopeSettings::default());
    }
}

/// Each write leaves the other part alone and raises the one revision of both.
pub async fn config_and_mode_are_written_apart(store: &dyn RegistryStore) {
    let scope = Scope::Subject(subject(&context("settings-apart"), "s"));
    assert_eq!(write(store, &scope, config(Some(level("FULL")))).await, Revision(1));
    assert_eq!(write(store, &scope, mode(Some(Mode::Import))).await, Revision(2));
    let settings = store.settings(&scope).await.expect("settings");
    assert_eq!(settings.revision, Revision(2));
    assert_eq!(settings.config.as_deref(), Some(&level("FULL")));
    assert_eq!(settings.mode, Some(Mode::Import));
    write(store, &scope, config(Some(level("NONE")))).await;
    let settings = store.settings(&scope).await.expect("settings");
    assert_eq!((settings.config.as_deref(), settings.mode), (Some(&level("NONE")), Some(Mode::Import)));
}

/// Every member, unset, empty and full.
pub async fn config_comes_back_as_it_was_written(store: &dyn RegistryStore) {
    let context = context("config-roundtrip");
    let full = Config {
        alias: Some("real".into()),
        alias_for_deks: Some("".into()),
        normalize: Some(true),
        validate_fields: Some(false),
        validate_new_schemas: Some(true),
        validate_rules: Some(false),
        compatibility_level: Some("FORWARD_TRANSITIVE".into()),
        compatibility_policy: Some("LENIENT".into()),
        compatibility_group: Some("major".into()),
        default_metadata: Some(Metadata {
            properties: [("a".to_owned(), "\u{0}".to_owned())].into(),
            ..Metadata::default()
        }),
        override_metadata: Some(Metadata::default()),
        default_rule_set: Some(RuleSet { enable_at: Some("CLIENT".into()), ..RuleSet::default() }),
        override_rule_set: Some(RuleSet::default()),
    };
    for (at, written) in [full, Config::default()].into_iter().enumerate() {
        let scope = Scope::Subject(subject(&context, &format!("s{at}")));
        write(store, &scope, config(Some(written.clone()))).await;
        assert_eq!(store.settings(&scope).await.expect("settings").config.as_deref(), Some(&written));
    }
    for known in [Mode::ReadWrite, Mode::ReadOnly, Mode::ReadOnlyOverride, Mode::Import, Mode::Forward] {
        let scope = Scope::Subject(subject(&context, known.wire()));
        write(store, &scope, mode(Some(known))).await;
        assert_eq!(store.settings(&scope).await.expect("settings").mode, Some(known));
    }
}

/// A context, the subject of the empty name in it, and a subject are three scopes.
pub async fn settings_of_scopes_do_not_mix(store: &dyn RegistryStore) {
    let context = context("scopes");
    let scopes = [
        Scope::Context(context.clone()),
        Scope::Subject(subject(&context, "")),
        Scope::Subject(subject(&context, "s")),
    ];
    let levels = ["FULL", "NONE", "FORWARD"];
    for (scope, word) in scopes.iter().zip(levels) {
        write(store, scope, config(Some(level(word)))).await;
    }
    for (scope, word) in scopes.iter().zip(levels) {
        assert_eq!(store.settings(scope).await.expect("settings").config.as_deref(), Some(&level(word)));
    }
}

/// Two clients that change one config.
pub async fn a_settings_write_on_a_stale_revision_is_a_conflict(store: &dyn RegistryStore) {
    let orders = subject(&context("settings-stale"), "s");
    let scope = Scope::Subject(orders.clone());
    let on = |revision| Preconditions { settings: vec![(scope.clone(), revision)], ..Preconditions::default() };
    let first = store.write_settings(&scope, config(Some(level("FULL"))), on(Revision(0))).await.expect("settings");
    let got = store.write_settings(&scope, config(Some(level("NONE"))), on(Revision(0))).await;
    assert!(matches!(got, Err(StoreError::Conflict)), "{got:?}");
    assert_eq!(store.settings(&scope).await.expect("settings").config.as_deref(), Some(&level("FULL")));
    store.write_settings(&scope, config(Some(level("NONE"))), on(first)).await.expect("settings");
}

/// Removing is a write too.
pub async fn clearing_a_setting_raises_the_revision(store: &dyn RegistryStore) {
    let scope = Scope::Subject(subject(&context("settings-clear"), "s"));
    write(store, &scope, config(Some(level("FULL")))).await;
    assert_eq!(write(store, &scope, config(None)).await, Revision(2));
    let settings = store.settings(&scope).await.expect("settings");
    assert_eq!(settings, ScopeSettings { revision: Revision(2), config: None, mode: None });
}

/// Of the context itself and its subjects, and of no other context; configs stay.
pub async fn modes_of_a_context_are_removed_together(store: &dyn RegistryStore) {
    let (home, away) = (context("modes-home"), context("modes-away"));
    let inside =
        [Scope::Context(home.clone()), Scope::Subject(subject(&home, "a")), Scope::Subject(subject(&home, "b"))];
    let outside = [Scope::Context(away.clone()), Scope::Subject(subject(&away, "a"))];
    for scope in inside.iter().chain(&outside) {
        let both = SettingsWrite { config: Some(Some(level("FULL"))), mode: Some(Some(Mode::ReadOnly)) };
        write(store, scope, both).await;
    }
    store.delete_modes(&home).await.expect("delete modes");
    for scope in &inside {
        let settings = store.settings(scope).await.expect("settings");
        assert_eq!((settings.mode, settings.revision), (None, Revision(2)));
        assert!(settings.config.is_some());
    }
    for scope in &outside {
        assert_eq!(store.settings(scope).await.expect("settings").mode, Some(Mode::ReadOnly));
    }
}

/// Everything since the cursor is named, at least once; nothing new follows a cursor that is up to date.
pub async fn changes_name_what_was_written(store: &dyn RegistryStore) {
    let context = context("changes");
    let orders = subject(&context, "orders");
    let scope = Scope::Subject(orders.clone());
    let start = store.change_cursor().await.expect("cursor");
    given_text(store, &orders, 1, "one").await;
    write(store, &scope, mode(Some(Mode::ReadOnly))).await;
    let (changes, next) = store.changes_since(&start).await.expect("changes");
    let seen: HashSet<Change> = changes.into_iter().collect();
    assert!(seen.contains(&Change::Subject(orders.clone())), "{seen:?}");
    assert!(seen.contains(&Change::Settings(scope.clone())), "{seen:?}");
    assert!(seen.contains(&Change::Contexts), "{seen:?}");
    soft(store, &orders, &[1]).await;
    store.delete_modes(&context).await.expect("delete modes");
    let (changes, next) = store.changes_since(&next).await.expect("changes");
    let seen: HashSet<Change> = changes.into_iter().collect();
    assert!(seen.contains(&Change::Subject(orders.clone())), "{seen:?}");
    assert!(seen.contains(&Change::Settings(scope.clone())), "{seen:?}");
    hard(store, &orders, &[1]).await;
    store.delete_context(&context).await.expect("delete context");
    let (changes, _) = store.changes_since(&next).await.expect("changes");
    let seen: HashSet<Change> = changes.into_iter().collect();
    assert!(seen.contains(&Change::Subject(orders)), "{seen:?}");
    assert!(seen.contains(&Change::Contexts), "{seen:?}");
}

/// The cheapest round trip.
pub async fn a_ping_answers(store: &dyn RegistryStore) {
    store.ping().await.expect("ping");
}
