//! Isolation of tenants: what administrators of one tenant can reach.

use serde_json::{Value, json};

use super::{TwoTenants, code, default, names};
use crate::support::{Actor, PASSWORD};

/// Permissions of the default tenant only.
const INSTALLATION_PERMISSIONS: [&str; 3] = ["ROLES_WRITE", "TENANTS_READ", "TENANTS_WRITE"];

/// Every other permission.
const TENANT_PERMISSIONS: [&str; 7] =
    ["USERS_READ", "USERS_WRITE", "USERS_DELETE", "ROLES_READ", "ROLES_ASSIGN", "SESSIONS_READ", "SESSIONS_REVOKE"];

/// Z-1: an administrator of one tenant administers nothing beyond it.
#[tokio::test]
async fn tenant_administrator_manages_own_tenant_only() {
    let tenants = TwoTenants::new().await;
    let ann = tenants.app.user("ann").await;
    let (boss, carl) = (&tenants.boss, &tenants.carl);
    assert_eq!(names(boss, json!({})).await, ["boss", "carl"]);
    boss.mutate_ok(
        "createUser",
        json!({ "username": "dave", "password": PASSWORD, "roles": ["admin"] }),
        "user { id }",
    )
    .await;
    boss.mutate_ok("updateUser", json!({ "userId": carl.id, "displayName": "Carl" }), "user { id }").await;
    boss.mutate_ok("setUserRoles", json!({ "userId": carl.id, "roles": ["admin"] }), "user { id }").await;
    boss.mutate_ok("setUserRoles", json!({ "userId": carl.id, "roles": [] }), "user { id }").await;
    boss.mutate_ok("setUserStatus", json!({ "userId": carl.id, "status": "DISABLED" }), "user { id }").await;
    boss.mutate_ok("deleteUser", json!({ "userId": carl.id }), "deletedUserId").await;

    let missing = |field: &str, mut input: Value| {
        input["userId"] = json!(ann.id);
        (field.to_owned(), input)
    };
    for (field, input) in [
        missing("updateUser", json!({ "displayName": "Mine" })),
        missing("setUserRoles", json!({ "roles": [] })),
        missing("setUserStatus", json!({ "status": "DISABLED" })),
        missing("setUserPassword", json!({ "password": "another-horse-battery-8" })),
        missing("deleteUser", json!({})),
    ] {
        assert_eq!(code(boss, &field, input).await.as_deref(), Some("NOT_FOUND"), "{field}");
    }
    let rest = json!({ "username": "erin", "fullname": "Erin", "password": PASSWORD });
    assert_eq!(boss.json(axum::http::Method::POST, "/register", &rest).await.status, 201);
    assert_eq!(names(boss, json!({})).await, ["boss", "dave", "erin"], "by REST, too");
}

/// Z-4 Z-6: roles and their permissions belong to the installation, not to a tenant.
#[tokio::test]
async fn tenant_administrator_cannot_manage_the_installation() {
    let tenants = TwoTenants::new().await;
    let all = [&TENANT_PERMISSIONS[..], &INSTALLATION_PERMISSIONS[..]].concat();
    let operators = json!({ "name": "operators", "permissions": all });
    tenants.root.mutate_ok("saveRole", operators, "role { id }").await;
    tenants
        .root
        .mutate_ok("setUserRoles", json!({ "userId": tenants.carl.id, "roles": ["operators"] }), "user { id }")
        .await;
    let own = async |actor: &Actor| {
        let query = "{ me { permissions can(permission: TENANTS_WRITE) } }";
        actor.send(query, json!({})).await.data()["me"].clone()
    };
    for actor in [&tenants.boss, &tenants.carl] {
        assert_eq!(own(actor).await, json!({ "permissions": TENANT_PERMISSIONS, "can": false }));
        assert_eq!(actor.send("{ tenants { totalCount } }", json!({})).await.code().as_deref(), Some("FORBIDDEN"));
        let save = actor.mutate("saveTenant", json!({ "name": "Mine" }), "tenant { id }").await;
        assert_eq!(save.code().as_deref(), Some("FORBIDDEN"));
        for name in ["operators", "mine"] {
            let role = actor.mutate("saveRole", json!({ "name": name, "permissions": [] }), "role { id }").await;
            assert_eq!(role.code().as_deref(), Some("FORBIDDEN"), "roles are visible to all");
        }
        let token =
            actor.mutate("createApiToken", json!({ "name": "x", "permissions": ["TENANTS_READ"] }), "token").await;
        assert_eq!(token.code().as_deref(), Some("FORBIDDEN"));
        assert!(actor.send("{ roles { name } }", json!({})).await.data()["roles"].as_array().unwrap().len() >= 2);
        let elsewhere = json!({ "username": "eve", "password": PASSWORD, "tenantId": default(&tenants.root).await });
        assert_eq!(code(actor, "createUser", elsewhere).await.as_deref(), Some("NOT_FOUND"));
    }
    let root = own(&tenants.root).await;
    assert_eq!(root["can"], true);
    assert_eq!(
        root["permissions"].as_array().unwrap().len(),
        TENANT_PERMISSIONS.len() + INSTALLATION_PERMISSIONS.len()
    );
}

