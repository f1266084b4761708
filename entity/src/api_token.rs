//! Table `api_token`: what a program signs in with in the name of a user.

use sea_orm::entity::prelude::*;

use crate::secret::SecretText;
use crate::timestamp::Timestamp;

/// A token that its owner gave to a program; the secret itself is nowhere.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_token")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique)]
    pub uid: Uuid,
    pub user_id: i64,
    pub name: String,
    pub note: Option<String>,
    /// SHA-256 of the secret in lower-case hexadecimal digits.
    #[sea_orm(unique)]
    pub secret_hash: SecretText,
    /// Names of permissions as a JSON list; nothing stands for all that the owner has.
    #[sea_orm(column_type = "Text", nullable)]
    pub permissions: Option<String>,
    /// Texts that mean something to others, as a JSON list.
    #[sea_orm(column_type = "Text")]
    pub scopes: String,
    pub enabled: bool,
    /// A login made it in place of a session: it ends with the sessions of its owner.
    pub from_login: bool,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
    pub revoked_at: Option<Timestamp>,
    /// Counts the changes that somebody made to it.
    pub version: i64,
}

/// How an API token relates to other tables.
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
