//! The PlantDB dialect answers as the service that its callers were written against.
//!
//! `fixtures/plantdb.json` was recorded from PlantDB 0.15.1. Left out: API tokens, limits and locks, the session
//! limit, CORS, and what is no account route.

use accountd::account::canonical::canonical;
use accountd::store::{roles, users};
use axum::http::Method;
use chrono::TimeDelta;
use entity::secret::SecretText;
use entity::user::{ActiveModel, Status};
use sea_orm::Set;
use serde_json::{Map, Value, json};

use crate::support::{Answer, TestApp};

const RECORDED: &str = include_str!("fixtures/plantdb.json");

/// Where the answer is another one on purpose: the entry, the status, the text, and why.
type Difference = (&'static str, u16, &'static str, &'static str);

#[rustfmt::skip]
const DIFFERENCES: &[Difference] = &[
    ("login_json_array_body", 400, "Missing username or password", NO_500),
    ("login_non_string_username", 400, "username must be a string", NO_500),
    ("register_null_password", 400, "password must be a string", NO_500),
    ("register_username_number", 400, "username must be a string", NO_500),
    ("validate_ok_no_bearer_prefix", 401, "Token validation failed: Not enough segments", "the Bearer scheme is required"),
    ("validate_refresh_token_accepted", 401, "Token validation failed: Signature verification failed", KINDS),
    ("logout_with_refresh_token", 401, "Logout failed", KINDS),
    ("refresh_with_access_token", 401, "Invalid or expired refresh token: Signature verification failed", "the old text is a slip that shows the token's name"),
    ("register_empty_username_accepted", 400, "Failed to create user: username: use letters, digits, '.', '-' and '_', and begin with a letter or a digit", "name and password rules are accountd's"),
    ("register_by_reader_silently_does_nothing", 403, "Failed to create user: User batman does not have required permissions to use create_user", "a denial says so"),
    ("refresh_reuse_rejected", 200, "Token refreshed successfully", "a lost answer can be asked again until its successor was used"),
];

const NO_500: &str = "nothing that a client sends is answered with 500";
const KINDS: &str = "a refresh token is never taken for an access token";

/// What differs on the paths of 0.16 beside the above.
const LATER: &[Difference] = &[
    ("register_ok", 201, "User Batman successfully created", "0.16 names the user"),
    ("refresh_missing", 401, "Missing refresh_token", "0.16 has another status"),
    ("refresh_missing_field", 401, "Missing refresh_token", "0.16 has another status"),
];

#[tokio::test]
async fn answers_as_recorded() {
    play(TestApp::new().await, str::to_owned, DIFFERENCES).await;
}

#[tokio::test]
async fn answers_as_recorded_on_later_paths() {
    let differences = [DIFFERENCES, LATER].concat();
    play(TestApp::new().await, later_path, &differences).await;
}

#[tokio::test]
async fn answers_as_recorded_under_another_path() {
    let app = TestApp::with(&[("ACCOUNTD_REST__DIALECTS__PLANTDB", "/plants")]).await;
    play(app, |path| format!("/plants{path}"), DIFFERENCES).await;
}

fn later_path(path: &str) -> String {
    format!("/api/v1/auth{}", path.replace("/token-", "/token/"))
}

/// Sends every recorded request in order, and tells all answers that are neither the recorded one nor the listed
/// difference; a listed difference that does not differ is a mistake in the list.
async fn play(app: TestApp, path: impl Fn(&str) -> String, differences: &[Difference]) {
    // Too weak for today's policy, so they are made below it.
    make_account(&app, "admin", "PlantDB Admin", &["admin"]).await;
    make_account(&app, "guest", "PlantDB Guest", &[]).await;
    let entries: Vec<Value> = serde_json::from_str(RECORDED).unwrap();
    let mut variables = Map::new();
    let mut surprises = Vec::new();
    for entry in &entries {
        let name = entry["name"].as_str().unwrap();
        let answer = send(&app, &entry["request"], &path, &variables).await;
        for (variable, field) in entry["capture"].as_object().into_iter().flatten() {
            variables.insert(variable.clone(), answer.json()[field.as_str().unwrap()].clone());
        }
        let found = compare(&entry["response"], &answer);
        match (differences.iter().find(|difference| difference.0 == name), found) {
            (None, Ok(())) => {}
            (None, Err(difference)) => surprises.push(format!("{name}: {difference}")),
            (Some(_), Ok(())) => surprises.push(format!("{name}: is listed and does not differ")),
            (Some((_, status, text, reason)), Err(_)) => {
                if (answer.status.as_u16(), answer.json()["message"].as_str()) != (*status, Some(text)) {
                    let text = &answer.text;
                    surprises.push(format!("{name}: differs in another way than that {reason}: {text}"));
                }
            }
        }
        if name == "short_login" {
            // The recording waits here for the access token to expire.
            app.clock.advance(TimeDelta::hours(1));
        }
    }
    for (name, ..) in differences {
        assert!(entries.iter().any(|entry| entry["name"] == *name), "{name} is listed and not recorded");
    }
    assert!(surprises.is_empty(), "{surprises:#?}");
}

/// An account whose password is its name.
async fn make_account(app: &TestApp, name: &str, fullname: &str, role_names: &[&str]) {
    let (app, now) = (&app.app, app.app.clock.now());
    let hash = app.hasher.hash(&name.to_owned().into()).await.unwrap();
    let row = ActiveModel {
        uid: Set(app.entropy.uuid(now)),
        tenant_id: Set(1),
        username: Set(name.to_owned()),
        username_key: Set(canonical(name)),
        display_name: Set(Some(fullname.to_owned())),
        display_name_key: Set(Some(canonical(fullname))),
        password_hash: Set(Some(SecretText::new(hash))),
        must_change_password: Set(false),
        status: Set(Status::Active),
        created_at: Set(now.into()),
        updated_at: Set(now.into()),
        version: Set(1),
        ..Default::default()
    };
    let user = users::insert(app.db.writer(), row).await.unwrap();
    let keys: Vec<String> = role_names.iter().map(|name| (*name).to_owned()).collect();
    let chosen = roles::list_by_name(app.db.reader(), &keys).await.unwrap();
    assert_eq!(chosen.len(), role_names.len());
    let ids = chosen.iter().map(|(role, _)| role.id).collect();
    roles::replace_of_user(app.db.writer(), user.id, &ids).await.unwrap();
}

async fn send(app: &TestApp, request: &Value, path: impl Fn(&str) -> String, variables: &Map<String, Value>) -> Answer {
    let filled = |text: &str| {
        variables.iter().fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("<var:{name}>"), value.as_str().unwrap_or("nothing was captured"))
        })
    };
    let method = Method::from_bytes(request["method"].as_str().unwrap().as_bytes()).unwrap();
    let headers: Vec<(String, String)> = request["headers"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| (name.to_ascii_lowercase(), filled(value.as_str().unwrap())))
        .collect();
    let headers: Vec<(&str, &str)> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let body = match (request.get("json"), request.get("body")) {
        (Some(json), _) => filled(&json.to_string()),
        (None, Some(body)) => body.as_str().unwrap_or_default().to_owned(),
        (None, None) => String::new(),
    };
    app.anonymous().request(method, &path(request["path"].as_str().unwrap()), &headers, body).await
}

