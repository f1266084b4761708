//! Tenants: customers who share an installation and see nothing of each other.

use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, TestApp};

mod lifecycle;

/// What the installation keeps to its own.
const OWN: [&str; 3] = ["ROLES_WRITE", "TENANTS_READ", "TENANTS_WRITE"];

/// Every other permission.
const COMMON: [&str; 7] =
    ["USERS_READ", "USERS_WRITE", "USERS_DELETE", "ROLES_READ", "ROLES_ASSIGN", "SESSIONS_READ", "SESSIONS_REVOKE"];

/// An installation with a customer, who has an administrator and a user.
struct TwoTenants {
    app: TestApp,
    root: Actor,
    /// The customer's id.
    acme: String,
    /// Administers the customer.
    boss: Actor,
    /// A user of the customer.
    carl: Actor,
}

impl TwoTenants {
    async fn new() -> Self {
        let app = TestApp::new().await;
        let root = app.admin("root").await;
        let acme = save(&root, json!({ "name": "ACME" })).await["id"].as_str().unwrap().to_owned();
        let boss = create_user(&app, &root, json!({ "username": "boss", "roles": ["admin"], "tenantId": acme })).await;
        let carl =
            create_user(&app, &root, json!({ "username": "carl", "email": "carl@acme.example", "tenantId": acme }))
                .await;
        Self { app, root, acme, boss, carl }
    }

    /// A user of the installation's own tenant with exactly these permissions.
    async fn helper(&self, name: &str, permissions: &[&str]) -> Actor {
        self.root.mutate_ok("saveRole", json!({ "name": name, "permissions": permissions }), "role { id }").await;
        create_user(&self.app, &self.root, json!({ "username": name, "roles": [name] })).await
    }
}

async fn save(actor: &Actor, input: Value) -> Value {
    actor.mutate_ok("saveTenant", input, "tenant { id name createdAt }").await["tenant"].clone()
}

async fn create_user(app: &TestApp, maker: &Actor, mut input: Value) -> Actor {
    input["password"] = json!(PASSWORD);
    maker.mutate_ok("createUser", input.clone(), "user { id }").await;
    app.login(input["username"].as_str().unwrap(), PASSWORD).await
}

async fn code(actor: &Actor, field: &str, input: Value) -> Option<String> {
    actor.mutate(field, input, "errors { code }").await.payload_error(field)
}

async fn names(actor: &Actor, filter: Value) -> Vec<String> {
    let query = "query ($filter: UserFilter) {
        users(filter: $filter, orderBy: { field: USERNAME }) { totalCount nodes { username } }
    }";
    let users = actor.send(query, json!({ "filter": filter })).await.data()["users"].clone();
    let names: Vec<String> =
        users["nodes"].as_array().unwrap().iter().map(|user| user["username"].as_str().unwrap().to_owned()).collect();
    assert_eq!(users["totalCount"], names.len());
    names
}

#[tokio::test]
async fn tenants_are_created_renamed_and_listed_in_order() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let made = save(&root, json!({ "name": " ACME " })).await;
    assert_eq!((&made["name"], &made["createdAt"]), (&json!("ACME"), &json!("2026-03-01T12:00:00.000Z")));
    let other = save(&root, json!({ "name": "ACME" })).await;
    assert_ne!(made["id"], other["id"], "a name says nothing about who it is");
    let renamed = save(&root, json!({ "tenantId": other["id"], "name": "Globex" })).await;
    assert_eq!((&renamed["id"], &renamed["name"]), (&other["id"], &json!("Globex")));

    let page = "query ($first: Int, $after: String) {
        tenants(first: $first, after: $after) {
            totalCount nodes { id name } pageInfo { endCursor hasNextPage hasPreviousPage }
        }
    }";
    let first = root.send(page, json!({ "first": 2 })).await.data()["tenants"].clone();
    let shown = |page: &Value| -> Vec<Value> {
        page["nodes"].as_array().unwrap().iter().map(|tenant| tenant["name"].clone()).collect()
    };
    assert_eq!((shown(&first), &first["totalCount"]), (vec![json!("default"), json!("ACME")], &json!(3)));
    assert_eq!(first["pageInfo"]["hasNextPage"], true);
    let second = root.send(page, json!({ "after": first["pageInfo"]["endCursor"] })).await.data()["tenants"].clone();
    assert_eq!((shown(&second), &second["pageInfo"]["hasNextPage"]), (vec![json!("Globex")], &json!(false)));
    let node =
        root.send("query ($id: ID!) { node(id: $id) { id ... on Tenant { name } } }", json!({ "id": made["id"] }));
    assert_eq!(node.await.data()["node"], json!({ "id": made["id"], "name": "ACME" }));

    for (name, code) in [("", "INVALID_NAME"), ("a\nb", "INVALID_NAME"), (&"x".repeat(201), "TOO_LONG")] {
        let refusals = root.payload_errors("saveTenant", json!({ "name": name })).await;
        assert_eq!(refusals, [(code.to_owned(), "input.name".to_owned())]);
    }
    let refusals = root.payload_errors("saveTenant", json!({ "tenantId": root.id, "name": "x" })).await;
    assert_eq!(refusals, [("NOT_FOUND".to_owned(), "input.tenantId".to_owned())]);
}

