//! Clients in use whose headers and bodies differ from the specification, and compressed bodies.

use axum::http::Method;

use crate::support::TestApp;

/// Java's `Accept`, .NET's byte order mark, `utf8` without hyphen.
#[tokio::test]
async fn headers_and_bodies_of_old_clients_are_accepted() {
    let app = TestApp::new().await;
    let anonymous = app.anonymous();
    let body = r#"{"query":"{ __typename }"}"#;
    for (accept, media) in [
        ("", "application/json"),
        ("*", "application/json"),
        ("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", "application/json; charset=utf8"),
        ("application/json", "application/json;charset=\"utf8\""),
    ] {
        for body in [body.to_owned(), format!("\u{feff}{body}")] {
            let answer =
                anonymous.request(Method::POST, "/graphql", &[("accept", accept), ("content-type", media)], body).await;
            assert_eq!(answer.data()["__typename"], "Query", "{accept} {media}");
        }
    }
}

/// The length of the body does not bound the work of decompression.
#[tokio::test]
async fn compressed_bodies_are_refused_on_every_route() {
    let app = TestApp::new().await;
    let anonymous = app.anonymous();
    for path in ["/graphql", "/login", "/logout"] {
        for coding in ["gzip", "br", "identity, gzip"] {
            let headers = [("content-type", "application/json"), ("content-encoding", coding)];
            let answer = anonymous.request(Method::POST, path, &headers, "{}").await;
            assert_eq!((answer.status.as_u16(), answer.header("accept-encoding")), (415, Some("identity")), "{path}");
        }
        let headers = [("content-type", "application/json"), ("content-encoding", "identity")];
        let answer = anonymous.request(Method::POST, path, &headers, "{}").await;
        assert_ne!(answer.status.as_u16(), 415, "{path}");
    }
}
