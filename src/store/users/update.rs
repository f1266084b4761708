//! Updates of one user, each conditional on the row's version or state as read; they return the updated row.

use chrono::{DateTime, Utc};
use entity::secret::SecretText;
use entity::timestamp::Timestamp;
use entity::user;
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, Set};

use crate::error::{Error, Refusal, RefusalCode, Result, map_unique_violation};
use crate::store::change_counters::{Affected, Propagation, TracksChanges};
use crate::store::cut_offs::{Cause, TracksRevocations, revoke_issued_tokens};
use crate::store::updated_row::updated_row;

/// Changes to a user; `None` keeps a value, `Some(None)` clears it.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Username and its key.
    pub username: Option<(String, String)>,
    /// E-mail address and its key.
    pub email: Option<Option<(String, String)>>,
    /// Display name and its key.
    pub display_name: Option<Option<(String, String)>>,
    /// Whether the user must change the password.
    pub must_change_password: Option<bool>,
    /// Time of the last login.
    pub last_login_at: Option<Timestamp>,
}

impl Changes {
    /// Whether applying the changes would leave `user` unchanged.
    pub fn is_noop_for(&self, user: &user::Model) -> bool {
        let Self { username, email, display_name, must_change_password, last_login_at } = self;
        let same = |new: &Option<(String, String)>, old: Option<&String>| new.as_ref().map(|(text, _)| text) == old;
        username.as_ref().is_none_or(|(name, _)| *name == user.username)
            && email.as_ref().is_none_or(|email| same(email, user.email.as_ref()))
            && display_name.as_ref().is_none_or(|name| same(name, user.display_name.as_ref()))
            && must_change_password.is_none_or(|must_change| must_change == user.must_change_password)
            && last_login_at.is_none_or(|at| Some(at) == user.last_login_at)
    }
}

/// Refusals by the unique index that a statement violates.
pub(super) fn unique_violations() -> [(&'static str, Refusal); 2] {
    [
        ("username_key", Refusal::new(RefusalCode::UsernameTaken, "this username is taken").for_field("username")),
        ("email_key", Refusal::new(RefusalCode::EmailTaken, "this e-mail address is taken").for_field("email")),
    ]
}

/// Applies `changes`. A new username revokes the issued access tokens, which contain the old one.
///
/// # Errors
/// A refusal if the username or the e-mail address is taken; [`RefusalCode::Conflict`] if the row's version is no
/// longer that of `user`.
pub async fn update_account(
    db: &impl TracksRevocations,
    user: &user::Model,
    changes: Changes,
    now: DateTime<Utc>,
) -> Result<user::Model> {
    let mut row = user::ActiveModel { ..Default::default() };
    if let Some((name, key)) = changes.username {
        if name != user.username {
            revoke_issued_tokens(db, user.id, Cause::UsernameChanged).await?;
        }
        row.username = Set(name);
        row.username_key = Set(key);
    }
    if let Some(email) = changes.email {
        let (email, key) = email.unzip();
        row.email = Set(email);
        row.email_key = Set(key);
    }
    if let Some(display_name) = changes.display_name {
        let (name, key) = display_name.unzip();
        row.display_name = Set(name);
        row.display_name_key = Set(key);
    }
    if let Some(must_change) = changes.must_change_password {
        row.must_change_password = Set(must_change);
    }
    if let Some(last_login) = changes.last_login_at {
        row.last_login_at = Set(Some(last_login));
    }
    update(db, user, row, now).await
}

/// Sets the status; disabling revokes the issued access tokens.
///
/// # Errors
/// [`RefusalCode::Conflict`] if the row's version is no longer that of `user`.
pub async fn update_status(
    db: &impl TracksRevocations,
    user: &user::Model,
    status: user::Status,
    now: DateTime<Utc>,
) -> Result<user::Model> {
    if status == user::Status::Disabled {
        revoke_issued_tokens(db, user.id, Cause::AccountDisabled).await?;
    }
    update(db, user, user::ActiveModel { status: Set(status), ..Default::default() }, now).await
}

/// Sets the password hash.
///
/// # Errors
/// [`RefusalCode::Conflict`] if the row's version is no longer that of `user`.
pub async fn update_password(
    db: &impl TracksChanges,
    user: &user::Model,
    hash: String,
    must_change: bool,
    now: DateTime<Utc>,
) -> Result<user::Model> {
    let row = user::ActiveModel {
        password_hash: Set(Some(SecretText::new(hash))),
        password_changed_at: Set(Some(now.into())),
        must_change_password: Set(must_change),
        ..Default::default()
    };
    update(db, user, row, now).await
}

/// Increments the version after a change outside the row.
///
/// # Errors
/// [`RefusalCode::Conflict`] if the row's version is no longer that of `user`.
pub async fn update_version(db: &impl TracksChanges, user: &user::Model, now: DateTime<Utc>) -> Result<user::Model> {
    update(db, user, user::ActiveModel { ..Default::default() }, now).await
}

async fn update(
    db: &impl TracksChanges,
    user: &user::Model,
    mut row: user::ActiveModel,
    now: DateTime<Utc>,
) -> Result<user::Model> {
    // The time was read before the row was locked: it must not go back.
    row.updated_at = Set(Ord::max(user.updated_at, now.into()));
    row.version = Set(user.version + 1);
    let updated = user::Entity::update_many()
        .set(row.clone())
        .filter(user::Column::Id.eq(user.id))
        .filter(user::Column::Version.eq(user.version))
        .exec(db)
        .await
        .map_err(|error| map_unique_violation(error, &unique_violations()))?;
    db.mark_changed(Affected::User(user.id), Propagation::AllNodes);
    if updated.rows_affected == 1 { updated_row(user, row) } else { Err(version_conflict()) }
}

/// The user was changed or deleted concurrently.
pub fn version_conflict() -> Error {
    Refusal::new(RefusalCode::Conflict, "the account changed meanwhile: reload it and retry").into()
}

/// Records a login, and stores a `rehash` of the verified password if given. Returns the current row, which
/// may differ from `user` in other columns, or `None` if the user was disabled or the password changed since
/// verification.
pub async fn update_login(
    db: &impl TracksChanges,
    user: &user::Model,
    rehash: Option<String>,
    now: DateTime<Utc>,
) -> Result<Option<user::Model>> {
    let mut row = user::ActiveModel { last_login_at: Set(Some(now.into())), ..Default::default() };
    if let Some(hash) = rehash {
        row.password_hash = Set(Some(SecretText::new(hash)));
    }
    let updated = user::Entity::update_many()
        .set(row)
        .filter(user::Column::Id.eq(user.id))
        .filter(user::Column::Status.eq(user::Status::Active))
        .filter(user::Column::TenantDisabled.eq(false))
        .filter(user::Column::PasswordHash.eq(user.password_hash.clone()))
        .exec(db)
        .await?;
    db.mark_changed(Affected::User(user.id), Propagation::AllNodes);
    if updated.rows_affected == 1 { Ok(user::Entity::find_by_id(user.id).one(db).await?) } else { Ok(None) }
}
