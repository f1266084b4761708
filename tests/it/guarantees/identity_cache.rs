//! Identity cache: cached callers need no database read, and every change applies within its promised time.

use accountd::account::access::permission::Permission;
use chrono::TimeDelta;
use entity::{user, user_role};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, IntoActiveModel, QueryFilter};
use serde_json::json;

use crate::support::polling::until;
use crate::support::{Actor, TestApp};

mod concurrent_clients;
mod linearizability;
mod two_processes;

/// Changes a user's display name directly in the database, without notification.
async fn rename_by_hand(app: &TestApp, name: &str, shown: &str) {
    user::Entity::update_many()
        .col_expr(user::Column::DisplayName, Expr::value(shown))
        .filter(user::Column::UsernameKey.eq(name))
        .exec(app.app.db.writer())
        .await
        .unwrap();
}

async fn shown_name(actor: &Actor) -> String {
    let answer = actor.send("{ me { displayName } }", json!({})).await;
    answer.data()["me"]["displayName"].as_str().unwrap_or_default().to_owned()
}

/// Waits until the caller is cached: a change without notification is not seen.
async fn is_cached(app: &TestApp, name: &str, actor: &Actor) {
    let mut count = 0;
    until("the caller is cached", async || {
        count += 1;
        shown_name(actor).await;
        rename_by_hand(app, name, &count.to_string()).await;
        shown_name(actor).await != count.to_string()
    })
    .await;
}

/// No database read: a direct change of the row is not seen. Programs with an API token are cached alike.
#[tokio::test]
async fn cached_caller_is_not_read_from_the_database() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let (_, robot) = ann.api_token(&[]).await;
    is_cached(&app, "ann", &ann).await;
    is_cached(&app, "ann", &robot).await;
}

/// The caller's own roles and permissions come from authentication; only mutations, which may have changed them, read
/// them again.
#[tokio::test]
async fn own_roles_and_permissions_need_no_database_read() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let granted = user_role::Entity::find().all(app.app.db.reader()).await.unwrap();
    let mut answer = None;
    // On a busy machine a poll can be late; then the server rightly reads the database.
    until("the caller's roles come from the cache", async || {
        is_cached(&app, "root", &root).await;
        user_role::Entity::delete_many().exec(app.app.db.writer()).await.unwrap();
        let me = root.send("{ me { roles permissions can(permission: USERS_READ) } }", json!({})).await;
        let is_from_cache = me.data()["me"]["roles"] == json!(["admin"]);
        if !is_from_cache {
            let rows = granted.iter().cloned().map(IntoActiveModel::into_active_model);
            user_role::Entity::insert_many(rows).exec_without_returning(app.app.db.writer()).await.unwrap();
        }
        answer = Some(me);
        is_from_cache
    })
    .await;
    let answer = answer.unwrap();
    let me = &answer.data()["me"];
    assert_eq!((&me["roles"], &me["can"]), (&json!(["admin"]), &json!(true)));
    assert_eq!(me["permissions"].as_array().unwrap().len(), Permission::ALL.len());
    let rename = "mutation { updateProfile(input: { displayName: \"Root\" }) { user { roles permissions } } }";
    let answer = root.send(rename, json!({})).await;
    assert_eq!(answer.data()["updateProfile"]["user"], json!({ "roles": [], "permissions": [] }));
}

#[tokio::test]
async fn disabled_cache_stores_no_caller() {
    let app = TestApp::with(&[("ACCOUNTD_CACHE__MAX_CALLERS", "0")]).await;
    let ann = app.user("ann").await;
    until("the counters are polled", async || app.app.db.invalidation_log().is_fresh()).await;
    for count in 0..3 {
        shown_name(&ann).await;
        rename_by_hand(&app, "ann", &count.to_string()).await;
        assert_eq!(shown_name(&ann).await, count.to_string());
    }
}

/// The key is a hash of the whole token: an unverified token misses the cache.
#[tokio::test]
async fn token_differing_in_one_character_misses_the_cache() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    is_cached(&app, "ann", &ann).await;
    let token = ann.token.clone().unwrap();
    for index in [0, token.len() / 2, token.len() - 20] {
        let other = if token.as_bytes()[index] == b'A' { "B" } else { "A" };
        let forged = format!("{}{other}{}", &token[..index], &token[index + 1..]);
        assert_eq!(ann.with_token(&forged).me_reason().await.as_deref(), Some("TOKEN_INVALID"));
    }
}

/// Expiry is exact to the second, cached or not.
#[tokio::test]
async fn cached_access_token_expires_on_time() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    is_cached(&app, "ann", &ann).await;
    // Including 5 s of leeway for other clocks.
    app.clock.advance(TimeDelta::seconds(900 + 4));
    assert_eq!(ann.me_code().await, None);
    app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(ann.me_reason().await.as_deref(), Some("TOKEN_EXPIRED"));
    app.clock.advance(TimeDelta::seconds(-2_000));
    assert_eq!(ann.me_reason().await.as_deref(), Some("TOKEN_INVALID"), "it was issued in the future");
}

/// S6
#[tokio::test]
async fn cached_session_expires_on_time() {
    let lives = [
        ("ACCOUNTD_TOKEN__ACCESS_LIFETIME_SECONDS", "600"),
        ("ACCOUNTD_TOKEN__REFRESH_IDLE_SECONDS", "600"),
        ("ACCOUNTD_TOKEN__REFRESH_ABSOLUTE_SECONDS", "600"),
    ];
    let app = TestApp::with(&lives).await;
    let ann = app.user("ann").await;
    is_cached(&app, "ann", &ann).await;
    app.clock.advance(TimeDelta::seconds(599));
    assert_eq!(ann.me_code().await, None);
    app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(ann.me_reason().await.as_deref(), Some("SESSION_ENDED"), "the token itself has 5 s more");
}

#[tokio::test]
async fn cached_api_token_expires_on_time() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let input = json!({ "name": "robot", "permissions": [], "expiresIn": 60 });
    let made = ann.mutate_ok("createApiToken", input, "token").await;
    let robot = ann.with_token(made["token"].as_str().unwrap());
    is_cached(&app, "ann", &robot).await;
    app.clock.advance(TimeDelta::seconds(59));
    assert_eq!(robot.me_code().await, None);
    app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(robot.me_reason().await.as_deref(), Some("SESSION_ENDED"));
}

/// S9: when invalidations of other nodes cannot arrive, the database is read; as soon as they can again, it is not.
#[tokio::test]
async fn stale_cache_is_not_used_without_invalidations() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    is_cached(&app, "ann", &ann).await;
    let db = app.app.db.writer();
    db.execute_unprepared("ALTER TABLE change_counter RENAME TO hidden_counter").await.unwrap();
    until("staleness is detected", async || !app.app.db.invalidation_log().is_fresh()).await;
    for count in 0..3 {
        rename_by_hand(&app, "ann", &format!("silence {count}")).await;
        assert_eq!(shown_name(&ann).await, format!("silence {count}"));
    }
    db.execute_unprepared("ALTER TABLE hidden_counter RENAME TO change_counter").await.unwrap();
    is_cached(&app, "ann", &ann).await;
}
