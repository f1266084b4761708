//! Permissions of API tokens: at most those of the owner.

use serde_json::json;

use super::users_code;
use crate::support::{PASSWORD, TestApp};

const ALL: [&str; 10] = [
    "USERS_READ",
    "USERS_WRITE",
    "USERS_DELETE",
    "ROLES_READ",
    "ROLES_WRITE",
    "ROLES_ASSIGN",
    "SESSIONS_READ",
    "SESSIONS_REVOKE",
    "TENANTS_READ",
    "TENANTS_WRITE",
];

/// A permission that the owner loses, the token loses at its next use (Z-4).
#[tokio::test]
async fn api_token_loses_permissions_its_owner_lost() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let give = async |permissions: &[&str]| {
        root.mutate_ok("saveRole", json!({ "name": "staff", "permissions": permissions }), "role { id }").await;
        root.mutate_ok("setUserRoles", json!({ "userId": ann.id, "roles": ["staff"] }), "user { id }").await;
    };
    let refused = ann.mutate("createApiToken", json!({ "name": "x", "permissions": ["USERS_READ"] }), "token").await;
    assert_eq!(refused.code().as_deref(), Some("FORBIDDEN"), "granting a permission requires holding it");

    give(&["USERS_READ", "ROLES_READ"]).await;
    let (id, program) = ann.api_token(&["USERS_READ"]).await;
    assert_eq!(users_code(&program).await, None);
    assert_eq!(program.send("{ roles { id } }", json!({})).await.code().as_deref(), Some("FORBIDDEN"));
    give(&["ROLES_READ"]).await;
    assert_eq!(users_code(&program).await.as_deref(), Some("FORBIDDEN"));
    give(&["USERS_READ", "ROLES_READ"]).await;
    assert_eq!(users_code(&program).await, None);

    // Extending a token requires the permission from the caller and from the owner.
    let widen = json!({ "apiTokenId": id, "permissions": ["USERS_READ", "USERS_WRITE"] });
    for actor in [&ann, &root] {
        let answer = actor.mutate("updateApiToken", widen.clone(), "apiToken { id }").await;
        assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"));
    }
    let widen = json!({ "apiTokenId": id, "permissions": ["ROLES_READ"] });
    ann.mutate_ok("updateApiToken", widen, "apiToken { id }").await;
    assert_eq!(users_code(&program).await.as_deref(), Some("FORBIDDEN"));
    assert_eq!(program.send("{ roles { id } }", json!({})).await.code(), None);
}

/// Not even with every permission: session-only operations stay closed, so a stolen token does not take over the user.
#[tokio::test]
async fn api_token_is_refused_for_session_only_operations() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let (id, program) = root.api_token(&ALL).await;
    let forbidden = [
        (
            "updatePassword",
            json!({ "currentPassword": PASSWORD, "newPassword": "quiet-garden-kestrel-81" }),
            "user { id }",
        ),
        ("createApiToken", json!({ "name": "x", "permissions": [] }), "token"),
        ("updateProfile", json!({ "displayName": "X" }), "user { id }"),
    ];
    for (field, input, wanted) in forbidden {
        let answer = program.mutate(field, input, wanted).await;
        assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"), "{field}: {}", answer.text);
    }
    let input = json!({ "userId": root.id, "password": "quiet-garden-kestrel-81" });
    assert_eq!(program.mutate("setUserPassword", input, "user { id }").await.code().as_deref(), Some("BAD_USER_INPUT"));

    // A token without permissions has no access to its owner's objects.
    let (_, program) = root.api_token(&[]).await;
    let email = program.send("{ me { id email } }", json!({})).await;
    assert_eq!(email.code().as_deref(), Some("FORBIDDEN"));
    let answer = program.mutate("revokeApiToken", json!({ "apiTokenId": id }), "apiToken { id } errors { code }").await;
    assert_eq!(answer.payload_error("revokeApiToken").as_deref(), Some("NOT_FOUND"));
    // Logout is for sessions: success would claim that all of them ended.
    for scope in ["ALL", "OTHERS"] {
        let answer = program.mutate("logout", json!({ "scope": scope }), "ok revokedSessionCount").await;
        assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"), "{}", answer.text);
    }
    assert_eq!((root.me_code().await, program.me_code().await), (None, None));
    let refresh = program.refresh(program.token.as_deref().unwrap()).await;
    assert_eq!(refresh.payload_error("refresh").as_deref(), Some("REFRESH_TOKEN_INVALID"));
}
