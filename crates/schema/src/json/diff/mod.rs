//! Compatibility of two JSON Schemas: every change type of the reference, as a table.
//!
//! [`differences`] gives what is incompatible under a [`Policy`], in the reference's order; [`changes`] gives
//! everything. A rule (`rule.rs` and the files per kind of schema) looks at one pair of schemas and names the rows of
//! [`CHANGES`] it finds and the pairs inside; the row alone says what may be. Whether a pair is compatible is decided
//! first, once per pair and without recursion (`verdict.rs`); then only what is not compatible is listed (`list.rs`).
//!
//! To add a change type: a row in [`CHANGES`], its rule, and rows in `tests/corpus/json/` (one that fires it, one near
//! miss that must not).
//!
//! Source: Confluent `json/diff/{SchemaDiff,Context,Difference}.java`, 8.2.0 and later.

mod array;
mod combined;
mod describe;
mod java_hash;
mod list;
mod matching;
mod object;
mod pair;
mod pattern;
mod rule;
mod scalar;
mod verdict;

use crate::Difference;
use crate::compat::{Direction, Policy};

use super::model::Model;
use pair::Sides;
use verdict::Verdicts;

/// What makes a change acceptable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// Under every policy.
    Always,
    /// Under [`Policy::Lenient`].
    Lenient,
    /// Under none.
    Never,
}

/// A change type: its wire name and when it is compatible.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// e.g. `TYPE_CHANGED`.
    pub id: &'static str,
    /// When it is compatible.
    pub allowed: Allowed,
    /// Message template: `%1`/`%2` the sides, `'P'` the path in its quotes. Empty where the reference has none.
    pub template: &'static str,
}

impl Change {
    /// Whether the change is compatible under `policy`.
    pub fn is_compatible(&self, policy: Policy) -> bool {
        match self.allowed {
            Allowed::Always => true,
            Allowed::Lenient => policy == Policy::Lenient,
            Allowed::Never => false,
        }
    }
}

const KEYWORD: &str = "The keyword at path 'P' in the %1 schema is not present in the %2 schema";
const MORE: &str = "The value at path 'P' in the %1 schema is more than its value in the %2 schema";
const LESS: &str = "The value at path 'P' in the %1 schema is less than its value in the %2 schema";
const VALUE: &str = "The value at path 'P' is different between the %1 and %2 schema";
const FEWER: &str = "An array or combined type at path 'P' has fewer elements in the %1 schema than the %2 schema";
const LONGER: &str = "An array or combined type at path 'P' has more elements in the %1 schema than the %2 schema";
const TYPE: &str = "A type at path 'P' is different between the %1 schema and the %2 schema";
const TO_OPEN: &str = "The %1 schema has an open content model and has a property or item at path 'P' which is \
    missing in the %2 schema";
const TO_UNOPEN: &str = "The %1 schema has an unopen content model and has a required property at path 'P' which is \
    missing in the %2 schema";
// The word "schema" is missing behind the first side in the reference, too.
const FROM_CLOSED: &str = "The %1 has a closed content model and is missing a property or item present at path 'P' in \
    the %2 schema";
const REMOVED_NOT_COVERED: &str = "A property or item is missing in the %1 schema but present at path 'P' in the %2 \
    schema and is not covered by its partially open content model";
const ADDED_NOT_COVERED: &str = "The %1 schema has a property or item at path 'P' which is missing in the %2 schema \
    and is not covered by its partially open content model";

/// Declares each change type as a constant and as a row of [`CHANGES`], so that neither can miss the other.
macro_rules! changes {
    ($($name:ident, $allowed:ident, $template:expr;)*) => {
        $(pub(crate) const $name: Change =
            Change { id: stringify!($name), allowed: Allowed::$allowed, template: $template };)*

        /// Every change type, in the reference's order. Those that it never gives are left out (deprecated ones,
        /// unevaluated properties and items), and those of reserved properties, which the registry reports itself.
        pub const CHANGES: &[Change] = &[$($name),*];
    };
}

