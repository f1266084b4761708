//! Login: a name and a password for a session.

mod hashing;

use chrono::TimeDelta;
use entity::{session, user};
use sea_orm::sea_query::Expr;
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter};
use serde_json::{Value, json};

use crate::support::{PASSWORD, TestApp, TestResponse};

async fn store_hash(app: &TestApp, name: &str, hash: Option<&str>) {
    let changed = user::Entity::update_many()
        .col_expr(user::Column::PasswordHash, Expr::value(hash.map(str::to_owned)))
        .filter(user::Column::UsernameKey.eq(name))
        .exec(app.app.db.writer())
        .await
        .unwrap();
    assert_eq!(changed.rows_affected, 1);
}

/// Creates a user with this password.
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

/// The response without the parts that are unique to each.
fn all_of(answer: &TestResponse) -> String {
    let is_comparable = |name: &str| !["date", "x-request-id"].contains(&name);
    let headers: Vec<_> = answer.headers.iter().filter(|(name, _)| is_comparable(name.as_str())).collect();
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
        let (mut in_payload, mut raised) = (Vec::new(), Vec::new());
        for (name, password) in attempts {
            in_payload.push(all_of(&app.anonymous().login(name, password).await));
            let body = json!({ "query": plain, "variables": { "name": name, "password": password } }).to_string();
            let headers = [("content-type", "application/json"), ("accept", accept)];
            let answer = app.anonymous().request(axum::http::Method::POST, "/graphql", &headers, body).await;
            assert_eq!(answer.code().as_deref(), Some("INVALID_CREDENTIALS"));
            raised.push(all_of(&answer));
        }
        for answers in [in_payload, raised] {
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

/// C1 C4: neither truncated nor trimmed nor case-folded, and not compatibility-normalized.
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
    let shown = ann.send("{ me { lastSignInAt } }", json!({})).await.data()["me"]["lastSignInAt"].clone();
    assert_eq!(shown, "2026-03-01T13:00:00.000Z");
}

/// Neither a live session nor an invalid token in the request changes the login.
#[tokio::test]
async fn login_ignores_credentials_of_the_request() {
    let app = TestApp::new().await;
    app.user("ann").await;
    let bob = app.user("bob").await;
    for client in [bob.clone(), bob.with_token("garbage"), bob.with_token("a.b.c")] {
        let answer = client.login("ann", PASSWORD).await;
        assert_eq!(answer.data()["login"]["user"]["username"], "ann");
        let mine = client.login("ann", "wrong").await;
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
