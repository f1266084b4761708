//! `/users/login`, `/users/token` and `/users/logout`: a session whose token is in a cookie.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, Method};
use axum::response::IntoResponse;
use axum::{Extension, Json};
use entity::session::Transport;
use serde_json::{Value, json};

use super::answer::Failure;
use super::credentials::{self, requester};
use super::document::{Document, Field, Kind, required};
use super::person::claims;
use crate::account::login::{self, Login, Spelling};
use crate::account::logout;
use crate::account::requester::{Client, Credentials, Identity, Requester, Visitor};
use crate::account::session::{self, SignIn};
use crate::account::{role, tokens};
use crate::app::App;
use crate::error::{Error, TokenFault};

const CREDENTIALS: [Field; 2] = [required("email", Kind::Text), required("password", Kind::Text)];

/// Opens a session. Credentials that come along are not looked at.
pub(super) async fn login(
    State(app): State<App>,
    Extension(Visitor { client, .. }): Extension<Visitor>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<impl IntoResponse, Failure> {
    let document = Document::read(&headers, bytes, &CREDENTIALS)?;
    let input = Login {
        name: document.text("email").into(),
        spelling: Spelling::Handle,
        password: document.text("password").into(),
        transport: Transport::Body,
        device_name: None,
        device_token: None,
    };
    let SignIn { user, session, .. } = run(&app, &client, input).await.map_err(|error| refused(&error, &client))?;
    let roles = role::held_by(&app, &user).await.map_err(|error| Failure::other(&error, &client))?;
    let token = tokens::lasting(&app, &user, &session).map_err(|error| Failure::other(&error, &client))?;
    let cookie = credentials::keep(&token, session::end_of(&session), &client);
    Ok((cookie, Json(claims(&user, &roles, &session))))
}

async fn run(app: &App, client: &Client, input: Login) -> Result<SignIn, Error> {
    // The cookie would sign in whoever looks at the page as somebody else.
    client.refuse_foreign_page()?;
    Ok(login::login(app, client, input).await?.sign_in)
}

fn refused(error: &Error, client: &Client) -> Failure {
    match error {
        Error::Refused(refusals) if refusals.iter().all(|refusal| refusal.retry_after.is_none()) => {
            Failure::wrong_login()
        }
        other => Failure::other(other, client),
    }
}

/// Whose token it is; null if it is nobody's any more.
pub(super) async fn token(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
) -> Result<Json<Value>, Failure> {
    let requester = requester(&app, visitor, &headers).await?;
    match whose(&app, &requester).await {
        Ok(claims) => Ok(Json(claims)),
        Err(Error::Unauthenticated(TokenFault::Missing)) => Err(Failure::unauthorized(TokenFault::Missing)),
        Err(Error::Unauthenticated(_)) => Ok(Json(Value::Null)),
        Err(other) => Err(Failure::other(&other, &requester.client)),
    }
}

async fn whose(app: &App, requester: &Requester) -> Result<Value, Error> {
    let caller = requester.signed_in()?;
    // An API token has no session, and so no end that the old service's clients know.
    let session = caller.session().ok_or(Error::Forbidden)?;
    let roles = role::held_by(app, &caller.user).await?;
    Ok(claims(&caller.user, &roles, session).into())
}

/// Ends the session, and has the browser forget the cookie. A link on a page of anybody is a GET with the cookie, so a
/// GET has to come from a page of ours.
pub(super) async fn logout(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    method: Method,
    headers: HeaderMap,
) -> Result<impl IntoResponse, Failure> {
    let client = visitor.client.clone();
    let by_cookie = matches!(visitor.credentials, Credentials::None);
    let proven = if !by_cookie || !credentials::has_cookie(&headers) {
        Ok(())
    } else if method == Method::POST {
        client.refuse_foreign_page()
    } else {
        client.require_own_page()
    };
    proven.map_err(|error| Failure::other(&error, &client))?;
    let requester = requester(&app, visitor, &headers).await?;
    let ended = match &requester.identity {
        Identity::Anonymous => Ok(()),
        Identity::SignedIn(caller) if caller.api_token().is_some() => logout::leave(&app, &requester).await,
        _ => logout::end_current(&app, &requester).await,
    };
    ended.map_err(|error| Failure::other(&error, &client))?;
    Ok((credentials::forget(&client), Json(json!({ "message": "User disconnected." }))))
}
