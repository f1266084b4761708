//! Batched statements of imports.

use std::collections::HashSet;

use entity::{imported, tenant, throttle, user, user_role};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait, IntoActiveModel,
    QueryFilter, QueryOrder, QuerySelect, Set, SqlErr, Statement,
};
use uuid::Uuid;

use super::change_counters::{Affected, Propagation, TracksChanges};
use super::{tenants, users};
use crate::error::{Error, Refusal, RefusalCode, Result};

/// The records of those `sources` that were imported before.
pub async fn list(db: &impl ConnectionTrait, sources: Vec<String>) -> Result<Vec<imported::Model>> {
    Ok(imported::Entity::find().filter(imported::Column::Source.is_in(sources)).all(db).await?)
}

/// Those of the canonical usernames that are taken.
pub async fn taken_usernames(db: &impl ConnectionTrait, keys: Vec<String>) -> Result<HashSet<String>> {
    let column = user::Column::UsernameKey;
    let found = user::Entity::find().select_only().column(column).filter(column.is_in(keys));
    Ok(found.into_tuple().all(db).await?.into_iter().collect())
}

/// Those of the canonical e-mail addresses that are taken.
pub async fn taken_emails(db: &impl ConnectionTrait, keys: Vec<String>) -> Result<HashSet<String>> {
    let column = user::Column::EmailKey;
    let found = user::Entity::find().select_only().column(column).filter(column.is_in(keys));
    Ok(found.into_tuple().all(db).await?.into_iter().collect())
}

/// Those of the row ids that users have.
pub async fn taken_ids(db: &impl ConnectionTrait, ids: Vec<i64>) -> Result<HashSet<i64>> {
    let column = user::Column::Id;
    let found = user::Entity::find().select_only().column(column).filter(column.is_in(ids));
    Ok(found.into_tuple().all(db).await?.into_iter().collect())
}

/// The tenants with these public ids or row ids, unordered.
pub async fn list_tenants(db: &impl ConnectionTrait, uids: Vec<Uuid>, ids: Vec<i64>) -> Result<Vec<tenant::Model>> {
    let condition = Condition::any().add(tenant::Column::Uid.is_in(uids)).add(tenant::Column::Id.is_in(ids));
    Ok(tenant::Entity::find().filter(condition).all(db).await?)
}

/// Locks the tenants with these row ids until the transaction ends.
pub async fn lock_tenants(db: &impl ConnectionTrait, ids: Vec<i64>) -> Result<()> {
    // A fixed order prevents deadlocks between two imports.
    let found = tenant::Entity::find().filter(tenant::Column::Id.is_in(ids)).order_by_asc(tenant::Column::Id);
    found.lock_exclusive().all(db).await?;
    Ok(())
}

/// Those of the tenants with these row ids that are disabled.
pub async fn disabled_tenants(db: &impl ConnectionTrait, ids: Vec<i64>) -> Result<HashSet<i64>> {
    let column = tenant::Column::Id;
    let found = tenant::Entity::find().select_only().column(column).filter(column.is_in(ids));
    let disabled = found.filter(tenant::Column::Status.eq(tenant::Status::Disabled));
    Ok(disabled.into_tuple().all(db).await?.into_iter().collect())
}

/// The highest row id of a user.
pub async fn highest_user_id(db: &impl ConnectionTrait) -> Result<Option<i64>> {
    let column = user::Column::Id;
    let found = user::Entity::find().select_only().column(column).order_by_desc(column).limit(1);
    Ok(found.into_tuple().one(db).await?)
}

/// Adds a tenant, with the given row id if one is set.
///
/// # Errors
/// A refusal with [`RefusalCode::Conflict`] if the row id was taken concurrently.
pub async fn insert_tenant(db: &impl ConnectionTrait, row: tenants::NewRow) -> Result<tenant::Model> {
    let tenant = tenant::ActiveModel::from(row).insert(db).await.map_err(conflict)?;
    advance_sequence(db, "tenant", tenant.id).await?;
    Ok(tenant)
}

