//! Input for new users, and their insertion.

use chrono::{DateTime, Utc};
use entity::secret::SecretText;
use entity::tenant;
use entity::user::{self, Status};
use secrecy::SecretString;

use crate::account::access::permission::DEFAULT_TENANT;
use crate::account::names::email::Email;
use crate::account::names::name::Name;
use crate::account::names::username::Username;
use crate::app::App;
use crate::error::{Error, Refusal, Result};
use crate::store::{TracksChanges, users};

/// The input for a new user.
#[derive(Debug)]
pub struct NewUser {
    /// The username.
    pub username: Username,
    /// The e-mail address.
    pub email: Option<Email>,
    /// The display name.
    pub display_name: Option<Name>,
    /// The first password.
    pub password: SecretString,
    /// Whether the user must change the password at next login.
    pub must_change_password: bool,
    /// Whether the user can log in.
    pub status: Status,
}

impl NewUser {
    /// Parses typed text; reports all invalid fields.
    ///
    /// # Errors
    /// One refusal per invalid field.
    pub fn parse(
        username: &str,
        email: Option<&str>,
        display_name: Option<&str>,
        password: SecretString,
    ) -> Result<Self> {
        let mut errors = FieldErrors::default();
        let username = errors.collect("username", Username::parse(username));
        let email = errors.collect("email", email.map(Email::parse).transpose());
        let display_name = errors.collect("displayName", display_name.map(Name::parse).transpose());
        match (username, email, display_name) {
            (Some(username), Some(email), Some(display_name)) => {
                let (must_change_password, status) = (false, Status::Active);
                Ok(Self { username, email, display_name, password, must_change_password, status })
            }
            _ => Err(errors.into()),
        }
    }

    /// The names that the password must not equal.
    pub(in crate::account) fn forbidden_names(&self) -> Vec<String> {
        let email = self.email.as_ref().map(Email::to_string);
        let display_name = self.display_name.as_ref().map(|name| name.as_str().to_owned());
        [Some(self.username.as_str().to_owned()), email, display_name].into_iter().flatten().collect()
    }
}

/// The tenant of a new user.
#[derive(Debug, Clone, Copy)]
pub(in crate::account) struct UserTenant {
    /// Row id.
    id: i64,
    /// Whether the tenant is disabled, and so its users.
    is_disabled: bool,
}

impl UserTenant {
    /// The default tenant, which cannot be disabled.
    pub(in crate::account) const DEFAULT: Self = Self { id: DEFAULT_TENANT, is_disabled: false };
}

impl From<&tenant::Model> for UserTenant {
    fn from(tenant: &tenant::Model) -> Self {
        Self { id: tenant.id, is_disabled: tenant.status == tenant::Status::Disabled }
    }
}

/// Inserts the user within the caller's transaction.
pub(in crate::account) async fn insert(
    tx: &impl TracksChanges,
    app: &App,
    input: &NewUser,
    hash: String,
    tenant: UserTenant,
    now: DateTime<Utc>,
) -> Result<user::Model> {
    let row = users::NewRow {
        id: None,
        uid: app.entropy.uuid(now),
        tenant_id: tenant.id,
        tenant_disabled: tenant.is_disabled,
        username: (input.username.as_str().to_owned(), input.username.key()),
        email: input.email.as_ref().map(|email| (email.to_string(), email.key())),
        display_name: input.display_name.as_ref().map(|name| (name.as_str().to_owned(), name.key())),
        password_hash: Some(SecretText::new(hash)),
        password_changed_at: Some(now.into()),
        must_change_password: input.must_change_password,
        status: input.status,
        last_login_at: None,
        created_at: now.into(),
        updated_at: now.into(),
    };
    users::insert(tx, row).await
}

/// The refusals of all invalid fields of one input.
#[derive(Debug, Default)]
pub(in crate::account) struct FieldErrors(Vec<Refusal>);

impl FieldErrors {
    /// The parsed value, or `None` after recording the refusal of `field`.
    pub(in crate::account) fn collect<T>(&mut self, field: &'static str, parsed: Result<T, Refusal>) -> Option<T> {
        parsed.map_err(|refusal| self.0.push(refusal.for_field(field))).ok()
    }
}

impl From<FieldErrors> for Error {
    fn from(errors: FieldErrors) -> Self {
        Self::Refused(errors.0)
    }
}
