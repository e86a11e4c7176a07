//! Options by name, and Confluent's `*_meta` options as values.
//!
//! Later options of a name replace earlier ones, except that literals are merged: their entries gather, and two
//! values of one entry become a list without repetitions.
//!
//! Source: schema-registry `ProtobufSchema#mergeOptions`, `#findOption`, `#findMeta`, 8.2.0.

use std::collections::{HashMap, HashSet};

use super::model::{OptionElement, OptionValue};

/// Entries of a literal.
pub(super) type Entries = Vec<(String, OptionValue)>;

/// What a `confluent.*_meta` option says.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Meta {
    pub(super) doc: Option<String>,
    pub(super) params: Vec<(String, String)>,
    pub(super) tags: Vec<String>,
    pub(super) rules: Vec<Rule>,
}

/// A rule of a meta option. Absent parts are empty.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Rule {
    pub(super) name: String,
    pub(super) doc: String,
    pub(super) expr: String,
    pub(super) sql: String,
}

/// A name without its leading dot.
fn bare(name: &str) -> &str {
    name.strip_prefix('.').unwrap_or(name)
}

/// The value of the last option of this name.
pub(super) fn find<'a>(options: &'a [OptionElement], name: &str) -> Option<&'a OptionValue> {
    options.iter().rev().find(|option| bare(&option.name) == name).map(|option| &option.value)
}

/// The text of the last option of this name, unless it is a literal or list.
pub(super) fn find_text<'a>(options: &'a [OptionElement], name: &str) -> Option<&'a str> {
    plain(find(options, name)?)
}

/// The flag of this name: `true` in any case is true, anything else false.
pub(super) fn find_flag(options: &[OptionElement], name: &str) -> Option<bool> {
    find(options, name).map(|value| plain(value).is_some_and(|text| text.eq_ignore_ascii_case("true")))
}

/// Whether the flag is there and true.
pub(super) fn is_true(options: &[OptionElement], name: &str) -> bool {
    find_flag(options, name) == Some(true)
}

/// The text of a plain value.
pub(super) fn plain(value: &OptionValue) -> Option<&str> {
    match value {
        OptionValue::String(text) | OptionValue::Number(text) | OptionValue::Enum(text) => Some(text),
        OptionValue::Boolean(flag) => Some(if *flag { "true" } else { "false" }),
        OptionValue::Map(_) | OptionValue::List(_) | OptionValue::Nested(_) => None,
    }
}

/// `(a).b.c = 1` as the literal `(a) = { b: { c: 1 } }`; other values stay.
pub(super) fn unnested(value: OptionValue) -> OptionValue {
    match value {
        OptionValue::Nested(part) => OptionValue::Map(vec![(part.name, unnested(part.value))]),
        other => other,
    }
}

/// All values of options of this name merged into one literal. `None` without such an option, or when the last one
/// is no literal.
pub(super) fn merged_literal(options: &[OptionElement], name: &str) -> Option<Entries> {
    let mut merged: Option<Gathered> = None;
    for option in options.iter().filter(|option| bare(&option.name) == name) {
        merged = match unnested(option.value.clone()) {
            OptionValue::Map(entries) => {
                let mut gathered = merged.unwrap_or_default();
                entries.into_iter().for_each(|(name, value)| gathered.add(name, value));
                Some(gathered)
            }
            _ => None,
        };
    }
    merged.map(|gathered| gathered.merge(|_, values| union(values)))
}

/// Entries of several literals by name, in the order their names were first seen.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    places: HashMap<String, usize>,
    values: Vec<(String, Vec<OptionValue>)>,
}

impl Gathered {
    /// Takes in one more entry.
    pub(super) fn add(&mut self, name: String, value: OptionValue) {
        match self.places.get(&name) {
            Some(place) => self.values[*place].1.push(value),
            None => {
                self.places.insert(name.clone(), self.values.len());
                self.values.push((name, vec![value]));
            }
        }
    }

