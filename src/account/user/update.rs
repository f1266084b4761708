//! Input for changes to a user.

use chrono::{DateTime, Utc};
use entity::timestamp::Timestamp;

use super::new_user::FieldErrors;
use crate::account::caller::user_action::UserAction;
use crate::account::names::email::Email;
use crate::account::names::name::Name;
use crate::account::names::username::Username;
use crate::error::Result;
use crate::store::users::Changes;

/// Changes to a user; absent fields stay, `Some(None)` clears.
#[derive(Debug, Default)]
pub struct UpdateUser {
    /// The new username.
    pub username: Option<Username>,
    /// The new e-mail address.
    pub email: Option<Option<Email>>,
    /// The new display name.
    pub display_name: Option<Option<Name>>,
    /// Whether the user must change the password at next login.
    pub must_change_password: Option<bool>,
    /// When the user last logged in; written by legacy clients.
    pub last_login_at: Option<DateTime<Utc>>,
    /// The expected version; a mismatch is a conflict.
    pub version: Option<i64>,
}

impl UpdateUser {
    /// Parses typed text; reports all invalid fields.
    ///
    /// # Errors
    /// One refusal per invalid field.
    pub fn parse(
        username: Option<&str>,
        email: Option<Option<&str>>,
        display_name: Option<Option<&str>>,
    ) -> Result<Self> {
        let mut errors = FieldErrors::default();
        let username = errors.collect("username", username.map(Username::parse).transpose());
        let email = errors.collect("email", email.map(|text| text.map(Email::parse).transpose()).transpose());
        let display_name =
            errors.collect("displayName", display_name.map(|text| text.map(Name::parse).transpose()).transpose());
        match (username, email, display_name) {
            (Some(username), Some(email), Some(display_name)) => {
                Ok(Self { username, email, display_name, ..Self::default() })
            }
            _ => Err(errors.into()),
        }
    }

    /// The action that this is.
    pub(in crate::account) fn action(&self) -> UserAction {
        let Self { username, email, display_name, must_change_password, last_login_at: _, version: _ } = self;
        let changes = username.is_some() || email.is_some() || display_name.is_some() || must_change_password.is_some();
        if changes { UserAction::Update } else { UserAction::RecordLogin }
    }

    /// The changes to the row.
    pub(in crate::account) fn changes(self) -> Changes {
        Changes {
            username: self.username.map(|name| (name.as_str().to_owned(), name.key())),
            email: self.email.map(|email| email.map(|email| (email.to_string(), email.key()))),
            display_name: self.display_name.map(|name| name.map(|name| (name.as_str().to_owned(), name.key()))),
            must_change_password: self.must_change_password,
            last_login_at: self.last_login_at.map(Timestamp::from),
        }
    }
}
