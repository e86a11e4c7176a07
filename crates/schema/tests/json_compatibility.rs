//! The evolution corpus (`tests/corpus/json/*.yaml`), and properties and bounds of the comparison.
//!
//! Each row is compared forwards and back with *every* rule; neither side may differ from itself. Each change type
//! needs a row that fires it.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use saphyr::{LoadableYamlNode, Yaml};
use sluice_schema::compat::{self, Direction, Policy, Prior};
use sluice_schema::json::JsonSchema;
use sluice_schema::json::diff::{self, Allowed, CHANGES, Change};
use sluice_schema::{Level, Schema, SchemaType, Version};

const POLICIES: [Policy; 2] = [Policy::Strict, Policy::Lenient];

struct Row {
    name: String,
    original: Schema,
    update: Schema,
    changes: Vec<String>,
    back: Vec<String>,
    /// Compatible, and compatible back.
    strict: [bool; 2],
    lenient: [bool; 2],
}

fn corpus() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/json");
    let mut files: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    files.iter().flat_map(|file| rows(file)).collect()
}

fn rows(file: &Path) -> Vec<Row> {
    let text = std::fs::read_to_string(file).unwrap();
    let stem = file.file_stem().unwrap().to_string_lossy();
    let documents = Yaml::load_from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let row = |yaml: &Yaml<'_>| {
        let name = format!("{stem}: {}", yaml["description"].as_str().unwrap());
        let lines = |key: &str| {
            let mut lines: Vec<String> =
                yaml[key].as_vec().unwrap().iter().map(|line| line.as_str().unwrap().to_owned()).collect();
            lines.sort();
            lines
        };
        let verdicts = |key: &str| {
            let list = yaml.as_mapping_get(key)?.as_vec()?;
            Some([list[0].as_bool()?, list[1].as_bool()?])
        };
        let strict = verdicts("strict").unwrap_or_else(|| panic!("{name}: strict"));
        Row {
            original: schema(yaml["original_schema"].as_str().unwrap()),
            update: schema(yaml["update_schema"].as_str().unwrap()),
            changes: lines("changes"),
            back: lines("back"),
            strict,
            lenient: verdicts("lenient").unwrap_or(strict),
            name,
        }
    };
    documents[0].as_vec().unwrap().iter().map(row).collect()
}

fn schema(text: &str) -> Schema {
    let schema = Schema::parse(SchemaType::Json, text, [].into(), [].into());
    let schema = schema.unwrap_or_else(|error| panic!("{text}: {error}"));
    json(&schema).model().unwrap_or_else(|error| panic!("{text}: {error}"));
    schema
}

fn json(schema: &Schema) -> &JsonSchema {
    match schema {
        Schema::Json(schema) => schema,
        other => panic!("not JSON Schema: {other:?}"),
    }
}

/// `TYPE path` of every change, in order.
fn changes(original: &Schema, update: &Schema, policy: Policy) -> Vec<String> {
    let found = diff::changes(json(original).model().unwrap(), json(update).model().unwrap(), policy);
    found.iter().map(|found| format!("{} {}", found.change.id, found.path)).collect()
}

/// `TYPE path` of what keeps `update` from accepting what `original` accepts, in order.
fn breaking(original: &Schema, update: &Schema, policy: Policy) -> Vec<String> {
    let found = compat::differences_under(policy, update, original, Direction::Backward);
    found.iter().map(|found| format!("{} {}", found.kind, found.path)).collect()
}

fn change_of(line: &str) -> &'static Change {
    let id = line.split(' ').next().unwrap();
    CHANGES.iter().find(|change| change.id == id).unwrap_or_else(|| panic!("unknown change type in {line}"))
}

#[test]
fn every_row_gives_exactly_its_changes_and_its_way_back_those_of_the_way_back() {
    for row in corpus() {
        for (from, to, lines) in [(&row.original, &row.update, &row.changes), (&row.update, &row.original, &row.back)] {
            let mut found = changes(from, to, Policy::Strict);
            found.sort();
            assert_eq!(found, *lines, "{}", row.name);
        }
    }
}

