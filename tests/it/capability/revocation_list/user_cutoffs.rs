//! Cut-offs of users: no access token with what was taken passes a gateway, and every later one does.

use std::sync::Arc;
use std::time::Duration;

use accountd::store::{TenantScope, roles, users};
use axum::http::Method;
use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};

use crate::support::database::backend;
use crate::support::gateway::{Gateway, claims};
use crate::support::statement_transaction::StatementTransaction;
use crate::support::{Actor, PASSWORD, TestApp, TestResponse};

const DIALECTS: [(&str, &str); 4] = [
    ("ACCOUNTD_REST__DIALECTS__TECLADOCODE", "/flask"),
    ("ACCOUNTD_REST__DIALECTS__USER_API", "/api"),
    ("ACCOUNTD_REST__DIALECTS__CORVUS", "/auth"),
    ("ACCOUNTD_REST__DIALECTS__AUTH_SERVICE", "/app"),
];

/// How far the clocks of two nodes may be apart.
const CLOCK_SKEW: TimeDelta = TimeDelta::seconds(5);

/// How a session gets another access token.
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

/// S5: a node whose clock is ahead issues a token from roles that another node then takes away.
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
        // A replay lets time pass on its node alone.
        here.clock.advance(there.clock.current() - here.clock.current() - CLOCK_SKEW);
    }
}

/// What a gateway takes right after the change, from the node that made it: a client that was refused refreshes once.
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
        assert_eq!(ann.with_token(&fresh).me_code().await, None, "{how:?}: this server takes it as well");
        let lifetime = claims(&fresh)["exp"].as_i64().unwrap() - claims(&fresh)["iat"].as_i64().unwrap();
        assert_eq!(lifetime, 900, "{how:?}");
    }
}

/// A user whose roles are changed again and again is not shut out, and no `iat` runs away from the clock.
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

/// InnoDB renews its list of transactions only after 100 ms without a read.
const RECHECK_INTERVAL: Duration = Duration::from_millis(150);

/// Whether somebody waits for a lock in this database; nobody can tell on SQLite.
async fn is_blocked(db: &impl ConnectionTrait) -> bool {
    let sql = match backend() {
        DbBackend::Postgres => {
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        }
        DbBackend::MySql => {
            "SELECT count(*) FROM information_schema.innodb_trx JOIN information_schema.processlist
             ON processlist.id = trx_mysql_thread_id WHERE db = DATABASE() AND trx_state = 'LOCK WAIT'"
        }
        _ => return true,
    };
    let row = db.query_one_raw(Statement::from_sql_and_values(backend(), sql, [])).await.unwrap().unwrap();
    row.try_get_by_index::<i64>(0).unwrap() > 0
}

/// S5: while a change of the roles is under way, nobody issues a token from the old ones: a refresh waits for it.
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
        assert!(users::update_version(&tx, &row, here.clock.current()).await.unwrap());
        let issuing = tokio::spawn({
            let (there, eve, name) = (Arc::clone(&there), eve.clone(), name.clone());
            async move { issue(how, &there, &eve, &name).await }
        });
        while !issuing.is_finished() && !is_blocked(here.app.db.reader()).await {
            tokio::time::sleep(RECHECK_INTERVAL).await;
        }
        tx.0.commit().await.unwrap();
        let token = issuing.await.unwrap();
        assert_eq!(claims(&token)["roles"], json!([]), "{how:?}: issued from roles that were being taken");
    }
}

/// The door of user-api that once forgot, in each of its ways.
#[tokio::test]
async fn user_api_put_writes_a_cut_off() {
    let app = TestApp::with(&DIALECTS).await;
    let root = app.admin("root").await;
    for (name, change) in [("eve", json!({ "roles": [] })), ("ann", json!({ "active": false }))] {
        let actor = app.admin(name).await;
        let number =
            users::find_by_username(app.app.db.reader(), TenantScope::AllTenants, name).await.unwrap().unwrap().id;
        let mut body = json!({ "email": name, "name": name, "active": true });
        body.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        let answer = root.json(Method::PUT, &format!("/api/users/{number}"), &body).await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        let gateway = Gateway::of(&app).await;
        assert!(gateway.list["users"].get(&actor.id).is_some(), "{change}: {:?}", gateway.list);
        assert!(!gateway.accepts(actor.token.as_deref().unwrap()));
    }
}

/// Services go by the name, which another user may take from now on.
#[tokio::test]
async fn username_change_writes_a_cut_off() {
    let app = TestApp::with(&DIALECTS).await;
    let root = app.admin("root").await;
    for (number, by_owner) in [true, false].into_iter().enumerate() {
        let ann = app.user(&format!("ann-{number}")).await;
        let name = format!("bea-{number}");
        if by_owner {
            ann.mutate_ok("updateProfile", json!({ "username": name }), "user { id }").await;
        } else {
            root.mutate_ok("updateUser", json!({ "userId": ann.id, "username": name }), "user { id }").await;
        }
        assert!(!Gateway::of(&app).await.accepts(ann.token.as_deref().unwrap()), "by the owner: {by_owner}");
        let renewed = ann.refresh(ann.refresh_token.as_deref().unwrap()).await;
        let ann = ann.signed_in(&renewed.data()["refresh"]);
        assert!(Gateway::of(&app).await.accepts(ann.token.as_deref().unwrap()), "by the owner: {by_owner}");
    }
}

/// A clock that leapt ahead locks no user out once it is set right.
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

/// What changes no role revokes nothing.
#[tokio::test]
async fn setting_unchanged_roles_writes_no_cut_off() {
    let app = TestApp::new().await;
    let (root, eve) = (app.admin("root").await, app.admin("eve").await);
    root.mutate_ok("setUserRoles", json!({ "userId": eve.id, "roles": ["admin"] }), "user { id }").await;
    assert!(Gateway::of(&app).await.accepts(eve.token.as_deref().unwrap()));
}
