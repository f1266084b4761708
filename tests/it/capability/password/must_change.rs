//! Passwords that must be changed.

use serde_json::json;

use super::{NEW, change};
use crate::support::{PASSWORD, TestApp};

/// Until a new password is set: every operation and route but those that lead there.
#[tokio::test]
async fn must_change_password_blocks_other_operations() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let (token, program) = ann.api_token(&[]).await;
    let input = json!({ "userId": ann.id, "mustChangePassword": true });
    let payload = root.mutate_ok("updateUser", input, "user { mustChangePassword }").await;
    assert_eq!(payload["user"]["mustChangePassword"], true);

    // The existing session, a new one and API tokens: the user is blocked.
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

    // What leads there: login (which reports it), refresh and logout.
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
