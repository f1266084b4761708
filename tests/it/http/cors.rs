//! CORS and security headers: which origins may read responses.

use std::io::{Read, Write};

use axum::Router;
use axum::http::{HeaderMap, Method};
use axum::routing::get;
use serde_json::json;

use crate::support::database::TestDatabase;
use crate::support::process::Process;
use crate::support::{SECURITY_HEADERS, TestApp, TestResponse};

const ALLOWED: [&str; 3] = ["https://good.com", "http://localhost:5173", "https://good.com:8443"];

async fn service() -> TestApp {
    TestApp::with(&[("ACCOUNTD_CORS__ORIGINS", &ALLOWED.join(","))]).await
}

async fn send(app: &TestApp, method: Method, path: &str, headers: &[(&str, &str)]) -> TestResponse {
    let body = json!({ "query": "{ me { id } }" }).to_string();
    let headers: Vec<_> = [("content-type", "application/json")].iter().chain(headers).copied().collect();
    app.anonymous().request(method, path, &headers, body).await
}

fn grants(answer: &TestResponse) -> Vec<&str> {
    answer.headers.keys().map(|name| name.as_str()).filter(|name| name.starts_with("access-control-")).collect()
}

/// X3
#[tokio::test]
async fn cors_allows_listed_origins_only() {
    let app = service().await;
    for origin in ALLOWED {
        let answer = send(&app, Method::POST, "/graphql", &[("origin", origin)]).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        let exposed = answer.header("access-control-expose-headers");
        assert_eq!(exposed, Some("retry-after, www-authenticate, x-request-id"));
        assert_eq!(answer.header("vary"), Some("origin"));
    }
    for origin in [
        "null",
        "*",
        "",
        "https://evil-good.com",
        "https://evil.good.com",
        "https://good.com.evil",
        "https://good.com.",
        "https://good.co",
        "https://good.community",
        "http://good.com",
        "https://good.com:443",
        "https://good.com:8444",
        "https://good.com:84430",
        "https://GOOD.com",
        "HTTPS://good.com",
        "https://good.com/",
        " https://good.com, https://evil.example",
        "http://localhost",
        "https://localhost:5173",
        "http://127.0.0.1:5173",
        "good.com",
        "https://goodXcom",
    ] {
        for (method, path) in
            [(Method::POST, "/graphql"), (Method::GET, "/healthz"), (Method::POST, "/login"), (Method::GET, "/no")]
        {
            let answer = send(&app, method, path, &[("origin", origin)]).await;
            assert_eq!(grants(&answer), [""; 0], "{origin} {path}");
            assert_eq!(answer.header("vary"), Some("origin"));
        }
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        assert_eq!(grants(&send(&app, Method::OPTIONS, "/graphql", &headers).await), [""; 0], "{origin}");
    }
    let unlisted = TestApp::new().await;
    assert_eq!(grants(&send(&unlisted, Method::POST, "/graphql", &[("origin", "https://good.com")]).await), [""; 0]);
}

