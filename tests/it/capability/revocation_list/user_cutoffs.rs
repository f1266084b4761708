//! Cut-offs of users: no access token with removed rights passes a gateway, and every later token does.

mod causes;

use std::sync::Arc;

use accountd::store::{TenantScope, roles, users};
use axum::http::Method;
use chrono::TimeDelta;
use serde_json::{Value, json};

use crate::support::gateway::{Gateway, claims};
use crate::support::lock_wait::until_blocked;
use crate::support::statement_transaction::StatementTransaction;
use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

const DIALECTS: [(&str, &str); 4] = [
    ("ACCOUNTD_REST__DIALECTS__TECLADOCODE", "/flask"),
    ("ACCOUNTD_REST__DIALECTS__USER_API", "/api"),
    ("ACCOUNTD_REST__DIALECTS__CORVUS", "/auth"),
    ("ACCOUNTD_REST__DIALECTS__FLASK_AUTH_SERVICE_MONGO", "/app"),
];

/// The tolerated clock skew between two nodes.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(5);

/// A way by which a session gets another access token.
#[derive(Debug, Clone, Copy)]
enum IssuePath {
    Login,
    Refresh,
    Replay,
    PlantDb,
    Tecladocode,
    AuthService,
    UpdatePassword,
}

const ISSUE_PATHS: [IssuePath; 7] = [
    IssuePath::Login,
    IssuePath::Refresh,
    IssuePath::Replay,
    IssuePath::PlantDb,
    IssuePath::Tecladocode,
    IssuePath::AuthService,
    IssuePath::UpdatePassword,
];

fn text(answer: &TestResponse, pointer: &str) -> String {
    let found = answer.json().pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    found.unwrap_or_else(|| panic!("no {pointer} in {}", answer.text))
}

/// The access token that `actor` gets from `node`.
async fn issue(issue: IssuePath, node: &TestApp, actor: &Actor, name: &str) -> String {
    let actor = node.reconnect(actor);
    let refresh_token = actor.refresh_token.as_deref().unwrap();
    match issue {
        IssuePath::Login => node.login(name, PASSWORD).await.token.unwrap(),
        IssuePath::Refresh => text(&actor.refresh(refresh_token).await, "/data/refresh/tokens/accessToken"),
        IssuePath::Replay => {
            actor.refresh(refresh_token).await.data();
            node.clock.advance(TimeDelta::seconds(2));
            let replayed = actor.refresh(refresh_token).await;
            assert_eq!(replayed.data()["refresh"]["outcome"], "REPLAYED");
            text(&replayed, "/data/refresh/tokens/accessToken")
        }
        IssuePath::PlantDb => {
            let body = json!({ "refresh_token": refresh_token });
            text(&actor.json(Method::POST, "/token-refresh", &body).await, "/access_token")
        }
        IssuePath::Tecladocode => {
            let answer = actor.with_token(refresh_token).request(Method::POST, "/flask/refresh", &[], "").await;
            text(&answer, "/access_token")
        }
        IssuePath::AuthService => {
            let body = json!({ "username": name, "password": PASSWORD });
            text(&node.anonymous().json(Method::POST, "/app/login", &body).await, "/data/access_token")
        }
        IssuePath::UpdatePassword => {
            let input = json!({ "currentPassword": PASSWORD, "newPassword": "another-horse-battery-8" });
            actor.mutate_ok("updatePassword", input, "tokens { accessToken }").await["tokens"]["accessToken"]
                .as_str()
                .unwrap()
                .to_owned()
        }
    }
}

/// S5: a node with a fast clock issues a token from roles that another node then removes.
#[tokio::test]
async fn cut_off_revokes_tokens_of_a_node_with_fast_clock() {
    let here = TestApp::with(&DIALECTS).await;
    let root = here.admin("root").await;
    let there = here.second_node_ahead(CLOCK_SKEW).await;
    for (number, how) in ISSUE_PATHS.into_iter().enumerate() {
        let name = format!("eve-{number}");
        let eve = here.admin(&name).await;
        let stale = issue(how, &there, &eve, &name).await;
        assert_eq!(claims(&stale)["roles"], json!(["admin"]));
        root.mutate_ok("setUserRoles", json!({ "userId": eve.id, "roles": [] }), "user { id }").await;
        let gateway = Gateway::of(&here).await;
        assert!(!gateway.accepts(&stale), "{how:?}: {} with {:?}", claims(&stale), gateway.list);
        // A replay advances the time of its node only.
        here.clock.advance(there.clock.current() - here.clock.current() - CLOCK_SKEW);
    }
}

