//! Passwords and tokens in the dialect: required changes, refusals, ended sessions.

use axum::http::Method;
use serde_json::{Value, json};

use super::{app, app_with, graphql, login, message};
use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

const NEW: &str = "quiet-garden-kestrel-81";

async fn change(actor: &Actor, current: &str, new: &str, again: &str) -> TestResponse {
    let query = "mutation ($i: UpdatePasswordInput!) { update_password(input: $i) { ok } }";
    let input = json!({ "current_password": current, "new_password": new, "password_confirmed": again });
    actor.json(Method::POST, "/any/graphql", &json!({ "query": query, "variables": { "i": input } })).await
}

async fn id_of(root: &Actor, name: &str) -> String {
    let query = format!("{{ users(username: \"{name}\") {{ edges {{ node {{ id }} }} }} }}");
    let found = graphql(root, "/any", &query).await.json();
    found["data"]["users"]["edges"][0]["node"]["id"].as_str().unwrap().to_owned()
}

/// Logs in at `/any`.
async fn signed_in(app: &TestApp, name: &str, password: &str) -> (Actor, Value) {
    let data = login(app, "/any", name, password).await.json()["data"].clone();
    (app.anonymous().with_token(data["access_token"].as_str().unwrap()), data)
}

#[tokio::test]
async fn auth_service_password_faults_keep_their_order() {
    let app = app().await;
    let ann = app.user("ann").await;
    for (current, new, again, text) in [
        ("wrong", "ab", "x", "bad_request"),
        ("wrong", "with a space", "x", "bad_request"),
        ("wrong", NEW, "x", "Passwords don't match"),
        ("wrong", NEW, NEW, "Current password don't match"),
        (PASSWORD, PASSWORD, PASSWORD, "The new password is equal as the current password"),
        // Rules of accountd, where they are stricter.
        (PASSWORD, "abcd", "abcd", "bad_request"),
        (PASSWORD, "password1", "password1", "bad_request"),
    ] {
        let answer = change(&ann, current, new, again).await;
        assert_eq!((answer.status.as_u16(), message(&answer).as_str()), (200, text), "{new}");
        assert_eq!(answer.json()["data"], json!({ "update_password": null }));
    }
}

#[tokio::test]
async fn auth_service_password_change_ends_other_sessions() {
    let app = app().await;
    app.user("ann").await;
    let (own, data) = signed_in(&app, "ann", PASSWORD).await;
    let other = app.login("ann", PASSWORD).await;
    assert_eq!(change(&own, PASSWORD, NEW, NEW).await.json()["data"]["update_password"], json!({ "ok": true }));
    assert_eq!((own.me_code().await, other.me_reason().await.as_deref()), (None, Some("SESSION_ENDED")));
    let renewed = app.anonymous().refresh(data["refresh_token"].as_str().unwrap()).await;
    assert_eq!(renewed.data()["refresh"]["outcome"], "ROTATED");
    assert_eq!(message(&login(&app, "/any", "ann", PASSWORD).await), "bad_credentials");
    assert_eq!(login(&app, "/any", "ann", NEW).await.status, 200);
}

