//! Passwords set by an administrator.

use serde_json::json;

use super::{NEW, change, is_logged_out, one};
use crate::support::{Actor, PASSWORD, TestApp};

async fn helper(app: &TestApp, root: &Actor, permissions: &[&str]) -> Actor {
    let helper = app.user("helper").await;
    root.mutate_ok("saveRole", json!({ "name": "helper", "permissions": permissions }), "role { id }").await;
    root.mutate_ok("setUserRoles", json!({ "userId": helper.id, "roles": ["helper"] }), "user { id }").await;
    helper
}

/// S13
#[tokio::test]
async fn password_reset_ends_sessions_and_requires_a_new_password() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let phone = app.login("ann", PASSWORD).await;
    let input = json!({ "userId": ann.id, "password": NEW });
    let payload = root.mutate_ok("setUserPassword", input, "user { id mustChangePassword }").await;
    assert_eq!(payload["user"], json!({ "id": ann.id, "mustChangePassword": true }));
    assert!(is_logged_out(&ann).await && is_logged_out(&phone).await);
    assert_eq!(
        app.anonymous().login("ann", PASSWORD).await.payload_error("login").as_deref(),
        Some("INVALID_CREDENTIALS")
    );
    let ann = app.login("ann", NEW).await;
    let changed = ann.mutate_ok("updatePassword", change(NEW, PASSWORD), "user { mustChangePassword }").await;
    assert_eq!(changed["user"]["mustChangePassword"], false);
    let input = json!({ "userId": ann.id, "password": NEW, "mustChange": false });
    let payload = root.mutate_ok("setUserPassword", input, "user { mustChangePassword }").await;
    assert_eq!(payload["user"]["mustChangePassword"], false);
}

#[tokio::test]
async fn password_reset_requires_a_strong_password_and_a_user() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let input = |id: &str, password: &str| json!({ "userId": id, "password": password });
    let weak = root.payload_errors("setUserPassword", input(&ann.id, "sunshine")).await;
    assert_eq!(weak, one("WEAK_PASSWORD", "input.password"));
    for id in ["", "x", "1", "usr_01h455vb4pex5vsknk084sn02q"] {
        let missing = root.payload_errors("setUserPassword", input(id, NEW)).await;
        assert_eq!(missing, one("NOT_FOUND", "input.userId"), "{id:?}");
    }
    let answer = ann.mutate("setUserPassword", input(&ann.id, NEW), "errors { code }").await;
    assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"), "not even one's own");
    assert_eq!(ann.me_code().await, None);
}

/// Z-6: otherwise a helper could become an administrator.
#[tokio::test]
async fn password_reset_of_an_administrator_by_a_helper_is_refused() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let helper = helper(&app, &root, &["USERS_WRITE"]).await;
    let ann = app.user("ann").await;
    let input = |id: &str| json!({ "userId": id, "password": NEW });
    let answer = helper.mutate("setUserPassword", input(&root.id), "user { id } errors { code }").await;
    assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"));
    assert_eq!(root.me_code().await, None);
    app.login("root", PASSWORD).await;
    helper.mutate_ok("setUserPassword", input(&ann.id), "user { id }").await;
}

/// C5
#[tokio::test]
async fn password_reset_of_oneself_is_refused() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let answer = root.mutate("setUserPassword", json!({ "userId": root.id, "password": NEW }), "user { id }").await;
    assert_eq!(answer.code().as_deref(), Some("BAD_USER_INPUT"));
    app.login("root", PASSWORD).await;
}
