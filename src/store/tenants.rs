//! Tenants.

use entity::timestamp::Timestamp;
use entity::{imported, tenant};
use sea_orm::{
    ActiveModelTrait, ColumnTrait, ConnectionTrait, EntityTrait, PaginatorTrait, QueryFilter, QuerySelect, Select, Set,
};
use uuid::Uuid;

use super::change_counters::{Affected, Propagation, TracksChanges};
use super::cut_offs::TracksRevocations;
use super::keyset::{CursorKey, Page, Sort, paged};
use super::scope::TenantScope;
use super::updated_row::updated_row;
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

/// A tenant to add.
#[derive(Debug)]
pub struct NewRow {
    /// Row id; by default the next one.
    pub id: Option<i64>,
    /// Public id.
    pub uid: Uuid,
    /// Name.
    pub name: String,
    /// Time of creation.
    pub created_at: Timestamp,
}

impl From<NewRow> for tenant::ActiveModel {
    fn from(new: NewRow) -> Self {
        let mut row = Self {
            uid: Set(new.uid),
            name: Set(new.name),
            created_at: Set(new.created_at),
            status: Set(tenant::Status::Active),
            ..Default::default()
        };
        if let Some(id) = new.id {
            row.id = Set(id);
        }
        row
    }
}

/// Adds a tenant.
pub async fn insert(db: &impl ConnectionTrait, tenant: NewRow) -> Result<tenant::Model> {
    Ok(tenant::ActiveModel::from(tenant).insert(db).await?)
}

/// Sets the name; returns the updated row.
pub async fn update_name(db: &impl ConnectionTrait, tenant: &tenant::Model, name: &str) -> Result<tenant::Model> {
    let row = tenant::ActiveModel { name: Set(name.to_owned()), ..Default::default() };
    tenant::Entity::update_many().set(row.clone()).filter(tenant::Column::Id.eq(tenant.id)).exec(db).await?;
    updated_row(tenant, row)
}

/// Sets the status; [`super::users::update_tenant_disabled`] copies it to the users. Returns the updated row.
pub async fn update_status(
    db: &impl TracksRevocations,
    tenant: &tenant::Model,
    status: tenant::Status,
) -> Result<tenant::Model> {
    db.mark_changed(Affected::AllUsers, Propagation::AllNodes);
    let row = tenant::ActiveModel { status: Set(status), ..Default::default() };
    tenant::Entity::update_many().set(row.clone()).filter(tenant::Column::Id.eq(tenant.id)).exec(db).await?;
    updated_row(tenant, row)
}

/// Deletes a tenant without users, and its import record.
pub async fn delete(db: &impl TracksChanges, tenant: &tenant::Model) -> Result<()> {
    db.mark_changed(Affected::AllUsers, Propagation::AllNodes);
    imported::Entity::delete_many().filter(imported::Column::Uid.eq(tenant.uid)).exec(db).await?;
    tenant::Entity::delete_by_id(tenant.id).exec(db).await?;
    Ok(())
}
