//! Roles, their permissions and their holders.

use std::collections::BTreeSet;

use chrono::{DateTime, Utc};
use entity::timestamp::Timestamp;
use entity::{role, role_permission, user_role};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, DbErr, EntityTrait, JoinType, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, QueryTrait, RelationTrait, Set, SqlErr,
};
use uuid::Uuid;

use super::change_counters::{Affected, Propagation, TracksChanges};
use super::cut_offs::{Cause, TracksRevocations, revoke_issued_tokens};
use super::scope::TenantScope;
use crate::error::{Error, Refusal, RefusalCode, Result, map_unique_violation};

/// A role to add.
#[derive(Debug)]
pub struct NewRow {
    /// Public id.
    pub uid: Uuid,
    /// Name and its key.
    pub name: (String, String),
    /// Free text.
    pub description: Option<String>,
    /// Time of creation.
    pub created_at: Timestamp,
}

impl From<NewRow> for role::ActiveModel {
    fn from(new: NewRow) -> Self {
        let (name, name_key) = new.name;
        Self {
            uid: Set(new.uid),
            name: Set(name),
            name_key: Set(name_key),
            description: Set(new.description),
            built_in: Set(false),
            created_at: Set(new.created_at),
            updated_at: Set(new.created_at),
            ..Default::default()
        }
    }
}

/// A role with its permissions; built-in roles have all of them and list none.
pub type RoleWithPermissions = (role::Model, Vec<role_permission::Model>);

/// All roles, by name.
pub async fn list(db: &impl ConnectionTrait) -> Result<Vec<RoleWithPermissions>> {
    Ok(role::Entity::find()
        .order_by_asc(role::Column::NameKey)
        .find_with_related(role_permission::Entity)
        .all(db)
        .await?)
}

/// The roles with these canonical names, unordered.
pub async fn list_by_name(db: &impl ConnectionTrait, keys: &[String]) -> Result<Vec<RoleWithPermissions>> {
    Ok(role::Entity::find()
        .filter(role::Column::NameKey.is_in(keys))
        .find_with_related(role_permission::Entity)
        .all(db)
        .await?)
}

/// The role with this public id.
pub async fn find(db: &impl ConnectionTrait, uid: Uuid) -> Result<Option<RoleWithPermissions>> {
    let found = role::Entity::find()
        .filter(role::Column::Uid.eq(uid))
        .find_with_related(role_permission::Entity)
        .all(db)
        .await?;
    Ok(found.into_iter().next())
}

/// Like [`find`], with the role's row locked until the transaction ends.
pub async fn lock(db: &impl TracksChanges, uid: Uuid) -> Result<Option<RoleWithPermissions>> {
    role::Entity::find().filter(role::Column::Uid.eq(uid)).lock_exclusive().all(db).await?;
    find(db, uid).await
}

/// The roles of a user, by row id.
pub async fn list_of_user(db: &impl ConnectionTrait, user_id: i64) -> Result<Vec<role::Model>> {
    Ok(role::Entity::find()
        .join(JoinType::InnerJoin, role::Relation::UserRole.def())
        .filter(user_role::Column::UserId.eq(user_id))
        .order_by_asc(role::Column::Id)
        .all(db)
        .await?)
}

/// Counts the holders of a role in `scope`.
pub async fn count_holders(db: &impl ConnectionTrait, scope: TenantScope, role_id: i64) -> Result<u64> {
    Ok(user_role::Entity::find()
        .join(JoinType::InnerJoin, user_role::Relation::User.def())
        .filter(user_role::Column::RoleId.eq(role_id))
        .filter(scope.user_condition())
        .count(db)
        .await?)
}

/// Locks the roles of a user against changes until the transaction ends; built-in roles never change.
pub async fn lock_of_user(db: &impl TracksChanges, user_id: i64) -> Result<()> {
    let held = user_role::Entity::find().select_only().column(user_role::Column::RoleId);
    let held = held.filter(user_role::Column::UserId.eq(user_id)).into_query();
    let changing =
        role::Entity::find().filter(role::Column::Id.in_subquery(held)).filter(role::Column::BuiltIn.eq(false));
    changing.order_by_asc(role::Column::Id).lock_shared().all(db).await?;
    Ok(())
}

/// Locks the built-in roles until the transaction ends. Serializes transactions that remove an administrator, so that
/// the second sees the first. SQLite has one writer and needs no lock.
pub async fn lock_built_in(db: &impl ConnectionTrait) -> Result<()> {
    role::Entity::find().filter(role::Column::BuiltIn.eq(true)).lock_exclusive().all(db).await?;
    Ok(())
}

