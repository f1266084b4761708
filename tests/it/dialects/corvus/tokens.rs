//! Tokens of the dialect: from login to expiry and logout.

use axum::http::Method;
use chrono::TimeDelta;
use entity::{api_token, audit_event, session};
use sea_orm::{ColumnTrait, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, Set};
use serde_json::json;
use uuid::Uuid;

use super::{app, bump, login, pair, send, token};
use crate::support::{PASSWORD, TestApp};

/// S7
#[tokio::test]
async fn corvus_login_creates_an_api_token_stored_as_a_hash() {
    let app = app().await;
    let ann = app.user("ann").await;
    let shown = login(&app, "Ann", PASSWORD).await.json();
    let secret = shown["token"].as_str().unwrap();
    let expected = json!({
        "token": secret, "enabled": true, "version": 0,
        "creationTime": "2026-03-01T12:00:00+00:00", "expirationTime": "2026-03-31T12:00:00+00:00",
    });
    assert_eq!(shown, expected);
    assert_eq!(secret.parse::<Uuid>().unwrap().get_version_num(), 4);
    let row = api_token::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap();
    assert_ne!(row.secret_hash.expose(), secret);

    app.clock.advance(TimeDelta::minutes(5));
    assert_eq!(bump(&app, &pair("ann", secret)).await, 200);
    let tokens = "{ me { lastSignInAt apiTokens { nodes { name permissions lastUsedAt } } sessions { totalCount } } }";
    let me = ann.send(tokens, json!({})).await.data()["me"].clone();
    let used = "2026-03-01T12:05:00.000Z";
    let kept = json!([{ "name": "Corvus", "permissions": null, "lastUsedAt": used }]);
    let expected = json!({ "lastSignInAt": used, "apiTokens": { "nodes": kept }, "sessions": { "totalCount": 1 } });
    assert_eq!(me, expected, "the login leaves no session");
}

/// S8
#[tokio::test]
async fn corvus_token_after_logout_is_refused() {
    let app = app().await;
    app.user("ann").await;
    let (gone, other) = (token(&app, "ann").await, token(&app, "ann").await);
    let answer = send(&app, &gone, Method::POST, "/auth/logout").await;
    assert_eq!((answer.status.as_u16(), answer.json()), (200, json!({ "success": true })));
    assert_eq!((bump(&app, &gone).await, bump(&app, &other).await), (401, 200));
    assert_eq!(send(&app, &gone, Method::POST, "/auth/logout").await.status, 401);
}

#[tokio::test]
async fn corvus_token_expired_disabled_or_orphaned_is_refused() {
    let app = app().await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let own = token(&app, "ann").await;
    let id = ann.send("{ me { apiTokens { nodes { id } } } }", json!({})).await.data();
    let id = &id["me"]["apiTokens"]["nodes"][0]["id"];
    for (enabled, status) in [(false, 401), (true, 200)] {
        ann.mutate_ok("updateApiToken", json!({ "apiTokenId": id, "enabled": enabled }), "apiToken { id }").await;
        assert_eq!(bump(&app, &own).await, status);
    }
    ann.mutate_ok("revokeApiToken", json!({ "apiTokenId": id }), "apiToken { id }").await;
    assert_eq!(bump(&app, &own).await, 401);

    let own = token(&app, "ann").await;
    root.mutate_ok("setUserStatus", json!({ "userId": ann.id, "status": "DISABLED" }), "user { id }").await;
    assert_eq!(bump(&app, &own).await, 401);
    root.mutate_ok("setUserStatus", json!({ "userId": ann.id, "status": "ACTIVE" }), "user { id }").await;
    assert_eq!(bump(&app, &own).await, 401, "it ended with the sessions");
    let own = token(&app, "ann").await;
    app.clock.advance(TimeDelta::days(30) - TimeDelta::seconds(1));
    assert_eq!(bump(&app, &own).await, 200);
    app.clock.advance(TimeDelta::seconds(1));
    assert_eq!(bump(&app, &own).await, 401);
}

#[tokio::test]
async fn corvus_token_of_another_user_is_refused() {
    let app = app().await;
    for name in ["ann", "bob"] {
        app.user(name).await;
    }
    let secret = login(&app, "ann", PASSWORD).await.json()["token"].as_str().unwrap().to_owned();
    assert_eq!(bump(&app, &pair("ANN", &secret)).await, 200);
    let other = Uuid::from_u128(7).to_string();
    for header in [
        pair("bob", &secret),
        pair("", &secret),
        pair("ann", &other),
        secret.clone(),
        pair("ann", ""),
        "!".to_owned(),
        String::new(),
    ] {
        let answer = send(&app, &header, Method::POST, "/auth/bump").await;
        assert_eq!((answer.status.as_u16(), answer.json()["message"].as_str()), (401, Some("Authorization failed")));
        assert!(answer.header("www-authenticate").is_some_and(|challenge| challenge.starts_with("Bearer")), "{header}");
    }
    let twice = [("x-auth-token", &*pair("ann", &secret)), ("x-auth-token", &*pair("ann", &secret))];
    assert_eq!(app.anonymous().request(Method::POST, "/auth/bump", &twice, "").await.status, 401);
    // On other routes it is a bearer token, and other tokens of the user work on these routes, too.
    let ann = app.login("ann", PASSWORD).await;
    assert_eq!(ann.with_token(&secret).me_code().await, None);
    assert_eq!(ann.request(Method::POST, "/auth/bump", &[], "").await.status, 200);
    assert_eq!(ann.request(Method::POST, "/auth/logout", &[], "").await.status, 200);
    assert_eq!(ann.me_reason().await.as_deref(), Some("SESSION_ENDED"));
}