/// A5: attempts here count with those of all login routes.
#[tokio::test]
async fn auth_service_wrong_passwords_are_rate_limited() {
    let app = app_with(&[("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    let ann = app.user("ann").await;
    assert_eq!(message(&change(&ann, "wrong", NEW, NEW).await), "Current password don't match");
    let refused = change(&ann, PASSWORD, NEW, NEW).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, Some("1")));
    assert_eq!(message(&login(&app, "/any", "ann", "wrong").await), "bad_credentials", "a session has its own bucket");
    assert_eq!(login(&app, "/any", "ann", PASSWORD).await.status, 429);
}

/// A4
#[tokio::test]
async fn auth_service_request_verifies_one_password() {
    let app = app().await;
    let ann = app.user("ann").await;
    let one = |current: &str| {
        format!(
            "update_password(input: {{ current_password: \"{current}\", new_password: \"{NEW}\", \
             password_confirmed: \"{NEW}\" }}) {{ ok }}"
        )
    };
    let query = format!("mutation {{ a: {} b: {} }}", one("wrong"), one(PASSWORD));
    let answer = graphql(&ann, "/any", &query).await.json();
    assert_eq!(answer["data"], json!({ "a": null, "b": null }));
    assert_eq!(answer["errors"][0]["message"], "Current password don't match");
    assert!(answer["errors"][1]["message"].as_str().unwrap().contains("one password"), "{answer}");
}

#[tokio::test]
async fn auth_service_must_change_password_blocks_other_operations() {
    let app = app().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    root.mutate_ok("setUserRoles", json!({ "userId": ann.id, "roles": ["admin"] }), "user { id }").await;
    root.mutate_ok("updateUser", json!({ "userId": ann.id, "mustChangePassword": true }), "user { id }").await;
    let (own, data) = signed_in(&app, "ann", PASSWORD).await;
    assert_eq!(data["change_password"], true);
    let id = id_of(&root, "root").await;
    let new = format!("username: \"eve\", password: \"{NEW}\", password_confirmed: \"{NEW}\", role: \"admin\"");
    for query in [
        "{ users { edges { node { id } } } }".to_owned(),
        "{ roles { edges { node { id } } } }".to_owned(),
        format!("{{ node(id: \"{id}\") {{ id }} }}"),
        format!("mutation {{ create_user(input: {{ {new} }}) {{ user {{ id }} }} }}"),
        format!("mutation {{ update_user(input: {{ id: \"{id}\", change_password: true }}) {{ user {{ id }} }} }}"),
        format!("mutation {{ delete_user(input: {{ id: \"{id}\" }}) {{ ok }} }}"),
        format!("mutation {{ reset_password(input: {{ id: \"{id}\" }}) {{ password }} }}"),
    ] {
        let answer = graphql(&own, "/any", &query).await;
        let refusal = (answer.status.as_u16(), message(&answer));
        assert_eq!(refusal, (401, "password_change_required".to_owned()), "{query}");
    }
    let refresh = format!(
        "mutation {{ refresh_token(input: {{ refresh_token: {} }}) {{ access_token }} }}",
        data["refresh_token"]
    );
    let renewed = graphql(&own, "/any", &refresh).await.json();
    let own = own.with_token(renewed["data"]["refresh_token"]["access_token"].as_str().unwrap());
    assert_eq!(change(&own, PASSWORD, NEW, NEW).await.json()["data"]["update_password"], json!({ "ok": true }));
    assert_eq!(graphql(&own, "/any", "{ users { edges { node { id } } } }").await.status, 200);

    root.mutate_ok("updateUser", json!({ "userId": ann.id, "mustChangePassword": true }), "user { id }").await;
    assert_eq!(own.request(Method::POST, "/any/logout", &[], "").await.status, 200);
}

#[tokio::test]
async fn auth_service_reset_password_is_random_and_must_be_changed() {
    let app = app().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let id = id_of(&root, "ann").await;
    let reset = format!("mutation {{ reset_password(input: {{ id: \"{id}\" }}) {{ password }} }}");
    let mut made = Vec::new();
    for _ in 0..2 {
        let answer = graphql(&root, "/any", &reset).await.json();
        made.push(answer["data"]["reset_password"]["password"].as_str().unwrap().to_owned());
    }
    let is_plain = |password: &String| password.len() == 20 && password.bytes().all(|byte| byte.is_ascii_lowercase());
    assert!(made.iter().all(is_plain) && made[0] != made[1], "{made:?}");
    assert_eq!(ann.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(login(&app, "/any", "ann", &made[0]).await.status, 400);
    let data = login(&app, "/any", "ann", &made[1]).await.json()["data"].clone();
    assert_eq!(data["change_password"], true);
    // Changing the own password requires the current one; otherwise a stolen token would suffice.
    let own = id_of(&root, "root").await;
    let reset = format!("mutation {{ reset_password(input: {{ id: \"{own}\" }}) {{ password }} }}");
    let answer = graphql(&root, "/any", &reset).await;
    assert!(message(&answer).contains("updatePassword") && answer.json()["data"]["reset_password"].is_null());
}

/// S2
#[tokio::test]
async fn auth_service_refresh_token_works_once_for_its_owner() {
    let app = app().await;
    for name in ["ann", "bob"] {
        app.user(name).await;
    }
    let ((ann, hers), (bob, his)) = (signed_in(&app, "ann", PASSWORD).await, signed_in(&app, "bob", PASSWORD).await);
    let refresh = async |actor: &Actor, token: &Value| {
        let query = "mutation ($t: String!) { refresh_token(input: { refresh_token: $t }) {
            token_type access_token refresh_token expires_in
        } }";
        let body = json!({ "query": query, "variables": { "t": token } });
        actor.json(Method::POST, "/any/graphql", &body).await
    };
    for (token, text) in [
        (&json!("abc"), "invalid_token. "),
        (&hers["access_token"], "unauthorized. "),
        (&his["refresh_token"], "unauthorized. "),
    ] {
        let answer = refresh(&ann, token).await;
        assert_eq!((answer.status.as_u16(), message(&answer).as_str()), (200, text));
    }
    // The failed attempt with another user's token changed nothing.
    assert_eq!(bob.me_code().await, None);
    let first = refresh(&ann, &hers["refresh_token"]).await.json()["data"]["refresh_token"].clone();
    assert_eq!((&first["token_type"], &first["expires_in"]), (&json!("Bearer"), &json!(15)));
    let next = ann.with_token(first["access_token"].as_str().unwrap());
    assert_eq!((ann.me_code().await, next.me_code().await), (None, None), "the old access token stays valid");
    let second = refresh(&next, &first["refresh_token"]).await.json()["data"]["refresh_token"].clone();
    assert!(second["access_token"].is_string());
    let reused = refresh(&next, &hers["refresh_token"]).await;
    assert_eq!(message(&reused), "unauthorized. ");
    assert_eq!(next.me_reason().await.as_deref(), Some("SESSION_ENDED"), "reuse ends the session");
}
