//! Requests: methods, media types, sizes and JSON.

use axum::http::Method;
use serde_json::json;

use super::{JSON, get, post};
use crate::support::{PASSWORD, TestApp};

const MUTATION: &str =
    r#"mutation { register(input: { username: \"new\", password: \"correct-horse-battery-7\" }) { status } }"#;

/// Whether the user that [`MUTATION`] creates exists.
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

/// Requests that a cross-origin page can send without preflight.
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
