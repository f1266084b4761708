//! Table `login_origin`: the devices and networks that an account was signed in to from.

use sea_orm::entity::prelude::*;

use crate::timestamp::Timestamp;

/// One device or network of one account, until it is unknown again.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_origin")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    /// `device:` with its UUID, or `net:` with a network such as `192.0.2.0/24`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub origin: String,
    pub expires_at: Timestamp,
}

/// How an origin relates to other tables.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    #[sea_orm(
        belongs_to = "super::user::Entity",
        from = "Column::UserId",
        to = "super::user::Column::Id",
        on_delete = "Cascade"
    )]
    User,
}

impl Related<super::user::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::User.def()
    }
}

impl ActiveModelBehavior for ActiveModel {}
