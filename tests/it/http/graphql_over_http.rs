//! GraphQL over HTTP and what every answer carries.

use std::time::Duration;

use axum::Router;
use axum::http::Method;
use axum::routing::get as get_route;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, SECURITY_HEADERS, TestApp, TestResponse};

const JSON: &str = "application/json";
const GRAPHQL: &str = "application/graphql-response+json";
const MUTATION: &str =
    r#"mutation { register(input: { username: \"new\", password: \"correct-horse-battery-7\" }) { status } }"#;

async fn post(actor: &Actor, headers: &[(&str, &str)], body: &str) -> TestResponse {
    actor.request(Method::POST, "/graphql", headers, body.to_owned()).await
}

async fn get(actor: &Actor, path: &str, headers: &[(&str, &str)]) -> TestResponse {
    actor.request(Method::GET, path, headers, "").await
}

/// Whether the account that [`MUTATION`] makes is there.
async fn ran(app: &TestApp) -> bool {
    app.anonymous().login("new", PASSWORD).await.payload_error("login").is_none()
}

#[tokio::test]
async fn mutation_by_get_is_refused() {
    let app = TestApp::new().await;
    let query = "mutation%7Bregister(input%3A%7Busername%3A%22new%22%2Cpassword%3A%22correct-horse-battery-7%22%7D)%7Bstatus%7D%7D";
    let named = format!("query%20Q%7B__typename%7D%20mutation%20M{}&operationName=M", &query["mutation".len()..]);
    for query in [query, &named] {
        let answer = get(&app.anonymous(), &format!("/graphql?query={query}"), &[]).await;
        assert_eq!((answer.status.as_u16(), answer.header("allow")), (405, Some("POST")), "{}", answer.text);
        assert_eq!(answer.code().as_deref(), Some("METHOD_NOT_ALLOWED"));
    }
    assert!(!ran(&app).await);
    let answer = get(&app.anonymous(), "/graphql?query=%7B__typename%7D", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.data()), (200, json!({ "__typename": "Query" })));
}

