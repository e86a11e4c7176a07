//! The evolution corpus (`tests/corpus/protobuf/*.yaml`), and properties of the comparison.
//!
//! Each row is compared forwards with *every* rule; `(original, original)` and `(update, update)` must give nothing.
//! Each change type needs a row that fires it and a near miss.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // a test may

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use saphyr::{LoadableYamlNode, Yaml};
use sluice_schema::compat::{self, Direction, Prior};
use sluice_schema::protobuf::ProtobufSchema;
use sluice_schema::protobuf::diff::{self, CHANGES};
use sluice_schema::{Level, Reference, ResolvedReference, Schema, SchemaType, Version};

struct Row {
    name: String,
    original: Schema,
    update: Schema,
    changes: Vec<String>,
    compatible: bool,
}

fn corpus() -> Vec<Row> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/protobuf");
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
        let name = format!("{stem}: {}", text_of(yaml, "description"));
        let changes = sequence(yaml, "changes").map(|change| change.as_str().unwrap().to_owned()).collect();
        Row {
            original: side(yaml, "original", &name),
            update: side(yaml, "update", &name),
            changes,
            compatible: yaml["compatible"].as_bool().unwrap_or_else(|| panic!("{name}: compatible")),
            name,
        }
    };
    documents[0].as_vec().unwrap().iter().map(row).collect()
}

fn side(row: &Yaml<'_>, side: &str, name: &str) -> Schema {
    let (mut references, mut resolved) = (Vec::new(), Vec::new());
    for yaml in sequence(row, &format!("{side}_references")) {
        let reference = Reference {
            name: text_of(yaml, "name").to_owned(),
            subject: text_of(yaml, "subject").to_owned(),
            version: i32::try_from(yaml["version"].as_integer().unwrap()).unwrap(),
        };
        resolved.push(ResolvedReference {
            name: reference.name.as_str().into(),
            subject: reference.subject.as_str().into(),
            version: reference.version,
            text: with_syntax(text_of(yaml, "schema")).into(),
            references: [].into(),
        });
        if yaml.as_mapping_get("indirect").is_none() {
            references.push(reference);
        }
    }
    let text = with_syntax(text_of(row, &format!("{side}_schema")));
    let schema = Schema::parse(SchemaType::Protobuf, &text, references.into(), resolved.into());
    schema.unwrap_or_else(|error| panic!("{name}: {side}: {error}"))
}

fn text_of<'a>(yaml: &'a Yaml<'_>, key: &str) -> &'a str {
    yaml[key].as_str().unwrap_or_else(|| panic!("{key} of {yaml:?}"))
}

fn sequence<'a, 'y>(yaml: &'a Yaml<'y>, key: &str) -> impl Iterator<Item = &'a Yaml<'y>> {
    yaml.as_mapping_get(key).and_then(|list| list.as_vec()).into_iter().flatten()
}

fn with_syntax(text: &str) -> String {
    if text.contains("syntax =") { text.to_owned() } else { format!("syntax = \"proto3\"; {text}") }
}

fn proto3(text: &str) -> Schema {
    Schema::parse(SchemaType::Protobuf, &with_syntax(text), [].into(), [].into()).unwrap()
}

fn protobuf(schema: &Schema) -> &ProtobufSchema {
    let Schema::Protobuf(schema) = schema else { panic!("not protobuf") };
    schema
}

/// `TYPE path` of every change, sorted: siblings come in the order of a hash, which is tested elsewhere.
fn changes(original: &Schema, update: &Schema) -> Vec<String> {
    let found = diff::changes(protobuf(original), protobuf(update));
    let mut lines: Vec<String> = found.iter().map(|found| format!("{} {}", found.change.id, found.path)).collect();
    lines.sort();
    lines
}

#[test]
fn every_row_gives_exactly_its_changes() {
    for mut row in corpus() {
        row.changes.sort();
        assert_eq!(changes(&row.original, &row.update), row.changes, "{}", row.name);
    }
}

#[test]
fn rows_are_compatible_as_they_say_and_their_changes_agree() {
    for row in corpus() {
        let differences = compat::differences(&row.update, &row.original, Direction::Backward);
        assert_eq!(differences.is_empty(), row.compatible, "{}: {differences:#?}", row.name);
        let breaking = row.changes.iter().filter(|line| !change_of(line).compatible).count();
        assert_eq!(differences.len(), breaking, "{}", row.name);
    }
}

#[test]
fn forward_differences_are_the_backward_ones_of_the_swapped_pair_in_other_words() {
    for row in corpus() {
        let forward = compat::differences(&row.update, &row.original, Direction::Forward);
        let swapped = compat::differences(&row.original, &row.update, Direction::Backward);
        let reworded = swapped.iter().map(|found| {
            let words = found.message.replace("new schema", "\0").replace("old schema", "new schema");
            words.replace('\0', "old schema")
        });
        assert_eq!(forward.iter().map(|f| f.message.clone()).collect::<Vec<_>>(), reworded.collect::<Vec<_>>());
    }
}

