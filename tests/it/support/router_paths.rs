//! The paths of a router.

use std::collections::BTreeSet;

use axum::Router;

/// The paths of a router. Only its `Debug` output lists them, as `path_router: … {RouteId(0): "/a", …}`.
pub fn paths(router: &Router) -> BTreeSet<String> {
    let text = format!("{router:?}");
    let (routes, _) = text.split_once("fallback_router").unwrap();
    let paths = routes.split("RouteId(").filter_map(|entry| entry.split_once("): \"")?.1.split_once('"'));
    paths.map(|(path, _)| path.to_owned()).collect()
}

#[test]
fn router_debug_output_lists_paths() {
    let inner = || Router::new().route("/b/{id}", axum::routing::post(async || ()));
    let router = Router::new().route("/a", axum::routing::get(async || ())).merge(inner()).nest("/c", inner());
    let layered = router.fallback(async || ()).layer(axum::Extension(1));
    assert_eq!(paths(&layered), ["/a", "/b/{id}", "/c/b/{id}"].map(str::to_owned).into());
}