/// What a page of another origin can send without being asked.
#[tokio::test]
async fn body_that_is_not_json_is_refused() {
    let app = TestApp::new().await;
    let body = format!(r#"{{"query":"{MUTATION}"}}"#);
    let form = "query=mutation%7Bregister(input%3A%7Busername%3A%22new%22%2Cpassword%3A%22correct-horse-battery-7%22%7D)%7Bstatus%7D%7D";
    let multipart = format!("--x\r\nContent-Disposition: form-data; name=\"operations\"\r\n\r\n{body}\r\n--x--\r\n");
    let simple: [(&[(&str, &str)], &str); 9] = [
        (&[], &body),
        (&[("content-type", "")], &body),
        (&[("content-type", "text/plain")], &body),
        (&[("content-type", "text/plain;application/json")], &body),
        (&[("content-type", "application/json; charset=utf-16")], &body),
        (&[("content-type", "application/jsonp")], &body),
        (&[("content-type", "text/plain"), ("content-type", "application/json")], &body),
        (&[("content-type", "application/x-www-form-urlencoded")], form),
        (&[("content-type", "multipart/form-data; boundary=x")], &multipart),
    ];
    for (headers, body) in simple {
        let answer = post(&app.anonymous(), headers, body).await;
        assert_eq!(answer.status, 415, "{headers:?}: {}", answer.text);
        assert_eq!(answer.code().as_deref(), Some("UNSUPPORTED_MEDIA_TYPE"));
    }
    assert!(!ran(&app).await);
    let answer = post(&app.anonymous(), &[("content-type", "application/json; charset=UTF-8")], &body).await;
    assert_eq!(answer.data(), json!({ "register": { "status": "SIGNED_IN" } }));
    assert!(ran(&app).await);
}

#[tokio::test]
async fn body_above_64_kib_is_refused() {
    let app = TestApp::new().await;
    let body = |length: usize| {
        let frame = r#"{"query":"{ __typename }"}"#;
        format!("{frame}{}", " ".repeat(length - frame.len()))
    };
    let full = post(&app.anonymous(), &[("content-type", JSON)], &body(65_536)).await;
    assert_eq!(full.status, 200, "{}", full.text);
    for headers in [vec![("content-type", JSON)], vec![("content-type", JSON), ("content-length", "65537")]] {
        let over = post(&app.anonymous(), &headers, &body(65_537)).await;
        assert_eq!((over.status.as_u16(), over.code().as_deref()), (413, Some("PAYLOAD_TOO_LARGE")));
    }
}

#[tokio::test]
async fn unknown_routes_and_methods_return_problem_details() {
    let app = TestApp::new().await;
    for path in [
        "/nothing",
        "/assets/x",
        "/client/../x",
        "/client/%2e%2e%2fx",
        "/graphql/",
        "/healthz/x",
        "/.well-known/",
        "/%00",
        "/..%2f..%2fetc%2fpasswd",
    ] {
        let answer = get(&app.anonymous(), path, &[]).await;
        assert_eq!((answer.status.as_u16(), answer.header("content-type")), (404, Some("application/problem+json")));
        let problem = answer.json();
        assert_eq!((&problem["status"], &problem["code"]), (&json!(404), &json!("NOT_FOUND")), "{path}");
    }
    for (method, path, allow) in [
        (Method::DELETE, "/graphql", "GET,HEAD,POST"),
        (Method::PUT, "/graphql", "GET,HEAD,POST"),
        (Method::POST, "/healthz", "GET,HEAD"),
        (Method::TRACE, "/readyz", "GET,HEAD"),
        (Method::PATCH, "/.well-known/jwks.json", "GET,HEAD"),
    ] {
        let answer = app.anonymous().request(method.clone(), path, &[], "").await;
        assert_eq!(answer.status, 405, "{method} {path}");
        assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(answer.json()["code"], "METHOD_NOT_ALLOWED");
    }
}

#[tokio::test]
async fn every_graphql_response_has_security_headers() {
    let app = TestApp::new().await;
    let (anonymous, long) = (app.anonymous(), " ".repeat(65_537));
    let answers = [
        (200, get(&anonymous, "/healthz", &[]).await),
        (200, get(&anonymous, "/graphql?query=%7B__typename%7D", &[]).await),
        (200, post(&anonymous, &[("content-type", JSON)], r#"{"query":"{ me { id } }"}"#).await),
        (400, post(&anonymous, &[("content-type", JSON)], "no JSON").await),
        (404, get(&anonymous, "/nothing", &[]).await),
        (405, anonymous.request(Method::DELETE, "/graphql", &[], "").await),
        (406, post(&anonymous, &[("content-type", JSON), ("accept", "image/png")], "{}").await),
        (413, post(&anonymous, &[("content-type", JSON)], &long).await),
        (415, post(&anonymous, &[], "{}").await),
    ];
    for (status, answer) in answers {
        assert_eq!(answer.status, status, "{}", answer.text);
        for (name, value) in SECURITY_HEADERS {
            assert_eq!(answer.header(name), Some(value), "{name} of a {status}");
        }
        let id = answer.header("x-request-id").unwrap_or_default();
        assert!(id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit()), "{id:?} names a {status}");
        for tell_tale in ["server", "x-powered-by"] {
            assert_eq!(answer.header(tell_tale), None, "{tell_tale} of a {status}");
        }
    }
}

#[tokio::test]
async fn request_ids_are_unique() {
    let app = TestApp::new().await;
    let first = get(&app.anonymous(), "/healthz", &[("x-request-id", "mine")]).await;
    let second = get(&app.anonymous(), "/healthz", &[("x-request-id", "mine")]).await;
    assert_ne!(first.header("x-request-id"), second.header("x-request-id"));
    assert_ne!(first.header("x-request-id"), Some("mine"));
}

/// J22: the status tells in the newer media type; in the old one it is 200 whenever the answer is a GraphQL one.
#[tokio::test]
async fn response_media_type_follows_accept() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    app.clock.advance(TimeDelta::hours(1));
    let bob = app.user("bob").await;
    let cases: [(&Actor, &str, u16, Option<&str>, bool); 8] = [
        (&app.anonymous(), "{ __typename }", 200, None, true),
        (&app.anonymous(), "{ nothing }", 400, None, false),
        (&app.anonymous(), "{", 400, None, false),
        (&app.anonymous(), "{ users { totalCount } }", 401, Some("Bearer"), false),
        (&ann, "{ users { totalCount } }", 401, Some("Bearer error=\"invalid_token\""), false),
        (&ann, "{ me { id } }", 401, Some("Bearer error=\"invalid_token\""), false),
        (&ann, "{ __typename me { id } }", 200, None, true),
        (&bob, "{ users { totalCount } }", 403, Some("Bearer error=\"insufficient_scope\""), false),
    ];
    for (actor, query, status, challenge, has_data) in cases {
        let body = json!({ "query": query }).to_string();
        let new = post(actor, &[("content-type", JSON), ("accept", GRAPHQL)], &body).await;
        assert_eq!((new.status.as_u16(), new.header("www-authenticate")), (status, challenge), "{query}");
        assert_eq!(new.header("content-type"), Some("application/graphql-response+json; charset=utf-8"));
        assert_eq!(new.json().get("data").is_some(), has_data, "{query}: {}", new.text);
        for accept in [JSON, "*/*", "application/*;q=0.2"] {
            let old = post(actor, &[("content-type", JSON), ("accept", accept)], &body).await;
            assert_eq!((old.status.as_u16(), old.header("www-authenticate")), (200, None), "{query}");
            assert_eq!(old.header("content-type"), Some("application/json; charset=utf-8"));
            assert_eq!(old.json().get("errors"), new.json().get("errors"));
        }
    }
}

/// J21: a token in the address or in the body is nobody's, and the address is refused: it ends up in logs.
#[tokio::test]
async fn access_token_is_read_from_the_header_only() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let token = ann.token.as_deref().unwrap();
    for path in ["/graphql?query=%7Bme%7Bid%7D%7D&access_token=", "/login?access_token=", "/healthz?access_token="] {
        let answer = get(&app.anonymous(), &format!("{path}{token}"), &[]).await;
        assert_eq!(answer.status, 400, "{path}");
        assert!(answer.json()["detail"].as_str().unwrap().contains("Authorization header"), "{}", answer.text);
    }
    let body = json!({ "query": "{ me { id } }", "access_token": token }).to_string();
    assert_eq!(post(&app.anonymous(), &[("content-type", JSON)], &body).await.data(), json!({ "me": null }));
    let form = format!("access_token={token}");
    let answer = post(&app.anonymous(), &[("content-type", "application/x-www-form-urlencoded")], &form).await;
    assert_eq!(answer.status, 415);
}

