//! The audit log: each event once, with actor, target and request, and without secrets.

mod failures;

use entity::audit_event::{self, Outcome};
use entity::{session, user};
use sea_orm::{ColumnTrait, EntityTrait, QueryFilter, QueryOrder};
use serde_json::json;
use uuid::Uuid;

use crate::support::{Actor, PASSWORD, TestApp};

const NEW: &str = "quiet-garden-kestrel-81";

/// A cursor over the audit events.
struct Record {
    seen: i64,
}

impl Record {
    async fn next(&mut self, app: &TestApp) -> Vec<audit_event::Model> {
        let events = audit_event::Entity::find()
            .filter(audit_event::Column::Id.gt(self.seen))
            .order_by_asc(audit_event::Column::Id)
            .all(app.app.db.reader())
            .await
            .unwrap();
        self.seen = events.last().map_or(self.seen, |event| event.id);
        events
    }

    /// The single event since the last read.
    async fn only(&mut self, app: &TestApp) -> audit_event::Model {
        let events = self.next(app).await;
        assert_eq!(events.len(), 1, "{events:?}");
        events.into_iter().next().unwrap()
    }
}

async fn uid(app: &TestApp, name: &str) -> Uuid {
    let found = user::Entity::find().filter(user::Column::UsernameKey.eq(name)).one(app.app.db.reader()).await.unwrap();
    found.unwrap().uid
}

async fn newest_session(app: &TestApp) -> Uuid {
    let newest = session::Entity::find().order_by_desc(session::Column::Id).one(app.app.db.reader()).await.unwrap();
    newest.unwrap().uid
}

/// Q11
#[tokio::test]
async fn audit_records_every_event_once_with_actor_and_target() {
    let app = TestApp::new().await;
    let mut record = Record { seen: 0 };
    let root = app.admin("root").await;
    assert_eq!(
        record.next(&app).await.iter().map(|event| event.action.as_str()).collect::<Vec<_>>(),
        ["admin.create", "login"]
    );

    let ann = app.user("ann").await;
    let hers = uid(&app, "ann").await;
    let event = record.only(&app).await;
    assert_eq!((event.action.as_str(), event.outcome), ("register", Outcome::Success));
    assert_eq!((event.actor_uid, event.target_uid), (Some(hers), Some(hers)));
    assert_eq!(event.session_uid, Some(newest_session(&app).await));
    assert_eq!((event.tenant_id, event.at.utc()), (Some(1), accountd::clock::Clock::now(app.clock.as_ref())));

    let answer = app.anonymous().login("ann", PASSWORD).await;
    let event = record.only(&app).await;
    assert_eq!((event.action.as_str(), event.outcome), ("login", Outcome::Success));
    assert_eq!((event.actor_uid, event.target_uid), (Some(hers), Some(hers)));
    assert_eq!(event.request_id.as_deref(), answer.header("x-request-id"));

    let answer = app.anonymous().login("ann", "wrong").await;
    let event = record.only(&app).await;
    assert_eq!((event.action.as_str(), event.outcome), ("login", Outcome::Failed));
    assert_eq!((event.actor_uid, event.target_uid, event.session_uid), (None, Some(hers), None));
    assert_eq!(event.request_id.as_deref(), answer.header("x-request-id"));

    app.anonymous().login("nobody", "wrong").await;
    let event = record.only(&app).await;
    assert_eq!((event.action.as_str(), event.outcome), ("login", Outcome::Failed));
    assert_eq!((event.actor_uid, event.target_uid, event.details), (None, None, None));

    let his = uid(&app, "root").await;
    let change = |current: &str, new: &str| json!({ "currentPassword": current, "newPassword": new });
    for (actor, field, input, action, outcome, by) in [
        (&ann, "updateProfile", json!({ "displayName": "Ann" }), "profile.update", Outcome::Success, hers),
        (&ann, "updatePassword", change("wrong", NEW), "password.update", Outcome::Failed, hers),
        (
            &root,
            "updateUser",
            json!({ "userId": ann.id, "email": "a@example.org" }),
            "user.update",
            Outcome::Success,
            his,
        ),
        (&root, "setUserRoles", json!({ "userId": ann.id, "roles": ["admin"] }), "user.roles", Outcome::Success, his),
        (&root, "setUserRoles", json!({ "userId": ann.id, "roles": [] }), "user.roles", Outcome::Success, his),
        (&ann, "logout", json!({}), "logout", Outcome::Success, hers),
        (&root, "setUserPassword", json!({ "userId": ann.id, "password": NEW }), "password.set", Outcome::Success, his),
        (
            &root,
            "setUserStatus",
            json!({ "userId": ann.id, "status": "DISABLED" }),
            "user.status",
            Outcome::Success,
            his,
        ),
        (&root, "deleteUser", json!({ "userId": ann.id }), "user.delete", Outcome::Success, his),
    ] {
        let answer = actor.mutate(field, input, "errors { code }").await;
        assert!(answer.code().is_none(), "{}", answer.text);
        let event = record.only(&app).await;
        assert_eq!((event.action.as_str(), event.outcome), (action, outcome), "{field}");
        assert_eq!((event.actor_uid, event.target_uid), (Some(by), Some(hers)), "{field}");
        assert_eq!(event.request_id.as_deref(), answer.header("x-request-id"), "{field}");
    }

    let eve = app.user("eve").await;
    let hers = uid(&app, "eve").await;
    record.next(&app).await;
    let (token, _) = eve.api_token(&[]).await;
    let input = json!({ "apiTokenId": token });
    root.mutate_ok("updateApiToken", json!({ "apiTokenId": token, "enabled": false }), "apiToken { id }").await;
    eve.mutate_ok("revokeApiToken", input.clone(), "apiToken { id }").await;
    eve.mutate_ok("revokeApiToken", input, "apiToken { id }").await;
    let events = record.next(&app).await;
    let recorded = events.iter().map(|event| (event.action.as_str(), event.actor_uid)).collect::<Vec<_>>();
    let expected = [("api_token.create", hers), ("api_token.update", his), ("api_token.revoke", hers)];
    assert_eq!(recorded, expected.map(|(action, by)| (action, Some(by))), "an earlier revocation is no event");
    assert!(events.iter().all(|event| event.target_uid == Some(hers)));
    assert!(events.iter().all(|event| event.details.as_ref().unwrap().contains(&token)));

    root.mutate_ok("saveRole", json!({ "name": "reader", "permissions": ["USERS_READ"] }), "role { id }").await;
    assert_eq!(record.only(&app).await.action, "role.save");
    // An action by API token is recorded for its owner, with the token.
    let (token, program) = root.api_token(&["USERS_WRITE"]).await;
    record.next(&app).await;
    program.mutate_ok("createUser", json!({ "username": "cy", "password": PASSWORD }), "user { id }").await;
    let event = record.only(&app).await;
    assert_eq!((event.action.as_str(), event.actor_uid), ("user.create", Some(his)));
    assert!(event.details.unwrap().contains(&format!("\"byApiToken\":\"{token}\"")));
    root.mutate_ok("createUser", json!({ "username": "bob", "password": PASSWORD }), "user { id }").await;
    assert_eq!(record.only(&app).await.action, "user.create");
    let bob = app.login("bob", PASSWORD).await;
    record.next(&app).await;
    let payload = bob.mutate_ok("updatePassword", change(PASSWORD, NEW), "tokens { accessToken refreshToken }").await;
    let event = record.only(&app).await;
    assert_eq!((event.action.as_str(), event.outcome), ("password.update", Outcome::Success));
    reuse(&bob.signed_in(&payload)).await;
    let event = record.only(&app).await;
    assert_eq!((event.action.as_str(), event.outcome), ("refresh.reuse", Outcome::Failed));
    assert_eq!((event.target_uid, event.session_uid), (Some(uid(&app, "bob").await), Some(newest_session(&app).await)));
}

