//! Renaming and deleting roles, and the effect on their holders.

use std::collections::BTreeMap;

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{assign, code, one, save};
use crate::guarantees::races::{nodes, race, rounds};
use crate::support::{Actor, PASSWORD, TestApp};

fn claims(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// The users whose earlier tokens other services refuse.
async fn cut_off(app: &TestApp) -> BTreeMap<String, Value> {
    let list = app.anonymous().request(Method::GET, "/.well-known/revocations", &[], "").await;
    serde_json::from_value(claims(&list.text)["users"].clone()).unwrap()
}

async fn rename(actor: &Actor, id: &Value, name: &str) -> Value {
    let input = json!({ "roleId": id, "name": name, "permissions": ["USERS_READ"] });
    actor.mutate_ok("saveRole", input, "role { id name permissions userCount }").await["role"].clone()
}

#[tokio::test]
async fn role_rename_applies_to_holders_also_in_case_only() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let (ann, bob) = (app.user("ann").await, app.user("bob").await);
    let id = save(&root, "reader", &["USERS_READ"]).await["id"].clone();
    save(&root, "clerk", &[]).await;
    assign(&root, &ann, &["reader"]).await;
    app.clock.advance(chrono::TimeDelta::minutes(20));
    root.refresh(root.refresh_token.as_deref().unwrap()).await.data();
    let root = app.login("root", PASSWORD).await;
    let ann = ann.signed_in(&ann.refresh(ann.refresh_token.as_deref().unwrap()).await.data()["refresh"]);
    assert_eq!(cut_off(&app).await, BTreeMap::new());

    for name in ["Reader", "Lector"] {
        let renamed = rename(&root, &id, name).await;
        let expected = json!({ "id": id, "name": name, "permissions": ["USERS_READ"], "userCount": 1 });
        assert_eq!(renamed, expected);
        assert_eq!(ann.send("{ me { roles } }", json!({})).await.data()["me"]["roles"], json!([name]), "at once");
        let again = app.login("ann", PASSWORD).await;
        assert_eq!(claims(again.token.as_deref().unwrap())["roles"], json!([name]));
    }
    // Earlier tokens name another role, so they are revoked for services that verify tokens themselves.
    let cut_off = cut_off(&app).await;
    assert_eq!(cut_off.keys().collect::<Vec<_>>(), [&ann.id], "{bob:?} holds nothing", bob = bob.id);
    assert!(cut_off[&ann.id].as_i64() >= claims(ann.token.as_deref().unwrap())["iat"].as_i64());
    save(&root, "reader", &[]).await;
}

#[tokio::test]
async fn role_rename_to_taken_name_or_of_built_in_role_is_refused() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let roles = root.send("{ roles { id name } }", json!({})).await.data()["roles"].clone();
    let admin = roles[0]["id"].clone();
    let id = save(&root, "reader", &[]).await["id"].clone();
    save(&root, "clerk", &[]).await;
    let input = |id: &Value, name: &str| json!({ "roleId": id, "name": name, "permissions": [] });
    for name in ["CLERK", "clerk", "admin", "ADMIN"] {
        assert_eq!(
            root.payload_errors("saveRole", input(&id, name)).await,
            one("ROLE_NAME_TAKEN", "input.name"),
            "{name}"
        );
    }
    assert_eq!(root.payload_errors("saveRole", input(&admin, "boss")).await, one("BUILT_IN_ROLE", "input.name"));
    assert_eq!(root.payload_errors("deleteRole", json!({ "roleId": admin })).await, one("BUILT_IN_ROLE", "input.name"));
    root.mutate_ok("deleteRole", json!({ "roleId": id }), "deletedRoleId").await;
    for (field, input) in [("saveRole", input(&id, "reader")), ("deleteRole", json!({ "roleId": id }))] {
        assert_eq!(root.payload_errors(field, input).await, one("NOT_FOUND", "input.roleId"), "{field}");
    }
    // With the other roles of a holder, its tokens would be too long.
    let ann = app.user("ann").await;
    let long: Vec<String> = (0..4).map(|number| format!("{number}{}", "漢".repeat(100))).collect();
    for name in &long {
        save(&root, name, &[]).await;
    }
    let id = save(&root, "short", &[]).await["id"].clone();
    assign(&root, &ann, &[&long[0], &long[1], &long[2], &long[3], "short"]).await;
    let refusals = root.payload_errors("saveRole", input(&id, &"漢".repeat(200))).await;
    assert_eq!(refusals, one("TOO_LONG", "input.name"));
    assert_eq!(app.login("ann", PASSWORD).await.me_code().await, None);
}

