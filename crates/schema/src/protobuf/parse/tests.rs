use super::{MAX_ELEMENTS, MAX_NAME_BYTES, MAX_NESTING, MAX_TEXT_BYTES, parse_text};
use crate::InvalidSchema;
use crate::protobuf::canonical;
use crate::protobuf::model::{OptionValue, ReservedItem};

fn refusal(text: &str) -> String {
    match parse_text(text) {
        Err(InvalidSchema::Syntax(message)) => message,
        other => panic!("{text}: {other:?}"),
    }
}

fn prints(text: &str) -> String {
    let first = canonical::print(&parse_text(text).unwrap());
    let second = canonical::print(&parse_text(&first).unwrap());
    assert_eq!(first, second, "printing is stable");
    first
}

/// The only option value of `message M { option x = …; }`.
fn option_value(value: &str) -> OptionValue {
    let file = parse_text(&format!("message M {{ option x = {value}; }}")).unwrap();
    file.messages[0].options[0].value.clone()
}

#[test]
fn errors_name_line_and_column_from_one() {
    assert_eq!(refusal("edition = \"2023\";"), "Syntax error in :1:8: edition is not currently supported");
    assert_eq!(refusal("syntax = \"proto1\";"), "Syntax error in :1:1: unexpected syntax: proto1");
    assert_eq!(refusal("syntax = nonsense"), "Syntax error in :1:11: expected quoted string");
    assert_eq!(refusal("this is not protobuf"), "Syntax error in :1:1: unexpected label: this");
    assert_eq!(
        refusal("syntax = \"proto3\";\nmessage M {\n  required string a = 1;\n}"),
        "Syntax error in :3:3: 'required' label forbidden in proto3 field declarations"
    );
    assert_eq!(refusal("message M { string a = 1; }"), "Syntax error in :1:13: unexpected label: string");
    assert_eq!(refusal("message M {}\nenum M {}"), "M (:2:1) is already defined at :1:1");
}

#[test]
fn columns_count_utf_16_units() {
    // é is one unit, 🦀 is two.
    assert_eq!(refusal("/*é🦀*/ x"), "Syntax error in :1:9: unexpected label: x");
}

#[test]
fn what_the_reference_takes_is_taken() {
    for text in [
        "",
        ";;",
        "syntax = \"proto3\"; message M { string a = 0; }",
        "syntax = \"proto3\"; message M { string a = 1; string a = 1; }",
        "syntax = \"proto3\"; message M { string a = 19500; string b = 536870912; string c = -5; }",
        "syntax = \"proto3\"; message M { reserved 1; string a = 1 [default = \"x\"]; }",
        "syntax = \"proto3\"; enum E { A = 5; }",
        "syntax = \"proto3\"; enum E {}",
        "syntax = \"proto3\"; message M { optional group G = 1 { int32 a = 1; } }",
        "syntax = \"proto3\"; message M { Unknown a = 1 [(nobody.knows) = 1]; message M {} message M {} }",
        "syntax = \"proto3\"; message (M) { oneof o { map<string, int32> m = 1; } }",
        "reserved 5;\n",
        "import \"nowhere.proto\"; import weak 'w.proto';",
        "message M { map<string, map<int32, bool>> m = 1; }",
        "message M { extensions 4 to max [declaration = { number: 4 }]; }",
        "option x = { a: 1; b: 2 c: 3, d { } };",
    ] {
        parse_text(text).unwrap_or_else(|refused| panic!("{text}: {refused}"));
    }
}

