//! Start: from settings to a running [`App`]: the data directory, the secret, the database and the keys.

use std::sync::Arc;

use anyhow::{Context, Result};
use migration::{DbErr, Migrator, MigratorTrait};
use tokio::sync::watch;

use crate::account::{bootstrap, failures, webhook};
use crate::app::database::Database;
use crate::app::{App, Parts};
use crate::clock::Clock;
use crate::config::{self, Config};
use crate::entropy::Entropy;
use crate::error::Error;
use crate::hooks::Hooks;
use crate::live::nudge::Nudge;
use crate::live::nudge::listen::Listen;
use crate::live::nudge::publish::Publish;
use crate::live::{Memory, Watch};
use crate::outgoing::{Outgoing, SystemResolver};
use crate::security::bulletin::Bulletin;
use crate::security::failure_windows::FailureWindows;
use crate::security::hasher::Hasher;
use crate::security::policy::Policy;
use crate::security::pool::Pool;
use crate::security::seal::Seal;
use crate::security::streams::Streams;
use crate::security::throttle::Throttle;
use crate::shared::Shared;

mod files;
pub mod retention;

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
            if bootstrap::has_keys(&db, &clock).await.map_err(explained)? {
                files::require_secret(&config.data_dir)?;
            }
            files::own_secret(&config.data_dir, entropy.as_ref())?
        }
    };
    let seal = Seal::new(&secret)?;
    let keys = bootstrap::load_keys(&db, &clock, &entropy, &seal).await.map_err(explained)?;
    let pool = Arc::new(Pool::start(config.password.hash_threads)?);
    let hasher = Hasher::new(&config.password, Arc::clone(&pool), Arc::clone(&entropy))?;
    let policy = Policy::new(&config.password, pool);
    let shared = config.cluster.redis_url.as_ref().map(|url| Shared::new(url).map(Arc::new));
    let shared = shared.transpose().map_err(explained)?;
    let throttle = Throttle::new(&config.limits, shared.as_ref(), &secret)?;
    let memory = Memory::new(config.cluster.cached_callers, db.ledger().clone());
    let bulletin = Arc::new(Bulletin::default());
    let heard = Arc::clone(&bulletin);
    let nudge = nudge(&config, &db, shared.as_ref())?;
    let watch = Watch::start(db.ledger(), db.watcher().clone(), nudge, move || heard.hear());
    let (allowed, authorities) = (config.webhooks.allowed_networks.clone(), config.webhooks.authorities.clone());
    let outgoing = Outgoing::new(allowed, authorities, Arc::new(SystemResolver))?;
    let streams = Streams::new(config.graphql.max_subscriptions_per_user);
    let (hooks, webhooks_due) = (Hooks::default(), watch::Sender::new(()));
    Ok(App::new(Parts {
        db,
        memory,
        watch,
        clock,
        entropy,
        hasher,
        policy,
        throttle,
        failures: FailureWindows::default(),
        keys,
        hooks,
        outgoing,
        streams,
        bulletin,
        webhooks_due,
        config,
    }))
}

/// What the service does beside answering requests, for as long as it is polled: it sends messages to webhooks, purges
/// what is over, and records failures that were counted.
pub async fn background(app: App) {
    tokio::join!(webhook::run(app.clone()), retention::keep(app.clone()), failures::keep(app));
}

/// The way in which this node wakes the others. An embedded database's nodes are on one machine, and look by themselves.
fn nudge(config: &Config, db: &Database, shared: Option<&Arc<Shared>>) -> Result<Option<Arc<dyn Nudge>>> {
    Ok(match (&config.database, shared) {
        (config::Database::Server(url), _) if db.is_postgres() => {
            Some(Arc::new(Listen::new(url, db.watcher().clone()).map_err(explained)?))
        }
        (config::Database::Server(_), Some(shared)) => Some(Arc::new(Publish::new(Arc::clone(shared)))),
        _ => None,
    })
}

/// Connects to the configured database; the embedded one gets its directory and a file that only its owner reads.
///
/// # Errors
/// When the directory, the file or the server cannot be used.
pub async fn connect(config: &Config) -> Result<Database> {
    if let config::Database::Embedded(path) = &config.database {
        files::make_private(&config.data_dir, path)?;
    }
    connect_as_it_is(config).await
}

/// Connects without touching the files around the database.
async fn connect_as_it_is(config: &Config) -> Result<Database> {
    if let config::Database::Embedded(path) = &config.database {
        let place = || format!("cannot open the database {}", path.display());
        return Database::connect(&config.database).await.map_err(explained).with_context(place);
    }
    Database::connect(&config.database).await.map_err(explained)
}

/// The database as it is, for those who change nothing: nothing is made and nothing migrated. None if the embedded one is
/// not there yet.
///
/// # Errors
/// When it cannot be reached, or is of another version.
pub async fn look(config: &Config) -> Result<Option<Database>> {
    if let config::Database::Embedded(path) = &config.database
        && !path.exists()
    {
        return Ok(None);
    }
    let db = connect_as_it_is(config).await?;
    require_migrated(&db).await?;
    Ok(Some(db))
}

/// Brings the database to this version. Of several processes that try, one does it and the others wait for it.
///
/// # Errors
/// When a step fails, or the database is of a later version.
pub async fn migrate(db: &Database) -> Result<()> {
    let alone = db.begin_alone().await.map_err(explained).context("cannot migrate the database")?;
    // One connection does it all: on SQLite and PostgreSQL the steps are one transaction.
    match Migrator::up(&*alone, None).await {
        Ok(()) => alone.commit().await.map_err(explained),
        Err(error) => {
            alone.rollback().await.map_err(explained)?;
            Err(later_or(error)).context("cannot bring the database to this version")
        }
    }
}

async fn require_migrated(db: &Database) -> Result<()> {
    let pending = Migrator::get_pending_migrations_read_only(db.reader()).await;
    let pending = pending.map_err(later_or).context("cannot start on this database")?;
    anyhow::ensure!(pending.is_empty(), "the database is older than this program: run `accountd migrate` first");
    Ok(())
}

/// The migrator's complaint about a step that it does not know, in words for the operator.
fn later_or(error: DbErr) -> anyhow::Error {
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
fn explained(error: Error) -> anyhow::Error {
    match error {
        Error::Internal(cause) | Error::StorageUnavailable(cause) => cause,
        other => other.into(),
    }
}
