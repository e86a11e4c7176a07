//! What use cases are asked, as values. Bodies and query strings are decoded in `api`.

use std::fmt;

use sluice_schema::{Format, Reference, TagEdit};

use crate::store::View;
use crate::{Association, AssociationFilter, Lifecycle, Metadata, RuleSet, SchemaEntity, SubjectName};

/// `normalize=true`, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Normalize {
    /// Normalise.
    Yes,
    /// As canonical text.
    No,
}

/// Soft or permanent delete.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Permanence {
    /// Mark.
    Soft,
    /// Remove.
    Permanent,
}

/// Whether soft-deleted versions take part.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Include {
    /// Only live ones.
    Live,
    /// Soft-deleted ones too.
    Deleted,
}

/// A version as a path names it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum VersionSpec {
    /// `latest` or `-1`: the highest live one.
    Latest,
    /// This one; 1 and up.
    Number(i32),
}

impl VersionSpec {
    /// Reads a path segment: trimmed; `latest` in any case, `-1`, or a positive int (`+1`, `01` too). What is refused
    /// comes back: a number as a number, anything else as it was written.
    pub fn parse(text: &str) -> Result<VersionSpec, String> {
        let word = text.trim();
        if word.eq_ignore_ascii_case("latest") {
            return Ok(VersionSpec::Latest);
        }
        match word.parse::<i32>() {
            Ok(-1) => Ok(VersionSpec::Latest),
            Ok(number) if number > 0 => Ok(VersionSpec::Number(number)),
            Ok(number) => Err(number.to_string()),
            Err(_) => Err(text.to_owned()),
        }
    }
}

/// A page of a list: applied last, after filters and order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Entries to skip; negative is refused by the surface.
    pub offset: usize,
    /// Entries to give; `None` for all.
    pub limit: Option<usize>,
}

/// A reference as it was sent. One that lacks something makes the schema invalid, when its references are looked for.
#[allow(missing_docs)] // the fields of [`Reference`]
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AskedReference {
    pub name: Option<String>,
    pub subject: Option<String>,
    pub version: Option<i32>,
}

impl AskedReference {
    /// The reference, if nothing is missing; otherwise the text of the refusal.
    pub fn whole(&self) -> Result<Reference, String> {
        match (&self.name, &self.subject, self.version) {
            (Some(name), Some(subject), Some(version)) => {
                Ok(Reference { name: name.clone(), subject: subject.clone(), version })
            }
            _ => Err(format!("Invalid reference: {self}")),
        }
    }
}

impl From<Reference> for AskedReference {
    fn from(reference: Reference) -> AskedReference {
        let Reference { name, subject, version } = reference;
        AskedReference { name: Some(name), subject: Some(subject), version: Some(version) }
    }
}

/// As Java prints it.
impl fmt::Display for AskedReference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, subject) = (self.name.as_deref().unwrap_or("null"), self.subject.as_deref().unwrap_or("null"));
        write!(f, "{{name='{name}', subject='{subject}', version=")?;
        match self.version {
            Some(version) => write!(f, "{version}}}"),
            None => f.write_str("null}"),
        }
    }
}

/// The body of register, look-up and compatibility requests.
#[derive(Debug, Clone, Default)]
pub struct SchemaRequest {
    /// Text; absent, empty or blank means "as the latest" on registration.
    pub schema: Option<String>,
    /// Wire name; `None` = AVRO.
    pub schema_type: Option<String>,
    /// References, as sent.
    pub references: Vec<AskedReference>,
    /// Data contract.
    pub metadata: Option<Metadata>,
    /// Data contract.
    pub rule_set: Option<RuleSet>,
    /// Explicit version; 0 and `None` mean the next, -1 and below "only if it is the latest".
    pub version: Option<i32>,
    /// Explicit id.
    pub id: Option<i32>,
    /// Tags to add and remove.
    pub tags: TagEdit,
    /// Copy tags from the latest version.
    pub propagate_schema_tags: bool,
}

/// Options of a registration.
#[derive(Debug, Clone, Copy)]
pub struct RegisterOptions {
    /// `normalize`
    pub normalize: Normalize,
    /// `force=true`: no compatibility check.
    pub force: bool,
    /// How the answer shows the text.
    pub format: Format,
}

