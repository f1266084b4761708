//! The tokens of a session, derived from its row.

use chrono::{DateTime, TimeDelta, Utc};
use entity::{session, user};
use secrecy::{ExposeSecret, SecretString};
use uuid::Uuid;

use crate::account::names::id::{SessionId, UserId};
use crate::app::App;
use crate::error::{Result, TokenError};
use crate::security::jwt::{
    self, AccessClaims, Claims, DeviceClaims, Expected, LEEWAY, RefreshClaims, SessionTokenClaims, Verified,
};

/// The tokens that a client stores after login.
#[derive(Debug, Clone)]
pub struct TokenPair {
    /// The access token, valid until `expires_at`.
    pub access_token: SecretString,
    /// Expiry of the access token.
    pub expires_at: DateTime<Utc>,
    /// The refresh token.
    pub refresh_token: SecretString,
    /// Expiry of the refresh token.
    pub refresh_expires_at: DateTime<Utc>,
    /// The server's clock at the time of issue.
    pub issued_at: DateTime<Utc>,
}

/// The `jti` of the access token of one generation of a session.
pub fn jti(session: SessionId, generation: i32) -> String {
    format!("{session}.{generation}")
}

/// The `iat` of an access token issued to `user` at `now`. It is one whole second after the user's cut-off, so that
/// external verifiers accept it at once. It is never further ahead than the tolerated clock skew. The user's row must
/// be locked, or checked for changes by the statement that stores the time in the session.
pub fn issue_time(user: &user::Model, now: DateTime<Utc>) -> DateTime<Utc> {
    let cut_off = user.cut_off_at.and_then(|time| DateTime::from_timestamp(time.utc().timestamp() + 1, 0));
    cut_off.map_or(now, |earliest| now.max(earliest).min(now + LEEWAY))
}

/// The token pair of the session's current generation. The refresh token depends on the row alone, so it is
/// reproducible; the access token starts now.
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
    let refresh_expires_at = super::session_lifetime::expires_at(session);
    let issued_at = issue_time(user, now);
    // Whole seconds, as in JWTs, and never beyond the session itself.
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

/// The id of a refresh token that is valid by itself, whatever the state of its session. For legacy responses that name
/// the defect of a token.
///
/// # Errors
/// Why the token is not valid.
pub fn refresh_token_id(app: &App, text: &SecretString) -> Result<String, TokenError> {
    match verify_refresh(app, text.expose_secret(), app.clock.now())? {
        Verified::Valid(claims) => Ok(format!("{}.{}", claims.sid, claims.generation)),
        Verified::Expired(_) => Err(TokenError::Expired),
    }
}

/// A session token, for legacy clients without refresh: valid until the session ends. Only this server accepts it, and
/// checks the session at every use.
pub fn session_token(app: &App, user: &user::Model, session: &session::Model) -> Result<SecretString> {
    let issuer = &app.config.token.issuer;
    let claims = SessionTokenClaims {
        iss: issuer.clone(),
        aud: audience(app, TokenKind::Session),
        sub: UserId::from(user.uid).to_string(),
        sid: SessionId::from(session.uid).to_string(),
        iat: session.rotated_at.utc().timestamp(),
        exp: super::session_lifetime::expires_at(session).timestamp(),
    };
    jwt::sign(&app.keys, &claims)
}

/// Verifies a session token.
///
/// # Errors
/// Why the token is not valid.
pub fn verify_session_token(
    app: &App,
    text: &str,
    now: DateTime<Utc>,
) -> Result<Verified<SessionTokenClaims>, TokenError> {
    verify_session_bound(app, TokenKind::Session, text, now)
}

/// Whether it is an access token of this server, expired or not; for legacy responses that distinguish these.
pub fn is_access_token(app: &App, text: &SecretString) -> bool {
    verify_access(app, text.expose_secret(), app.clock.now()).is_ok()
}

/// How long a device stays known without a login.
pub(in crate::account) const DEVICE_LIFETIME: TimeDelta = TimeDelta::days(365);

/// The token that identifies a device of `user` at its next login.
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
/// Why the token is not valid.
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
/// Why the token is not valid.
pub fn verify_access(app: &App, text: &str, now: DateTime<Utc>) -> Result<Verified<AccessClaims>, TokenError> {
    let settings = &app.config.token;
    let expected =
        Expected { issuer: &settings.issuer, audiences: &[&settings.audience], max_lifetime: settings.access_lifetime };
    jwt::verify(&app.keys, expected, text, now)
}

/// Verifies a refresh token.
///
/// # Errors
/// Why the token is not valid.
pub fn verify_refresh(app: &App, text: &str, now: DateTime<Utc>) -> Result<Verified<RefreshClaims>, TokenError> {
    verify_session_bound(app, TokenKind::Refresh, text, now)
}

/// Kinds of tokens that only this server verifies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// Refresh tokens.
    Refresh,
    /// Device tokens.
    Device,
    /// Session tokens.
    Session,
}

/// The audience of a kind of token: separate ones, so that a verifier that ignores `typ` rejects it (RFC 8725 section
/// 3.12).
pub fn audience(app: &App, kind: TokenKind) -> String {
    let kind = match kind {
        TokenKind::Refresh => "refresh",
        TokenKind::Device => "device",
        TokenKind::Session => "session",
    };
    format!("{}:{kind}", app.config.token.audience)
}

/// Verifies a token that only this server verifies and that expires with its session.
fn verify_session_bound<C: Claims>(
    app: &App,
    kind: TokenKind,
    text: &str,
    now: DateTime<Utc>,
) -> Result<Verified<C>, TokenError> {
    let (settings, audience) = (&app.config.token, audience(app, kind));
    // A rotation rounds down to whole seconds at both ends.
    let lifetime = settings.refresh_idle.max(settings.refresh_absolute) + TimeDelta::seconds(1);
    // Tokens of earlier releases have the issuer as audience; `typ` identifies them.
    let audiences = [audience.as_str(), settings.issuer.as_str()];
    let expected = Expected { issuer: &settings.issuer, audiences: &audiences, max_lifetime: lifetime };
    jwt::verify(&app.keys, expected, text, now)
}
