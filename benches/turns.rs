//! Two builds by turns: what a change made faster or slower, beside the bare server of the same minute.

use serde_json::json;

use crate::client::{always, graphql, run};
use crate::hashing::LOGIN;
use crate::machine::cores;
use crate::reads::{CONNECTIONS, ME, PAGE};
use crate::refresh::{PostgresDatabase, SESSIONS, renewing};
use crate::server::{Directory, PROGRAM, Server, make_admin, migrate, setting};
use crate::{PASSWORD, median};

/// Names the binary of the other build; a name that no accountd takes for a setting.
const OTHER: &str = "BENCH_OTHER";

/// How often each build has its turn.
const TURNS: usize = 7;

/// Accounts that log in: so many that none gets to the limit of its sessions.
const ACCOUNTS: usize = 64;

/// What both builds are asked.
const ASKED: [(&str, Asked); 5] = [
    ("`me`", |build| Some(build.reads(ME))),
    ("`users(first: 20)`", |build| Some(build.reads(PAGE))),
    ("`refresh` on SQLite", |build| Some(refreshes(&build.embedded))),
    ("`refresh` on PostgreSQL", |build| build.postgres.as_ref().map(refreshes)),
    ("`login`", |build| Some(build.logins())),
];

/// The rate of one round; none where no server runs.
type Asked = fn(&Build) -> Option<f64>;

/// A build, started on a database of each kind.
struct Build {
    embedded: Server,
    postgres: Option<Server>,
    token: String,
    _directories: [Directory; 2],
}

impl Build {
    fn start(program: &str, database: Option<&PostgresDatabase>) -> Self {
        let directories = [Directory::new(), Directory::new()];
        // Settings that either build may not know are none of its business.
        let embedded = Server::of(program, &directories[0], &[("ACCOUNTD_LIMITS__ENABLED", "false")]);
        make_admin(program, &directories[0], "root");
        let postgres = database.map(|database| {
            migrate(program, &directories[1], &database.settings());
            Server::of(program, &directories[1], &database.settings())
        });
        for server in [Some(&embedded), postgres.as_ref()].into_iter().flatten() {
            for number in 0..ACCOUNTS {
                server.register(&name(number));
            }
        }
        let token = embedded.login("root").0;
        Self { embedded, postgres, token, _directories: directories }
    }

    fn reads(&self, query: &str) -> f64 {
        let request = graphql(&self.token, query, &json!({}));
        run(self.embedded.port, CONNECTIONS, |_| always(request.clone())).rate()
    }

    fn logins(&self) -> f64 {
        let connections = cores() * 4;
        let logins = |mut number| {
            move |_: &str| {
                number += connections;
                graphql("", LOGIN, &json!({ "n": name(number % ACCOUNTS), "p": PASSWORD }))
            }
        };
        run(self.embedded.port, connections, logins).rate()
    }
}

fn refreshes(server: &Server) -> f64 {
    let tokens: Vec<String> = (0..SESSIONS).map(|number| server.login(&name(number)).1).collect();
    run(server.port, SESSIONS, |number| renewing(tokens[number].clone())).rate()
}

fn name(number: usize) -> String {
    format!("ann{number}")
}

pub fn measure() {
    let Some(other) = setting(OTHER) else {
        eprintln!("{OTHER} names no binary: build the other commit and name its accountd");
        std::process::exit(2);
    };
    let url = setting("ACCOUNTD_TEST_POSTGRES");
    let databases = [("turns_other", other), ("turns_this", PROGRAM.to_owned())]
        .map(|(name, program)| (url.clone().map(|url| PostgresDatabase::create(url, name)), program));
    let bare = Server::bare();
    let builds = databases.each_ref().map(|(database, program)| Build::start(program, database.as_ref()));
    let constant = graphql(&builds[1].token, ME, &json!({}));
    println!("{TURNS} turns; the other build, this build, and this beside the other: median, least and most");
    for (what, asked) in ASKED {
        let (mut bares, mut rates, mut shares) = (Vec::new(), [Vec::new(), Vec::new()], Vec::new());
        for turn in 0..TURNS {
            bares.push(run(bare.port, CONNECTIONS, |_| always(constant.clone())).rate());
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
