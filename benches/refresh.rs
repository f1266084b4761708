//! Refresh rate, against the database's own rate of durable commits of an equal row.

use std::time::Instant;

use accountd::config;
use accountd::database::Database;
use sea_orm::{ConnectionTrait, DatabaseConnection};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use crate::load::{RequestSource, graphql, run};
use crate::report::Report;
use crate::server::{PROGRAM, Server, TempDirectory, env_var, migrate};
use crate::{ROUND, ROUNDS, median};

/// Sessions that are refreshed concurrently.
pub const SESSIONS: usize = 8;

const REFRESH_MUTATION: &str = "mutation ($token: String!) {
    refresh(input: { refreshToken: $token }) { outcome tokens { refreshToken } errors { code } } }";

/// Measures refreshes on SQLite and, if a server is set, on PostgreSQL.
pub fn measure(report: &mut Report) {
    let directory = TempDirectory::new();
    let server = Server::start(&directory);
    compare(report, "SQLite", &server, &config::Database::Embedded(directory.database()));
    match env_var("ACCOUNTD_TEST_POSTGRES") {
        Some(url) => measure_postgres(report, url),
        None => println!("  not measured on PostgreSQL: set ACCOUNTD_TEST_POSTGRES to a server"),
    }
}

fn measure_postgres(report: &mut Report, url: String) {
    let database = PostgresDatabase::create(url, "bench");
    let (directory, settings) = (TempDirectory::new(), database.settings());
    migrate(PROGRAM, &directory, &settings);
    let server = Server::start_with(&directory, &settings);
    compare(report, "PostgreSQL", &server, &config::Database::Server(database.url.clone().into()));
}

/// A database for this run, dropped with the value.
pub struct PostgresDatabase {
    name: String,
    url: String,
    admin: config::Database,
}

impl PostgresDatabase {
    /// Creates a database; `url` names an existing one of the same server.
    pub fn create(url: String, name: &str) -> Self {
        let name = format!("accountd_{name}_{}", std::process::id());
        let own = format!("{}/{name}", url.rsplit_once('/').expect("a database in the URL").0);
        let created = Self { name, url: own, admin: config::Database::Server(url.into()) };
        created.execute(&format!("CREATE DATABASE {}", created.name));
        created
    }

    /// The settings of a server that uses it, without limits.
    pub fn settings(&self) -> [(&str, &str); 3] {
        [
            ("ACCOUNTD_LIMITS__ENABLED", "false"),
            ("ACCOUNTD_DATABASE_URL", &self.url),
            ("ACCOUNTD_SECRET_KEY", "Zr3xq9TnV1kYp5sLd8hGf2jMc7eb6Uw0"),
        ]
    }

    fn execute(&self, statement: &str) {
        runtime().block_on(async {
            let database = Database::connect(&self.admin).await.expect("a connection");
            database.writer().execute_unprepared(statement).await.expect("done");
        });
    }
}

impl Drop for PostgresDatabase {
    fn drop(&mut self) {
        self.execute(&format!("DROP DATABASE {} WITH (FORCE)", self.name));
    }
}

fn compare(report: &mut Report, database: &str, server: &Server, settings: &config::Database) {
    let mut tokens: Vec<String> = (0..SESSIONS).map(|index| server.register(&format!("ann{index}")).1).collect();
    let (mut shares, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let commits = commit_rate(settings);
        let sample = run(server.port, SESSIONS, |index| refresh_chain(tokens[index].clone()));
        rates.push(sample.rate());
        shares.push(sample.rate() / commits);
        // The token chains were advanced out of sight: start new ones.
        tokens = (0..SESSIONS).map(|index| server.login(&format!("ann{index}")).1).collect();
    }
    report.record(format!("refreshes per second on {database}, {SESSIONS} sessions"), format!("{:.0}", median(rates)));
    report.record_share(format!("refreshes, share of durable commits of an equal row, {database}"), median(shares), 70);
}

/// A client that refreshes with its last refresh token.
pub fn refresh_chain(first: String) -> impl RequestSource {
    let mut token = first;
    move |response: &str| {
        if !response.is_empty() {
            let response: Value = serde_json::from_str(response).expect("JSON");
            let renewed = &response["data"]["refresh"];
            assert_eq!(renewed["outcome"], "ROTATED", "{response}");
            token = renewed["tokens"]["refreshToken"].as_str().expect("a token").to_owned();
        }
        graphql("", REFRESH_MUTATION, &json!({ "token": token }))
    }
}

/// Commits per second of a row like a session's, over the server's own kind of connections: sequential on SQLite, which
/// has one writer; on a database server as many at a time as there are sessions.
fn commit_rate(settings: &config::Database) -> f64 {
    let writers = match settings {
        config::Database::Embedded(_) => 1,
        config::Database::Server(_) => SESSIONS,
    };
    runtime().block_on(async {
        let database = Database::connect(settings).await.expect("a connection");
        let writer = DatabaseConnection::clone(database.writer());
        let table =
            "CREATE TABLE bench_row (id BIGINT PRIMARY KEY, uid CHAR(36) UNIQUE, generation BIGINT, note VARCHAR(255))";
        writer.execute_unprepared(table).await.expect("a table");
        for id in 0..writers {
            let row = format!("INSERT INTO bench_row VALUES ({id}, 'row {id}', 0, '{}')", "x".repeat(200));
            writer.execute_unprepared(&row).await.expect("a row");
        }
        let (started, until) = (Instant::now(), Instant::now() + ROUND);
        let mut writers_running = JoinSet::new();
        for id in 0..writers {
            let writer = writer.clone();
            writers_running.spawn(async move {
                let update = format!("UPDATE bench_row SET generation = generation + 1 WHERE id = {id}");
                let mut count = 0;
                while Instant::now() < until {
                    writer.execute_unprepared(&update).await.expect("a commit");
                    count += 1;
                }
                count
            });
        }
        let count: u32 = writers_running.join_all().await.into_iter().sum();
        let rate = f64::from(count) / started.elapsed().as_secs_f64();
        writer.execute_unprepared("DROP TABLE bench_row").await.expect("a dropped table");
        database.close().await.expect("closed connections");
        rate
    })
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}
