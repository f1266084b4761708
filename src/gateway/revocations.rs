//! `GET /.well-known/revocations`: what was revoked lately, signed; callers may wait for news.

use std::time::Duration;

use axum::Extension;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::error::{bad_request, error_response};
use crate::account::caller::requester::RequestAuth;
use crate::account::event::revocation::{self, MAX_WAIT};
use crate::app::App;

/// How long the caller waits for news.
#[derive(Deserialize)]
pub(super) struct WaitQuery {
    #[serde(default)]
    wait: u32,
}

/// The list; or, if the caller has this edition, that nothing has changed for as long as it wanted to wait.
pub(super) async fn revocations(
    State(app): State<App>,
    Extension(visitor): Extension<RequestAuth>,
    patience: Result<Query<WaitQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let wait = patience.map(|Query(WaitQuery { wait })| Duration::from_secs(wait.into()));
    let Some(wait) = wait.ok().filter(|wait| *wait <= MAX_WAIT) else {
        return bad_request("wait is a number of seconds, 10 at most");
    };
    let known = headers.get(IF_NONE_MATCH).and_then(|value| value.to_str().ok()).and_then(parse_etag);
    let fixed = [(CACHE_CONTROL, "no-cache"), (CONTENT_TYPE, "application/jwt")];
    match revocation::wait_for_list(&app, known, wait).await {
        Ok(Some(edition)) => (fixed, [(ETAG, weak_etag(&edition.etag))], edition.jwt.clone()).into_response(),
        Ok(None) => {
            let tag = weak_etag(known.unwrap_or_default());
            (StatusCode::NOT_MODIFIED, [(CACHE_CONTROL, "no-cache".to_owned()), (ETAG, tag)]).into_response()
        }
        Err(error) => error_response(&error, &visitor.context),
    }
}

/// A weak one (RFC 9110 section 8.8.1): the same list is signed anew from time to time.
fn weak_etag(tag: &str) -> String {
    format!("W/\"{tag}\"")
}

/// The tag in the header, if there is one of ours.
fn parse_etag(value: &str) -> Option<&str> {
    value.trim().trim_start_matches("W/").strip_prefix('"')?.strip_suffix('"')
}
