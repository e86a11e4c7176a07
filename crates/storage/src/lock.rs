//! Which advisory locks a write takes: pure, so that it can be tested without a database.
//!
//! One key space for all: a subject, a context's settings, the settings of all contexts, a resource with associations. The subject written to is
//! locked exclusively, everything the decision rests on shared: the referenced subjects, the consulted settings, and
//! always the settings of the subject's own context, so that whoever changes a whole context (its modes, its place in
//! the list) keeps writers out with one lock. Keys are sorted: all transactions take them in one order and cannot wait
//! in a circle. Two names with one key only wait for each other without need.

use sluice_registry::store::{AssociationWrite, NewVersion, Preconditions};
use sluice_registry::{ContextName, Scope, SubjectName};

/// More locks than this in one transaction would eat into Postgres' shared lock table (6,400 slots by default):
/// instead of each referenced subject, their contexts are locked exclusively.
const MANY: usize = 256;

/// Locks of one transaction, sorted by key, each once.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Locks {
    /// Keys, ascending.
    pub(crate) keys: Vec<i64>,
    /// Beside each key: exclusive or shared.
    pub(crate) exclusive: Vec<bool>,
}

impl Locks {
    /// For writing a version.
    pub(crate) fn of_version(new: &NewVersion, on: &Preconditions) -> Locks {
        let references = new.references.iter().map(|(subject, _)| subject);
        collect(vec![(subject_key(&new.subject), true)], new.subject.context(), references, on)
    }

    /// For deleting versions of a subject.
    pub(crate) fn of_delete(subject: &SubjectName, on: &Preconditions) -> Locks {
        collect(vec![(subject_key(subject), true)], subject.context(), std::iter::empty(), on)
    }

    /// For writing the settings of a scope.
    pub(crate) fn of_settings(scope: &Scope, on: &Preconditions) -> Locks {
        let written = vec![(scope_key(scope), true)];
        match scope {
            Scope::Subject(subject) => collect(written, subject.context(), std::iter::empty(), on),
            Scope::Context(context) => collect(written, context, std::iter::empty(), on),
            Scope::AllContexts => sorted(
                written.into_iter().chain(on.settings.iter().map(|(scope, _)| (scope_key(scope), false))).collect(),
            ),
        }
    }

    /// For writing associations of a resource.
    pub(crate) fn of_associations(write: &AssociationWrite) -> Locks {
        let mut locks = vec![(key(3, &write.resource_type, &write.resource_id), true)];
        for (subject, _) in &write.subjects {
            locks.extend([(subject_key(subject), true), (context_key(subject.context()), false)]);
        }
        locks.extend(write.settings.iter().map(|(scope, _)| (scope_key(scope), false)));
        sorted(locks)
    }

    /// For changing a context as a whole.
    pub(crate) fn of_context(context: &ContextName) -> Locks {
        sorted(vec![(context_key(context), true)])
    }
}

fn collect<'a>(
    mut locks: Vec<(i64, bool)>,
    context: &ContextName,
    references: impl Iterator<Item = &'a SubjectName>,
    on: &'a Preconditions,
) -> Locks {
    locks.push((context_key(context), false));
    locks.extend(on.settings.iter().map(|(scope, _)| (scope_key(scope), false)));
    let referenced: Vec<&SubjectName> = references.chain(on.references.iter().map(|(subject, _, _)| subject)).collect();
    if referenced.len() <= MANY {
        locks.extend(referenced.iter().map(|subject| (subject_key(subject), false)));
    } else {
        locks.extend(referenced.iter().map(|subject| (context_key(subject.context()), true)));
    }
    sorted(locks)
}

fn sorted(mut locks: Vec<(i64, bool)>) -> Locks {
    // Exclusive before shared, so that the stronger of two stays.
    locks.sort_by_key(|&(key, exclusive)| (key, !exclusive));
    locks.dedup_by_key(|&mut (key, _)| key);
    let (keys, exclusive) = locks.into_iter().unzip();
    Locks { keys, exclusive }
}

fn scope_key(scope: &Scope) -> i64 {
    match scope {
        Scope::AllContexts => key(0, "", ""),
        Scope::Context(context) => context_key(context),
        Scope::Subject(subject) => subject_key(subject),
    }
}

fn context_key(context: &ContextName) -> i64 {
    key(1, context.as_str(), "")
}

fn subject_key(subject: &SubjectName) -> i64 {
    key(2, subject.context().as_str(), subject.name())
}

/// FNV-1a, 64 bits: the same on every node and in every release, as nodes of several releases share a database.
fn key(kind: u8, context: &str, name: &str) -> i64 {
    let bytes = [kind].into_iter().chain(context.bytes()).chain([0xff]).chain(name.bytes());
    bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)) as i64
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use sluice_registry::Content;
    use sluice_registry::store::{IdChoice, RequireLive, Revision};
    use sluice_schema::{Guid, SchemaType, Version};

    use super::*;

    fn version(subject: &str, references: &[&str]) -> NewVersion {
        NewVersion {
            subject: SubjectName::parse(subject),
            version: Version(1),
            content: Arc::new(Content {
                schema_type: SchemaType::Protobuf,
                text: "".into(),
                references: [].into(),
                metadata: None,
                rule_set: None,
                guid: Guid([0; 16]),
            }),
            references: references.iter().map(|name| (SubjectName::parse(name), Version(1))).collect(),
            id: IdChoice::ByContent,
            tombstone_same_id: false,
            ts: 0,
        }
    }

    fn held(locks: &Locks, key: i64) -> Option<bool> {
        locks.keys.iter().position(|k| *k == key).map(|at| locks.exclusive[at])
    }

    #[test]
    fn the_subject_is_exclusive_and_what_the_decision_rests_on_is_shared() {
        let on = Preconditions {
            subject_revision: Some(Revision(0)),
            settings: vec![(Scope::AllContexts, Revision(0)), (Scope::Subject(SubjectName::parse("a")), Revision(0))],
            references: vec![(SubjectName::parse(":.x:b"), Version(1), RequireLive::Yes)],
        };
        let locks = Locks::of_version(&version("a", &[":.x:b"]), &on);
        assert_eq!(held(&locks, subject_key(&SubjectName::parse("a"))), Some(true));
        assert_eq!(held(&locks, subject_key(&SubjectName::parse(":.x:b"))), Some(false));
        assert_eq!(held(&locks, context_key(&ContextName::default_context())), Some(false));
        assert_eq!(held(&locks, scope_key(&Scope::AllContexts)), Some(false));
        assert_eq!(locks.keys.len(), 4);
        assert!(locks.keys.is_sorted());
    }

    #[test]
    fn hundreds_of_referenced_subjects_become_one_exclusive_lock_on_their_context() {
        let names: Vec<String> = (0..MANY + 1).map(|n| format!("part-{n}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let locks = Locks::of_version(&version("whole", &names), &Preconditions::default());
        assert_eq!(locks.keys.len(), 2);
        assert_eq!(held(&locks, context_key(&ContextName::default_context())), Some(true));
    }

    #[test]
    fn keys_do_not_change_between_releases() {
        assert_eq!(key(2, ".", "orders-value"), key(2, ".", "orders-value"));
        assert_ne!(key(2, ".a", "b"), key(2, ".", "ab"));
        assert_eq!(key(0, "", ""), fnv_by_hand());
    }

    fn fnv_by_hand() -> i64 {
        let mut hash = 0xcbf2_9ce4_8422_2325_u64;
        for byte in [0x00_u64, 0xff] {
            hash = (hash ^ byte).wrapping_mul(0x0100_0000_01b3);
        }
        hash as i64
    }
}