/// Sets the roles of `user_id` to exactly these; a change revokes the issued access tokens, which name the old roles.
pub async fn replace_of_user(db: &impl TracksRevocations, user_id: i64, role_ids: &BTreeSet<i64>) -> Result<()> {
    let held = user_role::Entity::find().filter(user_role::Column::UserId.eq(user_id)).all(db).await?;
    if held.iter().map(|held| held.role_id).collect::<BTreeSet<_>>() == *role_ids {
        return Ok(());
    }
    revoke_issued_tokens(db, user_id, Cause::RolesChanged).await?;
    db.mark_changed(Affected::User(user_id), Propagation::AllNodes);
    user_role::Entity::delete_many().filter(user_role::Column::UserId.eq(user_id)).exec(db).await?;
    insert_of_user(db, user_id, role_ids).await
}

/// Assigns roles to the new user `user_id`, who has no tokens yet.
pub async fn insert_of_user(db: &impl TracksChanges, user_id: i64, role_ids: &BTreeSet<i64>) -> Result<()> {
    db.mark_changed(Affected::User(user_id), Propagation::AllNodes);
    if role_ids.is_empty() {
        return Ok(());
    }
    let rows = role_ids.iter().map(|role_id| user_role::ActiveModel { user_id: Set(user_id), role_id: Set(*role_id) });
    user_role::Entity::insert_many(rows).exec_without_returning(db).await.map_err(role_deleted_error)?;
    Ok(())
}

/// Maps a foreign-key violation: the role was deleted after it was read.
fn role_deleted_error(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::ForeignKeyConstraintViolation(_)) => {
            Refusal::new(RefusalCode::UnknownRole, "a role was deleted concurrently: reload the roles")
                .for_field("roles")
                .into()
        }
        _ => error.into(),
    }
}

/// Adds a role.
///
/// # Errors
/// A refusal if the name is taken.
pub async fn insert(db: &impl ConnectionTrait, role: NewRow) -> Result<role::Model> {
    role::ActiveModel::from(role).insert(db).await.map_err(name_taken_error)
}

fn name_taken_error(error: DbErr) -> Error {
    let taken = Refusal::new(RefusalCode::RoleNameTaken, "another role has this name").for_field("name");
    map_unique_violation(error, &[("name_key", taken)])
}

/// Renames a role.
///
/// # Errors
/// A refusal if the name is taken.
pub async fn update_name(db: &impl TracksChanges, role_id: i64, name: &str, key: &str) -> Result<()> {
    db.mark_changed(Affected::AllUsers, Propagation::AllNodes);
    let row = role::ActiveModel { name: Set(name.to_owned()), name_key: Set(key.to_owned()), ..Default::default() };
    role::Entity::update_many()
        .set(row)
        .filter(role::Column::Id.eq(role_id))
        .exec(db)
        .await
        .map_err(name_taken_error)?;
    Ok(())
}

/// Deletes a role and its assignments.
pub async fn delete(db: &impl TracksChanges, role_id: i64) -> Result<()> {
    db.mark_changed(Affected::AllUsers, Propagation::AllNodes);
    role::Entity::delete_by_id(role_id).exec(db).await?;
    Ok(())
}

/// Sets a role's description.
pub async fn update_description(
    db: &impl ConnectionTrait,
    role_id: i64,
    description: Option<String>,
    now: DateTime<Utc>,
) -> Result<()> {
    let row = role::ActiveModel { description: Set(description), updated_at: Set(now.into()), ..Default::default() };
    role::Entity::update_many().set(row).filter(role::Column::Id.eq(role_id)).exec(db).await?;
    Ok(())
}

/// Sets the permissions of a role to exactly these.
pub async fn replace_permissions(
    db: &impl TracksChanges,
    role_id: i64,
    permissions: impl IntoIterator<Item = &'static str>,
) -> Result<()> {
    db.mark_changed(Affected::AllUsers, Propagation::AllNodes);
    role_permission::Entity::delete_many().filter(role_permission::Column::RoleId.eq(role_id)).exec(db).await?;
    let rows: Vec<_> = permissions
        .into_iter()
        .map(|name| role_permission::ActiveModel { role_id: Set(role_id), permission: Set(name.to_owned()) })
        .collect();
    if !rows.is_empty() {
        role_permission::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}
