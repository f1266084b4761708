//! Statements on groups of users: those of a tenant, and the holders of a role.

use chrono::{DateTime, Utc};
use entity::{user, user_role};
use sea_orm::sea_query::{Expr, ExprTrait, Query, SelectStatement, SimpleExpr};
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder};

use crate::error::Result;
use crate::store::change_counters::{Affected, Propagation, TracksChanges};
use crate::store::cut_offs::{Cause, TracksRevocations, revoke_issued_tokens};

/// Copies the tenant's disabled state to its users, and increments their versions.
pub async fn update_tenant_disabled(
    db: &impl TracksChanges,
    tenant_id: i64,
    disabled: bool,
    now: DateTime<Utc>,
) -> Result<()> {
    user::Entity::update_many()
        .col_expr(user::Column::TenantDisabled, Expr::value(disabled))
        .col_expr(user::Column::UpdatedAt, later_of_updated_at_and(now))
        .col_expr(user::Column::Version, Expr::col(user::Column::Version).add(1))
        .filter(user::Column::TenantId.eq(tenant_id))
        .exec(db)
        .await?;
    db.mark_changed(Affected::AllUsers, Propagation::AllNodes);
    Ok(())
}

/// Increments the versions of a role's holders, because their permissions change, and revokes the access tokens issued
/// to them. Returns the holders.
pub async fn update_holder_versions(
    db: &impl TracksRevocations,
    role_id: i64,
    now: DateTime<Utc>,
) -> Result<Vec<user::Model>> {
    user::Entity::update_many()
        .col_expr(user::Column::UpdatedAt, later_of_updated_at_and(now))
        .col_expr(user::Column::Version, Expr::col(user::Column::Version).add(1))
        .filter(user::Column::Id.in_subquery(holder_ids(role_id)))
        .exec(db)
        .await?;
    db.mark_changed(Affected::AllUsers, Propagation::AllNodes);
    let holders = list_holders(db, role_id).await?;
    for holder in &holders {
        revoke_issued_tokens(db, holder.id, Cause::RolesChanged).await?;
    }
    Ok(holders)
}

/// The holders of a role, by row id.
pub async fn list_holders(db: &impl ConnectionTrait, role_id: i64) -> Result<Vec<user::Model>> {
    let rows = user::Entity::find().filter(user::Column::Id.in_subquery(holder_ids(role_id)));
    Ok(rows.order_by_asc(user::Column::Id).all(db).await?)
}

/// The time of the last change, which must not go back: `now` was read before the rows were locked.
fn later_of_updated_at_and(now: DateTime<Utc>) -> SimpleExpr {
    let (updated_at, now) = (Expr::col(user::Column::UpdatedAt), now.timestamp_millis());
    Expr::case(updated_at.clone().gt(now), updated_at).finally(now).into()
}

fn holder_ids(role_id: i64) -> SelectStatement {
    let of_role = Expr::col(user_role::Column::RoleId).eq(role_id);
    Query::select().column(user_role::Column::UserId).from(user_role::Entity).and_where(of_role).take()
}
