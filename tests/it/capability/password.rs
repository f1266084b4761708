//! Passwords: changed by their owner, set by an administrator.

mod must_change;
mod reset;

use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, TestApp};

const NEW: &str = "quiet-garden-kestrel-81";

fn change(current: &str, new: &str) -> Value {
    json!({ "currentPassword": current, "newPassword": new })
}

fn one(code: &str, path: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), path.to_owned())]
}

async fn is_logged_out(actor: &Actor) -> bool {
    let access = actor.me_reason().await.as_deref() == Some("SESSION_ENDED");
    let answer = actor.refresh(actor.refresh_token.as_deref().unwrap()).await;
    access && answer.payload_error("refresh").as_deref() == Some("SESSION_ENDED")
}

/// S13
#[tokio::test]
async fn password_change_ends_other_sessions_and_returns_a_new_pair() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let (phone, tablet) = (app.login("ann", PASSWORD).await, app.login("ann", PASSWORD).await);
    let bob = app.user("bob").await;
    app.clock.advance(TimeDelta::minutes(1));

    let wanted = "user { id passwordUpdatedAt } session { id current } revokedSessionCount
        tokens { accessToken refreshToken }";
    let payload = ann.mutate_ok("updatePassword", change(PASSWORD, NEW), wanted).await;
    assert_eq!(payload["revokedSessionCount"], 2);
    assert_eq!(payload["user"]["passwordUpdatedAt"], "2026-03-01T12:01:00.000Z");
    assert_eq!(payload["session"]["current"], true);
    let renewed = ann.signed_in(&payload);
    assert!(is_logged_out(&ann).await, "stolen tokens of this session are invalid");
    assert!(is_logged_out(&phone).await && is_logged_out(&tablet).await);
    assert_eq!(renewed.me_code().await, None);
    assert_eq!(renewed.refresh(renewed.refresh_token.as_deref().unwrap()).await.payload_error("refresh"), None);
    assert_eq!(bob.me_code().await, None);

    let old = app.anonymous().login("ann", PASSWORD).await;
    assert_eq!(old.payload_error("login").as_deref(), Some("INVALID_CREDENTIALS"));
    app.login("ann", NEW).await;
}

#[tokio::test]
async fn password_change_can_keep_other_sessions() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let phone = app.login("ann", PASSWORD).await;
    let input = json!({ "currentPassword": PASSWORD, "newPassword": NEW, "revokeOtherSessions": false });
    let payload =
        ann.mutate_ok("updatePassword", input, "revokedSessionCount tokens { accessToken refreshToken }").await;
    assert_eq!(payload["revokedSessionCount"], 0);
    assert_eq!(phone.me_code().await, None);
    assert!(is_logged_out(&ann).await);
    assert_eq!(ann.signed_in(&payload).me_code().await, None);
}

#[tokio::test]
async fn password_change_keeps_the_device_name() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let input = json!({ "username": "ann", "password": PASSWORD, "deviceName": "phone" });
    let payload = app.anonymous().mutate_ok("login", input, "tokens { accessToken refreshToken }").await;
    let phone = app.anonymous().signed_in(&payload);
    let payload = phone.mutate_ok("updatePassword", change(PASSWORD, NEW), "session { deviceName }").await;
    assert_eq!(payload["session"]["deviceName"], "phone");
}

/// C5
#[tokio::test]
async fn password_change_requires_the_current_password() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    for wrong in ["", "wrong", NEW, "correct-horse-battery-7 ", "Correct-horse-battery-7"] {
        let refusals = ann.payload_errors("updatePassword", change(wrong, NEW)).await;
        assert_eq!(refusals, one("WRONG_PASSWORD", "input.currentPassword"), "{wrong:?}");
    }
    assert_eq!(ann.me_code().await, None, "a typing error ends no session");
    app.login("ann", PASSWORD).await;
    let anonymous = app.anonymous().mutate("updatePassword", change(PASSWORD, NEW), "errors { code }").await;
    assert_eq!(anonymous.code().as_deref(), Some("UNAUTHENTICATED"));
}

#[tokio::test]
async fn new_password_must_differ_and_be_strong() {
    let app = TestApp::new().await;
    let ann = app.user("ann-kestrel-42").await;
    assert_eq!(
        ann.payload_errors("updatePassword", change(PASSWORD, PASSWORD)).await,
        one("SAME_PASSWORD", "input.newPassword")
    );
    for (weak, lack) in
        [("sunshine", "TOO_COMMON"), ("short", "TOO_SHORT"), ("Ann-Kestrel-42", "CONTAINS_IDENTITY"), ("", "TOO_SHORT")]
    {
        let answer = ann.mutate("updatePassword", change(PASSWORD, weak), "errors { code path violations }").await;
        let error = answer.data()["updatePassword"]["errors"][0].clone();
        assert_eq!([&error["code"], &error["path"]], [&json!("WEAK_PASSWORD"), &json!(["input", "newPassword"])]);
        assert!(error["violations"].as_array().unwrap().contains(&json!(lack)), "{weak}: {error}");
    }
    assert_eq!(ann.me_code().await, None);
    app.login("ann-kestrel-42", PASSWORD).await;
}

/// Two concurrent changes: one succeeds, the other gets an error, and only one pair is valid.
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_password_changes_succeed_once() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let changes: Vec<_> = (0..8)
        .map(|number| {
            let ann = ann.clone();
            let input = change(PASSWORD, &format!("{NEW}-{number}"));
            tokio::spawn(async move {
                ann.mutate_retrying("updatePassword", input, "tokens { accessToken refreshToken } errors { code }")
                    .await
            })
        })
        .collect();
    let mut winners = Vec::new();
    for change in changes {
        let answer = change.await.unwrap();
        match answer.json()["data"]["updatePassword"]["errors"][0]["code"].as_str() {
            Some(code) => assert!(["CONFLICT", "WRONG_PASSWORD"].contains(&code), "{code}"),
            None if answer.code().is_some() => assert_eq!(answer.code().as_deref(), Some("UNAUTHENTICATED")),
            None => winners.push(ann.signed_in(&answer.data()["updatePassword"])),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(winners[0].me_code().await, None);
}