#[test]
fn nothing_differs_from_itself() {
    for row in corpus() {
        for schema in [&row.original, &row.update] {
            assert_eq!(changes(schema, schema), [""; 0], "{}", row.name);
            assert_eq!(compat::differences(schema, schema, Direction::Backward), []);
            assert_eq!(compat::differences(schema, schema, Direction::Forward), []);
        }
    }
}

#[test]
fn every_change_type_has_a_row_that_fires_it_and_a_near_miss() {
    let rows = corpus();
    for change in CHANGES {
        assert!(
            rows.iter().any(|row| row.changes.iter().any(|line| change_of(line) == change)),
            "no row: {}",
            change.id
        );
        let miss = format!("near miss {}:", change.id);
        let mut misses = rows.iter().filter(|row| row.name.contains(&miss)).peekable();
        assert!(misses.peek().is_some(), "no near miss: {}", change.id);
        assert!(misses.all(|row| row.changes.iter().all(|line| change_of(line) != change)), "{}", change.id);
    }
}

#[test]
fn only_incompatible_changes_have_words() {
    let mut ids = BTreeMap::new();
    for change in CHANGES {
        assert_eq!(change.compatible, change.template.is_empty(), "{}", change.id);
        assert!(change.compatible || change.template.contains("'P'"), "{}", change.id);
        assert_eq!(ids.insert(change.id, ()), None, "{} is there twice", change.id);
    }
    assert_eq!(CHANGES.len(), 26);
}

fn change_of(line: &str) -> &'static diff::Change {
    let id = line.split(' ').next().unwrap();
    CHANGES.iter().find(|change| change.id == id).unwrap_or_else(|| panic!("unknown change type in {line}"))
}

mod result_list {
    use super::*;

    fn prior(version: i32, text: &str) -> Prior {
        Prior { version: Version(version), schema: Arc::new(proto3(text)) }
    }

    fn messages(level: Level, new: &str, previous: &[Prior]) -> Vec<String> {
        compat::check(level, &proto3(new), previous, false).expect_err("compatible").messages()
    }

    #[test]
    fn backward_lists_changes_then_version_text_and_level() {
        let list = messages(Level::Backward, "message M { string a = 1; }", &[prior(7, "message M { int32 a = 1; }")]);
        let expected = [
            r##"{errorType:"FIELD_SCALAR_KIND_CHANGED", description:"The kind of a SCALAR field at path '#/M/1' in the new schema does not match its kind in the old schema"}"##,
            "{oldSchemaVersion: 7}",
            "{oldSchema: 'syntax = \"proto3\";\n\nmessage M {\n  int32 a = 1;\n}\n'}",
            "{validateFields: 'false', compatibility: 'BACKWARD'}",
        ];
        assert_eq!(list, expected);
    }

    #[test]
    fn full_lists_forward_before_backward_and_quotes_the_old_text_once() {
        let list = messages(Level::Full, "message M { string a = 1; }", &[prior(1, "message M { int32 a = 1; }")]);
        assert_eq!(list.len(), 5);
        assert!(list[0].contains("in the old schema does not match its kind in the new schema"));
        assert!(list[1].contains("in the new schema does not match its kind in the old schema"));
        assert_eq!(list[2], "{oldSchemaVersion: 1}");
    }

    #[test]
    fn full_quotes_nothing_when_only_the_forward_direction_fails() {
        let list = messages(Level::Full, "message M { } message N { }", &[prior(1, "message M { }")]);
        let expected = [
            r##"{errorType:"MESSAGE_REMOVED", description:"The old schema is missing a MESSAGE type at path '#/N' in the new schema"}"##,
            "{validateFields: 'false', compatibility: 'FULL'}",
        ];
        assert_eq!(list, expected);
    }

    #[test]
    fn forward_quotes_the_old_text() {
        let list = messages(Level::Forward, "message M { } message N { }", &[prior(1, "message M { }")]);
        assert_eq!(list.len(), 4);
        assert_eq!(list[1], "{oldSchemaVersion: 1}");
    }

    #[test]
    fn transitive_levels_stop_at_the_newest_version_that_fails() {
        let previous =
            [prior(1, "message M { int32 a = 1; }"), prior(2, "message M { bytes a = 1; }"), prior(4, "message M { }")];
        let new = proto3("message M { fixed32 a = 1; }");
        assert_eq!(compat::check(Level::Backward, &new, &previous, false), Ok(()));
        let refused = compat::check(Level::BackwardTransitive, &new, &previous, true).unwrap_err();
        assert_eq!(refused.against, Some(Version(2)));
        assert_eq!(refused.differences.len(), 1);
        assert_eq!(
            refused.messages().last().unwrap(),
            "{validateFields: 'true', compatibility: 'BACKWARD_TRANSITIVE'}"
        );
    }

