//! Cut-offs of users: no access token with what was taken passes a gateway, and every later one does.

use std::sync::Arc;
use std::time::Duration;

use accountd::store::{Scope, roles, users};
use axum::http::Method;
use chrono::TimeDelta;
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde_json::{Value, json};

use crate::support::database::backend;
use crate::support::gateway::{Gateway, claims};
use crate::support::revoking::Revoking;
use crate::support::{Actor, Answer, PASSWORD, TestApp};

const DIALECTS: [(&str, &str); 4] = [
    ("ACCOUNTD_REST__DIALECTS__TECLADOCODE", "/flask"),
    ("ACCOUNTD_REST__DIALECTS__USER_API", "/api"),
    ("ACCOUNTD_REST__DIALECTS__CORVUS", "/auth"),
    ("ACCOUNTD_REST__DIALECTS__AUTH_SERVICE", "/app"),
];

/// How far the clocks of two nodes may be apart.
const SKEW: TimeDelta = TimeDelta::seconds(5);

/// How a session gets another access token.
#[derive(Debug, Clone, Copy)]
enum Issue {
    Login,
    Refresh,
    Replay,
    PlantDb,
    Tecladocode,
    AuthService,
    UpdatePassword,
}

const ISSUES: [Issue; 7] = [
    Issue::Login,
    Issue::Refresh,
    Issue::Replay,
    Issue::PlantDb,
    Issue::Tecladocode,
    Issue::AuthService,
    Issue::UpdatePassword,
];

fn text(answer: &Answer, pointer: &str) -> String {
    let found = answer.json().pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    found.unwrap_or_else(|| panic!("no {pointer} in {}", answer.text))
}

/// The access token that `actor` gets from `node`.
async fn issue(issue: Issue, node: &TestApp, actor: &Actor, name: &str) -> String {
    let actor = node.again(actor);
    let refresh_token = actor.refresh_token.as_deref().unwrap();
    match issue {
        Issue::Login => node.login(name, PASSWORD).await.token.unwrap(),
        Issue::Refresh => text(&actor.refresh(refresh_token).await, "/data/refresh/tokens/accessToken"),
        Issue::Replay => {
            actor.refresh(refresh_token).await.data();
            node.clock.advance(TimeDelta::seconds(2));
            let replayed = actor.refresh(refresh_token).await;
            assert_eq!(replayed.data()["refresh"]["outcome"], "REPLAYED");
            text(&replayed, "/data/refresh/tokens/accessToken")
        }
        Issue::PlantDb => {
            let body = json!({ "refresh_token": refresh_token });
            text(&actor.json(Method::POST, "/token-refresh", &body).await, "/access_token")
        }
        Issue::Tecladocode => {
            let answer = actor.with_token(refresh_token).request(Method::POST, "/flask/refresh", &[], "").await;
            text(&answer, "/access_token")
        }
        Issue::AuthService => {
            let body = json!({ "username": name, "password": PASSWORD });
            text(&node.anonymous().json(Method::POST, "/app/login", &body).await, "/data/access_token")
        }
        Issue::UpdatePassword => {
            let input = json!({ "currentPassword": PASSWORD, "newPassword": "another-horse-battery-8" });
            actor.done("updatePassword", input, "tokens { accessToken }").await["tokens"]["accessToken"]
                .as_str()
                .unwrap()
                .to_owned()
        }
    }
}

/// S5: a node whose clock is ahead issues a token from roles that another node then takes away.
#[tokio::test]
async fn revoke_what_a_node_issued_whose_clock_is_ahead() {
    let here = TestApp::with(&DIALECTS).await;
    let root = here.admin("root").await;
    let there = here.beside_ahead(SKEW).await;
    for (number, how) in ISSUES.into_iter().enumerate() {
        let name = format!("eve-{number}");
        let eve = here.admin(&name).await;
        let stale = issue(how, &there, &eve, &name).await;
        assert_eq!(claims(&stale)["roles"], json!(["admin"]));
        root.done("setUserRoles", json!({ "userId": eve.id, "roles": [] }), "user { id }").await;
        let gateway = Gateway::of(&here).await;
        assert!(!gateway.accepts(&stale), "{how:?}: {} with {:?}", claims(&stale), gateway.list);
        // A replay lets time pass on its node alone.
        here.clock.advance(there.clock.stopped_at() - here.clock.stopped_at() - SKEW);
    }
}

