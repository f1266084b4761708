//! Table `api_token`: API tokens, by which programs act for a user.

use sea_orm::entity::prelude::*;

use crate::secret::SecretText;
use crate::timestamp::Timestamp;

/// An API token; its secret is stored only as a hash.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "api_token")]
pub struct Model {
    /// Row id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Public id.
    #[sea_orm(unique)]
    pub uid: Uuid,
    /// Row id of the owner.
    pub user_id: i64,
    /// Name given by the owner.
    pub name: String,
    /// Free text of the owner.
    pub note: Option<String>,
    /// SHA-256 of the secret in lower-case hexadecimal.
    #[sea_orm(unique)]
    pub secret_hash: SecretText,
    /// Names of permissions as a JSON array; NULL grants all permissions of the owner.
    #[sea_orm(column_type = "Text", nullable)]
    pub permissions: Option<String>,
    /// Scopes for other services, as a JSON array of strings.
    #[sea_orm(column_type = "Text")]
    pub scopes: String,
    /// Whether it is enabled; can be switched back.
    pub enabled: bool,
    /// Whether a login issued it in place of a session: it ends with the owner's sessions.
    pub from_login: bool,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change of its settings.
    pub updated_at: Timestamp,
    /// Expiry; NULL for a token without one.
    pub expires_at: Option<Timestamp>,
    /// Time of a recent use; not every use is recorded.
    pub last_used_at: Option<Timestamp>,
    /// Time of the revocation, which is final.
    pub revoked_at: Option<Timestamp>,
    /// Incremented by each change of its settings.
    pub version: i64,
}

/// Relations of an API token.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The owner.
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
