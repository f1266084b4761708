//! Embedding: another application nests the router, protects its own routes, and receives hooks.

mod hooks;
mod own_schema;

use accountd::{App, CurrentUser, require_permission, require_role};
use axum::Router;
use axum::extract::FromRef;
use axum::http::Method;
use axum::routing::get;
use chrono::TimeDelta;
use serde_json::json;

use crate::support::{Actor, PASSWORD, SECURITY_HEADERS, TestApp, TestResponse};

/// The example; its `main` is unused here.
#[path = "../../../examples/embedded.rs"]
#[expect(dead_code, reason = "its `main` is for its readers")]
mod embedded;

/// An application with its own state.
#[derive(Clone)]
struct Shop {
    accounts: App,
    greeting: &'static str,
}

impl FromRef<Shop> for App {
    fn from_ref(shop: &Shop) -> Self {
        shop.accounts.clone()
    }
}

/// The routes of an application that embeds the service.
fn shop(app: &TestApp) -> Router {
    let accounts = app.app.clone();
    let describe =
        async |user: CurrentUser| format!("{} {:?} {:?} {:?}", user.id(), user.username(), user.roles(), user.scopes());
    let maybe = async |user: Option<CurrentUser>| user.map_or("nobody".to_owned(), |user| user.username().to_owned());
    let greeting = async |axum::extract::State(shop): axum::extract::State<Shop>| shop.greeting;
    Router::new()
        .route("/me", get(describe))
        .route("/maybe", get(maybe))
        .route("/admins", get(greeting).layer(require_role(&accounts, "ADMIN")))
        .route("/readers", get(greeting).layer(require_permission(&accounts, "USERS_READ")))
        .route("/nonsense", get(greeting).layer(require_permission(&accounts, "NO_SUCH_THING")))
        .nest("/accounts", accountd::router(accounts.clone()).unwrap())
        .fallback(async || "the shop's own page")
        .with_state(Shop { accounts, greeting: "come in" })
}

async fn send(actor: &Actor, path: &str) -> TestResponse {
    actor.request(Method::GET, path, &[], "").await
}

/// Status and text.
async fn status_and_text(actor: &Actor, path: &str) -> (u16, String) {
    let answer = send(actor, path).await;
    (answer.status.as_u16(), answer.text)
}

#[tokio::test]
async fn embedded_router_serves_in_another_application() {
    let app = TestApp::new().await;
    let outside = app.anonymous().at_router(shop(&app));
    let login = json!({ "query": "mutation { register(input: { username: \"ann\", password: \"correct-horse-battery-7\" }) {
        user { id } tokens { accessToken refreshToken } } }" });
    let answer = outside.json(Method::POST, "/accounts/graphql", &login).await;
    let ann = outside.signed_in(&answer.data()["register"]);
    assert_eq!(status_and_text(&ann, "/me").await, (200, format!("{} \"ann\" [] None", ann.id)));
    assert_eq!(send(&outside, "/accounts/healthz").await.status, 200);
    assert_eq!(send(&outside, "/accounts/nowhere").await.json()["code"], "NOT_FOUND");
    assert_eq!(status_and_text(&outside, "/nowhere").await, (200, "the shop's own page".to_owned()));
    assert_eq!(status_and_text(&outside, "/graphql").await, (200, "the shop's own page".to_owned()));
}

/// `tests/clients/readme.test.js` runs the built example; this test covers the access rules of its routes.
#[tokio::test]
async fn embedding_example_works() {
    let app = TestApp::new().await;
    let routes = embedded::router(app.app.clone()).unwrap();
    let root = app.admin("root").await.at_router(routes.clone());
    let ann = app.user("ann").await.at_router(routes.clone());
    let anonymous = app.anonymous().at_router(routes);
    for (path, statuses) in [("/", [200, 200, 200]), ("/notes", [401, 200, 200]), ("/report", [401, 403, 200])] {
        for (who, status) in [&anonymous, &ann, &root].into_iter().zip(statuses) {
            assert_eq!(send(who, path).await.status.as_u16(), status, "{path}");
        }
    }
    assert_eq!(status_and_text(&ann, "/").await.1, "hello, ann");
    assert_eq!(send(&ann, "/notes").await.json()["of"], "ann");
    assert_eq!(send(&anonymous, "/accounts/readyz").await.status, 200);
}

