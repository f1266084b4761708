//! Tenants disabled, enabled and deleted.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{TwoTenants, code, create_user, default, save};
use crate::guarantees::races::{nodes, race, rounds};
use crate::support::{Actor, PASSWORD, TestApp};

async fn set(root: &Actor, tenant: &str, status: &str) -> Value {
    let input = json!({ "tenantId": tenant, "status": status });
    root.mutate_ok("setTenantStatus", input, "tenant { status userCount }").await["tenant"].clone()
}

async fn login_code(app: &TestApp, name: &str) -> Option<String> {
    app.anonymous().login(name, PASSWORD).await.payload_error("login")
}

async fn refresh_code(actor: &Actor) -> Option<String> {
    actor.refresh(actor.refresh_token.as_deref().unwrap()).await.payload_error("refresh")
}

#[tokio::test]
async fn users_of_a_disabled_tenant_are_refused_until_enabled() {
    let TwoTenants { app, root, acme, boss, carl } = TwoTenants::new().await;
    let (_, program) = carl.api_token(&[]).await;
    assert_eq!(program.me_code().await, None);
    let near = app.user("near").await;
    assert_eq!(set(&root, &acme, "DISABLED").await, json!({ "status": "DISABLED", "userCount": 2 }));
    for actor in [&boss, &carl] {
        assert_eq!(actor.me_reason().await.as_deref(), Some("SESSION_ENDED"));
        assert_eq!(refresh_code(actor).await.as_deref(), Some("SESSION_ENDED"));
    }
    assert_eq!(program.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(login_code(&app, "carl").await.as_deref(), Some("INVALID_CREDENTIALS"));
    assert_eq!((near.me_code().await, root.me_code().await), (None, None), "other tenants are unaffected");
    let list = app.anonymous().request(Method::GET, "/.well-known/revocations", &[], "").await;
    let list: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(list.text.split('.').nth(1).unwrap()).unwrap()).unwrap();
    assert!(list["sessions"].as_array().unwrap().len() >= 2, "services that verify tokens themselves: {list}");

    // Users created or enabled meanwhile are refused, too.
    let input = json!({ "username": "dave", "password": PASSWORD, "tenantId": acme });
    let dave = root.mutate_ok("createUser", input, "user { id }").await["user"]["id"].clone();
    root.mutate_ok("setUserStatus", json!({ "userId": dave, "status": "ACTIVE" }), "user { id }").await;
    assert_eq!(login_code(&app, "dave").await.as_deref(), Some("INVALID_CREDENTIALS"));
    root.mutate_ok("setUserStatus", json!({ "userId": boss.id, "status": "DISABLED" }), "user { id }").await;

    assert_eq!(set(&root, &acme, "ACTIVE").await, json!({ "status": "ACTIVE", "userCount": 3 }));
    assert_eq!(carl.me_reason().await.as_deref(), Some("SESSION_ENDED"), "no session is restored");
    assert_eq!(refresh_code(&carl).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(program.me_code().await, None, "an API token created by hand is");
    assert_eq!((login_code(&app, "carl").await, login_code(&app, "dave").await), (None, None));
    assert_eq!(login_code(&app, "boss").await.as_deref(), Some("INVALID_CREDENTIALS"), "disabled by itself");
}

/// A status that a tenant has already changes none of its users.
#[tokio::test]
async fn setting_the_same_tenant_status_changes_nothing() {
    let TwoTenants { app, root, acme, carl, .. } = TwoTenants::new().await;
    let updated =
        async || root.send("query ($id: ID!) { user(id: $id) { updatedAt } }", json!({ "id": carl.id })).await.json();
    let before = updated().await;
    app.clock.advance(chrono::TimeDelta::minutes(1));
    assert_eq!(set(&root, &acme, "ACTIVE").await["status"], "ACTIVE");
    assert_eq!(updated().await, before);
}

/// The check reads the user's tenant itself, not only the sessions that disabling ended.
#[tokio::test]
async fn live_session_in_a_disabled_tenant_is_refused() {
    use entity::user;
    use sea_orm::sea_query::Expr;
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
    let TwoTenants { app, carl, .. } = TwoTenants::new().await;
    user::Entity::update_many()
        .col_expr(user::Column::TenantDisabled, Expr::value(true))
        .filter(user::Column::UsernameKey.eq("carl"))
        .exec(app.app.db.writer())
        .await
        .unwrap();
    assert_eq!(carl.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(refresh_code(&carl).await.as_deref(), Some("SESSION_ENDED"));
}

#[tokio::test]
async fn disabling_or_deleting_the_default_tenant_is_refused() {
    let TwoTenants { app, root, .. } = TwoTenants::new().await;
    let own = default(&root).await;
    let refused = async |field: &str, input: Value| code(&root, field, input).await;
    let disable = json!({ "tenantId": own, "status": "DISABLED" });
    assert_eq!(refused("setTenantStatus", disable).await.as_deref(), Some("DEFAULT_TENANT"));
    assert_eq!(refused("deleteTenant", json!({ "tenantId": own })).await.as_deref(), Some("DEFAULT_TENANT"));
    assert_eq!(set(&root, own.as_str().unwrap(), "ACTIVE").await["status"], "ACTIVE");
    assert_eq!(login_code(&app, "root").await, None);
}

#[tokio::test]
async fn only_a_tenant_without_users_is_deleted() {
    let TwoTenants { app: _app, root, acme, boss, carl } = TwoTenants::new().await;
    let input = json!({ "tenantId": acme });
    for actor in [&boss, &carl] {
        assert_eq!(code(&root, "deleteTenant", input.clone()).await.as_deref(), Some("TENANT_HAS_USERS"));
        root.mutate_ok("deleteUser", json!({ "userId": actor.id }), "deletedUserId").await;
    }
    let deleted = root.mutate_ok("deleteTenant", input.clone(), "deletedTenantId").await;
    assert_eq!(deleted["deletedTenantId"], json!(acme));
    for (field, input) in [
        ("deleteTenant", input),
        ("setTenantStatus", json!({ "tenantId": acme, "status": "ACTIVE" })),
        ("createUser", json!({ "username": "dave", "password": PASSWORD, "tenantId": acme })),
    ] {
        assert_eq!(code(&root, field, input).await.as_deref(), Some("NOT_FOUND"), "{field}");
    }
}

/// In any order: afterwards no user of the tenant has a session.
#[tokio::test(flavor = "multi_thread")]
async fn login_racing_the_tenant_disabling_opens_no_session() {
    let [here, there] = nodes().await;
    let root = here.admin("root").await;
    let acme = save(&root, json!({ "name": "ACME" })).await["id"].as_str().unwrap().to_owned();
    create_user(&here, &root, json!({ "username": "carl", "tenantId": acme })).await;
    for round in 0..rounds(6, 60) {
        let (anonymous, admin, tenant) = (there.anonymous(), root.clone(), acme.clone());
        let (login, _) = race(
            round % 9,
            async move {
                let input = json!({ "username": "carl", "password": PASSWORD });
                anonymous.mutate_retrying("login", input, "tokens { accessToken refreshToken } errors { code }").await
            },
            async move { set(&admin, &tenant, "DISABLED").await },
        )
        .await;
        let refusal = login.payload_error("login");
        assert!(matches!(refusal.as_deref(), None | Some("INVALID_CREDENTIALS")), "{}", login.text);
        if refusal.is_none() {
            let carl = here.anonymous().signed_in(&login.data()["login"]);
            assert_eq!(carl.me_reason().await.as_deref(), Some("SESSION_ENDED"), "round {round}");
            assert_eq!(refresh_code(&carl).await.as_deref(), Some("SESSION_ENDED"), "round {round}");
        }
        set(&root, &acme, "ACTIVE").await;
    }
}
