//! Test support: a service per test, with a manual clock, and actors that send requests.

mod actor;
pub mod certificate_authority;
pub mod clock_entropy;
pub mod database;
pub mod gateway;
pub mod lock_wait;
pub mod module_graph;
pub mod polling;
pub mod prerequisites;
pub mod process;
pub mod receiver;
pub mod redis;
mod response;
pub mod router_paths;
pub(crate) mod schema_inputs;
pub mod server;
pub(crate) mod source_files;
pub mod statement_transaction;
pub mod subscriber;
pub(crate) mod token_forging;

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::time::Duration;

pub use actor::Actor;
pub use response::TestResponse;

use accountd::app::App;
use accountd::clock::Clock;
use accountd::config::{Config, Flags};
use accountd::{http, startup};
use axum::Router;
use chrono::{TimeDelta, TimeZone, Utc};
use clock_entropy::{CountingEntropy, ManualClock};
use database::TestDatabase;
use entity::{tenant, user};
use sea_orm::{ActiveModelTrait, ColumnTrait, EntityTrait, QueryFilter, Set};
use secrecy::SecretString;
use serde_json::json;
use uuid::Uuid;

/// A guard against endless waits, not a measurement: tests need a small part of it on any machine.
pub const TEST_TIMEOUT: Duration = Duration::from_secs(120);

/// The password of every actor; strong enough for the policy.
pub const PASSWORD: &str = "correct-horse-battery-7";

/// JSON pointer that is set in the data of a response when a stream has started.
pub const STREAM_STARTED: &str = "/begun";

/// The security headers of every response (promise X4).
pub const SECURITY_HEADERS: [(&str, &str); 6] = [
    ("cache-control", "no-store"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("x-frame-options", "DENY"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// A running service with its own database, which is deleted on drop.
pub struct TestApp {
    pub app: App,
    pub clock: Arc<ManualClock>,
    pub router: Router,
    settings: Vec<(String, String)>,
    /// The number of starts.
    start_count: u64,
    /// `None` while the service restarts, and on a second node.
    database: Option<TestDatabase>,
}

impl TestApp {
    /// A service with default settings and cheap hashing.
    pub async fn new() -> Self {
        Self::with(&[]).await
    }

    /// A service with these environment variables.
    pub async fn with(settings: &[(&str, &str)]) -> Self {
        Self::with_config(settings, |_| {}).await
    }

    /// A service with these environment variables, and with changes that no variable can make.
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

    /// The same with its own clock, ahead by this much.
    pub async fn second_node_ahead(&self, ahead: TimeDelta) -> Self {
        let clock = Arc::new(ManualClock(Mutex::new(self.clock.current() + ahead)));
        let database = self.database.as_ref().unwrap();
        Self::open(database, clock, self.settings.clone(), 1 << 16, |_| {}).await
    }

    async fn start(
        database: TestDatabase,
        clock: Arc<ManualClock>,
        settings: Vec<(String, String)>,
        start_count: u64,
        tune: impl FnOnce(&mut Config),
    ) -> Self {
        let app = Self::open(&database, clock, settings, start_count, tune).await;
        Self { database: Some(database), ..app }
    }

    async fn open(
        database: &TestDatabase,
        clock: Arc<ManualClock>,
        settings: Vec<(String, String)>,
        start_count: u64,
        tune: impl FnOnce(&mut Config),
    ) -> Self {
        let flags = Flags { data_dir: Some(database.directory.clone()), ..Flags::default() };
        // Off by default, because most tests send requests faster than users do.
        let unlimited = [("ACCOUNTD_LIMITS__ENABLED".to_owned(), "false".to_owned())];
        let environment = unlimited.into_iter().chain(database.settings()).chain(settings.clone());
        let mut config = Config::load(flags, environment).unwrap();
        // Below the minimum of the settings: most tests do not depend on the cost of hashing.
        config.password.argon2_memory_kib = 16;
        config.password.argon2_iterations = 1;
        // Capacity for the race tests.
        config.password.hash_threads = std::num::NonZeroUsize::new(8);
        tune(&mut config);
        // Random values of an earlier start do not repeat.
        let entropy = Arc::new(CountingEntropy(AtomicU64::new(((start_count - 1) << 32) + 1)));
        let app = startup::open(config, clock.clone(), entropy).await.unwrap();
        let router = http::router(app.clone()).unwrap();
        Self { app, clock, router, settings, start_count, database: None }
    }

    /// The same service after a restart of the process: only the database is kept.
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

    /// Ends the service and keeps its database.
    pub async fn stop(mut self) -> TestDatabase {
        self.app.db.close().await.unwrap();
        self.database.take().unwrap()
    }

    /// The secret that encrypts its signing keys.
    pub fn secret(&self) -> SecretString {
        database::secret(&self.app.config.data_dir)
    }

    /// An actor without credentials.
    pub fn anonymous(&self) -> Actor {
        Actor::new(self.router.clone())
    }

    /// The same actor with the same tokens, connected to this service after a restart.
    pub fn reconnect(&self, actor: &Actor) -> Actor {
        actor.at_router(self.router.clone())
    }

    /// A new user of this name with a session.
    pub async fn user(&self, name: &str) -> Actor {
        let query = "mutation ($name: String!, $password: String!) {
            register(input: { username: $name, password: $password }) {
                user { id } tokens { accessToken refreshToken } errors { code }
            }
        }";
        let answer = self.anonymous().send(query, json!({ "name": name, "password": PASSWORD })).await;
        self.anonymous().signed_in(&answer.data()["register"])
    }

    /// A new administrator of this name.
    pub async fn admin(&self, name: &str) -> Actor {
        use accountd::account::operator::bootstrap;
        use accountd::account::user::new_user::NewUser;
        let user = NewUser::parse(name, None, None, PASSWORD.to_owned().into()).unwrap();
        bootstrap::create_admin(&self.app, user).await.unwrap();
        self.login(name, PASSWORD).await
    }

    /// A new administrator of this name in another tenant. No operation moves users between tenants and not every test
    /// has an administrator of the default tenant, so the rows are written directly.
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

    /// A new session of an existing user.
    pub async fn login(&self, name: &str, password: &str) -> Actor {
        let answer = self.anonymous().login(name, password).await;
        self.anonymous().signed_in(&answer.data()["login"])
    }
}
