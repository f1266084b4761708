//! The Corvus dialect answers as its documentation says, with tokens that are accountd's API tokens.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use entity::api_token;
use sea_orm::{EntityTrait, Set};
use serde_json::{Value, json};
use uuid::Uuid;

use super::replay::imported_user::create_user;
use super::replay::{Difference, Service, Variables, play};
use crate::support::{PASSWORD, TestApp, TestResponse};

const MOUNT: (&str, &str) = ("ACCOUNTD_REST__DIALECTS__CORVUS", "/auth");

async fn app() -> TestApp {
    TestApp::with(&[MOUNT]).await
}

fn pair(name: &str, secret: &str) -> String {
    STANDARD.encode(format!("{name}:{secret}"))
}

async fn login(app: &TestApp, name: &str, password: &str) -> TestResponse {
    let basic = format!("Basic {}", pair(name, password));
    app.anonymous().request(Method::POST, "/auth/login", &[("authorization", &basic)], "").await
}

/// What goes into `X-Auth-Token` after a login.
async fn token(app: &TestApp, name: &str) -> String {
    let answer = login(app, name, PASSWORD).await;
    pair(name, answer.json()["token"].as_str().unwrap_or_else(|| panic!("no token in {}", answer.text)))
}

async fn send(app: &TestApp, token: &str, method: Method, path: &str) -> TestResponse {
    app.anonymous().request(method, path, &[("x-auth-token", token)], "").await
}

async fn bump(app: &TestApp, token: &str) -> u16 {
    send(app, token, Method::POST, "/auth/bump").await.status.as_u16()
}

const ADMINISTRATOR: &str = "server_administrator";

const DIFFERENCES: &[Difference] = &[("login_ok", 200, "\"expirationTime\"", "no token is for ever")];

struct Corvus;

impl Service for Corvus {
    const RECORDED: &'static str = include_str!("fixtures/corvus.json");

    async fn before(&mut self, app: &TestApp, entry: &str, variables: &mut Variables) {
        let password = if entry == "login_failed" { "wrong" } else { PASSWORD };
        variables.insert("<b64(user:password)>".to_owned(), pair(ADMINISTRATOR, password));
        variables.insert("<iso8601>".to_owned(), "2018-07-29T11:59:29-05:00".to_owned());
        if !entry.starts_with("login") {
            variables.insert("<b64(user:<uuid>)>".to_owned(), token(app, ADMINISTRATOR).await);
        }
    }
}

#[tokio::test]
async fn corvus_responds_as_documented() {
    let app = app().await;
    create_user(&app, ADMINISTRATOR, PASSWORD, &["admin"], |_| {}).await;
    play(&app, &mut Corvus, DIFFERENCES).await;
}

/// S7
#[tokio::test]
async fn corvus_login_creates_an_api_token_stored_as_a_hash() {
    let app = app().await;
    let ann = app.user("ann").await;
    let shown = login(&app, "Ann", PASSWORD).await.json();
    let secret = shown["token"].as_str().unwrap();
    let expected = json!({
        "token": secret, "enabled": true, "version": 0,
        "creationTime": "2026-03-01T12:00:00+00:00", "expirationTime": "2026-03-31T12:00:00+00:00",
    });
    assert_eq!(shown, expected);
    assert_eq!(secret.parse::<Uuid>().unwrap().get_version_num(), 4);
    let row = api_token::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap();
    assert_ne!(row.secret_hash.expose(), secret);

    app.clock.advance(TimeDelta::minutes(5));
    assert_eq!(bump(&app, &pair("ann", secret)).await, 200);
    let tokens = "{ me { lastSignInAt apiTokens { nodes { name permissions lastUsedAt } } sessions { totalCount } } }";
    let me = ann.send(tokens, json!({})).await.data()["me"].clone();
    let used = "2026-03-01T12:05:00.000Z";
    let kept = json!([{ "name": "Corvus", "permissions": null, "lastUsedAt": used }]);
    let expected = json!({ "lastSignInAt": used, "apiTokens": { "nodes": kept }, "sessions": { "totalCount": 1 } });
    assert_eq!(me, expected, "the login leaves no session behind");
}