#[test]
fn rows_are_compatible_as_they_say_under_both_policies() {
    for row in corpus() {
        for (policy, expected) in [(Policy::Strict, row.strict), (Policy::Lenient, row.lenient)] {
            let there = breaking(&row.original, &row.update, policy).is_empty();
            let back = breaking(&row.update, &row.original, policy).is_empty();
            assert_eq!([there, back], expected, "{} under {policy:?}", row.name);
        }
    }
}

#[test]
fn what_breaks_is_what_the_policy_does_not_allow_of_all_changes_in_their_order() {
    for row in corpus() {
        for policy in POLICIES {
            for (from, to) in [(&row.original, &row.update), (&row.update, &row.original)] {
                let mut all = changes(from, to, policy);
                all.retain(|line| !change_of(line).is_compatible(policy));
                assert_eq!(breaking(from, to, policy), all, "{} under {policy:?}", row.name);
            }
        }
    }
}

#[test]
fn forward_differences_are_the_backward_ones_of_the_swapped_pair_in_other_words() {
    for row in corpus() {
        let forward = compat::differences(&row.update, &row.original, Direction::Forward);
        let swapped = compat::differences(&row.original, &row.update, Direction::Backward);
        let reworded = swapped.iter().map(|found| {
            let words = found.message.replace(" new ", " \0 ").replace(" old ", " new ");
            words.replace(" \0 ", " old ").replace("between the new and old", "between the old and new")
        });
        let forward: Vec<String> = forward.iter().map(|found| found.message.clone()).collect();
        assert_eq!(forward, reworded.collect::<Vec<_>>(), "{}", row.name);
    }
}

#[test]
fn nothing_differs_from_itself() {
    for row in corpus() {
        for schema in [&row.original, &row.update] {
            for policy in POLICIES {
                let mut all = changes(schema, schema, policy);
                // The reference calls every `not` narrowed whose schema did not become wider.
                all.retain(|line| !line.starts_with("NOT_TYPE_NARROWED "));
                assert_eq!(all, [""; 0], "{}", row.name);
                assert_eq!(breaking(schema, schema, policy), [""; 0], "{}", row.name);
            }
        }
    }
}

#[test]
fn every_change_type_has_a_row_that_fires_it() {
    let rows = corpus();
    for change in CHANGES {
        let fires = |row: &Row| row.changes.iter().chain(&row.back).any(|line| change_of(line) == change);
        assert!(rows.iter().any(fires), "no row: {}", change.id);
    }
}

#[test]
fn changes_that_are_not_always_allowed_have_words() {
    for change in CHANGES {
        // The reference has none for SCHEMA_ADDED.
        let speaks = change.allowed != Allowed::Always && change.id != "SCHEMA_ADDED";
        assert_eq!(!change.template.is_empty(), speaks, "{}", change.id);
        assert_eq!(change.template.contains("'P'"), speaks, "{}", change.id);
        assert_eq!(CHANGES.iter().filter(|other| other.id == change.id).count(), 1, "{} is there twice", change.id);
    }
}

mod result_list {
    use super::*;

    fn messages(policy: Policy, level: Level, new: &str, old: &str) -> Vec<String> {
        let previous = [Prior { version: Version(3), schema: Arc::new(schema(old)) }];
        let checked = compat::check_under(policy, level, &schema(new), &previous, false);
        checked.map_or_else(|refused| refused.messages(), |()| Vec::new())
    }

    const CLOSED: &str = r#"{"properties":{"a":{"type":"null"}},"additionalProperties":false}"#;
    const WITH_B: &str = r#"{"properties":{"a":{"type":"null"},"b":{}},"additionalProperties":false}"#;

    #[test]
    fn a_message_opens_with_one_quote_and_closes_with_the_other() {
        let list = messages(Policy::Strict, Level::Backward, CLOSED, WITH_B);
        let removed = "{errorType:\"PROPERTY_REMOVED_FROM_CLOSED_CONTENT_MODEL\", description:\"The new has a closed \
            content model and is missing a property or item present at path '#/properties/b' in the old schema'}";
        let old = format!("{{oldSchema: '{WITH_B}'}}");
        let trailer = "{validateFields: 'false', compatibility: 'BACKWARD'}";
        assert_eq!(list, [removed, "{oldSchemaVersion: 3}", &old, trailer]);
    }

