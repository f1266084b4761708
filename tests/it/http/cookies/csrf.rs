//! Requests that a page of somebody else has the browser send: nothing changes (OWASP CSRF Prevention Cheat Sheet).

use super::*;

/// A browser that is signed in by cookies, with one foreign origin on the list.
async fn victim() -> (TestApp, Browser) {
    let app = TestApp::with(&[("ACCOUNTD_CORS__ORIGINS", "https://app.example.com,http://localhost:5173")]).await;
    app.user("ann").await;
    let browser = Browser::new(&app);
    browser.login("COOKIES").await;
    (app, browser)
}

/// What pages of others, and programs, say of where they come from.
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

/// X1: login, refresh and logout CSRF, and a change of the password.
#[tokio::test]
async fn cross_site_requests_with_cookies_change_nothing() {
    let (_app, browser) = victim().await;
    let before = browser.jar.lock().unwrap().clone();
    for page in CROSS_SITE {
        let forger = browser.at(page);
        for transport in ["REFRESH_COOKIE", "COOKIES"] {
            assert_eq!(forger.login(transport).await.code().as_deref(), Some("CSRF_REFUSED"), "{page:?}");
            let register = format!(
                "mutation {{ register(input: {{ username: \"eve\", password: \"{PASSWORD}\", transport: {transport} }}) {{ status errors {{ code }} }} }}"
            );
            assert_eq!(forger.send(&register).await.code().as_deref(), Some("CSRF_REFUSED"), "{page:?}");
        }
        assert_eq!(forger.refresh().await.code().as_deref(), Some("CSRF_REFUSED"), "{page:?}");
        assert_eq!(forger.logout().await.code().as_deref(), Some("CSRF_REFUSED"), "{page:?}");
        assert_eq!(forger.me().await, json!({ "data": { "me": null } }), "{page:?}");
        let input = format!("currentPassword: \"{PASSWORD}\", newPassword: \"another-horse-battery-8\"");
        let update =
            forger.send(&format!("mutation {{ updatePassword(input: {{ {input} }}) {{ user {{ id }} }} }}")).await;
        assert_eq!(update.code().as_deref(), Some("UNAUTHENTICATED"), "{page:?}");
    }
    assert_eq!(*browser.jar.lock().unwrap(), before);
    let sessions = browser.send("{ me { sessions { totalCount } } }").await;
    assert_eq!(sessions.data()["me"]["sessions"]["totalCount"], 2);
    assert_eq!(browser.refresh().await.data()["refresh"]["outcome"], "ROTATED", "no forged refresh has come before");
}

/// X1: what forms, scripts and images can send without being asked first.
#[tokio::test]
async fn cross_site_requests_of_other_media_types_change_nothing() {
    let (_app, browser) = victim().await;
    let before = browser.jar.lock().unwrap().clone();
    let query = "mutation { logout { ok } }";
    let json = json!({ "query": query }).to_string();
    let multipart = format!("--x\r\ncontent-disposition: form-data; name=\"query\"\r\n\r\n{query}\r\n--x--\r\n");
    let form = "query=mutation%7Blogout%7Bok%7D%7D".to_owned();
    // Even where the page is one of ours: a form there may be of somebody else's making.
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

/// X1: the pages that may.
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

/// Success would be a lie: the browser drops a `SameSite` cookie that a page of another site is sent, and the next request
/// comes without it.
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
        // The page's own server passes requests on under another name, which the browser does not see.
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
        assert_eq!(body.data()["login"]["errors"], json!([]), "{case}: tokens in the answer need no cookie");
    }
}

/// X1: a page of others cannot set the header, so who comes with it is not asked where from; and no cookie counts for
/// such a page.
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
    assert_eq!(logout.data()["logout"]["revokedSessionCount"], 0, "a header that does not hold makes no cookie count");
    assert_eq!(browser.me().await, signed_in(), "the cookies' session lives");
}

/// X1: else a page of others could sign in its visitors as somebody it knows the refresh token of.
#[tokio::test]
async fn refresh_token_in_the_body_sets_no_cookie() {
    let (app, browser) = victim().await;
    let token = browser.cookie(REFRESH).unwrap();
    let query = format!("mutation {{ refresh(input: {{ refreshToken: \"{token}\" }}) {{ outcome {TOKENS} }} }}");
    let stranger = Browser { jar: Arc::default(), ..browser.at(&[("origin", "https://evil.example")]) };
    let answer = stranger.send(&query).await;
    assert_eq!((answer.code().as_deref(), set_cookies(&answer).len()), (Some("CSRF_REFUSED"), 0));
    let rest = json!({ "refresh_token": token });
    assert_eq!(app.anonymous().json(Method::POST, "/token-refresh", &rest).await.status, 403);
    let ours = Browser { jar: Arc::default(), ..browser.clone() };
    let answer = ours.send(&query).await;
    assert_eq!(answer.data()["refresh"]["outcome"], "ROTATED", "nothing was spent");
    assert_eq!(answer.data()["refresh"]["tokens"]["refreshToken"], json!(null));
    assert!(ours.cookie(REFRESH).is_some());
}

/// The REST dialects know no cookies.
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
