//! The tecladocode dialect answers as the service that its callers were written against, without its open doors.
//!
//! `fixtures/tecladocode.json` was recorded from the course's Flask-RESTful application. Its passwords are too weak for
//! today's policy, so each of them is played with more behind it.

use axum::http::{Method, StatusCode};
use chrono::TimeDelta;
use serde_json::{Value, json};

use super::replay::{Difference, Service, Variables, play};
use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

mod request_forms;

const MOUNTED: (&str, &str) = ("ACCOUNTD_REST__DIALECTS__TECLADOCODE", "/flask");

const RULES: &str = "name and password rules are accountd's";
const NAMES: &str = "names that differ in case are one";
const ADDRESS: &str = "credentials are not taken from the address";
const OWNER_ONLY: &str = "a user's own token or an administrator's is needed";
const LOGOUT: &str = "logout ends the session, both tokens";
const OTHER_RESPONSE: &str = "it is no account route";
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
            // Digits are a password, too, if there are enough of them.
            Some(Value::Number(password)) => *password = 8_417_295_063_184_729_u64.into(),
            _ => {}
        }
        body
    }

    async fn before(&mut self, app: &TestApp, entry: &str, variables: &mut Variables) {
        // In a form.
        variables.insert("&password=pw".to_owned(), format!("&password={}", strengthen("pw")));
        if entry == "logout_expired" {
            // Of somebody who signed in two hours ago.
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

async fn ask(actor: &Actor, method: Method, path: &str) -> TestResponse {
    actor.request(method, &format!("/flask{path}"), &[], "").await
}

fn credentials(name: &str) -> Value {
    json!({ "username": name, "password": PASSWORD })
}

/// Somebody who registered and signed in here, and their number.
async fn create_user(app: &TestApp, name: &str) -> (Actor, i64) {
    let made = post(&app.anonymous(), "/register", &credentials(name)).await;
    assert_eq!((made.status, made.json()), (StatusCode::CREATED, json!({ "message": "User created successfully." })));
    let answer = post(&app.anonymous(), "/login", &credentials(name)).await.json();
    let tokens = json!({ "accessToken": answer["access_token"], "refreshToken": answer["refresh_token"] });
    let actor = app.anonymous().signed_in(&json!({ "tokens": tokens }));
    let me = actor.send("{ me { sessions { totalCount } } }", json!({})).await.data();
    assert_eq!(me["me"]["sessions"]["totalCount"], json!(1), "registering leaves no session behind");
    let number = entity_number(app, name).await;
    (actor, number)
}

/// The course's names differ in case; here that is one name.
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

async fn refreshed(app: &TestApp, actor: &Actor) -> TestResponse {
    ask(&app.anonymous().with_token(actor.refresh_token.as_deref().unwrap()), Method::POST, "/refresh").await
}

#[tokio::test]
async fn tecladocode_user_is_visible_to_owner_and_administrators() {
    let app = app().await;
    let ((ann, number), (bob, _)) = (create_user(&app, "ann").await, create_user(&app, "bob").await);
    let root = app.admin("root").await;
    let path = format!("/user/{number}");
    for actor in [&ann, &root] {
        let answer = ask(actor, Method::GET, &path).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "id": number, "username": "ann" })));
    }
    let missing = json!({ "message": "User not found." });
    for (actor, path) in
        [(&bob, path.as_str()), (&root, "/user/999"), (&root, "/user/99999999999999999999"), (&bob, "/user/0")]
    {
        let answer = ask(actor, Method::GET, path).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (404, missing.clone()), "{path}");
    }
    assert_eq!(ask(&root, Method::GET, "/user/-1").await.header("content-type"), Some("text/html; charset=utf-8"));
}

