//! Administration: creating, changing, disabling and deleting users.

mod deactivation;

use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, TestApp};

const UNKNOWN_USER: &str = "usr_01h455vb4pex5vsknk084sn02q";

fn one(code: &str, path: &str) -> Vec<(String, String)> {
    vec![(code.to_owned(), path.to_owned())]
}

async fn helper(app: &TestApp, root: &Actor, name: &str, permissions: &[&str]) -> Actor {
    let helper = app.user(name).await;
    root.mutate_ok("saveRole", json!({ "name": name, "permissions": permissions }), "role { id }").await;
    root.mutate_ok("setUserRoles", json!({ "userId": helper.id, "roles": [name] }), "user { id }").await;
    helper
}

async fn code(actor: &Actor, field: &str, input: Value) -> Option<String> {
    actor.mutate(field, input, "errors { code }").await.code()
}

#[tokio::test]
async fn create_user_assigns_roles() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    root.mutate_ok("saveRole", json!({ "name": "Reader", "permissions": ["USERS_READ"] }), "role { id }").await;
    let input = json!({
        "username": "ann", "email": "ann@example.org", "displayName": "Ann", "password": PASSWORD,
        "roles": ["READER", "reader", "admin"],
    });
    let payload = root.mutate_ok("createUser", input, "user { id username email displayName roles status }").await;
    let expected = json!({
        "id": payload["user"]["id"], "username": "ann", "email": "ann@example.org", "displayName": "Ann",
        "roles": ["Reader", "admin"], "status": "ACTIVE",
    });
    assert_eq!(payload["user"], expected);
    app.login("ann", PASSWORD).await;

    let refused = async |input: Value| root.payload_errors("createUser", input).await;
    let person = |name: &str| json!({ "username": name, "password": PASSWORD });
    assert_eq!(refused(person("ANN")).await, one("USERNAME_TAKEN", "input.username"));
    assert_eq!(
        refused(json!({ "username": "bob", "password": PASSWORD, "email": "ANN@example.org" })).await,
        one("EMAIL_TAKEN", "input.email")
    );
    assert_eq!(refused(json!({ "username": "bob", "password": "x" })).await, one("WEAK_PASSWORD", "input.password"));
    for role in ["nobody", "", "\0"] {
        let input = json!({ "username": "bob", "password": PASSWORD, "roles": ["admin", role] });
        assert_eq!(refused(input).await, one("UNKNOWN_ROLE", "input.roles"), "{role:?}");
    }
    assert_eq!(refused(person("bob")).await, [], "no row remains");
}

/// Z-6
#[tokio::test]
async fn create_user_with_more_permissions_than_the_caller_is_refused() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let writer = helper(&app, &root, "writer", &["USERS_WRITE"]).await;
    let assigner = helper(&app, &root, "assigner", &["USERS_WRITE", "ROLES_ASSIGN"]).await;
    let person = |name: &str, roles: &[&str]| json!({ "username": name, "password": PASSWORD, "roles": roles });
    assert_eq!(code(&writer, "createUser", person("ann", &["writer"])).await.as_deref(), Some("FORBIDDEN"));
    assert_eq!(code(&assigner, "createUser", person("ann", &["admin"])).await.as_deref(), Some("FORBIDDEN"));
    writer.mutate_ok("createUser", person("ann", &[]), "user { id }").await;
    assigner.mutate_ok("createUser", person("bob", &["writer"]), "user { id }").await;
}

#[tokio::test]
async fn update_user_sets_given_and_clears_null_fields() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    app.user("taken").await;
    let input = json!({
        "username": "ann", "email": "ann@example.org", "displayName": "Ann", "password": PASSWORD,
    });
    let id = root.mutate_ok("createUser", input, "user { id }").await["user"]["id"].clone();
    let change = async |mut input: Value| {
        input["userId"] = id.clone();
        let wanted = "user { username email displayName }";
        let answer = root.mutate("updateUser", input, &format!("{wanted} errors {{ code path }}")).await;
        let payload = answer.data()["updateUser"].clone();
        if payload["errors"] == json!([]) { payload["user"].clone() } else { payload["errors"].clone() }
    };
    let row =
        |name: &str, email: Value, shown: Value| json!({ "username": name, "email": email, "displayName": shown });
    let (address, shown) = (json!("ann@example.org"), json!("Ann"));
    assert_eq!(change(json!({})).await, row("ann", address.clone(), shown.clone()));
    assert_eq!(change(json!({ "username": null })).await, row("ann", address.clone(), shown.clone()));
    assert_eq!(change(json!({ "username": "ANN" })).await, row("ANN", address.clone(), shown.clone()));
    assert_eq!(change(json!({ "email": null })).await, row("ANN", json!(null), shown));
    assert_eq!(change(json!({ "displayName": null })).await, row("ANN", json!(null), json!(null)));
    assert_eq!(
        change(json!({ "email": "x@example.org", "displayName": "X" })).await,
        row("ANN", json!("x@example.org"), json!("X"))
    );
    let wrong = change(json!({ "username": "a b", "email": "x", "displayName": "" })).await;
    let codes: Vec<_> = wrong.as_array().unwrap().iter().map(|error| error["code"].as_str().unwrap()).collect();
    assert_eq!(codes, ["INVALID_USERNAME", "INVALID_EMAIL", "INVALID_NAME"]);
    let taken = change(json!({ "username": "TAKEN", "displayName": "Y" })).await;
    assert_eq!(taken, json!([{ "code": "USERNAME_TAKEN", "path": ["input", "username"] }]));
    assert_eq!(change(json!({})).await["displayName"], "X", "all or nothing");
    assert_eq!(
        root.payload_errors("updateUser", json!({ "userId": UNKNOWN_USER })).await,
        one("NOT_FOUND", "input.userId")
    );
    app.login("ann", PASSWORD).await;
    app.login("X@example.org", PASSWORD).await;
}

