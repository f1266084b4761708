//! Who is calling: credentials checked against the live session and the live account.

mod again;
pub mod jar;
mod known;
mod vigil;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use chrono::{DateTime, Utc};
use entity::{session, user};
use secrecy::{ExposeSecret, SecretString};

use super::access::Access;
use super::api_token::{self, ApiToken};
use super::id::{SessionId, UserId};
use super::{role, tokens};
use crate::app::App;
use crate::error::{Error, Result, TokenFault};
use crate::security::secret;
use crate::security::token::{AccessClaims, Claims, LastingClaims, Verified};
use crate::store::sessions::Found;
use crate::store::{revoked_tokens, sessions};
use jar::{Jar, Page};
use known::Known;
pub use vigil::Vigil;

/// What came with a request, before anything was checked.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The credentials, if any.
    pub credentials: Credentials,
    /// Where the request came from.
    pub client: Client,
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
pub struct Client {
    /// The address of the client, as far as it is known.
    pub address: Option<IpAddr>,
    /// What the client calls itself, shortened to what is stored.
    pub user_agent: Option<String>,
    /// The name of this request in logs and answers.
    pub request_id: String,
    /// Its cookies; where nobody reads them there are none.
    pub jar: Jar,
    /// The page that has sent it.
    pub page: Page,
    /// Whether it came by plain http to this very machine, where cookies have to do without `Secure`.
    pub is_plain_loopback: bool,
    /// Whether the request has verified a password; shared by all of its operations.
    checked: Arc<AtomicBool>,
}

impl Client {
    /// Where a new request came from.
    pub fn new(address: Option<IpAddr>, user_agent: Option<String>, request_id: String) -> Self {
        let (jar, page) = (Jar::default(), Page::Unknown);
        Self { address, user_agent, request_id, jar, page, is_plain_loopback: false, checked: Arc::default() }
    }

    /// Refuses what a page of somebody else has the browser do.
    ///
    /// # Errors
    /// [`Error::ForeignPage`].
    pub fn refuse_foreign_page(&self) -> Result<()> {
        if self.page == Page::Foreign { Err(Error::ForeignPage) } else { Ok(()) }
    }

    /// Refuses what no page of ours is proven to have sent.
    ///
    /// # Errors
    /// [`Error::ForeignPage`].
    pub fn require_own_page(&self) -> Result<()> {
        if self.page.is_ours() { Ok(()) } else { Err(Error::ForeignPage) }
    }

    /// Takes the request's one credential check: aliases and batches are no way around the limits (promise A4).
    pub(super) fn claim_check(&self) -> Result<()> {
        if self.checked.swap(true, Ordering::Relaxed) { Err(Error::SecondCredentialCheck) } else { Ok(()) }
    }
}

/// A caller whose credentials were looked at.
#[derive(Debug, Clone)]
pub struct Requester {
    /// Who it is.
    pub identity: Identity,
    /// Where the request came from.
    pub client: Client,
}

/// What the credentials proved.
#[derive(Debug, Clone)]
pub enum Identity {
    /// No credentials were sent.
    Anonymous,
    /// Credentials were sent and do not hold.
    Rejected {
        /// Why.
        fault: TokenFault,
        /// The session they speak of, if only their time was over: enough to sign out.
        session: Option<SessionId>,
        /// The token's own name (`jti`), if it is a token of ours.
        token_id: Option<String>,
    },
    /// A live session or API token of a live account.
    SignedIn(Arc<SignedIn>),
}

/// A caller with a live session or API token.
#[derive(Debug, Clone)]
pub struct SignedIn {
    /// The account.
    pub user: user::Model,
    /// What the caller came with.
    pub proof: Proof,
    /// What the caller may do now: what the account may, narrowed by an API token.
    pub access: Access,
}

/// What a signed-in caller came with.
#[derive(Debug, Clone)]
pub enum Proof {
    /// An access token of this session.
    Session(session::Model),
    /// An API token, whose program acts in the account's name.
    ApiToken(ApiToken),
}

impl Identity {
    /// The API token that a login made in place of a session, if the caller came with one.
    pub(super) fn api_token_from_login(&self) -> Option<&ApiToken> {
        let Self::SignedIn(caller) = self else { return None };
        caller.api_token().filter(|token| token.row.from_login)
    }
}

impl SignedIn {
    /// The session, if the caller has one.
    pub fn session(&self) -> Option<&session::Model> {
        match &self.proof {
            Proof::Session(session) => Some(session),
            Proof::ApiToken(_) => None,
        }
    }

    /// The session.
    ///
    /// # Errors
    /// [`Error::Forbidden`] if the caller came with an API token.
    pub(super) fn in_session(&self) -> Result<&session::Model> {
        self.session().ok_or(Error::Forbidden)
    }

    /// The API token, if the caller came with one.
    pub fn api_token(&self) -> Option<&ApiToken> {
        match &self.proof {
            Proof::Session(_) => None,
            Proof::ApiToken(token) => Some(token),
        }
    }

    /// Whether the caller owns what is the account's: a token has the permissions it was given and nothing beside
    /// them, unless it was given all that its owner has.
    pub fn is_in_person(&self) -> bool {
        self.api_token().is_none_or(|token| token.permissions.is_none())
    }
}

