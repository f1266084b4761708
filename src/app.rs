//! What every use case is given: database, time, chance, hashing, keys and settings.

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::watch;

use crate::clock::Clock;
use crate::config::Config;
use crate::entropy::Entropy;
use crate::hooks::Hooks;
use crate::live::{Memory, Watch};
use crate::outgoing::Outgoing;
use crate::security::bulletin::Bulletin;
use crate::security::failure_windows::FailureWindows;
use crate::security::hasher::Hasher;
use crate::security::keys::Keys;
use crate::security::policy::Policy;
use crate::security::streams::Streams;
use crate::security::throttle::Throttle;

pub mod database;

use database::Database;

/// The running service; a clone is a pointer.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of the running service.
pub struct Parts {
    /// Where everything is kept.
    pub db: Database,
    /// What it has said about callers, as far as that is certainly still true.
    pub memory: Memory,
    /// Keeps the memory true.
    pub watch: Watch,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Hashes and verifies passwords.
    pub hasher: Hasher,
    /// Judges new passwords.
    pub policy: Policy,
    /// Counts tries.
    pub throttle: Throttle,
    /// Counts failed tries for the audit record.
    pub failures: FailureWindows,
    /// Sign and verify tokens.
    pub keys: Keys,
    /// Who in this process is told of what happens.
    pub hooks: Hooks,
    /// Calls others.
    pub outgoing: Outgoing,
    /// Counts the streams that are open.
    pub streams: Streams,
    /// The signed list of what was revoked lately.
    pub bulletin: Arc<Bulletin>,
    /// Rings when messages to webhooks were written.
    pub webhooks_due: watch::Sender<()>,
    /// The settings it was started with.
    pub config: Config,
}

impl App {
    /// A service made of `parts`.
    pub fn new(parts: Parts) -> Self {
        Self(Arc::new(parts))
    }

    /// Whether both are the same running service.
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
