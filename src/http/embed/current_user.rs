//! The caller of a route of an embedding application, as an extractor.
//!
//! Credentials are checked as at `/graphql`: an access token or API token as bearer token, or the access token's cookie
//! from a trusted page. The session and the account must be active.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::http::Response;
use axum::http::request::Parts;

use super::rejection::rejection;
use crate::account::caller::requester::{Caller, Requester};
use crate::app::App;
use crate::error::{Error, TokenError};
use crate::http::middleware::request_context;
use crate::http::request::cookies;

/// The authenticated caller of a route, by session or API token. `Option<CurrentUser>` is `None` without credentials;
/// invalid ones are still refused.
#[derive(Debug, Clone)]
pub struct CurrentUser(Arc<Caller>);

impl CurrentUser {
    /// The public id, as in the `sub` claim.
    pub fn id(&self) -> String {
        self.0.user_id().to_string()
    }

    /// The username for login.
    pub fn username(&self) -> &str {
        &self.0.user.username
    }

    /// The e-mail address, if the user has one.
    pub fn email(&self) -> Option<&str> {
        self.0.user.email.as_deref()
    }

    /// The display name, if the user has one.
    pub fn display_name(&self) -> Option<&str> {
        self.0.user.display_name.as_deref()
    }

    /// The names of the caller's current roles; empty for an API token with permissions of its own.
    pub fn roles(&self) -> &[String] {
        &self.0.access.roles
    }

    /// Whether the caller currently has this role; case does not matter.
    pub fn has_role(&self, name: &str) -> bool {
        self.0.access.has_role(name)
    }

    /// Whether the caller currently has this permission, such as `USERS_READ`.
    pub fn has_permission(&self, name: &str) -> bool {
        self.0.access.has_permission(name)
    }

    /// The scopes of the API token that authenticated the caller; `None` for a session.
    pub fn scopes(&self) -> Option<&[String]> {
        self.0.api_token().map(|token| token.scopes.as_slice())
    }
}

/// The authentication result, cached in the request's extensions. It is valid for its own service only: an application
/// may embed two.
#[derive(Clone)]
struct CachedRequester(App, Requester);

/// The requester, authenticated or anonymous; computed once per request.
///
/// # Errors
/// The error response, if authentication fails.
async fn cached_requester(app: &App, parts: &mut Parts) -> Result<Requester, Box<Response<Body>>> {
    if let Some(CachedRequester(cached_app, requester)) = parts.extensions.get()
        && cached_app.is_same(app)
    {
        return Ok(requester.clone());
    }
    let mut auth = request_context::from_headers(app, &parts.headers, &parts.extensions);
    cookies::apply_access_cookie(app, &parts.uri, &parts.headers, &mut auth);
    let request_id = auth.context.request_id.clone();
    let requester = auth.authenticate(app).await.map_err(|error| Box::new(rejection(&error, &request_id)))?;
    parts.extensions.insert(CachedRequester(app.clone(), requester.clone()));
    Ok(requester)
}

/// The authenticated caller.
///
/// # Errors
/// The error response: 401, or 403 if a password change is required.
pub(in crate::http) async fn authenticate(app: &App, parts: &mut Parts) -> Result<CurrentUser, Box<Response<Body>>> {
    let requester = cached_requester(app, parts).await?;
    let caller = requester.caller().map_err(|error| Box::new(rejection(&error, &requester.context.request_id)))?;
    Ok(CurrentUser(Arc::new(caller.clone())))
}

impl<S> FromRequestParts<S> for CurrentUser
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Self::Rejection> {
        authenticate(&App::from_ref(state), parts).await.map_err(|response| *response)
    }
}

impl<S> OptionalFromRequestParts<S> for CurrentUser
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Self::Rejection> {
        let requester = cached_requester(&App::from_ref(state), parts).await.map_err(|response| *response)?;
        match requester.caller() {
            Ok(caller) => Ok(Some(Self(Arc::new(caller.clone())))),
            Err(Error::Unauthenticated(TokenError::Missing)) => Ok(None),
            Err(error) => Err(rejection(&error, &requester.context.request_id)),
        }
    }
}
