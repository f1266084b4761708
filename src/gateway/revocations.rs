//! `GET /.well-known/revocations`: the signed list of recent revocations, with long polling.

use std::time::Duration;

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::error::{bad_request, error_response};
use crate::account::caller::request_auth::RequestAuth;
use crate::account::event::revocation::{self, MAX_WAIT};
use crate::app::App;

/// Long-poll parameters; `wait` in seconds.
#[derive(Deserialize)]
pub(super) struct WaitQuery {
    #[serde(default)]
    wait: u32,
}

/// Sends the list; or 304 if the client's list is still current after `wait` seconds.
pub(super) async fn revocations(
    State(app): State<App>,
    Extension(auth): Extension<RequestAuth>,
    query: Result<Query<WaitQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let wait = query.map(|Query(WaitQuery { wait })| Duration::from_secs(wait.into()));
    let Some(wait) = wait.ok().filter(|wait| *wait <= MAX_WAIT) else {
        return bad_request("wait must be a number of seconds, at most 10");
    };
    let current = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).and_then(parse_etag);
    let list_headers = [(CACHE_CONTROL, "no-cache"), (CONTENT_TYPE, "application/jwt")];
    match revocation::wait_for_list(&app, current, wait).await {
        Ok(Some(list)) => (list_headers, [(ETAG, weak_etag(&list.etag))], list.jwt.clone()).into_response(),
        Ok(None) => {
            let tag = weak_etag(current.unwrap_or_default());
            (StatusCode::NOT_MODIFIED, [(CACHE_CONTROL, "no-cache".to_owned()), (ETAG, tag)]).into_response()
        }
        Err(error) => error_response(&error, &auth.context),
    }
}

/// A weak entity tag (RFC 9110 section 8.8.1), because an unchanged list is re-signed from time to time.
fn weak_etag(tag: &str) -> String {
    format!("W/\"{tag}\"")
}

/// The tag in an `If-None-Match` value.
fn parse_etag(value: &str) -> Option<&str> {
    value.trim().trim_start_matches("W/").strip_prefix('"')?.strip_suffix('"')
}
