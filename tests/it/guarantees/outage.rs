//! Database outages: every client gets a timely error, no request is wrongly granted, and recovery is immediate.

mod lost_connections;
mod postgres;
mod proxy;

use std::io::Read;
use std::time::{Duration, Instant};

use sea_orm::{ConnectOptions, Database, DatabaseConnection, DbBackend};
use serde_json::{Value, json};

use crate::support::database::{SECRET, TestDatabase, backend};
use crate::support::process::{Process, program, status};
use crate::support::{PASSWORD, TEST_TIMEOUT};
use postgres::PostgresServer;
use proxy::{Mode, Proxy};

/// A server on its own database, with a proxy between them.
struct Fixture {
    server: Process,
    proxy: Proxy,
    database: PostgresServer,
    access: String,
    refresh: String,
}

impl Fixture {
    /// `None` where the tests of this run are not on PostgreSQL, or it cannot be started.
    async fn new() -> Option<Self> {
        if backend() != DbBackend::Postgres {
            return None;
        }
        let database = PostgresServer::start()?;
        let proxy = Proxy::to(database.port).await;
        // For a directory only: the database is another one.
        let home = TestDatabase::empty().await;
        let url = database.url(proxy.port);
        let settings = [("ACCOUNTD_DATABASE_URL", &*url), ("ACCOUNTD_SECRET_KEY", SECRET)];
        let migrated = blocking(|| program(&home).arg("migrate").envs(settings).output().unwrap());
        assert!(migrated.status.success(), "{migrated:?}");
        let mut command = program(&home);
        command.envs(settings).env("ACCOUNTD_LOG__FILTER", "off").env("ACCOUNTD_LIMITS__ENABLED", "false");
        let server = Process::spawn(command).with_database(home);
        let register = format!(
            "mutation {{ register(input: {{ username: \"ann\", password: \"{PASSWORD}\" }}) {{
                tokens {{ accessToken refreshToken }} }} }}"
        );
        let made = blocking(|| server.graphql("", &register, json!({})));
        let text = |name: &str| {
            made["data"]["register"]["tokens"][name].as_str().unwrap_or_else(|| panic!("{made}")).to_owned()
        };
        let (access, refresh) = (text("accessToken"), text("refreshToken"));
        Some(Self { server, proxy, database, access, refresh })
    }

    /// The status and the body of a GraphQL request.
    fn send(&self, token: &str, query: &str) -> (u16, Value) {
        let authorization = if token.is_empty() { String::new() } else { format!("authorization: Bearer {token}\r\n") };
        let headers = format!("accept: application/graphql-response+json\r\n{authorization}");
        let answer = blocking(|| self.server.send("/graphql", &headers, &json!({ "query": query })));
        (status(&answer), serde_json::from_str(answer.split_once("\r\n\r\n").unwrap().1).unwrap())
    }

    fn me(&self) -> (u16, Value) {
        self.send(&self.access, "{ me { username } }")
    }

    fn get(&self, path: &str) -> u16 {
        blocking(|| self.server.get(path))
    }

    /// During the outage: S17, no request is granted, all get a timely error, and the process lives. Timely is before
    /// the request timeout, which would be reported as TIMEOUT.
    fn assert_reported(&self) {
        let login = format!(
            "mutation {{ login(input: {{ username: \"ann\", password: \"{PASSWORD}\" }}) {{ user {{ id }} }} }}"
        );
        let is_refused = |token: &str, query: &str| {
            let noticed = Instant::now() + Duration::from_secs(1);
            let (status, body) = loop {
                let begun = Instant::now();
                let (status, body) = self.send(token, query);
                // A cached caller is accepted for 750 ms.
                if status != 200 || !query.contains("me {") || begun > noticed {
                    break (status, body);
                }
            };
            let code = body["errors"][0]["extensions"]["code"].as_str().unwrap_or_default();
            assert!(
                status == 503 && ["STORAGE_UNAVAILABLE", "SERVER_BUSY"].contains(&code),
                "{query}: {status} {body}"
            );
        };
        blocking(|| {
            std::thread::scope(|scope| {
                scope.spawn(|| is_refused(&self.access, "{ me { username } }"));
                scope.spawn(|| is_refused("", &login));
                scope.spawn(|| is_refused(&self.access, "mutation { logout { ok } }"));
                scope.spawn(|| assert_eq!((self.get("/readyz"), self.get("/healthz")), (503, 200)));
            });
        });
    }

    /// After recovery: the same process serves, with the same tokens.
    fn assert_recovered(&self) {
        let begun = Instant::now();
        loop {
            let (status, body) = self.me();
            if status == 200 {
                assert_eq!(body["data"]["me"]["username"], "ann", "{body}");
                break;
            }
            assert!(status == 503 && begun.elapsed() < TEST_TIMEOUT, "{status} {body}");
        }
        assert_eq!(self.get("/readyz"), 200);
    }
}

