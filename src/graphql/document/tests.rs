//! Compares the parser with async-graphql's own one, and with the specification.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// The document without positions, which the two parsers record differently, and with `-0` as 0. Backslashes, spaces
/// and tabs are removed from strings: in block strings the reference parser keeps the backslash before three quotes and
/// blank lines shorter than the indentation (GraphQL section 2.9.4).
fn without_positions(document: &ExecutableDocument) -> Value {
    fn strip(value: &mut Value) {
        match value {
            Value::Object(fields) => {
                fields.remove("pos");
                fields.values_mut().for_each(strip);
            }
            Value::Array(items) => items.iter_mut().for_each(strip),
            Value::Number(number) if number.as_f64() == Some(0.0) => *value = 0.into(),
            Value::String(text) => text.retain(|one| !matches!(one, '\\' | ' ' | '\t')),
            _ => {}
        }
    }
    let mut value = serde_json::to_value(document).unwrap();
    strip(&mut value);
    value
}

/// Whether both parsers accept `text`; then their results must be equal.
fn parsers_agree(text: &str) -> bool {
    let Ok(document) = Document::parse(text, 1_000) else { return false };
    match (document.executable(), parse_query(text)) {
        (Some(ours), Ok(theirs)) => {
            assert_eq!(without_positions(ours), without_positions(&theirs), "{text:?}");
            true
        }
        _ => false,
    }
}

#[test]
fn parser_agrees_with_the_reference_parser() {
    for text in [
        "{ me { id } }",
        "query Q($a: [Int!]! = [1, -2.5e3], $b: In = {c: ENUM, d: null, e: {f: [true, \"x\"]}}) @e { a: b }",
        "mutation { a(b: $c) @skip(if: $d) { ... on T @include(if: true) { e } ...F @g ... @h { i } ... { j } } }",
        "fragment F on T @d { x } subscription S { ...F } query T { ...F }",
        r#"{ a(b: "x\"y\\z\u00e9\n\t", c: "") }"#,
        "{ a(b: \"\"\"\n    one\n      two \\\"\"\" three\n\n    four\n  \"\"\") }",
        "{ a(b: \"\"\"\"one\" \"\"\", c: \"\"\"\"\"\", d: -0, e: 0.0, f: 1e2) }",
        "\u{feff}# comment { [ \n{ a, b,,, c }",
    ] {
        assert!(parsers_agree(text), "{text}: {:?}", Document::parse(text, 1_000));
    }
}

#[test]
fn converted_positions_match_the_text() {
    let document =
        Document::parse("query {\n  x: me(a: \"ü\", b: [1]) { id }\r\n  ...F }\rfragment F on Q { me }", 100).unwrap();
    let text = format!("{:?}", document.executable().unwrap());
    let at = |line: usize, column: usize| text.contains(&format!("Pos({line}:{column})"));
    assert!(document.errors.is_empty() && at(2, 3) && at(2, 6), "{text}");
    assert!(at(2, 12) && at(2, 20) && at(2, 27) && at(3, 3) && at(3, 6) && at(4, 1) && at(4, 19), "{text}");
}

/// Pieces of valid and invalid documents.
fn document_piece() -> impl Strategy<Value = &'static str> {
    prop::sample::select(vec![
        "\"",
        "\"\"",
        "\"\"\"",
        "\\",
        "\\\"",
        "\\u00e9",
        "[",
        "]",
        "{",
        "}",
        "(",
        ")",
        "#",
        "\n",
        "\r",
        " ",
        ",",
        "a",
        "b: ",
        "1",
        "-",
        "0",
        ".5",
        "e3",
        "...",
        "on ",
        "$a",
        "$",
        ":",
        "=",
        "@",
        "!",
        "|",
        "null",
        "true",
        "é",
        "query ",
        "fragment ",
        "{ a }",
        "{ a(b: ",
        ") }",
        "\u{feff}",
        "\t",
    ])
}

/// Contents of strings.
fn string_content() -> impl Strategy<Value = String> {
    let pieces =
        ["\"", "\\\"", "\\", "\\\\", "\\\"\"\"", "\n", "\r\n", "\r", " ", "  ", "a", "é", "#", "{", "\\n", "\t"];
    prop::collection::vec(prop::sample::select(pieces.to_vec()), 0..12).prop_map(|pieces| pieces.concat())
}

