//! Users.

use chrono::{DateTime, Utc};
use entity::secret::SecretText;
use entity::timestamp::Timestamp;
use entity::{role, user, user_role};
use sea_orm::sea_query::{Expr, ExprTrait, LikeExpr, Query};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder,
    QuerySelect, Select, Set, Value,
};
use uuid::Uuid;

use super::cut_offs::{Cause, revoke_issued_tokens};
use super::keyset::{CursorKey, Page, Sort, paged};
use super::{Affected, Propagation, TenantScope, TracksChanges, TracksRevocations};
use crate::error::{Refusal, RefusalCode, Result, map_unique_violation};

mod group;
mod lock;

pub use group::{list_holders, update_holder_versions, update_tenant_disabled};
pub use lock::{lock, lock_by_id, lock_by_uid};

/// Which users a list shows; all given conditions must hold.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// Part of the canonical username, e-mail address or display name.
    pub search: Option<String>,
    /// The whole canonical e-mail address.
    pub email_key: Option<String>,
    /// The canonical name of a role.
    pub role_key: Option<String>,
    /// The status.
    pub status: Option<user::Status>,
    /// The tenant.
    pub tenant_id: Option<i64>,
    /// Part of the canonical e-mail address, or of the username of those who have none.
    pub handle: Option<String>,
    /// Part of the canonical display name.
    pub display_name: Option<String>,
    /// The public id.
    pub uid: Option<Uuid>,
    /// The whole canonical username.
    pub username_key: Option<String>,
    /// Whether a new password has to be chosen.
    pub must_change_password: Option<bool>,
}

/// What a list of users is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// When the account was made.
    CreatedAt,
    /// The canonical username.
    Username,
    /// The canonical e-mail address; none comes before all.
    Email,
    /// The last login; never comes before all.
    LastLogin,
}

/// Changes to an account; `Some(None)` clears a value.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// Username and its key.
    pub username: Option<(String, String)>,
    /// E-mail address and its key.
    pub email: Option<Option<(String, String)>>,
    /// Display name and its key.
    pub display_name: Option<Option<(String, String)>>,
    /// Whether the owner has to choose a new password.
    pub must_change_password: Option<bool>,
    /// The last login.
    pub last_login_at: Option<Timestamp>,
}

impl Changes {
    /// Whether `user` is already what this would make of it.
    pub fn is_noop_for(&self, user: &user::Model) -> bool {
        let same = |new: &Option<(String, String)>, old: Option<&String>| new.as_ref().map(|(text, _)| text) == old;
        self.username.as_ref().is_none_or(|(name, _)| *name == user.username)
            && self.email.as_ref().is_none_or(|email| same(email, user.email.as_ref()))
            && self.display_name.as_ref().is_none_or(|name| same(name, user.display_name.as_ref()))
            && self.must_change_password.is_none_or(|must_change| must_change == user.must_change_password)
            && self.last_login_at.is_none_or(|at| Some(at) == user.last_login_at)
    }
}

fn scoped(scope: TenantScope) -> Select<user::Entity> {
    user::Entity::find().filter(scope.user_condition())
}

