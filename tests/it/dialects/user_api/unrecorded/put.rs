//! Replacing a whole user by PUT.

use axum::http::{Method, StatusCode};
use serde_json::{Value, json};

use super::{OTHER, created, get, signed_in, user_input};
use crate::dialects::user_api::MOUNTED;
use crate::support::{Actor, PASSWORD, TestApp};

#[tokio::test]
async fn user_api_put_is_atomic() {
    let app = TestApp::with(&[MOUNTED]).await;
    let root = app.admin("root").await;
    created(&root, &user_input("taken@example.org")).await;
    let ann = created(&root, &user_input("ann@example.org")).await;
    let path = format!("/api/users/{}", ann["id"]);
    let phone = signed_in(&app, "ann@example.org", PASSWORD).await;
    let put = async |actor: &Actor, input: Value| actor.json(Method::PUT, &path, &input).await;
    let whole = |email: &str, active: bool| json!({ "email": email, "name": "Ann", "active": active });

    let taken = json!({ "email": "taken@example.org", "name": "X", "active": false, "password": OTHER, "roles": [{ "id": 1 }] });
    assert_eq!(put(&root, taken).await.status, StatusCode::CONFLICT);
    let weak = json!({ "email": "new@example.org", "name": "X", "active": false, "password": "x" });
    assert_eq!(put(&root, weak).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(get(&root, &path).await.json(), ann, "nothing has changed");
    assert_eq!(phone.me_code().await, None);

    root.mutate_ok(
        "saveRole",
        json!({ "name": "helper", "permissions": ["USERS_READ", "USERS_WRITE", "ROLES_ASSIGN"] }),
        "role { id }",
    )
    .await;
    root.mutate_ok(
        "createUser",
        json!({ "username": "helper", "password": PASSWORD, "roles": ["helper"] }),
        "user { id }",
    )
    .await;
    let helper = signed_in(&app, "helper", PASSWORD).await;
    let mut crown = whole("ann@example.org", true);
    crown["roles"] = json!([{ "id": 1 }]);
    assert_eq!(
        put(&helper, crown.clone()).await.status,
        StatusCode::FORBIDDEN,
        "granting requires the permission (Z-6)"
    );
    assert_eq!(get(&root, &path).await.json(), ann);

    // A row id of no role removes nothing.
    for number in [json!(987_654), json!(u64::MAX)] {
        let mut unknown = whole("ann@example.org", true);
        unknown["roles"] = json!([{ "id": number }]);
        let refused = put(&root, unknown).await;
        assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
        assert_eq!(get(&root, &path).await.json(), ann);
    }

    let moved = put(&root, whole("ann@example.com", true)).await;
    assert_eq!((&moved.json()["email"], &moved.json()["name"]), (&json!("ann@example.com"), &json!("Ann")));
    assert_eq!(phone.me_reason().await.as_deref(), Some("SESSION_ENDED"), "with a new address every session ends");
    assert_eq!(put(&root, crown).await.json()["roles"][0]["code"], "admin");
    let named = put(&root, whole("ann", true)).await;
    assert_eq!(named.json()["email"], "ann", "a username in place of an address");
    let phone = signed_in(&app, "ann", PASSWORD).await;
    assert_eq!(put(&root, whole("ann", false)).await.json()["active"], json!(false));
    assert_eq!(phone.me_reason().await.as_deref(), Some("SESSION_ENDED"));

    let own = get(&root, "/api/users/?name=&email=root").await.json()["users"][0]["id"].clone();
    let path = format!("/api/users/{own}");
    let last =
        root.json(Method::PUT, &path, &json!({ "email": "root", "name": "", "active": true, "roles": [] })).await;
    assert_eq!(last.status, StatusCode::CONFLICT, "the last administrator stays one (Z-5)");
    assert_eq!(root.me_code().await, None);
}
