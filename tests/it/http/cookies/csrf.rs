//! Cross-site request forgery: such requests change nothing (OWASP CSRF Prevention Cheat Sheet).

use super::*;

/// A browser with session cookies, with one cross-site origin in the allow list.
async fn victim() -> (TestApp, Browser) {
    let app = TestApp::with(&[("ACCOUNTD_CORS__ORIGINS", "https://app.example.com,http://localhost:5173")]).await;
    app.user("ann").await;
    let browser = Browser::new(&app);
    browser.login("COOKIES").await;
    (app, browser)
}

/// Origin headers of cross-site pages and of programs.
const CROSS_SITE: [&[(&str, &str)]; 15] = [
    &[],
    &[("origin", "null")],
    &[("origin", "https://evil.example")],
    &[("origin", "http://auth.example.com")],
    &[("origin", "https://auth.example.com:8443")],
    &[("origin", "https://auth.example.com.evil.example")],
    &[("origin", "https://evil-auth.example.com")],
    &[("origin", "http://app.example.com")],
    &[("origin", "https://App.example.com")],
    &[("origin", "http://localhost:8080")],
    &[("origin", "https://auth.example.com"), ("origin", "https://auth.example.com")],
    &[("sec-fetch-site", "cross-site")],
    &[("sec-fetch-site", "same-site"), ("origin", "https://other.example.com")],
    &[("sec-fetch-site", "none")],
    &[("sec-fetch-site", "same-origin"), ("sec-fetch-site", "same-origin")],
];

const SAME_SITE: [&[(&str, &str)]; 5] = [
    &[("origin", "https://auth.example.com")],
    &[("origin", "https://app.example.com"), ("sec-fetch-site", "same-site")],
    &[("origin", "http://localhost:5173"), ("sec-fetch-site", "same-site")],
    &[("sec-fetch-site", "same-origin")],
    &[("sec-fetch-site", "same-origin"), ("origin", "null")],
];

/// X1: CSRF on login, refresh and logout, and on a password change.
#[tokio::test]
async fn cross_site_requests_with_cookies_change_nothing() {
    let (_app, browser) = victim().await;
    let before = browser.jar.lock().unwrap().clone();
    for page in CROSS_SITE {
        let forge = browser.at(page);
        for transport in ["REFRESH_COOKIE", "COOKIES"] {
            assert_eq!(forge.login(transport).await.code().as_deref(), Some("CSRF_REFUSED"), "{page:?}");
            let register = format!(
                "mutation {{ register(input: {{ username: \"eve\", password: \"{PASSWORD}\", transport: {transport} }}) {{ status errors {{ code }} }} }}"
            );
            assert_eq!(forge.send(&register).await.code().as_deref(), Some("CSRF_REFUSED"), "{page:?}");
        }
        assert_eq!(forge.refresh().await.code().as_deref(), Some("CSRF_REFUSED"), "{page:?}");
        assert_eq!(forge.logout().await.code().as_deref(), Some("CSRF_REFUSED"), "{page:?}");
        assert_eq!(forge.me().await, json!({ "data": { "me": null } }), "{page:?}");
        let input = format!("currentPassword: \"{PASSWORD}\", newPassword: \"another-horse-battery-8\"");
        let update =
            forge.send(&format!("mutation {{ updatePassword(input: {{ {input} }}) {{ user {{ id }} }} }}")).await;
        assert_eq!(update.code().as_deref(), Some("UNAUTHENTICATED"), "{page:?}");
    }
    assert_eq!(*browser.jar.lock().unwrap(), before);
    let sessions = browser.send("{ me { sessions { totalCount } } }").await;
    assert_eq!(sessions.data()["me"]["sessions"]["totalCount"], 2);
    assert_eq!(browser.refresh().await.data()["refresh"]["outcome"], "ROTATED", "no earlier forged refresh succeeded");
}

