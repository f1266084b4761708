//! The REST API: the same users and sessions as over GraphQL, and no input causes a 5xx.

mod api_token;
mod malformed_input;
mod refresh;

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

/// The routes that take a body, with a valid one.
fn bodies(release: &str) -> Vec<(String, Value)> {
    let (refresh, api_token) = if release.is_empty() {
        ("/token-refresh", "/create-api-token")
    } else {
        ("/token/refresh", "/token/create-api-token")
    };
    vec![
        (format!("{release}/login"), json!({ "username": "ann", "password": PASSWORD })),
        (format!("{release}/register"), json!({ "username": "bob", "fullname": "Bob", "password": PASSWORD })),
        (format!("{release}{refresh}"), json!({ "refresh_token": "a.b.c" })),
        (format!("{release}{api_token}"), json!({ "token_exp": 60, "datasets": { "ds_*": ["read"] } })),
    ]
}

const RELEASES: [&str; 2] = ["", "/api/v1/auth"];

async fn login(app: &TestApp, name: &str) -> TestResponse {
    let body = json!({ "username": name, "password": PASSWORD });
    app.anonymous().json(Method::POST, "/login", &body).await
}

/// The actor of a response with both tokens.
fn signed_in(app: &TestApp, answer: &TestResponse) -> Actor {
    assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
    let body = answer.json();
    let tokens = json!({ "accessToken": body["access_token"], "refreshToken": body["refresh_token"] });
    app.anonymous().signed_in(&json!({ "tokens": tokens }))
}

async fn refresh(actor: &Actor) -> TestResponse {
    actor.json(Method::POST, "/token-refresh", &json!({ "refresh_token": actor.refresh_token })).await
}

async fn validation(actor: &Actor) -> StatusCode {
    actor.request(Method::POST, "/token-validation", &[], "").await.status
}

fn assert_failure(answer: &TestResponse) {
    let body = answer.json();
    assert!(answer.status.is_client_error(), "{} {}", answer.status, answer.text);
    assert!(body["message"].is_string(), "{body}");
    assert_eq!(body["message"], body["error"], "{body}");
}

#[tokio::test]
async fn rest_serves_the_users_of_graphql() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let answer = login(&app, "ann").await;
    assert_eq!(answer.json()["user"], json!({ "username": "ann", "fullname": "" }), "{}", answer.text);
    let caller = signed_in(&app, &answer);
    assert_eq!(caller.me_code().await, None);
    assert_eq!(validation(&ann).await, StatusCode::OK, "a token of GraphQL");
    assert_eq!(ann.login("ANN", PASSWORD).await.data()["login"]["errors"], json!([]), "GraphQL takes any spelling");
    assert_eq!(login(&app, "Ann").await.status, StatusCode::UNAUTHORIZED, "the old service takes one");
}

#[tokio::test]
async fn graphql_logout_ends_a_rest_session() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let caller = signed_in(&app, &login(&app, "ann").await);
    caller.send("mutation { logout { ok } }", json!({})).await.data();
    assert_eq!(validation(&caller).await, StatusCode::UNAUTHORIZED);
    assert_eq!(refresh(&caller).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn rest_logout_ends_a_graphql_session() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let other = app.login("ann", PASSWORD).await;
    let answer = ann.request(Method::POST, "/logout", &[], "").await;
    assert_eq!(answer.json(), json!({ "message": "Logout successful from ann" }));
    assert_eq!(ann.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    let refused = ann.refresh(ann.refresh_token.as_deref().unwrap()).await;
    assert_eq!(refused.payload_error("refresh").as_deref(), Some("SESSION_ENDED"));
    assert_eq!(other.me_code().await, None, "other sessions live");
}

/// B1
#[tokio::test]
async fn rest_login_failures_are_indistinguishable() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let disable = "mutation ($id: ID!) { setUserStatus(input: { userId: $id, status: DISABLED }) { errors { code } } }";
    root.send(disable, json!({ "id": ann.id })).await.data();
    let wrong = json!({ "username": "root", "password": "wrong" });
    let answers = [
        login(&app, "ann").await,
        login(&app, "nobody").await,
        login(&app, "").await,
        app.anonymous().json(Method::POST, "/login", &wrong).await,
    ];
    for answer in answers {
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
        assert_eq!(answer.json(), json!({ "message": "Invalid credentials", "error": "Invalid credentials" }));
        assert_eq!(answer.header("www-authenticate"), None, "no token would help");
    }
}