/// An attacker presents a token that was rotated twice.
async fn reuse(actor: &Actor) {
    let mut token = actor.refresh_token.clone().unwrap();
    for _ in 0..2 {
        let answer = actor.refresh(&token).await;
        token = answer.data()["refresh"]["tokens"]["refreshToken"].as_str().unwrap().to_owned();
    }
    let answer = actor.refresh(actor.refresh_token.as_deref().unwrap()).await;
    assert_eq!(answer.payload_error("refresh").as_deref(), Some("REFRESH_TOKEN_REUSED"));
}

/// A refused operation is not recorded as done.
#[tokio::test]
async fn audit_records_nothing_that_was_refused() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann").await;
    let mut record = Record { seen: 0 };
    record.next(&app).await;
    for (actor, field, input) in [
        (&ann, "register", json!({ "username": "root", "password": PASSWORD })),
        (&ann, "register", json!({ "username": "bob", "password": "x" })),
        (&root, "updateUser", json!({ "userId": ann.id, "username": "root" })),
        (&root, "setUserStatus", json!({ "userId": root.id, "status": "DISABLED" })),
        (&root, "setUserRoles", json!({ "userId": root.id, "roles": [] })),
        (&root, "deleteUser", json!({ "userId": root.id })),
        (&ann, "deleteUser", json!({ "userId": root.id })),
        (&ann, "revokeSession", json!({ "sessionId": "x" })),
        (&ann, "refresh", json!({ "refreshToken": "x" })),
        (&ann.with_token("x"), "logout", json!({ "refreshToken": "x" })),
        (&ann, "updatePassword", json!({ "currentPassword": PASSWORD, "newPassword": PASSWORD })),
    ] {
        actor.mutate(field, input, "errors { code }").await;
        assert_eq!(record.next(&app).await, [], "{field}");
    }
}

/// Q9: no entered name (it may be a password in the wrong field), no password and no token.
#[tokio::test]
async fn audit_contains_no_secret_and_no_entered_name() {
    let app = TestApp::new().await;
    let root = app.admin("root").await;
    let ann = app.user("ann-canary").await;
    app.anonymous().login("typed-canary", "password-canary").await;
    app.anonymous().login("ann-canary", "password-canary").await;
    let input = json!({ "currentPassword": "password-canary", "newPassword": "password-canary" });
    ann.mutate("updatePassword", input, "errors { code }").await;
    let input = json!({ "currentPassword": PASSWORD, "newPassword": NEW });
    ann.mutate_ok("updatePassword", input, "user { id }").await;
    let input = json!({ "userId": ann.id, "password": PASSWORD, "mustChange": false });
    root.mutate_ok("setUserPassword", input, "user { id }").await;
    root.mutate_ok("updateUser", json!({ "userId": ann.id, "email": "mail-canary@example.org" }), "user { id }").await;
    reuse(&app.login("ann-canary", PASSWORD).await).await;
    root.mutate_ok("deleteUser", json!({ "userId": ann.id }), "deletedUserId").await;
    let events = audit_event::Entity::find().all(app.app.db.reader()).await.unwrap();
    let kept = format!("{events:?}");
    assert!(events.len() > 8);
    for secret in ["canary", PASSWORD, NEW, "eyJ", "argon2"] {
        assert!(!kept.contains(secret), "{secret} in {kept}");
    }
}
