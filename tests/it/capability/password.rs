//! Passwords: changed by their owner, set by an administrator.

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

async fn is_out(actor: &Actor) -> bool {
    let access = actor.me_reason().await.as_deref() == Some("SESSION_ENDED");
    let answer = actor.refresh(actor.refresh_token.as_deref().unwrap()).await;
    access && answer.payload_error("refresh").as_deref() == Some("SESSION_ENDED")
}

async fn helper(app: &TestApp, root: &Actor, permissions: &[&str]) -> Actor {
    let helper = app.user("helper").await;
    root.mutate_ok("saveRole", json!({ "name": "helper", "permissions": permissions }), "role { id }").await;
    root.mutate_ok("setUserRoles", json!({ "userId": helper.id, "roles": ["helper"] }), "user { id }").await;
    helper
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
    assert!(is_out(&ann).await, "what was stolen from this session opens nothing");
    assert!(is_out(&phone).await && is_out(&tablet).await);
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
    assert!(is_out(&ann).await);
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
    assert_eq!(ann.me_code().await, None, "a typing error signs nobody out");
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

/// Two changes at once: one wins, the other is told, and only one pair lives.
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
    assert!(is_out(&ann).await && is_out(&phone).await);
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

/// Z-6: or a helper would be an administrator.
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

/// Until a new one is chosen: every operation and route but those that lead there.
#[tokio::test]
async fn must_change_password_blocks_other_operations() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let (token, program) = ann.api_token(&[]).await;
    let input = json!({ "userId": ann.id, "mustChangePassword": true });
    let payload = root.mutate_ok("updateUser", input, "user { mustChangePassword }").await;
    assert_eq!(payload["user"]["mustChangePassword"], true);

    // The session that is there, a new one and the programs: it is the account that is closed.
    let again = app.anonymous().login("ann", PASSWORD).await;
    let again = app.anonymous().signed_in(&again.data()["login"]);
    for actor in [&ann, &again, &program] {
        let closed = [
            "{ me { id } }".to_owned(),
            "{ currentApiToken { id } }".to_owned(),
            "{ users { totalCount } }".to_owned(),
            "{ roles { id } }".to_owned(),
            format!("{{ node(id: \"{}\") {{ id }} }}", ann.id),
            "mutation { updateProfile(input: { displayName: \"Ann\" }) { user { id } } }".to_owned(),
            "mutation { createApiToken(input: { name: \"x\", permissions: [] }) { token } }".to_owned(),
            format!("mutation {{ revokeApiToken(input: {{ apiTokenId: \"{token}\" }}) {{ errors {{ code }} }} }}"),
            "mutation { revokeSession(input: { sessionId: \"ses_x\" }) { errors { code } } }".to_owned(),
            "mutation { createUser(input: { username: \"x\", password: \"x\" }) { errors { code } } }".to_owned(),
        ];
        for query in closed {
            let code = actor.send(&query, json!({})).await.code();
            assert_eq!(code.as_deref(), Some("PASSWORD_CHANGE_REQUIRED"), "{query}");
        }
        let validation = actor.request(axum::http::Method::POST, "/token-validation", &[], "").await;
        assert_eq!(validation.status, 403, "{}", validation.text);
    }
    assert_eq!(
        program.mutate("updatePassword", change(PASSWORD, NEW), "user { id }").await.code().as_deref(),
        Some("FORBIDDEN")
    );

    // What leads there: login (which says so), refresh and logout.
    let login = "mutation ($input: LoginInput!) { login(input: $input) { user { id mustChangePassword roles } errors { code } } }";
    let input = json!({ "input": { "username": "ann", "password": PASSWORD } });
    let answer = app.anonymous().send(login, input).await.data();
    assert_eq!(answer["login"]["user"], json!({ "id": ann.id, "mustChangePassword": true, "roles": [] }));
    let renewed = again.refresh(again.refresh_token.as_deref().unwrap()).await.data();
    let again = again.signed_in(&renewed["refresh"]);
    assert_eq!(ann.mutate_ok("logout", json!({}), "revokedSessionCount").await["revokedSessionCount"], 1);

    let changed = again
        .mutate_ok("updatePassword", change(PASSWORD, NEW), "user { id } tokens { accessToken refreshToken }")
        .await;
    assert_eq!(again.signed_in(&changed).me_code().await, None);
    assert_eq!(program.me_code().await, None);
}

#[tokio::test]
async fn must_change_password_can_be_set_and_cleared() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let input = json!({ "username": "ann", "password": PASSWORD, "mustChangePassword": true });
    let made = root.mutate_ok("createUser", input, "user { id mustChangePassword }").await;
    assert_eq!(made["user"]["mustChangePassword"], true);
    let ann = app.login("ann", PASSWORD).await;
    assert_eq!(ann.me_code().await.as_deref(), Some("PASSWORD_CHANGE_REQUIRED"));
    let input = json!({ "userId": made["user"]["id"], "mustChangePassword": false });
    root.mutate_ok("updateUser", input, "user { id }").await;
    assert_eq!(ann.me_code().await, None);
}
