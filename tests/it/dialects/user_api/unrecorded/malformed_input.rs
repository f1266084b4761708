//! Malformed input on every route of the dialect.

use axum::http::{Method, StatusCode};
use serde_json::{Map, Value, json};

use super::{OTHER, created, get, login, user_input};
use crate::dialects::user_api::{MOUNTED, cookie_of};
use crate::support::{PASSWORD, TestApp, TestResponse};

/// No input causes a 500, and every failure has the dialect's form.
#[tokio::test]
async fn malformed_input_causes_no_5xx_on_user_api_routes() {
    let app = TestApp::with(&[MOUNTED]).await;
    let root = app.admin("root").await;
    let ann = created(&root, &user_input("ann")).await;
    let routes = [
        (Method::POST, "/api/users/login".to_owned(), json!({ "email": "ann", "password": PASSWORD })),
        (Method::POST, "/api/users/reset-password".to_owned(), json!({ "email": "ann", "password": OTHER })),
        (Method::POST, "/api/users/".to_owned(), user_input("bob")),
        (
            Method::PUT,
            format!("/api/users/{}", ann["id"]),
            json!({ "email": "ann", "name": "", "active": true, "password": OTHER, "roles": [], "id": 1 }),
        ),
    ];
    let values = [
        json!(null),
        json!(5),
        json!(1e300),
        json!([[]]),
        json!({ "a": 1 }),
        json!("\0"),
        json!("x".repeat(60_000)),
        json!([{ "id": 1e40 }]),
    ];
    let media = [("content-type", "application/json")];
    for (method, path, good) in &routes {
        let fails = |answer: &TestResponse| {
            let body = answer.json();
            assert!(answer.status.is_client_error(), "{path} {}", answer.text);
            assert!(body["message"].is_string() && body["error_code"].is_string(), "{path} {}", answer.text);
        };
        for field in good.as_object().unwrap().keys() {
            for value in &values {
                let mut body = good.clone();
                body[field] = value.clone();
                // Any number is accepted there, because none counts.
                if field != "id" || !value.is_i64() {
                    fails(&root.json(method.clone(), path, &body).await);
                }
            }
        }
        let nested = "[".repeat(60_000);
        for body in [
            &b""[..],
            b"null",
            b"[]",
            b"{",
            b"{\"email\": \"\\ud800\"}",
            b"{\"a\":1,\"a\":2}",
            b"\xff",
            nested.as_bytes(),
        ] {
            fails(&root.request(method.clone(), path, &media, body.to_vec()).await);
        }
        assert_eq!(root.request(method.clone(), path, &media, "x".repeat(70_000)).await.status, 413);
        assert_eq!(root.request(method.clone(), path, &[], good.to_string()).await.status, 415);
    }
    for id in ["0", "-1", "9223372036854775807", "9223372036854775808", "%00", "1.5", "%ff"] {
        let answer = get(&root, &format!("/api/users/{id}")).await;
        assert!(matches!(answer.status.as_u16(), 400 | 404), "{id} {}", answer.text);
    }
    let value = cookie_of(&login(&app, "ann", PASSWORD).await);
    for cookie in ["a", "=", "====", "YQ", "/w==", &value[1..], &format!("{value}{value}")] {
        let header = format!("user-api-credentials={cookie}");
        let answer = app.anonymous().request(Method::GET, "/api/users/", &[("cookie", &header)], "").await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{cookie} {}", answer.text);
    }
}

/// A response names the first unknown fields only: with all of them it would be larger than the request.
#[tokio::test]
async fn user_api_names_few_unknown_fields() {
    let app = TestApp::with(&[MOUNTED]).await;
    let body: Map<String, Value> = (0..3_000).map(|number| (format!("unknown{number}"), json!(1))).collect();
    let answer = app.anonymous().json(Method::POST, "/api/users/login", &body.into()).await;
    assert_eq!(
        (answer.status, &answer.json()["error_code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("WRONG_DOCUMENT_FORMAT"))
    );
    assert!(answer.text.contains("unknown field") && answer.text.len() < 1_000, "{}", answer.text.len());
}
