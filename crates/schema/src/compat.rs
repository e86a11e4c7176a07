//! Compares a new schema with older versions under a level, and writes the reference's result list.
//!
//! Pure. An incompatibility is a value ([`Incompatible`]); the registry turns it into a refusal.
//! Which versions take part (live ones, one group) is the caller's choice; the order of checks, which
//! version is named, and the trailing lines are decided here, once for all formats.
//!
//! Source: schema-registry `CompatibilityChecker`, `SchemaValidatorBuilder` and `CompatibilityLevel`, 8.2.0.

use std::sync::Arc;

use crate::{Difference, Level, Schema, Version, avro, logical, protobuf};

/// A version to compare with. `text` is the stored text, named in the result.
#[derive(Debug, Clone)]
pub struct Prior {
    /// Its number.
    pub version: Version,
    /// Parsed.
    pub schema: Arc<Schema>,
}

/// Which side is the reader: decides "new"/"old" in the messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// The new schema reads data of the old one.
    Backward,
    /// The old schema reads data of the new one.
    Forward,
}

/// The setting `compatibilityPolicy`: how much the comparison of JSON Schemas forgives, and whether tables are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// What one side accepts, the other must accept. The default.
    Strict,
    /// Properties may come and go as long as none becomes required.
    Lenient,
    /// Strict, and tables made of the schemas must be able to follow; a schema of which no table can be made is refused.
    /// Holds for all formats, and for validity at every level, [`Level::None`] included.
    Logical,
}

impl Policy {
    /// The policy of this stored word; unknown ones are strict.
    pub fn from_wire(word: &str) -> Policy {
        match word {
            word if word.eq_ignore_ascii_case("LENIENT") => Policy::Lenient,
            word if word.eq_ignore_ascii_case("LOGICAL") => Policy::Logical,
            _ => Policy::Strict,
        }
    }
}

/// Why a schema may not follow a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Incompatible {
    /// The version it breaks; `None` when the types differ, or only [`Incompatible::logical`] says no.
    pub against: Option<Version>,
    /// Stored text of that version.
    pub old_text: Option<Arc<str>>,
    /// The changes, in the order the reference lists them (forward ones first under FULL).
    pub differences: Vec<Difference>,
    /// What [`Policy::Logical`] has against it, as the list shows it, behind the quotation.
    pub logical: Vec<String>,
    /// Whether the list quotes version and text: not when FULL failed in the forward direction only, because the
    /// reference appends the quotation to the backward half.
    pub quotes_old: bool,
    /// The level that was asked.
    pub level: Level,
    /// Whether fields were validated (printed in the trailer).
    pub validate_fields: bool,
    /// What the author may do instead of the first change of the list; shown only when asked for. See [`crate::hint`].
    pub hint: Option<String>,
}

/// [`check_under`] the default policy.
pub fn check(level: Level, new: &Schema, previous: &[Prior], validate_fields: bool) -> Result<(), Incompatible> {
    check_under(Policy::Strict, level, new, previous, validate_fields)
}

/// Checks `new` under `level` and `policy` against `previous` (oldest first; the caller has already left out deleted
/// versions and those of other groups). `Ok` when compatible.
///
/// Not transitive: only the last of `previous`. Transitive: newest to oldest, stops at the first that fails.
/// FULL lists forward differences before backward ones. What [`Policy::Logical`] adds is found whatever else is.
pub fn check_under(
    policy: Policy,
    level: Level,
    new: &Schema,
    previous: &[Prior],
    validate_fields: bool,
) -> Result<(), Incompatible> {
    let verdict = check_format(policy, level, new, previous, validate_fields);
    if policy != Policy::Logical {
        return verdict;
    }
    let logical = logical::policy::findings(level, new, previous.iter().map(|prior| prior.schema.as_ref()));
    match verdict {
        Err(refused) => Err(Incompatible { logical, ..refused }),
        Ok(()) if logical.is_empty() => Ok(()),
        Ok(()) => Err(Incompatible {
            against: None,
            old_text: None,
            differences: Vec::new(),
            logical,
            quotes_old: false,
            level,
            validate_fields,
            hint: None,
        }),
    }
}

