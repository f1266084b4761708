//! Disabling and deleting users, and what ends with them.

use serde_json::json;

use super::{UNKNOWN_USER, one};
use crate::support::{Actor, PASSWORD, TestApp};

async fn is_logged_out(actor: &Actor) -> bool {
    let access = actor.me_reason().await.as_deref() == Some("SESSION_ENDED");
    let answer = actor.refresh(actor.refresh_token.as_deref().unwrap()).await;
    access && answer.payload_error("refresh").as_deref() == Some("SESSION_ENDED")
}

/// S13 S14
#[tokio::test]
async fn disabling_ends_sessions_and_enabling_restores_none() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let phone = app.login("ann", PASSWORD).await;
    let status = |status: &str| json!({ "userId": ann.id, "status": status });
    let payload = root.mutate_ok("setUserStatus", status("DISABLED"), "user { status }").await;
    assert_eq!(payload["user"]["status"], "DISABLED");
    assert!(is_logged_out(&ann).await && is_logged_out(&phone).await);
    let login = app.anonymous().login("ann", PASSWORD).await;
    assert_eq!(login.payload_error("login").as_deref(), Some("INVALID_CREDENTIALS"));
    root.mutate_ok("setUserStatus", status("DISABLED"), "user { status }").await;

    root.mutate_ok("setUserStatus", status("ACTIVE"), "user { status }").await;
    assert!(is_logged_out(&ann).await && is_logged_out(&phone).await);
    assert_eq!(app.login("ann", PASSWORD).await.me_code().await, None);
    assert_eq!(
        root.payload_errors("setUserStatus", json!({ "userId": UNKNOWN_USER, "status": "ACTIVE" })).await,
        one("NOT_FOUND", "input.userId")
    );
}

/// The check reads the status itself, not only the sessions that disabling ended.
#[tokio::test]
async fn disabled_user_with_live_session_is_refused() {
    use entity::user;
    use sea_orm::sea_query::Expr;
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    user::Entity::update_many()
        .col_expr(user::Column::Status, Expr::value("DISABLED"))
        .filter(user::Column::UsernameKey.eq("ann"))
        .exec(app.app.db.writer())
        .await
        .unwrap();
    assert!(is_logged_out(&ann).await);
}

/// S13
#[tokio::test]
async fn deleting_a_user_ends_sessions_and_tokens_at_once() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let payload = root.mutate_ok("deleteUser", json!({ "userId": ann.id }), "deletedUserId").await;
    assert_eq!(payload["deletedUserId"], json!(ann.id));
    assert!(is_logged_out(&ann).await);
    let query = "query ($id: ID!) { user(id: $id) { id } node(id: $id) { id } }";
    let gone = root.send(query, json!({ "id": ann.id })).await;
    assert_eq!(gone.data(), json!({ "user": null, "node": null }));
    assert_eq!(root.payload_errors("deleteUser", json!({ "userId": ann.id })).await, one("NOT_FOUND", "input.userId"));
    let login = app.anonymous().login("ann", PASSWORD).await;
    assert_eq!(login.payload_error("login").as_deref(), Some("INVALID_CREDENTIALS"));
}

/// S13
#[tokio::test]
async fn email_change_by_administrator_ends_sessions() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let set = |id: &str, email: &str| json!({ "userId": id, "email": email });
    root.mutate_ok("updateUser", set(&ann.id, "old@example.org"), "user { id }").await;
    assert_eq!(ann.me_code().await, None, "the first address affects no existing session");
    root.mutate_ok("updateUser", set(&ann.id, "ann@example.org"), "user { id }").await;
    assert_eq!(ann.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    let again = app.login("ann", crate::support::PASSWORD).await;
    root.mutate_ok("updateUser", set(&ann.id, "ANN@example.org"), "user { id }").await;
    assert_eq!(again.me_code().await, None, "the same address in another spelling");
    for address in ["root@example.org", "admin@example.org"] {
        root.mutate_ok("updateUser", set(&root.id, address), "user { id }").await;
    }
    assert_eq!(root.me_code().await, None, "the acting session stays");
}
