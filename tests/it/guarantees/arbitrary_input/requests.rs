//! Arbitrary bodies, headers and query strings.

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, Method, Request};
use http_body_util::BodyExt;
use proptest::prelude::*;
use serde_json::json;
use tower::ServiceExt;

use super::generators::{SCHEMA, any_json, operation};
use super::{Target, assert_no_fault, check};
use crate::support::TestResponse;
use crate::support::schema_inputs::base_type;

#[test]
fn arbitrary_bytes_as_body_cause_no_5xx() {
    let target = Target::new();
    check(256, &(any::<bool>(), prop::collection::vec(any::<u8>(), 0..300)), |(as_admin, bytes)| {
        assert_no_fault(&target.send(as_admin, bytes))
    });
}

#[test]
fn arbitrary_json_as_body_causes_no_5xx() {
    let target = Target::new();
    check(192, &(any::<bool>(), any_json()), |(as_admin, body)| {
        assert_no_fault(&target.send(as_admin, body.to_string()))
    });
    let members = (any_json(), any_json(), any_json(), any_json(), any::<bool>());
    check(192, &members, |(query, variables, name, extensions, valid)| {
        let query = if valid { json!("query Q($a: ID!) { node(id: $a) { id } }") } else { query };
        let body = json!({ "query": query, "variables": variables, "operationName": name, "extensions": extensions });
        assert_no_fault(&target.send(true, body.to_string()))
    });
}

/// Text that serde_json does not write: escapes of half a surrogate pair, and numbers beyond every type.
#[test]
fn unusual_json_as_body_causes_no_5xx() {
    let target = Target::new();
    let raw = [
        r#""\ud800""#,
        r#""\udc00\ud800""#,
        r#""a\ud83d""#,
        r#""\u0000""#,
        "1e999",
        "-1e999",
        "1E-999",
        "-0",
        "123456789012345678901234567890",
        "0.1e1",
        "NaN",
        "Infinity",
        "01",
        "\"\u{7f}\"",
        "\"\t\"",
    ];
    for field in SCHEMA.root_fields.keys() {
        for (name, of_type) in &SCHEMA.root_fields[field] {
            let members = SCHEMA.objects.get(base_type(of_type)).into_iter().flatten();
            let templates = members.map(|(member, _)| format!(r#"{{"{member}":@}}"#)).chain(["@".to_owned()]);
            for template in templates {
                for value in raw {
                    let query = json!(operation(field));
                    let body =
                        format!(r#"{{"query":{query},"variables":{{"{name}":{}}}}}"#, template.replace('@', value));
                    assert_no_fault(&target.send(true, body)).unwrap();
                }
            }
        }
    }
}

#[test]
fn arbitrary_header_values_cause_no_5xx() {
    const NAMES: [&str; 8] =
        ["authorization", "accept", "content-type", "user-agent", "content-length", "x-request-id", "cookie", "origin"];
    let target = Target::new();
    let token = target.admin.token.clone().unwrap();
    let bytes = prop::collection::vec(prop_oneof![Just(b'\t'), 32..=126_u8, 128..=255_u8], 0..60);
    let known = prop::sample::select(vec![
        "Bearer".to_owned(),
        format!("Bearer {token}"),
        format!("Bearer {token}x"),
        format!("bearer\t{token} {token}"),
        "Bearer a.b.c".to_owned(),
        "Basic YTpi".to_owned(),
        format!("Bearer {}", "a".repeat(5_000)),
        "application/json".to_owned(),
        "application/json;q=1e999".to_owned(),
        "*/*;q=NaN, text/html;q=-1".to_owned(),
        ",;,=;q".to_owned(),
        "application/json; charset=\"".to_owned(),
        "text/html".to_owned(),
    ])
    .prop_map(String::into_bytes);
    let value = prop_oneof![bytes, known].boxed();
    let header = (prop::sample::select(NAMES.as_slice()), value);
    let paths = prop::sample::select(vec![
        "/graphql",
        "/graphql?query=%7Bme%7Bid%7D%7D",
        "/healthz",
        "/nothing",
        "/login",
        "/logout",
        "/register",
        "/token-refresh",
        "/token-validation",
    ]);
    let request = (any::<bool>(), paths, prop::collection::vec(header, 0..5));
    check(400, &request, |(by_post, path, headers)| {
        let method = if by_post { Method::POST } else { Method::GET };
        let mut request =
            Request::builder().method(method).uri(path).body(Body::from("{\"query\":\"{ me { id } }\"}")).unwrap();
        for (name, value) in headers {
            request.headers_mut().append(HeaderName::from_static(name), HeaderValue::from_bytes(&value).unwrap());
        }
        let answer = target.runtime.block_on(async {
            let response = target.app.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let text = String::from_utf8_lossy(&body.collect().await.unwrap().to_bytes()).into_owned();
            TestResponse { status: parts.status, headers: parts.headers, text }
        });
        assert_no_fault(&answer)
    });
}

#[test]
fn arbitrary_query_string_causes_no_5xx() {
    let target = Target::new();
    let pairs = prop::collection::vec(
        (prop::sample::select(vec!["query", "variables", "operationName", "extensions", "x"]), "[!-~&&[^#]]{0,40}"),
        0..5,
    );
    check(256, &pairs, |pairs| {
        let query: Vec<_> = pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let path = format!("/graphql?{}", query.join("&"));
        if path.parse::<axum::http::Uri>().is_err() {
            return Ok(());
        }
        assert_no_fault(&target.runtime.block_on(target.admin.request(Method::GET, &path, &[], "")))
    });
}

/// Deep nesting overflows a stack before it reaches 64 KiB (RUSTSEC-2022-0037).
#[test]
fn deep_nesting_causes_no_5xx() {
    let target = Target::new();
    let deep = 20_000;
    let queries = [
        "{a".repeat(deep),
        format!("{{ node(id: {}", "[".repeat(deep)),
        format!("{{ node(id: {}", "{a:".repeat(deep)),
        format!("query ($a: {}", "[".repeat(deep)),
        "{...{".repeat(deep / 2),
        "(".repeat(deep),
        format!("{{ me {} }}", "@a".repeat(deep)),
        format!("{{{}}}", "a:me ".repeat(deep / 2)),
    ];
    for query in queries {
        assert_no_fault(&target.send(true, json!({ "query": query }).to_string())).unwrap();
    }
    for variables in ["[".repeat(60_000), "{\"a\":".repeat(12_000)] {
        let body = format!(r#"{{"query":"{{ __typename }}","variables":{{"a":{variables}"#);
        assert_no_fault(&target.send(true, body)).unwrap();
    }
}
