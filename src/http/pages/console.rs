//! The pages for people, and the client for pages of others; a build without them tells how to get them.

use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, Path, State};
use axum::http::header::CONTENT_SECURITY_POLICY;
use axum::http::{HeaderMap, Response};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::playground;
use crate::app::App;
use crate::http::problem_details::resource_not_found;

/// The paths of the routes below; they are only read.
pub(in crate::http) const PATHS: [&str; 3] = ["/", "/assets/{file}", "/client/{file}"];

/// What the console loads: files of this server, and what it asks it.
pub(in crate::http) const CONSOLE_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-NONCE-OF-THIS-ANSWER'; \
    img-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// The playground's editor, besides, makes style sheets and gives each line its place by an attribute.
const PLAYGROUND_POLICY: &str = "default-src 'none'; script-src 'self'; worker-src 'self'; \
    style-src 'self' 'nonce-NONCE-OF-THIS-ANSWER'; style-src-attr 'unsafe-inline'; font-src 'self'; \
    img-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/// Stands in the pages and in the policies where each answer has bytes of its own.
const NONCE_PLACEHOLDER: &str = "NONCE-OF-THIS-ANSWER";

/// What a build without the console shows instead.
const NOT_BUILT_PAGE: &str = include_str!("console/without.html");

/// The console and the files that pages load.
pub(in crate::http) fn routes() -> Router<App> {
    let [root, assets, clients] = PATHS;
    Router::new().route(root, get(index)).route(assets, get(asset)).route(clients, get(client))
}

/// The console.
async fn index(State(app): State<App>, OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Response<Body> {
    match crate::http::pages::files::read_text("index.html") {
        Some(html) => {
            let shown = playground::is_open_to(&app, &headers).to_string();
            let html = html.replace("./assets/", &assets_base(uri.path())).replace("PLAYGROUND-IS-SHOWN", &shown);
            page_with_nonce(&app, &html, CONSOLE_POLICY)
        }
        None => page_with_nonce(&app, NOT_BUILT_PAGE, CONSOLE_POLICY),
    }
}

/// Where the files of a page at `path` are, for a browser: it goes on from the last slash of the path, which is not
/// the page's own where an application has nested the service at `/accounts`.
fn assets_base(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or_default();
    let is_plain = last.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte));
    if last.is_empty() || !is_plain { "./assets/".to_owned() } else { format!("./{last}/assets/") }
}

/// The playground, if this build has it.
pub(in crate::http) fn playground(app: &App) -> Option<Response<Body>> {
    crate::http::pages::files::read_text("playground.html").map(|html| page_with_nonce(app, &html, PLAYGROUND_POLICY))
}

/// A file of a page. Its name tells its content, so browsers keep it for good.
async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Response<Body> {
    match crate::http::pages::files::find("assets", &file, &headers) {
        Some(file) => file.into_immutable(),
        None => resource_not_found("no such file: reload the page that asked for it"),
    }
}

/// The client and its types. Their names stay, so browsers ask whether they have changed.
async fn client(Path(file): Path<String>, headers: HeaderMap) -> Response<Body> {
    match crate::http::pages::files::find("client", &file, &headers) {
        Some(file) => file.into_revalidated(&headers),
        None => resource_not_found(
            "no such file: the client is accountd.js and accountd.d.ts, in builds with the feature `web`",
        ),
    }
}

/// A page whose answer has a nonce of its own.
pub(in crate::http) fn page_with_nonce(app: &App, html: &str, policy: &str) -> Response<Body> {
    let nonce = STANDARD.encode(app.entropy.bytes::<16>());
    let policy = policy.replace(NONCE_PLACEHOLDER, &nonce);
    ([(CONTENT_SECURITY_POLICY, policy)], Html(html.replace(NONCE_PLACEHOLDER, &nonce))).into_response()
}

#[cfg(test)]
mod tests {
    use super::assets_base;

    #[test]
    fn asset_urls_follow_the_mount_path() {
        assert_eq!(assets_base("/"), "./assets/");
        assert_eq!(assets_base("/accounts"), "./accounts/assets/");
        assert_eq!(assets_base("/of/shop/"), "./assets/");
        assert_eq!(assets_base("/of/shop"), "./shop/assets/");
        assert_eq!(assets_base("/\"><script>"), "./assets/");
    }
}