/// H2
#[tokio::test]
async fn json_with_duplicate_members_is_refused() {
    let app = TestApp::new().await;
    let members = (0..9_000).map(|n| format!("\"{n}\":0")).collect::<Vec<_>>().join(",");
    for value in [
        "NaN",
        "1e999",
        "{\"a\":1,\"a\":2}",
        "\"\\ud800\"",
        "\u{feff}1",
        &"[".repeat(30_000),
        &format!("{}{}", "[".repeat(500), "]".repeat(500)),
        "01",
        "\"\t\"",
    ] {
        let graphql = format!("{{\"query\":\"{{ __typename }}\",\"variables\":{{\"v\":{value}}}}}");
        let rest = format!("{{\"username\":\"ann\",\"password\":\"x\",\"more\":{value}}}");
        for (path, body) in [("/graphql", graphql), ("/login", rest)] {
            let answer = app.anonymous().request(Method::POST, path, &[("content-type", JSON)], body).await;
            assert_eq!(answer.status, 400, "{path}: {value:.40}");
        }
    }
    let twice = "{\"username\":\"ann\",\"password\":\"x\",\"password\":\"y\"}";
    let answer = app.anonymous().request(Method::POST, "/login", &[("content-type", JSON)], twice).await;
    assert_eq!(answer.status, 400, "{}", answer.text);
    let many = format!("{{\"query\":\"{{ __typename }}\",{members}}}");
    assert_eq!(post(&app.anonymous(), &[("content-type", JSON)], &many).await.status, 413, "{}", many.len());
}

