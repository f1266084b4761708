//! Table `session`: sessions.

use sea_orm::entity::prelude::*;

use crate::timestamp::Timestamp;

/// A session of one device, from login until its end.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "session")]
pub struct Model {
    /// Row id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Public id.
    #[sea_orm(unique)]
    pub uid: Uuid,
    /// Row id of the user.
    pub user_id: i64,
    /// Number of token pairs issued so far, which is also the generation of the latest pair.
    pub generation: i32,
    /// Highest generation that the client has confirmed by using it.
    pub receipt: i32,
    /// How tokens are sent to the client.
    pub transport: Transport,
    /// Device name given at login.
    pub device_name: Option<String>,
    /// `User-Agent` at login.
    pub user_agent: Option<String>,
    /// IP address at login.
    pub address: Option<String>,
    /// Time of the login.
    pub created_at: Timestamp,
    /// Time of the last rotation.
    pub rotated_at: Timestamp,
    /// Time of a recent use; not every request is recorded.
    pub last_seen_at: Timestamp,
    /// End unless it is refreshed before.
    pub idle_end_at: Timestamp,
    /// End that no refresh extends.
    pub absolute_end_at: Timestamp,
    /// Time when it was ended early.
    pub ended_at: Option<Timestamp>,
    /// Why it was ended early.
    pub end_reason: Option<EndReason>,
    /// Latest `iat` of its access tokens.
    pub issued_at: Timestamp,
    /// Lowest generation whose access tokens are valid.
    pub lowest_generation: i32,
}

/// How a session's tokens are sent to the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
pub enum Transport {
    /// Both tokens in the response body.
    #[sea_orm(string_value = "BODY")]
    Body,
    /// The refresh token in a cookie, the access token in the body.
    #[sea_orm(string_value = "REFRESH_COOKIE")]
    RefreshCookie,
    /// Both tokens in cookies.
    #[sea_orm(string_value = "COOKIES")]
    Cookies,
}

/// Why a session ended before its expiry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
pub enum EndReason {
    /// The user signed out.
    #[sea_orm(string_value = "LOGOUT")]
    Logout,
    /// The user or an administrator ended it.
    #[sea_orm(string_value = "REVOKED")]
    Revoked,
    /// The password changed.
    #[sea_orm(string_value = "PASSWORD_CHANGED")]
    PasswordChanged,
    /// A used refresh token was sent again (RFC 9700 section 4.14.2).
    #[sea_orm(string_value = "REFRESH_TOKEN_REUSED")]
    RefreshTokenReused,
    /// The user or the tenant was disabled.
    #[sea_orm(string_value = "ACCOUNT_DISABLED")]
    AccountDisabled,
    /// A newer session exceeded the limit per user.
    #[sea_orm(string_value = "SESSION_LIMIT")]
    SessionLimit,
}

/// Relations of a session.
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
