//! `/roles/`: the roles that users can have.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::credentials::authenticate;
use super::error::UserApiError;
use super::query::ListQuery;
use super::representation::role_json;
use crate::account::access::role;
use crate::account::caller::requester::RequestAuth;
use crate::app::App;

/// Roles in the order of their numbers.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visitor): Extension<RequestAuth>,
    headers: HeaderMap,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Value>, UserApiError> {
    let requester = authenticate(&app, visitor, &headers).await?;
    let mut roles =
        role::list(&app, &requester).await.map_err(|error| UserApiError::from_error(&error, &requester.context))?;
    let wanted = ListQuery::read(query, &[])?;
    roles.sort_by_key(|role| role.row.id);
    let (offset, limit) = (to_usize(wanted.offset), to_usize(wanted.limit));
    let has_next = roles.len() > offset.saturating_add(limit);
    let shown: Vec<Value> = roles.iter().skip(offset).take(limit).map(|role| role_json(&role.row)).collect();
    Ok(Json(json!({ "has_next": has_next, "roles": shown })))
}

fn to_usize(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