fn check_format(
    policy: Policy,
    level: Level,
    new: &Schema,
    previous: &[Prior],
    validate_fields: bool,
) -> Result<(), Incompatible> {
    let compared = if level.is_transitive() { previous.len() } else { 1 };
    if level == Level::None {
        return Ok(());
    }
    previous.iter().rev().take(compared).try_for_each(|prior| check_one(policy, level, new, prior, validate_fields))
}

fn check_one(
    policy: Policy,
    level: Level,
    new: &Schema,
    prior: &Prior,
    validate_fields: bool,
) -> Result<(), Incompatible> {
    let old = prior.schema.as_ref();
    if new.schema_type() != old.schema_type() {
        return Err(Incompatible {
            against: None,
            old_text: None,
            differences: vec![different_type()],
            logical: Vec::new(),
            quotes_old: false,
            level,
            validate_fields,
            hint: Some(crate::hint::OTHER_TYPE.to_owned()),
        });
    }
    let along =
        |asked: bool, direction| if asked { differences_under(policy, new, old, direction) } else { Vec::new() };
    let mut found = along(level.checks_forward(), Direction::Forward);
    let backward = along(level.checks_backward(), Direction::Backward);
    let quotes_old = !backward.is_empty() || !level.checks_backward();
    let first_is = if found.is_empty() { Direction::Backward } else { Direction::Forward };
    found.extend(backward);
    let Some(first) = found.first() else { return Ok(()) };
    let hint = crate::hint::hint(first, new, old, first_is);
    Err(Incompatible {
        against: Some(prior.version),
        old_text: Some(old.canonical_text().clone()),
        differences: found,
        logical: Vec::new(),
        quotes_old,
        level,
        validate_fields,
        hint,
    })
}

/// [`differences_under`] the default policy.
pub fn differences(new: &Schema, old: &Schema, direction: Direction) -> Vec<Difference> {
    differences_under(Policy::Strict, new, old, direction)
}

/// The incompatible changes when `new` reads data of `old` ([`Direction::Backward`]) or the other way round.
/// Compatible changes are not reported. Two types differ in that alone.
pub fn differences_under(policy: Policy, new: &Schema, old: &Schema, direction: Direction) -> Vec<Difference> {
    match (new, old) {
        (Schema::Protobuf(new), Schema::Protobuf(old)) => protobuf::diff::differences(new, old, direction),
        (Schema::Json(new), Schema::Json(old)) => new.differences(old, direction, policy),
        (Schema::Avro(new), Schema::Avro(old)) => avro::diff::differences(new.model(), old.model(), direction),
        _ => vec![different_type()],
    }
}

fn different_type() -> Difference {
    Difference {
        kind: "SCHEMA_TYPE_CHANGED",
        path: String::new(),
        message: "Incompatible because of different schema type".to_owned(),
    }
}

/// UTF-16 units of the old text that are quoted.
const QUOTED_UNITS: usize = 10 * 1024;

impl Incompatible {
    /// The `messages` list of the compatibility endpoint, also printed inside 40901: one string per difference,
    /// `{oldSchemaVersion: N}`, `{oldSchema: '…'}` (cut past 10 KiB), what the policy adds, `{validateFields: 'b', compatibility: 'LEVEL'}`.
    pub fn messages(&self) -> Vec<String> {
        let mut messages: Vec<String> = self.differences.iter().map(|found| found.message.clone()).collect();
        if self.quotes_old {
            messages.extend(self.against.map(|version| format!("{{oldSchemaVersion: {version}}}")));
            messages.extend(self.old_text.as_deref().map(quoted));
        }
        messages.extend(self.logical.iter().cloned());
        messages.push(format!("{{validateFields: '{}', compatibility: '{}'}}", self.validate_fields, self.level));
        messages
    }
}

fn quoted(old: &str) -> String {
    match first_units(old, QUOTED_UNITS) {
        whole if whole.len() == old.len() => format!("{{oldSchema: '{whole}'}}"),
        start => format!("{{oldSchema: <truncated> '{start}...'}}"),
    }
}

/// The start of `text` that has at most `units` UTF-16 units. A character of two is not cut in half.
fn first_units(text: &str, units: usize) -> &str {
    if text.len() <= units {
        return text;
    }
    let mut used = 0;
    let end = text.char_indices().find(|(_, character)| {
        used += character.len_utf16();
        used > units
    });
    end.map_or(text, |(at, _)| &text[..at])
}