/// The tokens that a gateway accepts right after the change, from the node that made it: a refused client refreshes
/// once.
#[tokio::test]
async fn token_issued_after_a_cut_off_is_accepted_at_once() {
    let app = TestApp::with(&DIALECTS).await;
    let root = app.admin("root").await;
    for (number, how) in ISSUE_PATHS.into_iter().enumerate() {
        let name = format!("ann-{number}");
        app.user(&name).await;
        let ann = app.login(&name, PASSWORD).await;
        root.mutate_ok("setUserRoles", json!({ "userId": ann.id, "roles": ["admin"] }), "user { id }").await;
        let fresh = issue(how, &app, &ann, &name).await;
        assert_eq!(claims(&fresh)["roles"], json!(["admin"]), "{how:?}");
        let gateway = Gateway::of(&app).await;
        assert!(gateway.accepts(&fresh), "{how:?}: {} with {:?}", claims(&fresh), gateway.list);
        assert!(!gateway.accepts(ann.token.as_deref().unwrap()), "{how:?}");
        assert_eq!(ann.with_token(&fresh).me_code().await, None, "{how:?}: this server accepts it as well");
        let lifetime = claims(&fresh)["exp"].as_i64().unwrap() - claims(&fresh)["iat"].as_i64().unwrap();
        assert_eq!(lifetime, 900, "{how:?}");
    }
}

/// A user with frequent role changes is not locked out, and no `iat` drifts from the clock.
#[tokio::test]
async fn repeated_role_changes_keep_the_cut_off_near_the_clock() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let mut ann = app.user("ann").await;
    for round in 0..20 {
        let roles: &[&str] = if round % 2 == 0 { &["admin"] } else { &[] };
        root.mutate_ok("setUserRoles", json!({ "userId": ann.id, "roles": roles }), "user { id }").await;
        let renewed = ann.refresh(ann.refresh_token.as_deref().unwrap()).await;
        ann = ann.signed_in(&renewed.data()["refresh"]);
        let ahead = claims(ann.token.as_deref().unwrap())["iat"].as_i64().unwrap();
        assert!(ahead - app.clock.current().timestamp() <= 5, "{ahead}");
        assert_eq!(ann.me_code().await, None);
    }
}

/// S5: during a change of the roles no token is issued from the old ones: a refresh waits.
#[tokio::test(flavor = "multi_thread")]
async fn refresh_waits_for_a_role_change_in_progress() {
    let here = TestApp::with(&DIALECTS).await;
    here.admin("root").await;
    let there = Arc::new(here.second_node().await);
    for how in [IssuePath::Refresh, IssuePath::PlantDb, IssuePath::Tecladocode, IssuePath::Login] {
        let name = format!("eve-{how:?}").to_lowercase();
        let eve = here.admin(&name).await;
        let tx = StatementTransaction(here.app.db.begin().await.unwrap());
        let row = users::find_by_username(&tx, TenantScope::AllTenants, &name).await.unwrap().unwrap();
        roles::replace_of_user(&tx, row.id, &[].into()).await.unwrap();
        users::update_version(&tx, &row, here.clock.current()).await.unwrap();
        let issuing = tokio::spawn({
            let (there, eve, name) = (Arc::clone(&there), eve.clone(), name.clone());
            async move { issue(how, &there, &eve, &name).await }
        });
        until_blocked(&here, &issuing).await;
        tx.0.commit().await.unwrap();
        let token = issuing.await.unwrap();
        assert_eq!(claims(&token)["roles"], json!([]), "{how:?}: issued from roles during their removal");
    }
}

/// A corrected clock jump locks no user out.
#[tokio::test]
async fn cut_off_of_a_fast_clock_is_ignored_after_correction() {
    let app = TestApp::with(&DIALECTS).await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let before = app.clock.current();
    app.clock.advance(TimeDelta::minutes(10));
    root.mutate_ok("setUserRoles", json!({ "userId": ann.id, "roles": ["admin"] }), "user { id }").await;
    app.clock.advance(before - app.clock.current());
    let ann = app.login("ann", PASSWORD).await;
    assert!(Gateway::of(&app).await.accepts(ann.token.as_deref().unwrap()));
}
