//! Query limits before execution: fragment bombs cost nothing and run nothing.

use std::time::Instant;

use serde_json::json;

use crate::support::{TEST_TIMEOUT, TestApp, TestResponse};

/// The code, and the exceeded setting.
fn refused(answer: &TestResponse) -> (String, String) {
    let extensions = &answer.json()["errors"][0]["extensions"];
    let text = |name: &str| extensions[name].as_str().unwrap_or_default().to_owned();
    (text("code"), text("limit"))
}

fn too_complex(limit: &str) -> (String, String) {
    ("OPERATION_TOO_COMPLEX".to_owned(), format!("graphql.{limit}"))
}

/// A chain of `levels` fragments, each of which spreads the next one `spreads` times.
fn bomb(levels: usize, spreads: usize, root: &str) -> String {
    let mut query = root.to_owned();
    for level in 0..levels {
        let inner = format!("...f{} ", level + 1).repeat(spreads);
        query.push_str(&format!(" fragment f{level} on User {{ {inner} }}"));
    }
    query.push_str(&format!(" fragment f{levels} on User {{ id }}"));
    query
}

/// G1
#[tokio::test]
async fn fragment_bomb_is_refused_before_execution() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    for (spreads, levels) in [(2, 31), (8, 8), (12, 7), (40, 5), (100, 15)] {
        for root in
            ["{ me { ...f0 } }", "{ me { ... on User { ...f0 } } }", "query A { me { id } } query B { me { ...f0 } }"]
        {
            let begun = Instant::now();
            let answer = ann.send(&bomb(levels, spreads, root), json!({})).await;
            assert_eq!(refused(&answer).0, "OPERATION_TOO_COMPLEX", "{spreads}^{levels}");
            // No performance promise: an executed bomb takes minutes.
            assert!(begun.elapsed() < TEST_TIMEOUT);
        }
    }
    let unused = bomb(31, 2, "{ me { id } }");
    assert_eq!(refused(&ann.send(&unused, json!({})).await), too_complex("max_selections"));
    let mutation = bomb(31, 2, "mutation { updateProfile(input: { displayName: \"x\" }) { user { ...f0 } } }");
    assert_eq!(refused(&ann.send(&mutation, json!({})).await), too_complex("max_selections"));
    assert_eq!(ann.send("{ me { displayName } }", json!({})).await.data()["me"]["displayName"], json!(null));
}

/// Apollo's cache policies select whole objects by one fragment.
#[tokio::test]
async fn fragment_may_have_more_fields_than_the_root() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let fields = "id username displayName email status mustChangePassword roles permissions passwordUpdatedAt \
                  lastSignInAt createdAt updatedAt";
    let query = format!("{{ me {{ ...whole }} }} fragment whole on User {{ {fields} }}");
    assert_eq!(ann.send(&query, json!({})).await.data()["me"]["username"], json!("ann"));
}

/// G2
#[tokio::test]
async fn recursive_fragments_are_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    for query in [
        "{ me { ...a } } fragment a on User { ...a }",
        "{ me { ...a } } fragment a on User { ...b } fragment b on User { ...a }",
        "{ me { id } } fragment a on User { ...b } fragment b on User { ...a }",
    ] {
        assert_eq!(refused(&ann.send(query, json!({})).await), too_complex("max_selections"), "{query}");
    }
}

/// G3
#[tokio::test]
async fn deeply_nested_query_is_refused_before_parsing() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    for text in ["{a", "[", "{a:", "(a:["] {
        for repeats in [60, 8_000] {
            let answer = ann.send(&text.repeat(repeats), json!({})).await;
            assert_eq!(refused(&answer).0, "OPERATION_TOO_COMPLEX", "{text} × {repeats}");
        }
    }
    let nested = |depth: usize| format!("{}{{ id }}{}", "{ me ".repeat(depth), "}".repeat(depth));
    assert_eq!(refused(&ann.send(&nested(10), json!({})).await), too_complex("max_depth"));
    assert_eq!(ann.send(&nested(9), json!({})).await.code().as_deref(), Some("GRAPHQL_VALIDATION_FAILED"));
}

