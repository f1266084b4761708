//! Signing keys of the installation, and administrators created on the command line.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use entity::secret::SecretBytes;
use entity::{signing_key, user};

use crate::account::access::grants::ADMIN;
use crate::account::access::permission::DEFAULT_TENANT;
use crate::account::administration::role::by_names;
use crate::account::authentication::password_policy::check_policy;
use crate::account::caller::request_context::RequestContext;
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::event::domain_event::DomainEvent;
use crate::account::user::new_user::{NewUser, UserTenant, insert};
use crate::app::App;
use crate::clock::Clock;
use crate::database::Database;
use crate::entropy::Entropy;
use crate::error::{Error, Result};
use crate::security::key_encryption::KeyEncryption;
use crate::security::keys::{Keys, Seed, SigningKey};
use crate::store::{TenantScope, roles, signing_keys, users};

/// Whether the database has signing keys. Only the secret they were encrypted with can decrypt them.
pub async fn has_keys(db: &Database, clock: &Arc<dyn Clock>) -> Result<bool> {
    Ok(!signing_keys::list(db.reader(), clock.now()).await?.is_empty())
}

/// Loads the signing keys; the first start creates one.
///
/// # Errors
/// When a stored key was encrypted with another secret.
pub async fn load_keys(
    db: &Database,
    clock: &Arc<dyn Clock>,
    entropy: &Arc<dyn Entropy>,
    encryption: &KeyEncryption,
) -> Result<Keys> {
    let now = clock.now();
    let mut rows = signing_keys::list(db.reader(), now).await?;
    if rows.is_empty() {
        // Several nodes may start for the first time at once: the first one creates the key, the others load it.
        let exclusive = db.begin_exclusive().await?;
        rows = signing_keys::list(&*exclusive, now).await?;
        if rows.is_empty() {
            signing_keys::insert(&*exclusive, first_key(now, entropy, encryption)?).await?;
            rows = signing_keys::list(&*exclusive, now).await?;
        }
        exclusive.commit().await?;
    }
    let mut keys = Vec::new();
    let mut active = None;
    for row in rows {
        let seed = encryption.decrypt(&row.kid, row.sealed.expose()).and_then(|bytes| Seed::from_bytes(&bytes));
        let seed = seed.ok_or_else(|| {
            Error::internal("the signing keys were encrypted with another secret key: start with that secret key")
        })?;
        let key = SigningKey::new(&seed)?;
        if active.is_none() && row.active_from.utc() <= now {
            active = Some(key);
        } else {
            keys.push(key);
        }
    }
    let active = active.ok_or_else(|| Error::internal("no signing key is active yet: check the clock"))?;
    Ok(Keys::new(active, keys))
}

fn first_key(now: DateTime<Utc>, entropy: &Arc<dyn Entropy>, encryption: &KeyEncryption) -> Result<signing_key::Model> {
    let seed = Seed::generate(entropy.as_ref());
    let key = SigningKey::new(&seed)?;
    let sealed = encryption.encrypt(entropy.as_ref(), key.kid(), seed.as_bytes())?;
    Ok(signing_key::Model {
        kid: key.kid().to_owned(),
        algorithm: "EdDSA".to_owned(),
        sealed: SecretBytes::new(sealed),
        // The first key is also active for nodes whose clocks are behind.
        active_from: DateTime::UNIX_EPOCH.into(),
        retire_at: None,
        created_at: now.into(),
    })
}

/// Whether the default tenant has an active administrator.
pub async fn has_admin(app: &App) -> Result<bool> {
    Ok(users::count_active_admins(app.db.reader(), TenantScope::Tenant(DEFAULT_TENANT)).await? > 0)
}

/// Creates an administrator. Callable only with access to the machine.
///
/// # Errors
/// Refusals: the name is taken, the password is weak.
pub async fn create_admin(app: &App, input: NewUser) -> Result<user::Model> {
    let now = app.clock.now();
    check_policy(app, &input.password, input.forbidden_names(), "password").await?;
    let hash = app.hasher.hash(&input.password).await?;
    app.write(&RequestContext::for_command_line(), now, async |tx| {
        let user = insert(&tx, app, &input, hash.clone(), UserTenant::DEFAULT, now).await?;
        let admin = by_names(&tx, &[ADMIN.to_owned()]).await?;
        roles::insert_of_user(&tx, user.id, &admin.iter().map(|role| role.row.id).collect()).await?;
        tx.record(AuditEvent::success(AuditAction::AdminCreate).on_user(&user)).await?;
        tx.emit(DomainEvent::UserCreated(user.clone()));
        tx.commit(user).await
    })
    .await
}
