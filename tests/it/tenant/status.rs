//! Tenants disabled, enabled and deleted.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::{Shared, code, default, person, save};
use crate::races::{meet, nodes, rounds};
use crate::support::{Actor, PASSWORD, TestApp};

async fn set(root: &Actor, tenant: &str, status: &str) -> Value {
    let input = json!({ "tenantId": tenant, "status": status });
    root.done("setTenantStatus", input, "tenant { status userCount }").await["tenant"].clone()
}

async fn login_code(app: &TestApp, name: &str) -> Option<String> {
    app.anonymous().login(name, PASSWORD).await.refusal("login")
}

async fn refresh_code(actor: &Actor) -> Option<String> {
    actor.refresh(actor.refresh_token.as_deref().unwrap()).await.refusal("refresh")
}

#[tokio::test]
async fn users_of_a_disabled_tenant_can_do_nothing_until_it_is_enabled() {
    let Shared { app, root, acme, boss, carl } = Shared::new().await;
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
    assert_eq!((near.me_code().await, root.me_code().await), (None, None), "other tenants go on");
    let list = app.anonymous().request(Method::GET, "/.well-known/revocations", &[], "").await;
    let list: Value =
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(list.text.split('.').nth(1).unwrap()).unwrap()).unwrap();
    assert!(list["sessions"].as_array().unwrap().len() >= 2, "services that verify tokens themselves: {list}");

    // Whoever is made meanwhile is no exception, and neither is somebody who is enabled.
    let input = json!({ "username": "dave", "password": PASSWORD, "tenantId": acme });
    let dave = root.done("createUser", input, "user { id }").await["user"]["id"].clone();
    root.done("setUserStatus", json!({ "userId": dave, "status": "ACTIVE" }), "user { id }").await;
    assert_eq!(login_code(&app, "dave").await.as_deref(), Some("INVALID_CREDENTIALS"));
    root.done("setUserStatus", json!({ "userId": boss.id, "status": "DISABLED" }), "user { id }").await;

    assert_eq!(set(&root, &acme, "ACTIVE").await, json!({ "status": "ACTIVE", "userCount": 3 }));
    assert_eq!(carl.me_reason().await.as_deref(), Some("SESSION_ENDED"), "no session comes back");
    assert_eq!(refresh_code(&carl).await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(program.me_code().await, None, "an API token that a person made does");
    assert_eq!((login_code(&app, "carl").await, login_code(&app, "dave").await), (None, None));
    assert_eq!(login_code(&app, "boss").await.as_deref(), Some("INVALID_CREDENTIALS"), "disabled by itself");
}

/// What the user says is looked at, not only the sessions that disabling has ended.
#[tokio::test]
async fn a_session_that_lives_opens_nothing_for_a_user_of_a_disabled_tenant() {
    use entity::user;
    use sea_orm::sea_query::Expr;
    use sea_orm::{ColumnTrait, EntityTrait, QueryFilter};
    let Shared { app, carl, .. } = Shared::new().await;
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
async fn the_first_tenant_is_neither_disabled_nor_deleted() {
    let Shared { app, root, .. } = Shared::new().await;
    let own = default(&root).await;
    let refused = async |field: &str, input: Value| code(&root, field, input).await;
    let disable = json!({ "tenantId": own, "status": "DISABLED" });
    assert_eq!(refused("setTenantStatus", disable).await.as_deref(), Some("DEFAULT_TENANT"));
    assert_eq!(refused("deleteTenant", json!({ "tenantId": own })).await.as_deref(), Some("DEFAULT_TENANT"));
    assert_eq!(set(&root, own.as_str().unwrap(), "ACTIVE").await["status"], "ACTIVE");
    assert_eq!(login_code(&app, "root").await, None);
}

#[tokio::test]
async fn a_tenant_is_deleted_when_it_has_no_users() {
    let Shared { app: _app, root, acme, boss, carl } = Shared::new().await;
    let input = json!({ "tenantId": acme });
    for actor in [&boss, &carl] {
        assert_eq!(code(&root, "deleteTenant", input.clone()).await.as_deref(), Some("TENANT_HAS_USERS"));
        root.done("deleteUser", json!({ "userId": actor.id }), "deletedUserId").await;
    }
    let deleted = root.done("deleteTenant", input.clone(), "deletedTenantId").await;
    assert_eq!(deleted["deletedTenantId"], json!(acme));
    for (field, input) in [
        ("deleteTenant", input),
        ("setTenantStatus", json!({ "tenantId": acme, "status": "ACTIVE" })),
        ("createUser", json!({ "username": "dave", "password": PASSWORD, "tenantId": acme })),
    ] {
        assert_eq!(code(&root, field, input).await.as_deref(), Some("NOT_FOUND"), "{field}");
    }
}

/// Whichever comes first: afterwards nobody of the tenant is signed in.
#[tokio::test(flavor = "multi_thread")]
async fn a_login_that_meets_the_end_of_its_tenant_opens_nothing() {
    let [here, there] = nodes().await;
    let root = here.admin("root").await;
    let acme = save(&root, json!({ "name": "ACME" })).await["id"].as_str().unwrap().to_owned();
    person(&here, &root, json!({ "username": "carl", "tenantId": acme })).await;
    for round in 0..rounds(6, 60) {
        let (stranger, admin, tenant) = (there.anonymous(), root.clone(), acme.clone());
        let (login, _) = meet(
            round % 9,
            async move {
                let input = json!({ "username": "carl", "password": PASSWORD });
                stranger.insist("login", input, "tokens { accessToken refreshToken } errors { code }").await
            },
            async move { set(&admin, &tenant, "DISABLED").await },
        )
        .await;
        let refusal = login.refusal("login");
        assert!(matches!(refusal.as_deref(), None | Some("INVALID_CREDENTIALS")), "{}", login.text);
        if refusal.is_none() {
            let carl = here.anonymous().signed_in(&login.data()["login"]);
            assert_eq!(carl.me_reason().await.as_deref(), Some("SESSION_ENDED"), "round {round}");
            assert_eq!(refresh_code(&carl).await.as_deref(), Some("SESSION_ENDED"), "round {round}");
        }
        set(&root, &acme, "ACTIVE").await;
    }
}