    #[test]
    fn nothing_before_or_level_none_means_compatible() {
        for level in Level::ALL {
            assert_eq!(compat::check(level, &proto3("message M { }"), &[], false), Ok(()));
        }
        let previous = [prior(1, "package a; message M { }")];
        assert_eq!(compat::check(Level::None, &proto3("package b;"), &previous, false), Ok(()));
    }

    #[test]
    fn a_long_old_text_is_cut_after_10240_characters() {
        let fields: String = (1..600).map(|tag| format!("string a_field_of_some_length_{tag} = {tag};")).collect();
        let old = prior(1, &format!("message M {{ {fields} }}"));
        let whole = old.schema.canonical_text().clone();
        assert!(whole.len() > 10_240);
        let list = messages(Level::Backward, "message N { }", &[old]);
        assert_eq!(list[2], format!("{{oldSchema: <truncated> '{}...'}}", &whole[..10_240]));
    }

    #[test]
    fn the_cut_counts_utf16_units_and_spares_characters_of_two() {
        let option = |length: usize| format!("option java_package = \"{}\"; message M {{ }}", "𝄞".repeat(length));
        let old = prior(1, &option(6_000));
        let text = old.schema.canonical_text().clone();
        let start = text.find('𝄞').unwrap();
        let list = messages(Level::Backward, "message N { }", &[old]);
        let kept = (10_240 - start) / 2;
        assert_eq!(list[2], format!("{{oldSchema: <truncated> '{}{}...'}}", &text[..start], "𝄞".repeat(kept)));
    }
}

mod bounds {
    use super::*;
    use std::time::{Duration, Instant};

    /// A schema with `main` as its file and `dep` as version `version` of its reference.
    fn with_dep(main: &str, dep: &str, version: i32) -> Schema {
        let reference = Reference { name: "dep.proto".into(), subject: "dep".into(), version };
        let resolved = ResolvedReference {
            name: "dep.proto".into(),
            subject: "dep".into(),
            version,
            text: with_syntax(dep).into(),
            references: [].into(),
        };
        Schema::parse(SchemaType::Protobuf, &with_syntax(main), [reference].into(), [resolved].into()).unwrap()
    }

    fn within<T>(limit: Duration, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let done = work();
        // Debug builds on a busy machine: the limits are generous, exponential work would miss them by far.
        assert!(start.elapsed() < limit, "took {:?}", start.elapsed());
        done
    }

    /// `count` messages, each with a field of every other one's type.
    fn clique(count: usize, last: &str) -> String {
        let message = |n: usize| {
            let fields: String = (0..count).map(|to| format!("T{to} f{to} = {}; ", to + 1)).collect();
            format!("message T{n} {{ {fields} {last} x = 5000; }}\n")
        };
        (0..count).map(message).collect()
    }

    #[test]
    fn types_that_all_contain_each_other_cost_no_exponential_time() {
        let main = "message Main { T0 t = 1; }";
        let old = with_dep(main, &clique(60, "int32"), 1);
        let same = with_dep(main, &clique(60, "int64"), 2);
        let other = with_dep(main, &clique(60, "string"), 3);
        within(Duration::from_secs(20), || {
            assert_eq!(compat::differences(&same, &old, Direction::Backward), []);
            assert_eq!(compat::differences(&other, &old, Direction::Backward).len(), 60);
        });
    }

    #[test]
    fn a_ladder_of_referenced_types_costs_no_exponential_time() {
        let ladder = |last: &str| -> String {
            let rung = |n: usize| format!("message T{n} {{ T{} a = 1; T{} b = 2; }}\n", n + 1, n + 1);
            (0..400).map(rung).chain([format!("message T400 {{ {last} x = 1; }}")]).collect()
        };
        let main = "message Main { T0 t = 1; }";
        let old = with_dep(main, &ladder("int32"), 1);
        within(Duration::from_secs(20), || {
            assert_eq!(compat::differences(&with_dep(main, &ladder("int64"), 2), &old, Direction::Backward), []);
            let broken = compat::differences(&with_dep(main, &ladder("string"), 3), &old, Direction::Backward);
            assert_eq!(broken.len(), 1);
            assert_eq!(broken[0].path, "#/T400/1");
        });
    }

    #[test]
    fn entries_that_contain_themselves_end() {
        let looped = "message M { repeated E e = 1; message E { option map_entry = true; E key = 1; E value = 2; } }";
        let schema = proto3(looped);
        assert_eq!(changes(&schema, &schema), [""; 0]);
    }

