//! API tokens by REST: without use here, for services that own the datasets.

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{assert_failure, validation};
use crate::support::{Actor, TestApp, TestResponse};

async fn create(actor: &Actor, datasets: Value) -> TestResponse {
    let body = json!({ "token_exp": 3600, "datasets": datasets });
    actor.json(Method::POST, "/create-api-token", &body).await
}

#[tokio::test]
async fn plantdb_api_token_names_its_datasets() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let made = create(&ann, json!({ "ds_*": ["read", "write"], "a/b": ["Permission.CREATE"] })).await.json();
    assert_eq!(made["expiration date"], json!("2026-03-01T13:00:00Z"));
    let program = ann.with_token(made["api_token"].as_str().unwrap());
    assert_eq!(program.token.as_ref().unwrap().split('.').count(), 3, "clients take it for a JWT");
    let described =
        program.send("{ me { username } currentApiToken { name scopes permissions } }", json!({})).await.data();
    let mut scopes: Vec<_> = described["currentApiToken"]["scopes"].as_array().unwrap().clone();
    scopes.sort_by_key(Value::to_string);
    assert_eq!(json!(scopes), json!(["a/b/Permission.CREATE", "ds_*/read,write"]));
    assert_eq!(described["currentApiToken"]["permissions"], json!([]), "it grants nothing here");
    assert_eq!(validation(&program).await, StatusCode::OK);

    let another = create(&program, json!({ "ds_*": ["read"] })).await;
    assert_eq!(another.status, StatusCode::FORBIDDEN, "a token creates no other");
    assert_failure(&another);
    app.clock.advance(TimeDelta::hours(1));
    assert_eq!(validation(&program).await, StatusCode::UNAUTHORIZED, "it has expired");
}

#[tokio::test]
async fn plantdb_api_token_with_ambiguous_datasets_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let wrong = [
        json!(["read"]),
        json!({ "a": "read" }),
        json!({ "a": [1] }),
        json!({ "a": ["b/read"] }),
        json!({ "a": ["x,y"] }),
    ];
    for datasets in wrong {
        let answer = create(&ann, datasets.clone()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{datasets}");
        assert_failure(&answer);
    }
    for datasets in [json!({}), json!({ "a": ["Read"] }), json!({ "a": ["read", "Permission.FLY"] })] {
        let made = create(&ann, datasets.clone()).await.json();
        let program = ann.with_token(made["api_token"].as_str().unwrap());
        assert_eq!(validation(&program).await, StatusCode::UNAUTHORIZED, "{datasets}");
    }
}
