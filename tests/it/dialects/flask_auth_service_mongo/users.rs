//! Users and roles in the dialect's schema.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::{app, graphql, login, message};
use crate::support::{Actor, PASSWORD, TestApp};

async fn data(actor: &Actor, query: &str) -> Value {
    let answer = graphql(actor, "/any", query).await;
    let json = answer.json();
    assert!(json.get("errors").is_none() && answer.status == 200, "{json}");
    json["data"].clone()
}

/// The names in a connection.
fn names(connection: &Value) -> Vec<String> {
    let edges = connection["edges"].as_array().unwrap().iter();
    edges.map(|edge| edge["node"]["username"].as_str().unwrap().to_owned()).collect()
}

/// An administrator and three users, created one second apart.
async fn fixture() -> (TestApp, Actor) {
    let app = app().await;
    let root = app.admin("root").await;
    root.mutate_ok("saveRole", json!({ "name": "clerks", "permissions": ["USERS_READ"] }), "role { id }").await;
    for name in ["ann", "bob", "cyd"] {
        app.clock.advance(TimeDelta::seconds(1));
        app.user(name).await;
    }
    (app, root)
}

#[tokio::test]
async fn auth_service_creates_users_as_recorded() {
    let (app, root) = fixture().await;
    let create = async |input: &str| {
        let query = format!(
            "mutation {{ create_user(input: {{ {input} }}) {{ user {{
            username active change_password role {{ name permissions }}
        }} }} }}"
        );
        graphql(&root, "/any", &query).await
    };
    let strong = format!("password: \"{PASSWORD}\" password_confirmed: \"{PASSWORD}\"");
    let made = create(&format!("username: \"Neo\" {strong} role: \"Clerks\" change_password: true")).await.json();
    let role = json!({ "name": "clerks", "permissions": "{\"USERS_READ\":true}" });
    let expected = json!({ "username": "neo", "active": true, "change_password": true, "role": role });
    assert_eq!(made["data"]["create_user"]["user"], expected);
    assert_eq!(login(&app, "/any", "NEO", PASSWORD).await.json()["data"]["role"], "clerks");
    for (input, text) in [
        (format!("username: \"ab\" {strong} role: \"x\""), "bad_request"),
        (format!("username: \"a bc\" {strong} role: \"x\""), "bad_request"),
        ("username: \"abc\" password: \"ab\" password_confirmed: \"\" role: \"x\"".to_owned(), "bad_request"),
        (
            format!("username: \"neo\" password: \"{PASSWORD}\" password_confirmed: \"x\" role: \"x\""),
            "Passwords don't match",
        ),
        (format!("username: \"neo\" {strong} role: \"nobody\""), "Role does not exist"),
        (format!("username: \"NEO\" {strong} role: \"clerks\""), "Username already exists"),
        // Rules of accountd, where they are stricter.
        (
            "username: \"abc\" password: \"trinity\" password_confirmed: \"trinity\" role: \"clerks\"".to_owned(),
            "bad_request",
        ),
        (format!("username: \"a@b.example\" {strong} role: \"clerks\""), "bad_request"),
    ] {
        assert_eq!(message(&create(&input).await), text, "{input}");
    }
}

