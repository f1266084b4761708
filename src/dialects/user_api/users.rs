//! `/users/`: lists, reads, creates and updates users of the caller's customer (tenant); requires an administrator.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use entity::user::{self, Status};
use serde_json::{Map, Value, json};

use super::credentials::authenticate;
use super::document::{Document, Field, FieldType, optional, required};
use super::error::{self, UserApiError};
use super::query::ListQuery;
use super::representation::{user_json, user_with_roles_json};
use crate::account::access::rule;
use crate::account::administration::replace::{self, ReplaceUser};
use crate::account::administration::{role, user_lifecycle};
use crate::account::caller::request_auth::RequestAuth;
use crate::account::caller::requester::Requester;
use crate::account::user::handle;
use crate::account::user::new_user::NewUser;
use crate::account::user::query::UserFilter;
use crate::account::user::tenant_lookup::{self, TenantLookup};
use crate::app::App;
use crate::error::{Error, Refusal, RefusalCode};

const CREATE_FIELDS: [Field; 5] = [
    required("email", FieldType::String),
    required("name", FieldType::String),
    required("password", FieldType::String),
    required("active", FieldType::Boolean),
    required("roles", FieldType::IdObjects),
];

const UPDATE_FIELDS: [Field; 6] = [
    required("email", FieldType::String),
    required("name", FieldType::String),
    required("active", FieldType::Boolean),
    optional("password", FieldType::String),
    optional("roles", FieldType::IdObjects),
    // Ignored: the path selects the user.
    optional("id", FieldType::Integer),
];

/// Lists users of the caller's customer, oldest first; all filters must match.
pub(super) async fn list(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    headers: HeaderMap,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Value>, UserApiError> {
    let requester = authenticate(&app, auth, &headers).await?;
    let failed = |error: Error| UserApiError::from_error(&error, &requester.context);
    requester.authorize(rule::READ_USERS).map_err(failed)?;
    let query = ListQuery::read(query, &["email", "name"])?;
    let filter =
        UserFilter { handle: query.filter("email"), display_name: query.filter("name"), ..UserFilter::default() };
    let (rows, has_next) =
        tenant_lookup::list_in_tenant(&app, &requester, &filter, query.offset, query.limit).await.map_err(failed)?;
    let users: Vec<Value> = rows.iter().map(|row| user_json(row).into()).collect();
    Ok(Json(json!({ "has_next": has_next, "users": users })))
}

/// Returns one user of the caller's customer.
pub(super) async fn get(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    Path(id): Path<String>,
    headers: HeaderMap,
) -> Result<Response, UserApiError> {
    let Ok(row_id) = id.parse::<i64>() else { return Ok(error::route_not_found()) };
    let requester = authenticate(&app, auth, &headers).await?;
    let user = find_user(&app, &requester, row_id, format!("User '{row_id}' doesn't exist.")).await?;
    user_response(&app, &requester, &user).await
}

/// Creates a user of the caller's customer.
pub(super) async fn create(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, UserApiError> {
    let requester = authenticate(&app, auth, &headers).await?;
    requester.authorize(rule::WRITE_USERS).map_err(|error| UserApiError::from_error(&error, &requester.context))?;
    let document = Document::read(&headers, bytes, &CREATE_FIELDS)?;
    let user = create_user(&app, &requester, &document).await;
    let user = user.map_err(|error| conflict_error(error, &requester, "User already exists."))?;
    Ok((StatusCode::CREATED, user_response(&app, &requester, &user).await?).into_response())
}

async fn create_user(app: &App, requester: &Requester, document: &Document) -> Result<user::Model, Error> {
    let roles = role::names_by_row_id(app, requester, &document.ids("roles").unwrap_or_default()).await?;
    let new =
        handle::new_user(app, document.string("email"), display_name(document), document.string("password").into())?;
    user_lifecycle::create(app, requester, NewUser { status: status(document), ..new }, roles).await
}

/// Replaces the fields of a user of the caller's customer.
pub(super) async fn update(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    Path(id): Path<String>,
    headers: HeaderMap,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Response, UserApiError> {
    let Ok(row_id) = id.parse::<i64>() else { return Ok(error::route_not_found()) };
    let requester = authenticate(&app, auth, &headers).await?;
    requester.authorize(rule::WRITE_USERS).map_err(|error| UserApiError::from_error(&error, &requester.context))?;
    let document = Document::read(&headers, bytes, &UPDATE_FIELDS)?;
    let user = find_user(&app, &requester, row_id, "User not found.".to_owned()).await?;
    let user = replace_user(&app, &requester, &user, &document).await;
    let user = user.map_err(|error| conflict_error(error, &requester, "Conflict."))?;
    user_response(&app, &requester, &user).await
}

async fn replace_user(
    app: &App,
    requester: &Requester,
    user: &user::Model,
    document: &Document,
) -> Result<user::Model, Error> {
    let roles = match document.ids("roles") {
        Some(row_ids) => Some(role::require_names_by_row_id(app, requester, &row_ids).await?),
        None => None,
    };
    let replacement = ReplaceUser {
        changes: handle::changes(user, document.string("email"), display_name(document))?,
        status: status(document),
        password: document.optional_string("password").map(Into::into),
        roles,
    };
    replace::replace(app, requester, user.uid.into(), replacement).await
}

/// The display name, or `None` if it is empty.
fn display_name(document: &Document) -> Option<&str> {
    Some(document.string("name")).filter(|name| !name.trim().is_empty())
}

fn status(document: &Document) -> Status {
    if document.boolean("active") { Status::Active } else { Status::Disabled }
}

/// The user with this row id, if it belongs to the caller's customer.
async fn find_user(
    app: &App,
    requester: &Requester,
    row_id: i64,
    missing: String,
) -> Result<user::Model, UserApiError> {
    let lookup = tenant_lookup::find_in_tenant(app, requester, row_id).await;
    match lookup.map_err(|error| UserApiError::from_error(&error, &requester.context))? {
        TenantLookup::Found(user) => Ok(*user),
        TenantLookup::OtherTenant => Err(UserApiError::other_tenant()),
        TenantLookup::NotFound => Err(UserApiError::not_found(missing)),
    }
}

/// A response with the user and its roles.
async fn user_response(app: &App, requester: &Requester, user: &user::Model) -> Result<Response, UserApiError> {
    let roles =
        role::list_of_user(app, user).await.map_err(|error| UserApiError::from_error(&error, &requester.context))?;
    let members: Map<String, Value> = user_with_roles_json(user, &roles);
    Ok(Json(members).into_response())
}

/// Maps a taken name to the route's own text.
fn conflict_error(error: Error, requester: &Requester, text: &str) -> UserApiError {
    let is_taken = |refusal: &Refusal| matches!(refusal.code, RefusalCode::UsernameTaken | RefusalCode::EmailTaken);
    match &error {
        Error::Refused(refusals) if refusals.iter().any(is_taken) => UserApiError::conflict(text),
        _ => UserApiError::from_error(&error, &requester.context),
    }
}