#[tokio::test]
async fn tecladocode_user_is_deletable_by_owner_and_administrators() {
    let app = app().await;
    let ((ann, ann_number), (bob, bob_number)) = (create_user(&app, "ann").await, create_user(&app, "bob").await);
    let root = app.admin("root").await;
    let (ann_path, bob_path) = (format!("/user/{ann_number}"), format!("/user/{bob_number}"));
    assert_eq!(ask(&app.anonymous(), Method::DELETE, &ann_path).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(ask(&bob, Method::DELETE, &ann_path).await.status, StatusCode::NOT_FOUND);
    let (_, program) = ann.api_token(&[]).await;
    assert_eq!(ask(&program, Method::DELETE, &ann_path).await.status, StatusCode::FORBIDDEN, "a program is no person");
    for (actor, path) in [(&ann, &ann_path), (&root, &bob_path)] {
        let answer = ask(actor, Method::DELETE, path).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "message": "User deleted." })));
        assert_eq!(ask(&root, Method::DELETE, path).await.json(), json!({ "message": "User not found." }));
    }
    let answer = ask(&ann, Method::POST, "/logout").await;
    assert_eq!(answer.json()["error"], json!("token_revoked"), "the token of a deleted user opens nothing");
    let last = ask(&root, Method::DELETE, &format!("/user/{}", entity_number(&app, "root").await)).await;
    assert_eq!(last.status, StatusCode::BAD_REQUEST, "there must be an administrator: {}", last.text);
    assert_eq!(root.me_code().await, None);
}

/// A caller keeps the refresh token of its login: it has no place for another one.
#[tokio::test]
async fn tecladocode_refresh_token_lasts_as_long_as_its_session() {
    let app = app().await;
    let (ann, _) = create_user(&app, "ann").await;
    for _ in 0..5 {
        let answer = refreshed(&app, &ann).await;
        assert_eq!(answer.status, StatusCode::OK, "{}", answer.text);
        let body = answer.json();
        assert_eq!(body.as_object().unwrap().len(), 1);
        let next = ann.with_token(body["access_token"].as_str().unwrap());
        assert_eq!(next.me_code().await, None);
        app.clock.advance(TimeDelta::hours(1));
        assert_eq!(next.me_reason().await.as_deref(), Some("TOKEN_EXPIRED"));
        let expired = ask(&next, Method::POST, "/logout").await;
        assert_eq!(expired.json(), json!({ "message": "The token has expired.", "error": "token_expired" }));
    }
    app.clock.advance(TimeDelta::days(14));
    assert_eq!(refreshed(&app, &ann).await.json()["error"], json!("token_expired"));
}

/// S4: a copy of a token that was traded in is noticed here, too.
#[tokio::test]
async fn tecladocode_refresh_token_reuse_ends_the_session() {
    let app = app().await;
    let ann = app.user("ann").await;
    let renewed = ann.refresh(ann.refresh_token.as_deref().unwrap()).await.data();
    let next = ann.signed_in(&renewed["refresh"]);
    assert_eq!(next.me_code().await, None);
    app.clock.advance(TimeDelta::minutes(5));
    assert_eq!(refreshed(&app, &ann).await.json()["error"], json!("token_revoked"));
    assert_eq!(next.me_reason().await.as_deref(), Some("SESSION_ENDED"));
}

#[tokio::test]
async fn tecladocode_logout_ends_both_tokens() {
    let app = app().await;
    let (ann, number) = create_user(&app, "ann").await;
    let answer = ask(&ann, Method::POST, "/logout").await;
    assert_eq!(answer.json(), json!({ "message": format!("User <id={number}> successfully logged out.") }));
    assert_eq!(ann.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    assert_eq!(refreshed(&app, &ann).await.json()["error"], json!("token_revoked"));
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

/// B1
#[tokio::test]
async fn tecladocode_login_failures_are_uniform_and_limited() {
    let app = TestApp::with(&[MOUNTED, ("ACCOUNTD_LIMITS__ENABLED", "true")]).await;
    app.user("ann").await;
    let wrong = |name: &str| json!({ "username": name, "password": "wrong" });
    for name in ["ann", "nobody"] {
        let answer = post(&app.anonymous(), "/login", &wrong(name)).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (401, json!({ "message": "Invalid credentials!" })));
        let answer = post(&app.anonymous(), "/login", &wrong(name)).await;
        assert_eq!((answer.status.as_u16(), answer.header("retry-after")), (429, Some("1")), "{}", answer.text);
    }
}

#[tokio::test]
async fn tecladocode_closed_registration_is_refused() {
    let app = TestApp::with(&[MOUNTED, ("ACCOUNTD_REGISTRATION__MODE", "admin")]).await;
    let answer = post(&app.anonymous(), "/register", &credentials("ann")).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(answer.json()["message"].is_string());
}
