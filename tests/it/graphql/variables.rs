//! Variables by the specification: absent is not null, defaults apply, and a value of another type is refused.

use axum::http::Method;
use serde_json::{Value, json};

use crate::support::{Actor, TestApp};

const UPDATE: &str = "mutation ($u: ID!, $n: String, $e: String, $d: String) {
    updateUser(input: { userId: $u, username: $n, email: $e, displayName: $d }) {
        user { username email displayName } errors { code }
    }
}";

/// Sends variables as raw text: `2.0` differs from `2`.
async fn written(actor: &Actor, query: &str, variables: &str) -> (Option<String>, Value) {
    let body = format!(r#"{{"query":{},"variables":{variables}}}"#, json!(query));
    let headers = [("content-type", "application/json")];
    let answer = actor.request(Method::POST, "/graphql", &headers, body).await;
    (answer.code(), answer.json())
}

#[tokio::test]
async fn absent_variable_leaves_the_field_unchanged() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let all = json!({ "u": ann.id, "n": "ann", "e": "ann@example.org", "d": "Ann" });
    root.send(UPDATE, all).await;
    let user = |answer: &crate::support::TestResponse| answer.data()["updateUser"]["user"].clone();
    let renamed = root.send(UPDATE, json!({ "u": ann.id, "n": "anna" })).await;
    assert_eq!(user(&renamed), json!({ "username": "anna", "email": "ann@example.org", "displayName": "Ann" }));
    // Null is explicit, and clears.
    let cleared = root.send(UPDATE, json!({ "u": ann.id, "e": null })).await;
    assert_eq!(user(&cleared), json!({ "username": "anna", "email": null, "displayName": "Ann" }));
    let bob = app.user("bob").await;
    bob.mutate_ok("updateProfile", json!({ "displayName": "Bob" }), "user { id }").await;
    let profile = "mutation ($n: String, $d: String) {
        updateProfile(input: { username: $n, displayName: $d }) { user { username displayName } } }";
    let profile = bob.send(profile, json!({ "n": "bobby" })).await;
    assert_eq!(profile.data()["updateProfile"]["user"], json!({ "username": "bobby", "displayName": "Bob" }));
}