/// X3
#[tokio::test]
async fn cors_preflight_is_answered_on_every_route() {
    let app = service().await;
    let headers = [
        ("origin", "https://good.com"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization,content-type"),
    ];
    for path in ["/graphql", "/login", "/api/v1/auth/login", "/healthz"] {
        let answer = send(&app, Method::OPTIONS, path, &headers).await;
        assert_eq!(answer.status, 204, "{path}");
        assert_eq!(answer.header("access-control-allow-origin"), Some("https://good.com"));
        assert_eq!(answer.header("access-control-allow-credentials"), Some("true"));
        assert_eq!(answer.header("access-control-allow-methods"), Some("GET, POST, PUT, PATCH, DELETE, OPTIONS"));
        let allowed = answer.header("access-control-allow-headers").unwrap();
        assert!(allowed.starts_with("authorization, content-type, apollo"), "{allowed}");
        let names: Vec<&str> = allowed.split(", ").collect();
        for name in [
            "apollo-require-preflight",
            "x-apollo-operation-name",
            "x-auth-token",
            "traceparent",
            "tracestate",
            "baggage",
            "sentry-trace",
            "x-requested-with",
        ] {
            assert!(names.contains(&name), "{name} is not in {allowed}");
        }
        assert_eq!(answer.header("access-control-max-age"), Some("600"));
        assert_eq!(answer.header("vary"), Some("origin"));
    }
    let plain = send(&app, Method::OPTIONS, "/login", &[("origin", "https://good.com")]).await;
    assert_eq!(plain.header("allow"), Some("GET, HEAD, OPTIONS, POST"), "no preflight: the dialect responds");
}

/// Headers of the operator's choice beside those that the server reads, and the origins of applications.
#[tokio::test]
async fn cors_preflight_allows_configured_headers() {
    let shells = [
        "capacitor://localhost",
        "ionic://localhost",
        "tauri://localhost",
        "chrome-extension://abcdefghijklmnopabcdefghijklmnop",
        "moz-extension://0b52c2f4-2a6c-4a7f-a5c1-27f6c93c1d7e",
    ];
    let app = TestApp::with(&[
        ("ACCOUNTD_CORS__ORIGINS", &shells.join(",")),
        ("ACCOUNTD_CORS__ALLOWED_HEADERS", "X-Mine, traceparent"),
    ])
    .await;
    for origin in shells {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        let answer = send(&app, Method::OPTIONS, "/graphql", &headers).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
        let allowed = answer.header("access-control-allow-headers").unwrap();
        assert!(allowed.starts_with("authorization, ") && allowed.ends_with(", x-mine, traceparent"), "{allowed}");
        let answer = send(&app, Method::POST, "/graphql", &[("origin", origin)]).await;
        assert_eq!(answer.header("access-control-allow-origin"), Some(origin));
    }
    for origin in ["capacitor://localhost:80", "capacitor://other", "CAPACITOR://localhost", "chrome-extension://a"] {
        let headers = [("origin", origin), ("access-control-request-method", "POST")];
        assert_eq!(grants(&send(&app, Method::OPTIONS, "/graphql", &headers).await), [""; 0], "{origin}");
    }
}

fn assert_guarded(headers: &HeaderMap, what: &str) {
    for (name, value) in SECURITY_HEADERS.into_iter().chain([("vary", "origin")]) {
        assert_eq!(headers.get(name).map(|value| value.to_str().unwrap()), Some(value), "{what}: {name}");
    }
    assert!(headers.contains_key("x-request-id") && !headers.contains_key("server"), "{what}");
}

/// X4
#[tokio::test]
async fn every_response_has_security_headers() {
    let app = service().await;
    let long = "x".repeat(64 * 1024 + 1);
    let json = ("content-type", "application/json");
    let preflight = [("origin", "https://good.com"), ("access-control-request-method", "POST")];
    for (status, method, path, headers, body) in [
        (200, Method::POST, "/graphql", &[json][..], "{\"query\":\"{ me { id } }\"}"),
        (200, Method::GET, "/healthz", &[], ""),
        (204, Method::OPTIONS, "/graphql", &preflight, ""),
        (204, Method::OPTIONS, "/no/such/route", &[("origin", "null"), ("access-control-request-method", "PUT")], ""),
        (400, Method::POST, "/graphql", &[json], "{"),
        (401, Method::POST, "/logout", &[], ""),
        (404, Method::GET, "/no/such/route", &[], ""),
        (405, Method::DELETE, "/graphql", &[], ""),
        (405, Method::PUT, "/healthz", &[], ""),
        (405, Method::DELETE, "/login", &[], ""),
        (413, Method::POST, "/graphql", &[json], &long),
        (413, Method::POST, "/login", &[json], &long),
        (415, Method::POST, "/graphql", &[("content-type", "text/plain")], ""),
    ] {
        let answer = app.anonymous().request(method, path, headers, body.to_owned()).await;
        assert_eq!(answer.status, status, "{path}");
        assert_guarded(&answer.headers, &format!("{status} {path}"));
        assert_eq!(answer.header("strict-transport-security"), None);
    }
    let secure = TestApp::with(&[("ACCOUNTD_SERVER__HSTS", "true")]).await;
    let answer = secure.anonymous().request(Method::GET, "/no", &[], "").await;
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
    let page = app.anonymous().request(Method::GET, "/graphql", &[("accept", "text/html")], "").await;
    assert!(page.status == 200 && page.text.contains("graphiql"), "the playground");
    assert!(page.header("content-security-policy").unwrap().contains("script-src"));
}

/// X4: a handler that panics.
#[tokio::test]
async fn response_to_a_panic_has_security_headers() {
    let mut app = service().await;
    let panics = || async {
        if true {
            panic!("deliberate panic")
        }
    };
    app.router = accountd::http::with_middleware(Router::new().route("/panics", get(panics)), app.app.clone());
    let answer = send(&app, Method::GET, "/panics", &[("origin", "https://good.com")]).await;
    assert_eq!(answer.status, 500);
    assert_guarded(&answer.headers, "a panic");
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://good.com"), "the page may read it");
}

/// The browser does not report the cause to the page.
#[tokio::test]
async fn unlisted_origin_is_logged() {
    let server = Process::start(TestDatabase::migrated().await, &[("ACCOUNTD_CORS__ORIGINS", "https://good.com")]);
    for origin in ["https://good.com", "http://localhost:5173"] {
        let head =
            format!("origin: {origin}\r\naccess-control-request-method: POST\r\nhost: localhost\r\nconnection: close");
        let mut stream = server.connect();
        stream.write_all(format!("OPTIONS /graphql HTTP/1.1\r\n{head}\r\n\r\n").as_bytes()).unwrap();
        stream.read_to_string(&mut String::new()).unwrap();
    }
    let log = server.stop();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("cors.origins")).collect();
    assert!(lines.len() == 1 && lines[0].contains("http://localhost:5173"), "{log}");
}