#[tokio::test]
async fn rest_registration_requires_permission() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let body = |name: &str, password: &str| json!({ "username": name, "fullname": " ", "password": password });
    let made = root.json(Method::POST, "/register", &body("E\u{301}mile", PASSWORD)).await;
    assert_eq!((made.status, made.json()), (StatusCode::CREATED, json!({ "message": "User successfully created" })));
    for name in ["\u{e9}mile", "e\u{301}mile"] {
        assert_eq!(login(&app, name).await.status, StatusCode::OK, "{name}");
    }

    let weak = root.json(Method::POST, "/register", &body("bob", "password")).await;
    assert_eq!((weak.status, &weak.json()["success"]), (StatusCode::BAD_REQUEST, &json!(false)));
    assert_failure(&weak);
    let bad = app.anonymous().json(Method::POST, "/register", &body("no name", "password")).await;
    assert_eq!(bad.status, StatusCode::UNAUTHORIZED, "anonymous callers do not learn what is wrong with a name");
    assert_eq!(bad.header("www-authenticate"), Some("Bearer"));
    let denied = app.user("ann").await.json(Method::POST, "/register", &body("bob", "password")).await;
    assert_eq!(denied.status, StatusCode::FORBIDDEN);
    assert_failure(&denied);

    let closed = TestApp::with(&[("ACCOUNTD_REGISTRATION__MODE", "closed")]).await;
    let answer = closed.admin("root").await.json(Method::POST, "/register", &body("bob", PASSWORD)).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert_failure(&answer);
}

#[tokio::test]
async fn rest_response_to_invalid_token_has_a_challenge() {
    let app = TestApp::new().await;
    for path in ["/token-validation", "/logout"] {
        let none = app.anonymous().request(Method::POST, path, &[], "").await;
        assert_eq!(none.header("www-authenticate"), Some("Bearer"), "{path}");
        let bad = app.anonymous().with_token("nope").request(Method::POST, path, &[], "").await;
        assert_eq!(bad.header("www-authenticate"), Some("Bearer error=\"invalid_token\""), "{path}");
        assert_failure(&bad);
    }
}

#[tokio::test]
async fn username_check_can_be_disabled() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let ask = async |app: &TestApp, query: &str| {
        app.anonymous().request(Method::GET, &format!("/login{query}"), &[], "").await
    };
    assert_eq!(ask(&app, "?username=ann").await.json(), json!({ "username": "ann", "exists": true }));
    assert_eq!(ask(&app, "?x=1&username=ann&username=bob").await.json()["exists"], json!(true));
    assert_eq!(ask(&app, "?username=%00%ff%27").await.json()["exists"], json!(false));

    let silent = TestApp::with(&[("ACCOUNTD_REST__USERNAME_CHECK", "false")]).await;
    silent.user("ann").await;
    let answer = ask(&silent, "?username=ann").await;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert_failure(&answer);
    assert_eq!(login(&silent, "ann").await.status, StatusCode::OK);
}

#[tokio::test]
async fn rest_405_lists_the_allowed_methods() {
    let app = TestApp::new().await;
    for release in RELEASES {
        for (path, methods) in [("/login", "GET, HEAD, OPTIONS, POST"), ("/logout", "OPTIONS, POST")] {
            let path = format!("{release}{path}");
            let answer = app.anonymous().request(Method::OPTIONS, &path, &[], "").await;
            assert_eq!((answer.status, answer.header("allow")), (StatusCode::OK, Some(methods)));
            let refused = app.anonymous().request(Method::PUT, &path, &[], "").await;
            assert_eq!(refused.status, StatusCode::METHOD_NOT_ALLOWED);
            assert_failure(&refused);
        }
    }
}

#[tokio::test]
async fn disabled_dialect_is_404() {
    let app = TestApp::with(&[("ACCOUNTD_REST__DIALECTS__PLANTDB", "off")]).await;
    for (path, body) in RELEASES.into_iter().flat_map(bodies) {
        assert_eq!(app.anonymous().json(Method::POST, &path, &body).await.status, StatusCode::NOT_FOUND, "{path}");
    }
}
