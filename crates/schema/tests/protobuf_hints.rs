//! Each piece of advice, followed: the schema that does what the hint says is compatible.

#![allow(clippy::unwrap_used)] // helpers of tests

use std::sync::Arc;

use sluice_schema::compat::{self, Prior};
use sluice_schema::protobuf::diff::CHANGES;
use sluice_schema::{Level, Reference, ResolvedReference, Schema, SchemaType, Version};

struct Case {
    level: Level,
    old: &'static str,
    new: &'static str,
    hint: &'static str,
    /// `new`, changed as the hint says.
    advised: &'static str,
}

const CASES: &[(&str, Case)] = &[
    (
        "FIELD_SCALAR_KIND_CHANGED",
        Case {
            level: Level::Backward,
            old: "message Order { string id = 1; int32 quantity = 2; }",
            new: "message Order { string id = 1; string quantity = 2; }",
            hint: "Keep `int32 quantity = 2;` in Order as it is, and add the new one beside it under another name: \
                   `string quantity_new = 3;`.",
            advised: "message Order { string id = 1; int32 quantity = 2; string quantity_new = 3; }",
        },
    ),
    (
        "FIELD_KIND_CHANGED",
        Case {
            level: Level::Full,
            old: "message A { message B { int32 n = 18999; } B b = 1; }",
            new: "message A { message B { A n = 18999; } B b = 1; }",
            hint: "Keep `int32 n = 18999;` in A.B as it is, and add the new one beside it under another name: \
                   `A n_new = 20000;`.",
            advised: "message A { message B { int32 n = 18999; A n_new = 20000; } B b = 1; }",
        },
    ),
    (
        "FIELD_NAMED_TYPE_CHANGED",
        Case {
            level: Level::Backward,
            old: "message A { B x = 1; } message B { } message C { }",
            new: "message A { C x = 1; } message B { } message C { }",
            hint: "Keep `B x = 1;` in A as it is, and add the new one beside it under another name: `C x_new = 2;`.",
            advised: "message A { B x = 1; C x_new = 2; } message B { } message C { }",
        },
    ),
    (
        "FIELD_NUMERIC_LABEL_CHANGED",
        Case {
            level: Level::Backward,
            old: "message A { optional int32 n = 1; }",
            new: "message A { repeated int32 n = 1; }",
            hint: "Give field 1 of A its label back: `optional int32 n = 1;`.",
            advised: "message A { optional int32 n = 1; }",
        },
    ),
    (
        "PACKAGE_CHANGED",
        Case {
            level: Level::Backward,
            old: "package a.b; message A { }",
            new: "package a.c; message A { }",
            hint: "Keep `package a.b;`: a package names its types for good.",
            advised: "package a.b; message A { }",
        },
    ),
    (
        "PACKAGE_CHANGED",
        Case {
            level: Level::Forward,
            old: "message A { }",
            new: "package a.c; message A { }",
            hint: "Leave the package line out: the older version has none.",
            advised: "message A { }",
        },
    ),
    (
        "MESSAGE_REMOVED",
        Case {
            level: Level::Backward,
            old: "message A { message B { } } message C { }",
            new: "message A { } message C { }",
            hint: "Put message A.B back: one that nothing uses costs nothing.",
            advised: "message A { message B { } } message C { }",
        },
    ),
    (
        "MESSAGE_REMOVED",
        Case {
            level: Level::Forward,
            old: "message A { }",
            new: "message A { Other b = 1; } message Other { }",
            hint: "Declare message Other in a file of its own and import that: this level allows no message in this \
                   file that the older version lacks.",
            advised: "import \"other.proto\"; message A { Other b = 1; }",
        },
    ),
    (
        "REQUIRED_FIELD_ADDED",
        Case {
            level: Level::Backward,
            old: "message A { optional int32 n = 1; }",
            new: "message A { optional int32 n = 1; required int32 m = 2; }",
            hint: "Make field `m` of A optional.",
            advised: "message A { optional int32 n = 1; optional int32 m = 2; }",
        },
    ),
    (
        "REQUIRED_FIELD_REMOVED",
        Case {
            level: Level::Forward,
            old: "message A { optional int32 n = 1; }",
            new: "message A { optional int32 n = 1; required int32 m = 2; }",
            hint: "Make field `m` of A optional.",
            advised: "message A { optional int32 n = 1; optional int32 m = 2; }",
        },
    ),
    (
        "REQUIRED_FIELD_REMOVED",
        Case {
            level: Level::Backward,
            old: "message A { required int32 n = 1; }",
            new: "message A { }",
            hint: "Put `required int32 n = 1;` back into A: a required field can never go.",
            advised: "message A { required int32 n = 1; }",
        },
    ),
    (
        "REQUIRED_FIELD_ADDED",
        Case {
            level: Level::Forward,
            old: "message A { required int32 n = 1; }",
            new: "message A { }",
            hint: "Put `required int32 n = 1;` back into A: a required field can never go.",
            advised: "message A { required int32 n = 1; }",
        },
    ),
    (
        "ONEOF_FIELD_REMOVED",
        Case {
            level: Level::Backward,
            old: "message Pay { oneof how { string card = 1; string iban = 2; } }",
            new: "message Pay { oneof how { string card = 1; } }",
            hint: "Put `string iban = 2;` back into oneof how of Pay.",
            advised: "message Pay { oneof how { string card = 1; string iban = 2; } }",
        },
    ),
    (
        "ONEOF_FIELD_REMOVED",
        Case {
            level: Level::Forward,
            old: "message Pay { oneof how { string card = 1; } }",
            new: "message Pay { oneof how { string card = 1; string iban = 2; } }",
            hint: "Add `string iban = 2;` outside oneof how: the older version does not know it as a choice.",
            advised: "message Pay { oneof how { string card = 1; } string iban = 2; }",
        },
    ),
    (
        "MULTIPLE_FIELDS_MOVED_TO_ONEOF",
        Case {
            level: Level::Backward,
            old: "message Pay { string card = 1; string iban = 2; }",
            new: "message Pay { oneof how { string card = 1; string iban = 2; } }",
            hint: "Leave the fields where they were, and give oneof how new ones under numbers that Pay never used, \
                   from 3.",
            advised: "message Pay { string card = 1; string iban = 2; oneof how { string c = 3; string i = 4; } }",
        },
    ),
    (
        "MULTIPLE_FIELDS_MOVED_TO_ONEOF",
        Case {
            level: Level::Forward,
            old: "message Pay { oneof how { string card = 1; string iban = 2; } }",
            new: "message Pay { string card = 1; string iban = 2; }",
            hint: "Leave the fields of oneof how of Pay inside it.",
            advised: "message Pay { oneof how { string card = 1; string iban = 2; } }",
        },
    ),
    (
        "FIELD_MOVED_TO_EXISTING_ONEOF",
        Case {
            level: Level::Backward,
            old: "message Pay { oneof how { string card = 1; } string iban = 2; }",
            new: "message Pay { oneof how { string card = 1; string iban = 2; } }",
            hint: "Leave the fields where they were, and give oneof how new ones under numbers that Pay never used, \
                   from 3.",
            advised: "message Pay { oneof how { string card = 1; string i = 3; } string iban = 2; }",
        },
    ),
];

