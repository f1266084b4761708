//! Introspection: services that hold the secret for it ask what a token is worth now (RFC 7662).

use secrecy::{ExposeSecret, SecretString};
use serde::Serialize;

use super::attempt::spend;
use super::id::SessionId;
use super::requester::{Client, Credentials, Proof, Visitor};
use super::session::end_of;
use super::tokens;
use crate::app::App;
use crate::error::{Error, Result, TokenFault};
use crate::security::secret::is_same;
use crate::security::token::Verified;

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
pub struct Admitted(());

/// Lets those pass who know the secret; `given` are the readings of what they gave. A wrong one is counted before it is compared, a right one costs nothing.
///
/// # Errors
/// [`Error::Unauthenticated`] for a wrong secret or none, a refusal for too many wrong ones.
pub async fn admit(app: &App, client: &Client, given: &[SecretString]) -> Result<Admitted> {
    if given.is_empty() {
        return Err(Error::Unauthenticated(TokenFault::Missing));
    }
    let budget = &app.throttle.introspections;
    let counted = if app.config.limits.enabled { spend(budget, client, app.clock.now()).await? } else { None };
    let secret = app.config.rest.introspection.as_ref();
    let is_secret =
        |given: &SecretString| secret.is_some_and(|secret| is_same(given.expose_secret(), secret.expose_secret()));
    if !given.iter().any(is_secret) {
        return Err(Error::Unauthenticated(TokenFault::Invalid));
    }
    if let Some(subject) = counted {
        budget.refund(subject).await;
    }
    Ok(Admitted(()))
}

/// What `token` is worth now; nothing, whatever is wrong with it. Those may ask who were admitted.
///
/// # Errors
/// Internal ones only.
pub async fn introspect(app: &App, client: Client, _: Admitted, token: SecretString) -> Result<Option<Introspection>> {
    let now = app.clock.now();
    let visitor = Visitor { credentials: Credentials::Bearer(token.clone()), client };
    let requester = visitor.identify(app).await?;
    let Ok(caller) = requester.signed_in() else { return Ok(None) };
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
    Ok(match &caller.proof {
        Proof::ApiToken(token) => Some(Introspection {
            jti: token.id().to_string(),
            iat: token.row.created_at.utc().timestamp(),
            exp: token.row.expires_at.map(|end| end.utc().timestamp()),
            scope: Some(token.scopes.join(" ")),
            ..known
        }),
        Proof::Session(session) => match tokens::verify_access(app, token.expose_secret(), now) {
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
                    aud: tokens::audience(app, tokens::Kind::Session),
                    jti: sid.clone(),
                    iat: session.rotated_at.utc().timestamp(),
                    exp: Some(end_of(session).timestamp()),
                    sid: Some(sid),
                    ..known
                })
            }
        },
    })
}
