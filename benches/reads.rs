//! Reads: `me` against the baseline server, and a page of users among a million.

use serde_json::json;

use crate::load::{graphql, repeat, run};
use crate::report::{Report, percent};
use crate::server::{PROGRAM, Server, TempDirectory, create_admin};
use crate::{ROUNDS, median, seed};

/// Concurrent connections.
pub const CONNECTIONS: usize = 32;

/// The query that both servers get.
pub const ME_QUERY: &str = "{ me { id username } }";

/// The first page of the administrator's user list.
pub const USERS_QUERY: &str =
    "{ users(first: 20) { nodes { id username status roles createdAt } pageInfo { hasNextPage } } }";

/// Measures `me` and a page of users.
pub fn measure(report: &mut Report) {
    let (directory, baseline) = (TempDirectory::new(), Server::baseline());
    create_admin(PROGRAM, &directory, "root");
    seed::users(&directory, 1_000_000);
    let server = Server::start(&directory);
    let me = graphql(&server.login("root").0, ME_QUERY, &json!({}));
    let page = graphql(&server.login("root").0, USERS_QUERY, &json!({}));
    let (mut shares, mut rates, mut pages) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let constant = run(baseline.port, CONNECTIONS, |_| repeat(me.clone())).rate();
        let rate = run(server.port, CONNECTIONS, |_| repeat(me.clone())).rate();
        shares.push(rate / constant);
        rates.push(rate);
        pages.push(run(server.port, CONNECTIONS, |_| repeat(page.clone())).rate() / constant);
    }
    report.record(format!("`me` per second, {CONNECTIONS} connections"), format!("{:.0}", median(rates)));
    report.record_share("`me`, share of the baseline", median(shares), 80);
    report.record("`users(first: 20)` of 1,000,000, share of the same baseline", percent(median(pages)));
}
