//! Users in the dialect: who sees and deletes them.

use axum::http::{Method, StatusCode};
use entity::{audit_event, revoked_token, session, user};
use sea_orm::{EntityTrait, PaginatorTrait};
use serde_json::json;

use super::{app, create_user, entity_number, send};
use crate::support::PASSWORD;

#[tokio::test]
async fn tecladocode_user_is_visible_to_owner_and_administrators() {
    let app = app().await;
    let ((ann, number), (bob, _)) = (create_user(&app, "ann").await, create_user(&app, "bob").await);
    let root = app.admin("root").await;
    let path = format!("/user/{number}");
    for actor in [&ann, &root] {
        let answer = send(actor, Method::GET, &path).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "id": number, "username": "ann" })));
    }
    let missing = json!({ "message": "User not found." });
    for (actor, path) in
        [(&bob, path.as_str()), (&root, "/user/999"), (&root, "/user/99999999999999999999"), (&bob, "/user/0")]
    {
        let answer = send(actor, Method::GET, path).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (404, missing.clone()), "{path}");
    }
    assert_eq!(send(&root, Method::GET, "/user/-1").await.header("content-type"), Some("text/html; charset=utf-8"));
}

#[tokio::test]
async fn tecladocode_user_is_deletable_by_owner_and_administrators() {
    let app = app().await;
    let ((ann, ann_number), (bob, bob_number)) = (create_user(&app, "ann").await, create_user(&app, "bob").await);
    let root = app.admin("root").await;
    let (ann_path, bob_path) = (format!("/user/{ann_number}"), format!("/user/{bob_number}"));
    assert_eq!(send(&app.anonymous(), Method::DELETE, &ann_path).await.status, StatusCode::UNAUTHORIZED);
    assert_eq!(send(&bob, Method::DELETE, &ann_path).await.status, StatusCode::NOT_FOUND);
    let (_, program) = ann.api_token(&[]).await;
    assert_eq!(
        send(&program, Method::DELETE, &ann_path).await.status,
        StatusCode::FORBIDDEN,
        "an API token has no session"
    );
    for (actor, path) in [(&ann, &ann_path), (&root, &bob_path)] {
        let answer = send(actor, Method::DELETE, path).await;
        assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "message": "User deleted." })));
        assert_eq!(send(&root, Method::DELETE, path).await.json(), json!({ "message": "User not found." }));
    }
    let answer = send(&ann, Method::POST, "/logout").await;
    assert_eq!(answer.json()["error"], json!("token_revoked"), "the token of a deleted user is refused");
    let last = send(&root, Method::DELETE, &format!("/user/{}", entity_number(&app, "root").await)).await;
    assert_eq!(last.status, StatusCode::BAD_REQUEST, "there must be an administrator: {}", last.text);
    assert_eq!(root.me_code().await, None);
}

/// Clients log in after the registration: it stores no session and ends none.
#[tokio::test]
async fn tecladocode_registration_opens_no_session() {
    let app = app().await;
    let body = json!({ "username": "ann", "password": PASSWORD });
    assert_eq!(app.anonymous().json(Method::POST, "/flask/register", &body).await.status, StatusCode::CREATED);
    let db = app.app.db.reader();
    assert_eq!(session::Entity::find().count(db).await.unwrap(), 0);
    assert_eq!(revoked_token::Entity::find().count(db).await.unwrap(), 0);
    let events = audit_event::Entity::find().all(db).await.unwrap();
    let [event] = &events[..] else { panic!("{events:?}") };
    assert_eq!((event.action.as_str(), event.session_uid), ("register", None));
    let user = user::Entity::find().one(db).await.unwrap().unwrap();
    assert_eq!(user.last_login_at.map(|at| at.utc()), Some(app.app.clock.now()));
    assert_eq!((event.actor_uid, event.target_uid), (Some(user.uid), Some(user.uid)));
}