    #[test]
    fn the_lenient_policy_lets_a_property_go() {
        assert_eq!(messages(Policy::Lenient, Level::Full, CLOSED, WITH_B), [""; 0]);
        assert_eq!(messages(Policy::Lenient, Level::Full, WITH_B, CLOSED), [""; 0]);
        assert_eq!(messages(Policy::Strict, Level::Forward, CLOSED, WITH_B), [""; 0]);
    }

    #[test]
    fn a_path_is_taken_as_it_is() {
        let with = |kind: &str| format!(r#"{{"properties":{{"%2/ ~'P'":{{"type":"{kind}"}}}}}}"#);
        let list = messages(Policy::Strict, Level::Backward, &with("string"), &with("null"));
        let expected = "{errorType:\"TYPE_CHANGED\", description:\"A type at path '#/properties/%2/ ~'P'' is different \
            between the new schema and the old schema'}";
        assert_eq!(list[0], expected);
    }

    #[test]
    fn properties_come_in_the_order_of_javas_hash_sets() {
        // Buckets of 16: "b" 2, "c" 3, "aa" 3104 -> 0; the text has them the other way round.
        let with = |kind: &str| format!(r#"{{"properties":{{"c":{kind},"b":{kind},"aa":{kind}}}}}"#);
        let (old, new) = (schema(&with(r#"{"type":"null"}"#)), schema(&with(r#"{"type":"string"}"#)));
        let expected = ["aa", "b", "c"].map(|name| format!("TYPE_CHANGED #/properties/{name}"));
        assert_eq!(breaking(&old, &new, Policy::Strict), expected);
    }
}

/// Schemas that would take a naive comparison for ever.
mod bounds {
    use super::*;

    fn within<T>(limit: Duration, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = work();
        // Debug builds on a busy machine: the limits are generous, exponential work would miss them by far.
        assert!(start.elapsed() < limit, "took {:?}", start.elapsed());
        done
    }

    fn with_definitions(root: &str, definitions: impl Iterator<Item = (String, String)>) -> Schema {
        let definitions: Vec<String> = definitions.map(|(name, text)| format!("\"{name}\": {text}")).collect();
        schema(&format!("{{\"$ref\": \"#/definitions/{root}\", \"definitions\": {{{}}}}}", definitions.join(", ")))
    }

    /// Each rung refers to the next one twice.
    fn ladder(rungs: usize, last: &str) -> Schema {
        let rung = |n: usize| {
            let next = format!("{{\"$ref\": \"#/definitions/r{}\"}}", n + 1);
            (format!("r{n}"), format!("{{\"properties\": {{\"a\": {next}, \"b\": {next}}}}}"))
        };
        with_definitions("r0", (0..rungs).map(rung).chain([(format!("r{rungs}"), last.to_owned())]))
    }

    #[test]
    fn a_ladder_of_references_is_compared_rung_by_rung_and_its_list_is_cut() {
        within(Duration::from_secs(20), || {
            let (old, same, new) =
                (ladder(100, "{\"type\":\"null\"}"), ladder(100, "{}"), ladder(100, "{\"type\":\"string\"}"));
            assert_eq!(breaking(&old, &same, Policy::Strict), [""; 0]);
            let list = breaking(&old, &new, Policy::Strict);
            // Paths of 1,300 bytes, as many as fit into 4 MiB.
            assert!((3_000..3_300).contains(&list.len()), "{}", list.len());
            assert!(list.iter().all(|line| line.starts_with("TYPE_CHANGED #/properties/")));
            let short =
                breaking(&ladder(14, "{\"type\":\"null\"}"), &ladder(14, "{\"type\":\"string\"}"), Policy::Strict);
            assert_eq!(short.len(), 10_000);
        });
    }

    /// `kinds` kinds of thing, each with `links` properties that are an id or any thing.
    fn things(kinds: usize, links: usize, tag: &str) -> Schema {
        let thing = |n: usize| {
            let links: String =
                (0..links).map(|l| format!("\"link{l}\": {{\"$ref\": \"#/definitions/Link\"}}, ")).collect();
            let text =
                format!("{{\"type\": \"object\", \"properties\": {{{links} \"tag\": {{\"const\": \"{tag}{n}\"}}}}}}");
            (format!("T{n}"), text)
        };
        let any: Vec<String> = (0..kinds).map(|n| format!("{{\"$ref\": \"#/definitions/T{n}\"}}")).collect();
        let thing_of = ("Thing".to_owned(), format!("{{\"oneOf\": [{}]}}", any.join(", ")));
        let link = "{\"oneOf\": [{\"type\": \"string\"}, {\"$ref\": \"#/definitions/Thing\"}]}";
        with_definitions("Thing", (0..kinds).map(thing).chain([thing_of, ("Link".to_owned(), link.to_owned())]))
    }

    #[test]
    fn alternatives_that_refer_to_each_other_are_compared_once_per_pair() {
        within(Duration::from_secs(30), || {
            let old = things(12, 5, "kind");
            assert_eq!(breaking(&old, &things(12, 5, "kind"), Policy::Strict), [""; 0]);
            assert_eq!(breaking(&old, &things(13, 5, "kind"), Policy::Strict), [""; 0]);
            assert_eq!(breaking(&old, &things(11, 5, "kind"), Policy::Strict)[0], "SUM_TYPE_NARROWED #/");
            let other = breaking(&old, &things(12, 5, "other"), Policy::Strict);
            assert_eq!(other, ["COMBINED_TYPE_SUBSCHEMAS_CHANGED #/"]);
        });
    }

    /// A circle of `length` schemas; the last link says `last` beside.
    fn circle(length: usize, last: &str) -> Schema {
        let link = |n: usize| {
            let next = (n + 1) % length;
            let mark = if n + 1 == length { last } else { "{\"type\": \"null\"}" };
            let text = format!("{{\"properties\": {{\"n\": {{\"$ref\": \"#/definitions/c{next}\"}}, \"m\": {mark}}}}}");
            (format!("c{n}"), text)
        };
        with_definitions("c0", (0..length).map(link))
    }

    #[test]
    fn circles_of_different_lengths_are_walked_round_without_recursion() {
        within(Duration::from_secs(20), || {
            let (old, new) = (circle(97, "{\"type\": \"null\"}"), circle(101, "{\"type\": \"null\"}"));
            assert_eq!(breaking(&old, &new, Policy::Strict), [""; 0]);
            let list = breaking(&old, &circle(101, "{\"type\": \"string\"}"), Policy::Strict);
            assert!(!list.is_empty() && list.len() <= 10_000, "{}", list.len());
        });
    }

    #[test]
    fn nesting_up_to_the_parsers_cap_is_compared() {
        let nested = |kind: &str| {
            let (open, close) = ("{\"items\":".repeat(250), "}".repeat(250));
            schema(&format!("{open}{{\"type\":\"{kind}\"}}{close}"))
        };
        assert_eq!(nested("null").tagged_entities(), []);
        let list = breaking(&nested("null"), &nested("string"), Policy::Strict);
        assert_eq!(list, [format!("TYPE_CHANGED #/{}", ["items"; 250].join("/"))]);
    }

    #[test]
    fn more_work_than_is_granted_is_a_refusal_that_says_so() {
        // 1,800 alternatives that are all others: more than three million pairs to ask for.
        let many = |tag: &str| {
            let one = |n: usize| format!("{{\"properties\":{{\"t\":{{\"const\":\"{tag}{n}\"}}}}}}");
            let all: Vec<String> = (0..1_800).map(one).collect();
            schema(&format!("{{\"oneOf\":[{}]}}", all.join(",")))
        };
        let (old, new) = (many("a"), many("b"));
        let list = within(Duration::from_secs(120), || compat::differences(&new, &old, Direction::Backward));
        let said = "{errorType:\"COMPARISON_TOO_COMPLEX\", description:\"The new schema and the old schema are too \
            complex to be compared'}";
        assert_eq!(list.iter().map(|found| found.message.as_str()).collect::<Vec<_>>(), [said]);
        let itself = within(Duration::from_secs(20), || compat::differences(&old, &old, Direction::Backward));
        assert_eq!(itself, []);
    }
}

mod properties {
    use super::*;

    fn names() -> impl Strategy<Value = &'static str> {
        proptest::sample::select(vec!["a", "b", "next", "n_1"])
    }

    fn leaf() -> impl Strategy<Value = String> {
        let texts = [
            "{}",
            "true",
            "false",
            "{\"type\": \"null\"}",
            "{\"type\": \"string\"}",
            "{\"type\": \"string\", \"maxLength\": 3}",
            "{\"type\": \"string\", \"default\": \"\"}",
            "{\"type\": \"integer\", \"connect.type\": \"int8\"}",
            "{\"type\": \"number\", \"minimum\": 0}",
            "{\"type\": [\"string\", \"null\"]}",
            "{\"enum\": [\"a\", 1]}",
            "{\"const\": 1}",
            "{\"$ref\": \"#\"}",
            "{\"$ref\": \"#/definitions/d\"}",
            "{\"$ref\": \"#/definitions/e\"}",
        ];
        proptest::sample::select(texts.to_vec()).prop_map(str::to_owned)
    }

    fn part() -> impl Strategy<Value = String> {
        leaf().prop_recursive(3, 24, 4, |inner| {
            let list = proptest::collection::vec(inner.clone(), 1..4).prop_map(|parts| parts.join(", "));
            let properties = proptest::collection::btree_map(names(), inner.clone(), 0..4);
            let rest = proptest::sample::select(vec![
                "",
                ", \"additionalProperties\": false",
                ", \"additionalProperties\": {\"type\": \"string\"}",
                ", \"required\": [\"a\", \"b\"]",
                ", \"patternProperties\": {\"^n_\": {\"type\": \"integer\"}}, \"additionalProperties\": false",
                ", \"dependencies\": {\"a\": [\"b\"], \"b\": {\"required\": [\"next\"]}}",
            ]);
            let object = (properties, rest).prop_map(|(properties, rest)| {
                let members: Vec<String> =
                    properties.into_iter().map(|(name, part)| format!("\"{name}\": {part}")).collect();
                format!("{{\"type\": \"object\", \"properties\": {{{}}}{rest}}}", members.join(", "))
            });
            let combine = proptest::sample::select(vec!["allOf", "anyOf", "oneOf"]);
            prop_oneof![
                3 => object,
                1 => (combine, list.clone()).prop_map(|(keyword, list)| format!("{{\"{keyword}\": [{list}]}}")),
                1 => list.prop_map(|list| format!("{{\"items\": [{list}], \"additionalItems\": false}}")),
                1 => inner.clone().prop_map(|part| format!("{{\"not\": {part}}}")),
                1 => inner.prop_map(|part| format!("{{\"type\": \"array\", \"items\": {part}, \"uniqueItems\": true}}")),
            ]
        })
    }

    fn whole() -> impl Strategy<Value = Schema> {
        let drafts = ["http://json-schema.org/draft-07/schema#", "https://json-schema.org/draft/2020-12/schema"];
        (proptest::sample::select(drafts.to_vec()), part(), part(), part()).prop_map(|(draft, root, d, e)| {
            let definitions = format!("\"definitions\": {{\"d\": {d}, \"e\": {e}}}");
            let properties = format!("\"properties\": {{\"root\": {root}, \"next\": {d}}}");
            let text = format!("{{\"$schema\": \"{draft}\", {definitions}, {properties}}}");
            schema(&if draft.contains("2020") { text.replace("\"items\": [", "\"prefixItems\": [") } else { text })
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_schema_is_compatible_with_itself_at_every_level(one in whole()) {
            let again = schema(one.canonical_text());
            let previous = [Prior { version: Version(1), schema: Arc::new(one) }];
            for level in Level::ALL {
                for policy in POLICIES {
                    prop_assert_eq!(compat::check_under(policy, level, &again, &previous, false), Ok(()));
                }
            }
        }

        #[test]
        fn what_is_listed_agrees_with_the_verdict(old in whole(), new in whole()) {
            for policy in POLICIES {
                let mut all = changes(&old, &new, policy);
                all.retain(|line| !change_of(line).is_compatible(policy));
                prop_assert_eq!(breaking(&old, &new, policy), all);
            }
        }

        #[test]
        fn the_lenient_policy_allows_what_the_strict_one_does(old in whole(), new in whole()) {
            if breaking(&old, &new, Policy::Strict).is_empty() {
                prop_assert_eq!(breaking(&old, &new, Policy::Lenient), [""; 0]);
            }
        }
    }
}
