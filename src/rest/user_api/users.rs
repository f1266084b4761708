//! `/users/`: the users of one's own customer, listed, shown, made and changed by an administrator.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use entity::user::{self, Status};
use serde_json::{Map, Value, json};

use super::answer::{self, Failure};
use super::credentials::requester;
use super::document::{Document, Field, Kind, optional, required};
use super::person::{person, with_roles};
use super::query::Wanted;
use crate::account::administration;
use crate::account::neighbour::{self, Sighting};
use crate::account::overwrite::{self, Replacement};
use crate::account::requester::{Requester, Visitor};
use crate::account::user::{NewUser, UserFilter};
use crate::account::{access, handle, role};
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode};

const NEW: [Field; 5] = [
    required("email", Kind::Text),
    required("name", Kind::Text),
    required("password", Kind::Text),
    required("active", Kind::Flag),
    required("roles", Kind::Numbered),
];

const CHANGED: [Field; 6] = [
    required("email", Kind::Text),
    required("name", Kind::Text),
    required("active", Kind::Flag),
    optional("password", Kind::Text),
    optional("roles", Kind::Numbered),
    // Of no consequence: the address says who is meant.
    optional("id", Kind::Number),
];

/// Users of the caller's own customer, the eldest first; every filter that is given narrows.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Value>, Failure> {
    let requester = requester(&app, visitor, &headers).await?;
    let failed = |error: Error| Failure::other(&error, &requester.client);
    requester.permit(access::READ_USERS).map_err(failed)?;
    let wanted = Wanted::read(query, &["email", "name"])?;
    let filter =
        UserFilter { handle: wanted.filter("email"), display_name: wanted.filter("name"), ..UserFilter::default() };
    let (rows, has_next) =
        neighbour::list(&app, &requester, &filter, wanted.offset, wanted.limit).await.map_err(failed)?;
    let shown: Vec<Value> = rows.iter().map(|row| person(row).into()).collect();
    Ok(Json(json!({ "has_next": has_next, "users": shown })))
}

/// One user of the caller's own customer.
pub(super) async fn get(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Failure> {
    let Ok(number) = id.parse::<i64>() else { return Ok(answer::no_such_route()) };
    let requester = requester(&app, visitor, &headers).await?;
    let user = sighted(&app, &requester, number, format!("User '{number}' doesn't exist.")).await?;
    complete(&app, &requester, &user).await
}

/// Makes a user of the caller's own customer.
pub(super) async fn create(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let requester = requester(&app, visitor, &headers).await?;
    requester.permit(access::WRITE_USERS).map_err(|error| Failure::other(&error, &requester.client))?;
    let document = Document::read(&headers, bytes, &NEW)?;
    let user = make(&app, &requester, &document).await;
    let user = user.map_err(|error| clash(error, &requester, "User already exists."))?;
    Ok((StatusCode::CREATED, complete(&app, &requester, &user).await?).into_response())
}

async fn make(app: &App, requester: &Requester, document: &Document) -> Result<user::Model, Error> {
    let roles = role::names_by_number(app, requester, &document.numbers("roles").unwrap_or_default()).await?;
    let new = handle::new_user(app, document.text("email"), name(document), document.text("password").into())?;
    administration::create(app, requester, NewUser { status: status(document), ..new }, roles).await
}

/// Changes a user of the caller's own customer to what the document says.
pub(super) async fn update(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, Failure> {
    let Ok(number) = id.parse::<i64>() else { return Ok(answer::no_such_route()) };
    let requester = requester(&app, visitor, &headers).await?;
    requester.permit(access::WRITE_USERS).map_err(|error| Failure::other(&error, &requester.client))?;
    let document = Document::read(&headers, bytes, &CHANGED)?;
    let user = sighted(&app, &requester, number, "User not found.".to_owned()).await?;
    let user = replace(&app, &requester, &user, &document).await;
    let user = user.map_err(|error| clash(error, &requester, "Conflict."))?;
    complete(&app, &requester, &user).await
}

async fn replace(
    app: &App,
    requester: &Requester,
    user: &user::Model,
    document: &Document,
) -> Result<user::Model, Error> {
    let roles = match document.numbers("roles") {
        Some(numbers) => Some(role::all_names_by_number(app, requester, &numbers).await?),
        None => None,
    };
    let replacement = Replacement {
        account: handle::changes(user, document.text("email"), name(document))?,
        status: status(document),
        password: document.text_if_any("password").map(Into::into),
        roles,
    };
    overwrite::account(app, requester, user.uid.into(), replacement).await
}

/// The name that is shown; an empty one is none.
fn name(document: &Document) -> Option<&str> {
    Some(document.text("name")).filter(|name| !name.trim().is_empty())
}

fn status(document: &Document) -> Status {
    if document.flag("active") { Status::Active } else { Status::Disabled }
}

/// The user with this number, if it is one of the caller's own customer.
async fn sighted(app: &App, requester: &Requester, number: i64, missing: String) -> Result<user::Model, Failure> {
    let sighting = neighbour::sight(app, requester, number).await;
    match sighting.map_err(|error| Failure::other(&error, &requester.client))? {
        Sighting::Near(user) => Ok(*user),
        Sighting::Elsewhere => Err(Failure::of_another()),
        Sighting::Nobody => Err(Failure::not_found(missing)),
    }
}

/// A user with roles.
async fn complete(app: &App, requester: &Requester, user: &user::Model) -> Result<Response, Failure> {
    let roles = role::held_by(app, user).await.map_err(|error| Failure::other(&error, &requester.client))?;
    let shown: Map<String, Value> = with_roles(user, &roles);
    Ok(Json(shown).into_response())
}

/// The route's own text for a name that is taken.
fn clash(error: Error, requester: &Requester, text: &str) -> Failure {
    let is_taken = |refusal: &Refusal| matches!(refusal.code, RefusalCode::UsernameTaken | RefusalCode::EmailTaken);
    match &error {
        Error::Refused(refusals) if refusals.iter().any(is_taken) => Failure::conflict(text),
        _ => Failure::other(&error, &requester.client),
    }
}
