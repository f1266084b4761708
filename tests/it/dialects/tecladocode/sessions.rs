//! Login, refresh and logout in the dialect.

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use serde_json::json;

use super::{MOUNTED, app, create_user, post, send};
use crate::support::{Actor, TestApp, TestResponse};

async fn refreshed(app: &TestApp, actor: &Actor) -> TestResponse {
    send(&app.anonymous().with_token(actor.refresh_token.as_deref().unwrap()), Method::POST, "/refresh").await
}

/// A client keeps the refresh token of its login: it has no storage for another one.
#[tokio::test]
async fn tecladocode_refresh_token_lasts_as_long_as_its_session() {
    let app = app().await;
    let (ann, _) = create_user(&app, "ann").await;
    for _ in 0..5 {
        let answer = refreshed(&app, &ann).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let body = answer.json();
        assert_eq!(body.as_object().unwrap().len(), 1);
        let next = ann.with_token(body["access_token"].as_str().unwrap());
        assert_eq!(next.me_code().await, None);
        app.clock.advance(TimeDelta::hours(1));
        assert_eq!(next.me_reason().await.as_deref(), Some("TOKEN_EXPIRED"));
        let expired = send(&next, Method::POST, "/logout").await;
        assert_eq!(expired.json(), json!({ "message": "The token has expired.", "error": "token_expired" }));
    }
    app.clock.advance(TimeDelta::days(14));
    assert_eq!(refreshed(&app, &ann).await.json()["error"], json!("token_expired"));
}

/// S4: reuse of a rotated token is detected here, too.
#[tokio::test]
async fn tecladocode_refresh_token_reuse_ends_the_session() {
    let app = app().await;
    let ann = app.user("ann").await;
    let renewed = ann.refresh(ann.refresh_token.as_deref().unwrap()).await.data();
    let next = ann.signed_in(&renewed["refresh"]);
    assert_eq!(next.me_code().await, None);
    app.clock.advance(TimeDelta::minutes(5));
    assert_eq!(refreshed(&app, &ann).await.json()["error"], json!("token_revoked"));
    assert_eq!(next.me_reason().await.as_deref(), Some("SESSION_ENDED"));
}

#[tokio::test]
async fn tecladocode_logout_ends_both_tokens() {
    let app = app().await;
    let (ann, number) = create_user(&app, "ann").await;
    let answer = send(&ann, Method::POST, "/logout").await;
    assert_eq!(answer.json(), json!({ "message": format!("User <id={number}> successfully logged out.") }));
    assert_eq!(ann.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(refreshed(&app, &ann).await.json()["error"], json!("token_revoked"));
}

/// B1
#[tokio::test]
async fn tecladocode_login_failures_are_uniform_and_limited() {
    let app = TestApp::with(&[MOUNTED, ("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    app.user("ann").await;
    let wrong = |name: &str| json!({ "username": name, "password": "wrong" });
    for name in ["ann", "nobody"] {
        let answer = post(&app.anonymous(), "/login", &wrong(name)).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (401, json!({ "message": "Invalid credentials!" })));
        let answer = post(&app.anonymous(), "/login", &wrong(name)).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, Some("1")), "{}", answer.text);
    }
}
