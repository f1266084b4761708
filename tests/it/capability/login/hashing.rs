//! The stored hash: its parameters, rehashing, and excessive costs.

use entity::user;
use sea_orm::{ColumnTrait, DbBackend, EntityTrait, QueryFilter};
use serde_json::json;

use super::{store_hash, succeeded};
use crate::support::database::backend;
use crate::support::{PASSWORD, TEST_TIMEOUT, TestApp};

async fn stored_hash(app: &TestApp, name: &str) -> String {
    let found = user::Entity::find().filter(user::Column::UsernameKey.eq(name)).one(app.app.db.reader()).await.unwrap();
    found.unwrap().password_hash.unwrap().expose().to_owned()
}

/// C6
#[tokio::test]
async fn stored_hash_is_argon2id_with_configured_cost_and_own_salt() {
    let app = TestApp::new().await.restart_with(|config| config.password.argon2_parallelism = 2).await;
    let mut salts = std::collections::HashSet::new();
    for name in ["ann", "bob", "cid"] {
        app.user(name).await;
        let hash = stored_hash(&app, name).await;
        let parts: Vec<&str> = hash.split('$').collect();
        assert_eq!(parts[..4], ["", "argon2id", "v=19", "m=16,t=1,p=2"]);
        assert_eq!((parts[4].len(), parts[5].len()), (22, 43), "16 and 32 bytes in base64");
        assert!(salts.insert(parts[4].to_owned()));
    }
}

/// C7
#[tokio::test]
async fn login_rehashes_after_a_cost_increase() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let before = stored_hash(&app, "ann").await;
    let app = app.restart_with(|config| config.password.argon2_iterations = 2).await;
    assert!(!succeeded(&app.anonymous().login("ann", "wrong").await));
    assert_eq!(stored_hash(&app, "ann").await, before, "a failure never rehashes");
    assert!(succeeded(&app.anonymous().login("ann", PASSWORD).await));
    let after = stored_hash(&app, "ann").await;
    assert!(after.starts_with("$argon2id$v=19$m=16,t=2,p=1$"), "{after}");
    assert!(succeeded(&app.anonymous().login("ann", PASSWORD).await));
    assert_eq!(stored_hash(&app, "ann").await, after, "once");
    assert_eq!(app.reconnect(&ann).me_code().await, None, "other sessions live");
    let changed = app.app.db.reader();
    let row = user::Entity::find().filter(user::Column::UsernameKey.eq("ann")).one(changed).await.unwrap().unwrap();
    assert_eq!(row.password_changed_at, Some(row.created_at), "the password itself is unchanged");
}

/// C7: parallel logins during the rehash all succeed.
#[tokio::test(flavor = "multi_thread")]
async fn parallel_logins_during_rehash_succeed() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let app = app.restart_with(|config| config.password.argon2_iterations = 2).await;
    let logins: Vec<_> = (0..50)
        .map(|_| {
            let anonymous = app.anonymous();
            let input = json!({ "username": "ann", "password": PASSWORD });
            tokio::spawn(async move { anonymous.mutate_retrying("login", input, "errors { code }").await })
        })
        .collect();
    for login in logins {
        assert_eq!(login.await.unwrap().payload_error("login"), None);
    }
    assert!(succeeded(&app.anonymous().login("ann", PASSWORD).await));
    assert!(!succeeded(&app.anonymous().login("ann", "wrong").await));
}

/// C8
#[tokio::test]
async fn stored_hash_with_excessive_cost_is_a_wrong_password() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let good = stored_hash(&app, "ann").await;
    let poison = [
        good.replace("m=16", "m=4194304"),
        good.replace("m=16", "m=262145"),
        good.replace("m=16", "m=0"),
        good.replace("m=16", "m=-1"),
        good.replace("t=1", "t=4294967295"),
        good.replace("t=1", "t=11"),
        good.replace("t=1", "t=0"),
        good.replace("p=1", "p=255"),
        good.replace("p=1", "p=0"),
        good.replace("p=1", "p=16777215"),
        good.replace("argon2id", "argon2i"),
        good.replace("argon2id", "argon2d"),
        good.replace("v=19", "v=16"),
        good.replace("v=19$", ""),
        good[..good.len() - 1].to_owned(),
        good[..good.len() - 22].to_owned(),
        good.rsplit_once('$').unwrap().0.to_owned(),
        format!("{}${}", good.rsplit_once('$').unwrap().0, "A".repeat(1_000_000)),
        "$2b$31$abcdefghijklmnopqrstuuAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned(),
        "$argon2id$v=19$m=16,t=1,p=1$c2FsdHNhbHRzYWx0$".to_owned(),
        "$argon2id$v=19$m=16,t=1,p=1,keyid=AAAA,data=AAAA$c2FsdHNhbHRzYWx0$AAAA".to_owned(),
        "garbage".to_owned(),
        PASSWORD.to_owned(),
        String::new(),
        "\u{0}".to_owned(),
    ];
    // A column of the servers takes at most 255 characters, and PostgreSQL's no NUL: such a hash cannot get there.
    let fits = |hash: &&String| backend() == DbBackend::Sqlite || (hash.len() <= 255 && !hash.contains('\0'));
    let poison = poison.iter().filter(fits);
    for hash in poison {
        assert_ne!(*hash, good);
        store_hash(&app, "ann", Some(hash)).await;
        let started = std::time::Instant::now();
        let answer = app.anonymous().login("ann", PASSWORD).await;
        assert_eq!(answer.payload_error("login").as_deref(), Some("INVALID_CREDENTIALS"), "{hash:.99}");
        assert!(started.elapsed() < TEST_TIMEOUT, "{hash:.99}");
        assert_eq!(stored_hash(&app, "ann").await, *hash);
    }
    store_hash(&app, "ann", Some(&good)).await;
    assert!(succeeded(&app.anonymous().login("ann", PASSWORD).await), "the service still works");
}