/// X1: requests of forms, scripts and images, which need no preflight.
#[tokio::test]
async fn cross_site_requests_of_other_media_types_change_nothing() {
    let (_app, browser) = victim().await;
    let before = browser.jar.lock().unwrap().clone();
    let query = "mutation { logout { ok } }";
    let json = json!({ "query": query }).to_string();
    let multipart = format!("--x\r\ncontent-disposition: form-data; name=\"query\"\r\n\r\n{query}\r\n--x--\r\n");
    let form = "query=mutation%7Blogout%7Bok%7D%7D".to_owned();
    // Also from a same-site page: its forms may be injected.
    for page in [&browser, &browser.at(&[("origin", "https://evil.example")])] {
        for (content, body) in [
            ("text/plain", &json),
            ("text/plain; application/json", &json),
            ("application/x-www-form-urlencoded", &form),
            ("multipart/form-data; boundary=x", &multipart),
            ("application/graphql", &query.to_owned()),
            ("", &json),
        ] {
            let answer = page.request(Method::POST, "/graphql", content, body.clone()).await;
            assert_eq!(answer.status, 415, "{content}");
        }
        let path = format!("/graphql?{form}");
        assert_eq!(page.request(Method::GET, &path, "application/json", String::new()).await.status, 405);
        assert_eq!(page.request(Method::POST, "/graphql?query=x", "text/plain", String::new()).await.status, 415);
    }
    assert_eq!(*browser.jar.lock().unwrap(), before);
    assert_eq!(browser.me().await, signed_in());
}

/// X1: the allowed pages.
#[tokio::test]
async fn same_site_requests_with_cookies_are_accepted() {
    let (_app, browser) = victim().await;
    for page in SAME_SITE {
        let ours = browser.at(page);
        assert!(ours.login("COOKIES").await.data()["login"]["errors"] == json!([]), "{page:?}");
        assert_eq!(ours.me().await, signed_in(), "{page:?}");
        assert_eq!(ours.refresh().await.data()["refresh"]["outcome"], "ROTATED", "{page:?}");
        assert_eq!(ours.logout().await.data()["logout"]["revokedSessionCount"], 1, "{page:?}");
    }
    for (host, origin) in [
        ("auth.example.com:443", "https://auth.example.com"),
        ("AUTH.example.com:8443", "https://auth.example.com:8443"),
        ("localhost:8080", "http://localhost:8080"),
        ("127.0.0.1", "http://127.0.0.1"),
    ] {
        let page = vec![("origin", origin.to_owned())];
        let ours = Browser { host: host.to_owned(), page, jar: Arc::default(), ..browser.clone() };
        assert!(ours.login("COOKIES").await.data()["login"]["errors"] == json!([]), "{host}");
        assert_eq!(ours.me().await, signed_in(), "{host}");
    }
}

/// Success would be misleading: the browser drops a `SameSite` cookie for a cross-site page, and the next request has
/// no cookie.
#[tokio::test]
async fn cookie_transport_for_a_cross_site_page_is_refused() {
    let origins = "https://app.example.com,https://app.other.com,http://localhost:5173,http://127.0.0.1:5173";
    let app = TestApp::with(&[("ACCOUNTD_CORS__ORIGINS", &format!("{origins},capacitor://localhost"))]).await;
    app.user("ann").await;
    let browser = Browser::new(&app);
    let site = |site: &'static str| ("sec-fetch-site", site);
    for (host, origin, fetch_site, is_dropped) in [
        ("127.0.0.1:8080", "http://localhost:5173", Some("cross-site"), true),
        ("127.0.0.1:8080", "http://localhost:5173", None, true),
        ("localhost:8080", "http://127.0.0.1:5173", None, true),
        ("localhost:8080", "http://localhost:5173", Some("same-site"), false),
        ("localhost:8080", "http://localhost:5173", None, false),
        ("127.0.0.1:8080", "http://127.0.0.1:5173", None, false),
        // The page's own server forwards requests under another name, which the browser does not see.
        ("127.0.0.1:8080", "http://localhost:5173", Some("same-origin"), false),
        ("127.0.0.1:8080", "https://app.example.com", None, false),
        ("accounts:8080", "https://app.example.com", None, false),
        (HOST, "http://localhost:5173", None, true),
        (HOST, "https://app.other.com", None, true),
        (HOST, "https://app.other.com", Some("cross-site"), true),
        (HOST, "https://app.example.com", None, false),
        (HOST, "capacitor://localhost", None, false),
    ] {
        let mut page = vec![("origin", origin)];
        page.extend(fetch_site.map(site));
        let there = Browser { host: host.to_owned(), jar: Arc::default(), ..browser.at(&page) };
        let case = format!("{page:?} at {host}");
        for transport in ["REFRESH_COOKIE", "COOKIES"] {
            let answer = there.login(transport).await;
            assert_eq!(set_cookies(&answer).is_empty(), is_dropped, "{case}: {}", answer.text);
            if is_dropped {
                assert_eq!(answer.code().as_deref(), Some("CSRF_REFUSED"), "{case}");
                assert!(
                    answer.text.contains("different sites") && answer.text.contains("localhost"),
                    "{}",
                    answer.text
                );
            }
        }
        let body = there.login("BODY").await;
        assert_eq!(body.data()["login"]["errors"], json!([]), "{case}: tokens in the response need no cookie");
    }
}

