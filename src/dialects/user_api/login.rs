//! `/users/login`, `/users/token` and `/users/logout`: a session whose token is in a cookie.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, Method};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use entity::session::Transport;
use serde_json::{Value, json};

use super::credentials::{self, authenticate};
use super::document::{Document, Field, FieldType, required};
use super::error::UserApiError;
use super::representation::claims_json;
use crate::account::access::role;
use crate::account::authentication::login::{self, Login, NameMatch};
use crate::account::authentication::logout;
use crate::account::authentication::session::{self, IssuedSession};
use crate::account::authentication::tokens;
use crate::account::caller::requester::{Credentials, Identity, RequestAuth, RequestContext, Requester};
use crate::app::App;
use crate::error::{Error, TokenError};

const CREDENTIALS: [Field; 2] = [required("email", FieldType::String), required("password", FieldType::String)];

/// Opens a session. Credentials that come along are not looked at.
pub(super) async fn login(
    State(app): State<App>,
    Extension(RequestAuth { context: client, .. }): Extension<RequestAuth>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, UserApiError> {
    let document = Document::read(&headers, bytes, &CREDENTIALS)?;
    let input = Login {
        name: document.string("email").into(),
        name_match: NameMatch::Handle,
        password: document.string("password").into(),
        transport: Transport::Body,
        device_name: None,
        device_token: None,
    };
    let IssuedSession { user, session, .. } =
        open_session(&app, &client, input).await.map_err(|error| login_error(&error, &client))?;
    let roles = role::list_of_user(&app, &user).await.map_err(|error| UserApiError::from_error(&error, &client))?;
    let token =
        tokens::session_token(&app, &user, &session).map_err(|error| UserApiError::from_error(&error, &client))?;
    let cookie = credentials::token_cookie(&token, session::expires_at(&session), &client);
    Ok((cookie, Json(claims_json(&user, &roles, &session))))
}

async fn open_session(app: &App, client: &RequestContext, input: Login) -> Result<IssuedSession, Error> {
    // The cookie would sign in whoever looks at the page as somebody else.
    client.reject_cross_site()?;
    Ok(login::login(app, client, input).await?.issued)
}

fn login_error(error: &Error, client: &RequestContext) -> UserApiError {
    match error {
        Error::Refused(refusals) if refusals.iter().all(|refusal| refusal.retry_after.is_none()) => {
            UserApiError::wrong_credentials()
        }
        other => UserApiError::from_error(other, client),
    }
}

/// Whose token it is; null if it is nobody's any more.
pub(super) async fn token(
    State(app): State<App>,
    Extension(visitor): Extension<RequestAuth>,
    headers: HeaderMap,
) -> Result<Json<Value>, UserApiError> {
    let requester = authenticate(&app, visitor, &headers).await?;
    match token_claims(&app, &requester).await {
        Ok(claims) => Ok(Json(claims)),
        Err(Error::Unauthenticated(TokenError::Missing)) => Err(UserApiError::unauthorized(TokenError::Missing)),
        Err(Error::Unauthenticated(_)) => Ok(Json(Value::Null)),
        Err(other) => Err(UserApiError::from_error(&other, &requester.context)),
    }
}

async fn token_claims(app: &App, requester: &Requester) -> Result<Value, Error> {
    let caller = requester.caller()?;
    // An API token has no session, and so no end that the old service's clients know.
    let session = caller.session().ok_or(Error::Forbidden)?;
    let roles = role::list_of_user(app, &caller.user).await?;
    Ok(claims_json(&caller.user, &roles, session).into())
}

/// Ends the session, and has the browser forget the cookie. A link on a page of anybody is a GET with the cookie, so a
/// GET has to come from a page of ours.
pub(super) async fn logout(
    State(app): State<App>,
    Extension(visitor): Extension<RequestAuth>,
    method: Method,
    headers: HeaderMap,
) -> Result<impl IntoResponse, UserApiError> {
    let client = visitor.context.clone();
    let by_cookie = matches!(visitor.credentials, Credentials::None);
    let proven = if !by_cookie || !credentials::has_cookie(&headers) {
        Ok(())
    } else if method == Method::POST {
        client.reject_cross_site()
    } else {
        client.require_same_site()
    };
    proven.map_err(|error| UserApiError::from_error(&error, &client))?;
    let requester = authenticate(&app, visitor, &headers).await?;
    let ended = match &requester.identity {
        Identity::Anonymous => Ok(()),
        Identity::Authenticated(caller) if caller.api_token().is_some() => {
            logout::end_current_credential(&app, &requester).await
        }
        _ => logout::end_current_session(&app, &requester).await,
    };
    ended.map_err(|error| UserApiError::from_error(&error, &client))?;
    Ok((credentials::cleared_cookie(&client), Json(json!({ "message": "User disconnected." }))))
}
