//! `/user`: users by page, and one by name.

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
use super::token::to_iso8601;
use crate::account::access::role;
use crate::account::access::rule::Access;
use crate::account::caller::requester::{RequestAuth, Requester};
use crate::account::user::administration::{self, UpdateUser};
use crate::account::user::directory;
use crate::account::user::id::UserId;
use crate::account::user::query::{UserFilter, count};
use crate::app::App;
use crate::dialects::http_error::HttpError;
use crate::error::{Error, RefusalCode};
use crate::strict_json;

/// Users of a page when nothing is said.
const DEFAULT_PAGE_SIZE: u64 = 10;

/// Most users of a page.
const MAX_PAGE_SIZE: u64 = 100;

/// Which page.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PageQuery {
    page: Option<String>,
    per_page: Option<String>,
}

/// One page of the users, oldest account first.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visitor): Extension<RequestAuth>,
    headers: HeaderMap,
    wanted: Result<Query<PageQuery>, QueryRejection>,
) -> Result<Json<Value>, HttpError> {
    let requester = authenticate(&app, visitor, &headers).await?;
    let Ok(Query(wanted)) = wanted else { return Err(HttpError::bad_request("the query string could not be read")) };
    let page = parse_number(wanted.page.as_deref(), "page", 1, u64::MAX)?;
    let per_page = parse_number(wanted.per_page.as_deref(), "perPage", DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE)?;
    list_page(&app, &requester, page, per_page)
        .await
        .map_err(|error| authentication_error(&error, &requester))?
        .map(Json)
        .ok_or_else(|| HttpError::new(StatusCode::NOT_FOUND, "there is no such page"))
}

fn parse_number(text: Option<&str>, name: &str, default: u64, most: u64) -> Result<u64, HttpError> {
    let number = text.map_or(Some(default), |text| text.parse().ok());
    number.filter(|number| (1..=most).contains(number)).ok_or_else(|| {
        let bounds = if most == u64::MAX { "from 1 on".to_owned() } else { format!("from 1 to {most}") };
        HttpError::bad_request(format!("{name} is a whole number {bounds}"))
    })
}

/// Nothing, if the page lies behind the last one.
async fn list_page(app: &App, requester: &Requester, page: u64, per_page: u64) -> Result<Option<Value>, Error> {
    let filter = UserFilter::default();
    let total = count(app, requester, &filter).await?;
    let last_page = total.div_ceil(per_page).max(1);
    if page > last_page {
        return Ok(None);
    }
    let rows = directory::list(app, requester, &filter, (page - 1) * per_page, per_page).await?;
    let mut accesses = role::load_access(app, rows.iter().map(|row| row.id).collect()).await?;
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

/// One user by name.
pub(super) async fn find(
    State(app): State<App>,
    Extension(visitor): Extension<RequestAuth>,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, HttpError> {
    let requester = authenticate(&app, visitor, &headers).await?;
    let (_, shown) = find_by_name(&app, &requester, name).await?;
    Ok(Json(shown.into()))
}

/// Changes one user; the version that comes along is the one that was seen.
pub(super) async fn update(
    State(app): State<App>,
    Extension(visitor): Extension<RequestAuth>,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, HttpError> {
    let requester = authenticate(&app, visitor, &headers).await?;
    let (user, shown) = find_by_name(&app, &requester, name).await?;
    let changes = parse_changes(bytes, &shown)?;
    let updated = administration::update(&app, &requester, UserId::from(user.uid), changes).await;
    let updated = updated.map_err(|error| match &error {
        Error::Refused(refusals) if refusals.iter().any(|refusal| refusal.code == RefusalCode::NotFound) => {
            user_not_found()
        }
        other => authentication_error(other, &requester),
    })?;
    let access = load_access(&app, &requester, &updated).await?;
    Ok(Json(self::user_json(&updated, &access)))
}

/// What a body changes about a user who looks as `shown`. Callers send back the whole user: what stays the same is no
/// change, and what does not change here is refused.
fn parse_changes(bytes: Result<Bytes, BytesRejection>, shown: &Map<String, Value>) -> Result<UpdateUser, HttpError> {
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return Err(HttpError::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long"));
        }
        Err(_) => return Err(HttpError::bad_request("the body could not be read")),
    };
    let Ok(Value::Object(body)) = strict_json::parse(&bytes) else {
        return Err(HttpError::bad_request("send a user as a JSON object"));
    };
    let mut changes = UpdateUser::default();
    for (name, value) in &body {
        match name.as_str() {
            "version" => {
                let version = value.as_i64().filter(|version| (0..i64::MAX).contains(version));
                let version = version.ok_or_else(|| HttpError::bad_request("version is a whole number from 0 on"))?;
                changes.version = Some(version + FIRST_VERSION);
            }
            _ if shown.get(name) == Some(value) => {}
            "lastLoginTime" => changes.last_login_at = Some(parse_time(value)?),
            _ => return Err(HttpError::bad_request(format!("{name} does not change here"))),
        }
    }
    if changes.version.is_none() {
        return Err(HttpError::bad_request("send the version of the user that you have seen"));
    }
    Ok(changes)
}

fn parse_time(value: &Value) -> Result<DateTime<Utc>, HttpError> {
    let time = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    time.map(|time| time.to_utc())
        // RFC 3339 has four digits for the year, in UTC as well.
        .filter(|time| (1..=9_999).contains(&time.year()))
        .ok_or_else(|| HttpError::bad_request("lastLoginTime is a time such as 2018-07-29T11:59:29-05:00"))
}

/// The user with the name in the path, and how the dialect shows them.
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
    let shown = user_members(&user, &access);
    Ok((user, shown))
}

async fn load_access(app: &App, requester: &Requester, user: &user::Model) -> Result<Access, HttpError> {
    let loaded = role::load_access(app, vec![user.id]).await;
    Ok(loaded.map_err(|error| authentication_error(&error, requester))?.remove(&user.id).unwrap_or_default())
}

fn user_not_found() -> HttpError {
    HttpError::new(StatusCode::NOT_FOUND, "there is no such user")
}

/// The version of a new account here; the old service counted from 0.
const FIRST_VERSION: i64 = 1;

/// The role of users who hold none.
const NO_ROLE: &str = "USER";

fn user_json(user: &user::Model, access: &Access) -> Value {
    user_members(user, access).into()
}

/// A user as the old service showed one; who never signed in has no `lastLoginTime`.
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
