//! The single name by which some legacy services identify a user: the e-mail address, or else the username.

use entity::user;
use secrecy::SecretString;

use super::new_user::NewUser;
use super::update::UpdateUser;
use crate::account::names::email::Email;
use crate::account::names::identifier::Identifier;
use crate::account::names::username;
use crate::app::App;
use crate::error::Result;

/// The name to display.
pub fn of_user(user: &user::Model) -> &str {
    user.email.as_deref().unwrap_or(&user.username)
}

/// Whether `typed` is the user's e-mail address or username, case-sensitive.
pub fn matches_exactly(user: &user::Model, typed: &str) -> bool {
    match Email::parse(typed) {
        Ok(address) => user.email.as_ref().is_some_and(|own| *own == address.to_string()),
        Err(_) => username::matches_exactly(&user.username, typed),
    }
}

/// Whether `name` is the user's e-mail address or username in any spelling.
pub fn matches(user: &user::Model, name: &Identifier) -> bool {
    name.username_key() == user.username_key || user.email_key.as_deref() == Some(name.email_key())
}

/// Maximum number of characters of the local part in a generated username.
const MAX_LOCAL_PART: usize = 40;

/// The new user of a caller that sends one name. An e-mail address gets a generated username, which such a caller never
/// sees: the start of the local part and a random suffix.
///
/// # Errors
/// One refusal per invalid field.
pub fn new_user(app: &App, handle: &str, display_name: Option<&str>, password: SecretString) -> Result<NewUser> {
    let Some((local, _)) = handle.split_once('@') else {
        return NewUser::parse(handle, None, display_name, password);
    };
    let letters: String = local.chars().filter(char::is_ascii_alphanumeric).take(MAX_LOCAL_PART).collect();
    let beginning = if letters.is_empty() { "user" } else { letters.as_str() };
    let end = hex::encode(app.entropy.bytes::<4>());
    NewUser::parse(&format!("{beginning}-{end}"), Some(handle), display_name, password)
}

/// The changes to `user` by a caller that sends one name. An address replaces the address. A username replaces the
/// username and clears the address, which would otherwise stay the displayed name.
///
/// # Errors
/// One refusal per invalid field.
pub fn changes(user: &user::Model, handle: &str, display_name: Option<&str>) -> Result<UpdateUser> {
    let (username, email) = match handle {
        same if same == of_user(user) => (None, None),
        address if address.contains('@') => (None, Some(Some(address))),
        username => (Some(username), Some(None)),
    };
    // An unchanged name is not validated: today's rules may refuse a stored one.
    let display_name = Some(display_name).filter(|name| *name != user.display_name.as_deref());
    UpdateUser::parse(username, email, display_name)
}