#[tokio::test]
async fn malformed_graphql_request_is_refused() {
    let app = TestApp::new().await;
    for body in [
        "",
        "null",
        "[]",
        "1",
        "{",
        "\u{feff}{}",
        "{}",
        r#"{"query":null}"#,
        r#"{"query":" "}"#,
        r#"{"query":1}"#,
        r#"{"query":"{ __typename }","variables":[]}"#,
        r#"{"query":"{ __typename }","operationName":{}}"#,
        r#"[{"query":"{ __typename }"}]"#,
        r#"{"query":"{ __typename }","query":"{ me { id } }"}"#,
        r#"{"query":"\ud800"}"#,
        r#"{"query":"{ __typename }","variables":{"a":1e999}}"#,
    ] {
        let answer = post(&app.anonymous(), &[("content-type", JSON)], body).await;
        assert_eq!((answer.status.as_u16(), answer.code().as_deref()), (400, Some("BAD_REQUEST")), "{body}");
        assert!(answer.json().get("data").is_none());
    }
    let variables = get(&app.anonymous(), "/graphql?query=%7B__typename%7D&variables=%5B%5D", &[]).await;
    assert_eq!((variables.status.as_u16(), variables.code().as_deref()), (400, Some("BAD_REQUEST")));
    let unreadable = get(&app.anonymous(), "/graphql?query=%ff", &[]).await;
    assert_eq!(unreadable.code().as_deref(), Some("GRAPHQL_PARSE_FAILED"));
    assert_eq!(get(&app.anonymous(), "/graphql", &[]).await.status, 400);
}

#[tokio::test]
async fn playground_is_served_to_browsers_only() {
    let app = TestApp::new().await;
    let browser = [("accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")];
    let page = get(&app.anonymous(), "/graphql", &browser).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.text.contains("accountd"));
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("frame-ancestors 'none'") && policy.contains("connect-src 'self'"), "{policy}");
    let query = get(&app.anonymous(), "/graphql?query=%7B__typename%7D", &browser).await;
    assert_eq!(query.data(), json!({ "__typename": "Query" }), "a query is answered, not shown");
}

/// X4, X7: the page at the root loads nothing but the server's own files, and runs nothing that is written into it.
#[tokio::test]
async fn root_page_has_a_strict_content_security_policy() {
    let app = TestApp::new().await;
    let page = get(&app.anonymous(), "/", &[]).await;
    assert_eq!((page.status.as_u16(), page.header("content-type")), (200, Some("text/html; charset=utf-8")));
    assert!(page.text.contains("accountd"));
    let policy = page.header("content-security-policy").unwrap().to_owned();
    for part in ["default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"] {
        assert!(policy.contains(part), "{policy} lacks {part}");
    }
    assert!(!policy.contains("unsafe") && !policy.contains("http"), "{policy}");
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    assert!(nonce.len() == 24 && page.text.contains(&format!("nonce=\"{nonce}\"")), "{policy}: {}", page.text);
    let again = get(&app.anonymous(), "/", &[]).await;
    assert_ne!(again.header("content-security-policy"), Some(&*policy), "each answer has a nonce of its own");
    for (name, value) in SECURITY_HEADERS.iter().filter(|(name, _)| *name != "content-security-policy") {
        assert_eq!(page.header(name), Some(*value), "{name}");
    }
}

