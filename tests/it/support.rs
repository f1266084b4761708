//! A service of its own for each test, with a clock that stands still, and the people who use it.

pub mod certificate_authority;
pub mod clock_entropy;
pub mod database;
pub mod gateway;
pub mod prerequisites;
pub mod process;
pub mod receiver;
pub mod redis;
mod response;
pub(crate) mod schema_inputs;
pub mod server;
pub(crate) mod source_files;
pub mod statement_transaction;
pub mod subscriber;
pub(crate) mod token_forging;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use response::TestResponse;

use accountd::app::App;
use accountd::clock::Clock;
use accountd::config::{Config, Flags};
use accountd::{http, startup};
use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{Method, Request};
use chrono::{TimeDelta, TimeZone, Utc};
use clock_entropy::{CountingEntropy, ManualClock};
use database::TestDatabase;
use entity::{tenant, user};
use http_body_util::BodyExt;
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use secrecy::SecretString;
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

/// A guard against waiting for ever, and no measure: what a test waits for happens in a small part of it on any machine.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(120);

/// The password of every actor; strong enough for the policy.
pub const PASSWORD: &str = "correct-horse-battery-7";

/// Where it stands in the data of an answer that it is a stream, which has begun.
pub const STREAM_STARTED: &str = "/begun";

/// The headers that protect every answer (promise X4).
pub const SECURITY_HEADERS: [(&str, &str); 6] = [
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// A running service with a database of its own, which goes when it is dropped.
pub struct TestApp {
    pub app: App,
    pub clock: Arc<ManualClock>,
    pub router: Router,
    settings: Vec<(String, String)>,
    /// How often it was started.
    start_count: u64,
    /// Nothing while the service is moved to its next life, and where it is another one's.
    database: Option<TestDatabase>,
}

static DIRECTORIES: AtomicU64 = AtomicU64::new(0);

/// The name of a directory that no other test has; whoever makes it removes it.
pub fn scratch_directory() -> PathBuf {
    let number = DIRECTORIES.fetch_add(1, Ordering::Relaxed);
    std::env::temp_dir().join(format!("accountd-test-{}-{number}", std::process::id()))
}

impl TestApp {
    /// A service with settings that make hashing cheap and nothing else special.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// A service with these environment variables.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::with_config(settings, |_| {}).await
    }

    /// A service with these environment variables, and with what no variable can set.
    pub async fn with_config(settings: &[(&str, &str)], tune: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::migrated().await;
        let clock = Arc::new(ManualClock(Mutex::new(Utc.with_ymd_and_hms(2026, 3, 1, 12, 0, 0).unwrap())));
        let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Self::start(database, clock, settings, 1, tune).await
    }

    /// Another node on the same database, with the same clock. It ends before this one.
    pub async fn second_node(&self) -> Self {
        let database = self.database.as_ref().unwrap();
        Self::open(database, self.clock.clone(), self.settings.clone(), 1 << 16, |_| {}).await
    }

    /// The same with a clock of its own that is so far ahead.
    pub async fn second_node_ahead(&self, ahead: TimeDelta) -> Self {
        let clock = Arc::new(ManualClock(Mutex::new(self.clock.current() + ahead)));
        let database = self.database.as_ref().unwrap();
        Self::open(database, clock, self.settings.clone(), 1 << 16, |_| {}).await
    }

    async fn start(
        database: TestDatabase,
        clock: Arc<ManualClock>,
        settings: Vec<(String, String)>,
        lives: u64,
        tune: impl FnOnce(&mut Config),
    ) -> Self {
        let app = Self::open(&database, clock, settings, lives, tune).await;
        Self { database: Some(database), ..app }
    }

    async fn open(
        database: &TestDatabase,
        clock: Arc<ManualClock>,
        settings: Vec<(String, String)>,
        lives: u64,
        tune: impl FnOnce(&mut Config),
    ) -> Self {
        let flags = Flags { data_dir: Some(database.directory.clone()), ..Flags::default() };
        // Off by default, because most tests try faster than people do.
        let unlimited = [("ACCOUNTD_LIMITS__ENABLED".to_owned(), "false".to_owned())];
        let environment = unlimited.into_iter().chain(database.settings()).chain(settings.clone());
        let mut config = Config::load(flags, environment).unwrap();
        // Below the floor that settings have: most tests do not look at the cost of hashing.
        config.password.argon2_memory_kib = 16;
        config.password.argon2_iterations = 1;
        // Room for the crowds of the race tests.
        config.password.hash_threads = std::num::NonZeroUsize::new(8);
        tune(&mut config);
        // What was drawn in an earlier life does not come again.
        let entropy = Arc::new(CountingEntropy(AtomicU64::new(((lives - 1) << 32) + 1)));
        let app = startup::open(config, clock.clone(), entropy).await.unwrap();
        let router = http::router(app.clone()).unwrap();
        Self { app, clock, router, settings, start_count: lives, database: None }
    }

    /// The same service after a restart of the process: only what is in the database is left.
    pub async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    /// The same service after a restart with other settings.
    pub async fn restart_with(mut self, tune: impl FnOnce(&mut Config)) -> Self {
        self.app.db.close().await.unwrap();
        let database = self.database.take().unwrap();
        let clock = self.clock.clone();
        Self::start(database, clock, std::mem::take(&mut self.settings), self.start_count + 1, tune).await
    }

    /// Ends the service; its database is left.
    pub async fn stop(mut self) -> TestDatabase {
        self.app.db.close().await.unwrap();
        self.database.take().unwrap()
    }

    /// What seals its signing keys.
    pub fn secret(&self) -> SecretString {
        database::secret(&self.app.config.data_dir)
    }

    /// Somebody without credentials.
    pub fn anonymous(&self) -> Actor {
        Actor { router: self.router.clone(), token: None, refresh_token: None, id: String::new(), address: None }
    }

    /// The same person, with the same tokens, talking to this service after a restart.
    pub fn reconnect(&self, actor: &Actor) -> Actor {
        Actor { router: self.router.clone(), ..actor.clone() }
    }

    /// Somebody with an account of this name and a session.
    pub async fn user(&self, name: &str) -> Actor {
        let query = "mutation ($name: String!, $password: String!) {
            register(input: { username: $name, password: $password }) {
                user { id } tokens { accessToken refreshToken } errors { code }
            }
        }";
        let answer = self.anonymous().send(query, json!({ "name": name, "password": PASSWORD })).await;
        self.anonymous().signed_in(&answer.data()["register"])
    }

    /// An administrator with this name.
    pub async fn admin(&self, name: &str) -> Actor {
        use accountd::account::operator::bootstrap;
        use accountd::account::user::query::NewUser;
        let user = NewUser::parse(name, None, None, PASSWORD.to_owned().into()).unwrap();
        bootstrap::create_admin(&self.app, user).await.unwrap();
        self.login(name, PASSWORD).await
    }

    /// An administrator with this name in another tenant. No operation moves users between tenants and not every test
    /// has an administrator of the installation, so the rows are written directly.
    pub async fn admin_of_other_tenant(&self, name: &str) -> Actor {
        let admin = self.admin(name).await;
        let now = self.clock.now().into();
        let other = tenant::ActiveModel {
            uid: Set(Uuid::from_u128(2)),
            name: Set("other".to_owned()),
            created_at: Set(now),
            ..Default::default()
        };
        let db = self.app.db.writer();
        let other = other.insert(db).await.unwrap();
        let moved = user::ActiveModel { tenant_id: Set(other.id), ..Default::default() };
        let own = user::Column::UsernameKey.eq(name);
        user::Entity::update_many().set(moved).filter(own).exec(db).await.unwrap();
        admin
    }

    /// A new session of somebody who has an account.
    pub async fn login(&self, name: &str, password: &str) -> Actor {
        let answer = self.anonymous().login(name, password).await;
        self.anonymous().signed_in(&answer.data()["login"])
    }
}

