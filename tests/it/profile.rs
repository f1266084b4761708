//! The profile: what the owner of an account changes about it without a password.

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp};

#[tokio::test]
async fn changes_what_is_given_and_clears_what_is_null() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    app.clock.advance(TimeDelta::minutes(1));
    let wanted = "user { username displayName updatedAt createdAt }";
    let change = async |input: Value| ann.done("updateProfile", input, wanted).await["user"].clone();
    let changed = change(json!({ "displayName": " Ann Lee " })).await;
    let expected = json!({
        "username": "ann", "displayName": "Ann Lee",
        "createdAt": "2026-03-01T12:00:00.000Z", "updatedAt": "2026-03-01T12:01:00.000Z",
    });
    assert_eq!(changed, expected);
    assert_eq!(change(json!({ "username": "Ann2" })).await["displayName"], "Ann Lee");
    assert_eq!(change(json!({ "displayName": null })).await["displayName"], json!(null));
    assert_eq!(change(json!({})).await["username"], "Ann2");
    assert_eq!(ann.me_code().await, None, "the session goes on under the new name");
    app.login("ann2", PASSWORD).await;
    let freed = app.anonymous().login("ann", PASSWORD).await;
    assert_eq!(freed.refusal("login").as_deref(), Some("INVALID_CREDENTIALS"));
}

#[tokio::test]
async fn takes_no_name_of_somebody_else_and_no_bad_one() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    app.user("bob").await;
    let one = |code: &str, path: &str| vec![(code.to_owned(), path.to_owned())];
    for taken in ["bob", " BOB ", "ｂob"] {
        let refusals = ann.refusals("updateProfile", json!({ "username": taken })).await;
        assert_eq!(refusals, one("USERNAME_TAKEN", "input.username"), "{taken}");
    }
    let refusals = ann.refusals("updateProfile", json!({ "username": "a b", "displayName": "" })).await;
    assert_eq!(
        refusals,
        [one("INVALID_USERNAME", "input.username"), one("INVALID_NAME", "input.displayName")].concat()
    );
    let refusals = ann.refusals("updateProfile", json!({ "displayName": "x".repeat(201) })).await;
    assert_eq!(refusals, one("TOO_LONG", "input.displayName"));
}

/// C5 Z-3: a stolen access token must not move the account to another address, nor give it power.
#[tokio::test]
async fn has_no_email_address_and_no_power_in_it() {
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
        assert!(answer.code().is_some(), "{field} was taken: {}", answer.text);
    }
    let me = ann.send("{ me { email roles } }", json!({})).await;
    assert_eq!(me.data()["me"], json!({ "email": null, "roles": [] }));
}
