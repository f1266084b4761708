//! Opens the service: database, secret, keys and the components of [`App`]. Starts the invalidation poller and the hash
//! threads.

use std::sync::Arc;

use anyhow::Result;
use tokio::sync::watch;

use super::connect::connect;
use super::migrate::{migrate, require_migrated};
use super::{data_dir, into_anyhow};
use crate::account::operator::bootstrap;
use crate::app::{App, Parts};
use crate::cache::revocation_list::RevocationList;
use crate::cache::wakeup::PeerWakeup;
use crate::cache::wakeup::postgres::PostgresNotify;
use crate::cache::wakeup::redis::RedisPubSub;
use crate::cache::{IdentityCache, InvalidationPoller};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::database::Database;
use crate::egress::{HttpClient, SystemResolver};
use crate::entropy::Entropy;
use crate::hooks::Hooks;
use crate::limits::failure_windows::FailureWindows;
use crate::limits::rate_limits::RateLimits;
use crate::limits::stream_quota::StreamQuota;
use crate::redis::SharedRedis;
use crate::security::derived_key::{Purpose, derive_key};
use crate::security::hasher::Hasher;
use crate::security::key_encryption::KeyEncryption;
use crate::security::policy::Policy;
use crate::security::pool::HashPool;

/// Opens the service; an embedded database is created and migrated first.
///
/// # Errors
/// What cannot be opened, and the fix.
pub async fn open(config: Config, clock: Arc<dyn Clock>, entropy: Arc<dyn Entropy>) -> Result<App> {
    let db = connect(&config).await?;
    match config.database {
        config::Database::Embedded(_) => migrate(&db).await?,
        config::Database::Server(_) => require_migrated(&db).await?,
    }
    let secret = match &config.secret_key {
        Some(secret) => secret.clone(),
        None => {
            if bootstrap::has_keys(&db, &clock).await.map_err(into_anyhow)? {
                data_dir::require_secret_file(&config.data_dir)?;
            }
            data_dir::load_or_create_secret(&config.data_dir, entropy.as_ref())?
        }
    };
    let key_encryption = KeyEncryption::new(&secret)?;
    let keys = bootstrap::load_keys(&db, &clock, &entropy, &key_encryption).await.map_err(into_anyhow)?;
    let pool = Arc::new(HashPool::start(config.password.hash_threads)?);
    let hasher = Hasher::new(&config.password, Arc::clone(&pool), Arc::clone(&entropy))?;
    let password_policy = Policy::new(&config.password, pool);
    let redis = config.redis.url.as_ref().map(|url| SharedRedis::new(url).map(Arc::new));
    let redis = redis.transpose().map_err(into_anyhow)?;
    let names_key = derive_key(&secret, Purpose::UnknownNames)?;
    let rate_limits = RateLimits::new(&config.limits, redis.as_ref(), &names_key);
    let identity_cache = IdentityCache::new(config.cache.max_callers, db.invalidation_log().clone());
    let revocation_list = Arc::new(RevocationList::default());
    let polled_list = Arc::clone(&revocation_list);
    let peer_wakeup = connect_peer_wakeup(&config, &db, redis.as_ref())?;
    let invalidation_poller =
        InvalidationPoller::start(db.invalidation_log(), db.poller().clone(), peer_wakeup, move || {
            polled_list.maybe_changed()
        });
    let (allowed, authorities) = (config.webhooks.allowed_networks.clone(), config.webhooks.trust_anchors.clone());
    let http_client = HttpClient::new(allowed, authorities, Arc::new(SystemResolver))?;
    let stream_quota = StreamQuota::new(config.graphql.max_subscriptions_per_user);
    let (hooks, webhooks_due) = (Hooks::default(), watch::Sender::new(()));
    Ok(App::new(Parts {
        db,
        identity_cache,
        invalidation_poller,
        clock,
        entropy,
        hasher,
        password_policy,
        rate_limits,
        failure_windows: FailureWindows::default(),
        keys,
        hooks,
        http_client,
        stream_quota,
        revocation_list,
        webhooks_due,
        config,
    }))
}

/// How this node wakes its peers. Nodes on an embedded database are on one machine, and poll.
fn connect_peer_wakeup(
    config: &Config,
    db: &Database,
    shared: Option<&Arc<SharedRedis>>,
) -> Result<Option<Arc<dyn PeerWakeup>>> {
    Ok(match (&config.database, shared) {
        (config::Database::Server(url), _) if db.is_postgres() => {
            Some(Arc::new(PostgresNotify::new(url, db.poller().clone()).map_err(into_anyhow)?))
        }
        (config::Database::Server(_), Some(shared)) => Some(Arc::new(RedisPubSub::new(Arc::clone(shared)))),
        _ => None,
    })
}