#[tokio::test]
async fn health_routes_respond() {
    let app = TestApp::new().await;
    let alive = get(&app.anonymous(), "/healthz", &[]).await;
    assert_eq!((alive.status.as_u16(), alive.json()), (200, json!({ "status": "ok" })));
    let ready = get(&app.anonymous(), "/readyz", &[]).await;
    assert_eq!((ready.status.as_u16(), ready.json()), (200, json!({ "status": "ready" })));
    app.app.db.close().await.unwrap();
    let lost = get(&app.anonymous(), "/readyz", &[]).await;
    assert_eq!((lost.status.as_u16(), &lost.json()["code"]), (503, &json!("NOT_READY")));
    assert_eq!(get(&app.anonymous(), "/healthz", &[]).await.status, 200, "the process is alive all the same");
}

/// The disk of the embedded database: logins and refreshes need room.
#[tokio::test]
async fn full_disk_makes_readyz_fail() {
    use crate::support::database::backend;
    let app = TestApp::with_config(&[], |config| config.server.min_free_bytes = u64::MAX).await;
    let ready = get(&app.anonymous(), "/readyz", &[]).await;
    if backend() != sea_orm::DbBackend::Sqlite {
        assert_eq!(ready.status, 200, "a server tells by itself");
        return;
    }
    assert_eq!((ready.status.as_u16(), &ready.json()["code"]), (503, &json!("NOT_READY")));
    assert_eq!(ready.json()["detail"], "the disk of the database is full");
    assert_eq!(get(&app.anonymous(), "/healthz", &[]).await.status, 200);
}

/// G12, X4: what no route does can still happen to one.
#[tokio::test]
async fn panic_in_a_handler_is_a_plain_500_and_the_server_runs_on() {
    let mut app = TestApp::with_config(&[], |config| config.server.timeouts.request = Duration::from_millis(200)).await;
    let panics = || async {
        if true {
            panic!("the secret of row 17")
        }
    };
    let hangs = || std::future::pending::<()>();
    let routes = Router::new().route("/panics", get_route(panics)).route("/hangs", get_route(hangs));
    app.router = accountd::http::with_middleware(routes.route("/fine", get_route("fine")), app.app.clone());
    for (path, status, code) in
        [("/panics", 500, "INTERNAL"), ("/hangs", 503, "TIMEOUT"), ("/nowhere", 404, "NOT_FOUND")]
    {
        let answer = get(&app.anonymous(), path, &[]).await;
        assert_eq!((answer.status.as_u16(), &answer.json()["code"]), (status, &json!(code)), "{path}");
        assert!(!answer.text.contains("row 17"), "{}", answer.text);
        assert_eq!(answer.header("content-type"), Some("application/problem+json"));
        assert_eq!(
            (answer.header("cache-control"), answer.header("x-frame-options")),
            (Some("no-store"), Some("DENY"))
        );
        assert!(answer.header("x-request-id").is_some());
        assert_eq!(get(&app.anonymous(), "/fine", &[]).await.text, "fine");
    }
}

#[tokio::test]
async fn jwks_contains_public_keys_only() {
    let app = TestApp::new().await;
    let answer = get(&app.anonymous(), "/.well-known/jwks.json", &[]).await;
    assert_eq!((answer.status.as_u16(), answer.header("cache-control")), (200, Some("public, max-age=300")));
    let keys: Value = answer.json();
    let keys = keys["keys"].as_array().unwrap();
    assert!(!keys.is_empty());
    for key in keys {
        let members = key.as_object().unwrap();
        for known in ["kty", "crv", "x", "kid", "alg", "use"] {
            assert!(members[known].is_string(), "{known} of {key}");
        }
        assert_eq!(members.len(), 6, "nothing else, `d` above all: {key}");
    }
}
