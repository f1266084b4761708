//! Rows of new users.

use entity::secret::SecretText;
use entity::timestamp::Timestamp;
use entity::user;
use sea_orm::Set;
use uuid::Uuid;

/// A user to add.
#[derive(Debug)]
pub struct NewRow {
    /// Row id; by default the next one.
    pub id: Option<i64>,
    /// Public id.
    pub uid: Uuid,
    /// Row id of the tenant.
    pub tenant_id: i64,
    /// Whether the tenant is disabled.
    pub tenant_disabled: bool,
    /// Username and its key.
    pub username: (String, String),
    /// E-mail address and its key.
    pub email: Option<(String, String)>,
    /// Display name and its key.
    pub display_name: Option<(String, String)>,
    /// Password hash.
    pub password_hash: Option<SecretText>,
    /// Time of the last password change.
    pub password_changed_at: Option<Timestamp>,
    /// Whether the user must change the password.
    pub must_change_password: bool,
    /// Status of the user.
    pub status: user::Status,
    /// Time of the last login.
    pub last_login_at: Option<Timestamp>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

impl From<NewRow> for user::ActiveModel {
    fn from(new: NewRow) -> Self {
        let (username, username_key) = new.username;
        let (email, email_key) = new.email.unzip();
        let (display_name, display_name_key) = new.display_name.unzip();
        let mut row = Self {
            uid: Set(new.uid),
            tenant_id: Set(new.tenant_id),
            tenant_disabled: Set(new.tenant_disabled),
            username: Set(username),
            username_key: Set(username_key),
            email: Set(email),
            email_key: Set(email_key),
            display_name: Set(display_name),
            display_name_key: Set(display_name_key),
            password_hash: Set(new.password_hash),
            password_changed_at: Set(new.password_changed_at),
            must_change_password: Set(new.must_change_password),
            status: Set(new.status),
            last_login_at: Set(new.last_login_at),
            created_at: Set(new.created_at),
            updated_at: Set(new.updated_at),
            version: Set(1),
            ..Default::default()
        };
        if let Some(id) = new.id {
            row.id = Set(id);
        }
        row
    }
}
