//! HTML pages with a nonce in their content security policy.

use axum::body::Body;
use axum::http::Response;
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::response::{Html, IntoResponse};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::app::App;

/// The console loads files of this server and calls it.
pub(super) const CONSOLE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-NONCE-OF-THIS-ANSWER'; \
    img-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// The placeholder in pages and policies for the nonce of a response.
const NONCE_PLACEHOLDER: &str = "NONCE-OF-THIS-ANSWER";

/// A page with a fresh nonce in its HTML and its policy.
pub(super) fn page_with_nonce(app: &App, html: &str, policy: &str) -> Response<Body> {
    let nonce = STANDARD.encode(app.entropy.bytes::<16>());
    let policy = policy.replace(NONCE_PLACEHOLDER, &nonce);
    ([(CONTENT_SECURITY_POLICY, policy)], Html(html.replace(NONCE_PLACEHOLDER, &nonce))).into_response()
}
