//! Outages of the database: everybody is told in time, nothing is let through, and all is well as soon as it is back.

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

/// A server on a database of its own, with a proxy between them.
struct Fixture {
    server: Process,
    proxy: Proxy,
    database: PostgresServer,
    access: String,
    refresh: String,
}

impl Fixture {
    /// Nothing where the tests of this run are not on PostgreSQL, or it cannot be started here.
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

    /// While the database is away: S17, nobody is let through, all are told in time, and the process lives. In time is
    /// before the request is given up, which would be told as TIMEOUT.
    fn assert_reported(&self) {
        let login = format!(
            "mutation {{ login(input: {{ username: \"ann\", password: \"{PASSWORD}\" }}) {{ user {{ id }} }} }}"
        );
        let is_refused = |token: &str, query: &str| {
            let noticed = Instant::now() + Duration::from_secs(1);
            let (status, body) = loop {
                let begun = Instant::now();
                let (status, body) = self.send(token, query);
                // Who was known to be in is believed to be for three quarters of a second.
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

    /// After the database came back: the same process serves, with the same tokens.
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

/// Runs what waits, and lets the proxy work meanwhile.
fn blocking<T>(work: impl FnOnce() -> T) -> T {
    tokio::task::block_in_place(work)
}

/// R7, S17: the database's machine hangs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn frozen_database_is_reported_and_recovers() {
    let Some(world) = Fixture::new().await else { return };
    world.database.freeze(true);
    world.assert_reported();
    world.database.freeze(false);
    world.assert_recovered();
}

/// R7, S17: the database crashes, and comes back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn crashed_database_is_reported_and_recovers() {
    let Some(world) = Fixture::new().await else { return };
    blocking(|| world.database.crash());
    world.assert_reported();
    blocking(|| world.database.resume());
    world.assert_recovered();
}

/// R7, S17: the network loses everything, or closes everything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn cut_database_network_is_reported_and_recovers() {
    let Some(world) = Fixture::new().await else { return };
    for line in [Mode::Cut, Mode::Silent] {
        world.proxy.set(line);
        world.assert_reported();
        world.proxy.set(Mode::Open);
        world.assert_recovered();
    }
}

/// R7: a request that was under way when the database hung does not hang with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn requests_in_progress_fail_fast_when_the_database_is_lost() {
    let Some(world) = Fixture::new().await else { return };
    let locked = world.foreign_connections().await;
    use sea_orm::ConnectionTrait;
    locked.execute_unprepared("BEGIN; LOCK TABLE session").await.unwrap();
    let (status, body) = world.me();
    let code = &body["errors"][0]["extensions"]["code"];
    assert!(status == 503 && (code == "SERVER_BUSY" || code == "STORAGE_UNAVAILABLE"), "{status} {body}");
    locked.execute_unprepared("ROLLBACK").await.unwrap();
    world.assert_recovered();
}

/// R7: nor if it never hears of the statement's end.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lost_database_response_times_out() {
    let Some(world) = Fixture::new().await else { return };
    let locked = world.foreign_connections().await;
    use sea_orm::{ConnectionTrait, Statement};
    locked.execute_unprepared("BEGIN; LOCK TABLE session").await.unwrap();
    let begun = Instant::now();
    let renew = format!("mutation {{ refresh(input: {{ refreshToken: \"{}\" }}) {{ outcome }} }}", world.refresh);
    let mut connection = world.server.start_request("/graphql", "", &json!({ "query": renew }));
    let waits = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
    let waits = Statement::from_sql_and_values(DbBackend::Postgres, waits, []);
    while locked.query_one_raw(waits.clone()).await.unwrap().is_none() {
        assert!(begun.elapsed() < TEST_TIMEOUT, "the request does not get to the table");
    }
    world.proxy.set(Mode::Silent);
    let mut answer = String::new();
    blocking(|| connection.read_to_string(&mut answer).unwrap());
    assert!(status(&answer) == 503 && answer.contains("\"TIMEOUT\""), "{answer}");
    locked.execute_unprepared("ROLLBACK").await.unwrap();
    world.proxy.set(Mode::Open);
    world.assert_recovered();
}

