//! The end of API tokens: revocation, expiry, and the end of their owner.

use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, TestApp};

/// S8 for programs: the token is invalid from the acknowledgement on.
#[tokio::test]
async fn revoked_api_token_is_refused_at_once_and_forever() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let (first, one) = ann.api_token(&[]).await;
    let (second, two) = ann.api_token(&[]).await;
    let (third, three) = ann.api_token(&[]).await;
    let revoke = async |actor: &Actor, id: &str| {
        actor.mutate_ok("revokeApiToken", json!({ "apiTokenId": id }), "apiToken { revokedAt }").await["apiToken"]
            .clone()
    };
    let at = json!({ "revokedAt": "2026-03-01T12:00:00.000Z" });
    assert_eq!(revoke(&ann, &first).await, at);
    assert_eq!(one.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(two.me_code().await, None, "the others stay valid");
    assert_eq!(revoke(&root, &second).await, at, "an administrator may, too");
    assert_eq!(revoke(&three, &third).await, at, "and the token itself");
    assert_eq!((two.me_code().await.is_some(), three.me_code().await.is_some()), (true, true));

    app.clock.advance(TimeDelta::minutes(10));
    assert_eq!(revoke(&ann, &first).await, at, "once");
    let enable = json!({ "apiTokenId": first, "enabled": true });
    let answer = ann.mutate("updateApiToken", enable, "apiToken { id } errors { code }").await;
    assert_eq!(answer.payload_error("updateApiToken").as_deref(), Some("NOT_FOUND"), "nothing restores it");
    let listed =
        ann.send("{ me { live: apiTokens { totalCount } all: apiTokens(active: false) { totalCount } } }", json!({}));
    assert_eq!(listed.await.data()["me"], json!({ "live": { "totalCount": 0 }, "all": { "totalCount": 3 } }));
}

#[tokio::test]
async fn expired_or_disabled_api_token_is_refused() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let input = json!({ "name": "short", "permissions": [], "expiresIn": 60 });
    let made = ann.mutate_ok("createApiToken", input, "apiToken { id } token").await;
    let (id, program) = (made["apiToken"]["id"].clone(), ann.with_token(made["token"].as_str().unwrap()));
    app.clock.advance(TimeDelta::milliseconds(59_999));
    assert_eq!(program.me_code().await, None);
    app.clock.advance(TimeDelta::milliseconds(1));
    assert_eq!(program.me_reason().await.as_deref(), Some("SESSION_ENDED"), "there is no session to refresh");

    let update = async |change: Value| {
        let mut input = change;
        input["apiTokenId"] = id.clone();
        ann.mutate_ok("updateApiToken", input, "apiToken { enabled expiresAt version }").await["apiToken"].clone()
    };
    let lasting = update(json!({ "expiresIn": null })).await;
    assert_eq!(lasting, json!({ "enabled": true, "expiresAt": null, "version": 1 }));
    assert_eq!(program.me_code().await, None);
    update(json!({ "enabled": false })).await;
    assert_eq!(program.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(update(json!({ "enabled": true })).await["version"], 3);
    assert_eq!(program.me_code().await, None);
    let renamed = json!({ "apiTokenId": id, "name": "long", "version": 2 });
    let answer = ann.mutate("updateApiToken", renamed, "apiToken { id } errors { code }").await;
    assert_eq!(answer.payload_error("updateApiToken").as_deref(), Some("CONFLICT"), "it was version 3");
}

/// S14, S16: the token of a disabled owner is refused, and a new user with the name of a deleted owner gets no token.
#[tokio::test]
async fn api_token_of_disabled_or_deleted_owner_is_refused() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let (_, program) = ann.api_token(&[]).await;
    let status = async |status: &str| {
        root.mutate_ok("setUserStatus", json!({ "userId": ann.id, "status": status }), "user { id }").await;
    };
    status("DISABLED").await;
    assert_eq!(program.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    let validation = program.request(Method::POST, "/token-validation", &[], "").await;
    assert_eq!(validation.status, 401);
    status("ACTIVE").await;
    assert_eq!(program.me_code().await, None);

    root.mutate_ok("deleteUser", json!({ "userId": ann.id }), "deletedUserId").await;
    let heir = app.user("ann").await;
    assert_eq!(program.me_code().await.as_deref(), Some("UNAUTHENTICATED"));
    let tokens = heir.send("{ me { apiTokens(active: false) { totalCount } } }", json!({})).await;
    assert_eq!(tokens.data()["me"]["apiTokens"]["totalCount"], 0);
}

/// A token or another session cannot empty the bucket that the owner needs for revocation.
#[tokio::test]
async fn rate_limited_attacker_cannot_block_api_token_revocation() {
    let app = TestApp::with(&[("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    let ann = app.user("ann").await;
    let stolen = app.login("ann", PASSWORD).await;
    let (id, program) = ann.api_token(&[]).await;
    let (other, _) = ann.api_token(&[]).await;
    for actor in [&program, &stolen] {
        let mut refused = 0;
        for _ in 0..100 {
            let input = json!({ "apiTokenId": "tok_00000000000000000000000000", "enabled": false });
            let answer = actor.mutate("updateApiToken", input, "apiToken { id } errors { code }").await;
            refused += u32::from(answer.payload_error("updateApiToken").as_deref() == Some("TOO_MANY_ATTEMPTS"));
        }
        assert!(refused >= 30, "{refused}");
    }
    ann.mutate_ok("revokeApiToken", json!({ "apiTokenId": id }), "apiToken { id }").await;
    ann.mutate_ok("updateApiToken", json!({ "apiTokenId": other, "name": "robot" }), "apiToken { id }").await;
    let input = json!({ "currentPassword": PASSWORD, "newPassword": "quiet-garden-kestrel-81" });
    ann.mutate_ok("updatePassword", input, "user { id }").await;
    assert!(stolen.me_code().await.is_some() && program.me_code().await.is_some());
}
