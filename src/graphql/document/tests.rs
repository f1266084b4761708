//! What was read, against the grammar of the executor's own parser.

use async_graphql::parser::parse_query;
use async_graphql::parser::types::ExecutableDocument;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

const SDL: &str = "type Query { me: User }
    type Mutation { login(input: LoginInput!): LoginPayload }
    type User { id: ID! }
    type LoginPayload { errors: [AccountError!] }
    type AccountError { code: String }
    input LoginInput { username: String! password: String! }";

const LIMITS: OperationLimits = OperationLimits {
    query_bytes: 65_536,
    tokens: 1_000,
    depth: 10,
    aliases: 15,
    root_fields: 10,
    directives: 20,
    operations: 5,
    selections: 500,
    variables: 100,
    variable_bytes: 65_536,
    complexity: 1_000,
};

/// The document without positions, of which the two parsers keep different ones. `-0` is 0. Strings are without
/// backslashes, spaces and tabs: in block strings the other parser leaves a backslash before three quotes, and blank lines
/// that are shorter than the indentation as they are (GraphQL section 2.9.4).
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

/// Whether both read `text`; if they do, they must have read the same.
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

/// Pieces of documents, and of what is none.
fn document_fragment() -> impl Strategy<Value = &'static str> {
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

/// What stands in strings.
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
    fn arbitrary_text_parses_as_in_the_reference_parser(pieces in prop::collection::vec(document_fragment(), 0..40)) {
        parsers_agree(&pieces.concat());
    }

    #[test]
    fn arbitrary_arguments_parse_as_in_the_reference_parser(pieces in prop::collection::vec(document_fragment(), 0..12)) {
        parsers_agree(&format!("{{ a(b: {}) }}", pieces.concat()));
    }

    #[test]
    fn arbitrary_strings_parse_as_in_the_reference_parser(inside in string_content()) {
        parsers_agree(&format!("{{ a(b: \"{inside}\") }}"));
        parsers_agree(&format!("{{ a(b: \"\"\"{inside}\"\"\") }}"));
    }

    #[test]
    fn arbitrary_block_strings_have_the_specified_value(inside in string_content()) {
        let ends = inside.replace("\\\"\"\"", "");
        prop_assume!(!ends.contains("\"\"\"") && !inside.ends_with(['"', '\\']));
        let document = Document::parse(&format!("{{ a(b: \"\"\"{inside}\"\"\") }}"), 100).unwrap();
        let read = serde_json::to_string(document.executable().unwrap()).unwrap();
        let value = serde_json::to_string(&block_string_value(&inside)).unwrap();
        prop_assert!(read.contains(&format!(":{value}}}")), "{inside:?}: {read}");
    }
}

fn is_cached(query: &str) -> bool {
    let documents = DocumentCache::new(SDL);
    documents.get_or_parse(query, &LIMITS).unwrap();
    documents.cache.get(query).is_some()
}

#[test]
fn only_valid_documents_without_string_literals_are_cached() {
    assert!(is_cached("{ me { id } }"));
    assert!(!is_cached("{ me { id }"));
    assert!(!is_cached("mutation { login(input: { username: \"ann\", password: \"secret\" }) { errors { code } } }"));
    assert!(!is_cached(&format!("{{ me {{ id }} }}{}", " ".repeat(MAX_CACHED_QUERY_BYTES))));
}

#[test]
fn document_cache_is_bounded() {
    let documents = DocumentCache::new(SDL);
    for number in 0..MAX_DOCUMENTS * 3 {
        documents.get_or_parse(&format!("{{ a{number}: me {{ id }} }}"), &LIMITS).unwrap();
    }
    // The cache rounds up for each of its parts.
    assert!(documents.cache.len() < MAX_DOCUMENTS * 2);
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