    /// One literal: a lone value stays, `merge` makes one of several.
    pub(super) fn merge(self, mut merge: impl FnMut(&str, Vec<OptionValue>) -> OptionValue) -> Entries {
        let one = |(name, mut values): (String, Vec<OptionValue>)| match values.len() {
            1 => values.pop().map(|value| (name, value)),
            _ => {
                let merged = merge(&name, values);
                Some((name, merged))
            }
        };
        self.values.into_iter().filter_map(one).collect()
    }
}

/// The distinct values, lists flattened, in order, as one list.
pub(super) fn union(values: Vec<OptionValue>) -> OptionValue {
    let mut all: Vec<OptionValue> = Vec::new();
    for value in values {
        match value {
            OptionValue::List(items) => all.extend(items),
            one => all.push(one),
        }
    }
    let mut seen = HashSet::new();
    all.retain(|value| seen.insert(value.clone()));
    OptionValue::List(all)
}

/// The meta option of this name. `None` when there is none.
pub(super) fn meta(options: &[OptionElement], name: &str) -> Option<Meta> {
    let entries = merged_literal(options, name)?;
    let mut meta = Meta::default();
    for (name, value) in &entries {
        match name.as_str() {
            "doc" => meta.doc = plain(value).map(str::to_owned),
            "params" => meta.params = each(value).filter_map(param).collect(),
            "tags" => meta.tags = each(value).filter_map(plain).map(str::to_owned).collect(),
            "rules" => meta.rules = each(value).filter_map(rule).collect(),
            _ => {}
        }
    }
    Some(meta)
}

/// The items of a list, or the value itself.
fn each(value: &OptionValue) -> std::slice::Iter<'_, OptionValue> {
    match value {
        OptionValue::List(items) => items.iter(),
        one => std::slice::from_ref(one).iter(),
    }
}

fn entry<'a>(entries: &'a Entries, name: &str) -> Option<&'a str> {
    entries.iter().find(|(known, _)| known == name).and_then(|(_, value)| plain(value))
}

fn param(value: &OptionValue) -> Option<(String, String)> {
    let OptionValue::Map(entries) = value else { return None };
    Some((entry(entries, "key").unwrap_or_default().to_owned(), entry(entries, "value").unwrap_or_default().to_owned()))
}

fn rule(value: &OptionValue) -> Option<Rule> {
    let OptionValue::Map(entries) = value else { return None };
    let part = |name| entry(entries, name).unwrap_or_default().to_owned();
    Some(Rule { name: part("name"), doc: part("doc"), expr: part("expr"), sql: part("sql") })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protobuf::parse::parse_text;

    #[test]
    fn meta_gathers_dotted_and_literal_forms() {
        let file = parse_text(
            r#"option (confluent.file_meta).doc = "d";
               option (.confluent.file_meta).tags = "A";
               option (confluent.file_meta) = { tags: ["B", "A"] params: { key: "k", value: "v" } };
               option (confluent.file_meta).rules = { name: "r", expr: "e" };"#,
        )
        .unwrap();
        let meta = meta(&file.options, "confluent.file_meta").unwrap();
        assert_eq!(meta.doc.as_deref(), Some("d"));
        assert_eq!(meta.tags, ["A", "B"]);
        assert_eq!(meta.params, [("k".to_owned(), "v".to_owned())]);
        assert_eq!(meta.rules, [Rule { name: "r".into(), expr: "e".into(), ..Rule::default() }]);
    }

    #[test]
    fn the_last_flag_counts_in_any_case() {
        let file = parse_text("option a = true; option a = FALSE; option b = \"TRUE\";").unwrap();
        assert_eq!(find_flag(&file.options, "a"), Some(false));
        assert_eq!(find_flag(&file.options, "b"), Some(true));
        assert_eq!(find_flag(&file.options, "c"), None);
    }
}