/// X1: a cross-site page cannot set the header, so bearer requests need no origin check; cookies are ignored for such a
/// page.
#[tokio::test]
async fn bearer_requests_need_no_same_site_check() {
    let (_app, browser) = victim().await;
    let evil = browser.at(&[("origin", "https://evil.example")]);
    let login = evil.login("BODY").await;
    assert_eq!(set_cookies(&login), [""; 0]);
    let tokens = &login.data()["login"]["tokens"];
    let bearer = evil.with_token(tokens["accessToken"].as_str().unwrap());
    assert_eq!(bearer.me().await, signed_in());
    let refresh =
        format!("mutation {{ refresh(input: {{ refreshToken: {} }}) {{ outcome }} }}", tokens["refreshToken"]);
    assert_eq!(evil.send(&refresh).await.data()["refresh"]["outcome"], "ROTATED");
    let logout = bearer.logout().await;
    assert_eq!(logout.data()["logout"]["revokedSessionCount"], 1);
    assert_eq!(set_cookies(&logout), [""; 0]);
    let logout = evil.with_token("garbage").logout().await;
    assert_eq!(logout.data()["logout"]["revokedSessionCount"], 0, "with an invalid header no cookie counts");
    assert_eq!(browser.me().await, signed_in(), "the cookies' session lives");
}

/// X1: otherwise a cross-site page could log in its visitors with a refresh token that it knows.
#[tokio::test]
async fn refresh_token_in_the_body_sets_no_cookie() {
    let (app, browser) = victim().await;
    let token = browser.cookie(REFRESH).unwrap();
    let query = format!("mutation {{ refresh(input: {{ refreshToken: \"{token}\" }}) {{ outcome {TOKENS} }} }}");
    let cross_site = Browser { jar: Arc::default(), ..browser.at(&[("origin", "https://evil.example")]) };
    let answer = cross_site.send(&query).await;
    assert_eq!((answer.code().as_deref(), set_cookies(&answer).len()), (Some("CSRF_REFUSED"), 0));
    let rest = json!({ "refresh_token": token });
    assert_eq!(app.anonymous().json(Method::POST, "/token-refresh", &rest).await.status, 403);
    let ours = Browser { jar: Arc::default(), ..browser.clone() };
    let answer = ours.send(&query).await;
    assert_eq!(answer.data()["refresh"]["outcome"], "ROTATED", "no refresh token was used");
    assert_eq!(answer.data()["refresh"]["tokens"]["refreshToken"], json!(null));
    assert!(ours.cookie(REFRESH).is_some());
}

/// The REST dialects ignore cookies.
#[tokio::test]
async fn rest_ignores_cookies() {
    let (_app, browser) = victim().await;
    for path in ["/token-validation", "/logout", "/register", "/token-refresh"] {
        let answer = browser.request(Method::POST, path, "application/json", "{}".to_owned()).await;
        assert!(answer.status == 401 || answer.status == 400, "{path}: {}", answer.status);
        assert_eq!(set_cookies(&answer), [""; 0]);
    }
    assert_eq!(browser.me().await, signed_in());
}
