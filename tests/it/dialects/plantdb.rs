//! The PlantDB dialect responds like the service for which its clients were written.
//!
//! `fixtures/plantdb.json` was recorded from PlantDB 0.15.1.

use chrono::TimeDelta;
use serde_json::Value;

use super::replay::imported_user::{create_user, set_display_name};
use super::replay::{Difference, Service, Variables, play};
use crate::support::{TestApp, TestResponse};

#[rustfmt::skip]
const DIFFERENCES: &[Difference] = &[
    ("login_json_array_body", 400, "Missing username or password", NO_SERVER_ERROR),
    ("login_non_string_username", 400, "username must be a string", NO_SERVER_ERROR),
    ("register_null_password", 400, "password must be a string", NO_SERVER_ERROR),
    ("register_username_number", 400, "username must be a string", NO_SERVER_ERROR),
    ("validate_ok_no_bearer_prefix", 401, "Token validation failed: Not enough segments", "the Bearer scheme is required"),
    ("validate_refresh_token_accepted", 401, "Token validation failed: Signature verification failed", KINDS),
    ("logout_with_refresh_token", 401, "Logout failed", KINDS),
    ("refresh_with_access_token", 401, "Invalid or expired refresh token: Signature verification failed", "the recorded text is a bug that reveals the token's name"),
    ("register_empty_username_accepted", 400, "Failed to create user: username: use letters, digits, '.', '-' and '_', and begin with a letter or a digit", "name and password rules are accountd's"),
    ("register_by_reader_silently_does_nothing", 403, "Failed to create user: User batman does not have required permissions to use create_user", "a refusal is reported"),
    ("api_token_no_auth", 401, "Token creation failed: No authenticated user!", NO_SERVER_ERROR),
    ("api_token_bad_exp", 400, "token_exp must be a number of seconds", NO_SERVER_ERROR),
    ("api_token_expired", 401, "Token creation failed: Signature has expired", NO_SERVER_ERROR),
    ("register_rate_limited", 429, LIMITED, JSON_429),
    ("login_rate_limited", 429, LIMITED, JSON_429),
    ("login_get_rate_limited", 429, LIMITED, JSON_429),
    ("lockout_wrong_password_2", 429, LIMITED, THROTTLE),
    ("lockout_wrong_password_3", 429, LIMITED, THROTTLE),
    ("lockout_correct_password_while_locked", 429, LIMITED, THROTTLE),
    ("login_max_sessions_reached", 200, "Login successful", "there is no process-wide session limit"),
    ("login_options_cors", 204, "", "`cors.origins` decides on origins"),
    ("unknown_path", 404, "NOT_FOUND", "the route is outside accountd"),
    ("health", 404, "NOT_FOUND", "the route is outside accountd"),
    ("scans_empty_guest", 404, "NOT_FOUND", "the route is outside accountd"),
    ("refresh_reuse_rejected", 200, "Token refreshed successfully", "a lost response is repeated until the new pair is used"),
];

const NO_SERVER_ERROR: &str = "no client input causes a 500";
const LIMITED: &str = "Rate limit exceeded. Please try again later.";
const JSON_429: &str = "a rate limit returns JSON with Retry-After";
const THROTTLE: &str = "wrong passwords meet accountd's backoff, not a lockout after three";
const KINDS: &str = "a refresh token is never accepted as access token";

/// Further differences on the paths of 0.16.
const LATER_PATHS: &[Difference] = &[
    ("register_ok", 201, "User Batman successfully created", "0.16 names the user"),
    ("refresh_missing", 401, "Missing refresh_token", "0.16 has another status"),
    ("refresh_missing_field", 401, "Missing refresh_token", "0.16 has another status"),
];

/// PlantDB, with a mapping of its recorded paths.
struct PlantDb(fn(&str) -> String);

impl Service for PlantDb {
    const RECORDED: &'static str = include_str!("fixtures/plantdb.json");

    fn path(&self, path: &str) -> String {
        self.0(path)
    }

    /// An error's text is in `error`, too, where later clients expect it.
    fn body(&self, answer: &TestResponse) -> Value {
        let mut body = answer.json();
        if answer.status.is_client_error() {
            let error = body.as_object_mut().and_then(|body| body.remove("error"));
            assert_eq!(error.as_ref(), body.get("message"), "both are the text");
        }
        body
    }

    async fn before(&mut self, app: &TestApp, entry: &str, _: &mut Variables) {
        let wait = match entry {
            // A wrong password was sent before; the backoff is one second.
            "login_new_user_ok" => TimeDelta::seconds(1),
            // The recording waited here for the access token to expire.
            "validate_expired" => TimeDelta::hours(1),
            _ => return,
        };
        app.clock.advance(wait);
    }
}

async fn replay(mount: &str, path: fn(&str) -> String, differences: &[Difference]) {
    let settings = [("ACCOUNTD_LIMITS__ENABLED", "true"), ("ACCOUNTD_REST__DIALECTS__PLANTDB", mount)];
    let app = TestApp::with(&settings).await;
    // Too weak for today's policy, so they are created below it.
    create_user(&app, "admin", "admin", &["admin"], |row| set_display_name(row, "PlantDB Admin")).await;
    create_user(&app, "guest", "guest", &[], |row| set_display_name(row, "PlantDB Guest")).await;
    play(&app, &mut PlantDb(path), differences).await;
}

#[tokio::test]
async fn plantdb_responds_as_recorded() {
    replay("/", str::to_owned, DIFFERENCES).await;
}

/// Also mounted elsewhere.
#[tokio::test]
async fn plantdb_responds_as_recorded_on_later_paths() {
    let later = |path: &str| {
        let path = path.replace("/token-", "/token/").replace("/create-", "/token/create-");
        format!("/plants/api/v1/auth{path}")
    };
    replay("/plants", later, &[DIFFERENCES, LATER_PATHS].concat()).await;
}
