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
const SWEEPER: &str = "ACCOUNTD_TEST_SWEEPER";

/// Who makes databases on the server that the environment names.
pub struct Keeper {
    pub backend: DbBackend,
    server: Server,
    orders: mpsc::UnboundedSender<Order>,
}

/// A database that is one test's until it is dropped.
pub struct Made {
    name: String,
    migrated: bool,
}

enum Order {
    Make { migrated: bool, made: oneshot::Sender<String> },
    TakeBack { name: String, migrated: bool },
}

impl Made {
    pub fn url(&self) -> String {
        keeper().unwrap().server.url(&self.name)
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        let order = Order::TakeBack { name: std::mem::take(&mut self.name), migrated: self.migrated };
        keeper().unwrap().orders.send(order).ok();
    }
}

/// The keeper of this run, if its tests use a server.
pub fn keeper() -> Option<&'static Keeper> {
    static KEEPER: OnceLock<Option<Keeper>> = OnceLock::new();
    KEEPER.get_or_init(|| Server::from_environment().map(Keeper::start)).as_ref()
}

impl Keeper {
    fn start(server: Server) -> Self {
        let (orders, taken) = mpsc::unbounded_channel();
        let own = server.clone();
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(keep(own, taken));
        });
        Self { backend: server.backend, server, orders }
    }

    pub async fn make(&self, migrated: bool) -> Made {
        let (made, answer) = oneshot::channel();
        self.orders.send(Order::Make { migrated, made }).ok();
        Made { name: answer.await.expect("the server does not make databases; its log says why"), migrated }
    }
}

#[expect(clippy::zombie_processes, reason = "it outlives this process, and ends by itself")]
async fn keep(server: Server, mut orders: mpsc::UnboundedReceiver<Order>) {
    let run = format!("{PREFIX}{:08x}", RandomState::new().hash_one(std::process::id()) as u32);
    let claim = server.claim(&run).await;
    // The pipe closes when this process ends, in whatever way.
    let mut sweeper = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "support::database::keeper::sweeps_up_when_the_run_is_over"])
        .env(SWEEPER, &run)
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
            Order::TakeBack { name, migrated } => used[usize::from(migrated)].push(name),
            Order::Make { migrated, made } => {
                let name = match used[usize::from(migrated)].pop() {
                    Some(name) => {
                        server.clear(&claim, &name, migrated.then_some(&pattern)).await;
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
fn run_to_sweep() -> Option<String> {
    std::env::var(SWEEPER).ok()
}

/// No test of the program: started by the keeper, it waits for the end of the run.
#[test]
fn sweeps_up_when_the_run_is_over() {
    let Some(run) = run_to_sweep() else { return };
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
