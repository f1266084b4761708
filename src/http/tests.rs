//! What the layers promise for handlers that no route has.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, Response, StatusCode};
use axum::routing::get;
use tower::ServiceExt;

use super::*;
use crate::clock::SystemClock;
use crate::config::{Config, Flags};
use crate::entropy::SystemEntropy;

async fn answer(router: &Router, path: &str) -> (Response<Body>, String) {
    let request = Request::builder().uri(path).body(Body::empty()).unwrap();
    let mut response = router.clone().oneshot(request).await.unwrap();
    let body = axum::body::to_bytes(std::mem::take(response.body_mut()), usize::MAX).await.unwrap();
    (response, String::from_utf8(body.to_vec()).unwrap())
}

/// Promises G12, X4.
#[tokio::test]
async fn a_handler_that_fails_answers_plainly_and_the_server_lives() {
    let directory = std::env::temp_dir().join(format!("accountd-layers-{}", std::process::id()));
    let flags = Flags { data_dir: Some(directory.clone()), ..Flags::default() };
    let mut config = Config::load(flags, []).unwrap();
    config.server.deadlines.request = Duration::from_millis(20);
    let app = crate::start::open(config, Arc::new(SystemClock), Arc::new(SystemEntropy)).await.unwrap();
    let panics = || async {
        if true {
            panic!("the secret of row 17")
        }
    };
    let hangs = || std::future::pending::<()>();
    let routes = Router::new().route("/panics", get(panics)).route("/hangs", get(hangs)).route("/fine", get("fine"));
    let router = layered(routes, app);
    for (path, status, code) in [
        ("/panics", StatusCode::INTERNAL_SERVER_ERROR, "INTERNAL"),
        ("/hangs", StatusCode::SERVICE_UNAVAILABLE, "TIMEOUT"),
        ("/nowhere", StatusCode::NOT_FOUND, "NOT_FOUND"),
    ] {
        let (response, text) = answer(&router, path).await;
        assert_eq!(response.status(), status, "{path}");
        assert!(text.contains(&format!("\"code\":\"{code}\"")) && !text.contains("row 17"), "{text}");
        for name in ["x-request-id", "cache-control", "content-security-policy", "x-content-type-options"] {
            assert!(response.headers().contains_key(name), "{path} {name}");
        }
        assert_eq!(answer(&router, "/fine").await.0.status(), StatusCode::OK);
    }
    std::fs::remove_dir_all(directory).unwrap();
}