/// Adds users, with the given row ids where they are set; returns the row ids by public id.
///
/// # Errors
/// A refusal with [`RefusalCode::Conflict`] if a name or a row id was taken concurrently.
pub async fn insert_users(db: &impl TracksChanges, rows: Vec<users::NewRow>) -> Result<Vec<(Uuid, i64)>> {
    let uids: Vec<Uuid> = rows.iter().map(|row| row.uid).collect();
    if let Some(highest) = rows.iter().filter_map(|row| row.id).max() {
        advance_sequence(db, "user", highest).await?;
    }
    // Databases differ in the placeholder for a generated id, so all rows of a statement set it or none does.
    let (with_id, generated): (Vec<_>, Vec<_>) = rows.into_iter().partition(|row| row.id.is_some());
    for rows in [with_id, generated] {
        if !rows.is_empty() {
            let rows = rows.into_iter().map(user::ActiveModel::from);
            user::Entity::insert_many(rows).exec_without_returning(db).await.map_err(conflict)?;
        }
    }
    // The row ids may be those of deleted users.
    db.mark_changed(Affected::AllUsers, Propagation::AllNodes);
    let ids = user::Entity::find().select_only().column(user::Column::Uid).column(user::Column::Id);
    Ok(ids.filter(user::Column::Uid.is_in(uids)).into_tuple().all(db).await?)
}

fn conflict(error: DbErr) -> Error {
    match error.sql_err() {
        Some(SqlErr::UniqueConstraintViolation(_)) => {
            Refusal::new(RefusalCode::Conflict, "a user or tenant was created concurrently: repeat the import").into()
        }
        _ => error.into(),
    }
}

/// Advances PostgreSQL's id sequence past `id`; other databases do so themselves.
async fn advance_sequence(db: &impl ConnectionTrait, table: &'static str, id: i64) -> Result<()> {
    if db.get_database_backend() == DbBackend::Postgres {
        let sql =
            "SELECT setval(numbers, $2) FROM (SELECT pg_get_serial_sequence($1, 'id')::regclass AS numbers) AS its
            WHERE $2 > COALESCE(pg_sequence_last_value(numbers), 0)";
        let values = [format!("\"{table}\"").into(), id.into()];
        db.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await?;
    }
    Ok(())
}

/// The assignment of a role to a user, by row ids.
#[derive(Debug)]
pub struct Grant {
    /// The user.
    pub user_id: i64,
    /// The role.
    pub role_id: i64,
}

/// Assigns roles to users who do not have them yet.
pub async fn grant(db: &impl TracksChanges, grants: Vec<Grant>) -> Result<()> {
    if !grants.is_empty() {
        let row = |Grant { user_id, role_id }| user_role::ActiveModel { user_id: Set(user_id), role_id: Set(role_id) };
        let grants = grants.into_iter().map(row);
        user_role::Entity::insert_many(grants).exec_without_returning(db).await?;
        db.mark_changed(Affected::AllUsers, Propagation::AllNodes);
    }
    Ok(())
}

/// Sets the failure counters of new users; replaces those of a deleted user with the same row id.
pub async fn replace_failures(db: &impl ConnectionTrait, rows: Vec<throttle::Model>) -> Result<()> {
    let subjects: Vec<String> = rows.iter().map(|row| row.subject.clone()).collect();
    if !subjects.is_empty() {
        throttle::Entity::delete_many().filter(throttle::Column::Subject.is_in(subjects)).exec(db).await?;
        let rows = rows.into_iter().map(|row| row.into_active_model().reset_all());
        throttle::Entity::insert_many(rows).exec_without_returning(db).await?;
    }
    Ok(())
}

/// Renames the import record `old`, if it belongs to one of these public ids.
pub async fn rename_source(db: &impl ConnectionTrait, old: &str, new: String, uids: Vec<Uuid>) -> Result<()> {
    let row = imported::ActiveModel { source: Set(new), ..Default::default() };
    let records = imported::Entity::update_many().set(row).filter(imported::Column::Source.eq(old));
    records.filter(imported::Column::Uid.is_in(uids)).exec(db).await?;
    Ok(())
}

/// Adds import records.
///
/// # Errors
/// A refusal with [`RefusalCode::Conflict`] if a concurrent import added one of them.
pub async fn insert(db: &impl ConnectionTrait, rows: Vec<imported::Model>) -> Result<()> {
    if !rows.is_empty() {
        let rows = rows.into_iter().map(|row| row.into_active_model().reset_all());
        imported::Entity::insert_many(rows).exec_without_returning(db).await.map_err(conflict)?;
    }
    Ok(())
}