/// Options of reading one version.
#[derive(Debug, Clone)]
pub struct ReadOptions {
    /// `format`
    pub format: Format,
    /// `referenceFormat=qualified`: reference subjects are shown qualified.
    pub qualified_references: bool,
    /// Soft-deleted versions too.
    pub include: Include,
    /// `findTags`: which tags to list; `*` for all; empty for none.
    pub find_tags: Vec<String>,
}

/// Body of `POST …/tags`.
#[derive(Debug, Clone, Default)]
pub struct TagRequest {
    /// `newVersion`
    pub new_version: Option<i32>,
    /// Tags to add and remove.
    pub tags: TagEdit,
    /// Replaces metadata.
    pub metadata: Option<Metadata>,
    /// Replaces rules.
    pub rule_set: Option<RuleSet>,
    /// Merged into the rules.
    pub rules_to_merge: Option<RuleSet>,
    /// Names of rules to take out.
    pub rules_to_remove: Vec<String>,
}

/// Filters of `GET /schemas`.
#[derive(Debug, Clone)]
pub struct ListSchemas {
    /// As given; empty = default context.
    pub subject_prefix: String,
    /// `deleted`
    pub include: Include,
    /// `latestOnly`
    pub latest_only: bool,
    /// `aliases=true`: show them, and list what the aliases that match the prefix stand for.
    pub aliases: bool,
    /// `ruleType`: only schemas with such a rule.
    pub rule_type: Option<String>,
    /// `resourceType`, `associationType`, `lifecycle`: only schemas of subjects associated so.
    pub associated: Option<Associated>,
    /// The page.
    pub page: Page,
}

/// How the subjects of a list are associated.
#[derive(Debug, Clone, Default)]
pub struct Associated {
    /// With resources of this type, by associations of these types.
    pub filter: AssociationFilter,
    /// Of one of these life cycles; `None` in it: not associated at all. Empty: associated somehow.
    pub lifecycles: Vec<Option<Lifecycle>>,
}

/// An entry of `GET /schemas`.
#[derive(Debug, Clone)]
pub struct ListedSchema {
    /// The version.
    pub entity: SchemaEntity,
    /// Names that stand for its subject, if they were asked for.
    pub aliases: Vec<SubjectName>,
    /// The associations of its subject that were asked for.
    pub associations: Vec<Association>,
}

/// How `GET …/versions` lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VersionListing {
    /// By view.
    View(View),
    /// All, deleted ones negated; existence is judged by the view.
    DeletedAsNegative(View),
}

/// Result of a compatibility check; the default is a no without reasons.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CompatibilityReport {
    /// The verdict.
    pub is_compatible: bool,
    /// Reasons, as the endpoint lists them when verbose; empty when compatible.
    pub messages: Vec<String>,
    /// What the author may do instead of the first incompatible change, where something small helps.
    pub hint: Option<String>,
}

/// A partial change of a config: `None` keeps, `Some(None)` clears.
#[allow(missing_docs)] // the fields of [`crate::Config`]
#[derive(Debug, Clone, Default)]
pub struct ConfigUpdate {
    pub alias: Option<Option<String>>,
    pub alias_for_deks: Option<Option<String>>,
    pub normalize: Option<Option<bool>>,
    pub validate_fields: Option<Option<bool>>,
    pub validate_new_schemas: Option<Option<bool>>,
    pub validate_rules: Option<Option<bool>>,
    pub compatibility: Option<Option<String>>,
    pub compatibility_policy: Option<Option<String>>,
    pub compatibility_group: Option<Option<String>>,
    pub default_metadata: Option<Option<Metadata>>,
    pub override_metadata: Option<Option<Metadata>>,
    pub default_rule_set: Option<Option<RuleSet>>,
    pub override_rule_set: Option<Option<RuleSet>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The recordings of `delete-bad-versions`; `rest/VersionId`, 8.2.0.
    #[test]
    fn a_version_is_a_positive_number_or_the_latest_and_a_refused_number_is_told_as_one() {
        for (text, expected) in [
            ("1", Ok(VersionSpec::Number(1))),
            (" +07 ", Ok(VersionSpec::Number(7))),
            ("-1", Ok(VersionSpec::Latest)),
            (" LaTeSt", Ok(VersionSpec::Latest)),
            ("0", Err("0")),
            (" 00", Err("0")),
            ("-02", Err("-2")),
            (" abc", Err(" abc")),
            (" ", Err(" ")),
            ("2147483648", Err("2147483648")),
        ] {
            assert_eq!(VersionSpec::parse(text), expected.map_err(str::to_owned), "{text:?}");
        }
    }
}