/// A limit's name, a query of a given size, and the limit.
type Case<'a> = (&'a str, &'a dyn Fn(usize) -> String, usize);

/// G5, G6: each boundary and one beyond.
#[tokio::test]
async fn query_limits_are_exact() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let cases: [Case<'_>; 5] = [
        (
            "max_aliases",
            &|count| format!("{{ me {{ {} }} }}", (0..count).map(|n| format!("a{n}: id ")).collect::<String>()),
            15,
        ),
        ("max_root_fields", &|count| format!("{{ {} }}", "me { id } ".repeat(count)), 10),
        ("max_operations", &|count| (0..count).map(|n| format!("query Q{n} {{ me {{ id }} }} ")).collect(), 5),
        ("max_directives", &|count| format!("{{ me {{ id {} }} }}", "@include(if: true) ".repeat(count)), 20),
        ("max_tokens", &|count| format!("{{ me {{ {} }} }}", "id ".repeat(count - 5)), 1_000),
    ];
    for (limit, query, most) in cases {
        let body = |count| json!({ "query": query(count), "operationName": if limit == "max_operations" { "Q0" } else { "" } });
        let at = ann.json(axum::http::Method::POST, "/graphql", &body(most)).await;
        assert_ne!(at.code().as_deref(), Some("OPERATION_TOO_COMPLEX"), "{limit}");
        let beyond = ann.json(axum::http::Method::POST, "/graphql", &body(most + 1)).await;
        assert_eq!(refused(&beyond), too_complex(limit));
    }
    let long = |length: usize| format!("{{ me {{ id }} }} #{}", "x".repeat(length - 15));
    assert_eq!(ann.send(&long(16_384), json!({})).await.code(), None);
    assert_eq!(refused(&ann.send(&long(16_385), json!({})).await), too_complex("max_query_bytes"));
    let variables: serde_json::Map<_, _> = (0..101).map(|n| (format!("v{n}"), json!(n))).collect();
    assert_eq!(refused(&ann.send("{ me { id } }", variables.into()).await), too_complex("max_variables"));
    let directives = "query ($a: Boolean @skip(if: true)) @include(if: true) { ... @include(if: $a) { me { ...f } } }
        fragment f on User @skip(if: false) { id }";
    let repeated = directives.replace("@include(if: $a)", &"@include(if: $a) ".repeat(18));
    assert_eq!(refused(&ann.send(&repeated, json!({})).await), too_complex("max_directives"));
}

/// G7: the size of the variables, to the byte.
#[tokio::test]
async fn variables_above_their_length_limit_are_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let query = "{ me { id } }";
    let variables = |length: usize| json!({ "v": "x".repeat(length - 8) });
    assert_eq!(ann.send(query, variables(32_768)).await.code(), None);
    assert_eq!(refused(&ann.send(query, variables(32_769)).await), too_complex("max_variable_bytes"));
    let nested = |length: usize| json!({ "v": { "w": vec![0; length] } });
    assert_eq!(refused(&ann.send(query, nested(20_000)).await), too_complex("max_variable_bytes"));
}

/// G10: the library compares all fields of one name with each other.
#[tokio::test]
async fn excessively_repeated_fields_are_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let repeated = format!("{{ me {{ {} }} }}", "id ".repeat(5_000));
    assert_eq!(refused(&ann.send(&repeated, json!({})).await), too_complex("max_tokens"));
    let overlapping = format!("{{ {} }}", "me { id } ".repeat(1_600));
    assert_eq!(refused(&ann.send(&overlapping, json!({})).await), too_complex("max_tokens"));
    let spread = format!("{{ me {{ {} }} }} fragment f on User {{ {} }}", "...f ".repeat(100), "id ".repeat(100));
    assert_eq!(refused(&ann.send(&spread, json!({})).await), too_complex("max_selections"));
    // The maximum number is merged into one field.
    let most = format!("{{ me {{ {} }} }}", "id ".repeat(900));
    assert_eq!(ann.send(&most, json!({})).await.data()["me"].as_object().unwrap().len(), 1);
}

