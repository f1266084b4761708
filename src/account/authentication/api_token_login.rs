//! Login that creates an API token in place of a session.

use entity::user;

use super::login::{self, Login};
use super::logout;
use crate::account::api_token::SecretFormat;
use crate::account::api_token::create::{CreatedApiToken, CreatedBy, create_as};
use crate::account::api_token::new_token::NewApiToken;
use crate::account::caller::request_context::RequestContext;
use crate::app::App;
use crate::error::Result;

/// Verifies a login and creates a token in place of a session, for clients without other credentials. Anyone may call
/// it. The token ends with its owner's sessions. At the limit it replaces an earlier token from a login, so repeated
/// logins never lock a user out.
///
/// # Errors
/// As [`login::login`] and [`crate::account::api_token::create()`]; [`crate::error::Error::PasswordChangeRequired`].
pub async fn create_by_login(
    app: &App,
    context: &RequestContext,
    input: Login,
    new_token: NewApiToken,
    format: SecretFormat,
) -> Result<(CreatedApiToken, user::Model)> {
    let issued = login::login(app, context, input).await?.issued;
    let requester = issued.requester(context.clone());
    let created = create_as(app, &requester, new_token, format, CreatedBy::Login).await;
    // No client has the session's tokens.
    logout::end_current_session(app, &requester).await?;
    Ok((created?, issued.user))
}