#[tokio::test]
async fn absent_variable_uses_the_default() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let users = "query ($o: UserOrder, $f: Int) { users(orderBy: $o, first: $f) { totalCount } }";
    assert_eq!(root.send(users, json!({})).await.data()["users"]["totalCount"], 1);
    let register = "mutation ($t: TokenTransport, $p: String!) {
        register(input: { username: \"bob\", password: $p, transport: $t }) { tokens { refreshToken } } }";
    let made = app.anonymous().send(register, json!({ "p": crate::support::PASSWORD })).await;
    assert!(made.data()["register"]["tokens"]["refreshToken"].is_string(), "{}", made.text);
    let default = "query ($f: Int = 1) { users(first: $f) { nodes { id } } }";
    assert_eq!(root.send(default, json!({})).await.data()["users"]["nodes"].as_array().unwrap().len(), 1);
    // A list has no absent members.
    let roles = "mutation ($u: ID!, $r: String) { setUserRoles(input: { userId: $u, roles: [$r] }) { user { id } } }";
    let refused = root.send(roles, json!({ "u": root.id })).await;
    assert_eq!(refused.code().as_deref(), Some("GRAPHQL_VALIDATION_FAILED"), "{}", refused.text);
}

#[tokio::test]
async fn variable_of_the_wrong_type_is_refused() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let first = "query ($f: Int) { users(first: $f) { totalCount } }";
    for good in ["1", "2.0", "2e0", "10E0", "null"] {
        assert_eq!(written(&root, first, &format!(r#"{{"f":{good}}}"#)).await.0, None, "{good}");
    }
    // Zero is a number, but no page size.
    for zero in ["0", "-0", "-0.0"] {
        let (code, json) = written(&root, first, &format!(r#"{{"f":{zero}}}"#)).await;
        assert!(!json["errors"][0]["message"].as_str().unwrap_or_default().contains("variables"), "{code:?} {json}");
    }
    let secret = "hunter2-in-a-variable";
    let login = "mutation ($i: LoginInput!) { login(input: $i) { errors { code } } }";
    let cases = [
        (first, json!({ "f": 1.5 })),
        (first, json!({ "f": secret })),
        (first, json!({ "f": 2_147_483_648_u64 })),
        (first, json!({ "f": true })),
        (first, json!({ "f": [[1]] })),
        ("query ($i: ID!) { node(id: $i) { id } }", json!({})),
        ("query ($i: ID!) { node(id: $i) { id } }", json!({ "i": null })),
        ("query ($i: ID!) { node(id: $i) { id } }", json!({ "i": { "a": secret } })),
        ("query ($i: ID!) { node(id: $i) { id } }", json!({ "i": 1.5 })),
        (login, json!({ "i": secret })),
        (login, json!({ "i": { "username": "ann" } })),
        (login, json!({ "i": { "username": "ann", "password": null } })),
        (login, json!({ "i": { "username": "ann", "password": [secret] } })),
        (login, json!({ "i": { "username": "ann", "password": secret, "passwort": secret } })),
        (login, json!({ "i": { "username": "ann", "password": secret, "transport": "body" } })),
    ];
    for (query, variables) in cases {
        let answer = root.send(query, variables.clone()).await;
        assert_eq!(answer.code().as_deref(), Some("BAD_USER_INPUT"), "{variables}: {}", answer.text);
        assert!(answer.json().get("data").is_none() && !answer.text.contains(secret), "{variables}: {}", answer.text);
        assert_eq!(answer.json()["errors"][0]["extensions"]["argument"], "variables");
    }
    // A number is an id, and one value is a list of one.
    let node = root.send("query ($i: ID!) { node(id: $i) { id } }", json!({ "i": 7 })).await;
    assert!(node.text.contains("node"), "{}", node.text);
    let roles =
        "mutation ($u: ID!, $r: [String!]!) { setUserRoles(input: { userId: $u, roles: $r }) { user { roles } } }";
    let ann = app.user("ann").await;
    let set = root.send(roles, json!({ "u": ann.id, "r": "admin" })).await;
    assert_eq!(set.data()["setUserRoles"]["user"]["roles"], json!(["admin"]), "{}", set.text);
}

#[tokio::test]
async fn literal_of_the_wrong_type_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let password = crate::support::PASSWORD;
    for query in [
        format!(
            r#"mutation {{ login(input: {{ username: "x", username: "ann", password: "{password}" }}) {{ errors {{ code }} }} }}"#
        ),
        format!(
            r#"mutation {{ login(input: {{ username: "ann", password: "{password}", transport: "BODY" }}) {{ errors {{ code }} }} }}"#
        ),
        "query ($x: [ID!]) { node(id: $x) { id } }".to_owned(),
        "query ($x: Int) { users(filter: { search: $x }) { totalCount } }".to_owned(),
        "query ($x: Int = null) { __type(name: $x) { name } }".to_owned(),
        "{ me { a: id a: username } }".to_owned(),
        "query ($x: Boolean! @include(if: true)) { me { id @skip(if: $x) } }".to_owned(),
        "query ($x: Boolean) { me { id @skip(if: $x) } }".to_owned(),
        "{ me { id @guard(any: []) } }".to_owned(),
    ] {
        let answer = ann.send(&query, json!({ "x": null })).await;
        assert_eq!(answer.code().as_deref(), Some("GRAPHQL_VALIDATION_FAILED"), "{query}: {}", answer.text);
        assert!(answer.json().get("data").is_none() && !answer.text.contains(password));
    }
}

/// Each operation of a document has its own variables; those of others are ignored.
#[tokio::test]
async fn variables_of_other_operations_are_ignored() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let query = "query A($f: Int!) { users(first: $f) { totalCount } } query B { me { id } }";
    let body = json!({ "query": query, "operationName": "B" });
    let answer = root.json(Method::POST, "/graphql", &body).await;
    assert_eq!(answer.data()["me"]["id"], json!(root.id), "{}", answer.text);
    for (name, code) in [(json!("C"), "GRAPHQL_VALIDATION_FAILED"), (json!(null), "GRAPHQL_VALIDATION_FAILED")] {
        let answer = root.json(Method::POST, "/graphql", &json!({ "query": query, "operationName": name })).await;
        assert_eq!(answer.code().as_deref(), Some(code), "{name}: {}", answer.text);
    }
}