/// Z-6: the covers rule.
#[tokio::test]
async fn administering_a_more_privileged_user_is_refused() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let helper_of_users = helper(&app, &root, "helper", &["USERS_WRITE", "USERS_DELETE", "ROLES_ASSIGN"]).await;
    let reader = helper(&app, &root, "reader", &["USERS_READ"]).await;
    let ann = app.user("ann").await;
    for target in [&root.id, &reader.id] {
        for (field, input) in [
            ("updateUser", json!({ "userId": target, "displayName": "Mine" })),
            ("updateUser", json!({ "userId": target, "email": "mine@example.org" })),
            ("setUserStatus", json!({ "userId": target, "status": "DISABLED" })),
            ("setUserPassword", json!({ "userId": target, "password": "quiet-garden-kestrel-81" })),
            ("setUserRoles", json!({ "userId": target, "roles": [] })),
            ("deleteUser", json!({ "userId": target })),
        ] {
            let answer = code(&helper_of_users, field, input).await;
            assert_eq!(answer.as_deref(), Some("FORBIDDEN"), "{field}");
        }
    }
    assert_eq!((root.me_code().await, reader.me_code().await), (None, None));
    helper_of_users.mutate_ok("updateUser", json!({ "userId": ann.id, "displayName": "Ann" }), "user { id }").await;
    helper_of_users.mutate_ok("setUserRoles", json!({ "userId": ann.id, "roles": ["helper"] }), "user { id }").await;
    helper_of_users.mutate_ok("deleteUser", json!({ "userId": ann.id }), "deletedUserId").await;
}

/// Z-5
#[tokio::test]
async fn removing_the_last_active_administrator_is_refused() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let spare = app.admin("spare").await;
    root.mutate_ok("setUserStatus", json!({ "userId": spare.id, "status": "DISABLED" }), "user { id }").await;
    let attempts = [
        ("setUserStatus", json!({ "userId": root.id, "status": "DISABLED" })),
        ("setUserRoles", json!({ "userId": root.id, "roles": [] })),
        ("deleteUser", json!({ "userId": root.id })),
    ];
    for (field, input) in &attempts {
        assert_eq!(root.payload_errors(field, input.clone()).await, one("LAST_ADMIN", ""), "{field}");
    }
    assert_eq!(root.me_code().await, None, "no partial change");
    let roles = root.send("{ me { roles } users { totalCount } }", json!({})).await;
    assert_eq!(roles.data(), json!({ "me": { "roles": ["admin"] }, "users": { "totalCount": 2 } }));
    root.mutate_ok("deleteUser", json!({ "userId": spare.id }), "deletedUserId").await;
    let heir = app.admin("heir").await;
    root.mutate_ok("deleteUser", json!({ "userId": root.id }), "deletedUserId").await;
    assert_eq!(heir.me_code().await, None);
}

/// Z-5
#[tokio::test(flavor = "multi_thread")]
async fn concurrent_mutual_removal_leaves_one_administrator() {
    let app = TestApp::new().await;
    let mut left = app.admin("admin0").await;
    for round in 0..12 {
        let other = app.admin(&format!("admin{}", round + 1)).await;
        let run = |actor: &Actor, victim: &Actor| {
            let (actor, id) = (actor.clone(), victim.id.clone());
            let (field, input) = match round % 3 {
                0 => ("setUserRoles", json!({ "userId": id, "roles": [] })),
                1 => ("setUserStatus", json!({ "userId": id, "status": "DISABLED" })),
                _ => ("deleteUser", json!({ "userId": id })),
            };
            tokio::spawn(async move { actor.mutate(field, input, "errors { code }").await })
        };
        let (one, two) = (run(&left, &other), run(&other, &left));
        let (one, two) = (one.await.unwrap(), two.await.unwrap());
        let codes: Vec<_> = [&one, &two]
            .into_iter()
            .filter_map(|answer| {
                answer.code().or_else(|| {
                    let payload = answer.json()["data"].as_object().unwrap().values().next().unwrap().clone();
                    payload["errors"][0]["code"].as_str().map(str::to_owned)
                })
            })
            .collect();
        assert_eq!(codes.len(), 1, "exactly one succeeds: {codes:?}");
        let expected = ["LAST_ADMIN", "FORBIDDEN", "UNAUTHENTICATED", "NOT_FOUND"];
        assert!(expected.contains(&codes[0].as_str()), "{codes:?}");
        let is_admin = async |actor: &Actor| actor.send("{ users { totalCount } }", json!({})).await.code().is_none();
        left = match (is_admin(&left).await, is_admin(&other).await) {
            (true, false) => left,
            (false, true) => other,
            both => panic!("round {round}: {both:?}"),
        };
    }
}
