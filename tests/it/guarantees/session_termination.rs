//! Promise S13 as a table: each cause that ends sessions, and the credentials it ends. A credential of a login ends in
//! every dialect; an API token created by hand ends where requested or by default.

use std::collections::BTreeMap;
use std::pin::Pin;

use accountd::account::authentication::session_end::ApiTokenSelection;
use accountd::account::operator::recovery::end_all_sessions;
use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::source_files::rust_files;
use crate::support::{Actor, PASSWORD, TestApp};

const NEW: &str = "quiet-garden-kestrel-81";

const MOUNTS: [(&str, &str); 4] = [
    ("ACCOUNTD_REST__DIALECTS__TECLADOCODE", "/flask"),
    ("ACCOUNTD_REST__DIALECTS__USER_API", "/api"),
    ("ACCOUNTD_REST__DIALECTS__CORVUS", "/auth"),
    ("ACCOUNTD_REST__DIALECTS__FLASK_AUTH_SERVICE_MONGO", "/any"),
];

struct Fixture {
    app: TestApp,
    root: Actor,
    /// The session in which its owner acts.
    ann: Actor,
    /// Further credentials of the user: one of a login in each dialect.
    logins: BTreeMap<&'static str, Actor>,
    /// The API token that the owner created.
    program: Actor,
    /// The row id of the user.
    number: i64,
}

impl Fixture {
    async fn new() -> Self {
        let app = TestApp::with(&MOUNTS).await;
        let root = app.admin("root").await;
        let query = "mutation ($password: String!) {
            register(input: { username: \"ann\", email: \"ann@example.org\", password: $password }) {
                user { id } tokens { accessToken refreshToken } } }";
        let made = app.anonymous().send(query, json!({ "password": PASSWORD })).await.data();
        let ann = app.anonymous().signed_in(&made["register"]);
        let (_, program) = ann.api_token(&[]).await;
        let post = async |path: &str, body: Value| app.anonymous().json(Method::POST, path, &body).await;
        let named = json!({ "username": "ann", "password": PASSWORD });
        let with = |token: &Value| app.anonymous().with_token(token.as_str().unwrap());

        let mut logins = BTreeMap::new();
        logins.insert("session", app.login("ann", PASSWORD).await);
        logins.insert("plantdb", with(&post("/login", named.clone()).await.json()["access_token"]));
        logins.insert("tecladocode", with(&post("/flask/login", named.clone()).await.json()["access_token"]));
        logins.insert("auth-service", with(&post("/any/login", named).await.json()["data"]["access_token"]));
        let answer = post("/api/users/login", json!({ "email": "ann@example.org", "password": PASSWORD })).await;
        let number = answer.json()["id"].as_i64().unwrap();
        let cookie = answer.header("set-cookie").unwrap();
        let (value, _) = cookie.strip_prefix("user-api-credentials=").unwrap().split_once(';').unwrap();
        let token = String::from_utf8(STANDARD.decode(value).unwrap()).unwrap();
        logins.insert("user-api", app.anonymous().with_token(&token));
        let basic = format!("Basic {}", STANDARD.encode(format!("ann:{PASSWORD}")));
        let headers = [("authorization", basic.as_str())];
        let answer = app.anonymous().request(Method::POST, "/auth/login", &headers, "").await;
        logins.insert("corvus", with(&answer.json()["token"]));
        for (name, login) in &logins {
            assert_eq!(login.me_code().await, None, "{name}");
        }
        assert_eq!(program.send("{ currentApiToken { fromLogin } }", json!({})).await.data(), from_login(false));
        let corvus = logins["corvus"].send("{ currentApiToken { fromLogin } }", json!({})).await;
        assert_eq!(corvus.data(), from_login(true), "it stays an API token");
        Self { app, root, ann, logins, program, number }
    }

    /// Sends the dialect of flask_auth_service_mongo.
    async fn auth_service(&self, actor: &Actor, query: &str) -> Value {
        let answer = actor.json(Method::POST, "/any/graphql", &json!({ "query": query })).await.json();
        assert!(answer.get("errors").is_none(), "{answer}");
        answer["data"].clone()
    }

