//! The credentials of a login, and the user they name.

use entity::user;
use secrecy::SecretString;

use crate::account::names::identifier::Identifier;
use crate::account::names::username::matches_exactly;
use crate::account::user::handle;
use crate::app::App;
use crate::error::Result;
use crate::store::{Connection, TenantScope, users};

/// The credentials of a login.
#[derive(Debug)]
pub struct LoginCredentials {
    /// Username or e-mail address, as typed.
    pub name: Identifier,
    /// Which names match.
    pub name_match: NameMatch,
    /// The password, as typed.
    pub password: SecretString,
    /// The device token of an earlier login on this device.
    pub device_token: Option<SecretString>,
    /// The role that the user must have. Others get the response of a wrong password, whether theirs was correct or
    /// not.
    pub required_role: Option<String>,
}

impl LoginCredentials {
    /// A name and a password, without a device token and for users of any role.
    pub fn new(name: impl Into<Identifier>, name_match: NameMatch, password: impl Into<SecretString>) -> Self {
        Self { name: name.into(), name_match, password: password.into(), device_token: None, required_role: None }
    }

    /// The user with this login name, however exactly it has to match.
    pub(super) async fn find_user(&self, app: &App) -> Result<Option<user::Model>> {
        find_user(app.db.reader(), TenantScope::AllTenants, &self.name).await
    }

    /// Whether the typed name matches the user as exactly as it has to.
    pub(super) fn matches(&self, user: &user::Model) -> bool {
        match self.name_match {
            NameMatch::Any => true,
            NameMatch::Exact => matches_exactly(&user.username, self.name.typed()),
            NameMatch::Handle => handle::matches_exactly(user, self.name.typed()),
        }
    }
}

/// Which of a user's names match a login name, and how exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameMatch {
    /// Username or e-mail address, canonically equal.
    Any,
    /// Username, case-sensitive: legacy services distinguish `ann` and `Ann`.
    Exact,
    /// E-mail address or username, case-sensitive.
    Handle,
}

/// The user with this login name, canonically compared.
pub(in crate::account) async fn find_user(
    db: &impl Connection,
    scope: TenantScope,
    name: &Identifier,
) -> Result<Option<user::Model>> {
    let mut found = users::list_by_handle(db, scope, name.username_key(), name.email_key()).await?;
    // A matching username takes precedence over a matching e-mail address.
    found.sort_by_key(|user| user.username_key != name.username_key());
    Ok(found.into_iter().next())
}
