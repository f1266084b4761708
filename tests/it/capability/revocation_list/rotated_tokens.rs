//! Access tokens that a refresh replaces: the list has one entry per session, whatever the number of refreshes.

use accountd::store::revoked_tokens;
use axum::http::Method;
use chrono::{DateTime, TimeDelta};
use entity::revoked_token;
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;

use crate::support::gateway::{Gateway, claims};
use crate::support::{Actor, PASSWORD, TestApp};

/// A refresh of the PlantDB dialect.
async fn refresh(actor: &Actor) -> Actor {
    let body = json!({ "refresh_token": actor.refresh_token });
    let answer = actor.json(Method::POST, "/token-refresh", &body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    let text = |member: &str| answer.json()[member].as_str().map(str::to_owned);
    let mut renewed = actor.clone();
    (renewed.token, renewed.refresh_token) = (text("access_token"), text("refresh_token"));
    renewed
}

#[tokio::test]
async fn thousand_refreshes_leave_one_revocation_list_entry() {
    let app = TestApp::new().await;
    let mut actors = vec![app.user("ann").await];
    for _ in 0..1_000 {
        app.clock.advance(TimeDelta::seconds(1));
        actors.push(refresh(actors.last().unwrap()).await);
    }
    let newest = actors.pop().unwrap();
    let gateway = Gateway::of(&app).await;
    let sizes = ["sessions", "tokens", "users", "generations"].map(|member| gateway.count(member));
    assert_eq!(sizes, [0, 1, 1, 1], "{:?}", gateway.list);
    let db = app.app.db.reader();
    assert_eq!(revoked_token::Entity::find().count(db).await.unwrap(), 2, "one of the session, one of the user");
    let all = revoked_tokens::list_since(db, DateTime::UNIX_EPOCH).await.unwrap();
    assert!(all.iter().all(|row| row.user_uid == all[0].user_uid));

    let now = app.clock.current().timestamp();
    let token = |actor: &Actor| actor.token.clone().unwrap();
    for old in &actors {
        let token = token(old);
        if claims(&token)["exp"].as_i64().unwrap() > now {
            assert!(!gateway.accepts(&token), "by a gateway of the first release: {}", claims(&token));
        }
        assert!(!gateway.accepts_generation(&token), "{}", claims(&token));
    }
    assert!(gateway.accepts(&token(&newest)) && gateway.accepts_generation(&token(&newest)));
    assert_eq!(newest.me_code().await, None);
    for old in [&actors[999], &actors[998], &actors[500]] {
        assert_eq!(old.me_reason().await.as_deref(), Some("TOKEN_EXPIRED"), "this server refuses it as well");
    }
}

/// As PlantDB's clients do: one refresh within the life of an access token lists that token, and affects no other
/// session.
#[tokio::test]
async fn first_refresh_revokes_no_other_session() {
    let app = TestApp::new().await;
    let ann = app.user("ann").await;
    let other = app.login("ann", PASSWORD).await;
    app.clock.advance(TimeDelta::seconds(60));
    let renewed = refresh(&ann).await;
    let gateway = Gateway::of(&app).await;
    assert_eq!(gateway.list["tokens"], json!([claims(ann.token.as_deref().unwrap())["jti"]]));
    assert_eq!(gateway.count("users"), 0);
    assert!(!gateway.accepts(ann.token.as_deref().unwrap()));
    assert!(gateway.accepts(renewed.token.as_deref().unwrap()) && gateway.accepts(other.token.as_deref().unwrap()));
}

#[tokio::test]
async fn second_refresh_within_a_second_is_a_replay() {
    let app = TestApp::new().await;
    let first = app.user("ann").await;
    let second = refresh(&first).await;
    assert_ne!(second.refresh_token, first.refresh_token, "a login is no refresh");
    app.clock.advance(TimeDelta::milliseconds(999));
    let again = refresh(&second).await;
    assert_eq!(again.refresh_token, second.refresh_token);
    assert_eq!(again.me_code().await, None);
    assert_eq!(second.me_code().await, None, "it is of the same generation");
    app.clock.advance(TimeDelta::milliseconds(1));
    assert_ne!(refresh(&again).await.refresh_token, second.refresh_token);
    assert_eq!(second.me_reason().await.as_deref(), Some("TOKEN_EXPIRED"));
}
