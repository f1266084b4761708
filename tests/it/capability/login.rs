//! Login: a name and a password for a session.

use chrono::TimeDelta;
use entity::{session, user};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, DbBackend, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::database::backend;
use crate::support::{PASSWORD, TEST_TIMEOUT, TestApp, TestResponse};

async fn stored_hash(app: &TestApp, name: &str) -> String {
    let found = user::Entity::find().filter(user::Column::UsernameKey.eq(name)).one(app.app.db.reader()).await.unwrap();
    found.unwrap().password_hash.unwrap().expose().to_owned()
}

async fn store_hash(app: &TestApp, name: &str, hash: Option<&str>) {
    let changed = user::Entity::update_many()
        .col_expr(user::Column::PasswordHash, Expr::value(hash.map(str::to_owned)))
        .filter(user::Column::UsernameKey.eq(name))
        .exec(app.app.db.writer())
        .await
        .unwrap();
    assert_eq!(changed.rows_affected, 1);
}

/// Makes an account with a password of its own.
async fn with_password(app: &TestApp, name: &str, password: &str) {
    app.anonymous().mutate_ok("register", json!({ "username": name, "password": password }), "status").await;
}

fn succeeded(answer: &TestResponse) -> bool {
    answer.payload_error("login").is_none()
}

#[tokio::test]
async fn login_accepts_username_and_email_in_any_spelling() {
    let app = TestApp::new().await;
    let input = json!({ "username": "Straße", "email": "Ann@bücher.example", "password": PASSWORD });
    let ann = app.anonymous().mutate_ok("register", input, "user { id }").await["user"]["id"].clone();
    for name in [
        "Straße",
        "strasse",
        " STRASSE ",
        "ｓtraße",
        "Ann@bücher.example",
        "ann@BÜCHER.example",
        "ANN@XN--BCHER-KVA.EXAMPLE",
        " ａnn@xn--bcher-kva.example\t",
    ] {
        let answer = app.anonymous().login(name, PASSWORD).await;
        assert_eq!(answer.data()["login"]["user"]["id"], ann, "{name:?}");
    }
    for name in ["strase", "ann", "ann@buecher.example", "", " ", "@", "Straße\0", "\u{fdfa}"] {
        assert!(!succeeded(&app.anonymous().login(name, PASSWORD).await), "{name:?}");
    }
}

/// S15
#[tokio::test]
async fn each_login_opens_a_new_session() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..5 {
        let answer = app.anonymous().login("ann", PASSWORD).await;
        let session = answer.data()["login"]["session"]["id"].as_str().unwrap().to_owned();
        let ann = app.anonymous().signed_in(&answer.data()["login"]);
        ann.mutate_ok("logout", json!({}), "ok").await;
        assert!(seen.insert(session));
    }
}

/// All of an answer but what differs between any two.
fn all_of(answer: &TestResponse) -> String {
    let told = |name: &str| !["date", "x-request-id"].contains(&name);
    let headers: Vec<_> = answer.headers.iter().filter(|(name, _)| told(name.as_str())).collect();
    format!("{} {headers:?} {}", answer.status, answer.text)
}

/// B1
#[tokio::test]
async fn login_failures_are_indistinguishable() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    app.user("ann").await;
    let disabled = app.user("bob").await;
    app.user("invited").await;
    app.user("poisoned").await;
    root.mutate_ok("setUserStatus", json!({ "userId": disabled.id, "status": "DISABLED" }), "user { id }").await;
    store_hash(&app, "invited", None).await;
    store_hash(&app, "poisoned", Some("garbage")).await;

    let attempts = [
        ("nobody", PASSWORD),
        ("nobody@example.org", PASSWORD),
        ("", ""),
        ("ann", "wrong"),
        ("ann", ""),
        ("bob", PASSWORD),
        ("bob", "wrong"),
        ("invited", PASSWORD),
        ("invited", ""),
        ("poisoned", PASSWORD),
    ];
    let plain = "mutation ($name: String!, $password: String!) {
        login(input: { username: $name, password: $password }) { user { id } tokens { accessToken } }
    }";
    for accept in ["application/json", "application/graphql-response+json"] {
        let (mut told, mut raised) = (Vec::new(), Vec::new());
        for (name, password) in attempts {
            told.push(all_of(&app.anonymous().login(name, password).await));
            let body = json!({ "query": plain, "variables": { "name": name, "password": password } }).to_string();
            let headers = [("content-type", "application/json"), ("accept", accept)];
            let answer = app.anonymous().request(axum::http::Method::POST, "/graphql", &headers, body).await;
            assert_eq!(answer.code().as_deref(), Some("INVALID_CREDENTIALS"));
            raised.push(all_of(&answer));
        }
        for answers in [told, raised] {
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{answers:#?}");
        }
    }
}

/// C4
#[tokio::test]
async fn login_accepts_a_password_in_both_unicode_forms() {
    let app = TestApp::new().await;
    let (composed, decomposed) = ("caf\u{e9}-rivi\u{e8}re-71", "cafe\u{301}-rivie\u{300}re-71");
    with_password(&app, "ann", decomposed).await;
    with_password(&app, "bob", composed).await;
    for name in ["ann", "bob"] {
        assert!(succeeded(&app.anonymous().login(name, composed).await));
        assert!(succeeded(&app.anonymous().login(name, decomposed).await));
    }
}

