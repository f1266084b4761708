//! Tenants.

use entity::{imported, tenant};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, Select, Set,
};
use uuid::Uuid;

use super::change_counters::{Affected, Propagation, TracksChanges};
use super::cut_offs::TracksRevocations;
use super::keyset::{CursorKey, Page, Sort, paged};
use super::scope::TenantScope;
use crate::error::Result;

fn scoped(scope: TenantScope) -> Select<tenant::Entity> {
    tenant::Entity::find().filter(scope.tenant_condition())
}

/// The tenant with this public id.
pub async fn find(db: &impl ConnectionTrait, scope: TenantScope, uid: Uuid) -> Result<Option<tenant::Model>> {
    Ok(scoped(scope).filter(tenant::Column::Uid.eq(uid)).one(db).await?)
}

/// Like [`find`], with the row locked until the transaction ends.
pub async fn lock(db: &impl ConnectionTrait, scope: TenantScope, uid: Uuid) -> Result<Option<tenant::Model>> {
    Ok(scoped(scope).filter(tenant::Column::Uid.eq(uid)).lock_exclusive().one(db).await?)
}

/// The tenant with this row id, with the row locked until the transaction ends.
pub async fn lock_by_id(db: &impl ConnectionTrait, id: i64) -> Result<Option<tenant::Model>> {
    Ok(tenant::Entity::find_by_id(id).lock_exclusive().one(db).await?)
}

/// The tenants with these row ids, unordered.
pub async fn list_by_id(db: &impl ConnectionTrait, ids: Vec<i64>) -> Result<Vec<tenant::Model>> {
    Ok(tenant::Entity::find().filter(tenant::Column::Id.is_in(ids)).all(db).await?)
}

/// One page of the tenants, by creation.
pub async fn list(db: &impl ConnectionTrait, scope: TenantScope, page: &Page) -> Result<Vec<tenant::Model>> {
    let sort = Sort { column: tenant::Column::Id, null_as: None, id: tenant::Column::Id, is_descending: false };
    Ok(paged(scoped(scope), &sort, page).all(db).await?)
}

/// The cursor key of `tenant` in a list.
pub fn cursor_key(tenant: &tenant::Model) -> CursorKey {
    CursorKey { key: tenant.id.into(), id: tenant.id }
}

/// Counts the tenants in `scope`.
pub async fn count(db: &impl ConnectionTrait, scope: TenantScope) -> Result<u64> {
    Ok(scoped(scope).count(db).await?)
}

/// Adds a tenant.
pub async fn insert(db: &impl ConnectionTrait, tenant: tenant::ActiveModel) -> Result<tenant::Model> {
    Ok(tenant.insert(db).await?)
}

/// Sets the name.
pub async fn update_name(db: &impl ConnectionTrait, tenant: &tenant::Model, name: &str) -> Result<()> {
    let row = tenant::ActiveModel { name: Set(name.to_owned()), ..Default::default() };
    tenant::Entity::update_many().set(row).filter(tenant::Column::Id.eq(tenant.id)).exec(db).await?;
    Ok(())
}

/// Sets the status; [`super::users::update_tenant_disabled`] copies it to the users.
pub async fn update_status(db: &impl TracksRevocations, tenant: &tenant::Model, status: tenant::Status) -> Result<()> {
    db.mark_changed(Affected::AllUsers, Propagation::AllNodes);
    let row = tenant::ActiveModel { status: Set(status), ..Default::default() };
    tenant::Entity::update_many().set(row).filter(tenant::Column::Id.eq(tenant.id)).exec(db).await?;
    Ok(())
}

/// Deletes a tenant without users, and its import record.
pub async fn delete(db: &impl TracksChanges, tenant: &tenant::Model) -> Result<()> {
    db.mark_changed(Affected::AllUsers, Propagation::AllNodes);
    imported::Entity::delete_many().filter(imported::Column::Uid.eq(tenant.uid)).exec(db).await?;
    tenant::Entity::delete_by_id(tenant.id).exec(db).await?;
    Ok(())
}
