//! The profile: changes by the owner without a password.

use chrono::TimeDelta;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp};

#[tokio::test]
async fn profile_update_sets_given_and_clears_null_fields() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    app.clock.advance(TimeDelta::minutes(1));
    let wanted = "user { username displayName updatedAt createdAt }";
    let change = async |input: Value| ann.mutate_ok("updateProfile", input, wanted).await["user"].clone();
    let changed = change(json!({ "displayName": " Ann Lee " })).await;
    let expected = json!({
        "username": "ann", "displayName": "Ann Lee",
        "createdAt": "2026-03-01T12:00:00.000Z", "updatedAt": "2026-03-01T12:01:00.000Z",
    });
    assert_eq!(changed, expected);
    assert_eq!(change(json!({ "username": "Ann2" })).await["displayName"], "Ann Lee");
    assert_eq!(change(json!({ "displayName": null })).await["displayName"], json!(null));
    assert_eq!(change(json!({})).await["username"], "Ann2");
    assert_eq!(ann.me_code().await, None, "the session lives on under the new name");
    app.login("ann2", PASSWORD).await;
    let freed = app.anonymous().login("ann", PASSWORD).await;
    assert_eq!(freed.payload_error("login").as_deref(), Some("INVALID_CREDENTIALS"));
}

#[tokio::test]
async fn profile_update_refuses_taken_and_invalid_names() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    app.user("bob").await;
    let one = |code: &str, path: &str| vec![(code.to_owned(), path.to_owned())];
    for taken in ["bob", " BOB ", "ｂob"] {
        let refusals = ann.payload_errors("updateProfile", json!({ "username": taken })).await;
        assert_eq!(refusals, one("USERNAME_TAKEN", "input.username"), "{taken}");
    }
    let refusals = ann.payload_errors("updateProfile", json!({ "username": "a b", "displayName": "" })).await;
    assert_eq!(
        refusals,
        [one("INVALID_USERNAME", "input.username"), one("INVALID_NAME", "input.displayName")].concat()
    );
    let refusals = ann.payload_errors("updateProfile", json!({ "displayName": "x".repeat(201) })).await;
    assert_eq!(refusals, one("TOO_LONG", "input.displayName"));
}

/// C5 Z-3: a stolen access token must not change the email address, nor grant permissions.
#[tokio::test]
async fn profile_update_cannot_change_email_or_privileges() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    for (field, value) in [
        ("email", json!("thief@example.org")),
        ("roles", json!(["admin"])),
        ("status", json!("ACTIVE")),
        ("id", json!("1")),
        ("userId", json!(ann.id)),
        ("tenantId", json!(2)),
        ("passwordHash", json!("x")),
    ] {
        let answer = ann.mutate("updateProfile", json!({ field: value }), "user { id }").await;
        assert!(answer.code().is_some(), "{field} was accepted: {}", answer.text);
    }
    let me = ann.send("{ me { email roles } }", json!({})).await;
    assert_eq!(me.data()["me"], json!({ "email": null, "roles": [] }));
}

/// One user writes a bounded number of audit records, and none for an update without change.
#[tokio::test]
async fn profile_update_audit_is_bounded() {
    let app = TestApp::with(&[("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    let ann = app.user("ann").await;
    let rows = async || entity::audit_event::Entity::find().count(app.app.db.reader()).await.unwrap();
    let before = rows().await;
    let mut refused = 0;
    for number in 0..1_000 {
        let input = json!({ "displayName": format!("Ann {number}") });
        let answer = ann.mutate("updateProfile", input, "errors { code retryAfter }").await;
        refused += u32::from(answer.payload_error("updateProfile").as_deref() == Some("TOO_MANY_ATTEMPTS"));
        app.clock.advance(TimeDelta::milliseconds(60));
    }
    let written = rows().await - before;
    assert!((60..=120).contains(&written), "{written}");
    assert_eq!(u64::from(refused) + written, 1_000);
}

#[tokio::test]
async fn profile_update_without_change_writes_nothing() {
    let app = TestApp::new().await;
    let (admin, ann) = (app.admin("root").await, app.user("ann").await);
    let (token, _) = ann.api_token(&[]).await;
    let update = json!({ "userId": ann.id, "email": "ann@example.org", "displayName": "Ann" });
    admin.mutate_ok("updateUser", update.clone(), "user { id }").await;
    let rows = async || entity::audit_event::Entity::find().count(app.app.db.reader()).await.unwrap();
    let before = (rows().await, ann.send("{ me { updatedAt } }", json!({})).await.text);
    app.clock.advance(TimeDelta::seconds(1));
    admin.mutate_ok("updateUser", update, "user { id }").await;
    admin.mutate_ok("setUserStatus", json!({ "userId": ann.id, "status": "ACTIVE" }), "user { id }").await;
    for input in [json!({}), json!({ "displayName": "Ann" }), json!({ "username": "ann", "displayName": "Ann" })] {
        ann.mutate_ok("updateProfile", input, "user { id }").await;
    }
    for input in [json!({}), json!({ "name": "robot" }), json!({ "enabled": true, "permissions": [] })] {
        let mut input = input;
        input["apiTokenId"] = json!(token);
        ann.mutate_ok("updateApiToken", input, "apiToken { id }").await;
    }
    assert_eq!((rows().await, ann.send("{ me { updatedAt } }", json!({})).await.text), before);
}
