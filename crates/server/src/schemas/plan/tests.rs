use std::sync::atomic::{AtomicU32, Ordering};

use super::*;

/// A directory of its own with these files; removed at the end.
struct Tree(PathBuf);

impl Tree {
    fn of(files: &[(&str, &str)]) -> Tree {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let directory = std::env::temp_dir().join(format!("sluice-plan-{}-{number}", std::process::id()));
        for (name, text) in files {
            let path = directory.join(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        }
        Tree(directory)
    }

    fn read(&self, given: &[&str], roots: &[&str]) -> Result<Plan, Vec<Problem>> {
        let at = |names: &[&str]| names.iter().map(|name| self.0.join(name)).collect::<Vec<_>>();
        Plan::read(&at(given), &at(roots))
    }
}

impl Drop for Tree {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn names(plan: &Plan) -> Vec<&str> {
    plan.files.iter().map(|file| file.name.as_str()).collect()
}

fn proto(imports: &[&str], body: &str) -> String {
    let imports: String = imports.iter().map(|path| format!("import \"{path}\";\n")).collect();
    format!("syntax = \"proto3\";\n{imports}{body}")
}

#[test]
fn imports_come_first_and_each_file_once() {
    let tree = Tree::of(&[
        ("p/a.proto", &proto(&["x/b.proto", "x/c.proto"], "message A { B b = 1; C c = 2; }")),
        ("p/x/b.proto", &proto(&["x/c.proto"], "message B { C c = 1; }")),
        ("p/x/c.proto", &proto(&["google/protobuf/any.proto"], "message C { google.protobuf.Any a = 1; }")),
    ]);
    let plan = tree.read(&["p/a.proto", "p/x/c.proto"], &["p"]).unwrap();
    assert_eq!(names(&plan), ["x/c.proto", "x/b.proto", "a.proto"]);
    assert_eq!(plan.files.iter().map(|file| file.is_given).collect::<Vec<_>>(), [true, false, true]);
    assert_eq!(
        plan.files[2].links,
        [("x/b.proto", 1), ("x/c.proto", 0)].map(|(name, target)| Link { name: name.to_owned(), target })
    );
    assert_eq!(plan.files[0].referred_as.as_deref(), Some("x/c.proto"));
    let parsed = plan.parse(2).unwrap();
    let resolved: Vec<_> = parsed.resolved_references().iter().map(|r| r.name.to_string()).collect();
    assert_eq!(resolved, ["x/c.proto", "x/b.proto"]);
}

#[test]
fn an_import_may_be_the_end_of_a_given_path() {
    let b = proto(&[], "message B { }");
    let files =
        [("p/a.proto", &*proto(&["x/b.proto"], "message A { B b = 1; }")), ("q/x/b.proto", &b), ("r/x/b.proto", &b)];
    let tree = Tree::of(&files);
    assert_eq!(tree.read(&["p/a.proto", "q/x/b.proto"], &["p"]).unwrap().files.len(), 2);
    let two_fit = tree.read(&["p/a.proto", "q/x/b.proto", "r/x/b.proto"], &["p"]).unwrap_err();
    assert!(two_fit[0].message.contains("x/b.proto is neither among the given files"), "{two_fit:?}");
}

#[test]
fn a_missing_import_is_named_with_its_line_and_every_mistake_is_told() {
    let tree = Tree::of(&[
        ("a.proto", &proto(&["no/b.proto"], "message A { }")),
        ("c.proto", "syntax = \"proto3\";\nmessage C { int32 }"),
        ("d.txt", ""),
    ]);
    let problems = tree.read(&["a.proto", "c.proto", "d.txt", "none.proto"], &["."]).unwrap_err();
    let told: Vec<_> =
        problems.iter().map(|problem| (problem.file.file_name().unwrap().to_str().unwrap(), problem.line)).collect();
    assert_eq!(told, [("c.proto", 2), ("d.txt", 1), ("none.proto", 1), ("a.proto", 2)]);
    assert!(problems[3].message.contains("--root"), "{}", problems[3].message);
}

#[test]
fn a_circle_is_named() {
    let tree = Tree::of(&[
        ("a.proto", &proto(&["b.proto"], "message A { }")),
        ("b.proto", &proto(&["c.proto"], "message B { }")),
        ("c.proto", &proto(&["b.proto"], "message C { }")),
        ("self.proto", &proto(&["self.proto"], "message S { }")),
    ]);
    let [circle] = &tree.read(&["a.proto"], &["."]).unwrap_err()[..] else { panic!("one circle") };
    let path = |name: &str| tree.0.join(name).display().to_string();
    assert!(circle.message.contains("in a circle"), "{}", circle.message);
    let ends: Vec<&str> = circle.message.split(" → ").map(|path| path.rsplit('/').next().unwrap()).collect();
    assert_eq!(ends, ["b.proto", "c.proto", "b.proto"], "{} {}", circle.message, path("a.proto"));
    assert_eq!(tree.read(&["self.proto"], &["."]).unwrap().files[0].links, []);
}

#[test]
fn avro_names_are_found_below_the_roots_and_json_by_path_or_id() {
    let tree = Tree::of(&[
        (
            "avro/order.avsc",
            r#"{"type":"record","name":"Order","namespace":"shop","fields":[{"name":"m","type":"Money"}]}"#,
        ),
        ("avro/deep/money.avsc", r#"{"type":"record","name":"shop.Money","fields":[]}"#),
        ("avro/deep/other.avsc", r#"{"type":"record","name":"Money","fields":[]}"#),
        ("json/order.json", r#"{"properties":{"m":{"$ref":"deep/money.json#/x"},"c":{"$ref":"https://shop/c"}}}"#),
        ("json/deep/money.json", r#"{"$ref":"../base.json"}"#),
        ("json/base.json", "{}"),
        ("json/c.json", r#"{"$id":"https://shop/c"}"#),
    ]);
    let plan = tree.read(&["avro/order.avsc"], &["avro"]).unwrap();
    assert_eq!(names(&plan), ["deep/money.avsc", "order.avsc"]);
    let plan = tree.read(&["json/order.json", "json/c.json"], &["json"]).unwrap();
    assert_eq!(names(&plan), ["base.json", "deep/money.json", "c.json", "order.json"]);
}

#[test]
fn a_directory_stands_for_the_schema_files_below_it() {
    let tree = Tree::of(&[
        ("s/a.proto", &proto(&[], "message A { }")),
        ("s/x/b.avsc", "\"string\""),
        ("s/.git/c.json", "{}"),
        ("s/readme.md", ""),
    ]);
    assert_eq!(names(&tree.read(&["s"], &["s"]).unwrap()), ["a.proto", "x/b.avsc"]);
    assert!(tree.read(&["s/.git/none"], &["s"]).is_err());
}