/// Z-1: all other permissions grant nothing of another tenant, by any path.
#[tokio::test]
async fn tenant_reads_as_missing_without_permission() {
    let tenants = TwoTenants::new().await;
    let clerk = tenants.helper("clerk", &TENANT_PERMISSIONS).await;
    let watcher = tenants.helper("watcher", &[&TENANT_PERMISSIONS[..], &["TENANTS_READ"]].concat()).await;
    let carl = &tenants.carl;
    let (token, _) = carl.api_token(&[]).await;
    let session = carl.send("{ me { sessions { nodes { id } } } }", json!({})).await.data();
    let session = session["me"]["sessions"]["nodes"][0]["id"].clone();

    let node = "query ($id: ID!) { node(id: $id) { id ... on User { email sessions { totalCount } } } }";
    for (actor, is_seen) in [(&clerk, false), (&watcher, true), (&tenants.root, true), (&tenants.boss, true)] {
        let ids = [json!(carl.id), session.clone(), json!(token), json!(tenants.acme)];
        for id in ids {
            let found = actor.send(node, json!({ "id": id })).await.data()["node"].clone();
            assert_eq!(!found.is_null(), is_seen, "{id}");
        }
        for lookup in
            [format!("id: \"{}\"", carl.id), "username: \"carl\"".into(), "email: \"carl@acme.example\"".into()]
        {
            let found = actor.send(&format!("{{ user({lookup}) {{ email }} }}"), json!({})).await.data();
            assert_eq!(!found["user"].is_null(), is_seen, "{lookup}");
        }
        assert_eq!(names(actor, json!({ "search": "carl" })).await.len(), usize::from(is_seen));
        let of_acme = json!({ "filter": { "tenantId": tenants.acme } });
        let filtered =
            actor.send("query ($filter: UserFilter) { users(filter: $filter) { totalCount } }", of_acme).await;
        assert_eq!(filtered.code().as_deref(), (!is_seen).then_some("NOT_FOUND"));
    }
    // Read access is no write access.
    for actor in [&clerk, &watcher] {
        let on_carl = |mut input: Value| {
            input["userId"] = json!(carl.id);
            input
        };
        for (field, input) in [
            ("updateUser", on_carl(json!({ "displayName": "Mine" }))),
            ("setUserRoles", on_carl(json!({ "roles": [] }))),
            ("setUserStatus", on_carl(json!({ "status": "DISABLED" }))),
            ("setUserPassword", on_carl(json!({ "password": "another-horse-battery-8" }))),
            ("deleteUser", on_carl(json!({}))),
            ("revokeSession", json!({ "sessionId": session })),
            ("updateApiToken", json!({ "apiTokenId": token, "note": "Mine" })),
            ("revokeApiToken", json!({ "apiTokenId": token })),
            ("createUser", json!({ "username": "eve", "password": PASSWORD, "tenantId": tenants.acme })),
        ] {
            assert_eq!(code(actor, field, input).await.as_deref(), Some("NOT_FOUND"), "{field}");
        }
    }
    assert_eq!(carl.me_code().await, None, "nothing has changed");
}
