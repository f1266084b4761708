//! Logout: ends sessions at once, by any remaining credential, and never fails on stale ones.

mod stale_tokens;

use axum::http::Method;
use chrono::TimeDelta;
use entity::revoked_token;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, TestApp};

async fn ended(actor: &Actor, input: Value) -> i64 {
    let payload = actor.mutate_ok("logout", input, "ok revokedSessionCount").await;
    assert_eq!(payload["ok"], true);
    payload["revokedSessionCount"].as_i64().unwrap()
}

async fn revoked(app: &TestApp) -> u64 {
    revoked_token::Entity::find().count(app.app.db.reader()).await.unwrap()
}

async fn is_logged_out(actor: &Actor) -> bool {
    let access = actor.me_reason().await.as_deref() == Some("SESSION_ENDED");
    let answer = actor.refresh(actor.refresh_token.as_deref().unwrap()).await;
    access && answer.payload_error("refresh").as_deref() == Some("SESSION_ENDED")
}

async fn is_logged_in(actor: &Actor) -> bool {
    actor.me_code().await.is_none()
}

async fn session_id(actor: &Actor) -> String {
    let sessions = actor.send("{ me { sessions { nodes { id current } } } }", json!({})).await;
    let nodes = sessions.data()["me"]["sessions"]["nodes"].as_array().unwrap().clone();
    nodes.iter().find(|node| node["current"] == true).unwrap()["id"].as_str().unwrap().to_owned()
}

/// S12
#[tokio::test]
async fn logout_ends_the_current_the_other_or_all_sessions() {
    let app = TestApp::new().await;
    let one = app.user("ann").await;
    let (two, three, four) =
        (app.login("ann", PASSWORD).await, app.login("ann", PASSWORD).await, app.login("ann", PASSWORD).await);
    let bob = app.user("bob").await;

    let nothing_said = one.send("mutation { logout { ok revokedSessionCount } }", json!({})).await;
    assert_eq!(nothing_said.data()["logout"], json!({ "ok": true, "revokedSessionCount": 1 }));
    assert!(
        is_logged_out(&one).await
            && is_logged_in(&two).await
            && is_logged_in(&three).await
            && is_logged_in(&four).await
    );

    assert_eq!(ended(&two, json!({ "scope": "OTHERS" })).await, 2);
    assert!(is_logged_in(&two).await && is_logged_out(&three).await && is_logged_out(&four).await);

    let five = app.login("ann", PASSWORD).await;
    assert_eq!(ended(&two, json!({ "scope": "ALL" })).await, 2);
    assert!(is_logged_out(&two).await && is_logged_out(&five).await && is_logged_in(&bob).await);
}

/// S10: other services that verify tokens themselves use the row.
#[tokio::test]
async fn logout_revocation_survives_a_restart() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let sid = session_id(&ann).await;
    assert_eq!(ended(&ann, json!({})).await, 1);
    let rows = revoked_token::Entity::find().all(app.app.db.reader()).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].token_id.as_str(), rows[0].reason.as_str()), (sid.as_str(), "LOGOUT"));
    assert_eq!(rows[0].until.utc(), rows[0].revoked_at.utc() + TimeDelta::days(30), "until the session's end");

    let app = app.restart().await;
    assert!(is_logged_out(&app.reconnect(&ann)).await);
}

/// Every logout of every dialect, from the OpenAPI document: none reports success while the API token lives on, and
/// none ends another session than that of the presented token.
#[tokio::test]
async fn dialect_logout_ends_the_presented_session_or_refuses() {
    let mounts = [
        ("ACCOUNTD_REST__DIALECTS__TECLADOCODE", "/flask"),
        ("ACCOUNTD_REST__DIALECTS__USER_API", "/api"),
        ("ACCOUNTD_REST__DIALECTS__CORVUS", "/auth"),
        ("ACCOUNTD_REST__DIALECTS__FLASK_AUTH_SERVICE_MONGO", "/any"),
    ];
    let app = TestApp::with(&mounts).await;
    let document = app.anonymous().request(Method::GET, "/openapi.json", &[], "").await.json();
    let paths: Vec<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
    let logouts: Vec<&String> = paths.iter().filter(|path| path.ends_with("/logout")).collect();
    let dialects = ["/logout", "/flask/logout", "/api/users/logout", "/auth/logout", "/any/logout"];
    assert!(dialects.iter().all(|path| logouts.iter().any(|found| found == path)), "{logouts:?}");
    app.user("ann").await;
    for path in logouts {
        let ann = app.login("ann", PASSWORD).await;
        let (_, program) = ann.api_token(&[]).await;
        let answer = program.request(Method::POST, path, &[], "").await;
        assert_eq!(answer.status.is_success(), !is_logged_in(&program).await, "{path}: {}", answer.text);
        assert!(is_logged_in(&ann).await, "{path}");

        let stale = app.login("ann", PASSWORD).await;
        app.clock.advance(TimeDelta::minutes(16));
        stale.request(Method::POST, path, &[], "").await;
        let refreshed = ann.refresh(ann.refresh_token.as_deref().unwrap()).await;
        assert_eq!(refreshed.payload_error("refresh"), None, "{path} by an expired token ended another session");
    }
}