#[test]
fn what_the_reference_refuses_is_refused() {
    for text in [
        "\u{feff}syntax = \"proto3\";",
        "message M {} syntax = \"proto3\";",
        "syntax = \"proto3\"; syntax = \"proto3\";",
        "syntax = \"proto3\"; message M { repeated map<string, int32> m = 1; }",
        "syntax = \"proto3\"; message M { string 1a = 1; }",
        "syntax = \"proto3\"; message M { string a = 1 }",
        "syntax = \"proto3\"; message M { string a = 99999999999; }",
        "syntax = \"proto3\"; message M { string a = 1 [x = 1 y = 2]; }",
        "syntax = \"proto3\"; message M { string a = 1; /* same line */ string b = 2; }",
        "syntax = \"proto3\"; enum E { 0A = 0; }",
        "message M { reserved 1 to 0x10; }",
        "message M { optional group G = 1 { optional group H = 2 { } } }",
        "option x = \"open;",
        "/* open",
        "message M {",
        "service S { rpc A (B) C; }",
        "option (a).b.(c) = 1;",
    ] {
        refusal(text);
    }
    for text in ["map<double, int32>", "map<float, int32>", "map<bytes, int32>", "map<Other, int32>"] {
        let text = format!("message M {{ {text} m = 1; }}");
        assert!(matches!(parse_text(&text), Err(InvalidSchema::Semantics(_))), "{text}");
    }
}

#[test]
fn a_map_with_keys_no_map_can_have_is_refused_once_all_has_been_read() {
    let text = |type_: &str, rest: &str| format!("syntax = \"proto3\"; message M {{ {type_} m = 1{rest} }}");
    let bad_key = |key: &str| {
        let refusal = format!("map key must be non-byte, non-floating point scalar: {key}");
        Err(InvalidSchema::Semantics(refusal))
    };
    // The type is a text to the parser; `ProtoType#get` looks into it when the schema is printed.
    assert_eq!(parse_text(&text("map<float, int32>", ";")), bad_key("float"));
    assert_eq!(parse_text(&text("map<string, map<float, int32>>", ";")), bad_key("float"));
    assert_eq!(refusal(&text("map<float, int32>", "")), "Syntax error in :1:57: expected ';' but was '}'");
    assert_eq!(refusal(&text("repeated map<M, M>", ";")), "Syntax error in :1:32: 'map' type cannot have label");
    // A method's types are not looked into.
    assert!(parse_text("service S { rpc R (map<float, M>) returns (M); }").is_ok());
}

#[test]
fn numbers_lose_their_notation_where_they_are_numbers_and_keep_it_in_options() {
    let text = prints(
        "syntax = \"proto2\"; option a = 0x10; message M { optional int32 a = 020 [default = 0x1F]; }
         enum E { A = 0x10; B = -1; }",
    );
    assert!(text.contains("option a = 0x10;"), "{text}");
    assert!(text.contains("optional int32 a = 20 [default = 0x1F];"), "{text}");
    assert!(text.contains("  A = 16;\n  B = -1;\n"), "{text}");
}

