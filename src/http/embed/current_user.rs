//! Who calls a route of a program that embeds the service: an extractor, and layers that keep others out.
//!
//! Credentials are those that `/graphql` takes, looked at in the same way: an access token or an API token as bearer
//! token, or the access token's cookie if a page of ours has sent it; the session and the account have to live.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{FromRef, FromRequestParts, OptionalFromRequestParts};
use axum::http::Response;
use axum::http::request::Parts;

use crate::account::caller::requester::{Caller, Requester};
use crate::app::App;
use crate::error::{Error, TokenError};
use crate::http::middleware::request_context;
use crate::http::problem_details::rejection;
use crate::http::request::cookies;

/// The caller of a route, with a live session or API token. As `Option<CurrentUser>` it is nothing for callers without
/// credentials; wrong ones are refused all the same.
#[derive(Debug, Clone)]
pub struct CurrentUser(Arc<Caller>);

impl CurrentUser {
    /// The public id, as in the `sub` of tokens.
    pub fn id(&self) -> String {
        self.0.user_id().to_string()
    }

    /// The name to sign in with.
    pub fn username(&self) -> &str {
        &self.0.user.username
    }

    /// The e-mail address.
    pub fn email(&self) -> Option<&str> {
        self.0.user.email.as_deref()
    }

    /// The name that is shown.
    pub fn display_name(&self) -> Option<&str> {
        self.0.user.display_name.as_deref()
    }

    /// The names of the roles that the caller has now; an API token with permissions of its own has none.
    pub fn roles(&self) -> &[String] {
        &self.0.access.roles
    }

    /// Whether the caller has this role now, in any spelling.
    pub fn has_role(&self, name: &str) -> bool {
        self.0.access.has_role(name)
    }

    /// Whether the caller has this permission now, such as `USERS_READ`.
    pub fn has_permission(&self, name: &str) -> bool {
        self.0.access.has_permission(name)
    }

    /// The scopes of the API token that the caller came with, or nothing if it is a person.
    pub fn scopes(&self) -> Option<&[String]> {
        self.0.api_token().map(|token| token.scopes.as_slice())
    }
}

/// What was found out about the caller, so that it is asked for once in a request. It counts for its own service alone:
/// a program may embed two.
#[derive(Clone)]
struct CachedRequester(App, Requester);

/// The caller, signed in or not.
///
/// # Errors
/// The answer, if that cannot be told now.
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

/// The caller, if signed in.
///
/// # Errors
/// The answer to those who are not: 401, or 403 if another password has to be chosen first.
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
        authenticate(&App::from_ref(state), parts).await.map_err(|answer| *answer)
    }
}

impl<S> OptionalFromRequestParts<S> for CurrentUser
where
    App: FromRef<S>,
    S: Send + Sync,
{
    type Rejection = Response<Body>;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Option<Self>, Self::Rejection> {
        let requester = cached_requester(&App::from_ref(state), parts).await.map_err(|answer| *answer)?;
        match requester.caller() {
            Ok(caller) => Ok(Some(Self(Arc::new(caller.clone())))),
            Err(Error::Unauthenticated(TokenError::Missing)) => Ok(None),
            Err(error) => Err(rejection(&error, &requester.context.request_id)),
        }
    }
}
