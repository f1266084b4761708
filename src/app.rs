//! The context of every use case: database, clock, entropy, hashing, keys and settings.

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

/// The running service; cloning copies a pointer.
#[derive(Clone)]
pub struct App(Arc<Parts>);

/// The components of the running service.
pub struct Parts {
    /// The database.
    pub db: Database,
    /// Cache of authenticated callers.
    pub identity_cache: IdentityCache,
    /// Keeps the cache valid across nodes.
    pub invalidation_poller: InvalidationPoller,
    /// Source of the current time.
    pub clock: Arc<dyn Clock>,
    /// Source of random bytes.
    pub entropy: Arc<dyn Entropy>,
    /// Hashes and verifies passwords.
    pub hasher: Hasher,
    /// Policy for new passwords.
    pub password_policy: Policy,
    /// Rate limits.
    pub rate_limits: RateLimits,
    /// Failed logins, aggregated for the audit log.
    pub failure_windows: FailureWindows,
    /// Keys that sign and verify tokens.
    pub keys: Keys,
    /// Hooks of the embedding program.
    pub hooks: Hooks,
    /// Client for requests to other services.
    pub http_client: HttpClient,
    /// Limits open streams per user.
    pub stream_quota: StreamQuota,
    /// The signed list of recent revocations.
    pub revocation_list: Arc<RevocationList>,
    /// Notified when webhook deliveries are queued.
    pub webhooks_due: watch::Sender<()>,
    /// The settings.
    pub config: Config,
}

impl App {
    /// A service with these components.
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
