//! The Corvus dialect responds as documented, with API tokens of accountd.

mod tokens;
mod users;

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;

use super::replay::imported_user::create_user;
use super::replay::{Difference, Service, Variables, play};
use crate::support::{PASSWORD, TestApp, TestResponse};

const MOUNT: (&str, &str) = ("ACCOUNTD_REST__DIALECTS__CORVUS", "/auth");

async fn app() -> TestApp {
    TestApp::with(&[MOUNT]).await
}

fn pair(name: &str, secret: &str) -> String {
    STANDARD.encode(format!("{name}:{secret}"))
}

async fn login(app: &TestApp, name: &str, password: &str) -> TestResponse {
    let basic = format!("Basic {}", pair(name, password));
    app.anonymous().request(Method::POST, "/auth/login", &[("authorization", &basic)], "").await
}

/// The value for `X-Auth-Token` after a login.
async fn token(app: &TestApp, name: &str) -> String {
    let answer = login(app, name, PASSWORD).await;
    pair(name, answer.json()["token"].as_str().unwrap_or_else(|| panic!("no token in {}", answer.text)))
}

async fn send(app: &TestApp, token: &str, method: Method, path: &str) -> TestResponse {
    app.anonymous().request(method, path, &[("x-auth-token", token)], "").await
}

async fn bump(app: &TestApp, token: &str) -> u16 {
    send(app, token, Method::POST, "/auth/bump").await.status.as_u16()
}

const ADMINISTRATOR: &str = "server_administrator";

const DIFFERENCES: &[Difference] = &[("login_ok", 200, "\"expirationTime\"", "every token expires")];

struct Corvus;

impl Service for Corvus {
    const RECORDED: &'static str = include_str!("fixtures/corvus.json");

    async fn before(&mut self, app: &TestApp, entry: &str, variables: &mut Variables) {
        let password = if entry == "login_failed" { "wrong" } else { PASSWORD };
        variables.insert("<b64(user:password)>".to_owned(), pair(ADMINISTRATOR, password));
        variables.insert("<iso8601>".to_owned(), "2018-07-29T11:59:29-05:00".to_owned());
        if !entry.starts_with("login") {
            variables.insert("<b64(user:<uuid>)>".to_owned(), token(app, ADMINISTRATOR).await);
        }
    }
}

#[tokio::test]
async fn corvus_responds_as_documented() {
    let app = app().await;
    create_user(&app, ADMINISTRATOR, PASSWORD, &["admin"], |_| {}).await;
    play(&app, &mut Corvus, DIFFERENCES).await;
}

/// B1
#[tokio::test]
async fn corvus_login_failure_does_not_reveal_users() {
    let app = app().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    app.user("bob").await;
    root.mutate_ok("setUserStatus", json!({ "userId": ann.id, "status": "DISABLED" }), "user { id }").await;
    let mut answers = Vec::new();
    for (name, password) in [("nobody", PASSWORD), ("bob", "wrong"), ("ann", PASSWORD), ("ann", "wrong"), ("", "")] {
        let mut answer = login(&app, name, password).await;
        answer.headers.remove("x-request-id");
        answers.push((answer.status, answer.headers, answer.text));
    }
    assert_eq!((answers[0].0.as_u16(), &*answers[0].2), (401, r#"{"message":"Authorization failed"}"#));
    assert!(answers[0].1["www-authenticate"].to_str().unwrap().starts_with("Basic "));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

/// A5
#[tokio::test]
async fn corvus_wrong_passwords_count_with_all_login_routes() {
    let app = TestApp::with(&[MOUNT, ("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    app.user("ann").await;
    assert_eq!(login(&app, "ann", "wrong").await.status, 401);
    let refused = login(&app, "ann", PASSWORD).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, Some("1")));
    assert!(refused.json()["message"].as_str().unwrap().contains("try again in 1 s"), "{}", refused.text);
    assert_eq!(
        app.anonymous().login("ann", PASSWORD).await.payload_error("login").as_deref(),
        Some("TOO_MANY_ATTEMPTS")
    );
}

/// A4: with several passwords none is verified.
#[tokio::test]
async fn corvus_request_verifies_one_password() {
    let app = TestApp::with(&[MOUNT, ("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    app.user("ann").await;
    let [wrong, right] = ["wrong", PASSWORD].map(|password| format!("Basic {}", pair("ann", password)));
    let both = format!("{right}, {wrong}");
    for values in [vec![&wrong, &right], vec![&right, &wrong], vec![&both]] {
        let headers: Vec<_> = values.into_iter().map(|value| ("authorization", value.as_str())).collect();
        let answer = app.anonymous().request(Method::POST, "/auth/login", &headers, "").await;
        let failed = (401, json!({ "message": "Authorization failed" }));
        assert_eq!((answer.status.as_u16(), answer.json()), failed, "{headers:?}");
    }
    assert_eq!(login(&app, "ann", PASSWORD).await.status, 200, "no failure was counted");
}

#[tokio::test]
async fn corvus_must_change_password_gets_no_token() {
    let app = app().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let own = token(&app, "ann").await;
    root.mutate_ok("updateUser", json!({ "userId": ann.id, "mustChangePassword": true }), "user { id }").await;
    let answer = login(&app, "ann", PASSWORD).await;
    assert_eq!(answer.status, 403);
    assert!(answer.json()["message"].as_str().unwrap().starts_with("choose a new password first"), "{}", answer.text);
    assert_eq!(bump(&app, &own).await, 403);
    let sessions = ann.send("{ me { id } }", json!({})).await.code();
    assert_eq!(sessions.as_deref(), Some("PASSWORD_CHANGE_REQUIRED"));
}

#[tokio::test]
async fn corvus_responds_in_the_accepted_media_type() {
    let app = app().await;
    app.user("ann").await;
    let own = token(&app, "ann").await;
    for (accept, status) in [("application/json", 200), ("text/html, */*;q=0.1", 200), ("text/html", 406)] {
        let headers = [("x-auth-token", &*own), ("accept", accept)];
        let answer = app.anonymous().request(Method::POST, "/auth/bump", &headers, "").await;
        assert_eq!(answer.status.as_u16(), status, "{accept}");
        assert_eq!((answer.header("content-type"), answer.header("vary")), (Some("application/json"), Some("Accept")));
    }
    let wrong = app.anonymous().request(Method::GET, "/auth/login", &[], "").await;
    assert_eq!((wrong.status.as_u16(), wrong.header("vary")), (405, Some("Accept")));
    let options = app.anonymous().request(Method::OPTIONS, "/user/ann", &[], "").await;
    assert_eq!((options.status.as_u16(), options.header("allow")), (200, Some("GET, HEAD, OPTIONS, PATCH")));
}
