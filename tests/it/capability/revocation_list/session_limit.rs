//! The limit on sessions of a user (promise S21), and on those that the revocation list names.

use axum::http::Method;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::TimeDelta;
use entity::session::{self, EndReason};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder};
use serde_json::json;

use crate::support::gateway::Gateway;
use crate::support::{Actor, PASSWORD, TestApp};

const SETTINGS: [(&str, &str); 5] = [
    ("ACCOUNTD_LIMITS__MAX_SESSIONS_PER_USER", "3"),
    ("ACCOUNTD_REST__DIALECTS__TECLADOCODE", "/flask"),
    ("ACCOUNTD_REST__DIALECTS__USER_API", "/api"),
    ("ACCOUNTD_REST__DIALECTS__CORVUS", "/auth"),
    ("ACCOUNTD_REST__DIALECTS__FLASK_AUTH_SERVICE_MONGO", "/app"),
];

/// The end reason of every session, oldest first.
async fn ends(app: &TestApp) -> Vec<Option<EndReason>> {
    let oldest_first = session::Entity::find().order_by_asc(session::Column::Id);
    oldest_first.all(app.app.db.reader()).await.unwrap().into_iter().map(|session| session.end_reason).collect()
}

async fn live(app: &TestApp) -> u64 {
    let live = session::Entity::find().filter(session::Column::EndedAt.is_null());
    live.count(app.app.db.reader()).await.unwrap()
}

/// S21: whichever route opens the session.
#[tokio::test]
async fn login_over_the_session_limit_ends_the_oldest_session() {
    let pair = json!({ "username": "ann", "password": PASSWORD });
    let email = json!({ "email": "ann", "password": PASSWORD });
    let basic = format!("Basic {}", STANDARD.encode(format!("ann:{PASSWORD}")));
    for (route, body) in
        [("/login", &pair), ("/flask/login", &pair), ("/api/users/login", &email), ("/app/login", &pair)]
    {
        let app = TestApp::with(&SETTINGS).await;
        let first = app.user("ann").await;
        let second = app.login("ann", PASSWORD).await;
        let third = app.login("ann", PASSWORD).await;
        assert_eq!(ends(&app).await, [None; 3], "{route}");
        let answer = app.anonymous().json(Method::POST, route, body).await;
        assert_eq!(answer.status, 200, "{route}: {}", answer.text);
        assert_eq!(ends(&app).await, [Some(EndReason::SessionLimit), None, None, None], "{route}");
        assert_eq!(first.me_reason().await.as_deref(), Some("SESSION_ENDED"), "{route}");
        assert!(!Gateway::of(&app).await.accepts(first.token.as_deref().unwrap()), "{route}");
        for actor in [&second, &third] {
            assert_eq!(actor.me_code().await, None, "{route}");
        }
        let sessions = "{ me { sessions(active: false) { nodes { endReason } } } }";
        let shown = second.send(sessions, json!({})).await;
        if let Some(nodes) = shown.json().pointer("/data/me/sessions/nodes") {
            assert_eq!(nodes.as_array().unwrap().last().unwrap()["endReason"], "SESSION_LIMIT", "{route}");
        }
    }
    // A login of Corvus has a session only for its duration.
    let app = TestApp::with(&SETTINGS).await;
    let ann = app.user("ann").await;
    let answer = app.anonymous().request(Method::POST, "/auth/login", &[("authorization", &basic)], "").await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(ann.me_code().await, None);
}

/// A password change replaces its own session: no other has to end.
#[tokio::test]
async fn password_change_at_the_session_limit_keeps_other_sessions() {
    let app = TestApp::with(&SETTINGS).await;
    let ann = app.user("ann").await;
    let others = [app.login("ann", PASSWORD).await, app.login("ann", PASSWORD).await];
    let input = json!({
        "currentPassword": PASSWORD, "newPassword": "another-horse-battery-8", "revokeOtherSessions": false
    });
    let query = "tokens { accessToken refreshToken }";
    ann.mutate("updatePassword", input, query).await;
    for other in others {
        assert_ne!(other.me_reason().await.as_deref(), Some("SESSION_ENDED"));
    }
}

/// Parallel logins on two nodes.
#[tokio::test(flavor = "multi_thread")]
async fn parallel_logins_on_two_nodes_obey_the_session_limit() {
    let app = TestApp::with(&SETTINGS).await;
    app.user("ann").await;
    let beside = app.second_node().await;
    let logins: Vec<_> = (0..24)
        .map(|number| {
            let anonymous = if number % 2 == 0 { app.anonymous() } else { beside.anonymous() };
            let input = json!({ "username": "ann", "password": PASSWORD });
            tokio::spawn(async move {
                let answer = anonymous.mutate_retrying("login", input, "tokens { accessToken } errors { code }").await;
                assert_eq!(answer.payload_error("login"), None, "{}", answer.text);
            })
        })
        .collect();
    for login in logins {
        login.await.unwrap();
    }
    assert_eq!(live(&app).await, 3);
    let reasons = ends(&app).await;
    assert_eq!(reasons.iter().filter(|reason| **reason == Some(EndReason::SessionLimit)).count(), 22, "{reasons:?}");
}

