//! Malformed and mistyped bodies on every REST route.

use axum::body::Body;
use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{RELEASES, assert_failure, bodies};
use crate::support::TestApp;

/// An empty full name is valid, and a token may last for 5 s.
fn assert_valid(field: &str, value: &Value) -> bool {
    (field == "fullname" && *value == json!("")) || (field == "token_exp" && *value == json!(5))
}

#[tokio::test]
async fn mistyped_field_causes_no_5xx_on_any_rest_route() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let long = "x".repeat(60_000);
    let values = [
        json!(null),
        json!(true),
        json!(5),
        json!(1e300),
        json!(["ann"]),
        json!({ "a": 1 }),
        json!(""),
        json!("\0"),
        json!(long),
    ];
    for (path, good) in RELEASES.into_iter().flat_map(bodies) {
        for field in good.as_object().unwrap().keys() {
            for value in values.iter().filter(|value| !assert_valid(field, value)) {
                let mut body = good.clone();
                body[field] = value.clone();
                let answer = root.json(Method::POST, &path, &body).await;
                assert_failure(&answer);
                let refused = [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED];
                assert!(refused.contains(&answer.status), "{path} {field} {}", answer.text);
            }
        }
    }
}

#[tokio::test]
async fn malformed_body_causes_no_5xx_on_any_rest_route() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let json = [("content-type", "application/json; charset=utf-8")];
    let nested = "[".repeat(60_000);
    for (path, good) in RELEASES.into_iter().flat_map(bodies) {
        let hostile: [&[u8]; 9] = [
            b"",
            b"null",
            b"[]",
            b"5",
            b"\"username\"",
            b"{}",
            b"{\"username\": \"\\ud800\"}",
            b"{\"username\": \"\xff\"}",
            nested.as_bytes(),
        ];
        for body in hostile {
            let answer = root.request(Method::POST, &path, &json, Body::from(body.to_vec())).await;
            assert_failure(&answer);
            let refused = [StatusCode::BAD_REQUEST, StatusCode::UNAUTHORIZED];
            assert!(refused.contains(&answer.status), "{path} {}", answer.text);
        }
        let long = root.request(Method::POST, &path, &json, "x".repeat(70_000)).await;
        assert_eq!(long.status, StatusCode::PAYLOAD_TOO_LARGE);
        assert_failure(&long);
        for media in ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonp", "json"] {
            let answer = root.request(Method::POST, &path, &[("content-type", media)], good.to_string()).await;
            assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE, "{media}");
            assert_failure(&answer);
        }
    }
}

#[tokio::test]
async fn rest_routes_without_a_body_ignore_one() {
    let app = TestApp::new().await;
    for path in ["/token-validation", "/logout", "/api/v1/auth/token/validation", "/api/v1/auth/logout"] {
        let ann = app.user(&format!("ann{}", path.len())).await;
        let answer = ann.request(Method::POST, path, &[("content-type", "text/plain")], vec![0xff; 70_000]).await;
        assert_eq!(answer.status, StatusCode::OK, "{path} {}", answer.text);
    }
}
