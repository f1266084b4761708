//! Makes databases on a server, cleans and reuses them, and drops them when the run is over, even if it was killed.
//!
//! To drop a database PostgreSQL flushes everything to the disk, which takes a second; to empty one takes milliseconds.
//! So a run has a few databases, each for one test at a time. A second process, this program again, waits for the end
//! of the run and drops them, and those of earlier runs that left any.

use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use sea_orm::DbBackend;
use tokio::sync::{mpsc, oneshot};

use super::server::{PREFIX, Server};

/// Set for the process that drops databases when the run is over.
const REAPER: &str = "ACCOUNTD_TEST_SWEEPER";

/// Who makes databases on the server that the environment names.
pub struct DatabasePool {
    pub backend: DbBackend,
    server: Server,
    requests: mpsc::UnboundedSender<Request>,
}

/// A database that is one test's until it is dropped.
pub struct DatabaseLease {
    name: String,
    migrated: bool,
}

enum Request {
    Acquire { migrated: bool, made: oneshot::Sender<String> },
    Release { name: String, migrated: bool },
}

impl DatabaseLease {
    pub fn url(&self) -> String {
        database_pool().unwrap().server.url(&self.name)
    }
}

impl Drop for DatabaseLease {
    fn drop(&mut self) {
        let order = Request::Release { name: std::mem::take(&mut self.name), migrated: self.migrated };
        database_pool().unwrap().requests.send(order).ok();
    }
}

/// The keeper of this run, if its tests use a server.
pub fn database_pool() -> Option<&'static DatabasePool> {
    static KEEPER: OnceLock<Option<DatabasePool>> = OnceLock::new();
    KEEPER.get_or_init(|| Server::from_environment().map(DatabasePool::start)).as_ref()
}

impl DatabasePool {
    fn start(server: Server) -> Self {
        let (orders, taken) = mpsc::unbounded_channel();
        let own = server.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run_pool(own, taken));
        });
        Self { backend: server.backend, server, requests: orders }
    }

    pub async fn acquire(&self, migrated: bool) -> DatabaseLease {
        let (made, answer) = oneshot::channel();
        self.requests.send(Request::Acquire { migrated, made }).ok();
        DatabaseLease { name: answer.await.expect("the server does not make databases; its log says why"), migrated }
    }
}

#[expect(clippy::zombie_processes, reason = "it outlives this process, and ends by itself")]
async fn run_pool(server: Server, mut orders: mpsc::UnboundedReceiver<Request>) {
    let run = format!("{PREFIX}{:08x}", RandomState::new().hash_one(std::process::id()) as u32);
    let claim = server.mark_in_use(&run).await;
    // The pipe closes when this process ends, in whatever way.
    let mut sweeper = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "support::database::keeper::sweeps_up_when_the_run_is_over"])
        .env(REAPER, &run)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _pipe = sweeper.stdin.take();

    let pattern = format!("{run}_0");
    server.create(&claim, &pattern).await;
    let pattern = server.migrate(&pattern).await;
    let (mut used, mut count) = ([Vec::new(), Vec::new()], 0);
    while let Some(order) = orders.recv().await {
        match order {
            Request::Release { name, migrated } => used[usize::from(migrated)].push(name),
            Request::Acquire { migrated, made } => {
                let name = match used[usize::from(migrated)].pop() {
                    Some(name) => {
                        server.reset(&claim, &name, migrated.then_some(&pattern)).await;
                        name
                    }
                    None => {
                        count += 1;
                        let name = format!("{run}_{count}");
                        match migrated {
                            true => server.copy(&claim, &name, &pattern).await,
                            false => server.create(&claim, &name).await,
                        }
                        name
                    }
                };
                made.send(name).ok();
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "how the sweeper knows that it is one")]
fn run_to_reap() -> Option<String> {
    std::env::var(REAPER).ok()
}

/// No test of the program: started by the keeper, it waits for the end of the run.
#[test]
fn reaper_drops_databases_after_the_run() {
    let Some(run) = run_to_reap() else { return };
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    let server = Server::from_environment().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let admin = server.admin().await;
        // The server may take a moment to notice that the run is over.
        for _ in 0..200 {
            if server.drop_leftovers(&admin).await.iter().any(|name| name.starts_with(&run)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    });
}
