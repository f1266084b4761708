//! Comparison of two builds, interleaved, with the baseline server of the same minute as reference.

use serde_json::json;

use crate::hashing::LOGIN_MUTATION;
use crate::load::{graphql, repeat, run};
use crate::machine::cores;
use crate::reads::{CONNECTIONS, ME_QUERY, USERS_QUERY};
use crate::refresh::{PostgresDatabase, SESSIONS, refresh_chain};
use crate::server::{PROGRAM, Server, TempDirectory, create_admin, env_var, migrate};
use crate::{PASSWORD, median};

/// Environment variable with the path of the other build's binary; no setting of accountd has this name.
const OTHER_PROGRAM: &str = "BENCH_OTHER";

/// Rounds per build.
const ROUNDS: usize = 7;

/// Accounts that log in: enough that none reaches its session limit.
const ACCOUNTS: usize = 64;

/// What both builds are measured with.
const WORKLOADS: [(&str, Workload); 5] = [
    ("`me`", |build| Some(build.reads(ME_QUERY))),
    ("`users(first: 20)`", |build| Some(build.reads(USERS_QUERY))),
    ("`refresh` on SQLite", |build| Some(refreshes(&build.sqlite))),
    ("`refresh` on PostgreSQL", |build| build.postgres.as_ref().map(refreshes)),
    ("`login`", |build| Some(build.logins())),
];

/// The rate of one round; none if no database server runs.
type Workload = fn(&Build) -> Option<f64>;

/// A build, started on a database of each kind.
struct Build {
    sqlite: Server,
    postgres: Option<Server>,
    token: String,
    _directories: [TempDirectory; 2],
}

impl Build {
    fn start(program: &str, database: Option<&PostgresDatabase>) -> Self {
        let directories = [TempDirectory::new(), TempDirectory::new()];
        // No settings that only one of the builds may know.
        let sqlite = Server::start_program(program, &directories[0], &[("ACCOUNTD_LIMITS__ENABLED", "false")]);
        create_admin(program, &directories[0], "root");
        let postgres = database.map(|database| {
            migrate(program, &directories[1], &database.settings());
            Server::start_program(program, &directories[1], &database.settings())
        });
        for server in [Some(&sqlite), postgres.as_ref()].into_iter().flatten() {
            for index in 0..ACCOUNTS {
                server.register(&name(index));
            }
        }
        let token = sqlite.login("root").0;
        Self { sqlite, postgres, token, _directories: directories }
    }

    fn reads(&self, query: &str) -> f64 {
        let request = graphql(&self.token, query, &json!({}));
        run(self.sqlite.port, CONNECTIONS, |_| repeat(request.clone())).rate()
    }

    fn logins(&self) -> f64 {
        let connections = cores() * 4;
        let logins = |mut index| {
            move |_: &str| {
                index += connections;
                graphql("", LOGIN_MUTATION, &json!({ "n": name(index % ACCOUNTS), "p": PASSWORD }))
            }
        };
        run(self.sqlite.port, connections, logins).rate()
    }
}

fn refreshes(server: &Server) -> f64 {
    let tokens: Vec<String> = (0..SESSIONS).map(|index| server.login(&name(index)).1).collect();
    run(server.port, SESSIONS, |index| refresh_chain(tokens[index].clone())).rate()
}

fn name(index: usize) -> String {
    format!("ann{index}")
}

/// Measures both builds and prints the comparison.
pub fn measure() {
    let Some(other) = env_var(OTHER_PROGRAM) else {
        eprintln!("set {OTHER_PROGRAM} to the accountd binary of the other build");
        std::process::exit(2);
    };
    let url = env_var("ACCOUNTD_TEST_POSTGRES");
    let databases = [("turns_other", other), ("turns_this", PROGRAM.to_owned())]
        .map(|(name, program)| (url.clone().map(|url| PostgresDatabase::create(url, name)), program));
    let baseline = Server::baseline();
    let builds = databases.each_ref().map(|(database, program)| Build::start(program, database.as_ref()));
    let constant = graphql(&builds[1].token, ME_QUERY, &json!({}));
    println!("{ROUNDS} rounds: other build, this build, ratio of this to the other (median, minimum to maximum)");
    for (workload_name, workload) in WORKLOADS {
        let (mut baselines, mut rates, mut shares) = (Vec::new(), [Vec::new(), Vec::new()], Vec::new());
        for round in 0..ROUNDS {
            baselines.push(run(baseline.port, CONNECTIONS, |_| repeat(constant.clone())).rate());
            // The order alternates: background load of the machine affects both.
            for index in if round % 2 == 0 { [0, 1] } else { [1, 0] } {
                rates[index].extend(workload(&builds[index]));
            }
            let [others, these] = &rates;
            shares.extend(others.get(round).zip(these.get(round)).map(|(other, this)| this / other));
        }
        if shares.is_empty() {
            println!("{workload_name}: not measured: set ACCOUNTD_TEST_POSTGRES to a server");
            continue;
        }
        let minimum = shares.iter().copied().fold(f64::MAX, f64::min);
        let maximum = shares.iter().copied().fold(f64::MIN, f64::max);
        let (baseline, [other, this]) = (median(baselines), rates.map(median));
        println!(
            "{workload_name}: {other:.0}/s, {this:.0}/s, {:.3} ({minimum:.3} to {maximum:.3}); ratio to the baseline {:.3} and {:.3}",
            median(shares),
            other / baseline,
            this / baseline,
        );
    }
}