/// What a violated unique index of this table means.
fn unique_violations() -> [(&'static str, Refusal); 2] {
    [
        ("username_key", Refusal::new(RefusalCode::UsernameTaken, "this username is taken").for_field("username")),
        ("email_key", Refusal::new(RefusalCode::EmailTaken, "this e-mail address is taken").for_field("email")),
    ]
}

/// The user with this public id.
pub async fn find(db: &impl ConnectionTrait, scope: TenantScope, uid: Uuid) -> Result<Option<user::Model>> {
    Ok(scoped(scope).filter(user::Column::Uid.eq(uid)).one(db).await?)
}

/// The user with this number.
pub async fn find_by_id(db: &impl ConnectionTrait, scope: TenantScope, id: i64) -> Result<Option<user::Model>> {
    Ok(scoped(scope).filter(user::Column::Id.eq(id)).one(db).await?)
}

/// The user with this canonical username.
pub async fn find_by_username(db: &impl ConnectionTrait, scope: TenantScope, key: &str) -> Result<Option<user::Model>> {
    Ok(scoped(scope).filter(user::Column::UsernameKey.eq(key)).one(db).await?)
}

/// The user with this canonical e-mail address.
pub async fn find_by_email(db: &impl ConnectionTrait, scope: TenantScope, key: &str) -> Result<Option<user::Model>> {
    Ok(scoped(scope).filter(user::Column::EmailKey.eq(key)).one(db).await?)
}

/// The users with this canonical username, or with this canonical e-mail address: two at most.
pub async fn list_by_handle(
    db: &impl ConnectionTrait,
    scope: TenantScope,
    username_key: &str,
    email_key: &str,
) -> Result<Vec<user::Model>> {
    let either = user::Column::UsernameKey.eq(username_key).or(user::Column::EmailKey.eq(email_key));
    Ok(scoped(scope).filter(either).all(db).await?)
}

/// One page of the users that pass `filter`; taken from the end, it comes in reverse.
pub async fn list(
    db: &impl ConnectionTrait,
    scope: TenantScope,
    filter: &Filter,
    (order, descending): (Order, bool),
    page: &Page,
) -> Result<Vec<user::Model>> {
    let (column, absent) = match order {
        Order::CreatedAt => (user::Column::CreatedAt, None),
        Order::Username => (user::Column::UsernameKey, None),
        Order::Email => (user::Column::EmailKey, Some(Value::from(""))),
        Order::LastLogin => (user::Column::LastLoginAt, Some(Value::from(0_i64))),
    };
    let sort = Sort { column, null_as: absent, id: user::Column::Id, is_descending: descending };
    Ok(paged(scoped(scope).filter(filter_condition(filter)), &sort, page).all(db).await?)
}

/// The users that pass `filter`, the eldest first, behind the first `offset`; `limit` at most.
pub async fn list_by_offset(
    db: &impl ConnectionTrait,
    scope: TenantScope,
    filter: &Filter,
    offset: u64,
    limit: u64,
) -> Result<Vec<user::Model>> {
    // As the index goes.
    let eldest_first = scoped(scope).order_by_asc(user::Column::CreatedAt).order_by_asc(user::Column::Id);
    Ok(eldest_first.filter(filter_condition(filter)).offset(offset).limit(limit).all(db).await?)
}

/// The place of `user` in a list sorted by `order`.
pub fn cursor_key(user: &user::Model, order: Order) -> CursorKey {
    let key = match order {
        Order::CreatedAt => user.created_at.millis().into(),
        Order::Username => user.username_key.clone().into(),
        Order::Email => user.email_key.clone().unwrap_or_default().into(),
        Order::LastLogin => user.last_login_at.map_or(0, Timestamp::millis).into(),
    };
    CursorKey { key, id: user.id }
}

/// How many users pass `filter`.
pub async fn count(db: &impl ConnectionTrait, scope: TenantScope, filter: &Filter) -> Result<u64> {
    Ok(scoped(scope).filter(filter_condition(filter)).count(db).await?)
}

fn filter_condition(filter: &Filter) -> Condition {
    let mut condition = Condition::all();
    if let Some(text) = &filter.search {
        condition = condition.add(
            Condition::any()
                .add(user::Column::UsernameKey.like(contains_pattern(text)))
                .add(user::Column::EmailKey.like(contains_pattern(text)))
                .add(user::Column::DisplayNameKey.like(contains_pattern(text))),
        );
    }
    if let Some(text) = &filter.handle {
        let nameless = user::Column::EmailKey.is_null().and(user::Column::UsernameKey.like(contains_pattern(text)));
        condition = condition.add(user::Column::EmailKey.like(contains_pattern(text)).or(nameless));
    }
    if let Some(text) = &filter.display_name {
        condition = condition.add(user::Column::DisplayNameKey.like(contains_pattern(text)));
    }
    if let Some(key) = &filter.email_key {
        condition = condition.add(user::Column::EmailKey.eq(key));
    }
    if let Some(key) = &filter.role_key {
        let holders = Query::select()
            .column((user_role::Entity, user_role::Column::UserId))
            .from(user_role::Entity)
            .inner_join(
                role::Entity,
                Expr::col((role::Entity, role::Column::Id)).equals((user_role::Entity, user_role::Column::RoleId)),
            )
            .and_where(Expr::col((role::Entity, role::Column::NameKey)).eq(key))
            .take();
        condition = condition.add(user::Column::Id.in_subquery(holders));
    }
    if let Some(status) = filter.status {
        condition = condition.add(user::Column::Status.eq(status));
    }
    if let Some(tenant_id) = filter.tenant_id {
        condition = condition.add(user::Column::TenantId.eq(tenant_id));
    }
    if let Some(uid) = filter.uid {
        condition = condition.add(user::Column::Uid.eq(uid));
    }
    if let Some(key) = &filter.username_key {
        condition = condition.add(user::Column::UsernameKey.eq(key));
    }
    if let Some(must_change) = filter.must_change_password {
        condition = condition.add(user::Column::MustChangePassword.eq(must_change));
    }
    condition
}

/// The pattern of texts that hold `text`, in which the wildcards of LIKE are ordinary characters.
fn contains_pattern(text: &str) -> LikeExpr {
    let escaped = text.replace('\\', "\\\\").replace('%', "\\%").replace('_', "\\_");
    LikeExpr::new(format!("%{escaped}%")).escape('\\')
}

/// Adds a user.
///
/// # Errors
/// A refusal if the username or the e-mail address is taken.
pub async fn insert(db: &impl TracksChanges, user: user::ActiveModel) -> Result<user::Model> {
    let user = user.insert(db).await.map_err(|error| map_unique_violation(error, &unique_violations()))?;
    // On SQLite the number may have been somebody's before.
    db.mark_changed(Affected::User(user.id), Propagation::AllNodes);
    Ok(user)
}

/// Changes names and what else an administrator says of an account. A new username revokes the access tokens that were
/// issued, which say the old one. False if the row is not of the version of `user` any more.
///
/// # Errors
/// A refusal if the username or the e-mail address is taken.
pub async fn update_account(
    db: &impl TracksRevocations,
    user: &user::Model,
    changes: Changes,
    now: DateTime<Utc>,
) -> Result<bool> {
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

/// Sets the status. Disabling revokes the access tokens that were issued. False if the row is not of the version of
/// `user` any more.
pub async fn update_status(
    db: &impl TracksRevocations,
    user: &user::Model,
    status: user::Status,
    now: DateTime<Utc>,
) -> Result<bool> {
    if status == user::Status::Disabled {
        revoke_issued_tokens(db, user.id, Cause::AccountDisabled).await?;
    }
    update(db, user, user::ActiveModel { status: Set(status), ..Default::default() }, now).await
}

/// Sets the password. False if the row is not of the version of `user` any more.
pub async fn update_password(
    db: &impl TracksChanges,
    user: &user::Model,
    hash: String,
    must_change: bool,
    now: DateTime<Utc>,
) -> Result<bool> {
    let row = user::ActiveModel {
        password_hash: Set(Some(SecretText::new(hash))),
        password_changed_at: Set(Some(now.into())),
        must_change_password: Set(must_change),
        ..Default::default()
    };
    update(db, user, row, now).await
}

/// Raises the version, because something that is not in the row itself changed.
pub async fn update_version(db: &impl TracksChanges, user: &user::Model, now: DateTime<Utc>) -> Result<bool> {
    update(db, user, user::ActiveModel { ..Default::default() }, now).await
}

async fn update(
    db: &impl TracksChanges,
    user: &user::Model,
    mut row: user::ActiveModel,
    now: DateTime<Utc>,
) -> Result<bool> {
    row.updated_at = Set(now.into());
    row.version = Set(user.version + 1);
    let updated = user::Entity::update_many()
        .set(row)
        .filter(user::Column::Id.eq(user.id))
        .filter(user::Column::Version.eq(user.version))
        .exec(db)
        .await
        .map_err(|error| map_unique_violation(error, &unique_violations()))?;
    db.mark_changed(Affected::User(user.id), Propagation::AllNodes);
    Ok(updated.rows_affected == 1)
}

/// Records a login of an active account whose password is still the one that was verified, perhaps with a `rehash` of
/// it. False if it is not: the account was disabled or its password changed in the meantime.
pub async fn update_login(
    db: &impl TracksChanges,
    user: &user::Model,
    rehash: Option<String>,
    now: DateTime<Utc>,
) -> Result<bool> {
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
    Ok(updated.rows_affected == 1)
}

/// Deletes a user with everything that is theirs alone, and revokes the access tokens that were issued. False if there
/// was none.
pub async fn delete(db: &impl TracksRevocations, user: &user::Model) -> Result<bool> {
    // Before the sessions go with the user, which know what was issued.
    revoke_issued_tokens(db, user.id, Cause::AccountDeleted).await?;
    let deleted = user::Entity::delete_by_id(user.id).exec(db).await?;
    db.mark_changed(Affected::User(user.id), Propagation::AllNodes);
    Ok(deleted.rows_affected == 1)
}

/// How many active users hold a built-in role; it counts to two.
pub async fn count_active_admins(db: &impl ConnectionTrait, scope: TenantScope) -> Result<u64> {
    let admins = Query::select()
        .column((user_role::Entity, user_role::Column::UserId))
        .from(user_role::Entity)
        .inner_join(
            role::Entity,
            Expr::col((role::Entity, role::Column::Id)).equals((user_role::Entity, user_role::Column::RoleId)),
        )
        .and_where(Expr::col((role::Entity, role::Column::BuiltIn)).eq(true))
        .take();
    let active = scoped(scope)
        .filter(user::Column::Status.eq(user::Status::Active))
        .filter(user::Column::Id.in_subquery(admins));
    Ok(active.limit(2).count(db).await?)
}
