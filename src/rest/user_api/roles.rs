//! `/roles/`: the roles that users can have.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use axum::{Extension, Json};
use serde_json::{Value, json};

use super::answer::Failure;
use super::credentials::requester;
use super::person::shown;
use super::query::Wanted;
use crate::account::requester::Visitor;
use crate::account::role;
use crate::app::App;

/// Roles in the order of their numbers.
pub(super) async fn list(
    State(app): State<App>,
    Extension(visitor): Extension<Visitor>,
    headers: HeaderMap,
    query: Result<Query<Vec<(String, String)>>, QueryRejection>,
) -> Result<Json<Value>, Failure> {
    let requester = requester(&app, visitor, &headers).await?;
    let mut roles = role::list(&app, &requester).await.map_err(|error| Failure::other(&error, &requester.client))?;
    let wanted = Wanted::read(query, &[])?;
    roles.sort_by_key(|role| role.row.id);
    let (offset, limit) = (size(wanted.offset), size(wanted.limit));
    let has_next = roles.len() > offset.saturating_add(limit);
    let shown: Vec<Value> = roles.iter().skip(offset).take(limit).map(|role| shown(&role.row)).collect();
    Ok(Json(json!({ "has_next": has_next, "roles": shown })))
}

fn size(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
