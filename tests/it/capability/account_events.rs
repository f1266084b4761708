//! `accountEvents`: events of the own user, over both transports, and the end of a subscription.

use serde_json::{Value, json};

use crate::support::server::Server;
use crate::support::subscriber::Subscriber;
use crate::support::{Actor, PASSWORD, TestApp};

mod connections;
mod sse;
mod termination;
mod websocket_protocol;

const LOGOUT: &str = "mutation { logout { ok } }";

async fn session_of(actor: &Actor) -> String {
    let query = "{ me { sessions(active: true) { nodes { id current } } } }";
    let answer = actor.send(query, json!({})).await.data();
    let nodes = answer["me"]["sessions"]["nodes"].as_array().unwrap().clone();
    let own = nodes.iter().find(|session| session["current"] == true).unwrap();
    own["id"].as_str().unwrap().to_owned()
}

async fn new_name(actor: &Actor, name: &str) {
    actor.mutate_ok("updateProfile", json!({ "displayName": name }), "user { id }").await;
}

async fn set_roles(admin: &Actor, actor: &Actor, roles: &[&str]) {
    admin.mutate_ok("setUserRoles", json!({ "userId": actor.id, "roles": roles }), "user { id }").await;
}

fn kind(event: &Value) -> &str {
    event["__typename"].as_str().unwrap_or_else(|| panic!("no event: {event}"))
}

/// Each event, over both transports; nothing about other users.
#[tokio::test]
async fn account_events_report_changes_of_the_own_user() {
    let server = Server::new().await;
    let app = &server.app;
    let (admin, bob) = (app.admin("root").await, app.user("bob").await);
    app.user("ann").await;
    for way in 0..2 {
        let ann = app.login("ann", PASSWORD).await;
        let mut subscriber = match way {
            0 => Subscriber::over_websocket(server.address, &ann).await,
            _ => Subscriber::over_sse(server.address, &ann).await,
        };
        let now = "2026-03-01T12:00:00.000Z";
        app.login("bob", PASSWORD).await;
        new_name(&bob, &format!("Bob {way}")).await;
        let tablet = app.login("ann", PASSWORD).await;
        let tablet_session = session_of(&tablet).await;
        let event = subscriber.next_event().await;
        assert_eq!((kind(&event), event["at"].as_str()), ("NewSignIn", Some(now)));
        let expected =
            json!({ "id": tablet_session, "current": false, "userAgent": null, "deviceName": null, "endReason": null });
        assert_eq!(event["session"], expected);

        tablet.send(LOGOUT, json!({})).await.data();
        let ended = json!({ "__typename": "SessionEnded", "sessionId": tablet_session, "current": false,
            "reason": "LOGOUT", "at": now });
        assert_eq!(subscriber.next_event().await, ended);

        set_roles(&admin, &ann, &["admin"]).await;
        let event = subscriber.next_event().await;
        assert_eq!((kind(&event), &event["roles"]), ("AccessChanged", &json!(["admin"])));
        assert_eq!(event["permissions"].as_array().unwrap().len(), 10, "{event}");

        // Resolved with the caller's current permissions.
        new_name(&ann, &format!("Ann {way}")).await;
        let event = subscriber.next_event().await;
        assert_eq!((kind(&event), &event["user"]["roles"]), ("ProfileChanged", &json!(["admin"])));
        assert_eq!(event["user"]["displayName"], format!("Ann {way}"));
        set_roles(&admin, &ann, &[]).await;
        assert_eq!(subscriber.next_event().await["permissions"], json!([]));

        let own = session_of(&ann).await;
        ann.send(LOGOUT, json!({})).await.data();
        let ended =
            json!({ "__typename": "SessionEnded", "sessionId": own, "current": true, "reason": "LOGOUT", "at": now });
        assert_eq!(subscriber.next_event().await, ended);
        subscriber.assert_completed(4401).await;
    }
}

/// Changes that no poll reports, and several changes at once, become one event with the net change.
#[tokio::test]
async fn account_events_report_the_net_change_only() {
    let server = Server::new().await;
    let app = &server.app;
    let ann = app.user("ann").await;
    let mut subscriber = Subscriber::over_sse(server.address, &ann).await;
    let tablet = app.login("ann", PASSWORD).await;
    assert_eq!(kind(&subscriber.next_event().await), "NewSignIn");
    // A refresh, an unchanged email address and an unchanged name are no events.
    tablet.refresh(tablet.refresh_token.as_ref().unwrap()).await.data();
    new_name(&ann, "Ann").await;
    assert_eq!(kind(&subscriber.next_event().await), "ProfileChanged");
    new_name(&ann, "Ann").await;
    // A new password opens a new session and ends this and the other one: of those, the event of the own session is
    // final.
    let input = json!({ "currentPassword": PASSWORD, "newPassword": "another-horse-battery-8" });
    let renewed = ann.mutate_ok("updatePassword", input, "tokens { accessToken }").await;
    let event = subscriber.next_event().await;
    let end = (kind(&event), event["current"].as_bool(), event["reason"].as_str());
    assert_eq!(end, ("SessionEnded", Some(true), Some("PASSWORD_CHANGED")));
    subscriber.assert_completed(4401).await;
    let ann = ann.with_token(renewed["tokens"]["accessToken"].as_str().unwrap());
    Subscriber::over_sse(server.address, &ann).await;
}

/// An expired session is reported, although nothing has changed.
#[tokio::test]
async fn account_events_report_expired_sessions() {
    let app = TestApp::with_config(&[], |config| {
        config.token.refresh_idle = chrono::TimeDelta::minutes(20);
        config.token.access_lifetime = chrono::TimeDelta::minutes(15);
    })
    .await;
    let server = Server::serving(app).await;
    server.app.user("ann").await;
    server.app.clock.advance(chrono::TimeDelta::minutes(10));
    let ann = server.app.login("ann", PASSWORD).await;
    let mut subscriber = Subscriber::over_sse(server.address, &ann).await;
    server.app.clock.advance(chrono::TimeDelta::minutes(10));
    let event = subscriber.next_event().await;
    assert_eq!(
        (kind(&event), event["current"].as_bool(), &event["reason"]),
        ("SessionEnded", Some(false), &Value::Null)
    );
    assert_eq!(event["at"], "2026-03-01T12:20:00.000Z");
}

/// Programs have no session; a user who must change the password receives no event before that.
#[tokio::test]
async fn account_events_require_a_session() {
    let server = Server::new().await;
    let app = &server.app;
    let (admin, ann) = (app.admin("root").await, app.user("ann").await);
    let (_, robot) = ann.api_token(&[]).await;
    let accept = [("accept", "text/event-stream, application/json"), ("content-type", "application/json")];
    let body = json!({ "query": crate::support::subscriber::EVENTS }).to_string();
    let refusal = async |actor: &Actor| {
        let answer = actor.request(axum::http::Method::POST, "/graphql", &accept, body.clone()).await;
        assert_eq!(answer.status, 200);
        answer.code()
    };
    assert_eq!(refusal(&robot).await.as_deref(), Some("FORBIDDEN"));
    assert_eq!(refusal(&app.anonymous()).await.as_deref(), Some("UNAUTHENTICATED"));
    let input = json!({ "userId": ann.id, "password": "another-horse-battery-8" });
    admin.mutate_ok("setUserPassword", input, "user { id }").await;
    let ann = app.login("ann", "another-horse-battery-8").await;
    assert_eq!(refusal(&ann).await.as_deref(), Some("PASSWORD_CHANGE_REQUIRED"));
}
