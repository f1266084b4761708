//! Creates databases on a server, cleans and reuses them, and drops them after the run, even if it was killed.
//!
//! To drop a database PostgreSQL flushes everything to the disk, which takes a second; to empty one takes milliseconds.
//! So a run has a few databases, each for one test at a time. A second process of this program waits for the end of the
//! run and drops them, with leftovers of earlier runs.

use std::hash::{BuildHasher, RandomState};
use std::io::Read;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use sea_orm::DbBackend;
use tokio::sync::{mpsc, oneshot};

use super::server::{PREFIX, Server};

/// Set for the process that drops databases after the run.
const REAPER: &str = "ACCOUNTD_TEST_REAPER";

/// Creates databases on the server named by the environment.
pub struct DatabasePool {
    pub backend: DbBackend,
    server: Server,
    requests: mpsc::UnboundedSender<Request>,
}

/// A database leased to one test until dropped.
pub struct DatabaseLease {
    name: String,
    migrated: bool,
}

enum Request {
    Acquire { migrated: bool, ready: oneshot::Sender<String> },
    Release { name: String, migrated: bool },
}

impl DatabaseLease {
    pub fn url(&self) -> String {
        database_pool().unwrap().server.url(&self.name)
    }
}

impl Drop for DatabaseLease {
    fn drop(&mut self) {
        let request = Request::Release { name: std::mem::take(&mut self.name), migrated: self.migrated };
        database_pool().unwrap().requests.send(request).ok();
    }
}

/// The pool of this run, if its tests use a server.
pub fn database_pool() -> Option<&'static DatabasePool> {
    static POOL: OnceLock<Option<DatabasePool>> = OnceLock::new();
    POOL.get_or_init(|| Server::from_environment().map(DatabasePool::start)).as_ref()
}

impl DatabasePool {
    fn start(server: Server) -> Self {
        let (requests, received) = mpsc::unbounded_channel();
        let own = server.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(run_pool(own, received));
        });
        Self { backend: server.backend, server, requests }
    }

    pub async fn acquire(&self, migrated: bool) -> DatabaseLease {
        let (ready, name) = oneshot::channel();
        self.requests.send(Request::Acquire { migrated, ready }).ok();
        DatabaseLease { name: name.await.expect("the server creates no databases; see its log"), migrated }
    }
}

#[expect(clippy::zombie_processes, reason = "it outlives this process, and ends by itself")]
async fn run_pool(server: Server, mut requests: mpsc::UnboundedReceiver<Request>) {
    let run = format!("{PREFIX}{:08x}", RandomState::new().hash_one(std::process::id()) as u32);
    let claim = server.mark_in_use(&run).await;
    // The pipe closes when this process ends, for any reason.
    let mut reaper = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "support::database::pool::reaper_drops_databases_after_the_run"])
        .env(REAPER, &run)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let _pipe = reaper.stdin.take();

    let template = format!("{run}_0");
    server.create(&claim, &template).await;
    let template = server.migrate(&template).await;
    let (mut used, mut count) = ([Vec::new(), Vec::new()], 0);
    while let Some(request) = requests.recv().await {
        match request {
            Request::Release { name, migrated } => used[usize::from(migrated)].push(name),
            Request::Acquire { migrated, ready } => {
                let name = match used[usize::from(migrated)].pop() {
                    Some(name) => {
                        server.reset(&claim, &name, migrated.then_some(&template)).await;
                        name
                    }
                    None => {
                        count += 1;
                        let name = format!("{run}_{count}");
                        match migrated {
                            true => server.copy(&claim, &name, &template).await,
                            false => server.create(&claim, &name).await,
                        }
                        name
                    }
                };
                ready.send(name).ok();
            }
        }
    }
}

#[expect(clippy::disallowed_methods, reason = "marks the reaper process")]
fn run_to_reap() -> Option<String> {
    std::env::var(REAPER).ok()
}

/// No test of the program: the process started by the pool, which waits for the end of the run.
#[test]
fn reaper_drops_databases_after_the_run() {
    let Some(run) = run_to_reap() else { return };
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
    let server = Server::from_environment().unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let admin = server.admin().await;
        // The server may take a moment to notice the end of the run.
        for _ in 0..200 {
            if server.drop_leftovers(&admin).await.iter().any(|name| name.starts_with(&run)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
    });
}