#[tokio::test]
async fn user_shows_its_tenant() {
    let shared = TwoTenants::new().await;
    let mine = "{ me { tenant { id name } } }";
    let expected = json!({ "tenant": { "id": shared.acme, "name": "ACME" } });
    assert_eq!(shared.carl.send(mine, json!({})).await.data()["me"], expected);
    let registered = shared.app.user("ann").await;
    assert_eq!(registered.send(mine, json!({})).await.data()["me"]["tenant"]["name"], "default");
    let by_boss = create_user(&shared.app, &shared.boss, json!({ "username": "dave" })).await;
    assert_eq!(by_boss.send(mine, json!({})).await.data()["me"], expected, "as whoever made the account");
    let listed = shared.root.send("{ users { nodes { username tenant { name } } } }", json!({})).await.data();
    assert_eq!(listed["users"]["nodes"].as_array().unwrap().len(), 5);
}

/// Z-1: whoever administers one tenant administers it, and nothing beside it.
#[tokio::test]
async fn tenant_administrator_manages_own_tenant_only() {
    let shared = TwoTenants::new().await;
    let ann = shared.app.user("ann").await;
    let (boss, carl) = (&shared.boss, &shared.carl);
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

/// Z-4 Z-6: roles belong to the installation and so does what they say about it, whoever holds them.
#[tokio::test]
async fn tenant_administrator_cannot_manage_the_installation() {
    let shared = TwoTenants::new().await;
    let all = [&COMMON[..], &OWN[..]].concat();
    let operators = json!({ "name": "operators", "permissions": all });
    shared.root.mutate_ok("saveRole", operators, "role { id }").await;
    shared
        .root
        .mutate_ok("setUserRoles", json!({ "userId": shared.carl.id, "roles": ["operators"] }), "user { id }")
        .await;
    let own = async |actor: &Actor| {
        let query = "{ me { permissions can(permission: TENANTS_WRITE) } }";
        actor.send(query, json!({})).await.data()["me"].clone()
    };
    for actor in [&shared.boss, &shared.carl] {
        assert_eq!(own(actor).await, json!({ "permissions": COMMON, "can": false }));
        assert_eq!(actor.send("{ tenants { totalCount } }", json!({})).await.code().as_deref(), Some("FORBIDDEN"));
        let save = actor.mutate("saveTenant", json!({ "name": "Mine" }), "tenant { id }").await;
        assert_eq!(save.code().as_deref(), Some("FORBIDDEN"));
        for name in ["operators", "mine"] {
            let role = actor.mutate("saveRole", json!({ "name": name, "permissions": [] }), "role { id }").await;
            assert_eq!(role.code().as_deref(), Some("FORBIDDEN"), "roles are everybody's");
        }
        let token =
            actor.mutate("createApiToken", json!({ "name": "x", "permissions": ["TENANTS_READ"] }), "token").await;
        assert_eq!(token.code().as_deref(), Some("FORBIDDEN"));
        assert!(actor.send("{ roles { name } }", json!({})).await.data()["roles"].as_array().unwrap().len() >= 2);
        let elsewhere = json!({ "username": "eve", "password": PASSWORD, "tenantId": default(&shared.root).await });
        assert_eq!(code(actor, "createUser", elsewhere).await.as_deref(), Some("NOT_FOUND"));
    }
    let root = own(&shared.root).await;
    assert_eq!(root["can"], true);
    assert_eq!(root["permissions"].as_array().unwrap().len(), COMMON.len() + OWN.len());
}

async fn default(root: &Actor) -> Value {
    root.send("{ me { tenant { id } } }", json!({})).await.data()["me"]["tenant"]["id"].clone()
}

/// Z-1: all permissions but those for the installation open nothing of another tenant, by whatever way one asks.
#[tokio::test]
async fn tenant_reads_as_missing_without_permission() {
    let shared = TwoTenants::new().await;
    let clerk = shared.helper("clerk", &COMMON).await;
    let watcher = shared.helper("watcher", &[&COMMON[..], &["TENANTS_READ"]].concat()).await;
    let carl = &shared.carl;
    let (token, _) = carl.api_token(&[]).await;
    let session = carl.send("{ me { sessions { nodes { id } } } }", json!({})).await.data();
    let session = session["me"]["sessions"]["nodes"][0]["id"].clone();

    let node = "query ($id: ID!) { node(id: $id) { id ... on User { email sessions { totalCount } } } }";
    for (actor, is_seen) in [(&clerk, false), (&watcher, true), (&shared.root, true), (&shared.boss, true)] {
        let ids = [json!(carl.id), session.clone(), json!(token), json!(shared.acme)];
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
        let of_acme = json!({ "filter": { "tenantId": shared.acme } });
        let filtered =
            actor.send("query ($filter: UserFilter) { users(filter: $filter) { totalCount } }", of_acme).await;
        assert_eq!(filtered.code().as_deref(), (!is_seen).then_some("NOT_FOUND"));
    }
    // To see is not to act.
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
            ("createUser", json!({ "username": "eve", "password": PASSWORD, "tenantId": shared.acme })),
        ] {
            assert_eq!(code(actor, field, input).await.as_deref(), Some("NOT_FOUND"), "{field}");
        }
    }
    assert_eq!(carl.me_code().await, None, "nothing has happened");
}