/// S8
#[tokio::test]
async fn corvus_token_after_logout_is_refused() {
    let app = app().await;
    app.user("ann").await;
    let (gone, other) = (token(&app, "ann").await, token(&app, "ann").await);
    let answer = send(&app, &gone, Method::POST, "/auth/logout").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "success": true })));
    assert_eq!((bump(&app, &gone).await, bump(&app, &other).await), (401, 200));
    assert_eq!(send(&app, &gone, Method::POST, "/auth/logout").await.status, 401);
}

#[tokio::test]
async fn corvus_token_expired_disabled_or_orphaned_is_refused() {
    let app = app().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let own = token(&app, "ann").await;
    let id = ann.send("{ me { apiTokens { nodes { id } } } }", json!({})).await.data();
    let id = &id["me"]["apiTokens"]["nodes"][0]["id"];
    for (enabled, status) in [(false, 401), (true, 200)] {
        ann.mutate_ok("updateApiToken", json!({ "apiTokenId": id, "enabled": enabled }), "apiToken { id }").await;
        assert_eq!(bump(&app, &own).await, status);
    }
    ann.mutate_ok("revokeApiToken", json!({ "apiTokenId": id }), "apiToken { id }").await;
    assert_eq!(bump(&app, &own).await, 401);

    let own = token(&app, "ann").await;
    root.mutate_ok("setUserStatus", json!({ "userId": ann.id, "status": "DISABLED" }), "user { id }").await;
    assert_eq!(bump(&app, &own).await, 401);
    root.mutate_ok("setUserStatus", json!({ "userId": ann.id, "status": "ACTIVE" }), "user { id }").await;
    assert_eq!(bump(&app, &own).await, 401, "it has ended with the sessions");
    let own = token(&app, "ann").await;
    app.clock.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    assert_eq!(bump(&app, &own).await, 200);
    app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(bump(&app, &own).await, 401);
}