#[tokio::test]
async fn deleted_role_is_lost_from_the_next_request() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let id = save(&root, "reader", &["USERS_READ"]).await["id"].clone();
    assign(&root, &ann, &["reader"]).await;
    app.clock.advance(chrono::TimeDelta::seconds(30));
    // Its tokens are newer than the assignment's cut-off.
    let ann = app.login("ann", PASSWORD).await;
    let sees = async || ann.send("{ users { totalCount } }", json!({})).await.code();
    assert_eq!(sees().await, None);
    let deleted = root.mutate_ok("deleteRole", json!({ "roleId": id }), "deletedRoleId").await;
    assert_eq!(deleted["deletedRoleId"], id);
    assert_eq!(sees().await.as_deref(), Some("FORBIDDEN"));
    let renewed = ann.signed_in(&ann.refresh(ann.refresh_token.as_deref().unwrap()).await.data()["refresh"]);
    assert_eq!(claims(renewed.token.as_deref().unwrap())["roles"], json!([]));
    let since = cut_off(&app).await[&ann.id].as_i64().unwrap();
    assert!(since >= claims(ann.token.as_deref().unwrap())["iat"].as_i64().unwrap());
    assert_eq!(
        root.payload_errors("setUserRoles", json!({ "userId": ann.id, "roles": ["reader"] })).await,
        one("UNKNOWN_ROLE", "input.roles")
    );
}

/// Deleting a role removes it from each holder, so it is refused for the role of a more privileged user.
#[tokio::test]
async fn role_of_a_more_privileged_user_cannot_be_changed() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let (editor, ann) = (app.user("editor").await, app.user("ann").await);
    save(&root, "editor", &["ROLES_WRITE"]).await;
    assign(&root, &editor, &["editor"]).await;
    let deploy = save(&root, "deploy", &[]).await["id"].clone();
    let strong = save(&root, "strong", &["USERS_READ"]).await["id"].clone();
    assign(&root, &root, &["admin", "deploy"]).await;
    for (field, input) in [
        ("deleteRole", json!({ "roleId": deploy })),
        ("saveRole", json!({ "roleId": deploy, "name": "prod", "permissions": [] })),
        ("deleteRole", json!({ "roleId": strong })),
        ("saveRole", json!({ "roleId": strong, "name": "strong", "permissions": [] })),
    ] {
        assert_eq!(code(&editor, field, input).await.as_deref(), Some("FORBIDDEN"), "{field}");
    }
    let roles = root.send("{ me { roles } }", json!({})).await.data();
    assert_eq!(roles["me"]["roles"], json!(["admin", "deploy"]));
    assign(&root, &root, &["admin"]).await;
    assign(&root, &ann, &["deploy"]).await;
    editor.mutate_ok("deleteRole", json!({ "roleId": deploy }), "deletedRoleId").await;
}

/// A role assigned during its deletion is an unknown role, and no internal error.
#[tokio::test(flavor = "multi_thread")]
async fn assigning_a_role_during_its_deletion_is_refused() {
    let [here, there] = nodes().await;
    let root = here.admin("root").await;
    let ann = here.user("ann").await;
    for round in 0..rounds(6, 60) {
        let id = save(&root, "reader", &[]).await["id"].clone();
        let (deleter, giver, user) = (root.clone(), there.reconnect(&root), ann.id.clone());
        let (deleted, given) = race(
            round % 9,
            async move { deleter.mutate("deleteRole", json!({ "roleId": id }), "errors { code }").await },
            async move {
                let input = json!({ "userId": user, "roles": ["reader"] });
                giver.mutate("setUserRoles", input, "errors { code }").await
            },
        )
        .await;
        assert_eq!(deleted.data()["deleteRole"]["errors"], json!([]), "round {round}");
        let refusal = given.code().or_else(|| given.payload_error("setUserRoles"));
        assert!(matches!(refusal.as_deref(), None | Some("UNKNOWN_ROLE")), "round {round}: {}", given.text);
        let roles = ann.send("{ me { roles } }", json!({})).await.data();
        assert_eq!(roles["me"]["roles"], json!([]), "round {round}");
    }
}
