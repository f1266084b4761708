//! Logins with imported hashes: they succeed, are rehashed once, and cannot be abused.

use entity::user;
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DbBackend, EntityTrait, QueryFilter};
use serde_json::json;

use super::{can_sign_in, find_user};
use crate::support::database::backend;
use crate::support::{TEST_TIMEOUT, TestApp};

/// Cheap hashes of `asdf` in each scheme, by the libraries of the older services.
pub(super) const ASDF: [&str; 7] = [
    "$argon2id$v=19$m=16,t=1,p=1$fFK69zxjEDQ$zb7705CzwkUv+zRSUY9Yyg",
    super::HASH_OF_ASDF,
    "$pbkdf2-sha256$29000$mdM6x3hPydkbI4SwlpISYg$qOZbKy7oEJ9FlloQ/6CXrrxYV/UPZG2mx.pSfGRdMGQ",
    "$pbkdf2$1000$pnSOcc4Zo3Tu/T/nHKMUYg$086m3uYgAoBMvMDx4pq2HRCmHnw",
    "pbkdf2_sha256$1000$abcdefghijklmnopqrstuv$2/Ji+znophAT0WhUyV1KNfvxXpy3LG6gIT6XC02jznQ=",
    "pbkdf2:sha256:260000$EUgsxu9w7tA5mkQE$e4f4e13df424f43f9fc4e27042867b626a1d558e65038dc124dc1b86089b5996",
    "scrypt:32768:8:1$XSUlRk3MLvmWZHoy$7fdb83d4a040eaf5e468e5a8f641b5cdb9e266d39417871a6cec7f9c1a9251cce1df2cb9bb3b34a00ef30d25575b15e360c3c228564cbe53173dc74fc08168ab",
];

async fn store_hash(app: &TestApp, hash: &str) {
    let changed = user::Entity::update_many()
        .col_expr(user::Column::PasswordHash, Expr::value(Some(hash.to_owned())))
        .filter(user::Column::UsernameKey.eq("ann"))
        .exec(app.app.db.writer())
        .await
        .unwrap();
    assert_eq!(changed.rows_affected, 1);
}

/// C7: each scheme is rehashed once, on success only, and other sessions live on.
#[tokio::test]
async fn imported_hash_is_replaced_at_first_login() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let stored = async || find_user(&app, "ann").await.password_hash.unwrap().expose().to_owned();
    for hash in ASDF {
        store_hash(&app, hash).await;
        let wrong = app.anonymous().login("ann", "asdg").await;
        assert_eq!(wrong.payload_error("login").as_deref(), Some("INVALID_CREDENTIALS"), "{hash}");
        assert_eq!(stored().await, hash, "a failure does not rehash");
        can_sign_in(&app, "ann", "ann", "asdf").await;
        let made = stored().await;
        app.login("ann", "asdf").await;
        assert_eq!(stored().await, made, "once");
    }
    assert_eq!(ann.me_code().await, None, "other sessions live");
}

/// C7: logins during the rehash all succeed, and one hash remains.
#[tokio::test(flavor = "multi_thread")]
async fn imported_hash_is_replaced_during_parallel_logins() {
    let app = TestApp::new().await;
    app.user("ann").await;
    store_hash(&app, ASDF[3]).await;
    let logins: Vec<_> = (0..50)
        .map(|_| {
            let anonymous = app.anonymous();
            let input = json!({ "username": "ann", "password": "asdf" });
            tokio::spawn(async move { anonymous.mutate_retrying("login", input, "errors { code }").await })
        })
        .collect();
    for login in logins {
        assert_eq!(login.await.unwrap().payload_error("login"), None);
    }
    can_sign_in(&app, "ann", "ann", "asdf").await;
}

/// C4: the password as typed is tried beside NFC, because the older service hashed that; afterwards both forms are
/// equal.
#[tokio::test]
async fn imported_hash_of_unnormalized_password_is_accepted() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let (composed, decomposed) = ("caf\u{e9}", "cafe\u{301}");
    store_hash(&app, "$pbkdf2-sha256$1000$ZCxFSIlRSsl5jzEm5ByDMA$9OKAtDMV4fY9ulEKoMVgGvtHs1Uu7/fTe8/8CoitS4A").await;
    assert!(
        app.anonymous().login("ann", composed).await.payload_error("login").is_some(),
        "it is the hash of the other form"
    );
    app.login("ann", decomposed).await;
    app.login("ann", composed).await;
    can_sign_in(&app, "ann", "ann", decomposed).await;
}

/// C8: no stored or imported hash makes a login slow; B1: nor changes its response.
#[tokio::test]
async fn imported_hash_with_excessive_cost_is_a_wrong_password() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let poison = [
        "$2b$31$Jk9E19C58lSv88Zd7EgS5eFDKdHAPj8sBUxGYrRm2wdJqUb2CGql2".to_owned(),
        "$2b$15$Jk9E19C58lSv88Zd7EgS5eFDKdHAPj8sBUxGYrRm2wdJqUb2CGql2".to_owned(),
        "$2b$00$Jk9E19C58lSv88Zd7EgS5eFDKdHAPj8sBUxGYrRm2wdJqUb2CGql2".to_owned(),
        "$2x$04$Mba5ETsZPQ.Lu2TFRR1oeuC4DpubNp5yfR7YR45IWL.FSkEh4ww0S".to_owned(),
        "$pbkdf2-sha256$4294967295$mdM6x3hPydkbI4SwlpISYg$qOZbKy7oEJ9FlloQ/6CXrrxYV/UPZG2mx.pSfGRdMGQ".to_owned(),
        "$pbkdf2-sha256$10000001$mdM6x3hPydkbI4SwlpISYg$qOZbKy7oEJ9FlloQ/6CXrrxYV/UPZG2mx.pSfGRdMGQ".to_owned(),
        "$pbkdf2-sha1-hexsalt$i=99999999999$00$bf2a17b8d14ad59802f4e4af190ca4ca".to_owned(),
        format!("pbkdf2:sha256:1000${}$00", "x".repeat(1_000_000)),
        "scrypt:1073741824:8:1$XSUlRk3MLvmWZHoy$7fdb83d4a040eaf5e468e5a8f641b5cd".to_owned(),
        "scrypt:131072:4294967295:4294967295$XSUlRk3MLvmWZHoy$7fdb83d4a040eaf5e468e5a8f641b5cd".to_owned(),
        "pbkdf2_sha256$9999999999999999999999$x$AAAA".to_owned(),
        "$argon2id$v=19$m=4194304,t=3,p=4$2nTMmx7/aXwUN4jOW9jEow$FOo+iA365ZvzJipdc99BixqsRgeTiUExtfGAab7ig4o"
            .to_owned(),
        "asdf".to_owned(),
    ];
    // A column of the servers takes at most 255 characters.
    for hash in poison.iter().filter(|hash| backend() == DbBackend::Sqlite || hash.len() <= 255) {
        store_hash(&app, hash).await;
        let started = std::time::Instant::now();
        let answer = app.anonymous().login("ann", "asdf").await;
        assert_eq!(answer.payload_error("login").as_deref(), Some("INVALID_CREDENTIALS"), "{hash:.99}");
        // Generous for a busy machine; computing these hashes takes minutes.
        assert!(started.elapsed() < TEST_TIMEOUT, "{hash:.99}");
        let kept = find_user(&app, "ann").await.password_hash.unwrap();
        assert_eq!(kept.expose(), hash);
    }
    store_hash(&app, super::HASH_OF_ASDF).await;
    app.login("ann", "asdf").await;
}