/// B1
#[tokio::test]
async fn corvus_login_failure_does_not_reveal_users() {
    let app = app().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    app.user("bob").await;
    root.mutate_ok("setUserStatus", json!({ "userId": ann.id, "status": "DISABLED" }), "user { id }").await;
    let mut answers = Vec::new();
    for (name, password) in [("nobody", PASSWORD), ("bob", "wrong"), ("ann", PASSWORD), ("ann", "wrong"), ("", "")] {
        let mut answer = login(&app, name, password).await;
        answer.headers.remove("x-request-id");
        answers.push((answer.status, answer.headers, answer.text));
    }
    assert_eq!((answers[0].0.as_u16(), &*answers[0].2), (401, r#"{"message":"Authorization failed"}"#));
    assert!(answers[0].1["www-authenticate"].to_str().unwrap().starts_with("Basic "));
    assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:?}");
}

/// A5
#[tokio::test]
async fn corvus_wrong_passwords_count_with_all_login_routes() {
    let app = TestApp::with(&[MOUNT, ("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    app.user("ann").await;
    assert_eq!(login(&app, "ann", "wrong").await.status, 401);
    let refused = login(&app, "ann", PASSWORD).await;
    assert_eq!((refused.status.as_u16(), refused.header("retry-after")), (429, Some("1")));
    assert!(refused.json()["message"].as_str().unwrap().contains("try again in 1 s"), "{}", refused.text);
    assert_eq!(
        app.anonymous().login("ann", PASSWORD).await.payload_error("login").as_deref(),
        Some("TOO_MANY_ATTEMPTS")
    );
}

/// A4: of several passwords none is looked at.
#[tokio::test]
async fn corvus_request_verifies_one_password() {
    let app = TestApp::with(&[MOUNT, ("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    app.user("ann").await;
    let [wrong, right] = ["wrong", PASSWORD].map(|password| format!("Basic {}", pair("ann", password)));
    let both = format!("{right}, {wrong}");
    for values in [vec![&wrong, &right], vec![&right, &wrong], vec![&both]] {
        let headers: Vec<_> = values.into_iter().map(|value| ("authorization", value.as_str())).collect();
        let answer = app.anonymous().request(Method::POST, "/auth/login", &headers, "").await;
        let failed = (401, json!({ "message": "Authorization failed" }));
        assert_eq!((answer.status.as_u16(), answer.json()), failed, "{headers:?}");
    }
    assert_eq!(login(&app, "ann", PASSWORD).await.status, 200, "no wrong one was counted");
}

#[tokio::test]
async fn corvus_token_of_another_user_is_refused() {
    let app = app().await;
    for name in ["ann", "bob"] {
        app.user(name).await;
    }
    let secret = login(&app, "ann", PASSWORD).await.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(bump(&app, &pair("ANN", &secret)).await, 200);
    let other = Uuid::from_u128(7).to_string();
    for header in [
        pair("bob", &secret),
        pair("", &secret),
        pair("ann", &other),
        secret.clone(),
        pair("ann", ""),
        "!".to_owned(),
        String::new(),
    ] {
        let answer = send(&app, &header, Method::POST, "/auth/bump").await;
        assert_eq!((answer.status.as_u16(), answer.json()["message"].as_str()), (401, Some("Authorization failed")));
        assert!(answer.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer")), "{header}");
    }
    let twice = [("x-auth-token", &*pair("ann", &secret)), ("x-auth-token", &*pair("ann", &secret))];
    assert_eq!(app.anonymous().request(Method::POST, "/auth/bump", &twice, "").await.status, 401);
    // Everywhere else it is a bearer token, and other tokens of the user's open these routes, too.
    let ann = app.login("ann", PASSWORD).await;
    assert_eq!(ann.with_token(&secret).me_code().await, None);
    assert_eq!(ann.request(Method::POST, "/auth/bump", &[], "").await.status, 200);
    assert_eq!(ann.request(Method::POST, "/auth/logout", &[], "").await.status, 200);
    assert_eq!(ann.me_reason().await.as_deref(), Some("SESSION_ENDED"));
}

#[tokio::test]
async fn corvus_must_change_password_gets_no_token() {
    let app = app().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let own = token(&app, "ann").await;
    root.mutate_ok("updateUser", json!({ "userId": ann.id, "mustChangePassword": true }), "user { id }").await;
    let answer = login(&app, "ann", PASSWORD).await;
    assert_eq!(answer.status, 403);
    assert!(answer.json()["message"].as_str().unwrap().starts_with("choose a new password first"), "{}", answer.text);
    assert_eq!(bump(&app, &own).await, 403);
    let sessions = ann.send("{ me { id } }", json!({})).await.code();
    assert_eq!(sessions.as_deref(), Some("PASSWORD_CHANGE_REQUIRED"));
}

/// Programs that sign in each time they run are not kept out in the end.
#[tokio::test]
async fn corvus_login_over_the_limit_replaces_the_idlest_token() {
    let app = app().await;
    let ann = app.user("ann").await;
    let owner = entity::user::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap().id;
    let now = app.app.clock.now();
    let before = now - TimeDelta::hours(1);
    let rows = (0..100).map(|number| api_token::ActiveModel {
        uid: Set(Uuid::from_u128(1_000 + number)),
        user_id: Set(owner),
        name: Set("Corvus".to_owned()),
        secret_hash: Set(entity::secret::SecretText::new(format!("{number}"))),
        permissions: Set(None),
        scopes: Set("[]".to_owned()),
        enabled: Set(true),
        // The first is one that a person made, whatever it is called.
        from_login: Set(number != 0),
        created_at: Set((before + TimeDelta::seconds(i64::try_from(number).unwrap())).into()),
        updated_at: Set(before.into()),
        // The oldest is in use.
        last_used_at: Set((number == 1).then(|| now.into())),
        version: Set(0),
        ..Default::default()
    });
    api_token::Entity::insert_many(rows).exec_without_returning(app.app.db.writer()).await.unwrap();
    token(&app, "ann").await;
    let rows = api_token::Entity::find().all(app.app.db.reader()).await.unwrap();
    let revoked: Vec<u128> =
        rows.iter().filter(|row| row.revoked_at.is_some()).map(|row| row.uid.as_u128() - 1_000).collect();
    assert_eq!((rows.len(), revoked), (101, vec![2]));
    let more = ann.payload_errors("createApiToken", json!({ "name": "Corvus", "permissions": [] })).await;
    assert_eq!(more[0].0, "TOO_MANY_API_TOKENS", "whoever makes one on purpose is told");
}

#[tokio::test]
async fn corvus_users_are_paginated() {
    let app = app().await;
    let root = app.admin("root").await;
    for name in ["ann", "bob"] {
        app.clock.advance(TimeDelta::seconds(1));
        app.user(name).await;
    }
    let get = async |query: &str| root.request(Method::GET, &format!("/user{query}"), &[], "").await;
    let first = get("?page=1&perPage=2").await.json();
    let names = |page: &Value| -> Vec<String> {
        page["items"].as_array().unwrap().iter().map(|user| user["name"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(names(&first), ["root", "ann"]);
    let counts = ["page", "count", "totalCount", "lastPage"].map(|name| first[name].as_u64().unwrap());
    assert_eq!(counts, [1, 2, 3, 2]);
    let second = get("?page=2&perPage=2").await.json();
    assert_eq!((names(&second), second["count"].as_u64()), (vec!["bob".to_owned()], Some(1)));
    let bob = json!({
        "name": "bob", "creationTime": "2026-03-01T12:00:02+00:00", "lastLoginTime": "2026-03-01T12:00:02+00:00",
        "role": "USER", "version": 0,
    });
    assert_eq!(second["items"], json!([bob]));
    assert_eq!(names(&get("").await.json()).len(), 3);
    assert_eq!(get("?page=3&perPage=2").await.status, 404);
    assert_eq!(get(&format!("?page={}&perPage=100", u64::MAX)).await.status, 404);
    for query in ["?page=0", "?page=x", "?page=-1", "?page=", "?perPage=0", "?perPage=101", "?page=1&page=2"] {
        let answer = get(query).await;
        assert_eq!(answer.status, 400, "{query}");
        assert!(answer.json()["message"].is_string(), "{query}");
    }
    let mallory = app.admin_of_other_tenant("mallory").await;
    let own = mallory.request(Method::GET, "/user", &[], "").await.json();
    assert_eq!((names(&own), own["totalCount"].as_u64()), (vec!["mallory".to_owned()], Some(1)));
}

#[tokio::test]
async fn corvus_user_lookup_needs_self_or_permission() {
    let app = app().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let mallory = app.admin_of_other_tenant("mallory").await;
    let role = |answer: &TestResponse| answer.json()["role"].as_str().map(str::to_owned);
    let own = ann.request(Method::GET, "/user/Ann", &[], "").await;
    assert_eq!((own.status.as_u16(), role(&own).as_deref()), (200, Some("USER")));
    assert_eq!(role(&root.request(Method::GET, "/user/root", &[], "").await).as_deref(), Some("ADMIN"));
    for (actor, name) in [(&ann, "root"), (&ann, "nobody"), (&mallory, "ann"), (&root, "nobody"), (&root, "%ff")] {
        let answer = actor.request(Method::GET, &format!("/user/{name}"), &[], "").await;
        assert_eq!((answer.status.as_u16(), &*answer.text), (404, r#"{"message":"there is no such user"}"#), "{name}");
    }
}

#[tokio::test]
async fn corvus_change_of_an_outdated_version_is_refused() {
    let app = app().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let patch = async |body: &str| root.request(Method::PATCH, "/user/ann", &[], body.to_owned()).await;
    let seen = root.request(Method::GET, "/user/ann", &[], "").await.json();
    let mut sent = seen.clone();
    sent["lastLoginTime"] = json!("2020-02-29T23:00:00-05:00");
    let changed = patch(&sent.to_string()).await.json();
    let mut expected = seen.clone();
    expected["lastLoginTime"] = json!("2020-03-01T04:00:00+00:00");
    expected["version"] = json!(1);
    assert_eq!(changed, expected);
    assert_eq!(patch(&sent.to_string()).await.status, 400, "the version is another one by now");
    assert_eq!(root.request(Method::GET, "/user/ann", &[], "").await.json(), expected);
    for body in [
        "",
        "[]",
        "null",
        "{",
        "{}",
        r#"{"version":1,"version":1}"#,
        r#"{"version":"1"}"#,
        r#"{"version":-1}"#,
        r#"{"version":1.5}"#,
        r#"{"version":9223372036854775807}"#,
        r#"{"version":1,"role":"ADMIN"}"#,
        r#"{"version":1,"name":"eve"}"#,
        r#"{"version":1,"password":"x"}"#,
        r#"{"version":1,"lastLoginTime":"yesterday"}"#,
        r#"{"version":1,"lastLoginTime":null}"#,
    ] {
        assert_eq!(patch(body).await.status, 400, "{body}");
    }
    assert_eq!(patch(r#"{"version":1}"#).await.json()["version"], 1, "nothing changes, so nothing is written");
    let own = ann.request(Method::PATCH, "/user/ann", &[], r#"{"version":1}"#).await;
    assert_eq!(own.status, 403, "{}", own.text);
    assert_eq!(root.request(Method::PATCH, "/user/nobody", &[], r#"{"version":0}"#).await.status, 404);
}

#[tokio::test]
async fn corvus_responds_in_the_accepted_media_type() {
    let app = app().await;
    app.user("ann").await;
    let own = token(&app, "ann").await;
    for (accept, status) in [("application/json", 200), ("text/html, */*;q=0.1", 200), ("text/html", 406)] {
        let headers = [("x-auth-token", &*own), ("accept", accept)];
        let answer = app.anonymous().request(Method::POST, "/auth/bump", &headers, "").await;
        assert_eq!(answer.status.as_u16(), status, "{accept}");
        assert_eq!((answer.header("content-type"), answer.header("vary")), (Some("application/json"), Some("Accept")));
    }
    let wrong = app.anonymous().request(Method::GET, "/auth/login", &[], "").await;
    assert_eq!((wrong.status.as_u16(), wrong.header("vary")), (405, Some("Accept")));
    let options = app.anonymous().request(Method::OPTIONS, "/user/ann", &[], "").await;
    assert_eq!((options.status.as_u16(), options.header("allow")), (200, Some("GET, HEAD, OPTIONS, PATCH")));
}

#[tokio::test]
async fn corvus_users_path_depends_on_the_mount_name() {
    for (mount, users) in [("/auth", "/user"), ("/v1/auth", "/v1/user"), ("/corvus", "/corvus/user"), ("/", "/user")] {
        let plantdb = ("ACCOUNTD_REST__DIALECTS__PLANTDB", "off");
        let app = TestApp::with(&[plantdb, ("ACCOUNTD_REST__DIALECTS__CORVUS", mount)]).await;
        let root = app.admin("root").await;
        assert_eq!(root.request(Method::GET, users, &[], "").await.status, 200, "{mount}");
        let login = format!("{}/login", mount.trim_end_matches('/'));
        assert_eq!(root.request(Method::POST, &login, &[], "").await.status, 401, "{mount}");
    }
}
