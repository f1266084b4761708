//! Login and logout in the dialect.

use axum::http::Method;
use serde_json::{Value, json};

use super::{app, app_with, login, message};
use crate::support::PASSWORD;

#[tokio::test]
async fn auth_service_login_requires_the_role_of_the_mount() {
    let app = app().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    root.mutate_ok("saveRole", json!({ "name": "clerks", "permissions": [] }), "role { id }").await;
    root.mutate_ok("setUserRoles", json!({ "userId": ann.id, "roles": ["clerks"] }), "user { id }").await;
    app.user("bob").await;
    for (mount, name, role) in [
        ("/admin", "root", Some(json!("admin"))),
        ("/admin", "ann", None),
        ("/admin", "bob", None),
        ("/app", "ann", Some(json!("Clerks"))),
        ("/app", "root", None),
        ("/any", "ROOT", Some(json!("admin"))),
        ("/any", "ann", Some(json!("clerks"))),
        ("/any", "bob", Some(Value::Null)),
    ] {
        let answer = login(&app, mount, name, PASSWORD).await;
        match role {
            Some(role) => assert_eq!(answer.json()["data"]["role"], role, "{name} at {mount}"),
            None => {
                assert_eq!((answer.status.as_u16(), message(&answer).as_str()), (400, "bad_credentials"), "{name}");
            }
        }
    }
    // With several roles, the administrator role is returned, whatever the alphabetical order.
    root.mutate_ok("saveRole", json!({ "name": "aa", "permissions": [] }), "role { id }").await;
    root.mutate_ok("setUserRoles", json!({ "userId": root.id, "roles": ["aa", "admin"] }), "user { id }").await;
    assert_eq!(login(&app, "/any", "root", PASSWORD).await.json()["data"]["role"], "admin");
}

/// B1, A5: a right password at the wrong mount is a wrong password, and counts as one.
#[tokio::test]
async fn auth_service_login_failure_does_not_reveal_users() {
    let app = app_with(&[("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    app.user("bob").await;
    root.mutate_ok("setUserStatus", json!({ "userId": ann.id, "status": "DISABLED" }), "user { id }").await;
    let mut answers = Vec::new();
    for (name, password) in [("nobody", PASSWORD), ("root", "wrong"), ("ann", PASSWORD), ("bob", PASSWORD)] {
        let mut answer = login(&app, "/admin", name, password).await;
        answer.headers.remove("x-request-id");
        answers.push((answer.status, answer.headers, answer.text));
    }
    assert_eq!((answers[0].0.as_u16(), &*answers[0].2), (400, r#"{"message":"bad_credentials"}"#));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
    let refused = login(&app, "/any", "bob", PASSWORD).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, Some("1")));
    assert!(message(&refused).contains("try again in 1 s"), "{}", refused.text);
}

/// S8
#[tokio::test]
async fn auth_service_logout_ends_the_session_of_the_login() {
    let app = app().await;
    app.user("ann").await;
    let data = login(&app, "/any", "ann", PASSWORD).await.json()["data"].clone();
    assert_eq!(
        (&data["token_type"], &data["expires_in"], &data["change_password"]),
        (&json!("Bearer"), &json!(15), &json!(false))
    );
    let ann = app.anonymous().with_token(data["access_token"].as_str().unwrap());
    assert_eq!(ann.me_code().await, None);
    assert_eq!(ann.request(Method::POST, "/any/logout", &[], "").await.text, r#"{"message":"ok"}"#);
    assert_eq!(ann.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    let renewed = app.anonymous().refresh(data["refresh_token"].as_str().unwrap()).await;
    assert_eq!(renewed.payload_error("refresh").as_deref(), Some("SESSION_ENDED"), "the refresh token is invalid, too");
}
