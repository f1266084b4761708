//! What every use case is given: database, time, chance, hashing, keys and settings.

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::watch;

use crate::cache::revocation_list::RevocationList;
use crate::cache::{IdentityCache, InvalidationPoller};
use crate::clock::Clock;
use crate::config::Config;
use crate::egress::HttpClient;
use crate::entropy::Entropy;
use crate::hooks::Hooks;
use crate::limits::failure_windows::FailureWindows;
use crate::limits::rate_limits::RateLimits;
use crate::limits::stream_quota::StreamQuota;
use crate::security::hasher::Hasher;
use crate::security::keys::Keys;
use crate::security::policy::Policy;

use crate::database::Database;

/// The running service; a clone is a pointer.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The parts of the running service.
pub struct Parts {
    /// Where everything is kept.
    pub db: Database,
    /// What it has said about callers, as far as that is certainly still true.
    pub identity_cache: IdentityCache,
    /// Keeps the memory true.
    pub invalidation_poller: InvalidationPoller,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Draws random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Hashes and verifies passwords.
    pub hasher: Hasher,
    /// Judges new passwords.
    pub password_policy: Policy,
    /// Counts tries.
    pub throttle: RateLimits,
    /// Counts failed tries for the audit record.
    pub failure_windows: FailureWindows,
    /// Sign and verify tokens.
    pub keys: Keys,
    /// Who in this process is told of what happens.
    pub hooks: Hooks,
    /// Calls others.
    pub http_client: HttpClient,
    /// Counts the streams that are open.
    pub stream_quota: StreamQuota,
    /// The signed list of what was revoked lately.
    pub revocation_list: Arc<RevocationList>,
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
    pub fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}
