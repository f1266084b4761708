//! Reading: `me` beside the bare server that answers the same, and a page of users among a million.

use serde_json::json;

use crate::load::{graphql, repeat, run};
use crate::report::{Report, percent};
use crate::server::{PROGRAM, Server, TempDirectory, create_admin};
use crate::{ROUNDS, median, seed};

/// Connections that ask at a time.
pub const CONNECTIONS: usize = 32;

/// What both servers are asked.
pub const ME_QUERY: &str = "{ me { id username } }";

/// What an administrator's list shows first.
pub const USERS_QUERY: &str =
    "{ users(first: 20) { nodes { id username status roles createdAt } pageInfo { hasNextPage } } }";

pub fn measure(report: &mut Report) {
    let (directory, bare) = (TempDirectory::new(), Server::baseline());
    create_admin(PROGRAM, &directory, "root");
    seed::users(&directory, 1_000_000);
    let server = Server::start(&directory);
    let me = graphql(&server.login("root").0, ME_QUERY, &json!({}));
    let page = graphql(&server.login("root").0, USERS_QUERY, &json!({}));
    let (mut shares, mut rates, mut pages) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let constant = run(bare.port, CONNECTIONS, |_| repeat(me.clone())).rate();
        let rate = run(server.port, CONNECTIONS, |_| repeat(me.clone())).rate();
        shares.push(rate / constant);
        rates.push(rate);
        pages.push(run(server.port, CONNECTIONS, |_| repeat(page.clone())).rate() / constant);
    }
    report.record(format!("`me` a second, {CONNECTIONS} connections"), format!("{:.0}", median(rates)));
    report.record_share("`me` beside the bare server's constant", median(shares), 80);
    report.record("`users(first: 20)` among 1,000,000, beside the same constant", percent(median(pages)));
}
