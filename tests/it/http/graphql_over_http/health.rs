//! Health, readiness, panics and published keys.

use std::time::Duration;

use axum::Router;
use axum::routing::get as get_route;
use serde_json::{Value, json};

use super::get;
use crate::support::TestApp;

#[tokio::test]
async fn health_routes_respond() {
    let app = TestApp::new().await;
    let alive = get(&app.anonymous(), "/healthz", &[]).await;
    assert_eq!((alive.status.as_u16(), alive.json()), (200, json!({ "status": "ok" })));
    let ready = get(&app.anonymous(), "/readyz", &[]).await;
    assert_eq!((ready.status.as_u16(), ready.json()), (200, json!({ "status": "ready" })));
    app.app.db.close().await.unwrap();
    let lost = get(&app.anonymous(), "/readyz", &[]).await;
    assert_eq!((lost.status.as_u16(), &lost.json()["code"]), (503, &json!("NOT_READY")));
    assert_eq!(get(&app.anonymous(), "/healthz", &[]).await.status, 200, "the process stays alive");
}

/// The disk of the embedded database: logins and refreshes need space.
#[tokio::test]
async fn full_disk_makes_readyz_fail() {
    use crate::support::database::backend;
    let app = TestApp::with_config(&[], |config| config.server.min_free_bytes = u64::MAX).await;
    let ready = get(&app.anonymous(), "/readyz", &[]).await;
    if backend() != sea_orm::DbBackend::Sqlite {
        assert_eq!(ready.status, 200, "a server reports it by itself");
        return;
    }
    assert_eq!((ready.status.as_u16(), &ready.json()["code"]), (503, &json!("NOT_READY")));
    assert_eq!(ready.json()["detail"], "the database disk is full");
    assert_eq!(get(&app.anonymous(), "/healthz", &[]).await.status, 200);
}

/// G12, X4: no route panics, but a panic is handled.
#[tokio::test]
async fn panic_in_a_handler_is_a_plain_500_and_the_server_runs_on() {
    let mut app = TestApp::with_config(&[], |config| config.server.timeouts.request = Duration::from_millis(200)).await;
    let panics = || async {
        if true {
            panic!("the secret of row 17")
        }
    };
    let hangs = || std::future::pending::<()>();
    let routes = Router::new().route("/panics", get_route(panics)).route("/hangs", get_route(hangs));
    app.router = accountd::http::with_middleware(routes.route("/fine", get_route("fine")), app.app.clone());
    for (path, status, code) in
        [("/panics", 500, "INTERNAL"), ("/hangs", 503, "TIMEOUT"), ("/nowhere", 404, "NOT_FOUND")]
    {
        let answer = get(&app.anonymous(), path, &[]).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (status, &json!(code)), "{path}");
        assert!(!answer.text.contains("row 17"), "{}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(
            (answer.header("cache-control"), answer.header("x-frame-options")),
            (Some("no-store"), Some("DENY"))
        );
        assert!(answer.header("x-request-id").is_some());
        assert_eq!(get(&app.anonymous(), "/fine", &[]).await.text, "fine");
    }
}

#[tokio::test]
async fn jwks_contains_public_keys_only() {
    let app = TestApp::new().await;
    let answer = get(&app.anonymous(), "/.well-known/jwks.json", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, Some("public, max-age=300")));
    let keys: Value = answer.json();
    let keys = keys["keys"].as_array().unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        let members = key.as_object().unwrap();
        for known in ["kty", "crv", "x", "kid", "alg", "use"] {
            assert!(members[known].is_string(), "{known} of {key}");
        }
        assert_eq!(members.len(), 6, "public members only, never `d`: {key}");
    }
}
