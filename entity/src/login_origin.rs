//! Table `login_origin`: known devices and networks of users.

use sea_orm::entity::prelude::*;

use crate::timestamp::Timestamp;

/// A known device or network of a user, until it expires.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "login_origin")]
pub struct Model {
    /// Row id of the user.
    #[sea_orm(primary_key, auto_increment = false)]
    pub user_id: i64,
    /// `device:` with its UUID, or `net:` with a network such as `192.0.2.0/24`.
    #[sea_orm(primary_key, auto_increment = false)]
    pub origin: String,
    /// Expiry.
    pub expires_at: Timestamp,
}

/// Relations of a login origin.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The user.
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
