//! The changes of a user that write a cut-off, and those that do not.

use accountd::store::{TenantScope, users};
use axum::http::Method;
use serde_json::json;

use super::DIALECTS;
use crate::support::TestApp;
use crate::support::gateway::Gateway;

/// Regression: the route of user-api that wrote none, in each of its variants.
#[tokio::test]
async fn user_api_put_writes_a_cut_off() {
    let app = TestApp::with(&DIALECTS).await;
    let root = app.admin("root").await;
    for (name, change) in [("eve", json!({ "roles": [] })), ("ann", json!({ "active": false }))] {
        let actor = app.admin(name).await;
        let number =
            users::find_by_username(app.app.db.reader(), TenantScope::AllTenants, name).await.unwrap().unwrap().id;
        let mut body = json!({ "email": name, "name": name, "active": true });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = root.json(Method::PUT, &format!("/api/users/{number}"), &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let gateway = Gateway::of(&app).await;
        assert!(gateway.list["users"].get(&actor.id).is_some(), "{change}: {:?}", gateway.list);
        assert!(!gateway.accepts(actor.token.as_deref().unwrap()));
    }
}

/// Services use the name, which another user may take from now on.
#[tokio::test]
async fn username_change_writes_a_cut_off() {
    let app = TestApp::with(&DIALECTS).await;
    let root = app.admin("root").await;
    for (number, by_owner) in [true, false].into_iter().enumerate() {
        let ann = app.user(&format!("ann-{number}")).await;
        let name = format!("bea-{number}");
        if by_owner {
            ann.mutate_ok("updateProfile", json!({ "username": name }), "user { id }").await;
        } else {
            root.mutate_ok("updateUser", json!({ "userId": ann.id, "username": name }), "user { id }").await;
        }
        assert!(!Gateway::of(&app).await.accepts(ann.token.as_deref().unwrap()), "by the owner: {by_owner}");
        let renewed = ann.refresh(ann.refresh_token.as_deref().unwrap()).await;
        let ann = ann.signed_in(&renewed.data()["refresh"]);
        assert!(Gateway::of(&app).await.accepts(ann.token.as_deref().unwrap()), "by the owner: {by_owner}");
    }
}

/// An update without role change revokes nothing.
#[tokio::test]
async fn setting_unchanged_roles_writes_no_cut_off() {
    let app = TestApp::new().await;
    let (root, eve) = (app.admin("root").await, app.admin("eve").await);
    root.mutate_ok("setUserRoles", json!({ "userId": eve.id, "roles": ["admin"] }), "user { id }").await;
    assert!(Gateway::of(&app).await.accepts(eve.token.as_deref().unwrap()));
}
