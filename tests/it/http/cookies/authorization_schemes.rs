//! A proxy may require its own `Authorization` header: it is no credential of accountd on any route.

use axum::http::Method;
use serde_json::json;

use super::{ann, signed_in};
use crate::support::{PASSWORD, TestApp};

const OTHER_SCHEMES: [&str; 5] =
    ["Basic YTpi", "basic YTpi", "Digest username=\"ann\", realm=\"x\", nonce=\"y\"", "Negotiate YII=", "NTLM TlRM"];

#[tokio::test]
async fn cookie_is_accepted_beside_another_authorization_scheme() {
    let (_app, browser) = ann().await;
    let origin = ("origin", format!("https://{}", super::HOST));
    for scheme in OTHER_SCHEMES {
        let browser = browser.at(&[(origin.0, &origin.1), ("authorization", scheme)]);
        browser.login("COOKIES").await.data();
        assert_eq!(browser.me().await, signed_in(), "{scheme}");
        assert_eq!(browser.refresh().await.data()["refresh"]["outcome"], "ROTATED", "{scheme}");
        assert_eq!(browser.me().await, signed_in(), "{scheme}");
        assert_eq!(browser.logout().await.data()["logout"]["revokedSessionCount"], 1, "{scheme}");
        assert_eq!(browser.me().await, json!({ "data": { "me": null } }), "{scheme}");
    }
    // A bearer token, valid or not, takes precedence over the cookie.
    browser.login("COOKIES").await.data();
    let wrong = browser.at(&[(origin.0, &origin.1), ("authorization", "Bearer x")]);
    assert_eq!(wrong.me().await["errors"][0]["extensions"]["reason"], "TOKEN_INVALID");
}

/// Without cookie it counts as no header, with each dialect's own error. The course's dialect responds alike to any
/// header without its token, and Corvus's login has its own `Basic`.
#[tokio::test]
async fn other_authorization_scheme_is_ignored_in_every_dialect() {
    let app = TestApp::with(&[
        ("ACCOUNTD_REST__DIALECTS__PLANTDB", "/"),
        ("ACCOUNTD_REST__DIALECTS__TECLADOCODE", "/flask"),
        ("ACCOUNTD_REST__DIALECTS__USER_API", "/api"),
        ("ACCOUNTD_REST__DIALECTS__CORVUS", "/corvus/auth"),
        ("ACCOUNTD_REST__DIALECTS__FLASK_AUTH_SERVICE_MONGO", "/app"),
    ])
    .await;
    for (path, like) in [
        ("/token-validation", ""),
        ("/flask/logout", "Bearer"),
        ("/flask/refresh", "Bearer"),
        ("/api/users/", ""),
        ("/corvus/auth/bump", ""),
        ("/corvus/user", ""),
        ("/app/logout", ""),
    ] {
        for method in [Method::GET, Method::POST] {
            let ask = async |value: &str| {
                let mut headers = vec![("content-type", "application/json")];
                if !value.is_empty() {
                    headers.push(("authorization", value));
                }
                let answer = app.anonymous().request(method.clone(), path, &headers, "{}").await;
                let text = answer.text.split("\"request").next().unwrap_or_default().to_owned();
                (answer.status, text)
            };
            for scheme in OTHER_SCHEMES {
                assert_eq!(ask(scheme).await, ask(like).await, "{method} {path} {scheme}");
            }
        }
    }
    // The cookie of user-api is accepted, too.
    app.user("ann").await;
    let body = json!({ "email": "ann", "password": PASSWORD });
    let login = app.anonymous().json(Method::POST, "/api/users/login", &body).await;
    let cookie = login.header("set-cookie").unwrap().split(';').next().unwrap();
    for scheme in OTHER_SCHEMES {
        let headers = [("cookie", cookie), ("authorization", scheme)];
        let answer = app.anonymous().request(Method::GET, "/api/users/token", &headers, "").await;
        assert_eq!(answer.status, 200, "{scheme}: {}", answer.text);
    }
}