/// S11
#[tokio::test]
async fn logout_accepts_the_refresh_token_alone() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let other = app.login("ann", PASSWORD).await;
    let input = json!({ "refreshToken": ann.refresh_token });
    assert_eq!(ended(&app.anonymous().with_token("garbage"), input.clone()).await, 1);
    assert!(is_logged_out(&ann).await && is_logged_in(&other).await);
    assert_eq!(ended(&app.anonymous(), input).await, 0);
    assert_eq!(ended(&app.anonymous(), json!({ "refreshToken": other.refresh_token, "scope": "ALL" })).await, 1);
    assert!(is_logged_out(&other).await);
}

/// S11
#[tokio::test]
async fn repeated_logout_gives_the_same_response() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    assert_eq!(ended(&ann, json!({})).await, 1);
    for scope in ["CURRENT", "OTHERS", "ALL"] {
        assert_eq!(ended(&ann, json!({ "scope": scope })).await, 0);
        assert_eq!(ended(&ann, json!({ "scope": scope, "refreshToken": ann.refresh_token })).await, 0);
    }
    assert_eq!(revoked(&app).await, 1);
}

/// An ended session has no rights over live ones.
#[tokio::test]
async fn logout_of_an_ended_session_ends_no_other_session() {
    let app = TestApp::new().await;
    let old = app.user("ann").await;
    let living = app.login("ann", PASSWORD).await;
    assert_eq!(ended(&old, json!({})).await, 1);
    assert_eq!(ended(&old, json!({ "scope": "ALL", "refreshToken": old.refresh_token })).await, 0);
    assert!(is_logged_in(&living).await);
}

/// S12: a user who must change the password can still log out, by every route.
#[tokio::test]
async fn logout_is_open_before_a_required_password_change() {
    let settings = [
        ("ACCOUNTD_REST__DIALECTS__TECLADOCODE", "/flask"),
        ("ACCOUNTD_REST__DIALECTS__USER_API", "/api"),
        ("ACCOUNTD_REST__DIALECTS__CORVUS", "/auth"),
        ("ACCOUNTD_REST__DIALECTS__FLASK_AUTH_SERVICE_MONGO", "/app"),
    ];
    let app = TestApp::with(&settings).await;
    let root = app.admin("root").await;
    for (number, route) in
        ["/logout", "/flask/logout", "/api/users/logout", "/auth/logout", "/app/logout"].into_iter().enumerate()
    {
        let name = format!("ann{number}");
        let ann = app.user(&name).await;
        let (_, program) = ann.api_token(&[]).await;
        let input = json!({ "userId": ann.id, "mustChangePassword": true });
        root.mutate_ok("updateUser", input, "user { id }").await;
        assert_eq!(ann.me_code().await.as_deref(), Some("PASSWORD_CHANGE_REQUIRED"), "{route}");
        let answer = ann.request(Method::POST, route, &[], "").await;
        assert_eq!(answer.status, 200, "{route}: {}", answer.text);
        assert_eq!(ann.me_reason().await.as_deref(), Some("SESSION_ENDED"), "{route}");
        // Routes that end an API token, too.
        if !["/logout", "/app/logout"].contains(&route) {
            assert_eq!(program.request(Method::POST, route, &[], "").await.status, 200, "{route}");
            assert_eq!(program.me_reason().await.as_deref(), Some("SESSION_ENDED"), "{route}");
        }
    }
}
