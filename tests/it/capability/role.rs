//! Roles: named sets of permissions, and their holders.

use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, TestApp};

mod administration;

fn one(code: &str, path: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), path.to_owned())]
}

async fn save(actor: &Actor, name: &str, permissions: &[&str]) -> Value {
    let wanted = "role { id name permissions builtIn description }";
    actor.mutate_ok("saveRole", json!({ "name": name, "permissions": permissions }), wanted).await["role"].clone()
}

async fn assign(actor: &Actor, user: &Actor, roles: &[&str]) -> Value {
    let input = json!({ "userId": user.id, "roles": roles });
    actor.mutate_ok("setUserRoles", input, "user { roles permissions }").await["user"].clone()
}

async fn code(actor: &Actor, field: &str, input: Value) -> Option<String> {
    actor.mutate(field, input, "errors { code }").await.code()
}

/// Z-4
#[tokio::test]
async fn role_change_applies_from_the_next_request() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    app.user("ann").await;
    let before = app.login("ann", PASSWORD).await;
    let sees = async |actor: &Actor| actor.send("{ users { totalCount } }", json!({})).await.code();
    assert_eq!(sees(&before).await.as_deref(), Some("FORBIDDEN"));
    save(&root, "reader", &["USERS_READ"]).await;
    assert_eq!(
        assign(&root, &before, &["reader"]).await,
        json!({ "roles": ["reader"], "permissions": ["USERS_READ"] })
    );
    assert_eq!(sees(&before).await, None, "with the earlier token");

    let holder = app.login("ann", PASSWORD).await;
    save(&root, "reader", &[]).await;
    assert_eq!(sees(&holder).await.as_deref(), Some("FORBIDDEN"), "the role lost its permission");
    save(&root, "reader", &["USERS_READ"]).await;
    assert_eq!(sees(&holder).await, None);
    assign(&root, &holder, &[]).await;
    assert_eq!(sees(&holder).await.as_deref(), Some("FORBIDDEN"), "the role is gone, though the token names it");
    let me = holder.send("{ me { roles permissions can(permission: USERS_READ) } }", json!({})).await;
    assert_eq!(me.data()["me"], json!({ "roles": [], "permissions": [], "can": false }));
}

#[tokio::test]
async fn roles_are_created_updated_and_listed_by_name() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let made = save(&root, " Reader ", &["USERS_READ", "USERS_READ"]).await;
    assert_eq!((&made["name"], &made["permissions"]), (&json!("Reader"), &json!(["USERS_READ"])));
    let input = json!({ "name": "READER", "description": "Sees", "permissions": ["ROLES_READ", "USERS_READ"] });
    let changed = root.mutate_ok("saveRole", input, "role { id name description permissions builtIn }").await;
    let expected = json!({
        "id": made["id"], "name": "Reader", "description": "Sees",
        "permissions": ["USERS_READ", "ROLES_READ"], "builtIn": false,
    });
    assert_eq!(changed["role"], expected);
    let all = root.send("{ roles { name builtIn userCount permissions } }", json!({})).await.data()["roles"].clone();
    assert_eq!(all[0]["name"], "admin");
    assert_eq!((&all[0]["builtIn"], &all[0]["userCount"]), (&json!(true), &json!(1)));
    assert_eq!(all[0]["permissions"].as_array().unwrap().len(), 10);
    assert_eq!(all[1]["name"], "Reader");
    for (name, code) in [("", "INVALID_NAME"), ("a\nb", "INVALID_NAME"), (&"x".repeat(201), "TOO_LONG")] {
        let refusals = root.payload_errors("saveRole", json!({ "name": name, "permissions": [] })).await;
        assert_eq!(refusals, one(code, "input.name"));
    }
}

#[tokio::test]
async fn changing_a_built_in_role_is_refused() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    for name in ["admin", "ADMIN", " Admin", "ａdmin"] {
        let refusals = root.payload_errors("saveRole", json!({ "name": name, "permissions": [] })).await;
        assert_eq!(refusals, one("BUILT_IN_ROLE", "input.name"), "{name}");
    }
    assert_eq!(root.send("{ users { totalCount } }", json!({})).await.code(), None);
}

