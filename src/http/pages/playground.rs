//! The page that a browser gets at `/graphql`.

use async_graphql::http::GraphiQLSource;
use axum::body::Body;
use axum::http::header::ACCEPT;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{HeaderMap, HeaderName, Response, StatusCode};
use axum::response::{Html, IntoResponse};

use super::console;
use crate::app::App;

/// What the page loads from a public network, in builds that have no files of their own.
const CDN_POLICY: &str = "default-src 'none'; connect-src 'self'; img-src data: https:; font-src data: https:; \
    style-src 'unsafe-inline' https:; script-src 'unsafe-inline' https:; worker-src blob:; \
    frame-ancestors 'none'; base-uri 'none'";

/// Says why the playground is closed.
const CLOSED_PAGE: &str = include_str!("playground/closed.html");

/// Whether the request comes from a person's browser that wants to see something.
pub(in crate::http) fn accepts_html(headers: &HeaderMap) -> bool {
    headers.get(ACCEPT).and_then(|value| value.to_str().ok()).is_some_and(|accept| accept.contains("text/html"))
}

/// Whether a request with these headers may see the schema, and the playground, which needs it.
pub(in crate::http) fn is_open_to(app: &App, headers: &HeaderMap) -> bool {
    app.config.graphql.schema_introspection.is_allowed_for(headers.keys().map(HeaderName::as_str))
}

/// What stands in the place of the playground where it is closed: why, and how to open it.
pub(in crate::http) fn closed_page(app: &App) -> Response<Body> {
    let mut page = console::page_with_nonce(app, CLOSED_PAGE, console::CONSOLE_POLICY);
    *page.status_mut() = StatusCode::FORBIDDEN;
    page
}

/// GraphiQL, pointed at this server.
pub(in crate::http) fn page(app: &App) -> Response<Body> {
    if let Some(page) = console::playground(app) {
        return page;
    }
    let page = GraphiQLSource::build().endpoint("/graphql").title("accountd").finish();
    ([(CONTENT_SECURITY_POLICY, CDN_POLICY)], Html(page)).into_response()
}
