//! Cookies: how browsers store, send and lose them, by a browser with a cookie jar.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

mod authorization_schemes;
mod csrf;
mod tabs;

const HOST: &str = "auth.example.com";
const ACCESS: &str = "__Host-accountd-access";
const REFRESH: &str = "__Host-accountd-refresh";
const TOKENS: &str = "tokens { accessToken refreshToken expiresIn } session { id transport } user { username }";

/// A browser with a page; clones are tabs that share the jar.
#[derive(Clone)]
struct Browser {
    actor: Actor,
    host: String,
    /// The headers that identify the page's origin.
    page: Vec<(&'static str, String)>,
    jar: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Browser {
    /// At the server's own page.
    fn new(app: &TestApp) -> Self {
        let page = vec![("origin", format!("https://{HOST}"))];
        Self { actor: app.anonymous(), host: HOST.to_owned(), page, jar: Arc::default() }
    }

    /// The same browser and cookies, at a page with these origin headers.
    fn at(&self, page: &[(&'static str, &str)]) -> Self {
        Self { page: page.iter().map(|(name, value)| (*name, (*value).to_owned())).collect(), ..self.clone() }
    }

    /// The same tab with an access token of its own.
    fn with_token(&self, token: &str) -> Self {
        Self { actor: self.actor.with_token(token), ..self.clone() }
    }

    fn cookie(&self, name: &str) -> Option<String> {
        self.jar.lock().unwrap().get(name).cloned()
    }

    fn put_cookie(&self, name: &str, value: &str) {
        self.jar.lock().unwrap().insert(name.to_owned(), value.to_owned());
    }

    async fn request(&self, method: Method, path: &str, content: &str, body: String) -> TestResponse {
        let cookies =
            self.jar.lock().unwrap().iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>();
        let cookies = cookies.join("; ");
        let mut headers = vec![("host", self.host.as_str()), ("content-type", content), ("cookie", &cookies)];
        headers.extend(self.page.iter().map(|(name, value)| (*name, value.as_str())));
        let answer = self.actor.request(method, path, &headers, body).await;
        for set in answer.headers.get_all("set-cookie") {
            let set = set.to_str().unwrap();
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            if set.ends_with("Max-Age=0") {
                self.jar.lock().unwrap().remove(name);
            } else {
                self.put_cookie(name, value);
            }
        }
        answer
    }

    async fn send(&self, query: &str) -> TestResponse {
        self.request(Method::POST, "/graphql", "application/json", json!({ "query": query }).to_string()).await
    }

    async fn login(&self, transport: &str) -> TestResponse {
        let input = format!("username: \"ann\", password: \"{PASSWORD}\", transport: {transport}");
        self.send(&format!("mutation {{ login(input: {{ {input} }}) {{ {TOKENS} errors {{ code }} }} }}")).await
    }

    async fn refresh(&self) -> TestResponse {
        self.send(&format!("mutation {{ refresh {{ outcome {TOKENS} errors {{ code }} }} }}")).await
    }

    async fn logout(&self) -> TestResponse {
        self.send("mutation { logout { ok revokedSessionCount } }").await
    }

    async fn me(&self) -> Value {
        self.send("{ me { username } }").await.json()
    }
}

fn set_cookies(answer: &TestResponse) -> Vec<String> {
    answer.headers.get_all("set-cookie").iter().map(|value| value.to_str().unwrap().to_owned()).collect()
}

/// A service with a user, and a browser.
async fn ann() -> (TestApp, Browser) {
    let app = TestApp::new().await;
    app.user("ann").await;
    let browser = Browser::new(&app);
    (app, browser)
}

fn signed_in() -> Value {
    json!({ "data": { "me": { "username": "ann" } } })
}

/// Another application of the same host may have set it.
#[tokio::test]
async fn cookie_with_other_characters_hides_no_other_cookie() {
    let (_app, browser) = ann().await;
    browser.login("COOKIES").await;
    browser.put_cookie("theme", "d\u{e4}mmerung");
    assert_eq!(browser.me().await, signed_in());
}

/// X2: the session stores how its tokens are transported.
#[tokio::test]
async fn refresh_token_is_set_as_a_cookie() {
    let (app, browser) = ann().await;
    browser.put_cookie(ACCESS, "of another session");
    let answer = browser.login("REFRESH_COOKIE").await;
    let login = &answer.data()["login"];
    let refresh = browser.cookie(REFRESH).unwrap();
    assert_eq!(
        (&login["tokens"]["refreshToken"], &login["session"]["transport"]),
        (&json!(null), &json!("REFRESH_COOKIE"))
    );
    assert!(!answer.text.contains(&refresh));
    assert_eq!(
        set_cookies(&answer),
        [
            format!("{ACCESS}=; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=0"),
            format!("{REFRESH}={refresh}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=1209600"),
        ]
    );
    assert_eq!(
        browser.me().await,
        json!({ "data": { "me": null } }),
        "the refresh token alone authenticates no request"
    );
    app.clock.advance(TimeDelta::days(1));
    let renewed = browser.refresh().await;
    let renewed = &renewed.data()["refresh"];
    assert_eq!((&renewed["outcome"], &renewed["tokens"]["refreshToken"]), (&json!("ROTATED"), &json!(null)));
    assert_ne!(browser.cookie(REFRESH).unwrap(), refresh);
    let tab = browser.with_token(renewed["tokens"]["accessToken"].as_str().unwrap());
    assert_eq!(tab.me().await, signed_in());
    assert_eq!(browser.logout().await.data()["logout"]["revokedSessionCount"], 1, "the cookie suffices");
    assert!(browser.jar.lock().unwrap().is_empty());
    assert_eq!(tab.me().await["errors"][0]["extensions"]["reason"], "SESSION_ENDED");
    assert!(set_cookies(&browser.logout().await).is_empty());
}

/// X2: scripts see no token; an expired one is reported as expired, so that Apollo's error link refreshes.
#[tokio::test]
async fn both_tokens_are_set_as_cookies() {
    let (app, browser) = ann().await;
    let query = format!(
        "mutation {{ register(input: {{ username: \"bob\", password: \"{PASSWORD}\", transport: COOKIES }}) {{ {TOKENS} }} }}"
    );
    assert_eq!(
        browser.send(&query).await.data()["register"]["tokens"],
        json!({ "accessToken": null, "refreshToken": null, "expiresIn": 900 })
    );
    assert_eq!(browser.me().await["data"]["me"]["username"], "bob");

    let answer = browser.login("COOKIES").await;
    assert!(!answer.text.contains("eyJ0eXAiOiJhdCtqd3Qi") && !answer.text.contains("eyJ0eXAiOiJydCtqd3Qi"));
    assert!(
        set_cookies(&answer).iter().all(|cookie| cookie.ends_with("Max-Age=1209600")),
        "both cookies outlive the access token"
    );
    assert_eq!(browser.me().await, signed_in());
    app.clock.advance(TimeDelta::minutes(16));
    assert_eq!(browser.me().await["errors"][0]["extensions"]["reason"], "TOKEN_EXPIRED");
    assert_eq!(browser.refresh().await.data()["refresh"]["outcome"], "ROTATED");
    assert_eq!(browser.me().await, signed_in());

    let before = browser.cookie(REFRESH);
    let input = format!("currentPassword: \"{PASSWORD}\", newPassword: \"another-horse-battery-8\"");
    let query = format!("mutation {{ updatePassword(input: {{ {input} }}) {{ {TOKENS} }} }}");
    assert_eq!(browser.send(&query).await.data()["updatePassword"]["session"]["transport"], "COOKIES");
    assert!(browser.cookie(REFRESH) != before && browser.me().await == signed_in());
    assert_eq!(browser.actor.with_token("garbage").me_code().await.as_deref(), Some("UNAUTHENTICATED"));
    assert_eq!(
        browser.with_token("garbage").me().await["errors"][0]["extensions"]["code"],
        "UNAUTHENTICATED",
        "the header takes precedence"
    );
    assert_eq!(browser.logout().await.data()["logout"]["revokedSessionCount"], 1);
    assert!(browser.jar.lock().unwrap().is_empty());
}

/// X2: prefix and `Secure` everywhere except on plain http on localhost, where Safari would store nothing.
#[tokio::test]
async fn cookie_names_follow_the_mount_path() {
    let (_app, browser) = ann().await;
    let plain = ["localhost:8080", "app.localhost", "127.0.0.1:8080", "127.9.9.9", "[::1]:8080", "LOCALHOST"];
    let other = [
        "localhost.example.com",
        "127.0.0.1.example.com",
        "10.0.0.1",
        "[::2]",
        "[fe80::1]:80",
        "notlocalhost",
        "127.1",
    ];
    for (hosts, secure) in [(&plain[..], false), (&other[..], true)] {
        for host in hosts {
            let browser = Browser {
                host: (*host).to_owned(),
                jar: Arc::default(),
                ..browser.at(&[("sec-fetch-site", "same-origin")])
            };
            let set = set_cookies(&browser.login("COOKIES").await);
            assert_eq!(set.len(), 2, "{host}");
            for cookie in set {
                assert_eq!(cookie.starts_with("__Host-accountd-"), secure, "{host}: {cookie}");
                assert_eq!(cookie.contains("; Secure"), secure, "{host}: {cookie}");
                assert!(cookie.contains("; Path=/; ") && cookie.contains("; HttpOnly; SameSite=Lax;"), "{cookie}");
            }
            assert_eq!(browser.me().await, signed_in(), "{host}");
        }
    }
    // A proxy that does not forward Host.
    for header in [
        ("x-forwarded-proto", "https"),
        ("forwarded", "for=192.0.2.1;Proto=https"),
        ("origin", "https://app.example.com"),
    ] {
        let page = browser.at(&[("sec-fetch-site", "same-origin"), header]);
        let browser = Browser { host: "127.0.0.1:8080".to_owned(), jar: Arc::default(), ..page };
        let set = set_cookies(&browser.login("COOKIES").await);
        assert!(set.iter().all(|cookie| cookie.starts_with("__Host-") && cookie.contains("; Secure")), "{header:?}");
    }
    // Other hosts of the domain could have set a cookie without the prefix.
    browser.login("COOKIES").await;
    let (access, refresh) = (browser.cookie(ACCESS).unwrap(), browser.cookie(REFRESH).unwrap());
    let tossed = Browser { jar: Arc::default(), ..browser.clone() };
    tossed.put_cookie("accountd-access", &access);
    tossed.put_cookie("accountd-refresh", &refresh);
    assert_eq!(tossed.me().await, json!({ "data": { "me": null } }));
    assert_eq!(tossed.refresh().await.payload_error("refresh").as_deref(), Some("REFRESH_TOKEN_MISSING"));
}
