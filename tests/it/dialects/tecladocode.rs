//! The tecladocode dialect responds like the service for which its clients were written, without its security holes.
//!
//! `fixtures/tecladocode.json` was recorded from the course's Flask-RESTful application. Its passwords are too weak for
//! today's policy, so each is replayed with a suffix.

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::replay::{Difference, Service, Variables, play};
use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

mod request_forms;
mod sessions;
mod users;

const MOUNTED: (&str, &str) = ("ACCOUNTD_REST__DIALECTS__TECLADOCODE", "/flask");

const RULES: &str = "name and password rules are accountd's";
const NAMES: &str = "names are case-insensitive";
const ADDRESS: &str = "credentials in the query string are ignored";
const OWNER_ONLY: &str = "requires the user's own token or an administrator's";
const LOGOUT: &str = "logout ends the session with both tokens";
const OTHER_RESPONSE: &str = "the route is outside accountd";
const MISSING: &str = "authorization_required";

#[rustfmt::skip]
const DIFFERENCES: &[Difference] = &[
    ("register_second", 400, "A user with that username already exists.", NAMES),
    ("register_query_string", 400, "This field cannot be blank.", ADDRESS),
    ("register_empty_strings", 400, r#"{"message":{"username":"#, RULES),
    ("register_null", 400, r#"{"message":{"username":"#, RULES),
    ("login_ok_second_user", 401, "Invalid credentials!", NAMES),
    ("user_get", 401, MISSING, OWNER_ONLY),
    ("user_get_missing", 401, MISSING, OWNER_ONLY),
    ("user_get_zero", 401, MISSING, OWNER_ONLY),
    ("item_post_nonfresh", 404, "NOT_FOUND", OTHER_RESPONSE),
    ("item_post_fresh", 404, "NOT_FOUND", OTHER_RESPONSE),
    ("item_delete_not_admin", 404, "NOT_FOUND", OTHER_RESPONSE),
    ("refresh_after_logout_still_works", 401, "token_revoked", LOGOUT),
    ("user_delete", 401, MISSING, OWNER_ONLY),
    ("user_delete_missing", 401, MISSING, OWNER_ONLY),
    ("token_of_deleted_user_still_works", 401, "invalid_token", "there is no such token, because there is no second user"),
    ("unknown", 404, "NOT_FOUND", OTHER_RESPONSE),
];

/// A recorded password, made strong enough.
fn strengthen(recorded: &str) -> String {
    format!("{recorded}-correct-horse-7")
}

struct Tecladocode;

impl Service for Tecladocode {
    const RECORDED: &'static str = include_str!("fixtures/tecladocode.json");

    fn path(&self, path: &str) -> String {
        format!("/flask{path}")
    }

    fn sent(&self, recorded: &Value) -> Value {
        let mut body = recorded.clone();
        match body.get_mut("password") {
            Some(Value::String(password)) if !password.is_empty() => *password = strengthen(password),
            // Enough digits are a password, too.
            Some(Value::Number(password)) => *password = 8_417_295_063_184_729_u64.into(),
            _ => {}
        }
        body
    }

    async fn before(&mut self, app: &TestApp, entry: &str, variables: &mut Variables) {
        // In a form.
        variables.insert("&password=pw".to_owned(), format!("&password={}", strengthen("pw")));
        if entry == "logout_expired" {
            // Of a login two hours ago.
            app.clock.advance(-TimeDelta::hours(2));
            let past = app.login("formuser", &strengthen("pw")).await;
            app.clock.advance(TimeDelta::hours(2));
            variables.insert("<var:expired>".to_owned(), past.token.unwrap());
        }
    }
}

#[tokio::test]
async fn tecladocode_responds_as_recorded() {
    play(&TestApp::with(&[MOUNTED]).await, &mut Tecladocode, DIFFERENCES).await;
}

async fn app() -> TestApp {
    TestApp::with(&[MOUNTED]).await
}

async fn post(actor: &Actor, path: &str, body: &Value) -> TestResponse {
    actor.json(Method::POST, &format!("/flask{path}"), body).await
}

async fn send(actor: &Actor, method: Method, path: &str) -> TestResponse {
    actor.request(method, &format!("/flask{path}"), &[], "").await
}

fn credentials(name: &str) -> Value {
    json!({ "username": name, "password": PASSWORD })
}

/// A user registered and logged in here, and the row id.
async fn create_user(app: &TestApp, name: &str) -> (Actor, i64) {
    let made = post(&app.anonymous(), "/register", &credentials(name)).await;
    assert_eq!((made.status, made.json()), (StatusCode::CREATED, json!({ "message": "User created successfully." })));
    let answer = post(&app.anonymous(), "/login", &credentials(name)).await.json();
    let tokens = json!({ "accessToken": answer["access_token"], "refreshToken": answer["refresh_token"] });
    let actor = app.anonymous().signed_in(&json!({ "tokens": tokens }));
    let me = actor.send("{ me { sessions { totalCount } } }", json!({})).await.data();
    assert_eq!(me["me"]["sessions"]["totalCount"], json!(1), "registration leaves no session");
    let number = entity_number(app, name).await;
    (actor, number)
}

/// The course's names differ in case; here they are one name.
#[tokio::test]
async fn tecladocode_registration_of_a_taken_name_is_refused() {
    let app = app().await;
    create_user(&app, "jose").await;
    for name in ["jose", "Jose"] {
        let answer = post(&app.anonymous(), "/register", &credentials(name)).await;
        let text = "A user with that username already exists.";
        assert_eq!((answer.status.as_u16(), answer.json()), (400, json!({ "message": text })), "{name}");
    }
    assert_eq!(post(&app.anonymous(), "/login", &credentials("Jose")).await.status, StatusCode::UNAUTHORIZED);
}

async fn entity_number(app: &TestApp, name: &str) -> i64 {
    use accountd::store::{TenantScope, users};
    users::find_by_username(app.app.db.reader(), TenantScope::AllTenants, name).await.unwrap().unwrap().id
}

#[tokio::test]
async fn malformed_input_causes_no_5xx_on_tecladocode_routes() {
    let app = app().await;
    let values = [
        json!(null),
        json!(true),
        json!(1e300),
        json!(["ann"]),
        json!({ "a": 1 }),
        json!(""),
        json!("\0"),
        json!("x".repeat(60_000)),
    ];
    for path in ["/login", "/register"] {
        for field in ["username", "password"] {
            for value in &values {
                let mut body = credentials("ann");
                body[field] = value.clone();
                let answer = post(&app.anonymous(), path, &body).await;
                assert!([400, 401].contains(&answer.status.as_u16()), "{path} {field}: {}", answer.text);
                assert!(answer.json()["message"].is_string() || answer.json()["message"][field].is_string());
            }
        }
        for (media, body) in [
            ("application/json", "[]"),
            ("application/json", "\"a\""),
            ("application/json", "{"),
            ("application/json", ""),
            ("text/plain", "username=a&password=b"),
            ("application/x-www-form-urlencoded", "%ff=%00&&=&username"),
        ] {
            let header = [("content-type", media)];
            let answer = app.anonymous().request(Method::POST, &format!("/flask{path}"), &header, body).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{media} {body}: {}", answer.text);
        }
        for media in ["application/json", "application/x-www-form-urlencoded"] {
            let header = [("content-type", media)];
            let long = "x".repeat(70_000);
            let answer = app.anonymous().request(Method::POST, &format!("/flask{path}"), &header, long).await;
            assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE, "{}", answer.text);
        }
    }
}

#[tokio::test]
async fn tecladocode_closed_registration_is_refused() {
    let app = TestApp::with(&[MOUNTED, ("ACCOUNTD_REGISTRATION__MODE", "admin")]).await;
    let answer = post(&app.anonymous(), "/register", &credentials("ann")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.json()["message"].is_string());
}
