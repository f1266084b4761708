//! The one name by which some older services know an account: its e-mail address, or else its username.

use entity::user;
use secrecy::SecretString;

use super::administration::UpdateUser;
use super::email::Email;
use super::identifier::Identifier;
use super::query::NewUser;
use super::username;
use crate::app::App;
use crate::error::Result;

/// The name that is shown.
pub fn of_user(user: &user::Model) -> &str {
    user.email.as_deref().unwrap_or(&user.username)
}

/// Whether `typed` is the e-mail address or the username of `user` letter for letter.
pub fn matches_exactly(user: &user::Model, typed: &str) -> bool {
    match Email::parse(typed) {
        Ok(address) => user.email.as_ref().is_some_and(|own| *own == address.to_string()),
        Err(_) => username::matches_exactly(&user.username, typed),
    }
}

/// Whether `name` is the e-mail address or the username of `user` in any spelling.
pub fn matches(user: &user::Model, name: &Identifier) -> bool {
    name.username_key() == user.username_key || user.email_key.as_deref() == Some(name.email_key())
}

/// Most letters of an address that go into the username beside it.
const MAX_LOCAL_PART: usize = 40;

/// The account that a caller means by one name. Beside an address it gets a username, of which such a caller never
/// hears: the beginning of the address, and an end that nobody else has.
///
/// # Errors
/// One refusal per wrong field.
pub fn new_user(app: &App, handle: &str, display_name: Option<&str>, password: SecretString) -> Result<NewUser> {
    let Some((local, _)) = handle.split_once('@') else {
        return NewUser::parse(handle, None, display_name, password);
    };
    let letters: String = local.chars().filter(char::is_ascii_alphanumeric).take(MAX_LOCAL_PART).collect();
    let beginning = if letters.is_empty() { "user" } else { letters.as_str() };
    let end: String = app.entropy.bytes::<4>().iter().map(|byte| format!("{byte:02x}")).collect();
    NewUser::parse(&format!("{beginning}-{end}"), Some(handle), display_name, password)
}

/// What a caller changes about `user` that knows one name: an address takes the place of an address, and where there
/// is none any more, the username is what is shown.
///
/// # Errors
/// One refusal per wrong field.
pub fn changes(user: &user::Model, handle: &str, display_name: Option<&str>) -> Result<UpdateUser> {
    let (username, email) = match handle {
        same if same == of_user(user) => (None, None),
        address if address.contains('@') => (None, Some(Some(address))),
        username => (Some(username), Some(None)),
    };
    // A name that is there already may be one that today's rules refuse.
    let display_name = Some(display_name).filter(|name| *name != user.display_name.as_deref());
    UpdateUser::parse(username, email, display_name)
}
