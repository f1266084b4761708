//! Authentication of a request: from its credentials to a requester.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret, SecretString};

use super::api_token_auth;
use super::cached_caller::CachedCaller;
use super::request_context::RequestContext;
use super::requester::{Caller, Credential, Identity, Requester};
use crate::account::access::grants;
use crate::account::names::id::{SessionId, UserId};
use crate::account::session_lifetime::is_live;
use crate::account::tokens;
use crate::app::App;
use crate::error::{Result, TokenError};
use crate::security::api_secret;
use crate::security::jwt::{AccessClaims, Claims, SessionTokenClaims, Validity, Verified};
use crate::store::revoked_tokens;
use crate::store::sessions::{self, SessionWithGrants};

/// A request's credentials and context, before authentication.
#[derive(Debug, Clone)]
pub struct RequestAuth {
    /// The credentials, if any.
    pub credentials: Credentials,
    /// The request context.
    pub context: RequestContext,
}

/// The content of an `Authorization` header, or of a cookie in its place.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// None, or an empty header.
    None,
    /// A bearer token (RFC 6750 section 2.1).
    Bearer(SecretString),
    /// Anything else.
    Malformed,
}

impl RequestAuth {
    /// Authenticates the request. Invalid credentials are no error here: operations that ignore them proceed.
    pub async fn authenticate(self, app: &App) -> Result<Requester> {
        let identity = match &self.credentials {
            Credentials::None => Identity::Anonymous,
            Credentials::Malformed => {
                Identity::Rejected { error: TokenError::Malformed, session: None, token_id: None }
            }
            Credentials::Bearer(token) => identity_of(app, token).await?,
        };
        Ok(Requester { identity, context: self.context })
    }
}

async fn identity_of(app: &App, token: &SecretString) -> Result<Identity> {
    Ok(authenticate_token(app, token)
        .await?
        .map_or_else(|rejected| rejected, |cached| Identity::Authenticated(cached.caller())))
}

/// The caller with this token, or the reason for rejection.
pub(crate) async fn authenticate_token(app: &App, token: &SecretString) -> Result<Result<CachedCaller, Identity>> {
    let now = app.clock.now();
    let key = api_secret::fingerprint(token.expose_secret());
    if let Some(cached) = app.identity_cache.get::<CachedCaller>(&key)
        && cached.is_valid_at(now)
    {
        return Ok(Ok(CachedCaller::clone(&cached)));
    }
    // Before any read: later changes invalidate the cache entry.
    let version = app.identity_cache.version();
    if api_token_auth::has_format(token) {
        let identity = api_token_auth::authenticate(app, token, now).await?;
        let Identity::Authenticated(caller) = identity else { return Ok(Err(identity)) };
        let cached = CachedCaller::from_api_token(caller);
        app.identity_cache.insert(key, cached.user_id(), version, cached.clone());
        return Ok(Ok(cached));
    }
    let claims = match verify_token(app, token, now) {
        Ok(Verified::Valid(claims)) => claims,
        Ok(Verified::Expired(claims)) => return Ok(Err(rejected(TokenError::Expired, claims))),
        Err(error) => return Ok(Err(Identity::Rejected { error, session: None, token_id: None })),
    };
    let (Ok(session_id), Ok(user_id)) = (claims.sid.parse::<SessionId>(), claims.sub.parse::<UserId>()) else {
        return Ok(Err(rejected(TokenError::Invalid, claims)));
    };
    let revoked = revoked_tokens::contains_any(app.db.reader(), &[&claims.sid, &claims.jti], now).await?;
    let found = sessions::find_with_grants(app.db.reader(), session_id.uuid()).await?;
    let Some(SessionWithGrants { mut session, user, grants }) = found else {
        return Ok(Err(rejected(TokenError::SessionEnded, claims)));
    };
    let is_usable = is_live(&session, now) && user.is_active();
    if !is_usable || user.uid != user_id.uuid() {
        return Ok(Err(rejected(TokenError::SessionEnded, claims)));
    }
    if revoked || claims.generation.is_some_and(|generation| generation < session.lowest_generation) {
        // The session is live, so only this token was revoked: refreshing helps.
        return Ok(Err(rejected(TokenError::Replaced, claims)));
    }
    if let Some(generation) = claims.generation {
        if generation > session.generation {
            return Ok(Err(rejected(TokenError::Invalid, claims)));
        }
        if generation > session.receipt {
            // The client has this generation's pair: its predecessor is replayed only within the refresh grace period.
            app.db.retry(|| sessions::update_receipt(app.db.writer(), session.id, generation, now)).await?;
            (session.receipt, session.last_seen_at) = (generation, now.into());
        }
    }
    let access = grants::access_from_grants(grants);
    let caller = Arc::new(Caller { user, credential: Credential::Session(session), access });
    let cached = CachedCaller::from_session(caller, claims.validity);
    app.identity_cache.insert(key, cached.user_id(), version, cached.clone());
    Ok(Ok(cached))
}

/// The claims of a token of a session.
struct SessionClaims {
    sub: String,
    sid: String,
    jti: String,
    /// None in a session token, which lasts as long as its session.
    generation: Option<i32>,
    /// Issued at and expires at, in Unix seconds.
    validity: Validity,
}

impl From<AccessClaims> for SessionClaims {
    fn from(claims: AccessClaims) -> Self {
        let validity = claims.validity();
        let AccessClaims { sub, sid, jti, generation, .. } = claims;
        Self { sub, sid, jti, generation: Some(generation), validity }
    }
}

impl From<SessionTokenClaims> for SessionClaims {
    fn from(claims: SessionTokenClaims) -> Self {
        let validity = claims.validity();
        let SessionTokenClaims { sub, sid, .. } = claims;
        Self { sub, jti: sid.clone(), sid, generation: None, validity }
    }
}

fn verify_token(app: &App, token: &SecretString, now: DateTime<Utc>) -> Result<Verified<SessionClaims>, TokenError> {
    match tokens::verify_access(app, token.expose_secret(), now) {
        Err(TokenError::Invalid) => {
            Ok(tokens::verify_session_token(app, token.expose_secret(), now)?.map(SessionClaims::from))
        }
        found => Ok(found?.map(SessionClaims::from)),
    }
}

/// The rejection of a token that the server issued.
fn rejected(error: TokenError, claims: SessionClaims) -> Identity {
    let session = match error {
        TokenError::Expired | TokenError::Replaced => claims.sid.parse().ok(),
        TokenError::Missing | TokenError::Malformed | TokenError::Invalid | TokenError::SessionEnded => None,
    };
    Identity::Rejected { error, session, token_id: Some(claims.jti) }
}
