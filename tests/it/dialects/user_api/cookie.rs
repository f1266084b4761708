//! The cookie, and the pages that may use it.

use axum::http::Method;
use serde_json::{Value, json};

use super::{MOUNTED, cookie_of};
use crate::support::{PASSWORD, TestApp, TestResponse};

const HOST: (&str, &str) = ("host", "auth.example.com");

/// Origin headers of same-site pages.
const SAME_SITE: [(&str, &str); 2] = [("sec-fetch-site", "same-origin"), ("origin", "https://auth.example.com")];

/// Origin headers of cross-site pages.
const CROSS_SITE: [(&str, &str); 4] = [
    ("sec-fetch-site", "cross-site"),
    ("sec-fetch-site", "same-site"),
    ("origin", "https://evil.example"),
    ("origin", "null"),
];

async fn login(app: &TestApp, headers: &[(&str, &str)]) -> TestResponse {
    let headers = [headers, &[("content-type", "application/json")]].concat();
    let body = json!({ "email": "ann", "password": PASSWORD }).to_string();
    app.anonymous().request(Method::POST, "/api/users/login", &headers, body).await
}

/// A service, and the cookie header of a logged-in user.
async fn victim() -> (TestApp, String) {
    let app = TestApp::with(&[MOUNTED]).await;
    app.user("ann").await;
    let cookie = format!("a=b; user-api-credentials={}", cookie_of(&login(&app, &[HOST]).await));
    (app, cookie)
}

async fn send(app: &TestApp, method: Method, path: &str, cookie: &str, page: Option<(&str, &str)>) -> TestResponse {
    let mut headers = vec![HOST, ("cookie", cookie), ("content-type", "application/json")];
    headers.extend(page);
    let body = json!({ "email": "ann", "password": "another-horse-battery-8" }).to_string();
    app.anonymous().request(method, path, &headers, body).await
}

async fn is_live(app: &TestApp, cookie: &str) -> bool {
    send(app, Method::GET, "/api/users/token", cookie, None).await.json() != Value::Null
}

/// X2: scripts cannot read it, and it is sent by https only wherever there is https.
#[tokio::test]
async fn user_api_cookie_is_http_only_and_secure() {
    let app = TestApp::with(&[MOUNTED]).await;
    app.user("ann").await;
    for (host, is_secure) in [("auth.example.com", true), ("localhost:8080", false), ("127.0.0.1:8080", false)] {
        let answer = login(&app, &[("host", host)]).await;
        let cookie = answer.header("set-cookie").unwrap();
        let attributes: Vec<&str> = cookie.split("; ").skip(1).collect();
        let mut expected = vec!["Expires=Sun, 15 Mar 2026 12:00:00 GMT", "HttpOnly", "Path=/", "SameSite=Lax"];
        expected.extend(is_secure.then_some("Secure"));
        assert_eq!(attributes, expected, "{host}");
    }
}

/// X1: a browser request from a cross-site page has no credentials, or is refused.
#[tokio::test]
async fn user_api_cross_site_requests_change_nothing() {
    let (app, cookie) = victim().await;
    for page in CROSS_SITE {
        assert_eq!(login(&app, &[HOST, page]).await.status, 403, "{page:?}: it could log in its visitors as any user");
        for method in [Method::GET, Method::POST] {
            let logout = send(&app, method, "/api/users/logout", &cookie, Some(page)).await;
            assert_eq!((logout.status.as_u16(), logout.header("set-cookie")), (403, None), "{page:?}");
        }
        let reset = send(&app, Method::POST, "/api/users/reset-password", &cookie, Some(page)).await;
        assert_eq!(reset.status, 401, "{page:?}");
        let token = send(&app, Method::GET, "/api/users/token", &cookie, Some(page)).await;
        assert_eq!(token.status, 401, "{page:?}");
    }
    // A GET has no origin: it may be a link.
    for page in [None, Some(("sec-fetch-site", "none"))] {
        assert_eq!(send(&app, Method::GET, "/api/users/logout", &cookie, page).await.status, 403);
    }
    assert!(is_live(&app, &cookie).await);
}

/// X1: the allowed pages, and programs.
#[tokio::test]
async fn user_api_logout_works_from_own_pages_and_programs() {
    for page in SAME_SITE.map(Some) {
        let (app, cookie) = victim().await;
        let logout = send(&app, Method::GET, "/api/users/logout", &cookie, page).await;
        assert_eq!(logout.json(), json!({ "message": "User disconnected." }));
        let gone =
            "user-api-credentials=; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Path=/; SameSite=Lax; Secure";
        assert_eq!(logout.header("set-cookie"), Some(gone));
        assert!(!is_live(&app, &cookie).await);
    }
    let (app, cookie) = victim().await;
    assert_eq!(send(&app, Method::POST, "/api/users/logout", &cookie, None).await.status, 200);
    assert!(!is_live(&app, &cookie).await);
}
