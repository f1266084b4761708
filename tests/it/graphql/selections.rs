//! Selections: conditions, objects without remaining fields, and repeated fields.

use serde_json::json;

use crate::support::server::Server;
use crate::support::subscriber::{Subscriber, WebSocketClient};
use crate::support::{PASSWORD, TestApp};

#[tokio::test]
async fn skip_and_include_use_variable_defaults() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    for (query, variables, expected) in [
        ("query ($x: Boolean = true) { me { id username @include(if: $x) } }", json!({}), true),
        ("query ($x: Boolean! = true) { me { id ... @include(if: $x) { username } } }", json!({}), true),
        (
            "query ($x: Boolean = false) { me { id ...F @skip(if: $x) } } fragment F on User { username }",
            json!({}),
            true,
        ),
        ("query ($x: Boolean = true) { me { id username @include(if: $x) } }", json!({ "x": false }), false),
        ("query ($x: Boolean = true) { me { id username @skip(if: $x) } }", json!({}), false),
        ("query ($x: Boolean!) { me { id username @skip(if: $x) @include(if: true) } }", json!({ "x": false }), true),
    ] {
        let answer = ann.send(query, variables.clone()).await;
        let me = answer.data()["me"].clone();
        assert_eq!(me.get("username").is_some(), expected, "{query} {variables}: {me}");
        assert_eq!(me["id"], json!(ann.id));
    }
}

#[tokio::test]
async fn object_with_all_fields_skipped_is_empty() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    for (query, expected) in [
        ("{ me { username @skip(if: true) } }", json!({ "me": {} })),
        ("query Named { me { username @skip(if: true) } }", json!({ "me": {} })),
        ("{ me { ... @include(if: false) { username } } }", json!({ "me": {} })),
        ("{ me { ...F } } fragment F on User { username @skip(if: true) }", json!({ "me": {} })),
        ("{ me @skip(if: true) { username } }", json!({})),
        ("{ ...F @skip(if: true) } fragment F on Query { me { id } }", json!({})),
        (
            "{ node(id: \"x\") { ... on Role { name } } me { ... on Node { ... on User { username } } } }",
            json!({
                "node": null, "me": { "username": "ann" },
            }),
        ),
        ("{ __schema { queryType { name @skip(if: true) } } }", json!({ "__schema": { "queryType": {} } })),
    ] {
        let answer = ann.send(query, json!({})).await;
        assert_eq!(answer.json()["data"], expected, "{query}: {}", answer.text);
        assert!(!answer.text.contains("__accountd"), "{}", answer.text);
    }
    let own = ann.send(&format!("{{ node(id: \"{}\") {{ ... on Role {{ name }} }} }}", ann.id), json!({})).await;
    assert_eq!(own.json()["data"], json!({ "node": {} }), "{}", own.text);
}

#[tokio::test]
async fn mutation_with_all_fields_skipped_runs() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let new = "amber-lantern-orbit-17";
    let query =
        "mutation ($i: UpdatePasswordInput!) { updatePassword(input: $i) { tokens @skip(if: true) { accessToken } } }";
    let changed = ann.send(query, json!({ "i": { "currentPassword": PASSWORD, "newPassword": new } })).await;
    assert_eq!(changed.json(), json!({ "data": { "updatePassword": {} } }));
    assert!(app.login("ann", new).await.token.is_some());
}

/// Fields of one response key are one field (GraphQL section 6.3.2), and a mutation runs once for it.
#[tokio::test]
async fn repeated_root_field_runs_once() {
    let app = TestApp::new().await;
    let input = format!(r#"(input: {{ username: "bob", password: "{PASSWORD}" }})"#);
    for (name, query) in [
        ("bob", format!("mutation {{ register{input} {{ status }} register{input} {{ errors {{ code }} }} }}")),
        (
            "eve",
            format!(
            "mutation {{ register{input} {{ status }} ...F ... on Mutation {{ register{input} {{ user {{ id }} }} }} }}
             fragment F on Mutation {{ register{input} {{ errors {{ code }} }} }}"
        ),
        ),
    ] {
        let answer = app.anonymous().send(&query.replace("bob", name), json!({})).await;
        let made = answer.data()["register"].clone();
        assert_eq!((&made["status"], &made["errors"]), (&json!("SIGNED_IN"), &json!([])), "{}", answer.text);
    }
}

#[tokio::test]
async fn events_of_unselected_types_are_empty_objects() {
    let server = Server::new().await;
    let ann = server.app.user("ann").await;
    let mut socket = WebSocketClient::authenticated(server.address, ann.token.as_ref().unwrap()).await;
    let query = "subscription { accountEvents { ... on NewSignIn { at } } accountEvents { ...F } }
        fragment F on SessionEnded { current @include(if: false) }";
    socket.subscribe("1", query).await;
    // The protocol does not confirm a subscription: the event of a later subscriber does.
    drop(Subscriber::over_websocket(server.address, &ann).await);
    let event = socket.receive().await;
    assert_eq!(event["payload"], json!({ "data": { "accountEvents": {} } }), "{event}");
}