changes! {
    ID_CHANGED, Always, "";
    DESCRIPTION_CHANGED, Always, "";
    TITLE_CHANGED, Always, "";
    DEFAULT_CHANGED, Always, "";
    SCHEMA_ADDED, Never, "";
    SCHEMA_REMOVED, Always, "";
    TYPE_EXTENDED, Always, "";
    TYPE_NARROWED, Never, TYPE;
    TYPE_CHANGED, Never, TYPE;

    MAX_LENGTH_ADDED, Never, KEYWORD;
    MAX_LENGTH_REMOVED, Always, "";
    MAX_LENGTH_INCREASED, Always, "";
    MAX_LENGTH_DECREASED, Never, LESS;
    MIN_LENGTH_ADDED, Never, KEYWORD;
    MIN_LENGTH_REMOVED, Always, "";
    MIN_LENGTH_INCREASED, Never, MORE;
    MIN_LENGTH_DECREASED, Always, "";
    PATTERN_ADDED, Never, KEYWORD;
    PATTERN_REMOVED, Always, "";
    PATTERN_CHANGED, Never, VALUE;

    MAXIMUM_ADDED, Never, KEYWORD;
    MAXIMUM_REMOVED, Always, "";
    MAXIMUM_INCREASED, Always, "";
    MAXIMUM_DECREASED, Never, LESS;
    MINIMUM_ADDED, Never, KEYWORD;
    MINIMUM_REMOVED, Always, "";
    MINIMUM_INCREASED, Never, MORE;
    MINIMUM_DECREASED, Always, "";
    EXCLUSIVE_MAXIMUM_ADDED, Never, KEYWORD;
    EXCLUSIVE_MAXIMUM_REMOVED, Always, "";
    EXCLUSIVE_MAXIMUM_INCREASED, Always, "";
    EXCLUSIVE_MAXIMUM_DECREASED, Never, LESS;
    EXCLUSIVE_MINIMUM_ADDED, Never, KEYWORD;
    EXCLUSIVE_MINIMUM_REMOVED, Always, "";
    EXCLUSIVE_MINIMUM_INCREASED, Never, MORE;
    EXCLUSIVE_MINIMUM_DECREASED, Always, "";
    MULTIPLE_OF_ADDED, Never, KEYWORD;
    MULTIPLE_OF_REMOVED, Always, "";
    MULTIPLE_OF_EXPANDED, Never, MORE;
    MULTIPLE_OF_REDUCED, Always, "";
    MULTIPLE_OF_CHANGED, Never, VALUE;

    REQUIRED_ATTRIBUTE_ADDED, Never, KEYWORD;
    REQUIRED_ATTRIBUTE_WITH_DEFAULT_ADDED, Always, "";
    REQUIRED_ATTRIBUTE_REMOVED, Always, "";
    MAX_PROPERTIES_ADDED, Never, KEYWORD;
    MAX_PROPERTIES_REMOVED, Always, "";
    MAX_PROPERTIES_INCREASED, Always, "";
    MAX_PROPERTIES_DECREASED, Never, LESS;
    MIN_PROPERTIES_ADDED, Never, KEYWORD;
    MIN_PROPERTIES_REMOVED, Always, "";
    MIN_PROPERTIES_INCREASED, Never, MORE;
    MIN_PROPERTIES_DECREASED, Always, "";
    ADDITIONAL_PROPERTIES_ADDED, Always, "";
    ADDITIONAL_PROPERTIES_REMOVED, Lenient, KEYWORD;
    ADDITIONAL_PROPERTIES_EXTENDED, Always, "";
    ADDITIONAL_PROPERTIES_NARROWED, Lenient, FEWER;
    DEPENDENCY_ARRAY_ADDED, Never, KEYWORD;
    DEPENDENCY_ARRAY_REMOVED, Always, "";
    DEPENDENCY_ARRAY_EXTENDED, Never, LONGER;
    DEPENDENCY_ARRAY_NARROWED, Always, "";
    DEPENDENCY_ARRAY_CHANGED, Never, VALUE;
    DEPENDENCY_SCHEMA_ADDED, Never, KEYWORD;
    DEPENDENCY_SCHEMA_REMOVED, Always, "";
    REQUIRED_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL, Never, TO_OPEN;
    REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_OPEN_CONTENT_MODEL, Lenient, TO_OPEN;
    OPTIONAL_PROPERTY_ADDED_TO_OPEN_CONTENT_MODEL, Lenient, TO_OPEN;
    PROPERTY_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL, Always, "";
    REQUIRED_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL, Never, TO_UNOPEN;
    REQUIRED_PROPERTY_WITH_DEFAULT_ADDED_TO_UNOPEN_CONTENT_MODEL, Always, "";
    OPTIONAL_PROPERTY_ADDED_TO_UNOPEN_CONTENT_MODEL, Always, "";
    PROPERTY_REMOVED_FROM_OPEN_CONTENT_MODEL, Always, "";
    PROPERTY_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL, Always, "";
    PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL, Lenient, FROM_CLOSED;
    PROPERTY_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL, Always, "";
    PROPERTY_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL, Lenient, REMOVED_NOT_COVERED;
    PROPERTY_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL, Always, "";
    PROPERTY_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL, Lenient, ADDED_NOT_COVERED;

    MAX_ITEMS_ADDED, Never, KEYWORD;
    MAX_ITEMS_REMOVED, Always, "";
    MAX_ITEMS_INCREASED, Always, "";
    MAX_ITEMS_DECREASED, Never, LESS;
    MIN_ITEMS_ADDED, Never, KEYWORD;
    MIN_ITEMS_REMOVED, Always, "";
    MIN_ITEMS_INCREASED, Never, MORE;
    MIN_ITEMS_DECREASED, Always, "";
    MAX_CONTAINS_ADDED, Never, KEYWORD;
    MAX_CONTAINS_REMOVED, Always, "";
    MAX_CONTAINS_INCREASED, Always, "";
    MAX_CONTAINS_DECREASED, Never, LESS;
    MIN_CONTAINS_ADDED, Never, KEYWORD;
    MIN_CONTAINS_REMOVED, Always, "";
    MIN_CONTAINS_INCREASED, Never, MORE;
    MIN_CONTAINS_DECREASED, Always, "";
    UNIQUE_ITEMS_ADDED, Never, KEYWORD;
    UNIQUE_ITEMS_REMOVED, Always, "";
    ADDITIONAL_ITEMS_ADDED, Always, "";
    ADDITIONAL_ITEMS_REMOVED, Never, KEYWORD;
    ADDITIONAL_ITEMS_EXTENDED, Always, "";
    ADDITIONAL_ITEMS_NARROWED, Never, FEWER;
    ITEM_ADDED_TO_OPEN_CONTENT_MODEL, Never, TO_OPEN;
    ITEM_WITH_EMPTY_SCHEMA_ADDED_TO_OPEN_CONTENT_MODEL, Always, "";
    ITEM_ADDED_TO_CLOSED_CONTENT_MODEL, Always, "";
    ITEM_REMOVED_FROM_OPEN_CONTENT_MODEL, Always, "";
    ITEM_WITH_FALSE_REMOVED_FROM_CLOSED_CONTENT_MODEL, Always, "";
    ITEM_REMOVED_FROM_CLOSED_CONTENT_MODEL, Never, FROM_CLOSED;
    ITEM_REMOVED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL, Always, "";
    ITEM_REMOVED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL, Never, REMOVED_NOT_COVERED;
    ITEM_ADDED_IS_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL, Always, "";
    ITEM_ADDED_NOT_COVERED_BY_PARTIALLY_OPEN_CONTENT_MODEL, Never, ADDED_NOT_COVERED;

    ENUM_ARRAY_EXTENDED, Always, "";
    ENUM_ARRAY_NARROWED, Never, FEWER;
    ENUM_ARRAY_CHANGED, Never, TYPE;

    COMBINED_TYPE_EXTENDED, Always, "";
    COMBINED_TYPE_CHANGED, Never, TYPE;
    PRODUCT_TYPE_EXTENDED, Never, LONGER;
    PRODUCT_TYPE_NARROWED, Always, "";
    SUM_TYPE_EXTENDED, Always, "";
    SUM_TYPE_NARROWED, Never, FEWER;
    COMBINED_TYPE_SUBSCHEMAS_CHANGED, Never, TYPE;
    NOT_TYPE_EXTENDED, Never, LONGER;
    NOT_TYPE_NARROWED, Always, "";
}