/// The command line ends sessions, too; it creates users, and removes no role.
#[tokio::test]
async fn sessions_ended_by_the_cli_are_on_the_revocation_list() {
    let app = TestApp::new().await;
    let actors = [app.admin("root").await, app.user("ann").await, app.login("ann", PASSWORD).await];
    let fourth = app.admin("eve").await;
    for actor in actors.iter().chain([&fourth]) {
        assert!(Gateway::of(&app).await.accepts(actor.token.as_deref().unwrap()));
    }
    accountd::account::operator::recovery::end_all_sessions(
        &app.app,
        accountd::account::authentication::session_end::ApiTokenSelection::FromLogin,
    )
    .await
    .unwrap();
    let gateway = Gateway::of(&app).await;
    for actor in actors.iter().chain([&fourth]) {
        assert!(!gateway.accepts(actor.token.as_deref().unwrap()));
    }
    assert_eq!(gateway.count("users"), 0);
}

/// Above a hundred the list has a cut-off of the user, which revokes all of them; it revokes no less than before.
#[tokio::test]
async fn mass_session_end_is_one_revocation_list_entry() {
    let app = TestApp::new().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let mut ended: Vec<Actor> = Vec::new();
    for _ in 0..100 {
        let actor = app.login("ann", PASSWORD).await;
        actor.mutate_ok("logout", json!({}), "ok").await;
        ended.push(actor);
    }
    let gateway = Gateway::of(&app).await;
    assert_eq!((gateway.count("sessions"), gateway.count("users")), (100, 0));
    assert!(gateway.accepts(ann.token.as_deref().unwrap()));
    let last = app.login("ann", PASSWORD).await;
    last.mutate_ok("logout", json!({}), "ok").await;
    ended.push(last);
    let gateway = Gateway::of(&app).await;
    assert_eq!((gateway.count("sessions"), gateway.count("users")), (0, 1), "{:?}", gateway.list);
    assert!(gateway.list["users"].get(&ann.id).is_some());
    for actor in &ended {
        assert!(!gateway.accepts(actor.token.as_deref().unwrap()));
    }
    // A remaining session refreshes once.
    assert!(!gateway.accepts(ann.token.as_deref().unwrap()));
    let renewed = ann.refresh(ann.refresh_token.as_deref().unwrap()).await;
    let renewed = ann.signed_in(&renewed.data()["refresh"]);
    assert!(gateway.accepts(renewed.token.as_deref().unwrap()));
    assert!(gateway.accepts(root.token.as_deref().unwrap()), "no other user is affected");
    // The next hundred are listed one by one again.
    let next = app.login("ann", PASSWORD).await;
    next.mutate_ok("logout", json!({}), "ok").await;
    let gateway = Gateway::of(&app).await;
    assert_eq!((gateway.count("sessions"), gateway.count("users")), (1, 1));
    assert!(!gateway.accepts(next.token.as_deref().unwrap()));
    assert!(gateway.accepts(renewed.token.as_deref().unwrap()));
}

/// Tokens issued after the last one of the ended sessions stay valid: a password change that ends a hundred sessions
/// returns one that gateways accept.
#[tokio::test]
async fn mass_session_end_spares_the_session_that_replaces_them() {
    let app = TestApp::with(&[("ACCOUNTD_LIMITS__MAX_SESSIONS_PER_USER", "1000")]).await;
    let ann = app.user("ann").await;
    let mut ended = vec![ann.clone()];
    for _ in 0..101 {
        ended.push(app.login("ann", PASSWORD).await);
    }
    app.clock.advance(TimeDelta::seconds(2));
    let input = json!({ "currentPassword": PASSWORD, "newPassword": "another-strong-password-7" });
    let changed = ann.mutate_ok("updatePassword", input, "tokens { accessToken refreshToken }").await;
    let gateway = Gateway::of(&app).await;
    assert_eq!((gateway.count("sessions"), gateway.count("users")), (0, 1));
    assert!(gateway.accepts(changed["tokens"]["accessToken"].as_str().unwrap()), "{:?}", gateway.list);
    for actor in &ended {
        assert!(!gateway.accepts(actor.token.as_deref().unwrap()));
    }
}
