//! Table `user`: users.

use sea_orm::entity::prelude::*;

use crate::secret::SecretText;
use crate::timestamp::Timestamp;

/// A user. Each `*_key` holds the canonical form of the column before it, for lookups and comparisons.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "user")]
pub struct Model {
    /// Row id.
    #[sea_orm(primary_key)]
    pub id: i64,
    /// Public id.
    #[sea_orm(unique)]
    pub uid: Uuid,
    /// Row id of the tenant.
    pub tenant_id: i64,
    /// Username as displayed.
    pub username: String,
    /// Canonical username.
    #[sea_orm(unique)]
    pub username_key: String,
    /// E-mail address as displayed.
    pub email: Option<String>,
    /// Canonical e-mail address.
    #[sea_orm(unique)]
    pub email_key: Option<String>,
    /// Name for display.
    pub display_name: Option<String>,
    /// Canonical display name, for searches.
    pub display_name_key: Option<String>,
    /// Password hash; NULL if the user cannot sign in by password.
    pub password_hash: Option<SecretText>,
    /// Time of the last password change.
    pub password_changed_at: Option<Timestamp>,
    /// Whether the user must set a new password before anything else.
    pub must_change_password: bool,
    /// Whether the user may sign in.
    pub status: Status,
    /// Time of the last login.
    pub last_login_at: Option<Timestamp>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
    /// Incremented by each change except logins and cut-offs; detects concurrent updates.
    pub version: i64,
    /// Copy of the tenant's disabled state.
    pub tenant_disabled: bool,
    /// Other services reject access tokens issued up to this time, in whole seconds.
    pub cut_off_at: Option<Timestamp>,
}

impl Model {
    /// Whether the user may sign in: neither user nor tenant is disabled.
    pub fn is_active(&self) -> bool {
        self.status == Status::Active && !self.tenant_disabled
    }
}

/// Whether the user may sign in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(rs_type = "String", db_type = "String(StringLen::None)")]
pub enum Status {
    /// The user may.
    #[sea_orm(string_value = "ACTIVE")]
    Active,
    /// The user may not.
    #[sea_orm(string_value = "DISABLED")]
    Disabled,
}

/// Relations of a user.
#[derive(Clone, Copy, Debug, EnumIter, DeriveRelation)]
pub enum Relation {
    /// The tenant.
    #[sea_orm(belongs_to = "super::tenant::Entity", from = "Column::TenantId", to = "super::tenant::Column::Id")]
    Tenant,
    /// The sessions.
    #[sea_orm(has_many = "super::session::Entity")]
    Session,
    /// The role assignments.
    #[sea_orm(has_many = "super::user_role::Entity")]
    UserRole,
}

impl Related<super::tenant::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Tenant.def()
    }
}

impl Related<super::session::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::Session.def()
    }
}

impl Related<super::user_role::Entity> for Entity {
    fn to() -> RelationDef {
        Relation::UserRole.def()
    }
}

impl Related<super::role::Entity> for Entity {
    fn to() -> RelationDef {
        super::user_role::Relation::Role.def()
    }

    fn via() -> Option<RelationDef> {
        Some(super::user_role::Relation::User.def().rev())
    }
}

impl ActiveModelBehavior for ActiveModel {}