    #[test]
    fn long_names_nested_deep_give_a_bounded_list() {
        // Forty levels of these come close to the longest full name that parses.
        let name = "n".repeat(11);
        let fields = |kind: &str| (1..5_000).map(|tag| format!("{kind} f{tag} = {tag};")).collect::<String>();
        let nested = |kind: &str| {
            let (open, close) = (format!("message {name} {{ ").repeat(40), "}".repeat(40));
            format!("{open}{}{close}", fields(kind))
        };
        let (old, new) = (proto3(&nested("int32")), proto3(&nested("string")));
        let differences = within(Duration::from_secs(20), || compat::differences(&new, &old, Direction::Backward));
        assert!(!differences.is_empty());
        assert!(differences.iter().map(|found| found.path.len()).sum::<usize>() < 5 * 1024 * 1024);
    }
}

mod generated {
    use super::*;
    use proptest::prelude::*;

    const TYPES: [&str; 12] = [
        "int32",
        "int64",
        "sint32",
        "bool",
        "string",
        "bytes",
        "fixed32",
        "double",
        "Top0",
        "Top1",
        "E0",
        "google.protobuf.Struct",
    ];

    /// A field, a map or a oneof with members; `tag` is the first one it may use, of ten.
    fn member(tag: usize) -> impl Strategy<Value = String> {
        let type_of = proptest::sample::select(TYPES.to_vec());
        let label = proptest::sample::select(vec!["", "optional ", "repeated "]);
        prop_oneof![
            4 => (label, type_of.clone()).prop_map(move |(label, type_)| format!("{label}{type_} f{tag} = {tag};")),
            1 => type_of.clone().prop_map(move |type_| format!("map<string, {type_}> f{tag} = {tag};")),
            1 => proptest::collection::vec(type_of, 1..4).prop_map(move |types| {
                let members = types.iter().enumerate().map(|(n, type_)| format!("{type_} g{n}_{tag} = {};", tag + n));
                format!("oneof o{tag} {{ {} }}", members.collect::<String>())
            }),
        ]
    }

    fn body() -> impl Strategy<Value = String> {
        let members = proptest::collection::btree_set(0usize..6, 0..6);
        members
            .prop_flat_map(|slots| slots.into_iter().map(|slot| member(1 + slot * 10)).collect::<Vec<_>>())
            .prop_map(|members| members.concat())
    }

    fn message(name: &'static str) -> impl Strategy<Value = String> {
        (body(), proptest::option::of(body())).prop_map(move |(body, nested)| {
            let nested = nested.map_or_else(String::new, |body| format!("message In {{ {body} }}"));
            format!("message {name} {{ {body} {nested} }}\n")
        })
    }

    fn file() -> impl Strategy<Value = Schema> {
        let package = proptest::sample::select(vec!["", "package p;", "package p.q;", "package google.x;"]);
        (package, message("Top0"), message("Top1"), any::<bool>()).prop_map(|(package, first, second, swapped)| {
            let (first, second) = if swapped { (second, first) } else { (first, second) };
            proto3(&format!("{package} import \"google/protobuf/struct.proto\"; {first} {second} enum E0 {{ Z = 0; }}"))
        })
    }

    proptest! {
        #[test]
        fn a_file_is_compatible_with_itself_at_every_level(schema in file()) {
            let text = schema.canonical_text().clone();
            let again = Schema::parse(SchemaType::Protobuf, &text, [].into(), [].into()).unwrap();
            prop_assert_eq!(changes(&schema, &again), [""; 0]);
            let previous = [Prior { version: Version(1), schema: Arc::new(schema) }];
            for level in Level::ALL {
                prop_assert_eq!(compat::check(level, &again, &previous, false), Ok(()));
            }
        }

        #[test]
        fn full_is_backward_and_forward_together(old in file(), new in file()) {
            let previous = [Prior { version: Version(1), schema: Arc::new(old) }];
            let ok = |level| compat::check(level, &new, &previous, false).is_ok();
            prop_assert_eq!(ok(Level::Full), ok(Level::Backward) && ok(Level::Forward));
            prop_assert_eq!(ok(Level::Full), ok(Level::FullTransitive));
        }

        #[test]
        fn reported_differences_are_the_incompatible_changes_in_their_order(old in file(), new in file()) {
            let differences = compat::differences(&new, &old, Direction::Backward);
            let found = diff::changes(protobuf(&old), protobuf(&new));
            let incompatible: Vec<_> =
                found.into_iter().filter(|found| !found.change.compatible).map(|f| (f.change.id, f.path)).collect();
            prop_assert_eq!(differences.into_iter().map(|d| (d.kind, d.path)).collect::<Vec<_>>(), incompatible);
        }
    }
}