impl Visitor {
    /// Looks at the credentials. Wrong ones are no failure here: the operations that ignore them go on.
    ///
    /// # Errors
    /// Internal ones only.
    pub async fn identify(self, app: &App) -> Result<Requester> {
        let identity = match &self.credentials {
            Credentials::None => Identity::Anonymous,
            Credentials::Malformed => {
                Identity::Rejected { fault: TokenFault::Malformed, session: None, token_id: None }
            }
            Credentials::Bearer(token) => check(app, token).await?,
        };
        Ok(Requester { identity, client: self.client })
    }
}

async fn check(app: &App, token: &SecretString) -> Result<Identity> {
    Ok(look_up(app, token).await?.map_or_else(|rejected| rejected, |known| Identity::SignedIn(known.caller())))
}

/// The caller with this token, or what is wrong with it.
async fn look_up(app: &App, token: &SecretString) -> Result<Result<Known, Identity>> {
    let now = app.clock.now();
    let key = secret::fingerprint(token.expose_secret());
    if let Some(known) = app.memory.recall::<Known>(&key)
        && known.is_good_at(now)
    {
        return Ok(Ok(Known::clone(&known)));
    }
    // Before anything is read: a change that is made from here on is not overlooked.
    let instant = app.memory.instant();
    if api_token::is_formed(token) {
        let identity = api_token::identify(app, token, now).await?;
        let Identity::SignedIn(caller) = identity else { return Ok(Err(identity)) };
        let known = Known::by_api_token(caller);
        app.memory.remember(key, known.user_id(), instant, known.clone());
        return Ok(Ok(known));
    }
    let claims = match read(app, token, now) {
        Ok(Verified::Valid(claims)) => claims,
        Ok(Verified::Expired(claims)) => return Ok(Err(rejected(TokenFault::Expired, claims))),
        Err(fault) => return Ok(Err(Identity::Rejected { fault, session: None, token_id: None })),
    };
    let (Ok(session_id), Ok(user_id)) = (claims.sid.parse::<SessionId>(), claims.sub.parse::<UserId>()) else {
        return Ok(Err(rejected(TokenFault::Invalid, claims)));
    };
    let revoked = revoked_tokens::contains_any(app.db.reader(), &[&claims.sid, &claims.jti], now).await?;
    let found = sessions::find_signed_in(app.db.reader(), session_id.uuid()).await?;
    let Some(Found { mut session, user, grants }) = found else {
        return Ok(Err(rejected(TokenFault::SessionEnded, claims)));
    };
    let lives = super::session::is_live(&session, now) && user.is_active();
    if !lives || user.uid != user_id.uuid() {
        return Ok(Err(rejected(TokenFault::SessionEnded, claims)));
    }
    if revoked || claims.generation.is_some_and(|generation| generation < session.lowest_generation) {
        // The session lives, so it is this one token that was taken back: its successor opens the door.
        return Ok(Err(rejected(TokenFault::Replaced, claims)));
    }
    if let Some(generation) = claims.generation {
        if generation > session.generation {
            return Ok(Err(rejected(TokenFault::Invalid, claims)));
        }
        if generation > session.receipt {
            // The client has the pair of this generation: from now on its predecessor is spent.
            app.db.retry(|| sessions::update_receipt(app.db.writer(), session.id, generation, now)).await?;
            (session.receipt, session.last_seen_at) = (generation, now.into());
        }
    }
    let access = role::access_by(grants);
    let caller = Arc::new(SignedIn { user, proof: Proof::Session(session), access });
    let known = Known::in_session(caller, claims.times);
    app.memory.remember(key, known.user_id(), instant, known.clone());
    Ok(Ok(known))
}

/// What a token says of the session that it opens.
struct Claimed {
    sub: String,
    sid: String,
    jti: String,
    /// Nothing in a token that lasts as long as its session.
    generation: Option<i32>,
    /// Issued at and good until, in seconds since 1970.
    times: (i64, i64),
}

impl From<AccessClaims> for Claimed {
    fn from(claims: AccessClaims) -> Self {
        let times = claims.times();
        let AccessClaims { sub, sid, jti, generation, .. } = claims;
        Self { sub, sid, jti, generation: Some(generation), times }
    }
}

impl From<LastingClaims> for Claimed {
    fn from(claims: LastingClaims) -> Self {
        let times = claims.times();
        let LastingClaims { sub, sid, .. } = claims;
        Self { sub, jti: sid.clone(), sid, generation: None, times }
    }
}

fn read(app: &App, token: &SecretString, now: DateTime<Utc>) -> Result<Verified<Claimed>, TokenFault> {
    match tokens::verify_access(app, token.expose_secret(), now) {
        Err(TokenFault::Invalid) => Ok(tokens::verify_lasting(app, token.expose_secret(), now)?.map(Claimed::from)),
        found => Ok(found?.map(Claimed::from)),
    }
}

/// What a token of ours proves that does not hold any more.
fn rejected(fault: TokenFault, claims: Claimed) -> Identity {
    let session = match fault {
        TokenFault::Expired | TokenFault::Replaced => claims.sid.parse().ok(),
        TokenFault::Missing | TokenFault::Malformed | TokenFault::Invalid | TokenFault::SessionEnded => None,
    };
    Identity::Rejected { fault, session, token_id: Some(claims.jti) }
}
