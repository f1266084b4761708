//! Table `tenant`: customers of the application; every user belongs to one.

use sea_orm::entity::prelude::*;

use crate::timestamp::Timestamp;

/// A customer of the application; row id 1 is the default tenant.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "tenant")]
pub struct Model {
    /// Row id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Public id.
    #[sea_orm(unique)]
    pub uid: Uuid,
    /// Name as displayed.
    pub name: String,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Whether its users may sign in.
    pub status: Status,
}

/// Whether the tenant's users may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
pub enum Status {
    /// They may.
    #[sea_orm(string_value = "ACTIVE")]
    Active,
    /// They may not.
    #[sea_orm(string_value = "DISABLED")]
    Disabled,
}

/// Relations of a tenant.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// Its users.
    #[sea_orm(has_many = "super::user::Entity")]
    User,
}

impl Related<super::user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
