//! The user-api dialect responds like the service for which its clients were written.
//!
//! `fixtures/user-api.json` was recorded from user-api 0.6.0 on SQLite. Its passwords are too weak for today's policy,
//! so each is replayed with the same suffix.

use accountd::store::roles;
use entity::tenant;
use sea_orm::prelude::Uuid;
use sea_orm::{ActiveModelTrait, ConnectionTrait, DbBackend, Set};
use serde_json::{Value, json};

use super::replay::imported_user::{create_user, set_display_name};
use super::replay::{Difference, Service, Variables, play};
use crate::support::database::backend;
use crate::support::{TestApp, TestResponse};

mod cookie;
mod unrecorded;

/// The setting that mounts the dialect at its recorded path.
const MOUNTED: (&str, &str) = ("ACCOUNTD_REST__DIALECTS__USER_API", "/api");

/// A recorded password, made strong enough.
fn strengthen(recorded: &str) -> String {
    format!("{recorded}-correct-horse-7")
}

#[rustfmt::skip]
const DIFFERENCES: &[Difference] = &[
    ("login_unknown", 401, "Wrong login or / and password.", UNIFORM_FAILURE),
    ("login_numeric_email_string", 401, "Wrong login or / and password.", UNIFORM_FAILURE),
    ("login_email_case", 401, "Wrong login or / and password.", UNIFORM_FAILURE),
    ("login_inactive", 401, "Wrong login or / and password.", UNIFORM_FAILURE),
    ("login_no_content_type", 415, "The payload format is unknown.", NO_SERVER_ERROR),
    ("token_header_only", 200, r#""email":"admin""#, NO_SERVER_ERROR),
    ("token_none", 401, "No credentials supplied.", NO_SERVER_ERROR),
    ("list_users_basic_scheme", 401, "No credentials supplied.", NO_SERVER_ERROR),
    ("register_unicode_password", 201, "uni@myapp.net", NO_SERVER_ERROR),
    ("register_empty_strings", 422, "payload", "name and password rules are accountd's"),
    ("list_users_all", 200, "uni@myapp.net", "the user without name is refused, and one exists whose password the service failed on"),
    ("list_users_filter", 200, r#"{"has_next":false,"users":[]}"#, FILTERED_LIST),
    ("list_users_cross_tenant_leak", 200, r#"{"has_next":false,"users":[]}"#, FILTERED_LIST),
    ("reset_password_cookie", 200, r#""email":"admin""#, "it works as documented"),
    ("reset_password_header", 200, r#""email":"admin""#, "it works as documented"),
    ("logout_cookie", 403, "cookies require an allowed origin", "a logout by GET needs a same-site request"),
    ("logout_header_only", 200, "User disconnected.", NO_SERVER_ERROR),
    ("logout_none", 200, "User disconnected.", NO_SERVER_ERROR),
    ("logout_post", 200, "User disconnected.", "logout accepts POST, too"),
    ("token_still_valid_after_logout", 200, "null", "a logout ends the session"),
    ("is_connected_no_check", 404, "", HIDDEN_USERS),
    ("is_connected_inject_no_token", 404, "", HIDDEN_USERS),
    ("is_connected_inject_ok", 404, "", HIDDEN_USERS),
    ("has_roles_ok", 404, "", HIDDEN_USERS),
    ("has_roles_forbidden", 404, "", HIDDEN_USERS),
    ("has_roles_none", 404, "", HIDDEN_USERS),
];

const UNIFORM_FAILURE: &str = "failed logins have one response";
const NO_SERVER_ERROR: &str = "no client input causes a 500";
const FILTERED_LIST: &str = "filters apply within the caller's tenant";
const HIDDEN_USERS: &str = "the route belongs to the recorded application";

/// The address of the recorded service.
const ORIGIN: &str = "http://127.0.0.1:5001";

struct UserApi;

impl Service for UserApi {
    const RECORDED: &'static str = include_str!("fixtures/user-api.json");

    fn sent(&self, recorded: &Value) -> Value {
        let mut body = recorded.clone();
        if let Some(Value::String(password)) = body.get_mut("password") {
            *password = strengthen(password);
        }
        body
    }

    /// The cookie has stricter attributes, and a location has no host.
    fn header(&self, name: &str, value: &str) -> String {
        match name {
            "set-cookie" => value.strip_suffix("; SameSite=Lax; Secure").expect("a safer cookie").to_owned(),
            "location" => format!("{ORIGIN}{value}"),
            _ => value.to_owned(),
        }
    }

    fn text(&self, answer: &TestResponse) -> String {
        answer.text.replace("/api/users/", &format!("{ORIGIN}/api/users/"))
    }

    async fn before(&mut self, app: &TestApp, entry: &str, variables: &mut Variables) {
        match entry {
            // A refused name uses up a row id, but did not in the recording.
            "register_user_role" => reset_row_ids(app).await,
            // The session ended with the logout.
            "intended_reset_own_password" => {
                let body = json!({ "email": "admin", "password": strengthen("password") });
                let login = app.anonymous().json(axum::http::Method::POST, "/api/users/login", &body).await;
                variables.insert("<var:tok>".to_owned(), token_of(&login));
            }
            "list_users_expired_token" => {
                let foreign = "eyJ0eXAiOiJKV1QiLCJhbGciOiJIUzI1NiJ9.eyJpZCI6MSwiZW1haWwiOiJhZG1pbiIsImV4cCI6MX0.c2ln";
                variables.insert("<var:expired>".to_owned(), foreign.to_owned());
            }
            _ => {}
        }
    }
}

/// The cookie's value in a response.
fn cookie_of(answer: &TestResponse) -> String {
    let cookie = answer.header("set-cookie").unwrap_or_else(|| panic!("{} {}", answer.status, answer.text));
    let (value, _) = cookie.strip_prefix("user-api-credentials=").unwrap().split_once(';').unwrap();
    value.to_owned()
}

/// The token in a response's cookie.
pub fn token_of(answer: &TestResponse) -> String {
    use base64::Engine;
    let bytes = base64::engine::general_purpose::STANDARD.decode(cookie_of(answer)).unwrap();
    String::from_utf8(bytes).unwrap()
}

async fn reset_row_ids(app: &TestApp) {
    let sql = match backend() {
        DbBackend::Postgres => r#"SELECT setval(pg_get_serial_sequence('"user"', 'id'), (SELECT MAX(id) FROM "user"))"#,
        DbBackend::MySql => "ALTER TABLE `user` AUTO_INCREMENT = 1",
        _ => return,
    };
    app.app.db.writer().execute_unprepared(sql).await.unwrap();
}

#[tokio::test]
async fn user_api_responds_as_recorded() {
    let app = TestApp::with(&[MOUNTED]).await;
    let (db, now) = (app.app.db.writer(), app.app.clock.now().into());
    let customer = tenant::ActiveModel {
        uid: Set(Uuid::from_u128(2)),
        name: Set("customer 2".to_owned()),
        created_at: Set(now),
        ..Default::default()
    };
    assert_eq!(customer.insert(db).await.unwrap().id, 2);
    let user = roles::NewRow {
        uid: Uuid::from_u128(3),
        name: ("user".to_owned(), "user".to_owned()),
        description: Some("User".to_owned()),
        created_at: now,
    };
    assert_eq!(roles::insert(db, user).await.unwrap().id, 2);
    create_user(&app, "admin", &strengthen("password"), &["admin"], |row| set_display_name(row, "admin")).await;
    create_user(&app, "other", &strengthen("password2"), &[], |row| {
        set_display_name(row, "other");
        row.tenant_id = 2;
        row.email = Some(("other@corp2.net".to_owned(), "other@corp2.net".to_owned()));
    })
    .await;
    play(&app, &mut UserApi, DIFFERENCES).await;
}
