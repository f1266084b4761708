//! Token introspection (RFC 7662) for services that authenticate with the introspection secret.

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use crate::account::caller::rate_limit::take_from_bucket;
use crate::account::caller::request_auth::{Credentials, RequestAuth};
use crate::account::caller::request_context::RequestContext;
use crate::account::caller::requester::Credential;
use crate::account::names::id::SessionId;
use crate::account::session_lifetime::expires_at;
use crate::account::tokens;
use crate::app::App;
use crate::error::{Error, Result, TokenError};
use crate::security::api_secret::constant_time_eq;
use crate::security::jwt::Verified;

/// An active token (RFC 7662 section 2.2) and the current access of its user.
#[derive(Debug, Clone, Serialize)]
pub struct Introspection {
    /// Always true: inactive tokens have no other members.
    pub active: bool,
    /// Issuer.
    pub iss: String,
    /// Audience.
    pub aud: String,
    /// The public user id.
    pub sub: String,
    /// The current username.
    pub username: String,
    /// How the token is sent.
    pub token_type: &'static str,
    /// The token id.
    pub jti: String,
    /// Issued at, in Unix seconds.
    pub iat: i64,
    /// Expires at, in Unix seconds; absent for an API token without expiry.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exp: Option<i64>,
    /// The session id of an access token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The scopes of an API token, space-separated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scope: Option<String>,
    /// The current roles of the token holder.
    pub roles: Vec<String>,
    /// The current permissions of the token holder.
    pub permissions: Vec<&'static str>,
}

/// Evidence that the caller presented the introspection secret.
#[derive(Debug)]
pub struct Authorized(());

/// Verifies the introspection secret; `given` holds the possible readings of the credentials. An attempt is counted
/// before the comparison and refunded if the secret is correct.
///
/// # Errors
/// [`Error::Unauthenticated`] for a missing or wrong secret; a refusal after too many wrong ones.
pub async fn authorize(app: &App, context: &RequestContext, given: &[SecretString]) -> Result<Authorized> {
    if given.is_empty() {
        return Err(Error::Unauthenticated(TokenError::Missing));
    }
    let bucket = &app.rate_limits.failed_introspections;
    let counted =
        if app.config.limits.is_enabled { take_from_bucket(bucket, context, app.clock.now()).await? } else { None };
    let secret = app.config.rest.token_introspection_secret.as_ref();
    let is_secret = |given: &SecretString| {
        secret.is_some_and(|secret| constant_time_eq(given.expose_secret(), secret.expose_secret()))
    };
    if !given.iter().any(is_secret) {
        return Err(Error::Unauthenticated(TokenError::Invalid));
    }
    if let Some(key) = counted {
        bucket.refund(key).await;
    }
    Ok(Authorized(()))
}

/// Introspects `token`. Returns `None` for any token that is not active.
pub async fn introspect(
    app: &App,
    context: RequestContext,
    _: Authorized,
    token: SecretString,
) -> Result<Option<Introspection>> {
    let now = app.clock.now();
    let request = RequestAuth { credentials: Credentials::Bearer(token.clone()), context };
    let requester = request.authenticate(app).await?;
    let Ok(caller) = requester.caller() else { return Ok(None) };
    let settings = &app.config.token;
    let common = Introspection {
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
            ..common
        }),
        Credential::Session(session) => match tokens::verify_access(app, token.expose_secret(), now) {
            Ok(Verified::Valid(claims)) => Some(Introspection {
                jti: claims.jti,
                iat: claims.iat,
                exp: Some(claims.exp),
                sid: Some(claims.sid),
                ..common
            }),
            Ok(Verified::Expired(_)) => None,
            // It authenticated all the same: a session token of a legacy client, which lasts as long as the session.
            Err(_) => {
                let sid = SessionId::from(session.uid).to_string();
                Some(Introspection {
                    aud: tokens::audience(app, tokens::TokenKind::Session),
                    jti: sid.clone(),
                    iat: session.rotated_at.utc().timestamp(),
                    exp: Some(expires_at(session).timestamp()),
                    sid: Some(sid),
                    ..common
                })
            }
        },
    })
}
