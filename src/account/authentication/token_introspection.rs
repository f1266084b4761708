//! Introspection: services that hold the secret for it ask what a token is worth now (RFC 7662).

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::password_attempt::take_from_bucket;
use super::session::expires_at;
use super::tokens;
use crate::account::caller::requester::{Credential, Credentials, RequestAuth, RequestContext};
use crate::account::user::id::SessionId;
use crate::app::App;
use crate::error::{Error, Result, TokenError};
use crate::security::api_secret::constant_time_eq;
use crate::security::jwt::Verified;

/// A token that opens the API now (RFC 7662 section 2.2), and what its user may do now.
#[derive(Debug, Clone, Serialize)]
pub struct Introspection {
    /// Always true: of other tokens nothing is told.
    pub active: bool,
    /// Who issued it.
    pub iss: String,
    /// For whom it is meant.
    pub aud: String,
    /// The user's public id.
    pub sub: String,
    /// The user's name now.
    pub username: String,
    /// How the token is sent.
    pub token_type: &'static str,
    /// Its own name.
    pub jti: String,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Good until, in seconds since 1970; an API token may have no end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// The session of an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The scopes of an API token, with blanks between them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The roles that its bearer has now.
    pub roles: Vec<String>,
    /// The permissions that its bearer has now.
    pub permissions: Vec<&'static str>,
}

/// The proof that somebody knows the secret.
#[derive(Debug)]
pub struct Authorized(());

/// Lets those pass who know the secret; `given` are the readings of what they gave. A wrong one is counted before it is compared, a right one costs nothing.
///
/// # Errors
/// [`Error::Unauthenticated`] for a wrong secret or none, a refusal for too many wrong ones.
pub async fn authorize(app: &App, context: &RequestContext, given: &[SecretString]) -> Result<Authorized> {
    if given.is_empty() {
        return Err(Error::Unauthenticated(TokenError::Missing));
    }
    let budget = &app.throttle.failed_introspections;
    let counted =
        if app.config.limits.is_enabled { take_from_bucket(budget, context, app.clock.now()).await? } else { None };
    let secret = app.config.rest.token_introspection_secret.as_ref();
    let is_secret = |given: &SecretString| {
        secret.is_some_and(|secret| constant_time_eq(given.expose_secret(), secret.expose_secret()))
    };
    if !given.iter().any(is_secret) {
        return Err(Error::Unauthenticated(TokenError::Invalid));
    }
    if let Some(subject) = counted {
        budget.refund(subject).await;
    }
    Ok(Authorized(()))
}

/// What `token` is worth now; nothing, whatever is wrong with it. Those may ask who were admitted.
///
/// # Errors
/// Internal ones only.
pub async fn introspect(
    app: &App,
    context: RequestContext,
    _: Authorized,
    token: SecretString,
) -> Result<Option<Introspection>> {
    let now = app.clock.now();
    let visitor = RequestAuth { credentials: Credentials::Bearer(token.clone()), context };
    let requester = visitor.authenticate(app).await?;
    let Ok(caller) = requester.caller() else { return Ok(None) };
    let settings = &app.config.token;
    let known = Introspection {
        active: true,
        iss: settings.issuer.clone(),
        aud: settings.audience.clone(),
        sub: caller.user_id().to_string(),
        username: caller.user.username.clone(),
        token_type: "Bearer",
        jti: String::new(),
        iat: 0,
        exp: None,
        sid: None,
        scope: None,
        roles: caller.access.roles.clone(),
        permissions: caller.access.permissions.iter().map(|permission| permission.name()).collect(),
    };
    Ok(match &caller.credential {
        Credential::ApiToken(token) => Some(Introspection {
            jti: token.id().to_string(),
            iat: token.row.created_at.utc().timestamp(),
            exp: token.row.expires_at.map(|end| end.utc().timestamp()),
            scope: Some(token.scopes.join(" ")),
            ..known
        }),
        Credential::Session(session) => match tokens::verify_access(app, token.expose_secret(), now) {
            Ok(Verified::Valid(claims)) => Some(Introspection {
                jti: claims.jti,
                iat: claims.iat,
                exp: Some(claims.exp),
                sid: Some(claims.sid),
                ..known
            }),
            Ok(Verified::Expired(_)) => None,
            // It was identified all the same: an older caller has it, for whom it lasts as long as the session.
            Err(_) => {
                let sid = SessionId::from(session.uid).to_string();
                Some(Introspection {
                    aud: tokens::audience(app, tokens::TokenKind::Session),
                    jti: sid.clone(),
                    iat: session.rotated_at.utc().timestamp(),
                    exp: Some(expires_at(session).timestamp()),
                    sid: Some(sid),
                    ..known
                })
            }
        },
    })
}
