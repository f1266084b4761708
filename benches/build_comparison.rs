//! Two builds by turns: what a change made faster or slower, beside the bare server of the same minute.

use serde_json::json;

use crate::hashing::LOGIN_MUTATION;
use crate::load::{graphql, repeat, run};
use crate::machine::cores;
use crate::reads::{CONNECTIONS, ME_QUERY, USERS_QUERY};
use crate::refresh::{PostgresDatabase, SESSIONS, refresh_chain};
use crate::server::{PROGRAM, Server, TempDirectory, create_admin, env_var, migrate};
use crate::{PASSWORD, median};

/// Names the binary of the other build; a name that no accountd takes for a setting.
const OTHER_PROGRAM: &str = "BENCH_OTHER";

/// How often each build has its turn.
const TURNS: usize = 7;

/// Accounts that log in: so many that none gets to the limit of its sessions.
const ACCOUNTS: usize = 64;

/// What both builds are asked.
const WORKLOADS: [(&str, Workload); 5] = [
    ("`me`", |build| Some(build.reads(ME_QUERY))),
    ("`users(first: 20)`", |build| Some(build.reads(USERS_QUERY))),
    ("`refresh` on SQLite", |build| Some(refreshes(&build.sqlite))),
    ("`refresh` on PostgreSQL", |build| build.postgres.as_ref().map(refreshes)),
    ("`login`", |build| Some(build.logins())),
];

/// The rate of one round; none where no server runs.
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
        // Settings that either build may not know are none of its business.
        let embedded = Server::start_program(program, &directories[0], &[("ACCOUNTD_LIMITS__ENABLED", "false")]);
        create_admin(program, &directories[0], "root");
        let postgres = database.map(|database| {
            migrate(program, &directories[1], &database.settings());
            Server::start_program(program, &directories[1], &database.settings())
        });
        for server in [Some(&embedded), postgres.as_ref()].into_iter().flatten() {
            for number in 0..ACCOUNTS {
                server.register(&name(number));
            }
        }
        let token = embedded.login("root").0;
        Self { sqlite: embedded, postgres, token, _directories: directories }
    }

    fn reads(&self, query: &str) -> f64 {
        let request = graphql(&self.token, query, &json!({}));
        run(self.sqlite.port, CONNECTIONS, |_| repeat(request.clone())).rate()
    }

    fn logins(&self) -> f64 {
        let connections = cores() * 4;
        let logins = |mut number| {
            move |_: &str| {
                number += connections;
                graphql("", LOGIN_MUTATION, &json!({ "n": name(number % ACCOUNTS), "p": PASSWORD }))
            }
        };
        run(self.sqlite.port, connections, logins).rate()
    }
}

fn refreshes(server: &Server) -> f64 {
    let tokens: Vec<String> = (0..SESSIONS).map(|number| server.login(&name(number)).1).collect();
    run(server.port, SESSIONS, |number| refresh_chain(tokens[number].clone())).rate()
}

fn name(number: usize) -> String {
    format!("ann{number}")
}

pub fn measure() {
    let Some(other) = env_var(OTHER_PROGRAM) else {
        eprintln!("{OTHER_PROGRAM} names no binary: build the other commit and name its accountd");
        std::process::exit(2);
    };
    let url = env_var("ACCOUNTD_TEST_POSTGRES");
    let databases = [("turns_other", other), ("turns_this", PROGRAM.to_owned())]
        .map(|(name, program)| (url.clone().map(|url| PostgresDatabase::create(url, name)), program));
    let bare = Server::baseline();
    let builds = databases.each_ref().map(|(database, program)| Build::start(program, database.as_ref()));
    let constant = graphql(&builds[1].token, ME_QUERY, &json!({}));
    println!("{TURNS} turns; the other build, this build, and this beside the other: median, least and most");
    for (what, asked) in WORKLOADS {
        let (mut bares, mut rates, mut shares) = (Vec::new(), [Vec::new(), Vec::new()], Vec::new());
        for turn in 0..TURNS {
            bares.push(run(bare.port, CONNECTIONS, |_| repeat(constant.clone())).rate());
            // Who comes first changes: what the machine does meanwhile meets both.
            for number in if turn % 2 == 0 { [0, 1] } else { [1, 0] } {
                rates[number].extend(asked(&builds[number]));
            }
            let [others, these] = &rates;
            shares.extend(others.get(turn).zip(these.get(turn)).map(|(other, this)| this / other));
        }
        if shares.is_empty() {
            println!("{what}: not measured, because ACCOUNTD_TEST_POSTGRES names no server");
            continue;
        }
        let least = shares.iter().copied().fold(f64::MAX, f64::min);
        let most = shares.iter().copied().fold(f64::MIN, f64::max);
        let (bare, [other, this]) = (median(bares), rates.map(median));
        println!(
            "{what}: {other:.0}/s, {this:.0}/s, {:.3} ({least:.3} to {most:.3}); beside the bare server {:.3} and {:.3}",
            median(shares),
            other / bare,
            this / bare,
        );
    }
}
