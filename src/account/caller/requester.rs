//! Who is calling: credentials checked against the live session and the live account.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use entity::{session, user};
use secrecy::{ExposeSecret, SecretString};

use super::auth_cookies::{AuthCookies, FetchSite};
use super::cached_caller::CachedCaller;
use crate::account::access::role;
use crate::account::access::rule::Access;
use crate::account::api_token::token::ApiToken;
use crate::account::authentication::tokens;
use crate::account::user::id::{SessionId, UserId};
use crate::app::App;
use crate::error::{Error, Result, TokenError};
use crate::security::api_secret;
use crate::security::jwt::{AccessClaims, Claims, SessionTokenClaims, Verified};
use crate::store::sessions::SessionWithGrants;
use crate::store::{revoked_tokens, sessions};

/// What came with a request, before anything was checked.
#[derive(Debug, Clone)]
pub struct RequestAuth {
    /// The credentials, if any.
    pub credentials: Credentials,
    /// Where the request came from.
    pub context: RequestContext,
}

/// The content of an `Authorization` header, or of a cookie in its place.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// There was none, or an empty one.
    None,
    /// A bearer token (RFC 6750 section 2.1).
    Bearer(SecretString),
    /// Something else.
    Malformed,
}

/// Where a request came from; recorded with sessions and audit events.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// The address of the client, as far as it is known.
    pub address: Option<IpAddr>,
    /// What the client calls itself, shortened to what is stored.
    pub user_agent: Option<String>,
    /// The name of this request in logs and answers.
    pub request_id: String,
    /// Its cookies; where nobody reads them there are none.
    pub cookies: AuthCookies,
    /// The page that has sent it.
    pub fetch_site: FetchSite,
    /// Whether it came by plain http to this very machine, where cookies have to do without `Secure`.
    pub is_plain_loopback: bool,
    /// Whether the request has verified a password; shared by all of its operations.
    credential_check: Arc<AtomicBool>,
}

impl RequestContext {
    /// Where a new request came from.
    pub fn new(address: Option<IpAddr>, user_agent: Option<String>, request_id: String) -> Self {
        let (cookies, fetch_site) = (AuthCookies::default(), FetchSite::Unknown);
        Self {
            address,
            user_agent,
            request_id,
            cookies,
            fetch_site,
            is_plain_loopback: false,
            credential_check: Arc::default(),
        }
    }

    /// Refuses what a page of somebody else has the browser do.
    ///
    /// # Errors
    /// [`Error::ForeignPage`].
    pub fn reject_cross_site(&self) -> Result<()> {
        if self.fetch_site == FetchSite::Cross { Err(Error::CrossSite) } else { Ok(()) }
    }

    /// Refuses what no page of ours is proven to have sent.
    ///
    /// # Errors
    /// [`Error::ForeignPage`].
    pub fn require_same_site(&self) -> Result<()> {
        if self.fetch_site.is_trusted() { Ok(()) } else { Err(Error::CrossSite) }
    }

    /// Takes the request's one credential check: aliases and batches are no way around the limits (promise A4).
    pub(in crate::account) fn take_credential_check(&self) -> Result<()> {
        if self.credential_check.swap(true, Ordering::Relaxed) {
            Err(Error::OneCredentialCheckPerRequest)
        } else {
            Ok(())
        }
    }
}

/// A caller whose credentials were looked at.
#[derive(Debug, Clone)]
pub struct Requester {
    /// Who it is.
    pub identity: Identity,
    /// Where the request came from.
    pub context: RequestContext,
}

/// What the credentials proved.
#[derive(Debug, Clone)]
pub enum Identity {
    /// No credentials were sent.
    Anonymous,
    /// Credentials were sent and do not hold.
    Rejected {
        /// Why.
        error: TokenError,
        /// The session they speak of, if only their time was over: enough to sign out.
        session: Option<SessionId>,
        /// The token's own name (`jti`), if it is a token of ours.
        token_id: Option<String>,
    },
    /// A live session or API token of a live account.
    Authenticated(Arc<Caller>),
}

/// A caller with a live session or API token.
#[derive(Debug, Clone)]
pub struct Caller {
    /// The account.
    pub user: user::Model,
    /// What the caller came with.
    pub credential: Credential,
    /// What the caller may do now: what the account may, narrowed by an API token.
    pub access: Access,
}

/// What a signed-in caller came with.
#[derive(Debug, Clone)]
pub enum Credential {
    /// An access token of this session.
    Session(session::Model),
    /// An API token, whose program acts in the account's name.
    ApiToken(ApiToken),
}

impl Identity {
    /// The API token that a login made in place of a session, if the caller came with one.
    pub(in crate::account) fn api_token_from_login(&self) -> Option<&ApiToken> {
        let Self::Authenticated(caller) = self else { return None };
        caller.api_token().filter(|token| token.row.from_login)
    }
}

impl Caller {
    /// The session, if the caller has one.
    pub fn session(&self) -> Option<&session::Model> {
        match &self.credential {
            Credential::Session(session) => Some(session),
            Credential::ApiToken(_) => None,
        }
    }