/// The value of a block string (GraphQL section 2.9.4, BlockStringValue).
fn block_string_value(raw: &str) -> String {
    let raw = raw.replace("\\\"\"\"", "\"\"\"").replace("\r\n", "\n").replace('\r', "\n");
    let blank = |line: &str| line.chars().all(|one| matches!(one, ' ' | '\t'));
    let indent = |line: &str| line.chars().take_while(|one| matches!(one, ' ' | '\t')).count();
    let mut lines: Vec<&str> = raw.split('\n').collect();
    let common = lines.iter().skip(1).filter(|line| !blank(line)).map(|line| indent(line)).min().unwrap_or(0);
    for line in lines.iter_mut().skip(1) {
        *line = line.get(common..).unwrap_or_default();
    }
    while lines.first().is_some_and(|line| blank(line)) {
        lines.remove(0);
    }
    while lines.last().is_some_and(|line| blank(line)) {
        lines.pop();
    }
    lines.join("\n")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn arbitrary_text_parses_as_in_the_reference_parser(pieces in prop::collection::vec(document_piece(), 0..40)) {
        parsers_agree(&pieces.concat());
    }

    #[test]
    fn arbitrary_arguments_parse_as_in_the_reference_parser(
        pieces in prop::collection::vec(document_piece(), 0..12),
    ) {
        parsers_agree(&format!("{{ a(b: {}) }}", pieces.concat()));
    }

    #[test]
    fn arbitrary_strings_parse_as_in_the_reference_parser(content in string_content()) {
        parsers_agree(&format!("{{ a(b: \"{content}\") }}"));
        parsers_agree(&format!("{{ a(b: \"\"\"{content}\"\"\") }}"));
    }

    #[test]
    fn arbitrary_block_strings_have_the_specified_value(content in string_content()) {
        let ends = content.replace("\\\"\"\"", "");
        prop_assume!(!ends.contains("\"\"\"") && !content.ends_with(['"', '\\']));
        let document = Document::parse(&format!("{{ a(b: \"\"\"{content}\"\"\") }}"), 100).unwrap();
        let read = serde_json::to_string(document.executable().unwrap()).unwrap();
        let value = serde_json::to_string(&block_string_value(&content)).unwrap();
        prop_assert!(read.contains(&format!(":{value}}}")), "{content:?}: {read}");
    }
}

#[test]
fn syntax_errors_repeat_nothing_of_the_query() {
    for text in [
        "{ me { hunter2 ",
        "{ me(a: hunter2",
        "{ me } hunter2",
        "{ me(hunter2) }",
        "query ($hunter2 hunter2) { me }",
        "{ me { id } \"hunter2\" }",
        "{ me(a: \"hunter2) }",
        "{ me(a: 1hunter2) }",
        "type hunter2 { id: ID } { me }",
        "hunter2",
        "{ me { id ... } } hunter2",
    ] {
        let document = Document::parse(text, 1_000).unwrap();
        assert!(document.executable().is_none(), "{text}");
        assert!(!document.errors.is_empty());
        assert!(!format!("{:?}", document.errors).contains("hunter2"), "{text}: {:?}", document.errors);
    }
}

#[test]
fn block_string_examples_of_the_specification_are_parsed() {
    for (written, value) in [
        ("\"\"\"a\"\"\"", "a"),
        ("\"\"\"\"\"\"", ""),
        ("\"\"\"a \\\"\"\" b\"\"\"", "a \"\"\" b"),
        (
            "\"\"\"\n    Hello,\n      World!\n\n    Yours,\n      GraphQL.\n  \"\"\"",
            "Hello,\n  World!\n\nYours,\n  GraphQL.",
        ),
        ("\"\"\"\r\n\r\n  a\r  b\r\n\"\"\"", "a\nb"),
        ("\"\"\" first\n  second\\n\"\"\"", " first\nsecond\\n"),
    ] {
        let document = Document::parse(&format!("{{ a(b: {written}) }}"), 100).unwrap();
        let plain = serde_json::to_string(document.executable().unwrap()).unwrap();
        assert!(plain.contains(&serde_json::to_string(value).unwrap()), "{written}: {plain}");
    }
}
