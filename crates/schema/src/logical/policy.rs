//! What the policy LOGICAL adds to the comparison of versions.
//!
//! It only ever refuses more: the check of the format stays. A schema must have a logical type, Flink and Iceberg must
//! be able to hold it ([`super::validity`], whatever the level), and it must follow the versions that the level names
//! ([`super::compare`]). A version that has no logical type stands in nobody's way.
//!
//! Source: schema-registry `storage/LogicalPolicyChecker`, 8.5, recording `logical-policy`.

use super::{compare, validity};
use crate::{Level, Schema};

/// Whose rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Flink's tables.
    Flink,
    /// Iceberg's tables of format version 2.
    IcebergV2,
}

impl Mode {
    const ALL: [Mode; 2] = [Mode::Flink, Mode::IcebergV2];
}

impl std::fmt::Display for Mode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Mode::Flink => "FLINK",
            Mode::IcebergV2 => "ICEBERG_V2",
        })
    }
}

/// Why `new` may not follow `previous` (oldest first), one message for each kind of check that failed.
pub(crate) fn findings<'s>(
    level: Level,
    new: &Schema,
    previous: impl DoubleEndedIterator<Item = &'s Schema>,
) -> Vec<String> {
    let new = match new.logical() {
        Ok(logical) => logical,
        Err(error) => return vec![format!("Schema cannot be represented as a logical type: {error}")],
    };
    let mut found = Vec::new();
    for mode in Mode::ALL {
        found.extend(validity::findings(mode, &new).map(|lines| format!("Logical validity ({mode}): {lines}")));
    }
    let compared = match level {
        Level::None => 0,
        level if level.is_transitive() => usize::MAX,
        _ => 1,
    };
    let mut previous: Vec<&Schema> = previous.rev().take(compared).collect();
    previous.reverse();
    for old in previous {
        let Ok(old) = old.logical() else { continue };
        let ways = [(level.checks_backward(), "backward", &old, &new), (level.checks_forward(), "forward", &new, &old)];
        for (_, word, original, update) in ways.into_iter().filter(|(asked, ..)| *asked) {
            for mode in Mode::ALL {
                let lines = compare::findings(mode, original, update);
                found.extend(lines.map(|lines| format!("Logical compatibility ({mode}, {word}): {lines}")));
            }
        }
    }
    found
}
