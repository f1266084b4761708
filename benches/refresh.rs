//! Refreshing: how many a second, beside the durable commits of an equal row that the same database makes.

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

/// Sessions that are refreshed at a time.
pub const SESSIONS: usize = 8;

const REFRESH_MUTATION: &str = "mutation ($token: String!) {
    refresh(input: { refreshToken: $token }) { outcome tokens { refreshToken } errors { code } } }";

pub fn measure(report: &mut Report) {
    let directory = TempDirectory::new();
    let server = Server::start(&directory);
    compare(report, "SQLite", &server, &config::Database::Embedded(directory.database()));
    match env_var("ACCOUNTD_TEST_POSTGRES") {
        Some(url) => measure_postgres(report, url),
        None => println!("  not measured on PostgreSQL: ACCOUNTD_TEST_POSTGRES names no server"),
    }
}

fn measure_postgres(report: &mut Report, url: String) {
    let database = PostgresDatabase::create(url, "bench");
    let (directory, settings) = (TempDirectory::new(), database.settings());
    migrate(PROGRAM, &directory, &settings);
    let server = Server::start_with(&directory, &settings);
    compare(report, "PostgreSQL", &server, &config::Database::Server(database.url.clone().into()));
}

/// A database of this run's own, which goes when it is dropped.
pub struct PostgresDatabase {
    name: String,
    url: String,
    admin: config::Database,
}

impl PostgresDatabase {
    /// `url` names a database that is there.
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

fn compare(report: &mut Report, database: &str, server: &Server, place: &config::Database) {
    let mut tokens: Vec<String> = (0..SESSIONS).map(|number| server.register(&format!("ann{number}")).1).collect();
    let (mut shares, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let commits = commit_rate(place);
        let sample = run(server.port, SESSIONS, |number| refresh_chain(tokens[number].clone()));
        rates.push(sample.rate());
        shares.push(sample.rate() / commits);
        // The chains went on where nobody sees them: begin new ones.
        tokens = (0..SESSIONS).map(|number| server.login(&format!("ann{number}")).1).collect();
    }
    report.record(format!("refreshes a second on {database}, {SESSIONS} sessions"), format!("{:.0}", median(rates)));
    report.record_share(format!("refreshes beside durable commits of an equal row, {database}"), median(shares), 70);
}

/// A client that refreshes with what it got last.
pub fn refresh_chain(first: String) -> impl RequestSource {
    let mut token = first;
    move |answer: &str| {
        if !answer.is_empty() {
            let answer: Value = serde_json::from_str(answer).expect("JSON");
            let renewed = &answer["data"]["refresh"];
            assert_eq!(renewed["outcome"], "ROTATED", "{answer}");
            token = renewed["tokens"]["refreshToken"].as_str().expect("a token").to_owned();
        }
        graphql("", REFRESH_MUTATION, &json!({ "token": token }))
    }
}

/// Commits a second of rows like a session's, by the server's own kind of connections: on SQLite one after the other, as
/// there is one writer; on a server as many at a time as there are sessions.
fn commit_rate(place: &config::Database) -> f64 {
    let writers = match place {
        config::Database::Embedded(_) => 1,
        config::Database::Server(_) => SESSIONS,
    };
    runtime().block_on(async {
        let database = Database::connect(place).await.expect("a connection");
        let writer = DatabaseConnection::clone(database.writer());
        let table =
            "CREATE TABLE bench_row (id BIGINT PRIMARY KEY, uid CHAR(36) UNIQUE, generation BIGINT, note VARCHAR(255))";
        writer.execute_unprepared(table).await.expect("a table");
        for id in 0..writers {
            let row = format!("INSERT INTO bench_row VALUES ({id}, 'row {id}', 0, '{}')", "x".repeat(200));
            writer.execute_unprepared(&row).await.expect("a row");
        }
        let (begun, until) = (Instant::now(), Instant::now() + ROUND);
        let mut writing = JoinSet::new();
        for id in 0..writers {
            let writer = writer.clone();
            writing.spawn(async move {
                let update = format!("UPDATE bench_row SET generation = generation + 1 WHERE id = {id}");
                let mut count = 0;
                while Instant::now() < until {
                    writer.execute_unprepared(&update).await.expect("a commit");
                    count += 1;
                }
                count
            });
        }
        let count: u32 = writing.join_all().await.into_iter().sum();
        let rate = f64::from(count) / begun.elapsed().as_secs_f64();
        writer.execute_unprepared("DROP TABLE bench_row").await.expect("no table");
        database.close().await.expect("closed connections");
        rate
    })
}

fn runtime() -> Runtime {
    Runtime::new().expect("a runtime")
}
