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

use super::credentials::{caller, refused};
use super::token::iso;
use crate::account::access::Access;
use crate::account::administration::{self, UpdateUser};
use crate::account::id::UserId;
use crate::account::requester::{Requester, Visitor};
use crate::account::user::{UserFilter, count};
use crate::account::{directory, role};
use crate::app::App;
use crate::error::{Error, RefusalCode};
use crate::json;
use crate::rest::failure::Failure;

/// Users of a page when nothing is said.
const PAGE: u64 = 10;

/// Most users of a page.
const MAX_PAGE: u64 = 100;

/// Which page.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Wanted {
    page: Option<String>,
    per_page: Option<String>,
}

/// One page of the users, oldest account first.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<Value>, Failure> {
    let requester = caller(&app, visitor, &headers).await?;
    let Ok(Query(wanted)) = wanted else { return Err(Failure::bad_request("the query string could not be read")) };
    let page = number(wanted.page.as_deref(), "page", 1, u64::MAX)?;
    let per_page = number(wanted.per_page.as_deref(), "perPage", PAGE, MAX_PAGE)?;
    read(&app, &requester, page, per_page)
        .await
        .map_err(|error| refused(&error, &requester))?
        .map(Json)
        .ok_or_else(|| Failure::new(StatusCode::NOT_FOUND, "there is no such page"))
}

fn number(text: Option<&str>, name: &str, default: u64, most: u64) -> Result<u64, Failure> {
    let number = text.map_or(Some(default), |text| text.parse().ok());
    number.filter(|number| (1..=most).contains(number)).ok_or_else(|| {
        let bounds = if most == u64::MAX { "from 1 on".to_owned() } else { format!("from 1 to {most}") };
        Failure::bad_request(format!("{name} is a whole number {bounds}"))
    })
}

/// Nothing, if the page lies behind the last one.
async fn read(app: &App, requester: &Requester, page: u64, per_page: u64) -> Result<Option<Value>, Error> {
    let filter = UserFilter::default();
    let total = count(app, requester, &filter).await?;
    let last_page = total.div_ceil(per_page).max(1);
    if page > last_page {
        return Ok(None);
    }
    let rows = directory::list(app, requester, &filter, (page - 1) * per_page, per_page).await?;
    let mut accesses = role::load_access(app, rows.iter().map(|row| row.id).collect()).await?;
    let items: Vec<Value> = rows.iter().map(|row| shown(row, &accesses.remove(&row.id).unwrap_or_default())).collect();
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
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
) -> Result<Json<Value>, Failure> {
    let requester = caller(&app, visitor, &headers).await?;
    let (_, shown) = named(&app, &requester, name).await?;
    Ok(Json(shown.into()))
}

/// Changes one user; the version that comes along is the one that was seen.
pub(super) async fn update(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    name: Result<Path<String>, PathRejection>,
    bytes: Result<Bytes, BytesRejection>,
) -> Result<Json<Value>, Failure> {
    let requester = caller(&app, visitor, &headers).await?;
    let (user, shown) = named(&app, &requester, name).await?;
    let changes = changes(bytes, &shown)?;
    let updated = administration::update(&app, &requester, UserId::from(user.uid), changes).await;
    let updated = updated.map_err(|error| match &error {
        Error::Refused(refusals) if refusals.iter().any(|refusal| refusal.code == RefusalCode::NotFound) => missing(),
        other => refused(other, &requester),
    })?;
    let access = access(&app, &requester, &updated).await?;
    Ok(Json(self::shown(&updated, &access)))
}

/// What a body changes about a user who looks as `shown`. Callers send back the whole user: what stays the same is no
/// change, and what does not change here is refused.
fn changes(bytes: Result<Bytes, BytesRejection>, shown: &Map<String, Value>) -> Result<UpdateUser, Failure> {
    let bytes = match bytes {
        Ok(bytes) => bytes,
        Err(rejection) if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE => {
            return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is too long"));
        }
        Err(_) => return Err(Failure::bad_request("the body could not be read")),
    };
    let Ok(Value::Object(body)) = json::read(&bytes) else {
        return Err(Failure::bad_request("send a user as a JSON object"));
    };
    let mut changes = UpdateUser::default();
    for (name, value) in &body {
        match name.as_str() {
            "version" => {
                let version = value.as_i64().filter(|version| (0..i64::MAX).contains(version));
                let version = version.ok_or_else(|| Failure::bad_request("version is a whole number from 0 on"))?;
                changes.version = Some(version + FIRST_VERSION);
            }
            _ if shown.get(name) == Some(value) => {}
            "lastLoginTime" => changes.last_login_at = Some(time(value)?),
            _ => return Err(Failure::bad_request(format!("{name} does not change here"))),
        }
    }
    if changes.version.is_none() {
        return Err(Failure::bad_request("send the version of the user that you have seen"));
    }
    Ok(changes)
}

fn time(value: &Value) -> Result<DateTime<Utc>, Failure> {
    let time = value.as_str().and_then(|text| DateTime::parse_from_rfc3339(text).ok());
    time.map(|time| time.to_utc())
        // RFC 3339 has four digits for the year, in UTC as well.
        .filter(|time| (1..=9_999).contains(&time.year()))
        .ok_or_else(|| Failure::bad_request("lastLoginTime is a time such as 2018-07-29T11:59:29-05:00"))
}

/// The user with the name in the path, and how the dialect shows them.
async fn named(
    app: &App,
    requester: &Requester,
    name: Result<Path<String>, PathRejection>,
) -> Result<(user::Model, Map<String, Value>), Failure> {
    let Ok(Path(name)) = name else { return Err(missing()) };
    let found = directory::find(app, requester, &name).await.map_err(|error| refused(&error, requester))?;
    let user = found.ok_or_else(missing)?;
    let access = access(app, requester, &user).await?;
    let shown = members(&user, &access);
    Ok((user, shown))
}

async fn access(app: &App, requester: &Requester, user: &user::Model) -> Result<Access, Failure> {
    let loaded = role::load_access(app, vec![user.id]).await;
    Ok(loaded.map_err(|error| refused(&error, requester))?.remove(&user.id).unwrap_or_default())
}

fn missing() -> Failure {
    Failure::new(StatusCode::NOT_FOUND, "there is no such user")
}

/// The version of a new account here; the old service counted from 0.
const FIRST_VERSION: i64 = 1;

/// The role of users who hold none.
const NO_ROLE: &str = "USER";

fn shown(user: &user::Model, access: &Access) -> Value {
    members(user, access).into()
}

/// A user as the old service showed one; who never signed in has no `lastLoginTime`.
fn members(user: &user::Model, access: &Access) -> Map<String, Value> {
    let role = access.leading_role().map_or_else(|| NO_ROLE.to_owned(), str::to_uppercase);
    let mut members = Map::from_iter([
        ("name".to_owned(), user.username.as_str().into()),
        ("creationTime".to_owned(), iso(user.created_at.utc()).into()),
        ("version".to_owned(), (user.version - FIRST_VERSION).into()),
        ("role".to_owned(), role.into()),
    ]);
    members.extend(user.last_login_at.map(|time| ("lastLoginTime".to_owned(), iso(time.utc()).into())));
    members
}
