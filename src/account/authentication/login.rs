//! Login: opens a session with a name and a password.

use secrecy::SecretString;
use uuid::Uuid;

use super::credentials::LoginCredentials;
use super::login_origin;
use super::session::{self, IssuedSession, NewSession};
use super::verify_credentials::{VerifiedUser, verify_credentials};
use crate::account::caller::request_context::RequestContext;
use crate::account::event::audit::AuditEvent;
use crate::account::event::audit_action::AuditAction;
use crate::account::tokens;
use crate::app::App;
use crate::error::Result;

/// A login on a device that stores its token.
#[derive(Debug)]
pub struct DeviceLogin {
    /// The opened session.
    pub issued: IssuedSession,
    /// Identifies this device at its next login, so that guesses from elsewhere cannot lock it out.
    pub device_token: SecretString,
}

/// Opens a session with its tokens in the response body. Anyone may call it. An unknown name, a wrong password and a
/// disabled user get the same response at the same cost.
///
/// # Errors
/// Refusals with [`InvalidCredentials`](crate::error::RefusalCode::InvalidCredentials) and
/// [`TooManyAttempts`](crate::error::RefusalCode::TooManyAttempts).
pub async fn login(app: &App, context: &RequestContext, credentials: LoginCredentials) -> Result<IssuedSession> {
    let verified = verify_credentials(app, context, credentials).await?;
    open_session(app, context, verified, NewSession::in_body(), None).await
}

/// As [`login`], for a client that stores a device token and chooses how its tokens are transported.
///
/// # Errors
/// As [`login`]. [`Error::CrossSite`](crate::error::Error::CrossSite) if cookies are requested from an untrusted site,
/// which could log its visitor in as another user.
pub async fn login_on_device(
    app: &App,
    context: &RequestContext,
    credentials: LoginCredentials,
    new_session: NewSession,
) -> Result<DeviceLogin> {
    context.cookies.require_settable(new_session.transport)?;
    let verified = verify_credentials(app, context, credentials).await?;
    let device = verified.device.unwrap_or_else(|| app.entropy.uuid(app.clock.now()));
    let issued = open_session(app, context, verified, new_session, Some(device)).await?;
    let device_token = tokens::device_token(app, &issued.user, device, app.clock.now())?;
    Ok(DeviceLogin { issued, device_token })
}

/// Opens a session for a verified user; records the device, if it stores a token.
async fn open_session(
    app: &App,
    context: &RequestContext,
    verified: VerifiedUser<'_>,
    new_session: NewSession,
    device: Option<Uuid>,
) -> Result<IssuedSession> {
    let opened = verified.complete(async |tx, user, now| {
        let issued = session::open(&tx, app, &user, context, new_session.clone(), now).await?;
        if let Some(device) = device {
            login_origin::record_device(&tx, &user, device, now).await?;
        }
        tx.record(AuditEvent::success(AuditAction::Login).by_user(&user).on_user(&user).in_session(&issued.session))
            .await?;
        Ok((tx, issued))
    });
    opened.await
}
