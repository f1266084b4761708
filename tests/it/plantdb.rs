//! The PlantDB dialect answers as the service that its callers were written against.
//!
//! `fixtures/plantdb.json` was recorded from PlantDB 0.15.1. Left out: API tokens, limits and locks, the session
//! limit, CORS, and what is no account route.

use chrono::TimeDelta;
use serde_json::Value;

use crate::replay::account::{called, make};
use crate::replay::{Difference, Service, Variables, play};
use crate::support::{Answer, TestApp};

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

/// PlantDB, at the path that one of its paths becomes.
struct PlantDb(fn(&str) -> String);

impl Service for PlantDb {
    const RECORDED: &'static str = include_str!("fixtures/plantdb.json");

    fn path(&self, path: &str) -> String {
        self.0(path)
    }

    /// An error's text stands in `error`, too, where later clients look for it.
    fn body(&self, answer: &Answer) -> Value {
        let mut body = answer.json();
        if answer.status.is_client_error() {
            let error = body.as_object_mut().and_then(|body| body.remove("error"));
            assert_eq!(error.as_ref(), body.get("message"), "both are the text");
        }
        body
    }

    async fn before(&mut self, app: &TestApp, entry: &str, _: &mut Variables) {
        if entry == "validate_expired" {
            // The recording waited here for the access token to expire.
            app.clock.advance(TimeDelta::hours(1));
        }
    }
}

async fn replay(app: TestApp, path: fn(&str) -> String, differences: &[Difference]) {
    // Too weak for today's policy, so they are made below it.
    make(&app, "admin", "admin", &["admin"], |row| called(row, "PlantDB Admin")).await;
    make(&app, "guest", "guest", &[], |row| called(row, "PlantDB Guest")).await;
    play(&app, &mut PlantDb(path), differences).await;
}

#[tokio::test]
async fn answers_as_recorded() {
    replay(TestApp::new().await, str::to_owned, DIFFERENCES).await;
}

#[tokio::test]
async fn answers_as_recorded_on_later_paths() {
    let later = |path: &str| format!("/api/v1/auth{}", path.replace("/token-", "/token/"));
    replay(TestApp::new().await, later, &[DIFFERENCES, LATER].concat()).await;
}

#[tokio::test]
async fn answers_as_recorded_under_another_path() {
    let app = TestApp::with(&[("ACCOUNTD_REST__DIALECTS__PLANTDB", "/plants")]).await;
    replay(app, |path| format!("/plants{path}"), DIFFERENCES).await;
}
