//! The console and the browser client; a build without them serves a page that says how to build them.

use axum::Router;
use axum::body::Body;
use axum::extract::{OriginalUri, Path, State};
use axum::http::{HeaderMap, Response};
use axum::routing::get;

use super::html::{CONSOLE_POLICY, page_with_nonce};
use super::{files, playground};
use crate::app::App;
use crate::http::problem_details::resource_not_found;

/// The paths of the routes below; they accept GET only.
pub(in crate::http) const PATHS: [&str; 3] = ["/", "/assets/{file}", "/client/{file}"];

/// The page of a build without the console.
const NOT_BUILT_PAGE: &str = include_str!("console/without.html");

/// Routes of the console and of the static files.
pub(in crate::http) fn routes() -> Router<App> {
    let [root, assets, clients] = PATHS;
    Router::new().route(root, get(index)).route(assets, get(asset)).route(clients, get(client))
}

async fn index(State(app): State<App>, OriginalUri(uri): OriginalUri, headers: HeaderMap) -> Response<Body> {
    match files::read_text("index.html") {
        Some(html) => {
            let shown = playground::is_open_to(&app, &headers).to_string();
            let html = html.replace("./assets/", &assets_base(uri.path())).replace("PLAYGROUND-IS-SHOWN", &shown);
            page_with_nonce(&app, &html, CONSOLE_POLICY)
        }
        None => page_with_nonce(&app, NOT_BUILT_PAGE, CONSOLE_POLICY),
    }
}

/// The base URL of the asset files for a page at `path`. Browsers resolve it from the last slash of the path, which is
/// not the page's own where an application nests the service at `/accounts`.
fn assets_base(path: &str) -> String {
    let last = path.rsplit('/').next().unwrap_or_default();
    let is_plain = last.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.~%".contains(&byte));
    if last.is_empty() || !is_plain { "./assets/".to_owned() } else { format!("./{last}/assets/") }
}

/// A file of a page. Its name contains a content hash, so browsers cache it for a year.
async fn asset(Path(file): Path<String>, headers: HeaderMap) -> Response<Body> {
    match files::find("assets", &file, &headers) {
        Some(file) => file.into_immutable(),
        None => resource_not_found("no such file: reload the page"),
    }
}

/// The browser client and its types. Their names are stable, so browsers revalidate them.
async fn client(Path(file): Path<String>, headers: HeaderMap) -> Response<Body> {
    match files::find("client", &file, &headers) {
        Some(file) => file.into_revalidated(&headers),
        None => resource_not_found("no such file: builds with the feature `web` serve accountd.js and accountd.d.ts"),
    }
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
