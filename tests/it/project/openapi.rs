//! The OpenAPI document: the file equals the server's output, and its routes are those of the router.

use std::collections::BTreeSet;
use std::path::Path;

use accountd::config::{Config, Flags};
use accountd::http::openapi::document;
use axum::http::Method;
use serde_json::Value;

use crate::support::TestApp;
use crate::support::router_paths::paths;

/// GraphQL has its own schema.
const NOT_DESCRIBED: [&str; 2] = ["GET /graphql", "POST /graphql"];

/// Browser pages are not for programs.
const PAGES: [&str; 3] = ["GET /", "GET /assets/{file}", "GET /client/{file}"];

const PLANTDB: &str = "ACCOUNTD_REST__DIALECTS__PLANTDB";
const TECLADOCODE: &str = "ACCOUNTD_REST__DIALECTS__TECLADOCODE";
const USER_API: &str = "ACCOUNTD_REST__DIALECTS__USER_API";

const CORVUS: &str = "ACCOUNTD_REST__DIALECTS__CORVUS";

const AUTH_SERVICE: &str = "ACCOUNTD_REST__DIALECTS__FLASK_AUTH_SERVICE_MONGO";

#[test]
fn openapi_json_is_what_the_program_prints() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("openapi.json");
    let printed = document(&Config::load(Flags::default(), []).unwrap().rest).unwrap();
    #[expect(clippy::disallowed_methods, reason = "a switch for the person who runs the tests")]
    if std::env::var_os("UPDATE_SCHEMA").is_some() {
        std::fs::write(&file, &printed).unwrap();
    }
    let stored = std::fs::read_to_string(&file).unwrap_or_default();
    assert!(stored == printed, "run UPDATE_SCHEMA=1 cargo test --test it openapi and review the difference");
}

async fn served(app: &TestApp) -> Value {
    let answer = app.anonymous().request(Method::GET, "/openapi.json", &[], "").await;
    assert_eq!((answer.status.as_u16(), answer.header("content-type")), (200, Some("application/json")));
    answer.json()
}

/// Every `METHOD /path` of a document.
fn described(document: &Value) -> BTreeSet<String> {
    let mut described = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        described.extend(item.as_object().unwrap().keys().map(|method| format!("{} {path}", method.to_uppercase())));
    }
    described
}

/// Every `METHOD /path` of the router, without HEAD and OPTIONS.
async fn routed(app: &TestApp) -> BTreeSet<String> {
    let mut routed = BTreeSet::new();
    for path in paths(&app.router) {
        for method in [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
            if app.anonymous().request(method.clone(), &path, &[], "").await.status != 405 {
                routed.insert(format!("{method} {path}"));
            }
        }
    }
    routed
}

#[tokio::test]
async fn openapi_describes_exactly_the_routes() {
    for (mount, expected) in [("/", 21), ("/api/v1", 21), ("/,/plants", 35), ("off", 7)] {
        assert_described(&[(PLANTDB, mount)], expected).await;
    }
    assert_described(&[(PLANTDB, "off"), (TECLADOCODE, "/,/flask")], 19).await;
    assert_described(&[(PLANTDB, "off"), (USER_API, "/,/api")], 33).await;
    assert_described(&[(PLANTDB, "off"), (CORVUS, "/auth,/corvus")], 19).await;
    assert_described(&[(PLANTDB, "off"), (AUTH_SERVICE, "/admin=admin,/app")], 15).await;
}

async fn assert_described(settings: &[(&str, &str)], expected: usize) {
    let app = TestApp::with(settings).await;
    let mut described = described(&served(&app).await);
    described.extend(NOT_DESCRIBED.iter().chain(&PAGES).map(|route| (*route).to_owned()));
    let routed = routed(&app).await;
    let missing: Vec<_> = routed.difference(&described).collect();
    let gone: Vec<_> = described.difference(&routed).collect();
    assert!(missing.is_empty() && gone.is_empty(), "not described: {missing:?}; no routes: {gone:?}");
    assert_eq!(routed.len() - PAGES.len(), expected, "{routed:?}");
}

#[tokio::test]
async fn openapi_operations_have_unique_ids_and_descriptions() {
    let document = served(&TestApp::with(&[(USER_API, "/api"), (CORVUS, "/auth"), (AUTH_SERVICE, "/app")]).await).await;
    let mut names = BTreeSet::new();
    for item in document["paths"].as_object().unwrap().values() {
        for operation in item.as_object().unwrap().values() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} twice");
            assert!(operation["summary"].as_str().is_some_and(|summary| !summary.is_empty()), "{name}");
            assert!(operation["responses"].as_object().is_some_and(|responses| !responses.is_empty()), "{name}");
        }
    }
}