/// Z-6
#[tokio::test]
async fn role_with_permissions_the_caller_lacks_is_refused() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let writer = app.user("writer").await;
    save(&root, "writer", &["ROLES_WRITE", "USERS_READ"]).await;
    save(&root, "strong", &["USERS_DELETE"]).await;
    assign(&root, &writer, &["writer"]).await;
    let input = |name: &str, permissions: &[&str]| json!({ "name": name, "permissions": permissions });
    for (name, permissions) in [
        ("new", &["USERS_DELETE"][..]),
        ("writer", &["ROLES_WRITE", "USERS_READ", "ROLES_ASSIGN"]),
        ("strong", &["USERS_READ"]),
        ("strong", &[]),
    ] {
        let answer = code(&writer, "saveRole", input(name, permissions)).await;
        assert_eq!(answer.as_deref(), Some("FORBIDDEN"), "{name} {permissions:?}");
    }
    save(&writer, "new", &["USERS_READ"]).await;
    save(&writer, "writer", &["ROLES_WRITE"]).await;
}

/// Z-6
#[tokio::test]
async fn assigning_a_role_requires_all_its_permissions() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let (helper, ann) = (app.user("helper").await, app.user("ann").await);
    save(&root, "helper", &["ROLES_ASSIGN", "USERS_READ"]).await;
    save(&root, "reader", &["USERS_READ"]).await;
    save(&root, "strong", &["USERS_DELETE"]).await;
    assign(&root, &helper, &["helper"]).await;
    let give = |user: &Actor, roles: &[&str]| json!({ "userId": user.id, "roles": roles });
    for (user, roles) in
        [(&ann, &["admin"][..]), (&ann, &["reader", "strong"]), (&helper, &["helper", "strong"]), (&root, &[])]
    {
        assert_eq!(code(&helper, "setUserRoles", give(user, roles)).await.as_deref(), Some("FORBIDDEN"), "{roles:?}");
    }
    assign(&helper, &ann, &["reader"]).await;
    assign(&root, &ann, &["strong"]).await;
    assert_eq!(code(&helper, "setUserRoles", give(&ann, &[])).await.as_deref(), Some("FORBIDDEN"));
    assert_eq!(code(&ann, "setUserRoles", give(&ann, &["admin"])).await.as_deref(), Some("FORBIDDEN"));
}

#[tokio::test]
async fn assigning_an_unknown_role_is_refused() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    save(&root, "reader", &[]).await;
    assign(&root, &ann, &["READER", "reader"]).await;
    for name in ["nobody", "", " ", "\0", "reader\0", "admin' --"] {
        let refusals = root.payload_errors("setUserRoles", json!({ "userId": ann.id, "roles": ["admin", name] })).await;
        assert_eq!(refusals, one("UNKNOWN_ROLE", "input.roles"), "{name:?}");
    }
    let many: Vec<String> = (0..101).map(|number| format!("role{number}")).collect();
    let refusals = root.payload_errors("setUserRoles", json!({ "userId": ann.id, "roles": many })).await;
    assert_eq!(refusals, one("TOO_LONG", "input.roles"));
    let roles = ann.send("{ me { roles } }", json!({})).await;
    assert_eq!(roles.data()["me"]["roles"], json!(["reader"]), "all or nothing");
}

/// J18: tokens name the roles, and tokens above 4,096 bytes are refused.
#[tokio::test]
async fn roles_never_make_a_token_exceed_its_size_limit() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user(&"\u{20000}".repeat(64)).await;
    let names: Vec<String> = (0..30).map(|number| format!("{number:02}{}", "漢".repeat(100))).collect();
    for name in &names {
        save(&root, name, &[]).await;
    }
    let mut most = 0;
    for count in 1..=names.len() {
        let refusals = root.payload_errors("setUserRoles", json!({ "userId": ann.id, "roles": names[..count] })).await;
        if refusals.is_empty() {
            most = count;
            let again = app.login(&"\u{20000}".repeat(64), PASSWORD).await;
            assert_eq!(again.me_code().await, None, "with {count} roles");
        } else {
            assert_eq!(refusals, one("TOO_LONG", "input.roles"), "with {count} roles");
        }
    }
    assert!(most >= 3, "{most}");
    let input = json!({ "username": "bob", "password": PASSWORD, "roles": names });
    assert_eq!(root.payload_errors("createUser", input).await, one("TOO_LONG", "input.roles"));
}
