//! Start: from settings to a running [`App`]: the data directory, the secret, the database and the keys.

use std::sync::Arc;

use anyhow::{Context, Result};
use migration::{DbErr, Migrator, MigratorTrait};
use tokio::sync::watch;

use crate::account::event::{failure_audit, webhook};
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
use crate::error::Error;
use crate::hooks::Hooks;
use crate::limits::failure_windows::FailureWindows;
use crate::limits::rate_limits::RateLimits;
use crate::limits::stream_quota::StreamQuota;
use crate::redis::SharedRedis;
use crate::security::hasher::Hasher;
use crate::security::key_encryption::KeyEncryption;
use crate::security::policy::Policy;
use crate::security::pool::HashPool;

mod data_dir;
pub mod jobs;

/// Opens everything; an embedded database is made and migrated first.
///
/// # Errors
/// What could not be opened and what to do about it.
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
    let redis = config.cache.redis_url.as_ref().map(|url| SharedRedis::new(url).map(Arc::new));
    let redis = redis.transpose().map_err(into_anyhow)?;
    let throttle = RateLimits::new(&config.limits, redis.as_ref(), &secret)?;
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
        throttle,
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

/// What the service does beside answering requests, for as long as it is polled: it sends messages to webhooks, purges
/// what is over, and records failures that were counted.
pub async fn background(app: App) {
    tokio::join!(webhook::run(app.clone()), jobs::purge_periodically(app.clone()), failure_audit::run(app));
}

/// The way in which this node wakes the others. An embedded database's nodes are on one machine, and look by themselves.
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

/// Connects to the configured database; the embedded one gets its directory and a file that only its owner reads.
///
/// # Errors
/// When the directory, the file or the server cannot be used.
pub async fn connect(config: &Config) -> Result<Database> {
    if let config::Database::Embedded(path) = &config.database {
        data_dir::create_private_files(&config.data_dir, path)?;
    }
    connect_existing(config).await
}

/// Connects without touching the files around the database.
async fn connect_existing(config: &Config) -> Result<Database> {
    if let config::Database::Embedded(path) = &config.database {
        let place = || format!("cannot open the database {}", path.display());
        return Database::connect(&config.database).await.map_err(into_anyhow).with_context(place);
    }
    Database::connect(&config.database).await.map_err(into_anyhow)
}

/// The database as it is, for those who change nothing: nothing is made and nothing migrated. None if the embedded one is
/// not there yet.
///
/// # Errors
/// When it cannot be reached, or is of another version.
pub async fn open_read_only(config: &Config) -> Result<Option<Database>> {
    if let config::Database::Embedded(path) = &config.database
        && !path.exists()
    {
        return Ok(None);
    }
    let db = connect_existing(config).await?;
    require_migrated(&db).await?;
    Ok(Some(db))
}

/// Brings the database to this version. Of several processes that try, one does it and the others wait for it.
///
/// # Errors
/// When a step fails, or the database is of a later version.
pub async fn migrate(db: &Database) -> Result<()> {
    let tx = db.begin_exclusive().await.map_err(into_anyhow).context("cannot migrate the database")?;
    // One connection does it all: on SQLite and PostgreSQL the steps are one transaction.
    match Migrator::up(&*tx, None).await {
        Ok(()) => tx.commit().await.map_err(into_anyhow),
        Err(error) => {
            tx.rollback().await.map_err(into_anyhow)?;
            Err(version_error(error)).context("cannot bring the database to this version")
        }
    }
}

async fn require_migrated(db: &Database) -> Result<()> {
    let pending = Migrator::get_pending_migrations_read_only(db.reader()).await;
    let pending = pending.map_err(version_error).context("cannot start on this database")?;
    anyhow::ensure!(pending.is_empty(), "the database is older than this program: run `accountd migrate` first");
    Ok(())
}

/// The migrator's complaint about a step that it does not know, in words for the operator.
fn version_error(error: DbErr) -> anyhow::Error {
    match error {
        // It has no other failure of its own at this place, and no variant for this one.
        DbErr::Custom(_) => {
            anyhow::anyhow!(
                "the database is newer than this program: start the version that migrated it, or a later one"
            )
        }
        error => error.into(),
    }
}

/// Errors show their cause here: the reader is the operator, not a client.
fn into_anyhow(error: Error) -> anyhow::Error {
    match error {
        Error::Internal(cause) | Error::StorageUnavailable(cause) => cause,
        other => other.into(),
    }
}
