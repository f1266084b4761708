//! Table `role_permission`: permissions of roles.

use sea_orm::entity::prelude::*;

/// A permission of a role.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "role_permission")]
pub struct Model {
    /// Row id of the role.
    #[sea_orm(primary_key, auto_increment = false)]
    pub role_id: i64,
    /// Name of the permission.
    #[sea_orm(primary_key, auto_increment = false)]
    pub permission: String,
}

/// Relations of a role's permission.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The role.
    #[sea_orm(
        belongs_to = "super::role::Entity",
        from = "Column::RoleId",
        to = "super::role::Column::Id",
        on_delete = "Cascade"
    )]
    Role,
}

impl Related<super::role::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Role.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
