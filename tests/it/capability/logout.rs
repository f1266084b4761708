//! Logout: ends sessions at once, with whatever proof is left, and never fails on stale ones.

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

async fn is_out(actor: &Actor) -> bool {
    let access = actor.me_reason().await.as_deref() == Some("SESSION_ENDED");
    let answer = actor.refresh(actor.refresh_token.as_deref().unwrap()).await;
    access && answer.payload_error("refresh").as_deref() == Some("SESSION_ENDED")
}

async fn is_in(actor: &Actor) -> bool {
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
    assert!(is_out(&one).await && is_in(&two).await && is_in(&three).await && is_in(&four).await);

    assert_eq!(ended(&two, json!({ "scope": "OTHERS" })).await, 2);
    assert!(is_in(&two).await && is_out(&three).await && is_out(&four).await);

    let five = app.login("ann", PASSWORD).await;
    assert_eq!(ended(&two, json!({ "scope": "ALL" })).await, 2);
    assert!(is_out(&two).await && is_out(&five).await && is_in(&bob).await);
}

/// S10: the row is what other services that verify tokens themselves go by.
#[tokio::test]
async fn logout_revocation_survives_a_restart() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let sid = session_id(&ann).await;
    assert_eq!(ended(&ann, json!({})).await, 1);
    let rows = revoked_token::Entity::find().all(app.app.db.reader()).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!((rows[0].token_id.as_str(), rows[0].reason.as_str()), (sid.as_str(), "LOGOUT"));
    assert_eq!(rows[0].until.utc(), rows[0].revoked_at.utc() + TimeDelta::days(30), "until the session's last moment");

    let app = app.restart().await;
    assert!(is_out(&app.reconnect(&ann)).await);
}

/// S11
#[tokio::test]
async fn logout_accepts_an_expired_access_token() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    app.clock.advance(TimeDelta::days(13));
    assert_eq!(ann.me_reason().await.as_deref(), Some("TOKEN_EXPIRED"));
    assert_eq!(ended(&ann, json!({})).await, 1);
    let refresh = ann.refresh(ann.refresh_token.as_deref().unwrap()).await;
    assert_eq!(refresh.payload_error("refresh").as_deref(), Some("SESSION_ENDED"));
}

/// Old tokens leak from logs and backups: they end their own session and no other one.
#[tokio::test]
async fn logout_with_expired_access_token_ends_only_its_session() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let other = app.login("ann", PASSWORD).await;
    app.clock.advance(TimeDelta::minutes(16));
    for input in [json!({ "scope": "ALL" }), json!({ "scope": "OTHERS" })] {
        let answer = ann.mutate("logout", input.clone(), "ok revokedSessionCount errors { code }").await;
        assert_eq!(answer.code().as_deref(), Some("UNAUTHENTICATED"), "{input}: {}", answer.text);
        assert_eq!(answer.json()["errors"][0]["extensions"]["reason"], "TOKEN_EXPIRED", "{input}");
    }
    assert_eq!(revoked(&app).await, 0);
    let input = json!({ "scope": "ALL", "refreshToken": ann.refresh_token });
    assert_eq!(ended(&app.login("ann", PASSWORD).await.with_token(ann.token.as_deref().unwrap()), input).await, 3);
    assert_eq!(
        other.refresh(other.refresh_token.as_deref().unwrap()).await.payload_error("refresh").as_deref(),
        Some("SESSION_ENDED")
    );

    let (ann, other) = (app.login("ann", PASSWORD).await, app.login("ann", PASSWORD).await);
    app.clock.advance(TimeDelta::minutes(16));
    assert_eq!(ended(&ann, json!({})).await, 1);
    assert!(other.refresh(other.refresh_token.as_deref().unwrap()).await.payload_error("refresh").is_none());
}