    /// The session.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the caller came with an API token.
    pub(in crate::account) fn require_session(&self) -> Result<&session::Model> {
        self.session().ok_or(Error::Forbidden)
    }

    /// The API token, if the caller came with one.
    pub fn api_token(&self) -> Option<&ApiToken> {
        match &self.credential {
            Credential::Session(_) => None,
            Credential::ApiToken(token) => Some(token),
        }
    }

    /// Whether the caller owns what is the account's: a token has the permissions it was given and nothing beside
    /// them, unless it was given all that its owner has.
    pub fn can_act_as_owner(&self) -> bool {
        self.api_token().is_none_or(|token| token.permissions.is_none())
    }
}

impl RequestAuth {
    /// Looks at the credentials. Wrong ones are no failure here: the operations that ignore them go on.
    ///
    /// # Errors
    /// Internal ones only.
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
        .map_or_else(|rejected| rejected, |known| Identity::Authenticated(known.caller())))
}

/// The caller with this token, or what is wrong with it.
pub(crate) async fn authenticate_token(app: &App, token: &SecretString) -> Result<Result<CachedCaller, Identity>> {
    let now = app.clock.now();
    let key = api_secret::fingerprint(token.expose_secret());
    if let Some(known) = app.identity_cache.get::<CachedCaller>(&key)
        && known.is_valid_at(now)
    {
        return Ok(Ok(CachedCaller::clone(&known)));
    }
    // Before anything is read: a change that is made from here on is not overlooked.
    let instant = app.identity_cache.version();
    if crate::account::api_token::authenticate::has_format(token) {
        let identity = crate::account::api_token::authenticate::authenticate(app, token, now).await?;
        let Identity::Authenticated(caller) = identity else { return Ok(Err(identity)) };
        let cached = CachedCaller::from_api_token(caller);
        app.identity_cache.insert(key, cached.user_id(), instant, cached.clone());
        return Ok(Ok(cached));
    }
    let claims = match verify_token(app, token, now) {
        Ok(Verified::Valid(claims)) => claims,
        Ok(Verified::Expired(claims)) => return Ok(Err(rejected(TokenError::Expired, claims))),
        Err(fault) => return Ok(Err(Identity::Rejected { error: fault, session: None, token_id: None })),
    };
    let (Ok(session_id), Ok(user_id)) = (claims.sid.parse::<SessionId>(), claims.sub.parse::<UserId>()) else {
        return Ok(Err(rejected(TokenError::Invalid, claims)));
    };
    let revoked = revoked_tokens::contains_any(app.db.reader(), &[&claims.sid, &claims.jti], now).await?;
    let found = sessions::find_with_grants(app.db.reader(), session_id.uuid()).await?;
    let Some(SessionWithGrants { mut session, user, grants }) = found else {
        return Ok(Err(rejected(TokenError::SessionEnded, claims)));
    };
    let lives = crate::account::authentication::session::is_live(&session, now) && user.is_active();
    if !lives || user.uid != user_id.uuid() {
        return Ok(Err(rejected(TokenError::SessionEnded, claims)));
    }
    if revoked || claims.generation.is_some_and(|generation| generation < session.lowest_generation) {
        // The session lives, so it is this one token that was taken back: its successor opens the door.
        return Ok(Err(rejected(TokenError::Replaced, claims)));
    }
    if let Some(generation) = claims.generation {
        if generation > session.generation {
            return Ok(Err(rejected(TokenError::Invalid, claims)));
        }
        if generation > session.receipt {
            // The client has the pair of this generation: from now on its predecessor is spent.
            app.db.retry(|| sessions::update_receipt(app.db.writer(), session.id, generation, now)).await?;
            (session.receipt, session.last_seen_at) = (generation, now.into());
        }
    }
    let access = role::access_from_grants(grants);
    let caller = Arc::new(Caller { user, credential: Credential::Session(session), access });
    let cached = CachedCaller::from_session(caller, claims.validity);
    app.identity_cache.insert(key, cached.user_id(), instant, cached.clone());
    Ok(Ok(cached))
}

/// What a token says of the session that it opens.
struct SessionClaims {
    sub: String,
    sid: String,
    jti: String,
    /// Nothing in a token that lasts as long as its session.
    generation: Option<i32>,
    /// Issued at and good until, in seconds since 1970.
    validity: (i64, i64),
}

impl From<AccessClaims> for SessionClaims {
    fn from(claims: AccessClaims) -> Self {
        let validity = claims.issued_and_expires();
        let AccessClaims { sub, sid, jti, generation, .. } = claims;
        Self { sub, sid, jti, generation: Some(generation), validity }
    }
}

impl From<SessionTokenClaims> for SessionClaims {
    fn from(claims: SessionTokenClaims) -> Self {
        let validity = claims.issued_and_expires();
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

/// What a token of ours proves that does not hold any more.
fn rejected(fault: TokenError, claims: SessionClaims) -> Identity {
    let session = match fault {
        TokenError::Expired | TokenError::Replaced => claims.sid.parse().ok(),
        TokenError::Missing | TokenError::Malformed | TokenError::Invalid | TokenError::SessionEnded => None,
    };
    Identity::Rejected { error: fault, session, token_id: Some(claims.jti) }
}
