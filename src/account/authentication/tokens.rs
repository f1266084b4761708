//! The pair of tokens that a session hands out, derived from its row.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{session, user};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::account::user::id::{SessionId, UserId};
use crate::app::App;
use crate::error::{Result, TokenError};
use crate::security::jwt::{
    self, AccessClaims, Claims, DeviceClaims, Expected, LEEWAY, RefreshClaims, SessionTokenClaims, Verified,
};

/// What a client keeps after signing in.
#[derive(Debug, Clone)]
pub struct TokenPair {
    /// Opens the API until `expires_at`.
    pub access_token: SecretString,
    /// End of the access token.
    pub expires_at: DateTime<Utc>,
    /// Buys the next pair.
    pub refresh_token: SecretString,
    /// End of the refresh token.
    pub refresh_expires_at: DateTime<Utc>,
    /// The server's clock at the time of issue.
    pub issued_at: DateTime<Utc>,
}

/// The name of the access token of one generation of a session.
pub fn jti(session: SessionId, generation: i32) -> String {
    format!("{session}.{generation}")
}

/// The `iat` of an access token that is issued to `user` at `now`: a whole second after the cut-off of what was revoked,
/// so that other services take the token at once. It is never further ahead than another node's clock may be. The row of
/// the user is locked, or checked to be unchanged by the statement that notes the time in the session.
pub fn issue_time(user: &user::Model, now: DateTime<Utc>) -> DateTime<Utc> {
    let cut_off = user.cut_off_at.and_then(|time| DateTime::from_timestamp(time.utc().timestamp() + 1, 0));
    cut_off.map_or(now, |earliest| now.max(earliest).min(now + LEEWAY))
}

/// The pair of the session's present generation. The refresh token follows from the row alone, so asking again gives
/// the same text; the access token begins to live now.
///
/// # Errors
/// Internal ones only.
pub fn issue_pair(
    app: &App,
    user: &user::Model,
    roles: &[String],
    session: &session::Model,
    now: DateTime<Utc>,
) -> Result<TokenPair> {
    let settings = &app.config.token;
    let sid = SessionId::from(session.uid);
    let sub = UserId::from(user.uid).to_string();
    let refresh_expires_at = super::session::expires_at(session);
    let issued_at = issue_time(user, now);
    // Whole seconds, as JWTs count, and never beyond the session itself.
    let expires_at = DateTime::from_timestamp((issued_at + settings.access_lifetime).timestamp(), 0)
        .unwrap_or(now)
        .min(session.absolute_end_at.utc());
    let access = AccessClaims {
        iss: settings.issuer.clone(),
        aud: settings.audience.clone(),
        sub: sub.clone(),
        sid: sid.to_string(),
        generation: session.generation,
        jti: jti(sid, session.generation),
        iat: issued_at.timestamp(),
        exp: expires_at.timestamp(),
        username: user.username.clone(),
        roles: roles.to_vec(),
    };
    let refresh = RefreshClaims {
        iss: settings.issuer.clone(),
        aud: audience(app, TokenKind::Refresh),
        sub,
        sid: sid.to_string(),
        generation: session.generation,
        iat: session.rotated_at.utc().timestamp(),
        exp: refresh_expires_at.timestamp(),
    };
    Ok(TokenPair {
        access_token: jwt::sign(&app.keys, &access)?,
        expires_at,
        refresh_token: jwt::sign(&app.keys, &refresh)?,
        refresh_expires_at,
        issued_at: now,
    })
}

/// The name of a refresh token that is good by itself, whatever became of its session; for callers whose answers say
/// what is wrong with one.
///
/// # Errors
/// Why it does not hold.
pub fn refresh_token_id(app: &App, text: &SecretString) -> Result<String, TokenError> {
    match verify_refresh(app, text.expose_secret(), app.clock.now())? {
        Verified::Valid(claims) => Ok(format!("{}.{}", claims.sid, claims.generation)),
        Verified::Expired(_) => Err(TokenError::Expired),
    }
}

/// A token for older callers that know of no refresh: it holds until the session ends, by itself or by anybody. It
/// opens this server alone, which looks at the session every time.
///
/// # Errors
/// Internal ones only.
pub fn session_token(app: &App, user: &user::Model, session: &session::Model) -> Result<SecretString> {
    let issuer = &app.config.token.issuer;
    let claims = SessionTokenClaims {
        iss: issuer.clone(),
        aud: audience(app, TokenKind::Session),
        sub: UserId::from(user.uid).to_string(),
        sid: SessionId::from(session.uid).to_string(),
        iat: session.rotated_at.utc().timestamp(),
        exp: super::session::expires_at(session).timestamp(),
    };
    jwt::sign(&app.keys, &claims)
}