/// Programs that log in on each run are never locked out.
#[tokio::test]
async fn corvus_login_over_the_limit_replaces_the_idlest_token() {
    let app = app().await;
    let ann = app.user("ann").await;
    let owner = entity::user::Entity::find().one(app.app.db.reader()).await.unwrap().unwrap().id;
    let now = app.app.clock.now();
    let before = now - TimeDelta::hours(1);
    let rows = (0..100).map(|number| api_token::ActiveModel {
        uid: Set(Uuid::from_u128(1_000 + number)),
        user_id: Set(owner),
        name: Set("Corvus".to_owned()),
        secret_hash: Set(entity::secret::SecretText::new(format!("{number}"))),
        permissions: Set(None),
        scopes: Set("[]".to_owned()),
        enabled: Set(true),
        // The first was created by hand, whatever its name.
        from_login: Set(number != 0),
        created_at: Set((before + TimeDelta::seconds(i64::try_from(number).unwrap())).into()),
        updated_at: Set(before.into()),
        // The oldest is in use.
        last_used_at: Set((number == 1).then(|| now.into())),
        version: Set(0),
        ..Default::default()
    });
    api_token::Entity::insert_many(rows).exec_without_returning(app.app.db.writer()).await.unwrap();
    token(&app, "ann").await;
    let rows = api_token::Entity::find().all(app.app.db.reader()).await.unwrap();
    let revoked: Vec<u128> =
        rows.iter().filter(|row| row.revoked_at.is_some()).map(|row| row.uid.as_u128() - 1_000).collect();
    assert_eq!((rows.len(), revoked), (101, vec![2]));
    assert_eq!(actions(&app).await.iter().filter(|action| *action == "api_token.revoke").count(), 1);
    let more = ann.payload_errors("createApiToken", json!({ "name": "Corvus", "permissions": [] })).await;
    assert_eq!(more[0].0, "TOO_MANY_API_TOKENS", "the limit refuses creation by hand");
}

/// The audit actions, oldest first.
async fn actions(app: &TestApp) -> Vec<String> {
    let events = audit_event::Entity::find().order_by_asc(audit_event::Column::Id).all(app.app.db.reader());
    events.await.unwrap().into_iter().map(|event| event.action).collect()
}

/// A login that creates an API token needs no session, not even for a moment: none is stored, none is ended for it.
#[tokio::test]
async fn corvus_login_opens_no_session() {
    let app = TestApp::with(&[super::MOUNT, ("ACCOUNTD_LIMITS__MAX_SESSIONS_PER_USER", "1")]).await;
    let (root, ann) = (app.admin("root").await, app.user("ann").await);
    let rows = async || session::Entity::find().count(app.app.db.reader()).await.unwrap();
    let (before, recorded) = (rows().await, actions(&app).await.len());
    app.clock.advance(TimeDelta::minutes(5));
    token(&app, "ann").await;
    assert_eq!(rows().await, before);
    assert_eq!(actions(&app).await.split_off(recorded), ["login", "api_token.create"]);
    assert_eq!(ann.me_code().await, None, "the only session that the user may have goes on");
    let last = "{ me { lastSignInAt } }";
    assert_eq!(ann.send(last, json!({})).await.data()["me"]["lastSignInAt"], "2026-03-01T12:05:00.000Z");

    // The password was correct, so the attempt counts as a login.
    root.mutate_ok("updateUser", json!({ "userId": ann.id, "mustChangePassword": true }), "user { id }").await;
    let recorded = actions(&app).await.len();
    app.clock.advance(TimeDelta::minutes(5));
    assert_eq!(login(&app, "ann", PASSWORD).await.status, 403);
    assert_eq!((rows().await, actions(&app).await.split_off(recorded)), (before, vec!["login".to_owned()]));
    let user = entity::user::Entity::find().filter(entity::user::Column::UsernameKey.eq("ann"));
    let row = user.one(app.app.db.reader()).await.unwrap().unwrap();
    assert_eq!(row.last_login_at.map(|at| at.utc()), Some(app.app.clock.now()));
}
