//! Table `session`: one sign-in on one device.

use sea_orm::entity::prelude::*;

use crate::timestamp::Timestamp;

/// One sign-in on one device, from login until it ends.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique)]
    pub uid: Uuid,
    pub user_id: i64,
    /// Counts the token pairs made so far; the latest pair carries this number.
    pub generation: i32,
    /// The highest generation whose arrival at the client is proven.
    pub receipt: i32,
    pub transport: Transport,
    pub device_name: Option<String>,
    pub user_agent: Option<String>,
    pub address: Option<String>,
    pub created_at: Timestamp,
    pub rotated_at: Timestamp,
    pub last_seen_at: Timestamp,
    pub idle_end_at: Timestamp,
    pub absolute_end_at: Timestamp,
    pub ended_at: Option<Timestamp>,
    pub end_reason: Option<EndReason>,
    /// The latest `iat` of its access tokens.
    pub issued_at: Timestamp,
    /// Access tokens of earlier generations are revoked.
    pub lowest_generation: i32,
}

/// The way a session's tokens travel to its client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
pub enum Transport {
    #[sea_orm(string_value = "BODY")]
    Body,
    #[sea_orm(string_value = "REFRESH_COOKIE")]
    RefreshCookie,
    #[sea_orm(string_value = "COOKIES")]
    Cookies,
}

/// Why a session ended before its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
pub enum EndReason {
    #[sea_orm(string_value = "LOGOUT")]
    Logout,
    #[sea_orm(string_value = "REVOKED")]
    Revoked,
    #[sea_orm(string_value = "PASSWORD_CHANGED")]
    PasswordChanged,
    #[sea_orm(string_value = "REFRESH_TOKEN_REUSED")]
    RefreshTokenReused,
    #[sea_orm(string_value = "ACCOUNT_DISABLED")]
    AccountDisabled,
    #[sea_orm(string_value = "SESSION_LIMIT")]
    SessionLimit,
}

/// How a session relates to other tables.
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
