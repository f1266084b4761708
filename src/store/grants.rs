//! Grants: the permissions of users through their roles.

use entity::{role, role_permission, user, user_role};
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, FromQueryResult, JoinType, QueryFilter, QuerySelect, RelationTrait,
};

use crate::error::Result;

/// A permission that a user has through a role.
#[derive(Debug, Clone, FromQueryResult)]
pub struct Grant {
    /// Row id of the user.
    pub user_id: i64,
    /// Row id of the user's tenant.
    pub tenant_id: i64,
    /// Name of the role.
    pub name: String,
    /// Whether the role is built in and so has every permission.
    pub built_in: bool,
    /// Name of one permission of the role; `None` if it has none.
    pub permission: Option<String>,
}

/// The grants of these users: one per user, role and permission.
pub async fn list(db: &impl ConnectionTrait, user_ids: Vec<i64>) -> Result<Vec<Grant>> {
    Ok(user_role::Entity::find()
        .select_only()
        .column(user_role::Column::UserId)
        .column(user::Column::TenantId)
        .column(role::Column::Name)
        .column(role::Column::BuiltIn)
        .column(role_permission::Column::Permission)
        .join(JoinType::InnerJoin, user_role::Relation::User.def())
        .join(JoinType::InnerJoin, user_role::Relation::Role.def())
        .join(JoinType::LeftJoin, role::Relation::RolePermission.def())
        .filter(user_role::Column::UserId.is_in(user_ids))
        .into_model::<Grant>()
        .all(db)
        .await?)
}