#[tokio::test]
async fn logout_with_rotated_refresh_token_ends_only_its_session() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let other = app.login("ann", PASSWORD).await;
    for scope in ["ALL", "OTHERS", "CURRENT"] {
        let ann = app.login("ann", PASSWORD).await;
        let old = ann.refresh_token.clone().unwrap();
        let second = ann.signed_in(&ann.refresh(&old).await.data()["refresh"]);
        let third = ann.signed_in(&ann.refresh(second.refresh_token.as_deref().unwrap()).await.data()["refresh"]);
        let input = json!({ "scope": scope, "refreshToken": old });
        let wanted = "ok revokedSessionCount errors { code path }";
        let payload = app.anonymous().mutate("logout", input.clone(), wanted).await.data()["logout"].clone();
        let errors = match scope {
            "CURRENT" => json!([]),
            _ => json!([{ "code": "SESSION_ENDED", "path": ["input", "refreshToken"] }]),
        };
        let expected = json!({ "ok": scope == "CURRENT", "revokedSessionCount": 1, "errors": errors });
        assert_eq!(payload, expected, "{scope}");
        assert!(is_out(&third).await && is_in(&other).await, "{scope}");
        let again = app.anonymous().mutate("logout", input, wanted).await.data()["logout"].clone();
        assert_eq!(again, json!({ "ok": true, "revokedSessionCount": 0, "errors": [] }), "{scope}: nothing is left");
    }
    let ann = app.login("ann", PASSWORD).await;
    let old = ann.refresh_token.clone().unwrap();
    let second = ann.signed_in(&ann.refresh(&old).await.data()["refresh"]);
    let third = ann.signed_in(&ann.refresh(second.refresh_token.as_deref().unwrap()).await.data()["refresh"]);
    let input = json!({ "scope": "ALL", "refreshToken": old });
    let answer = app.anonymous().mutate("logout", input.clone(), "ok").await;
    assert_eq!(answer.code().as_deref(), Some("SESSION_ENDED"), "nobody overlooks it: {}", answer.text);
    assert!(is_out(&third).await && is_in(&other).await);

    // A live access token beside it is proof enough.
    let ann = app.login("ann", PASSWORD).await;
    assert_eq!(ended(&ann, input).await, 3, "the first one of all, too");
    assert!(is_out(&other).await);
}

/// Every logout of every dialect, from the document: none says that it is done while the API token lives on, and none
/// ends another session than that of the token that came.
#[tokio::test]
async fn dialect_logout_ends_the_presented_session_or_refuses() {
    let mounts = [
        ("ACCOUNTD_REST__DIALECTS__TECLADOCODE", "/flask"),
        ("ACCOUNTD_REST__DIALECTS__USER_API", "/api"),
        ("ACCOUNTD_REST__DIALECTS__CORVUS", "/auth"),
        ("ACCOUNTD_REST__DIALECTS__AUTH_SERVICE", "/any"),
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
        assert_eq!(answer.status.is_success(), !is_in(&program).await, "{path}: {}", answer.text);
        assert!(is_in(&ann).await, "{path}");

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
    assert!(is_out(&ann).await && is_in(&other).await);
    assert_eq!(ended(&app.anonymous(), input).await, 0);
    assert_eq!(ended(&app.anonymous(), json!({ "refreshToken": other.refresh_token, "scope": "ALL" })).await, 1);
    assert!(is_out(&other).await);
}

/// A client that lost its refresh token may send anything in its place: the access token still says who leaves.
#[tokio::test]
async fn logout_with_invalid_refresh_token_uses_the_access_token() {
    let app = TestApp::new().await;
    app.user("ann").await;
    for junk in [json!(""), json!("null"), json!("a.b.c"), json!(null)] {
        let ann = app.login("ann", PASSWORD).await;
        assert_eq!(ended(&ann, json!({ "refreshToken": junk })).await, 1, "{junk}");
        assert!(is_out(&ann).await, "{junk}");
    }
    let ann = app.login("ann", PASSWORD).await;
    assert_eq!(ended(&ann, json!({ "refreshToken": ann.token })).await, 1, "an access token in the wrong place");

    let (old, new) = (app.login("ann", PASSWORD).await, app.login("ann", PASSWORD).await);
    assert_eq!(ended(&old, json!({})).await, 1);
    assert_eq!(ended(&new, json!({ "refreshToken": old.refresh_token })).await, 1, "one of an earlier session");
    assert!(is_out(&new).await);
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

/// A session that is over has no say over those that live.
#[tokio::test]
async fn logout_of_an_ended_session_ends_no_other_session() {
    let app = TestApp::new().await;
    let old = app.user("ann").await;
    let living = app.login("ann", PASSWORD).await;
    assert_eq!(ended(&old, json!({})).await, 1);
    assert_eq!(ended(&old, json!({ "scope": "ALL", "refreshToken": old.refresh_token })).await, 0);
    assert!(is_in(&living).await);
}

/// S11
#[tokio::test]
async fn logout_with_malformed_tokens_stores_nothing() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let token = ann.token.clone().unwrap();
    let (unsigned, _) = token.rsplit_once('.').unwrap();
    let junk =
        ["x".to_owned(), "a.b.c".to_owned(), format!("{unsigned}."), format!("{unsigned}.AAAA"), "x".repeat(5000)];
    for text in &junk {
        for actor in [app.anonymous(), app.anonymous().with_token(text)] {
            assert_eq!(ended(&actor, json!({ "refreshToken": text, "scope": "ALL" })).await, 0);
            assert_eq!(ended(&actor, json!({})).await, 0);
        }
    }
    assert_eq!(revoked(&app).await, 0);
    assert!(is_in(&ann).await);
}