/// Runs blocking work while the proxy continues.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

/// R7, S17: the database's machine hangs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_database_is_reported_and_recovers() {
    let Some(fixture) = Fixture::new().await else { return };
    fixture.database.freeze(true);
    fixture.assert_reported();
    fixture.database.freeze(false);
    fixture.assert_recovered();
}

/// R7, S17: the database crashes, and restarts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crashed_database_is_reported_and_recovers() {
    let Some(fixture) = Fixture::new().await else { return };
    blocking(|| fixture.database.crash());
    fixture.assert_reported();
    blocking(|| fixture.database.resume());
    fixture.assert_recovered();
}

/// R7, S17: the network drops everything, or closes every connection.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_database_network_is_reported_and_recovers() {
    let Some(fixture) = Fixture::new().await else { return };
    for line in [Mode::Cut, Mode::Silent] {
        fixture.proxy.set(line);
        fixture.assert_reported();
        fixture.proxy.set(Mode::Open);
        fixture.assert_recovered();
    }
}

/// R7: a request in progress when the database hangs does not hang with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_progress_fail_fast_when_the_database_is_lost() {
    let Some(fixture) = Fixture::new().await else { return };
    let locked = fixture.foreign_connections().await;
    use sea_orm::ConnectionTrait;
    locked.execute_unprepared("BEGIN; LOCK TABLE session").await.unwrap();
    let (status, body) = fixture.me();
    let code = &body["errors"][0]["extensions"]["code"];
    assert!(status == 503 && (code == "SERVER_BUSY" || code == "STORAGE_UNAVAILABLE"), "{status} {body}");
    locked.execute_unprepared("ROLLBACK").await.unwrap();
    fixture.assert_recovered();
}

/// R7: nor if the response to its statement is lost.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_database_response_times_out() {
    let Some(fixture) = Fixture::new().await else { return };
    let locked = fixture.foreign_connections().await;
    use sea_orm::{ConnectionTrait, Statement};
    locked.execute_unprepared("BEGIN; LOCK TABLE session").await.unwrap();
    let begun = Instant::now();
    let renew = format!("mutation {{ refresh(input: {{ refreshToken: \"{}\" }}) {{ outcome }} }}", fixture.refresh);
    let mut connection = fixture.server.start_request("/graphql", "", &json!({ "query": renew }));
    let waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let waits = Statement::from_sql_and_values(DbBackend::Postgres, waits, []);
    while locked.query_one_raw(waits.clone()).await.unwrap().is_none() {
        assert!(begun.elapsed() < TEST_TIMEOUT, "the request does not reach the table");
    }
    fixture.proxy.set(Mode::Silent);
    let mut answer = String::new();
    blocking(|| connection.read_to_string(&mut answer).unwrap());
    assert!(status(&answer) == 503 && answer.contains("\"TIMEOUT\""), "{answer}");
    locked.execute_unprepared("ROLLBACK").await.unwrap();
    fixture.proxy.set(Mode::Open);
    fixture.assert_recovered();
}

impl Fixture {
    /// Another client of the database.
    async fn foreign_connections(&self) -> DatabaseConnection {
        let mut options = ConnectOptions::new(self.database.url(self.database.port));
        options.max_connections(1).sqlx_logging(false);
        Database::connect(options).await.unwrap()
    }
}