/// Z6, G11
#[tokio::test]
async fn limit_errors_are_few_and_short_and_omit_the_query() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let answer = ann.send("{ me { my-very-own-secret } }", json!({})).await;
    assert_eq!(answer.code().as_deref(), Some("GRAPHQL_PARSE_FAILED"));
    assert!(!answer.text.contains("very-own-secret"), "{}", answer.text);
    let many = ann.send(&format!("{{ me {{ {} }} }}", "nope ".repeat(900)), json!({})).await;
    assert_eq!(many.json()["errors"].as_array().unwrap().len(), 20);
    let long = ann.send(&format!("{{ me {{ {} }} }}", "x".repeat(9_000)), json!({})).await;
    assert!(long.json()["errors"][0]["message"].as_str().unwrap().chars().count() <= 257, "{}", long.text);
}

/// G4
#[tokio::test]
async fn complexity_counts_lists_by_page_size() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let nested = "{ users(first: 100) { nodes { sessions(first: 100) { nodes { id ip } } } } }";
    let answer = root.send(nested, json!({})).await;
    assert!(answer.json()["errors"][0]["message"].as_str().unwrap().contains("too complex"), "{}", answer.text);
    let usual = "{ users(first: 100) { totalCount pageInfo { hasNextPage endCursor } nodes {
        id username displayName email status roles createdAt updatedAt lastSignInAt mustChangePassword } } }";
    assert_eq!(root.send(usual, json!({})).await.code(), None);
}

/// G8, G9
#[tokio::test]
async fn disabled_introspection_reveals_nothing_of_the_schema() {
    let app = TestApp::with(&[("ACCOUNTD_GRAPHQL__INTROSPECTION", "false")]).await;
    let ann = app.user("ann").await;
    for query in [
        "{ __schema { types { name } } }",
        "{ a: __schema { queryType { name } } }",
        "{ __type(name: \"User\") { name fields { name } } }",
        "{ ...f } fragment f on Query { __schema { types { name } } }",
    ] {
        let answer = ann.send(query, json!({})).await;
        assert!(!answer.text.contains("User"), "{query}: {}", answer.text);
    }
    let answer = ann.send("{ __typename me { __typename } }", json!({})).await;
    assert_eq!(answer.data()["__typename"], "Query");
    let typo = ann.send("{ me { usernam } }", json!({})).await;
    assert!(!typo.text.contains("username"), "{}", typo.text);
}

/// GraphiQL, Apollo and other tools send it as fragments.
#[tokio::test]
async fn introspection_may_nest_as_deep_as_tools_need() {
    let app = TestApp::new().await;
    let of_type = |depth: usize| format!("kind {}name{}", "ofType { kind ".repeat(depth), " }".repeat(depth));
    let inline = format!("{{ __schema {{ types {{ name fields {{ name type {{ {} }} }} }} }} }}", of_type(9));
    let spread = format!(
        "query IntrospectionQuery {{ __schema {{ types {{ ...FullType }} directives {{ name args {{ ...InputValue }} }} }} }}
        fragment FullType on __Type {{ name fields {{ name args {{ ...InputValue }} type {{ ...TypeRef }} }} }}
        fragment InputValue on __InputValue {{ name type {{ ...TypeRef }} }}
        fragment TypeRef on __Type {{ {} }}",
        of_type(9)
    );
    for query in [inline, spread] {
        let answer = app.anonymous().send(&query, json!({})).await;
        assert!(answer.data()["__schema"]["types"].as_array().unwrap().len() > 20);
    }
}

/// A fragment counts where it is spread.
#[tokio::test]
async fn query_depth_counts_spread_fragments() {
    let app = TestApp::new().await;
    let query = "{ me { ...f0 } }";
    let chain = (0..10).map(|n| format!(" fragment f{n} on User {{ me {{ ...f{} }} }}", n + 1)).collect::<String>();
    let answer = app.anonymous().send(&format!("{query}{chain} fragment f10 on User {{ id }}"), json!({})).await;
    assert_eq!(refused(&answer), too_complex("max_depth"));
}
