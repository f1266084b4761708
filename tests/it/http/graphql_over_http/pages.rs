//! The playground and the root page.

use serde_json::json;

use super::get;
use crate::support::{SECURITY_HEADERS, TestApp};

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
    assert_eq!(query.data(), json!({ "__typename": "Query" }), "a query is executed, not shown");
}

/// X4, X7: the root page loads only the server's own files, and runs no injected script.
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
    assert_ne!(again.header("content-security-policy"), Some(&*policy), "each response has its own nonce");
    for (name, value) in SECURITY_HEADERS.iter().filter(|(name, _)| *name != "content-security-policy") {
        assert_eq!(page.header(name), Some(*value), "{name}");
    }
}