/// What is said of schemas whose comparison takes more work than is granted: they are refused. Not the reference's.
const TOO_COMPLEX: Change = Change { id: "COMPARISON_TOO_COMPLEX", allowed: Allowed::Never, template: "" };

/// A change that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its row of [`CHANGES`].
    pub change: Change,
    /// Where: `#/properties/x/maxLength`; `#/` is the whole schema.
    pub path: String,
}

/// Which changes are collected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Keep {
    /// Those that the policy does not allow.
    Incompatible,
    /// All.
    Everything,
}

/// The incompatible changes from `old` to `new` under `policy`, worded for `direction`: [`Direction::Backward`] asks
/// whether `new` accepts what `old` accepted, [`Direction::Forward`] the opposite.
///
/// In the reference's order. The list is cut past 10,000 changes or 4 MiB of paths, and is never empty by that. Work
/// is bounded: schemas that refer to each other or to themselves are compared once per pair; past two million
/// comparisons the answer is one `COMPARISON_TOO_COMPLEX`.
pub fn differences(new: &Model, old: &Model, direction: Direction, policy: Policy) -> Vec<Difference> {
    let (original, update, reader, writer) = match direction {
        Direction::Backward => (old, new, "new", "old"),
        Direction::Forward => (new, old, "old", "new"),
    };
    let found = compare(original, update, policy, Keep::Incompatible);
    found.into_iter().map(|found| worded(found, reader, writer)).collect()
}