    /// Sends `PUT /api/users/{number}` as administrator.
    async fn put(&self, changes: Value) {
        let mut whole = json!({ "email": "ann@example.org", "name": "Ann", "active": true });
        whole.as_object_mut().unwrap().extend(changes.as_object().unwrap().clone());
        let answer = self.root.json(Method::PUT, &format!("/api/users/{}", self.number), &whole).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    async fn reset(&self, actor: &Actor) {
        let body = json!({ "email": "ann@example.org", "password": NEW });
        let answer = actor.json(Method::POST, "/api/users/reset-password", &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    async fn set_status(&self, status: &str) {
        let input = json!({ "userId": self.ann.id, "status": status });
        self.root.mutate_ok("setUserStatus", input, "user { id }").await;
    }
}

fn from_login(is_so: bool) -> Value {
    json!({ "currentApiToken": { "fromLogin": is_so } })
}

type Act = for<'a> fn(&'a Fixture) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

struct TerminationCause {
    name: &'static str,
    act: Act,
    /// Whether it ends the credentials of logins.
    logins: bool,
    /// Whether it ends the API token created by hand.
    program: bool,
}

macro_rules! cause {
    ($name:literal, logins: $logins:literal, program: $program:literal, |$fixture:ident| $act:expr) => {
        TerminationCause {
            name: $name,
            act: |$fixture| {
                Box::pin(async move {
                    $act;
                })
            },
            logins: $logins,
            program: $program,
        }
    };
}

fn change(more: Value) -> Value {
    let mut input = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    input.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    input
}

#[rustfmt::skip]
fn causes() -> Vec<TerminationCause> {
    vec![
        cause!("updatePassword", logins: true, program: false, |w| w.ann.mutate_ok("updatePassword", change(json!({})), "user { id }").await),
        cause!("updatePassword with revokeApiTokens", logins: true, program: true, |w| {
            let ended = w.ann.mutate_ok("updatePassword", change(json!({ "revokeApiTokens": true })), "revokedSessionCount revokedApiTokenCount").await;
            assert_eq!((&ended["revokedSessionCount"], &ended["revokedApiTokenCount"]), (&json!(5), &json!(2)));
        }),
        cause!("updatePassword that leaves the sessions", logins: false, program: false, |w|
            w.ann.mutate_ok("updatePassword", change(json!({ "revokeOtherSessions": false })), "user { id }").await),
        cause!("update_password of auth-service", logins: true, program: false, |w| w.auth_service(&w.ann, &format!(
            "mutation {{ update_password(input: {{ current_password: \"{PASSWORD}\", new_password: \"{NEW}\", password_confirmed: \"{NEW}\" }}) {{ ok }} }}")).await),
        cause!("reset-password of user-api by the owner", logins: true, program: false, |w| w.reset(&w.ann).await),
        cause!("reset-password of user-api by an administrator", logins: true, program: true, |w| w.reset(&w.root).await),
        cause!("PUT of user-api with a password", logins: true, program: true, |w| w.put(json!({ "password": NEW })).await),
        cause!("PUT of user-api that disables", logins: true, program: false, |w| {
            w.put(json!({ "active": false })).await;
            assert!(w.program.me_code().await.is_some(), "no credential of a disabled user is accepted");
            w.put(json!({})).await;
        }),
        cause!("PUT of user-api with another address", logins: true, program: false, |w| w.put(json!({ "email": "bea@example.org" })).await),
        cause!("reset_password of auth-service", logins: true, program: true, |w| {
            let found = w.auth_service(&w.root, "{ users(username: \"ann\") { edges { node { id } } } }").await;
            let id = found["users"]["edges"][0]["node"]["id"].as_str().unwrap().to_owned();
            w.auth_service(&w.root, &format!("mutation {{ reset_password(input: {{ id: \"{id}\" }}) {{ password }} }}")).await
        }),
        cause!("setUserPassword", logins: true, program: true, |w|
            w.root.mutate_ok("setUserPassword", json!({ "userId": w.ann.id, "password": NEW }), "user { id }").await),
        cause!("setUserPassword that leaves the API tokens", logins: true, program: false, |w| {
            let input = json!({ "userId": w.ann.id, "password": NEW, "revokeApiTokens": false, "mustChange": false });
            w.root.mutate_ok("setUserPassword", input, "user { id }").await
        }),
        cause!("updateUser with another address", logins: true, program: false, |w|
            w.root.mutate_ok("updateUser", json!({ "userId": w.ann.id, "email": "bea@example.org" }), "user { id }").await),
        cause!("setUserStatus", logins: true, program: false, |w| {
            w.set_status("DISABLED").await;
            assert!(w.program.me_code().await.is_some(), "no credential of a disabled user is accepted");
            w.set_status("ACTIVE").await;
        }),
        cause!("deleteUser", logins: true, program: true, |w| w.root.mutate_ok("deleteUser", json!({ "userId": w.ann.id }), "deletedUserId").await),
        cause!("DELETE of tecladocode", logins: true, program: true, |w| {
            let answer = w.ann.request(Method::DELETE, &format!("/flask/user/{}", w.number), &[], "").await;
            assert_eq!(answer.status, 200, "{}", answer.text);
        }),
        cause!("logout of all", logins: true, program: true, |w| {
            let ended = w.ann.mutate_ok("logout", json!({ "scope": "ALL" }), "revokedSessionCount revokedApiTokenCount").await;
            assert_eq!((&ended["revokedSessionCount"], &ended["revokedApiTokenCount"]), (&json!(6), &json!(2)));
        }),
        cause!("logout of all that says null", logins: true, program: true, |w|
            w.ann.mutate_ok("logout", json!({ "scope": "ALL", "revokeApiTokens": null }), "ok").await),
        cause!("logout of all that leaves the API tokens", logins: true, program: false, |w|
            w.ann.mutate_ok("logout", json!({ "scope": "ALL", "revokeApiTokens": false }), "ok").await),
        cause!("logout of the others", logins: true, program: false, |w| w.ann.mutate_ok("logout", json!({ "scope": "OTHERS" }), "ok").await),
        cause!("logout of the others that says null", logins: true, program: false, |w|
            w.ann.mutate_ok("logout", json!({ "scope": "OTHERS", "revokeApiTokens": null }), "ok").await),
        cause!("logout of the others with the API tokens", logins: true, program: true, |w|
            w.ann.mutate_ok("logout", json!({ "scope": "OTHERS", "revokeApiTokens": true }), "ok").await),
        cause!("logout of one session", logins: false, program: false, |w| w.ann.mutate_ok("logout", json!({}), "ok").await),
        cause!("admin end-all-sessions", logins: true, program: false, |w| {
            let ended = end_all_sessions(&w.app.app, ApiTokenSelection::FromLogin).await.unwrap();
            assert_eq!((ended.sessions, ended.api_tokens), (7, 1));
        }),
        cause!("admin end-all-sessions with the API tokens", logins: true, program: true, |w| {
            let ended = end_all_sessions(&w.app.app, ApiTokenSelection::All).await.unwrap();
            assert_eq!((ended.sessions, ended.api_tokens), (7, 2));
        }),
    ]
}

/// S13
#[tokio::test]
async fn each_cause_ends_login_credentials_of_every_dialect() {
    for TerminationCause { name, act, logins, program } in causes() {
        let fixture = Fixture::new().await;
        // A new password needs a later time, which makes earlier tokens old.
        fixture.app.clock.advance(TimeDelta::seconds(1));
        act(&fixture).await;
        for (dialect, login) in &fixture.logins {
            let reason = login.me_reason().await;
            assert_eq!(reason.is_some(), logins, "{name}: the credential of {dialect}, {reason:?}");
        }
        let reason = fixture.program.me_reason().await;
        assert_eq!(reason.is_some(), program, "{name}: the token created by hand, {reason:?}");
    }
}

/// One function ends sessions and the tokens of logins: a new call site needs a row in the table.
#[test]
fn sessions_are_ended_in_bulk_only_in_listed_files() {
    let mut call_sites: Vec<(String, usize)> = rust_files(&["src"])
        .into_iter()
        .map(|file| {
            let count = [
                "end_all(&",
                "end_all(tx",
                "end_all_and_api_tokens(&",
                "end_all_and_api_tokens(tx",
                "end_all_in_scope(&",
                "end_batch(&",
                "end_batch(tx",
            ]
            .iter();
            (file.path.clone(), count.map(|call| file.text.matches(call).count()).sum())
        })
        .filter(|(_, count)| *count > 0)
        .collect();
    call_sites.sort();
    let known = [
        ("src/account/administration/replace.rs", 4),
        ("src/account/administration/tenant.rs", 1),
        ("src/account/administration/user_lifecycle.rs", 3),
        ("src/account/authentication/logout.rs", 1),
        ("src/account/authentication/password.rs", 1),
        ("src/account/authentication/password_reset.rs", 1),
        ("src/account/authentication/session_end.rs", 2),
        ("src/account/operator/recovery.rs", 1),
    ];
    assert_eq!(call_sites, known.map(|(path, count)| (path.to_owned(), count)));
}

/// Regression: a login with a stolen password in a dialect with API tokens ends with the password change.
#[tokio::test]
async fn credentials_of_the_old_password_end_with_its_change() {
    let fixture = Fixture::new().await;
    let stolen = &fixture.logins["corvus"];
    fixture.ann.mutate_ok("updatePassword", change(json!({})), "user { id }").await;
    assert_eq!(stolen.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    let basic = format!("Basic {}", STANDARD.encode(format!("ann:{PASSWORD}")));
    let again = fixture.app.anonymous().request(Method::POST, "/auth/login", &[("authorization", &basic)], "").await;
    assert_eq!(again.status, 401);
}

/// A login's token ends like a session; a token created by hand is no session.
#[tokio::test]
async fn graphql_logout_ends_the_corvus_token_of_the_login() {
    let fixture = Fixture::new().await;
    let wanted = "ok revokedSessionCount revokedApiTokenCount";
    let corvus = &fixture.logins["corvus"];
    let ended = corvus.mutate_ok("logout", json!({}), wanted).await;
    assert_eq!((&ended["revokedSessionCount"], &ended["revokedApiTokenCount"]), (&json!(0), &json!(1)));
    assert_eq!(corvus.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    let ended = fixture.program.mutate_ok("logout", json!({}), wanted).await;
    assert_eq!((&ended["revokedSessionCount"], &ended["revokedApiTokenCount"]), (&json!(0), &json!(0)));
    assert_eq!((fixture.program.me_code().await, fixture.ann.me_code().await), (None, None));
}