fn parse(text: &str) -> Schema {
    let syntax = if text.contains("required") { "proto2" } else { "proto3" };
    let text = format!("syntax = \"{syntax}\"; {text}");
    let (mut references, mut resolved) = (Vec::new(), Vec::new());
    if text.contains("import") {
        references.push(Reference { name: "other.proto".into(), subject: "other".into(), version: 1 });
        resolved.push(ResolvedReference {
            name: "other.proto".into(),
            subject: "other".into(),
            version: 1,
            text: "syntax = \"proto3\"; message Other { }".into(),
            references: Arc::from([]),
        });
    }
    Schema::parse(SchemaType::Protobuf, &text, references.into(), resolved.into()).unwrap()
}

#[test]
fn what_a_hint_advises_is_compatible() {
    for (kind, case) in CASES {
        let prior = Prior { version: Version(1), schema: Arc::new(parse(case.old)) };
        let refused = compat::check(case.level, &parse(case.new), std::slice::from_ref(&prior), false).unwrap_err();
        assert_eq!(refused.differences[0].kind, *kind, "{}", case.new);
        assert_eq!(refused.hint.as_deref(), Some(case.hint), "{kind}: {}", case.new);
        let advised = compat::check(case.level, &parse(case.advised), &[prior], false);
        assert!(advised.is_ok(), "{}: {advised:?}", case.advised);
    }
}

#[test]
fn every_incompatible_change_has_a_hint() {
    for change in CHANGES.iter().filter(|change| !change.compatible) {
        assert!(CASES.iter().any(|(kind, _)| *kind == change.id), "{}", change.id);
    }
}

#[test]
fn under_full_the_first_change_listed_is_a_forward_one() {
    let prior = Prior { version: Version(1), schema: Arc::new(parse("message A { }")) };
    let both = parse("message A { } message B { }");
    let refused = compat::check(Level::Full, &both, &[prior], false).unwrap_err();
    assert!(refused.hint.unwrap().starts_with("Declare message B in a file of its own"));
}
