//! Logout with expired, rotated or malformed tokens.

use chrono::TimeDelta;
use serde_json::json;

use super::{ended, is_logged_in, is_logged_out, revoked};
use crate::support::{Actor, PASSWORD, TestApp};

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

/// Old tokens leak from logs and backups: they end their own session only.
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
        assert!(is_logged_out(&third).await && is_logged_in(&other).await, "{scope}");
        let again = app.anonymous().mutate("logout", input, wanted).await.data()["logout"].clone();
        assert_eq!(again, json!({ "ok": true, "revokedSessionCount": 0, "errors": [] }), "{scope}: nothing remains");
    }
    let ann = app.login("ann", PASSWORD).await;
    let old = ann.refresh_token.clone().unwrap();
    let second = ann.signed_in(&ann.refresh(&old).await.data()["refresh"]);
    let third = ann.signed_in(&ann.refresh(second.refresh_token.as_deref().unwrap()).await.data()["refresh"]);
    let input = json!({ "scope": "ALL", "refreshToken": old });
    let answer = app.anonymous().mutate("logout", input.clone(), "ok").await;
    assert_eq!(answer.code().as_deref(), Some("SESSION_ENDED"), "the error is never hidden: {}", answer.text);
    assert!(is_logged_out(&third).await && is_logged_in(&other).await);

    // A live access token beside it is sufficient.
    let ann = app.login("ann", PASSWORD).await;
    assert_eq!(ended(&ann, input).await, 3, "the first one of all, too");
    assert!(is_logged_out(&other).await);
}

/// A session outlives its first refresh token.
#[tokio::test]
async fn logout_with_expired_refresh_token_ends_only_its_session() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let old = ann.refresh_token.clone().unwrap();
    app.clock.advance(TimeDelta::days(10));
    let second = ann.signed_in(&ann.refresh(&old).await.data()["refresh"]);
    let other = app.login("ann", PASSWORD).await;
    app.clock.advance(TimeDelta::days(5));
    let input = json!({ "scope": "ALL", "refreshToken": old });
    let wanted = "ok revokedSessionCount errors { code path }";
    let payload = app.anonymous().mutate("logout", input, wanted).await.data()["logout"].clone();
    let errors = json!([{ "code": "SESSION_ENDED", "path": ["input", "refreshToken"] }]);
    assert_eq!(payload, json!({ "ok": false, "revokedSessionCount": 1, "errors": errors }));
    let refused =
        async |actor: &Actor| actor.refresh(actor.refresh_token.as_deref().unwrap()).await.payload_error("refresh");
    assert_eq!((refused(&second).await.as_deref(), refused(&other).await), (Some("SESSION_ENDED"), None));
}

/// A client that lost its refresh token may send anything in its place: the access token identifies the session.
#[tokio::test]
async fn logout_with_invalid_refresh_token_uses_the_access_token() {
    let app = TestApp::new().await;
    app.user("ann").await;
    for junk in [json!(""), json!("null"), json!("a.b.c"), json!(null)] {
        let ann = app.login("ann", PASSWORD).await;
        assert_eq!(ended(&ann, json!({ "refreshToken": junk })).await, 1, "{junk}");
        assert!(is_logged_out(&ann).await, "{junk}");
    }
    let ann = app.login("ann", PASSWORD).await;
    assert_eq!(ended(&ann, json!({ "refreshToken": ann.token })).await, 1, "an access token in the wrong field");

    let (old, new) = (app.login("ann", PASSWORD).await, app.login("ann", PASSWORD).await);
    assert_eq!(ended(&old, json!({})).await, 1);
    assert_eq!(ended(&new, json!({ "refreshToken": old.refresh_token })).await, 1, "one of an earlier session");
    assert!(is_logged_out(&new).await);
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
    assert!(is_logged_in(&ann).await);
}
