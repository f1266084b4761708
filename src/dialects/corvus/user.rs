//! `/user`: lists users by page; reads and updates one by name.

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use chrono::{DateTime, Datelike, Utc};
use entity::user;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::credentials::{authenticate, authentication_error};
use super::time::to_iso8601;
use crate::account::access::grants::{self, Access};
use crate::account::administration::user_lifecycle;
use crate::account::caller::request_auth::RequestAuth;
use crate::account::caller::requester::Requester;
use crate::account::names::id::UserId;
use crate::account::user::directory;
use crate::account::user::query::{UserFilter, count};
use crate::account::user::update::UpdateUser;
use crate::app::App;
use crate::dialects::http_error::HttpError;
use crate::error::{Error, RefusalCode};
use crate::strict_json;

/// Users per page by default.
const DEFAULT_PAGE_SIZE: u64 = 10;

/// Maximum users per page.
const MAX_PAGE_SIZE: u64 = 100;

/// Query string of a list.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageQuery {
    page: Option<String>,
    per_page: Option<String>,
}

/// One page of the users, oldest first.
pub(super) async fn list(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    headers: HeaderMap,
    query: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<Value>, HttpError> {
    let requester = authenticate(&app, auth, &headers).await?;
    let Ok(Query(query)) = query else { return Err(HttpError::bad_request("query string could not be parsed")) };
    let page = parse_number(query.page.as_deref(), "page", 1, u64::MAX)?;
    let per_page = parse_number(query.per_page.as_deref(), "perPage", DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    list_page(&app, &requester, page, per_page)
        .await
        .map_err(|error| authentication_error(&error, &requester))?
        .map(Json)
        .ok_or_else(|| HttpError::new(StatusCode::NOT_FOUND, "page not found"))
}

fn parse_number(text: Option<&str>, name: &str, default: u64, max: u64) -> Result<u64, HttpError> {
    let number = text.map_or(Some(default), |text| text.parse().ok());
    number.filter(|number| (1..=max).contains(number)).ok_or_else(|| {
        let bounds = if max == u64::MAX { "of at least 1".to_owned() } else { format!("from 1 to {max}") };
        HttpError::bad_request(format!("{name} must be an integer {bounds}"))
    })
}

/// The page as JSON, or `None` if it is beyond the last one.
async fn list_page(app: &App, requester: &Requester, page: u64, per_page: u64) -> Result<Option<Value>, Error> {
    let filter = UserFilter::default();
    let total = count(app, requester, &filter).await?;
    let last_page = total.div_ceil(per_page).max(1);
    if page > last_page {
        return Ok(None);
    }
    let rows = directory::list(app, requester, &filter, (page - 1) * per_page, per_page).await?;
    let mut accesses = grants::load_access(app, rows.iter().map(|row| row.id).collect()).await?;
    let items: Vec<Value> =
        rows.iter().map(|row| user_json(row, &accesses.remove(&row.id).unwrap_or_default())).collect();
    Ok(Some(json!({
        "page": page,
        "count": items.len(),
        "totalCount": total,
        "lastPage": last_page,
        "items": items,
    })))
}

/// Returns one user by name.
pub(super) async fn find(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, HttpError> {
    let requester = authenticate(&app, auth, &headers).await?;
    let (_, members) = find_by_name(&app, &requester, name).await?;
    Ok(Json(members.into()))
}

/// Updates one user; the body's version must be the current one.
pub(super) async fn update(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, HttpError> {
    let requester = authenticate(&app, auth, &headers).await?;
    let (user, members) = find_by_name(&app, &requester, name).await?;
    let changes = parse_changes(bytes, &members)?;
    let updated = user_lifecycle::update(&app, &requester, UserId::from(user.uid), changes).await;
    let updated = updated.map_err(|error| match &error {
        Error::Refused(refusals) if refusals.iter().any(|refusal| refusal.code == RefusalCode::NotFound) => {
            user_not_found()
        }
        other => authentication_error(other, &requester),
    })?;
    let access = load_access(&app, &requester, &updated).await?;
    Ok(Json(self::user_json(&updated, &access)))
}

/// The changes that a body makes to a user with these `members`. Clients send the whole user back: equal members are no
/// change, and members that are read-only here are refused.
fn parse_changes(bytes: Result<Bytes, BytesRejection>, members: &Map<String, Value>) -> Result<UpdateUser, HttpError> {
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return Err(HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, "body too large"));
        }
        Err(_) => return Err(HttpError::bad_request("body could not be read")),
    };
    let Ok(Value::Object(body)) = strict_json::parse(&bytes) else {
        return Err(HttpError::bad_request("send a user as a JSON object"));
    };
    let mut changes = UpdateUser::default();
    for (name, value) in &body {
        match name.as_str() {
            "version" => {
                let version = value.as_i64().filter(|version| (0..i64::MAX).contains(version));
                let version =
                    version.ok_or_else(|| HttpError::bad_request("version must be an integer of at least 0"))?;
                changes.version = Some(version + FIRST_VERSION);
            }
            _ if members.get(name) == Some(value) => {}
            "lastLoginTime" => changes.last_login_at = Some(parse_time(value)?),
            _ => return Err(HttpError::bad_request(format!("{name} cannot be changed here"))),
        }
    }
    if changes.version.is_none() {
        return Err(HttpError::bad_request("send the version of the user that you have read"));
    }
    Ok(changes)
}

fn parse_time(value: &Value) -> Result<DateTime<Utc>, HttpError> {
    let time = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    time.map(|time| time.to_utc())
        // RFC 3339 years have four digits, after conversion to UTC, too.
        .filter(|time| (1..=9_999).contains(&time.year()))
        .ok_or_else(|| HttpError::bad_request("lastLoginTime must be a time such as 2018-07-29T11:59:29-05:00"))
}

/// The user named in the path, and its JSON members.
async fn find_by_name(
    app: &App,
    requester: &Requester,
    name: Result<Path<String>, PathRejection>,
) -> Result<(user::Model, Map<String, Value>), HttpError> {
    let Ok(Path(name)) = name else { return Err(user_not_found()) };
    let found =
        directory::find(app, requester, &name).await.map_err(|error| authentication_error(&error, requester))?;
    let user = found.ok_or_else(user_not_found)?;
    let access = load_access(app, requester, &user).await?;
    let members = user_members(&user, &access);
    Ok((user, members))
}

async fn load_access(app: &App, requester: &Requester, user: &user::Model) -> Result<Access, HttpError> {
    let loaded = grants::load_access(app, vec![user.id]).await;
    Ok(loaded.map_err(|error| authentication_error(&error, requester))?.remove(&user.id).unwrap_or_default())
}

fn user_not_found() -> HttpError {
    HttpError::new(StatusCode::NOT_FOUND, "user not found")
}

/// The version of a new user here; the old service counts from 0.
const FIRST_VERSION: i64 = 1;

/// The role shown for users without one.
const NO_ROLE: &str = "USER";

fn user_json(user: &user::Model, access: &Access) -> Value {
    user_members(user, access).into()
}

/// A user in the old service's JSON; `lastLoginTime` is missing before the first login.
fn user_members(user: &user::Model, access: &Access) -> Map<String, Value> {
    let role = access.primary_role().map_or_else(|| NO_ROLE.to_owned(), str::to_uppercase);
    let mut members = Map::from_iter([
        ("name".to_owned(), user.username.as_str().into()),
        ("creationTime".to_owned(), to_iso8601(user.created_at.utc()).into()),
        ("version".to_owned(), (user.version - FIRST_VERSION).into()),
        ("role".to_owned(), role.into()),
    ]);
    members.extend(user.last_login_at.map(|time| ("lastLoginTime".to_owned(), to_iso8601(time.utc()).into())));
    members
}
