//! Tenants: customers who share an installation, isolated from each other.

use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, TestApp};

mod isolation;
mod lifecycle;

/// An installation with a customer, who has an administrator and a user.
struct TwoTenants {
    app: TestApp,
    root: Actor,
    /// The customer's id.
    acme: String,
    /// The administrator of the customer.
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

    /// A user of the default tenant with exactly these permissions.
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
    assert_ne!(made["id"], other["id"], "a name does not state its tenant");
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
    let tenants = TwoTenants::new().await;
    let mine = "{ me { tenant { id name } } }";
    let expected = json!({ "tenant": { "id": tenants.acme, "name": "ACME" } });
    assert_eq!(tenants.carl.send(mine, json!({})).await.data()["me"], expected);
    let registered = tenants.app.user("ann").await;
    assert_eq!(registered.send(mine, json!({})).await.data()["me"]["tenant"]["name"], "default");
    let by_boss = create_user(&tenants.app, &tenants.boss, json!({ "username": "dave" })).await;
    assert_eq!(by_boss.send(mine, json!({})).await.data()["me"], expected, "of the creator");
    let listed = tenants.root.send("{ users { nodes { username tenant { name } } } }", json!({})).await.data();
    assert_eq!(listed["users"]["nodes"].as_array().unwrap().len(), 5);
}

async fn default(root: &Actor) -> Value {
    root.send("{ me { tenant { id } } }", json!({})).await.data()["me"]["tenant"]["id"].clone()
}

#[tokio::test]
async fn default_tenant_administrator_manages_all_tenants() {
    let tenants = TwoTenants::new().await;
    let (root, carl) = (&tenants.root, &tenants.carl);
    let keeper = tenants.helper("keeper", &["TENANTS_WRITE", "USERS_WRITE", "SESSIONS_REVOKE"]).await;
    assert_eq!(names(root, json!({})).await, ["boss", "carl", "keeper", "root"]);
    assert_eq!(names(root, json!({ "tenantId": tenants.acme })).await, ["boss", "carl"]);
    assert_eq!(names(root, json!({ "tenantId": default(root).await })).await, ["keeper", "root"]);
    for actor in [root, &keeper] {
        actor.mutate_ok("updateUser", json!({ "userId": carl.id, "displayName": "Carl" }), "user { id }").await;
    }
    // In any tenant, a more privileged user is out of reach.
    let boss = json!({ "userId": tenants.boss.id, "displayName": "Boss" });
    let answer = keeper.mutate("updateUser", boss, "user { id }").await;
    assert_eq!(answer.code().as_deref(), Some("FORBIDDEN"));
    root.mutate_ok("setUserStatus", json!({ "userId": tenants.boss.id, "status": "DISABLED" }), "user { id }").await;
    assert_eq!(tenants.boss.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    root.mutate_ok("deleteUser", json!({ "userId": tenants.boss.id }), "deletedUserId").await;
}

#[tokio::test]
async fn roles_are_shared_but_holders_hidden_across_tenants() {
    let tenants = TwoTenants::new().await;
    let holders =
        async |actor: &Actor| actor.send("{ roles { name userCount } }", json!({})).await.data()["roles"][0].clone();
    assert_eq!(holders(&tenants.root).await, json!({ "name": "admin", "userCount": 2 }));
    assert_eq!(holders(&tenants.boss).await, json!({ "name": "admin", "userCount": 1 }));
}

/// Z-5: another tenant's administrator could not administer the installation.
#[tokio::test]
async fn last_administrator_of_the_default_tenant_cannot_be_removed() {
    let tenants = TwoTenants::new().await;
    let (root, boss) = (&tenants.root, &tenants.boss);
    for (field, input) in [
        ("setUserStatus", json!({ "userId": root.id, "status": "DISABLED" })),
        ("setUserRoles", json!({ "userId": root.id, "roles": [] })),
        ("deleteUser", json!({ "userId": root.id })),
    ] {
        assert_eq!(code(root, field, input).await.as_deref(), Some("LAST_ADMIN"), "{field}");
    }
    boss.mutate_ok("setUserRoles", json!({ "userId": boss.id, "roles": [] }), "user { id }").await;
}

/// A login name does not state its tenant.
#[tokio::test]
async fn names_are_unique_across_tenants() {
    let tenants = TwoTenants::new().await;
    let taken = async |actor: &Actor, mut input: Value| {
        input["password"] = json!(PASSWORD);
        code(actor, "createUser", input).await
    };
    assert_eq!(taken(&tenants.boss, json!({ "username": "ROOT" })).await.as_deref(), Some("USERNAME_TAKEN"));
    let address = json!({ "username": "dave", "email": "Carl@acme.example" });
    assert_eq!(taken(&tenants.root, address).await.as_deref(), Some("EMAIL_TAKEN"));
}