/// Verifies such a token.
///
/// # Errors
/// Why it does not hold.
pub fn verify_session_token(
    app: &App,
    text: &str,
    now: DateTime<Utc>,
) -> Result<Verified<SessionTokenClaims>, TokenError> {
    verify_session_bound(app, TokenKind::Session, text, now)
}

/// Whether it is an access token of ours, its time over or not; for callers whose answers say so.
pub fn is_access_token(app: &App, text: &SecretString) -> bool {
    verify_access(app, text.expose_secret(), app.clock.now()).is_ok()
}

/// How long a device is known without a login.
pub(in crate::account) const DEVICE_LIFETIME: TimeDelta = TimeDelta::days(365);

/// The token by which a device of `user` is known at its next login.
///
/// # Errors
/// Internal ones only.
pub fn device_token(app: &App, user: &user::Model, device: Uuid, now: DateTime<Utc>) -> Result<SecretString> {
    let claims = DeviceClaims {
        iss: app.config.token.issuer.clone(),
        aud: audience(app, TokenKind::Device),
        sub: UserId::from(user.uid).to_string(),
        dev: device.to_string(),
        pwd: Some(user.password_changed_at.map(|time| time.millis()).unwrap_or_default()),
        iat: now.timestamp(),
        exp: (now + DEVICE_LIFETIME).timestamp(),
    };
    jwt::sign(&app.keys, &claims)
}

/// Verifies a device token.
///
/// # Errors
/// Why it does not hold.
pub fn verify_device(app: &App, text: &str, now: DateTime<Utc>) -> Result<DeviceClaims, TokenError> {
    let (issuer, audience) = (&app.config.token.issuer, audience(app, TokenKind::Device));
    let expected = Expected { issuer, audiences: &[&audience, issuer], max_lifetime: DEVICE_LIFETIME };
    match jwt::verify(&app.keys, expected, text, now)? {
        Verified::Valid(claims) => Ok(claims),
        Verified::Expired(_) => Err(TokenError::Expired),
    }
}

/// Verifies an access token.
///
/// # Errors
/// Why it does not hold.
pub fn verify_access(app: &App, text: &str, now: DateTime<Utc>) -> Result<Verified<AccessClaims>, TokenError> {
    let settings = &app.config.token;
    let expected =
        Expected { issuer: &settings.issuer, audiences: &[&settings.audience], max_lifetime: settings.access_lifetime };
    jwt::verify(&app.keys, expected, text, now)
}

/// Verifies a refresh token.
///
/// # Errors
/// Why it does not hold.
pub fn verify_refresh(app: &App, text: &str, now: DateTime<Utc>) -> Result<Verified<RefreshClaims>, TokenError> {
    verify_session_bound(app, TokenKind::Refresh, text, now)
}

/// A kind of token that nobody but this server verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Of refresh tokens.
    Refresh,
    /// Of device tokens.
    Device,
    /// Of session tokens.
    Session,
}

/// The audience of a kind of token: one of its own, so that a service which does not look at `typ` refuses it (RFC 8725
/// section 3.12).
pub fn audience(app: &App, kind: TokenKind) -> String {
    let kind = match kind {
        TokenKind::Refresh => "refresh",
        TokenKind::Device => "device",
        TokenKind::Session => "session",
    };
    format!("{}:{kind}", app.config.token.audience)
}

/// Verifies a token that nobody but this server looks at and that ends with its session.
fn verify_session_bound<C: Claims>(
    app: &App,
    kind: TokenKind,
    text: &str,
    now: DateTime<Utc>,
) -> Result<Verified<C>, TokenError> {
    let (settings, audience) = (&app.config.token, audience(app, kind));
    // A rotation rounds down to whole seconds at both ends.
    let lifetime = settings.refresh_idle.max(settings.refresh_absolute) + TimeDelta::seconds(1);
    // Tokens of earlier releases have the issuer for audience; `typ` tells what they are.
    let audiences = [audience.as_str(), settings.issuer.as_str()];
    let expected = Expected { issuer: &settings.issuer, audiences: &audiences, max_lifetime: lifetime };
    jwt::verify(&app.keys, expected, text, now)
}