#[tokio::test]
async fn default_tenant_administrator_manages_all_tenants() {
    let shared = TwoTenants::new().await;
    let (root, carl) = (&shared.root, &shared.carl);
    let keeper = shared.helper("keeper", &["TENANTS_WRITE", "USERS_WRITE", "SESSIONS_REVOKE"]).await;
    assert_eq!(names(root, json!({})).await, ["boss", "carl", "keeper", "root"]);
    assert_eq!(names(root, json!({ "tenantId": shared.acme })).await, ["boss", "carl"]);
    assert_eq!(names(root, json!({ "tenantId": default(root).await })).await, ["keeper", "root"]);
    for actor in [root, &keeper] {
        actor.mutate_ok("updateUser", json!({ "userId": carl.id, "displayName": "Carl" }), "user { id }").await;
    }
    // Far or near, nobody touches who can do more.
    let boss = json!({ "userId": shared.boss.id, "displayName": "Boss" });
    let answer = keeper.mutate("updateUser", boss, "user { id }").await;
    assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"));
    root.mutate_ok("setUserStatus", json!({ "userId": shared.boss.id, "status": "DISABLED" }), "user { id }").await;
    assert_eq!(shared.boss.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    root.mutate_ok("deleteUser", json!({ "userId": shared.boss.id }), "deletedUserId").await;
}

#[tokio::test]
async fn roles_are_shared_but_holders_hidden_across_tenants() {
    let shared = TwoTenants::new().await;
    let holders =
        async |actor: &Actor| actor.send("{ roles { name userCount } }", json!({})).await.data()["roles"][0].clone();
    assert_eq!(holders(&shared.root).await, json!({ "name": "admin", "userCount": 2 }));
    assert_eq!(holders(&shared.boss).await, json!({ "name": "admin", "userCount": 1 }));
}

/// Z-5: another tenant's administrator could not help the installation.
#[tokio::test]
async fn last_administrator_of_the_default_tenant_cannot_be_removed() {
    let shared = TwoTenants::new().await;
    let (root, boss) = (&shared.root, &shared.boss);
    for (field, input) in [
        ("setUserStatus", json!({ "userId": root.id, "status": "DISABLED" })),
        ("setUserRoles", json!({ "userId": root.id, "roles": [] })),
        ("deleteUser", json!({ "userId": root.id })),
    ] {
        assert_eq!(code(root, field, input).await.as_deref(), Some("LAST_ADMIN"), "{field}");
    }
    boss.mutate_ok("setUserRoles", json!({ "userId": boss.id, "roles": [] }), "user { id }").await;
}

/// A name signs in without saying whose customer it is.
#[tokio::test]
async fn names_are_unique_across_tenants() {
    let shared = TwoTenants::new().await;
    let taken = async |actor: &Actor, mut input: Value| {
        input["password"] = json!(PASSWORD);
        code(actor, "createUser", input).await
    };
    assert_eq!(taken(&shared.boss, json!({ "username": "ROOT" })).await.as_deref(), Some("USERNAME_TAKEN"));
    let address = json!({ "username": "dave", "email": "Carl@acme.example" });
    assert_eq!(taken(&shared.root, address).await.as_deref(), Some("EMAIL_TAKEN"));
}
