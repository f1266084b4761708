//! `/users/login`, `/users/token` and `/users/logout`: a session with its token in a cookie.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, Method};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::credentials::{self, authenticate};
use super::document::{Document, Field, FieldType, required};
use super::error::UserApiError;
use super::representation::claims_json;
use crate::account::administration::role;
use crate::account::authentication::credentials::{LoginCredentials, NameMatch};
use crate::account::authentication::session::IssuedSession;
use crate::account::authentication::{login, logout};
use crate::account::caller::request_auth::{Credentials, RequestAuth};
use crate::account::caller::request_context::RequestContext;
use crate::account::caller::requester::{Identity, Requester};
use crate::account::{session_lifetime, tokens};
use crate::app::App;
use crate::error::{Error, TokenError};

const CREDENTIALS: [Field; 2] = [required("email", FieldType::String), required("password", FieldType::String)];

/// Opens a session. Credentials in headers are ignored.
pub(super) async fn login(
    State(app): State<App>,
    Extension(RequestAuth { context, .. }): Extension<RequestAuth>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, UserApiError> {
    let document = Document::read(&headers, bytes, &CREDENTIALS)?;
    let (name, password) = (document.string("email"), document.string("password"));
    let credentials = LoginCredentials::new(name, NameMatch::Handle, password);
    let IssuedSession { user, session, .. } =
        open_session(&app, &context, credentials).await.map_err(|error| login_error(&error, &context))?;
    let roles = role::list_of_user(&app, &user).await.map_err(|error| UserApiError::from_error(&error, &context))?;
    let token =
        tokens::session_token(&app, &user, &session).map_err(|error| UserApiError::from_error(&error, &context))?;
    let cookie = credentials::token_cookie(&token, session_lifetime::expires_at(&session), &context);
    Ok((cookie, Json(claims_json(&user, &roles, &session))))
}

async fn open_session(
    app: &App,
    context: &RequestContext,
    credentials: LoginCredentials,
) -> Result<IssuedSession, Error> {
    // Login CSRF: a cross-site page could sign the browser in as another user.
    context.reject_untrusted_site()?;
    login::login(app, context, credentials).await
}

fn login_error(error: &Error, context: &RequestContext) -> UserApiError {
    match error {
        Error::Refused(refusals) if refusals.iter().all(|refusal| refusal.retry_after.is_none()) => {
            UserApiError::wrong_credentials()
        }
        other => UserApiError::from_error(other, context),
    }
}

/// Returns the claims of the token; null if it is no longer valid.
pub(super) async fn token(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    headers: HeaderMap,
) -> Result<Json<Value>, UserApiError> {
    let requester = authenticate(&app, auth, &headers).await?;
    match token_claims(&app, &requester).await {
        Ok(claims) => Ok(Json(claims)),
        Err(Error::Unauthenticated(TokenError::Missing)) => Err(UserApiError::unauthorized(TokenError::Missing)),
        Err(Error::Unauthenticated(_)) => Ok(Json(Value::Null)),
        Err(other) => Err(UserApiError::from_error(&other, &requester.context)),
    }
}

async fn token_claims(app: &App, requester: &Requester) -> Result<Value, Error> {
    let caller = requester.caller()?;
    // An API token has no session, so it lacks the `exp` that the old service's clients expect.
    let session = caller.session().ok_or(Error::Forbidden)?;
    let roles = role::list_of_user(app, &caller.user).await?;
    Ok(claims_json(&caller.user, &roles, session).into())
}

/// Ends the session and clears the cookie. Any page can link here, and such a GET carries the cookie: with the cookie
/// alone, a GET must come from a page of this server.
pub(super) async fn logout(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    method: Method,
    headers: HeaderMap,
) -> Result<impl IntoResponse, UserApiError> {
    let context = auth.context.clone();
    let by_cookie = matches!(auth.credentials, Credentials::None);
    let site_check = if !by_cookie || !credentials::has_cookie(&headers) {
        Ok(())
    } else if method == Method::POST {
        context.reject_untrusted_site()
    } else {
        context.require_trusted_site()
    };
    site_check.map_err(|error| UserApiError::from_error(&error, &context))?;
    let requester = authenticate(&app, auth, &headers).await?;
    let ended = match &requester.identity {
        Identity::Anonymous => Ok(()),
        Identity::Authenticated(caller) if caller.api_token().is_some() => {
            logout::end_current_credential(&app, &requester).await
        }
        _ => logout::end_current_session(&app, &requester).await,
    };
    ended.map_err(|error| UserApiError::from_error(&error, &context))?;
    Ok((credentials::cleared_cookie(&context), Json(json!({ "message": "User disconnected." }))))
}