/// What a gateway takes right after the change, from the node that made it: a client that was refused refreshes once.
#[tokio::test]
async fn accept_what_is_issued_after_the_change_at_once() {
    let app = TestApp::with(&DIALECTS).await;
    let root = app.admin("root").await;
    for (number, how) in ISSUES.into_iter().enumerate() {
        let name = format!("ann-{number}");
        app.user(&name).await;
        let ann = app.login(&name, PASSWORD).await;
        root.done("setUserRoles", json!({ "userId": ann.id, "roles": ["admin"] }), "user { id }").await;
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
async fn stay_near_the_clock_however_often_roles_change() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let mut ann = app.user("ann").await;
    for round in 0..20 {
        let roles: &[&str] = if round % 2 == 0 { &["admin"] } else { &[] };
        root.done("setUserRoles", json!({ "userId": ann.id, "roles": roles }), "user { id }").await;
        let renewed = ann.refresh(ann.refresh_token.as_deref().unwrap()).await;
        ann = ann.signed_in(&renewed.data()["refresh"]);
        let ahead = claims(ann.token.as_deref().unwrap())["iat"].as_i64().unwrap();
        assert!(ahead - app.clock.stopped_at().timestamp() <= 5, "{ahead}");
        assert_eq!(ann.me_code().await, None);
    }
}

/// InnoDB renews its list of transactions only after 100 ms without a read.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(150);

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
async fn a_refresh_waits_for_a_change_that_is_under_way() {
    let here = TestApp::with(&DIALECTS).await;
    here.admin("root").await;
    let there = Arc::new(here.beside().await);
    for how in [Issue::Refresh, Issue::PlantDb, Issue::Tecladocode, Issue::Login] {
        let name = format!("eve-{how:?}").to_lowercase();
        let eve = here.admin(&name).await;
        let tx = Revoking(here.app.db.begin().await.unwrap());
        let row = users::find_by_username(&tx, Scope::Installation, &name).await.unwrap().unwrap();
        roles::replace_of_user(&tx, row.id, &[].into()).await.unwrap();
        assert!(users::touch(&tx, &row, here.clock.stopped_at()).await.unwrap());
        let issuing = tokio::spawn({
            let (there, eve, name) = (Arc::clone(&there), eve.clone(), name.clone());
            async move { issue(how, &there, &eve, &name).await }
        });
        while !issuing.is_finished() && !is_blocked(here.app.db.reader()).await {
            tokio::time::sleep(LOOK_AGAIN_AFTER).await;
        }
        tx.0.commit().await.unwrap();
        let token = issuing.await.unwrap();
        assert_eq!(claims(&token)["roles"], json!([]), "{how:?}: issued from roles that were being taken");
    }
}

/// The door of user-api that once forgot, in each of its ways.
#[tokio::test]
async fn are_written_by_put_of_user_api() {
    let app = TestApp::with(&DIALECTS).await;
    let root = app.admin("root").await;
    for (name, change) in [("eve", json!({ "roles": [] })), ("ann", json!({ "active": false }))] {
        let actor = app.admin(name).await;
        let number = users::find_by_username(app.app.db.reader(), Scope::Installation, name).await.unwrap().unwrap().id;
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
async fn are_written_for_another_username() {
    let app = TestApp::with(&DIALECTS).await;
    let root = app.admin("root").await;
    for (number, by_owner) in [true, false].into_iter().enumerate() {
        let ann = app.user(&format!("ann-{number}")).await;
        let name = format!("bea-{number}");
        if by_owner {
            ann.done("updateProfile", json!({ "username": name }), "user { id }").await;
        } else {
            root.done("updateUser", json!({ "userId": ann.id, "username": name }), "user { id }").await;
        }
        assert!(!Gateway::of(&app).await.accepts(ann.token.as_deref().unwrap()), "by the owner: {by_owner}");
        let renewed = ann.refresh(ann.refresh_token.as_deref().unwrap()).await;
        let ann = ann.signed_in(&renewed.data()["refresh"]);
        assert!(Gateway::of(&app).await.accepts(ann.token.as_deref().unwrap()), "by the owner: {by_owner}");
    }
}

/// A clock that leapt ahead locks no user out once it is set right.
#[tokio::test]
async fn of_a_clock_that_was_wrong_do_not_count() {
    let app = TestApp::with(&DIALECTS).await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let before = app.clock.stopped_at();
    app.clock.advance(TimeDelta::minutes(10));
    root.done("setUserRoles", json!({ "userId": ann.id, "roles": ["admin"] }), "user { id }").await;
    app.clock.advance(before - app.clock.stopped_at());
    let ann = app.login("ann", PASSWORD).await;
    assert!(Gateway::of(&app).await.accepts(ann.token.as_deref().unwrap()));
}

/// What changes no role revokes nothing.
#[tokio::test]
async fn are_not_written_for_the_roles_that_a_user_has() {
    let app = TestApp::new().await;
    let (root, eve) = (app.admin("root").await, app.admin("eve").await);
    root.done("setUserRoles", json!({ "userId": eve.id, "roles": ["admin"] }), "user { id }").await;
    assert!(Gateway::of(&app).await.accepts(eve.token.as_deref().unwrap()));
}
