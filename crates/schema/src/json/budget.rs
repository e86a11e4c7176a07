//! A cap on the work of holding data against a schema.
//!
//! Schemas that lead from several places to the same subschema (`anyOf` of `anyOf`, a `$ref` twice) are looked at once
//! per way through them, and ways double at every level. So whatever can look at the same data twice gets one more
//! part, [`STEP`], that always fits and counts; when the count is used up it leaves the validator by unwinding, as
//! the validator itself knows no way to stop.
//!
//! Invariant: between two steps the work is bounded by the text of the schema and the size of the data. A subschema
//! that fits passes its step; one that does not ends the look at its first failure or, where alternatives are tried or
//! all errors are gathered, comes after a step. To count another keyword: add it to [`BRANCHING`].

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};

use jsonschema::{Keyword, ValidationError};
use serde_json::{Map, Value, json};

/// The keyword that counts. No schema says it by chance; one that does only counts more.
pub(super) const STEP: &str = "\u{1}step";

/// Keywords by which a subschema is held against data that others look at, too.
const BRANCHING: &[&str] = &[
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "patternProperties",
    "dependencies",
    "dependentSchemas",
    "contains",
    "unevaluatedItems",
    "unevaluatedProperties",
];
/// Keywords that lead elsewhere: alone they lead one way, beside others they are one way more.
const LEADING: &[&str] = &["$ref", "$dynamicRef", "$recursiveRef"];
/// Keywords whose members are named at will.
const NAMING: &[&str] =
    &["properties", "patternProperties", "definitions", "$defs", "dependencies", "dependentSchemas"];
/// Keywords whose values are compared with data, as they are.
const COMPARED: &[&str] = &["const", "enum"];

/// The granted steps are used up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Spent;

thread_local! {
    static STEPS_LEFT: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// What `work` gives, unless it takes more than `steps`.
pub(super) fn spend_at_most<T>(steps: usize, work: impl FnOnce() -> T) -> Result<T, Spent> {
    let before = STEPS_LEFT.replace(steps);
    // Nothing that was half done is seen again: the validator keeps no state between two checks.
    let done = panic::catch_unwind(AssertUnwindSafe(work));
    STEPS_LEFT.set(before);
    done.map_err(|cause| match cause.downcast::<Spent>() {
        Ok(spent) => *spent,
        Err(panicked) => panic::resume_unwind(panicked),
    })
}

/// The keyword [`STEP`]: always fits, and counts.
pub(super) struct Step;

impl<'i> Keyword<'i> for Step {
    fn validate(&self, data: &'i Value) -> Result<(), ValidationError<'i>> {
        self.is_valid(data);
        Ok(())
    }

    fn is_valid(&self, _data: &'i Value) -> bool {
        match STEPS_LEFT.get().checked_sub(1) {
            Some(left) => STEPS_LEFT.set(left),
            None => panic::resume_unwind(Box::new(Spent)),
        }
        true
    }
}

/// Adds a step to every subschema of `document` that branches.
///
/// Steps stand last in `allOf`: no pointer into the document leads elsewhere than before, and `allOf` comes before the
/// other branching keywords that go on when something does not fit.
pub(super) fn count_steps(document: &mut Value) {
    // Nobody refers to a schema inside data, but if so it counts, too; then data may differ in what cannot be met.
    let all = refers_into_data(document);
    let mut open: Vec<(&mut Value, Names)> = vec![(document, Names::Keywords)];
    while let Some((value, names)) = open.pop() {
        match value {
            Value::Object(members) => {
                if names == Names::Keywords {
                    count_here(members);
                }
                for (name, value) in members {
                    let is_keyword = names == Names::Keywords;
                    if is_keyword && !all && COMPARED.contains(&name.as_str()) {
                        continue;
                    }
                    let names_children = is_keyword && NAMING.contains(&name.as_str());
                    open.push((value, if names_children { Names::Free } else { Names::Keywords }));
                }
            }
            Value::Array(items) => open.extend(items.iter_mut().map(|item| (item, Names::Keywords))),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
}

/// What the names in an object are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Names {
    Keywords,
    Free,
}

fn count_here(schema: &mut Map<String, Value>) {
    let has = |words: &[&str]| words.iter().any(|word| schema.contains_key(*word));
    if !has(BRANCHING) && (schema.len() < 2 || !has(LEADING)) {
        return;
    }
    let step = json!({ STEP: true });
    match schema.get_mut("allOf") {
        None => {
            schema.insert("allOf".to_owned(), Value::Array(vec![step]));
        }
        Some(Value::Array(parts)) if !parts.is_empty() => parts.push(step),
        // Refused when the schema is compiled.
        Some(_) => {}
    }
}

/// Whether a `$ref` might lead into the value of a `const` or an `enum`.
fn refers_into_data(document: &Value) -> bool {
    let mut open = vec![document];
    while let Some(value) = open.pop() {
        match value {
            Value::Object(members) => {
                let mut targets = LEADING.iter().filter_map(|word| members.get(*word)?.as_str());
                let may = |target: &str| target.contains('%') || COMPARED.iter().any(|word| target.contains(word));
                if targets.any(may) {
                    return true;
                }
                open.extend(members.values());
            }
            Value::Array(items) => open.extend(items),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    false
}