/// C1 C4: neither truncated nor trimmed nor folded, and not made compatible.
#[tokio::test]
async fn login_with_any_differing_password_is_refused() {
    let app = TestApp::new().await;
    let long = "x9§kQzß7".repeat(32);
    let at = |position: usize, text: &str| {
        text.chars().enumerate().map(|(at, one)| if at == position { '~' } else { one }).collect::<String>()
    };
    let nul = "correct\0horse-battery-7".to_owned();
    let pairs = [
        (long.clone(), vec![at(72, &long), at(255, &long), long[..72].to_owned(), format!("{long}x")]),
        (nul, vec!["correct".to_owned(), "correct\0".to_owned(), "correct\0horse-battery-8".to_owned()]),
        (
            " Correct-Horse-7ﬁ ".to_owned(),
            vec![
                "Correct-Horse-7ﬁ".to_owned(),
                " correct-horse-7ﬁ ".to_owned(),
                " Correct-Horse-7fi ".to_owned(),
                " Correct-Horse-7ﬁ".to_owned(),
            ],
        ),
    ];
    for (number, (password, others)) in pairs.iter().enumerate() {
        let name = format!("user{number}");
        with_password(&app, &name, password).await;
        assert!(succeeded(&app.anonymous().login(&name, password).await));
        for other in others {
            assert!(!succeeded(&app.anonymous().login(&name, other).await), "{other:?}");
        }
    }
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
    assert_eq!(stored_hash(&app, "ann").await, before, "a failure never hashes again");
    assert!(succeeded(&app.anonymous().login("ann", PASSWORD).await));
    let after = stored_hash(&app, "ann").await;
    assert!(after.starts_with("$argon2id$v=19$m=16,t=2,p=1$"), "{after}");
    assert!(succeeded(&app.anonymous().login("ann", PASSWORD).await));
    assert_eq!(stored_hash(&app, "ann").await, after, "once");
    assert_eq!(app.reconnect(&ann).me_code().await, None, "other sessions live");
    let changed = app.app.db.reader();
    let row = user::Entity::find().filter(user::Column::UsernameKey.eq("ann")).one(changed).await.unwrap().unwrap();
    assert_eq!(row.password_changed_at, Some(row.created_at), "the password itself is the old one");
}

/// C7: logins that meet while the hash is renewed all succeed.
#[tokio::test(flavor = "multi_thread")]
async fn parallel_logins_during_rehash_succeed() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let app = app.restart_with(|config| config.password.argon2_iterations = 2).await;
    let logins: Vec<_> = (0..50)
        .map(|_| {
            let anyone = app.anonymous();
            let input = json!({ "username": "ann", "password": PASSWORD });
            tokio::spawn(async move { anyone.mutate_retrying("login", input, "errors { code }").await })
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
    // A column of the servers takes no more than 255 characters, and PostgreSQL's no NUL: such a hash cannot get there.
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
    assert!(succeeded(&app.anonymous().login("ann", PASSWORD).await), "the service goes on");
}

#[tokio::test]
async fn login_records_the_last_login_time() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    app.clock.advance(TimeDelta::hours(1));
    app.anonymous().login("ann", "wrong").await;
    let ann_again = app.login("ann", PASSWORD).await;
    app.clock.advance(TimeDelta::minutes(2));
    app.anonymous().login("ann", "wrong").await;
    ann_again.refresh(ann_again.refresh_token.as_deref().unwrap()).await;
    let fresh = ann.refresh(ann.refresh_token.as_deref().unwrap()).await;
    let ann = ann.signed_in(&fresh.data()["refresh"]);
    let told = ann.send("{ me { lastSignInAt } }", json!({})).await.data()["me"]["lastSignInAt"].clone();
    assert_eq!(told, "2026-03-01T13:00:00.000Z");
}

/// Neither a live session nor a wrong token changes what a login does.
#[tokio::test]
async fn login_ignores_credentials_of_the_request() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let bob = app.user("bob").await;
    for visitor in [bob.clone(), bob.with_token("garbage"), bob.with_token("a.b.c")] {
        let answer = visitor.login("ann", PASSWORD).await;
        assert_eq!(answer.data()["login"]["user"]["username"], "ann");
        let mine = visitor.login("ann", "wrong").await;
        assert_eq!(mine.payload_error("login").as_deref(), Some("INVALID_CREDENTIALS"));
    }
    assert_eq!(bob.me_code().await, None);
}

#[tokio::test]
async fn failed_login_leaves_no_session() {
    let app = TestApp::new().await;
    app.user("ann").await;
    for _ in 0..10 {
        app.anonymous().login("ann", "wrong").await;
    }
    assert_eq!(session::Entity::find().count(app.app.db.reader()).await.unwrap(), 1);
}

#[tokio::test]
async fn invalid_device_name_error_names_its_field() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let input = |device: Value| json!({ "username": "ann", "password": PASSWORD, "deviceName": device });
    let expected = |code: &str| vec![(code.to_owned(), "input.deviceName".to_owned())];
    let login = async |device: Value| app.anonymous().payload_errors("login", input(device)).await;
    assert_eq!(login(json!("")).await, expected("INVALID_NAME"));
    assert_eq!(login(json!("a\nb")).await, expected("INVALID_NAME"));
    assert_eq!(login(json!("a\u{2028}b")).await, expected("INVALID_NAME"));
    assert_eq!(login(json!("x".repeat(201))).await, expected("TOO_LONG"));
    assert_eq!(login(json!("x".repeat(200))).await, []);
    assert_eq!(login(json!(null)).await, []);
}