/// Every change from `original` to `update`, compatible ones too, in the reference's order. `policy` decides which of
/// several schemas fit each other where a schema has alternatives.
pub fn changes(original: &Model, update: &Model, policy: Policy) -> Vec<Found> {
    compare(original, update, policy, Keep::Everything)
}

fn compare(original: &Model, update: &Model, policy: Policy, keep: Keep) -> Vec<Found> {
    let sides = Sides::new(original, update, policy);
    let mut verdicts = Verdicts::new(&sides);
    let root = sides.root();
    let compatible = verdicts.holds(root);
    if verdicts.gave_up() {
        return vec![Found { change: TOO_COMPLEX, path: "#/".to_owned() }];
    }
    if compatible && keep == Keep::Incompatible {
        return Vec::new();
    }
    let found = list::found(&mut verdicts, root, keep);
    if found.is_empty() && !compatible {
        // The work granted ended while the list was written.
        return vec![Found { change: TOO_COMPLEX, path: "#/".to_owned() }];
    }
    found
}

fn worded(found: Found, reader: &str, writer: &str) -> Difference {
    let description = if found.change == TOO_COMPLEX {
        format!("The {reader} schema and the {writer} schema are too complex to be compared")
    } else {
        let sides = found.change.template.replace("%1", reader).replace("%2", writer);
        sides.replacen("'P'", &format!("'{}'", found.path), 1)
    };
    // The reference opens the description with one quote and closes it with the other.
    let message = format!("{{errorType:\"{}\", description:\"{description}'}}", found.change.id);
    Difference { kind: found.change.id, path: found.path, message }
}