#[test]
fn strings_join_and_unescape_and_print_with_the_letters_escapes() {
    assert_eq!(option_value(r#""a" /* joined */ 'b' "\x41\101\?\u" "#), OptionValue::String("abAA?u".into()));
    assert_eq!(option_value(r#""\377\0""#), OptionValue::String("\u{ff}\u{0}".into()));
    let text = prints(r#"option x = "\a\b\f\n\r\t\v\\\'\"é";"#);
    assert_eq!(text, "\noption x = \"\\a\\b\\f\\n\\r\\t\\v\\\\\\'\\\"é\";\n");
}

#[test]
fn repeated_names_of_a_literal_become_one_list() {
    let number = |word: &str| OptionValue::Number(word.into());
    let map = |entries: Vec<(&str, OptionValue)>| {
        OptionValue::Map(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    };
    assert_eq!(
        option_value("{ a: 1 b: T a: 2 a: [3, 4] }"),
        map(vec![
            ("a", OptionValue::List(vec![number("1"), number("2"), number("3"), number("4")])),
            ("b", OptionValue::Enum("T".into())),
        ])
    );
    // A literal's `(a).b: …` is a map of its own, and its plain values become text.
    assert_eq!(
        option_value("{ [e.f].g: 1 [e.f].h: { } }"),
        map(vec![("[e.f]", map(vec![("g", OptionValue::String("1".into())), ("h", map(vec![]))]))])
    );
}

#[test]
fn many_names_in_a_literal_still_merge() {
    let names: String = (0..40).map(|n| format!("n{} : {n} ", n % 20)).collect();
    let OptionValue::Map(entries) = option_value(&format!("{{ {names} }}")) else { panic!() };
    assert_eq!(entries.len(), 20);
    let pair =
        |n: i32| OptionValue::List(vec![OptionValue::Number(n.to_string()), OptionValue::Number((n + 20).to_string())]);
    assert_eq!(entries[19], ("n19".to_owned(), pair(19)));
}

#[test]
fn groups_in_extend_blocks_are_dropped_and_max_is_a_number() {
    let file = parse_text("extend M { optional group G = 1 { } optional int32 a = 2; } enum E { reserved 1 to max; }")
        .unwrap();
    assert_eq!(file.extends[0].fields.len(), 1);
    assert_eq!(file.enums[0].reserved[0].items, [ReservedItem::Range(1, 536_870_911)]);
}

#[test]
fn lists_in_brackets_of_one_stay_on_the_line_and_in_literals_never() {
    assert_eq!(
        prints("option a = [1]; option b = [1, 2]; option c = { d: [1] }; option e = [];"),
        "\noption a = [1];\noption b = [\n  1,\n  2\n];\noption c = {\n  d: [\n    1\n  ]\n};\noption e = [\n];\n"
    );
}

#[test]
fn deep_and_wide_and_long_texts_are_refused_without_recursion() {
    let too_complex = |text: &str| match parse_text(text) {
        Err(InvalidSchema::TooComplex(_)) => {}
        other => panic!("{:.60}…: {other:.60?}", text),
    };
    let nested = |open: &str, close: &str, levels: usize| format!("{}{}", open.repeat(levels), close.repeat(levels));
    parse_text(&nested("message A {", "}", MAX_NESTING)).unwrap();
    too_complex(&nested("message A {", "}", MAX_NESTING + 1));
    too_complex(&nested("message A{", "}", 1400));
    too_complex(&format!("option x = {};", nested("{a:", "}", 200_000)));
    too_complex(&format!("option x = {};", nested("[", "]", 400_000)));
    too_complex(&format!("message M {{ {} m = 1; }}", nested("map<string, ", "int32>", 100_000)));
    too_complex(&format!("option (a).{} = 1;", "b.".repeat(100_000)));
    too_complex(&"option a=1;".repeat(MAX_ELEMENTS + 1));
    too_complex(&"option a=1;".repeat(100_000)[..MAX_TEXT_BYTES / 11 * 11]);
    too_complex(&" ".repeat(MAX_TEXT_BYTES + 1));
    too_complex(&format!("package {}a; message M {{}}", "a.".repeat(200)));
    too_complex(&format!("package {}; message M {{}}", "a".repeat(MAX_NAME_BYTES)));
}

#[test]
fn what_passes_the_limits_prints_to_what_passes_them() {
    let entries = |n: usize| "a: 1 ".repeat(n);
    // Merging repeated names nests their values one deeper and counts the list: the model is what is measured.
    let at_the_limit = format!("option x = {{ {} }};", entries(MAX_ELEMENTS - 2));
    let file = parse_text(&at_the_limit).unwrap();
    assert_eq!(parse_text(&canonical::print(&file)).unwrap(), file);
    let deep = |levels: usize| format!("option x = {}1{};", "{ a: 1 a: ".repeat(levels), " }".repeat(levels));
    let file = parse_text(&deep(MAX_NESTING / 2)).unwrap();
    assert_eq!(parse_text(&canonical::print(&file)).unwrap(), file);
    assert!(matches!(parse_text(&deep(MAX_NESTING / 2 + 1)), Err(InvalidSchema::TooComplex(_))));
}
