//! The GraphQL playground that browsers get at `/graphql`.

use async_graphql::http::GraphiQLSource;
use axum::body::Body;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{HeaderMap, HeaderName, Response, StatusCode};
use axum::response::{Html, IntoResponse};

use super::files;
use super::html::{CONSOLE_POLICY, page_with_nonce};
use crate::app::App;
use crate::headers::accept;

/// In addition, the playground's editor creates style sheets and positions each line by a style attribute.
const PLAYGROUND_POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; \
    style-src 'self' 'nonce-NONCE-OF-THIS-ANSWER'; style-src-attr 'unsafe-inline'; font-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// The policy for a build without local files, whose playground loads from a public CDN.
const CDN_POLICY: &str = "default-src 'none'; connect-src 'self'; img-src data: https:; font-src data: https:; \
    style-src 'unsafe-inline' https:; script-src 'unsafe-inline' https:; worker-src blob:; \
    frame-ancestors 'none'; base-uri 'none'";

/// The page that explains why the playground is closed.
const CLOSED_PAGE: &str = include_str!("playground/closed.html");

/// Whether the client accepts a page, as a browser that navigates does.
pub(in crate::http) fn accepts_html(headers: &HeaderMap) -> bool {
    accept::names(headers, "text/html")
}

/// Whether introspection, which the playground needs, is allowed for a request with these headers.
pub(in crate::http) fn is_open_to(app: &App, headers: &HeaderMap) -> bool {
    app.config.graphql.schema_introspection.is_allowed_for(headers.keys().map(HeaderName::as_str))
}

/// 403 with a page that says why the playground is closed and how to open it.
pub(in crate::http) fn closed_page(app: &App) -> Response<Body> {
    let mut page = page_with_nonce(app, CLOSED_PAGE, CONSOLE_POLICY);
    *page.status_mut() = StatusCode::FORBIDDEN;
    page
}

/// GraphiQL for this server.
pub(in crate::http) fn page(app: &App) -> Response<Body> {
    if let Some(html) = files::read_text("playground.html") {
        return page_with_nonce(app, &html, PLAYGROUND_POLICY);
    }
    let page = GraphiQLSource::build().endpoint("/graphql").title("accountd").finish();
    ([(CONTENT_SECURITY_POLICY, CDN_POLICY)], Html(page)).into_response()
}