/// S9, R7: connections that are lost without a word are given up, the watch's own among them: what is remembered is
/// believed again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn silently_dropped_connections_recover() {
    let Some(world) = Fixture::new().await else { return };
    // Answered, and nothing was sent to the database meanwhile.
    let is_believed = || {
        let before = world.proxy.requests();
        world.me().0 == 200 && world.proxy.requests() == before
    };
    let is_soon_believed = || {
        let begun = Instant::now();
        while !is_believed() {
            assert!(begun.elapsed() < TEST_TIMEOUT, "every request still asks the database");
        }
    };
    is_soon_believed();
    world.proxy.drop_connections();
    // Until it is noticed no other connection takes the place of the lost ones, however long that takes here.
    world.proxy.set(Mode::Silent);
    let begun = Instant::now();
    while world.me().0 == 200 {
        assert!(begun.elapsed() < TEST_TIMEOUT, "what is remembered is believed although no news arrive");
    }
    world.proxy.set(Mode::Open);
    is_soon_believed();
}

impl Fixture {
    /// Another client of the database.
    async fn foreign_connections(&self) -> DatabaseConnection {
        let mut options = ConnectOptions::new(self.database.url(self.database.port));
        options.max_connections(1).sqlx_logging(false);
        Database::connect(options).await.unwrap()
    }
}

/// R7: others have taken every connection that the database has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn database_without_free_connections_is_reported_and_recovers() {
    let Some(world) = Fixture::new().await else { return };
    world.proxy.set(Mode::Cut);
    let mut options = ConnectOptions::new(world.database.url(world.database.port));
    options.min_connections(20).max_connections(20).acquire_timeout(Duration::from_secs(30)).sqlx_logging(false);
    let all = Database::connect(options).await.unwrap();
    world.proxy.set(Mode::Open);
    world.assert_reported();
    all.close().await.unwrap();
    world.assert_recovered();
}

/// R8: whoever was told of a failure although it was done may ask again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn request_with_lost_commit_can_be_repeated() {
    let Some(world) = Fixture::new().await else { return };
    let lose = |token: &str, query: &str| {
        world.proxy.lose_next_commit();
        let (status, body) = world.send(token, query);
        assert!(world.proxy.has_lost(), "nothing was committed: {body}");
        assert_eq!((status, &body["errors"][0]["extensions"]["code"]), (503, &json!("STORAGE_UNAVAILABLE")), "{body}");
    };
    let renew = format!(
        "mutation {{ refresh(input: {{ refreshToken: \"{}\" }}) {{ outcome tokens {{ accessToken }} }} }}",
        world.refresh
    );
    lose("", &renew);
    let (_, body) = world.send("", &renew);
    assert_eq!(body["data"]["refresh"]["outcome"], "REPLAYED", "{body}");
    let access = body["data"]["refresh"]["tokens"]["accessToken"].as_str().unwrap();

    let register = format!(
        "mutation {{ register(input: {{ username: \"bob\", password: \"{PASSWORD}\" }}) {{ errors {{ code }} }} }}"
    );
    lose("", &register);
    let (_, body) = world.send("", &register);
    assert_eq!(body["data"]["register"]["errors"][0]["code"], "USERNAME_TAKEN", "{body}");
    let login = |name: &str, password: &str| {
        format!(
            "mutation {{ login(input: {{ username: \"{name}\", password: \"{password}\" }}) {{ tokens {{ accessToken }} errors {{ code }} }} }}"
        )
    };
    assert_eq!(world.send("", &login("bob", PASSWORD)).1["data"]["login"]["errors"], json!([]));

    let change = |old: &str, new: &str| {
        format!(
            "mutation {{ updatePassword(input: {{ currentPassword: \"{old}\", newPassword: \"{new}\" }}) {{ errors {{ code }} }} }}"
        )
    };
    lose(access, &change(PASSWORD, "another-good-horse-9"));
    // The new session's tokens were lost with the answer: sign in.
    let (_, body) = world.send(access, &change(PASSWORD, "another-good-horse-9"));
    assert_eq!(body["errors"][0]["extensions"]["reason"], "SESSION_ENDED", "{body}");
    let (_, body) = world.send("", &login("ann", "another-good-horse-9"));
    assert_eq!(body["data"]["login"]["errors"], json!([]), "{body}");

    let access = body["data"]["login"]["tokens"]["accessToken"].as_str().unwrap();
    lose(access, "mutation { logout { ok } }");
    let (_, body) = world.send(access, "{ me { id } }");
    assert_eq!(body["errors"][0]["extensions"]["reason"], "SESSION_ENDED", "{body}");
    let (_, body) = world.send(access, "mutation { logout { ok } }");
    assert_eq!(body["data"]["logout"]["ok"], true, "{body}");
}