#[tokio::test]
async fn auth_service_lists_users_in_order_and_filtered() {
    let (app, root) = fixture().await;
    let bob =
        &data(&root, "{ users(username: \"bob\") { edges { node { id } } } }").await["users"]["edges"][0]["node"]["id"];
    let own = STANDARD.decode(bob.as_str().unwrap()).unwrap();
    let own = String::from_utf8(own).unwrap().strip_prefix("User:").unwrap().to_owned();
    root.mutate_ok("setUserStatus", json!({ "userId": own, "status": "DISABLED" }), "user { id }").await;
    root.mutate_ok("setUserRoles", json!({ "userId": own, "roles": ["clerks"] }), "user { id }").await;
    root.mutate_ok("updateUser", json!({ "userId": own, "mustChangePassword": true }), "user { id }").await;
    let roles = data(&root, "{ roles { edges { node { id name } } } }").await;
    let role = |index: usize| roles["roles"]["edges"][index]["node"]["id"].clone();
    let missing = json!(STANDARD.encode("User:5f8f8c44b54764421b7156c3"));
    for (arguments, expected) in [
        ("(first: 10)".to_owned(), vec!["root", "ann", "bob", "cyd"]),
        ("(active: false)".to_owned(), vec!["bob"]),
        ("(active: true, last: 2)".to_owned(), vec!["ann", "cyd"]),
        ("(change_password: true)".to_owned(), vec!["bob"]),
        ("(username: \"bo\")".to_owned(), vec![]),
        (format!("(id: {bob})"), vec!["bob"]),
        (format!("(id: {bob}, username: \"ann\")"), vec![]),
        (format!("(id: {missing})"), vec![]),
        ("(id: \"zzz\")".to_owned(), vec![]),
        (format!("(role: {})", role(0)), vec!["root"]),
        (format!("(role: {})", role(1)), vec!["bob"]),
        (format!("(role: {bob})"), vec![]),
    ] {
        let found = data(&root, &format!("{{ users{arguments} {{ edges {{ node {{ username }} }} }} }}")).await;
        assert_eq!(names(&found["users"]), expected, "{arguments}");
    }
    for (arguments, expected) in [
        ("(name: \"clerks\")".to_owned(), 1),
        ("(name: \"Clerks\")".to_owned(), 0),
        (format!("(id: {})", role(1)), 1),
        (format!("(id: {bob})"), 0),
        (r#"(permissions: "{\"USERS_READ\": true}")"#.to_owned(), 1),
        ("(first: 1)".to_owned(), 1),
    ] {
        let found = data(&root, &format!("{{ roles{arguments} {{ edges {{ node {{ id }} }} }} }}")).await;
        assert_eq!(found["roles"]["edges"].as_array().unwrap().len(), expected, "{arguments}");
    }
    let mallory = app.admin_of_other_tenant("mallory").await;
    let own = data(&mallory, "{ users { edges { node { username } } } }").await;
    assert_eq!(names(&own["users"]), ["mallory"], "of another tenant");
}

#[tokio::test]
async fn auth_service_users_are_paginated() {
    let (_app, root) = fixture().await;
    let page = "edges { cursor node { username } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }";
    let mut after = String::new();
    let mut seen = Vec::new();
    for expected in [true, false] {
        let found = data(&root, &format!("{{ users(first: 2{after}) {{ {page} }} }}")).await["users"].clone();
        seen.extend(names(&found));
        assert_eq!(found["pageInfo"]["hasNextPage"], expected);
        assert_eq!(found["edges"][1]["cursor"], found["pageInfo"]["endCursor"]);
        after = format!(", after: {}", found["pageInfo"]["endCursor"]);
    }
    assert_eq!(seen, ["root", "ann", "bob", "cyd"]);
    assert_eq!(after, format!(", after: \"{}\"", STANDARD.encode("arrayconnection:3")));
    let last = data(&root, &format!("{{ users(last: 1) {{ {page} }} }}")).await["users"].clone();
    assert_eq!((names(&last), &last["pageInfo"]["hasPreviousPage"]), (vec!["cyd".to_owned()], &json!(true)));
    let none = data(&root, &format!("{{ users(first: 0) {{ {page} }} }}")).await["users"].clone();
    assert_eq!((names(&none).len(), &none["pageInfo"]["startCursor"]), (0, &Value::Null));
}

#[tokio::test]
async fn auth_service_updates_and_deletes_users_by_id() {
    let (app, root) = fixture().await;
    let id = |name: &str| format!("{{ users(username: \"{name}\") {{ edges {{ node {{ id }} }} }} }}");
    let of =
        async |name: &str| data(&root, &id(name)).await["users"]["edges"][0]["node"]["id"].as_str().unwrap().to_owned();
    let (ann, own) = (of("ann").await, of("root").await);
    let node = data(&root, &format!("{{ node(id: \"{ann}\") {{ id ... on User {{ username }} }} }}")).await;
    assert_eq!(node["node"], json!({ "id": ann, "username": "ann" }));
    let update = format!(
        "mutation {{ update_user(input: {{ id: \"{ann}\", change_password: true }}) {{ user {{ change_password }} }} }}"
    );
    assert_eq!(data(&root, &update).await["update_user"]["user"]["change_password"], true);
    let unknown = STANDARD.encode("User:usr_01h455vb4pex5vsknk084sn02q");
    let old = STANDARD.encode("User:5f8f8c44b54764421b7156c3");
    let wrong = STANDARD.encode("User:abc");
    for (id, updated, deleted) in [
        ("zzz", "id_not_valid", "id_not_valid"),
        (&wrong, "bad_request. {'id': ['Is not a valid ID']}", "bad_request"),
        (&old, "not_found. ", "not_found"),
        (&unknown, "not_found. ", "not_found"),
    ] {
        let update =
            format!("mutation {{ update_user(input: {{ id: \"{id}\", change_password: true }}) {{ user {{ id }} }} }}");
        assert_eq!(message(&graphql(&root, "/any", &update).await), updated);
        for (field, wanted) in [("delete_user", "ok"), ("reset_password", "password")] {
            let query = format!("mutation {{ {field}(input: {{ id: \"{id}\" }}) {{ {wanted} }} }}");
            assert_eq!(message(&graphql(&root, "/any", &query).await), deleted, "{field} {id}");
        }
    }
    let delete = |id: &str| format!("mutation {{ delete_user(input: {{ id: \"{id}\" }}) {{ ok }} }}");
    assert_eq!(data(&root, &delete(&ann)).await["delete_user"], json!({ "ok": true }));
    assert_eq!(message(&graphql(&root, "/any", &delete(&ann)).await), "not_found");
    assert_eq!(login(&app, "/any", "ann", PASSWORD).await.status, 400);
    let last = graphql(&root, "/any", &delete(&own)).await;
    assert!(last.json()["data"]["delete_user"].is_null() && message(&last).contains("administrator"), "{}", last.text);
}
