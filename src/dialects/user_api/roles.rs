//! `/roles/`: lists the roles.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::credentials::authenticate;
use super::error::UserApiError;
use super::query::ListQuery;
use super::representation::role_json;
use crate::account::administration::role;
use crate::account::caller::request_auth::RequestAuth;
use crate::app::App;

/// Lists roles in the order of their row ids.
pub(super) async fn list(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    headers: HeaderMap,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Value>, UserApiError> {
    let requester = authenticate(&app, auth, &headers).await?;
    let mut roles =
        role::list(&app, &requester).await.map_err(|error| UserApiError::from_error(&error, &requester.context))?;
    let query = ListQuery::read(query, &[])?;
    roles.sort_by_key(|role| role.row.id);
    let (offset, limit) = (to_usize(query.offset), to_usize(query.limit));
    let has_next = roles.len() > offset.saturating_add(limit);
    let items: Vec<Value> = roles.iter().skip(offset).take(limit).map(|role| role_json(&role.row)).collect();
    Ok(Json(json!({ "has_next": has_next, "roles": items })))
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