#[tokio::test]
async fn embedding_route_requires_a_live_session() {
    let app = TestApp::new().await;
    app.admin("root").await;
    let ann = app.user("ann").await.at_router(shop(&app));
    let anonymous = app.anonymous().at_router(shop(&app));
    let answer = send(&anonymous, "/me").await;
    assert_eq!((answer.status.as_u16(), answer.header("www-authenticate")), (401, Some("Bearer")));
    assert_eq!(
        (answer.header("content-type"), answer.json()["code"].as_str()),
        (Some("application/problem+json"), Some("UNAUTHENTICATED"))
    );
    for (name, value) in SECURITY_HEADERS {
        assert_eq!(answer.header(name), Some(value));
    }
    assert_eq!(status_and_text(&anonymous, "/maybe").await, (200, "nobody".to_owned()));
    assert_eq!(status_and_text(&ann, "/maybe").await, (200, "ann".to_owned()));
    for path in ["/me", "/maybe", "/admins"] {
        let answer = send(&ann.with_token("nonsense"), path).await;
        let challenge = answer.header("www-authenticate");
        assert_eq!((answer.status.as_u16(), challenge), (401, Some("Bearer error=\"invalid_token\"")), "{path}");
    }
    app.clock.advance(TimeDelta::minutes(16));
    assert_eq!(status_and_text(&ann, "/me").await.0, 401, "the access token has expired");
    let ann = app.login("ann", PASSWORD).await.at_router(shop(&app));
    assert_eq!(status_and_text(&ann, "/me").await.0, 200);
    let root = app.login("root", PASSWORD).await;
    root.mutate_ok("setUserStatus", json!({ "userId": ann.id, "status": "DISABLED" }), "user { id }").await;
    assert_eq!(status_and_text(&ann, "/me").await.0, 401, "a disabled user is anonymous from the next request on");
}

/// Z-4: current roles count, not those in the token.
#[tokio::test]
async fn require_layer_checks_current_roles_and_permissions() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await.at_router(shop(&app));
    let (_, program) = root.api_token(&["USERS_READ"]).await;
    let program = program.at_router(shop(&app));
    let forbidden = send(&ann, "/admins").await;
    assert_eq!(forbidden.json()["code"], "FORBIDDEN");
    assert_eq!(forbidden.header("www-authenticate"), Some("Bearer error=\"insufficient_scope\""));
    assert_eq!(send(&app.anonymous().at_router(shop(&app)), "/admins").await.status, 401);
    let statuses = async |actor: &Actor| {
        let mut statuses = Vec::new();
        for path in ["/admins", "/readers", "/nonsense"] {
            statuses.push(send(actor, path).await.status.as_u16());
        }
        statuses
    };
    assert_eq!(statuses(&ann).await, [403, 403, 403]);
    assert_eq!(statuses(&root.at_router(shop(&app))).await, [200, 200, 403]);
    assert_eq!(statuses(&program).await, [403, 200, 403], "an API token has its own permissions");
    for (roles, expected) in [(json!(["admin"]), [200, 200, 403]), (json!([]), [403, 403, 403])] {
        root.mutate_ok("setUserRoles", json!({ "userId": ann.id, "roles": roles }), "user { id }").await;
        assert_eq!(statuses(&ann).await, expected);
    }
    root.mutate_ok("setUserPassword", json!({ "userId": ann.id, "password": "third-horse-battery-9" }), "user { id }")
        .await;
    let ann = app.login("ann", "third-horse-battery-9").await.at_router(shop(&app));
    assert_eq!(send(&ann, "/me").await.json()["code"], "PASSWORD_CHANGE_REQUIRED");
}

/// X1: a cookie authenticates the application's routes for same-site pages only.
#[tokio::test]
async fn access_token_cookie_is_accepted_from_same_site_only() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let cookie = format!("__Host-accountd-access={}", ann.token.as_ref().unwrap());
    let browser = app.anonymous().at_router(shop(&app));
    for (site, status) in [("same-origin", 200), ("cross-site", 401), ("same-site", 401)] {
        let headers = [("cookie", cookie.as_str()), ("sec-fetch-site", site), ("host", "shop.example.org")];
        let answer = browser.request(Method::GET, "/me", &headers, "").await;
        assert_eq!(answer.status.as_u16(), status, "{site}");
    }
}

/// A program may embed two services; a user of one is unknown in the other.
#[tokio::test]
async fn two_embedded_services_refuse_each_others_tokens() {
    let (one, other) = (TestApp::new().await, TestApp::new().await);
    let root = one.admin("root").await;
    let inner = async |user: CurrentUser| user.username().to_owned();
    let routes =
        Router::new().route("/", get(inner)).with_state(other.app.clone()).layer(require_role(&one.app, "admin"));
    assert_eq!(send(&root.at_router(routes), "/").await.status, 401);
}