/// Somebody who sends requests.
#[derive(Clone)]
pub struct Actor {
    router: Router,
    pub token: Option<String>,
    pub refresh_token: Option<String>,
    pub id: String,
    address: Option<SocketAddr>,
}

impl Actor {
    /// The actor whose tokens stand in a payload with `user` and `tokens`.
    pub fn signed_in(&self, payload: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no tokens in {payload}")).to_owned();
        Self {
            router: self.router.clone(),
            token: Some(text(&payload["tokens"]["accessToken"])),
            refresh_token: Some(text(&payload["tokens"]["refreshToken"])),
            id: payload["user"]["id"].as_str().unwrap_or(&self.id).to_owned(),
            address: self.address,
        }
    }

    /// The same actor with another access token.
    pub fn with_token(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// The same actor, talking to other routes.
    pub fn at_router(&self, router: Router) -> Self {
        Self { router, ..self.clone() }
    }

    /// The same actor at this address.
    pub fn at_address(&self, address: &str) -> Self {
        Self { address: Some((address.parse::<std::net::IpAddr>().unwrap(), 50_000).into()), ..self.clone() }
    }

    /// A new API token of the actor: its id, and somebody who sends its secret.
    pub async fn api_token(&self, permissions: &[&str]) -> (String, Self) {
        let input = json!({ "name": "robot", "permissions": permissions });
        let made = self.mutate_ok("createApiToken", input, "apiToken { id } token").await;
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let program = Self { refresh_token: None, ..self.with_token(&text(&made["token"])) };
        (text(&made["apiToken"]["id"]), program)
    }

    /// Sends a GraphQL request as Apollo does.
    pub async fn send(&self, query: &str, variables: Value) -> TestResponse {
        self.json(Method::POST, "/graphql", &json!({ "query": query, "variables": variables })).await
    }

    /// Sends a JSON body.
    pub async fn json(&self, method: Method, path: &str, body: &Value) -> TestResponse {
        self.request(method, path, &[("content-type", "application/json")], body.to_string()).await
    }

    /// Sends anything; the actor's token goes along unless `headers` say otherwise.
    pub async fn request(
        &self,
        method: Method,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> TestResponse {
        let mut request = Request::builder().method(method).uri(path);
        if let Some(token) = &self.token
            && !headers.iter().any(|(name, _)| *name == "authorization")
        {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(address) = self.address {
            request = request.extension(ConnectInfo(address));
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let is_stream = parts.headers.get("content-type").is_some_and(|kind| kind == "text/event-stream");
        if is_stream {
            // It has no end.
            let text = json!({ "data": { STREAM_STARTED.trim_matches('/'): true } }).to_string();
            return TestResponse { status: parts.status, headers: parts.headers, text };
        }
        let bytes = body.collect().await.unwrap().to_bytes();
        TestResponse {
            status: parts.status,
            headers: parts.headers,
            text: String::from_utf8_lossy(&bytes).into_owned(),
        }
    }

    /// Sends the mutation `field` with its input and the fields that are wanted of its payload.
    pub async fn mutate(&self, field: &str, input: Value, wanted: &str) -> TestResponse {
        let kind = format!("{}{}Input", field[..1].to_uppercase(), &field[1..]);
        let query = format!("mutation ($input: {kind}!) {{ {field}(input: $input) {{ {wanted} }} }}");
        self.send(&query, json!({ "input": input })).await
    }

    /// The same, and again for as long as the server is busy: a loaded machine may turn hashing away.
    pub async fn mutate_retrying(&self, field: &str, input: Value, wanted: &str) -> TestResponse {
        loop {
            let answer = self.mutate(field, input.clone(), wanted).await;
            if answer.code().as_deref() != Some("SERVER_BUSY") {
                return answer;
            }
        }
    }

    /// Sends the mutation `field` and tells the code and the path of each error in its payload.
    pub async fn payload_errors(&self, field: &str, input: Value) -> Vec<(String, String)> {
        let answer = self.mutate(field, input, "errors { code path message }").await;
        let errors = answer.data()[field]["errors"].as_array().unwrap().clone();
        let path = |error: &Value| {
            let parts = error["path"].as_array().unwrap().iter().map(|part| part.as_str().unwrap());
            parts.collect::<Vec<_>>().join(".")
        };
        errors.iter().map(|error| (error["code"].as_str().unwrap().to_owned(), path(error))).collect()
    }

    /// Sends the mutation `field` with `input` and tells its payload, which has to be without errors.
    pub async fn mutate_ok(&self, field: &str, input: Value, wanted: &str) -> Value {
        let answer = self.mutate(field, input, &format!("{wanted} errors {{ code path message }}")).await;
        let payload = answer.data()[field].clone();
        assert_eq!(payload["errors"], json!([]), "{field} was refused");
        payload
    }

    /// Signs in; the answer holds `login`.
    pub async fn login(&self, name: &str, password: &str) -> TestResponse {
        let query = "mutation ($name: String!, $password: String!) {
            login(input: { username: $name, password: $password }) {
                user { id username } session { id } tokens { accessToken refreshToken expiresIn }
                errors { code message path }
            }
        }";
        self.send(query, json!({ "name": name, "password": password })).await
    }

    /// Refreshes with a token; the answer holds `refresh`.
    pub async fn refresh(&self, refresh_token: &str) -> TestResponse {
        let query = "mutation ($token: String) {
            refresh(input: { refreshToken: $token }) {
                outcome user { id } session { id } tokens { accessToken refreshToken } errors { code message path }
            }
        }";
        self.send(query, json!({ "token": refresh_token })).await
    }

    /// The code with which `me` is refused, or nothing if it answers.
    pub async fn me_code(&self) -> Option<String> {
        self.send("{ me { id } }", json!({})).await.code()
    }

    /// The reason with which `me` is refused.
    pub async fn me_reason(&self) -> Option<String> {
        let answer = self.send("{ me { id } }", json!({})).await;
        answer.json()["errors"][0]["extensions"]["reason"].as_str().map(str::to_owned)
    }
}
