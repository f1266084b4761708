//! Login that creates an API token in place of a session.

use super::credentials::LoginCredentials;
use super::login_origin;
use super::verify_credentials::verify_credentials;
use crate::account::api_token::SecretFormat;
use crate::account::api_token::create::{self, CreatedApiToken};
use crate::account::api_token::new_token::NewApiToken;
use crate::account::caller::request_context::RequestContext;
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::app::App;
use crate::error::{Error, Result};

/// Verifies a login and creates a token in place of a session, for clients without other credentials. Anyone may call
/// it. The token ends with its owner's sessions. At the limit it replaces an earlier token from a login, so repeated
/// logins never lock a user out.
///
/// # Errors
/// As [`login`](super::login::login()) and [`create::create`]; [`Error::PasswordChangeRequired`]. A refused creation
/// counts as a login, too: the password was correct.
pub async fn create_by_login(
    app: &App,
    context: &RequestContext,
    credentials: LoginCredentials,
    new_token: NewApiToken,
    format: SecretFormat,
) -> Result<CreatedApiToken> {
    let verified = verify_credentials(app, context, credentials).await?;
    let created = verified.complete(async |tx, user, now| {
        login_origin::record_network(&tx, &user, context, now).await?;
        tx.record(AuditEvent::success(AuditAction::Login).by_user(&user).on_user(&user)).await?;
        match create::create_by_login(&tx, app, &user, new_token.clone(), format, now).await {
            Err(refused @ (Error::PasswordChangeRequired | Error::Refused(_))) => Ok((tx, Err(refused))),
            created => created.map(|created| (tx, Ok(created))),
        }
    });
    created.await?
}
