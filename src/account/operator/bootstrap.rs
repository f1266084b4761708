//! The first steps of an installation: signing keys, and administrators made from the command line.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::secret::SecretBytes;
use entity::{signing_key, user};
use sea_orm::Set;

use crate::account::access::role::{ADMIN, by_names};
use crate::account::access::rule::DEFAULT_TENANT;
use crate::account::authentication::password::check_policy;
use crate::account::caller::requester::RequestContext;
use crate::account::event::audit::AuditEvent;
use crate::account::event::unit_of_work::{DomainEvent, UnitOfWork};
use crate::account::user::query::{NewUser, insert};
use crate::app::App;
use crate::clock::Clock;
use crate::database::Database;
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::security::key_encryption::KeyEncryption;
use crate::security::keys::{Keys, Seed, SigningKey};
use crate::store::{TenantScope, roles, signing_keys, users};

/// Whether the database has signing keys, which only the secret opens that they were made with.
///
/// # Errors
/// Internal ones only.
pub async fn has_keys(db: &Database, clock: &Arc<dyn Clock>) -> Result<bool> {
    Ok(!signing_keys::list(db.reader(), clock.now()).await?.is_empty())
}

/// The signing keys of the installation; the first start makes one.
///
/// # Errors
/// When a stored key was sealed with another secret.
pub async fn load_keys(
    db: &Database,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
    seal: &KeyEncryption,
) -> Result<Keys> {
    let now = clock.now();
    let mut rows = signing_keys::list(db.reader(), now).await?;
    if rows.is_empty() {
        // Several nodes may start for the first time at once: the first makes the key, the others find it.
        let alone = db.begin_exclusive().await?;
        rows = signing_keys::list(&*alone, now).await?;
        if rows.is_empty() {
            signing_keys::insert(&*alone, first_key(now, entropy, seal)?).await?;
            rows = signing_keys::list(&*alone, now).await?;
        }
        alone.commit().await?;
    }
    let mut keys = Vec::new();
    let mut active = None;
    for row in rows {
        let seed = seal.decrypt(&row.kid, row.sealed.expose()).and_then(|bytes| Seed::from_bytes(&bytes));
        let seed = seed.ok_or_else(|| {
            Error::internal(
                "the signing keys were sealed with another secret key: start with the one they were made with",
            )
        })?;
        let key = SigningKey::new(&seed)?;
        if active.is_none() && row.active_from.utc() <= now {
            active = Some(key);
        } else {
            keys.push(key);
        }
    }
    let active = active.ok_or_else(|| Error::internal("no signing key is active yet: is the clock right?"))?;
    Ok(Keys::new(active, keys))
}

fn first_key(now: DateTime<Utc>, entropy: &Arc<dyn Entropy>, seal: &KeyEncryption) -> Result<signing_key::ActiveModel> {
    let seed = Seed::generate(entropy.as_ref());
    let key = SigningKey::new(&seed)?;
    let sealed = seal.encrypt(entropy.as_ref(), key.kid(), seed.as_bytes())?;
    Ok(signing_key::ActiveModel {
        kid: Set(key.kid().to_owned()),
        algorithm: Set("EdDSA".to_owned()),
        sealed: Set(SecretBytes::new(sealed)),
        // It has no predecessor: it counts for nodes whose clocks are behind, too.
        active_from: Set(DateTime::UNIX_EPOCH.into()),
        retire_at: Set(None),
        created_at: Set(now.into()),
    })
}

/// Whether somebody can administer the installation.
///
/// # Errors
/// Internal ones only.
pub async fn has_admin(app: &App) -> Result<bool> {
    Ok(users::count_active_admins(app.db.reader(), TenantScope::Tenant(DEFAULT_TENANT)).await? > 0)
}

/// Makes an administrator. Only somebody with access to the machine can call this.
///
/// # Errors
/// Refusals: the name is taken, the password is weak.
pub async fn create_admin(app: &App, input: NewUser) -> Result<user::Model> {
    let now = app.clock.now();
    check_policy(app, &input.password, input.forbidden_names(), "password").await?;
    let hash = app.hasher.hash(&input.password).await?;
    app.db
        .retry(|| async {
            let tx = UnitOfWork::begin(app, now).await?;
            let user = insert(&tx, app, &input, hash.clone(), (DEFAULT_TENANT, false), now).await?;
            let admin = by_names(&tx, &[ADMIN.to_owned()]).await?;
            roles::insert_of_user(&tx, user.id, &admin.iter().map(|role| role.row.id).collect()).await?;
            let client = RequestContext::new(None, None, "command line".to_owned());
            AuditEvent::success("admin.create").on_user(&user).record(&tx, app, &client, now).await?;
            tx.emit(DomainEvent::UserCreated(user.clone()));
            tx.commit().await?;
            Ok(user)
        })
        .await
}
