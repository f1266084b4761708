//! The example of an application with a GraphQL schema of its own.

use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, TestApp};

/// The example; its `main` is unused here.
#[path = "../../../../examples/own_schema.rs"]
#[expect(dead_code, reason = "its `main` is for its readers")]
mod example;

/// The response of the application's schema.
async fn run(actor: &Actor, query: &str) -> Value {
    let answer = actor.json(Method::POST, "/graphql", &json!({ "query": query })).await;
    assert_eq!(answer.status.as_u16(), 200, "{}", answer.text);
    answer.json()
}

/// The code of its first error.
async fn code(actor: &Actor, query: &str) -> Value {
    run(actor, query).await["errors"][0]["extensions"]["code"].clone()
}

#[tokio::test]
async fn own_schema_takes_the_caller_and_guards_fields() {
    let app = TestApp::new().await;
    let routes = example::router(app.app.clone()).unwrap();
    let anonymous = app.anonymous().at_router(routes.clone());
    let root = app.admin("root").await.at_router(routes.clone());
    let register = json!({ "query": format!("mutation {{ register(input: {{ username: \"ann\", password: \"{PASSWORD}\" }})
        {{ user {{ id }} tokens {{ accessToken refreshToken }} }} }}") });
    let registered = anonymous.json(Method::POST, "/accounts/graphql", &register).await;
    let ann = anonymous.signed_in(&registered.data()["register"]);

    assert_eq!(run(&ann, "{ me }").await, json!({ "data": { "me": "ann" } }));
    assert_eq!(run(&anonymous, "{ me }").await, json!({ "data": { "me": null } }));
    let add = "mutation { addNote(text: \"milk\") { text } }";
    assert_eq!(code(&anonymous, add).await, "UNAUTHENTICATED");
    assert_eq!(run(&ann, add).await["data"]["addNote"]["text"], "milk");
    assert_eq!(run(&ann, "{ notes { text } }").await["data"]["notes"], json!([{ "text": "milk" }]));
    assert_eq!(run(&root, "{ notes { text } }").await["data"]["notes"], json!([]));

    for (guarded, allowed) in [
        ("{ allNotes { text } }", json!({ "allNotes": [{ "text": "milk" }] })),
        ("{ noteCount }", json!({ "noteCount": 1 })),
    ] {
        assert_eq!(code(&anonymous, guarded).await, "UNAUTHENTICATED", "{guarded}");
        assert_eq!(code(&ann, guarded).await, "FORBIDDEN", "{guarded}");
        assert_eq!(run(&root, guarded).await["data"], allowed, "{guarded}");
    }
}

/// A token that is not valid is refused before the schema is asked, and an ended session at once.
#[tokio::test]
async fn own_schema_refuses_invalid_tokens() {
    let app = TestApp::new().await;
    let routes = example::router(app.app.clone()).unwrap();
    let ann = app.user("ann").await.at_router(routes);
    let query = json!({ "query": "{ me }" });
    let status = async |actor: &Actor| actor.json(Method::POST, "/graphql", &query).await.status.as_u16();
    assert_eq!((status(&ann).await, status(&ann.with_token("nonsense")).await), (200, 401));
    app.clock.advance(TimeDelta::minutes(16));
    assert_eq!(status(&ann).await, 401, "the access token has expired");
}