/// Status, type, allowed methods and body; an error's text may stand in `error` too.
fn compare(recorded: &Value, answer: &Answer) -> Result<(), String> {
    let mut body = answer.json();
    if answer.status.is_client_error() {
        let error = body.as_object_mut().and_then(|body| body.remove("error"));
        assert_eq!(error.as_ref(), body.get("message"), "both are the text");
    }
    let status = recorded["status"].as_u64() == Some(answer.status.as_u16().into());
    let media = recorded["headers"]["content-type"].as_str() == answer.header("content-type");
    let allow = recorded["headers"]["allow"].as_str().map(methods) == answer.header("allow").map(methods);
    if status && media && allow && same(&recorded["json"], &body) {
        return Ok(());
    }
    Err(format!("recorded {recorded}, answered {} {:?} {}", answer.status, answer.headers, answer.text))
}

fn methods(allow: &str) -> Vec<String> {
    let mut methods: Vec<_> = allow.split(',').map(|method| method.trim().to_owned()).collect();
    methods.sort();
    methods
}

fn same(recorded: &Value, answered: &Value) -> bool {
    match (recorded, answered) {
        (Value::Object(recorded), Value::Object(answered)) => {
            recorded.len() == answered.len()
                && recorded.iter().all(|(name, value)| answered.get(name).is_some_and(|other| same(value, other)))
        }
        (Value::String(recorded), Value::String(answered)) if recorded == "<jwt>" => answered.split('.').count() == 3,
        (Value::String(recorded), Value::String(answered)) => match recorded.split_once("<opaque>") {
            Some((before, after)) => answered
                .strip_prefix(before)
                .and_then(|rest| rest.strip_suffix(after))
                .is_some_and(|name| !name.is_empty() && !name.contains(' ')),
            None => recorded == answered,
        },
        (recorded, answered) => recorded == answered,
    }
}

#[test]
fn the_player_sees_what_differs() {
    assert!(same(&json!({ "a": "jti=<opaque> not found" }), &json!({ "a": "jti=x.1 not found" })));
    for (recorded, answered) in [
        (json!({ "a": "jti=<opaque> not found" }), json!({ "a": "jti= not found" })),
        (json!({ "a": "<jwt>" }), json!({ "a": null })),
        (json!({ "a": true }), json!({ "a": "true" })),
        (json!({ "a": 1 }), json!({ "a": 1, "b": 2 })),
        (json!({ "a": 1, "b": 2 }), json!({ "a": 1 })),
    ] {
        assert!(!same(&recorded, &answered), "{recorded} {answered}");
    }
}
